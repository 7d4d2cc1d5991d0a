//! Bytes to [`Message`]. Never fails. The only file that names mail-parser.
//!
//! RFC 5322 and RFC 2045 to 2049, read forgivingly: whatever is odd becomes a [`Defect`]. Attached messages
//! (message/rfc822) are listed as parts; what they say is not what the sender says.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset, TimeZone};
use mail_parser::{Encoding, MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};

use super::body::{self, Piece};
use super::head::{self, Head};
use super::shorten::{self, Missing};
use super::{Address, Defect, Fingerprint, Message, Part, ReturnPath};
use super::{charset, flowed, new_text, text, thread};

/// Parts beyond this are not looked at.
const MOST_PARTS: usize = 1_000;
/// Attached messages may lie in attached messages; the parser keeps them as a tree, whose depth must be bounded.
const MOST_MESSAGES_INSIDE: usize = 200;
/// Multiparts inside multiparts.
const DEEPEST: usize = 40;
/// Recipients of one header field.
const MOST_ADDRESSES: usize = 2_000;

/// The parser, told to read only what is asked of it: the other fields are read in `head`.
static PARSER: LazyLock<MessageParser> =
    LazyLock::new(|| MessageParser::new().with_mime_headers().with_address_headers().default_header_ignore());

/// Reads a message; `size_bytes` is its whole size on the server (more than `raw.len()` when only a part was fetched).
pub fn parse(raw: &[u8], size_bytes: usize) -> Message {
    let head = head::read(raw);
    let mut message = if head.plausible {
        // The parser is not ours. A message that makes it panic must not stop the mailbox.
        catch_unwind(AssertUnwindSafe(|| read(raw, &head)))
            .unwrap_or_else(|_| saved(raw, &head, Defect::ParserFailed))
    } else {
        saved(raw, &head, Defect::NotAMessage)
    };
    message.size_bytes = size_bytes.max(raw.len());
    if size_bytes > raw.len() {
        message.defects.push(Defect::Truncated(raw.len()));
    }
    if head.too_many {
        message.defects.push(Defect::TooManyParts);
    }
    if message.message_id.is_none() {
        message.defects.push(Defect::NoMessageId);
    }
    if message.from.as_ref().is_none_or(|from| !from.address.contains('@')) {
        message.defects.push(Defect::NoSender);
    }
    if message.date.is_none() {
        message.defects.push(Defect::NoDate);
    }
    message.defects = once_each(message.defects);
    message.headers = head.fields;
    message.fingerprint = fingerprint(&message);
    message
}

fn once_each(defects: Vec<Defect>) -> Vec<Defect> {
    let mut once = Vec::with_capacity(defects.len());
    for defect in defects {
        if !once.contains(&defect) {
            once.push(defect);
        }
    }
    once
}

/// What both ways of reading share: everything that stands in the header section, but for the fields themselves.
fn from_head(head: &Head) -> Message {
    Message {
        message_id: head.value("Message-ID").and_then(thread::id),
        in_reply_to: head.value("In-Reply-To").map(thread::ids).unwrap_or_default(),
        references: head.value("References").map(thread::ids).unwrap_or_default(),
        subject: head.value("Subject").unwrap_or_default().to_owned(),
        date: head.value("Date").and_then(date),
        return_path: return_path(head),
        // The topmost is our own server's; a hop that wrote no date is passed over.
        top_received: head
            .values("Received")
            .take(10)
            .find_map(|value| value.rsplit_once(';').and_then(|(_, at)| date(at))),
        ..Message::default()
    }
}

/// The heading alone, read without the parser and without a look at the body: of a message that must not be read, and where
/// no more than a date is wanted.
pub fn heading(raw: &[u8], size_bytes: usize) -> Message {
    let head = head::read(raw);
    let mut message = with_people(&head);
    message.size_bytes = size_bytes.max(raw.len());
    message.defects.push(Defect::ParserFailed);
    message.headers = head.fields;
    message.fingerprint = fingerprint(&message);
    message
}

