//! The page of metrics: what was counted since the start, and how things stand now. It is made anew at most every ten seconds,
//! however often it is asked for, so that looking at the program cannot hold it up.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::calendar::london;
use crate::clock::Clock;
use crate::config::Config;
use crate::record::{Added, AsItStands, CountedTo, RecordError};
use crate::triage::Why;

use super::super::health::{Health, Verdict};
use super::super::{World, expiry, pulse};
use super::catalogue as names;
use super::tally::TROUBLES;
use super::text::{Histogram, Page};

/// So long a page is good.
const FRESH: TimeDelta = TimeDelta::seconds(10);

/// So long the ledger's gaps are: counting them reads an index over every message.
const LEDGER: TimeDelta = TimeDelta::minutes(10);

/// From receipt to the record or the acknowledgement: seconds by IDLE, five minutes by the poll, hours where something was away.
const WAITS: &[f64] = &[5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 86400.0];

/// A certificate that lives no longer is renewed by a machine.
const RENEWED_DAILY: TimeDelta = TimeDelta::days(28);

/// What is to be done, and how it may stand: always on the page, so that an alert finds a 0 and not a hole.
const EFFECTS: [&str; 5] = ["acknowledge", "alert", "notice", "keep-copy", "file"];
const STATES: [&str; 5] = ["pending", "sending", "uncertain", "adrift", "stuck"];
const QUEUES: [&str; 5] = ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"];
const URGENCIES: [&str; 2] = ["urgent", "standard"];

/// Counts by their labels.
type Counts<const N: usize> = BTreeMap<[String; N], u64>;

/// Makes the pages of one run of the daemon.
pub struct Gatherer<'a, C> {
    world: &'a World<'a, C>,
    started_at: DateTime<Utc>,
    state: RefCell<State>,
}

struct State {
    /// Up to where the record was counted; `None`: it could not be read yet.
    then: Option<CountedTo>,
    received: Counts<3>,
    decided: Counts<3>,
    unsure: u64,
    withheld: BTreeMap<&'static str, u64>,
    attempts: Counts<3>,
    recorded_after: BTreeMap<String, Histogram>,
    acknowledged_after: BTreeMap<String, Histogram>,
    page: Option<(DateTime<Utc>, String)>,
    gaps: Option<(DateTime<Utc>, Gaps)>,
}

/// By account and folder, how many messages have no outcome.
type Gaps = Vec<(String, String, u64)>;

impl<'a, C: Clock> Gatherer<'a, C> {
    /// Counts from here on.
    pub fn new(world: &'a World<'a, C>) -> Self {
        let waits =
            || world.config.accounts.iter().map(|a| (a.name.clone(), Histogram::new(WAITS))).collect();
        // From the first scrape on, so that a mailbox to which nothing comes shows a 0.
        let watched = world.config.accounts.iter().flat_map(|account| {
            let zero = |folder: &String| ([account.name.clone(), folder.clone(), "decided".to_owned()], 0);
            account.watch.iter().map(zero)
        });
        let state = State {
            then: world.records.count_from_here().ok(),
            received: watched.collect(),
            decided: BTreeMap::new(),
            unsure: 0,
            withheld: Why::ALL.iter().map(|why| (why.name(), 0)).chain([("other", 0)]).collect(),
            attempts: BTreeMap::new(),
            recorded_after: waits(),
            acknowledged_after: waits(),
            page: None,
            gaps: None,
        };
        Self { world, started_at: world.now(), state: RefCell::new(state) }
    }

    /// How the daemon is, as `send-triage health` says it.
    pub fn verdict(&self) -> Verdict {
        let settings = self.world.settings();
        let after = TimeDelta::minutes(i64::from(settings.health.stalled_after_minutes));
        Verdict::of_file(&settings.health_file(), self.world.now(), after)
    }

    /// The page.
    pub fn page(&self) -> String {
        let now = self.world.now();
        let mut state = self.state.borrow_mut();
        if let Some((made_at, page)) = &state.page
            && now - *made_at < FRESH
            && now >= *made_at
        {
            return page.clone();
        }
        let page = self.make(&mut state, now);
        state.page = Some((now, page.clone()));
        page
    }

