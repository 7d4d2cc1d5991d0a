//! How two decisions about the same message differ, and which findings came and went. It judges neither of them.

use serde::{Deserialize, Serialize};

use super::Decision;

/// A decision in the words of labelling.md, wherever it comes from: just made, or kept for years.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// `person`, `auto-reply`, ...
    pub kind: String,
    /// Whether it is acknowledged; `None` where that is not to be compared.
    pub acknowledge: Option<bool>,
    /// The team stands only in Cc or Bcc.
    pub copied: bool,
    /// `urgent` or `standard`.
    pub urgency: String,
    /// `U1` to `U10`, `S1` to `S7`, `other`.
    pub grounds: Vec<String>,
    /// Called urgent by the sender, with no ground.
    pub claimed_urgent: bool,
    /// The team.
    pub queue: String,
    /// `east`, `west` or `unknown`.
    pub area: String,
    /// `within`, `overdue`, `unclear` or `none`.
    pub chaser: String,
    /// What the acknowledgement also points to.
    pub signposts: Vec<String>,
    /// Policy, email h.
    pub refer_leadership: bool,
    /// A person should look at it.
    pub unsure: bool,
    /// The trace.
    pub findings: Vec<Said>,
}

/// A finding as it is printed and kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The rule.
    pub rule: String,
    /// The words of the message.
    #[serde(default)]
    pub text: String,
    /// `holds`, `set-aside`, `noted`.
    pub outcome: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// One answer that differs. Lists are their members, divided by spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which question.
    pub label: &'static str,
    /// The answer of before.
    pub before: String,
    /// The answer of now.
    pub after: String,
}

/// How two decisions differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The answers that differ; never empty.
    pub changes: Vec<Change>,
    /// What was found before and is not found now, or no longer counts.
    pub lost: Vec<Said>,
    /// What is found now and was not found before, or did not count.
    pub gained: Vec<Said>,
}

impl Answers {
    /// The answers of a decision just made.
    pub fn of(decision: &Decision) -> Self {
        Self {
            kind: word(&decision.kind),
            acknowledge: Some(decision.acknowledgement.is_sent()),
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
            findings: Said::all(serde_json::to_value(&decision.trace).unwrap_or_default()),
        }
    }

    fn labels(&self) -> [(&'static str, String); 12] {
        let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        [
            ("urgency", self.urgency.clone()),
            ("grounds", self.grounds.join(" ")),
            ("kind", self.kind.clone()),
            ("acknowledge", self.acknowledge.map(yes_no).unwrap_or_default()),
            ("copied", yes_no(self.copied)),
            ("queue", self.queue.clone()),
            ("area", self.area.clone()),
            ("chaser", self.chaser.clone()),
            ("signposts", self.signposts.join(" ")),
            ("claimed_urgent", yes_no(self.claimed_urgent)),
            ("refer_leadership", yes_no(self.refer_leadership)),
            ("unsure", yes_no(self.unsure)),
        ]
    }
}

impl Said {
    /// The findings of a trace; what is none is passed over.
    pub fn all(trace: serde_json::Value) -> Vec<Self> {
        let serde_json::Value::Array(findings) = trace else { return Vec::new() };
        let one = |finding| {
            let mut said: Self = serde_json::from_value(finding).ok()?;
            said.text = said.text.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(said)
        };
        findings.into_iter().filter_map(one).collect()
    }
}

/// How `after` differs from `before`; `None` when every answer is the same, whatever it rests on.
pub fn compare(before: &Answers, after: &Answers) -> Option<Difference> {
    let mut changes = Vec::new();
    for ((label, one), (_, other)) in before.labels().into_iter().zip(after.labels()) {
        let compared =
            label != "acknowledge" || (before.acknowledge.is_some() && after.acknowledge.is_some());
        if compared && one != other {
            changes.push(Change { label, before: one, after: other });
        }
    }
    if changes.is_empty() {
        return None;
    }
    // That the same rule rests on other words explains nothing, unless nothing else does.
    let same_say = |one: &Said, other: &Said| one.rule == other.rule && one.outcome == other.outcome;
    let (mut lost, mut gained) = (
        without(&before.findings, &after.findings, same_say),
        without(&after.findings, &before.findings, same_say),
    );
    if lost.is_empty() && gained.is_empty() {
        lost = without(&before.findings, &after.findings, Said::eq);
        gained = without(&after.findings, &before.findings, Said::eq);
    }
    Some(Difference { changes, lost, gained })
}

/// What of `these` has no counterpart in `those`.
fn without(these: &[Said], those: &[Said], same: impl Fn(&Said, &Said) -> bool) -> Vec<Said> {
    these.iter().filter(|one| !those.iter().any(|other| same(one, other))).cloned().collect()
}

/// The contract's word for a value: what it serialises to.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(rule: &str, text: &str, outcome: &str) -> Said {
        Said { rule: rule.into(), text: text.into(), outcome: outcome.into(), reason: String::new() }
    }

    fn answers(urgency: &str, findings: Vec<Said>) -> Answers {
        Answers { urgency: urgency.into(), acknowledge: Some(true), findings, ..Answers::default() }
    }

    #[test]
    fn other_words_for_the_same_answers_are_no_difference() {
        let before = answers("urgent", vec![said("U4", "mornings only", "holds")]);
        let after = answers("urgent", vec![said("U4", "half days", "holds")]);
        assert_eq!(compare(&before, &after), None);
    }

    #[test]
    fn what_came_and_went_is_told_with_what_differs() {
        let before =
            answers("urgent", vec![said("U4", "mornings only", "holds"), said("area", "Ware", "holds")]);
        let after = answers(
            "standard",
            vec![said("U4", "mornings only", "set-aside"), said("area", "Ware SG12", "holds")],
        );
        let difference = compare(&before, &after).unwrap();
        let change = Change { label: "urgency", before: "urgent".into(), after: "standard".into() };
        assert_eq!(difference.changes, [change]);
        assert_eq!(difference.lost, [said("U4", "mornings only", "holds")]);
        assert_eq!(difference.gained, [said("U4", "mornings only", "set-aside")]);
    }

    #[test]
    fn an_acknowledgement_that_hung_on_the_day_is_not_compared() {
        let mut before = answers("urgent", Vec::new());
        before.acknowledge = None;
        assert_eq!(compare(&before, &answers("urgent", Vec::new())), None);
        let mut after = answers("urgent", Vec::new());
        after.acknowledge = Some(false);
        assert_eq!(compare(&answers("urgent", Vec::new()), &after).unwrap().changes[0].label, "acknowledge");
    }
}
