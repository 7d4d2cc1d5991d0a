//! What happened to a case, written down once each; and the case's row, brought up to what follows from all of it. What
//! follows is `case/life.rs`'s to say.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Records;
use super::enter::add_event_by;
use super::entry::Role;
use super::error::{Fault, RecordError};
use super::tally;
use super::value::{At, Json, On};
use crate::case::life::{Act, NotNow};
use crate::case::{self, Happening, Standing};

/// A fact to be written down. `Debug` is not derived: it names people.
#[derive(Clone, PartialEq, Eq)]
pub struct NewFact {
    /// The case's number.
    pub case: i64,
    /// What makes it the same when it is told again; `None`: a command, always new.
    pub key: Option<String>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub by: String,
    /// The message that it follows from, and as what that belongs to the case.
    pub message: Option<(i64, Role)>,
    /// What.
    pub fact: case::Fact,
    /// Why, in the words of the one who did it; may be empty.
    pub why: String,
}

/// Something that a person wants done to a case.
#[derive(Clone, PartialEq, Eq)]
pub struct Deed {
    /// What is asked.
    pub act: Act,
    /// What is written down for it.
    pub fact: case::Fact,
    /// Who asks.
    pub by: String,
    /// Why; may be empty.
    pub why: String,
    /// When it happened, which may be earlier than now.
    pub at: DateTime<Utc>,
}

/// What came of something that a person wanted done to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acted {
    /// It is done; so the case stands now.
    Done(Box<Standing>),
    /// It cannot be done to the case as it stands.
    NotNow(NotNow),
    /// There is no such case.
    NoSuchCase,
}

const FACTS: &str = "SELECT fact_key, occurred_at, fact FROM case_facts WHERE case_id = ?1";

impl Records {
    /// Writes facts down, each with its line in the audit, and brings their cases up to them; all or none. Returns how many
    /// were news.
    pub fn tell(&self, facts: &[NewFact], now: DateTime<Utc>) -> Result<usize, RecordError> {
        self.write(|tx| {
            let mut news = 0;
            for fact in facts {
                news += usize::from(tell(tx, fact, now)?);
            }
            Ok(news)
        })
    }

    /// How the case with this number stands; `None`: there is no such case.
    pub fn standing_of(&self, case: i64) -> Result<Option<Standing>, RecordError> {
        self.read(|connection| standing(connection, case))
    }

