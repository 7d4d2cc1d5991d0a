//! When staff are at work, for letters that must wait for it. Not part of any deadline: those are whole days.
//!
//! Policy, email f: nothing is mailed to staff outside working hours.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc, Weekday};

use super::{CalendarProblem, WorkingCalendar, london};

/// The hours of a working day: from `opens` until just before `closes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The first minute.
    pub opens: NaiveTime,
    /// The first minute that is no longer in.
    pub closes: NaiveTime,
}

/// Working hours through the week, London time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingHours {
    monday_to_thursday: Hours,
    friday: Hours,
}

impl Default for WorkingHours {
    /// Monday to Thursday 9:00 to 17:30, Friday 9:00 to 16:30.
    fn default() -> Self {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        Self {
            monday_to_thursday: Hours { opens: at(9, 0), closes: at(17, 30) },
            friday: Hours { opens: at(9, 0), closes: at(16, 30) },
        }
    }
}

impl WorkingHours {
    /// Working hours as configured; each day must open before it closes.
    pub fn new(monday_to_thursday: Hours, friday: Hours) -> Result<Self, CalendarProblem> {
        for hours in [monday_to_thursday, friday] {
            if hours.opens >= hours.closes {
                return Err(CalendarProblem::HoursBackwards { opens: hours.opens, closes: hours.closes });
            }
        }
        Ok(Self { monday_to_thursday, friday })
    }

    /// The hours of this weekday, as if it were worked.
    pub fn on(&self, weekday: Weekday) -> Hours {
        if weekday == Weekday::Fri { self.friday } else { self.monday_to_thursday }
    }
}

impl WorkingCalendar {
    /// This instant if staff are at work then, else the moment at which they next start.
    pub fn next_working_time(&self, at: DateTime<Utc>, hours: WorkingHours) -> DateTime<Utc> {
        let today = london::date(at);
        let opens = |on: NaiveDate| london::instant(on, hours.on(on.weekday()).opens);
        if self.is_working_day(today) {
            if at < opens(today) {
                return opens(today);
            }
            if at < london::instant(today, hours.on(today.weekday()).closes) {
                return at;
            }
        }
        // At the end of time there is no later moment: then now must do.
        opens(self.working_day_after(today, 1)).max(at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::england;
    use super::*;

    fn check(at: &str, wanted: &str) {
        let found = england().next_working_time(at.parse().unwrap(), WorkingHours::default());
        assert_eq!(found, wanted.parse::<DateTime<Utc>>().unwrap(), "{at}");
    }

    #[test]
    fn mail_to_staff_waits_for_working_hours() {
        check("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z"); // Monday, on the dot
        check("2026-11-23T17:29:59Z", "2026-11-23T17:29:59Z");
        check("2026-11-23T17:30:00Z", "2026-11-24T09:00:00Z");
        check("2026-11-23T06:15:00Z", "2026-11-23T09:00:00Z");
        check("2026-11-27T16:29:00Z", "2026-11-27T16:29:00Z"); // Friday ends an hour earlier
        check("2026-11-27T16:30:00Z", "2026-11-30T09:00:00Z");
        check("2026-11-28T12:00:00Z", "2026-11-30T09:00:00Z"); // Saturday
        check("2026-12-24T18:00:00Z", "2026-12-29T09:00:00Z"); // Christmas Eve to the day after the substitute
        check("2026-07-01T08:00:00Z", "2026-07-01T08:00:00Z"); // 9:00 in summer
        check("2026-07-01T07:59:00Z", "2026-07-01T08:00:00Z");
        check("2026-03-28T12:00:00Z", "2026-03-30T08:00:00Z"); // over the change of clocks
    }

    #[test]
    fn hours_that_end_before_they_begin_are_refused() {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let (good, bad) = (Hours { opens: at(9), closes: at(17) }, Hours { opens: at(17), closes: at(9) });
        assert!(WorkingHours::new(good, good).is_ok());
        let problem = WorkingHours::new(good, bad).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "Working hours end (09:00) before they begin (17:00). Write them as from, to."
        );
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let _ = england().next_working_time(at, WorkingHours::default());
        }
    }
}
