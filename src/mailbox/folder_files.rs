//! Where messages lie in a Maildir or in a folder of `.eml` files, and how they are put there: whole or not at all, and never
//! over another. Maildir++ as Dovecot and Courier have it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::account::FolderKind;
use super::utf7;

/// One folder of an account on disk.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub kind: FolderKind,
    /// The directory; for a Maildir the one that holds `new`, `cur` and `tmp`.
    pub directory: PathBuf,
}

impl Place {
    /// The folder of this name beneath an account's root. `INBOX` is the root itself.
    pub fn of(kind: FolderKind, root: &Path, folder: &str) -> Self {
        let levels: Vec<String> = folder
            .split('/')
            .map(str::trim)
            .filter(|level| !level.is_empty())
            .map(|level| level.chars().map(|c| if c.is_control() || c == '\\' { '_' } else { c }).collect())
            .collect();
        let levels = match levels.split_first() {
            Some((first, beneath)) if first.eq_ignore_ascii_case("INBOX") => beneath,
            _ => levels.as_slice(),
        };
        let directory = match kind {
            _ if levels.is_empty() => root.to_path_buf(),
            FolderKind::Maildir => {
                let levels: Vec<String> =
                    levels.iter().map(|level| utf7::encode(&level.replace('.', "_"))).collect();
                root.join(format!(".{}", levels.join(".")))
            }
            // A leading dot would hide the folder, or climb out of the root.
            FolderKind::Eml => {
                levels.iter().fold(root.to_path_buf(), |path, level| match level.strip_prefix('.') {
                    Some(rest) => path.join(format!("_{rest}")),
                    None => path.join(level),
                })
            }
        };
        Self { kind, directory }
    }

