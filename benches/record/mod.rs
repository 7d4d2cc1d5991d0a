//! A record of five years, written straight into its tables: what figures, starts and digests are measured on.
//!
//! Its cases are invented and plain; how the program itself fills a record is measured by `year`.
#![allow(dead_code)] // Not every benchmark asks for all of it.

use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rusqlite::{Connection, params};
use send_triage::calendar::{WorkingCalendar, london};
use send_triage::record::Records;

/// A Monday, 8:00.
pub fn now() -> DateTime<Utc> {
    "2027-05-10T07:00:00Z".parse().unwrap()
}

/// Five years of mail: 4,000 cases a week, of which the last weeks' wait in part; machines' mail and chasers beside them.
pub fn make(file: &Path, cases: i64) {
    drop(Records::open(file).unwrap());
    let mut raw = Connection::open(file).unwrap();
    raw.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -400000")
        .unwrap();
    let begin = now() - TimeDelta::days(5 * 365);
    let tx = raw.transaction().unwrap();
    tx.execute(
        "INSERT INTO mailboxes (id, account, folder, epoch, uid_validity, starts_after_uid, last_uid, taken_into_use_at, last_seen_at)
         VALUES (1, 'general', 'INBOX', 1, 1, 0, ?1, ?2, ?3)",
        params![cases * 3 / 2, begin.timestamp(), now().timestamp()],
    )
    .unwrap();
    let mut maker =
        Maker { tx: &tx, calendar: WorkingCalendar::default(), dice: 88_172_645_463_325_252, message: 0 };
    let span = (now() - begin).num_seconds();
    for case in 1..=cases {
        let received = begin.timestamp() + span * case / (cases + 1);
        maker.case(case, received);
        if case % 2 == 0 {
            maker.beside(case, received + 7);
        }
        if case % 100_000 == 0 {
            println!("{case} cases");
        }
    }
    tx.execute("UPDATE mailboxes SET last_uid = ?1", [maker.message]).unwrap();
    tx.execute_batch(
        "INSERT INTO rule_tally SELECT 'rule-' || r.value, date('2022-05-10', '+' || d.value || ' days'), 5
         FROM generate_series(1, 250) r, generate_series(1, 1800) d WHERE (r.value * 7 + d.value) % 3 > 0",
    )
    .or_else(|_| {
        // Without that extension.
        tx.execute_batch(
            "WITH RECURSIVE d(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM d WHERE n < 1800),
                 r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 250)
             INSERT INTO rule_tally SELECT 'rule-' || r.n, date('2022-05-10', '+' || d.n || ' days'), 5
             FROM r, d WHERE (r.n * 7 + d.n) % 3 > 0",
        )
    })
    .unwrap();
    tx.commit().unwrap();
    println!("{}: {} MB", file.display(), std::fs::metadata(file).unwrap().len() / 1_000_000);
}

struct Maker<'t> {
    tx: &'t rusqlite::Transaction<'t>,
    calendar: WorkingCalendar,
    dice: u64,
    message: i64,
}

const TRACE: &str = r#"[{"rule":"U4","policy":"contact-process, urgent list, item 4","text":"only doing mornings because they have no one to support her","outcome":"holds","reason":"urgent: Part-time timetable"},{"rule":"area","policy":"areas","text":"Stevenage","outcome":"holds","reason":"east: Stevenage"},{"rule":"role-parent","policy":"labelling.md","text":"my daughter","outcome":"noted","reason":"seems to be written by: A parent or carer"},{"rule":"acknowledge","policy":"communication-policy, email a to c","text":"","outcome":"noted","reason":"a person wrote to the team"}]"#;

