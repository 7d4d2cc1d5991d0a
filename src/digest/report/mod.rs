//! Figures of any period as a report: for the annual policy review and for questions in between. Here what it says, as
//! headings and tables; [`page`] makes one HTML file of it, [`csv`] a spreadsheet.
//!
//! communication-policy, "review" (every year). References only, never a name: it is passed round.

use chrono::{DateTime, NaiveDate, Utc};

use super::figures::{Count, Figures, Listed, NeedsRow, ServiceFigures};
use super::{Period, Scope, names};
use crate::calendar::london;

pub mod csv;
pub mod markup;
pub mod page;

mod parts;

/// A report: what it is about, and its sections.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its title.
    pub title: String,
    /// What it is about, in a sentence or two.
    pub about: Vec<String>,
    /// The few figures that matter most: a name, the figure, what it means.
    pub headline: Vec<(String, String, String)>,
    /// The rest.
    pub sections: Vec<Section>,
}

/// A heading and what stands below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What the figures mean.
    pub notes: Vec<String>,
    /// The figures.
    pub tables: Vec<Table>,
}

/// A table. The first column names its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// The columns' headings.
    pub columns: Vec<String>,
    /// The rows; each has as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words, from the left.
    Words(String),
    /// A figure, from the right.
    Figure(String),
    /// A share with a bar for the eye: the figure in words, and 0 to 1.
    Bar(String, f64),
}

/// The report of these figures.
pub fn report(figures: &Figures) -> Report {
    Report {
        title: "SEND mail: how we did".to_owned(),
        about: about(figures),
        headline: headline(&figures.service.whole, figures.target_working_days),
        sections: parts::sections(figures),
    }
}

fn about(figures: &Figures) -> Vec<String> {
    let mut about = vec![
        format!("{}, {}.", capital(&days(figures.period)), scope(&figures.scope)),
        format!("Counted on {}. How things stand is as of then.", moment(figures.now)),
    ];
    match figures.known_since {
        Some(since) if since > figures.period.from => {
            about.push(format!(
                "Nothing is known of before {}, when the program was taken into use.",
                long(since)
            ));
        }
        None => about.push("No mailbox has been taken into use yet: nothing is known.".to_owned()),
        Some(_) => {}
    }
    if figures.period.to >= figures.today {
        about.push("The period is not over: its figures will still change.".to_owned());
    }
    about
}

fn headline(whole: &ServiceFigures, target: u32) -> Vec<(String, String, String)> {
    let of = |part: Option<u64>, all: Option<u64>| match (part, all) {
        (Some(part), Some(all)) => format!("{} of {}", thousands(part), thousands(all)),
        _ => "not known".to_owned(),
    };
    let days = |days: Option<u32>| days.map_or("-".to_owned(), |days| days.to_string());
    vec![
        (
            "Received".to_owned(),
            known(whole.received),
            match whole.reopened {
                Some(again) if again > 0 => format!("cases; {} more were opened again", thousands(again)),
                _ => "cases".to_owned(),
            },
        ),
        ("Answered".to_owned(), known(whole.answered), "answers given in the period".to_owned()),
        (
            "On time".to_owned(),
            whole.on_time_rate().map_or("-".to_owned(), percent),
            format!(
                "{} answers whose {target} working days ended in the period were given in them",
                of(whole.fell_due_kept, whole.fell_due)
            ),
        ),
        (
            "Working days to an answer".to_owned(),
            days(whole.median_working_days),
            format!("the median; nine of ten within {}", days(whole.p90_working_days)),
        ),
    ]
}

/// `1,204`; or that it is not known.
fn known(count: Option<u64>) -> String {
    count.map_or_else(|| "not known".to_owned(), thousands)
}

/// `1,204`.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `92 %`. Nearly all is not all, and nearly none is not none.
pub(crate) fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    let honest = match share {
        share if share < 1.0 && rounded >= 100.0 => 99.0,
        share if share > 0.0 && rounded <= 0.0 => 1.0,
        _ => rounded,
    };
    format!("{honest:.0} %")
}

/// `the week of 16 November 2026`, `16 November 2026 to 3 January 2027`.
fn days(period: Period) -> String {
    if period.from == period.to {
        return long(period.from);
    }
    let from = match (period.from.format("%Y").to_string(), period.to.format("%Y").to_string()) {
        (a, b) if a == b => period.from.format("%-d %B").to_string(),
        _ => period.from.format("%-d %B %Y").to_string(),
    };
    format!("{from} to {}", period.to.format("%-d %B %Y"))
}

/// `2 to 8 Nov 2026`, for a row.
fn briefly(period: Period) -> String {
    let to = period.to.format("%-d %b %Y");
    if period.from == period.to {
        return to.to_string();
    }
    let (from, last) = (period.from, period.to);
    let from = match (from.format("%m %Y").to_string(), last.format("%m %Y").to_string()) {
        (a, b) if a == b => from.format("%-d"),
        _ => from.format("%-d %b"),
    };
    format!("{from} to {to}")
}

