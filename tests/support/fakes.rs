//! Mail servers in memory, for running the daemon's own code against faults in told time: nothing here waits for a network
//! or for the real clock, and the same seed fails in the same way again.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use send_triage::clock::Clock;
use send_triage::effect::Destination;
use send_triage::letter::Letter;
use send_triage::mailbox::{Fetched, Filed, Mailbox, MailboxError, RawMessage, SENT, Status};
use send_triage::message::MessageRef;
use send_triage::outbox::{Courier, DeliveryError};
use tokio::time::{Instant, sleep};

/// Tokio's paused time as a clock: it stands still while there is work, and leaps to the next timer when there is none.
#[derive(Clone)]
pub struct ToldClock {
    start: DateTime<Utc>,
    began: Instant,
}

impl ToldClock {
    /// Begins now, inside a runtime with paused time, at this instant.
    pub fn starting(at: &str) -> Self {
        Self { start: at.parse().unwrap(), began: Instant::now() }
    }

    /// So many minutes before now.
    pub fn now_less_minutes(&self, minutes: i64) -> DateTime<Utc> {
        self.now() - chrono::TimeDelta::minutes(minutes)
    }
}

impl Clock for ToldClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + chrono::TimeDelta::from_std(self.began.elapsed()).unwrap()
    }
}

/// Chance that repeats itself: Knuth's linear congruential generator.
pub struct Chance(Cell<u64>);

impl Chance {
    pub fn of_seed(seed: u64) -> Self {
        Self(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    /// A number below `below`.
    pub fn below(&self, below: u64) -> u64 {
        let next =
            self.0.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0.set(next);
        (next >> 33) % below
    }
}

/// A message on the server.
#[derive(Clone)]
pub struct Stored {
    pub uid: u32,
    pub bytes: Vec<u8>,
    pub received_at: DateTime<Utc>,
}

impl Stored {
    pub fn holds(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.bytes).contains(words)
    }
}

/// One account's server, and how it misbehaves.
#[derive(Default)]
pub struct Server {
    folders: RefCell<BTreeMap<String, Vec<Stored>>>,
    uid_next: Cell<u32>,
    pub uid_validity: Cell<u32>,
    /// Nothing answers.
    pub is_away: Cell<bool>,
    /// The password is wrong.
    pub refuses_login: Cell<bool>,
    /// How often somebody tried to log in with the wrong password.
    pub refused_logins: Cell<u32>,
    /// Folders that may not be written.
    pub forbidden: RefCell<BTreeSet<String>>,
    /// With this, one operation in so many fails, half of them after it was done.
    pub unreliable: RefCell<Option<(Rc<Chance>, u64)>>,
}

impl Server {
    pub fn new() -> Rc<Self> {
        let server = Self::default();
        server.uid_next.set(1);
        server.uid_validity.set(7);
        Rc::new(server)
    }

    /// A message arrives, or is put there by somebody.
    pub fn put(&self, folder: &str, bytes: &[u8], received_at: DateTime<Utc>) {
        let uid = self.uid_next.replace(self.uid_next.get() + 1);
        let stored = Stored { uid, bytes: bytes.to_vec(), received_at };
        self.folders.borrow_mut().entry(folder.to_owned()).or_default().push(stored);
    }

    /// Takes a message that holds these words out of a folder.
    pub fn take(&self, folder: &str, words: &str) -> Option<Stored> {
        let mut folders = self.folders.borrow_mut();
        let messages = folders.get_mut(folder)?;
        let at = messages.iter().position(|message| message.holds(words))?;
        Some(messages.remove(at))
    }

    pub fn folder(&self, folder: &str) -> Vec<Stored> {
        self.folders.borrow().get(folder).cloned().unwrap_or_default()
    }

    /// How many messages lie in a folder.
    pub fn count(&self, folder: &str) -> usize {
        self.folders.borrow().get(folder).map_or(0, Vec::len)
    }

    /// Whether a message with this Message-ID lies in a folder.
    fn holds_id(&self, folder: &str, message_id: &str) -> bool {
        let folders = self.folders.borrow();
        let in_head = |stored: &Stored| {
            let end = stored.bytes.windows(4).position(|four| four == b"\r\n\r\n");
            String::from_utf8_lossy(&stored.bytes[..end.unwrap_or(stored.bytes.len())]).contains(message_id)
        };
        folders.get(folder).is_some_and(|messages| messages.iter().any(in_head))
    }

    /// The folders in which a message with these words lies.
    pub fn places_of(&self, words: &str) -> Vec<String> {
        let folders = self.folders.borrow();
        let holding = folders.iter().flat_map(|(name, messages)| {
            messages.iter().filter(|message| message.holds(words)).map(|_| name.clone())
        });
        holding.collect()
    }

