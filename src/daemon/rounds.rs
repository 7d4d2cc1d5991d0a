//! The rounds: once a week the digest (`weekly.rs`), on each working morning the daily letter and the urgent mail of the night,
//! gathered; and at any time what the Resolution Team is told of a case that came to it. Each once to each recipient, whatever is
//! restarted; never out of working hours, but for the digest, whose time is the operator's to choose (policy, email f).
//!
//! That a round was made is written down together with its letters, so that one for which there was nothing to say is not
//! made again later on the same day.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::calendar::{WorkingCalendar, WorkingHours, london};
use crate::case::escalation;
use crate::clock::Clock;
use crate::config::{Config, QueueName, ReminderTo};
use crate::effect::Effect;
use crate::letter::{self, CaseLine, GatheredFacts, Listed, MessageLine, ReminderFacts, WordingError};
use crate::record::{Mark, MessageRow, RecordError, Round, WaitingCase};
use crate::triage::Why;

use super::in_force::Set;
use super::{World, letters, notices, weekly};

/// How long until the clock is looked at again: it may be put forward or back, or the machine may have slept.
const LOOK: Duration = Duration::from_secs(30);

/// How far back the first round of its sort looks, and the briefings: what is older was dealt with before there were any.
const FIRST_LOOK: TimeDelta = TimeDelta::days(7);

/// What needs no second look.
#[derive(Debug, Default)]
pub struct Made {
    reminders: Option<NaiveDate>,
    gathered: Option<NaiveDate>,
    /// The Monday of the week of the last digest.
    digest: Option<NaiveDate>,
    /// When the first look at the clock was.
    since: Option<DateTime<Utc>>,
    /// Cases whose briefing could not be written; told in the log once.
    unwritten: BTreeSet<String>,
}

/// Makes the rounds until it is time to stop.
pub async fn go<C: Clock>(world: &World<'_, C>) {
    let mut made = Made::default();
    while !world.stopping() {
        if let Err(error) = make(world, &mut made) {
            tracing::error!("The letters to staff could not be looked after: {error}");
        }
        tokio::select! {
            biased;
            () = world.bells.rounds() => {}
            () = world.pause(LOOK) => {}
        }
    }
}

/// Makes every round that is due; returns how many letters were written.
pub fn make<C: Clock>(world: &World<'_, C>, made: &mut Made) -> Result<usize, RecordError> {
    let set = world.in_force.now();
    let since = *made.since.get_or_insert_with(|| world.now());
    let letters = reminders(world, &set, made)?
        + gathered(world, &set, made)?
        + briefings(world, &set, made)?
        + weekly::make(world, &set, &mut made.digest, since)?;
    if let Some(account) = letters::alerting_account(&set.config).filter(|_| letters > 0) {
        world.bells.ring_post(account);
    }
    Ok(letters)
}

/// The day whose morning letters may go out at this instant: a working day, at this time or later, and while staff are at work.
pub fn day_of(
    now: DateTime<Utc>,
    at: NaiveTime,
    hours: WorkingHours,
    calendar: &WorkingCalendar,
) -> Option<NaiveDate> {
    let today = london::date(now);
    let hours = hours.on(today.weekday());
    let (from, until) = (london::instant(today, at.max(hours.opens)), london::instant(today, hours.closes));
    (calendar.is_working_day(today) && from <= now && now < until).then_some(today)
}

/// The round's mark, if it is due and was not made yet; with the last one.
fn due<C: Clock>(
    world: &World<'_, C>,
    set: &Set,
    round: Round,
    at: NaiveTime,
    made: &mut Option<NaiveDate>,
) -> Result<Option<(Mark, Option<Mark>)>, RecordError> {
    let hours = letters::working_hours(&set.config);
    let Some(day) = day_of(world.now(), at, hours, &set.policy.calendar) else { return Ok(None) };
    if made.is_some_and(|made| made >= day) {
        return Ok(None);
    }
    let last = world.records.last_round(round)?;
    if let Some(last) = last.filter(|last| last.day >= day) {
        *made = Some(last.day);
        return Ok(None);
    }
    // Read before anything else: what comes in meanwhile is the next round's.
    let mark = Mark { day, up_to: world.records.newest_message()? };
    Ok(Some((mark, last)))
}

fn close<C: Clock>(
    world: &World<'_, C>,
    round: Round,
    mark: Mark,
    letters: &[Effect],
    made: &mut Option<NaiveDate>,
) -> Result<usize, RecordError> {
    let written = world.records.make_round(round, mark, letters, world.now())?;
    *made = Some(mark.day);
    Ok(written.unwrap_or_default())
}

