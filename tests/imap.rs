//! Mailboxes on a real Dovecot: fetched, filed, passed on, and what happens when the server or the network breaks.

use std::rc::Rc;
use std::time::{Duration, Instant};

use chrono::Utc;
use secrecy::SecretString;
use send_triage::effect::Destination;
use send_triage::letter::Letter;
use send_triage::mailbox::{
    Accounts, Credentials, Filed, Filing, ImapAccount, ImapMailbox, Mailbox, MailboxError, Mechanism,
    Outcome, SENT, Security, Wanted, probe,
};
use send_triage::message::MessageRef;

use crate::support::proxy::{Fault, Proxy};
use crate::support::servers::{Certificate, MailServers, PASSWORD, Setup};

const RECEIVED: &str = "17-Sep-2026 09:00:00 +0100";
const LETTER: &[u8] =
    b"Message-ID: <one@home.example>\r\nFrom: a@home.example\r\nSubject: School\r\n\r\nHello.\r\n";
const NO_ID: &[u8] = b"From: a@home.example\r\nSubject: No id\r\n\r\nCaf\xe9.\r\n";

fn account(servers: &MailServers, user: &str, security: Security) -> ImapAccount {
    let password = Credentials::Password(SecretString::from(PASSWORD.to_owned()));
    let port = if security == Security::Tls { servers.imaps_port() } else { servers.imap_port() };
    ImapAccount {
        port,
        security,
        ca_file: Some(servers.ca_file()),
        ..ImapAccount::new(user, "localhost", user, password)
    }
}

/// The general inbox over TLS; it knows the assessment team's account, reached by STARTTLS.
fn general(servers: &MailServers) -> ImapMailbox {
    let imap = vec![
        account(servers, "send.general", Security::Tls),
        account(servers, "send.assessment", Security::StartTls),
    ];
    let accounts = Accounts { imap, folders: Vec::new() };
    ImapMailbox::new(accounts.imap[0].clone(), "INBOX".into(), Rc::new(accounts))
}

fn to_assessment() -> Destination {
    Destination { account: "send.assessment".into(), folder: "Triage/New requests".into() }
}

async fn first(inbox: &mut ImapMailbox) -> MessageRef {
    inbox.fetch(0, 10).await.unwrap().messages[0].at.clone()
}

#[tokio::test]
async fn a_message_is_fetched_unread_and_filed_as_it_is() {
    let servers = MailServers::start(Setup::default());
    servers.append("send.general", "INBOX", RECEIVED, LETTER);
    servers.append("send.general", "INBOX", RECEIVED, NO_ID);
    let mut inbox = general(&servers);
    let status = inbox.status().await.unwrap();
    let fetched = inbox.fetch(0, 10).await.unwrap();
    assert_eq!((fetched.messages.len(), fetched.up_to), (2, status.uid_next - 1));
    assert_eq!(fetched.messages[0].bytes, LETTER);
    assert_eq!(fetched.messages[0].received_at.to_rfc3339(), "2026-09-17T08:00:00+00:00");
    assert!(servers.mailbox("send.general", "INBOX")[0].flags.iter().all(|flag| flag != "\\Seen"));

    let at = &fetched.messages[0].at;
    assert_eq!(inbox.file(at, "Triage/Größe & Co", true).await.unwrap(), Filed::Moved);
    assert_eq!(inbox.file(at, "Triage/Größe & Co", true).await.unwrap(), Filed::Gone);
    let filed = servers.mailbox("send.general", "Triage/Größe & Co");
    assert_eq!((filed.len(), filed[0].raw.as_slice()), (1, LETTER));
    assert_eq!(filed[0].internal_date, fetched.messages[0].received_at);
    assert!(filed[0].flags.contains(&"\\Flagged".into()) && filed[0].flags.contains(&"$Urgent".into()));
    assert_eq!(servers.mailbox("send.general", "INBOX").len(), 1);
    inbox.close().await;
}

