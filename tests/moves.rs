//! What staff move from folder to folder, seen in rounds over folders on this machine.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::moves::Rounds;
use send_triage::daemon::{self, Bells, InForce, World, in_force, parts};
use send_triage::mailbox::Overview;
use send_triage::outbox::AnyCourier;
use send_triage::record::{CaseFilter, CaseRow, Records};
use tokio::sync::watch;

/// A time of day that a test sets.
struct Told(Cell<DateTime<Utc>>);

impl Clock for Told {
    fn now(&self) -> DateTime<Utc> {
        self.0.get()
    }
}

/// One mailbox in a folder, with everything that looks after it.
struct Desk {
    dir: tempfile::TempDir,
    config: Config,
    records: Records,
    clock: Told,
    in_force: InForce,
    stop: watch::Receiver<bool>,
    rounds: Rounds,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("general")).unwrap();
        let queues: String =
            ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"]
                .map(|queue| format!("  {queue}: {{folder: Triage/{queue}}}\n"))
                .concat();
        let text = format!(
            "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n  - {{name: general, address: send@council.example, folder: {{path: general, kind: eml}}, outbox: outbox}}\nqueues:\n{queues}alerts: {{to: [duty@council.example]}}\n"
        );
        let config = Config::parse(&text, "send-triage.yaml", dir.path()).unwrap();
        let records = Records::open(&config.database).unwrap();
        let in_force = InForce::new(in_force::load(&config).unwrap());
        let rounds =
            Rounds::new(Overview::of_all(&parts::accounts(&config, &parts::Shared::new(&config)).unwrap()));
        // A Saturday: what waits for working hours waits.
        let clock = Told(Cell::new("2026-11-21T10:00:00Z".parse().unwrap()));
        let (_, stop) = watch::channel(false);
        Self { dir, config, records, clock, in_force, stop, rounds }
    }

    /// Runs something in the daemon's world.
    async fn work(&mut self, look: bool) -> usize {
        let world = World {
            config: &self.config,
            records: &self.records,
            clock: &self.clock,
            in_force: &self.in_force,
            bells: Bells::new(["general"].into_iter()),
            stop: self.stop.clone(),
        };
        if look {
            self.clock.0.set(self.clock.0.get() + TimeDelta::minutes(5));
            return self.rounds.go(&world).await.unwrap();
        }
        let mut boxes = parts::mailboxes(&self.config, &parts::Shared::new(&self.config)).unwrap();
        let mut couriers: BTreeMap<String, AnyCourier> =
            parts::couriers(&self.config, &parts::Shared::new(&self.config)).unwrap();
        daemon::once(&world, &mut boxes, &mut couriers).await.unwrap();
        0
    }

    async fn look(&mut self) -> usize {
        self.work(true).await
    }

    /// A question comes in and is filed.
    async fn ask(&mut self, id: &str, body: &str) {
        let at = self.clock.0.get().to_rfc2822();
        let text = format!(
            "From: parent@home.example\r\nTo: send@council.example\r\nSubject: A question\r\nMessage-ID: <{id}@home.example>\r\nDate: {at}\r\n\r\n{body}\r\n"
        );
        fs::write(self.dir.path().join(format!("general/{id}.eml")), text).unwrap();
        self.work(false).await;
    }

    fn folder(&self, name: &str) -> PathBuf {
        let root = self.dir.path().join("general");
        if name.is_empty() { root } else { root.join(name) }
    }

    fn only_file(folder: &Path) -> PathBuf {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "eml")).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    fn drag(&self, from: &str, to: &str, copy: bool) {
        let file = Self::only_file(&self.folder(from));
        fs::create_dir_all(self.folder(to)).unwrap();
        let target = self.folder(to).join(file.file_name().unwrap());
        fs::copy(&file, target).unwrap();
        if !copy {
            fs::remove_file(file).unwrap();
        }
    }

    fn case(&self) -> CaseRow {
        self.records.cases(&CaseFilter::default()).unwrap().remove(0)
    }

    fn events(&self) -> Vec<String> {
        let case = self.case().reference;
        self.records.case(&case).unwrap().unwrap().events.into_iter().map(|event| event.what).collect()
    }
}

const QUESTION: &str = "Please can you tell me who our EHC coordinator is now?";
const PART_TIME: &str =
    "My son is on a part-time timetable. School only lets him in for two hours each morning.";

#[tokio::test]
async fn a_case_follows_its_message_and_a_copy_for_another_team_changes_nothing() {
    let mut desk = Desk::new();
    desk.ask("q1", QUESTION).await;
    assert_eq!(desk.look().await, 0, "it lies where it was filed");
    desk.drag("Triage/general", "Triage/assessment", true);
    assert_eq!(desk.look().await, 0);
    assert_eq!(desk.case().queue, "general");
    fs::remove_file(Desk::only_file(&desk.folder("Triage/general"))).unwrap();
    assert_eq!(desk.look().await, 1, "now it is gone from where it was");
    let case = desk.case();
    assert_eq!((case.queue.as_str(), case.state.as_str()), ("assessment", "open"));
    assert_eq!(desk.look().await, 0, "seen once, written down once");
    desk.drag("Triage/assessment", "", false);
    assert_eq!(
        (desk.look().await, desk.case().queue),
        (0, "assessment".to_owned()),
        "the inbox says nothing"
    );
}

