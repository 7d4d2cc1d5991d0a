//! For which servers a certificate is, and who issued it: read for people, in `doctor`. How long it serves stands in
//! [`crate::certificate`]. RFC 5280 section 4.1 (DER, X.690).

use crate::certificate::{after_issuer, element};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
/// Object identifiers as they stand in DER: id-ce-subjectAltName, id-at-commonName, id-at-organizationName.
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const ORGANISATION: [u8; 3] = [0x55, 0x04, 0x0a];

/// The names of servers that a certificate (DER) is for.
pub(super) fn names(der: &[u8]) -> Vec<String> {
    after_issuer(der).and_then(element).and_then(|(_, _, rest)| alternative_names(rest)).unwrap_or_default()
}

/// Who issued it: the common name, or else the organisation.
pub(super) fn issuer(der: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(der)?;
    let (_, body, _) = element(certificate)?;
    // The name before the validity: version, serial number and algorithm stand before it.
    let at = if body.first() == Some(&VERSION) { 3 } else { 2 };
    let (_, issuer) = children(body).nth(at)?;
    named(issuer)
}

/// The names in the subjectAltName, from what follows the validity.
fn alternative_names(after_validity: &[u8]) -> Option<Vec<String>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const UTC_TIME: u8 = 0x17;

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
        let extension = der(SEQUENCE, &[&der(6, &[&SUBJECT_ALT_NAME]), &der(4, &[&der(SEQUENCE, &dns)])]);
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
    fn names_and_issuer_are_read() {
        let whole = certificate(b"270131120000Z", &["imap.council.example", "mail.council.example"]);
        assert_eq!(names(&whole), ["imap.council.example", "mail.council.example"]);
        assert_eq!(issuer(&whole).as_deref(), Some("Council CA"));
    }

    #[test]
    fn a_broken_certificate_says_nothing_and_does_no_harm() {
        let whole = certificate(b"270131120000Z", &["a.example"]);
        for end in 0..whole.len() {
            names(&whole[..end]);
            issuer(&whole[..end]);
        }
        assert_eq!((names(b""), issuer(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff])), (vec![], None));
    }
}
