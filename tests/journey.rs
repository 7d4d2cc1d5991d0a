//! The whole journey over real servers: a letter arrives by SMTP, is acknowledged in its sender's own inbox, filed and
//! recorded; and what must hold when servers, networks and the program itself break off in the middle.

use crate::support::program::Program;
use crate::support::proxy::{Fault, Proxy};
use crate::support::servers::{Certificate, MailServers, Setup};
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::{into_the_next_second, wait_at_most, wait_until};

const GENERAL: &str = "send.general@hertfordshire.example";
const ASSESSMENT: &str = "send.assessment@hertfordshire.example";
const PARENT: &str = "Anna Parent <parent.a@inbox.example>";
const PARENT_B: &str = "Ben Parent <parent.b@inbox.example>";

/// A quiet question: standard, general queue.
const QUESTION: &str = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?\n\nAnna";
/// Ground U4.
const PART_TIME: &str = "Hello,\n\nMy son is on a part-time timetable. School only lets him in for two hours each morning.\n\nAnna";
/// The assessment queue.
const REQUEST: &str = "Hello,\n\nI would like to request an EHC needs assessment for my daughter.\n\nAnna";

fn parent() -> &'static str {
    "parent.a@inbox.example"
}

/// Anything in a folder of the `Triage` tree of this user.
fn filed(servers: &MailServers, user: &str) -> Vec<(String, crate::support::wire::StoredMail)> {
    let folders = servers.folders(user).into_iter().filter(|name| name.starts_with("Triage"));
    folders
        .flat_map(|name| servers.mailbox(user, &name).into_iter().map(move |m| (name.clone(), m)))
        .collect()
}

fn wait_until_filed(
    servers: &MailServers,
    user: &str,
    messages: usize,
) -> Vec<(String, crate::support::wire::StoredMail)> {
    wait_until(&format!("{messages} message(s) filed for {user}"), || {
        let found = filed(servers, user);
        (found.len() >= messages && servers.mailbox(user, "INBOX").is_empty()).then_some(found)
    })
}

#[test]
fn a_letter_is_acknowledged_in_its_senders_inbox_filed_and_recorded_with_its_date() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    let program = team.start_and_take_into_use(2);
    servers.send(
        parent(),
        &[GENERAL],
        &letter(PARENT, GENERAL, "Who is our coordinator?", "q1@inbox.example", QUESTION),
    );

    let answer = servers.wait_for("parent.a", "INBOX", 1).remove(0);
    assert_eq!(answer.header("auto-submitted").as_deref(), Some("auto-replied"));
    assert_eq!(answer.header("return-path").as_deref(), Some("<>"));
    assert_eq!(answer.header("in-reply-to").as_deref(), Some("<q1@inbox.example>"));
    assert!(answer.header("from").unwrap().contains(GENERAL));
    assert!(!answer.text().contains("Who is our coordinator"), "nothing that the sender wrote is repeated");

    let filed = wait_until_filed(&servers, "send.general", 1);
    assert_eq!(filed[0].0, "Triage/general");
    assert!(!filed[0].1.flags.iter().any(|f| f.eq_ignore_ascii_case("\\Seen")), "it stays unread");
    let copy = servers.wait_for("send.general", "Sent", 1);
    assert_eq!(copy[0].header("message-id"), answer.header("message-id"));

    let cases = team.cases();
    assert_eq!(cases.len(), 1);
    let reference = cases[0]["reference"].as_str().unwrap();
    let due = cases[0]["due_on"].as_str().unwrap();
    assert!(answer.text().contains(reference), "the letter names the case");
    let received = filed[0].1.internal_date.to_rfc3339();
    let counted = Program::run(team.dir(), &["due", "--format", "json", &received]);
    let counted: serde_json::Value = serde_json::from_str(&counted.stdout).unwrap();
    assert_eq!(counted["due"], due);
    assert_eq!(team.case(reference)["reference"], reference);

    program.signal("TERM");
    let end = program.finish();
    assert_eq!(end.code, Some(0), "{}", end.stderr);
    assert!(
        !end.stderr.contains("parent.a") && !end.stderr.contains("coordinator"),
        "no person in the log:\n{}",
        end.stderr
    );
}

