//! How it runs: one task for each watched folder, one for each account's letters, one for the rules; joined, never
//! spawned, so that they borrow and that stopping is simple.
//!
//! A task's trouble stays its own: a broken account waits and tries again while the others go on.
//!
//! Whatever waits for several things at once looks at them in the order in which they are written (`biased`), so that the
//! same happenings lead to the same run: `tests/simulation` replays whole days from a number.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use tokio::sync::{Notify, watch};

use crate::certificate::Seen;
use crate::clock::Clock;
use crate::config::Config;
use crate::mailbox::{Mailbox, MailboxError, SENT};
use crate::outbox::Courier;
use crate::record::{RecordError, Records};

pub mod another;
pub mod answers;
pub mod contained;
pub mod digests;
pub mod expiry;
pub mod health;
pub mod in_force;
pub mod intake;
pub mod joining;
pub mod kept;
pub mod letters;
pub mod metrics;
pub mod moves;
pub mod notices;
pub mod parts;
pub mod post;
pub mod pulse;
pub mod reading;
pub mod rebuild;
pub mod refusal;
pub mod reload;
pub mod rounds;
pub mod sent;
mod together;
mod unseen;
pub mod upkeep;
pub mod watch_folder;
pub mod weekly;

pub use in_force::InForce;

/// What every task borrows.
pub struct World<'a, C> {
    /// What the operator set when the program started.
    pub config: &'a Config,
    /// The record.
    pub records: &'a Records,
    /// The clock.
    pub clock: &'a C,
    /// Rules, calendar, wording, routing.
    pub in_force: &'a InForce,
    /// Who wakes whom.
    pub bells: Bells,
    /// True when it is time to stop.
    pub stop: watch::Receiver<bool>,
}

/// A bell for each account: letters to be sent, and copies to be kept; and when each watched folder last had its turn.
#[derive(Debug, Default)]
pub struct Bells {
    post: BTreeMap<String, Notify>,
    copies: BTreeMap<String, Notify>,
    rounds: Notify,
    turns: RefCell<BTreeMap<(String, String), DateTime<Utc>>>,
    /// Accounts on which another send-triage is at work, and until when they are held.
    held: RefCell<BTreeMap<String, DateTime<Utc>>>,
    /// The servers' certificates, as their connections saw them.
    certificates: Seen,
    /// What has been said in the log, and need not be said there again.
    said: RefCell<BTreeSet<String>>,
    /// What happened, for whoever measures.
    pub tally: metrics::Tally,
}

