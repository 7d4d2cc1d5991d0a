//! `send-triage cases`: what is on record, and what staff say of it. Each subcommand has a file below `cases/`; here is what
//! they share. The daemon may go on meanwhile: it reads the record anew for whatever it does.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Subcommand;

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::record::{CaseDetail, CaseRow, Records};
use crate::rules::diagnostic;

use super::{CommandError, own_config, when};

mod answer;
pub(super) mod audit;
mod close;
mod correct;
pub(super) mod csv;
mod deed;
mod extend;
mod history;
mod list;
mod reassign;
mod reopen;
mod show;
mod withheld;
pub(super) mod written_date;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Cases, the first due first
    List(list::List),
    /// Everything about one case
    Show(show::Show),
    /// Says that a case was answered: by telephone, or by a mail that was not seen
    Answer(answer::Answer),
    /// Says that the answer takes longer, and until when
    Extend(extend::Extend),
    /// Opens a case again that was answered or closed
    Reopen(reopen::Reopen),
    /// Says that nothing is owed in a case
    Close(close::Close),
    /// Gives a case to another team, or makes it urgent or standard
    Reassign(reassign::Reassign),
    /// Every case of one sender, or what happened to one case
    History(history::History),
    /// Messages that got no acknowledgement, and why, so that a person can send one
    Withheld(withheld::Withheld),
    /// Says what is right about a case that was decided otherwise
    Correct(correct::Correct),
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let records = Records::open_read_only(&config.database)?;
    match &arguments.what {
        What::List(options) => list::list(options, &records, &config),
        What::Show(options) => show::show(options, &records, &config),
        What::Answer(options) => answer::answer(options, &records, &config),
        What::Extend(options) => extend::extend(options, &records, &config),
        What::Reopen(options) => reopen::reopen(options, &records, &config),
        What::Close(options) => close::close(options, &records, &config),
        What::Reassign(options) => reassign::reassign(options, &records, &config),
        What::History(options) => history::history(options, &records, &config),
        What::Withheld(options) => withheld::withheld(options, &records),
        What::Correct(options) => correct::correct(options, &records, &config),
    }
}

/// A table, one JSON object a line, or CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ListFormat {
    /// A table.
    Text,
    /// One object a line.
    Json,
    /// Comma-separated values, with a heading.
    Csv,
}

/// The day as on which things are looked at.
#[derive(Debug, clap::Args)]
struct AsOf {
    /// Count as on this day: what will be overdue then? Without it, today
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

impl AsOf {
    fn day(&self) -> Result<NaiveDate, CommandError> {
        let today = london::date(SystemClock.now());
        match &self.as_of {
            Some(text) => written_date::read(text, today),
            None => Ok(today),
        }
    }
}

/// A case as lists and changes print it in JSON: its row, and what follows from the day.
#[derive(serde::Serialize)]
struct CaseObject<'a> {
    #[serde(flatten)]
    case: &'a CaseRow,
    /// An answer is owed and its day is over.
    overdue: bool,
}

impl<'a> CaseObject<'a> {
    fn of(case: &'a CaseRow, today: NaiveDate) -> Self {
        Self { case, overdue: case.standing().is_overdue(today) }
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, CommandError> {
    serde_json::to_string(value).map_err(|error| CommandError::Outside(error.to_string()))
}

/// The case with this reference.
pub(super) fn known_case(reference: &str, records: &Records) -> Result<CaseDetail, CommandError> {
    match records.case(reference)? {
        Some(case) => Ok(case),
        None => Err(no_such_case(reference, records)?),
    }
}

/// What is said about a reference that no case has, with the one that was perhaps meant.
fn no_such_case(reference: &str, records: &Records) -> Result<CommandError, CommandError> {
    let plain = |text: &str| {
        let text: String =
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
        text.strip_prefix("SEND").map(str::to_owned).unwrap_or(text)
    };
    let written = plain(reference);
    let all = records.references()?;
    let bare: Vec<String> = all.iter().map(|reference| plain(reference)).collect();
    let nearest =
        diagnostic::nearest(&written, bare.iter().map(String::as_str)).filter(|_| !written.is_empty());
    let nearest = nearest.and_then(|nearest| all.iter().zip(&bare).find(|(_, plain)| *plain == nearest));
    let remedy = match nearest {
        Some((meant, _)) => format!("Did you mean {meant}?"),
        None => "References look like SEND-7K4M-2Q9X.".to_owned(),
    };
    Ok(CommandError::Input(format!(
        "There is no case {}. {remedy} `send-triage cases list` lists them.",
        reference.trim()
    )))
}

/// An instant as people in London read it: `Mon 16 Nov 2026 09:12`.
fn moment(at: DateTime<Utc>) -> String {
    format!("{} {}", short_day(london::date(at)), london::time(at).format("%H:%M"))
}

/// `Mon 16 Nov 2026`.
fn short_day(on: NaiveDate) -> String {
    on.format("%a %-d %b %Y").to_string()
}

/// Points in time as the commands take them; a bare day is taken as its noon.
fn instant(text: &str, today: NaiveDate) -> Result<DateTime<Utc>, CommandError> {
    when::read(text).or_else(|complaint| {
        let noon = chrono::NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
        let day = written_date::read(text, today).map_err(|_| CommandError::Input(complaint))?;
        Ok(london::instant(day, noon))
    })
}
