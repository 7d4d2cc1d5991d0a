//! What letters to staff are made of, and the mark that a round of them was made: once for each day, whatever is restarted.
//!
//! Reading, but for the marks and the letters. What is said to whom, and when, is `daemon/rounds.rs`'s to say.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction};
use serde_json::json;

use super::Records;
use super::enter::add_event;
use super::error::{Fault, RecordError};
use super::place::{LIES_IN, lies_in};
use super::rows::{MessageRow, date, instant, list, maybe_instant, message_rows};
use super::settle::plan;
use super::value::At;
use crate::effect::{Destination, Effect};

/// A round of letters that is made once for a day at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// The daily letter.
    Reminders,
    /// Urgent mail that came out of working hours, gathered.
    Gathered,
    /// The weekly digest; its day is the Monday of the week that it is about.
    Digest,
}

impl Round {
    /// The word for it in the audit.
    fn word(self) -> &'static str {
        match self {
            Self::Reminders => "reminded",
            Self::Gathered => "gathered",
            Self::Digest => "digest",
        }
    }
}

/// The last round of its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The day for which it was made.
    pub day: NaiveDate,
    /// The last message that it spoke of, or could have.
    pub up_to: i64,
}

/// Whether the mailboxes are being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When the first was taken into use; `None`: none was.
    pub first_use_at: Option<DateTime<Utc>>,
    /// When the one was last seen that was not seen for longest; `None` likewise.
    pub longest_unseen_at: Option<DateTime<Utc>>,
}

/// A case that waits for an answer, as letters to staff tell of it. `Debug` is not derived: the sender is for looking up what
/// else they asked, and stands in no letter.
#[derive(Clone, PartialEq, Eq)]
pub struct WaitingCase {
    /// The message that opened it.
    pub message: i64,
    /// Its sender.
    pub sender: Option<String>,
    /// `SEND-7K4M-2Q9X`.
    pub reference: String,
    /// `open` or `extended`.
    pub state: String,
    /// `question` or `call-back`.
    pub matter: String,
    /// `urgent` or `standard`.
    pub urgency: String,
    /// The grounds decided on at intake.
    pub grounds: Vec<String>,
    /// The team.
    pub queue: String,
    /// `east`, `west`, `unknown`.
    pub area: String,
    /// When the opening message was received.
    pub received_at: DateTime<Utc>,
    /// When the answer is due.
    pub due_on: Option<NaiveDate>,
    /// Target for a first response.
    pub first_response_on: Option<NaiveDate>,
    /// When staff first responded.
    pub first_response_at: Option<DateTime<Utc>>,
    /// The step of the escalation, 1 to 4.
    pub step: u8,
    /// That step's target; `None` at step 1.
    pub step_due_on: Option<NaiveDate>,
    /// How often the sender's side asked again.
    pub chasers: u32,
    /// Since when its message is found in none of our folders.
    pub missing_since: Option<DateTime<Utc>>,
    /// A person should look at the decision about the opening message.
    pub unsure: bool,
    /// Where the opening message lies as far as we know: where staff moved it, else where we filed it, else where it came in.
    pub lies_in: Destination,
}

/// A notice that was not handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// To whom.
    pub recipient: String,
    /// It is not tried again by itself: it was refused for good, or nobody knows whether it was taken.
    pub waits_for_a_person: bool,
    /// What went wrong last; `None`: it was not tried.
    pub problem: Option<String>,
}

/// Every case that waits, with where its message lies.
fn waiting_sql(conditions: &str) -> String {
    format!(
        "SELECT c.*, d.grounds, d.unsure, m.sender, b.account, b.folder, {LIES_IN}
         FROM cases c
         JOIN messages m ON m.id = c.opening_message
         JOIN mailboxes b ON b.id = m.mailbox_id
         LEFT JOIN decisions d ON d.message_id = m.id
         WHERE c.state IN ('open', 'extended') {conditions}"
    )
}

const NOT_HANDED_OVER: &str = "SELECT l.envelope_to, f.state = 'stuck', f.problem
    FROM letters l JOIN effects f ON f.letter_id = l.id AND f.kind = 'notice'
    WHERE l.topic = ?1 AND l.kind = 'notice' AND f.state <> 'done' ORDER BY l.id";
