//! Where the messages lie between the walk through the mailboxes and their entering in the order of their receipt: a file
//! without a name, so that a year of mail needs no memory and nothing of it outlives the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The file.
pub struct Spool {
    file: File,
    length: u64,
}

/// A message in it.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    at: u64,
    bytes: usize,
}

impl Spool {
    /// A new one in this folder, for the owner alone; it loses its name at once.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(".send-triage-rebuild-{}", std::process::id()));
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self { file, length: 0 })
    }

    /// Keeps a message.
    pub fn keep(&mut self, bytes: &[u8]) -> io::Result<Kept> {
        self.file.write_all(bytes)?;
        let kept = Kept { at: self.length, bytes: bytes.len() };
        self.length += bytes.len() as u64;
        Ok(kept)
    }

    /// Gives it back.
    pub fn again(&self, kept: Kept) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; kept.bytes];
        self.file.read_exact_at(&mut bytes, kept.at)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_given_back_and_leaves_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path()).unwrap();
        let kept: Vec<_> =
            ["one", "", "three"].iter().map(|text| spool.keep(text.as_bytes()).unwrap()).collect();
        assert_eq!(spool.again(kept[2]).unwrap(), b"three");
        assert_eq!(spool.again(kept[0]).unwrap(), b"one");
        assert!(spool.again(kept[1]).unwrap().is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
