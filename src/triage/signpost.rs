//! Where else the acknowledgement should point the sender.
//!
//! Contact page and complaints page; `signposts.yaml` has one rule for each signpost, of the same name.

use super::{Finding, Signpost};
use crate::rules::{Group, Reading};

/// The signposts that apply, in the policy's order.
pub fn signposts(reading: &Reading<'_>, trace: &mut Vec<Finding>) -> Vec<Signpost> {
    let mut found = Vec::new();
    for verdict in reading.group(Group::Signposts).filter(|verdict| verdict.holds) {
        let Some(signpost) = named(&verdict.rule.id) else { continue };
        trace.push(Finding::holds(verdict, format!("point to: {}", verdict.rule.title)));
        found.push(signpost);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A rule's id is the signpost's name, or the name and a dash and more.
fn named(id: &str) -> Option<Signpost> {
    const NAMES: [(&str, Signpost); 8] = [
        ("appointment", Signpost::Appointment),
        ("report", Signpost::Report),
        ("school-support", Signpost::SchoolSupport),
        ("disagreement", Signpost::Disagreement),
        ("complaint-service", Signpost::ComplaintService),
        ("complaint-section-f", Signpost::ComplaintSectionF),
        ("complaint-school", Signpost::ComplaintSchool),
        ("complaint-nhs", Signpost::ComplaintNhs),
    ];
    NAMES
        .iter()
        .find(|(name, _)| id.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("--")))
        .map(|(_, signpost)| *signpost)
}
