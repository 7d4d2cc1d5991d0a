//! Whether the Customer Service Centre asks that a caller is called back: who writes, and by which words.
//!
//! Policy, telephone: callers who leave a message are called back within 5 working days. The message stays staff's own
//! (labelling.md, kind internal) and is not acknowledged; the caller was told by telephone when to expect the call.

use super::kind::from_own_domain;
use super::{Finding, Kind, Team};
use crate::message::Message;
use crate::rules::{Group, Reading};

/// Who takes messages for the team, and how soon callers are called back.
#[derive(Debug, Clone, Default)]
pub struct CallBackDesk {
    /// Addresses from which call-backs are asked for, lower case; without any, there are none.
    pub from: Vec<String>,
    /// Within how many working days.
    pub within_working_days: u32,
}

/// Whether this message asks for a call-back. A system of the centre's may write it as well as a person; an automatic answer
/// of theirs, or a meeting, is none.
pub fn asked(
    message: &Message,
    kind: Kind,
    team: &Team,
    reading: &Reading<'_>,
    trace: &mut Vec<Finding>,
) -> bool {
    let desk = &team.call_backs.from;
    let from_desk = message
        .from
        .as_ref()
        .is_some_and(|from| desk.iter().any(|own| own.eq_ignore_ascii_case(&from.address)));
    if !from_desk || !from_own_domain(message, team) || !matches!(kind, Kind::Internal | Kind::List) {
        return false;
    }
    let Some(verdict) = reading.group(Group::CallBacks).find(|verdict| verdict.holds) else { return false };
    trace.push(Finding::holds(verdict, format!("a call-back: {}", verdict.rule.title)));
    true
}
