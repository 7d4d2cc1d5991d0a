//! A [`Mailbox`] on an IMAP server: keeps one connection, opens the folder, hands the work to its neighbours. What is fetched,
//! filed and passed on stands in `fetch`, `filing` and `passing`; the wire in `session`. RFC 9051, RFC 3501.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::account::{Accounts, Filing, Handed, ImapAccount, Term};
use super::blame::Blame;
use super::connect::connect;
use super::fetch::search;
use super::folders;
use super::idle::Idled;
use super::login;
use super::session::{Fault, Selected, Session};
use super::{Fetched, Filed, Mailbox, MailboxError, SENT, Sought, Status};
use crate::effect::Destination;
use crate::letter::Letter;
use crate::message::MessageRef;

/// A kept connection that was silent for so long is tried before it is relied on.
pub(super) const TRUSTED: Duration = Duration::from_secs(10);
/// A session that ends with its token sooner than this after another one did is in trouble.
const SHORTEST_SESSION: Duration = Duration::from_secs(5 * 60);
/// A session whose token is about to end, while there is no other one, is looked at again so much later.
const RENEW_AGAIN: Duration = Duration::from_secs(30);
/// Two wake-ups are never closer than this.
const BREATH: Duration = Duration::from_millis(250);

/// A watched folder of an account on an IMAP server.
pub struct ImapMailbox {
    pub(super) account: ImapAccount,
    pub(super) folder: String,
    pub(super) others: Rc<Accounts>,
    /// The connection. Taken out while a command runs: a dropped future drops it too, and it is made anew.
    pub(super) session: Option<Session>,
    /// UIDVALIDITY as `status` told it last.
    expected: Option<u32>,
    /// UIDNEXT as `status` told it last: on a later connection it is the same or higher, or UIDs have been given out anew.
    expected_next: u32,
    /// Everything below this UID has been fetched.
    pub(super) seen_next: u32,
    /// The UIDs that SEARCH listed last, lowest first: a long backlog is listed once, not once a batch.
    pub(super) listed: Vec<u32>,
    /// `wait` has already returned early for a UIDNEXT up to this one.
    told_next: u32,
    woken_at: Option<Instant>,
    /// Whose fault it is that messages could not be fetched.
    pub(super) blame: Blame,
    /// When a session last ended with its token.
    expired_at: Option<Instant>,
    pub(super) last_complaint: String,
    /// Connections to accounts that messages are passed on to.
    pub(super) targets: BTreeMap<String, Session>,
}

impl ImapMailbox {
    /// The mailbox is not connected before it is used. `folder` is its name in Unicode, levels divided by `/`, or
    /// [`SENT`].
    pub fn new(mut account: ImapAccount, folder: String, others: Rc<Accounts>) -> Self {
        // Values with which nothing could be read.
        account.fetch_batch = account.fetch_batch.max(1);
        account.whole_message_limit_bytes = account.whole_message_limit_bytes.max(16 << 10);
        Self {
            account,
            folder,
            others,
            session: None,
            expected: None,
            expected_next: 0,
            seen_next: 0,
            listed: Vec::new(),
            told_next: 0,
            woken_at: None,
            blame: Blame::default(),
            expired_at: None,
            last_complaint: String::new(),
            targets: BTreeMap::new(),
        }
    }

    /// A connection with the folder open. `fresh`: the server is asked to look for new mail. A kept connection that turns
    /// out to be dead is replaced once.
    pub(super) async fn opened(&mut self, fresh: bool) -> Result<Session, MailboxError> {
        if let Some(mut kept) = self.session.take().filter(Session::is_usable) {
            match self.prepare(&mut kept, fresh).await {
                Ok(()) => return Ok(kept),
                Err(MailboxError::Transient { problem, .. }) => {
                    debug!(
                        account = self.account.account,
                        "The connection is dead ({problem}); connecting again."
                    );
                }
                Err(other) => {
                    self.session = Some(kept);
                    return Err(other);
                }
            }
        }
        let mut session = connect(&self.account).await?;
        self.prepare(&mut session, false).await?;
        Ok(session)
    }

    /// Exchange ends a session with its token, in the middle of whatever is under way. So it is begun anew ahead of that, here:
    /// between two rounds of work. As long as there is no newer token, the session goes on.
    async fn renew(&mut self) {
        let Some((session, term)) =
            self.session.as_mut().and_then(|session| session.term.map(|term| (session, term)))
        else {
            return;
        };
        if Instant::now() < term.renew_at {
            return;
        }
        match login::secret(&self.account).await {
            Ok(Handed { term: Some(next), .. }) if next.ends_at > term.ends_at => {
                debug!(
                    account = self.account.account,
                    "The session's token is about to end: connecting again."
                );
                self.close().await;
            }
            // Why there is none is told by whoever keeps it, and by the next login.
            _ => session.term = Some(Term { renew_at: Instant::now() + RENEW_AGAIN, ..term }),
        }
    }

