//! Mailboxes in folders on this machine: `.eml` files and Maildirs.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use chrono::Utc;
use send_triage::effect::Destination;
use send_triage::letter::Letter;
use send_triage::mailbox::{
    Accounts, Fetched, Filed, Filing, FolderAccount, FolderKind, FolderMailbox, Mailbox, MailboxError,
};
use tokio::time::Instant;

const LETTER: &str =
    "Message-ID: <one@home.example>\r\nFrom: a@home.example\r\nSubject: School\r\n\r\nHello.\r\n";

fn account(root: &Path, name: &str, kind: FolderKind) -> FolderAccount {
    let root = root.join(name);
    fs::create_dir_all(&root).unwrap();
    FolderAccount { account: name.into(), root, kind, filing: Filing::Move }
}

fn inbox(root: &Path, kind: FolderKind) -> FolderMailbox {
    let accounts = Accounts {
        imap: Vec::new(),
        folders: vec![account(root, "general", kind), account(root, "assessment", kind)],
    };
    FolderMailbox::new(accounts.folders[0].clone(), "INBOX".into(), Rc::new(accounts))
}

fn uids(fetched: &Fetched) -> Vec<u32> {
    fetched.messages.iter().map(|message| message.at.uid).collect()
}

#[tokio::test]
async fn files_are_messages_in_order_and_keep_their_uids() {
    let root = tempfile::tempdir().unwrap();
    let mut mailbox = inbox(root.path(), FolderKind::Eml);
    for name in ["b.eml", "a.EML", "notes.txt", ".hidden.eml"] {
        fs::write(root.path().join("general").join(name), LETTER).unwrap();
    }
    fs::write(root.path().join("general/empty.eml"), "").unwrap();
    let fetched = mailbox.fetch(0, 10).await.unwrap();
    assert_eq!((uids(&fetched), fetched.up_to), (vec![1, 2], 2));
    assert_eq!(fetched.messages[0].bytes, LETTER.as_bytes());
    mailbox.close().await;
    fs::write(root.path().join("general/0.eml"), LETTER).unwrap();
    let mut mailbox = inbox(root.path(), FolderKind::Eml);
    let status = mailbox.status().await.unwrap();
    assert_eq!((status.exists, status.uid_next), (3, 4));
    assert_eq!(uids(&mailbox.fetch(2, 10).await.unwrap()), [3]);
    assert_eq!(uids(&mailbox.fetch(0, 1).await.unwrap()), [1]);
}

#[tokio::test]
async fn a_filed_file_lies_in_its_folder_unchanged() {
    let root = tempfile::tempdir().unwrap();
    let mut mailbox = inbox(root.path(), FolderKind::Eml);
    fs::write(root.path().join("general/a.eml"), LETTER).unwrap();
    let at = mailbox.fetch(0, 10).await.unwrap().messages[0].at.clone();
    assert_eq!(mailbox.file(&at, "Triage/General", true).await.unwrap(), Filed::Moved);
    assert_eq!(mailbox.file(&at, "Triage/General", true).await.unwrap(), Filed::Gone);
    assert_eq!(fs::read_to_string(root.path().join("general/Triage/General/a.eml")).unwrap(), LETTER);
    // A message filed away and put back is a new one.
    fs::rename(root.path().join("general/Triage/General/a.eml"), root.path().join("general/a.eml")).unwrap();
    assert_eq!(uids(&mailbox.fetch(0, 10).await.unwrap()), [2]);
}

#[tokio::test]
async fn a_message_in_a_maildir_is_filed_unread_and_flagged() {
    let root = tempfile::tempdir().unwrap();
    let mut mailbox = inbox(root.path(), FolderKind::Maildir);
    let general = root.path().join("general");
    fs::create_dir_all(general.join("new")).unwrap();
    fs::write(general.join("new/1758096000.M1.host"), LETTER).unwrap();
    let at = mailbox.fetch(0, 10).await.unwrap().messages[0].at.clone();
    // Staff's mail program has looked at it: another file name, the same message.
    fs::rename(general.join("new/1758096000.M1.host"), general.join("cur/1758096000.M1.host:2,")).unwrap();
    assert!(mailbox.fetch(1, 10).await.unwrap().messages.is_empty());
    assert_eq!(mailbox.file(&at, "Triage/General", true).await.unwrap(), Filed::Moved);
    assert!(general.join(".Triage.General/cur/1758096000.M1.host:2,F").exists());
    assert!(general.join(".Triage.General/maildirfolder").exists());
}

