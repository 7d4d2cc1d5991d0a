//! One case with everything that is known of it. Lists are `case_list.rs`; what a case may become is `case/`.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::Records;
use super::error::{Fault, RecordError};
use super::rows::{CaseRow, EffectRow, LocationRow, case_rows, effect_rows, instant, maybe_instant};
use super::value::Json;

/// Everything about one case.
#[derive(Clone, Serialize)]
pub struct CaseDetail {
    /// The case as in a list.
    #[serde(flatten)]
    pub case: CaseRow,
    /// Other cases that may concern the same matter, earlier or later.
    pub links: Vec<LinkRow>,
    /// Its messages, the oldest first.
    pub messages: Vec<MessageDetail>,
    /// What was and is to be done on their account.
    pub effects: Vec<EffectRow>,
    /// What happened, in order.
    pub events: Vec<EventRow>,
}

/// Another case that may concern the same matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkRow {
    /// Its reference.
    pub reference: String,
    /// Why they are linked.
    pub why: String,
}

/// A message of a case.
#[derive(Clone, Serialize)]
pub struct MessageDetail {
    /// Its number.
    pub message: i64,
    /// `opened`, ...
    pub role: String,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// The sender.
    pub sender: Option<String>,
    /// The subject.
    pub subject: String,
    /// Its size.
    pub size_bytes: u64,
    /// Everywhere it was met.
    pub locations: Vec<LocationRow>,
    /// What was decided.
    pub decision: Option<DecisionDetail>,
}

/// A decision as it was made at intake.
#[derive(Clone, Serialize)]
pub struct DecisionDetail {
    /// When.
    pub decided_at: DateTime<Utc>,
    /// By which rules.
    pub rules_version: String,
    /// `person`, ...
    pub kind: String,
    /// The team stands only in Cc or Bcc.
    pub copied: bool,
    /// `urgent` or `standard`.
    pub urgency: String,
    /// The grounds.
    pub grounds: Vec<String>,
    /// Called urgent by the sender, with no ground.
    pub claimed_urgent: bool,
    /// The team.
    pub queue: String,
    /// The area.
    pub area: String,
    /// Whether it chases.
    pub chaser: String,
    /// What the acknowledgement also points to.
    pub signposts: Vec<String>,
    /// Policy, email h.
    pub refer_leadership: bool,
    /// A person should look at it.
    pub unsure: bool,
    /// Why no acknowledgement is sent.
    pub withheld: Option<String>,
    /// The findings.
    pub trace: serde_json::Value,
}

/// One line of the audit.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// When.
    pub happened_at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub what: String,
    /// The particulars.
    pub detail: serde_json::Value,
}

impl Records {
    /// Everything about the case with this reference, written as people write it: any case of letters, with or without
    /// `SEND-` and hyphens.
    pub fn case(&self, reference: &str) -> Result<Option<CaseDetail>, RecordError> {
        let reference = as_kept(reference);
        self.read(|connection| {
            let Some(case) = case_rows(connection, "WHERE c.reference = ?1", &[&reference])?.pop() else {
                return Ok(None);
            };
            let id: i64 =
                connection
                    .query_row("SELECT id FROM cases WHERE reference = ?1", [&reference], |row| row.get(0))?;
            // A notice may be about no single message; then its topic names the case.
            let ours = "WHERE e.message_id IN (SELECT message_id FROM case_messages WHERE case_id = ?1)
                    OR e.letter_id IN (SELECT id FROM letters WHERE kind = 'notice' AND instr(topic, ?2) > 0)
                ORDER BY e.id";
            Ok(Some(CaseDetail {
                case,
                links: links(connection, id)?,
                messages: messages(connection, id)?,
                effects: effect_rows(connection, ours, &[&id, &reference])?,
                events: events(connection, id)?,
            }))
        })
    }
}

/// `send 7k4m2q9x` is `SEND-7K4M-2Q9X`; what is read out as I, L or O was 1 or 0 (Crockford's base 32).
pub(super) fn as_kept(reference: &str) -> String {
    let mut text: String =
        reference.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    if text.len() == 12 && text.starts_with("SEND") {
        text.drain(..4);
    }
    if text.len() != 8 {
        return reference.trim().to_owned();
    }
    let digits: String = text
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let (head, tail) = digits.split_at(4);
    format!("SEND-{head}-{tail}")
}