const LAST: &str = "SELECT detail ->> '$.day', detail ->> '$.up_to' FROM events
    WHERE what = ?1 AND case_id IS NULL ORDER BY id DESC LIMIT 1";

impl Records {
    /// The last round of this sort; `None`: there was none yet.
    pub fn last_round(&self, round: Round) -> Result<Option<Mark>, RecordError> {
        self.read(|connection| last(connection, round))
    }

    /// Writes down the letters of a round and that it was made, both or neither. `None`: it was made for that day, or a later
    /// one, before; nothing is written.
    pub fn make_round(
        &self,
        round: Round,
        mark: Mark,
        letters: &[Effect],
        now: DateTime<Utc>,
    ) -> Result<Option<usize>, RecordError> {
        self.write(|tx| {
            if last(tx, round)?.is_some_and(|last| last.day >= mark.day) {
                return Ok(None);
            }
            let planned = plan_all(tx, None, letters, now)?;
            let detail = json!({ "day": mark.day, "up_to": mark.up_to, "letters": planned });
            add_event(tx, now, round.word(), None, None, &detail)?;
            Ok(Some(planned))
        })
    }

    /// Writes down letters to staff, on account of a message where there is one. Returns how many were not planned before.
    pub fn notify(
        &self,
        message: Option<i64>,
        letters: &[Effect],
        now: DateTime<Utc>,
    ) -> Result<usize, RecordError> {
        self.write(|tx| plan_all(tx, message, letters, now))
    }

