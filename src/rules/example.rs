//! Every rule's own examples: its tests and its manual. A rule whose examples fail is not taken into use.

use std::ops::Range;

use chrono::NaiveDate;

use crate::message::{Address, Header, Message, NewText, Part};
use crate::yaml::{Node, Value};

use super::lint::near;
use super::workshop::{Workshop, Written, key_name};
use super::{Addressed, Circumstances, Diagnostic, Ruleset, Severity, Verdict};

/// A sentence for which a rule must hold, or must not.
#[derive(Debug)]
pub struct Example {
    /// The file's number, and the place in it.
    pub file: usize,
    /// The place.
    pub range: Range<usize>,
    /// Whether the rule must hold.
    pub yes: bool,
    message: Message,
    received_on: NaiveDate,
    mailbox: String,
    addressed: Addressed,
}

/// A rule's examples, and where its phrases are written.
#[derive(Debug)]
pub struct Trial {
    /// The examples.
    pub examples: Vec<Example>,
    /// The rule's phrases, by number.
    pub phrases: Range<usize>,
    /// Where its id stands.
    pub id_at: (usize, Range<usize>),
}

/// Keys of an example that is more than a text.
pub const KEYS: [&str; 9] =
    ["text", "subject", "from", "headers", "parts", "received", "mailbox", "addressed", "note"];

impl Example {
    /// Its words.
    pub fn text(&self) -> &str {
        &self.message.new_text.new
    }
}

/// Reads `examples:`.
pub fn read(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Vec<Example> {
    let mut all = Vec::new();
    for (key, value) in shop.map(file, node, "`examples`") {
        let yes = match key_name(key) {
            // Bare yes and no are words here, whatever older YAML made of them.
            "yes" => true,
            "no" => false,
            _ => {
                shop.unknown_key(file, key, &["yes", "no"]);
                continue;
            }
        };
        let items = match &value.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        for item in items {
            all.extend(one(shop, file, item, yes));
        }
    }
    all
}

fn one(shop: &mut Workshop<'_>, file: usize, node: &Node, yes: bool) -> Option<Example> {
    let mut example = Example {
        file,
        range: node.range.clone(),
        yes,
        message: Message::default(),
        // A Wednesday in term.
        received_on: NaiveDate::from_ymd_opt(2026, 9, 16)?,
        mailbox: "general".to_owned(),
        addressed: Addressed::To,
    };
    if !matches!(node.value, Value::Map(_)) {
        let text = shop.text(file, node, "an example")?;
        example.message.new_text = NewText { new: text.to_owned(), ..NewText::default() };
        return Some(example);
    }
    for (key, value) in shop.map(file, node, "an example") {
        match key_name(key) {
            "note" => {}
            "text" => shop.text(file, value, "`text`")?.clone_into(&mut example.message.new_text.new),
            "subject" => shop.text(file, value, "`subject`")?.clone_into(&mut example.message.subject),
            "mailbox" => {
                let name = shop.text(file, value, "`mailbox`")?;
                name.clone_into(&mut example.mailbox);
            }
            "from" => example.message.from = Some(address(shop.text(file, value, "`from`")?)),
            "headers" => {
                for (text, item) in shop.texts(file, value, "a header") {
                    let Some((name, value)) = text.split_once(':') else {
                        shop.error(
                            file,
                            item.range.clone(),
                            "a header needs a colon",
                            "Write 'Precedence: bulk'.",
                        );
                        continue;
                    };
                    let header = Header { name: name.trim().to_owned(), value: value.trim().to_owned() };
                    example.message.headers.push(header);
                }
            }
            "parts" => {
                example.message.parts =
                    shop.texts(file, value, "a part").into_iter().map(|(text, _)| part(text)).collect();
            }
            "received" => {
                let text = shop.text(file, value, "`received`")?;
                match text.parse() {
                    Ok(date) => example.received_on = date,
                    Err(_) => {
                        shop.error(file, value.range.clone(), "this is no date", "Write it as 2026-09-16.")
                    }
                }
            }
            "addressed" => {
                example.addressed = match shop.text(file, value, "`addressed`")? {
                    "to" => Addressed::To,
                    "cc" => Addressed::Cc,
                    "none" => Addressed::Nowhere,
                    _ => {
                        shop.error(
                            file,
                            value.range.clone(),
                            "this must be to, cc or none",
                            "Write `addressed: cc`.",
                        );
                        continue;
                    }
                }
            }
            _ => shop.unknown_key(file, key, &KEYS),
        }
    }
    Some(example)
}

/// `Name <address>`, or the address alone.
fn address(text: &str) -> Address {
    match text.split_once('<') {
        Some((name, rest)) => Address {
            name: name.trim().to_owned(),
            address: rest.trim_end().trim_end_matches('>').to_owned(),
        },
        None => Address { name: String::new(), address: text.trim().to_owned() },
    }
}

/// `text/calendar; method=REQUEST`.
fn part(text: &str) -> Part {
    let mut pieces = text.split(';').map(str::trim);
    let content_type = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let parameters: Vec<(String, String)> = pieces
        .filter_map(|piece| piece.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned()))
        .collect();
    let file_name = parameters.iter().find(|(name, _)| name == "name").map(|(_, value)| value.clone());
    Part { content_type, parameters, file_name, ..Part::default() }
}

