//! Message, case, trace, effects and cursor, in ONE transaction. It decides nothing but what is new and what is a copy.
//!
//! A batch that is entered twice, or again after a crash, changes nothing the second time. What is planned once for a
//! message (its acknowledgement, an alert to somebody, the filing of one copy) is kept unique by the schema.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::json;

use super::Records;
use super::answers;
use super::entry::{Batch, CasePart, Entered, EnteredAs, Entry, EntryOutcome, Opening, Role, StoredDecision};
use super::error::{Fault, RecordError};
use super::facts::{NewFact, tell, tell_without_event};
use super::known::BY_FINGERPRINT;
use super::mailboxes::{OpenMailbox, advance, find_in_use, not_absent};
use super::settle::plan;
use super::tally;
use super::value::{At, Json, On};
use crate::case::Fact;
use crate::effect::Effect;

impl Records {
    /// Enters a batch and moves the mailbox's cursor to its end; both or neither.
    ///
    /// The same message twice in one batch is one message and a copy, whatever the caller thought; [`Entered`] tells.
    pub fn enter(&self, batch: &Batch) -> Result<Vec<Entered>, RecordError> {
        self.write(|tx| {
            let mailbox = find_in_use(tx, &batch.account, &batch.folder)?;
            fits(batch, &mailbox)?;
            let hand = Hand { tx, mailbox: &mailbox, now: batch.at };
            let entered = batch.entries.iter().map(|entry| hand.enter(entry)).collect::<Result<_, _>>()?;
            advance(tx, &mailbox, batch.up_to, batch.at)?;
            Ok(entered)
        })
    }
}

fn fits(batch: &Batch, mailbox: &OpenMailbox) -> Result<(), RecordError> {
    let stale = |problem: String| {
        Err(RecordError::Stale { account: batch.account.clone(), folder: batch.folder.clone(), problem })
    };
    let known = mailbox.state.uid_validity;
    if batch.uid_validity != known {
        return stale(format!("UIDVALIDITY is {}, the record knows {known}", batch.uid_validity));
    }
    for entry in &batch.entries {
        let at = &entry.at;
        if (&at.account, &at.folder, at.uid_validity) != (&batch.account, &batch.folder, known) {
            return stale(format!("UID {} belongs to another mailbox", at.uid));
        }
        if at.uid > batch.up_to || at.uid == 0 {
            return stale(format!("UID {} is not among those looked at (1 to {})", at.uid, batch.up_to));
        }
    }
    Ok(())
}

/// Writes one entry after the other.
struct Hand<'a> {
    tx: &'a Transaction<'a>,
    mailbox: &'a OpenMailbox,
    now: DateTime<Utc>,
}

