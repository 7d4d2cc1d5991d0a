//! What we say: finished emails, with their headers (RFC 5322, RFC 3834) and a Message-ID made before sending. Nothing is
//! sent here, and nothing that a stranger wrote is repeated but Message-IDs and the address that is answered, both checked.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::message::Fingerprint;

pub mod acknowledgement;
pub mod alert;
pub mod briefing;
mod check;
mod check_digest;
mod check_staff;
pub mod council;
pub mod digest;
pub mod health;
mod markup;
pub mod notice;
pub mod passed_on;
pub mod referral;
pub mod refusal;
pub mod reminder;
pub mod wording;

pub use acknowledgement::{AcknowledgementFacts, Counted, acknowledgement};
pub use alert::{AlertFacts, GatheredFacts, alert, gathered};
pub use briefing::{BriefingFacts, briefing};
pub use council::Council;
pub use digest::{Digest as WeeklyDigest, DigestFacts, Late, digest};
pub use health::{CanaryFacts, ExpiryFacts, LostFacts, StallFacts, canary, expiry, lost, stall};
pub use notice::{CaseLine, Notice};
pub use passed_on::{PassedOnFacts, passed_on};
pub use referral::{ReferralFacts, referral};
pub use refusal::{RefusalFacts, refusal};
pub use reminder::{Listed, MessageLine, ReminderFacts, reminder};
pub use wording::{Wording, WordingError, WordingProblem};

/// A finished email. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// The envelope sender; `None` is the null path `<>` (RFC 3834 section 3.3).
    pub envelope_from: Option<String>,
    /// The one envelope recipient.
    pub envelope_to: String,
    /// The message, CRLF line ends.
    pub raw: Vec<u8>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({} bytes)", self.raw.len())
    }
}

/// The team mailbox that a letter comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its address.
    pub address: String,
    /// The name shown beside it.
    pub name: String,
    /// The envelope sender of answers: `None` is the null path `<>`. Some providers refuse it; for them, an address.
    pub envelope_from: Option<String>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender(..)")
    }
}

/// The values of Auto-Submitted that we use (RFC 3834 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AutoSubmitted {
    /// In answer to a message.
    Replied,
    /// Of our own accord.
    Generated,
}

/// What a letter is for: the first word of its Message-ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The acknowledgement of a message.
    Acknowledgement,
    /// The alert about a message.
    Alert,
    /// The notice about rules that were refused.
    Refusal,
    /// Word to a sender that another team has the email now.
    PassedOn,
    /// A message to ourselves that must come round.
    Canary,
    /// Anything else that staff are told.
    Notice,
}

impl Purpose {
    const ALL: [Self; 6] =
        [Self::Acknowledgement, Self::Alert, Self::Refusal, Self::PassedOn, Self::Canary, Self::Notice];

    fn word(self) -> &'static str {
        match self {
            Self::Acknowledgement => "ack",
            Self::Alert => "alert",
            Self::Refusal => "refusal",
            Self::PassedOn => "passed-on",
            Self::Canary => "canary",
            Self::Notice => "notice",
        }
    }
}

/// The Message-ID of our letter about this message. Made from the message alone, so that after a crash, or with an empty
/// database, the same letter has the same name and can be looked for.
pub fn message_id(purpose: Purpose, about: &Fingerprint, from: &str) -> String {
    let hex: String = about.to_string().chars().take(32).collect();
    let domain = from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    format!("{}.{hex}@{}", purpose.word(), domain.to_ascii_lowercase())
}

/// The purpose of a letter of ours, known by its Message-ID; `None` for any other. A stranger can write such an id as
/// well: it is a reason not to take a message for the team's answer, and never a reason to trust it.
pub fn purpose_of(message_id: &str) -> Option<Purpose> {
    let (local, _) = message_id.split_once('@')?;
    let (word, hex) = local.split_once('.')?;
    let minted = hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    Purpose::ALL.into_iter().find(|p| minted && p.word() == word)
}

/// Local part and domain of an address that may stand in our headers and in our SMTP commands, and none that could end
/// either. Laxer than RFC 5322 in dots (`a..b@`, which real providers hand out), stricter in that nothing is quoted.
pub fn usable_address(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.rsplit_once('@')?;
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let host = |c: char| c.is_alphanumeric() || "-._".contains(c);
    let good = !local.is_empty()
        && local.len() <= 200
        && domain.len() <= 255
        && local.chars().all(atom)
        && domain.chars().all(host)
        && domain.split('.').all(|label| !label.is_empty());
    good.then_some((local, domain))
}

