//! What is measured of the record while the daemon runs: what was added since it was last asked, and how things stand now.
//!
//! Rows are numbered as they are added, so that counting on costs no more than what is new; how things stand is asked of
//! indexes that hold what waits, and so costs the same in a record of any age. It names mailboxes and folders, never people.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, params};

use super::Records;
use super::error::{Fault, RecordError};
use super::value::{At, On};

/// Up to where the record has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountedTo {
    location: i64,
    message: i64,
    attempt: i64,
}

/// What was added since it was last asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Added {
    /// Messages met: account, folder, outcome, how many.
    pub met: Vec<(String, String, String, u64)>,
    /// Decisions: kind, urgency, queue, how many.
    pub decided: Vec<(String, String, String, u64)>,
    /// Decisions that a person should look at.
    pub unsure: u64,
    /// Why no acknowledgement was sent, in the words of the decision, and how often.
    pub withheld: Vec<(String, u64)>,
    /// Attempts: account, kind of effect, how it ended, how many.
    pub attempts: Vec<(String, String, String, u64)>,
    /// For each new message its account, and the seconds from its receipt until it was on record. Not for mail that was there
    /// before its mailbox was taken into use.
    pub recorded_after: Vec<(String, i64)>,
    /// For each acknowledgement that went out its account, and the seconds from the receipt of what it answers.
    pub acknowledged_after: Vec<(String, i64)>,
}

/// What is to be done of one kind, in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToDo {
    /// acknowledge, alert, notice, keep-copy, file.
    pub kind: String,
    /// pending, sending, uncertain, adrift, stuck.
    pub state: String,
    /// How many.
    pub count: u64,
    /// How many of them are pending, and their time has come.
    pub due: u64,
    /// Since when the first of these is due.
    pub due_since: Option<DateTime<Utc>>,
}

/// One team's cases of one urgency in which an answer is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The queue.
    pub queue: String,
    /// urgent or standard.
    pub urgency: String,
    /// How many.
    pub count: u64,
    /// How many of them should have been answered before today.
    pub overdue: u64,
    /// When the first of them was received.
    pub oldest_at: DateTime<Utc>,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AsItStands {
    /// What is to be done.
    pub to_do: Vec<ToDo>,
    /// Messages that wait for a person because they could not be read or decided.
    pub set_aside: u64,
    /// Cases in which an answer is owed.
    pub waiting: Vec<Waiting>,
    /// Waiting cases whose message is in none of our folders.
    pub missing: u64,
    /// The record's size on disk, with its log.
    pub size_bytes: u64,
}

const TO_DO: &str =
    "SELECT kind, state, count(*), count(*) FILTER (WHERE state = 'pending' AND not_before <= ?1),
         min(not_before) FILTER (WHERE state = 'pending' AND not_before <= ?1)
     FROM effects WHERE desk IS NOT NULL GROUP BY kind, state";

const WAITING: &str =
    "SELECT queue, urgency, count(*), count(*) FILTER (WHERE due_on < ?1), min(received_at),
         count(missing_since)
     FROM cases WHERE state IN ('open', 'extended') GROUP BY queue, urgency";

/// A UID with an outcome and a UID that was absent are never the same.
const GAPS: &str = "SELECT m.account, m.folder, m.last_uid - m.starts_after_uid
         - (SELECT count(*) FROM locations l
             WHERE l.mailbox_id = m.id AND l.epoch = m.epoch AND l.uid > m.starts_after_uid AND l.uid <= m.last_uid)
         - (SELECT coalesce(sum(min(a.last_uid, m.last_uid) - max(a.first_uid, m.starts_after_uid + 1) + 1), 0)
             FROM absences a
             WHERE a.mailbox_id = m.id AND a.epoch = m.epoch AND a.last_uid > m.starts_after_uid
                 AND a.first_uid <= m.last_uid)
     FROM mailboxes m ORDER BY m.account, m.folder";

impl Records {
    /// Up to where everything is counted when counting begins now.
    pub fn count_from_here(&self) -> Result<CountedTo, RecordError> {
        self.read(end)
    }

    /// What was added since then, and up to where that was.
    pub fn added_since(&self, then: CountedTo) -> Result<(Added, CountedTo), RecordError> {
        self.read(|connection| Ok((added(connection, then)?, end(connection)?)))
    }

    /// How things stand.
    pub fn as_it_stands(&self, today: NaiveDate, now: DateTime<Utc>) -> Result<AsItStands, RecordError> {
        let mut stands = self.read(|connection| stand(connection, today, now))?;
        let size = |suffix: &str| super::beside(&self.path, suffix).metadata().map_or(0, |file| file.len());
        stands.size_bytes = size("") + size("-wal");
        Ok(stands)
    }

