//! How we are doing: received, answered, in time, how long it took; and what waits, by age.

use chrono::NaiveDate;

use super::{Condition, Counter};
use crate::digest::Period;
use crate::digest::figures::{Age, OpenByAge, Service, ServiceFigures, Span};
use crate::digest::measure::Tally;
use crate::record::error::Fault;
use crate::record::value::{At, On};

/// Ages beyond this are told together.
const OLDEST_TOLD: u32 = 21;

impl Counter<'_> {
    pub(super) fn service(&self) -> Result<Service, Fault> {
        let spans = self
            .ask
            .spans
            .iter()
            .map(|period| Ok(Span { period: *period, figures: self.service_in(*period)? }));
        Ok(Service { whole: self.service_in(self.ask.period)?, spans: spans.collect::<Result<_, Fault>>()? })
    }

    fn service_in(&self, period: Period) -> Result<ServiceFigures, Fault> {
        if self.known_since.is_none_or(|since| period.to < since) {
            return Ok(ServiceFigures::default());
        }
        let scope = self.of_cases();
        let (from, until) = period.instants();
        let (first, last) = (On(period.from), On(period.to));
        let received = self.number(
            &format!(
                "SELECT count(*) FROM cases c WHERE c.received_at >= ?1 AND c.received_at < ?2 AND {}",
                scope.sql
            ),
            &[&At(from), &At(until)],
            &scope,
        )?;
        let reopened = self.owed("count(*)", "o.turn > 1 AND o.asked_on BETWEEN ?1 AND ?2", "", &scope);
        let reopened = self.number(&reopened, &[&first, &last], &scope)?;
        let answers = self.answers(period, &scope)?;
        // An answer that is due today may still be given in time.
        let fell_due = self.owed(
            "count(*), coalesce(sum(o.answered_on <= o.promised_on), 0)",
            "o.dropped = 0 AND o.promised_on BETWEEN ?1 AND ?2 AND (o.promised_on < ?3 OR o.answered_on <= o.promised_on)",
            "",
            &scope,
        );
        let fell_due: Vec<(u64, u64)> =
            self.rows(&fell_due, &[&first, &last, &self.today()], &scope, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let (fell_due, kept) = fell_due.first().copied().unwrap_or_default();
        let days = |of_a_hundred| {
            answers.days.percentile(of_a_hundred).map(|days| u32::try_from(days).unwrap_or(u32::MAX))
        };
        Ok(ServiceFigures {
            received: Some(received),
            reopened: Some(reopened),
            answered: Some(answers.days.len()),
            within_target: Some(answers.within_target),
            by_due_date: Some(answers.by_due_date),
            fell_due: Some(fell_due),
            fell_due_kept: Some(kept),
            median_working_days: days(50),
            p90_working_days: days(90),
        })
    }

    /// A query on `answers_owed o`, with the cases only where the scope needs them.
    fn owed(&self, what: &str, conditions: &str, then: &str, scope: &Condition) -> String {
        let cases = if self.ask.scope.is_all() { "" } else { "JOIN cases c ON c.id = o.case_id" };
        format!("SELECT {what} FROM answers_owed o {cases} WHERE {conditions} AND {} {then}", scope.sql)
    }

    fn answers(&self, period: Period, scope: &Condition) -> Result<Answers, Fault> {
        let sql = self.owed(
            "o.asked_on, o.answered_on, count(*), sum(o.answered_on <= o.promised_on), sum(o.answered_on <= o.due_on)",
            "o.answered_on IS NOT NULL AND o.answered_on BETWEEN ?1 AND ?2",
            "GROUP BY o.answered_on, o.asked_on",
            scope,
        );
        let mut answers = Answers::default();
        let found = self.rows(&sql, &[&On(period.from), &On(period.to)], scope, |row| {
            let (asked, answered): (On, On) = (row.get(0)?, row.get(1)?);
            Ok((asked.0, answered.0, row.get::<_, u64>(2)?, row.get::<_, u64>(3)?, row.get::<_, u64>(4)?))
        })?;
        for (asked, answered, times, within_target, by_due_date) in found {
            let days = self.ask.calendar.working_days_between(asked, answered);
            answers.days.add(u64::from(days), times);
            answers.within_target += within_target;
            answers.by_due_date += by_due_date;
        }
        Ok(answers)
    }

    pub(super) fn open_by_age(&self) -> Result<OpenByAge, Fault> {
        let mut ages: Vec<Age> = (0..=OLDEST_TOLD)
            .map(|working_days| Age {
                working_days,
                or_more: working_days == OLDEST_TOLD,
                open: 0,
                extended: 0,
            })
            .collect();
        let scope = self.of_cases();
        let sql = self.owed(
            "o.asked_on, count(*), coalesce(sum(o.due_on > o.promised_on), 0)",
            "o.answered_on IS NULL AND o.dropped = 0",
            "GROUP BY o.asked_on",
            &scope,
        );
        let found: Vec<(NaiveDate, u64, u64)> =
            self.rows(&sql, &[], &scope, |row| Ok((row.get::<_, On>(0)?.0, row.get(1)?, row.get(2)?)))?;
        for (asked, all, extended) in found {
            let days = self.ask.calendar.working_days_between(asked, self.ask.today()).min(OLDEST_TOLD);
            if let Some(age) = ages.get_mut(days as usize) {
                age.open += all - extended.min(all);
                age.extended += extended;
            }
        }
        Ok(OpenByAge { ages })
    }
}

/// The answers given in some days.
#[derive(Default)]
struct Answers {
    /// Working days from question to answer.
    days: Tally,
    within_target: u64,
    by_due_date: u64,
}
