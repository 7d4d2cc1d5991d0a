//! Folders on the server: how they are named there, opened, created, and which one is Sent. RFC 9051 sections 6.3 and 7.3.1,
//! RFC 6154 (special use). NAMESPACE is not asked for, because the codec cannot read its answer.

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response, ResponseCode, StatusAttribute};
use tracing::debug;

use super::MailboxError;
use super::account::ImapAccount;
use super::fetch::search;
use super::names::{Naming, quoted};
use super::session::{Fault, Pace, Selected, Session, ok_code};

/// What Sent is called where the server does not say which folder it is.
const SENT_NAMES: [&str; 33] = [
    "sent",
    "sent items",
    "sent mail",
    "sent messages",
    "sent-mail",
    "gesendet",
    "gesendete elemente",
    "gesendete objekte",
    "envoyés",
    "éléments envoyés",
    "enviados",
    "verzonden items",
    "verzonden",
    "verzonden berichten",
    "gesendete nachrichten",
    "messages envoyés",
    "objets envoyés",
    "elementos enviados",
    "mensajes enviados",
    "correo enviado",
    "itens enviados",
    "mensagens enviadas",
    "posta inviata",
    "elementi inviati",
    "inviati",
    "wysłane",
    "elementy wysłane",
    "skickat",
    "skickade objekt",
    "sendt",
    "sendte elementer",
    "anfonwyd",
    "eitemau a anfonwyd",
];

/// A folder as LIST shows it.
pub(super) struct Listed {
    pub wire_name: String,
    delimiter: Option<char>,
    pub selectable: bool,
    /// Marked \\Sent.
    pub sent: bool,
}

/// The arguments of LIST for a name or pattern.
fn beneath(pattern: &str) -> String {
    format!("\"\" {}", quoted(pattern))
}

async fn list(session: &mut Session, arguments: &str) -> Result<Vec<Listed>, Fault> {
    let mut listed = Vec::new();
    session
        .run(&format!("LIST {arguments}"), Pace::Prompt, |response| {
            if let Response::MailboxData(MailboxDatum::List(item)) = response {
                let has = |wanted: &NameAttribute<'_>| item.name_attributes.contains(wanted);
                listed.push(Listed {
                    wire_name: item.name.to_string(),
                    delimiter: item.delimiter.as_deref().and_then(|delimiter| delimiter.chars().next()),
                    selectable: !has(&NameAttribute::NoSelect),
                    sent: has(&NameAttribute::Sent),
                });
            }
        })
        .await?;
    Ok(listed)
}

/// Every folder that the server shows.
pub(super) async fn every(session: &mut Session) -> Result<Vec<Listed>, Fault> {
    let special = session.can("SPECIAL-USE") && session.can("LIST-EXTENDED");
    list(session, if special { "\"\" \"*\" RETURN (SPECIAL-USE)" } else { "\"\" \"*\"" }).await
}

/// How this server names folders, asked once for a connection.
pub(super) async fn naming(session: &mut Session) -> Result<Naming, Fault> {
    if let Some(known) = &session.naming {
        return Ok(known.clone());
    }
    let root = match list(session, "\"\" \"\"").await {
        Err(Fault::Refused(_)) => Vec::new(), // Not all servers know this question.
        answered => answered?,
    };
    let top = list(session, "\"\" \"%\"").await?;
    let delimiter = root.iter().chain(&top).find_map(|folder| folder.delimiter);
    let mut prefix = String::new();
    if let Some(delimiter) = delimiter {
        // Courier, and Cyrus as it comes, keep a person's folders beneath INBOX: nothing else of hers stands at the top.
        let shared = ["#", "user", "shared", "other users", "public"];
        let alone = top.iter().all(|folder| {
            let name = folder.wire_name.trim_end_matches(delimiter).to_lowercase();
            name == "inbox" || shared.iter().any(|kind| name.starts_with(kind))
        });
        let beneath_inbox = format!("INBOX{delimiter}");
        if alone
            && list(session, &beneath(&format!("{beneath_inbox}%"))).await?.iter().any(|folder| {
                let start = folder.wire_name.get(..beneath_inbox.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(&beneath_inbox))
            })
        {
            prefix = beneath_inbox;
        }
    }
    let naming = Naming { delimiter, prefix };
    session.naming = Some(naming.clone());
    Ok(naming)
}

