//! At which step of the escalation a message comes in, and whether the protocol was followed on the way there.
//!
//! contact-process, "What if I don't hear back?" (steps 1 to 4; urgent and unanswered skips to step 4), and the policy's
//! "Process where escalations are made without following the escalation protocol". It weighs what the sender says against
//! what the record knows; it counts no days and moves no date: that is [`super::life`]'s, by the facts that follow.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::life::Step;
use crate::triage::Chaser;

/// What the sender says in this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// A ground of the urgent list holds.
    pub urgent: bool,
    /// It chases an earlier contact.
    pub chaser: Chaser,
    /// It goes to the SEND Resolution Team, for whatever reason.
    pub resolution: bool,
    /// The furthest step that the sender says to have taken already; `None`: nothing is said of any.
    pub told: Option<Step>,
}

/// An earlier case of this sender that still waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The step that it is at.
    pub step: Step,
    /// The day on which the response at that step is due: the answer's at step 1, else the step's target.
    pub due_on: NaiveDate,
    /// It is urgent.
    pub urgent: bool,
}

impl Waiting {
    /// Whether the time of its step is over.
    fn is_over(&self, today: NaiveDate) -> bool {
        today > self.due_on
    }
}

/// Whether the protocol was followed on the way to the Resolution Team, and which step comes next: what the policy makes
/// that team look up by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// Whether the steps before were taken and their time is over, or the matter is urgent and was not answered.
    pub followed: bool,
    /// The furthest step that the sender says to have taken; step 1 where nothing is said.
    pub told: Step,
    /// The furthest step that the record knows of, among this sender's cases; step 1 where it knows none.
    pub known: Step,
    /// The step that comes next.
    pub next: Step,
    /// Why, in sentences for the Resolution Team. They name nobody.
    pub why: Vec<String>,
}

/// Where a message stands in the escalation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// The step at which it came in.
    pub step: Step,
    /// For what goes to the Resolution Team: how it came there.
    pub protocol: Option<Protocol>,
}

/// The step of a message received on this day, from a sender with these cases waiting.
pub fn escalation(contact: Contact, waiting: &[Waiting], today: NaiveDate) -> Escalation {
    if contact.resolution || (contact.urgent && contact.chaser != Chaser::None) {
        return Escalation { step: Step::ResolutionTeam, protocol: Some(protocol(contact, waiting, today)) };
    }
    // The step after the furthest one whose time is over.
    let after = waiting.iter().filter(|case| case.is_over(today)).filter_map(|case| case.step.next()).max();
    let step = match (contact.told, contact.chaser) {
        (_, Chaser::None) => Step::Coordinator,
        // "I have written to the team lead": the step after that one.
        (Some(told), _) if told > Step::Coordinator => told.next().max(after).unwrap_or(told),
        // Where the record knows of none, the sender's word counts.
        (_, Chaser::Overdue) => after.unwrap_or(Step::TeamLead),
        (_, Chaser::Unclear | Chaser::Within) => after.unwrap_or_default(),
    };
    Escalation { step, protocol: None }
}

