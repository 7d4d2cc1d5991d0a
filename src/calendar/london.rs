//! The only place that knows Europe/London.
//!
//! Twice a year a London clock reading has no instant, or two; [`instant`] always gives one.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::London;

/// The date in London at this instant.
pub fn date(at: DateTime<Utc>) -> NaiveDate {
    local(at).date()
}

/// The instant in London's time with its offset, as in `2026-07-01T09:30:00+01:00` (RFC 3339).
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.with_timezone(&chrono_tz::Europe::London).to_rfc3339()
}

/// The time of day in London at this instant.
pub fn time(at: DateTime<Utc>) -> NaiveTime {
    local(at).time()
}

/// The instant of this London date and time. In the spring gap: an hour later; in the autumn overlap: the earlier.
pub fn instant(on: NaiveDate, at: NaiveTime) -> DateTime<Utc> {
    let clock = on.and_time(at);
    // In the gap the clock jumps from 01:00 to 02:00: what reads 01:30 is meant as 02:30, summer time.
    London
        .from_local_datetime(&clock)
        .earliest()
        .or_else(|| {
            let later = clock.checked_add_signed(TimeDelta::hours(1))?;
            London.from_local_datetime(&later).earliest()
        })
        .map_or_else(|| clock.and_utc(), |found| found.with_timezone(&Utc))
}

/// What a clock in London shows; at the very ends of what chrono can hold, where no offset fits, the UTC reading.
fn local(at: DateTime<Utc>) -> NaiveDateTime {
    let utc = at.naive_utc();
    let offset = London.offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).unwrap_or(utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn check(on: &str, at: &str, wanted: &str) {
        assert_eq!(instant(on.parse().unwrap(), at.parse().unwrap()), utc(wanted), "{on} {at}");
    }

    #[test]
    fn summer_time_moves_late_evening_to_the_next_day() {
        assert_eq!(date(utc("2026-07-01T23:30:00Z")).to_string(), "2026-07-02");
        assert_eq!(time(utc("2026-07-01T23:30:00Z")).to_string(), "00:30:00");
        assert_eq!(date(utc("2026-12-01T23:30:00Z")).to_string(), "2026-12-01");
    }

    #[test]
    fn every_clock_reading_has_one_instant() {
        check("2026-01-15", "09:00:00", "2026-01-15T09:00:00Z");
        check("2026-07-15", "09:00:00", "2026-07-15T08:00:00Z");
        check("2026-03-29", "00:59:59", "2026-03-29T00:59:59Z");
        check("2026-03-29", "01:30:00", "2026-03-29T01:30:00Z"); // the gap: 02:30 summer time
        check("2026-03-29", "02:30:00", "2026-03-29T01:30:00Z");
        check("2026-10-25", "01:30:00", "2026-10-25T00:30:00Z"); // twice: the first
        check("2026-10-25", "02:00:00", "2026-10-25T02:00:00Z");
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let _ = (date(at), time(at));
        }
        for on in [NaiveDate::MIN, NaiveDate::MAX] {
            let _ = instant(on, NaiveTime::MIN);
            let _ = instant(on, NaiveTime::from_hms_opt(23, 59, 59).unwrap());
        }
    }
}
