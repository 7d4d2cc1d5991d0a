//! The record made anew, or completed, from the mailboxes: what came in is decided about again in the order of its receipt, by the
//! same code as when it came; and where the mailboxes say what became of it, they are right. Nothing is sent and nothing moved.
//!
//! Design section 5. What the mailboxes say: an acknowledgement in Sent names the case and the day that the sender was told;
//! the folder in which a message lies names its team and urgency; staff's replies in Sent say what was answered. What they
//! cannot say (an answer by telephone, a reason) is lost with the record, and `docs/operations.md` lists it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use self::evidence::OurLetter;
use self::gather::{Gathered, Mail, WalkError};
use self::spool::Spool;
use super::in_force::Set;
use super::{Trouble, World, answers, intake};
use crate::calendar::london;
use crate::case::Fact;
use crate::clock::Clock;
use crate::config::Existing;
use crate::mailbox::{RawMessage, Unreached};
use crate::message::{self, Message, MessageRef};
use crate::record::{
    Batch, CasePart, EnteredAs, Entry, EntryOutcome, Mark, NewFact, RecordError, Role, Round,
};

mod decide;
pub mod evidence;
pub mod gather;
mod lost;
mod places;
pub mod spool;

/// Who is named in the audit for what the mailboxes said.
const BY: &str = "send-triage";
const WHY: &str = "rebuilt: so the folder says in which it lies";
/// Why a message has no acknowledgement on record.
const NOT_FOUND: &str =
    "the record was rebuilt, and no acknowledgement of it lies in Sent: look whether it needs one";

/// What came of it.
#[derive(Debug, Default)]
pub struct Rebuilt {
    /// Messages entered.
    pub messages: usize,
    /// Messages that the record had already.
    pub known: usize,
    /// Cases opened.
    pub cases: usize,
    /// Acknowledgements found in Sent.
    pub acknowledged: usize,
    /// Messages that one might expect to be acknowledged, and of which none was found.
    pub not_acknowledged: usize,
    /// Replies by staff.
    pub replies: usize,
    /// Cases of which only our own letter is left.
    pub without_message: usize,
    /// Messages that came after our last letter: the daemon takes them in as new.
    pub left_for_the_daemon: usize,
    /// What could not be read.
    pub unreadable: Vec<Unreached>,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The mailboxes could not be read through.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Deciding about a message.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// Reads the mailboxes through and enters into the world's record what it lacks.
pub async fn rebuild<C: Clock>(
    world: &World<'_, C>,
    since: Option<NaiveDate>,
    spool_in: &Path,
) -> Result<Rebuilt, RebuildError> {
    let set = world.in_force.now();
    let spool = Spool::new(spool_in).map_err(WalkError::from)?;
    let gathered = gather::gather(world, &set, since, spool).await?;
    let folders: Vec<(String, String)> = world
        .config
        .accounts
        .iter()
        .flat_map(|account| {
            let all = account.watch.iter().chain(account.polled());
            all.map(|folder| (account.name.clone(), folder.clone()))
        })
        .collect();
    world.records.begin_rebuild(&folders)?;
    let mut rebuilding = Rebuilding {
        world,
        set: &set,
        gathered: &gathered,
        next_uid: BTreeMap::new(),
        rebuilt: Rebuilt::default(),
    };
    rebuilding.enter_all()?;
    rebuilding.dates_that_were_told()?;
    let mut rebuilt = rebuilding.rebuilt;
    for letter in gathered.evidence.others().chain(gathered.evidence.acknowledgements()) {
        world.records.remember_letter(&letter.letter)?;
    }
    let now = world.now();
    let since: BTreeMap<String, DateTime<Utc>> = world
        .config
        .accounts
        .iter()
        .filter_map(|account| Some((account.name.clone(), gathered.evidence.first_of(&account.name)?)))
        .collect();
    world.records.finish_rebuild(&folders, &since, now)?;
    // What of this was told to staff nobody knows; it is not all told again. The next morning's letter speaks of what waits.
    if let Some(yesterday) = london::date(now).pred_opt() {
        let mark = Mark { day: yesterday, up_to: world.records.newest_message()? };
        for round in [Round::Reminders, Round::Gathered] {
            world.records.make_round(round, mark, &[], now)?;
        }
    }
    rebuilt.unreadable = gathered.unreadable;
    Ok(rebuilt)
}

struct Rebuilding<'a, C> {
    world: &'a World<'a, C>,
    set: &'a Set,
    gathered: &'a Gathered,
    /// The next UID of each folder's ledger; no server gave it.
    next_uid: BTreeMap<(String, String), u32>,
    rebuilt: Rebuilt,
}

