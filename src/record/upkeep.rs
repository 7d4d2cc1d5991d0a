//! Looking after the file: a backup while it is in use, its integrity, and how things stand in numbers.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use super::error::{Fault, RecordError};
use super::{Records, beside, make_private};

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Standing {
    /// Messages known.
    pub messages: u64,
    /// Cases that are open.
    pub open_cases: u64,
    /// Effects to be done, now or later.
    pub pending: u64,
    /// Letters of which nobody knows whether they were sent.
    pub uncertain: u64,
    /// Effects that wait for a person.
    pub stuck: u64,
    /// Messages set aside for a person.
    pub set_aside: u64,
}

/// A file up to this size is checked in some hundredths of a second.
const CHECKED_AT_ONCE_BYTES: u64 = 32 << 20;

impl Records {
    /// How things stand.
    pub fn standing(&self) -> Result<Standing, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT (SELECT count(*) FROM messages),
                     (SELECT count(*) FROM cases WHERE state = 'open'),
                     (SELECT count(*) FROM effects WHERE desk IS NOT NULL AND state IN ('pending', 'sending', 'adrift')),
                     (SELECT count(*) FROM effects WHERE desk IS NOT NULL AND state = 'uncertain'),
                     (SELECT count(*) FROM effects WHERE desk = 'person'),
                     (SELECT count(*) FROM set_aside WHERE settled_at IS NULL)",
            )?;
            Ok(statement.query_row([], |row| {
                Ok(Standing {
                    messages: row.get(0)?,
                    open_cases: row.get(1)?,
                    pending: row.get(2)?,
                    uncertain: row.get(3)?,
                    stuck: row.get(4)?,
                    set_aside: row.get(5)?,
                })
            })?)
        })
    }

    /// Writes a copy of the record as it is at this moment, safe while the daemon runs: one reading transaction, beside which
    /// others write on. The copy is checked, and then appears whole or not at all, for the owner alone. An older file of that
    /// name is replaced only if `replace`. What was purged is not in it, not even in free pages.
    pub fn backup(&self, to: &Path, replace: bool) -> Result<Standing, RecordError> {
        let of_io = |error: std::io::Error| RecordError::of_io(to, &error);
        let refused = |problem: &str, remedy: &str| {
            let (problem, remedy) = (problem.to_owned(), remedy.to_owned());
            Err(RecordError::CannotOpen { path: to.to_owned(), problem, remedy })
        };
        let same = to.canonicalize().is_ok_and(|to| self.path.canonicalize().is_ok_and(|own| own == to));
        if same {
            return refused("this is the record itself", "Name another file for the backup");
        }
        if !replace && to.symlink_metadata().is_ok() {
            return refused("this file is there already", "Name another one, or say --force to replace it");
        }
        let part = beside(to, ".part");
        // What an interrupted backup left behind.
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(of_io(error)),
            _ => {}
        }
        make_private(&part).map_err(of_io)?;
        let written = self
            .copied_into(&part)
            .map_err(|error| RecordError::of_sqlite(to, &error))
            .and_then(|_| look_through(&part))
            .and_then(|standing| {
                File::open(&part).and_then(|file| file.sync_all()).map_err(of_io)?;
                // The log of an older file of that name would be taken for this one's.
                for stale in ["-wal", "-shm"].map(|name| beside(to, name)) {
                    if stale.exists() {
                        std::fs::remove_file(&stale).map_err(of_io)?;
                    }
                }
                // A link fails where the name has been taken meanwhile; where there are no links, the look above must do.
                let linked = !replace && std::fs::hard_link(&part, to).is_ok();
                if linked { std::fs::remove_file(&part) } else { std::fs::rename(&part, to) }
                    .map_err(of_io)?;
                Ok(standing)
            });
        if written.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        let standing = written?;
        // The name must survive a power cut as well.
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(of_io)?;
        Ok(standing)
    }

    /// A connection that may only look refuses to write any file at all, this copy too.
    fn copied_into(&self, part: &Path) -> rusqlite::Result<()> {
        let only_looks: bool = self.connection.pragma_query_value(None, "query_only", |row| row.get(0))?;
        self.connection.pragma_update(None, "query_only", false)?;
        let copied = self.connection.execute("VACUUM INTO ?1", [part.to_string_lossy()]);
        self.connection.pragma_update(None, "query_only", only_looks)?;
        copied.map(|_| ())
    }

    /// Reads the whole file and checks it, references between tables too. Takes seconds on a large record.
    pub fn integrity(&self) -> Result<(), RecordError> {
        self.read(|connection| {
            self.check(connection, "PRAGMA integrity_check(1)")?;
            self.no_strays(connection, "PRAGMA foreign_key_check")
        })
    }

    /// Checks that no row refers to one that is not there; of a large record, beside the work.
    pub(super) fn check_references(&self) -> Result<(), RecordError> {
        if self.is_large() {
            return Ok(());
        }
        self.read(|connection| self.no_strays(connection, "PRAGMA foreign_key_check"))
    }

    fn no_strays(&self, connection: &Connection, pragma: &str) -> Result<(), Fault> {
        let mut strays = connection.prepare(pragma)?;
        if let Some(row) = strays.query([])?.next()? {
            let detail = format!("a row of {} refers to one that is not there", row.get::<_, String>(0)?);
            return Err(RecordError::Corrupt { path: self.path.clone(), detail }.into());
        }
        Ok(())
    }

    /// Once a day: empties the write-ahead log into the file and lets SQLite look after its statistics.
    pub fn tidy(&self) -> Result<(), RecordError> {
        let tidy = || {
            self.connection.execute_batch("PRAGMA optimize")?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        tidy().map_err(|error: rusqlite::Error| RecordError::of_sqlite(&self.path, &error))
    }

    /// Checks the file before anything is done with it, unless it is so large that mail would wait for that: then the daemon
    /// checks it beside its work ([`Records::to_be_checked`]).
    pub(super) fn check_quickly(&self, connection: &Connection, in_any_case: bool) -> Result<(), Fault> {
        if self.is_large() && !in_any_case {
            return Ok(());
        }
        self.check(connection, "PRAGMA quick_check(1)")
    }

    /// Whether checking it takes longer than a start may.
    pub(super) fn is_large(&self) -> bool {
        self.path.metadata().is_ok_and(|metadata| metadata.len() > CHECKED_AT_ONCE_BYTES)
    }

    /// The tables of a record that was too large to be checked when it was opened; none of a smaller one.
    pub fn to_be_checked(&self) -> Result<Vec<String>, RecordError> {
        if !self.is_large() {
            return Ok(Vec::new());
        }
        self.read(|connection| {
            let mut tables =
                connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
            let names = tables.query_map([], |row| row.get(0))?;
            Ok(names.collect::<rusqlite::Result<Vec<String>>>()?)
        })
    }

    /// Checks one table with its indexes, and that no row of it refers to one that is not there. A second or so for a million
    /// rows.
    pub fn check_table(&self, table: &str) -> Result<(), RecordError> {
        self.read(|connection| {
            let quoted = table.replace('\'', "''");
            self.check(connection, &format!("PRAGMA quick_check('{quoted}')"))?;
            self.no_strays(connection, &format!("PRAGMA foreign_key_check('{quoted}')"))
        })
    }

    fn check(&self, connection: &Connection, pragma: &str) -> Result<(), Fault> {
        let answer: String = connection.query_row(pragma, [], |row| row.get(0))?;
        if answer == "ok" {
            return Ok(());
        }
        Err(RecordError::Corrupt { path: self.path.clone(), detail: answer }.into())
    }
}

