//! Messages of an mbox file, one after the other, in bounded memory. Only read: nothing can be filed into it.
//!
//! RFC 4155 and the habits of programs that export mail: a line `From somebody date` before each message, and lines of the
//! text that look like one marked with `>`. Many programs do not mark them, so a line counts as a divider only when it
//! has a date (or, as newer Thunderbirds write it, nothing at all after an empty line) and a header field follows it.

use std::io::{self, BufRead};

use chrono::{DateTime, NaiveDateTime, Utc};

/// So much of a line is looked at; the rest belongs to it all the same.
const LINE_BYTES: usize = 64 << 10;
/// A divider is no longer.
const DIVIDER_BYTES: usize = 1_000;

/// One message of an mbox. `Debug` is not derived: bytes are people's words.
pub struct MboxMessage {
    /// The date of its `From ` line, taken as UTC where it names no zone.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Its bytes without the `From ` line and the marks, or the first part of them when it is large.
    pub bytes: Vec<u8>,
    /// How long it is as a whole.
    pub size_bytes: usize,
}

/// The messages of an mbox.
pub struct Mbox<R> {
    reader: R,
    /// At most so many bytes of a message are kept.
    keep_bytes: usize,
    message: Option<MboxMessage>,
    /// A line that may be a divider: the next line tells.
    candidate: Option<Candidate>,
    after_empty_line: bool,
    /// A line was cut at [`LINE_BYTES`]; what follows is its rest.
    within_line: bool,
    ended: bool,
}

struct Candidate {
    line: Vec<u8>,
    delivered_at: Option<DateTime<Utc>>,
}

impl<R: BufRead> Mbox<R> {
    /// Reads messages from `reader`, of each at most `keep_bytes`.
    pub fn new(reader: R, keep_bytes: usize) -> Self {
        Self {
            reader,
            keep_bytes,
            message: None,
            candidate: None,
            after_empty_line: true,
            within_line: false,
            ended: false,
        }
    }

    /// Takes in one line; returns the message that it ends.
    fn take(&mut self, line: Vec<u8>) -> Option<MboxMessage> {
        let mut finished = None;
        if let Some(candidate) = self.candidate.take() {
            if is_header_field(&line) {
                finished = self.message.take();
                self.message = Some(MboxMessage {
                    delivered_at: candidate.delivered_at,
                    bytes: Vec::new(),
                    size_bytes: 0,
                });
            } else {
                self.keep(&candidate.line);
                self.after_empty_line = false;
            }
        }
        if !self.within_line
            && let Some(delivered_at) = divider(&line, self.after_empty_line)
        {
            self.candidate = Some(Candidate { line, delivered_at });
            return finished;
        }
        let marked = !self.within_line && is_marked(&line);
        self.after_empty_line = !self.within_line && matches!(line.as_slice(), b"\n" | b"\r\n");
        self.within_line = line.last() != Some(&b'\n');
        self.keep(line.get(usize::from(marked)..).unwrap_or_default());
        finished
    }