/// Runs one rule's examples.
pub fn run(rules: &Ruleset, id: &str, trial: &Trial, shop: &Workshop<'_>) -> Vec<Diagnostic> {
    let mut complaints = Vec::new();
    for example in &trial.examples {
        let circumstances = Circumstances {
            received_on: example.received_on,
            mailbox: &example.mailbox,
            addressed: example.addressed,
        };
        let reading = rules.read(&example.message, &circumstances);
        if reading.holds(id) == example.yes {
            continue;
        }
        let verdict = reading.verdicts.iter().find(|verdict| verdict.rule.id == id);
        let (problem, remedy) = if example.yes {
            let (why, remedy) = why_not(example, verdict, trial, shop);
            (format!("rule {id} should hold for this example, but does not: {why}"), remedy)
        } else {
            let (why, remedy) = why_so(verdict, trial, shop);
            (format!("rule {id} should not hold for this example, but does: {why}"), remedy)
        };
        let at = Written { file: example.file, range: example.range.clone(), text: String::new() };
        complaints.push(shop.diagnostic(&at, Severity::Error, problem, &remedy));
    }
    complaints
}

/// Why a rule does not hold: what was found but set aside, or else which phrase came nearest.
fn why_not(
    example: &Example,
    verdict: Option<&Verdict<'_>>,
    trial: &Trial,
    shop: &Workshop<'_>,
) -> (String, String) {
    if let Some(aside) = verdict.and_then(|verdict| verdict.set_aside.first()) {
        let line = line_of(&aside.evidence.phrase, trial, shop);
        let why = format!(
            "`{}`{line} finds \"{}\", but it was set aside: {}",
            aside.evidence.phrase, aside.evidence.text, aside.reason
        );
        let remedy = if aside.reason.starts_with("unless") {
            "Make the phrase under `unless:` narrower, or correct the example."
        } else {
            "If the words do count here, put the words that set them aside into the phrase itself, or name the context under `despite:`; \
             if context.yaml is wrong about them, correct it there."
        };
        return (why, remedy.to_owned());
    }
    let text = format!("{}\n\n{}", example.message.subject, example.message.new_text.new);
    let written = shop.written.get(trial.phrases.clone()).unwrap_or_default();
    match near::nearest(written.iter(), &text, &shop.lists) {
        None => (
            "none of the words of its phrases stands in it".to_owned(),
            "Add a phrase for it under `when:`, or correct the example.".to_owned(),
        ),
        Some(nearest) if nearest.missing.is_empty() => (
            format!(
                "nearest is `{}` in line {}: all its words are there, but not in this order, too far apart, in two sentences, or only part of what `all:`, `sentence:` or `near:` asks",
                nearest.written.text,
                shop.line_of(nearest.written)
            ),
            "Change the order, write ... between words that may stand apart, or add a phrase.".to_owned(),
        ),
        Some(nearest) => (
            format!(
                "nearest is `{}` in line {}, which also asks for {}",
                nearest.written.text,
                shop.line_of(nearest.written),
                listed(&nearest.missing)
            ),
            "Widen that phrase, or add one for it; or correct the example.".to_owned(),
        ),
    }
}

/// Why a rule holds: which phrases find which words.
fn why_so(verdict: Option<&Verdict<'_>>, trial: &Trial, shop: &Workshop<'_>) -> (String, String) {
    let mut found: Vec<String> = Vec::new();
    for evidence in verdict.map(|verdict| verdict.evidence.as_slice()).unwrap_or_default() {
        let line = line_of(&evidence.phrase, trial, shop);
        let one = format!("`{}`{line} finds \"{}\"", evidence.phrase, evidence.text);
        if !found.contains(&one) {
            found.push(one);
        }
    }
    let more = found.len().saturating_sub(3);
    found.truncate(3);
    let mut why = found.join("; ");
    if more > 0 {
        why.push_str(&format!("; and {more} more"));
    }
    if why.is_empty() {
        why = "a condition without words holds".to_owned();
    }
    (why, "Make the phrase narrower, or add an `unless:` for what makes this one different.".to_owned())
}

/// ` (line 12)`, where the phrase is one of the rule's own.
fn line_of(phrase: &str, trial: &Trial, shop: &Workshop<'_>) -> String {
    let written = shop.written.get(trial.phrases.clone()).unwrap_or_default();
    let own = written.iter().find(|written| written.text == phrase);
    own.map(|written| format!(" (line {})", shop.line_of(written))).unwrap_or_default()
}

/// "a", "b" and "c".
fn listed(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().take(6).map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}