impl Maker<'_> {
    fn below(&mut self, end: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) % end
    }

    fn message(
        &mut self,
        received: i64,
        kind: &str,
        withheld: Option<&str>,
        (queue, area, ground): (&str, &str, &str),
    ) -> i64 {
        self.message += 1;
        let id = self.message;
        let mut insert = self
            .tx
            .prepare_cached(
                "INSERT INTO messages (id, fingerprint, message_id, mailbox_id, received_at, size_bytes, sender, sender_domain, subject, entered_at)
                 VALUES (?1, randomblob(32), ?2, 1, ?3, 9000, ?4, 'home.example', 'A question about the plan', ?3 + 3)",
            )
            .unwrap();
        insert
            .execute(params![
                id,
                format!("question-{id}@home.example"),
                received,
                format!("parent-{}@home.example", id % 30_000)
            ])
            .unwrap();
        let unsure = id % 23 == 0;
        let role = ["parent", "parent", "school", "professional"][id as usize % 4];
        let mut insert = self
            .tx
            .prepare_cached(
                "INSERT INTO decisions (message_id, decided_at, rules_version, kind, copied, urgency, grounds, claimed_urgent, queue, area,
                     chaser, signposts, refer_leadership, unsure, withheld, trace, sender_role)
                 VALUES (?1, ?2, '9f2c', ?3, 0, ?4, json_array(?5), 0, ?6, ?7, 'none', '[]', 0, ?8, ?9, ?10, ?11)",
            )
            .unwrap();
        let urgency = if ground.starts_with('U') { "urgent" } else { "standard" };
        insert
            .execute(params![
                id,
                received + 3,
                kind,
                urgency,
                ground,
                queue,
                area,
                unsure,
                withheld,
                TRACE,
                role
            ])
            .unwrap();
        let mut insert = self
            .tx
            .prepare_cached(
                "INSERT INTO locations (mailbox_id, epoch, uid_validity, uid, outcome, message_id, entered_at, left_at)
                 VALUES (1, 1, 1, ?1, 'decided', ?1, ?2, ?2 + 5)",
            )
            .unwrap();
        insert.execute(params![id, received + 3]).unwrap();
        id
    }

    fn case(&mut self, case: i64, received: i64) {
        let queue = ["general", "general", "annual-review-east", "annual-review-west", "assessment"]
            [self.below(5) as usize];
        let area = ["east", "west", "unknown"][self.below(3) as usize];
        let ground = ["U1", "U4", "S1", "S2", "S4", "other", "other", "other"][self.below(8) as usize];
        let message = self.message(received, "person", None, (queue, area, ground));
        let day = |seconds: i64| london::date(DateTime::from_timestamp(seconds, 0).unwrap());
        let asked = day(received);
        let promised = self.calendar.working_day_after(asked, 10);
        // One of fifty is never answered; the others within three weeks.
        let answered = received + self.below(20 * 86_400) as i64;
        let answered = Some(answered).filter(|at| *at < now().timestamp() && self.message % 50 != 0);
        let chasers = if self.below(12) == 0 { 1 + self.below(2) } else { 0 };
        let urgent = ground.starts_with('U');
        let text = |on: NaiveDate| on.to_string();
        let mut insert = self
            .tx
            .prepare_cached(
                "INSERT INTO cases (id, reference, opening_message, state, urgency, queue, area, received_at, due_on, answered_at,
                     first_response_at, last_answered_at, in_time, chasers, step, step_due_on)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?10, ?11, ?12, ?13, ?14)",
            )
            .unwrap();
        let waits = answered.is_none() && (received > now().timestamp() - 40 * 86_400);
        let state = if answered.is_some() {
            "answered"
        } else if waits {
            "open"
        } else {
            "closed"
        };
        let in_time = answered.map(|at| day(at) <= promised);
        let step = if chasers > 0 { 2 } else { 1 };
        insert
            .execute(params![
                case,
                format!("SEND-{:04X}-{:04X}", case >> 16, case & 0xFFFF),
                message,
                state,
                if urgent { "urgent" } else { "standard" },
                queue,
                area,
                received,
                (state != "closed").then(|| text(promised)),
                answered,
                in_time,
                chasers as i64,
                step,
                (step > 1).then(|| text(promised))
            ])
            .unwrap();
        let mut insert = self
            .tx
            .prepare_cached(
                "INSERT INTO answers_owed (case_id, turn, asked_on, promised_on, due_on, answered_on, dropped) VALUES (?1, 1, ?2, ?3, ?3, ?4, ?5)",
            )
            .unwrap();
        let promised_on = text(promised);
        insert
            .execute(params![
                case,
                text(asked),
                promised_on,
                answered.map(|at| text(day(at))),
                state == "closed"
            ])
            .unwrap();
        let mut fact = self
            .tx
            .prepare_cached("INSERT INTO case_facts (case_id, fact_key, occurred_at, learnt_at, actor, message_id, fact) VALUES (?1, ?2, ?3, ?3, 'send-triage', ?4, ?5)")
            .unwrap();
        let opened = format!(
            r#"{{"what":"opened","matter":"question","due_on":"{promised_on}","first_response_on":null,"step":"coordinator","step_due_on":null}}"#
        );
        fact.execute(params![case, "opened", received, message, opened]).unwrap();
        if let Some(at) = answered {
            fact.execute(params![case, "answered", at, message, r#"{"what":"answered"}"#]).unwrap();
        }
        self.tx
            .prepare_cached("INSERT INTO case_messages VALUES (?1, ?2, 'opened')")
            .unwrap()
            .execute([message, case])
            .unwrap();
        self.letter(case, message, received);
        let mut event = self
            .tx
            .prepare_cached("INSERT INTO events (happened_at, actor, what, case_id, message_id, detail) VALUES (?1, 'x', ?2, ?3, ?4, ?5)")
            .unwrap();
        event.execute(params![received, "opened", case, message, opened]).unwrap();
        event.execute(params![received + 9, "acknowledged", case, message, "{}"]).unwrap();
        if case % 60 == 0 {
            event
                .execute(params![
                    received + 4000,
                    "corrected",
                    case,
                    message,
                    r#"{"from":{},"to":{"queue":"assessment"}}"#
                ])
                .unwrap();
        }
    }

    fn letter(&mut self, case: i64, message: i64, received: i64) {
        let delay = self.below(60) as i64;
        let mut letter = self
            .tx
            .prepare_cached(
                "INSERT INTO letters (id, kind, answers, message_id, envelope_to, recipient, recipient_domain, planned_at, sent_at)
                 VALUES (?1, 'acknowledge', ?2, ?3, ?4, ?4, 'home.example', ?5, ?5 + ?6)",
            )
            .unwrap();
        let to = format!("parent-{}@home.example", message % 30_000);
        letter
            .execute(params![case, message, format!("ack-{case}@council.example"), to, received + 3, delay])
            .unwrap();
        let mut effect = self
            .tx
            .prepare_cached(
                "INSERT INTO effects (kind, message_id, account, letter_id, location_id, mailbox_id, payload, state, not_before, attempts, planned_at, done_at)
                 VALUES (?1, ?2, 'general', ?3, ?4, ?5, ?6, 'done', ?7, 1, ?7, ?7)",
            )
            .unwrap();
        let none = None::<i64>;
        effect.execute(params!["acknowledge", message, case, none, none, "{}", received]).unwrap();
        let to = r#"{"to":{"account":"general","folder":"Triage/General"},"flagged":false}"#;
        effect.execute(params!["file", message, none, message, 1, to, received]).unwrap();
        if case % 400 == 0 {
            let mut bounce =
                self.tx.prepare_cached("INSERT INTO bounces VALUES (?1, NULL, ?2, '5.1.1')").unwrap();
            bounce.execute(params![case, received + 60]).unwrap();
        }
    }

    /// A machine's message, or one that asks again.
    fn beside(&mut self, case: i64, received: i64) {
        if case % 6 == 0 {
            let message = self.message(received, "person", None, ("general", "east", "other"));
            self.tx
                .prepare_cached("INSERT INTO case_messages VALUES (?1, ?2, 'chaser')")
                .unwrap()
                .execute([message, case])
                .unwrap();
        } else {
            self.message(received, "list", Some("not written by a person"), ("none", "unknown", "other"));
        }
    }
}
