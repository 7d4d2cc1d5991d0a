//! `send-triage demo`: the whole journey on example messages. The daemon's own code runs; only the two ends of the pipe
//! are folders on this machine: messages come from files, and letters and filed messages are written as files.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use include_dir::{Dir, include_dir};
use tokio::sync::watch;

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::config::{Account, Config, Existing, FolderInbox, FolderKind};
use crate::daemon::{self, Bells, InForce, World, in_force, letters, parts};
use crate::digest::Period;
use crate::message;
use crate::record::{MessageRow, Records};

use super::table::table;
use super::{CommandError, out};

static BUILT_IN_INBOX: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/inbox");

/// The file that marks a folder as ours to clear.
const MARK: &str = ".send-triage-demo";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Example messages: a folder for each mailbox (general, assessment, ...), of .eml files or a Maildir, or just .eml
    /// files for the mailbox `general`; without it, the built-in ones
    #[arg(long, value_name = "DIR")]
    inbox: Option<PathBuf>,
    /// Rules other than the built-in ones
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Where everything is written; cleared first if an earlier demo wrote it
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    out: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let out = &arguments.out;
    if let Some(inbox) = &arguments.inbox {
        is_not_below(inbox, out)?;
    }
    prepare(out)?;
    let arriving = out.join("arriving");
    match &arguments.inbox {
        Some(inbox) => copy_inbox(inbox, &arriving, out)?,
        None => BUILT_IN_INBOX.extract(make(&arriving)?).map_err(|e| outside(&arriving, &e))?,
    }
    let arrivals = arrivals(&arriving)?;
    let config = demo_config(out, &arriving, arguments.rules.as_deref())?;
    let set = in_force::load(&config)?;
    let records = Records::open(&config.database)?;
    let shared = parts::Shared::new(&config);
    let mut boxes = parts::mailboxes(&config, &shared)?;
    let mut couriers = parts::couriers(&config, &shared)?;
    let in_force = InForce::new(set);
    let clock = ToldClock(Cell::new(DateTime::UNIX_EPOCH));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        CommandError::Outside(format!("The program cannot start its event loop: {error}"))
    })?;
    let (_keep, stop) = watch::channel(false);
    let world = World {
        config: &config,
        records: &records,
        clock: &clock,
        in_force: &in_force,
        bells: Bells::new(config.accounts.iter().map(|a| a.name.as_str())),
        stop,
    };
    // Each message is put into its mailbox in the order of receipt, and dealt with in the minute in which it came.
    for arrival in &arrivals {
        clock.0.set(arrival.received_at + TimeDelta::minutes(1));
        arrival.deliver(&arriving, &out.join("mailboxes"))?;
        runtime
            .block_on(daemon::once(&world, &mut boxes, &mut couriers))
            .map_err(|trouble| CommandError::Outside(trouble.to_string()))?;
    }
    std::fs::remove_dir_all(&arriving).map_err(|e| outside(&arriving, &e))?;
    report(&records, &in_force, out)?;
    digest_of(arrivals.last(), &records, &in_force, out)
}

/// The digest that service leadership would get on the Monday after the last message.
fn digest_of(
    last: Option<&Arrival>,
    records: &Records,
    in_force: &InForce,
    out: &Path,
) -> Result<(), CommandError> {
    let Some(last) = last else { return Ok(()) };
    let week = Period::week_of(london::date(last.received_at));
    let monday = week.to.succ_opt().unwrap_or(week.to);
    let eight = NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default();
    out::line("\nThe digest that managers get on the Monday after it, to be opened in a browser:");
    let now = london::instant(monday, eight);
    // The demo looks into its folders when a message comes, and not over the weekend as the daemon does.
    for folder in records.ledger()? {
        records.seen_alive(&folder.account, &folder.folder, now)?;
    }
    super::digest::preview_of_week(&out.join("digest"), &[], week, records, &in_force.now(), now)
}

/// A clock that says what it is told: the example messages are from another day.
struct ToldClock(Cell<DateTime<Utc>>);

impl Clock for ToldClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.get()
    }
}

/// A message that is to arrive.
struct Arrival {
    /// Its file, relative to the folder of what is to arrive.
    file: PathBuf,
    received_at: DateTime<Utc>,
}

impl Arrival {
    /// Puts it into its mailbox.
    fn deliver(&self, from: &Path, to: &Path) -> Result<(), CommandError> {
        let to = to.join(&self.file);
        make(to.parent().unwrap_or(Path::new(".")))?;
        std::fs::rename(from.join(&self.file), &to).map_err(|e| outside(&to, &e))
    }
}

