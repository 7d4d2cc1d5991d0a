//! What needs somebody today, and who asks again: lists of cases, the worst first, with where each lies.

use rusqlite::{Row, ToSql};

use super::{Condition, Counter};
use crate::calendar::london;
use crate::digest::Period;
use crate::digest::figures::{Chasers, Forecast, Listed, NeedsRow, NeedsYou, QueueForecast, StepCount};
use crate::record::error::Fault;
use crate::record::place::{LIES_IN, lies_in};
use crate::record::rows::{date, instant, list, maybe_instant};
use crate::record::value::{At, On};

const WAITING: &str = "c.state IN ('open', 'extended')";
const UNRESPONDED: &str = "c.urgency = 'urgent' AND c.first_response_at IS NULL";
/// Asked about at least so often: a repeated chaser.
const REPEATED: u32 = crate::case::life::REPEATED_CHASERS;

impl Counter<'_> {
    pub(super) fn needs_you(&self) -> Result<NeedsYou, Fault> {
        let today = self.today();
        let sunday = On(Period::week_of(today.0).to);
        let not_over = "(c.due_on IS NULL OR c.due_on >= ?1)";
        Ok(NeedsYou {
            overdue: self.cases(
                "c.due_on < ?1",
                "c.urgency = 'urgent' DESC, c.due_on, c.step DESC, c.chasers DESC, c.reference",
                &[&today],
            )?,
            urgent: self.cases(
                &format!("{UNRESPONDED} AND {not_over}"),
                "coalesce(c.first_response_on, c.due_on, '9999'), c.due_on, c.step DESC, c.chasers DESC, c.reference",
                &[&today],
            )?,
            due_this_week: self.cases(
                &format!("c.due_on BETWEEN ?1 AND ?2 AND NOT ({UNRESPONDED})"),
                "c.due_on, c.urgency = 'urgent' DESC, c.step DESC, c.chasers DESC, c.reference",
                &[&today, &sunday],
            )?,
        })
    }

    pub(super) fn chasers(&self) -> Result<Chasers, Fault> {
        let (from, until) = self.within();
        let scope = self.of_cases();
        let received = format!(
            "SELECT count(*) FROM messages m JOIN case_messages cm ON cm.message_id = m.id
             JOIN cases c ON c.id = cm.case_id
             WHERE m.received_at >= ?1 AND m.received_at < ?2 AND cm.role = 'chaser' AND {}",
            scope.sql
        );
        let repeated =
            format!("SELECT count(*) FROM cases c WHERE {WAITING} AND c.chasers >= ?1 AND {}", scope.sql);
        let steps = format!(
            "SELECT c.step, count(*), coalesce(sum(c.step_due_on < ?1), 0) FROM cases c
             WHERE {WAITING} AND c.step > 1 AND {} GROUP BY c.step",
            scope.sql
        );
        let found = self.rows(&steps, &[&self.today()], &scope, |row| {
            Ok(StepCount { step: row.get(0)?, waiting: row.get(1)?, overdue: row.get(2)? })
        })?;
        let steps = (2..=4).map(|step| {
            let none = StepCount { step, waiting: 0, overdue: 0 };
            found.iter().find(|count| count.step == step).copied().unwrap_or(none)
        });
        Ok(Chasers {
            received: self.number(&received, &[&from, &until], &scope)?,
            waiting: self.cases(
                "c.chasers > 0",
                "c.chasers DESC, c.step DESC, c.due_on IS NULL, c.due_on, c.reference",
                &[],
            )?,
            repeated: self.number(&repeated, &[&REPEATED], &scope)?,
            steps: steps.collect(),
        })
    }

    pub(super) fn forecast(&self) -> Result<Forecast, Fault> {
        let today = self.ask.today();
        let before = today.pred_opt().unwrap_or(today);
        let (five, ten) =
            (self.ask.calendar.working_day_after(before, 5), self.ask.calendar.working_day_after(before, 10));
        let scope = self.of_cases();
        let sql = format!(
            "SELECT c.queue, sum(c.due_on < ?1), sum(c.due_on BETWEEN ?1 AND ?2), sum(c.due_on >= ?1)
             FROM cases c WHERE {WAITING} AND c.due_on <= ?3 AND {} GROUP BY c.queue",
            scope.sql
        );
        let mut queues = self.rows(&sql, &[&On(today), &On(five), &On(ten)], &scope, |row| {
            Ok(QueueForecast {
                queue: row.get(0)?,
                overdue: row.get(1)?,
                in_five: row.get(2)?,
                in_ten: row.get(3)?,
            })
        })?;
        queues.sort_by(|a, b| {
            let most = |one: &QueueForecast| one.overdue + one.in_ten;
            most(b).cmp(&most(a)).then_with(|| a.queue.cmp(&b.queue))
        });
        Ok(Forecast { five_end_on: five, ten_end_on: ten, queues })
    }

    /// Waiting cases for which this holds: how many, and the first of them.
    fn cases(&self, condition: &str, order: &str, own: &[&dyn ToSql]) -> Result<Listed<NeedsRow>, Fault> {
        let scope = self.of_cases();
        let Condition { sql: in_scope, .. } = &scope;
        let total = format!("SELECT count(*) FROM cases c WHERE {WAITING} AND ({condition}) AND {in_scope}");
        let limit = i64::try_from(self.ask.rows).unwrap_or(i64::MAX);
        // The rows are chosen before anything is looked up beside them.
        let rows = format!(
            "SELECT c.*, d.grounds, m.sender, m.subject, b.account, b.folder, {LIES_IN}
             FROM (SELECT * FROM cases c WHERE {WAITING} AND ({condition}) AND {in_scope}
                 ORDER BY {order} LIMIT {limit}) c
             JOIN messages m ON m.id = c.opening_message
             JOIN mailboxes b ON b.id = m.mailbox_id
             LEFT JOIN decisions d ON d.message_id = m.id
             ORDER BY {order}"
        );
        let total = self.number(&total, own, &scope)?;
        Ok(Listed { total, rows: self.rows(&rows, own, &scope, |row| self.row(row))? })
    }

    fn row(&self, row: &Row<'_>) -> rusqlite::Result<NeedsRow> {
        let (today, calendar) = (self.ask.today(), self.ask.calendar);
        let lies_in = lies_in(row)?;
        let received_on = london::date(instant(row, "received_at")?);
        let due_on = date(row, "due_on")?;
        let responded: Option<At> = row.get("first_response_at")?;
        let shown = |text: Option<String>| text.filter(|text| self.ask.names && !text.is_empty());
        Ok(NeedsRow {
            reference: row.get("reference")?,
            state: row.get("state")?,
            matter: row.get("matter")?,
            urgent: row.get::<_, String>("urgency")? == "urgent",
            grounds: list(row, "grounds")?,
            queue: row.get("queue")?,
            area: row.get("area")?,
            received_on,
            age_working_days: calendar.working_days_between(received_on, today),
            due_on,
            overdue_working_days: due_on.map_or(0, |due| calendar.working_days_between(due, today)),
            first_response_on: date(row, "first_response_on")?.filter(|_| responded.is_none()),
            chasers: row.get("chasers")?,
            step: row.get("step")?,
            mailbox: lies_in.account,
            folder: lies_in.folder,
            missing_since: maybe_instant(row, "missing_since")?.map(london::date),
            sender: shown(row.get("sender")?),
            subject: shown(row.get("subject")?),
        })
    }
}
