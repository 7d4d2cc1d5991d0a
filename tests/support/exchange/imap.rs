//! The IMAP side of the server that talks like Exchange Online.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::{Folder, TOKEN, Tenant};

const CAPABILITIES: &str = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES \
    CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+";
const FLAGS: &str = "\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent";
/// How far RFC822.SIZE is off.
const ESTIMATE: usize = 137;

struct Talk {
    tenant: Arc<Mutex<Tenant>>,
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    user: Option<String>,
    open: Option<(String, bool)>,
}

pub(super) async fn serve(tenant: Arc<Mutex<Tenant>>, stream: TcpStream) {
    let longest = {
        let mut tenant = tenant.lock().unwrap();
        tenant.imap_sessions += 1;
        tenant.session.unwrap_or(Duration::from_secs(3600))
    };
    let (read, write) = stream.into_split();
    let mut talk = Talk { tenant, read: BufReader::new(read), write, user: None, open: None };
    if tokio::time::timeout(longest, talk.converse()).await.is_err() {
        let _ = talk.write.write_all(b"* BYE Session invalidated - AccessTokenExpired\r\n").await;
    }
}

impl Talk {
    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.write.write_all(format!("{line}\r\n").as_bytes()).await
    }

    async fn converse(&mut self) -> std::io::Result<()> {
        self.say(
            "* OK The Microsoft Exchange IMAP4 service is ready. [TABPADQAUAAxADIAMwBDAEEAMAAwADAAMQ==]",
        )
        .await?;
        loop {
            let mut line = String::new();
            if self.read.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            let Some((tag, command)) = line.split_once(' ') else { continue };
            let odd = {
                let mut tenant = self.tenant.lock().unwrap();
                tenant.log.push(format!("imap {command}"));
                tenant.odd(&format!("imap {command}"))
            };
            match odd {
                Some(says) => self.say(&format!("{tag} {says}")).await?,
                None => self.answer(tag, command).await?,
            }
            if command == "LOGOUT" {
                return Ok(());
            }
        }
    }

    async fn answer(&mut self, tag: &str, command: &str) -> std::io::Result<()> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        match verb {
            "CAPABILITY" => {
                self.say(&format!("* CAPABILITY {CAPABILITIES}")).await?;
                self.say(&format!("{tag} OK CAPABILITY completed.")).await
            }
            "LOGOUT" => {
                self.say("* BYE Microsoft Exchange Server IMAP4 server signing off.").await?;
                self.say(&format!("{tag} OK LOGOUT completed.")).await
            }
            "NOOP" => self.say(&format!("{tag} OK NOOP completed.")).await,
            "AUTHENTICATE" => {
                let proof = rest.strip_prefix("XOAUTH2 ").and_then(unpacked);
                let granted = proof.and_then(|proof| {
                    let (user, rest) = proof.strip_prefix("user=")?.split_once('\x01')?;
                    let is_good = rest == format!("auth=Bearer {TOKEN}\x01\x01");
                    let there = self.tenant.lock().unwrap().mailboxes.contains_key(user);
                    (is_good && there).then(|| user.to_owned())
                });
                let ok = granted.is_some();
                self.user = granted;
                self.say(&format!(
                    "{tag} {}",
                    if ok { "OK AUTHENTICATE completed." } else { "NO AUTHENTICATE failed." }
                ))
                .await
            }
            "LOGIN" => self.say(&format!("{tag} NO LOGIN failed.")).await,
            _ if self.user.is_none() => {
                self.say(&format!("{tag} BAD Command received in Invalid state.")).await
            }
            "IDLE" => self.idle(tag).await,
            "APPEND" => self.append(tag, rest).await,
            "UID" if rest.starts_with("MOVE") => {
                let takes = self.tenant.lock().unwrap().move_takes;
                tokio::time::sleep(takes).await;
                self.at_once(tag, verb, rest).await
            }
            _ => self.at_once(tag, verb, rest).await,
        }
    }

    /// Commands that only look at and change the mailbox.
    async fn at_once(&mut self, tag: &str, verb: &str, rest: &str) -> std::io::Result<()> {
        let mut out: Vec<u8> = Vec::new();
        let end = {
            let mut tenant = self.tenant.lock().unwrap();
            let folders = tenant.mailboxes.get_mut(self.user.as_ref().unwrap()).unwrap();
            let validity = 16 + u32::try_from(folders.len()).unwrap();
            let mut line = |text: String| out.extend(format!("{text}\r\n").into_bytes());
            match verb {
                "LIST" => {
                    let pattern = rest.rsplit_once(" \"").map_or("", |(_, p)| p.trim_end_matches('"'));
                    if pattern.is_empty() {
                        line("* LIST (\\Noselect \\HasChildren) \"/\" \"\"".into());
                    }
                    for name in folders.keys() {
                        let top = pattern != "%" || !name.contains('/');
                        if pattern == name || pattern == "*" || (pattern == "%" && top) {
                            line(format!("* LIST (\\HasNoChildren) \"/\" \"{name}\""));
                        }
                    }
                    "OK LIST completed.".to_owned()
                }
                "SELECT" | "EXAMINE" => match folders.get(rest.trim_matches('"')) {
                    None => {
                        self.open = None;
                        format!("NO {} doesn't exist.", rest.trim_matches('"'))
                    }
                    Some(folder) => {
                        let writable = verb == "SELECT";
                        self.open = Some((rest.trim_matches('"').to_owned(), writable));
                        line(format!("* {} EXISTS", folder.mails.len()));
                        line("* 0 RECENT".into());
                        line(format!("* FLAGS ({FLAGS})"));
                        let permanent = if writable { FLAGS } else { "" };
                        line(format!("* OK [PERMANENTFLAGS ({permanent})] Permanent flags"));
                        line(format!("* OK [UIDVALIDITY {}] UIDVALIDITY value", folder.uid_validity));
                        line(format!("* OK [UIDNEXT {}] The next unique identifier value", folder.uid_next));
                        let mode = if writable { "READ-WRITE" } else { "READ-ONLY" };
                        format!("OK [{mode}] {verb} completed.")
                    }
                },
                "STATUS" => {
                    let name = rest.split('"').nth(1).unwrap_or_default();
                    let next = folders.get(name).map_or(0, |folder| folder.uid_next);
                    line(format!("* STATUS \"{name}\" (UIDNEXT {next})"));
                    "OK STATUS completed.".to_owned()
                }
                "CREATE" => {
                    let name = rest.trim_matches('"').to_owned();
                    let fresh = Folder { uid_validity: validity, uid_next: 1, mails: Vec::new() };
                    match folders.contains_key(&name) {
                        true => format!("NO Mailbox {name} already exists."),
                        false => {
                            folders.insert(name, fresh);
                            "OK CREATE completed.".to_owned()
                        }
                    }
                }
                "SUBSCRIBE" => "OK SUBSCRIBE completed.".to_owned(),
                "EXPUNGE" | "UID" => match &self.open {
                    None => "BAD Command received in Invalid state.".to_owned(),
                    Some((open, writable)) => {
                        let words = if verb == "UID" { rest.to_owned() } else { "EXPUNGE 1:*".to_owned() };
                        in_folder(folders, open, *writable, &words, &mut out)
                    }
                },
                _ => "BAD Command Error. 12".to_owned(),
            }
        };
        out.extend(format!("{tag} {end}\r\n").into_bytes());
        self.write.write_all(&out).await
    }

    async fn idle(&mut self, tag: &str) -> std::io::Result<()> {
        self.say("+ IDLE accepted, awaiting DONE command.").await?;
        let mut known = self.exists();
        let mut line = String::new();
        loop {
            tokio::select! {
                read = self.read.read_line(&mut line) => {
                    read?;
                    return self.say(&format!("{tag} OK IDLE completed.")).await;
                }
                () = tokio::time::sleep(Duration::from_millis(100)) => {
                    let now = self.exists();
                    if now > known {
                        self.say(&format!("* {now} EXISTS")).await?;
                    }
                    known = now;
                }
            }
        }
    }

    fn exists(&self) -> usize {
        let tenant = self.tenant.lock().unwrap();
        let folder =
            self.open.as_ref().and_then(|(open, _)| tenant.mailboxes[self.user.as_ref().unwrap()].get(open));
        folder.map_or(0, |folder| folder.mails.len())
    }

    async fn append(&mut self, tag: &str, rest: &str) -> std::io::Result<()> {
        let name = rest.split('"').nth(1).unwrap_or_default().to_owned();
        let size: usize = rest.trim_end_matches('}').rsplit_once('{').unwrap().1.parse().unwrap();
        self.say("+ Ready for additional command text.").await?;
        let mut bytes = vec![0; size];
        self.read.read_exact(&mut bytes).await?;
        self.read.read_line(&mut String::new()).await?;
        let end = {
            let mut tenant = self.tenant.lock().unwrap();
            let user = self.user.clone().unwrap();
            if tenant.mailboxes[&user].contains_key(&name) {
                let validity = tenant.mailboxes[&user][&name].uid_validity;
                let uid = tenant.put(&user, &name, &bytes, &["\\Seen"]);
                format!("OK [APPENDUID {validity} {uid}] APPEND completed.")
            } else {
                "NO [TRYCREATE] The destination folder doesn't exist.".to_owned()
            }
        };
        self.say(&format!("{tag} {end}")).await
    }
}

