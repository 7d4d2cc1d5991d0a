//! Which messages lie in a folder, by Message-ID alone: looked at now and then, never touched (EXAMINE), cheap where nothing
//! has changed. It remembers what it saw; a look that fails leaves that as it was. RFC 9051 sections 6.3.3 and 6.4.5.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::account::{Accounts, FolderAccount, ImapAccount};
use super::connect::connect;
use super::copies::message_id;
use super::fetch::{Piece, fetch, search};
use super::folder;
use super::folder_files::Place;
use super::folders;
use super::session::{Fault, Session};
use super::{MailboxError, SENT};
use crate::message::{self, MessageRef};

/// So many headers are asked for at a time.
const AT_ONCE: usize = 500;

/// The folders of one account, as they were last seen.
pub struct Overview {
    account: String,
    source: Source,
    seen: BTreeMap<String, Sight>,
}

enum Source {
    Server { account: Box<ImapAccount>, session: Box<Option<Session>> },
    Disk(FolderAccount),
}

/// One folder as it was last seen.
#[derive(Default)]
struct Sight {
    uid_validity: u32,
    uid_next: u32,
    /// Message-IDs by what a message is called there: its UID, or its file's name.
    ids: BTreeMap<String, Option<String>>,
}

impl Overview {
    /// One for each account. Nothing is opened before it is used.
    pub fn of_all(accounts: &Accounts) -> Vec<Self> {
        let servers = accounts.imap.iter().map(|imap| {
            let source = Source::Server { account: Box::new(imap.clone()), session: Box::new(None) };
            Self { account: imap.account.clone(), source, seen: BTreeMap::new() }
        });
        let disks = accounts.folders.iter().map(|disk| Self {
            account: disk.account.clone(),
            source: Source::Disk(disk.clone()),
            seen: BTreeMap::new(),
        });
        servers.chain(disks).collect()
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The Message-IDs in a folder as it was last seen.
    pub fn ids(&self, folder: &str) -> impl Iterator<Item = &str> {
        self.seen.get(folder).into_iter().flat_map(|sight| sight.ids.values()).filter_map(Option::as_deref)
    }

    /// Looks into a folder. Whether anything in it has changed since the last look; a folder that is not there is empty.
    pub async fn look(&mut self, folder: &str) -> Result<bool, MailboxError> {
        let before = self.seen.get(folder);
        let after = match &mut self.source {
            Source::Server { account, session } => {
                let mut taken = match session.take().filter(Session::is_usable) {
                    Some(kept) => kept,
                    None => connect(account).await?,
                };
                let looked = on_server(&mut taken, account, folder, before).await;
                // After a refusal the connection stands; a lost one is made anew.
                **session = Some(taken).filter(Session::is_usable);
                looked?
            }
            Source::Disk(account) => on_disk(account, folder, before)?,
        };
        let Some(after) = after else { return Ok(false) };
        let changed = before.is_none_or(|before| before.ids != after.ids);
        self.seen.insert(folder.to_owned(), after);
        Ok(changed)
    }

    /// Says goodbye.
    pub async fn close(&mut self) {
        if let Source::Server { session, .. } = &mut self.source
            && let Some(session) = session.take()
        {
            session.log_out().await;
        }
    }
}

/// `None`: nothing has changed.
async fn on_server(
    session: &mut Session,
    account: &ImapAccount,
    folder: &str,
    before: Option<&Sight>,
) -> Result<Option<Sight>, MailboxError> {
    let at = |fault: Fault| fault.at(&account.account, format!("looking into the folder {folder}"));
    debug_assert!(folder != SENT, "what was sent is no filing folder");
    let wire = folders::wire_name(session, folder).await.map_err(at)?;
    if !folders::exists(session, &wire).await.map_err(at)? {
        return Ok(Some(Sight::default()));
    }
    let open = folders::open(session, &wire, false).await.map_err(at)?;
    // A UIDNEXT that went back: UIDs have been given out anew, whatever UIDVALIDITY says.
    let same = before.filter(|before| {
        before.uid_validity == open.uid_validity
            && before.uid_validity != 0
            && before.uid_next <= open.uid_next
    });
    let exists = usize::try_from(session.exists).unwrap_or(usize::MAX);
    if same.is_some_and(|before| before.uid_next == open.uid_next && before.ids.len() == exists) {
        return Ok(None);
    }
    let present: BTreeSet<u32> = search(session, "ALL").await.map_err(at)?.into_iter().collect();
    let mut ids: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut new = Vec::new();
    for uid in present {
        match same.and_then(|before| before.ids.get_key_value(&uid.to_string())) {
            Some((name, id)) => {
                ids.insert(name.clone(), id.clone());
            }
            None => new.push(uid),
        }
    }
    for uids in new.chunks(AT_ONCE) {
        let mut pieces: BTreeMap<u32, Piece> = BTreeMap::new();
        session.allow_literals_up_to(1 << 20);
        fetch(session, uids, "UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]", &mut pieces).await.map_err(at)?;
        for uid in uids {
            // Taken for absent, a message that the server only failed to show would look as if staff had moved it.
            let Some(header) = pieces.remove(uid).and_then(|piece| piece.bytes) else {
                return Err(at(Fault::Lost("the server does not show all that lies there".into())));
            };
            ids.insert(uid.to_string(), message_id(&header));
        }
    }
    Ok(Some(Sight { uid_validity: open.uid_validity, uid_next: open.uid_next, ids }))
}

fn on_disk(
    account: &FolderAccount,
    folder: &str,
    before: Option<&Sight>,
) -> Result<Option<Sight>, MailboxError> {
    let place = Place::of(account.kind, &account.root, folder);
    let trouble = |error: io::Error| folder::trouble(account, "reading", &place.directory, &error);
    let files = match place.messages() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && account.root.is_dir() => BTreeMap::new(),
        other => other.map_err(trouble)?,
    };
    let mut sight = Sight::default();
    for (name, path) in files {
        let name = name.to_string();
        if let Some(known) = before.and_then(|before| before.ids.get(&name)) {
            sight.ids.insert(name, known.clone());
            continue;
        }
        let nowhere = MessageRef { account: String::new(), folder: String::new(), uid_validity: 0, uid: 0 };
        match folder::read(&path, nowhere) {
            Ok(raw) => {
                let id = message::parse(&raw.bytes, raw.size_bytes).message_id;
                sight.ids.insert(name, id);
            }
            // It was moved meanwhile, and is met where it lies now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(trouble(error)),
        }
    }
    Ok(Some(sight))
}
