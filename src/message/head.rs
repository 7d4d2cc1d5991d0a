//! The header section read plainly: fields unfolded, RFC 2047 words decoded, eight-bit bytes made readable.
//!
//! Structure (addresses, dates, MIME types) is the parser's business in `parse`; this is also what is left
//! when that one fails. RFC 5322 section 2.2, RFC 2047.

use std::borrow::Cow;

use super::Header;
use super::charset;
use super::text::{is_invisible, is_space, printable, run};

/// Fields beyond this are not looked at; no honest message has them.
pub(super) const MOST_FIELDS: usize = 1_000;
/// A field is read so far, in bytes.
const LONGEST_FIELD: usize = 32 * 1024;

/// The header section of a message.
#[derive(Default)]
pub(super) struct Head {
    pub fields: Vec<Header>,
    /// Where the message begins: after blank lines and an mbox "From " line.
    pub start: usize,
    /// Where the body begins.
    pub body: usize,
    pub too_many: bool,
    /// A field has bytes that are not UTF-8, or a charset name that the parser does not know.
    pub needs_repair: bool,
    /// At least one field that only a message has.
    pub plausible: bool,
}

impl Head {
    /// The value of the first field of this name.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// The values of all fields of this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|f| f.value.as_str())
    }
}

/// Reads the fields in front of `raw`.
pub(super) fn read(raw: &[u8]) -> Head {
    let mut head = Head::default();
    let mut at = 0;
    let mut open: Option<(&[u8], Cow<'_, [u8]>)> = None;
    let mut begun = false;
    while at < raw.len() {
        let rest = raw.get(at..).unwrap_or_default();
        let length = (run(rest, |b| b != b'\n') + 1).min(rest.len());
        let line = trimmed(rest.get(..length).unwrap_or_default());
        if !begun
            && (line.iter().all(u8::is_ascii_whitespace)
                || line.starts_with(b"From ")
                || line.starts_with(b">From "))
        {
            at += length;
            head.start = at;
            continue;
        }
        begun = true;
        if line.is_empty() {
            at += length;
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = &mut open
                && value.len() < LONGEST_FIELD
            {
                let value = value.to_mut();
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii_start());
            }
            at += length;
            continue;
        }
        let Some((name, value)) = split(line) else {
            if head.fields.is_empty() && open.is_none() {
                // No header at all: everything is body.
                break;
            }
            at += length;
            continue;
        };
        close(&mut head, open.take());
        open = Some((name, Cow::Borrowed(value.trim_ascii())));
        at += length;
    }
    close(&mut head, open);
    head.body = at;
    head
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().take(120).position(|b| *b == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let proper = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    proper.then(|| (name, line.get(colon + 1..).unwrap_or_default()))
}

fn close(head: &mut Head, field: Option<(&[u8], Cow<'_, [u8]>)>) {
    let Some((name, value)) = field else { return };
    if head.fields.len() >= MOST_FIELDS {
        head.too_many = true;
        return;
    }
    let value = value.get(..LONGEST_FIELD).unwrap_or(&value);
    let name = String::from_utf8_lossy(name).into_owned();
    head.needs_repair |= std::str::from_utf8(value).is_err();
    head.plausible = head.plausible || KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known));
    head.fields.push(Header { name, value: decode(value) });
}

const KNOWN: &[&str] = &[
    "from",
    "to",
    "subject",
    "date",
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "content-type",
    "sender",
    "reply-to",
    "delivered-to",
    "cc",
    "x-mailer",
];

/// A header value in Unicode: encoded words decoded, neighbours of one charset together, because some clients cut a
/// character in two between them.
pub(super) fn decode(value: &[u8]) -> String {
    let plain = charset::lenient(value);
    if !plain.contains("=?") {
        return one_line(plain);
    }
    let mut out = String::with_capacity(plain.len());
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = plain.as_str();
    while let Some(start) = rest.find("=?") {
        let (before, from_word) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let Some((charset, bytes, length)) = word(from_word) else {
            flush(&mut out, &mut pending);
            out.push_str(before);
            out.push_str("=?");
            rest = from_word.get(2..).unwrap_or_default();
            continue;
        };
        let adjacent = before.chars().all(char::is_whitespace);
        match &mut pending {
            Some((known, held)) if adjacent && known.eq_ignore_ascii_case(&charset) => held.extend(bytes),
            _ => {
                let follows_word = pending.is_some();
                flush(&mut out, &mut pending);
                // White space between two encoded words is not shown (RFC 2047 section 6.2).
                if !(adjacent && follows_word) {
                    out.push_str(before);
                }
                pending = Some((charset, bytes));
            }
        }
        rest = from_word.get(length..).unwrap_or_default();
    }
    flush(&mut out, &mut pending);
    out.push_str(rest);
    one_line(out)
}

