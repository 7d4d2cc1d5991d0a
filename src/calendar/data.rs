//! A calendar from what staff wrote in `config/working-days.yaml`, and what is odd about it. Reads no file: the values
//! arrive typed.

use chrono::{Datelike, Months, NaiveDate, NaiveTime, Weekday};
use thiserror::Error;

use super::mention::Term;
use super::{Skipped, WorkingCalendar, bank_holidays};

/// Why days cannot be made into a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalendarProblem {
    /// No bank holidays at all.
    #[error(
        "There is no bank holiday. Copy England's from gov.uk/bank-holidays, at least to the end of next year."
    )]
    NoBankHolidays,
    /// A day without a name.
    #[error("The day {on} has no name. Say what it is: it is shown to people when a due date is explained.")]
    Nameless {
        /// The day.
        on: NaiveDate,
    },
    /// The same day twice.
    #[error("The bank holiday on {on} is there twice, as {first:?} and as {second:?}. Remove one of them.")]
    Twice {
        /// The day.
        on: NaiveDate,
        /// Its first name.
        first: String,
        /// Its second name.
        second: String,
    },
    /// A year that nobody means.
    #[error("The day {on} is not in this century or the last. Is its year mistyped?")]
    AbsurdYear {
        /// The day.
        on: NaiveDate,
    },
    /// A closure that ends before it begins.
    #[error(
        "The closure {name:?} ends ({to}) before it begins ({from}). Write the first day as from, the last as to."
    )]
    ClosureBackwards {
        /// Its name.
        name: String,
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// A closure of more than 62 days.
    #[error("The closure {name:?} from {from} to {to} is longer than two months. Is a date mistyped?")]
    ClosureTooLong {
        /// Its name.
        name: String,
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// Closing time at or before opening time.
    #[error("Working hours end ({}) before they begin ({}). Write them as from, to.", .closes.format("%H:%M"), .opens.format("%H:%M"))]
    HoursBackwards {
        /// Opening time.
        opens: NaiveTime,
        /// Closing time.
        closes: NaiveTime,
    },
    /// A school term whose dates are not in order.
    #[error(
        "The {name} term that begins on {first} is not in order: its half term must lie inside it, and its last day \
         after its first."
    )]
    TermOutOfOrder {
        /// Its name.
        name: String,
        /// Its first day.
        first: NaiveDate,
    },
    /// Two school terms that share days.
    #[error(
        "The {name} term that begins on {first} begins before the one above it has ended. Put terms in order."
    )]
    TermsOverlap {
        /// Name of the later one.
        name: String,
        /// Its first day.
        first: NaiveDate,
    },
}

impl WorkingCalendar {
    /// A calendar of these bank holidays and council closures (first day, last day, name).
    pub fn new(
        bank_holidays: Vec<(NaiveDate, String)>,
        closures: Vec<(NaiveDate, NaiveDate, String)>,
    ) -> Result<Self, CalendarProblem> {
        let mut closed: Vec<Skipped> = Vec::new();
        for (on, name) in bank_holidays {
            plausible(on, &name)?;
            closed.push(Skipped { on, name });
        }
        closed.sort_by_key(|day| day.on);
        for (one, other) in closed.iter().zip(closed.iter().skip(1)) {
            if one.on == other.on {
                let (first, second) = (one.name.clone(), other.name.clone());
                return Err(CalendarProblem::Twice { on: one.on, first, second });
            }
        }
        let (Some(first), Some(last)) = (closed.first().map(|day| day.on), closed.last().map(|day| day.on))
        else {
            return Err(CalendarProblem::NoBankHolidays);
        };
        for (from, to, name) in closures {
            add_closure(&mut closed, from, to, &name)?;
        }
        closed.retain(|day| !is_weekend(day.on));
        Ok(Self { closed, known_from: start_of_year(first), known_until: end_of_what_is_known(last) })
    }

    /// Whether the data reaches this day; beyond it bank holidays are computed by rule.
    pub fn is_known(&self, on: NaiveDate) -> bool {
        self.known_from <= on && on <= self.known_until
    }

