//! Which file has which UID: an append-only text file in a watched folder, so that a folder on disk keeps the promises of
//! RFC 9051 section 2.3.1.1. UIDs are given in ascending order, never twice, and are on disk before anyone hears of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Its name: hidden, so that neither mail programs nor we take it for a message.
pub(super) const FILE_NAME: &str = ".send-triage-uids";

/// UIDs of the files in one folder.
pub(super) struct Index {
    file: File,
    pub uid_validity: u32,
    pub uid_next: u32,
    names: BTreeMap<u32, String>,
    uids: HashMap<String, u32>,
}

impl Drop for Index {
    /// Closing the file would not do while a program that is just being started still has it open too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Index {
    /// Opens or begins the index of a folder and keeps others out while it is open. `fresh` becomes UIDVALIDITY when the
    /// index begins.
    pub fn open(folder: &Path, fresh: u32) -> io::Result<Self> {
        let path = folder.join(FILE_NAME);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another send-triage watches this folder",
                ));
            }
            Ok(()) | Err(TryLockError::Error(_)) => {} // Some network file systems have no locks.
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A crash may have left half a line.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let mut index =
            Self { file, uid_validity: 0, uid_next: 1, names: BTreeMap::new(), uids: HashMap::new() };
        for line in text.get(..whole).unwrap_or_default().lines() {
            index.read_line(line);
        }
        if index.uid_validity == 0 {
            index.uid_validity = fresh.max(1);
            index.append(&format!("uidvalidity {}\n", index.uid_validity))?;
            File::open(folder)?.sync_all()?;
        }
        Ok(index)
    }

    fn read_line(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("uidvalidity", value)) => self.uid_validity = value.parse().unwrap_or(0),
            Some(("gone", uid)) => {
                if let Some(name) = uid.parse().ok().and_then(|uid: u32| self.names.remove(&uid)) {
                    self.uids.remove(&name);
                }
            }
            Some((uid, name)) => {
                if let Ok(uid) = uid.parse::<u32>() {
                    self.names.insert(uid, name.to_owned());
                    self.uids.insert(name.to_owned(), uid);
                    self.uid_next = self.uid_next.max(uid.saturating_add(1));
                }
            }
            None => {}
        }
    }

    /// Whether a name has no UID yet.
    pub fn is_new(&self, name: &str) -> bool {
        !self.uids.contains_key(name)
    }

    /// The UIDs of the names that are there now: new ones get theirs, and those that have vanished lose theirs for good.
    pub fn update(&mut self, names: &BTreeSet<String>) -> io::Result<BTreeMap<u32, String>> {
        let mut lines = String::new();
        let vanished: Vec<u32> =
            self.names.iter().filter(|(_, name)| !names.contains(*name)).map(|(uid, _)| *uid).collect();
        for uid in vanished {
            lines.push_str(&format!("gone {uid}\n"));
        }
        let mut next = self.uid_next;
        for name in names.iter().filter(|name| self.is_new(name)) {
            lines.push_str(&format!("{next} {name}\n"));
            next = next.saturating_add(1);
        }
        if !lines.is_empty() {
            self.append(&lines)?;
            for line in lines.lines() {
                self.read_line(line);
            }
        }
        Ok(self.names.clone())
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_folder_is_watched_once_and_free_as_soon_as_it_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), 77).unwrap();
        assert_eq!(Index::open(folder.path(), 77).err().unwrap().kind(), io::ErrorKind::ResourceBusy);
        // As a program has it that this one is just starting.
        let _inherited = index.file.try_clone().unwrap();
        drop(index);
        Index::open(folder.path(), 77).unwrap();
    }

    #[test]
    fn uids_survive_a_restart_and_are_never_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let mut index = Index::open(folder.path(), 77).unwrap();
        assert_eq!(
            index.update(&names(&["b", "a"])).unwrap().into_iter().collect::<Vec<_>>(),
            [(1, "a".to_owned()), (2, "b".to_owned())]
        );
        assert_eq!(index.update(&names(&["a"])).unwrap().len(), 1);
        drop(index);
        let mut index = Index::open(folder.path(), 99).unwrap();
        assert_eq!((index.uid_validity, index.uid_next), (77, 3));
        // The same name again is another message.
        let now = index.update(&names(&["a", "b"])).unwrap();
        assert_eq!(now.keys().copied().collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn half_a_line_left_by_a_crash_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "uidvalidity 5\n1 a\n2 half").unwrap();
        let mut index = Index::open(folder.path(), 9).unwrap();
        assert_eq!(index.uid_next, 2);
        let now = index.update(&names(&["a", "half-of-it"])).unwrap();
        assert_eq!(now.get(&2).map(String::as_str), Some("half-of-it"));
    }

    #[test]
    fn a_folder_is_watched_once_only() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Index::open(folder.path(), 1).unwrap();
        assert!(Index::open(folder.path(), 1).is_err());
    }
}
