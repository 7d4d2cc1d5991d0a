//! `send-triage learn`: makes `learned.csv` from labelled messages and passages; nothing else ever writes it.

use std::path::{Path, PathBuf};

use crate::daemon::in_force;
use crate::rules::learned::train::{self, Example, LEAST_EXAMPLES, Measured};
use crate::rules::learned::{FILE, Learned};
use crate::rules::{self, SourceFile};
use crate::triage::score::Label;

use super::table::table;
use super::{CommandError, evaluate, out};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The rules folder whose learned.csv is written
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// Leave out every third message and passage, so that they can measure what was learned
    #[arg(long)]
    hold_back: bool,
    /// Only measure; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Folders of labelled messages (.eml and labels.jsonl) or of passages (U4.yes.txt, U4.no.txt, chaser.no.txt, queue.review.txt, ...)
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
}

/// The urgent grounds: a passage about one of them is no example of the others unless it says so.
const URGENT: [&str; 10] = ["U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8", "U9", "U10"];
const TOPICS: [&str; 7] = ["S1", "S2", "S3", "S4", "S5", "S6", "S7"];
const SIGNPOSTS: [&str; 8] = [
    "appointment",
    "report",
    "school-support",
    "disagreement",
    "complaint-service",
    "complaint-section-f",
    "complaint-school",
    "complaint-nhs",
];
const CHASER: &str = "chaser";
const LEADERSHIP: &str = "leadership";
/// The matters by which the team is chosen; what is none of them is for the general mailbox.
const QUEUE: &str = "queue";
const REVIEW: &str = "review";
const ASSESSMENT: &str = "assessment";
const RESOLUTION: &str = "resolution";

pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let files = in_force::read_folder(&arguments.rules)?;
    let mut examples = of_the_rules(&files.rules);
    // What everybody writes is an example of nothing.
    examples.extend(rules::everyday().map(|text| Example {
        text: text.to_owned(),
        has: Vec::new(),
        speaks_of: None,
    }));
    for folder in &arguments.folders {
        let before = examples.len();
        if folder.join("labels.jsonl").exists() {
            messages(folder, arguments.hold_back, &mut examples)?;
        } else {
            passages(folder, arguments.hold_back, &mut examples)?;
        }
        if examples.len() == before {
            let folder = folder.display();
            return Err(CommandError::Input(format!(
                "{folder}: nothing to learn from here. Give a folder with .eml files and their labels.jsonl, or one with passages such as U4.yes.txt and U4.no.txt, one a line."
            )));
        }
    }
    let labels: Vec<String> = URGENT
        .iter()
        .chain(&TOPICS)
        .chain(&SIGNPOSTS)
        .chain([&CHASER, &LEADERSHIP, &REVIEW, &ASSESSMENT, &RESOLUTION])
        .map(|label| (*label).to_owned())
        .collect();
    let (learned, measured) = train::train(&examples, &labels);
    out::print(report(&examples, &learned, &measured, &labels));
    if measured.is_empty() {
        return Err(CommandError::Input(format!(
            "nothing was learned, and {FILE} stays as it is: no rule has {LEAST_EXAMPLES} examples. Give more folders, or label more messages."
        )));
    }
    let path = arguments.rules.join(FILE);
    if arguments.dry_run {
        out::line(format_args!("Nothing was written (--dry-run)."));
        return Ok(());
    }
    // Beside it first: a reader never sees half a file.
    let draft = arguments.rules.join(format!(".{FILE}.new"));
    std::fs::write(&draft, learned.write())
        .and_then(|()| std::fs::rename(&draft, &path))
        .map_err(|error| CommandError::Outside(format!("{}: cannot be written: {error}", path.display())))?;
    out::line(format_args!(
        "{} was written. Look at what it changes with `send-triage replay` or `evaluate` before it goes live.",
        path.display()
    ));
    Ok(())
}

