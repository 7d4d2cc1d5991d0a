//! Mail of the past, looked at and never touched: folders of files, mbox files, and the folders of accounts (EXAMINE), read one
//! after the other in bounded memory. What is new in a watched folder is not its business: that is [`super::Mailbox`].

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use super::account::{Accounts, Filing, FolderAccount};
use super::folder::{self, READ_BYTES};
use super::folder_files::Place;
use super::imap::ImapMailbox;
use super::mbox::{Mbox, MboxMessage, is_mbox};
use super::{Mailbox, MailboxError, RawMessage, SENT};
use crate::message::{self, MessageRef};

/// Folders inside folders are followed this far.
const DEEPEST: usize = 30;
/// A server is asked for so many messages at a time.
const BATCH: u32 = 50;

/// A message of the past. `Debug` is not derived: bytes are people's words.
pub struct PastMessage {
    /// Where it lies.
    pub at: PastPlace,
    /// When it was received, as far as its server, its header or its file tells.
    pub received_at: DateTime<Utc>,
    /// Its bytes, or the first part of them when it is large.
    pub bytes: Vec<u8>,
    /// Its whole size.
    pub size_bytes: usize,
}

/// Where a message of the past lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastPlace {
    /// In a file of its own.
    File(PathBuf),
    /// In an mbox file, counted from 1.
    Mbox(PathBuf, usize),
    /// On a server.
    Server(MessageRef),
}

impl fmt::Display for PastPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Mbox(path, number) => write!(f, "{}, message {number}", path.display()),
            Self::Server(at) => write!(f, "{}/{} UID {}", at.account, at.folder, at.uid),
        }
    }
}

/// A place that could not be read; what lies elsewhere is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// The file, or the folder and its account.
    pub place: String,
    /// Why, without people's words.
    pub problem: String,
}

/// Every message in and below some files and folders: `.eml` files, Maildirs, mbox files. In the order of their names.
pub struct PastFiles {
    /// What is still to be looked at, the next one last.
    pending: Vec<Pending>,
    mbox: Option<OpenMbox>,
}

struct Pending {
    path: PathBuf,
    depth: usize,
    /// Named by the user, or in a Maildir: a message whatever its name is.
    surely: bool,
}

struct OpenMbox {
    path: PathBuf,
    number: usize,
    messages: Mbox<BufReader<File>>,
}

impl PastFiles {
    /// The messages in and below these.
    pub fn new(paths: &[PathBuf]) -> Self {
        let pending = paths.iter().rev().map(|path| Pending { path: path.clone(), depth: 0, surely: true });
        Self { pending: pending.collect(), mbox: None }
    }

    fn look(&mut self, pending: &Pending) -> io::Result<Option<PastMessage>> {
        let about = fs::metadata(&pending.path)?;
        if about.is_dir() {
            self.look_into(pending)?;
            return Ok(None);
        }
        if !about.is_file() || about.len() == 0 {
            return Ok(None);
        }
        let name = pending.path.file_name().map(|name| name.to_string_lossy().to_lowercase());
        let name = name.unwrap_or_default();
        let bare = !name.contains('.'); // Thunderbird's folders have no extension.
        let may_be_mbox = pending.surely || bare || name.ends_with(".mbox") || name.ends_with(".mbx");
        if may_be_mbox && starts_as_mbox(&pending.path)? {
            let reader = BufReader::with_capacity(256 << 10, File::open(&pending.path)?);
            let messages = Mbox::new(reader, usize::try_from(READ_BYTES).unwrap_or(usize::MAX));
            self.mbox = Some(OpenMbox { path: pending.path.clone(), number: 0, messages });
            return Ok(None);
        }
        if pending.surely || name.ends_with(".eml") { read_file(&pending.path).map(Some) } else { Ok(None) }
    }

    /// Puts what lies in a directory on the list.
    fn look_into(&mut self, pending: &Pending) -> io::Result<()> {
        if pending.depth > DEEPEST {
            return Ok(());
        }
        let directory = &pending.path;
        let is_maildir = |path: &Path| path.join("cur").is_dir();
        let in_maildir = directory.parent().is_some_and(is_maildir)
            && directory.file_name().is_some_and(|name| name == "cur" || name == "new");
        let mut names = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            // A link to a directory may lead back here.
            names.push((entry.file_name(), entry.file_type()?.is_dir()));
        }
        names.sort_by(|one, two| two.cmp(one));
        for (name, is_directory) in names {
            let path = directory.join(&name);
            let hidden = name.as_encoded_bytes().starts_with(b".");
            let passed_over = if is_directory {
                (hidden && !is_maildir(&path)) || (name == "tmp" && is_maildir(directory))
            } else {
                hidden || path.is_dir()
            };
            if !passed_over {
                self.pending.push(Pending {
                    path,
                    depth: pending.depth + 1,
                    surely: in_maildir && !is_directory,
                });
            }
        }
        Ok(())
    }
}

