//! Dates counted from the day of receipt: "in 3 weeks", "ten days ago", "next week", "end of the month", "tomorrow", "in March".

use chrono::{Datelike, NaiveDate};

use super::duration::{Amount, Hedge, Unit};
use super::period::{Period, Readings, plus};
use super::weekday::nth;
use super::words::month;
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
}

impl Reader<'_> {
    /// "in 3 weeks", "within the next 10 days", "two weeks ago", "a week on Friday".
    pub(super) fn counted(&self, i: usize) -> Found {
        self.rolling(i).or_else(|| self.in_so_long(i)).or_else(|| self.so_long_from(i))
    }

    /// "the next 10 days", "over the last few weeks".
    fn rolling(&self, i: usize) -> Found {
        let words = &self.words;
        let led =
            matches!(words.at(i), "in" | "within" | "over" | "during" | "for" | "across" | "throughout");
        let lead = words.at(i);
        let the = if led { i + 1 } else { i };
        let at = words.skip(the, &["the", "these", "this", "my", "our"]);
        let ahead = match words.at(at) {
            "next" | "coming" => true,
            "last" | "past" | "previous" => false,
            _ if lead == "within" && at == the + 1 => {
                let (end, unit, times) = Unit::at(words, at)?;
                let amount = Amount { end, min: times, max: times, unit, hedge: Hedge::Exact, counted: true };
                return Some((
                    end,
                    Readings::ahead(self.today, plus(self.today, i64::from(amount.days().1))),
                ));
            }
            _ => return None,
        };
        let amount = match Amount::at(words, at + 1).filter(|amount| amount.counted) {
            Some(amount) => amount,
            None => {
                let (end, unit, times) = Unit::at(words, at + 1)?;
                // "next week" is a calendar week, "over the next week" seven days.
                if !led || at == the || !matches!(unit, Unit::Week | Unit::Month | Unit::Year) {
                    return None;
                }
                Amount { end, min: times, max: times, unit, hedge: Hedge::Exact, counted: false }
            }
        };
        // "the last two weeks of term" is anchored elsewhere; "for the last 3 weeks" is a length.
        if words.at(amount.end) == "of" || lead == "for" && !ahead {
            return Some((amount.end, Readings::default()));
        }
        let days = i64::from(amount.days().1);
        Some((
            amount.end,
            if ahead {
                Readings::ahead(self.today, plus(self.today, days))
            } else {
                Readings::past(plus(self.today, -days), self.today)
            },
        ))
    }

    /// "in 3 weeks", "in a week's time", "within 10 working days".
    fn in_so_long(&self, i: usize) -> Found {
        let words = &self.words;
        let within = words.at(i) == "within";
        if !within && words.at(i) != "in" {
            return None;
        }
        let amount = Amount::at(words, i + 1)?;
        let time = words.at(amount.end) == "time";
        // "three times in a day" is a habit; "within 4 weeks of the review" hangs on the review.
        if matches!(words.at(amount.end), "of" | "after" | "before" | "following" | "prior" | "from")
            && !matches!(words.at(amount.end + 1), "now" | "today")
            || !time && !within && !amount.counted && amount.unit == Unit::Day
            || matches!(words.at(amount.end), "old" | "notice" | "away" | "ago")
        {
            return Some((amount.end, Readings::default())).filter(|_| words.at(amount.end) != "ago");
        }
        let (min, max) = offsets(&amount);
        let first = if within || amount.hedge == Hedge::Under { 0 } else { min };
        Some((
            amount.end + usize::from(time),
            Readings::ahead(plus(self.today, first), plus(self.today, max)),
        ))
    }

    /// "two weeks ago", "12 weeks since", "in two weeks' time", "a week today", "a fortnight on Friday".
    fn so_long_from(&self, i: usize) -> Found {
        let words = &self.words;
        let amount = Amount::at(words, i)?;
        let (min, max) = offsets(&amount);
        let mut end = amount.end;
        let past = |from: NaiveDate| Readings::past(plus(from, -max), plus(from, -min));
        let ahead = |from: NaiveDate| Readings::ahead(plus(from, min), plus(from, max));
        if let Some(next) = words.follow(end, &["or", "more"]) {
            end = next;
        }
        // "it's been three weeks today", "he has been off a week on Friday".
        let so_far = (1..=4).any(|back| matches!(words.before(i, back), "been" | "for" | "was" | "since"));
        match (words.at(end), words.at(end + 1)) {
            ("ago", _) => Some((end + 1, past(self.today))),
            ("back", next) if !matches!(next, "to" | "in" | "at" | "into" | "on") => {
                Some((end + 1, past(self.today)))
            }
            ("since", _) => Some((end, past(self.today))),
            ("have" | "has" | "had", "passed" | "gone" | "elapsed") => Some((end + 2, past(self.today))),
            ("time", _) => Some((end + 1, ahead(self.today))),
            ("from", "now" | "today") => Some((end + 2, ahead(self.today))),
            ("from", "tomorrow") => Some((end + 2, ahead(plus(self.today, 1)))),
            ("today", _) if so_far => Some((end + 1, past(self.today))),
            ("yesterday", _) => Some((end + 1, past(plus(self.today, -1)))),
            ("today", _) => Some((end + 1, ahead(self.today))),
            ("tomorrow", _) if !so_far => Some((end + 1, ahead(plus(self.today, 1)))),
            (next, _) if amount.unit == Unit::Week => {
                let at = match next {
                    "on" | "this" | "last" | "next" => end + 1,
                    _ => end,
                };
                let (day_end, day) = self.day_name(at)?;
                if words.number(words.skip(day_end, &["the"])).is_some() || at == end && so_far {
                    return None;
                }
                if next == "last" || so_far {
                    return Some((day_end, past(nth(self.today, day, -1))));
                }
                Some((day_end, ahead(nth(self.today, day, 1))))
            }
            _ => None,
        }
    }

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
        // "the month" alone is no date; "the end of the month" is.
        if !said && !matches!(part, Some(Part::Start | Part::Mid | Part::End)) {
            return None;
        }
        let (end, period) = match words.at(unit_at) {
            "week" | "wk" => (unit_at + 1, Period::week(self.today, i64::from(step))),
            "fortnight" if step == 1 => (unit_at + 1, Period::new(self.today, plus(self.today, 14))),
            "fortnight" if step == -1 => (unit_at + 1, Period::new(plus(self.today, -14), self.today)),
            "month" => (unit_at + 1, Period::month(self.today, step)?),
            "year" | "calendar" if words.at(unit_at) == "year" || words.at(unit_at + 1) == "year" => {
                let end = unit_at + if words.at(unit_at) == "year" { 1 } else { 2 };
                if words.number(end).is_some_and(|n| n < 20) {
                    return None; // "next year 7 intake"
                }
                let year = self.today.year().checked_add(step)?;
                (end, Period::new(Period::month_of(year, 1)?.first, Period::month_of(year, 12)?.last))
            }
            "academic" | "school" if words.at(unit_at + 1) == "year" => {
                let year = self.today.year().checked_add(step - i32::from(self.today.month() < 9))?;
                (
                    unit_at + 2,
                    Period::new(
                        Period::month_of(year, 9)?.first,
                        Period::month_of(year.checked_add(1)?, 7)?.last,
                    ),
                )
            }
            _ => return None,
        };
        // "the end of the month" on the 2nd may be the one just gone; the nearest of each are given.
        let readings = if said {
            Readings::of(part_of(period, part), self.today)
        } else {
            let around = match words.at(unit_at) {
                "week" | "wk" => [-1, 0, 1].map(|k| Some(Period::week(self.today, k))),
                "month" => [-1, 0, 1].map(|k| Period::month(self.today, k)),
                _ => [Some(period), None, None],
            };
            Readings::nearest(around.into_iter().flatten().map(|period| part_of(period, part)), self.today)
        };
        let readings = match (part, step) {
            (Some(Part::Earlier), _) | (_, -1) => readings.only_past(),
            (Some(Part::Later), _) | (_, 1) => readings.only_ahead(),
            _ => readings,
        };
        Some((end, readings))
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
            ("today" | "tonight" | "2day", ..) => (the + 1, day(0)),
            (tomorrow, next, _) if is_tomorrow(tomorrow) => {
                let week = i64::from(next == "week") * 7;
                (the + 1 + usize::from(week > 0), day(1 + week))
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
        let readings = Readings::nearest(periods.into_iter().map(|period| part_of(period, part)), self.today);
        let readings = match modifier {
            "next" => readings.only_ahead(),
            "last" => readings.only_past(),
            _ => readings,
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

    /// "early", "mid-", "the end of": the place after it and which part, or this place and none.
    pub(super) fn part(&self, i: usize) -> (usize, Option<Part>) {
        let words = &self.words;
        let at = words.skip(i, &["the", "very"]);
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
        Some(Part::Start) => period.head(if long { 7 } else { 2 }),
        Some(Part::Early) => period.head(if long { 10 } else { 3 }),
        Some(Part::Mid) if long => period.middle(),
        Some(Part::Mid) => Period::new(plus(period.first, 1), plus(period.first, 3)),
        Some(Part::Late) => period.tail(if long { 10 } else { 4 }),
        Some(Part::End) => period.tail(if long { 7 } else { 3 }),
    }
}

/// How many days away: at least and at most. Days and weeks are meant as said, months and years roughly.
fn offsets(amount: &Amount) -> (i64, i64) {
    let (min, max) = amount.days();
    let slack = match amount.unit {
        Unit::Month => 2,
        Unit::Year => 14,
        _ => 0,
    };
    let late = if amount.unit == Unit::WorkingDay { 2 } else { slack };
    ((i64::from(min) - slack).max(0), i64::from(max) + late)
}

fn is_tomorrow(word: &str) -> bool {
    matches!(
        word,
        "tomorrow"
            | "tomorow"
            | "tommorow"
            | "tommorrow"
            | "tomorro"
            | "tmrw"
            | "tmw"
            | "tomo"
            | "tomoz"
            | "2moro"
            | "2morrow"
    )
}
