//! The machine's twin: a daemon that stands by takes over when the first is killed in the thick of it, and a spare machine goes on
//! from a copied record. What counts is what the servers hold afterwards: each message filed once, nobody answered twice.
//! `docs/scaling.md` tells operators what is shown here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::support::fakes::Chance;
use crate::support::few_rules::{self, QUESTION, URGENT};
use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::{PATIENCE, wait_at_most, wait_until};

const GENERAL: &str = "send.general@hertfordshire.example";
const USER: &str = "send.general";
/// Where letters to parents arrive: none of them has an account of their own.
const PARENTS: &str = "sink";

struct Town {
    servers: MailServers,
    written: usize,
}

impl Town {
    fn new() -> Self {
        Self { servers: MailServers::start(Setup::default()), written: 0 }
    }

    /// A machine of the council's: configuration and rules, and no record yet.
    fn machine(&self) -> Team {
        let more = "rules: rules\nacknowledgements: {per_domain_an_hour: 100000, in_all_an_hour: 100000}\n";
        let plan = Plan {
            accounts: 1,
            imap_security: "plain",
            smtp_plain: true,
            poll_seconds: 1,
            more: more.to_owned(),
            ..Plan::default()
        };
        let team = Team::new(&self.servers, &plan);
        few_rules::write(&team.dir().join("rules"));
        team
    }

    fn write(&mut self, messages: usize) {
        for _ in 0..messages {
            self.written += 1;
            let number = self.written;
            let words = if number.is_multiple_of(5) { URGENT } else { QUESTION };
            let raw = letter(
                &format!("Parent {number} <parent.{number}@home.example>"),
                GENERAL,
                &format!("Letter {number}."),
                &format!("letter.{number}@home.example"),
                &format!("Hello,\n\n{words} My number is {number}.\n\nAnna"),
            );
            self.servers.deliver(USER, &raw);
        }
    }

    /// How often each message was answered: by the letters in a folder.
    fn answered(&self, user: &str, folder: &str) -> BTreeMap<usize, usize> {
        let mut answered = BTreeMap::new();
        for mail in self.servers.mailbox(user, folder) {
            let number = number_in(mail.header("in-reply-to")).expect("a letter that answers nothing");
            *answered.entry(number).or_default() += 1;
        }
        answered
    }

    /// Waits until the inbox is empty and every letter is settled, and looks where each message lies.
    fn settle(&self, team: &Team) {
        let record = rusqlite::Connection::open(team.database()).unwrap();
        record.busy_timeout(Duration::from_secs(10)).unwrap();
        let unsettled = "SELECT count(*) FROM effects WHERE state IN ('pending', 'sending', 'adrift')";
        let done = || {
            // Nobody waits for back-off.
            let _ = record.execute("UPDATE effects SET not_before = 0 WHERE state = 'pending'", []);
            let left: u32 = record.query_row(unsettled, [], |row| row.get(0)).unwrap();
            (left == 0 && self.servers.mailbox(USER, "INBOX").is_empty()).then_some(())
        };
        wait_at_most(PATIENCE * 2, done).unwrap_or_else(|| {
            let inbox = self.servers.mailbox(USER, "INBOX");
            let inbox: Vec<_> = inbox.iter().map(|mail| (mail.uid, mail.header("message-id"))).collect();
            let mut effects = record.prepare("SELECT kind, state, attempts FROM effects").unwrap();
            let effects = effects.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?))
            });
            let effects: Vec<_> = effects.unwrap().map(Result::unwrap).collect();
            panic!("not everything is done: the inbox holds {inbox:?}; {effects:?}");
        });
        self.servers.wait_for_empty_queue();
        let mut places: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for folder in self.servers.folders(USER).into_iter().filter(|folder| folder.starts_with("Triage")) {
            for mail in self.servers.mailbox(USER, &folder) {
                let number = number_in(mail.header("message-id")).unwrap();
                places.entry(number).or_default().push(folder.clone());
            }
        }
        for number in 1..=self.written {
            let expected = if number % 5 == 0 { "Triage/general/Urgent" } else { "Triage/general" };
            let found = places.remove(&number).unwrap_or_default();
            assert_eq!(found, [expected], "message {number}");
        }
        assert_eq!(places.into_keys().next(), None, "a message that nobody wrote");
        assert_eq!(team.cases().len(), self.written, "one case for each");
    }
}