fn report(examples: &[Example], learned: &Learned, measured: &[Measured], labels: &[String]) -> String {
    let rows: Vec<Vec<String>> = measured
        .iter()
        .map(|m| {
            vec![
                m.label.clone(),
                m.examples.0.to_string(),
                m.examples.1.to_string(),
                format!("{:.2}", m.precision),
                format!("{:.2}", m.recall),
            ]
        })
        .collect();
    let mut text = format!(
        "{} examples, {} words and pairs of words.\nBy the words alone, each fifth of the examples told by the other four:\n\n{}",
        examples.len(),
        learned.words(),
        table(&["rule", "is it", "is not", "precision", "recall"], &rows, 110)
    );
    let few: Vec<&str> = labels
        .iter()
        .filter(|label| !measured.iter().any(|m| &m.label == *label))
        .map(String::as_str)
        .collect();
    if !few.is_empty() {
        text.push_str(&format!(
            "\nFewer than {LEAST_EXAMPLES} examples, so nothing was learned about: {}.\n",
            few.join(", ")
        ));
    }
    text.push('\n');
    text
}

/// The rules' own examples teach what they test.
fn of_the_rules(files: &[SourceFile]) -> Vec<Example> {
    rules::examples(files)
        .into_iter()
        .filter(|(id, ..)| [&URGENT[..], &TOPICS, &SIGNPOSTS].concat().contains(&id.as_str()))
        .map(|(id, holds, text)| {
            let has = if holds { vec![id.clone()] } else { Vec::new() };
            Example { text, has, speaks_of: Some(vec![id]) }
        })
        .collect()
}

/// Every message written by a person; its labels are complete, but for what its queue leaves open.
fn messages(folder: &Path, hold_back: bool, examples: &mut Vec<Example>) -> Result<(), CommandError> {
    for label in evaluate::labels(folder)? {
        if label.kind != "person" || (hold_back && is_held_back(&label.file)) {
            continue;
        }
        let path = folder.join(&label.file);
        let raw = std::fs::read(&path)
            .map_err(|error| CommandError::Input(format!("{}: cannot be read: {error}", path.display())))?;
        let message = crate::message::parse(&raw, raw.len());
        let text = format!("{}\n\n{}", message.new_text.new, message.new_text.adopted);
        examples.push(Example { text, has: held(&label), speaks_of: Some(speaks_of(&label)) });
    }
    Ok(())
}

/// Every third message, by the last number in its name.
fn is_held_back(file: &str) -> bool {
    let digits: String =
        file.chars().rev().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    // A sum of digits is divisible by three when the number is, from whichever end it is read.
    !digits.is_empty() && digits.bytes().map(|digit| u32::from(digit - b'0')).sum::<u32>() % 3 == 0
}

fn held(label: &Label) -> Vec<String> {
    let mut has = label.grounds.clone();
    has.extend(label.signposts.iter().cloned());
    has.extend((label.chaser != "none").then(|| CHASER.to_owned()));
    has.extend(label.refer_leadership.then(|| LEADERSHIP.to_owned()));
    has.extend(matter(&label.queue).map(str::to_owned));
    has
}

/// What a message in this queue is about.
fn matter(queue: &str) -> Option<&'static str> {
    match queue {
        "annual-review-east" | "annual-review-west" => Some(REVIEW),
        "assessment" => Some(ASSESSMENT),
        "resolution" => Some(RESOLUTION),
        _ => None,
    }
}

/// Everything, but for what its queue leaves open: what a matter for the Resolution Team is about besides, and
/// whether it is a review that went to the general mailbox for want of an area.
fn speaks_of(label: &Label) -> Vec<String> {
    let resolution = label.queue == "resolution" || label.queue == "none";
    let unplaced = label.queue == "general" && label.area == "unknown";
    [&URGENT[..], &TOPICS, &SIGNPOSTS, &[CHASER, LEADERSHIP]]
        .concat()
        .into_iter()
        .chain((label.queue != "none").then_some(RESOLUTION))
        .chain((!resolution).then_some(ASSESSMENT))
        .chain((!resolution && !unplaced).then_some(REVIEW))
        .map(str::to_owned)
        .collect()
}

