//! A record that is too large to be read through before the first look at the mailboxes: damage in it is found all the same, soon
//! after the start; the daemon then stops taking in and says so, and no command writes on.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use send_triage::daemon::{self, InForce, in_force, parts};
use send_triage::outbox::AnyCourier;
use send_triage::record::{CaseFilter, RecordError, Records};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::support::desk::{Desk, Mail};
use crate::support::fakes::ToldClock;
use crate::support::program::Program;

/// Above this, `record/upkeep.rs` does not check a file before it is used.
const LARGE: u64 = 32 << 20;
/// What docs/reliability.md promises for a record that is read in a moment.
const FOUND_WITHIN: Duration = Duration::from_secs(120);

/// Makes the record larger than that, with messages that were settled long ago.
fn grow(record: &Path) {
    let connection = Connection::open(record).unwrap();
    let mailbox: i64 = connection.query_row("SELECT min(id) FROM mailboxes", [], |row| row.get(0)).unwrap();
    for number in 0..40 {
        connection
            .execute(
                "INSERT INTO messages (mailbox_id, received_at, size_bytes, subject, entered_at)
                 VALUES (?1, ?2, 1, ?3, ?2)",
                rusqlite::params![mailbox, number, "x".repeat(1 << 20)],
            )
            .unwrap();
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    assert!(record.metadata().unwrap().len() > LARGE);
}

/// What a failing disk does: a page in the middle of the file, which no usual question reads, is no longer what it was.
fn damage(record: &Path) {
    let file = OpenOptions::new().write(true).open(record).unwrap();
    let page = record.metadata().unwrap().len() / 4096 / 2;
    file.write_all_at(&[0xAA; 4096], page * 4096).unwrap();
}

/// A desk with one case, in a large record.
fn large_desk() -> Desk {
    let desk = Desk::empty();
    desk.enter(&Mail::new("2026-11-09 10:00", "parent.a@inbox.example", "Who?"));
    grow(&desk.path());
    desk
}

fn command(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let done = Program::run(dir, &[arguments, &["--config", "c.yaml"]].concat());
    (done.code, done.stdout + &done.stderr)
}

#[test]
fn a_command_writes_into_a_whole_record_and_refuses_a_damaged_one_however_large() {
    let desk = large_desk();
    let dir = desk.path().parent().unwrap().to_owned();
    let case =
        Records::open_read_only(&desk.path()).unwrap().cases(&CaseFilter::default()).unwrap().remove(0);
    let reference = case.reference;
    let (code, said) = command(&dir, &["cases", "answer", &reference, "--by", "h.officer"]);
    assert_eq!(code, Some(0), "{said}");

    damage(&desk.path());
    let answer = ["cases", "reopen", &reference, "--by", "h.officer", "--why", "Told by mistake"];
    let (code, said) = command(&dir, &answer);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("the record is damaged") && said.contains("send-triage rebuild"), "{said}");
    let (code, said) = command(&dir, &["purge", "--address", "parent.a@inbox.example", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    let after =
        Records::open_read_only(&desk.path()).unwrap().cases(&CaseFilter::default()).unwrap().remove(0);
    assert_eq!(after.state, "answered", "nothing was written");
}

#[tokio::test(start_paused = true)]
async fn damage_in_a_large_record_stops_the_daemon_within_the_time_that_is_promised() {
    let desk = large_desk();
    damage(&desk.path());
    let dir = desk.path().parent().unwrap().to_owned();
    let text = fs::read_to_string(dir.join("c.yaml")).unwrap();
    let config = send_triage::config::Config::parse(&text, "c.yaml", &dir).unwrap();
    let records = Records::open(&desk.path()).unwrap();
    let in_force = InForce::new(in_force::load(&config).unwrap());
    let (_keep, stop) = watch::channel(false);
    let clock = ToldClock::starting("2026-11-18T10:00:00Z");
    let world = daemon::World {
        config: &config,
        records: &records,
        clock: &clock,
        in_force: &in_force,
        bells: daemon::Bells::new(config.accounts.iter().map(|account| account.name.as_str())),
        stop,
    };
    let shared = parts::Shared::new(&config);
    let mut mailboxes = parts::mailboxes(&config, &shared).unwrap();
    let mut couriers: BTreeMap<String, AnyCourier> = parts::couriers(&config, &shared).unwrap();
    let began = Instant::now();
    let ended = tokio::time::timeout(FOUND_WITHIN, daemon::run(&world, &mut mailboxes, &mut couriers)).await;
    let error =
        ended.expect("the damage was not found in time").expect_err("it goes on with a damaged record");
    assert!(error.to_string().contains("the record is damaged"), "{error}");
    println!("damage in a record of {} MB was found after {:?}", LARGE >> 20, began.elapsed());
}

#[test]
fn a_large_record_that_is_whole_is_worked_on() {
    let desk = large_desk();
    let records = Records::open(&desk.path()).unwrap();
    for table in records.to_be_checked().unwrap() {
        records.check_table(&table).unwrap();
    }
    damage(&desk.path());
    let found: Vec<_> = records
        .to_be_checked()
        .unwrap()
        .into_iter()
        .filter(|table| matches!(records.check_table(table), Err(RecordError::Corrupt { .. })))
        .collect();
    assert_eq!(found, ["messages"], "the table in which it is");
}
