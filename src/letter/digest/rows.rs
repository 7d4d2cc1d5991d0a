//! The lists of cases in the digest: each case a row, in the words of `digest/case.txt`, the worst first.
//!
//! What strangers wrote (sender and subject, where the recipient may see them) is made such that the markup leaves it alone.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minijinja::Value;

use super::DigestFacts;
use super::said;
use crate::case::Step;
use crate::digest::figures::{Listed, NeedsRow};
use crate::letter::markup::literal::literal;
use crate::letter::wording::{Wording, WordingError};

/// What `digest/case.txt` may name, beside the council's own fields.
pub const FIELDS: &[(&str, &str)] = &[
    ("reference", "the case's reference, such as SEND-7K4M-2Q9X"),
    ("list", "in which list it stands: overdue, urgent, due or chased"),
    ("late", "how many working days it is overdue; 0 if it is not"),
    ("age", "how many working days ago it was received"),
    ("received", "the day on which it was received"),
    ("due", "the last day for the answer; empty if there is none"),
    ("extended", "yes or no: staff have named a later day than the first"),
    ("first_response", "the day for a first response, as long as nobody has responded; else empty"),
    ("first_response_over", "yes or no: that day is over"),
    ("urgent", "yes or no: it is urgent"),
    ("call_back", "yes or no: a call-back that the Customer Service Centre asked for"),
    ("grounds", "what it is about, by the titles of the rules; may be empty"),
    ("queue", "the team that has it"),
    ("area", "the area; empty if it is not clear, or stands in the team's name"),
    ("mailbox", "the mailbox in which it lies"),
    ("folder", "the folder in which it lies"),
    ("chasers", "how often the sender has asked again; 0 if never"),
    ("step", "the step of the escalation, 1 to 4"),
    ("step_who", "who answers at that step"),
    ("missing", "since which day its message is in none of our folders; empty if it is where it belongs"),
    ("sender", "the sender; empty unless the reader may see names"),
    ("subject", "the subject; likewise"),
];

/// The lists, each with how many there are and how many are not listed.
pub fn of(facts: &DigestFacts<'_>, wording: &Wording) -> Result<BTreeMap<&'static str, Value>, WordingError> {
    let figures = facts.figures;
    let needs = &figures.needs_you;
    let lists = [
        (["overdue", "overdue_count", "overdue_more"], &needs.overdue),
        (["urgent", "urgent_count", "urgent_more"], &needs.urgent),
        (["due", "due_count", "due_more"], &needs.due_this_week),
        (["chased", "chased_count", "chased_more"], &figures.chasers.waiting),
    ];
    let mut fields = BTreeMap::new();
    for ([list, count, more], cases) in lists {
        let rows = rendered(cases, list, facts, wording)?;
        fields.insert(list, Value::from(rows));
        fields.insert(count, Value::from(cases.total));
        fields.insert(more, Value::from(cases.unlisted()));
    }
    Ok(fields)
}

fn rendered(
    cases: &Listed<NeedsRow>,
    list: &str,
    facts: &DigestFacts<'_>,
    wording: &Wording,
) -> Result<Vec<String>, WordingError> {
    cases.rows.iter().map(|case| row(case, list, facts, wording)).collect()
}

fn row(
    case: &NeedsRow,
    list: &str,
    facts: &DigestFacts<'_>,
    wording: &Wording,
) -> Result<String, WordingError> {
    let today = facts.figures.today;
    let maybe = |on: Option<NaiveDate>| Value::from(on.map(|on| said::day(on, today)).unwrap_or_default());
    let theirs = |words: &Option<String>| Value::from(words.as_deref().map(literal).unwrap_or_default());
    let first_response = case.first_response_on.filter(|_| case.urgent || case.overdue_working_days == 0);
    let who = Step::of_number(i64::from(case.step)).unwrap_or_default().who();
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    fields.extend([
        ("reference", Value::from(case.reference.as_str())),
        ("list", Value::from(list)),
        ("late", Value::from(case.overdue_working_days)),
        ("age", Value::from(case.age_working_days)),
        ("received", Value::from(said::day(case.received_on, today))),
        ("due", maybe(case.due_on)),
        ("extended", Value::from(case.state == "extended")),
        ("first_response", maybe(first_response)),
        ("first_response_over", Value::from(first_response.is_some_and(|on| on < today))),
        ("urgent", Value::from(case.urgent)),
        ("call_back", Value::from(case.matter == "call-back")),
        ("grounds", Value::from(literal(&titles(case, facts)))),
        ("queue", Value::from(said::team(&case.queue))),
        ("area", Value::from(area(case))),
        ("mailbox", Value::from(literal(&case.mailbox))),
        ("folder", Value::from(literal(&case.folder))),
        ("chasers", Value::from(case.chasers)),
        ("step", Value::from(case.step)),
        ("step_who", Value::from(who)),
        ("missing", maybe(case.missing_since)),
        ("sender", theirs(&case.sender)),
        ("subject", theirs(&case.subject)),
    ]);
    Ok(joined(&wording.render("digest/case.txt", &fields)?))
}

/// The area, where it is clear and the team's name does not say it already.
fn area(case: &NeedsRow) -> String {
    match case.area.as_str() {
        "unknown" => String::new(),
        own if case.queue.ends_with(&format!("-{own}")) => String::new(),
        own => said::area(own),
    }
}

/// The grounds in words; what is none of those listed says nothing.
fn titles(case: &NeedsRow, facts: &DigestFacts<'_>) -> String {
    let title = |id: &String| facts.titles.get(id).unwrap_or(id).clone();
    case.grounds.iter().filter(|id| *id != "other").map(title).collect::<Vec<_>>().join("; ")
}

/// However the file is broken into lines, a row is one line, and so is each small print, which begins with `|+`.
fn joined(rendered: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in rendered.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match lines.last_mut() {
            Some(last) if !line.starts_with("|+") => {
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    let tidied = |line: String| {
        let one_space = line.split_whitespace().collect::<Vec<_>>().join(" ");
        [" ,", " .", " ;"].iter().fold(one_space, |line, sign| line.replace(sign, sign.trim_start()))
    };
    lines.into_iter().map(tidied).filter(|line| line != "|+").collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn a_row_is_one_line_however_its_text_is_broken() {
        let text = "| **A**\n, urgent\n| late |\n\n|+ Out of school\n  .\n|+\n";
        assert_eq!(joined(text), "| **A**, urgent | late |\n|+ Out of school.");
    }
}
