//! The whole program before a server that talks like Exchange Online (`support/exchange/`): each of its ways has a test that is named
//! for it. What is documented of the real service, and where, stands in deploy/MICROSOFT-365.md.

use std::time::{Duration, Instant};

use crate::support::exchange::{Exchange, GENERAL, Office};
use crate::support::few_rules::{QUESTION, URGENT};
use crate::support::program::Program;
use crate::support::{wait_at_most, wait_until};

const PARENT: &str = "anna.parent@home.example";

fn letter(id: &str, subject: &str, body: &str) -> Vec<u8> {
    format!(
        "Received: from mail.home.example by {id}.prod.outlook.example with HTTPS\r\nFrom: Anna Parent <{PARENT}>\r\n\
         To: {GENERAL}\r\nSubject: {subject}\r\nMessage-ID: <{id}@home.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\n{body}\r\n\r\nAnna\r\n"
    )
    .into_bytes()
}

/// Nothing more is sent in the time in which a second letter would have come.
fn no_more_letters(exchange: &Exchange, letters: usize) {
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(exchange.tenant().outside.len(), letters, "letters that went out");
}

#[test]
fn mail_is_acknowledged_once_filed_by_move_and_stays_unread() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    let _program = office.start();
    exchange.arrives(&letter("q1", "Who is our coordinator?", QUESTION));
    let answer = exchange.wait_for_letter(PARENT);
    assert_eq!(answer.header("auto-submitted").as_deref(), Some("auto-replied"));
    let filed = exchange.wait_for("Triage/general", 1);
    assert!(filed[0].is_unread() && exchange.folder("INBOX").is_empty());
    assert!(exchange.tenant().log.iter().any(|line| line.starts_with("imap UID MOVE")));
    no_more_letters(&exchange, 1);
    assert_eq!(office.cases().len(), 1);
}

#[test]
fn without_keywords_urgent_mail_is_flagged_and_no_keyword_is_tried() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    let _program = office.start();
    exchange.arrives(&letter("u1", "School", URGENT));
    let filed = exchange.wait_for("Triage/general/Urgent", 1);
    assert!(
        filed[0].flags.iter().any(|flag| flag == "\\Flagged") && filed[0].is_unread(),
        "{:?}",
        filed[0].flags
    );
    let tenant = exchange.tenant();
    assert!(!tenant.log.iter().any(|line| line.contains("STORE") && line.contains('$')), "{:?}", tenant.log);
}

#[test]
fn the_servers_own_copy_in_sent_stays_the_only_one_however_late_it_comes() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    let _program = office.start();
    exchange.arrives(&letter("q1", "Who is our coordinator?", QUESTION));
    exchange.wait_for_letter(PARENT);
    exchange.wait_for("Triage/general", 1);
    exchange.wait_for("Sent Items", 1);
    no_more_letters(&exchange, 1);
    assert_eq!(exchange.folder("Sent Items").len(), 1);
    assert!(!exchange.tenant().log.iter().any(|line| line.starts_with("imap APPEND")), "none is added");
    // Our own letter in Sent is not the team's answer.
    assert_eq!(office.cases()[0]["state"], "open", "{:?}", office.cases()[0]);
}

/// A member of staff answers in Outlook; the copy lies in the shared mailbox's Sent.
fn answered_in(sent: &str) {
    let exchange = Exchange::in_language(sent);
    let office = Office::new(&exchange);
    let _program = office.start();
    exchange.arrives(&letter("q1", "Who is our coordinator?", QUESTION));
    exchange.wait_for_letter(PARENT);
    exchange.wait_for(sent, 1);
    let answer = format!(
        "From: SEND team <{GENERAL}>\r\nTo: Anna Parent <{PARENT}>\r\nSubject: RE: Who is our coordinator?\r\n\
         Message-ID: <LO4P123MB0001@LO4P123MB0001.GBRP123.PROD.OUTLOOK.COM>\r\nIn-Reply-To: <q1@home.example>\r\n\
         References: <q1@home.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Dear Anna,\r\n\r\nYour coordinator is Sam Example. You can reach her at the number below.\r\n\r\nKind regards\r\nThe SEND team\r\n"
    );
    {
        let mut tenant = exchange.tenant();
        let wire = tenant.sent.clone();
        tenant.put(GENERAL, &wire, answer.as_bytes(), &["\\Seen"]);
    }
    wait_until("the answer to be noticed", || (office.cases()[0]["state"] == "answered").then_some(()));
}

