//! Changed rules while the daemon runs: all of a change in force within seconds, or none of it, and people are told.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::reading::Batch;
use send_triage::daemon::reload::{self, Asked};
use send_triage::daemon::{Bells, InForce, World, in_force, intake, kept, refusal};
use send_triage::mailbox::{Fetched, RawMessage};
use send_triage::message::MessageRef;
use send_triage::record::{CaseFilter, Records};
use tokio::sync::watch;

use crate::support::fakes::FakeCourier;

const START: &str = "2026-11-18T10:00:00Z";
const RULE: &str = "grounds:\n  - id: U1\n    title: Out of school\n    policy: p\n    when: [no school place]\n  - id: U2\n    title: Excluded\n    policy: p\n    when: [been excluded]\n";
const TOPICS: &str = "topics:\n  - {id: S1, title: t, policy: p, when: [annual review paperwork]}\n";

/// A clock set by hand.
struct Hand(Cell<DateTime<Utc>>);

impl Hand {
    fn at(time: &str) -> Self {
        Self(Cell::new(time.parse().unwrap()))
    }

    fn forward(&self, minutes: i64) {
        self.0.set(self.0.get() + chrono::TimeDelta::minutes(minutes));
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        self.0.get()
    }
}

struct Desk {
    dir: tempfile::TempDir,
    config: Config,
    records: Records,
}

impl Desk {
    fn new(alerts: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("rules")).unwrap();
        fs::write(dir.path().join("rules/urgent.yaml"), RULE).unwrap();
        fs::write(dir.path().join("rules/topics.yaml"), TOPICS).unwrap();
        fs::write(dir.path().join("send-triage.yaml"), settings(alerts, 10)).unwrap();
        let config = Config::load(&dir.path().join("send-triage.yaml")).unwrap();
        let records = Records::open(&config.database).unwrap();
        Self { dir, config, records }
    }

    fn rules(&self, file: &str) -> PathBuf {
        self.dir.path().join("rules").join(file)
    }

    fn in_force(&self) -> InForce {
        InForce::new(in_force::load(&self.config).unwrap())
            .configured_by(&self.dir.path().join("send-triage.yaml"))
    }

    fn world<'a, C>(&'a self, clock: &'a C, in_force: &'a InForce) -> (World<'a, C>, watch::Sender<bool>) {
        let (stop, stopped) = watch::channel(false);
        let accounts = self.config.accounts.iter().map(|account| account.name.as_str());
        let (config, records) = (&self.config, &self.records);
        (World { config, records, clock, in_force, bells: Bells::new(accounts), stop: stopped }, stop)
    }

    /// Changes something while the daemon's task looks on, and waits until the version in force is another, or so long.
    fn while_it_runs(
        &self,
        in_force: &InForce,
        change: impl FnOnce(&Path),
        at_most: Duration,
    ) -> Option<Duration> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock = Hand::at(START);
            let (world, stop) = self.world(&clock, in_force);
            let before = in_force.now().policy.rules.version().to_owned();
            let watching = reload::reload(&world);
            let acting = async {
                // The watcher has had its first look.
                tokio::time::sleep(Duration::from_millis(100)).await;
                change(self.dir.path());
                let began = Instant::now();
                let mut taken = None;
                while began.elapsed() < at_most && taken.is_none() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let changed =
                        in_force.now().policy.rules.version() != before || in_force.refusal().is_some();
                    taken = changed.then(|| began.elapsed());
                }
                stop.send_replace(true);
                taken
            };
            tokio::join!(watching, acting).1
        })
    }
}

fn settings(alerts: &str, days: u32) -> String {
    format!(
        "council: {{domain: council.example}}\ndatabase: record.sqlite\nrules: rules\naccounts:\n  - name: general\n    \
         address: send.general@council.example\n    folder: {{path: in, kind: eml}}\n    outbox: out\nqueues:\n  \
         resolution: {{folder: T/Resolution}}\n  assessment: {{folder: T/Assessment}}\n  annual-review-east: {{folder: T/East}}\n  \
         annual-review-west: {{folder: T/West}}\n  general: {{folder: T/General}}\n\
         deadlines: {{answer_within_working_days: {days}}}\nalerts: {alerts}\n"
    )
}

