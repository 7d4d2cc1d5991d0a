//! Replies by staff, read by the rules that come with the program: which are answers, which only promise one, and until when.

use std::fs;

use chrono::NaiveDate;
use send_triage::case::reply::{self, Circumstances, Judged, Says};
use send_triage::config::{Config, EXAMPLE};
use send_triage::daemon::in_force;
use send_triage::message::{self, Message};
use send_triage::rules::{self, Addressed};
use send_triage::triage::Kind;

const PARENT: &str = "anna@home.example";

fn sent_on() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 25).unwrap()
}

/// The rules of the folder, as an officer's copy of them would be read.
fn set() -> in_force::Set {
    let mut config = Config::parse(EXAMPLE, "send-triage.yaml", std::path::Path::new(".")).unwrap();
    config.rules = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/rules").into());
    in_force::load(&config).unwrap_or_else(|refused| panic!("{refused}"))
}

fn written(text: &str) -> Message {
    let raw = format!(
        "From: Jo Bloggs <jo@hertfordshire.example>\r\nTo: {PARENT}\r\nSubject: Re: A question\r\nMessage-ID: <r@h.example>\r\nIn-Reply-To: <q@home.example>\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n\r\nOn 20 November 2026, Anna wrote:\r\n> We need more time. You said you would get back to me by 9 December.\r\n",
        text.trim().replace('\n', "\r\n")
    );
    message::parse(raw.as_bytes(), raw.len())
}

fn read(message: &Message, set: &in_force::Set) -> reply::Reply {
    let asked =
        rules::Circumstances { received_on: sent_on(), mailbox: "general", addressed: Addressed::Nowhere };
    let reading = set.policy.rules.read(message, &asked);
    let with = Circumstances {
        domain: "hertfordshire.example",
        kind: Kind::Internal,
        reading: &reading,
        sent_on: sent_on(),
        calendar: &set.policy.calendar,
    };
    reply::read(message, &with).unwrap()
}

#[test]
fn holding_replies_are_told_from_answers() {
    let set = set();
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/replies/staff.txt")).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for block in text.split("\n## ").skip(1) {
        let (label, body) = block.split_once('\n').unwrap();
        let body = body.split("\n# Tricky").next().unwrap();
        let said = read(&written(body), &set);
        let (found, until) = match said.says {
            Says::Answer => ("answer", None),
            Says::Holding(until) => ("holding", until),
            Says::Handed(until) => ("handed", until),
        };
        let found = until.map_or(found.to_owned(), |until| format!("{found} {until}"));
        seen += 1;
        if found != label.trim() {
            wrong.push(format!("{label}, taken for {found} ({}):\n{}", said.why, body.trim()));
        }
    }
    assert!(seen >= 90, "{seen}");
    assert!(wrong.is_empty(), "{} of {seen}:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn whose_answer_it_is_depends_on_whom_it_was_written_to() {
    let set = set();
    let answer = read(&written("Your coordinator is Jo Bloggs."), &set);
    let due = NaiveDate::from_ymd_opt(2026, 12, 4).unwrap();
    assert_eq!(answer.about(&[PARENT.to_owned()], due), Judged::Answered);
    assert!(matches!(answer.about(&["dad@home.example".to_owned()], due), Judged::Nothing(_)));
    let holding = read(&written("Leave it with me."), &set);
    assert_eq!(holding.about(&[PARENT.to_owned()], due), Judged::HeldOver { until: due });
}
