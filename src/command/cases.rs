//! `send-triage cases`: what is on record, and what staff say against it. The daemon may go on meanwhile.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Subcommand, ValueEnum};

use crate::calendar::london;
use crate::daemon::refusal;
use crate::memo::printable;
use crate::record::{AttemptRow, CaseDetail, CaseFilter, CaseRow, Records};

use super::table::table;
use super::{CommandError, Format, out, own_config};

mod correct;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Cases, the first due first
    List(List),
    /// Everything about one case
    Show(Show),
    /// Says what is right about a case that was decided otherwise
    Correct(correct::Correct),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// A table.
    Text,
    /// One object a line.
    Json,
    /// Comma-separated values, with a heading.
    Csv,
}

#[derive(Debug, clap::Args)]
struct List {
    /// How to print them
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    /// Only those in this state: open, answered, ...
    #[arg(long)]
    state: Option<String>,
    /// Only urgent or standard ones
    #[arg(long)]
    urgency: Option<String>,
    /// Only this team's
    #[arg(long)]
    queue: Option<String>,
    /// Only this area's
    #[arg(long)]
    area: Option<String>,
    /// Only those due on this day or before, such as 2027-01-05
    #[arg(long, value_name = "DATE")]
    due_by: Option<NaiveDate>,
    /// Only those whose decision a person should look at
    #[arg(long)]
    unsure: bool,
    /// Only those of this sender
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Its reference, such as SEND-7K4M-2Q9X
    #[arg(value_name = "REFERENCE")]
    reference: String,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let records = Records::open_read_only(&config.database)?;
    match &arguments.what {
        What::List(options) => {
            list(options, &records)?;
            if let Some(refused) = refusal::standing(&config).filter(|_| options.format == ListFormat::Text) {
                out::line(format_args!("Rules: {refused}"));
            }
            Ok(())
        }
        What::Show(options) => show(options, &records),
        What::Correct(options) => correct::correct(options, &records, &config),
    }
}

fn list(options: &List, records: &Records) -> Result<(), CommandError> {
    let filter = CaseFilter {
        state: options.state.clone(),
        urgency: options.urgency.clone(),
        queue: options.queue.clone(),
        area: options.area.clone(),
        due_by: options.due_by,
        sender: options.sender.clone(),
        unsure: options.unsure,
        ..CaseFilter::default()
    };
    let cases = records.cases(&filter)?;
    match options.format {
        ListFormat::Json => {
            for case in &cases {
                out::line(json(case)?);
            }
        }
        ListFormat::Csv => {
            out::line(format_args!("{},unsure", COLUMNS.join(",")));
            for case in &cases {
                let cells = cells(case).iter().map(|cell| csv(cell)).collect::<Vec<_>>().join(",");
                out::line(format_args!("{cells},{}", if case.unsure { "yes" } else { "no" }));
            }
        }
        ListFormat::Text => {
            if cases.is_empty() {
                out::line("No cases.");
            } else {
                let rows: Vec<Vec<String>> = cases.iter().map(row).collect();
                out::line(table(&COLUMNS, &rows, 160));
                let urgent = cases.iter().filter(|case| case.urgency == "urgent").count();
                let unsure = cases.iter().filter(|case| case.unsure).count();
                out::line(format_args!("{} cases, {urgent} urgent, {unsure} unsure.", cases.len()));
                if unsure > 0 {
                    out::line(
                        "(unsure): a person should look at the decision; `cases show REFERENCE` says why.",
                    );
                }
            }
            out::print(for_a_person(records)?);
        }
    }
    Ok(())
}

/// What waits for a person and stands in no case's row: messages set aside, letters whose fate is unknown, effects stuck.
fn for_a_person(records: &Records) -> Result<String, CommandError> {
    let mut text = String::new();
    for message in records.set_aside()? {
        let why = message.set_aside.as_deref().unwrap_or("it could not be decided");
        let due = message.due_on.map(|on| format!(", due {on}")).unwrap_or_default();
        text.push_str(&format!(
            "Set aside: message {} in {}/{}, received {}{due}: {why}\n",
            message.message,
            message.account,
            message.folder,
            moment(message.received_at)
        ));
    }
    for effect in records.uncertain_letters()?.into_iter().chain(records.stuck()?) {
        let problem = effect.problem.as_deref().unwrap_or_default();
        let case = effect.reference.as_deref().unwrap_or("no case");
        text.push_str(&format!(
            "{}: {} of {} ({case}): {}\n",
            if effect.state == "stuck" { "Needs a person" } else { "Uncertain" },
            effect.kind,
            effect.message.map_or_else(|| "a notice".to_owned(), |message| format!("message {message}")),
            printable(problem)
        ));
    }
    Ok(text)
}

const COLUMNS: [&str; 8] =
    ["reference", "due", "urgency", "grounds", "queue", "state", "acknowledgement", "subject"];

/// A row of the table: the mark of an unsure decision stands beside what was decided.
fn row(case: &CaseRow) -> Vec<String> {
    let mut cells = cells(case).to_vec();
    if let Some(urgency) = cells.get_mut(2).filter(|_| case.unsure) {
        urgency.push_str(" (unsure)");
    }
    cells
}