    fn make(&self, state: &mut State, now: DateTime<Utc>) -> String {
        let mut page = Page::default();
        let read = self.read(state, now);
        if let Err(error) = &read {
            tracing::warn!("The record could not be read for the metrics: {error}");
        }
        self.of_the_program(&mut page, read.is_ok());
        if let Ok((stands, health)) = &read {
            of_the_folders(&mut page, health, state);
            of_what_ends(&mut page, &self.world.settings(), health);
            page.metric(&names::RECORD_SIZE).count(&[], stands.size_bytes);
        }
        of_what_happened(&mut page, state);
        let mut errors = page.metric(&names::ERRORS);
        for account in &self.world.config.accounts {
            for (with, kind) in TROUBLES {
                let times = self.world.bells.tally.times(&account.name, with, kind);
                errors.count(&[("mailbox", &account.name), ("with", with), ("kind", kind)], times);
            }
        }
        page.metric(&names::DECIDING).histogram(&[], &self.world.bells.tally.deciding());
        if let Ok((stands, _)) = &read {
            as_it_stands(&mut page, stands, now);
        }
        page.finish()
    }

    fn read(&self, state: &mut State, now: DateTime<Utc>) -> Result<(AsItStands, Health), RecordError> {
        let records = self.world.records;
        let then = match state.then {
            Some(then) => then,
            None => records.count_from_here()?,
        };
        let (added, then) = records.added_since(then)?;
        state.then = Some(then);
        state.add(added);
        if state.gaps.as_ref().is_none_or(|(at, _)| now - *at >= LEDGER) {
            state.gaps = Some((now, records.ledger_gaps()?));
        }
        let stands = records.as_it_stands(london::date(now), now)?;
        Ok((stands, pulse::look(self.world, self.started_at)?))
    }

    fn of_the_program(&self, page: &mut Page, record_up: bool) {
        let set = self.world.in_force.now();
        page.metric(&names::BUILD).add(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.metric(&names::STARTED).add(&[], seconds(self.started_at));
        page.metric(&names::HEALTHY).add(&[], u8::from(self.verdict().ok));
        page.metric(&names::RECORD_UP).add(&[], u8::from(record_up));
        page.metric(&names::RULES).add(&[("version", set.policy.rules.version())], 1);
        let refused = super::super::refusal::standing(&set.config).is_some();
        page.metric(&names::RULES_REFUSED).add(&[], u8::from(refused));
        let last = set.policy.calendar.known_until;
        page.metric(&names::CALENDAR_ENDS).add(&[], seconds(end_of(last)));
    }
}

impl State {
    fn add(&mut self, added: Added) {
        let three = |counts: &mut Counts<3>, rows: Vec<(String, String, String, u64)>| {
            for (a, b, c, times) in rows {
                *counts.entry([a, b, c]).or_default() += times;
            }
        };
        three(&mut self.received, added.met);
        three(&mut self.decided, added.decided);
        three(&mut self.attempts, added.attempts);
        self.unsure += added.unsure;
        for (words, times) in added.withheld {
            // What is not one of the questions (it could not be written) is one reason here, whatever its words.
            let name = Why::ALL.iter().find(|why| why.words() == words).map_or("other", |why| why.name());
            *self.withheld.entry(name).or_default() += times;
        }
        let waits = |into: &mut BTreeMap<String, Histogram>, rows: Vec<(String, i64)>| {
            for (account, seconds) in rows {
                let histogram = into.entry(account).or_insert_with(|| Histogram::new(WAITS));
                histogram.observe(seconds as f64);
            }
        };
        waits(&mut self.recorded_after, added.recorded_after);
        waits(&mut self.acknowledged_after, added.acknowledged_after);
    }
}

fn of_the_folders(page: &mut Page, health: &Health, state: &State) {
    let mut seen = page.metric(&names::LAST_SEEN);
    for watched in &health.folders {
        let at = watched.last_seen_at.map_or(0.0, seconds);
        seen.add(&[("mailbox", &watched.account), ("folder", &watched.folder)], at);
    }
    let mut gaps = page.metric(&names::LEDGER_GAPS);
    for (account, folder, missing) in state.gaps.iter().flat_map(|(_, gaps)| gaps) {
        gaps.count(&[("mailbox", account), ("folder", folder)], *missing);
    }
    if let Some(canary) = &health.canary {
        let met = canary.met_at.map_or(0.0, seconds);
        page.metric(&names::CANARY).add(&[("mailbox", &canary.account)], met);
    }
}

/// Secrets and certificates whose end is known. What a machine renews every few days is always near its end, and no news.
fn of_what_ends(page: &mut Page, config: &Config, health: &Health) {
    let mut ends = page.metric(&names::CREDENTIAL_ENDS);
    for ending in expiry::known(config, &health.certificates) {
        if ending.life.is_none_or(|life| life > RENEWED_DAILY) {
            ends.add(&[("what", &ending.what)], seconds(end_of(ending.on)));
        }
    }
}

/// When a day ends, to an hour.
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN).and_utc()
}

