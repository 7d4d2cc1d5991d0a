//! The dead-man's switch: every half minute the daemon writes down how it is (`health.rs`), lets systemd's watchdog know
//! that it is alive, tells whoever looks after it of a folder that it cannot reach, and now and then writes itself a message
//! that must come round.
//!
//! systemd is told only as long as every watched folder has had its turn: a task that hangs is mended by a restart, a server
//! that is away is not, and that turn ends with an error in good time.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sd_notify::NotifyState;

use crate::calendar::london;
use crate::clock::Clock;
use crate::config::{Config, FilingMode};
use crate::effect::Effect;
use crate::letter::{self, CanaryFacts, LostFacts, Purpose, Sender, StallFacts};
use crate::mailbox::{Fetched, Mailbox};
use crate::message;
use crate::record::RecordError;

use super::health::{Canary, Health, Stalled, WatchedFolder};
use super::{World, contained, expiry, letters, refusal};

/// How often.
const BEAT: Duration = Duration::from_secs(30);

/// A watched folder that has had no turn for so long hangs: the longest wait for mail is five minutes, and every step of a
/// turn has its own limit.
const HANGS: TimeDelta = TimeDelta::minutes(30);

/// Keeps the pulse until it is time to stop; then says that it was stopped.
pub async fn keep<C: Clock>(world: &World<'_, C>) {
    let started_at = world.now();
    systemd(&[NotifyState::Ready]);
    // A server that is not met before the next digest is known from the last run.
    if let Ok(before) = Health::read(&world.config.health_file()) {
        world.bells.certificates().remember(&before.certificates);
    }
    while !world.stopping() {
        match beat(world, started_at) {
            Ok(true) => systemd(&[NotifyState::Watchdog]),
            Ok(false) if contained::run_aways() > 0 => tracing::error!(
                "Work on {} messages that were set aside still goes on; systemd's watchdog is no longer told that all is well, so that a restart ends it.",
                contained::run_aways()
            ),
            Ok(false) => tracing::error!(
                "A watched folder has had no turn for {} minutes; systemd's watchdog is no longer told that all is well.",
                HANGS.num_minutes()
            ),
            // The record is what everything rests on; but a disk that is full is not mended by a restart.
            Err(error) => {
                tracing::error!("How the program is could not be written down: {error}");
                systemd(&[NotifyState::Watchdog]);
            }
        }
        world.pause(BEAT).await;
    }
    systemd(&[NotifyState::Stopping]);
    if let Ok(health) = look(world, started_at) {
        write(&world.config.health_file(), &Health { stopped_at: Some(world.now()), ..health });
    }
}

/// One beat: whether every watched folder has its turns, and nothing works on that was given up.
pub fn beat<C: Clock>(world: &World<'_, C>, started_at: DateTime<Utc>) -> Result<bool, RecordError> {
    canary(world)?;
    let health = look(world, started_at)?;
    write(&world.config.health_file(), &health);
    tell(world, &health)?;
    expiry::tell(world, &expiry::known(&world.settings(), &health.certificates))?;
    let now = world.now();
    let in_turn = health.folders.iter().all(|watched| {
        let turn = world.bells.last_turn(&watched.account, &watched.folder).unwrap_or(started_at);
        now - turn <= HANGS
    });
    Ok(in_turn && contained::run_aways() == 0)
}

