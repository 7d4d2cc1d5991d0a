//! What we keep: one SQLite file. It decides nothing and sends nothing; it remembers, and never half.
//!
//! `schema.sql` explains every table and column. Whatever changes the file does so in one IMMEDIATE transaction that is on
//! disk (WAL, synchronous=FULL) before the call returns: a deadline, or the mark that a letter may have been sent, must
//! survive a power cut.

use std::cell::{Cell, OnceCell};
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

mod answers;
mod case_list;
mod cases;
mod corrections;
mod disk;
mod effects;
mod enter;
mod entry;
mod error;
mod export;
mod facts;
mod figures;
mod health;
mod history;
mod known;
mod lock;
mod mailboxes;
mod measure;
mod migrate;
mod moves;
mod person;
mod place;
mod purge;
mod rebuild;
mod rounds;
mod rows;
#[cfg(test)]
mod sample;
mod settle;
mod strikes;
mod tally;
mod threads;
mod transactions;
mod upkeep;
mod value;

pub use answers::ToldOfPassing;
pub use case_list::CaseFilter;
pub use cases::{CaseDetail, DecisionDetail, EventRow, LinkRow, MessageDetail};
pub use corrections::{CorrectionRow, NewCorrection, Recalled};
pub use disk::{Disk, Moment};
pub use effects::{DueEffect, Recovered, Which};
pub use entry::{
    Batch, CasePart, Entered, EnteredAs, Entry, EntryOutcome, Link, Opening, Participant, ParticipantRole,
    Role, StoredDecision, StoredDue,
};
pub use error::RecordError;
pub use facts::{Acted, Deed, NewFact};
pub use health::{InHand, LastCanary};
pub use history::HistoryRow;
pub use known::{Counts, Known};
pub use lock::DaemonLock;
pub use mailboxes::{MailboxLedger, MailboxState};
pub use measure::{Added, AsItStands, CountedTo, ToDo, Waiting};
pub use moves::{LateOpening, OpenedCase, WaitingOpening};
pub use person::Left;
pub use purge::Purged;
pub use rebuild::{Basis, OldLetter};
pub use rounds::{Mark, Round, Seen, Unsent, WaitingCase};
pub use rows::{AttemptRow, CaseRow, EffectRow, LocationRow, MessageRow};
pub use strikes::{MOST_STRIKES, Reading, Strikes};
pub use upkeep::Standing;

use error::Fault;

/// How long a write waits for another program, such as a backup or a command, to finish its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The record: one file, one connection, one thread.
pub struct Records {
    connection: Connection,
    path: PathBuf,
    /// Another disk than the machine's, in tests.
    disk: Option<Disk>,
    /// Since when a daemon works with it.
    at_work_since: Cell<Option<DateTime<Utc>>>,
    /// Which message is being read.
    strikes: OnceCell<Strikes>,
    /// Several reads share one state of the file: [`Records::at_one_moment`].
    at_one_moment: Cell<bool>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Records({})", self.path.display())
    }
}

