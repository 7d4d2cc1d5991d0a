//! Which team gets it: Resolution, Assessment, Annual Review by area, General.
//!
//! labelling.md, queue: the first that fits wins, and urgency changes the queue only where an earlier message got no
//! answer (contact page, step 4). The rules in `topics.yaml` stand in that order; what no rule can see is asked here.

use super::{Area, Chaser, Finding, Outcome, Queue, Team, Urgency};
use crate::message::Message;
use crate::rules::{Group, Reading};

const POLICY: &str = "contact-process, step 4; labelling.md, queue 1";

/// What the queue depends on besides the rules.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Urgent or standard.
    pub urgency: Urgency,
    /// Whether an earlier message got no answer.
    pub chaser: Chaser,
    /// East or west.
    pub area: Area,
}

/// The queue of a person's message to the team.
pub fn queue(
    message: &Message,
    team: &Team,
    reading: &Reading<'_>,
    known: Known,
    trace: &mut Vec<Finding>,
) -> Queue {
    if known.urgency == Urgency::Urgent && known.chaser != Chaser::None {
        let reason = "urgent, and an earlier message got no answer: urgent matters skip to step 4";
        trace.push(Finding::plain("queue: resolution", POLICY, Outcome::Holds, reason));
        return Queue::Resolution;
    }
    if let Some(reason) = over_their_heads(message, team) {
        trace.push(Finding::plain("queue: resolution", POLICY, Outcome::Holds, reason));
        return Queue::Resolution;
    }
    for verdict in reading.group(Group::Queues).filter(|verdict| verdict.holds) {
        let queue = match verdict.rule.then.as_str() {
            "resolution" => Queue::Resolution,
            "assessment" => Queue::Assessment,
            "annual-review" => match known.area {
                Area::East => Queue::AnnualReviewEast,
                Area::West => Queue::AnnualReviewWest,
                Area::Unknown => Queue::General,
            },
            "general" => Queue::General,
            _ => continue,
        };
        let reason = match (queue, verdict.rule.then.as_str()) {
            (Queue::General, "annual-review") => "a review, but the area is not known: general".to_owned(),
            _ => format!("queue {}: {}", verdict.rule.then, verdict.rule.title),
        };
        trace.push(Finding::holds(verdict, reason));
        return queue;
    }
    Queue::General
}

/// To the Resolution Team's own address, or to somebody above the service. Who writes for somebody else is for the rules.
fn over_their_heads(message: &Message, team: &Team) -> Option<&'static str> {
    let resolution = |address: &str| {
        team.mailboxes
            .iter()
            .filter(|mailbox| mailbox.name.contains("resolution"))
            .any(|mailbox| mailbox.addresses.iter().any(|own| own.eq_ignore_ascii_case(address)))
    };
    if message.to.iter().any(|to| resolution(&to.address)) {
        return Some("written to the SEND Resolution Team");
    }
    is_to_somebody_above(message)
        .then_some("written over the team's heads, to a head of service, director, councillor or MP")
}

/// Whether it is written over the protocol's head: by its addressees, or by whom it addresses in words.
pub fn is_over_heads(message: &Message, reading: &Reading<'_>) -> bool {
    let in_words = reading.verdicts.iter().any(|verdict| verdict.holds && verdict.rule.id == ADDRESSED_ABOVE);
    in_words || is_to_somebody_above(message)
}

/// The rule for letters that begin "Dear Director".
const ADDRESSED_ABOVE: &str = "queue-resolution-heads";

fn is_to_somebody_above(message: &Message) -> bool {
    let above = |address: &str, name: &str| {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_ascii_lowercase();
        let parts: Vec<&str> = local.split(['.', '-', '_']).collect();
        let name = name.to_lowercase();
        local.contains("head.of")
            || local.contains("headof")
            || ["director", "councillor", "cllr", "chiefexecutive", "mp"]
                .iter()
                .any(|mark| parts.contains(mark))
            || local.starts_with("director")
            || ["head of send", "head of service", "director of", "councillor", "cllr", "chief executive"]
                .iter()
                .any(|mark| name.contains(mark))
            || name.split_whitespace().last() == Some("mp")
            || address.to_ascii_lowercase().contains("@parliament")
    };
    message.to.iter().any(|to| above(&to.address, &to.name))
}