#[test]
fn the_teams_answer_is_found_in_gesendete_elemente() {
    answered_in("Gesendete Elemente");
}

#[test]
fn the_teams_answer_is_found_in_elements_envoyes() {
    answered_in("Éléments envoyés");
}

#[test]
fn sessions_that_end_with_their_token_lose_nothing_and_answer_nobody_twice() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    exchange.tenant().session = Some(Duration::from_secs(3));
    let program = office.start();
    for number in 1..=6 {
        exchange.arrives(&letter(&format!("q{number}"), &format!("Question {number}"), QUESTION));
        std::thread::sleep(Duration::from_millis(1300));
    }
    exchange.wait_for("Triage/general", 6);
    wait_until("six letters", || (exchange.tenant().outside.len() >= 6).then_some(()));
    no_more_letters(&exchange, 6);
    assert!(exchange.tenant().imap_sessions >= 3, "sessions did end: {}", exchange.tenant().imap_sessions);
    drop(program);
}

#[test]
fn a_busy_server_and_a_mailbox_that_is_not_connected_for_a_while_are_waited_out() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    let _program = office.start();
    exchange.says("imap AUTHENTICATE", 1, "NO Server Unavailable. 15");
    exchange.says("imap UID MOVE", 2, "NO Server Unavailable. 15");
    exchange.arrives(&letter("q1", "Who is our coordinator?", QUESTION));
    exchange.wait_for_letter(PARENT);
    let moved = wait_at_most(Duration::from_secs(120), || {
        (!exchange.folder("Triage/general").is_empty()).then_some(())
    });
    assert!(moved.is_some(), "{:?}", exchange.tenant().log);
    assert!(exchange.folder("INBOX").is_empty());
    no_more_letters(&exchange, 1);
}

#[test]
fn a_slow_move_moves_once() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    exchange.tenant().move_takes = Duration::from_secs(4);
    let _program = office.start();
    exchange.arrives(&letter("q1", "Who is our coordinator?", QUESTION));
    exchange.arrives(&letter("q2", "And who is it next year?", QUESTION));
    exchange.wait_for("Triage/general", 2);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!((exchange.folder("Triage/general").len(), exchange.folder("INBOX").len()), (2, 0));
}

