//! How the daemon is, as the file beside the database tells it to whoever looks from outside, and what of it is wrong. The
//! file is written by `pulse.rs` and read by `send-triage health`; here it is only judged, from the values in it and a time.
//!
//! It names accounts and folders, never people. A stall is what must be mended now: nobody is being served. The rest is work
//! that waits for a person and is told elsewhere too (`cases list`, the daily letter).

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::london;
use crate::certificate::ServerCertificate;

/// How the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// When this was written.
    pub written_at: DateTime<Utc>,
    /// When the daemon started.
    pub started_at: DateTime<Utc>,
    /// When it ended, if it was asked to.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Its process.
    pub process: u32,
    /// The program's version.
    pub program: String,
    /// The version of the rules in force.
    pub rules: String,
    /// Whether changed rules were refused and the last good ones are in force instead.
    pub rules_refused: bool,
    /// The watched folders.
    pub folders: Vec<WatchedFolder>,
    /// The message to ourselves; `None`: none is sent.
    pub canary: Option<Canary>,
    /// What is to be done, now or later.
    pub pending: u64,
    /// Letters of which nobody knows whether they were sent.
    pub uncertain: u64,
    /// What could not be done and waits for a person.
    pub stuck: u64,
    /// Messages that could not be read or decided and wait for a person.
    pub set_aside: u64,
    /// The servers' certificates, as they were last seen.
    #[serde(default)]
    pub certificates: Vec<ServerCertificate>,
    /// Secrets and certificates that run out soon, each as a sentence.
    #[serde(default)]
    pub runs_out: Vec<String>,
}

/// A watched folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedFolder {
    /// The account.
    pub account: String,
    /// The folder.
    pub folder: String,
    /// When its server last answered; `None`: it never has.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// The last message to ourselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The account that sent it to itself.
    pub account: String,
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// By when it must be back.
    pub expected_by: DateTime<Utc>,
    /// When it was met again; `None`: it was not yet.
    pub met_at: Option<DateTime<Utc>>,
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ailment {
    /// Whether it is a stall: mail is not being looked after. Otherwise something waits for a person.
    pub stall: bool,
    /// What it is and what to do, in a sentence or two.
    pub text: String,
}

/// The judgement of how the daemon is: `send-triage health` and `/healthz` say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether mail is looked after.
    pub ok: bool,
    /// What stands still.
    pub stalls: Vec<String>,
    /// What waits for a person.
    pub waiting: Vec<String>,
}

impl Verdict {
    /// By what the daemon last wrote of itself.
    pub fn of(health: &Health, now: DateTime<Utc>, after: TimeDelta) -> Self {
        let (stalls, waiting): (Vec<_>, Vec<_>) =
            health.ailments(now, after).into_iter().partition(|one| one.stall);
        let texts = |of: Vec<Ailment>| of.into_iter().map(|one| one.text).collect::<Vec<_>>();
        Self { ok: stalls.is_empty(), stalls: texts(stalls), waiting: texts(waiting) }
    }

    /// By its file; one that cannot be read is a stall.
    pub fn of_file(path: &Path, now: DateTime<Utc>, after: TimeDelta) -> Self {
        match Health::read(path) {
            Ok(health) => Self::of(&health, now, after),
            Err(problem) => Self { ok: false, stalls: vec![problem], waiting: Vec::new() },
        }
    }
}

/// A watched folder that was not reached for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stalled<'h> {
    /// The folder.
    pub folder: &'h WatchedFolder,
    /// Since when: its server's last answer, or the start if there was none.
    pub since: DateTime<Utc>,
}

impl Health {
    /// From the file's text.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!(
                    "{}: there is no such file: the daemon has never run with this configuration.",
                    path.display()
                )
            }
            _ => format!("{}: it cannot be read: {error}", path.display()),
        })?;
        serde_json::from_str(&text).map_err(|error| {
            format!(
                "{}: this is not what the daemon writes ({error}). Is it another version's?",
                path.display()
            )
        })
    }

    /// The folders that were not reached for so long, of a daemon that runs.
    pub fn stalled(&self, now: DateTime<Utc>, after: TimeDelta) -> impl Iterator<Item = Stalled<'_>> {
        self.folders.iter().filter_map(move |folder| {
            let since = folder.last_seen_at.unwrap_or(self.started_at).max(self.started_at);
            (now - since > after).then_some(Stalled { folder, since })
        })
    }

    /// Everything that is wrong, stalls first.
    pub fn ailments(&self, now: DateTime<Utc>, after: TimeDelta) -> Vec<Ailment> {
        let stall = |text: String| Ailment { stall: true, text };
        let waits = |text: String| Ailment { stall: false, text };
        if let Some(at) = self.stopped_at {
            return vec![stall(format!("It was stopped {}. Start it: no mail is looked after.", when(at)))];
        }
        if now - self.written_at > after {
            return vec![stall(format!(
                "It last said that it is alive {}. It has died or hangs: restart it (process {}), and see its log.",
                when(self.written_at),
                self.process
            ))];
        }
        let mut found: Vec<Ailment> = self
            .stalled(now, after)
            .map(|Stalled { folder, since }| {
                let WatchedFolder { account, folder, last_seen_at } = folder;
                let last = match last_seen_at {
                    Some(_) => format!("was last reached {}", when(since)),
                    None => format!("was not reached since the start {}", when(since)),
                };
                stall(format!(
                    "The folder {folder} of {account} {last}. `send-triage doctor` says what keeps it from its server."
                ))
            })
            .collect();
        if let Some(canary) = &self.canary
            && canary.met_at.is_none()
            && now > canary.expected_by
        {
            found.push(stall(format!(
                "The message that {} wrote to itself {} has not come back: mail is not sent, or not delivered. \
                 `send-triage cases withheld` and the mail server's log say more.",
                canary.account,
                when(canary.written_at)
            )));
        }
        let several =
            |n: u64, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
        if self.rules_refused {
            found.push(waits(
                "Changed rules were refused; the last good ones are in force (`send-triage check`)."
                    .to_owned(),
            ));
        }
        if self.stuck > 0 {
            let what =
                several(self.stuck, "thing could not be done and waits", "things could not be done and wait");
            found.push(waits(format!("{what} for a person.")));
        }
        if self.uncertain > 0 {
            let what = several(self.uncertain, "letter is", "letters are");
            found.push(waits(format!("{what} being looked for: nobody knows yet whether it was sent.")));
        }
        if self.set_aside > 0 {
            let what = several(self.set_aside, "message", "messages");
            found.push(waits(format!("{what} could not be read or decided: a person must look.")));
        }
        found.extend(self.runs_out.iter().cloned().map(waits));
        found
    }
}

