//! The texts that staff edit (`rules/wording/`): loaded, checked as a whole, rendered. A text that names a field which
//! does not exist, or would show an empty one, is not taken into use; what was in force before stays.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::check;
use crate::rules::diagnostic::{Diagnostic, Severity};

/// What is wrong in a wording file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordingProblem {
    /// The file, as it was named to [`Wording::load`].
    pub file: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The column, from 1, where it is known.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl WordingProblem {
    /// The same as the rules' complaints are shown: with the line, and the place underlined.
    pub fn diagnostic(&self, source: &str) -> Diagnostic {
        let start: usize = source.split_inclusive('\n').take(self.line.saturating_sub(1)).map(str::len).sum();
        let line = source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        // What is quoted in the complaint is what is underlined, else the line from its column on.
        let named = self.problem.split('"').nth(1).unwrap_or_default();
        let column = self.column.map_or(0, |column| {
            line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
        });
        let rest = line.get(column..).unwrap_or_default();
        let (from, length) = match rest.find(named).filter(|_| !named.is_empty()) {
            Some(at) => (column + at, named.len()),
            None => (column, rest.trim_end().len()),
        };
        let range = if self.line == 0 { 0..0 } else { start + from..start + from + length };
        let mut remedy = self.remedy.replace("? the texts", "? The texts").replace("? fields", "? Fields");
        if let Some(first) = remedy.get(..1).map(str::to_uppercase) {
            remedy.replace_range(..1, &first);
        }
        if !remedy.ends_with(['.', '?', '}']) {
            remedy.push('.');
        }
        Diagnostic {
            severity: Severity::Error,
            file: self.file.clone(),
            range,
            source: source.to_owned(),
            problem: self.problem.clone(),
            remedy: Some(remedy),
        }
    }
}

impl fmt::Display for WordingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}\n  {}", self.problem, self.remedy)
    }
}

/// Why a letter could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordingError {
    /// A text failed with these facts, though it passed its check.
    #[error("{0}")]
    Text(Box<WordingProblem>),
    /// The address to be answered cannot stand in a letter.
    #[error("the address to be answered is not one that mail can be sent to")]
    Recipient,
    /// The mailbox's own address is not valid.
    #[error("the mailbox's own address is not valid; correct `address` in the configuration")]
    OwnAddress,
    /// Anything else; a fault of the program.
    #[error("the letter could not be put together: {0}")]
    Build(String),
}

impl From<WordingProblem> for WordingError {
    fn from(problem: WordingProblem) -> Self {
        Self::Text(Box::new(problem))
    }
}

/// The texts that are built in: the same files that staff find in `rules/wording/`.
pub(super) const BUILT_IN: &[(&str, &str)] = &[
    ("acknowledgement.txt", include_str!("../../rules/wording/acknowledgement.txt")),
    ("resolution.txt", include_str!("../../rules/wording/resolution.txt")),
    ("cannot-wait.txt", include_str!("../../rules/wording/cannot-wait.txt")),
    ("alert.txt", include_str!("../../rules/wording/alert.txt")),
    ("passed-on.txt", include_str!("../../rules/wording/passed-on.txt")),
    ("alerts-gathered.txt", include_str!("../../rules/wording/alerts-gathered.txt")),
    ("reminder.txt", include_str!("../../rules/wording/reminder.txt")),
    ("case-line.txt", include_str!("../../rules/wording/case-line.txt")),
    ("referral.txt", include_str!("../../rules/wording/referral.txt")),
    ("briefing.txt", include_str!("../../rules/wording/briefing.txt")),
    ("digest.txt", include_str!("../../rules/wording/digest.txt")),
    ("digest/needs-you.txt", include_str!("../../rules/wording/digest/needs-you.txt")),
    ("digest/case.txt", include_str!("../../rules/wording/digest/case.txt")),
    ("digest/service.txt", include_str!("../../rules/wording/digest/service.txt")),
    ("digest/forecast.txt", include_str!("../../rules/wording/digest/forecast.txt")),
    ("digest/sources.txt", include_str!("../../rules/wording/digest/sources.txt")),
    ("digest/chasers.txt", include_str!("../../rules/wording/digest/chasers.txt")),
    ("digest/acknowledgements.txt", include_str!("../../rules/wording/digest/acknowledgements.txt")),
    ("digest/rules.txt", include_str!("../../rules/wording/digest/rules.txt")),
    ("digest/health.txt", include_str!("../../rules/wording/digest/health.txt")),
    ("signposts/appointment.txt", include_str!("../../rules/wording/signposts/appointment.txt")),
    ("signposts/report.txt", include_str!("../../rules/wording/signposts/report.txt")),
    ("signposts/school-support.txt", include_str!("../../rules/wording/signposts/school-support.txt")),
    ("signposts/disagreement.txt", include_str!("../../rules/wording/signposts/disagreement.txt")),
    ("signposts/complaint-service.txt", include_str!("../../rules/wording/signposts/complaint-service.txt")),
    (
        "signposts/complaint-section-f.txt",
        include_str!("../../rules/wording/signposts/complaint-section-f.txt"),
    ),
    ("signposts/complaint-school.txt", include_str!("../../rules/wording/signposts/complaint-school.txt")),
    ("signposts/complaint-nhs.txt", include_str!("../../rules/wording/signposts/complaint-nhs.txt")),
];