    /// The messages there: what identifies each, and its file. Flags may change in a Maildir, so they do not identify.
    pub fn messages(&self) -> io::Result<BTreeMap<String, PathBuf>> {
        let mut found = BTreeMap::new();
        let directories = match self.kind {
            FolderKind::Maildir => vec![self.directory.join("new"), self.directory.join("cur")],
            FolderKind::Eml => vec![self.directory.clone()],
        };
        for directory in directories {
            for entry in fs::read_dir(&directory)? {
                let entry = entry?;
                let path = entry.path();
                let name = entry.file_name();
                let name = name.as_encoded_bytes();
                let wanted = match self.kind {
                    FolderKind::Maildir => true,
                    FolderKind::Eml => name.to_ascii_lowercase().ends_with(b".eml"),
                };
                // An empty file is still being written.
                if wanted
                    && !name.starts_with(b".")
                    && fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() > 0)
                {
                    found.insert(self.key(name), path);
                }
            }
        }
        Ok(found)
    }

    fn key(&self, name: &[u8]) -> String {
        let name = match self.kind {
            FolderKind::Maildir => name.split(|byte| *byte == b':').next().unwrap_or(name),
            FolderKind::Eml => name,
        };
        let mut key = String::new();
        for byte in name {
            match byte {
                b'!'..=b'~' if *byte != b'%' => key.push(char::from(*byte)),
                _ => key.push_str(&format!("%{byte:02x}")),
            }
        }
        key
    }

    /// Makes the folder, and in a Maildir what belongs to it.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        if self.kind == FolderKind::Maildir {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(self.directory.join(part))?;
            }
            let is_sub =
                self.directory.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let marker = self.directory.join("maildirfolder");
            if is_sub && !marker.exists() {
                File::create(marker)?;
            }
        }
        Ok(())
    }

    /// Moves a file here. Its old place is empty afterwards.
    pub fn take(&self, file: &Path, flags: &str) -> io::Result<()> {
        self.create()?;
        let target = self.free_name(&self.name_here(file, flags), None)?;
        fs::rename(file, &target)?;
        sync_directory(&target)?;
        sync_directory(file)
    }

    /// Puts a copy of a file here, with its time, unless the same is here already.
    pub fn copy(&self, file: &Path, flags: &str) -> io::Result<()> {
        self.create()?;
        let modified = fs::metadata(file)?.modified().ok();
        let name = self.name_here(file, flags);
        let mut source = File::open(file)?;
        self.put(&name, &mut source, modified, Some(file))
    }

    /// Writes a new file here, with flags where it is a Maildir, unless it is here already.
    pub fn write(&self, stem: &str, flags: &str, bytes: &[u8], at: SystemTime) -> io::Result<()> {
        self.create()?;
        let name = match self.kind {
            FolderKind::Maildir => format!("{stem}:2,{flags}"),
            FolderKind::Eml => format!("{stem}.eml"),
        };
        self.put(&name, &mut &*bytes, Some(at), None)
    }

    fn put(
        &self,
        name: &str,
        bytes: &mut dyn Read,
        modified: Option<SystemTime>,
        same_as: Option<&Path>,
    ) -> io::Result<()> {
        let target = self.free_name(name, same_as)?;
        if target.exists() {
            return Ok(());
        }
        let temporary = match self.kind {
            FolderKind::Maildir => self.directory.join("tmp").join(name),
            FolderKind::Eml => self.directory.join(format!(".{name}.part")),
        };
        let mut file = File::create(&temporary)?;
        io::copy(bytes, &mut file)?;
        file.flush()?;
        if let Some(modified) = modified {
            let _ = file.set_modified(modified);
        }
        file.sync_all()?;
        fs::rename(&temporary, &target)?;
        sync_directory(&target)
    }

    /// Whether a file whose name begins so is here.
    pub fn holds(&self, stem: &str) -> bool {
        self.messages().is_ok_and(|messages| messages.keys().any(|key| key.starts_with(stem)))
    }

    /// What a file is called when it lies here.
    fn name_here(&self, file: &Path, flags: &str) -> String {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (stem, theirs) = name.split_once(":2,").unwrap_or((name.as_str(), ""));
        let stem = stem.strip_suffix(".eml").unwrap_or(stem);
        match self.kind {
            FolderKind::Eml => format!("{stem}.eml"),
            FolderKind::Maildir => {
                let mut all: Vec<char> = theirs.chars().chain(flags.chars()).collect();
                all.sort_unstable();
                all.dedup();
                format!("{stem}:2,{}", all.into_iter().collect::<String>())
            }
        }
    }

    /// A path under which nothing lies, or the same content.
    fn free_name(&self, name: &str, same_as: Option<&Path>) -> io::Result<PathBuf> {
        let directory = match self.kind {
            FolderKind::Maildir => self.directory.join("cur"),
            FolderKind::Eml => self.directory.clone(),
        };
        let (stem, end) = match self.kind {
            FolderKind::Maildir => {
                name.split_once(':').map_or((name, String::new()), |(s, e)| (s, format!(":{e}")))
            }
            FolderKind::Eml => (name.strip_suffix(".eml").unwrap_or(name), ".eml".to_owned()),
        };
        for number in 0..10_000 {
            let path = match number {
                0 => directory.join(format!("{stem}{end}")),
                _ => directory.join(format!("{stem}-{number}{end}")),
            };
            let same = match same_as {
                Some(file) => path.exists() && same_content(file, &path)?,
                None => false,
            };
            if !path.exists() || same {
                return Ok(path);
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files of the same name"))
    }
}

fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let mut files = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (vec![0u8; 64 << 10], vec![0u8; 64 << 10]);
    loop {
        let length = files.0.read(&mut left)?;
        if length == 0 {
            return Ok(true);
        }
        let (left, right) =
            (left.get(..length).unwrap_or_default(), right.get_mut(..length).unwrap_or_default());
        files.1.read_exact(right)?;
        if left != right {
            return Ok(false);
        }
    }
}

/// Makes a change in a directory last.
fn sync_directory(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_lie_where_other_programs_expect_them() {
        let root = Path::new("/mail");
        let maildir = |name| Place::of(FolderKind::Maildir, root, name).directory;
        assert_eq!(maildir("INBOX"), Path::new("/mail"));
        assert_eq!(maildir("Triage/St. Mary"), Path::new("/mail/.Triage.St_ Mary"));
        let eml = |name| Place::of(FolderKind::Eml, root, name).directory;
        assert_eq!(eml("Triage/General"), Path::new("/mail/Triage/General"));
        assert_eq!(eml("../../etc"), Path::new("/mail/_./_./etc"));
    }

    #[test]
    fn a_file_is_never_put_over_another() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::of(FolderKind::Eml, root.path(), "Triage");
        for text in ["one", "two"] {
            let file = root.path().join("a.eml");
            fs::write(&file, text).unwrap();
            place.take(&file, "").unwrap();
        }
        let texts: Vec<String> =
            place.messages().unwrap().values().map(|path| fs::read_to_string(path).unwrap()).collect();
        assert_eq!(texts.len(), 2);
        assert!(texts.contains(&"one".to_owned()) && texts.contains(&"two".to_owned()));
    }

    #[test]
    fn a_copy_made_twice_is_one_copy() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::of(FolderKind::Maildir, root.path(), "Team");
        let file = root.path().join("a.eml");
        fs::write(&file, "one").unwrap();
        place.copy(&file, "F").unwrap();
        place.copy(&file, "F").unwrap();
        assert_eq!(place.messages().unwrap().len(), 1);
        assert!(root.path().join(".Team/cur/a:2,F").exists());
    }
}
