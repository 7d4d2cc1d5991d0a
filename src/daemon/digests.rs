//! The digest's letters, from what the record counts and the configuration says: for each recipient the figures of their own teams
//! and areas. When they are due is `weekly.rs`'s to say; what they say, the wording's.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::calendar::london;
use crate::config::{Config, DigestTo};
use crate::digest::figures::MailboxHealth;
use crate::digest::{Ask, Figures, Period, RuleName, Scope};
use crate::effect::{Effect, queue_name};
use crate::letter::{self, DigestFacts, Late, Notice, WeeklyDigest, Wording, WordingError};
use crate::record::{RecordError, Records};

use super::in_force::Set;
use super::{expiry, letters, refusal};

/// So many cases of a kind are listed: a digest is read in a minute, and the lists are to be had by a command.
const ROWS: usize = 10;

/// What a digest is about: the same figures for everybody who asks for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Whose cases.
    pub scope: Scope,
    /// Whether senders and subjects are seen.
    pub names: bool,
}

impl From<&DigestTo> for About {
    fn from(to: &DigestTo) -> Self {
        let words = |queue: &crate::config::QueueName| queue_name((*queue).into()).to_owned();
        Self {
            scope: Scope {
                queues: to.queues.iter().map(words).collect(),
                areas: to.areas.iter().map(|area| area.word().to_owned()).collect(),
            },
            names: to.names,
        }
    }
}

/// What by its name a digest was sent: told once to each recipient.
pub fn topic(week: Period) -> String {
    format!("digest/{}", week.from)
}

/// The figures of a week, as of now.
pub fn figures(
    records: &Records,
    set: &Set,
    week: Period,
    about: &About,
    now: DateTime<Utc>,
) -> Result<Figures, RecordError> {
    let name = |rule: &crate::rules::Rule| RuleName { id: rule.id.clone(), title: rule.title.clone() };
    let ask = Ask {
        scope: about.scope.clone(),
        names: about.names,
        rows: ROWS,
        target_working_days: set.config.deadlines.answer_within_working_days,
        rules: Some(set.policy.rules.rules().iter().map(name).collect()),
        refused_edit: refusal::standing(&set.config),
        expiries: expiry::for_figures(&set.config, london::date(now)),
        ..Ask::new(week, now, &set.policy.calendar)
    };
    let mut figures = records.figures(&ask)?;
    // A folder that is watched no more will never be seen again, and that is nobody's trouble.
    let watched = |folder: &MailboxHealth| {
        let account = set.config.account(&folder.account);
        account
            .is_some_and(|account| account.watch.iter().any(|own| own.eq_ignore_ascii_case(&folder.folder)))
    };
    figures.health.mailboxes.retain(watched);
    Ok(figures)
}

/// Titles of grounds, as staff wrote them.
pub fn titles(set: &Set) -> BTreeMap<String, String> {
    set.policy.rules.rules().iter().map(|rule| (rule.id.clone(), rule.title.clone())).collect()
}

/// One recipient's digest. `topic` is what its Message-ID is made from.
pub fn write(
    to: &str,
    topic: &str,
    figures: &Figures,
    late: Option<Late>,
    set: &Set,
    now: DateTime<Utc>,
) -> Result<WeeklyDigest, WordingError> {
    let config = &set.config;
    let account = letters::alerting_account(config).ok_or(WordingError::OwnAddress)?;
    let from = letters::sender(config.account(account), account);
    let facts = DigestFacts {
        notice: Notice { from: &from, to, topic, reference: "digest", sent_at: now },
        figures,
        titles: &titles(set),
        late,
        council: &config.council.contacts,
    };
    letter::digest(&facts, &set.wording).or_else(|error| {
        // It passed its check, and yet it cannot be written with these figures: it comes in the built-in words.
        tracing::error!("The digest's wording cannot be used this time: {error}; the built-in one is.");
        letter::digest(&facts, &Wording::built_in())
    })
}

/// The digest as something to be sent.
pub fn effect(digest: WeeklyDigest, topic: &str, config: &Config, now: DateTime<Utc>) -> Option<Effect> {
    let account = letters::alerting_account(config)?.to_owned();
    Some(Effect::Notice { account, letter: digest.letter, topic: topic.to_owned(), not_before: now })
}

/// Everybody's digest of a week. Figures are counted once for all who are told of the same.
pub fn write_all(
    records: &Records,
    set: &Set,
    week: Period,
    late: Option<Late>,
    now: DateTime<Utc>,
) -> Result<Vec<Effect>, RecordError> {
    let topic = topic(week);
    let mut counted: Vec<(About, Figures)> = Vec::new();
    let mut effects = Vec::new();
    for to in &set.config.digest.to {
        let about = About::from(to);
        if !counted.iter().any(|(known, _)| *known == about) {
            counted.push((about.clone(), figures(records, set, week, &about, now)?));
        }
        let Some((_, figures)) = counted.iter().find(|(known, _)| *known == about) else { continue };
        match write(&to.address, &topic, figures, late, set, now) {
            Ok(digest) => effects.extend(effect(digest, &topic, &set.config, now)),
            Err(error) => tracing::error!("A digest could not be written: {error}"),
        }
    }
    Ok(effects)
}

/// Whether the week is over on this day: one that is not can be looked at, and is not sent.
pub fn is_over(week: Period, today: NaiveDate) -> bool {
    week.to < today
}
