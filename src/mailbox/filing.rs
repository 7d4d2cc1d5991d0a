//! Filing a message into another folder of its account: MOVE, or COPY, a look, and deletion of this one UID. Never both lost
//! and gone: the original goes only when the copy is seen. RFC 6851 (MOVE), RFC 4315 (UIDPLUS).

use std::ops::RangeInclusive;

use async_imap::imap_proto::rfc4315::UidSetMember;
use async_imap::imap_proto::{Response, ResponseCode};
use tracing::{debug, info};

use super::account::Filing;
use super::copies::{self, Identity};
use super::fetch::search;
use super::folders;
use super::imap::ImapMailbox;
use super::names::{quoted, uid_set};
use super::session::{Fault, Pace, Session, ok_code};
use super::{Filed, MailboxError};
use crate::message::MessageRef;

/// Marks what is urgent, beside \Flagged, on servers that keep keywords.
const URGENT_KEYWORD: &str = "$Urgent";

impl ImapMailbox {
    /// See [`super::Mailbox::file`].
    pub(super) async fn file_away(
        &mut self,
        message: &MessageRef,
        folder: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        if self.account.filing == Filing::None {
            return Ok(Filed::Left);
        }
        let mut session = self.opened(false).await?;
        let filed = self.file_over(&mut session, message, folder, flagged).await;
        self.session = Some(session);
        filed
    }

    /// See [`super::Mailbox::file_together`].
    pub(super) async fn move_together(
        &mut self,
        messages: &[MessageRef],
        folder: &str,
        flagged: bool,
    ) -> Result<Vec<u32>, MailboxError> {
        if self.account.filing != Filing::Move || messages.is_empty() {
            return Ok(Vec::new());
        }
        let mut session = self.opened(false).await?;
        let moved = self.move_over(&mut session, messages, folder, flagged).await;
        self.session = Some(session);
        moved
    }

