//! `send-triage run`: the daemon.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon::{
    self, Bells, InForce, World, contained, in_force, kept, metrics, moves, parts, pulse, refusal, reload,
};
use crate::mailbox::Overview;
use crate::record::{DaemonLock, RecordError, Records};

use super::CommandError;

/// How long what is in flight may take to finish after a request to stop.
const LONGEST_STOP: Duration = Duration::from_secs(20);

/// How often one that stands by looks whether the other has ended.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// If another one is at work on the same record: wait, and take over when it ends
    #[arg(long)]
    standby: bool,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let path = super::own_config_path(config)?;
    let mut config = Config::load(&path)?;
    let runtime = super::past::runtime()?;
    let lock = match DaemonLock::take(&config.database) {
        Err(RecordError::AlreadyRunning { holder, .. }) if arguments.standby => {
            let Some(lock) = runtime.block_on(stand_by(&config, &holder))? else { return Ok(()) };
            // What the other one was configured with by now.
            config = Config::load(&path)?;
            lock
        }
        taken => taken?,
    };
    // With a broken rules folder the last good rules go on, and people are told; without such there is nothing to go on with.
    let (set, refused) = match in_force::load_with_files(&config) {
        Ok((set, files)) => {
            kept::keep(&files, &config);
            refusal::withdraw(&config);
            (set, None)
        }
        Err(refused) => match kept::load(&config) {
            Some(set) => (set, Some(refused)),
            None => return Err(refused.into()),
        },
    };
    reload::warn_of(&set);
    let records = Records::open_locked(&lock)?;
    let shared = parts::Shared::new(&config);
    let mut mailboxes = parts::mailboxes(&config, &shared)?;
    let overviews = Overview::of_all(&parts::accounts(&config, &shared)?);
    let mut couriers: BTreeMap<_, _> = parts::couriers(&config, &shared)?;
    let version = set.policy.rules.version().to_owned();
    let in_force = InForce::new(set).configured_by(&path);
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let world = World {
            config: &config,
            records: &records,
            clock: &SystemClock,
            in_force: &in_force,
            bells: Bells::new(config.accounts.iter().map(|a| a.name.as_str()))
                .seeing(shared.certificates.clone()),
            stop: stopped,
        };
        if let Some(refused) = &refused {
            reload::refuse(&world, &refused.0);
        }
        let watched: usize = config.accounts.iter().map(|account| account.watch.len()).sum();
        tracing::info!(
            rules = version.as_str(),
            mailboxes = watched,
            "Started: {watched} folders watched, rules {version}."
        );
        let running = async {
            let (ended, (), (), ()) = tokio::join!(
                daemon::run(&world, &mut mailboxes, &mut couriers),
                moves::look_after(overviews, &world),
                pulse::keep(&world),
                metrics::serve(&world)
            );
            ended
        };
        let result = tokio::select! {
            result = running => result.map_err(|error| CommandError::Outside(error.to_string())),
            () = stop_on_signal(&stop) => {
                tracing::warn!("Something did not finish in time; it is left as the record has it, and settled at the next start.");
                Ok(())
            }
        };
        contained::rest(Duration::from_secs(2));
        tracing::info!("Stopped.");
        result
    })
}

/// Waits until the other one has ended, however it ends: the system then lets go of its lock. `None`: asked to stop first.
async fn stand_by(config: &Config, holder: &str) -> Result<Option<DaemonLock>, CommandError> {
    tracing::info!("Standing by: send-triage{holder} is at work on this record.");
    let (stop, mut stopped) = watch::channel(false);
    let wait = async {
        loop {
            tokio::time::sleep(LOOK).await;
            match DaemonLock::take(&config.database) {
                Err(RecordError::AlreadyRunning { .. }) => {}
                Err(error) if error.is_transient() => tracing::warn!("{error}"),
                taken => break taken,
            }
        }
    };
    tokio::select! {
        taken = wait => {
            tracing::info!("The other send-triage has ended: taking over.");
            Ok(Some(taken?))
        }
        _ = stopped.wait_for(|stop| *stop) => Ok(None),
        () = stop_on_signal(&stop) => Ok(None),
    }
}

/// Asks everything to stop at SIGTERM or SIGINT; returns only if that takes too long.
async fn stop_on_signal(stop: &watch::Sender<bool>) {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        tracing::warn!("Signals cannot be listened for; stop the program by SIGKILL, which loses nothing.");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("Asked to stop: finishing what is in flight.");
    stop.send_replace(true);
    tokio::time::sleep(LONGEST_STOP).await;
}
