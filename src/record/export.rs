//! Everything that is kept about one person, as one JSON object for them to be given. It changes nothing; taking it out is
//! `person.rs`.
//!
//! UK GDPR articles 15 and 20. Columns keep the names that `schema.sql` explains; instants and JSON are written out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};
use serde_json::{Map, Value, json};

use super::Records;
use super::error::{Fault, RecordError};
use super::person;
use super::purge::messages_of;

/// Columns that are instants though their names do not end in `_at`.
const INSTANTS: [&str; 2] = ["missing_since", "not_before"];
/// Columns whose text is JSON.
const JSON: [&str; 7] = ["fact", "detail", "trace", "grounds", "signposts", "payload", "reply"];
/// Columns that are yes or no.
const YES_NO: [&str; 5] = ["in_time", "copied", "claimed_urgent", "refer_leadership", "unsure"];

impl Records {
    /// Everything about the person with this address; `None`: the record knows nothing of them.
    pub fn export_person(&self, address: &str, now: DateTime<Utc>) -> Result<Option<Value>, RecordError> {
        let address = address.to_lowercase();
        self.read(|connection| {
            let written = person::written(connection, &address)?;
            let mut cases = Vec::new();
            let mut told = BTreeSet::new();
            let numbers = rows(
                connection,
                "SELECT DISTINCT c.* FROM cases c
                 LEFT JOIN case_messages x ON x.case_id = c.id
                 WHERE c.opening_message IN (SELECT value FROM json_each(?1))
                     OR x.message_id IN (SELECT value FROM json_each(?1))
                 ORDER BY c.received_at, c.id",
                &[&list(&written)],
            )?;
            for case in numbers {
                let number = case.get("id").and_then(Value::as_i64).unwrap_or_default();
                let messages = messages_of(connection, number)?;
                told.extend(messages.iter().copied());
                cases.push(whole_case(connection, number, case, &messages)?);
            }
            let mut without_a_case = Vec::new();
            for message in written {
                if told.insert(message) {
                    without_a_case.extend(whole_message(connection, message)?);
                }
            }
            let named: BTreeSet<i64> = connection
                .prepare("SELECT DISTINCT message_id FROM participants WHERE address = ?1 ORDER BY 1")?
                .query_map([&address], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut named_in = Vec::new();
            for message in named {
                if told.insert(message) {
                    named_in.extend(whole_message(connection, message)?);
                }
            }
            let other_letters = rows(
                connection,
                "SELECT id, kind, topic, message_id, envelope_to, planned_at, sent_at FROM letters
                 WHERE recipient = ?1 AND coalesce(answers, 0) NOT IN (SELECT value FROM json_each(?2)) ORDER BY id",
                &[&address, &list(&told)],
            )?;
            let other_mentions = rows(
                connection,
                "SELECT id, happened_at, actor, what, case_id, message_id, detail FROM events
                 WHERE (lower(actor) = ?1 OR instr(lower(detail), ?1) > 0)
                     AND coalesce(message_id, 0) NOT IN (SELECT value FROM json_each(?2)) ORDER BY id",
                &[&address, &list(&told)],
            )?;
            let nothing = cases.is_empty()
                && without_a_case.is_empty()
                && named_in.is_empty()
                && other_letters.is_empty()
                && other_mentions.is_empty();
            Ok((!nothing).then(|| {
                json!({
                    "address": address,
                    "exported_at": now,
                    "cases": cases,
                    "messages_without_a_case": without_a_case,
                    "messages_that_name_them": named_in,
                    "other_letters": other_letters,
                    "other_mentions": other_mentions,
                })
            }))
        })
    }
}

fn list(numbers: &BTreeSet<i64>) -> String {
    serde_json::to_string(numbers).unwrap_or_else(|_| "[]".to_owned())
}

fn whole_case(
    connection: &Connection,
    number: i64,
    mut case: Map<String, Value>,
    messages: &[i64],
) -> Result<Value, Fault> {
    let facts = "SELECT occurred_at, learnt_at, actor, message_id, fact FROM case_facts WHERE case_id = ?1 ORDER BY id";
    let events =
        "SELECT happened_at, actor, what, message_id, detail FROM events WHERE case_id = ?1 ORDER BY id";
    let links = "SELECT c.reference, l.why FROM case_links l JOIN cases c ON c.id = l.other_id WHERE l.case_id = ?1
        UNION SELECT c.reference, l.why FROM case_links l JOIN cases c ON c.id = l.case_id WHERE l.other_id = ?1";
    let mut whole = Vec::new();
    for message in messages {
        whole.extend(whole_message(connection, *message)?);
    }
    for (name, sql) in [("facts", facts), ("events", events), ("linked_to", links)] {
        case.insert(name.to_owned(), json!(rows(connection, sql, &[&number])?));
    }
    case.insert("messages".to_owned(), json!(whole));
    Ok(Value::Object(case))
}

fn whole_message(connection: &Connection, number: i64) -> Result<Option<Value>, Fault> {
    let of_it: &[&dyn ToSql] = &[&number];
    let Some(mut message) = rows(
        connection,
        "SELECT m.id, x.role, b.account, b.folder, m.message_id, m.received_at, m.size_bytes, m.sender, m.subject,
             m.entered_at
         FROM messages m JOIN mailboxes b ON b.id = m.mailbox_id LEFT JOIN case_messages x ON x.message_id = m.id
         WHERE m.id = ?1",
        of_it,
    )?
    .pop() else {
        return Ok(None);
    };
    for (name, sql) in [
        (
            "participants",
            "SELECT role, address FROM participants WHERE message_id = ?1 ORDER BY role, address",
        ),
        ("refers_to", "SELECT refers_to, place FROM message_references WHERE message_id = ?1 ORDER BY place"),
        ("decision", "SELECT * FROM decisions WHERE message_id = ?1"),
        ("set_aside", "SELECT reason, due_on, settled_at FROM set_aside WHERE message_id = ?1"),
        ("waiting_reply", "SELECT reply FROM staff_replies WHERE message_id = ?1"),
        (
            "letters",
            "SELECT kind, topic, message_id, envelope_to, planned_at, sent_at FROM letters WHERE answers = ?1 ORDER BY id",
        ),
        (
            "what_was_done",
            "SELECT kind, account, payload, state, attempts, problem, planned_at, done_at FROM effects
             WHERE message_id = ?1 ORDER BY id",
        ),
    ] {
        let found = rows(connection, sql, of_it)?;
        if !found.is_empty() {
            message.insert(name.to_owned(), json!(found));
        }
    }
    Ok(Some(Value::Object(message)))
}

/// Rows as objects, each column under its name.
fn rows(connection: &Connection, sql: &str, params: &[&dyn ToSql]) -> Result<Vec<Map<String, Value>>, Fault> {
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        let mut object = Map::new();
        for (at, name) in names.iter().enumerate() {
            object.insert(name.clone(), value(name, row.get_ref(at)?));
        }
        found.push(object);
    }
    Ok(found)
}

