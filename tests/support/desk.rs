//! A record in which an autumn of cases lies: asked again, extended, answered, closed, linked; and the program run on it.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use send_triage::calendar::WorkingCalendar;
use send_triage::case::life::Act;
use send_triage::case::{Fact, Matter, Reference, Step};
use send_triage::config::working_days;
use send_triage::effect::{Destination, Effect};
use send_triage::letter::Letter;
use send_triage::message::{Fingerprint, MessageRef};
use send_triage::record::{
    Batch, CasePart, Deed, EnteredAs, Entry, EntryOutcome, Link, NewFact, Opening, Participant,
    ParticipantRole, Records, Role, StoredDecision, StoredDue, Which,
};
use serde_json::json;

use super::program::{Finished, Program};

/// The day on which everything below is looked at.
pub const TODAY: &str = "2026-12-03";

pub fn at(text: &str) -> DateTime<Utc> {
    format!("{}:00Z", text.replace(' ', "T")).parse().unwrap()
}

pub fn on(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A message that comes in.
pub struct Mail {
    pub received: &'static str,
    pub from: &'static str,
    pub subject: &'static str,
    pub urgent: bool,
    pub ground: &'static str,
    pub queue: &'static str,
    pub area: &'static str,
    pub withheld: Option<&'static str>,
    pub unsure: Option<&'static str>,
    pub as_what: AsWhat,
}

/// What it is to the cases.
pub enum AsWhat {
    Opens { matter: Matter, links: Vec<(i64, &'static str)> },
    Joins { case: i64, role: Role, facts: Vec<Fact> },
}

impl Mail {
    pub fn new(received: &'static str, from: &'static str, subject: &'static str) -> Self {
        Self {
            received,
            from,
            subject,
            urgent: false,
            ground: "other",
            queue: "general",
            area: "unknown",
            withheld: None,
            unsure: None,
            as_what: AsWhat::Opens { matter: Matter::Question, links: Vec::new() },
        }
    }

    pub fn joins(self, case: i64, role: Role, facts: Vec<Fact>) -> Self {
        Self { as_what: AsWhat::Joins { case, role, facts }, ..self }
    }
}

pub struct Desk {
    dir: tempfile::TempDir,
    calendar: WorkingCalendar,
    next_uid: std::sync::atomic::AtomicU32,
}

impl Desk {
    /// An empty record of one mailbox, and a configuration for it.
    pub fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("mail")).unwrap();
        let accounts = "  - {name: general, address: send.general@hertfordshire.example, outbox: letters, folder: {path: mail, kind: eml}}\n";
        let queues: String =
            ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"]
                .map(|queue| format!("  {queue}: {{account: general, folder: Triage/{queue}}}\n"))
                .concat();
        let config = format!(
            "council: {{domain: hertfordshire.example}}\ndatabase: record.sqlite\naccounts:\n{accounts}queues:\n{queues}"
        );
        std::fs::write(dir.path().join("c.yaml"), config).unwrap();
        let calendar = working_days::load(None).unwrap().calendar;
        let desk = Self { dir, calendar, next_uid: 1.into() };
        desk.records().take_into_use("general", "INBOX", 1, 0, at("2026-11-01 08:00")).unwrap();
        desk
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("record.sqlite")
    }

    pub fn records(&self) -> Records {
        Records::open(&self.path()).unwrap()
    }

    /// Takes a message in, sends its acknowledgement and files it; returns the case that it belongs to.
    pub fn enter(&self, mail: &Mail) -> i64 {
        let records = self.records();
        let uid = self.next_uid.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let received_at = at(mail.received);
        let mut fingerprint = Fingerprint::default();
        let seed = u64::from(uid).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        fingerprint.0[..8].copy_from_slice(&seed.to_be_bytes());
        let case = match &mail.as_what {
            AsWhat::Joins { case, role, facts } => {
                CasePart::Joins { case: *case, role: *role, facts: facts.clone() }
            }
            AsWhat::Opens { matter, links } => {
                let days = if *matter == Matter::CallBack { 5 } else { 10 };
                let soon = (mail.urgent || mail.queue == "resolution")
                    .then(|| self.calendar.due(received_at, 2).due_on);
                CasePart::Opens(Box::new(Opening {
                    reference: Reference::of(&fingerprint, 0),
                    matter: *matter,
                    due: StoredDue::of(&self.calendar.due(received_at, days), soon),
                    step: Step::Coordinator,
                    step_due_on: None,
                    links: links.iter().map(|(case, why)| Link { case: *case, why: (*why).into() }).collect(),
                }))
            }
        };
        let by_staff = mail.from.ends_with("@hertfordshire.example");
        let mut trace =
            vec![json!({ "rule": mail.ground, "policy": "contact-process", "text": "", "outcome": "holds",
            "reason": "what it is about" })];
        trace.extend(mail.unsure.map(
            |why| json!({ "rule": "unsure", "policy": "", "text": "", "outcome": "noticed", "reason": why }),
        ));
        let decision = StoredDecision {
            kind: "person".into(),
            urgency: if mail.urgent { "urgent" } else { "standard" }.into(),
            grounds: vec![mail.ground.into()],
            queue: mail.queue.into(),
            area: mail.area.into(),
            chaser: "none".into(),
            unsure: mail.unsure.is_some(),
            withheld: mail.withheld.map(str::to_owned).or(by_staff.then(|| "it was written by staff".into())),
            rules_version: "9f2c41".into(),
            trace: json!(trace),
            ..StoredDecision::default()
        };
        let letter = Letter {
            message_id: format!("ack-{uid}@hertfordshire.example"),
            envelope_from: None,
            envelope_to: mail.from.into(),
            raw: b"Subject: We have your email\r\n\r\n".to_vec(),
        };
        let urgent = if mail.urgent { "/Urgent" } else { "" };
        let to = Destination { account: "general".into(), folder: format!("Triage/{}{urgent}", mail.queue) };
        let mut effects = vec![Effect::File { to, flagged: mail.urgent }];
        if decision.withheld.is_none() {
            effects.push(Effect::Acknowledge { account: "general".into(), letter });
        }
        let entry = Entry {
            words: None,
            at: MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity: 1, uid },
            received_at,
            size_bytes: 2000,
            fingerprint: Some(fingerprint),
            message_id: Some(format!("m{uid}@home.example")),
            in_reply_to: Vec::new(),
            references: Vec::new(),
            sender: Some(mail.from.into()),
            sender_domain: mail.from.split('@').nth(1).map(str::to_owned),
            subject: mail.subject.into(),
            participants: vec![Participant { role: ParticipantRole::From, address: mail.from.into() }],
            outcome: EntryOutcome::Decided { decision: Box::new(decision), case, effects },
        };
        let now = received_at + TimeDelta::minutes(1);
        let batch = Batch {
            account: "general".into(),
            folder: "INBOX".into(),
            uid_validity: 1,
            up_to: uid,
            at: now,
            entries: vec![entry],
        };
        let entered = records.enter(&batch).unwrap().remove(0);
        let letters = Which::Letters { account: "general".into() };
        for due in records.due_effects(letters, now, 9).unwrap() {
            records.committing(due.id, now).unwrap();
            records.done(due.id, now, &[]).unwrap();
        }
        let mailbox = Which::Mailbox { account: "general".into(), folder: "INBOX".into() };
        for due in records.due_effects(mailbox, now, 9).unwrap() {
            records.done(due.id, now, &[]).unwrap();
        }
        let EnteredAs::New { case: Some(case), .. } = entered.what else { panic!("{entered:?}") };
        case
    }

    /// What a member of staff says of a case.
    pub fn say(&self, case: i64, act: Act, fact: Fact, why: &str, when: &str) {
        let deed = Deed { act, fact, by: "J. Doe".into(), why: why.into(), at: at(when) };
        let reference = self.reference(case);
        let acted = self.records().perform(&reference, &deed, at(when)).unwrap();
        assert!(matches!(acted, send_triage::record::Acted::Done(_)), "{acted:?}");
    }

    pub fn reference(&self, case: i64) -> String {
        let records = self.records();
        let all = records.cases(&send_triage::record::CaseFilter::default()).unwrap();
        let mut all: Vec<_> = all.into_iter().map(|case| (case.received_at, case.reference)).collect();
        all.sort();
        // Cases are opened in the order of receipt here.
        all[usize::try_from(case).unwrap() - 1].1.clone()
    }

    /// Runs `cases` with these arguments.
    #[track_caller]
    pub fn cases(&self, arguments: &[&str]) -> Finished {
        Program::run(self.dir.path(), &[&["cases", "--config", "c.yaml"], arguments].concat())
    }

    /// What it prints, when all goes well.
    #[track_caller]
    pub fn printed(&self, arguments: &[&str]) -> String {
        let done = self.cases(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}\n{}", done.stderr);
        done.stdout
    }

    /// Runs `report` with these arguments.
    #[track_caller]
    pub fn report_finished(&self, arguments: &[&str]) -> Finished {
        Program::run(self.dir.path(), &[&["report", "--config", "c.yaml"], arguments].concat())
    }

    /// What it prints, when all goes well.
    #[track_caller]
    pub fn report(&self, arguments: &[&str]) -> String {
        let done = self.report_finished(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}\n{}", done.stderr);
        done.stdout
    }

    /// The autumn.
    pub fn autumn() -> Self {
        let desk = Self::empty();
        let (anna, officer) = ("anna.parent@home.example", "m.officer@hertfordshire.example");
        let chased = |escalated: &str, reopened: &str| Fact::Chased {
            escalated_due_on: on(escalated),
            reopened_due_on: on(reopened),
        };
        let request = desk.enter(&Mail {
            queue: "assessment",
            area: "west",
            ..Mail::new("2026-11-03 10:05", "ben.parent@home.example", "Request for an EHC needs assessment")
        });
        let coordinator = desk.enter(&Mail::new(
            "2026-11-05 15:40",
            "c.parent@home.example",
            "Who is our EHC coordinator?",
        ));
        desk.enter(&Mail::new("2026-11-12 11:20", officer, "RE: Who is our EHC coordinator?").joins(
            coordinator,
            Role::Answer,
            vec![Fact::Answered],
        ));
        let timetable = desk.enter(&Mail {
            urgent: true,
            ground: "U4",
            area: "east",
            ..Mail::new("2026-11-16 09:12", anna, "Part-time timetable since September")
        });
        let review = desk.enter(&Mail {
            queue: "annual-review-west",
            area: "west",
            ground: "S1",
            ..Mail::new("2026-11-19 12:00", "office@oakwood.example", "Annual review paperwork")
        });
        desk.say(request, Act::Answer, Fact::Answered, "by telephone", "2026-11-19 16:30");
        let wrong =
            desk.enter(&Mail::new("2026-11-20 08:55", "d.parent@home.example", "School admissions 2027"));
        desk.say(wrong, Act::Close, Fact::Closed, "for admissions, passed on by hand", "2026-11-20 10:00");
        desk.enter(&Mail::new("2026-11-24 18:31", anna, "Re: Part-time timetable since September").joins(
            timetable,
            Role::Chaser,
            vec![chased("2026-11-30", "2026-12-08")],
        ));
        desk.enter(&Mail::new("2026-11-25 14:10", officer, "RE: Annual review paperwork").joins(
            review,
            Role::HoldingReply,
            vec![Fact::HeldOver { until: on("2027-01-14") }],
        ));
        desk.enter(&Mail {
            as_what: AsWhat::Opens {
                matter: Matter::Question,
                links: vec![(timetable, "the same sender asks something new in that thread")],
            },
            ..Mail::new("2026-12-01 07:50", anna, "Transport from January")
        });
        let call = desk.enter(&Mail {
            withheld: Some("call-backs are not acknowledged by mail"),
            as_what: AsWhat::Opens { matter: Matter::CallBack, links: Vec::new() },
            ..Mail::new("2026-12-01 09:30", "csc@contact.example", "Call back: review outcome")
        });
        desk.enter(&Mail::new("2026-12-02 08:15", anna, "Part-time timetable: third time of asking").joins(
            timetable,
            Role::Chaser,
            vec![chased("2026-12-08", "2026-12-16")],
        ));
        desk.enter(&Mail {
            withheld: Some("the address is one that nobody reads"),
            unsure: Some("east and west are both named"),
            ..Mail::new(
                "2026-12-02 13:00",
                "no-reply@forms.example",
                "=HYPERLINK(\"http://x.example\",\"Open\")",
            )
        });
        desk.records()
            .tell(
                &[NewFact {
                    case: call,
                    key: None,
                    at: at("2026-12-02 17:00"),
                    by: "send-triage".into(),
                    message: None,
                    fact: Fact::Missing,
                    why: String::new(),
                }],
                at("2026-12-02 17:00"),
            )
            .unwrap();
        desk
    }
}
