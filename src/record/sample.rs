//! A record in a temporary folder, and messages to put into it. For tests only.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rusqlite::Connection;
use serde_json::json;

use super::{
    Batch, CasePart, Entered, Entry, EntryOutcome, Opening, Participant, ParticipantRole, Records,
    StoredDecision, StoredDue, Which,
};
use crate::case::{Matter, Reference, Step};
use crate::effect::{Destination, Effect};
use crate::letter::Letter;
use crate::message::{Fingerprint, MessageRef};

/// So many seconds after the start of a Thursday.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_605) + TimeDelta::seconds(seconds)
}

pub(super) struct Sample {
    pub(super) records: Records,
    folder: tempfile::TempDir,
}

/// A sample whose record is closed.
pub(super) struct Closed(tempfile::TempDir);

impl Closed {
    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("record.db")
    }

    pub(super) fn open(self) -> Sample {
        Sample { records: Records::open(&self.path()).unwrap(), folder: self.0 }
    }
}

impl Sample {
    /// A record with one mailbox: general/INBOX, UIDVALIDITY 1, read up to 0.
    pub(super) fn new() -> Self {
        let sample = Closed(tempfile::tempdir().unwrap()).open();
        sample.records.take_into_use("general", "INBOX", 1, 0, at(0)).unwrap();
        sample
    }

    pub(super) fn path(&self) -> PathBuf {
        self.records.path().to_owned()
    }

    pub(super) fn close(self) -> Closed {
        Closed(self.folder)
    }

    /// A message by a parent, to be acknowledged and filed.
    pub(super) fn letter_writer(&self, uid: u32) -> Entry {
        let mut fingerprint = Fingerprint::default();
        for (n, chunk) in (0u8..).zip(fingerprint.0.chunks_mut(4)) {
            chunk.copy_from_slice(&uid.wrapping_mul(2_654_435_761).rotate_left(u32::from(n)).to_be_bytes());
        }
        let reference = Reference::of(&fingerprint, 0);
        let day = NaiveDate::from_ymd_opt(2026, 6, 4).unwrap();
        let decision = StoredDecision {
            kind: "person".into(),
            urgency: if uid.is_multiple_of(2) { "urgent" } else { "standard" }.into(),
            grounds: vec!["U4".into()],
            queue: "general".into(),
            area: "east".into(),
            chaser: "none".into(),
            signposts: vec!["report".into()],
            rules_version: "9f2c".into(),
            trace: json!([{ "rule": "U4", "policy": "contact-process, urgent list, item 4",
                "text": "part-time timetable", "outcome": "holds", "reason": "a part-time timetable" }]),
            ..StoredDecision::default()
        };
        let due = StoredDue {
            day_zero: day,
            due_on: day + TimeDelta::days(14 + i64::from(uid % 10)),
            first_response_on: None,
            skipped: vec![(day + TimeDelta::days(2), "Saturday".into())],
        };
        let letter = Letter {
            message_id: format!("ack-{uid}@council.example"),
            envelope_from: None,
            envelope_to: format!("Parent-{uid}@home.example"),
            raw: format!("Subject: We have your email\r\n\r\nA very private letter, number {uid}.\r\n")
                .into(),
        };
        let to = Destination { account: "general".into(), folder: "Triage/East".into() };
        let effects = vec![
            Effect::Acknowledge { account: "general".into(), letter },
            Effect::File { to, flagged: false },
        ];
        Entry {
            at: MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity: 1, uid },
            received_at: at(i64::from(uid)),
            size_bytes: 4321,
            fingerprint: Some(fingerprint),
            message_id: Some(format!("question-{uid}@home.example")),
            in_reply_to: vec!["earlier@home.example".into()],
            references: vec!["first@home.example".into(), "earlier@home.example".into()],
            sender: Some(format!("Parent-{uid}@home.example")),
            sender_domain: Some("home.example".into()),
            subject: format!("My son's timetable, {uid}"),
            words: None,
            participants: vec![
                Participant { role: ParticipantRole::From, address: format!("Parent-{uid}@home.example") },
                Participant { role: ParticipantRole::To, address: "send@council.example".into() },
            ],
            outcome: EntryOutcome::Decided {
                decision: Box::new(decision),
                case: CasePart::Opens(Box::new(Opening {
                    reference,
                    due,
                    matter: Matter::Question,
                    step: Step::Coordinator,
                    step_due_on: None,
                    links: Vec::new(),
                })),
                effects,
            },
        }
    }

    pub(super) fn with(&self, uid: u32, outcome: EntryOutcome) -> Entry {
        Entry { outcome, ..self.letter_writer(uid) }
    }

    pub(super) fn batch(&self, entries: Vec<Entry>) -> Batch {
        let up_to = entries.iter().map(|entry| entry.at.uid).max().unwrap_or_default();
        Batch {
            account: "general".into(),
            folder: "INBOX".into(),
            uid_validity: 1,
            up_to,
            at: at(1),
            entries,
        }
    }

    pub(super) fn enter_one(&self, uid: u32) -> Entered {
        self.records.enter(&self.batch(vec![self.letter_writer(uid)])).unwrap().remove(0)
    }

    /// Hands over all letters that are due; the server takes them and keeps a copy by itself.
    pub(super) fn send_all(&self, now: DateTime<Utc>) {
        for due in self.records.due_effects(Which::Letters { account: "general".into() }, now, 1000).unwrap()
        {
            self.records.committing(due.id, now).unwrap();
            self.records.done(due.id, now, &[]).unwrap();
        }
    }

    /// The name of the case with this number.
    pub(super) fn reference_of(&self, case: i64) -> String {
        let sql = "SELECT reference FROM cases WHERE id = ?1";
        self.records.connection.query_row(sql, [case], |row| row.get(0)).unwrap()
    }

    /// How many rows `table` (or `table WHERE ...`) has.
    pub(super) fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.records.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// Changes the file behind the record's back.
    pub(super) fn sql(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }

    /// What SQLite says of how it would answer.
    pub(super) fn plan(&self, sql: &str) -> String {
        let mut statement = self.records.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let none = vec![rusqlite::types::Null; statement.parameter_count()];
        let steps =
            statement.query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }
}
