//! A change that was refused, made visible to people: in a file beside the database, in `doctor` and `cases list`, in the log,
//! and by mail to whoever keeps the rules, once for each distinct refusal that lasts.
//!
//! The notice is no effect: it is about no message, and what it tells lies on disk in the file. It waits some minutes, so that
//! somebody who is still editing is not mailed at every save, and for working hours (policy, email f).

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::calendar::london;
use crate::clock::Clock;
use crate::config::Config;
use crate::letter::{self, Letter, RefusalFacts};
use crate::outbox::{Courier, DeliveryError};
use crate::rules::diagnostic::{self, Diagnostic};

use super::in_force::Set;
use super::{World, letters};

/// How long a refusal lasts before anybody is mailed.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// A change that was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Number of mistakes and files, in words.
    pub summary: String,
    /// All complaints.
    pub complaints: String,
    /// Letters that are not sent yet: the account, the letter, and when.
    notices: Vec<(String, Letter, DateTime<Utc>)>,
}

impl Refusal {
    /// From its complaints.
    pub fn new(complaints: &[Diagnostic]) -> Self {
        let mut files: Vec<&str> = complaints.iter().map(|one| one.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        let several =
            |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        Self {
            summary: format!("{} in {}", several(complaints.len(), "mistake"), several(files.len(), "file")),
            complaints: diagnostic::listed(complaints),
            notices: Vec::new(),
        }
    }

    /// By which two refusals are the same.
    fn fingerprint(&self) -> String {
        Sha256::digest(&self.complaints).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Writes the letters to those who keep the rules; without such, to those who get alerts. None where it was told before.
    pub fn prepare(&mut self, set: &Set, config: &Config, now: DateTime<Utc>) {
        if told(config).contains(&self.fingerprint()) {
            return;
        }
        let to = if config.alerts.rules_to.is_empty() { &config.alerts.to } else { &config.alerts.rules_to };
        let Some(account) = letters::alerting_account(config) else { return };
        let not_before = letters::in_working_hours(set, config, now + PATIENCE);
        for to in to {
            let facts = RefusalFacts {
                from: &letters::sender(config.account(account), account),
                to,
                summary: &self.summary,
                complaints: &self.complaints,
                in_force: set.policy.rules.version(),
                sent_at: not_before,
            };
            match letter::refusal(&facts) {
                Ok(letter) => self.notices.push((account.to_owned(), letter, not_before)),
                Err(error) => tracing::error!("A notice about refused rules could not be written: {error}"),
            }
        }
    }
}

/// The file that tells people, beside the database.
pub fn file(config: &Config) -> PathBuf {
    config.database.with_file_name("rules-refused.txt")
}

/// What was told by mail, so that a restart does not tell it again.
fn told_file(config: &Config) -> PathBuf {
    config.database.with_file_name("rules-refused.told")
}

fn told(config: &Config) -> String {
    std::fs::read_to_string(told_file(config)).unwrap_or_default()
}

/// Writes the file.
pub fn publish(refusal: &Refusal, set: &Set, config: &Config, now: DateTime<Utc>) {
    let text = format!(
        "Refused on {} at {} (London): {}.\nNothing of the change is in force. Messages are decided by the last good rules ({}), as before.\n\
         Mend what is said below and save; when it is taken up, this file disappears.\n\n{}",
        london::date(now).format("%A %-d %B %Y"),
        london::time(now).format("%H:%M"),
        refusal.summary,
        set.policy.rules.version(),
        refusal.complaints
    );
    if let Err(error) = write_whole(&file(config), &text) {
        tracing::error!("{}: the refusal cannot be written there: {error}", file(config).display());
    }
}

/// The change has been mended: nothing is left to tell.
pub fn withdraw(config: &Config) {
    for path in [file(config), told_file(config)] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::error!("{}: cannot be removed: {error}", path.display());
            }
            _ => {}
        }
    }
}

/// The refusal that stands, for commands that people use: its first line, and where to read on.
pub fn standing(config: &Config) -> Option<String> {
    let path = file(config);
    let text = std::fs::read_to_string(&path).ok()?;
    let first = text.lines().next()?.trim_end_matches('.').to_owned();
    Some(format!("{first}. The last good rules stay in force; {} says what to mend.", path.display()))
}

/// Sends this account's notices that are due. A notice whose refusal was mended meanwhile is gone.
pub async fn send_due<P: Courier, C: Clock>(account: &str, courier: &mut P, world: &World<'_, C>) {
    let now = world.now();
    let due: Vec<Letter> = world.in_force.refusal().map_or_else(Vec::new, |refusal| {
        let own =
            refusal.notices.into_iter().filter(|(by, _, not_before)| by == account && *not_before <= now);
        own.map(|(_, letter, _)| letter).collect()
    });
    for letter in due {
        let result = courier.deliver(&letter, &mut || true).await;
        match &result {
            Ok(()) => tracing::info!(account, "A notice about refused rules was sent."),
            Err(error) => tracing::warn!(account, "A notice about refused rules: {error}"),
        }
        // What may have been sent is not sent again: the file tells it as well.
        if matches!(result, Ok(()) | Err(DeliveryError::Permanent { .. } | DeliveryError::Uncertain { .. })) {
            let fingerprint = world.in_force.notice_sent(&letter.message_id);
            let noted = fingerprint.map_or(Ok(()), |told| write_whole(&told_file(world.config), &told));
            if let Err(error) = noted {
                tracing::error!("What was told about refused rules cannot be written down: {error}");
            }
        }
    }
}

impl Refusal {
    /// Takes a letter off the list; the fingerprint once none is left.
    pub(super) fn sent(&mut self, message_id: &str) -> Option<String> {
        self.notices.retain(|(_, letter, _)| letter.message_id != message_id);
        self.notices.is_empty().then(|| self.fingerprint())
    }
}

/// All of the text or none of it, for the owner alone: rules may quote what staff should not leave lying about.
pub(super) fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let part = path.with_extension("part");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&part)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&part, path)
}
