//! What the dead-man's switch asks of the record: how much waits, and whether the last message to ourselves came round. Sending
//! that is `daemon/pulse.rs`'s and the outbox's; that it was met is noted beside the attempts at sending it.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::Records;
use super::error::RecordError;
use super::value::At;

/// The last message to ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCanary {
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// When it was met in a watched folder; `None`: it was not yet.
    pub met_at: Option<DateTime<Utc>>,
}

/// What is to be done, in numbers; cheap enough to be asked every half minute of a record of any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InHand {
    /// To be done, now or later.
    pub pending: u64,
    /// Letters of which nobody knows whether they were sent.
    pub uncertain: u64,
    /// What waits for a person.
    pub stuck: u64,
    /// Messages set aside for a person.
    pub set_aside: u64,
}

impl Records {
    /// What is to be done.
    pub fn in_hand(&self) -> Result<InHand, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FILTER (WHERE state IN ('pending', 'sending', 'adrift')),
                     count(*) FILTER (WHERE state = 'uncertain'),
                     count(*) FILTER (WHERE state = 'stuck'),
                     (SELECT count(*) FROM set_aside WHERE settled_at IS NULL)
                 FROM effects WHERE desk IS NOT NULL",
            )?;
            Ok(statement.query_row([], |row| {
                Ok(InHand {
                    pending: row.get(0)?,
                    uncertain: row.get(1)?,
                    stuck: row.get(2)?,
                    set_aside: row.get(3)?,
                })
            })?)
        })
    }

    /// The last message to ourselves; `None`: there was none yet.
    pub fn last_canary(&self) -> Result<Option<LastCanary>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT l.planned_at,
                     (SELECT min(a.made_at) FROM effects e JOIN attempts a ON a.effect_id = e.id
                         WHERE e.letter_id = l.id AND a.outcome = 'came-round')
                 FROM letters l
                 WHERE l.kind = 'notice' AND l.topic >= 'canary/' AND l.topic < 'canary0'
                 ORDER BY l.topic DESC LIMIT 1",
            )?;
            let last = statement.query_row([], |row| {
                let met_at: Option<At> = row.get(1)?;
                Ok(LastCanary { written_at: row.get::<_, At>(0)?.0, met_at: met_at.map(|at| at.0) })
            });
            Ok(last.optional()?)
        })
    }

    /// A message to ourselves was met in a watched folder. Noted once; anything else of that Message-ID is not noted.
    pub fn canary_met(&self, message_id: &str, at: DateTime<Utc>) -> Result<(), RecordError> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO attempts (effect_id, made_at, outcome, detail)
                 SELECT e.id, ?2, 'came-round', ''
                 FROM letters l JOIN effects e ON e.letter_id = l.id
                 WHERE l.message_id = ?1 AND l.kind = 'notice' AND l.topic >= 'canary/' AND l.topic < 'canary0'
                     AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.effect_id = e.id AND a.outcome = 'came-round')",
                params![message_id, At(at)],
            )?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::effect::Effect;
    use crate::letter::Letter;
    use crate::record::sample::{Sample, at};

    fn canary(number: i64) -> Effect {
        let letter = Letter {
            message_id: format!("canary.{number:032x}@council.example"),
            envelope_from: None,
            envelope_to: "send.general@council.example".to_owned(),
            raw: b"Subject: test\r\n\r\n".to_vec(),
        };
        let topic = format!("canary/2026-11-{number:02}T07:00:00Z");
        Effect::Notice { account: "general".to_owned(), letter, topic, not_before: at(0) }
    }

    #[test]
    fn the_last_one_counts_and_only_what_we_wrote_comes_round() {
        let sample = Sample::new();
        let records = &sample.records;
        assert_eq!(records.last_canary().unwrap(), None);
        for number in [17, 18] {
            records.notify(None, &[canary(number)], at(number * 100)).unwrap();
        }
        let last = |met_at| Some(LastCanary { written_at: at(1800), met_at });
        assert_eq!(records.last_canary().unwrap(), last(None));
        records.canary_met(&format!("canary.{:032x}@council.example", 17), at(1900)).unwrap();
        records.canary_met("canary.somebody@elsewhere.example", at(1900)).unwrap();
        assert_eq!(records.last_canary().unwrap(), last(None), "that was the one before");
        for minutes in [0, 5] {
            let id = format!("canary.{:032x}@council.example", 18);
            records.canary_met(&id, at(2000) + TimeDelta::minutes(minutes)).unwrap();
        }
        assert_eq!(records.last_canary().unwrap(), last(Some(at(2000))));
    }
}
