//! What the record shows to commands, as rows that can be printed or turned into JSON. Reading only.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Row, ToSql};
use serde::Serialize;

use super::Records;
use super::error::{Fault, RecordError};
use super::value::{At, Json, On};
use crate::case::{Matter, Standing, State, Step};
use crate::effect::Destination;

/// A case in a list. `Debug` is not derived: it names people.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CaseRow {
    /// `SEND-7K4M-2Q9X`.
    pub reference: String,
    /// `open`, `answered`, ...
    pub state: String,
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
    /// Target for a first response.
    pub first_response_on: Option<NaiveDate>,
    /// When the answer is due.
    pub due_on: Option<NaiveDate>,
    /// What `due_on` was before staff named a later date.
    pub extended_from: Option<NaiveDate>,
    /// When the team first answered or said that it needs longer.
    pub first_response_at: Option<DateTime<Utc>>,
    /// When the team first answered, since it was last opened.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it last did.
    pub last_answered_at: Option<DateTime<Utc>>,
    /// Whether the first answer came by the day it was due.
    pub in_time: Option<bool>,
    /// `question` or `call-back`.
    pub matter: String,
    /// The step of the escalation, 1 to 4.
    pub step: u8,
    /// That step's target; `None` at step 1.
    pub step_due_on: Option<NaiveDate>,
    /// How often the sender's side asked again.
    pub chasers: u32,
    /// Since when its message is found in none of our folders.
    pub missing_since: Option<DateTime<Utc>>,
    /// The opening message's sender.
    pub sender: Option<String>,
    /// Its subject.
    pub subject: String,
    /// The account that it arrived in.
    pub account: String,
    /// And the folder.
    pub folder: String,
    /// `sent`, `waiting`, `uncertain`, `stuck`, `withheld`.
    pub acknowledgement: String,
    /// Why it was withheld.
    pub withheld: Option<String>,
    /// How many messages belong to the case.
    pub messages: u32,
    /// A person should look at the decision about the opening message; the trace says why.
    pub unsure: bool,
}

impl CaseRow {
    /// How it stands, as its row has it.
    pub fn standing(&self) -> Standing {
        Standing {
            matter: if self.matter == "call-back" { Matter::CallBack } else { Matter::Question },
            state: State::of_word(&self.state).unwrap_or(State::Open),
            due_on: self.due_on,
            extended_from: self.extended_from,
            first_response_on: self.first_response_on,
            first_response_at: self.first_response_at,
            answered_at: self.answered_at,
            last_answered_at: self.last_answered_at,
            in_time: self.in_time,
            step: Step::of_number(i64::from(self.step)).unwrap_or_default(),
            step_due_on: self.step_due_on,
            chasers: self.chasers,
            missing_since: self.missing_since,
        }
    }
}

/// A message in a list, whether it opened a case or not.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct MessageRow {
    /// Its number.
    pub message: i64,
    /// Its case.
    pub reference: Option<String>,
    /// As what it belongs to that case: `opened`, `chaser`, ...
    pub role: Option<String>,
    /// How that case stands: `open`, ...
    pub state: Option<String>,
    /// Where it first arrived: the account.
    pub account: String,
    /// And the folder.
    pub folder: String,
    /// When it was received there.
    pub received_at: DateTime<Utc>,
    /// The sender.
    pub sender: Option<String>,
    /// The subject.
    pub subject: String,
    /// `person`, ...; `None` for one that was set aside, and so below.
    pub kind: Option<String>,
    /// The team stands only in Cc or Bcc.
    pub copied: bool,
    /// `urgent` or `standard`.
    pub urgency: Option<String>,
    /// The grounds.
    pub grounds: Vec<String>,
    /// The team.
    pub queue: Option<String>,
    /// The area.
    pub area: Option<String>,
    /// Whether it chases.
    pub chaser: Option<String>,
    /// A person should look at the decision.
    pub unsure: bool,
    /// When the answer is due.
    pub due_on: Option<NaiveDate>,
    /// `sent`, `waiting`, `uncertain`, `stuck`, `withheld`, or `none` for one that was set aside.
    pub acknowledgement: String,
    /// Why it was withheld.
    pub withheld: Option<String>,
    /// Why it was set aside.
    pub set_aside: Option<String>,
    /// Where it was filed, or will be.
    pub filed_to: Option<Destination>,
    /// In how many places it was met.
    pub copies: u32,
}