/// What the header section says, people included, as far as that can be told without a grammar.
fn with_people(head: &Head) -> Message {
    let mut message = from_head(head);
    let list = |name: &str| head.values(name).flat_map(simple_addresses).collect::<Vec<_>>();
    let [to, cc, bcc, reply_to, from, sender] = ["To", "Cc", "Bcc", "Reply-To", "From", "Sender"].map(list);
    (message.to, message.cc, message.bcc, message.reply_to) = (to, cc, bcc, reply_to);
    message.from = from.into_iter().next();
    message.sender = sender.into_iter().next();
    message
}

/// What can be saved without the parser: the header as it stands, and the body as text.
fn saved(raw: &[u8], head: &Head, why: Defect) -> Message {
    let mut message = with_people(head);
    let body = if why == Defect::NotAMessage { 0 } else { head.body };
    let bytes = raw.get(body..).unwrap_or_default();
    let decoded = charset::lenient(bytes.get(..bytes.len().min(256 * 1024)).unwrap_or_default());
    message.text = text::normalise(&decoded);
    message.new_text = new_text::divide(&message.text, "", &message.subject);
    message.parts.push(Part {
        content_type: "text/plain".to_owned(),
        size_bytes: bytes.len(),
        ..Part::default()
    });
    message.defects.push(why);
    message
}

/// `Name <address>, address`, as far as that can be told without a grammar.
fn simple_addresses(value: &str) -> Vec<Address> {
    value
        .split(',')
        .filter(|one| one.contains('@'))
        .take(MOST_ADDRESSES)
        .map(|one| {
            let (name, address) = one.rsplit_once('<').unwrap_or(("", one));
            let address = address.split('>').next().unwrap_or(address);
            Address { name: name.trim().trim_matches('"').to_owned(), address: lower_domain(address.trim()) }
        })
        .collect()
}

fn read(raw: &[u8], head: &Head) -> Message {
    let message = from_head(head);
    let trimmed = raw.get(head.start..).unwrap_or_default();
    let (bounded, too_many) = bounded(trimmed);
    let source: Cow<'_, [u8]> = if head.needs_repair {
        let end = head.start + bounded.len();
        Cow::Owned(head::repaired(raw.get(..end).unwrap_or(raw), head))
    } else {
        Cow::Borrowed(bounded)
    };
    // Attachments are not read, so that the parser need not decode them. Where a cut is not inside one, all is parsed.
    if let Some(short) = shorten::shorten(&source)
        && let Some(parsed) = PARSER.parse(&short.bytes)
        && let Some(missing) = sizes_missing(&parsed, &short.cuts)
    {
        return from_parsed(message, head, &parsed, &short.bytes, &missing, too_many);
    }
    match PARSER.parse(source.as_ref()) {
        Some(parsed) => from_parsed(message, head, &parsed, &source, &[], too_many),
        None => saved(raw, head, Defect::NotAMessage),
    }
}

/// For each part that was shortened its number and how many bytes are missing from it, if all cuts lie inside parts that
/// are attachments in base64 and were read without trouble.
fn sizes_missing(parsed: &mail_parser::Message<'_>, cuts: &[Missing]) -> Option<Vec<(usize, usize)>> {
    let inside = |cut: &Missing| {
        let number = parsed.parts.iter().position(|part| {
            let body = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
            matches!(part.body, PartType::Binary(_) | PartType::InlineBinary(_))
                && part.encoding == Encoding::Base64
                && !part.is_encoding_problem
                && body.contains(&cut.at)
        });
        number.map(|number| (number, cut.decoded))
    };
    cuts.iter().map(inside).collect()
}

