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
const WAITING_FOR: &str =
    "SELECT DISTINCT staff_replies.message_id, staff_replies.reply FROM message_references AS r
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

/// Whom to tell that a case was passed on, and what of it. `Debug` is not derived: it names people.
#[derive(Clone)]
pub struct ToldOfPassing {
    /// The case's reference.
    pub reference: String,
    /// The account that the question came to.
    pub account: String,
    /// Who asked: the one who was acknowledged.
    pub recipient: String,
    /// The question's Message-ID.
    pub in_reply_to: Option<String>,
    /// Everybody whom the message that passed it on was written to.
    pub passed_to: Vec<String>,
}

impl Records {
    /// Whom to tell that this message passed the case on; `None`: nobody, because no acknowledgement went to the sender, or
    /// because the same message was written to them too.
    pub fn to_be_told_of(&self, case: i64, message: i64) -> Result<Option<ToldOfPassing>, RecordError> {
        self.read(|connection| {
            let passed_to = connection
                .prepare_cached(
                    "SELECT DISTINCT address FROM participants WHERE message_id = ?1 AND role IN ('to', 'cc')",
                )?
                .query_map([message], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()?;
            let side = connection
                .prepare_cached(SENDERS_SIDE)?
                .query_map([case], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()?;
            if side.iter().any(|one| passed_to.contains(one)) {
                return Ok(None);
            }
            let told = connection
                .prepare_cached(
                    "SELECT cases.reference, mailboxes.account, letters.envelope_to, messages.message_id
                     FROM cases
                     JOIN messages ON messages.id = cases.opening_message
                     JOIN mailboxes ON mailboxes.id = messages.mailbox_id
                     JOIN letters ON letters.answers = messages.id AND letters.kind = 'acknowledge'
                     WHERE cases.id = ?1",
                )?
                .query_row([case], |row| {
                    Ok(ToldOfPassing {
                        reference: row.get(0)?,
                        account: row.get(1)?,
                        recipient: row.get(2)?,
                        in_reply_to: row.get(3)?,
                        passed_to,
                    })
                })
                .optional()?;
            Ok(told)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, CasePart, EnteredAs, EntryOutcome};
    use super::*;
    use crate::case::reply::Says;

    /// A reply by staff to the question with this number, written to this address.
    fn reply(sample: &Sample, uid: u32, question: u32, to: &str) -> super::super::Entry {
        let mut entry = sample.letter_writer(uid);
        let reply = Reply {
            says: Says::Answer,
            to: vec![to.to_owned()],
            inside: Vec::new(),
            forward: false,
            why: "an answer".into(),
        };
        entry.in_reply_to = vec![format!("question-{question}@home.example")];
        entry.sender = Some("jo@council.example".into());
        entry.participants = Vec::new();
        if let EntryOutcome::Decided { case, effects, .. } = &mut entry.outcome {
            (*case, *effects) = (CasePart::ByStaff(Box::new(reply)), Vec::new());
        }
        entry
    }

    /// The question, with who wrote it.
    fn question(sample: &Sample, uid: u32) -> super::super::Entry {
        let mut entry = sample.letter_writer(uid);
        entry.participants = vec![super::super::Participant {
            role: super::super::ParticipantRole::From,
            address: format!("Parent-{uid}@home.example"),
        }];
        entry
    }

    fn states(sample: &Sample) -> Vec<String> {
        sample.records.cases(&CaseFilter::default()).unwrap().into_iter().map(|row| row.state).collect()
    }

    #[test]
    fn a_reply_counts_whether_it_is_met_after_its_question_before_it_or_with_it() {
        let to = "parent-1@home.example";
        for order in [[1, 2], [2, 1]] {
            let sample = Sample::new();
            for uid in order {
                let entry = if uid == 1 { question(&sample, 1) } else { reply(&sample, 2, 1, to) };
                let mut entry = entry;
                entry.at.uid = if order[0] == uid { 1 } else { 2 };
                sample.records.enter(&sample.batch(vec![entry])).unwrap();
            }
            assert_eq!(states(&sample), ["answered"], "{order:?}");
            assert_eq!(sample.count("staff_replies"), 0);
        }
        let sample = Sample::new();
        let both = vec![question(&sample, 1), reply(&sample, 2, 1, to)];
        let entered = sample.records.enter(&sample.batch(both)).unwrap();
        assert!(matches!(entered[1].what, EnteredAs::New { role: Some(Role::Answer), .. }), "{entered:?}");
        assert_eq!(states(&sample), ["answered"], "in one and the same batch");
        let case = sample.records.cases(&CaseFilter::default()).unwrap().remove(0);
        let events = sample.records.case(&case.reference).unwrap().unwrap().events;
        assert_eq!(events.last().unwrap().actor, "jo@council.example");
    }

    #[test]
    fn a_reply_to_somebody_else_is_noted_and_counts_for_nothing() {
        let sample = Sample::new();
        let both = vec![question(&sample, 1), reply(&sample, 2, 1, "parent-2@home.example")];
        sample.records.enter(&sample.batch(both)).unwrap();
        assert_eq!(states(&sample), ["open"]);
        let case = sample.records.cases(&CaseFilter::default()).unwrap().remove(0);
        let events = sample.records.case(&case.reference).unwrap().unwrap().events;
        assert_eq!(events.last().unwrap().what, "not-counted");
    }

    #[test]
    fn what_nobody_asked_for_is_forgotten_after_some_time() {
        let sample = Sample::new();
        let entries = vec![question(&sample, 1), reply(&sample, 2, 9, "parent-9@home.example")];
        sample.records.enter(&sample.batch(entries)).unwrap();
        assert_eq!(sample.records.forget_replies(at(0)).unwrap(), 0);
        assert_eq!(sample.records.forget_replies(at(1_000_000)).unwrap(), 1);
        assert_eq!((sample.count("messages"), sample.count("staff_replies")), (1, 0));
        assert_eq!(sample.count("locations WHERE message_id IS NULL"), 1, "its place is still accounted for");
    }

    #[test]
    fn the_questions_asked_of_every_message_are_answered_by_an_index() {
        let sample = Sample::new();
        for sql in [CASES_REFERRED_TO, SENDERS_SIDE, WAITING_FOR] {
            let plan = sample.plan(sql);
            assert!(!plan.contains("SCAN messages") && !plan.contains("SCAN letters"), "{sql}\n{plan}");
            assert!(!plan.contains("SCAN r") && !plan.contains("SCAN participants"), "{sql}\n{plan}");
        }
    }
}