impl Records {
    /// Opens the record for reading and writing; makes it when there is none, brings it up to date, checks it.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        make_private(path).map_err(|error| RecordError::of_io(path, &error))?;
        let path = path.canonicalize().map_err(|error| RecordError::of_io(path, &error))?;
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let records = Self::of(connection, path);
        records.make_ready().map_err(|fault| fault.at(&records.path))?;
        Ok(records)
    }

    /// Opens the record for a command that changes it. However large it is, it is checked first: of what a daemon found damaged
    /// and stopped at, a command must not write on, or it would be lost with the file.
    pub fn open_to_change(path: &Path) -> Result<Self, RecordError> {
        let records = Self::open(path)?;
        if records.is_large() {
            records.read(|connection| records.check_quickly(connection, true))?;
        }
        Ok(records)
    }

    /// Opens the record for looking at it, also while the daemon runs. It must exist and be up to date.
    pub fn open_read_only(path: &Path) -> Result<Self, RecordError> {
        if !path.exists() {
            return Err(RecordError::NotThere { path: path.to_owned() });
        }
        // SQLite needs to write beside the file to read a WAL; where it may not, a plain read-only connection must do.
        let connection = match connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE) {
            Err(_) => connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
            Ok(connection) => connection,
        };
        let records = Self::of(connection, path.to_owned());
        records.read(|connection| {
            connection.pragma_update(None, "query_only", true)?;
            let path = path.to_owned();
            match migrate::look(connection, &records.path)? {
                migrate::Found::Empty => Err(RecordError::NotThere { path }.into()),
                migrate::Found::Version(found) if found < migrate::current() => {
                    Err(RecordError::Older { path, found, known: migrate::current() }.into())
                }
                migrate::Found::Version(_) => Ok(()),
            }
        })?;
        Ok(records)
    }

    fn of(connection: Connection, path: PathBuf) -> Self {
        let strikes = OnceCell::new();
        let at_one_moment = Cell::default();
        Self { connection, path, disk: None, at_work_since: Cell::new(None), strikes, at_one_moment }
    }

    /// Since when a daemon works with it ([`Records::recover`]); `None`: it is looked at by a command.
    pub fn at_work_since(&self) -> Option<DateTime<Utc>> {
        self.at_work_since.get()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn make_ready(&self) -> Result<(), Fault> {
        let connection = &self.connection;
        let found = migrate::look(connection, &self.path)?;
        for name in ["", "-wal", "-shm"] {
            keep_private(&beside(&self.path, name))
                .map_err(|error| RecordError::of_io(&self.path, &error))?;
        }
        match found {
            migrate::Found::Empty => {}
            // An older file is changed from one end to the other: it is checked first, however long that takes.
            migrate::Found::Version(version) => {
                self.check_quickly(connection, version < migrate::current())?
            }
        }
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is deleted is overwritten: letters and erased people do not linger in free pages.
        connection.pragma_update(None, "secure_delete", true)?;
        // After a backlog the log shrinks to this again.
        connection.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |_| Ok(()))?;
        connection.pragma_update(None, "foreign_keys", false)?;
        migrate::bring_up(connection, &self.path)?;
        Ok(connection.pragma_update(None, "foreign_keys", true)?)
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, RecordError> {
    let connect = || {
        let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // More than there are: taking in one message asks some sixty, and one that was forgotten costs more to read than to run.
        connection.set_prepared_statement_cache_capacity(256);
        // One plan for each statement. Else SQLite plans many of them anew whenever they are asked with another value: a sixth
        // of the work of taking in, for values that are hashes and addresses, of which one is as rare as the other.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    };
    connect().map_err(|error: rusqlite::Error| RecordError::of_sqlite(path, &error))
}

/// Makes the file, for its owner alone, unless it is there.
fn make_private(path: &Path) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => Ok(()),
        Ok(_) => give_to_the_folders_owner(path),
    }
}

