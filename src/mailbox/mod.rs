//! Where messages come from, and where they are filed: IMAP servers, and folders on this machine. What a message says is not
//! looked at here.

mod account;
mod ahead;
pub(crate) mod base64;
mod blame;
mod connect;
mod copies;
mod fetch;
mod filing;
mod folder;
mod folder_files;
mod folder_index;
mod folders;
mod guard;
mod idle;
mod imap;
mod login;
mod mbox;
mod names;
mod overview;
mod passing;
mod past;
mod probe;
mod provider;
mod session;
mod sought;
pub(crate) mod tls;
mod utf7;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use crate::effect::Destination;
use crate::letter::Letter;
use crate::message::MessageRef;

pub use account::{
    Accounts, Credentials, Dialler, Filing, FolderAccount, FolderKind, Handed, ImapAccount, Mechanism,
    NoToken, Pipe, Security, Stream, Term, Timeouts, TokenSource,
};
pub use folder::FolderMailbox;
pub use imap::ImapMailbox;
pub use mbox::{Mbox, MboxMessage};
pub use overview::Overview;
pub use past::{PastFiles, PastFolder, PastMessage, PastPlace, Unreached};
pub use probe::{
    Arrival, Found, Outcome, ProbeStep, Trial, Wanted, certificate_step, probe, probe_folder, reach_server,
};
pub use provider::Provider;

/// As the name of a watched folder: the account's Sent folder, whatever it is called there.
pub const SENT: &str = "\\Sent";

/// A message as fetched. `Debug` is not derived: bytes are people's words.
#[derive(Clone)]
pub struct RawMessage {
    /// Where it lies.
    pub at: MessageRef,
    /// When the server received it (INTERNALDATE).
    pub received_at: DateTime<Utc>,
    /// Its whole size on the server, in bytes.
    pub size_bytes: usize,
    /// Its bytes, or the first part of them when it is large.
    pub bytes: Vec<u8>,
}

/// What a fetch brought. Every UID above the cursor up to `up_to` is in exactly one of the three lists, or is proven
/// expunged: the caller may advance to `up_to` once it has recorded them.
#[derive(Default)]
pub struct Fetched {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// Messages, lowest UID first.
    pub messages: Vec<RawMessage>,
    /// Messages that could not be read twice over: set aside, with the reason. INTERNALDATE when it could be had.
    pub unreadable: Vec<Unreadable>,
    /// The highest UID looked at. Nothing at or below it remains unseen.
    pub up_to: u32,
}

/// A message that could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it lies.
    pub at: MessageRef,
    /// When the server received it, if it said so.
    pub received_at: Option<DateTime<Utc>>,
    /// What happened, without the message's content.
    pub reason: String,
}

/// What a folder says of itself when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// The UID that the next message will get, at least.
    pub uid_next: u32,
    /// How many messages there are.
    pub exists: u32,
}

/// What became of a request to file a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filed {
    /// It lies in the folder now, and no longer where it was (or only marked as deleted there).
    Moved,
    /// A copy lies in the folder; the account is set to leave originals where they are.
    Copied,
    /// Nothing was done: the account is set to be looked at only, or the message lies in that folder already.
    Left,
    /// It is no longer where it was: staff moved or deleted it, or an earlier attempt did it.
    Gone,
}

/// By what a message is known again that no longer lies where it was. `Debug` is not derived: it names who wrote.
#[derive(Clone)]
pub struct Sought {
    /// Its Message-ID without angle brackets, if it has one.
    pub message_id: Option<String>,
    /// Who wrote it, in lower case, if From names anybody.
    pub sender: Option<String>,
    /// INTERNALDATE where it was first met.
    pub received_at: DateTime<Utc>,
    /// Its size there.
    pub size_bytes: u64,
    /// Another copy was met first: the time and the size are that one's.
    pub is_copy: bool,
}

/// A folder of an account that is watched, on a server or on disk. Connects when it must; an error drops the connection.
#[allow(async_fn_in_trait)] // One thread, joined tasks: no `Send` is wanted.
pub trait Mailbox {
    /// The account's name in the configuration.
    fn account(&self) -> &str;

    /// The watched folder's name in Unicode.
    fn folder(&self) -> &str;

    /// What the folder says of itself now. From here on the mailbox holds on to this UIDVALIDITY: when the folder turns out
    /// to have another, calls fail with [`MailboxError::UidValidityChanged`] until `status` is asked again.
    async fn status(&mut self) -> Result<Status, MailboxError>;

    /// Messages with a UID above `after`, lowest first, at most so many. Looks, does not touch: they stay unread.
    async fn fetch(&mut self, after: u32, at_most: u32) -> Result<Fetched, MailboxError>;

    /// Every message above this UID was received on this day or later, or nearly so; 0 where that cannot be told: then all are
    /// to be looked at.
    async fn uid_before(&mut self, _day: NaiveDate) -> Result<u32, MailboxError> {
        Ok(0)
    }