/// `<letter.7@home.example>` is message 7.
fn number_in(id: Option<String>) -> Option<usize> {
    id?.trim_start_matches("<letter.").split_once("@home.example")?.0.parse().ok()
}

fn stand_by(team: &Team) -> Program {
    let arguments = ["run", "--standby", "--config", "send-triage.yaml", "--log-level", "debug"];
    let program = Program::start(team.dir(), &arguments);
    program.wait_for_log("Standing by");
    program
}

fn stop(program: Program) {
    program.signal("TERM");
    let end = program.finish();
    assert_eq!(end.code, Some(0), "{}", end.stderr);
}

#[test]
fn the_twin_takes_over_when_the_first_is_killed_under_load_and_nothing_is_lost_or_done_twice() {
    let mut town = Town::new();
    let team = town.machine();
    let chance = Chance::of_seed(7);
    let mut at_work = team.start_and_take_into_use(1);
    for _ in 0..5 {
        let twin = stand_by(&team);
        town.write(4);
        // In the thick of it: something is recorded, and not all of it is done.
        let known = at_work.stderr().len();
        wait_until("a message recorded", || {
            at_work.stderr()[known..].contains("it opens case").then_some(())
        });
        std::thread::sleep(Duration::from_millis(chance.below(80)));
        assert_eq!(at_work.kill().signal, Some(9), "it ended by itself before it was killed");
        // Mail goes on coming while nobody is there.
        town.write(2);
        twin.wait_for_log("taking over");
        twin.wait_for_log("Started");
        at_work = twin;
    }
    town.settle(&team);
    stop(at_work);

    let answered = town.answered(PARENTS, "INBOX");
    for (number, case) in by_number(&team) {
        let letters = answered.get(&number).copied().unwrap_or_default();
        match case["acknowledgement"].as_str().unwrap() {
            "sent" => assert_eq!(letters, 1, "message {number}: the record says sent"),
            // Killed while the letter was being handed over: it is on the list for a person, and is never sent again by itself.
            "uncertain" => assert!(letters <= 1, "message {number} was answered {letters} times"),
            other => panic!("message {number}: {other}, {letters} letters"),
        }
    }
}

