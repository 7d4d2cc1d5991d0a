//! When an answer is due: working days in England, counted in Europe/London dates. Knows no clock and no file.
//!
//! Policy, email d: an answer within 10 working days. Day 1 is the first working day after the day of receipt, so the
//! day of receipt is day 0 whatever the hour, and whether or not it is itself a working day; the answer is in time until
//! the end of the last day.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};

pub mod bank_holidays;
pub mod data;
pub mod hours;
pub mod london;
pub mod mention;

pub use data::{CalendarProblem, check_terms};
pub use hours::{Hours, WorkingHours};

/// A day that was not counted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The day.
    pub on: NaiveDate,
    /// `Saturday`, `Sunday`, a bank holiday's name, or the council's own words for a closure.
    pub name: String,
}

/// A due date and how it was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The day of receipt in Europe/London: day 0.
    pub day_zero: NaiveDate,
    /// The last day on which the answer is in time (until its end).
    pub due_on: NaiveDate,
    /// Days passed over on the way.
    pub skipped: Vec<Skipped>,
}

/// Working days: Monday to Friday less bank holidays and the council's closures. Outside the years that the data covers,
/// bank holidays are computed by rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkingCalendar {
    /// Days that are not worked though they are weekdays, sorted, with their names.
    pub closed: Vec<Skipped>,
    /// The first day for which bank holidays are known.
    pub known_from: NaiveDate,
    /// The last day for which bank holidays are known.
    pub known_until: NaiveDate,
}

impl WorkingCalendar {
    /// The due date for something received at this instant, so many working days later (0: the day of receipt itself).
    pub fn due(&self, received_at: DateTime<Utc>, working_days: u32) -> Due {
        let day_zero = london::date(received_at);
        let mut skipped = Vec::new();
        let due_on = self.walk(day_zero, working_days, |on, name| {
            skipped.push(Skipped { on, name: name.to_owned() });
        });
        Due { day_zero, due_on, skipped }
    }

    /// The day that is so many working days after this one.
    pub fn working_day_after(&self, day: NaiveDate, working_days: u32) -> NaiveDate {
        self.walk(day, working_days, |_, _| ())
    }

    /// Whether staff work on this day.
    pub fn is_working_day(&self, on: NaiveDate) -> bool {
        self.why_closed(on).is_none()
    }

    /// Why staff do not work on this day: `Saturday`, `Sunday`, or the name of the holiday or closure.
    pub fn why_closed(&self, on: NaiveDate) -> Option<&str> {
        match on.weekday() {
            Weekday::Sat => Some("Saturday"),
            Weekday::Sun => Some("Sunday"),
            _ => self.closed_name(on),
        }
    }

