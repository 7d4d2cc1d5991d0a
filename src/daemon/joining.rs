//! What a message from outside does to the cases that are there: looked up, judged by `case/joining.rs`, and turned into
//! what the record is told and what the acknowledgement says. It decides nothing itself.
//!
//! Policy, email a, b and d; contact-process, steps 1 to 4.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};

use crate::calendar::london;
use crate::case::escalation::{self, Contact, Protocol, Waiting, escalation};
use crate::case::joining::{self, Incoming, Judgement, Part, SameWords, Thread};
use crate::case::{Fact, Reference, State, Step};
use crate::clock::Clock;
use crate::effect::queue_name;
use crate::letter::Counted;
use crate::mailbox::RawMessage;
use crate::message::{self, Message};
use crate::record::{CasePart, Link, RecordError, Role};
use crate::triage::{Acknowledgement, Chaser, Decision, Finding, Outcome, Queue, Urgency, Why};

use super::World;
use super::in_force::Set;

/// What a message is to the cases that are there.
pub enum Belonging {
    /// It opens one.
    Opens(Opens),
    /// It belongs to one.
    Joins(Box<Joined>),
    /// It opens none: nothing is owed, or it is a thank-you for something that we do not know.
    Nothing,
}

/// A case of its own.
#[derive(Default)]
pub struct Opens {
    /// Cases that it may concern.
    pub links: Vec<Link>,
    /// The step at which it comes in.
    pub step: Step,
    /// That step's target; `None` at step 1.
    pub step_due_on: Option<NaiveDate>,
    /// For what goes to the Resolution Team: how it came there.
    pub protocol: Option<Protocol>,
}

/// A case that is there.
pub struct Joined {
    /// For the record.
    pub part: CasePart,
    /// For the acknowledgement.
    pub told: Told,
    /// The case's team from now on.
    pub queue: Queue,
    /// The case's urgency.
    pub urgency: Urgency,
}

/// The case of which an acknowledgement speaks.
pub struct Told {
    /// Its name.
    pub reference: Reference,
    /// When its first message was received, if that is not the one that is acknowledged.
    pub joined: Option<NaiveDate>,
    /// From when its days are counted.
    pub counted: Counted,
    /// The last day for the answer.
    pub due_on: NaiveDate,
    /// The step that it has gone up to, and the day of the response there.
    pub step: Option<(Step, NaiveDate)>,
    /// Written over the protocol's head: the day of the first response.
    pub over_heads: Option<NaiveDate>,
}

