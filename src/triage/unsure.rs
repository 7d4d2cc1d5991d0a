//! Whether a person should look at the decision: thin or contradictory evidence.
//!
//! The decision stays as the rules say; the mark only asks for a human look, and the trace says why.

use super::urgency::Urgent;
use super::{Finding, Outcome, Urgency};
use crate::rules::{Group, Reading};

const POLICY: &str = "design: unsure is a result";

/// Whether the decision wants a human look.
pub fn unsure(
    reading: &Reading<'_>,
    found: &Urgent,
    contradictory_area: bool,
    trace: &mut Vec<Finding>,
) -> bool {
    let mut reasons: Vec<String> = Vec::new();
    if reading.incomplete {
        reasons.push("too long to be read whole".to_owned());
    }
    if contradictory_area {
        reasons.push("east and west are both named".to_owned());
    }
    if found.urgency == Urgency::Standard {
        for verdict in reading.group(Group::Grounds).filter(|verdict| !verdict.holds) {
            if let Some(aside) = verdict.set_aside.iter().find(|aside| aside.near_miss) {
                reasons.push(format!(
                    "{} nearly holds: \"{}\" ({})",
                    verdict.rule.id, aside.evidence.text, aside.reason
                ));
            }
        }
        if found.claimed && !reasons.is_empty() {
            reasons.push("called urgent by the sender".to_owned());
        }
    }
    let unsure = !reasons.is_empty();
    if unsure {
        trace.push(Finding::plain("unsure", POLICY, Outcome::Noted, reasons.join("; ")));
    }
    unsure
}
