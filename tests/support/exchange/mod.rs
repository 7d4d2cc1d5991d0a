//! A server that talks like Exchange Online, on loopback and without TLS, from what is documented of it: no SPECIAL-USE, no keywords,
//! no CONDSTORE, sizes that are estimates, folders in the mailbox's language, its own copy of whatever is submitted, sessions that
//! end with their token, and the words with which it refuses. It holds real mailboxes: messages, UIDs, flags, folders.

mod imap;
mod smtp;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;

use super::program::{Finished, Program};
use super::wire::utf7;
use super::{few_rules, wait_until};

/// The council's domain.
pub const DOMAIN: &str = "hertfordshire.example";
/// The team's shared mailbox.
pub const GENERAL: &str = "send.general@hertfordshire.example";
/// The access token that is taken.
pub const TOKEN: &str = "a-token-that-is-taken";

/// A message as it lies there.
#[derive(Clone)]
pub struct Mail {
    pub uid: u32,
    pub bytes: Vec<u8>,
    pub flags: Vec<String>,
    pub received: DateTime<Utc>,
}

impl Mail {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    pub fn is_unread(&self) -> bool {
        !self.flags.iter().any(|flag| flag == "\\Seen")
    }
}

/// A folder, under its name on the wire.
#[derive(Clone, Default)]
pub struct Folder {
    pub uid_validity: u32,
    pub uid_next: u32,
    pub mails: Vec<Mail>,
}

/// How often a command is answered otherwise than usual, and how.
#[derive(Clone)]
pub struct Odd {
    /// `imap UID MOVE`, `smtp end`: the side, and the beginning of the command.
    pub at: &'static str,
    pub times: usize,
    /// The answer without its tag, or the SMTP reply.
    pub says: &'static str,
}

/// The tenant: its mailboxes, and how it is in the mood to be.
pub struct Tenant {
    pub mailboxes: BTreeMap<String, BTreeMap<String, Folder>>,
    /// Sent, as this tenant's language calls it.
    pub sent: String,
    /// Letters to anybody outside, in order.
    pub outside: Vec<(String, Mail, Instant)>,
    /// IMAP sessions end after so long, as with their token.
    pub session: Option<Duration>,
    /// How long after a submission its copy comes into Sent.
    pub copy_after: Duration,
    /// How long a MOVE takes.
    pub move_takes: Duration,
    pub odd: Vec<Odd>,
    /// Commands, each after its side: `imap UID MOVE 1 x`, `smtp MAIL FROM:<>`.
    pub log: Vec<String>,
    pub imap_sessions: usize,
    pub smtp_connections: usize,
    pub most_smtp_connections: usize,
}

/// The running server.
#[derive(Clone)]
pub struct Exchange {
    tenant: Arc<Mutex<Tenant>>,
    pub imap_port: u16,
    pub smtp_port: u16,
}

impl Exchange {
    /// A tenant in English.
    pub fn start() -> Self {
        Self::in_language("Sent Items")
    }

