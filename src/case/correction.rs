//! What staff say is right about a message that the rules decided otherwise. It changes no rule and no stored decision:
//! decisions stay as they were made, corrections are events after them.
//!
//! labelling.md has the words. What a folder says of the messages in it is [`crate::effect::Routing::meaning`].

use serde::{Deserialize, Serialize};

/// What a correction may speak of, as it stands before or after one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Labels {
    /// `person`, `auto-reply`, ...
    pub kind: String,
    /// `urgent` or `standard`.
    pub urgency: String,
    /// `U1` to `U10`; else `S1` to `S7`, or `other`.
    pub grounds: Vec<String>,
    /// The team.
    pub queue: String,
    /// `east`, `west` or `unknown`.
    pub area: String,
}

/// What is right; `None` is not spoken of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Correction {
    /// `person`, `auto-reply`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `urgent` or `standard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    /// The grounds that hold, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Vec<String>>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// `east`, `west` or `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
}

impl Correction {
    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What of it differs from these labels.
    pub fn of(self, labels: &Labels) -> Self {
        Self {
            kind: self.kind.filter(|kind| *kind != labels.kind),
            urgency: self.urgency.filter(|urgency| *urgency != labels.urgency),
            grounds: self.grounds.filter(|grounds| *grounds != labels.grounds),
            queue: self.queue.filter(|queue| *queue != labels.queue),
            area: self.area.filter(|area| *area != labels.area),
        }
    }

    /// This, and what was said after it: the later word counts. Urgent or not is said anew with its grounds, or without.
    pub fn then(self, later: &Self) -> Self {
        let grounds = if later.urgency.is_some() { None } else { self.grounds };
        Self {
            kind: later.kind.clone().or(self.kind),
            urgency: later.urgency.clone().or(self.urgency),
            grounds: later.grounds.clone().or(grounds),
            queue: later.queue.clone().or(self.queue),
            area: later.area.clone().or(self.area),
        }
    }

    /// The labels of before, for what it speaks of.
    pub fn before(&self, labels: &Labels) -> Self {
        Self {
            kind: self.kind.as_ref().map(|_| labels.kind.clone()),
            urgency: self.urgency.as_ref().map(|_| labels.urgency.clone()),
            grounds: self.grounds.as_ref().map(|_| labels.grounds.clone()),
            queue: self.queue.as_ref().map(|_| labels.queue.clone()),
            area: self.area.as_ref().map(|_| labels.area.clone()),
        }
    }
}

impl Labels {
    /// The labels as corrected. A message that is urgent no more keeps no urgent ground, and one that is no person's
    /// belongs to no team.
    pub fn corrected(mut self, correction: &Correction) -> Self {
        let replace = |field: &mut String, right: &Option<String>| {
            if let Some(right) = right {
                field.clone_from(right);
            }
        };
        replace(&mut self.kind, &correction.kind);
        replace(&mut self.urgency, &correction.urgency);
        replace(&mut self.queue, &correction.queue);
        // Reviews go to a team by area: the team says the area.
        let by_team = correction.queue.as_deref().and_then(|queue| queue.strip_prefix("annual-review-"));
        replace(&mut self.area, &correction.area.clone().or(by_team.map(str::to_owned)));
        if let Some(grounds) = &correction.grounds {
            self.grounds.clone_from(grounds);
        }
        if self.urgency == "standard" {
            self.grounds.retain(|ground| !ground.starts_with('U'));
            if self.grounds.is_empty() && self.kind == "person" {
                self.grounds.push("other".to_owned());
            }
        } else if correction.urgency.is_some() && correction.grounds.is_none() {
            // What it was about as a standard matter is no ground of an urgent one.
            self.grounds.retain(|ground| ground.starts_with('U'));
        }
        if self.kind != "person" {
            (self.queue, self.urgency, self.grounds) = ("none".into(), "standard".into(), Vec::new());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided() -> Labels {
        Labels {
            kind: "person".into(),
            urgency: "urgent".into(),
            grounds: vec!["U4".into()],
            queue: "general".into(),
            area: "east".into(),
        }
    }

    #[test]
    fn only_what_differs_is_a_correction() {
        let said = Correction {
            urgency: Some("standard".into()),
            queue: Some("general".into()),
            ..Correction::default()
        };
        let correction = said.of(&decided());
        assert_eq!(correction, Correction { urgency: Some("standard".into()), ..Correction::default() });
        assert_eq!(correction.before(&decided()).urgency.as_deref(), Some("urgent"));
        assert!(correction.clone().of(&decided().corrected(&correction)).is_empty());
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let urgency = |urgency: &str| Correction { urgency: Some(urgency.into()), ..Correction::default() };
        let back = urgency("standard").then(&urgency("urgent"));
        assert_eq!(decided().corrected(&back.of(&decided())), decided());
        let named = Correction { grounds: Some(vec!["U5".into()]), ..Correction::default() };
        assert_eq!(urgency("urgent").then(&named).urgency.as_deref(), Some("urgent"));
        assert_eq!(named.then(&urgency("standard")).grounds, None);
    }

    #[test]
    fn grounds_follow_the_urgency() {
        let standard = Correction { urgency: Some("standard".into()), ..Correction::default() };
        let calm = decided().corrected(&standard);
        assert_eq!(
            (calm.grounds.as_slice(), calm.queue.as_str()),
            (["other".to_owned()].as_slice(), "general")
        );
        let urgent = Correction { urgency: Some("urgent".into()), ..Correction::default() };
        assert!(calm.clone().corrected(&urgent).grounds.is_empty(), "nobody has said on what ground");
        let west = Correction { queue: Some("annual-review-west".into()), ..Correction::default() };
        assert_eq!(decided().corrected(&west).area, "west");
        let machine = Correction { kind: Some("auto-reply".into()), ..Correction::default() };
        assert_eq!(decided().corrected(&machine).queue, "none");
    }
}
