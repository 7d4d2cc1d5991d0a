//! The referral of abusive or threatening mail to SEND leadership (policy, email h): which case, why, and where it lies.
//!
//! It carries what the sender wrote only where the operator wants that; then as it is, and never read as markup. The sender's
//! own acknowledgement is none of its business: it is the ordinary one.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::Value;

use super::acknowledgement::long_date;
use super::markup::{self, Block};
use super::notice::Notice;
use super::wording::{Wording, WordingError};
use super::{Council, Letter, Purpose};
use crate::calendar::london;

/// What a referral says.
#[derive(Debug, Clone)]
pub struct ReferralFacts<'a> {
    /// From whom, to whom.
    pub notice: Notice<'a>,
    /// The case's reference; empty where the team was only copied in.
    pub reference: &'a str,
    /// The rules that hold: title, and the policy's clause.
    pub reasons: &'a [(String, String)],
    /// The mailbox in which it lies.
    pub mailbox: &'a str,
    /// The folder in which it lies.
    pub folder: &'a str,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// When the answer is due, if one is owed.
    pub due_on: Option<NaiveDate>,
    /// What the sender wrote now, where it is to be carried.
    pub text: Option<&'a str>,
    /// Names, numbers and pages.
    pub council: &'a Council,
}

/// So much of a text is carried, in bytes; the message itself has all.
const LONGEST: usize = 20_000;

/// Writes the referral. The same facts give the same bytes.
pub fn referral(facts: &ReferralFacts<'_>, wording: &Wording) -> Result<Letter, WordingError> {
    let (subject, body) = words(facts, wording)?;
    let (mut blocks, _) = markup::parse(&body);
    if let Some(text) = facts.text {
        blocks.push(Block::Verbatim(as_it_is(text)));
    }
    facts.notice.write(Purpose::Notice, &subject, blocks)
}

/// Without what could hide or turn round other words; cut where it is too long.
fn as_it_is(text: &str) -> String {
    let cut = text.floor_char_boundary(LONGEST.min(text.len()));
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: &char| *c == '\n' || *c == '\t' || !(c.is_control() || turns(*c));
    let mut shown: String = text.get(..cut).unwrap_or_default().trim().chars().filter(plain).collect();
    if cut < text.len() {
        shown.push_str("\n[...]");
    }
    shown
}

/// What `referral.txt` may name, beside the council's own fields.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("reference", "the case's reference; empty where the team was only copied in"),
    ("reasons", "the rules that hold; each has title and policy"),
    ("mailbox", "the mailbox in which the email lies"),
    ("folder", "the folder in which it lies"),
    ("received_at", "day and time of receipt, in London"),
    ("answer_by", "the last day for the answer; empty if none is owed"),
    ("includes_text", "yes or no: what the sender wrote follows at the end of the letter"),
];

/// Subject and body, in the markup of the wording files.
pub(super) fn words(facts: &ReferralFacts<'_>, wording: &Wording) -> Result<(String, String), WordingError> {
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    let received_at = format!(
        "{}, {}",
        long_date(london::date(facts.received_at)),
        london::time(facts.received_at).format("%H:%M")
    );
    let reasons = facts.reasons.iter().map(|(title, policy)| {
        Value::from_pairs([("title", Value::from(title.as_str())), ("policy", Value::from(policy.as_str()))])
    });
    fields.extend([
        ("reference", Value::from(facts.reference)),
        ("reasons", Value::from(reasons.collect::<Vec<_>>())),
        ("mailbox", Value::from(facts.mailbox)),
        ("folder", Value::from(facts.folder)),
        ("received_at", Value::from(received_at)),
        ("answer_by", Value::from(facts.due_on.map(long_date).unwrap_or_default())),
        ("includes_text", Value::from(facts.text.is_some())),
    ]);
    let whole = wording.render("referral.txt", &fields)?;
    Ok(wording.subject_and_body("referral.txt", &whole)?)
}
