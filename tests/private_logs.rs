//! No log line names a person or repeats their words: a whole run with planted names, and everything that it wrote.

use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::wait_until;

const GENERAL: &str = "send.general@hertfordshire.example";
/// Each occurs in mail below and nowhere else: in a name, an address, a subject, a text, a file name, a broken header.
const PLANTED: [&str; 12] = [
    "Plumtree",
    "quillfeather",
    "Zebedee",
    "dyscalculia-xq",
    "Wobblethorpe",
    "snarkville",
    "Tuppence",
    "grimblehawk",
    "Oakapple",
    "fennimore",
    "parent.a@",
    "jo.bloggs",
];

fn planted_mail() -> Vec<(&'static str, Vec<u8>)> {
    let attached = "From: Zebedee Plumtree <quillfeather@inbox.example>\r\nTo: send.general@hertfordshire.example\r\nSubject: dyscalculia-xq report for Tuppence\r\nMessage-ID: <Wobblethorpe-2@snarkville.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nTuppence grimblehawk is on a part-time timetable and out of school.\r\n--b\r\nContent-Type: application/pdf; name=\"Oakapple fennimore.pdf\"\r\nContent-Disposition: attachment; filename=\"Oakapple fennimore.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n";
    let malformed = "From: \"Zebedee Plumtree <quillfeather\r\nTo: send.general@hertfordshire.example\r\nSubject: =?utf-8?Q?Tuppence_=ZZgrimblehawk?=\r\nMessage-ID: Wobblethorpe no brackets\r\nReferences: <unclosed-snarkville\r\nDate: Oakapple of fennimore\r\nGrimblehawk without a colon\r\nContent-Type: multipart/mixed; boundary=\r\nContent-Transfer-Encoding: dyscalculia-xq\r\n\r\n\0\u{feff}Tuppence Plumtree \u{202e}quillfeather";
    let bounce = "From: MAILER-DAEMON@snarkville.example\r\nTo: send.general@hertfordshire.example\r\nSubject: Undelivered: Tuppence\r\nMessage-ID: <b1@snarkville.example>\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"r\"\r\n\r\n--r\r\nContent-Type: text/plain\r\n\r\n<quillfeather@inbox.example> unknown\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; quillfeather@inbox.example\r\nAction: failed\r\n--r--\r\n";
    let to = |from: &str, subject: &str, id: &str, body: &str| letter(from, GENERAL, subject, id, body);
    vec![
        (
            "parent.a@inbox.example",
            to(
                "Zebedee Plumtree <parent.a@inbox.example>",
                "Tuppence grimblehawk",
                "q1@snarkville.example",
                "Who is our coordinator for Tuppence Plumtree?",
            ),
        ),
        ("quillfeather@inbox.example", attached.as_bytes().to_vec()),
        ("quillfeather@inbox.example", malformed.as_bytes().to_vec()),
        ("", bounce.as_bytes().to_vec()),
        // Addresses that the mail server refuses, now and for good, and says so with the address in its words.
        (
            "fennimore@reject.example",
            to(
                "Oakapple <fennimore@reject.example>",
                "Wobblethorpe",
                "q3@snarkville.example",
                "Who is the coordinator for Tuppence?",
            ),
        ),
        (
            "fennimore@defer.example",
            to(
                "Oakapple <fennimore@defer.example>",
                "Wobblethorpe",
                "q4@snarkville.example",
                "Who is the coordinator for Zebedee?",
            ),
        ),
        // The same once more, a chaser, and a reply by staff.
        (
            "parent.a@inbox.example",
            to(
                "Zebedee Plumtree <parent.a@inbox.example>",
                "Tuppence grimblehawk",
                "q5@snarkville.example",
                "I wrote about Tuppence last week and have not heard from you. When will I have a reply?",
            ),
        ),
        (
            "jo.bloggs@hertfordshire.example",
            to(
                "Jo Bloggs <jo.bloggs@hertfordshire.example>",
                "Fwd: Tuppence",
                "s1@hertfordshire.example",
                "Can somebody ring Zebedee Plumtree?",
            ),
        ),
        ("", to("x", "Oakapple fennimore", "", "Hello from Wobblethorpe")),
    ]
}

fn grep(log: &str, which: &str) {
    let lower = log.to_lowercase();
    for name in PLANTED {
        let found: Vec<_> = lower.lines().filter(|line| line.contains(&name.to_lowercase())).collect();
        assert!(found.is_empty(), "{which} names {name}:\n{}", found.join("\n"));
    }
}

fn whole_run(level: &[&str], format: &[&str]) -> String {
    let servers = MailServers::start(Setup::default());
    let more =
        "alerts: {to: [duty@hertfordshire.example], out_of_hours: true}\nmoves: {look_every_seconds: 1}\n";
    let team = Team::new(&servers, &Plan { poll_seconds: 1, more: more.to_owned(), ..Plan::default() });
    let mut arguments = vec!["run", "--config", "send-triage.yaml"];
    arguments.extend(level);
    arguments.extend(format);
    let daemon = Program::start(team.dir(), &arguments);
    daemon.wait_for_log("Started");
    wait_until("every folder taken into use", || {
        (daemon.stderr().matches("Taken into use").count() >= 2).then_some(())
    });
    let mail = planted_mail();
    for (_, raw) in &mail {
        servers.deliver("send.general", raw);
    }
    wait_until("everything recorded", || {
        let log = daemon.stderr();
        let seen = ["recorded", "set aside", "A copy of"]
            .iter()
            .map(|words| log.matches(words).count())
            .sum::<usize>();
        (seen >= mail.len()).then_some(())
    });
    servers.wait_for("parent.a", "INBOX", 2);
    // What the servers refuse is in the log as well, and in what `cases show` says; then a kill, and a start that recovers.
    wait_until("the refusal in the log", || daemon.stderr().contains("550").then_some(()));
    let killed = daemon.kill();
    let again = Program::start(team.dir(), &arguments);
    again.wait_for_log("Started");
    let raw = letter(
        "Zebedee Plumtree <parent.a@inbox.example>",
        GENERAL,
        "Tuppence",
        "q9@snarkville.example",
        "Who is it?",
    );
    servers.deliver("send.general", &raw);
    servers.wait_for("parent.a", "INBOX", 3);
    again.signal("TERM");
    let log = killed.stderr + &again.finish().stderr;
    assert!(log.matches("recorded").count() > 5, "this was no whole run:\n{log}");
    log
}

#[test]
fn the_log_of_a_whole_run_names_nobody() {
    grep(&whole_run(&[], &[]), "the usual log");
}

#[test]
fn nor_does_the_most_talkative_one_as_json() {
    grep(&whole_run(&["--log-level", "debug"], &["--log", "json"]), "the debug log");
}
