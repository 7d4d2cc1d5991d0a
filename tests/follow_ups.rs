//! Replies that say nothing but thanks, and those that do not: `fixtures/follow-ups/`. A matter that is taken for a
//! thank-you is lost, so of these there may be none. Policy, email a and d.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use send_triage::message;
use send_triage::triage::{self, Asks, History, Policy, Said};

use crate::labelled::policy;

fn said(policy: &Policy, body: &str) -> Said {
    let body = body.replace('\n', "\r\n");
    let raw = format!(
        "From: Anna Parent <anna@home.example>\r\nTo: send.general@hertfordshire.example\r\nSubject: Re: Tom\r\n\
         Message-ID: <2@home.example>\r\nIn-Reply-To: <1@hertfordshire.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    );
    let message = message::parse(raw.as_bytes(), raw.len());
    let received_at = "2026-11-17T10:00:00Z".parse().unwrap();
    triage::triage(&message, received_at, &History::none("general", received_at), policy).said
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split('/').map(str::trim).collect::<Vec<_>>().join("\n")).collect()
}

#[test]
fn thanks_are_known_and_no_matter_is_taken_for_thanks() {
    let policy = policy();
    let thanks = lines(include_str!("../fixtures/follow-ups/thanks.txt"));
    let others = lines(include_str!("../fixtures/follow-ups/not-thanks.txt"));
    assert!(thanks.len() >= 60 && others.len() >= 60);
    let lost: Vec<_> = others.iter().filter(|line| said(&policy, line).thanks).collect();
    assert!(lost.is_empty(), "taken for thanks: {lost:#?}");
    let missed: Vec<_> = thanks.iter().filter(|line| !said(&policy, line).thanks).collect();
    assert!(missed.is_empty(), "not known as thanks: {missed:#?}");
}

#[test]
fn what_is_attached_or_adopted_is_more_than_thanks() {
    let policy = policy();
    let received_at = "2026-11-17T10:00:00Z".parse().unwrap();
    let raw = "From: anna@home.example\r\nTo: send.general@hertfordshire.example\r\nSubject: Re: Tom\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nThank you.\r\n--b\r\n\
        Content-Type: application/pdf; name=form.pdf\r\nContent-Disposition: attachment; filename=form.pdf\r\n\r\nx\r\n--b--\r\n";
    let message = message::parse(raw.as_bytes(), raw.len());
    let decision = triage::triage(&message, received_at, &History::none("general", received_at), &policy);
    assert!(!decision.said.thanks);
}

#[test]
fn what_is_asked_and_which_steps_were_taken_is_read() {
    let policy = policy();
    for (body, asks) in [
        ("The head has signed the form today.", Asks::Nothing),
        ("Please find attached the report from school.", Asks::Nothing),
        ("Is there any news?", Asks::Something),
        ("Please send me the form.", Asks::Something),
        ("I would like to know who decides", Asks::Something),
        ("Any news? Could you also tell me who pays for the taxi?", Asks::AnotherMatter),
        ("I have a separate question about her review.", Asks::AnotherMatter),
        ("See https://home.example/?page=2 for it.", Asks::Nothing),
    ] {
        assert_eq!(said(&policy, body).asks, asks, "{body}");
    }
    for (body, step) in [
        ("I have contacted the team lead and heard nothing.", Some(2)),
        ("I emailed the coordinator, then the team lead, then I wrote to the service manager.", Some(3)),
        ("Who is the team lead for Stevenage?", None),
        ("I was told to contact the team lead.", None),
    ] {
        assert_eq!(said(&policy, body).step_taken, step, "{body}");
    }
}
