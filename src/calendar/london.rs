//! The only place that knows Europe/London.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// The date in London at this instant.
pub fn date(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&chrono_tz::Europe::London).date_naive()
}

/// The time of day in London at this instant.
pub fn time(at: DateTime<Utc>) -> NaiveTime {
    at.with_timezone(&chrono_tz::Europe::London).time()
}

/// The instant of this London date and time. In the spring gap: an hour later; in the autumn overlap: the earlier.
pub fn instant(on: NaiveDate, at: NaiveTime) -> DateTime<Utc> {
    let _ = (on, at);
    todo!()
}
