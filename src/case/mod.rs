//! One matter that the sender needs answered, and the reference by which people speak of it.

use std::fmt;

pub mod correction;
pub mod escalation;
pub mod history;
pub mod joining;
pub mod life;
pub mod owed;
pub mod reply;
pub mod words;

pub use correction::{Correction, Labels};
pub use life::{Fact, Happening, Matter, Standing, State, Step};

use crate::message::Fingerprint;

/// `SEND-7K4M-2Q9X`: made from the message's fingerprint, so that a restart, or an empty database, gives the same one.
/// Crockford's base 32 without I, L, O, U: it survives being read out on the telephone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(String);

impl Reference {
    /// The reference of the case that this message opens. `salt` is 0; a collision takes the next number.
    pub fn of(fingerprint: &Fingerprint, salt: u8) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bits =
            fingerprint.0.iter().skip(usize::from(salt)).take(5).fold(0u64, |n, b| n << 8 | u64::from(*b));
        let letter = |i: u32| ALPHABET.get((bits >> (5 * i) & 31) as usize).copied().unwrap_or(b'0') as char;
        let (head, tail): (String, String) =
            ((4..8).rev().map(letter).collect(), (0..4).rev().map(letter).collect());
        Self(format!("SEND-{head}-{tail}"))
    }

    /// A reference read back from the record.
    pub fn from_record(text: String) -> Self {
        Self(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
