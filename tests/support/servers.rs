//! A private Dovecot and a private Postfix for one test: free loopback ports, a folder of their own, gone afterwards.
//!
//! Mail to `someone@any.domain.at.all` lies in the INBOX of the user `someone` if there is one, else in `sink`'s. To
//! `@defer.example` Postfix says 451, to `@reject.example` 550. Nothing leaves the machine.
//!
//! The servers stop when this process does, even when it is killed: a guard waits for its standard input to close.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use super::machine::{Ports, guard, require_root_and_packages, run, write_certificates};
use super::token_endpoint::TokenEndpoint;
use super::wire::{self, Imap, StoredMail};
use super::{PATIENCE, wait_at_most, wait_until};

pub use super::machine::Certificate;

/// The council's domain.
pub const DOMAIN: &str = "hertfordshire.example";
/// Everybody's password.
pub const PASSWORD: &str = "blue tractor 7";
/// The team's accounts; the address is the name `@` [`DOMAIN`].
pub const TEAM: [&str; 6] = [
    "send.general",
    "send.assessment",
    "send.annualreview.east",
    "send.annualreview.west",
    "send.resolution",
    "duty",
];
/// People who write to the team and have an inbox to look into, at any domain.
pub const SENDERS: [&str; 4] = ["parent.a", "parent.b", "senco", "robot"];

/// The folders of Postfix's queue, as its `postfix-files` lists them.
const QUEUE: [&str; 13] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "private",
    "public", "saved", "trace",
];

/// How the servers are to be.
#[derive(Clone, Default)]
pub struct Setup {
    /// Users beside [`TEAM`], [`SENDERS`] and `sink`.
    pub more_users: Vec<String>,
    /// The whole CAPABILITY line after login, to hide MOVE, IDLE, UIDPLUS: `IMAP4rev1 IDLE`.
    pub imap_capability: Option<String>,
    /// Logins by access token (XOAUTH2) are taken too: those that `token_endpoint` signs.
    pub oauth: bool,
    /// Whom the certificate names. Its CA is [`MailServers::ca_file`] in any case.
    pub certificate: Certificate,
    /// Postfix takes everything and throws it away, instead of handing it to Dovecot.
    pub discard: bool,
}

/// The running pair. Dropping it stops both and removes their folder.
pub struct MailServers {
    dir: PathBuf,
    ports: Ports,
    guard: Child,
}

impl MailServers {
    /// Starts both; panics with the remedy when they are not installed, and with their logs when they do not come up.
    pub fn start(setup: Setup) -> Self {
        require_root_and_packages();
        // Somebody else may take a port between our look and the server's bind: then with others.
        for _ in 0..4 {
            let servers = Self::configure(&setup);
            if servers.try_start_imap() && servers.try_start_smtp() {
                return servers;
            }
            let logs = servers.logs();
            assert!(logs.contains("already in use"), "the mail servers do not start:\n{logs}");
        }
        panic!("no free ports for the mail servers after four attempts");
    }

    pub fn imap_port(&self) -> u16 {
        self.ports.imap
    }

    pub fn imaps_port(&self) -> u16 {
        self.ports.imaps
    }

    pub fn lmtp_port(&self) -> u16 {
        self.ports.lmtp
    }

    /// SMTP without login, from loopback; offers STARTTLS.
    pub fn smtp_port(&self) -> u16 {
        self.ports.smtp
    }

    /// SMTP that demands STARTTLS and a login.
    pub fn submission_port(&self) -> u16 {
        self.ports.submission
    }

    /// SMTP within TLS that demands a login.
    pub fn smtps_port(&self) -> u16 {
        self.ports.smtps
    }

    /// The CA that signed the servers' certificate, PEM. It is in no trust store.
    pub fn ca_file(&self) -> PathBuf {
        self.path("tls/ca.pem")
    }

