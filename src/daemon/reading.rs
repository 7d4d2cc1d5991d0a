//! One message that was fetched, read and decided about, each step contained (`contained.rs`); and what is made of one that
//! cannot be: its heading alone. Nothing here enters anything; `intake.rs` does.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::mailbox::RawMessage;
use crate::message::{self, Defect, Message, MessageRef};
use crate::record::Reading;
use crate::triage::{self, Decision, History, Policy};

use super::World;
use super::contained::apart;

/// A message, and why it must be set aside, if it must.
pub(super) struct Read<'r> {
    pub message: Message,
    pub failed: Option<String>,
    /// As long as this is there, the end of the process counts against the message.
    _reading: Option<Reading<'r>>,
}

/// Reads it, unless the process has ended at it too often.
pub(super) fn read<'r, C: Clock>(raw: &RawMessage, world: &World<'r, C>) -> Read<'r> {
    let reading = match world.records.reading(&raw.at) {
        Ok(reading) => reading,
        Err(strikes) => {
            let reason = format!(
                "The program ended {strikes} times while it was reading this message, so it is not read any more; please report this with the message."
            );
            return unread(raw, reason, None);
        }
    };
    let (bytes, size_bytes) = (raw.bytes.clone(), raw.size_bytes);
    match apart(move || message::parse(&bytes, size_bytes)) {
        Ok(message) => {
            let broken = [Defect::NotAMessage, Defect::ParserFailed];
            let failed = broken.iter().any(|defect| message.defects.contains(defect));
            let failed = failed.then(|| "It could not be read as an email.".to_owned());
            Read { message, failed, _reading: Some(reading) }
        }
        Err(failure) => {
            tell(&raw.at);
            unread(raw, failure.reason("Reading it"), Some(reading))
        }
    }
}

fn unread<'r>(raw: &RawMessage, reason: String, reading: Option<Reading<'r>>) -> Read<'r> {
    let message = message::heading(&raw.bytes, raw.size_bytes);
    Read { message, failed: Some(reason), _reading: reading }
}

/// Decides; the error is the reason why the message is set aside.
pub(super) fn decided(
    at: &MessageRef,
    message: &Message,
    received_at: DateTime<Utc>,
    history: History,
    policy: &Arc<Policy>,
) -> Result<Decision, String> {
    let (message, policy) = (message.clone(), policy.clone());
    apart(move || triage::triage(&message, received_at, &history, &policy)).map_err(|failure| {
        tell(at);
        failure.reason("Deciding about it")
    })
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
