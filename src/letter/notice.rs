//! What letters to staff about cases have in common: their envelope, and one case told in one line. A line names nobody and
//! repeats nothing that anybody wrote: reference, dates, team, folder and ground are enough to find it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::Value;
use sha2::{Digest, Sha256};

use super::markup::{self, Block};
use super::wording::{Wording, WordingError};
use super::{AutoSubmitted, Council, Draft, Inline, Letter, Purpose, Sender};
use crate::message::Fingerprint;

/// From whom, to whom, about what.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// The account that writes to staff.
    pub from: &'a Sender,
    /// The member of staff.
    pub to: &'a str,
    /// What it tells of, such as `reminder/2026-11-23`; our Message-ID is made from this and the recipient.
    pub topic: &'a str,
    /// The case's reference; a word for the letter where it is about several.
    pub reference: &'a str,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

impl Notice<'_> {
    /// Writes the letter. The same facts give the same bytes.
    pub(super) fn write(
        &self,
        purpose: Purpose,
        subject: &str,
        blocks: Vec<Block>,
    ) -> Result<Letter, WordingError> {
        let html = markup::page(subject, &markup::to_html(&blocks));
        self.write_with(purpose, subject, markup::to_text(&blocks), html, &[])
    }

    /// The same from both texts, with pictures.
    pub(super) fn write_with(
        &self,
        purpose: Purpose,
        subject: &str,
        text: String,
        html: String,
        pictures: &[Inline],
    ) -> Result<Letter, WordingError> {
        let about = Fingerprint(Sha256::digest(format!("{}\n{}", self.topic, self.to)).into());
        let from = self.from;
        Draft {
            purpose,
            about: &about,
            from,
            // Not the null path: a letter to staff that bounces must be noticed.
            envelope_from: Some(from.envelope_from.clone().unwrap_or_else(|| from.address.clone())),
            to: self.to,
            sent_at: self.sent_at,
            auto_submitted: AutoSubmitted::Generated,
            in_reply_to: None,
            references: &[],
            reference: self.reference,
            due_on: None,
            subject,
            text,
            html,
            pictures,
        }
        .finish()
    }
}

/// One case in a letter to staff.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseLine {
    /// Its reference.
    pub reference: String,
    /// A call-back that the Customer Service Centre asked for.
    pub call_back: bool,
    /// Urgent.
    pub urgent: bool,
    /// The day of receipt.
    pub received_on: NaiveDate,
    /// The last day for the answer.
    pub due_on: Option<NaiveDate>,
    /// Staff have named a later day already.
    pub extended: bool,
    /// How many working days that is past; 0: it is not.
    pub late: u32,
    /// Target for a first response, as long as there is none.
    pub first_response_on: Option<NaiveDate>,
    /// The grounds' titles, from the rules.
    pub grounds: Vec<String>,
    /// The team that has it.
    pub queue: String,
    /// `east`, `west`, `unknown`.
    pub area: String,
    /// The mailbox in which it lies.
    pub mailbox: String,
    /// The folder in which it lies.
    pub folder: String,
    /// How often the sender asked again.
    pub chasers: u32,
    /// The step of the escalation, 1 to 4.
    pub step: u8,
    /// That step's target.
    pub step_due_on: Option<NaiveDate>,
    /// Since when its message is found in none of our folders.
    pub missing_on: Option<NaiveDate>,
    /// A person should look at the decision.
    pub unsure: bool,
}

/// What `case-line.txt` may name, beside the council's own fields.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("reference", "the case's reference, such as SEND-7K4M-2Q9X"),
    ("call_back", "yes or no: a call-back that the Customer Service Centre asked for"),
    ("urgent", "yes or no: it is urgent"),
    ("received", "the day on which it arrived, such as Mon 23 Nov 2026"),
    ("due", "the last day for the answer; empty if there is none"),
    ("extended", "yes or no: staff have named a later day than the first"),
    ("late", "how many working days that day is past; 0 if it is not"),
    ("first_response", "the day for a first response, as long as nobody has responded; else empty"),
    ("grounds", "what it is about, by the titles of the rules; may be empty"),
    ("queue", "the team that has it"),
    ("area", "east, west or unknown"),
    ("mailbox", "the mailbox in which it lies"),
    ("folder", "the folder in which it lies"),
    ("chasers", "how often the sender has asked again; 0 if never"),
    ("step", "the step of the escalation, 1 to 4"),
    ("step_due", "that step's day; empty at step 1"),
    ("missing", "since which day its message is in none of our folders; empty if it is where it belongs"),
    ("unsure", "yes or no: a person should look at the decision"),
];

/// `Mon 23 Nov 2026`.
pub(super) fn short_date(on: NaiveDate) -> String {
    on.format("%a %-d %b %Y").to_string()
}

/// Each case in one line, in the words of `case-line.txt`.
pub(super) fn lines(
    cases: &[CaseLine],
    council: &Council,
    wording: &Wording,
) -> Result<Vec<String>, WordingError> {
    cases.iter().map(|case| line(case, council, wording)).collect()
}

fn line(case: &CaseLine, council: &Council, wording: &Wording) -> Result<String, WordingError> {
    let maybe = |on: Option<NaiveDate>| Value::from(on.map(short_date).unwrap_or_default());
    let mut fields: BTreeMap<&'static str, Value> =
        council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    fields.extend([
        ("reference", Value::from(case.reference.as_str())),
        ("call_back", Value::from(case.call_back)),
        ("urgent", Value::from(case.urgent)),
        ("received", Value::from(short_date(case.received_on))),
        ("due", maybe(case.due_on)),
        ("extended", Value::from(case.extended)),
        ("late", Value::from(case.late)),
        ("first_response", maybe(case.first_response_on)),
        ("grounds", Value::from(case.grounds.join("; "))),
        ("queue", Value::from(case.queue.as_str())),
        ("area", Value::from(case.area.as_str())),
        ("mailbox", Value::from(case.mailbox.as_str())),
        ("folder", Value::from(case.folder.as_str())),
        ("chasers", Value::from(case.chasers)),
        ("step", Value::from(case.step)),
        ("step_due", maybe(case.step_due_on)),
        ("missing", maybe(case.missing_on)),
        ("unsure", Value::from(case.unsure)),
    ]);
    // However the file is broken into lines, it is one in the letter.
    let whole = wording.render("case-line.txt", &fields)?;
    let joined = whole.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok([" ,", " .", " ;"].iter().fold(joined, |line, sign| line.replace(sign, sign.trim_start())))
}
