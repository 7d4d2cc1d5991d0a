//! Mail that was made to break readers: CPython's collection of torture messages, and thousands of messages bitten into at
//! random. Nothing panics, and every message is in the record afterwards with an outcome.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use send_triage::config::Config;
use send_triage::daemon::{self, Bells, InForce, World, contained, in_force, parts};
use send_triage::message::{self, Defect, MessageRef};
use send_triage::outbox::AnyCourier;
use send_triage::record::{CaseFilter, MOST_STRIKES, Records};
use send_triage::triage::{History, triage};
use tokio::sync::watch;

use crate::support::fakes::{Chance, ToldClock};

#[path = "../fuzz/targets.rs"]
mod targets;

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

/// A folder of mail, and the daemon as far as it has something to do.
struct Room {
    dir: tempfile::TempDir,
    config: Config,
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("inbox")).unwrap();
        let yaml = "council: {domain: council.example}\ndatabase: record.sqlite\naccounts:\n  - name: general\n    \
                    address: send.general@council.example\n    existing: treat-as-new\n    \
                    folder: {path: inbox, kind: eml}\n    outbox: out\nqueues:\n  resolution: {folder: Triage/Resolution}\n  \
                    assessment: {folder: Triage/Assessment}\n  annual-review-east: {folder: Triage/East}\n  \
                    annual-review-west: {folder: Triage/West}\n  general: {folder: Triage/General}\n";
        let config = Config::parse(yaml, "c.yaml", dir.path()).unwrap();
        Self { dir, config }
    }

    fn arrives(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.dir.path().join(format!("inbox/{name}.eml")), bytes).unwrap();
    }

    fn records(&self) -> Records {
        Records::open(&self.config.database).unwrap()
    }

    async fn take_in(&self) {
        let config = &self.config;
        let records = self.records();
        let (_keep, stop) = watch::channel(false);
        let in_force = InForce::new(in_force::load(config).unwrap());
        let clock = ToldClock::starting(&Utc::now().to_rfc3339());
        let world = World {
            config,
            records: &records,
            clock: &clock,
            in_force: &in_force,
            bells: Bells::new(["general"].into_iter()),
            stop,
        };
        let mut mailboxes = parts::mailboxes(config, &parts::Shared::new(config)).unwrap();
        let mut couriers: std::collections::BTreeMap<String, AnyCourier> =
            parts::couriers(config, &parts::Shared::new(config)).unwrap();
        daemon::once(&world, &mut mailboxes, &mut couriers).await.unwrap();
    }
}

fn letter(number: u32) -> Vec<u8> {
    format!(
        "From: Parent {number} <parent.{number}@home.example>\r\nTo: send.general@council.example\r\nSubject: Letter {number}\r\n\
         Message-ID: <{number}@home.example>\r\nDate: {}\r\n\r\nWho is our coordinator now? My number is {number}.\r\n",
        Utc::now().to_rfc2822()
    )
    .into_bytes()
}

#[tokio::test(start_paused = true)]
async fn every_torture_message_has_a_record() {
    let messages = torture();
    assert!(messages.len() >= 40, "{}", messages.len());
    let room = Room::new();
    for (name, bytes) in &messages {
        assert!(!message::parse(bytes, bytes.len()).defects.contains(&Defect::ParserFailed), "{name}");
        if !bytes.is_empty() {
            room.arrives(name, bytes);
        }
    }
    room.take_in().await;
    let ledger = room.records().ledger().unwrap();
    let seen: u64 = ledger.iter().filter(|one| one.folder == "INBOX").map(|one| one.seen).sum();
    let there = messages.iter().filter(|(_, bytes)| !bytes.is_empty()).count();
    assert_eq!(seen, there as u64, "each has exactly one outcome: {ledger:?}");
    let set_aside: u64 = ledger.iter().map(|one| one.set_aside).sum();
    assert!(
        set_aside <= 1,
        "what is no message at all waits for a person; the others are decided: {set_aside}"
    );
}