/// Passages, one a line: `U4.yes.txt` are it, `U4.no.txt` are not; each speaks of its own label and a few near it alone.
fn passages(folder: &Path, hold_back: bool, examples: &mut Vec<Example>) -> Result<(), CommandError> {
    let unreadable = |path: &Path, error: std::io::Error| {
        CommandError::Input(format!("{}: cannot be read: {error}", path.display()))
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| unreadable(folder, error))?;
    files.sort();
    for path in files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((label, kind)) = name.strip_suffix(".txt").and_then(|name| name.split_once('.')) else {
            continue;
        };
        let Some((is, speaks_of)) = about(label, kind) else { continue };
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || (hold_back && (index + 1).is_multiple_of(3)) {
                continue;
            }
            let has = if is { vec![named(label, kind).to_owned()] } else { Vec::new() };
            examples.push(Example { text: line.to_owned(), has, speaks_of: Some(speaks_of.clone()) });
        }
    }
    Ok(())
}

/// What passages of this name are: `queue.review.txt` are told by the second word.
fn named<'a>(label: &'a str, kind: &'a str) -> &'a str {
    if label == QUEUE { kind } else { label }
}

/// Whether passages of this name are it, and of what they speak; `None`: they teach nothing.
fn about(label: &str, kind: &str) -> Option<(bool, Vec<String>)> {
    let owned = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    let is = kind == "yes";
    Some(match label {
        // Ordinary mail without any ground.
        "standard" => (false, owned(&[&URGENT[..], &[LEADERSHIP]].concat())),
        "signpost" => (false, owned(&SIGNPOSTS)),
        CHASER => (kind != "no", owned(&[CHASER])),
        LEADERSHIP => (is, owned(&[LEADERSHIP])),
        QUEUE => match kind {
            REVIEW | ASSESSMENT => (true, owned(&[REVIEW, ASSESSMENT, RESOLUTION])),
            // It may be about anything besides.
            RESOLUTION => (true, owned(&[RESOLUTION])),
            "general" => (false, owned(&[REVIEW, ASSESSMENT, RESOLUTION])),
            _ => return None,
        },
        _ if URGENT.contains(&label) => (is, owned(&URGENT)),
        _ if SIGNPOSTS.contains(&label) || TOPICS.contains(&label) => {
            (is, owned(&[&URGENT[..], &[label]].concat()))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_message_can_be_held_back() {
        for (file, held_back) in
            [("003.eml", true), ("d-012.eml", true), ("010.eml", false), ("note.eml", false)]
        {
            assert_eq!(is_held_back(file), held_back, "{file}");
        }
    }

    #[test]
    fn a_queue_says_what_it_is_about_where_it_tells() {
        let label = |queue: &str, area: &str| -> Label {
            let text = format!(
                r#"{{"file":"1.eml","received":"","mailbox":"general","kind":"person","acknowledge":true,
                "urgency":"standard","queue":"{queue}","area":"{area}","chaser":"none"}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let east = label("annual-review-east", "east");
        assert!(
            held(&east).contains(&"review".to_owned()) && speaks_of(&east).contains(&"assessment".to_owned())
        );
        // A review without a place is general too: no example of what is no review.
        let unplaced = speaks_of(&label("general", "unknown"));
        assert!(!unplaced.contains(&"review".to_owned()) && unplaced.contains(&"assessment".to_owned()));
        // A complaint may be about a review.
        let complaint = label("resolution", "east");
        assert_eq!(held(&complaint), ["resolution"]);
        assert!(!speaks_of(&complaint).contains(&"review".to_owned()));
    }

    #[test]
    fn a_passage_speaks_of_its_own_matter() {
        let (is, of) = about("U4", "yes").unwrap();
        assert!(is && of.contains(&"U9".to_owned()) && !of.contains(&"chaser".to_owned()));
        assert_eq!(about("chaser", "within"), Some((true, vec!["chaser".to_owned()])));
        assert_eq!(about("area", "east"), None);
        let (is, of) = about("queue", "general").unwrap();
        assert!(!is && of.contains(&"review".to_owned()));
        assert_eq!(named("queue", "review"), "review");
    }
}