    /// Does what a person asks to the case of this reference, if that can be done to it as it stands. `fact` is what is
    /// written down for it.
    pub fn act(
        &self,
        reference: &str,
        act: Act,
        fact: &case::Fact,
        by: &str,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<Acted, RecordError> {
        let (fact, by, why) = (fact.clone(), by.to_owned(), why.to_owned());
        self.perform(reference, &Deed { act, fact, by, why, at: now }, now)
    }

    /// The same, of what may have happened earlier than now.
    pub fn perform(&self, reference: &str, deed: &Deed, now: DateTime<Utc>) -> Result<Acted, RecordError> {
        let reference = super::cases::as_kept(reference);
        self.write(|tx| {
            let case: Option<i64> = tx
                .prepare_cached("SELECT id FROM cases WHERE reference = ?1")?
                .query_row([&reference], |row| row.get(0))
                .optional()?;
            let Some(case) = case else { return Ok(Acted::NoSuchCase) };
            let Some(before) = standing(tx, case)? else { return Ok(Acted::NoSuchCase) };
            if let Err(not_now) = before.allows(deed.act) {
                return Ok(Acted::NotNow(not_now));
            }
            let Deed { fact, by, why, at, .. } = deed.clone();
            tell(tx, &NewFact { case, key: None, at, by, message: None, fact, why }, now)?;
            let after = standing(tx, case)?.unwrap_or(before);
            Ok(Acted::Done(Box::new(after)))
        })
    }
}

/// Writes one fact down, with its line in the audit. `false`: it was told before.
pub(super) fn tell(tx: &Transaction<'_>, new: &NewFact, now: DateTime<Utc>) -> Result<bool, Fault> {
    if !tell_without_event(tx, new, now)? {
        return Ok(false);
    }
    let mut detail = serde_json::to_value(&new.fact).unwrap_or_default();
    let what = detail.get_mut("what").map(serde_json::Value::take);
    let what = what.as_ref().and_then(serde_json::Value::as_str).unwrap_or("changed").to_owned();
    if let Some(detail) = detail.as_object_mut() {
        detail.remove("what");
        detail.insert("occurred_at".into(), serde_json::json!(new.at));
        if !new.why.is_empty() {
            detail.insert("why".into(), serde_json::json!(new.why));
        }
    }
    add_event_by(tx, now, &new.by, &what, Some(new.case), new.message.map(|(message, _)| message), &detail)?;
    Ok(true)
}

/// The same for what has a fuller line in the audit by itself.
pub(super) fn tell_without_event(
    tx: &Transaction<'_>,
    new: &NewFact,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let key = match &new.key {
        Some(key) => key.clone(),
        None => {
            let last: i64 =
                tx.query_row("SELECT coalesce(max(id), 0) FROM case_facts", [], |row| row.get(0))?;
            format!("by-hand/{}", last + 1)
        }
    };
    if let Some((message, role)) = new.message {
        tx.prepare_cached(
            "INSERT INTO case_messages (message_id, case_id, role) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![message, new.case, role.word()])?;
    }
    let written = tx
        .prepare_cached(
            "INSERT INTO case_facts (case_id, fact_key, occurred_at, learnt_at, actor, message_id, fact)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            new.case,
            key,
            At(new.at),
            At(now),
            new.by,
            new.message.map(|(message, _)| message),
            Json(&new.fact)
        ])?;
    if written == 0 {
        return Ok(false);
    }
    if let case::Fact::Escalated { step: case::Step::ResolutionTeam, .. } = new.fact {
        // Step 4 is that team's.
        tx.prepare_cached("UPDATE cases SET queue = 'resolution' WHERE id = ?1")?.execute([new.case])?;
    }
    bring_up(tx, new.case)?;
    Ok(true)
}

/// How the case stands after all its facts.
pub(super) fn standing(connection: &Connection, case: i64) -> Result<Option<Standing>, Fault> {
    Ok(Standing::of(&happenings(connection, case)?))
}

pub(super) fn happenings(connection: &Connection, case: i64) -> Result<Vec<Happening>, Fault> {
    let mut statement = connection.prepare_cached(FACTS)?;
    let rows = statement.query_map([case], |row| {
        Ok(Happening {
            key: row.get(0)?,
            at: row.get::<_, At>(1)?.0,
            fact: row.get::<_, Json<case::Fact>>(2)?.0,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Brings the case's row up to its facts. A case without the fact that opened it (there is none such) stays as it is.
fn bring_up(tx: &Transaction<'_>, case: i64) -> Result<(), Fault> {
    let happenings = happenings(tx, case)?;
    let Some(standing) = Standing::of(&happenings) else { return Ok(()) };
    tally::owed(tx, case, &happenings)?;
    let matter = match standing.matter {
        case::Matter::Question => "question",
        case::Matter::CallBack => "call-back",
    };
    tx.prepare_cached(
        "UPDATE cases SET matter = ?2, state = ?3, due_on = ?4, extended_from = ?5, first_response_on = ?6,
             first_response_at = ?7, answered_at = ?8, last_answered_at = ?9, in_time = ?10, step = ?11,
             step_due_on = ?12, chasers = ?13, missing_since = ?14
         WHERE id = ?1",
    )?
    .execute(params![
        case,
        matter,
        standing.state.word(),
        standing.due_on.map(On),
        standing.extended_from.map(On),
        standing.first_response_on.map(On),
        standing.first_response_at.map(At),
        standing.answered_at.map(At),
        standing.last_answered_at.map(At),
        standing.in_time,
        standing.step.number(),
        standing.step_due_on.map(On),
        standing.chasers,
        standing.missing_since.map(At)
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, EnteredAs};
    use super::*;
    use crate::case::{Fact, State};

    fn case(sample: &Sample) -> i64 {
        let EnteredAs::New { case: Some(case), .. } = sample.enter_one(1).what else { panic!() };
        case
    }

    fn fact(case: i64, key: &str, seconds: i64, fact: Fact) -> NewFact {
        let key = Some(key.to_owned());
        NewFact {
            case,
            key,
            at: at(seconds),
            by: "send-triage".into(),
            message: None,
            fact,
            why: String::new(),
        }
    }

    #[test]
    fn the_case_stands_as_its_facts_say_in_whatever_order_and_however_often_they_are_told() {
        let sample = Sample::new();
        let case = case(&sample);
        let until = NaiveDate::from_ymd_opt(2027, 1, 14).unwrap();
        let held = fact(case, "message/9", 50, Fact::HeldOver { until });
        let answered = fact(case, "message/10", 90, Fact::Answered);
        assert_eq!(sample.records.tell(std::slice::from_ref(&answered), at(100)).unwrap(), 1);
        assert_eq!(sample.records.tell(&[held.clone(), answered, held], at(110)).unwrap(), 1);
        let row = sample.records.cases(&CaseFilter::default()).unwrap().remove(0);
        assert_eq!((row.state.as_str(), row.due_on), ("answered", Some(until)));
        assert_eq!(row.answered_at, Some(at(90)));
        let events = sample.records.case(&row.reference).unwrap().unwrap().events;
        let told: Vec<_> = events.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(told, ["opened", "answered", "held-over"]);
    }

    #[test]
    fn what_a_person_asks_is_done_or_refused_with_the_reason() {
        let sample = Sample::new();
        case(&sample);
        let reference = sample.records.cases(&CaseFilter::default()).unwrap().remove(0).reference;
        let act =
            |act, fact: &Fact| sample.records.act(&reference, act, fact, "Officer", "by telephone", at(60));
        let Acted::Done(standing) = act(Act::Answer, &Fact::Answered).unwrap() else { panic!() };
        assert_eq!((standing.state, standing.in_time), (State::Answered, Some(true)));
        assert!(matches!(
            act(Act::Answer, &Fact::Answered).unwrap(),
            Acted::NotNow(NotNow::AnsweredAlready(_))
        ));
        let event = sample.records.case(&reference).unwrap().unwrap().events.pop().unwrap();
        assert_eq!((event.actor.as_str(), &event.detail["why"]), ("Officer", &"by telephone".into()));
        let none = sample.records.act("SEND-0000-0000", Act::Close, &Fact::Closed, "Officer", "", at(60));
        assert_eq!(none.unwrap(), Acted::NoSuchCase);
    }
}
