//! Days of the week ("this Friday", "Friday week", "Friday 25 September") and weekends.

use chrono::{Datelike, NaiveDate, Weekday};

use super::period::{Period, Readings, plus};
use super::words::{short_weekday, weekday};
use super::{Found, Reader};

impl Reader<'_> {
    pub(super) fn weekday(&self, i: usize) -> Found {
        if let Some(found) = self.weekend(i) {
            return Some(found);
        }
        let words = &self.words;
        // Habits and anchors elsewhere: nothing that can be dated.
        if matches!(
            words.at(i),
            "every" | "each" | "alternate" | "following" | "previous" | "same" | "black" | "one" | "any"
        ) {
            let (end, day) = self.day_name(i + 1)?;
            return self.date_of_weekday(end, day).or(Some((end, Readings::default())));
        }
        let modifier = words.at(i);
        let start = match modifier {
            "this" | "next" => words.skip(i + 1, &["coming"]),
            "last" | "coming" => i + 1,
            _ => i,
        };
        let (mut end, day) = self.day_name(start)?;
        // "Friday 25 September", "Friday the 7th", "Friday (7/9)": the date decides, the weekday picks its year or month.
        if let Some((date_end, readings)) = self.date_of_weekday(end, day) {
            let readings = match modifier {
                "last" => readings.only_past(),
                "next" | "this" | "coming" => readings.only_ahead(),
                _ => readings,
            };
            return Some((date_end, readings));
        }
        if start == i
            && let Some(found) = self.weekly_habit(end)
        {
            return Some(found);
        }
        let next = nth(self.today, day, 1);
        let before = nth(self.today, day, -1);
        let is_today = self.today.weekday() == day;
        let readings = match (modifier, words.at(end), words.at(end + 1)) {
            (_, "week", _) if start == i && !matches!(words.at(end + 1), "commencing" | "beginning") => {
                end += 1;
                Readings::ahead(plus(next, 7), plus(next, 7))
            }
            (_, "fortnight", _) if start == i => {
                end += 1;
                Readings::ahead(plus(next, 14), plus(next, 14))
            }
            (_, "before", "last") if start == i => {
                end += 2;
                Readings::past(plus(before, -7), plus(before, -7))
            }
            (_, "last", following) if start == i && following != "week" => {
                end += 1;
                Readings::past(before, before)
            }
            (_, "next", following)
                if start == i && !matches!(following, "week" | "month" | "year" | "term") =>
            {
                end += 1;
                Readings::ahead(next, plus(next, 7))
            }
            ("next", ..) if start == i + 1 => {
                let of_next_week = in_week(self.today, day, 1);
                Readings::ahead(next.min(of_next_week), next.max(of_next_week))
            }
            ("next" | "coming", ..) => Readings::ahead(next, next),
            ("this", ..) if start == i + 2 => Readings::ahead(next, next),
            ("last", ..) => {
                let of_last_week = in_week(self.today, day, -1);
                Readings::past(before.min(of_last_week), before.max(of_last_week))
            }
            ("this", ..) => {
                let ahead = if is_today { self.today } else { next };
                let earlier = in_week(self.today, day, 0);
                Readings {
                    past: (earlier <= self.today).then(|| Period::day(earlier)),
                    ahead: Some(Period::day(ahead)),
                }
            }
            // Written on a Friday, "on Friday" may be today's or the one a week off.
            _ if is_today => Readings {
                past: Some(Period::new(before, self.today)),
                ahead: Some(Period::new(self.today, next)),
            },
            _ => Readings { past: Some(Period::day(before)), ahead: Some(Period::day(next)) },
        };
        if matches!(words.at(end), "of" | "in")
            && matches!(words.at(end + 1), "next" | "last" | "this")
            && words.at(end + 2) == "week"
        {
            let weeks = match words.at(end + 1) {
                "next" => 1,
                "last" => -1,
                _ => 0,
            };
            return Some((end + 3, Readings::of(Period::day(in_week(self.today, day, weeks)), self.today)));
        }
        if let Some(weeks) = match (words.at(end), words.at(end + 1)) {
            ("next", "week") => Some(1),
            ("last", "week") => Some(-1),
            ("this", "week") => Some(0),
            _ => None,
        } && start == i
        {
            return Some((end + 2, Readings::of(Period::day(in_week(self.today, day, weeks)), self.today)));
        }
        let end = words.skip(end, &["morning", "afternoon", "evening", "night", "lunchtime"]);
        Some((end, readings))
    }

    /// A day of the week at this place, and the place after it. Short names need a capital or a word before them that
    /// makes them days: "sat" and "sun" are other words too.
    pub(super) fn day_name(&self, i: usize) -> Option<(usize, Weekday)> {
        let words = &self.words;
        if let Some(day) = weekday(words.at(i)) {
            return Some((i + 1, day));
        }
        let day = short_weekday(words.at(i))?;
        let end = if words.is_glued(i + 1) { words.skip(i + 1, &["."]) } else { i + 1 };
        let dated = (1..=31).contains(&words.number(end).unwrap_or(0));
        let before = words.before(i, 1);
        let led = matches!(
            before,
            "on" | "this"
                | "next"
                | "until"
                | "till"
                | "by"
                | "since"
                | "from"
                | "coming"
                | "before"
                | "after"
                | "c"
                | "e"
        ) || (before == "last" && words.is_capital(i));
        let sensible = match day {
            Weekday::Sat | Weekday::Sun => {
                dated
                    || (led
                        && !matches!(
                            words.at(i + 1),
                            "nav"
                                | "down"
                                | "on"
                                | "in"
                                | "at"
                                | "an"
                                | "a"
                                | "the"
                                | "cream"
                                | "set"
                                | "exposure"
                                | "-"
                        ))
            }
            _ => dated || led || words.is_capital(i),
        };
        sensible.then_some((end, day))
    }

    fn weekend(&self, i: usize) -> Found {
        let words = &self.words;
        let is_weekend = |at: usize| {
            words
                .follow(at, &["weekend"])
                .or_else(|| words.follow(at, &["wkend"]))
                .or_else(|| words.follow(at, &["week", "end"]))
                .or_else(|| words.follow(at, &["week", "-", "end"]))
                .or_else(|| words.follow(at, &["w", "/", "e"]))
        };
        let after = words.skip(i + 1, &["coming", "past"]);
        let end = is_weekend(after)?;
        let coming = Period::week(self.today, 0).tail(2);
        let shift = |weeks: i64| Period::new(plus(coming.first, 7 * weeks), plus(coming.last, 7 * weeks));
        let in_one = self.today >= coming.first;
        let readings = match words.at(i) {
            "this" if after == i + 1 => {
                let early = self.today.weekday().num_days_from_monday() < 2;
                let past = if in_one {
                    Some(Period::new(coming.first, self.today))
                } else {
                    early.then(|| shift(-1))
                };
                Readings { past, ahead: Readings::of(coming, self.today).ahead }
            }
            "this" if words.at(i + 1) == "coming" => Readings::of(coming, self.today).only_ahead(),
            "next" => Readings::ahead(if in_one { shift(1).first } else { coming.first }, shift(1).last),
            "last" => Readings::past(shift(-1).first, shift(-1).last),
            "this" => Readings::nearest([shift(-1), coming], self.today).only_past(),
            "the" | "at" | "over" if words.before(i, 1) != "at" || words.at(i) == "the" => {
                Readings::nearest([shift(-1), coming, shift(1)], self.today)
            }
            _ => return None,
        };
        Some((end, readings))
    }

    /// "Monday to Thursday", "Mon-Fri": hours of work or attendance, not a date.
    fn weekly_habit(&self, end: usize) -> Found {
        // "Monday, Wednesday and Friday mornings", "a Saturday job".
        let mut last = end;
        for _ in 0..6 {
            let is_gap = |gap: &usize| {
                (last..last + gap).all(|at| matches!(self.words.at(at), "," | "and" | "&" | "or" | "/"))
            };
            let Some((next, _)) = (1..=2).filter(is_gap).find_map(|gap| self.day_name(last + gap)) else {
                break;
            };
            last = next;
        }
        if matches!(
            self.words.at(last),
            "mornings" | "afternoons" | "evenings" | "nights" | "job" | "club" | "school"
        ) {
            return Some((last + 1, Readings::default()));
        }
        let joined = matches!(self.words.at(end), "to" | "-" | "through" | "until");
        let (to_end, _) = joined.then(|| self.day_name(end + 1)).flatten()?;
        self.date_follows(to_end).then_some(()).map_or(Some((to_end, Readings::default())), |()| None)
    }

    fn date_follows(&self, i: usize) -> bool {
        self.dates(self.words.skip(i, &["the", ","]), true).is_some()
    }

    /// The date that a weekday stands with, in the readings on which it is that weekday.
    fn date_of_weekday(&self, i: usize, day: Weekday) -> Found {
        let words = &self.words;
        let bracket = words.skip(i, &[",", "(", "-"]);
        let at = words.skip(bracket, &["the"]);
        let fits = |dates: &[Period]| dates.iter().any(|date| date.first.weekday() == day);
        let (end, dates) = self
            .dates(at, true)
            .or_else(|| self.bare_day(at).filter(|(end, dates)| *end > at + 1 && fits(dates)))?;
        let end = if words.at(i) == "(" { words.skip(end, &[")"]) } else { end };
        let fitting: Vec<Period> = dates
            .iter()
            .copied()
            .filter(|date| date.first == date.last && date.first.weekday() == day)
            .collect();
        // A slip of the sender's pen: then the date stands as if alone.
        let dates = if fitting.is_empty() { dates } else { fitting };
        let readings = Readings::nearest(dates.iter().copied(), self.today);
        // A weekday fits one year in six: the one far off is not meant.
        let near = |period: Option<Period>| {
            period.filter(|period| (period.first - self.today).num_days().abs() <= 400)
        };
        let close = Readings { past: near(readings.past), ahead: near(readings.ahead) };
        Some((end, if close.is_none() { readings } else { close }))
    }
}

/// The nearest such weekday strictly after (1) or strictly before (-1) this day.
pub(super) fn nth(today: NaiveDate, day: Weekday, direction: i64) -> NaiveDate {
    let ahead = i64::from(day.days_since(today.weekday()));
    if direction > 0 { plus(today, if ahead == 0 { 7 } else { ahead }) } else { plus(today, ahead - 7) }
}

/// Such a weekday in the week so many weeks from this one.
pub(super) fn in_week(today: NaiveDate, day: Weekday, weeks: i64) -> NaiveDate {
    plus(Period::week(today, weeks).first, i64::from(day.num_days_from_monday()))
}
