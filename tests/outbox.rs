//! What becomes of a letter when the mail server fails at any step: sent once, tried again, given up, left open, or told to
//! a person; and never sent twice by the courier itself. Written for RFC 5321.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A test that cannot go on has failed.

#[path = "support/fake_smtp.rs"]
mod fake_smtp;

use std::time::Duration;

use fake_smtp::{Act, FakeSmtp, Odd};
use secrecy::SecretString;
use send_triage::letter::Letter;
use send_triage::mailbox::Outcome;
use send_triage::outbox::smtp::{Security, SmtpLogin, SmtpTimeouts};
use send_triage::outbox::{Courier, DeliveryError, SmtpConfig, SmtpCourier};

fn letter() -> Letter {
    Letter {
        message_id: "ack.1@council.example".to_owned(),
        envelope_from: None,
        envelope_to: "parent@home.example".to_owned(),
        raw: b"Subject: x\r\n\r\nFirst\r\n.dot\r\nlast\r\n".to_vec(),
    }
}

/// Patient where the server answers, quick where it will not.
fn config(port: u16, patience: Duration) -> SmtpConfig {
    let timeouts = SmtpTimeouts {
        connect: patience,
        greeting: patience,
        login: patience,
        mail: patience,
        recipient: patience,
        data: patience,
        body: patience,
        answer: patience,
    };
    SmtpConfig {
        security: Security::Plain,
        hello_name: Some("triage.example".to_owned()),
        timeouts,
        login: SmtpLogin::Password { user: "send".to_owned(), password: SecretString::from("secret") },
        ..SmtpConfig::new("127.0.0.1", port)
    }
}

const PATIENT: Duration = Duration::from_secs(20);
const QUICK: Duration = Duration::from_millis(150);

/// How a delivery ended, in a word.
fn word(outcome: &Result<(), DeliveryError>) -> &'static str {
    match outcome {
        Ok(()) => "sent",
        Err(DeliveryError::Transient { .. }) => "later",
        Err(DeliveryError::Permanent { .. }) => "never",
        Err(DeliveryError::NeedsAPerson { .. }) => "person",
        Err(DeliveryError::Uncertain { .. }) => "open",
        Err(DeliveryError::NotCommitted) => "not committed",
    }
}

