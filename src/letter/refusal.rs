//! The notice to whoever keeps the rules: what they changed was refused, and why. No wording of staff's own is used, for that
//! may be what was refused; and nothing of any message is in it.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::wording::WordingError;
use super::{AutoSubmitted, Draft, Letter, Purpose, Sender, markup};
use crate::message::Fingerprint;

/// What the notice says.
#[derive(Debug, Clone)]
pub struct RefusalFacts<'a> {
    /// The account that sends it.
    pub from: &'a Sender,
    /// The address of whoever keeps the rules.
    pub to: &'a str,
    /// How many mistakes there are, in how many files.
    pub summary: &'a str,
    /// All complaints, as `check` prints them.
    pub complaints: &'a str,
    /// The version that stays in force.
    pub in_force: &'a str,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

/// So much of the complaints is mailed; the file beside the database has all.
const LONGEST: usize = 30_000;

/// Writes the notice.
pub fn refusal(facts: &RefusalFacts<'_>) -> Result<Letter, WordingError> {
    let about = Fingerprint(Sha256::digest(format!("{}\n{}", facts.to, facts.complaints)).into());
    let subject = format!("Changed rules were refused: {}", facts.summary);
    let lead = format!(
        "The rules, the wording or the settings of the SEND mailbox program were changed, and the change was refused: {}. \
         Nothing of it is in force. Messages are decided by the last good rules ({}), as before.\n\n\
         Mend what is said below and save. Within seconds it is taken up, or refused anew.",
        facts.summary, facts.in_force
    );
    let cut = facts.complaints.floor_char_boundary(LONGEST.min(facts.complaints.len()));
    let complaints = facts.complaints.get(..cut).unwrap_or_default();
    let more =
        if cut < facts.complaints.len() { "\n... and more; `send-triage check` shows all." } else { "" };
    let html = lead
        .split("\n\n")
        .map(|paragraph| format!("<p>{}</p>", markup::escape(paragraph)))
        .chain([format!(
            "<pre style=\"font-family: Consolas, monospace\">{}{more}</pre>",
            markup::escape(complaints)
        )])
        .collect::<String>();
    Draft {
        purpose: Purpose::Refusal,
        about: &about,
        from: facts.from,
        envelope_from: Some(facts.from.envelope_from.clone().unwrap_or_else(|| facts.from.address.clone())),
        to: facts.to,
        sent_at: facts.sent_at,
        auto_submitted: AutoSubmitted::Generated,
        in_reply_to: None,
        references: &[],
        reference: "rules",
        due_on: None,
        subject: &subject,
        text: format!("{lead}\n\n{complaints}{more}\n"),
        html: markup::page(&subject, &html),
        pictures: &[],
    }
    .finish()
}
