//! Word to the sender that another team has the email now (policy, email e). It names a team of the configuration and never a
//! person. Whether and when it is sent is not its business.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use minijinja::Value;
use sha2::{Digest, Sha256};

use super::wording::{Wording, WordingError};
use super::{AutoSubmitted, Council, Draft, Letter, Purpose, Sender, markup};
use crate::message::Fingerprint;

/// What it says.
#[derive(Debug, Clone)]
pub struct PassedOnFacts<'a> {
    /// The case's reference.
    pub reference: &'a str,
    /// What it tells of, such as `passed-on/7/transport`; our Message-ID is made from this.
    pub topic: &'a str,
    /// The mailbox that the email came to.
    pub from: &'a Sender,
    /// Who wrote it.
    pub to: &'a str,
    /// The email's Message-ID.
    pub in_reply_to: Option<&'a str>,
    /// The team that has it now, in words.
    pub team: &'a str,
    /// Names, numbers and pages.
    pub council: &'a Council,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

/// Writes the letter. The same facts give the same bytes.
pub fn passed_on(facts: &PassedOnFacts<'_>, wording: &Wording) -> Result<Letter, WordingError> {
    let (subject, body) = words(facts, wording)?;
    let (blocks, _) = markup::parse(&body);
    let html = markup::page(&subject, &markup::to_html(&blocks));
    Draft {
        purpose: Purpose::PassedOn,
        about: &Fingerprint(Sha256::digest(format!("{}\n{}", facts.topic, facts.to)).into()),
        from: facts.from,
        envelope_from: facts.from.envelope_from.clone(),
        to: facts.to,
        sent_at: facts.sent_at,
        auto_submitted: AutoSubmitted::Replied,
        in_reply_to: facts.in_reply_to,
        references: &[],
        reference: facts.reference,
        due_on: None,
        subject: &subject,
        text: markup::to_text(&blocks),
        html,
        pictures: &[],
    }
    .finish()
}

/// What the text may name, beside the council's own fields.
pub(super) const FIELDS: &[(&str, &str)] =
    &[("reference", "the case's reference"), ("team", "the name of the team that has the email now")];

/// Subject and body, in the markup of the wording files.
pub(super) fn words(facts: &PassedOnFacts<'_>, wording: &Wording) -> Result<(String, String), WordingError> {
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    fields.extend([("reference", Value::from(facts.reference)), ("team", Value::from(facts.team))]);
    let whole = wording.render("passed-on.txt", &fields)?;
    Ok(wording.subject_and_body("passed-on.txt", &whole)?)
}