/// One text in force.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// As named to `load`.
    pub(super) file: String,
    pub(super) text: String,
}

/// All texts in force.
#[derive(Debug)]
pub struct Wording {
    sources: BTreeMap<&'static str, Source>,
    environment: Environment<'static>,
}

/// Steps that a text may take. The longest of ours takes some hundreds; an endless loop is stopped.
const FUEL: u64 = 50_000;

impl Wording {
    /// The built-in texts.
    pub fn built_in() -> Self {
        Self::unchecked(BTreeMap::new())
    }

    /// The built-in texts, replaced by these files where they have the same name (`acknowledgement.txt`,
    /// `signposts/report.txt`; a leading `wording/` is allowed). All complaints are given, not the first.
    pub fn load(files: &[(String, String)]) -> Result<Self, Vec<WordingProblem>> {
        let mut replaced = BTreeMap::new();
        let mut problems = Vec::new();
        for (file, text) in files.iter().filter(|(file, _)| !file.ends_with(".md")) {
            let name = file.rsplit_once("wording/").map_or(file.as_str(), |(_, name)| name);
            match BUILT_IN.iter().find(|(known, _)| *known == name) {
                Some((known, _)) => {
                    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
                    replaced.insert(*known, Source { file: file.clone(), text });
                }
                None => problems.push(check::unknown_file(file, name)),
            }
        }
        let wording = Self::unchecked(replaced);
        problems.extend(check::problems(&wording));
        if problems.is_empty() { Ok(wording) } else { Err(problems) }
    }

    fn unchecked(mut replaced: BTreeMap<&'static str, Source>) -> Self {
        let mut sources = BTreeMap::new();
        for (name, text) in BUILT_IN {
            let built_in = || Source { file: format!("wording/{name}"), text: (*text).to_owned() };
            sources.insert(*name, replaced.remove(name).unwrap_or_else(built_in));
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        // A line that holds nothing but {% ... %} leaves no empty line behind.
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            environment.set_syntax(syntax);
        }
        // No values in error texts: they might be logged.
        environment.set_debug(false);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_formatter(|out, state, value| {
            use minijinja::value::ValueKind;
            match value.kind() {
                ValueKind::String | ValueKind::Number => minijinja::escape_formatter(out, state, value),
                ValueKind::Undefined | ValueKind::None => {
                    Err(Error::new(ErrorKind::UndefinedError, "there is no such field, or it is empty here"))
                }
                ValueKind::Bool => Err(Error::new(
                    ErrorKind::InvalidOperation,
                    "this field is yes or no and cannot be shown; use it as {% if name %} ... {% endif %}",
                )),
                _ => Err(Error::new(
                    ErrorKind::InvalidOperation,
                    "this field is a list and cannot be shown whole; use {% for one in name %} ... {% endfor %}",
                )),
            }
        });
        Self { sources, environment }
    }

