//! Random lives of a record: mail that arrives once or twice, servers that number anew, letters that are sent, refused or
//! left in doubt, and restarts in between. Whatever happens, in whatever order: every UID has one outcome, every message
//! one case, and no letter is handed over again that may have been sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use send_triage::case::{Matter, Reference};
use send_triage::effect::{Destination, Effect};
use send_triage::letter::Letter;
use send_triage::message::{Fingerprint, MessageRef};
use send_triage::record::{
    Batch, CaseFilter, CasePart, Entry, EntryOutcome, Opening, Records, StoredDecision, StoredDue, Which,
};

/// A case that is due ten days later.
fn opening(reference: Reference, now: DateTime<Utc>) -> CasePart {
    let day_zero = now.date_naive();
    let due_on = day_zero + TimeDelta::days(10);
    CasePart::Opens(Box::new(Opening {
        reference,
        matter: Matter::Question,
        due: StoredDue { day_zero, due_on, first_response_on: None, skipped: Vec::new() },
        step: send_triage::case::Step::Coordinator,
        step_due_on: None,
        links: Vec::new(),
    }))
}

#[derive(Debug, Clone)]
enum Step {
    /// This message arrives, perhaps not for the first time, after so many UIDs that are gone again.
    Arrives { message: u8, after_gone: u8 },
    /// UIDVALIDITY changes; these messages still lie there.
    NumberedAnew { lying_there: Vec<u8> },
    /// A letter is handed over, with this ending.
    Post(Ending),
    /// An uncertain letter is looked for: found or not.
    LookInSent { found: bool },
    /// Everything due is filed.
    File,
    /// The program ends without warning and starts again.
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Taken,
    Refused,
    Silence,
    Crash,
    Hopeless,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let message = 0u8..6;
    let step = prop_oneof![
        5 => (message.clone(), 0u8..3).prop_map(|(message, after_gone)| Step::Arrives { message, after_gone }),
        1 => prop::collection::vec(message, 0..5).prop_map(|lying_there| Step::NumberedAnew { lying_there }),
        4 => prop_oneof![
            3 => Just(Ending::Taken), 1 => Just(Ending::Refused), 1 => Just(Ending::Silence),
            1 => Just(Ending::Crash), 1 => Just(Ending::Hopeless),
        ].prop_map(Step::Post),
        2 => any::<bool>().prop_map(|found| Step::LookInSent { found }),
        1 => Just(Step::File),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

/// The record, and what the world outside knows.
struct World<'a> {
    path: &'a Path,
    records: Option<Records>,
    now: DateTime<Utc>,
    uid_validity: u32,
    uid_next: u32,
    arrived: BTreeSet<u8>,
    /// How often each letter was taken by the server.
    taken: BTreeMap<String, u32>,
}

impl<'a> World<'a> {
    fn new(path: &'a Path) -> Self {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_605);
        let records = Records::open(path).unwrap();
        records.take_into_use("general", "INBOX", 1, 0, now).unwrap();
        let (arrived, taken) = (BTreeSet::new(), BTreeMap::new());
        Self { path, records: Some(records), now, uid_validity: 1, uid_next: 1, arrived, taken }
    }

    fn records(&self) -> &Records {
        self.records.as_ref().unwrap()
    }

    fn restart(&mut self) {
        self.records = None;
        self.records = Some(Records::open(self.path).unwrap());
        self.records().recover(self.now).unwrap();
    }