impl Iterator for PastFiles {
    type Item = Result<PastMessage, Unreached>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(open) = &mut self.mbox {
                match open.messages.next() {
                    Some(Ok(message)) => {
                        open.number += 1;
                        let at = PastPlace::Mbox(open.path.clone(), open.number);
                        return Some(Ok(of_mbox(message, at, &open.path)));
                    }
                    Some(Err(error)) => {
                        let path = open.path.clone();
                        self.mbox = None;
                        return Some(Err(unreached(&path, &error)));
                    }
                    None => self.mbox = None,
                }
            }
            let pending = self.pending.pop()?;
            match self.look(&pending) {
                Ok(Some(message)) => return Some(Ok(message)),
                Ok(None) => {}
                Err(error) => return Some(Err(unreached(&pending.path, &error))),
            }
        }
    }
}

fn unreached(path: &Path, error: &io::Error) -> Unreached {
    Unreached { place: path.display().to_string(), problem: format!("cannot be read: {error}") }
}

fn starts_as_mbox(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut start)?;
    Ok(is_mbox(&start))
}

fn read_file(path: &Path) -> io::Result<PastMessage> {
    // Its place on a server is nobody's business here.
    let nowhere = MessageRef { account: String::new(), folder: String::new(), uid_validity: 0, uid: 0 };
    let raw = folder::read(path, nowhere)?;
    Ok(PastMessage {
        at: PastPlace::File(path.to_owned()),
        received_at: raw.received_at,
        bytes: raw.bytes,
        size_bytes: raw.size_bytes,
    })
}

fn of_mbox(message: MboxMessage, at: PastPlace, path: &Path) -> PastMessage {
    let modified = || fs::metadata(path).and_then(|about| about.modified()).ok().map(DateTime::from);
    let received_at = message::parse(&message.bytes, message.bytes.len())
        .received_at()
        .or(message.delivered_at)
        .or_else(modified)
        .unwrap_or_default();
    PastMessage { at, received_at, bytes: message.bytes, size_bytes: message.size_bytes }
}

/// One folder of an account, from its first message to its last.
pub struct PastFolder {
    account: String,
    folder: String,
    source: Source,
    ready: VecDeque<PastMessage>,
    /// Messages that could not be read; the others were.
    pub unreadable: Vec<Unreached>,
}

enum Source {
    Server { mailbox: Box<ImapMailbox>, after: u32, ended: bool },
    Disk { account: FolderAccount, files: Option<VecDeque<PathBuf>> },
}

