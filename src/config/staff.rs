//! Who among staff is written to about cases, and who takes telephone messages for the team.
//!
//! All of them are addresses on the council's own domain; `config/check.rs` sees to that. Policy, email f and h;
//! escalations outside the protocol; telephone.

use chrono::NaiveTime;
use schemars::JsonSchema;
use serde::Deserialize;

use super::shape::Time;
use super::{Config, QueueName};

/// The daily letter: what is overdue, urgent, nearly due, missing, withheld.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reminders {
    /// When, on each working day, Europe/London; not before work starts.
    #[schemars(with = "Time")]
    pub at: NaiveTime,
    /// A case is nearly due when so many working days are left, or fewer.
    pub nearing_working_days: u32,
    /// Who gets it.
    pub to: Vec<ReminderTo>,
}

impl Default for Reminders {
    fn default() -> Self {
        Self {
            at: NaiveTime::from_hms_opt(8, 30, 0).unwrap_or_default(),
            nearing_working_days: 3,
            to: Vec::new(),
        }
    }
}

/// Somebody who gets the daily letter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReminderTo {
    /// Who: an address on the council's own domain that is no watched mailbox.
    pub address: String,
    /// Only these teams' cases; without it, all.
    #[serde(default)]
    pub queues: Vec<QueueName>,
    /// Only cases of these areas; without it, all.
    #[serde(default)]
    pub areas: Vec<AreaName>,
}

/// An area, as written in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum AreaName {
    East,
    West,
    Unknown,
}

impl AreaName {
    /// The word for it in the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::East => "east",
            Self::West => "west",
            Self::Unknown => "unknown",
        }
    }
}

/// Abusive and threatening mail is referred to SEND leadership (policy, email h).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Referrals {
    /// Who is told: addresses on the council's own domain that are not watched mailboxes.
    pub to: Vec<String>,
    /// Whether the referral carries what the sender wrote; otherwise it says only where that lies.
    pub include_text: bool,
}

/// What the Resolution Team is told about a case that comes to it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resolution {
    /// Who is told; without it, the account that has the resolution queue to itself, and where there is none, nobody.
    pub to: Option<Vec<String>>,
}

/// Call-backs that the Customer Service Centre asks for by mail (policy, telephone).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallBacks {
    /// The centre's addresses, on the council's own domain; without any, there are no call-backs.
    pub from: Vec<String>,
    /// Within how many working days callers are called back.
    pub within_working_days: u32,
}

impl Default for CallBacks {
    fn default() -> Self {
        Self { from: Vec::new(), within_working_days: 5 }
    }
}

impl Config {
    /// Who is told about cases that come to the Resolution Team.
    pub fn resolution_to(&self) -> Vec<String> {
        match &self.resolution.to {
            Some(to) => to.clone(),
            None => self.resolution_mailbox().map(str::to_owned).into_iter().collect(),
        }
    }

    /// The address of the account that has the resolution queue, and no other queue.
    pub fn resolution_mailbox(&self) -> Option<&str> {
        let name = self.queues.get(&QueueName::Resolution)?.account.as_deref()?;
        let shared = self
            .queues
            .iter()
            .any(|(queue, place)| *queue != QueueName::Resolution && place.account.as_deref() == Some(name));
        self.account(name).filter(|_| !shared).map(|account| account.address.as_str())
    }

    /// Teams and areas whose cases are in nobody's daily letter, though somebody gets one: `assessment (west, unknown)`.
    pub fn unreminded(&self) -> Vec<String> {
        use AreaName::{East, Unknown, West};
        let to = &self.reminders.to;
        let told = |queue: QueueName, area: AreaName| {
            to.iter().any(|to| {
                (to.queues.is_empty() || to.queues.contains(&queue))
                    && (to.areas.is_empty() || to.areas.contains(&area))
            })
        };
        let gap = |(queue, name): &(QueueName, &str)| {
            let areas: &[AreaName] = match queue {
                QueueName::AnnualReviewEast => &[East],
                QueueName::AnnualReviewWest => &[West],
                _ => &[East, West, Unknown],
            };
            let untold = areas.iter().filter(|area| !told(*queue, **area));
            let words: Vec<&str> = untold.map(|area| area.word()).collect();
            (!words.is_empty()).then(|| format!("{name} ({})", words.join(", ")))
        };
        if to.is_empty() { Vec::new() } else { super::check::QUEUES.iter().filter_map(gap).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration that comes with the program, with these lines for those at its end.
    fn read(lines: &str) -> Result<Config, String> {
        let (head, _) = super::super::EXAMPLE.split_once("\nalerts:").unwrap();
        Config::parse(&format!("{head}\n{lines}"), "c.yaml", std::path::Path::new(".")).map_err(|e| e.0)
    }

    #[test]
    fn letters_to_staff_stay_inside_and_never_go_to_a_mailbox_that_would_answer_them() {
        let watched = "send.general@hertfordshire.example";
        for (lines, said) in [
            ("referrals: {to: [head@elsewhere.example]}", "is not on the council's own domain"),
            (
                &format!("referrals: {{to: [{watched}]}}"),
                "is a watched mailbox; it would answer our own letters",
            ),
            (&format!("reminders: {{to: [{{address: {watched}}}]}}"), "is a watched mailbox"),
            ("reminders: {to: [{address: lead@elsewhere.example}]}", "is not on the council's own domain"),
            (
                "reminders: {to: [{address: a@hertfordshire.example, queues: [asessment]}]}",
                "Did you mean `assessment`?",
            ),
            ("reminders: {to: [{address: a@hertfordshire.example, areas: [eest]}]}", "Did you mean `east`?"),
            (
                "reminders: {to: [{address: a@hertfordshire.example}, {address: A@hertfordshire.example}]}",
                "stands here twice",
            ),
            ("reminders: {at: \"18:00\"}", "after work has ended"),
            ("reminders: {at: \"half past\"}", "no time of day"),
            (&format!("resolution: {{to: [{watched}]}}"), "is a watched mailbox"),
            ("call_backs: {from: [csc@elsewhere.example]}", "is not on the council's own domain"),
            (&format!("call_backs: {{from: [{watched}]}}"), "ask itself for call-backs"),
            ("call_backs: {within_working_days: 0}", "The policy says 5."),
        ] {
            let told = read(lines).map(|_| ()).unwrap_err();
            assert!(told.contains(said), "{lines}\n{told}");
        }
    }

    #[test]
    fn the_resolution_teams_own_mailbox_is_told_unless_the_operator_says_otherwise() {
        let own = "send.resolution@hertfordshire.example";
        assert_eq!(read("").unwrap().resolution_to(), [own]);
        assert_eq!(read(&format!("resolution: {{to: [{own}]}}")).unwrap().resolution_to(), [own]);
        assert!(read("resolution: {to: []}").unwrap().resolution_to().is_empty());
        let mut shared = read("").unwrap();
        let general = shared.queues[&QueueName::General].clone();
        shared.queues.insert(QueueName::Resolution, general);
        assert!(shared.resolution_to().is_empty(), "a mailbox that other teams read as well");
    }

    #[test]
    fn cases_that_nobody_is_reminded_of_are_named() {
        assert!(read("").unwrap().unreminded().is_empty(), "no daily letters at all");
        let east = "reminders: {at: \"08:15\", to: [{address: a@hertfordshire.example, areas: [east]}, \
                    {address: b@hertfordshire.example, queues: [general, resolution, annual-review-west]}]}";
        assert_eq!(read(east).unwrap().unreminded(), ["assessment (west, unknown)"]);
    }
}