    /// A tenant in whose language Sent is called so. It runs as long as this process does.
    pub fn in_language(sent: &str) -> Self {
        let folder = |uid_validity| Folder { uid_validity, uid_next: 1, mails: Vec::new() };
        let folders = BTreeMap::from([("INBOX".to_owned(), folder(14)), (utf7(sent), folder(15))]);
        let tenant = Tenant {
            mailboxes: BTreeMap::from([(GENERAL.to_owned(), folders)]),
            sent: utf7(sent),
            outside: Vec::new(),
            session: None,
            copy_after: Duration::from_millis(1500),
            move_takes: Duration::ZERO,
            odd: Vec::new(),
            log: Vec::new(),
            imap_sessions: 0,
            smtp_connections: 0,
            most_smtp_connections: 0,
        };
        let tenant = Arc::new(Mutex::new(tenant));
        let (told, ports) = std::sync::mpsc::channel();
        let shared = tenant.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let imap = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let smtp = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
                told.send((port(&imap), port(&smtp))).unwrap();
                loop {
                    tokio::select! {
                        Ok((stream, _)) = imap.accept() => { tokio::spawn(imap::serve(shared.clone(), stream)); }
                        Ok((stream, _)) = smtp.accept() => { tokio::spawn(smtp::serve(shared.clone(), stream)); }
                    }
                }
            });
        });
        let (imap_port, smtp_port) = ports.recv().unwrap();
        Self { tenant, imap_port, smtp_port }
    }

    /// The tenant, to look at and to change.
    pub fn tenant(&self) -> MutexGuard<'_, Tenant> {
        self.tenant.lock().unwrap()
    }

    /// The next so many commands that begin so are answered so.
    pub fn says(&self, at: &'static str, times: usize, says: &'static str) {
        self.tenant().odd.push(Odd { at, times, says });
    }

    /// Mail from outside comes into the team's inbox.
    pub fn arrives(&self, bytes: &[u8]) {
        self.tenant().put(GENERAL, "INBOX", bytes, &[]);
    }

    /// What lies in a folder of the team's mailbox, by its name in Unicode.
    pub fn folder(&self, name: &str) -> Vec<Mail> {
        let tenant = self.tenant();
        tenant.mailboxes[GENERAL].get(&utf7(name)).map(|folder| folder.mails.clone()).unwrap_or_default()
    }

    /// The letters that went to this address outside.
    pub fn sent_to(&self, address: &str) -> Vec<Mail> {
        self.tenant()
            .outside
            .iter()
            .filter(|(to, _, _)| to == address)
            .map(|(_, mail, _)| mail.clone())
            .collect()
    }

    #[track_caller]
    pub fn wait_for(&self, folder: &str, mails: usize) -> Vec<Mail> {
        wait_until(&format!("{mails} message(s) in {folder}"), || {
            Some(self.folder(folder)).filter(|found| found.len() >= mails)
        })
    }

    #[track_caller]
    pub fn wait_for_letter(&self, to: &str) -> Mail {
        wait_until(&format!("a letter to {to}"), || self.sent_to(to).into_iter().next())
    }

    /// Every message of the mailbox: folder, UID, flags and bytes.
    #[allow(clippy::type_complexity)] // Only ever compared with another.
    pub fn snapshot(&self) -> Vec<(String, u32, u32, Vec<String>, Vec<u8>)> {
        let tenant = self.tenant();
        let mut all = Vec::new();
        for (name, folder) in &tenant.mailboxes[GENERAL] {
            all.push((name.clone(), folder.uid_validity, folder.uid_next, Vec::new(), Vec::new()));
            all.extend(
                folder
                    .mails
                    .iter()
                    .map(|m| (name.clone(), folder.uid_validity, m.uid, m.flags.clone(), m.bytes.clone())),
            );
        }
        all
    }
}

impl Tenant {
    /// Puts a message into a folder; its UID.
    pub fn put(&mut self, address: &str, wire: &str, bytes: &[u8], flags: &[&str]) -> u32 {
        let folders = self.mailboxes.get_mut(address).unwrap();
        let folder = folders.get_mut(wire).unwrap();
        let uid = folder.uid_next;
        folder.uid_next += 1;
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        folder.mails.push(Mail { uid, bytes: bytes.to_vec(), flags, received: Utc::now() });
        uid
    }

    /// What is to be said instead of the usual answer.
    fn odd(&mut self, command: &str) -> Option<&'static str> {
        let odd = self.odd.iter_mut().find(|odd| odd.times > 0 && command.starts_with(odd.at))?;
        odd.times -= 1;
        Some(odd.says)
    }
}

/// send-triage, configured for that tenant as a council would.
pub struct Office {
    dir: tempfile::TempDir,
}

impl Office {
    pub fn new(exchange: &Exchange) -> Self {
        Self::with(exchange, "", "")
    }

    /// With further keys of `smtp:` (`, key: value`) and further lines at the end of the file.
    pub fn with(exchange: &Exchange, smtp: &str, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        few_rules::write(&dir.path().join("rules"));
        std::fs::write(dir.path().join("token"), format!("{TOKEN}\n")).unwrap();
        let queues: String =
            ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"]
                .map(|queue| format!("  {queue}: {{folder: Triage/{queue}}}\n"))
                .concat();
        let config = format!(
            "council: {{domain: {DOMAIN}}}\ndatabase: record.sqlite\nrules: rules\naccounts:\n  - name: general\n    address: {GENERAL}\n    \
             imap: {{host: localhost, port: {}, security: plain, login: xoauth2, password: {{file: token}}, poll_seconds: 2}}\n    \
             smtp: {{host: localhost, port: {}, security: plain, user: {GENERAL}, xoauth2: true, password: {{file: token}}, keeps_copies: true{smtp}}}\n\
             queues:\n{queues}{more}",
            exchange.imap_port, exchange.smtp_port
        );
        std::fs::write(dir.path().join("c.yaml"), config).unwrap();
        Self { dir }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A file of it, to be written otherwise.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The daemon, once its mailbox is in use.
    #[track_caller]
    pub fn start(&self) -> Program {
        let program = Program::start(self.dir(), &["run", "--config", "c.yaml", "--log-level", "debug"]);
        program.wait_for_log("Taken into use");
        program
    }

    /// Runs a command on this configuration.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Program::run(self.dir(), &[arguments, &["--config", "c.yaml"]].concat())
    }

    /// What `cases list` knows.
    #[track_caller]
    pub fn cases(&self) -> Vec<serde_json::Value> {
        let done = self.run(&["cases", "list", "--format", "json"]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
