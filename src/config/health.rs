//! The dead-man's switch as configured: where it is written that the daemon is alive, from when on a folder counts as
//! stalled, who is told, and the message that must come round. Only values.

use std::collections::BTreeSet;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Config;
use super::check::{Problems, check_recipient};

/// How somebody outside learns that the program, or one of its mailboxes, stands still.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthRules {
    /// The file in which the daemon says every half minute how it is; `health.json` beside the database unless given.
    pub file: Option<PathBuf>,
    /// From so many minutes on a watched folder that was not reached, or a file that was not written, is a stall.
    pub stalled_after_minutes: u32,
    /// Who is told by mail of a stalled folder and of a message to ourselves that is lost: whoever looks after the program. On the council's own domain.
    pub to: Vec<String>,
    /// A message to ourselves that must come round; without it, none is sent.
    pub canary: Option<CanaryRules>,
}

impl Default for HealthRules {
    fn default() -> Self {
        Self { file: None, stalled_after_minutes: 15, to: Vec::new(), canary: None }
    }
}

/// The message to ourselves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryRules {
    /// The account that sends it to its own address.
    pub account: String,
    /// Every so many hours.
    #[serde(default = "a_day")]
    pub every_hours: u32,
    /// It must be back in the first watched folder within so many minutes.
    #[serde(default = "half_an_hour")]
    pub within_minutes: u32,
}

fn a_day() -> u32 {
    24
}

fn half_an_hour() -> u32 {
    30
}

impl Config {
    /// The file in which the daemon says how it is.
    pub fn health_file(&self) -> PathBuf {
        self.health.file.clone().unwrap_or_else(|| self.database.with_file_name("health.json"))
    }
}

/// What is wrong with it though every key and type is right.
pub(super) fn check(config: &Config, watched: &BTreeSet<String>, out: &mut Problems) {
    let health = &config.health;
    for (at, address) in health.to.iter().enumerate() {
        check_recipient(config, &format!("health/to/{at}"), address, watched, out);
    }
    if health.stalled_after_minutes < 10 {
        let problem =
            "a folder is looked at every five minutes only: `stalled_after_minutes` must be 10 or more";
        out.add("health/stalled_after_minutes", problem, "15 is usual.");
    }
    let Some(canary) = &health.canary else { return };
    match config.account(&canary.account) {
        None => out.add(
            "health/canary/account",
            format!("there is no account `{}`", canary.account),
            "Write the `name` of an account.",
        ),
        Some(account) if account.smtp.is_none() => out.add(
            "health/canary/account",
            format!("the account `{}` has no `smtp`: nothing that it writes comes round", canary.account),
            "Choose an account with `imap` and `smtp`.",
        ),
        Some(_) => {}
    }
    if canary.every_hours == 0 || canary.within_minutes == 0 {
        let remedy = "24 hours and 30 minutes are usual; remove `canary:` to send none.";
        out.add("health/canary", "`every_hours` and `within_minutes` must be 1 or more", remedy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration that comes with the program, with these lines in place of its own about health.
    fn read(lines: &str) -> Result<Config, String> {
        let (head, _) = super::super::EXAMPLE.split_once("\nhealth:").unwrap();
        Config::parse(&format!("{head}\n{lines}"), "c.yaml", std::path::Path::new("/srv")).map_err(|e| e.0)
    }

    #[test]
    fn a_switch_that_could_never_work_is_refused() {
        for (lines, said) in [
            ("health: {to: [me@elsewhere.example]}", "is not on the council's own domain"),
            ("health: {to: [send.general@hertfordshire.example]}", "is a watched mailbox"),
            ("health: {stalled_after_minutes: 3}", "must be 10 or more"),
            ("health: {canary: {account: nobody}}", "there is no account `nobody`"),
            ("health: {canary: {account: general, every_hours: 0}}", "must be 1 or more"),
        ] {
            let told = read(lines).map(|_| ()).unwrap_err();
            assert!(told.contains(said), "{lines}\n{told}");
        }
    }

    #[test]
    fn the_file_lies_beside_the_database_unless_it_is_named() {
        let beside = read("health: {}").unwrap().health_file();
        assert_eq!(beside, PathBuf::from("/var/lib/send-triage/health.json"));
        assert_eq!(
            read("health: {file: run/health.json}").unwrap().health_file(),
            PathBuf::from("/srv/run/health.json")
        );
    }
}