/// One place of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocationRow {
    /// The account.
    pub account: String,
    /// The folder.
    pub folder: String,
    /// UIDVALIDITY when it was met.
    pub uid_validity: u32,
    /// UID.
    pub uid: u32,
    /// What became of it: `decided`, `copy`, ...
    pub outcome: String,
    /// When it was met.
    pub entered_at: DateTime<Utc>,
    /// When it was filed away or found gone.
    pub left_at: Option<DateTime<Utc>>,
}

/// An effect, with every attempt at it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct EffectRow {
    /// Its number.
    pub id: i64,
    /// `acknowledge`, `alert`, `notice`, `keep-copy`, `file`.
    pub kind: String,
    /// The message on whose account; `None`: a notice about no single one.
    pub message: Option<i64>,
    /// Its case.
    pub reference: Option<String>,
    /// The account that sends or keeps the letter, or to which the message is filed.
    pub account: String,
    /// The recipient of the letter.
    pub recipient: Option<String>,
    /// Of a notice: what it tells of.
    pub topic: Option<String>,
    /// Where the message is filed.
    pub to: Option<Destination>,
    /// `pending`, `sending`, `uncertain`, `adrift`, `stuck`, `done`.
    pub state: String,
    /// The next attempt is not made before this.
    pub not_before: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong last.
    pub problem: Option<String>,
    /// When it was done.
    pub done_at: Option<DateTime<Utc>>,
    /// Every attempt, the oldest first.
    pub history: Vec<AttemptRow>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptRow {
    /// When it ended.
    pub made_at: DateTime<Utc>,
    /// `handed-over`, `done`, `gone`, `failed`, `uncertain`, `interrupted`, `stuck`.
    pub outcome: String,
    /// What the server said.
    pub detail: String,
}

/// How the acknowledgement of message `m` with decision `d` stands.
const ACKNOWLEDGEMENT: &str = "CASE
        WHEN d.message_id IS NULL THEN 'none'
        WHEN d.withheld IS NOT NULL THEN 'withheld'
        ELSE coalesce((SELECT CASE e.state
                WHEN 'done' THEN 'sent' WHEN 'uncertain' THEN 'uncertain' WHEN 'stuck' THEN 'stuck' ELSE 'waiting' END
            FROM effects e WHERE e.message_id = m.id AND e.kind = 'acknowledge'), 'none')
    END";

pub(super) fn case_rows(
    connection: &rusqlite::Connection,
    conditions: &str,
    params: &[&dyn ToSql],
) -> Result<Vec<CaseRow>, Fault> {
    let sql = format!(
        "SELECT c.*, d.grounds, d.withheld, d.unsure, m.sender, m.subject, b.account, b.folder,
             {ACKNOWLEDGEMENT} AS acknowledgement,
             (SELECT count(*) FROM case_messages cm WHERE cm.case_id = c.id) AS messages
         FROM cases c
         JOIN messages m ON m.id = c.opening_message
         JOIN mailboxes b ON b.id = m.mailbox_id
         LEFT JOIN decisions d ON d.message_id = m.id
         {conditions}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map(params, case_row)?.collect::<rusqlite::Result<_>>()?)
}

