//! Days as people write them on the command line: `2027-01-14`, `14 January`, `Friday`, `in 3 weeks`. Day before month.

use chrono::NaiveDate;

use crate::calendar::{WorkingCalendar, mention};
use crate::case::words;

use super::super::CommandError;

/// Reads a day. What may be behind or ahead, such as `14 January`, is taken as the one ahead.
pub(in super::super) fn read(text: &str, today: NaiveDate) -> Result<NaiveDate, CommandError> {
    the_one(text, today, true)
}

/// Reads a day of which something is told that has happened: `14 January` is the last one.
pub(in super::super) fn read_past(text: &str, today: NaiveDate) -> Result<NaiveDate, CommandError> {
    the_one(text, today, false)
}

fn the_one(text: &str, today: NaiveDate, is_ahead: bool) -> Result<NaiveDate, CommandError> {
    let text = text.trim();
    if let Ok(on) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(on);
    }
    let refuse = |what: String| {
        Err(CommandError::Input(format!(
            "`{text}` is not a day{what}. Write 2027-01-14, \"14 January\" or \"next Friday\"."
        )))
    };
    let (from, to) = match mention::mentions(text, today, &[]).as_slice() {
        // Nothing beside it may be lost: "14 January or later" is not the 14th.
        [only] if text.get(only.range.clone()).is_some_and(|words| words.len() + 3 > text.len()) => {
            match if is_ahead { only.ahead.or(only.past) } else { only.past.or(only.ahead) } {
                Some(days) => days,
                None => return refuse(String::new()),
            }
        }
        [_, ..] => return refuse(" by itself".to_owned()),
        [] => return refuse(String::new()),
    };
    if from != to {
        return refuse(format!(", but a time from {} to {}", words::day(from, today), words::day(to, today)));
    }
    Ok(from)
}

/// The same, of a day by which an answer is promised: ahead, and one on which staff work.
pub(super) fn promised(
    text: &str,
    today: NaiveDate,
    calendar: &WorkingCalendar,
) -> Result<NaiveDate, CommandError> {
    let on = read(text, today)?;
    let said = words::day(on, today);
    if on < today {
        return Err(CommandError::Input(format!(
            "{said} {} is over. Name a day that is still ahead.",
            on.format("(%Y-%m-%d)")
        )));
    }
    if let Some(why) = calendar.why_closed(on) {
        let after = calendar.working_day_after(on, 1);
        let before = on.iter_days().rev().skip(1).take(30).find(|day| calendar.is_working_day(*day));
        let before = before.filter(|day| *day >= today).map(|day| format!("{} or ", words::day(day, today)));
        let what = if said.starts_with(why) {
            "no working day".to_owned()
        } else {
            format!("no working day ({why})")
        };
        return Err(CommandError::Input(format!(
            "{said} is {what}. Name {}{}.",
            before.unwrap_or_default(),
            words::day(after, today)
        )));
    }
    Ok(on)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn promised_on(text: &str) -> Result<NaiveDate, String> {
        promised(text, on("2026-12-03"), &WorkingCalendar::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn days_are_read_as_people_write_them() {
        for (text, day) in [
            ("2027-01-14", "2027-01-14"),
            ("14 January", "2027-01-14"),
            ("14th January", "2027-01-14"),
            ("Thursday 14 January 2027", "2027-01-14"),
            ("14/01/2027", "2027-01-14"),
            ("tomorrow", "2026-12-04"),
            (" 10 December ", "2026-12-10"),
        ] {
            assert_eq!(promised_on(text), Ok(on(day)), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_or_none_to_promise_says_what_to_write() {
        let refused = |text: &str| promised_on(text).unwrap_err();
        assert!(refused("soon").contains("is not a day. Write 2027-01-14"));
        assert!(refused("January").contains("Write 2027-01-14"));
        assert!(refused("14 January or 20 January").contains("is not a day"));
        assert!(refused("2026-12-02").contains("is over"));
        assert_eq!(
            refused("2026-12-05"),
            "Saturday 5 December is no working day. Name Friday 4 December or Monday 7 December."
        );
        assert_eq!(
            refused("25 December"),
            "Friday 25 December is no working day (Christmas Day). Name Thursday 24 December or Tuesday 29 December."
        );
    }

    proptest! {
        /// Whatever is typed: a working day that is not over, or a sentence that says what to write.
        #[test]
        fn whatever_is_typed_is_a_working_day_ahead_or_refused(text in "[0-9a-zA-Z/. -]{0,24}|\\PC{0,12}|(in )?[0-9]{1,2} (days|weeks|January|March 2027)") {
            match promised_on(&text) {
                Ok(day) => prop_assert!(day >= on("2026-12-03") && WorkingCalendar::default().is_working_day(day)),
                Err(said) => prop_assert!(said.ends_with('.'), "{said}"),
            }
        }
    }
}