/// The most octets of References that we write: one unfolded line of RFC 5322 section 2.1.1 would hold them.
const MOST_REFERENCES: usize = 900;

/// A picture within a letter (RFC 2392): the HTML names it `cid:NAME`.
#[derive(Clone, PartialEq, Eq)]
pub struct Inline {
    /// Its name, also of its file without `.png`.
    pub name: &'static str,
    /// Its bytes.
    pub png: Vec<u8>,
}

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inline({}, {} bytes)", self.name, self.png.len())
    }
}

/// Everything in a letter but its layout.
pub(crate) struct Draft<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) about: &'a Fingerprint,
    pub(crate) from: &'a Sender,
    pub(crate) envelope_from: Option<String>,
    pub(crate) to: &'a str,
    pub(crate) sent_at: DateTime<Utc>,
    pub(crate) auto_submitted: AutoSubmitted,
    pub(crate) in_reply_to: Option<&'a str>,
    pub(crate) references: &'a [String],
    pub(crate) reference: &'a str,
    pub(crate) due_on: Option<NaiveDate>,
    pub(crate) subject: &'a str,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) pictures: &'a [Inline],
}

impl Draft<'_> {
    /// Writes the message. Two calls with the same facts give the same bytes.
    pub(crate) fn finish(self) -> Result<Letter, WordingError> {
        let mailbox = |name: &str, address: &str| {
            let (local, domain) = usable_address(address)?;
            let name = (!name.is_empty()).then(|| one_line(name));
            Some(Mailbox::new(name, lettre::Address::new_dangerous(local, domain)))
        };
        let from = mailbox(&self.from.name, &self.from.address).ok_or(WordingError::OwnAddress)?;
        let to = mailbox("", self.to).ok_or(WordingError::Recipient)?;
        // Given so that lettre asks for no more; the envelope that counts is the letter's.
        let envelope =
            Envelope::new(None, vec![to.email.clone()]).map_err(|e| WordingError::Build(e.to_string()))?;
        let message_id = message_id(self.purpose, self.about, &self.from.address);
        let auto_submitted = match self.auto_submitted {
            AutoSubmitted::Replied => "auto-replied",
            AutoSubmitted::Generated => "auto-generated",
        };

        let mut message = lettre::Message::builder()
            .envelope(envelope)
            .message_id(Some(format!("<{message_id}>")))
            .date(self.sent_at.into())
            .from(from)
            .to(to)
            .subject(one_line(self.subject));
        let answered = self.in_reply_to.filter(|id| usable_id(id));
        if let Some(id) = answered {
            let id_in_brackets = format!("<{id}>");
            message = message.raw_header(header("In-Reply-To", &id_in_brackets)?);
            message = message.raw_header(header("References", &thread(self.references, id))?);
        }
        // RFC 3834 section 5; the field that every other answering machine should look at.
        message = message.raw_header(header("Auto-Submitted", auto_submitted)?);
        // MS-OXCMAIL 2.1.3.2.20: no out-of-office reply, no receipt, from Exchange, which may not look at Auto-Submitted.
        message = message.raw_header(header("X-Auto-Response-Suppress", "All")?);
        // Known to help desks that look at nothing else. Not `bulk`: it adds nothing against loops to the null path and
        // Auto-Submitted, and mail filters put bulk mail where a parent does not look.
        message = message.raw_header(header("Precedence", "auto_reply")?);
        message = message.raw_header(header("X-Send-Triage-Reference", self.reference)?);
        if let Some(due_on) = self.due_on {
            message = message.raw_header(header("X-Send-Triage-Due", &due_on.to_string())?);
        }
        if self.purpose == Purpose::Alert {
            message = message.raw_header(header("Importance", "high")?);
        }
        message = message.raw_header(header("Content-Language", "en-GB")?);
        let words = MultiPart::alternative()
            .boundary(boundary(&message_id))
            .singlepart(part(ContentType::TEXT_PLAIN, self.text))
            .singlepart(part(ContentType::TEXT_HTML, self.html));
        let body = match self.pictures {
            [] => words,
            pictures => {
                // RFC 2387: the words first, then what they show.
                let related = boundary(&format!("{message_id}/related"));
                let mut body = MultiPart::related().boundary(related).multipart(words);
                for picture in pictures {
                    body = body.singlepart(inline(picture)?);
                }
                body
            }
        };
        let message = message.multipart(body).map_err(|e| WordingError::Build(e.to_string()))?;
        Ok(Letter {
            message_id,
            envelope_from: self.envelope_from,
            envelope_to: self.to.to_owned(),
            raw: message.formatted(),
        })
    }
}

