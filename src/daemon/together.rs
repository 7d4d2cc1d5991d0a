//! Filing what goes to the same folder in one command and one transaction: a backlog costs a round trip and a commit for each
//! folder, not for each message. Not: what is tried again; that goes one by one, so that each has its own problem.
//!
//! Only what the server proves to have moved (COPYUID, RFC 6851 section 4.3) is written down as filed; of the rest nothing is
//! assumed.

use crate::clock::Clock;
use crate::effect::Effect;
use crate::mailbox::Mailbox;
use crate::message::MessageRef;
use crate::record::DueEffect;

use super::{Trouble, World};

/// What is due, in its order, with what is to be filed alike side by side.
pub(super) fn groups(account: &str, due: Vec<DueEffect>) -> Vec<Vec<DueEffect>> {
    let mut groups: Vec<Vec<DueEffect>> = Vec::new();
    for effect in due {
        let alike = groups.iter_mut().find(|group| {
            is_fresh(account, &effect)
                && group
                    .first()
                    .is_some_and(|first| is_fresh(account, first) && first.effect == effect.effect)
        });
        match alike {
            Some(group) => group.push(effect),
            None => groups.push(vec![effect]),
        }
    }
    groups
}

/// To be filed within this account, for the first time.
fn is_fresh(account: &str, due: &DueEffect) -> bool {
    let is_here = matches!(&due.effect, Effect::File { to, .. } if to.account == account);
    is_here && due.at.is_some() && due.attempts == 0
}

/// Files these together; returns those of which that is not proven.
pub(super) async fn file<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    world: &World<'_, C>,
    alike: Vec<DueEffect>,
) -> Result<Vec<DueEffect>, Trouble> {
    let Some(Effect::File { to, flagged }) = alike.first().map(|first| first.effect.clone()) else {
        return Ok(alike);
    };
    let places: Vec<MessageRef> = alike.iter().filter_map(|due| due.at.clone()).collect();
    // What went wrong is met again one by one, and written down with each.
    let moved = mailbox.file_together(&places, &to.folder, flagged).await.unwrap_or_default();
    let (moved, rest): (Vec<_>, Vec<_>) =
        alike.into_iter().partition(|due| due.at.as_ref().is_some_and(|at| moved.contains(&at.uid)));
    if !moved.is_empty() {
        let moved: Vec<i64> = moved.iter().map(|due| due.id).collect();
        world.records.done_together(&moved, world.now())?;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::effect::Destination;

    fn due(id: i64, folder: &str, attempts: u32) -> DueEffect {
        let at =
            MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity: 1, uid: id as u32 };
        DueEffect {
            id,
            message: Some(id),
            effect: Effect::File {
                to: Destination { account: "general".into(), folder: folder.into() },
                flagged: false,
            },
            uncertain: false,
            at: Some(at),
            attempts,
            planned_at: DateTime::default(),
            tried_at: None,
        }
    }

    fn ids(account: &str, due: Vec<DueEffect>) -> Vec<Vec<i64>> {
        groups(account, due).iter().map(|group| group.iter().map(|due| due.id).collect()).collect()
    }

    #[test]
    fn what_goes_to_the_same_folder_goes_together_in_the_order_of_the_first() {
        let all = vec![due(1, "A", 0), due(2, "B", 0), due(3, "A", 0)];
        assert_eq!(ids("general", all), [vec![1, 3], vec![2]]);
    }

    #[test]
    fn what_failed_before_and_what_goes_to_another_account_goes_by_itself() {
        let all = vec![due(1, "A", 0), due(2, "A", 1), due(3, "A", 0), due(4, "A", 1)];
        assert_eq!(ids("general", all.clone()), [vec![1, 3], vec![2], vec![4]]);
        assert_eq!(ids("another", all).len(), 4);
    }
}
