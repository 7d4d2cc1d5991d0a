//! From each version of the schema to the next, in one transaction. Not the schema itself: that is `schema.sql`.
//!
//! `user_version` holds the version, `application_id` says that the file is ours.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{Fault, RecordError};
use super::tally;

/// `SEND` in ASCII.
const APPLICATION_ID: i64 = 0x53_45_4E_44;

/// The schema of a new file.
const SCHEMA: &str = include_str!("schema.sql");

/// Each step brings a file from version n to n + 1, the first from 1 to 2. `schema.sql` changes in the same commit.
const STEPS: &[&str] = &[
    // 2: corrections by staff are looked up by message.
    "CREATE INDEX events_corrected ON events (message_id) WHERE what = 'corrected';",
    // 3: what happened to a case, participants, notices.
    include_str!("steps/to_3.sql"),
    // 4: what figures are counted from.
    include_str!("steps/to_4.sql"),
];

/// The version that this program reads and writes.
pub(super) const fn current() -> i64 {
    1 + STEPS.len() as i64
}

/// How a file presents itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No tables: a new file.
    Empty,
    /// Ours, of this version.
    Version(i64),
}

/// Looks without changing anything. Refuses a file that is not ours or too new.
pub(super) fn look(connection: &Connection, path: &Path) -> Result<Found, Fault> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    if application == 0 && version == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(Found::Empty);
    }
    if application != APPLICATION_ID || version < 1 {
        return Err(RecordError::NotOurs { path: path.to_owned() }.into());
    }
    if version > current() {
        let path = path.to_owned();
        return Err(RecordError::Newer { path, found: version, known: current() }.into());
    }
    Ok(Found::Version(version))
}

