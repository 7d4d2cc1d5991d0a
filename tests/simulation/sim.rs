//! What everything in the simulated world shares: its servers, its weather, its steps, and what was seen to be wrong.
//!
//! Every happening at the program's boundaries is a step. The world may end the program's life at any of them, as SIGKILL
//! would: by unwinding from there, so that nothing more is done.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use tokio::time::Instant;

use super::chance::Chance;
use super::letters::Letters;
use super::store::Store;

/// A Wednesday in term time.
pub const START: &str = "2026-11-18T10:00:00Z";

/// The program was killed.
pub struct Killed;

/// An invariant does not hold: `State::broken` says which.
pub struct Broken;

/// The world, as everybody in it holds it.
#[derive(Clone)]
pub struct Sim(Arc<Mutex<State>>);

/// See [`Sim`].
pub struct State {
    /// Chance of everything that fails.
    pub chance: Chance,
    /// Whether anything fails.
    pub stormy: bool,
    /// How messages are filed: `move`, `copy`, `none`.
    pub filing: &'static str,
    /// The accounts' servers.
    pub stores: Vec<Store>,
    /// What was written in this world, and what became of it.
    pub letters: Letters,
    /// Steps since the program was started last.
    pub steps: u64,
    /// It is killed at this one.
    pub killed_at: Option<u64>,
    /// What does not hold.
    pub broken: Option<String>,
    /// The record as another process sees it.
    pub witness: Option<Connection>,
    trace: Option<Vec<String>>,
    began: Instant,
}

impl Sim {
    /// An empty world, inside a runtime whose time is paused.
    pub fn new(seed: u64, filing: &'static str, stores: Vec<Store>, traced: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            chance: Chance::of(seed, 1),
            stormy: true,
            filing,
            stores,
            letters: Letters::default(),
            steps: 0,
            killed_at: None,
            broken: None,
            witness: None,
            trace: traced.then(Vec::new),
            began: Instant::now(),
        })))
    }

    /// Whoever unwinds while holding it leaves it as it is.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happens at a boundary; the program may end here.
    pub fn step(&self, what: impl FnOnce() -> String) {
        let mut state = self.lock();
        state.note(what);
        if state.broken.is_some() {
            drop(state);
            resume_unwind(Box::new(Broken));
        }
        state.steps += 1;
        if state.killed_at == Some(state.steps) {
            state.note(|| "=== killed".to_owned());
            drop(state);
            resume_unwind(Box::new(Killed));
        }
    }

    /// Notes what does not hold, and ends the world.
    pub fn break_off(&self, what: String) -> ! {
        self.lock().broken.get_or_insert(what);
        resume_unwind(Box::new(Broken))
    }

    /// For a failing seed, what happened before.
    pub fn traced(&self) -> String {
        self.lock().trace.as_ref().map(|lines| lines.join("\n")).unwrap_or_default()
    }
}

impl State {
    /// A line of the trace.
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        if self.trace.is_some() {
            let line = format!("{} #{} {}", self.now().format("%d %H:%M:%S%.3f"), self.steps, what());
            if let Some(trace) = &mut self.trace {
                trace.push(line);
            }
        }
    }

    /// What the time is.
    pub fn now(&self) -> DateTime<Utc> {
        START.parse::<DateTime<Utc>>().unwrap() + TimeDelta::from_std(self.began.elapsed()).unwrap()
    }

    /// Notes what does not hold; the next step ends the world.
    pub fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            let what = what();
            self.note(|| format!("!!! {what}"));
            self.broken = Some(what);
        }
    }

    /// Once in so many times, in a storm.
    pub fn goes_wrong(&mut self, one_in: u64) -> bool {
        self.stormy && self.chance.one_in(one_in)
    }

    /// How long something takes that is usually quick.
    pub fn delay(&mut self) -> Duration {
        let millis = match self.chance.below(60) {
            0 if self.stormy => self.chance.between(1_000, 90_000),
            1..=20 => 0,
            _ => self.chance.between(1, 250),
        };
        Duration::from_millis(millis)
    }

    /// What the record as it lies on disk answers.
    pub fn witness(&self, sql: &str, params: &[&dyn rusqlite::ToSql]) -> Option<String> {
        let mut statement = self.witness.as_ref()?.prepare_cached(sql).unwrap();
        let mut rows = statement.query(params).unwrap();
        let row = rows.next().unwrap()?;
        Some(row.get::<_, Option<String>>(0).unwrap().unwrap_or_default())
    }
}
