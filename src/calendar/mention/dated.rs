//! Dates with a day of the month: "25/09/26", "2026-09-25", "25th Sept", "Sept 25th", "7 to 11 September", "the 7th", and weeks
//! named by one ("w/c 7th").

use chrono::{Datelike, NaiveDate, Weekday};

use super::duration::is_ordinal_ending;
use super::period::{Period, Readings, plus};
use super::words::{Words, is_among, month, ordinal_word, short_weekday, weekday};
use super::{Found, Reader};

/// All days that the words may mean, and the place after them.
type Dates = Option<(usize, Vec<Period>)>;

impl Reader<'_> {
    pub(super) fn dated(&self, i: usize) -> Found {
        let words = &self.words;
        let at = words.skip(i, &["the"]);
        // What leads to it only makes more of it a date; where there is none even so, that need not be asked.
        let found = self.dates(at, true)?;
        let led = at > i || leads_to_a_date(words.before(i, 1)) || self.continues_a_list(i);
        let (end, dates) = if led { found } else { self.dates(at, false)? };
        Some((end, Readings::nearest(dates, self.today)))
    }

    /// "w/c 7th", "week commencing Monday 7 January", "w/e 25/9".
    pub(super) fn week_commencing(&self, i: usize) -> Found {
        let words = &self.words;
        if !matches!(words.at(i), "w" | "wk" | "wc" | "week") {
            return None;
        }
        let starts: &[&[&str]] = &[
            &["w", "/", "c"],
            &["wk", "/", "c"],
            &["wc"],
            &["w", ".", "c"],
            &["w", "c"],
            &["week", "commencing"],
            &["week", "beginning"],
            &["week", "starting"],
            &["wk", "commencing"],
            &["wk", "beginning"],
            &["week", "of"],
            &["w", "/", "b"],
            &["week", "comm"],
        ];
        let ends: &[&[&str]] = &[&["w", "/", "e"], &["week", "ending"], &["wk", "ending"]];
        let find = |forms: &[&[&str]]| forms.iter().find_map(|form| words.follow(i, form));
        let (after, ending) =
            find(starts).map(|end| (end, false)).or_else(|| find(ends).map(|end| (end, true)))?;
        let after = words.skip(words.skip(after, &[".", ":"]), &["on"]);
        let weekday = self.day_name(words.skip(after, &["the"]));
        let date_at = weekday.map_or(after, |(end, _)| words.skip(end, &[","]));
        let date_at = words.skip(date_at, &["the"]);
        let (end, days) = match self.dates(date_at, true).or_else(|| self.bare_day(date_at)) {
            Some(found) => found,
            None => {
                let (end, day) = weekday?;
                let near =
                    [-1, 0, 1, 2].map(|weeks| Period::day(super::weekday::in_week(self.today, day, weeks)));
                (end, near.to_vec())
            }
        };
        let week = |day: NaiveDate| {
            if ending {
                Period::new(Period::week(day, 0).first.min(plus(day, -4)), day)
            } else {
                Period::new(day, plus(day, 6))
            }
        };
        let weekday = weekday.map_or(if ending { None } else { Some(Weekday::Mon) }, |(_, day)| Some(day));
        let fitting: Vec<Period> = days
            .iter()
            .copied()
            .filter(|day| weekday.is_none_or(|weekday| day.first.weekday() == weekday))
            .collect();
        let near = fitting.iter().any(|day| (day.first - self.today).num_days().abs() < 120);
        let days = if near { fitting } else { days };
        let mut readings = Readings::nearest(days.iter().map(|day| week(day.first)), self.today);
        let far = |period: Period| (period.first - self.today).num_days().abs() > 120;
        if let (Some(past), Some(ahead)) = (readings.past, readings.ahead) {
            match (far(past), far(ahead)) {
                (true, false) => readings.past = None,
                (false, true) => readings.ahead = None,
                _ => {}
            }
        }
        Some((end, readings))
    }

    /// The dates at this place. `led`: words before it make even "the 7th" or "1/2" a date.
    pub(super) fn dates(&self, i: usize, led: bool) -> Dates {
        self.numeric(i, led)
            .or_else(|| self.day_month(i))
            .or_else(|| self.month_day(i))
            .or_else(|| self.day_alone(i, led))
    }

    /// 25/09/26, 25.9.2026, 25-9-26, 2026-09-25, 25/9.
    fn numeric(&self, i: usize, led: bool) -> Dates {
        let words = &self.words;
        let first = words.number(i)?;
        let separator = words.at(i + 1);
        if !matches!(separator, "/" | "." | "-")
            || !words.is_glued(i + 1)
            || !words.is_glued(i + 2)
            || glued_to_more(words, i)
        {
            return None;
        }
        let second = words.number(i + 2)?;
        if words.digits(i) > 2 && words.digits(i) != 4 || words.digits(i + 2) > 2 {
            return None;
        }
        let third = (words.at(i + 3) == separator && words.is_glued(i + 3) && words.is_glued(i + 4))
            .then(|| words.number(i + 4))
            .flatten();
        // "550 5.1.10", "421 4.7.28": what mail servers say.
        let code = separator == "." && words.digits(i.saturating_sub(1)) == 3;
        if code {
            return None;
        }
        if let Some(third) = third {
            let end = i + 5;
            let runs_on = words.is_glued(end)
                && (matches!(words.at(end), "/" | "-") && words.digits(end + 1) > 0 || words.digits(end) > 0);
            if runs_on {
                return None;
            }
            let date = match (words.digits(i), words.digits(i + 4)) {
                (4, 1 | 2) => NaiveDate::from_ymd_opt(first as i32, second, third),
                (1 | 2, 2 | 4) => {
                    let year = if words.digits(i + 4) == 2 { short_year(third) } else { third as i32 };
                    NaiveDate::from_ymd_opt(year, second, first)
                        .or_else(|| NaiveDate::from_ymd_opt(year, first, second))
                }
                _ => None,
            }?;
            return (1900..2100).contains(&date.year()).then(|| (end, vec![Period::day(date)]));
        }
        if words.digits(i) > 2 || separator != "/" && !(separator == "." && led_by_weekday(words, i)) {
            return None;
        }
        let end = i + 3;
        let runs_on = words.is_glued(end)
            && (matches!(words.at(end), "/" | "-" | ":") && words.digits(end + 1) > 0
                || words.digits(end) > 0
                || words.at(end) == "%");
        if runs_on
            || !led && looks_like_a_fraction(first, second)
            || counts_something(words, end)
            || month(words.at(end)).is_some()
        {
            return None;
        }
        let days = self.in_years(|year| NaiveDate::from_ymd_opt(year, second, first));
        (!days.is_empty()).then_some((end, days))
    }

    /// 25 September, 25th of Sept 2026, 7 to 11 September, 25-Sep-26.
    fn day_month(&self, i: usize) -> Dates {
        let words = &self.words;
        let (first_end, first) = self.day_number(i)?;
        if !words.is_glued(i) && not_a_day_after(words.before(i, 1)) || glued_to_more(words, i) {
            return None;
        }
        let mut end = first_end;
        let mut last = first;
        if matches!(words.at(end), "to" | "-" | "and" | "&" | "or" | "until" | "till" | "/")
            && let Some((next, day)) = self.day_number(words.skip(end + 1, &["the"]))
            && month(words.at(words.skip(next, &["of"]))).is_some()
            && day > first
        {
            (end, last) = (next, day);
        }
        let of = words.at(end) == "of";
        let month_at = words.skip(words.skip(end, &["of"]), &["-", "/"]);
        let number = month(words.at(month_at))?;
        if !of && is_a_verb_here(words, month_at) {
            return None;
        }
        self.with_year(month_at + 1, |year| {
            let period = Period::new(
                NaiveDate::from_ymd_opt(year, number, first)?,
                NaiveDate::from_ymd_opt(year, number, last)?,
            );
            Some(period)
        })
    }

    /// Sept 25th, September 25, 2026.
    fn month_day(&self, i: usize) -> Dates {
        let words = &self.words;
        let number = month(words.at(i))?;
        let short = words.is_glued(i + 1) && words.at(i).len() < 5;
        let day_at = words.skip(if short { words.skip(i + 1, &["."]) } else { i + 1 }, &["the"]);
        let (end, day) = self.day_number(day_at)?;
        let ordinal = end > day_at + 1;
        let time = matches!(words.at(end), "." | ":" | "/" | "-")
            && words.is_glued(end)
            && words.digits(end + 1) > 0
            || matches!(words.at(end), "am" | "pm");
        if !ordinal && (time || !words.is_capital(i) || is_a_verb_here(words, i)) {
            return None;
        }
        self.with_year(end, |year| NaiveDate::from_ymd_opt(year, number, day).map(Period::day))
    }

    /// "the 7th", where what follows does not make it the seventh of something.
    fn day_alone(&self, i: usize, led: bool) -> Dates {
        let (end, day) = self.day_number(i)?;
        let ordinal = end > i + 1 || ordinal_word(self.words.at(i)).is_some();
        if !led || !ordinal || glued_to_more(&self.words, i) || !ends_a_date(&self.words, end) {
            return None;
        }
        let of_month = match (self.words.at(end), self.words.at(end + 1), self.words.at(end + 2)) {
            ("of", "this", "month") => 0,
            ("of", "next", "month") => 1,
            ("of", "last", "month") => -1,
            ("of", "the", "month") => return Some((end + 3, self.in_months(day))),
            _ => return Some((end, self.in_months(day))),
        };
        let date = Period::month(self.today, of_month)?.first.with_day(day)?;
        Some((end + 3, vec![Period::day(date)]))
    }

    /// After "w/c" or a weekday even "7" is a day.
    pub(super) fn bare_day(&self, i: usize) -> Dates {
        let (end, day) = self.day_number(i)?;
        Some((end, self.in_months(day)))
    }

    /// A day of the month, with or without its ending, and the place after it.
    fn day_number(&self, i: usize) -> Option<(usize, u32)> {
        let words = &self.words;
        if let Some(found) = self.day_in_words(i) {
            return Some(found);
        }
        let day = words.number(i).filter(|day| (1..=31).contains(day) && words.digits(i) <= 2)?;
        let ending = words.is_glued(i + 1) && is_ordinal_ending(words.at(i + 1));
        // "25th", "25 th"; but not "25kg".
        if !ending
            && words.is_glued(i + 1)
            && words.at(i + 1).starts_with(char::is_alphabetic)
            && month(words.at(i + 1)).is_none()
        {
            return None;
        }
        Some((i + 1 + usize::from(ending), day))
    }

    /// "the fourth of September", "the twenty-second of this month"; what is not of a month may be the second of anything.
    fn day_in_words(&self, i: usize) -> Option<(usize, u32)> {
        let words = &self.words;
        let tens = match words.at(i) {
            "twenty" => 20,
            "thirty" => 30,
            _ => 0,
        };
        let at = if tens > 0 { words.skip(i + 1, &["-"]) } else { i };
        let day = tens + ordinal_word(words.at(at)).filter(|day| tens == 0 || *day < 10)?;
        let of = words.at(at + 1) == "of"
            && (month(words.at(at + 2)).is_some()
                || matches!(words.at(at + 2), "this" | "the" | "next" | "last")
                    && words.at(at + 3) == "month");
        (of && (1..=31).contains(&day)).then_some((at + 1, day))
    }

    /// The period in the year that is written after it, or in those around today.
    pub(super) fn with_year(&self, i: usize, make: impl Fn(i32) -> Option<Period>) -> Dates {
        let words = &self.words;
        if let Some((end, year)) = self.year_at(i) {
            return Some((end, vec![make(year)?]));
        }
        let at = words.skip(i, &["of"]);
        let this = self.today.year();
        let year = match (words.at(at), words.at(at + 1)) {
            ("this", "year") => Some(this),
            ("last", "year") => this.checked_sub(1),
            ("next", "year") => this.checked_add(1),
            _ => None,
        };
        if let Some(year) = year {
            return Some((at + 2, vec![make(year)?]));
        }
        let periods = self.in_years_period(make);
        (!periods.is_empty()).then_some((i, periods))
    }

    /// A year at this place, after an optional comma, full stop or dash.
    fn year_at(&self, i: usize) -> Option<(usize, i32)> {
        let words = &self.words;
        let at =
            words.skip(words.skip(words.skip(i, &[",", "."]), &["-", "/"]), &["'", "\u{2019}", "\u{2018}"]);
        let year = words.number(at)?;
        match words.digits(at) {
            4 if (1900..2100).contains(&year) => Some((at + 1, year as i32)),
            2 => {
                // "25 Sept 26": a year only if it is one of these years, and nothing makes it a time or a number of things.
                let near = (short_year(year) - self.today.year()).abs() <= 4;
                let time = matches!(words.at(at + 1), "." | ":")
                    && words.is_glued(at + 1)
                    && words.digits(at + 2) > 0
                    || matches!(words.at(at + 1), "am" | "pm");
                let beside = at == i || matches!(words.at(i), "-" | "/" | "'" | "\u{2019}" | "\u{2018}");
                (near && !time && beside && ends_a_date(words, at + 1)).then_some((at + 1, short_year(year)))
            }
            _ => None,
        }
    }

    fn in_years(&self, make: impl Fn(i32) -> Option<NaiveDate>) -> Vec<Period> {
        self.in_years_period(|year| make(year).map(Period::day))
    }

    fn in_years_period(&self, make: impl Fn(i32) -> Option<Period>) -> Vec<Period> {
        let around = |reach: i32| -> Vec<Period> {
            (-reach..=reach).filter_map(|k| make(self.today.year().checked_add(k)?)).collect()
        };
        let near = around(1);
        // 29 February is not in every year.
        if near.is_empty() { around(8) } else { near }
    }

    fn in_months(&self, day: u32) -> Vec<Period> {
        (-2..=2)
            .filter_map(|months| Period::month(self.today, months)?.first.with_day(day))
            .map(Period::day)
            .collect()
    }

    /// "the 7th and 11th", "7/9 or 8/9".
    fn continues_a_list(&self, i: usize) -> bool {
        let words = &self.words;
        matches!(words.before(i, 1), "and" | "or" | "&" | "to" | "-")
            && (is_ordinal_ending(words.before(i, 2)) || words.before(i, 3) == "/")
    }
}

