//! A batch of messages: parse, recognise, triage, plan, and enter it all in one transaction.
//!
//! Each message is contained: what goes wrong with one sets that one aside, with a deadline from its date of receipt.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, NaiveDate, Utc};

use crate::calendar::WorkingCalendar;
use crate::case::{Matter, Reference};
use crate::clock::Clock;
use crate::config::{Existing, FilingMode};
use crate::effect::Effect;
use crate::letter::{self, Counted, Purpose};
use crate::mailbox::{RawMessage, Unreadable};
use crate::message::{self, Fingerprint, Message};
use crate::record::{
    Batch, CasePart, EnteredAs, Entry, EntryOutcome, Known, Opening, Participant, ParticipantRole,
    RecordError, Role, StoredDecision, StoredDue,
};
use crate::triage::{Acknowledgement, Chaser, Decision, History, Kind, Queue, Urgency};

use super::in_force::Set;
use super::joining::{self, Belonging, Pending, Told};
use super::reading::{self, Read};
use super::{Trouble, World, another, answers, letters, notices};

/// Policy, escalations: an initial response within 48 hours.
const FIRST_RESPONSE_WORKING_DAYS: u32 = 2;

/// What taking in brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The accounts that have letters to send.
    pub letters_of: BTreeSet<String>,
}

/// Enters everything that was fetched, and the cursor with it.
///
/// When one entry is what the record cannot take, the messages are taken one by one, each decided anew with what has been
/// recorded by then; the one that still cannot be taken is set aside, and the others go in.
pub fn take_in<C: Clock>(
    fetched: &reading::Batch,
    account: &str,
    folder: &str,
    world: &World<'_, C>,
) -> Result<Taken, Trouble> {
    let work = fetched;
    let fetched = work.fetched.as_ref();
    // One set of rules, calendar and wording for the whole batch, whatever is reloaded meanwhile.
    let set = world.in_force.now();
    let batch = |up_to, entries| Batch {
        account: account.to_owned(),
        folder: folder.to_owned(),
        uid_validity: fetched.uid_validity,
        up_to,
        at: world.now(),
        entries,
    };
    let mut taken = Taken::default();
    // Lowest UID first, because the cursor moves with each batch.
    let mut found: Vec<Found<'_>> = fetched.messages.iter().map(Found::Message).collect();
    found.extend(fetched.unreadable.iter().map(Found::Unreadable));
    found.sort_by_key(Found::uid);
    let mut rest = found.as_slice();
    let mut held = None;
    loop {
        let (entries, taken_in) =
            world.records.at_one_moment(|| together(rest, work, &mut held, &set, world))?;
        let (these, later) = rest.split_at(taken_in);
        let up_to = if later.is_empty() { fetched.up_to } else { these.last().map_or(0, Found::uid) };
        match enter(&batch(up_to, entries), world, &mut taken) {
            Err(error) if is_about_one_entry(&error) => {
                tracing::error!(
                    account,
                    "A batch could not be recorded ({error}); taking its messages one by one."
                );
                for one in these {
                    let one_alone = std::slice::from_ref(one);
                    let (mut entries, _) = together(one_alone, work, &mut None, &set, world)?;
                    let Some(entry) = entries.pop() else { continue };
                    match enter(&batch(one.uid(), vec![entry.clone()]), world, &mut taken) {
                        Err(error) if is_about_one_entry(&error) => {
                            let reason = format!("It could not be recorded as decided: {error}");
                            let aside = bare(entry, reason, &set);
                            enter(&batch(one.uid(), vec![aside]), world, &mut taken)?;
                        }
                        outcome => outcome?,
                    }
                }
                enter(&batch(up_to, Vec::new()), world, &mut taken)?;
            }
            outcome => outcome?,
        }
        if later.is_empty() {
            return Ok(taken);
        }
        rest = later;
    }
}

/// One UID of what was fetched.
enum Found<'f> {
    Message(&'f RawMessage),
    Unreadable(&'f Unreadable),
}

impl Found<'_> {
    fn uid(&self) -> u32 {
        match self {
            Self::Message(raw) => raw.at.uid,
            Self::Unreadable(unreadable) => unreadable.at.uid,
        }
    }
}

