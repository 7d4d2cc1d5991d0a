//! A town's mail over some months, made up from a seed: cases of every sort with lives of every sort, machines' mail, copies, letters
//! that are sent, refused and returned, corrections, gaps in the ledger. Put into a real record through its own functions, but
//! for what a mail server would do.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rusqlite::{Connection, params};
use send_triage::calendar::{WorkingCalendar, london};
use send_triage::case::{Correction, Fact, Matter, Reference, Step};
use send_triage::effect::{Destination, Effect};
use send_triage::letter::Letter;
use send_triage::message::{Fingerprint, MessageRef, Returned};
use send_triage::record::{
    Batch, CasePart, EnteredAs, Entry, EntryOutcome, NewCorrection, NewFact, Opening, Records, Role,
    StoredDecision, StoredDue,
};

/// Numbers that look random and are the same for the same seed (xorshift).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// In so many of a hundred throws.
    pub fn of_a_hundred(&mut self, times: u64) -> bool {
        self.below(100) < times
    }

    pub fn one<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

pub struct Town {
    pub seed: u64,
    pub records: Records,
    /// Everything happened before.
    pub now: DateTime<Utc>,
    /// Which rule held, on which day.
    pub spoke: Vec<(String, NaiveDate)>,
    _folder: tempfile::TempDir,
}

const BEGIN: &str = "2026-09-07T08:00:00Z";
const DAYS: u64 = 210;

impl Town {
    pub fn new(seed: u64, messages: u32, calendar: &WorkingCalendar) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(&folder.path().join("record.db")).unwrap();
        let begin: DateTime<Utc> = BEGIN.parse().unwrap();
        for account in ["general", "assessment"] {
            records.take_into_use(account, "INBOX", 1, 0, begin).unwrap();
        }
        let now = begin + Days::new(DAYS);
        let mut town = Self { seed, records, now, spoke: Vec::new(), _folder: folder };
        let mut maker = Maker { dice: Dice::new(seed), calendar, opened: Vec::new(), next: 0 };
        // A batch a day or so, in the order of receipt.
        let mut uids: BTreeMap<&str, u32> = BTreeMap::new();
        let span = (DAYS * 86_400) as i64;
        let mut times: Vec<i64> = (0..messages).map(|_| maker.dice.below(span as u64) as i64).collect();
        times.sort_unstable();
        for today in times.chunk_by(|a, b| a / 259_200 == b / 259_200) {
            for account in ["general", "assessment"] {
                let mut entries = Vec::new();
                let mut cases = Vec::new();
                for at in today.iter().filter(|at| (**at % 4 == 0) == (account == "assessment")) {
                    let uid = uids.entry(account).or_default();
                    *uid += 1 + u32::from(maker.dice.of_a_hundred(5)); // Some are gone before they are looked for.
                    let (entry, case) = maker.entry(account, *uid, begin + TimeDelta::seconds(*at));
                    entries.push(entry);
                    cases.push(case);
                }
                let Some(last) = entries.last() else { continue };
                let (at, up_to) = (last.received_at + TimeDelta::seconds(20), last.at.uid);
                for entry in &entries {
                    if let EntryOutcome::Decided { decision, .. } = &entry.outcome {
                        town.spoke.extend(decision.spoke.iter().map(|rule| (rule.clone(), london::date(at))));
                    }
                }
                let batch = Batch {
                    account: account.into(),
                    folder: "INBOX".into(),
                    uid_validity: 1,
                    up_to,
                    at,
                    entries,
                };
                for (entered, case) in town.records.enter(&batch).unwrap().iter().zip(cases) {
                    if let (
                        EnteredAs::New { message, case: Some(number), role: Some(Role::Opened) },
                        Some(case),
                    ) = (&entered.what, case)
                    {
                        maker.opened.push(Opened { case: *number, message: *message, ..case });
                    }
                }
            }
        }
        maker.lives(&town);
        maker.corrections(&town);
        maker.letters(&town);
        town
    }
}

#[derive(Clone)]
struct Opened {
    case: i64,
    message: i64,
    received_at: DateTime<Utc>,
    letter: String,
}