fn short_year(year: u32) -> i32 {
    (if year < 70 { 2000 + year } else { 1900 + year }) as i32
}

fn leads_to_a_date(word: &str) -> bool {
    const LEADS: &str = "on by since until till til from before after dated starting starts due date c e for \
                         moving move moved meeting review held sent emailed called rang wrote began";
    is_among(word, LEADS)
}

fn led_by_weekday(words: &Words<'_>, i: usize) -> bool {
    let before = words.before(i, 1);
    weekday(before).is_some() || short_weekday(before).is_some() || matches!(before, "c" | "e")
}

/// The number goes on to the left: "01992 5/5", "A12/3", "£5.6", "1.2.3".
fn glued_to_more(words: &Words<'_>, i: usize) -> bool {
    if !words.is_glued(i) {
        return false;
    }
    let goes_on = words.is_glued(i.saturating_sub(1));
    match words.before(i, 1) {
        "(" | "[" | "\"" | "'" | "*" | "~" | "\u{201c}" | "\u{2018}" => false,
        "-" => goes_on,
        "," | ":" => goes_on && words.digits(i.saturating_sub(2)) > 0,
        _ => true,
    }
}

/// 1/2, 2/3, 24/7, 5/5, 9/10: more often a part, a score or a habit than a day.
fn looks_like_a_fraction(first: u32, second: u32) -> bool {
    first <= second || (first, second) == (24, 7)
}

