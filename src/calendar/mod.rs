//! When an answer is due: working days in England, counted in Europe/London dates.
//!
//! Policy, email d: an answer within 10 working days. Day 1 is the first working day after the day of receipt.

use chrono::{DateTime, NaiveDate, Utc};

pub mod london;
pub mod mention;

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

/// Working days: Monday to Friday less bank holidays and the council's closures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkingCalendar {
    /// Days that are not worked though they are weekdays, sorted, with their names.
    pub closed: Vec<Skipped>,
    /// The last day for which bank holidays are known.
    pub known_until: NaiveDate,
}

impl WorkingCalendar {
    /// The due date for something received at this instant, so many working days later.
    pub fn due(&self, received_at: DateTime<Utc>, working_days: u32) -> Due {
        let _ = (received_at, working_days);
        todo!()
    }

    /// Whether staff work on this day.
    pub fn is_working_day(&self, on: NaiveDate) -> bool {
        let _ = on;
        todo!()
    }

    /// How many working days lie after `from` up to and including `to`; 0 when `to` is not after `from`.
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        let _ = (from, to);
        todo!()
    }
}
