//! One watched folder: take in what is new, do what is due there, wait. Its trouble is its own.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::config::Existing;
use crate::effect::{Destination, Effect};
use crate::mailbox::{Filed, Mailbox, MailboxError, SENT, Status};
use crate::message::MessageRef;
use crate::outbox::retry;
use crate::record::{DueEffect, Which};

use super::reading::Batch;
use super::{Trouble, World, another, intake, pulse, together, unseen};

/// How many messages are fetched and recorded at a time.
const BATCH: u32 = 50;

/// How long one wait for new mail is at most; a promise to tell (IDLE) is never trusted for longer.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// After so many places that failed in one round, the mailbox itself is taken to be in trouble.
const MOST_FAILURES: usize = 3;

/// How long a letter of which no answer came is looked for in Sent before anything else is done about it: servers that keep
/// a copy may take minutes.
const LONGEST_LOOK: TimeDelta = TimeDelta::minutes(15);

/// How long between two looks.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(2);

/// Watches the folder until it is time to stop.
pub async fn watch<M: Mailbox, C: Clock>(mailbox: &mut M, world: &World<'_, C>, keeps_copies: bool) {
    let mut failures = 0u32;
    let mut away = true; // Until it answers for the first time.
    while !world.stopping() {
        pulse::turn(mailbox, world);
        match turn(mailbox, world, keeps_copies, &mut away).await {
            Ok(()) => failures = 0,
            Err(trouble) => {
                world.bells.tally.trouble(mailbox.account(), &trouble);
                failures = failures.saturating_add(1);
                let pause = back_off(failures, &trouble, mailbox);
                let (account, folder, seconds) = (mailbox.account(), mailbox.folder(), pause.as_secs());
                if trouble.needs_a_person() {
                    tracing::error!(
                        account,
                        folder,
                        failures,
                        "{trouble}; trying again in {seconds} seconds."
                    );
                } else {
                    tracing::warn!(
                        account,
                        folder,
                        failures,
                        "{trouble}; trying again in {seconds} seconds."
                    );
                }
                world.pause(pause).await;
            }
        }
    }
    mailbox.close().await;
}

/// One round: everything new, everything due, then a wait for more.
async fn turn<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    keeps_copies: bool,
    away: &mut bool,
) -> Result<(), Trouble> {
    if let Some(another) = another::held(mailbox.account(), world) {
        return Err(another.into());
    }
    let status = match mailbox.status().await {
        Ok(status) => status,
        Err(error) => {
            *away = true;
            return Err(error.into());
        }
    };
    if std::mem::take(away) {
        world.records.answers_again(mailbox.account(), world.now())?;
    }
    take_in_from(mailbox, world, status).await?;
    settle(mailbox, world, keeps_copies).await?;
    let account = mailbox.account().to_owned();
    let longest = longest_wait(mailbox, world, keeps_copies)?;
    tokio::select! {
        // The wait comes last: it may begin by opening the folder again, and a bell that has rung already would cut that
        // short, which costs the connection and a login.
        biased;
        () = world.bells.copies(&account), if keeps_copies => {}
        () = world.stopped() => {}
        waited = mailbox.wait(longest) => waited?,
    }
    Ok(())
}

/// Waits no longer than until the next effect is due here.
fn longest_wait<M: Mailbox, C: Clock>(
    mailbox: &M,
    world: &World<'_, C>,
    keeps_copies: bool,
) -> Result<Duration, Trouble> {
    let account = mailbox.account().to_owned();
    let poll = world
        .config
        .account(&account)
        .and_then(|a| a.imap.as_ref())
        .map_or(LONGEST_WAIT, |imap| Duration::from_secs(u64::from(imap.poll_seconds)).min(LONGEST_WAIT));
    let here = Which::Mailbox { account: account.clone(), folder: mailbox.folder().to_owned() };
    let mut next = world.records.next_effect_at(here)?;
    if keeps_copies {
        let in_sent = world.records.next_effect_at(Which::Account { account })?;
        next = next.into_iter().chain(in_sent).min();
    }
    let until = next.map(|at| (at - world.now()).to_std().unwrap_or(Duration::from_secs(1)));
    Ok(until.map_or(poll, |until| until.max(Duration::from_secs(1)).min(poll)))
}