/// Collections that are not ours to pass on: `SEND_TRIAGE_MAIL=FOLDER cargo test --test all badmail::whatever -- --nocapture`.
#[tokio::test(start_paused = true)]
async fn whatever_collection_of_mail_is_given_goes_through() {
    let Some(folder) = std::env::var_os("SEND_TRIAGE_MAIL") else { return };
    let mut folders = vec![PathBuf::from(folder)];
    let (room, mut messages, mut empty) = (Room::new(), 0, 0);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let failed = message::parse(&bytes, bytes.len()).defects.contains(&Defect::ParserFailed);
            assert!(!failed, "the parser panicked: {}", path.display());
            if bytes.is_empty() {
                empty += 1;
                continue;
            }
            messages += 1;
            room.arrives(&messages.to_string(), &bytes);
        }
    }
    room.take_in().await;
    let ledger = room.records().ledger().unwrap();
    let inbox = ledger.iter().find(|one| one.folder == "INBOX").unwrap();
    println!("{messages} messages ({empty} empty files): {inbox:?}");
    assert_eq!(inbox.seen, messages);
}

#[tokio::test(start_paused = true)]
async fn a_message_on_which_the_program_does_not_come_to_an_end_is_set_aside_with_its_deadline() {
    let room = Room::new();
    room.arrives("1", &letter(1));
    // No message is known that takes so long. To a program with no time at all, any is one.
    contained::allow(Duration::ZERO);
    room.take_in().await;
    let set_aside = room.records().set_aside().unwrap();
    assert_eq!(set_aside.len(), 1);
    let reason = set_aside[0].set_aside.as_deref().unwrap();
    assert!(reason.contains("did not end in time"), "{reason}");
    assert!(set_aside[0].due_on.is_some() && set_aside[0].subject == "Letter 1", "staff can find it");
    contained::allow(Duration::from_secs(60));
    room.arrives("2", &letter(2));
    room.take_in().await;
    let records = room.records();
    let cases = records.cases(&CaseFilter::default()).unwrap();
    assert_eq!((cases.len(), records.set_aside().unwrap().len()), (1, 1), "the next is read");
    let began = std::time::Instant::now();
    while contained::run_aways() > 0 {
        assert!(began.elapsed().as_secs() < 60, "the end of the work that was given up is not seen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_ended_the_program_three_times_is_set_aside_unread_and_the_others_go_on() {
    let room = Room::new();
    room.take_in().await;
    let uid_validity = room.records().mailbox("general", "INBOX").unwrap().unwrap().uid_validity;
    let at = MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity, uid: 1 };
    for _ in 0..MOST_STRIKES {
        // A process that ends says nothing of an end.
        std::mem::forget(room.records().strikes().reading(&at).unwrap());
    }
    room.arrives("1", &letter(1));
    room.arrives("2", &letter(2));
    room.take_in().await;
    let records = room.records();
    let set_aside = records.set_aside().unwrap();
    assert_eq!(set_aside.len(), 1);
    let reason = set_aside[0].set_aside.as_deref().unwrap();
    assert!(reason.contains("ended 3 times while it was reading this message"), "{reason}");
    assert!(set_aside[0].due_on.is_some() && set_aside[0].subject.starts_with("Letter"));
    assert_eq!(records.cases(&CaseFilter::default()).unwrap().len(), 1, "the other is answered");
}

/// What fuzzing found worth keeping; see docs/reliability.md.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<_> = files.map(|path| std::fs::read(path).unwrap()).collect();
    assert!(found.len() >= 10, "{target}: {}", found.len());
    found
}

#[test]
fn the_corpora_of_the_fuzz_targets_go_through() {
    type Target = fn(&[u8]);
    let targets: [(&str, Target); 5] = [
        ("decide", targets::decide),
        ("new_text", targets::new_text),
        ("rules", targets::rules),
        ("dates", targets::dates),
        ("imap", targets::imap),
    ];
    for (name, target) in targets {
        corpus(name).iter().for_each(|bytes| target(bytes));
    }
}
