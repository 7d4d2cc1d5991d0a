//! `send-triage evaluate`: the rules measured against labelled messages.

use std::path::{Path, PathBuf};

use crate::daemon::in_force;
use crate::triage::Decision;
use crate::triage::score::{self, Choice, Counts, Label, Score};

use super::explain::{Explained, trace_as_text};
use super::table::table;
use super::{CommandError, Format, out, when};

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
        Format::Text => out::print(as_text(&score, &pairs)),
    }
    Ok(())
}

fn as_text(score: &Score, pairs: &[(Label, Decision)]) -> String {
    let choice = |name: &str, c: &Choice| {
        vec![
            name.to_owned(),
            format!("{:.3}", c.accuracy),
            String::new(),
            String::new(),
            format!("{} of {}", c.right, c.of),
        ]
    };
    let counts = |name: &str, c: &Counts| {
        let (precision, recall, f1) = (c.precision, c.recall, c.f1);
        let detail = format!("{} found, {} missed, {} false", c.hits, c.missed, c.false_alarms);
        vec![name.to_owned(), format!("{precision:.3}"), format!("{recall:.3}"), format!("{f1:.3}"), detail]
    };
    let mut rows = vec![
        counts("urgent", &score.urgent),
        counts("grounds U1 to U10", &score.grounds),
        choice("kind", &score.kind),
        choice("acknowledge", &score.acknowledge),
        choice("queue", &score.queue),
        choice("area", &score.area),
        counts("chaser", &score.chaser),
        choice("chaser, its time", &score.chaser_timing),
        counts("leadership referral", &score.refer_leadership),
        counts("claimed urgent", &score.claimed_urgent),
        counts("signposts", &score.signposts),
    ];
    rows.extend(score.each_ground.iter().map(|(id, c)| counts(&format!("  {id}"), c)));
    rows.extend(score.each_signpost.iter().map(|(id, c)| counts(&format!("  {id}"), c)));
    let heading = ["label", "precision / accuracy", "recall", "F1", "counts"];
    let mut out = format!("{} messages\n\n{}", score.messages, table(&heading, &rows, 110));
    out.push_str(&format!("\nautomatic messages acknowledged: {}\n", score.automatic_acknowledged));
    out.push_str(&format!(
        "marked for a human look: {:.1} %, among them {:.0} % of what was decided wrongly\n",
        100.0 * score.unsure_share,
        100.0 * score.unsure_among_wrong
    ));
    out.push_str("\nqueue: rows are right, columns are what was given\n");
    for (right, given) in &score.queue.confusion {
        let given: Vec<String> = given.iter().map(|(name, n)| format!("{name} {n}")).collect();
        out.push_str(&format!("  {right:<20}{}\n", given.join(", ")));
    }
    out.push_str(&format!("\n{} mistakes\n", score.mistakes.len()));
    for mistake in &score.mistakes {
        let unsure = if mistake.unsure { " (unsure)" } else { "" };
        out.push_str(&format!(
            "\n{}: {} should be {}, is {}{unsure}\n",
            mistake.file, mistake.label, mistake.wanted, mistake.got
        ));
        let decision =
            pairs.iter().find(|(label, _)| label.file == mistake.file).map(|(_, decision)| decision);
        out.push_str(&decision.map(trace_as_text).unwrap_or_default());
    }
    out
}

pub(super) fn labels(folder: &Path) -> Result<Vec<Label>, CommandError> {
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