fn flush(out: &mut String, pending: &mut Option<(String, Vec<u8>)>) {
    if let Some((charset, bytes)) = pending.take() {
        out.push_str(&charset::decode(bytes.into(), Some(&charset)).text);
    }
}

/// One encoded word at the start of `source`: charset, decoded bytes, and its length.
fn word(source: &str) -> Option<(String, Vec<u8>, usize)> {
    let inside = source.strip_prefix("=?")?;
    let (charset, rest) = inside.split_once('?')?;
    if charset.is_empty() || charset.len() > 40 || charset.contains(char::is_whitespace) {
        return None;
    }
    let (encoding, rest) = rest.split_once('?')?;
    let text_end = rest.find('?')?;
    if rest.as_bytes().get(text_end + 1) != Some(&b'=') {
        return None;
    }
    let text = rest.get(..text_end)?;
    let bytes = match encoding {
        "B" | "b" => charset::base64(text.as_bytes()),
        "Q" | "q" => charset::quoted_printable(text.as_bytes(), true),
        _ => return None,
    };
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + text_end + 2;
    // RFC 2231 section 5 allows a language after the charset.
    let charset = charset.split('*').next().unwrap_or(charset).to_owned();
    Some((charset, bytes, length))
}

fn one_line(value: String) -> String {
    if printable(value.as_bytes()) == value.len()
        && !value.contains("  ")
        && !value.starts_with(' ')
        && !value.ends_with(' ')
    {
        return value;
    }
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c == '\n' || c == '\r' || is_space(c) {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !is_invisible(c) && !c.is_control() {
            out.push(c);
        }
    }
    out.trim().to_owned()
}

/// The header section written anew in UTF-8, followed by the rest of `raw`: for a parser that expects no less.
pub(super) fn repaired(raw: &[u8], head: &Head) -> Vec<u8> {
    let section = raw.get(head.start..head.body).unwrap_or_default();
    let mut out = Vec::with_capacity(raw.len() + 64);
    out.extend_from_slice(charset::lenient(section).as_bytes());
    out.extend_from_slice(raw.get(head.body..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words() {
        for (value, wanted) in [
            ("=?utf-8?Q?Zo=C3=AB?= and =?iso-8859-1?Q?Zo=EB_Hill?=", "Zoë and Zoë Hill"),
            ("=?utf-8?B?w4k=?=\r\n =?utf-8?B?w4k=?=", "ÉÉ"),
            ("=?utf-8?Q?Zo=C3?= =?utf-8?Q?=AB?=", "Zoë"),
            ("=?cp932?B?g2WDWINn?=", "テスト"),
            ("=?us-ascii?Q?Zo=C3=AB?=", "Zoë"),
            ("=?utf-8*en?Q?a?=", "a"),
            ("=?broken and =?utf-8?Q?fine?=", "=?broken and fine"),
            ("Re:  what\tnow", "Re: what now"),
        ] {
            assert_eq!(decode(value.as_bytes()), wanted);
        }
        assert_eq!(decode(b"Zo\xEB"), "Zoë");
    }

    #[test]
    fn fields_are_unfolded_and_counted() {
        let head = read(b"\r\nFrom x Mon\r\nSubject: a\r\n b\r\nX-Y : c\r\nnonsense\r\nTo: d\r\n\r\nbody");
        let values: Vec<_> = head.fields.iter().map(|f| (f.name.as_str(), f.value.as_str())).collect();
        assert_eq!(values, [("Subject", "a b"), ("X-Y", "c"), ("To", "d")]);
        assert!(head.plausible);
        let bomb = "X: y\r\n".repeat(MOST_FIELDS + 5);
        let head = read(bomb.as_bytes());
        assert!(head.too_many);
        assert_eq!(head.fields.len(), MOST_FIELDS);
    }

    #[test]
    fn bytes_without_header_have_none() {
        let head = read(b"\x00\xFFgarbage\nmore");
        assert!(head.fields.is_empty() && !head.plausible);
        assert_eq!(head.body, 0);
    }
}