/// What is to be entered, in the order in which it happened.
enum Item<'a> {
    Mail(&'a Mail),
    /// A case of which only our own letter is left: its message is in none of our folders any more.
    Lost(&'a OurLetter),
}

impl<C: Clock> Rebuilding<'_, C> {
    fn enter_all(&mut self) -> Result<(), RebuildError> {
        let gathered = self.gathered;
        let mut found = BTreeSet::new();
        for mail in &gathered.mail {
            let (_, message) = self.read(mail)?;
            found.extend(gathered.evidence.of(&message).map(|letter| letter.letter.message_id.clone()));
        }
        let lost = gathered
            .evidence
            .acknowledgements()
            .filter(|letter| !found.contains(&letter.letter.message_id) && letter.is_about_the_opening());
        let mut items: Vec<(DateTime<Utc>, Item<'_>)> =
            gathered.mail.iter().map(|mail| (mail.received_at, Item::Mail(mail))).collect();
        items.extend(lost.map(|letter| (letter.letter.sent_at, Item::Lost(letter))));
        items.sort_by_key(|(at, _)| *at);
        for (_, item) in items {
            match item {
                Item::Mail(mail) => self.enter_mail(mail)?,
                Item::Lost(letter) => self.enter_lost(letter)?,
            }
        }
        Ok(())
    }

    fn read(&self, mail: &Mail) -> Result<(Vec<u8>, Message), WalkError> {
        let bytes = self.gathered.spool.again(mail.kept)?;
        let message = message::parse(&bytes, mail.size_bytes);
        Ok((bytes, message))
    }

    fn enter_mail(&mut self, mail: &Mail) -> Result<(), RebuildError> {
        let (bytes, message) = self.read(mail)?;
        let letter = self.gathered.evidence.of(&message).cloned();
        if let Some(known) = self.world.records.known(&mail.fingerprint)? {
            self.rebuilt.known += 1;
            if let Some(letter) = &letter {
                let news = self.world.records.remember_acknowledgement(known.message, &letter.letter)?;
                self.rebuilt.acknowledged += usize::from(news);
            }
            return self.where_it_lies_now(known.message, mail);
        }
        let at = self.place_for(mail);
        let lies_where_it_came_in =
            mail.sent_in.is_none() && mail.places.iter().all(|place| self.is_watched(place));
        if letter.is_none() && lies_where_it_came_in && self.is_left_for_the_daemon(mail, &at) {
            self.give_back(&at);
            return Ok(());
        }
        let raw = RawMessage { at, received_at: mail.received_at, size_bytes: mail.size_bytes, bytes };
        let (outcome, decision) = self.outcome(&raw, &message, letter.as_ref(), lies_where_it_came_in)?;
        if matches!(outcome, EntryOutcome::OwnLetter | EntryOutcome::LeftAlone { .. }) {
            self.give_back(&raw.at);
            return Ok(());
        }
        let entry =
            Entry { references: answers::references(&message), ..intake::build(&raw, &message, outcome) };
        let Some((number, role)) = self.enter(entry)? else { return Ok(()) };
        if let Some(letter) = &letter {
            self.world.records.remember_acknowledgement(number, &letter.letter)?;
            self.rebuilt.acknowledged += 1;
        }
        if mail.sent_in.is_none()
            && let Some(place) = self.filed_in(mail, decision.as_ref())
        {
            self.world.records.lies_in(number, &place, mail.received_at)?;
            if role.is_none_or(|role| role == Role::Opened) && decision.is_some() {
                self.follow_the_folder(number, &place, mail.received_at)?;
            }
        }
        Ok(())
    }

    /// Came in after the last sign of life, or is such as was never looked into: not the rebuilding's to decide about.
    fn is_left_for_the_daemon(&mut self, mail: &Mail, at: &MessageRef) -> bool {
        let evidence = &self.gathered.evidence;
        if evidence.last_of(&at.account).is_some_and(|last| mail.received_at > last) {
            self.rebuilt.left_for_the_daemon += 1;
            return true;
        }
        let existing =
            self.world.config.account(&at.account).map(|account| account.existing).unwrap_or_default();
        let before = evidence.first_of(&at.account).is_none_or(|first| mail.received_at < first);
        existing == Existing::Ignore && before
    }

    /// Enters it as of the time of its receipt; its number, and as what it belongs to a case.
    fn enter(&mut self, entry: Entry) -> Result<Option<(i64, Option<Role>)>, RebuildError> {
        let by_staff = matches!(&entry.outcome, EntryOutcome::Decided { case: CasePart::ByStaff(_), .. });
        let not_found = matches!(&entry.outcome, EntryOutcome::Decided { decision, .. } if decision.withheld.as_deref() == Some(NOT_FOUND));
        let batch = Batch {
            account: entry.at.account.clone(),
            folder: entry.at.folder.clone(),
            uid_validity: 0,
            up_to: entry.at.uid,
            at: entry.received_at,
            entries: vec![entry],
        };
        let entered = self.world.records.enter(&batch)?;
        let Some(entered) = entered.into_iter().next() else { return Ok(None) };
        self.rebuilt.messages += 1;
        match entered.what {
            EnteredAs::New { message, role, .. } => {
                self.rebuilt.cases += usize::from(role == Some(Role::Opened));
                self.rebuilt.replies += usize::from(by_staff && role.is_some());
                self.rebuilt.not_acknowledged += usize::from(not_found);
                Ok(Some((message, role)))
            }
            EnteredAs::SetAside { message } => Ok(Some((message, None))),
            EnteredAs::Copy { .. } | EnteredAs::OwnLetter | EnteredAs::LeftAlone | EnteredAs::Already => {
                Ok(None)
            }
        }
    }
}

fn fact_of(case: i64, key: &str, at: DateTime<Utc>, fact: Fact) -> NewFact {
    let key = Some(format!("rebuilt/{key}/{}", at.timestamp()));
    NewFact { case, key, at, by: BY.to_owned(), message: None, fact, why: String::new() }
}
