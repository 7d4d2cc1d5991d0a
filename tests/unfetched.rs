//! Messages that a server does not hand over: whose fault that is, and that nothing else is lost for it. Time is paused.

use std::rc::Rc;
use std::time::Duration;

use send_triage::mailbox::{Accounts, Fetched, ImapMailbox, Mailbox, MailboxError};
use tokio::time::Instant;

use crate::support::fake_imap::Server;
use crate::support::fake_imap::Step::{Close, Hang, Raw, Say};

fn inbox(server: &Server) -> ImapMailbox {
    ImapMailbox::new(server.account(), "INBOX".into(), Rc::new(Accounts::default()))
}

fn uids(fetched: &Fetched) -> Vec<u32> {
    fetched.messages.iter().map(|message| message.at.uid).collect()
}

fn set_aside(fetched: &Fetched) -> Vec<u32> {
    fetched.unreadable.iter().map(|message| message.at.uid).collect()
}

#[tokio::test(start_paused = true)]
async fn one_poisonous_message_is_set_aside_and_the_others_are_read() {
    for steps in [
        vec![Close],
        vec![Hang],
        vec![Say("{t} NO [SERVERBUG] cannot read it")],
        vec![Raw(b"* 2 FETCH (UID 2 BODY[] ~{3}\r\nabc)\r\n")],
        vec![Raw(b"* 2 FETCH (UID 2 BODY[] {4000000000}\r\nabc"), Hang],
        vec![Say("* 2 FETCH (UID 2 BODY[] NIL)"), Say("{t} OK done")],
    ] {
        let server = Server::with(&[1, 2, 3]);
        server.script("UID FETCH 1:3 (UID INTERNALDATE BODY", 99, &steps);
        server.script("UID FETCH 2:3 (UID INTERNALDATE BODY", 99, &steps);
        server.script("UID FETCH 2 ", 99, &steps);
        let mut inbox = inbox(&server);
        let first = inbox.fetch(0, 10).await.unwrap();
        assert_eq!((uids(&first), set_aside(&first), first.up_to), (vec![1], vec![], 1));
        let begun = Instant::now();
        let fetched = fetch_until_it_comes(&mut inbox, 1).await;
        assert_eq!((uids(&fetched), set_aside(&fetched), fetched.up_to), (vec![3], vec![2], 3));
        assert!(fetched.unreadable[0].received_at.is_some());
        assert!(begun.elapsed() < Duration::from_secs(600), "{:?}", begun.elapsed());
    }
}

/// As the daemon does: again after a pause, for a day at most.
async fn fetch_until_it_comes(inbox: &mut ImapMailbox, after: u32) -> Fetched {
    for _ in 0..8640 {
        match inbox.fetch(after, 10).await {
            Ok(fetched) => return fetched,
            Err(error) => assert!(matches!(error, MailboxError::Transient { .. }), "{error}"),
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    panic!("it never came");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hands_over_some_messages_and_not_others_for_a_while_has_none_set_aside() {
    // A quarter of an hour of throttling by turns: whatever is asked for first is refused, and its neighbour is not.
    for text in
        ["{t} NO [THROTTLED] Suggested Backoff Time: 60000 milliseconds", "{t} NO [SERVERBUG] not now"]
    {
        let server = Server::with(&[1, 2, 3]);
        let mut inbox = inbox(&server);
        server.script("UID FETCH 1:3 (UID INTERNALDATE BODY", 99, &[Say(text)]);
        server.script("UID FETCH 2:3 (UID INTERNALDATE BODY", 99, &[Say(text)]);
        let begun = Instant::now();
        let (mut after, mut read) = (0, Vec::new());
        while after < 3 {
            // For forty seconds the same one; then another one; for long if the server says that it is busy.
            let trouble = if text.contains("THROTTLED") { 500 } else { 50 };
            server.change(|fake| fake.forget_rules("UID FETCH 2 "));
            if begun.elapsed() < Duration::from_secs(trouble) {
                server.script("UID FETCH 2 ", 99, &[Say(text)]);
            }
            if let Ok(fetched) = inbox.fetch(after, 10).await {
                assert_eq!(set_aside(&fetched), Vec::<u32>::new(), "{text}");
                read.extend(uids(&fetched));
                after = fetched.up_to;
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(read, [1, 2, 3], "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_poisonous_message_is_set_aside_only_when_it_failed_for_two_hours() {
    let server = Server::with(&[4]);
    server.script("UID FETCH 4 (UID INTERNALDATE BODY", 9999, &[Close]);
    server.script("UID FETCH 4 (UID INTERNALDATE RFC822.SIZE BODY", 9999, &[Close]);
    let mut inbox = inbox(&server);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2 * 3600) {
        assert!(matches!(inbox.fetch(0, 10).await, Err(MailboxError::Transient { .. })));
        tokio::time::sleep(Duration::from_secs(300)).await;
    }
    let fetched = inbox.fetch(0, 10).await.unwrap();
    assert_eq!((set_aside(&fetched), fetched.up_to), (vec![4], 4));
}

/// Found by fuzzing: the codec panics at a letter beyond ASCII where it expects a blank, and the program would have ended.
#[tokio::test(start_paused = true)]
async fn words_on_which_the_codec_fails_cost_the_connection_and_nothing_else() {
    for steps in [
        vec![Raw(b"* OK [UIDNEXT 8]\xC3\xA9 ok\r\n")],
        vec![Raw("{t} OK [READ-ONLY]é\r\n".as_bytes())],
        vec![Raw(b"* NO [ALERT]\xC1 full\r\n")],
    ] {
        let server = Server::with(&[1, 2, 3]);
        for command in ["EXAMINE", "SELECT", "UID SEARCH", "UID FETCH"] {
            server.script(command, 1, &steps);
        }
        let mut inbox = inbox(&server);
        let fetched = fetch_until_it_comes(&mut inbox, 0).await;
        assert_eq!((uids(&fetched), set_aside(&fetched), fetched.up_to), (vec![1, 2, 3], vec![], 3));
    }
}
