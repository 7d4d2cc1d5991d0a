//! One of the team's mailboxes as configured: where its mail is, how its letters leave, how it is filed. Only values; nothing
//! connects here.

use std::path::PathBuf;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};
use crate::mailbox::Provider;

/// One of the team's mailboxes, on a server or in a folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its name here and in every list: `general`, `annual-review-east`, ...
    pub name: String,
    /// Its address; acknowledgements come from it.
    pub address: String,
    /// The name that people see beside the address.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Other addresses by which it is written to.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The IMAP server that its mail is on; this or `folder`.
    #[serde(default)]
    pub imap: Option<Imap>,
    /// A folder of messages on this machine, instead of `imap`.
    #[serde(default)]
    pub folder: Option<FolderInbox>,
    /// The server that its letters are handed to; this or `outbox`.
    #[serde(default)]
    pub smtp: Option<Smtp>,
    /// The folder into which its letters are written as files, instead of `smtp`.
    #[serde(default)]
    pub outbox: Option<PathBuf>,
    /// The folders that are watched.
    #[serde(default = "inbox")]
    pub watch: Vec<String>,
    /// The account's own Sent folder, where the server does not say which it is.
    #[serde(default, alias = "sent_folder")]
    pub own_sent_folder: Option<String>,
    /// The folders in which staff's replies are looked for; `\Sent` is the account's own, whatever it is called there.
    #[serde(default = "sent_folders")]
    pub sent_folders: Vec<String>,
    /// How messages are filed.
    #[serde(default)]
    pub filing: FilingMode,
    /// What is done with the messages that are there when the mailbox is first taken into use.
    #[serde(default)]
    pub existing: Existing,
}

fn sent_folders() -> Vec<String> {
    vec![OWN_SENT.to_owned()]
}

/// As the name of a folder: the account's own Sent folder.
const OWN_SENT: &str = "\\Sent";

fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}

/// An IMAP server (RFC 9051).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Imap {
    /// Its name, as in its certificate.
    pub host: String,
    /// 993 for `tls`, 143 otherwise, unless given.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// The login name; the account's address unless given.
    #[serde(default)]
    pub user: Option<String>,
    /// Where the password is; not with `oauth`.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Which of the `oauth` providers gives the access tokens to log in with, instead of a password.
    #[serde(default)]
    pub oauth: Option<String>,
    /// How to log in.
    #[serde(default)]
    pub login: Login,
    /// A file of further certificate authorities, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Seconds between looks, at most, whether or not the server promises to tell.
    #[serde(default = "poll_seconds")]
    pub poll_seconds: u32,
    /// Messages up to this size are read whole; of larger ones the first so many bytes are read.
    #[serde(default = "read_bytes")]
    pub read_bytes: u32,
}

fn poll_seconds() -> u32 {
    300
}

fn read_bytes() -> u32 {
    1 << 20
}

/// A submission server (RFC 6409).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name, as in its certificate.
    pub host: String,
    /// 465 for `tls`, 587 otherwise, unless given.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// The login name; without it, no login. With `oauth` it is the account's address unless given.
    #[serde(default)]
    pub user: Option<String>,
    /// Where the password, or the access token, is.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Which of the `oauth` providers gives the access tokens to log in with, instead of a password.
    #[serde(default)]
    pub oauth: Option<String>,
    /// Log in by SASL XOAUTH2: `password` then names a file that holds a current access token.
    #[serde(default)]
    pub xoauth2: bool,
    /// A file of further certificate authorities, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The envelope sender of acknowledgements.
    #[serde(default)]
    pub envelope_from: EnvelopeFrom,
    /// How many letters may leave in any minute; 0: as many as there are. Without it, 20 at Exchange Online, which takes 30 from a
    /// mailbox and its staff together, and as many as there are elsewhere.
    #[serde(default)]
    pub letters_a_minute: Option<u32>,
    /// Whether the server itself puts what is sent into Sent, so that no copy is added; without it, as it is known of Exchange
    /// Online and Gmail. `doctor --send-test` shows it.
    #[serde(default)]
    pub keeps_copies: Option<bool>,
}