/// The entries of the first of these, and how many they are: as many as can be decided before any of them is recorded. A
/// question and its chaser are never among the same: the chaser is `held` until its turn comes.
fn together<C: Clock>(
    found: &[Found<'_>],
    work: &reading::Batch,
    held: &mut Option<Read>,
    set: &Set,
    world: &World<'_, C>,
) -> Result<(Vec<Entry>, usize), Trouble> {
    let mut planned = Planned::default();
    let mut pending = Pending::new(&set.policy.team.domain);
    let mut entries = Vec::new();
    for one in found {
        match one {
            Found::Unreadable(unreadable) => entries.push(unreadable_entry(unreadable, set, world.now())),
            Found::Message(raw) => {
                let mut read = held.take().unwrap_or_else(|| work.read(raw, world));
                if pending.bears_on(&read.message) {
                    *held = Some(read);
                    break;
                }
                entries.push(entry(raw, &mut read, set, &mut planned, world)?);
                pending.add(&read.message);
            }
        }
    }
    let taken = entries.len();
    Ok((entries, taken))
}

/// Whether the record refused an entry, and not the mailbox or itself.
fn is_about_one_entry(error: &RecordError) -> bool {
    matches!(error, RecordError::ReferenceTaken { .. } | RecordError::Mistake { .. })
}

/// An entry of which nothing is kept that the record might stumble over: place, time, and that a person must look.
fn bare(entry: Entry, reason: String, set: &Set) -> Entry {
    let due = Some(due_from_receipt(entry.received_at, set));
    Entry {
        in_reply_to: Vec::new(),
        references: Vec::new(),
        outcome: EntryOutcome::SetAside { reason, due, effects: Vec::new() },
        ..entry
    }
}

/// Acknowledgements planned earlier in this batch: the record does not know of them yet, the limits must.
#[derive(Debug, Default)]
struct Planned {
    to: Vec<(String, String)>,
}

impl Planned {
    fn to_sender(&self, sender: &str) -> u32 {
        count(self.to.iter().filter(|(s, _)| s == sender))
    }
    fn to_domain(&self, domain: &str) -> u32 {
        count(self.to.iter().filter(|(_, d)| d == domain))
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// One message's entry.
fn entry<C: Clock>(
    raw: &RawMessage,
    read: &mut Read,
    set: &Set,
    planned: &mut Planned,
    world: &World<'_, C>,
) -> Result<Entry, Trouble> {
    let records = world.records;
    let message = &read.message.clone();
    if message.message_id.as_deref().map(|id| records.is_our_letter(id)).transpose()?.unwrap_or(false) {
        let canary =
            message.message_id.as_deref().filter(|id| letter::purpose_of(id) == Some(Purpose::Canary));
        if let Some(id) = canary.filter(|_| !world.is_sent(&raw.at.account, &raw.at.folder)) {
            records.canary_met(id, world.now())?;
        }
        another::look_at(raw, message, world)?;
        return Ok(build(raw, message, EntryOutcome::OwnLetter));
    }
    if let Some(known) = records.known(&message.fingerprint)? {
        answers::seen_again(raw, message, &known, set, world)?;
        let effects = if is_second_copy(raw, &known, world) {
            set.routing.file_duplicate(&raw.at.account).into_iter().collect()
        } else {
            Vec::new()
        };
        return Ok(build(raw, message, EntryOutcome::Copy { of: known.message, effects }));
    }
    if let Some(outcome) = answers::by_staff(raw, message, set, world)? {
        return Ok(Entry { references: answers::references(message), ..build(raw, message, outcome) });
    }
    let outcome = match decide(raw, read, set, planned, world)? {
        Ok(outcome) => outcome,
        Err(reason) => set_aside(raw, &reason, set, filing(raw, world)),
    };
    Ok(build(raw, message, outcome))
}

/// Whether a known message has been met as a further copy that is in staff's way: not one that we filed into a watched
/// folder ourselves, not the one copy there is, met again after its UID lost its meaning, and not one that staff have put
/// back where it was (a move keeps INTERNALDATE): that is theirs to decide.
fn is_second_copy<C: Clock>(raw: &RawMessage, known: &Known, world: &World<'_, C>) -> bool {
    // What lies in Sent was sent from here; it is nobody's copy to read.
    let elsewhere = known.locations.iter().any(|place| !world.is_sent(&place.account, &place.folder))
        || !known.filed_to.is_empty();
    let put_back = known.received_here_at(&raw.at.account, &raw.at.folder) == Some(raw.received_at);
    filing(raw, world) == FilingMode::Move && elsewhere && !put_back && !world.is_filing_folder(&raw.at)
}

/// How messages of this account are filed. What lies in Sent is looked at and never moved.
fn filing<C: Clock>(raw: &RawMessage, world: &World<'_, C>) -> FilingMode {
    if world.is_sent(&raw.at.account, &raw.at.folder) {
        return FilingMode::None;
    }
    world.config.account(&raw.at.account).map(|account| account.filing).unwrap_or_default()
}

/// Decides and plans. The inner error is the reason why this message is set aside.
fn decide<C: Clock>(
    raw: &RawMessage,
    read: &mut Read,
    set: &Set,
    planned: &mut Planned,
    world: &World<'_, C>,
) -> Result<Result<EntryOutcome, String>, Trouble> {
    let message = &read.message.clone();
    let existing = world.config.account(&raw.at.account).map(|a| a.existing).unwrap_or_default();
    let history = history(raw, message, planned, existing, world)?;
    let old = history.taken_into_use_at.is_some_and(|at| raw.received_at < at);
    if old && existing == Existing::Ignore {
        // Met although the cursor began above it: its UID has changed, or staff moved it here.
        let reason = "received before this mailbox was taken into use (`existing: ignore`)".to_owned();
        return Ok(Ok(EntryOutcome::LeftAlone { reason }));
    }
    if let Some(reason) = &read.failed {
        return Ok(Err(reason.clone()));
    }
    let mut decision = match read.decided(raw, history, &set.policy) {
        Ok((decision, took)) => {
            world.bells.tally.decided(took);
            decision
        }
        Err(reason) => return Ok(Err(reason)),
    };
    let belonging = joining::belonging(raw, message, &mut decision, set, world)?;
    let mut effects = Vec::new();
    let mut withheld =
        (!decision.acknowledgement.is_sent()).then(|| decision.acknowledgement.reason().to_owned());
    let (case, told, filed) = place(raw, message, &decision, belonging, set, world)?;
    if let (Acknowledgement::Send { to }, Some(told)) = (&decision.acknowledgement, &told) {
        let write = || {
            letters::acknowledgement(raw, message, &decision, told, to, set, &set.config, world.now())
                .map_err(|problem| problem.to_string())
        };
        match contained(write, "Writing it").and_then(|written| written) {
            Ok(effect) => {
                effects.push(effect);
                planned.to.push((to.to_ascii_lowercase(), domain_of(to)));
            }
            // Urgency, queue and deadline stand without it; staff find it among those that were withheld.
            Err(problem) => {
                tracing::error!(
                    account = raw.at.account.as_str(),
                    uid = raw.at.uid,
                    "An acknowledgement could not be written: {problem}"
                );
                withheld = Some(format!("it could not be written: {problem}"));
            }
        }
    }
    if filing(raw, world) != FilingMode::None && (!old || existing == Existing::File) {
        effects.extend(set.routing.file(&raw.at.account, filed.as_ref().unwrap_or(&decision)));
    }
    // A chaser is no second alarm; abuse in it is referred all the same.
    let reference = told.as_ref().map(|told| &told.reference);
    let opened = reference.filter(|_| matches!(case, CasePart::Opens(_)));
    let to_staff: [(letters::ToStaff, _); 2] = [(letters::alerts, opened), (notices::referrals, reference)];
    for (to_staff, reference) in to_staff.into_iter().filter(|_| !old) {
        let decision = filed.as_ref().unwrap_or(&decision);
        let write = || {
            to_staff(raw, message, decision, reference, set, &set.config, world.now())
                .map_err(|problem| problem.to_string())
        };
        match contained(write, "Writing it").and_then(|written| written) {
            Ok(letters) => effects.extend(letters),
            Err(problem) => tracing::error!("A letter to staff could not be written: {problem}"),
        }
    }
    let mut stored = StoredDecision::of(&decision, withheld);
    if decision.kind == Kind::Bounce {
        stored.returned = message::returned(&raw.bytes);
    }
    let decision = Box::new(stored);
    Ok(Ok(EntryOutcome::Decided { decision, case, effects }))
}

/// Which case it opens or belongs to; what the acknowledgement says of that; and how it is filed, where that is not as
/// decided: what belongs to a case lies with it.
fn place<C: Clock>(
    raw: &RawMessage,
    message: &Message,
    decision: &Decision,
    belonging: Belonging,
    set: &Set,
    world: &World<'_, C>,
) -> Result<(CasePart, Option<Told>, Option<Decision>), RecordError> {
    let opens = match (belonging, &decision.due) {
        (Belonging::Opens(opens), Some(due)) => (opens, due),
        (Belonging::Joins(joined), _) => {
            let filed = Decision { queue: joined.queue, urgency: joined.urgency, ..decision.clone() };
            return Ok((joined.part, Some(joined.told), Some(filed)));
        }
        _ => return Ok((CasePart::None, None, None)),
    };
    let (opens, due) = opens;
    let reference = free_reference(&message.fingerprint, world)?;
    let first_response_on = first_response_on(decision, raw.received_at, set);
    let told = Told {
        reference: reference.clone(),
        joined: None,
        counted: Counted::FromTheFirst,
        due_on: due.due_on,
        // Only who has asked before is told of a next step.
        step: opens.step_due_on.filter(|_| decision.chaser != Chaser::None).map(|on| (opens.step, on)),
        over_heads: first_response_on.filter(|_| decision.said.over_heads),
    };
    let opening = Opening {
        reference,
        matter: if decision.is_call_back() { Matter::CallBack } else { Matter::Question },
        due: StoredDue::of(due, first_response_on),
        step: opens.step,
        step_due_on: opens.step_due_on,
        links: opens.links,
    };
    Ok((CasePart::Opens(Box::new(opening)), Some(told), None))
}

/// A fault of the program that one message brings out is that message's: the others go on.
pub(super) fn contained<T>(work: impl FnOnce() -> T, what: &str) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| format!("{what} failed inside the program; please report this with the message."))
}

/// What the record and this batch know that bears on the message.
fn history<C: Clock>(
    raw: &RawMessage,
    message: &Message,
    planned: &Planned,
    existing: Existing,
    world: &World<'_, C>,
) -> Result<History, Trouble> {
    let now = world.now();
    let sender = message.from.as_ref().map(|a| a.address.to_ascii_lowercase()).unwrap_or_default();
    let domain = domain_of(&sender);
    let counts = world.records.acknowledgements(&sender, &domain, now)?;
    let state = world.records.mailbox(&raw.at.account, &raw.at.folder)?;
    Ok(History {
        now,
        mailbox: raw.at.account.clone(),
        taken_into_use_at: match existing {
            Existing::TreatAsNew => None,
            _ => state.map(|s| s.taken_into_use_at),
        },
        to_sender_in_a_day: counts.to_sender_in_a_day + planned.to_sender(&sender),
        to_domain_in_an_hour: counts.to_domain_in_an_hour + planned.to_domain(&domain),
        in_all_in_an_hour: counts.in_all_in_an_hour + count(planned.to.iter()),
    })
}

fn domain_of(address: &str) -> String {
    address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase()).unwrap_or_default()
}

