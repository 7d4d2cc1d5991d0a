//! Lengths of time ("12 weeks", "two and a half months", "a fortnight") and week numbers ("week 23"). Not dates: what
//! they are counted from is for the caller to know.

use std::ops::Range;

use super::words::{Words, is_among, number_word};

/// A length of time that a text speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duration {
    /// Where in the text, in bytes.
    pub range: Range<usize>,
    /// At least so many calendar days.
    pub days_min: u32,
    /// At most so many calendar days.
    pub days_max: u32,
}

/// The number of a week in a process, such as the 20 weeks of an assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekNumber {
    /// Where in the text, in bytes.
    pub range: Range<usize>,
    /// Which week.
    pub number: u32,
    /// Of how many, if the text says so ("week nine of 20").
    pub of: Option<u32>,
}

/// All lengths of time in the text, in order, not overlapping. Hours and minutes do not count; nor do ages ("6 years old").
pub fn durations(text: &str) -> Vec<Duration> {
    let lower = text.to_ascii_lowercase();
    let words = Words::cut(text, &lower);
    let mut found = Vec::new();
    let mut i = 0;
    while i < words.len() {
        let Some(amount) = Amount::at(&words, i) else {
            i += 1;
            continue;
        };
        let end = amount.end;
        let dash = usize::from(words.at(end) == "-");
        let age = matches!(words.at(end + dash), "old" | "olds")
            || amount.unit == Unit::Year && words.before(i, 1) == "(" && words.at(end) == ")";
        if !age && !is_a_rate(&words, i, &amount) {
            let (days_min, days_max) = amount.days();
            found.push(Duration { range: words.range(i, end), days_min, days_max });
        }
        i = end;
    }
    found
}

/// "three days a week", "once a fortnight", "a Year 9": no length.
fn is_a_rate(words: &Words<'_>, i: usize, amount: &Amount) -> bool {
    if amount.counted || !matches!(words.at(i), "a" | "an") {
        return false;
    }
    const NOT_PLURAL: &str = "was is as this its has takes lasts us yes hers perhaps";
    const RATES: &str = "once twice hour hr day min morning afternoon session lesson visit time -";
    let before = words.before(i, 1);
    let plural = before.ends_with('s') && !is_among(before, NOT_PLURAL);
    plural
        || is_among(before, RATES)
        || words.digits(i.saturating_sub(1)) > 0
        || amount.unit == Unit::Year && words.number(amount.end).is_some()
}

/// All week numbers in the text: "week 23", "wk 9", "week nine of 20", "the 23rd week".
pub fn week_numbers(text: &str) -> Vec<WeekNumber> {
    let lower = text.to_ascii_lowercase();
    let words = Words::cut(text, &lower);
    let mut found = Vec::new();
    for i in 0..words.len() {
        // "next week 3 children ..." counts children.
        let named = matches!(words.at(i), "week" | "wk" | "weeks")
            && !matches!(words.before(i, 1), "next" | "last" | "this" | "a" | "per" | "each" | "every");
        let after_word = named.then(|| count(&words, i + 1)).flatten();
        let ordinal = (words.digits(i) > 0
            && words.is_glued(i + 1)
            && is_ordinal_ending(words.at(i + 1))
            && words.at(i + 2) == "week")
            .then(|| words.number(i).map(|n| (i + 3, n)))
            .flatten();
        let Some((mut end, number)) = after_word.or(ordinal) else { continue };
        // "week 2 days": a length. "week 7/9": a date. "weeks 12 to 20" is rare and not one week.
        let date =
            matches!(words.at(end), "/" | "." | ":") && words.is_glued(end) && words.digits(end + 1) > 0;
        if date
            || !(1..=104).contains(&number)
            || Unit::at(&words, end).is_some()
            || is_ordinal_ending(words.at(end))
        {
            continue;
        }
        let of = (words.at(end) == "of").then(|| count(&words, words.skip(end + 1, &["the", "a"]))).flatten();
        if let Some((of_end, _)) = of {
            end = of_end;
        }
        found.push(WeekNumber { range: words.range(i, end), number, of: of.map(|(_, n)| n) });
    }
    found
}

/// What a length is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Day,
    WorkingDay,
    Week,
    Month,
    HalfTerm,
    Term,
    Year,
}