const OFFICER: &str = "{rules_to: [officer@council.example]}";
const FIVE_SECONDS: Duration = Duration::from_secs(5);
/// Where the time is not the point: a machine may be busy.
const A_WHILE: Duration = Duration::from_secs(60);

#[test]
fn a_rename_over_of_the_same_size_and_time_is_seen() {
    let desk = Desk::new("{}");
    let in_force = desk.in_force();
    let taken = desk.while_it_runs(
        &in_force,
        |_| {
            let file = desk.rules("urgent.yaml");
            let times = fs::metadata(&file).unwrap().modified().unwrap();
            let new = desk.rules(".urgent.yaml.swp");
            fs::write(&new, RULE.replace("no school place", "no school spots")).unwrap();
            fs::File::options().write(true).open(&new).unwrap().set_modified(times).unwrap();
            fs::rename(new, file).unwrap();
        },
        FIVE_SECONDS,
    );
    assert!(taken.is_some_and(|taken| taken < FIVE_SECONDS), "{taken:?}");
    assert!(in_force.refusal().is_none());
}

#[test]
fn several_files_are_taken_in_together_or_not_at_all() {
    let desk = Desk::new("{}");
    let in_force = desk.in_force();
    let both = |topics: &'static str| {
        move |root: &Path| {
            let urgent = RULE.replace("[no school place]", "[{all: [no school place, {rule: S2}]}]");
            fs::write(root.join("rules/urgent.yaml"), urgent).unwrap();
            fs::write(root.join("rules/topics.yaml"), topics).unwrap();
        }
    };
    let before = in_force.now().policy.rules.version().to_owned();
    desk.while_it_runs(&in_force, both("topics:\n  - {id: S2, title: t, policy: p, whn: [late]}\n"), A_WHILE)
        .unwrap();
    assert_eq!(in_force.now().policy.rules.version(), before, "the good half is not taken in");
    let told = fs::read_to_string(refusal::file(&desk.config)).unwrap();
    assert!(
        told.contains("Did you mean `when`?")
            && told.contains(&before)
            && told.contains("rules/topics.yaml:2"),
        "{told}"
    );
    let good = both("topics:\n  - {id: S2, title: t, policy: p, when: [review paperwork]}\n");
    let in_force = desk.in_force_again();
    desk.while_it_runs(&in_force, good, A_WHILE).unwrap();
    assert!(in_force.now().policy.rules.rules().iter().any(|rule| rule.id == "S2"));
    assert!(!refusal::file(&desk.config).exists(), "what is mended is no longer told");
    assert!(refusal::standing(&desk.config).is_none());
}

#[test]
fn a_file_that_is_still_being_copied_is_waited_for_or_refused() {
    let desk = Desk::new("{}");
    let in_force = desk.in_force();
    let file = desk.rules("urgent.yaml");
    // Half of it, cut at the end of a rule: good YAML, and a ground would be lost.
    let half = RULE.split("  - id: U2").next().unwrap();
    desk.while_it_runs(&in_force, |_| fs::write(&file, half).unwrap(), A_WHILE).unwrap();
    assert_eq!(in_force.now().policy.rules.rules().len(), 3, "the ground stays in force");
    assert!(in_force.refusal().is_some_and(|refusal| refusal.complaints.contains("a minute")));
    // A rule that is taken out of the middle is meant.
    let meant = RULE
        .replace("  - id: U1\n    title: Out of school\n    policy: p\n    when: [no school place]\n", "");
    desk.while_it_runs(&in_force, |_| fs::write(&file, meant).unwrap(), A_WHILE).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&file, RULE).unwrap();
    let in_force = desk.in_force();
    desk.while_it_runs(&in_force, |_| fs::write(&file, "").unwrap(), A_WHILE).unwrap();
    assert_eq!(in_force.now().policy.rules.rules().len(), 3, "an empty file takes no ground away");
    assert!(in_force.refusal().is_some_and(|refusal| refusal.complaints.contains("half copied")));
    // Windows gives a copied file its full length at once, filled with zeros.
    let mut zeros = RULE.as_bytes()[..60].to_vec();
    zeros.extend([0; 100]);
    desk.while_it_runs(&desk.in_force_again(), |_| fs::write(&file, &zeros).unwrap(), A_WHILE).unwrap();
    assert!(fs::read_to_string(refusal::file(&desk.config)).unwrap().contains("zero bytes"));
    // Asked for by name it is taken to be meant.
    fs::write(&file, "").unwrap();
    let clock = Hand::at(START);
    let (world, _stop) = desk.world(&clock, &in_force);
    reload::take_up(&world, &desk.config, Asked::Yes);
    assert_eq!(in_force.now().policy.rules.rules().len(), 1);
}