/// A command on the messages of the open folder: `FETCH 1:* (...)`, `MOVE 3 "x"`; how it ends.
fn in_folder(
    folders: &mut std::collections::BTreeMap<String, Folder>,
    open: &str,
    writable: bool,
    words: &str,
    out: &mut Vec<u8>,
) -> String {
    let (verb, rest) = words.split_once(' ').unwrap();
    if verb == "SEARCH" {
        let found = search(&folders[open], rest);
        out.extend(format!("* SEARCH {}\r\n", found.join(" ")).into_bytes());
        return "OK SEARCH completed.".to_owned();
    }
    let (set, what) = rest.split_once(' ').unwrap_or((rest, ""));
    let last = folders[open].mails.last().map_or(0, |mail| mail.uid);
    let chosen = |uid: u32| is_in(set, uid, last);
    if !writable && verb != "FETCH" && verb != "COPY" {
        return "NO Command received on a read-only folder.".to_owned();
    }
    match verb {
        "FETCH" => {
            let folder = folders.get_mut(open).unwrap();
            for (at, mail) in folder.mails.iter_mut().enumerate().filter(|(_, mail)| chosen(mail.uid)) {
                if what.contains("BODY[") {
                    mail.flags.push("\\Seen".into());
                }
                let date = mail.received.format("%d-%b-%Y %H:%M:%S +0000");
                let head = format!(
                    "* {} FETCH (UID {} FLAGS ({}) INTERNALDATE \"{date}\" RFC822.SIZE {}",
                    at + 1,
                    mail.uid,
                    mail.flags.join(" "),
                    mail.bytes.len() + ESTIMATE
                );
                out.extend(head.into_bytes());
                if let Some((_, section)) = what.split_once("BODY.PEEK[") {
                    out.extend(body(mail, section));
                }
                out.extend(b")\r\n");
            }
            "OK FETCH completed.".to_owned()
        }
        "STORE" => {
            if what.contains('$') {
                return "NO STORE failed.".to_owned();
            }
            let folder = folders.get_mut(open).unwrap();
            let flags = what.split_once('(').map_or("", |(_, flags)| flags.trim_end_matches(')'));
            for mail in folder.mails.iter_mut().filter(|mail| chosen(mail.uid)) {
                mail.flags.extend(flags.split(' ').map(str::to_owned));
            }
            "OK STORE completed.".to_owned()
        }
        "EXPUNGE" => {
            let is_deleted = |mail: &super::Mail| mail.flags.iter().any(|flag| flag == "\\Deleted");
            folders.get_mut(open).unwrap().mails.retain(|mail| !(chosen(mail.uid) && is_deleted(mail)));
            "OK EXPUNGE completed.".to_owned()
        }
        "MOVE" | "COPY" => {
            let to = what.trim_matches('"');
            if !folders.contains_key(to) {
                return "NO [TRYCREATE] The destination folder doesn't exist.".to_owned();
            }
            let mails: Vec<super::Mail> =
                folders[open].mails.iter().filter(|mail| chosen(mail.uid)).cloned().collect();
            for mail in mails {
                let target = folders.get_mut(to).unwrap();
                let uid = target.uid_next;
                target.uid_next += 1;
                let validity = target.uid_validity;
                target.mails.push(super::Mail { uid, ..mail.clone() });
                out.extend(format!("* OK [COPYUID {validity} {} {uid}]\r\n", mail.uid).into_bytes());
                if verb == "MOVE" {
                    let source = folders.get_mut(open).unwrap();
                    let at = source.mails.iter().position(|m| m.uid == mail.uid).unwrap();
                    source.mails.remove(at);
                    out.extend(format!("* {} EXPUNGE\r\n", at + 1).into_bytes());
                }
            }
            format!("OK {verb} completed.")
        }
        _ => "BAD Command Error. 12".to_owned(),
    }
}

