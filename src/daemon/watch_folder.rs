//! One watched folder: take in what is new, do what is due there, wait. Its trouble is its own.

use std::time::Duration;

use crate::clock::Clock;
use crate::config::Existing;
use crate::effect::{Destination, Effect};
use crate::mailbox::{Filed, Mailbox, MailboxError, Status};
use crate::message::MessageRef;
use crate::record::{DueEffect, Which};

use super::{Trouble, World, intake};

/// How many messages are fetched and recorded at a time.
const BATCH: u32 = 50;

/// How long one wait for new mail is at most; a promise to tell (IDLE) is never trusted for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Watches the folder until it is time to stop.
pub async fn watch<M: Mailbox, C: Clock>(mailbox: &mut M, world: &World<'_, C>, keeps_copies: bool) {
    let mut failures = 0u32;
    while !world.stopping() {
        match turn(mailbox, world, keeps_copies).await {
            Ok(()) => failures = 0,
            Err(trouble) => {
                failures = failures.saturating_add(1);
                let pause = back_off(failures, &trouble, mailbox);
                tracing::warn!(
                    account = mailbox.account(),
                    folder = mailbox.folder(),
                    failures,
                    "{trouble}; trying again in {} seconds.",
                    pause.as_secs()
                );
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
) -> Result<(), Trouble> {
    take_in(mailbox, world).await?;
    settle(mailbox, world, keeps_copies).await?;
    let account = mailbox.account().to_owned();
    let longest = longest_wait(mailbox, world)?;
    tokio::select! {
        waited = mailbox.wait(longest) => waited?,
        () = world.bells.copies(&account), if keeps_copies => {}
        () = world.stopped() => {}
    }
    Ok(())
}

/// Waits no longer than until the next effect is due here.
fn longest_wait<M: Mailbox, C: Clock>(mailbox: &M, world: &World<'_, C>) -> Result<Duration, Trouble> {
    let poll = world
        .config
        .account(mailbox.account())
        .and_then(|a| a.imap.as_ref())
        .map_or(LONGEST_WAIT, |imap| Duration::from_secs(u64::from(imap.poll_seconds)).min(LONGEST_WAIT));
    let which = Which::Mailbox { account: mailbox.account().to_owned(), folder: mailbox.folder().to_owned() };
    let next = world.records.next_effect_at(which)?;
    let until = next.map(|at| (at - world.now()).to_std().unwrap_or(Duration::from_secs(1)));
    Ok(until.map_or(poll, |until| until.clamp(Duration::from_secs(1), poll)))
}

/// Takes in everything that is new; returns how many messages.
pub async fn take_in<M: Mailbox, C: Clock>(mailbox: &mut M, world: &World<'_, C>) -> Result<usize, Trouble> {
    let status = mailbox.status().await?;
    let mut after = cursor(mailbox, world, status)?;
    let mut taken = 0;
    while !world.stopping() {
        let fetched = match mailbox.fetch(after, BATCH).await {
            Err(MailboxError::UidValidityChanged { now, .. }) => {
                resynchronise(mailbox, world, now, "UIDVALIDITY changed")?;
                return Ok(taken);
            }
            other => other?,
        };
        let looked_at_more = fetched.up_to > after;
        let messages = fetched.messages.len() + fetched.unreadable.len();
        let entered = intake::take_in(&fetched, mailbox.account(), mailbox.folder(), world)?;
        if entered.letters {
            world.bells.ring_post(mailbox.account());
        }
        taken += messages;
        after = after.max(fetched.up_to);
        if messages == 0 && !looked_at_more {
            break;
        }
        if messages > 0 {
            // What was decided is filed while more is fetched: a long backlog empties the inbox as it goes.
            settle(mailbox, world, false).await?;
        }
    }
    if !world.stopping() {
        // Read to its end: what was to be filed before a resynchronisation and was not met again is no longer there.
        world.records.resynchronised(mailbox.account(), mailbox.folder(), world.now())?;
        world.records.seen_alive(mailbox.account(), mailbox.folder(), world.now())?;
    }
    Ok(taken)
}

/// The UID up to which everything is recorded; takes the folder into use, or notices that its UIDs mean something else.
fn cursor<M: Mailbox, C: Clock>(mailbox: &M, world: &World<'_, C>, status: Status) -> Result<u32, Trouble> {
    let (account, folder) = (mailbox.account(), mailbox.folder());
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
fn resynchronise<M: Mailbox, C: Clock>(
    mailbox: &M,
    world: &World<'_, C>,
    uid_validity: u32,
    reason: &str,
) -> Result<u32, Trouble> {
    let (account, folder) = (mailbox.account(), mailbox.folder());
    tracing::warn!(
        account,
        folder,
        uid_validity,
        "{reason}: looking at every message again; known ones are recognised."
    );
    world.records.resynchronise(account, folder, uid_validity, world.now())?;
    Ok(0)
}

/// Does what is due in this folder and, for the first folder of an account, in its Sent folder; returns how many.
pub async fn settle<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    keeps_copies: bool,
) -> Result<usize, Trouble> {
    let mut done = 0;
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
            for effect in due {
                settle_one(mailbox, world, &effect).await?;
                done += 1;
            }
        }
    }
    Ok(done)
}

/// Does one effect. A failure of this one effect is recorded with it; a failure of the mailbox stops the round.
async fn settle_one<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    due: &DueEffect,
) -> Result<(), Trouble> {
    let result = match &due.effect {
        Effect::File { to, flagged } => match &due.at {
            Some(at) => file(mailbox, at, to, *flagged, world).await,
            None => Ok(Filed::Gone),
        },
        Effect::KeepCopy { letter, .. } => {
            mailbox.keep_copy(letter, world.now()).await.map(|()| Filed::Moved)
        }
        Effect::Acknowledge { letter, .. } | Effect::Alert { letter, .. } => {
            return look_in_sent(mailbox, world, due, &letter.message_id).await;
        }
    };
    match result {
        Ok(Filed::Moved | Filed::Copied | Filed::Left) => world.records.done(due.id, world.now(), &[])?,
        Ok(Filed::Gone) => {
            tracing::info!(
                message = due.message,
                "Message {} was moved or deleted by somebody before it was filed.",
                due.message
            );
            world.records.gone(due.id, world.now())?;
        }
        Err(error) => {
            let now = world.now();
            match crate::outbox::retry::next_attempt(due.attempts + 1, now, due.id.unsigned_abs()) {
                Some(at) => world.records.try_again(due.id, &error.to_string(), at, now)?,
                None => world.records.ask_a_person(due.id, &error.to_string(), now)?,
            }
            return Err(error.into());
        }
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
        mailbox.transfer(at, to, &world.config.filing.passed_on, flagged).await
    }
}