#[test]
fn urgent_mail_goes_to_its_own_subfolder_flagged() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    let _program = team.start_and_take_into_use(2);
    servers.send(
        parent(),
        &[GENERAL],
        &letter(PARENT, GENERAL, "School hours", "u1@inbox.example", PART_TIME),
    );
    let filed = wait_until_filed(&servers, "send.general", 1);
    assert_eq!(filed[0].0, "Triage/general/Urgent");
    assert!(filed[0].1.flags.iter().any(|f| f.eq_ignore_ascii_case("\\Flagged")));
    assert_eq!(team.cases()[0]["urgency"], "urgent");
}

#[test]
fn duty_staff_are_alerted_to_urgent_mail_without_a_word_of_it() {
    let servers = MailServers::start(Setup::default());
    let more = "alerts: {to: [duty@hertfordshire.example], out_of_hours: true}\n".to_owned();
    let team = Team::new(&servers, &Plan { more, ..Plan::default() });
    let _program = team.start_and_take_into_use(2);
    servers.send(
        parent(),
        &[GENERAL],
        &letter(PARENT, GENERAL, "School hours", "u2@inbox.example", PART_TIME),
    );
    let alert = servers.wait_for("duty", "INBOX", 1).remove(0);
    assert_eq!(alert.header("auto-submitted").as_deref(), Some("auto-generated"));
    assert!(alert.text().contains(team.cases()[0]["reference"].as_str().unwrap()));
    assert!(!alert.text().contains("two hours") && !alert.text().contains("Anna"));
}

#[test]
fn idle_wakes_the_daemon_long_before_the_poll() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, poll_seconds: 3600, ..Plan::default() });
    let _program = team.start_and_take_into_use(1);
    // Two in a row: the second wait is an IDLE issued anew.
    for n in 1..=2 {
        servers.deliver(
            "send.general",
            &letter(PARENT, GENERAL, "Question", &format!("idle{n}@inbox.example"), QUESTION),
        );
        wait_until_filed(&servers, "send.general", n);
    }
}

#[test]
fn without_idle_polling_finds_the_mail() {
    let servers = MailServers::start(Setup {
        imap_capability: Some("IMAP4rev1 LITERAL+ UIDPLUS MOVE".to_owned()),
        ..Setup::default()
    });
    let team = Team::new(&servers, &Plan { accounts: 1, poll_seconds: 1, ..Plan::default() });
    let _program = team.start_and_take_into_use(1);
    servers.deliver("send.general", &letter(PARENT, GENERAL, "Question", "poll@inbox.example", QUESTION));
    wait_until_filed(&servers, "send.general", 1);
}

#[test]
fn without_move_the_message_is_copied_verified_and_only_then_deleted() {
    let servers = MailServers::start(Setup {
        imap_capability: Some("IMAP4rev1 LITERAL+ UIDPLUS IDLE".to_owned()),
        ..Setup::default()
    });
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    let _program = team.start_and_take_into_use(1);
    servers.deliver("send.general", &letter(PARENT, GENERAL, "Question", "copy@inbox.example", QUESTION));
    assert_eq!(wait_until_filed(&servers, "send.general", 1).len(), 1);
}

#[test]
fn another_teams_matter_is_delivered_whole_into_that_teams_mailbox() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    let _program = team.start_and_take_into_use(2);
    let sent = letter(PARENT, GENERAL, "EHC needs assessment", "assess@inbox.example", REQUEST);
    servers.send(parent(), &[GENERAL], &sent);
    let theirs = wait_until("the message with the assessment team", || {
        filed(&servers, "send.assessment")
            .into_iter()
            .find(|(folder, _)| folder.starts_with("Triage/assessment"))
    });
    let ours = wait_until_filed(&servers, "send.general", 1).remove(0);
    assert_eq!(ours.0, "Triage/Passed on");
    assert_eq!(theirs.1.raw, ours.1.raw, "every byte, headers and all");
    assert_eq!(theirs.1.internal_date, ours.1.internal_date);
    assert_eq!(team.cases().len(), 1);
    servers.wait_for_empty_queue();
    assert_eq!(acknowledgements(&servers.mailbox("parent.a", "INBOX")).len(), 1);
}

#[test]
fn one_message_to_two_mailboxes_is_one_case_and_one_acknowledgement() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    let _program = team.start_and_take_into_use(2);
    let both = format!("{GENERAL}, {ASSESSMENT}");
    servers.send(
        parent(),
        &[GENERAL, ASSESSMENT],
        &letter(PARENT, &both, "Question", "two@inbox.example", QUESTION),
    );
    wait_until("both inboxes empty", || {
        let empty = |user| servers.mailbox(user, "INBOX").is_empty() && !filed(&servers, user).is_empty();
        (empty("send.general") && empty("send.assessment")).then_some(())
    });
    servers.wait_for("parent.a", "INBOX", 1);
    servers.wait_for_empty_queue();
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 1);
    assert_eq!(team.cases().len(), 1);
}

