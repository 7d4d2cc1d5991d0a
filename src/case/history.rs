//! What one sender has asked before, in words: what the Resolution Team looked up by hand. It names nobody and reads no record;
//! whether the protocol was followed is not its business.
//!
//! communication-policy, process where escalations are made without following the escalation protocol.

use chrono::{DateTime, NaiveDate, Utc};

use super::life::{Standing, State, Step};
use super::words::{day, times, working_days};
use crate::calendar::{WorkingCalendar, london};

/// A case of the same sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCase {
    /// `SEND-7K4M-2Q9X`.
    pub reference: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// It is urgent.
    pub is_urgent: bool,
    /// How it stands.
    pub standing: Standing,
    /// References of the cases it is linked with.
    pub linked: Vec<String>,
}

/// `step 2 (the team lead)`.
fn named(step: Step) -> String {
    format!("step {} ({})", step.number(), step.who())
}

/// One case in a line: received, due, answered or not, in time or not, asked again, step, links.
pub fn line(case: &PastCase, today: NaiveDate, calendar: &WorkingCalendar) -> String {
    let standing = &case.standing;
    let mut said = format!("{}, received {}", case.reference, day(london::date(case.received_at), today));
    if case.is_urgent {
        said.push_str(", urgent");
    }
    said.push_str(&match (standing.due_on, standing.state) {
        (_, State::Closed) => ": closed by staff, nothing owed".to_owned(),
        (None, _) => ": no day for the answer".to_owned(),
        (Some(due), State::Answered) => {
            let on = standing.answered_at.map(|at| day(london::date(at), today)).unwrap_or_default();
            let how = match (standing.in_time, standing.late_by(today, calendar)) {
                (Some(true), _) => "in time".to_owned(),
                (_, Some(late)) if late > 0 => format!("{} late", working_days(late)),
                _ => "late".to_owned(),
            };
            format!(": due {}; answered {on}, {how}", day(due, today))
        }
        (Some(due), State::Open | State::Extended) => {
            let extended = standing.extended_from.map(|on| format!(" (at first {})", day(on, today)));
            let late = match standing.late_by(today, calendar) {
                Some(0) => ", overdue".to_owned(),
                Some(late) => format!(", overdue by {}", working_days(late)),
                None => String::new(),
            };
            let held =
                if standing.first_response_at.is_some() { "told to wait longer" } else { "not answered" };
            format!(": due {}{}; {held}{late}", day(due, today), extended.unwrap_or_default())
        }
    });
    if standing.chasers > 0 {
        said.push_str(&format!("; asked again {}", times(standing.chasers)));
    }
    if standing.step > Step::Coordinator {
        said.push_str(&format!("; at {}", named(standing.step)));
    }
    if !case.linked.is_empty() {
        said.push_str(&format!("; linked with {}", case.linked.join(", ")));
    }
    said.push('.');
    said
}

/// The history for a letter or a page: a line for each case, the oldest first.
pub fn in_words(cases: &[PastCase], today: NaiveDate, calendar: &WorkingCalendar) -> String {
    let mut out = match cases.len() {
        0 => "No earlier case of this sender is on record.\n".to_owned(),
        1 => "1 earlier case of this sender:\n".to_owned(),
        many => format!("{many} earlier cases of this sender:\n"),
    };
    for case in cases {
        out.push_str(&format!("- {}\n", line(case, today, calendar)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Fact, Happening, Matter};
    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        london::instant(on(text), "10:00:00".parse().unwrap())
    }

    fn case(
        reference: &str,
        received: &str,
        due: &str,
        is_urgent: bool,
        facts: Vec<(&str, Fact)>,
    ) -> PastCase {
        let opened = Fact::Opened {
            matter: Matter::Question,
            due_on: on(due),
            first_response_on: None,
            step: Step::Coordinator,
            step_due_on: None,
        };
        let all = std::iter::once((received, opened)).chain(facts).enumerate();
        let all: Vec<_> =
            all.map(|(n, (day, fact))| Happening { at: at(day), key: n.to_string(), fact }).collect();
        PastCase {
            reference: reference.into(),
            received_at: at(received),
            is_urgent,
            standing: Standing::of(&all).unwrap(),
            linked: Vec::new(),
        }
    }

    fn chased() -> Fact {
        Fact::Chased { escalated_due_on: on("2026-12-08"), reopened_due_on: on("2026-12-16") }
    }

    #[test]
    fn the_history_reads_as_the_resolution_team_would_have_looked_it_up() {
        let mut second =
            case("SEND-BBBB-0002", "2026-11-16", "2026-11-30", false, vec![("2026-12-02", chased())]);
        second.linked.push("SEND-AAAA-0001".into());
        let cases = [
            case("SEND-AAAA-0001", "2026-11-02", "2026-11-16", false, vec![("2026-11-06", Fact::Answered)]),
            second,
        ];
        assert_eq!(
            in_words(&cases, on("2026-12-03"), &WorkingCalendar::default()),
            "2 earlier cases of this sender:\n\
             - SEND-AAAA-0001, received Monday 2 November: due Monday 16 November; answered Friday 6 November, in time.\n\
             - SEND-BBBB-0002, received Monday 16 November: due Monday 30 November; not answered, overdue by 3 working days; \
             asked again once; at step 2 (the team lead); linked with SEND-AAAA-0001.\n"
        );
    }
}
