//! Storms, in told time: more mail than anybody sends, machines that answer machines, two of us facing each other. The limits
//! hold, nothing is lost, everybody else is served, and people are told once.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::{self, Bells, InForce, World, in_force};
use send_triage::letter::Letter;
use send_triage::record::{CaseFilter, CaseRow, Records};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::support::fakes::{FakeCourier, FakeMailbox, Server, ToldClock};
use crate::support::few_rules::{self, FOR_ASSESSMENT, QUESTION};
use crate::support::quick_dir;

/// A Wednesday in term time.
const START: &str = "2026-11-18T10:00:00Z";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Until after the next morning's letter.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Which rules decide: a few that start in a moment, or those that come with the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    Few,
    Shipped,
}

/// One council with two mailboxes.
struct Council {
    dir: tempfile::TempDir,
    config: Config,
    in_force: InForce,
    clock: ToldClock,
    servers: BTreeMap<String, Rc<Server>>,
    couriers: BTreeMap<String, FakeCourier>,
}

impl Council {
    async fn new(domain: &str, rules: Rules) -> Self {
        let dir = quick_dir();
        let account = |name: &str| {
            format!(
                "  - name: {name}\n    address: send.{name}@{domain}\n    \
                 folder: {{path: {name}, kind: eml}}\n    outbox: out\n    sent_folders: []\n"
            )
        };
        let few = if rules == Rules::Few { "rules: rules\n" } else { "" };
        few_rules::write(&dir.path().join("rules"));
        let yaml = format!(
            "council: {{domain: {domain}}}\ndatabase: record.sqlite\n{few}accounts:\n{}{}queues:\n  \
             resolution: {{folder: Triage/Resolution}}\n  assessment: {{account: assessment, folder: Triage/Assessment}}\n  \
             annual-review-east: {{folder: Triage/East}}\n  annual-review-west: {{folder: Triage/West}}\n  \
             general: {{account: general, folder: Triage/General}}\nreminders: {{to: [{{address: lead@{domain}}}]}}\n",
            account("general"),
            account("assessment"),
        );
        let config = Config::parse(&yaml, "council.yaml", dir.path()).unwrap();
        let mut set = in_force::load(&config).unwrap();
        // Nobody edits these rules: without their folder nobody looks once a second whether somebody has.
        let config = Config { rules: None, ..config };
        set.config = Rc::new(config.clone());
        let names = ["general", "assessment"].map(str::to_owned);
        let mut council = Self {
            in_force: InForce::new(set),
            config,
            dir,
            clock: ToldClock::starting(START),
            servers: names.iter().map(|name| (name.clone(), Server::new())).collect(),
            couriers: names.iter().map(|name| (name.clone(), FakeCourier::default())).collect(),
        };
        council.run(MINUTE, |_| ()).await;
        council
    }

