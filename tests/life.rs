//! Random lives of cases through the record: whatever order facts are learnt in, however often, and with restarts in between, a
//! case stands the same, none is lost, no day moves without an event that says why, and the audit alone explains how it stands.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use send_triage::case::life::Act;
use send_triage::case::{Correction, Fact, Happening, Matter, Reference, Standing, Step};
use send_triage::message::{Fingerprint, MessageRef};
use send_triage::record::{
    Acted, Batch, CaseFilter, CasePart, CaseRow, Deed, EnteredAs, Entry, EntryOutcome, NewCorrection,
    NewFact, Opening, Records, Role, StoredDecision, StoredDue,
};

/// How many cases there are.
const CASES: usize = 3;

fn start() -> DateTime<Utc> {
    "2026-11-02T09:00:00Z".parse().unwrap()
}

fn day(n: i64) -> NaiveDate {
    start().date_naive() + TimeDelta::days(n)
}

/// Something that mail tells of one case, so many days after it came in.
#[derive(Debug, Clone)]
struct News {
    case: usize,
    on: i64,
    what: u8,
    more: i64,
    /// It comes as a message that joins; else it is told by its key.
    by_mail: bool,
}

impl News {
    fn fact(&self) -> (Role, Fact) {
        let later = day(self.on + self.more);
        match self.what {
            0 | 1 => {
                let reopened_due_on = later + TimeDelta::days(6);
                (Role::Chaser, Fact::Chased { escalated_due_on: later, reopened_due_on })
            }
            2 | 3 => (Role::Answer, Fact::Answered),
            4 => (Role::HoldingReply, Fact::HeldOver { until: later }),
            5 => (Role::PassedOn, Fact::PassedOn { to: vec!["transport@hertfordshire.example".into()] }),
            6 => (Role::Thanks, Fact::Thanked),
            7 => (Role::Addition, Fact::Escalated { step: Step::SeniorManager, due_on: later }),
            8 => (Role::Addition, Fact::Missing),
            9 => (Role::Addition, Fact::Found),
            _ => (Role::Addition, Fact::Added),
        }
    }
}

fn news() -> impl Strategy<Value = Vec<News>> {
    let one = (0..CASES, 0i64..60, 0u8..11, 1i64..40, any::<bool>())
        .prop_map(|(case, on, what, more, by_mail)| News { case, on, what, more, by_mail });
    prop::collection::vec(one, 0..14)
}

/// A record, which can be closed and opened again, and what is known outside of it.
struct Office<'a> {
    path: &'a Path,
    records: Option<Records>,
    next_uid: u32,
    now: DateTime<Utc>,
    numbers: Vec<Option<i64>>,
}

impl<'a> Office<'a> {
    fn new(path: &'a Path) -> Self {
        let records = Records::open(path).unwrap();
        records.take_into_use("general", "INBOX", 1, 0, start()).unwrap();
        let now = start() + TimeDelta::days(100);
        Self { path, records: Some(records), next_uid: 1, now, numbers: vec![None; CASES] }
    }

    fn records(&self) -> &Records {
        self.records.as_ref().unwrap()
    }

    fn restart(&mut self) {
        self.records = None;
        self.records = Some(Records::open(self.path).unwrap());
    }