impl Desk {
    /// What was last good, whatever lies in the folder now.
    fn in_force_again(&self) -> InForce {
        let mut set = in_force::load(&Desk::new("{}").config).unwrap();
        set.config = std::rc::Rc::new(self.config.clone());
        InForce::new(set)
    }
}

#[test]
fn whoever_keeps_the_rules_is_mailed_once_for_each_refusal_that_lasts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = Desk::new(OFFICER);
    let in_force = desk.in_force();
    let clock = Hand::at(START);
    let (world, _stop) = desk.world(&clock, &in_force);
    let mut courier = FakeCourier::default();
    let mut round = |minutes: i64| {
        clock.forward(minutes);
        runtime.block_on(refusal::send_due("general", &mut courier, &world));
        courier.sent.borrow().len()
    };
    fs::write(desk.rules("urgent.yaml"), RULE.replace("when:", "whem:")).unwrap();
    reload::take_up(&world, &desk.config, Asked::No);
    assert_eq!(round(1), 0, "somebody may still be editing");
    assert_eq!(round(5), 1);
    reload::take_up(&world, &desk.config, Asked::No);
    assert_eq!(round(10), 1, "the same refusal is told once");
    fs::write(desk.rules("urgent.yaml"), RULE.replace("policy:", "polcy:")).unwrap();
    reload::take_up(&world, &desk.config, Asked::No);
    assert_eq!(round(6), 2, "another one is told");
    fs::write(desk.rules("urgent.yaml"), RULE.replace("title:", "titel:")).unwrap();
    reload::take_up(&world, &desk.config, Asked::No);
    fs::write(desk.rules("urgent.yaml"), RULE).unwrap();
    reload::take_up(&world, &desk.config, Asked::No);
    assert_eq!(round(60), 2, "what is mended at once is not told");
    let sent = courier.sent.borrow();
    let first = String::from_utf8_lossy(&sent[0].raw).replace("=\r\n", "");
    assert_eq!(sent[0].envelope_to, "officer@council.example");
    assert!(
        first.contains("Auto-Submitted: auto-generated") && first.contains("Did you mean `when`?"),
        "{first}"
    );
}

#[test]
fn outside_working_hours_the_officer_is_left_in_peace() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = Desk::new(OFFICER);
    let in_force = desk.in_force();
    let clock = Hand::at("2026-11-20T19:00:00Z");
    let (world, _stop) = desk.world(&clock, &in_force);
    let mut courier = FakeCourier::default();
    fs::write(desk.rules("urgent.yaml"), RULE.replace("when:", "whem:")).unwrap();
    reload::take_up(&world, &desk.config, Asked::No);
    clock.forward(60 * 24);
    runtime.block_on(refusal::send_due("general", &mut courier, &world));
    assert_eq!(courier.sent.borrow().len(), 0, "on Saturday");
    clock.forward(60 * 38 + 5);
    runtime.block_on(refusal::send_due("general", &mut courier, &world));
    assert_eq!(courier.sent.borrow().len(), 1, "on Monday morning");
}

#[test]
fn a_restart_with_broken_rules_goes_on_with_the_last_good_ones() {
    let desk = Desk::new("{}");
    let in_force = desk.in_force();
    let clock = Hand::at(START);
    let (world, _stop) = desk.world(&clock, &in_force);
    assert!(kept::load(&desk.config).is_none());
    reload::take_up(&world, &desk.config, Asked::No);
    fs::write(desk.rules("urgent.yaml"), "grounds: [").unwrap();
    assert!(in_force::load(&desk.config).is_err());
    let kept = kept::load(&desk.config).unwrap();
    assert_eq!(kept.policy.rules.version(), in_force.now().policy.rules.version());
}