    /// The notices about this topic that were not handed over, or not for certain, with what went wrong last.
    pub fn not_handed_over(&self, topic: &str) -> Result<Vec<Unsent>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(NOT_HANDED_OVER)?;
            let rows = statement.query_map([topic], |row| {
                Ok(Unsent { recipient: row.get(0)?, waits_for_a_person: row.get(1)?, problem: row.get(2)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The number of the newest message; 0: there is none.
    pub fn newest_message(&self) -> Result<i64, RecordError> {
        self.read(|connection| {
            Ok(connection.query_row("SELECT coalesce(max(id), 0) FROM messages", [], |row| row.get(0))?)
        })
    }

    /// Since when mailboxes are in use, and which of them was not seen for longest.
    pub fn mailboxes_seen(&self) -> Result<Seen, RecordError> {
        self.read(|connection| {
            let seen = "SELECT min(taken_into_use_at), min(last_seen_at) FROM mailboxes";
            let at = |value: Option<At>| value.map(|At(at)| at);
            Ok(connection.query_row(seen, [], |row| {
                Ok(Seen { first_use_at: at(row.get(0)?), longest_unseen_at: at(row.get(1)?) })
            })?)
        })
    }

    /// Every case that waits for an answer, the soonest due first.
    pub fn waiting_cases(&self) -> Result<Vec<WaitingCase>, RecordError> {
        self.read(|connection| {
            waiting(connection, "ORDER BY c.due_on IS NULL, c.due_on, c.received_at, c.id", &[])
        })
    }

    /// Urgent cases whose message came after this one and that nobody was alerted to. What lay in a mailbox before that was
    /// taken into use is left out.
    pub fn urgent_without_alert(
        &self,
        after: i64,
        since: DateTime<Utc>,
    ) -> Result<Vec<WaitingCase>, RecordError> {
        let conditions = "AND c.urgency = 'urgent' AND m.id > ?1 AND m.entered_at >= ?2
             AND m.received_at >= b.taken_into_use_at
             AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.answers = m.id AND l.kind = 'alert')
             ORDER BY c.received_at, c.id";
        self.read(|connection| waiting(connection, conditions, &[&after, &At(since)]))
    }

    /// Cases that came to the Resolution Team, of which something was learnt since then, and that it was not told of.
    pub fn unbriefed(&self, since: DateTime<Utc>) -> Result<Vec<WaitingCase>, RecordError> {
        let conditions = "AND (c.queue = 'resolution' OR c.step = 4) AND m.received_at >= b.taken_into_use_at
             AND EXISTS (SELECT 1 FROM case_facts f WHERE f.case_id = c.id AND f.learnt_at >= ?1)
             AND NOT EXISTS (SELECT 1 FROM letters l
                 WHERE l.topic = 'briefing/' || c.reference AND l.kind = 'notice')
             ORDER BY c.received_at, c.id";
        self.read(|connection| waiting(connection, conditions, &[&At(since)]))
    }

    /// What the trace of the decision about a message says under this name; `None`: nothing.
    pub fn traced(&self, message: i64, rule: &str) -> Result<Option<String>, RecordError> {
        self.read(|connection| {
            let decision = super::cases::decision(connection, message)?;
            let trace = decision.map(|decision| decision.trace).unwrap_or_default();
            let found = trace.as_array().into_iter().flatten().find(|finding| finding["rule"] == rule);
            Ok(found.and_then(|finding| finding["reason"].as_str()).map(str::to_owned))
        })
    }

    /// Messages that came after this one and got no acknowledgement, with the reason. What lay in a mailbox before that was
    /// taken into use is left out.
    pub fn withheld_after(&self, message: i64, since: DateTime<Utc>) -> Result<Vec<MessageRow>, RecordError> {
        let conditions = "WHERE d.withheld IS NOT NULL AND m.id > ?1 AND d.decided_at >= ?2
             AND m.received_at >= b.taken_into_use_at ORDER BY m.id";
        self.read(|connection| message_rows(connection, conditions, &[&message, &At(since)]))
    }
}

fn plan_all(
    tx: &Transaction<'_>,
    message: Option<i64>,
    letters: &[Effect],
    now: DateTime<Utc>,
) -> Result<usize, Fault> {
    letters
        .iter()
        .try_fold(0, |planned, letter| Ok(planned + usize::from(plan(tx, letter, message, None, now)?)))
}

fn last(connection: &Connection, round: Round) -> Result<Option<Mark>, Fault> {
    let found: Option<(String, i64)> = connection
        .prepare_cached(LAST)?
        .query_row([round.word()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(day, up_to)| Some(Mark { day: day.parse().ok()?, up_to })))
}

fn waiting(
    connection: &Connection,
    conditions: &str,
    params: &[&dyn ToSql],
) -> Result<Vec<WaitingCase>, Fault> {
    let mut statement = connection.prepare_cached(&waiting_sql(conditions))?;
    Ok(statement.query_map(params, waiting_case)?.collect::<rusqlite::Result<_>>()?)
}

fn waiting_case(row: &Row<'_>) -> rusqlite::Result<WaitingCase> {
    Ok(WaitingCase {
        message: row.get("opening_message")?,
        sender: row.get("sender")?,
        reference: row.get("reference")?,
        state: row.get("state")?,
        matter: row.get("matter")?,
        urgency: row.get("urgency")?,
        grounds: list(row, "grounds")?,
        queue: row.get("queue")?,
        area: row.get("area")?,
        received_at: instant(row, "received_at")?,
        due_on: date(row, "due_on")?,
        first_response_on: date(row, "first_response_on")?,
        first_response_at: maybe_instant(row, "first_response_at")?,
        step: row.get("step")?,
        step_due_on: date(row, "step_due_on")?,
        chasers: row.get("chasers")?,
        missing_since: maybe_instant(row, "missing_since")?,
        unsure: row.get::<_, Option<bool>>("unsure")?.unwrap_or(false),
        lies_in: lies_in(row)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::*;
    use crate::letter::Letter;
    use crate::record::{EnteredAs, EntryOutcome};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn letter(to: &str, topic: &str) -> Effect {
        Effect::Notice {
            account: "general".into(),
            letter: Letter {
                message_id: format!("notice-{topic}-{to}@council.example"),
                envelope_from: None,
                envelope_to: to.into(),
                raw: b"Subject: x\r\n\r\nx\r\n".to_vec(),
            },
            topic: topic.into(),
            not_before: at(0),
        }
    }

    #[test]
    fn a_round_is_made_once_a_day_even_after_a_restart_and_a_clock_that_went_back() {
        let sample = Sample::new();
        let round = Round::Reminders;
        let make = |sample: &Sample, on: &str, to: &str| {
            let mark = Mark { day: day(on), up_to: 7 };
            let letters = [letter(to, &format!("reminder/{on}"))];
            sample.records.make_round(round, mark, &letters, at(50)).unwrap()
        };
        assert_eq!(sample.records.last_round(round).unwrap(), None);
        assert_eq!(make(&sample, "2026-11-23", "lead@council.example"), Some(1));
        let sample = sample.close().open();
        assert_eq!(make(&sample, "2026-11-23", "another@council.example"), None);
        assert_eq!(make(&sample, "2026-11-20", "another@council.example"), None);
        let known = Mark { day: day("2026-11-23"), up_to: 7 };
        assert_eq!(sample.records.last_round(round).unwrap(), Some(known));
        assert_eq!(sample.records.last_round(Round::Gathered).unwrap(), None);
        assert_eq!(make(&sample, "2026-11-24", "lead@council.example"), Some(1));
        assert_eq!(sample.count("letters"), 2);
    }

    #[test]
    fn a_letter_about_one_thing_goes_to_each_recipient_once() {
        let sample = Sample::new();
        let both = [letter("a@council.example", "briefing/x"), letter("b@council.example", "briefing/x")];
        assert_eq!(sample.records.notify(None, &both, at(1)).unwrap(), 2);
        assert_eq!(sample.records.notify(None, &both, at(2)).unwrap(), 0);
    }

    #[test]
    fn what_waits_is_listed_with_where_it_lies_and_what_was_not_told_of() {
        let sample = Sample::new();
        for uid in 1..=4 {
            sample.enter_one(uid);
        }
        let waiting = sample.records.waiting_cases().unwrap();
        assert_eq!(waiting.len(), 4);
        assert!(waiting.is_sorted_by_key(|case| case.due_on));
        assert_eq!(waiting[0].lies_in.folder, "Triage/East");
        let urgent = sample.records.urgent_without_alert(2, at(0)).unwrap();
        assert_eq!(urgent.iter().map(|case| case.message).collect::<Vec<_>>(), [4]);
        assert!(sample.records.unbriefed(at(0)).unwrap().is_empty());
        sample.sql("UPDATE cases SET queue = 'resolution' WHERE id = 2");
        let briefed = sample.records.unbriefed(at(0)).unwrap().remove(0);
        let topic = format!("briefing/{}", briefed.reference);
        sample.records.notify(Some(briefed.message), &[letter("r@council.example", &topic)], at(5)).unwrap();
        assert!(sample.records.unbriefed(at(0)).unwrap().is_empty());
    }

    #[test]
    fn a_case_lies_where_its_own_message_was_filed_and_not_where_a_further_copy_was() {
        let sample = Sample::new();
        let EnteredAs::New { message, .. } = sample.enter_one(1).what else { panic!() };
        let EntryOutcome::Decided { mut effects, .. } = sample.letter_writer(2).outcome else { panic!() };
        effects.retain_mut(|effect| match effect {
            Effect::File { to, .. } => {
                to.folder = "Triage/Duplicates".into();
                true
            }
            _ => false,
        });
        assert_eq!(effects.len(), 1);
        let copy = sample.with(2, EntryOutcome::Copy { of: message, effects });
        sample.records.enter(&sample.batch(vec![copy])).unwrap();
        assert_eq!(sample.records.waiting_cases().unwrap()[0].lies_in.folder, "Triage/East");
    }

    #[test]
    fn what_is_asked_every_minute_is_answered_by_an_index() {
        let sample = Sample::new();
        let plan =
            sample.plan("SELECT 1 FROM letters l WHERE l.topic = 'briefing/' || 'x' AND l.kind = 'notice'");
        assert!(plan.contains("letters_one_notice_each"), "{plan}");
        let plan = sample.plan(&waiting_sql("AND c.step = 4"));
        assert!(plan.contains("cases_by_due"), "{plan}");
    }
}
