//! What the simulation found, told to the client by itself: a server that tells only half is never taken to have said that
//! something is not there.

use std::rc::Rc;

use send_triage::mailbox::{Accounts, Filed, ImapMailbox, Mailbox, MailboxError, Overview};
use send_triage::message::MessageRef;

use crate::support::fake_imap::Server;
use crate::support::fake_imap::Step::{Close, Raw, Say};

fn inbox(server: &Server) -> ImapMailbox {
    ImapMailbox::new(server.account(), "INBOX".into(), Rc::new(Accounts::default()))
}

fn reference(uid: u32) -> MessageRef {
    MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity: 7, uid }
}

fn without_move(uids: &[u32]) -> Server {
    let server = Server::with(uids);
    server.change(|fake| {
        fake.capabilities = "IMAP4rev1 UIDPLUS";
        fake.folders.push("Triage".into());
    });
    server
}

/// The copy was there, its answer to FETCH was not, and a second copy was made.
#[tokio::test(start_paused = true)]
async fn a_copy_that_is_found_and_not_shown_is_not_made_again() {
    let server = without_move(&[1]);
    server.script("UID SEARCH HEADER", 1, &[Say("* SEARCH 4"), Say("{t} OK found")]);
    server.script("UID FETCH 4", 1, &[Say("{t} OK fetched")]);
    let filed = inbox(&server).file(&reference(1), "Triage", false).await;
    assert!(matches!(filed, Err(MailboxError::Transient { .. })), "{filed:?}");
    assert!(server.heard("UID COPY").is_empty() && server.holds(1));
}

/// Two people wrote at the same second, without a Message-ID, mails of the same size: the copy of the one that was filed is
/// none of the other, which would have been deleted as filed.
#[tokio::test(start_paused = true)]
async fn the_copy_of_a_twin_is_no_copy() {
    const ANNA: &[u8] = b"* 1 FETCH (UID 1 INTERNALDATE \" 5-Jan-2026 10:11:12 +0000\" RFC822.SIZE 40 BODY[HEADER.FIELDS (FROM)] {14}\r\nFrom: Anna\r\n\r\n)\r\n";
    const EMIL: &[u8] = b"* 1 FETCH (UID 4 INTERNALDATE \" 5-Jan-2026 10:11:12 +0000\" RFC822.SIZE 40 BODY[HEADER.FIELDS (FROM)] {14}\r\nFrom: Emil\r\n\r\n)\r\n";
    let server = without_move(&[1]);
    server.script("UID FETCH 1", 1, &[Raw(ANNA), Say("{t} OK fetched")]);
    server.script("UID SEARCH LARGER", 2, &[Say("* SEARCH 4"), Say("{t} OK found")]);
    server.script("UID FETCH 4", 2, &[Raw(EMIL), Say("{t} OK fetched")]);
    server.script("UID COPY", 1, &[Say("{t} OK [COPYUID 7 1 5] copied")]);
    let filed = inbox(&server).file(&reference(1), "Triage", false).await;
    assert_eq!((filed.unwrap(), server.heard("UID COPY").len()), (Filed::Moved, 1));
}

/// A store put back from a backup: the same UIDVALIDITY, other messages under the same UIDs.
#[tokio::test(start_paused = true)]
async fn a_uid_that_was_given_out_anew_is_not_moved() {
    let server = Server::with(&[1, 2, 3, 4, 5]);
    let mut inbox = inbox(&server);
    inbox.status().await.unwrap();
    server.script("UID MOVE", 1, &[Close]);
    assert!(inbox.file(&reference(2), "Triage", false).await.is_err());
    server.expunge(4).expunge(5).change(|fake| fake.uid_next = 4);
    let filed = inbox.file(&reference(2), "Triage", false).await;
    assert!(matches!(filed, Err(MailboxError::UidValidityChanged { now: 7, .. })), "{filed:?}");
    assert!(server.heard("UID MOVE").len() == 1 && server.holds(2));
}

/// What a server failed to show in one folder looked as if staff had moved it.
#[tokio::test(start_paused = true)]
async fn a_folder_that_is_half_shown_is_not_looked_into() {
    let server = Server::with(&[1, 2]);
    let accounts = Accounts { imap: vec![server.account()], ..Accounts::default() };
    let mut overview = Overview::of_all(&accounts).remove(0);
    const ONE: &[u8] = b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {34}\r\nMessage-ID: <1@sender.example>\r\n\r\n)\r\n";
    server.script("UID FETCH", 1, &[Raw(ONE), Say("{t} OK fetched")]);
    server.script("UID SEARCH ALL", 2, &[Say("* SEARCH 1 2"), Say("{t} OK found")]);
    assert!(overview.look("INBOX").await.is_err());
    assert!(overview.look("INBOX").await.unwrap());
    assert_eq!(overview.ids("INBOX").collect::<Vec<_>>(), ["1@sender.example", "2@sender.example"]);
}