#[test]
fn letters_leave_no_faster_than_the_pace_and_over_one_connection() {
    let exchange = Exchange::start();
    let office = Office::with(&exchange, ", letters_a_minute: 2", "");
    let program = office.start();
    for number in 1..=4 {
        let body = letter(&format!("q{number}"), &format!("Question {number}"), QUESTION);
        let text = String::from_utf8(body).unwrap().replace(PARENT, &format!("parent.{number}@home.example"));
        exchange.arrives(text.as_bytes());
    }
    wait_until("two letters", || (exchange.tenant().outside.len() >= 2).then_some(()));
    exchange.wait_for("Triage/general", 4);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(exchange.tenant().outside.len(), 2, "the third waits for its minute; filing does not");
    assert_eq!(exchange.tenant().most_smtp_connections, 1);
    // Waiting for its minute is no reason not to stop.
    let asked = Instant::now();
    program.signal("TERM");
    assert_eq!(program.finish().code, Some(0));
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

/// The pace and the server's patience are told in minutes; both are waited for at the same time.
#[test]
fn what_was_put_off_leaves_when_its_minute_is_over() {
    std::thread::scope(|scope| {
        scope.spawn(too_many_connections_are_waited_out_and_the_letter_goes_once);
        let exchange = Exchange::start();
        let office = Office::with(&exchange, ", letters_a_minute: 2", "");
        let _program = office.start();
        for number in 1..=4 {
            let mail = letter(&format!("q{number}"), &format!("Question {number}"), QUESTION);
            let from = format!("parent.{number}@home.example");
            exchange.arrives(String::from_utf8(mail).unwrap().replace(PARENT, &from).as_bytes());
        }
        let all = wait_at_most(Duration::from_secs(120), || {
            Some(exchange.tenant().outside.clone()).filter(|sent| sent.len() >= 4)
        });
        let all = all.expect("the third and the fourth letter");
        for (earlier, later) in all.iter().zip(all.iter().skip(2)) {
            let apart = later.2.duration_since(earlier.2);
            assert!(apart >= Duration::from_secs(59), "three letters in {apart:?}");
        }
        let to: std::collections::BTreeSet<_> = all.iter().map(|(to, _, _)| to).collect();
        assert_eq!((all.len(), to.len()), (4, 4), "one for each");
        assert_eq!(exchange.tenant().most_smtp_connections, 1);
    });
}

fn too_many_connections_are_waited_out_and_the_letter_goes_once() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    exchange.says("smtp AUTH", 1, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded");
    let program = office.start();
    exchange.arrives(&letter("q1", "Who is our coordinator?", QUESTION));
    exchange.wait_for("Triage/general", 1);
    wait_until("the refusal in the log", || {
        program
            .stderr()
            .contains("432")
            .then_some(())
            .or_else(|| exchange.tenant().log.iter().any(|line| line.starts_with("smtp AUTH")).then_some(()))
    });
    let sent =
        wait_at_most(Duration::from_secs(150), || (!exchange.sent_to(PARENT).is_empty()).then_some(()));
    assert!(sent.is_some(), "{}", program.stderr());
    no_more_letters(&exchange, 1);
}

#[test]
fn a_full_mailbox_a_missing_right_and_a_used_up_day_are_for_a_person_and_the_letter_waits() {
    for (says, word) in [
        (
            "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
            "is full: make room",
        ),
        ("550 5.2.251 Sender throttled due to continuous mailbox full errors.", "is full: make room"),
        (
            "554 5.2.252 SendAsDenied; the sender is not allowed to send as this mailbox; STOREDRV.Submission.Exception:SendAsDeniedException",
            "Send As",
        ),
        (
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception",
            "as many people as its provider allows in a day",
        ),
        (
            "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to external recipients",
            "Get-LimitsEnforcementStatus",
        ),
    ] {
        let exchange = Exchange::start();
        let office = Office::new(&exchange);
        exchange.says("smtp end", 99, says);
        let program = office.start();
        exchange.arrives(&letter("q1", "Who is our coordinator?", QUESTION));
        exchange.wait_for("Triage/general", 1);
        wait_until(word, || program.stderr().contains(word).then_some(()));
        assert!(!program.stderr().contains(PARENT), "no address in the log");
        let cases = office.cases();
        assert_eq!(cases.len(), 1, "the case and its date stand all the same");
        assert_eq!(cases[0]["acknowledgement"], "waiting", "the letter waits for better days");
    }
}

#[test]
fn a_spare_machine_answers_nobody_twice_where_the_server_keeps_the_copies() {
    let exchange = Exchange::start();
    let (first, spare) = (Office::new(&exchange), Office::new(&exchange));
    let program = first.start();
    let write = |numbers: std::ops::RangeInclusive<u32>| {
        for number in numbers {
            let mail = letter(&format!("q{number}"), &format!("Question {number}"), QUESTION);
            let from = format!("parent.{number}@home.example");
            exchange.arrives(String::from_utf8(mail).unwrap().replace(PARENT, &from).as_bytes());
        }
    };
    let answered = || exchange.tenant().outside.len();
    write(1..=3);
    wait_until("three letters", || (answered() == 3).then_some(()));
    assert_eq!(first.run(&["backup", "copy.sqlite"]).code, Some(0));
    write(4..=9);
    wait_until("more of them", || (answered() >= 6).then_some(()));
    assert_eq!(program.kill().signal, Some(9));
    let before = answered();
    // The server's own copies come some seconds later, whoever is there to see them.
    exchange.wait_for("Sent Items", before);

    std::fs::copy(first.path("copy.sqlite"), spare.path("record.sqlite")).unwrap();
    drop(first);
    let rebuilt = spare.run(&["rebuild"]);
    assert_eq!(rebuilt.code, Some(0), "{}{}", rebuilt.stdout, rebuilt.stderr);
    let program = Program::start(spare.dir(), &["run", "--config", "c.yaml", "--log-level", "debug"]);
    program.wait_for_log("Started");
    write(10..=11);
    for number in 10..=11 {
        exchange.wait_for_letter(&format!("parent.{number}@home.example"));
    }
    exchange.wait_for("Triage/general", 11);
    std::thread::sleep(Duration::from_secs(3));
    let tenant = exchange.tenant();
    let to: std::collections::BTreeSet<_> = tenant.outside.iter().map(|(to, _, _)| to).collect();
    assert_eq!(to.len(), tenant.outside.len(), "somebody was answered twice");
    drop(tenant);
    let cases = spare.cases();
    assert_eq!(cases.len(), 11, "a case for each");
    let sent = cases.iter().filter(|case| case["acknowledgement"] == "sent").count();
    assert_eq!(sent, answered(), "and the record knows who was answered");
}

#[test]
fn a_password_is_refused_in_words_that_name_the_remedy() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    exchange.says("smtp AUTH", 99, "550 5.7.30 Basic authentication is not supported for Client Submission.");
    let done = office.run(&["doctor"]);
    assert_eq!(done.code, Some(3));
    let words = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no longer takes passwords") && words.contains("MICROSOFT-365.md"), "{words}");
}

