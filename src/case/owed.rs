//! Each answer that was or is owed in a case: one when it opens, one more each time it is opened again. How the case stands now is
//! `life.rs`; this is for counting, long after, how it went.
//!
//! communication-policy, email d: the promised time is what the policy gives, whatever later date staff name (which it allows).

use chrono::NaiveDate;

use super::{Happening, Standing, State};
use crate::calendar::london;

/// An answer that is or was owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// When it was asked: the case opened, or was opened again.
    pub asked_on: NaiveDate,
    /// The last day of the promised time.
    pub promised_on: NaiveDate,
    /// The day that held in the end: that one, or a later one that staff named.
    pub due_on: NaiveDate,
    /// When staff answered.
    pub answered_on: Option<NaiveDate>,
    /// It was closed without an answer: nothing was owed.
    pub dropped: bool,
}

/// All of them, in order. What is neither answered nor dropped is the last one, and the case waits for it.
pub fn owed(happenings: &[Happening]) -> Vec<Owed> {
    let mut all: Vec<Owed> = Vec::new();
    let opened = happenings.iter().find(|one| matches!(one.fact, super::Fact::Opened { .. }));
    Standing::told(happenings, |before, happening, after| {
        let on = london::date(happening.at);
        if let (true, Some(opened), Some(due)) = (all.is_empty(), opened, before.due_on) {
            all.push(Owed::new(london::date(opened.at), due));
        }
        let reopened = !before.state.is_waiting() && after.state.is_waiting();
        if let (true, Some(due)) = (reopened, after.due_on) {
            all.push(Owed::new(on, due));
        }
        let Some(last) = all.last_mut() else { return };
        last.due_on = after.due_on.filter(|_| before.state.is_waiting()).unwrap_or(last.due_on);
        match (before.state.is_waiting(), after.state) {
            (true, State::Answered) => last.answered_on = Some(on),
            (true, State::Closed) => last.dropped = true,
            _ => {}
        }
    });
    all
}

impl Owed {
    fn new(asked_on: NaiveDate, due_on: NaiveDate) -> Self {
        Self { asked_on, promised_on: due_on, due_on, answered_on: None, dropped: false }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::super::{Fact, Matter, Step};
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    fn opened() -> Fact {
        Fact::Opened {
            matter: Matter::Question,
            due_on: day("2026-11-16"),
            first_response_on: None,
            step: Step::Coordinator,
            step_due_on: None,
        }
    }

    /// What is owed after these facts, each as `asked promised due answered`.
    fn check(facts: Vec<(&str, Fact)>, wanted: &[&str]) {
        let happenings: Vec<_> = (0..)
            .zip(facts)
            .map(|(n, (when, fact))| Happening { at: at(when), key: format!("{n:03}"), fact })
            .collect();
        let said = |on: NaiveDate| on.format("%-d.%-m").to_string();
        let found: Vec<_> = owed(&happenings)
            .into_iter()
            .map(|one| {
                let end = match (one.answered_on, one.dropped) {
                    (Some(on), false) => said(on),
                    (None, true) => "dropped".to_owned(),
                    (None, false) => "waits".to_owned(),
                    _ => "both".to_owned(),
                };
                format!("{} {} {} {end}", said(one.asked_on), said(one.promised_on), said(one.due_on))
            })
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn one_answer_is_owed_when_a_case_opens() {
        check(vec![("2026-11-02T10:00", opened())], &["2.11 16.11 16.11 waits"]);
        let answered = vec![("2026-11-02T10:00", opened()), ("2026-11-02T16:00", Fact::Answered)];
        check(answered, &["2.11 16.11 16.11 2.11"]);
        check(
            vec![("2026-11-02T10:00", opened()), ("2026-11-05T09:00", Fact::Closed)],
            &["2.11 16.11 16.11 dropped"],
        );
        check(vec![("2026-11-02T10:00", Fact::Answered)], &[]);
    }

    #[test]
    fn a_later_date_that_staff_name_is_not_the_promised_one() {
        let until = |on: &str| Fact::HeldOver { until: day(on) };
        let facts = vec![
            ("2026-11-02T10:00", opened()),
            ("2026-11-05T10:00", until("2026-11-27")),
            ("2026-11-06T10:00", until("2026-11-20")),
            ("2026-11-26T10:00", Fact::Answered),
            ("2026-11-27T10:00", Fact::Answered),
        ];
        check(facts, &["2.11 16.11 27.11 26.11"]);
    }

    #[test]
    fn each_time_it_is_opened_again_one_more_is_owed_and_the_first_stays_as_it_was() {
        let chased =
            |on: &str| Fact::Chased { escalated_due_on: day("2026-12-01"), reopened_due_on: day(on) };
        let facts = vec![
            ("2026-11-02T10:00", opened()),
            ("2026-11-03T10:00", chased("2026-11-17")), // Within the time: nothing new is owed.
            ("2026-11-06T10:00", Fact::Answered),
            ("2026-11-09T10:00", chased("2026-11-23")),
            ("2026-11-12T10:00", Fact::Closed),
            ("2026-11-13T10:00", Fact::Reopened { due_on: day("2026-11-27") }),
        ];
        check(facts, &["2.11 16.11 16.11 6.11", "9.11 23.11 23.11 dropped", "13.11 27.11 27.11 waits"]);
    }

    #[test]
    fn the_days_are_londons() {
        let facts = vec![("2026-07-01T23:30", opened()), ("2026-07-03T22:59", Fact::Answered)];
        check(facts, &["2.7 16.11 16.11 3.7"]);
    }
}
