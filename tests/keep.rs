//! The record kept: copied while it is written to, emptied of people, given to them; and a disk that fills up.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use send_triage::record::{CaseFilter, Records};
use serde_json::Value;

use crate::support::desk::{Desk, Mail};
use crate::support::program::{Finished, Program};
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::{wait_at_most, wait_until};

const FAMILY: &str = "anna.plumtree@inbox.example";

fn command(desk: &Desk, arguments: &[&str]) -> Finished {
    let dir = desk.path().parent().unwrap().to_owned();
    let mut all = arguments.to_vec();
    all.extend(["--config", "c.yaml"]);
    Program::run(&dir, &all)
}

fn done(finished: &Finished) -> &str {
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    &finished.stdout
}

fn cases(desk: &Desk) -> Vec<Value> {
    let listed = command(desk, &["cases", "list", "--format", "json"]);
    done(&listed).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn holds(file: &Path, words: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words.as_bytes()))
}

#[test]
fn a_backup_made_while_mail_comes_in_is_whole_and_for_the_owner_alone() {
    let desk = Desk::empty();
    desk.enter(&Mail::new("2026-11-09 10:00", FAMILY, "The first one"));
    let to = desk.path().with_file_name("backup.sqlite");
    let stop = AtomicBool::new(false);
    /// The writer ends also when something fails here.
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    std::thread::scope(|scope| {
        let ends = Ends(&stop);
        let writer = scope.spawn(|| {
            let mut entered = 1;
            while !stop.load(Ordering::Relaxed) {
                desk.enter(&Mail::new("2026-11-10 10:00", "parent.b@inbox.example", "Another one"));
                entered += 1;
            }
            entered
        });
        let mut last = 0;
        for round in 0..3 {
            let force: &[&str] = if round == 0 { &[] } else { &["--force"] };
            let mut arguments = vec!["backup", "backup.sqlite"];
            arguments.extend(force);
            let said = command(&desk, &arguments);
            assert!(done(&said).contains("checked"), "{}", said.stdout);
            assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let copy = Records::open_read_only(&to).unwrap();
            copy.integrity().unwrap();
            let copied = copy.cases(&CaseFilter::default()).unwrap().len();
            assert!(copied > last || round == 0, "{copied} after {last}");
            last = copied;
        }
        drop(ends);
        assert!(writer.join().unwrap() >= last);
    });
    // Not over another one without being told.
    let refused = command(&desk, &["backup", "backup.sqlite"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    let nowhere = command(&desk, &["backup", "no-such-folder/backup.sqlite"]);
    assert_eq!(nowhere.code, Some(3), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("Make its folder first"), "{}", nowhere.stderr);
}

/// Two families, one case of each; that of the first is answered.
fn two_families() -> Desk {
    let desk = Desk::empty();
    desk.enter(&Mail::new("2026-11-09 10:00", FAMILY, "Tom Plumtree's school place"));
    desk.enter(&Mail::new("2026-11-09 11:00", "ben.quill@inbox.example", "Transport for Lucy Quill"));
    let reference = reference_of(&desk, FAMILY);
    let why = ["--by", "h.officer", "--why", "rang Anna Plumtree"];
    let mut arguments = vec!["cases", "answer", &reference];
    arguments.extend(why);
    done(&command(&desk, &arguments));
    desk
}

fn reference_of(desk: &Desk, sender: &str) -> String {
    let all = cases(desk);
    let case = all.iter().find(|case| case["sender"] == sender).unwrap();
    case["reference"].as_str().unwrap().to_owned()
}

#[test]
fn one_familys_data_is_given_to_them_and_then_taken_out_and_the_counts_stay() {
    let desk = two_families();
    let exported = command(&desk, &["export", "--address", "Anna.Plumtree@inbox.example"]);
    let all: Value = serde_json::from_str(done(&exported)).unwrap();
    assert!(exported.stdout.contains("rang Anna Plumtree") && !exported.stdout.contains("quill"));
    assert_eq!(all["cases"].as_array().unwrap().len(), 1);
    assert!(exported.stderr.contains("read it through"), "{}", exported.stderr);
    done(&command(&desk, &["export", "--address", FAMILY, "--output", "anna.json"]));
    let file = desk.path().with_file_name("anna.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(command(&desk, &["export", "--address", "nobody@inbox.example"]).code, Some(1));

    let before = cases(&desk);
    let asks = command(&desk, &["purge", "--address", FAMILY]);
    assert_eq!(asks.code, Some(1), "{}", asks.stdout);
    assert!(asks.stderr.contains("Nothing was done: say --yes"), "{}", asks.stderr);
    let looks = command(&desk, &["purge", "--address", FAMILY, "--dry-run"]);
    assert!(done(&looks).contains("Would be purged: 1 case, 1 message"), "{}", looks.stdout);
    assert!(holds(&desk.path(), FAMILY), "nothing was done yet");

    let purged = command(&desk, &["purge", "--address", FAMILY, "--yes"]);
    assert!(done(&purged).contains("Purged: 1 case, 1 message"), "{}", purged.stdout);
    for name in ["plumtree", "rang Anna"] {
        assert!(!holds(&desk.path(), name), "{name} is still in the file");
    }
    let counted = |all: &[Value]| {
        let of = |case: &Value| {
            ["reference", "state", "queue", "urgency", "received_at", "due_on", "answered_at", "in_time"]
                .map(|key| case[key].clone())
        };
        all.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(counted(&cases(&desk)), counted(&before));
    assert!(holds(&desk.path(), "quill"), "the other family still waits");

    // That one cannot be taken out while it waits, and it is said what to do.
    let waits = command(&desk, &["purge", "--address", "ben.quill@inbox.example", "--yes"]);
    assert_eq!(waits.code, Some(1), "{}", waits.stdout);
    assert!(waits.stderr.contains("cases close"), "{}", waits.stderr);
}

#[test]
fn what_was_settled_long_ago_is_purged_by_hand_and_by_the_daemon() {
    let desk = two_families();
    let nothing = command(&desk, &["purge", "--months", "1200", "--dry-run"]);
    assert!(done(&nothing).contains("Nothing that was settled"), "{}", nothing.stdout);
    assert_eq!(command(&desk, &["purge", "--months", "0"]).code, Some(2));

    // Three years later, as the file sees it.
    let back = "UPDATE messages SET received_at = received_at - 94608000; UPDATE cases SET received_at = received_at - 94608000;
        UPDATE case_facts SET occurred_at = occurred_at - 94608000";
    rusqlite::Connection::open(desk.path()).unwrap().execute_batch(back).unwrap();
    let dir = desk.path().parent().unwrap().to_owned();
    let daemon = Program::start(&dir, &["run", "--config", "c.yaml"]);
    daemon.wait_for_log("the people in them were taken out");
    assert!(daemon.stderr().contains("1 cases and 1 messages"), "{}", daemon.stderr());
    let left: Vec<Value> = cases(&desk);
    assert!(
        left.iter().any(|case| case["sender"] == "ben.quill@inbox.example"),
        "what waits is never purged"
    );
    assert!(!left.iter().any(|case| case["sender"] == FAMILY), "{left:?}");
}

/// A small disk of its own.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf, kilobytes: u32) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        let size = format!("size={kilobytes}k,mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "none"]).arg(&at);
        assert!(
            mount.status().unwrap().success(),
            "needs the right to mount, which root has outside of a locked-down container"
        );
        Self(at)
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.0.join("filler")).unwrap();
        while filler.write_all(&[7; 4096]).is_ok() {}
        while filler.write_all(&[7]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_taking_in_says_so_and_goes_on_when_there_is_room() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, poll_seconds: 1, ..Plan::default() });
    let disk = SmallDisk::mount(team.dir().join("disk"), 16_000);
    let config = std::fs::read_to_string(team.config()).unwrap();
    let moved = config.replace("database: record.sqlite", "database: disk/record.sqlite");
    assert_ne!(config, moved);
    std::fs::write(team.config(), moved).unwrap();
    let mut daemon = team.start_and_take_into_use(1);
    let ask = |number: u32| {
        let id = format!("q{number}@inbox.example");
        let body = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?\n\nAnna";
        let from = format!("Anna <parent.a@of{number}.example>");
        let mail = letter(&from, "send.general@hertfordshire.example", "Who?", &id, body);
        servers.deliver("send.general", &mail);
    };
    ask(1);
    servers.wait_for("parent.a", "INBOX", 1);
    disk.fill();
    for number in 2..=40 {
        ask(number);
    }
    daemon.wait_for_log("the disk is full; no more mail is taken in");
    // What is on record can be looked at meanwhile.
    assert!(!team.cases().is_empty());
    let before = acknowledgements(&servers.mailbox("parent.a", "INBOX")).len();
    assert!(before < 40, "the disk was not full");
    assert!(daemon.is_running());

    disk.make_room();
    // The post looks again after a minute, the mailbox after some seconds.
    let all = wait_at_most(std::time::Duration::from_secs(240), || {
        (servers.mailbox("parent.a", "INBOX").len() >= 40).then_some(())
    });
    assert!(all.is_some(), "not every question was acknowledged");
    wait_until("the inbox empty", || servers.mailbox("send.general", "INBOX").is_empty().then_some(()));
    let inbox = servers.mailbox("parent.a", "INBOX");
    let mut answered: Vec<_> =
        acknowledgements(&inbox).iter().map(|mail| mail.header("in-reply-to")).collect();
    answered.sort();
    answered.dedup();
    assert_eq!((inbox.len(), answered.len(), team.cases().len()), (40, 40, 40), "each once");
}
