//! What making the record anew from the mailboxes needs of it: a file beside it to work in, room for messages whose place in
//! the ledger is lost, letters that were sent before, and the moment when the new file takes the old one's place. What is
//! found in the mailboxes, and what it means, is `daemon/rebuild/`'s to say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::json;

use super::enter::add_event;
use super::error::{Fault, RecordError};
use super::lock::DaemonLock;
use super::settle::{Step, settle};
use super::value::{At, Json};
use super::{Records, beside};
use crate::effect::Destination;

/// A letter of ours that lies in a Sent folder. `Debug` is not derived: it names somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct OldLetter {
    /// The account that sent it.
    pub account: String,
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// Whom it was written to.
    pub recipient: String,
    /// When.
    pub sent_at: DateTime<Utc>,
}

/// What a rebuilding starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// There was no record.
    Nothing,
    /// The record that is there, such as a backup that was put in its place: it is completed.
    Record,
    /// A record that cannot be read any more, and why; it is kept, and a new one made.
    Damaged(String),
}

impl Records {
    /// Opens the file in which a rebuilding works, beside the record that it will replace: a copy of that, or an empty one
    /// if there is none, it is damaged, or nothing of it is wanted (`anew`).
    pub fn open_beside(lock: &DaemonLock, anew: bool) -> Result<(Self, Basis), RecordError> {
        let record = lock.record();
        let side = beside(record, ".rebuild");
        remove(&side)?;
        let is_empty = record.metadata().is_ok_and(|about| about.len() == 0);
        let mut basis = Basis::Nothing;
        if !anew && !is_empty {
            let copied = Self::open(record).and_then(|old| {
                old.integrity()?;
                old.backup(&side, true)
            });
            basis = match copied {
                Ok(_) => Basis::Record,
                Err(
                    error @ (RecordError::Corrupt { .. }
                    | RecordError::NotOurs { .. }
                    | RecordError::Mistake { .. }),
                ) => {
                    remove(&side)?;
                    Basis::Damaged(error.to_string())
                }
                Err(error) => return Err(error),
            };
        }
        Ok((Self::open(&side)?, basis))
    }

    /// Puts the rebuilt file into the record's place, at once and whole. What was there is kept under another name, which is
    /// returned. The lock must be held from before the file was opened.
    pub fn take_its_place(
        self,
        lock: &DaemonLock,
        now: DateTime<Utc>,
    ) -> Result<Option<PathBuf>, RecordError> {
        let (side, record) = (self.path.clone(), lock.record());
        self.tidy()?;
        self.integrity()?;
        drop(self); // The last connection: its log goes into the file.
        let of_io = |error: std::io::Error| RecordError::of_io(record, &error);
        let is_empty = record.metadata().map(|about| about.len() == 0).unwrap_or(true);
        let kept = beside(record, &format!(".before-rebuild-{}", now.format("%Y%m%dT%H%M%SZ")));
        // A log that stays behind would be taken for the new file's.
        for name in ["-wal", "-shm"] {
            let log = beside(record, name);
            if log.exists() {
                fs::rename(&log, beside(&kept, name)).map_err(of_io)?;
            }
        }
        if !is_empty {
            // At no moment is there no record: the old one is under both names until the new one takes its place.
            if fs::hard_link(record, &kept).is_err() {
                fs::copy(record, &kept).map_err(of_io)?;
            }
        }
        File::open(&side).and_then(|file| file.sync_all()).map_err(of_io)?;
        fs::rename(&side, record).map_err(of_io)?;
        let folder =
            record.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(of_io)?;
        Ok((!is_empty).then_some(kept))
    }

    /// Lets go of the file in which a rebuilding worked.
    pub fn discard(self) -> Result<(), RecordError> {
        let path = self.path.clone();
        drop(self);
        remove(&path)
    }

    /// Makes room: the ledger of each of these folders begins anew, in an epoch whose UIDs no server gave. UIDVALIDITY is 0
    /// there, so that the first look at the server begins another.
    pub fn begin_rebuild(&self, folders: &[(String, String)]) -> Result<(), RecordError> {
        self.write(|tx| {
            for (account, folder) in folders {
                begin_epoch(tx, account, folder)?;
            }
            Ok(())
        })
    }

