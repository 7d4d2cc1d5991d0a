//! What is asked of a record at the end of a year: by the daemon all the time, by staff, and by the digest once a week.

use std::time::Instant;

use chrono::TimeDelta;
use send_triage::calendar::{WorkingCalendar, london};
use send_triage::digest::{Ask, Period};
use send_triage::message::Fingerprint;
use send_triage::record::{CaseFilter, Records, Which};
use serde_json::{Value, json};

use crate::simulated::Instance;

/// Each question with the better of two times.
pub fn all(instance: &Instance) -> Vec<Value> {
    let (records, now) = (&instance.records, instance.now());
    let calendar = WorkingCalendar::default();
    let today = london::date(now);
    let year = Period { from: today - TimeDelta::days(364), to: today };
    let week = Period::week_before(today);
    let last = records.references().unwrap().pop().unwrap();
    let letters = Which::Letters { account: "general".into() };
    let digest = |ask: &Ask<'_>| drop(records.figures(ask).unwrap());
    #[allow(clippy::type_complexity)] // A list for this one loop.
    let queries: Vec<(&str, Box<dyn Fn() + '_>)> = vec![
        ("daemon: is this message known", Box::new(|| drop(records.known(&Fingerprint::default()).unwrap()))),
        (
            "daemon: limits of one sender",
            Box::new(|| {
                let _ = records.acknowledgements("family.7@inbox.example", "inbox.example", now).unwrap();
            }),
        ),
        ("daemon: letters due", Box::new(|| drop(records.due_effects(letters.clone(), now, 50).unwrap()))),
        ("daemon: waiting cases for the daily letter", Box::new(|| drop(records.waiting_cases().unwrap()))),
        (
            "daemon: how things stand",
            Box::new(|| {
                let _ = records.standing().unwrap();
            }),
        ),
        (
            "staff: cases list, waiting",
            Box::new(|| {
                let filter = CaseFilter { waiting: true, ..CaseFilter::default() };
                drop(records.cases(&filter).unwrap());
            }),
        ),
        ("staff: one case", Box::new(|| drop(records.case(&last).unwrap()))),
        (
            "staff: one sender's history",
            Box::new(|| drop(records.history_of("family.7@inbox.example").unwrap())),
        ),
        ("digest: a week", Box::new(|| digest(&Ask::new(week, now, &calendar)))),
        (
            "digest: a year by months",
            Box::new(|| digest(&Ask { spans: year.months(), ..Ask::new(year, now, &calendar) })),
        ),
        ("start: opening the record", Box::new(|| drop(Records::open(records.path()).unwrap()))),
    ];
    let timed = |ask: &dyn Fn()| {
        let begun = Instant::now();
        ask();
        begun.elapsed().as_secs_f64()
    };
    queries
        .iter()
        .map(|(name, ask)| {
            let seconds = timed(ask).min(timed(ask));
            println!("  {name}: {:.1} ms", seconds * 1000.0);
            json!({ "name": name, "seconds": seconds })
        })
        .collect()
}
