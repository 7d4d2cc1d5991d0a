//! How a simulated server speaks: one connection, a command at a time, RFC 3501 as real servers mean it (EXPUNGE and EXISTS
//! only when they may come, sequence numbers by what this connection has been told). What goes wrong in it is drawn here.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::lookup::{fetched, in_set, matches};
use super::sim::State;
use super::store::Mail;

/// One connection's side of the server.
pub struct Talk {
    account: usize,
    selected: Option<Selected>,
    /// The tag of an IDLE that goes on.
    idling: Option<String>,
    /// An APPEND whose literal is on its way.
    literal: Option<Appending>,
    /// AUTHENTICATE waits for its proof.
    proof_for: Option<String>,
    /// Nothing more is said.
    pub ended: bool,
}

struct Selected {
    folder: String,
    uid_validity: u32,
    writable: bool,
    /// The UIDs that the client has been told of, by sequence number.
    view: Vec<u32>,
}

struct Appending {
    tag: String,
    folder: String,
    received_at: DateTime<Utc>,
    size: usize,
    bytes: Vec<u8>,
}

/// What is done with the next command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mishap {
    None,
    No,
    Bad,
    ByeBefore,
    ByeAfter,
}

impl Talk {
    pub fn new(account: usize) -> Self {
        Self { account, selected: None, idling: None, literal: None, proof_for: None, ended: false }
    }

    /// The first word.
    pub fn greet(&mut self, state: &mut State) -> Vec<u8> {
        if state.goes_wrong(60) {
            self.ended = true;
            return b"* BYE too many connections\r\n".to_vec();
        }
        b"* OK ready\r\n".to_vec()
    }

    /// How many bytes of a literal are still to come.
    pub fn wants(&self) -> Option<usize> {
        self.literal.as_ref().map(|appending| appending.size - appending.bytes.len())
    }

    /// Bytes of the literal.
    pub fn take_literal(&mut self, bytes: &[u8]) {
        if let Some(appending) = &mut self.literal {
            appending.bytes.extend_from_slice(bytes);
        }
    }

    /// One line from the client, without its end; the answer.
    pub fn hear(&mut self, state: &mut State, line: &str) -> Vec<u8> {
        let mut out = String::new().into_bytes();
        if let Some(appending) = self.literal.take() {
            self.append(state, appending, &mut out);
            return out;
        }
        if let Some(tag) = self.proof_for.take() {
            say(&mut out, &format!("{tag} OK logged in"));
            return out;
        }
        if let Some(tag) = self.idling.take() {
            if line.eq_ignore_ascii_case("DONE") {
                self.news(state, &mut out);
                say(&mut out, &format!("{tag} OK idled"));
            } else {
                say(&mut out, &format!("{tag} BAD expected DONE"));
            }
            return out;
        }
        let Some((tag, command)) = line.split_once(' ') else {
            say(&mut out, "* BAD what?");
            return out;
        };
        let mishap = self.mishap(state, command);
        match mishap {
            Mishap::No => {
                say(&mut out, &format!("{tag} NO [UNAVAILABLE] not now"));
                return out;
            }
            Mishap::Bad => {
                say(&mut out, &format!("{tag} BAD not now"));
                return out;
            }
            Mishap::ByeBefore => {
                say(&mut out, "* BYE going down");
                self.ended = true;
                return out;
            }
            Mishap::None | Mishap::ByeAfter => {}
        }
        self.obey(state, tag, command, &mut out);
        if mishap == Mishap::ByeAfter {
            // It was done; that is never said.
            out.clear();
            say(&mut out, "* BYE Session invalidated - AccessTokenExpired");
            self.ended = true;
        }
        out
    }

    fn mishap(&self, state: &mut State, command: &str) -> Mishap {
        if command.starts_with("IDLE") || command.starts_with("LOGOUT") || !state.goes_wrong(45) {
            return Mishap::None;
        }
        state.chance.pick(&[Mishap::No, Mishap::Bad, Mishap::ByeBefore, Mishap::ByeAfter, Mishap::ByeAfter])
    }

