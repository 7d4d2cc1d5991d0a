//! Days, weeks, months and years by their place in the calendar: "tomorrow", "next week", "end of the month", "in March".

use chrono::Datelike;

use super::duration::is_ordinal_ending;
use super::period::{Period, Readings, plus};
use super::words::{is_tomorrow, month};
use super::{Found, Reader};

/// A part of a week, month, term or season.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Earlier,
    Start,
    Early,
    Mid,
    Late,
    End,
    Later,
    FirstDay,
    LastDay,
    /// The first week is 0.
    Week(u8),
}

/// A unit of the calendar, with its own beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CalendarUnit {
    Week,
    Fortnight,
    Month,
    Year,
    SchoolYear,
}

impl Reader<'_> {
    /// "next week", "end of the month", "later this year", "the week after next".
    pub(super) fn this_next_last(&self, i: usize) -> Found {
        let words = &self.words;
        let (at, part) = self.part(i);
        let the = words.skip(at, &["the", "a"]);
        for (form, weeks) in [(["week", "before", "last"], -2), (["week", "after", "next"], 2)] {
            if let Some(end) = words.follow(the, &form) {
                return Some((end, Readings::of(part_of(Period::week(self.today, weeks), part), self.today)));
            }
        }
        let (unit_at, step, said) = match words.at(at) {
            "this" => (
                words.skip(at + 1, &["coming", "current", "present"]),
                if words.at(at + 1) == "coming" { 1 } else { 0 },
                true,
            ),
            "next" | "coming" => (at + 1, 1, true),
            "last" => (at + 1, -1, true),
            "the" if matches!(words.at(at + 1), "coming" | "current" | "next" | "last") && part.is_some() => {
                let step = match words.at(at + 1) {
                    "current" => 0,
                    "last" => -1,
                    _ => 1,
                };
                (at + 2, step, true)
            }
            _ => (words.skip(at, &["the"]), 0, false),
        };
        let (end, unit) = self.calendar_unit(unit_at)?;
        let period = |step: i32| self.calendar_period(unit, step);
        let readings = match part {
            _ if said => Readings::of(part_of(period(step)?, part), self.today),
            // "the month" alone is no date.
            None => return None,
            // "later in the week" is in this one.
            Some(Part::Earlier | Part::Later | Part::Early | Part::Late) => {
                Readings::of(part_of(period(0)?, part), self.today)
            }
            // "the end of the month", on the 2nd, may be the one just gone.
            Some(_) => {
                let around = [-1, 0, 1].into_iter().filter_map(period);
                Readings::nearest(around.map(|period| part_of(period, part)), self.today)
            }
        };
        let readings = match (part, step) {
            (Some(Part::Earlier), _) | (_, -1) => readings.only_past(),
            (Some(Part::Later), _) | (_, 1) => readings.only_ahead(),
            _ => readings,
        };
        Some((end, readings))
    }

    /// "week", "month", "year", "school year" at this place, and the place after it.
    fn calendar_unit(&self, i: usize) -> Option<(usize, CalendarUnit)> {
        let words = &self.words;
        let (end, unit) = match (words.at(i), words.at(i + 1)) {
            ("week" | "wk", _) => (i + 1, CalendarUnit::Week),
            ("fortnight", _) => (i + 1, CalendarUnit::Fortnight),
            ("month", _) => (i + 1, CalendarUnit::Month),
            ("year", _) => (i + 1, CalendarUnit::Year),
            ("calendar", "year") => (i + 2, CalendarUnit::Year),
            ("academic" | "school", "year") => (i + 2, CalendarUnit::SchoolYear),
            _ => return None,
        };
        // "the next year 7 intake".
        let class = words.at(end - 1) == "year" && words.number(end).is_some_and(|n| n < 20);
        (!class).then_some((end, unit))
    }

    /// The unit so many before or after the current one.
    fn calendar_period(&self, unit: CalendarUnit, step: i32) -> Option<Period> {
        let months = |from: (i32, u32), to: (i32, u32)| {
            Some(Period::new(Period::month_of(from.0, from.1)?.first, Period::month_of(to.0, to.1)?.last))
        };
        match unit {
            CalendarUnit::Week => Some(Period::week(self.today, i64::from(step))),
            CalendarUnit::Fortnight if step < 0 => Some(Period::new(plus(self.today, -14), self.today)),
            CalendarUnit::Fortnight => Some(Period::new(self.today, plus(self.today, 14))),
            CalendarUnit::Month => Period::month(self.today, step),
            CalendarUnit::Year => {
                let year = self.today.year().checked_add(step)?;
                months((year, 1), (year, 12))
            }
            CalendarUnit::SchoolYear => {
                let year = self.today.year().checked_add(step - i32::from(self.today.month() < 9))?;
                months((year, 9), (year.checked_add(1)?, 7))
            }
        }
    }

    /// "today", "tomorrow", "yesterday", "last night", "the day after tomorrow".
    pub(super) fn day_word(&self, i: usize) -> Found {
        let words = &self.words;
        let the = words.skip(i, &["the"]);
        let day = |days: i64| {
            let day = Period::day(plus(self.today, days));
            Readings::of(day, self.today)
        };
        let found = match (words.at(the), words.at(the + 1), words.at(the + 2)) {
            ("day", "after", "tomorrow") => (the + 3, day(2)),
            ("day", "before", "yesterday") => (the + 3, day(-2)),
            ("other", "day" | "week", _) if the > i => (
                the + 2,
                Readings::past(
                    plus(self.today, if words.at(the + 1) == "day" { -7 } else { -14 }),
                    plus(self.today, -1),
                ),
            ),
            ("last" | "yesterday", "night" | "evening", _) => (the + 2, day(-1)),
            ("this", "morning" | "afternoon" | "evening", _) => (the + 2, day(0)),
            ("earlier" | "later", "today", _) => (the + 2, day(0)),
            ("today" | "tonight", "week", _) => {
                (the + 2, Readings::ahead(plus(self.today, 7), plus(self.today, 7)))
            }
            ("today" | "tonight", ..) => (the + 1, day(0)),
            (tomorrow, next, _) if is_tomorrow(tomorrow) => {
                let week = i64::from(next == "week") * 7;
                (the + 1 + usize::from(week > 0), day(1 + week))
            }
            // "2moro", as a number and a word.
            ("2", "moro" | "moz" | "morrow" | "mro" | "mrw", _) if words.is_glued(the + 1) => {
                (the + 2, day(1))
            }
            ("yesterday" | "yday" | "yest", ..) => (the + 1, day(-1)),
            _ => return None,
        };
        let end = words.skip(found.0, &["morning", "afternoon", "evening", "lunchtime"]);
        Some((end, found.1))
    }

    /// "in March", "early September", "March 2027", "in 2025".
    pub(super) fn month_or_year(&self, i: usize) -> Found {
        let words = &self.words;
        if matches!(words.before(i, 1), "in" | "since" | "until" | "during" | "by" | "of" | "from")
            && words.digits(i) == 4
            && let Some(year) = words.number(i).filter(|year| (1990..2100).contains(year))
            && !(words.is_glued(i + 1) && matches!(words.at(i + 1), "/" | "-" | "."))
        {
            let year = year as i32;
            let period = Period::new(Period::month_of(year, 1)?.first, Period::month_of(year, 12)?.last);
            return Some((i + 1, Readings::of(period, self.today)));
        }
        let (at, part) = self.part(i);
        let modifier = words.at(at);
        let month_at = match modifier {
            "this" | "next" | "last" => words.skip(at + 1, &["coming"]),
            _ => at,
        };
        let number = month(words.at(month_at))?;
        let led = part.is_some() || month_at > at;
        let after = if words.is_glued(month_at + 1) { month_at + 1 } else { usize::MAX };
        let after =
            if words.at(after) == "." && words.at(month_at).len() < 5 { after + 1 } else { month_at + 1 };
        let (end, periods) = self.with_year(after, |year| Period::month_of(year, number))?;
        let dated = end > after;
        if !dated && !self.is_a_month(month_at, led) {
            return None;
        }
        let periods = periods.into_iter().map(|period| part_of(period, part));
        let readings = match modifier {
            "next" => Readings::next(periods, self.today),
            "last" => Readings::last(periods, self.today),
            _ => Readings::nearest(periods, self.today),
        };
        Some((if dated { end } else { month_at + 1 }, readings))
    }

    /// Whether the name of a month is one here: "may" and "march" are verbs, "June" and "April" people, "mar" and "dec" cut
    /// words.
    fn is_a_month(&self, i: usize, led: bool) -> bool {
        let words = &self.words;
        let before = words.before(i, 1);
        let capital = words.is_capital(i);
        let always = matches!(before, "in" | "since" | "until" | "till" | "during");
        let often = always
            || led
            || matches!(
                before,
                "by" | "from"
                    | "of"
                    | "for"
                    | "before"
                    | "after"
                    | "to"
                    | "around"
                    | "through"
                    | "about"
                    | "late"
                    | "early"
                    | "/"
            )
            || matches!(before, "and" | "or" | "-") && month(words.before(i, 2)).is_some();
        match words.at(i) {
            "may" | "march" => {
                // "this May", but "this may be"; "in may".
                let verb = words.before(i, 1) == "this" && !capital;
                always || often && capital || led && !verb && before != "this"
            }
            "april" | "june" | "august" => often || always,
            word if word.len() <= 4 && word != "july" => often && (capital || always || led) || always,
            _ => true,
        }
    }

    /// "the first week of", "3rd week in", "the last day of".
    fn part_in_order(&self, i: usize) -> Option<(usize, Option<Part>)> {
        let words = &self.words;
        let after_figure = if words.is_glued(i + 1) { i + 2 } else { i + 1 };
        let (at, place) = match words.at(i) {
            "first" => (i + 1, 0),
            "second" => (i + 1, 1),
            "third" => (i + 1, 2),
            "fourth" => (i + 1, 3),
            "last" | "final" => (i + 1, u8::MAX),
            "1" | "2" | "3" | "4" if is_ordinal_ending(words.at(i + 1)) => {
                (after_figure, u8::try_from(words.number(i)?).ok()?.checked_sub(1)?)
            }
            _ => return None,
        };
        let part = match (words.at(at), place) {
            ("week", u8::MAX) => Part::End,
            ("week", place) => Part::Week(place),
            ("day", 0) => Part::FirstDay,
            ("day", u8::MAX) => Part::LastDay,
            _ => return None,
        };
        // "last week in hospital" is simply last week.
        let in_too = place != u8::MAX || words.before(i, 1) == "the";
        let follows = words.at(at + 1) == "of" || in_too && matches!(words.at(at + 1), "in" | "back");
        follows.then_some((at + 2, Some(part)))
    }

    /// "early", "mid-", "the end of": the place after it and which part, or this place and none.
    pub(super) fn part(&self, i: usize) -> (usize, Option<Part>) {
        let words = &self.words;
        let at = words.skip(words.skip(i, &["the"]), &["very"]);
        if let Some(found) = self.part_in_order(at) {
            return found;
        }
        let part = match words.at(at) {
            "end" => Part::End,
            "beginning" | "start" => Part::Start,
            "middle" => Part::Mid,
            "early" => Part::Early,
            "mid" => Part::Mid,
            "late" => Part::Late,
            "earlier" => Part::Earlier,
            "later" => Part::Later,
            _ => return (i, None),
        };
        let next = match words.at(at) {
            "end" | "beginning" | "start" | "middle" => match words.at(at + 1) {
                "of" | "in" => at + 2,
                _ => return (i, None),
            },
            "mid" => words.skip(at + 1, &["-"]),
            "early" | "late" | "earlier" | "later" => words.skip(at + 1, &["in", "on", "-"]),
            _ => at + 1,
        };
        (next, Some(part))
    }
}

/// The days of that part.
pub(super) fn part_of(period: Period, part: Option<Part>) -> Period {
    let long = (period.last - period.first).num_days() > 10;
    match part {
        None | Some(Part::Earlier | Part::Later) => period,
        Some(Part::FirstDay) => period.head(1),
        Some(Part::LastDay) => period.tail(1),
        Some(Part::Week(place)) => {
            let first = plus(period.first, 7 * i64::from(place)).min(period.last);
            Period::new(first, plus(first, 6).min(period.last))
        }
        Some(Part::Start) => period.head(if long { 7 } else { 2 }),
        Some(Part::Early) => period.head(if long { 10 } else { 3 }),
        Some(Part::Mid) if long => period.middle(),
        Some(Part::Mid) => Period::new(plus(period.first, 1), plus(period.first, 3)),
        Some(Part::Late) => period.tail(if long { 10 } else { 4 }),
        Some(Part::End) => period.tail(if long { 7 } else { 3 }),
    }
}
