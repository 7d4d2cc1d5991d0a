//! What is to be done: due, attempted, done, stuck. It does none of it: `daemon/` does, and says here how it went.
//!
//! A letter is marked `sending` before its bytes are handed over. Found so after a crash, or without an answer from the
//! server, it is `uncertain`: neither sent nor unsent, until somebody has looked for it.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::Records;
use super::error::RecordError;
use super::mailboxes::find;
use super::settle::{Filing, Step, settle};
use super::value::{At, Json};
use crate::effect::Effect;
use crate::letter::Letter;
use crate::message::MessageRef;

/// Whose effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Letters that this account is to send: acknowledgements, alerts and notices.
    Letters {
        /// The account.
        account: String,
    },
    /// Messages to be filed from this mailbox.
    Mailbox {
        /// The account.
        account: String,
        /// The folder.
        folder: String,
    },
    /// Messages that were to be filed from this mailbox by UIDs that have lost their meaning, and that were not met again.
    Adrift {
        /// The account.
        account: String,
        /// The folder.
        folder: String,
    },
    /// What is to be done in this account's Sent folder: copies to be kept, and uncertain letters to be looked for.
    Account {
        /// The account.
        account: String,
    },
}

/// An effect whose time has come.
#[derive(Debug, Clone)]
pub struct DueEffect {
    /// Its number.
    pub id: i64,
    /// The message on whose account; `None`: a notice about no single one.
    pub message: Option<i64>,
    /// What is to be done. Where `uncertain`, the letter is not to be sent but looked for.
    pub effect: Effect,
    /// The letter may have been sent: look for its Message-ID.
    pub uncertain: bool,
    /// For `File`: where the message lies; `None`: its UID has lost its meaning.
    pub at: Option<MessageRef>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was written down.
    pub planned_at: DateTime<Utc>,
    /// For a letter: when its bytes were last about to be handed over.
    pub tried_at: Option<DateTime<Utc>>,
}

/// What a crash left half done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Letters that were being handed over: now uncertain.
    pub uncertain: usize,
}

const DUE: &str = "SELECT effects.id, effects.kind, effects.message_id, effects.account, effects.payload,
        effects.state, effects.attempts, effects.planned_at,
        letters.message_id AS letter_message_id, letters.topic, letters.envelope_from, letters.envelope_to, letters.raw,
        mailboxes.account AS at_account, mailboxes.folder AS at_folder,
        locations.uid_validity AS at_uid_validity, locations.uid AS at_uid,
        (SELECT max(made_at) FROM attempts
            WHERE effect_id = effects.id AND outcome = 'handed-over') AS tried_at
    FROM effects
    LEFT JOIN letters ON letters.id = effects.letter_id
    LEFT JOIN locations ON locations.id = effects.location_id
    LEFT JOIN mailboxes ON mailboxes.id = effects.mailbox_id
    WHERE effects.desk = ?1 AND effects.not_before <= ?2
    ORDER BY effects.not_before, effects.id
    LIMIT ?3";
const HANDED_OVER: &str =
    "SELECT effects.id, letters.sent_at IS NOT NULL OR effects.id IS NULL OR effects.state <> 'pending'
        OR EXISTS (SELECT 1 FROM attempts WHERE effect_id = effects.id AND outcome = 'handed-over')
    FROM letters
    LEFT JOIN effects ON effects.letter_id = letters.id AND effects.kind <> 'keep-copy'
    WHERE letters.message_id = ?1";
const NEXT: &str = "SELECT min(not_before) FROM effects WHERE desk = ?1";

