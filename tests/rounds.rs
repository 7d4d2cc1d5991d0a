//! Letters to staff in told time: each once, at its time, never out of working hours, whatever is restarted (policy, email f
//! and h; escalations outside the protocol; telephone).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use mail_parser::MessageParser;
use send_triage::calendar::london;
use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::rounds::{self, Made};
use send_triage::daemon::{self, Bells, InForce, World, in_force};
use send_triage::letter::Letter;
use send_triage::record::{CaseFilter, Records};
use tokio::sync::watch;

use crate::support::fakes::{FakeCourier, FakeMailbox, Server};

/// A clock that says what it is told.
pub(crate) struct Told(pub(crate) Cell<DateTime<Utc>>);

impl Clock for Told {
    fn now(&self) -> DateTime<Utc> {
        self.0.get()
    }
}

/// A team in told time, over mailboxes and a courier that are not real.
pub(crate) struct Office {
    dir: tempfile::TempDir,
    pub(crate) config: Config,
    pub(crate) in_force: InForce,
    pub(crate) clock: Told,
    server: Rc<Server>,
    pub(crate) courier: FakeCourier,
    next_uid: Cell<u32>,
}

pub(crate) const QUESTION: &str = "Please can you tell me who our EHC coordinator is now?";
const PART_TIME: &str =
    "My son is on a part-time timetable. School only lets him in for two hours each morning.";
const ABUSE: &str =
    "You useless people. I know where you live and I will come and find you. You will regret this.";
const COMPLAINT: &str = "I wish to make a formal complaint about the SEND service. Nobody answers me.";

impl Office {
    pub(crate) fn new(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let yaml = format!(
            "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n  - name: general\n    \
             address: send.general@council.example\n    folder: {{path: general, kind: eml}}\n    outbox: out\n  \
             - name: resolution\n    address: resolution@council.example\n    \
             folder: {{path: resolution, kind: eml}}\n    outbox: out\nqueues:\n  \
             resolution: {{account: resolution, folder: Triage/Resolution}}\n  \
             assessment: {{folder: Triage/Assessment}}\n  annual-review-east: {{folder: Triage/East}}\n  \
             annual-review-west: {{folder: Triage/West}}\n  general: {{account: general, folder: Triage/General}}\n\
             deadlines: {{work_starts: \"08:00\"}}\n{settings}"
        );
        let config = Config::parse(&yaml, "office.yaml", dir.path()).unwrap();
        Self {
            in_force: InForce::new(in_force::load(&config).unwrap()),
            config,
            dir,
            clock: Told(Cell::new(DateTime::UNIX_EPOCH)),
            server: Server::new(),
            courier: FakeCourier::default(),
            next_uid: Cell::new(1),
        }
    }

    pub(crate) fn records(&self) -> Records {
        Records::open(&self.dir.path().join("record.sqlite")).unwrap()
    }

    pub(crate) fn set(&self, at: &str) {
        self.clock.0.set(at.parse().unwrap());
    }

