//! Suggestions as people and programs read them. Nothing is thought here; that is `hints`.

use std::path::Path;

use crate::calendar::london;
use crate::case::{Correction, Labels};
use crate::mailbox::Unreached;
use crate::memo::printable;
use crate::record::CorrectionRow;

use super::super::{CommandError, Format, out};
use super::hints::{Example, Hint, Role, Suggestion};
use super::write::Examples;

/// Prints suggestions one after the other, and what is to be said at the end.
pub(super) struct Printed {
    format: Format,
    moved: usize,
    unreached: Vec<Unreached>,
    shown: usize,
    settled: usize,
}

impl Printed {
    pub(super) fn new(format: Format, moved: usize, unreached: Vec<Unreached>) -> Self {
        Self { format, moved, unreached, shown: 0, settled: 0 }
    }

    pub(super) fn add(&mut self, suggestion: &Suggestion) -> Result<(), CommandError> {
        self.shown += 1;
        self.settled += usize::from(suggestion.settled);
        match self.format {
            Format::Json => {
                let json = serde_json::to_string(suggestion);
                out::line(json.map_err(|error| CommandError::Outside(error.to_string()))?);
            }
            Format::Text => out::print(as_text(suggestion)),
        }
        Ok(())
    }

    pub(super) fn end(&self, written: Option<&Examples>) {
        if self.format == Format::Text {
            if self.moved > 0 {
                out::line(format_args!("{} moved by staff were seen and written down.", count(self.moved)));
            }
            match self.shown {
                0 => out::line("No corrections: nothing to learn from."),
                n => out::line(format_args!(
                    "{} corrected; the rules now decide {} of them as corrected. No rule was changed.",
                    count(n),
                    self.settled
                )),
            }
            for place in &self.unreached {
                out::line(format_args!("Not read: {}: {}", place.place, place.problem));
            }
        }
        if let Some(examples) = written {
            eprintln!("{}", personal_data(examples.folder(), examples.written()));
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 message".to_owned() } else { format!("{n} messages") }
}

fn personal_data(folder: &Path, written: usize) -> String {
    let folder = folder.display();
    format!(
        "{folder}: {} written with the corrected labels. They are people's emails: keep the folder where mail may be \
         kept, and delete it when you are done.\n`send-triage evaluate {folder}` measures the rules against them.",
        count(written)
    )
}

fn as_text(suggestion: &Suggestion) -> String {
    let at = suggestion.received;
    let mut text = format!(
        "{}message {}, received {} {} in {}\n  \"{}\"\n",
        suggestion.reference.as_ref().map(|reference| format!("{reference}, ")).unwrap_or_default(),
        suggestion.message,
        london::date(at).format("%a %-d %b %Y"),
        london::time(at).format("%H:%M"),
        suggestion.mailbox,
        printable(&suggestion.subject)
    );
    text.push_str(&format!("  decided    {}\n", labels(&suggestion.decided)));
    text.push_str(&format!("  corrected  {}\n", labels(&suggestion.right)));
    for correction in &suggestion.corrections {
        text.push_str(&format!("             {}\n", correction_in_words(correction)));
    }
    text.push_str(&what_to_look_at(suggestion));
    text.push_str(&examples(&suggestion.examples));
    text.push('\n');
    text
}

fn labels(labels: &Labels) -> String {
    if labels.kind != "person" {
        return labels.kind.clone();
    }
    let grounds =
        if labels.grounds.is_empty() { "no ground named".to_owned() } else { labels.grounds.join(" ") };
    format!("{} ({grounds}), queue {}, area {}", labels.urgency, labels.queue, labels.area)
}

fn correction_in_words(correction: &CorrectionRow) -> String {
    let on = london::date(correction.happened_at).format("%-d %b %Y");
    let why =
        if correction.why.is_empty() { String::new() } else { format!(": {}", printable(&correction.why)) };
    match &correction.moved_to {
        Some(place) => format!("moved to {}/{}, seen on {on}{why}", place.account, place.folder),
        None => format!("by {} on {on}: {}{why}", printable(&correction.by), in_words(&correction.to)),
    }
}

fn in_words(correction: &Correction) -> String {
    let grounds = correction.grounds.as_ref().map(|grounds| format!("grounds {}", grounds.join(" ")));
    let one = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} {value}"));
    let all = [
        correction.urgency.clone(),
        grounds,
        one("queue", &correction.queue),
        one("area", &correction.area),
        one("kind", &correction.kind),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn what_to_look_at(suggestion: &Suggestion) -> String {
    if !suggestion.found {
        let mut text =
            "  The message was not found in our folders, so it could not be decided anew. At the time:\n"
                .to_owned();
        for said in suggestion.trace.iter().filter(|said| said.outcome != "noted") {
            let words =
                if said.text.is_empty() { String::new() } else { format!(" \"{}\"", printable(&said.text)) };
            text.push_str(&format!(
                "    {} {}{words}: {}\n",
                said.outcome,
                said.rule,
                printable(&said.reason)
            ));
        }
        return text;
    }
    if suggestion.settled {
        return "  The rules now decide it as corrected. Nothing is to be changed.\n".to_owned();
    }
    let mut text = String::new();
    if suggestion.right.kind == "person" && suggestion.decided.kind != "person" {
        text.push_str(
            "  It got no acknowledgement, no case and no deadline: see that somebody answers it.\n",
        );
    }
    text.push_str("  look at\n");
    if suggestion.hints.is_empty() {
        text.push_str("    no rule speaks of it: it was decided so because nothing was found\n");
    }
    let mut before: Option<&Hint> = None;
    for hint in &suggestion.hints {
        if before.is_none_or(|before| before.rule != hint.rule) {
            let place =
                if hint.line > 0 { format!("{}, line {}", hint.file, hint.line) } else { hint.file.clone() };
            let title = if hint.title.is_empty() { String::new() } else { format!(" {}", hint.title) };
            text.push_str(&format!("    {}{title} ({place})\n", hint.rule));
        }
        text.push_str(&hint_in_words(hint));
        before = Some(hint);
    }
    text
}

/// What a rule did, below its name.
fn hint_in_words(hint: &Hint) -> String {
    let (words, reason) = (printable(&hint.words), printable(&hint.reason));
    let mut text = match hint.role {
        Role::Fired if words.is_empty() => format!("      holds: {reason}\n"),
        Role::Fired => format!("      holds because of \"{words}\"\n"),
        Role::Near => format!("      found \"{words}\", set aside: {reason}\n"),
        Role::Silent if words.is_empty() => format!("      {reason}\n"),
        Role::Silent => format!("      found nothing; \"{words}\" is {reason}\n"),
    };
    if !hint.phrase.is_empty() {
        text.push_str(&format!("        by its phrase: {}\n", shortened(&hint.phrase)));
    }
    text
}

/// Enough of a long phrase to find it by.
fn shortened(phrase: &str) -> String {
    const ENOUGH: usize = 90;
    if phrase.chars().count() <= ENOUGH {
        return phrase.to_owned();
    }
    format!("{}…", phrase.chars().take(ENOUGH).collect::<String>())
}

/// Ready to paste below a rule.
fn examples(examples: &[Example]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let mut text = "  examples to add, once names and places are taken out\n".to_owned();
    for example in examples {
        let key = if example.yes { "yes" } else { "no" };
        text.push_str(&format!("    # {}, rule {}\n", example.file, example.rule));
        text.push_str(&format!("    examples:\n      {key}:\n        - {}\n", quoted(&example.text)));
    }
    text
}

/// A text in YAML's double quotes (YAML 1.2 section 7.3.1).
fn quoted(text: &str) -> String {
    format!("\"{}\"", printable(text).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_yaml_whatever_is_in_it() {
        let text = "He said: \"no\" # \\ - [x]: {y}";
        let example =
            Example { rule: "U4".into(), file: "urgent.yaml".into(), yes: false, text: text.into() };
        let yaml: String = examples(&[example]).lines().skip(1).map(|line| format!("{line}\n")).collect();
        let node = crate::yaml::parse(&yaml).unwrap();
        assert!(format!("{node:?}").contains(&format!("{text:?}")), "{yaml}");
    }
}