impl Bells {
    /// Bells for these accounts.
    pub fn new<'n>(accounts: impl Iterator<Item = &'n str> + Clone) -> Self {
        let bells =
            |names: &mut dyn Iterator<Item = &'n str>| names.map(|n| (n.to_owned(), Notify::new())).collect();
        Self {
            post: bells(&mut accounts.clone()),
            copies: bells(&mut accounts.clone()),
            rounds: Notify::new(),
            turns: RefCell::default(),
            held: RefCell::default(),
            certificates: Seen::default(),
            said: RefCell::default(),
            tally: metrics::Tally::default(),
        }
    }

    /// The same, with the book in which the connections note the servers' certificates.
    pub fn seeing(self, certificates: Seen) -> Self {
        Self { certificates, ..self }
    }

    /// The servers' certificates, as their connections saw them.
    pub fn certificates(&self) -> &Seen {
        &self.certificates
    }

    /// Whether this was not said before, since the program started.
    pub fn is_news(&self, topic: &str) -> bool {
        self.said.borrow_mut().insert(topic.to_owned())
    }

    /// There are letters for this account to send.
    pub fn ring_post(&self, account: &str) {
        self.post.get(account).map(Notify::notify_one).unwrap_or_default();
    }

    /// Another send-triage answers this account's mail: it is held until then.
    pub fn hold(&self, account: &str, until: DateTime<Utc>) {
        self.held.borrow_mut().insert(account.to_owned(), until);
    }

    /// Until when the account is, or was, held.
    pub fn held_until(&self, account: &str) -> Option<DateTime<Utc>> {
        self.held.borrow().get(account).copied()
    }

    /// There are copies for this account to keep, or uncertain letters to look for.
    pub fn ring_copies(&self, account: &str) {
        self.copies.get(account).map(Notify::notify_one).unwrap_or_default();
    }

    /// Something came that staff may have to be told of.
    pub fn ring_rounds(&self) {
        self.rounds.notify_one();
    }

    /// This watched folder has its turn: its task goes on, whether or not its server does.
    pub fn turned(&self, account: &str, folder: &str, at: DateTime<Utc>) {
        self.turns.borrow_mut().insert((account.to_owned(), folder.to_owned()), at);
    }

    /// When this watched folder last had its turn; `None`: never.
    pub fn last_turn(&self, account: &str, folder: &str) -> Option<DateTime<Utc>> {
        self.turns.borrow().get(&(account.to_owned(), folder.to_owned())).copied()
    }

    /// Waits for such.
    pub async fn rounds(&self) {
        self.rounds.notified().await;
    }

    /// Waits for the account's letters.
    pub async fn post(&self, account: &str) {
        match self.post.get(account) {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Waits for the account's copies.
    pub async fn copies(&self, account: &str) {
        match self.copies.get(account) {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl<C: Clock> World<'_, C> {
    /// The instant now.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What the operator set, as it is in force now: SIGHUP may change parts of it. Accounts never change while it runs.
    pub fn settings(&self) -> Rc<Config> {
        self.in_force.now().config.clone()
    }

    /// Whether it is time to stop.
    pub fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Whether this folder was sent from here: looked at, never moved or acknowledged.
    pub fn is_sent(&self, account: &str, folder: &str) -> bool {
        folder == SENT || self.config.account(account).is_some_and(|account| account.is_sent(folder))
    }

    /// Whether it is one that is looked into now and then, and not watched all the time.
    fn is_polled(&self, account: &str, folder: &str) -> bool {
        let account = self.config.account(account);
        account.is_some_and(|account| account.polled().any(|sent| sent == folder))
    }

    /// Returns when it is time to stop.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // An error means that nobody can ask us to stop any more: the program is ending.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Waits so long, or until it is time to stop.
    pub async fn pause(&self, how_long: Duration) {
        tokio::select! {
            biased;
            () = tokio::time::sleep(how_long) => {}
            () = self.stopped() => {}
        }
    }
}

/// What keeps a task from going on for now: it waits, and tries again.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A mailbox.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// Another send-triage is at work on it.
    #[error(transparent)]
    Another(#[from] another::Another),
}

impl Trouble {
    /// Whether a person should be told: waiting alone does not mend it.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::Record(error) => error.needs_a_person(),
            Self::Mailbox(error) => matches!(error, MailboxError::NeedsAPerson { .. }),
            Self::Another(_) => true,
        }
    }
}

/// What stops the daemon as a whole: the record cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DaemonError(#[from] RecordError);

/// Runs until it is told to stop.
pub async fn run<C: Clock, M: Mailbox, P: Courier>(
    world: &World<'_, C>,
    mailboxes: &mut [M],
    couriers: &mut BTreeMap<String, P>,
) -> Result<(), DaemonError> {
    recover(world)?;
    let (sent, watched): (Vec<&mut M>, Vec<&mut M>) =
        mailboxes.iter_mut().partition(|mailbox| world.is_polled(mailbox.account(), mailbox.folder()));
    let first = first_of_each(&watched);
    let watching =
        watched.into_iter().zip(first).map(|(mailbox, keeps)| watch_folder::watch(mailbox, world, keeps));
    let looking = sent::by_account(sent).into_iter().map(|folders| sent::look_into(folders, world));
    let posting = couriers.iter_mut().map(|(account, courier)| post::post(account, courier, world));
    let working = async {
        tokio::join!(
            join_all(watching),
            join_all(looking),
            join_all(posting),
            reload::reload(world),
            upkeep::look_after(world),
            rounds::go(world)
        );
    };
    // A damaged record is not worked on: whatever is in flight ends as in a crash, which loses nothing.
    tokio::select! {
        biased;
        () = working => Ok(()),
        damage = upkeep::damage(world) => Err(damage.into()),
    }
}

/// Does everything that there is to do now, and returns: what the demo runs. The same steps as [`run`], without waiting.
pub async fn once<C: Clock, M: Mailbox, P: Courier>(
    world: &World<'_, C>,
    mailboxes: &mut [M],
    couriers: &mut BTreeMap<String, P>,
) -> Result<(), Trouble> {
    recover(world)?;
    let first = first_of_each(&mailboxes.iter().collect::<Vec<_>>());
    let mut made = rounds::Made::default();
    loop {
        let mut work = 0;
        for (mailbox, keeps) in mailboxes.iter_mut().zip(&first) {
            work += watch_folder::take_in(mailbox, world).await?;
            work += watch_folder::settle(mailbox, world, *keeps).await?;
        }
        for (account, courier) in couriers.iter_mut() {
            work += post::send_due(account, courier, world).await?.done;
        }
        work += rounds::make(world, &mut made)?;
        if work == 0 {
            return Ok(());
        }
    }
}

fn recover<C: Clock>(world: &World<'_, C>) -> Result<(), RecordError> {
    let recovered = world.records.recover(world.now())?;
    if recovered.uncertain > 0 {
        tracing::warn!(
            letters = recovered.uncertain,
            "The last run ended while {} letters were being handed over; each is looked for in Sent before anything else is done.",
            recovered.uncertain
        );
    }
    Ok(())
}

/// For each mailbox whether it is the first of its account: that one keeps copies in Sent.
fn first_of_each<M: Mailbox>(mailboxes: &[impl std::ops::Deref<Target = M>]) -> Vec<bool> {
    let mut seen = std::collections::BTreeSet::new();
    mailboxes.iter().map(|mailbox| seen.insert(mailbox.account().to_owned())).collect()
}
