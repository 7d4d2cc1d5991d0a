//! `send-triage cases list`: cases by filters, as a table, one JSON object a line, or CSV. The first due comes first.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::calendar::{WorkingCalendar, london};
use crate::case::State;
use crate::config::Config;
use crate::daemon::{in_force, refusal};
use crate::memo::printable;
use crate::record::{CaseFilter, CaseRow, Records};

use super::super::colour::Colour;
use super::super::table::table;
use super::super::{CommandError, out};
use super::correct::{Area, Queue, written};
use super::{AsOf, CaseObject, ListFormat, csv, json, moment, written_date};

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// How to print them
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    /// Only those in this state; waiting is open or extended
    #[arg(long, value_enum)]
    state: Option<Which>,
    /// Only urgent or standard ones
    #[arg(long, value_enum)]
    urgency: Option<Urgency>,
    /// Only this team's
    #[arg(long, value_enum)]
    queue: Option<Queue>,
    /// Only this area's
    #[arg(long, value_enum)]
    area: Option<Area>,
    /// Only those in which an answer is owed and its day is over
    #[arg(long)]
    overdue: bool,
    /// Only those due on this day or before: 2027-01-05, "5 January", Friday
    #[arg(long, value_name = "DATE")]
    due_by: Option<String>,
    /// Only those due before this day
    #[arg(long, value_name = "DATE")]
    due_before: Option<String>,
    /// Only those in which an answer is owed within so many working days, today included; --overdue has those before
    #[arg(long, value_name = "N")]
    due_within: Option<u32>,
    /// Only those of this sender
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Only those at this step of the escalation, 1 to 4
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    step: Option<u8>,
    /// Only those in which the sender asked again, once or (=N) so often
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    chased: Option<u32>,
    /// Only those whose message is found in none of our folders
    #[arg(long)]
    missing: bool,
    /// Only questions, or only call-backs
    #[arg(long, value_enum)]
    matter: Option<Matter>,
    /// Only those whose decision a person should look at
    #[arg(long)]
    unsure: bool,
    /// Only those received on this day or after
    #[arg(long, value_name = "DATE")]
    received_since: Option<String>,
    /// Only those received on this day or before
    #[arg(long, value_name = "DATE")]
    received_until: Option<String>,
    #[command(flatten)]
    as_of: AsOf,
    /// Whether overdue and urgent lines are in colours
    #[arg(long, visible_alias = "colour", value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    Open,
    Extended,
    Answered,
    Closed,
    Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Urgency {
    Urgent,
    Standard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Matter {
    Question,
    CallBack,
}

pub(super) fn list(options: &List, records: &Records, config: &Config) -> Result<(), CommandError> {
    let today = options.as_of.day()?;
    let calendar = in_force::calendar(config)?;
    let cases = records.cases(&filter(options, today, &calendar)?)?;
    match options.format {
        ListFormat::Json => {
            for case in &cases {
                out::line(json(&CaseObject::of(case, today))?);
            }
        }
        ListFormat::Csv => out::print(as_csv(&cases, today)),
        ListFormat::Text => {
            let text = as_table(&cases, today, &calendar);
            out::print(if options.color.wanted() { coloured(&text) } else { text });
            out::print(for_a_person(records)?);
            if let Some(refused) = refusal::standing(config) {
                out::line(format_args!("Rules: {refused}"));
            }
        }
    }
    Ok(())
}

fn filter(options: &List, today: NaiveDate, calendar: &WorkingCalendar) -> Result<CaseFilter, CommandError> {
    let day = |text: &Option<String>| text.as_ref().map(|text| written_date::read(text, today)).transpose();
    let midnight = |on: NaiveDate| -> DateTime<Utc> { london::instant(on, NaiveTime::MIN) };
    let before = |on: NaiveDate| on - TimeDelta::days(1);
    let within = options.due_within.map(|days| calendar.working_day_after(today, days));
    // The narrowest of what was asked for counts.
    let due_by = [
        day(&options.due_by)?,
        day(&options.due_before)?.map(before),
        within,
        options.overdue.then(|| before(today)),
    ];
    Ok(CaseFilter {
        state: options.state.filter(|state| *state != Which::Waiting).and_then(written),
        waiting: options.state == Some(Which::Waiting) || options.overdue || within.is_some(),
        urgency: options.urgency.and_then(written),
        queue: options.queue.and_then(written),
        area: options.area.and_then(written),
        due_by: due_by.into_iter().flatten().min(),
        due_from: within.map(|_| today),
        sender: options.sender.clone(),
        step: options.step,
        chasers_at_least: options.chased,
        missing: options.missing,
        matter: options.matter.and_then(written),
        unsure: options.unsure,
        received_since: day(&options.received_since)?.map(midnight),
        received_before: day(&options.received_until)?.and_then(|on| on.succ_opt()).map(midnight),
        at_most: None,
    })
}

const WIDTH: usize = 100;

fn as_table(cases: &[CaseRow], today: NaiveDate, calendar: &WorkingCalendar) -> String {
    if cases.is_empty() {
        return "No cases.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = cases
        .iter()
        .map(|case| {
            let notes = notes(case);
            let notes = if notes.is_empty() { String::new() } else { format!("({}) ", notes.join(", ")) };
            vec![
                case.reference.clone(),
                case.due_on.map_or_else(|| "-".to_owned(), |on| due(on, today)),
                state(case, today, calendar),
                if case.urgency == "urgent" { "URGENT" } else { "-" }.to_owned(),
                case.queue.clone(),
                format!("{notes}{}", shortened(&printable(&case.subject))),
            ]
        })
        .collect();
    let mut text = table(&["reference", "due", "state", "urgent", "team", "subject"], &rows, WIDTH);
    let count = |is: &dyn Fn(&CaseRow) -> bool| cases.iter().filter(|case| is(case)).count();
    let unsure = count(&|case| case.unsure);
    text.push_str(&format!(
        "\n{} case{}, {} overdue, {} urgent, {unsure} unsure.\n",
        cases.len(),
        if cases.len() == 1 { "" } else { "s" },
        count(&|case| case.standing().is_overdue(today)),
        count(&|case| case.urgency == "urgent"),
    ));
    if unsure > 0 {
        text.push_str("(unsure): a person should look at the decision; `cases show REFERENCE` says why.\n");
    }
    text
}

/// No word is longer than the narrowest column: a stranger's long word does not break the table.
fn shortened(text: &str) -> String {
    let short = |word: &str| match word.char_indices().nth(20) {
        Some(_) => format!("{}…", word.chars().take(19).collect::<String>()),
        None => word.to_owned(),
    };
    text.split_whitespace().map(short).collect::<Vec<_>>().join(" ")
}

/// A day near enough to be told without its year.
fn due(on: NaiveDate, today: NaiveDate) -> String {
    let far = on.year() != today.year() && (on - today).num_days().abs() > 180;
    on.format(if far { "%-d %b %Y" } else { "%a %-d %b" }).to_string()
}

/// The state in a word or two; what is late in capitals.
fn state(case: &CaseRow, today: NaiveDate, calendar: &WorkingCalendar) -> String {
    let standing = case.standing();
    let name = standing.state.word();
    let days = |days: u32| if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    match (standing.state, standing.late_by(today, calendar), standing.due_on) {
        (State::Open | State::Extended, Some(0), _) => "OVERDUE".to_owned(),
        (State::Open | State::Extended, Some(late), _) => format!("OVERDUE {}", days(late)),
        (State::Open | State::Extended, None, Some(due)) if due == today => format!("{name}, TODAY"),
        (State::Open | State::Extended, None, Some(due)) => {
            format!("{name}, {}", days(calendar.working_days_between(today, due)))
        }
        (State::Answered, ..) if standing.in_time == Some(false) => "answered late".to_owned(),
        _ => name.to_owned(),
    }
}

/// What else stands out.
fn notes(case: &CaseRow) -> Vec<String> {
    let mut notes = Vec::new();
    if case.step > 1 {
        notes.push(format!("step {}", case.step));
    }
    if case.chasers > 0 {
        notes.push(format!("asked again {}", crate::case::words::times(case.chasers)));
    }
    if case.matter == "call-back" {
        notes.push("call-back".to_owned());
    }
    if case.missing_since.is_some() {
        notes.push("message MISSING".to_owned());
    }
    if case.unsure {
        notes.push("unsure".to_owned());
    }
    notes
}

/// Overdue lines red, urgent ones bold. A line that begins with blanks belongs to the one above.
fn coloured(text: &str) -> String {
    let (mut out, mut style) = (String::new(), "");
    for line in text.lines() {
        if !line.starts_with(' ') {
            style = match line {
                row if !row.starts_with("SEND-") => "",
                row if row.contains("  OVERDUE") => "\u{1b}[1;31m",
                row if row.contains("  URGENT ") => "\u{1b}[1m",
                _ => "",
            };
        }
        let end = if style.is_empty() { "" } else { "\u{1b}[0m" };
        out.push_str(&format!("{style}{line}{end}\n"));
    }
    out
}

/// The columns; new ones come last, so that what reads them by place goes on.
const COLUMNS: [&str; 23] = [
    "reference",
    "due",
    "urgency",
    "grounds",
    "queue",
    "state",
    "acknowledgement",
    "subject",
    "unsure",
    "area",
    "sender",
    "received",
    "overdue",
    "extended_from",
    "first_response_on",
    "first_response_at",
    "answered_at",
    "in_time",
    "matter",
    "step",
    "step_due_on",
    "chasers",
    "missing_since",
];

fn as_csv(cases: &[CaseRow], today: NaiveDate) -> String {
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let day = |on: Option<NaiveDate>| on.map(|on| on.to_string()).unwrap_or_default();
    let at = |at: Option<DateTime<Utc>>| at.map(london::rfc3339).unwrap_or_default();
    let mut text = csv::record(COLUMNS);
    for case in cases {
        let cells: [String; COLUMNS.len()] = [
            case.reference.clone(),
            day(case.due_on),
            case.urgency.clone(),
            case.grounds.join(" "),
            case.queue.clone(),
            case.state.clone(),
            case.acknowledgement.clone(),
            printable(&case.subject),
            yes(case.unsure),
            case.area.clone(),
            printable(case.sender.as_deref().unwrap_or_default()),
            london::rfc3339(case.received_at),
            yes(case.standing().is_overdue(today)),
            day(case.extended_from),
            day(case.first_response_on),
            at(case.first_response_at),
            at(case.answered_at),
            case.in_time.map(yes).unwrap_or_default(),
            case.matter.clone(),
            case.step.to_string(),
            day(case.step_due_on),
            case.chasers.to_string(),
            at(case.missing_since),
        ];
        text.push_str(&csv::record(cells));
    }
    text
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
