//! Urgent or standard: grounds U1 to U10, topics S1 to S7, and whether the sender only calls it urgent.
//!
//! Contact page, urgent list; policy, email g. The rules say what holds; nothing here knows any word.

use super::{Finding, Outcome, Urgency};
use crate::rules::{Group, Reading};

/// What was found about urgency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urgent {
    /// Urgent if at least one ground holds.
    pub urgency: Urgency,
    /// `U1` to `U10`; else `S1` to `S7`, or `other`.
    pub grounds: Vec<String>,
    /// Called urgent, with no ground.
    pub claimed: bool,
}

/// The grounds, and what they make of the message.
pub fn urgency(reading: &Reading<'_>, trace: &mut Vec<Finding>) -> Urgent {
    let mut grounds: Vec<String> = Vec::new();
    for verdict in reading.group(Group::Grounds).filter(|verdict| verdict.holds) {
        trace.push(Finding::holds(verdict, format!("urgent: {}", verdict.rule.title)));
        grounds.push(verdict.rule.id.clone());
    }
    sort(&mut grounds);
    let claim = reading.group(Group::Claims).find(|verdict| verdict.holds);
    if !grounds.is_empty() {
        if let Some(verdict) = claim {
            trace.push(Finding::noted(verdict, "called urgent by the sender; it is, for the grounds given"));
        }
        return Urgent { urgency: Urgency::Urgent, grounds, claimed: false };
    }
    for verdict in reading.group(Group::Topics).filter(|verdict| verdict.holds) {
        trace.push(Finding::holds(verdict, format!("about: {}", verdict.rule.title)));
        grounds.push(verdict.rule.id.clone());
    }
    sort(&mut grounds);
    if grounds.is_empty() {
        grounds.push("other".to_owned());
    }
    if let Some(verdict) = claim {
        let reason = "called urgent by the sender, which is no ground by itself (policy, email g)";
        trace.push(Finding { outcome: Outcome::Noted, ..Finding::holds(verdict, reason) });
    }
    Urgent { urgency: Urgency::Standard, grounds, claimed: claim.is_some() }
}

/// `U2` before `U10`.
fn sort(grounds: &mut [String]) {
    grounds.sort_by_key(|id| (id.len(), id.clone()));
}