fn from_parsed(
    mut message: Message,
    head: &Head,
    parsed: &mail_parser::Message<'_>,
    source: &[u8],
    missing: &[(usize, usize)],
    too_many: bool,
) -> Message {
    if too_many || parsed.parts.len() > MOST_PARTS {
        message.defects.push(Defect::TooManyParts);
    }
    message.from = addresses(parsed.from()).into_iter().next();
    message.sender = addresses(parsed.sender()).into_iter().next();
    message.reply_to = addresses(parsed.reply_to());
    message.to = parsed.all_to().flat_map(|list| addresses(Some(list))).take(MOST_ADDRESSES).collect();
    message.cc = parsed.all_cc().flat_map(|list| addresses(Some(list))).take(MOST_ADDRESSES).collect();
    message.bcc = parsed.all_bcc().flat_map(|list| addresses(Some(list))).take(MOST_ADDRESSES).collect();
    mend_name(&mut message, head);
    message.parts = parsed.parts.iter().take(MOST_PARTS).map(part).collect();
    for (number, bytes) in missing {
        if let Some(part) = message.parts.get_mut(*number) {
            part.size_bytes += bytes;
        }
    }
    let mut pieces = Vec::new();
    let mut reader = Reader { parsed, source, defects: Vec::new(), seen: 0 };
    reader.collect(0, 0, &mut pieces);
    message.defects.append(&mut reader.defects);
    let sender = message.from.as_ref().map_or("", |from| from.name.as_str());
    let read = body::read(&pieces, sender, &message.subject, &mut message.defects);
    message.text = read.text;
    message.new_text = read.new_text;
    message
}

/// The bytes up to where attached messages become too many to be anything but an attack.
fn bounded(raw: &[u8]) -> (&[u8], bool) {
    let mut count = 0;
    let mut at = 0;
    loop {
        // A slash with one of three letters after it, sixteen places at a time.
        while let (Some(here), Some(next)) = (
            raw.get(at..).and_then(|rest| rest.first_chunk::<16>()),
            raw.get(at + 1..).and_then(|rest| rest.first_chunk::<16>()),
        ) && !here.iter().zip(next).fold(false, |any, (slash, letter)| {
            let letter = letter | 0x20;
            any | ((*slash == b'/') & ((letter == b'r') | (letter == b'd') | (letter == b'g')))
        }) {
            at += 16;
        }
        let rest = raw.get(at..).unwrap_or_default();
        for (here, _) in rest.iter().take(16).enumerate().filter(|(_, b)| **b == b'/') {
            let after = rest.get(here + 1..).unwrap_or_default();
            let nests = ["rfc822", "digest", "global"].iter().any(|name| {
                after.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
            });
            count += usize::from(nests);
            if count > MOST_MESSAGES_INSIDE {
                return (raw.get(..at + here).unwrap_or_default(), true);
            }
        }
        if rest.len() <= 16 {
            return (raw, false);
        }
        at += 16;
    }
}

/// A name whose characters were cut in two between encoded words is read again from the header as a whole.
fn mend_name(message: &mut Message, head: &Head) {
    let Some(from) = message.from.as_mut().filter(|from| from.name.contains('\u{FFFD}')) else { return };
    let mended = head.value("From").and_then(|value| value.split_once('<')).map(|(name, _)| name.trim());
    if let Some(mended) = mended
        && !mended.contains('\u{FFFD}')
    {
        from.name = mended.trim_matches('"').to_owned();
    }
}

fn addresses(list: Option<&mail_parser::Address<'_>>) -> Vec<Address> {
    let Some(list) = list else { return Vec::new() };
    list.iter()
        .take(MOST_ADDRESSES)
        .map(|one| Address {
            name: one.name().map(text::collapse).unwrap_or_default(),
            address: lower_domain(one.address().unwrap_or_default().trim()),
        })
        .filter(|one| !one.address.is_empty() || !one.name.is_empty())
        .collect()
}

fn lower_domain(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_ascii_lowercase()),
        None => address.to_owned(),
    }
}

fn return_path(head: &Head) -> ReturnPath {
    let Some(value) = head.value("Return-Path") else { return ReturnPath::Absent };
    let inside = value.trim().trim_start_matches('<').split('>').next().unwrap_or_default().trim();
    if inside.is_empty() {
        return ReturnPath::Null;
    }
    ReturnPath::Address(Address { name: String::new(), address: lower_domain(inside) })
}

