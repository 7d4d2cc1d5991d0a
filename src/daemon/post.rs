//! One account's letters: hand over what is due, settle how it went, wait for more.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::config::FilingMode;
use crate::effect::Effect;
use crate::letter::Letter;
use crate::outbox::{Courier, DeliveryError, retry};
use crate::record::{DueEffect, Which};

use super::{Trouble, World};

/// How many letters are looked up at a time.
const BATCH: usize = 50;

/// How long the post rests when every letter would fail alike (a refused login, a server that is away).
const REST: Duration = Duration::from_secs(60);

/// How long after an answer failed to come its copy is looked for in Sent: servers that keep one need a moment.
const SETTLE: TimeDelta = TimeDelta::seconds(5);

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Letters that were dealt with, one way or the other.
    pub done: usize,
    /// Trouble that would meet every letter.
    pub rest: bool,
}

/// Sends this account's letters until it is time to stop.
pub async fn post<P: Courier, C: Clock>(account: &str, courier: &mut P, world: &World<'_, C>) {
    while !world.stopping() {
        let rest = match send_due(account, courier, world).await {
            Ok(round) => round.rest,
            Err(trouble) => {
                tracing::error!(account, "{trouble}");
                true
            }
        };
        if rest {
            world.pause(REST).await;
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
            () = world.bells.post(account) => {}
            () = tokio::time::sleep(wait) => {}
            () = world.stopped() => {}
        }
    }
}

/// Sends every letter that is due.
pub async fn send_due<P: Courier, C: Clock>(
    account: &str,
    courier: &mut P,
    world: &World<'_, C>,
) -> Result<Round, Trouble> {
    let mut round = Round::default();
    let which = Which::Letters { account: account.to_owned() };
    loop {
        let due = world.records.due_effects(which.clone(), world.now(), BATCH)?;
        if due.is_empty() {
            return Ok(round);
        }
        for letter in due {
            // A letter in flight is finished; the next is not begun.
            if world.stopping() {
                return Ok(round);
            }
            round.rest |= send_one(courier, world, &letter).await?;
            round.done += 1;
            if round.rest {
                return Ok(round);
            }
        }
        if round.done > 0 {
            world.bells.ring_copies(account);
        }
    }
}

/// Sends one letter and settles it; true when the next letter would meet the same trouble.
async fn send_one<P: Courier, C: Clock>(
    courier: &mut P,
    world: &World<'_, C>,
    due: &DueEffect,
) -> Result<bool, Trouble> {
    let (Effect::Acknowledge { account, letter } | Effect::Alert { account, letter, .. }) = &due.effect
    else {
        return Ok(false);
    };
    let mut commit = || match world.records.committing(due.id, world.now()) {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(effect = due.id, "Effect {} is not sent: {error}", due.id);
            false
        }
    };
    let result = courier.deliver(letter, &mut commit).await;
    let now = world.now();
    let records = world.records;
    match result {
        Ok(()) => {
            let follow_on = copy_to_keep(due, account, letter, world).into_iter().collect::<Vec<_>>();
            records.done(due.id, now, &follow_on)?;
            world.bells.ring_copies(account);
            Ok(false)
        }
        Err(DeliveryError::Uncertain { detail }) => {
            tracing::warn!(
                effect = due.id,
                "Effect {}: no answer after handing over ({detail}); looking in Sent.",
                due.id
            );
            records.uncertain(due.id, &detail, now + SETTLE, now)?;
            world.bells.ring_copies(account);
            Ok(false)
        }
        Err(error @ DeliveryError::Permanent { .. }) => {
            tracing::warn!(effect = due.id, "Effect {}: {error}", due.id);
            records.ask_a_person(due.id, &error.to_string(), now)?;
            Ok(false)
        }
        Err(error @ DeliveryError::Transient { .. }) => {
            again(world, due, &error)?;
            Ok(false)
        }
        Err(error @ DeliveryError::NeedsAPerson { .. }) => {
            tracing::error!(account = account.as_str(), "{error}");
            again(world, due, &error)?;
            Ok(true)
        }
        Err(DeliveryError::NotCommitted) => Ok(true),
    }
}

/// The copy for Sent, of acknowledgements; none where the mailbox is never to be written to.
fn copy_to_keep<C: Clock>(due: &DueEffect, account: &str, letter: &Letter, world: &World<'_, C>) -> Option<Effect> {
    let is_acknowledgement = matches!(due.effect, Effect::Acknowledge { .. });
    let may_write = world.config.account(account).is_none_or(|a| a.filing != FilingMode::None);
    (is_acknowledgement && may_write)
        .then(|| Effect::KeepCopy { account: account.to_owned(), letter: letter.clone() })
}

fn again<C: Clock>(world: &World<'_, C>, due: &DueEffect, error: &DeliveryError) -> Result<(), Trouble> {
    let now = world.now();
    match retry::next_attempt(due.attempts + 1, now, due.id.unsigned_abs()) {
        Some(at) => world.records.try_again(due.id, &error.to_string(), at, now)?,
        None => {
            tracing::error!(
                effect = due.id,
                "Effect {} was tried for days in vain; a person is needed.",
                due.id
            );
            world.records.ask_a_person(due.id, &error.to_string(), now)?;
        }
    }
    Ok(())
}
