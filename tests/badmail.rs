//! Mail that was made to break readers: CPython's collection of torture messages, and thousands of messages bitten into at
//! random. Nothing panics, and every message is in the record afterwards with an outcome.

use std::path::{Path, PathBuf};

use chrono::Utc;
use send_triage::config::Config;
use send_triage::daemon::{self, Bells, InForce, World, in_force, parts};
use send_triage::message::{self, Defect};
use send_triage::outbox::AnyCourier;
use send_triage::record::Records;
use send_triage::triage::{History, triage};
use tokio::sync::watch;

use crate::support::fakes::{Chance, ToldClock};

/// The messages of CPython's own tests of its `email` package, from Debian's package.
fn torture() -> Vec<(String, Vec<u8>)> {
    let libraries = std::fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let found: Vec<PathBuf> = libraries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3")))
        .map(|path| path.join("test/test_email/data"))
        .filter(|path| path.is_dir())
        .collect();
    let folder =
        found.first().expect("please install: apt-get install --no-install-recommends libpython3.11-testsuite (Debian 13: libpython3.13-testsuite)");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "txt"));
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

/// A good part of our own fixtures: what mail clients really send.
fn ordinary() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "eml"));
    files.sort();
    files.iter().step_by(4).map(|path| std::fs::read(path).unwrap()).collect()
}

/// A few bites: bytes changed, stretches cut out, doubled, or replaced by what is special in mail.
fn bitten(message: &[u8], chance: &Chance) -> Vec<u8> {
    const SPECIAL: [&[u8]; 16] = [
        b"\r\n\r\n",
        b"\n",
        b"\0",
        b"--",
        b"=?utf-8?b?",
        b"?=",
        b"Content-Type: multipart/mixed; boundary=\"\"\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"\xff\xfe",
        b"<<<<",
        b"&#x10FFFF;",
        b"=\r\n",
        b"\xe2\x80\xae",
        b"Content-Type: text/html; charset=utf-7\r\n",
        b"From: \"",
        b"(((((((",
    ];
    let mut bytes = message.to_vec();
    let place = |length: usize| chance.below(length.max(1) as u64) as usize;
    for _ in 0..=chance.below(6) {
        let at = place(bytes.len());
        let end = (at + place(200)).min(bytes.len());
        match chance.below(5) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = chance.below(256) as u8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, SPECIAL[place(SPECIAL.len())].iter().copied())),
        }
    }
    bytes
}

#[test]
fn bitten_messages_are_read_and_decided_without_a_panic() {
    let config = Config::parse(send_triage::config::EXAMPLE, "built in", Path::new(".")).unwrap();
    let set = in_force::load(&config).unwrap();
    let seed: u64 = std::env::var("SEND_TRIAGE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let chance = Chance::of_seed(seed);
    let mut whole = ordinary();
    whole.extend(torture().into_iter().map(|(_, bytes)| bytes));
    assert!(whole.len() > 80, "{}", whole.len());
    for round in 0..12 {
        for (number, message) in whole.iter().enumerate() {
            let bytes = bitten(message, &chance);
            let message = message::parse(&bytes, bytes.len());
            let about = || format!("seed {seed}, round {round}, message {number}");
            assert!(!message.defects.contains(&Defect::ParserFailed), "the parser panicked: {}", about());
            let received_at = "2026-11-18T10:00:00Z".parse().unwrap();
            let decision = triage(&message, received_at, &History::none("general", received_at), &set.policy);
            assert!(decision.due_on().is_none_or(|due| due > received_at.date_naive()), "{}", about());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_torture_message_has_a_record() {
    let messages = torture();
    assert!(messages.len() >= 40, "{}", messages.len());
    let dir = tempfile::tempdir().unwrap();
    let inbox = dir.path().join("inbox");
    std::fs::create_dir(&inbox).unwrap();
    for (name, bytes) in &messages {
        assert!(!message::parse(bytes, bytes.len()).defects.contains(&Defect::ParserFailed), "{name}");
        if !bytes.is_empty() {
            std::fs::write(inbox.join(format!("{name}.eml")), bytes).unwrap();
        }
    }
    let yaml = "council: {domain: council.example}\ndatabase: record.sqlite\naccounts:\n  - name: general\n    \
                address: send.general@council.example\n    existing: treat-as-new\n    \
                folder: {path: inbox, kind: eml}\n    outbox: out\nqueues:\n  resolution: {folder: Triage/Resolution}\n  \
                assessment: {folder: Triage/Assessment}\n  annual-review-east: {folder: Triage/East}\n  \
                annual-review-west: {folder: Triage/West}\n  general: {folder: Triage/General}\n";
    let config = Config::parse(yaml, "c.yaml", dir.path()).unwrap();
    let records = Records::open(&config.database).unwrap();
    let (_keep, stop) = watch::channel(false);
    let in_force = InForce::new(in_force::load(&config).unwrap());
    let clock = ToldClock::starting(&Utc::now().to_rfc3339());
    let world = World {
        config: &config,
        records: &records,
        clock: &clock,
        in_force: &in_force,
        bells: Bells::new(["general"].into_iter()),
        stop,
    };
    let mut mailboxes = parts::mailboxes(&config, &parts::Shared::new(&config)).unwrap();
    let mut couriers: std::collections::BTreeMap<String, AnyCourier> =
        parts::couriers(&config, &parts::Shared::new(&config)).unwrap();
    daemon::once(&world, &mut mailboxes, &mut couriers).await.unwrap();
    let ledger = records.ledger().unwrap();
    let seen: u64 = ledger.iter().filter(|one| one.folder == "INBOX").map(|one| one.seen).sum();
    let there = messages.iter().filter(|(_, bytes)| !bytes.is_empty()).count();
    assert_eq!(seen, there as u64, "each has exactly one outcome: {ledger:?}");
    let set_aside: u64 = ledger.iter().map(|one| one.set_aside).sum();
    assert!(
        set_aside <= 1,
        "what is no message at all waits for a person; the others are decided: {set_aside}"
    );
}