/// A folder of messages on this machine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderInbox {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub kind: FolderKind,
}

/// What a folder of messages looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FolderKind {
    /// A Maildir: `new`, `cur`, `tmp`.
    Maildir,
    /// Files whose names end in `.eml`.
    Eml,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after STARTTLS; refused where the server does not offer it.
    Starttls,
    /// Not at all; to this very machine only.
    Plain,
}

/// How to log in to IMAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// AUTHENTICATE PLAIN where offered, else LOGIN.
    #[default]
    Auto,
    /// LOGIN (RFC 9051 section 6.2.3).
    Login,
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// SASL XOAUTH2: `password` then names a file that holds a current access token.
    Xoauth2,
}

/// The envelope sender of acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnvelopeFrom {
    /// `<>`, as RFC 3834 section 3.3 and RFC 5230 section 5.1 ask.
    #[default]
    Empty,
    /// The account's address, for servers that refuse `<>`.
    Address,
}

/// How messages are filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FilingMode {
    /// Moved into their folder.
    #[default]
    Move,
    /// Copied there; the inbox stays as it is.
    Copy,
    /// Not filed: the mailbox is never written to.
    None,
}

/// What is done with messages that were there before the mailbox was taken into use. None of them is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// Noted as left alone.
    Ignore,
    /// Decided and recorded with their deadline, but left where they are.
    #[default]
    Record,
    /// Decided, recorded and filed.
    File,
    /// Treated like new mail, acknowledgement and all. For a mailbox that was opened to the public today.
    TreatAsNew,
}

impl Account {
    /// Whether what lies in this folder was sent from here: it is looked at, and never moved or acknowledged.
    pub fn is_sent(&self, folder: &str) -> bool {
        folder == OWN_SENT || self.sent_folders.iter().any(|sent| sent == folder)
    }

    /// The Sent folders that are looked into now and then: those that are not watched all the time.
    pub fn polled(&self) -> impl Iterator<Item = &String> {
        let mut seen = std::collections::BTreeSet::new();
        self.sent_folders.iter().filter(move |sent| !self.watch.contains(sent) && seen.insert(*sent))
    }

    /// Every address by which it is written to, lower case, main address first.
    pub fn addresses(&self) -> Vec<String> {
        std::iter::once(&self.address).chain(&self.aliases).map(|a| a.to_ascii_lowercase()).collect()
    }
}

impl Imap {
    /// The port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.security == Security::Tls { 993 } else { 143 })
    }

    /// The password, or the access token in its place; `None`: tokens come from a provider.
    pub fn secret(&self) -> Result<Option<SecretString>, ConfigError> {
        self.password.as_ref().map(Secret::read).transpose()
    }
}

impl Smtp {
    /// The port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.security == Security::Tls { 465 } else { 587 })
    }

    /// Whether the server puts what is sent into Sent by itself.
    pub fn keeps_copies(&self) -> bool {
        self.keeps_copies.unwrap_or_else(|| Provider::of_host(&self.host).keeps_sent_copies())
    }

    /// How many letters may leave in any minute; `None`: as many as there are.
    pub fn letters_a_minute(&self) -> Option<u32> {
        match self.letters_a_minute {
            None => Provider::of_host(&self.host).letters_a_minute(),
            given => given.filter(|most| *most > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Smtp;

    #[test]
    fn exchange_online_is_paced_and_keeps_its_own_copies_unless_the_operator_says_otherwise() {
        let smtp = |text: &str| crate::yaml::typed::<Smtp>(text).unwrap();
        let known = |smtp: &Smtp| (smtp.letters_a_minute(), smtp.keeps_copies());
        assert_eq!(known(&smtp("host: smtp.office365.com")), (Some(20), true));
        assert_eq!(known(&smtp("host: smtp.gmail.com")), (None, true));
        assert_eq!(known(&smtp("host: smtp.council.example")), (None, false));
        let said = "host: smtp.office365.com\nletters_a_minute: 0\nkeeps_copies: false";
        assert_eq!(known(&smtp(said)), (None, false));
        assert_eq!(smtp("host: davmail.council.example\nletters_a_minute: 5").letters_a_minute(), Some(5));
    }
}