    async fn prepare(&self, session: &mut Session, fresh: bool) -> Result<(), MailboxError> {
        let account = &self.account.account;
        session.settle().await.map_err(|fault| fault.at(account, "DONE"))?;
        let wire = self.wire_name(session).await?;
        if session.selected.as_ref().is_some_and(|open| open.wire_name == wire) {
            if fresh || session.last_used.elapsed() > TRUSTED {
                session.order("NOOP").await.map_err(|fault| fault.at(account, "NOOP"))?;
            }
        } else {
            self.open_folder(session, &wire).await?;
        }
        match &session.selected {
            Some(open) => self.means_the_same(open),
            None => Ok(()),
        }
    }

    /// Whether the folder's UIDs are those that the caller knows. A store that was put back from a backup may keep its
    /// UIDVALIDITY, and then only UIDNEXT shows that a UID is another message now.
    pub(super) fn means_the_same(&self, open: &Selected) -> Result<(), MailboxError> {
        match self.expected {
            Some(expected)
                if open.uid_validity != expected
                    || (open.tells_uid_next && open.uid_next < self.expected_next) =>
            {
                Err(self.validity_changed(open.uid_validity))
            }
            _ => Ok(()),
        }
    }

    /// The watched folder as the server calls it.
    async fn wire_name(&self, session: &mut Session) -> Result<String, MailboxError> {
        let account = &self.account.account;
        if self.folder != SENT {
            return folders::wire_name(session, &self.folder)
                .await
                .map_err(|fault| fault.at(account, "LIST"));
        }
        let may_create = self.account.filing != Filing::None;
        folders::sent_folder(session, &self.account, may_create).await?.ok_or_else(|| {
            MailboxError::NeedsAPerson {
                account: account.clone(),
                step: "looking for the Sent folder".into(),
                problem: "none is marked as such, and none has a usual name".into(),
                remedy: "Name it in `own_sent_folder`".into(),
            }
        })
    }

    async fn open_folder(&self, session: &mut Session, wire: &str) -> Result<(), MailboxError> {
        let account = &self.account.account;
        let step = format!("opening the folder {}", self.folder);
        match folders::open(session, wire, self.account.filing != Filing::None && self.folder != SENT).await {
            Ok(open) if open.uid_validity != 0 => Ok(()),
            Ok(_) => Err(MailboxError::NeedsAPerson {
                account: account.clone(),
                step,
                problem: "the server gives no UIDVALIDITY, so messages cannot be told apart safely".into(),
                remedy: "Have the server's mail store mended, or use another folder".into(),
            }),
            Err(Fault::Refused(refusal)) => match Fault::Refused(refusal.clone()).at(account, step.clone()) {
                MailboxError::Transient { .. }
                    if !self.folder.eq_ignore_ascii_case("INBOX") && !refusal.bad =>
                {
                    Err(MailboxError::NeedsAPerson {
                        account: account.clone(),
                        step,
                        problem: format!("the server refused: {}", refusal.text),
                        remedy: format!("The folders there are: {}", folders::some_names(session).await),
                    })
                }
                other => Err(other),
            },
            Err(lost) => Err(lost.at(account, step)),
        }
    }

    pub(super) fn validity_changed(&self, now: u32) -> MailboxError {
        MailboxError::UidValidityChanged {
            account: self.account.account.clone(),
            folder: self.folder.clone(),
            now,
        }
    }

