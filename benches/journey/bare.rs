//! The bare client: the same crates, the same round trips to the server and the same commits as the program, and nothing else.
//! It reads no message, decides nothing, recognises nothing and cannot be interrupted.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use async_imap::Client;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, Status};
use rusqlite::{Connection, params};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::servers::PASSWORD;

/// How many messages a batch has, as in `daemon/watch_folder.rs`.
const BATCH: usize = 200;
/// One FETCH asks for at most so many messages and bytes, as in `mailbox/fetch.rs`.
const FETCH: (usize, u64) = (200, 4 << 20);
/// Larger messages are read so far.
const LIMIT: u64 = 1 << 20;
/// The folders that messages are filed into, by turns.
const FOLDERS: u32 = 8;

/// A connection on which commands are answered one after the other.
pub struct Imap {
    wire: Client<TcpStream>,
    tags: u32,
}

impl Imap {
    /// Connects, logs in, opens the INBOX.
    pub async fn open(port: u16, user: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut imap = Self { wire: Client::new(stream), tags: 0 };
        imap.wire.read_response().await.unwrap().unwrap();
        imap.run(&format!("LOGIN {user} \"{PASSWORD}\""), |_| ()).await;
        imap.run("SELECT INBOX", |_| ()).await;
        imap
    }

    async fn say(&mut self, line: &str) {
        self.wire.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }

    /// Says a command and hands its answers over.
    pub async fn run(&mut self, command: &str, mut each: impl FnMut(&Response<'_>)) {
        self.tags += 1;
        let tag = format!("B{}", self.tags);
        self.say(&format!("{tag} {command}")).await;
        loop {
            let data = self.wire.read_response().await.unwrap().unwrap();
            match data.parsed() {
                Response::Done { tag: theirs, status, .. } if theirs.0 == tag => {
                    assert!(*status == Status::Ok, "{command}");
                    return;
                }
                other => each(other),
            }
        }
    }

    /// Idles until a message arrives; returns when the server said so.
    pub async fn woken(&mut self) -> Instant {
        self.tags += 1;
        self.say(&format!("B{} IDLE", self.tags)).await;
        let woken = loop {
            let data = self.wire.read_response().await.unwrap().unwrap();
            if matches!(data.parsed(), Response::MailboxData(MailboxDatum::Exists(_))) {
                break Instant::now();
            }
        };
        self.say("DONE").await;
        loop {
            let data = self.wire.read_response().await.unwrap().unwrap();
            if matches!(data.parsed(), Response::Done { .. }) {
                return woken;
            }
        }
    }
}

/// Takes a whole INBOX in and files it; returns how long that took and how many messages it was.
pub async fn catch_up(port: u16, user: &str, database: &Path) -> (Duration, usize) {
    let mut record = record(database);
    let mut imap = Imap::open(port, user).await;
    let begun = Instant::now();
    for folder in 0..FOLDERS {
        imap.run(&format!("CREATE Triage/{folder}"), |_| ()).await;
    }
    let (mut after, mut all) = (0, 0);
    loop {
        imap.run("NOOP", |_| ()).await;
        let mut uids = Vec::new();
        imap.run(&format!("UID SEARCH UID {}:{}", after + 1, after + BATCH as u32), |response| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = response {
                uids.extend(found.iter().copied().filter(|uid| *uid > after));
            }
        })
        .await;
        uids.sort_unstable();
        uids.truncate(BATCH);
        let Some(last) = uids.last().copied() else { return (begun.elapsed(), all) };
        let sizes = sizes(&mut imap, &uids).await;
        let mut bodies = Vec::with_capacity(uids.len());
        for part in parts(&uids, &sizes) {
            fetch(&mut imap, &part, &sizes, &mut bodies).await;
        }
        enter(&mut record, &bodies, last);
        for folder in 0..FOLDERS {
            let here: Vec<u32> = uids.iter().copied().filter(|uid| uid % FOLDERS == folder).collect();
            if !here.is_empty() {
                imap.run(&format!("UID MOVE {} Triage/{folder}", set(&here)), |_| ()).await;
                settle(&mut record, &here);
            }
        }
        all += uids.len();
        after = last;
    }
}

