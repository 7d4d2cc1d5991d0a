//! The daemon's own code over the IMAP client and scripted IMAP servers, in told time: a week passes in a moment.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::{self, Bells, InForce, World, in_force};
use send_triage::mailbox::{Accounts, ImapAccount, ImapMailbox};
use send_triage::record::{CaseFilter, CaseRow, Records};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::fake_imap::Server;
use super::fakes::{FakeCourier, ToldClock};
use super::few_rules;
use super::quick_dir;

/// A Wednesday in term time.
const START: &str = "2026-11-18T10:00:00Z";

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// Two accounts with a server each, and everything that outlives a run.
pub struct Mailroom {
    dir: tempfile::TempDir,
    config: Config,
    in_force: Rc<InForce>,
    pub clock: ToldClock,
    pub general: Server,
    pub assessment: Server,
    pub courier: FakeCourier,
    arrived: u32,
}

impl Mailroom {
    /// Taken into use, with nothing in it.
    pub async fn new() -> Self {
        let mut room = Self::not_in_use();
        room.run(MINUTE).await;
        room
    }

    /// Before its first day.
    pub fn not_in_use() -> Self {
        let dir = quick_dir();
        few_rules::write(&dir.path().join("rules"));
        let account = |name: &str| {
            format!(
                "  - name: {name}\n    address: send.{name}@council.example\n    \
                 folder: {{path: {name}, kind: eml}}\n    outbox: out\n    sent_folders: []\n"
            )
        };
        let yaml = format!(
            "council: {{domain: council.example}}\ndatabase: record.sqlite\nrules: rules\naccounts:\n{}{}queues:\n  \
             resolution: {{folder: Triage/Resolution}}\n  assessment: {{folder: Triage/Assessment}}\n  \
             annual-review-east: {{folder: Triage/East}}\n  annual-review-west: {{folder: Triage/West}}\n  \
             general: {{folder: Triage/General}}\n",
            account("general"),
            account("assessment"),
        );
        let config = Config::parse(&yaml, "mailroom.yaml", dir.path()).unwrap();
        let mut set = in_force::load(&config).unwrap();
        // Nobody edits these rules: without their folder nobody looks once a second whether somebody has.
        let config = Config { rules: None, ..config };
        set.config = Rc::new(config.clone());
        Self::with(dir, config, Rc::new(InForce::new(set)))
    }

    /// Another one by the same rules, taken into use.
    pub async fn beside(other: &Self) -> Self {
        let dir = quick_dir();
        let config = Config { database: dir.path().join("record.sqlite"), ..other.config.clone() };
        let mut room = Self::with(dir, config, other.in_force.clone());
        room.run(MINUTE).await;
        room
    }

    fn with(dir: tempfile::TempDir, config: Config, in_force: Rc<InForce>) -> Self {
        Self {
            dir,
            config,
            in_force,
            clock: ToldClock::starting(START),
            general: Server::with(&[]),
            assessment: Server::with(&[]),
            courier: FakeCourier::default(),
            arrived: 0,
        }
    }

    pub fn records(&self) -> Records {
        Records::open(&self.dir.path().join("record.sqlite")).unwrap()
    }

    pub fn cases(&self) -> Vec<CaseRow> {
        self.records().cases(&CaseFilter::default()).unwrap()
    }

    /// A letter comes to the general mailbox; its number.
    pub fn arrives(&mut self) -> u32 {
        let server = self.general.clone();
        self.arrives_at(&server)
    }

    /// A letter comes to this server.
    pub fn arrives_at(&mut self, server: &Server) -> u32 {
        self.arrived += 1;
        server.arrives(letter(self.arrived), self.clock.now());
        self.arrived
    }

    /// Whether this letter's sender has been answered, and how often.
    pub fn answers(&self, number: u32) -> usize {
        let to = format!("parent.{number}@home.example");
        self.courier.sent.borrow().iter().filter(|letter| letter.envelope_to == to).count()
    }

    /// Whether everything is done: answered, filed, nothing waits.
    pub fn is_all_done(&self) -> bool {
        let nothing_waits = || {
            let standing = self.records().standing().unwrap();
            (standing.pending, standing.uncertain) == (0, 0)
        };
        self.general.exists() + self.assessment.exists() == 0
            && (1..=self.arrived).all(|number| self.answers(number) == 1)
            && nothing_waits()
    }

    /// Runs the daemon for so long, asks it to stop, and gives it two minutes for that.
    pub async fn run(&mut self, how_long: Duration) {
        self.run_looking_every(how_long, how_long, |_, _| false).await;
    }

    /// The same, looking once a second whether it is enough; how long it took. `look` may send mail and change servers.
    pub async fn run_until(
        &mut self,
        at_most: Duration,
        look: impl FnMut(&mut Self, Duration) -> bool,
    ) -> Duration {
        self.run_looking_every(Duration::from_secs(1), at_most, look).await
    }

    /// The same, looking as often as is said.
    pub async fn run_looking_every(
        &mut self,
        tick: Duration,
        at_most: Duration,
        mut look: impl FnMut(&mut Self, Duration) -> bool,
    ) -> Duration {
        let records = self.records();
        let (config, in_force, clock) = (self.config.clone(), self.in_force.clone(), self.clock.clone());
        let (stop, stopped) = watch::channel(false);
        let names = ["general", "assessment"];
        let world = World {
            config: &config,
            records: &records,
            clock: &clock,
            in_force: &in_force,
            bells: Bells::new(names.into_iter()),
            stop: stopped,
        };
        let account =
            |name: &str, server: &Server| ImapAccount { account: name.to_owned(), ..server.account() };
        let imap = vec![account("general", &self.general), account("assessment", &self.assessment)];
        let all = Rc::new(Accounts { imap: imap.clone(), ..Accounts::default() });
        let mut mailboxes: Vec<ImapMailbox> =
            imap.into_iter().map(|account| ImapMailbox::new(account, "INBOX".into(), all.clone())).collect();
        let mut couriers: BTreeMap<String, FakeCourier> =
            names.into_iter().map(|name| (name.to_owned(), self.courier.clone())).collect();
        let begun = Instant::now();
        let running = daemon::run(&world, &mut mailboxes, &mut couriers);
        tokio::pin!(running);
        let looking = async {
            let mut passed = Duration::ZERO;
            while passed < at_most && !look(self, passed) {
                passed += tick;
                sleep_until(begun + passed).await;
            }
            passed
        };
        let took = tokio::select! {
            _ = &mut running => panic!("it ended by itself"),
            took = looking => took,
        };
        stop.send_replace(true);
        assert!(tokio::time::timeout(2 * MINUTE, running).await.is_ok(), "it did not stop when asked to");
        took
    }
}

/// A question of one parent.
pub fn letter(number: u32) -> Vec<u8> {
    format!(
        "From: Parent <parent.{number}@home.example>\r\nTo: send.general@council.example\r\n\
         Subject: Letter {number}.\r\nMessage-ID: <letter.{number}@home.example>\r\n\r\nHello,\r\n\r\n{} \
         My number is {number}.\r\n\r\nAnna\r\n",
        few_rules::QUESTION
    )
    .into_bytes()
}

/// Connections and commands of one server since a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traffic {
    pub connections: usize,
    pub commands: usize,
}

impl Traffic {
    pub fn of(server: &Server) -> Self {
        Self { connections: server.connections(), commands: server.commands() }
    }

    pub fn since(self, server: &Server) -> Self {
        let now = Self::of(server);
        Self { connections: now.connections - self.connections, commands: now.commands - self.commands }
    }
}