/// How a matter came to the Resolution Team.
pub fn protocol(contact: Contact, waiting: &[Waiting], today: NaiveDate) -> Protocol {
    let told = contact.told.unwrap_or_default();
    let furthest = waiting.iter().max_by_key(|case| (case.step, case.is_over(today)));
    let known = furthest.map_or(Step::Coordinator, |case| case.step);
    let urgent = waiting.iter().any(|case| case.urgent) || (contact.urgent && contact.chaser != Chaser::None);
    let mut why = vec![match contact.told {
        Some(step) => format!("The sender says that {} was contacted (step {}).", step.who(), step.number()),
        None if contact.chaser == Chaser::None => {
            "The sender does not speak of an earlier contact.".to_owned()
        }
        None => "The sender speaks of an earlier contact, and of no step of the escalation.".to_owned(),
    }];
    why.push(match furthest {
        None => "The record has no case of this sender that waits for an answer.".to_owned(),
        Some(case) => {
            let over = if case.is_over(today) { "its time is over" } else { "its time is not over" };
            format!(
                "The record has a case of this sender at step {} ({}): {over}.",
                known.number(),
                known.who()
            )
        }
    });
    let (followed, next) = if urgent {
        why.push("An urgent matter that was not answered goes to step 4 at once.".to_owned());
        (true, Step::ResolutionTeam)
    } else {
        let taken = told.max(known);
        // What only the sender knows of is taken as said; what the record knows must have had its time.
        let had_its_time = match furthest {
            Some(case) if case.step == taken => case.is_over(today),
            _ => contact.told.is_some() || contact.chaser == Chaser::Overdue,
        };
        let next = if had_its_time { taken.next().unwrap_or(taken) } else { taken };
        (next == Step::ResolutionTeam, next)
    };
    if !followed {
        why.push(format!("Next comes step {}, {}.", next.number(), next.who()));
    } else if !urgent {
        why.push("The steps before were taken.".to_owned());
    }
    Protocol { followed, told, known, next, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, n).unwrap()
    }

    fn says(chaser: Chaser, told: Option<Step>) -> Contact {
        Contact { urgent: false, chaser, resolution: false, told }
    }

    fn waits(step: Step, due: u32) -> Waiting {
        Waiting { step, due_on: day(due), urgent: false }
    }

    fn step(contact: Contact, waiting: &[Waiting]) -> u8 {
        escalation(contact, waiting, day(20)).step.number()
    }

    #[test]
    fn the_step_follows_from_what_the_sender_says_and_what_the_record_knows() {
        let (overdue, waiting) = (waits(Step::Coordinator, 19), waits(Step::Coordinator, 20));
        assert_eq!(step(says(Chaser::None, None), &[overdue]), 1, "another matter is no escalation");
        assert_eq!(step(says(Chaser::Unclear, None), &[waiting]), 1);
        assert_eq!(
            step(says(Chaser::Unclear, None), &[overdue]),
            2,
            "the record knows that the time is over"
        );
        assert_eq!(step(says(Chaser::Overdue, None), &[]), 2, "the sender says so");
        assert_eq!(step(says(Chaser::Overdue, Some(Step::TeamLead)), &[]), 3);
        assert_eq!(
            step(says(Chaser::Within, None), &[waits(Step::TeamLead, 19)]),
            3,
            "the team lead's time is over"
        );
        assert_eq!(step(says(Chaser::Within, None), &[waits(Step::TeamLead, 20)]), 1, "and here it is not");
        let urgent = Contact { urgent: true, ..says(Chaser::Within, None) };
        assert_eq!(step(urgent, &[]), 4, "urgent and unanswered skips to step 4");
        assert_eq!(step(Contact { urgent: true, ..says(Chaser::None, None) }, &[]), 1, "urgent and new");
    }

    #[test]
    fn over_the_protocols_head_the_next_step_is_the_one_that_was_left_out() {
        let above = |told| Contact { resolution: true, ..says(Chaser::None, told) };
        let of = |told, waiting: &[Waiting]| {
            let protocol = protocol(above(told), waiting, day(20));
            (protocol.followed, protocol.next.number())
        };
        assert_eq!(of(None, &[]), (false, 1), "nobody was asked before");
        assert_eq!(of(None, &[waits(Step::Coordinator, 25)]), (false, 1), "the coordinator still has time");
        assert_eq!(of(None, &[waits(Step::Coordinator, 10)]), (false, 2));
        assert_eq!(of(None, &[waits(Step::TeamLead, 10)]), (false, 3));
        assert_eq!(of(None, &[waits(Step::SeniorManager, 10)]), (true, 4));
        assert_eq!(of(Some(Step::TeamLead), &[]), (false, 3));
        assert_eq!(of(Some(Step::SeniorManager), &[]), (true, 4));
        let urgent = Waiting { urgent: true, ..waits(Step::Coordinator, 25) };
        assert_eq!(of(None, &[urgent]), (true, 4));
    }

    #[test]
    fn the_reasons_are_sentences() {
        let contact = Contact { resolution: true, ..says(Chaser::None, None) };
        let why = protocol(contact, &[waits(Step::Coordinator, 10)], day(20)).why;
        assert_eq!(
            why,
            [
                "The sender does not speak of an earlier contact.",
                "The record has a case of this sender at step 1 (the EHC Coordinator): its time is over.",
                "Next comes step 2, the team lead."
            ]
        );
    }
}
