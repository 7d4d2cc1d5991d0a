//! Any bytes as what an IMAP server says: each command is answered by the next stretch of the input, then by OK, NO, BAD or silence.
//! The client neither panics nor hangs, and never says that it has read further than it was told.
#![no_main]

use std::rc::Rc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use send_triage::mailbox::{Accounts, Credentials, ImapAccount, ImapMailbox, Mailbox, Pipe, Security};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

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

fuzz_target!(|bytes: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
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
                assert!(uids.iter().all(|uid| *uid > after && *uid <= fetched.up_to), "{uids:?} {}", fetched.up_to);
            }
        };
        tokio::time::timeout(Duration::from_secs(24 * 3600), work).await.expect("it hangs");
    });
});
