//! Which case a message by staff answers, found in the same transaction that enters it; and the replies that are met before
//! their question and wait for it. What a reply is to a case is `case/reply.rs`'s to say.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::json;

use super::Records;
use super::enter::{add_event, of_message};
use super::entry::Role;
use super::error::{Fault, RecordError};
use super::facts::{NewFact, standing, tell};
use super::mailboxes::find_in_use;
use super::value::{At, Json};
use crate::calendar::london;
use crate::case::reply::{Judged, Reply};

/// The cases of the messages, and of our letters, that a message refers to: what it answers first, then the newest.
const CASES_REFERRED_TO: &str = "SELECT case_messages.case_id AS case_id,
        min(CASE r.place WHEN 0 THEN 0 ELSE 1000000 - r.place END) AS nearness
    FROM message_references AS r
    JOIN messages ON messages.message_id = r.refers_to
    JOIN case_messages ON case_messages.message_id = messages.id
    WHERE r.message_id = ?1
    GROUP BY case_messages.case_id
    UNION ALL
    SELECT case_messages.case_id, min(CASE r.place WHEN 0 THEN 0 ELSE 1000000 - r.place END)
    FROM message_references AS r
    JOIN letters ON letters.message_id = r.refers_to
    JOIN case_messages ON case_messages.message_id = letters.answers
    WHERE r.message_id = ?1
    GROUP BY case_messages.case_id
    ORDER BY nearness LIMIT 50";
/// Who has written in a case on its sender's side.
const SENDERS_SIDE: &str = "SELECT DISTINCT participants.address FROM case_messages
    JOIN participants ON participants.message_id = case_messages.message_id
    WHERE case_messages.case_id = ?1 AND case_messages.role IN ('opened', 'chaser', 'addition', 'thanks')
        AND participants.role IN ('from', 'reply-to')";
/// Replies that wait and refer to a message of this Message-ID.
const WAITING_FOR: &str = "SELECT DISTINCT staff_replies.message_id, staff_replies.reply FROM message_references AS r
    JOIN staff_replies ON staff_replies.message_id = r.message_id
    WHERE r.refers_to = ?1 ORDER BY staff_replies.message_id";

impl Records {
    /// A message by staff that was met before, and not counted, was met where it counts: in their Sent folder. Returns the case
    /// that it answers.
    pub fn counts_after_all(
        &self,
        message: i64,
        reply: &Reply,
        now: DateTime<Utc>,
    ) -> Result<Option<(i64, Role)>, RecordError> {
        self.write(|tx| {
            let found = place(tx, message, reply, now)?;
            if found.is_none() {
                keep(tx, message, reply)?;
            }
            Ok(found)
        })
    }

    /// The ledger of this mailbox begins above this UID, if nothing of it has been read: what lies below is not looked at.
    pub fn start_above(&self, account: &str, folder: &str, uid: u32) -> Result<(), RecordError> {
        self.write(|tx| {
            let mailbox = find_in_use(tx, account, folder)?;
            tx.execute(
                "UPDATE mailboxes SET starts_after_uid = ?2, last_uid = ?2 WHERE id = ?1 AND last_uid = 0",
                params![mailbox.id, uid],
            )?;
            Ok(())
        })
    }

    /// Forgets replies by staff for which no question has turned up since: they concern other matters. Returns how many.
    pub fn forget_replies(&self, entered_before: DateTime<Utc>) -> Result<usize, RecordError> {
        self.write(|tx| {
            Ok(tx.execute(
                "DELETE FROM messages WHERE entered_at < ?1
                     AND id IN (SELECT message_id FROM staff_replies)
                     AND id NOT IN (SELECT message_id FROM case_messages)
                     AND NOT EXISTS (SELECT 1 FROM effects WHERE effects.message_id = messages.id)
                     AND NOT EXISTS (SELECT 1 FROM letters WHERE letters.answers = messages.id)",
                [At(entered_before)],
            )?)
        })
    }
}

