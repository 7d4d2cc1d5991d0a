//! A team with its mailboxes on the private servers, and send-triage configured for it.

use std::path::{Path, PathBuf};

use super::program::Program;
use super::servers::{MailServers, PASSWORD};
use super::wait_until;
use super::wire::StoredMail;

/// One account of the configuration: its name there, and its user on the servers.
pub const ACCOUNTS: [(&str, &str); 5] = [
    ("general", "send.general"),
    ("assessment", "send.assessment"),
    ("annual-review-east", "send.annualreview.east"),
    ("annual-review-west", "send.annualreview.west"),
    ("resolution", "send.resolution"),
];

/// How a test's configuration differs from the usual one.
#[derive(Clone)]
pub struct Plan {
    /// How many of [`ACCOUNTS`] are watched, from the first.
    pub accounts: usize,
    /// `imap:` of every account, from `security` on; `{port}` is filled in.
    pub imap_security: &'static str,
    /// The IMAP port, when it is not Dovecot's.
    pub imap_port: Option<u16>,
    /// The SMTP port, when it is not Postfix's submission port.
    pub smtp_port: Option<u16>,
    /// `smtp:` security: `starttls` with login, or `plain` without.
    pub smtp_plain: bool,
    /// A name whose password file is wrong.
    pub wrong_password_for: Option<&'static str>,
    /// `existing:` of every account.
    pub existing: &'static str,
    /// `filing:` of every account.
    pub filing: &'static str,
    /// Trust the servers' CA.
    pub trust_ca: bool,
    /// Further lines at the end of the file.
    pub more: String,
    /// `poll_seconds` of every account.
    pub poll_seconds: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            accounts: 2,
            imap_security: "starttls",
            imap_port: None,
            smtp_port: None,
            smtp_plain: false,
            wrong_password_for: None,
            existing: "record",
            filing: "move",
            trust_ca: true,
            more: String::new(),
            poll_seconds: 300,
        }
    }
}

/// A folder with the configuration, the passwords and the record.
pub struct Team {
    dir: tempfile::TempDir,
}

impl Team {
    /// Writes the configuration.
    pub fn new(servers: &MailServers, plan: &Plan) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        std::fs::write(dir.path().join("wrong"), "not this\n").unwrap();
        let team = Self { dir };
        team.configure(servers, plan);
        team
    }

    /// Writes the configuration anew.
    pub fn configure(&self, servers: &MailServers, plan: &Plan) {
        std::fs::write(self.config(), configuration(servers, plan)).unwrap();
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("send-triage.yaml")
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("record.sqlite")
    }

    /// Starts the daemon and waits until every account's first look is over.
    pub fn start(&self) -> Program {
        let program = self.start_without_waiting();
        program.wait_for_log("Started");
        program
    }

    /// Starts the daemon.
    pub fn start_without_waiting(&self) -> Program {
        Program::start(self.dir(), &["run", "--config", "send-triage.yaml", "--log-level", "debug"])
    }

    /// Starts the daemon and waits until it has taken every watched folder into use.
    pub fn start_and_take_into_use(&self, folders: usize) -> Program {
        let program = self.start();
        wait_until("every folder taken into use", || {
            (program.stderr().matches("Taken into use").count() >= folders).then_some(())
        });
        program
    }

    /// What `cases list` says.
    pub fn cases(&self) -> Vec<serde_json::Value> {
        let done =
            Program::run(self.dir(), &["cases", "list", "--config", "send-triage.yaml", "--format", "json"]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What `cases show` says about one.
    pub fn case(&self, reference: &str) -> serde_json::Value {
        let arguments = ["cases", "show", reference, "--config", "send-triage.yaml", "--format", "json"];
        let done = Program::run(self.dir(), &arguments);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    }
}

fn configuration(servers: &MailServers, plan: &Plan) -> String {
    let ca =
        if plan.trust_ca { format!(", ca_file: {}", servers.ca_file().display()) } else { String::new() };
    let watched = &ACCOUNTS[..plan.accounts];
    let mut text = format!("council: {{domain: {}}}\ndatabase: record.sqlite\naccounts:\n", servers.domain());
    for (name, user) in watched {
        let password = if plan.wrong_password_for == Some(name) { "wrong" } else { "password" };
        let default_port =
            if plan.imap_security == "tls" { servers.imaps_port() } else { servers.imap_port() };
        let imap_port = plan.imap_port.unwrap_or(default_port);
        text += &format!(
            "  - name: {name}\n    address: {user}@{domain}\n    existing: {existing}\n    filing: {filing}\n    imap: {{host: localhost, port: {imap_port}, security: {security}, user: {user}, password: {{file: {password}}}, poll_seconds: {poll}{ca}}}\n",
            domain = servers.domain(),
            existing = plan.existing,
            filing = plan.filing,
            security = plan.imap_security,
            poll = plan.poll_seconds,
        );
        text += &if plan.smtp_plain {
            let port = plan.smtp_port.unwrap_or(servers.smtp_port());
            format!("    smtp: {{host: localhost, port: {port}, security: plain}}\n")
        } else {
            let port = plan.smtp_port.unwrap_or(servers.submission_port());
            format!(
                "    smtp: {{host: localhost, port: {port}, security: starttls, user: {user}, password: {{file: password}}{ca}}}\n"
            )
        };
    }
    let place = |queue: &str| {
        let account = if watched.iter().any(|(name, _)| *name == queue) { queue } else { "general" };
        format!("  {queue}: {{account: {account}, folder: Triage/{queue}}}\n")
    };
    text += "queues:\n";
    for queue in ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"] {
        text += &place(queue);
    }
    text + &plan.more
}

/// A letter to the team, as a mail program would send it.
pub fn letter(from: &str, to: &str, subject: &str, id: &str, body: &str) -> Vec<u8> {
    let id = if id.is_empty() { String::new() } else { format!("Message-ID: <{id}>\r\n") };
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\n{id}Date: Mon, 2 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
        body.replace('\n', "\r\n")
    )
    .into_bytes()
}

/// The acknowledgements among these messages.
pub fn acknowledgements(mail: &[StoredMail]) -> Vec<&StoredMail> {
    mail.iter().filter(|m| m.header("auto-submitted").as_deref() == Some("auto-replied")).collect()
}
