//! Mail by staff, met in their Sent folders or in a watched inbox: does it answer a case? What it says is `case/reply.rs`'s
//! to judge, and which case it answers the record finds; here is decided what counts as written by staff at all.
//!
//! communication-policy, email d and e. A From header can be forged: in an inbox it counts only together with a known message
//! of the case and somebody of its sender's side among the recipients, and not where the council's own server says that it
//! is forged (RFC 8601).

use chrono::{DateTime, Days, Utc};

use crate::calendar::london;
use crate::case::reply::{self, Reply};
use crate::clock::Clock;
use crate::config::Existing;
use crate::effect::Effect;
use crate::letter::{self, PassedOnFacts};
use crate::mailbox::RawMessage;
use crate::message::{Defect, Message, authentication, thread};
use crate::record::{CasePart, EntryOutcome, Known, RecordError, StoredDecision};
use crate::rules::{self, Addressed};
use crate::triage::{self, Decision, Finding, History, Kind, Outcome, Policy, Queue, Urgency};

use super::contained::apart;
use super::in_force::Set;
use super::{Trouble, World, another, letters};

const POLICY: &str = "communication-policy, email d";

/// What becomes of a message by staff; `None`: it is decided about like any other.
pub(super) fn by_staff<C: Clock>(
    raw: &RawMessage,
    message: &Message,
    set: &Set,
    world: &World<'_, C>,
) -> Result<Option<EntryOutcome>, Trouble> {
    let in_sent = world.is_sent(&raw.at.account, &raw.at.folder);
    let left_alone = |reason: &str| Some(EntryOutcome::LeftAlone { reason: reason.to_owned() });
    if in_sent {
        if message.message_id.as_deref().and_then(letter::purpose_of).is_some() {
            another::look_at(raw, message, world)?;
            return Ok(Some(EntryOutcome::OwnLetter));
        }
        if is_older_than_we_look(raw, world)? {
            return Ok(left_alone("sent before answers were noticed here (`answers.look_back_days`)"));
        }
    } else if !is_from_staff(message, set)
        || !names_a_watched_mailbox(message, set)
        || is_left_alone(raw, world)?
    {
        return Ok(None);
    }
    let refers = !message.in_reply_to.is_empty() || !references(message).is_empty();
    let broken = [Defect::NotAMessage, Defect::ParserFailed].iter().any(|bad| message.defects.contains(bad));
    if !refers || broken {
        return Ok(if in_sent { left_alone("sent by staff; it refers to no message") } else { None });
    }
    let (of, account, policy) = (message.clone(), raw.at.account.clone(), set.policy.clone());
    let sent_at = raw.received_at;
    let Ok((mut decision, read)) = apart(move || look(&of, &account, sent_at, &policy)) else {
        return Ok(if in_sent { left_alone("sent by staff; it could not be read") } else { None });
    };
    let reply = match read {
        Ok(reply) => reply,
        Err(why) if in_sent => return Ok(left_alone(&format!("sent by staff: {why}"))),
        Err(_) => return Ok(None),
    };
    // Staff among themselves: nothing that a sender would wait for.
    let among_themselves =
        !reply.forward && reply.to.iter().all(|to| reply::is_inside(to, &set.policy.team.domain));
    if among_themselves {
        return Ok(if in_sent { left_alone("sent by staff to staff") } else { None });
    }
    let trusted = set.config.council.trusted_authserv_id.as_deref().filter(|_| !in_sent);
    if let Some(said) = trusted.and_then(|trusted| authentication::forged_colleague(message, trusted)) {
        decision.unsure = true;
        decision.trace.push(Finding::plain(
            "reply",
            POLICY,
            Outcome::Noted,
            format!("not counted as an answer: {said}; a person should look"),
        ));
        let withheld = Some(decision.acknowledgement.reason().to_owned());
        let effects: Vec<Effect> = set.routing.file(&raw.at.account, &decision).into_iter().collect();
        let decision = Box::new(StoredDecision::of(&decision, withheld));
        return Ok(Some(EntryOutcome::Decided { decision, case: CasePart::None, effects }));
    }
    let decision =
        Box::new(StoredDecision::of(&by_a_colleague(decision, &reply), Some("written by staff".to_owned())));
    Ok(Some(EntryOutcome::Decided {
        decision,
        case: CasePart::ByStaff(Box::new(reply)),
        effects: Vec::new(),
    }))
}

/// A known message, met again: one by staff that was not counted where it was met first counts in their Sent folder.
pub(super) fn seen_again<C: Clock>(
    raw: &RawMessage,
    message: &Message,
    known: &Known,
    set: &Set,
    world: &World<'_, C>,
) -> Result<(), Trouble> {
    if known.case.is_some()
        || !world.is_sent(&raw.at.account, &raw.at.folder)
        || is_older_than_we_look(raw, world)?
    {
        return Ok(());
    }
    if let Some(EntryOutcome::Decided { case: CasePart::ByStaff(reply), .. }) =
        by_staff(raw, message, set, world)?
    {
        world.records.counts_after_all(known.message, &reply, world.now())?;
    }
    Ok(())
}