    /// Takes in message `id`, which may have come before.
    fn enter(&mut self, id: u64, received_at: DateTime<Utc>, case: CasePart) -> EnteredAs {
        let mut fingerprint = Fingerprint::default();
        fingerprint.0[..8].copy_from_slice(&(id + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        let uid = self.next_uid;
        self.next_uid += 1;
        let entry = Entry {
            words: None,
            at: MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity: 1, uid },
            received_at,
            size_bytes: 100,
            fingerprint: Some(fingerprint),
            message_id: None,
            in_reply_to: Vec::new(),
            references: Vec::new(),
            sender: Some("parent@home.example".into()),
            sender_domain: Some("home.example".into()),
            subject: String::new(),
            participants: Vec::new(),
            outcome: EntryOutcome::Decided {
                decision: Box::new(StoredDecision {
                    kind: "person".into(),
                    urgency: "standard".into(),
                    queue: "general".into(),
                    area: "unknown".into(),
                    ..StoredDecision::default()
                }),
                case,
                effects: Vec::new(),
            },
        };
        let batch = Batch {
            account: "general".into(),
            folder: "INBOX".into(),
            uid_validity: 1,
            up_to: uid,
            at: self.now,
            entries: vec![entry],
        };
        self.now += TimeDelta::minutes(1);
        let entered = self.records().enter(&batch).unwrap().remove(0).what;
        // Again, as after a crash before the caller heard of it.
        assert_eq!(self.records().enter(&batch).unwrap()[0].what, EnteredAs::Already);
        entered
    }

    /// The number of this case, which is opened if it is not yet.
    fn case(&mut self, case: usize) -> i64 {
        if let Some(number) = self.numbers[case] {
            return number;
        }
        let mut fingerprint = Fingerprint::default();
        fingerprint.0[0] = u8::try_from(case).unwrap() + 1;
        let received_at = start() + TimeDelta::seconds(i64::try_from(case).unwrap());
        let due = StoredDue {
            day_zero: received_at.date_naive(),
            due_on: day(14),
            first_response_on: None,
            skipped: Vec::new(),
        };
        let opening = Opening {
            reference: Reference::of(&fingerprint, 0),
            matter: Matter::Question,
            due,
            step: Step::Coordinator,
            step_due_on: None,
            links: Vec::new(),
        };
        let id = u64::try_from(case).unwrap();
        let entered = self.enter(id, received_at, CasePart::Opens(Box::new(opening)));
        let EnteredAs::New { case: Some(number), .. } = entered else { panic!("{entered:?}") };
        self.numbers[case] = Some(number);
        number
    }

    /// Learns of this, perhaps not for the first time.
    fn learn(&mut self, id: usize, news: &News) {
        let number = self.case(news.case);
        // No two things happen in the same second.
        let at = start() + TimeDelta::days(news.on) + TimeDelta::seconds(100 + i64::try_from(id).unwrap());
        let (role, fact) = news.fact();
        if news.by_mail {
            let id = 1000 + u64::try_from(id).unwrap();
            self.enter(id, at, CasePart::Joins { case: number, role, facts: vec![fact] });
        } else {
            let (by, why) = ("send-triage".to_owned(), String::new());
            let key = Some(format!("news/{id}"));
            let fact = NewFact { case: number, key, at, by, message: None, fact, why };
            self.records().tell(std::slice::from_ref(&fact), self.now).unwrap();
            self.records().tell(&[fact], self.now).unwrap();
        }
    }

    fn rows(&self) -> Vec<CaseRow> {
        self.records().cases(&CaseFilter::default()).unwrap()
    }

    /// What holds at any time.
    fn holds(&self) {
        let rows = self.rows();
        let known: Vec<i64> = self.numbers.iter().copied().flatten().collect();
        assert_eq!(rows.len(), known.len(), "no case is lost");
        for row in &rows {
            let detail = self.records().case(&row.reference).unwrap().unwrap();
            let standings = known.iter().map(|case| self.records().standing_of(*case).unwrap().unwrap());
            assert!(
                standings.into_iter().any(|standing| standing == row.standing()),
                "the row is what the facts say"
            );
            // The audit alone explains how it stands.
            let happenings: Vec<_> = (0..)
                .zip(&detail.events)
                .filter_map(|(n, event)| {
                    let mut detail = event.detail.clone();
                    detail["what"] = event.what.clone().into();
                    let fact = serde_json::from_value(detail.clone()).ok()?;
                    let at = detail.get("occurred_at").and_then(|at| at.as_str()?.parse().ok());
                    Some(Happening { at: at.unwrap_or(row.received_at), key: format!("{n}"), fact })
                })
                .collect();
            let told = Standing::of(&happenings).unwrap();
            assert_eq!(Standing { first_response_on: row.first_response_on, ..told }, row.standing());
        }
    }
}

/// The rows without what differs between two records of the same life.
fn comparable(rows: Vec<CaseRow>) -> Vec<serde_json::Value> {
    let mut rows: Vec<_> = rows.iter().map(|row| serde_json::to_value(row).unwrap()).collect();
    rows.sort_by_key(|row| row["reference"].to_string());
    rows
}

/// A life in one order: all of it, in the order of these numbers, some of it twice, with restarts.
fn lived(news: &[News], order: &[u32], restarts: &BTreeSet<usize>) -> Vec<serde_json::Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.db");
    let mut office = Office::new(&path);
    let mut turns: Vec<(u32, usize)> =
        order.iter().copied().zip((0..news.len()).chain(0..news.len())).collect();
    // Each is learnt once at least.
    turns.extend((0..news.len()).map(|n| (order.get(n).copied().unwrap_or_default() ^ 0x5555, n)));
    turns.sort_unstable();
    for (turn, (_, n)) in turns.into_iter().enumerate() {
        office.learn(n, &news[n]);
        if restarts.contains(&turn) {
            office.restart();
        }
    }
    for case in 0..CASES {
        office.case(case);
    }
    office.restart();
    office.holds();
    comparable(office.rows())
}

/// What staff do, or mail tells, one after the other.
#[derive(Debug, Clone)]
enum Turn {
    Learn(News),
    Ask { case: usize, what: u8, on: i64, ago: i64 },
    Correct { case: usize, urgent: bool, queue: u8 },
    Restart,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let learn = (0..CASES, 0i64..60, 0u8..11, 1i64..40, any::<bool>())
        .prop_map(|(case, on, what, more, by_mail)| Turn::Learn(News { case, on, what, more, by_mail }));
    let turn = prop_oneof![
        4 => learn,
        4 => (0..CASES, 0u8..4, 20i64..200, 0i64..20).prop_map(|(case, what, on, ago)| Turn::Ask { case, what, on, ago }),
        2 => (0..CASES, any::<bool>(), 0u8..3).prop_map(|(case, urgent, queue)| Turn::Correct { case, urgent, queue }),
        1 => Just(Turn::Restart),
    ];
    prop::collection::vec(turn, 1..20)
}

