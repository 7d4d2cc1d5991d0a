//! A careful look at an account for `doctor`, step by step: what works, what does not, and what to do about it. It changes
//! nothing: folders are opened for looking (EXAMINE), and for writing only where that leaves no trace. The one thing that
//! does write, the test message and its removal, is [`trial`]. RFC 9051, RFC 4314 (rights), RFC 2177 (IDLE).

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::account::{Credentials, FolderAccount, ImapAccount, Security};
use super::connect;
use super::folder_files::Place;
use super::idle::Idled;
use super::login;
use super::provider::Provider;
use super::session::{Fault, Session};
use super::{MailboxError, SENT};
use crate::certificate;
use crate::clock::{Clock, SystemClock};

mod folders;
mod token;
mod trial;
mod whose;

pub use trial::{Arrival, Trial};

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// What was tried: `name`, `connect`, `login`, `folder INBOX`, ...
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works; what was found.
    Good(String),
    /// It works, and somebody should see to something.
    Notice {
        /// What was found.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// It does not work.
    Failed {
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// It could not be tried, or was not asked for; why.
    NotTried(String),
}

/// What the program wants of an account.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The folders that are watched.
    pub watched: &'a [String],
    /// The folders that messages are filed into.
    pub filed_into: &'a [String],
    /// The Sent folders in which answers are looked for.
    pub answers_in: &'a [String],
    /// Whether the submission server is known to keep a copy of its own of what is sent.
    pub server_keeps_copies: bool,
    /// Seconds between looks.
    pub poll_seconds: u32,
}

/// What was found about an account.
#[derive(Debug)]
pub struct Found {
    /// Step by step.
    pub steps: Vec<ProbeStep>,
    /// Whose service it is.
    pub provider: Provider,
}

/// A certificate that ends sooner than this is spoken of; Let's Encrypt's are renewed thirty days before their end.
const SOON_DAYS: i64 = 28;
/// And sooner than this it is a failure.
const AT_ONCE_DAYS: i64 = 7;
/// How long an IDLE is tried.
const IDLE_TRIAL: Duration = Duration::from_secs(1);

/// The steps after the connection stands.
const AFTER_LOGIN: [&str; 4] = ["rights", "folders", "Sent folder", "IDLE"];

/// Tries an account.
pub async fn probe(account: &ImapAccount, wanted: &Wanted<'_>) -> Found {
    let mut steps = Steps::default();
    let mut provider = Provider::of_host(&account.host);
    if let Some(mut session) = reach(account, &mut steps).await {
        provider = provider.or(Provider::of_greeting(&session.greeting));
        if let Some(session) = log_in(account, &mut steps, &mut session).await {
            look_around(account, wanted, &mut steps, session).await;
        }
        session.log_out().await;
    }
    steps.not_tried(&remaining(account, wanted));
    Found { steps: steps.done, provider }
}

/// The same for an account that is a folder on this machine.
pub fn probe_folder(account: &FolderAccount, watched: &[String]) -> Vec<ProbeStep> {
    let look = |folder: &String| {
        let folder = if folder == SENT { "Sent" } else { folder };
        let place = Place::of(account.kind, &account.root, folder);
        let directory = place.directory.display().to_string();
        let failed = |problem: String| Outcome::Failed {
            problem,
            remedy: "Give the user that the program runs as the right to read and write there.".into(),
        };
        let outcome = match (place.messages(), std::fs::metadata(&place.directory)) {
            (Ok(_), Ok(about)) if about.permissions().readonly() => {
                failed(format!("{directory} cannot be written by this user"))
            }
            (Ok(messages), _) => Outcome::Good(format!("{} messages in {directory}", messages.len())),
            (Err(error), _) => failed(format!("{directory} cannot be read: {error}")),
        };
        ProbeStep { name: format!("folder {folder}"), outcome }
    };
    watched.iter().map(look).collect()
}

