//! Passwords are wiped from memory: the running daemon is searched for them, as somebody with a core file would.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};

use crate::support::few_rules::{self, QUESTION};
use crate::support::program::Program;
use crate::support::servers::{MailServers, PASSWORD, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::wait_until;

/// How often these bytes stand in what the process may write to (proc(5): maps, mem).
fn found(program: &Program, bytes: &[u8]) -> usize {
    let maps = fs::read_to_string(format!("/proc/{}/maps", program.id())).unwrap();
    let mut memory = File::open(format!("/proc/{}/mem", program.id())).unwrap();
    let mut count = 0;
    for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[v")) {
        let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut region = Vec::new();
        memory.seek(SeekFrom::Start(from)).unwrap();
        // A page that is gone by now is none of theirs.
        let _ = memory.by_ref().take(to - from).read_to_end(&mut region);
        count += region.windows(bytes.len()).filter(|window| *window == bytes).count();
    }
    count
}

#[test]
fn no_password_stays_in_the_memory_of_a_daemon_that_has_logged_in() {
    let servers = MailServers::start(Setup::default());
    let more = "rules: rules\n".to_owned();
    let team = Team::new(
        &servers,
        &Plan { imap_security: "plain", smtp_plain: true, accounts: 1, more, ..Plan::default() },
    );
    few_rules::write(&team.dir().join("rules"));
    let program = team.start_and_take_into_use(1);
    let general = "send.general@hertfordshire.example";
    let from = "Anna <parent.a@inbox.example>";
    servers.deliver("send.general", &letter(from, general, "A marked subject", "a@inbox.example", QUESTION));
    servers.wait_for("parent.a", "INBOX", 1);
    wait_until("an empty inbox", || servers.mailbox("send.general", "INBOX").is_empty().then_some(()));
    assert!(found(&program, b"send.general") > 0, "what is there can be found");
    let proof = "AHNlbmQuZ2VuZXJhbABibHVlIHRyYWN0b3IgNw"; // The same in base64, as AUTHENTICATE PLAIN sends it.
    let (plain, sent) = (found(&program, PASSWORD.as_bytes()), found(&program, proof.as_bytes()));
    assert_eq!((plain, sent), (0, 0), "the password, and the proof of it");
}
