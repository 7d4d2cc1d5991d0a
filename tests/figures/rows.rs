//! Every row of a record, read into memory; and each case lived through its facts, by the table of `docs/cases.md`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use rusqlite::{Connection, Row};
use serde_json::Value;

pub fn london(seconds: i64) -> NaiveDate {
    DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&chrono_tz::Europe::London).date_naive()
}

pub struct Case {
    pub id: i64,
    pub reference: String,
    pub opening: i64,
    pub state: String,
    pub urgent: bool,
    pub queue: String,
    pub area: String,
    pub received: i64,
    pub first_response_on: Option<NaiveDate>,
    pub responded: bool,
    pub due_on: Option<NaiveDate>,
    pub matter: String,
    pub step: u8,
    pub step_due_on: Option<NaiveDate>,
    pub chasers: u32,
    pub missing: Option<i64>,
}

impl Case {
    pub fn waits(&self) -> bool {
        self.state == "open" || self.state == "extended"
    }
}

pub struct Message {
    pub received: i64,
    pub mailbox: i64,
    pub sender: Option<String>,
    pub subject: String,
}

pub struct Decision {
    pub at: i64,
    pub kind: String,
    pub grounds: Vec<String>,
    pub queue: String,
    pub area: String,
    pub unsure: bool,
    pub withheld: Option<String>,
    pub role: Option<String>,
}

/// One answer that was owed.
pub struct Turn {
    pub case: i64,
    pub number: u32,
    pub asked: NaiveDate,
    pub promised: NaiveDate,
    pub due: NaiveDate,
    pub answered: Option<NaiveDate>,
    pub dropped: bool,
}

/// The whole record.
pub struct Everything {
    pub cases: Vec<Case>,
    pub messages: BTreeMap<i64, Message>,
    pub decisions: BTreeMap<i64, Decision>,
    /// message: (case, role)
    pub belongs: BTreeMap<i64, (i64, String)>,
    pub turns: Vec<Turn>,
    pub mailboxes: BTreeMap<i64, (String, String, i64)>,
}

pub fn all<T>(raw: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    raw.prepare(sql).unwrap().query_map([], |row| read(row)).unwrap().map(Result::unwrap).collect()
}

pub fn day_of(text: Option<String>) -> Option<NaiveDate> {
    text.map(|text| text.parse().unwrap())
}

pub fn read(raw: &Connection) -> Everything {
    let cases = all(raw, "SELECT * FROM cases", |row| {
        Ok(Case {
            id: row.get("id")?,
            reference: row.get("reference")?,
            opening: row.get("opening_message")?,
            state: row.get("state")?,
            urgent: row.get::<_, String>("urgency")? == "urgent",
            queue: row.get("queue")?,
            area: row.get("area")?,
            received: row.get("received_at")?,
            first_response_on: day_of(row.get("first_response_on")?),
            responded: row.get::<_, Option<i64>>("first_response_at")?.is_some(),
            due_on: day_of(row.get("due_on")?),
            matter: row.get("matter")?,
            step: row.get("step")?,
            step_due_on: day_of(row.get("step_due_on")?),
            chasers: row.get("chasers")?,
            missing: row.get("missing_since")?,
        })
    });
    let messages = all(raw, "SELECT * FROM messages", |row| {
        Ok((
            row.get("id")?,
            Message {
                received: row.get("received_at")?,
                mailbox: row.get("mailbox_id")?,
                sender: row.get("sender")?,
                subject: row.get("subject")?,
            },
        ))
    });
    let decisions = all(raw, "SELECT * FROM decisions", |row| {
        let grounds: String = row.get("grounds")?;
        Ok((
            row.get("message_id")?,
            Decision {
                at: row.get("decided_at")?,
                kind: row.get("kind")?,
                grounds: serde_json::from_str(&grounds).unwrap(),
                queue: row.get("queue")?,
                area: row.get("area")?,
                unsure: row.get("unsure")?,
                withheld: row.get("withheld")?,
                role: row.get("sender_role")?,
            },
        ))
    });
    let belongs = all(raw, "SELECT message_id, case_id, role FROM case_messages", |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
    });
    let facts = all(raw, "SELECT case_id, occurred_at, fact_key, fact FROM case_facts", |row| {
        let fact: String = row.get(3)?;
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, fact))
    });
    let mut turns = Vec::new();
    for case in &cases {
        let of_case = facts.iter().filter(|(id, ..)| *id == case.id);
        turns.extend(lived(
            case.id,
            of_case
                .map(|(_, at, key, fact)| (*at, key.clone(), serde_json::from_str(fact).unwrap()))
                .collect(),
        ));
    }
    let mailboxes = all(raw, "SELECT * FROM mailboxes", |row| {
        Ok((row.get("id")?, (row.get("account")?, row.get("folder")?, row.get("last_seen_at")?)))
    });
    Everything {
        cases,
        messages: messages.into_iter().collect(),
        decisions: decisions.into_iter().collect(),
        belongs: belongs.into_iter().collect(),
        turns,
        mailboxes: mailboxes.into_iter().collect(),
    }
}

/// Lives a case through its facts by the table of `docs/cases.md`, noting each answer that is owed.
fn lived(case: i64, mut facts: Vec<(i64, String, Value)>) -> Vec<Turn> {
    // At one moment questions stand before answers.
    let rank = |fact: &Value| match fact["what"].as_str().unwrap() {
        "opened" => 0,
        "chased" | "added" | "thanked" => 1,
        "passed-on" | "held-over" => 2,
        "answered" => 3,
        _ => 4,
    };
    facts.sort_by_key(|(at, key, fact)| (*at, rank(fact), key.clone()));
    let day = |fact: &Value, key: &str| fact[key].as_str().unwrap().parse::<NaiveDate>().unwrap();
    let Some((opened_at, _, opened)) = facts.iter().find(|(_, _, fact)| fact["what"] == "opened") else {
        return Vec::new();
    };
    let new =
        |number, asked, due| Turn { case, number, asked, promised: due, due, answered: None, dropped: false };
    let mut turns = vec![new(1, london(*opened_at), day(opened, "due_on"))];
    let mut state = "waiting";
    for (at, _, fact) in &facts {
        let next = turns.len() as u32 + 1;
        let turn = turns.last_mut().unwrap();
        match (fact["what"].as_str().unwrap(), state) {
            ("answered", "waiting") => (turn.answered, state) = (Some(london(*at)), "answered"),
            ("held-over", "waiting") => turn.due = turn.due.max(day(fact, "until")),
            ("closed", "waiting") => (turn.dropped, state) = (true, "closed"),
            ("closed", "answered") => state = "closed",
            ("chased", "answered") => {
                turns.push(new(next, london(*at), day(fact, "reopened_due_on")));
                state = "waiting";
            }
            ("reopened", "answered" | "closed") => {
                turns.push(new(next, london(*at), day(fact, "due_on")));
                state = "waiting";
            }
            // Opened again while it waits: the day moves, what was promised stays.
            ("reopened", "waiting") => turn.due = day(fact, "due_on"),
            _ => {}
        }
    }
    turns
}