    async fn move_over(
        &self,
        session: &mut Session,
        messages: &[MessageRef],
        folder: &str,
        flagged: bool,
    ) -> Result<Vec<u32>, MailboxError> {
        messages.iter().try_for_each(|message| self.check_place(session, message, folder))?;
        let account = &self.account.account;
        let wire = folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, "LIST"))?;
        let is_here = session.selected.as_ref().is_some_and(|open| open.wire_name == wire);
        if is_here || !session.can("MOVE") || !session.can("UIDPLUS") {
            return Ok(Vec::new());
        }
        let mut uids: Vec<u32> = messages.iter().map(|message| message.uid).collect();
        uids.sort_unstable();
        uids.dedup();
        if flagged {
            self.flag(session, &uids).await?;
        }
        let mut told = Vec::new();
        let ended = self.with_folder(session, "UID MOVE", &uids, folder, &mut told).await;
        uids.retain(|uid| told.iter().any(|range| range.contains(uid)));
        // What has moved has moved, also where the server gave up on the way (RFC 6851 section 3.3).
        ended.map(|()| uids.clone()).or_else(|error| if uids.is_empty() { Err(error) } else { Ok(uids) })
    }

    async fn file_over(
        &self,
        session: &mut Session,
        message: &MessageRef,
        folder: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        let (account, uid) = (&self.account.account, message.uid);
        self.check_place(session, message, folder)?;
        let wire = folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, "LIST"))?;
        if session.selected.as_ref().is_some_and(|open| open.wire_name == wire) {
            return Ok(Filed::Left); // It lies there already.
        }
        // Where MOVE tells what it moved, there is no need to ask first.
        let tells = self.account.filing == Filing::Move && session.can("MOVE") && session.can("UIDPLUS");
        if !tells && !self.is_there(session, uid).await? {
            return Ok(Filed::Gone);
        }
        if flagged {
            self.flag(session, &[uid]).await?;
        }
        match self.account.filing {
            Filing::None => Ok(Filed::Left),
            Filing::Copy => {
                self.copy(session, uid, folder).await?;
                Ok(Filed::Copied)
            }
            Filing::Move if session.can("MOVE") => self.move_at_once(session, uid, folder).await,
            Filing::Move => {
                self.copy(session, uid, folder).await?;
                self.delete(session, uid).await
            }
        }
    }

    /// See [`super::Mailbox::discard`].
    pub(super) async fn delete_ours(
        &mut self,
        message: &MessageRef,
        message_id: &str,
    ) -> Result<Filed, MailboxError> {
        if self.account.filing == Filing::None {
            return Ok(Filed::Left);
        }
        let mut session = self.opened(false).await?;
        let deleted = self.delete_if_it_is(&mut session, message, message_id).await;
        self.session = Some(session);
        deleted
    }

    async fn delete_if_it_is(
        &self,
        session: &mut Session,
        message: &MessageRef,
        message_id: &str,
    ) -> Result<Filed, MailboxError> {
        self.check_place(session, message, "the bin")?;
        match copies::identity(session, &self.account.account, message.uid).await? {
            None => Ok(Filed::Gone),
            Some(found) if found.message_id.as_deref() == Some(message_id) => {
                self.delete(session, message.uid).await
            }
            Some(_) => Ok(Filed::Left),
        }
    }

    /// The open folder is the one that the reference means, and may be written.
    fn check_place(&self, session: &Session, message: &MessageRef, folder: &str) -> Result<(), MailboxError> {
        let Some(open) = &session.selected else {
            return Err(Fault::Lost("no folder is open".into()).at(&self.account.account, "filing"));
        };
        if open.uid_validity != message.uid_validity {
            return Err(self.validity_changed(open.uid_validity));
        }
        if !open.writable {
            return Err(MailboxError::NeedsAPerson {
                account: self.account.account.clone(),
                step: format!("filing into {folder}"),
                problem: format!("{} can only be read by this user", self.folder),
                remedy: "Give the account the right to change the mailbox, or set `filing` to `none`".into(),
            });
        }
        Ok(())
    }

    pub(super) async fn is_there(&self, session: &mut Session, uid: u32) -> Result<bool, MailboxError> {
        let found = search(session, &format!("UID {uid}")).await;
        Ok(found.map_err(|fault| fault.at(&self.account.account, "UID SEARCH"))?.contains(&uid))
    }

    /// \Flagged, and a keyword where the server keeps them. A refusal is no reason not to file.
    async fn flag(&self, session: &mut Session, uids: &[u32]) -> Result<(), MailboxError> {
        let Some(open) = &session.selected else { return Ok(()) };
        let mut flags = Vec::new();
        if open.permits_flagged {
            flags.push("\\Flagged");
        }
        if open.permits_keywords {
            flags.push(URGENT_KEYWORD);
        }
        if flags.is_empty() {
            return Ok(());
        }
        let account = &self.account.account;
        match session.order(&format!("UID STORE {} +FLAGS.SILENT ({})", uid_set(uids), flags.join(" "))).await
        {
            Err(Fault::Refused(refusal)) => {
                debug!(account, "The server did not set flags: {}.", refusal.text);
                Ok(())
            }
            other => other.map_err(|fault| fault.at(account, "UID STORE")),
        }
    }

    async fn move_at_once(
        &self,
        session: &mut Session,
        uid: u32,
        folder: &str,
    ) -> Result<Filed, MailboxError> {
        let mut told = Vec::new();
        self.with_folder(session, "UID MOVE", &[uid], folder, &mut told).await?;
        if !told.is_empty() {
            return Ok(Filed::Moved);
        }
        // `UID MOVE` of nothing is a success too (RFC 6851 section 3.3): without COPYUID, look.
        if self.is_there(session, uid).await? {
            return Err(Fault::Lost("the server said OK, but the message has not moved".into())
                .at(&self.account.account, "UID MOVE"));
        }
        Ok(if session.can("UIDPLUS") { Filed::Gone } else { Filed::Moved })
    }

    /// Copies unless a copy is there, from an attempt that was cut short; returns when the copy has been seen.
    async fn copy(&self, session: &mut Session, uid: u32, folder: &str) -> Result<(), MailboxError> {
        let account = &self.account.account;
        let Some(identity) = copies::identity(session, account, uid).await? else {
            return Err(Fault::Lost("the server does not show the message".into()).at(account, "UID FETCH"));
        };
        // Created first, because only then its name is certain, and with it where to look.
        let wire = folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, "LIST"))?;
        if !folders::exists(session, &wire).await.map_err(|fault| fault.at(account, "LIST"))? {
            folders::create(session, account, folder).await?;
        }
        if self.holds(session, folder, &identity).await? {
            return Ok(());
        }
        let mut told = Vec::new();
        self.with_folder(session, "UID COPY", &[uid], folder, &mut told).await?;
        if !told.is_empty() || self.holds(session, folder, &identity).await? {
            return Ok(());
        }
        Err(Fault::Lost("the server said OK, but the copy is not in the folder".into())
            .at(account, "UID COPY"))
    }

    /// Whether a folder holds this message, with the watched folder open again afterwards.
    async fn holds(
        &self,
        session: &mut Session,
        folder: &str,
        identity: &Identity,
    ) -> Result<bool, MailboxError> {
        let (account, home) = (&self.account.account, session.selected.clone());
        let wire = folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, "LIST"))?;
        let found = match folders::open(session, &wire, false).await {
            Ok(_) => copies::find(session, account, identity).await?,
            Err(Fault::Refused(refusal)) => {
                // A refusal for a moment is not "no such folder": taken for that, the message would be copied a second time.
                if folders::exists(session, &wire).await.map_err(|fault| fault.at(account, "LIST"))? {
                    return Err(Fault::Refused(refusal).at(account, "EXAMINE"));
                }
                false
            }
            Err(lost) => return Err(lost.at(account, "EXAMINE")),
        };
        if let Some(home) = home {
            let again = folders::open(session, &home.wire_name, home.writable)
                .await
                .map_err(|f| f.at(account, "SELECT"))?;
            self.means_the_same(&again)?;
            if again.uid_validity != home.uid_validity {
                return Err(self.validity_changed(again.uid_validity));
            }
        }
        Ok(found)
    }

    /// `UID MOVE` or `UID COPY`, creating the folder when the server refuses for want of it. `told`: the UIDs for which COPYUID
    /// proves it (RFC 4315 section 3; with MOVE it may come in several parts, RFC 6851 section 4.3).
    async fn with_folder(
        &self,
        session: &mut Session,
        verb: &str,
        uids: &[u32],
        folder: &str,
        told: &mut Vec<RangeInclusive<u32>>,
    ) -> Result<(), MailboxError> {
        let account = &self.account.account;
        let step = || format!("{verb} into {folder}");
        for first in [true, false] {
            let wire =
                folders::wire_name(session, folder).await.map_err(|fault| fault.at(account, "LIST"))?;
            let each = |response: &Response<'_>| {
                if let Some(ResponseCode::CopyUid(_, from, to)) = ok_code(response)
                    && !to.is_empty()
                {
                    told.extend(from.iter().map(|member| match member {
                        UidSetMember::Uid(uid) => *uid..=*uid,
                        UidSetMember::UidRange(range) => range.clone(),
                    }));
                }
            };
            match session.run(&format!("{verb} {} {}", uid_set(uids), quoted(&wire)), Pace::Bulk, each).await
            {
                Ok(()) => return Ok(()),
                Err(Fault::Refused(refusal)) if first && !refusal.bad => {
                    let exists =
                        folders::exists(session, &wire).await.map_err(|fault| fault.at(account, step()))?;
                    if exists && !refusal.try_create {
                        return Err(Fault::Refused(refusal).at(account, step()));
                    }
                    folders::create(session, account, folder).await?;
                }
                Err(fault) => return Err(fault.at(account, step())),
            }
        }
        Ok(())
    }

    /// Deletes one message whose copy has been seen, and no other.
    async fn delete(&self, session: &mut Session, uid: u32) -> Result<Filed, MailboxError> {
        let account = &self.account.account;
        let at = |step: &'static str| move |fault: Fault| fault.at(account, step);
        session
            .order(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"))
            .await
            .map_err(at("UID STORE"))?;
        if session.can("UIDPLUS") {
            session.order(&format!("UID EXPUNGE {uid}")).await.map_err(at("UID EXPUNGE"))?;
        } else {
            // A plain EXPUNGE would also take what staff have marked \Deleted and may still want back.
            let marked = search(session, "DELETED").await.map_err(at("UID SEARCH"))?;
            match marked.as_slice() {
                [only] if *only == uid => session.order("EXPUNGE").await.map_err(at("EXPUNGE"))?,
                [] => return Err(Fault::Lost("\\Deleted was not set".into()).at(account, "UID STORE")),
                _ => {
                    info!(account, uid, "Message UID {uid} is filed; its original stays, marked \\Deleted.");
                    return Ok(Filed::Moved);
                }
            }
        }
        if self.is_there(session, uid).await? {
            return Err(
                Fault::Lost("the original has been copied but not removed".into()).at(account, "EXPUNGE")
            );
        }
        Ok(Filed::Moved)
    }
}
