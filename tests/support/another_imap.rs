//! Another IMAP server than Dovecot for one test: Cyrus or Courier as Debian packages them, with their own ways of keeping
//! passwords, mail and folders. What it is not: a mail server. Letters leave by the Postfix of `servers.rs`, whose Dovecot keeps
//! the parents' inboxes; `Imap` is the same for all three, so that one journey can be made with each.
//!
//! A server ends with this process, even when it is killed: it is alone in a process namespace that dies with its parent.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::machine::{Certificate, Ports, run, write_certificates};
use super::servers::{MailServers, PASSWORD, SENDERS, Setup, TEAM};
use super::team::Plan;
use super::wire::{self, Imap, StoredMail, quoted, utf7};
use super::{PATIENCE, wait_at_most, wait_until};

/// Whose program keeps the team's mailboxes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Dovecot,
    Cyrus,
    Courier,
}

/// The team's mailboxes on a server of some kind, and a Postfix for the letters. Dropping it ends them all.
pub struct Office {
    /// Postfix, and the Dovecot with the parents' inboxes.
    pub servers: MailServers,
    kind: Kind,
    other: Option<Other>,
}

/// The server beside Dovecot.
struct Other {
    dir: tempfile::TempDir,
    ports: Ports,
    process: Option<Child>,
}

impl Office {
    pub fn start(kind: Kind) -> Self {
        let servers = MailServers::start(Setup::default());
        let mut office = Self { servers, kind, other: None };
        if kind == Kind::Dovecot {
            return office;
        }
        // Somebody else may take a port between our look and the server's bind: then with others.
        for _ in 0..4 {
            office.other = Some(Other::configure());
            if office.try_start() {
                return office;
            }
        }
        panic!("{kind:?} does not start:\n{}", office.logs());
    }

    /// A configuration for the daemon that watches the mailboxes here.
    pub fn plan(&self) -> Plan {
        Plan { imap_port: self.other.as_ref().map(|other| other.ports.imap), ..Plan::default() }
    }

    /// A session of this user, to do by hand what staff do in their mail program.
    #[track_caller]
    pub fn imap(&self, user: &str) -> Imap<TcpStream> {
        self.try_imap(user).unwrap_or_else(|said| panic!("IMAP login of {user}: {said}\n{}", self.logs()))
    }

    fn try_imap(&self, user: &str) -> Result<Imap<TcpStream>, String> {
        let port = self.other.as_ref().map_or(self.servers.imap_port(), |other| other.ports.imap);
        Imap::login(port, user, PASSWORD)
    }

    /// A folder's name as this server has it, in the form of IMAP commands.
    pub fn named(&self, folder: &str) -> String {
        quoted(&utf7(&self.there(folder)))
    }

    /// A folder's name as this server has it: on Courier beneath INBOX, with `.` between the levels.
    pub fn there(&self, folder: &str) -> String {
        match self.kind {
            Kind::Courier if folder != "INBOX" => format!("INBOX.{}", folder.replace('/', ".")),
            _ => folder.to_owned(),
        }
    }

    /// Puts a message into a user's INBOX as the server's own delivery does: LMTP, or a file in the Maildir.
    #[track_caller]
    pub fn deliver(&self, user: &str, raw: &[u8]) {
        match (&self.other, self.kind) {
            (None, _) => self.servers.deliver(user, raw),
            (Some(other), Kind::Courier) => other.drop_into_maildir(user, raw),
            (Some(other), _) => {
                wire::hand_over(other.ports.lmtp, "LHLO", "sender@elsewhere.example", &[user], raw)
                    .unwrap_or_else(|said| panic!("LMTP delivery to {user}: {said}\n{}", self.logs()));
            }
        }
    }

    /// What lies in a folder now, lowest UID first. Looking marks nothing as read. No such folder: nothing.
    #[track_caller]
    pub fn mailbox(&self, user: &str, folder: &str) -> Vec<StoredMail> {
        let found = self.imap(user).messages(&self.there(folder));
        found.unwrap_or_else(|said| panic!("reading {user}/{folder}: {said}"))
    }

    /// Every message of a user outside INBOX and Sent, with its folder (`/` between the levels, as [`utf7`] writes them).
    pub fn filed(&self, user: &str) -> Vec<(String, StoredMail)> {
        let mut session = self.imap(user);
        let listed = session.command("LIST \"\" *").unwrap();
        let lines = listed.iter().map(|line| String::from_utf8_lossy(line).into_owned());
        // `* LIST (\HasNoChildren) "/" Triage/general`, the name in quotes or not.
        let names = lines.filter_map(|line| {
            let (_, name) = line.split_once(") \"")?.1.split_once("\" ")?;
            Some(name.trim_end().trim_matches('"').to_owned())
        });
        let mut found = Vec::new();
        for name in names.filter(|name| name.contains("Triage")) {
            let plain = match self.kind {
                Kind::Courier => name.trim_start_matches("INBOX.").replace('.', "/"),
                _ => name.clone(),
            };
            // Already in IMAP's own form; an & in it would be written anew.
            if session.command(&format!("EXAMINE {}", quoted(&name))).is_ok() {
                found.extend(session.opened().unwrap().into_iter().map(|mail| (plain.clone(), mail)));
            }
        }
        found
    }

