//! What the record knows that bears on a message before it is decided. Looks only.
//!
//! RFC 3834 section 2 (limits on answers): our own letters must not be taken for the team's answers.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::Records;
use super::error::{Fault, RecordError};
use super::value::{At, Json};
use crate::case::Reference;
use crate::effect::Destination;
use crate::mailbox::Sought;
use crate::message::{Fingerprint, MessageRef};

/// A message that was entered before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub message: i64,
    /// Its case.
    pub case: Option<(i64, Reference)>,
    /// Where it lies as far as we know. UIDs that have lost their meaning are left out.
    pub locations: Vec<MessageRef>,
    /// Where we filed it, or are about to.
    pub filed_to: Vec<Destination>,
    /// It was set aside, not triaged.
    pub set_aside: bool,
    /// The account and the folder in which it was first met.
    pub first_met_in: (String, String),
    /// INTERNALDATE there.
    pub received_at: DateTime<Utc>,
}

impl Known {
    /// INTERNALDATE of the copy that was met in this folder, if it was the first one.
    pub fn received_here_at(&self, account: &str, folder: &str) -> Option<DateTime<Utc>> {
        let (first_account, first_folder) = &self.first_met_in;
        (first_account == account && first_folder == folder).then_some(self.received_at)
    }
}

/// Acknowledgements, written down or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// To this sender in the last 24 hours.
    pub to_sender_in_a_day: u32,
    /// To this domain in the last hour.
    pub to_domain_in_an_hour: u32,
    /// In all in the last hour.
    pub in_all_in_an_hour: u32,
}

const TO_SENDER: &str = "SELECT count(*) FROM letters
    WHERE kind = 'acknowledge' AND recipient = ?1 AND planned_at > ?2";
const TO_DOMAIN: &str = "SELECT count(*) FROM letters
    WHERE kind = 'acknowledge' AND recipient_domain = ?1 AND planned_at > ?2";
const IN_ALL: &str = "SELECT count(*) FROM letters
    WHERE kind = 'acknowledge' AND planned_at > ?1";
const SOUGHT: &str = "SELECT messages.message_id, messages.sender, messages.received_at, messages.size_bytes,
        coalesce(locations.outcome = 'copy', 0)
    FROM effects
    JOIN messages ON messages.id = effects.message_id
    LEFT JOIN locations ON locations.id = effects.location_id
    WHERE effects.id = ?1";
const OUR_LETTER: &str = "SELECT EXISTS (SELECT 1 FROM letters WHERE message_id = ?1)";
pub(super) const BY_FINGERPRINT: &str = "SELECT id FROM messages WHERE fingerprint = ?1";

impl Records {
    /// By what the message that this effect files is known again in another folder; `None`: there is no such message.
    pub fn sought(&self, effect: i64) -> Result<Option<Sought>, RecordError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(SOUGHT)?;
            let sought = find.query_row([effect], |row| {
                Ok(Sought {
                    message_id: row.get(0)?,
                    sender: row.get(1)?,
                    received_at: row.get::<_, At>(2)?.0,
                    size_bytes: row.get(3)?,
                    is_copy: row.get(4)?,
                })
            });
            Ok(sought.optional()?)
        })
    }

    /// The message with this fingerprint, if it was met before.
    pub fn known(&self, fingerprint: &Fingerprint) -> Result<Option<Known>, RecordError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(BY_FINGERPRINT)?;
            let message: Option<i64> = find.query_row([fingerprint.0], |row| row.get(0)).optional()?;
            message.map(|message| known(connection, message)).transpose()
        })
    }

    /// Whether this Message-ID (without angle brackets) is one of ours.
    pub fn is_our_letter(&self, message_id: &str) -> Result<bool, RecordError> {
        self.read(|connection| {
            Ok(connection.prepare_cached(OUR_LETTER)?.query_row([message_id], |row| row.get(0))?)
        })
    }

    /// Whether no case has this reference yet.
    pub fn reference_is_free(&self, reference: &Reference) -> Result<bool, RecordError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM cases WHERE reference = ?1)")?;
            Ok(statement.query_row([reference.as_str()], |row| row.get(0))?)
        })
    }

    /// How many acknowledgements were written down for this sender, for this domain, and in all. What the batch at hand
    /// is about to add is not in it: the caller counts that.
    pub fn acknowledgements(
        &self,
        sender: &str,
        domain: &str,
        now: DateTime<Utc>,
    ) -> Result<Counts, RecordError> {
        let (day, hour) = (At(now - TimeDelta::days(1)), At(now - TimeDelta::hours(1)));
        self.read(|connection| {
            let count = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
                connection.prepare_cached(sql)?.query_row(params, |row| row.get::<_, u32>(0))
            };
            Ok(Counts {
                to_sender_in_a_day: count(TO_SENDER, &[&sender.to_lowercase(), &day])?,
                to_domain_in_an_hour: count(TO_DOMAIN, &[&domain.to_lowercase(), &hour])?,
                in_all_in_an_hour: count(IN_ALL, &[&hour])?,
            })
        })
    }
}