    /// Adds to the message at hand. What stands before the first divider belongs to none.
    fn keep(&mut self, line: &[u8]) {
        let Some(message) = &mut self.message else { return };
        message.size_bytes = message.size_bytes.saturating_add(line.len());
        let room = self.keep_bytes.saturating_sub(message.bytes.len());
        message.bytes.extend_from_slice(line.get(..line.len().min(room)).unwrap_or_default());
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = io::Result<MboxMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match line(&mut self.reader) {
                Ok(line) if line.is_empty() => self.ended = true,
                Ok(line) => {
                    if let Some(message) = self.take(line) {
                        return Some(Ok(message));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        if let Some(candidate) = self.candidate.take() {
            self.keep(&candidate.line);
        }
        self.message.take().map(Ok)
    }
}

/// Whether a file begins as an mbox does.
pub fn is_mbox(start: &[u8]) -> bool {
    let mut lines = start.splitn(3, |byte| *byte == b'\n');
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    divider(first, true).is_some() && is_header_field(second)
}

/// The next line with its end, or the first [`LINE_BYTES`] of it; empty at the end.
fn line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.len() < LINE_BYTES {
        let read = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let room = read.get(..read.len().min(LINE_BYTES - line.len())).unwrap_or_default();
        let end = room.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let taken = room.get(..end.unwrap_or(room.len())).unwrap_or_default();
        line.extend_from_slice(taken);
        let length = taken.len();
        reader.consume(length);
        if end.is_some() || length == 0 {
            break;
        }
    }
    Ok(line)
}

/// Whether a line divides messages, and the date on it. `Some(None)`: it does, without a date.
fn divider(line: &[u8], after_empty_line: bool) -> Option<Option<DateTime<Utc>>> {
    if line.len() > DIVIDER_BYTES {
        return None;
    }
    let rest = line.strip_prefix(b"From ")?;
    let rest = String::from_utf8_lossy(rest);
    if rest.trim().is_empty() {
        return after_empty_line.then_some(None);
    }
    let delivered_at = date(&rest);
    (delivered_at.is_some() && (after_empty_line || !rest.starts_with(' '))).then_some(delivered_at)
}

/// The date on a divider: `Thu Sep  3 08:12:00 2026`, with a zone before or after the year, or none.
fn date(rest: &str) -> Option<DateTime<Utc>> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let time = words.iter().position(|word| word.matches(':').count() >= 1 && starts_with_digit(word))?;
    let (month, day) = (words.get(time.checked_sub(2)?)?, words.get(time - 1)?);
    let after = words.get(time + 1..)?;
    let year = after.iter().find(|word| word.len() == 4 && word.chars().all(|c| c.is_ascii_digit()))?;
    let zone = after.iter().find(|word| word.len() == 5 && word.starts_with(['+', '-']));
    let time = words.get(time)?;
    let seconds = if time.matches(':').count() == 1 { ":00" } else { "" };
    let written = format!("{day} {month} {year} {time}{seconds}");
    match zone {
        Some(zone) => DateTime::parse_from_str(&format!("{written} {zone}"), "%d %b %Y %H:%M:%S %z")
            .ok()
            .map(|at| at.with_timezone(&Utc)),
        None => NaiveDateTime::parse_from_str(&written, "%d %b %Y %H:%M:%S").ok().map(|at| at.and_utc()),
    }
}

fn starts_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// `Name: value` (RFC 5322 section 2.2), or a `>From ` line, which some programs put first.
fn is_header_field(line: &[u8]) -> bool {
    if line.starts_with(b">From ") {
        return true;
    }
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let name = name.trim_ascii_end();
    name.len() < line.len() && !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'))
}

/// `>From `, `>>From `, ...: one mark is taken away again.
fn is_marked(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<MboxMessage> {
        Mbox::new(text.as_bytes(), 1 << 20).map(Result::unwrap).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        read(text).into_iter().map(|message| String::from_utf8(message.bytes).unwrap()).collect()
    }

    #[test]
    fn messages_are_divided_and_marks_taken_away() {
        let mbox = "From a@home.example Thu Sep  3 08:12:00 2026\nSubject: One\n\n>From the start.\n>>From deeper.\n> From a quote\n\n\
                    From b@home.example Fri Sep 04 09:00:01 +0100 2026\r\nSubject: Two\r\n\r\nHello.\r\n";
        assert_eq!(
            texts(mbox),
            [
                "Subject: One\n\nFrom the start.\n>From deeper.\n> From a quote\n\n",
                "Subject: Two\r\n\r\nHello.\r\n"
            ]
        );
        let dates: Vec<_> = read(mbox).iter().map(|m| m.delivered_at.unwrap().to_rfc3339()).collect();
        assert_eq!(dates, ["2026-09-03T08:12:00+00:00", "2026-09-04T08:00:01+00:00"]);
    }

    #[test]
    fn a_sentence_that_begins_with_from_does_not_cut_a_message_in_two() {
        let mbox = "From - Thu Sep  3 08:12:00 2026\nSubject: One\n\nHello.\n\nFrom September he has had no school.\n\
                    From Monday 7 Sep 08:30 2026 on\nhe is out.\n\nFrom \nnow on.\n";
        assert_eq!(texts(mbox).len(), 1);
        assert!(texts(mbox)[0].contains("From September") && texts(mbox)[0].ends_with("From \nnow on.\n"));
    }

    #[test]
    fn dividers_of_other_programs_are_known() {
        for divider in [
            "From - Thu Sep 03 08:12:00 2026",
            "From 17@xxx Thu Sep 03 08:12:00 +0000 2026",
            "From a b c Thu Sep  3 08:12 2026",
            "From MAILER-DAEMON Thu Sep  3 08:12:00 GMT 2026",
            "From ",
        ] {
            let mbox = format!("{divider}\nSubject: One\n\nA\n\n{divider}\nSubject: Two\n\nB\n");
            assert_eq!(texts(&mbox).len(), 2, "{divider}");
            assert!(is_mbox(mbox.as_bytes()), "{divider}");
        }
        assert!(!is_mbox(b"Received: from x\nSubject: One\n"));
        assert!(!is_mbox(b"From: a@home.example\nSubject: One\n"));
        assert!(texts("").is_empty() && texts("Dear all,\n\nno mbox.\n").is_empty());
    }

    #[test]
    fn a_large_message_is_kept_in_part_and_the_next_is_found() {
        let long = "x".repeat(300_000);
        let mbox = format!(
            "From - Thu Sep  3 08:12:00 2026\nSubject: One\n\n{long}\n{long}\n\nFrom - Thu Sep  3 08:12:00 2026\nSubject: Two\n\nB"
        );
        let all: Vec<MboxMessage> = Mbox::new(mbox.as_bytes(), 1000).map(Result::unwrap).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].bytes.len(), all[0].size_bytes > 600_000), (1000, true));
        assert_eq!(all[1].bytes, b"Subject: Two\n\nB");
    }

    proptest::proptest! {
        /// What is written by the book is read back as it was, whatever stands in it.
        #[test]
        fn what_was_quoted_comes_back(bodies in proptest::collection::vec("(>{0,2}From [a-z ]{0,9}\n|[a-zA-Z >:\n]{0,30}\n){0,6}", 1..5)) {
            let mut mbox = String::new();
            for body in &bodies {
                mbox.push_str("From a@home.example Thu Sep  3 08:12:00 2026\nSubject: x\n\n");
                for line in body.split_inclusive('\n') {
                    let quoted = line.trim_start_matches('>').starts_with("From ");
                    mbox.push_str(if quoted { ">" } else { "" });
                    mbox.push_str(line);
                }
            }
            let wanted: Vec<String> = bodies.iter().map(|body| format!("Subject: x\n\n{body}")).collect();
            proptest::prop_assert_eq!(texts(&mbox), wanted);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
            let kept: usize = Mbox::new(bytes.as_slice(), 500).map(|m| m.unwrap().bytes.len()).sum();
            proptest::prop_assert!(kept <= bytes.len());
        }
    }
}
