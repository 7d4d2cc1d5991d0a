//! Messages that were fetched, read and decided about, each step contained (`contained.rs`), those of a batch ahead of their
//! being wanted; and what is made of one that cannot be: its heading alone. Nothing here enters anything; `intake.rs` does.
//!
//! Ahead is only what follows from message and rules alone, so it stays right whatever is entered meanwhile; should the rules
//! change meanwhile, it is done anew.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::mailbox::{Fetched, RawMessage};
use crate::message::{self, Defect, Message, MessageRef};
use crate::record::{Reading, Strikes};
use crate::triage::{self, Decision, History, Policy};

use super::World;
use super::contained::{Begun, Failure, apart, begin};

/// A message, and why it must be set aside, if it must.
pub(super) struct Read {
    pub message: Arc<Message>,
    pub failed: Option<String>,
    decided: Option<Decided>,
    /// As long as this is there, the end of the process counts against the message.
    _reading: Option<Arc<Reading>>,
}

/// What was decided ahead and how long that took, and by which rules.
type Decided = (Begun<Option<(Decision, Duration)>>, Arc<Policy>);

/// A batch as it was fetched, with the work on it begun.
pub struct Batch {
    /// What was fetched.
    pub fetched: Arc<Fetched>,
    ahead: Vec<Mutex<Option<Ahead>>>,
}

/// The work on one message.
struct Ahead {
    message: Begun<Result<AtWork, u32>>,
    decided: Option<Decided>,
}

/// What was read, and that it is at work.
type AtWork = (Arc<Message>, Arc<Reading>);

impl Batch {
    /// Begins the work on all of them; on none, where it must show which message ends the process.
    pub fn begin<C: Clock>(fetched: Fetched, world: &World<'_, C>) -> Self {
        let fetched = Arc::new(fetched);
        let strikes = world.records.strikes();
        let mut ahead = Vec::new();
        if fetched.messages.len() > 1 && strikes.allow_several() {
            let policy = &world.in_force.now().policy;
            // What staff sent is not decided about.
            let first = fetched.messages.first();
            let in_sent = first.is_some_and(|raw| world.is_sent(&raw.at.account, &raw.at.folder));
            let policy = (!in_sent).then_some(policy);
            let all = 0..fetched.messages.len();
            ahead = all.map(|place| Mutex::new(Some(work(&fetched, place, &strikes, policy)))).collect();
        }
        Self { fetched, ahead }
    }

    /// One of its messages, read.
    pub(super) fn read<C: Clock>(&self, raw: &RawMessage, world: &World<'_, C>) -> Read {
        let place = self.fetched.messages.iter().position(|one| std::ptr::eq(one, raw));
        let ahead = place.and_then(|place| self.ahead.get(place));
        let ahead = ahead.and_then(|ahead| ahead.lock().unwrap_or_else(PoisonError::into_inner).take());
        ahead.and_then(|ahead| done(raw, ahead)).unwrap_or_else(|| read(raw, world))
    }
}

fn work(fetched: &Arc<Fetched>, place: usize, strikes: &Strikes, policy: Option<&Arc<Policy>>) -> Ahead {
    let handed: Arc<Mutex<Option<AtWork>>> = Arc::default();
    let (all, strikes, hand_on) = (fetched.clone(), strikes.clone(), handed.clone());
    let goes_on = policy.is_some();
    let message = begin(place, move || {
        let raw = all.messages.get(place).ok_or(0_u32)?;
        let reading = Arc::new(strikes.reading(&raw.at)?);
        let read = (Arc::new(message::parse(&raw.bytes, raw.size_bytes)), reading);
        if goes_on {
            *hand_on.lock().unwrap_or_else(PoisonError::into_inner) = Some(read.clone());
        }
        Ok(read)
    });
    let decided = policy.map(|policy| {
        let (all, by) = (fetched.clone(), policy.clone());
        let decide = move || {
            let (message, _reading) = handed.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            let raw = all.messages.get(place).filter(|_| !is_broken(&message))?;
            let began = Instant::now();
            let decision = triage::ahead(&message, raw.received_at, &raw.at.account, &by);
            Some((decision, began.elapsed()))
        };
        (begin(place, decide), policy.clone())
    });
    Ahead { message, decided }
}