fn of_what_happened(page: &mut Page, state: &State) {
    let mut received = page.metric(&names::RECEIVED);
    for ([account, folder, outcome], times) in &state.received {
        received.count(&[("mailbox", account), ("folder", folder), ("outcome", outcome)], *times);
    }
    let mut decided = page.metric(&names::DECIDED);
    for ([kind, urgency, queue], times) in &state.decided {
        decided.count(&[("kind", kind), ("urgency", urgency), ("queue", queue)], *times);
    }
    page.metric(&names::UNSURE).count(&[], state.unsure);
    let mut withheld = page.metric(&names::WITHHELD);
    for (reason, times) in &state.withheld {
        withheld.count(&[("reason", reason)], *times);
    }
    let mut attempts = page.metric(&names::ATTEMPTS);
    for ([account, kind, outcome], times) in &state.attempts {
        attempts.count(&[("mailbox", account), ("kind", kind), ("outcome", outcome)], *times);
    }
    for (metric, histograms) in [
        (&names::RECORDED_AFTER, &state.recorded_after),
        (&names::ACKNOWLEDGED_AFTER, &state.acknowledged_after),
    ] {
        let mut values = page.metric(metric);
        for (account, histogram) in histograms {
            values.histogram(&[("mailbox", account)], histogram);
        }
    }
}

fn as_it_stands(page: &mut Page, stands: &AsItStands, now: DateTime<Utc>) {
    let of_kind = |kind: &'static str| stands.to_do.iter().filter(move |to_do| to_do.kind == kind);
    let mut effects = page.metric(&names::EFFECTS);
    for kind in EFFECTS {
        for state in STATES {
            let count = of_kind(kind).filter(|to_do| to_do.state == state).map(|to_do| to_do.count).sum();
            effects.count(&[("kind", kind), ("state", state)], count);
        }
    }
    let mut due = page.metric(&names::EFFECTS_DUE);
    for kind in EFFECTS {
        due.count(&[("kind", kind)], of_kind(kind).map(|to_do| to_do.due).sum());
    }
    let mut oldest = page.metric(&names::OLDEST_DUE);
    for kind in EFFECTS {
        let since = of_kind(kind).filter_map(|to_do| to_do.due_since).min();
        let age = since.map_or(0, |since| (now - since).num_seconds().max(0));
        oldest.add(&[("kind", kind)], age as f64);
    }
    page.metric(&names::SET_ASIDE).count(&[], stands.set_aside);
    for (metric, overdue) in [(&names::WAITING, false), (&names::OVERDUE, true)] {
        let mut values = page.metric(metric);
        for queue in QUEUES {
            for urgency in URGENCIES {
                let these = stands.waiting.iter().filter(|w| w.queue == queue && w.urgency == urgency);
                let count = these.map(|w| if overdue { w.overdue } else { w.count }).sum();
                values.count(&[("queue", queue), ("urgency", urgency)], count);
            }
        }
    }
    let oldest = stands.waiting.iter().map(|waiting| waiting.oldest_at).min();
    page.metric(&names::OLDEST_CASE).add(&[], oldest.map_or(0.0, seconds));
    page.metric(&names::MISSING).count(&[], stands.missing);
}

fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp() as f64
}