/// The sender is told which team has the email now, where that is configured (policy, email e): once for each team, only where
/// an acknowledgement went before, and within the same limits.
pub(super) fn tell_sender<C: Clock>(
    case: i64,
    message: i64,
    world: &World<'_, C>,
) -> Result<(), RecordError> {
    let set = world.in_force.now();
    let config = &set.config;
    let limits = &set.policy.team.limits;
    if !config.passed_on.tell_sender || limits.switched_off {
        return Ok(());
    }
    let Some(told) = world.records.to_be_told_of(case, message)? else { return Ok(()) };
    let Some(team) = told.passed_to.iter().find_map(|to| config.passed_on.team(to)) else { return Ok(()) };
    let now = world.now();
    let domain = told.recipient.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    let counts = world.records.acknowledgements(&told.recipient, domain, now)?;
    if counts.to_sender_in_a_day >= limits.per_sender_a_day
        || counts.to_domain_in_an_hour >= limits.per_domain_an_hour
        || counts.in_all_in_an_hour >= limits.in_all_an_hour
    {
        tracing::warn!(
            case,
            "The sender of case {case} is not told that it was passed on: a limit is reached."
        );
        return Ok(());
    }
    let topic = format!("passed-on/{case}/{team}");
    let facts = PassedOnFacts {
        reference: &told.reference,
        topic: &topic,
        from: &letters::sender(config.account(&told.account), &told.account),
        to: &told.recipient,
        in_reply_to: told.in_reply_to.as_deref(),
        team,
        council: &config.council.contacts,
        sent_at: now,
    };
    match letter::passed_on(&facts, &set.wording) {
        Ok(letter) => {
            let account = told.account.clone();
            let notice = Effect::Notice { account, letter, topic: topic.clone(), not_before: now };
            world.records.plan_letters(message, &[notice], now)?;
            world.bells.ring_post(&told.account);
        }
        Err(problem) => tracing::error!("Word that an email was passed on could not be written: {problem}"),
    }
    Ok(())
}

/// The Message-IDs that it refers to, oldest first; what a forward names in a header of its own among them.
pub(super) fn references(message: &Message) -> Vec<String> {
    let mut all = message.references.clone();
    for id in message.headers("X-Forwarded-Message-Id").flat_map(thread::ids) {
        if !all.contains(&id) {
            all.push(id);
        }
    }
    all
}

fn is_older_than_we_look<C: Clock>(raw: &RawMessage, world: &World<'_, C>) -> Result<bool, Trouble> {
    let Some(state) = world.records.mailbox(&raw.at.account, &raw.at.folder)? else { return Ok(false) };
    let back = Days::new(u64::from(world.config.answers.look_back_days));
    let first = london::date(state.taken_into_use_at).checked_sub_days(back);
    Ok(first.is_some_and(|first| london::date(raw.received_at) < first))
}

/// Whether it lay in the inbox before that was taken into use, and such mail is not looked into (`existing: ignore`).
fn is_left_alone<C: Clock>(raw: &RawMessage, world: &World<'_, C>) -> Result<bool, Trouble> {
    let existing = world.config.account(&raw.at.account).map(|account| account.existing).unwrap_or_default();
    let state = world.records.mailbox(&raw.at.account, &raw.at.folder)?;
    let old = state.is_some_and(|state| raw.received_at < state.taken_into_use_at);
    Ok(old && existing == Existing::Ignore)
}

fn is_from_staff(message: &Message, set: &Set) -> bool {
    message.from.as_ref().is_some_and(|from| reply::is_inside(&from.address, &set.policy.team.domain))
}

fn names_a_watched_mailbox(message: &Message, set: &Set) -> bool {
    let ours = |address: &str| {
        set.policy.team.mailboxes.iter().any(|mailbox| mailbox.addresses.iter().any(|own| own == address))
    };
    message.to.iter().chain(&message.cc).any(|to| ours(&to.address.to_ascii_lowercase()))
}

fn look(
    message: &Message,
    account: &str,
    sent_at: DateTime<Utc>,
    policy: &Policy,
) -> (Decision, Result<Reply, &'static str>) {
    let history = History::none(account, sent_at);
    let decision = triage::triage(message, sent_at, &history, policy);
    let sent_on = london::date(sent_at);
    let asked =
        rules::Circumstances { received_on: sent_on, mailbox: account, addressed: Addressed::Nowhere };
    let reading = policy.rules.read(message, &asked);
    let reply = reply::read(
        message,
        &reply::Circumstances {
            domain: &policy.team.domain,
            kind: decision.kind,
            reading: &reading,
            sent_on,
            calendar: &policy.calendar,
        },
    );
    (decision, reply)
}

/// The decision about a colleague's message: nothing is owed, whatever it speaks of.
fn by_a_colleague(decision: Decision, reply: &Reply) -> Decision {
    let why = format!("written by staff; {}", reply.why);
    Decision {
        kind: Kind::Internal,
        urgency: Urgency::Standard,
        queue: Queue::None,
        grounds: Vec::new(),
        signposts: Vec::new(),
        claimed_urgent: false,
        refer_leadership: false,
        unsure: false,
        copied: false,
        due: None,
        role: None,
        chaser: triage::Chaser::None,
        trace: vec![Finding::plain("reply", POLICY, Outcome::Noted, why)],
        ..decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;

    #[test]
    fn what_a_forward_names_in_a_header_of_its_own_is_a_reference() {
        let raw = b"From: jo@council.example\r\nReferences: <a@x.example>\r\nX-Forwarded-Message-Id: <b@x.example>\r\n\r\nHello\r\n";
        assert_eq!(references(&message::parse(raw, raw.len())), ["a@x.example", "b@x.example"]);
    }
}
