//! `send-triage explain`: what would be decided about messages, and why. Changes nothing.

use std::io::Read;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::in_force::{self, Set};
use crate::memo::text::{self, Paint};
use crate::memo::{self, Memo, page};
use crate::message::{self, Message};
use crate::triage::{self, Decision, History};

use super::colour::Colour;
use super::{CommandError, out, when};

/// How a decision is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A memo, for people.
    Text,
    /// One object a line, for programs.
    Json,
    /// One HTML page that needs no other file, for showing to a colleague or printing.
    Html,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print the sender's new words as well
    #[arg(long)]
    text: bool,
    /// Whether the memo is in colours; without them marked words stand between >> and <<
    #[arg(long, visible_alias = "colour", value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// The mailbox that the messages arrived in: general, assessment, ...; without it, the one in To or Cc
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// When they were received; without it, the topmost Received header's date, then Date
    #[arg(long, value_name = "TIME")]
    received: Option<String>,
    /// Rules other than those of the configuration
    #[arg(long, value_name = "DIR")]
    rules: Option<std::path::PathBuf>,
    /// Messages (.eml); `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let mut config = super::config(config)?;
    if let Some(rules) = &arguments.rules {
        config.rules = Some(rules.clone());
    }
    let received = arguments.received.as_deref().map(when::read).transpose().map_err(CommandError::Input)?;
    check_mailbox(arguments.mailbox.as_deref(), &config)?;
    let set = in_force::load(&config)?;
    let paint = if arguments.color.wanted() { Paint::Colours } else { Paint::Signs };
    let (mut unreadable, mut memos) = (Vec::new(), Vec::new());
    for (number, file) in arguments.files.iter().enumerate() {
        let raw = match read_file(file) {
            Ok(raw) => raw,
            Err(error) => {
                unreadable.push(format!("{file}: cannot be read: {error}"));
                continue;
            }
        };
        let explained = Explained::new(file, &raw, received, arguments.mailbox.as_deref(), &set);
        match arguments.format {
            Format::Json => out::line(explained.as_json(arguments.text)),
            Format::Text => {
                if number > 0 {
                    out::line("");
                }
                out::print(text::text(&explained.memo(&set), paint, arguments.text));
            }
            Format::Html => memos.push(explained.memo(&set)),
        }
    }
    if !memos.is_empty() {
        out::print(page::page(&memos));
    }
    if unreadable.is_empty() { Ok(()) } else { Err(CommandError::Input(unreadable.join("\n"))) }
}

pub(super) fn check_mailbox(name: Option<&str>, config: &Config) -> Result<(), CommandError> {
    let Some(name) = name else { return Ok(()) };
    if config.account(name).is_some() {
        return Ok(());
    }
    let known: Vec<_> = config.accounts.iter().map(|a| a.name.as_str()).collect();
    Err(CommandError::Input(format!(
        "There is no mailbox `{name}`. The configuration knows: {}.",
        known.join(", ")
    )))
}

fn read_file(name: &str) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    if name == "-" {
        std::io::stdin().lock().read_to_end(&mut raw)?;
        return Ok(raw);
    }
    std::fs::read(name)
}

/// A message and what would be decided about it.
pub(super) struct Explained<'a> {
    file: &'a str,
    pub(super) message: Message,
    pub(super) received_at: DateTime<Utc>,
    pub(super) mailbox: String,
    pub(super) decision: Decision,
}

impl<'a> Explained<'a> {
    /// Decides about one message.
    pub(super) fn new(
        file: &'a str,
        raw: &[u8],
        received: Option<DateTime<Utc>>,
        mailbox: Option<&str>,
        set: &Set,
    ) -> Self {
        let message = message::parse(raw, raw.len());
        let received_at = received.or_else(|| message.received_at()).unwrap_or_else(|| SystemClock.now());
        let mailbox = mailbox.map_or_else(|| guess_mailbox(&message, set), str::to_owned);
        let history = History::none(&mailbox, received_at);
        let decision = triage::explained(&message, received_at, &history, &set.policy);
        Self { file, message, received_at, mailbox, decision }
    }

    fn as_json(&self, with_text: bool) -> Value {
        let d = &self.decision;
        let mut value = json!({
            "file": self.file,
            "kind": d.kind,
            "acknowledge": d.acknowledgement.is_sent(),
            "acknowledge_reason": d.acknowledgement.reason(),
            "copied": d.copied,
            "urgency": d.urgency,
            "grounds": d.grounds,
            "claimed_urgent": d.claimed_urgent,
            "queue": d.queue,
            "area": d.area,
            "chaser": d.chaser,
            "signposts": d.signposts,
            "refer_leadership": d.refer_leadership,
            "unsure": d.unsure,
            "due": d.due_on(),
            "trace": d.trace,
        });
        if with_text && let Some(object) = value.as_object_mut() {
            object.insert("new_text".to_owned(), self.message.new_text.new.clone().into());
        }
        value
    }

    /// The decision as a memo.
    fn memo(&self, set: &Set) -> Memo {
        let subject = memo::Subject {
            file: self.file,
            message: &self.message,
            received_at: self.received_at,
            mailbox: &self.mailbox,
            decision: &self.decision,
        };
        memo::memo(subject, &set.policy)
    }
}

/// The mailbox that To names, else Cc, else the first.
pub(super) fn guess_mailbox(message: &Message, set: &Set) -> String {
    let mailboxes = &set.policy.team.mailboxes;
    let named = message.to.iter().chain(&message.cc).find_map(|address| {
        let address = address.address.to_ascii_lowercase();
        mailboxes.iter().find(|m| m.addresses.contains(&address))
    });
    named.or(mailboxes.first()).map(|m| m.name.clone()).unwrap_or_default()
}