    /// What has come or gone since this connection was last told.
    pub fn while_idling(&mut self, state: &mut State) -> Vec<u8> {
        let mut out = Vec::new();
        if self.idling.is_some() {
            self.news(state, &mut out);
        }
        out
    }

    fn obey(&mut self, state: &mut State, tag: &str, command: &str, out: &mut Vec<u8>) {
        let abilities = state.stores[self.account].abilities;
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        match verb {
            "CAPABILITY" => {
                let mut able = "* CAPABILITY IMAP4rev1".to_owned();
                for (can, name) in [
                    (abilities.moves, " MOVE"),
                    (abilities.uidplus, " UIDPLUS"),
                    (abilities.idles, " IDLE"),
                    (abilities.special_use, " SPECIAL-USE LIST-EXTENDED"),
                    (abilities.plain, " AUTH=PLAIN"),
                ] {
                    able.push_str(if can { name } else { "" });
                }
                say(out, &able);
            }
            "AUTHENTICATE" => {
                self.proof_for = Some(tag.to_owned());
                say(out, "+ ");
                return;
            }
            "SELECT" | "EXAMINE" => return self.select(state, tag, verb == "SELECT", rest, out),
            "LIST" => self.list(state, rest, out),
            "STATUS" => {
                let name = self.canonical(state, first_quoted(rest));
                let next = state.stores[self.account].folders.get(&name).map_or(1, |folder| folder.uid_next);
                say(
                    out,
                    &format!("* STATUS {} (UIDNEXT {next})", rest.split(" (").next().unwrap_or_default()),
                );
            }
            "CREATE" => {
                let name = self.canonical(state, first_quoted(rest));
                if state.stores[self.account].folders.contains_key(&name) {
                    return say(out, &format!("{tag} NO [ALREADYEXISTS] it is there"));
                }
                state.stores[self.account].create(&name);
            }
            "IDLE" if abilities.idles => {
                if state.goes_wrong(20) {
                    self.news(state, out); // Before the continuation, as Exchange does.
                }
                if state.goes_wrong(30) {
                    return say(out, &format!("{tag} NO not today"));
                }
                self.idling = Some(tag.to_owned());
                say(out, "+ idling");
                return;
            }
            "APPEND" => return self.begin_append(state, tag, rest, out),
            "UID" => return self.by_uid(state, tag, rest, out),
            "EXPUNGE" => self.expunge(state, None),
            "LOGIN" | "SUBSCRIBE" | "NOOP" => {}
            "LOGOUT" => {
                say(out, "* BYE logging out");
                self.ended = true;
            }
            _ => return say(out, &format!("{tag} BAD unknown")),
        }
        self.chatter(state, out);
        self.news(state, out);
        say(out, &format!("{tag} OK done"));
    }

    /// Data that nobody asked for.
    fn chatter(&self, state: &mut State, out: &mut Vec<u8>) {
        if !state.goes_wrong(12) {
            return;
        }
        match (state.chance.below(4), self.selected.as_ref().and_then(|open| open.view.first())) {
            (0, _) => say(out, "* OK Still here"),
            (1, Some(uid)) => say(out, &format!("* 1 FETCH (UID {uid} FLAGS (\\Seen))")),
            (2, Some(_)) => say(out, "* 1 FETCH (FLAGS (\\Seen \\Answered))"),
            (_, Some(_)) => {
                let exists = self.selected.as_ref().map_or(0, |open| open.view.len());
                say(out, &format!("* {exists} EXISTS\r\n* {exists} EXISTS\r\n* 0 RECENT"));
            }
            _ => say(out, "* OK [ALERT] maintenance tonight"),
        }
    }

    /// EXPUNGE and EXISTS, as far as this connection has not been told.
    fn news(&mut self, state: &mut State, out: &mut Vec<u8>) {
        let Some(open) = &mut self.selected else { return };
        let Some(folder) = state.stores[self.account].folders.get(&open.folder) else { return };
        let mut at = 0;
        while at < open.view.len() {
            if folder.mails.iter().any(|mail| mail.uid == open.view[at]) {
                at += 1;
            } else {
                open.view.remove(at);
                say(out, &format!("* {} EXPUNGE", at + 1));
            }
        }
        let known = open.view.last().copied().unwrap_or(0);
        let before = open.view.len();
        open.view.extend(folder.mails.iter().map(|mail| mail.uid).filter(|uid| *uid > known));
        if open.view.len() > before {
            say(out, &format!("* {} EXISTS", open.view.len()));
        }
    }