/// The case's reference, unless by a rare chance another message has the same.
pub(super) fn free_reference<C: Clock>(
    fingerprint: &Fingerprint,
    world: &World<'_, C>,
) -> Result<Reference, RecordError> {
    let mut reference = Reference::of(fingerprint, 0);
    for salt in 1..20 {
        if world.records.reference_is_free(&reference)? {
            break;
        }
        reference = Reference::of(fingerprint, salt);
    }
    Ok(reference)
}

pub(super) fn set_aside(raw: &RawMessage, reason: &str, set: &Set, filing: FilingMode) -> EntryOutcome {
    let effects = match filing {
        FilingMode::None => Vec::new(),
        FilingMode::Move | FilingMode::Copy => vec![set.routing.file_set_aside(&raw.at.account)],
    };
    EntryOutcome::SetAside {
        reason: reason.to_owned(),
        due: Some(due_from_receipt(raw.received_at, set)),
        effects,
    }
}

/// Without a decision there is still a deadline: that of the policy, from the time of receipt.
pub(super) fn due_from_receipt(received_at: DateTime<Utc>, set: &Set) -> NaiveDate {
    set.policy.calendar.due(received_at, set.policy.team.answer_within_working_days).due_on
}

/// Urgent and resolution matters have a first response within 2 working days (the resolution process's 48 hours).
pub(super) fn first_response_on(
    decision: &Decision,
    received_at: DateTime<Utc>,
    set: &Set,
) -> Option<NaiveDate> {
    let soon = decision.urgency == Urgency::Urgent || decision.queue == Queue::Resolution;
    soon.then(|| first_response_by(received_at, &set.policy.calendar))
}