fn known(connection: &Connection, message: i64) -> Result<Known, Fault> {
    let case = connection
        .prepare_cached(
            "SELECT cases.id, cases.reference FROM case_messages
             JOIN cases ON cases.id = case_messages.case_id
             WHERE case_messages.message_id = ?1",
        )?
        .query_row([message], |row| Ok((row.get(0)?, Reference::from_record(row.get(1)?))))
        .optional()?;
    let mut places = connection.prepare_cached(
        "SELECT account, folder, locations.uid_validity, uid FROM locations
         JOIN mailboxes ON mailboxes.id = locations.mailbox_id AND mailboxes.epoch = locations.epoch
         WHERE locations.message_id = ?1 AND left_at IS NULL
         ORDER BY locations.id",
    )?;
    let locations = places.query_map([message], |row| {
        Ok(MessageRef {
            account: row.get(0)?,
            folder: row.get(1)?,
            uid_validity: row.get(2)?,
            uid: row.get(3)?,
        })
    })?;
    let locations = locations.collect::<rusqlite::Result<_>>()?;
    let mut filings = connection.prepare_cached(
        "SELECT DISTINCT payload ->> '$.to' FROM effects WHERE message_id = ?1 AND kind = 'file' ORDER BY id",
    )?;
    let filed_to = filings.query_map([message], |row| Ok(row.get::<_, Json<Destination>>(0)?.0))?;
    let filed_to = filed_to.collect::<rusqlite::Result<_>>()?;
    let set_aside = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM set_aside WHERE message_id = ?1)")?
        .query_row(params![message], |row| row.get(0))?;
    let (first_met_in, received_at) = connection
        .prepare_cached(
            "SELECT account, folder, received_at FROM messages
             JOIN mailboxes ON mailboxes.id = messages.mailbox_id
             WHERE messages.id = ?1",
        )?
        .query_row([message], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, At>(2)?.0)))?;
    Ok(Known { message, case, locations, filed_to, set_aside, first_met_in, received_at })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::*;

    #[test]
    fn a_known_message_is_recognised_with_its_case_and_places() {
        let sample = Sample::new();
        let entry = sample.letter_writer(1);
        let fingerprint = entry.fingerprint.clone().unwrap();
        assert_eq!(sample.records.known(&fingerprint).unwrap(), None);
        sample.enter_one(1);
        let known = sample.records.known(&fingerprint).unwrap().unwrap();
        assert_eq!(known.locations, [entry.at]);
        assert_eq!(known.filed_to.len(), 1);
        let reference = known.case.unwrap().1;
        assert!(!sample.records.reference_is_free(&reference).unwrap());
        assert!(sample.records.reference_is_free(&Reference::of(&fingerprint, 3)).unwrap());
    }

    #[test]
    fn acknowledgements_are_counted_by_sender_domain_and_hour() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.enter_one(2);
        let count = |sender, now| sample.records.acknowledgements(sender, "HOME.example", at(now)).unwrap();
        let soon = count("Parent-1@Home.example", 60);
        assert_eq!((soon.to_sender_in_a_day, soon.to_domain_in_an_hour, soon.in_all_in_an_hour), (1, 2, 2));
        let later = count("parent-1@home.example", 2 * 3600);
        assert_eq!(
            (later.to_sender_in_a_day, later.to_domain_in_an_hour, later.in_all_in_an_hour),
            (1, 0, 0)
        );
        assert_eq!(count("parent-1@home.example", 25 * 3600).to_sender_in_a_day, 0);
    }

    #[test]
    fn our_letters_are_known_before_they_are_sent_and_ever_after() {
        let sample = Sample::new();
        assert!(!sample.records.is_our_letter("ack-1@council.example").unwrap());
        sample.enter_one(1);
        assert!(sample.records.is_our_letter("ack-1@council.example").unwrap());
        sample.send_all(at(5));
        assert!(sample.records.is_our_letter("ack-1@council.example").unwrap());
    }

    #[test]
    fn the_questions_asked_of_every_message_are_answered_by_an_index() {
        let sample = Sample::new();
        for (sql, index) in [
            (TO_SENDER, "letters_to_recipient"),
            (TO_DOMAIN, "letters_to_domain"),
            (IN_ALL, "letters_by_time"),
            (OUR_LETTER, "letters_by_message_id"),
            (BY_FINGERPRINT, "sqlite_autoindex_messages_1"),
        ] {
            let plan = sample.plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN letters"), "{sql}\n{plan}");
        }
    }
}