#[test]
fn sighup_takes_the_settings_that_can_change_and_names_those_that_cannot() {
    let desk = Desk::new("{}");
    let changed =
        settings("{}", 5).replace("send.general@", "send.other@").replace("record.sqlite", "other.sqlite");
    let changed = Config::parse(&changed, "x.yaml", desk.dir.path()).unwrap();
    let (taken, left) = reload::reloadable(&desk.config, changed);
    assert_eq!(left, ["accounts", "database"]);
    assert_eq!(taken.deadlines.answer_within_working_days, 5);
    assert_eq!(taken.accounts[0].address, "send.general@council.example");
    assert_eq!(taken.database, desk.config.database);
    let in_force = desk.in_force();
    let clock = Hand::at(START);
    let (world, _stop) = desk.world(&clock, &in_force);
    reload::take_up(&world, &taken, Asked::Yes);
    assert_eq!(world.settings().deadlines.answer_within_working_days, 5);
    assert_eq!(in_force.now().policy.team.answer_within_working_days, 5);
}

/// Swaps the rules at a chosen question for the time, that is, in the middle of a batch.
struct Meddler<'a> {
    asked: Cell<u32>,
    at: u32,
    in_force: &'a InForce,
    set: RefCell<Option<in_force::Set>>,
}

impl Clock for Meddler<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() == self.at
            && let Some(set) = self.set.borrow_mut().take()
        {
            self.in_force.swap(set);
        }
        START.parse().unwrap()
    }
}

#[test]
fn no_message_is_decided_by_a_mixture_even_if_rules_change_in_the_middle_of_a_batch() {
    let desk = Desk::new("{}");
    let old = in_force::load(&desk.config).unwrap().policy.rules.version().to_owned();
    let mut changed = desk.config.clone();
    fs::create_dir(desk.dir.path().join("other")).unwrap();
    fs::write(desk.dir.path().join("other/urgent.yaml"), RULE.replace("U1", "U9")).unwrap();
    changed.rules = Some(desk.dir.path().join("other"));
    changed.acknowledgements.send = false;
    let new = in_force::load(&changed).unwrap().policy.rules.version().to_owned();
    let mut swapped = 0;
    for (round, at) in (1..40).step_by(3).enumerate() {
        let uid = u32::try_from(round * 10).unwrap();
        let in_force = InForce::new(in_force::load(&desk.config).unwrap());
        let set = RefCell::new(Some(in_force::load(&changed).unwrap()));
        let clock = Meddler { asked: Cell::new(0), at, in_force: &in_force, set };
        let (world, _stop) = desk.world(&clock, &in_force);
        if round == 0 {
            desk.records.take_into_use("general", "INBOX", 7, 0, START.parse().unwrap()).unwrap();
        }
        let message = |n: u32| {
            let bytes = parents_letter(uid + n);
            RawMessage {
                at: MessageRef {
                    account: "general".into(),
                    folder: "INBOX".into(),
                    uid_validity: 7,
                    uid: uid + n,
                },
                received_at: START.parse().unwrap(),
                size_bytes: bytes.len(),
                bytes,
            }
        };
        let fetched = Fetched {
            messages: (1..=5).map(message).collect(),
            unreadable: Vec::new(),
            up_to: uid + 5,
            uid_validity: 7,
        };
        intake::take_in(&Batch::begin(fetched, &world), "general", "INBOX", &world).unwrap();
        swapped += u32::from(in_force.now().policy.rules.version() == new);
        // Every message of the batch by the same version, whole: rules, wording, settings.
        for case in desk.records.cases(&CaseFilter::default()).unwrap() {
            let detail = desk.records.case(&case.reference).unwrap().unwrap();
            for message in &detail.messages {
                let decision = message.decision.as_ref().unwrap();
                assert_eq!(decision.rules_version, old, "at {at}");
            }
            assert!(case.grounds.iter().all(|ground| ground == "U1"), "{:?}", case.grounds);
            assert_eq!(case.withheld, None);
        }
    }
    assert!(swapped > 2, "the rules did change in the middle: {swapped}");
}

fn parents_letter(n: u32) -> Vec<u8> {
    format!(
        "From: Parent <parent.{n}@home{n}.example>\r\nTo: send.general@council.example\r\nSubject: Letter {n}.\r\n\
         Message-ID: <{n}@home.example>\r\nDate: Wed, 18 Nov 2026 10:00:00 +0000\r\n\r\nHello,\r\n\r\nHe has no school place.\r\n\r\nAnna\r\n"
    )
    .into_bytes()
}
