//! One connection to an IMAP server: commands out, answers in, each with a time limit. Not the library's own session: that one
//! takes a refusal or a closed connection for an empty success. RFC 9051, RFC 3501; async-imap is only the codec.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_imap::Client;
use async_imap::imap_proto::{Capability, MailboxDatum, Outcome, Response, ResponseCode, Status};
use futures_util::FutureExt;
use secrecy::zeroize::Zeroizing;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

use super::MailboxError;
use super::account::{Term, Timeouts};
use super::fetch::{Piece, gather};
use super::guard::{Guard, Pipe};
use super::names::Naming;

/// A slow server must send at least this much within the time limit of a command.
const PROGRESS_BYTES: u64 = 1024;

/// Why a command did not succeed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is of no use any more.
    Lost(String),
    /// The server said NO or BAD; the connection stands.
    Refused(Refusal),
}

/// A tagged NO or BAD.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// BAD: the server does not know or like the command itself.
    pub bad: bool,
    /// The folder is missing and may be created.
    pub try_create: bool,
    /// What the server said, cut.
    pub text: String,
}

/// How long a command may take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Answered at once, as a whole.
    Prompt,
    /// As long as data keeps coming.
    Bulk,
}

/// What the connection is in the middle of. A future that is dropped leaves it here.
enum Midst {
    Nothing,
    /// A command was cut short: its answers would be taken for the next one's.
    Command,
    /// IDLE; whether the server has confirmed it.
    Idle {
        tag: String,
        confirmed: bool,
    },
    /// A FETCH whose answer is read when something else is to be said ([`super::ahead`]): no literal in it is larger than this.
    Ahead {
        tag: String,
        limit: u64,
    },
}

/// A deadline that moves while data comes.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    patience: Duration,
    end: Instant,
    bulk: bool,
}

/// The folder that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selected {
    pub wire_name: String,
    pub writable: bool,
    pub uid_validity: u32,
    /// As it was when the folder was opened: a lower bound.
    pub uid_next: u32,
    /// The server told it; otherwise it is only one above the last message, and goes down when that leaves.
    pub tells_uid_next: bool,
    pub permits_flagged: bool,
    pub permits_keywords: bool,
    /// How many messages have not been shown to any session yet (\\Recent): opened for writing, they lose that mark.
    pub recent: u32,
}

/// A connection, logged in or about to be.
pub(super) struct Session {
    wire: Client<Guard>,
    tags: u32,
    midst: Midst,
    parting: bool,
    pub timeouts: Timeouts,
    pub capabilities: HashSet<String>,
    pub selected: Option<Selected>,
    /// How many messages the open folder has.
    pub exists: u32,
    /// EXISTS grew since this was last reset.
    pub news: bool,
    /// The server refused IDLE on this connection.
    pub idle_refused: bool,
    pub naming: Option<Naming>,
    pub sent_folder: Option<String>,
    pub certificate: Option<Vec<u8>>,
    /// The words with which the server greeted.
    pub greeting: String,
    /// It considered us logged in from the start.
    pub known_already: bool,
    /// How long it may rest on the token that it was opened with.
    pub term: Option<Term>,
    pub last_used: Instant,
    /// What was fetched before it was wanted.
    pub ahead: BTreeMap<u32, Piece>,
}

impl Session {
    pub fn new(pipe: Pipe, timeouts: Timeouts) -> Self {
        Self {
            wire: Client::new(Guard::new(pipe)),
            tags: 0,
            midst: Midst::Nothing,
            parting: false,
            timeouts,
            capabilities: HashSet::new(),
            selected: None,
            exists: 0,
            news: false,
            idle_refused: false,
            naming: None,
            sent_folder: None,
            certificate: None,
            greeting: String::new(),
            known_already: false,
            term: None,
            last_used: Instant::now(),
            ahead: BTreeMap::new(),
        }
    }

    /// The stream beneath. Whatever the codec had read and not yet understood is thrown away: an attacker may have put it
    /// there before STARTTLS took effect (RFC 9051 section 11.1).
    pub fn into_pipe(self) -> Pipe {
        self.wire.into_inner().into_inner()
    }

    /// Whether the server has said that it can do this. Names in capitals, `AUTH=PLAIN` for mechanisms.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Whether the connection may be used for another command: none was cut short, and its token has not come to its end.
    pub fn is_usable(&self) -> bool {
        !matches!(self.midst, Midst::Command) && self.term.is_none_or(|term| Instant::now() < term.ends_at)
    }