/// Reads a copy whole, as whoever restores it would.
fn look_through(copy: &Path) -> Result<Standing, RecordError> {
    let records = Records::open_read_only(copy)?;
    records.integrity()?;
    records.standing()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, Records};
    use super::*;

    #[test]
    fn a_backup_is_a_whole_record_for_the_owner_alone() {
        let sample = Sample::new();
        sample.enter_one(1);
        let to = sample.path().with_file_name("backup.db");
        std::fs::write(beside(&to, ".part"), "half a backup").unwrap();
        let looks = Records::open_read_only(&sample.path()).unwrap();
        assert_eq!(looks.backup(&to, false).unwrap().open_cases, 1);
        assert!(looks.seen_alive("general", "INBOX", at(5)).is_err(), "it still only looks");
        sample.enter_one(2);
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let read = Records::open_read_only(&to).unwrap();
        assert_eq!(read.cases(&CaseFilter::default()).unwrap().len(), 1);
        drop(read);
        let restored = Records::open(&to).unwrap();
        assert_eq!(restored.cases(&CaseFilter::default()).unwrap().len(), 1);
        restored.integrity().unwrap();
        drop(restored);
        let error = sample.records.backup(&to, false).err().unwrap();
        assert!(error.to_string().contains("--force"), "{error}");
        sample.records.backup(&to, true).unwrap();
        assert_eq!(Records::open(&to).unwrap().cases(&CaseFilter::default()).unwrap().len(), 2);
        assert!(sample.records.backup(&sample.path(), true).is_err());
        let beside = std::fs::read_dir(to.parent().unwrap()).unwrap();
        assert!(
            !beside
                .map(|entry| entry.unwrap().file_name())
                .any(|name| name.to_string_lossy().contains(".part"))
        );
        sample.records.integrity().unwrap();
    }

    #[test]
    fn how_things_stand() {
        let sample = Sample::new();
        for uid in 1..=3 {
            sample.enter_one(uid);
        }
        sample.send_all(at(9));
        let effects = sample.records.cases(&CaseFilter::default()).unwrap();
        assert_eq!(effects.len(), 3);
        let standing = sample.records.standing().unwrap();
        assert_eq!(standing, Standing { messages: 3, open_cases: 3, pending: 3, ..Standing::default() });
    }

    #[test]
    fn integrity_finds_a_row_that_refers_to_nothing() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.sql("PRAGMA foreign_keys = off; DELETE FROM case_messages; DELETE FROM mailboxes");
        assert!(matches!(sample.records.integrity(), Err(RecordError::Corrupt { .. })));
    }

    #[test]
    fn tidying_empties_the_log() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.records.tidy().unwrap();
        assert_eq!(beside(&sample.path(), "-wal").metadata().unwrap().len(), 0);
    }
}
