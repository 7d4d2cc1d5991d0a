//! How far each mailbox has been read, and the ledger: every UID has exactly one outcome. Not the messages themselves.
//!
//! RFC 9051 section 2.3.1.1 (UIDVALIDITY). Mail was lost elsewhere because a watermark
//! moved past UIDs that nobody had stored.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::Records;
use super::error::{Fault, RecordError};
use super::value::At;

/// How far a mailbox has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxState {
    /// The account.
    pub account: String,
    /// The folder.
    pub folder: String,
    /// The UIDVALIDITY that `last_uid` belongs to.
    pub uid_validity: u32,
    /// Every UID up to this one has its outcome.
    pub last_uid: u32,
    /// Nothing received before this is acknowledged.
    pub taken_into_use_at: DateTime<Utc>,
    /// When its server last answered.
    pub last_seen_at: DateTime<Utc>,
}

impl MailboxState {
    /// Whether the record was made anew and this folder has not been looked at since: `rebuild` leaves 0, which no server
    /// gives (RFC 9051 section 2.3.1.1: a UIDVALIDITY is not zero).
    pub fn is_rebuilt(&self) -> bool {
        self.uid_validity == 0
    }
}

/// What became of every UID of a mailbox, since its UIDs last changed their meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxLedger {
    /// The account.
    pub account: String,
    /// The folder.
    pub folder: String,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// The ledger begins above this UID.
    pub starts_after_uid: u32,
    /// And reaches up to this one.
    pub last_uid: u32,
    /// When its server last answered.
    pub last_seen_at: DateTime<Utc>,
    /// UIDs that were seen: the sum of the five below.
    pub seen: u64,
    /// Triaged.
    pub decided: u64,
    /// Copies of known messages.
    pub copies: u64,
    /// Our own letters.
    pub own_letters: u64,
    /// Set aside for a person.
    pub set_aside: u64,
    /// Left alone.
    pub left_alone: u64,
    /// UIDs that the server no longer had when they were looked for.
    pub absent: u64,
    /// UIDs without an outcome, first and last of each run. There should be none.
    pub gaps: Vec<(u32, u32)>,
}

/// A mailbox as the transactions need it.
pub(super) struct OpenMailbox {
    pub(super) id: i64,
    pub(super) epoch: i64,
    pub(super) state: MailboxState,
}

impl Records {
    /// How far this mailbox has been read; `None`: it was never taken into use.
    pub fn mailbox(&self, account: &str, folder: &str) -> Result<Option<MailboxState>, RecordError> {
        self.read(|connection| Ok(find(connection, account, folder)?.map(|mailbox| mailbox.state)))
    }