fn cells(case: &CaseRow) -> [String; 8] {
    [
        case.reference.clone(),
        case.due_on.map(|on| on.to_string()).unwrap_or_default(),
        case.urgency.clone(),
        case.grounds.join(" "),
        case.queue.clone(),
        case.state.clone(),
        case.acknowledgement.clone(),
        printable(&case.subject),
    ]
}

/// RFC 4180; and no cell begins like a formula, lest a spreadsheet computes what a stranger wrote.
fn csv(cell: &str) -> String {
    let safe = if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() };
    if safe.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

fn json(value: &impl serde::Serialize) -> Result<String, CommandError> {
    serde_json::to_string(value).map_err(|error| CommandError::Outside(error.to_string()))
}

fn show(options: &Show, records: &Records) -> Result<(), CommandError> {
    let case = known_case(&options.reference, records)?;
    match options.format {
        Format::Json => out::line(json(&case)?),
        Format::Text => out::print(as_text(&case)),
    }
    Ok(())
}

/// The case with this reference.
pub(super) fn known_case(reference: &str, records: &Records) -> Result<CaseDetail, CommandError> {
    let reference = reference.trim().to_ascii_uppercase();
    records.case(&reference)?.ok_or_else(|| {
        CommandError::Input(format!(
            "There is no case {reference}. References look like SEND-7K4M-2Q9X; `send-triage cases list` lists them."
        ))
    })
}

fn as_text(detail: &CaseDetail) -> String {
    let case = &detail.case;
    let unsure = if case.unsure { ", unsure: a person should look at the decision" } else { "" };
    let mut out = format!("{}  {}, {}{unsure}\n", case.reference, case.urgency, case.state);
    let mut line = |name: &str, value: &str| out.push_str(&format!("  {name:<16}{value}\n"));
    line("received", &moment(case.received_at));
    line(
        "answer due",
        &case.due_on.map_or_else(|| "-".to_owned(), |on| on.format("%A %-d %B %Y").to_string()),
    );
    line("grounds", &case.grounds.join(", "));
    line("queue", &case.queue);
    line("area", &case.area);
    line("sender", &printable(case.sender.as_deref().unwrap_or("-")));
    line("subject", &printable(&case.subject));
    if let Some(why) = case.unsure.then(|| why_unsure(detail)).flatten() {
        line("unsure", &printable(why));
    }
    match &case.withheld {
        Some(why) => line("acknowledgement", &format!("withheld: {why}")),
        None => line("acknowledgement", &case.acknowledgement),
    }
    for message in &detail.messages {
        out.push_str(&format!("  message {} ({})\n", message.message, message.role));
        for place in &message.locations {
            let left = place.left_at.map(|at| format!(", filed or gone {}", moment(at))).unwrap_or_default();
            out.push_str(&format!("    {}/{} UID {}{left}\n", place.account, place.folder, place.uid));
        }
        if let Some(decision) = &message.decision {
            out.push_str(&format!(
                "    decided {} by rules {}\n",
                moment(decision.decided_at),
                decision.rules_version
            ));
            for finding in decision.trace.as_array().into_iter().flatten() {
                let part = |key: &str| finding.get(key).and_then(|v| v.as_str()).unwrap_or_default();
                let words = part("text").split_whitespace().collect::<Vec<_>>().join(" ");
                let words =
                    if words.is_empty() { String::new() } else { format!(" \"{}\"", printable(&words)) };
                out.push_str(&format!(
                    "      {} {}:{words} {}\n",
                    part("outcome"),
                    part("rule"),
                    part("reason")
                ));
            }
        }
    }
    if !detail.effects.is_empty() {
        out.push_str("  what followed\n");
        for effect in &detail.effects {
            out.push_str(&format!("    {} {}, {} attempts\n", effect.kind, effect.state, effect.attempts));
            for attempt in &effect.history {
                out.push_str(&format!("      {} {}\n", moment(attempt.made_at), attempt_in_words(attempt)));
            }
        }
    }
    if !detail.events.is_empty() {
        out.push_str("  events\n");
        for event in &detail.events {
            let to = correct::in_words(event);
            out.push_str(&format!(
                "    {} {}{to} ({})\n",
                moment(event.happened_at),
                event.what,
                printable(&event.actor)
            ));
        }
    }
    out
}

/// The reason in the trace of the message that opened the case.
fn why_unsure(detail: &CaseDetail) -> Option<&str> {
    let traces = detail.messages.iter().filter_map(|message| message.decision.as_ref()?.trace.as_array());
    let is_unsure = |finding: &&serde_json::Value| finding.get("rule").is_some_and(|rule| rule == "unsure");
    traces.flatten().find(is_unsure)?.get("reason")?.as_str()
}

fn attempt_in_words(attempt: &AttemptRow) -> String {
    if attempt.detail.is_empty() {
        attempt.outcome.clone()
    } else {
        format!("{}: {}", attempt.outcome, printable(&attempt.detail))
    }
}

/// An instant as people in London read it.
fn moment(at: DateTime<Utc>) -> String {
    format!("{} {}", london::date(at).format("%a %-d %b %Y"), london::time(at).format("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::{csv, printable};

    #[test]
    fn what_strangers_wrote_neither_breaks_the_table_nor_runs_in_a_spreadsheet() {
        assert_eq!(csv("=cmd()"), "'=cmd()");
        assert_eq!(csv("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(printable("a\u{202E}b\nc"), "a b c");
    }
}
