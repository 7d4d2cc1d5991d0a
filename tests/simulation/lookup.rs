//! What SEARCH finds and FETCH shows of one message, as far as the program asks for it. RFC 3501 sections 6.4.4 and 6.4.5.

use chrono::NaiveDate;

use super::store::Mail;

/// The answer to FETCH for the message with this sequence number.
pub fn fetched(mail: &Mail, at: usize, items: &str) -> Vec<u8> {
    let mut answer = format!("* {at} FETCH (UID {}", mail.uid).into_bytes();
    if items.contains("INTERNALDATE") {
        let date = mail.received_at.format(" INTERNALDATE \"%d-%b-%Y %H:%M:%S +0000\"");
        answer.extend(date.to_string().into_bytes());
    }
    if items.contains("RFC822.SIZE") {
        answer.extend(format!(" RFC822.SIZE {}", mail.bytes.len()).into_bytes());
    }
    let body = if let Some((_, fields)) = items.split_once("HEADER.FIELDS (") {
        let fields = fields.split(')').next().unwrap_or_default();
        Some((format!("[HEADER.FIELDS ({fields})]"), header_lines(mail, fields).into_bytes()))
    } else if let Some((_, part)) = items.split_once("BODY.PEEK[]<") {
        let (offset, length) = part.split_once('.').unwrap();
        let offset: usize = offset.parse().unwrap();
        let length: usize = length.split('>').next().unwrap().parse().unwrap();
        let end = mail.bytes.len().min(offset.saturating_add(length));
        let bytes = mail.bytes.get(offset..end).unwrap_or_default();
        Some((format!("[]<{offset}>"), bytes.to_vec()))
    } else {
        items.contains("BODY.PEEK[]").then(|| ("[]".to_owned(), mail.bytes.to_vec()))
    };
    if let Some((section, bytes)) = body {
        answer.extend(format!(" BODY{section} {{{}}}\r\n", bytes.len()).into_bytes());
        answer.extend(bytes);
    }
    answer.extend_from_slice(b")\r\n");
    answer
}

fn header_lines(mail: &Mail, fields: &str) -> String {
    let header = String::from_utf8_lossy(mail.header()).into_owned();
    let wanted = |line: &&str| {
        fields.split(' ').any(|field| {
            line.get(..field.len() + 1).is_some_and(|start| start.eq_ignore_ascii_case(&format!("{field}:")))
        })
    };
    let lines = header.split("\r\n").filter(wanted).map(|line| format!("{line}\r\n"));
    lines.collect::<String>() + "\r\n"
}

/// Whether a message meets the criteria of a SEARCH; `last` is the last UID there is.
pub fn matches(mail: &Mail, criteria: &str, last: u32) -> bool {
    let mut words = criteria.split(' ');
    while let Some(key) = words.next() {
        let mut next = || words.next().unwrap_or_default();
        let day = |text: &str| NaiveDate::parse_from_str(text, "%d-%b-%Y").unwrap();
        let holds = match key {
            "ALL" => true,
            "DELETED" => mail.deleted,
            "UID" => {
                let set = next();
                in_set(set, mail.uid, last)
            }
            "HEADER" => {
                next();
                let id = next().trim_matches('"');
                mail.message_id_line().is_some_and(|line| line.contains(id))
            }
            "LARGER" => mail.bytes.len() > next().parse().unwrap(),
            "SMALLER" => mail.bytes.len() < next().parse().unwrap(),
            "SINCE" => mail.received_at.date_naive() >= day(next()),
            "BEFORE" => mail.received_at.date_naive() < day(next()),
            _ => panic!("SEARCH {criteria}"),
        };
        if !holds {
            return false;
        }
    }
    true
}

/// `n:*` means the last message too, whatever its UID.
pub fn in_set(set: &str, uid: u32, last: u32) -> bool {
    set.split(',').any(|range| {
        let number = |text: &str| if text == "*" { last } else { text.parse().unwrap() };
        let (first, end) = range.split_once(':').unwrap_or((range, range));
        let (first, end) = (number(first), number(end));
        (first.min(end)..=first.max(end)).contains(&uid)
    })
}