/// ` BODY[...] {n}` and its bytes, for what stands after `BODY.PEEK[`.
fn body(mail: &super::Mail, section: &str) -> Vec<u8> {
    let (name, after) = section.split_once(']').unwrap();
    let (mut bytes, mut origin) = (mail.bytes.clone(), String::new());
    if name.starts_with("HEADER") {
        let text = mail.text();
        let wanted = name.to_ascii_uppercase();
        let head = text
            .split("\r\n\r\n")
            .next()
            .unwrap_or_default()
            .replace("\r\n ", "\u{1}")
            .replace("\r\n\t", "\u{1}");
        let lines = head.lines().filter(|line| {
            let field = line.split(':').next().unwrap_or_default().to_ascii_uppercase();
            wanted == "HEADER" || wanted.split(|c: char| "() ".contains(c)).any(|one| one == field)
        });
        bytes = lines.map(|line| line.replace('\u{1}', "\r\n ") + "\r\n").collect::<String>().into_bytes();
        bytes.extend(b"\r\n");
    }
    if let Some(part) = after.strip_prefix('<').and_then(|rest| rest.split('>').next()) {
        let (from, length) = part.split_once('.').unwrap();
        let (from, length): (usize, usize) = (from.parse().unwrap(), length.parse().unwrap());
        bytes = bytes.iter().skip(from).take(length).copied().collect();
        origin = format!("<{from}>");
    }
    let mut out = format!(" BODY[{name}]{origin} {{{}}}\r\n", bytes.len()).into_bytes();
    out.extend(bytes);
    out
}

