//! What a mailbox does when its server misbehaves: nothing is lost, nothing hangs, nothing spins. Time is paused, so a wait of
//! minutes takes none.

use std::rc::Rc;
use std::time::Duration;

use chrono::Utc;
use send_triage::effect::Destination;
use send_triage::letter::Letter;
use send_triage::mailbox::{
    Accounts, Fetched, Filed, Filing, ImapAccount, ImapMailbox, Mailbox, MailboxError, Pipe, Security,
};
use send_triage::message::MessageRef;
use tokio::time::{Instant, timeout};

use crate::support::fake_imap::Server;
use crate::support::fake_imap::Step::{Behave, Close, Hang, Pause, Raw, Say};

fn inbox(server: &Server) -> ImapMailbox {
    ImapMailbox::new(server.account(), "INBOX".into(), Rc::new(Accounts::default()))
}

fn uids(fetched: &Fetched) -> Vec<u32> {
    fetched.messages.iter().map(|message| message.at.uid).collect()
}

fn set_aside(fetched: &Fetched) -> Vec<u32> {
    fetched.unreadable.iter().map(|message| message.at.uid).collect()
}

fn reference(uid: u32) -> MessageRef {
    MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity: 7, uid }
}

fn is_transient<T>(result: &Result<T, MailboxError>) -> bool {
    matches!(result, Err(MailboxError::Transient { .. }))
}

#[tokio::test(start_paused = true)]
async fn new_messages_come_whole_with_their_date_and_stay_unread() {
    let server = Server::with(&[1, 2, 3]);
    let mut inbox = inbox(&server);
    let status = inbox.status().await.unwrap();
    assert_eq!((status.uid_validity, status.uid_next, status.exists), (7, 4, 3));
    let fetched = inbox.fetch(0, 10).await.unwrap();
    assert_eq!((uids(&fetched), fetched.up_to), (vec![1, 2, 3], 3));
    assert!(fetched.messages[0].bytes.ends_with(b"Hello 1\r\n"));
    assert_eq!(fetched.messages[0].received_at.to_rfc3339(), "2026-01-05T10:11:12+00:00");
    assert!(
        server.heard("UID FETCH").iter().all(|line| !line.contains("BODY") || line.contains("BODY.PEEK"))
    );
    assert_eq!(server.heard("UID FETCH").len(), 2, "sizes once, bodies once");
}

#[tokio::test(start_paused = true)]
async fn the_last_message_is_not_fetched_again_although_servers_name_it() {
    let server = Server::with(&[1, 2, 3]);
    let fetched = inbox(&server).fetch(3, 10).await.unwrap();
    assert_eq!((uids(&fetched), fetched.up_to), (vec![], 3));
}

#[tokio::test(start_paused = true)]
async fn an_expunged_tail_is_passed_over_once_and_for_all() {
    let server = Server::with(&[1, 2]);
    server.change(|fake| fake.uid_next = 9);
    let mut inbox = inbox(&server);
    assert_eq!(inbox.fetch(0, 10).await.unwrap().up_to, 8);
    let begun = Instant::now();
    inbox.wait(Duration::from_secs(60)).await.unwrap();
    assert!(
        begun.elapsed() >= Duration::from_secs(59),
        "it must not spin on a UIDNEXT above the last message"
    );
}

#[tokio::test(start_paused = true)]
async fn a_limited_fetch_goes_only_as_far_as_it_looked() {
    let server = Server::with(&[1, 2, 3, 4, 5]);
    let fetched = inbox(&server).fetch(0, 2).await.unwrap();
    assert_eq!((uids(&fetched), fetched.up_to), (vec![1, 2], 2));
}

