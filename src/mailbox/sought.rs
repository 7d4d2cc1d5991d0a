//! A message that no longer lies where it was, looked for in the folder into which it was to go: a MOVE may have been done and the
//! program have ended, or the connection, before that was known. Looks only (EXAMINE). Not: where staff have moved it;
//! `overview.rs` sees that. RFC 9051 section 6.4.4.

use std::collections::BTreeMap;
use std::io;

use chrono::{DateTime, Days, Utc};

use super::account::FolderAccount;
use super::copies::{TELLING, message_id};
use super::fetch::{Piece, fetch, search};
use super::folder_files::Place;
use super::imap::ImapMailbox;
use super::names::{quoted, searchable};
use super::session::{Fault, Session};
use super::{MailboxError, Sought, folder, folders};
use crate::effect::Destination;
use crate::message::{self, MessageRef};

impl ImapMailbox {
    /// See [`super::Mailbox::lies_in`].
    pub(super) async fn has_been_filed(
        &mut self,
        sought: &Sought,
        place: &Destination,
    ) -> Result<bool, MailboxError> {
        if place.account == self.account.account {
            let mut session = self.opened(false).await?;
            let found = on_server(&mut session, &place.account, &place.folder, sought).await;
            // The watched folder is opened again by whoever needs it next.
            session.selected = None;
            self.session = Some(session);
            return found;
        }
        let Some(target) = self.others.imap.iter().find(|other| other.account == place.account).cloned()
        else {
            return Ok(false);
        };
        let mut there = self.target(&target).await?;
        let found = on_server(&mut there, &place.account, &place.folder, sought).await;
        there.selected = None;
        self.targets.insert(target.account, there);
        found
    }
}

async fn on_server(
    session: &mut Session,
    account: &str,
    folder: &str,
    sought: &Sought,
) -> Result<bool, MailboxError> {
    let at = |fault: Fault| fault.at(account, format!("looking for a filed message in {folder}"));
    let wire = folders::wire_name(session, folder).await.map_err(at)?;
    // A refusal for a moment is not "no such folder".
    if !folders::exists(session, &wire).await.map_err(at)? {
        return Ok(false);
    }
    folders::open(session, &wire, false).await.map_err(at)?;
    let id = sought.message_id.as_deref().and_then(searchable);
    let criteria = match id {
        Some(id) => format!("HEADER Message-ID {}", quoted(id)),
        None => of_that_size_and_day(sought),
    };
    let candidates = search(session, &criteria).await.map_err(at)?;
    if candidates.is_empty() {
        return Ok(false);
    }
    let mut pieces: BTreeMap<u32, Piece> = BTreeMap::new();
    session.allow_literals_up_to(1 << 20);
    let items = format!("UID INTERNALDATE RFC822.SIZE {TELLING}");
    fetch(session, &candidates, &items, &mut pieces).await.map_err(at)?;
    if pieces.values().any(|piece| is_it(sought, piece)) {
        return Ok(true);
    }
    // One that was found and is not shown may be the one.
    let is_shown = |uid: &u32| pieces.get(uid).is_some_and(|piece| piece.bytes.is_some());
    match candidates.iter().all(is_shown) {
        true => Ok(false),
        false => Err(at(Fault::Lost("the server does not show all that it has found".into()))),
    }
}

/// What may be it, where there is no Message-ID to search for. The server compares dates in its own time zone.
fn of_that_size_and_day(sought: &Sought) -> String {
    let size = sought.size_bytes;
    let mut criteria = format!("LARGER {} SMALLER {}", size.saturating_sub(1), size.saturating_add(1));
    let day = sought.received_at.date_naive();
    if let (Some(from), Some(to)) = (day.checked_sub_days(Days::new(1)), day.checked_add_days(Days::new(2))) {
        criteria.push_str(&format!(" SINCE {} BEFORE {}", from.format("%-d-%b-%Y"), to.format("%-d-%b-%Y")));
    }
    criteria
}

fn is_it(sought: &Sought, piece: &Piece) -> bool {
    let header = piece.bytes.as_deref().unwrap_or_default();
    let size_bytes = piece.size_bytes.map(u64::from);
    let sender = message::heading(header, header.len()).from.map(|from| from.address.to_lowercase());
    reads_alike(sought, message_id(header), sender, piece.received_at(), size_bytes)
}

