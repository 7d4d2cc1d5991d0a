//! `send-triage doctor` as the systems person reads it: `fixtures/doctor/`, of real servers and of one that talks like Exchange
//! Online (`UPDATE_GOLDEN=1 cargo test doctor::` writes them anew). And that it changes nothing.

use std::path::Path;

use crate::support::exchange::{Exchange, Office};
use send_triage::mailbox::{ImapAccount, Outcome, Wanted, probe};

use crate::support::fake_imap::Server;
use crate::support::fake_imap::Step::Say;
use crate::support::program::{Finished, Program};
use crate::support::servers::{Certificate, MailServers, Setup};
use crate::support::team::{Plan, Team};

#[track_caller]
fn golden(name: &str, said: &str) {
    let said = steady(said);
    for line in said.lines().filter(|line| !line.contains("PS>")) {
        assert!(line.chars().count() <= 120, "too long: {line}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/doctor").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(said == expected, "{name} differs; UPDATE_GOLDEN=1 cargo test doctor:: writes it anew:\n{said}");
}

/// What differs from run to run, made the same: ports, dates, versions, seconds. Lines are put together again first, because
/// where they break depends on it.
fn steady(said: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    for line in said.lines() {
        match out.last_mut().filter(|_| line.starts_with(&" ".repeat(29))) {
            Some(last) => *last = format!("{last} {}", line.trim()),
            None => out.push(line.to_owned()),
        }
    }
    let mut text = out.join("\n") + "\n";
    for (pattern, with) in [
        (r"port \d+", "port N"),
        (r"localhost:\d+", "localhost:N"),
        (r"localhost is \S+( and \d+ more)?", "localhost is 127.0.0.1"),
        (r"valid until \d+ \w+ \d{4} \(\d+ days\)", "valid until DATE (N days)"),
        (r"UIDVALIDITY \d+", "UIDVALIDITY N"),
        (r"\d+ rules, version \w+", "N rules, version V"),
        (r"after [0-9.]+ s", "after N s"),
        (r"is not known \([^)]*\)", "is not known (reason)"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, with).into_owned();
    }
    // Broken again as it is printed.
    let mut lines = String::new();
    for line in text.lines() {
        let mut rest = line.to_owned();
        let mut indent = 0;
        while rest.chars().count() + indent > 110 && !line.contains("PS>") {
            let room = rest.char_indices().nth(110 - indent).map_or(rest.len(), |(at, _)| at);
            let Some(at) = rest[..room].rfind(' ').filter(|at| rest[..*at].trim().len() > 5) else { break };
            lines.push_str(&format!("{}{}\n", " ".repeat(indent), rest[..at].trim_end()));
            rest = rest[at..].trim_start().to_owned();
            indent = 29;
        }
        lines.push_str(&format!("{}{rest}\n", " ".repeat(indent)));
    }
    lines
}

fn doctor(team: &Team, more: &[&str]) -> Finished {
    Program::run(
        team.dir(),
        &[&["doctor", "--config", "send-triage.yaml", "--account", "general"], more].concat(),
    )
}

const LETTER: &[u8] = b"From: Anna <parent.a@inbox.example>\r\nTo: send.general@hertfordshire.example\r\n\
    Subject: Who is our coordinator?\r\nMessage-ID: <1@inbox.example>\r\n\r\nHello\r\n";

#[test]
fn an_account_in_order_is_told_in_lines_worth_reading() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    let done = doctor(&team, &[]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    golden("all-well.txt", &done.stdout);
}

#[test]
fn without_send_test_the_mailbox_stays_as_it_was_byte_for_byte() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    servers.deliver("send.general", LETTER);
    servers.append("send.general", "Sent", "17-Sep-2026 09:00:00 +0100", LETTER);
    let look = || {
        let mut all = Vec::new();
        let mut folders = servers.folders("send.general");
        folders.sort();
        for folder in folders {
            for mail in servers.mailbox("send.general", &folder) {
                all.push((folder.clone(), mail.uid, mail.flags, mail.internal_date, mail.raw));
            }
            all.push((folder, 0, Vec::new(), chrono::DateTime::UNIX_EPOCH.into(), Vec::new()));
        }
        all
    };
    let before = look();
    assert!(before.iter().any(|(_, _, flags, ..)| flags.iter().any(|flag| flag == "\\Recent")), "{before:?}");
    let done = doctor(&team, &[]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    assert!(look() == before, "a folder, a message, a flag or a mark of being new has changed");
    assert_eq!(servers.queued(), 0);
    assert!(!team.database().exists(), "no record is begun");
}

#[test]
fn with_send_test_a_message_goes_round_and_is_removed_again() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    servers.deliver("send.general", LETTER);
    let done = doctor(&team, &["--send-test"]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    golden("send-test.txt", &done.stdout);
    let left = servers.mailbox("send.general", "INBOX");
    assert_eq!(left.len(), 1, "what was there is there, and nothing else");
    assert!(servers.mailbox("send.general", "Sent").is_empty());
}

#[test]
fn a_wrong_password_is_told_and_what_follows_is_not_tried() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { wrong_password_for: Some("general"), ..Plan::default() });
    let done = doctor(&team, &["--send-test"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    golden("wrong-password.txt", &done.stdout);
}

#[test]
fn a_certificate_of_another_host_is_told_with_whose_it_is() {
    let servers = MailServers::start(Setup { certificate: Certificate::OtherHost, ..Setup::default() });
    let team = Team::new(&servers, &Plan { imap_security: "tls", ..Plan::default() });
    let done = doctor(&team, &[]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    golden("wrong-certificate.txt", &done.stdout);
}

fn with_servers(imap: &str, smtp: &str) -> Finished {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("password"), "x\n").unwrap();
    let queues = ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"]
        .map(|queue| format!("  {queue}: {{folder: Triage/{queue}}}\n"));
    let config = format!(
        "council: {{domain: hertfordshire.example}}\ndatabase: record.sqlite\naccounts:\n  - name: general\n    \
         address: send.general@hertfordshire.example\n    imap: {{{imap}, password: {{file: password}}}}\n    \
         smtp: {{{smtp}}}\nqueues:\n{}",
        queues.concat()
    );
    std::fs::write(dir.path().join("c.yaml"), config).unwrap();
    Program::run(dir.path(), &["doctor", "--config", "c.yaml"])
}

#[test]
fn a_host_that_nobody_knows_is_told_as_such() {
    let done = with_servers("host: imap.nowhere.invalid", "host: smtp.nowhere.invalid");
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    golden("unknown-host.txt", &done.stdout);
}

#[test]
fn a_port_at_which_nobody_listens_is_told_as_such() {
    let done = with_servers("host: localhost, port: 9", "host: localhost, port: 9, security: tls");
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    golden("closed-port.txt", &done.stdout);
}

#[test]
fn exchange_in_order_is_told_with_what_only_its_administrator_can_see() {
    let exchange = Exchange::in_language("Gesendete Elemente");
    exchange.arrives(LETTER);
    let office = Office::new(&exchange);
    let before = exchange.snapshot();
    let done = office.run(&["doctor"]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    golden("exchange-all-well.txt", &done.stdout);
    assert!(exchange.snapshot() == before, "nothing is changed");

    let done = office.run(&["doctor", "--send-test"]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    golden("exchange-send-test.txt", &done.stdout);
    assert_eq!((exchange.folder("INBOX").len(), exchange.folder("Gesendete Elemente").len()), (1, 0));
}

#[test]
fn exchange_refusing_is_told_with_the_command_for_this_very_mailbox() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    std::fs::write(office.path("token"), "a-token-that-is-refused\n").unwrap();
    let done = office.run(&["doctor"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    golden("exchange-refused.txt", &done.stdout);
}

#[test]
fn exchange_that_lets_one_in_but_not_into_the_mailbox_is_told_apart() {
    let exchange = Exchange::start();
    exchange.says("imap EXAMINE", 99, "BAD User is authenticated but not connected.");
    exchange.says("imap LIST", 99, "BAD User is authenticated but not connected.");
    let basic =
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.";
    exchange.says("smtp AUTH", 99, basic);
    let done = Office::new(&exchange).run(&["doctor"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    golden("exchange-not-connected.txt", &done.stdout);
}

#[test]
fn json_has_one_object_a_line_with_the_same_keys() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    std::fs::write(office.path("token"), "a-token-that-is-refused\n").unwrap();
    let done = office.run(&["doctor", "--format", "json"]);
    let lines: Vec<serde_json::Value> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 10, "{}", done.stdout);
    for line in &lines {
        let mut keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["account", "commands", "found", "ok", "outcome", "remedy", "step", "text"]);
        let is_well = matches!(line["outcome"].as_str(), Some("ok" | "notice"));
        assert_eq!(line["ok"], is_well, "{line}");
    }
    let login = lines.iter().find(|line| line["step"] == "IMAP login").unwrap();
    assert_eq!((login["outcome"].as_str(), login["account"].as_str()), (Some("fails"), Some("general")));
    assert!(login["commands"][0].as_str().unwrap().starts_with("New-ServicePrincipal"), "{login}");
    assert!(lines.iter().any(|line| line["step"] == "IMAP rights" && line["outcome"] == "not-tried"));
}

/// What a look at this server's account says of a step.
async fn said(account: &ImapAccount, step: &str) -> Outcome {
    let wanted = Wanted {
        watched: &["INBOX".into()],
        filed_into: &[],
        answers_in: &[],
        server_keeps_copies: false,
        poll_seconds: 300,
    };
    let steps = probe(account, &wanted).await.steps;
    steps.iter().find(|found| found.name == step).unwrap_or_else(|| panic!("{steps:?}")).outcome.clone()
}

#[tokio::test(start_paused = true)]
async fn rights_that_are_lacking_are_named_where_the_server_tells_them() {
    let server = Server::with(&[1]);
    server.change(|fake| fake.capabilities = "IMAP4rev1 IDLE UIDPLUS MOVE ACL");
    server.script("MYRIGHTS", 1, &[Say("* MYRIGHTS INBOX lrsw"), Say("{t} OK done")]);
    let Outcome::Failed { problem, .. } = said(&server.account(), "rights").await else { panic!() };
    assert!(problem.ends_with("lacking: k (create folders), t (mark as deleted), e (remove)"), "{problem}");
    server.script("MYRIGHTS", 1, &[Say("* MYRIGHTS INBOX lrswipkxtea"), Say("{t} OK done")]);
    assert!(matches!(said(&server.account(), "rights").await, Outcome::Good(_)));
}

#[tokio::test(start_paused = true)]
async fn a_server_without_idle_is_worth_a_look_and_no_failure() {
    let server = Server::with(&[1]);
    server.change(|fake| fake.capabilities = "IMAP4rev1 UIDPLUS MOVE");
    assert!(matches!(said(&server.account(), "IDLE").await, Outcome::Notice { .. }));
    server.change(|fake| fake.capabilities = "IMAP4rev1 IDLE");
    server.script("IDLE", 1, &[Say("{t} NO not today")]);
    assert!(matches!(said(&server.account(), "IDLE").await, Outcome::Notice { .. }));
    assert!(matches!(said(&server.account(), "IDLE").await, Outcome::Good(_)));
}

#[test]
fn an_account_that_does_not_exist_is_the_callers_mistake() {
    let exchange = Exchange::start();
    let done = Office::new(&exchange).run(&["doctor", "--account", "generl"]);
    assert_eq!(done.code, Some(1), "{}", done.stdout);
    assert!(done.stderr.contains("generl") && done.stderr.contains("There are: general"), "{}", done.stderr);
}
