//! Letters to staff about cases, from what the record and the configuration say: the referral, the briefing, the line of one
//! case. When the daily ones are made is `daemon/rounds.rs`'s to say; what they say, `letter/`'s and the wording's.

use chrono::{DateTime, NaiveDate, Utc};

use crate::calendar::london;
use crate::case::escalation::{self, Contact, Protocol, Waiting};
use crate::case::{Reference, State, Step, history};
use crate::config::Config;
use crate::effect::{Effect, queue_name};
use crate::letter::{self, BriefingFacts, CaseLine, Letter, Notice, ReferralFacts, WordingError};
use crate::mailbox::RawMessage;
use crate::message::Message;
use crate::record::{HistoryRow, WaitingCase};
use crate::rules::Group;
use crate::triage::{Chaser, Decision, Outcome};

use super::in_force::Set;
use super::letters;

/// How many of a sender's other cases a briefing lists.
const HISTORY: usize = 20;

/// Referrals of abusive or threatening mail (policy, email h), one for each of those in leadership who are configured. The
/// sender's acknowledgement knows nothing of it.
pub fn referrals(
    raw: &RawMessage,
    message: &Message,
    decision: &Decision,
    reference: Option<&Reference>,
    set: &Set,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Vec<Effect>, WordingError> {
    if !decision.refer_leadership {
        return Ok(Vec::new());
    }
    let rules = set.policy.rules.rules().iter().filter(|rule| rule.group == Group::Leadership);
    let holds = |id: &str| decision.trace.iter().any(|it| it.rule == id && it.outcome == Outcome::Holds);
    let reasons: Vec<_> =
        rules.filter(|rule| holds(&rule.id)).map(|rule| (rule.title.clone(), rule.policy.clone())).collect();
    let place = set.routing.destination(&raw.at.account, decision);
    let text = message.new_text.new.trim();
    let topic = format!("referral/{}", message.fingerprint);
    let to: Vec<&str> = config.referrals.to.iter().map(String::as_str).collect();
    each(&to, &topic, reference.map_or("referral", Reference::as_str), set, config, now, |notice| {
        let facts = ReferralFacts {
            notice,
            reference: reference.map(Reference::as_str).unwrap_or_default(),
            reasons: &reasons,
            mailbox: place.as_ref().map_or(raw.at.account.as_str(), |place| place.account.as_str()),
            folder: place.as_ref().map_or(raw.at.folder.as_str(), |place| place.folder.as_str()),
            received_at: raw.received_at,
            due_on: decision.due_on(),
            text: (config.referrals.include_text && !text.is_empty()).then_some(text),
            council: &config.council.contacts,
        };
        letter::referral(&facts, &set.wording).map(Some)
    })
}

/// What the Resolution Team is told of a case that came to it: for each who is configured. `others` are the sender's other
/// cases, the oldest first; `judged`, what was found at intake of the way that this one took.
pub fn briefings(
    case: &WaitingCase,
    others: &[HistoryRow],
    judged: Option<&str>,
    set: &Set,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Vec<Effect>, WordingError> {
    // What the sender said of earlier steps was read at intake, and is in the trace; what came there later was not judged.
    let why = judged.map_or_else(|| protocol(case, others).why.join(" "), str::to_owned);
    let next = escalation::next_in(&why);
    let (why, _) = why.split_once(escalation::NEXT).unwrap_or((&why, ""));
    let followed = if next.is_none() { "Yes" } else { "No" };
    let said = format!("{followed}, as far as is known. {}", why.trim());
    let next_step = next_step(next.unwrap_or(Step::ResolutionTeam));
    let line = |other: &HistoryRow| history::line(&other.past(), london::date(now), &set.policy.calendar);
    let history: Vec<String> = others.iter().rev().take(HISTORY).map(line).collect();
    let grounds = grounds(case, set);
    let to = config.resolution_to();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let topic = format!("briefing/{}", case.reference);
    each(&to, &topic, &case.reference, set, config, now, |notice| {
        let facts = BriefingFacts {
            notice,
            received_on: london::date(case.received_at),
            due_on: case.due_on,
            first_response_on: case.first_response_on.or(case.step_due_on),
            urgent: case.urgency == "urgent",
            grounds: &grounds,
            area: &case.area,
            mailbox: &case.lies_in.account,
            folder: &case.lies_in.folder,
            protocol: &said,
            next_step: &next_step,
            history: &history,
            history_more: others.len().saturating_sub(HISTORY),
            council: &config.council.contacts,
        };
        letter::briefing(&facts, &set.wording).map(Some)
    })
}

/// The way that a case took to the Resolution Team, from the record alone: what the sender said of it is not kept.
fn protocol(case: &WaitingCase, others: &[HistoryRow]) -> Protocol {
    let waiting: Vec<Waiting> = others
        .iter()
        .map(|other| &other.case)
        .filter(|other| other.received_at < case.received_at)
        .filter(|other| State::of_word(&other.state).is_some_and(State::is_waiting))
        .filter_map(|other| {
            let due_on = other.step_due_on.or(other.due_on)?;
            let step = Step::of_number(i64::from(other.step)).unwrap_or_default();
            Some(Waiting { step, due_on, urgent: other.urgency == "urgent" })
        })
        .collect();
    let contact =
        Contact { urgent: case.urgency == "urgent", chaser: Chaser::None, resolution: true, told: None };
    escalation::protocol(contact, &waiting, london::date(case.received_at))
}

fn next_step(next: Step) -> String {
    match next {
        Step::ResolutionTeam => {
            "step 4: the SEND Resolution Team coordinates a response and resolution.".to_owned()
        }
        _ => format!(
            "step {}: {}, within {} working days. The Resolution Team logs the contact and passes it to them.",
            next.number(),
            next.who(),
            next.working_days()
        ),
    }
}

/// One case as letters to staff tell of it.
pub fn case_line(case: &WaitingCase, set: &Set, today: NaiveDate) -> CaseLine {
    let calendar = &set.policy.calendar;
    let late = case.due_on.filter(|due| *due < today).map(|due| calendar.working_days_between(due, today));
    CaseLine {
        reference: case.reference.clone(),
        call_back: case.matter == "call-back",
        urgent: case.urgency == "urgent",
        received_on: london::date(case.received_at),
        due_on: case.due_on,
        extended: case.state == "extended",
        // Due on a Friday, looked at on Saturday: no working day has passed, but the day has.
        late: late.map_or(0, |days| days.max(1)),
        first_response_on: case.first_response_on.filter(|_| case.first_response_at.is_none()),
        grounds: grounds(case, set),
        queue: case.queue.clone(),
        area: case.area.clone(),
        mailbox: case.lies_in.account.clone(),
        folder: case.lies_in.folder.clone(),
        chasers: case.chasers,
        step: case.step,
        step_due_on: case.step_due_on,
        missing_on: case.missing_since.map(london::date),
        unsure: case.unsure,
    }
}

fn grounds(case: &WaitingCase, set: &Set) -> Vec<String> {
    case.grounds.iter().filter(|id| *id != "other").map(|id| letters::title(set, id)).collect()
}

/// One letter for each of these to whom there is something to say, not before work begins (policy, email f).
pub fn each<'a>(
    to: &[&'a str],
    topic: &'a str,
    reference: &'a str,
    set: &Set,
    config: &Config,
    now: DateTime<Utc>,
    write: impl Fn(Notice<'_>) -> Result<Option<Letter>, WordingError>,
) -> Result<Vec<Effect>, WordingError> {
    let Some(account) = letters::alerting_account(config) else { return Ok(Vec::new()) };
    let (from, not_before) =
        (letters::sender(config.account(account), account), letters::working_time(set, config, now));
    let mut effects = Vec::new();
    for to in to {
        if let Some(letter) = write(Notice { from: &from, to, topic, reference, sent_at: not_before })? {
            let (account, topic) = (account.to_owned(), topic.to_owned());
            effects.push(Effect::Notice { account, letter, topic, not_before });
        }
    }
    Ok(effects)
}

/// Whether a letter that is limited to these teams tells of this one; without a limit, of all.
pub fn is_for(queues: &[crate::config::QueueName], queue: &str) -> bool {
    queues.is_empty() || queues.iter().any(|name| queue_name((*name).into()) == queue)
}
