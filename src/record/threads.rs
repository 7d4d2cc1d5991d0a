//! What the record knows of the messages that a message refers to: their cases, how these stand, and who takes part in
//! them. Looks only; whether a message belongs to one of them is `case/joining.rs`'s to say.
//!
//! RFC 5322 section 3.6.4 (Message-ID, In-Reply-To, References).

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::Records;
use super::error::{Fault, RecordError};
use super::facts;
use super::value::{At, Json};
use crate::case::joining::{People, Thread};
use crate::case::{Labels, Reference};

const BY_MESSAGE_ID: &str = "SELECT case_messages.case_id FROM messages
    JOIN case_messages ON case_messages.message_id = messages.id
    WHERE messages.message_id = ?1 ORDER BY messages.id";
const BY_LETTER: &str = "SELECT case_messages.case_id FROM letters
    JOIN case_messages ON case_messages.message_id = letters.answers
    WHERE letters.message_id = ?1 ORDER BY letters.id";
const BY_WORDS: &str = "SELECT case_messages.case_id, messages.received_at FROM messages
    JOIN case_messages ON case_messages.message_id = messages.id
    WHERE messages.words = ?1 ORDER BY messages.id DESC LIMIT 1";
const PEOPLE: &str = "SELECT case_messages.role, participants.role, participants.address FROM case_messages
    JOIN participants ON participants.message_id = case_messages.message_id
    WHERE case_messages.case_id = ?1";
const GROUNDS: &str = "SELECT decisions.grounds FROM case_messages
    JOIN decisions ON decisions.message_id = case_messages.message_id
    WHERE case_messages.case_id = ?1 AND case_messages.role IN ('opened', 'chaser', 'addition')";
const OF_SENDER: &str = "SELECT DISTINCT cases.id FROM messages
    JOIN case_messages ON case_messages.message_id = messages.id
    JOIN cases ON cases.id = case_messages.case_id
    WHERE messages.sender = ?1 AND case_messages.role IN ('opened', 'chaser', 'addition')
        AND cases.state IN ('open', 'extended')
    ORDER BY cases.id";

/// A conversation is followed back through so many messages.
const LONGEST_CONVERSATION: usize = 300;
const IN_CONVERSATION: &str = "SELECT id, sender FROM messages WHERE message_id = ?1";
const REFERRED: &str = "SELECT refers_to FROM message_references WHERE message_id = ?1 ORDER BY place";
const OWN_CASE: &str = "SELECT cases.id FROM case_messages JOIN cases ON cases.id = case_messages.case_id
    WHERE case_messages.message_id = ?1 AND case_messages.role IN ('opened', 'chaser', 'addition')
        AND cases.state IN ('open', 'extended')";

impl Records {
    /// The waiting case of what this sender wrote earlier in the conversation that these Message-IDs belong to: what they
    /// refer to, what that refers to, and so on, of the messages that we know; the nearest first.
    pub fn own_case_in_conversation(
        &self,
        ids: &[String],
        sender: &str,
    ) -> Result<Option<Thread>, RecordError> {
        let sender = sender.to_lowercase();
        self.read(|connection| {
            let mut find = connection.prepare_cached(IN_CONVERSATION)?;
            let mut refer = connection.prepare_cached(REFERRED)?;
            let mut own = connection.prepare_cached(OWN_CASE)?;
            let mut seen: HashSet<String> = ids.iter().cloned().collect();
            let mut ahead: VecDeque<String> = ids.iter().cloned().collect();
            let mut followed = 0;
            while let Some(id) = ahead.pop_front() {
                let known = find.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let known = known.collect::<rusqlite::Result<Vec<(i64, Option<String>)>>>()?;
                for (message, writer) in known {
                    if writer.as_deref() == Some(sender.as_str())
                        && let Some(case) = own.query_row([message], |row| row.get(0)).optional()?
                    {
                        return thread(connection, case);
                    }
                    followed += 1;
                    if followed >= LONGEST_CONVERSATION {
                        return Ok(None);
                    }
                    for further in refer.query_map([message], |row| row.get::<_, String>(0))? {
                        let further = further?;
                        if seen.insert(further.clone()) {
                            ahead.push_back(further);
                        }
                    }
                }
            }
            Ok(None)
        })
    }

