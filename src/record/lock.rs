//! One daemon at a time on one record: a lock of the operating system on a file beside it. Not: what two daemons with two
//! records do to the same mailboxes; that is seen in Sent (`daemon/another.rs`).
//!
//! The system lets go of the lock when its process ends, however it ends, so a crash leaves nothing to clear away. The file
//! stays; only the lock on it counts. It must be on a disk of this machine: locks on network shares cannot be relied on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::RecordError;
use super::{Records, beside, give_to_the_folders_owner, make_private};

/// Held by the daemon as long as it runs, and by whatever must not meet one.
#[derive(Debug)]
pub struct DaemonLock {
    file: File,
    record: PathBuf,
}

impl Drop for DaemonLock {
    /// Closing the file would not do while a program that is just being started still has it open too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl DaemonLock {
    /// Takes the lock of the record at this path, before the record itself is opened: who does not hold it must not bring an
    /// older file up to date under somebody else's daemon. Makes the file for its owner alone when there is none.
    pub fn take(record: &Path) -> Result<Self, RecordError> {
        make_private(record).map_err(|error| RecordError::of_io(record, &error))?;
        // Another name for the same file is the same record.
        let record = record.canonicalize().map_err(|error| RecordError::of_io(record, &error))?;
        let path = beside(&record, ".lock");
        let of_io = |error: &std::io::Error| RecordError::of_io(&path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| of_io(&error))?;
        give_to_the_folders_owner(&path).map_err(|error| of_io(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                let read = file.take(20).read_to_string(&mut process).is_ok();
                let number = process.trim().parse::<u32>().ok().filter(|_| read);
                let holder = number.map(|number| format!(" (process {number})")).unwrap_or_default();
                return Err(RecordError::AlreadyRunning { path: record, holder });
            }
            Err(TryLockError::Error(error)) => return Err(of_io(&error)),
        }
        // For the message above only; a full disk must not keep the daemon from starting.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Self { file, record })
    }

    /// The record that it is the lock of.
    pub fn record(&self) -> &Path {
        &self.record
    }
}

impl Records {
    /// Opens the record for the one daemon that may work on it, and checks it through: a damaged one is not worked on.
    pub fn open_locked(lock: &DaemonLock) -> Result<Self, RecordError> {
        let records = Self::open(lock.record())?;
        records.check_references()?;
        Ok(records)
    }

    /// Makes this process the only daemon on this record.
    pub fn lock_for_daemon(&self) -> Result<DaemonLock, RecordError> {
        DaemonLock::take(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn a_second_daemon_is_refused_until_the_first_has_gone() {
        let sample = Sample::new();
        let second = Records::open(&sample.path()).unwrap();
        let lock = sample.records.lock_for_daemon().unwrap();
        let error = second.lock_for_daemon().err().unwrap();
        assert!(matches!(&error, RecordError::AlreadyRunning { .. }));
        assert!(error.to_string().contains(&format!("(process {})", std::process::id())), "{error}");
        // Another name for the same file is the same record.
        let alias = sample.path().with_file_name("alias.db");
        std::os::unix::fs::symlink(sample.path(), &alias).unwrap();
        assert!(DaemonLock::take(&alias).is_err());
        // As a program has it that this one is just starting.
        let _inherited = lock.file.try_clone().unwrap();
        drop(lock);
        second.lock_for_daemon().unwrap();
    }

    #[test]
    fn a_record_whose_rows_refer_to_nothing_is_not_worked_on() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.sql("PRAGMA foreign_keys = off; DELETE FROM mailboxes");
        let closed = sample.close();
        let lock = DaemonLock::take(&closed.path()).unwrap();
        let error = Records::open_locked(&lock).err().unwrap();
        assert!(matches!(error, RecordError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("send-triage rebuild"), "{error}");
    }
}