/// What an administrator's command makes as root in the service's folder (`rebuild`, or any first command) is the service's:
/// it could not open the file otherwise. SQLite does the same with the files beside the record.
fn give_to_the_folders_owner(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = folder.metadata()?;
    if path.metadata()?.uid() == 0 && owner.uid() != 0 {
        std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

/// Takes everybody else's rights away, where there are any. SQLite gives its own files the rights of the record.
fn keep_private(path: &Path) -> std::io::Result<()> {
    match path.metadata() {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            std::fs::set_permissions(path, Permissions::from_mode(0o600))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::sample::{Sample, at};
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_record_and_its_companions_are_for_the_owner_alone() {
        let sample = Sample::new();
        let _lock = sample.records.lock_for_daemon().unwrap();
        sample.enter_one(1);
        for name in ["", "-wal", "-shm", ".lock"] {
            assert_eq!(mode(&beside(&sample.path(), name)), 0o600, "{name}");
        }

        let sample = sample.close();
        std::fs::set_permissions(sample.path(), Permissions::from_mode(0o644)).unwrap();
        let sample = sample.open();
        assert_eq!(mode(&sample.path()), 0o600);
    }

    #[test]
    fn what_root_makes_in_the_services_folder_is_the_services() {
        let dir = tempfile::tempdir().unwrap();
        let service = 4_711;
        if std::os::unix::fs::chown(dir.path(), Some(service), Some(service)).is_err() {
            // Only root can make such a folder, and only root's files could be another's.
            assert_ne!(dir.path().metadata().unwrap().uid(), 0);
            return;
        }
        let record = dir.path().join("record.sqlite");
        let lock = DaemonLock::take(&record).unwrap();
        let _records = Records::open_locked(&lock).unwrap();
        for name in ["", "-wal", "-shm", ".lock"] {
            assert_eq!(beside(&record, name).metadata().unwrap().uid(), service, "{name}");
        }
    }

    #[test]
    fn commits_are_on_disk_and_foreign_keys_hold() {
        let sample = Sample::new();
        let pragma = |name| {
            sample
                .records
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
        };
        assert_eq!(pragma("synchronous").unwrap(), rusqlite::types::Value::Integer(2));
        assert_eq!(pragma("foreign_keys").unwrap(), rusqlite::types::Value::Integer(1));
        assert_eq!(pragma("secure_delete").unwrap(), rusqlite::types::Value::Integer(1));
        assert_eq!(pragma("journal_mode").unwrap(), rusqlite::types::Value::Text("wal".into()));
    }

    #[test]
    fn what_was_not_committed_is_not_there_after_a_restart() {
        let sample = Sample::new();
        sample.enter_one(1);
        let raw = Connection::open(sample.path()).unwrap();
        raw.execute_batch("BEGIN IMMEDIATE; UPDATE mailboxes SET last_uid = 99; DELETE FROM case_messages")
            .unwrap();
        std::mem::forget(raw); // As a killed process would: neither commit nor rollback.
        let copy = sample.path().with_file_name("after.db");
        for name in ["", "-wal"] {
            std::fs::copy(beside(&sample.path(), name), beside(&copy, name)).unwrap();
        }
        let after = Records::open(&copy).unwrap();
        assert_eq!(after.mailbox("general", "INBOX").unwrap().unwrap().last_uid, 1);
        assert_eq!(after.cases(&CaseFilter::default()).unwrap().len(), 1);
    }

    const VICTIM: &str = "SEND_TRIAGE_TEST_VICTIM";

    /// Not a test of its own: the process that the next test kills.
    #[test]
    #[ignore = "started by a_process_killed_at_any_moment_leaves_whole_batches"]
    fn victim() {
        let Some(path) = std::env::var_os(VICTIM) else { return };
        let records = Records::open(Path::new(&path)).unwrap();
        let _lock = records.lock_for_daemon().unwrap();
        let sample = Sample::new(); // For its messages only.
        let mut next = records.mailbox("general", "INBOX").unwrap().unwrap().last_uid + 1;
        loop {
            let batch = sample.batch((next..next + 5).map(|uid| sample.letter_writer(uid)).collect());
            records.enter(&batch).unwrap();
            for due in records.due_effects(Which::Letters { account: "general".into() }, at(5), 3).unwrap() {
                records.committing(due.id, at(5)).unwrap();
                records.done(due.id, at(5), &[]).unwrap();
            }
            next += 5;
        }
    }

    #[test]
    fn a_process_killed_at_any_moment_leaves_whole_batches() {
        let sample = Sample::new().close();
        let path = sample.path();
        let mut last = 0;
        for kill in 0..6 {
            let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "record::tests::victim", "--ignored"])
                .env(VICTIM, &path)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            // It is seen at work before it is killed.
            let reader = Records::open_read_only(&path).unwrap();
            while reader.mailbox("general", "INBOX").unwrap().unwrap().last_uid < last + 20 + kill {
                assert!(victim.try_wait().unwrap().is_none(), "it ended by itself");
                std::thread::yield_now();
            }
            drop(reader);
            victim.kill().unwrap();
            victim.wait().unwrap();

            let records = Records::open(&path).unwrap();
            let _lock = records.lock_for_daemon().unwrap();
            records.integrity().unwrap();
            last = records.mailbox("general", "INBOX").unwrap().unwrap().last_uid;
            assert_eq!(last % 5, 0);
            let ledger = &records.ledger().unwrap()[0];
            assert_eq!((ledger.decided, ledger.gaps.len()), (u64::from(last), 0));
            assert_eq!(records.standing().unwrap().open_cases, u64::from(last));
            assert!(records.recover(at(9)).unwrap().uncertain <= 1);
            for due in records.due_effects(Which::Account { account: "general".into() }, at(9), 9).unwrap() {
                records.done(due.id, at(9), &[]).unwrap();
            }
        }
    }

    #[test]
    fn a_full_disk_takes_nothing_in_and_mends_by_itself() {
        let sample = Sample::new();
        sample.enter_one(1);
        let connection = &sample.records.connection;
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let limit = |pages: i64| {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        };
        let batch = sample.batch((2..200).map(|uid| sample.letter_writer(uid)).collect());
        // The disk fills up after one more page, after two, ... until there is room for the whole batch.
        let mut failures = 0;
        let entered = loop {
            limit(pages + failures);
            match sample.records.enter(&batch) {
                Ok(entered) => break entered,
                Err(error) => {
                    assert!(matches!(error, RecordError::Full { .. }), "{error}");
                    assert!(error.is_transient() && error.needs_a_person());
                    assert!(error.to_string().contains("no more mail is taken in"), "{error}");
                }
            }
            failures += 1;
            assert_eq!(sample.records.mailbox("general", "INBOX").unwrap().unwrap().last_uid, 1);
            for table in ["messages", "locations", "cases", "letters", "attempts", "events"] {
                assert!(sample.count(table) <= 1, "{table} after {failures} failures");
            }
        };
        assert!(failures > 10, "{failures}");
        assert_eq!(entered.len(), 198);
        assert!(sample.records.ledger().unwrap()[0].gaps.is_empty());
        sample.records.integrity().unwrap();
    }

    #[test]
    fn a_record_that_may_not_be_written_says_so() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.records.connection.pragma_update(None, "query_only", true).unwrap();
        let error = sample.records.enter(&sample.batch(vec![sample.letter_writer(2)])).err().unwrap();
        assert!(matches!(error, RecordError::ReadOnly { .. }), "{error}");
        assert_eq!(sample.records.cases(&CaseFilter::default()).unwrap().len(), 1);

        let missing = sample.path().with_file_name("no-such-folder").join("record.db");
        let error = Records::open(&missing).err().unwrap();
        assert!(error.to_string().contains("Make its folder first"), "{error}");
        assert!(matches!(Records::open_read_only(&missing).err().unwrap(), RecordError::NotThere { .. }));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let sample = Sample::new();
        for uid in 1..60 {
            sample.enter_one(uid);
        }
        let sample = sample.close();
        let mut bytes = std::fs::read(sample.path()).unwrap();
        let middle = 4096 * 3;
        bytes[middle..middle + 4096 * 6].fill(0xAA);
        std::fs::write(sample.path(), bytes).unwrap();
        let error = Records::open(&sample.path()).err().unwrap();
        assert!(matches!(error, RecordError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("backup"), "{error}");
    }

    #[test]
    fn a_reader_sees_the_record_while_the_daemon_writes_and_cannot_change_it() {
        let sample = Sample::new();
        sample.enter_one(1);
        let reader = Records::open_read_only(&sample.path()).unwrap();
        sample.enter_one(2);
        assert_eq!(reader.cases(&CaseFilter::default()).unwrap().len(), 2);
        assert!(matches!(reader.seen_alive("general", "INBOX", at(5)), Err(RecordError::ReadOnly { .. })));
        let sample = sample.close();
        assert_eq!(Records::open_read_only(&sample.path()).unwrap().ledger().unwrap().len(), 1);
    }

    #[test]
    fn a_writer_waits_for_another_program_and_then_says_busy() {
        let sample = Sample::new();
        sample.enter_one(1);
        let other = Connection::open(sample.path()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        sample.records.connection.busy_timeout(Duration::from_millis(20)).unwrap();
        let error = sample.records.seen_alive("general", "INBOX", at(5)).err().unwrap();
        assert!(matches!(error, RecordError::Busy { .. }) && error.is_transient() && !error.needs_a_person());
        other.execute_batch("COMMIT").unwrap();
        sample.records.seen_alive("general", "INBOX", at(5)).unwrap();
    }
}
