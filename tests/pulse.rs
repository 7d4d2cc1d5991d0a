//! The dead-man's switch: what is said of a daemon that works, of a mailbox that is away, of a task that hangs and of a process
//! that was killed; who is told, once; and the message to ourselves that must come round.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::health::Health;
use send_triage::daemon::{self, Bells, InForce, World, in_force, pulse};
use send_triage::record::Records;
use tokio::sync::watch;

use crate::support::fakes::{FakeCourier, FakeMailbox, Server, ToldClock};
use crate::support::program::Program;

const MINUTE: Duration = Duration::from_secs(60);
const QUARTER: TimeDelta = TimeDelta::minutes(15);

/// Two accounts; the person who looks after the program is told of stalls; `general` writes to itself every hour.
struct Office {
    dir: tempfile::TempDir,
    config: Config,
    clock: ToldClock,
    in_force: InForce,
    servers: BTreeMap<String, Rc<Server>>,
    couriers: BTreeMap<String, FakeCourier>,
}

fn yaml(health: &str) -> String {
    let account = |name: &str| {
        format!(
            "  - name: {name}\n    address: send.{name}@council.example\n    \
             imap: {{host: localhost, security: plain, password: {{env: NONE}}}}\n    \
             smtp: {{host: localhost, security: plain}}\n"
        )
    };
    format!(
        "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n{}{}queues:\n  \
         resolution: {{folder: Triage/Resolution}}\n  assessment: {{folder: Triage/Assessment}}\n  \
         annual-review-east: {{folder: Triage/East}}\n  annual-review-west: {{folder: Triage/West}}\n  \
         general: {{folder: Triage/General}}\nhealth: {health}\n",
        account("general"),
        account("assessment"),
    )
}

impl Office {
    /// On a Wednesday in working hours.
    fn new(health: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::parse(&yaml(health), "office.yaml", dir.path()).unwrap();
        let names = ["general", "assessment"].map(str::to_owned);
        Self {
            in_force: InForce::new(in_force::load(&config).unwrap()),
            config,
            dir,
            clock: ToldClock::starting("2026-11-18T10:00:00Z"),
            servers: names.iter().map(|name| (name.clone(), Server::new())).collect(),
            couriers: names.iter().map(|name| (name.clone(), FakeCourier::default())).collect(),
        }
    }

    /// The daemon with its pulse for so long; then it is asked to stop, or killed.
    async fn run(&mut self, how_long: Duration, killed: bool) {
        let records = Records::open(&self.dir.path().join("record.sqlite")).unwrap();
        let (stop, stopped) = watch::channel(false);
        let world = World {
            config: &self.config,
            records: &records,
            clock: &self.clock,
            in_force: &self.in_force,
            bells: Bells::new(self.config.accounts.iter().map(|account| account.name.as_str())),
            stop: stopped,
        };
        let mut mailboxes: Vec<FakeMailbox> = self
            .servers
            .iter()
            .map(|(account, server)| FakeMailbox {
                account: account.clone(),
                folder: "INBOX".to_owned(),
                server: server.clone(),
                others: self.servers.clone(),
            })
            .collect();
        let both = async {
            tokio::join!(daemon::run(&world, &mut mailboxes, &mut self.couriers), pulse::keep(&world))
        };
        tokio::pin!(both);
        assert!(tokio::time::timeout(how_long, &mut both).await.is_err(), "it ended by itself");
        if !killed {
            stop.send_replace(true);
            tokio::time::timeout(MINUTE, both).await.unwrap().0.unwrap();
        }
    }

    fn stalls(&self) -> Vec<String> {
        let health = Health::read(&self.config.health_file()).unwrap();
        let ailments = health.ailments(self.clock.now(), QUARTER).into_iter();
        ailments.filter(|one| one.stall).map(|one| one.text).collect()
    }