/// A time as staff read it.
fn when(at: DateTime<Utc>) -> String {
    format!("on {} at {} (London)", london::date(at).format("%a %-d %b %Y"), london::time(at).format("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: TimeDelta = TimeDelta::minutes(15);

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-18T{text}:00Z").parse().unwrap()
    }

    fn health() -> Health {
        Health {
            written_at: at("10:00"),
            started_at: at("08:00"),
            stopped_at: None,
            process: 4711,
            program: "0.1.0".to_owned(),
            rules: "abc".to_owned(),
            rules_refused: false,
            folders: ["INBOX", "Urgent"]
                .map(|folder| WatchedFolder {
                    account: "general".to_owned(),
                    folder: folder.to_owned(),
                    last_seen_at: Some(at("09:58")),
                })
                .to_vec(),
            canary: None,
            pending: 3,
            uncertain: 0,
            stuck: 0,
            set_aside: 0,
            certificates: Vec::new(),
            runs_out: Vec::new(),
        }
    }

    fn stalls(health: &Health, now: &str) -> Vec<String> {
        health.ailments(at(now), QUARTER).into_iter().filter(|one| one.stall).map(|one| one.text).collect()
    }

    #[test]
    fn a_daemon_that_works_has_no_ailment() {
        assert_eq!(health().ailments(at("10:01"), QUARTER), []);
    }

    #[test]
    fn one_that_has_died_or_hangs_is_told_apart_from_one_that_was_stopped() {
        assert!(
            stalls(&health(), "10:16").concat().contains("It has died or hangs: restart it (process 4711)")
        );
        let stopped = Health { stopped_at: Some(at("09:59")), ..health() };
        assert!(stalls(&stopped, "10:00").concat().contains("It was stopped on Wed 18 Nov 2026 at 09:59"));
    }

    #[test]
    fn a_folder_that_is_not_reached_is_a_stall_of_its_own() {
        let mut ill = Health { written_at: at("10:20"), ..health() };
        ill.folders[0].last_seen_at = Some(at("10:19"));
        let told = stalls(&ill, "10:20");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("The folder Urgent of general was last reached on Wed 18 Nov 2026 at 09:58")
        );
        // Before the start nobody was there to reach it: the quarter of an hour begins then.
        ill.started_at = at("10:10");
        assert_eq!(stalls(&ill, "10:20"), Vec::<String>::new());
        ill.folders[1].last_seen_at = None;
        ill.written_at = at("10:26");
        ill.folders[0].last_seen_at = Some(at("10:26"));
        assert!(stalls(&ill, "10:26").concat().contains("was not reached since the start"));
    }

    #[test]
    fn a_message_to_ourselves_that_does_not_come_back_is_a_stall() {
        let canary = Canary {
            account: "general".to_owned(),
            written_at: at("09:00"),
            expected_by: at("09:30"),
            met_at: None,
        };
        let mut ill = Health { canary: Some(canary), ..health() };
        assert!(stalls(&ill, "10:00").concat().contains("wrote to itself on Wed 18 Nov 2026 at 09:00"));
        ill.canary.as_mut().unwrap().met_at = Some(at("09:01"));
        assert_eq!(stalls(&ill, "10:00"), Vec::<String>::new());
    }

    #[test]
    fn what_waits_for_a_person_is_no_stall() {
        let runs_out = vec!["The secret runs out tomorrow.".to_owned()];
        let busy = Health { stuck: 1, set_aside: 2, rules_refused: true, runs_out, ..health() };
        let told = busy.ailments(at("10:00"), QUARTER);
        assert_eq!(told.len(), 4);
        assert!(told.iter().all(|one| !one.stall));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("health.json");
        std::fs::write(&path, serde_json::to_string(&health()).unwrap()).unwrap();
        assert_eq!(Health::read(&path).unwrap(), health());
        std::fs::write(&path, "{").unwrap();
        assert!(Health::read(&path).unwrap_err().contains("not what the daemon writes"));
        assert!(Health::read(&folder.path().join("none")).unwrap_err().contains("has never run"));
    }
}
