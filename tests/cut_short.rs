//! Filing that was cut short: the server has moved the messages, and the program or its disk fails before that is on record.
//! What is told afterwards is the truth: filed, where they lie there; gone, where they do not.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use rusqlite::Connection;
use send_triage::clock::SystemClock;
use send_triage::config::Config;
use send_triage::daemon::{self, Bells, InForce, Trouble, World, in_force, parts};
use send_triage::outbox::AnyCourier;
use send_triage::record::{Moment, RecordError, Records};
use tokio::sync::watch;

use crate::support::few_rules::{self, FOR_ASSESSMENT, QUESTION};
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};

const GENERAL: &str = "send.general@hertfordshire.example";
const MORE: &str = "rules: rules\nacknowledgements: {send: false}\n";

/// One life of the program, until there is nothing more to do, or until its disk fails: when more than one message has been
/// filed in it, and that is about to be written down.
async fn live(config: &Config, in_force: &InForce, fails: bool) -> Result<(), Trouble> {
    let filed = "SELECT count(*) FROM effects WHERE kind = 'file' AND state = 'done'";
    let count = move |connection: &Connection| connection.query_row(filed, [], |row| row.get::<_, u32>(0));
    let (left, path) = (Cell::new(u32::from(fails)), config.database.clone());
    let records = Records::open(&config.database).unwrap();
    let known = count(&Connection::open(&path).unwrap()).unwrap();
    let records = records.on(Rc::new(move |moment, connection| {
        if moment == Moment::Commit && left.get() > 0 && count(connection).unwrap() > known + 1 {
            left.set(left.get() - 1);
            return Err(RecordError::Io { path: path.clone(), detail: "the power went".to_owned() });
        }
        Ok(())
    }));
    let (_keep, stop) = watch::channel(false);
    let world = World {
        config,
        records: &records,
        clock: &SystemClock,
        in_force,
        bells: Bells::new(config.accounts.iter().map(|account| account.name.as_str())),
        stop,
    };
    let shared = parts::Shared::new(config);
    let mut mailboxes = parts::mailboxes(config, &shared).unwrap();
    let mut couriers: BTreeMap<String, AnyCourier> = parts::couriers(config, &shared).unwrap();
    daemon::once(&world, &mut mailboxes, &mut couriers).await
}