    /// An acknowledgement of this message was found in Sent. One that was still to be sent has been; one that the record
    /// does not know is written down. Returns whether it was news.
    pub fn remember_acknowledgement(&self, message: i64, letter: &OldLetter) -> Result<bool, RecordError> {
        self.write(|tx| {
            let known: Option<(i64, String)> = tx
                .prepare_cached(
                    "SELECT e.id, e.state FROM effects e JOIN letters l ON l.id = e.letter_id
                     WHERE l.answers = ?1 AND e.kind = 'acknowledge'",
                )?
                .query_row([message], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            if let Some((effect, state)) = known {
                if state == "done" {
                    return Ok(false);
                }
                settle(tx, effect, letter.sent_at, &Step::DONE)?;
                return Ok(true);
            }
            tx.prepare_cached("UPDATE decisions SET withheld = NULL WHERE message_id = ?1")?.execute([message])?;
            let kept = insert_letter(tx, "acknowledge", Some(message), None, letter)?;
            tx.prepare_cached(
                "INSERT INTO effects (kind, message_id, account, letter_id, payload, state, not_before, attempts,
                     planned_at, done_at)
                 VALUES ('acknowledge', ?1, ?2, ?3, '{}', 'done', ?4, 1, ?4, ?4)",
            )?
            .execute(params![message, letter.account, kept, At(letter.sent_at)])?;
            let case: Option<i64> = tx
                .prepare_cached("SELECT case_id FROM case_messages WHERE message_id = ?1")?
                .query_row([message], |row| row.get(0))
                .optional()?;
            add_event(tx, letter.sent_at, "acknowledged", case, Some(message), &json!({ "found": "in Sent" }))?;
            Ok(true)
        })
    }

    /// Another letter of ours, so that it is known again wherever it is met.
    pub fn remember_letter(&self, letter: &OldLetter) -> Result<(), RecordError> {
        self.write(|tx| {
            let known: bool = tx
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM letters WHERE message_id = ?1)")?
                .query_row([&letter.message_id], |row| row.get(0))?;
            if !known {
                let topic = format!("before-rebuild/{}", letter.message_id);
                insert_letter(tx, "notice", None, Some(&topic), letter)?;
            }
            Ok(())
        })
    }

    /// The message lies in this folder of ours, filed there before. What was still to be done for that is done.
    pub fn lies_in(&self, message: i64, place: &Destination, at: DateTime<Utc>) -> Result<(), RecordError> {
        self.write(|tx| {
            tx.prepare_cached(
                "UPDATE effects SET state = 'done', done_at = ?2
                 WHERE message_id = ?1 AND kind = 'file' AND state IN ('pending', 'adrift')",
            )?
            .execute(params![message, At(at)])?;
            let known: bool = tx
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM effects WHERE message_id = ?1 AND kind = 'file' AND state = 'done')",
                )?
                .query_row([message], |row| row.get(0))?;
            if known {
                return Ok(());
            }
            let location: Option<(i64, i64)> = tx
                .prepare_cached("SELECT id, mailbox_id FROM locations WHERE message_id = ?1 ORDER BY id DESC LIMIT 1")?
                .query_row([message], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((location, mailbox)) = location else { return Ok(()) };
            let payload = json!({ "to": place, "flagged": false });
            tx.prepare_cached(
                "INSERT INTO effects (kind, message_id, account, location_id, mailbox_id, payload, state, not_before,
                     attempts, planned_at, done_at)
                 VALUES ('file', ?1, ?2, ?3, ?4, ?5, 'done', ?6, 1, ?6, ?6)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![message, place.account, location, mailbox, Json(payload), At(at)])?;
            tx.prepare_cached("UPDATE locations SET left_at = ?2 WHERE id = ?1")?
                .execute(params![location, At(at)])?;
            Ok(())
        })
    }

    /// The number of the case with this reference.
    pub fn case_of(&self, reference: &str) -> Result<Option<i64>, RecordError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT id FROM cases WHERE reference = ?1")?;
            Ok(find.query_row([reference], |row| row.get(0)).optional()?)
        })
    }

    /// The rebuilding is complete. The folders are looked at from the beginning when the daemon starts: what is known is
    /// recognised, what is not is new mail. `in_use_since` says for each account from when on mail was acknowledged.
    pub fn finish_rebuild(
        &self,
        folders: &[(String, String)],
        in_use_since: &BTreeMap<String, DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), RecordError> {
        self.write(|tx| {
            for (account, folder) in folders {
                let since = in_use_since.get(account).copied().unwrap_or(now);
                tx.execute(
                    "UPDATE mailboxes SET taken_into_use_at = ?3
                     WHERE account = ?1 AND folder = ?2 AND taken_into_use_at = 0",
                    params![account, folder, At(since)],
                )?;
                begin_epoch(tx, account, folder)?;
            }
            add_event(tx, now, "rebuilt", None, None, &json!({ "folders": folders.len() }))?;
            Ok(())
        })
    }
}