/// The server's name for one of our folders.
pub(super) async fn wire_name(session: &mut Session, folder: &str) -> Result<String, Fault> {
    if folder.eq_ignore_ascii_case("INBOX") {
        return Ok("INBOX".into());
    }
    Ok(naming(session).await?.wire(folder))
}

/// Opens a folder by the server's name, for writing or only for looking (EXAMINE).
pub(super) async fn open(session: &mut Session, wire_name: &str, writing: bool) -> Result<Selected, Fault> {
    session.selected = None;
    session.exists = 0;
    let mut opened = Selected {
        recent: 0,
        wire_name: wire_name.to_owned(),
        writable: writing,
        uid_validity: 0,
        uid_next: 0,
        tells_uid_next: false,
        permits_flagged: true,
        permits_keywords: false,
    };
    let verb = if writing { "SELECT" } else { "EXAMINE" };
    session
        .run(&format!("{verb} {}", quoted(wire_name)), Pace::Prompt, |response| match ok_code(response) {
            None => {
                if let Response::MailboxData(MailboxDatum::Recent(messages)) = response {
                    opened.recent = *messages;
                }
            }
            Some(ResponseCode::UidValidity(value)) => opened.uid_validity = *value,
            Some(ResponseCode::UidNext(value)) => opened.uid_next = *value,
            Some(ResponseCode::ReadOnly) => opened.writable = false,
            Some(ResponseCode::PermanentFlags(flags)) => {
                opened.permits_keywords = flags.iter().any(|flag| flag == "\\*");
                opened.permits_flagged = flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Flagged"));
            }
            _ => {}
        })
        .await?;
    session.news = false;
    opened.tells_uid_next = opened.uid_next != 0;
    if !opened.tells_uid_next {
        (opened.uid_next, opened.tells_uid_next) = uid_next(session, wire_name).await?;
    }
    session.selected = Some(opened.clone());
    Ok(opened)
}

/// UIDNEXT where SELECT does not tell it (Courier): by STATUS, else one above the last message. Whether the server told it.
async fn uid_next(session: &mut Session, wire_name: &str) -> Result<(u32, bool), Fault> {
    let mut next = None;
    let command = format!("STATUS {} (UIDNEXT)", quoted(wire_name));
    let asked = session.run(&command, Pace::Prompt, |response| {
        if let Response::MailboxData(MailboxDatum::Status { status, .. }) = response {
            next = status.iter().find_map(|item| match item {
                StatusAttribute::UidNext(value) => Some(*value),
                _ => None,
            });
        }
    });
    match asked.await {
        Err(Fault::Lost(why)) => return Err(Fault::Lost(why)),
        Ok(()) | Err(Fault::Refused(_)) => {}
    }
    match next {
        Some(next) => Ok((next, true)),
        None if session.exists == 0 => Ok((1, false)),
        None => Ok((search(session, "UID *").await?.last().copied().unwrap_or(0).saturating_add(1), false)),
    }
}

async fn has_only_inbox(session: &mut Session) -> Result<bool, Fault> {
    let top = list(session, "\"\" \"%\"").await?;
    Ok(top.iter().all(|folder| folder.wire_name.eq_ignore_ascii_case("INBOX")))
}

