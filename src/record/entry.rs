//! What one look at a mailbox brings to the record, and what became of it there.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::calendar::Due;
use crate::case::reply::Reply;
use crate::case::{Fact, Matter, Reference, Step};
use crate::effect::Effect;
use crate::message::{Fingerprint, MessageRef, Returned};
use crate::triage::Decision;

/// What one look at a mailbox brought. It is entered as a whole, together with the mailbox's cursor, or not at all.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The account.
    pub account: String,
    /// The folder.
    pub folder: String,
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// Every UID above the cursor up to this one is an entry below, or is proven to be gone from the server.
    pub up_to: u32,
    /// Now.
    pub at: DateTime<Utc>,
    /// What was found.
    pub entries: Vec<Entry>,
}

/// One UID. `Debug` hides the people in it.
#[derive(Clone)]
pub struct Entry {
    /// Where it lies.
    pub at: MessageRef,
    /// INTERNALDATE.
    pub received_at: DateTime<Utc>,
    /// Its size on the server.
    pub size_bytes: usize,
    /// What makes it the same message elsewhere; `None` when it could not be read.
    pub fingerprint: Option<Fingerprint>,
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// In-Reply-To, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// References, oldest first, without angle brackets.
    pub references: Vec<String>,
    /// The sender's address.
    pub sender: Option<String>,
    /// Its domain.
    pub sender_domain: Option<String>,
    /// The subject.
    pub subject: String,
    /// What is the same when its sender sends the same words again ([`crate::message::words`]).
    pub words: Option<Fingerprint>,
    /// Who wrote it and to whom.
    pub participants: Vec<Participant>,
    /// What became of it.
    pub outcome: EntryOutcome,
}

/// Somebody who wrote a message or whom it was written to.
#[derive(Clone, PartialEq, Eq)]
pub struct Participant {
    /// In which header field.
    pub role: ParticipantRole,
    /// The address; its case does not matter.
    pub address: String,
}

/// The header field that names a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantRole {
    /// From.
    From,
    /// Reply-To.
    ReplyTo,
    /// To.
    To,
    /// Cc.
    Cc,
}

impl ParticipantRole {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::ReplyTo => "reply-to",
            Self::To => "to",
            Self::Cc => "cc",
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({}, {} bytes)", self.at, self.size_bytes)
    }
}

/// What became of one UID.
#[derive(Debug, Clone)]
pub enum EntryOutcome {
    /// A message that was triaged.
    Decided {
        /// What was decided.
        decision: Box<StoredDecision>,
        /// Which case it opens or belongs to.
        case: CasePart,
        /// What follows.
        effects: Vec<Effect>,
    },
    /// A message that is known already: it also arrived elsewhere, or we filed it here.
    Copy {
        /// Its number ([`super::Known::message`]).
        of: i64,
        /// What follows, such as filing the copy too.
        effects: Vec<Effect>,
    },
    /// Our own letter, met again. Nothing of it is kept but the place.
    OwnLetter,
    /// It could not be triaged; a person reads it.
    SetAside {
        /// Why, without its words.
        reason: String,
        /// When an answer would be due, from the time of receipt.
        due: Option<NaiveDate>,
        /// What follows.
        effects: Vec<Effect>,
    },
    /// Not looked into, such as what arrived before the mailbox was taken into use. Nothing of it is kept but the place.
    LeftAlone {
        /// Why.
        reason: String,
    },
}

/// Which case a message opens or belongs to.
#[derive(Debug, Clone, Default)]
pub enum CasePart {
    /// None.
    #[default]
    None,
    /// It opens one.
    Opens(Box<Opening>),
    /// It belongs to one that is there, and tells this of it.
    Joins {
        /// The case's number.
        case: i64,
        /// As what.
        role: Role,
        /// What it tells; may be nothing.
        facts: Vec<Fact>,
    },
    /// Staff wrote it. The record finds the case that it answers, now or when the question comes in.
    ByStaff(Box<Reply>),
}

/// A case that is opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Its name.
    pub reference: Reference,
    /// What kind of matter.
    pub matter: Matter,
    /// When the answer is due.
    pub due: StoredDue,
    /// The step of the escalation at which it came in.
    pub step: Step,
    /// That step's target; `None` at step 1.
    pub step_due_on: Option<NaiveDate>,
    /// Earlier cases that may concern the same matter.
    pub links: Vec<Link>,
}

/// An earlier case that may concern the same matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub case: i64,
    /// Why, in words for staff.
    pub why: String,
}

/// As what a message belongs to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It opened the case.
    Opened,
    /// The sender's side asked again.
    Chaser,
    /// The sender's side wrote something more.
    Addition,
    /// The sender's side said thank you.
    Thanks,
    /// Staff answered.
    Answer,
    /// Staff said that they need longer.
    HoldingReply,
    /// Staff passed it on.
    PassedOn,
}

