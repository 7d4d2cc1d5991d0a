//! What `replay` found: counts first, then each difference with the words responsible. However many there are, they wait in a
//! file that has no name, not in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::calendar::london;
use crate::daemon::in_force::Set;
use crate::mailbox::Unreached;
use crate::memo::printable;
use crate::triage::compare::{Change, Difference, Said};

use super::super::{CommandError, Format, out};

/// The answers that are sets: what came and what went is counted for each member.
const SETS: [&str; 2] = ["grounds", "signposts"];

/// A message that would be decided differently.
pub(super) struct Differs {
    /// Where it lies.
    pub message: String,
    /// Its case.
    pub reference: Option<String>,
    /// Its subject.
    pub subject: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// The mailbox that it came to.
    pub mailbox: String,
    /// How.
    pub difference: Difference,
}

/// Counts, and the differences as they will be printed.
pub(super) struct Report {
    format: Format,
    read: u64,
    differing: u64,
    /// For each question, what became what and how often.
    changes: BTreeMap<&'static str, BTreeMap<String, u64>>,
    corrected: u64,
    corrected_before: u64,
    corrected_after: u64,
    spool: Option<BufWriter<File>>,
    /// What could not be read.
    pub unreached: Vec<Unreached>,
    /// What else the reader should know.
    pub notes: Vec<String>,
}

impl Report {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            read: 0,
            differing: 0,
            changes: BTreeMap::new(),
            corrected: 0,
            corrected_before: 0,
            corrected_after: 0,
            spool: None,
            unreached: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// A message that staff corrected, and whether the old and the new rules decide it as they say.
    pub(super) fn corrected(&mut self, before: bool, after: bool) {
        self.corrected += 1;
        self.corrected_before += u64::from(before);
        self.corrected_after += u64::from(after);
    }

    /// One message more, and how it differs if it does.
    pub(super) fn add(&mut self, differs: Option<Differs>) -> Result<(), CommandError> {
        self.read += 1;
        let Some(differs) = differs else { return Ok(()) };
        self.differing += 1;
        for change in &differs.difference.changes {
            let counts = self.changes.entry(change.label).or_default();
            for what in in_counts(change) {
                *counts.entry(what).or_default() += 1;
            }
        }
        let text = match self.format {
            Format::Text => as_text(self.differing, &differs),
            Format::Json => format!("{}\n", as_json(&differs)),
        };
        let spool = match &mut self.spool {
            Some(spool) => spool,
            None => self.spool.insert(BufWriter::with_capacity(1 << 20, unnamed_file().map_err(of_io)?)),
        };
        spool.write_all(text.as_bytes()).map_err(of_io)
    }

    /// Prints it all.
    pub(super) fn print(self, new: &Set, old: Option<&Set>) -> Result<(), CommandError> {
        match self.format {
            Format::Text => out::print(self.summary(new, old)),
            Format::Json => out::line(self.summary_as_json(new, old)),
        }
        let Some(spool) = self.spool else { return Ok(()) };
        let mut file = spool.into_inner().map_err(|error| of_io(error.into_error()))?;
        file.rewind().map_err(of_io)?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        loop {
            let piece = reader.fill_buf().map_err(of_io)?;
            if piece.is_empty() {
                return Ok(());
            }
            let length = piece.len();
            out::bytes(piece);
            reader.consume(length);
        }
    }

    fn summary(&self, new: &Set, old: Option<&Set>) -> String {
        let mut text = format!(
            "{} read, {} would be decided differently.\n",
            counted(self.read, "message"),
            if self.differing == 0 { "none".to_owned() } else { self.differing.to_string() }
        );
        if let Some(old) = old
            && old.policy.rules.version() == new.policy.rules.version()
        {
            text.push_str("The two sets of rules are the same, letter by letter.\n");
        }
        if !self.changes.is_empty() {
            text.push('\n');
        }
        for label in LABELS {
            let Some(counts) = self.changes.get(label) else { continue };
            let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
            counts.sort_by(|one, two| two.1.cmp(one.1).then(one.0.cmp(two.0)));
            let list: Vec<String> = counts.iter().map(|(what, n)| format!("{n} {what}")).collect();
            text.push_str(&format!("  {:<18}{}\n", name(label), list.join(", ")));
        }
        if self.corrected > 0 {
            text.push_str(&format!(
                "\nStaff corrected {} of them; as corrected were decided {} before, and would be {} now.\n",
                self.corrected, self.corrected_before, self.corrected_after
            ));
        }
        for note in &self.notes {
            text.push_str(&format!("\n{note}\n"));
        }
        if !self.unreached.is_empty() {
            text.push_str("\nNot read:\n");
            for place in &self.unreached {
                text.push_str(&format!("  {}: {}\n", place.place, place.problem));
            }
        }
        text
    }

