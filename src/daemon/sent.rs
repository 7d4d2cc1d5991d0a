//! Sent folders, looked into now and then for what staff answered. They are opened for looking only (EXAMINE), and each look is a
//! connection that is closed again: a second IDLE for every account would double the connections, and an answer that is
//! noticed within `poll_seconds` is soon enough for a deadline of days.

use std::time::Duration;

use chrono::Days;

use crate::calendar::london;
use crate::clock::Clock;
use crate::config::Existing;
use crate::mailbox::{Mailbox, MailboxError, Status};

use super::watch_folder::{self, LONGEST_WAIT, back_off, resynchronise};
use super::{Trouble, World};

/// The Sent folders, those of one account together.
pub fn by_account<M: Mailbox>(folders: Vec<&mut M>) -> Vec<Vec<&mut M>> {
    let mut accounts: Vec<Vec<&mut M>> = Vec::new();
    for folder in folders {
        match accounts
            .iter_mut()
            .find(|of| of.first().is_some_and(|first| first.account() == folder.account()))
        {
            Some(of) => of.push(folder),
            None => accounts.push(vec![folder]),
        }
    }
    accounts
}

/// Looks into one account's Sent folders, one after the other, until it is time to stop. A folder that fails does not keep
/// the others from being looked into.
pub async fn look_into<M: Mailbox, C: Clock>(mut folders: Vec<&mut M>, world: &World<'_, C>) {
    let poll = folders.first().map_or(LONGEST_WAIT, |folder| poll(folder.account(), world));
    let mut failures = vec![0u32; folders.len()];
    while !world.stopping() {
        let mut pause = poll;
        for (folder, failures) in folders.iter_mut().zip(&mut failures) {
            let looked = tokio::select! {
                biased;
                looked = watch_folder::take_in(&mut **folder, world) => looked.map(|_| ()),
                () = world.stopped() => Ok(()),
            };
            folder.close().await;
            match looked {
                Ok(()) => *failures = 0,
                Err(trouble) => {
                    *failures = failures.saturating_add(1);
                    tell(&trouble, folder.account(), folder.folder(), *failures);
                    if !there_is_none(&trouble) {
                        world.bells.tally.trouble(folder.account(), &trouble);
                    }
                    pause = pause.max(back_off(*failures, &trouble, &**folder));
                }
            }
        }
        world.pause(pause).await;
    }
}

/// A mailbox from which nobody has sent anything may have no Sent folder yet.
fn there_is_none(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Mailbox(MailboxError::NeedsAPerson { step, .. })
        if step.starts_with("looking for the Sent folder"))
}

/// Said loudly once, where there is none.
fn tell(trouble: &Trouble, account: &str, folder: &str, failures: u32) {
    match (there_is_none(trouble), failures) {
        (true, 1) => tracing::info!(account, folder, "Answers are not noticed here yet: {trouble}."),
        (true, _) => tracing::debug!(account, folder, failures, "{trouble}."),
        (false, _) => {
            tracing::warn!(account, folder, failures, "Answers are not noticed here now: {trouble}.")
        }
    }
}

fn poll<C: Clock>(account: &str, world: &World<'_, C>) -> Duration {
    let imap = world.config.account(account).and_then(|account| account.imap.as_ref());
    imap.map_or(LONGEST_WAIT, |imap| Duration::from_secs(u64::from(imap.poll_seconds.max(1))))
}

/// The UID up to which a Sent folder is recorded. Taken into use, it is read back for some days: an answer of last week counts.
pub(super) async fn cursor<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    status: Status,
) -> Result<u32, Trouble> {
    let (account, folder) = (mailbox.account().to_owned(), mailbox.folder().to_owned());
    let known = world.records.mailbox(&account, &folder)?;
    if let Some(state) = &known
        && state.uid_validity == status.uid_validity
        && status.uid_next > state.last_uid
    {
        return Ok(state.last_uid);
    }
    let existing = world.config.account(&account).map(|account| account.existing).unwrap_or_default();
    let since = known.as_ref().map_or(world.now(), |state| state.taken_into_use_at);
    let back = Days::new(u64::from(world.config.answers.look_back_days));
    let after = match (existing, &known, london::date(since).checked_sub_days(back)) {
        (Existing::Ignore, None, _) => status.uid_next.saturating_sub(1),
        (_, _, Some(day)) => mailbox.uid_before(day).await?.min(status.uid_next.saturating_sub(1)),
        (_, _, None) => 0,
    };
    match known {
        None => {
            world.records.take_into_use(&account, &folder, status.uid_validity, after, world.now())?;
            tracing::info!(account, folder, "Sent: answers are noticed from here on.");
        }
        Some(state) => {
            let reason = if state.uid_validity == status.uid_validity {
                "UIDNEXT went backwards"
            } else {
                "UIDVALIDITY changed"
            };
            resynchronise(mailbox, world, status.uid_validity, reason)?;
            world.records.start_above(&account, &folder, after)?;
        }
    }
    Ok(after)
}