    /// How many working days lie after `from` up to and including `to`; 0 when `to` is not after `from`.
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        if to <= from {
            return 0;
        }
        // Whole weeks have five weekdays; what is left is walked. Then the weekdays that are closed come off.
        let days = (to - from).num_days();
        let rest = from + TimeDelta::days(days / 7 * 7);
        let weekdays = days / 7 * 5
            + rest.iter_days().skip(1).take_while(|on| *on <= to).filter(|on| !data::is_weekend(*on)).count()
                as i64;
        let inside = |on: NaiveDate| from < on && on <= to;
        let listed = self.closed.iter().filter(|day| inside(day.on)).count();
        let by_rule = (from.year()..=to.year())
            .filter(|year| !(self.known_from.year() < *year && *year < self.known_until.year()))
            .flat_map(bank_holidays::by_rule)
            .filter(|(on, _)| inside(*on) && !self.is_known(*on) && self.listed(*on).is_none())
            .count();
        u32::try_from(weekdays - listed as i64 - by_rule as i64).unwrap_or(0)
    }

    /// Walks forward over so many working days, telling each day that is passed over. Stops at the end of time.
    fn walk(&self, from: NaiveDate, working_days: u32, mut pass: impl FnMut(NaiveDate, &str)) -> NaiveDate {
        let mut day = from;
        let mut left = working_days;
        while left > 0 {
            let Some(next) = day.succ_opt() else { break };
            day = next;
            match self.why_closed(day) {
                Some(name) => pass(day, name),
                None => left -= 1,
            }
        }
        day
    }

    /// The name of the holiday or closure on this weekday, from the data or, where that does not reach, by rule.
    fn closed_name(&self, on: NaiveDate) -> Option<&str> {
        self.listed(on).or_else(|| if self.is_known(on) { None } else { bank_holidays::name_by_rule(on) })
    }

    fn listed(&self, on: NaiveDate) -> Option<&str> {
        let place = self.closed.binary_search_by_key(&on, |day| day.on).ok()?;
        self.closed.get(place).map(|day| day.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The calendar of `config/working-days.yaml`, whose lines are simple enough to be read here.
    pub(crate) fn england() -> WorkingCalendar {
        let text = include_str!("../../config/working-days.yaml");
        let holidays = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- {on: ")?.strip_suffix('}')?.split_once(", name: "))
            .map(|(on, name)| (day(on), name.to_owned()))
            .collect();
        WorkingCalendar::new(holidays, Vec::new()).unwrap()
    }

    /// Received at noon UTC on this day, 10 working days.
    fn check(received_on: &str, due_on: &str, skipped: &[(&str, &str)]) {
        let due = england().due(format!("{received_on}T12:00:00Z").parse().unwrap(), 10);
        assert_eq!((due.day_zero, due.due_on), (day(received_on), day(due_on)), "received {received_on}");
        let weekdays: Vec<_> = due
            .skipped
            .iter()
            .filter(|skipped| !data::is_weekend(skipped.on))
            .map(|skipped| (skipped.on.to_string(), skipped.name.clone()))
            .collect();
        let wanted: Vec<_> =
            skipped.iter().map(|(on, name)| ((*on).to_owned(), (*name).to_owned())).collect();
        assert_eq!(weekdays, wanted, "received {received_on}");
    }

    #[test]
    fn due_dates_counted_by_hand() {
        check("2026-11-23", "2026-12-07", &[]); // Monday to Monday
        check("2026-11-20", "2026-12-04", &[]); // Friday: day 1 is Monday
        check("2026-11-21", "2026-12-04", &[]); // Saturday
        check("2026-11-22", "2026-12-04", &[]); // Sunday
        let christmas = [
            ("2026-12-25", "Christmas Day"),
            ("2026-12-28", "Boxing Day (substitute day)"),
            ("2027-01-01", "New Year's Day"),
        ];
        check("2026-12-17", "2027-01-05", &christmas);
        check("2026-12-25", "2027-01-12", &christmas[1..]); // received on a holiday
        check("2026-12-10", "2026-12-24", &[]);
        check("2026-12-11", "2026-12-29", &christmas[..2]);
        check("2026-03-26", "2026-04-13", &[("2026-04-03", "Good Friday"), ("2026-04-06", "Easter Monday")]);
        check("2026-04-24", "2026-05-11", &[("2026-05-04", "Early May bank holiday")]);
        check("2026-05-18", "2026-06-02", &[("2026-05-25", "Spring bank holiday")]);
        check("2026-08-20", "2026-09-04", &[("2026-08-31", "Summer bank holiday")]);
        let substitutes = [
            ("2027-12-27", "Christmas Day (substitute day)"),
            ("2027-12-28", "Boxing Day (substitute day)"),
            ("2028-01-03", "New Year's Day (substitute day)"),
        ];
        check("2027-12-20", "2028-01-06", &substitutes);
    }

    #[test]
    fn weekends_are_named_among_what_was_skipped() {
        let due = england().due("2026-12-23T09:00:00Z".parse().unwrap(), 2);
        let names: Vec<_> = due.skipped.iter().map(|day| day.name.as_str()).collect();
        assert_eq!(names, ["Christmas Day", "Saturday", "Sunday", "Boxing Day (substitute day)"]);
        assert_eq!(due.due_on, day("2026-12-29"));
    }

    #[test]
    fn the_day_of_receipt_is_a_london_day() {
        let check = |received: &str, day_zero: &str| {
            assert_eq!(england().due(received.parse().unwrap(), 10).day_zero, day(day_zero), "{received}");
        };
        check("2026-03-28T23:30:00Z", "2026-03-28"); // the night the clocks go forward
        check("2026-03-29T00:59:59Z", "2026-03-29");
        check("2026-03-29T22:59:59Z", "2026-03-29");
        check("2026-03-29T23:00:00Z", "2026-03-30"); // summer time: already the next day
        check("2026-06-15T23:30:00Z", "2026-06-16");
        check("2026-10-24T23:30:00Z", "2026-10-25"); // still summer time
        check("2026-10-25T23:30:00Z", "2026-10-25"); // no longer
        check("2026-12-01T00:00:00Z", "2026-12-01");
    }

    #[test]
    fn the_data_agrees_with_the_rules_in_every_year() {
        let calendar = england();
        let listed: Vec<_> = calendar.closed.iter().map(|day| (day.on, day.name.as_str())).collect();
        let by_rule: Vec<_> = (2024..=2030).flat_map(bank_holidays::by_rule).collect();
        assert_eq!(listed, by_rule);
    }

    #[test]
    fn every_day_from_2025_to_2035() {
        let calendar = england();
        let mut before = None;
        for on in day("2025-01-01").iter_days().take_while(|on| *on <= day("2035-12-31")) {
            let due = calendar.due(london::instant(on, "10:00:00".parse().unwrap()), 10);
            assert_eq!(due.day_zero, on);
            assert!(calendar.is_working_day(due.due_on), "{on}");
            assert_eq!(calendar.working_days_between(on, due.due_on), 10, "{on}");
            assert_eq!(calendar.working_day_after(on, 10), due.due_on);
            let length = (due.due_on - on).num_days();
            assert!((12..=22).contains(&length), "{on}: {length} days");
            assert_eq!(length, 10 + due.skipped.len() as i64, "{on}");
            assert!(before <= Some(due.due_on), "{on} is due before the day before it");
            before = Some(due.due_on);
        }
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        let calendar = england();
        let due = calendar.due(DateTime::<Utc>::MAX_UTC, 10);
        assert_eq!(due.due_on, NaiveDate::MAX);
        let _ = calendar.due(DateTime::<Utc>::MIN_UTC, 10);
        assert_eq!(calendar.working_days_between(NaiveDate::MAX, NaiveDate::MIN), 0);
        assert!(calendar.working_days_between(NaiveDate::MIN, NaiveDate::MAX) > 100_000_000);
        assert_eq!(
            WorkingCalendar::default().due("2026-12-17T09:00:00Z".parse().unwrap(), 10).due_on,
            day("2027-01-05")
        );
    }

    proptest! {
        #[test]
        fn later_mail_is_never_due_earlier(at in 1_700_000_000_i64..2_200_000_000, later in 0..5_000_000_i64, n in 0..30_u32) {
            let calendar = england();
            let instant = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert!(calendar.due(instant(at), n).due_on <= calendar.due(instant(at + later), n).due_on);
        }

        #[test]
        fn what_is_skipped_is_what_is_not_worked(at in 1_700_000_000_i64..2_200_000_000, n in 1..40_u32) {
            let calendar = england();
            let due = calendar.due(DateTime::from_timestamp(at, 0).unwrap(), n);
            let between: Vec<_> = due.day_zero.iter_days().skip(1).take_while(|on| *on <= due.due_on).collect();
            let (worked, not): (Vec<_>, Vec<_>) = between.into_iter().partition(|on| calendar.is_working_day(*on));
            prop_assert_eq!(worked.len(), n as usize);
            prop_assert_eq!(due.skipped.iter().map(|day| day.on).collect::<Vec<_>>(), not);
        }

        #[test]
        fn working_days_are_counted_as_by_walking(from in 0..40_000_i64, days in -50..4_000_i64) {
            let calendar = england();
            let from = day("2000-01-01") + TimeDelta::days(from);
            let to = from + TimeDelta::days(days);
            let walked = from.iter_days().skip(1).take_while(|on| *on <= to).filter(|on| calendar.is_working_day(*on)).count();
            prop_assert_eq!(calendar.working_days_between(from, to) as usize, walked);
        }

        #[test]
        fn any_instant_has_a_due_date(seconds in any::<i64>(), n in 0..20_u32) {
            if let Some(at) = DateTime::from_timestamp(seconds, 0) {
                let _ = england().due(at, n);
            }
        }
    }
}
