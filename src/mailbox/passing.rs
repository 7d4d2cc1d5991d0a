//! Passing a message on to another account, whole and unchanged, and keeping copies of our own letters in Sent: both are
//! APPEND, with a look before it (nothing twice) and after it (nothing lost). A message of any size is read and written in
//! pieces. RFC 9051 section 6.3.12.

use std::collections::BTreeMap;
use std::time::Duration;

use async_imap::imap_proto::ResponseCode;
use chrono::{DateTime, Utc};

use super::account::{Filing, ImapAccount};
use super::connect::connect;
use super::copies::{self, Identity};
use super::fetch::{fetch, search};
use super::folders;
use super::imap::{ImapMailbox, TRUSTED};
use super::names::quoted;
use super::session::{Fault, Pace, Session, ok_code};
use super::{Filed, MailboxError};
use crate::effect::Destination;
use crate::letter::Letter;
use crate::message::MessageRef;

/// How much of a message is held in memory while it is passed on.
const PIECE_BYTES: u32 = 1 << 20;
/// A connection to another account is not used again after so long.
const KEPT: Duration = Duration::from_secs(5 * 60);

impl ImapMailbox {
    /// See [`super::Mailbox::transfer`].
    pub(super) async fn pass_on(
        &mut self,
        message: &MessageRef,
        to: &Destination,
        original_to: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        if to.account == self.account.account {
            return self.file_away(message, &to.folder, flagged).await;
        }
        let Some(target) = self.others.imap.iter().find(|other| other.account == to.account).cloned() else {
            return Err(MailboxError::NeedsAPerson {
                account: self.account.account.clone(),
                step: format!("passing a message on to {}", to.account),
                problem: "there is no such account on an IMAP server in the configuration".into(),
                remedy: "Name an IMAP account as the destination of this queue".into(),
            });
        };
        if self.account.filing == Filing::None || target.filing == Filing::None {
            return Ok(Filed::Left);
        }
        let mut source = self.opened(true).await?;
        let delivered = self.deliver(&mut source, message, &target, &to.folder, flagged).await;
        self.session = Some(source);
        match delivered? {
            true => match self.file_away(message, original_to, false).await? {
                // Somebody took the original meanwhile; it has been delivered all the same.
                Filed::Gone => Ok(Filed::Moved),
                filed => Ok(filed),
            },
            false => Ok(Filed::Gone),
        }
    }

    /// Delivers a copy, unless it is there. False when the original is gone.
    async fn deliver(
        &mut self,
        source: &mut Session,
        message: &MessageRef,
        target: &ImapAccount,
        folder: &str,
        flagged: bool,
    ) -> Result<bool, MailboxError> {
        match &source.selected {
            Some(open) if open.uid_validity != message.uid_validity => {
                return Err(self.validity_changed(open.uid_validity));
            }
            _ => {}
        }
        let Some(identity) = copies::identity(source, &self.account.account, message.uid).await? else {
            return Ok(false);
        };
        let mut there = self.target(target).await?;
        if !open_for_append(&mut there, &target.account, folder, &identity).await? {
            let (from, uid) = (&self.account.account, message.uid);
            let whole = small_message(source, from, uid, identity.size_bytes).await?;
            let (size, mut body) = match &whole {
                Some(bytes) => (u32::try_from(bytes.len()).unwrap_or(u32::MAX), Body::Bytes(bytes)),
                None => {
                    let size = exact_size(source, from, uid, identity.size_bytes).await?;
                    (size, Body::Message { source, account: from, uid })
                }
            };
            let flags = if flagged { "(\\Flagged)" } else { "" };
            let date = identity.received.as_deref();
            let told = append(&mut there, &target.account, folder, flags, date, size, &mut body).await?;
            if !told && !is_proven(&mut there, &target.account, &identity).await? {
                return Err(Fault::Lost("the server said OK, but the message is not in the folder".into())
                    .at(&target.account, format!("APPEND to {folder}")));
            }
        }
        there.selected = None;
        self.targets.insert(target.account.clone(), there);
        Ok(true)
    }

    /// A connection to another account: the kept one when it is fresh and answers.
    pub(super) async fn target(&mut self, target: &ImapAccount) -> Result<Session, MailboxError> {
        if let Some(mut kept) = self.targets.remove(&target.account)
            && kept.is_usable()
            && kept.last_used.elapsed() < KEPT
            && kept.order("NOOP").await.is_ok()
        {
            return Ok(kept);
        }
        connect(target).await
    }

    /// See [`super::Mailbox::sent_holds`].
    pub(super) async fn is_in_sent(&mut self, message_id: &str) -> Result<bool, MailboxError> {
        let mut session = self.opened(true).await?;
        let held = self.look_into_sent(&mut session, message_id, false).await;
        self.session = Some(session);
        Ok(held?.is_some_and(|(_, held)| held))
    }