/// Creates a folder, and what is missing above it.
pub(super) async fn create(session: &mut Session, account: &str, folder: &str) -> Result<(), MailboxError> {
    let step = || format!("creating the folder {folder}");
    let naming = naming(session).await.map_err(|fault| fault.at(account, step()))?;
    let mut tries = vec![naming.clone()];
    if let (Some(delimiter), true) = (naming.delimiter, naming.prefix.is_empty())
        && has_only_inbox(session).await.map_err(|fault| fault.at(account, step()))?
    {
        // A fresh Courier account has nothing but INBOX to learn from. Where there are other folders, a CREATE that was
        // refused for a moment must not lead to a second tree of folders beneath INBOX.
        tries.push(Naming { delimiter: Some(delimiter), prefix: format!("INBOX{delimiter}") });
    }
    let mut refusal = None;
    for naming in tries {
        for level in naming.levels(folder) {
            match session.order(&format!("CREATE {}", quoted(&level))).await {
                Ok(()) => {
                    debug!(account, "Created a folder.");
                    let _ = session.order(&format!("SUBSCRIBE {}", quoted(&level))).await;
                }
                Err(Fault::Refused(why)) => refusal = Some(why), // It may be there already.
                Err(lost) => return Err(lost.at(account, step())),
            }
        }
        let wire = naming.wire(folder);
        let there = list(session, &beneath(&wire)).await.map_err(|f| f.at(account, step()))?;
        if there.iter().any(|folder| folder.selectable) {
            session.naming = Some(naming);
            return Ok(());
        }
    }
    let said = refusal.map_or_else(|| "it is not listed after CREATE".to_owned(), |why| why.text);
    Err(MailboxError::NeedsAPerson {
        account: account.to_owned(),
        step: step(),
        problem: format!("the server refused: {said}"),
        remedy: "Create the folder by hand, or give the account the right to create folders".into(),
    })
}

/// Whether a folder of this name is listed and can be opened.
pub(super) async fn exists(session: &mut Session, wire_name: &str) -> Result<bool, Fault> {
    Ok(list(session, &beneath(wire_name)).await?.iter().any(|folder| folder.selectable))
}

/// The names of some folders that are there, in our spelling, for an error message.
pub(super) async fn some_names(session: &mut Session) -> String {
    let Ok(naming) = naming(session).await else { return String::new() };
    let Ok(listed) = list(session, "\"\" \"*\"").await else { return String::new() };
    let names: Vec<String> = listed
        .iter()
        .filter(|folder| folder.selectable)
        .take(20)
        .map(|folder| naming.ours(&folder.wire_name))
        .collect();
    names.join(", ")
}

/// The server's name of the Sent folder: as configured, as marked \Sent, or by its usual names; created when there is none
/// and `may_create`.
pub(super) async fn sent_folder(
    session: &mut Session,
    account: &ImapAccount,
    may_create: bool,
) -> Result<Option<String>, MailboxError> {
    if let Some(known) = &session.sent_folder {
        return Ok(Some(known.clone()));
    }
    let at = |fault: Fault| fault.at(&account.account, "looking for the Sent folder");
    if let Some(configured) = &account.sent_folder {
        let wire = wire_name(session, configured).await.map_err(at)?;
        let there = list(session, &beneath(&wire)).await.map_err(at)?;
        if there.is_empty() {
            if !may_create {
                return Ok(None);
            }
            create(session, &account.account, configured).await?;
        }
        let wire = wire_name(session, configured).await.map_err(at)?;
        session.sent_folder = Some(wire.clone());
        return Ok(Some(wire));
    }
    let naming = naming(session).await.map_err(at)?;
    let listed = every(session).await.map_err(at)?;
    let named = |folder: &&Listed| {
        let name = naming.ours(&folder.wire_name).to_lowercase();
        let position =
            SENT_NAMES.iter().position(|sent| *sent == name || name.ends_with(&format!("/{sent}")));
        position.map(|position| (name.matches('/').count(), position))
    };
    let selectable = || listed.iter().filter(|folder| folder.selectable);
    let found = selectable()
        .find(|folder| folder.sent)
        .or_else(|| selectable().filter(|folder| named(folder).is_some()).min_by_key(|folder| named(folder)));
    let wire = match found {
        Some(folder) => folder.wire_name.clone(),
        None if !may_create => return Ok(None),
        None => {
            create(session, &account.account, "Sent").await?;
            wire_name(session, "Sent").await.map_err(at)?
        }
    };
    session.sent_folder = Some(wire.clone());
    Ok(Some(wire))
}
