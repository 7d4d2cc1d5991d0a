//! What is fuzzed, each target a function of bytes. Shared with `tests/badmail.rs`, which runs the corpora through the same.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;
use send_triage::calendar::mention::mentions;
use send_triage::config::{Config, EXAMPLE};
use send_triage::daemon::in_force::{self, Set};
use send_triage::mailbox::{Accounts, Credentials, ImapAccount, ImapMailbox, Mailbox, Pipe, Security};
use send_triage::message::{self, Defect, new_text as cutter};
use send_triage::rules::{SourceFile, World, compile_known, diagnostic};
use send_triage::triage::{History, explained, triage};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

thread_local! {
    static SET: Set = in_force::load(&Config::parse(EXAMPLE, "built in", Path::new(".")).unwrap()).unwrap();
}

/// Any bytes at all as a message: read, decided about with the shipped rules, explained. Nothing panics, also where the program
/// would contain it; a decision's due date lies after the receipt; explaining decides the same.
pub fn decide(bytes: &[u8]) {
    let message = message::parse(bytes, bytes.len());
    assert!(!message.defects.contains(&Defect::ParserFailed), "the parser panicked");
    let received_at: DateTime<Utc> = "2026-11-18T10:00:00Z".parse().unwrap();
    let history = History::none("general", received_at);
    SET.with(|set| {
        let decision = triage(&message, received_at, &history, &set.policy);
        assert!(decision.due_on().is_none_or(|due| due > received_at.date_naive()));
        assert_eq!(decision.urgency, explained(&message, received_at, &history, &set.policy).urgency);
    });
}

/// The cutting of new text from quotes, signature and disclaimer, of any text as it is read: what is called new was there, in that order.
pub fn new_text(bytes: &[u8]) {
    let text = message::text::normalise(beginning(bytes));
    let divided = cutter::divide(&text, "anna@home.example", "School");
    let mut rest = text.as_str();
    for word in divided.new.split_whitespace() {
        let at = rest.find(word).expect("a word of the new text that the message does not hold");
        rest = &rest[at + word.len()..];
    }
}

/// Any bytes as a rule file: taken up, or refused with complaints that have a place in it. Nothing panics.
pub fn rules(bytes: &[u8]) {
    let file = |name: &str, bytes: &[u8]| SourceFile { name: name.to_owned(), bytes: bytes.to_vec() };
    let vocabulary = b"vocabulary:\n  child: [my (son | daughter)]\n";
    let files = [file("urgent.yaml", bytes), file("vocabulary.yaml", vocabulary)];
    if let Err(complaints) = compile_known(&files, &World::default()) {
        assert!(!complaints.is_empty(), "refused without a word");
        let _ = diagnostic::listed(&complaints);
    }
}

/// Dates and spells of time in any text, at any day of receipt (two bytes): each is a stretch of the text, in order, on its
/// side of today.
pub fn dates(bytes: &[u8]) {
    let Some((days, text)) = bytes.split_first_chunk::<2>() else { return };
    let (days, text) = (i32::from(u16::from_le_bytes(*days)), beginning(text));
    let Some(today) = NaiveDate::from_num_days_from_ce_opt(730_000 + days) else { return };
    let mut end = 0;
    for mention in mentions(text, today, &[]) {
        assert!(
            mention.range.start >= end && text.get(mention.range.clone()).is_some(),
            "{:?}",
            mention.range
        );
        end = mention.range.end;
        assert!(mention.past.is_none_or(|(first, last)| first <= last && last <= today));
        assert!(mention.ahead.is_none_or(|(first, last)| today <= first && first <= last));
    }
}

/// As much of it as is text.
fn beginning(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap(),
    }
}

async fn serve(stream: DuplexStream, input: Rc<Vec<u8>>) {
    let (from, mut to) = tokio::io::split(stream);
    let mut lines = BufReader::new(from).lines();
    let mut said = input.split(|byte| *byte == 0xFE);
    if to.write_all(b"* OK [CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE] ready\r\n").await.is_err() {
        return;
    }
    while let Ok(Some(line)) = lines.next_line().await {
        let tag = line.split(' ').next().unwrap_or("*").to_owned();
        let answer = said.next().unwrap_or_default();
        let (end, words) = answer.split_first().unwrap_or((&0, &[]));
        let end = match end % 8 {
            5 => "NO [LIMIT] not now",
            6 => "BAD what",
            7 => return,
            _ => "OK done",
        };
        let mut bytes = words.to_vec();
        bytes.extend_from_slice(format!("{tag} {end}\r\n").as_bytes());
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// Any bytes as what an IMAP server says: each command is answered by the next stretch of the input, then by OK, NO, BAD or silence.
/// The client neither panics nor hangs, and never says that it has read further than it was told.
pub fn imap(bytes: &[u8]) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let input = Rc::new(bytes.to_vec());
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let password = Credentials::Password(SecretString::from("secret".to_owned()));
        let mut account = ImapAccount::new("general", "localhost", "user", password);
        account.security = Security::Plain;
        account.dialler = Some(Rc::new(move || {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::task::spawn_local(serve(theirs, input.clone()));
            Ok(Box::new(ours) as Pipe)
        }));
        let accounts = Rc::new(Accounts { imap: vec![account.clone()], folders: Vec::new() });
        let mut mailbox = ImapMailbox::new(account, "INBOX".to_owned(), accounts);
        let work = async {
            let _ = mailbox.status().await;
            let after = 3;
            if let Ok(fetched) = mailbox.fetch(after, 10).await {
                assert!(fetched.up_to >= after);
                let mut uids: Vec<u32> = fetched.messages.iter().map(|message| message.at.uid).collect();
                assert!(uids.is_sorted(), "{uids:?}");
                uids.extend(fetched.unreadable.iter().map(|one| one.at.uid));
                uids.sort_unstable();
                let count = uids.len();
                uids.dedup();
                assert_eq!(uids.len(), count, "a message twice over");
                assert!(
                    uids.iter().all(|uid| *uid > after && *uid <= fetched.up_to),
                    "{uids:?} {}",
                    fetched.up_to
                );
            }
        };
        tokio::time::timeout(Duration::from_secs(24 * 3600), work).await.expect("it hangs");
    });
}