/// Every step there may be, in order: those that were not come to are listed as not tried.
fn remaining(account: &ImapAccount, wanted: &Wanted<'_>) -> Vec<String> {
    let mut names = vec!["name", "connect"];
    names.extend(match account.security {
        Security::Tls => ["encryption", "greeting"],
        Security::StartTls | Security::Plain => ["greeting", "encryption"],
    });
    names.extend([secret_step(account), "login", "abilities"]);
    let watched = wanted.watched.iter().filter(|folder| *folder != SENT);
    let names = names.into_iter().map(str::to_owned);
    let names = names.chain(watched.map(|folder| format!("folder {folder}")));
    names.chain(AFTER_LOGIN.map(str::to_owned)).collect()
}

fn secret_step(account: &ImapAccount) -> &'static str {
    if matches!(account.credentials, Credentials::AccessToken(_)) { "token" } else { "password" }
}

/// The steps so far, and the one that stopped them.
#[derive(Default)]
pub(super) struct Steps {
    done: Vec<ProbeStep>,
    stopped_by: Option<String>,
}

impl Steps {
    pub(super) fn add(&mut self, name: &str, outcome: Outcome) {
        self.done.push(ProbeStep { name: name.to_owned(), outcome });
    }

    pub(super) fn good(&mut self, name: &str, found: impl Into<String>) {
        self.add(name, Outcome::Good(found.into()));
    }

    /// Adds what became of a step; `None`: it failed, and nothing can be tried after it.
    fn take<T>(&mut self, name: &str, tried: Result<T, MailboxError>) -> Option<T> {
        match tried {
            Ok(found) => Some(found),
            Err(error) => {
                self.stop(name, failed(&error));
                None
            }
        }
    }

    /// A step after which nothing can be tried.
    fn stop(&mut self, name: &str, outcome: Outcome) {
        self.stopped_by = Some(name.to_owned());
        self.add(name, outcome);
    }

    /// Of these, the steps that were not come to.
    fn not_tried(&mut self, names: &[String]) {
        let Some(why) = self.stopped_by.clone() else { return };
        for name in names {
            if !self.done.iter().any(|step| step.name == *name) {
                self.add(name, Outcome::NotTried(format!("because `{why}` failed")));
            }
        }
    }
}

/// What is wrong, and what to do, without the account's name and the step, which stand beside it.
pub(super) fn failed(error: &MailboxError) -> Outcome {
    let (problem, remedy) = match error {
        MailboxError::NeedsAPerson { problem, remedy, .. } => (problem.clone(), remedy.clone()),
        MailboxError::Transient { problem, .. } => {
            (problem.clone(), "Try again; if it goes on, ask whoever runs the server.".to_owned())
        }
        changed @ MailboxError::UidValidityChanged { .. } => (
            changed.to_string(),
            "Try again; somebody is putting the mail store back from a backup.".to_owned(),
        ),
    };
    Outcome::Failed { problem, remedy }
}

/// The steps `name` and `connect` for any server; whether it can be reached. Nothing is said to it.
pub async fn reach_server(host: &str, port: u16, limit: Duration) -> Vec<ProbeStep> {
    let mut steps = Steps::default();
    let failure = |problem: String, remedy: &str| Outcome::Failed { problem, remedy: remedy.to_owned() };
    let spelling =
        "Check `host` for a slip of the pen; `getent hosts NAME` on this machine must give its address.";
    let addresses = match timeout(limit, connect::lookup(host, port)).await {
        Ok(Ok(addresses)) if !addresses.is_empty() => addresses,
        Ok(Ok(_)) => {
            steps.stop("name", failure(format!("{host} has no address"), spelling));
            return steps.done;
        }
        Ok(Err(error)) => {
            let error = error.to_string();
            let said = error.strip_prefix("failed to lookup address information: ").unwrap_or(&error);
            steps.stop("name", failure(format!("{host} is not known ({said})"), spelling));
            return steps.done;
        }
        Err(_) => {
            let problem = format!("no answer within {} s when {host} was looked up", limit.as_secs());
            steps.stop("name", failure(problem, "Look at this machine's DNS settings (/etc/resolv.conf)."));
            return steps.done;
        }
    };
    let shown = addresses.first().map(|first| first.ip().to_string()).unwrap_or_default();
    let more = match addresses.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    steps.good("name", format!("{host} is {shown}{more}"));
    let firewall = "Check `port`; else ask whether a firewall keeps this machine from it.";
    match timeout(limit, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_)) => steps.good("connect", format!("port {port} answers")),
        Ok(Err(error)) => {
            let problem = match error.kind() {
                std::io::ErrorKind::ConnectionRefused => {
                    format!("nothing listens at port {port} (connection refused)")
                }
                _ => format!("port {port}: {error}"),
            };
            steps.stop("connect", failure(problem, firewall));
        }
        Err(_) => {
            let problem = format!("port {port} does not answer within {} s", limit.as_secs());
            steps.stop("connect", failure(problem, firewall));
        }
    }
    steps.done
}

