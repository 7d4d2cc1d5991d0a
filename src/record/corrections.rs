//! What staff said is right, kept as events of the message; and all that is known of a message when its decision is looked at
//! again. The decision itself stays as it was made. What a correction may say is [`crate::case::Correction`].

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde_json::json;

use super::cases::{self, DecisionDetail};
use super::error::{Fault, RecordError};
use super::facts::{self, NewFact};
use super::known::BY_FINGERPRINT;
use super::rows::instant;
use super::value::{At, Json};
use super::{MessageRow, Records};
use crate::case::{Correction, Fact, Labels};
use crate::effect::Destination;
use crate::message::Fingerprint;

/// A correction that is to be written down.
#[derive(Debug, Clone)]
pub struct NewCorrection {
    /// The message.
    pub message: i64,
    /// What is right. What is so already is left out.
    pub change: Correction,
    /// Who says so.
    pub by: String,
    /// Why; may be empty.
    pub why: String,
    /// The folder that staff moved it to; `None`: it was said by hand.
    pub moved_to: Option<Destination>,
    /// Target for a first response, should the matter now be one that has it (urgent, or resolution).
    pub first_response_on: Option<NaiveDate>,
}

/// A correction as it was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CorrectionRow {
    /// When.
    pub happened_at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// What it was before.
    pub from: Correction,
    /// What is right.
    pub to: Correction,
    /// Why; may be empty.
    pub why: String,
    /// The folder that it was found moved to.
    pub moved_to: Option<Destination>,
}

/// All that is known of a message when its decision is looked at again. `Debug` is not derived: it names people.
#[derive(Clone)]
pub struct Recalled {
    /// Its number.
    pub message: i64,
    /// Its case.
    pub reference: Option<String>,
    /// The account that it came to.
    pub account: String,
    /// When it was received there.
    pub received_at: DateTime<Utc>,
    /// The subject.
    pub subject: String,
    /// The decision as it was made.
    pub decision: DecisionDetail,
    /// What staff said since, the oldest first.
    pub corrections: Vec<CorrectionRow>,
    /// Where it lies as far as we know.
    pub places: Vec<Destination>,
}

impl Recalled {
    /// What was decided, in the words that corrections use.
    pub fn decided(&self) -> Labels {
        let decision = &self.decision;
        Labels {
            kind: decision.kind.clone(),
            urgency: decision.urgency.clone(),
            grounds: decision.grounds.clone(),
            queue: decision.queue.clone(),
            area: decision.area.clone(),
        }
    }

    /// What holds after all corrections.
    pub fn labels(&self) -> Labels {
        let decided = self.decided();
        let said = self.corrections.iter().fold(Correction::default(), |said, one| said.then(&one.to));
        let change = said.of(&decided);
        decided.corrected(&change)
    }
}

const BY_MESSAGE_ID: &str = "SELECT id FROM messages WHERE message_id = ?1 LIMIT 2";
const CORRECTIONS: &str = "SELECT happened_at, actor, detail FROM events
    WHERE what = 'corrected' AND message_id = ?1 ORDER BY id";
const CORRECTED: &str = "SELECT DISTINCT message_id FROM events
    WHERE what = 'corrected' AND message_id > ?1 ORDER BY message_id LIMIT 1";

impl Records {
    /// Writes down what staff say is right, and brings the case up to it. Returns what of it was news.
    pub fn correct(&self, new: &NewCorrection, now: DateTime<Utc>) -> Result<Correction, RecordError> {
        self.write(|tx| {
            let Some(mut recalled) = recall(tx, new.message)? else {
                return Err(RecordError::NotThere { path: self.path.clone() }.into());
            };
            let labels = recalled.labels();
            let change = new.change.clone().of(&labels);
            if change.is_empty() && new.moved_to.is_none() {
                return Ok(change);
            }
            let opened: Option<i64> = tx
                .prepare_cached("SELECT id FROM cases WHERE opening_message = ?1")?
                .query_row([new.message], |row| row.get(0))
                .optional()?;
            let detail = json!({ "from": change.before(&labels), "to": change, "why": new.why,
                "moved_to": new.moved_to });
            tx.prepare_cached(
                "INSERT INTO events (happened_at, actor, what, case_id, message_id, detail)
                 VALUES (?1, ?2, 'corrected', ?3, ?4, ?5)",
            )?
            .execute(params![At(now), new.by, opened, new.message, Json(detail)])?;
            recalled.corrections.push(CorrectionRow {
                happened_at: now,
                by: new.by.clone(),
                from: change.before(&labels),
                to: change.clone(),
                why: new.why.clone(),
                moved_to: new.moved_to.clone(),
            });
            let right = recalled.labels();
            let soon = right.urgency == "urgent" || right.queue == "resolution";
            let Some(case) = opened else { return Ok(change) };
            tx.prepare_cached("UPDATE cases SET urgency = ?2, queue = ?3, area = ?4 WHERE id = ?1")?
                .execute(params![case, right.urgency, right.queue, right.area])?;
            let before = facts::standing(tx, case)?;
            let first_response_on = before
                .and_then(|standing| standing.first_response_on)
                .or(new.first_response_on)
                .filter(|_| soon);
            let (by, why) = (new.by.clone(), new.why.clone());
            let fact = Fact::Relabelled { first_response_on };
            facts::tell_without_event(
                tx,
                &NewFact { case, key: None, at: now, by, message: None, fact, why },
                now,
            )?;
            Ok(change)
        })
    }

