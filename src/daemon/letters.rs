//! The facts of our letters, gathered from message, decision and configuration, and the finished letters as effects.

use chrono::{DateTime, Utc};

use crate::calendar::{Hours, WorkingHours, london};
use crate::case::Reference;
use crate::config::{Account, Config, EnvelopeFrom};
use crate::effect::{Effect, queue_name};
use crate::letter::{self, AcknowledgementFacts, AlertFacts, Sender, WordingError};
use crate::mailbox::RawMessage;
use crate::message::Message;
use crate::triage::{Decision, Urgency};

use super::in_force::Set;
use super::joining::Told;

/// The acknowledgement of this message, to be sent by the account that it came to.
#[allow(clippy::too_many_arguments)] // Each is a different source of facts; a struct would only be taken apart again.
pub fn acknowledgement(
    raw: &RawMessage,
    message: &Message,
    decision: &Decision,
    case: &Told,
    to: &str,
    set: &Set,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Effect, WordingError> {
    let account = &raw.at.account;
    let received_on = london::date(raw.received_at);
    let facts = AcknowledgementFacts {
        reference: &case.reference,
        answers: &message.fingerprint,
        from: &sender(config.account(account), account),
        to,
        in_reply_to: message.message_id.as_deref(),
        references: &message.references,
        received_on,
        joined: case.joined,
        counted: case.counted,
        step: case.step,
        over_heads: case.over_heads,
        due_on: case.due_on,
        working_days: config.deadlines.answer_within_working_days,
        signposts: &decision.signposts,
        from_a_school: message.from.as_ref().is_some_and(|from| from.domain().contains(".sch.")),
        chaser: decision.chaser,
        urgent: decision.urgency == Urgency::Urgent,
        council: &config.council.contacts,
        sent_at: now,
    };
    let letter = letter::acknowledgement(&facts, &set.wording)?;
    Ok(Effect::Acknowledge { account: account.clone(), letter })
}

/// Alerts to duty staff about urgent mail: one for each of them, now or when work next begins (policy, email f).
pub fn alerts(
    raw: &RawMessage,
    message: &Message,
    decision: &Decision,
    reference: Option<&Reference>,
    set: &Set,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Vec<Effect>, WordingError> {
    let Some(reference) = reference else { return Ok(Vec::new()) };
    if decision.urgency != Urgency::Urgent {
        return Ok(Vec::new());
    }
    let Some(from) = alerting_account(config) else { return Ok(Vec::new()) };
    let not_before = in_working_hours(set, config, now);
    let place = set.routing.destination(&raw.at.account, decision);
    let grounds: Vec<String> = decision.grounds.iter().map(|id| title(set, id)).collect();
    let mut effects = Vec::new();
    for to in &config.alerts.to {
        let facts = AlertFacts {
            reference,
            about: &message.fingerprint,
            from: &sender(config.account(from), from),
            to,
            grounds: &grounds,
            mailbox: place.as_ref().map_or(raw.at.account.as_str(), |p| p.account.as_str()),
            folder: place.as_ref().map_or(raw.at.folder.as_str(), |p| p.folder.as_str()),
            queue: queue_name(decision.queue),
            received_at: raw.received_at,
            due_on: decision.due_on(),
            council: &config.council.contacts,
            sent_at: not_before,
        };
        let letter = letter::alert(&facts, &set.wording)?;
        effects.push(Effect::Alert { account: from.to_owned(), letter, not_before });
    }
    Ok(effects)
}

/// The account that writes to staff.
pub fn alerting_account(config: &Config) -> Option<&str> {
    config.alerts.from_account.as_deref().or(config.accounts.first().map(|a| a.name.as_str()))
}

/// This instant, or when work next begins (policy, email f), unless the operator wants to be told at any hour.
pub fn in_working_hours(set: &Set, config: &Config, at: DateTime<Utc>) -> DateTime<Utc> {
    if config.alerts.out_of_hours {
        at
    } else {
        set.policy.calendar.next_working_time(at, working_hours(config))
    }
}

/// A ground in words: its rule's title.
pub fn title(set: &Set, id: &str) -> String {
    let rule = set.policy.rules.rules().iter().find(|rule| rule.id == id);
    rule.map_or_else(|| id.to_owned(), |rule| rule.title.clone())
}

fn working_hours(config: &Config) -> WorkingHours {
    let days = &config.deadlines;
    let until = |closes| Hours { opens: days.work_starts, closes };
    // `check` has refused hours that end before they begin; what is left to fall back to is the usual hours.
    WorkingHours::new(until(days.work_ends), until(days.work_ends_friday)).unwrap_or_default()
}

/// The account as the sender of a letter.
pub fn sender(account: Option<&Account>, name: &str) -> Sender {
    let address = account.map_or_else(|| name.to_owned(), |a| a.address.clone());
    let envelope = account.and_then(|a| a.smtp.as_ref()).map(|s| s.envelope_from).unwrap_or_default();
    Sender {
        name: account.and_then(|a| a.display_name.clone()).unwrap_or_default(),
        envelope_from: (envelope == EnvelopeFrom::Address).then(|| address.clone()),
        address,
    }
}
