//! Every case of one sender, for those who look up what went before. What that means is `case/history.rs`.

use serde::Serialize;

use super::Records;
use super::cases::{LinkRow, links};
use super::error::RecordError;
use super::rows::{CaseRow, case_rows};
use crate::case::history::PastCase;

/// A case of a sender, with the cases it is linked with.
#[derive(Clone, Serialize)]
pub struct HistoryRow {
    /// The case as in a list.
    #[serde(flatten)]
    pub case: CaseRow,
    /// Other cases that may concern the same matter.
    pub linked: Vec<LinkRow>,
}

impl HistoryRow {
    /// What of it is told in words.
    pub fn past(&self) -> PastCase {
        PastCase {
            reference: self.case.reference.clone(),
            received_at: self.case.received_at,
            is_urgent: self.case.urgency == "urgent",
            standing: self.case.standing(),
            linked: self.linked.iter().map(|link| link.reference.clone()).collect(),
        }
    }
}

/// Cases in which this address wrote on the sender's side; staff who answered are not among those.
const OF_SENDER: &str = "WHERE c.id IN (
        SELECT cm.case_id FROM messages s JOIN case_messages cm ON cm.message_id = s.id
        WHERE s.sender = ?1 AND cm.role IN ('opened', 'chaser', 'addition', 'thanks')
        UNION
        SELECT cm.case_id FROM participants p JOIN case_messages cm ON cm.message_id = p.message_id
        WHERE p.address = ?1 AND p.role IN ('from', 'reply-to')
            AND cm.role IN ('opened', 'chaser', 'addition', 'thanks'))
    ORDER BY c.received_at, c.id";

impl Records {
    /// Every case of the sender with this address, whatever its case, the oldest first.
    pub fn history_of(&self, address: &str) -> Result<Vec<HistoryRow>, RecordError> {
        let address = address.trim().to_lowercase();
        self.read(|connection| {
            let mut history = Vec::new();
            for case in case_rows(connection, OF_SENDER, &[&address])? {
                let id: i64 = connection
                    .prepare_cached("SELECT id FROM cases WHERE reference = ?1")?
                    .query_row([&case.reference], |row| row.get(0))?;
                history.push(HistoryRow { case, linked: links(connection, id)? });
            }
            Ok(history)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};
    use super::super::{CasePart, EntryOutcome, Link, Role};
    use super::*;
    use crate::case::State;

    #[test]
    fn a_sender_has_the_cases_that_they_wrote_in_and_nobody_elses() {
        let sample = Sample::new();
        sample.enter_one(1);
        let mut second = sample.letter_writer(2);
        if let EntryOutcome::Decided { case: CasePart::Opens(opening), .. } = &mut second.outcome {
            opening.links.push(Link { case: 1, why: "the same writer".into() });
        }
        // The one who chases case 2 belongs to it from then on; the one who is answered there by staff does not.
        let mut chaser = sample.with(3, sample.letter_writer(3).outcome);
        let EntryOutcome::Decided { case, effects, .. } = &mut chaser.outcome else { panic!() };
        *case = CasePart::Joins { case: 2, role: Role::Chaser, facts: Vec::new() };
        effects.clear();
        sample.records.enter(&sample.batch(vec![second, chaser])).unwrap();

        let history = |address: &str| {
            let rows = sample.records.history_of(address).unwrap();
            rows.iter().map(|row| (row.case.subject.clone(), row.linked.len())).collect::<Vec<_>>()
        };
        assert_eq!(history("PARENT-1@home.example"), [("My son's timetable, 1".to_owned(), 1)]);
        assert_eq!(history("parent-3@home.example"), [("My son's timetable, 2".to_owned(), 1)]);
        assert!(history("send@council.example").is_empty() && history("").is_empty());
        let past = sample.records.history_of("parent-2@home.example").unwrap()[0].past();
        assert_eq!((past.received_at, past.is_urgent, past.linked.len()), (at(2), true, 1));
        assert_eq!(past.standing, sample.records.standing_of(2).unwrap().unwrap());
        assert_eq!(past.standing.state, State::Open);
    }

    #[test]
    fn the_history_of_a_sender_is_found_by_indexes() {
        let sample = Sample::new();
        let plan = sample.plan(&format!("SELECT c.id FROM cases c {OF_SENDER}"));
        assert!(plan.contains("messages_by_sender") && plan.contains("participants_by_address"), "{plan}");
    }
}
