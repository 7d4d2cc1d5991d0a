//! What can go wrong with the record, sorted by who acts next. Not: what a server or a message did wrong.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the record could not be read or written. Nothing is half written: the transaction was rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Another process holds the file for longer than we wait.
    #[error("{}: another program is writing to the record; trying again", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The disk, or a quota, is full.
    #[error(
        "{}: the disk is full; no more mail is taken in and nothing is sent until there is room. Free some space on \
         this disk; send-triage then goes on by itself", .path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed to read or write.
    #[error(
        "{}: the disk could not be read or written ({detail}); trying again. If this goes on, look at the disk and \
         restore the last backup", .path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// The file or its folder may not be written.
    #[error(
        "{}: the record may not be written; no mail is taken in. Give the user that runs send-triage the right to \
         write this file and its folder, and mount the disk for writing", .path.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened or made.
    #[error("{}: cannot open the record: {problem}. {remedy}", .path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the system said.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// There is no record yet.
    #[error("{}: there is no record here yet; `send-triage run` makes it. Is the path in the configuration right?", .path.display())]
    NotThere {
        /// The file.
        path: PathBuf,
    },
    /// A later version of send-triage wrote it.
    #[error(
        "{}: written by a newer send-triage (its schema is {found}, this program knows up to {known}); nothing was \
         changed. Install the newer version, or restore a backup made before the upgrade", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// An earlier version wrote it, and it was opened for reading only.
    #[error(
        "{}: written by an older send-triage (schema {found}; this program reads {known}). Start `send-triage run` \
         once: it brings the record up to date", .path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The one that this program reads.
        known: i64,
    },
    /// It is some other file.
    #[error("{}: not a record of send-triage; nothing was changed. Name another file in the configuration", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "{}: the record is damaged ({detail}); nothing is taken in or sent. Put the last backup in its place \
         and run `send-triage rebuild`, which adds what came since from the mailboxes; without a backup, `send-triage \
         rebuild` alone makes a new one. The damaged file is kept beside it", .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// A daemon is at work on this record.
    #[error(
        "{}: another send-triage{holder} is at work on this record, and two would answer everything twice. Stop it \
         first; or start this one with --standby: it takes over when the other one ends", .path.display()
    )]
    AlreadyRunning {
        /// The file.
        path: PathBuf,
        /// ` (process 4711)`, or empty.
        holder: String,
    },
    /// A mailbox that was never taken into use.
    #[error("{account}/{folder}: not taken into use yet")]
    NotInUse {
        /// The account.
        account: String,
        /// The folder.
        folder: String,
    },
    /// What is to be entered does not belong to the mailbox as the record knows it: look at the mailbox anew.
    #[error("{account}/{folder}: {problem}; nothing was entered, the mailbox is looked at anew")]
    Stale {
        /// The account.
        account: String,
        /// The folder.
        folder: String,
        /// What does not fit.
        problem: String,
    },
    /// The reference is another case's. Enter the messages one by one, each with a free reference.
    #[error("reference {reference} is already another case's; UID {uid} was not entered")]
    ReferenceTaken {
        /// The reference.
        reference: String,
        /// The message's UID.
        uid: u32,
    },
    /// The effect does not exist, or is in a state that forbids this.
    #[error("effect {effect}: {problem}")]
    NotPossible {
        /// Its number.
        effect: i64,
        /// Why not.
        problem: String,
    },
    /// A mistake of the program: what it wrote does not fit the schema.
    #[error("{}: the program made a mistake with its record ({detail}); please report it", .path.display())]
    Mistake {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
}

impl RecordError {
    /// Whether the same may work later without anybody doing anything here.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Full { .. } | Self::Io { .. })
    }

    /// Whether a person should be told: waiting alone does not mend it. A full disk is both: it is tried again, and told.
    pub fn needs_a_person(&self) -> bool {
        !matches!(self, Self::Busy { .. } | Self::Stale { .. } | Self::ReferenceTaken { .. })
    }

    pub(super) fn of_io(path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "Make its folder first, or correct the path in the configuration",
            io::ErrorKind::PermissionDenied => {
                "Give the user that runs send-triage the right to write there, or correct the path"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Free some space on this disk",
            _ => "Correct the path in the configuration, or look at the disk",
        };
        Self::CannotOpen { path: path.to_owned(), problem: error.to_string(), remedy: remedy.to_owned() }
    }

    pub(super) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => Self::Io { path, detail },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, detail },
            Some(ErrorCode::NotADatabase) => Self::NotOurs { path },
            Some(ErrorCode::CannotOpen) => Self::CannotOpen {
                path,
                problem: detail,
                remedy: "Look at the rights of the file and of its folder".to_owned(),
            },
            _ => Self::Mistake { path, detail },
        }
    }
}

/// What goes wrong inside a transaction, before the file's path is added.
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Said(RecordError),
    Mistake(String),
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> RecordError {
        match self {
            Self::Sqlite(error) => RecordError::of_sqlite(path, &error),
            Self::Said(error) => error,
            Self::Mistake(detail) => RecordError::Mistake { path: path.to_owned(), detail },
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<RecordError> for Fault {
    fn from(error: RecordError) -> Self {
        Self::Said(error)
    }
}