pub(super) fn links(connection: &Connection, case: i64) -> Result<Vec<LinkRow>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT reference, why FROM case_links JOIN cases ON cases.id = other_id WHERE case_id = ?1
         UNION ALL
         SELECT reference, why FROM case_links JOIN cases ON cases.id = case_id WHERE other_id = ?1",
    )?;
    let rows = statement.query_map([case], |row| Ok(LinkRow { reference: row.get(0)?, why: row.get(1)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn messages(connection: &Connection, case: i64) -> Result<Vec<MessageDetail>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT m.id, cm.role, m.message_id, m.received_at, m.sender, m.subject, m.size_bytes
         FROM case_messages cm
         JOIN messages m ON m.id = cm.message_id
         WHERE cm.case_id = ?1
         ORDER BY m.received_at, m.id",
    )?;
    let rows = statement.query_map([case], |row| {
        Ok(MessageDetail {
            message: row.get("id")?,
            role: row.get("role")?,
            message_id: row.get("message_id")?,
            received_at: instant(row, "received_at")?,
            sender: row.get("sender")?,
            subject: row.get("subject")?,
            size_bytes: row.get("size_bytes")?,
            locations: Vec::new(),
            decision: None,
        })
    })?;
    let mut messages = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for message in &mut messages {
        message.locations = locations(connection, message.message)?;
        message.decision = decision(connection, message.message)?;
    }
    Ok(messages)
}

fn locations(connection: &Connection, message: i64) -> Result<Vec<LocationRow>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT account, folder, l.uid_validity, uid, outcome, entered_at, left_at
         FROM locations l
         JOIN mailboxes b ON b.id = l.mailbox_id
         WHERE l.message_id = ?1
         ORDER BY l.id",
    )?;
    let rows = statement.query_map([message], |row| {
        Ok(LocationRow {
            account: row.get("account")?,
            folder: row.get("folder")?,
            uid_validity: row.get("uid_validity")?,
            uid: row.get("uid")?,
            outcome: row.get("outcome")?,
            entered_at: instant(row, "entered_at")?,
            left_at: maybe_instant(row, "left_at")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn decision(connection: &Connection, message: i64) -> rusqlite::Result<Option<DecisionDetail>> {
    connection
        .prepare_cached(
            "SELECT decided_at, rules_version, kind, copied, urgency, grounds, claimed_urgent, queue, area, chaser,
                 signposts, refer_leadership, unsure, withheld, trace
             FROM decisions
             WHERE message_id = ?1",
        )?
        .query_row([message], |row| {
            Ok(DecisionDetail {
                decided_at: instant(row, "decided_at")?,
                rules_version: row.get("rules_version")?,
                kind: row.get("kind")?,
                copied: row.get("copied")?,
                urgency: row.get("urgency")?,
                grounds: row.get::<_, Json<_>>("grounds")?.0,
                claimed_urgent: row.get("claimed_urgent")?,
                queue: row.get("queue")?,
                area: row.get("area")?,
                chaser: row.get("chaser")?,
                signposts: row.get::<_, Json<_>>("signposts")?.0,
                refer_leadership: row.get("refer_leadership")?,
                unsure: row.get("unsure")?,
                withheld: row.get("withheld")?,
                trace: row.get::<_, Json<_>>("trace")?.0,
            })
        })
        .optional()
}

fn events(connection: &Connection, case: i64) -> Result<Vec<EventRow>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT happened_at, actor, what, detail FROM events WHERE case_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([case], |row| {
        Ok(EventRow {
            happened_at: instant(row, "happened_at")?,
            actor: row.get("actor")?,
            what: row.get("what")?,
            detail: row.get::<_, Json<_>>("detail")?.0,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CasePart, EntryOutcome, StoredDecision};
    use crate::case::Reference;

    #[test]
    fn a_case_shows_its_message_decision_effects_and_events() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.send_all(at(30));
        let reference = Reference::of(&sample.letter_writer(1).fingerprint.unwrap(), 0);
        let spoken = reference.as_str().to_lowercase().replace("send-", "").replace('-', " ");
        let case = sample.records.case(&spoken).unwrap().unwrap();
        assert_eq!(case.case.reference, reference.as_str());
        assert_eq!(case.case.acknowledgement, "sent");
        let message = &case.messages[0];
        assert_eq!((message.locations.len(), message.locations[0].uid), (1, 1));
        assert_eq!(message.decision.as_ref().unwrap().trace[0]["text"], "part-time timetable");
        let happened: Vec<_> = case.events.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(happened, ["opened", "acknowledged"]);
        assert_eq!(case.events[0].detail["skipped"][0][1], "Saturday");
        let tries: Vec<_> = case.effects[0].history.iter().map(|attempt| attempt.outcome.as_str()).collect();
        assert_eq!(tries, ["handed-over", "done"]);
        assert!(serde_json::to_string(&case).unwrap().contains(r#""reference":"SEND-"#));
        assert!(sample.records.case("SEND-0000-0000").unwrap().is_none());
        assert!(sample.records.case("what?").unwrap().is_none());
    }

    #[test]
    fn messages_and_what_was_withheld_or_set_aside_are_listed() {
        let sample = Sample::new();
        sample.enter_one(1);
        let decision = StoredDecision {
            kind: "auto-reply".into(),
            withheld: Some("an automatic reply".into()),
            ..StoredDecision::default()
        };
        let silent =
            EntryOutcome::Decided { decision: Box::new(decision), case: CasePart::None, effects: Vec::new() };
        let broken = EntryOutcome::SetAside { reason: "no body".into(), due: None, effects: Vec::new() };
        sample.records.enter(&sample.batch(vec![sample.with(2, silent), sample.with(3, broken)])).unwrap();
        let all = sample.records.messages(10).unwrap();
        let how: Vec<_> = all.iter().map(|row| row.acknowledgement.as_str()).collect();
        assert_eq!(how, ["waiting", "withheld", "none"]);
        assert_eq!(all[0].filed_to.as_ref().unwrap().folder, "Triage/East");
        assert_eq!(sample.records.messages(1).unwrap()[0].message, all[2].message);
        let withheld = sample.records.withheld(at(0)).unwrap();
        assert_eq!(withheld[0].withheld.as_deref(), Some("an automatic reply"));
        assert!(sample.records.withheld(at(100)).unwrap().is_empty());
        assert_eq!(sample.records.set_aside().unwrap()[0].set_aside.as_deref(), Some("no body"));
    }
}
