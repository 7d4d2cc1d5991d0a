//! Letters about the program itself: to whoever looks after it, that a mailbox cannot be reached or that a secret runs out; and to ourselves, a message
//! that must come round. No wording of staff's own is used, and nothing of any message is in them.

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use super::wording::WordingError;
use super::{AutoSubmitted, Draft, Letter, Purpose, Sender, markup};
use crate::calendar::london;
use crate::message::Fingerprint;

/// What the notice of a stall says.
#[derive(Debug, Clone, Copy)]
pub struct StallFacts<'a> {
    /// The account that sends it.
    pub from: &'a Sender,
    /// Whoever looks after the program.
    pub to: &'a str,
    /// What it tells of; our Message-ID is made from this and the recipient.
    pub topic: &'a str,
    /// The account that cannot be reached.
    pub account: &'a str,
    /// Its folder.
    pub folder: &'a str,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

/// The notice that a watched folder cannot be reached.
pub fn stall(facts: &StallFacts<'_>) -> Result<Letter, WordingError> {
    let StallFacts { account, folder, .. } = facts;
    let (day, time) =
        (london::date(facts.since).format("%A %-d %B %Y"), london::time(facts.since).format("%H:%M"));
    let subject = format!("The mailbox {account} is not being looked after");
    let text = format!(
        "The SEND mailbox program has not reached the folder {folder} of the account {account} since {day} at {time} (London).\n\n\
         What arrives there is not acknowledged, not judged and not filed as long as this lasts. Nothing is lost: it is taken in \
         when the mailbox can be reached again, with the dates of its arrival.\n\n\
         On the machine it runs on, `send-triage doctor` tries each step and says what to do; its log says what the server \
         answered.\n\nThis is said once for each time that it happens."
    );
    write(Purpose::Notice, facts.from, facts.to, facts.topic, facts.sent_at, &subject, text)
}

/// What the notice of a secret or certificate that runs out says.
#[derive(Debug, Clone, Copy)]
pub struct ExpiryFacts<'a> {
    /// The account that sends it.
    pub from: &'a Sender,
    /// Whoever looks after the program.
    pub to: &'a str,
    /// What it tells of; our Message-ID is made from this and the recipient.
    pub topic: &'a str,
    /// What runs out, as part of a sentence.
    pub what: &'a str,
    /// What to do about it.
    pub remedy: &'a str,
    /// The last day on which it serves.
    pub on: NaiveDate,
    /// So many days from now; less than 0: it has ended.
    pub days: i64,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

/// The notice that a secret or certificate runs out.
pub fn expiry(facts: &ExpiryFacts<'_>) -> Result<Letter, WordingError> {
    let what = capital(facts.what);
    let day = facts.on.format("%A %-d %B %Y");
    let when = match facts.days {
        ..0 => format!("ran out on {day}"),
        0 => format!("runs out today, {day}"),
        1 => format!("runs out tomorrow, {day}"),
        days => format!("runs out on {day}, in {days} days"),
    };
    let subject = match facts.days {
        ..0 => "The SEND mailbox program: something has run out".to_owned(),
        0 => "The SEND mailbox program: something runs out today".to_owned(),
        1 => "The SEND mailbox program: something runs out tomorrow".to_owned(),
        days => format!("The SEND mailbox program: something runs out in {days} days"),
    };
    let then = if facts.days < 0 {
        "The program may not reach its mailboxes any more."
    } else {
        "Without a new one, the program will not reach its mailboxes after that day: mail is then not acknowledged, not judged and not \
         filed until it is mended. Nothing is lost meanwhile."
    };
    let text = format!(
        "{what} {when}.\n\n{then}\n\n{}\n\nThis is said 60, 30 and 7 days ahead, and once when it has run out. On the machine that \
         the program runs on, `send-triage doctor` shows how each of them stands.",
        facts.remedy
    );
    write(Purpose::Notice, facts.from, facts.to, facts.topic, facts.sent_at, &subject, text)
}

/// With a capital letter, as a sentence begins.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// What the message to ourselves is made of.
#[derive(Debug, Clone, Copy)]
pub struct CanaryFacts<'a> {
    /// The account that sends it, to its own address.
    pub from: &'a Sender,
    /// `canary/` and its time; our Message-ID is made from this.
    pub topic: &'a str,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

/// The message to ourselves.
pub fn canary(facts: &CanaryFacts<'_>) -> Result<Letter, WordingError> {
    let text = "The SEND mailbox program sends this message to itself, to make sure that mail is sent and delivered.\n\n\
                Nobody needs to do anything. It may be deleted.";
    let subject = "Test message of the SEND mailbox program: nothing to do";
    let to = &facts.from.address;
    write(Purpose::Canary, facts.from, to, facts.topic, facts.sent_at, subject, text.to_owned())
}

/// What the notice of a message that did not come round says.
#[derive(Debug, Clone, Copy)]
pub struct LostFacts<'a> {
    /// The account that sends the notice.
    pub from: &'a Sender,
    /// Whoever looks after the program.
    pub to: &'a str,
    /// What it tells of; our Message-ID is made from this and the recipient.
    pub topic: &'a str,
    /// The account that wrote to itself.
    pub account: &'a str,
    /// When it did.
    pub written_at: DateTime<Utc>,
    /// When the notice is written.
    pub sent_at: DateTime<Utc>,
}

/// The notice that the message to ourselves did not come back.
pub fn lost(facts: &LostFacts<'_>) -> Result<Letter, WordingError> {
    let LostFacts { account, written_at, .. } = *facts;
    let (day, time) =
        (london::date(written_at).format("%A %-d %B %Y"), london::time(written_at).format("%H:%M"));
    let subject = format!("Mail of the mailbox {account} does not come round");
    let text = format!(
        "The SEND mailbox program wrote a message from the account {account} to itself on {day} at {time} (London), to make sure \
         that mail is sent and delivered. It has not come back.\n\n\
         Either what this account sends does not go out, its acknowledgements among it, or what is sent to it does not arrive. \
         What has arrived is not lost.\n\n\
         The mail server's log says, by that time, what became of the message. On the machine that the program runs on, \
         `send-triage doctor` tries each step, and `send-triage cases withheld` says who got no acknowledgement.\n\n\
         This is said once for each message that does not come back."
    );
    write(Purpose::Notice, facts.from, facts.to, facts.topic, facts.sent_at, &subject, text)
}

fn write(
    purpose: Purpose,
    from: &Sender,
    to: &str,
    topic: &str,
    sent_at: DateTime<Utc>,
    subject: &str,
    text: String,
) -> Result<Letter, WordingError> {
    let about = Fingerprint(Sha256::digest(format!("{topic}\n{to}")).into());
    let html: String = text.split("\n\n").map(|words| format!("<p>{}</p>", markup::escape(words))).collect();
    Draft {
        purpose,
        about: &about,
        from,
        envelope_from: Some(from.envelope_from.clone().unwrap_or_else(|| from.address.clone())),
        to,
        sent_at,
        auto_submitted: AutoSubmitted::Generated,
        in_reply_to: None,
        references: &[],
        reference: "program",
        due_on: None,
        subject,
        text: format!("{text}\n"),
        html: markup::page(subject, &html),
        pictures: &[],
    }
    .finish()
}
