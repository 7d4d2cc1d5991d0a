//! Which message was being read when the process ended, and how often. A message that ends the whole process (no memory, no
//! stack left) would be read again at every start and end every one; after three times in a row it is set aside instead.
//! What fails without ending the process is not counted here (`daemon/contained.rs`).
//!
//! It is a small file beside the record and not a table: written before each message and after it, it must cost nothing, so
//! it is not forced to the disk. A process that ends leaves it whole; only a power cut may lose it, and that is no message's
//! fault. Three times, because whoever kills the process may meet the same message twice by chance.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Records, beside, keep_private};
use crate::message::MessageRef;

/// After so many ends of the process at one message, that message is not read any more.
pub const MOST_STRIKES: u32 = 3;

/// Older ones are forgotten.
const MOST_SUSPECTS: usize = 100;

/// The file, and what stands in it.
#[derive(Debug, Default)]
pub(super) struct Strikes(RefCell<Option<Open>>);

#[derive(Debug)]
struct Open {
    file: Option<File>,
    suspects: Vec<(MessageRef, u32)>,
}

/// That a message is being read; when this goes, it has been.
#[derive(Debug)]
pub struct Reading<'r> {
    records: &'r Records,
    at: MessageRef,
}

impl Records {
    /// Writes down that this message is being read. `Err`: it is not to be read, with how often the process ended at it.
    ///
    /// A file that cannot be written keeps nothing from being read: it guards against what may never come.
    pub fn reading(&self, at: &MessageRef) -> Result<Reading<'_>, u32> {
        let mut open = self.strikes.0.borrow_mut();
        let open = open.get_or_insert_with(|| Open::beside(&self.path));
        let known = open.suspects.iter().position(|(suspect, _)| suspect == at);
        let strikes = known.map_or(0, |known| open.suspects.remove(known).1);
        let refused = strikes >= MOST_STRIKES;
        open.suspects.push((at.clone(), if refused { strikes } else { strikes + 1 }));
        let excess = open.suspects.len().saturating_sub(MOST_SUSPECTS);
        open.suspects.drain(..excess);
        open.write();
        if refused { Err(strikes) } else { Ok(Reading { records: self, at: at.clone() }) }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Some(open) = self.records.strikes.0.borrow_mut().as_mut() {
            open.suspects.retain(|(suspect, _)| *suspect != self.at);
            open.write();
        }
    }
}

impl Open {
    fn beside(record: &Path) -> Self {
        let path = beside(record, ".reading");
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .and_then(|file| keep_private(&path).map(|()| file));
        let mut file = match opened {
            Ok(file) => Some(file),
            Err(error) => {
                tracing::warn!(
                    "{}: which message is being read cannot be written there: {error}",
                    path.display()
                );
                None
            }
        };
        let mut text = String::new();
        let read = file.as_mut().is_some_and(|file| file.take(1 << 20).read_to_string(&mut text).is_ok());
        let suspects = if read { text.lines().filter_map(suspect).collect() } else { Vec::new() };
        Self { file, suspects }
    }

    fn write(&mut self) {
        let Some(file) = &mut self.file else { return };
        let lines = self.suspects.iter().map(|(at, strikes)| line(at, *strikes)).collect::<String>();
        let written = file
            .rewind()
            .and_then(|()| file.write_all(lines.as_bytes()))
            .and_then(|()| file.set_len(lines.len() as u64));
        if let Err(error) = written {
            // A full disk, most likely, of which the record speaks for itself.
            tracing::debug!("Which message is being read could not be written down: {error}");
        }
    }
}

/// The place last, because a folder's name may have blanks in it.
fn line(at: &MessageRef, strikes: u32) -> String {
    let MessageRef { account, folder, uid_validity, uid } = at;
    format!("{strikes} {uid_validity} {uid} {account} {folder}\n")
}

fn suspect(line: &str) -> Option<(MessageRef, u32)> {
    let mut words = line.splitn(5, ' ');
    let mut number = || words.next()?.parse::<u32>().ok();
    let (strikes, uid_validity, uid) = (number()?, number()?, number()?);
    let (account, folder) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some((MessageRef { account, folder, uid_validity, uid }, strikes))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn at(uid: u32) -> MessageRef {
        MessageRef { account: "general".into(), folder: "Team A/In Tray".into(), uid_validity: 7, uid }
    }

    /// As a process that is ended would: nothing is said of an end.
    fn ends_at(sample: &Sample, uid: u32) {
        std::mem::forget(sample.records.reading(&at(uid)).unwrap());
    }

    #[test]
    fn a_message_at_which_the_process_ended_three_times_is_not_read_a_fourth_time() {
        let mut sample = Sample::new();
        for _ in 0..MOST_STRIKES {
            ends_at(&sample, 4);
            sample = sample.close().open();
            drop(sample.records.reading(&at(5)).unwrap()); // Others are read meanwhile.
        }
        assert_eq!(sample.records.reading(&at(4)).err(), Some(3));
        sample = sample.close().open();
        assert_eq!(sample.records.reading(&at(4)).err(), Some(3), "nor after another start");
        assert!(sample.records.reading(&at(5)).is_ok());
    }

    #[test]
    fn only_three_times_in_a_row_count() {
        let mut sample = Sample::new();
        for _ in 0..10 {
            ends_at(&sample, 4);
            ends_at(&sample, 4);
            sample = sample.close().open();
            drop(sample.records.reading(&at(4)).unwrap());
        }
    }

    #[test]
    fn the_file_is_small_private_and_never_in_the_way() {
        use std::os::unix::fs::PermissionsExt;
        let sample = Sample::new();
        for uid in 1..500 {
            ends_at(&sample, uid);
        }
        let path = beside(&sample.path().canonicalize().unwrap(), ".reading");
        let about = path.metadata().unwrap();
        assert!(about.len() < 10_000 && about.permissions().mode() & 0o777 == 0o600, "{about:?}");
        let closed = sample.close();
        std::fs::write(&path, b"\xFF\xFE 1 2\nnonsense\n4294967296 1 1 a b\n").unwrap();
        let sample = closed.open();
        assert!(sample.records.reading(&at(1)).is_ok());
        let closed = sample.close();
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(closed.open().records.reading(&at(1)).is_ok(), "it cannot be written, and nothing stops");
    }
}
