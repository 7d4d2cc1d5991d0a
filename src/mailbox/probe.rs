//! A careful look at an account for `doctor`: step by step what works and what does not. Changes nothing.

use chrono::Utc;

use super::account::{Filing, FolderAccount, ImapAccount, Security};
use super::folder_files::Place;
use super::session::{Fault, Session};
use super::{MailboxError, SENT};
use super::{connect, folders, login};
use crate::certificate;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// What was tried: `connect`, `login`, `folder INBOX`, ...
    pub name: String,
    /// What was found, or what is wrong and how to mend it.
    pub outcome: Result<String, String>,
}

/// A certificate that ends sooner than this is complained about.
const SOON_DAYS: i64 = 21;

/// Tries an account and its watched folders; stops where going on makes no sense.
pub async fn probe(account: &ImapAccount, watched: &[String]) -> Vec<ProbeStep> {
    let mut steps = Steps(Vec::new());
    let Some(mut session) = steps.take("connect", connect::open(account).await, |_| {
        format!("{} answers as an IMAP server", account.place())
    }) else {
        return steps.0;
    };
    steps.0.push(protection(account, &session));
    if steps.take("login", login::login(&mut session, account).await, |()| "accepted".into()).is_none() {
        return steps.0;
    }
    steps.0.push(abilities(&session));
    for folder in watched {
        steps.0.push(watched_folder(&mut session, account, folder).await);
    }
    let sent = folders::sent_folder(&mut session, account, false).await;
    let naming = folders::naming(&mut session).await.ok();
    steps.take("Sent folder", sent, |found| match (found, naming) {
        (Some(wire), Some(naming)) => naming.ours(wire),
        (Some(wire), None) => wire.clone(),
        (None, _) => "none yet; `Sent` will be created with the first letter".into(),
    });
    session.log_out().await;
    steps.0
}

/// The same for an account that is a folder on this machine.
pub fn probe_folder(account: &FolderAccount, watched: &[String]) -> Vec<ProbeStep> {
    let look = |folder: &String| {
        let folder = if folder == SENT { "Sent" } else { folder };
        let place = Place::of(account.kind, &account.root, folder);
        let outcome = match (place.messages(), std::fs::metadata(&place.directory)) {
            (Ok(_), Ok(about)) if about.permissions().readonly() => {
                Err(format!("{} cannot be written by this user", place.directory.display()))
            }
            (Ok(messages), _) => Ok(format!("{} messages in {}", messages.len(), place.directory.display())),
            (Err(error), _) => Err(format!("{} cannot be read: {error}", place.directory.display())),
        };
        ProbeStep { name: format!("folder {folder}"), outcome }
    };
    watched.iter().map(look).collect()
}

struct Steps(Vec<ProbeStep>);

impl Steps {
    fn take<T>(
        &mut self,
        name: &str,
        tried: Result<T, MailboxError>,
        describe: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let outcome = match &tried {
            Ok(found) => Ok(describe(found)),
            Err(error) => Err(error.to_string()),
        };
        self.0.push(ProbeStep { name: name.to_owned(), outcome });
        tried.ok()
    }
}

fn protection(account: &ImapAccount, session: &Session) -> ProbeStep {
    let way = match account.security {
        Security::Tls => "TLS from the start",
        Security::StartTls => "STARTTLS",
        Security::Plain => "not encrypted; only allowed because the server is on this machine",
    };
    let ends = session.certificate.as_deref().and_then(certificate::validity).map(|validity| validity.until);
    let outcome = match ends {
        None => Ok(way.to_owned()),
        Some(end) => {
            let (days, date) = ((end - Utc::now()).num_days(), end.format("%-d %B %Y"));
            if days < SOON_DAYS {
                Err(format!(
                    "{way}; the server's certificate ends on {date}, in {days} days: have it renewed"
                ))
            } else {
                Ok(format!("{way}; the server's certificate is valid until {date} ({days} days)"))
            }
        }
    };
    ProbeStep { name: "encryption".into(), outcome }
}

fn abilities(session: &Session) -> ProbeStep {
    let tell = |name: &str, with: &str, without: &str| {
        format!("{name}: {}", if session.can(name) { with } else { without })
    };
    let text = [
        tell("IDLE", "new mail is announced", "no; the mailbox is polled"),
        tell("MOVE", "yes", "no; messages are copied, looked for, and then deleted"),
        tell("UIDPLUS", "yes", "no; originals may stay, marked as deleted"),
        tell("SPECIAL-USE", "yes", "no; the Sent folder is found by its name"),
    ];
    ProbeStep { name: "abilities".into(), outcome: Ok(text.join("; ")) }
}

async fn watched_folder(session: &mut Session, account: &ImapAccount, folder: &str) -> ProbeStep {
    let name = format!("folder {folder}");
    let found = match folder {
        SENT => return ProbeStep { name, outcome: Ok("see below".into()) },
        folder => folders::wire_name(session, folder).await,
    };
    let wire = match found {
        Ok(wire) => wire,
        Err(fault) => {
            return ProbeStep { name, outcome: Err(fault.at(&account.account, "LIST").to_string()) };
        }
    };
    // EXAMINE would always say read-only; SELECT alone changes nothing but \Recent.
    let outcome = match folders::open(session, &wire, account.filing != Filing::None).await {
        Ok(open) if open.uid_validity == 0 => {
            Err("the server gives no UIDVALIDITY; it cannot be watched".into())
        }
        Ok(open) if account.filing != Filing::None && !open.writable => Err(format!(
            "it can only be read by {}: give the account the right to change it, or set `filing` to `none`",
            account.account
        )),
        Ok(open) => {
            let keywords = if open.permits_keywords { "keywords are kept" } else { "keywords are not kept" };
            Ok(format!("{} messages, UIDVALIDITY {}, {keywords}", session.exists, open.uid_validity))
        }
        Err(Fault::Refused(refusal)) => Err(format!(
            "it cannot be opened: {}. The folders there are: {}",
            refusal.text,
            folders::some_names(session).await
        )),
        Err(lost) => Err(lost.at(&account.account, "SELECT").to_string()),
    };
    ProbeStep { name, outcome }
}
