//! Corrections by moving a message: a round every few minutes over our filing folders sees which messages staff have put into
//! another of them, and which have gone. The case follows; nothing is moved here.
//!
//! A message counts as moved when it lies in another of our folders and no longer where it was, and as missing when two whole
//! rounds found it nowhere. A folder that could not be read says nothing: what may lie there is left as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;

use crate::case::{Fact, Labels, Reference, State};
use crate::clock::Clock;
use crate::effect::{Destination, Effect};
use crate::letter::{self, AlertFacts};
use crate::mailbox::Overview;
use crate::record::{LateOpening, NewCorrection, NewFact, OpenedCase, Recalled, RecordError};

use super::in_force::Set;
use super::{World, intake, letters};

/// Who is named where staff moved a message and nobody knows who.
const STAFF: &str = "staff";
const WHY: &str = "moved by staff";
/// After so many whole rounds in which it was found nowhere, a message is missing.
const ROUNDS_UNTIL_MISSING: u32 = 2;

/// Looks every few minutes, until it is time to stop.
pub async fn look_after<C: Clock>(overviews: Vec<Overview>, world: &World<'_, C>) {
    let mut rounds = Rounds::new(overviews);
    while !world.stopping() {
        let seconds = world.settings().moves.look_every_seconds;
        if seconds == 0 {
            // Switched off; SIGHUP may switch it on.
            world.pause(Duration::from_secs(60)).await;
            continue;
        }
        world.pause(Duration::from_secs(u64::from(seconds))).await;
        tokio::select! {
            biased;
            seen = rounds.go(world) => if let Err(error) = seen {
                tracing::error!("What staff moved could not be recorded: {error}; it is looked for again.");
                rounds.settled.clear();
            },
            () = world.stopped() => {}
        }
    }
}

/// What is remembered from round to round.
pub struct Rounds {
    overviews: Vec<Overview>,
    /// Where each message lay when it was last judged.
    settled: BTreeMap<i64, BTreeSet<(String, String)>>,
    /// In how many whole rounds in a row a case's message was found nowhere.
    absent: BTreeMap<i64, u32>,
    /// Something could not be judged yet, or has changed since.
    open: bool,
}

/// What one round saw.
struct Seen {
    /// Where each known message lies.
    places: BTreeMap<i64, BTreeSet<(String, String)>>,
    /// Folders that could not be read.
    unread: BTreeSet<(String, String)>,
}

impl Rounds {
    /// Nothing has been looked at yet.
    pub fn new(overviews: Vec<Overview>) -> Self {
        Self { overviews, settled: BTreeMap::new(), absent: BTreeMap::new(), open: true }
    }

    /// One round; returns how many cases followed.
    pub async fn go<C: Clock>(&mut self, world: &World<'_, C>) -> Result<usize, RecordError> {
        // What comes in while the folders are looked into is judged in the next round.
        let began = world.now();
        let set = world.in_force.now();
        let (unread, changed) = self.look(&set, world).await;
        let complete = unread.is_empty();
        if !changed && !self.open && self.absent.is_empty() {
            return Ok(0);
        }
        let seen = Seen { places: self.places(&set, world)?, unread };
        self.open = !complete;
        let mut followed = 0;
        for (message, places) in &seen.places {
            if self.settled.get(message) == Some(places) {
                continue;
            }
            match judge(*message, places, &seen, &set, world)? {
                Judged::AtHome => {}
                Judged::Followed => followed += 1,
                Judged::NotYet => {
                    self.open = true;
                    continue;
                }
            }
            self.settled.insert(*message, places.clone());
        }
        self.settled.retain(|message, _| seen.places.contains_key(message));
        followed += self.missing(&seen, complete, began, world)?;
        Ok(followed)
    }

    /// Looks into every folder. Which could not be read, and whether anything changed.
    async fn look<C: Clock>(
        &mut self,
        set: &Set,
        world: &World<'_, C>,
    ) -> (BTreeSet<(String, String)>, bool) {
        let (mut unread, mut changed) = (BTreeSet::new(), false);
        for overview in &mut self.overviews {
            let account = overview.account().to_owned();
            let mut failed = false;
            for folder in folders(set, &account, world) {
                let place = (account.clone(), folder);
                if failed {
                    unread.insert(place);
                    continue;
                }
                match overview.look(&place.1).await {
                    Ok(anything) => changed |= anything,
                    Err(error) => {
                        failed = matches!(error, crate::mailbox::MailboxError::Transient { .. });
                        tracing::debug!(
                            account = place.0,
                            folder = place.1,
                            "Not looked into for what staff moved: {error}."
                        );
                        unread.insert(place);
                    }
                }
            }
            overview.close().await;
        }
        (unread, changed)
    }