impl Unit {
    /// The unit at this place, how many of it (a fortnight is two weeks), and the place after it.
    pub fn at(words: &Words<'_>, i: usize) -> Option<(usize, Self, f64)> {
        Some(match words.at(i) {
            "day" | "days" => (i + 1, Self::Day, 1.0),
            "working" | "school" | "business" if matches!(words.at(i + 1), "day" | "days") => {
                (i + 2, Self::WorkingDay, 1.0)
            }
            "week" | "weeks" | "wk" | "wks" => (i + 1, Self::Week, 1.0),
            "school" | "calendar" | "whole" | "full" | "long"
                if matches!(words.at(i + 1), "week" | "weeks" | "month" | "months" | "day" | "days") =>
            {
                return Self::at(words, i + 1);
            }
            "fortnight" | "fortnights" => (i + 1, Self::Week, 2.0),
            "month" | "months" | "mth" | "mths" => (i + 1, Self::Month, 1.0),
            "half" if words.at(words.skip(i + 1, &["-"])).starts_with("term") => {
                (words.skip(i + 1, &["-"]) + 1, Self::HalfTerm, 1.0)
            }
            "term" | "terms" => (i + 1, Self::Term, 1.0),
            "year" | "years" | "yr" | "yrs" => (i + 1, Self::Year, 1.0),
            _ => return None,
        })
    }
}

/// How exact the sender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hedge {
    Exact,
    About,
    Almost,
    Over,
    AtLeast,
    Under,
}

/// "over two and a half weeks": hedge, number or range, unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// The place after it.
    pub end: usize,
    /// At least so many units.
    pub min: f64,
    /// At most so many units.
    pub max: f64,
    /// What is counted.
    pub unit: Unit,
    /// How exactly.
    pub hedge: Hedge,
    /// A number was said, not only "a week".
    pub counted: bool,
}

impl Amount {
    /// The length of time at this place, if one stands there.
    pub fn at(words: &Words<'_>, i: usize) -> Option<Self> {
        let (start, hedge) = hedge(words, i);
        let (after, mut min, mut max, counted) = number(words, start)?;
        let dashed = words.skip(after, &["-"]);
        let (mut end, unit, times) = Unit::at(words, dashed)?;
        // "a week or two", "a month or so", "a week and a half".
        let mut hedge = hedge;
        if let Some(next) = words.follow(end, &["or", "so"]) {
            (end, hedge) = (next, Hedge::About);
        } else if let Some(next) = words.follow(end, &["or", "two"]) {
            (end, max) = (next, max + 1.0);
        } else if let Some(next) = words.follow(end, &["and", "a", "half"]) {
            (end, min, max) = (next, min + 0.5, max + 0.5);
        }
        // "6 terms" and "a term" are lengths, "mid term", "1 term's notice" too; "a half term" is the break, not a length.
        if unit == Unit::HalfTerm && !counted {
            return None;
        }
        Some(Self { end, min: min * times, max: max * times, unit, hedge, counted })
    }

    /// In calendar days, at least and at most.
    pub fn days(&self) -> (u32, u32) {
        let (least, most) = match self.unit {
            Unit::Day => (1.0, 1.0),
            Unit::WorkingDay => (1.4, 1.4),
            Unit::Week => (7.0, 7.0),
            Unit::Month => (30.0, 31.0),
            Unit::HalfTerm => (35.0, 49.0),
            Unit::Term => (70.0, 98.0),
            Unit::Year => (365.0, 366.0),
        };
        let (min, max) = (self.min * least, self.max * most);
        let (min, max) = match self.hedge {
            Hedge::Exact => (min, max),
            Hedge::About => (min * 0.8, max * 1.2),
            Hedge::Almost => (min * 0.85, max),
            Hedge::Over => (min + 1.0, max * 2.0),
            Hedge::AtLeast => (min, max * 2.0),
            Hedge::Under => (1.0, (max - 1.0).max(1.0)),
        };
        // Bounded: numbers have at most four digits.
        (min.floor() as u32, max.ceil() as u32)
    }
}

fn hedge(words: &Words<'_>, i: usize) -> (usize, Hedge) {
    let just = words.skip(i, &["just", "only", "well", "now"]);
    let (end, hedge) = match (words.at(just), words.at(just + 1)) {
        ("about" | "around" | "approximately" | "approx" | "roughly" | "circa", _) => {
            (just + 1, Hedge::About)
        }
        ("almost" | "nearly", _) => (just + 1, Hedge::Almost),
        ("over", _) | ("past", _) if words.at(just) == "over" => (just + 1, Hedge::Over),
        ("more", "than") | ("longer", "than") => (just + 2, Hedge::Over),
        ("at", "least") => (just + 2, Hedge::AtLeast),
        ("under", _) => (just + 1, Hedge::Under),
        ("less", "than") | ("fewer", "than") => (just + 2, Hedge::Under),
        _ => return (i, Hedge::Exact),
    };
    (words.skip(end, &["."]), hedge)
}