fn date(value: &str) -> Option<DateTime<FixedOffset>> {
    let parsed = mail_parser::DateTime::parse_rfc822(value.trim()).filter(mail_parser::DateTime::is_valid)?;
    let seconds = i32::from(parsed.tz_hour) * 3600 + i32::from(parsed.tz_minute) * 60;
    let seconds = if parsed.tz_before_gmt { -seconds } else { seconds };
    let zone = FixedOffset::east_opt(seconds).or_else(|| FixedOffset::east_opt(0))?;
    if !(1970..=2200).contains(&parsed.year) {
        return None;
    }
    zone.timestamp_opt(parsed.to_timestamp(), 0).single()
}

fn part(part: &MessagePart<'_>) -> Part {
    let named = part.content_type();
    let content_type = match named {
        Some(kind) => match kind.subtype() {
            Some(subtype) => format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase(),
            None => kind.ctype().to_ascii_lowercase(),
        },
        None if matches!(part.body, PartType::Message(_)) => "message/rfc822".to_owned(),
        None => "text/plain".to_owned(),
    };
    let parameters = named
        .and_then(|kind| kind.attributes())
        .unwrap_or_default()
        .iter()
        .take(50)
        .map(|one| (one.name.to_ascii_lowercase(), one.value.to_string()))
        .collect();
    let size_bytes = match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.len(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.len(),
        PartType::Message(inside) => inside.raw_message.len(),
        PartType::Multipart(_) => 0,
    };
    Part {
        content_type,
        parameters,
        attachment: part.content_disposition().is_some_and(|d| d.ctype().eq_ignore_ascii_case("attachment")),
        file_name: part.attachment_name().map(|name| text::collapse(&head::decode(name.as_bytes()))),
        size_bytes,
    }
}

/// Walks the parts and collects what the sender says.
struct Reader<'a> {
    parsed: &'a mail_parser::Message<'a>,
    source: &'a [u8],
    defects: Vec<Defect>,
    seen: usize,
}

impl<'a> Reader<'a> {
    fn collect(&mut self, id: u32, depth: usize, pieces: &mut Vec<Piece<'a>>) {
        let parsed = self.parsed;
        let Some(part) = parsed.parts.get(id as usize) else { return };
        self.seen += 1;
        if self.seen > MOST_PARTS || depth > DEEPEST {
            self.defects.push(Defect::TooManyParts);
            return;
        }
        let subtype =
            part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default().to_ascii_lowercase();
        match &part.body {
            PartType::Multipart(children) => match subtype.as_str() {
                "alternative" => {
                    let mut versions = Vec::new();
                    for child in children {
                        self.collect(*child, depth + 1, &mut versions);
                    }
                    pieces.extend(together(versions));
                }
                // Machines read the rest of a report, and of a signed or encrypted message.
                "report" | "signed" | "encrypted" => {
                    if let Some(first) = children.first() {
                        self.collect(*first, depth + 1, pieces);
                    }
                }
                _ => {
                    for child in children {
                        self.collect(*child, depth + 1, pieces);
                    }
                }
            },
            PartType::Text(_) | PartType::Html(_) if is_words(part, id, &subtype) => {
                let decoded = self.decoded(part);
                let piece = match part.body {
                    PartType::Html(_) => Piece { plain: None, html: Some(decoded) },
                    _ if flows(part) => {
                        let del_sp = parameter(part, "delsp").is_some_and(|v| v.eq_ignore_ascii_case("yes"));
                        Piece { plain: Some(flowed::unflow(&decoded, del_sp).into()), html: None }
                    }
                    _ => Piece { plain: Some(decoded), html: None },
                };
                pieces.push(piece);
            }
            _ => {}
        }
    }