/// Looks up what the message refers to, and judges. An acknowledgement that is not owed is withheld in the decision; the
/// trace tells how a matter came to the Resolution Team.
pub fn belonging<C: Clock>(
    raw: &RawMessage,
    message: &Message,
    decision: &mut Decision,
    set: &Set,
    world: &World<'_, C>,
) -> Result<Belonging, RecordError> {
    // Nothing is owed to what is not a person's, nor to what is only copied in (policy, email c).
    if decision.due.is_none() {
        return Ok(Belonging::Nothing);
    }
    // The Customer Service Centre writes for many callers, often in the same words: each call-back is a matter of its own.
    if decision.is_call_back() {
        return Ok(Belonging::Opens(Opens::default()));
    }
    let records = world.records;
    let writer = message.from.as_ref().map(|from| from.address.to_lowercase()).unwrap_or_default();
    // Behind an address that takes no replies (a form on the web) there are many people.
    let shared = decision.acknowledgement == Acknowledgement::Withhold(Why::NoReplyAddress);
    let replies = message.reply_to.iter().map(|address| address.address.as_str());
    let writers: Vec<&str> = if shared || writer.is_empty() {
        Vec::new()
    } else {
        std::iter::once(writer.as_str()).chain(replies).collect()
    };
    let threads = records.threads(&referred(message))?;
    let own = match writers.is_empty() {
        true => None,
        false => records.own_case_in_conversation(&referred(message), &writer)?,
    };
    let same = match message::words(message) {
        Some(words) => records.same_words(&words.0)?,
        None => None,
    };
    let same = same.as_ref().map(|(thread, received_at)| SameWords { thread, received_at: *received_at });
    let resolution = decision.queue == Queue::Resolution;
    let waiting = if (decision.chaser != Chaser::None || resolution) && !writers.is_empty() {
        records.waiting_cases_of(&writer)?
    } else {
        Vec::new()
    };
    let urgent = decision.urgency == Urgency::Urgent;
    let incoming = Incoming {
        writer: &writers,
        received_at: raw.received_at,
        is_reply: !message.in_reply_to.is_empty() || !message.references.is_empty(),
        chaser: decision.chaser,
        thanks: decision.said.thanks && !urgent && !decision.refer_leadership,
        asks: decision.said.asks,
        grounds: &decision.grounds,
        resolution,
    };
    let contact = Contact {
        urgent,
        chaser: decision.chaser,
        resolution,
        told: decision.said.step_taken.and_then(|step| Step::of_number(step.into())),
    };
    let dates = Dates { received_at: raw.received_at, set };
    Ok(match joining::judge(incoming, &threads, own.as_ref(), same, &waiting) {
        Judgement::Nothing => {
            withhold(decision, Why::OnlyThanks);
            Belonging::Nothing
        }
        Judgement::Opens(links) => {
            let escalated = escalation(contact, &steps(&waiting), dates.today());
            if let Some(protocol) = &escalated.protocol {
                let policy = "communication-policy, escalations made without following the protocol";
                let said = protocol.why.join(" ");
                decision.trace.push(Finding::plain(escalation::TRACED, policy, Outcome::Noted, said));
            }
            let step = escalated.step;
            Belonging::Opens(Opens {
                links: links.into_iter().map(|(thread, why)| Link { case: thread.case, why }).collect(),
                step,
                step_due_on: (step != Step::Coordinator).then(|| dates.after(step.working_days())),
                protocol: escalated.protocol,
            })
        }
        Judgement::Joins(joins) => {
            let (thread, part) = (joins.thread(), joins.part);
            let (role, facts, told) = match part {
                Part::Chaser => chaser(thread, contact, &dates),
                Part::Addition => (Role::Addition, vec![Fact::Added], told(thread, &dates)),
                Part::SentAgain => {
                    withhold(decision, Why::SentAgain);
                    (Role::Addition, vec![Fact::Added], told(thread, &dates))
                }
                Part::Thanks => {
                    withhold(decision, Why::OnlyThanks);
                    (Role::Thanks, vec![Fact::Thanked], told(thread, &dates))
                }
            };
            let to_resolution =
                facts.iter().any(|fact| matches!(fact, Fact::Escalated { step: Step::ResolutionTeam, .. }));
            let queue = if to_resolution { Queue::Resolution } else { queue_of(&thread.labels.queue) };
            Belonging::Joins(Box::new(Joined {
                part: CasePart::Joins { case: thread.case, role, facts },
                told: Told {
                    over_heads: (decision.said.over_heads && part == Part::Chaser)
                        .then(|| dates.after(Step::ResolutionTeam.working_days())),
                    ..told
                },
                queue,
                urgency: if thread.labels.urgency == "urgent" { Urgency::Urgent } else { Urgency::Standard },
            }))
        }
    })
}

/// The Message-IDs that it refers to, the nearest first: In-Reply-To, then References from the last to the first.
fn referred(message: &Message) -> Vec<String> {
    let mut seen = HashSet::new();
    let all = message.in_reply_to.iter().chain(message.references.iter().rev());
    all.filter(|id| seen.insert(id.as_str())).cloned().collect()
}

fn withhold(decision: &mut Decision, why: Why) {
    if decision.acknowledgement.is_sent() {
        decision.acknowledgement = Acknowledgement::Withhold(why);
        let reason = decision.acknowledgement.reason();
        let policy = "communication-policy, email a to c";
        decision.trace.push(Finding::plain("acknowledge", policy, Outcome::Noted, reason));
    }
}

/// The cases that wait, as far as the escalation asks.
fn steps(threads: &[Thread]) -> Vec<Waiting> {
    threads.iter().filter_map(step).collect()
}

fn step(thread: &Thread) -> Option<Waiting> {
    let standing = &thread.standing;
    let due_on = standing.due_on.filter(|_| standing.state.is_waiting())?;
    Some(Waiting {
        step: standing.step,
        due_on: standing.step_due_on.filter(|_| standing.step > Step::Coordinator).unwrap_or(due_on),
        urgent: thread.labels.urgency == "urgent",
    })
}

