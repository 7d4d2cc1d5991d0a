//! The commands: one file for each, its arguments beside its work; here their list and the exit codes.
//!
//! 0: done. 1: the input or the configuration is at fault. 2: wrong usage. 3: something outside (server, disk) failed.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, ConfigError};
use crate::daemon::in_force::Refused;
use crate::record::RecordError;

mod cases;
mod check;
mod colour;
mod demo;
mod digest;
mod doctor;
mod due;
mod evaluate;
mod examples;
mod explain;
mod figures;
mod health;
mod learn;
mod manual;
mod out;
mod past;
mod rebuild;
mod replay;
mod report;
mod run;
mod schema;
mod suggest;
mod table;
mod upkeep;
mod when;

/// Above the options that every command has.
const FOR_ALL: &str = "For every command";

/// Looks after a council's SEND mailboxes: acknowledges, decides urgent or standard, routes, and keeps the deadline.
#[derive(Debug, Parser)]
#[command(name = "send-triage", version, max_term_width = 110)]
struct Arguments {
    /// The configuration; without it /etc/send-triage/send-triage.yaml, and for demo, explain, evaluate, replay, due, check and
    /// digest --sample the built-in example
    #[arg(long, global = true, value_name = "FILE", help_heading = FOR_ALL, display_order = 900)]
    config: Option<PathBuf>,
    /// How log lines look: for people, or as JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Human, help_heading = FOR_ALL, display_order = 901)]
    log: LogFormat,
    /// Log lines from this level on; without it info, and warn for the demo
    #[arg(long, global = true, value_enum, value_name = "LEVEL", help_heading = FOR_ALL, display_order = 902)]
    log_level: Option<LogLevel>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Human,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl LogLevel {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The daemon: watches, acknowledges, decides, files, until it is told to stop
    Run(run::Arguments),
    /// The whole journey on a folder of example messages; letters and filed messages are written as files
    Demo(demo::Arguments),
    /// Validates configuration, rules, wording and calendar, and runs the rules' examples
    Check(check::Arguments),
    /// Connects to every account and reports what works, what is missing, and how to mend it
    Doctor(doctor::Arguments),
    /// How the daemon is, from the file that it writes; for whatever watches the machine
    Health(health::Arguments),
    /// What would be decided about these messages, and why; changes nothing
    Explain(explain::Arguments),
    /// Measures the rules against labelled messages
    Evaluate(evaluate::Arguments),
    /// Which past messages would be decided differently by other rules; changes nothing
    Replay(replay::Arguments),
    /// What staff corrected, and which rule to look at; changes no rule
    Suggest(suggest::Arguments),
    /// Learns from labelled messages how much each word speaks for a rule, and writes learned.csv
    Learn(learn::Arguments),
    /// When the answer is due to a message received at these times, and how that was counted
    Due(due::Arguments),
    /// The cases on record: looked at, and what staff say of them
    Cases(cases::Arguments),
    /// The weekly digest for managers: looked at, or sent now
    Digest(digest::Arguments),
    /// The digest's figures for any period, and the decision slip of a case
    Report(report::Arguments),
    /// Copies the record into a file, while the daemon runs, and checks the copy
    Backup(upkeep::Backup),
    /// Makes the record anew from the mailboxes, or adds to a restored backup what came since
    Rebuild(rebuild::Arguments),
    /// Takes the people out of what has been settled for long, or out of everything about one address
    Purge(upkeep::Purge),
    /// Everything that is kept about one address, as JSON
    Export(upkeep::Export),
    /// The JSON Schemas of configuration and rules for editors, and the page of all keys of the configuration
    Schema(schema::Arguments),
    /// Writes the man pages, made from these very definitions; for whoever packages the program
    #[command(hide = true)]
    Man(manual::Man),
    /// Prints the completions for a shell, made from these very definitions
    #[command(hide = true)]
    Completions(manual::Completions),
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one object a line.
    Json,
}

/// Why a command failed: the text to print, and by its kind the exit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The input or the configuration is at fault.
    #[error("{0}")]
    Input(String),
    /// Something outside failed: a server, a disk.
    #[error("{0}")]
    Outside(String),
    /// The input is at fault, and that has been printed already.
    #[error("")]
    Told,
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<Refused> for CommandError {
    fn from(refused: Refused) -> Self {
        Self::Input(refused.to_string())
    }
}

impl From<RecordError> for CommandError {
    fn from(error: RecordError) -> Self {
        Self::Outside(error.to_string())
    }
}

impl CommandError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Told => 1,
            Self::Outside(_) => 3,
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::from_arg_matches(&examples::command().get_matches()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let usual = if matches!(arguments.command, Command::Demo(_)) { LogLevel::Warn } else { LogLevel::Info };
    start_log(arguments.log, arguments.log_level.unwrap_or(usual).name());
    mute_panics();
    let config = arguments.config.as_deref();
    let result = match arguments.command {
        Command::Run(a) => run::run(&a, config),
        Command::Demo(a) => demo::run(&a),
        Command::Check(a) => check::run(&a, config),
        Command::Doctor(a) => doctor::run(&a, config),
        Command::Health(a) => health::run(&a, config),
        Command::Explain(a) => explain::run(&a, config),
        Command::Evaluate(a) => evaluate::run(&a, config),
        Command::Replay(a) => replay::run(&a, config),
        Command::Suggest(a) => suggest::run(&a, config),
        Command::Learn(a) => learn::run(&a),
        Command::Due(a) => due::run(&a, config),
        Command::Cases(a) => cases::run(&a, config),
        Command::Digest(a) => digest::run(&a, config),
        Command::Report(a) => report::run(&a, config),
        Command::Backup(a) => upkeep::backup(&a, config),
        Command::Rebuild(a) => rebuild::run(&a, config),
        Command::Purge(a) => upkeep::purge(&a, config),
        Command::Export(a) => upkeep::export(&a, config),
        Command::Schema(a) => schema::run(&a),
        Command::Man(a) => manual::man(&a),
        Command::Completions(a) => manual::completions(&a),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = error.to_string();
            if error == CommandError::Told {
                // It stands on standard output, where editors and CI look for it.
            } else if text.starts_with("error") {
                eprintln!("{text}")
            } else {
                eprintln!("error: {text}")
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// Logs go to standard error. Libraries that would print passwords or people's words are kept quiet whatever is asked.
fn start_log(format: LogFormat, level: &str) {
    let filter = EnvFilter::new(format!(
        "off,send_triage={level},async_imap=off,imap_proto=off,rustls=off,lettre=off,html2text=off"
    ));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Human => builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// A panic's own words may quote the text at which it happened, and that text may be a parent's. Only its place is told.
fn mute_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!("A fault of the program at {place}; please report it.");
    }));
}

/// The configuration that was named, or the built-in example.
fn config(path: Option<&Path>) -> Result<Config, CommandError> {
    match path {
        Some(path) => Ok(Config::load(path)?),
        None => {
            Ok(Config::parse(crate::config::EXAMPLE, "config/send-triage.yaml (built in)", Path::new("."))?)
        }
    }
}

/// The configuration that was named; for commands that work on the council's own data.
fn own_config(path: Option<&Path>) -> Result<Config, CommandError> {
    Ok(Config::load(&own_config_path(path)?)?)
}

/// Its file: the one that was named, or the usual one.
fn own_config_path(path: Option<&Path>) -> Result<PathBuf, CommandError> {
    let usual = Path::new("/etc/send-triage/send-triage.yaml");
    match path {
        Some(path) => Ok(path.to_path_buf()),
        None if usual.exists() => Ok(usual.to_path_buf()),
        None => Err(CommandError::Input(format!(
            "No configuration: give one with --config FILE, or put it at {}. Start from config/send-triage.yaml.",
            usual.display()
        ))),
    }
}
