//! A scripted IMAP server in this process that misbehaves on demand. It behaves by default: one INBOX with a few messages.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use send_triage::mailbox::{Credentials, ImapAccount, Pipe, Security};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::Notify;

/// What the server does instead of answering properly. `{t}` is the command's tag.
#[derive(Clone)]
pub enum Step {
    /// Sends this, with CRLF.
    Say(&'static str),
    /// Sends this as it stands.
    Raw(&'static [u8]),
    /// Falls silent for ever.
    Hang,
    /// Closes the connection.
    Close,
    /// Waits.
    Pause(u64),
    /// Says something that nobody asked for every so many seconds, for ever.
    Drip(&'static str, u64),
    /// Answers properly after all.
    Behave,
}

struct Rule {
    command: &'static str,
    times: usize,
    steps: Vec<Step>,
}

struct Message {
    bytes: Vec<u8>,
    received: String,
    deleted: bool,
}

/// When messages came that were there from the start.
const LONG_AGO: &str = " 5-Jan-2026 10:11:12 +0000";

/// What the server holds, and how it is to behave.
pub struct Fake {
    pub greeting: &'static str,
    pub capabilities: &'static str,
    pub uid_validity: u32,
    pub uid_next: u32,
    /// Courier tells UIDNEXT in STATUS only.
    pub uid_next_in_select: bool,
    /// Courier takes no APPEND while a folder is open read-only.
    pub appends_only_when_writable: bool,
    pub delimiter: char,
    pub folders: Vec<String>,
    /// Nobody listens at its port.
    pub is_away: bool,
    /// Sessions end after so many seconds, as on Exchange with their token.
    pub session_seconds: Option<u64>,
    messages: BTreeMap<u32, Message>,
    rules: Vec<Rule>,
    log: Vec<String>,
    connections: usize,
}

/// A handle that tests keep.
#[derive(Clone)]
pub struct Server(Arc<Mutex<Fake>>, Arc<Notify>);

impl Server {
    /// A server with messages of these UIDs.
    pub fn with(uids: &[u32]) -> Self {
        let message = |uid: &u32| {
            let text =
                format!("Message-ID: <{uid}@sender.example>\r\nSubject: number {uid}\r\n\r\nHello {uid}\r\n");
            (*uid, Message { bytes: text.into_bytes(), received: LONG_AGO.into(), deleted: false })
        };
        let fake = Fake {
            greeting: "* OK ready",
            capabilities: "IMAP4rev1 IDLE UIDPLUS MOVE",
            uid_validity: 7,
            uid_next: uids.iter().max().copied().unwrap_or(0) + 1,
            uid_next_in_select: true,
            appends_only_when_writable: false,
            delimiter: '/',
            folders: vec!["INBOX".into()],
            is_away: false,
            session_seconds: None,
            messages: uids.iter().map(message).collect(),
            rules: Vec::new(),
            log: Vec::new(),
            connections: 0,
        };
        Self(Arc::new(Mutex::new(fake)), Arc::new(Notify::new()))
    }

    /// A message arrives; whoever idles is told. Returns its UID.
    pub fn arrives(&self, bytes: Vec<u8>, at: DateTime<Utc>) -> u32 {
        let mut fake = self.0.lock().unwrap();
        let uid = fake.uid_next;
        fake.uid_next += 1;
        let received = at.format("%d-%b-%Y %H:%M:%S +0000").to_string();
        fake.messages.insert(uid, Message { bytes, received, deleted: false });
        self.1.notify_waiters();
        uid
    }

    /// Whatever was scripted: from now on it behaves.
    pub fn is_mended(&self) -> &Self {
        self.change(|fake| fake.rules.clear())
    }

    /// How many commands came.
    pub fn commands(&self) -> usize {
        self.0.lock().unwrap().log.len()
    }

    /// How many messages lie in INBOX.
    pub fn exists(&self) -> usize {
        self.0.lock().unwrap().messages.len()
    }

    /// From now on, the next so many commands that begin like this are answered by these steps.
    pub fn script(&self, command: &'static str, times: usize, steps: &[Step]) -> &Self {
        self.change(|fake| fake.rules.push(Rule { command, times, steps: steps.to_vec() }))
    }

    pub fn change(&self, change: impl FnOnce(&mut Fake)) -> &Self {
        change(&mut self.0.lock().unwrap());
        self
    }

    pub fn expunge(&self, uid: u32) -> &Self {
        self.change(|fake| drop(fake.messages.remove(&uid)))
    }

    pub fn mark_deleted(&self, uid: u32) -> &Self {
        self.change(|fake| fake.messages.get_mut(&uid).unwrap().deleted = true)
    }

    pub fn set_bytes(&self, uid: u32, bytes: Vec<u8>) -> &Self {
        self.change(|fake| fake.messages.get_mut(&uid).unwrap().bytes = bytes)
    }

    pub fn holds(&self, uid: u32) -> bool {
        self.0.lock().unwrap().messages.contains_key(&uid)
    }

    pub fn connections(&self) -> usize {
        self.0.lock().unwrap().connections
    }

    /// The commands that came and begin like this, without tags.
    pub fn heard(&self, command: &str) -> Vec<String> {
        self.0.lock().unwrap().log.iter().filter(|line| line.starts_with(command)).cloned().collect()
    }

    /// An account on this server.
    pub fn account(&self) -> ImapAccount {
        let secret = Credentials::Password(SecretString::from("secret".to_owned()));
        let server = self.clone();
        ImapAccount {
            security: Security::Plain,
            dialler: Some(Rc::new(move || {
                if server.0.lock().unwrap().is_away {
                    server.change(|fake| fake.connections += 1);
                    return Err(std::io::ErrorKind::ConnectionRefused.into());
                }
                let (near, far) = tokio::io::duplex(1 << 16);
                tokio::spawn(serve(server.clone(), far));
                Ok(Box::new(near) as Pipe)
            })),
            ..ImapAccount::new("general", "imap.council.example", "general", secret)
        }
    }

    fn steps(&self, command: &str) -> Vec<Step> {
        let mut fake = self.0.lock().unwrap();
        match fake.rules.iter_mut().find(|rule| rule.times > 0 && command.starts_with(rule.command)) {
            Some(rule) => {
                rule.times -= 1;
                rule.steps.clone()
            }
            None => vec![Step::Behave],
        }
    }
}

async fn serve(server: Server, stream: DuplexStream) {
    let (read, mut write) = tokio::io::split(stream);
    let longest = server.0.lock().unwrap().session_seconds.unwrap_or(u64::MAX / 2);
    let talk = converse(server, BufReader::new(read), &mut write); // The client may leave whenever it likes.
    if tokio::time::timeout(Duration::from_secs(longest), talk).await.is_err() {
        let _ = write.write_all(b"* BYE Session invalidated - AccessTokenExpired\r\n").await;
    }
}

async fn converse(
    server: Server,
    mut read: BufReader<ReadHalf<DuplexStream>>,
    write: &mut WriteHalf<DuplexStream>,
) -> std::io::Result<()> {
    let greeting = server.0.lock().unwrap().greeting;
    server.0.lock().unwrap().connections += 1;
    for step in server.steps("(greeting)") {
        match step {
            Step::Say(text) => write.write_all(format!("{text}\r\n").as_bytes()).await?,
            Step::Raw(bytes) => write.write_all(bytes).await?,
            Step::Behave => write.write_all(format!("{greeting}\r\n").as_bytes()).await?,
            Step::Pause(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Step::Drip(text, seconds) => drip(write, text, seconds).await?,
            Step::Hang => std::future::pending().await,
            Step::Close => return Ok(()),
        }
    }
    let mut idle_tag = String::new();
    let mut idling = None;
    loop {
        let mut line = String::new();
        loop {
            let news = server.1.notified();
            let exists = server.exists();
            if idling.is_some_and(|known| exists > known) {
                idling = Some(exists);
                write.write_all(format!("* {exists} EXISTS\r\n").as_bytes()).await?;
            }
            tokio::select! {
                count = read.read_line(&mut line) => {
                    if count? == 0 {
                        return Ok(());
                    }
                    break;
                }
                () = news, if idling.is_some() => {}
            }
        }
        idling = None;
        let line = line.trim_end();
        let (tag, command) = match line.split_once(' ') {
            Some((tag, command)) => (tag.to_owned(), command.to_owned()),
            None => (idle_tag.clone(), line.to_owned()), // DONE
        };
        server.0.lock().unwrap().log.push(command.clone());
        if command.starts_with("IDLE") {
            idle_tag.clone_from(&tag);
        }
        for step in server.steps(&command) {
            match step {
                Step::Say(text) => {
                    write.write_all(format!("{}\r\n", text.replace("{t}", &tag)).as_bytes()).await?
                }
                Step::Raw(bytes) => write.write_all(bytes).await?,
                Step::Hang => std::future::pending().await,
                Step::Close => return Ok(()),
                Step::Pause(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                Step::Drip(text, seconds) => drip(write, text, seconds).await?,
                Step::Behave => {
                    let exists = server.exists();
                    let answer = server.0.lock().unwrap().answer(&tag, &command);
                    write.write_all(&answer).await?;
                    if !answer.starts_with(b"+") {
                        continue;
                    }
                    idling = command.starts_with("IDLE").then_some(exists);
                    if let Some(size) =
                        command.strip_suffix('}').and_then(|c| c.rsplit_once('{')?.1.parse().ok())
                    {
                        let mut literal = vec![0; size];
                        read.read_exact(&mut literal).await?;
                        read.read_line(&mut String::new()).await?;
                        write.write_all(format!("{tag} OK [APPENDUID 9 1] done\r\n").as_bytes()).await?;
                    }
                }
            }
        }
    }
}

async fn drip(write: &mut WriteHalf<DuplexStream>, text: &str, seconds: u64) -> std::io::Result<()> {
    loop {
        write.write_all(format!("{text}\r\n").as_bytes()).await?;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

impl Fake {
    /// What was scripted for commands that begin like this is over.
    pub fn forget_rules(&mut self, command: &str) {
        self.rules.retain(|rule| rule.command != command);
    }

    fn answer(&mut self, tag: &str, command: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let words: Vec<&str> = command.split(' ').collect();
        match (words[0], words.get(1).copied().unwrap_or_default()) {
            ("CAPABILITY", _) => say(&mut out, &format!("* CAPABILITY {}", self.capabilities)),
            ("SELECT" | "EXAMINE", _) => {
                say(&mut out, &format!("* {} EXISTS", self.messages.len()));
                say(&mut out, &format!("* OK [UIDVALIDITY {}] ok", self.uid_validity));
                if self.uid_next_in_select {
                    say(&mut out, &format!("* OK [UIDNEXT {}] ok", self.uid_next));
                }
            }
            ("STATUS", _) => say(&mut out, &format!("* STATUS INBOX (UIDNEXT {})", self.uid_next)),
            ("LIST", _) => {
                let pattern =
                    command.rsplit_once(" \"").map_or("", |(_, pattern)| pattern.trim_end_matches('"'));
                if pattern.is_empty() {
                    say(&mut out, &format!("* LIST (\\Noselect) \"{}\" \"\"", self.delimiter));
                }
                for folder in self.folders.iter().filter(|folder| is_like(folder, pattern, self.delimiter)) {
                    say(&mut out, &format!("* LIST () \"{}\" \"{folder}\"", self.delimiter));
                }
            }
            ("CREATE", name) => self.folders.push(name.trim_matches('"').to_owned()),
            ("APPEND", _) if self.appends_only_when_writable && self.is_open_read_only() => {
                say(&mut out, &format!("{tag} NO Current box is selected READ-ONLY."));
                return out;
            }
            ("IDLE" | "APPEND", _) => {
                say(&mut out, "+ go on");
                return out;
            }
            ("UID", "SEARCH") => {
                let uids: Vec<String> = self.search(&words[2..]).iter().map(u32::to_string).collect();
                say(&mut out, &format!("* SEARCH {}", uids.join(" ")));
            }
            ("UID", "FETCH") => {
                let partial =
                    command.split_once("<0.").and_then(|(_, rest)| rest.split('>').next()?.parse().ok());
                for (sequence, (uid, message)) in self.messages.iter().enumerate() {
                    if !matches(words[2], *uid) {
                        continue;
                    }
                    let date = format!("INTERNALDATE \"{}\"", message.received);
                    let head = format!(
                        "* {} FETCH (UID {uid} {date} RFC822.SIZE {}",
                        sequence + 1,
                        message.bytes.len()
                    );
                    out.extend(head.as_bytes());
                    if command.contains("BODY") {
                        let end = message.bytes.len().min(partial.unwrap_or(usize::MAX));
                        let origin = if partial.is_some() { "<0>" } else { "" };
                        out.extend(format!(" BODY[]{origin} {{{end}}}\r\n").as_bytes());
                        out.extend(&message.bytes[..end]);
                    }
                    out.extend(b")\r\n");
                }
            }
            ("UID", "STORE") if command.contains("\\Deleted") => {
                self.messages
                    .iter_mut()
                    .filter(|(uid, _)| matches(words[2], **uid))
                    .for_each(|(_, it)| it.deleted = true);
            }
            ("UID", "MOVE") => {
                if self.messages.keys().any(|uid| matches(words[2], *uid)) {
                    say(&mut out, &format!("* OK [COPYUID 9 {} 1] moved", words[2]));
                }
                self.messages.retain(|uid, _| !matches(words[2], *uid));
            }
            ("UID", "EXPUNGE") => self.messages.retain(|uid, _| !matches(words[2], *uid)),
            ("EXPUNGE", _) => self.messages.retain(|_, message| !message.deleted),
            _ => {}
        }
        say(&mut out, &format!("{tag} OK done"));
        out
    }

    fn is_open_read_only(&self) -> bool {
        let opened =
            self.log.iter().rev().find(|line| line.starts_with("SELECT") || line.starts_with("EXAMINE"));
        opened.is_some_and(|line| line.starts_with("EXAMINE"))
    }

    fn search(&self, words: &[&str]) -> Vec<u32> {
        let last = self.messages.keys().max().copied();
        match words {
            ["UID", set] => {
                // `n:*` always means the last message too.
                let star = set.ends_with(":*").then_some(last).flatten();
                self.messages.keys().copied().filter(|uid| matches(set, *uid) || Some(*uid) == star).collect()
            }
            ["DELETED"] => self.messages.iter().filter(|(_, it)| it.deleted).map(|(uid, _)| *uid).collect(),
            _ => Vec::new(),
        }
    }
}

fn say(out: &mut Vec<u8>, line: &str) {
    out.extend(line.as_bytes());
    out.extend(b"\r\n");
}

fn is_like(folder: &str, pattern: &str, delimiter: char) -> bool {
    match (pattern, pattern.strip_suffix('%')) {
        ("*", _) => true,
        (_, Some(start)) => folder.strip_prefix(start).is_some_and(|rest| !rest.contains(delimiter)),
        (_, None) => folder == pattern,
    }
}

fn matches(set: &str, uid: u32) -> bool {
    set.split(',').any(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let last = if last == "*" { u32::MAX } else { last.parse().unwrap() };
        (first.parse().unwrap()..=last).contains(&uid)
    })
}
