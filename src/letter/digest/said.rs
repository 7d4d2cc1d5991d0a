//! How the digest says names, days, times and shares. Nothing is decided here.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::calendar::london;
use crate::digest::figures::Span;
pub use crate::digest::names::{area, role, team};
use crate::digest::{Period, Scope};

/// What is not known is said so: 0 would be a figure.
const NOT_KNOWN: &str = "not known";

/// Whose cases: `General and Assessment, East`; empty: all.
pub fn scope(scope: &Scope) -> String {
    let queues: Vec<String> = scope.queues.iter().map(|queue| team(queue)).collect();
    let areas: Vec<String> = scope.areas.iter().map(|word| area(word)).collect();
    [listed(&queues), listed(&areas)]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

/// `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// `16 to 22 November 2026`, with month and year once where they are the same.
pub fn period(period: &Period) -> String {
    let (from, to) = (period.from, period.to);
    let first = match () {
        () if from.year() != to.year() => "%-d %B %Y",
        () if from.month() != to.month() => "%-d %B",
        () => "%-d",
    };
    format!("{} to {}", from.format(first), to.format("%-d %B %Y"))
}

/// `Mon 23 Nov`, with the year where it is another.
pub fn day(on: NaiveDate, today: NaiveDate) -> String {
    on.format(if on.year() == today.year() { "%a %-d %b" } else { "%a %-d %b %Y" }).to_string()
}

/// `at 7:58 today`, `Thu 19 Nov at 22:25`.
pub fn moment(at: DateTime<Utc>, today: NaiveDate) -> String {
    let time = london::time(at).format("%H:%M");
    match london::date(at) {
        on if on == today => format!("today at {time}"),
        on if on.succ_opt() == Some(today) => format!("yesterday at {time}"),
        on => format!("{} at {time}", day(on, today)),
    }
}

/// `14 seconds`, `3 minutes`, `2 hours`, `4 days`: in the largest unit of which there are two.
pub fn duration(seconds: u64) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = units.into_iter().find(|(length, _)| seconds >= 2 * length);
    match unit {
        Some((length, name)) => format!("{} {name}", (seconds + length / 2) / length),
        None if seconds == 1 => "1 second".to_owned(),
        None => format!("{seconds} seconds"),
    }
}

/// `1,204`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The number, or that it is not known.
pub fn maybe(value: Option<u64>) -> String {
    value.map_or_else(|| NOT_KNOWN.to_owned(), number)
}

/// Of a hundred, rounded down: 99.6 of a hundred is not all of them.
pub fn share(part: Option<u64>, whole: Option<u64>) -> Option<u64> {
    crate::digest::charts::on_time::percent(part?, whole?)
}

/// The usual value: the middle one of the weeks before, of those in which it is known. `None`: it never is.
pub fn usual(before: &[Span], value: impl Fn(&Span) -> Option<u64>) -> Option<u64> {
    let mut values: Vec<u64> = before.iter().filter_map(value).collect();
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Why a letter came back, from the status code of the report (RFC 3463): what a person can do with it, and the code.
pub fn why_returned(code: &str) -> String {
    let mut numbers = code.split('.').skip(1);
    let why = match (numbers.next(), numbers.next()) {
        (Some("1"), Some("0" | "1" | "3" | "6")) => "There is no such address",
        (Some("1"), Some("2" | "10")) => "There is no such mail service",
        (Some("2"), Some("1")) => "Their mailbox is closed",
        (Some("2"), Some("2")) => "Their mailbox is full",
        (Some("4"), _) => "Their mail service could not be reached",
        (Some("7"), _) => "Their mail service refused it",
        _ => "Their mail service did not take it",
    };
    format!("{why} ({code})")
}

/// With a capital letter.
pub fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_and_times_are_said_as_people_say_them() {
        let said = |from: &str, to: &str| period(&Period { from: on(from), to: on(to) });
        assert_eq!(said("2026-11-16", "2026-11-22"), "16 to 22 November 2026");
        assert_eq!(said("2026-11-30", "2026-12-06"), "30 November to 6 December 2026");
        assert_eq!(said("2026-12-28", "2027-01-03"), "28 December 2026 to 3 January 2027");
        let at = |text: &str| moment(text.parse().unwrap(), on("2026-07-06"));
        assert_eq!(at("2026-07-06T06:58:00Z"), "today at 07:58");
        assert_eq!(at("2026-07-05T12:00:00Z"), "yesterday at 13:00");
        assert_eq!(at("2026-07-02T12:00:00Z"), "Thu 2 Jul at 13:00");
        assert_eq!(day(on("2025-07-02"), on("2026-07-06")), "Wed 2 Jul 2025");
        let durations = [
            (1, "1 second"),
            (119, "119 seconds"),
            (150, "3 minutes"),
            (7_199, "120 minutes"),
            (400_000, "5 days"),
        ];
        durations.iter().for_each(|(seconds, said)| assert_eq!(duration(*seconds), *said));
    }

    #[test]
    fn numbers_are_grouped_and_what_is_unknown_is_no_nought() {
        for (value, said) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(number(value), said);
        }
        assert_eq!((maybe(None), maybe(Some(0))), ("not known".to_owned(), "0".to_owned()));
        assert_eq!((share(Some(0), Some(0)), share(Some(249), Some(250))), (None, Some(99)));
        assert_eq!(usual(&[], |_| Some(1)), None);
    }

    #[test]
    fn a_letter_that_came_back_is_told_with_what_can_be_done() {
        for (code, said) in [
            ("5.1.1", "There is no such address (5.1.1)"),
            ("5.2.2", "Their mailbox is full (5.2.2)"),
            ("5.7.26", "Their mail service refused it (5.7.26)"),
            ("5", "Their mail service did not take it (5)"),
        ] {
            assert_eq!(why_returned(code), said);
        }
        assert_eq!((capital("the team"), capital("")), ("The team".to_owned(), String::new()));
    }

    #[test]
    fn scopes_are_said_by_team_and_area() {
        let of = |queues: &[&str], areas: &[&str]| {
            let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            scope(&Scope { queues: own(queues), areas: own(areas) })
        };
        assert_eq!(of(&[], &[]), "");
        assert_eq!(
            of(&["general", "annual-review-east", "assessment"], &[]),
            "General, Annual reviews East and Assessment"
        );
        assert_eq!(of(&["general"], &["east", "unknown"]), "General; East and Area not clear");
    }
}
