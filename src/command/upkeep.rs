//! `send-triage backup`, `purge`, `export`: looking after the record, by hand and while the daemon runs. What the daemon does of
//! it by itself is `daemon/upkeep.rs`.

use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::clock::{Clock, SystemClock};
use crate::config::Retention;
use crate::record::{Left, Purged, RecordError, Records};

use super::{CommandError, out, own_config};

/// So many cases at once, so that the daemon can write in between.
const AT_ONCE: usize = 100;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The file that is made; for its owner alone
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

/// Copies the record.
pub fn backup(arguments: &Backup, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let records = Records::open_read_only(&config.database)?;
    let there = arguments.file.symlink_metadata().is_ok();
    let standing = records.backup(&arguments.file, arguments.force).map_err(|error| match error {
        // Asked for, and not a failure of the disk.
        RecordError::CannotOpen { .. } if there && !arguments.force => CommandError::Input(error.to_string()),
        error => error.into(),
    })?;
    let size = arguments.file.metadata().map(|about| about.len()).unwrap_or_default();
    out::line(format_args!(
        "{}: {} messages, {} open cases, {} KiB; checked. To restore it, see docs/operations.md.",
        arguments.file.display(),
        standing.messages,
        standing.open_cases,
        size.div_ceil(1024)
    ));
    Ok(())
}

/// What is purged.
#[derive(Debug, clap::Args)]
pub struct Purge {
    /// Everything about the person with this address, instead of what has been settled for long
    #[arg(long, value_name = "ADDRESS", conflicts_with = "months")]
    address: Option<String>,
    /// Settled for so many months; without it, `retention.months` of the configuration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    months: Option<u32>,
    /// Only say what would be purged
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Takes people out of the record.
pub fn purge(arguments: &Purge, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    // Looked at first: what an older or newer version wrote is told, and not changed.
    drop(Records::open_read_only(&config.database)?);
    let records = Records::open_to_change(&config.database)?;
    match &arguments.address {
        Some(address) => purge_person(arguments, &address_of(address)?, &records),
        None => {
            let retention = arguments.months.map_or(config.retention, |months| Retention { months });
            purge_settled(arguments, retention, &records)
        }
    }
}

fn purge_settled(arguments: &Purge, retention: Retention, records: &Records) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let Some(before) = retention.before(now) else {
        let problem = "`retention.months` is 0: nothing is ever purged. Say how long with --months N.";
        return Err(CommandError::Input(problem.to_owned()));
    };
    let would = records.would_purge(before)?;
    let settled = format!("settled before {}", before.format("%-d %B %Y"));
    if would.is_nothing() {
        out::line(format_args!("Nothing that was {settled} names anybody."));
        return Ok(());
    }
    if arguments.dry_run {
        out::line(format_args!("Would be purged, {settled}: {}.", counted(would)));
        return Ok(());
    }
    let question = format!(
        "The people in what was {settled} are taken out of the record for good: {}. Dates and counts stay.",
        counted(would)
    );
    confirm(&question, arguments.yes)?;
    let mut all = Purged::default();
    loop {
        let purged = records.purge_settled(before, AT_ONCE, now)?;
        if purged.is_nothing() {
            break;
        }
        all = all.and(purged);
    }
    records.tidy()?;
    out::line(format_args!("Purged: {}.", counted(all)));
    remind();
    Ok(())
}

fn purge_person(arguments: &Purge, address: &str, records: &Records) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let (would, left) = records.would_purge_person(address, now)?;
    if would.is_nothing() && left.is_empty() && records.export_person(address, now)?.is_none() {
        out::line("The record knows nothing of this address.");
        return Ok(());
    }
    if arguments.dry_run {
        out::line(format_args!(
            "Would be purged: {}, and the address wherever else it stands.",
            counted(would)
        ));
        return say_left(&left);
    }
    let question = format!(
        "Everything about this address is taken out of the record for good: {}. Dates and counts stay.",
        counted(would)
    );
    confirm(&question, arguments.yes)?;
    let (purged, left) = records.purge_person(address, now)?;
    records.tidy()?;
    out::line(format_args!("Purged: {}.", counted(purged)));
    remind();
    say_left(&left)
}

fn counted(purged: Purged) -> String {
    let of =
        |number: usize, one: &str, more: &str| format!("{number} {}", if number == 1 { one } else { more });
    let mut text =
        format!("{}, {}", of(purged.cases, "case", "cases"), of(purged.messages, "message", "messages"));
    if purged.notices > 0 {
        text += &format!(", {}", of(purged.notices, "letter to staff", "letters to staff"));
    }
    text
}

fn remind() {
    out::line(
        "Backups made before, and the mail itself in the mailboxes, still hold what they held: see docs/data-protection.md.",
    );
}

/// What was left is a fault only in that something is still to be done.
fn say_left(left: &[Left]) -> Result<(), CommandError> {
    if left.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = left.iter().map(|left| format!("  {}: {}", left.what, left.why)).collect();
    Err(CommandError::Input(format!("Not everything could be purged:\n{}", lines.join("\n"))))
}

/// Asks on the terminal. Where there is none, nobody can have meant it without `--yes`.
fn confirm(question: &str, yes: bool) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::Input(format!(
            "{question} Nothing was done: say --yes to do it, or --dry-run to look."
        )));
    }
    eprint!("{question}\nGo on? (yes/no) ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(CommandError::Input("Nothing was done.".to_owned())),
    }
}

/// Whose data.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The person's address
    #[arg(long, value_name = "ADDRESS")]
    address: String,
    /// The file that is made, for its owner alone; without it, standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints everything about one person.
pub fn export(arguments: &Export, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let address = address_of(&arguments.address)?;
    let records = Records::open_read_only(&config.database)?;
    let Some(found) = records.export_person(&address, SystemClock.now())? else {
        return Err(CommandError::Input("The record knows nothing of this address.".to_owned()));
    };
    let text =
        serde_json::to_string_pretty(&found).map_err(|error| CommandError::Outside(error.to_string()))?;
    match &arguments.output {
        None => out::line(text),
        Some(path) => {
            let mut options = std::fs::OpenOptions::new();
            let made = options.write(true).create_new(true).mode(0o600).open(path);
            let written = made.and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.write_all(b"\n")?;
                file.sync_all()
            });
            written.map_err(|error| {
                let remedy = match error.kind() {
                    std::io::ErrorKind::AlreadyExists => "Name another file, or remove this one first.",
                    _ => "Name another file, or look at the disk.",
                };
                CommandError::Outside(format!("{}: cannot be written: {error}. {remedy}", path.display()))
            })?;
        }
    }
    eprintln!(
        "It names other people too (who was written to, who answered): read it through before you hand it out. The emails \
         themselves are in the mailboxes, not in the record."
    );
    Ok(())
}

fn address_of(text: &str) -> Result<String, CommandError> {
    let address = text.trim().trim_matches(['<', '>']).to_lowercase();
    match address.split_once('@') {
        Some((local, domain))
            if !local.is_empty() && !domain.is_empty() && !address.contains(char::is_whitespace) =>
        {
            Ok(address)
        }
        _ => Err(CommandError::Input(format!("`{text}` is no address. Write it as name@domain.example."))),
    }
}
