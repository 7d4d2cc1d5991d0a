//! What is written down beside the facts so that figures can be counted: answers owed, how often rules held, letters that came
//! back. The counting itself is `figures/`.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::json;

use super::enter::add_event;
use super::error::Fault;
use super::facts;
use super::value::{At, On};
use crate::calendar::london;
use crate::case::{Happening, owed};
use crate::message::Returned;

const TALLY: &str = "INSERT INTO rule_tally (rule, spoke_on, times) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET times = times + excluded.times";
/// Only acknowledgements: staff's own mail system tells of the others. The same letter is returned once.
const RETURNED: &str = "SELECT l.id, cm.case_id, l.answers FROM letters l
    LEFT JOIN case_messages cm ON cm.message_id = l.answers
    WHERE l.message_id = ?1 AND l.kind = 'acknowledge'
        AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.letter_id = l.id)";

/// Writes down which rules held in one decision.
pub(super) fn spoke(tx: &Transaction<'_>, rules: &[String], at: DateTime<Utc>) -> rusqlite::Result<()> {
    let on = On(london::date(at));
    let mut tally = tx.prepare_cached(TALLY)?;
    for rule in rules {
        tally.execute(params![rule, on, 1])?;
    }
    Ok(())
}

/// Writes down that letters of ours came back, with a line in the audit of their cases. Ids that are none of ours are passed over.
pub(super) fn returned(
    tx: &Transaction<'_>,
    returned: &Returned,
    report: i64,
    received_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    for id in &returned.message_ids {
        let found: Option<(i64, Option<i64>, Option<i64>)> = tx
            .prepare_cached(RETURNED)?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((letter, case, answers)) = found else { continue };
        tx.prepare_cached(
            "INSERT INTO bounces (letter_id, message_id, received_at, status) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![letter, report, At(received_at), returned.status])?;
        let detail = json!({ "status": returned.status, "report": report, "occurred_at": received_at });
        add_event(tx, now, "returned", case, answers, &detail)?;
    }
    Ok(())
}

/// Writes down anew which answers are and were owed in a case.
pub(super) fn owed(tx: &Transaction<'_>, case: i64, happenings: &[Happening]) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM answers_owed WHERE case_id = ?1")?.execute([case])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO answers_owed (case_id, turn, asked_on, promised_on, due_on, answered_on, dropped)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (turn, one) in (1_i64..).zip(owed::owed(happenings)) {
        insert.execute(params![
            case,
            turn,
            On(one.asked_on),
            On(one.promised_on),
            On(one.due_on),
            one.answered_on.map(On),
            one.dropped
        ])?;
    }
    Ok(())
}

/// Fills these tables in a record of before version 4, from the facts and the traces in it.
pub(super) fn catch_up(tx: &Transaction<'_>) -> Result<(), Fault> {
    let mut statement = tx.prepare("SELECT id FROM cases ORDER BY id")?;
    let cases = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    for case in cases {
        owed(tx, case, &facts::happenings(tx, case)?)?;
    }
    // A trace names a rule for each finding; one decision counts once.
    let mut statement = tx.prepare(
        "SELECT f.value ->> '$.rule' AS rule, d.decided_at, count(DISTINCT d.message_id)
         FROM decisions d, json_each(d.trace) f
         WHERE f.value ->> '$.outcome' IN ('holds', 'noted') AND f.value ->> '$.rule' IS NOT NULL
         GROUP BY rule, d.decided_at",
    )?;
    let mut rows = statement.query([])?;
    let mut tally = tx.prepare_cached(TALLY)?;
    while let Some(row) = rows.next()? {
        let on: NaiveDate = london::date(row.get::<_, At>(1)?.0);
        tally.execute(params![row.get::<_, String>(0)?, On(on), row.get::<_, i64>(2)?])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CasePart, EntryOutcome, NewFact, StoredDecision};
    use super::*;
    use crate::case::Fact;

    fn report(ids: &[&str]) -> StoredDecision {
        StoredDecision {
            kind: "bounce".into(),
            withheld: Some("not written by a person".into()),
            returned: Some(Returned {
                message_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
                status: Some("5.1.1".into()),
            }),
            ..StoredDecision::default()
        }
    }

    fn silent(decision: StoredDecision) -> EntryOutcome {
        EntryOutcome::Decided { decision: Box::new(decision), case: CasePart::None, effects: Vec::new() }
    }

    #[test]
    fn a_report_that_returns_our_letter_is_noted_once_with_the_case() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.send_all(at(30));
        let first = sample.with(2, silent(report(&["unknown@council.example", "ack-1@council.example"])));
        let again = sample.with(3, silent(report(&["ack-1@council.example"])));
        sample.records.enter(&sample.batch(vec![first, again])).unwrap();
        assert_eq!(sample.count("bounces WHERE status = '5.1.1'"), 1);
        let case = &sample.records.cases(&Default::default()).unwrap()[0];
        let events = sample.records.case(&case.reference).unwrap().unwrap().events;
        let returned: Vec<_> = events.iter().filter(|event| event.what == "returned").collect();
        assert_eq!((returned.len(), returned[0].detail["status"].as_str()), (1, Some("5.1.1")));
        assert_eq!(case.state, "open", "the case goes on");
    }

    #[test]
    fn answers_owed_follow_the_facts_of_a_case() {
        let sample = Sample::new();
        sample.enter_one(1);
        assert_eq!(sample.count("answers_owed WHERE answered_on IS NULL AND turn = 1"), 1);
        let tell = |key: &str, seconds, fact| NewFact {
            case: 1,
            key: Some(key.into()),
            at: at(seconds),
            by: "j.doe".into(),
            message: None,
            fact,
            why: String::new(),
        };
        let reopened = Fact::Reopened { due_on: "2026-07-01".parse().unwrap() };
        // The later one is learnt first.
        sample.records.tell(&[tell("b", 200_000, reopened)], at(300_000)).unwrap();
        sample.records.tell(&[tell("a", 100_000, Fact::Answered)], at(300_000)).unwrap();
        assert_eq!(sample.count("answers_owed"), 2);
        assert_eq!(sample.count("answers_owed WHERE turn = 1 AND answered_on = '2026-06-02'"), 1);
        assert_eq!(
            sample.count("answers_owed WHERE turn = 2 AND answered_on IS NULL AND asked_on = '2026-06-03'"),
            1
        );
    }

    #[test]
    fn rules_are_tallied_by_day() {
        let sample = Sample::new();
        for uid in 1..=2 {
            let decision =
                StoredDecision { spoke: vec!["U4".into(), "role-parent".into()], ..Default::default() };
            sample.records.enter(&sample.batch(vec![sample.with(uid, silent(decision))])).unwrap();
        }
        assert_eq!(sample.count("rule_tally"), 2);
        assert_eq!(sample.count("rule_tally WHERE rule = 'U4' AND times = 2 AND spoke_on = '2026-06-01'"), 1);
    }

    #[test]
    fn letters_that_come_back_are_found_by_an_index() {
        let sample = Sample::new();
        let plan = sample.plan(RETURNED);
        assert!(plan.contains("letters_by_message_id"), "{plan}");
    }
}
