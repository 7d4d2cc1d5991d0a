//! Which message was being read when the process ended, and how often. A message that ends the whole process (no memory, no
//! stack left) would be read again at every start and end every one; after three times in a row it is set aside instead.
//! What fails without ending the process is not counted here (`daemon/contained.rs`).
//!
//! It is a small file beside the record and not a table: written before each message and after it, it must cost nothing, so
//! it is not forced to the disk. A process that ends leaves it whole; only a power cut may lose it, and that is no message's
//! fault. Three times, because whoever kills the process may meet the same message twice by chance.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Records, beside, keep_private};
use crate::message::MessageRef;

/// After so many ends of the process at one message, that message is not read any more.
pub const MOST_STRIKES: u32 = 3;

/// Older ones are forgotten.
const MOST_SUSPECTS: usize = 100;

/// After an end at which messages were being read, so many are read one after the other and none ahead: so it shows which of
/// several it was.
const ALONE: u32 = 300;

/// The file, and what stands in it; shared by the threads that read.
#[derive(Debug, Clone)]
pub struct Strikes(Arc<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    file: Option<File>,
    /// How many bytes of the file have been written over.
    length: usize,
    suspects: Vec<(MessageRef, u32)>,
    /// How many messages are still to be read one after the other.
    alone: u32,
}

/// That a message is being read; when this goes, it has been.
#[derive(Debug)]
pub struct Reading {
    strikes: Strikes,
    at: MessageRef,
}

impl Records {
    /// What counts how often the process ended at a message.
    pub fn strikes(&self) -> Strikes {
        let open = || Strikes(Arc::new(Mutex::new(Open::beside(&self.path))));
        self.strikes.get_or_init(open).clone()
    }
}

impl Strikes {
    /// Writes down that this message is being read. `Err`: it is not to be read, with how often the process ended at it.
    ///
    /// A file that cannot be written keeps nothing from being read: it guards against what may never come.
    pub fn reading(&self, at: &MessageRef) -> Result<Reading, u32> {
        let mut open = self.open();
        open.alone = open.alone.saturating_sub(1);
        let known = open.suspects.iter().position(|(suspect, _)| suspect == at);
        let strikes = known.map_or(0, |known| open.suspects.remove(known).1);
        let refused = strikes >= MOST_STRIKES;
        open.suspects.push((at.clone(), if refused { strikes } else { strikes + 1 }));
        let excess = open.suspects.len().saturating_sub(MOST_SUSPECTS);
        open.suspects.drain(..excess);
        open.write();
        if refused { Err(strikes) } else { Ok(Reading { strikes: self.clone(), at: at.clone() }) }
    }

    /// Whether several messages may be at work at once. Not soon after an end of the process: then one after the other, so
    /// that what ends it stands alone in the file.
    pub fn allow_several(&self) -> bool {
        self.open().alone == 0
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut open = self.strikes.open();
        open.suspects.retain(|(suspect, _)| *suspect != self.at);
        open.write();
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
        let suspects: Vec<(MessageRef, u32)> =
            if read { text.lines().filter_map(suspect).collect() } else { Vec::new() };
        let alone = if suspects.iter().any(|(_, strikes)| *strikes < MOST_STRIKES) { ALONE } else { 0 };
        let length = text.len();
        if !read && let Some(file) = &file {
            let _ = file.set_len(0);
        }
        Self { file, length, suspects, alone }
    }

    /// Writes over what stood there; what is left of that becomes empty lines, because making a file shorter costs more
    /// than all else here.
    fn write(&mut self) {
        let Some(file) = &self.file else { return };
        let mut lines = self.suspects.iter().map(|(at, strikes)| line(at, *strikes)).collect::<String>();
        let written = lines.len();
        lines.extend(std::iter::repeat_n('\n', self.length.saturating_sub(written)));
        self.length = written;
        if let Err(error) = file.write_all_at(lines.as_bytes(), 0) {
            // A full disk, most likely, of which the record speaks for itself.
            self.length = lines.len();
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
        std::mem::forget(sample.records.strikes().reading(&at(uid)).unwrap());
    }

    #[test]
    fn a_message_at_which_the_process_ended_three_times_is_not_read_a_fourth_time() {
        let mut sample = Sample::new();
        for _ in 0..MOST_STRIKES {
            ends_at(&sample, 4);
            sample = sample.close().open();
            drop(sample.records.strikes().reading(&at(5)).unwrap()); // Others are read meanwhile.
        }
        assert_eq!(sample.records.strikes().reading(&at(4)).err(), Some(3));
        sample = sample.close().open();
        assert_eq!(sample.records.strikes().reading(&at(4)).err(), Some(3), "nor after another start");
        assert!(sample.records.strikes().reading(&at(5)).is_ok());
    }

    #[test]
    fn only_three_times_in_a_row_count() {
        let mut sample = Sample::new();
        for _ in 0..10 {
            ends_at(&sample, 4);
            ends_at(&sample, 4);
            sample = sample.close().open();
            drop(sample.records.strikes().reading(&at(4)).unwrap());
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
        assert!(sample.records.strikes().reading(&at(1)).is_ok());
        let closed = sample.close();
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(
            closed.open().records.strikes().reading(&at(1)).is_ok(),
            "it cannot be written, and nothing stops"
        );
    }
}
