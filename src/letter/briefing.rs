//! What the SEND Resolution Team is told of a case that comes to it: the sender's cases, whether the escalation protocol was
//! followed, and which step comes next. The policy has the team look these up by hand.
//!
//! Policy, process where escalations are made without following the protocol. Whether it was followed is not judged here.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minijinja::Value;

use super::acknowledgement::long_date;
use super::markup;
use super::notice::Notice;
use super::wording::{Wording, WordingError};
use super::{Council, Letter, Purpose};

/// What a briefing says.
#[derive(Debug, Clone)]
pub struct BriefingFacts<'a> {
    /// From whom, to whom.
    pub notice: Notice<'a>,
    /// The day of receipt.
    pub received_on: NaiveDate,
    /// The last day for the answer.
    pub due_on: Option<NaiveDate>,
    /// The policy's 48 hours, as a day.
    pub first_response_on: Option<NaiveDate>,
    /// It is urgent.
    pub urgent: bool,
    /// What it is about, by the titles of the rules.
    pub grounds: &'a [String],
    /// `east`, `west`, `unknown`.
    pub area: &'a str,
    /// The mailbox in which it lies.
    pub mailbox: &'a str,
    /// The folder in which it lies.
    pub folder: &'a str,
    /// Whether the protocol was followed, and why that is thought, in a sentence.
    pub protocol: &'a str,
    /// Which step comes next, in a sentence.
    pub next_step: &'a str,
    /// The sender's other cases, a line each, the newest first.
    pub history: &'a [String],
    /// How many more there are.
    pub history_more: usize,
    /// Names, numbers and pages.
    pub council: &'a Council,
}

/// Writes the briefing. The same facts give the same bytes.
pub fn briefing(facts: &BriefingFacts<'_>, wording: &Wording) -> Result<Letter, WordingError> {
    let (subject, body) = words(facts, wording)?;
    facts.notice.write(Purpose::Notice, &subject, markup::parse(&body).0)
}

/// What `briefing.txt` may name, beside the council's own fields.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("reference", "the case's reference"),
    ("received", "the day on which it arrived"),
    ("answer_by", "the last day for the answer; empty if there is none"),
    ("first_response_by", "the day for a first response (48 hours); empty if there is none"),
    ("urgent", "yes or no: it is urgent"),
    ("grounds", "what it is about, by the titles of the rules; may be empty"),
    ("area", "east, west or unknown"),
    ("mailbox", "the mailbox in which it lies"),
    ("folder", "the folder in which it lies"),
    ("protocol", "whether the escalation protocol was followed, in a sentence"),
    ("next_step", "which step comes next, in a sentence"),
    ("history", "the sender's other cases, a line each, the newest first"),
    ("history_more", "how many of them are not listed; 0 if all are"),
];

/// Subject and body, in the markup of the wording files.
pub(super) fn words(facts: &BriefingFacts<'_>, wording: &Wording) -> Result<(String, String), WordingError> {
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    let maybe = |on: Option<NaiveDate>| Value::from(on.map(long_date).unwrap_or_default());
    fields.extend([
        ("reference", Value::from(facts.notice.reference)),
        ("received", Value::from(long_date(facts.received_on))),
        ("answer_by", maybe(facts.due_on)),
        ("first_response_by", maybe(facts.first_response_on)),
        ("urgent", Value::from(facts.urgent)),
        ("grounds", Value::from(facts.grounds.join("; "))),
        ("area", Value::from(facts.area)),
        ("mailbox", Value::from(facts.mailbox)),
        ("folder", Value::from(facts.folder)),
        ("protocol", Value::from(facts.protocol)),
        ("next_step", Value::from(facts.next_step)),
        ("history", Value::from(facts.history.to_vec())),
        ("history_more", Value::from(facts.history_more)),
    ]);
    let whole = wording.render("briefing.txt", &fields)?;
    Ok(wording.subject_and_body("briefing.txt", &whole)?)
}