    /// Runs the daemon for so long; `each_second` is called with the seconds that have passed.
    async fn run(&mut self, how_long: Duration, mut each_second: impl FnMut(u64)) {
        let records = self.records();
        let (stop, stopped) = watch::channel(false);
        let world = World {
            config: &self.config,
            records: &records,
            clock: &self.clock,
            in_force: &self.in_force,
            bells: Bells::new(self.servers.keys().map(String::as_str)),
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
        let begun = Instant::now();
        let weather = async {
            for second in 0..how_long.as_secs() {
                each_second(second);
                sleep_until(begun + Duration::from_secs(second + 1)).await;
            }
        };
        let running = daemon::run(&world, &mut mailboxes, &mut self.couriers);
        tokio::pin!(running);
        tokio::select! {
            _ = &mut running => panic!("it ended by itself"),
            () = weather => {}
        }
        stop.send_replace(true);
        assert!(tokio::time::timeout(MINUTE, running).await.is_ok(), "it did not stop when asked to");
    }

    fn records(&self) -> Records {
        Records::open(&self.dir.path().join("record.sqlite")).unwrap()
    }

    fn cases(&self) -> Vec<CaseRow> {
        self.records().cases(&CaseFilter::default()).unwrap()
    }

    /// The letters to people outside.
    fn answers(&self) -> Vec<Letter> {
        let ours = format!("@{}", self.config.council.domain);
        let sent = self.couriers.values().flat_map(|courier| courier.sent.borrow().clone());
        sent.filter(|letter| !letter.envelope_to.ends_with(&ours)).collect()
    }

    /// How often somebody was answered.
    fn answered(&self, address: &str) -> usize {
        self.answers().iter().filter(|letter| letter.envelope_to == address).count()
    }

    /// The letters to the team's lead.
    fn told(&self) -> Vec<String> {
        let lead = format!("lead@{}", self.config.council.domain);
        let sent = self.couriers.values().flat_map(|courier| courier.sent.borrow().clone());
        sent.filter(|letter| letter.envelope_to == lead)
            .map(|letter| String::from_utf8_lossy(&letter.raw).into_owned())
            .collect()
    }

    fn filed(&self, folder: &str) -> usize {
        self.servers.values().map(|server| server.count(folder)).sum()
    }

    /// Nothing waits, nothing is left in an inbox, no UID is without an outcome.
    #[track_caller]
    fn is_settled(&self) {
        let records = self.records();
        records.integrity().unwrap();
        let standing = records.standing().unwrap();
        assert_eq!((standing.pending, standing.uncertain, standing.stuck), (0, 0, 0), "{standing:?}");
        assert_eq!(self.filed("INBOX"), 0);
        for ledger in records.ledger().unwrap() {
            assert!(ledger.gaps.is_empty(), "{ledger:?}");
        }
        // Whoever was not answered is on the list, with the reason and a date.
        for case in self.cases() {
            assert!(case.acknowledgement == "sent" || case.withheld.is_some(), "{}", case.subject);
            assert!(case.due_on.is_some(), "{}", case.subject);
        }
    }
}

fn letter(from: &str, to: &str, number: usize, headers: &str, words: &str) -> Vec<u8> {
    format!(
        "From: <{from}>\r\nTo: {to}\r\nSubject: Letter {number}.\r\nMessage-ID: <{number}.{from}>\r\n{headers}\r\n\
         Hello,\r\n\r\n{words} My number is {number}.\r\n\r\nAnna\r\n"
    )
    .into_bytes()
}

const GENERAL: &str = "send.general@council.example";
const ASSESSMENT: &str = "send.assessment@council.example";

/// Somebody writes to the other mailbox every ten minutes.
fn others_write(council: &Council) -> impl FnMut(u64) + use<> {
    let (server, clock) = (council.servers["assessment"].clone(), council.clock.clone());
    move |second| {
        if second % 600 == 30 {
            let number = usize::try_from(second).unwrap();
            let from = format!("other.{second}@elsewhere{second}.example");
            server.put("INBOX", &letter(&from, ASSESSMENT, number, "", FOR_ASSESSMENT), clock.now());
        }
    }
}

/// How many letters to people outside were planned in the fullest hour.
fn fullest_hour(council: &Council) -> usize {
    let record = rusqlite::Connection::open(council.dir.path().join("record.sqlite")).unwrap();
    let mut statement = record
        .prepare("SELECT planned_at FROM letters WHERE kind = 'acknowledge' ORDER BY planned_at")
        .unwrap();
    let times: Vec<i64> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let in_the_hour_from = |from: &i64| times.iter().filter(|at| (*from..from + 3600).contains(at)).count();
    times.iter().map(in_the_hour_from).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_messages_in_a_minute_are_all_filed_and_a_thousand_are_answered() {
    let mut council = Council::new("council.example", Rules::Few).await;
    let (server, clock) = (council.servers["general"].clone(), council.clock.clone());
    let mut others = others_write(&council);
    let mut filed_at = None;
    let began = std::time::Instant::now();
    council
        .run(A_DAY, |second| {
            for number in (0..10_000).filter(|number| number % 60 == second as usize) {
                let from = format!("parent.{number}@home{}.example", number % 2500);
                server.put("INBOX", &letter(&from, GENERAL, number, "", QUESTION), clock.now());
            }
            others(second);
            if filed_at.is_none() && second > 60 && server.count("INBOX") == 0 {
                filed_at = Some(second);
            }
        })
        .await;
    println!("10,000 in a minute: filed after {filed_at:?} told seconds; {:?} of real time", began.elapsed());
    council.is_settled();
    assert_eq!(council.cases().len(), 10_000 + 144);
    assert_eq!((council.filed("Triage/General"), council.filed("Triage/Assessment")), (10_000, 144));
    assert!(fullest_hour(&council) <= 1000, "{} in the fullest hour", fullest_hour(&council));
    let answered: Vec<_> = council.answers();
    let to_others = answered.iter().filter(|letter| letter.envelope_to.starts_with("other.")).count();
    assert!((1000..=1144).contains(&answered.len()), "{}", answered.len());
    assert!(to_others >= 144 - 7, "after the hour, everybody is answered again: {to_others}");
    // People are told once, in the morning's letter; not nine thousand times.
    let told = council.told();
    assert_eq!(told.len(), 1, "{}", told.join("\n\n"));
    assert!(told[0].contains("an hour allows"), "{}", told[0]);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_of_one_sender_get_ten_letters_a_day() {
    let mut council = Council::new("council.example", Rules::Few).await;
    let (server, clock) = (council.servers["general"].clone(), council.clock.clone());
    let mut others = others_write(&council);
    council
        .run(A_DAY, |second| {
            if second < 1000 {
                let number = usize::try_from(second).unwrap();
                // In every spelling: it is one person.
                let from = ["parent@home.example", "Parent@Home.Example"][number % 2];
                server.put("INBOX", &letter(from, GENERAL, number, "", QUESTION), clock.now());
            }
            others(second);
        })
        .await;
    council.is_settled();
    let to_parent = council
        .answers()
        .iter()
        .filter(|l| l.envelope_to.eq_ignore_ascii_case("parent@home.example"))
        .count();
    assert_eq!(to_parent, 10);
    assert_eq!(council.answers().len(), 10 + 144, "everybody else is answered");
    assert_eq!(council.filed("Triage/General"), 1000);
    let told = council.told();
    assert_eq!(told.len(), 1, "{}", told.join("\n\n"));
    assert!(told[0].contains("as many acknowledgements as a day allows"), "{}", told[0]);
}

/// A machine at `robot@office.example` that answers each of our letters at once.
fn robot(council: &mut Council, answer: impl Fn(usize, &str) -> String + 'static) {
    let (server, clock) = (council.servers["general"].clone(), council.clock.clone());
    let courier = council.couriers.get_mut("general").unwrap();
    let sent = courier.sent.clone();
    courier.when_taken = Some(Rc::new(move || {
        let letters = sent.borrow();
        let Some(ours) = letters.last().filter(|letter| letter.envelope_to == "robot@office.example") else {
            return;
        };
        let to_robot = letters.iter().filter(|letter| letter.envelope_to == ours.envelope_to).count();
        let text = String::from_utf8_lossy(&ours.raw);
        let id = ours.message_id.as_str();
        let subject = text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default();
        let reply = answer(to_robot, &format!("Re: {subject}")).replace("{id}", id);
        server.put("INBOX", reply.as_bytes(), clock.now());
    }));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_answers_us_without_saying_what_it_is_gets_ten_letters_at_most() {
    // Outlook's template replies and web desks carry no header that says so: headers are not enough.
    let mut council = Council::new("council.example", Rules::Few).await;
    robot(&mut council, |number, subject| {
        format!(
            "From: <robot@office.example>\r\nTo: {GENERAL}\r\nSubject: {subject} {number}\r\n\
             Message-ID: <r{number}@office.example>\r\n\r\nDear sender,\r\n\r\nyour letter {number} is with us.\r\n"
        )
    });
    let first = letter("robot@office.example", GENERAL, 0, "", QUESTION);
    council.servers["general"].put("INBOX", &first, council.clock.now());
    let mut others = others_write(&council);
    council.run(A_DAY, &mut others).await;
    council.is_settled();
    assert!(council.answered("robot@office.example") <= 10, "{}", council.answered("robot@office.example"));
    assert_eq!(council.answers().len() - council.answered("robot@office.example"), 144);
    assert!(council.told().len() <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_answers_as_machines_do_gets_one_letter() {
    let forms: [fn(usize, &str) -> String; 3] = [
        |n, subject| {
            format!(
                "From: <robot@office.example>\r\nTo: {GENERAL}\r\nSubject: {subject}\r\nMessage-ID: <r{n}@office.example>\r\n\
                 Auto-Submitted: auto-replied\r\n\r\nThank you, we have your letter.\r\n"
            )
        },
        |n, subject| {
            format!(
                "Return-Path: <>\r\nFrom: <robot@office.example>\r\nTo: {GENERAL}\r\nSubject: {subject}\r\n\
                 Message-ID: <r{n}@office.example>\r\n\r\nThank you, we have your letter.\r\n"
            )
        },
        // No header at all: by its words, in the rules that come with the program.
        |n, subject| {
            format!(
                "From: <robot@office.example>\r\nTo: {GENERAL}\r\nSubject: Automatic reply: {subject}\r\nIn-Reply-To: <{{id}}>\r\n\
                 Message-ID: <r{n}@office.example>\r\n\r\nI am out of the office until Monday.\r\n"
            )
        },
    ];
    for (form, rules) in forms.into_iter().zip([Rules::Few, Rules::Few, Rules::Shipped]) {
        let mut council = Council::new("council.example", rules).await;
        robot(&mut council, form);
        let first = letter("robot@office.example", GENERAL, 0, "", QUESTION);
        council.servers["general"].put("INBOX", &first, council.clock.now());
        council.run(2 * HOUR, |_| ()).await;
        assert_eq!(council.answered("robot@office.example"), 1);
        assert_eq!(council.cases().len(), 1, "an automatic reply opens no case");
        assert_eq!(council.filed("Triage/Automatic"), 1);
    }
}

/// What one council sends arrives at the other; `strip` is what gateways do to headers.
fn face(one: &mut Council, other: &Council, strip: bool) {
    let (server, clock) = (other.servers["general"].clone(), other.clock.clone());
    let there = format!("send.general@{}", other.config.council.domain);
    for courier in one.couriers.values_mut() {
        let (sent, server, clock, there) =
            (courier.sent.clone(), server.clone(), clock.clone(), there.clone());
        courier.when_taken = Some(Rc::new(move || {
            let letters = sent.borrow();
            let Some(ours) = letters.last().filter(|letter| letter.envelope_to == there) else { return };
            let text = String::from_utf8_lossy(&ours.raw).into_owned();
            let text = if strip {
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let telling =
                    ["auto-submitted", "precedence", "x-auto-response-suppress", "in-reply-to", "references"];
                let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
                let kept = unfolded.lines().filter(|line| {
                    let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
                    !telling.contains(&name.as_str())
                });
                format!("{}\r\n\r\n{body}", kept.collect::<Vec<_>>().join("\r\n"))
            } else {
                format!("Return-Path: <>\r\n{text}")
            };
            server.put("INBOX", text.as_bytes(), clock.now());
        }));
    }
}

#[tokio::test(start_paused = true)]
async fn two_of_us_facing_each_other_send_one_letter_each_at_most() {
    for (strip, rules, most) in [(false, Rules::Few, 1), (true, Rules::Shipped, 1), (true, Rules::Few, 10)] {
        let mut one = Council::new("council.example", rules).await;
        let mut other = Council::new("borough.example", rules).await;
        face(&mut one, &other, strip);
        face(&mut other, &one, strip);
        // A letter of the other's officer is forged, or written from the shared mailbox itself.
        let first = letter("send.general@borough.example", GENERAL, 1, "", QUESTION);
        one.servers["general"].put("INBOX", &first, one.clock.now());
        tokio::join!(one.run(6 * HOUR, |_| ()), other.run(6 * HOUR, |_| ()));
        let (ours, theirs) = (one.answers().len(), other.answers().len());
        println!("facing each other, stripped {strip}: {ours} and {theirs} letters");
        assert!(ours == 1 || strip, "the first is answered");
        assert!(ours <= most && theirs <= most, "stripped {strip}: {ours} and {theirs}");
        one.is_settled();
        other.is_settled();
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_bounces_is_filed_and_answers_nobody() {
    let mut council = Council::new("council.example", Rules::Few).await;
    let mut others = others_write(&council);
    let (server, clock) = (council.servers["general"].clone(), council.clock.clone());
    council
        .run(12 * HOUR, |second| {
            for number in 0..if second < 300 { 10 } else { 0 } {
                let number = second * 10 + number;
                // In three forms: a report, a report without a null path, and words with a null path only.
                let bounce = match number % 3 {
                    0 | 1 => format!(
                        "{}From: Mail Delivery System <MAILER-DAEMON@mx{}.example>\r\nTo: {GENERAL}\r\n\
                         Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <b{number}@mx.example>\r\nMIME-Version: 1.0\r\n\
                         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
                         Content-Type: text/plain\r\n\r\nI could not deliver it. {number}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
                         Final-Recipient: rfc822; x@home.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n",
                        if number % 3 == 0 { "Return-Path: <>\r\n" } else { "" },
                        number % 7
                    ),
                    _ => format!(
                        "Return-Path: <>\r\nFrom: <postmaster@mx{number}.example>\r\nTo: {GENERAL}\r\nSubject: failure notice\r\n\
                         Message-ID: <b{number}@mx.example>\r\n\r\nSorry, it did not work this time: {number}.\r\n"
                    ),
                };
                server.put("INBOX", bounce.as_bytes(), clock.now());
            }
            others(second);
        })
        .await;
    council.is_settled();
    assert_eq!(council.filed("Triage/Automatic"), 3000);
    assert_eq!(council.answers().len(), 72, "only the others are answered");
    assert_eq!(council.cases().len(), 72);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_replies_to_all_is_kept_within_limits_and_stops_nobody() {
    let mut council = Council::new("council.example", Rules::Few).await;
    let mut others = others_write(&council);
    let (server, clock) = (council.servers["general"].clone(), council.clock.clone());
    let everybody: Vec<_> = (0..40).map(|n| format!("governor.{n}@academy.example")).collect();
    let all = format!("{GENERAL}, {}", everybody.join(", "));
    council
        .run(A_DAY, |second| {
            // Each of forty writes fifteen times to all, and everybody's mail program quotes what went before.
            if second < 600 {
                let number = usize::try_from(second).unwrap();
                let headers = match number {
                    0 => String::new(),
                    n => format!("In-Reply-To: <{}.{}>\r\n", n - 1, everybody[(n - 1) % 40]),
                };
                let words = "Please take me off this list!";
                let raw = letter(&everybody[number % 40], &all, number, &headers, words);
                server.put("INBOX", &raw, clock.now());
            }
            others(second);
        })
        .await;
    council.is_settled();
    let to_governors: Vec<_> =
        council.answers().into_iter().filter(|l| l.envelope_to.ends_with("@academy.example")).collect();
    let most = everybody.iter().map(|governor| council.answered(governor)).max().unwrap();
    println!(
        "reply-all: {} letters, at most {most} to one, {} cases",
        to_governors.len(),
        council.cases().len() - 144
    );
    assert!(to_governors.len() <= 100, "{} in an hour to one domain", to_governors.len());
    assert!(most <= 10);
    // None of our letters goes to anybody but the one who wrote.
    for letter in &to_governors {
        let text = String::from_utf8_lossy(&letter.raw);
        let head = text.split("\r\n\r\n").next().unwrap();
        assert_eq!(everybody.iter().filter(|governor| head.contains(governor.as_str())).count(), 1, "{head}");
    }
    let answered_elsewhere = council.answers().len() - to_governors.len();
    assert_eq!(answered_elsewhere, 144, "everybody else is answered");
    assert_eq!(council.filed("Triage/General"), 600);
    assert!(council.told().len() <= 1);
    let first = council.clock.now() - TimeDelta::days(1) - TimeDelta::minutes(5);
    assert!(council.cases().iter().all(|case| case.received_at > first));
}