fn case_row(row: &Row<'_>) -> rusqlite::Result<CaseRow> {
    Ok(CaseRow {
        reference: row.get("reference")?,
        state: row.get("state")?,
        urgency: row.get("urgency")?,
        grounds: list(row, "grounds")?,
        queue: row.get("queue")?,
        area: row.get("area")?,
        received_at: instant(row, "received_at")?,
        first_response_on: date(row, "first_response_on")?,
        due_on: date(row, "due_on")?,
        extended_from: date(row, "extended_from")?,
        first_response_at: maybe_instant(row, "first_response_at")?,
        answered_at: maybe_instant(row, "answered_at")?,
        last_answered_at: maybe_instant(row, "last_answered_at")?,
        in_time: row.get("in_time")?,
        matter: row.get("matter")?,
        step: row.get("step")?,
        step_due_on: date(row, "step_due_on")?,
        chasers: row.get("chasers")?,
        missing_since: maybe_instant(row, "missing_since")?,
        sender: row.get("sender")?,
        subject: row.get("subject")?,
        account: row.get("account")?,
        folder: row.get("folder")?,
        acknowledgement: row.get("acknowledgement")?,
        withheld: row.get("withheld")?,
        messages: row.get("messages")?,
        unsure: row.get::<_, Option<bool>>("unsure")?.unwrap_or(true),
    })
}

pub(super) fn message_rows(
    connection: &rusqlite::Connection,
    conditions: &str,
    params: &[&dyn ToSql],
) -> Result<Vec<MessageRow>, Fault> {
    let sql = format!(
        "SELECT m.id, c.reference, cm.role, c.state, b.account, b.folder, m.received_at, m.sender, m.subject, d.kind, d.copied, d.urgency,
             d.grounds, d.queue, d.area, d.chaser, d.unsure, coalesce(c.due_on, a.due_on) AS due_on,
             {ACKNOWLEDGEMENT} AS acknowledgement, d.withheld, a.reason AS set_aside,
             (SELECT e.payload ->> '$.to' FROM effects e
                 WHERE e.message_id = m.id AND e.kind = 'file' ORDER BY e.id LIMIT 1) AS filed_to,
             (SELECT count(*) FROM locations l WHERE l.message_id = m.id) AS copies
         FROM messages m
         JOIN mailboxes b ON b.id = m.mailbox_id
         LEFT JOIN decisions d ON d.message_id = m.id
         LEFT JOIN set_aside a ON a.message_id = m.id
         LEFT JOIN case_messages cm ON cm.message_id = m.id
         LEFT JOIN cases c ON c.id = cm.case_id
         {conditions}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map(params, message_row)?.collect::<rusqlite::Result<_>>()?)
}

fn message_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        message: row.get("id")?,
        reference: row.get("reference")?,
        role: row.get("role")?,
        state: row.get("state")?,
        account: row.get("account")?,
        folder: row.get("folder")?,
        received_at: instant(row, "received_at")?,
        sender: row.get("sender")?,
        subject: row.get("subject")?,
        kind: row.get("kind")?,
        copied: row.get::<_, Option<bool>>("copied")?.unwrap_or(false),
        urgency: row.get("urgency")?,
        grounds: list(row, "grounds")?,
        queue: row.get("queue")?,
        area: row.get("area")?,
        chaser: row.get("chaser")?,
        unsure: row.get::<_, Option<bool>>("unsure")?.unwrap_or(true),
        due_on: date(row, "due_on")?,
        acknowledgement: row.get("acknowledgement")?,
        withheld: row.get("withheld")?,
        set_aside: row.get("set_aside")?,
        filed_to: row.get::<_, Option<Json<Destination>>>("filed_to")?.map(|json| json.0),
        copies: row.get("copies")?,
    })
}

