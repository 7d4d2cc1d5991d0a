//! `send-triage evaluate`: the rules measured against labelled messages. The figures are [`score`]'s, their printing `figures`'.

use std::path::{Path, PathBuf};

use crate::daemon::in_force;
use crate::triage::score::{self, Label};

use super::explain::Explained;
use super::{CommandError, Format, figures, out, when};

/// Rules are written with some messages in view and measured on others; every third is held back by convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Messages whose number can be divided by three: d-003.eml, d-006.eml, ...
    HeldBack,
    /// All others, those without a number among them.
    WorkedOn,
}

impl Part {
    fn has(self, file: &str) -> bool {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let digits = stem.trim_end_matches(|c: char| !c.is_ascii_digit());
        let start = digits.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        // The sum of its digits tells as well, and no number is too long for it.
        let number = digits.get(start..).unwrap_or_default();
        let sum: u32 = number.bytes().map(|digit| u32::from(digit - b'0') % 3).sum();
        let held_back = !number.is_empty() && sum.is_multiple_of(3);
        held_back == (self == Self::HeldBack)
    }
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print the figures
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Rules other than those of the configuration
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Only every third message by its file's number, or only the others
    #[arg(long, value_enum, value_name = "PART")]
    only: Option<Part>,
    /// A folder of .eml files and their labels.jsonl
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let mut config = super::config(config)?;
    if let Some(rules) = &arguments.rules {
        config.rules = Some(rules.clone());
    }
    let set = in_force::load(&config)?;
    let mut pairs = Vec::new();
    let wanted = |label: &Label| arguments.only.is_none_or(|part| part.has(&label.file));
    for label in labels(&arguments.folder)?.into_iter().filter(wanted) {
        let path = arguments.folder.join(&label.file);
        let raw = std::fs::read(&path)
            .map_err(|error| CommandError::Input(format!("{}: cannot be read: {error}", path.display())))?;
        let received =
            when::read(&label.received).map_err(|e| CommandError::Input(format!("{}: {e}", label.file)))?;
        super::explain::check_mailbox(Some(&label.mailbox), &config)?;
        let explained = Explained::new(&label.file, &raw, Some(received), Some(&label.mailbox), &set);
        let decision = explained.decision;
        pairs.push((label, decision));
    }
    let score = score::score(&pairs);
    match arguments.format {
        Format::Json => {
            let json = serde_json::to_string(&score).map_err(|e| CommandError::Outside(e.to_string()))?;
            out::line(format_args!("{json}"));
        }
        Format::Text => out::print(figures::as_text(&score)),
    }
    Ok(())
}

fn labels(folder: &Path) -> Result<Vec<Label>, CommandError> {
    let path = folder.join("labels.jsonl");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        CommandError::Input(format!(
            "{}: cannot be read: {error}\n  `evaluate` needs a folder with .eml files and a labels.jsonl, one line for each.",
            path.display()
        ))
    })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line)
                .map_err(|error| CommandError::Input(format!("{}:{}: {error}", path.display(), number + 1)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn every_third_message_is_held_back_by_its_number() {
        for (file, held_back) in [
            ("d-003.eml", true),
            ("d-004.eml", false),
            ("012.eml", true),
            ("2026-007b.eml", false),
            ("folder/33.eml", true),
            ("letter.eml", false),
            ("99999999999999999999999999999999999999999.eml", true),
        ] {
            assert_eq!(Part::HeldBack.has(file), held_back, "{file}");
            assert_eq!(Part::WorkedOn.has(file), !held_back, "{file}");
        }
    }
}
