//! Another send-triage with a record of its own at work on the same mailbox, such as on another machine: seen by what it leaves
//! in Sent. The account is then held for a while and people are told. Two on the same record are refused by a lock
//! (`record/lock.rs`).
//!
//! This is seen after the event, not prevented: IMAP knows no lock, and a marker in the mailbox would fail on servers that are
//! only looked at. What can be had and what cannot stands in `docs/reliability.md`, "One at a time".

use chrono::{DateTime, TimeDelta, Utc};

use super::{Trouble, World};
use crate::clock::Clock;
use crate::letter::{self, Purpose};
use crate::mailbox::RawMessage;
use crate::message::Message;

/// How long an account is held after the last sign of another one.
const HELD: TimeDelta = TimeDelta::hours(1);

/// The server's clock and ours may differ by so much; a letter of the last run is no sign of another.
const CLOCKS: TimeDelta = TimeDelta::seconds(5);

/// A message of a Sent folder. One of our letters that this record has not sent was sent by another: since this daemon is at
/// work, by one that is at work too; before that, by an earlier record of ours, and there is nothing to say.
pub(super) fn look_at<C: Clock>(
    raw: &RawMessage,
    message: &Message,
    world: &World<'_, C>,
) -> Result<(), Trouble> {
    let Some(id) = message.message_id.as_deref() else { return Ok(()) };
    if letter::purpose_of(id) != Some(Purpose::Acknowledgement)
        || !world.is_sent(&raw.at.account, &raw.at.folder)
        || world.records.has_sent(id, world.now())?
    {
        return Ok(());
    }
    let Some(since) = world.records.at_work_since() else { return Ok(()) };
    if raw.received_at > since + CLOCKS {
        let account = raw.at.account.as_str();
        world.bells.hold(account, world.now() + HELD);
        tracing::error!(account, "{}", Another { account: account.to_owned(), until: world.now() + HELD });
    }
    Ok(())
}

/// What is said of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{account}: another send-triage with a record of its own answers this mailbox: an acknowledgement lies in Sent that this one \
     did not send. Nothing is taken in or sent here until {}, so that nobody is answered twice. Stop one of the two; \
     then `send-triage rebuild` adds to the record that stays what the other one did", .until.format("%H:%M UTC")
)]
pub struct Another {
    /// The account.
    pub account: String,
    /// Until when it is held.
    pub until: DateTime<Utc>,
}

/// Whether the account is held.
pub(super) fn held<C: Clock>(account: &str, world: &World<'_, C>) -> Option<Another> {
    let until = world.bells.held_until(account)?;
    (world.now() < until).then(|| Another { account: account.to_owned(), until })
}
