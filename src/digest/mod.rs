//! What managers are told each week, counted: whose cases, which days, and the figures themselves. What is drawn
//! of it is `charts`'s; nothing here is sent, and nothing is looked up: `record/figures` counts, the letter says it.
//!
//! communication-policy, email d (10 working days), escalations; design section 1, "the weekly digest".

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc, Weekday};
use serde::Serialize;

use crate::calendar::{WorkingCalendar, london};

pub mod charts;
pub mod figures;
pub mod measure;
pub mod names;
pub mod report;
pub mod sample;
pub mod slip;

pub use figures::Figures;

/// How many earlier weeks the figures of a week stand beside.
pub const WEEKS_BEFORE: usize = 12;

/// Whose cases: of these teams and of these areas; an empty list is all of them.
///
/// A message counts for the team that its case is with now. One without a case counts for the team that was decided, which is
/// none for machines' mail and copies: that stands only in the figures of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// Teams, in the record's words: `general`, `assessment`, ...
    pub queues: Vec<String>,
    /// `east`, `west`, `unknown`.
    pub areas: Vec<String>,
}

impl Scope {
    /// All teams and areas.
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether it leaves nothing out.
    pub fn is_all(&self) -> bool {
        self.queues.is_empty() && self.areas.is_empty()
    }

    /// Whether what is with this team, of this area, is in it.
    pub fn includes(&self, queue: &str, area: &str) -> bool {
        let among = |list: &[String], word: &str| list.is_empty() || list.iter().any(|own| own == word);
        among(&self.queues, queue) && among(&self.areas, area)
    }
}

/// Days in London, the first and the last of them included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

impl Period {
    /// From the first to the last of two days, in whatever order they are given.
    pub fn new(one: NaiveDate, other: NaiveDate) -> Self {
        Self { from: one.min(other), to: one.max(other) }
    }

    /// The week, Monday to Sunday, that this day is in.
    pub fn week_of(day: NaiveDate) -> Self {
        let week = day.week(Weekday::Mon);
        // At the very ends of time a week is cut off.
        Self {
            from: week.checked_first_day().unwrap_or(NaiveDate::MIN),
            to: week.checked_last_day().unwrap_or(NaiveDate::MAX),
        }
    }

    /// The last whole week before this day's.
    pub fn week_before(day: NaiveDate) -> Self {
        Self::week_of(day - Days::new(7).min(Days::new(u64::try_from(day.num_days_from_ce()).unwrap_or(0))))
    }

    /// Whether the day is in it.
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.to
    }

    /// From the first moment in it to the first after it.
    pub fn instants(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let midnight = |day| london::instant(day, NaiveTime::MIN);
        (midnight(self.from), midnight(self.to.succ_opt().unwrap_or(NaiveDate::MAX)))
    }

    /// This week and the twelve before it, the oldest first: what the weekly digest compares.
    pub fn with_weeks_before(&self) -> Vec<Self> {
        let weeks = |back: usize| Days::new(u64::try_from(back).unwrap_or(0) * 7);
        let earlier = (1..=WEEKS_BEFORE).rev().filter_map(|back| {
            Some(Self {
                from: self.from.checked_sub_days(weeks(back))?,
                to: self.to.checked_sub_days(weeks(back))?,
            })
        });
        earlier.chain(std::iter::once(*self)).collect()
    }

    /// The weeks that it consists of, the first and the last cut off where it begins and ends.
    pub fn weeks(&self) -> Vec<Self> {
        self.cut(Self::week_of)
    }

    /// The months that it consists of, likewise.
    pub fn months(&self) -> Vec<Self> {
        self.cut(|day| {
            let first = day.with_day(1).unwrap_or(day);
            let next = first.checked_add_months(chrono::Months::new(1)).and_then(|day| day.pred_opt());
            Self { from: first, to: next.unwrap_or(NaiveDate::MAX) }
        })
    }

    fn cut(&self, around: impl Fn(NaiveDate) -> Self) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut day = self.from;
        loop {
            let part = around(day);
            parts.push(Self { from: day, to: part.to.min(self.to) });
            match part.to.succ_opt().filter(|next| *next <= self.to) {
                Some(next) => day = next,
                None => return parts,
            }
        }
    }
}

/// A rule that is in force, so that those which never speak can be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RuleName {
    /// Its id: `U4`.
    pub id: String,
    /// Its title, as staff wrote it.
    pub title: String,
}