    /// What to tell staff when the data ends within twelve months of this day.
    pub fn horizon_warning(&self, today: NaiveDate) -> Option<String> {
        let in_a_year = today.checked_add_months(Months::new(12))?;
        (in_a_year > self.known_until).then(|| {
            format!(
                "Bank holidays are known until {} only. After that they are computed by the usual rules, without \
                 extra days. Add the coming years from gov.uk/bank-holidays to config/working-days.yaml.",
                self.known_until.format("%-d %B %Y")
            )
        })
    }

    /// Holidays that the usual rules give and the data lacks. It may be right (one was moved for a jubilee), so `check`
    /// warns and does not refuse; extra days (a coronation) need no rule.
    pub fn oddities(&self) -> Vec<String> {
        let expected: Vec<(NaiveDate, &str)> = (self.known_from.year()..=self.known_until.year())
            .flat_map(bank_holidays::by_rule)
            .filter(|(on, _)| self.is_known(*on))
            .collect();
        expected
            .iter()
            .filter(|(on, _)| self.closed_name(*on).is_none())
            .map(|(on, name)| {
                let on = on.format("%A %-d %B %Y");
                format!("{on} would be a bank holiday by the usual rules ({name}) and is not in the data.")
            })
            .collect()
    }
}

/// Whether these school terms are in order; the first problem if not.
pub fn check_terms(terms: &[Term]) -> Result<(), CalendarProblem> {
    for term in terms {
        let (from, to) = term.half_term;
        if !(term.first < from && from <= to && to < term.last) {
            return Err(CalendarProblem::TermOutOfOrder { name: term.name.clone(), first: term.first });
        }
    }
    for (one, other) in terms.iter().zip(terms.iter().skip(1)) {
        if other.first <= one.last {
            return Err(CalendarProblem::TermsOverlap { name: other.name.clone(), first: other.first });
        }
    }
    Ok(())
}

fn plausible(on: NaiveDate, name: &str) -> Result<(), CalendarProblem> {
    if !(1900..=2199).contains(&on.year()) {
        return Err(CalendarProblem::AbsurdYear { on });
    }
    if name.trim().is_empty() {
        return Err(CalendarProblem::Nameless { on });
    }
    Ok(())
}

/// Adds the weekdays of a closure; where one is a bank holiday too, the holiday's name stands.
fn add_closure(
    closed: &mut Vec<Skipped>,
    from: NaiveDate,
    to: NaiveDate,
    name: &str,
) -> Result<(), CalendarProblem> {
    plausible(from, name)?;
    plausible(to, name)?;
    if to < from {
        return Err(CalendarProblem::ClosureBackwards { name: name.to_owned(), from, to });
    }
    if (to - from).num_days() > 62 {
        return Err(CalendarProblem::ClosureTooLong { name: name.to_owned(), from, to });
    }
    for on in from.iter_days().take_while(|on| *on <= to) {
        if let Err(place) = closed.binary_search_by_key(&on, |day| day.on) {
            closed.insert(place, Skipped { on, name: name.to_owned() });
        }
    }
    Ok(())
}

pub(super) fn is_weekend(on: NaiveDate) -> bool {
    matches!(on.weekday(), Weekday::Sat | Weekday::Sun)
}

fn start_of_year(on: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(on.year(), 1, 1).unwrap_or(on)
}

