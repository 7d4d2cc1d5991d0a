//! A changed rules folder: all of it in force within seconds, or none of it and the last good rules stay.
//!
//! Polling, not notification: it works on network shares as well. A change is taken up once the folder has looked the
//! same twice, so that half-written files and several saves are one change. SIGHUP reads the configuration anew as well.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::Config;
use crate::rules::Ruleset;
use crate::rules::diagnostic::Diagnostic;

use super::in_force::{self, Refused, Set};
use super::refusal::Refusal;
use super::{World, kept, refusal};

/// How often the folder is looked at. A change is in force after two looks that agree and the time to compile.
const LOOK: Duration = Duration::from_secs(1);

/// How many folders deep rules and wording may lie.
const DEEPEST: u32 = 4;

/// Name, size, and times of every file: enough to see a change, also one that keeps size and time (`cp -p`, rename-over).
type Snapshot = Vec<(String, u64, [i64; 4])>;

/// Watches the rules folder, and SIGHUP, until it is time to stop.
pub async fn reload<C: Clock>(world: &World<'_, C>) {
    let mut hang_up = match signal(SignalKind::hangup()) {
        Ok(signal) => Some(signal),
        Err(error) => {
            tracing::warn!(
                "SIGHUP cannot be listened for ({error}); rules are still reloaded when they change."
            );
            None
        }
    };
    let look = || {
        let config = world.settings();
        let places = [config.rules.as_deref(), config.working_days.as_deref()];
        places.iter().flatten().flat_map(|path| snapshot(path)).collect::<Snapshot>()
    };
    let mut in_force = look();
    let mut last_look = in_force.clone();
    while !world.stopping() {
        let asked = tokio::select! {
            () = tokio::time::sleep(LOOK) => false,
            () = hang_up_received(&mut hang_up) => true,
            () = world.stopped() => return,
        };
        let now = look();
        let settled = now == last_look;
        last_look = now;
        if asked {
            in_force = last_look.clone();
            read_configuration(world);
        } else if settled && last_look != in_force {
            in_force = last_look.clone();
            take_up(world, &world.settings(), Asked::No);
        }
    }
}

async fn hang_up_received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether a person asked for it, or a file merely looks different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// By SIGHUP: what looks odd is taken to be meant.
    Yes,
    /// A file changed.
    No,
}

/// SIGHUP: the configuration, and with it the rules. What cannot be changed while the program runs is said, and left.
fn read_configuration<C: Clock>(world: &World<'_, C>) {
    let Some(path) = world.in_force.configuration() else {
        return take_up(world, &world.settings(), Asked::Yes);
    };
    match Config::load_or_tell(path) {
        Ok(changed) => {
            let now = world.settings();
            let (config, left) = reloadable(&now, changed);
            for what in left {
                tracing::warn!("`{what}` in the configuration has changed: that needs a restart; until then the old one holds.");
            }
            take_up(world, &config, Asked::Yes);
        }
        Err(complaints) => refuse(world, &complaints),
    }
}

/// The changed configuration with the parts that only a restart can change as they were, and the names of those parts.
pub fn reloadable(now: &Config, mut changed: Config) -> (Config, Vec<&'static str>) {
    let mut left = Vec::new();
    // `Debug` tells all of both and is never printed.
    if format!("{:?}", now.accounts) != format!("{:?}", changed.accounts) {
        left.push("accounts");
        // Queues name accounts, and may name one that is not there yet.
        if format!("{:?}", now.queues) != format!("{:?}", changed.queues) {
            left.push("queues");
        }
        changed.accounts.clone_from(&now.accounts);
        changed.queues.clone_from(&now.queues);
        if changed.alerts.from_account.as_deref().is_some_and(|name| now.account(name).is_none()) {
            left.push("alerts.from_account");
            changed.alerts.from_account.clone_from(&now.alerts.from_account);
        }
    }
    if now.database != changed.database {
        left.push("database");
        changed.database.clone_from(&now.database);
    }
    (changed, left)
}

/// Puts what the files say in force, or refuses all of it.
pub fn take_up<C: Clock>(world: &World<'_, C>, config: &Config, asked: Asked) {
    let loaded = in_force::load_with_files(config).and_then(|(set, files)| {
        let before = world.in_force.now();
        match vanished(&before.policy.rules, &set.policy.rules, &files.folder) {
            Some(complaint) if asked == Asked::No => Err(Refused(vec![complaint])),
            _ => Ok((set, files)),
        }
    });
    match loaded {
        Ok((set, files)) => {
            let version = set.policy.rules.version().to_owned();
            for warning in &set.warnings {
                tracing::warn!("{}", warning.short());
            }
            world.in_force.swap(set);
            kept::keep(&files, config);
            refusal::withdraw(config);
            tracing::info!(rules = version.as_str(), "Rules {version} are in force.");
        }
        Err(refused) => refuse(world, &refused.0),
    }
}

/// Keeps what is in force, and tells people.
pub fn refuse<C: Clock>(world: &World<'_, C>, complaints: &[Diagnostic]) {
    let set: Rc<Set> = world.in_force.now();
    let version = set.policy.rules.version().to_owned();
    let mut refused = Refusal::new(complaints);
    tracing::error!(
        rules = version.as_str(),
        "The changed rules were refused; {version} stay in force.\n{}",
        refused.complaints.trim_end()
    );
    refused.prepare(&set, &set.config, world.now());
    refusal::publish(&refused, &set, &set.config, world.now());
    world.in_force.refuse(refused);
}

/// A file that held rules and now is empty or gone, while no other has taken them in: more likely a copy that is under way, or
/// a slip, than the wish to have no urgent rules.
fn vanished(before: &Ruleset, after: &Ruleset, folder: &str) -> Option<Diagnostic> {
    let kept = |id: &str| after.rules().iter().any(|rule| rule.id == id);
    let lost: Vec<&str> = before.rules().iter().map(|rule| rule.id.as_str()).filter(|id| !kept(id)).collect();
    let now = |name: &str| after.files.iter().find(|file| file.name == name);
    let emptied = before
        .files
        .iter()
        .find(|file| file.rules > 1 && !lost.is_empty() && now(&file.name).is_none_or(|now| now.rules * 2 < file.rules))?;
    let left = now(&emptied.name).map_or(0, |file| file.rules);
    Some(Diagnostic::whole_file(
        format!("{folder}/{}", emptied.name),
        &format!(
            "this file had {} rules and now has {left}: it looks half copied, emptied or removed by mistake",
            emptied.rules
        ),
        "Save it again, whole. If so many rules are to go, say so with `systemctl reload send-triage` (SIGHUP).",
    ))
}

fn snapshot(path: &Path) -> Snapshot {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    let mut folders = vec![(path.to_path_buf(), 0)];
    while let Some((path, depth)) = folders.pop() {
        let Ok(about) = std::fs::metadata(&path) else { continue };
        if about.is_dir() {
            // No deeper than rules are read: a link to a folder above must not make us walk the whole disk.
            if depth > DEEPEST {
                continue;
            }
            let inner = std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
            folders.extend(
                inner
                    .filter(|p| !p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')))
                    .map(|path| (path, depth + 1)),
            );
        } else {
            let times = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
            found.push((path.display().to_string(), about.len(), times));
        }
    }
    found.sort();
    found
}
