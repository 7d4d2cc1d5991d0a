//! A mail server's store: folders, UIDs, and what staff and senders do to them. How it speaks stands in `talk`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use chrono::{DateTime, Utc};

use super::chance::Chance;

/// A message in a folder.
#[derive(Clone)]
pub struct Mail {
    pub uid: u32,
    pub bytes: Arc<[u8]>,
    pub received_at: DateTime<Utc>,
    pub deleted: bool,
}

impl Mail {
    /// The number of the letter of this world that it is; none of ours has one.
    pub fn letter(&self) -> Option<usize> {
        letter_in(&self.bytes)
    }

    /// Its header and the empty line.
    pub fn header(&self) -> &[u8] {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0);
        &self.bytes[..end + 4]
    }

    /// The line of its Message-ID, if it has one.
    pub fn message_id_line(&self) -> Option<&str> {
        std::str::from_utf8(self.header()).ok()?.split("\r\n").find(|line| line.starts_with("Message-ID:"))
    }
}

/// The number by which this world knows a letter.
pub fn letter_in(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, after) = text.split_once("X-Letter: ")?;
    after.split("\r\n").next()?.parse().ok()
}

/// A folder.
pub struct Folder {
    pub uid_validity: u32,
    pub uid_next: u32,
    pub mails: Vec<Mail>,
    /// UIDs went back under the same UIDVALIDITY, and the program has not noticed yet.
    pub rewound: bool,
    /// What arrives until then waits: a server that fills the old UIDs again at once cannot be seen through by anybody.
    pub held_back: Vec<(Arc<[u8]>, DateTime<Utc>)>,
}

/// What a server can do.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    pub moves: bool,
    pub uidplus: bool,
    pub idles: bool,
    pub special_use: bool,
    pub plain: bool,
    pub tells_uid_next: bool,
    pub tells_copyuid: bool,
    pub delimiter: char,
    /// Whatever is submitted appears in Sent by itself.
    pub keeps_copies: bool,
}

impl Abilities {
    /// A server as one meets them.
    pub fn of(chance: &mut Chance) -> Self {
        let modern = !chance.one_in(3);
        Self {
            moves: modern || chance.one_in(2),
            uidplus: modern || chance.one_in(2),
            idles: !chance.one_in(4),
            special_use: chance.one_in(2),
            plain: chance.one_in(2),
            tells_uid_next: !chance.one_in(5),
            tells_copyuid: !chance.one_in(5),
            delimiter: chance.pick(&['/', '.']),
            keeps_copies: chance.one_in(3),
        }
    }
}

/// One account's server.
pub struct Store {
    pub abilities: Abilities,
    pub folders: BTreeMap<String, Folder>,
    /// Connections made before the last restart are dead.
    pub generation: u64,
    /// Who waits to be told of news.
    pub waiting: Vec<Waker>,
    next_uid_validity: u32,
}

impl Store {
    /// An account that has been in use for long, and is empty.
    pub fn new(abilities: Abilities) -> Self {
        let mut store = Self {
            abilities,
            folders: BTreeMap::new(),
            generation: 0,
            waiting: Vec::new(),
            next_uid_validity: 7,
        };
        for name in ["INBOX", "Sent", "Trash"] {
            store.create(name);
        }
        store
    }

    /// Makes a folder, unless it is there.
    pub fn create(&mut self, name: &str) {
        if !self.folders.contains_key(name) {
            self.next_uid_validity += 1;
            let uid_validity = self.next_uid_validity;
            let folder = Folder {
                uid_validity,
                uid_next: 1,
                mails: Vec::new(),
                rewound: false,
                held_back: Vec::new(),
            };
            self.folders.insert(name.to_owned(), folder);
        }
    }

    /// Puts a message into a folder, which is made when missing; its UID, unless it waits.
    pub fn put(&mut self, folder: &str, bytes: Arc<[u8]>, received_at: DateTime<Utc>) -> Option<u32> {
        self.create(folder);
        let into = self.folders.get_mut(folder)?;
        if into.rewound {
            into.held_back.push((bytes, received_at));
            return None;
        }
        let uid = into.uid_next;
        into.uid_next += 1;
        into.mails.push(Mail { uid, bytes, received_at, deleted: false });
        self.tell();
        Some(uid)
    }

    /// Takes the first message of this number out of a folder.
    pub fn take(&mut self, folder: &str, letter: usize) -> Option<Mail> {
        let mails = &mut self.folders.get_mut(folder)?.mails;
        let at = mails.iter().position(|mail| mail.letter() == Some(letter) && !mail.deleted)?;
        let mail = mails.remove(at);
        self.tell();
        Some(mail)
    }

    /// Takes one message out of a folder.
    pub fn remove(&mut self, folder: &str, uid: u32) -> Option<Mail> {
        let mails = &mut self.folders.get_mut(folder)?.mails;
        let at = mails.iter().position(|mail| mail.uid == uid)?;
        let mail = mails.remove(at);
        self.tell();
        Some(mail)
    }

    /// The folders in which a letter lies, not marked as deleted; twice where it lies there twice.
    pub fn places(&self, letter: usize) -> Vec<String> {
        let is_it = |mail: &&Mail| mail.letter() == Some(letter) && !mail.deleted;
        let lies = |folder: &Folder| folder.mails.iter().filter(is_it).count();
        self.folders.iter().flat_map(|(name, folder)| vec![name.clone(); lies(folder)]).collect()
    }

    /// Every connection breaks.
    pub fn restart(&mut self) {
        self.generation += 1;
        self.tell();
    }

    /// The store was made anew: other UIDs, and it says so.
    pub fn change_uid_validity(&mut self, folder: &str) {
        self.next_uid_validity += 1;
        let uid_validity = self.next_uid_validity;
        let Some(of) = self.folders.get_mut(folder) else { return };
        of.uid_validity = uid_validity;
        of.number_anew();
        of.rewound = false;
        let held_back = std::mem::take(&mut of.held_back);
        self.restart();
        for (bytes, received_at) in held_back {
            self.put(folder, bytes, received_at);
        }
    }

    /// The store was made anew: other UIDs, and it does not say so. Only where that shows: UIDNEXT is lower than before.
    pub fn rewind(&mut self, folder: &str) {
        let Some(of) = self.folders.get_mut(folder) else { return };
        if !of.rewound && of.mails.len() + 1 < of.uid_next as usize {
            of.number_anew();
            of.rewound = true;
            self.restart();
        }
    }

    /// The program has noticed.
    pub fn rewind_noticed(&mut self, folder: &str) {
        let Some(of) = self.folders.get_mut(folder) else { return };
        of.rewound = false;
        for (bytes, received_at) in std::mem::take(&mut of.held_back) {
            self.put(folder, bytes, received_at);
        }
    }

    /// Wakes those who wait for news.
    pub fn tell(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Folder {
    fn number_anew(&mut self) {
        self.uid_next = 1;
        for mail in &mut self.mails {
            mail.uid = self.uid_next;
            self.uid_next += 1;
        }
    }
}
