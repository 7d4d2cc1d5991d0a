//! How an effect is written down, and each step of its life after that. Which step follows is the caller's to say; which may
//! follow is said here.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::enter::add_event;
use super::error::{Fault, RecordError};
use super::value::{At, Json};
use crate::effect::{Destination, Effect};
use crate::letter::Letter;

/// What is kept as JSON for `File`.
#[derive(Serialize, Deserialize)]
pub(super) struct Filing {
    pub(super) to: Destination,
    pub(super) flagged: bool,
}

/// Writes an effect down. `false`: it was written down before.
pub(super) fn plan(
    tx: &Transaction<'_>,
    effect: &Effect,
    message: Option<i64>,
    place: Option<(i64, i64)>,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let mut not_before = now.timestamp(); // At once, not at the next whole second.
    let mut payload = json!({});
    let (kind, account, letter) = match effect {
        Effect::Acknowledge { account, letter } => ("acknowledge", account, Some(letter)),
        Effect::KeepCopy { account, letter } => ("keep-copy", account, Some(letter)),
        Effect::Alert { account, letter, not_before: wait_until } => {
            not_before = not_before.max(At::not_before(*wait_until));
            ("alert", account, Some(letter))
        }
        Effect::Notice { account, letter, not_before: wait_until, .. } => {
            not_before = not_before.max(At::not_before(*wait_until));
            ("notice", account, Some(letter))
        }
        Effect::File { to, flagged } => {
            payload = json!({ "to": to, "flagged": flagged });
            ("file", &to.account, None)
        }
    };
    let topic = match effect {
        Effect::Notice { topic, .. } => Some(topic.as_str()),
        _ => None,
    };
    let (letter, (location, mailbox)) = match (letter, place) {
        (Some(letter), _) => match letter_id(tx, kind, letter, message, topic, now)? {
            Some(id) => (Some(id), (None, None)),
            None => return Ok(false),
        },
        (None, Some((location, mailbox))) => (None, (Some(location), Some(mailbox))),
        (None, None) => {
            return Err(Fault::Mistake("a message is filed from a place, and none was given".to_owned()));
        }
    };
    let planned = tx
        .prepare_cached(
            "INSERT INTO effects (kind, message_id, account, letter_id, location_id, mailbox_id, payload, state,
                 not_before, attempts, planned_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, 0, ?9)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![kind, message, account, letter, location, mailbox, Json(payload), not_before, At(now)])?;
    Ok(planned == 1)
}

/// The letter's number: of a new one, or, for a copy to be kept, of one that was sent. `None`: it was planned before.
fn letter_id(
    tx: &Transaction<'_>,
    kind: &str,
    letter: &Letter,
    message: Option<i64>,
    topic: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<i64>, Fault> {
    if kind == "keep-copy" {
        let kept = tx
            .prepare_cached(
                "SELECT id FROM letters WHERE message_id = ?1 AND envelope_to = ?2 AND raw IS NOT NULL",
            )?
            .query_row([&letter.message_id, &letter.envelope_to], |row| row.get(0))
            .optional()?;
        let missing =
            || Fault::Mistake("a copy is to be kept of a letter that is not, or no longer, here".to_owned());
        return kept.map(Some).ok_or_else(missing);
    }
    let recipient = letter.envelope_to.to_lowercase();
    let domain = recipient.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO letters (kind, answers, message_id, envelope_from, envelope_to, recipient, recipient_domain, raw,
             planned_at, topic)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT DO NOTHING
         RETURNING id",
    )?
    .query_row(
        params![
            kind,
            message,
            letter.message_id,
            letter.envelope_from,
            letter.envelope_to,
            recipient,
            domain,
            letter.raw,
            At(now),
            topic
        ],
        |row| row.get(0),
    )
    .optional()
    .map_err(Fault::from)
}

/// One step of an effect's life.
#[derive(Default)]
pub(super) struct Step<'a> {
    pub(super) from: &'a [&'a str],
    pub(super) to: &'a str,
    pub(super) outcome: &'a str,
    pub(super) problem: &'a str,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) follow_on: &'a [Effect],
}

impl Step<'static> {
    pub(super) const DONE: Self = Self {
        from: &["pending", "sending", "uncertain", "adrift", "stuck"],
        to: "done",
        outcome: "done",
        problem: "",
        not_before: None,
        follow_on: &[],
    };
}

struct Settled {
    kind: String,
    state: String,
    message: Option<i64>,
    letter: Option<i64>,
    location: Option<i64>,
    mailbox: Option<i64>,
    /// Its UID has lost its meaning since it was planned: by that UID nothing may be filed any more.
    stale: bool,
}