    fn select(&mut self, state: &mut State, tag: &str, writable: bool, rest: &str, out: &mut Vec<u8>) {
        self.selected = None;
        let name = self.canonical(state, first_quoted(rest));
        let abilities = state.stores[self.account].abilities;
        let Some(folder) = state.stores[self.account].folders.get(&name) else {
            return say(out, &format!("{tag} NO [NONEXISTENT] there is no such folder"));
        };
        let view: Vec<u32> = folder.mails.iter().map(|mail| mail.uid).collect();
        say(out, "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted)");
        say(out, "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted)] kept");
        say(out, &format!("* {} EXISTS\r\n* 0 RECENT", view.len()));
        say(out, &format!("* OK [UIDVALIDITY {}] valid", folder.uid_validity));
        if abilities.tells_uid_next {
            say(out, &format!("* OK [UIDNEXT {}] next", folder.uid_next));
        }
        let uid_validity = folder.uid_validity;
        self.selected = Some(Selected { folder: name, uid_validity, writable, view });
        self.chatter(state, out);
        say(out, &format!("{tag} OK [{}] opened", if writable { "READ-WRITE" } else { "READ-ONLY" }));
    }

    fn list(&self, state: &mut State, rest: &str, out: &mut Vec<u8>) {
        let store = &state.stores[self.account];
        let delimiter = store.abilities.delimiter;
        let pattern = rest.strip_prefix("\"\" ").map(first_quoted).unwrap_or_default();
        if pattern.is_empty() {
            return say(out, &format!("* LIST (\\Noselect) \"{delimiter}\" \"\""));
        }
        for name in store.folders.keys() {
            let wire = name.replace('/', &delimiter.to_string());
            let like = match pattern.strip_suffix('%') {
                _ if pattern == "*" => true,
                Some(start) => wire.strip_prefix(start).is_some_and(|rest| !rest.contains(delimiter)),
                None => wire == pattern,
            };
            if like {
                let sent = store.abilities.special_use && name == "Sent";
                let attributes = if sent { "\\Sent" } else { "" };
                say(out, &format!("* LIST ({attributes}) \"{delimiter}\" \"{wire}\""));
            }
        }
    }

    fn canonical(&self, state: &State, wire: &str) -> String {
        wire.replace(state.stores[self.account].abilities.delimiter, "/")
    }

    fn by_uid(&mut self, state: &mut State, tag: &str, rest: &str, out: &mut Vec<u8>) {
        let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let Some(open) = &self.selected else { return say(out, &format!("{tag} BAD nothing is open")) };
        let current = state.stores[self.account].folders.get(&open.folder).map(|folder| folder.uid_validity);
        if current != Some(open.uid_validity) {
            self.ended = true; // As after a restart: this connection's UIDs mean nothing any more.
            return say(out, "* BYE the folder was made anew");
        }
        match verb {
            "SEARCH" => self.search(state, rest, out),
            "FETCH" => {
                self.fetch(state, rest, out);
                // RFC 3501 section 7.4.1 lets EXPUNGE come in the answers to UID commands; Dovecot and Exchange wait.
                return say(out, &format!("{tag} OK fetched"));
            }
            "STORE" => self.store_flags(state, rest),
            "EXPUNGE" => self.expunge(state, rest.parse().ok()),
            "MOVE" | "COPY" => {
                let (set, name) = rest.split_once(' ').unwrap_or((rest, ""));
                let all: Vec<u32> =
                    open.view.iter().copied().filter(|uid| in_set(set, *uid, u32::MAX)).collect();
                let to = self.canonical(state, first_quoted(name));
                if !state.stores[self.account].folders.contains_key(&to) {
                    return say(out, &format!("{tag} NO [TRYCREATE] there is no such folder"));
                }
                // A server may give up on the way: what has moved by then has moved (RFC 6851 section 3.3).
                let stops = all.len() > 1 && state.goes_wrong(10);
                let most = if stops { state.chance.below(all.len() as u64) } else { u64::MAX };
                let carried: Vec<[u32; 3]> = all
                    .into_iter()
                    .take(usize::try_from(most).unwrap())
                    .filter_map(|uid| self.carry(state, verb == "MOVE", uid, &to))
                    .collect();
                let at_once =
                    if carried.len() > 1 && state.chance.one_in(2) { 1 } else { carried.len().max(1) };
                let mut told: Vec<String> = carried.chunks(at_once).map(copyuid).collect();
                let abilities = &state.stores[self.account].abilities;
                if !(abilities.uidplus && abilities.tells_copyuid) {
                    told = vec![String::new(); told.len().min(1)];
                }
                if verb == "COPY" && !told.is_empty() {
                    return say(out, &format!("{tag} OK {}copied", told[0]));
                }
                told.iter().for_each(|told| say(out, &format!("* OK {told}moved")));
                if stops {
                    self.news(state, out);
                    return say(out, &format!("{tag} NO not all of it"));
                }
            }
            _ => return say(out, &format!("{tag} BAD unknown")),
        }
        self.chatter(state, out);
        self.news(state, out);
        say(out, &format!("{tag} OK done"));
    }