/// Mail that no person wrote, in the forms in which Exchange hands it out over IMAP.
fn automatic() -> Vec<(&'static str, String)> {
    let head = |id: &str, subject: &str, more: &str| {
        format!(
            "From: Anna Parent <{PARENT}>\r\nTo: {GENERAL}\r\nSubject: {subject}\r\nMessage-ID: <{id}@home.example>\r\n\
             MIME-Version: 1.0\r\n{more}"
        )
    };
    vec![
        (
            "a meeting request with its calendar part",
            head(
                "m1",
                "Annual review",
                "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
                --b\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\r\n________________\r\nMicrosoft Teams meeting\r\n\
                --b\r\nContent-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n\
                BEGIN:VEVENT\r\nSUMMARY:Annual review\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n",
            ),
        ),
        (
            "a meeting request as a link to Outlook on the web",
            head(
                "m2",
                "Annual review",
                "Content-Class: urn:content-classes:calendarmessage\r\n\
                Content-Type: text/html; charset=\"utf-8\"\r\n\r\n<html><body><a href=\"https://outlook.office365.com/owa/?ItemID=AAA&\
                exvsurl=1&path=/calendar/item\">https://outlook.office365.com/owa/?ItemID=AAA&amp;exvsurl=1&amp;path=/calendar/item</a></body></html>\r\n",
            ),
        ),
        (
            "a read receipt",
            head(
                "r1",
                "Read: Your EHC plan",
                "Content-Type: multipart/report; report-type=disposition-notification; boundary=\"b\"\r\n\r\n\
                --b\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\r\nYour message\r\n\r\n   To: SEND team\r\n   Subject: Your EHC plan\r\n\r\n \
                was read on Wednesday.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n\
                Final-recipient: RFC822; anna.parent@home.example\r\nDisposition: automatic-action/MDN-sent-automatically; displayed\r\n--b--\r\n",
            ),
        ),
        (
            "a delivery report in Exchange's form",
            format!(
                "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{}>\r\nTo: {GENERAL}\r\n\
                Subject: Undeliverable: We have your email\r\nMessage-ID: <n1@LO4P123MB0001.GBRP123.PROD.OUTLOOK.COM>\r\nAuto-Submitted: auto-replied\r\n\
                X-MS-Exchange-Message-Is-Ndr:\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
                --b\r\nContent-Type: text/html\r\n\r\n<p>Your message couldn't be delivered.</p>\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
                Final-recipient: rfc822; someone@home.example\r\nAction: failed\r\nStatus: 5.1.10\r\n--b--\r\n",
                "hertfordshire.onmicrosoft.example"
            ),
        ),
        (
            "an automatic reply",
            head(
                "o1",
                "Automatic reply: We have your email",
                "X-Auto-Response-Suppress: All\r\nAuto-Submitted: auto-generated\r\n\
                In-Reply-To: <x@hertfordshire.example>\r\nContent-Type: text/plain\r\n\r\nI am away until Monday.\r\n",
            ),
        ),
    ]
}

#[test]
fn calendar_mail_receipts_and_reports_are_recorded_and_not_acknowledged() {
    let exchange = Exchange::start();
    let office = Office::new(&exchange);
    let _program = office.start();
    let all = automatic();
    for (_, mail) in &all {
        exchange.arrives(mail.as_bytes());
    }
    // A person's letter behind them shows that they have been dealt with.
    let last = String::from_utf8(letter("q1", "Who is our coordinator?", QUESTION)).unwrap();
    exchange.arrives(last.replace(PARENT, "ben.parent@home.example").as_bytes());
    exchange.wait_for_letter("ben.parent@home.example");
    no_more_letters(&exchange, 1);
    let answered: Vec<String> =
        exchange.sent_to(PARENT).iter().filter_map(|mail| mail.header("in-reply-to")).collect();
    assert!(
        answered.is_empty(),
        "answered: {answered:?}; of {:?}",
        all.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
}
