//! `send-triage explain`: what would be decided about messages, and why. Changes nothing.

use std::io::Read;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::in_force::{self, Set};
use crate::daemon::letters;
use crate::message::{self, Message};
use crate::triage::{self, Decision, History, Outcome};

use super::{CommandError, Format, out, when};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print the sender's new words as well
    #[arg(long)]
    text: bool,
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
    let mut unreadable = Vec::new();
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
                out::line(explained.as_text(arguments.text, &set));
            }
        }
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
        let decision = triage::triage(&message, received_at, &history, &set.policy);
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

    fn as_text(&self, with_text: bool, set: &Set) -> String {
        let d = &self.decision;
        let mut out = format!("{}\n", self.file);
        let mut line = |name: &str, value: String| out.push_str(&format!("  {name:<14}{value}\n"));
        line("received", format!("{} (London), mailbox {}", london_time(self.received_at), self.mailbox));
        line("kind", word(&d.kind));
        line("decision", format!("{}{}", word(&d.urgency), grounds_in_words(d, set)));
        line("queue", word(&d.queue));
        line("area", word(&d.area));
        match d.due_on() {
            Some(due) => line("due", due.format("%A %-d %B %Y").to_string()),
            None => line("due", "no answer is owed".to_owned()),
        }
        line(
            "acknowledged",
            if d.acknowledgement.is_sent() {
                "yes".to_owned()
            } else {
                format!("no: {}", d.acknowledgement.reason())
            },
        );
        if d.chaser != triage::Chaser::None {
            line("chaser", word(&d.chaser));
        }
        if !d.signposts.is_empty() {
            line("signposts", d.signposts.iter().map(word).collect::<Vec<_>>().join(", "));
        }
        if d.claimed_urgent {
            line("note", "the sender calls it urgent, but no ground of the policy holds".to_owned());
        }
        if d.refer_leadership {
            line("note", "to be referred to SEND leadership (policy, email h)".to_owned());
        }
        if d.unsure {
            line("unsure", "a person should look at this decision".to_owned());
        }
        out.push_str("  why\n");
        out.push_str(&trace_as_text(d));
        if with_text {
            out.push_str("  new text\n");
            for text in self.message.new_text.new.lines() {
                out.push_str(&format!("    | {text}\n"));
            }
        }
        out
    }
}

/// The findings, a line or two each: `+` holds, `-` set aside.
pub(super) fn trace_as_text(decision: &Decision) -> String {
    let mut out = String::new();
    for finding in &decision.trace {
        let mark = match finding.outcome {
            Outcome::Holds => '+',
            Outcome::SetAside => '-',
            Outcome::Noted => ' ',
        };
        out.push_str(&format!("   {mark} {}", finding.rule));
        if !finding.text.is_empty() {
            out.push_str(&format!(": \"{}\"", finding.text.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        out.push_str(&format!("\n       {}", finding.reason));
        if !finding.policy.is_empty() {
            out.push_str(&format!(" [{}]", finding.policy));
        }
        out.push('\n');
    }
    out
}

/// The grounds with their titles, as in ": part-time timetable (U4)".
fn grounds_in_words(decision: &Decision, set: &Set) -> String {
    let titles: Vec<String> = decision
        .grounds
        .iter()
        .map(|id| if id == "other" { id.clone() } else { format!("{} ({id})", letters::title(set, id)) })
        .collect();
    if titles.is_empty() { String::new() } else { format!(": {}", titles.join("; ")) }
}

/// A value of the contract as its own word.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn london_time(at: DateTime<Utc>) -> String {
    format!("{} {}", london::date(at).format("%a %-d %b %Y"), london::time(at).format("%H:%M"))
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
