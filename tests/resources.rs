//! What the daemon uses, whatever comes: memory under mail that was made to exhaust it, open files and connections while its
//! servers come and go, and a backlog of thousands. The real program over the real servers; read from proc(5).
//!
//! `SEND_TRIAGE_BACKLOG=100000` for a larger backlog, with the figures: `cargo test --test all resources:: -- --nocapture`.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::time::{Duration, Instant};

use send_triage::record::Records;

use crate::support::few_rules::{self, FOR_ASSESSMENT, QUESTION};
use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::{into_the_next_second, wait_at_most, wait_until};

const GENERAL: &str = "send.general@hertfordshire.example";
/// What the page about reliability promises.
const MOST_MEGABYTES: u64 = 120;

fn plan() -> Plan {
    Plan {
        imap_security: "plain",
        smtp_plain: true,
        more: "rules: rules\nacknowledgements: {per_domain_an_hour: 100000, in_all_an_hour: 100000}\n"
            .to_owned(),
        ..Plan::default()
    }
}

fn team(servers: &MailServers, plan: &Plan) -> Team {
    let team = Team::new(servers, plan);
    few_rules::write(&team.dir().join("rules"));
    team
}

/// The most memory that the program ever held (VmHWM of proc(5)), in megabytes.
fn most_megabytes(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1000
}

/// Open files, and how many of them are connections.
fn open_files(program: &Program) -> (usize, usize) {
    let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", program.id())) else { return (0, 0) };
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let all: Vec<_> = targets.map(|target| target.to_string_lossy().into_owned()).collect();
    (all.len(), all.iter().filter(|target| target.starts_with("socket:")).count())
}

fn head(from: &str, number: usize, more: &str) -> String {
    format!(
        "From: {from}\r\nTo: {GENERAL}\r\nSubject: Number {number}\r\nMessage-ID: <{number}@bombs.example>\r\n{more}"
    )
}

/// Mail that nobody writes by accident. Each begins with a question that must be answered all the same, where it can be read.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let from = |n: usize| format!("Bomber {n} <bomber.{n}@bombs.example>");
    let plain = |n: usize, more: &str| format!("{}\r\n{QUESTION}\r\n", head(&from(n), n, more)).into_bytes();
    let mime = |n: usize, kind: &str, body: String| {
        let more = format!("MIME-Version: 1.0\r\nContent-Type: {kind}\r\n");
        format!("{}\r\n{body}", head(&from(n), n, &more)).into_bytes()
    };
    let text = format!("Content-Type: text/plain\r\n\r\n{QUESTION}\r\n");
    let folded = "X-Long: a\r\n".to_owned() + &" folded again and again\r\n".repeat(10_000_000 / 24);
    let many: String = (0..100_000).map(|n| format!("X-Field-{n}: value\r\n")).collect();
    let to_all: String = (0..100_000).map(|n| format!("a{n}@b.example,\r\n ")).collect();
    let parts = format!("--b\r\n{text}").repeat(10_000) + "--b--\r\n";
    let opened = |n: usize| format!("--b{n}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", n + 1);
    let deep: String = (0..1_000).map(opened).collect();
    let inside =
        "--c\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
            .repeat(1_000);
    let nothing = "A".repeat(76) + "\r\n";
    let nothing = format!(
        "--b\r\n{text}--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        nothing.repeat(20_000_000 / 78)
    );
    let html = "<div><p>Hello <b>there</b></p>".repeat(50_000_000 / 30);
    let unclosed = "<table><tr><td>".repeat(60_000) + QUESTION;
    let quoted = format!("=?utf-8?Q?{}?= ", "=41".repeat(20)).repeat(10_000);
    vec![
        ("10 MB of one header", plain(0, &folded)),
        ("10 MB of one header on one line", plain(1, &format!("X-Long: {}\r\n", "a".repeat(10_000_000)))),
        ("100,000 headers", plain(2, &many)),
        ("100,000 recipients", plain(3, &format!("Cc: {to_all}z@b.example\r\n"))),
        ("10,000 encoded words", plain(4, &format!("X-Words: {quoted}\r\n"))),
        ("10,000 parts", mime(5, "multipart/mixed; boundary=b", parts)),
        ("parts 1,000 deep", mime(6, "multipart/mixed; boundary=b0", deep + &text)),
        ("messages in messages, 1,000 deep", mime(7, "multipart/mixed; boundary=c", inside + &text)),
        ("20 MB of base64 for nothing", mime(8, "multipart/mixed; boundary=b", nothing)),
        ("50 MB of HTML", mime(9, "text/html; charset=utf-8", html)),
        ("180,000 tags that are never closed", mime(10, "text/html", unclosed)),
        ("5 MB on one line", plain(11, "").into_iter().chain("a ".repeat(2_500_000).into_bytes()).collect()),
    ]
}

