//! All figures of one digest from a record with a million cases: how long, and how much memory.
//!
//! `cargo bench --bench figures -- make FILE [CASES]` writes such a record (some minutes, 2 GB), `cargo bench --bench figures -- measure FILE`
//! counts, each question in a process of its own memory. Without either it does nothing, so that `cargo bench` stays quick.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::time::Instant;

use send_triage::calendar::{WorkingCalendar, london};
use send_triage::digest::{Ask, Period, Scope};
use send_triage::record::Records;

mod record;

use record::{make, now};

fn main() {
    // Cargo passes `--bench` as well.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| !one.starts_with("--")).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["make", file] => make(Path::new(file), 1_000_000),
        ["make", file, cases] => make(Path::new(file), cases.parse().unwrap()),
        ["measure", file] => measure(Path::new(file)),
        _ => println!("figures: neither `make FILE` nor `measure FILE`; nothing done"),
    }
}

fn measure(file: &Path) {
    let calendar = WorkingCalendar::default();
    let week = Period::week_before(london::date(now()));
    let of = |queue: &str, area: &str| Scope { queues: vec![queue.into()], areas: vec![area.into()] };
    let year = Period { from: "2026-05-10".parse().unwrap(), to: "2027-05-09".parse().unwrap() };
    let rules =
        (1..=250).map(|n| send_triage::digest::RuleName { id: format!("rule-{n}"), title: String::new() });
    let rules = Some(rules.collect::<Vec<_>>());
    let weekly = Ask { rules: rules.clone(), ..Ask::new(week, now(), &calendar) };
    for (name, ask) in [
        ("a week, all", weekly.clone()),
        ("a week, all, again", weekly.clone()),
        ("a week, one team of one area", Ask { scope: of("general", "east"), ..weekly.clone() }),
        ("a year by months, all", Ask { spans: year.months(), rules, ..Ask::new(year, now(), &calendar) }),
    ] {
        let start = Instant::now();
        let records = Records::open_read_only(file).unwrap();
        let figures = records.figures(&ask).unwrap();
        let whole = &figures.service.whole;
        println!(
            "{name}: {:.2} s; {:?} received, {:?} answered, {} waiting, {} overdue; peak memory {}",
            start.elapsed().as_secs_f64(),
            whole.received.unwrap(),
            whole.answered.unwrap(),
            figures.open_by_age.total(),
            figures.needs_you.overdue.total,
            peak()
        );
    }
}

/// The most memory that this process has had, as Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "not known".to_owned(), |line| line.trim().to_owned())
}