/// The daily letter.
fn reminders<C: Clock>(world: &World<'_, C>, set: &Set, made: &mut Made) -> Result<usize, RecordError> {
    let config = &set.config;
    if config.reminders.to.is_empty() {
        return Ok(0);
    }
    let (round, at) = (Round::Reminders, config.reminders.at);
    let Some((mark, last)) = due(world, set, round, at, &mut made.reminders)? else { return Ok(0) };
    let now = world.now();
    let after = last.map_or(0, |last| last.up_to);
    let since = if last.is_none() { now - FIRST_LOOK } else { DateTime::UNIX_EPOCH };
    let round_of = RoundOf {
        day: mark.day,
        after,
        cases: world.records.waiting_cases()?,
        withheld: world.records.withheld_after(after, since)?,
        set_aside: world.records.set_aside()?,
    };
    let mut letters = Vec::new();
    for to in &config.reminders.to {
        match reminder(to, &round_of, set, config, now) {
            Ok(effects) => letters.extend(effects),
            Err(error) => tracing::error!("A daily letter could not be written: {error}"),
        }
    }
    let written = close(world, round, mark, &letters, &mut made.reminders)?;
    tracing::info!(letters = written, "The daily letter of {} went to {written} members of staff.", mark.day);
    Ok(written)
}

/// What the daily letters of one morning are made of.
struct RoundOf {
    day: NaiveDate,
    /// The last message that the letters before spoke of.
    after: i64,
    cases: Vec<WaitingCase>,
    withheld: Vec<MessageRow>,
    set_aside: Vec<MessageRow>,
}