/// A chaser in the thread that it chases: what it tells of the case, and how that stands then.
fn chaser(thread: &Thread, contact: Contact, dates: &Dates<'_>) -> (Role, Vec<Fact>, Told) {
    let standing = &thread.standing;
    let escalated_due_on = dates.after(Step::TeamLead.working_days());
    let reopened_due_on = dates.after(dates.set.policy.team.answer_within_working_days);
    let mut facts = vec![Fact::Chased { escalated_due_on, reopened_due_on }];
    let mut told = told(thread, dates);
    if standing.state == State::Answered {
        (told.due_on, told.counted) = (reopened_due_on, Counted::Anew);
    }
    let waiting: Vec<Waiting> = step(thread).into_iter().collect();
    // The record knows whether the time of this case is over; that the sender thinks so changes nothing.
    let word = if contact.chaser == Chaser::Overdue { Chaser::Unclear } else { contact.chaser };
    let step = escalation(Contact { chaser: word, ..contact }, &waiting, dates.today()).step;
    if step > Step::TeamLead && step > standing.step {
        let due_on = dates.after(step.working_days());
        facts.push(Fact::Escalated { step, due_on });
        told.step = Some((step, due_on));
    } else if standing.is_overdue(dates.today()) && standing.step == Step::Coordinator {
        told.step = Some((Step::TeamLead, escalated_due_on));
    }
    (Role::Chaser, facts, told)
}

/// How the case stands, for an acknowledgement.
fn told(thread: &Thread, dates: &Dates<'_>) -> Told {
    let standing = &thread.standing;
    Told {
        reference: thread.reference.clone(),
        joined: Some(london::date(thread.received_at)),
        counted: if standing.state == State::Extended { Counted::Extended } else { Counted::FromTheFirst },
        due_on: standing.due_on.unwrap_or_else(|| dates.today()),
        step: standing.step_due_on.map(|due_on| (standing.step, due_on)),
        over_heads: None,
    }
}

/// Dates counted from when the message was received.
struct Dates<'a> {
    received_at: DateTime<Utc>,
    set: &'a Set,
}

impl Dates<'_> {
    fn today(&self) -> NaiveDate {
        london::date(self.received_at)
    }

    fn after(&self, working_days: u32) -> NaiveDate {
        self.set.policy.calendar.due(self.received_at, working_days).due_on
    }
}

/// The queue of this name.
fn queue_of(name: &str) -> Queue {
    let all = [
        Queue::Resolution,
        Queue::Assessment,
        Queue::AnnualReviewEast,
        Queue::AnnualReviewWest,
        Queue::General,
    ];
    all.into_iter().find(|queue| queue_name(*queue) == name).unwrap_or(Queue::General)
}

/// What of a batch is decided and not yet recorded: a message that bears on any of it must wait until it is.
pub struct Pending<'d> {
    domain: &'d str,
    ids: HashSet<String>,
    referred: HashSet<String>,
    senders: HashSet<String>,
}

impl<'d> Pending<'d> {
    /// Nothing yet. Staff write from this domain: what one of them wrote says nothing of what another did.
    pub fn new(domain: &'d str) -> Self {
        Self { domain, ids: HashSet::new(), referred: HashSet::new(), senders: HashSet::new() }
    }

    /// Whether the message refers to one of these, is referred to by one, or has the sender of one.
    pub fn bears_on(&self, message: &Message) -> bool {
        let refers = referred(message).iter().any(|id| self.ids.contains(id));
        let is_referred_to = message.message_id.as_ref().is_some_and(|id| self.referred.contains(id));
        refers || is_referred_to || self.sender(message).is_some_and(|sender| self.senders.contains(&sender))
    }

    /// One more.
    pub fn add(&mut self, message: &Message) {
        self.ids.extend(message.message_id.clone());
        self.referred.extend(referred(message));
        self.senders.extend(self.sender(message));
    }

    fn sender(&self, message: &Message) -> Option<String> {
        let from = message.from.as_ref()?;
        let is_outside =
            self.domain.is_empty() || !from.domain().ends_with(&self.domain.to_ascii_lowercase());
        (is_outside && !from.address.is_empty()).then(|| from.address.to_lowercase())
    }
}