    pub(crate) fn with<T>(&self, records: &Records, work: impl FnOnce(&World<'_, Told>) -> T) -> T {
        let (_keep, stop) = watch::channel(false);
        let world = World {
            config: &self.config,
            records,
            clock: &self.clock,
            in_force: &self.in_force,
            bells: Bells::new(self.config.accounts.iter().map(|account| account.name.as_str())),
            stop,
        };
        work(&world)
    }

    /// Starts, does everything that there is to do, and ends.
    pub(crate) async fn run_once(&mut self) {
        let records = self.records();
        let (_keep, stop) = watch::channel(false);
        let world = World {
            config: &self.config,
            records: &records,
            clock: &self.clock,
            in_force: &self.in_force,
            bells: Bells::new(self.config.accounts.iter().map(|account| account.name.as_str())),
            stop,
        };
        let others = BTreeMap::from([
            ("general".to_owned(), self.server.clone()),
            ("resolution".to_owned(), Server::new()),
        ]);
        let mut mailboxes = [FakeMailbox {
            account: "general".to_owned(),
            folder: "INBOX".to_owned(),
            server: self.server.clone(),
            others,
        }];
        let mut couriers = BTreeMap::from([("general".to_owned(), self.courier.clone())]);
        daemon::once(&world, &mut mailboxes, &mut couriers).await.unwrap();
    }

    pub(crate) fn put(&self, from: &str, words: &str) {
        let number = self.next_uid.replace(self.next_uid.get() + 1);
        let message = format!(
            "From: {from}\r\nTo: send.general@council.example\r\nSubject: Letter {number}.\r\n\
             Message-ID: <{number}@home.example>\r\nDate: Wed, 18 Nov 2026 10:00:00 +0000\r\n\r\nHello,\r\n\r\n{words}\r\n\r\nAnna\r\n"
        );
        self.server.put("INBOX", message.as_bytes(), self.clock.now());
    }

    /// A message arrives and is dealt with at this time.
    pub(crate) async fn arrives(&mut self, at: &str, from: &str, words: &str) {
        self.set(at);
        self.put(from, words);
        self.run_once().await;
    }

    /// The first look takes the mailbox into use.
    pub(crate) async fn taken_into_use(mut self, at: &str) -> Self {
        self.set(at);
        self.run_once().await;
        self
    }

    pub(crate) fn sent_to(&self, address: &str) -> Vec<Letter> {
        self.courier.sent.borrow().iter().filter(|letter| letter.envelope_to == address).cloned().collect()
    }
}

pub(crate) fn text_of(letter: &Letter) -> String {
    MessageParser::new().parse(&letter.raw).unwrap().body_text(0).unwrap().into_owned()
}

pub(crate) fn subject_of(letter: &Letter) -> String {
    MessageParser::new().parse(&letter.raw).unwrap().subject().unwrap().to_owned()
}

const LEAD: &str = "lead@council.example";
pub(crate) const PARENT: &str = "Parent <parent.1@home.example>";

#[tokio::test(start_paused = true)]
async fn the_daily_letter_goes_out_once_each_working_day_through_restarts_at_every_minute() {
    let settings = "reminders: {at: \"08:30\", to: [{address: lead@council.example}, {address: east@council.example, areas: [east]}]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-02-27T10:00:00Z").await;
    // Never answered: every morning there is something to say.
    office.arrives("2026-02-27T11:00:00Z", PARENT, QUESTION).await;
    let records = office.records();
    let calendar = office.in_force.now().policy.calendar.clone();
    let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
    let periods = [
        (day("2026-03-26"), day("2026-04-08")),
        (day("2026-10-22"), day("2026-10-28")),
        (day("2026-12-22"), day("2027-01-06")),
    ];
    let mut mornings = 0;
    for (from, until) in periods {
        for on in from.iter_days().take_while(|on| *on <= until) {
            let mut times = Vec::new();
            let midnight = london::instant(on, NaiveTime::MIN);
            // The minutes around half past eight one by one, the rest of the day by the quarter of an hour.
            for minute in (0..24 * 60).filter(|minute| minute % 15 == 0 || (8 * 60..9 * 60).contains(minute))
            {
                let now = midnight + TimeDelta::minutes(minute);
                office.clock.0.set(now);
                // Each is a start of its own: nothing is remembered but the record.
                let written =
                    office.with(&records, |world| rounds::make(world, &mut Made::default()).unwrap());
                times.extend((0..written).map(|_| now));
            }
            if calendar.is_working_day(on) {
                let half_past_eight = london::instant(on, "08:30:00".parse().unwrap());
                assert_eq!(times, [half_past_eight], "{on}: once, to the lead alone");
                mornings += 1;
            } else {
                assert!(times.is_empty(), "{on}: {times:?}");
            }
        }
    }
    assert!(mornings > 20, "{mornings}");
}

