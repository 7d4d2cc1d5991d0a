//! The figures of digests and reports, counted. Every query has its index and brings back sums, or as many rows as are shown; nothing is
//! loaded to be counted here. What a figure means is said beside it in [`crate::digest::figures`].
//!
//! Reading only, on one state of the file. Days are London's: instants are compared with the first moment of a day, and working days
//! are counted by the calendar from the few pairs of dates that the queries bring.

use rusqlite::{Connection, ToSql};

use super::Records;
use super::error::{Fault, RecordError};
use super::value::{At, On};
use crate::calendar::london;
use crate::digest::figures::Count;
use crate::digest::{Ask, Figures, Scope};

mod health;
mod letters;
mod needs;
mod rules;
mod service;
mod work;

impl Records {
    /// All figures of one digest or report.
    pub fn figures(&self, ask: &Ask<'_>) -> Result<Figures, RecordError> {
        self.read(|connection| figures(connection, ask))
    }
}

fn figures(connection: &Connection, ask: &Ask<'_>) -> Result<Figures, Fault> {
    let known_since: Option<At> =
        connection.query_row("SELECT min(taken_into_use_at) FROM mailboxes", [], |row| row.get(0))?;
    let known_since = known_since.map(|at| london::date(at.0));
    let counter = Counter { connection, ask, known_since };
    Ok(Figures {
        scope: ask.scope.clone(),
        period: ask.period,
        now: ask.now,
        today: ask.today(),
        target_working_days: ask.target_working_days,
        known_since,
        needs_you: counter.needs_you()?,
        service: counter.service()?,
        open_by_age: counter.open_by_age()?,
        forecast: counter.forecast()?,
        sources: counter.sources()?,
        chasers: counter.chasers()?,
        acknowledgements: counter.acknowledgements()?,
        rules: counter.rules()?,
        health: counter.health()?,
    })
}

/// Counts for one question.
struct Counter<'a> {
    connection: &'a Connection,
    ask: &'a Ask<'a>,
    known_since: Option<chrono::NaiveDate>,
}

/// A condition that holds for what is in the scope, with the values that it needs, numbered from ?10 on so that they
/// do not get in the way of the query's own.
struct Condition {
    sql: String,
    values: Vec<String>,
}

impl Condition {
    /// `queue` and `area` are the columns, or what stands for them.
    fn of(scope: &Scope, queue: &str, area: &str) -> Self {
        let mut condition = Self { sql: "1".to_owned(), values: Vec::new() };
        for (column, words) in [(queue, &scope.queues), (area, &scope.areas)] {
            if words.is_empty() {
                continue;
            }
            let numbers = (0..words.len()).map(|n| format!("?{}", 10 + condition.values.len() + n));
            let numbers = numbers.collect::<Vec<_>>().join(", ");
            condition.sql.push_str(&format!(" AND {column} IN ({numbers})"));
            condition.values.extend(words.iter().cloned());
        }
        condition
    }
}

impl Counter<'_> {
    /// The scope by the columns of `cases c`.
    fn of_cases(&self) -> Condition {
        Condition::of(&self.ask.scope, "c.queue", "c.area")
    }

    /// The scope of a message: by its case, else as decided. Wants `case_messages cm`, `cases c` and `decisions d`.
    fn of_messages(&self) -> Condition {
        Condition::of(&self.ask.scope, "coalesce(c.queue, d.queue)", "coalesce(c.area, d.area)")
    }

    /// Runs a query with its own values as ?1, ?2, ... and those of the scope.
    fn rows<T>(
        &self,
        sql: &str,
        own: &[&dyn ToSql],
        scope: &Condition,
        mut read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        for (place, value) in (1..).zip(own) {
            statement.raw_bind_parameter(place, value)?;
        }
        for (place, value) in (10..).zip(&scope.values) {
            statement.raw_bind_parameter(place, value)?;
        }
        let mut found = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// The one number that a query brings.
    fn number(&self, sql: &str, own: &[&dyn ToSql], scope: &Condition) -> Result<u64, Fault> {
        Ok(self.rows(sql, own, scope, |row| row.get(0))?.first().copied().unwrap_or(0))
    }

    /// Words and how often, the most frequent first.
    fn counts(&self, sql: &str, own: &[&dyn ToSql], scope: &Condition) -> Result<Vec<Count>, Fault> {
        let mut counts =
            self.rows(sql, own, scope, |row| Ok(Count { name: row.get(0)?, count: row.get(1)? }))?;
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        Ok(counts)
    }

    fn today(&self) -> On {
        On(self.ask.today())
    }

    /// From the first moment of the period to the first after it.
    fn within(&self) -> (At, At) {
        let (from, until) = self.ask.period.instants();
        (At(from), At(until))
    }
}

/// No limits: all teams, all areas.
fn everything() -> Condition {
    Condition { sql: "1".to_owned(), values: Vec::new() }
}
