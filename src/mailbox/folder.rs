//! A [`Mailbox`] over a Maildir, or over a folder of `.eml` files: the embedded default, and the way to try rules on old mail.
//! Files are never changed in place; UIDs are kept in an index beside them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep, sleep_until};

use super::account::{Accounts, Filing, FolderAccount, FolderKind};
use super::folder_files::Place;
use super::folder_index::Index;
use super::{Fetched, Filed, Mailbox, MailboxError, RawMessage, SENT, Sought, Status, Unreadable, sought};
use crate::clock::{Clock, SystemClock};
use crate::effect::Destination;
use crate::letter::Letter;
use crate::message::{self, MessageRef};

/// How often the directory is looked at.
const POLL: Duration = Duration::from_secs(1);
/// Two wake-ups are never closer than this.
const BREATH: Duration = Duration::from_millis(250);
/// So much of a message is read, as from a server.
pub(super) const READ_BYTES: u64 = 1 << 20;
/// One fetch holds at most so many bytes of messages.
const MOST_BYTES: usize = 16 << 20;

/// A watched folder on this machine.
pub struct FolderMailbox {
    account: FolderAccount,
    folder: String,
    others: Rc<Accounts>,
    index: Option<Index>,
    expected: Option<u32>,
    woken_at: Option<Instant>,
}

impl FolderMailbox {
    /// Nothing is opened before it is used. `folder` is `INBOX` for the root itself, or [`SENT`].
    pub fn new(account: FolderAccount, folder: String, others: Rc<Accounts>) -> Self {
        Self { account, folder, others, index: None, expected: None, woken_at: None }
    }

    fn place(&self) -> Place {
        match self.folder.as_str() {
            SENT => self.sent(),
            folder => Place::of(self.account.kind, &self.account.root, folder),
        }
    }

    /// The messages there now, by UID. Opens the index when it is not open.
    fn scan(&mut self) -> Result<(u32, BTreeMap<u32, PathBuf>), MailboxError> {
        let place = self.place();
        let failed = |error: io::Error| trouble(&self.account, "reading", &place.directory, &error);
        let complete = place.kind == FolderKind::Maildir && place.directory.is_dir();
        if complete || (self.folder == SENT && self.account.root.is_dir()) {
            place.create().map_err(failed)?;
        }
        let files = place.messages().map_err(failed)?;
        if self.index.is_none() {
            let fresh = u32::try_from(SystemClock.now().timestamp()).unwrap_or(1);
            self.index = Some(Index::open(&place.directory, fresh).map_err(failed)?);
        }
        let Some(index) = self.index.as_mut() else {
            return Ok((0, BTreeMap::new()));
        };
        let names = index.update(&files.keys().cloned().collect()).map_err(failed)?;
        let now = index.uid_validity;
        if self.expected.is_some_and(|expected| expected != now) {
            return Err(MailboxError::UidValidityChanged {
                account: self.account.account.clone(),
                folder: self.folder.clone(),
                now,
            });
        }
        let found =
            names.into_iter().filter_map(|(uid, name)| files.get(&name).map(|path| (uid, path.clone())));
        Ok((now, found.collect()))
    }

    /// The file of a message, if it is still there.
    fn find(&mut self, message: &MessageRef) -> Result<Option<PathBuf>, MailboxError> {
        let (uid_validity, mut found) = self.scan()?;
        if uid_validity != message.uid_validity {
            return Err(MailboxError::UidValidityChanged {
                account: self.account.account.clone(),
                folder: self.folder.clone(),
                now: uid_validity,
            });
        }
        Ok(found.remove(&message.uid))
    }

    fn has_news(&mut self) -> Result<bool, MailboxError> {
        if self.index.is_none() {
            return Ok(true); // Never looked at.
        }
        let place = self.place();
        let files =
            place.messages().map_err(|error| trouble(&self.account, "reading", &place.directory, &error))?;
        Ok(self.index.as_ref().is_some_and(|index| files.keys().any(|name| index.is_new(name))))
    }