    /// The cases to which these Message-IDs lead, each once, in their order. An id leads to the case of the message that
    /// has it; that of a letter of ours to the case of the message that it answers.
    pub fn threads(&self, ids: &[String]) -> Result<Vec<Thread>, RecordError> {
        self.read(|connection| {
            let mut cases: Vec<i64> = Vec::new();
            for id in ids {
                for sql in [BY_MESSAGE_ID, BY_LETTER] {
                    let mut find = connection.prepare_cached(sql)?;
                    for case in find.query_map([id], |row| row.get::<_, i64>(0))? {
                        let case = case?;
                        if !cases.contains(&case) {
                            cases.push(case);
                        }
                    }
                }
            }
            threads(connection, &cases)
        })
    }

    /// The case of the newest message with the same sender, subject and new words, and when that was received.
    pub fn same_words(&self, words: &[u8; 32]) -> Result<Option<(Thread, DateTime<Utc>)>, RecordError> {
        self.read(|connection| {
            let found: Option<(i64, At)> = connection
                .prepare_cached(BY_WORDS)?
                .query_row([words], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((case, received_at)) = found else { return Ok(None) };
            Ok(threads(connection, &[case])?.pop().map(|thread| (thread, received_at.0)))
        })
    }

    /// The cases of this sender that still wait for an answer, the oldest first.
    pub fn waiting_cases_of(&self, sender: &str) -> Result<Vec<Thread>, RecordError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(OF_SENDER)?;
            let cases = find.query_map([sender.to_lowercase()], |row| row.get(0))?;
            let cases = cases.collect::<rusqlite::Result<Vec<i64>>>()?;
            threads(connection, &cases)
        })
    }
}

fn threads(connection: &Connection, cases: &[i64]) -> Result<Vec<Thread>, Fault> {
    let mut all = Vec::new();
    for case in cases {
        all.extend(thread(connection, *case)?);
    }
    Ok(all)
}

