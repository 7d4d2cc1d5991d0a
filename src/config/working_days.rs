//! The file of bank holidays, council closures and school terms, as types.

use std::path::Path;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::calendar::mention::Term;
use crate::calendar::{WorkingCalendar, check_terms};
use crate::rules::diagnostic::Diagnostic;
use crate::rules::source;

use super::shape::{self, Complaint, Day};

/// The file that is built in.
const BUILT_IN: &str = include_str!("../../config/working-days.yaml");

/// What the file says.
#[derive(Debug, Clone)]
pub struct WorkingDays {
    /// Working days.
    pub calendar: WorkingCalendar,
    /// School terms.
    pub terms: Vec<Term>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "bank holidays")]
    bank_holidays: Vec<Holiday>,
    #[serde(rename = "council closures", default)]
    closures: Vec<Closure>,
    #[serde(rename = "school terms", default)]
    terms: Vec<TermLine>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Holiday {
    #[schemars(with = "Day")]
    on: NaiveDate,
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Closure {
    #[schemars(with = "Day")]
    from: NaiveDate,
    #[schemars(with = "Day")]
    to: NaiveDate,
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TermLine {
    name: String,
    #[schemars(with = "Day")]
    first: NaiveDate,
    #[schemars(with = "Day")]
    last: NaiveDate,
    #[serde(rename = "half term")]
    #[schemars(with = "[Day; 2]")]
    half_term: (NaiveDate, NaiveDate),
}

/// The JSON Schema of the file.
pub fn schema() -> serde_json::Value {
    shape::schema_of::<File>("Bank holidays, council closures and school terms")
}

/// Reads the file, or the built-in one; all complaints, not the first.
pub fn load(path: Option<&Path>) -> Result<WorkingDays, Vec<Diagnostic>> {
    let (bytes, name) = match path {
        None => (BUILT_IN.as_bytes().to_vec(), "config/working-days.yaml".to_owned()),
        Some(path) => {
            let name = path.display().to_string();
            let bytes = std::fs::read(path).map_err(|error| {
                let problem = format!("the working days cannot be read: {error}");
                let remedy = "`working_days` in the configuration names this file: correct it there, or put the file here.";
                vec![Diagnostic::whole_file(name.clone(), &problem, remedy)]
            })?;
            (bytes, name)
        }
    };
    match source::text(&bytes) {
        Ok(text) => parse(&text, &name),
        Err(bad) => Err(vec![bad.diagnostic(&name)]),
    }
}

fn parse(text: &str, name: &str) -> Result<WorkingDays, Vec<Diagnostic>> {
    let show = |complaint: Complaint| complaint.diagnostic(name, text);
    shape::read(text, &schema(), "config/working-days.yaml")
        .map_err(|all| all.into_iter().map(show).collect::<Vec<_>>())?;
    let file: File = crate::yaml::typed(text).map_err(|error| {
        let remedy = error.remedy.unwrap_or_default();
        vec![show(Complaint { range: error.range, problem: error.problem, remedy })]
    })?;
    let holidays = file.bank_holidays.into_iter().map(|h| (h.on, h.name)).collect();
    let closures = file.closures.into_iter().map(|c| (c.from, c.to, c.name)).collect();
    let terms: Vec<Term> = file
        .terms
        .into_iter()
        .map(|t| Term { name: t.name, first: t.first, last: t.last, half_term: t.half_term })
        .collect();
    let calendar = WorkingCalendar::new(holidays, closures);
    match (calendar, check_terms(&terms)) {
        (Ok(calendar), Ok(())) => Ok(WorkingDays { calendar, terms }),
        (calendar, terms) => {
            let problems = [calendar.err(), terms.err()];
            Err(problems
                .iter()
                .flatten()
                .map(|problem| show(at_its_day(text, &problem.to_string())))
                .collect())
        }
    }
}

/// What is wrong with the days themselves; it stands where the day that it names stands.
fn at_its_day(text: &str, problem: &str) -> Complaint {
    let day = |word: &&str| word.parse::<NaiveDate>().is_ok();
    let named = problem.split(|c: char| !(c.is_ascii_digit() || c == '-')).find(day).unwrap_or_default();
    let range = text.find(named).filter(|_| !named.is_empty()).map_or(0..0, |at| at..at + named.len());
    let (problem, remedy) =
        problem.split_once(". ").unwrap_or((problem.trim_end_matches('.'), "Correct it."));
    Complaint { range, problem: problem.to_owned(), remedy: remedy.to_owned() }
}