    /// Account, folder, and the UIDs that have no outcome there: none, unless the program is at fault. Reads an index over every
    /// message that lies or lay in a folder: not for every minute.
    pub fn ledger_gaps(&self) -> Result<Vec<(String, String, u64)>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(GAPS)?;
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.max(0).unsigned_abs()))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn end(connection: &Connection) -> Result<CountedTo, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT coalesce(max(id), 0) FROM locations), (SELECT coalesce(max(id), 0) FROM messages),
             (SELECT coalesce(max(id), 0) FROM attempts)",
    )?;
    Ok(statement.query_row([], |row| {
        Ok(CountedTo { location: row.get(0)?, message: row.get(1)?, attempt: row.get(2)? })
    })?)
}

fn added(connection: &Connection, then: CountedTo) -> Result<Added, Fault> {
    let three = |sql: &str, after: i64| -> rusqlite::Result<Vec<(String, String, String, u64)>> {
        let mut statement = connection.prepare_cached(sql)?;
        let rows =
            statement.query_map([after], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        rows.collect()
    };
    let seconds = |sql: &str, after: i64| -> rusqlite::Result<Vec<(String, i64)>> {
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([after], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let met = three(
        "SELECT m.account, m.folder, l.outcome, count(*)
         FROM locations l JOIN mailboxes m ON m.id = l.mailbox_id
         WHERE l.id > ?1 GROUP BY 1, 2, 3",
        then.location,
    )?;
    let decided = three(
        "SELECT kind, urgency, queue, count(*) FROM decisions WHERE message_id > ?1 GROUP BY 1, 2, 3",
        then.message,
    )?;
    let unsure = connection
        .prepare_cached("SELECT count(*) FROM decisions WHERE message_id > ?1 AND unsure = 1")?
        .query_row([then.message], |row| row.get(0))?;
    let withheld = connection
        .prepare_cached(
            "SELECT withheld, count(*) FROM decisions
             WHERE message_id > ?1 AND withheld IS NOT NULL GROUP BY withheld",
        )?
        .query_map([then.message], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let attempts = three(
        "SELECT e.account, e.kind, a.outcome, count(*)
         FROM attempts a JOIN effects e ON e.id = a.effect_id
         WHERE a.id > ?1 GROUP BY 1, 2, 3",
        then.attempt,
    )?;
    let recorded_after = seconds(
        "SELECT m.account, max(n.entered_at - n.received_at, 0)
         FROM messages n JOIN mailboxes m ON m.id = n.mailbox_id
         WHERE n.id > ?1 AND n.received_at >= m.taken_into_use_at",
        then.message,
    )?;
    let acknowledged_after = seconds(
        "SELECT e.account, max(a.made_at - n.received_at, 0)
         FROM attempts a JOIN effects e ON e.id = a.effect_id JOIN messages n ON n.id = e.message_id
         WHERE a.id > ?1 AND a.outcome = 'done' AND e.kind = 'acknowledge'",
        then.attempt,
    )?;
    Ok(Added { met, decided, unsure, withheld, attempts, recorded_after, acknowledged_after })
}

fn stand(connection: &Connection, today: NaiveDate, now: DateTime<Utc>) -> Result<AsItStands, Fault> {
    let to_do = connection
        .prepare_cached(TO_DO)?
        .query_map([At(now)], |row| {
            Ok(ToDo {
                kind: row.get(0)?,
                state: row.get(1)?,
                count: row.get(2)?,
                due: row.get(3)?,
                due_since: row.get::<_, Option<At>>(4)?.map(|at| at.0),
            })
        })?
        .collect::<Result<_, _>>()?;
    let set_aside = connection
        .prepare_cached("SELECT count(*) FROM set_aside WHERE settled_at IS NULL")?
        .query_row([], |row| row.get(0))?;
    let mut missing = 0;
    let waiting = connection
        .prepare_cached(WAITING)?
        .query_map(params![On(today)], |row| {
            missing += row.get::<_, u64>(5)?;
            Ok(Waiting {
                queue: row.get(0)?,
                urgency: row.get(1)?,
                count: row.get(2)?,
                overdue: row.get(3)?,
                oldest_at: row.get::<_, At>(4)?.0,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(AsItStands { to_do, set_aside, waiting, missing, size_bytes: 0 })
}

#[cfg(test)]
mod tests {
    use super::super::EntryOutcome;
    use super::super::sample::{Sample, at};
    use super::*;

    #[test]
    fn what_is_added_is_counted_once_however_often_it_is_asked() {
        let sample = Sample::new();
        let records = &sample.records;
        sample.enter_one(1);
        let start = records.count_from_here().unwrap();
        assert_eq!(records.added_since(start).unwrap(), (Added::default(), start));

        sample.enter_one(2);
        let broken = EntryOutcome::SetAside { reason: "no body".into(), due: None, effects: Vec::new() };
        records.enter(&sample.batch(vec![sample.with(3, broken)])).unwrap();
        sample.send_all(at(60));
        let (added, then) = records.added_since(start).unwrap();
        let text = |words: [&str; 3], times: u64| {
            let [a, b, c] = words.map(str::to_owned);
            (a, b, c, times)
        };
        assert_eq!(
            added.met,
            [text(["general", "INBOX", "decided"], 1), text(["general", "INBOX", "set-aside"], 1)]
        );
        assert_eq!(added.decided, [text(["person", "urgent", "general"], 1)]);
        assert_eq!((added.unsure, added.withheld.len()), (0, 0));
        // Two letters: that of the message before counting began has been sent since.
        assert_eq!(
            added.attempts,
            [text(["general", "acknowledge", "done"], 2), text(["general", "acknowledge", "handed-over"], 2)]
        );
        assert_eq!(added.acknowledged_after, [("general".to_owned(), 59), ("general".to_owned(), 58)]);
        assert_eq!(added.recorded_after.len(), 2);
        assert_eq!(records.added_since(then).unwrap().0, Added::default());
    }

    #[test]
    fn how_things_stand_is_told_by_kind_state_and_team() {
        let sample = Sample::new();
        for uid in 1..=4 {
            sample.enter_one(uid);
        }
        sample.send_all(at(10));
        sample.sql(
            "UPDATE effects SET state = 'stuck' WHERE id = (SELECT min(id) FROM effects WHERE kind = 'file')",
        );
        sample.sql("UPDATE cases SET missing_since = 1 WHERE id = 1");
        let today = NaiveDate::from_ymd_opt(2026, 6, 20).unwrap();
        let stands = sample.records.as_it_stands(today, at(100)).unwrap();
        let counts = stands
            .to_do
            .iter()
            .map(|to_do| (to_do.kind.as_str(), to_do.state.as_str(), to_do.count, to_do.due));
        assert_eq!(counts.collect::<Vec<_>>(), [("file", "pending", 3, 3), ("file", "stuck", 1, 0)]);
        assert!(stands.to_do[0].due_since.is_some_and(|since| since <= at(100)));
        let waiting: Vec<_> =
            stands.waiting.iter().map(|w| (w.urgency.as_str(), w.count, w.overdue)).collect();
        // Due on 19, 20, 21 and 22 June: `letter_writer` adds a day for each.
        assert_eq!(waiting, [("standard", 2, 1), ("urgent", 2, 0)]);
        assert_eq!(stands.missing, 1);
        assert!(stands.size_bytes > 4096);
    }

    #[test]
    fn gaps_are_those_of_the_ledger() {
        let sample = Sample::new();
        let mut batch = sample.batch([1, 2, 5, 9].map(|uid| sample.letter_writer(uid)).to_vec());
        batch.up_to = 12;
        sample.records.enter(&batch).unwrap();
        let gaps = |sample: &Sample| sample.records.ledger_gaps().unwrap();
        assert_eq!(gaps(&sample), [("general".to_owned(), "INBOX".to_owned(), 0)]);
        sample.sql("DELETE FROM absences WHERE first_uid = 6; UPDATE locations SET epoch = 9 WHERE uid = 2");
        let ledger = sample.records.ledger().unwrap().remove(0);
        let missing: u32 = ledger.gaps.iter().map(|(first, last)| last - first + 1).sum();
        assert_eq!((missing, gaps(&sample)[0].2), (4, 4));
    }

    #[test]
    fn it_is_asked_of_indexes() {
        let sample = Sample::new();
        let plans = [TO_DO, WAITING, GAPS].map(|sql| sample.plan(sql));
        assert!(plans[0].contains("effects_by_desk"), "{}", plans[0]);
        assert!(plans[1].contains("cases_by_due"), "{}", plans[1]);
        assert!(plans[2].contains("COVERING INDEX sqlite_autoindex_locations"), "{}", plans[2]);
        assert!(plans.iter().all(|plan| !plan.contains("SCAN l")), "{plans:?}");
    }
}
