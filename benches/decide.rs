//! How long a message takes: from bytes to words, and from words to a decision. `cargo bench`.
//!
//! On two corpora: the fixtures, which are short and have something to decide, and a mailbox like a real one, made from a seed
//! ([`corpus`]). Figures stay comparable only as long as these do: the lines with count and size that are printed first belong
//! to every figure. Last stands what parsing and deciding cost beside the MIME parser alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use send_triage::config::{Config, EXAMPLE};
use send_triage::daemon::in_force::{self, Set};
use send_triage::message::Message;
use send_triage::rules::{Addressed, Circumstances, Ruleset, SourceFile, World};
use send_triage::triage::{Decision, History, triage};

mod corpus;

/// The corpora, by name.
const MAIL: [&str; 2] = ["fixtures", "ordinary"];

fn main() {
    for mail in MAIL {
        let corpus = corpus_of(mail);
        println!("{mail}: {} messages, {} bytes", corpus.len(), corpus::bytes(&corpus));
    }
    divan::main();
    MAIL.into_iter().for_each(ratio);
}

/// What parsing and deciding cost beside the MIME parser alone, the two in turns; the fastest of each counts.
fn ratio(mail: &str) {
    let (corpus, set) = (corpus_of(mail), rules());
    let (mut alone, mut both) = (Duration::MAX, Duration::MAX);
    for _ in 0..10 {
        let before = Instant::now();
        corpus.iter().for_each(|raw| drop(black_box(mail_parser::MessageParser::default().parse(raw))));
        alone = alone.min(before.elapsed());
        let before = Instant::now();
        for raw in &corpus {
            black_box(decision(&send_triage::message::parse(raw, raw.len()), &set));
        }
        both = both.min(before.elapsed());
    }
    let times = both.as_secs_f64() / alone.as_secs_f64();
    println!("{mail}: parse and decide {both:.1?}, MIME parser alone {alone:.1?}: {times:.1} times");
}

/// MIME, charsets, HTML to text, and the cut between new words and quotes.
#[divan::bench(args = MAIL)]
fn parse(bencher: Bencher, mail: &str) {
    let corpus = corpus_of(mail);
    bencher
        .counter(ItemsCount::new(corpus.len()))
        .counter(BytesCount::new(corpus::bytes(&corpus)))
        .bench_local(|| {
            for raw in &corpus {
                black_box(send_triage::message::parse(black_box(raw), raw.len()));
            }
        });
}

/// The MIME parser by itself: what any program that reads mail pays.
#[divan::bench(args = MAIL)]
fn mime_alone(bencher: Bencher, mail: &str) {
    let corpus = corpus_of(mail);
    bencher
        .counter(ItemsCount::new(corpus.len()))
        .counter(BytesCount::new(corpus::bytes(&corpus)))
        .bench_local(|| {
            for raw in &corpus {
                black_box(mail_parser::MessageParser::default().parse(black_box(raw)));
            }
        });
}

/// The decision about messages that are parsed already, by the rules that are built in.
#[divan::bench(args = MAIL)]
fn decide(bencher: Bencher, mail: &str) {
    let set = rules();
    let messages = parsed(mail);
    bencher.counter(ItemsCount::new(messages.len())).bench_local(|| {
        for message in &messages {
            black_box(decision(black_box(message), &set));
        }
    });
}

/// Both: what a message costs before it is recorded.
#[divan::bench(args = MAIL)]
fn parse_and_decide(bencher: Bencher, mail: &str) {
    let (corpus, set) = (corpus_of(mail), rules());
    bencher
        .counter(ItemsCount::new(corpus.len()))
        .counter(BytesCount::new(corpus::bytes(&corpus)))
        .bench_local(|| {
            for raw in &corpus {
                let message = send_triage::message::parse(black_box(raw), raw.len());
                black_box(decision(&message, &set));
            }
        });
}

/// Reading and compiling all rules and running their examples: what a reload costs.
#[divan::bench]
fn compile_rules(bencher: Bencher) {
    bencher.bench_local(|| black_box(rules()));
}

/// The same messages by 20 and by 2,000 phrases: what it costs to have more of them. Each phrase is of words that do
/// stand in this mail, as the officer's would be, and most are not found.
#[divan::bench(args = [20, 200, 2_000])]
fn growth(bencher: Bencher, phrases: usize) {
    let rules = rules_of(phrases);
    let messages = parsed("fixtures");
    bencher.counter(ItemsCount::new(messages.len())).bench_local(|| {
        for message in &messages {
            let circumstances = Circumstances {
                received_on: message.received_at().unwrap_or_default().date_naive(),
                mailbox: "general",
                addressed: Addressed::To,
            };
            black_box(rules.read(black_box(message), &circumstances));
        }
    });
}

