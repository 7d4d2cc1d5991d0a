//! What is looked after once a day, beside the work itself: the record's file, and how things stand, as numbers in the log.

use std::time::Duration;

use chrono::TimeDelta;

use crate::calendar::london;
use crate::clock::Clock;
use crate::record::{Purged, RecordError};

use super::World;

/// How often.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// After the start the mailboxes are looked at first.
const FIRST: Duration = Duration::from_secs(5);

/// So many cases and messages are purged in one transaction: mail that comes in waits no longer than for these.
const AT_ONCE: usize = 100;

/// Between two tables that are checked others have their turn.
const BREATH: Duration = Duration::from_secs(2);

/// Checks a record that was too large to be checked before the first look at the mailboxes, a table at a time. Returns only
/// when it is damaged.
pub(super) async fn damage<C: Clock>(world: &World<'_, C>) -> RecordError {
    match world.records.to_be_checked() {
        Ok(tables) => {
            for table in tables {
                tokio::time::sleep(BREATH).await;
                match world.records.check_table(&table) {
                    Err(error @ RecordError::Corrupt { .. }) => return error,
                    Err(error) => tracing::warn!(table, "The table {table} could not be checked: {error}"),
                    Ok(()) => {}
                }
            }
        }
        Err(error) => tracing::warn!("The record could not be checked: {error}"),
    }
    std::future::pending().await
}

/// Looks after things soon and once a day, until it is time to stop.
pub async fn look_after<C: Clock>(world: &World<'_, C>) {
    world.pause(FIRST).await;
    while !world.stopping() {
        if let Err(error) = purge(world).await.and_then(|()| once(world)) {
            tracing::error!("The daily look at the record failed: {error}");
        }
        world.pause(EVERY).await;
    }
}

/// Retention: what has been settled for long enough loses the people in it.
async fn purge<C: Clock>(world: &World<'_, C>) -> Result<(), RecordError> {
    let Some(before) = world.settings().retention.before(world.now()) else { return Ok(()) };
    let mut all = Purged::default();
    while !world.stopping() {
        let purged = world.records.purge_settled(before, AT_ONCE, world.now())?;
        all = all.and(purged);
        if purged.is_nothing() {
            break;
        }
        // Others have their turn between two of these.
        tokio::task::yield_now().await;
    }
    if !all.is_nothing() {
        let (cases, messages) = (all.cases, all.messages);
        tracing::info!(
            cases,
            messages,
            "{cases} cases and {messages} messages have been settled for longer than `retention.months`: the people in them were taken out."
        );
    }
    Ok(())
}

fn once<C: Clock>(world: &World<'_, C>) -> Result<(), RecordError> {
    let set = world.in_force.now();
    if let Some(warning) = set.policy.calendar.horizon_warning(london::date(world.now())) {
        tracing::warn!("{warning}");
    }
    if !set.config.acknowledgements.send {
        tracing::warn!(
            "Acknowledgements are switched off (`acknowledgements.send: false`); nobody gets one."
        );
    }
    if let Some(refused) = super::refusal::standing(&set.config) {
        tracing::warn!("{refused}");
    }
    world.records.tidy()?;
    // A question that comes in so long after its answer is none that anybody waits for.
    world.records.forget_replies(world.now() - TimeDelta::days(30))?;
    let standing = world.records.standing()?;
    let waiting = standing.stuck + standing.uncertain + standing.set_aside;
    tracing::info!(
        open_cases = standing.open_cases,
        pending = standing.pending,
        waiting_for_a_person = waiting,
        "{} open cases; {} things to be done; {waiting} wait for a person.",
        standing.open_cases,
        standing.pending
    );
    Ok(())
}
