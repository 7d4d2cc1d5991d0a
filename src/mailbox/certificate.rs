//! What a server's certificate says: for which names it is, who issued it, and until when. Only read here; whether it is
//! trusted is rustls' to say. RFC 5280 section 4.1 (DER, X.690).

use chrono::{DateTime, NaiveDateTime, Utc};

/// A server's certificate, as far as people ask about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The instant after which it is no longer valid.
    pub ends_at: DateTime<Utc>,
    /// The names of servers that it is for (subjectAltName).
    pub names: Vec<String>,
    /// Who issued it: the common name, or else the organisation.
    pub issuer: Option<String>,
}

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
/// Object identifiers as they stand in DER: id-ce-subjectAltName, id-at-commonName, id-at-organizationName.
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const ORGANISATION: [u8; 3] = [0x55, 0x04, 0x0a];

impl Certificate {
    /// Reads a certificate in DER; `None` when it is not one.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate, _) = element(der)?;
        let (_, mut body, _) = element(certificate)?;
        if body.first() == Some(&VERSION) {
            body = element(body)?.2;
        }
        for _ in 0..2 {
            body = element(body)?.2; // serial number, signature algorithm
        }
        let (_, issuer, body) = element(body)?;
        let (_, validity, body) = element(body)?;
        let (_, _, ends) = element(validity)?;
        let (kind, text, _) = element(ends)?;
        let ends_at = instant(kind, std::str::from_utf8(text).ok()?)?;
        Some(Self { ends_at, names: names(body).unwrap_or_default(), issuer: named(issuer) })
    }

    /// Whole days until it ends; negative when it has ended.
    pub fn days_left(&self, now: DateTime<Utc>) -> i64 {
        (self.ends_at - now).num_days()
    }
}

fn instant(kind: u8, text: &str) -> Option<DateTime<Utc>> {
    let full = if kind == UTC_TIME {
        let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
        format!("{century}{text}")
    } else {
        text.to_owned()
    };
    Some(NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%SZ").ok()?.and_utc())
}

/// The names in the subjectAltName, from what follows the validity.
fn names(after_validity: &[u8]) -> Option<Vec<String>> {
    let extensions = children(after_validity).find(|(tag, _)| *tag == EXTENSIONS)?.1;
    let (_, list, _) = element(extensions)?;
    let of_names = children(list).find_map(|(_, extension)| {
        let mut parts = children(extension);
        let (_, id) = parts.next()?;
        (id == SUBJECT_ALT_NAME).then(|| parts.last()).flatten()
    })?;
    let (_, general_names, _) = element(of_names.1)?;
    let dns = children(general_names).filter(|(tag, _)| *tag == DNS_NAME);
    Some(dns.map(|(_, name)| String::from_utf8_lossy(name).into_owned()).collect())
}

/// The common name within a distinguished name, or else the organisation.
fn named(name: &[u8]) -> Option<String> {
    let value_of = |wanted: [u8; 3]| {
        children(name).flat_map(|(_, set)| children(set)).find_map(|(tag, pair)| {
            let mut parts = children(pair);
            let (_, id) = parts.next()?;
            (tag == SEQUENCE && id == wanted)
                .then(|| parts.next())
                .flatten()
                .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        })
    };
    value_of(COMMON_NAME).or_else(|| value_of(ORGANISATION))
}

/// The elements that stand side by side, each its tag and its content.
fn children(mut der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = element(der)?;
        der = rest;
        Some((tag, content))
    })
}

/// One DER element: its tag, its content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of this tag.
    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let mut out = vec![tag];
        match content.len() {
            short @ 0..0x80 => out.push(u8::try_from(short).unwrap()),
            long => out.extend([0x82, u8::try_from(long >> 8).unwrap(), u8::try_from(long & 0xff).unwrap()]),
        }
        out.extend(content);
        out
    }

    fn certificate(ends: &[u8], names: &[&str]) -> Vec<u8> {
        let name = |oid: &[u8; 3], value: &str| {
            der(0x31, &[&der(SEQUENCE, &[&der(6, &[oid]), &der(0x0c, &[value.as_bytes()])])])
        };
        let issuer = der(SEQUENCE, &[&name(&ORGANISATION, "Council"), &name(&COMMON_NAME, "Council CA")]);
        let validity = der(SEQUENCE, &[&der(UTC_TIME, &[b"260101000000Z"]), &der(UTC_TIME, &[ends])]);
        let dns: Vec<Vec<u8>> = names.iter().map(|name| der(DNS_NAME, &[name.as_bytes()])).collect();
        let dns: Vec<&[u8]> = dns.iter().map(Vec::as_slice).collect();
        let extension =
            der(SEQUENCE, &[&der(6, &[&SUBJECT_ALT_NAME]), &der(4, &[&der(SEQUENCE, &dns)])]);
        let extensions = der(EXTENSIONS, &[&der(SEQUENCE, &[&extension])]);
        let body = [
            der(VERSION, &[&der(2, &[&[2]])]),
            der(2, &[&[1]]),
            der(SEQUENCE, &[]),
            issuer,
            validity,
            der(SEQUENCE, &[]),
            der(SEQUENCE, &[]),
            extensions,
        ];
        let body: Vec<&[u8]> = body.iter().map(Vec::as_slice).collect();
        der(SEQUENCE, &[&der(SEQUENCE, &body)])
    }

    #[test]
    fn end_names_and_issuer_are_read() {
        let names = ["imap.council.example", "mail.council.example"];
        let read = Certificate::read(&certificate(b"270131120000Z", &names)).unwrap();
        assert_eq!(read.ends_at.to_rfc3339(), "2027-01-31T12:00:00+00:00");
        assert_eq!(read.names, names);
        assert_eq!(read.issuer.as_deref(), Some("Council CA"));
        assert_eq!(read.days_left("2027-01-01T12:00:00Z".parse().unwrap()), 30);
        assert!(read.days_left("2027-02-03T12:00:00Z".parse().unwrap()) < 0);
    }

    #[test]
    fn a_broken_certificate_says_nothing_and_does_no_harm() {
        let whole = certificate(b"270131120000Z", &["a.example"]);
        for end in 0..whole.len() {
            Certificate::read(&whole[..end]);
        }
        assert_eq!(Certificate::read(b""), None);
        assert_eq!(Certificate::read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(Certificate::read(&certificate(b"no date", &[])), None);
    }
}
