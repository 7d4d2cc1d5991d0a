//! One rule's say in a decision: the rule, the policy's clause, the words, and what came of it.

use serde::Serialize;

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