#[tokio::test(start_paused = true)]
async fn after_a_morning_that_was_missed_it_goes_out_the_same_day_and_never_after_work() {
    let settings = "reminders: {to: [{address: lead@council.example}]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-02T10:00:00Z").await;
    office.arrives("2026-11-02T11:00:00Z", PARENT, QUESTION).await;
    for (at, letters) in [
        ("2026-11-18T17:30:00Z", 0), // down until work had ended
        ("2026-11-19T07:59:00Z", 0),
        ("2026-11-19T14:12:00Z", 1), // down until the afternoon
        ("2026-11-19T15:00:00Z", 1),
        ("2026-11-19T08:45:00Z", 1), // the clock is put back
        ("2026-11-20T16:31:00Z", 1), // Friday, after work
        ("2026-11-22T09:00:00Z", 1), // Sunday
        ("2026-11-23T08:29:59Z", 1),
        ("2026-11-23T08:30:00Z", 2),
    ] {
        office.set(at);
        office.run_once().await;
        assert_eq!(office.sent_to(LEAD).len(), letters, "{at}");
    }
    let letter = office.sent_to(LEAD).pop().unwrap();
    assert_eq!(subject_of(&letter), "SEND cases, Monday 23 November 2026: 1 overdue, 1 in all");
    let text = text_of(&letter);
    assert!(text.contains("was due Mon 16 Nov 2026, 5 working days ago"), "{text}");
    assert!(!text.contains("parent.1") && !text.contains("Letter 1"), "nobody is named: {text}");
}

#[tokio::test(start_paused = true)]
async fn where_there_is_nothing_to_say_there_is_no_letter_and_none_later_that_day() {
    let settings = "reminders: {to: [{address: lead@council.example}, {address: west@council.example, queues: [annual-review-west]}]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-23T08:31:00Z").await;
    office.arrives("2026-11-23T10:00:00Z", PARENT, PART_TIME).await;
    office.set("2026-11-23T14:00:00Z");
    office.run_once().await;
    assert!(office.sent_to(LEAD).is_empty(), "the round of this day was made, with nothing to say");
    office.set("2026-11-24T08:30:00Z");
    office.run_once().await;
    let letter = office.sent_to(LEAD).remove(0);
    assert!(text_of(&letter).contains("Urgent, and nobody has responded"), "{}", text_of(&letter));
    assert!(office.sent_to("west@council.example").is_empty(), "not their team's");
}

#[tokio::test(start_paused = true)]
async fn people_without_an_acknowledgement_are_told_of_once_with_the_reason() {
    let settings = "acknowledgements: {send: false}\nreminders: {to: [{address: lead@council.example}]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-23T10:00:00Z").await;
    office.arrives("2026-11-23T11:00:00Z", PARENT, QUESTION).await;
    office.set("2026-11-24T08:30:00Z");
    office.run_once().await;
    let text = text_of(&office.sent_to(LEAD).remove(0));
    assert!(
        text.contains("Not acknowledged") && text.contains("acknowledgements are switched off"),
        "{text}"
    );
    let reference = office.records().cases(&CaseFilter::default()).unwrap().remove(0).reference;
    assert!(text.contains(&reference), "{text}");
    office.set("2026-11-25T08:30:00Z");
    office.run_once().await;
    assert_eq!(office.sent_to(LEAD).len(), 1, "told once, and nothing else to say");
}

