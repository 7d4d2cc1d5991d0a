//! The second reader's school: what it learns from, how well it would have heard what it did not learn from, and the file.
//!
//! `cargo test --test all second_reader -- --ignored --nocapture` teaches it anew and writes `rules/second-reader.yaml`; do
//! that after labelled emails were added. It learns from every labelled email and passage that is not held back (every
//! third is), reads each tenth with weights learnt from the other nine, and prints how often it then disagrees with the
//! rules, rightly and wrongly. The same emails always give the same weights.

// A fixture that is missing or broken should stop the test where it stands.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_precision_loss)]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use chrono::DateTime;
use send_triage::message::{self, Message};
use send_triage::triage::{self, History, Policy, Urgency};

use crate::labelled::{path, policy};

/// What was learnt from one email or passage, and how much it counts.
struct Lesson {
    name: String,
    features: Vec<String>,
    urgent: bool,
    weight: f64,
    /// What the rules make of it; passages are not asked.
    called_urgent: Option<bool>,
    /// Why it is marked unsure.
    marked: Option<String>,
}

fn lessons(policy: &Policy) -> Vec<Lesson> {
    let mut all = Vec::new();
    for folder in ["labelled", "exam/a", "exam/b", "exam/c"] {
        let folder = path("fixtures").join(folder);
        let labels = std::fs::read_to_string(folder.join("labels.jsonl")).expect("the labels");
        for label in
            labels.lines().map(|line| serde_json::from_str::<triage::score::Label>(line).expect("a label"))
        {
            let number = label.file.trim_start_matches("d-").trim_end_matches(".eml").parse::<u32>();
            if number.expect("a number") % 3 == 0 || label.kind != "person" {
                continue;
            }
            let raw = std::fs::read(folder.join(&label.file)).expect("an email");
            let received_at = DateTime::parse_from_rfc3339(&label.received).expect("a time").to_utc();
            let message = message::parse(&raw, raw.len());
            let history = History::none(&label.mailbox, received_at);
            let decision = triage::triage(&message, received_at, &history, policy);
            all.push(Lesson {
                name: format!("{} {}", folder.display(), label.file),
                features: policy.rules.features(&message),
                urgent: label.urgency == "urgent",
                weight: 1.0,
                called_urgent: Some(decision.urgency == Urgency::Urgent),
                marked: decision
                    .trace
                    .iter()
                    .find(|finding| finding.rule == "unsure")
                    .map(|f| f.reason.clone()),
            });
        }
    }
    let mut passages = vec![("fixtures/passages/standard.yes.txt".to_owned(), false)];
    for ground in 1..=10 {
        passages.push((format!("fixtures/grounds/U{ground}.yes.txt"), true));
        passages.push((format!("fixtures/grounds/U{ground}.no.txt"), false));
    }
    for (file, urgent) in passages {
        let lines = std::fs::read_to_string(path(&file)).expect("passages");
        for (index, line) in lines.lines().enumerate().filter(|(index, _)| (index + 1) % 3 != 0) {
            let mut message = Message::default();
            line.clone_into(&mut message.new_text.new);
            all.push(Lesson {
                name: format!("{file} {}", index + 1),
                features: policy.rules.features(&message),
                urgent,
                weight: PASSAGE,
                called_urgent: None,
                marked: None,
            });
        }
    }
    all
}

/// A passage counts for less than an email.
const PASSAGE: f64 = 0.6;
/// How often all lessons are gone through.
const ROUNDS: usize = 30;
/// What keeps single words from saying too much.
const HUMILITY: f64 = 2e-3;
/// How many words are kept, those that say most.
const KEPT: usize = 4000;

type Numbered<'l> = Vec<(usize, &'l Lesson)>;

struct Weights {
    bias: f64,
    words: HashMap<String, f64>,
}

impl Weights {
    fn score(&self, features: &[String]) -> f64 {
        let known: Vec<f64> = features.iter().filter_map(|word| self.words.get(word)).copied().collect();
        self.bias + known.iter().sum::<f64>() / (known.len().max(1) as f64).sqrt()
    }
}

/// Logistic regression by stochastic gradient, with a step of its own for every word (Duchi, Hazan and Singer 2011).
fn learn(lessons: &[&Lesson]) -> Weights {
    let mut words: HashMap<&str, (f64, f64)> = HashMap::new();
    let (mut bias, mut bias_steps) = (0.0, 1e-3);
    let mut order: Vec<usize> = (0..lessons.len()).collect();
    let mut seed = 1_u64;
    for _ in 0..ROUNDS {
        for last in (1..order.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(last, (seed >> 33) as usize % (last + 1));
        }
        for index in &order {
            let lesson = lessons[*index];
            let length = (lesson.features.len().max(1) as f64).sqrt();
            let sum: f64 =
                lesson.features.iter().filter_map(|word| words.get(word.as_str())).map(|w| w.0).sum();
            let likely = 1.0 / (1.0 + (-(bias + sum / length)).clamp(-30.0, 30.0).exp());
            let error = (likely - f64::from(u8::from(lesson.urgent))) * lesson.weight;
            for word in &lesson.features {
                let (weight, steps) = words.entry(word).or_insert((0.0, 1e-3));
                let step = error / length + HUMILITY * *weight;
                *steps += step * step;
                *weight -= 0.5 * step / steps.sqrt();
            }
            bias_steps += error * error;
            bias -= 0.5 * error / f64::sqrt(bias_steps);
        }
    }
    // What is kept says much, or is met often.
    let mut met: HashMap<&str, f64> = HashMap::new();
    lessons.iter().flat_map(|lesson| &lesson.features).for_each(|word| *met.entry(word).or_default() += 1.0);
    let mut all: Vec<(&str, f64)> = words.into_iter().map(|(word, (weight, _))| (word, weight)).collect();
    let says = |word: &str, weight: f64| weight.abs() * met.get(word).copied().unwrap_or_default().sqrt();
    all.sort_by(|one, two| says(two.0, two.1).total_cmp(&says(one.0, one.1)).then(one.0.cmp(two.0)));
    all.truncate(KEPT);
    Weights { bias, words: all.into_iter().map(|(word, weight)| (word.to_owned(), weight)).collect() }
}

