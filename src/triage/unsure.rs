//! Whether a person should look at the decision: thin or contradictory evidence, or a second reader who disagrees.
//!
//! The decision stays as the rules say; the mark only asks for a human look, and the trace says why. What the second
//! reader is, and how its bounds were chosen, stands in `rules/README.md`.

use super::urgency::Urgent;
use super::{Finding, Outcome, Urgency};
use crate::rules::{Group, Opinion, Reading, Verdict};

const POLICY: &str = "design: unsure is a result";
/// Where the rules themselves waver, the second reader need not be as certain by so much.
const WAVERING: f64 = 0.5;

/// Whether the decision wants a human look. `opinion`: what the second reader makes of the message.
pub fn unsure(
    reading: &Reading<'_>,
    found: &Urgent,
    contradictory_area: bool,
    opinion: Option<Opinion>,
    trace: &mut Vec<Finding>,
) -> bool {
    let mut reasons: Vec<String> = Vec::new();
    if reading.incomplete {
        reasons.push("too long to be read whole".to_owned());
    }
    if contradictory_area {
        reasons.push("east and west are both named".to_owned());
    }
    match found.urgency {
        Urgency::Standard => standard(reading, found, opinion, &mut reasons),
        Urgency::Urgent => urgent(reading, opinion, &mut reasons),
    }
    let unsure = !reasons.is_empty();
    if unsure {
        trace.push(Finding::plain("unsure", POLICY, Outcome::Noted, reasons.join("; ")));
    }
    unsure
}

/// A ground may have been missed.
fn standard(reading: &Reading<'_>, found: &Urgent, opinion: Option<Opinion>, reasons: &mut Vec<String>) {
    let mut wavers: Vec<String> = reading
        .group(Group::Grounds)
        .filter(|verdict| !verdict.holds)
        .filter_map(|verdict| {
            let aside = verdict.set_aside.iter().find(|aside| aside.near_miss)?;
            Some(format!("{} nearly holds: \"{}\" ({})", verdict.rule.id, aside.evidence.text, aside.reason))
        })
        .collect();
    if found.claimed {
        wavers.push("called urgent by the sender, with no ground".to_owned());
    }
    let Some(opinion) = opinion else {
        // A claim alone is no reason: the policy answers it (email g).
        if wavers.len() > usize::from(found.claimed) {
            reasons.append(&mut wavers);
        }
        return;
    };
    if opinion.suspects(if wavers.is_empty() { 0.0 } else { WAVERING }) {
        reasons.append(&mut wavers);
        reasons.push(format!("it sounds urgent as a whole ({:+.1}), and no rule knows why", opinion.score));
    }
}

/// A ground may have been heard where there is none.
fn urgent(reading: &Reading<'_>, opinion: Option<Opinion>, reasons: &mut Vec<String>) {
    let Some(opinion) = opinion else { return };
    let holding: Vec<&Verdict<'_>> = reading.group(Group::Grounds).filter(|verdict| verdict.holds).collect();
    // One ground that rests on one place in the message.
    let thin = match holding.as_slice() {
        [one] => one.evidence.len() == 1,
        _ => false,
    };
    if opinion.doubts(if thin { WAVERING } else { 0.0 }) {
        let on: Vec<&str> = holding
            .iter()
            .flat_map(|verdict| &verdict.evidence)
            .map(|found| found.text.as_str())
            .take(2)
            .collect();
        let on = on.join("\", \"");
        reasons.push(format!(
            "it sounds calm as a whole ({:+.1}), and is urgent for \"{on}\" alone",
            opinion.score
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wavering_rules_need_less_certainty() {
        let opinion = |score| Opinion { score, suspects_above: 1.5, doubts_below: -1.5 };
        assert!(opinion(1.5).suspects(0.0) && !opinion(1.4).suspects(0.0) && opinion(1.1).suspects(WAVERING));
        assert!(opinion(-1.5).doubts(0.0) && !opinion(-1.4).doubts(0.0) && opinion(-1.1).doubts(WAVERING));
        // Never both.
        assert!(!opinion(0.0).suspects(WAVERING) && !opinion(0.0).doubts(WAVERING));
    }

    fn marks(opinion: Option<Opinion>, urgency: Urgency, claimed: bool) -> Vec<String> {
        let found = Urgent { urgency, grounds: Vec::new(), claimed };
        let mut trace = Vec::new();
        let unsure = unsure(&Reading::default(), &found, false, opinion, &mut trace);
        assert_eq!(unsure, !trace.is_empty());
        trace.into_iter().map(|finding| finding.reason).collect()
    }

    #[test]
    fn a_strong_disagreement_asks_for_a_look() {
        let loud = Some(Opinion { score: 2.0, suspects_above: 1.5, doubts_below: -1.5 });
        let calm = Some(Opinion { score: -2.0, suspects_above: 1.5, doubts_below: -1.5 });
        let half = Some(Opinion { score: 1.2, suspects_above: 1.5, doubts_below: -1.5 });
        assert!(marks(loud, Urgency::Standard, false)[0].starts_with("it sounds urgent as a whole (+2.0)"));
        assert!(marks(calm, Urgency::Urgent, false)[0].starts_with("it sounds calm as a whole (-2.0)"));
        assert!(marks(loud, Urgency::Urgent, false).is_empty());
        assert!(marks(calm, Urgency::Standard, true).is_empty());
        assert!(marks(half, Urgency::Standard, false).is_empty());
        assert!(marks(half, Urgency::Standard, true)[0].starts_with("called urgent by the sender"));
        assert!(marks(None, Urgency::Standard, true).is_empty());
    }
}