    /// Waits until the INBOX is empty and so many messages are filed.
    #[track_caller]
    pub fn wait_until_filed(&self, user: &str, messages: usize) -> Vec<(String, StoredMail)> {
        wait_until(&format!("{messages} message(s) filed for {user}"), || {
            let found = self.filed(user);
            (found.len() >= messages && self.mailbox(user, "INBOX").is_empty()).then_some(found)
        })
    }

    /// Ends the IMAP server as a power cut would (Dovecot: as an administrator does); open sessions break off.
    pub fn stop(&mut self) {
        match &mut self.other {
            None => self.servers.stop_imap(),
            Some(other) => other.stop(),
        }
    }

    /// Starts it again: the same port, users and messages.
    #[track_caller]
    pub fn restart(&mut self) {
        if self.other.is_none() {
            return self.servers.start_imap();
        }
        assert!(self.try_start(), "{:?} does not start again:\n{}", self.kind, self.logs());
    }

    /// Gives a user's INBOX another UIDVALIDITY, as a restored backup does.
    pub fn change_uid_validity(&mut self, user: &str) {
        let Some(other) = &self.other else {
            return self.servers.change_uid_validity(user, "INBOX", 1_999_999_999);
        };
        fs::write(other.dir.path().join("forget"), format!("{user}\n")).unwrap();
        self.stop();
        self.restart();
    }

    fn try_start(&mut self) -> bool {
        let kind = self.kind;
        let Some(other) = &mut self.other else { return true };
        other.launch(kind);
        let process = other.process.as_mut().unwrap();
        let mut ended = false;
        let up = wait_at_most(PATIENCE, || {
            ended = process.try_wait().unwrap().is_some();
            (ended || Imap::login(other.ports.imap, TEAM[0], PASSWORD).is_ok()).then_some(())
        });
        up.is_some() && !ended
    }

    /// The last lines of all logs.
    pub fn logs(&self) -> String {
        let ours = self.other.as_ref().map(|other| fs::read_to_string(other.dir.path().join("server.log")));
        self.servers.logs() + &ours.and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
    }
}

impl Other {
    fn configure() -> Self {
        // Short, because the path of a Unix socket may have no more than 107 bytes.
        let dir = tempfile::Builder::new().prefix("st-").tempdir_in("/tmp").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for sub in ["tls", "mail", "etc"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        write_certificates(dir.path(), Certificate::Good);
        let users = [&TEAM[..], &SENDERS[..]].concat();
        fs::write(dir.path().join("names"), users.join("\n") + "\n").unwrap();
        fs::write(dir.path().join("password"), PASSWORD).unwrap();
        Self { dir, ports: Ports::free(), process: None }
    }

    fn launch(&mut self, kind: Kind) {
        let packages = packages();
        let script = if kind == Kind::Cyrus { "cyrus.sh" } else { "courier.sh" };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(script);
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("server.log"));
        let log = log.unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]);
        command.args(["--mount-proc", "sh"]).arg(script).arg(self.dir.path()).arg(packages);
        command.args([self.ports.imap.to_string(), self.ports.lmtp.to_string()]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(command.spawn().expect("setpriv, of Debian's util-linux"));
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn stop(&mut self) {
        self.kill();
        let port = self.ports.imap;
        wait_until("the end of the server", || wire::connect(port).is_err().then_some(()));
    }

    /// As any delivery agent does (maildir(5)): written whole in `tmp`, then moved into `new`.
    fn drop_into_maildir(&self, user: &str, raw: &[u8]) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("{}.t{}.test", chrono::Utc::now().timestamp(), NEXT.fetch_add(1, Ordering::Relaxed));
        let maildir = self.dir.path().join("mail").join(user);
        let (written, there) = (maildir.join("tmp").join(&name), maildir.join("new").join(&name));
        fs::write(&written, String::from_utf8_lossy(raw).replace("\r\n", "\n")).unwrap();
        let id = |flag: &str| run("id", &[flag, "mail"]).trim().parse::<u32>().unwrap();
        chown(&written, Some(id("-u")), Some(id("-g"))).unwrap();
        fs::rename(written, there).unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where `tests/unpack-mail-servers` has put them.
fn packages() -> PathBuf {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/mail-servers");
    assert!(
        packages.join("complete").exists(),
        "These tests use real mail servers. Please run `tests/run`, or: tests/unpack-mail-servers"
    );
    packages
}