    /// The texts, for the check.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&'static str, &Source)> {
        self.sources.iter().map(|(name, source)| (*name, source))
    }

    /// The fields that a text names but does not set, or why it cannot be read.
    pub(super) fn named_fields(&self, name: &str, source: &Source) -> Result<Vec<String>, WordingProblem> {
        let template = self
            .environment
            .template_from_named_str(name, &source.text)
            .map_err(|error| problem(&error, source))?;
        let mut fields: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        fields.sort();
        Ok(fields)
    }

    /// Renders one text with these fields.
    pub(super) fn render(
        &self,
        name: &str,
        fields: &BTreeMap<&'static str, Value>,
    ) -> Result<String, WordingProblem> {
        let Some(source) = self.sources.get(name) else {
            return Err(WordingProblem {
                file: format!("wording/{name}"),
                line: 0,
                column: None,
                problem: "this text does not exist".to_owned(),
                remedy: "restore the file".to_owned(),
            });
        };
        let rendered = self
            .environment
            .render_named_str(
                name,
                &source.text,
                Value::from_pairs(fields.iter().map(|(name, value)| (*name, value.clone()))),
            )
            .map_err(|error| problem(&error, source))?;
        Ok(rendered.trim().to_owned())
    }

    /// Divides a rendered text at its first line, `Subject: ...`.
    pub(super) fn subject_and_body(
        &self,
        name: &str,
        rendered: &str,
    ) -> Result<(String, String), WordingProblem> {
        let (first, body) = rendered.trim_start().split_once('\n').unwrap_or((rendered, ""));
        match first.trim().strip_prefix("Subject:").map(str::trim) {
            Some(subject) if !subject.is_empty() => Ok((subject.to_owned(), body.to_owned())),
            _ => Err(WordingProblem {
                file: self.sources.get(name).map(|s| s.file.clone()).unwrap_or_default(),
                line: 1,
                column: None,
                problem: "the text does not begin with its subject".to_owned(),
                remedy: "write as its first line: Subject: We have your email (ref {{ reference }})"
                    .to_owned(),
            }),
        }
    }
}

/// The template engine's words where they speak of its own business.
fn plainly(said: &str) -> &str {
    match said {
        _ if said.contains("end of variable block") => "a field that begins with {{ is not closed with }}",
        _ if said.contains("end of block") && said.contains("unexpected") => {
            "what begins with {% is not closed with %}"
        }
        other => other,
    }
}

/// A complaint of the template engine in our words.
fn problem(error: &Error, source: &Source) -> WordingProblem {
    let range = error.range();
    let (line, column) = match &range {
        Some(range) => check::place(&source.text, range.start),
        None => (error.line().unwrap_or(0), None),
    };
    let named = range.and_then(|range| source.text.get(range)).unwrap_or_default().trim();
    let said = error.detail().unwrap_or_default();
    let (problem, remedy) = match error.kind() {
        ErrorKind::SyntaxError => (
            format!("this cannot be read: {}", plainly(said)),
            "write {{ name }} for a field, {% if name %} ... {% else %} ... {% endif %} for a choice"
                .to_owned(),
        ),
        ErrorKind::UndefinedError => (
            format!("\"{named}\" has no value here"),
            "use one of the fields that rules/wording/README.md lists".to_owned(),
        ),
        ErrorKind::OutOfFuel => {
            ("the text never ends: a loop in it runs too long".to_owned(), "take the loop out".to_owned())
        }
        ErrorKind::InvalidOperation if said.contains("{%") => {
            (format!("\"{named}\" cannot be shown"), said.to_owned())
        }
        kind => (format!("{kind}: {said}"), "see rules/wording/README.md for what may be written".to_owned()),
    };
    WordingProblem { file: source.file.clone(), line, column, problem, remedy }
}