    /// All that is known of the message with this fingerprint or, when none has it, the only one with this Message-ID: a
    /// server may have added words to it since.
    pub fn recall(
        &self,
        fingerprint: &Fingerprint,
        message_id: Option<&str>,
    ) -> Result<Option<Recalled>, RecordError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(BY_FINGERPRINT)?;
            let mut found: Option<i64> = find.query_row([fingerprint.0], |row| row.get(0)).optional()?;
            if let (None, Some(message_id)) = (found, message_id) {
                let mut find = connection.prepare_cached(BY_MESSAGE_ID)?;
                let all = find.query_map([message_id], |row| row.get(0))?;
                let all = all.collect::<rusqlite::Result<Vec<i64>>>()?;
                found = all.first().copied().filter(|_| all.len() == 1);
            }
            found.map_or(Ok(None), |message| recall(connection, message))
        })
    }

    /// The same, of the message with this number.
    pub fn recall_message(&self, message: i64) -> Result<Option<Recalled>, RecordError> {
        self.read(|connection| recall(connection, message))
    }

    /// The next message above this number that staff corrected.
    pub fn next_corrected(&self, above: i64) -> Result<Option<i64>, RecordError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(CORRECTED)?;
            Ok(find.query_row([above], |row| row.get(0)).optional()?)
        })
    }
}

/// `None`: there is no such message, or it was set aside and never decided.
fn recall(connection: &Connection, message: i64) -> Result<Option<Recalled>, Fault> {
    let Some(decision) = cases::decision(connection, message)? else { return Ok(None) };
    let MessageRow { reference, account, received_at, subject, .. } =
        match super::rows::message_rows(connection, "WHERE m.id = ?1", &[&message])?.pop() {
            Some(row) => row,
            None => return Ok(None),
        };
    let corrections = corrections(connection, message)?;
    let moved_to = corrections.iter().rev().find_map(|correction| correction.moved_to.clone());
    let places = match moved_to {
        Some(place) => vec![place],
        None => places(connection, message)?,
    };
    Ok(Some(Recalled { message, reference, account, received_at, subject, decision, corrections, places }))
}