#[test]
fn mail_that_was_made_to_exhaust_it_is_recorded_and_filed_in_bounded_memory() {
    let servers = MailServers::start(Setup::default());
    let team = team(&servers, &plan());
    let program = team.start_and_take_into_use(2);
    let before = most_megabytes(&program);
    let bombs = bombs();
    let mut slowest = (Duration::ZERO, "");
    for (number, (name, raw)) in bombs.iter().enumerate() {
        let began = Instant::now();
        servers.deliver("send.general", raw);
        let recorded = wait_at_most(Duration::from_secs(120), || {
            let text = program.stderr();
            (text.matches("recorded; ").count() + text.matches("is set aside: a person").count() > number)
                .then_some(())
        });
        assert!(recorded.is_some(), "{name} was not recorded:\n{}", program.stderr());
        slowest = slowest.max((began.elapsed(), name));
        println!(
            "{name}: {} bytes, {:.1} s, at most {} MB so far",
            raw.len(),
            began.elapsed().as_secs_f64(),
            most_megabytes(&program)
        );
    }
    // And a letter of a parent, after all of that.
    servers.deliver(
        "send.general",
        &letter("Anna <parent.a@inbox.example>", GENERAL, "Hello", "a@inbox.example", QUESTION),
    );
    servers.wait_for("parent.a", "INBOX", 1);
    wait_until("an empty inbox", || servers.mailbox("send.general", "INBOX").is_empty().then_some(()));
    let most = most_megabytes(&program);
    println!(
        "memory: {before} MB before, at most {most} MB; the slowest was {} with {:.1} s",
        slowest.1,
        slowest.0.as_secs_f64()
    );
    assert!(most < MOST_MEGABYTES, "{most} MB");
    let records = Records::open_read_only(&team.database()).unwrap();
    let inbox: Vec<_> = records
        .ledger()
        .unwrap()
        .into_iter()
        .filter(|one| one.account == "general" && one.folder == "INBOX")
        .collect();
    assert_eq!(
        inbox.iter().map(|one| one.seen).sum::<u64>(),
        bombs.len() as u64 + 1,
        "one outcome for each: {inbox:?}"
    );
    let waiting = records.set_aside().unwrap();
    assert!(waiting.iter().all(|row| row.due_on.is_some()), "what a person must read has its deadline");
    assert_eq!(
        waiting.len(),
        0,
        "all of them can be read: {:?}",
        waiting.iter().map(|row| &row.set_aside).collect::<Vec<_>>()
    );
}

#[test]
fn a_message_of_150_megabytes_is_passed_on_whole_in_bounded_memory() {
    let servers = MailServers::start(Setup::default());
    let team = team(&servers, &plan());
    let program = team.start_and_take_into_use(2);
    let more = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    let mut raw = head("Anna <parent.a@inbox.example>", 1, more);
    raw += &format!("\r\n--b\r\nContent-Type: text/plain\r\n\r\n{FOR_ASSESSMENT}\r\n--b\r\n");
    raw += "Content-Type: application/pdf; name=\"report.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
    raw.extend(std::iter::repeat_n(line, 150_000_000 / line.len()));
    raw += "\r\n--b--\r\n";
    let began = Instant::now();
    servers.deliver("send.general", raw.as_bytes());
    let mut session = servers.imap("send.assessment");
    let theirs = wait_at_most(Duration::from_secs(180), || {
        session.messages("Triage/assessment").ok().filter(|found| !found.is_empty())
    });
    let theirs = theirs.unwrap_or_else(|| panic!("it was not passed on:\n{}", program.stderr()));
    assert!(theirs[0].raw.len() > 150_000_000 && theirs[0].raw.ends_with(b"--b--\r\n"));
    servers.wait_for("parent.a", "INBOX", 1);
    let most = most_megabytes(&program);
    println!("150 MB passed on in {:.1} s, at most {most} MB of memory", began.elapsed().as_secs_f64());
    assert!(most < MOST_MEGABYTES, "{most} MB");
}