/// Takes in everything that is new; returns how many messages.
pub async fn take_in<M: Mailbox, C: Clock>(mailbox: &mut M, world: &World<'_, C>) -> Result<usize, Trouble> {
    let status = mailbox.status().await?;
    take_in_from(mailbox, world, status).await
}

/// The same, knowing how the folder stands.
async fn take_in_from<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    status: Status,
) -> Result<usize, Trouble> {
    let mut after = cursor(mailbox, world, status).await?;
    let mut taken = 0;
    let mut next: Option<Result<Batch, MailboxError>> = None;
    while !world.stopping() {
        pulse::turn(mailbox, world); // A long backlog is many turns.
        let batch = match next.take() {
            Some(fetched) => fetched,
            None => mailbox.fetch(after, BATCH).await.map(|fetched| Batch::begin(fetched, world)),
        };
        let batch = match batch {
            Err(MailboxError::UidValidityChanged { now, .. }) => {
                resynchronise(mailbox, world, now, "UIDVALIDITY changed")?;
                return Ok(taken);
            }
            other => other?,
        };
        let up_to = after.max(batch.fetched.up_to);
        // Of a backlog the next are fetched before these are taken in: so the threads beside always have some to decide about.
        // What goes wrong with the next keeps nothing of these from being recorded and filed.
        let messages = batch.fetched.messages.len() + batch.fetched.unreadable.len();
        if messages >= BATCH as usize {
            let fetched = mailbox.fetch(up_to, BATCH).await;
            next = Some(fetched.map(|fetched| Batch::begin(fetched, world)));
        }
        let entered = intake::take_in(&batch, mailbox.account(), mailbox.folder(), world)?;
        entered.letters_of.iter().for_each(|account| world.bells.ring_post(account));
        world.bells.ring_rounds();
        pulse::discard_canaries(mailbox, &batch.fetched, world).await?;
        taken += messages;
        if messages == 0 && up_to == after {
            break;
        }
        after = up_to;
        if messages > 0 {
            // A long backlog empties the inbox as it goes.
            settle(mailbox, world, false).await?;
        }
    }
    if !world.stopping() {
        settle_adrift(mailbox, world).await?;
        world.records.seen_alive(mailbox.account(), mailbox.folder(), world.now())?;
    }
    Ok(taken)
}

/// The UID up to which everything is recorded; takes the folder into use, or notices that its UIDs mean something else.
async fn cursor<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    status: Status,
) -> Result<u32, Trouble> {
    let (account, folder) = (mailbox.account(), mailbox.folder());
    if world.is_sent(account, folder) {
        return super::sent::cursor(mailbox, world, status).await;
    }
    let Some(state) = world.records.mailbox(account, folder)? else {
        let existing = world.config.account(account).map(|a| a.existing).unwrap_or_default();
        let after = if existing == Existing::Ignore { status.uid_next.saturating_sub(1) } else { 0 };
        let state = world.records.take_into_use(account, folder, status.uid_validity, after, world.now())?;
        tracing::info!(
            account,
            folder,
            messages = status.exists,
            "Taken into use. Messages that are there already are not acknowledged (`existing: {existing:?}`)."
        );
        return Ok(state.last_uid);
    };
    if state.uid_validity != status.uid_validity {
        return resynchronise(mailbox, world, status.uid_validity, "UIDVALIDITY changed");
    }
    if status.uid_next <= state.last_uid {
        return resynchronise(mailbox, world, status.uid_validity, "UIDNEXT went backwards");
    }
    Ok(state.last_uid)
}

/// Everything is looked at anew; messages that are known are recognised, and nothing is acknowledged twice.
pub(super) fn resynchronise<M: Mailbox, C: Clock>(
    mailbox: &M,
    world: &World<'_, C>,
    uid_validity: u32,
    reason: &str,
) -> Result<u32, Trouble> {
    let (account, folder) = (mailbox.account(), mailbox.folder());
    if world.records.mailbox(account, folder)?.is_some_and(|state| state.is_rebuilt()) {
        // What an administrator just asked for is no trouble.
        tracing::info!(
            account,
            folder,
            "Rebuilt: looking at every message again; known ones are recognised."
        );
    } else {
        tracing::warn!(
            account,
            folder,
            uid_validity,
            "{reason}: looking at every message again; known ones are recognised."
        );
    }
    world.records.resynchronise(account, folder, uid_validity, world.now())?;
    Ok(0)
}

