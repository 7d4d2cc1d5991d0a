//! Dates as people write them in a message ("this Friday", "w/c 7th", "in 3 weeks", "12/01/27", "after half term"),
//! relative to the day of receipt. Pure; knows nothing of rules.

use std::ops::Range;

use chrono::NaiveDate;

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
pub fn mentions(text: &str, received_on: NaiveDate, terms: &[Term]) -> Vec<Mention> {
    let _ = (text, received_on, terms);
    Vec::new()
}
