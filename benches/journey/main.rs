//! The whole journey against a private Dovecot and real SMTP servers: how fast, how soon, how small, beside a bare client that
//! makes the same round trips and nothing else. One command, one table of ratios:
//!
//! `cargo bench --bench journey [-- [NAME...] [--messages N] [--rounds N] [--out DIR]]`, as root, with the packages that the tests need.
//!
//! NAME is any of `catch-up`, `letters`, `delivery`, `memory`, `idle`, `start`; without, all of them. `growth` is measured only by
//! name. Contenders take turns, so that a busy machine is busy for all of them alike.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::path::PathBuf;

mod bare;
mod catch_up;
#[path = "../corpus/mod.rs"]
mod corpus;
mod delivery;
mod growth;
mod million;
mod peers;
mod place;
#[path = "../plot/mod.rs"]
mod plot;
mod post;
#[path = "../record/mod.rs"]
mod record;
mod report;
mod resting;
#[path = "../../tests/support/mod.rs"]
mod support;

use place::Place;
use report::Report;

const COMMAND: &str = "cargo bench --bench journey";

/// What was asked for.
pub struct Asked {
    names: Vec<String>,
    /// How many messages are caught up with.
    pub messages: usize,
    /// How often each way is measured.
    pub rounds: usize,
    /// How many messages lie there when memory is measured.
    pub backlog: usize,
    /// How many cases the record has when the start is measured.
    pub cases: u64,
    /// How many deliveries are timed.
    pub deliveries: usize,
    /// How long the daemon is watched while idle, in seconds.
    pub seconds: u64,
    out: PathBuf,
}

impl Asked {
    fn read() -> Self {
        let mut asked = Self {
            names: Vec::new(),
            messages: 600,
            rounds: 3,
            backlog: 2_000,
            cases: 1_000_000,
            deliveries: 100,
            seconds: 60,
            out: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/performance"),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|n| n.parse().ok()).expect("a number after the option");
            match word.as_str() {
                "--bench" => {} // Cargo says so.
                "--messages" => asked.messages = number(),
                "--rounds" => asked.rounds = number(),
                "--backlog" => asked.backlog = number(),
                "--cases" => asked.cases = number() as u64,
                "--deliveries" => asked.deliveries = number(),
                "--seconds" => asked.seconds = number() as u64,
                "--out" => asked.out = words.next().expect("a folder after --out").into(),
                name => asked.names.push(name.to_owned()),
            }
        }
        asked
    }

    /// Whether this was asked for by name.
    fn names(&self, name: &str) -> bool {
        self.names.iter().any(|asked| asked == name)
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|asked| asked == name)
    }
}

fn main() {
    let asked = Asked::read();
    let mut report = Report::default();
    let place = Place::new(asked.messages, 400);
    println!("{}\n", place.described());
    if asked.wants("catch-up") {
        catch_up::filing(&place, &asked, &mut report);
    }
    if asked.wants("letters") {
        catch_up::letters(&place, &asked, &mut report);
    }
    if asked.wants("delivery") {
        delivery::delivery(&place, &asked, &mut report);
    }
    if asked.wants("memory") {
        resting::memory_catching_up(&place, &asked, &mut report);
    }
    // Made beside what waits anyway.
    let record = asked.wants("start").then(|| million::begin(&asked));
    if asked.wants("idle") {
        resting::idle(&place, &asked, &mut report);
    }
    if let Some(record) = record {
        let record = record.join().unwrap();
        million::start(&place, &record, &asked, &mut report);
    }
    if asked.names("growth") {
        growth::backlog(&place, &asked, &mut report);
        growth::mailboxes(&place, &asked, &mut report);
        let record = million::begin(&asked).join().unwrap();
        growth::cases(&place, &record, &asked, &mut report);
    }
    report.write(&asked.out, COMMAND);
}