/// `1 case`, `1,204 cases`.
fn several(count: u64, what: &str) -> String {
    format!("{} {what}{}", thousands(count), if count == 1 { "" } else { "s" })
}

fn scope(scope: &Scope) -> String {
    let list = |words: &[String], say: fn(&str) -> String| {
        words.iter().map(|word| say(word)).collect::<Vec<_>>().join(", ")
    };
    match (scope.queues.is_empty(), scope.areas.is_empty()) {
        (true, true) => "all teams and areas".to_owned(),
        (false, true) => format!("only {}", list(&scope.queues, names::team)),
        (true, false) => format!("only {}", list(&scope.areas, names::area)),
        (false, false) => {
            format!("only {} in {}", list(&scope.queues, names::team), list(&scope.areas, names::area))
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `Monday 23 November 2026`.
pub(crate) fn long(on: NaiveDate) -> String {
    on.format("%A %-d %B %Y").to_string()
}

/// `Mon 23 Nov 2026`.
fn short(on: NaiveDate) -> String {
    on.format("%a %-d %b %Y").to_string()
}

/// `Monday 23 November 2026, 08:00`.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    format!("{}, {}", long(london::date(at)), london::time(at).format("%H:%M"))
}

impl Table {
    fn new(caption: &str, columns: &[&str]) -> Self {
        Self {
            caption: caption.to_owned(),
            columns: columns.iter().map(|heading| (*heading).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Words and how often, with their share of all.
    fn of_counts(caption: &str, first: &str, counts: &[Count], all: u64, say: fn(&str) -> String) -> Self {
        let mut table = Self::new(caption, &[first, "Cases", "Share"]);
        let share = |count: u64| if all == 0 { 0.0 } else { count as f64 / all as f64 };
        table.rows = counts
            .iter()
            .map(|one| {
                let share = share(one.count);
                vec![Cell::Words(say(&one.name)), Cell::figure(one.count), Cell::Bar(percent(share), share)]
            })
            .collect();
        table
    }

    fn of_cases(caption: &str, list: &Listed<NeedsRow>) -> Self {
        let mut table = Self::new(
            caption,
            &["Case", "Due", "Working days old", "Team", "Area", "Grounds", "Asked again", "Step"],
        );
        table.rows = list.rows.iter().map(case).collect();
        if list.unlisted() > 0 {
            let mut more = vec![Cell::Words(format!("and {} more", thousands(list.unlisted())))];
            more.resize(table.columns.len(), Cell::Words(String::new()));
            table.rows.push(more);
        }
        table
    }
}

fn case(row: &NeedsRow) -> Vec<Cell> {
    let due = row.due_on.map_or_else(|| "no day is known".to_owned(), short);
    let due = match (row.overdue_working_days, row.state.as_str()) {
        (0, "extended") => format!("{due} (a later day that staff named)"),
        (0, _) => due,
        (1, _) => format!("{due}, 1 working day over"),
        (over, _) => format!("{due}, {over} working days over"),
    };
    let urgent = if row.urgent { " (urgent)" } else { "" };
    vec![
        Cell::Words(format!("{}{urgent}", row.reference)),
        Cell::Words(due),
        Cell::figure(u64::from(row.age_working_days)),
        Cell::Words(names::team(&row.queue)),
        Cell::Words(names::area(&row.area)),
        Cell::Words(row.grounds.join(", ")),
        Cell::figure(u64::from(row.chasers)),
        Cell::figure(u64::from(row.step)),
    ]
}

impl Cell {
    fn figure(count: u64) -> Self {
        Self::Figure(thousands(count))
    }

    fn maybe(count: Option<u64>) -> Self {
        Self::Figure(count.map_or_else(|| "-".to_owned(), thousands))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sample;

    #[test]
    fn shares_are_not_rounded_to_all_or_none() {
        let check = |share, said: &str| assert_eq!(percent(share), said, "{share}");
        check(0.0, "0 %");
        check(0.001, "1 %");
        check(0.5, "50 %");
        check(0.996, "99 %");
        check(1.0, "100 %");
        assert_eq!(
            (thousands(7), thousands(1204), thousands(1_000_000)),
            ("7".into(), "1,204".into(), "1,000,000".into())
        );
    }

    #[test]
    fn every_table_is_square_and_says_what_it_shows() {
        for figures in [sample::figures(), sample::quiet()] {
            let report = report(&figures);
            assert!(report.sections.len() > 5);
            for table in report.sections.iter().flat_map(|section| &section.tables) {
                assert!(!table.caption.is_empty());
                assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.caption);
            }
        }
    }

    #[test]
    fn it_says_what_it_does_not_know() {
        let mut figures = sample::figures();
        figures.known_since = None;
        figures.service.whole = ServiceFigures::default();
        let report = report(&figures);
        assert!(report.about.iter().any(|line| line.contains("nothing is known")), "{:?}", report.about);
        assert_eq!(report.headline[0].1, "not known");
    }
}
