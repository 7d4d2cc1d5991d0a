//! `{number ...}`, `{date ...}`, `{duration ...}` and `{place ...}`: what their bounds mean.

use super::phrase::{AREAS, Slot, When};

/// What is wrong and what to write instead.
type Complaint = (String, String);

const MOST: i64 = 1_000_000;

/// Reads the inside of braces; `None` where it is no slot but the name of a list.
pub fn parse(inner: &str) -> Option<Result<Slot, Complaint>> {
    let words: Vec<&str> = inner.split_whitespace().collect();
    let (name, rest) = words.split_first()?;
    Some(match *name {
        "number" => number(rest),
        "duration" => duration(rest),
        "date" => date(rest),
        "place" => place(rest),
        "year" => year(rest),
        _ => return None,
    })
}

fn complain<T>(what: &str, remedy: &str) -> Result<T, Complaint> {
    Err((what.to_owned(), remedy.to_owned()))
}

fn number(words: &[&str]) -> Result<Slot, Complaint> {
    let value = |word: &str| word.parse::<f64>().ok().filter(|value| value.is_finite());
    let bounds = match words {
        [] => Some((f64::MIN, f64::MAX)),
        [n] => value(n).map(|n| (n, n)),
        [n, "or", "more"] | ["at", "least", n] => value(n).map(|n| (n, f64::MAX)),
        [n, "or", "fewer" | "less"] | ["up", "to", n] | ["at", "most", n] => value(n).map(|n| (f64::MIN, n)),
        ["more" | "over", "than", n] | ["over", n] => value(n).map(|n| (above(n), f64::MAX)),
        ["fewer" | "less", "than", n] | ["under", n] => value(n).map(|n| (f64::MIN, below(n))),
        [n, "to", m] => value(n).zip(value(m)),
        _ => None,
    };
    match bounds {
        Some((least, most)) if least <= most => Ok(Slot::Number(least, most)),
        Some(_) => complain(
            "the first number is greater than the second",
            "Write the smaller one first: {number 3 to 9}.",
        ),
        None => complain(
            "this number's bounds cannot be understood",
            "Write {number}, {number 21 or more}, {number 3 to 9}, {number fewer than 5} or {number more than 5}.",
        ),
    }
}

fn above(n: f64) -> f64 {
    n + n.abs().max(1.0) * 1e-9
}

fn below(n: f64) -> f64 {
    n - n.abs().max(1.0) * 1e-9
}

/// The length of a unit of time in days; `None` when it is none.
pub fn unit_days(word: &str) -> Option<f64> {
    Some(match word {
        "hour" | "hours" | "hr" | "hrs" => 1.0 / 24.0,
        "day" | "days" => 1.0,
        "week" | "weeks" | "wk" | "wks" => 7.0,
        "fortnight" | "fortnights" => 14.0,
        "month" | "months" | "mth" | "mths" => 30.4,
        "term" | "terms" => 91.0,
        "year" | "years" | "yr" | "yrs" => 365.0,
        _ => return None,
    })
}

fn duration(words: &[&str]) -> Result<Slot, Complaint> {
    let days = |n: &str, unit: &str| Some(n.parse::<f64>().ok()? * unit_days(unit)?);
    let bounds = match words {
        [] => Some((0.0, f64::MAX)),
        [n, unit, "or", "more"] | ["at", "least", n, unit] => days(n, unit).map(|n| (n, f64::MAX)),
        [n, unit, "or", "less" | "fewer"] | ["up", "to", n, unit] | ["at", "most", n, unit] => {
            days(n, unit).map(|n| (0.0, n))
        }
        ["more", "than", n, unit] | ["over", n, unit] => days(n, unit).map(|n| (above(n), f64::MAX)),
        ["less" | "fewer", "than", n, unit] | ["under", n, unit] => days(n, unit).map(|n| (0.0, below(n))),
        [n, "to", m, unit] => days(n, unit).zip(days(m, unit)),
        [n, unit, "to", m, other] => days(n, unit).zip(days(m, other)),
        _ => None,
    };
    match bounds {
        Some((least, most)) if least <= most => Ok(Slot::Duration(least, most)),
        Some(_) => complain("the first length is greater than the second", "Write the shorter one first."),
        None => complain(
            "this duration's bounds cannot be understood",
            "Write {duration}, {duration 12 weeks or more}, {duration less than 3 days} or {duration 4 to 6 weeks}.",
        ),
    }
}

fn date(words: &[&str]) -> Result<Slot, Complaint> {
    let days = |n: &str, unit: &str| -> Option<i64> {
        let n: i64 = n.parse().ok()?;
        let each = match unit {
            "day" | "days" => 1,
            "week" | "weeks" => 7,
            "month" | "months" => 30,
            "year" | "years" => 365,
            _ => return None,
        };
        (0..=100_000).contains(&n).then_some(n * each)
    };
    let when = match words {
        [] => Some(When::Any),
        ["ahead" | "future"] => Some(When::Ahead(0, MOST)),
        ["past" | "ago"] => Some(When::Past(0, MOST)),
        ["today"] => Some(When::Ahead(0, 0)),
        ["within", n, unit] | ["within", n, unit, "ahead"] => days(n, unit).map(|n| When::Ahead(0, n)),
        ["more", "than", n, unit, "ahead"] => days(n, unit).map(|n| When::Ahead(n + 1, MOST)),
        ["within", n, unit, "ago"] => days(n, unit).map(|n| When::Past(0, n)),
        ["more", "than", n, unit, "ago"] => days(n, unit).map(|n| When::Past(n + 1, MOST)),
        _ => None,
    };
    when.map(Slot::Date).map_or_else(
        || {
            complain(
                "this date's bounds cannot be understood",
                "Write {date}, {date ahead}, {date past}, {date within 10 days}, {date more than 10 days ahead}, {date within 7 days ago} or \
                 {date more than 10 days ago}.",
            )
        },
        Ok,
    )
}

fn year(words: &[&str]) -> Result<Slot, Complaint> {
    match words {
        ["past"] => Ok(Slot::YearPast),
        _ => complain(
            "this year cannot be understood",
            "Write {year past}: a year before the school year of receipt.",
        ),
    }
}

fn place(words: &[&str]) -> Result<Slot, Complaint> {
    match words {
        [] => Ok(Slot::Place(None)),
        [area] => AREAS.iter().position(|known| known == area).map_or_else(
            || complain("this is no area", "Write {place}, {place east}, {place west} or {place outside}."),
            |index| Ok(Slot::Place(Some(index))),
        ),
        _ => complain("a place takes at most the name of an area", "Write {place} or {place east}."),
    }
}