/// Does what is due in this folder and, for the first folder of an account, in its Sent folder; returns how many.
///
/// A place that fails (another account that is away, a folder that may not be made) is left alone for the rest of the round
/// and does not keep the others from being filed; after `MOST_FAILURES` such places the mailbox itself is the suspect.
pub async fn settle<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    keeps_copies: bool,
) -> Result<usize, Trouble> {
    let mut done = 0;
    let mut failing = Failing::default();
    let here = Which::Mailbox { account: mailbox.account().to_owned(), folder: mailbox.folder().to_owned() };
    let mut lists = vec![here];
    if keeps_copies {
        lists.push(Which::Account { account: mailbox.account().to_owned() });
    }
    for which in lists {
        loop {
            let due = world.records.due_effects(which.clone(), world.now(), BATCH as usize)?;
            if due.is_empty() || world.stopping() {
                break;
            }
            done += due.len();
            for alike in together::groups(mailbox.account(), due) {
                let is_open = |first: &DueEffect| failing.at(&place_of(mailbox, &first.effect)).is_none();
                let rest = if alike.len() > 1 && alike.first().is_some_and(is_open) {
                    together::file(mailbox, world, alike).await?
                } else {
                    alike
                };
                for effect in rest {
                    // What is in flight is finished; the next is not begun.
                    if world.stopping() {
                        return Ok(done);
                    }
                    settle_one(mailbox, world, &effect, &mut failing).await?;
                }
                if world.stopping() {
                    return Ok(done);
                }
            }
        }
    }
    Ok(done)
}

/// The places that failed in this round, each with what went wrong.
#[derive(Default)]
struct Failing(Vec<(Destination, MailboxError)>);

impl Failing {
    fn at(&self, place: &Destination) -> Option<&MailboxError> {
        self.0.iter().find(|(failed, _)| failed == place).map(|(_, error)| error)
    }
}

/// Where this effect is done: the folder filed into, or the account's Sent folder.
fn place_of<M: Mailbox>(mailbox: &M, effect: &Effect) -> Destination {
    match effect {
        Effect::File { to, .. } => to.clone(),
        _ => Destination { account: mailbox.account().to_owned(), folder: SENT.to_owned() },
    }
}

/// The folder has been read to its end: what was to be filed before its UIDs lost their meaning, and was not met again, is
/// no longer there. Where it was to be filed is looked at before it is told as gone.
async fn settle_adrift<M: Mailbox, C: Clock>(mailbox: &mut M, world: &World<'_, C>) -> Result<(), Trouble> {
    let adrift = Which::Adrift { account: mailbox.account().to_owned(), folder: mailbox.folder().to_owned() };
    let mut failing = Failing::default();
    loop {
        let due = world.records.due_effects(adrift.clone(), world.now(), BATCH as usize)?;
        for due in &due {
            settle_one(mailbox, world, due, &mut failing).await?;
        }
        if due.len() < BATCH as usize || world.stopping() {
            return Ok(());
        }
    }
}

/// Does one effect, and records how it went, with the effect. Only what concerns the whole mailbox is an error here.
async fn settle_one<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    due: &DueEffect,
    failing: &mut Failing,
) -> Result<(), Trouble> {
    let place = place_of(mailbox, &due.effect);
    if let Some(error) = failing.at(&place) {
        return failed(world, due, error);
    }
    let result = match &due.effect {
        Effect::File { to, flagged } => match &due.at {
            Some(at) => file(mailbox, at, to, *flagged, world).await,
            None => Ok(Filed::Gone),
        },
        Effect::KeepCopy { letter, .. } => {
            mailbox.keep_copy(letter, world.now()).await.map(|()| Filed::Moved)
        }
        Effect::Acknowledge { letter, .. } | Effect::Alert { letter, .. } | Effect::Notice { letter, .. } => {
            match mailbox.sent_holds(&letter.message_id).await {
                Ok(found) => return looked_in_sent(world, due, found),
                Err(error) => Err(error),
            }
        }
    };
    let result = match result {
        Ok(Filed::Gone) => unseen::settled(mailbox, world, due).await?,
        other => other,
    };
    match result {
        Ok(Filed::Moved | Filed::Copied | Filed::Left) => world.records.done(due.id, world.now(), &[])?,
        Ok(Filed::Gone) => {
            tracing::info!(
                number = due.message,
                "Message {} was moved or deleted by somebody before it was filed.",
                due.message.unwrap_or_default()
            );
            world.records.gone(due.id, world.now())?;
        }
        Err(error) => {
            failed(world, due, &error)?;
            if matches!(error, MailboxError::UidValidityChanged { .. }) {
                return Err(error.into());
            }
            tracing::warn!(
                account = mailbox.account(),
                folder = mailbox.folder(),
                effect = due.id,
                "Effect {}: {error}",
                due.id
            );
            failing.0.push((place, error.clone()));
            if failing.0.len() >= MOST_FAILURES {
                return Err(error.into()); // Counted as the folder's trouble.
            }
            world.bells.tally.mailbox(mailbox.account(), &error);
        }
    }
    Ok(())
}