impl PastFolder {
    /// Nothing is opened before it is used. `None`: there is no such account.
    pub fn new(accounts: &Accounts, account: &str, folder: &str) -> Option<Self> {
        let server = accounts.imap.iter().find(|imap| imap.account == account);
        let disk = accounts.folders.iter().find(|disk| disk.account == account);
        let source = match (server, disk) {
            (Some(imap), _) => {
                let mut imap = imap.clone();
                imap.filing = Filing::None; // EXAMINE: the server itself lets nothing be changed.
                let alone = Rc::new(Accounts::default());
                let mailbox = Box::new(ImapMailbox::new(imap, folder.to_owned(), alone));
                Source::Server { mailbox, after: 0, ended: false }
            }
            (None, Some(disk)) => Source::Disk { account: disk.clone(), files: None },
            (None, None) => return None,
        };
        let (account, folder) = (account.to_owned(), folder.to_owned());
        Some(Self { account, folder, source, ready: VecDeque::new(), unreadable: Vec::new() })
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The folder's name in Unicode.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The next message; `None` after the last. A folder on disk that is not there is empty.
    pub async fn next(&mut self) -> Result<Option<PastMessage>, MailboxError> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(Some(message));
            }
            match &mut self.source {
                Source::Server { ended: true, .. } => return Ok(None),
                Source::Server { mailbox, after, ended } => {
                    if *after == 0 {
                        mailbox.status().await?;
                    }
                    let fetched = mailbox.fetch(*after, BATCH).await?;
                    *ended = fetched.messages.is_empty() && fetched.unreadable.is_empty();
                    *after = fetched.up_to.max(*after);
                    self.unreadable.extend(fetched.unreadable.into_iter().map(|unreadable| Unreached {
                        place: unreadable.at.to_string(),
                        problem: unreadable.reason,
                    }));
                    self.ready.extend(fetched.messages.into_iter().map(of_server));
                }
                Source::Disk { account, files } => {
                    let name = if self.folder == SENT { "Sent" } else { &self.folder };
                    let place = Place::of(account.kind, &account.root, name);
                    if files.is_none() {
                        let found = match place.messages() {
                            Err(error) if error.kind() == io::ErrorKind::NotFound => VecDeque::new(),
                            other => other
                                .map_err(|error| {
                                    folder::trouble(account, "reading", &place.directory, &error)
                                })?
                                .into_values()
                                .collect(),
                        };
                        *files = Some(found);
                    }
                    let Some(path) = files.as_mut().and_then(VecDeque::pop_front) else { return Ok(None) };
                    match read_file(&path) {
                        Ok(message) => return Ok(Some(message)),
                        // It was moved away meanwhile, and is met where it lies now, or not at all.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => self.unreadable.push(unreached(&path, &error)),
                    }
                }
            }
        }
    }

    /// One message of this folder again.
    pub async fn again(&mut self, at: &PastPlace) -> Result<Option<PastMessage>, MailboxError> {
        match (&mut self.source, at) {
            (Source::Server { mailbox, .. }, PastPlace::Server(at)) => {
                mailbox.status().await?;
                let fetched = mailbox.fetch(at.uid.saturating_sub(1), 1).await?;
                let it = fetched.messages.into_iter().find(|message| message.at == *at);
                Ok(it.map(of_server))
            }
            (Source::Disk { .. }, PastPlace::File(path)) => Ok(read_file(path).ok()),
            _ => Ok(None),
        }
    }

    /// Says goodbye.
    pub async fn close(&mut self) {
        if let Source::Server { mailbox, .. } = &mut self.source {
            mailbox.close().await;
        }
    }
}

fn of_server(raw: RawMessage) -> PastMessage {
    PastMessage {
        at: PastPlace::Server(raw.at),
        received_at: raw.received_at,
        bytes: raw.bytes,
        size_bytes: raw.size_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MBOX: &str = "From - Thu Sep  3 08:12:00 2026\nSubject: One\n\nA\n\nFrom - Thu Sep  3 08:12:00 2026\nSubject: Two\n\nB\n";

    fn subjects(paths: &[PathBuf]) -> Vec<String> {
        let text = |message: PastMessage| {
            message::parse(&message.bytes, message.size_bytes).subject + " of " + &message.at.to_string()
        };
        PastFiles::new(paths).map(|found| found.map_or_else(|e| format!("! {}", e.place), text)).collect()
    }

    #[test]
    fn every_message_below_a_folder_is_found_once() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("b/two.eml", "Subject: Two\n\nx");
        write("a.EML", "Subject: One\n\nx");
        write("notes.txt", "From - Thu Sep  3 08:12:00 2026\nSubject: no\n");
        write("Maildir/cur/1:2,S", "Subject: Seen\n\nx");
        write("Maildir/new/2", "Subject: New\n\nx");
        write("Maildir/tmp/3", "Subject: Half\n\nx");
        write("Maildir/.Triage.General/cur/4", "Subject: Filed\n\nx");
        write(".hidden/five.eml", "Subject: Hidden\n\nx");
        write("Archive", MBOX);
        write("empty.eml", "");
        std::os::unix::fs::symlink(root.path(), root.path().join("round")).unwrap();
        let found = subjects(&[root.path().to_owned()]).join("\n");
        let shown = found.replace(&format!("{}/", root.path().display()), "");
        assert_eq!(
            shown.lines().collect::<Vec<_>>(),
            [
                "One of Archive, message 1",
                "Two of Archive, message 2",
                "Filed of Maildir/.Triage.General/cur/4",
                "Seen of Maildir/cur/1:2,S",
                "New of Maildir/new/2",
                "One of a.EML",
                "Two of b/two.eml",
            ]
        );
    }

    #[test]
    fn what_is_named_is_read_whatever_its_name_and_what_is_missing_is_told() {
        let root = tempfile::tempdir().unwrap();
        let [letter, mbox, missing] = ["letter.txt", "sent.txt", "no.mbox"].map(|n| root.path().join(n));
        fs::write(&letter, "Subject: One\n\nx").unwrap();
        fs::write(&mbox, MBOX).unwrap();
        let found = subjects(&[missing, letter, mbox]);
        assert_eq!(found.len(), 4);
        assert!(
            found[0].starts_with("! ") && found[1].starts_with("One of") && found[3].starts_with("Two of")
        );
    }
}
