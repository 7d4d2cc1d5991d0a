//! What is configured of an account on an IMAP server, and of an account that is a folder on this machine. Only values; the
//! configuration file is read elsewhere.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

pub use super::guard::{Pipe, Stream};
use crate::certificate::Seen;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// TLS from the first byte (RFC 8314), usually port 993.
    #[default]
    Tls,
    /// STARTTLS, usually port 143.
    StartTls,
    /// None: refused unless the server is on this machine.
    Plain,
}

/// What is shown to the server as proof.
#[derive(Clone)]
pub enum Credentials {
    /// A password.
    Password(SecretString),
    /// A password that is asked for anew for each connection: it may be changed while we run.
    PasswordFrom(Rc<dyn TokenSource>),
    /// An OAuth 2.0 access token, fetched for each connection (RFC 6749; Microsoft 365).
    AccessToken(Rc<dyn TokenSource>),
}

/// Where access tokens come from. Asked before every connection; keeps its own cache.
pub trait TokenSource {
    /// A token that is good for at least some time.
    ///
    /// # Errors
    /// In words for the operator: why there is none.
    fn token<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<Handed, NoToken>> + 'a>>;

    /// The server refused this one. Whether it makes sense to come with another one at once: where the source keeps a token,
    /// it may have been withdrawn meanwhile.
    fn refused(&self, _secret: &SecretString) -> bool {
        false
    }
}

/// A token, or a password, as it was handed out.
pub struct Handed {
    /// The secret itself.
    pub secret: SecretString,
    /// How long a session may rest on it; `None`: for ever, as on a password.
    pub term: Option<Term>,
}

/// The term of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// From then on a session is begun anew with the next token when nothing else is under way.
    pub renew_at: Instant,
    /// From then on the session is not relied on: the server may end it at any moment.
    pub ends_at: Instant,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoToken {
    /// What happened.
    pub problem: String,
    /// What a person must do; `None`: it may pass by itself.
    pub remedy: Option<String>,
}

/// Which way of logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mechanism {
    /// XOAUTH2 for a token; for a password AUTHENTICATE PLAIN where the server has it, else LOGIN.
    #[default]
    Auto,
    /// LOGIN.
    Login,
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// XOAUTH2.
    XOAuth2,
}

/// What may be done to a message in the watched folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filing {
    /// It is moved.
    #[default]
    Move,
    /// It is copied; the original stays.
    Copy,
    /// Nothing: the folder is opened read-only (EXAMINE).
    None,
}

/// Time limits. Every wait for the network has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP and TLS together.
    pub connect: Duration,
    /// One command and its answer; for long transfers, without any progress.
    pub command: Duration,
    /// One transfer as a whole.
    pub transfer: Duration,
    /// One IDLE, before it is issued anew.
    pub idle: Duration,
    /// The answer to DONE.
    pub done: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(60),
            transfer: Duration::from_secs(30 * 60),
            idle: Duration::from_secs(5 * 60),
            done: Duration::from_secs(15),
        }
    }
}

/// Another way to the server than TCP: a tunnel, or a test's server in the same process.
pub type Dialler = Rc<dyn Fn() -> io::Result<Pipe>>;

/// An account on an IMAP server.
#[derive(Clone)]
pub struct ImapAccount {
    /// The account's name in the configuration, such as `general`.
    pub account: String,
    /// The server's name, as in its certificate.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// The user name.
    pub user: String,
    /// The password or the source of tokens.
    pub credentials: Credentials,
    /// The way of logging in.
    pub mechanism: Mechanism,
    /// Certificates (PEM) to be trusted besides the system's: the council's own authority.
    pub ca_file: Option<PathBuf>,
    /// The Sent folder, when it cannot be found by itself.
    pub sent_folder: Option<String>,
    /// What may be done to messages.
    pub filing: Filing,
    /// How many messages are asked for in one FETCH.
    pub fetch_batch: usize,
    /// Messages above this size are read only up to it.
    pub whole_message_limit_bytes: u32,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Another way to the server than TCP.
    pub dialler: Option<Dialler>,
    /// Where the server's certificate is noted whenever it is shown.
    pub certificates: Seen,
}

impl ImapAccount {
    /// An account with the usual settings: TLS on port 993, moved when filed, 1 MiB read of each message.
    pub fn new(account: &str, host: &str, user: &str, credentials: Credentials) -> Self {
        Self {
            account: account.to_owned(),
            host: host.to_owned(),
            port: 993,
            security: Security::Tls,
            user: user.to_owned(),
            credentials,
            mechanism: Mechanism::Auto,
            ca_file: None,
            sent_folder: None,
            filing: Filing::Move,
            fetch_batch: 50,
            whole_message_limit_bytes: 1 << 20,
            timeouts: Timeouts::default(),
            dialler: None,
            certificates: Seen::default(),
        }
    }

    /// `host port 993`, for messages.
    pub(super) fn place(&self) -> String {
        format!("{} port {}", self.host, self.port)
    }
}

impl fmt::Debug for ImapAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImapAccount({} at {})", self.account, self.place())
    }
}

/// What kind of folder on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderKind {
    /// A Maildir with Maildir++ subfolders.
    Maildir,
    /// Files that end in `.eml`, subfolders beside them.
    Eml,
}

/// An account that is a folder on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderAccount {
    /// The account's name in the configuration.
    pub account: String,
    /// Its directory.
    pub root: PathBuf,
    /// Maildir or `.eml` files.
    pub kind: FolderKind,
    /// What may be done to messages.
    pub filing: Filing,
}

/// All accounts, so that a message can be passed from one to another.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// Those on IMAP servers.
    pub imap: Vec<ImapAccount>,
    /// Those on this machine.
    pub folders: Vec<FolderAccount>,
}