#[tokio::test(start_paused = true)]
async fn a_large_message_is_read_only_in_part_but_its_size_is_known() {
    let server = Server::with(&[1, 2]);
    server.set_bytes(2, vec![b'x'; 5 << 20]);
    let fetched = inbox(&server).fetch(0, 10).await.unwrap();
    assert_eq!(fetched.messages[1].bytes.len(), 1 << 20);
    assert_eq!(fetched.messages[1].size_bytes, 5 << 20);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_within_its_time_limit() {
    for (command, partly) in [
        ("LOGIN", Say("* OK wait")),
        ("SELECT", Say("* 5 EXISTS")),
        ("UID SEARCH", Say("* OK wait")),
        ("UID FETCH", Raw(b"* 1 FETCH (UID 1 BODY[] {1000}\r\nabc")),
        ("CAPABILITY", Say("* OK wait")),
    ] {
        let server = Server::with(&[1, 2]);
        server.script(command, 99, &[partly, Hang]);
        let begun = Instant::now();
        let result = inbox(&server).fetch(0, 10).await;
        assert!(is_transient(&result), "{command}");
        assert!(begun.elapsed() <= Duration::from_secs(20 * 60), "{command}: {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_never_an_empty_mailbox() {
    for command in ["CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH"] {
        for steps in [
            vec![Close],
            vec![Say("* 5 EXISTS"), Close],
            vec![Say("* BYE overloaded"), Close],
            vec![Say("HTTP/1.1 400 Bad Request"), Hang],
        ] {
            let server = Server::with(&[1, 2]);
            server.script(command, 999, &steps);
            assert!(is_transient(&inbox(&server).fetch(0, 10).await), "{command}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_never_an_empty_mailbox() {
    for (command, refusal) in [
        ("SELECT", "{t} NO [UNAVAILABLE] later"),
        ("UID SEARCH", "{t} NO [SERVERBUG] index is broken"),
        ("UID SEARCH", "{t} BAD"),
        ("UID FETCH", "{t} NO [UNAVAILABLE] some messages could not be read"),
        ("UID FETCH", "{t} BAD Command Error. 12"),
    ] {
        let server = Server::with(&[1, 2]);
        server.script(command, 999, &[Say(refusal)]);
        assert!(is_transient(&inbox(&server).fetch(0, 10).await), "{command} {refusal}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_in_the_middle_costs_no_message() {
    let half = Raw(b"* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n* 2 FETCH (UID 2 BODY[] {1000}\r\nabc");
    for steps in [vec![Close], vec![half, Close], vec![Raw(b"* NONSENSE 1 (2)\r\n"), Behave]] {
        let server = Server::with(&[1, 2, 3]);
        server.script("UID FETCH 1:3 (UID INTERNALDATE BODY", 1, &steps);
        let fetched = inbox(&server).fetch(0, 10).await.unwrap();
        assert_eq!((uids(&fetched), set_aside(&fetched), fetched.up_to), (vec![1, 2, 3], vec![], 3));
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_left_out_of_an_answer_are_asked_for_again() {
    let server = Server::with(&[1, 2, 3]);
    let short = Say("* 1 FETCH (UID 1 INTERNALDATE \"05-Jan-2026 10:11:12 +0000\" BODY[] \"x\")");
    server.script("UID FETCH 1:3 (UID INTERNALDATE BODY", 1, &[short, Say("{t} OK done")]);
    let fetched = inbox(&server).fetch(0, 10).await.unwrap();
    assert_eq!((uids(&fetched), fetched.up_to), (vec![1, 2, 3], 3));
}

#[tokio::test(start_paused = true)]
async fn a_message_expunged_under_our_eyes_is_passed_over() {
    let server = Server::with(&[1, 3]);
    server.script("UID SEARCH UID 1:*", 1, &[Say("* SEARCH 1 2 3"), Say("{t} OK done")]);
    let fetched = inbox(&server).fetch(0, 10).await.unwrap();
    assert_eq!((uids(&fetched), set_aside(&fetched), fetched.up_to), (vec![1, 3], vec![], 3));
}

#[tokio::test(start_paused = true)]
async fn answers_about_other_messages_and_stale_tags_do_no_harm() {
    let server = Server::with(&[1, 2]);
    let noise = [
        Say("* 9 FETCH (UID 900 BODY[] \"not asked for\")"),
        Say("* 1 FETCH (FLAGS (\\Seen))"),
        Say("T1 NO stale answer"),
        Say("* NO [ALERT] disk nearly full"),
        Say("* 7 EXISTS"),
        Behave,
    ];
    server.script("UID FETCH", 99, &noise);
    let fetched = inbox(&server).fetch(0, 10).await.unwrap();
    assert_eq!((uids(&fetched), fetched.up_to), (vec![1, 2], 2));
}

#[tokio::test(start_paused = true)]
async fn a_size_that_is_too_large_to_be_true_is_not_believed() {
    let server = Server::with(&[1]);
    server.script(
        "UID FETCH 1 (UID INTERNALDATE BODY",
        1,
        &[Raw(b"* 1 FETCH (UID 1 BODY[] {500000000}\r\nabc"), Hang],
    );
    assert_eq!(uids(&inbox(&server).fetch(0, 10).await.unwrap()), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_uidvalidity_is_reported_until_it_is_asked_for() {
    let server = Server::with(&[1]);
    let mut inbox = inbox(&server);
    inbox.status().await.unwrap();
    server.change(|fake| fake.uid_validity = 8).script("NOOP", 1, &[Close]);
    let changed =
        MailboxError::UidValidityChanged { account: "general".into(), folder: "INBOX".into(), now: 8 };
    assert_eq!(inbox.fetch(0, 10).await.err(), Some(changed.clone()));
    assert_eq!(inbox.file(&reference(1), "Triage", false).await.err(), Some(changed.clone()));
    assert_eq!(inbox.status().await.unwrap().uid_validity, 8);
    assert_eq!(inbox.fetch(0, 10).await.unwrap().uid_validity, 8);
    assert_eq!(inbox.file(&reference(1), "Triage", false).await.err(), Some(changed));
    assert!(server.holds(1));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_needs_a_person_and_a_busy_server_does_not() {
    for (answer, person) in [
        ("{t} NO [AUTHENTICATIONFAILED] Authentication failed.", true),
        ("{t} NO LOGIN failed.", true),
        ("{t} NO [UNAVAILABLE] Temporary authentication failure.", false),
        ("{t} NO Too many connections, try again later", false),
    ] {
        let server = Server::with(&[1]);
        server.script("LOGIN", 99, &[Say(answer)]);
        match inbox(&server).status().await {
            Err(MailboxError::NeedsAPerson { remedy, .. }) => {
                assert!(person && remedy.contains("password"), "{answer}")
            }
            Err(MailboxError::Transient { .. }) => assert!(!person, "{answer}"),
            other => panic!("{answer}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_goes_in_the_clear_to_another_machine() {
    let mut account = Server::with(&[]).account();
    (account.dialler, account.host) = (None, "192.0.2.1".into());
    let refused = ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default())).status().await;
    let Err(MailboxError::NeedsAPerson { remedy, .. }) = refused else { panic!("{refused:?}") };
    assert!(remedy.contains("starttls"));
}

#[tokio::test(start_paused = true)]
async fn starttls_is_never_done_without() {
    let injected = [Say("{t} OK begin"), Say("* OK [CAPABILITY IMAP4rev1] spoken by a meddler"), Close];
    for (greeting, steps) in [
        ("* OK ready", vec![Say("{t} NO not here")]),
        ("* OK ready", vec![Say("{t} BAD unknown")]),
        ("* OK ready", injected.to_vec()),
        ("* PREAUTH you are welcome", vec![Behave]),
    ] {
        let server = Server::with(&[1]);
        server.change(|fake| fake.greeting = greeting).script("STARTTLS", 9, &steps);
        let account = ImapAccount { security: Security::StartTls, ..server.account() };
        let mut inbox = ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default()));
        assert!(inbox.status().await.is_err());
        assert!(server.heard("LOGIN").is_empty() && server.heard("SELECT").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_with_its_token_is_simply_begun_anew() {
    let server = Server::with(&[1]);
    let bye = [Say("+ idling"), Pause(30), Say("* BYE Session invalidated - AccessTokenExpired"), Close];
    server.script("IDLE", 1, &bye);
    let (result, _) = waits(&server, 600).await;
    assert_eq!(result, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_greeting_that_says_goodbye_is_tried_again_later() {
    let server = Server::with(&[1]);
    server.change(|fake| fake.greeting = "* BYE too many connections");
    assert!(is_transient(&inbox(&server).status().await));
}

#[tokio::test(start_paused = true)]
async fn sasl_plain_is_used_where_the_server_has_it() {
    let server = Server::with(&[1]);
    server.change(|fake| fake.capabilities = "IMAP4rev1 AUTH=PLAIN SASL-IR LOGINDISABLED");
    inbox(&server).status().await.unwrap();
    assert_eq!(server.heard("AUTHENTICATE"), ["AUTHENTICATE PLAIN AGdlbmVyYWwAc2VjcmV0"]);
    assert!(server.heard("LOGIN").is_empty());
}

/// Waits on a server after a first look at it; how long that took.
async fn waits(server: &Server, at_most: u64) -> (Result<(), MailboxError>, Duration) {
    let mut inbox = inbox(server);
    inbox.status().await.unwrap();
    inbox.fetch(0, 10).await.unwrap();
    let begun = Instant::now();
    let result = inbox.wait(Duration::from_secs(at_most)).await;
    (result, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn new_mail_ends_the_wait_even_when_it_is_announced_too_early() {
    for steps in [
        vec![Say("+ idling"), Pause(20), Say("* 2 EXISTS")],
        vec![Say("* 2 EXISTS"), Say("+ idling")],
        vec![Say("+ idling"), Pause(20), Say("* 2 EXISTS"), Say("{t} OK idle over")],
    ] {
        let server = Server::with(&[1]);
        server.script("IDLE", 1, &steps).script("DONE", 1, &[Say("{t} OK done")]);
        let (result, waited) = waits(&server, 600).await;
        assert!(result.is_ok() && waited <= Duration::from_secs(21), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_will_not_idle_is_polled_and_never_makes_us_spin() {
    for steps in [
        vec![Say("{t} NO not now")],
        vec![Say("{t} BAD unknown")],
        vec![Say("{t} BAD")],
        vec![Say("+ idling"), Pause(1), Say("{t} OK idle over")],
    ] {
        let server = Server::with(&[1]);
        server.script("IDLE", 99, &steps);
        let (result, waited) = waits(&server, 120).await;
        assert!(result.is_ok() && waited >= Duration::from_secs(119), "{waited:?}");
        assert_eq!(server.heard("IDLE").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_idle_is_ended_after_five_minutes() {
    let server = Server::with(&[1]);
    server.script("DONE", 1, &[Say("{t} OK done")]);
    let (result, waited) = waits(&server, 3600).await;
    assert!(result.is_ok());
    assert_eq!(waited.as_secs(), 300);
    assert_eq!(server.heard("DONE").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_in_idle_is_an_error_and_not_silence() {
    for (idle, done, at_most) in [
        (vec![Say("+ idling"), Close], vec![], 0),
        (vec![Say("+ idling"), Say("* BYE autologout"), Close], vec![], 0),
        (vec![Say("+ idling"), Say("* 2 EXISTS")], vec![Hang], 15),
        (vec![Hang], vec![], 60),
    ] {
        let server = Server::with(&[1]);
        server.script("IDLE", 1, &idle).script("DONE", 1, &done);
        let (result, waited) = waits(&server, 600).await;
        assert!(is_transient(&result));
        assert!(waited <= Duration::from_secs(at_most + 1), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_leaves_the_connection_usable() {
    let server = Server::with(&[1, 2]);
    server.script("DONE", 9, &[Say("{t} OK done")]);
    let mut inbox = inbox(&server);
    inbox.fetch(0, 10).await.unwrap();
    for _ in 0..3 {
        assert!(timeout(Duration::from_secs(5), inbox.wait(Duration::from_secs(600))).await.is_err());
        assert_eq!(uids(&inbox.fetch(1, 10).await.unwrap()), [2]);
    }
    assert_eq!((server.connections(), server.heard("DONE").len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_is_dropped_costs_the_connection_and_no_message() {
    let server = Server::with(&[1, 2]);
    server.script("UID FETCH", 1, &[Say("* 1 FETCH (UID 1 RFC822.SIZE 5)"), Pause(30), Behave]);
    let mut inbox = inbox(&server);
    assert!(timeout(Duration::from_secs(5), inbox.fetch(0, 10)).await.is_err());
    assert_eq!(uids(&inbox.fetch(0, 10).await.unwrap()), [1, 2]);
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn filing_moves_the_message_and_a_second_time_finds_it_gone() {
    let server = Server::with(&[1, 2]);
    let mut inbox = inbox(&server);
    assert_eq!(inbox.file(&reference(1), "Triage/General", true).await.unwrap(), Filed::Moved);
    assert_eq!(inbox.file(&reference(1), "Triage/General", true).await.unwrap(), Filed::Gone);
    assert_eq!(server.heard("UID STORE")[0], "UID STORE 1 +FLAGS.SILENT (\\Flagged)");
    assert!(!server.holds(1) && server.holds(2));
}

#[tokio::test(start_paused = true)]
async fn a_missing_folder_is_created_and_the_move_tried_again() {
    let server = Server::with(&[1]);
    server.script("UID MOVE", 1, &[Say("{t} NO [TRYCREATE] no such mailbox")]);
    assert_eq!(inbox(&server).file(&reference(1), "Triage/Größe", false).await.unwrap(), Filed::Moved);
    assert_eq!(server.heard("CREATE"), ["CREATE \"Triage\"", "CREATE \"Triage/Gr&APYA3w-e\""]);
}

#[tokio::test(start_paused = true)]
async fn a_move_is_only_believed_when_the_message_has_left() {
    let server = Server::with(&[1]);
    server.script("UID MOVE", 1, &[Say("{t} OK nothing moved")]);
    let mut inbox = inbox(&server);
    assert!(is_transient(&inbox.file(&reference(1), "Triage", false).await));
    server.script("UID MOVE", 1, &[Say("* OK [COPYUID 7 1 1] moved"), Close]).expunge(9);
    assert!(is_transient(&inbox.file(&reference(1), "Triage", false).await));
    assert_eq!(inbox.file(&reference(1), "Triage", false).await.unwrap(), Filed::Moved);
}

#[tokio::test(start_paused = true)]
async fn without_uidplus_what_staff_have_marked_deleted_is_not_expunged() {
    let server = Server::with(&[1, 2, 3]);
    server.change(|fake| fake.capabilities = "IMAP4rev1").mark_deleted(3);
    server.script("UID COPY", 9, &[Say("{t} OK [COPYUID 7 1 1] copied")]);
    let mut inbox = inbox(&server);
    assert_eq!(inbox.file(&reference(1), "Triage", false).await.unwrap(), Filed::Moved);
    assert!(server.holds(3) && server.heard("EXPUNGE").is_empty());
    server.expunge(3).expunge(1);
    assert_eq!(inbox.file(&reference(2), "Triage", false).await.unwrap(), Filed::Moved);
    assert!(!server.holds(2));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_cannot_be_seen_leaves_the_original() {
    let server = Server::with(&[1]);
    server.change(|fake| fake.capabilities = "IMAP4rev1 UIDPLUS");
    server.script("UID COPY", 9, &[Say("{t} OK copied, so I say")]);
    assert!(is_transient(&inbox(&server).file(&reference(1), "Triage", false).await));
    assert!(server.holds(1) && server.heard("UID STORE").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_only_to_be_looked_at_is_never_written() {
    let server = Server::with(&[1]);
    let mut account = server.account();
    account.filing = Filing::None;
    let mut inbox = ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default()));
    assert_eq!(uids(&inbox.fetch(0, 10).await.unwrap()), [1]);
    assert_eq!(inbox.file(&reference(1), "Triage", true).await.unwrap(), Filed::Left);
    assert!(server.heard("SELECT").is_empty() && server.heard("UID STORE").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_can_only_be_read_needs_a_person() {
    let server = Server::with(&[1]);
    let read_only = [
        Say("* 1 EXISTS"),
        Say("* OK [UIDVALIDITY 7] x"),
        Say("* OK [UIDNEXT 2] x"),
        Say("{t} OK [READ-ONLY] x"),
    ];
    server.script("SELECT", 9, &read_only);
    let refused = inbox(&server).file(&reference(1), "Triage", false).await;
    assert!(matches!(refused, Err(MailboxError::NeedsAPerson { .. })));
}

#[tokio::test(start_paused = true)]
async fn courier_names_its_folders_beneath_inbox_and_tells_uidnext_on_request() {
    let server = Server::with(&[1, 2]);
    server.change(|fake| {
        fake.capabilities = "IMAP4rev1 UIDPLUS";
        fake.uid_next_in_select = false;
        fake.uid_next = 12;
        fake.delimiter = '.';
        fake.folders.push("INBOX.Drafts".into());
    });
    server.script("UID COPY", 1, &[Say("{t} NO [TRYCREATE] no such folder")]);
    server.script("UID COPY", 1, &[Say("{t} OK [COPYUID 7 1 1] copied")]);
    let mut inbox = inbox(&server);
    assert_eq!(inbox.status().await.unwrap().uid_next, 12);
    assert_eq!(inbox.file(&reference(1), "Triage/General", false).await.unwrap(), Filed::Moved);
    assert_eq!(server.heard("CREATE").last().unwrap(), "CREATE \"INBOX.Triage.General\"");
    assert_eq!(server.heard("UID EXPUNGE"), ["UID EXPUNGE 1"]);
}

#[tokio::test(start_paused = true)]
async fn exchange_that_is_not_connected_says_what_to_mend() {
    let server = Server::with(&[1]);
    server.script("SELECT", 9, &[Say("{t} BAD User is authenticated but not connected.")]);
    let Err(MailboxError::NeedsAPerson { remedy, .. }) = inbox(&server).status().await else {
        panic!("no person is asked")
    };
    assert!(remedy.contains("full access"));
}

fn our_letter() -> Letter {
    Letter {
        message_id: "ack.1@council.example".into(),
        envelope_from: None,
        envelope_to: "a@home.example".into(),
        raw: b"Message-ID: <ack.1@council.example>\r\nSubject: We have it\r\n\r\nHello.\r\n".to_vec(),
    }
}

/// A mailbox whose account may pass messages on to an account `assessment` on another server.
fn inbox_beside(server: &Server, other: &Server) -> ImapMailbox {
    let assessment = ImapAccount { account: "assessment".into(), ..other.account() };
    let others = Accounts { imap: vec![server.account(), assessment], ..Accounts::default() };
    ImapMailbox::new(server.account(), "INBOX".into(), Rc::new(others))
}

fn to_assessment() -> Destination {
    Destination { account: "assessment".into(), folder: "Triage/New requests".into() }
}

#[tokio::test(start_paused = true)]
async fn courier_takes_our_letters_and_passed_on_messages_although_it_appends_to_no_folder_open_read_only() {
    let (server, other) = (Server::with(&[1]), Server::with(&[]));
    for server in [&server, &other] {
        server.change(|fake| fake.appends_only_when_writable = true);
    }
    let mut inbox = inbox_beside(&server, &other);
    inbox.keep_copy(&our_letter(), Utc::now()).await.unwrap();
    assert_eq!(server.heard("APPEND \"Sent\"").len(), 1);
    let passed = inbox.transfer(&reference(1), &to_assessment(), "Triage/Passed on", false).await;
    assert_eq!(passed.unwrap(), Filed::Moved);
    assert_eq!(other.heard("APPEND \"Triage/New requests\"").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_silent_may_be_waiting_for_tls_and_the_error_says_so() {
    for security in [Security::StartTls, Security::Plain] {
        let account = ImapAccount {
            security,
            dialler: Some(Rc::new(|| {
                let (near, far) = tokio::io::duplex(64);
                tokio::spawn(async move {
                    let _open = far; // It says nothing, and keeps the connection.
                    std::future::pending::<()>().await;
                });
                Ok(Box::new(near) as Pipe)
            })),
            ..Server::with(&[]).account()
        };
        let silent = ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default())).status().await;
        let Err(MailboxError::Transient { problem, .. }) = silent else { panic!("{silent:?}") };
        assert!(problem.contains("set `security` to `tls`"), "{problem}");
    }
}

#[tokio::test(start_paused = true)]
async fn courier_that_takes_starttls_without_a_usable_certificate_says_so() {
    let server = Server::with(&[]);
    let failed = "a NO STARTTLS failed: 500 Error starting couriertls.";
    server.script(
        "STARTTLS",
        1,
        &[Say("{t} OK Begin SSL/TLS negotiation now."), Pause(1), Say(failed), Hang],
    );
    let account = ImapAccount { security: Security::StartTls, ..server.account() };
    let refused = ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default())).status().await;
    let Err(MailboxError::NeedsAPerson { problem, remedy, .. }) = refused else { panic!("{refused:?}") };
    assert!(problem.contains("took STARTTLS") && remedy.contains("its own log"), "{problem}. {remedy}");
}

#[tokio::test(start_paused = true)]
async fn hoodiecrow_that_answers_partial_fetches_oddly_still_hands_over_small_messages() {
    let (server, other) = (Server::with(&[1]), Server::with(&[]));
    server.script("UID FETCH 1 (UID BODY.PEEK[]<", 99, &[Say("* 1 FETCH (UID 1 BODY[]<0.9> {1}"), Say("M)")]);
    let mut inbox = inbox_beside(&server, &other);
    let passed = inbox.transfer(&reference(1), &to_assessment(), "Triage/Passed on", false).await;
    assert_eq!(passed.unwrap(), Filed::Moved);
    let whole = "Message-ID: <1@sender.example>\r\nSubject: number 1\r\n\r\nHello 1\r\n".len();
    let appended = other.heard("APPEND");
    assert!(appended.len() == 1 && appended[0].ends_with(&format!("{{{whole}}}")), "{appended:?}");
}