    /// Waits on the kept connection, so that a dropped future leaves it usable: the next command ends the IDLE.
    async fn watch(&mut self, end: Instant) -> Result<(), MailboxError> {
        let session = self.opened(false).await?;
        let session = self.session.insert(session);
        // A wait ends in time for a new token: the next round begins with it.
        let end = session.term.map_or(end, |term| end.min(term.renew_at));
        let uid_next = session.selected.as_ref().map_or(0, |open| open.uid_next);
        if session.news || uid_next > self.seen_next.max(self.told_next) {
            // It came between the last look and now. Said once only, or a message that is gone again would make us spin.
            session.news = false;
            self.told_next = uid_next.max(self.told_next);
            return Ok(());
        }
        if session.can("IDLE") && !session.idle_refused {
            let short = end.min(Instant::now() + self.account.timeouts.idle);
            match session.idle(short).await {
                // Exchange ends a session with its token: nothing is wrong, the next command logs in anew.
                // One that ends so again at once is broken, and is left in peace for a while like any other.
                Err(Fault::Lost(why))
                    if why.contains("AccessTokenExpired")
                        && self
                            .expired_at
                            .replace(Instant::now())
                            .is_none_or(|before| before.elapsed() >= SHORTEST_SESSION) => {}
                Err(fault) => return Err(fault.at(&self.account.account, "waiting (IDLE)")),
                Ok(Idled::News) => session.news = false,
                Ok(Idled::Quiet) => {}
                Ok(Idled::Unwanted) => {
                    debug!(account = self.account.account, "The server will not idle; polling.");
                    session.idle_refused = true;
                    sleep_until(end).await;
                }
            }
            return Ok(());
        }
        sleep_until(end).await;
        Ok(())
    }
}

impl Mailbox for ImapMailbox {
    fn account(&self) -> &str {
        &self.account.account
    }

    fn folder(&self) -> &str {
        &self.folder
    }

    async fn status(&mut self) -> Result<Status, MailboxError> {
        (self.expected, self.expected_next) = (None, 0);
        self.renew().await;
        self.listed.clear();
        let mut session = self.opened(false).await?;
        // Opened again, so that UIDNEXT is the one of now.
        let wire = session.selected.as_ref().map(|open| open.wire_name.clone()).unwrap_or_default();
        let opened = self.open_folder(&mut session, &wire).await;
        let (open, exists) = (session.selected.clone(), session.exists);
        self.session = Some(session);
        opened?;
        let (uid_validity, uid_next, told) =
            open.map(|open| (open.uid_validity, open.uid_next, open.tells_uid_next)).unwrap_or_default();
        (self.expected, self.expected_next) = (Some(uid_validity), if told { uid_next } else { 0 });
        Ok(Status { uid_validity, uid_next, exists })
    }

    async fn fetch(&mut self, after: u32, at_most: u32) -> Result<Fetched, MailboxError> {
        self.take_in(after, at_most).await
    }

    async fn uid_before(&mut self, day: NaiveDate) -> Result<u32, MailboxError> {
        let mut session = self.opened(false).await?;
        // The server compares dates in its own time zone: a day more.
        let since = day.pred_opt().unwrap_or(day);
        let found = search(&mut session, &format!("SINCE {}", since.format("%-d-%b-%Y"))).await;
        let next = session.selected.as_ref().map_or(1, |open| open.uid_next);
        self.session = Some(session);
        let found = found.map_err(|fault| fault.at(&self.account.account, "SEARCH SINCE"))?;
        // What was copied here lately has a high UID and an old date: that is passed over only below the first in time.
        Ok(found.into_iter().min().unwrap_or(next).saturating_sub(1))
    }

    async fn file(
        &mut self,
        message: &MessageRef,
        folder: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        self.file_away(message, folder, flagged).await
    }

    async fn file_together(
        &mut self,
        messages: &[MessageRef],
        folder: &str,
        flagged: bool,
    ) -> Result<Vec<u32>, MailboxError> {
        self.move_together(messages, folder, flagged).await
    }

    async fn transfer(
        &mut self,
        message: &MessageRef,
        to: &Destination,
        original_to: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        self.pass_on(message, to, original_to, flagged).await
    }

    async fn lies_in(&mut self, sought: &Sought, place: &Destination) -> Result<bool, MailboxError> {
        self.has_been_filed(sought, place).await
    }

    async fn discard(&mut self, message: &MessageRef, message_id: &str) -> Result<Filed, MailboxError> {
        self.delete_ours(message, message_id).await
    }

    async fn sent_holds(&mut self, message_id: &str) -> Result<bool, MailboxError> {
        self.is_in_sent(message_id).await
    }

    async fn keep_copy(&mut self, letter: &Letter, sent_at: DateTime<Utc>) -> Result<(), MailboxError> {
        self.put_into_sent(letter, sent_at).await
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), MailboxError> {
        let now = Instant::now();
        if let Some(woken_at) = self.woken_at {
            sleep_until(woken_at + BREATH).await;
        }
        let waited = self.watch(now + at_most).await;
        self.woken_at = Some(Instant::now());
        waited
    }

    async fn close(&mut self) {
        for session in self.session.take().into_iter().chain(std::mem::take(&mut self.targets).into_values())
        {
            session.log_out().await;
        }
    }
}