    /// Takes a mailbox into use: what lies at or below `starting_after_uid` is not looked at, and nothing received before
    /// `at` is ever acknowledged. A mailbox that is in use already stays as it is.
    pub fn take_into_use(
        &self,
        account: &str,
        folder: &str,
        uid_validity: u32,
        starting_after_uid: u32,
        at: DateTime<Utc>,
    ) -> Result<MailboxState, RecordError> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO mailboxes (account, folder, epoch, uid_validity, starts_after_uid, last_uid,
                     taken_into_use_at, last_seen_at)
                 VALUES (?1, ?2, 1, ?3, ?4, ?4, ?5, ?5)
                 ON CONFLICT (account, folder) DO NOTHING",
                params![account, folder, uid_validity, starting_after_uid, At(at)],
            )?;
            Ok(find_in_use(tx, account, folder)?.state)
        })
    }

    /// UIDs have lost their meaning: UIDVALIDITY changed, or UIDNEXT went back. Everything is looked at anew; known messages
    /// are recognised by their fingerprint, and what was still to be filed waits until its message is found again, here or where it
    /// was to be filed ([`Which::Adrift`](super::Which::Adrift)).
    pub fn resynchronise(
        &self,
        account: &str,
        folder: &str,
        new_uid_validity: u32,
        at: DateTime<Utc>,
    ) -> Result<(), RecordError> {
        self.write(|tx| {
            let mailbox = find_in_use(tx, account, folder)?;
            tx.execute(
                "UPDATE mailboxes SET epoch = epoch + 1, uid_validity = ?2, starts_after_uid = 0, last_uid = 0,
                     last_seen_at = ?3
                 WHERE id = ?1",
                params![mailbox.id, new_uid_validity, At(at)],
            )?;
            tx.execute(
                "UPDATE effects SET state = 'adrift'
                 WHERE desk = 'mailbox/' || ?1",
                params![mailbox.id],
            )?;
            tx.execute(
                "INSERT INTO events (happened_at, actor, what, detail)
                 VALUES (?1, 'send-triage', 'mailbox-resynchronised',
                     json_object('account', ?2, 'folder', ?3, 'uid_validity_was', ?4, 'uid_validity', ?5, 'last_uid_was', ?6))",
                params![
                    At(at),
                    account,
                    folder,
                    mailbox.state.uid_validity,
                    new_uid_validity,
                    mailbox.state.last_uid
                ],
            )?;
            Ok(())
        })
    }

    /// The mailbox's server has just answered.
    pub fn seen_alive(&self, account: &str, folder: &str, at: DateTime<Utc>) -> Result<(), RecordError> {
        self.write(|tx| {
            let mut statement = tx.prepare_cached(
                "UPDATE mailboxes SET last_seen_at = max(last_seen_at, ?3) WHERE account = ?1 AND folder = ?2",
            )?;
            statement.execute(params![account, folder, At(at)])?;
            Ok(())
        })
    }

    /// What became of every UID of every mailbox.
    pub fn ledger(&self) -> Result<Vec<MailboxLedger>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT id, epoch, account, folder, uid_validity, last_uid, taken_into_use_at, last_seen_at
                 FROM mailboxes
                 ORDER BY account, folder",
            )?;
            let mailboxes = statement.query_map([], open_mailbox)?.collect::<rusqlite::Result<Vec<_>>>()?;
            mailboxes.iter().map(|mailbox| ledger(connection, mailbox)).collect()
        })
    }
}

pub(super) fn find(
    connection: &Connection,
    account: &str,
    folder: &str,
) -> rusqlite::Result<Option<OpenMailbox>> {
    connection
        .prepare_cached(
            "SELECT id, epoch, account, folder, uid_validity, last_uid, taken_into_use_at, last_seen_at
             FROM mailboxes
             WHERE account = ?1 AND folder = ?2",
        )?
        .query_row(params![account, folder], open_mailbox)
        .optional()
}

pub(super) fn find_in_use(
    connection: &Connection,
    account: &str,
    folder: &str,
) -> Result<OpenMailbox, Fault> {
    let missing = || RecordError::NotInUse { account: account.to_owned(), folder: folder.to_owned() };
    Ok(find(connection, account, folder)?.ok_or_else(missing)?)
}

fn open_mailbox(row: &Row<'_>) -> rusqlite::Result<OpenMailbox> {
    Ok(OpenMailbox {
        id: row.get("id")?,
        epoch: row.get("epoch")?,
        state: MailboxState {
            account: row.get("account")?,
            folder: row.get("folder")?,
            uid_validity: row.get("uid_validity")?,
            last_uid: row.get("last_uid")?,
            taken_into_use_at: row.get::<_, At>("taken_into_use_at")?.0,
            last_seen_at: row.get::<_, At>("last_seen_at")?.0,
        },
    })
}

