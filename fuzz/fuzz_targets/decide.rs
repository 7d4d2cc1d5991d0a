//! Any bytes at all as a message: read, decided about with the shipped rules, explained. Nothing panics, also where the program
//! would contain it; a decision's due date lies after the receipt; explaining decides the same.
#![no_main]

use std::path::Path;

use chrono::{DateTime, Utc};
use libfuzzer_sys::fuzz_target;
use send_triage::config::{Config, EXAMPLE};
use send_triage::daemon::in_force::{self, Set};
use send_triage::message::{self, Defect};
use send_triage::triage::{History, explained, triage};

thread_local! {
    static SET: Set = in_force::load(&Config::parse(EXAMPLE, "built in", Path::new(".")).unwrap()).unwrap();
}

fuzz_target!(|bytes: &[u8]| {
    let message = message::parse(bytes, bytes.len());
    assert!(!message.defects.contains(&Defect::ParserFailed), "the parser panicked");
    let received_at: DateTime<Utc> = "2026-11-18T10:00:00Z".parse().unwrap();
    let history = History::none("general", received_at);
    SET.with(|set| {
        let decision = triage(&message, received_at, &history, &set.policy);
        assert!(decision.due_on().is_none_or(|due| due > received_at.date_naive()));
        assert_eq!(decision.urgency, explained(&message, received_at, &history, &set.policy).urgency);
    });
});