    /// The Sent folder's name on the server, and whether it holds the letter; it is then the open folder. `to_append`: it
    /// is created when missing, and opened for writing.
    async fn look_into_sent(
        &self,
        session: &mut Session,
        message_id: &str,
        to_append: bool,
    ) -> Result<Option<(String, bool)>, MailboxError> {
        let at = |fault: Fault| fault.at(&self.account.account, "looking into the Sent folder");
        let Some(sent) = folders::sent_folder(session, &self.account, to_append).await? else {
            return Ok(None);
        };
        if to_append && is_in_sent(session) {
            session.order("NOOP").await.map_err(at)?; // What came meanwhile is searched too.
        } else {
            folders::open(session, &sent, to_append).await.map_err(at)?;
        }
        let held = copies::holds_id(session, message_id).await.map_err(at)?;
        Ok(Some((sent, held)))
    }

    /// See [`super::Mailbox::keep_copy`].
    pub(super) async fn put_into_sent(
        &mut self,
        letter: &Letter,
        sent_at: DateTime<Utc>,
    ) -> Result<(), MailboxError> {
        // For a second copy the Sent folder is open already: the watched folder is opened when it is needed again.
        let mut session = match self.session.take() {
            Some(kept) if kept.is_usable() && kept.last_used.elapsed() < TRUSTED && is_in_sent(&kept) => kept,
            other => {
                self.session = other;
                self.opened(true).await?
            }
        };
        let kept = self.put(&mut session, letter, sent_at).await;
        self.session = Some(session);
        kept
    }

    async fn put(
        &self,
        session: &mut Session,
        letter: &Letter,
        sent_at: DateTime<Utc>,
    ) -> Result<(), MailboxError> {
        let account = &self.account.account;
        let Some((sent, held)) = self.look_into_sent(session, &letter.message_id, true).await? else {
            return Ok(());
        };
        if held {
            return Ok(());
        }
        let date = sent_at.format("%d-%b-%Y %H:%M:%S +0000").to_string();
        let size = u32::try_from(letter.raw.len()).unwrap_or(u32::MAX);
        let command = append_command(&sent, "(\\Seen)", Some(&date), size);
        send_append(session, account, "the Sent folder", &command, size, &mut Body::Bytes(&letter.raw))
            .await?;
        Ok(())
    }
}

/// Whether the Sent folder is open, for writing.
fn is_in_sent(session: &Session) -> bool {
    let sent = session.sent_folder.as_ref();
    session.selected.as_ref().is_some_and(|open| open.writable && Some(&open.wire_name) == sent)
}

/// Where the bytes of an APPEND come from.
enum Body<'a> {
    Bytes(&'a [u8]),
    Message { source: &'a mut Session, account: &'a str, uid: u32 },
}

/// Opens the folder, creating it when missing. True when the message is there already. Opened for writing although a look
/// comes first: Courier takes no APPEND to a folder that is open read-only.
async fn open_for_append(
    session: &mut Session,
    account: &str,
    folder: &str,
    identity: &Identity,
) -> Result<bool, MailboxError> {
    let step = || format!("opening the folder {folder}");
    let wire = folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, step()))?;
    match folders::open(session, &wire, true).await {
        Ok(_) => {}
        Err(Fault::Refused(refusal)) => {
            if folders::exists(session, &wire).await.map_err(|fault| fault.at(account, step()))? {
                return Err(Fault::Refused(refusal).at(account, step()));
            }
            // It may turn out to be there after all, beneath INBOX.
            folders::create(session, account, folder).await?;
            let wire =
                folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, step()))?;
            folders::open(session, &wire, true).await.map_err(|fault| fault.at(account, step()))?;
        }
        Err(lost) => return Err(lost.at(account, step())),
    }
    copies::find(session, account, identity).await
}

fn append_command(wire: &str, flags: &str, date: Option<&str>, size: u32) -> String {
    let mut command = format!("APPEND {} ", quoted(wire));
    if !flags.is_empty() {
        command.push_str(flags);
        command.push(' ');
    }
    if let Some(date) = date {
        command.push_str(&quoted(date));
        command.push(' ');
    }
    command.push_str(&format!("{{{size}}}"));
    command
}

async fn append(
    session: &mut Session,
    account: &str,
    folder: &str,
    flags: &str,
    date: Option<&str>,
    size: u32,
    body: &mut Body<'_>,
) -> Result<bool, MailboxError> {
    let wire = folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, "LIST"))?;
    let command = append_command(&wire, flags, date, size);
    send_append(session, account, folder, &command, size, body).await
}