async fn sizes(imap: &mut Imap, uids: &[u32]) -> BTreeMap<u32, u64> {
    let mut sizes = BTreeMap::new();
    imap.run(&format!("UID FETCH {} (UID INTERNALDATE RFC822.SIZE)", set(uids)), |response| {
        if let Response::Fetch(_, attributes) = response {
            let uid = attributes
                .iter()
                .find_map(|a| if let AttributeValue::Uid(uid) = a { Some(*uid) } else { None });
            let size = attributes
                .iter()
                .find_map(|a| if let AttributeValue::Rfc822Size(size) = a { Some(*size) } else { None });
            sizes.extend(uid.zip(size.map(u64::from)));
        }
    })
    .await;
    sizes
}

/// Small ones together, each large one by itself.
fn parts(uids: &[u32], sizes: &BTreeMap<u32, u64>) -> Vec<Vec<u32>> {
    let mut parts: Vec<Vec<u32>> = Vec::new();
    let mut bytes = u64::MAX;
    for uid in uids {
        let size = sizes.get(uid).copied().unwrap_or(LIMIT);
        match parts.last_mut() {
            Some(last) if size <= LIMIT && last.len() < FETCH.0 && bytes.saturating_add(size) <= FETCH.1 => {
                last.push(*uid);
                bytes += size;
            }
            _ => {
                parts.push(vec![*uid]);
                bytes = if size <= LIMIT { size } else { u64::MAX };
            }
        }
    }
    parts
}

async fn fetch(imap: &mut Imap, uids: &[u32], sizes: &BTreeMap<u32, u64>, into: &mut Vec<(u32, Vec<u8>)>) {
    let large = uids.iter().any(|uid| sizes.get(uid).is_some_and(|size| *size > LIMIT));
    let body = if large { format!("BODY.PEEK[]<0.{LIMIT}>") } else { "BODY.PEEK[]".to_owned() };
    imap.run(&format!("UID FETCH {} (UID INTERNALDATE {body})", set(uids)), |response| {
        if let Response::Fetch(_, attributes) = response {
            let mut uid = 0;
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(value) => uid = *value,
                    AttributeValue::BodySection { data: Some(data), .. } => into.push((uid, data.to_vec())),
                    _ => {}
                }
            }
        }
    })
    .await;
}

/// `1:4,7`
fn set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *uid => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let words: Vec<String> =
        ranges.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}:{b}") }).collect();
    words.join(",")
}

fn record(database: &Path) -> Connection {
    let record = Connection::open(database).unwrap();
    record
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE messages (uid INTEGER PRIMARY KEY, size INTEGER NOT NULL, head TEXT NOT NULL) STRICT;
             CREATE TABLE effects (uid INTEGER PRIMARY KEY, done INTEGER NOT NULL) STRICT;
             CREATE TABLE cursor (last INTEGER NOT NULL) STRICT;
             INSERT INTO cursor VALUES (0)",
        )
        .unwrap();
    record
}

/// One commit: the messages, what is to be done, the cursor.
fn enter(record: &mut Connection, bodies: &[(u32, Vec<u8>)], last: u32) {
    let tx = record.transaction().unwrap();
    for (uid, body) in bodies {
        let head = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        tx.prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3)")
            .unwrap()
            .execute(params![uid, body.len() as i64, head])
            .unwrap();
        tx.prepare_cached("INSERT INTO effects VALUES (?1, 0)").unwrap().execute([uid]).unwrap();
    }
    tx.execute("UPDATE cursor SET last = ?1", [last]).unwrap();
    tx.commit().unwrap();
}

/// One commit: these are filed.
fn settle(record: &mut Connection, uids: &[u32]) {
    let tx = record.transaction().unwrap();
    for uid in uids {
        tx.prepare_cached("UPDATE effects SET done = 1 WHERE uid = ?1").unwrap().execute([uid]).unwrap();
    }
    tx.commit().unwrap();
}