/// Puts a message by staff to the case that it answers, if there is one, and tells what follows.
pub(super) fn place(
    tx: &Transaction<'_>,
    message: i64,
    reply: &Reply,
    now: DateTime<Utc>,
) -> Result<Option<(i64, Role)>, Fault> {
    let (at, by): (DateTime<Utc>, Option<String>) = tx
        .prepare_cached("SELECT received_at, sender FROM messages WHERE id = ?1")?
        .query_row([message], |row| Ok((row.get::<_, At>(0)?.0, row.get(1)?)))?;
    let cases = tx
        .prepare_cached(CASES_REFERRED_TO)?
        .query_map([message], |row| row.get::<_, i64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut not_counted = None;
    for case in cases {
        let side = tx
            .prepare_cached(SENDERS_SIDE)?
            .query_map([case], |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let due_on = standing(tx, case)?.and_then(|standing| standing.due_on);
        let judged = reply.about(&side, due_on.unwrap_or_else(|| london::date(at)));
        let role = match &judged {
            Judged::Answered => Role::Answer,
            Judged::HeldOver { .. } => Role::HoldingReply,
            Judged::PassedOn { .. } => Role::PassedOn,
            Judged::Nothing(reason) => {
                not_counted = not_counted.or(Some((case, *reason)));
                continue;
            }
        };
        for fact in judged.facts(due_on.unwrap_or_else(|| london::date(at))) {
            let by = by.clone().unwrap_or_else(|| "staff".to_owned());
            let new = NewFact { by, why: reply.why.clone(), ..of_message(case, message, role, at, &fact) };
            tell(tx, &new, now)?;
        }
        tx.prepare_cached("DELETE FROM staff_replies WHERE message_id = ?1")?.execute([message])?;
        return Ok(Some((case, role)));
    }
    if let Some((case, reason)) = not_counted {
        let known: bool = tx
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM events WHERE what = 'not-counted' AND message_id = ?1 AND case_id = ?2)",
            )?
            .query_row(params![message, case], |row| row.get(0))?;
        if !known {
            add_event(tx, now, "not-counted", Some(case), Some(message), &json!({ "why": reason }))?;
        }
    }
    Ok(None)
}

/// Keeps what a message by staff says until the message that it refers to comes in.
pub(super) fn keep(tx: &Transaction<'_>, message: i64, reply: &Reply) -> Result<(), Fault> {
    tx.prepare_cached(
        "INSERT INTO staff_replies (message_id, reply) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute(params![message, Json(reply)])?;
    Ok(())
}

/// A message with this Message-ID has come to belong to a case: replies that were met before it are counted now.
pub(super) fn that_waited_for(
    tx: &Transaction<'_>,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let waiting = tx
        .prepare_cached(WAITING_FOR)?
        .query_map([message_id], |row| Ok((row.get(0)?, row.get::<_, Json<Reply>>(1)?.0)))?
        .collect::<rusqlite::Result<Vec<(i64, Reply)>>>()?;
    for (message, reply) in waiting {
        place(tx, message, &reply, now)?;
    }
    Ok(())
}

impl Records {
    /// Who has written in a case on its sender's side, lower case.
    pub fn senders_side(&self, case: i64) -> Result<Vec<String>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SENDERS_SIDE)?;
            let rows = statement.query_map([case], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// What a letter about a case needs of the message that opened it.
    pub fn opening_of(&self, case: i64) -> Result<Option<OpeningOf>, RecordError> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT cases.reference, messages.message_id, mailboxes.account, messages.sender,
                         cases.received_at
                     FROM cases
                     JOIN messages ON messages.id = cases.opening_message
                     JOIN mailboxes ON mailboxes.id = messages.mailbox_id
                     WHERE cases.id = ?1",
                )?
                .query_row([case], |row| {
                    Ok(OpeningOf {
                        reference: row.get(0)?,
                        message_id: row.get(1)?,
                        account: row.get(2)?,
                        sender: row.get(3)?,
                        received_at: row.get::<_, At>(4)?.0,
                    })
                })
                .optional()?)
        })
    }
}

/// What a letter about a case needs of the message that opened it. `Debug` is not derived: it names people.
#[derive(Clone)]
pub struct OpeningOf {
    /// The case's reference.
    pub reference: String,
    /// The message's Message-ID.
    pub message_id: Option<String>,
    /// The account that it came to.
    pub account: String,
    /// Who wrote it.
    pub sender: Option<String>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
}