fn begin_epoch(tx: &Transaction<'_>, account: &str, folder: &str) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO mailboxes (account, folder, epoch, uid_validity, starts_after_uid, last_uid, taken_into_use_at,
             last_seen_at)
         VALUES (?1, ?2, 0, 0, 0, 0, 0, 0)
         ON CONFLICT (account, folder) DO NOTHING",
        params![account, folder],
    )?;
    tx.execute(
        "UPDATE mailboxes SET epoch = epoch + 1, uid_validity = 0, starts_after_uid = 0, last_uid = 0
         WHERE account = ?1 AND folder = ?2",
        params![account, folder],
    )?;
    tx.execute(
        "UPDATE effects SET state = 'adrift'
         WHERE desk = 'mailbox/' || (SELECT id FROM mailboxes WHERE account = ?1 AND folder = ?2)",
        params![account, folder],
    )?;
    Ok(())
}

fn insert_letter(
    tx: &Transaction<'_>,
    kind: &str,
    answers: Option<i64>,
    topic: Option<&str>,
    letter: &OldLetter,
) -> Result<i64, Fault> {
    let recipient = letter.recipient.to_lowercase();
    let domain = recipient.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    Ok(tx
        .prepare_cached(
            "INSERT INTO letters (kind, answers, topic, message_id, envelope_to, recipient, recipient_domain,
                 planned_at, sent_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        )?
        .insert(params![
            kind,
            answers,
            topic,
            letter.message_id,
            letter.recipient,
            recipient,
            domain,
            At(letter.sent_at)
        ])?)
}

/// Removes a record's file and its companions, where they are.
fn remove(path: &Path) -> Result<(), RecordError> {
    for name in ["", "-wal", "-shm", ".part"] {
        let file = beside(path, name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(RecordError::of_io(&file, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, Which};
    use super::*;

    fn lock(sample: &Sample) -> DaemonLock {
        sample.records.lock_for_daemon().unwrap()
    }

    fn names(sample: &Sample) -> Vec<String> {
        let folder = sample.path().parent().unwrap().to_owned();
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_record_is_completed_in_a_copy_that_then_takes_its_place() {
        let sample = Sample::new();
        sample.enter_one(1);
        let lock = lock(&sample);
        let (side, basis) = Records::open_beside(&lock, false).unwrap();
        assert_eq!(basis, Basis::Record);
        side.begin_rebuild(&[("general".into(), "INBOX".into())]).unwrap();
        let mut batch = sample.batch(vec![sample.letter_writer(2)]);
        batch.entries[0].at.uid_validity = 0;
        batch.uid_validity = 0;
        side.enter(&batch).unwrap();
        assert_eq!(sample.records.cases(&CaseFilter::default()).unwrap().len(), 1, "the record is untouched");
        let kept = side.take_its_place(&lock, at(9)).unwrap().unwrap();
        let after = Records::open(lock.record()).unwrap();
        assert_eq!(after.cases(&CaseFilter::default()).unwrap().len(), 2);
        assert_eq!(Records::open_read_only(&kept).unwrap().cases(&CaseFilter::default()).unwrap().len(), 1);
        assert!(!names(&sample).iter().any(|name| name.ends_with(".rebuild")), "{:?}", names(&sample));
    }

    #[test]
    fn a_damaged_record_is_kept_and_a_new_one_made() {
        let sample = Sample::new();
        sample.enter_one(1);
        let closed = sample.close();
        let bytes = vec![7u8; 40_000];
        fs::write(closed.path(), &bytes).unwrap();
        let lock = DaemonLock::take(&closed.path()).unwrap();
        let (side, basis) = Records::open_beside(&lock, false).unwrap();
        assert!(matches!(basis, Basis::Damaged(_)), "{basis:?}");
        let kept = side.take_its_place(&lock, at(9)).unwrap().unwrap();
        assert_eq!(fs::read(kept).unwrap(), bytes);
        assert!(Records::open(lock.record()).unwrap().cases(&CaseFilter::default()).unwrap().is_empty());
    }

    #[test]
    fn an_acknowledgement_found_in_sent_is_not_sent_again() {
        let sample = Sample::new();
        let message = match sample.enter_one(1).what {
            super::super::EnteredAs::New { message, .. } => message,
            other => panic!("{other:?}"),
        };
        let letter = OldLetter {
            account: "general".into(),
            message_id: "ack-1@council.example".into(),
            recipient: "Parent-1@home.example".into(),
            sent_at: at(5),
        };
        let due =
            || sample.records.due_effects(Which::Letters { account: "general".into() }, at(9), 9).unwrap();
        assert_eq!(due().len(), 1);
        assert!(sample.records.remember_acknowledgement(message, &letter).unwrap());
        assert!(due().is_empty());
        assert!(!sample.records.remember_acknowledgement(message, &letter).unwrap());
        sample.records.remember_letter(&letter).unwrap();
        assert_eq!(sample.count("letters"), 1);
    }
}
