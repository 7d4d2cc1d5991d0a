//! Who gets the weekly digest, about what, and when. References and dates only, unless a recipient is to see names.
//!
//! Addresses on the council's own domain, and no watched mailbox; each says of which cases it is told: nobody gets all of them by
//! leaving something out.

use std::collections::BTreeSet;

use chrono::{NaiveTime, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Problems, check_recipient};
use super::shape::Time;
use super::staff::AreaName;
use super::{Config, QueueName};

/// The weekly digest.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DigestRules {
    /// When, Europe/London; before work starts or after it has.
    #[schemars(with = "Time")]
    pub at: NaiveTime,
    /// On which day; where that is a bank holiday, the next working day. It is about the last whole week.
    pub day: DigestDay,
    /// Who gets it.
    pub to: Vec<DigestTo>,
}

impl Default for DigestRules {
    fn default() -> Self {
        Self {
            at: NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default(),
            day: DigestDay::Monday,
            to: Vec::new(),
        }
    }
}

/// Somebody who gets the digest.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DigestTo {
    /// Who: an address on the council's own domain that is no watched mailbox.
    pub address: String,
    /// About these teams' cases.
    #[serde(default)]
    pub queues: Vec<QueueName>,
    /// About cases of these areas.
    #[serde(default)]
    pub areas: Vec<AreaName>,
    /// About all cases, for service leadership; instead of `queues` and `areas`.
    #[serde(default)]
    pub all: bool,
    /// Whether senders and subjects stand in it.
    #[serde(default)]
    pub names: bool,
}

/// A working day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum DigestDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
}

impl From<DigestDay> for Weekday {
    fn from(day: DigestDay) -> Self {
        match day {
            DigestDay::Monday => Self::Mon,
            DigestDay::Tuesday => Self::Tue,
            DigestDay::Wednesday => Self::Wed,
            DigestDay::Thursday => Self::Thu,
            DigestDay::Friday => Self::Fri,
        }
    }
}

/// What is wrong with it.
pub(super) fn check(config: &Config, watched: &BTreeSet<String>, out: &mut Problems) {
    let rules = &config.digest;
    for (at, to) in rules.to.iter().enumerate() {
        let path = format!("digest/to/{at}");
        check_recipient(config, &format!("{path}/address"), &to.address, watched, out);
        let twice = |other: &DigestTo| other.address.eq_ignore_ascii_case(&to.address);
        if rules.to.iter().take(at).any(twice) {
            let problem = format!("{} stands here twice", to.address);
            out.add(
                format!("{path}/address"),
                problem,
                "One digest a week goes to each: put its queues and areas together.",
            );
        }
        let named = !to.queues.is_empty() || !to.areas.is_empty();
        if to.all && named {
            out.add(
                format!("{path}/all"),
                format!("{} gets all cases and only some of them", to.address),
                "Keep `all: true`, or keep `queues` and `areas`.",
            );
        }
        if !to.all && !named {
            out.add(
                format!("{path}/address"),
                format!("it is not said of which cases {} is told", to.address),
                "Add `queues: [...]` or `areas: [...]`, or `all: true` for service leadership.",
            );
        }
    }
    let ends = config.deadlines.work_ends.min(config.deadlines.work_ends_friday);
    if rules.at >= ends {
        out.add(
            "digest/at",
            "the digest would come after work has ended, and so never",
            "Choose a time in the morning; \"08:00\" is usual.",
        );
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
    fn a_digest_stays_inside_and_everybody_is_told_of_named_cases() {
        let own = "a@hertfordshire.example";
        for (to, said) in [
            ("{address: head@elsewhere.example, all: true}", "is not on the council's own domain"),
            ("{address: head@nothertfordshire.example, all: true}", "is not on the council's own domain"),
            ("{address: send.general@hertfordshire.example, all: true}", "is a watched mailbox"),
            (&format!("{{address: {own}}}"), "not said of which cases"),
            (&format!("{{address: {own}, all: true, areas: [east]}}"), "all cases and only some"),
            (&format!("{{address: {own}, queues: [asessment]}}"), "Did you mean `assessment`?"),
            (
                &format!("{{address: {own}, all: true}}, {{address: A@hertfordshire.example, all: true}}"),
                "stands here twice",
            ),
            (&format!("{{address: {own}, all: true, name: true}}"), "Did you mean `names`?"),
        ] {
            let told = read(&format!("digest: {{to: [{to}]}}")).map(|_| ()).unwrap_err();
            assert!(told.contains(said), "{to}\n{told}");
        }
        for (line, said) in
            [("at: \"17:00\"", "after work has ended"), ("day: sunday", "one of"), ("day: mnday", "`monday`")]
        {
            let told = read(&format!("digest: {{{line}}}")).map(|_| ()).unwrap_err();
            assert!(told.contains(said), "{line}\n{told}");
        }
        let good = read(&format!(
            "digest: {{at: \"07:30\", day: friday, to: [{{address: {own}, queues: [general], names: true}}]}}"
        ))
        .unwrap();
        assert!(good.digest.to[0].names && !good.digest.to[0].all);
        assert_eq!(Weekday::from(read("").unwrap().digest.day), Weekday::Mon);
    }
}
