//! Every rule's own examples: its tests and its manual. A rule whose examples fail is not taken into use.

use std::ops::Range;

use chrono::NaiveDate;

use crate::message::{Address, Header, Message, NewText, Part};
use crate::yaml::{Node, Value};

use super::workshop::{Workshop, key_name};
use super::{Addressed, Circumstances, Diagnostic, Ruleset, Severity};

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

const KEYS: [&str; 9] =
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
            "mailbox" => shop.text(file, value, "`mailbox`")?.clone_into(&mut example.mailbox),
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
pub fn run(
    rules: &Ruleset,
    id: &str,
    examples: &[Example],
    files: &[super::workshop::File],
) -> Vec<Diagnostic> {
    let mut complaints = Vec::new();
    for example in examples {
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
            let why = match verdict.and_then(|verdict| verdict.set_aside.first()) {
                Some(aside) => {
                    format!("\"{}\" was found but set aside: {}", aside.evidence.text, aside.reason)
                }
                None => "none of its conditions found anything".to_owned(),
            };
            (
                format!("rule {id} should hold for this example, but does not: {why}"),
                "Add or mend a phrase under `when:`; if the words were set aside wrongly, look at `unless:`, `despite:` and context.yaml.",
            )
        } else {
            let why = match verdict.and_then(|verdict| verdict.evidence.first()) {
                Some(found) => format!("`{}` finds \"{}\"", found.phrase, found.text),
                None => "a condition without words holds".to_owned(),
            };
            (
                format!("rule {id} should not hold for this example, but does: {why}"),
                "Make the phrase narrower, or add an `unless:`.",
            )
        };
        let (file, source) =
            files.get(example.file).map(|file| (file.name.clone(), file.text.clone())).unwrap_or_default();
        complaints.push(Diagnostic {
            severity: Severity::Error,
            file,
            range: example.range.clone(),
            source,
            problem,
            remedy: Some(remedy.to_owned()),
        });
    }
    complaints
}
