//! Whether a person should look at the decision: thin or contradictory evidence.
//!
//! The decision stays as the rules say; the mark only asks for a human look, and the trace says why. Words and what was
//! learned from examples are two readers of one message: where they disagree, or the one that decided is not sure, a third
//! should look. How the bounds were chosen stands in `rules/README.md`.

use super::urgency::Urgent;
use super::{Finding, Outcome, Urgency};
use crate::rules::{Group, Reading};

const POLICY: &str = "design: unsure is a result";
/// No ground holds, but what was learned is as sure as this of one.
const SUSPECTED: f32 = 0.35;
/// The same where the sender calls it urgent.
const CALLED: f32 = 0.30;
/// The same where words of that ground were found and set aside by a context that is far off ...
const WAVERING: f32 = 0.15;
/// ... unless it is as sure as this: it knows no "not", so it then only echoes the words that were rightly set aside.
const ECHOED: f32 = 0.50;
/// A ground holds by its words, but what was learned is no surer than this.
const DOUBTED: f32 = 0.25;
/// A ground holds by what was learned alone, and it is no surer than this.
const BARELY: f32 = 0.65;

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
    match found.urgency {
        Urgency::Standard => reasons.extend(standard(reading, found.claimed)),
        Urgency::Urgent => reasons.extend(urgent(reading)),
    }
    let unsure = !reasons.is_empty();
    if unsure {
        trace.push(Finding::plain("unsure", POLICY, Outcome::Noted, reasons.join("; ")));
    }
    unsure
}

/// Why a ground may have been missed.
fn standard(reading: &Reading<'_>, claimed: bool) -> Vec<String> {
    let mut reasons = Vec::new();
    let known = !reading.sure.is_empty();
    for (id, sure) in reading.sure.iter().filter(|(id, _)| is_urgent(id)) {
        let verdict = reading.group(Group::Grounds).find(|verdict| verdict.rule.id == *id);
        let aside = verdict.and_then(|verdict| verdict.set_aside.iter().find(|aside| aside.near_miss));
        let enough = match aside {
            Some(_) => WAVERING..ECHOED,
            None if claimed => CALLED..f32::INFINITY,
            None => SUSPECTED..f32::INFINITY,
        };
        if !enough.contains(sure) {
            continue;
        }
        let percent = (sure * 100.0).round();
        reasons.push(match aside {
            Some(aside) => format!(
                "{id} nearly holds: \"{}\" ({}), and what was learned is {percent} % sure of it",
                aside.evidence.text, aside.reason
            ),
            None if claimed => {
                format!("called urgent by the sender, and what was learned is {percent} % sure of {id}")
            }
            None => format!("what was learned is {percent} % sure of {id}, but no rule finds words for it"),
        });
    }
    if !known {
        // Without what was learned, the rules' own near misses are all there is.
        for verdict in reading.group(Group::Grounds).filter(|verdict| !verdict.holds) {
            if let Some(aside) = verdict.set_aside.iter().find(|aside| aside.near_miss) {
                let (id, text) = (&verdict.rule.id, &aside.evidence.text);
                reasons.push(format!("{id} nearly holds: \"{text}\" ({})", aside.reason));
            }
        }
    }
    reasons
}

/// Why a ground may have been heard where there is none: only where no ground stands firm.
fn urgent(reading: &Reading<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    for verdict in reading.group(Group::Grounds).filter(|verdict| verdict.holds) {
        let id = &verdict.rule.id;
        let Some(sure) = reading.sure(id) else { return Vec::new() };
        let percent = (sure * 100.0).round();
        if verdict.by_learned_alone() {
            if sure > BARELY {
                return Vec::new();
            }
            reasons.push(format!("{id} rests on what was learned alone, which is {percent} % sure"));
        } else {
            if sure > DOUBTED {
                return Vec::new();
            }
            let words = verdict.evidence.first().map(|one| one.text.as_str()).unwrap_or_default();
            reasons.push(format!("{id} holds by \"{words}\", but what was learned is only {percent} % sure"));
        }
    }
    reasons
}

fn is_urgent(id: &str) -> bool {
    id.strip_prefix('U').is_some_and(|number| number.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Evidence, Rule, Verdict, Zone};

    fn marks(urgency: Urgency, claimed: bool, sure: f32, phrase: Option<&str>) -> Vec<String> {
        let rule = Rule {
            id: "U4".to_owned(),
            group: Group::Grounds,
            title: String::new(),
            policy: String::new(),
            then: String::new(),
        };
        let evidence = phrase.map(|phrase| Evidence {
            zone: Zone::New,
            range: 0..4,
            text: "noon".to_owned(),
            phrase: phrase.to_owned(),
            sentence: 0,
            captures: Vec::new(),
        });
        let verdict = Verdict {
            rule: &rule,
            holds: phrase.is_some(),
            evidence: evidence.into_iter().collect(),
            set_aside: Vec::new(),
        };
        let reading = Reading { verdicts: vec![verdict], sure: vec![("U4", sure)], ..Reading::default() };
        let found = Urgent { urgency, grounds: Vec::new(), claimed };
        let mut trace = Vec::new();
        let unsure = unsure(&reading, &found, false, &mut trace);
        assert_eq!(unsure, !trace.is_empty());
        trace.into_iter().map(|finding| finding.reason).collect()
    }

    #[test]
    fn what_was_learned_asks_for_a_look_where_no_rule_has_words() {
        assert!(
            marks(Urgency::Standard, false, 0.4, None)[0].starts_with("what was learned is 40 % sure of U4")
        );
        assert!(marks(Urgency::Standard, false, 0.32, None).is_empty());
        assert!(marks(Urgency::Standard, true, 0.32, None)[0].starts_with("called urgent by the sender"));
    }

    #[test]
    fn words_that_nothing_else_supports_ask_for_a_look() {
        assert!(marks(Urgency::Urgent, false, 0.08, Some("at noon"))[0].starts_with("U4 holds by \"noon\""));
        assert!(marks(Urgency::Urgent, false, 0.4, Some("at noon")).is_empty());
        assert!(marks(Urgency::Urgent, false, 0.55, Some("learned"))[0].contains("alone"));
        assert!(marks(Urgency::Urgent, false, 0.9, Some("learned")).is_empty());
    }
}