struct Maker<'c> {
    dice: Dice,
    calendar: &'c WorkingCalendar,
    opened: Vec<Opened>,
    next: u32,
}

impl Maker<'_> {
    /// One message, and the case that it opens.
    fn entry(&mut self, account: &str, uid: u32, at: DateTime<Utc>) -> (Entry, Option<Opened>) {
        self.next += 1;
        let number = self.next;
        let mut fingerprint = Fingerprint::default();
        for (n, chunk) in (0u32..).zip(fingerprint.0.chunks_mut(4)) {
            chunk.copy_from_slice(&number.wrapping_mul(2_654_435_761).rotate_left(n * 3 + 1).to_be_bytes());
        }
        let (outcome, case) = self.outcome(account, number, &fingerprint, at);
        let entry = Entry {
            at: MessageRef { account: account.into(), folder: "INBOX".into(), uid_validity: 1, uid },
            received_at: at,
            size_bytes: 1000,
            fingerprint: Some(fingerprint),
            message_id: Some(format!("question-{number}@home.example")),
            in_reply_to: Vec::new(),
            references: Vec::new(),
            sender: (!self.dice.of_a_hundred(3)).then(|| format!("parent-{number}@home.example")),
            sender_domain: Some("home.example".into()),
            subject: if self.dice.of_a_hundred(5) { String::new() } else { format!("About {number}") },
            words: None,
            participants: Vec::new(),
            outcome,
        };
        (entry, case)
    }

    fn outcome(
        &mut self,
        account: &str,
        number: u32,
        fingerprint: &Fingerprint,
        at: DateTime<Utc>,
    ) -> (EntryOutcome, Option<Opened>) {
        let decided =
            |decision, case, effects| EntryOutcome::Decided { decision: Box::new(decision), case, effects };
        let earlier = |opened: &[Opened], dice: &mut Dice| {
            let known: Vec<&Opened> = opened.iter().filter(|one| one.received_at < at).collect();
            if known.is_empty() { None } else { Some(dice.one(&known).clone()) }
        };
        match self.dice.below(100) {
            0..=1 => return (EntryOutcome::OwnLetter, None),
            2..=3 => return (EntryOutcome::LeftAlone { reason: "old".into() }, None),
            4..=5 => {
                let due = self.dice.of_a_hundred(80).then(|| self.calendar.due(at, 10).due_on);
                let reason = "It could not be read as an email.".into();
                return (EntryOutcome::SetAside { reason, due, effects: Vec::new() }, None);
            }
            6..=12 => {
                // A machine's; now and then it returns a letter of ours.
                let mut decision = self.decision("auto-reply");
                if self.dice.of_a_hundred(40) {
                    let letter = earlier(&self.opened, &mut self.dice).map(|one| one.letter);
                    decision.kind = "bounce".into();
                    decision.returned = letter.map(|letter| Returned {
                        message_ids: vec![letter],
                        status: self.dice.of_a_hundred(70).then(|| "5.1.1".into()),
                    });
                }
                return (decided(decision, CasePart::None, Vec::new()), None);
            }
            13..=17 => {
                let mut decision = self.decision("person");
                decision.copied = true;
                decision.withheld = Some("the team is only copied in".into());
                return (decided(decision, CasePart::None, Vec::new()), None);
            }
            18..=27 => {
                if let Some(case) = earlier(&self.opened, &mut self.dice) {
                    let mut decision = self.decision("person");
                    decision.withheld = self.dice.of_a_hundred(20).then(|| "only so many a day".into());
                    let facts = vec![Fact::Chased {
                        escalated_due_on: self.calendar.due(at, 4).due_on,
                        reopened_due_on: self.calendar.due(at, 10).due_on,
                    }];
                    let joins = CasePart::Joins { case: case.case, role: Role::Chaser, facts };
                    return (decided(decision, joins, Vec::new()), None);
                }
            }
            _ => {}
        }
        let call_back = self.dice.of_a_hundred(6);
        let mut decision = self.decision(if call_back { "internal" } else { "person" });
        let due = self.calendar.due(at, if call_back { 5 } else { 10 });
        let soon = decision.urgency == "urgent" || decision.queue == "resolution";
        let first = soon.then(|| self.calendar.due(at, 2).due_on);
        let step = if decision.queue == "resolution" { Step::ResolutionTeam } else { Step::Coordinator };
        let opening = Opening {
            reference: Reference::of(fingerprint, 0),
            matter: if call_back { Matter::CallBack } else { Matter::Question },
            due: StoredDue::of(&due, first),
            step,
            step_due_on: first.filter(|_| step != Step::Coordinator),
            links: Vec::new(),
        };
        let id = format!("ack-{number}@council.example");
        let mut effects = Vec::new();
        if self.dice.of_a_hundred(80) {
            let to = Destination { account: account.into(), folder: format!("Triage/{}", decision.queue) };
            effects.push(Effect::File { to, flagged: false });
        }
        if call_back {
            decision.withheld = Some("not written by a person".into());
        } else if self.dice.of_a_hundred(6) {
            decision.withheld = Some("only so many a day".into());
        } else {
            let letter = Letter {
                message_id: id.clone(),
                envelope_from: None,
                envelope_to: format!("Parent-{number}@home.example"),
                raw: b"Subject: We have your email\r\n\r\n".to_vec(),
            };
            effects.push(Effect::Acknowledge { account: account.into(), letter });
        }
        let opens = CasePart::Opens(Box::new(opening));
        (decided(decision, opens, effects), Some(Opened { case: 0, message: 0, received_at: at, letter: id }))
    }

    fn decision(&mut self, kind: &str) -> StoredDecision {
        let person = kind == "person" || kind == "internal";
        let grounds: Vec<&str> = match self.dice.below(8) {
            0 => vec!["U1"],
            1 => vec!["U4", "U10"],
            2 => vec!["S1", "S2"],
            3 => vec!["S2"],
            _ => vec!["other"],
        };
        let urgent = person && grounds[0].starts_with('U');
        let queues = ["general", "general", "assessment", "annual-review-east", "resolution"];
        let role = self.dice.one(&["parent", "parent", "school", ""]);
        let mut spoke: Vec<String> =
            grounds.iter().filter(|id| **id != "other").map(|id| (*id).into()).collect();
        spoke.extend((!role.is_empty()).then(|| format!("role-{role}")));
        StoredDecision {
            kind: kind.into(),
            urgency: if urgent { "urgent" } else { "standard" }.into(),
            grounds: if person { grounds.iter().map(|id| (*id).into()).collect() } else { Vec::new() },
            queue: if person { self.dice.one(&queues) } else { "none" }.into(),
            area: self.dice.one(&["east", "west", "unknown"]).into(),
            chaser: "none".into(),
            unsure: person && self.dice.of_a_hundred(10),
            withheld: (!person).then(|| "not written by a person".into()),
            sender_role: (person && !role.is_empty()).then(|| role.into()),
            spoke,
            rules_version: "9f2c".into(),
            trace: serde_json::json!([]),
            ..StoredDecision::default()
        }
    }

    /// What becomes of the cases: some wait, most are answered, some twice; told in any order.
    fn lives(&mut self, town: &Town) {
        let mut facts = Vec::new();
        for opened in self.opened.clone() {
            let mut at = opened.received_at;
            for turn in 0..self.dice.below(4) {
                // Within the day, within weeks; now and then a reply is dated before its question.
                let days = [0, 3, 10, 30][self.dice.below(4) as usize];
                at += TimeDelta::seconds(self.dice.below(86_400 * (days + 1)) as i64 - 600);
                if at >= town.now {
                    break;
                }
                let due = |working_days| self.calendar.due(at, working_days).due_on;
                let fact = match self.dice.below(12) {
                    0 => Fact::HeldOver { until: due(15) },
                    1 => Fact::HeldOver { until: due(1) },
                    2 => Fact::Closed,
                    3 => Fact::Reopened { due_on: due(10) },
                    4 => Fact::Chased { escalated_due_on: due(4), reopened_due_on: due(10) },
                    5 => Fact::Escalated { step: Step::SeniorManager, due_on: due(2) },
                    6 => Fact::Missing,
                    _ => Fact::Answered,
                };
                let key = Some(format!("test/{turn}"));
                let new = NewFact {
                    case: opened.case,
                    key,
                    at,
                    by: "j.doe".into(),
                    message: None,
                    fact,
                    why: String::new(),
                };
                facts.insert(self.dice.below(facts.len() as u64 + 1) as usize, new);
            }
        }
        town.records.tell(&facts, town.now).unwrap();
        // A case of before facts were kept, with nothing owed.
        let raw = Connection::open(town.records.path()).unwrap();
        raw.execute_batch(
            "UPDATE cases SET due_on = NULL WHERE id = 3; DELETE FROM case_facts WHERE case_id = 3;
             DELETE FROM answers_owed WHERE case_id = 3; UPDATE cases SET state = 'open' WHERE id = 3;",
        )
        .unwrap();
    }

    fn corrections(&mut self, town: &Town) {
        for opened in self.opened.clone() {
            if !self.dice.of_a_hundred(8) {
                continue;
            }
            let word = |word: &str| Some(word.to_owned());
            let change = match self.dice.below(6) {
                0 => Correction { urgency: word("urgent"), ..Correction::default() },
                1 => Correction { urgency: word("standard"), ..Correction::default() },
                2 => Correction { queue: word("assessment"), ..Correction::default() },
                3 => Correction { area: word("west"), queue: word("general"), ..Correction::default() },
                4 => Correction { kind: word("auto-reply"), ..Correction::default() },
                _ => Correction::default(),
            };
            let place = Destination { account: "general".into(), folder: "Triage/Elsewhere".into() };
            let new = NewCorrection {
                message: opened.message,
                change,
                by: "staff".into(),
                why: String::new(),
                moved_to: self.dice.of_a_hundred(50).then_some(place),
                first_response_on: Some(self.calendar.due(opened.received_at, 2).due_on),
            };
            let at = opened.received_at + TimeDelta::seconds(self.dice.below(500_000) as i64);
            town.records.correct(&new, at).unwrap();
        }
    }

    /// What mail servers do with acknowledgements; and a gap that a fault left in the ledger.
    fn letters(&mut self, town: &Town) {
        let mut raw = Connection::open(town.records.path()).unwrap();
        let tx = raw.transaction().unwrap();
        let letters: Vec<(i64, i64, i64)> = tx
            .prepare("SELECT l.id, e.id, m.received_at FROM letters l JOIN effects e ON e.letter_id = l.id JOIN messages m ON m.id = l.answers WHERE l.kind = 'acknowledge'")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for (letter, effect, received) in letters {
            match self.dice.below(100) {
                0..=3 => {}
                4..=6 => {
                    let at = received + 40;
                    tx.execute("UPDATE effects SET state = 'stuck' WHERE id = ?1", [effect]).unwrap();
                    tx.execute(
                        "INSERT INTO attempts (effect_id, made_at, outcome, detail) VALUES (?1, ?2, 'stuck', '550')",
                        params![effect, at],
                    )
                    .unwrap();
                }
                _ => {
                    // A mailbox that was away for a while: hours.
                    let most = if self.dice.of_a_hundred(5) { 90_000 } else { 60 };
                    let at = received + self.dice.below(most) as i64;
                    tx.execute("UPDATE letters SET sent_at = ?2 WHERE id = ?1", params![letter, at]).unwrap();
                    tx.execute(
                        "UPDATE effects SET state = 'done', done_at = ?2 WHERE id = ?1",
                        params![effect, at],
                    )
                    .unwrap();
                }
            }
        }
        if self.dice.of_a_hundred(50) {
            tx.execute_batch(
                "DELETE FROM absences WHERE first_uid = (SELECT min(first_uid) FROM absences);
                 UPDATE set_aside SET settled_at = 1 WHERE message_id = (SELECT min(message_id) FROM set_aside);
                 UPDATE locations SET message_id = NULL, outcome = 'left-alone' WHERE id = 7;",
            )
            .unwrap();
        }
        tx.commit().unwrap();
    }
}
