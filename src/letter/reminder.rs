//! The daily letter: what waits for somebody, each case once, where it is worst. Where there is nothing to say it is not
//! written; whether there is, and who gets what, is `daemon/rounds.rs`'s to say.
//!
//! Policy, email d to f; design section 4. No names and no subjects: the letter may be read on a locked screen.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minijinja::Value;

use super::acknowledgement::long_date;
use super::notice::{CaseLine, Notice, lines, short_date};
use super::wording::{Wording, WordingError};
use super::{Council, Letter, Purpose, markup};

/// At most so many of a kind are listed; the others are counted.
pub const AT_MOST: usize = 50;

/// Some of a kind, and how many more there are.
#[derive(Debug, Clone, Default)]
pub struct Listed<T> {
    /// Those that are told, at most [`AT_MOST`].
    pub told: Vec<T>,
    /// How many are not.
    pub more: usize,
}

impl<T> Listed<T> {
    /// The first of these are told, the others counted.
    pub fn of(mut all: Vec<T>) -> Self {
        let more = all.len().saturating_sub(AT_MOST);
        all.truncate(AT_MOST);
        Self { told: all, more }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.told.len() + self.more
    }
}

/// A message that is told of by itself: its acknowledgement was withheld, or it was set aside.
#[derive(Debug, Clone, Default)]
pub struct MessageLine {
    /// Its case; empty: none.
    pub reference: String,
    /// The day of receipt.
    pub received_on: NaiveDate,
    /// Why.
    pub reason: String,
    /// The team that has it; empty: none.
    pub queue: String,
    /// The mailbox in which it lies.
    pub mailbox: String,
    /// The folder in which it lies.
    pub folder: String,
}

/// What the daily letter says.
#[derive(Debug, Clone)]
pub struct ReminderFacts<'a> {
    /// From whom, to whom.
    pub notice: Notice<'a>,
    /// The day.
    pub day: NaiveDate,
    /// The answer is overdue, the longest first.
    pub overdue: Listed<CaseLine>,
    /// Urgent, and nobody has responded.
    pub urgent: Listed<CaseLine>,
    /// Due in so many working days or fewer.
    pub nearing: Listed<CaseLine>,
    /// How many working days that is.
    pub nearing_working_days: u32,
    /// A first response is due.
    pub first_responses: Listed<CaseLine>,
    /// The sender has asked more than once again.
    pub chased: Listed<CaseLine>,
    /// At step 2 of the escalation or above.
    pub escalated: Listed<CaseLine>,
    /// The message is found in none of our folders.
    pub missing: Listed<CaseLine>,
    /// New, and a person should look at the decision.
    pub unsure: Listed<CaseLine>,
    /// People who got no acknowledgement since the last letter.
    pub withheld: Listed<MessageLine>,
    /// How many others got none because the policy asks for none: automatic mail, copies.
    pub automatic: usize,
    /// Messages that could not be read or decided.
    pub set_aside: Listed<MessageLine>,
    /// Names, numbers and pages.
    pub council: &'a Council,
}

impl ReminderFacts<'_> {
    /// The cases by where they stand in the letter.
    fn cases(&self) -> [(&'static str, &'static str, &Listed<CaseLine>); 8] {
        [
            ("overdue", "overdue_more", &self.overdue),
            ("urgent", "urgent_more", &self.urgent),
            ("nearing", "nearing_more", &self.nearing),
            ("first_responses", "first_responses_more", &self.first_responses),
            ("chased", "chased_more", &self.chased),
            ("escalated", "escalated_more", &self.escalated),
            ("missing", "missing_more", &self.missing),
            ("unsure", "unsure_more", &self.unsure),
        ]
    }

    /// How many cases and messages wait for somebody.
    pub fn total(&self) -> usize {
        let cases: usize = self.cases().iter().map(|(_, _, listed)| listed.count()).sum();
        cases + self.withheld.count() + self.set_aside.count()
    }
}

/// Writes the letter. The same facts give the same bytes.
pub fn reminder(facts: &ReminderFacts<'_>, wording: &Wording) -> Result<Letter, WordingError> {
    let (subject, body) = words(facts, wording)?;
    facts.notice.write(Purpose::Notice, &subject, markup::parse(&body).0)
}

/// What `reminder.txt` may name, beside the council's own fields.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("day", "the day, such as Monday 23 November 2026"),
    ("total", "how many cases and messages the letter tells of"),
    ("overdue", "cases whose answer is overdue, the longest first, each a line made by case-line.txt"),
    ("overdue_count", "how many there are"),
    ("overdue_more", "how many of them are not listed; 0 if all are"),
    ("urgent", "urgent cases to which nobody has responded"),
    ("urgent_count", "how many there are"),
    ("urgent_more", "how many of them are not listed"),
    ("nearing", "cases that are nearly due"),
    ("nearing_more", "how many of them are not listed"),
    ("nearing_days", "nearly due is so many working days or fewer"),
    ("first_responses", "cases whose first response is due"),
    ("first_responses_more", "how many of them are not listed"),
    ("chased", "cases whose sender has asked more than once again"),
    ("chased_more", "how many of them are not listed"),
    ("escalated", "cases at step 2 of the escalation or above"),
    ("escalated_more", "how many of them are not listed"),
    ("missing", "cases whose message is in none of our folders"),
    ("missing_more", "how many of them are not listed"),
    ("unsure", "new cases whose decision a person should look at"),
    ("unsure_more", "how many of them are not listed"),
    (
        "withheld",
        "people who got no acknowledgement; each has reference, received, reason, queue, mailbox, folder",
    ),
    ("withheld_more", "how many of them are not listed"),
    ("automatic", "how many other messages got none, for which the policy asks for none"),
    ("set_aside", "messages that could not be read; each has received, reason, mailbox, folder"),
    ("set_aside_more", "how many of them are not listed"),
];

/// Subject and body, in the markup of the wording files.
pub(super) fn words(facts: &ReminderFacts<'_>, wording: &Wording) -> Result<(String, String), WordingError> {
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    for (name, more, listed) in facts.cases() {
        fields.insert(name, Value::from(lines(&listed.told, facts.council, wording)?));
        fields.insert(more, Value::from(listed.more));
    }
    fields.extend([
        ("day", Value::from(long_date(facts.day))),
        ("total", Value::from(facts.total())),
        ("overdue_count", Value::from(facts.overdue.count())),
        ("urgent_count", Value::from(facts.urgent.count())),
        ("nearing_days", Value::from(facts.nearing_working_days)),
        ("withheld", messages(&facts.withheld)),
        ("withheld_more", Value::from(facts.withheld.more)),
        ("automatic", Value::from(facts.automatic)),
        ("set_aside", messages(&facts.set_aside)),
        ("set_aside_more", Value::from(facts.set_aside.more)),
    ]);
    let whole = wording.render("reminder.txt", &fields)?;
    Ok(wording.subject_and_body("reminder.txt", &whole)?)
}

fn messages(listed: &Listed<MessageLine>) -> Value {
    let one = |line: &MessageLine| {
        Value::from_pairs([
            ("reference", Value::from(line.reference.as_str())),
            ("received", Value::from(short_date(line.received_on))),
            ("reason", Value::from(line.reason.as_str())),
            ("queue", Value::from(line.queue.as_str())),
            ("mailbox", Value::from(line.mailbox.as_str())),
            ("folder", Value::from(line.folder.as_str())),
        ])
    };
    Value::from(listed.told.iter().map(one).collect::<Vec<_>>())
}