fn corrections(connection: &Connection, message: i64) -> Result<Vec<CorrectionRow>, Fault> {
    let mut statement = connection.prepare_cached(CORRECTIONS)?;
    let rows = statement.query_map([message], |row| {
        let mut detail = row.get::<_, Json<serde_json::Value>>("detail")?.0;
        let mut take = |key: &str| detail.get_mut(key).map(serde_json::Value::take).unwrap_or_default();
        Ok(CorrectionRow {
            happened_at: instant(row, "happened_at")?,
            by: row.get("actor")?,
            from: serde_json::from_value(take("from")).unwrap_or_default(),
            to: serde_json::from_value(take("to")).unwrap_or_default(),
            why: serde_json::from_value(take("why")).unwrap_or_default(),
            moved_to: serde_json::from_value(take("moved_to")).unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Where we filed it, or where it was met and has not left.
fn places(connection: &Connection, message: i64) -> Result<Vec<Destination>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT payload ->> '$.to.account', payload ->> '$.to.folder' FROM effects
         WHERE message_id = ?1 AND kind = 'file'
         UNION
         SELECT account, folder FROM locations
         JOIN mailboxes ON mailboxes.id = locations.mailbox_id
         WHERE locations.message_id = ?1 AND left_at IS NULL",
    )?;
    let rows = statement
        .query_map([message], |row| Ok(Destination { account: row.get(0)?, folder: row.get(1)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, EnteredAs};
    use super::*;

    fn by_hand(message: i64, change: Correction) -> NewCorrection {
        NewCorrection {
            message,
            change,
            by: "j.doe".into(),
            why: "no timetable at all".into(),
            moved_to: None,
            first_response_on: NaiveDate::from_ymd_opt(2026, 6, 8),
        }
    }

    fn urgent() -> Correction {
        Correction { urgency: Some("urgent".into()), ..Correction::default() }
    }

    #[test]
    fn a_correction_is_an_event_and_the_case_follows_it() {
        let sample = Sample::new();
        let EnteredAs::New { message, .. } = sample.enter_one(1).what else { panic!() };
        let change = Correction { queue: Some("assessment".into()), ..urgent() };
        assert_eq!(sample.records.correct(&by_hand(message, change.clone()), at(50)).unwrap(), change);
        let again = sample.records.correct(&by_hand(message, urgent()), at(60)).unwrap();
        assert!(again.is_empty(), "it is so already");

        let case = &sample.records.cases(&CaseFilter::default()).unwrap()[0];
        assert_eq!((case.urgency.as_str(), case.queue.as_str()), ("urgent", "assessment"));
        assert_eq!(case.first_response_on, NaiveDate::from_ymd_opt(2026, 6, 8));
        let events = sample.records.case(&case.reference).unwrap().unwrap().events;
        assert_eq!((events[1].what.as_str(), events[1].actor.as_str()), ("corrected", "j.doe"));
        assert_eq!(events[1].detail["from"]["urgency"], "standard");

        let recalled = sample.records.recall_message(message).unwrap().unwrap();
        assert_eq!(recalled.decision.urgency, "standard", "the decision stays as it was made");
        assert_eq!(recalled.labels().queue, "assessment");
        assert_eq!(recalled.corrections.len(), 1);
        assert_eq!(sample.records.next_corrected(0).unwrap(), Some(message));
        assert_eq!(sample.records.next_corrected(message).unwrap(), None);
    }

    #[test]
    fn a_case_that_is_standard_after_all_has_no_target_for_a_first_response() {
        let sample = Sample::new();
        let EnteredAs::New { message, .. } = sample.enter_one(2).what else { panic!() };
        let change = Correction { urgency: Some("standard".into()), ..Correction::default() };
        sample.records.correct(&by_hand(message, change), at(50)).unwrap();
        let case = &sample.records.cases(&CaseFilter::default()).unwrap()[0];
        assert_eq!((case.urgency.as_str(), case.first_response_on), ("standard", None));
    }

    #[test]
    fn where_a_message_lies_is_where_it_was_filed_or_last_seen() {
        let sample = Sample::new();
        let EnteredAs::New { message, .. } = sample.enter_one(1).what else { panic!() };
        let places = || sample.records.recall_message(message).unwrap().unwrap().places;
        let folders: Vec<_> = places().into_iter().map(|place| place.folder).collect();
        assert_eq!(folders, ["INBOX", "Triage/East"]);
        let place = Destination { account: "general".into(), folder: "Triage/General/Urgent".into() };
        let moved = NewCorrection { moved_to: Some(place.clone()), ..by_hand(message, urgent()) };
        sample.records.correct(&moved, at(50)).unwrap();
        assert_eq!(places(), [place]);
    }

    #[test]
    fn a_message_is_recalled_by_its_fingerprint_or_its_id() {
        let sample = Sample::new();
        sample.enter_one(1);
        let entry = sample.letter_writer(1);
        let recall = |fingerprint: &Fingerprint, id| sample.records.recall(fingerprint, id).unwrap();
        assert!(recall(&entry.fingerprint.unwrap(), None).is_some());
        let other = Fingerprint([7; 32]);
        assert!(recall(&other, Some("question-1@home.example")).is_some());
        assert!(recall(&other, Some("question-2@home.example")).is_none());
        // Two that share a Message-ID cannot be told apart by it.
        let mut twin = sample.letter_writer(2);
        twin.message_id = Some("question-1@home.example".into());
        sample.records.enter(&sample.batch(vec![twin])).unwrap();
        assert!(recall(&other, Some("question-1@home.example")).is_none());
    }

    #[test]
    fn corrections_are_found_by_their_index() {
        let sample = Sample::new();
        for sql in [CORRECTIONS, CORRECTED] {
            let plan = sample.plan(sql);
            assert!(plan.contains("events_corrected"), "{sql}\n{plan}");
        }
    }
}
