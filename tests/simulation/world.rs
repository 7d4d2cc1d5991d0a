//! One world: what is to happen in it, drawn from its seed, and the program living through it, killed and started again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use rusqlite::Connection;
use secrecy::SecretString;
use send_triage::config::Config;
use send_triage::daemon::{self, Bells, InForce, World, contained, in_force, moves, parts};
use send_triage::mailbox::{Credentials, Overview, Pipe};
use send_triage::record::Records;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::chance::Chance;
use super::deeds::Deed;
use super::disk::disk;
use super::letters::ACCOUNTS;
use super::post::Post;
use super::sim::{Broken, Killed, START, Sim};
use super::store::{Abilities, Store};
use super::wire::Wire;
use crate::support::fakes::ToldClock;

const MINUTE: Duration = Duration::from_secs(60);
/// When all is calm again, everything is done within this.
const LONGEST_CALM: Duration = Duration::from_secs(36 * 60 * 60);
/// How long after the last deed it may still lie unseen: an IDLE, and the longest pause after a failure.
const LONGEST_BLIND: Duration = Duration::from_secs(6 * 60);

/// What every world has in common: a configuration, the rules in force, an empty record. Made once for each thread.
pub struct Council {
    filing: &'static str,
    config: Config,
    in_force: InForce,
    empty_record: Vec<u8>,
    dir: tempfile::TempDir,
    worlds: RefCell<u64>,
}

/// Why a seed failed, and what happened before.
pub struct Failure {
    pub what: String,
    pub trace: String,
}

impl Council {
    /// A council with two mailboxes, filing in this way.
    pub fn new(filing: &'static str) -> Self {
        // Memory, where the machine has it as a folder: a million small commits need no real disk.
        let memory = Path::new("/dev/shm");
        let dir = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let account = |name: &&str| {
            format!(
                "  - name: {name}\n    address: send.{name}@council.example\n    filing: {filing}\n    outbox: out\n    \
                 imap: {{host: imap.council.example, password: {{file: none}}, poll_seconds: 1800}}\n"
            )
        };
        let yaml = format!(
            "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n{}queues:\n  \
             resolution: {{folder: Triage/Resolution}}\n  \
             assessment: {{account: assessment, folder: Triage/Assessment}}\n  \
             annual-review-east: {{folder: Triage/East}}\n  annual-review-west: {{folder: Triage/West}}\n  \
             general: {{folder: Triage/General}}\nalerts: {{to: [duty@council.example]}}\n",
            ACCOUNTS.iter().map(account).collect::<String>()
        );
        let config = Config::parse(&yaml, "council.yaml", dir.path()).unwrap();
        let path = dir.path().join("empty.sqlite");
        drop(Records::open(&path).unwrap());
        let empty_record = std::fs::read(&path).unwrap();
        let in_force = InForce::new(in_force::load(&config).unwrap());
        Self { filing, config, in_force, empty_record, dir, worlds: RefCell::new(0) }
    }

    /// Lives through the world of this seed.
    pub fn live(&self, seed: u64, traced: bool) -> Result<(), Failure> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(self.live_through(seed, traced))
    }

    async fn live_through(&self, seed: u64, traced: bool) -> Result<(), Failure> {
        let mut chance = Chance::of(seed, 0);
        let stores = ACCOUNTS.map(|_| Store::new(Abilities::of(&mut chance)));
        let sim = Sim::new(seed, self.filing, stores.into(), traced);
        let number = self.worlds.replace_with(|number| *number + 1);
        let path = self.dir.path().join(format!("{number}.sqlite"));
        std::fs::write(&path, &self.empty_record).unwrap();
        sim.lock().witness = Some(Connection::open(&path).unwrap());
        let clock = ToldClock::starting(START);
        let looks = chance.one_in(4);
        let mut life = Life { council: self, sim: sim.clone(), clock, path: path.clone(), chance, looks };
        let lived = AssertUnwindSafe(life.whole()).catch_unwind().await;
        drop(life);
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(path.with_file_name(format!("{number}.sqlite{suffix}")));
        }
        let broken = sim.lock().broken.take();
        let what = match (lived, broken) {
            (_, Some(broken)) => broken,
            (Ok(()), None) => return Ok(()),
            (Err(panic), None) => said(&panic),
        };
        Err(Failure { what, trace: sim.traced() })
    }
}

/// What a panic said.
fn said(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("a panic: {}", text.unwrap_or("without words"))
}

struct Life<'c> {
    council: &'c Council,
    sim: Sim,
    clock: ToldClock,
    path: PathBuf,
    chance: Chance,
    /// Whether what staff move is looked for: most of what is said in a world is said for that.
    looks: bool,
}

