//! The school year and the feasts: "after half term", "end of term", "the Easter holidays", "at Christmas", "this summer".

use chrono::{Datelike, NaiveDate};

use super::period::{Period, Readings, plus};
use super::relative::{Part, part_of};
use super::words::month;
use super::{Found, Reader};
use crate::calendar::bank_holidays::{by_rule, easter_sunday};

/// What stands before a break: "after half term" is the week after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    At,
    After,
}

impl Reader<'_> {
    pub(super) fn school(&self, i: usize) -> Found {
        let words = &self.words;
        // The word before is not part of the mention: a rule may well ask for "after {date}".
        let lead = words.before(i, 1);
        let side = match lead {
            "before" | "by" => Side::Before,
            "after" | "following" => Side::After,
            _ => Side::At,
        };
        let sided = side != Side::At
            || matches!(lead, "over" | "during" | "at" | "in" | "until" | "till" | "since" | "from" | "for");
        let (after_part, part) = self.part(i);
        let the = words.skip(after_part, &["the"]);
        let modifier = words.at(the);
        let at = match modifier {
            "this" | "next" | "last" | "coming" => words.skip(the + 1, &["coming"]),
            _ => the,
        };
        let (end, periods) = self.occasion(at, at > i, sided)?;
        let periods = periods.into_iter().map(|period| match (side, part) {
            (_, Some(_)) => part_of_term(period, part),
            (Side::Before, _) => Period::new(plus(period.first, -7), plus(period.first, -1)),
            (Side::After, _) => Period::new(plus(period.last, 1), plus(period.last, 7)),
            (Side::At, _) => period,
        });
        let readings = match modifier {
            "next" | "coming" => Readings::next(periods, self.today),
            "last" => Readings::last(periods, self.today),
            _ => Readings::nearest(periods, self.today),
        };
        Some((end, readings))
    }

    /// A break, term, feast or season at this place: every time it comes round near today.
    fn occasion(&self, i: usize, led: bool, sided: bool) -> Option<(usize, Vec<Period>)> {
        self.half_term(i)
            .or_else(|| self.term(i, led))
            .or_else(|| self.holidays(i))
            .or_else(|| self.feast(i))
            .or_else(|| self.season(i, led || sided))
    }

    /// "half term", "February half-term".
    fn half_term(&self, i: usize) -> Option<(usize, Vec<Period>)> {
        let words = &self.words;
        let named = month(words.at(i)).is_some() || is_season(words.at(i)) || words.at(i) == "whitsun";
        let at = if named { i + 1 } else { i };
        let end = match (words.at(at), words.at(at + 1), words.at(at + 2)) {
            ("half", "term", _) => at + 2,
            ("half", "-", "term") => at + 3,
            ("halfterm", ..) => at + 1,
            _ => return None,
        };
        let end = words.skip(words.skip(end, &["-"]), &["holiday", "holidays", "break", "week"]);
        let fits = |term: &super::Term| {
            !named
                || month(words.at(i))
                    .is_some_and(|m| m == term.half_term.0.month() || m == term.half_term.1.month())
                || term.name == words.at(i)
                || words.at(i) == "whitsun" && term.name == "summer"
        };
        // "Once each half term" is a habit.
        if matches!(words.before(i, 1), "each" | "every" | "per") {
            return Some((end, Vec::new()));
        }
        // With the weekends on either side.
        let breaks = self
            .terms
            .iter()
            .filter(|term| fits(term))
            .map(|term| Period::week(term.half_term.0, 0).first_to(term.half_term.1));
        Some((end, breaks.collect()))
    }

    /// "next term", "the autumn term", "end of term".
    fn term(&self, i: usize, led: bool) -> Option<(usize, Vec<Period>)> {
        let words = &self.words;
        let season = is_season(words.at(i)).then(|| words.at(i));
        let at = if season.is_some() { i + 1 } else { words.skip(i, &["school"]) };
        if words.at(at) != "term" || !(led || season.is_some()) {
            return None;
        }
        let of = |term: &super::Term| Period::new(term.first, term.last);
        let modifier = words.before(i, 1);
        let now = self.terms.iter().position(|term| term.last >= self.today);
        let periods: Vec<Period> = match (season, modifier, now) {
            (Some(season), ..) => self.terms.iter().filter(|term| term.name == season).map(of).collect(),
            (None, "next" | "last", Some(now)) => {
                let in_term = self.terms.get(now).is_some_and(|term| term.first <= self.today);
                let wanted = match modifier {
                    "next" if in_term => Some(now + 1),
                    "next" => Some(now),
                    _ => now.checked_sub(1),
                };
                wanted.and_then(|wanted| self.terms.get(wanted)).map(of).into_iter().collect()
            }
            (None, "this", Some(now)) => self.terms.get(now).map(of).into_iter().collect(),
            _ => self.terms.iter().map(of).collect(),
        };
        // "the term" alone is the one that we are in.
        Some((at + 1, periods))
    }

    /// "the Easter holidays", "Christmas break", "the summer holidays", "the holidays" (no one knows which).
    fn holidays(&self, i: usize) -> Option<(usize, Vec<Period>)> {
        let words = &self.words;
        let at = words.skip(i + 1, &["school"]);
        if !matches!(words.at(at), "holiday" | "holidays" | "hols" | "break" | "vacation" | "vacations") {
            return None;
        }
        let (before, after) = match words.at(i) {
            "christmas" | "xmas" | "winter" => ("autumn", "spring"),
            "easter" | "spring" => ("spring", "summer"),
            "summer" => ("summer", "autumn"),
            _ => return None,
        };
        let between = self.terms.iter().zip(self.terms.iter().skip(1));
        let mut periods: Vec<Period> = between
            .filter(|(one, next)| one.name == before && next.name == after)
            .map(|(one, next)| Period::new(plus(one.last, 1), plus(next.first, -1)))
            .collect();
        // Where the terms do not reach: when they usually are.
        for year in self.years() {
            let usual = match after {
                "spring" => from_to((year, 12, 20), (year + 1, 1, 4)),
                "summer" => easter_sunday(year).map(|easter| Period::new(plus(easter, -9), plus(easter, 8))),
                _ => from_to((year, 7, 22), (year, 9, 2)),
            };
            let free = |usual: &Period| {
                periods.iter().all(|known| (known.first - usual.first).num_days().abs() > 60)
            };
            periods.extend(usual.filter(free));
        }
        Some((at + 1, periods))
    }

    /// "Christmas", "New Year's Eve", "Easter Monday", "the August bank holiday".
    fn feast(&self, i: usize) -> Option<(usize, Vec<Period>)> {
        let words = &self.words;
        let fixed = |month: u32, from: u32, to: u32| -> Vec<Period> {
            self.years().filter_map(|year| from_to((year, month, from), (year, month, to))).collect()
        };
        let easter = |from: i64, to: i64| -> Vec<Period> {
            let around = self.years().filter_map(easter_sunday);
            around.map(|sunday| Period::new(plus(sunday, from), plus(sunday, to))).collect()
        };
        let new_year = |days: i64| -> Vec<Period> {
            let around = self.years().filter_map(|year| NaiveDate::from_ymd_opt(year, 1, 1));
            around.map(|first| Period::new(first, plus(first, days))).collect()
        };
        Some(match (words.at(i), words.at(i + 1)) {
            ("christmas" | "xmas", "eve") => (i + 2, fixed(12, 24, 24)),
            ("christmas" | "xmas", "day") => (i + 2, fixed(12, 25, 25)),
            ("christmas" | "xmas", _) => (i + 1, fixed(12, 24, 26)),
            ("boxing", "day") => (i + 2, fixed(12, 26, 26)),
            ("new", "year") => match words.at(i + 2) {
                "eve" => (i + 3, fixed(12, 31, 31)),
                "day" => (i + 3, new_year(0)),
                "group" | "groups" | "class" => return None,
                _ if words.number(i + 2).is_some() => return None,
                _ if matches!(
                    words.before(i, 1),
                    "the" | "after" | "before" | "by" | "since" | "until" | "at" | "over"
                ) || words.is_capital(i + 1) =>
                {
                    (i + 2, new_year(13))
                }
                _ => return None,
            },
            ("good", "friday") => (i + 2, easter(-2, -2)),
            ("easter", "monday") => (i + 2, easter(1, 1)),
            ("easter", "sunday") => (i + 2, easter(0, 0)),
            ("easter", "saturday") => (i + 2, easter(-1, -1)),
            ("easter", "friday") => (i + 2, easter(-2, -2)),
            ("easter", "weekend") => (i + 2, easter(-2, 1)),
            ("easter", "road" | "egg" | "eggs") => return None,
            ("easter", _) => (i + 1, easter(-2, 1)),
            ("bank", "holiday") => {
                let days = self.years().flat_map(by_rule).map(|(on, _)| Period::day(on));
                match words.at(i + 2) {
                    "weekend" => {
                        (i + 3, days.map(|day| Period::new(plus(day.first, -2), day.last)).collect())
                    }
                    "monday" => {
                        (i + 3, days.filter(|day| day.first.weekday() == chrono::Weekday::Mon).collect())
                    }
                    _ => (i + 2, days.collect()),
                }
            }
            (name, "bank") if words.at(i + 2) == "holiday" && month(name).is_some() => {
                let wanted = month(name);
                let days = self.years().flat_map(by_rule).map(|(on, _)| Period::day(on));
                (
                    words.skip(i + 3, &["monday", "weekend"]),
                    days.filter(|day| Some(day.first.month()) == wanted).collect(),
                )
            }
            _ => return None,
        })
    }

    /// "in the summer", "this autumn", "next spring".
    fn season(&self, i: usize, led: bool) -> Option<(usize, Vec<Period>)> {
        let words = &self.words;
        let (from, to) = match words.at(i) {
            "spring" => (3, 5),
            "summer" => (6, 8),
            "autumn" => (9, 11),
            "winter" => (12, 2),
            _ => return None,
        };
        // "spring" and "summer" name schools and streets: a word before, and none after that they could belong to.
        if !led
            || words.is_capital(i + 1)
            || matches!(
                words.at(i + 1),
                "born" | "school" | "camp" | "club" | "house" | "road" | "uniform" | "fair" | "fete"
            )
        {
            return None;
        }
        let periods = self.years().filter_map(|year| {
            let last_year = if to < from { year.checked_add(1)? } else { year };
            Some(Period::new(Period::month_of(year, from)?.first, Period::month_of(last_year, to)?.last))
        });
        Some((i + 1, periods.collect()))
    }

    fn years(&self) -> impl Iterator<Item = i32> {
        let year = self.today.year();
        (-2..=2).filter_map(move |k| year.checked_add(k))
    }
}

impl Period {
    /// From two days before its first day (the Saturday before a Monday) to two after this last day.
    fn first_to(self, last: NaiveDate) -> Self {
        Self::new(plus(self.first, -2), plus(last, 2))
    }
}

/// The end of a term is its last week, not its last ten days.
fn part_of_term(period: Period, part: Option<Part>) -> Period {
    match part {
        Some(Part::End) => period.tail(5),
        Some(Part::Start) => period.head(5),
        part => part_of(period, part),
    }
}

fn is_season(word: &str) -> bool {
    matches!(word, "autumn" | "spring" | "summer" | "winter")
}

fn from_to(from: (i32, u32, u32), to: (i32, u32, u32)) -> Option<Period> {
    Some(Period::new(
        NaiveDate::from_ymd_opt(from.0, from.1, from.2)?,
        NaiveDate::from_ymd_opt(to.0, to.1, to.2)?,
    ))
}
