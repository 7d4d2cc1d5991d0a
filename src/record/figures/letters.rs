//! What senders were told, how fast, and who was not.

use chrono::NaiveDate;

use super::Counter;
use crate::calendar::london;
use crate::digest::figures::{Acknowledgements, Bounced, Listed, Withheld};
use crate::digest::measure::Tally;
use crate::record::error::Fault;
use crate::record::rows::instant;

/// The case of message `m`, and what was decided about it.
const BESIDE: &str = "LEFT JOIN decisions d ON d.message_id = m.id
    LEFT JOIN case_messages cm ON cm.message_id = m.id LEFT JOIN cases c ON c.id = cm.case_id";

impl Counter<'_> {
    pub(super) fn acknowledgements(&self) -> Result<Acknowledgements, Fault> {
        let (from, until) = self.within();
        let scope = self.of_messages();
        let beside = if self.ask.scope.is_all() { "" } else { BESIDE };
        let sent = format!(
            "SELECT max(l.sent_at - m.received_at, 0) AS delay, count(*) FROM letters l JOIN messages m ON m.id = l.answers {beside}
             WHERE l.kind = 'acknowledge' AND l.sent_at >= ?1 AND l.sent_at < ?2 AND {} GROUP BY delay",
            scope.sql
        );
        let mut delays = Tally::default();
        for (delay, times) in self
            .rows(&sent, &[&from, &until], &scope, |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)))?
        {
            delays.add(delay, times);
        }
        let withheld = format!(
            "SELECT d.withheld, sum(d.kind = 'person'), sum(d.kind <> 'person') FROM decisions d
             LEFT JOIN case_messages cm ON cm.message_id = d.message_id LEFT JOIN cases c ON c.id = cm.case_id
             WHERE d.withheld IS NOT NULL AND d.decided_at >= ?1 AND d.decided_at < ?2 AND {} GROUP BY d.withheld",
            scope.sql
        );
        let mut withheld = self.rows(&withheld, &[&from, &until], &scope, |row| {
            Ok(Withheld { reason: row.get(0)?, people: row.get(1)?, others: row.get(2)? })
        })?;
        withheld.sort_by(|a, b| {
            let key = |one: &Withheld| (std::cmp::Reverse(one.people + one.others), one.reason.clone());
            key(a).cmp(&key(b))
        });
        let unsent = format!(
            "SELECT count(*) FROM effects e JOIN messages m ON m.id = e.message_id {beside}
             WHERE e.desk IS NOT NULL AND e.kind = 'acknowledge' AND (e.state = 'stuck') = ?1 AND {}",
            scope.sql
        );
        Ok(Acknowledgements {
            sent: delays.len(),
            median_seconds: delays.percentile(50),
            p95_seconds: delays.percentile(95),
            withheld,
            waiting: self.number(&unsent, &[&false], &scope)?,
            stuck: self.number(&unsent, &[&true], &scope)?,
            bounced: self.bounced()?,
        })
    }

    /// What came back, and what a server refused for good and nobody has sent since.
    fn bounced(&self) -> Result<Listed<Bounced>, Fault> {
        let (from, until) = self.within();
        let scope = self.of_messages();
        let sql = format!(
            "SELECT n.happened_at, n.refused, n.status, c.reference, l.envelope_to
             FROM (
                 SELECT letter_id, received_at AS happened_at, 0 AS refused, status FROM bounces
                     WHERE received_at >= ?1 AND received_at < ?2
                 UNION ALL
                 SELECT e.letter_id, max(a.made_at), 1, NULL FROM effects e
                     JOIN attempts a ON a.effect_id = e.id AND a.outcome = 'stuck'
                     WHERE e.desk = 'person' AND e.kind = 'acknowledge'
                     GROUP BY e.id HAVING max(a.made_at) >= ?1 AND max(a.made_at) < ?2
             ) n
             JOIN letters l ON l.id = n.letter_id
             JOIN messages m ON m.id = l.answers {BESIDE}
             WHERE {} ORDER BY n.happened_at DESC, l.id DESC",
            scope.sql
        );
        let all = self.rows(&sql, &[&from, &until], &scope, |row| {
            let bounced_on: NaiveDate = london::date(instant(row, "happened_at")?);
            let recipient: Option<String> = row.get("envelope_to")?;
            Ok(Bounced {
                reference: row.get("reference")?,
                bounced_on,
                refused: row.get("refused")?,
                status: row.get("status")?,
                recipient: recipient.filter(|to| self.ask.names && !to.is_empty()),
            })
        })?;
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        Ok(Listed { total, rows: all.into_iter().take(self.ask.rows).collect() })
    }
}
