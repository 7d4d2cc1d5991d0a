//! `send-triage due`: when the answer is due, and how that was counted.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use crate::calendar::{Due, WorkingCalendar, london};
use crate::daemon::in_force;

use super::{CommandError, Format, out, when};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Times of receipt: 2026-12-17, "2026-12-17 16:30" (London time), 2026-12-17T16:30:00Z
    #[arg(required = true, value_name = "TIME")]
    times: Vec<String>,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = super::config(config)?;
    let calendar = in_force::calendar(&config)?;
    let working_days = config.deadlines.answer_within_working_days;
    // All of them are read before any is answered: a slip in the last one is not hidden below the answers.
    let times: Result<Vec<_>, _> = arguments.times.iter().map(|text| when::read(text)).collect();
    for received_at in times.map_err(CommandError::Input)? {
        let due = calendar.due(received_at, working_days);
        match arguments.format {
            Format::Json => out::line(as_json(received_at, &due)),
            Format::Text => out::line(as_text(received_at, &due, working_days, &calendar)),
        }
    }
    Ok(())
}

fn as_json(received_at: DateTime<Utc>, due: &Due) -> serde_json::Value {
    let skipped: Vec<_> = due.skipped.iter().map(|s| json!({"date": s.on, "name": s.name})).collect();
    json!({
        "received": london::rfc3339(received_at),
        "day_zero": due.day_zero,
        "due": due.due_on,
        "skipped": skipped,
    })
}

fn as_text(received_at: DateTime<Utc>, due: &Due, working_days: u32, calendar: &WorkingCalendar) -> String {
    let long = |on: NaiveDate| on.format("%A %-d %B %Y").to_string();
    let time = london::time(received_at).format("%H:%M");
    let mut text = format!(
        "Received {} at {time} (London).\nThe answer is due by the end of {}.\n",
        long(due.day_zero),
        long(due.due_on)
    );
    let mut day = due.day_zero;
    let mut count = 0;
    while let Some(next) = day.succ_opt() {
        day = next;
        match due.skipped.iter().find(|s| s.on == day) {
            Some(skipped) => text.push_str(&format!("  -   {:<27} {}\n", long(day), skipped.name)),
            None => {
                count += 1;
                text.push_str(&format!("  {count:<3} {}\n", long(day)));
            }
        }
        if day >= due.due_on || count >= working_days {
            break;
        }
    }
    if !calendar.is_known(due.due_on) {
        text.push_str("  Note: bank holidays of that year are not on file; the usual rules were used.\n");
    }
    text
}
