//! `send-triage rebuild`: the record made anew from the mailboxes, or a restored backup completed from them. Nothing is sent,
//! moved or marked; the record that was there is kept beside the new one.

use std::path::Path;

use chrono::NaiveDate;
use tokio::sync::watch;

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::rebuild::{self, RebuildError, Rebuilt};
use crate::daemon::{Bells, InForce, World, in_force};
use crate::record::{Basis, DaemonLock, RecordError, Records};

use super::{CommandError, out, own_config, past};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Leave out what was received before this day, such as 2026-01-31; without it, everything is read
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Start from nothing, whatever the record holds that is there
    #[arg(long)]
    anew: bool,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let since = arguments.since.as_deref().map(day).transpose()?;
    let set = in_force::load(&config)?;
    // The daemon must not write meanwhile to what is about to be replaced.
    let lock = DaemonLock::take(&config.database).map_err(|error| match error {
        RecordError::AlreadyRunning { holder, .. } => CommandError::Outside(format!(
            "{}: send-triage{holder} is at work on this record. Stop it first (`systemctl stop send-triage`), then rebuild.",
            config.database.display()
        )),
        error => error.into(),
    })?;
    let (records, basis) = Records::open_beside(&lock, arguments.anew)?;
    match &basis {
        Basis::Nothing => tracing::info!("There is no record, or none is wanted: it is made anew."),
        Basis::Record => tracing::info!("What the record lacks is added to it."),
        Basis::Damaged(why) => tracing::warn!("A new record is made, because of the old one: {why}"),
    }
    let rebuilt = match in_file(&config, set, since, &records) {
        Ok(rebuilt) => rebuilt,
        Err(error) => {
            records.discard()?;
            return Err(CommandError::Outside(error.to_string()));
        }
    };
    if arguments.dry_run {
        records.discard()?;
        say(&rebuilt, "would be");
        return Ok(());
    }
    let kept = records.take_its_place(&lock, SystemClock.now())?;
    say(&rebuilt, "were");
    if let Some(kept) = kept {
        out::line(format_args!("The record as it was before is kept as {}.", kept.display()));
    }
    out::line(
        "Start the daemon again. What mail cannot tell is lost with a record: docs/operations.md lists it.",
    );
    Ok(())
}

fn in_file(
    config: &Config,
    set: in_force::Set,
    since: Option<NaiveDate>,
    records: &Records,
) -> Result<Rebuilt, RebuildError> {
    let in_force = InForce::new(set);
    let (_stop, stopped) = watch::channel(false);
    let world = World {
        config,
        records,
        clock: &SystemClock,
        in_force: &in_force,
        bells: Bells::new(config.accounts.iter().map(|account| account.name.as_str())),
        stop: stopped,
    };
    let folder = records.path().parent().unwrap_or(Path::new(".")).to_owned();
    let runtime = past::runtime()
        .map_err(|error| rebuild::gather::WalkError::from(std::io::Error::other(error.to_string())))?;
    runtime.block_on(rebuild::rebuild(&world, since, &folder))
}

fn say(rebuilt: &Rebuilt, were: &str) {
    let Rebuilt { messages, known, cases, acknowledged, replies, .. } = rebuilt;
    out::line(format_args!(
        "{messages} messages {were} entered ({known} were known), with {cases} cases, {acknowledged} acknowledgements found in Sent and \
         {replies} replies by staff."
    ));
    if rebuilt.not_acknowledged > 0 {
        out::line(format_args!(
            "{} messages have no acknowledgement in Sent: `send-triage cases withheld --since DATE` lists them.",
            rebuilt.not_acknowledged
        ));
    }
    if rebuilt.without_message > 0 {
        out::line(format_args!(
            "{} cases are known by our letter alone: their email lies in none of our folders any more.",
            rebuilt.without_message
        ));
    }
    if rebuilt.left_for_the_daemon > 0 {
        out::line(format_args!(
            "{} messages came in since the last letter; the daemon takes them in as new when it starts.",
            rebuilt.left_for_the_daemon
        ));
    }
    for unread in &rebuilt.unreadable {
        out::line(format_args!("Not read: {}: {}", unread.place, unread.problem));
    }
}

fn day(text: &str) -> Result<NaiveDate, CommandError> {
    super::when::read(text).map(london::date).map_err(CommandError::Input)
}