    /// Files one message into a folder of this account, creating it when missing. Never loses it: server-side MOVE, or
    /// COPY, a look, and then deletion of this one UID.
    async fn file(
        &mut self,
        message: &MessageRef,
        folder: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError>;

    /// Files several messages into one folder in one go, where the server can prove which of them have moved: returns the UIDs of
    /// those. The others are as they were, or gone: [`Mailbox::file`] tells, one by one.
    async fn file_together(
        &mut self,
        _messages: &[MessageRef],
        _folder: &str,
        _flagged: bool,
    ) -> Result<Vec<u32>, MailboxError> {
        Ok(Vec::new())
    }

    /// Delivers one message whole into another account's folder, unless it is there already, and then files the
    /// original into the folder `original_to` of this account, such as `Triage/Passed on`.
    async fn transfer(
        &mut self,
        message: &MessageRef,
        to: &Destination,
        original_to: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError>;

    /// Whether this message lies in that folder of this account or another: an earlier attempt may have filed it, and ended
    /// before that was written down.
    async fn lies_in(&mut self, _sought: &Sought, _place: &Destination) -> Result<bool, MailboxError> {
        Ok(false)
    }

    /// Deletes one message of ours that nobody needs any more, if this one has that Message-ID. Nothing where the account is
    /// only looked at.
    async fn discard(&mut self, _message: &MessageRef, _message_id: &str) -> Result<Filed, MailboxError> {
        Ok(Filed::Left)
    }

    /// Whether the account's Sent folder holds a letter with this Message-ID.
    async fn sent_holds(&mut self, message_id: &str) -> Result<bool, MailboxError>;

    /// Puts a letter into the account's Sent folder, read, unless it is there already.
    async fn keep_copy(&mut self, letter: &Letter, sent_at: DateTime<Utc>) -> Result<(), MailboxError>;

    /// Returns when something may have arrived, or after `at_most`. Being wrong is cheap: `fetch` decides.
    /// Cancel-safe: dropping the future leaves the mailbox usable (it may have to reconnect).
    async fn wait(&mut self, at_most: Duration) -> Result<(), MailboxError>;

    /// Says goodbye.
    async fn close(&mut self);
}

/// What went wrong with a mailbox, sorted by who acts next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The network or the server; the same may work later.
    #[error("{account}: {step}: {problem}")]
    Transient {
        /// The account.
        account: String,
        /// What was tried: `connecting to imap.example port 993`, `FETCH`, ...
        step: String,
        /// What happened or what the server said, without message content.
        problem: String,
    },
    /// A person must act: a password, a certificate, a right, a folder.
    #[error("{account}: {step}: {problem}. {remedy}")]
    NeedsAPerson {
        /// The account.
        account: String,
        /// What was tried.
        step: String,
        /// What happened or what the server said.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// UIDVALIDITY is not the one of the cursor: everything must be looked at anew.
    #[error("{account}: {folder}: UIDVALIDITY is now {now}")]
    UidValidityChanged {
        /// The account.
        account: String,
        /// The folder.
        folder: String,
        /// The new value.
        now: u32,
    },
}

/// Any kind of mailbox: what the daemon holds a list of.
pub enum AnyMailbox {
    /// On an IMAP server.
    Imap(Box<ImapMailbox>),
    /// On this machine.
    Folder(FolderMailbox),
}

impl From<ImapMailbox> for AnyMailbox {
    fn from(mailbox: ImapMailbox) -> Self {
        Self::Imap(Box::new(mailbox))
    }
}

impl From<FolderMailbox> for AnyMailbox {
    fn from(mailbox: FolderMailbox) -> Self {
        Self::Folder(mailbox)
    }
}

macro_rules! whichever {
    ($self:ident, $mailbox:ident => $call:expr) => {
        match $self {
            AnyMailbox::Imap($mailbox) => $call,
            AnyMailbox::Folder($mailbox) => $call,
        }
    };
}

impl Mailbox for AnyMailbox {
    fn account(&self) -> &str {
        whichever!(self, mailbox => mailbox.account())
    }

    fn folder(&self) -> &str {
        whichever!(self, mailbox => mailbox.folder())
    }

    async fn status(&mut self) -> Result<Status, MailboxError> {
        whichever!(self, mailbox => mailbox.status().await)
    }

    async fn fetch(&mut self, after: u32, at_most: u32) -> Result<Fetched, MailboxError> {
        whichever!(self, mailbox => mailbox.fetch(after, at_most).await)
    }

    async fn uid_before(&mut self, day: NaiveDate) -> Result<u32, MailboxError> {
        whichever!(self, mailbox => mailbox.uid_before(day).await)
    }

    async fn file(
        &mut self,
        message: &MessageRef,
        folder: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        whichever!(self, mailbox => mailbox.file(message, folder, flagged).await)
    }

    async fn file_together(
        &mut self,
        messages: &[MessageRef],
        folder: &str,
        flagged: bool,
    ) -> Result<Vec<u32>, MailboxError> {
        whichever!(self, mailbox => mailbox.file_together(messages, folder, flagged).await)
    }

    async fn transfer(
        &mut self,
        message: &MessageRef,
        to: &Destination,
        original_to: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        whichever!(self, mailbox => mailbox.transfer(message, to, original_to, flagged).await)
    }

    async fn lies_in(&mut self, sought: &Sought, place: &Destination) -> Result<bool, MailboxError> {
        whichever!(self, mailbox => mailbox.lies_in(sought, place).await)
    }

    async fn discard(&mut self, message: &MessageRef, message_id: &str) -> Result<Filed, MailboxError> {
        whichever!(self, mailbox => mailbox.discard(message, message_id).await)
    }

    async fn sent_holds(&mut self, message_id: &str) -> Result<bool, MailboxError> {
        whichever!(self, mailbox => mailbox.sent_holds(message_id).await)
    }

    async fn keep_copy(&mut self, letter: &Letter, sent_at: DateTime<Utc>) -> Result<(), MailboxError> {
        whichever!(self, mailbox => mailbox.keep_copy(letter, sent_at).await)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), MailboxError> {
        whichever!(self, mailbox => mailbox.wait(at_most).await)
    }

    async fn close(&mut self) {
        whichever!(self, mailbox => mailbox.close().await)
    }
}