/// Every message below the folder, in the order of receipt.
fn arrivals(folder: &Path) -> Result<Vec<Arrival>, CommandError> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).map_err(|e| outside(&next, &e))? {
            let path = entry.map_err(|e| outside(&next, &e))?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if path.is_dir() {
                folders.push(path);
            } else if !hidden {
                let raw = std::fs::read(&path).map_err(|e| outside(&path, &e))?;
                let received_at =
                    message::parse(&raw, raw.len()).received_at().unwrap_or_else(|| SystemClock.now());
                let file = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
                found.push(Arrival { file, received_at });
            }
        }
    }
    found.sort_by(|one, two| (one.received_at, &one.file).cmp(&(two.received_at, &two.file)));
    Ok(found)
}

/// The output folder is cleared: what lies in it cannot be the inbox.
fn is_not_below(inbox: &Path, out: &Path) -> Result<(), CommandError> {
    match (inbox.canonicalize(), out.canonicalize()) {
        (Ok(inside), Ok(cleared)) if inside.starts_with(&cleared) => Err(CommandError::Input(format!(
            "{} lies in {}, which the demo clears. Name another folder with --out.",
            inbox.display(),
            out.display()
        ))),
        _ => Ok(()),
    }
}

/// Makes the folder ready, and never clears one that an earlier demo did not write.
fn prepare(out: &Path) -> Result<(), CommandError> {
    let in_use = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if in_use {
        if !out.join(MARK).exists() {
            return Err(CommandError::Input(format!(
                "{} is not empty and was not written by an earlier demo. Name another folder with --out.",
                out.display()
            )));
        }
        std::fs::remove_dir_all(out).map_err(|e| outside(out, &e))?;
    }
    make(out)?;
    std::fs::write(out.join(MARK), "This folder is cleared by the next demo.\n").map_err(|e| outside(out, &e))
}

fn make(folder: &Path) -> Result<&Path, CommandError> {
    std::fs::create_dir_all(folder).map_err(|e| outside(folder, &e))?;
    Ok(folder)
}

fn outside(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Outside(format!("{}: {error}", path.display()))
}

/// Copies an inbox, so that the originals stay as they are: folders by mailbox, or plain .eml files for `general`. What the demo
/// writes may lie below the inbox (`--inbox .`); it is no part of it.
fn copy_inbox(from: &Path, to: &Path, out: &Path) -> Result<(), CommandError> {
    let entries = std::fs::read_dir(from)
        .map_err(|error| CommandError::Input(format!("{}: cannot be read: {error}", from.display())))?;
    let out = out.canonicalize().map_err(|e| outside(out, &e))?;
    let accounts: Vec<String> =
        super::config(None)?.accounts.into_iter().map(|account| account.name).collect();
    let mut found = false;
    for entry in entries {
        let path = entry.map_err(|e| outside(from, &e))?.path();
        let Some(name) = path.file_name() else { continue };
        if is_ours_or_hidden(&path, &out) {
            continue;
        }
        if path.is_dir() && accounts.iter().any(|account| *account == name.to_string_lossy()) {
            found |= copy_folder(&path, &to.join(name), &out)?;
        } else if path.is_dir() && ["new", "cur", "tmp"].iter().any(|part| *part == name.to_string_lossy()) {
            copy_folder(&path, make(&to.join("general").join(name))?, &out)?;
            found = true;
        } else if path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("eml")) {
            std::fs::copy(&path, make(&to.join("general"))?.join(name)).map_err(|e| outside(&path, &e))?;
            found = true;
        }
    }
    if found {
        return Ok(());
    }
    Err(CommandError::Input(format!(
        "{}: no .eml files here, and no folders of mailboxes that have any ({}).",
        from.display(),
        accounts.join(", ")
    )))
}

/// What an earlier demo wrote, with whatever name, and what hides itself (`.git`).
fn is_ours_or_hidden(path: &Path, out: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let is_ours =
        path.is_dir() && (path.join(MARK).exists() || path.canonicalize().is_ok_and(|path| path == *out));
    is_hidden || is_ours
}

/// Whether there was anything to copy.
fn copy_folder(from: &Path, to: &Path, out: &Path) -> Result<bool, CommandError> {
    let mut found = false;
    for entry in std::fs::read_dir(from).map_err(|e| outside(from, &e))? {
        let path = entry.map_err(|e| outside(from, &e))?.path();
        let Some(name) = path.file_name() else { continue };
        if is_ours_or_hidden(&path, out) {
            continue;
        }
        if path.is_dir() {
            found |= copy_folder(&path, &to.join(name), out)?;
            // A Maildir needs its three parts, empty or not.
            if ["new", "cur", "tmp"].iter().any(|n| *n == name.to_string_lossy()) {
                make(&to.join(name))?;
            }
        } else {
            std::fs::copy(&path, make(to)?.join(name)).map_err(|e| outside(&path, &e))?;
            found = true;
        }
    }
    Ok(found)
}

