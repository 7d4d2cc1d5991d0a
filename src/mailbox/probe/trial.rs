//! The test message of `doctor --send-test`, on its way back: seen in the inbox, perhaps in Sent, and then removed again. It is
//! the only part of `doctor` that writes, and it touches no message but the one with our Message-ID.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::account::{Filing, ImapAccount};
use super::super::copies;
use super::super::fetch::search;
use super::super::folders;
use super::super::idle::Idled;
use super::super::names::{quoted, searchable};
use super::super::session::{Fault, Session};
use super::super::{MailboxError, connect};

/// A look again when the server does not wake us.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A connection on which a test message is waited for.
pub struct Trial {
    account: ImapAccount,
    session: Session,
    folder: String,
}

/// The test message has come.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// When it was seen.
    pub at: Instant,
    /// Whether the server's IDLE said so; otherwise it was found by looking.
    pub announced: bool,
}

impl Trial {
    /// Logs in and opens the folder in which the message is to arrive.
    pub async fn begin(account: &ImapAccount, folder: &str) -> Result<Self, MailboxError> {
        let mut session = connect::connect(account).await?;
        let at = |fault: Fault| fault.at(&account.account, format!("opening the folder {folder}"));
        let wire = folders::wire_name(&mut session, folder).await.map_err(at)?;
        folders::open(&mut session, &wire, account.filing != Filing::None).await.map_err(at)?;
        Ok(Self { account: account.clone(), session, folder: wire })
    }

    /// Waits until a message with this Message-ID is there; `None`: it has not come in time.
    pub async fn wait_for(
        &mut self,
        message_id: &str,
        at_most: Duration,
    ) -> Result<Option<Arrival>, MailboxError> {
        let end = Instant::now() + at_most;
        let mut announced = false;
        loop {
            self.session.news = false;
            self.order("NOOP").await?;
            if copies::holds_id(&mut self.session, message_id).await.map_err(|fault| self.at(fault))? {
                return Ok(Some(Arrival { at: Instant::now(), announced }));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            announced = self.news_before(end).await?;
        }
    }

    /// Whether the server has said of new mail, before a while is over.
    async fn news_before(&mut self, end: Instant) -> Result<bool, MailboxError> {
        if self.session.news {
            return Ok(true);
        }
        let soon = end.min(Instant::now() + 5 * LOOK_AGAIN);
        if self.session.can("IDLE") && !self.session.idle_refused {
            match self.session.idle(soon).await.map_err(|fault| self.at(fault))? {
                Idled::News => return Ok(true),
                Idled::Quiet => return Ok(false),
                Idled::Unwanted => self.session.idle_refused = true,
            }
        }
        sleep(LOOK_AGAIN).await;
        Ok(false)
    }

    /// How long until the server had a copy in Sent; `None`: it had none in that time, or there is no such folder.
    pub async fn kept_in_sent(
        &mut self,
        message_id: &str,
        at_most: Duration,
    ) -> Result<Option<Duration>, MailboxError> {
        let begun = Instant::now();
        let Some(sent) = folders::sent_folder(&mut self.session, &self.account, false).await? else {
            return Ok(None);
        };
        loop {
            folders::open(&mut self.session, &sent, false).await.map_err(|fault| self.at(fault))?;
            if copies::holds_id(&mut self.session, message_id).await.map_err(|fault| self.at(fault))? {
                return Ok(Some(begun.elapsed()));
            }
            if begun.elapsed() >= at_most {
                return Ok(None);
            }
            sleep(LOOK_AGAIN / 2).await;
        }
    }

    /// Removes the message from the inbox and from Sent; from how many of the two.
    pub async fn remove(&mut self, message_id: &str) -> Result<usize, MailboxError> {
        let sent = folders::sent_folder(&mut self.session, &self.account, false).await?;
        let mut removed = 0;
        for folder in std::iter::once(self.folder.clone()).chain(sent) {
            folders::open(&mut self.session, &folder, true).await.map_err(|fault| self.at(fault))?;
            removed += usize::from(self.remove_here(message_id).await.map_err(|fault| self.at(fault))?);
        }
        Ok(removed)
    }

    /// Whether there was one in the folder that is open.
    async fn remove_here(&mut self, message_id: &str) -> Result<bool, Fault> {
        let Some(id) = searchable(message_id) else { return Ok(false) };
        let found = search(&mut self.session, &format!("HEADER Message-ID {}", quoted(id))).await?;
        let [uid] = found.as_slice() else { return Ok(false) };
        self.session.order(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)")).await?;
        if self.session.can("UIDPLUS") {
            self.session.order(&format!("UID EXPUNGE {uid}")).await?;
        } else if search(&mut self.session, "DELETED").await? == [*uid] {
            // A plain EXPUNGE would also take what staff have marked as deleted and may still want back.
            self.session.order("EXPUNGE").await?;
        }
        Ok(true)
    }

    /// Says goodbye.
    pub async fn end(self) {
        self.session.log_out().await;
    }

    async fn order(&mut self, command: &str) -> Result<(), MailboxError> {
        self.session.order(command).await.map_err(|fault| fault.at(&self.account.account, command))
    }

    fn at(&self, fault: Fault) -> MailboxError {
        fault.at(&self.account.account, "looking for the test message")
    }
}