/// What figures are asked for. Those of a period are about `period`; how things stand is about `now`.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// Whose cases.
    pub scope: Scope,
    /// Which days.
    pub period: Period,
    /// The spans that the service figures are given for besides the whole, the oldest first: see
    /// [`Period::with_weeks_before`] and [`Period::weeks`].
    pub spans: Vec<Period>,
    /// Now: for ages, for what is overdue, for what is due next.
    pub now: DateTime<Utc>,
    /// Working days.
    pub calendar: &'a WorkingCalendar,
    /// In how many working days an answer is promised (policy, email d: 10).
    pub target_working_days: u32,
    /// The rules in force; `None`: not known, and then nothing is said of rules that never speak.
    pub rules: Option<Vec<RuleName>>,
    /// A change of the rules that was refused and stands, in words; `None`: none stands.
    pub refused_edit: Option<String>,
    /// Secrets and certificates, and the last day on which they serve; `None`: not known.
    pub expiries: Option<Vec<figures::Expiry>>,
    /// At most so many cases are listed of a kind; how many there are is always told.
    pub rows: usize,
    /// Whether senders and subjects may be seen.
    pub names: bool,
}

impl<'a> Ask<'a> {
    /// The usual figures of a week or another period: without names, against the twelve weeks before.
    pub fn new(period: Period, now: DateTime<Utc>, calendar: &'a WorkingCalendar) -> Self {
        Self {
            scope: Scope::all(),
            period,
            spans: period.with_weeks_before(),
            now,
            calendar,
            target_working_days: 10,
            rules: None,
            refused_edit: None,
            expiries: None,
            rows: 50,
            names: false,
        }
    }

    /// The day in London.
    pub fn today(&self) -> NaiveDate {
        london::date(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(from: &str, to: &str) -> Period {
        Period { from: day(from), to: day(to) }
    }

    #[test]
    fn a_week_is_monday_to_sunday_and_the_digest_is_about_the_last_whole_one() {
        let week = period("2026-11-16", "2026-11-22");
        for on in ["2026-11-16", "2026-11-19", "2026-11-22"] {
            assert_eq!(Period::week_of(day(on)), week);
        }
        for on in ["2026-11-23", "2026-11-26", "2026-11-29"] {
            assert_eq!(Period::week_before(day(on)), week);
        }
        let weeks = week.with_weeks_before();
        assert_eq!((weeks.len(), weeks[0].from, weeks[12]), (13, day("2026-08-24"), week));
        let _ = (
            Period::week_of(NaiveDate::MAX),
            Period::week_of(NaiveDate::MIN),
            Period::week_before(NaiveDate::MIN),
        );
    }

    #[test]
    fn a_week_in_which_the_clocks_change_is_an_hour_shorter_or_longer() {
        let hours = |on: &str| {
            let (from, until) = Period::week_of(day(on)).instants();
            (until - from).num_hours()
        };
        assert_eq!((hours("2026-03-29"), hours("2026-10-25"), hours("2026-11-22")), (167, 169, 168));
        let (from, until) = period("2026-07-01", "2026-07-01").instants();
        assert_eq!(from.to_rfc3339(), "2026-06-30T23:00:00+00:00");
        assert_eq!(until.to_rfc3339(), "2026-07-01T23:00:00+00:00");
    }

    #[test]
    fn weeks_and_months_cover_a_period_without_gap_or_overlap() {
        let year = period("2026-09-01", "2027-08-31");
        for parts in [year.weeks(), year.months(), period("2026-11-18", "2026-11-18").weeks()] {
            for pair in parts.windows(2) {
                assert_eq!(pair[0].to.succ_opt().unwrap(), pair[1].from);
            }
        }
        let (weeks, months) = (year.weeks(), year.months());
        assert_eq!(
            (weeks[0], weeks.last().unwrap().to),
            (period("2026-09-01", "2026-09-06"), day("2027-08-31"))
        );
        assert_eq!((months.len(), months[5]), (12, period("2027-02-01", "2027-02-28")));
    }

    #[test]
    fn a_scope_without_teams_or_areas_is_all() {
        let east = Scope { queues: Vec::new(), areas: vec!["east".into()] };
        assert!(Scope::all().includes("none", "unknown") && Scope::all().is_all());
        assert!(east.includes("general", "east") && !east.includes("general", "west") && !east.is_all());
        let general = Scope { queues: vec!["general".into()], ..Scope::all() };
        assert!(general.includes("general", "west") && !general.includes("assessment", "west"));
    }
}