/// Advances the cursor, and writes down as absent what lies between its old and new place and has no outcome. Never goes back.
pub(super) fn advance(
    tx: &Transaction<'_>,
    mailbox: &OpenMailbox,
    up_to: u32,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let mut present = tx.prepare_cached(
        "SELECT uid FROM locations
         WHERE mailbox_id = ?1 AND epoch = ?2 AND uid > ?3 AND uid <= ?4
         ORDER BY uid",
    )?;
    let mut absent = tx.prepare_cached(
        "INSERT INTO absences (mailbox_id, epoch, first_uid, last_uid) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut next = mailbox.state.last_uid.saturating_add(1);
    let uids = present
        .query_map(params![mailbox.id, mailbox.epoch, mailbox.state.last_uid, up_to], |row| {
            row.get::<_, u32>(0)
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for uid in uids {
        if uid > next {
            absent.execute(params![mailbox.id, mailbox.epoch, next, uid - 1])?;
        }
        next = uid.saturating_add(1);
    }
    if up_to >= next {
        absent.execute(params![mailbox.id, mailbox.epoch, next, up_to])?;
    }
    tx.prepare_cached(
        "UPDATE mailboxes SET last_uid = max(last_uid, ?2), last_seen_at = max(last_seen_at, ?3) WHERE id = ?1",
    )?
    .execute(params![mailbox.id, up_to, At(at)])?;
    Ok(())
}

/// A UID that was thought absent has turned up after all: its row of `absences` is cut in two.
pub(super) fn not_absent(tx: &Transaction<'_>, mailbox: &OpenMailbox, uid: u32) -> rusqlite::Result<()> {
    let run: Option<(u32, u32)> = tx
        .prepare_cached(
            "DELETE FROM absences
             WHERE mailbox_id = ?1 AND epoch = ?2 AND first_uid <= ?3 AND last_uid >= ?3
             RETURNING first_uid, last_uid",
        )?
        .query_row(params![mailbox.id, mailbox.epoch, uid], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((first, last)) = run else { return Ok(()) };
    let mut insert = tx.prepare_cached(
        "INSERT INTO absences (mailbox_id, epoch, first_uid, last_uid) VALUES (?1, ?2, ?3, ?4)",
    )?;
    if first < uid {
        insert.execute(params![mailbox.id, mailbox.epoch, first, uid - 1])?;
    }
    if last > uid {
        insert.execute(params![mailbox.id, mailbox.epoch, uid + 1, last])?;
    }
    Ok(())
}

/// The ledger of one mailbox; `None`: it was never taken into use.
pub(super) fn ledger_of(
    connection: &Connection,
    account: &str,
    folder: &str,
) -> Result<Option<MailboxLedger>, Fault> {
    find(connection, account, folder)?.map(|mailbox| ledger(connection, &mailbox)).transpose()
}

fn ledger(connection: &Connection, mailbox: &OpenMailbox) -> Result<MailboxLedger, Fault> {
    let key = params![mailbox.id, mailbox.epoch];
    let starts_after_uid = connection
        .prepare_cached("SELECT starts_after_uid FROM mailboxes WHERE id = ?1 AND epoch = ?2")?
        .query_row(key, |row| row.get(0))?;
    let mut ledger = MailboxLedger {
        account: mailbox.state.account.clone(),
        folder: mailbox.state.folder.clone(),
        uid_validity: mailbox.state.uid_validity,
        starts_after_uid,
        last_uid: mailbox.state.last_uid,
        last_seen_at: mailbox.state.last_seen_at,
        seen: 0,
        decided: 0,
        copies: 0,
        own_letters: 0,
        set_aside: 0,
        left_alone: 0,
        absent: 0,
        gaps: Vec::new(),
    };
    let mut runs = connection.prepare_cached(
        "SELECT uid AS first_uid, uid AS last_uid, outcome FROM locations WHERE mailbox_id = ?1 AND epoch = ?2
         UNION ALL
         SELECT first_uid, last_uid, 'absent' FROM absences WHERE mailbox_id = ?1 AND epoch = ?2
         ORDER BY first_uid",
    )?;
    let mut rows = runs.query(key)?;
    let mut next = ledger.starts_after_uid.saturating_add(1);
    while let Some(row) = rows.next()? {
        let (first, last): (u32, u32) = (row.get(0)?, row.get(1)?);
        let count = match row.get_ref(2)?.as_str().unwrap_or_default() {
            "decided" => &mut ledger.decided,
            "copy" => &mut ledger.copies,
            "own-letter" => &mut ledger.own_letters,
            "set-aside" => &mut ledger.set_aside,
            "left-alone" => &mut ledger.left_alone,
            _ => &mut ledger.absent,
        };
        *count += u64::from(last - first) + 1;
        if first > next {
            ledger.gaps.push((next, first - 1));
        }
        next = next.max(last.saturating_add(1));
    }
    if next <= ledger.last_uid {
        ledger.gaps.push((next, ledger.last_uid));
    }
    ledger.seen = ledger.decided + ledger.copies + ledger.own_letters + ledger.set_aside + ledger.left_alone;
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{EnteredAs, EntryOutcome, RecordError, Which};

    #[test]
    fn a_mailbox_is_taken_into_use_once() {
        let sample = Sample::new();
        assert!(sample.records.mailbox("general", "Urgent").unwrap().is_none());
        sample.records.take_into_use("general", "Urgent", 7, 5000, at(10)).unwrap();
        let again = sample.records.take_into_use("general", "Urgent", 9, 1, at(20)).unwrap();
        assert_eq!((again.uid_validity, again.last_uid, again.taken_into_use_at), (7, 5000, at(10)));
        sample.records.seen_alive("general", "Urgent", at(99)).unwrap();
        assert_eq!(sample.records.mailbox("general", "Urgent").unwrap().unwrap().last_seen_at, at(99));
    }

    #[test]
    fn every_uid_has_one_outcome_and_a_gap_is_found() {
        let sample = Sample::new();
        let mut batch = sample.batch(vec![sample.letter_writer(3), sample.letter_writer(7)]);
        batch.entries.push(sample.with(8, EntryOutcome::OwnLetter));
        batch.entries.push(sample.with(9, EntryOutcome::LeftAlone { reason: "old".into() }));
        batch.up_to = 12;
        sample.records.enter(&batch).unwrap();
        let ledger = &sample.records.ledger().unwrap()[0];
        assert_eq!((ledger.seen, ledger.decided, ledger.own_letters, ledger.left_alone), (4, 2, 1, 1));
        // 1 and 2, 4 to 6, 10 to 12: gone before they were looked for.
        assert_eq!((ledger.absent, ledger.gaps.as_slice()), (8, [].as_slice()));

        // One of them turns up after all.
        assert!(matches!(sample.enter_one(5).what, EnteredAs::New { .. }));
        let ledger = &sample.records.ledger().unwrap()[0];
        assert_eq!((ledger.seen, ledger.absent, ledger.last_uid), (5, 7, 12));

        sample.sql("DELETE FROM absences WHERE first_uid = 10");
        assert_eq!(sample.records.ledger().unwrap()[0].gaps, [(10, 12)]);
    }

    #[test]
    fn what_does_not_fit_the_cursor_is_not_entered() {
        let sample = Sample::new();
        let mut other = sample.batch(vec![sample.letter_writer(1)]);
        other.uid_validity = 2;
        let mut beyond = sample.batch(vec![sample.letter_writer(5)]);
        beyond.up_to = 4;
        let mut elsewhere = sample.batch(vec![sample.letter_writer(1)]);
        elsewhere.entries[0].at.folder = "Other".into();
        for batch in [other, beyond, elsewhere] {
            assert!(matches!(sample.records.enter(&batch), Err(RecordError::Stale { .. })));
        }
        let mut unknown = sample.batch(Vec::new());
        unknown.folder = "Other".into();
        assert!(matches!(sample.records.enter(&unknown), Err(RecordError::NotInUse { .. })));
        assert_eq!(sample.records.ledger().unwrap()[0].seen, 0);
    }

    #[test]
    fn a_new_uid_validity_acknowledges_nothing_twice_and_files_by_the_new_uid() {
        let sample = Sample::new();
        for uid in [4, 5] {
            sample.enter_one(uid);
        }
        let inbox = || Which::Mailbox { account: "general".into(), folder: "INBOX".into() };
        let due = || sample.records.due_effects(inbox(), at(1000), 10).unwrap();
        assert_eq!(due().len(), 2);
        sample.records.resynchronise("general", "INBOX", 2, at(60)).unwrap();
        assert!(due().is_empty(), "the old UIDs may be other messages now");

        // The server numbers anew: what was UID 5 is UID 1 now; what was UID 4 is gone; UID 2 is new.
        let mut known = sample.letter_writer(5);
        (known.at.uid, known.at.uid_validity) = (1, 2);
        let mut new = sample.letter_writer(6);
        (new.at.uid, new.at.uid_validity) = (2, 2);
        let mut batch = sample.batch(vec![known, new]);
        (batch.uid_validity, batch.up_to) = (2, 2);
        let entered = sample.records.enter(&batch).unwrap();
        assert!(matches!(entered[0].what, EnteredAs::Copy { .. }));
        assert!(matches!(entered[1].what, EnteredAs::New { .. }));
        assert_eq!(sample.count("letters WHERE kind = 'acknowledge'"), 3);
        let filed: Vec<_> =
            due().into_iter().filter_map(|due| due.at).map(|at| (at.uid_validity, at.uid)).collect();
        assert_eq!(filed, [(2, 1), (2, 2)]);

        let adrift = || {
            let which = Which::Adrift { account: "general".into(), folder: "INBOX".into() };
            sample.records.due_effects(which, at(1000), 10).unwrap()
        };
        let [not_met] = &adrift()[..] else { panic!("UID 4 was not met again") };
        sample.records.try_again(not_met.id, "no answer", at(70), at(69)).unwrap();
        assert_eq!(adrift().len(), 1, "by its old UID nothing is filed, however often it is tried");
        assert!(due().iter().all(|due| due.id != not_met.id));
        sample.records.gone(not_met.id, at(70)).unwrap();
        assert!(adrift().is_empty());
        assert_eq!(sample.count("attempts WHERE outcome = 'gone'"), 1);
        let ledger = &sample.records.ledger().unwrap()[0];
        assert_eq!((ledger.uid_validity, ledger.seen, ledger.copies, ledger.gaps.len()), (2, 2, 1, 0));
    }

    #[test]
    fn filing_that_was_stuck_is_not_tried_again_by_a_uid_that_may_be_another_message() {
        let sample = Sample::new();
        sample.enter_one(1);
        let inbox = || Which::Mailbox { account: "general".into(), folder: "INBOX".into() };
        let id = sample.records.due_effects(inbox(), at(5), 1).unwrap()[0].id;
        sample.records.ask_a_person(id, "no right to make the folder", at(5)).unwrap();
        sample.records.resynchronise("general", "INBOX", 1, at(6)).unwrap();
        sample.records.try_again(id, "the right was given", at(7), at(7)).unwrap();
        assert!(sample.records.due_effects(inbox(), at(9), 9).unwrap().is_empty());
        sample.enter_one(1);
        assert_eq!(sample.records.due_effects(inbox(), at(9), 9).unwrap().len(), 1);
    }

    #[test]
    fn a_uidnext_that_went_back_is_a_new_epoch_with_the_same_uid_validity() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.records.resynchronise("general", "INBOX", 1, at(60)).unwrap();
        let mut other = sample.letter_writer(9);
        other.at.uid = 1;
        let entered = sample.records.enter(&sample.batch(vec![other])).unwrap();
        assert!(matches!(entered[0].what, EnteredAs::New { .. }), "UID 1 is another message now");
        assert_eq!(sample.count("cases"), 2);
    }
}
