//! A changed rules folder: all of it in force within seconds, or none of it and the last good rules stay.
//!
//! Polling, not notification: it works on network shares as well. A change is taken up once the folder has looked the
//! same twice, so that half-written files and several saves are one change.

use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;

use super::{World, in_force};

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// How many folders deep rules and wording may lie.
const DEEPEST: u32 = 4;

/// Name, size and time of every file: enough to see a change.
type Snapshot = Vec<(String, u64, Option<SystemTime>)>;

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
    let files = [world.config.rules.as_deref(), world.config.working_days.as_deref()];
    let look = || files.iter().flatten().flat_map(|path| snapshot(path)).collect::<Snapshot>();
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
        if asked || (settled && last_look != in_force) {
            in_force = last_look.clone();
            take_up(world);
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

fn take_up<C: Clock>(world: &World<'_, C>) {
    match in_force::load(world.config) {
        Ok(set) => {
            let version = set.policy.rules.version().to_owned();
            world.in_force.swap(set);
            tracing::info!(rules = version.as_str(), "Rules {version} are in force.");
        }
        Err(refused) => {
            let version = world.in_force.now().policy.rules.version().to_owned();
            tracing::error!(
                rules = version.as_str(),
                "The changed rules were refused; {version} stay in force.\n{refused}"
            );
        }
    }
}

fn snapshot(path: &Path) -> Snapshot {
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
            found.push((path.display().to_string(), about.len(), about.modified().ok()));
        }
    }
    found.sort();
    found
}