/// Makes the tables, or brings them up to the current version. Two programs that start at once do not disturb each other.
/// Foreign keys are not enforced meanwhile, because a table may be made anew; they are checked before the end.
pub(super) fn bring_up(connection: &Connection, path: &Path) -> Result<(), Fault> {
    if look(connection, path)? == Found::Version(current()) {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    match look(&transaction, path)? {
        Found::Empty => {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        Found::Version(version) => {
            let done = usize::try_from(version - 1).unwrap_or(0);
            for step in STEPS.iter().skip(done) {
                transaction.execute_batch(step)?;
            }
            if version < 4 {
                tally::catch_up(&transaction)?;
            }
        }
    }
    let dangling: i64 =
        transaction.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if dangling > 0 {
        let problem = format!("bringing the record up to date left {dangling} rows that refer to nothing");
        return Err(Fault::Mistake(problem));
    }
    transaction.pragma_update(None, "user_version", current())?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{RecordError, Records};
    use super::*;

    fn temporary() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.db");
        (folder, path)
    }

    #[test]
    fn a_missing_an_empty_and_a_bare_file_become_records() {
        let (_folder, path) = temporary();
        drop(Records::open(&path).unwrap());
        drop(Records::open(&path).unwrap());

        let (_folder, path) = temporary();
        std::fs::write(&path, b"").unwrap();
        assert!(Records::open(&path).unwrap().ledger().unwrap().is_empty());

        let (_folder, path) = temporary();
        let bare = Connection::open(&path).unwrap();
        bare.execute_batch("CREATE TABLE t (a) ; DROP TABLE t").unwrap();
        drop(bare);
        assert!(Records::open(&path).unwrap().ledger().unwrap().is_empty());
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_as_it_is() {
        let (_folder, path) = temporary();
        drop(Records::open(&path).unwrap());
        let raw = Connection::open(&path).unwrap();
        raw.pragma_update(None, "user_version", current() + 1).unwrap();
        drop(raw);
        let before = std::fs::read(&path).unwrap();
        let error = Records::open(&path).err().unwrap();
        assert!(matches!(error, RecordError::Newer { .. }), "{error}");
        assert!(error.to_string().contains("Install the newer version"), "{error}");
        assert!(matches!(Records::open_read_only(&path).err().unwrap(), RecordError::Newer { .. }));
        assert_eq!(before, std::fs::read(&path).unwrap());
    }

    /// Tables with their columns, and indexes: what a file is, whatever way its statements were written.
    fn shape(path: &Path) -> Vec<String> {
        let raw = Connection::open(path).unwrap();
        let mut all = raw
            .prepare(
                "SELECT 'table ' || l.name || ' ' || l.strict || l.wr || ' ' || c.name || ' ' || c.type || ' '
                     || c.\"notnull\" || ' ' || coalesce(c.dflt_value, '-') || ' ' || c.pk || ' ' || c.hidden
                 FROM pragma_table_list l JOIN pragma_table_xinfo(l.name) c
                 WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite_%'
                 UNION ALL
                 SELECT 'key ' || l.name || ' ' || f.\"from\" || ' ' || f.\"table\" || ' ' || f.on_delete
                 FROM pragma_table_list l JOIN pragma_foreign_key_list(l.name) f
                 UNION ALL
                 SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '')
                 FROM sqlite_schema WHERE type <> 'table'",
            )
            .unwrap();
        let mut all: Vec<String> = all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        all.sort();
        all
    }

    /// A file as version 2 made it, with a case in it, brought up, is what a new file is, and knows how the case stands.
    #[test]
    fn an_older_file_becomes_what_a_new_one_is() {
        let (_folder, path) = temporary();
        drop(Records::open(&path).unwrap());
        let new = shape(&path);

        for version in [1, 2, 3] {
            let (_folder, path) = temporary();
            let raw = Connection::open(&path).unwrap();
            let (schema, rows) = match version {
                3 => (
                    include_str!("../../fixtures/record/schema-3.sql"),
                    include_str!("../../fixtures/record/rows-3.sql"),
                ),
                _ => (
                    include_str!("../../fixtures/record/schema-2.sql"),
                    include_str!("../../fixtures/record/rows-2.sql"),
                ),
            };
            raw.execute_batch(schema).unwrap();
            raw.execute_batch(rows).unwrap();
            if version == 1 {
                raw.execute_batch("DROP INDEX events_corrected").unwrap();
            }
            raw.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            raw.pragma_update(None, "user_version", version).unwrap();
            drop(raw);
            assert!(matches!(Records::open_read_only(&path).err().unwrap(), RecordError::Older { .. }));
            let records = Records::open(&path).unwrap();
            let cases = records.cases(&super::super::CaseFilter::default()).unwrap();
            let stands: Vec<_> = cases
                .iter()
                .map(|case| (case.state.as_str(), case.due_on.unwrap().to_string(), case.step))
                .collect();
            assert_eq!(stands, [("open", "2026-11-16".to_owned(), 1), ("open", "2026-11-17".to_owned(), 4)]);
            assert_eq!(records.standing_of(1).unwrap().unwrap().due_on, cases[0].due_on);
            assert_eq!(records.withheld(chrono::DateTime::UNIX_EPOCH).unwrap().len(), 0);
            drop(records);
            assert_eq!(shape(&path), new);
            let raw = Connection::open(&path).unwrap();
            let list = |sql: &str| -> Vec<String> {
                let mut rows = raw.prepare(sql).unwrap();
                rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            };
            let owed = list(
                "SELECT concat_ws(' ', case_id, asked_on, promised_on, coalesce(answered_on, 'waits')) FROM answers_owed",
            );
            let roles = list("SELECT sender_role FROM decisions WHERE sender_role IS NOT NULL");
            let rules = list("SELECT concat_ws(' ', rule, spoke_on, times) FROM rule_tally");
            if version == 3 {
                let first = ["1 2026-11-02 2026-11-13 2026-11-03", "1 2026-11-04 2026-11-16 waits"];
                assert_eq!(owed, [first[0], first[1], "2 2026-11-03 2026-11-17 waits"]);
                assert_eq!(roles, ["parent"]);
                assert_eq!(rules, ["U4 2026-11-02 1", "U4 2026-11-04 1", "role-parent 2026-11-02 1"]);
            } else {
                assert_eq!(owed, ["1 2026-11-02 2026-11-16 waits", "2 2026-11-03 2026-11-17 waits"]);
            }
        }
    }

    #[test]
    fn another_programs_file_is_refused_and_left_as_it_is() {
        let (_folder, path) = temporary();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE recipes (a); PRAGMA user_version = 1").unwrap();
        drop(other);
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(Records::open(&path).err().unwrap(), RecordError::NotOurs { .. }));
        assert_eq!(before, std::fs::read(&path).unwrap());

        std::fs::write(&path, "Dear diary, this is not a database at all.".repeat(100)).unwrap();
        assert!(matches!(Records::open(&path).err().unwrap(), RecordError::NotOurs { .. }));
    }

    #[test]
    fn every_column_is_explained_and_every_table_is_strict() {
        let mut tables = 0;
        let mut in_table = false;
        for (number, line) in SCHEMA.lines().enumerate() {
            if line.starts_with("CREATE TABLE") {
                (in_table, tables) = (true, tables + 1);
                continue;
            }
            if line.starts_with(')') {
                assert!(!in_table || line.contains("STRICT"), "line {}: not STRICT", number + 1);
                in_table = false;
            }
            let column =
                line.strip_prefix("    ").is_some_and(|l| l.starts_with(|c: char| c.is_ascii_lowercase()));
            if in_table && column {
                assert!(
                    line.contains("-- "),
                    "schema.sql line {}: a column without a comment: {line}",
                    number + 1
                );
            }
        }
        assert_eq!(tables, 20);
    }
}
