//! Where everything is measured: a private Dovecot and Postfix, mailboxes made from the seeded corpus, and send-triage configured
//! for them. Nothing is measured here.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::corpus;
use crate::support::program::Program;
use crate::support::servers::{DOMAIN, MailServers, PASSWORD, Setup};

/// How long anything here may take before the whole is given up.
const LONGEST: Duration = Duration::from_secs(600);

/// The servers, and the corpus as files beside their mailboxes: a mailbox is made of hard links to them.
pub struct Place {
    pub servers: MailServers,
    /// Private, for records and configurations.
    pub dir: tempfile::TempDir,
    pub corpus: Vec<PathBuf>,
    sizes: Vec<usize>,
    owner: (u32, u32),
    made: std::cell::Cell<u32>,
}

impl Place {
    /// Starts the servers and writes `count` messages; `mailboxes` users may be asked for.
    pub fn new(count: usize, mailboxes: u32) -> Self {
        let more_users = (0..mailboxes).map(|number| format!("box{number}")).collect();
        let servers = MailServers::start(Setup { more_users, discard: true, ..Setup::default() });
        let dir = tempfile::tempdir().unwrap();
        // Beside the mailboxes, because a hard link stays on its file system.
        let store = servers.maildir("corpus");
        fs::create_dir_all(&store).unwrap();
        let owner = owner_of(servers.maildir("corpus").parent().unwrap().parent().unwrap());
        let mut place = Self { servers, dir, corpus: Vec::new(), sizes: Vec::new(), owner, made: 0.into() };
        for (number, raw) in corpus::realistic(count, 1).into_iter().enumerate() {
            place.keep(&store.join(number.to_string()), &raw);
        }
        place
    }

    fn keep(&mut self, file: &Path, raw: &[u8]) {
        self.write(file, raw);
        self.corpus.push(file.to_owned());
        self.sizes.push(raw.len());
    }

    /// What the corpus is made of, in one line.
    pub fn described(&self) -> String {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        let at = |share: usize| sizes.get(sizes.len() * share / 1000).copied().unwrap_or_default() / 1000;
        format!(
            "{} messages: median {} kB, 95th percentile {} kB, 99.5th {} kB, {} MB in all.",
            sizes.len(),
            at(500),
            at(950),
            at(995),
            sizes.iter().sum::<usize>() / 1_000_000
        )
    }

    /// A message of the corpus with its size; beyond its end the same ones again under other Message-IDs.
    fn file(&self, number: usize) -> (PathBuf, usize) {
        let (which, round) = (number % self.corpus.len(), number / self.corpus.len());
        if round == 0 {
            return (self.corpus[which].clone(), self.sizes[which]);
        }
        let file = self.corpus[which].with_extension(round.to_string());
        let mark = b"Message-ID: <";
        let more = format!("{round}.");
        if !file.exists() {
            let mut raw = fs::read(&self.corpus[which]).unwrap();
            let at = raw.windows(mark.len()).position(|part| part == mark).unwrap() + mark.len();
            raw.splice(at..at, more.bytes());
            self.write(&file, &raw);
        }
        (file, self.sizes[which] + more.len())
    }

    fn write(&self, file: &Path, raw: &[u8]) {
        fs::write(file, raw).unwrap();
        chown(file, Some(self.owner.0), Some(self.owner.1)).unwrap();
    }

    /// Puts one more message into a mailbox that was made before.
    pub fn put(&self, user: &str, raw: &[u8]) {
        let name = format!("1.M9999999.bench,S={}:2,", raw.len());
        self.write(&self.servers.maildir(user).join("cur").join(name), raw);
    }

    /// A user who has not been asked for yet.
    pub fn fresh_user(&self) -> String {
        let number = self.made.get();
        self.made.set(number + 1);
        format!("box{number}")
    }