/// With a Message-ID, either time or size is enough: a server may not keep the time, and Exchange only estimates sizes. A second
/// delivery has neither in common with the first.
fn reads_alike(
    sought: &Sought,
    message_id: Option<String>,
    sender: Option<String>,
    received_at: Option<DateTime<Utc>>,
    size_bytes: Option<u64>,
) -> bool {
    let same_time = received_at == Some(sought.received_at);
    let same_size = size_bytes == Some(sought.size_bytes);
    if message_id != sought.message_id {
        return false;
    }
    match message_id {
        Some(_) => same_time || same_size || sought.is_copy,
        None => same_time && same_size && sender == sought.sender,
    }
}

/// The same in a folder on this machine. Only files of that size are opened, where it is known.
pub(super) fn on_disk(account: &FolderAccount, folder: &str, sought: &Sought) -> Result<bool, MailboxError> {
    let place = Place::of(account.kind, &account.root, folder);
    let trouble = |error: io::Error| folder::trouble(account, "reading", &place.directory, &error);
    let files = match place.messages() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && account.root.is_dir() => return Ok(false),
        other => other.map_err(trouble)?,
    };
    for path in files.into_values() {
        if !sought.is_copy && !path.metadata().is_ok_and(|metadata| metadata.len() == sought.size_bytes) {
            continue;
        }
        let nowhere = MessageRef { account: String::new(), folder: String::new(), uid_validity: 0, uid: 0 };
        match folder::read(&path, nowhere) {
            Ok(raw) => {
                let found = message::heading(&raw.bytes, raw.size_bytes);
                let sender = found.from.map(|from| from.address.to_lowercase());
                let size_bytes = Some(sought.size_bytes);
                if reads_alike(sought, found.message_id, sender, Some(raw.received_at), size_bytes) {
                    return Ok(true);
                }
            }
            // Moved on meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(trouble(error)),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(message_id: Option<&str>) -> Sought {
        Sought {
            message_id: message_id.map(str::to_owned),
            sender: Some("anna@home.example".into()),
            received_at: DateTime::from_timestamp(1_780_000_000, 0).unwrap(),
            size_bytes: 500,
            is_copy: false,
        }
    }

    fn piece(header: &str, received: &str, size: u32) -> Piece {
        Piece {
            received: Some(received.into()),
            size_bytes: Some(size),
            bytes: Some(header.as_bytes().to_vec()),
        }
    }

    #[test]
    fn a_message_is_known_again_by_its_id_and_its_time_or_size() {
        let at = "28-May-2026 20:26:40 +0000";
        let header = "Message-ID: <a@home.example>\r\nFrom: Anna <ANNA@home.example>\r\n\r\n";
        let one = sought(Some("a@home.example"));
        assert!(is_it(&one, &piece(header, at, 500)));
        assert!(
            is_it(&one, &piece(header, "28-May-2026 21:00:00 +0000", 500)),
            "a server that does not keep the time"
        );
        assert!(is_it(&one, &piece(header, at, 512)), "a size that is only estimated");
        assert!(!is_it(&one, &piece(header, "29-May-2026 21:00:00 +0000", 512)), "another with this ID");
        let copy = Sought { is_copy: true, ..one.clone() };
        assert!(
            is_it(&copy, &piece(header, "29-May-2026 21:00:00 +0000", 512)),
            "delivered to somebody else"
        );
        assert!(!is_it(&sought(Some("b@home.example")), &piece(header, at, 500)));
    }

    #[test]
    fn without_an_id_it_must_agree_in_all_that_is_known() {
        let at = "28-May-2026 20:26:40 +0000";
        let header = "From: Anna <anna@home.example>\r\n\r\n";
        let one = sought(None);
        assert!(is_it(&one, &piece(header, at, 500)));
        assert!(!is_it(&one, &piece(header, at, 501)));
        assert!(!is_it(&one, &piece(header, "28-May-2026 20:26:41 +0000", 500)));
        assert!(!is_it(&one, &piece("From: Emil <emil@home.example>\r\n\r\n", at, 500)));
        let named = "Message-ID: <a@home.example>\r\nFrom: Anna <anna@home.example>\r\n\r\n";
        assert!(!is_it(&one, &piece(named, at, 500)));
    }
}