/// Writes a failure down with the effect: when it is tried again, or that a person is needed.
fn failed<C: Clock>(world: &World<'_, C>, due: &DueEffect, error: &MailboxError) -> Result<(), Trouble> {
    let (now, problem) = (world.now(), error.to_string());
    match retry::next_attempt(due.attempts + 1, now, due.id.unsigned_abs()) {
        // An uncertain letter is looked for again, never sent again.
        Some(at) if due.uncertain => world.records.uncertain(due.id, &problem, at, now)?,
        Some(at) => world.records.try_again(due.id, &problem, at, now)?,
        None => world.records.ask_a_person(due.id, &problem, now)?,
    }
    Ok(())
}

async fn file<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    at: &MessageRef,
    to: &Destination,
    flagged: bool,
    world: &World<'_, C>,
) -> Result<Filed, MailboxError> {
    if to.account == mailbox.account() {
        mailbox.file(at, &to.folder, flagged).await
    } else {
        mailbox.transfer(at, to, &world.settings().filing.passed_on, flagged).await
    }
}

/// An uncertain letter: is it in Sent? If it is, it was sent. If not, servers that keep a copy are given some time; then an
/// alert is sent again, because told twice is better than not at all, and of an acknowledgement a person is asked, because
/// nobody can know.
fn looked_in_sent<C: Clock>(world: &World<'_, C>, due: &DueEffect, found: bool) -> Result<(), Trouble> {
    let (now, records) = (world.now(), world.records);
    let waited = now - due.tried_at.unwrap_or(due.planned_at);
    if found {
        records.done(due.id, now, &[])?;
    } else if waited < LONGEST_LOOK {
        records.uncertain(due.id, "it is not in Sent yet", now + LOOK_AGAIN, now)?;
    } else if matches!(due.effect, Effect::Alert { .. } | Effect::Notice { .. }) {
        records.try_again(due.id, "no answer came, and it is not in Sent: sent again", now, now)?;
        if let Effect::Alert { account, .. } | Effect::Notice { account, .. } = &due.effect {
            world.bells.ring_post(account);
        }
    } else {
        records.ask_a_person(
            due.id,
            "The mail server took the letter but never said so, and no copy lies in Sent: it may or may not have been sent. Look in the server's log for its Message-ID before sending another.",
            now,
        )?;
        tracing::error!(
            effect = due.id,
            "Effect {}: nobody can know whether this letter was sent; a person is asked.",
            due.id
        );
    }
    Ok(())
}

/// 5 seconds, doubled with each failure up to 5 minutes; with a spread that differs between folders so that they do not all
/// come back at once. Where a person must act, 5 minutes up to half an hour: directories lock an account after a handful of
/// wrong passwords, and that would shut its staff out as well.
pub(super) fn back_off<M: Mailbox>(failures: u32, trouble: &Trouble, mailbox: &M) -> Duration {
    let (shortest, longest) = match trouble {
        Trouble::Mailbox(MailboxError::NeedsAPerson { .. }) | Trouble::Another(_) => (300u64, 1800),
        _ => (5, 300),
    };
    let seconds = (shortest << failures.saturating_sub(1).min(8)).min(longest);
    let seed = mailbox
        .account()
        .bytes()
        .chain(mailbox.folder().bytes())
        .fold(u64::from(failures), |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b)));
    Duration::from_millis(seconds * (750 + seed % 500))
}
