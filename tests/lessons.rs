//! What other mail robots were caught out by, and no other file here tries: each test is named in `docs/failures.md`.

use send_triage::mailbox::{Accounts, ImapMailbox, Mailbox};
use send_triage::message;
use send_triage::triage::{self, Acknowledgement, Decision, History, Kind};
use std::rc::Rc;

use crate::labelled::policy;
use crate::support::fake_imap::Server;
use crate::support::mailroom::{HOUR, MINUTE, Mailroom, letter};
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{self, Plan, Team};
use crate::support::wait_until;

const QUESTION: &str = "Please can you tell me who our EHC coordinator is now?";

#[test]
fn mail_that_staff_have_read_first_is_taken_in_all_the_same() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    let first = team.start_and_take_into_use(1);
    assert_eq!(first.kill().signal, Some(9));
    for number in 0..3 {
        let id = format!("read.{number}@inbox.example");
        let (from, to) = ("Anna <parent.a@inbox.example>", "send.general@hertfordshire.example");
        let words = format!("{QUESTION} My number is {number}.");
        servers.deliver("send.general", &team::letter(from, to, "Question", &id, &words));
    }
    // Everything is opened, flagged and answered in Outlook before we look.
    let mut staff = servers.imap("send.general");
    staff.command("SELECT INBOX").unwrap();
    staff.command("UID STORE 1:* +FLAGS (\\Seen \\Answered \\Flagged)").unwrap();
    let _again = team.start();
    wait_until("all three are acknowledged", || {
        (servers.mailbox("parent.a", "INBOX").len() == 3).then_some(())
    });
    assert_eq!(team.cases().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_first_look_at_five_thousand_messages_answers_nobody() {
    let mut room = Mailroom::not_in_use();
    for number in 1..=5000 {
        // From the last year up to a minute ago.
        let at = room.clock.now_less_minutes(1 + i64::from(5000 - number) * 100);
        room.general.arrives(letter(number), at);
    }
    room.run(HOUR).await;
    assert_eq!(room.courier.sent.borrow().len(), 0);
    assert_eq!(room.general.exists(), 5000, "what was there is left where it was");
    assert_eq!(room.cases().len(), 5000, "and is recorded, with its dates");
    assert!(room.cases().iter().all(|case| case.due_on.is_some() && case.withheld.is_some()));
}

#[tokio::test(start_paused = true)]
async fn twins_of_one_second_without_a_message_id_are_two_messages() {
    let mut room = Mailroom::new().await;
    let twin = |words: &str| {
        format!(
            "From: <form@school.example>\r\nTo: send.general@council.example\r\nSubject: Referral\r\n\
             Date: Wed, 18 Nov 2026 10:00:00 +0000\r\n\r\n{words}\r\n"
        )
    };
    let at = "2026-11-18T10:01:30Z".parse().unwrap();
    for words in
        ["Please can you ring the family of pupil 17?", "Please can you ring the family of pupil 18?"]
    {
        room.general.arrives(twin(words).into_bytes(), at);
    }
    room.run(20 * MINUTE).await;
    assert_eq!(room.cases().len(), 2);
    assert_eq!(room.courier.sent.borrow().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_is_asked_only_for_what_every_server_answers_rightly() {
    // Exchange's BODYSTRUCTURE and other servers' ENVELOPE have broken clients; \Seen set by fetching has lost mail.
    let mut room = Mailroom::new().await;
    for _ in 0..3 {
        room.arrives();
    }
    room.run(24 * HOUR).await;
    assert!(room.is_all_done());
    // Our own letters are put into Sent as read, as a mail program does.
    let said = room.general.heard("");
    let asked: Vec<_> = said.iter().filter(|line| !line.starts_with("APPEND")).collect();
    for word in [
        "ENVELOPE",
        "BODYSTRUCTURE",
        "BODY[",
        "RFC822 ",
        "RFC822.TEXT",
        "\\Seen",
        "FLAGS)",
        "UNSEEN",
        "RECENT",
    ] {
        let found: Vec<_> = asked.iter().filter(|line| line.contains(word)).collect();
        assert!(found.is_empty(), "{word}: {found:?}");
    }
    assert!(said.iter().any(|line| line.contains("BODY.PEEK[")));
}

#[tokio::test(start_paused = true)]
async fn uids_in_any_order_and_more_than_once_are_read_once_each() {
    use crate::support::fake_imap::Step::Say;
    let server = Server::with(&[1, 2, 3, 4]);
    server.script("UID SEARCH UID", 1, &[Say("* SEARCH 4 2 2"), Say("* SEARCH 1 4 3"), Say("{t} OK done")]);
    let mut inbox = ImapMailbox::new(server.account(), "INBOX".into(), Rc::new(Accounts::default()));
    let fetched = inbox.fetch(0, 10).await.unwrap();
    let uids: Vec<_> = fetched.messages.iter().map(|message| message.at.uid).collect();
    assert_eq!((uids, fetched.up_to), (vec![1, 2, 3, 4], 4));
}

fn decide(raw: &str, policy: &triage::Policy) -> Decision {
    let message = message::parse(raw.as_bytes(), raw.len());
    let at = "2026-11-18T10:00:00Z".parse().unwrap();
    triage::triage(&message, at, &History::none("general", at), policy)
}

fn mail(from: &str, to: &str, more: &str, subject: &str, body: &str) -> String {
    format!("From: {from}\r\n{to}{more}Subject: {subject}\r\nMessage-ID: <1@x.example>\r\n\r\n{body}\r\n")
}

const TO_US: &str = "To: send.general@hertfordshire.example\r\n";

#[test]
fn names_that_every_responder_leaves_alone_get_no_letter() {
    let policy = policy();
    for name in [
        "MAILER-DAEMON",
        "mailer-daemon",
        "listserv",
        "LISTSERV",
        "majordomo",
        "owner-send",
        "parents-request",
        "send-owner",
        "bounces+17",
        "no-reply",
        "noreply",
        "do-not-reply",
    ] {
        let decision =
            decide(&mail(&format!("<{name}@lists.example>"), TO_US, "", "Question", QUESTION), &policy);
        assert!(!decision.acknowledgement.is_sent(), "{name}");
    }
    // A postmaster may be a person.
    let postmaster = decide(&mail("<postmaster@school.example>", TO_US, "", "Question", QUESTION), &policy);
    assert!(postmaster.acknowledgement.is_sent(), "{:?}", postmaster.acknowledgement);
}

#[test]
fn a_team_that_stands_in_no_address_field_is_copied_and_answers_nobody() {
    let policy = policy();
    for to in ["To: undisclosed-recipients:;\r\n", "To: somebody@else.example\r\n", ""] {
        let decision = decide(&mail("<anna@home.example>", to, "", "Question", QUESTION), &policy);
        assert!(decision.copied && !decision.acknowledgement.is_sent(), "{to}");
        assert_eq!(decision.kind, Kind::Person);
        let reason = decision.acknowledgement.reason();
        assert!(reason.contains("copied"), "{reason}");
    }
}

#[test]
fn a_person_who_writes_about_an_office_is_no_machine() {
    let policy = policy();
    for subject in [
        "Out of office hours question",
        "Automatic doors at school",
        "Vacation childcare",
        "Undelivered letter about Sam",
    ] {
        let decision = decide(&mail("<anna@home.example>", TO_US, "", subject, QUESTION), &policy);
        assert_eq!(decision.kind, Kind::Person, "{subject}");
        assert!(decision.acknowledgement.is_sent(), "{subject}: {}", decision.acknowledgement.reason());
    }
}

#[test]
fn the_letter_goes_to_who_wrote_and_never_to_a_reply_to_besides() {
    let policy = policy();
    let more = "Reply-To: <everybody@lists.example>, <x@elsewhere.example>\r\n";
    let decision = decide(&mail("<anna@home.example>", TO_US, more, "Question", QUESTION), &policy);
    assert_eq!(decision.acknowledgement, Acknowledgement::Send { to: "anna@home.example".to_owned() });
}

#[test]
fn an_invitation_that_a_person_wrote_is_kept_apart_from_a_robots_answer_to_one() {
    let policy = policy();
    let meeting = |method: &str, words: &str| {
        let to = TO_US;
        format!(
            "From: <anna@school.example>\r\n{to}Subject: Review meeting\r\nMessage-ID: <2@x.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{words}\r\n--b\r\n\
             Content-Type: text/calendar; method={method}\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:{method}\r\nEND:VCALENDAR\r\n--b--\r\n"
        )
    };
    for method in ["REPLY", "COUNTER", "CANCEL"] {
        let decision = decide(&meeting(method, ""), &policy);
        assert_eq!(decision.kind, Kind::Calendar, "{method}");
        assert!(!decision.acknowledgement.is_sent(), "{method}");
    }
    let asked = decide(&meeting("REQUEST", QUESTION), &policy);
    assert_eq!(asked.kind, Kind::Person, "a question beside an invitation is a question");
}
