//! What we say: finished emails, with their headers (RFC 5322, RFC 3834) and a Message-ID made before sending.

use std::fmt;

use serde::{Deserialize, Serialize};

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