fn counts_something(words: &Words<'_>, i: usize) -> bool {
    const THINGS: &str = "hour hours day days term terms week weeks times month months year years support people children \
                          pupils sessions lessons pages mins minutes timetable marks score";
    is_among(words.at(i), THINGS)
}

/// "Year 5 March intake", "section 19 may": the number before the month is not its day.
fn not_a_day_after(word: &str) -> bool {
    const NUMBERED: &str = "year years yr stage section grade band class age aged page item no number unit room flat week \
                            level appendix part ks step paragraph clause question";
    is_among(word, NUMBERED)
}

/// "19 may be", "7 march to school": the month's name is a verb.
fn is_a_verb_here(words: &Words<'_>, i: usize) -> bool {
    const AFTER_MAY: &str = "be have not need also well want still only require apply help go get come take lose say think \
                             ask now never even";
    const AFTER_MARCH: &str = "to into up in out off past";
    match words.at(i) {
        "may" => !words.is_capital(i) && is_among(words.at(i + 1), AFTER_MAY),
        "march" => !words.is_capital(i) && is_among(words.at(i + 1), AFTER_MARCH),
        _ => false,
    }
}

/// What may follow a day that stands alone: the end of a phrase, or a word that begins another.
fn ends_a_date(words: &Words<'_>, i: usize) -> bool {
    const BEGINS_ANOTHER: &str = "and or but to at for when with so as because if we i he she they you it is was will would \
                                  has had have before after until till from by in on that which who where please though \
                                  then only instead unless thanks my our his her there this last onwards onward about \
                                  regarding re without yet not asking saying can could since also now just while \
                                  following via morning afternoon the a due despite am pm";
    match words.at(i) {
        "-" => !(words.is_glued(i) && words.is_glued(i + 1)),
        "of" => matches!(words.at(i + 1), "this" | "the" | "next" | "last"),
        word => !word.starts_with(char::is_alphanumeric) || is_among(word, BEGINS_ANOTHER),
    }
}
