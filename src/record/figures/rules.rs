//! How the rules did: what staff corrected, what was unsure, and which rules never speak.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::{Counter, everything};
use crate::digest::figures::{Corrections, Count, Rules, SilentRule};
use crate::record::error::Fault;
use crate::record::value::{At, Json, On};

/// Twelve weeks, the last day included.
const DAYS_BEFORE: Days = Days::new(83);

impl Counter<'_> {
    pub(super) fn rules(&self) -> Result<Rules, Fault> {
        let (from, until) = self.within();
        let (decided, unsure) = self.decided(&from, &until)?;
        let period = self.ask.period;
        let last = self.last_spoke(period.to)?;
        let weeks_ago = period.to.checked_sub_days(DAYS_BEFORE).unwrap_or(NaiveDate::MIN);
        let silent_since = |day: NaiveDate| {
            // Of days before the program was taken into use nothing can be said.
            let known =
                self.ask.rules.as_ref().filter(|_| self.known_since.is_some_and(|since| since <= day))?;
            let silent = known.iter().filter(|rule| last.get(&rule.id).is_none_or(|on| *on < day));
            let mut silent: Vec<SilentRule> = silent
                .map(|rule| SilentRule {
                    id: rule.id.clone(),
                    title: rule.title.clone(),
                    last_on: last.get(&rule.id).copied(),
                })
                .collect();
            silent.sort_by(|a, b| (a.last_on, &a.id).cmp(&(b.last_on, &b.id)));
            Some(silent)
        };
        let count = |all: usize| u64::try_from(all).unwrap_or(u64::MAX);
        Ok(Rules {
            decided,
            unsure,
            corrections: self.corrections(&from, &until)?,
            in_force: self.ask.rules.as_ref().map(|rules| count(rules.len())),
            counted_since: self.known_since,
            silent_in_period: silent_since(period.from).map(|silent| count(silent.len())),
            silent_in_twelve_weeks: silent_since(weeks_ago),
            refused_edit: self.ask.refused_edit.clone(),
        })
    }

    fn decided(&self, from: &At, until: &At) -> Result<(u64, u64), Fault> {
        let scope = self.of_messages();
        let beside = if self.ask.scope.is_all() {
            ""
        } else {
            "LEFT JOIN case_messages cm ON cm.message_id = d.message_id LEFT JOIN cases c ON c.id = cm.case_id"
        };
        let sql = format!(
            "SELECT count(*), coalesce(sum(d.unsure), 0) FROM decisions d {beside}
             WHERE d.decided_at >= ?1 AND d.decided_at < ?2 AND {}",
            scope.sql
        );
        let found = self.rows(&sql, &[from, until], &scope, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.first().copied().unwrap_or_default())
    }

    /// When each rule last spoke, up to and including this day.
    fn last_spoke(&self, up_to: NaiveDate) -> Result<BTreeMap<String, NaiveDate>, Fault> {
        let sql = "SELECT rule, max(spoke_on) FROM rule_tally WHERE spoke_on <= ?1 GROUP BY rule";
        let rows = self.rows(sql, &[&On(up_to)], &everything(), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, On>(1)?.0))
        })?;
        Ok(rows.into_iter().collect())
    }

    fn corrections(&self, from: &At, until: &At) -> Result<Corrections, Fault> {
        let scope = self.of_messages();
        let sql = format!(
            "SELECT e.detail ->> '$.to.urgency', e.detail ->> '$.to.queue', e.detail ->> '$.to.area',
                 e.detail ->> '$.to.kind', d.grounds
             FROM events e JOIN decisions d ON d.message_id = e.message_id
             LEFT JOIN case_messages cm ON cm.message_id = d.message_id LEFT JOIN cases c ON c.id = cm.case_id
             WHERE e.what = 'corrected' AND e.happened_at >= ?1 AND e.happened_at < ?2 AND {}",
            scope.sql
        );
        let mut corrections = Corrections::default();
        let mut false_alarms: BTreeMap<String, u64> = BTreeMap::new();
        let rows = self.rows(&sql, &[from, until], &scope, |row| {
            let word = |place| row.get::<_, Option<String>>(place);
            Ok((word(0)?, word(1)?, word(2)?, word(3)?, row.get::<_, Json<Vec<String>>>(4)?.0))
        })?;
        for (urgency, queue, area, kind, grounds) in rows {
            corrections.total += 1;
            match urgency.as_deref() {
                Some("urgent") => corrections.to_urgent += 1,
                Some(_) => {
                    corrections.to_standard += 1;
                    for ground in grounds.into_iter().filter(|ground| ground.starts_with('U')) {
                        *false_alarms.entry(ground).or_default() += 1;
                    }
                }
                None => {}
            }
            corrections.to_another_team += u64::from(queue.is_some());
            corrections.to_another_area += u64::from(area.is_some());
            match kind.as_deref() {
                Some("person") => corrections.to_person += 1,
                Some(_) => corrections.to_no_person += 1,
                None => {}
            }
        }
        corrections.false_alarms =
            false_alarms.into_iter().map(|(name, count)| Count { name, count }).collect();
        corrections.false_alarms.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        Ok(corrections)
    }
}