impl Hand<'_> {
    fn enter(&self, entry: &Entry) -> Result<Entered, Fault> {
        let uid = entry.at.uid;
        if self.has_outcome(uid)? {
            return Ok(Entered { uid, what: EnteredAs::Already, effects: 0 });
        }
        if uid <= self.mailbox.state.last_uid {
            not_absent(self.tx, self.mailbox, uid)?;
        }
        let (what, effects) = match &entry.outcome {
            EntryOutcome::OwnLetter => {
                self.locate(uid, "own-letter", None, None)?;
                (EnteredAs::OwnLetter, 0)
            }
            EntryOutcome::LeftAlone { reason } => {
                self.locate(uid, "left-alone", Some(reason), None)?;
                (EnteredAs::LeftAlone, 0)
            }
            EntryOutcome::Copy { of, effects } => self.copy(uid, *of, effects.iter())?,
            EntryOutcome::Decided { effects, .. } | EntryOutcome::SetAside { effects, .. } => {
                match self.known(entry)? {
                    // The caller took it for new. It was acknowledged as the first one; only this copy is to be filed.
                    Some(of) => self.copy(
                        uid,
                        of,
                        effects.iter().filter(|effect| matches!(effect, Effect::File { .. })),
                    )?,
                    None => self.new_message(entry, effects)?,
                }
            }
        };
        Ok(Entered { uid, what, effects })
    }

    fn new_message(&self, entry: &Entry, effects: &[Effect]) -> Result<(EnteredAs, usize), Fault> {
        let message = self.message(entry)?;
        let (what, location) = match &entry.outcome {
            EntryOutcome::Decided { decision, case, .. } => {
                let location = self.locate(entry.at.uid, "decided", None, Some(message))?;
                self.decision(message, decision)?;
                let (case, role) = match case {
                    CasePart::None => (None, None),
                    CasePart::Opens(opening) => {
                        (Some(self.case(entry, message, opening, decision)?), Some(Role::Opened))
                    }
                    CasePart::Joins { case, role, facts } => {
                        self.join(entry, message, *case, *role, facts)?;
                        (Some(*case), Some(*role))
                    }
                    CasePart::ByStaff(reply) => {
                        let found = answers::place(self.tx, message, reply, self.now)?;
                        if found.is_none() {
                            answers::keep(self.tx, message, reply)?;
                        }
                        found.map_or((None, None), |(case, role)| (Some(case), Some(role)))
                    }
                };
                if let Some(returned) = &decision.returned {
                    tally::returned(self.tx, returned, message, entry.received_at, self.now)?;
                }
                if let (Some(_), Some(id)) = (case, &entry.message_id) {
                    answers::that_waited_for(self.tx, id, self.now)?;
                }
                (EnteredAs::New { message, case, role }, location)
            }
            EntryOutcome::SetAside { reason, due, .. } => {
                let location = self.locate(entry.at.uid, "set-aside", Some(reason), Some(message))?;
                self.tx
                    .prepare_cached("INSERT INTO set_aside (message_id, reason, due_on) VALUES (?1, ?2, ?3)")?
                    .execute(params![message, reason, due.map(On)])?;
                (EnteredAs::SetAside { message }, location)
            }
            // `enter` brings only these two here.
            EntryOutcome::Copy { .. } | EntryOutcome::OwnLetter | EntryOutcome::LeftAlone { .. } => {
                return Ok((EnteredAs::Already, 0));
            }
        };
        Ok((what, self.plan(message, location, effects.iter())?))
    }

    fn copy<'e>(
        &self,
        uid: u32,
        of: i64,
        effects: impl Iterator<Item = &'e Effect>,
    ) -> Result<(EnteredAs, usize), Fault> {
        let location = self.locate(uid, "copy", None, Some(of))?;
        // What was to be filed from a place that lost its meaning has been found again: it is filed from here.
        let found_again = self
            .tx
            .prepare_cached(
                "UPDATE effects SET state = 'pending', location_id = ?1
                 WHERE id = (SELECT min(id) FROM effects
                     WHERE desk = 'adrift/' || ?2 AND message_id = ?3)",
            )?
            .execute(params![location, self.mailbox.id, of])?;
        let planned = self.plan(of, location, effects)?;
        Ok((EnteredAs::Copy { of }, planned + found_again))
    }

    fn plan<'e>(
        &self,
        message: i64,
        location: i64,
        effects: impl Iterator<Item = &'e Effect>,
    ) -> Result<usize, Fault> {
        let mut planned = 0;
        for effect in effects {
            planned += usize::from(plan(
                self.tx,
                effect,
                Some(message),
                Some((location, self.mailbox.id)),
                self.now,
            )?);
        }
        Ok(planned)
    }

    fn has_outcome(&self, uid: u32) -> rusqlite::Result<bool> {
        self.tx
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM locations WHERE mailbox_id = ?1 AND epoch = ?2 AND uid = ?3)",
            )?
            .query_row(params![self.mailbox.id, self.mailbox.epoch, uid], |row| row.get(0))
    }

    fn known(&self, entry: &Entry) -> rusqlite::Result<Option<i64>> {
        let Some(fingerprint) = &entry.fingerprint else { return Ok(None) };
        self.tx.prepare_cached(BY_FINGERPRINT)?.query_row([fingerprint.0], |row| row.get(0)).optional()
    }

    fn locate(
        &self,
        uid: u32,
        outcome: &str,
        reason: Option<&str>,
        message: Option<i64>,
    ) -> rusqlite::Result<i64> {
        let mailbox = self.mailbox;
        self.tx
            .prepare_cached(
                "INSERT INTO locations (mailbox_id, epoch, uid_validity, uid, outcome, reason, message_id, entered_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .insert(params![
                mailbox.id,
                mailbox.epoch,
                mailbox.state.uid_validity,
                uid,
                outcome,
                reason,
                message,
                At(self.now)
            ])
    }

    fn message(&self, entry: &Entry) -> rusqlite::Result<i64> {
        let message = self
            .tx
            .prepare_cached(
                "INSERT INTO messages (fingerprint, message_id, mailbox_id, received_at, size_bytes, sender,
                     sender_domain, subject, words, entered_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .insert(params![
                entry.fingerprint.as_ref().map(|fingerprint| fingerprint.0),
                entry.message_id,
                self.mailbox.id,
                At(entry.received_at),
                i64::try_from(entry.size_bytes).unwrap_or(i64::MAX),
                entry.sender.as_ref().map(|sender| sender.to_lowercase()),
                entry.sender_domain.as_ref().map(|domain| domain.to_lowercase()),
                entry.subject,
                entry.words.as_ref().map(|words| words.0),
                At(self.now)
            ])?;
        let mut refer = self.tx.prepare_cached(
            "INSERT INTO message_references (message_id, refers_to, place)
             VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )?;
        for target in &entry.in_reply_to {
            refer.execute(params![message, target, 0])?;
        }
        for (place, target) in (1_i64..).zip(&entry.references) {
            refer.execute(params![message, target, place])?;
        }
        let mut take_part = self.tx.prepare_cached(
            "INSERT INTO participants (message_id, role, address) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        for participant in &entry.participants {
            take_part.execute(params![
                message,
                participant.role.word(),
                participant.address.to_lowercase()
            ])?;
        }
        Ok(message)
    }

    fn decision(&self, message: i64, decision: &StoredDecision) -> rusqlite::Result<()> {
        self.tx
            .prepare_cached(
                "INSERT INTO decisions (message_id, decided_at, rules_version, kind, copied, urgency, grounds,
                     claimed_urgent, queue, area, chaser, signposts, refer_leadership, unsure, withheld, trace,
                     sender_role)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            )?
            .execute(params![
                message,
                At(self.now),
                decision.rules_version,
                decision.kind,
                decision.copied,
                decision.urgency,
                Json(&decision.grounds),
                decision.claimed_urgent,
                decision.queue,
                decision.area,
                decision.chaser,
                Json(&decision.signposts),
                decision.refer_leadership,
                decision.unsure,
                decision.withheld,
                Json(&decision.trace),
                decision.sender_role
            ])?;
        tally::spoke(self.tx, &decision.spoke, self.now)?;
        Ok(())
    }

    fn case(
        &self,
        entry: &Entry,
        message: i64,
        opening: &Opening,
        decision: &StoredDecision,
    ) -> Result<i64, Fault> {
        let (reference, due) = (&opening.reference, &opening.due);
        let case: Option<i64> = self
            .tx
            .prepare_cached(
                "INSERT INTO cases (reference, opening_message, state, urgency, queue, area, received_at)
                 VALUES (?1, ?2, 'open', ?3, ?4, ?5, ?6)
                 ON CONFLICT (reference) DO NOTHING
                 RETURNING id",
            )?
            .query_row(
                params![
                    reference.as_str(),
                    message,
                    decision.urgency,
                    decision.queue,
                    decision.area,
                    At(entry.received_at)
                ],
                |row| row.get(0),
            )
            .optional()?;
        let Some(case) = case else {
            // The reference stands in the letter already, so another cannot be taken here.
            let reference = reference.to_string();
            return Err(RecordError::ReferenceTaken { reference, uid: entry.at.uid }.into());
        };
        let fact = Fact::Opened {
            matter: opening.matter,
            due_on: due.due_on,
            first_response_on: due.first_response_on,
            step: opening.step,
            step_due_on: opening.step_due_on,
        };
        let new = of_message(case, message, Role::Opened, entry.received_at, &fact);
        tell_without_event(self.tx, &new, self.now)?;
        let counted = json!({ "day_zero": due.day_zero, "due_on": due.due_on,
            "first_response_on": due.first_response_on, "skipped": due.skipped, "matter": opening.matter,
            "step": opening.step, "step_due_on": opening.step_due_on });
        add_event(self.tx, self.now, "opened", Some(case), Some(message), &counted)?;
        for link in &opening.links {
            self.tx
                .prepare_cached(
                    "INSERT INTO case_links (case_id, other_id, why) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )?
                .execute(params![case, link.case, link.why])?;
        }
        Ok(case)
    }

    fn join(&self, entry: &Entry, message: i64, case: i64, role: Role, facts: &[Fact]) -> Result<(), Fault> {
        self.tx
            .prepare_cached("INSERT INTO case_messages (message_id, case_id, role) VALUES (?1, ?2, ?3)")?
            .execute(params![message, case, role.word()])?;
        facts.iter().try_for_each(|fact| {
            tell(self.tx, &of_message(case, message, role, entry.received_at, fact), self.now).map(|_| ())
        })
    }
}

