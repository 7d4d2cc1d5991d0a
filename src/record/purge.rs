//! Retention: what is settled for long enough loses the people in it. Rows stay with their dates, teams and outcomes, so that
//! what managers were told of past weeks stays what it was; addresses, subjects, Message-IDs, quoted words and reasons go.
//!
//! UK GDPR article 5(1)(e), storage limitation; `docs/data-protection.md` has the table. What concerns one person, at their
//! request, is `person.rs`. The mail itself lies in the mailboxes, and is theirs to keep or delete.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Records;
use super::enter::add_event;
use super::error::{Fault, RecordError};
use super::value::{At, Json};

/// How much lost its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Purged {
    /// Cases, with all their messages.
    pub cases: usize,
    /// Messages, those of the cases among them.
    pub messages: usize,
    /// Letters to staff that concern no single message.
    pub notices: usize,
}

impl Purged {
    /// Both together.
    pub fn and(self, more: Self) -> Self {
        Self {
            cases: self.cases + more.cases,
            messages: self.messages + more.messages,
            notices: self.notices + more.notices,
        }
    }

    /// Whether there was nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Something about somebody is still in the message's rows.
const NAMES_SOMEBODY: &str =
    "(m.sender IS NOT NULL OR m.message_id IS NOT NULL OR m.words IS NOT NULL OR m.subject <> ''
    OR EXISTS (SELECT 1 FROM participants p WHERE p.message_id = m.id)
    OR EXISTS (SELECT 1 FROM letters l WHERE l.answers = m.id AND l.recipient_domain <> 'purged')
    OR EXISTS (SELECT 1 FROM decisions d WHERE d.message_id = m.id AND d.trace <> '[]'))";
/// A letter of it is still to be sent or looked for, or it is still to be filed.
pub(super) const IN_HAND: &str = "EXISTS (SELECT 1 FROM effects e
    WHERE e.message_id = m.id AND e.state IN ('pending', 'sending', 'uncertain', 'adrift'))";
/// What the audit keeps of an event: dates, numbers, labels and folders, and nothing that anybody wrote.
const KEPT: [&str; 20] = [
    "day_zero",
    "due_on",
    "first_response_on",
    "skipped",
    "matter",
    "step",
    "step_due_on",
    "occurred_at",
    "until",
    "escalated_due_on",
    "reopened_due_on",
    "effect",
    "outcome",
    "letters",
    "day",
    "up_to",
    "from",
    "to",
    "moved_to",
    "cases",
];

impl Records {
    /// Takes the people out of what has been settled since before this instant: cases answered or closed of which nothing
    /// was heard since, and mail without a case that came before. At most so many of each at once; call it until it
    /// finds nothing.
    pub fn purge_settled(
        &self,
        before: DateTime<Utc>,
        at_most: usize,
        now: DateTime<Utc>,
    ) -> Result<Purged, RecordError> {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        self.write(|tx| {
            let mut purged = Purged::default();
            for case in settled_cases(tx, before, at_most)? {
                purged.messages += forget_case(tx, case, now)?;
                purged.cases += 1;
            }
            for message in settled_messages(tx, before, at_most)? {
                forget_message(tx, message, true)?;
                purged.messages += 1;
            }
            purged.notices = forget_notices(tx, before)?;
            if !purged.is_nothing() {
                let detail = json!({ "cases": purged.cases, "messages": purged.messages, "before": before });
                add_event(tx, now, "purged", None, None, &detail)?;
            }
            Ok(purged)
        })
    }

    /// What [`Self::purge_settled`] would find now.
    pub fn would_purge(&self, before: DateTime<Utc>) -> Result<Purged, RecordError> {
        self.rehearse(|tx| {
            let cases = settled_cases(tx, before, -1)?;
            let mut messages = settled_messages(tx, before, -1)?.len();
            for case in &cases {
                messages += messages_of(tx, *case)?.len();
            }
            Ok(Purged { cases: cases.len(), messages, notices: forget_notices(tx, before)? })
        })
    }
}

