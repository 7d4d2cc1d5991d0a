//! What `doctor` prints: for people in lines of at most 110 letters, for programs one object a line. Commands to be copied are
//! never broken.

use serde_json::{Value, json};

use super::super::table::wrap;
use super::{Findings, Side};
use crate::config::Account;
use crate::mailbox::Outcome;

const PAGE: usize = 110;
/// Where what was found begins: after the step and its mark.
const FOUND: usize = 29;

/// One object a line. `ok` and `text` say in short what the other keys say apart.
pub(super) fn json(findings: &Findings) -> Vec<Value> {
    let line = |finding: &super::Finding| {
        let (word, ok, found, remedy) = match &finding.step.outcome {
            Outcome::Good(found) => ("ok", true, found, None),
            Outcome::Notice { found, remedy } => ("notice", true, found, Some(remedy)),
            Outcome::Failed { problem, remedy } => ("fails", false, problem, Some(remedy)),
            Outcome::NotTried(why) => ("not-tried", false, why, None),
        };
        let text = remedy.map_or_else(|| found.clone(), |remedy| format!("{found}. {remedy}"));
        json!({
            "account": finding.account,
            "step": format!("{}{}", finding.side.prefix(), finding.step.name),
            "ok": ok,
            "text": text,
            "outcome": word,
            "found": found,
            "remedy": remedy,
            "commands": finding.commands,
        })
    };
    findings.0.iter().map(line).collect()
}

/// The table.
pub(super) fn text(findings: &Findings, accounts: &[&Account]) -> String {
    let mut out = String::new();
    let mut last = (String::new(), Side::Program);
    let mut skipped: Vec<(&str, &str)> = Vec::new();
    for finding in &findings.0 {
        let here = (finding.account.clone(), finding.side);
        if here != last {
            not_tried(&mut out, &mut skipped);
            heading(&mut out, &last.0, &here, accounts);
            last = here;
        }
        if let Outcome::NotTried(why) = &finding.step.outcome {
            if skipped.last().is_some_and(|(_, before)| before != why) {
                not_tried(&mut out, &mut skipped);
            }
            skipped.push((&finding.step.name, why));
            continue;
        }
        not_tried(&mut out, &mut skipped);
        let (mark, found, remedy) = match &finding.step.outcome {
            Outcome::Good(found) => ("ok", found.as_str(), ""),
            Outcome::Notice { found, remedy } => ("look", found.as_str(), remedy.as_str()),
            Outcome::Failed { problem, remedy } => ("FAILS", problem.as_str(), remedy.as_str()),
            Outcome::NotTried(why) => ("not tried", why.as_str(), ""),
        };
        row(&mut out, &format!("  {:<20} {mark:<6}", finding.step.name), found);
        if !remedy.is_empty() {
            row(&mut out, &format!("{:>1$}", "->", FOUND - 1), remedy);
        }
        for command in &finding.commands {
            out.push_str(&format!("       PS> {command}\n"));
        }
    }
    not_tried(&mut out, &mut skipped);
    out
}

fn heading(out: &mut String, before: &str, here: &(String, Side), accounts: &[&Account]) {
    let (name, side) = here;
    let Some(account) = accounts.iter().find(|account| account.name == *name) else { return };
    if before != name {
        out.push_str(&format!("\n{name}: {}\n", account.address));
    }
    let place = match side {
        Side::Program => return,
        Side::Receiving => {
            account.imap.as_ref().map(|imap| format!("receiving, IMAP at {} port {}", imap.host, imap.port()))
        }
        Side::Sending => {
            account.smtp.as_ref().map(|smtp| format!("sending, SMTP at {} port {}", smtp.host, smtp.port()))
        }
        Side::Test => Some("a message to itself".to_owned()),
        Side::Tenant => Some("what only the tenant's administrator can see and set".to_owned()),
    };
    if let Some(place) = place {
        out.push_str(&format!(" {place}\n"));
    }
}

/// What stood before, and beside it a text in lines.
fn row(out: &mut String, start: &str, text: &str) {
    let mut line = format!("{start:<FOUND$}");
    if line.chars().count() > FOUND {
        line.push(' ');
    }
    let first = line.chars().count();
    for (number, part) in wrap(text, PAGE - first.min(FOUND + 10)).into_iter().enumerate() {
        if number > 0 {
            line = " ".repeat(FOUND);
        }
        line.push_str(&part);
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Steps that were not come to are one line: there is nothing to read in them but that.
fn not_tried(out: &mut String, skipped: &mut Vec<(&str, &str)>) {
    let Some((_, why)) = skipped.first() else { return };
    let names: Vec<&str> = skipped.iter().map(|(name, _)| *name).collect();
    let text = if names == ["round"] { (*why).to_owned() } else { format!("{}: {why}", names.join(", ")) };
    row(out, "  not tried", &text);
    skipped.clear();
}