impl Role {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Chaser => "chaser",
            Self::Addition => "addition",
            Self::Thanks => "thanks",
            Self::Answer => "answer",
            Self::HoldingReply => "holding-reply",
            Self::PassedOn => "passed-on",
        }
    }
}

/// A decision as it is kept: in the words of labelling.md.
#[derive(Clone, Default, Serialize)]
pub struct StoredDecision {
    /// `person`, `auto-reply`, ...
    pub kind: String,
    /// The team stands only in Cc or Bcc.
    pub copied: bool,
    /// `urgent` or `standard`.
    pub urgency: String,
    /// `U1` to `U10`, `S1` to `S7`, `other`.
    pub grounds: Vec<String>,
    /// Called urgent by the sender, with no ground.
    pub claimed_urgent: bool,
    /// The team that gets it.
    pub queue: String,
    /// `east`, `west`, `unknown`.
    pub area: String,
    /// `within`, `overdue`, `unclear`, `none`.
    pub chaser: String,
    /// What the acknowledgement also points to.
    pub signposts: Vec<String>,
    /// Policy, email h.
    pub refer_leadership: bool,
    /// A person should look at it.
    pub unsure: bool,
    /// Why no acknowledgement is sent, in words; `None`: one is.
    pub withheld: Option<String>,
    /// Who seems to write: `parent`, `school`, ...; `None`: nothing tells.
    pub sender_role: Option<String>,
    /// The ids of the rules that hold for it; only how often each does is kept.
    pub spoke: Vec<String>,
    /// What the message returns, where it is a report that one could not be delivered.
    pub returned: Option<Returned>,
    /// The version of the rules that decided.
    pub rules_version: String,
    /// The findings, a JSON list.
    pub trace: serde_json::Value,
}

impl StoredDecision {
    /// The decision as it is kept. `withheld` says in words why no acknowledgement is sent.
    pub fn of(decision: &Decision, withheld: Option<String>) -> Self {
        Self {
            kind: word(&decision.kind),
            copied: decision.copied,
            urgency: word(&decision.urgency),
            grounds: decision.grounds.clone(),
            claimed_urgent: decision.claimed_urgent,
            queue: word(&decision.queue),
            area: word(&decision.area),
            chaser: word(&decision.chaser),
            signposts: decision.signposts.iter().map(word).collect(),
            refer_leadership: decision.refer_leadership,
            unsure: decision.unsure,
            withheld,
            sender_role: decision.role.clone(),
            spoke: decision.spoke.clone(),
            returned: None,
            rules_version: decision.rules_version.clone(),
            trace: serde_json::to_value(&decision.trace).unwrap_or(serde_json::Value::Array(Vec::new())),
        }
    }
}

impl std::fmt::Debug for StoredDecision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredDecision({}, {}, {:?})", self.kind, self.urgency, self.grounds)
    }
}

/// The contract's word for a value: what it serialises to.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => other.map(|value| value.to_string()).unwrap_or_default(),
    }
}

/// When an answer is due, and how that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDue {
    /// The day of receipt.
    pub day_zero: NaiveDate,
    /// The last day on which the answer is in time.
    pub due_on: NaiveDate,
    /// Target for a first response (urgent and resolution).
    pub first_response_on: Option<NaiveDate>,
    /// The days that were passed over, with their names.
    pub skipped: Vec<(NaiveDate, String)>,
}

impl StoredDue {
    /// A due date as it is kept.
    pub fn of(due: &Due, first_response_on: Option<NaiveDate>) -> Self {
        let skipped = due.skipped.iter().map(|skipped| (skipped.on, skipped.name.clone())).collect();
        Self { day_zero: due.day_zero, due_on: due.due_on, first_response_on, skipped }
    }
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The entry's UID.
    pub uid: u32,
    /// What was made of it.
    pub what: EnteredAs,
    /// How many effects were planned on its account.
    pub effects: usize,
}

/// What was made of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnteredAs {
    /// A new message, with the case that it opened.
    New {
        /// The message.
        message: i64,
        /// Its case.
        case: Option<i64>,
        /// As what it belongs to that case.
        role: Option<Role>,
    },
    /// A copy of a known message, though the caller may have thought it new: only its filing was planned.
    Copy {
        /// The message.
        of: i64,
    },
    /// Our own letter.
    OwnLetter,
    /// Set aside for a person.
    SetAside {
        /// The message.
        message: i64,
    },
    /// Left alone.
    LeftAlone,
    /// This UID had its outcome before; nothing was changed.
    Already,
}