    fn letters(&self, from: &str) -> Vec<String> {
        let sent = self.couriers[from].sent.borrow();
        sent.iter().map(|letter| String::from_utf8_lossy(&letter.raw).into_owned()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_works_says_so_and_one_that_was_killed_is_found_out_within_a_quarter_of_an_hour() {
    let mut office = Office::new("{}");
    office.run(10 * MINUTE, true).await;
    assert_eq!(office.stalls(), Vec::<String>::new());
    tokio::time::sleep(16 * MINUTE).await;
    assert!(office.stalls().concat().contains("It has died or hangs"), "{:?}", office.stalls());
    office.run(10 * MINUTE, false).await;
    assert!(office.stalls().concat().contains("It was stopped"), "{:?}", office.stalls());
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_after_it_is_told_once_of_a_mailbox_that_is_away_by_one_that_is_not() {
    let mut office = Office::new("{to: [systems@council.example]}");
    office.run(10 * MINUTE, true).await;
    office.servers["general"].is_away.set(true);
    office.run(14 * MINUTE, true).await;
    assert_eq!(office.letters("assessment").len(), 0, "a restart of the server is no stall");
    // A restart of our own begins the quarter of an hour anew, and tells nothing twice.
    office.run(40 * MINUTE, true).await;
    assert!(office.stalls().concat().contains("The folder INBOX of general was last reached"));
    office.run(40 * MINUTE, true).await;
    let told = office.letters("assessment");
    let about_it =
        |letter: &&String| letter.contains("Subject: The mailbox general is not being looked after");
    assert_eq!(told.iter().filter(about_it).count(), told.len());
    assert!(
        (1..=2).contains(&told.len()),
        "once for each time the program itself began to wait: {}",
        told.len()
    );
    assert!(told[0].contains("To: systems@council.example"));
    assert_eq!(office.letters("general").len(), 0);

    office.servers["general"].is_away.set(false);
    office.run(10 * MINUTE, true).await;
    assert_eq!(office.stalls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_hangs_is_told_apart_from_a_server_that_is_away() {
    let mut office = Office::new("{}");
    office.servers["general"].is_away.set(true);
    let records = Records::open(&office.dir.path().join("record.sqlite")).unwrap();
    let (_keep, stopped) = watch::channel(false);
    let world = World {
        config: &office.config,
        records: &records,
        clock: &office.clock,
        in_force: &office.in_force,
        bells: Bells::new(["general", "assessment"].into_iter()),
        stop: stopped,
    };
    let started_at = office.clock.now();
    for _ in 0..6 {
        tokio::time::sleep(10 * MINUTE).await;
        for account in ["general", "assessment"] {
            world.bells.turned(account, "INBOX", office.clock.now());
        }
        assert!(pulse::beat(&world, started_at).unwrap(), "turns that end in an error are turns");
    }
    for minutes in 1..=40 {
        tokio::time::sleep(MINUTE).await;
        world.bells.turned("assessment", "INBOX", office.clock.now());
        assert_eq!(pulse::beat(&world, started_at).unwrap(), minutes <= 30, "after {minutes} minutes");
    }
    office.couriers.clear();
}

#[tokio::test(start_paused = true)]
async fn a_message_to_ourselves_comes_round_or_is_missed() {
    let mut office = Office::new(
        "{to: [systems@council.example], canary: {account: general, every_hours: 1, within_minutes: 20}}",
    );
    let (inbox, sent) = (office.servers["general"].clone(), office.couriers["general"].sent.clone());
    let deliver: Rc<dyn Fn()> = Rc::new(move || {
        let raw = sent.borrow().last().unwrap().raw.clone();
        inbox.put("INBOX", &raw, Utc::now());
    });
    office.couriers.get_mut("general").unwrap().when_taken = Some(deliver);
    office.run(150 * MINUTE, true).await;
    let letters = office.letters("general");
    assert_eq!(letters.len(), 3, "at the start and each hour");
    assert!(
        letters[0].contains("To: send.general@council.example") && letters[0].contains("Nobody needs to do")
    );
    assert_eq!(office.stalls(), Vec::<String>::new());
    let records = Records::open(&office.dir.path().join("record.sqlite")).unwrap();
    assert_eq!(records.standing().unwrap().open_cases, 0, "it is no message that anybody must answer");
    assert_eq!(office.servers["general"].count("INBOX"), 0, "staff do not find one every hour");

    // The server takes it and delivers nothing.
    office.couriers.get_mut("general").unwrap().when_taken = None;
    office.run(52 * MINUTE, true).await;
    assert!(office.stalls().concat().contains("has not come back"), "{:?}", office.stalls());
    // Whoever looks after it is told once, by an account that does not write into the void.
    let told = office.letters("assessment");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Subject: Mail of the mailbox general does not come round"), "{}", told[0]);
    assert!(told[0].contains("To: systems@council.example"));
}

#[test]
fn the_command_ends_with_3_where_something_stands_still() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("c.yaml"), yaml("{}")).unwrap();
    let health =
        |format: &str| Program::run(dir.path(), &["health", "--config", "c.yaml", "--format", format]);
    let never = health("text");
    assert_eq!(never.code, Some(3));
    assert!(never.stderr.contains("has never run with this configuration"), "{}", never.stderr);

    let write = |ago: TimeDelta| {
        let at = Utc::now() - ago;
        let folder = serde_json::json!({"account": "general", "folder": "INBOX", "last_seen_at": at});
        let health = serde_json::json!({
            "written_at": at, "started_at": at - TimeDelta::hours(3), "stopped_at": null, "process": 1,
            "program": "0.1.0", "rules": "abc", "rules_refused": false, "folders": [folder], "canary": null,
            "pending": 0, "uncertain": 0, "stuck": 2, "set_aside": 0
        });
        std::fs::write(dir.path().join("health.json"), health.to_string()).unwrap();
    };
    write(TimeDelta::seconds(20));
    let well = health("text");
    assert_eq!(well.code, Some(0), "{}", well.stderr);
    assert!(
        well.stdout.contains("waiting  2 things could not be done")
            && well.stdout.contains("ok       1 folder")
    );
    write(TimeDelta::minutes(17));
    let dead = health("json");
    assert_eq!(dead.code, Some(3));
    let said: serde_json::Value = serde_json::from_str(dead.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((said["ok"].as_bool(), said["stalls"].as_array().unwrap().len()), (Some(false), 1));
}
