//! `send-triage evaluate`: the rules measured against labelled messages.

use std::path::{Path, PathBuf};

use crate::daemon::in_force;
use crate::triage::score::{self, Label};

use super::explain::Explained;
use super::{CommandError, Format, when};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print the figures
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Rules other than those of the configuration
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
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
    for label in labels(&arguments.folder)? {
        let path = arguments.folder.join(&label.file);
        let raw = std::fs::read(&path)
            .map_err(|error| CommandError::Input(format!("{}: cannot be read: {error}", path.display())))?;
        let received = when::read(&label.received).map_err(|e| CommandError::Input(format!("{}: {e}", label.file)))?;
        super::explain::check_mailbox(Some(&label.mailbox), &config)?;
        let explained = Explained::new(&label.file, &raw, Some(received), Some(&label.mailbox), &set);
        let decision = explained.decision;
        pairs.push((label, decision));
    }
    let score = score::score(&pairs);
    match arguments.format {
        Format::Json => {
            let json = serde_json::to_string(&score).map_err(|e| CommandError::Outside(e.to_string()))?;
            println!("{json}");
        }
        Format::Text => println!("{score}"),
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
