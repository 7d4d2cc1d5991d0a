//! `send-triage cases history`: every case of one sender, or what happened to one case.

use chrono::NaiveDate;

use crate::calendar::{WorkingCalendar, london};
use crate::case::history;
use crate::config::Config;
use crate::daemon::in_force;
use crate::memo::printable;
use crate::record::{CaseDetail, HistoryRow, Records};

use super::super::table::{table, wrap};
use super::super::{CommandError, out};
use super::{AsOf, CaseObject, ListFormat, audit, csv, json, known_case, moment, short_day};

#[derive(Debug, clap::Args)]
pub(super) struct History {
    /// How to print it
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    #[command(flatten)]
    as_of: AsOf,
    /// The sender's address, or a case such as SEND-7K4M-2Q9X
    #[arg(value_name = "ADDRESS|REFERENCE")]
    of: String,
}

pub(super) fn history(options: &History, records: &Records, config: &Config) -> Result<(), CommandError> {
    let today = options.as_of.day()?;
    if options.of.contains('@') {
        let rows = records.history_of(&options.of)?;
        let calendar = in_force::calendar(config)?;
        match options.format {
            ListFormat::Text => out::print(of_sender(&printable(options.of.trim()), &rows, today, &calendar)),
            ListFormat::Csv => out::print(of_sender_csv(&rows, today)),
            ListFormat::Json => {
                for row in &rows {
                    out::line(json(&OfSender {
                        case: CaseObject::of(&row.case, today),
                        linked: &row.linked,
                    })?);
                }
            }
        }
        return Ok(());
    }
    let case = known_case(&options.of, records)?;
    match options.format {
        ListFormat::Text => out::print(of_case(&case)),
        ListFormat::Csv => {
            out::print(csv::record(["at", "who", "event", "in_words"]));
            for (event, told) in case.events.iter().zip(audit::in_order_kept(&case.events)) {
                let at = london::rfc3339(told.at);
                out::print(csv::record([at.as_str(), &event.actor, &event.what, &told.what]));
            }
        }
        ListFormat::Json => {
            for event in &case.events {
                out::line(json(event)?);
            }
        }
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct OfSender<'a> {
    #[serde(flatten)]
    case: CaseObject<'a>,
    linked: &'a [crate::record::LinkRow],
}

fn of_sender(address: &str, rows: &[HistoryRow], today: NaiveDate, calendar: &WorkingCalendar) -> String {
    if rows.is_empty() {
        return format!("No case of {address} is on record.\n");
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let case = &row.case;
            let answered = case.answered_at.map_or_else(|| "-".to_owned(), |at| short_day(london::date(at)));
            let in_time = match case.in_time {
                Some(true) => "yes",
                Some(false) => "NO",
                None if case.standing().is_overdue(today) => "OVERDUE",
                None => "-",
            };
            vec![
                case.reference.clone(),
                short_day(london::date(case.received_at)),
                case.due_on.map_or_else(|| "-".to_owned(), short_day),
                answered,
                in_time.to_owned(),
                if case.chasers > 0 { case.chasers.to_string() } else { "-".to_owned() },
                case.step.to_string(),
                case.state.clone(),
            ]
        })
        .collect();
    let heading = ["reference", "received", "due", "answered", "in time", "chasers", "step", "state"];
    let mut text = format!("{address}\n\n{}\n", table(&heading, &cells, 100));
    for row in rows {
        text.push_str(&format!("{}\n", wrap(&history::line(&row.past(), today, calendar), 98).join("\n  ")));
        text.push_str(&format!("  \"{}\"\n", printable(&row.case.subject)));
    }
    text
}

fn of_sender_csv(rows: &[HistoryRow], today: NaiveDate) -> String {
    let mut text = csv::record([
        "reference",
        "received",
        "due",
        "extended_from",
        "answered",
        "in_time",
        "overdue",
        "chasers",
        "step",
        "state",
        "urgency",
        "queue",
        "linked",
        "subject",
    ]);
    let day = |on: Option<NaiveDate>| on.map(|on| on.to_string()).unwrap_or_default();
    for row in rows {
        let case = &row.case;
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let linked: Vec<&str> = row.linked.iter().map(|link| link.reference.as_str()).collect();
        text.push_str(&csv::record([
            case.reference.clone(),
            london::rfc3339(case.received_at),
            day(case.due_on),
            day(case.extended_from),
            case.answered_at.map(london::rfc3339).unwrap_or_default(),
            case.in_time.map(yes).unwrap_or_default(),
            yes(case.standing().is_overdue(today)),
            case.chasers.to_string(),
            case.step.to_string(),
            case.state.clone(),
            case.urgency.clone(),
            case.queue.clone(),
            linked.join(" "),
            printable(&case.subject),
        ]));
    }
    text
}

fn of_case(case: &CaseDetail) -> String {
    let rows: Vec<Vec<String>> = audit::told(&case.events)
        .into_iter()
        .map(|told| vec![moment(told.at), told.who, told.what])
        .collect();
    format!("{}\n\n{}", case.case.reference, table(&["when", "who", "what"], &rows, 110))
}
