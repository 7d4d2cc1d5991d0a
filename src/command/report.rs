//! `send-triage report`: the digest's figures for any period, for the annual policy review; and the decision slip of one case.
//! Reads the record, changes nothing.

use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::ValueEnum;

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::{in_force, refusal};
use crate::digest::report::{self, csv as sheet, page};
use crate::digest::{Ask, Period, RuleName, Scope};
use crate::record::Records;

use super::cases::{csv, written_date};
use super::{CommandError, out};

mod case;

/// Periods longer than this are told month by month.
const WEEKS_AT_MOST: i64 = 26 * 7;
/// Cases of a kind that a report lists.
const ROWS: usize = 100;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For the terminal: only with --case.
    Text,
    /// One HTML page that needs no other file, for showing and printing.
    Html,
    /// One figure a line, for a spreadsheet: not with --case.
    Csv,
    /// For programs.
    Json,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["from", "case"])))]
pub struct Arguments {
    /// The first day: 2026-09-01, "1 September", "last Monday"
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last day; without it, yesterday
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<String>,
    /// Only these teams; more than one with commas
    #[arg(long, value_name = "QUEUE", value_delimiter = ',', requires = "from")]
    queue: Vec<String>,
    /// Only these areas: east, west, unknown
    #[arg(long, value_name = "AREA", value_delimiter = ',', requires = "from")]
    area: Vec<String>,
    /// The decision slip of this case instead: what was decided, by which rules, how the days were counted
    #[arg(long, value_name = "REFERENCE", conflicts_with = "from")]
    case: Option<String>,
    /// With --case: also the sender, the subject and the words that the decision rests on
    #[arg(long, requires = "case")]
    names: bool,
    /// html, csv or json; without it html, and text for a case
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// How things stand is counted as on this day; without it, today
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = super::own_config(config)?;
    let records = Records::open_read_only(&config.database)?;
    let now = now(arguments.as_of.as_deref())?;
    match (&arguments.case, &arguments.from) {
        (Some(reference), _) => case::run(reference, arguments, &records, &config, now),
        (None, Some(from)) => of_period(from, arguments, &records, &config, now),
        (None, None) => Err(CommandError::Input("Give --from DATE, or --case REFERENCE.".to_owned())),
    }
}

fn now(as_of: Option<&str>) -> Result<DateTime<Utc>, CommandError> {
    let now = SystemClock.now();
    let Some(text) = as_of else { return Ok(now) };
    let day = written_date::read(text, london::date(now))?;
    // When the digest would be made.
    Ok(london::instant(day, NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default()))
}

fn of_period(
    from: &str,
    arguments: &Arguments,
    records: &Records,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<(), CommandError> {
    let today = london::date(now);
    let from = written_date::read_past(from, today)?;
    let to = match &arguments.to {
        Some(to) => written_date::read_past(to, today)?,
        None => today.pred_opt().unwrap_or(today),
    };
    let period = period(from, to)?;
    let calendar = in_force::calendar(config)?;
    let length = (period.to - period.from).num_days();
    let ask = Ask {
        scope: scope(arguments)?,
        spans: if length > WEEKS_AT_MOST { period.months() } else { period.weeks() },
        target_working_days: config.deadlines.answer_within_working_days,
        rules: rules(config),
        refused_edit: refusal::standing(config),
        rows: ROWS,
        ..Ask::new(period, now, &calendar)
    };
    let figures = records.figures(&ask)?;
    match arguments.format.unwrap_or(Format::Html) {
        Format::Html => out::print(page::html(&report::report(&figures))),
        Format::Json => {
            let json = serde_json::to_string(&figures);
            out::line(json.map_err(|error| CommandError::Outside(error.to_string()))?);
        }
        Format::Csv => {
            out::print(csv::record(sheet::HEADING));
            for row in sheet::rows(&figures) {
                out::print(csv::record(row));
            }
        }
        Format::Text => {
            let remedy = "A report of a period is html, csv or json; --format text goes with --case.";
            return Err(CommandError::Input(remedy.to_owned()));
        }
    }
    Ok(())
}

fn period(from: NaiveDate, to: NaiveDate) -> Result<Period, CommandError> {
    if to < from {
        let problem =
            format!("The report would end ({to}) before it begins ({from}). Give the earlier day to --from.");
        return Err(CommandError::Input(problem));
    }
    // Longer than any record; a slip in the year would otherwise ask for thousands of months.
    if (to - from).num_days() > 366 * 20 {
        return Err(CommandError::Input(format!(
            "From {from} to {to} is more than 20 years: is the year right?"
        )));
    }
    Ok(Period { from, to })
}

fn scope(arguments: &Arguments) -> Result<Scope, CommandError> {
    const QUEUES: [&str; 5] =
        ["general", "assessment", "annual-review-east", "annual-review-west", "resolution"];
    let known = |what: &str, given: &[String], known: &[&str]| {
        let words: Vec<String> = given.iter().map(|word| word.trim().to_ascii_lowercase()).collect();
        match words.iter().find(|word| !known.contains(&word.as_str())) {
            Some(unknown) => Err(CommandError::Input(format!(
                "There is no {what} `{unknown}`. There are: {}.",
                known.join(", ")
            ))),
            None => Ok(words),
        }
    };
    Ok(Scope {
        queues: known("team", &arguments.queue, &QUEUES)?,
        areas: known("area", &arguments.area, &["east", "west", "unknown"])?,
    })
}

/// The rules in force; where they do not pass, nothing is said of those that never speak.
fn rules(config: &Config) -> Option<Vec<RuleName>> {
    let set = in_force::load(config).ok()?;
    let rules = set.policy.rules.rules().iter();
    Some(rules.map(|rule| RuleName { id: rule.id.clone(), title: rule.title.clone() }).collect())
}
