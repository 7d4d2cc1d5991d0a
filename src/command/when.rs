//! Points in time as people type them on the command line.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::calendar::london;

/// Reads `2026-12-17T16:30:00+00:00`, `2026-12-17 16:30` or `2026-12-17`; without an offset it is London time.
pub fn read(text: &str) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    if let Ok(at) = DateTime::parse_from_rfc2822(text) {
        return Ok(at.with_timezone(&Utc));
    }
    for format in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(london::instant(at.date(), at.time()));
        }
    }
    if let Ok(on) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or(NaiveTime::MIN);
        return Ok(london::instant(on, noon));
    }
    Err(format!(
        "`{text}` is not a time. Write 2026-12-17, \"2026-12-17 16:30\" (both London time) or 2026-12-17T16:30:00Z."
    ))
}