    fn remove(&self, folder: &str, uid: u32) -> Option<Stored> {
        let mut folders = self.folders.borrow_mut();
        let messages = folders.get_mut(folder)?;
        let at = messages.iter().position(|message| message.uid == uid)?;
        Some(messages.remove(at))
    }

    fn answers(&self, account: &str) -> Result<(), MailboxError> {
        if self.is_away.get() {
            return Err(lost(account, "connecting"));
        }
        if self.refuses_login.get() {
            self.refused_logins.set(self.refused_logins.get() + 1);
            return Err(MailboxError::NeedsAPerson {
                account: account.to_owned(),
                step: "login".to_owned(),
                problem: "the server refused".to_owned(),
                remedy: "Check the password".to_owned(),
            });
        }
        Ok(())
    }

    /// Whether this operation fails, and if so, whether only after it was done.
    fn fails(&self) -> Option<bool> {
        let unreliable = self.unreliable.borrow();
        let (chance, one_in) = unreliable.as_ref()?;
        (chance.below(*one_in) == 0).then(|| chance.below(2) == 0)
    }
}

fn lost(account: &str, step: &str) -> MailboxError {
    let (account, step) = (account.to_owned(), step.to_owned());
    MailboxError::Transient { account, step, problem: "the connection broke".to_owned() }
}

/// A watched folder on such a server.
pub struct FakeMailbox {
    pub account: String,
    pub folder: String,
    pub server: Rc<Server>,
    pub others: BTreeMap<String, Rc<Server>>,
}

impl FakeMailbox {
    /// Does something that changes the server, or fails before or after it.
    fn act<T>(&self, step: &str, work: impl FnOnce() -> T) -> Result<T, MailboxError> {
        self.server.answers(&self.account)?;
        match self.server.fails() {
            Some(false) => Err(lost(&self.account, step)),
            Some(true) => {
                work();
                Err(lost(&self.account, step))
            }
            None => Ok(work()),
        }
    }
}

impl Mailbox for FakeMailbox {
    fn account(&self) -> &str {
        &self.account
    }

    fn folder(&self) -> &str {
        &self.folder
    }

    async fn status(&mut self) -> Result<Status, MailboxError> {
        self.act("SELECT", || Status {
            uid_validity: self.server.uid_validity.get(),
            uid_next: self.server.uid_next.get(),
            exists: u32::try_from(self.server.count(&self.folder)).unwrap(),
        })
    }

    async fn fetch(&mut self, after: u32, at_most: u32) -> Result<Fetched, MailboxError> {
        self.act("FETCH", || {
            let uid_validity = self.server.uid_validity.get();
            let folders = self.server.folders.borrow();
            let all = folders.get(&self.folder).map_or(&[][..], Vec::as_slice);
            let mut new: Vec<&Stored> = all.iter().filter(|message| message.uid > after).collect();
            new.sort_by_key(|message| message.uid);
            let all = new.len();
            let found: Vec<Stored> = new.into_iter().take(at_most as usize).cloned().collect();
            let last = found.last().map_or(after, |message| message.uid);
            let up_to = if found.len() == all { self.server.uid_next.get() - 1 } else { last };
            let messages = found.into_iter().map(|message| RawMessage {
                at: MessageRef {
                    account: self.account.clone(),
                    folder: self.folder.clone(),
                    uid_validity,
                    uid: message.uid,
                },
                received_at: message.received_at,
                size_bytes: message.bytes.len(),
                bytes: message.bytes,
            });
            Fetched {
                uid_validity,
                messages: messages.collect(),
                up_to: up_to.max(after),
                ..Fetched::default()
            }
        })
    }

    async fn file(&mut self, message: &MessageRef, folder: &str, _: bool) -> Result<Filed, MailboxError> {
        if self.server.forbidden.borrow().contains(folder) {
            return Err(MailboxError::NeedsAPerson {
                account: self.account.clone(),
                step: format!("UID MOVE into {folder}"),
                problem: "no right to write there".to_owned(),
                remedy: "Give the account the right".to_owned(),
            });
        }
        self.act("UID MOVE", || match self.server.remove(&self.folder, message.uid) {
            None => Filed::Gone,
            Some(stored) => {
                self.server.put(folder, &stored.bytes, stored.received_at);
                Filed::Moved
            }
        })
    }