/// How often each of these is told of a message.
fn told(database: &Path) -> BTreeMap<String, u32> {
    let record = Connection::open(database).unwrap();
    let mut events = record
        .prepare(
            "SELECT what, count(*) FROM events WHERE what IN ('filed', 'gone-before-filing') GROUP BY what",
        )
        .unwrap();
    let rows = events.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn of(team: &Team) -> Config {
    let text = fs::read_to_string(team.config()).unwrap();
    Config::parse(&text, "send-triage.yaml", team.dir()).unwrap()
}

fn question(number: usize, id: &str) -> Vec<u8> {
    let body = format!("{QUESTION} My number is {number}.");
    letter(&format!("Parent {number} <parent.{number}@home.example>"), GENERAL, "Hello", id, &body)
}

fn scene(servers: &MailServers) -> (Team, Config) {
    let plan = Plan {
        imap_security: "plain",
        smtp_plain: true,
        existing: "treat-as-new",
        more: MORE.to_owned(),
        ..Plan::default()
    };
    let team = Team::new(servers, &plan);
    few_rules::write(&team.dir().join("rules"));
    let config = of(&team);
    (team, config)
}

#[tokio::test]
async fn what_the_server_moved_and_nobody_wrote_down_is_found_where_it_lies_and_told_as_filed() {
    let servers = MailServers::start(Setup::default());
    let (_team, config) = scene(&servers);
    let in_force = InForce::new(in_force::load(&config).unwrap());
    for number in 0..12 {
        // Some have no Message-ID: they are known by their time, size and sender.
        let id = if number % 4 == 3 { String::new() } else { format!("{number}@home.example") };
        servers.deliver("send.general", &question(number, &id));
    }
    for number in 12..15 {
        let from = format!("Parent {number} <parent.{number}@home.example>");
        let id = format!("{number}@home.example");
        servers.deliver("send.general", &letter(&from, GENERAL, "Hello", &id, FOR_ASSESSMENT));
    }
    // Delivered to two mailboxes at different times, and each with a header of its own.
    for number in 15..18 {
        let raw = question(number, &format!("{number}@home.example"));
        servers.deliver("send.general", &raw);
        let second = [b"X-Delivered: a second time\r\n".as_slice(), &raw].concat();
        servers.append("send.assessment", "INBOX", "02-Nov-2026 09:00:00 +0000", &second);
    }
    // Cut short while many are filed at once, then one by one, then while they are passed on to another account.
    let mut cut_short = 0;
    while let Err(trouble) = live(&config, &in_force, true).await {
        assert!(trouble.to_string().contains("the power went"), "{trouble}");
        cut_short += 1;
        assert!(cut_short < 40, "it does not come to an end");
    }
    assert!(cut_short >= 10, "cut short {cut_short} times only");
    assert_eq!(told(&config.database), BTreeMap::from([("filed".to_owned(), 21)]));
    let count = |user: &str, folder: &str| servers.mailbox(user, folder).len();
    assert_eq!(count("send.general", "INBOX"), 0);
    assert_eq!(count("send.general", "Triage/general"), 15, "each lies there once");
    assert_eq!(count("send.general", "Triage/Passed on"), 3);
    assert_eq!(count("send.assessment", "Triage/Duplicates"), 3);
    assert_eq!(count("send.assessment", "Triage/assessment"), 3);
    assert!(live(&config, &in_force, false).await.is_ok());
    assert_eq!(told(&config.database)["filed"], 21, "and is told once");
    Records::open(&config.database).unwrap().integrity().unwrap();
}

#[tokio::test]
async fn what_staff_took_away_before_it_was_written_down_is_told_as_gone() {
    let servers = MailServers::start(Setup::default());
    let (_team, config) = scene(&servers);
    let in_force = InForce::new(in_force::load(&config).unwrap());
    for number in 0..3 {
        servers.deliver("send.general", &question(number, &format!("{number}@home.example")));
    }
    assert!(live(&config, &in_force, true).await.is_err());
    let mut staff = servers.imap("send.general");
    staff.command("CREATE Mine").unwrap();
    staff.command("SELECT Triage/general").unwrap();
    staff.command("UID MOVE 1 Mine").unwrap();
    live(&config, &in_force, false).await.unwrap();
    let expected = [("filed".to_owned(), 2), ("gone-before-filing".to_owned(), 1)];
    assert_eq!(told(&config.database), BTreeMap::from(expected));
    assert_eq!(servers.mailbox("send.general", "Triage/general").len(), 2);
}

#[tokio::test]
async fn a_mailbox_that_is_numbered_anew_meanwhile_does_not_hide_what_was_filed() {
    let servers = MailServers::start(Setup::default());
    let (_team, config) = scene(&servers);
    let in_force = InForce::new(in_force::load(&config).unwrap());
    for number in 0..4 {
        servers.deliver("send.general", &question(number, &format!("{number}@home.example")));
    }
    assert!(live(&config, &in_force, true).await.is_err());
    let mut staff = servers.imap("send.general");
    staff.command("CREATE Mine").unwrap();
    staff.command("SELECT Triage/general").unwrap();
    staff.command("UID MOVE 1 Mine").unwrap();
    servers.change_uid_validity("send.general", "INBOX", 1_999_999_999);
    live(&config, &in_force, false).await.unwrap();
    let expected = [("filed".to_owned(), 3), ("gone-before-filing".to_owned(), 1)];
    assert_eq!(told(&config.database), BTreeMap::from(expected));
    assert_eq!(servers.mailbox("send.general", "Triage/general").len(), 3);
}

#[tokio::test]
async fn so_it_is_in_folders_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    few_rules::write(&dir.path().join("rules"));
    let account = |name: &str| {
        fs::create_dir(dir.path().join(name)).unwrap();
        format!(
            "  - {{name: {name}, address: send.{name}@hertfordshire.example, existing: treat-as-new, outbox: out, folder: {{path: {name}, kind: eml}}}}\n"
        )
    };
    let text = format!(
        "council: {{domain: hertfordshire.example}}\ndatabase: record.sqlite\naccounts:\n{}{}queues:\n  resolution: {{folder: Triage/R}}\n  \
         assessment: {{account: assessment, folder: Triage/A}}\n  annual-review-east: {{folder: Triage/E}}\n  \
         annual-review-west: {{folder: Triage/W}}\n  general: {{folder: Triage/G}}\n{MORE}",
        account("general"),
        account("assessment")
    );
    let config = Config::parse(&text, "c.yaml", dir.path()).unwrap();
    let in_force = InForce::new(in_force::load(&config).unwrap());
    fs::write(dir.path().join("general/1.eml"), question(1, "1@home.example")).unwrap();
    fs::write(dir.path().join("general/2.eml"), question(2, "")).unwrap();
    let request = letter("Anna <anna@home.example>", GENERAL, "Hello", "3@home.example", FOR_ASSESSMENT);
    fs::write(dir.path().join("general/3.eml"), request).unwrap();
    let mut cut_short = 0;
    while live(&config, &in_force, true).await.is_err() {
        cut_short += 1;
        assert!(cut_short < 10, "it does not come to an end");
    }
    assert!(cut_short >= 2, "{cut_short}");
    assert_eq!(told(&config.database), BTreeMap::from([("filed".to_owned(), 3)]));
}