/// A number or range of numbers: place after it, at least, at most, and whether it was more than "a".
fn number(words: &Words<'_>, i: usize) -> Option<(usize, f64, f64, bool)> {
    let i = words.skip(i, &["another"]);
    let article = words.skip(i, &["a", "the"]);
    let vague = match (words.at(article), words.at(article + 1)) {
        ("couple", "of") => Some((2, 2.0, 2.0)),
        ("couple", _) => Some((1, 2.0, 2.0)),
        ("few", _) => Some((1, 2.0, 5.0)),
        ("several", _) => Some((1, 3.0, 8.0)),
        ("number", "of") => Some((2, 3.0, 8.0)),
        ("good", "few") => Some((2, 3.0, 6.0)),
        _ => None,
    };
    if let Some((long, min, max)) = vague {
        return Some((article + long, min, max, true));
    }
    match (words.at(i), words.at(i + 1)) {
        ("half", "a" | "an") => return Some((i + 2, 0.5, 0.5, true)),
        ("a" | "an", _) if words.digits(i + 1) == 0 => return Some((i + 1, 1.0, 1.0, false)),
        _ => {}
    }
    let (mut end, min) = count_and_fraction(words, i)?;
    let mut max = min;
    if matches!(words.at(end), "-" | "to" | "or" | "/")
        && let Some((next, upper)) = count_and_fraction(words, end + 1)
        && upper > min
    {
        (end, max) = (next, upper);
    }
    Some((end, min, max, true))
}

fn count_and_fraction(words: &Words<'_>, i: usize) -> Option<(usize, f64)> {
    let (end, whole) = count(words, i)?;
    let whole = f64::from(whole);
    if let Some(next) = words.follow(end, &["and", "a", "half"]) {
        return Some((next, whole + 0.5));
    }
    if words.at(end) == "." && words.is_glued(end) && words.digits(end + 1) == 1 && words.is_glued(end + 1) {
        return Some((end + 2, whole + f64::from(words.number(end + 1)?) / 10.0));
    }
    Some((end, whole))
}

/// A whole number in digits or words, at most 2,000.
pub fn count(words: &Words<'_>, i: usize) -> Option<(usize, u32)> {
    if let Some(n) = words.number(i) {
        // Part of something longer: "1.2.26", "ref A12", "10:30".
        let joined = words.is_glued(i) && !matches!(words.before(i, 1), "(" | "-" | "\"" | "'" | "~" | "/");
        return (n <= 2000 && !joined).then_some((i + 1, n));
    }
    let n = number_word(words.at(i))?;
    let next = words.skip(i + 1, &["-"]);
    match number_word(words.at(next)) {
        Some(ones) if n >= 20 && ones < 10 => Some((next + 1, n + ones)),
        _ => Some((i + 1, n)),
    }
}

pub fn is_ordinal_ending(word: &str) -> bool {
    matches!(word, "st" | "nd" | "rd" | "th")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let check = |text: &str, wanted: &[(u32, u32)]| {
            let found: Vec<_> = durations(text).iter().map(|d| (d.days_min, d.days_max)).collect();
            assert_eq!(found, wanted, "{text}");
        };
        check("12 weeks", &[(84, 84)]);
        check("three months", &[(90, 93)]);
        check("a fortnight", &[(14, 14)]);
        check("two and a half weeks", &[(17, 18)]);
        check("a 6-week wait", &[(42, 42)]);
        check("over 20 weeks", &[(141, 280)]);
        check("18 months", &[(540, 558)]);
        check("half a term", &[(35, 49)]);
        check("10 working days", &[(14, 14)]);
        check("a couple of weeks, then 3 days", &[(14, 14), (3, 3)]);
        check("twenty-six weeks", &[(182, 182)]);
        check("2-3 weeks", &[(14, 21)]);
        check("a week and a half", &[(10, 11)]);
        check("two hours a day, three days a week, once a fortnight", &[(3, 3)]);
        check("a Year 9 review (6yrs)", &[]);
        check("it took a week", &[(7, 7)]);
        check("he is 6 years old, a 6-year-old", &[]);
        check("half term", &[]);
        check("next week", &[]);
    }

    #[test]
    fn numbers_of_weeks() {
        let check = |text: &str, wanted: &[(u32, Option<u32>)]| {
            let found: Vec<_> = week_numbers(text).iter().map(|w| (w.number, w.of)).collect();
            assert_eq!(found, wanted, "{text}");
        };
        check("We are at week 23 and no final plan", &[(23, None)]);
        check("week nine of 20", &[(9, Some(20))]);
        check("Wk 18 of the 20", &[(18, Some(20))]);
        check("in the 22nd week", &[(22, None)]);
        check("week 7/9", &[]);
        check("next week 3 children", &[]);
        check("2 weeks 3 days", &[]);
    }
}