    fn sent(&self) -> Place {
        Place::of(self.account.kind, &self.account.root, "Sent")
    }
}

impl Mailbox for FolderMailbox {
    fn account(&self) -> &str {
        &self.account.account
    }

    fn folder(&self) -> &str {
        &self.folder
    }

    async fn status(&mut self) -> Result<Status, MailboxError> {
        // Opened anew: someone may have thrown the index away.
        (self.index, self.expected) = (None, None);
        let (uid_validity, found) = self.scan()?;
        self.expected = Some(uid_validity);
        let uid_next = self.index.as_ref().map_or(1, |index| index.uid_next);
        Ok(Status { uid_validity, uid_next, exists: u32::try_from(found.len()).unwrap_or(u32::MAX) })
    }

    async fn fetch(&mut self, after: u32, at_most: u32) -> Result<Fetched, MailboxError> {
        let (uid_validity, found) = self.scan()?;
        let mut fetched = Fetched { uid_validity, up_to: after, ..Fetched::default() };
        let (mut bytes, mut looked_at) = (0, 0);
        let above = found.range(after.saturating_add(1)..).filter(|(uid, _)| **uid > after);
        let all = above.clone().count();
        for (&uid, path) in above {
            if looked_at >= at_most as usize || bytes > MOST_BYTES {
                break;
            }
            let at = MessageRef {
                account: self.account.account.clone(),
                folder: self.folder.clone(),
                uid_validity,
                uid,
            };
            match read(path, at.clone()) {
                Ok(message) => {
                    bytes += message.bytes.len();
                    fetched.messages.push(message);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => fetched.unreadable.push(Unreadable {
                    at,
                    received_at: None,
                    reason: format!("its file cannot be read: {error}"),
                }),
            }
            looked_at += 1;
            fetched.up_to = uid;
        }
        if looked_at == all && at_most > 0 {
            let last = self.index.as_ref().map_or(0, |index| index.uid_next.saturating_sub(1));
            fetched.up_to = fetched.up_to.max(last);
        }
        Ok(fetched)
    }

    async fn file(
        &mut self,
        message: &MessageRef,
        folder: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        if self.account.filing == Filing::None {
            return Ok(Filed::Left);
        }
        let Some(path) = self.find(message)? else { return Ok(Filed::Gone) };
        let target = Place::of(self.account.kind, &self.account.root, folder);
        if target.directory == self.place().directory {
            return Ok(Filed::Left);
        }
        let flags = if flagged { "F" } else { "" };
        let (done, filed) = match self.account.filing {
            Filing::Copy => (target.copy(&path, flags), Filed::Copied),
            _ => (target.take(&path, flags), Filed::Moved),
        };
        done.map_err(|error| trouble(&self.account, "filing into", &target.directory, &error))?;
        Ok(filed)
    }

    async fn lies_in(&mut self, sought: &Sought, place: &Destination) -> Result<bool, MailboxError> {
        let others = self.others.folders.iter();
        let account = match place.account == self.account.account {
            true => Some(&self.account),
            false => others.into_iter().find(|other| other.account == place.account),
        };
        account.map_or(Ok(false), |account| sought::on_disk(account, &place.folder, sought))
    }

    async fn discard(&mut self, message: &MessageRef, message_id: &str) -> Result<Filed, MailboxError> {
        if self.account.filing == Filing::None {
            return Ok(Filed::Left);
        }
        let Some(path) = self.find(message)? else { return Ok(Filed::Gone) };
        let failed = |error| trouble(&self.account, "deleting", &path, &error);
        let found = read(&path, message.clone()).map_err(failed)?;
        if message::heading(&found.bytes, found.size_bytes).message_id.as_deref() != Some(message_id) {
            return Ok(Filed::Left);
        }
        std::fs::remove_file(&path).map_err(failed)?;
        Ok(Filed::Moved)
    }

    async fn transfer(
        &mut self,
        message: &MessageRef,
        to: &Destination,
        original_to: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        if to.account == self.account.account {
            return self.file(message, &to.folder, flagged).await;
        }
        let Some(other) = self.others.folders.iter().find(|other| other.account == to.account).cloned()
        else {
            return Err(MailboxError::NeedsAPerson {
                account: self.account.account.clone(),
                step: format!("passing a message on to {}", to.account),
                problem: "there is no such account on this machine in the configuration".into(),
                remedy: "Name another folder account as the destination of this queue".into(),
            });
        };
        if self.account.filing == Filing::None || other.filing == Filing::None {
            return Ok(Filed::Left);
        }
        let Some(path) = self.find(message)? else { return Ok(Filed::Gone) };
        let target = Place::of(other.kind, &other.root, &to.folder);
        target
            .copy(&path, if flagged { "F" } else { "" })
            .map_err(|error| trouble(&other, "delivering into", &target.directory, &error))?;
        self.file(message, original_to, false).await
    }

    async fn sent_holds(&mut self, message_id: &str) -> Result<bool, MailboxError> {
        Ok(self.sent().holds(&letter_name(message_id)))
    }

    async fn keep_copy(&mut self, letter: &Letter, sent_at: DateTime<Utc>) -> Result<(), MailboxError> {
        let (sent, name) = (self.sent(), letter_name(&letter.message_id));
        if sent.holds(&name) {
            return Ok(());
        }
        sent.write(&name, "S", &letter.raw, sent_at.into())
            .map_err(|error| trouble(&self.account, "keeping a copy in", &sent.directory, &error))
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), MailboxError> {
        let end = Instant::now() + at_most;
        if let Some(woken_at) = self.woken_at {
            sleep_until(woken_at + BREATH).await;
        }
        while !self.has_news()? {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            sleep(POLL.min(left)).await;
        }
        self.woken_at = Some(Instant::now());
        Ok(())
    }

    async fn close(&mut self) {
        self.index = None;
    }
}

/// A letter's name in Sent, made from its Message-ID alone: written twice it is still one.
fn letter_name(message_id: &str) -> String {
    let hash = Sha256::digest(message_id.as_bytes());
    let hex: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("send-triage-{hex}")
}

/// Reads a message, or the first part of a large one. Its time of receipt is the topmost Received header's, else its Date,
/// else the file's.
pub(super) fn read(path: &Path, at: MessageRef) -> io::Result<RawMessage> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let size_bytes = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(size_bytes.min(READ_BYTES as usize));
    file.take(READ_BYTES).read_to_end(&mut bytes)?;
    let header = header_of(&bytes);
    let received_at = match message::parse(header, header.len()).received_at() {
        Some(at) => at,
        None => metadata.modified()?.into(),
    };
    Ok(RawMessage { at, received_at, size_bytes, bytes })
}

/// The header fields with the empty line that ends them.
fn header_of(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2);
    let crlf = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    let end = match (end, crlf) {
        (Some(one), Some(other)) => one.min(other),
        (one, other) => one.or(other).unwrap_or(bytes.len()),
    };
    bytes.get(..end).unwrap_or(bytes)
}

pub(super) fn trouble(
    account: &FolderAccount,
    what: &str,
    directory: &Path,
    error: &io::Error,
) -> MailboxError {
    let (account, step) = (account.account.clone(), format!("{what} {}", directory.display()));
    let problem = error.to_string();
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "Create the folder, or correct its path in the configuration",
        io::ErrorKind::NotADirectory => "Name a folder, not a file, in the configuration",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Let the user that runs send-triage read and write this folder"
        }
        io::ErrorKind::ResourceBusy => "Stop the other send-triage, or watch each folder once only",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Make room on the disk",
        _ => return MailboxError::Transient { account, step, problem },
    };
    MailboxError::NeedsAPerson { account, step, problem, remedy: remedy.into() }
}
