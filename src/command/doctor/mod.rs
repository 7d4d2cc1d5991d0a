//! `send-triage doctor`: every server of every account, step by step, each failure with what to do about it. It changes nothing
//! and sends nothing, but for the test message of `--send-test`, which is removed again. Wrong rules are `check`'s to explain.

use std::path::Path;

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::config::{Account, Config, EnvelopeFrom, FolderKind};
use crate::daemon::health::Health;
use crate::daemon::refusal::{self, Refusal};
use crate::daemon::{expiry, in_force, parts};
use crate::mailbox::{self, Filing, FolderAccount, Outcome, ProbeStep, Provider, Wanted, probe};
use crate::oauth::TokenError;
use crate::outbox::SmtpCourier;

use super::{CommandError, Format, out, own_config};

mod exchange;
mod print;
mod test_message;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// This account only
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Sends a message from each account to itself, waits for it, and removes it again
    #[arg(long)]
    send_test: bool,
}

/// Which side of an account a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// None: the program itself.
    Program,
    /// Reading mail.
    Receiving,
    /// Handing in letters.
    Sending,
    /// The message to itself.
    Test,
    /// What only the tenant's administrator can see.
    Tenant,
}

impl Side {
    /// What stands before a step's name in JSON.
    fn prefix(self) -> &'static str {
        match self {
            Self::Program => "",
            Self::Receiving => "IMAP ",
            Self::Sending => "SMTP ",
            Self::Test => "test message ",
            Self::Tenant => "Microsoft 365 ",
        }
    }
}

/// One thing that was tried.
struct Finding {
    account: String,
    side: Side,
    step: ProbeStep,
    /// What the administrator of a Microsoft 365 tenant types to mend it, in Exchange Online PowerShell.
    commands: Vec<String>,
}