    /// The text of a part: as the parser decoded it, unless the label is missing or wrong.
    fn decoded(&mut self, part: &'a MessagePart<'a>) -> Cow<'a, str> {
        let (PartType::Text(parsed) | PartType::Html(parsed)) = &part.body else { return Cow::default() };
        let label = parameter(part, "charset");
        let from = part.raw_body_offset() as usize;
        let to = part.raw_end_offset() as usize;
        let Some(bytes) = self.source.get(from..to) else { return Cow::Borrowed(parsed) };
        let bytes = match part.encoding {
            Encoding::Base64 => Cow::Owned(charset::base64(bytes)),
            Encoding::QuotedPrintable => Cow::Owned(charset::quoted_printable(bytes, false)),
            Encoding::None => Cow::Borrowed(bytes),
        };
        if label.is_some_and(|label| label.to_ascii_lowercase().starts_with("utf-7")) {
            return Cow::Borrowed(parsed);
        }
        let decoded = charset::decode(bytes, label);
        // A message cut short may end within a character; that is the cut's fault.
        if let Some(defect) = decoded.defect {
            self.defects.push(Defect::Charset(defect));
        }
        decoded.text
    }
}

fn parameter<'a>(part: &'a MessagePart<'_>, name: &str) -> Option<&'a str> {
    part.content_type().and_then(|kind| kind.attribute(name))
}

fn flows(part: &MessagePart<'_>) -> bool {
    parameter(part, "format").is_some_and(|format| format.eq_ignore_ascii_case("flowed"))
}

/// Whether a text part is something said, not something attached.
fn is_words(part: &MessagePart<'_>, id: u32, subtype: &str) -> bool {
    let attached = part.content_disposition().is_some_and(|d| d.ctype().eq_ignore_ascii_case("attachment"));
    let named = part.attachment_name().is_some() && id != 0;
    !attached && !named && matches!(subtype, "" | "plain" | "html" | "enriched" | "x-markdown" | "markdown")
}

/// The versions of one text as one piece: the first plain one with words, the last HTML one.
fn together(versions: Vec<Piece<'_>>) -> Option<Piece<'_>> {
    let mut piece = Piece::default();
    for version in versions {
        match (&mut piece.plain, version.plain) {
            (Some(before), Some(more)) => {
                let before = before.to_mut();
                before.push_str("\n\n");
                before.push_str(&more);
            }
            (empty, Some(plain)) => *empty = Some(plain),
            _ => {}
        }
        match (&mut piece.html, version.html) {
            (Some(before), Some(more)) => before.to_mut().push_str(&more),
            (empty, Some(html)) => *empty = Some(html),
            _ => {}
        }
    }
    (piece.plain.is_some() || piece.html.is_some()).then_some(piece)
}

/// What makes two deliveries one message; see [`Fingerprint`].
fn fingerprint(message: &Message) -> Fingerprint {
    let mut hash = Sha256::new();
    let from = message.from.as_ref().map(|from| from.address.to_lowercase()).unwrap_or_default();
    let date = message.date.map(|date| date.timestamp().to_string()).unwrap_or_default();
    let id = message.message_id.as_deref().unwrap_or_default();
    for field in [id, &from, &date, &text::collapse(&message.subject), &text::collapse(&message.text)] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    Fingerprint(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_when_the_parser_fails() {
        let raw =
            b"From: \"Hill, Amy\" <amy@Post.Example>\r\nTo: a@b.example, <c@d.example>\r\nSubject: Sam\r\n\
            Message-ID: <1@post.example>\r\nReturn-Path: <>\r\n\r\nHe has no school.\r\n\r\n> Has he a plan?";
        let message = saved(raw, &head::read(raw), Defect::ParserFailed);
        assert_eq!(message.from.map(|from| from.address), Some("amy@post.example".to_owned()));
        assert_eq!(message.to.len(), 2);
        assert_eq!(message.subject, "Sam");
        assert_eq!(message.message_id.as_deref(), Some("1@post.example"));
        assert_eq!(message.return_path, ReturnPath::Null);
        assert_eq!(message.new_text.new, "He has no school.");
        assert_eq!(message.defects, [Defect::ParserFailed]);
    }
}