/// The target for a first response to a matter that has one.
pub fn first_response_by(received_at: DateTime<Utc>, calendar: &WorkingCalendar) -> NaiveDate {
    calendar.due(received_at, FIRST_RESPONSE_WORKING_DAYS).due_on
}

/// A message that the server would not give us: left where it is, known, with a deadline.
fn unreadable_entry(unreadable: &Unreadable, set: &Set, now: DateTime<Utc>) -> Entry {
    let received_at = unreadable.received_at.unwrap_or(now);
    Entry {
        at: unreadable.at.clone(),
        received_at,
        size_bytes: 0,
        fingerprint: None,
        message_id: None,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        sender: None,
        sender_domain: None,
        subject: String::new(),
        words: None,
        participants: Vec::new(),
        outcome: EntryOutcome::SetAside {
            reason: unreadable.reason.clone(),
            due: Some(due_from_receipt(received_at, set)),
            // A server that will not show a message will hardly move it: a person finds it where it lies.
            effects: Vec::new(),
        },
    }
}

pub(super) fn build(raw: &RawMessage, message: &Message, outcome: EntryOutcome) -> Entry {
    let sender = message.from.as_ref().map(|a| a.address.to_ascii_lowercase());
    Entry {
        at: raw.at.clone(),
        received_at: raw.received_at,
        size_bytes: raw.size_bytes,
        fingerprint: Some(message.fingerprint.clone()),
        message_id: message.message_id.clone(),
        in_reply_to: message.in_reply_to.clone(),
        references: message.references.clone(),
        sender_domain: sender.as_deref().map(domain_of),
        sender,
        subject: message.subject.clone(),
        words: message::words(message),
        participants: participants(message),
        outcome,
    }
}

