//! Gmail's labels, from what Google publishes of its IMAP: a folder is a label, MOVE changes labels, a plain "deleted" in INBOX may
//! archive, delete or do nothing as the mailbox's owner has set it, and `[Gmail]/All Mail` shows every message once more. A scripted server;
//! Gmail itself was not tried (docs/servers.md).

use std::rc::Rc;

use send_triage::config::Config;
use send_triage::mailbox::{Accounts, Filed, ImapMailbox, Mailbox};
use send_triage::message::MessageRef;

use crate::support::fake_imap::Server;

const CAPABILITIES: &str = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE \
                            CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584";

fn gmail() -> Server {
    let server = Server::with(&[1, 2]);
    server.change(|gmail| {
        gmail.capabilities = CAPABILITIES;
        let folders = ["[Gmail]", "[Gmail]/All Mail", "[Gmail]/Sent Mail", "[Gmail]/Starred"];
        gmail.folders.extend(folders.map(str::to_owned));
    });
    server
}

#[tokio::test(start_paused = true)]
async fn filing_takes_one_label_for_another_and_deletes_nothing() {
    let server = gmail();
    let mut inbox = ImapMailbox::new(server.account(), "INBOX".into(), Rc::new(Accounts::default()));
    let message = MessageRef { account: "general".into(), folder: "INBOX".into(), uid_validity: 7, uid: 1 };
    assert_eq!(inbox.fetch(0, 10).await.unwrap().messages.len(), 2);
    assert_eq!(inbox.file(&message, "Triage/General", false).await.unwrap(), Filed::Moved);
    assert_eq!(
        server.heard("UID MOVE").len(),
        1,
        "INBOX goes, Triage/General comes, every other label stays"
    );
    // Whatever the owner has set for what is marked as deleted: nothing ever is.
    for command in ["UID COPY", "UID STORE", "UID EXPUNGE", "EXPUNGE", "CLOSE"] {
        assert_eq!(server.heard(command), [""; 0], "{command}");
    }
    // The same messages once more, as they are shown in other places, are not looked at.
    for command in ["SELECT", "EXAMINE", "STATUS"] {
        assert!(
            server.heard(command).iter().all(|line| !line.contains("[Gmail]")),
            "{:?}",
            server.heard(command)
        );
    }
}

#[test]
fn a_view_of_all_mail_cannot_be_watched() {
    let example =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/send-triage.yaml")).unwrap();
    for view in ["[Gmail]/All Mail", "[Google Mail]/Alle Nachrichten", "[gmail]/Sent Mail"] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("send-triage.yaml");
        let watch = format!("    watch: [INBOX, '{view}']\n");
        let text = example.replacen("    watch: [INBOX]\n", &watch, 1);
        assert_ne!(text, example);
        std::fs::write(&file, text).unwrap();
        let said = Config::load(&file).unwrap_err().to_string();
        assert!(said.contains("is a view of Gmail's") && said.contains("watch: [INBOX"), "{view}: {said}");
    }
}