    /// Where the messages lie that the record knows.
    fn places<C: Clock>(
        &self,
        set: &Set,
        world: &World<'_, C>,
    ) -> Result<BTreeMap<i64, BTreeSet<(String, String)>>, RecordError> {
        let mut places: BTreeMap<i64, BTreeSet<(String, String)>> = BTreeMap::new();
        for overview in &self.overviews {
            for folder in folders(set, overview.account(), world) {
                for id in overview.ids(&folder) {
                    if let Some(message) = world.records.message_of_id(id)? {
                        let place = (overview.account().to_owned(), folder.clone());
                        places.entry(message).or_default().insert(place);
                    }
                }
            }
        }
        Ok(places)
    }

    /// Cases whose message lies in none of our folders, and such as were found again.
    fn missing<C: Clock>(
        &mut self,
        seen: &Seen,
        complete: bool,
        began: chrono::DateTime<chrono::Utc>,
        world: &World<'_, C>,
    ) -> Result<usize, RecordError> {
        let mut told = Vec::new();
        let mut absent = BTreeMap::new();
        // What has only just come in may have been on its way from folder to folder while we looked.
        for opening in world.records.waiting_openings(began - TimeDelta::seconds(1))? {
            let tell = |fact| NewFact {
                case: opening.case,
                key: None,
                at: world.now(),
                by: STAFF.to_owned(),
                message: None,
                fact,
                why: String::new(),
            };
            if seen.places.contains_key(&opening.message) {
                if opening.missing_since.is_some() {
                    told.push(NewFact { why: "its message was found again".into(), ..tell(Fact::Found) });
                }
                continue;
            }
            // Another message has the same Message-ID: it cannot be told where this one lies.
            let alone = world.records.message_of_id(&opening.message_id)? == Some(opening.message);
            if !alone || opening.missing_since.is_some() {
                continue;
            }
            let before = self.absent.get(&opening.case).copied().unwrap_or(0);
            let rounds = before + u32::from(complete);
            if rounds >= ROUNDS_UNTIL_MISSING {
                let why = "its message lies in none of our folders: moved elsewhere, or deleted".into();
                told.push(NewFact { why, ..tell(Fact::Missing) });
            } else {
                absent.insert(opening.case, rounds);
            }
        }
        self.absent = absent.into_iter().collect();
        let news = world.records.tell(&told, world.now())?;
        for fact in &told {
            let what =
                if fact.fact == Fact::Missing { "is found in none of our folders" } else { "is found again" };
            tracing::info!(case = fact.case, "The message of case {} {what}.", fact.case);
        }
        Ok(news)
    }
}

/// Every folder of the account in which a message that a case rests on may lie.
fn folders<C: Clock>(set: &Set, account: &str, world: &World<'_, C>) -> BTreeSet<String> {
    let watched = world.config.account(account).map(|account| account.watch.as_slice()).unwrap_or_default();
    let watched = watched.iter().filter(|folder| !world.is_sent(account, folder)).cloned();
    watched.chain(set.routing.folders_of(account)).collect()
}

enum Judged {
    /// It lies where it should, or where nothing follows from.
    AtHome,
    /// The case followed it.
    Followed,
    /// A folder in which it may still lie could not be read.
    NotYet,
}

fn judge<C: Clock>(
    message: i64,
    places: &BTreeSet<(String, String)>,
    seen: &Seen,
    set: &Set,
    world: &World<'_, C>,
) -> Result<Judged, RecordError> {
    let Some(recalled) = world.records.recall_message(message)? else { return Ok(Judged::AtHome) };
    let home: BTreeSet<(String, String)> =
        recalled.places.iter().map(|place| (place.account.clone(), place.folder.clone())).collect();
    if !home.is_disjoint(places) {
        return Ok(Judged::AtHome);
    }
    if !home.is_disjoint(&seen.unread) {
        return Ok(Judged::NotYet);
    }
    let labels = recalled.labels();
    for (account, folder) in places {
        let place = Destination { account: account.clone(), folder: folder.clone() };
        let Some(meaning) = set.routing.meaning(&place, &labels.kind, &labels.queue) else { continue };
        if meaning.clone().of(&labels).is_empty() {
            continue;
        }
        follow(&recalled, meaning, place, set, world)?;
        return Ok(Judged::Followed);
    }
    Ok(Judged::AtHome)
}

