//! `send-triage replay`: which messages of the past would be decided differently by other rules. Changes nothing.
//!
//! With files, both sets of rules decide. With what was recorded, the new rules decide, and are compared with the decision
//! that was made then; the record keeps no text, so the messages are read again where they lie.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::daemon::in_force::{self, Set};
use crate::mailbox::{PastFiles, Unreached};
use crate::message::{self, Message};
use crate::record::{Recalled, Records};
use crate::triage::compare::{Answers, Said, compare};
use crate::triage::{self, History};

use self::report::{Differs, Report};
use super::explain::{check_mailbox, guess_mailbox};
use super::{CommandError, Format, past, when};

mod report;

/// What `--against` calls the record.
const RECORDED: &str = "recorded";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print the differences
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The new rules: a copy of the rules folder with your edits
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// The rules to compare with; without it those of the configuration, or what was decided at the time
    #[arg(long, value_name = "DIR")]
    old: Option<PathBuf>,
    /// Past messages: a folder of .eml files or a Maildir, an mbox file, or `recorded`; may be given several times
    #[arg(long, value_name = "DIR|MBOX|recorded")]
    against: Vec<PathBuf>,
    /// Only messages received at this time or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The mailbox that the messages arrived in; without it, the one in To or Cc (not for `recorded`)
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// The same as --against
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let since = arguments.since.as_deref().map(when::read).transpose().map_err(CommandError::Input)?;
    let sources: Vec<PathBuf> = arguments.against.iter().chain(&arguments.sources).cloned().collect();
    let recorded = sources.is_empty() || sources == [PathBuf::from(RECORDED)];
    let config = if recorded { super::own_config(config)? } else { super::config(config)? };
    check_mailbox(arguments.mailbox.as_deref(), &config)?;
    let new = with_rules(&config, Some(&arguments.rules))?;
    let report = Report::new(arguments.format);
    if recorded {
        let old = arguments.old.as_ref().map(|old| with_rules(&config, Some(old))).transpose()?;
        return recorded_messages(&config, &new, old.as_ref(), since, report);
    }
    if sources.iter().any(|source| source == Path::new(RECORDED) && !source.exists()) {
        return Err(CommandError::Input(
            "`recorded` stands for itself: compare with files and with what was recorded one after the other."
                .to_owned(),
        ));
    }
    if let Some(missing) = sources.iter().find(|source| !source.exists()) {
        return Err(CommandError::Input(format!(
            "{}: there is no such file or folder. Name a folder of .eml files, a Maildir, an mbox file, or `recorded`.",
            missing.display()
        )));
    }
    let old = with_rules(&config, arguments.old.as_deref())?;
    files(&sources, &new, &old, since, arguments.mailbox.as_deref(), report)
}

/// Everything as configured, but these rules.
fn with_rules(config: &Config, rules: Option<&Path>) -> Result<Set, CommandError> {
    let mut config = config.clone();
    if let Some(rules) = rules {
        config.rules = Some(rules.to_owned());
    }
    Ok(in_force::load(&config)?)
}

fn files(
    sources: &[PathBuf],
    new: &Set,
    old: &Set,
    since: Option<DateTime<Utc>>,
    mailbox: Option<&str>,
    mut report: Report,
) -> Result<(), CommandError> {
    for found in PastFiles::new(sources) {
        let raw = match found {
            Ok(raw) => raw,
            Err(unreached) => {
                report.unreached.push(unreached);
                continue;
            }
        };
        if since.is_some_and(|since| raw.received_at < since) {
            continue;
        }
        let message = message::parse(&raw.bytes, raw.size_bytes);
        let mailbox = mailbox.map_or_else(|| guess_mailbox(&message, new), str::to_owned);
        let (before, after) = (
            decide(&message, raw.received_at, &mailbox, old),
            decide(&message, raw.received_at, &mailbox, new),
        );
        let differs = compare(&before, &after).map(|difference| Differs {
            message: raw.at.to_string(),
            reference: None,
            subject: message.subject.clone(),
            received_at: raw.received_at,
            mailbox,
            difference,
        });
        report.add(differs)?;
    }
    let failed = report.unreached.clone();
    if report.read() == 0 && failed.is_empty() {
        report.notes.push("No messages there: no .eml files, no Maildir, no mbox.".to_owned());
    }
    report.print(new, Some(old))?;
    if failed.is_empty() { Ok(()) } else { Err(CommandError::Input(told(&failed))) }
}