/// What a message tells of a case. One message tells each kind of thing once.
pub(super) fn of_message(case: i64, message: i64, role: Role, at: DateTime<Utc>, fact: &Fact) -> NewFact {
    let what = serde_json::to_value(fact).ok();
    let what = what.as_ref().and_then(|fact| fact.get("what")).and_then(serde_json::Value::as_str);
    let key = Some(format!("message/{message}/{}", what.unwrap_or_default()));
    let (by, fact) = ("send-triage".to_owned(), fact.clone());
    NewFact { case, key, at, by, message: Some((message, role)), fact, why: String::new() }
}

/// Adds one line to the audit, of what this program did.
pub(super) fn add_event(
    tx: &Transaction<'_>,
    at: DateTime<Utc>,
    what: &str,
    case: Option<i64>,
    message: Option<i64>,
    detail: &serde_json::Value,
) -> rusqlite::Result<()> {
    add_event_by(tx, at, "send-triage", what, case, message, detail)
}

/// Adds one line to the audit, of what somebody did.
pub(super) fn add_event_by(
    tx: &Transaction<'_>,
    at: DateTime<Utc>,
    by: &str,
    what: &str,
    case: Option<i64>,
    message: Option<i64>,
    detail: &serde_json::Value,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO events (happened_at, actor, what, case_id, message_id, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![At(at), by, what, case, message, Json(detail)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CaseFilter, Which};
    use super::*;

    #[test]
    fn a_batch_entered_again_changes_nothing() {
        let sample = Sample::new();
        let batch = sample.batch(vec![sample.letter_writer(1), sample.letter_writer(2)]);
        let first = sample.records.enter(&batch).unwrap();
        assert_eq!(first[0].effects, 2);
        let tables =
            ["messages", "cases", "decisions", "effects", "letters", "events", "locations", "absences"];
        let before = tables.map(|table| sample.count(table));
        let again = sample.records.enter(&batch).unwrap();
        assert!(again.iter().all(|entered| entered.what == EnteredAs::Already && entered.effects == 0));
        assert_eq!(before, tables.map(|table| sample.count(table)));
    }

    #[test]
    fn the_same_message_twice_in_a_batch_is_one_case_and_one_acknowledgement() {
        let sample = Sample::new();
        let mut twin = sample.letter_writer(1);
        twin.at.uid = 2;
        let entered = sample.records.enter(&sample.batch(vec![sample.letter_writer(1), twin])).unwrap();
        let EnteredAs::New { message, case: Some(_), .. } = entered[0].what else { panic!("{entered:?}") };
        assert_eq!(entered[1], Entered { uid: 2, what: EnteredAs::Copy { of: message }, effects: 1 });
        assert_eq!((sample.count("cases"), sample.count("letters")), (1, 1));
        assert_eq!(sample.count("effects WHERE kind = 'file'"), 2);
        assert_eq!(sample.count("effects WHERE kind = 'acknowledge'"), 1);
    }

    #[test]
    fn a_copy_in_another_mailbox_plans_no_second_acknowledgement_even_if_asked_to() {
        let sample = Sample::new();
        let EnteredAs::New { message, .. } = sample.enter_one(1).what else { panic!() };
        sample.records.take_into_use("assessment", "INBOX", 1, 0, at(0)).unwrap();
        let mut copy = sample.letter_writer(1);
        copy.at.account = "assessment".into();
        let EntryOutcome::Decided { effects, .. } = copy.outcome.clone() else { panic!() };
        copy.outcome = EntryOutcome::Copy { of: message, effects };
        let mut batch = sample.batch(vec![copy]);
        batch.account = "assessment".into();
        let entered = sample.records.enter(&batch).unwrap();
        assert_eq!(entered[0].effects, 1, "only the filing of the copy");
        assert_eq!(sample.count("letters"), 1);
        let which = Which::Mailbox { account: "assessment".into(), folder: "INBOX".into() };
        assert_eq!(sample.records.due_effects(which, at(9), 9).unwrap().len(), 1);
    }

    #[test]
    fn a_reference_of_another_case_stops_the_whole_batch() {
        let sample = Sample::new();
        let mut thief = sample.letter_writer(2);
        let (EntryOutcome::Decided { case, .. }, EntryOutcome::Decided { case: taken, .. }) =
            (&mut thief.outcome, sample.letter_writer(1).outcome)
        else {
            panic!()
        };
        *case = taken;
        let error = sample.records.enter(&sample.batch(vec![sample.letter_writer(1), thief])).err().unwrap();
        assert!(matches!(error, RecordError::ReferenceTaken { uid: 2, .. }), "{error}");
        assert_eq!((sample.count("messages"), sample.count("effects"), sample.count("locations")), (0, 0, 0));
        assert_eq!(sample.records.mailbox("general", "INBOX").unwrap().unwrap().last_uid, 0);
    }

    #[test]
    fn what_is_no_case_leaves_no_case_and_what_is_left_alone_leaves_no_personal_data() {
        let sample = Sample::new();
        let mut bounce = sample.letter_writer(1);
        if let EntryOutcome::Decided { case, effects, .. } = &mut bounce.outcome {
            (*case, *effects) = (CasePart::None, Vec::new());
        }
        let old = sample.with(2, EntryOutcome::LeftAlone { reason: "received before go-live".into() });
        let broken = sample
            .with(3, EntryOutcome::SetAside { reason: "no body".into(), due: None, effects: Vec::new() });
        let entered = sample.records.enter(&sample.batch(vec![bounce, old, broken])).unwrap();
        assert!(matches!(entered[0].what, EnteredAs::New { case: None, .. }));
        assert!(matches!(entered[2].what, EnteredAs::SetAside { .. }));
        assert!(sample.records.cases(&CaseFilter::default()).unwrap().is_empty());
        assert_eq!(sample.count("messages"), 2);
        assert_eq!(sample.count("messages WHERE sender = 'parent-2@home.example'"), 0);
    }

    #[test]
    fn the_audit_cannot_be_rewritten() {
        let sample = Sample::new();
        sample.enter_one(1);
        let change = sample.records.connection.execute("UPDATE events SET what = 'nothing'", []);
        assert!(change.unwrap_err().to_string().contains("never changed"));
    }

    /// `cargo test --release entries_a_second -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn entries_a_second() {
        let sample = Sample::new();
        let entries: Vec<_> = (1..=20_000).map(|uid| sample.letter_writer(uid)).collect();
        let batches: Vec<_> = entries.chunks(100).map(|chunk| sample.batch(chunk.to_vec())).collect();
        let start = std::time::Instant::now();
        for batch in &batches {
            sample.records.enter(batch).unwrap();
        }
        println!("{:.0} entries a second", 20_000.0 / start.elapsed().as_secs_f64());
    }
}