fn numbers(
    connection: &Connection,
    sql: &str,
    params: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params, |row| row.get(0))?.collect()
}

fn settled_cases(connection: &Connection, before: DateTime<Utc>, at_most: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = format!(
        "SELECT c.id FROM cases c
         WHERE c.state IN ('answered', 'closed') AND c.received_at < ?1
             AND NOT EXISTS (SELECT 1 FROM case_facts f WHERE f.case_id = c.id AND f.occurred_at >= ?1)
             AND NOT EXISTS (SELECT 1 FROM case_messages x JOIN messages m ON m.id = x.message_id
                 WHERE x.case_id = c.id AND (m.received_at >= ?1 OR {IN_HAND}))
             AND EXISTS (SELECT 1 FROM case_messages x JOIN messages m ON m.id = x.message_id
                 WHERE x.case_id = c.id AND {NAMES_SOMEBODY})
         ORDER BY c.id LIMIT ?2"
    );
    numbers(connection, &sql, &[&At(before), &at_most])
}

fn settled_messages(
    connection: &Connection,
    before: DateTime<Utc>,
    at_most: i64,
) -> rusqlite::Result<Vec<i64>> {
    let sql = format!(
        "SELECT m.id FROM messages m
         WHERE m.received_at < ?1 AND NOT {IN_HAND} AND {NAMES_SOMEBODY}
             AND NOT EXISTS (SELECT 1 FROM case_messages x WHERE x.message_id = m.id)
         ORDER BY m.id LIMIT ?2"
    );
    numbers(connection, &sql, &[&At(before), &at_most])
}

pub(super) fn messages_of(connection: &Connection, case: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT message_id FROM case_messages WHERE case_id = ?1
        UNION SELECT opening_message FROM cases WHERE id = ?1 ORDER BY 1";
    numbers(connection, sql, &[&case])
}

/// Takes the people out of a case and its messages; returns how many messages.
pub(super) fn forget_case(tx: &Transaction<'_>, case: i64, now: DateTime<Utc>) -> Result<usize, Fault> {
    let messages = messages_of(tx, case)?;
    for message in &messages {
        forget_message(tx, *message, true)?;
    }
    forget_facts(tx, "case_id = ?1", &case, true)?;
    forget_events(tx, "case_id = ?1", &case, true)?;
    add_event(tx, now, "purged", Some(case), None, &json!({}))?;
    Ok(messages.len())
}

/// Takes the people out of everything that hangs on a message. What a person was to look at is let go: nothing of it could be
/// acted on any more. The fingerprint stays: a hash, by which the email is not taken for a new one when it is met again.
pub(super) fn forget_message(tx: &Transaction<'_>, message: i64, staff_too: bool) -> Result<(), Fault> {
    for sql in [
        "UPDATE messages SET message_id = NULL, sender = NULL, sender_domain = NULL, subject = '', words = NULL
         WHERE id = ?1",
        "DELETE FROM message_references WHERE message_id = ?1",
        "DELETE FROM participants WHERE message_id = ?1",
        "DELETE FROM staff_replies WHERE message_id = ?1",
        "UPDATE decisions SET trace = '[]' WHERE message_id = ?1",
        // What a server said may name the address.
        "UPDATE attempts SET detail = '' WHERE effect_id IN (SELECT id FROM effects WHERE message_id = ?1)",
        "UPDATE effects SET problem = NULL, state = CASE state WHEN 'stuck' THEN 'done' ELSE state END
         WHERE message_id = ?1",
        "UPDATE letters SET raw = NULL, envelope_from = NULL, envelope_to = 'purged/' || id,
             recipient = 'purged/' || id, recipient_domain = 'purged'
         WHERE answers = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([message])?;
    }
    forget_facts(tx, "message_id = ?1", &message, staff_too)?;
    forget_events(tx, "message_id = ?1", &message, staff_too)
}