/// What came of the work ahead; `None` where it must be done anew.
fn done(raw: &RawMessage, ahead: Ahead) -> Option<Read> {
    let (message, reading) = match ahead.message.end() {
        Ok(Ok(read)) => read,
        Ok(Err(strikes)) => return Some(struck(raw, strikes)),
        Err(Failure::NotBegun) => return None,
        Err(failure) => {
            tell(&raw.at);
            return Some(unread(raw, failure.reason("Reading it"), None));
        }
    };
    Some(Read::of(message, ahead.decided, reading))
}

fn is_broken(message: &Message) -> bool {
    [Defect::NotAMessage, Defect::ParserFailed].iter().any(|defect| message.defects.contains(defect))
}

/// Reads it, unless the process has ended at it too often.
fn read<C: Clock>(raw: &RawMessage, world: &World<'_, C>) -> Read {
    let reading = match world.records.strikes().reading(&raw.at) {
        Ok(reading) => reading,
        Err(strikes) => return struck(raw, strikes),
    };
    let (bytes, size_bytes) = (raw.bytes.clone(), raw.size_bytes);
    match apart(move || message::parse(&bytes, size_bytes)) {
        Ok(message) => Read::of(Arc::new(message), None, Arc::new(reading)),
        Err(failure) => {
            tell(&raw.at);
            unread(raw, failure.reason("Reading it"), Some(Arc::new(reading)))
        }
    }
}

fn struck(raw: &RawMessage, strikes: u32) -> Read {
    let reason = format!(
        "The program ended {strikes} times while it was reading this message, so it is not read any more; please report this with the message."
    );
    unread(raw, reason, None)
}

fn unread(raw: &RawMessage, reason: String, reading: Option<Arc<Reading>>) -> Read {
    let message = Arc::new(message::heading(&raw.bytes, raw.size_bytes));
    Read { message, failed: Some(reason), decided: None, _reading: reading }
}

impl Read {
    fn of(message: Arc<Message>, decided: Option<Decided>, reading: Arc<Reading>) -> Self {
        let failed = is_broken(&message).then(|| "It could not be read as an email.".to_owned());
        Self { message, failed, decided, _reading: Some(reading) }
    }

    /// Decides, and how long that took; the error is the reason why the message is set aside.
    pub(super) fn decided(
        &mut self,
        raw: &RawMessage,
        history: History,
        policy: &Arc<Policy>,
    ) -> Result<(Decision, Duration), String> {
        // Rules that came into force meanwhile decide anew: no message is decided by a mixture.
        let ahead = self.decided.take().filter(|(_, by)| Arc::ptr_eq(by, policy));
        match ahead.map(|(begun, _)| begun.end()) {
            Some(Ok(Some((decision, took)))) => {
                Ok((decision.with_history(raw.received_at, &history, &policy.team), took))
            }
            Some(Err(failure @ (Failure::Panicked | Failure::RanAway))) => Err(undecided(&raw.at, failure)),
            _ => decided(&raw.at, &self.message, raw.received_at, history, policy),
        }
    }
}

/// Decides, and how long that took; the error is the reason why the message is set aside.
pub(super) fn decided(
    at: &MessageRef,
    message: &Arc<Message>,
    received_at: DateTime<Utc>,
    history: History,
    policy: &Arc<Policy>,
) -> Result<(Decision, Duration), String> {
    let (message, policy) = (message.clone(), policy.clone());
    let decide = move || {
        let began = Instant::now();
        (triage::triage(&message, received_at, &history, &policy), began.elapsed())
    };
    apart(decide).map_err(|failure| undecided(at, failure))
}

fn undecided(at: &MessageRef, failure: Failure) -> String {
    tell(at);
    failure.reason("Deciding about it")
}

fn tell(at: &MessageRef) {
    tracing::error!(
        account = at.account.as_str(),
        uid = at.uid,
        "Message UID {} in {} makes the program fail; it is set aside with its deadline. Please report it.",
        at.uid,
        at.folder
    );
}
