//! Is this message there already? Looked up before anything is appended or copied a second time, and afterwards as proof.
//! Message-ID together with INTERNALDATE, which copies keep; without a Message-ID, INTERNALDATE, size and what else its header
//! tells apart: two people may write at the same second. RFC 9051 section 6.4.4.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};

use super::MailboxError;
use super::fetch::{Piece, fetch, search};
use super::names::{quoted, searchable};
use super::session::{Fault, Session};
use crate::message;

/// By what a copy is known.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub message_id: Option<String>,
    /// INTERNALDATE as the server wrote it.
    pub received: Option<String>,
    pub received_at: Option<DateTime<Utc>>,
    pub size_bytes: Option<u32>,
    /// The fields of [`TELLING`], as written.
    pub header: Vec<u8>,
}

/// Header fields that tell messages without a Message-ID apart; Received names each delivery by itself.
pub(super) const TELLING: &str = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT DATE RECEIVED)]";

/// The identity of a message in the open folder; `None` when it is not there.
pub(super) async fn identity(
    session: &mut Session,
    account: &str,
    uid: u32,
) -> Result<Option<Identity>, MailboxError> {
    let mut pieces = BTreeMap::new();
    session.allow_literals_up_to(1 << 20);
    let items = format!("UID INTERNALDATE RFC822.SIZE {TELLING}");
    fetch(session, &[uid], &items, &mut pieces).await.map_err(|fault| fault.at(account, "UID FETCH"))?;
    let shown = pieces.remove(&uid).filter(|piece| piece.bytes.is_some());
    if shown.is_none() {
        // No answer is not "it is gone": only SEARCH says that.
        let still = search(session, &format!("UID {uid}")).await;
        if still.map_err(|fault| fault.at(account, "UID SEARCH"))?.contains(&uid) {
            return Err(Fault::Lost("the server does not show the message".into()).at(account, "UID FETCH"));
        }
    }
    Ok(shown.map(|piece| Identity {
        message_id: message_id(piece.bytes.as_deref().unwrap_or_default()),
        received_at: piece.received_at(),
        received: piece.received,
        size_bytes: piece.size_bytes,
        header: piece.bytes.unwrap_or_default(),
    }))
}

/// The Message-ID in a header, without its brackets.
pub(super) fn message_id(header: &[u8]) -> Option<String> {
    message::parse(header, header.len()).message_id.or_else(|| {
        // Other fields have brackets too: From names the sender in them.
        let text = String::from_utf8_lossy(header).replace("\r\n ", " ").replace("\r\n\t", " ");
        let is_its =
            |line: &&str| line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:"));
        let (_, id) = text.lines().find(is_its)?.split_once('<')?;
        let (id, _) = id.split_once('>')?;
        Some(id.split_whitespace().collect())
    })
}

/// Whether the open folder holds a message of this identity.
pub(super) async fn find(
    session: &mut Session,
    account: &str,
    identity: &Identity,
) -> Result<bool, MailboxError> {
    let at = |fault: Fault| fault.at(account, "looking for a copy");
    let id = identity.message_id.as_deref().and_then(searchable);
    let mut criteria = match id {
        Some(id) => format!("HEADER Message-ID {}", quoted(id)),
        None => match identity.size_bytes {
            Some(size) => format!("LARGER {} SMALLER {}", size.saturating_sub(1), size.saturating_add(1)),
            None => return Ok(false),
        },
    };
    let Some(received_at) = identity.received_at else {
        return Ok(!search(session, &criteria).await.map_err(at)?.is_empty());
    };
    // The server compares dates in its own time zone: a day more on both sides, then exactly.
    let day = received_at.date_naive();
    if let (Some(from), Some(to)) = (day.checked_sub_days(Days::new(1)), day.checked_add_days(Days::new(2))) {
        criteria.push_str(&format!(" SINCE {} BEFORE {}", from.format("%-d-%b-%Y"), to.format("%-d-%b-%Y")));
    }
    let candidates = search(session, &criteria).await.map_err(at)?;
    if candidates.is_empty() {
        return Ok(false);
    }
    let mut pieces: BTreeMap<u32, Piece> = BTreeMap::new();
    let items =
        if id.is_some() { "UID INTERNALDATE".to_owned() } else { format!("UID INTERNALDATE {TELLING}") };
    session.allow_literals_up_to(1 << 20);
    fetch(session, &candidates, &items, &mut pieces).await.map_err(at)?;
    let reads_alike = |piece: &Piece| {
        id.is_some() || is_same_header(piece.bytes.as_deref().unwrap_or_default(), &identity.header)
    };
    if pieces.values().any(|piece| piece.received_at() == Some(received_at) && reads_alike(piece)) {
        return Ok(true);
    }
    // One that was found and is not shown may be the copy: taken for missing, it would be made a second time.
    let is_shown = |piece: &Piece| piece.received.is_some() && (id.is_some() || piece.bytes.is_some());
    if candidates.iter().all(|uid| pieces.get(uid).is_some_and(is_shown)) {
        return Ok(false);
    }
    Err(at(Fault::Lost("the server does not show all that it has found".into())))
}

/// The same but for white space and the order of fields, which servers may change.
fn is_same_header(one: &[u8], other: &[u8]) -> bool {
    let words = |header: &[u8]| {
        let text = String::from_utf8_lossy(header).into_owned();
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    words(one) == words(other)
}

/// Whether the open folder holds a message with this Message-ID, whenever it came.
pub(super) async fn holds_id(session: &mut Session, message_id: &str) -> Result<bool, Fault> {
    match searchable(message_id) {
        Some(id) => Ok(!search(session, &format!("HEADER Message-ID {}", quoted(id))).await?.is_empty()),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_message_id_is_found() {
        assert_eq!(
            message_id(b"Message-ID:\r\n <a1@mail.example>\r\n\r\n").as_deref(),
            Some("a1@mail.example")
        );
        assert_eq!(message_id(b"\r\n"), None);
        assert_eq!(message_id(b"From: Anna <anna@home.example>\r\n\r\n"), None);
    }

    #[test]
    fn who_wrote_at_the_same_second_is_told_apart_by_the_header() {
        let anna = b"From: Anna\r\nSubject: Bus\r\n\r\n";
        assert!(is_same_header(anna, b"Subject: Bus\r\nFrom:  Anna\r\n\r\n"));
        assert!(!is_same_header(anna, b"From: Emil\r\nSubject: Bus\r\n\r\n"));
    }
}