/// What was found, in order.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, account: &str, side: Side, name: &str, outcome: Outcome) {
        let step = ProbeStep { name: name.to_owned(), outcome };
        self.0.push(Finding { account: account.to_owned(), side, step, commands: Vec::new() });
    }

    fn all(&mut self, account: &Account, side: Side, steps: Vec<ProbeStep>, provider: Provider) {
        for step in steps {
            let commands = match provider {
                Provider::Exchange => exchange::commands(side, &step, &account.address),
                Provider::Gmail | Provider::Other => Vec::new(),
            };
            self.0.push(Finding { account: account.name.clone(), side, step, commands });
        }
    }

    fn failed(&self) -> usize {
        self.0.iter().filter(|finding| matches!(finding.step.outcome, Outcome::Failed { .. })).count()
    }
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let chosen: Vec<&Account> = config
        .accounts
        .iter()
        .filter(|account| arguments.account.as_ref().is_none_or(|name| *name == account.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
        return Err(CommandError::Input(format!(
            "There is no account `{}`. There are: {}.",
            arguments.account.as_deref().unwrap_or_default(),
            names.join(", ")
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        CommandError::Outside(format!("The program cannot start its event loop: {error}"))
    })?;
    let findings = runtime.block_on(look(&config, &chosen, arguments.send_test));
    match arguments.format {
        Format::Json => print::json(&findings).into_iter().for_each(out::line),
        Format::Text => {
            out::print(print::text(&findings, &chosen));
            if !arguments.send_test {
                out::line(
                    "\nNo message was sent. With --send-test, each account sends one to itself and removes it again.",
                );
            }
        }
    }
    match findings.failed() {
        0 => Ok(()),
        failed => Err(CommandError::Outside(format!(
            "{failed} of {} steps failed; what to do stands beside each.",
            findings.0.len()
        ))),
    }
}

async fn look(config: &Config, accounts: &[&Account], send_test: bool) -> Findings {
    let mut findings = Findings::default();
    let set = in_force::load(config);
    let rules = match (refusal::standing(config), &set) {
        (Some(refused), _) => Err(refused),
        (None, Ok(set)) => {
            Ok(format!("{} rules, version {}", set.policy.rules.rules().len(), set.policy.rules.version()))
        }
        (None, Err(refused)) => Err(Refusal::new(&refused.0).summary),
    };
    findings.add(
        "-",
        Side::Program,
        "rules",
        match rules {
            Ok(found) => Outcome::Good(found),
            Err(problem) => Outcome::Failed {
                problem,
                remedy: "`send-triage check` shows what is wrong and where.".into(),
            },
        },
    );
    let shared = parts::Shared::new(config);
    for (name, oauth) in &config.oauth {
        let provider = parts::provider(name, oauth);
        let outcome = match provider.fetch(SystemClock.now()).await {
            Ok(token) => Outcome::Good(format!(
                "{} gave one, good for {} minutes",
                provider.host(),
                token.good_for.as_secs() / 60
            )),
            Err(TokenError::NeedsAPerson { problem, remedy }) => Outcome::Failed { problem, remedy },
            Err(TokenError::Transient { problem, .. }) => Outcome::Failed {
                problem,
                remedy:
                    "Try again; if it goes on, ask whether a firewall keeps this machine from the provider."
                        .into(),
            },
        };
        findings.add("-", Side::Program, &format!("access token `{name}`"), outcome);
    }
    for (said, soon, remedy) in what_runs_out(config) {
        let outcome = if soon { Outcome::Failed { problem: said, remedy } } else { Outcome::Good(said) };
        findings.add("-", Side::Program, "runs out", outcome);
    }
    // One account after the other, each with its own passwords: one that cannot be read says so and stops no other.
    for account in accounts {
        let mut filed_into =
            set.as_ref().map(|set| set.routing.folders_of(&account.name)).unwrap_or_default();
        if set.is_ok() {
            filed_into.push(config.filing.passed_on.clone());
        }
        let receives = receiving(account, &shared, &filed_into, &mut findings).await;
        let sends = sending(account, receives.provider, &shared, &mut findings).await;
        on_disk(account, &mut findings);
        if account.imap.is_some() && account.smtp.is_some() {
            let provider = receives.provider.or(sends.provider);
            if send_test {
                let steps = match (&receives, &sends) {
                    (Reached { well: true, .. }, Reached { well: true, .. }) => {
                        test_message::round(account, &shared, provider).await
                    }
                    _ => not_tried("because a step above failed"),
                };
                findings.all(account, Side::Test, steps, provider);
            }
            if provider == Provider::Exchange {
                findings.all(account, Side::Tenant, vec![exchange::by_hand()], provider);
            }
        }
    }
    findings
}

/// What is known to run out: when, whether that is soon, and what to do about it.
fn what_runs_out(config: &Config) -> Vec<(String, bool, String)> {
    let today = london::date(SystemClock.now());
    let seen = Health::read(&config.health_file()).map(|health| health.certificates).unwrap_or_default();
    let told = |ending: expiry::Ending| {
        let soon = ending.stage(today).is_some_and(|stage| stage >= expiry::Stage::Seven);
        (expiry::sentence(&ending, today).trim_end_matches('.').to_owned(), soon, ending.remedy)
    };
    expiry::known(config, &seen).into_iter().map(told).collect()
}

fn not_tried(why: &str) -> Vec<ProbeStep> {
    vec![ProbeStep { name: "round".into(), outcome: Outcome::NotTried(why.to_owned()) }]
}

/// How one side of an account is.
#[derive(Default)]
struct Reached {
    /// No step failed.
    well: bool,
    provider: Provider,
}

fn is_well(steps: &[ProbeStep]) -> bool {
    steps.iter().all(|step| !matches!(step.outcome, Outcome::Failed { .. }))
}

/// The reading side.
async fn receiving(
    account: &Account,
    shared: &parts::Shared,
    filed_into: &[String],
    findings: &mut Findings,
) -> Reached {
    let Some(imap) = &account.imap else { return Reached::default() };
    let server = match imap.secret().and_then(|_| parts::imap(account, shared)) {
        Ok(server) => server,
        Err(problem) => {
            findings.add(&account.name, Side::Receiving, "password", unread(&problem.to_string()));
            return Reached::default();
        }
    };
    let wanted = Wanted {
        watched: &account.watch,
        filed_into,
        answers_in: &account.sent_folders,
        server_keeps_copies: account.smtp.as_ref().is_some_and(crate::config::Smtp::keeps_copies),
        poll_seconds: imap.poll_seconds,
    };
    let found = probe(&server, &wanted).await;
    let reached = Reached { well: is_well(&found.steps), provider: found.provider };
    findings.all(account, Side::Receiving, found.steps, found.provider);
    reached
}

/// The sending side; `met` is whose service the reading side is.
async fn sending(
    account: &Account,
    met: Provider,
    shared: &parts::Shared,
    findings: &mut Findings,
) -> Reached {
    let Some(smtp) = &account.smtp else { return Reached::default() };
    let secret = smtp.password.as_ref().map(|password| password.read()).transpose();
    let server = match secret.and_then(|_| parts::smtp(account, shared)) {
        Ok(server) => server,
        Err(problem) => {
            findings.add(&account.name, Side::Sending, "password", unread(&problem.to_string()));
            return Reached::default();
        }
    };
    let from = (smtp.envelope_from == EnvelopeFrom::Address).then_some(account.address.as_str());
    let (steps, provider) = SmtpCourier::new(server).probe(from, &account.address).await;
    let provider = provider.or(met);
    let reached = Reached { well: is_well(&steps), provider };
    findings.all(account, Side::Sending, steps, provider);
    reached
}

fn unread(problem: &str) -> Outcome {
    Outcome::Failed {
        problem: problem.trim_end_matches('.').to_owned(),
        remedy: "Put it where the configuration says, readable for the user that the program runs as.".into(),
    }
}

/// Folders of messages and of letters on this machine.
fn on_disk(account: &Account, findings: &mut Findings) {
    if let Some(folder) = &account.folder {
        let place = FolderAccount {
            account: account.name.clone(),
            root: folder.path.clone(),
            kind: match folder.kind {
                FolderKind::Maildir => mailbox::FolderKind::Maildir,
                FolderKind::Eml => mailbox::FolderKind::Eml,
            },
            filing: Filing::Move,
        };
        for step in mailbox::probe_folder(&place, &account.watch) {
            findings.add(&account.name, Side::Program, &step.name, step.outcome);
        }
    }
    if let Some(path) = &account.outbox {
        let shown = path.display();
        let outcome = match std::fs::read_dir(path) {
            Ok(_) => Outcome::Good(shown.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Outcome::Good(format!("{shown}: created with the first letter"))
            }
            Err(error) => Outcome::Failed {
                problem: format!("{shown}: {error}"),
                remedy: "Give the user that the program runs as the right to write there.".into(),
            },
        };
        findings.add(&account.name, Side::Program, "folder for letters", outcome);
    }
}
