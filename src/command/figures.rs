//! The figures of `evaluate` as people read them: tables, confusion tables, and every mistake with its trace.

use std::collections::BTreeSet;

use crate::memo::printable;
use crate::memo::text::findings;
use crate::triage::score::{Caught, Choice, Counts, GROUNDS, Mistake, SIGNPOSTS, Score};

use super::table::table;

/// How many columns the tables have.
const WIDTH: usize = 110;

/// All figures.
pub fn as_text(score: &Score) -> String {
    let mut out = format!("{} messages\n\n", score.messages);
    let rows = [
        counts("urgent", &score.urgent),
        counts("grounds U1 to U10", &score.grounds),
        counts("topics S1 to S7", &score.topics),
        choice("kind", &score.kind),
        choice("acknowledge", &score.acknowledge),
        choice("queue", &score.queue),
        choice("area", &score.area),
        counts("chaser", &score.chaser),
        choice("chaser, its time", &score.chaser_timing),
        counts("leadership referral", &score.refer_leadership),
        counts("claimed urgent", &score.claimed_urgent),
        counts("signposts", &score.signposts),
    ];
    let heading = ["label", "precision / accuracy", "recall", "F1", "counts"];
    out.push_str(&table(&heading, &rows, WIDTH));
    let each = |ids: &[&str], of: &std::collections::BTreeMap<String, Counts>| {
        let named = ids.iter().filter_map(|id| Some(counts(id, of.get(*id)?)));
        // What a rules folder of one's own adds to the policy's lists comes last.
        let others = of.iter().filter(|(id, _)| !ids.contains(&id.as_str())).map(|(id, c)| counts(id, c));
        named.chain(others).collect::<Vec<_>>()
    };
    out.push('\n');
    out.push_str(&table(
        &["ground, topic", "precision", "recall", "F1", "counts"],
        &each(&GROUNDS, &score.each_ground),
        WIDTH,
    ));
    out.push('\n');
    out.push_str(&table(
        &["signpost", "precision", "recall", "F1", "counts"],
        &each(&SIGNPOSTS, &score.each_signpost),
        WIDTH,
    ));
    for (name, choice) in [
        ("urgency", &score.urgency),
        ("kind", &score.kind),
        ("queue", &score.queue),
        ("area", &score.area),
        ("chaser", &score.chaser_timing),
    ] {
        out.push_str(&confusion(name, choice));
    }
    out.push_str(&format!("\nautomatic messages acknowledged: {}\n", score.automatic_acknowledged));
    out.push_str(&unsure(score));
    out.push_str(&mistakes(&score.mistakes));
    out
}

fn choice(name: &str, c: &Choice) -> Vec<String> {
    let accuracy = if c.of == 0 { "-".to_owned() } else { format!("{:.3}", c.accuracy) };
    vec![name.to_owned(), accuracy, String::new(), String::new(), format!("{} of {}", c.right, c.of)]
}

fn counts(name: &str, c: &Counts) -> Vec<String> {
    // A figure out of nothing is no figure.
    let figure = |value: f64, of: usize| if of == 0 { "-".to_owned() } else { format!("{value:.3}") };
    vec![
        name.to_owned(),
        figure(c.precision, c.hits + c.false_alarms),
        figure(c.recall, c.hits + c.missed),
        figure(c.f1, c.hits + c.false_alarms + c.missed),
        format!("{} found, {} missed, {} false", c.hits, c.missed, c.false_alarms),
    ]
}

/// What should be in the rows, what was given in the columns.
fn confusion(name: &str, choice: &Choice) -> String {
    let given = choice.confusion.values().flat_map(|row| row.keys());
    let names: Vec<&String> =
        choice.confusion.keys().chain(given).collect::<BTreeSet<_>>().into_iter().collect();
    let first = format!("{name}: should be");
    let heading: Vec<&str> =
        std::iter::once(first.as_str()).chain(names.iter().map(|name| name.as_str())).collect();
    let rows: Vec<Vec<String>> = choice
        .confusion
        .iter()
        .map(|(right, row)| {
            let cells =
                names.iter().map(|name| row.get(*name).map_or_else(|| ".".to_owned(), ToString::to_string));
            std::iter::once(right.clone()).chain(cells).collect()
        })
        .collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", table(&heading, &rows, 150)) }
}

fn unsure(score: &Score) -> String {
    let unsure = &score.unsure;
    let caught = |what: &str, c: &Caught| match c.wrong {
        0 => format!("  {what}: none was decided wrongly\n"),
        wrong => format!(
            "  {what}: {} of {wrong} decided wrongly were marked ({:.0} %)\n",
            c.marked,
            100.0 * c.share
        ),
    };
    format!(
        "marked for a human look: {} of {} ({:.1} %), {} of them with nothing wrong\n{}{}",
        unsure.marked,
        score.messages,
        100.0 * unsure.share,
        unsure.marked_in_vain,
        caught("urgency", &unsure.urgency),
        caught("any label", &unsure.any_label)
    )
}

/// Message by message: what differs, why the labeller thought so, and the findings.
fn mistakes(mistakes: &[Mistake]) -> String {
    let mut out = format!("\n{} mistakes\n", mistakes.len());
    for of_message in mistakes.chunk_by(|one, two| one.file == two.file) {
        let Some(first) = of_message.first() else { continue };
        let unsure = if first.unsure { " (marked unsure)" } else { "" };
        out.push_str(&format!("\n{}{unsure}\n", printable(&first.file)));
        for mistake in of_message {
            let value = |value: &str| if value.is_empty() { "none".to_owned() } else { printable(value) };
            out.push_str(&format!(
                "  {} should be {}, is {}\n",
                mistake.label,
                value(&mistake.wanted),
                value(&mistake.got)
            ));
        }
        if !first.why.is_empty() {
            out.push_str(&format!("  the label says why: {}\n", printable(&first.why)));
        }
        out.push_str(&findings(&first.trace));
    }
    out
}