/// An uncertain letter: is it in Sent? If it is, it was sent. If not, nobody can know, and a person is asked.
async fn look_in_sent<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    due: &DueEffect,
    message_id: &str,
) -> Result<(), Trouble> {
    let now = world.now();
    if mailbox.sent_holds(message_id).await? {
        world.records.done(due.id, now, &[])?;
    } else {
        world.records.ask_a_person(
            due.id,
            "The mail server took the letter but never said so, and no copy lies in Sent: it may or may not have been sent. Look in the server's log for its Message-ID before sending another.",
            now,
        )?;
    }
    Ok(())
}

/// 5 seconds, doubled with each failure up to 5 minutes (15 where a person must act), with a spread that differs between
/// folders so that they do not all come back at once.
fn back_off<M: Mailbox>(failures: u32, trouble: &Trouble, mailbox: &M) -> Duration {
    let longest = match trouble {
        Trouble::Mailbox(MailboxError::NeedsAPerson { .. }) => 900,
        _ => 300,
    };
    let seconds = 5u64.saturating_mul(1 << failures.saturating_sub(1).min(8)).min(longest);
    let seed = mailbox
        .account()
        .bytes()
        .chain(mailbox.folder().bytes())
        .fold(u64::from(failures), |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b)));
    Duration::from_millis(seconds * (750 + seed % 500))
}
