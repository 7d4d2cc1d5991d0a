//! The file of bank holidays, council closures and school terms, as types.

use std::path::Path;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::calendar::mention::Term;
use crate::calendar::{WorkingCalendar, check_terms};

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "bank holidays")]
    bank_holidays: Vec<Holiday>,
    #[serde(rename = "council closures", default)]
    closures: Vec<Closure>,
    #[serde(rename = "school terms", default)]
    terms: Vec<TermLine>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    on: NaiveDate,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closure {
    from: NaiveDate,
    to: NaiveDate,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermLine {
    name: String,
    first: NaiveDate,
    last: NaiveDate,
    #[serde(rename = "half term")]
    half_term: (NaiveDate, NaiveDate),
}

/// Reads the file, or the built-in one; the error is ready to print.
pub fn load(path: Option<&Path>) -> Result<WorkingDays, String> {
    let (text, name) = match path {
        None => (BUILT_IN.to_owned(), "working-days.yaml (built in)".to_owned()),
        Some(path) => (
            std::fs::read_to_string(path).map_err(|error| {
                format!("{}: the working days cannot be read: {error}. `working_days` in the configuration names this file.", path.display())
            })?,
            path.display().to_string(),
        ),
    };
    parse(&text, &name)
}

fn parse(text: &str, name: &str) -> Result<WorkingDays, String> {
    let file: File = crate::yaml::typed(text).map_err(|error| super::excerpt(error, name, text))?;
    let holidays = file.bank_holidays.into_iter().map(|h| (h.on, h.name)).collect();
    let closures = file.closures.into_iter().map(|c| (c.from, c.to, c.name)).collect();
    let terms: Vec<Term> = file
        .terms
        .into_iter()
        .map(|t| Term { name: t.name, first: t.first, last: t.last, half_term: t.half_term })
        .collect();
    let calendar =
        WorkingCalendar::new(holidays, closures).map_err(|problem| format!("{name}: {problem}"))?;
    check_terms(&terms).map_err(|problem| format!("{name}: {problem}"))?;
    Ok(WorkingDays { calendar, terms })
}