#[test]
fn a_certificate_for_another_host_or_of_an_unknown_authority_is_refused_with_its_remedy() {
    for (certificate, trust_ca, security) in
        [(Certificate::OtherHost, true, "starttls"), (Certificate::Good, false, "tls")]
    {
        let servers = MailServers::start(Setup { certificate, ..Setup::default() });
        let team =
            Team::new(&servers, &Plan { accounts: 1, trust_ca, imap_security: security, ..Plan::default() });
        let program = team.start();
        program.wait_for_log("certificate");
        assert!(!program.stderr().contains("Taken into use"));
    }
}

#[test]
fn tls_from_the_first_byte_works() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, imap_security: "tls", ..Plan::default() });
    let _program = team.start_and_take_into_use(1);
    servers.deliver("send.general", &letter(PARENT, GENERAL, "Question", "tls@inbox.example", QUESTION));
    wait_until_filed(&servers, "send.general", 1);
}

#[test]
fn a_wrong_password_is_told_and_the_other_account_goes_on() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { wrong_password_for: Some("general"), ..Plan::default() });
    let program = team.start_and_take_into_use(1);
    program.wait_for_log("general");
    servers.deliver("send.assessment", &letter(PARENT, ASSESSMENT, "Question", "pw@inbox.example", REQUEST));
    wait_until_filed(&servers, "send.assessment", 1);
    assert!(!program.stderr().contains("not this"), "no password in the log");
}

#[test]
fn mail_is_found_after_the_imap_server_was_away() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    let program = team.start_and_take_into_use(1);
    servers.stop_imap();
    program.wait_for_log("trying again");
    servers.start_imap();
    servers.deliver("send.general", &letter(PARENT, GENERAL, "Question", "away@inbox.example", QUESTION));
    wait_until_filed(&servers, "send.general", 1);
    servers.wait_for("parent.a", "INBOX", 1);
}

#[test]
fn letters_leave_after_the_smtp_server_was_away() {
    let servers = MailServers::start(Setup::default());
    let proxy = Proxy::start(servers.smtp_port());
    proxy.set(Fault::Refuse);
    let plan = Plan { accounts: 1, smtp_plain: true, smtp_port: Some(proxy.port()), ..Plan::default() };
    let team = Team::new(&servers, &plan);
    let program = team.start_and_take_into_use(1);
    servers.deliver("send.general", &letter(PARENT, GENERAL, "Question", "smtp@inbox.example", QUESTION));
    wait_until_filed(&servers, "send.general", 1);
    wait_until("an attempt", || (proxy.accepted() > 0).then_some(()));
    // Killed while the letter waits; the record has it.
    program.kill();
    proxy.set(Fault::None);
    make_due(&team);
    let _again = team.start();
    servers.wait_for("parent.a", "INBOX", 1);
    servers.wait_for_empty_queue();
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 1);
}

/// Lets every waiting effect be due now: tests do not wait for back-off.
fn make_due(team: &Team) {
    let db = rusqlite::Connection::open(team.database()).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    db.execute("UPDATE effects SET not_before = 0 WHERE state = 'pending'", []).unwrap();
}

#[test]
fn killed_between_record_and_effect_nothing_is_lost_and_nothing_done_twice() {
    let servers = MailServers::start(Setup::default());
    let smtp = Proxy::start(servers.smtp_port());
    let imap = Proxy::start(servers.imap_port());
    smtp.set(Fault::Stall);
    let plan = Plan {
        accounts: 1,
        smtp_plain: true,
        smtp_port: Some(smtp.port()),
        imap_port: Some(imap.port()),
        ..Plan::default()
    };
    let team = Team::new(&servers, &plan);
    let program = team.start_and_take_into_use(1);
    for n in 0..20 {
        let id = format!("kill{n}@inbox.example");
        servers.deliver("send.general", &letter(PARENT, GENERAL, &format!("Question {n}"), &id, QUESTION));
    }
    wait_until("all recorded", || (program.stderr().matches("it opens case").count() == 20).then_some(()));
    program.kill();
    smtp.set(Fault::None);
    make_due(&team);
    let again = team.start();
    // Ten to one sender is the limit in a day: the others are on the list of those withheld.
    servers.wait_for("parent.a", "INBOX", 10);
    wait_until_filed(&servers, "send.general", 20);
    again.kill();
    let third = team.start();
    servers.deliver("send.general", &letter(PARENT_B, GENERAL, "Last", "last@inbox.example", QUESTION));
    servers.wait_for("parent.b", "INBOX", 1);
    servers.wait_for_empty_queue();
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 10);
    assert_eq!(filed(&servers, "send.general").len(), 21);
    assert_eq!(team.cases().len(), 21);
    drop(third);
}