/// Sends an APPEND whose literal waits for the server's `+`, so that a refusal costs nothing. True when APPENDUID
/// proves it.
async fn send_append(
    session: &mut Session,
    account: &str,
    folder: &str,
    command: &str,
    size: u32,
    body: &mut Body<'_>,
) -> Result<bool, MailboxError> {
    let at = |fault: Fault| fault.at(account, format!("APPEND to {folder}"));
    let tag = session.start(command).await.map_err(at)?;
    session.continuation(&tag).await.map_err(at)?;
    match body {
        Body::Bytes(bytes) => session.write(bytes).await.map_err(at)?,
        Body::Message { source, account: from, uid } => {
            let mut offset = 0;
            while offset < size {
                let wanted = PIECE_BYTES.min(size - offset);
                let piece = part(source, from, *uid, offset, wanted).await?;
                if piece.len() != wanted as usize {
                    // The literal is promised; only closing the connection takes the promise back.
                    return Err(
                        Fault::Lost("the message changed while it was read".into()).at(from, "UID FETCH")
                    );
                }
                session.write(&piece).await.map_err(at)?;
                offset += wanted;
            }
        }
    }
    session.write(b"\r\n").await.map_err(at)?;
    let deadline = session.deadline(Pace::Bulk);
    let mut told = false;
    session
        .finish(&tag, deadline, &mut |response| {
            told |= matches!(ok_code(response), Some(ResponseCode::AppendUid(..)));
        })
        .await
        .map_err(at)?;
    Ok(told)
}

/// After APPEND said OK without APPENDUID: the message is found, by its date or, on servers that do not keep the date, by its
/// Message-ID; without a Message-ID it must do that the folder has grown.
async fn is_proven(session: &mut Session, account: &str, identity: &Identity) -> Result<bool, MailboxError> {
    session.order("NOOP").await.map_err(|fault| fault.at(account, "NOOP"))?;
    if copies::find(session, account, identity).await? {
        return Ok(true);
    }
    match &identity.message_id {
        Some(id) => copies::holds_id(session, id).await.map_err(|fault| fault.at(account, "UID SEARCH")),
        None => Ok(session.news),
    }
}

/// Part of a message.
async fn part(
    session: &mut Session,
    account: &str,
    uid: u32,
    offset: u32,
    length: u32,
) -> Result<Vec<u8>, MailboxError> {
    let mut pieces = BTreeMap::new();
    session.allow_literals_up_to(u64::from(length));
    fetch(session, &[uid], &format!("UID BODY.PEEK[]<{offset}.{length}>"), &mut pieces)
        .await
        .map_err(|fault| fault.at(account, "UID FETCH"))?;
    Ok(pieces.remove(&uid).and_then(|piece| piece.bytes).unwrap_or_default())
}

/// A message that is small enough to be held in memory, whole: read once, its size is certain, and servers that answer
/// partial fetches oddly do no harm. `None`: larger, of unknown size, or not given.
async fn small_message(
    session: &mut Session,
    account: &str,
    uid: u32,
    claimed: Option<u32>,
) -> Result<Option<Vec<u8>>, MailboxError> {
    if claimed.is_none_or(|size| size > PIECE_BYTES) {
        return Ok(None);
    }
    let mut pieces = BTreeMap::new();
    // Exchange only estimates sizes: some room, but not without bounds.
    session.allow_literals_up_to(2 * u64::from(PIECE_BYTES));
    fetch(session, &[uid], "UID BODY.PEEK[]", &mut pieces)
        .await
        .map_err(|fault| fault.at(account, "UID FETCH"))?;
    Ok(pieces.remove(&uid).and_then(|piece| piece.bytes).filter(|bytes| !bytes.is_empty()))
}

/// The size to promise in APPEND. Exchange only estimates RFC822.SIZE: it is believed when exactly one byte stands at its end,
/// else the message is read once to be measured.
async fn exact_size(
    session: &mut Session,
    account: &str,
    uid: u32,
    claimed: Option<u32>,
) -> Result<u32, MailboxError> {
    if let Some(size) = claimed.filter(|size| *size > 0)
        && part(session, account, uid, size - 1, 2).await?.len() == 1
    {
        return Ok(size);
    }
    let mut size = 0u32;
    loop {
        let piece = part(session, account, uid, size, PIECE_BYTES).await?;
        size = size.saturating_add(u32::try_from(piece.len()).unwrap_or(u32::MAX));
        if piece.len() < PIECE_BYTES as usize {
            break;
        }
    }
    if size == 0 {
        return Err(match search(session, &format!("UID {uid}")).await {
            Ok(_) => Fault::Lost("the server sends nothing of this message".into()).at(account, "UID FETCH"),
            Err(fault) => fault.at(account, "UID SEARCH"),
        });
    }
    Ok(size)
}