pub(super) fn settle(
    tx: &Transaction<'_>,
    effect: i64,
    now: DateTime<Utc>,
    step: &Step<'_>,
) -> Result<(), Fault> {
    let not_possible = |problem: String| RecordError::NotPossible { effect, problem };
    let row = find_effect(tx, effect)?.ok_or_else(|| not_possible("there is no such effect".to_owned()))?;
    if row.state == "done" && step.to == "done" {
        return Ok(());
    }
    if !step.from.contains(&row.state.as_str()) || (step.to == "sending" && row.kind == "file") {
        return Err(not_possible(format!("it is {} and cannot become {}", row.state, step.to)).into());
    }
    let state = if row.stale && step.to == "pending" { "adrift" } else { step.to };
    tx.prepare_cached(
        "UPDATE effects SET state = ?2, not_before = coalesce(?3, not_before), problem = nullif(?4, ''),
             attempts = attempts + ?5, done_at = ?6
         WHERE id = ?1",
    )?
    .execute(params![
        effect,
        state,
        step.not_before.map(At::not_before),
        step.problem,
        step.to != "sending",
        (step.to == "done").then_some(At(now))
    ])?;
    tx.prepare_cached("INSERT INTO attempts (effect_id, made_at, outcome, detail) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![effect, At(now), step.outcome, step.problem])?;
    if step.to == "done" {
        finish(tx, &row, now, step.follow_on)?;
    }
    if matches!(step.to, "done" | "uncertain" | "stuck") && row.state != step.to {
        let case = tx
            .prepare_cached("SELECT case_id FROM case_messages WHERE message_id IS ?1")?
            .query_row([row.message], |row| row.get(0))
            .optional()?;
        let detail = json!({ "effect": effect, "outcome": step.outcome, "problem": step.problem });
        add_event(tx, now, what_happened(&row.kind, step), case, row.message, &detail)?;
    }
    Ok(())
}

fn find_effect(tx: &Transaction<'_>, effect: i64) -> rusqlite::Result<Option<Settled>> {
    tx.prepare_cached(
        "SELECT effects.kind, effects.state, effects.message_id, effects.letter_id, effects.location_id,
             effects.mailbox_id, coalesce(locations.epoch <> mailboxes.epoch, 0)
         FROM effects
         LEFT JOIN locations ON locations.id = effects.location_id
         LEFT JOIN mailboxes ON mailboxes.id = effects.mailbox_id
         WHERE effects.id = ?1",
    )?
    .query_row([effect], |row| {
        Ok(Settled {
            kind: row.get(0)?,
            state: row.get(1)?,
            message: row.get(2)?,
            letter: row.get(3)?,
            location: row.get(4)?,
            mailbox: row.get(5)?,
            stale: row.get(6)?,
        })
    })
    .optional()
}

/// What an effect's end means for its letter and for the place it was done at.
fn finish(
    tx: &Transaction<'_>,
    row: &Settled,
    now: DateTime<Utc>,
    follow_on: &[Effect],
) -> Result<(), Fault> {
    for effect in follow_on {
        plan(tx, effect, row.message, row.location.zip(row.mailbox), now)?;
    }
    if let Some(location) = row.location {
        tx.prepare_cached("UPDATE locations SET left_at = ?2 WHERE id = ?1")?
            .execute(params![location, At(now)])?;
    }
    if let Some(letter) = row.letter {
        if row.kind != "keep-copy" {
            tx.prepare_cached("UPDATE letters SET sent_at = ?2 WHERE id = ?1")?
                .execute(params![letter, At(now)])?;
        }
        // Its bytes have served: only the Message-ID, by which it is known again, stays.
        tx.prepare_cached(
            "UPDATE letters SET raw = NULL
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM effects WHERE letter_id = ?1 AND state <> 'done')",
        )?
        .execute([letter])?;
    }
    Ok(())
}

fn what_happened(kind: &str, step: &Step<'_>) -> &'static str {
    match (kind, step.to, step.outcome) {
        ("acknowledge", "done", _) => "acknowledged",
        ("acknowledge", "uncertain", _) => "acknowledgement-uncertain",
        ("acknowledge", _, _) => "acknowledgement-stuck",
        ("alert", "done", _) => "alerted",
        ("alert", "uncertain", _) => "alert-uncertain",
        ("alert", _, _) => "alert-stuck",
        ("notice", "done", _) => "notice-sent",
        ("notice", "uncertain", _) => "notice-uncertain",
        ("notice", _, _) => "notice-stuck",
        ("keep-copy", "done", _) => "copy-kept",
        ("keep-copy", _, _) => "copy-stuck",
        (_, "done", "gone") => "gone-before-filing",
        (_, "done", _) => "filed",
        (_, _, _) => "filing-stuck",
    }
}