/// How the daemon is now.
pub(super) fn look<C: Clock>(world: &World<'_, C>, started_at: DateTime<Utc>) -> Result<Health, RecordError> {
    let set = world.in_force.now();
    let in_hand = world.records.in_hand()?;
    let mut folders = Vec::new();
    for account in &world.config.accounts {
        for folder in &account.watch {
            let known = world.records.mailbox(&account.name, folder)?;
            folders.push(WatchedFolder {
                account: account.name.clone(),
                folder: folder.clone(),
                last_seen_at: known.map(|mailbox| mailbox.last_seen_at),
            });
        }
    }
    let canary = match &set.config.health.canary {
        Some(rules) => world.records.last_canary()?.map(|last| Canary {
            account: rules.account.clone(),
            written_at: last.written_at,
            expected_by: last.written_at + TimeDelta::minutes(i64::from(rules.within_minutes)),
            met_at: last.met_at,
        }),
        None => None,
    };
    let certificates = world.bells.certificates().all();
    let today = london::date(world.now());
    let near =
        |ending: &expiry::Ending| ending.stage(today).is_some_and(|stage| stage >= expiry::Stage::Thirty);
    let endings = expiry::known(&set.config, &certificates).into_iter().filter(near);
    Ok(Health {
        runs_out: endings.map(|ending| expiry::sentence(&ending, today)).collect(),
        certificates,
        written_at: world.now(),
        started_at,
        stopped_at: None,
        process: std::process::id(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        rules: set.policy.rules.version().to_owned(),
        rules_refused: refusal::standing(&set.config).is_some(),
        folders,
        canary,
        pending: in_hand.pending,
        uncertain: in_hand.uncertain,
        stuck: in_hand.stuck,
        set_aside: in_hand.set_aside,
    })
}

fn write(path: &Path, health: &Health) {
    let text = match serde_json::to_string_pretty(health) {
        Ok(text) => text + "\n",
        Err(error) => return tracing::error!("How the program is cannot be put in words: {error}"),
    };
    if let Err(error) = refusal::write_whole(path, &text) {
        tracing::error!("{}: how the program is cannot be written there: {error}", path.display());
    }
}

/// Tells whoever looks after the program of each folder that cannot be reached, and of a message to ourselves that did not come
/// back: once for each, in working hours, by an account that is well where there is one.
fn tell<C: Clock>(world: &World<'_, C>, health: &Health) -> Result<(), RecordError> {
    let set = world.in_force.now();
    let config = &set.config;
    let now = world.now();
    if config.health.to.is_empty() {
        return Ok(());
    }
    let after = TimeDelta::minutes(i64::from(config.health.stalled_after_minutes));
    let stalled: Vec<Stalled<'_>> = health.stalled(now, after).collect();
    let lost = health.canary.as_ref().filter(|canary| canary.met_at.is_none() && now > canary.expected_by);
    if stalled.is_empty() && lost.is_none() {
        return Ok(());
    }
    let ill = |name: &str| {
        stalled.iter().any(|one| one.folder.account == name) || lost.is_some_and(|lost| lost.account == name)
    };
    let Some(account) = well(config, ill) else { return Ok(()) };
    let sent_at = letters::in_working_hours(&set, config, now);
    let from = &letters::sender(config.account(account), account);
    let mut written = Vec::new();
    for to in &config.health.to {
        for Stalled { folder, since } in &stalled {
            let topic = format!("stalled/{}/{}/{}", folder.account, folder.folder, since.timestamp());
            let (account, folder, since) = (folder.account.as_str(), folder.folder.as_str(), *since);
            let facts = StallFacts { from, to, topic: &topic, account, folder, since, sent_at };
            written.push((letter::stall(&facts), topic.clone()));
        }
        if let Some(Canary { account, written_at, .. }) = lost {
            let topic = format!("lost/{account}/{}", written_at.timestamp());
            let facts = LostFacts { from, to, topic: &topic, account, written_at: *written_at, sent_at };
            written.push((letter::lost(&facts), topic.clone()));
        }
    }
    let mut effects = Vec::new();
    for (letter, topic) in written {
        match letter {
            Ok(letter) => {
                let account = account.to_owned();
                effects.push(Effect::Notice { account, letter, topic, not_before: sent_at });
            }
            Err(error) => tracing::error!("A notice about the program itself could not be written: {error}"),
        }
    }
    if world.records.notify(None, &effects, now)? > 0 {
        world.bells.ring_post(account);
    }
    Ok(())
}

/// An account that is well; without one, the account that writes to staff.
fn well(config: &Config, ill: impl Fn(&str) -> bool) -> Option<&str> {
    let usual = letters::alerting_account(config);
    let mut names = usual.into_iter().chain(config.accounts.iter().map(|account| account.name.as_str()));
    names.find(|name| !ill(name)).or(usual)
}

/// Writes the message to ourselves when it is time for one.
fn canary<C: Clock>(world: &World<'_, C>) -> Result<(), RecordError> {
    let set = world.in_force.now();
    let Some(rules) = &set.config.health.canary else { return Ok(()) };
    let now = world.now();
    let every = TimeDelta::hours(i64::from(rules.every_hours));
    if world.records.last_canary()?.is_some_and(|last| now - last.written_at < every) {
        return Ok(());
    }
    let from: Sender = letters::sender(set.config.account(&rules.account), &rules.account);
    let topic = format!("canary/{}", now.format("%Y-%m-%dT%H:%M:%SZ"));
    match letter::canary(&CanaryFacts { from: &from, topic: &topic, sent_at: now }) {
        Ok(letter) => {
            let effect = Effect::Notice { account: rules.account.clone(), letter, topic, not_before: now };
            world.records.notify(None, &[effect], now)?;
            world.bells.ring_post(&rules.account);
        }
        Err(error) => tracing::error!("The message to ourselves could not be written: {error}"),
    }
    Ok(())
}

/// Deletes messages to ourselves that have come round, so that staff do not find one every hour: by its Message-ID, which the
/// record knows as its own, and only with our own header. One that cannot be deleted stays, and does no harm.
pub(super) async fn discard_canaries<M: Mailbox, C: Clock>(
    mailbox: &mut M,
    fetched: &Fetched,
    world: &World<'_, C>,
) -> Result<(), RecordError> {
    let filing = world.config.account(mailbox.account()).map(|account| account.filing).unwrap_or_default();
    let is_sent = world.is_sent(mailbox.account(), mailbox.folder());
    if filing == FilingMode::None || is_sent || world.settings().health.canary.is_none() {
        return Ok(());
    }
    for raw in &fetched.messages {
        let message = message::heading(&raw.bytes, raw.size_bytes);
        let id = message.message_id.as_deref().unwrap_or_default();
        let ours = letter::purpose_of(id) == Some(Purpose::Canary)
            && message.header("X-Send-Triage-Reference").is_some()
            && world.records.is_our_letter(id)?;
        if !ours {
            continue;
        }
        match mailbox.discard(&raw.at, id).await {
            Ok(_) => tracing::debug!(
                account = mailbox.account(),
                uid = raw.at.uid,
                "A message to ourselves came round and is deleted."
            ),
            Err(error) => tracing::debug!("A message to ourselves came round and stays where it is: {error}"),
        }
    }
    Ok(())
}

/// Word to systemd; nothing where it did not start us.
fn systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("systemd could not be told how the program is: {error}");
    }
}

/// Notes that a watched folder has its turn.
pub(super) fn turn<M: Mailbox, C: Clock>(mailbox: &M, world: &World<'_, C>) {
    world.bells.turned(mailbox.account(), mailbox.folder(), world.now());
}