#[test]
#[ignore = "teaches the second reader and writes its file"]
fn the_second_reader_learns() {
    let policy = policy();
    let lessons = lessons(&policy);
    let mut read: Vec<(f64, &Lesson)> = Vec::new();
    for part in 0..10 {
        let (test, school): (Numbered<'_>, Numbered<'_>) = lessons
            .iter()
            .enumerate()
            .partition(|(index, lesson)| index % 10 == part && lesson.weight >= 1.0);
        let school: Vec<&Lesson> = school.into_iter().map(|(_, lesson)| lesson).collect();
        let weights = learn(&school);
        read.extend(test.into_iter().map(|(_, lesson)| (weights.score(&lesson.features), lesson)));
    }
    let mut marks: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in lessons.iter().filter_map(|lesson| lesson.marked.as_deref()).flat_map(|why| why.split("; "))
    {
        let kind = ["east and west", "nearly holds", "called urgent", "sounds urgent", "sounds calm"];
        let kind = kind.iter().find(|kind| reason.contains(**kind)).unwrap_or(&"other");
        *marks.entry(kind).or_default() += 1;
    }
    println!("marked with the weights in force: {marks:?}");
    let right = read.iter().filter(|(score, lesson)| (*score > 0.0) == lesson.urgent).count();
    println!("alone it would decide {right} of {} as labelled", read.len());
    for (name, called) in [("standard, suspected urgent", false), ("urgent, doubted", true)] {
        let mut all: Vec<(f64, bool)> = read
            .iter()
            .filter(|(_, lesson)| lesson.called_urgent == Some(called))
            .map(|(score, lesson)| (if called { -score } else { *score }, lesson.urgent != called))
            .collect();
        all.sort_by(|one, two| two.0.total_cmp(&one.0));
        let wrong = all.iter().filter(|(_, wrong)| *wrong).count();
        for count in [5, 10, 15, 20, 25, 30, 40, 50].into_iter().filter(|count| *count <= all.len()) {
            let caught = all[..count].iter().filter(|(_, wrong)| *wrong).count();
            println!(
                "{name}: {count} marked at {:.2}, {caught} of {wrong} mistakes caught",
                all[count - 1].0
            );
        }
    }
    for (score, lesson) in
        read.iter().filter(|(score, lesson)| (*score > 0.0) != lesson.urgent && score.abs() > 1.5)
    {
        println!("{score:.2} {} {}", if lesson.urgent { "urgent" } else { "standard" }, lesson.name);
    }
    let all: Vec<&Lesson> = lessons.iter().collect();
    write(&learn(&all));
}

/// The file, in the order of the alphabet; the thresholds stay as they are.
fn write(weights: &Weights) {
    let file = path("rules/second-reader.yaml");
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let threshold = |key: &str, usual: &str| {
        let line = known.lines().find_map(|line| line.trim().strip_prefix(key).map(str::to_owned));
        line.unwrap_or_else(|| usual.to_owned())
    };
    let sorted: BTreeMap<&String, &f64> = weights.words.iter().collect();
    let mut out = String::from(
        "# The second reader: how urgent each word, or two in a row, makes a message sound (above 0) or how calm (below 0), learnt from\n\
         # labelled emails by tests/second_reader.rs, which writes this file. It decides nothing: where it strongly disagrees with the rules,\n\
         # the decision is marked unsure. \"exclud~\" is every ending, 9 any number.\n\nsecond reader:\n",
    );
    let _ = writeln!(out, "  suspects above: {}", threshold("suspects above: ", "1.4"));
    let _ = writeln!(out, "  doubts below: {}", threshold("doubts below: ", "-0.8"));
    let _ = writeln!(out, "  bias: {:.3}\n  words:", weights.bias);
    for (word, weight) in sorted.into_iter().filter(|(_, weight)| weight.abs() >= 0.05) {
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '~'));
        let plain = plain && !matches!(word.as_str(), "null" | "true" | "false" | "~");
        let _ = if plain {
            writeln!(out, "    {word}: {weight:.2}")
        } else {
            writeln!(out, "    {word:?}: {weight:.2}")
        };
    }
    std::fs::write(file, out).expect("a writable file");
}