#[tokio::test]
async fn an_alert_that_waits_is_dropped_with_the_urgency_and_written_anew_with_it() {
    let mut desk = Desk::new();
    desk.ask("u1", PART_TIME).await;
    let waiting = |desk: &Desk| desk.records.standing().unwrap().pending;
    assert_eq!(
        (desk.case().urgency.as_str(), waiting(&desk)),
        ("urgent", 0),
        "Monday's letter gathers what came in"
    );
    desk.drag("Triage/general/Urgent", "Triage/general", false);
    assert_eq!((desk.look().await, waiting(&desk)), (1, 0));
    assert_eq!((desk.case().urgency.as_str(), desk.case().first_response_on), ("standard", None));
    desk.drag("Triage/general", "Triage/general/Urgent", false);
    assert_eq!((desk.look().await, waiting(&desk)), (1, 1), "an alert of its own, which waits for Monday");
    assert!(desk.case().first_response_on.is_some());
    desk.drag("Triage/general/Urgent", "Triage/general", false);
    assert_eq!((desk.look().await, waiting(&desk)), (1, 0), "and is dropped with the urgency");
    assert_eq!(desk.events().iter().filter(|what| *what == "corrected").count(), 3);
}

#[tokio::test]
async fn no_persons_mail_closes_its_case_and_back_again_it_is_open_with_its_first_date() {
    let mut desk = Desk::new();
    desk.ask("q1", QUESTION).await;
    let due_on = desk.case().due_on;
    desk.drag("Triage/general", "Triage/Newsletters", false);
    assert_eq!((desk.look().await, desk.case().state.as_str()), (1, "closed"));
    desk.drag("Triage/Newsletters", "Triage/general", false);
    assert_eq!((desk.look().await, desk.case().state.as_str(), desk.case().due_on), (1, "open", due_on));
}

#[tokio::test]
async fn what_was_taken_for_automatic_mail_has_its_case_and_its_date_when_staff_say_it_is_a_persons() {
    let mut desk = Desk::new();
    let at = desk.clock.0.get().to_rfc2822();
    let text = format!(
        "From: parent@home.example\r\nTo: send@council.example\r\nSubject: Help\r\nMessage-ID: <a1@home.example>\r\nDate: {at}\r\nAuto-Submitted: auto-generated\r\nPrecedence: bulk\r\nList-Unsubscribe: <https://news.example/>\r\n\r\n{PART_TIME}\r\n"
    );
    fs::write(desk.dir.path().join("general/a1.eml"), text).unwrap();
    desk.work(false).await;
    assert!(desk.records.cases(&CaseFilter::default()).unwrap().is_empty());
    let from = ["Triage/Newsletters", "Triage/Automatic"]
        .into_iter()
        .find(|name| desk.folder(name).exists())
        .unwrap();
    let day_of_receipt = desk.clock.0.get();
    desk.drag(from, "Triage/general/Urgent", false);
    assert_eq!(desk.look().await, 1);
    let case = desk.case();
    assert_eq!(
        (case.state.as_str(), case.urgency.as_str(), case.queue.as_str()),
        ("open", "urgent", "general")
    );
    let days = (case.due_on.unwrap() - day_of_receipt.date_naive()).num_days();
    assert!((13..=20).contains(&days), "10 working days from its receipt, not from the move: {days}");
    assert!(case.first_response_on.is_some());
    assert_eq!(case.acknowledgement, "withheld");
    assert_eq!(desk.look().await, 0, "seen once, opened once");
    desk.drag("Triage/general/Urgent", from, false);
    assert_eq!((desk.look().await, desk.case().state.as_str()), (1, "closed"));
}

#[tokio::test]
async fn a_message_is_missing_after_two_whole_rounds_and_never_because_a_folder_was_not_read() {
    let mut desk = Desk::new();
    desk.ask("q1", QUESTION).await;
    desk.look().await;
    // The share with the mailbox is gone for some time.
    fs::rename(desk.folder(""), desk.dir.path().join("away")).unwrap();
    for _ in 0..4 {
        desk.look().await;
    }
    assert_eq!(desk.case().missing_since, None);
    fs::rename(desk.dir.path().join("away"), desk.folder("")).unwrap();
    desk.look().await;
    desk.drag("Triage/general", "Elsewhere", false);
    desk.look().await;
    assert_eq!(desk.case().missing_since, None, "it may be on its way");
    desk.look().await;
    assert!(desk.case().missing_since.is_some());
    assert_eq!(desk.case().state, "open");
    desk.look().await;
    desk.drag("Elsewhere", "Triage/general", false);
    desk.look().await;
    assert_eq!(desk.case().missing_since, None);
    assert_eq!(desk.events().iter().filter(|what| *what == "missing" || *what == "found").count(), 2);
}