    /// Moves or copies one message; the folder's UIDVALIDITY, the UID, the new UID.
    fn carry(&mut self, state: &mut State, moves: bool, uid: u32, to: &str) -> Option<[u32; 3]> {
        let open = self.selected.as_ref()?;
        let (account, from, uid_validity) = (self.account, open.folder.clone(), open.uid_validity);
        state.expect(open.writable || !moves, || format!("MOVE from {from}, which is open for looking only"));
        let mail = find(state, account, &from, uid)?.clone();
        if moves {
            state.may_leave(account, &from, uid_validity, &mail, false);
            state.stores[account].remove(&from, uid);
        }
        let new = state.stores[account].put(to, mail.bytes.clone(), mail.received_at)?;
        state.note(|| {
            format!(
                "    {} {from} {uid} -> {to} {new} (letter {:?})",
                ["COPY", "MOVE"][usize::from(moves)],
                mail.letter()
            )
        });
        Some([state.stores[account].folders.get(to)?.uid_validity, uid, new])
    }

    fn store_flags(&mut self, state: &mut State, rest: &str) {
        let Some(open) = self.selected.as_ref().filter(|open| open.writable) else { return };
        let uid: u32 = rest.split(' ').next().and_then(|uid| uid.parse().ok()).unwrap_or(0);
        let (folder, uid_validity) = (open.folder.clone(), open.uid_validity);
        if !rest.contains("\\Deleted") {
            return;
        }
        if let Some(mail) = find(state, self.account, &folder, uid).cloned() {
            state.may_leave(self.account, &folder, uid_validity, &mail, true);
            let mails = &mut state.stores[self.account].folders.get_mut(&folder).unwrap().mails;
            mails.iter_mut().filter(|mail| mail.uid == uid).for_each(|mail| mail.deleted = true);
        }
    }

    fn expunge(&mut self, state: &mut State, only: Option<u32>) {
        let Some(open) = self.selected.as_ref().filter(|open| open.writable) else { return };
        let (folder, uid_validity) = (open.folder.clone(), open.uid_validity);
        let marked: Vec<Mail> = state.stores[self.account].folders[&folder]
            .mails
            .iter()
            .filter(|mail| mail.deleted && only.is_none_or(|uid| uid == mail.uid))
            .cloned()
            .collect();
        for mail in marked {
            state.may_leave(self.account, &folder, uid_validity, &mail, true);
            state.note(|| format!("    EXPUNGE {folder} {} (letter {:?})", mail.uid, mail.letter()));
            state.stores[self.account].remove(&folder, mail.uid);
        }
    }