/// Lists end with a year's last holiday: what ends at Christmas is known to the end of that year.
fn end_of_what_is_known(last: NaiveDate) -> NaiveDate {
    if last.month() == 12 && last.day() >= 25 {
        NaiveDate::from_ymd_opt(last.year(), 12, 31).unwrap_or(last)
    } else {
        last
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{day, england};
    use super::*;

    fn one(on: &str, name: &str) -> Vec<(NaiveDate, String)> {
        vec![(day(on), name.to_owned())]
    }

    fn refused(
        holidays: Vec<(NaiveDate, String)>,
        closures: Vec<(NaiveDate, NaiveDate, String)>,
        words: &str,
    ) {
        let problem = WorkingCalendar::new(holidays, closures).unwrap_err().to_string();
        assert!(problem.contains(words), "{problem}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        let good = || one("2026-12-25", "Christmas Day");
        let closure = |from: &str, to: &str| vec![(day(from), day(to), "Closure".to_owned())];
        refused(vec![], vec![], "There is no bank holiday");
        refused(one("2026-12-25", " "), vec![], "The day 2026-12-25 has no name");
        refused(one("0226-12-25", "Christmas Day"), vec![], "mistyped");
        refused([good(), good()].concat(), vec![], "is there twice");
        refused(
            good(),
            closure("2026-12-31", "2026-12-29"),
            "ends (2026-12-29) before it begins (2026-12-31)",
        );
        refused(good(), closure("2026-12-29", "2027-12-31"), "longer than two months");
    }

    #[test]
    fn a_closure_yields_to_a_bank_holiday_and_to_weekends() {
        let holidays = one("2026-12-28", "Boxing Day (substitute day)");
        let closures = vec![(day("2026-12-24"), day("2026-12-29"), "Christmas closure".to_owned())];
        let calendar = WorkingCalendar::new(holidays, closures).unwrap();
        let closed: Vec<_> = calendar.closed.iter().map(|d| (d.on.to_string(), d.name.as_str())).collect();
        let wanted = [
            ("2026-12-24", "Christmas closure"),
            ("2026-12-25", "Christmas closure"),
            ("2026-12-28", "Boxing Day (substitute day)"),
            ("2026-12-29", "Christmas closure"),
        ];
        assert_eq!(closed, wanted.map(|(on, name)| (on.to_owned(), name)));
    }

    #[test]
    fn staff_are_told_a_year_before_the_data_ends() {
        let calendar = england();
        assert_eq!(calendar.known_until, day("2030-12-31"));
        assert_eq!(calendar.horizon_warning(day("2029-12-31")), None);
        let warning = calendar.horizon_warning(day("2030-01-01")).unwrap();
        assert!(warning.starts_with("Bank holidays are known until 31 December 2030 only."), "{warning}");
        assert!(calendar.is_known(day("2030-12-31")) && !calendar.is_known(day("2031-01-01")));
        assert!(calendar.is_known(day("2024-01-01")) && !calendar.is_known(day("2023-12-31")));
        assert_eq!(calendar.horizon_warning(NaiveDate::MAX), None);
    }

    #[test]
    fn a_forgotten_holiday_is_noticed() {
        let all = england().closed;
        let without = all.into_iter().filter(|d| d.on != day("2027-03-29")).map(|d| (d.on, d.name)).collect();
        let calendar = WorkingCalendar::new(without, vec![]).unwrap();
        let wanted = "Monday 29 March 2027 would be a bank holiday by the usual rules (Easter Monday) and is not in the data.";
        assert_eq!(calendar.oddities(), [wanted]);
        assert!(england().oddities().is_empty());
    }

    #[test]
    fn terms_must_be_in_order() {
        let term = |first: &str, half: (&str, &str), last: &str| Term {
            name: "autumn".to_owned(),
            first: day(first),
            last: day(last),
            half_term: (day(half.0), day(half.1)),
        };
        let autumn = term("2026-09-03", ("2026-10-26", "2026-10-30"), "2026-12-18");
        assert_eq!(check_terms(std::slice::from_ref(&autumn)), Ok(()));
        assert!(check_terms(&[term("2026-09-03", ("2026-10-30", "2026-10-26"), "2026-12-18")]).is_err());
        assert!(check_terms(&[autumn.clone(), autumn]).is_err());
    }

    #[test]
    fn the_school_terms_as_shipped_are_in_order() {
        let terms: Vec<Term> = include_str!("../../config/working-days.yaml")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- {name: ")?.split_once(", first: "))
            .map(|(name, rest)| {
                let dates: Vec<NaiveDate> = rest
                    .split(|c: char| !(c.is_ascii_digit() || c == '-'))
                    .filter_map(|word| word.parse().ok())
                    .collect();
                let half_term = (dates[2], dates[3]);
                Term { name: name.to_owned(), first: dates[0], last: dates[1], half_term }
            })
            .collect();
        assert_eq!(terms.len(), 15);
        assert_eq!(check_terms(&terms), Ok(()));
        for term in terms {
            assert!(
                [term.first, term.last, term.half_term.0, term.half_term.1].iter().all(|on| !is_weekend(*on))
            );
        }
    }
}