/// One case; `None` where it has no fact that opened it, and so does not stand at all.
fn thread(connection: &Connection, case: i64) -> Result<Option<Thread>, Fault> {
    let Some(standing) = facts::standing(connection, case)? else { return Ok(None) };
    let mut grounds: Vec<String> = Vec::new();
    let mut find = connection.prepare_cached(GROUNDS)?;
    for more in find.query_map([case], |row| Ok(row.get::<_, Json<Vec<String>>>(0)?.0))? {
        for ground in more? {
            if !grounds.contains(&ground) {
                grounds.push(ground);
            }
        }
    }
    let mut people = People::default();
    let mut find = connection.prepare_cached(PEOPLE)?;
    let rows = find.query_map([case], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    for row in rows {
        let (role, field, address) = row?;
        let by_staff = matches!(role.as_str(), "answer" | "holding-reply" | "passed-on");
        match (by_staff, field.as_str()) {
            (false, "from" | "reply-to") => people.wrote(&address),
            (true, "to") => people.staff_addressed(&address),
            _ => {}
        }
    }
    let thread = connection
        .prepare_cached("SELECT reference, received_at, urgency, queue, area FROM cases WHERE id = ?1")?
        .query_row(params![case], |row| {
            Ok(Thread {
                case,
                reference: Reference::from_record(row.get(0)?),
                received_at: row.get::<_, At>(1)?.0,
                labels: Labels {
                    kind: "person".to_owned(),
                    urgency: row.get(2)?,
                    grounds,
                    queue: row.get(3)?,
                    area: row.get(4)?,
                },
                standing,
                people,
            })
        })
        .optional()?;
    Ok(thread)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CasePart, EnteredAs, EntryOutcome, ParticipantRole, Role};
    use super::*;
    use crate::case::{Fact, State};

    fn case_of(sample: &Sample, uid: u32) -> i64 {
        let EnteredAs::New { case: Some(case), .. } = sample.enter_one(uid).what else { panic!() };
        case
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn an_id_leads_to_the_case_of_its_message_and_our_letters_to_that_of_the_message_they_answer() {
        let sample = Sample::new();
        let (one, two) = (case_of(&sample, 1), case_of(&sample, 2));
        let cases = |wanted: &[&str]| {
            let threads = sample.records.threads(&ids(wanted)).unwrap();
            threads.iter().map(|thread| thread.case).collect::<Vec<_>>()
        };
        assert_eq!(cases(&["nobody@home.example", "question-1@home.example"]), [one]);
        assert_eq!(cases(&["ack-2@council.example", "question-1@home.example"]), [two, one], "in this order");
        assert_eq!(cases(&["ack-1@council.example", "question-1@home.example"]), [one], "each once");
        let thread = sample.records.threads(&ids(&["question-1@home.example"])).unwrap().remove(0);
        assert_eq!((thread.standing.state, thread.labels.queue.as_str()), (State::Open, "general"));
        assert_eq!(thread.labels.grounds, ["U4"]);
        assert!(thread.common(&["PARENT-1@home.example"]).is_some());
        assert!(thread.common(&["parent-2@home.example"]).is_none());
        assert!(
            thread.common(&["send@council.example"]).is_none(),
            "whom the sender wrote to is nobody's side"
        );
    }

    #[test]
    fn whom_staff_wrote_to_belongs_to_the_case_and_whom_they_copied_in_does_not() {
        let sample = Sample::new();
        let case = case_of(&sample, 1);
        let mut answer = sample.letter_writer(5);
        answer.participants = vec![
            super::super::Participant { role: ParticipantRole::From, address: "jo@council.example".into() },
            super::super::Participant { role: ParticipantRole::To, address: "Father@home.example".into() },
            super::super::Participant { role: ParticipantRole::Cc, address: "aunt@home.example".into() },
        ];
        if let EntryOutcome::Decided { case: part, effects, .. } = &mut answer.outcome {
            *part = CasePart::Joins { case, role: Role::Answer, facts: vec![Fact::Answered] };
            effects.clear();
        }
        sample.records.enter(&sample.batch(vec![answer])).unwrap();
        let thread = sample.records.threads(&ids(&["question-5@home.example"])).unwrap().remove(0);
        assert_eq!((thread.case, thread.standing.state), (case, State::Answered));
        assert!(thread.common(&["father@home.example"]).is_some());
        assert!(
            thread.common(&["aunt@home.example"]).is_none()
                && thread.common(&["jo@council.example"]).is_none()
        );
    }

    #[test]
    fn a_senders_cases_are_those_that_wait() {
        let sample = Sample::new();
        let case = case_of(&sample, 1);
        let waiting = || sample.records.waiting_cases_of("Parent-1@Home.example").unwrap().len();
        assert_eq!(waiting(), 1);
        let reference =
            sample.records.threads(&ids(&["question-1@home.example"])).unwrap().remove(0).reference;
        let act = crate::case::life::Act::Answer;
        sample.records.act(reference.as_str(), act, &Fact::Answered, "Officer", "", at(50)).unwrap();
        assert_eq!((waiting(), case), (0, 1));
    }

    #[test]
    fn what_is_asked_of_every_message_is_answered_by_an_index() {
        let sample = Sample::new();
        for (sql, index) in [
            (BY_MESSAGE_ID, "messages_by_message_id"),
            (BY_LETTER, "letters_by_message_id"),
            (BY_WORDS, "messages_by_words"),
            (PEOPLE, "case_messages_by_case"),
            (GROUNDS, "case_messages_by_case"),
            (OF_SENDER, "messages_by_sender"),
        ] {
            let plan = sample.plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{sql}\n{plan}");
        }
    }
}