/// The worst that rules and texts can do within the limits, in time; `src/rules/bounds.rs` holds the same in steps. The text
/// is 100,000 words long, fifty times a long letter.
#[divan::bench(args = ["gaps", "choices", "dates", "negations", "regex", "everything"])]
fn worst(bencher: Bencher, what: &str) {
    let nested = (0..4).fold("a".to_owned(), |inner, _| format!("({inner} | a a | [a] {inner})"));
    let gaps = vec!["a"; 21].join(" ...20 ");
    let (when, text) = match what {
        "gaps" => (format!("      - '{gaps} b'\n"), "a ".repeat(100_000)),
        "choices" => (format!("      - '{nested} {nested} b'\n"), "a ".repeat(100_000)),
        "dates" => (
            "      - '{date} ... {date ahead} ... {date past}'\n".to_owned(),
            "on 3 May 2026, ".repeat(20_000),
        ),
        "negations" => ("      - sentence: [a, not, a ...20 not]\n".to_owned(), "not a ".repeat(50_000)),
        "regex" => ("      - regex: '(?:x?[a-z ]{5}){0,60}y'\n".to_owned(), "a ".repeat(100_000)),
        _ => {
            let one = |number: usize| format!("      - 'a ...20 a ...{} a'\n", number % 20 + 1);
            ((0..2_000).map(one).collect(), "a ".repeat(100_000))
        }
    };
    let yaml = format!("topics:\n  - id: T\n    title: t\n    policy: none\n    when:\n{when}");
    let file = SourceFile { name: "topics.yaml".to_owned(), bytes: yaml.into_bytes() };
    // Known, because some of them are meant to be found everywhere.
    let rules = send_triage::rules::compile_known(&[file], &World::default()).unwrap();
    let mut message = Message::default();
    message.new_text.new = text;
    let received_on = chrono::NaiveDate::from_ymd_opt(2026, 9, 16).unwrap();
    let circumstances = Circumstances { received_on, mailbox: "general", addressed: Addressed::To };
    bencher.bench_local(|| black_box(rules.read(black_box(&message), &circumstances).steps));
}

/// Rules of ten phrases each, always the same ones for the same number.
fn rules_of(phrases: usize) -> Ruleset {
    const WHO: [&str; 10] = [
        "school",
        "(son | daughter)",
        "tribunal",
        "the panel",
        "(he | she)",
        "coordinator",
        "our solicitor",
        "taxi",
        "placement",
        "the (senco | head)",
    ];
    const DOES: [&str; 14] = [
        "exclude", "refuse", "end", "finalise", "cancel", "lose", "attend", "propose", "lodge", "review",
        "transfer", "consult", "assess", "withdraw",
    ];
    const WHAT: [&str; 15] = [
        "plan",
        "place",
        "transport",
        "provision",
        "hearing",
        "timetable",
        "report",
        "funding",
        "section F",
        "annual review",
        "{date}",
        "{number} weeks",
        "therapy",
        "equipment",
        "medication",
    ];
    let mut yaml = String::from("topics:\n");
    for number in 0..phrases {
        if number % 10 == 0 {
            yaml.push_str(&format!(
                "  - id: T{number}\n    title: Topic {number}\n    policy: none\n    when:\n"
            ));
        }
        let (who, does) = (WHO[number % 10], DOES[number / 10 % 14]);
        let what = WHAT[number / 140 % 15];
        yaml.push_str(&format!("      - '{who} ... {does} ...3 {what}'\n"));
    }
    let file = SourceFile { name: "topics.yaml".to_owned(), bytes: yaml.into_bytes() };
    send_triage::rules::compile(&[file], &World::default()).unwrap()
}

fn rules() -> Set {
    let config = Config::parse(EXAMPLE, "built in", Path::new(".")).unwrap();
    in_force::load(&config).unwrap()
}

fn decision(message: &Message, set: &Set) -> Decision {
    let received_at = message.received_at().unwrap_or_default();
    triage(message, received_at, &History::none("general", received_at), &set.policy)
}

fn corpus_of(mail: &str) -> Vec<Vec<u8>> {
    if mail == "ordinary" { corpus::realistic(200, 1) } else { corpus::fixtures() }
}

fn parsed(mail: &str) -> Vec<Message> {
    corpus_of(mail).iter().map(|raw| send_triage::message::parse(raw, raw.len())).collect()
}
