//! What a certificate says of itself (X.509, RFC 5280 section 4.1): from when until when it serves, and whose key it is; and
//! what the servers' certificates said when they were last seen. Whether a certificate is to be trusted is TLS's to judge.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// From when until when a certificate serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// Not before.
    pub from: DateTime<Utc>,
    /// Not after.
    pub until: DateTime<Utc>,
}

impl Validity {
    /// How long it serves in all.
    pub fn life(&self) -> TimeDelta {
        self.until - self.from
    }
}

/// From when until when this certificate (DER) serves; `None`: it is none.
pub fn validity(der: &[u8]) -> Option<Validity> {
    let (_, validity, _) = element(after_issuer(der)?)?;
    let (from_kind, from, rest) = element(validity)?;
    let (until_kind, until, _) = element(rest)?;
    Some(Validity { from: instant(from_kind, from)?, until: instant(until_kind, until)? })
}

/// The public key in this certificate (DER), as its algorithm writes one; `None`: it is no certificate.
pub fn public_key(der: &[u8]) -> Option<&[u8]> {
    let (_, _, after_validity) = element(after_issuer(der)?)?;
    let (_, _, after_subject) = element(after_validity)?;
    let (_, key, _) = element(after_subject)?;
    let (_, _, bits) = element(key)?; // The algorithm.
    let (kind, bits, _) = element(bits)?;
    // A BIT STRING begins with the number of bits that its last octet does not use.
    if kind == 0x03 { bits.strip_prefix(&[0]) } else { None }
}

/// What stands in a certificate after its issuer.
pub(crate) fn after_issuer(der: &[u8]) -> Option<&[u8]> {
    let (_, certificate, _) = element(der)?;
    let (_, mut body, _) = element(certificate)?;
    if body.first() == Some(&0xa0) {
        body = element(body)?.2; // version
    }
    for _ in 0..3 {
        body = element(body)?.2; // serial number, signature algorithm, issuer
    }
    Some(body)
}

/// UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5).
fn instant(kind: u8, text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?;
    let full = if kind == 0x17 {
        let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
        format!("{century}{text}")
    } else {
        text.to_owned()
    };
    Some(NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%SZ").ok()?.and_utc())
}

/// One DER element: its tag, its content, and what follows.
pub(crate) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count > 4 {
            return None;
        }
        let length =
            rest.get(..count)?.iter().fold(0usize, |length, byte| (length << 8) | usize::from(*byte));
        (length, rest.get(count..)?)
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// A server's certificate as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCertificate {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// From when until when it serves.
    pub validity: Validity,
}

/// The servers' certificates, noted at each connection: nobody connects only to look at one. Clones are the same book.
#[derive(Clone, Default)]
pub struct Seen(Rc<RefCell<BTreeMap<(String, u16), Validity>>>);

impl Seen {
    /// Notes the certificate (DER) that a server has just shown.
    pub fn note(&self, host: &str, port: u16, der: &[u8]) {
        if let Some(validity) = validity(der) {
            self.0.borrow_mut().insert((host.to_ascii_lowercase(), port), validity);
        }
    }

    /// What was seen before, in an earlier run: it counts until a server shows another one.
    pub fn remember(&self, before: &[ServerCertificate]) {
        let mut seen = self.0.borrow_mut();
        for one in before {
            seen.entry((one.host.to_ascii_lowercase(), one.port)).or_insert(one.validity);
        }
    }

    /// All that were seen, by name and port.
    pub fn all(&self) -> Vec<ServerCertificate> {
        let seen = self.0.borrow();
        let one = |((host, port), validity): (&(String, u16), &Validity)| ServerCertificate {
            host: host.clone(),
            port: *port,
            validity: *validity,
        };
        seen.iter().map(one).collect()
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({} certificates)", self.0.borrow().len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A certificate of these parts, as far as it is read: no version, RSA, the key `k`.
    fn certificate(from: &str, until: &str) -> Vec<u8> {
        let tagged = |tag: u8, content: &[u8]| {
            let mut der = vec![tag, 0x81, u8::try_from(content.len()).unwrap()];
            der.extend_from_slice(content);
            der
        };
        let time = |text: &str| tagged(if text.len() == 13 { 0x17 } else { 0x18 }, text.as_bytes());
        let body = [
            tagged(0x02, &[1]),
            tagged(0x30, &[]),
            tagged(0x30, &[]),
            tagged(0x30, &[time(from), time(until)].concat()),
            tagged(0x30, &[]),
            tagged(0x30, &[tagged(0x30, &[]), tagged(0x03, b"\0k")].concat()),
        ];
        tagged(0x30, &tagged(0x30, &body.concat()))
    }

    #[test]
    fn both_forms_of_a_date_are_read_and_so_is_the_key() {
        let der = certificate("260101000000Z", "20501231235959Z");
        let Validity { from, until } = validity(&der).unwrap();
        assert_eq!(from.to_string(), "2026-01-01 00:00:00 UTC");
        assert_eq!(until.to_string(), "2050-12-31 23:59:59 UTC");
        assert_eq!(public_key(&der), Some(&b"k"[..]));
        assert_eq!(
            validity(&certificate("991231000000Z", "000101000000Z")).unwrap().from.to_string(),
            "1999-12-31 00:00:00 UTC"
        );
    }

    #[test]
    fn the_last_certificate_that_a_server_showed_is_the_one_that_counts() {
        let seen = Seen::default();
        let clone = seen.clone();
        clone.note("Mail.Example", 993, &certificate("260101000000Z", "260401000000Z"));
        clone.note("mail.example", 993, &certificate("260301000000Z", "260601000000Z"));
        clone.note("mail.example", 993, b"no certificate");
        let all = seen.all();
        assert_eq!((all.len(), all[0].validity.until.to_string()), (1, "2026-06-01 00:00:00 UTC".to_owned()));
    }

    proptest! {
        #[test]
        fn whatever_a_server_shows_is_read_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..120) {
            let _ = (validity(&bytes), public_key(&bytes));
            let whole = certificate("260101000000Z", "260401000000Z");
            let cut = &whole[..cut.min(whole.len())];
            let _ = (validity(cut), public_key(cut));
        }
    }
}
