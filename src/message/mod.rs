//! A message as it was said: sender, recipients, words. Parsing never fails; what is odd is listed as a [`Defect`].
//!
//! RFC 5322 (messages), RFC 2045 to 2049 (MIME). Nothing here decides anything; that is [`crate::triage`].

use std::fmt;

use chrono::{DateTime, FixedOffset, Utc};

pub mod authentication;
mod body;
mod charset;
mod flowed;
mod head;
mod html;
pub mod new_text;
pub mod parse;
mod returned;
mod same;
mod shorten;
pub mod text;
pub mod thread;

pub use new_text::{Cut, CutReason, NewText};
pub use parse::{heading, parse};
pub use returned::{Returned, returned};
pub use same::words;

/// Where a message lies on its server: mailbox, UIDVALIDITY and UID (RFC 9051 section 2.3.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageRef {
    /// The account's name in the configuration, such as `general`.
    pub account: String,
    /// The folder's name in Unicode, such as `INBOX`.
    pub folder: String,
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// The message's UID.
    pub uid: u32,
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} UID {} (UIDVALIDITY {})", self.account, self.folder, self.uid, self.uid_validity)
    }
}

/// One address of a header field (RFC 5322 section 3.4). `Debug` hides it: no log line names people.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The display name, decoded; empty when there is none.
    pub name: String,
    /// The address itself, lower-cased domain, as `local@domain`. May be malformed: it is what was written.
    pub address: String,
}

impl Address {
    /// The part after the last `@`, lower case; empty when there is none.
    pub fn domain(&self) -> String {
        self.address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase()).unwrap_or_default()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(..)")
    }
}

/// The envelope sender, as the delivering server wrote it in `Return-Path` (RFC 5321 section 4.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReturnPath {
    /// No such header.
    #[default]
    Absent,
    /// `<>`: a bounce or an automatic reply.
    Null,
    /// An address.
    Address(Address),
}

/// A header field, name as written, value unfolded and decoded (RFC 2047).
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The field's name, as written.
    pub name: String,
    /// Its value in Unicode, on one line.
    pub value: String,
}

/// One MIME part, leaf or not, in order (RFC 2046).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// `text/plain`, `multipart/report`, ...; lower case.
    pub content_type: String,
    /// Content-Type parameters, names lower case: `report-type`, `method`, `name`, ...
    pub parameters: Vec<(String, String)>,
    /// True when Content-Disposition is `attachment`.
    pub attachment: bool,
    /// The file's name, if it has one.
    pub file_name: Option<String>,
    /// Size of the decoded content, in bytes.
    pub size_bytes: usize,
}

/// Something odd in the bytes that did not stop us from reading them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// There was no header at all, or nothing that could be read as a message.
    NotAMessage,
    /// The parser itself failed; only what could be saved is here.
    ParserFailed,
    /// No Message-ID.
    NoMessageId,
    /// No usable From.
    NoSender,
    /// No Date, or one that cannot be read.
    NoDate,
    /// A charset that is unknown or wrong; the text was decoded as the named one instead.
    Charset(String),
    /// Only the first part of a large message was read; the number is how many bytes.
    Truncated(usize),
    /// HTML too large or too deep for the full converter; read by a simpler one.
    HtmlSimplified,
    /// More parts, headers or nesting than are looked at.
    TooManyParts,
}

/// Who sent it, to whom, and what was said.
#[derive(Clone, Default)]
pub struct Message {
    /// The identity of the content; the same for a copy delivered to another mailbox. See [`Fingerprint`].
    pub fingerprint: Fingerprint,
    /// Message-ID without angle brackets (RFC 5322 section 3.6.4).
    pub message_id: Option<String>,
    /// In-Reply-To, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// References, oldest first, without angle brackets.
    pub references: Vec<String>,
    /// The first From address.
    pub from: Option<Address>,
    /// Sender, when present.
    pub sender: Option<Address>,
    /// Reply-To.
    pub reply_to: Vec<Address>,
    /// The envelope sender.
    pub return_path: ReturnPath,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc, where a client left it in.
    pub bcc: Vec<Address>,
    /// The subject, decoded, on one line.
    pub subject: String,
    /// The sender's own Date. Never used for deadlines.
    pub date: Option<DateTime<FixedOffset>>,
    /// The date of the topmost Received header: what `explain` takes as the time of receipt.
    pub top_received: Option<DateTime<FixedOffset>>,
    /// All header fields in order.
    pub headers: Vec<Header>,
    /// All MIME parts in order; the first is the message's own type.
    pub parts: Vec<Part>,
    /// The whole readable text, quotes and all, HTML turned into text, normalised line ends.
    pub text: String,
    /// The same text, divided: what the sender newly wrote, and what was cut away as what.
    pub new_text: NewText,
    /// What was odd.
    pub defects: Vec<Defect>,
    /// Size of the whole message on the server, in bytes.
    pub size_bytes: usize,
}

impl Message {
    /// The value of the first header of this name (ASCII case does not matter).
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers(name).next()
    }

    /// The values of all headers of this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value.as_str())
    }

    /// When it was received as far as the message itself says: topmost Received, else Date.
    pub fn received_at(&self) -> Option<DateTime<Utc>> {
        self.top_received.or(self.date).map(|at| at.with_timezone(&Utc))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Message({} bytes, {} parts, {} defects)",
            self.size_bytes,
            self.parts.len(),
            self.defects.len()
        )
    }
}

/// What makes two deliveries the same message: a hash of Message-ID, From, Date, Subject and the decoded text with its
/// white space collapsed. Received headers, Return-Path, MIME boundaries and encodings do not count, because servers
/// (Exchange above all) write them anew for each copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