fn search(folder: &Folder, criteria: &str) -> Vec<String> {
    let last = folder.mails.last().map_or(0, |mail| mail.uid);
    let words: Vec<&str> = criteria.split(' ').collect();
    let day = |text: &str| chrono::NaiveDate::parse_from_str(text, "%d-%b-%Y").unwrap();
    let matches = |mail: &&super::Mail| {
        let mut at = 0;
        let mut all = true;
        while at < words.len() {
            let value = words.get(at + 1).copied().unwrap_or_default();
            let (holds, used) = match words[at] {
                "UID" => (is_in(value, mail.uid, last), 2),
                "HEADER" => {
                    let wanted = words[at + 2].trim_matches('"');
                    (mail.header(value).is_some_and(|header| header.contains(wanted)), 3)
                }
                "DELETED" => (mail.flags.iter().any(|flag| flag == "\\Deleted"), 1),
                "SINCE" => (mail.received.date_naive() >= day(value), 2),
                "BEFORE" => (mail.received.date_naive() < day(value), 2),
                "LARGER" => (mail.bytes.len() + ESTIMATE > value.parse().unwrap(), 2),
                "SMALLER" => (mail.bytes.len() + ESTIMATE < value.parse().unwrap(), 2),
                _ => (true, 1),
            };
            all &= holds;
            at += used;
        }
        all
    };
    folder.mails.iter().filter(matches).map(|mail| mail.uid.to_string()).collect()
}

/// Whether a UID is in a set such as `1:3,7,9:*`; `*` is the last one.
fn is_in(set: &str, uid: u32, last: u32) -> bool {
    let number = |text: &str| if text == "*" { last } else { text.parse().unwrap() };
    set.split(',').any(|range| {
        let (from, to) = range.split_once(':').unwrap_or((range, range));
        let (from, to) = (number(from), number(to));
        (from.min(to)..=from.max(to)).contains(&uid)
    })
}

/// Base 64 into text.
pub(super) fn unpacked(text: &str) -> Option<String> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in text.trim().trim_end_matches('=').bytes() {
        bits = (bits << 6) | u32::try_from(DIGITS.iter().position(|digit| *digit == byte)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    String::from_utf8(out).ok()
}

#[test]
fn sets_of_uids_are_those_of_imap() {
    assert!(is_in("1:3,7", 7, 9) && !is_in("1:3,7", 5, 9) && is_in("4:*", 9, 9));
    assert!(is_in("12:*", 9, 9), "the last message always answers to `n:*`");
}
