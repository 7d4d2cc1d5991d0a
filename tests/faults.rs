//! The daemon among servers that fail, in told time: what one account suffers stays its own, nothing is lost, nothing is
//! sent twice, and whatever cannot be done is listed for a person.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::{self, Bells, InForce, World, in_force};
use send_triage::mailbox::SENT;
use send_triage::record::{CaseFilter, Records};
use tokio::sync::watch;

use crate::support::fakes::{Answer, Chance, FakeCourier, FakeMailbox, Server, ToldClock};

/// A Wednesday in term time.
const START: &str = "2026-11-18T10:00:00Z";
const QUESTION: &str = "Please can you tell me who our EHC coordinator is now?";
const REQUEST: &str = "I would like to request an EHC needs assessment for my daughter.";
const MINUTE: Duration = Duration::from_secs(60);

/// Two accounts with their servers, and everything that outlives a crash.
struct Office {
    dir: tempfile::TempDir,
    config: Config,
    clock: ToldClock,
    servers: BTreeMap<String, Rc<Server>>,
    couriers: BTreeMap<String, FakeCourier>,
    watch: Vec<(String, String)>,
    in_force: InForce,
}

impl Office {
    fn new(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let account = |name: &str| {
            format!(
                "  - name: {name}\n    address: send.{name}@council.example\n    \
                 folder: {{path: {name}, kind: eml}}\n    outbox: out\n{settings}"
            )
        };
        let yaml = format!(
            "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n{}{}queues:\n  \
             resolution: {{folder: Triage/Resolution}}\n  \
             assessment: {{account: assessment, folder: Triage/Assessment}}\n  \
             annual-review-east: {{folder: Triage/East}}\n  annual-review-west: {{folder: Triage/West}}\n  \
             general: {{folder: Triage/General}}\n",
            account("general"),
            account("assessment"),
        );
        let names = ["general", "assessment"].map(str::to_owned);
        let config = Config::parse(&yaml, "office.yaml", dir.path()).unwrap();
        Self {
            in_force: InForce::new(in_force::load(&config).unwrap()),
            config,
            dir,
            clock: ToldClock::starting(START),
            servers: names.iter().map(|name| (name.clone(), Server::new())).collect(),
            couriers: names.iter().map(|name| (name.clone(), FakeCourier::default())).collect(),
            watch: names.map(|name| (name, "INBOX".to_owned())).to_vec(),
        }
    }

    fn let_acknowledgements_be_sent(&mut self, send: bool) {
        self.config.acknowledgements.send = send;
        self.in_force.swap(in_force::load(&self.config).unwrap());
    }

    fn records(&self) -> Records {
        Records::open(&self.dir.path().join("record.sqlite")).unwrap()
    }

    fn general(&self) -> &Server {
        &self.servers["general"]
    }

    fn assessment(&self) -> &Server {
        &self.servers["assessment"]
    }

    /// Runs the daemon for so long, asks it to stop, and gives it a minute for that.
    async fn run(&mut self, how_long: Duration) {
        assert!(self.run_and(how_long, Some(MINUTE)).await, "it did not stop when it was asked to");
    }

    /// The same, but killed in the end like a process by SIGKILL.
    async fn run_and_kill(&mut self, how_long: Duration) {
        self.run_and(how_long, None).await;
    }

    async fn run_and(&mut self, how_long: Duration, patience: Option<Duration>) -> bool {
        let records = self.records();
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
            .watch
            .iter()
            .map(|(account, folder)| FakeMailbox {
                account: account.clone(),
                folder: folder.clone(),
                server: self.servers[account].clone(),
                others: self.servers.clone(),
            })
            .collect();
        let running = daemon::run(&world, &mut mailboxes, &mut self.couriers);
        tokio::pin!(running);
        if tokio::time::timeout(how_long, &mut running).await.is_ok() {
            panic!("it ended by itself");
        }
        let Some(patience) = patience else { return false };
        stop.send_replace(true);
        tokio::time::timeout(patience, running).await.is_ok()
    }

    /// A letter from a parent arrives.
    fn arrives(&self, account: &str, number: u32, words: &str) {
        self.servers[account].put("INBOX", &parents_letter(account, number, words), self.clock.now());
    }

    fn letters_from(&self, account: &str) -> usize {
        self.couriers[account].sent.borrow().len()
    }
}

