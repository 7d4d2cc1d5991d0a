//! How a case stands, in words that staff read: on a page, in a list, in a letter. It judges nothing; `life.rs` does.
//!
//! communication-policy, email d and escalations: who answers by when, and whether it was in time.

use chrono::{Datelike, NaiveDate};

use super::life::{Standing, State, Step};
use crate::calendar::{WorkingCalendar, london};

/// `Tuesday 8 December`; with the year when it is not this one.
pub fn day(on: NaiveDate, today: NaiveDate) -> String {
    let year = if on.year() == today.year() { "" } else { " %Y" };
    on.format(&format!("%A %-d %B{year}")).to_string()
}

/// `1 working day`, `3 working days`.
pub fn working_days(number: u32) -> String {
    if number == 1 { "1 working day".to_owned() } else { format!("{number} working days") }
}

/// `once`, `twice`, `3 times`.
pub fn times(number: u32) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

impl Standing {
    /// By how many working days the answer is late, or was when it came. 0 when the weekend after the last day is not over.
    pub fn late_by(&self, today: NaiveDate, calendar: &WorkingCalendar) -> Option<u32> {
        let due = self.due_on?;
        let until = match self.state {
            State::Open | State::Extended => today,
            State::Answered => london::date(self.answered_at?),
            State::Closed => return None,
        };
        (until > due).then(|| calendar.working_days_between(due, until))
    }

    /// Its state, its day and whose turn it is, in one sentence without its full stop.
    pub fn in_a_sentence(&self, today: NaiveDate, calendar: &WorkingCalendar) -> String {
        let mut said = match self.state {
            State::Open => format!("Open, {}", self.due_in_words(today, calendar)),
            State::Extended => {
                let first =
                    self.extended_from.map(|on| format!(" from {}", day(on, today))).unwrap_or_default();
                format!("Extended{first}, {}", self.due_in_words(today, calendar))
            }
            State::Answered => self.answered_in_words(today, calendar),
            State::Closed => "Closed: staff said that nothing is owed".to_owned(),
        };
        if !self.state.is_waiting() {
            return said;
        }
        if let Some(on) = self.first_response_on.filter(|_| self.first_response_at.is_none()) {
            // At step 4 the target of the step is the first response.
            if self.step_due_on != Some(on) {
                let verb = if today > on { "was due by" } else { "is due by" };
                said.push_str(&format!("; a first response {verb} {}", day(on, today)));
            }
        }
        if self.step > Step::Coordinator {
            said.push_str(&format!("; step {}: {}", self.step.number(), self.step_in_words(today)));
        }
        said
    }

    /// `due in 3 working days, on Monday 30 November`; `overdue by 3 working days`.
    pub fn due_in_words(&self, today: NaiveDate, calendar: &WorkingCalendar) -> String {
        let Some(due) = self.due_on else { return "without a day for the answer".to_owned() };
        let named = day(due, today);
        match self.late_by(today, calendar) {
            Some(0) => format!("overdue since {named}"),
            Some(late) => format!("overdue by {}: the answer was due on {named}", working_days(late)),
            None if due == today => "due today".to_owned(),
            None => {
                let left = calendar.working_days_between(today, due);
                format!("due in {}, on {named}", working_days(left))
            }
        }
    }

    fn answered_in_words(&self, today: NaiveDate, calendar: &WorkingCalendar) -> String {
        let on = self.answered_at.map(london::date);
        let on = on.map(|on| format!(" on {}", day(on, today))).unwrap_or_default();
        let due = self.due_on.map(|due| day(due, today)).unwrap_or_default();
        match (self.in_time, self.late_by(today, calendar)) {
            (Some(true), _) => format!("Answered{on}, in time (due on {due})"),
            (_, Some(late)) if late > 0 => {
                format!("Answered{on}, {} late (due on {due})", working_days(late))
            }
            (Some(false), _) => format!("Answered{on}, late (due on {due})"),
            (None, _) => format!("Answered{on}"),
        }
    }

    fn step_in_words(&self, today: NaiveDate) -> String {
        let who = self.step.who();
        let deed = if self.step == Step::ResolutionTeam { "responds" } else { "answers" };
        match self.step_due_on {
            Some(on) if today > on => {
                let past = if self.step == Step::ResolutionTeam { "respond" } else { "answer" };
                format!("{who} was to {past} by {}", day(on, today))
            }
            Some(on) => format!("{who} {deed} by {}", day(on, today)),
            None => format!("with {who}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::super::{Fact, Happening, Matter};
    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        london::instant(on(text), "10:00:00".parse().unwrap())
    }

    fn standing(facts: Vec<(&str, Fact)>) -> Standing {
        let opened = Fact::Opened {
            matter: Matter::Question,
            due_on: on("2026-11-30"),
            first_response_on: None,
            step: Step::Coordinator,
            step_due_on: None,
        };
        let all = std::iter::once(("2026-11-16", opened)).chain(facts).enumerate();
        let all: Vec<_> =
            all.map(|(n, (day, fact))| Happening { at: at(day), key: n.to_string(), fact }).collect();
        Standing::of(&all).unwrap()
    }

    fn said(today: &str, facts: Vec<(&str, Fact)>) -> String {
        standing(facts).in_a_sentence(on(today), &WorkingCalendar::default())
    }

    #[test]
    fn a_case_that_waits_says_until_when_and_who_has_it() {
        assert_eq!(said("2026-11-20", vec![]), "Open, due in 6 working days, on Monday 30 November");
        assert_eq!(said("2026-11-30", vec![]), "Open, due today");
        let chased = Fact::Chased { escalated_due_on: on("2026-12-08"), reopened_due_on: on("2026-12-16") };
        assert_eq!(
            said("2026-12-03", vec![("2026-12-02", chased.clone())]),
            "Open, overdue by 3 working days: the answer was due on Monday 30 November; \
             step 2: the team lead answers by Tuesday 8 December"
        );
        let late = said("2027-01-04", vec![("2026-12-02", chased)]);
        assert!(late.ends_with("the team lead was to answer by Tuesday 8 December 2026"), "{late}");
        assert_eq!(
            said("2026-11-20", vec![("2026-11-18", Fact::HeldOver { until: on("2027-01-14") })]),
            "Extended from Monday 30 November, due in 36 working days, on Thursday 14 January 2027"
        );
    }

    #[test]
    fn a_case_that_is_done_says_whether_it_was_in_time() {
        assert_eq!(
            said("2026-12-03", vec![("2026-11-24", Fact::Answered)]),
            "Answered on Tuesday 24 November, in time (due on Monday 30 November)"
        );
        assert_eq!(
            said("2026-12-03", vec![("2026-12-02", Fact::Answered)]),
            "Answered on Wednesday 2 December, 2 working days late (due on Monday 30 November)"
        );
        assert_eq!(
            said("2026-12-03", vec![("2026-11-24", Fact::Closed)]),
            "Closed: staff said that nothing is owed"
        );
    }

    #[test]
    fn the_weekend_after_the_last_day_is_overdue_though_no_working_day_has_passed() {
        let friday = standing(vec![("2026-11-17", Fact::Reopened { due_on: on("2026-11-27") })]);
        let said = friday.in_a_sentence(on("2026-11-28"), &WorkingCalendar::default());
        assert_eq!(said, "Open, overdue since Friday 27 November");
    }
}