#[test]
fn a_letter_whose_fate_is_unknown_is_not_sent_again() {
    let servers = MailServers::start(Setup::default());
    let proxy = Proxy::start(servers.smtp_port());
    proxy.set(Fault::CutAfterClientSays(b"\r\n.\r\n".to_vec()));
    let plan = Plan { accounts: 1, smtp_plain: true, smtp_port: Some(proxy.port()), ..Plan::default() };
    let team = Team::new(&servers, &plan);
    let program = team.start_and_take_into_use(1);
    servers.deliver("send.general", &letter(PARENT, GENERAL, "Question", "fate@inbox.example", QUESTION));
    program.wait_for_log("looking in Sent");
    proxy.set(Fault::None);
    servers.wait_for("parent.a", "INBOX", 1);
    program.kill();
    let again = team.start();
    servers.deliver("send.general", &letter(PARENT_B, GENERAL, "Next", "next@inbox.example", QUESTION));
    servers.wait_for("parent.b", "INBOX", 1);
    servers.wait_for_empty_queue();
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 1);
    drop(again);
}

#[test]
fn a_changed_uidvalidity_acknowledges_and_files_nothing_twice() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, filing: "none", poll_seconds: 1, ..Plan::default() });
    let program = team.start_and_take_into_use(1);
    for n in 0..3 {
        servers.deliver(
            "send.general",
            &letter(PARENT, GENERAL, "Question", &format!("v{n}@inbox.example"), &format!("{QUESTION} {n}")),
        );
    }
    servers.wait_for("parent.a", "INBOX", 3);
    servers.change_uid_validity("send.general", "INBOX", 1_999_999_999);
    program.wait_for_log("looking at every message again");
    servers.deliver("send.general", &letter(PARENT_B, GENERAL, "Question", "v9@inbox.example", QUESTION));
    servers.wait_for("parent.b", "INBOX", 1);
    servers.wait_for_empty_queue();
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 3);
    assert_eq!(team.cases().len(), 4);
    assert_eq!(
        servers.mailbox("send.general", "INBOX").len(),
        4,
        "`filing: none` leaves everything in place"
    );
}

#[test]
fn two_answering_machines_fall_silent() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    let _program = team.start_and_take_into_use(1);
    let robot = "Rob Away <robot@office.example>";
    servers.send(
        "robot@office.example",
        &[GENERAL],
        &letter(robot, GENERAL, "Question", "r1@office.example", QUESTION),
    );
    // The other machine answers our acknowledgement: once well-behaved, once without any header that says what it is.
    let ours = servers.wait_for("robot", "INBOX", 1).remove(0);
    let ours_id = ours.header("message-id").unwrap();
    let away = |headers: &str, id: &str| {
        format!(
            "From: {robot}\r\nTo: {GENERAL}\r\nSubject: Automatic reply: {}\r\nIn-Reply-To: {ours_id}\r\nMessage-ID: <{id}>\r\n{headers}\r\n\r\nI am out of the office until Monday 9 November.\r\n",
            ours.header("subject").unwrap()
        )
    };
    servers.send(
        "",
        &[GENERAL],
        away("Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All", "r2@office.example").as_bytes(),
    );
    servers.send("robot@office.example", &[GENERAL], away("X-Mailer: Robot", "r3@office.example").as_bytes());
    // Both are filed as automatic, and neither is answered.
    wait_until("both filed as automatic", || {
        (servers.mailbox("send.general", "Triage/Automatic").len() == 2).then_some(())
    });
    servers.wait_for_empty_queue();
    assert_eq!(servers.mailbox("robot", "INBOX").len(), 1);
}