/// Daily letters and the like: told once to each recipient, which after so long needs no memory.
fn forget_notices(tx: &Transaction<'_>, before: DateTime<Utc>) -> Result<usize, Fault> {
    let old = "(SELECT l.id FROM letters l WHERE l.answers IS NULL AND l.planned_at < ?1
        AND NOT EXISTS (SELECT 1 FROM effects e WHERE e.letter_id = l.id AND e.state NOT IN ('done', 'stuck')))";
    tx.execute(&format!("DELETE FROM effects WHERE letter_id IN {old}"), [At(before)])?;
    let gone = "DELETE FROM letters WHERE answers IS NULL AND planned_at < ?1
        AND NOT EXISTS (SELECT 1 FROM effects e WHERE e.letter_id = letters.id)";
    Ok(tx.execute(gone, [At(before)])?)
}

/// Who did it, without a name.
fn nobody(actor: &str, staff_too: bool) -> &str {
    match actor {
        "send-triage" => actor,
        _ if staff_too || actor.contains('@') => "staff",
        _ => actor,
    }
}

/// The standing of the case follows from its facts, so they stay; who did it, and to whom it was passed on, goes.
pub(super) fn forget_facts(
    tx: &Transaction<'_>,
    of: &str,
    what: &dyn rusqlite::ToSql,
    staff_too: bool,
) -> Result<(), Fault> {
    let rows: Vec<(i64, String, Json<Value>)> = tx
        .prepare_cached(&format!("SELECT id, actor, fact FROM case_facts WHERE {of}"))?
        .query_map([what], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, actor, Json(mut fact)) in rows {
        if let Some(to) = fact.get_mut("to") {
            *to = json!([]);
        }
        tx.prepare_cached("UPDATE case_facts SET actor = ?2, fact = ?3 WHERE id = ?1")?.execute(params![
            id,
            nobody(&actor, staff_too),
            Json(fact)
        ])?;
    }
    Ok(())
}

/// An event cannot be changed, so that the audit can be relied on: it is taken out and put back under its number and with its
/// time, without the people. That this was done is an event of its own.
pub(super) fn forget_events(
    tx: &Transaction<'_>,
    of: &str,
    what: &dyn rusqlite::ToSql,
    staff_too: bool,
) -> Result<(), Fault> {
    type Row = (i64, i64, String, String, Option<i64>, Option<i64>, Json<Value>);
    let rows: Vec<Row> = tx
        .prepare_cached(&format!(
            "DELETE FROM events WHERE {of}
             RETURNING id, happened_at, actor, what, case_id, message_id, detail"
        ))?
        .query_map([what], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (id, at, actor, what, case, message, Json(detail)) in rows {
        tx.prepare_cached(
            "INSERT INTO events (id, happened_at, actor, what, case_id, message_id, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            id,
            at,
            nobody(&actor, staff_too),
            what,
            case,
            message,
            Json(without_people(detail))
        ])?;
    }
    Ok(())
}