#[tokio::test]
async fn new_mail_wakes_the_mailbox() {
    let servers = MailServers::start(Setup::default());
    let mut inbox = general(&servers);
    let up_to = inbox.fetch(0, 10).await.unwrap().up_to;
    let begun = Instant::now();
    let (waited, ()) = tokio::join!(inbox.wait(Duration::from_secs(120)), async {
        // Long enough on any machine that IDLE may have begun; the result is the same when it has not.
        tokio::time::sleep(Duration::from_millis(200)).await;
        servers.deliver("send.general", LETTER);
    });
    waited.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(inbox.fetch(up_to, 10).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_message_of_25_mb_is_passed_on_whole_and_once() {
    let servers = MailServers::start(Setup::default());
    let mut large = LETTER.to_vec();
    (0..340_000).for_each(|line| large.extend(format!("{line:076}\r\n").as_bytes()));
    servers.append("send.general", "INBOX", RECEIVED, &large);
    servers.append("send.general", "INBOX", RECEIVED, NO_ID);
    let mut inbox = general(&servers);
    let fetched = inbox.fetch(0, 10).await.unwrap();
    assert_eq!((fetched.messages[0].size_bytes, fetched.messages[0].bytes.len()), (large.len(), 1 << 20));
    // The process was killed after the delivery and before the original was filed: it lies there already.
    servers.imap("send.assessment").command("CREATE \"Triage/New requests\"").unwrap();
    servers.append("send.assessment", "Triage/New requests", RECEIVED, NO_ID);
    for message in &fetched.messages {
        let passed = inbox.transfer(&message.at, &to_assessment(), "Triage/Passed on", true).await;
        assert_eq!(passed.unwrap(), Filed::Moved);
    }
    let delivered = servers.mailbox("send.assessment", "Triage/New requests");
    assert_eq!(delivered.len(), 2);
    let whole = delivered.iter().find(|message| message.raw.len() == large.len()).unwrap();
    assert!(whole.raw == large && whole.flags.contains(&"\\Flagged".into()));
    assert_eq!(whole.internal_date, fetched.messages[0].received_at);
    assert_eq!(servers.mailbox("send.general", "Triage/Passed on").len(), 2);
    assert!(servers.mailbox("send.general", "INBOX").is_empty());
}

#[tokio::test]
async fn servers_without_move_lose_nothing_and_delete_nothing_of_others() {
    for capabilities in ["IMAP4rev1 UIDPLUS", "IMAP4rev1"] {
        let servers =
            MailServers::start(Setup { imap_capability: Some(capabilities.into()), ..Setup::default() });
        for letter in [LETTER, NO_ID, NO_ID] {
            servers.append("send.general", "INBOX", RECEIVED, letter);
        }
        let mut staff = servers.imap("send.general");
        staff.command("SELECT INBOX").unwrap();
        staff.command("UID STORE 3 +FLAGS (\\Deleted)").unwrap();
        let mut inbox = general(&servers);
        let at = first(&mut inbox).await;
        assert_eq!(inbox.file(&at, "Triage/General", false).await.unwrap(), Filed::Moved);
        assert_eq!(servers.mailbox("send.general", "Triage/General").len(), 1);
        let left = servers.mailbox("send.general", "INBOX");
        assert!(
            left.iter().any(|message| message.uid == 3),
            "{capabilities}: staff's own deletion is theirs"
        );
        let still = left.iter().find(|message| message.uid == at.uid);
        assert!(still.is_none_or(|message| message.flags.contains(&"\\Deleted".into())));
        // Again, as after a crash: no second copy.
        inbox.file(&at, "Triage/General", false).await.unwrap();
        assert_eq!(servers.mailbox("send.general", "Triage/General").len(), 1);
    }
}

#[tokio::test]
async fn copying_leaves_the_original_and_copies_once() {
    let servers = MailServers::start(Setup::default());
    servers.append("send.general", "INBOX", RECEIVED, NO_ID);
    let mut copying = account(&servers, "send.general", Security::StartTls);
    copying.filing = Filing::Copy;
    let mut inbox = ImapMailbox::new(copying, "INBOX".into(), Rc::new(Accounts::default()));
    let at = first(&mut inbox).await;
    for _ in 0..2 {
        assert_eq!(inbox.file(&at, "Triage/General", false).await.unwrap(), Filed::Copied);
    }
    assert_eq!(servers.mailbox("send.general", "Triage/General").len(), 1);
    assert_eq!(servers.mailbox("send.general", "INBOX").len(), 1);
}

#[tokio::test]
async fn our_letters_lie_in_sent_once_and_are_found_there() {
    let servers = MailServers::start(Setup::default());
    let mut inbox = general(&servers);
    let letter = Letter {
        message_id: "ack.1@council.example".into(),
        envelope_from: None,
        envelope_to: "a@home.example".into(),
        raw: b"Message-ID: <ack.1@council.example>\r\nSubject: We have it\r\n\r\nHello.\r\n".to_vec(),
    };
    assert!(!inbox.sent_holds(&letter.message_id).await.unwrap());
    for _ in 0..2 {
        inbox.keep_copy(&letter, Utc::now()).await.unwrap();
    }
    assert!(inbox.sent_holds(&letter.message_id).await.unwrap());
    let sent = servers.mailbox("send.general", "Sent");
    assert_eq!((sent.len(), &sent[0].raw), (1, &letter.raw));
    assert!(sent[0].flags.contains(&"\\Seen".into()));
    let mut in_sent = ImapMailbox::new(
        account(&servers, "send.general", Security::Tls),
        SENT.into(),
        Rc::new(Accounts::default()),
    );
    assert_eq!(in_sent.fetch(0, 10).await.unwrap().messages[0].bytes, letter.raw);
    // The watched folder is open again afterwards.
    servers.deliver("send.general", LETTER);
    assert_eq!(inbox.fetch(0, 10).await.unwrap().messages.len(), 1);
}

/// What a person is told when this account cannot be used.
async fn told(account: ImapAccount) -> String {
    match ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default())).status().await {
        Err(error @ MailboxError::NeedsAPerson { .. }) => error.to_string(),
        other => panic!("nobody is told: {other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_refused_with_the_remedy() {
    let servers = MailServers::start(Setup { certificate: Certificate::OtherHost, ..Setup::default() });
    for security in [Security::Tls, Security::StartTls] {
        let account = account(&servers, "send.general", security);
        let said = told(account.clone()).await;
        assert!(said.contains("not for localhost"), "{said}");
        let said = told(ImapAccount { ca_file: None, ..account }).await;
        assert!(said.contains("ca_file"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_password_or_port_needs_a_person() {
    let servers = MailServers::start(Setup::default());
    for mechanism in [Mechanism::Auto, Mechanism::Login, Mechanism::Plain] {
        let wrong = Credentials::Password(SecretString::from("wrong".to_owned()));
        let account = account(&servers, "send.general", Security::StartTls);
        let said = told(ImapAccount { credentials: wrong, mechanism, ..account }).await;
        assert!(said.contains("AUTHENTICATIONFAILED") && said.contains("password"), "{said}");
    }
    let account = account(&servers, "send.general", Security::Tls);
    let said = told(ImapAccount { port: servers.imap_port(), ..account }).await;
    assert!(said.contains("starttls"), "{said}");
}

#[tokio::test]
async fn the_doctor_tells_what_works_and_changes_nothing() {
    let servers = MailServers::start(Setup::default());
    let account = account(&servers, "send.general", Security::Tls);
    let before = servers.folders("send.general");
    let wanted = Wanted {
        watched: &["INBOX".into(), "Nowhere".into()],
        filed_into: &["Triage/General".into(), "Trash".into()],
        answers_in: &["\\Sent".into()],
        server_keeps_copies: false,
        poll_seconds: 300,
    };
    let steps = probe(&account, &wanted).await.steps;
    let found = |name: &str| &steps.iter().find(|step| step.name == name).unwrap().outcome;
    let Outcome::Failed { remedy, .. } = found("folder Nowhere") else { panic!("{steps:?}") };
    assert!(remedy.contains("INBOX"), "the folders that are there are named: {remedy}");
    let failed = steps.iter().filter(|step| !matches!(step.outcome, Outcome::Good(_))).count();
    assert_eq!(failed, 1, "{steps:?}");
    let Outcome::Good(said) = found("folders") else { panic!("{steps:?}") };
    assert!(said.contains("1 there; created when first needed: Triage/General"), "{said}");
    let Outcome::Good(said) = found("encryption") else { panic!("{steps:?}") };
    assert!(said.contains("for localhost, issued by Test CA, valid until"), "{said}");
    assert_eq!(servers.folders("send.general"), before);
}

#[tokio::test]
async fn a_server_that_was_away_is_used_again() {
    let servers = MailServers::start(Setup::default());
    servers.append("send.general", "INBOX", RECEIVED, LETTER);
    let mut inbox = general(&servers);
    assert_eq!(inbox.fetch(0, 10).await.unwrap().messages.len(), 1);
    servers.stop_imap();
    let mut another = general(&servers);
    assert!(matches!(another.fetch(0, 10).await, Err(MailboxError::Transient { .. })));
    assert!(matches!(another.wait(Duration::from_secs(1)).await, Err(MailboxError::Transient { .. })));
    servers.start_imap();
    assert_eq!(inbox.fetch(0, 10).await.unwrap().messages.len(), 1);
    assert_eq!(another.fetch(0, 10).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_folder_restored_from_a_backup_is_noticed() {
    let servers = MailServers::start(Setup::default());
    servers.append("send.general", "INBOX", RECEIVED, LETTER);
    let mut inbox = general(&servers);
    let before = inbox.status().await.unwrap();
    let at = first(&mut inbox).await;
    servers.change_uid_validity("send.general", "INBOX", 4_000_000_000);
    // The connection may live on with the old value; the next one must not.
    inbox.close().await;
    let changed = inbox.file(&at, "Triage", false).await;
    assert!(matches!(changed, Err(MailboxError::UidValidityChanged { now: 4_000_000_000, .. })));
    assert_ne!(inbox.status().await.unwrap().uid_validity, before.uid_validity);
    assert_eq!(inbox.fetch(0, 10).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn wherever_the_connection_is_cut_no_message_is_lost() {
    let servers = MailServers::start(Setup::default());
    for number in 1..=4 {
        let letter = format!(
            "Message-ID: <{number}@home.example>\r\nSubject: {number}\r\n\r\n{}\r\n",
            "x".repeat(200)
        );
        servers.append("send.general", "INBOX", RECEIVED, letter.as_bytes());
    }
    let (mut whole, mut cut) = (0, 0);
    for bytes in (0..5000).step_by(131) {
        let proxy = Proxy::start(servers.imap_port());
        proxy.set(Fault::CutAfterServerBytes(bytes));
        let account =
            ImapAccount { port: proxy.port(), ..account(&servers, "send.general", Security::Plain) };
        let mut inbox = ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default()));
        match inbox.fetch(0, 10).await {
            Ok(fetched) => {
                let uids: Vec<u32> = fetched.messages.iter().map(|message| message.at.uid).collect();
                assert_eq!(uids, (1..=fetched.up_to).collect::<Vec<_>>(), "cut after {bytes} bytes");
                assert!(
                    fetched.unreadable.is_empty() && fetched.messages.iter().all(|it| it.bytes.len() > 200)
                );
                whole += 1;
            }
            Err(MailboxError::Transient { .. }) => cut += 1,
            Err(other) => panic!("cut after {bytes} bytes: {other}"),
        }
    }
    assert!(whole > 0 && cut > 0, "{whole} {cut}");
}