/// Up to a server that has greeted and is protected.
async fn reach(account: &ImapAccount, steps: &mut Steps) -> Option<Session> {
    if account.dialler.is_none() {
        steps.done = reach_server(&account.host, account.port, account.timeouts.connect).await;
        if let Some(bad) = steps.done.iter().find(|step| matches!(step.outcome, Outcome::Failed { .. })) {
            steps.stopped_by = Some(bad.name.clone());
            return None;
        }
    }
    let pipe = steps.take("connect", connect::dial(account).await)?;
    let (pipe, certificate) = steps.take("encryption", connect::shielded(account, pipe).await)?;
    if account.security == Security::Tls {
        encryption(account, certificate.as_deref(), steps);
    }
    let session = steps.take("greeting", connect::greeted(account, pipe, certificate).await)?;
    // Some put a machine's name behind it, in a code of their own.
    let words = session.greeting.split(" [").next().unwrap_or_default();
    let words: String = words.chars().take(60).collect();
    steps.good("greeting", format!("\u{201c}{}\u{201d}", words.trim()));
    let session = connect::upgraded(account, session).await;
    let mut session = steps.take("encryption", session)?;
    if account.security != Security::Tls {
        encryption(account, session.certificate.as_deref(), steps);
    }
    let asked = connect::ask_abilities(account, &mut session).await;
    steps.take("abilities", asked)?;
    Some(session)
}

fn encryption(account: &ImapAccount, certificate: Option<&[u8]>, steps: &mut Steps) {
    let way = match account.security {
        Security::Tls => "TLS from the start",
        Security::StartTls => "STARTTLS",
        Security::Plain => "none; only allowed because the server is on this machine",
    };
    steps.add("encryption", certificate_step(way, certificate));
}

/// What is said of a protected connection, and of how long its certificate will do.
pub fn certificate_step(way: &str, der: Option<&[u8]>) -> Outcome {
    let Some((der, validity)) = der.and_then(|der| Some((der, certificate::validity(der)?))) else {
        return Outcome::Good(way.to_owned());
    };
    let days = (validity.until - SystemClock.now()).num_days();
    let name = whose::names(der).first().map(|name| format!(" for {name}")).unwrap_or_default();
    let issuer = whose::issuer(der).map(|issuer| format!(", issued by {issuer}")).unwrap_or_default();
    let found = format!(
        "{way}; certificate{name}{issuer}, valid until {} ({days} days)",
        validity.until.format("%-d %B %Y")
    );
    let remedy = "Have the certificate renewed by whoever runs the server: when it has ended, no mail is read or sent.";
    match days {
        ..AT_ONCE_DAYS => Outcome::Failed { problem: found, remedy: remedy.into() },
        AT_ONCE_DAYS..SOON_DAYS => Outcome::Notice { found, remedy: remedy.into() },
        _ => Outcome::Good(found),
    }
}

/// The password or token, and the login with it.
async fn log_in<'s>(
    account: &ImapAccount,
    steps: &mut Steps,
    session: &'s mut Session,
) -> Option<&'s mut Session> {
    let name = secret_step(account);
    let found = match login::secret(account).await {
        Ok(handed) if name == "token" => token::told(&handed.secret, SystemClock.now()),
        Ok(_) => Ok("there".to_owned()),
        Err(error) => {
            steps.stop(name, failed(&error));
            return None;
        }
    };
    match found {
        Ok(found) => steps.good(name, found),
        Err((problem, remedy)) => {
            steps.stop(name, Outcome::Failed { problem, remedy });
            return None;
        }
    }
    steps.take("login", login::login(session, account).await)?;
    steps.good("login", format!("as {}", account.user));
    steps.add("abilities", abilities(session));
    Some(session)
}

