//! The program's own code, from the IMAP client to the record, in simulated worlds: its clock, its mail servers, its post and
//! its disk are ours, and fail as the world's seed has it. `docs/reliability.md` says what is simulated and what must hold.
//!
//! `SEND_TRIAGE_SEEDS=100000 cargo test --test all simulation::` lives through as many worlds; a failing one prints its seed, and
//! `SEND_TRIAGE_SEED=4711 cargo test --test all simulation:: -- --nocapture` lives through that one again and tells every step.

mod chance;
mod deeds;
mod disk;
mod invariants;
mod letters;
mod lookup;
mod post;
mod sim;
mod store;
mod talk;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use world::Council;

/// So many worlds, when nobody says otherwise.
const SEEDS: u64 = 10_000;
/// After so many failing seeds there is enough to look at.
const ENOUGH: usize = 20;

/// How the council of this seed files messages: mostly by moving them.
fn filing(seed: u64) -> &'static str {
    match seed % 16 {
        14 => "copy",
        15 => "none",
        _ => "move",
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn whatever_fails_and_whenever_it_is_killed_nothing_is_lost_and_nothing_is_done_twice() {
    if let Some(seed) = number("SEND_TRIAGE_SEED") {
        return again(seed);
    }
    let (first, seeds) =
        (number("SEND_TRIAGE_FIRST_SEED").unwrap_or(0), number("SEND_TRIAGE_SEEDS").unwrap_or(SEEDS));
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut councils = BTreeMap::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || failures.lock().unwrap().len() >= ENOUGH {
                        return;
                    }
                    let council =
                        councils.entry(filing(seed)).or_insert_with_key(|filing| Council::new(filing));
                    if let Err(failure) = council.live(seed, false) {
                        failures.lock().unwrap().push((seed, failure.what));
                    }
                }
            });
        }
    });
    println!("{seeds} worlds in {:.0} s on {threads} threads", began.elapsed().as_secs_f64());
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let lines: Vec<String> = failures.iter().map(|(seed, what)| format!("  seed {seed}: {what}")).collect();
    if let Some((seed, _)) = failures.first() {
        panic!(
            "worlds in which something that must hold does not:\n{}\nThe steps of the first: SEND_TRIAGE_SEED={seed} cargo \
             test --test all simulation:: -- --nocapture",
            lines.join("\n")
        );
    }
}

/// Lives through one world and tells every step of it.
fn again(seed: u64) {
    let lived = Council::new(filing(seed)).live(seed, true);
    if let Err(failure) = lived {
        panic!("{}\n\nseed {seed}: {}", failure.trace, failure.what);
    }
    println!("seed {seed}: all that must hold holds");
}