/// Writes the move down, and lets the case follow: open or closed, its dates, its alerts.
fn follow<C: Clock>(
    recalled: &Recalled,
    change: crate::case::Correction,
    place: Destination,
    set: &Set,
    world: &World<'_, C>,
) -> Result<(), RecordError> {
    let (message, now) = (recalled.message, world.now());
    let first_response_on = intake::first_response_by(recalled.received_at, &set.policy.calendar);
    let new = NewCorrection {
        message,
        change,
        by: STAFF.to_owned(),
        why: WHY.to_owned(),
        moved_to: Some(place.clone()),
        first_response_on: Some(first_response_on),
    };
    world.records.correct(&new, now)?;
    tracing::info!(number = message, "Message {message} was moved by staff; its case follows.");
    let Some(recalled) = world.records.recall_message(message)? else { return Ok(()) };
    let labels = recalled.labels();
    if labels.kind == "person" && labels.queue != "none" {
        open_late(&recalled, &labels, set, world)?;
    }
    let Some(case) = world.records.case_opened_by(message)? else { return Ok(()) };
    let person = labels.kind == "person";
    let fact = match (person, case.state, case.first_due_on) {
        (false, State::Open | State::Extended | State::Answered, _) => Some(Fact::Closed),
        (true, State::Closed, Some(due_on)) => Some(Fact::Reopened { due_on }),
        _ => None,
    };
    if let Some(fact) = fact {
        let (case, by, why) = (case.case, STAFF.to_owned(), WHY.to_owned());
        world.records.tell(&[NewFact { case, key: None, at: now, by, message: None, fact, why }], now)?;
    }
    if labels.urgency == "urgent" && !case.alerted {
        let alerts = alerts(&recalled, &case, &place, set, world);
        if world.records.plan_letters(message, &alerts, now)? > 0
            && let Some(account) = letters::alerting_account(&set.config)
        {
            world.bells.ring_post(account);
        }
    } else if labels.urgency != "urgent" {
        world.records.drop_waiting_alerts(message, now)?;
    }
    Ok(())
}

/// What was taken for automatic mail, a newsletter or a mere copy, and is somebody's to answer, has its case and its deadline
/// from the day of receipt. It is not acknowledged: that is for whoever reads it now.
pub(super) fn open_late<C: Clock>(
    recalled: &Recalled,
    labels: &Labels,
    set: &Set,
    world: &World<'_, C>,
) -> Result<(), RecordError> {
    let (message, now) = (recalled.message, world.now());
    if recalled.reference.is_some() {
        return Ok(());
    }
    let Some(fingerprint) = world.records.fingerprint_of(message)? else { return Ok(()) };
    let calendar = &set.policy.calendar;
    let soon = labels.urgency == "urgent" || labels.queue == "resolution";
    let late = LateOpening {
        message,
        reference: intake::free_reference(&fingerprint, world)?,
        due_on: intake::due_from_receipt(recalled.received_at, set),
        first_response_on: soon.then(|| intake::first_response_by(recalled.received_at, calendar)),
        by: STAFF.to_owned(),
        why: WHY.to_owned(),
    };
    if let Some(case) = world.records.open_late(&late, now)? {
        tracing::info!(
            number = message,
            case,
            "Message {message} was no person's as decided; staff say it is: case {case}."
        );
    }
    Ok(())
}

/// Alerts about a message that staff moved to an urgent folder, one for each of those who are told.
fn alerts<C: Clock>(
    recalled: &Recalled,
    case: &OpenedCase,
    place: &Destination,
    set: &Set,
    world: &World<'_, C>,
) -> Vec<Effect> {
    let config = &set.config;
    let (Some(from), Some(about)) = (letters::alerting_account(config), &case.fingerprint) else {
        return Vec::new();
    };
    let not_before = letters::in_working_hours(set, config, world.now());
    let labels = recalled.labels();
    let mut grounds: Vec<String> = labels.grounds.iter().map(|id| letters::title(set, id)).collect();
    if grounds.is_empty() {
        grounds.push("Staff moved it to the urgent folder".to_owned());
    }
    let write = |to: &String| {
        let facts = AlertFacts {
            reference: &Reference::from_record(case.reference.clone()),
            about,
            from: &letters::sender(config.account(from), from),
            to,
            grounds: &grounds,
            mailbox: &place.account,
            folder: &place.folder,
            queue: &labels.queue,
            received_at: recalled.received_at,
            due_on: case.due_on,
            council: &config.council.contacts,
            sent_at: not_before,
        };
        let letter = letter::alert(&facts, &set.wording);
        letter
            .map_err(|problem| tracing::error!("An alert about urgent mail could not be written: {problem}"))
            .ok()
    };
    let letters = config.alerts.to.iter().filter_map(write);
    letters.map(|letter| Effect::Alert { account: from.to_owned(), letter, not_before }).collect()
}
