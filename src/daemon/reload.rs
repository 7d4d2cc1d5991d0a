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
use crate::rules::diagnostic::Diagnostic;

use super::in_force::{self, Refused, Set};
use super::refusal::Refusal;
use super::{World, kept, refusal};

/// How often the folder is looked at. A change is in force after two looks that agree and the time to compile.
const LOOK: Duration = Duration::from_secs(1);

/// So many looks that agree make what seemed half copied be taken to be meant.
const LOOKS_OF_A_MINUTE: u32 = 60;

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
        places(&config).flat_map(snapshot).collect::<Snapshot>()
    };
    let mut in_force = look();
    let mut last_look = in_force.clone();
    let (mut looks_alike, mut may_be_meant) = (0, false);
    while !world.stopping() {
        // Rules and working days that are built in do not change by themselves.
        let may_change = may_be_meant || places(&world.settings()).next().is_some();
        let asked = tokio::select! {
            biased;
            () = tokio::time::sleep(LOOK), if may_change => false,
            () = hang_up_received(&mut hang_up) => true,
            () = world.stopped() => return,
        };
        let now = look();
        let settled = now == last_look;
        last_look = now;
        looks_alike = if settled { looks_alike + 1 } else { 0 };
        if asked {
            in_force = last_look.clone();
            may_be_meant = read_configuration(world);
        } else if settled && last_look != in_force {
            in_force = last_look.clone();
            may_be_meant = take_up(world, &world.settings(), Asked::No);
        } else if looks_alike >= LOOKS_OF_A_MINUTE && may_be_meant {
            may_be_meant = take_up(world, &world.settings(), Asked::ByTime);
        }
    }
}

/// What is looked at for changes.
fn places(config: &Config) -> impl Iterator<Item = &Path> {
    [config.rules.as_deref(), config.working_days.as_deref()].into_iter().flatten()
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
    /// It was refused as perhaps half copied, and has not changed since.
    ByTime,
    /// A file changed.
    No,
}

/// SIGHUP: the configuration, and with it the rules. What cannot be changed while the program runs is said, and left.
fn read_configuration<C: Clock>(world: &World<'_, C>) -> bool {
    let Some(path) = world.in_force.configuration() else {
        return take_up(world, &world.settings(), Asked::Yes);
    };
    match Config::load_or_tell(path) {
        Ok(changed) => {
            let now = world.settings();
            let (config, left) = reloadable(&now, changed);
            for what in left {
                tracing::warn!(
                    "`{what}` in the configuration has changed: that needs a restart; until then the old one holds."
                );
            }
            take_up(world, &config, Asked::Yes)
        }
        Err(complaints) => {
            refuse(world, &complaints);
            false
        }
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
    // A new day on which a secret ends is taken up: the secret itself is read anew each time it is used.
    if now.oauth_without_dates() != changed.oauth_without_dates() {
        left.push("oauth");
        changed.oauth.clone_from(&now.oauth);
    }
    if now.database != changed.database {
        left.push("database");
        changed.database.clone_from(&now.database);
    }
    if now.metrics.listen != changed.metrics.listen {
        left.push("metrics");
        changed.metrics.clone_from(&now.metrics);
    }
    (changed, left)
}

/// Puts what the files say in force, or refuses all of it; true where it was refused but is to be taken to be meant if it
/// stays as it is.
pub fn take_up<C: Clock>(world: &World<'_, C>, config: &Config, asked: Asked) -> bool {
    let mut may_be_meant = false;
    let loaded = in_force::load_with_files(config).and_then(|(set, files)| {
        let meant = |loss: &Loss| match asked {
            Asked::Yes => true,
            Asked::ByTime => loss.may_be_meant,
            Asked::No => false,
        };
        match loss(&world.in_force.now(), &set, &files.folder).filter(|loss| !meant(loss)) {
            Some(loss) => {
                may_be_meant = loss.may_be_meant;
                Err(Refused(vec![loss.complaint]))
            }
            None => Ok((set, files)),
        }
    });
    match loaded {
        Ok((set, files)) => {
            let version = set.policy.rules.version().to_owned();
            warn_of(&set);
            world.in_force.swap(set);
            kept::keep(&files, config);
            refusal::withdraw(config);
            tracing::info!(rules = version.as_str(), "Rules {version} are in force.");
        }
        Err(refused) => refuse(world, &refused.0),
    }
    may_be_meant
}

/// The rules may be used; what is odd about them is for `check` to show.
pub fn warn_of(set: &Set) {
    if !set.warnings.is_empty() {
        let warnings = set.warnings.len();
        tracing::warn!(
            warnings,
            "There are {warnings} warnings about rules and configuration; `send-triage check` shows them."
        );
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

/// A file that lost rules in a way that looks more like a copy that is under way, or a slip, than like a wish.
struct Loss {
    complaint: Diagnostic,
    /// If it stays like this for a while, it is taken to be meant.
    may_be_meant: bool,
}

fn loss(before: &Set, after: &Set, folder: &str) -> Option<Loss> {
    let (old, new) = (&before.policy.rules, &after.policy.rules);
    let kept = |id: &str| new.rules().iter().any(|rule| rule.id == id);
    let lost: Vec<&str> = old.rules().iter().map(|rule| rule.id.as_str()).filter(|id| !kept(id)).collect();
    if lost.is_empty() {
        return None;
    }
    let complain = |name: &str, what: String, remedy: &str, may_be_meant| {
        Some(Loss {
            complaint: Diagnostic::whole_file(format!("{folder}/{name}"), &what, remedy),
            may_be_meant,
        })
    };
    for file in old.files.iter().filter(|file| file.rules > 0) {
        let left = new.files.iter().find(|now| now.name == file.name).map_or(0, |now| now.rules);
        if left == file.rules {
            continue;
        }
        if left == 0 || left * 2 < file.rules {
            let what = format!(
                "this file had {} rules and now has {left}: it looks half copied, emptied or removed by mistake",
                file.rules
            );
            let remedy = "Save it again, whole. If so many rules are to go, say so with `systemctl reload send-triage` (SIGHUP).";
            return complain(&file.name, what, remedy, false);
        }
        let bytes = |set: &Set| {
            set.sources
                .iter()
                .find(|source| source.name == file.name)
                .map(|source| source.bytes.clone())
                .unwrap_or_default()
        };
        let (was, is) = (bytes(before), bytes(after));
        let cut = was.starts_with(&is) || (was.ends_with(b"\n") && !is.ends_with(b"\n"));
        if cut {
            let what = format!(
                "the end of this file is missing, and with it {}: it looks half copied",
                lost.join(", ")
            );
            let remedy =
                "Save it again, whole. If it is meant, leave it like this: after a minute it is taken up.";
            return complain(&file.name, what, remedy, true);
        }
    }
    None
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
