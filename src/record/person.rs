//! One person's data taken out at their request, and what had to be left. The other way round, giving it to them, is
//! `export.rs`; what goes by itself after some time is `purge.rs`.
//!
//! UK GDPR article 17. Only addresses tell who somebody is here: what was written about a person under another address is
//! found only where it names theirs.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;
use serde_json::json;

use super::Records;
use super::enter::add_event;
use super::error::{Fault, RecordError};
use super::purge::{self, IN_HAND, Purged, forget_case, forget_events, forget_facts, forget_message};

/// What was left as it is, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The case's reference, or the number of a message without a case.
    pub what: String,
    /// Why, and what to do about it.
    pub why: String,
}

/// What they wrote: From or Reply-To.
const WRITTEN: &str = "SELECT m.id FROM messages m WHERE m.sender = ?1
    UNION SELECT message_id FROM participants WHERE address = ?1 AND role IN ('from', 'reply-to') ORDER BY 1";
/// Their cases: what they opened, and whether that still waits for something.
const OPENED: &str = "SELECT c.id, c.reference, c.state FROM cases c
    WHERE c.opening_message IN (SELECT m.id FROM messages m WHERE m.sender = ?1
        UNION SELECT message_id FROM participants WHERE address = ?1 AND role IN ('from', 'reply-to'))
    ORDER BY c.id";

impl Records {
    /// Takes everything about the person with this address out of the record: the cases that they opened, what else they
    /// wrote, letters to them, and their name wherever it stands. A case that still waits for an answer is left, and so is
    /// what is being sent.
    pub fn purge_person(
        &self,
        address: &str,
        now: DateTime<Utc>,
    ) -> Result<(Purged, Vec<Left>), RecordError> {
        self.write(|tx| purge_person(tx, &address.to_lowercase(), now))
    }

    /// What [`Self::purge_person`] would do now.
    pub fn would_purge_person(
        &self,
        address: &str,
        now: DateTime<Utc>,
    ) -> Result<(Purged, Vec<Left>), RecordError> {
        self.rehearse(|tx| purge_person(tx, &address.to_lowercase(), now))
    }
}

/// The messages that they wrote.
pub(super) fn written(connection: &Connection, address: &str) -> rusqlite::Result<BTreeSet<i64>> {
    connection.prepare_cached(WRITTEN)?.query_map([address], |row| row.get(0))?.collect()
}