pub(super) fn effect_rows(
    connection: &rusqlite::Connection,
    conditions: &str,
    params: &[&dyn ToSql],
) -> Result<Vec<EffectRow>, Fault> {
    let sql = format!(
        "SELECT e.*, c.reference, l.envelope_to, l.topic, e.payload ->> '$.to' AS filed_to
         FROM effects e
         LEFT JOIN letters l ON l.id = e.letter_id
         LEFT JOIN case_messages cm ON cm.message_id = e.message_id
         LEFT JOIN cases c ON c.id = cm.case_id
         {conditions}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut effects = statement.query_map(params, effect_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut attempts = connection
        .prepare_cached("SELECT made_at, outcome, detail FROM attempts WHERE effect_id = ?1 ORDER BY id")?;
    for effect in &mut effects {
        let history = attempts.query_map([effect.id], |row| {
            Ok(AttemptRow {
                made_at: instant(row, "made_at")?,
                outcome: row.get("outcome")?,
                detail: row.get("detail")?,
            })
        })?;
        effect.history = history.collect::<rusqlite::Result<_>>()?;
    }
    Ok(effects)
}

fn effect_row(row: &Row<'_>) -> rusqlite::Result<EffectRow> {
    Ok(EffectRow {
        id: row.get("id")?,
        kind: row.get("kind")?,
        message: row.get("message_id")?,
        reference: row.get("reference")?,
        account: row.get("account")?,
        recipient: row.get("envelope_to")?,
        topic: row.get("topic")?,
        to: row.get::<_, Option<Json<Destination>>>("filed_to")?.map(|json| json.0),
        state: row.get("state")?,
        not_before: instant(row, "not_before")?,
        attempts: row.get("attempts")?,
        problem: row.get("problem")?,
        done_at: maybe_instant(row, "done_at")?,
        history: Vec::new(),
    })
}

pub(super) fn instant(row: &Row<'_>, column: &str) -> rusqlite::Result<DateTime<Utc>> {
    Ok(row.get::<_, At>(column)?.0)
}

pub(super) fn maybe_instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<DateTime<Utc>>> {
    Ok(row.get::<_, Option<At>>(column)?.map(|at| at.0))
}

fn date(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<NaiveDate>> {
    Ok(row.get::<_, Option<On>>(column)?.map(|on| on.0))
}

fn list(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<String>> {
    Ok(row.get::<_, Option<Json<Vec<String>>>>(column)?.map(|json| json.0).unwrap_or_default())
}

impl Records {
    /// The last messages that were entered, the oldest of them first.
    pub fn messages(&self, at_most: usize) -> Result<Vec<MessageRow>, RecordError> {
        self.read(|connection| {
            let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
            let mut rows = message_rows(connection, "ORDER BY m.id DESC LIMIT ?1", &[&at_most])?;
            rows.reverse();
            Ok(rows)
        })
    }

    /// Messages received since then that got no acknowledgement, with the reason: a person may send one where the policy
    /// demands it.
    pub fn withheld(&self, since: DateTime<Utc>) -> Result<Vec<MessageRow>, RecordError> {
        self.read(|connection| {
            let conditions = "WHERE d.withheld IS NOT NULL AND d.decided_at >= ?1 ORDER BY m.id";
            message_rows(connection, conditions, &[&At(since)])
        })
    }

    /// Messages that were set aside and that nobody has dealt with.
    pub fn set_aside(&self) -> Result<Vec<MessageRow>, RecordError> {
        self.read(|connection| {
            let unsettled =
                "WHERE m.id IN (SELECT message_id FROM set_aside WHERE settled_at IS NULL) ORDER BY m.id";
            message_rows(connection, unsettled, &[])
        })
    }

    /// Effects that wait for a person.
    pub fn stuck(&self) -> Result<Vec<EffectRow>, RecordError> {
        self.read(|connection| effect_rows(connection, "WHERE e.desk = 'person' ORDER BY e.id", &[]))
    }

    /// Letters of which nobody knows whether they were sent.
    pub fn uncertain_letters(&self) -> Result<Vec<EffectRow>, RecordError> {
        self.read(|connection| effect_rows(connection, "WHERE e.state = 'uncertain' ORDER BY e.id", &[]))
    }
}