/// More people than this are not kept of one header field: nobody answers a list of hundreds by hand.
const MOST_PARTICIPANTS: usize = 100;

fn participants(message: &Message) -> Vec<Participant> {
    let of = |role, addresses: &[crate::message::Address]| {
        let named = addresses.iter().filter(|address| !address.address.is_empty()).take(MOST_PARTICIPANTS);
        named.map(|address| Participant { role, address: address.address.clone() }).collect::<Vec<_>>()
    };
    let from: Vec<_> = message.from.iter().cloned().collect();
    let mut all = of(ParticipantRole::From, &from);
    all.extend(of(ParticipantRole::ReplyTo, &message.reply_to));
    all.extend(of(ParticipantRole::To, &message.to));
    all.extend(of(ParticipantRole::Cc, &message.cc));
    all
}

fn effects(outcome: &EntryOutcome) -> &[Effect] {
    match outcome {
        EntryOutcome::Decided { effects, .. }
        | EntryOutcome::Copy { effects, .. }
        | EntryOutcome::SetAside { effects, .. } => effects,
        EntryOutcome::OwnLetter | EntryOutcome::LeftAlone { .. } => &[],
    }
}

/// Numbers only: no log line names people or repeats their words.
fn log(account: &str, uid: u32, what: &EnteredAs) {
    match what {
        EnteredAs::New { message, case: Some(case), role: None | Some(Role::Opened) } => {
            tracing::info!(
                account,
                uid,
                number = message,
                case,
                "Message {message} recorded; it opens case {case}."
            );
        }
        EnteredAs::New { message, case: Some(case), role: Some(_) } => {
            tracing::info!(
                account,
                uid,
                number = message,
                case,
                "Message {message} recorded; it belongs to case {case}."
            );
        }
        EnteredAs::New { message, case: None, .. } => {
            tracing::info!(account, uid, number = message, "Message {message} recorded; no answer is owed.");
        }
        EnteredAs::Copy { of } => tracing::info!(account, uid, number = of, "A copy of message {of}."),
        EnteredAs::SetAside { message } => {
            tracing::warn!(
                account,
                uid,
                number = message,
                "Message {message} is set aside: a person must read it."
            );
        }
        EnteredAs::OwnLetter => tracing::debug!(account, uid, "Our own letter."),
        EnteredAs::LeftAlone => tracing::debug!(account, uid, "Left alone."),
        EnteredAs::Already => tracing::debug!(account, uid, "Recorded before."),
    }
}

/// Enters the batch and notes whose letters there are to be sent.
fn enter<C: Clock>(batch: &Batch, world: &World<'_, C>, taken: &mut Taken) -> Result<(), RecordError> {
    let entered = world.records.enter(batch)?;
    for made in &entered {
        log(&batch.account, made.uid, &made.what);
        if let EnteredAs::New { message, case: Some(case), role: Some(Role::PassedOn) } = made.what {
            answers::tell_sender(case, message, world)?;
        }
    }
    for effect in batch.entries.iter().flat_map(|entry| effects(&entry.outcome)) {
        if let Effect::Acknowledge { account, .. }
        | Effect::Alert { account, .. }
        | Effect::Notice { account, .. } = effect
        {
            taken.letters_of.insert(account.clone());
        }
    }
    Ok(())
}

impl<C: Clock> World<'_, C> {
    /// Whether this is one of the folders that we file into (and that somebody chose to watch as well).
    fn is_filing_folder(&self, at: &crate::message::MessageRef) -> bool {
        crate::config::filing_folders(&self.settings()).any(|folder| {
            at.folder == folder || at.folder.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}