    async fn discard(&mut self, message: &MessageRef, message_id: &str) -> Result<Filed, MailboxError> {
        let lies = self.server.folder(&self.folder).into_iter().find(|stored| stored.uid == message.uid);
        let Some(stored) = lies else { return Ok(Filed::Gone) };
        if !String::from_utf8_lossy(&stored.bytes).contains(message_id) {
            return Ok(Filed::Left);
        }
        self.act("UID EXPUNGE", || drop(self.server.remove(&self.folder, message.uid)))?;
        Ok(Filed::Moved)
    }

    async fn transfer(
        &mut self,
        message: &MessageRef,
        to: &Destination,
        original_to: &str,
        flagged: bool,
    ) -> Result<Filed, MailboxError> {
        let target = self.others[&to.account].clone();
        target.answers(&to.account)?;
        let lies = self.server.folder(&self.folder).into_iter().find(|stored| stored.uid == message.uid);
        let Some(stored) = lies else { return Ok(Filed::Gone) };
        self.act("APPEND", || {
            if !target.folder(&to.folder).iter().any(|there| there.bytes == stored.bytes) {
                target.put(&to.folder, &stored.bytes, stored.received_at);
            }
        })?;
        self.file(message, original_to, flagged).await
    }

    async fn sent_holds(&mut self, message_id: &str) -> Result<bool, MailboxError> {
        self.act("SEARCH", || self.server.holds_id(SENT, message_id))
    }

    async fn keep_copy(&mut self, letter: &Letter, sent_at: DateTime<Utc>) -> Result<(), MailboxError> {
        self.act("APPEND", || {
            if !self.server.holds_id(SENT, &letter.message_id) {
                self.server.put(SENT, &letter.raw, sent_at);
            }
        })
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), MailboxError> {
        let (end, known) = (Instant::now() + at_most, self.server.uid_next.get());
        while Instant::now() < end && self.server.uid_next.get() == known {
            sleep(Duration::from_secs(10)).await;
        }
        Ok(())
    }

    async fn close(&mut self) {}
}

/// How the next deliveries go; the last of these goes on for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Taken,
    Later,
    Refused,
    WrongPassword,
    /// Taken, but the answer does not come.
    TakenInSilence,
    /// Lost, and the answer does not come.
    LostInSilence,
}

/// A courier and what went out through it.
#[derive(Clone, Default)]
pub struct FakeCourier {
    pub sent: Rc<RefCell<Vec<Letter>>>,
    pub attempts: Rc<Cell<u32>>,
    pub answers: Rc<RefCell<Vec<Answer>>>,
    /// With this, every delivery goes as chance has it.
    pub chance: Option<Rc<Chance>>,
    /// Called once a letter has been taken, before anybody is told.
    pub when_taken: Option<Rc<dyn Fn()>>,
    /// Where a copy of what is taken appears by itself, as on Exchange.
    pub keeps_copies_at: Option<Rc<Server>>,
}

impl FakeCourier {
    fn answer(&self) -> Answer {
        if let Some(chance) = &self.chance {
            return match chance.below(10) {
                0 => Answer::Later,
                1 => Answer::WrongPassword,
                2 => Answer::TakenInSilence,
                3 => Answer::LostInSilence,
                _ => Answer::Taken,
            };
        }
        let mut answers = self.answers.borrow_mut();
        match answers.len() {
            0 => Answer::Taken,
            1 => answers[0],
            _ => answers.remove(0),
        }
    }
}

impl Courier for FakeCourier {
    async fn deliver(
        &mut self,
        letter: &Letter,
        commit: &mut dyn FnMut() -> bool,
    ) -> Result<(), DeliveryError> {
        self.attempts.set(self.attempts.get() + 1);
        sleep(Duration::from_millis(200)).await;
        let answer = self.answer();
        match answer {
            Answer::Later => return Err(DeliveryError::Transient { server_said: "450 later".to_owned() }),
            Answer::Refused => return Err(DeliveryError::Permanent { server_said: "550 no".to_owned() }),
            Answer::WrongPassword => {
                let (problem, remedy) = ("535 wrong password".to_owned(), "mend it".to_owned());
                return Err(DeliveryError::NeedsAPerson { problem, remedy });
            }
            _ => {}
        }
        if !commit() {
            return Err(DeliveryError::NotCommitted);
        }
        sleep(Duration::from_millis(200)).await;
        if answer != Answer::LostInSilence {
            self.sent.borrow_mut().push(letter.clone());
            if let Some(server) = &self.keeps_copies_at {
                server.put(SENT, &letter.raw, Utc::now());
            }
        }
        if let Some(when_taken) = &self.when_taken {
            when_taken();
        }
        sleep(Duration::from_millis(200)).await;
        match answer {
            Answer::Taken => Ok(()),
            _ => Err(DeliveryError::Uncertain { detail: "silence".to_owned() }),
        }
    }
}
