//! How answers by staff and corrections by moving a message are noticed, as configured. Only values.

use std::collections::BTreeMap;

use chrono::{DateTime, Months, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

/// How answers by staff are noticed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// When a Sent folder is taken into use, so many days of it are read back. With `existing: ignore`, none.
    pub look_back_days: u32,
}

impl Default for Answers {
    fn default() -> Self {
        Self { look_back_days: 30 }
    }
}

/// What happens when staff pass an email on inside the council (policy, email e).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PassedOnRules {
    /// Whether the sender is told which team has it now.
    pub tell_sender: bool,
    /// Addresses of teams, with the names by which the sender is told of them. Nobody else is ever named.
    pub teams: BTreeMap<String, String>,
}

/// How messages that staff move are noticed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Moves {
    /// Seconds between two looks at our filing folders; 0: they are not looked at.
    pub look_every_seconds: u32,
}

impl Default for Moves {
    fn default() -> Self {
        Self { look_every_seconds: 300 }
    }
}

/// How long people stay in the record (UK GDPR article 5(1)(e)).
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Months after which a case that was answered or closed, or mail that opened none, loses the people in it; 0: never.
    pub months: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { months: 24 }
    }
}

impl Retention {
    /// What was settled before this is purged; `None`: nothing is.
    pub fn before(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.months > 0).then(|| now.checked_sub_months(Months::new(self.months))).flatten()
    }
}

impl PassedOnRules {
    /// The name of the team with this address.
    pub fn team(&self, address: &str) -> Option<&str> {
        let found = self.teams.iter().find(|(of, _)| of.eq_ignore_ascii_case(address));
        found.map(|(_, name)| name.as_str())
    }
}