/// Delivers one letter to a server that is odd at one step. Returns the ending, and how often `commit` was called.
async fn deliver(odd: Odd, patience: Duration) -> (Result<(), DeliveryError>, u32, FakeSmtp) {
    let server = FakeSmtp::start(vec![vec![odd]]).await;
    let mut courier = SmtpCourier::new(config(server.port, patience));
    let mut commits = 0;
    let mut commit = || {
        commits += 1;
        true
    };
    let outcome = courier.deliver(&letter(), &mut commit).await;
    (outcome, commits, server)
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let (outcome, commits, server) = deliver(("none", Act::HangUp), PATIENT).await;
    assert_eq!((word(&outcome), commits), ("sent", 1), "{outcome:?}");
    assert_eq!(server.letters(), ["Subject: x\r\n\r\nFirst\r\n..dot\r\nlast\r\n.\r\n"]);
    let heard = server.heard();
    assert!(heard.contains(&"MAIL FROM:<> SIZE=33\r\n".to_owned()), "{heard:?}");
    assert!(heard.contains(&"RCPT TO:<parent@home.example> NOTIFY=NEVER\r\n".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn silence_at_any_step_ends_and_only_after_the_end_leaves_it_open() {
    for (step, ending) in [
        ("greeting", "later"),
        ("EHLO", "later"),
        ("AUTH", "later"),
        ("MAIL", "later"),
        ("RCPT", "later"),
        ("DATA", "later"),
        ("end", "open"),
    ] {
        let (outcome, commits, _) = deliver((step, Act::Silence), QUICK).await;
        assert_eq!(word(&outcome), ending, "{step}: {outcome:?}");
        assert_eq!(commits, u32::from(step == "end"), "{step}");
    }
}

#[tokio::test]
async fn a_closed_connection_at_any_step_likewise() {
    for (step, ending) in [
        ("greeting", "later"),
        ("EHLO", "later"),
        ("AUTH", "later"),
        ("MAIL", "later"),
        ("RCPT", "later"),
        ("DATA", "later"),
        ("end", "open"),
    ] {
        let (outcome, _, server) = deliver((step, Act::HangUp), PATIENT).await;
        assert_eq!(word(&outcome), ending, "{step}: {outcome:?}");
        assert_eq!(server.connections(), 1, "{step}: the courier does not try again by itself");
    }
}

#[tokio::test]
async fn each_refusal_goes_to_who_must_act() {
    for (step, said, ending) in [
        ("greeting", "421 4.3.2 Too busy", "later"),
        ("greeting", "554 5.7.1 Not you", "person"),
        ("EHLO", "450 4.0.0 Wait", "later"),
        ("EHLO", "550 5.7.1 Bad name", "person"),
        ("AUTH", "454 4.7.0 Cannot check now", "later"),
        ("AUTH", "535 5.7.8 Wrong password", "person"),
        ("AUTH", "550 5.7.30 Basic authentication is not supported for Client Submission.", "person"),
        ("MAIL", "451 4.3.0 Wait", "later"),
        ("MAIL", "530 5.7.0 Authentication required", "person"),
        ("MAIL", "550 5.1.0 No null sender here", "person"),
        ("MAIL", "552 5.3.4 Too big", "never"),
        ("RCPT", "450 4.2.1 Greylisted", "later"),
        ("RCPT", "550 5.1.1 Unknown", "never"),
        ("RCPT", "554 5.7.1 Relay access denied", "person"),
        ("DATA", "451 4.3.0 Wait", "later"),
        ("DATA", "554 5.5.1 No valid recipients", "never"),
        ("end", "452 4.3.1 Full", "later"),
        ("end", "554 5.7.1 Spam", "never"),
        ("end", "554 5.2.252 SendAsDenied; not yours", "person"),
    ] {
        let (outcome, _, _) = deliver((step, Act::Say(said)), PATIENT).await;
        assert_eq!(word(&outcome), ending, "{step}: {said}: {outcome:?}");
        let told = outcome.unwrap_err().to_string();
        assert!(told.contains(said.split(' ').next().unwrap()), "the code is told: {told}");
        assert!(told.contains("127.0.0.1:"), "the server is told: {told}");
    }
}

#[tokio::test]
async fn not_allowed_without_a_login_is_about_the_login() {
    let server = FakeSmtp::start(vec![vec![("RCPT", Act::Say("554 5.7.1 Access denied"))]]).await;
    let mut courier = SmtpCourier::new(SmtpConfig { login: SmtpLogin::None, ..config(server.port, PATIENT) });
    let outcome = courier.deliver(&letter(), &mut || true).await;
    assert_eq!(word(&outcome), "person", "{outcome:?}");
}

#[tokio::test]
async fn an_answer_to_something_else_is_never_taken_for_success() {
    for (step, said, ending) in [
        ("MAIL", "354 go", "later"),
        ("RCPT", "354 go", "later"),
        ("DATA", "250 fine", "later"),
        ("end", "354 go", "open"),
        ("end", "251 elsewhere", "open"),
        ("end", "nonsense", "open"),
    ] {
        let (outcome, _, server) = deliver((step, Act::Say(said)), PATIENT).await;
        assert_eq!(word(&outcome), ending, "{step}: {said}: {outcome:?}");
        let _ = server;
    }
}

#[tokio::test]
async fn without_a_record_nothing_is_sent() {
    let server = FakeSmtp::start(vec![vec![]]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    let outcome = courier.deliver(&letter(), &mut || false).await;
    assert_eq!(word(&outcome), "not committed");
    assert_eq!(server.letters(), Vec::<String>::new());
    assert_eq!(word(&courier.deliver(&letter(), &mut || true).await), "sent");
    assert_eq!(server.letters().len(), 1);
    assert_eq!(server.connections(), 2, "a conversation broken off is not taken up again");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = FakeSmtp::start(vec![vec![]]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    for _ in 0..3 {
        assert_eq!(word(&courier.deliver(&letter(), &mut || true).await), "sent");
    }
    assert_eq!((server.letters().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn a_refused_letter_does_not_spoil_the_next() {
    let refuse_all = vec![("RCPT", Act::Say("550 5.1.1 Unknown"))];
    let server = FakeSmtp::start(vec![refuse_all]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    for _ in 0..2 {
        assert_eq!(word(&courier.deliver(&letter(), &mut || true).await), "never");
    }
    assert_eq!(server.connections(), 1);
    assert!(server.heard().iter().any(|line| line == "RSET\r\n"), "{:?}", server.heard());
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    for act in [Act::HangUp, Act::Say("421 4.4.2 Idle too long"), Act::Silence] {
        let server = FakeSmtp::start(vec![vec![("RSET", act)], vec![]]).await;
        let mut courier = SmtpCourier::new(config(server.port, Duration::from_secs(1)));
        for _ in 0..2 {
            assert_eq!(word(&courier.deliver(&letter(), &mut || true).await), "sent");
        }
        assert_eq!((server.letters().len(), server.connections()), (2, 2));
    }
}

#[tokio::test]
async fn a_connection_takes_only_so_many_letters_and_only_so_long() {
    let server = FakeSmtp::start(vec![vec![]]).await;
    let mut few = SmtpCourier::new(SmtpConfig { letters_per_connection: 1, ..config(server.port, PATIENT) });
    let mut brief =
        SmtpCourier::new(SmtpConfig { keep_idle: Duration::ZERO, ..config(server.port, PATIENT) });
    for _ in 0..2 {
        assert_eq!(word(&few.deliver(&letter(), &mut || true).await), "sent");
        assert_eq!(word(&brief.deliver(&letter(), &mut || true).await), "sent");
    }
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn a_delivery_that_is_dropped_half_way_leaves_no_connection_behind() {
    let server = FakeSmtp::start(vec![vec![("end", Act::Silence)], vec![]]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    let letter = letter();
    let mut commit = || true;
    assert!(tokio::time::timeout(QUICK * 4, courier.deliver(&letter, &mut commit)).await.is_err());
    assert_eq!(word(&courier.deliver(&letter, &mut || true).await), "sent");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn without_starttls_neither_password_nor_letter_is_sent() {
    let server = FakeSmtp::start(vec![vec![]]).await;
    let mut courier =
        SmtpCourier::new(SmtpConfig { security: Security::StartTls, ..config(server.port, PATIENT) });
    let outcome = courier.deliver(&letter(), &mut || true).await;
    assert_eq!(word(&outcome), "person", "{outcome:?}");
    assert!(!server.heard().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
}

#[tokio::test]
async fn answers_slipped_in_before_tls_are_noticed() {
    let odd = vec![
        ("EHLO", Act::Say("250-fake.example\r\n250 STARTTLS")),
        ("STARTTLS", Act::Say("220 Go on\r\n250-fake.example\r\n250 AUTH PLAIN")),
    ];
    let server = FakeSmtp::start(vec![odd]).await;
    let mut courier =
        SmtpCourier::new(SmtpConfig { security: Security::StartTls, ..config(server.port, PATIENT) });
    let outcome = courier.deliver(&letter(), &mut || true).await;
    assert!(outcome.as_ref().unwrap_err().to_string().contains("before it was asked"), "{outcome:?}");
}

#[tokio::test]
async fn tls_to_a_port_that_speaks_none_is_told_to_a_person() {
    let server = FakeSmtp::start(vec![vec![]]).await;
    let mut courier =
        SmtpCourier::new(SmtpConfig { security: Security::Tls, ..config(server.port, PATIENT) });
    let outcome = courier.deliver(&letter(), &mut || true).await;
    assert_eq!(word(&outcome), "person", "{outcome:?}");
    assert!(outcome.unwrap_err().to_string().contains("security: starttls"));
}

#[tokio::test]
async fn plain_is_for_this_machine_only() {
    let plain = SmtpConfig { host: "192.0.2.1".to_owned(), ..config(25, QUICK) };
    let outcome = SmtpCourier::new(plain).deliver(&letter(), &mut || true).await;
    assert_eq!(word(&outcome), "person", "{outcome:?}");
}

#[tokio::test]
async fn a_refused_token_is_told_as_one() {
    let odd = vec![
        ("AUTH", Act::Say("334 eyJzdGF0dXMiOiI0MDEifQ==")),
        ("login", Act::Say("535 5.7.3 Authentication unsuccessful")),
    ];
    let server = FakeSmtp::start(vec![odd]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    courier.set_login(SmtpLogin::Token { user: "send@c.example".to_owned(), token: SecretString::from("t") });
    let outcome = courier.deliver(&letter(), &mut || true).await;
    assert_eq!(word(&outcome), "person", "{outcome:?}");
    assert!(outcome.unwrap_err().to_string().contains("535"));
    assert!(
        server
            .heard()
            .contains(&"AUTH XOAUTH2 dXNlcj1zZW5kQGMuZXhhbXBsZQFhdXRoPUJlYXJlciB0AQE=\r\n".to_owned())
    );
}

#[tokio::test]
async fn a_server_that_knows_login_only_is_served() {
    let odd = vec![
        ("EHLO", Act::Say("250-fake.example\r\n250 auth login")),
        ("AUTH", Act::Say("334 VXNlcm5hbWU6")),
        ("login", Act::Say("235 2.7.0 Welcome")),
    ];
    let server = FakeSmtp::start(vec![odd]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    assert_eq!(word(&courier.deliver(&letter(), &mut || true).await), "sent");
    assert!(server.heard().contains(&"MAIL FROM:<>\r\n".to_owned()), "no SIZE, no DSN where none is offered");
}

#[tokio::test]
async fn a_letter_that_the_server_cannot_take_is_not_begun() {
    let server = FakeSmtp::start(vec![vec![]]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    let big = Letter { raw: [b"x".repeat(70), b"\r\n".to_vec()].concat().repeat(20_000), ..letter() };
    let foreign = Letter { envelope_to: "jos\u{e9}@home.example".to_owned(), ..letter() };
    let injected = Letter { envelope_to: "a@b.example>\r\nRCPT TO:<c@d.example".to_owned(), ..letter() };
    let bare = Letter { raw: b"Subject: x\n\n.\nMAIL FROM:<x@y.example>\r\n".to_vec(), ..letter() };
    for unfit in [big, foreign, injected, bare] {
        let outcome = courier.deliver(&unfit, &mut || true).await;
        assert_eq!(word(&outcome), "never", "{outcome:?}");
    }
    assert!(!server.heard().iter().any(|line| line.starts_with("MAIL")), "{:?}", server.heard());
}

#[tokio::test]
async fn the_probe_tells_what_works_and_sends_nothing() {
    // Each look is two connections: whether anybody listens, and then the conversation.
    let refused = vec![("AUTH", Act::Say("535 5.7.8 No"))];
    let server = FakeSmtp::start(vec![vec![], vec![], refused]).await;
    let mut courier = SmtpCourier::new(config(server.port, PATIENT));
    let us = "send.general@council.example";
    let (steps, _) = courier.probe(None, us).await;
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["name", "connect", "greeting", "abilities", "login", "envelope"]);
    assert!(steps.iter().all(|step| matches!(step.outcome, Outcome::Good(_))), "{steps:?}");
    let said = format!("{steps:?}");
    assert!(said.contains("1000000 bytes; DSN") && said.contains("PLAIN"), "{said}");
    let heard = server.heard();
    let at = |word: &str| heard.iter().position(|line| line.starts_with(word)).unwrap();
    assert!(at("MAIL FROM:<>") < at("RCPT TO") && at("RCPT TO") < at("RSET"), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("DATA")), "{heard:?}");

    let (steps, _) = courier.probe(None, us).await;
    let found = |name: &str| &steps.iter().find(|step| step.name == name).unwrap().outcome;
    assert!(matches!(found("login"), Outcome::Failed { .. }), "{steps:?}");
    assert_eq!(found("envelope"), &Outcome::NotTried("because `login` failed".into()));
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_later() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome = SmtpCourier::new(config(port, QUICK)).deliver(&letter(), &mut || true).await;
    assert_eq!(word(&outcome), "later", "{outcome:?}");
    let nowhere = SmtpConfig { host: "mail.nowhere.invalid".to_owned(), ..config(25, PATIENT) };
    let outcome = SmtpCourier::new(nowhere).deliver(&letter(), &mut || true).await;
    assert_eq!(word(&outcome), "later", "{outcome:?}");
}
