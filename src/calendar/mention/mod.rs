//! Dates as people write them in a message ("this Friday", "w/c 7th", "in 3 weeks", "12/01/27", "after half term"),
//! relative to the day of receipt. Pure; knows nothing of rules, and of lengths of time only as [`durations`].
//!
//! Written for the United Kingdom: day before month. Times of day, telephone numbers, school years ("Year 7"), ages and
//! references are not dates. Habits ("every Monday", "Monday to Thursday" in a signature) are not dates either.

use std::ops::Range;

use chrono::NaiveDate;

mod counted;
mod dated;
mod duration;
mod lead;
mod period;
mod relative;
mod school;
mod tense;
mod weekday;
mod words;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use duration::{Duration, WeekNumber, durations, week_numbers};
use period::{Period, Readings};
use words::Words;

/// A date or period that a text speaks of. A bare "on Friday" may be the one before or the one ahead: both are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where in the text, in bytes.
    pub range: Range<usize>,
    /// Read as something past or today: first and last possible day.
    pub past: Option<(NaiveDate, NaiveDate)>,
    /// Read as something ahead or today: first and last possible day.
    pub ahead: Option<(NaiveDate, NaiveDate)>,
}

/// A school term, as data: its first and last day and the half-term break, inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// `autumn`, `spring`, `summer`.
    pub name: String,
    /// First day of term.
    pub first: NaiveDate,
    /// Last day of term.
    pub last: NaiveDate,
    /// First and last weekday of the half-term break.
    pub half_term: (NaiveDate, NaiveDate),
}

/// All mentions in the text, in order, not overlapping.
///
/// A word such as "last", "ago" or "since" leaves only the reading as past, one such as "next" or "in 3 weeks" only the
/// one ahead. Today belongs to both.
pub fn mentions(text: &str, received_on: NaiveDate, terms: &[Term]) -> Vec<Mention> {
    let lower = text.to_ascii_lowercase();
    let mut words = Words::cut(text, &lower);
    words.mark();
    read(Reader { words, today: received_on, terms })
}

fn read(reader: Reader<'_>) -> Vec<Mention> {
    let received_on = reader.today;
    let mut found = Vec::new();
    let mut i = 0;
    while i < reader.words.len() {
        let Some((end, readings)) = reader.words.may_begin(i).then(|| reader.mention_at(i)).flatten() else {
            i += 1;
            continue;
        };
        let pair = |period: Option<Period>| period.map(|period| (period.first, period.last));
        // At the very ends of the calendar a reading may run into its wall, and is then on the wrong side of today.
        let past = pair(readings.past).filter(|(first, last)| first <= last && *last <= received_on);
        let ahead = pair(readings.ahead).filter(|(first, last)| received_on <= *first && first <= last);
        if past.is_some() || ahead.is_some() {
            found.push(Mention { range: reader.words.range(i, end), past, ahead });
        }
        i = end.max(i + 1);
    }
    found
}

/// What a pattern gives: the place after its words, and what they mean. Empty readings: not a date, but not to be read
/// again either ("every Monday").
type Found = Option<(usize, Readings)>;

/// One text being read. The patterns stand by subject in the files beside this one.
struct Reader<'a> {
    words: Words<'a>,
    today: NaiveDate,
    terms: &'a [Term],
}

impl Reader<'_> {
    fn mention_at(&self, i: usize) -> Found {
        // "Happy Friday", "Merry Christmas": greetings.
        if matches!(self.words.before(i, 1), "happy" | "merry") {
            return None;
        }
        let (end, readings) = self
            .week_commencing(i)
            .or_else(|| self.counted(i))
            .or_else(|| self.school(i))
            .or_else(|| self.weekday(i))
            .or_else(|| self.dated(i))
            .or_else(|| self.this_next_last(i))
            .or_else(|| self.day_word(i))
            .or_else(|| self.month_or_year(i))?;
        // "since" makes everything past; so does "Friday just gone".
        if let Some(next) = self
            .words
            .follow(end, &["just", "gone"])
            .or_else(|| self.words.follow(end, &["just", "passed"]))
            .or_else(|| self.words.follow(end, &["gone"]))
        {
            return Some((next, readings.only_past()));
        }
        if let Some(next) = self.words.follow(end, &["coming"]) {
            return Some((next, readings.only_ahead()));
        }
        let readings = if self.is_since(i) { readings.only_past() } else { readings };
        Some((end, self.in_tense(i, readings)))
    }

    /// Whether "since", "back in" or "dated" stands before this place, over words such as "about", "last" and "the".
    fn is_since(&self, i: usize) -> bool {
        const COMES: &str =
            "him her them me us it come comes coming go goes going get be he she they is are we start starts";
        for back in 1..=4 {
            match self.words.before(i, back) {
                "since" | "dated" => return true,
                // "back in May", but not "we want him back in May".
                "back" => {
                    let next = self.words.before(i, back - 1);
                    return next == "in" && !words::is_among(self.words.before(i, back + 1), COMES);
                }
                "the" | "about" | "around" | "at" | "least" | "in" | "on" | "early" | "late" | "mid"
                | "-" | "of" | "start" | "end" | "beginning" | "before" | "after" => {}
                _ => return false,
            }
        }
        false
    }
}
