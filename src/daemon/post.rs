//! One account's letters: hand over what is due, settle how it went, wait for more.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::config::FilingMode;
use crate::effect::Effect;
use crate::outbox::{Courier, DeliveryError, retry};
use crate::record::{DueEffect, RecordError, Which};

use super::{Trouble, World, another, refusal};

/// How many letters are looked up at a time.
const BATCH: usize = 50;

/// After so many letters in a row that may be taken later, it is the server that is away, and not the letters.
const MOST_FAILURES: u32 = 3;

/// How long until the operator's switch is looked at again for a letter that it holds back.
const HELD: TimeDelta = TimeDelta::hours(1);

/// The shortest rest of the post when every letter would fail alike; also its longest wait for a bell.
const REST: Duration = Duration::from_secs(60);

/// How long after an answer failed to come its copy is looked for in Sent: servers that keep one need a moment.
const SETTLE: TimeDelta = TimeDelta::seconds(5);

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Letters that were dealt with, one way or the other.
    pub done: usize,
    /// Trouble that would meet every letter.
    pub rest: Rest,
}

/// Whether the post rests because every letter would fail alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rest {
    /// It does not.
    #[default]
    None,
    /// A server that is away, a record that cannot be written.
    Short,
    /// A login that is refused: a person must act.
    Long,
}

/// Sends this account's letters until it is time to stop.
pub async fn post<P: Courier, C: Clock>(account: &str, courier: &mut P, world: &World<'_, C>) {
    let mut rests = 0u32;
    while !world.stopping() {
        let rest = match send_due(account, courier, world).await {
            Ok(round) => round.rest,
            Err(trouble) => {
                world.bells.tally.trouble(account, &trouble);
                tracing::error!(account, "{trouble}");
                Rest::Short
            }
        };
        refusal::send_due(account, courier, world).await;
        courier.close_if_idle().await;
        courier.keep_acquainted().await;
        rests = if rest == Rest::None { 0 } else { rests.saturating_add(1) };
        if let Some(pause) = how_long(rest, rests) {
            world.pause(pause).await;
            continue;
        }
        let next = world.records.next_effect_at(Which::Letters { account: account.to_owned() });
        let wait = match next {
            Ok(Some(at)) => {
                (at - world.now()).to_std().unwrap_or_default().clamp(Duration::from_millis(50), REST)
            }
            _ => REST,
        };
        tokio::select! {
            biased;
            () = world.bells.post(account) => {}
            () = tokio::time::sleep(wait) => {}
            () = world.stopped() => {}
        }
    }
    courier.close().await;
}

/// The pause before the post is taken up again after so many rests in a row. Where a person must act it grows from 5 minutes
/// to half an hour: directories lock an account after a handful of wrong passwords, and its staff with it.
fn how_long(rest: Rest, rests: u32) -> Option<Duration> {
    let doubled = |first: Duration, longest: u32| {
        (first * (1 << rests.saturating_sub(1).min(5))).min(Duration::from_secs(60 * u64::from(longest)))
    };
    match rest {
        Rest::None => None,
        Rest::Short => Some(doubled(REST, 5)),
        Rest::Long => Some(doubled(5 * REST, 30)),
    }
}

/// Sends every letter that is due.
pub async fn send_due<P: Courier, C: Clock>(
    account: &str,
    courier: &mut P,
    world: &World<'_, C>,
) -> Result<Round, Trouble> {
    let mut round = Round::default();
    if another::held(account, world).is_some() {
        round.rest = Rest::Short;
        return Ok(round);
    }
    let sent = send_all(account, courier, world, &mut round).await;
    if round.done > 0 {
        // Once for all of them: each copy by itself would cost the mailbox a round of its own.
        world.bells.ring_copies(account);
    }
    sent.map(|()| round)
}

async fn send_all<P: Courier, C: Clock>(
    account: &str,
    courier: &mut P,
    world: &World<'_, C>,
    round: &mut Round,
) -> Result<(), Trouble> {
    let which = Which::Letters { account: account.to_owned() };
    let mut failures = 0;
    loop {
        let due = world.records.due_effects(which.clone(), world.now(), BATCH)?;
        if due.is_empty() {
            return Ok(());
        }
        for letter in due {
            // A letter in flight is finished; the next is not begun.
            if world.stopping() {
                return Ok(());
            }
            // Some servers take only so many in a minute (Exchange Online): the pause is taken here, where a stop ends it.
            world.pause(courier.ready_in()).await;
            if world.stopping() {
                return Ok(());
            }
            round.done += 1;
            match send_one(courier, world, &letter).await? {
                Went::Settled => failures = 0,
                Went::Later => failures += 1,
                Went::Nowhere(rest) => round.rest = rest,
            }
            if failures >= MOST_FAILURES {
                round.rest = round.rest.max(Rest::Short);
            }
            if round.rest != Rest::None {
                return Ok(());
            }
        }
    }
}

/// Sends, of this account's letters that are due, those that are meant; returns how many were dealt with. For a command that
/// stands in for the daemon.
pub async fn send_those<P: Courier, C: Clock>(
    account: &str,
    courier: &mut P,
    world: &World<'_, C>,
    meant: impl Fn(&Effect) -> bool,
) -> Result<usize, Trouble> {
    let which = Which::Letters { account: account.to_owned() };
    let due = world.records.due_effects(which, world.now(), 10_000)?;
    let mut settled = 0;
    for letter in due.iter().filter(|due| meant(&due.effect)) {
        world.pause(courier.ready_in()).await;
        match send_one(courier, world, letter).await? {
            Went::Settled => settled += 1,
            Went::Later | Went::Nowhere(_) => {}
        }
    }
    courier.close().await;
    Ok(settled)
}