    /// The largest literal that may come.
    pub fn allow_literals_up_to(&mut self, bytes: u64) {
        self.wire.get_mut().allow_literals_up_to(bytes.saturating_add(4096));
    }

    pub fn deadline(&self, pace: Pace) -> Deadline {
        let (whole, bulk) = match pace {
            Pace::Prompt => (self.timeouts.command, false),
            Pace::Bulk => (self.timeouts.transfer, true),
        };
        Deadline { patience: self.timeouts.command, end: Instant::now() + whole, bulk }
    }

    pub fn deadline_within(&self, limit: Duration) -> Deadline {
        Deadline { patience: limit, end: Instant::now() + limit, bulk: false }
    }

    /// The server's first word, and whether it considers us logged in already (PREAUTH).
    pub async fn greeting(&mut self) -> Result<(), Fault> {
        let deadline = self.deadline(Pace::Prompt);
        let greeting = self
            .next(deadline, |response| match response {
                Response::Data { status: Status::Ok, outcome } => Some((false, said(outcome))),
                Response::Data { status: Status::PreAuth, outcome } => Some((true, said(outcome))),
                _ => None,
            })
            .await?;
        let (known_already, words) =
            greeting.ok_or_else(|| Fault::Lost("the server did not greet as an IMAP server does".into()))?;
        (self.known_already, self.greeting) = (known_already, words);
        Ok(())
    }

    /// Sends one command and hands each of its answers, and the final OK, to `each`.
    pub async fn run(
        &mut self,
        command: &str,
        pace: Pace,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), Fault> {
        let deadline = self.deadline(pace);
        let tag = self.start(command).await?;
        self.finish(&tag, deadline, &mut each).await
    }

    /// A command of which only success matters.
    pub async fn order(&mut self, command: &str) -> Result<(), Fault> {
        self.run(command, Pace::Prompt, |_| ()).await
    }

    /// Sends a command and leaves its answers to be read.
    pub async fn start(&mut self, command: &str) -> Result<String, Fault> {
        self.settle().await?;
        self.midst = Midst::Command;
        self.last_used = Instant::now();
        self.tags = self.tags.wrapping_add(1);
        let tag = format!("T{}", self.tags);
        // Any command may be a login.
        self.write(Zeroizing::new(format!("{tag} {command}\r\n")).as_bytes()).await?;
        Ok(tag)
    }

    /// Sends a FETCH and leaves its answer where it is until the next command.
    pub async fn start_ahead(&mut self, command: &str, limit: u64) -> Result<(), Fault> {
        let tag = self.start(command).await?;
        self.midst = Midst::Ahead { tag, limit };
        Ok(())
    }

    /// Reads up to the tagged answer. Answers with other tags are stale and are passed over.
    pub async fn finish(
        &mut self,
        tag: &str,
        deadline: Deadline,
        each: &mut impl FnMut(&Response<'_>),
    ) -> Result<(), Fault> {
        loop {
            let end = self.next(deadline, |response| outcome_of(tag, response, each)).await?;
            if let Some(end) = end {
                self.midst = Midst::Nothing;
                return end.map_err(Fault::Refused);
            }
        }
    }

    /// Waits for `+`; untagged answers before it are only noted. A tagged answer instead is a refusal.
    pub async fn continuation(&mut self, tag: &str) -> Result<String, Fault> {
        let deadline = self.deadline(Pace::Prompt);
        loop {
            let step = self
                .next(deadline, |response| match response {
                    Response::Continue(outcome) => {
                        Some(Ok(outcome.information.as_deref().unwrap_or_default().to_owned()))
                    }
                    other => match outcome_of(tag, other, &mut |_| ()) {
                        Some(Err(refusal)) => Some(Err(Fault::Refused(refusal))),
                        Some(Ok(())) => Some(Err(Fault::Lost("the server answered OK too early".into()))),
                        None => None,
                    },
                })
                .await?;
            match step {
                Some(Err(Fault::Refused(refusal))) => {
                    self.midst = Midst::Nothing;
                    return Err(Fault::Refused(refusal));
                }
                Some(other) => return other,
                None => {}
            }
        }
    }

    /// Writes within the time limit.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let limit = self.timeouts.command;
        let stream = self.wire.get_mut();
        let written = timeout(limit, async {
            stream.write_all(bytes).await?;
            stream.flush().await
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::Lost(why_lost(&error))),
            Err(_) => Err(Fault::Lost(format!("the server took no data for {} s", limit.as_secs()))),
        }
    }

