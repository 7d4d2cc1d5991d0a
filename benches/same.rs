//! Every decision about every fixture, with all that led to it, written to a file: before and after a change of the
//! matcher the two files must be the same.
//!
//! `cargo bench --bench same -- before.txt`, the change, `cargo bench --bench same -- after.txt`, `cmp`. It measures nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use send_triage::config::{Config, EXAMPLE};
use send_triage::daemon::in_force::{self, Set};
use send_triage::message::{Address, Message};
use send_triage::rules::Circumstances;
use send_triage::triage::{self, History};

fn main() {
    // Cargo passes `--bench` as well.
    let Some(into) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        println!("same: no file named, nothing written");
        return;
    };
    let config = Config::parse(EXAMPLE, "built in", Path::new(".")).unwrap();
    let set = in_force::load(&config).unwrap();
    let mut out = String::new();
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")) {
        let name = path.display().to_string();
        let bytes = fs::read(&path).unwrap();
        if name.ends_with(".txt") {
            for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
                tell(&format!("{name}:{}", number + 1), &passage(line), &set, &mut out);
            }
        } else {
            tell(&name, &send_triage::message::parse(&bytes, bytes.len()), &set, &mut out);
        }
    }
    fs::write(&into, out).unwrap();
    println!("same: written to {into}");
}

/// What the rules read, and what was decided, at the message's own time and in two mailboxes.
fn tell(name: &str, message: &Message, set: &Set, out: &mut String) {
    let usual: DateTime<Utc> = "2027-01-20T10:00:00Z".parse().unwrap();
    let received_at = message.received_at().unwrap_or(usual);
    writeln!(out, "==== {name}").unwrap();
    writeln!(out, "parsed: {:?} {:?}", message.subject, message.new_text).unwrap();
    let circumstances = Circumstances {
        received_on: received_at.date_naive(),
        mailbox: "assessment",
        addressed: triage::addressed(message, &set.policy.team),
    };
    let reading = set.policy.rules.read(message, &circumstances);
    for verdict in &reading.verdicts {
        writeln!(out, "{} {}", verdict.rule.id, verdict.holds).unwrap();
        for evidence in &verdict.evidence {
            writeln!(out, "  {evidence:?}").unwrap();
        }
        for aside in &verdict.set_aside {
            writeln!(out, "  aside {aside:?}").unwrap();
        }
    }
    writeln!(out, "{:?}", reading.places).unwrap();
    let history = History::none("general", received_at);
    let mut decision = triage::explained(message, received_at, &history, &set.policy);
    writeln!(out, "{decision:#?}").unwrap();
    // Without a look at quoted words it is the same decision, and only they are missing from the trace.
    decision.trace.retain(|finding| finding.reason != "in quoted text");
    let plain = triage::triage(message, received_at, &history, &set.policy);
    assert_eq!(format!("{plain:?}"), format!("{decision:?}"), "{name}: quoted words changed the decision");
}

fn passage(line: &str) -> Message {
    let address =
        |local: &str, domain: &str| Address { name: String::new(), address: format!("{local}@{domain}") };
    let mut message = Message {
        from: Some(address("someone", "mail.example")),
        to: vec![address("send.general", "hertfordshire.example")],
        text: line.to_owned(),
        ..Message::default()
    };
    line.clone_into(&mut message.new_text.new);
    message
}

/// All emails and passages below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            all.extend(files(&path));
        } else if [".eml", ".council", ".yes.txt", ".no.txt", ".txt"].iter().any(|end| name.ends_with(end))
            || name.ends_with(".example")
        {
            all.push(path);
        }
    }
    all.sort();
    all
}
