//! Large attachments cut down before the MIME parser sees them: what stands in them is never read, only how long it is.
//!
//! Not a parser. Whole lines are left out of the middle of base64 (RFC 2045 section 6.8) that is regular beyond doubt, four
//! letters at a time, so that every decoder goes through what is left as it would have gone through all of it.
//! Whether the cuts lie where they were meant to is for the parser's caller to see (`parse`).

use super::text::run;

/// Messages smaller than this are parsed as they are.
const WORTH_IT: usize = 8 * 1024;
/// The header section of a part is looked for so far before its body.
const LONGEST_HEAD: usize = 2 * 1024;

/// A message without the middle of its attachments.
pub(super) struct Shortened {
    pub bytes: Vec<u8>,
    pub cuts: Vec<Missing>,
}

/// What is missing.
pub(super) struct Missing {
    /// Where in the shortened bytes.
    pub at: usize,
    /// How many bytes it stands for, decoded.
    pub decoded: usize,
}

/// `raw` cut down, if there is anything to be cut.
pub(super) fn shorten(raw: &[u8]) -> Option<Shortened> {
    if raw.len() < WORTH_IT {
        return None;
    }
    let mut short = Shortened { bytes: Vec::new(), cuts: Vec::new() };
    let (mut at, mut kept) = (0, 0);
    while let Some(body) = next_body(raw, at) {
        let lines = regular(raw.get(body..).unwrap_or_default());
        // The first line and those after the regular ones stay.
        let from = body + lines.length;
        let to = body + lines.length * lines.count;
        if to < from + WORTH_IT / 2 || !is_attached_base64(raw, body) {
            at = to.max(body);
            continue;
        }
        short.bytes.extend_from_slice(raw.get(kept..from)?);
        short
            .cuts
            .push(Missing { at: short.bytes.len(), decoded: (lines.count - 1) * lines.letters / 4 * 3 });
        (at, kept) = (to, to);
    }
    if short.cuts.is_empty() {
        return None;
    }
    short.bytes.extend_from_slice(raw.get(kept..)?);
    Some(short)
}

/// Where, after `at`, the first line after a blank one begins.
fn next_body(raw: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        at += run(raw.get(at..)?, |b| b != b'\n') + 1;
        match raw.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// Lines of one length, in letters of the alphabet alone.
struct Lines {
    /// Of a line, with its end.
    length: usize,
    /// Of a line, without it.
    letters: usize,
    count: usize,
}

fn regular(bytes: &[u8]) -> Lines {
    let letter = |b: u8| b.is_ascii_alphanumeric() | (b == b'+') | (b == b'/');
    let first = bytes.get(..1_000).unwrap_or(bytes);
    let letters = run(first, letter);
    let end: &[u8] = match first.get(letters..) {
        Some([b'\r', b'\n', ..]) => b"\r\n",
        Some([b'\n', ..]) => b"\n",
        _ => b"",
    };
    let length = letters + end.len();
    if letters < 32 || letters % 4 != 0 || end.is_empty() {
        return Lines { length: 0, letters: 0, count: 0 };
    }
    let alike = |line: &&[u8]| {
        line.split_at_checked(letters).is_some_and(|(text, rest)| rest == end && run(text, letter) == letters)
    };
    let count = bytes.chunks_exact(length).take_while(alike).count();
    Lines { length, letters, count }
}

/// Whether the header section that ends before `body` says base64, and a type that is not read.
fn is_attached_base64(raw: &[u8], body: usize) -> bool {
    let before = raw.get(body.saturating_sub(LONGEST_HEAD)..body).unwrap_or_default().trim_ascii_end();
    let (mut encoded, mut attached) = (false, false);
    for line in before.rsplit(|b| *b == b'\n') {
        let line = line.trim_ascii().to_ascii_lowercase();
        if line.is_empty() || line.starts_with(b"--") {
            break;
        }
        if let Some(value) = line.strip_prefix(b"content-transfer-encoding:") {
            encoded |= value.trim_ascii() == b"base64";
        }
        if let Some(value) = line.strip_prefix(b"content-type:") {
            let value = value.trim_ascii();
            attached |= ["application/", "image/", "audio/", "video/", "font/"]
                .iter()
                .any(|kind| value.starts_with(kind.as_bytes()));
        }
    }
    encoded && attached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, lines: usize) -> Vec<u8> {
        let head = format!(
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: BASE64\r\n\r\n"
        );
        let line = format!("{}\r\n", "Ab+/".repeat(19));
        format!("{head}{}QUI=\r\n--x--\r\n", line.repeat(lines)).into_bytes()
    }

    #[test]
    fn the_middle_of_an_attachment_is_left_out() {
        let raw = message("application/pdf", 1_000);
        let short = shorten(&raw).unwrap();
        assert!(short.bytes.len() < 400);
        let [cut] = short.cuts.as_slice() else { panic!("one cut") };
        assert_eq!(cut.decoded, 999 * 57);
        assert!(short.bytes.get(..cut.at).unwrap().ends_with(b"/\r\n"));
        assert!(short.bytes.get(cut.at..).unwrap().starts_with(b"QUI=\r\n--x--"));
    }

    #[test]
    fn what_is_read_small_or_irregular_stays() {
        assert!(shorten(&message("text/plain", 1_000)).is_none());
        assert!(shorten(&message("application/pdf", 20)).is_none());
        let mut raw = message("application/pdf", 1_000);
        let early = raw.iter().position(|b| *b == b'+').unwrap() + 200;
        *raw.get_mut(early).unwrap() = b'-';
        assert!(shorten(&raw).is_none());
    }
}
