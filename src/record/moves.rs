//! What the record knows that bears on messages that staff moved: which message has a Message-ID, the case that it opened, the
//! cases whose message should be found, and the alerts that wait. That a message was moved is `daemon/moves.rs`'s to see.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde_json::json;

use super::Records;
use super::enter::add_event;
use super::error::RecordError;
use super::settle::plan;
use super::value::{At, Json};
use crate::case::{Fact, State};
use crate::effect::Effect;
use crate::message::Fingerprint;

const OF_ID: &str = "SELECT id FROM messages WHERE message_id = ?1 LIMIT 2";
const OPENINGS: &str = "SELECT cases.id AS case_id, messages.id AS message, messages.message_id AS message_id, cases.missing_since
    FROM cases
    JOIN messages ON messages.id = cases.opening_message
    WHERE cases.state IN ('open', 'extended') AND messages.message_id IS NOT NULL AND messages.entered_at < ?1
        AND NOT EXISTS (SELECT 1 FROM effects
            WHERE effects.message_id = messages.id AND effects.kind = 'file' AND effects.state <> 'done')";

/// The case that a message opened.
#[derive(Debug, Clone)]
pub struct OpenedCase {
    /// Its number.
    pub case: i64,
    /// Its reference.
    pub reference: String,
    /// How it stands.
    pub state: State,
    /// The last day for the answer as it was first set.
    pub first_due_on: Option<NaiveDate>,
    /// The last day for the answer now.
    pub due_on: Option<NaiveDate>,
    /// What makes the message the same elsewhere.
    pub fingerprint: Option<Fingerprint>,
    /// Whether somebody was alerted to it, or is about to be.
    pub alerted: bool,
}

/// A waiting case whose opening message should lie in one of our folders.
#[derive(Debug, Clone)]
pub struct WaitingOpening {
    /// The case.
    pub case: i64,
    /// Its opening message.
    pub message: i64,
    /// That message's Message-ID.
    pub message_id: String,
    /// Since when it has been missing; `None`: it is not.
    pub missing_since: Option<DateTime<Utc>>,
}

impl Records {
    /// The one message with this Message-ID; `None`: there is none, or more than one.
    pub fn message_of_id(&self, message_id: &str) -> Result<Option<i64>, RecordError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(OF_ID)?;
            let found =
                find.query_map([message_id], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
            Ok(found.first().copied().filter(|_| found.len() == 1))
        })
    }

    /// The case that this message opened.
    pub fn case_opened_by(&self, message: i64) -> Result<Option<OpenedCase>, RecordError> {
        self.read(|connection| {
            let row = connection
                .prepare_cached(
                    "SELECT cases.id, reference, state, due_on, messages.fingerprint,
                         EXISTS (SELECT 1 FROM effects WHERE message_id = messages.id AND kind = 'alert')
                     FROM cases JOIN messages ON messages.id = cases.opening_message
                     WHERE messages.id = ?1",
                )?
                .query_row([message], |row| {
                    Ok(OpenedCase {
                        case: row.get(0)?,
                        reference: row.get(1)?,
                        state: State::of_word(&row.get::<_, String>(2)?).unwrap_or(State::Open),
                        first_due_on: None,
                        due_on: row.get::<_, Option<super::value::On>>(3)?.map(|on| on.0),
                        fingerprint: row.get::<_, Option<[u8; 32]>>(4)?.map(Fingerprint),
                        alerted: row.get(5)?,
                    })
                })
                .optional()?;
            let Some(row) = row else { return Ok(None) };
            let first_due_on = first_due_on(connection, row.case)?;
            Ok(Some(OpenedCase { first_due_on, ..row }))
        })
    }

    /// Waiting cases whose opening message should lie in one of our folders: entered before this instant, filed, and with a
    /// Message-ID by which it can be found.
    pub fn waiting_openings(
        &self,
        entered_before: DateTime<Utc>,
    ) -> Result<Vec<WaitingOpening>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(OPENINGS)?;
            let rows = statement.query_map([At(entered_before)], |row| {
                Ok(WaitingOpening {
                    case: row.get("case_id")?,
                    message: row.get("message")?,
                    message_id: row.get("message_id")?,
                    missing_since: row.get::<_, Option<At>>("missing_since")?.map(|at| at.0),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Writes down letters on account of a message that was known before; returns how many are new.
    pub fn plan_letters(
        &self,
        message: i64,
        letters: &[Effect],
        now: DateTime<Utc>,
    ) -> Result<usize, RecordError> {
        self.write(|tx| {
            let mut planned = 0;
            for letter in letters {
                planned += usize::from(plan(tx, letter, Some(message), None, now)?);
            }
            Ok(planned)
        })
    }

    /// Drops the alerts about a message that have not left yet: it is not urgent. Returns how many.
    pub fn drop_waiting_alerts(&self, message: i64, now: DateTime<Utc>) -> Result<usize, RecordError> {
        self.write(|tx| {
            let waiting = tx
                .prepare_cached(
                    "DELETE FROM effects WHERE message_id = ?1 AND kind = 'alert' AND state = 'pending'
                     RETURNING letter_id",
                )?
                .query_map([message], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            // Nothing of them has left: should the message be urgent after all, they are written anew.
            for letter in &waiting {
                tx.prepare_cached("DELETE FROM letters WHERE id = ?1")?.execute([letter])?;
            }
            if !waiting.is_empty() {
                let case = tx
                    .prepare_cached("SELECT case_id FROM case_messages WHERE message_id = ?1")?
                    .query_row([message], |row| row.get(0))
                    .optional()?;
                let detail =
                    json!({ "letters": waiting.len(), "why": "staff moved it out of the urgent folder" });
                add_event(tx, now, "alert-withdrawn", case, Some(message), &detail)?;
            }
            Ok(waiting.len())
        })
    }
}

fn first_due_on(connection: &Connection, case: i64) -> rusqlite::Result<Option<NaiveDate>> {
    let fact: Option<Json<Fact>> = connection
        .prepare_cached("SELECT fact FROM case_facts WHERE case_id = ?1 AND fact ->> '$.what' = 'opened'")?
        .query_row([case], |row| row.get(0))
        .optional()?;
    Ok(fact.and_then(|fact| match fact.0 {
        Fact::Opened { due_on, .. } => Some(due_on),
        _ => None,
    }))
}
