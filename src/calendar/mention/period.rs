//! Periods of days, and their readings as past and as ahead of the day of receipt.

use chrono::{Datelike, NaiveDate, TimeDelta};

/// From the first day to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

impl Period {
    pub fn new(first: NaiveDate, last: NaiveDate) -> Self {
        Self { first, last: last.max(first) }
    }

    pub fn day(on: NaiveDate) -> Self {
        Self { first: on, last: on }
    }

    /// The week, Monday to Sunday, so many weeks from that of this day.
    pub fn week(of: NaiveDate, weeks: i64) -> Self {
        let monday = plus(of, 7 * weeks - i64::from(of.weekday().num_days_from_monday()));
        Self::new(monday, plus(monday, 6))
    }

    /// The month so many months from that of this day.
    pub fn month(of: NaiveDate, months: i32) -> Option<Self> {
        let number = of.year().checked_mul(12)?.checked_add(of.month0() as i32)?.checked_add(months)?;
        Self::month_of(number.div_euclid(12), number.rem_euclid(12) as u32 + 1)
    }

    /// A month of a year.
    pub fn month_of(year: i32, month: u32) -> Option<Self> {
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let next = if month == 12 { (year.checked_add(1)?, 1) } else { (year, month + 1) };
        let last = NaiveDate::from_ymd_opt(next.0, next.1, 1)?.pred_opt()?;
        Some(Self::new(first, last))
    }

    /// A part of this period, by days from its ends: from `from` (after the first day) to `to`.
    pub fn head(self, days: i64) -> Self {
        Self::new(self.first, plus(self.first, days - 1).min(self.last))
    }

    /// The last days of this period.
    pub fn tail(self, days: i64) -> Self {
        Self::new(plus(self.last, 1 - days).max(self.first), self.last)
    }

    /// The middle third.
    pub fn middle(self) -> Self {
        let third = (self.last - self.first).num_days() / 3;
        Self::new(plus(self.first, third), plus(self.last, -third))
    }
}

/// A period as past and as ahead; today belongs to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readings {
    pub past: Option<Period>,
    pub ahead: Option<Period>,
}

impl Readings {
    /// The readings of one definite period: what of it lies before, what after today.
    pub fn of(period: Period, today: NaiveDate) -> Self {
        Self::nearest([period], today)
    }

    /// Of periods that the words may all mean, the nearest past and the nearest ahead.
    pub fn nearest(periods: impl IntoIterator<Item = Period>, today: NaiveDate) -> Self {
        let mut readings = Self::default();
        for period in periods {
            if period.first <= today {
                let past = Period::new(period.first, period.last.min(today));
                if readings.past.is_none_or(|best| past.last > best.last) {
                    readings.past = Some(past);
                }
            }
            if period.last >= today {
                let ahead = Period::new(period.first.max(today), period.last);
                if readings.ahead.is_none_or(|best| ahead.first < best.first) {
                    readings.ahead = Some(ahead);
                }
            }
        }
        readings
    }

    /// What "last" leaves: the latest that is over. "Last September", written in September, is a year ago.
    pub fn last(periods: impl IntoIterator<Item = Period>, today: NaiveDate) -> Self {
        let past = periods.into_iter().filter(|period| period.last < today).max_by_key(|period| period.last);
        Self { past, ahead: None }
    }

    /// What "next" leaves: the first that has not begun.
    pub fn next(periods: impl IntoIterator<Item = Period>, today: NaiveDate) -> Self {
        let ahead =
            periods.into_iter().filter(|period| period.first > today).min_by_key(|period| period.first);
        Self { past: None, ahead }
    }

    /// Past only.
    pub fn past(first: NaiveDate, last: NaiveDate) -> Self {
        Self { past: Some(Period::new(first, last)), ahead: None }
    }

    /// Ahead only.
    pub fn ahead(first: NaiveDate, last: NaiveDate) -> Self {
        Self { past: None, ahead: Some(Period::new(first, last)) }
    }

    /// Without the reading ahead, unless it is the only one.
    pub fn only_past(self) -> Self {
        if self.past.is_some() { Self { ahead: None, ..self } } else { self }
    }

    /// Without the reading as past, unless it is the only one.
    pub fn only_ahead(self) -> Self {
        if self.ahead.is_some() { Self { past: None, ..self } } else { self }
    }

    pub fn is_none(&self) -> bool {
        self.past.is_none() && self.ahead.is_none()
    }
}

/// So many days later (or earlier), held at the ends of what chrono can hold.
pub fn plus(day: NaiveDate, days: i64) -> NaiveDate {
    let end = if days < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
    TimeDelta::try_days(days).and_then(|delta| day.checked_add_signed(delta)).unwrap_or(end)
}
