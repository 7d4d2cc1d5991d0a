//! `send-triage suggest`: what staff corrected, and which rule to look at. It never changes a rule.
//!
//! A correction is a message that staff moved from one of our folders into another, or what `cases correct` was told. Moves
//! are seen here, when somebody asks; the mailboxes are only looked at, and a move that is seen is written down as an
//! event of the message. The record keeps no text, so each message is read again where it lies.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::case::Correction;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::in_force::{self, RuleFiles, Set};
use crate::daemon::{intake, parts};
use crate::effect::Destination;
use crate::mailbox::PastPlace;
use crate::record::{NewCorrection, Recalled, Records};

use self::rulebook::Rulebook;
use super::past::{self, FoundAgain, Walked};
use super::{CommandError, Format, own_config, when};

mod hints;
mod likeness;
mod print;
mod rulebook;
mod write;

/// Who is named where staff moved a message and nobody knows who.
const STAFF: &str = "staff";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print the suggestions
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Rules other than those of the configuration: would they decide as corrected?
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Only corrections made, or seen, at this time or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Also write each message as .eml, with its corrected labels, into this folder, for `evaluate`: it then holds
    /// people's emails
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Only these cases, such as SEND-7K4M-2Q9X
    #[arg(value_name = "REFERENCE")]
    references: Vec<String>,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let since = arguments.since.as_deref().map(when::read).transpose().map_err(CommandError::Input)?;
    let mut config = own_config(config)?;
    if let Some(rules) = &arguments.rules {
        config.rules = Some(rules.clone());
    }
    let files = rule_files(&config)?;
    let set = in_force::compile(&config, &files)?;
    // Looking must not make a record, or bring one up to date beneath a running daemon.
    drop(Records::open_read_only(&config.database)?);
    let records = Records::open(&config.database)?;
    let wanted = references(&arguments.references, &records)?;
    let mut folder = arguments.write.as_deref().map(write::Examples::open).transpose()?;
    let book = Rulebook::new(&files);

    let (walked, seen) = look(&config, &set, &records)?;
    let moved = write_down(&seen, &walked, &set, &records)?;
    let accounts = parts::accounts(&config, &parts::Shared::new(&config))?;
    let mut printed = print::Printed::new(arguments.format, moved, walked.unreached.clone());
    let (mut above, runtime) = (0, past::runtime()?);
    while let Some(message) = records.next_corrected(above)? {
        above = message;
        let Some(recalled) = records.recall_message(message)? else { continue };
        if !is_wanted(&recalled, since, &wanted) {
            continue;
        }
        let raw = match seen.lies_in.get(&message) {
            Some((place, at)) => runtime.block_on(past::again(&accounts, place, at)),
            None => None,
        };
        let suggestion = hints::suggestion(&recalled, raw.as_ref(), &set, &book);
        if let (Some(folder), Some(raw)) = (&mut folder, &raw) {
            folder.add(&recalled, raw, &suggestion)?;
        }
        printed.add(&suggestion)?;
    }
    printed.end(folder.as_ref());
    if walked.account_failed {
        return Err(CommandError::Outside(
            "Not every mailbox could be read; moves by staff there were not seen.".to_owned(),
        ));
    }
    Ok(())
}

fn rule_files(config: &Config) -> Result<RuleFiles, CommandError> {
    match &config.rules {
        Some(folder) => Ok(in_force::read_folder(folder)?),
        None => Ok(in_force::built_in()),
    }
}

/// The references as the record writes them.
fn references(written: &[String], records: &Records) -> Result<HashSet<String>, CommandError> {
    let mut references = HashSet::new();
    for reference in written {
        references.insert(super::cases::known_case(reference, records)?.case.reference);
    }
    Ok(references)
}

/// Whether it is to be shown: corrected in the end, not moved back, and of the cases and days that were asked for.
fn is_wanted(recalled: &Recalled, since: Option<DateTime<Utc>>, references: &HashSet<String>) -> bool {
    let last = recalled.corrections.iter().map(|correction| correction.happened_at).max();
    let named = recalled.reference.as_ref().is_some_and(|reference| references.contains(reference));
    recalled.labels() != recalled.decided()
        && since.is_none_or(|since| last.is_some_and(|last| last >= since))
        && (references.is_empty() || named)
}

/// What a walk through the mailboxes brought to light.
#[derive(Default)]
struct Seen {
    /// Where messages lie that are corrected already, or may be.
    lies_in: BTreeMap<i64, (Destination, PastPlace)>,
    /// Messages in a folder that speaks against their labels.
    moved: BTreeMap<i64, Moved>,
    /// Messages that lie where they were last known to lie.
    at_home: HashSet<i64>,
}

/// A message that seems to have been moved.
struct Moved {
    to: Destination,
    change: Correction,
    received_at: DateTime<Utc>,
    /// Where it should lie.
    from: Vec<Destination>,
}

fn look(config: &Config, set: &Set, records: &Records) -> Result<(Walked, Seen), CommandError> {
    let mut seen = Seen::default();
    let mut take = |found: FoundAgain| {
        let FoundAgain { place, raw, recalled, .. } = found;
        let labels = recalled.labels();
        if recalled.places.contains(&place) {
            seen.at_home.insert(recalled.message);
        } else if let Some(meaning) = set.routing.meaning(&place, &labels.kind, &labels.queue) {
            let change = meaning.of(&labels);
            if !change.is_empty() {
                let from = recalled.places.clone();
                let moved = Moved { to: place.clone(), change, received_at: recalled.received_at, from };
                seen.moved.insert(recalled.message, moved);
                seen.lies_in.insert(recalled.message, (place, raw.at));
                return Ok(());
            }
        }
        if !recalled.corrections.is_empty() {
            seen.lies_in.entry(recalled.message).or_insert((place, raw.at));
        }
        Ok(())
    };
    let walked = past::runtime()?.block_on(past::walk(config, &set.routing, records, &mut take))?;
    Ok((walked, seen))
}

/// Writes the moves down; returns how many. A copy that staff made for another team is no correction, and where the old
/// place could not be looked into nobody knows.
fn write_down(seen: &Seen, walked: &Walked, set: &Set, records: &Records) -> Result<usize, CommandError> {
    let mut written = 0;
    for (message, moved) in &seen.moved {
        let looked_into =
            |place: &Destination| walked.folders.contains(&(place.account.clone(), place.folder.clone()));
        if seen.at_home.contains(message) || !moved.from.iter().all(looked_into) {
            continue;
        }
        let new = NewCorrection {
            message: *message,
            change: moved.change.clone(),
            by: STAFF.to_owned(),
            why: String::new(),
            moved_to: Some(moved.to.clone()),
            first_response_on: Some(intake::first_response_by(moved.received_at, &set.policy.calendar)),
        };
        records.correct(&new, SystemClock.now())?;
        written += 1;
    }
    Ok(written)
}