/// The cases that they opened: number, reference, state.
pub(super) fn opened(connection: &Connection, address: &str) -> rusqlite::Result<Vec<(i64, String, String)>> {
    connection
        .prepare_cached(OPENED)?
        .query_map([address], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}

fn purge_person(
    tx: &Transaction<'_>,
    address: &str,
    now: DateTime<Utc>,
) -> Result<(Purged, Vec<Left>), Fault> {
    let (mut purged, mut left) = (Purged::default(), Vec::new());
    let mut kept = BTreeSet::new();
    let written = written(tx, address)?;
    for (case, reference, state) in opened(tx, address)? {
        let messages = purge::messages_of(tx, case)?;
        let mut in_hand = false;
        for message in &messages {
            in_hand |= is_in_hand(tx, *message)?;
        }
        let why = if matches!(state.as_str(), "open" | "extended") {
            "It still waits for an answer. Answer it, or close it with `send-triage cases close`, and purge again."
        } else if in_hand {
            "A letter is still being sent, or its message filed. Purge again later."
        } else {
            purged.messages += forget_case(tx, case, now)?;
            purged.cases += 1;
            continue;
        };
        kept.extend(messages);
        left.push(Left { what: reference, why: why.to_owned() });
    }
    // What they wrote elsewhere: in another's case, or in none. What was purged with its case names nobody any more.
    let mut elsewhere = written;
    elsewhere.retain(|message| !kept.contains(message));
    for message in elsewhere {
        if names_nobody(tx, message)? {
            continue;
        }
        if is_in_hand(tx, message)? {
            let why = "A letter is still being sent, or it is still to be filed. Purge again later.";
            left.push(Left { what: format!("message {message}"), why: why.to_owned() });
            kept.insert(message);
            continue;
        }
        forget_message(tx, message, false)?;
        purged.messages += 1;
    }
    forget_mentions(tx, address, &kept)?;
    if !purged.is_nothing() {
        // Not whom: that would be the last trace of it.
        let detail = json!({ "cases": purged.cases, "messages": purged.messages });
        add_event(tx, now, "purged", None, None, &detail)?;
    }
    Ok((purged, left))
}

fn is_in_hand(tx: &Transaction<'_>, message: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached(&format!("SELECT {IN_HAND} FROM messages m WHERE m.id = ?1"))?
        .query_row([message], |row| row.get(0))
}

fn names_nobody(tx: &Transaction<'_>, message: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT sender IS NULL AND subject = '' FROM messages WHERE id = ?1")?
        .query_row([message], |row| row.get(0))
}

/// The address wherever else it stands: as a recipient of what others wrote, in what a server said, in a finding's words.
fn forget_mentions(tx: &Transaction<'_>, address: &str, kept: &BTreeSet<i64>) -> Result<(), Fault> {
    let kept = serde_json::to_string(kept).unwrap_or_else(|_| "[]".to_owned());
    for sql in [
        "DELETE FROM participants WHERE address = ?1 AND message_id NOT IN (SELECT value FROM json_each(?2))",
        "DELETE FROM staff_replies WHERE instr(lower(reply), ?1) > 0
             AND message_id NOT IN (SELECT value FROM json_each(?2))",
        "UPDATE decisions SET trace = '[]' WHERE instr(lower(trace), ?1) > 0
             AND message_id NOT IN (SELECT value FROM json_each(?2))",
        "UPDATE messages SET subject = '', words = NULL WHERE instr(lower(subject), ?1) > 0
             AND id NOT IN (SELECT value FROM json_each(?2))",
        "UPDATE letters SET raw = NULL, envelope_to = 'purged/' || id, recipient = 'purged/' || id,
             recipient_domain = 'purged'
         WHERE recipient = ?1 AND coalesce(answers, 0) NOT IN (SELECT value FROM json_each(?2))
             AND NOT EXISTS (SELECT 1 FROM effects e WHERE e.letter_id = letters.id
                 AND e.state IN ('pending', 'sending', 'uncertain'))",
        "UPDATE attempts SET detail = '' WHERE instr(lower(detail), ?1) > 0
             AND effect_id NOT IN (SELECT id FROM effects
                 WHERE message_id IN (SELECT value FROM json_each(?2)))",
        "UPDATE effects SET problem = NULL WHERE instr(lower(coalesce(problem, '')), ?1) > 0
             AND coalesce(message_id, 0) NOT IN (SELECT value FROM json_each(?2))",
    ] {
        tx.prepare_cached(sql)?.execute(params![address, kept])?;
    }
    let of_kept = format!(
        "coalesce(message_id, 0) NOT IN (SELECT value FROM json_each('{kept}'))
         AND coalesce(case_id, 0) NOT IN (SELECT case_id FROM case_messages
             WHERE message_id IN (SELECT value FROM json_each('{kept}')))"
    );
    let fact = format!("(lower(actor) = ?1 OR instr(lower(fact), ?1) > 0) AND {of_kept}");
    forget_facts(tx, &fact, &address, false)?;
    let event = format!("(lower(actor) = ?1 OR instr(lower(detail), ?1) > 0) AND {of_kept}");
    forget_events(tx, &event, &address, false)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, CasePart, EnteredAs, EntryOutcome, Role, Which};
    use crate::case::Fact;
    use crate::case::life::Act;

    fn finish(sample: &Sample) {
        sample.send_all(at(60));
        let which = Which::Mailbox { account: "general".into(), folder: "INBOX".into() };
        for due in sample.records.due_effects(which, at(60), 10).unwrap() {
            sample.records.done(due.id, at(60), &[]).unwrap();
        }
    }

    fn bytes_hold(sample: &Sample, words: &str) -> bool {
        sample.records.tidy().unwrap();
        let bytes = std::fs::read(sample.path()).unwrap();
        bytes.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words.as_bytes()))
    }

    #[test]
    fn a_person_is_taken_out_of_their_own_and_of_others_cases() {
        let sample = Sample::new();
        let EnteredAs::New { case: Some(case), .. } = sample.enter_one(1).what else { panic!() };
        // Somebody else's case, in which the person of the first wrote too, under a name that others gave on.
        let EnteredAs::New { case: Some(other), .. } = sample.enter_one(2).what else { panic!() };
        let mut second = sample.letter_writer(3);
        second.sender = Some("Parent-1@home.example".into());
        second.participants = sample.letter_writer(1).participants;
        if let EntryOutcome::Decided { case, effects, .. } = &mut second.outcome {
            *case = CasePart::Joins { case: other, role: Role::Addition, facts: vec![Fact::Added] };
            effects.clear();
        }
        sample.records.enter(&sample.batch(vec![second])).unwrap();
        finish(&sample);
        let passed = Fact::PassedOn { to: vec!["parent-1@home.example".into()] };
        let rows = sample.records.cases(&CaseFilter::default()).unwrap();
        let reference = |number| sample.reference_of(number);
        sample.records.act(&reference(other), Act::Close, &passed, "h.officer", "", at(90)).unwrap();

        let (would, left) = sample.records.would_purge_person("PARENT-1@home.example", at(99)).unwrap();
        assert_eq!((would.cases, would.messages), (0, 1), "{left:?}");
        assert_eq!(left.len(), 1);
        assert!(left[0].what == reference(case) && left[0].why.contains("still waits"), "{left:?}");

        sample.records.act(&reference(case), Act::Close, &Fact::Closed, "h.officer", "", at(99)).unwrap();
        let (purged, left) = sample.records.purge_person("Parent-1@home.example", at(100)).unwrap();
        assert_eq!((purged.cases, purged.messages, left.len()), (1, 2, 0));
        assert!(!bytes_hold(&sample, "parent-1@home.example"));
        assert!(bytes_hold(&sample, "parent-2@home.example"), "the other person's case is theirs");
        let after = sample.records.cases(&CaseFilter::default()).unwrap();
        let dates = |rows: &[super::super::CaseRow]| {
            let of =
                |row: &super::super::CaseRow| (row.reference.clone(), row.received_at, row.queue.clone());
            rows.iter().map(of).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(dates(&after), dates(&rows), "what was counted stays counted");
        let again = sample.records.purge_person("parent-1@home.example", at(101)).unwrap();
        assert!(again.0.is_nothing() && again.1.is_empty(), "{again:?}");
        sample.records.integrity().unwrap();
    }

    #[test]
    fn what_is_being_sent_is_left_and_said() {
        let sample = Sample::new();
        sample.enter_one(1);
        let reference = sample.records.cases(&CaseFilter::default()).unwrap().remove(0).reference;
        sample.records.act(&reference, Act::Close, &Fact::Closed, "h.officer", "", at(9)).unwrap();
        let (purged, left) = sample.records.purge_person("parent-1@home.example", at(10)).unwrap();
        assert!(purged.is_nothing() && left[0].why.contains("later"), "{left:?}");
        finish(&sample);
        assert_eq!(sample.records.purge_person("parent-1@home.example", at(11)).unwrap().0.cases, 1);
    }
}