impl Records {
    /// What is due now, in the order in which it became due. One whose letter is missing is set before a person instead.
    pub fn due_effects(
        &self,
        which: Which,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<DueEffect>, RecordError> {
        let found = self.read(|connection| {
            let Some(desk) = desk(connection, &which)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(DUE)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![desk, At(now), limit], due_effect)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        let mut due = Vec::with_capacity(found.len());
        for effect in found {
            match effect {
                Ok(effect) => due.push(effect),
                Err(id) => {
                    self.ask_a_person(
                        id,
                        "what is to be done is missing from the record; please report this",
                        now,
                    )?;
                }
            }
        }
        Ok(due)
    }

    /// When the next of these becomes due; in the past when one is due already.
    pub fn next_effect_at(&self, which: Which) -> Result<Option<DateTime<Utc>>, RecordError> {
        self.read(|connection| {
            let Some(desk) = desk(connection, &which)? else { return Ok(None) };
            let next: Option<At> = connection.prepare_cached(NEXT)?.query_row([desk], |row| row.get(0))?;
            Ok(next.map(|at| at.0))
        })
    }

    /// The letter's bytes are about to be handed over. From here until its outcome is recorded, it may have been sent.
    pub fn committing(&self, effect: i64, now: DateTime<Utc>) -> Result<(), RecordError> {
        self.settle(
            effect,
            now,
            &Step { from: &["pending"], to: "sending", outcome: "handed-over", ..Step::default() },
        )
    }

    /// It is done; what follows from that is planned in the same transaction. Done before: nothing changes.
    pub fn done(&self, effect: i64, now: DateTime<Utc>, follow_on: &[Effect]) -> Result<(), RecordError> {
        self.settle(effect, now, &Step { follow_on, ..Step::DONE })
    }

    /// All of these are done, in one transaction; none of them if one cannot be.
    pub fn done_together(&self, effects: &[i64], now: DateTime<Utc>) -> Result<(), RecordError> {
        self.write(|tx| effects.iter().try_for_each(|effect| settle(tx, *effect, now, &Step::DONE)))
    }

    /// The message to be filed was no longer there: staff, or an earlier attempt, moved it. Nothing remains to be done.
    pub fn gone(&self, effect: i64, now: DateTime<Utc>) -> Result<(), RecordError> {
        self.settle(effect, now, &Step { outcome: "gone", ..Step::DONE })
    }

    /// It failed and is tried again at `at`. Also for an uncertain letter that was looked for and is proven not sent, and
    /// for one that a person gives another try. Filing by a UID that has lost its meaning waits until the message is found.
    pub fn try_again(
        &self,
        effect: i64,
        problem: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), RecordError> {
        let from = &["pending", "sending", "uncertain", "adrift", "stuck"];
        let not_before = Some(at);
        self.settle(
            effect,
            now,
            &Step { from, to: "pending", outcome: "failed", problem, not_before, ..Step::default() },
        )
    }

    /// The letter was handed over and no answer came, or it was looked for in vain: it is looked for (again) at `at`.
    pub fn uncertain(
        &self,
        effect: i64,
        problem: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), RecordError> {
        let from = &["pending", "sending", "uncertain"];
        let not_before = Some(at);
        self.settle(
            effect,
            now,
            &Step { from, to: "uncertain", outcome: "uncertain", problem, not_before, ..Step::default() },
        )
    }

    /// Trying again does not help: a person must act. It is listed until somebody has.
    pub fn ask_a_person(&self, effect: i64, problem: &str, now: DateTime<Utc>) -> Result<(), RecordError> {
        let from = &["pending", "sending", "uncertain", "adrift", "stuck"];
        self.settle(effect, now, &Step { from, to: "stuck", outcome: "stuck", problem, ..Step::default() })
    }

    /// At the start: letters that were being handed over when the program last ended are uncertain, to be looked for at once.
    pub fn recover(&self, now: DateTime<Utc>) -> Result<Recovered, RecordError> {
        const PROBLEM: &str = "send-triage ended while the letter was being handed over";
        self.at_work_since.set(Some(now));
        self.write(|tx| {
            let mut statement = tx.prepare("SELECT id FROM effects WHERE desk = 'sending' ORDER BY id")?;
            let ids = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
            for id in &ids {
                let step = Step {
                    from: &["sending"],
                    to: "uncertain",
                    outcome: "interrupted",
                    problem: PROBLEM,
                    ..Step::default()
                };
                settle(tx, *id, now, &step)?;
            }
            Ok(Recovered { uncertain: ids.len() })
        })
    }

    /// An account answers after it was away: what waits to be filed from or to it, or kept in its Sent folder, is due at once,
    /// and what was given up meanwhile is tried once more. Filing twice does no harm; letters are left as they are.
    pub fn answers_again(&self, account: &str, now: DateTime<Utc>) -> Result<(), RecordError> {
        const ITS: &str = "kind IN ('file', 'keep-copy')
            AND (account = ?1 OR mailbox_id IN (SELECT id FROM mailboxes WHERE account = ?1))";
        self.write(|tx| {
            let sql = format!("SELECT id FROM effects WHERE desk = 'person' AND {ITS} ORDER BY id");
            let mut statement = tx.prepare_cached(&sql)?;
            let given_up =
                statement.query_map([account], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
            for id in given_up {
                let step = Step {
                    from: &["stuck"],
                    to: "pending",
                    outcome: "failed",
                    problem: "given up while the account was away; it answers again",
                    not_before: Some(now),
                    ..Step::default()
                };
                settle(tx, id, now, &step)?;
            }
            let sql = format!(
                "UPDATE effects SET not_before = ?2
                 WHERE desk IS NOT NULL AND state IN ('pending', 'adrift') AND attempts > 0 AND not_before > ?2 AND {ITS}"
            );
            tx.prepare_cached(&sql)?.execute(params![account, At(now)])?;
            Ok(())
        })
    }

    /// Whether this record has handed over the letter with this Message-ID, or may have. One that lies in Sent and that it has
    /// not begun to send was sent by another, and is not sent a second time.
    pub fn has_sent(&self, message_id: &str, now: DateTime<Utc>) -> Result<bool, RecordError> {
        let found = self.read(|connection| {
            let mut find = connection.prepare_cached(HANDED_OVER)?;
            let rows = find.query_map([message_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<(Option<i64>, bool)>>>()?)
        })?;
        for effect in found.iter().filter(|(_, sent)| !sent).filter_map(|(effect, _)| *effect) {
            self.done(effect, now, &[])?;
        }
        Ok(!found.is_empty() && found.iter().all(|(_, sent)| *sent))
    }

    fn settle(&self, effect: i64, now: DateTime<Utc>, step: &Step<'_>) -> Result<(), RecordError> {
        self.write(|tx| settle(tx, effect, now, step))
    }
}

fn desk(connection: &Connection, which: &Which) -> rusqlite::Result<Option<String>> {
    Ok(match which {
        Which::Letters { account } => Some(format!("post/{account}")),
        Which::Account { account } => Some(format!("sent/{account}")),
        Which::Mailbox { account, folder } => {
            find(connection, account, folder)?.map(|mailbox| format!("mailbox/{}", mailbox.id))
        }
        Which::Adrift { account, folder } => {
            find(connection, account, folder)?.map(|mailbox| format!("adrift/{}", mailbox.id))
        }
    })
}

/// `Err`: the number of an effect that cannot be put together.
fn due_effect(row: &Row<'_>) -> rusqlite::Result<Result<DueEffect, i64>> {
    let id = row.get("id")?;
    let account: String = row.get("account")?;
    let raw: Option<Vec<u8>> = row.get("raw")?;
    let letter = match raw {
        Some(raw) => Some(Letter {
            message_id: row.get("letter_message_id")?,
            envelope_from: row.get("envelope_from")?,
            envelope_to: row.get("envelope_to")?,
            raw,
        }),
        None => None,
    };
    let planned_at = row.get::<_, At>("planned_at")?.0;
    let state = row.get_ref("state")?.as_str()?;
    let (effect, at) = match (row.get_ref("kind")?.as_str()?, letter) {
        ("acknowledge", Some(letter)) => (Effect::Acknowledge { account, letter }, None),
        ("keep-copy", Some(letter)) => (Effect::KeepCopy { account, letter }, None),
        // Its time has come, so when that was planned for no longer matters.
        ("alert", Some(letter)) => (Effect::Alert { account, letter, not_before: planned_at }, None),
        ("notice", Some(letter)) => {
            let topic = row.get::<_, Option<String>>("topic")?.unwrap_or_default();
            (Effect::Notice { account, letter, topic, not_before: planned_at }, None)
        }
        ("file", None) => {
            let Ok(Json(Filing { to, flagged })) = row.get::<_, Json<Filing>>("payload") else {
                return Ok(Err(id));
            };
            let at = MessageRef {
                account: row.get("at_account")?,
                folder: row.get("at_folder")?,
                uid_validity: row.get("at_uid_validity")?,
                uid: row.get("at_uid")?,
            };
            (Effect::File { to, flagged }, (state != "adrift").then_some(at))
        }
        _ => return Ok(Err(id)),
    };
    Ok(Ok(DueEffect {
        id,
        message: row.get("message_id")?,
        effect,
        uncertain: state == "uncertain",
        at,
        attempts: row.get("attempts")?,
        planned_at,
        tried_at: row.get::<_, Option<At>>("tried_at")?.map(|at| at.0),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::*;

    fn letter_due(sample: &Sample, now: i64) -> Vec<DueEffect> {
        sample.records.due_effects(Which::Letters { account: "general".into() }, at(now), 10).unwrap()
    }

    fn sent_due(sample: &Sample, now: i64) -> Vec<DueEffect> {
        let which = Which::Account { account: "general".into() };
        sample.records.due_effects(which, at(now), 10).unwrap()
    }

    /// Whether the letter's words are anywhere in the record's files.
    fn words_are_kept(sample: &Sample) -> bool {
        sample.records.tidy().unwrap();
        let bytes = std::fs::read(sample.path()).unwrap();
        bytes.windows(24).any(|window| window == b"A very private letter, n")
    }

    #[test]
    fn a_letter_is_handed_over_done_kept_in_sent_and_then_forgotten_but_for_its_message_id() {
        let sample = Sample::new();
        sample.enter_one(1);
        let due = letter_due(&sample, 5).remove(0);
        let Effect::Acknowledge { account, letter } = &due.effect else { panic!() };
        assert_eq!(
            (letter.envelope_to.as_str(), letter.envelope_from.as_ref()),
            ("Parent-1@home.example", None)
        );
        sample.records.committing(due.id, at(5)).unwrap();
        assert!(letter_due(&sample, 5).is_empty());
        let copy = Effect::KeepCopy { account: account.clone(), letter: letter.clone() };
        sample.records.done(due.id, at(6), std::slice::from_ref(&copy)).unwrap();
        assert!(words_are_kept(&sample));
        sample.records.done(due.id, at(7), std::slice::from_ref(&copy)).unwrap();

        let keep = sent_due(&sample, 6);
        assert_eq!((keep.len(), &keep[0].effect, keep[0].uncertain), (1, &copy, false));
        sample.records.done(keep[0].id, at(8), &[]).unwrap();
        assert_eq!(sample.count("letters WHERE raw IS NOT NULL"), 0);
        assert!(!words_are_kept(&sample));
        assert!(sample.records.is_our_letter("ack-1@council.example").unwrap());
    }

    #[test]
    fn a_refused_letter_waits_its_time_and_every_attempt_is_visible() {
        let sample = Sample::new();
        sample.enter_one(1);
        let id = letter_due(&sample, 5)[0].id;
        let in_a_while = at(65) + chrono::TimeDelta::milliseconds(1);
        sample.records.try_again(id, "450 greylisted", in_a_while, at(5)).unwrap();
        assert!(letter_due(&sample, 65).is_empty());
        assert_eq!(
            sample.records.next_effect_at(Which::Letters { account: "general".into() }).unwrap(),
            Some(at(66))
        );
        assert_eq!(letter_due(&sample, 66)[0].attempts, 1);
        sample.records.ask_a_person(id, "550 no such user", at(66)).unwrap();
        assert_eq!(
            sample.records.next_effect_at(Which::Letters { account: "general".into() }).unwrap(),
            None
        );
        let stuck = sample.records.stuck().unwrap().remove(0);
        assert_eq!((stuck.attempts, stuck.problem.as_deref()), (2, Some("550 no such user")));
        let details: Vec<_> = stuck.history.iter().map(|attempt| attempt.detail.as_str()).collect();
        assert_eq!(details, ["450 greylisted", "550 no such user"]);
        // A person has put it right.
        sample.records.try_again(id, "asked for again", at(70), at(70)).unwrap();
        assert_eq!(letter_due(&sample, 70).len(), 1);
    }

    #[test]
    fn a_letter_interrupted_by_a_crash_is_looked_for_and_not_sent_again() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.enter_one(2);
        sample.records.committing(letter_due(&sample, 5)[0].id, at(5)).unwrap();
        let sample = sample.close().open();
        assert_eq!(sample.records.recover(at(20)).unwrap(), Recovered { uncertain: 1 });
        assert_eq!(sample.records.recover(at(21)).unwrap(), Recovered { uncertain: 0 });
        assert_eq!(letter_due(&sample, 30).len(), 1, "the other one");
        let uncertain = sent_due(&sample, 30).remove(0);
        assert!(uncertain.uncertain);
        assert_eq!(sample.records.uncertain_letters().unwrap().len(), 1);
        // Not found, perhaps not there yet: looked for again later. Then found.
        sample.records.uncertain(uncertain.id, "not in Sent yet", at(300), at(30)).unwrap();
        assert!(sent_due(&sample, 299).is_empty());
        sample.records.done(sent_due(&sample, 300)[0].id, at(300), &[]).unwrap();
        assert_eq!(sample.records.uncertain_letters().unwrap().len(), 0);
    }

    #[test]
    fn what_cannot_follow_is_refused() {
        let sample = Sample::new();
        sample.enter_one(1);
        let id = letter_due(&sample, 5)[0].id;
        sample.records.committing(id, at(5)).unwrap();
        assert!(matches!(sample.records.committing(id, at(5)), Err(RecordError::NotPossible { .. })));
        sample.records.done(id, at(6), &[]).unwrap();
        let error = sample.records.try_again(id, "?", at(7), at(7)).err().unwrap();
        assert_eq!(error.to_string(), format!("effect {id}: it is done and cannot become pending"));
        assert!(sample.records.done(4711, at(7), &[]).is_err());
    }

    #[test]
    fn a_message_is_filed_from_where_it_lies_and_one_that_is_gone_is_not_missed() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.enter_one(2);
        let inbox = || Which::Mailbox { account: "general".into(), folder: "INBOX".into() };
        let due = sample.records.due_effects(inbox(), at(5), 10).unwrap();
        assert_eq!(due[1].at, Some(sample.letter_writer(2).at));
        sample.records.done(due[0].id, at(6), &[]).unwrap();
        sample.records.gone(due[1].id, at(6)).unwrap();
        assert!(sample.records.next_effect_at(inbox()).unwrap().is_none());
        assert_eq!(sample.count("locations WHERE left_at IS NOT NULL"), 2);
        assert_eq!(sample.count("events WHERE what = 'gone-before-filing'"), 1);
        assert!(
            sample
                .records
                .due_effects(Which::Mailbox { account: "x".into(), folder: "y".into() }, at(9), 9)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn an_alert_waits_for_the_working_morning_and_goes_once_to_each() {
        let sample = Sample::new();
        let mut entry = sample.letter_writer(1);
        let super::super::EntryOutcome::Decided { effects, .. } = &mut entry.outcome else { panic!() };
        let alert = |to: &str| {
            let letter = Letter {
                message_id: "alert-1@council.example".into(),
                envelope_from: None,
                envelope_to: to.into(),
                raw: b"Subject: Urgent\r\n\r\n".to_vec(),
            };
            Effect::Alert { account: "general".into(), letter, not_before: at(9000) }
        };
        effects.extend([
            alert("duty@council.example"),
            alert("second@council.example"),
            alert("duty@council.example"),
        ]);
        assert_eq!(sample.records.enter(&sample.batch(vec![entry])).unwrap()[0].effects, 4);
        assert_eq!(letter_due(&sample, 8999).len(), 1);
        assert_eq!(letter_due(&sample, 9000).len(), 3);
    }

    #[test]
    fn an_effect_whose_letter_is_missing_is_set_before_a_person_and_holds_up_nobody() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.enter_one(2);
        sample.sql("UPDATE letters SET raw = NULL WHERE id = 1");
        assert_eq!(letter_due(&sample, 5).len(), 1);
        assert_eq!(sample.records.stuck().unwrap().len(), 1);
    }

    #[test]
    fn what_is_due_is_found_by_an_index_however_much_is_done() {
        let sample = Sample::new();
        for sql in [DUE, NEXT] {
            let plan = sample.plan(sql);
            assert!(plan.contains("effects_by_desk") && !plan.contains("TEMP B-TREE"), "{plan}");
            assert!(!plan.contains("SCAN"), "{plan}");
        }
    }
}
