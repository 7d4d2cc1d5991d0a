//! Cases in lists, with filters; and all references, for telling which one was meant. One case is `cases.rs`.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::ToSql;

use super::Records;
use super::error::RecordError;
use super::rows::{CaseRow, case_rows};
use super::value::{At, On};

/// Which cases. What is `None` or `false` does not matter.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// `open`, `answered`, ...
    pub state: Option<String>,
    /// Only those in which an answer is owed, open or extended.
    pub waiting: bool,
    /// `urgent` or `standard`.
    pub urgency: Option<String>,
    /// The team.
    pub queue: Option<String>,
    /// The area.
    pub area: Option<String>,
    /// Due on this day or before.
    pub due_by: Option<NaiveDate>,
    /// Due on this day or after.
    pub due_from: Option<NaiveDate>,
    /// The opening message's sender, whatever its case.
    pub sender: Option<String>,
    /// The step of the escalation.
    pub step: Option<u8>,
    /// Asked again so often or more.
    pub chasers_at_least: Option<u32>,
    /// Only those whose message is found in none of our folders.
    pub missing: bool,
    /// `question` or `call-back`.
    pub matter: Option<String>,
    /// Only those whose decision a person should look at.
    pub unsure: bool,
    /// Received at this instant or after.
    pub received_since: Option<DateTime<Utc>>,
    /// Received before this instant.
    pub received_before: Option<DateTime<Utc>>,
    /// At most so many.
    pub at_most: Option<usize>,
}