fn parents_letter(account: &str, number: u32, words: &str) -> Vec<u8> {
    format!(
        "From: Parent <parent.{number}@home.example>\r\nTo: send.{account}@council.example\r\n\
         Subject: Letter {number}.\r\nMessage-ID: <{number}@home.example>\r\n\
         Date: Wed, 18 Nov 2026 10:00:00 +0000\r\n\r\nHello,\r\n\r\n{words}\r\n\r\nAnna\r\n"
    )
    .into_bytes()
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_away_stops_neither_the_letters_nor_the_filing_of_another() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.assessment().is_away.set(true);
    for number in 1..=8 {
        office.arrives("general", number, REQUEST);
    }
    for number in 11..=14 {
        office.arrives("general", number, QUESTION);
    }
    office.run(2 * MINUTE).await;
    assert_eq!(office.general().folder("Triage/General").len(), 4);
    assert_eq!(office.letters_from("general"), 12);

    office.assessment().is_away.set(false);
    office.run(30 * MINUTE).await;
    assert_eq!(office.assessment().folder("Triage/Assessment").len(), 8);
    assert_eq!(office.general().folder("Triage/Passed on").len(), 8);
    assert!(office.general().folder("INBOX").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_on_to_an_account_that_is_dead_for_a_week_arrives_when_it_is_back() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.assessment().is_away.set(true);
    for number in 1..=5 {
        office.arrives("general", number, REQUEST);
    }
    let (week, server, records) =
        (7 * 24 * 60 * MINUTE, office.servers["assessment"].clone(), office.records());
    let back = async {
        tokio::time::sleep(week).await;
        assert_eq!(records.standing().unwrap().stuck, 5, "people are told that it is not filed");
        server.is_away.set(false);
    };
    tokio::join!(office.run(week + 15 * MINUTE), back);
    assert_eq!(office.assessment().folder("Triage/Assessment").len(), 5);
    assert_eq!(office.general().folder("Triage/Passed on").len(), 5);
    assert_eq!(office.records().standing().unwrap().stuck, 0);
    assert_eq!(office.letters_from("general"), 5, "acknowledged long ago");
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_may_not_be_written_keeps_nobody_else_waiting() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.general().forbidden.borrow_mut().insert("Triage/General".to_owned());
    for number in 1..=60 {
        office.arrives("general", number, QUESTION);
    }
    office.run(2 * MINUTE).await;
    office.arrives("general", 99, REQUEST);
    office.run(2 * MINUTE).await;
    assert_eq!(office.general().places_of("Letter 99."), ["Triage/Passed on"]);
    assert_eq!(office.letters_from("general"), 61, "acknowledged, though they cannot be filed");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_not_tried_until_the_account_is_locked() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    for number in 1..=20 {
        office.arrives("general", number, QUESTION);
    }
    let courier = office.couriers["general"].clone();
    courier.answers.borrow_mut().push(Answer::WrongPassword);
    office.run(60 * MINUTE).await;
    assert!(
        (2..=6).contains(&courier.attempts.get()),
        "{} logins to SMTP in an hour",
        courier.attempts.get()
    );

    office.general().refuses_login.set(true);
    office.run(60 * MINUTE).await;
    let refused = office.general().refused_logins.get();
    assert!((2..=6).contains(&refused), "{refused} logins to IMAP in an hour");

    // Mended after a long weekend: everything goes out by itself.
    office.run(4 * 24 * 60 * MINUTE).await;
    assert_eq!(office.records().standing().unwrap().stuck, 0);
    office.general().refuses_login.set(false);
    courier.answers.borrow_mut().clear();
    office.run(2 * 60 * MINUTE).await;
    assert_eq!(office.letters_from("general"), 20);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_is_not_asked_once_for_every_letter() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    for number in 1..=40 {
        office.arrives("general", number, QUESTION);
    }
    let courier = office.couriers["general"].clone();
    courier.answers.borrow_mut().push(Answer::Later);
    office.run(10 * MINUTE).await;
    assert!(courier.attempts.get() <= 20, "{} attempts in ten minutes", courier.attempts.get());
    courier.answers.borrow_mut().clear();
    office.run(2 * 60 * MINUTE).await;
    assert_eq!(office.letters_from("general"), 40);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_took_is_written_down_though_the_record_was_shut_for_a_moment() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.arrives("general", 1, QUESTION);
    let other = Rc::new(rusqlite::Connection::open(office.dir.path().join("record.sqlite")).unwrap());
    let shut = Rc::new(Cell::new(false));
    let (holder, held) = (other.clone(), shut.clone());
    office.couriers.get_mut("general").unwrap().when_taken = Some(Rc::new(move || {
        if !held.replace(true) {
            holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
    }));
    let release = async {
        while !shut.get() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        other.execute_batch("ROLLBACK").unwrap();
    };
    tokio::join!(office.run(10 * MINUTE), release);
    assert_eq!(office.letters_from("general"), 1);
    let case = office.records().cases(&CaseFilter::default()).unwrap().remove(0);
    assert_eq!(case.acknowledgement, "sent");
    assert_eq!(office.general().folder(SENT).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_letter_without_an_answer_is_looked_for_until_the_server_has_kept_its_copy() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.arrives("general", 1, QUESTION);
    office.couriers["general"].answers.borrow_mut().extend([Answer::TakenInSilence, Answer::Taken]);
    office.run(4 * MINUTE).await;
    let letter = office.couriers["general"].sent.borrow()[0].clone();
    assert_eq!(office.records().standing().unwrap().uncertain, 1);
    office.general().put(SENT, &letter.raw, office.clock.now());
    office.run(20 * MINUTE).await;
    assert_eq!(office.letters_from("general"), 1, "never sent again");
    let standing = office.records().standing().unwrap();
    assert_eq!((standing.uncertain, standing.stuck), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_never_found_is_set_before_a_person_and_not_sent_again() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.arrives("general", 1, QUESTION);
    office.couriers["general"].answers.borrow_mut().extend([Answer::LostInSilence, Answer::Taken]);
    office.run(40 * MINUTE).await;
    assert_eq!(office.letters_from("general"), 0);
    assert_eq!(office.records().standing().unwrap().stuck, 1);
}

#[tokio::test(start_paused = true)]
async fn the_switch_stops_new_acknowledgements_and_those_already_written() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.arrives("general", 1, QUESTION);
    office.couriers["general"].answers.borrow_mut().push(Answer::Later);
    office.run(MINUTE).await;
    office.couriers["general"].answers.borrow_mut().clear();
    office.let_acknowledgements_be_sent(false);
    office.arrives("general", 2, QUESTION);
    office.run(90 * MINUTE).await;
    assert_eq!(office.letters_from("general"), 0);
    let cases = office.records().cases(&CaseFilter::default()).unwrap();
    let withheld: Vec<_> = cases.iter().filter_map(|case| case.withheld.as_deref()).collect();
    assert_eq!(withheld, ["acknowledgements are switched off"]);
    assert!(cases.iter().all(|case| case.due_on.is_some()), "the deadline does not depend on it");

    office.let_acknowledgements_be_sent(true);
    office.run(90 * MINUTE).await;
    assert_eq!(office.letters_from("general"), 1, "what was held goes out");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_record_cannot_take_is_set_aside_alone() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    let raw = rusqlite::Connection::open(office.dir.path().join("record.sqlite")).unwrap();
    raw.execute_batch(
        "CREATE TRIGGER poison BEFORE INSERT ON cases
         WHEN (SELECT subject FROM messages WHERE id = NEW.opening_message) = 'Letter 2.'
         BEGIN SELECT RAISE(ABORT, 'poison'); END",
    )
    .unwrap();
    office.arrives("general", 1, QUESTION);
    office.arrives("general", 2, QUESTION);
    office.arrives("general", 3, QUESTION);
    office.run(5 * MINUTE).await;
    assert_eq!(office.letters_from("general"), 2);
    assert_eq!(office.records().standing().unwrap().set_aside, 1);
    // Alone in its batch as well.
    office.servers["assessment"].put("INBOX", &parents_letter("assessment", 2, REQUEST), office.clock.now());
    office.run(5 * MINUTE).await;
    office.arrives("assessment", 4, REQUEST);
    office.run(5 * MINUTE).await;
    assert_eq!(office.letters_from("assessment"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_staff_put_back_into_the_inbox_stays_there() {
    let mut office = Office::new("");
    office.run(MINUTE).await;
    office.arrives("general", 1, QUESTION);
    office.run(2 * MINUTE).await;
    let filed = office.general().take("Triage/General", "Letter 1.").unwrap();
    office.general().put("INBOX", &filed.bytes, filed.received_at);
    // Delivered a second time, it is a duplicate.
    office.general().put("INBOX", &filed.bytes, office.clock.now());
    office.run(5 * MINUTE).await;
    assert_eq!(office.general().places_of("Letter 1."), ["INBOX", "Triage/Duplicates"]);
    assert_eq!(office.letters_from("general"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_staff_sent_from_one_mailbox_to_another_is_not_hidden_as_a_duplicate() {
    let mut office = Office::new("");
    office.watch.insert(0, ("general".to_owned(), SENT.to_owned()));
    office.run(MINUTE).await;
    let memo = b"From: Staff <send.general@council.example>\r\nTo: send.assessment@council.example\r\n\
        Subject: Memo\r\nMessage-ID: <memo@council.example>\r\nDate: Wed, 18 Nov 2026 10:00:00 +0000\r\n\r\n\
        Please ring this family today.\r\n";
    office.general().put(SENT, memo, office.clock.now());
    office.run(2 * MINUTE).await;
    office.assessment().put("INBOX", memo, office.clock.now());
    office.run(2 * MINUTE).await;
    assert_eq!(office.assessment().places_of("Memo"), ["INBOX"]);
    assert_eq!(office.general().places_of("Memo"), [SENT]);
}

#[tokio::test(start_paused = true)]
async fn ignored_old_mail_stays_ignored_when_the_server_numbers_anew() {
    let mut office = Office::new("    existing: ignore\n");
    let before: DateTime<Utc> = office.clock.now() - TimeDelta::days(90);
    for number in 1..=30 {
        office.general().put("INBOX", &parents_letter("general", number, QUESTION), before);
    }
    office.run(MINUTE).await;
    office.general().uid_validity.set(8);
    office.run(MINUTE).await;
    assert_eq!(office.records().cases(&CaseFilter::default()).unwrap().len(), 0);
    assert_eq!(office.general().folder("INBOX").len(), 30);
    let ledger = office.records().ledger().unwrap();
    let general = ledger.iter().find(|mailbox| mailbox.account == "general").unwrap();
    assert_eq!((general.left_alone, general.gaps.len()), (30, 0));
}

/// Whatever fails and whenever the program is killed: every message is in one place, has one outcome, and its sender has
/// been answered once at most; who was not is listed.
#[tokio::test(start_paused = true)]
async fn whatever_fails_nothing_is_lost_and_nothing_is_sent_twice() {
    for seed in 0..4 {
        let chance = Rc::new(Chance::of_seed(seed));
        let mut office = Office::new("");
        office.run(MINUTE).await;
        for server in office.servers.values() {
            *server.unreliable.borrow_mut() = Some((chance.clone(), 6));
        }
        for courier in office.couriers.values_mut() {
            courier.chance = Some(chance.clone());
        }
        let mut number = 0;
        for _ in 0..8 {
            for _ in 0..chance.below(5) {
                number += 1;
                let account = ["general", "assessment"][usize::try_from(chance.below(2)).unwrap()];
                let words = [QUESTION, REQUEST][usize::try_from(chance.below(2)).unwrap()];
                office.arrives(account, number, words);
            }
            let how_long = Duration::from_millis(1 + chance.below(90_000));
            office.run_and_kill(how_long).await;
            if chance.below(4) == 0 {
                office.general().uid_validity.set(office.general().uid_validity.get() + 1);
            }
        }
        for server in office.servers.values() {
            *server.unreliable.borrow_mut() = None;
        }
        for courier in office.couriers.values_mut() {
            courier.chance = None;
        }
        office.run(5 * 60 * MINUTE).await;
        check(&office, seed, number);
    }
}

fn check(office: &Office, seed: u64, letters: u32) {
    let records = office.records();
    records.integrity().unwrap();
    let standing = records.standing().unwrap();
    assert_eq!((standing.pending, standing.uncertain), (0, 0), "seed {seed}: something is still to be done");
    let cases = records.cases(&CaseFilter::default()).unwrap();
    assert_eq!(cases.len(), letters as usize, "seed {seed}: one case for each letter");
    for ledger in records.ledger().unwrap() {
        assert!(ledger.gaps.is_empty(), "seed {seed}: {ledger:?}");
    }
    for number in 1..=letters {
        let subject = format!("Letter {number}.");
        let recipient = format!("parent.{number}@home.example");
        let sent: usize = office
            .couriers
            .values()
            .map(|courier| {
                courier.sent.borrow().iter().filter(|letter| letter.envelope_to == recipient).count()
            })
            .sum();
        let case = cases.iter().find(|case| case.subject == subject).unwrap();
        let as_listed = match case.acknowledgement.as_str() {
            "sent" => sent == 1,
            _ => sent <= 1,
        };
        assert!(as_listed, "seed {seed}, {subject} sent {sent} times, listed as {}", case.acknowledgement);
        let places: Vec<String> = office
            .servers
            .values()
            .flat_map(|server| server.places_of(&format!("Subject: {subject}")))
            .collect();
        let read_by_staff =
            places.iter().filter(|place| !["Triage/Passed on", "INBOX"].contains(&place.as_str())).count();
        assert_eq!(read_by_staff, 1, "seed {seed}, {subject} lies in {places:?}");
    }
    let unanswered = cases.iter().filter(|case| case.acknowledgement != "sent").count();
    assert!(unanswered as u64 <= standing.stuck, "seed {seed}: {unanswered} unanswered, {standing:?}");
}