/// The built-in configuration with the two ends exchanged for folders.
fn demo_config(out: &Path, arriving: &Path, rules: Option<&Path>) -> Result<Config, CommandError> {
    let mut config = super::config(None)?;
    config.database = out.join("record.sqlite");
    config.rules = rules.map(Path::to_path_buf);
    for account in &mut config.accounts {
        let root = out.join("mailboxes").join(&account.name);
        let is_maildir = ["new", "cur"].iter().any(|part| arriving.join(&account.name).join(part).is_dir());
        let kind = if is_maildir { FolderKind::Maildir } else { FolderKind::Eml };
        for part in if is_maildir { ["new", "cur", "tmp"].as_slice() } else { &[""] } {
            make(&root.join(part))?;
        }
        on_disk(account, root, kind, out);
    }
    Ok(config)
}

fn on_disk(account: &mut Account, root: PathBuf, kind: FolderKind, out: &Path) {
    account.outbox = Some(out.join("letters"));
    account.folder = Some(FolderInbox { path: root, kind });
    account.imap = None;
    account.smtp = None;
    // The first message is there when its mailbox is first looked at.
    account.existing = Existing::TreatAsNew;
}

fn report(records: &Records, in_force: &InForce, out: &Path) -> Result<(), CommandError> {
    let set = in_force.now();
    let messages = records.messages(1000)?;
    let rows: Vec<Vec<String>> = messages
        .iter()
        .map(|m| {
            vec![
                shorten(&m.subject, 30),
                decision_in_words(m),
                grounds_in_words(m, &set),
                m.queue.clone().unwrap_or_else(|| "-".to_owned()),
                m.due_on.map_or_else(|| "-".to_owned(), |on| on.format("%a %-d %b %Y").to_string()),
                case_in_words(m),
                acknowledged_in_words(m),
            ]
        })
        .collect();
    let heading = ["message", "decision", "ground", "queue", "answer due", "case", "acknowledged?"];
    out::line(table(&heading, &rows, 165));
    let urgent = messages.iter().filter(|m| m.urgency.as_deref() == Some("urgent")).count();
    let letters = messages.iter().filter(|m| m.acknowledgement == "sent").count();
    let copies: u32 = messages.iter().map(|m| m.copies.saturating_sub(1)).sum();
    out::line(format_args!(
        "{} messages ({copies} of them met a second time): {urgent} urgent, {letters} acknowledged, each with one outcome.\n",
        messages.len()
    ));
    let show = |what: &str, path: PathBuf| out::line(format_args!("  {:<44}{what}", path.display()));
    out::line("Where to look next:");
    show("the acknowledgements, as sent", out.join("letters"));
    show("the messages, filed by queue", out.join("mailboxes"));
    show("the record (SQLite)", out.join("record.sqlite"));
    out::line("\n  send-triage explain FILE.eml       why a message was decided so, word by word");
    out::line("  send-triage due 2026-12-17         how a due date is counted");
    out::line("  send-triage check                  whether the rules are in order");
    out::line("  README.md                          how to run it on real mailboxes");
    Ok(())
}

fn decision_in_words(m: &MessageRow) -> String {
    match (m.kind.as_deref(), m.urgency.as_deref()) {
        (Some("person"), Some("urgent")) if m.unsure => "URGENT (unsure)".to_owned(),
        (Some("person"), Some("urgent")) => "URGENT".to_owned(),
        (Some("person"), _) if m.unsure => "standard (unsure)".to_owned(),
        (Some("person"), _) => "standard".to_owned(),
        (Some(kind), _) => format!("({kind})"),
        (None, _) => "set aside".to_owned(),
    }
}

/// What it is to its case, and how that stands at the end.
fn case_in_words(m: &MessageRow) -> String {
    let state = m.state.as_deref().unwrap_or("-");
    match m.role.as_deref() {
        Some("chaser") => format!("{state}: asked again"),
        Some("addition") => format!("{state}: more about it"),
        Some("thanks") => format!("{state}: thanks"),
        Some("answer") => format!("{state}: the answer"),
        Some("holding-reply") => format!("{state}: needs longer"),
        Some("passed-on") => format!("{state}: passed on"),
        _ => state.to_owned(),
    }
}

fn grounds_in_words(m: &MessageRow, set: &in_force::Set) -> String {
    if m.grounds.is_empty() {
        return "-".to_owned();
    }
    let titles: Vec<String> = m
        .grounds
        .iter()
        .map(|id| {
            if id == "other" {
                "none of those listed".to_owned()
            } else {
                format!("{} ({id})", letters::title(set, id))
            }
        })
        .collect();
    shorten(&titles.join("; "), 40)
}

fn acknowledged_in_words(m: &MessageRow) -> String {
    match (m.acknowledgement.as_str(), &m.withheld, &m.set_aside) {
        ("sent", ..) => "yes".to_owned(),
        (_, Some(why), _) | (_, None, Some(why)) => format!("no: {why}"),
        (other, None, None) => format!("not yet: {other}"),
    }
}

fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).collect::<String>() + "…"
}
