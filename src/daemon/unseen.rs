//! A message that no longer lies where it is to be filed from: an earlier attempt may have filed it and ended, with the
//! program or its connection, before that was written down. So it is settled by looking. Not: where staff have put it;
//! `moves.rs` sees that.

use crate::clock::Clock;
use crate::effect::Effect;
use crate::mailbox::{Filed, Mailbox, MailboxError};
use crate::record::DueEffect;

use super::{Trouble, World};

/// Whether it was filed without anybody having seen it, or is gone for good. A look that fails is made again.
pub(super) async fn settled<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    due: &DueEffect,
) -> Result<Result<Filed, MailboxError>, Trouble> {
    let (Effect::File { to, .. }, Some(message)) = (&due.effect, due.message) else {
        return Ok(Ok(Filed::Gone));
    };
    let Some(sought) = world.records.sought(due.id)? else { return Ok(Ok(Filed::Gone)) };
    Ok(match mailbox.lies_in(&sought, to).await {
        Ok(true) => {
            tracing::info!(
                number = message,
                "Message {message} lies where it was to be filed: an earlier attempt did it and was cut short."
            );
            Ok(Filed::Moved)
        }
        Ok(false) => Ok(Filed::Gone),
        Err(error) => Err(error),
    })
}
