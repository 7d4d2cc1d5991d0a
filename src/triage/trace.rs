//! One rule's say in a decision: the rule, the policy's clause, the words, and what came of it.
//!
//! The trace is what staff read when they ask *why*. It decides nothing; each question adds its own findings.

use std::ops::Range;

use serde::Serialize;

use crate::rules::{Evidence, Group, Reading, Verdict, Zone};

/// One finding. Serialises as the contract's `{rule, policy, text, outcome, reason}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id: `U4`, `queue: resolution`, `kind`, ...
    pub rule: String,
    /// The policy's clause that it serves.
    pub policy: String,
    /// The words of the message that it rests on; empty when it rests on a header or an absence.
    pub text: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in words that staff understand.
    pub reason: String,
    /// Where those words stand, for whoever has the message at hand. No part of the contract, and not kept on record.
    #[serde(skip)]
    pub places: Vec<Place>,
}

/// Words of a message, by where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which part of the message.
    pub zone: Zone,
    /// Where in [`crate::rules::text_of`] that part, in bytes; empty for a header.
    pub range: Range<usize>,
    /// The words as written.
    pub text: String,
}

impl Place {
    fn of(evidence: &Evidence) -> Self {
        Self { zone: evidence.zone, range: evidence.range.clone(), text: evidence.text.clone() }
    }
}

/// What came of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It counts.
    Holds,
    /// The words are there, but were set aside (negated, hypothetical, quoted, ...).
    SetAside,
    /// Told for information.
    Noted,
}

impl Finding {
    /// A finding that rests on no words of the message.
    pub fn plain(rule: &str, policy: &str, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            policy: policy.to_owned(),
            text: String::new(),
            outcome,
            reason: reason.into(),
            places: Vec::new(),
        }
    }

    /// A rule that holds, with its words.
    pub fn holds(verdict: &Verdict<'_>, reason: impl Into<String>) -> Self {
        Self::of(verdict, Outcome::Holds, reason)
    }

    /// A rule's words told for information.
    pub fn noted(verdict: &Verdict<'_>, reason: impl Into<String>) -> Self {
        Self::of(verdict, Outcome::Noted, reason)
    }

    fn of(verdict: &Verdict<'_>, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            rule: verdict.rule.id.clone(),
            policy: verdict.rule.policy.clone(),
            text: words(verdict),
            outcome,
            reason: reason.into(),
            places: verdict.evidence.iter().map(Place::of).collect(),
        }
    }
}

/// Who seems to write, as far as the words or the address tell; for information.
pub(super) fn roles(reading: &Reading<'_>, trace: &mut Vec<Finding>) {
    for verdict in reading.group(Group::Roles).filter(|verdict| verdict.holds) {
        trace.push(Finding::noted(verdict, format!("seems to be written by: {}", verdict.rule.title)));
    }
}

/// The words on which a verdict rests, each once, in the order of the message.
pub(super) fn words(verdict: &Verdict<'_>) -> String {
    let mut pieces: Vec<&str> = Vec::new();
    for evidence in &verdict.evidence {
        let text = evidence.text.trim();
        if !text.is_empty() && !pieces.contains(&text) {
            pieces.push(text);
        }
    }
    pieces.join(" ... ")
}

/// What a rule found that bears on urgency or referral but does not count, and why: each reason once for a rule.
pub(super) fn set_aside(reading: &Reading<'_>, trace: &mut Vec<Finding>) {
    const TOLD: [Group; 4] = [Group::Grounds, Group::Claims, Group::Chasers, Group::Leadership];
    for verdict in reading.verdicts.iter().filter(|verdict| TOLD.contains(&verdict.rule.group)) {
        let mut reasons: Vec<&str> = Vec::new();
        for aside in &verdict.set_aside {
            if reasons.contains(&aside.reason.as_str()) {
                continue;
            }
            reasons.push(&aside.reason);
            let same = verdict.set_aside.iter().filter(|other| other.reason == aside.reason);
            trace.push(Finding {
                rule: verdict.rule.id.clone(),
                policy: verdict.rule.policy.clone(),
                text: aside.evidence.text.clone(),
                outcome: Outcome::SetAside,
                reason: aside.reason.clone(),
                places: same.map(|aside| Place::of(&aside.evidence)).collect(),
            });
        }
    }
}