/// Quoted-printable always: long lines and all characters pass through any server, and the bytes are the same each time.
fn part(content_type: ContentType, body: String) -> SinglePart {
    let body = body.replace('\n', "\r\n");
    SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable).body(body)
}

fn inline(picture: &Inline) -> Result<SinglePart, WordingError> {
    let png = ContentType::parse("image/png").map_err(|error| WordingError::Build(error.to_string()))?;
    let file = format!("{}.png", picture.name);
    Ok(Attachment::new_inline_with_name(picture.name.to_owned(), file).body(picture.png.clone(), png))
}

/// A boundary that occurs in no quoted-printable text: there, `=` is always followed by a hex digit or a line end. Nor in a
/// picture, for `_` is no sign of base64.
fn boundary(message_id: &str) -> String {
    let digest = Sha256::digest(message_id.as_bytes());
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("=_send-triage_{hex}")
}

/// A header field whose value is ASCII and already folded where it needs to be.
fn header(name: &'static str, value: &str) -> Result<HeaderValue, WordingError> {
    let safe = value.split("\r\n ").all(|line| line.bytes().all(|b| (b' '..=b'~').contains(&b)));
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|e| WordingError::Build(e.to_string()))?;
    if !safe {
        return Err(WordingError::Build(format!("the value of {name} is not plain text")));
    }
    Ok(HeaderValue::dangerous_new_pre_encoded(name, value.to_owned(), value.to_owned()))
}

/// White space of any kind, line ends above all, becomes one space.
fn one_line(words: &str) -> String {
    words
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a stranger's Message-ID may stand in our headers: visible ASCII, no brackets, of a sensible length.
fn usable_id(id: &str) -> bool {
    (1..=250).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
}

/// References: those of the message, then its own id (RFC 5322 section 3.6.4). Of a long thread the first is kept and as
/// many of the last as fit.
fn thread(references: &[String], answered: &str) -> String {
    let mut ids: Vec<&str> = Vec::new();
    for id in references.iter().map(String::as_str).filter(|id| usable_id(id) && *id != answered) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.push(answered);
    let octets = |ids: &[&str]| ids.iter().map(|id| id.len() + 5).sum::<usize>();
    while octets(&ids) > MOST_REFERENCES && ids.len() > 2 {
        ids.remove(1);
    }
    ids.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_known_again_by_its_message_id() {
        let id = message_id(Purpose::Acknowledgement, &Fingerprint([0xab; 32]), "send@Council.example");
        assert_eq!(id, "ack.abababababababababababababababab@council.example");
        assert_eq!(purpose_of(&id), Some(Purpose::Acknowledgement));
        for other in ["", "ack.abab@council.example", "note.abababababababababababababababab@x", "ack@x"] {
            assert_eq!(purpose_of(other), None, "{other}");
        }
    }

    #[test]
    fn addresses_that_could_end_a_header_or_a_command_are_not_used() {
        for good in
            ["a@b.example", "a..b@c.example", "a.@c.example", "jos\u{e9}@c.example", "o'hara+x@c.example"]
        {
            assert!(usable_address(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b..example",
            "a b@c.example",
            "a@b.example\r\nBcc: x@y.example",
            "a@b.example> SIZE=1",
            "<a@b.example>",
            "\"a\"@b.example",
            "a,b@c.example",
            "a\u{0}@b.example",
        ] {
            assert!(usable_address(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_long_thread_keeps_its_first_and_its_last() {
        let old: Vec<String> = (0..60).map(|n| format!("message-number-{n}@mail.example")).collect();
        let references = thread(&old, "answered@mail.example");
        assert!(
            references.starts_with("<message-number-0@") && references.ends_with("<answered@mail.example>")
        );
        assert!(references.len() < 998 && references.contains("message-number-59"), "{references}");
    }

    #[test]
    fn an_id_that_is_none_is_left_out() {
        let old = vec!["a b@c".to_owned(), "x\r\nBcc: y@z".to_owned(), "good@c.example".to_owned()];
        assert_eq!(thread(&old, "answered@c.example"), "<good@c.example>\r\n <answered@c.example>");
    }
}