/// How it went with one letter.
enum Went {
    /// This letter is dealt with, one way or the other.
    Settled,
    /// It may be taken later.
    Later,
    /// The next letter would meet the same trouble.
    Nowhere(Rest),
}

/// Sends one letter and settles it.
async fn send_one<P: Courier, C: Clock>(
    courier: &mut P,
    world: &World<'_, C>,
    due: &DueEffect,
) -> Result<Went, Trouble> {
    let (Effect::Acknowledge { account, letter }
    | Effect::Alert { account, letter, .. }
    | Effect::Notice { account, letter, .. }) = &due.effect
    else {
        return Ok(Went::Settled);
    };
    let records = world.records;
    let is_acknowledgement = matches!(due.effect, Effect::Acknowledge { .. });
    if is_acknowledgement && !world.settings().acknowledgements.send {
        // Written before the switch was turned: held, and listed as to be sent.
        let now = world.now();
        records.try_again(due.id, "held: acknowledgements are switched off", now + HELD, now)?;
        return Ok(Went::Settled);
    }
    let mut commit = || match records.committing(due.id, world.now()) {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(effect = due.id, "Effect {} is not sent: {error}", due.id);
            false
        }
    };
    let result = courier.deliver(letter, &mut commit).await;
    if let Err(error) = &result {
        world.bells.tally.delivery(account, error);
    }
    match &result {
        Ok(()) | Err(DeliveryError::NotCommitted | DeliveryError::Transient { .. }) => {}
        Err(error @ DeliveryError::NeedsAPerson { .. }) => {
            tracing::error!(account = account.as_str(), "{error}")
        }
        Err(error @ DeliveryError::Uncertain { .. }) => {
            tracing::warn!(effect = due.id, "Effect {}: {error}; looking in Sent.", due.id);
        }
        Err(error) => tracing::warn!(effect = due.id, "Effect {}: {error}", due.id),
    }
    // A copy for Sent, of acknowledgements; none where the account is never to be written to, or where the server keeps its own:
    // that one may come only after we have looked for it, and there would be two.
    let may_write = world.config.account(account).is_none_or(|a| {
        a.filing != FilingMode::None && !a.smtp.as_ref().is_some_and(crate::config::Smtp::keeps_copies)
    });
    let copy = (is_acknowledgement && may_write)
        .then(|| Effect::KeepCopy { account: account.clone(), letter: letter.clone() });
    let follow_on: Vec<Effect> = copy.into_iter().collect();
    noted(world, due, || {
        let now = world.now();
        match &result {
            Ok(()) => records.done(due.id, now, &follow_on),
            Err(DeliveryError::Uncertain { detail }) => records.uncertain(due.id, detail, now + SETTLE, now),
            Err(error @ DeliveryError::Permanent { .. }) => {
                records.ask_a_person(due.id, &error.to_string(), now)
            }
            Err(error @ (DeliveryError::Transient { .. } | DeliveryError::NeedsAPerson { .. })) => {
                again(world, due, error)
            }
            Err(DeliveryError::NotCommitted) => Ok(()),
        }
    })
    .await?;
    Ok(match result {
        Ok(()) | Err(DeliveryError::Uncertain { .. } | DeliveryError::Permanent { .. }) => Went::Settled,
        Err(DeliveryError::Transient { .. }) => Went::Later,
        Err(DeliveryError::NeedsAPerson { .. }) => Went::Nowhere(Rest::Long),
        Err(DeliveryError::NotCommitted) => Went::Nowhere(Rest::Short),
    })
}

/// Writes down how a delivery went, however long that takes: what the server has taken must not be forgotten because the disk
/// was full for a moment. Only a request to stop ends it; the next start then finds the letter as being handed over.
async fn noted<C: Clock>(
    world: &World<'_, C>,
    due: &DueEffect,
    note: impl Fn() -> Result<(), RecordError>,
) -> Result<(), Trouble> {
    loop {
        match note() {
            Err(error) if error.is_transient() && !world.stopping() => {
                tracing::error!(
                    effect = due.id,
                    "Effect {}: how it went cannot be written down yet: {error}",
                    due.id
                );
                world.pause(REST / 6).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

fn again<C: Clock>(world: &World<'_, C>, due: &DueEffect, error: &DeliveryError) -> Result<(), RecordError> {
    let (now, problem) = (world.now(), error.to_string());
    match retry::next_attempt(due.attempts + 1, now, due.id.unsigned_abs()) {
        Some(at) => world.records.try_again(due.id, &problem, at, now),
        // The account is at fault, not the letter: once that is mended, it goes out by itself.
        None if matches!(error, DeliveryError::NeedsAPerson { .. }) => {
            world.records.try_again(due.id, &problem, now + HELD, now)
        }
        None => {
            tracing::error!(
                effect = due.id,
                "Effect {} was tried for days in vain; a person is needed.",
                due.id
            );
            world.records.ask_a_person(due.id, &problem, now)
        }
    }
}