#[tokio::test(start_paused = true)]
async fn a_long_list_is_cut_and_the_rest_counted() {
    let settings = "reminders: {to: [{address: lead@council.example}]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-02T10:00:00Z").await;
    office.set("2026-11-02T11:00:00Z");
    (0..62).for_each(|n| office.put(&format!("P <p{n}@home{n}.example>"), QUESTION));
    office.run_once().await;
    office.set("2026-11-23T08:30:00Z");
    office.run_once().await;
    let text = text_of(&office.sent_to(LEAD).remove(0));
    assert_eq!(text.matches("SEND-").count(), 50, "{text}");
    assert!(text.contains("and 12 more: send-triage cases list --overdue"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn urgent_mail_alerts_at_once_in_working_hours_and_is_gathered_after_them() {
    let duty = "duty@council.example";
    let mut office =
        Office::new("alerts: {to: [duty@council.example]}\n").taken_into_use("2026-11-20T10:00:00Z").await;
    office.arrives("2026-11-20T15:00:00Z", PARENT, PART_TIME).await;
    assert_eq!(office.sent_to(duty).len(), 1, "in working hours, at once");
    office.arrives("2026-11-20T18:00:00Z", "B <b@home.example>", PART_TIME).await;
    office.arrives("2026-11-21T12:00:00Z", "C <c@home.example>", PART_TIME).await;
    office.arrives("2026-11-22T12:00:00Z", "D <d@home.example>", QUESTION).await;
    assert_eq!(office.sent_to(duty).len(), 1);
    office.set("2026-11-23T08:00:00Z");
    office.run_once().await;
    office.run_once().await;
    let letters = office.sent_to(duty);
    assert_eq!(letters.len(), 2, "one letter for the weekend");
    assert_eq!(subject_of(&letters[1]), "2 urgent emails since work ended");
    assert_eq!(text_of(&letters[1]).matches("SEND-").count(), 2);
    office.set("2026-11-24T08:00:00Z");
    office.run_once().await;
    assert_eq!(office.sent_to(duty).len(), 2, "a quiet night");

    let settings = "alerts: {to: [duty@council.example], out_of_hours: true}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-20T10:00:00Z").await;
    office.arrives("2026-11-21T12:00:00Z", PARENT, PART_TIME).await;
    assert_eq!(office.sent_to(duty).len(), 1, "the operator wants to be told at any hour");
    office.set("2026-11-23T08:00:00Z");
    office.run_once().await;
    assert_eq!(office.sent_to(duty).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn email_h_abuse_is_referred_in_working_hours_without_its_words_and_acknowledged_like_anything_else() {
    let head = "head@council.example";
    let settings = "referrals: {to: [head@council.example]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-20T10:00:00Z").await;
    office.arrives("2026-11-21T12:00:00Z", PARENT, ABUSE).await;
    assert!(office.sent_to(head).is_empty(), "not at the weekend");
    let acknowledgement = office.sent_to("parent.1@home.example").remove(0);
    office.set("2026-11-23T08:00:00Z");
    office.run_once().await;
    office.run_once().await;
    let letters = office.sent_to(head);
    assert_eq!(letters.len(), 1);
    let text = text_of(&letters[0]);
    let reference = office.records().cases(&CaseFilter::default()).unwrap().remove(0).reference;
    for words in [reference.as_str(), "communication-policy, email h", "general, folder Triage/General"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("useless") && !text.contains("parent.1"), "{text}");

    // The same message where no rule knows of abuse: the same acknowledgement, byte for byte.
    let mut innocent = Office::new("");
    let mut files = in_force::built_in();
    files.rules.retain(|file| file.name != "leadership.yaml");
    innocent.in_force = InForce::new(in_force::compile(&innocent.config, &files).unwrap());
    let mut innocent = innocent.taken_into_use("2026-11-20T10:00:00Z").await;
    innocent.arrives("2026-11-21T12:00:00Z", PARENT, ABUSE).await;
    assert_eq!(innocent.sent_to("parent.1@home.example"), [acknowledgement]);

    let settings = "referrals: {to: [head@council.example], include_text: true}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-20T10:00:00Z").await;
    office.arrives("2026-11-23T12:00:00Z", PARENT, ABUSE).await;
    assert!(text_of(&office.sent_to(head)[0]).contains("> You useless people."));
}

#[tokio::test(start_paused = true)]
async fn the_resolution_team_is_told_once_of_a_case_with_the_senders_history() {
    let team = "resolution@council.example";
    let mut office = Office::new("").taken_into_use("2026-11-02T10:00:00Z").await;
    office.arrives("2026-11-03T12:00:00Z", PARENT, QUESTION).await;
    assert!(office.sent_to(team).is_empty());
    office.arrives("2026-11-20T18:00:00Z", PARENT, COMPLAINT).await;
    assert!(office.sent_to(team).is_empty(), "not out of working hours");
    office.set("2026-11-23T08:00:00Z");
    office.run_once().await;
    office.run_once().await;
    let letters = office.sent_to(team);
    assert_eq!(letters.len(), 1);
    let (text, cases) = (text_of(&letters[0]), office.records().cases(&CaseFilter::default()).unwrap());
    for words in [
        "First response by: Tuesday 24 November 2026",
        &cases[0].reference,
        &cases[1].reference,
        ": due Tuesday 17 November; not answered, overdue by 3 working days",
        "No, as far as is known.",
        "Next: step 2: the team lead",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("parent.1"), "{text}");

    let mut office = Office::new("resolution: {to: []}\n").taken_into_use("2026-11-02T10:00:00Z").await;
    office.arrives("2026-11-20T12:00:00Z", PARENT, COMPLAINT).await;
    assert!(office.sent_to(team).is_empty(), "nobody is to be told");
}

#[tokio::test(start_paused = true)]
async fn what_lay_there_before_the_mailbox_was_taken_into_use_is_told_of_to_nobody() {
    let settings = "alerts: {to: [duty@council.example]}\nreferrals: {to: [head@council.example]}\n";
    let office = Office::new(settings);
    office.set("2026-11-19T12:00:00Z");
    for words in [ABUSE, COMPLAINT, PART_TIME] {
        office.put(PARENT, words);
    }
    let mut office = office.taken_into_use("2026-11-20T10:00:00Z").await;
    for at in ["2026-11-20T10:01:00Z", "2026-11-23T09:00:00Z"] {
        office.set(at);
        office.run_once().await;
    }
    assert_eq!(office.courier.sent.borrow().len(), 0);
    assert_eq!(office.records().cases(&CaseFilter::default()).unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_back_that_the_centre_asks_for_is_a_case_of_five_working_days_and_not_acknowledged() {
    const CENTRE: &str = "CSC <csc@council.example>";
    let settings = "call_backs: {from: [CSC@council.example]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-20T10:00:00Z").await;
    let asked = "Call back requested by a parent on 01632 960 111 about the review.";
    office.arrives("2026-11-23T11:00:00Z", CENTRE, asked).await;
    office.arrives("2026-11-23T11:05:00Z", CENTRE, "The duty line is closed on Thursday afternoon.").await;
    office.arrives("2026-11-23T11:10:00Z", "Other <other@council.example>", asked).await;
    let urgent = "Callback required, please. The caller says her son has been permanently excluded and has no school place.";
    office.arrives("2026-11-23T11:15:00Z", CENTRE, urgent).await;
    let cases = office.records().cases(&CaseFilter::default()).unwrap();
    assert_eq!(cases.len(), 2, "not every word of the centre's, nor anybody's");
    for case in &cases {
        assert_eq!((case.matter.as_str(), case.due_on), ("call-back", "2026-11-30".parse().ok()));
        assert_eq!(case.acknowledgement, "withheld");
    }
    let urgencies: Vec<_> = cases.iter().map(|case| case.urgency.as_str()).collect();
    assert_eq!(urgencies, ["standard", "urgent"]);
    assert!(office.courier.sent.borrow().is_empty());
    assert_eq!(office.server.folder("Triage/General").len(), 1);
    assert_eq!(office.server.folder("Triage/General/Urgent").len(), 1);
    let kinds: Vec<_> = office.records().messages(9).unwrap().into_iter().map(|m| m.kind.unwrap()).collect();
    assert_eq!(kinds, ["internal"; 4], "staff's own mail all the same");
}

#[test]
fn a_day_has_its_morning_once_also_where_the_clock_changes() {
    let office = Office::new("");
    let set = office.in_force.now();
    let hours = send_triage::daemon::letters::working_hours(&office.config);
    let day = |at: &str| {
        let at: DateTime<Utc> = at.parse().unwrap();
        rounds::day_of(at, "08:30:00".parse().unwrap(), hours, &set.policy.calendar).map(|on| on.day())
    };
    assert_eq!(day("2026-03-27T08:30:00Z"), Some(27), "winter time");
    assert_eq!(day("2026-03-30T07:30:00Z"), Some(30), "summer time");
    assert_eq!(day("2026-03-30T07:29:59Z"), None);
    assert_eq!(day("2026-10-26T08:29:59Z"), None);
    assert_eq!(day("2026-10-26T08:30:00Z"), Some(26));
    assert_eq!(day("2026-12-28T09:00:00Z"), None, "the substitute day of Boxing Day");
}
