//! `send-triage cases answer`: an answer that was given by telephone, or by a mail that the program did not see.

use chrono::{DateTime, Utc};

use crate::calendar::london;
use crate::case::Fact;
use crate::case::life::Act;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::record::Records;

use super::super::CommandError;
use super::deed::{self, By};
use super::{instant, known_case, moment};

#[derive(Debug, clap::Args)]
pub(super) struct Answer {
    #[command(flatten)]
    by: By,
    /// When it was answered: 2026-12-03, "2026-12-03 15:30" (London time); without it, now
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How, or anything that the next reader should know; no names of families
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why: String,
}

pub(super) fn answer(options: &Answer, records: &Records, config: &Config) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let at = match &options.at {
        Some(text) => {
            let received_at = known_case(&options.by.reference, records)?.case.received_at;
            Some(answered_at(instant(text, london::date(now))?, received_at, now)?)
        }
        None => None,
    };
    deed::perform(&options.by, &options.why, Act::Answer, Fact::Answered, at, records, config)
}

/// When it was answered. A day without a time is its noon: on the day itself that may be ahead, or before the question.
fn answered_at(
    at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, CommandError> {
    let day = london::date(at);
    if at > now {
        if day == london::date(now) {
            return Ok(now);
        }
        return Err(CommandError::Input(format!("{} is still ahead. When was it answered?", moment(at))));
    }
    if at < received_at {
        if day == london::date(received_at) {
            return Ok(received_at);
        }
        return Err(CommandError::Input(format!(
            "It came in on {} only, so it cannot have been answered on {}.",
            moment(received_at),
            moment(at)
        )));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_lies_between_the_question_and_now() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (received, now) = (at("2026-11-16T15:00:00Z"), at("2026-11-20T10:00:00Z"));
        let read = |text: &str| answered_at(at(text), received, now);
        assert_eq!(read("2026-11-18T12:00:00Z").unwrap(), at("2026-11-18T12:00:00Z"));
        assert_eq!(read("2026-11-16T12:00:00Z").unwrap(), received, "that day, without a time");
        assert_eq!(read("2026-11-20T12:00:00Z").unwrap(), now, "today, without a time");
        assert!(read("2026-11-21T12:00:00Z").unwrap_err().to_string().contains("still ahead"));
        assert!(
            read("2026-11-15T12:00:00Z")
                .unwrap_err()
                .to_string()
                .contains("came in on Mon 16 Nov 2026 15:00")
        );
    }
}