    fn summary_as_json(&self, new: &Set, old: Option<&Set>) -> Value {
        let unreached: Vec<Value> = self
            .unreached
            .iter()
            .map(|place| json!({ "place": place.place, "problem": place.problem }))
            .collect();
        json!({
            "read": self.read,
            "different": self.differing,
            "changes": self.changes,
            "corrected": self.corrected,
            "as_corrected_before": self.corrected_before,
            "as_corrected_after": self.corrected_after,
            "rules": new.policy.rules.version(),
            "old_rules": old.map(|old| old.policy.rules.version()),
            "not_read": unreached,
        })
    }
}

/// The order of the summary.
const LABELS: [&str; 12] = [
    "urgency",
    "grounds",
    "queue",
    "area",
    "kind",
    "acknowledge",
    "copied",
    "chaser",
    "signposts",
    "claimed_urgent",
    "refer_leadership",
    "unsure",
];

/// A label as people read it.
fn name(label: &str) -> &str {
    match label {
        "acknowledge" => "acknowledged",
        "claimed_urgent" => "called urgent",
        "refer_leadership" => "leadership",
        other => other,
    }
}

/// What a change adds to the counts.
fn in_counts(change: &Change) -> Vec<String> {
    if !SETS.contains(&change.label) {
        return vec![format!("{} -> {}", shown(&change.before), shown(&change.after))];
    }
    let (before, after): (Vec<&str>, Vec<&str>) =
        (change.before.split(' ').collect(), change.after.split(' ').collect());
    let only = |these: &[&str], those: &[&str], what: &str| {
        let gone = these.iter().filter(|id| !id.is_empty() && !those.contains(id));
        gone.map(|id| format!("{what} {id}")).collect::<Vec<_>>()
    };
    [only(&after, &before, "gained"), only(&before, &after, "lost")].concat()
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

fn as_text(number: u64, differs: &Differs) -> String {
    let received = differs.received_at;
    let mut text = format!(
        "\n{number}. {}{}\n   \"{}\", {} {}, to {}\n",
        differs.reference.as_deref().map(|reference| format!("{reference}, ")).unwrap_or_default(),
        printable(&differs.message),
        printable(&differs.subject),
        london::date(received).format("%a %-d %b %Y"),
        london::time(received).format("%H:%M"),
        differs.mailbox
    );
    for change in &differs.difference.changes {
        let (before, after) = (shown(&change.before), shown(&change.after));
        text.push_str(&format!("     {:<16}{before} -> {after}\n", name(change.label)));
    }
    for (mark, said) in differs
        .difference
        .lost
        .iter()
        .map(|said| ("before", said))
        .chain(differs.difference.gained.iter().map(|said| ("now", said)))
    {
        text.push_str(&finding_as_text(mark, said));
    }
    text
}

/// `now: U4 holds "half days": urgent: Part-time timetable`.
fn finding_as_text(mark: &str, said: &Said) -> String {
    let words = if said.text.is_empty() { String::new() } else { format!(" \"{}\"", printable(&said.text)) };
    let outcome = match said.outcome.as_str() {
        "holds" => " holds",
        "set-aside" => " set aside",
        _ => "",
    };
    let mark = format!("{mark}:");
    format!("     {mark:<8}{}{outcome}{words}\n             {}\n", said.rule, printable(&said.reason))
}

fn as_json(differs: &Differs) -> Value {
    let changes: Map<String, Value> = differs
        .difference
        .changes
        .iter()
        .map(|change| {
            let value = if SETS.contains(&change.label) {
                let list = |ids: &str| -> Vec<String> { ids.split_whitespace().map(str::to_owned).collect() };
                json!({ "before": list(&change.before), "after": list(&change.after) })
            } else {
                json!({ "before": change.before, "after": change.after })
            };
            (change.label.to_owned(), value)
        })
        .collect();
    json!({
        "message": differs.message,
        "reference": differs.reference,
        "subject": differs.subject,
        "received": differs.received_at,
        "mailbox": differs.mailbox,
        "changes": changes,
        "lost": differs.difference.lost,
        "gained": differs.difference.gained,
    })
}

fn counted(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A file that nobody else can open and that is gone when we end: the differences quote people.
fn unnamed_file() -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let folder = std::env::temp_dir();
    for number in 0..100 {
        let path = folder.join(format!(".send-triage-replay-{}-{number}", std::process::id()));
        let made = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name"))
}

fn of_io(error: io::Error) -> CommandError {
    CommandError::Outside(format!(
        "{}: the differences cannot be kept until they are printed: {error}. Make room there, or set TMPDIR.",
        std::env::temp_dir().display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grounds_are_counted_one_by_one() {
        let change =
            |label, before: &str, after: &str| Change { label, before: before.into(), after: after.into() };
        assert_eq!(in_counts(&change("grounds", "U1 U4", "U4 U5")), ["gained U5", "lost U1"]);
        assert_eq!(in_counts(&change("signposts", "", "report")), ["gained report"]);
        assert_eq!(in_counts(&change("queue", "general", "assessment")), ["general -> assessment"]);
    }
}