/// What the server can do beyond the least, and what follows where it cannot.
fn abilities(session: &Session) -> Outcome {
    let useful = [
        ("IDLE", "mail is looked for by polling"),
        ("MOVE", "messages are copied, looked for, then deleted"),
        ("UIDPLUS", "originals may stay, marked as deleted"),
        ("SPECIAL-USE", "Sent is found by its name"),
    ];
    let (has, lacks): (Vec<_>, Vec<_>) = useful.into_iter().partition(|(name, _)| session.can(name));
    let has: Vec<&str> = has.into_iter().map(|(name, _)| name).collect();
    let mut text = if has.is_empty() { "nothing beyond the least".to_owned() } else { has.join(", ") };
    for (name, then) in lacks {
        text.push_str(&format!("; no {name}: {then}"));
    }
    Outcome::Good(text)
}

/// Folders, rights, Sent, IDLE.
async fn look_around(account: &ImapAccount, wanted: &Wanted<'_>, steps: &mut Steps, session: &mut Session) {
    let mut first = None;
    for folder in wanted.watched.iter().filter(|folder| *folder != SENT) {
        let outcome = folders::watched(session, account, folder).await;
        let name = format!("folder {folder}");
        // Exchange has let us in, but not into the mailbox: every further question would be answered so.
        match &outcome {
            Outcome::Failed { problem, .. } if problem.contains("not connected") => {
                return steps.stop(&name, outcome);
            }
            _ => steps.add(&name, outcome),
        }
        first = first.or(session.selected.clone());
    }
    // Rights and IDLE are tried in the first that could be opened.
    if let (Some(first), None) = (first, &session.selected) {
        let _ = super::folders::open(session, &first.wire_name, first.writable).await;
    }
    steps.add("rights", folders::rights(session, account).await);
    steps.add("IDLE", idle(session, wanted.poll_seconds).await);
    match folders::filed_into(session, account, wanted.filed_into).await {
        Ok(outcome) => steps.add("folders", outcome),
        Err(fault) => steps.add("folders", failed(&fault.at(&account.account, "LIST"))),
    }
    for folder in
        wanted.answers_in.iter().filter(|folder| *folder != SENT && !wanted.watched.contains(*folder))
    {
        let outcome = folders::answers(session, account, folder).await;
        steps.add(&format!("folder {folder}"), outcome);
    }
    steps.add("Sent folder", folders::sent(session, account, wanted.server_keeps_copies).await);
}

/// An IDLE in the folder that is open, taken back at once.
async fn idle(session: &mut Session, poll_seconds: u32) -> Outcome {
    if !session.can("IDLE") {
        return Outcome::Notice {
            found: "the server does not announce new mail".into(),
            remedy: format!(
                "Nothing must be done: it is looked for every {poll_seconds} s (`poll_seconds`)."
            ),
        };
    }
    if session.selected.is_none() {
        return Outcome::NotTried("because no watched folder could be opened".into());
    }
    match session.idle(Instant::now() + IDLE_TRIAL).await {
        Ok(Idled::News | Idled::Quiet) => {
            Outcome::Good("taken; how fast it wakes is measured by --send-test".into())
        }
        Ok(Idled::Unwanted) => Outcome::Notice {
            found: "offered, and then ended by the server".into(),
            remedy: format!(
                "Nothing must be done: mail is looked for every {poll_seconds} s (`poll_seconds`)."
            ),
        },
        Err(Fault::Refused(refusal)) => Outcome::Notice {
            found: format!("offered, and then refused: {}", refusal.text),
            remedy: format!(
                "Nothing must be done: mail is looked for every {poll_seconds} s (`poll_seconds`)."
            ),
        },
        Err(lost) => failed(&lost.at("", "IDLE")),
    }
}