    fn begin_append(&mut self, state: &mut State, tag: &str, rest: &str, out: &mut Vec<u8>) {
        let folder = self.canonical(state, first_quoted(rest));
        let size = rest.rsplit_once('{').and_then(|(_, size)| size.trim_end_matches('}').parse().ok());
        let date = rest.split('"').nth(3).unwrap_or_default();
        let received_at =
            DateTime::parse_from_str(date.trim(), "%d-%b-%Y %H:%M:%S %z").map(|at| at.with_timezone(&Utc));
        let Some(size) = size else { return say(out, &format!("{tag} BAD no literal")) };
        if !state.stores[self.account].folders.contains_key(&folder) {
            return say(out, &format!("{tag} NO [TRYCREATE] there is no such folder"));
        }
        let received_at = received_at.unwrap_or(state.now());
        self.literal = Some(Appending { tag: tag.to_owned(), folder, received_at, size, bytes: Vec::new() });
        say(out, "+ go on");
    }

    fn append(&mut self, state: &mut State, appending: Appending, out: &mut Vec<u8>) {
        let tag = appending.tag;
        match self.mishap(state, "APPEND") {
            Mishap::No | Mishap::Bad => return say(out, &format!("{tag} NO [OVERLOADED] not now")),
            Mishap::ByeBefore => {
                self.ended = true;
                return say(out, "* BYE going down");
            }
            Mishap::ByeAfter => self.ended = true,
            Mishap::None => {}
        }
        state.note(|| format!("    APPEND to {}", appending.folder));
        let bytes: Arc<[u8]> = appending.bytes.into();
        let uid = state.stores[self.account].put(&appending.folder, bytes, appending.received_at);
        let store = &state.stores[self.account];
        let validity = store.folders[&appending.folder].uid_validity;
        let told = match uid {
            Some(uid) if store.abilities.uidplus && store.abilities.tells_copyuid => {
                format!("[APPENDUID {validity} {uid}] ")
            }
            _ => String::new(),
        };
        self.news(state, out);
        if self.ended {
            out.clear();
            return say(out, "* BYE going down");
        }
        say(out, &format!("{tag} OK {told}done"));
    }

    fn search(&self, state: &mut State, criteria: &str, out: &mut Vec<u8>) {
        let Some(open) = &self.selected else { return };
        let folder = &state.stores[self.account].folders[&open.folder];
        let last = open.view.last().copied().unwrap_or(0);
        let mut uids: Vec<u32> = folder
            .mails
            .iter()
            .filter(|mail| open.view.contains(&mail.uid) && matches(mail, criteria, last))
            .map(|mail| mail.uid)
            .collect();
        if state.goes_wrong(15) {
            uids.reverse();
            uids.extend(uids.first().copied());
        }
        let uids: Vec<String> = uids.iter().map(u32::to_string).collect();
        say(out, format!("* SEARCH {}", uids.join(" ")).trim_end());
    }

    fn fetch(&self, state: &mut State, rest: &str, out: &mut Vec<u8>) {
        let Some(open) = &self.selected else { return };
        let (set, items) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut answers = Vec::new();
        for mail in &state.stores[self.account].folders[&open.folder].mails {
            let Some(at) = open.view.iter().position(|uid| *uid == mail.uid) else { continue };
            if in_set(set, mail.uid, u32::MAX) {
                answers.push(fetched(mail, at + 1, items));
            }
        }
        if state.goes_wrong(15) {
            match state.chance.below(4) {
                0 => answers.reverse(),
                1 => answers.extend(answers.first().cloned()),
                2 => drop(answers.pop()),
                _ if !answers.is_empty() => drop(answers.remove(0)),
                _ => {}
            }
        }
        self.chatter(state, out);
        out.extend(answers.concat());
    }
}

fn find<'s>(state: &'s State, account: usize, folder: &str, uid: u32) -> Option<&'s Mail> {
    state.stores[account].folders.get(folder)?.mails.iter().find(|mail| mail.uid == uid)
}

fn first_quoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|text| text.split('"').next())
        .unwrap_or_else(|| text.split(' ').next().unwrap_or_default())
}

fn say(out: &mut Vec<u8>, line: &str) {
    out.extend_from_slice(line.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The response code that tells of these.
fn copyuid(carried: &[[u32; 3]]) -> String {
    let of = |at: usize| carried.iter().map(|one| one[at].to_string()).collect::<Vec<_>>().join(",");
    let validity = carried.first().map_or(0, |one| one[0]);
    format!("[COPYUID {validity} {} {}] ", of(1), of(2))
}