/// One recipient's letter; none where there is nothing to say.
fn reminder(
    to: &ReminderTo,
    round: &RoundOf,
    set: &Set,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Vec<Effect>, WordingError> {
    let mine = |queue: &str, area: &str| {
        notices::is_for(&to.queues, queue)
            && (to.areas.is_empty() || to.areas.iter().any(|own| own.word() == area))
    };
    let mut parts: [Vec<CaseLine>; 8] = Default::default();
    for case in round.cases.iter().filter(|case| mine(&case.queue, &case.area)) {
        let part = part_of(case, round, set, config.reminders.nearing_working_days);
        if let Some(part) = part.and_then(|part| parts.get_mut(part as usize)) {
            part.push(notices::case_line(case, set, round.day));
        }
    }
    let [overdue, urgent, nearing, first_responses, chased, escalated, missing, unsure] =
        parts.map(Listed::of);
    let is_mine = |row: &&MessageRow| {
        mine(row.queue.as_deref().unwrap_or_default(), row.area.as_deref().unwrap_or_default())
    };
    let withheld = round.withheld.iter().filter(|row| may_be_owed(row)).filter(is_mine);
    let set_aside = round.set_aside.iter().filter(|_| reads_what_is_unclear(to, config));
    let topic = format!("reminder/{}", round.day);
    notices::each(&[&to.address], &topic, "reminder", set, config, now, |notice| {
        let facts = ReminderFacts {
            notice,
            day: round.day,
            overdue: overdue.clone(),
            urgent: urgent.clone(),
            nearing: nearing.clone(),
            nearing_working_days: config.reminders.nearing_working_days,
            first_responses: first_responses.clone(),
            chased: chased.clone(),
            escalated: escalated.clone(),
            missing: missing.clone(),
            unsure: unsure.clone(),
            withheld: Listed::of(withheld.clone().map(message_line).collect()),
            automatic: round.withheld.iter().filter(|row| !may_be_owed(row)).count(),
            set_aside: Listed::of(set_aside.clone().map(message_line).collect()),
            council: &config.council.contacts,
        };
        letter::reminder(&facts, &set.wording).map(|letter| (facts.total() > 0).then_some(letter))
    })
}

/// Whether the policy may promise an acknowledgement to the writer of this message, which got none: a person wrote to the team,
/// and not just thanks, or the same once more.
fn may_be_owed(row: &MessageRow) -> bool {
    let nothing_new = [Why::OnlyThanks, Why::SentAgain].map(Why::words);
    let why = row.withheld.as_deref().unwrap_or_default();
    row.kind.as_deref() == Some("person") && !row.copied && !nothing_new.contains(&why)
}

/// Where a case stands in the letter: once, where it is worst.
#[derive(Clone, Copy)]
enum Part {
    Overdue,
    Urgent,
    Nearing,
    FirstResponse,
    Chased,
    Escalated,
    Missing,
    Unsure,
}

fn part_of(case: &WaitingCase, round: &RoundOf, set: &Set, nearing: u32) -> Option<Part> {
    let (today, calendar) = (round.day, &set.policy.calendar);
    let responded = case.first_response_at.is_some();
    let within = |on: Option<NaiveDate>, days: u32| {
        on.is_some_and(|on| calendar.working_days_between(today, on) <= days)
    };
    Some(match case {
        _ if case.due_on.is_some_and(|due| due < today) => Part::Overdue,
        _ if case.urgency == "urgent" && !responded => Part::Urgent,
        _ if within(case.due_on, nearing) => Part::Nearing,
        _ if within(case.first_response_on, 1) && !responded => Part::FirstResponse,
        _ if case.chasers >= crate::case::life::REPEATED_CHASERS => Part::Chased,
        _ if case.step > 1 => Part::Escalated,
        _ if case.missing_since.is_some() => Part::Missing,
        _ if case.unsure && case.message > round.after => Part::Unsure,
        _ => return None,
    })
}

/// Whether this recipient is told of messages that nobody's team is known of: whoever has no limit, or what is unclear; where
/// nobody is such, everybody.
fn reads_what_is_unclear(to: &ReminderTo, config: &Config) -> bool {
    let reads = |to: &ReminderTo| to.queues.is_empty() || to.queues.contains(&QueueName::General);
    reads(to) || !config.reminders.to.iter().any(reads)
}

fn message_line(row: &MessageRow) -> MessageLine {
    let place = row.filed_to.as_ref().map(|place| (place.account.clone(), place.folder.clone()));
    let (mailbox, folder) = place.unwrap_or_else(|| (row.account.clone(), row.folder.clone()));
    MessageLine {
        reference: row.reference.clone().unwrap_or_default(),
        received_on: london::date(row.received_at),
        reason: row.set_aside.clone().or_else(|| row.withheld.clone()).unwrap_or_default(),
        queue: row.queue.clone().filter(|queue| queue != "none").unwrap_or_default(),
        mailbox,
        folder,
    }
}

/// Urgent mail that came while nobody was at work: one letter for each of the duty staff when work begins.
fn gathered<C: Clock>(world: &World<'_, C>, set: &Set, made: &mut Made) -> Result<usize, RecordError> {
    let config = &set.config;
    if config.alerts.to.is_empty() || config.alerts.out_of_hours {
        return Ok(0);
    }
    let round = Round::Gathered;
    let Some((mark, last)) = due(world, set, round, NaiveTime::MIN, &mut made.gathered)? else {
        return Ok(0);
    };
    let now = world.now();
    let since = if last.is_none() { now - FIRST_LOOK } else { DateTime::UNIX_EPOCH };
    let urgent = world.records.urgent_without_alert(last.map_or(0, |last| last.up_to), since)?;
    let mut effects = Vec::new();
    if !urgent.is_empty() {
        let cases: Vec<_> = urgent.iter().map(|case| notices::case_line(case, set, mark.day)).collect();
        let to: Vec<&str> = config.alerts.to.iter().map(String::as_str).collect();
        let topic = format!("urgent/{}", mark.day);
        let written = notices::each(&to, &topic, "urgent", set, config, now, |notice| {
            let facts = GatheredFacts { notice, cases: &cases, council: &config.council.contacts };
            letter::gathered(&facts, &set.wording).map(Some)
        });
        match written {
            Ok(letters) => effects = letters,
            Err(error) => tracing::error!("The urgent mail of the night could not be told of: {error}"),
        }
    }
    close(world, round, mark, &effects, &mut made.gathered)
}

/// What the Resolution Team is told of cases that came to it.
fn briefings<C: Clock>(world: &World<'_, C>, set: &Set, made: &mut Made) -> Result<usize, RecordError> {
    let config = &set.config;
    if config.resolution_to().is_empty() {
        return Ok(0);
    }
    let (now, records, mut written) = (world.now(), world.records, 0);
    for case in records.unbriefed(now - FIRST_LOOK)? {
        if made.unwritten.contains(&case.reference) {
            continue;
        }
        let mut others = case.sender.as_deref().map(|sender| records.history_of(sender)).transpose()?;
        others.iter_mut().for_each(|others| others.retain(|other| other.case.reference != case.reference));
        let others = others.unwrap_or_default();
        let judged = records.traced(case.message, escalation::TRACED)?;
        match notices::briefings(&case, &others, judged.as_deref(), set, config, now) {
            Ok(letters) => written += records.notify(Some(case.message), &letters, now)?,
            Err(error) => {
                tracing::error!("Case {}: the briefing could not be written: {error}", case.reference);
                made.unwritten.insert(case.reference);
            }
        }
    }
    Ok(written)
}
