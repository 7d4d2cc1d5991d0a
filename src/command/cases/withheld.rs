//! `send-triage cases withheld`: what people wrote and got no acknowledgement for, with the reason, so that a person can send one
//! where the policy demands it (email a).

use chrono::{DateTime, NaiveTime, Utc};

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::memo::printable;
use crate::record::{MessageRow, Records};

use super::super::table::table;
use super::super::{CommandError, out};
use super::{ListFormat, csv, json, moment, written_date};

#[derive(Debug, clap::Args)]
pub(super) struct Withheld {
    /// How to print them
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    /// Since this day; without it, today's
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Those of machines, lists and colleagues too, who are never acknowledged
    #[arg(long)]
    all: bool,
}

pub(super) fn withheld(options: &Withheld, records: &Records) -> Result<(), CommandError> {
    let today = london::date(SystemClock.now());
    let since = match &options.since {
        Some(text) => written_date::read(text, today)?,
        None => today,
    };
    let since: DateTime<Utc> = london::instant(since, NaiveTime::MIN);
    let (people, machines): (Vec<_>, Vec<_>) =
        records.withheld(since)?.into_iter().partition(|message| message.kind.as_deref() == Some("person"));
    let left_out = if options.all { 0 } else { machines.len() };
    let mut messages = people;
    if options.all {
        messages.extend(machines);
    }
    // What could not be read was not acknowledged either.
    messages.extend(records.set_aside()?.into_iter().filter(|message| message.received_at >= since));
    messages.sort_by_key(|message| (message.received_at, message.message));
    match options.format {
        ListFormat::Json => {
            for message in &messages {
                out::line(json(message)?);
            }
        }
        ListFormat::Csv => {
            let heading = ["received", "sender", "subject", "reference", "due", "kind", "why"];
            out::print(csv::record(heading));
            for message in &messages {
                out::print(csv::record(cells(message, london::rfc3339(message.received_at))));
            }
        }
        ListFormat::Text => {
            out::print(text(&messages, since, left_out));
            let stuck = records.stuck()?.into_iter().filter(|effect| effect.kind == "acknowledge").count();
            if stuck > 0 {
                out::line(format_args!("{stuck} more cannot be sent; `cases list` says why."));
            }
        }
    }
    Ok(())
}

fn cells(message: &MessageRow, received: String) -> [String; 7] {
    [
        received,
        printable(message.sender.as_deref().unwrap_or_default()),
        printable(&message.subject),
        message.reference.clone().unwrap_or_default(),
        message.due_on.map(|on| on.to_string()).unwrap_or_default(),
        message.kind.clone().unwrap_or_default(),
        match (&message.withheld, &message.set_aside) {
            (Some(why), _) => printable(why),
            (None, Some(why)) => format!("set aside: {}", printable(why)),
            (None, None) => String::new(),
        },
    ]
}

fn text(messages: &[MessageRow], since: DateTime<Utc>, left_out: usize) -> String {
    let mut text = String::new();
    if messages.is_empty() {
        text.push_str(&format!("Since {}, everybody who wrote was acknowledged.\n", moment(since)));
    } else {
        let rows: Vec<Vec<String>> = messages
            .iter()
            .map(|message| {
                let [received, sender, subject, reference, _, _, why] =
                    cells(message, moment(message.received_at));
                let case = if reference.is_empty() { "no case".to_owned() } else { reference };
                vec![received, case, sender, format!("{why} (\"{subject}\")")]
            })
            .collect();
        text.push_str(&table(&["received", "case", "sender", "why no acknowledgement was sent"], &rows, 130));
        text.push_str(&format!("{} without an acknowledgement since {}.\n", messages.len(), moment(since)));
    }
    if left_out > 0 {
        text.push_str(&format!(
            "{left_out} more from machines, lists and colleagues, who never get one; --all lists them.\n"
        ));
    }
    text
}
