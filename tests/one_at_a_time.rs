//! One daemon on one record, one record on one mailbox: the second is refused, stands by, or is seen.

use std::path::Path;

use crate::support::desk::{Desk, Mail};
use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::wait_until;

fn run(dir: &Path, more: &[&str]) -> Program {
    let mut arguments = vec!["run", "--config", "c.yaml"];
    arguments.extend(more);
    Program::start(dir, &arguments)
}

#[test]
fn a_second_daemon_is_refused_by_name_or_stands_by_and_takes_over_when_the_first_is_killed() {
    let desk = Desk::empty();
    desk.enter(&Mail::new("2026-11-09 10:00", "parent.a@inbox.example", "Who?"));
    let dir = desk.path().parent().unwrap().to_owned();
    let first = run(&dir, &[]);
    first.wait_for_log("Started");

    let second = run(&dir, &[]).finish();
    assert_eq!(second.code, Some(3), "{}", second.stderr);
    let named = format!("send-triage (process {}) is at work on this record", first.id());
    assert!(second.stderr.contains(&named), "{named}: {}", second.stderr);
    assert!(second.stderr.contains("--standby"), "{}", second.stderr);
    // Nor is it rebuilt under its feet.
    let rebuild = Program::run(&dir, &["rebuild", "--config", "c.yaml"]);
    assert_eq!(rebuild.code, Some(3), "{}", rebuild.stderr);
    assert!(rebuild.stderr.contains("Stop it first"), "{}", rebuild.stderr);

    let third = run(&dir, &["--standby"]);
    third.wait_for_log("Standing by");
    let listed = Program::run(&dir, &["cases", "list", "--config", "c.yaml", "--format", "json"]);
    let reference = listed.stdout.split("SEND-").nth(1).map(|rest| format!("SEND-{}", &rest[..9])).unwrap();
    let told = ["cases", "answer", &reference, "--by", "h.officer", "--config", "c.yaml"];
    let answered = Program::run(&dir, &told);
    assert_eq!(answered.code, Some(0), "commands write beside both: {}", answered.stderr);
    assert!(!third.stderr().contains("Started"), "{}", third.stderr());

    first.kill();
    third.wait_for_log("taking over");
    third.wait_for_log("Started");
    third.signal("TERM");
    assert_eq!(third.finish().code, Some(0));

    // One that stands by can be told to stop.
    let first = run(&dir, &[]);
    first.wait_for_log("Started");
    let second = run(&dir, &["--standby"]);
    second.wait_for_log("Standing by");
    second.signal("TERM");
    assert_eq!(second.finish().code, Some(0));
}

#[test]
fn two_records_on_one_mailbox_are_noticed_and_the_account_is_held() {
    const GENERAL: &str = "send.general@hertfordshire.example";
    let servers = MailServers::start(Setup::default());
    let plan = Plan { accounts: 1, poll_seconds: 1, ..Plan::default() };
    let here = Team::new(&servers, &plan);
    // It looks on and files nothing, so that it is certain who answers what.
    let more = "acknowledgements: {send: false}\n".to_owned();
    let silent = Plan { more, filing: "none", ..plan.clone() };
    let elsewhere = Team::new(&servers, &silent);
    let watcher = elsewhere.start_and_take_into_use(1);
    // A letter of the last minute before it began may be its own record's of yesterday; of a later one there is no doubt.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let _other = here.start_and_take_into_use(1);
    let ask = |id: &str| {
        let raw =
            letter("Anna <parent.a@inbox.example>", GENERAL, "Who?", id, "Who is our EHC coordinator now?");
        servers.deliver("send.general", &raw);
    };
    ask("q1@inbox.example");
    servers.wait_for("parent.a", "INBOX", 1);
    watcher.wait_for_log("another send-triage with a record of its own answers this mailbox");
    // It takes nothing in from here on; the other goes on.
    let before = elsewhere.cases().len();
    ask("q2@inbox.example");
    servers.wait_for("parent.a", "INBOX", 2);
    wait_until("both filed", || servers.mailbox("send.general", "INBOX").is_empty().then_some(()));
    assert_eq!(elsewhere.cases().len(), before);
    assert_eq!(here.cases().len(), 2);
}
