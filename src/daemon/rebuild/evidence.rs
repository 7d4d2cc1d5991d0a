//! What our own letters in Sent say of the messages that they acknowledged: which message, which case, which day. Only what
//! lies in Sent is believed; anybody can write such headers, and only staff can put something there.
//!
//! A letter's Message-ID is made from the message it answers, a case's reference from the message that opened it
//! (`letter::message_id`, `case::Reference`): so both can be told again with nothing but the mail.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use crate::case::Reference;
use crate::letter::{self, Purpose};
use crate::message::{Fingerprint, Message};
use crate::record::OldLetter;

/// How many times a reference may have been made anew because another case had it: as often as the half of the fingerprint
/// that stands in a Message-ID allows.
const MOST_SALTS: u8 = 12;

/// One of our letters.
#[derive(Clone)]
pub struct OurLetter {
    /// What the record keeps of it.
    pub letter: OldLetter,
    /// What it is for.
    pub purpose: Purpose,
    /// The case that it names.
    pub reference: Option<Reference>,
    /// The day that it names.
    pub due_on: Option<NaiveDate>,
    /// The Message-ID that it answers.
    pub answers: Option<String>,
    /// The first half of the fingerprint of what it is about.
    about: String,
}

impl OurLetter {
    /// The letter in this message of a Sent folder; `None`: it is none of ours.
    pub fn read(message: &Message, account: &str, sent_at: DateTime<Utc>) -> Option<Self> {
        let message_id = message.message_id.clone()?;
        let purpose = letter::purpose_of(&message_id)?;
        let about = message_id.split_once('@')?.0.split_once('.')?.1.to_owned();
        let reference = message.header("X-Send-Triage-Reference")?.trim();
        if reference.is_empty() {
            return None;
        }
        let letter = OldLetter {
            account: account.to_owned(),
            message_id,
            recipient: message.to.first().map(|to| to.address.clone()).unwrap_or_default(),
            sent_at,
        };
        Some(Self {
            letter,
            purpose,
            reference: looks_like_one(reference).then(|| Reference::from_record(reference.to_owned())),
            due_on: message.header("X-Send-Triage-Due").and_then(|on| on.trim().parse().ok()),
            answers: message.in_reply_to.first().cloned(),
            about,
        })
    }

    /// Whether the message that it answers opened the case that it names.
    pub fn is_about_the_opening(&self) -> bool {
        let mut fingerprint = Fingerprint::default();
        for (n, byte) in fingerprint.0.iter_mut().take(16).enumerate() {
            let hex = self.about.get(2 * n..2 * n + 2).unwrap_or_default();
            *byte = u8::from_str_radix(hex, 16).unwrap_or_default();
        }
        let made = |salt| Some(Reference::of(&fingerprint, salt)) == self.reference;
        self.reference.is_some() && (0..MOST_SALTS).any(made)
    }
}

fn looks_like_one(reference: &str) -> bool {
    reference.len() == 14
        && reference.starts_with("SEND-")
        && reference.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
}

/// All of them, by what they are about.
#[derive(Default)]
pub struct Evidence {
    /// Acknowledgements, by the first half of the fingerprint of what they answer.
    acknowledgements: BTreeMap<String, OurLetter>,
    by_answered: HashMap<String, String>,
    /// Alerts, notices and the like, by Message-ID.
    others: BTreeMap<String, OurLetter>,
    /// When each account's first and last letter was sent.
    alive: BTreeMap<String, (DateTime<Utc>, DateTime<Utc>)>,
}

impl Evidence {
    /// One more letter. The same one may lie in two folders; the earlier time is that of its sending.
    pub fn add(&mut self, found: OurLetter) {
        let at = found.letter.sent_at;
        let alive = self.alive.entry(found.letter.account.clone()).or_insert((at, at));
        *alive = (alive.0.min(at), alive.1.max(at));
        let (list, key) = match found.purpose {
            Purpose::Acknowledgement => {
                if let Some(answered) = &found.answers {
                    self.by_answered.insert(answered.clone(), found.about.clone());
                }
                (&mut self.acknowledgements, found.about.clone())
            }
            _ => (&mut self.others, found.letter.message_id.clone()),
        };
        match list.get_mut(&key) {
            Some(known) => known.letter.sent_at = known.letter.sent_at.min(at),
            None => {
                list.insert(key, found);
            }
        }
    }