    /// A fresh user's INBOX with these messages of the corpus.
    pub fn mailbox(&self, messages: std::ops::Range<usize>) -> String {
        let user = self.fresh_user();
        let maildir = self.servers.maildir(&user);
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(name)).unwrap();
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        for number in messages {
            let (file, size) = self.file(number);
            let name = format!("{since}.M{number:07}.bench,S={size}:2,");
            fs::hard_link(&file, maildir.join("cur").join(name)).unwrap();
        }
        for folder in [maildir.parent().unwrap(), &maildir] {
            chown(folder, Some(self.owner.0), Some(self.owner.1)).unwrap();
        }
        for name in ["cur", "new", "tmp"] {
            chown(maildir.join(name), Some(self.owner.0), Some(self.owner.1)).unwrap();
        }
        // Dovecot gives the UIDs now, not while somebody is measured.
        self.servers.imap(&user).command("SELECT INBOX").unwrap();
        user
    }

    /// How many messages lie in a user's INBOX, without asking the server.
    pub fn left(&self, user: &str) -> usize {
        let inbox = self.servers.maildir(user);
        ["cur", "new"].iter().filter_map(|name| fs::read_dir(inbox.join(name)).ok()).flatten().count()
    }

    /// Waits until the INBOX is empty; returns when the last message left.
    pub fn wait_until_empty(&self, user: &str) -> SystemTime {
        let end = Instant::now() + LONGEST;
        while self.left(user) > 0 {
            assert!(Instant::now() < end, "{} messages are left in {user}", self.left(user));
            std::thread::sleep(Duration::from_millis(30));
        }
        fs::metadata(self.servers.maildir(user).join("cur")).unwrap().modified().unwrap()
    }

    /// A folder with a configuration for these users, and the record in it.
    pub fn team(&self, users: &[String], plan: &Plan) -> Team {
        let dir = self.dir.path().join(format!("team{}", users.join("-")));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("password"), format!("{PASSWORD}\n")).unwrap();
        fs::write(dir.join("send-triage.yaml"), self.configuration(users, plan)).unwrap();
        Team { dir }
    }

    fn configuration(&self, users: &[String], plan: &Plan) -> String {
        let mut text = format!(
            "council: {{domain: {DOMAIN}}}\ndatabase: {}\naccounts:\n",
            plan.database.as_deref().unwrap_or(Path::new("record.sqlite")).display()
        );
        let smtp = plan.smtp_port.unwrap_or(self.servers.smtp_port());
        for (number, user) in users.iter().enumerate() {
            // The corpus is written to this address, and no two accounts may have the same.
            let alias = if number == 0 { format!("send@{DOMAIN}") } else { String::new() };
            text += &format!(
                "  - name: {user}\n    address: {user}@{DOMAIN}\n    aliases: [{alias}]\n    existing: treat-as-new\n    \
                 imap: {{host: localhost, port: {}, security: plain, user: {user}, password: {{file: password}}}}\n    \
                 smtp: {{host: localhost, port: {smtp}, security: plain}}\n",
                self.servers.imap_port()
            );
        }
        text += "queues:\n";
        for queue in ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"] {
            text += &format!("  {queue}: {{account: {}, folder: Triage/{queue}}}\n", users[0]);
        }
        // So that every message is answered; the caps are measured nowhere.
        text + &format!(
            "acknowledgements: {{send: {}, per_sender_a_day: 1000000, per_domain_an_hour: 1000000, in_all_an_hour: 1000000, oldest_hours: 0}}\n",
            plan.acknowledge
        )
    }
}

/// What is measured with which configuration.
#[derive(Clone, Default)]
pub struct Plan {
    pub acknowledge: bool,
    /// Another SMTP server than Postfix.
    pub smtp_port: Option<u16>,
    /// Another record than an empty one.
    pub database: Option<PathBuf>,
}

/// A configured send-triage.
pub struct Team {
    pub dir: PathBuf,
}

impl Team {
    pub fn start(&self) -> Program {
        Program::start(&self.dir, &["run", "--config", "send-triage.yaml"])
    }

    /// Starts it and waits until so many folders have been opened for the first time; returns when the last was.
    pub fn start_and_wait(&self, folders: usize) -> (Program, SystemTime) {
        let mut program = self.start();
        let end = Instant::now() + LONGEST;
        loop {
            let log = program.stderr();
            let taken: Vec<&str> = log.lines().filter(|line| line.contains("Taken into use")).collect();
            if taken.len() >= folders {
                return (program, time_of(taken[taken.len() - 1]));
            }
            let comes_up = program.is_running() && Instant::now() < end;
            assert!(comes_up, "send-triage does not come up:\n{log}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// When a line was written.
fn time_of(line: &str) -> SystemTime {
    let stamp = line.split_whitespace().next().unwrap_or_default();
    let at = chrono::DateTime::parse_from_rfc3339(stamp).unwrap_or_else(|error| panic!("{line}: {error}"));
    at.into()
}

fn owner_of(folder: &Path) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(folder).unwrap();
    (metadata.uid(), metadata.gid())
}
