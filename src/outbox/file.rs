//! A courier that writes letters as `.eml` files: for the demonstration, and for a trial run in which nobody is written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Courier, DeliveryError};
use crate::letter::Letter;

/// Writes each letter as `<folder>/NNNN-<message-id>.eml`, readable by its owner only.
#[derive(Debug)]
pub struct FileCourier {
    folder: PathBuf,
}

impl FileCourier {
    /// Into this folder, which is made when the first letter comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Writes beside the name, then renames: a file of the right name is always a whole letter.
    fn write(&self, letter: &Letter, commit: &mut dyn FnMut() -> bool) -> io::Result<bool> {
        fs::create_dir_all(&self.folder)?;
        let ending = format!("-{}.eml", file_name(&letter.message_id));
        let mut last = 0u32;
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some((number, _)) = name.split_once('-') else { continue };
            let Ok(number_read) = number.parse::<u32>() else { continue };
            // The same letter again, after a crash before it was noted as sent.
            if name.get(number.len()..) == Some(ending.as_str()) {
                return Ok(true);
            }
            last = last.max(number_read);
        }
        let path = self.folder.join(format!("{:04}{ending}", last + 1));
        let beside = self.folder.join(format!(".{:04}.part", last + 1));
        let mut file = private(&beside)?;
        file.write_all(&letter.raw)?;
        file.sync_all()?;
        if !commit() {
            fs::remove_file(&beside)?;
            return Ok(false);
        }
        fs::rename(&beside, &path)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(true)
    }
}

impl Courier for FileCourier {
    async fn deliver(
        &mut self,
        letter: &Letter,
        commit: &mut dyn FnMut() -> bool,
    ) -> Result<(), DeliveryError> {
        match self.write(letter, commit) {
            Ok(true) => Ok(()),
            Ok(false) => Err(DeliveryError::NotCommitted),
            Err(error) => Err(DeliveryError::NeedsAPerson {
                problem: format!("a letter could not be written into {}: {error}", self.folder.display()),
                remedy: "check that the folder may be written to and that the disk has room".to_owned(),
            }),
        }
    }
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// A Message-ID as part of a file's name. One that must be changed gets a hash, so that no two become the same.
fn file_name(message_id: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || ".@_-".contains(c);
    if message_id.len() <= 150 && message_id.chars().all(safe) {
        return message_id.to_owned();
    }
    let plain: String = message_id.chars().map(|c| if safe(c) { c } else { '_' }).take(100).collect();
    let hash: String =
        Sha256::digest(message_id.as_bytes()).iter().take(6).map(|b| format!("{b:02x}")).collect();
    format!("{plain}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(id: &str) -> Letter {
        Letter {
            message_id: id.to_owned(),
            envelope_from: None,
            envelope_to: "a@b.example".to_owned(),
            raw: b"Subject: x\r\n\r\ny\r\n".to_vec(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn each_letter_is_a_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut courier = FileCourier::new(folder.path().join("out"));
        for id in ["ack.1@x.example", "ack.2@x.example", "ack.1@x.example", "../../evil/\u{e9}@x"] {
            courier.deliver(&letter(id), &mut || true).await.unwrap();
        }
        let names = names(&folder.path().join("out"));
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(names.iter().any(|n| n == "0001-ack.1@x.example.eml"), "{names:?}");
        assert!(names.iter().any(|n| n == "0002-ack.2@x.example.eml"), "{names:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode =
                fs::metadata(folder.path().join("out/0001-ack.1@x.example.eml")).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn what_is_not_committed_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut courier = FileCourier::new(folder.path());
        let outcome = courier.deliver(&letter("ack.1@x.example"), &mut || false).await;
        assert_eq!(outcome, Err(DeliveryError::NotCommitted));
        assert!(names(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_is_told_to_a_person() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let outcome = FileCourier::new(file.path().join("sub")).deliver(&letter("a@b"), &mut || true).await;
        assert!(matches!(outcome, Err(DeliveryError::NeedsAPerson { .. })), "{outcome:?}");
    }
}