#[test]
fn a_message_of_25_megabytes_is_decided_and_filed_whole() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan::default());
    let program = team.start_and_take_into_use(2);
    let mut big = format!(
        "From: {PARENT}\r\nTo: {GENERAL}\r\nSubject: Request\r\nMessage-ID: <big@inbox.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{}\r\n--b\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        REQUEST.replace('\n', "\r\n")
    );
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
    big.extend(std::iter::repeat_n(line, 25_000_000 / line.len()));
    big.push_str("\r\n--b--\r\n");
    servers.deliver("send.general", big.as_bytes());
    let (folder, theirs) = wait_until("the big message with the assessment team", || {
        filed(&servers, "send.assessment").into_iter().next()
    });
    assert_eq!(folder, "Triage/assessment");
    assert!(theirs.raw.ends_with(b"--b--\r\n") && theirs.raw.len() > 25_000_000);
    assert!(program.resident_kilobytes() < 110_000, "resident: {} kB", program.resident_kilobytes());
}

#[test]
fn odd_messages_are_each_recorded_and_stop_nothing() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    let _program = team.start_and_take_into_use(1);
    servers.deliver("send.general", &letter(PARENT, GENERAL, "No Message-ID", "", QUESTION));
    servers.append(
        "send.general",
        "INBOX",
        "02-Nov-2026 09:00:00 +0000",
        b"\x00\xff\xfe garbage \x80\x81 without a header\r\n\r\n\xff\xff",
    );
    servers.append("send.general", "INBOX", "02-Nov-2026 09:00:00 +0000", b" \r\n");
    servers.deliver(
        "send.general",
        &letter(PARENT_B, GENERAL, "After the garbage", "after@inbox.example", QUESTION),
    );
    servers.wait_for("parent.a", "INBOX", 1);
    servers.wait_for("parent.b", "INBOX", 1);
    let filed = wait_until_filed(&servers, "send.general", 3);
    assert!(
        filed.iter().any(|(folder, _)| folder == "Triage/Needs a person"),
        "garbage is set aside for a person"
    );
    let listed = Program::run(team.dir(), &["cases", "list", "--config", "send-triage.yaml"]);
    assert!(listed.stdout.contains("Set aside: message"), "and told: {}", listed.stdout);
}

#[test]
fn what_lay_there_before_is_recorded_but_not_acknowledged_nor_moved() {
    let servers = MailServers::start(Setup::default());
    for n in 0..30 {
        servers.deliver(
            "send.general",
            &letter(PARENT, GENERAL, "Old", &format!("old{n}@inbox.example"), &format!("{QUESTION} {n}")),
        );
    }
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    into_the_next_second();
    let program = team.start_and_take_into_use(1);
    servers.deliver("send.general", &letter(PARENT_B, GENERAL, "New", "new@inbox.example", QUESTION));
    servers.wait_for("parent.b", "INBOX", 1);
    wait_until("the new one filed", || (filed(&servers, "send.general").len() == 1).then_some(()));
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 0);
    assert_eq!(servers.mailbox("send.general", "INBOX").len(), 30);
    assert_eq!(team.cases().len(), 31);
    drop(program);
}

#[test]
fn a_second_daemon_on_the_same_record_is_refused() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    let _first = team.start_and_take_into_use(1);
    let second = team.start_without_waiting().finish();
    assert_eq!(second.code, Some(3), "{}", second.stderr);
}

#[test]
fn edited_rules_are_in_force_within_seconds_and_bad_ones_are_refused() {
    let servers = MailServers::start(Setup::default());
    let rules = tempfile::tempdir().unwrap();
    copy_rules(rules.path());
    let more = format!("rules: {}\n", rules.path().display());
    let team = Team::new(&servers, &Plan { accounts: 1, more, ..Plan::default() });
    let program = team.start_and_take_into_use(1);
    let urgent = rules.path().join("urgent.yaml");
    let good = std::fs::read_to_string(&urgent).unwrap();
    std::fs::write(&urgent, good.clone() + "\nnonsense: [\n").unwrap();
    program.wait_for_log("refused");
    assert!(
        wait_at_most(std::time::Duration::from_secs(1), || program
            .stderr()
            .contains("stay in force")
            .then_some(()))
        .is_some()
    );
    let listed = || Program::run(team.dir(), &["cases", "list", "--config", "send-triage.yaml"]).stdout;
    assert!(
        listed().contains("Rules: Refused on") && listed().contains("rules-refused.txt says what to mend"),
        "{}",
        listed()
    );
    std::fs::write(&urgent, good + "\n# A remark.\n").unwrap();
    program.wait_for_log("are in force");
    assert!(!listed().contains("Rules:"), "what is mended is told no longer");
    program.signal("HUP");
    wait_until("in force again after SIGHUP", || {
        (program.stderr().matches("are in force").count() >= 2).then_some(())
    });
}

fn copy_rules(to: &std::path::Path) {
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let status = std::process::Command::new("cp").arg("-r").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}