#[test]
fn open_files_and_connections_stay_few_while_servers_come_and_go() {
    let servers = MailServers::start(Setup::default());
    let team = team(&servers, &Plan { poll_seconds: 1, ..plan() });
    let program = team.start_and_take_into_use(2);
    let calm = wait_until("a calm daemon", || (open_files(&program).0 > 5).then(|| open_files(&program)));
    let (mut most, mut number) = ((0, 0), 0);
    let mut watch = |how_long: Duration, letters: usize| {
        let end = Instant::now() + how_long;
        for _ in 0..letters {
            number += 1;
            let from = format!("Parent {number} <parent.{number}@home.example>");
            let words = if number % 2 == 0 { QUESTION } else { FOR_ASSESSMENT };
            let body = format!("{words} My number is {number}.");
            servers.send(
                "p@home.example",
                &[GENERAL],
                &letter(
                    &from,
                    GENERAL,
                    &format!("Letter {number}."),
                    &format!("{number}@home.example"),
                    &body,
                ),
            );
        }
        while Instant::now() < end {
            let (files, connections) = open_files(&program);
            most = (most.0.max(files), most.1.max(connections));
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    for _ in 0..3 {
        watch(Duration::from_millis(700), 10);
        servers.stop_imap();
        watch(Duration::from_millis(700), 0);
        servers.start_imap();
        watch(Duration::from_millis(700), 10);
        servers.stop_smtp();
        watch(Duration::from_millis(700), 0);
        servers.start_smtp();
    }
    // A letter whose server is stopped before it answers is in doubt, and is not sent again by guess.
    let in_doubt = || program.stderr().matches("no answer after the letter was handed over").count();
    let done = wait_at_most(Duration::from_secs(180), || {
        (servers.mailbox("sink", "INBOX").len() + in_doubt() >= 60).then_some(())
    });
    assert!(done.is_some(), "{} of 60 are answered", servers.mailbox("sink", "INBOX").len());
    let after = wait_at_most(Duration::from_secs(60), || {
        Some(open_files(&program)).filter(|after| after.0 <= calm.0 + 4)
    });
    println!("open files, connections: {calm:?} when calm, at most {most:?}, {after:?} afterwards");
    assert!(
        after.is_some(),
        "what was opened in the storm is closed after it: {:?}, {calm:?} before",
        open_files(&program)
    );
    // For each account: what watches, what looks into Sent, what looks at moves, what passes on, what posts; and a few more.
    assert!(most.1 <= 16, "{most:?}");
    assert!(most.0 <= 40, "{most:?}");
}

#[test]
fn a_backlog_of_thousands_is_taken_in_with_bounded_memory_and_answers_nobody() {
    let messages: u32 =
        std::env::var("SEND_TRIAGE_BACKLOG").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let dir = tempfile::tempdir().unwrap();
    few_rules::write(&dir.path().join("rules"));
    let inbox = dir.path().join("maildir");
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir_all(inbox.join(sub)).unwrap();
    }
    for number in 0..messages {
        let body = format!("{QUESTION} My number is {number}.\n\nKind regards\nParent {number}");
        let from = format!("Parent {number} <parent.{number}@home{}.example>", number % 997);
        let raw =
            letter(&from, GENERAL, &format!("Letter {number}."), &format!("{number}@home.example"), &body);
        fs::write(inbox.join(format!("new/{}.M{number}.host", 1_780_000_000 + number)), raw).unwrap();
    }
    fs::write(dir.path().join("c.yaml"), backlog_yaml()).unwrap();
    let began = Instant::now();
    let program = Program::start(dir.path(), &["run", "--config", "c.yaml"]);
    let seen = |path: &Path| {
        let records = Records::open_read_only(path).ok()?;
        records.ledger().ok()?.iter().find(|one| one.folder == "INBOX").map(|one| one.seen)
    };
    let limit = Duration::from_secs(120) + Duration::from_millis(60) * messages;
    let done = wait_at_most(limit, || {
        std::thread::sleep(Duration::from_millis(500));
        seen(&dir.path().join("record.sqlite")).filter(|seen| *seen >= u64::from(messages))
    });
    let most = most_megabytes(&program);
    let took = began.elapsed().as_secs_f64();
    assert!(done.is_some(), "{:?} of {messages} after {took:.0} s", seen(&dir.path().join("record.sqlite")));
    println!(
        "a backlog of {messages} in {took:.1} s, {:.0} a second, at most {most} MB",
        f64::from(messages) / took
    );
    assert!(most < MOST_MEGABYTES, "{most} MB");
    let letters = fs::read_dir(dir.path().join("out")).map_or(0, Iterator::count);
    assert_eq!(letters, 0, "nobody is answered for what lay there");
}

/// On a server, and looked at only: a Maildir of 100,000 files costs Dovecot seconds for each MOVE out of it, which would measure
/// Dovecot. A message of 25 MB is among them.
#[test]
fn a_backlog_on_a_server_is_taken_in_with_bounded_memory_a_large_message_among_it() {
    let messages: u32 =
        std::env::var("SEND_TRIAGE_BACKLOG").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let servers = MailServers::start(Setup::default());
    let team = team(&servers, &Plan { accounts: 1, filing: "none", ..plan() });
    let question = |number: u32| {
        let body = format!("{QUESTION} My number is {number}.");
        let from = format!("Parent {number} <parent.{number}@home{}.example>", number % 997);
        letter(&from, GENERAL, &format!("Letter {number}."), &format!("{number}@home.example"), &body)
    };
    // Delivered, so that the Maildir is there as Dovecot wants it; the others are laid beside it.
    servers.deliver("send.general", &question(0));
    let maildir = servers.maildir("send.general");
    let owner = fs::metadata(maildir.join("cur")).unwrap();
    let lay = |number: u32, raw: &[u8]| {
        let name = format!("{}.M{number:07}.host,S={}:2,", 1_780_000_000 + number, raw.len());
        let path = maildir.join("cur").join(name);
        fs::write(&path, raw).unwrap();
        chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    };
    for number in 1..messages {
        lay(number, &question(number));
    }
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
    let attached = format!("{}{}", QUESTION, line.repeat(25_000_000 / line.len()));
    lay(
        messages,
        &letter("Anna <anna@home.example>", GENERAL, "The report", "large@home.example", &attached),
    );

    into_the_next_second();
    let began = Instant::now();
    let program = team.start();
    let seen = || {
        let records = Records::open_read_only(&team.database()).ok()?;
        records.ledger().ok()?.iter().find(|one| one.folder == "INBOX").map(|one| one.seen)
    };
    let limit = Duration::from_secs(180) + Duration::from_millis(60) * messages;
    let done = wait_at_most(limit, || {
        std::thread::sleep(Duration::from_millis(500));
        seen().filter(|seen| *seen > u64::from(messages))
    });
    let (most, took) = (most_megabytes(&program), began.elapsed().as_secs_f64());
    println!("{:?} of {messages} on a server, one of 25 MB, in {took:.1} s, at most {most} MB", seen());
    assert!(done.is_some(), "{:?} of {messages} after {took:.0} s", seen());
    assert!(most < MOST_MEGABYTES, "{most} MB");
    assert!(servers.mailbox("sink", "INBOX").is_empty(), "nobody is answered for what lay there");
}

fn backlog_yaml() -> String {
    "council: {domain: hertfordshire.example}\ndatabase: record.sqlite\nrules: rules\naccounts:\n  - name: general\n    \
     address: send.general@hertfordshire.example\n    existing: record\n    folder: {path: maildir, kind: maildir}\n    \
     outbox: out\nqueues:\n  resolution: {folder: Triage/Resolution}\n  assessment: {folder: Triage/Assessment}\n  \
     annual-review-east: {folder: Triage/East}\n  annual-review-west: {folder: Triage/West}\n  \
     general: {folder: Triage/General}\n"
        .to_owned()
}