impl Life<'_> {
    async fn whole(&mut self) {
        let before_us = self.chance.below(3);
        for _ in 0..before_us {
            Deed::already_there(&mut self.chance, &self.sim);
        }
        sleep(2 * MINUTE).await;
        if !self.chance.one_in(4) {
            // Mostly it is at home already when the storm comes.
            self.sim.lock().stormy = false;
            self.run(Vec::new(), MINUTE, false, false).await;
        }
        let stormy_lives = self.chance.below(3);
        for _ in 0..stormy_lives {
            self.once(false).await;
            let pause = Duration::from_secs(self.chance.below(120));
            sleep(pause).await;
        }
        self.once(true).await;
        let mut state = self.sim.lock();
        let record = state.witness.take().unwrap();
        state.look_at_the_record(&record);
        state.look_at_the_end(&record, &self.council.in_force.now().policy.calendar);
        let intact: String = record.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
        state.expect(intact == "ok", || format!("the record is damaged: {intact}"));
    }

    /// The program from its start to its end; the last life ends when all is calm and done.
    async fn once(&mut self, last: bool) {
        let deeds = self.chance.between(1, 5);
        let mut at = Duration::ZERO;
        let mut plan = Vec::new();
        for _ in 0..deeds {
            at += match self.chance.below(4) {
                0 => Duration::ZERO,
                1 | 2 => Duration::from_millis(self.chance.below(4_000)),
                _ => Duration::from_secs(self.chance.below(400)),
            };
            plan.push((at, Deed::of(&mut self.chance)));
        }
        let storm = at + Duration::from_secs(self.chance.below(600));
        let killed_at = (!last && !self.chance.one_in(4)).then(|| self.chance.between(1, 260));
        let stopped = !last && self.chance.one_in(2);
        {
            let mut state = self.sim.lock();
            (state.steps, state.killed_at, state.stormy) = (0, killed_at, true);
            state.note(|| format!("=== started; to be killed at step {killed_at:?}"));
        }
        let ended = AssertUnwindSafe(self.run(plan, storm, last, stopped)).catch_unwind().await;
        // Threads do not end with the life; that they are done makes the next one the same each time.
        contained::rest(Duration::from_secs(20));
        if let Err(panic) = ended {
            if panic.is::<Killed>() {
                return;
            }
            if !panic.is::<Broken>() {
                let what = said(&panic);
                self.sim.lock().expect(false, || what);
            }
            std::panic::resume_unwind(Box::new(Broken));
        }
        self.sim.lock().killed_at = None;
        if self.sim.lock().broken.is_some() {
            std::panic::resume_unwind(Box::new(Broken));
        }
    }

    async fn run(&self, plan: Vec<(Duration, Deed)>, storm: Duration, last: bool, stopped: bool) {
        let council = self.council;
        let records = Records::open(&self.path).unwrap().on(disk(&self.sim, &self.path));
        let (stop, to_stop) = watch::channel(false);
        let world = World {
            config: &council.config,
            records: &records,
            clock: &self.clock,
            in_force: &council.in_force,
            bells: Bells::new(ACCOUNTS.into_iter()),
            stop: to_stop,
        };
        let mut accounts = parts::accounts(&council.config, &parts::Shared::new(&council.config)).unwrap();
        for (at, account) in accounts.imap.iter_mut().enumerate() {
            let sim = self.sim.clone();
            account.dialler = Some(Rc::new(move || Ok(Box::new(Wire::dial(&sim, at)?) as Pipe)));
            account.security = send_triage::mailbox::Security::Plain;
            account.credentials = Credentials::Password(SecretString::from("secret".to_owned()));
        }
        let overviews = Overview::of_all(&accounts);
        let mut mailboxes = parts::mailboxes_of(&council.config, accounts);
        let mut couriers: BTreeMap<String, Post> = (0..ACCOUNTS.len())
            .map(|account| (ACCOUNTS[account].to_owned(), Post { sim: self.sim.clone(), account }))
            .collect();
        let running = async {
            // A record that cannot be read at the start ends the program; whoever looks after it starts it again.
            while daemon::run(&world, &mut mailboxes, &mut couriers).await.is_err() {
                sleep(Duration::from_secs(5)).await;
            }
        };
        let looking = async {
            if self.looks {
                moves::look_after(overviews, &world).await;
            }
        };
        let program = async { tokio::join!(running, looking) };
        tokio::pin!(program);
        tokio::select! {
            biased;
            _ = &mut program => panic!("the program ended by itself"),
            () = self.what_happens(plan, storm, last) => {}
        }
        if stopped {
            stop.send_replace(true);
            // As `run` does when it is told to stop.
            let _ = tokio::time::timeout(Duration::from_secs(20), program).await;
        }
    }

    /// The deeds, each at its time; then the end of the storm; then, in the last life, until all is done.
    async fn what_happens(&self, plan: Vec<(Duration, Deed)>, storm: Duration, last: bool) {
        let began = Instant::now();
        for (at, deed) in plan {
            sleep_until(began + at).await;
            let mut state = self.sim.lock();
            state.keep_what_is_due();
            deed.done(&mut state);
        }
        sleep_until(began + storm).await;
        if !last {
            return;
        }
        {
            let mut state = self.sim.lock();
            state.stormy = false;
            state.note(|| "=== calm".to_owned());
        }
        let calm = Instant::now();
        sleep(LONGEST_BLIND).await;
        loop {
            let settled = {
                let mut state = self.sim.lock();
                state.keep_what_is_due();
                state.is_settled()
            };
            if settled {
                return;
            }
            if calm.elapsed() > LONGEST_CALM {
                let open = self.sim.lock().what_is_open();
                self.sim
                    .break_off(format!("after a day and a half of calm there is still to be done: {open}"));
            }
            sleep(2 * MINUTE).await;
        }
    }
}

/// How long ago what was there already came.
pub const BEFORE_US: TimeDelta = TimeDelta::days(2);