#[test]
fn a_spare_machine_goes_on_from_a_copied_record_and_the_mailboxes() {
    let mut town = Town::new();
    let (first, spare) = (town.machine(), town.machine());
    let daemon = first.start_and_take_into_use(1);
    town.write(6);
    wait_until("six letters", || (town.answered(PARENTS, "INBOX").len() == 6).then_some(()));
    // The copy lags behind: what follows is not in it.
    let copied = Program::run(first.dir(), &["backup", "--config", "send-triage.yaml", "copy.sqlite"]);
    assert_eq!(copied.code, Some(0), "{}", copied.stderr);
    town.write(9);
    wait_until("some of them answered", || (town.answered(PARENTS, "INBOX").len() >= 10).then_some(()));
    daemon.kill();
    town.servers.wait_for_empty_queue();
    let handed_over = town.answered(PARENTS, "INBOX");
    let in_sent: BTreeSet<_> = town.answered(USER, "Sent").into_keys().collect();
    town.write(2);

    // The first machine is gone for good; all there is are the copy and the mailboxes.
    std::fs::copy(first.dir().join("copy.sqlite"), spare.database()).unwrap();
    drop(first);
    let rebuilt = Program::run(spare.dir(), &["rebuild", "--config", "send-triage.yaml"]);
    assert_eq!(rebuilt.code, Some(0), "{}{}", rebuilt.stdout, rebuilt.stderr);
    let daemon = spare.start();
    // What came meanwhile is filed and listed for a person (below); what comes from now on is answered.
    town.write(3);
    let new = 18..=town.written;
    wait_until("the new ones answered", || {
        let answered = town.answered(PARENTS, "INBOX");
        new.clone().all(|number| answered.contains_key(&number)).then_some(())
    });
    town.settle(&spare);
    // What was asked for is no cause for alarm.
    let log = daemon.stderr();
    assert!(
        log.contains("Rebuilt: looking at every message again") && !log.contains("UIDVALIDITY changed"),
        "{log}"
    );
    stop(daemon);
    let answered = town.answered(PARENTS, "INBOX");
    for (number, case) in by_number(&spare) {
        let letters = answered.get(&number).copied().unwrap_or_default();
        // A letter whose copy had not reached Sent when the machine was lost: the mailbox knows of no other.
        let in_doubt = handed_over.contains_key(&number) && !in_sent.contains(&number);
        // Whether somebody who has none should get one is for a person, who finds them in `cases withheld`.
        let listed = case["acknowledgement"] != "sent";
        assert!(
            letters == 1
                || (letters == 2 && in_doubt)
                || (letters == 0 && listed && !in_sent.contains(&number)),
            "message {number} was answered {letters} times: {case}"
        );
    }
}

/// The cases, by the number of the message that opened each.
fn by_number(team: &Team) -> BTreeMap<usize, serde_json::Value> {
    let number = |case: &serde_json::Value| {
        case["sender"].as_str()?.trim_start_matches("parent.").split('@').next()?.parse().ok()
    };
    team.cases().into_iter().map(|case| (number(&case).expect("a parent's case"), case)).collect()
}

#[test]
fn the_restore_drill_tells_a_good_backup_from_a_damaged_one() {
    let mut town = Town::new();
    let team = town.machine();
    let daemon = team.start_and_take_into_use(1);
    town.write(3);
    wait_until("three letters", || (town.answered(PARENTS, "INBOX").len() == 3).then_some(()));
    town.settle(&team);
    let backups = team.dir().join("backups");
    std::fs::create_dir(&backups).unwrap();
    let backup = Program::run(team.dir(), &["backup", "--config", "send-triage.yaml", "backups/Mon.sqlite"]);
    assert_eq!(backup.code, Some(0), "{}", backup.stderr);
    town.write(1);
    wait_until("the fourth letter", || (town.answered(PARENTS, "INBOX").len() == 4).then_some(()));
    town.settle(&team);

    let (worked, said) = drill(&team, &["--mailboxes", "backups"]);
    assert!(worked, "{said}");
    assert!(said.contains("Mon.sqlite can be restored: 3 messages, 3 cases; 0 hours old"), "{said}");
    assert!(said.contains("What the mailboxes would add to it"), "{said}");
    let left: Vec<_> = std::fs::read_dir(team.dir())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.contains("drill"))
        .collect();
    assert_eq!(left, [""; 0], "it leaves nothing behind");
    assert_eq!(team.cases().len(), 4, "and leaves the record alone");
    stop(daemon);

    let mut bytes = std::fs::read(backups.join("Mon.sqlite")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x55);
    std::fs::write(backups.join("Mon.sqlite"), bytes).unwrap();
    let (worked, said) = drill(&team, &["backups/Mon.sqlite"]);
    assert!(!worked && said.contains("is damaged: take an older one"), "{said}");
}

/// Runs `deploy/restore-drill`; whether it ended with 0, and what it said.
fn drill(team: &Team, arguments: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/restore-drill");
    let mut command = std::process::Command::new(script);
    command.args(["--config", "send-triage.yaml"]).args(arguments).current_dir(team.dir());
    let output = command.env("SEND_TRIAGE", env!("CARGO_BIN_EXE_send-triage")).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
