//! The messages that the record knows, read again where they lie now: in the watched folders and in those that we file into.
//! The mailboxes are only looked at (EXAMINE); nothing is marked, moved or recorded here.

use std::collections::BTreeSet;
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::daemon::parts;
use crate::effect::{Destination, Routing};
use crate::mailbox::{Accounts, MailboxError, PastFolder, PastMessage, PastPlace, SENT, Unreached};
use crate::message::{self, Message};
use crate::record::{Recalled, Records};

use super::CommandError;

/// A message that the record knows, found again.
pub(super) struct FoundAgain {
    /// The folder in which it lies.
    pub place: Destination,
    /// Its bytes.
    pub raw: PastMessage,
    /// What it says.
    pub message: Message,
    /// What the record knows of it.
    pub recalled: Recalled,
}

/// How far a walk got.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The folders that were read to their end.
    pub folders: BTreeSet<(String, String)>,
    /// What could not be read.
    pub unreached: Vec<Unreached>,
    /// A whole account could not be reached.
    pub account_failed: bool,
}

/// What waits for servers.
pub(super) fn runtime() -> Result<Runtime, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Outside(format!("The program cannot start its event loop: {error}")))
}

/// Walks every folder of every account and hands each known message to `take`, which may meet copies of the same one.
pub(super) async fn walk(
    config: &Config,
    routing: &Routing,
    records: &Records,
    take: &mut dyn FnMut(FoundAgain) -> Result<(), CommandError>,
) -> Result<Walked, CommandError> {
    let accounts = parts::accounts(config, &parts::Shared::new(config))?;
    let mut walked = Walked::default();
    for account in &config.accounts {
        for name in folders(config, routing, &account.name) {
            let Some(mut folder) = PastFolder::new(&accounts, &account.name, &name) else { continue };
            let outcome = one_folder(&mut folder, records, take).await;
            folder.close().await;
            walked.unreached.append(&mut folder.unreadable);
            match outcome? {
                Ok(()) => {
                    walked.folders.insert((account.name.clone(), name));
                }
                Err(error) => {
                    let place = format!("{}/{name}", account.name);
                    walked.unreached.push(Unreached { place, problem: error.to_string() });
                    if !is_about_the_folder(&error) {
                        walked.account_failed = true;
                        break;
                    }
                }
            }
        }
    }
    Ok(walked)
}

async fn one_folder(
    folder: &mut PastFolder,
    records: &Records,
    take: &mut dyn FnMut(FoundAgain) -> Result<(), CommandError>,
) -> Result<Result<(), MailboxError>, CommandError> {
    loop {
        let raw = match folder.next().await {
            Ok(Some(raw)) => raw,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        let message = message::parse(&raw.bytes, raw.size_bytes);
        let Some(recalled) = records.recall(&message.fingerprint, message.message_id.as_deref())? else {
            continue;
        };
        let place = Destination { account: folder.account().to_owned(), folder: folder.folder().to_owned() };
        take(FoundAgain { place, raw, message, recalled })?;
    }
}

/// A folder that nothing was filed into yet does not exist: that says nothing about the account.
fn is_about_the_folder(error: &MailboxError) -> bool {
    matches!(error, MailboxError::NeedsAPerson { step, .. } if step.starts_with("opening the folder"))
}

/// Reads one message again where it was found.
pub(super) async fn again(accounts: &Accounts, place: &Destination, at: &PastPlace) -> Option<PastMessage> {
    let mut folder = PastFolder::new(accounts, &place.account, &place.folder)?;
    let found = folder.again(at).await.ok().flatten();
    folder.close().await;
    found
}

/// Every folder of the account in which mail that came to the team may lie.
fn folders(config: &Config, routing: &Routing, account: &str) -> BTreeSet<String> {
    let watched = config.account(account).map(|account| account.watch.as_slice()).unwrap_or_default();
    let mut folders: BTreeSet<String> = watched.iter().filter(|folder| *folder != SENT).cloned().collect();
    folders.extend(routing.folders_of(account));
    folders.insert(config.filing.passed_on.clone());
    folders
}