fn recorded_messages(
    config: &Config,
    new: &Set,
    old: Option<&Set>,
    since: Option<DateTime<Utc>>,
    mut report: Report,
) -> Result<(), CommandError> {
    let records = Records::open_read_only(&config.database)?;
    let known = records.standing()?.messages;
    let mut seen = HashSet::new();
    let mut take = |found: past::FoundAgain| {
        let recalled = &found.recalled;
        if !seen.insert(recalled.message) || since.is_some_and(|since| recalled.received_at < since) {
            return Ok(());
        }
        let again = |set| decide(&found.message, recalled.received_at, &recalled.account, set);
        let (before, after) = (old.map_or_else(|| then(recalled), again), again(new));
        if !recalled.corrections.is_empty() {
            report.corrected(as_corrected(recalled, &before), as_corrected(recalled, &after));
        }
        let differs = compare(&before, &after).map(|difference| Differs {
            message: format!(
                "message {} in {}/{}",
                recalled.message, found.place.account, found.place.folder
            ),
            reference: recalled.reference.clone(),
            subject: recalled.subject.clone(),
            received_at: recalled.received_at,
            mailbox: recalled.account.clone(),
            difference,
        });
        report.add(differs)
    };
    let walked = past::runtime()?.block_on(past::walk(config, &new.routing, &records, &mut take))?;
    let found = u64::try_from(seen.len()).unwrap_or(u64::MAX);
    if known > found {
        report.notes.push(format!(
            "{} of the {known} messages on record were not met again: deleted, or moved to a folder that is not ours.",
            known - found
        ));
    }
    let failed = walked.account_failed;
    report.unreached.extend(walked.unreached.iter().cloned());
    report.print(new, old)?;
    if failed { Err(CommandError::Outside(told(&walked.unreached))) } else { Ok(()) }
}

fn decide(message: &Message, received_at: DateTime<Utc>, mailbox: &str, set: &Set) -> Answers {
    let history = History::none(mailbox, received_at);
    Answers::of(&triage::triage(message, received_at, &history, &set.policy))
}

/// What was decided at the time. Whether it was acknowledged hung on the day (limits, going live) as well as on the rules,
/// and is not compared.
fn then(recalled: &Recalled) -> Answers {
    let decision = &recalled.decision;
    Answers {
        kind: decision.kind.clone(),
        acknowledge: None,
        copied: decision.copied,
        urgency: decision.urgency.clone(),
        grounds: decision.grounds.clone(),
        claimed_urgent: decision.claimed_urgent,
        queue: decision.queue.clone(),
        area: decision.area.clone(),
        chaser: decision.chaser.clone(),
        signposts: decision.signposts.clone(),
        refer_leadership: decision.refer_leadership,
        unsure: decision.unsure,
        findings: Said::all(decision.trace.clone()),
    }
}

/// Whether the answers are what staff said is right, where staff said anything.
fn as_corrected(recalled: &Recalled, answers: &Answers) -> bool {
    let right = recalled.labels();
    recalled.corrections.iter().all(|correction| {
        let said = &correction.to;
        (said.kind.is_none() || right.kind == answers.kind)
            && (said.urgency.is_none() || right.urgency == answers.urgency)
            && (said.queue.is_none() || right.queue == answers.queue)
            && (said.area.is_none() || right.area == answers.area)
            && (said.grounds.is_none() || right.grounds == answers.grounds)
    })
}

fn told(unreached: &[Unreached]) -> String {
    let lines: Vec<String> =
        unreached.iter().map(|place| format!("{}: {}", place.place, place.problem)).collect();
    format!("Not everything could be read.\n{}", lines.join("\n"))
}
