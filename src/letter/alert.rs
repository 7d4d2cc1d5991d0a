//! The alert to duty staff about urgent mail, and the one letter that gathers those of a night. They name nobody and repeat
//! nothing: they may be read on a locked screen. When they are sent is not their business (policy, email f).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::Value;

use super::acknowledgement::long_date;
use super::notice::{CaseLine, Notice, lines};
use super::wording::{Wording, WordingError};
use super::{AutoSubmitted, Council, Draft, Letter, Purpose, Sender, markup};
use crate::calendar::london;
use crate::case::Reference;
use crate::message::Fingerprint;

/// What an alert says.
#[derive(Debug, Clone)]
pub struct AlertFacts<'a> {
    /// The case's reference.
    pub reference: &'a Reference,
    /// The urgent message; our Message-ID is made from it.
    pub about: &'a Fingerprint,
    /// The mailbox that it arrived in, as sender of the alert.
    pub from: &'a Sender,
    /// The duty staff's address.
    pub to: &'a str,
    /// The grounds' titles, from the rules.
    pub grounds: &'a [String],
    /// The mailbox in which it lies.
    pub mailbox: &'a str,
    /// The folder in which it lies.
    pub folder: &'a str,
    /// The team that gets it, in words.
    pub queue: &'a str,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// When the answer is due, if one is owed.
    pub due_on: Option<NaiveDate>,
    /// Names, numbers and pages.
    pub council: &'a Council,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

/// Writes the alert. The same facts give the same bytes.
pub fn alert(facts: &AlertFacts<'_>, wording: &Wording) -> Result<Letter, WordingError> {
    let (subject, body) = words(facts, wording)?;
    let (blocks, _) = markup::parse(&body);
    let html = markup::page(&subject, &markup::to_html(&blocks));
    Draft {
        purpose: Purpose::Alert,
        about: facts.about,
        from: facts.from,
        // Not the null path: an alert that bounces must be noticed. The bounce comes to the watched mailbox, where it is
        // recorded as one and not answered.
        envelope_from: Some(facts.from.envelope_from.clone().unwrap_or_else(|| facts.from.address.clone())),
        to: facts.to,
        sent_at: facts.sent_at,
        auto_submitted: AutoSubmitted::Generated,
        in_reply_to: None,
        references: &[],
        reference: facts.reference.as_str(),
        due_on: facts.due_on,
        subject: &subject,
        text: markup::to_text(&blocks),
        html,
        pictures: &[],
    }
    .finish()
}

/// What the text may name, beside the council's own fields.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("reference", "the case's reference"),
    (
        "grounds",
        "the list of the urgent grounds that hold: {% for ground in grounds %}- {{ ground }}{% endfor %}",
    ),
    ("mailbox", "the mailbox in which the email lies"),
    ("folder", "the folder in which it lies"),
    ("queue", "the team that gets it"),
    ("received_at", "day and time of receipt, in London"),
    ("answer_by", "the last day for the answer; empty if none is owed"),
];

/// Subject and body, in the markup of the wording files.
pub(super) fn words(facts: &AlertFacts<'_>, wording: &Wording) -> Result<(String, String), WordingError> {
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    let received_at = format!(
        "{}, {}",
        long_date(london::date(facts.received_at)),
        london::time(facts.received_at).format("%H:%M")
    );
    fields.extend([
        ("reference", Value::from(facts.reference.as_str())),
        ("grounds", Value::from(facts.grounds.to_vec())),
        ("mailbox", Value::from(facts.mailbox)),
        ("folder", Value::from(facts.folder)),
        ("queue", Value::from(facts.queue)),
        ("received_at", Value::from(received_at)),
        ("answer_by", Value::from(facts.due_on.map(long_date).unwrap_or_default())),
    ]);
    let whole = wording.render("alert.txt", &fields)?;
    Ok(wording.subject_and_body("alert.txt", &whole)?)
}

/// What the letter says that gathers the urgent emails of a night, a weekend or a holiday.
#[derive(Debug, Clone)]
pub struct GatheredFacts<'a> {
    /// From whom, to whom.
    pub notice: Notice<'a>,
    /// The urgent cases, the oldest first.
    pub cases: &'a [CaseLine],
    /// Names, numbers and pages.
    pub council: &'a Council,
}

/// Writes it. The same facts give the same bytes.
pub fn gathered(facts: &GatheredFacts<'_>, wording: &Wording) -> Result<Letter, WordingError> {
    let (subject, body) = gathered_words(facts, wording)?;
    facts.notice.write(Purpose::Alert, &subject, markup::parse(&body).0)
}

/// What `alerts-gathered.txt` may name, beside the council's own fields.
pub(super) const GATHERED_FIELDS: &[(&str, &str)] =
    &[("cases", "the urgent cases, each a line made by case-line.txt"), ("count", "how many there are")];

pub(super) fn gathered_words(
    facts: &GatheredFacts<'_>,
    wording: &Wording,
) -> Result<(String, String), WordingError> {
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    fields.insert("cases", Value::from(lines(facts.cases, facts.council, wording)?));
    fields.insert("count", Value::from(facts.cases.len()));
    let whole = wording.render("alerts-gathered.txt", &fields)?;
    Ok(wording.subject_and_body("alerts-gathered.txt", &whole)?)
}