#[tokio::test]
async fn a_message_is_passed_on_to_another_folder_account_once() {
    for kind in [FolderKind::Eml, FolderKind::Maildir] {
        let root = tempfile::tempdir().unwrap();
        let mut mailbox = inbox(root.path(), kind);
        let (file, delivered, original) = match kind {
            FolderKind::Eml => ("a.eml", "assessment/New/a.eml", "general/Triage/Passed on/a.eml"),
            FolderKind::Maildir => {
                ("new/a", "assessment/.New/cur/a:2,", "general/.Triage.Passed on/cur/a:2,")
            }
        };
        fs::create_dir_all(root.path().join("general/new")).unwrap();
        fs::write(root.path().join("general").join(file), LETTER).unwrap();
        let at = mailbox.fetch(0, 10).await.unwrap().messages[0].at.clone();
        let to = Destination { account: "assessment".into(), folder: "New".into() };
        // Killed after the delivery: it is there already.
        fs::create_dir_all(root.path().join(delivered).parent().unwrap()).unwrap();
        fs::write(root.path().join(delivered), LETTER).unwrap();
        assert_eq!(mailbox.transfer(&at, &to, "Triage/Passed on", false).await.unwrap(), Filed::Moved);
        let there = fs::read_dir(root.path().join(delivered).parent().unwrap()).unwrap().count();
        assert_eq!(there, 1);
        assert!(root.path().join(original).exists());
    }
}

#[tokio::test]
async fn letters_are_kept_in_sent_once() {
    let root = tempfile::tempdir().unwrap();
    let mut mailbox = inbox(root.path(), FolderKind::Eml);
    let letter = Letter {
        message_id: "ack.1@council.example".into(),
        envelope_from: None,
        envelope_to: "a@home.example".into(),
        raw: b"Message-ID: <ack.1@council.example>\r\n\r\nHello.\r\n".to_vec(),
    };
    assert!(!mailbox.sent_holds(&letter.message_id).await.unwrap());
    for _ in 0..2 {
        mailbox.keep_copy(&letter, Utc::now()).await.unwrap();
    }
    assert!(mailbox.sent_holds(&letter.message_id).await.unwrap());
    assert_eq!(fs::read_dir(root.path().join("general/Sent")).unwrap().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_file_ends_the_wait_and_an_old_one_does_not() {
    let root = tempfile::tempdir().unwrap();
    let mut mailbox = inbox(root.path(), FolderKind::Eml);
    fs::write(root.path().join("general/a.eml"), LETTER).unwrap();
    mailbox.fetch(0, 10).await.unwrap();
    let begun = Instant::now();
    mailbox.wait(Duration::from_secs(30)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(30));
    let begun = Instant::now();
    let arrival = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        fs::write(root.path().join("general/b.eml"), LETTER).unwrap();
    };
    let (waited, ()) = tokio::join!(mailbox.wait(Duration::from_secs(3600)), arrival);
    waited.unwrap();
    assert!(begun.elapsed() <= Duration::from_secs(7));
}

#[tokio::test]
async fn a_folder_that_is_missing_or_watched_twice_needs_a_person() {
    let root = tempfile::tempdir().unwrap();
    let mut first = inbox(root.path(), FolderKind::Eml);
    first.status().await.unwrap();
    let busy = inbox(root.path(), FolderKind::Eml).status().await;
    assert!(matches!(&busy, Err(MailboxError::NeedsAPerson { .. })), "{busy:?}");
    fs::remove_dir_all(root.path().join("general")).unwrap();
    let missing = first.status().await;
    assert!(matches!(&missing, Err(MailboxError::NeedsAPerson { .. })), "{missing:?}");
}