    fn enter(&mut self, messages: &[u8]) {
        let entries: Vec<_> = (self.uid_next..)
            .zip(messages)
            .map(|(uid, message)| {
                let mut fingerprint = Fingerprint::default();
                fingerprint.0[..8].copy_from_slice(
                    &(u64::from(*message) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes(),
                );
                let letter = Letter {
                    message_id: format!("ack-{message}@council.example"),
                    envelope_from: None,
                    envelope_to: format!("parent-{message}@home.example"),
                    raw: b"Subject: We have your email\r\n\r\n".to_vec(),
                };
                let to = Destination { account: "general".into(), folder: "Triage".into() };
                Entry {
                    at: MessageRef {
                        account: "general".into(),
                        folder: "INBOX".into(),
                        uid_validity: self.uid_validity,
                        uid,
                    },
                    received_at: self.now,
                    size_bytes: 100,
                    fingerprint: Some(fingerprint.clone()),
                    message_id: None,
                    in_reply_to: Vec::new(),
                    references: Vec::new(),
                    sender: None,
                    sender_domain: None,
                    subject: String::new(),
                    words: None,
                    participants: Vec::new(),
                    outcome: EntryOutcome::Decided {
                        decision: Box::new(StoredDecision::default()),
                        case: opening(Reference::of(&fingerprint, 0), self.now),
                        effects: vec![
                            Effect::Acknowledge { account: "general".into(), letter },
                            Effect::File { to, flagged: false },
                        ],
                    },
                }
            })
            .collect();
        let up_to = entries.last().map_or(self.uid_next - 1, |entry| entry.at.uid);
        let batch = Batch {
            account: "general".into(),
            folder: "INBOX".into(),
            uid_validity: self.uid_validity,
            up_to,
            at: self.now,
            entries,
        };
        self.records().enter(&batch).unwrap();
        self.records().enter(&batch).unwrap(); // Again, as after a crash before the caller heard of it.
        self.uid_next = up_to + 1;
        self.arrived.extend(messages);
    }

    fn step(&mut self, step: &Step) {
        self.now += TimeDelta::minutes(1);
        let (now, later) = (self.now, self.now + TimeDelta::seconds(30));
        match step {
            Step::Arrives { message, after_gone } => {
                self.uid_next += u32::from(*after_gone);
                self.enter(&[*message]);
            }
            Step::NumberedAnew { lying_there } => {
                self.uid_validity += 1;
                self.records().resynchronise("general", "INBOX", self.uid_validity, now).unwrap();
                self.uid_next = 1;
                self.enter(lying_there);
                let adrift = Which::Adrift { account: "general".into(), folder: "INBOX".into() };
                for due in self.records().due_effects(adrift, now, 1000).unwrap() {
                    self.records().gone(due.id, now).unwrap();
                }
            }
            Step::Post(ending) => {
                let Some(due) = self
                    .records()
                    .due_effects(Which::Letters { account: "general".into() }, now, 1)
                    .unwrap()
                    .pop()
                else {
                    return;
                };
                let Effect::Acknowledge { letter, .. } = &due.effect else { panic!("{due:?}") };
                self.records().committing(due.id, now).unwrap();
                match ending {
                    Ending::Refused => return self.records().try_again(due.id, "450", later, now).unwrap(),
                    Ending::Hopeless => return self.records().ask_a_person(due.id, "550", now).unwrap(),
                    Ending::Taken | Ending::Silence | Ending::Crash => {
                        *self.taken.entry(letter.message_id.clone()).or_default() += 1;
                    }
                }
                match ending {
                    Ending::Taken => {
                        let copy = Effect::KeepCopy { account: "general".into(), letter: letter.clone() };
                        self.records().done(due.id, now, &[copy]).unwrap();
                    }
                    Ending::Silence => self.records().uncertain(due.id, "silence", later, now).unwrap(),
                    _ => self.restart(),
                }
            }
            Step::LookInSent { found } => {
                let which = Which::Account { account: "general".into() };
                for due in self.records().due_effects(which, now, 9).unwrap() {
                    match (due.uncertain, found) {
                        (true, false) => {
                            self.records().uncertain(due.id, "not there yet", later, now).unwrap()
                        }
                        _ => self.records().done(due.id, now, &[]).unwrap(),
                    }
                }
            }
            Step::File => {
                let which = Which::Mailbox { account: "general".into(), folder: "INBOX".into() };
                for due in self.records().due_effects(which, now, 99).unwrap() {
                    assert_eq!(
                        due.at.unwrap().uid_validity,
                        self.uid_validity,
                        "filed by a UID that means nothing"
                    );
                    self.records().done(due.id, now, &[]).unwrap();
                }
            }
            Step::Restart => self.restart(),
        }
    }

    fn holds(&self) {
        let records = self.records();
        let ledger = records.ledger().unwrap().remove(0);
        assert!(ledger.gaps.is_empty(), "{ledger:?}");
        assert_eq!(ledger.seen + ledger.absent, u64::from(ledger.last_uid), "{ledger:?}");
        let cases = records.cases(&CaseFilter::default()).unwrap();
        assert_eq!(cases.len(), self.arrived.len(), "one case for each message");
        assert!(self.taken.values().all(|times| *times == 1), "{:?}", self.taken);
        for case in cases {
            // Nothing is forgotten: it was sent, or it stands on a list.
            assert!(["sent", "waiting", "uncertain", "stuck"].contains(&case.acknowledgement.as_str()));
        }
        let sent = records.cases(&CaseFilter::default()).unwrap();
        let sent = sent.iter().filter(|case| case.acknowledgement == "sent").count();
        assert!(sent <= self.taken.len(), "what counts as sent was taken by the server");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_is_done_twice(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.db");
        let mut world = World::new(&path);
        for step in &steps {
            world.step(step);
            world.holds();
        }
        world.records().integrity().unwrap();
    }
}
