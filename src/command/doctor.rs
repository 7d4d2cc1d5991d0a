//! `send-triage doctor`: every server of every account, step by step. Changes nothing and sends nothing.

use std::path::Path;

use serde_json::json;

use crate::clock::{Clock, SystemClock};
use crate::config::{Account, Config};
use crate::daemon::refusal::{self, Refusal};
use crate::daemon::{in_force, parts};
use crate::mailbox::{ImapAccount, ProbeStep, probe};
use crate::outbox::{DeliveryError, SmtpCourier};

use super::table::table;
use super::{CommandError, Format, out, own_config};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One thing that was tried.
struct Finding {
    account: String,
    step: String,
    /// What was found, or what is wrong and how to mend it.
    outcome: Result<String, String>,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        CommandError::Outside(format!("The program cannot start its event loop: {error}"))
    })?;
    let findings = runtime.block_on(look(&config));
    match arguments.format {
        Format::Json => {
            for f in &findings {
                let (ok, text) = match &f.outcome {
                    Ok(text) => (true, text),
                    Err(text) => (false, text),
                };
                out::line(json!({"account": f.account, "step": f.step, "ok": ok, "text": text}));
            }
        }
        Format::Text => {
            let rows: Vec<Vec<String>> = findings
                .iter()
                .map(|f| {
                    let (mark, text) = match &f.outcome {
                        Ok(text) => ("ok", text),
                        Err(text) => ("FAILS", text),
                    };
                    vec![f.account.clone(), f.step.clone(), mark.to_owned(), text.clone()]
                })
                .collect();
            out::line(table(&["account", "step", "", "what was found, or what to do"], &rows, 150));
        }
    }
    let failed = findings.iter().filter(|f| f.outcome.is_err()).count();
    if failed == 0 {
        return Ok(());
    }
    Err(CommandError::Outside(format!(
        "{failed} of {} steps failed; what to do stands beside each.",
        findings.len()
    )))
}

async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let rules = match refusal::standing(config) {
        Some(refused) => Err(refused),
        None => in_force::load(config)
            .map(|set| {
                format!("{} rules, version {}", set.policy.rules.rules().len(), set.policy.rules.version())
            })
            .map_err(|refused| {
                format!("{}; `send-triage check` shows them.", Refusal::new(&refused.0).summary)
            }),
    };
    findings.push(Finding { account: "-".to_owned(), step: "rules".to_owned(), outcome: rules });
    let shared = parts::Shared::new(config);
    for (name, oauth) in &config.oauth {
        let provider = parts::provider(name, oauth);
        let outcome = match provider.fetch(SystemClock.now()).await {
            Ok(token) => Ok(format!(
                "{} gave one, good for {} minutes",
                provider.host(),
                token.good_for.as_secs() / 60
            )),
            Err(error) => Err(error.to_string()),
        };
        findings.push(Finding { account: "-".to_owned(), step: format!("access token `{name}`"), outcome });
    }
    // One account after the other, each with its own passwords: one that cannot be read says so and stops no other.
    for account in &config.accounts {
        let mut add = |step: &str, outcome| {
            findings.push(Finding { account: account.name.clone(), step: step.to_owned(), outcome });
        };
        if let Some(imap) = imap(account, &shared) {
            match imap {
                Ok(imap) => {
                    for ProbeStep { name, outcome } in probe(&imap, &account.watch).await {
                        add(&format!("IMAP {name}"), outcome);
                    }
                }
                Err(problem) => add("IMAP password", Err(problem)),
            }
        }
        if account.smtp.is_some() {
            let secret = account.smtp.as_ref().and_then(|smtp| smtp.password.as_ref()).map(|p| p.read());
            match secret.transpose().and_then(|_| parts::smtp(account, &shared)) {
                Ok(server) => smtp(server, &mut add).await,
                Err(problem) => add("SMTP password", Err(problem.to_string())),
            }
        }
        for (what, path) in [
            ("folder of messages", account.folder.as_ref().map(|f| &f.path)),
            ("folder for letters", account.outbox.as_ref()),
        ] {
            if let Some(path) = path {
                let is_there = std::fs::read_dir(path);
                add(
                    what,
                    match is_there {
                        Ok(_) => Ok(path.display().to_string()),
                        Err(error) => Err(format!("{}: {error}", path.display())),
                    },
                );
            }
        }
    }
    findings
}

fn imap(account: &Account, shared: &parts::Shared) -> Option<Result<ImapAccount, String>> {
    // The daemon reads the password at each connection; here it is looked at first, to say plainly what is missing.
    let secret = account.imap.as_ref()?.secret();
    Some(secret.and_then(|_| parts::imap(account, shared)).map_err(|error| error.to_string()))
}

async fn smtp(server: crate::outbox::SmtpConfig, add: &mut impl FnMut(&str, Result<String, String>)) {
    let mut courier = SmtpCourier::new(server);
    let found = courier.probe().await;
    for step in found.steps {
        add("SMTP", Ok(step));
    }
    if let Err(error) = found.outcome {
        let text = match error {
            DeliveryError::Transient { server_said } => {
                format!("{server_said}. Try again; if it goes on, ask whoever runs the server.")
            }
            other => other.to_string(),
        };
        add("SMTP", Err(text));
    }
}
