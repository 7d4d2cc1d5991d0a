//! Dates at a distance from the day of receipt: "in 3 weeks", "within the next 10 days", "ten days ago", "a week on Friday".

use chrono::NaiveDate;

use super::duration::{Amount, Hedge, Unit};
use super::period::{Readings, plus};
use super::weekday::nth;
use super::words::{number_word, weekday};
use super::{Found, Reader};

impl Reader<'_> {
    /// "in 3 weeks", "within the next 10 days", "two weeks ago", "a week on Friday".
    pub(super) fn counted(&self, i: usize) -> Found {
        self.rolling(i)
            .or_else(|| self.in_so_long(i))
            .or_else(|| self.weekdays_ago(i))
            .or_else(|| self.so_long_from(i))
    }

    /// "two Fridays ago".
    fn weekdays_ago(&self, i: usize) -> Found {
        let words = &self.words;
        let times = number_word(words.at(i)).or_else(|| words.number(i)).filter(|n| (1..=12).contains(n))?;
        let day = words.at(i + 1).strip_suffix('s').and_then(weekday)?;
        let end = words.follow(i + 2, &["ago"]).or_else(|| words.follow(i + 2, &["back"]))?;
        let on = plus(nth(self.today, day, -1), -7 * (i64::from(times) - 1));
        Some((end, Readings::past(on, on)))
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
            "last" | "previous" => false,
            // "we are past 27 weeks" is something else.
            "past" if at > i => false,
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
                let plural = words.at(end - 1).ends_with('s');
                if !led || at == the || !plural && !matches!(unit, Unit::Week | Unit::Month | Unit::Year) {
                    return None;
                }
                // "in the coming weeks": some of them.
                let max = if plural { 4.0 * times } else { times };
                Amount { end, min: times, max, unit, hedge: Hedge::Exact, counted: false }
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
            ("ago", "today") => Some((end + 2, past(self.today))),
            ("ago", "yesterday") => Some((end + 2, past(plus(self.today, -1)))),
            ("ago", "on" | "last" | "this")
                if amount.unit == Unit::Week && self.day_name(end + 2).is_some() =>
            {
                let (day_end, day) = self.day_name(end + 2)?;
                Some((day_end, past(nth(self.today, day, -1))))
            }
            ("ago", _) => Some((end + 1, past(self.today))),
            ("back", next) if !matches!(next, "to" | "in" | "at" | "into" | "on") => {
                Some((end + 1, past(self.today)))
            }
            ("since", _) => Some((end, past(self.today))),
            ("have" | "has" | "had", "passed" | "gone" | "elapsed") => Some((end + 2, past(self.today))),
            ("time" | "away", _) if !so_far => Some((end + 1, ahead(self.today))),
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