    /// The next answer; a deadline that passes means that the connection is lost.
    pub async fn next<R>(
        &mut self,
        deadline: Deadline,
        read: impl FnOnce(&Response<'_>) -> R,
    ) -> Result<R, Fault> {
        let waited = deadline.patience.as_secs();
        self.answer(deadline, read).await?.ok_or_else(|| Fault::Lost(format!("no answer within {waited} s")))
    }

    /// The next answer, or `None` when the deadline passed. Safe to drop: what has been read so far is kept.
    pub async fn answer<R>(
        &mut self,
        deadline: Deadline,
        read: impl FnOnce(&Response<'_>) -> R,
    ) -> Result<Option<R>, Fault> {
        loop {
            let before = self.wire.get_ref().received_bytes();
            let left = deadline.end.saturating_duration_since(Instant::now());
            // The codec is not ours. Words at which it panics are a fault of this connection, and not the end of the program.
            let answer = AssertUnwindSafe(self.wire.read_response()).catch_unwind();
            match timeout(deadline.patience.min(left), answer).await {
                Ok(Err(_)) => {
                    self.midst = Midst::Command;
                    return Err(Fault::Lost("the server said something that cannot be read".into()));
                }
                Ok(Ok(Ok(Some(data)))) => {
                    let response = data.parsed();
                    if let Response::Data { status: Status::Bye, outcome } = response
                        && !self.parting
                    {
                        return Err(Fault::Lost(format!("the server said goodbye: {}", said(outcome))));
                    }
                    note(response, &mut self.exists, &mut self.news, &mut self.capabilities);
                    return Ok(Some(read(response)));
                }
                Ok(Ok(Ok(None))) => return Err(Fault::Lost("the server closed the connection".into())),
                Ok(Ok(Err(error))) => return Err(Fault::Lost(why_lost(&error))),
                Err(_) => {
                    let progress = self.wire.get_ref().received_bytes() - before;
                    if !deadline.bulk || progress < PROGRESS_BYTES || Instant::now() >= deadline.end {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The connection is in the middle of IDLE now.
    pub fn idling(&mut self, tag: &str, confirmed: bool) {
        self.midst = Midst::Idle { tag: tag.to_owned(), confirmed };
    }

    /// The command under way has been answered.
    pub fn answered(&mut self) {
        self.midst = Midst::Nothing;
    }

    /// Ends an IDLE that is under way, reads what was asked for ahead; refuses a connection that was left in the middle of a
    /// command.
    pub async fn settle(&mut self) -> Result<(), Fault> {
        match std::mem::replace(&mut self.midst, Midst::Command) {
            Midst::Nothing => {
                self.midst = Midst::Nothing;
                Ok(())
            }
            Midst::Command => Err(Fault::Lost("an earlier command was cut short".into())),
            Midst::Ahead { tag, limit } => {
                self.allow_literals_up_to(limit);
                let mut ahead = std::mem::take(&mut self.ahead);
                let deadline = self.deadline(Pace::Bulk);
                let read = self.finish(&tag, deadline, &mut |response| gather(response, &mut ahead)).await;
                self.ahead = ahead;
                match read {
                    // What was refused is asked for again when it is wanted.
                    Err(Fault::Refused(_)) | Ok(()) => Ok(()),
                    Err(lost) => Err(lost),
                }
            }
            Midst::Idle { tag, confirmed } => {
                let deadline = self.deadline_within(self.timeouts.done);
                let mut confirmed = confirmed;
                while !confirmed {
                    let step = self
                        .next(deadline, |response| match response {
                            Response::Continue(_) => Some(true),
                            other => outcome_of(&tag, other, &mut |_| ()).map(|_| false),
                        })
                        .await?;
                    match step {
                        Some(true) => confirmed = true,
                        Some(false) => {
                            self.midst = Midst::Nothing; // The server never began to idle.
                            return Ok(());
                        }
                        None => {}
                    }
                }
                self.write(b"DONE\r\n").await?;
                match self.finish(&tag, deadline, &mut |_| ()).await {
                    Err(Fault::Refused(_)) | Ok(()) => Ok(()),
                    Err(lost) => Err(lost),
                }
            }
        }
    }

    /// Says goodbye; whether the server answers does not matter.
    pub async fn log_out(mut self) {
        self.parting = true;
        let limit = self.timeouts.done.min(Duration::from_secs(5));
        let _ = timeout(limit, self.order("LOGOUT")).await;
    }
}

/// What every answer may tell besides what was asked.
fn note(response: &Response<'_>, exists: &mut u32, news: &mut bool, known: &mut HashSet<String>) {
    match response {
        Response::MailboxData(MailboxDatum::Exists(now)) => {
            *news |= *now > *exists;
            *exists = *now;
        }
        Response::Expunge(_) => *exists = exists.saturating_sub(1),
        Response::Capabilities(listed) => learn(listed, known),
        Response::Data { status: Status::Ok | Status::PreAuth, outcome }
        | Response::Done { status: Status::Ok, outcome, .. } => {
            if let Some(ResponseCode::Capabilities(listed)) = &outcome.code {
                learn(listed, known);
            }
        }
        _ => {}
    }
}

fn learn(listed: &[Capability<'_>], known: &mut HashSet<String>) {
    known.clear();
    known.extend(listed.iter().map(|capability| match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }));
}

/// The end of a command when this answer is it.
pub(super) fn outcome_of(
    tag: &str,
    response: &Response<'_>,
    each: &mut impl FnMut(&Response<'_>),
) -> Option<Result<(), Refusal>> {
    match response {
        Response::Done { tag: theirs, status, outcome } => {
            if theirs.0 != tag {
                return None;
            }
            Some(match status {
                Status::Ok => {
                    each(response);
                    Ok(())
                }
                _ => Err(Refusal {
                    bad: *status == Status::Bad,
                    try_create: matches!(outcome.code, Some(ResponseCode::TryCreate)),
                    text: said(outcome),
                }),
            })
        }
        other => {
            each(other);
            None
        }
    }
}

/// The code of an OK, tagged or not: UIDVALIDITY, COPYUID, READ-ONLY, ...
pub(super) fn ok_code<'a, 'b>(response: &'a Response<'b>) -> Option<&'a ResponseCode<'b>> {
    match response {
        Response::Data { status: Status::Ok, outcome }
        | Response::Done { status: Status::Ok, outcome, .. } => outcome.code.as_ref(),
        _ => None,
    }
}

/// What the server said, on one line and cut.
fn said(outcome: &Outcome<'_>) -> String {
    let text = outcome.information.as_deref().unwrap_or_default();
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(160).collect();
    match (&outcome.code, text.trim().trim_end_matches('.')) {
        (Some(ResponseCode::TryCreate), text) => format!("[TRYCREATE] {text}"),
        (Some(ResponseCode::Alert), text) => format!("[ALERT] {text}"),
        (_, "") => "nothing further".into(),
        (_, text) => text.to_owned(),
    }
}

/// Why the connection was lost. The codec's own messages hold raw buffers, people's words among them: they are cut off here.
fn why_lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection in the middle of an answer".into(),
        io::ErrorKind::Other => "the server's answer could not be read as IMAP".into(),
        io::ErrorKind::InvalidData => error.to_string().chars().take(160).collect(),
        kind => kind.to_string(),
    }
}

impl Fault {
    /// This fault as the rest of the program knows it, sorted by who acts next.
    pub fn at(self, account: &str, step: impl Into<String>) -> MailboxError {
        let (account, step) = (account.to_owned(), step.into());
        let refusal = match self {
            Self::Lost(problem) => return MailboxError::Transient { account, step, problem },
            Self::Refused(refusal) => refusal,
        };
        let problem = format!("the server refused: {}", refusal.text);
        let capitals = refusal.text.to_ascii_uppercase();
        let remedy = if capitals.contains("NOT CONNECTED") {
            // Exchange: logged in, but not let into this mailbox; now and then it means that it is being throttled.
            "Give the account full access to this mailbox, and check that the user name is the mailbox's address; if the \
             server was only busy, this passes by itself"
        } else if capitals.contains("OVERQUOTA") || capitals.contains("QUOTA EXCEEDED") {
            "Make room in the mailbox, or have its quota raised"
        } else if capitals.contains("NOPERM") || capitals.contains("PERMISSION DENIED") {
            "Give the account the right to read, write and create folders in this mailbox"
        } else {
            return MailboxError::Transient { account, step, problem };
        };
        MailboxError::NeedsAPerson { account, step, problem, remedy: remedy.into() }
    }
}