impl Records {
    /// Cases, the soonest due first, those without a due date last.
    pub fn cases(&self, filter: &CaseFilter) -> Result<Vec<CaseRow>, RecordError> {
        let sender = filter.sender.as_ref().map(|sender| sender.trim().to_lowercase());
        let (due_by, due_from) = (filter.due_by.map(On), filter.due_from.map(On));
        let (since, before) = (filter.received_since.map(At), filter.received_before.map(At));
        let limit = filter.at_most.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1));
        let mut conditions: Vec<&str> = Vec::new();
        let mut params: Vec<&dyn ToSql> = Vec::new();
        let mut when = |condition, value: Option<_>| {
            if let Some(value) = value {
                conditions.push(condition);
                params.push(value);
            }
        };
        when("c.state = ?", filter.state.as_ref().map(|value| value as &dyn ToSql));
        when("c.urgency = ?", filter.urgency.as_ref().map(|value| value as &dyn ToSql));
        when("c.queue = ?", filter.queue.as_ref().map(|value| value as &dyn ToSql));
        when("c.area = ?", filter.area.as_ref().map(|value| value as &dyn ToSql));
        when("c.due_on <= ?", due_by.as_ref().map(|value| value as &dyn ToSql));
        when("c.due_on >= ?", due_from.as_ref().map(|value| value as &dyn ToSql));
        when("m.sender = ?", sender.as_ref().map(|value| value as &dyn ToSql));
        when("c.step = ?", filter.step.as_ref().map(|value| value as &dyn ToSql));
        when("c.chasers >= ?", filter.chasers_at_least.as_ref().map(|value| value as &dyn ToSql));
        when("c.matter = ?", filter.matter.as_ref().map(|value| value as &dyn ToSql));
        when("c.received_at >= ?", since.as_ref().map(|value| value as &dyn ToSql));
        when("c.received_at < ?", before.as_ref().map(|value| value as &dyn ToSql));
        let only = [
            (filter.waiting, "c.state IN ('open', 'extended')"),
            (filter.missing, "c.missing_since IS NOT NULL"),
            (filter.unsure, "coalesce(d.unsure, 1) = 1"),
        ];
        conditions.extend(only.into_iter().filter(|(wanted, _)| *wanted).map(|(_, condition)| condition));
        let joined = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
        params.push(&limit);
        let conditions =
            format!("WHERE {joined} ORDER BY c.due_on IS NULL, c.due_on, c.received_at, c.id LIMIT ?");
        self.read(|connection| case_rows(connection, &conditions, &params))
    }

    /// The references of all cases.
    pub fn references(&self) -> Result<Vec<String>, RecordError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT reference FROM cases ORDER BY reference")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::NewFact;
    use super::super::sample::{Sample, at};
    use super::*;
    use crate::case::Fact;

    #[test]
    fn cases_are_listed_by_due_date_and_filtered() {
        let sample = Sample::new();
        for uid in 1..=6 {
            sample.enter_one(uid);
        }
        let list = |filter| sample.records.cases(&filter).unwrap();
        let all = list(CaseFilter::default());
        assert_eq!(all.len(), 6);
        assert!(all.is_sorted_by_key(|case| case.due_on));
        assert_eq!(all[0].acknowledgement, "waiting");
        assert_eq!(list(CaseFilter { urgency: Some("urgent".into()), ..CaseFilter::default() }).len(), 3);
        assert_eq!(list(CaseFilter { state: Some("answered".into()), ..CaseFilter::default() }).len(), 0);
        assert_eq!(list(CaseFilter { due_by: all[1].due_on, ..CaseFilter::default() }).len(), 2);
        assert_eq!(list(CaseFilter { due_from: all[1].due_on, ..CaseFilter::default() }).len(), 5);
        assert_eq!(list(CaseFilter { received_since: Some(at(5)), ..CaseFilter::default() }).len(), 2);
        assert_eq!(list(CaseFilter { received_before: Some(at(5)), ..CaseFilter::default() }).len(), 4);
        assert_eq!(list(CaseFilter { at_most: Some(4), ..CaseFilter::default() }).len(), 4);
        assert_eq!(list(CaseFilter { matter: Some("call-back".into()), ..CaseFilter::default() }).len(), 0);
        let by_sender = CaseFilter { sender: Some(" PARENT-3@home.example".into()), ..CaseFilter::default() };
        let mine = list(by_sender);
        assert_eq!((mine.len(), mine[0].subject.as_str()), (1, "My son's timetable, 3"));
        assert_eq!(sample.records.references().unwrap().len(), 6);
    }

    #[test]
    fn cases_are_filtered_by_what_happened_to_them() {
        let sample = Sample::new();
        for uid in 1..=4 {
            sample.enter_one(uid);
        }
        let due = sample.records.cases(&CaseFilter::default()).unwrap()[0].due_on.unwrap();
        let told = [
            (1, Fact::Chased { escalated_due_on: due, reopened_due_on: due }),
            (2, Fact::HeldOver { until: due + chrono::TimeDelta::days(60) }),
            (3, Fact::Answered),
            (4, Fact::Missing),
            (4, Fact::Escalated { step: crate::case::Step::TeamLead, due_on: due }),
        ];
        let facts = told.map(|(case, fact)| NewFact {
            case,
            key: None,
            at: at(50),
            by: "Officer".into(),
            message: None,
            fact,
            why: String::new(),
        });
        sample.records.tell(&facts, at(60)).unwrap();
        let numbers = |filter| {
            let cases = sample.records.cases(&filter).unwrap();
            let mut subjects: Vec<_> = cases.iter().filter_map(|case| case.subject.chars().last()).collect();
            subjects.sort_unstable();
            subjects.into_iter().collect::<String>()
        };
        assert_eq!(numbers(CaseFilter { waiting: true, ..CaseFilter::default() }), "124");
        assert_eq!(numbers(CaseFilter { chasers_at_least: Some(1), ..CaseFilter::default() }), "1");
        assert_eq!(numbers(CaseFilter { chasers_at_least: Some(2), ..CaseFilter::default() }), "");
        assert_eq!(numbers(CaseFilter { missing: true, ..CaseFilter::default() }), "4");
        assert_eq!(numbers(CaseFilter { step: Some(2), ..CaseFilter::default() }), "4");
        assert_eq!(numbers(CaseFilter { state: Some("extended".into()), ..CaseFilter::default() }), "2");
    }

    #[test]
    fn open_cases_by_due_date_use_the_index() {
        let sample = Sample::new();
        let plan = sample.plan("SELECT id FROM cases c WHERE c.state = ? AND c.due_on <= ?");
        assert!(plan.contains("cases_by_due"), "{plan}");
    }
}
