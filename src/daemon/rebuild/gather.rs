//! Walks every folder in which mail to the team, or by it, may lie, and remembers where each message is. The mailboxes are only
//! looked at (EXAMINE); nothing is marked, moved or recorded here.

use std::collections::{BTreeSet, HashMap};
use std::io;

use chrono::{DateTime, NaiveDate, Utc};

use super::evidence::{Evidence, OurLetter};
use super::spool::{Kept, Spool};
use crate::calendar::london;
use crate::clock::Clock;
use crate::daemon::World;
use crate::daemon::in_force::Set;
use crate::daemon::parts;
use crate::effect::Destination;
use crate::letter;
use crate::mailbox::{MailboxError, PastFolder, PastMessage, SENT, Unreached};
use crate::message::{self, Fingerprint};

/// Why the walk could not be finished: nothing is rebuilt from half of the mail.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A server.
    #[error("{0}; nothing was changed. Mend it and run `send-triage rebuild` again")]
    Mailbox(#[from] MailboxError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The disk.
    #[error(
        "the mail could not be put aside on this disk ({0}); nothing was changed. Free some space and run it again"
    )]
    Disk(#[from] io::Error),
}

/// One message, however many copies of it lie about.
pub struct Mail {
    /// What makes it the same elsewhere.
    pub fingerprint: Fingerprint,
    /// When it was first received.
    pub received_at: DateTime<Utc>,
    /// Its bytes.
    pub kept: Kept,
    /// Its whole size.
    pub size_bytes: usize,
    /// Where copies of it lie, Sent folders apart.
    pub places: Vec<Destination>,
    /// The Sent folder in which it lies.
    pub sent_in: Option<Destination>,
}

/// All that was found.
pub struct Gathered {
    /// Messages, in the order of their receipt.
    pub mail: Vec<Mail>,
    /// Our own letters.
    pub evidence: Evidence,
    /// The messages' bytes.
    pub spool: Spool,
    /// What could not be read.
    pub unreadable: Vec<Unreached>,
}

/// What a folder is to the account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Mail comes in here, or is filed here.
    Received,
    /// Mail by staff, and our letters.
    Sent,
    /// Our letters only: staff's answers are not looked for there (`sent_folders`).
    OnlyOurs,
}

/// Reads all of it. `since`: what was received before that day is left out.
pub async fn gather<C: Clock>(
    world: &World<'_, C>,
    set: &Set,
    since: Option<NaiveDate>,
    spool: Spool,
) -> Result<Gathered, WalkError> {
    let accounts = parts::accounts(world.config, &parts::Shared::new(world.config))?;
    let mut gathered =
        Gathered { mail: Vec::new(), evidence: Evidence::default(), spool, unreadable: Vec::new() };
    let mut known = HashMap::new();
    let ours: BTreeSet<String> =
        world.config.accounts.iter().flat_map(crate::config::Account::addresses).collect();
    for account in &world.config.accounts {
        for (name, sort) in folders(world, set, &account.name) {
            let Some(mut folder) = PastFolder::new(&accounts, &account.name, &name) else { continue };
            let read = one_folder(&mut folder, (sort, since, &ours), &mut gathered, &mut known).await;
            folder.close().await;
            gathered.unreadable.append(&mut folder.unreadable);
            match read {
                Ok(messages) => {
                    let (account, folder) = (account.name.as_str(), name.as_str());
                    tracing::info!(account, folder, messages, "{account}/{folder}: {messages} messages.");
                }
                Err(WalkError::Mailbox(error)) if is_not_there(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    gathered.mail.sort_by_key(|mail| mail.received_at);
    Ok(gathered)
}

/// Every folder of the account that is looked into: first where mail comes in, so that the times are those of its receipt.
fn folders<C: Clock>(world: &World<'_, C>, set: &Set, account: &str) -> Vec<(String, Sort)> {
    let Some(of) = world.config.account(account) else { return Vec::new() };
    let mut folders: Vec<(String, Sort)> =
        of.watch.iter().filter(|name| !of.is_sent(name)).map(|name| (name.clone(), Sort::Received)).collect();
    let filing = set.routing.folders_of(account).into_iter().chain([set.config.filing.passed_on.clone()]);
    folders.extend(filing.map(|name| (name, Sort::Received)));
    let sent = of.sent_folders.iter().cloned().chain([SENT.to_owned()]);
    let sort = |name: &String| if of.sent_folders.contains(name) { Sort::Sent } else { Sort::OnlyOurs };
    folders.extend(sent.map(|name| (name.clone(), sort(&name))));
    let mut seen = BTreeSet::new();
    folders.retain(|(name, _)| seen.insert(name.clone()));
    folders
}

/// A folder that nothing was filed into, or sent from, yet.
fn is_not_there(error: &MailboxError) -> bool {
    matches!(error, MailboxError::NeedsAPerson { step, .. }
        if step.starts_with("opening the folder") || step.starts_with("looking for the Sent folder"))
}

async fn one_folder(
    folder: &mut PastFolder,
    (sort, since, ours): (Sort, Option<NaiveDate>, &BTreeSet<String>),
    gathered: &mut Gathered,
    known: &mut HashMap<Fingerprint, usize>,
) -> Result<usize, WalkError> {
    let mut messages = 0;
    while let Some(found) = folder.next().await? {
        if since.is_some_and(|since| london::date(found.received_at) < since) {
            continue;
        }
        messages += 1;
        let place = Destination { account: folder.account().to_owned(), folder: folder.folder().to_owned() };
        one_message(&found, place, (sort, ours), gathered, known)?;
    }
    Ok(messages)
}

fn one_message(
    found: &PastMessage,
    place: Destination,
    (sort, ours): (Sort, &BTreeSet<String>),
    gathered: &mut Gathered,
    known: &mut HashMap<Fingerprint, usize>,
) -> Result<(), WalkError> {
    let message = message::parse(&found.bytes, found.size_bytes);
    if sort != Sort::Received
        && let Some(letter) = OurLetter::read(&message, &place.account, found.received_at)
    {
        gathered.evidence.add(letter);
        return Ok(());
    }
    if sort == Sort::OnlyOurs {
        return Ok(());
    }
    let by_us = message.from.as_ref().is_some_and(|from| ours.contains(&from.address.to_ascii_lowercase()));
    if by_us && message.message_id.as_deref().and_then(letter::purpose_of).is_some() {
        return Ok(()); // Our own letter, met where it was written to.
    }
    let at = match known.get(&message.fingerprint) {
        Some(at) => *at,
        None => {
            let kept = gathered.spool.keep(&found.bytes)?;
            known.insert(message.fingerprint.clone(), gathered.mail.len());
            gathered.mail.push(Mail {
                fingerprint: message.fingerprint,
                received_at: found.received_at,
                kept,
                size_bytes: found.size_bytes,
                places: Vec::new(),
                sent_in: None,
            });
            gathered.mail.len() - 1
        }
    };
    let Some(mail) = gathered.mail.get_mut(at) else { return Ok(()) };
    mail.received_at = mail.received_at.min(found.received_at);
    match sort {
        Sort::Received => mail.places.push(place),
        Sort::Sent => mail.sent_in = mail.sent_in.take().or(Some(place)),
        Sort::OnlyOurs => {}
    }
    Ok(())
}
