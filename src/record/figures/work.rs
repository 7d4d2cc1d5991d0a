//! Where the work of the period came from.

use super::Counter;
use crate::digest::figures::Sources;
use crate::record::error::Fault;

impl Counter<'_> {
    pub(super) fn sources(&self) -> Result<Sources, Fault> {
        let (from, until) = self.within();
        let scope = self.of_cases();
        let received = format!("c.received_at >= ?1 AND c.received_at < ?2 AND {}", scope.sql);
        let by = |what: &str, beside: &str| {
            let sql = format!("SELECT {what}, count(*) FROM cases c {beside} WHERE {received} GROUP BY 1");
            self.counts(&sql, &[&from, &until], &scope)
        };
        let decision = "LEFT JOIN decisions d ON d.message_id = c.opening_message";
        let grounds = format!("{decision}, json_each(coalesce(d.grounds, '[]')) g");
        let urgent = format!("SELECT count(*) FROM cases c WHERE {received} AND c.urgency = 'urgent'");
        Ok(Sources {
            queues: by("c.queue", "")?,
            areas: by("c.area", "")?,
            grounds: by("g.value", &grounds)?,
            roles: by("coalesce(d.sender_role, 'unknown')", decision)?,
            urgent: self.number(&urgent, &[&from, &until], &scope)?,
        })
    }
}