fn without_people(detail: Value) -> Value {
    let Value::Object(detail) = detail else { return json!({}) };
    // `to` and `from` are labels where a correction has them, and addresses where an email was passed on.
    let harmless = |key: &str, value: &Value| {
        KEPT.contains(&key) && (!matches!(key, "to" | "from") || value.is_object())
    };
    Value::Object(detail.into_iter().filter(|(key, value)| harmless(key, value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, EnteredAs, Which};
    use crate::case::Fact;
    use crate::case::life::Act;

    const DAY: i64 = 86_400;

    /// A case that is answered on its second day, with all its letters sent and its message filed.
    fn settled(sample: &Sample, uid: u32) -> i64 {
        let EnteredAs::New { case: Some(case), .. } = sample.enter_one(uid).what else { panic!() };
        sample.send_all(at(60));
        let which = Which::Mailbox { account: "general".into(), folder: "INBOX".into() };
        for due in sample.records.due_effects(which, at(60), 10).unwrap() {
            sample.records.done(due.id, at(60), &[]).unwrap();
        }
        let reference = &sample.reference_of(case);
        let why = "rang Mrs Plumtree about her son";
        sample.records.act(reference, Act::Answer, &Fact::Answered, "h.officer", why, at(DAY)).unwrap();
        case
    }

    fn bytes_hold(sample: &Sample, words: &str) -> bool {
        sample.records.tidy().unwrap();
        let bytes = std::fs::read(sample.path()).unwrap();
        bytes.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words.as_bytes()))
    }

    #[test]
    fn what_is_settled_for_long_loses_its_people_and_keeps_its_dates() {
        let sample = Sample::new();
        settled(&sample, 1);
        sample.enter_one(2); // Still waits.
        let before = sample.records.cases(&CaseFilter::default()).unwrap();
        assert!(sample.records.purge_settled(at(DAY - 5), 10, at(9 * DAY)).unwrap().is_nothing());
        let would = sample.records.would_purge(at(2 * DAY)).unwrap();
        assert_eq!((would.cases, would.messages), (1, 1));
        assert!(bytes_hold(&sample, "parent-1@home.example"), "looking changes nothing");

        let purged = sample.records.purge_settled(at(2 * DAY), 10, at(9 * DAY)).unwrap();
        assert_eq!(purged, would);
        for gone in ["parent-1@home", "timetable, 1", "question-1@", "Plumtree", "h.officer"] {
            assert!(!bytes_hold(&sample, gone), "{gone} is still in the file");
        }
        assert!(bytes_hold(&sample, "parent-2@home.example"), "the other still waits");
        let after = sample.records.cases(&CaseFilter::default()).unwrap();
        for (was, is) in before.iter().zip(&after) {
            assert_eq!(
                (&was.reference, &was.state, was.received_at, was.due_on, was.answered_at, &was.queue),
                (&is.reference, &is.state, is.received_at, is.due_on, is.answered_at, &is.queue)
            );
        }
        // The standing still follows from the facts, and the audit from its events.
        let reference = &after.iter().find(|row| row.state == "answered").unwrap().reference;
        let shown = sample.records.case(reference).unwrap().unwrap();
        let told: Vec<_> = shown.events.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(told, ["opened", "acknowledged", "filed", "answered", "purged"]);
        assert!(sample.records.purge_settled(at(2 * DAY), 10, at(9 * DAY)).unwrap().is_nothing(), "once");
        sample.records.integrity().unwrap();
    }

    #[test]
    fn a_purged_email_that_is_met_again_opens_no_new_case() {
        let sample = Sample::new();
        settled(&sample, 1);
        sample.records.purge_settled(at(2 * DAY), 10, at(9 * DAY)).unwrap();
        sample.records.resynchronise("general", "INBOX", 1, at(9 * DAY)).unwrap();
        let entered = sample.enter_one(1);
        assert!(matches!(entered.what, EnteredAs::Copy { .. }), "{entered:?}");
        assert_eq!((sample.count("cases"), sample.count("letters WHERE kind = 'acknowledge'")), (1, 1));
    }

    #[test]
    fn what_is_still_to_be_sent_is_not_purged_and_what_is_stuck_is_let_go() {
        let sample = Sample::new();
        let EnteredAs::New { .. } = sample.enter_one(1).what else { panic!() };
        sample.sql("UPDATE cases SET state = 'closed'");
        assert!(sample.records.purge_settled(at(2 * DAY), 10, at(9 * DAY)).unwrap().is_nothing());
        for (which, said) in [
            (Which::Letters { account: "general".into() }, "550 <parent-1@home.example>: no such user"),
            (Which::Mailbox { account: "general".into(), folder: "INBOX".into() }, "no right"),
        ] {
            for due in sample.records.due_effects(which, at(60), 10).unwrap() {
                sample.records.ask_a_person(due.id, said, at(60)).unwrap();
            }
        }
        assert_eq!(sample.records.purge_settled(at(2 * DAY), 10, at(9 * DAY)).unwrap().cases, 1);
        assert!(!bytes_hold(&sample, "parent-1@home"));
        assert_eq!(sample.records.standing().unwrap().stuck, 0);
    }
}