    pub fn domain(&self) -> &'static str {
        DOMAIN
    }

    /// Where Dovecot keeps this user's messages.
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.path(&format!("mail/{user}/maildir"))
    }

    /// Dovecot's own configuration, for its tools.
    pub fn dovecot_config(&self) -> PathBuf {
        self.path("dovecot.conf")
    }

    /// Puts a message into a user's INBOX by LMTP, as just received.
    #[track_caller]
    pub fn deliver(&self, to_user: &str, raw: &[u8]) {
        wire::hand_over(self.ports.lmtp, "LHLO", "sender@elsewhere.example", &[to_user], raw)
            .unwrap_or_else(|said| panic!("LMTP delivery to {to_user}: {said}\n{}", self.logs()));
    }

    /// Sends a message by SMTP through Postfix, as the internet would; an empty `from` is the null return path.
    #[track_caller]
    pub fn send(&self, from: &str, to: &[&str], raw: &[u8]) {
        self.try_send(from, to, raw).unwrap_or_else(|said| panic!("SMTP to {to:?}: {said}\n{}", self.logs()));
    }

    /// The same; `Err` is what the server said.
    pub fn try_send(&self, from: &str, to: &[&str], raw: &[u8]) -> Result<(), String> {
        wire::hand_over(self.ports.smtp, "EHLO", from, to, raw)
    }

    /// Puts a message into any folder byte for byte, with a time of receipt (`17-Sep-2026 09:00:00 +0100`).
    #[track_caller]
    pub fn append(&self, user: &str, folder: &str, received: &str, raw: &[u8]) {
        let done = self.imap(user).append(folder, received, raw);
        done.unwrap_or_else(|said| panic!("APPEND to {user}/{folder}: {said}"));
    }

    /// A session of this user, to do by hand what staff do in their mail program.
    #[track_caller]
    pub fn imap(&self, user: &str) -> Imap<std::net::TcpStream> {
        Imap::login(self.ports.imap, user, PASSWORD)
            .unwrap_or_else(|said| panic!("IMAP login of {user}: {said}\n{}", self.logs()))
    }

    /// What lies in a folder now, lowest UID first. Looking marks nothing as read. No such folder: nothing.
    #[track_caller]
    pub fn mailbox(&self, user: &str, folder: &str) -> Vec<StoredMail> {
        self.imap(user).messages(folder).unwrap_or_else(|said| panic!("reading {user}/{folder}: {said}"))
    }

    /// Postfix tries at once what waits in its queue.
    pub fn flush_queue(&self) {
        run("postqueue", &["-c", &self.path("postfix").to_string_lossy(), "-f"]);
    }

    /// Waits until a folder holds so many messages, and returns them.
    #[track_caller]
    pub fn wait_for(&self, user: &str, folder: &str, messages: usize) -> Vec<StoredMail> {
        let mut session = self.imap(user);
        wait_until(&format!("{messages} message(s) in {user}/{folder}"), || match session.messages(folder) {
            Ok(found) => (found.len() >= messages).then_some(found),
            Err(_) => {
                session = Imap::login(self.ports.imap, user, PASSWORD).ok()?;
                None
            }
        })
    }

    /// The names of a user's folders.
    pub fn folders(&self, user: &str) -> Vec<String> {
        self.doveadm(&["mailbox", "list", "-u", user]).lines().map(str::to_owned).collect()
    }

    /// Gives a folder another UIDVALIDITY, as a restored backup does.
    pub fn change_uid_validity(&self, user: &str, folder: &str, uid_validity: u32) {
        self.doveadm(&["mailbox", "update", "--uid-validity", &uid_validity.to_string(), "-u", user, folder]);
    }

    /// How many messages Postfix still has to deliver.
    pub fn queued(&self) -> usize {
        let list = run("postqueue", &["-c", &self.path("postfix").to_string_lossy(), "-j"]);
        list.lines().filter(|line| line.starts_with('{')).count()
    }

    /// Waits until every message that Postfix took has been delivered.
    #[track_caller]
    pub fn wait_for_empty_queue(&self) {
        wait_until("an empty Postfix queue", || (self.queued() == 0).then_some(()));
    }

    /// Starts Dovecot again: the same ports, users and messages.
    #[track_caller]
    pub fn start_imap(&self) {
        assert!(self.try_start_imap(), "Dovecot does not start again:\n{}", self.logs());
    }

    /// Starts Postfix again: the same ports and queue.
    #[track_caller]
    pub fn start_smtp(&self) {
        assert!(self.try_start_smtp(), "Postfix does not start again:\n{}", self.logs());
    }

    /// Stops Dovecot: open sessions break off.
    #[track_caller]
    pub fn stop_imap(&self) {
        self.stop("run/master.pid", self.ports.imap);
    }

    /// Stops Postfix: open sessions break off, its queue stays.
    #[track_caller]
    pub fn stop_smtp(&self) {
        self.stop("queue/pid/master.pid", self.ports.smtp);
    }

    /// The last lines of both logs.
    pub fn logs(&self) -> String {
        let tail = |name: &str| {
            let text = fs::read_to_string(self.path(name)).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            format!("--- {name}\n{}\n", lines[lines.len().saturating_sub(30)..].join("\n"))
        };
        tail("dovecot.log") + &tail("postfix.log") + &tail("start.log")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn configure(setup: &Setup) -> Self {
        // Short, because the path of a Unix socket may have no more than 107 bytes.
        let dir = tempfile::Builder::new().prefix("st-").tempdir_in("/tmp").unwrap().keep();
        let at = dir.to_str().unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        for sub in ["run", "state", "mail", "tls", "postfix", "queue", "queue/pid", "data"] {
            fs::create_dir(dir.join(sub)).unwrap();
        }
        for sub in QUEUE {
            fs::create_dir(dir.join("queue").join(sub)).unwrap();
            fs::set_permissions(dir.join("queue").join(sub), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let owners = r#"cd "$1" && chown mail:mail mail && chown postfix data && chown postfix queue/[!p]* queue/private &&
            chown postfix:postdrop queue/public queue/maildrop && chmod 710 queue/public && chmod 730 queue/maildrop"#;
        run("sh", &["-c", owners, "owners", at]);
        write_certificates(&dir, setup.certificate);

        // Debian 12 has Dovecot 2.3, Debian 13 has 2.4, and they do not read each other's files.
        let old = run("dovecot", &["--version"]).starts_with("2.3");
        let ports = Ports::free();
        let capability = setup.imap_capability.as_ref().map(|line| format!("imap_capability = {line}"));
        let fill = |template: &str| {
            [
                ("{dir}", at.to_owned()),
                ("{domain}", DOMAIN.to_owned()),
                ("{capability}", capability.clone().unwrap_or_default()),
                ("{mechanisms}", if setup.oauth { " xoauth2" } else { "" }.to_owned()),
                ("{oauth}", if setup.oauth { oauth_lookup(old, at) } else { String::new() }),
                ("{daemons}", postconf("daemon_directory")),
                ("{commands}", postconf("command_directory")),
                ("{imap}", ports.imap.to_string()),
                ("{imaps}", ports.imaps.to_string()),
                ("{lmtp}", ports.lmtp.to_string()),
                ("{sasl}", ports.sasl.to_string()),
                ("{smtp}", ports.smtp.to_string()),
                ("{submission}", ports.submission.to_string()),
                ("{smtps}", ports.smtps.to_string()),
            ]
            .iter()
            .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        let write = |name: &str, text: String| fs::write(dir.join(name), text).unwrap();
        let mut users: Vec<&str> = [&TEAM[..], &SENDERS[..], &["sink"]].concat();
        users.extend(setup.more_users.iter().map(String::as_str));
        let mail_ids = run("id", &["-u", "mail"]).trim().to_owned() + ":" + run("id", &["-g", "mail"]).trim();
        let entry = |user: &&str| format!("{user}:{{PLAIN}}{PASSWORD}:{mail_ids}::{at}/mail/{user}::\n");
        write("users", users.iter().map(entry).collect());
        if setup.oauth {
            TokenEndpoint::publish(&dir.join("jwt/default/RS256"));
            let lookup = format!(
                "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={at}/jwt/\nusername_attribute = sub\n"
            );
            write("oauth2.conf.ext", lookup);
        }
        let dovecot = if old { include_str!("dovecot.conf") } else { include_str!("dovecot-2.4.conf") };
        write("dovecot.conf", fill(dovecot));
        // The last line of a name counts.
        let discard = if setup.discard { "virtual_transport = discard:\n" } else { "" };
        write("postfix/main.cf", fill(include_str!("main.cf")) + discard);
        write("postfix/master.cf", fill(include_str!("master.cf")));
        let names = users.join("|").replace('.', "\\.");
        write("postfix/virtual", format!("/^({names})@.*$/ ${{1}}@{DOMAIN}\n/./ sink@{DOMAIN}\n"));
        write(
            "postfix/recipients",
            "/@defer\\.example$/ 451 4.3.0 Try again later\n/@reject\\.example$/ 550 5.1.1 No such user here\n"
                .into(),
        );
        // Postfix waits a second or two for a file that was changed just now, in case somebody is still at it.
        for name in ["main.cf", "master.cf", "virtual", "recipients"] {
            let file = fs::File::options().append(true).open(dir.join("postfix").join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        }
        let guard = guard(at);
        Self { dir, ports, guard }
    }

    fn try_start_imap(&self) -> bool {
        self.launch("dovecot", &["-c", &self.path("dovecot.conf").to_string_lossy()]) && up(self.ports.imap)
    }

    fn try_start_smtp(&self) -> bool {
        // Not `postfix start`: its scripts take two seconds to look at what `configure` has just made.
        let master = format!("{}/master", postconf("daemon_directory"));
        self.launch(&master, &["-w", "-c", &self.path("postfix").to_string_lossy()]) && up(self.ports.smtp)
    }

    fn launch(&self, program: &str, arguments: &[&str]) -> bool {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("start.log")).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command.status().unwrap().success()
    }

    #[track_caller]
    fn stop(&self, pid_file: &str, port: u16) {
        let pid = fs::read_to_string(self.path(pid_file)).expect("the server runs").trim().to_owned();
        run("sh", &["-c", &format!("kill -TERM {pid}")]);
        // A zombie has ended as well: in a container, nobody may be there to collect it.
        let ended =
            || fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z"));
        let gone = || (ended() && wire::connect(port).is_err()).then_some(());
        wait_until(&format!("the end of process {pid}"), gone);
    }

    fn doveadm(&self, arguments: &[&str]) -> String {
        run("doveadm", &[&["-c", &self.path("dovecot.conf").to_string_lossy()], arguments].concat())
    }
}

impl Drop for MailServers {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        // Its cue. Not waited for: Dovecot takes a second to end.
        drop(self.guard.stdin.take());
    }
}

/// Where Dovecot looks whether a token is right: nobody is asked, its signature says so.
fn oauth_lookup(old: bool, dir: &str) -> String {
    if old {
        format!("passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {dir}/oauth2.conf.ext\n}}")
    } else {
        format!(
            "oauth2 {{\n  introspection_mode = local\n  username_attribute = sub\n}}\noauth2_local_validation {{\n  dict fs {{\n    \
             fs posix {{\n      prefix = {dir}/jwt/\n    }}\n  }}\n}}\npassdb oauth2 {{\n  mechanisms_filter = xoauth2\n}}"
        )
    }
}

/// A setting of the installed Postfix.
fn postconf(name: &str) -> String {
    run("postconf", &["-d", "-h", name]).trim().to_owned()
}

/// Whether something answers there soon.
fn up(port: u16) -> bool {
    wait_at_most(PATIENCE.min(Duration::from_secs(10)), || wire::connect(port).ok()).is_some()
}
