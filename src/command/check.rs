//! `send-triage check`: configuration, rules, wording and calendar, all at once, and the rules' own examples.
//!
//! Exit 0: all may be taken into use, whatever the warnings. Exit 1: something may not; every mistake is shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::in_force::{self, Set};
use crate::rules::diagnostic::{self, Diagnostic, Severity};

use super::table::table;
use super::{CommandError, out};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Rules other than those of the configuration
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// How to print what was found: for people, as one JSON object, or one line each for editors and CI
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// With the lines, the places underlined, and a summary.
    Text,
    /// One object: ok, errors, warnings, diagnostics, files.
    Json,
    /// `file:line:column: severity: message`, one a line, as compilers print it.
    Short,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let set = match configuration(config)? {
        Err(complaints) => {
            found.extend(complaints);
            // The rules do not depend on much of it: they are looked at all the same, so that all is told at once.
            let mut example = super::config(None)?;
            example.rules = config.and_then(Config::rules_named_in);
            let refused = look_at(arguments, example).err();
            found.extend(refused.into_iter().flat_map(|refused| refused.0));
            None
        }
        Ok(config) => match look_at(arguments, config) {
            Ok(set) => Some(set),
            Err(refused) => {
                found.extend(refused.0);
                None
            }
        },
    };
    if let Some(set) = &set {
        found.extend(set.warnings.iter().cloned());
    }
    let horizon =
        set.as_ref().and_then(|set| set.policy.calendar.horizon_warning(london::date(SystemClock.now())));
    found.extend(horizon.map(|warning| Diagnostic {
        severity: Severity::Warning,
        ..Diagnostic::whole_file("working-days.yaml".to_owned(), &warning, "")
    }));
    let mistakes = count(&found, Severity::Error);
    match arguments.format {
        CheckFormat::Text => print_text(&found, set.as_ref()),
        CheckFormat::Json => out::line(as_json(&found, set.as_ref())),
        CheckFormat::Short => found.iter().for_each(|one| out::line(one.short())),
    }
    if mistakes == 0 { Ok(()) } else { Err(CommandError::Told) }
}

/// The configuration, or what is wrong with it; a file that is not there is an error of its own.
fn configuration(path: Option<&Path>) -> Result<Result<Config, Vec<Diagnostic>>, CommandError> {
    match path {
        Some(path) => Ok(Config::load_or_tell(path)),
        None => Ok(Ok(super::config(None)?)),
    }
}

fn look_at(arguments: &Arguments, mut config: Config) -> Result<Set, in_force::Refused> {
    if let Some(rules) = &arguments.rules {
        config.rules = Some(rules.clone());
    }
    in_force::load_and_try(&config)
}

fn count(found: &[Diagnostic], severity: Severity) -> usize {
    found.iter().filter(|one| one.severity == severity).count()
}

fn print_text(found: &[Diagnostic], set: Option<&Set>) {
    let (errors, warnings) = (count(found, Severity::Error), count(found, Severity::Warning));
    if errors == 0 && !found.is_empty() {
        out::line(diagnostic::listed(&few_of_each(found)));
        let hidden = found.len() - few_of_each(found).len();
        if hidden > 0 {
            out::line(format_args!(
                "{hidden} more warnings say the same of other places; `check --format short` lists them all.\n"
            ));
        }
    }
    let Some(set) = set.filter(|_| errors == 0) else {
        let mut files: Vec<&str> = found.iter().map(|one| one.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        eprintln!(
            "{}\n{} in {}. Nothing of this can be taken into use; a program that is running keeps the last good rules.",
            diagnostic::listed(found),
            several(errors, "error"),
            several(files.len(), "file")
        );
        return;
    };
    let rules = &set.policy.rules;
    let rows: Vec<Vec<String>> = rules
        .files
        .iter()
        .map(|file| {
            let warnings = found.iter().filter(|one| one.file.ends_with(&file.name)).count();
            let cell = |count: usize| if count == 0 { "-".to_owned() } else { count.to_string() };
            vec![file.name.clone(), cell(file.rules), cell(file.phrases), cell(file.examples), cell(warnings)]
        })
        .collect();
    out::line(table(&["file", "rules", "phrases", "examples passed", "warnings"], &rows, 100));
    let good = if warnings == 0 {
        "All is well".to_owned()
    } else {
        format!("It can be used, with {}", several(warnings, "warning"))
    };
    out::line(format_args!(
        "{good}: {} rules, {} phrases, {} examples passed; rules version {}.",
        rules.rules().len(),
        rules.phrases(),
        rules.examples(),
        rules.version()
    ));
}

/// So many places are shown for one and the same warning.
const SHOWN_OF_EACH: usize = 3;

/// The first few of those that say the same.
fn few_of_each(found: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let few = found.iter().filter(|one| {
        let count = seen.entry(one.problem.as_str()).or_default();
        *count += 1;
        *count <= SHOWN_OF_EACH
    });
    few.cloned().collect()
}

fn several(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn as_json(found: &[Diagnostic], set: Option<&Set>) -> serde_json::Value {
    let one = |one: &Diagnostic| {
        let ((line, column), (end_line, end_column)) = (one.position(), one.end_position());
        json!({
            "file": one.file,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "severity": one.severity.name(),
            "message": one.problem,
            "help": one.remedy,
        })
    };
    let rules = set.map(|set| &set.policy.rules);
    let files: Vec<_> = rules
        .map(|rules| rules.files.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|file| json!({"file": file.name, "rules": file.rules, "phrases": file.phrases, "examples": file.examples}))
        .collect();
    json!({
        "ok": count(found, Severity::Error) == 0,
        "errors": count(found, Severity::Error),
        "warnings": count(found, Severity::Warning),
        "diagnostics": found.iter().map(one).collect::<Vec<_>>(),
        "rules": rules.map(|rules| rules.rules().len()),
        "phrases": rules.map(|rules| rules.phrases()),
        "examples": rules.map(|rules| rules.examples()),
        "version": rules.map(|rules| rules.version()),
        "files": files,
    })
}