fn value(name: &str, value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) if YES_NO.contains(&name) => json!(number != 0),
        ValueRef::Integer(seconds) if name.ends_with("_at") || INSTANTS.contains(&name) => {
            json!(DateTime::from_timestamp(seconds, 0))
        }
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let parsed = JSON.contains(&name).then(|| serde_json::from_str(&text).ok()).flatten();
            parsed.unwrap_or_else(|| json!(text))
        }
        // Hashes only; the bytes of a letter are in the mailbox.
        ValueRef::Blob(bytes) => json!(format!("{} bytes", bytes.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, at};

    #[test]
    fn everything_about_one_person_and_nobody_else() {
        let sample = Sample::new();
        sample.enter_one(1);
        sample.enter_one(2);
        sample.send_all(at(9));
        let export = |address| sample.records.export_person(address, at(99)).unwrap();
        let one = export("Parent-1@Home.example").unwrap();
        let text = one.to_string();
        for kept in
            ["my son's timetable, 1", "question-1@home", "part-time timetable", "ack-1@council", "opened"]
        {
            assert!(text.to_lowercase().contains(kept), "{kept}: {text}");
        }
        assert!(!text.contains("parent-2@") && !text.contains("timetable, 2"), "{text}");
        assert_eq!(one["cases"][0]["messages"][0]["decision"][0]["trace"][0]["rule"], "U4");
        assert_eq!(one["cases"][0]["messages"][0]["received_at"], "2026-06-01T00:00:01Z");
        assert!(export("nobody@home.example").is_none());

        // A colleague is named in both.
        let team = export("send@council.example").unwrap();
        assert_eq!(team["messages_that_name_them"].as_array().unwrap().len(), 2);
    }
}