/// Kinds of events after which a day may be another one. An answer that is learnt of late makes a question out of what was
/// a chaser, so it is among them.
const MOVES: [&str; 6] = ["opened", "chased", "answered", "held-over", "reopened", "closed"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_and_repetition_of_what_is_learnt_do_not_matter(
        news in news(),
        one in prop::collection::vec(any::<u32>(), 14),
        two in prop::collection::vec(any::<u32>(), 28),
        restarts in prop::collection::btree_set(0usize..30, 0..4),
    ) {
        prop_assert_eq!(comparable_life(&lived(&news, &one, &BTreeSet::new())), comparable_life(&lived(&news, &two, &restarts)));
    }

    #[test]
    fn no_day_moves_without_an_event_that_says_why(turns in turns()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.db");
        let mut office = Office::new(&path);
        for case in 0..CASES {
            office.case(case);
        }
        for (n, turn) in turns.iter().enumerate() {
            let before = office.rows();
            let audit = |office: &Office<'_>, row: &CaseRow| {
                office.records().case(&row.reference).unwrap().unwrap().events
            };
            let told: Vec<_> = before.iter().map(|row| audit(&office, row).len()).collect();
            take(&mut office, n, turn);
            office.holds();
            let after = office.rows();
            for (was, told) in before.iter().zip(told) {
                let is = after.iter().find(|row| row.reference == was.reference).unwrap();
                let news: Vec<_> = audit(&office, is).into_iter().skip(told).collect();
                prop_assert!(news.iter().all(|event| !event.actor.is_empty()));
                if (is.due_on, is.extended_from, &is.state) != (was.due_on, was.extended_from, &was.state) {
                    let said = news.iter().any(|event| MOVES.contains(&event.what.as_str()));
                    prop_assert!(said, "{:?} became {:?} by {:?}", was.due_on, is.due_on, turn);
                }
                if (&is.urgency, &is.queue) != (&was.urgency, &was.queue) {
                    prop_assert!(news.iter().any(|event| event.what == "corrected"));
                }
            }
        }
        office.records().integrity().unwrap();
    }
}

/// What must be the same: all but how many copies were met and in which order numbers were given.
fn comparable_life(rows: &[serde_json::Value]) -> Vec<serde_json::Value> {
    let keys = [
        "reference",
        "state",
        "due_on",
        "extended_from",
        "first_response_on",
        "first_response_at",
        "answered_at",
        "last_answered_at",
        "in_time",
        "matter",
        "step",
        "step_due_on",
        "chasers",
        "missing_since",
        "messages",
    ];
    rows.iter().map(|row| keys.iter().map(|key| row[*key].clone()).collect()).collect()
}

fn take(office: &mut Office<'_>, n: usize, turn: &Turn) {
    match turn {
        Turn::Learn(news) => office.learn(n, news),
        Turn::Restart => office.restart(),
        Turn::Ask { case, what, on, ago } => {
            let number = office.case(*case);
            let until = day(*on);
            let (act, fact) = match what {
                0 => (Act::Answer, Fact::Answered),
                1 => (Act::Extend { until }, Fact::HeldOver { until }),
                2 => (Act::Reopen, Fact::Reopened { due_on: until }),
                _ => (Act::Close, Fact::Closed),
            };
            let at =
                start() + TimeDelta::days(70 - ago) + TimeDelta::seconds(500 + i64::try_from(n).unwrap());
            let deed = Deed { act, fact, by: "J. Doe".into(), why: "said so".into(), at };
            let before = office.records().standing_of(number).unwrap().unwrap();
            let row = office.rows().into_iter().find(|row| row.standing() == before).unwrap();
            // Of two cases that stand alike either will do.
            let acted = office.records().perform(&row.reference, &deed, office.now).unwrap();
            assert_eq!(matches!(acted, Acted::Done(_)), before.allows(act).is_ok());
        }
        Turn::Correct { case, urgent, queue } => {
            let number = office.case(*case);
            let change = Correction {
                urgency: Some(if *urgent { "urgent" } else { "standard" }.into()),
                queue: Some(["general", "assessment", "resolution"][usize::from(*queue)].into()),
                ..Correction::default()
            };
            // The message that opened a case has the number of no other.
            let reference = office.rows().into_iter().map(|row| row.reference).nth(*case).unwrap();
            let message = office.records().case(&reference).unwrap().unwrap().messages;
            let message = message.iter().find(|message| message.role == "opened").unwrap().message;
            let correction = NewCorrection {
                message,
                change,
                by: "J. Doe".into(),
                why: format!("for case {number}"),
                moved_to: None,
                first_response_on: Some(day(2)),
            };
            office.records().correct(&correction, office.now).unwrap();
        }
    }
}