    /// The acknowledgement of this message. A server may have changed the message since; then its Message-ID tells.
    pub fn of(&self, message: &Message) -> Option<&OurLetter> {
        let hex: String = message.fingerprint.to_string().chars().take(32).collect();
        let by_id = || message.message_id.as_ref().and_then(|id| self.by_answered.get(id));
        self.acknowledgements.get(&hex).or_else(|| self.acknowledgements.get(by_id()?))
    }

    /// Every acknowledgement.
    pub fn acknowledgements(&self) -> impl Iterator<Item = &OurLetter> {
        self.acknowledgements.values()
    }

    /// Every other letter.
    pub fn others(&self) -> impl Iterator<Item = &OurLetter> {
        self.others.values()
    }

    /// When the account's first letter was sent; `None`: none was ever.
    pub fn first_of(&self, account: &str) -> Option<DateTime<Utc>> {
        self.alive.get(account).map(|alive| alive.0)
    }

    /// When its last one was.
    pub fn last_of(&self, account: &str) -> Option<DateTime<Utc>> {
        self.alive.get(account).map(|alive| alive.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(about: &Fingerprint, reference: &str) -> Option<OurLetter> {
        let id = letter::message_id(Purpose::Acknowledgement, about, "send@council.example");
        let raw = format!(
            "From: send@council.example\r\nTo: Parent <p@home.example>\r\nMessage-ID: <{id}>\r\nIn-Reply-To: <q@home.example>\r\nX-Send-Triage-Reference: {reference}\r\nX-Send-Triage-Due: 2027-01-14\r\n\r\nHello\r\n"
        );
        OurLetter::read(&crate::message::parse(raw.as_bytes(), raw.len()), "general", DateTime::UNIX_EPOCH)
    }

    #[test]
    fn an_acknowledgement_tells_its_message_its_case_and_its_day() {
        let about = Fingerprint([0x5a; 32]);
        let reference = Reference::of(&about, 0);
        let found = letter(&about, reference.as_str()).unwrap();
        assert_eq!(found.due_on, "2027-01-14".parse().ok());
        assert_eq!(
            (found.letter.recipient.as_str(), found.answers.as_deref()),
            ("p@home.example", Some("q@home.example"))
        );
        assert!(found.is_about_the_opening());
        let mut bytes = [0u8; 32];
        (0u8..).zip(&mut bytes).for_each(|(n, byte)| *byte = n.wrapping_mul(37));
        let about = Fingerprint(bytes);
        assert!(
            letter(&about, Reference::of(&about, 3).as_str()).unwrap().is_about_the_opening(),
            "second choice"
        );
        assert!(
            !letter(&about, reference.as_str()).unwrap().is_about_the_opening(),
            "it joined another's case"
        );

        let mut evidence = Evidence::default();
        evidence.add(found);
        let question = |text: &str| crate::message::parse(text.as_bytes(), text.len());
        assert!(evidence.of(&question("Message-ID: <q@home.example>\r\n\r\nHello")).is_some());
        assert!(evidence.of(&question("Message-ID: <other@home.example>\r\n\r\nHello")).is_none());
    }

    #[test]
    fn what_is_no_letter_of_ours_says_nothing() {
        let about = Fingerprint([1; 32]);
        assert!(letter(&about, "").is_none());
        assert!(letter(&about, "<script>").unwrap().reference.is_none());
        let raw =
            b"Message-ID: <ack.1@x.example>\r\nX-Send-Triage-Reference: SEND-7K4M-2Q9X\r\n\r\nHello\r\n";
        let message = crate::message::parse(raw, raw.len());
        assert!(OurLetter::read(&message, "general", DateTime::UNIX_EPOCH).is_none());
    }
}
