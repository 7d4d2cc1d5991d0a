//! The record made anew, or completed, from the mailboxes: what came in is decided about again in the order of its receipt, by the
//! same code as when it came; and where the mailboxes say what became of it, they are right. Nothing is sent and nothing moved.
//!
//! Design section 5. What the mailboxes say: an acknowledgement in Sent names the case and the day that the sender was told;
//! the folder in which a message lies names its team and urgency; staff's replies in Sent say what was answered. What they
//! cannot say (an answer by telephone, a reason) is lost with the record, and `docs/operations.md` lists it.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use self::evidence::OurLetter;
use self::gather::{Gathered, Mail, WalkError};
use self::spool::Spool;
use super::in_force::Set;
use super::joining::Belonging;
use super::{Trouble, World, answers, intake, joining, moves};
use crate::calendar::WorkingCalendar;
use crate::case::{Fact, Matter, Reference, Step};
use crate::clock::Clock;
use crate::config::{Existing, FilingMode};
use crate::effect::{Destination, Effect};
use crate::mailbox::{RawMessage, Unreached};
use crate::message::{self, Defect, Message, MessageRef};
use crate::record::{
    Batch, CasePart, EnteredAs, Entry, EntryOutcome, NewCorrection, NewFact, Opening, RecordError, Role,
    Round, StoredDecision, StoredDue,
};
use crate::triage::{self, Chaser, Decision, Finding, History, Outcome};

pub mod evidence;
pub mod gather;
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
    if let Some(yesterday) = crate::calendar::london::date(now).pred_opt() {
        let mark = crate::record::Mark { day: yesterday, up_to: world.records.newest_message()? };
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
        let mut found = std::collections::BTreeSet::new();
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

    /// The place in the ledger that a message gets: that of the folder where it came in, as far as can be told.
    fn place_for(&mut self, mail: &Mail) -> MessageRef {
        let config = self.world.config;
        let came_in = mail.sent_in.clone().or_else(|| {
            let passed_on = &self.set.config.filing.passed_on;
            let watched = mail.places.iter().find(|place| self.is_watched(place)).cloned();
            // What was passed to another account came in where its original lies.
            let origin =
                || mail.places.iter().find(|place| place.folder == *passed_on).or(mail.places.first());
            watched.or_else(|| {
                let account = config.account(&origin()?.account)?;
                let folder = account.watch.iter().find(|folder| !account.is_sent(folder))?;
                Some(Destination { account: account.name.clone(), folder: folder.clone() })
            })
        });
        let Destination { account, folder } = came_in.unwrap_or_else(|| self.anywhere());
        self.next_in(account, folder)
    }

    fn anywhere(&self) -> Destination {
        let first = self.world.config.accounts.first();
        Destination {
            account: first.map(|account| account.name.clone()).unwrap_or_default(),
            folder: first.and_then(|account| account.watch.first().cloned()).unwrap_or_default(),
        }
    }

    fn next_in(&mut self, account: String, folder: String) -> MessageRef {
        let uid = self.next_uid.entry((account.clone(), folder.clone())).or_insert(0);
        *uid += 1;
        MessageRef { account, folder, uid_validity: 0, uid: *uid }
    }

    fn is_watched(&self, place: &Destination) -> bool {
        let account = self.world.config.account(&place.account);
        account
            .is_some_and(|account| account.watch.contains(&place.folder) && !account.is_sent(&place.folder))
    }

    /// The folder into which it was filed; where several copies are, the one that says what was decided.
    fn filed_in(&self, mail: &Mail, decision: Option<&Decision>) -> Option<Destination> {
        let filing = |place: &&Destination| {
            !self.is_watched(place) && place.folder != self.set.config.filing.passed_on
        };
        let decided = decision.and_then(|decision| {
            let account = mail.places.first().map(|place| place.account.as_str())?;
            self.set.routing.destination(account, decision)
        });
        let as_decided = mail.places.iter().find(|place| Some(*place) == decided.as_ref());
        as_decided.or_else(|| mail.places.iter().find(filing)).cloned()
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

    /// A message that the record knows may have been filed, or moved by staff, since that was written.
    fn where_it_lies_now(&self, message: i64, mail: &Mail) -> Result<(), RebuildError> {
        let records = self.world.records;
        let Some(place) = self.filed_in(mail, None).filter(|_| mail.sent_in.is_none()) else { return Ok(()) };
        let known = |places: &[Destination]| places.iter().any(|known| mail.places.contains(known));
        let before = records.recall_message(message)?;
        if before.is_none_or(|recalled| known(&recalled.places)) {
            return Ok(());
        }
        records.lies_in(message, &place, self.world.now())?;
        // Filed where it was to be filed, or moved from there.
        let after = records.recall_message(message)?;
        if after.is_some_and(|recalled| !known(&recalled.places))
            && records.case_opened_by(message)?.is_some()
        {
            self.follow_the_folder(message, &place, mail.received_at)?;
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

    fn give_back(&mut self, at: &MessageRef) {
        if let Some(uid) = self.next_uid.get_mut(&(at.account.clone(), at.folder.clone())) {
            *uid = uid.saturating_sub(1);
        }
    }

    /// What becomes of it; for mail to the team with the decision.
    fn outcome(
        &self,
        raw: &RawMessage,
        message: &Message,
        letter: Option<&OurLetter>,
        lies_where_it_came_in: bool,
    ) -> Result<(EntryOutcome, Option<Decision>), RebuildError> {
        let (world, set) = (self.world, self.set);
        if letter.is_none()
            && let Some(outcome) = answers::by_staff(raw, message, set, world)?
        {
            return Ok((outcome, None));
        }
        let aside = |reason: &str| intake::set_aside(raw, reason, set, FilingMode::None);
        if message.defects.contains(&Defect::NotAMessage) || message.defects.contains(&Defect::ParserFailed) {
            return Ok((aside("It could not be read as an email."), None));
        }
        let history = History::none(&raw.at.account, raw.received_at);
        let decide = || triage::triage(message, raw.received_at, &history, &set.policy);
        let mut decision = match intake::contained(decide, "Deciding about it") {
            Ok(decision) => decision,
            Err(reason) => return Ok((aside(&reason), None)),
        };
        let belonging = joining::belonging(raw, message, &mut decision, set, world)?;
        let case = self.case_part(raw, message, &decision, belonging, letter)?;
        let withheld = match letter {
            Some(_) => None,
            None if decision.acknowledgement.is_sent() => Some(NOT_FOUND.to_owned()),
            None => Some(decision.acknowledgement.reason().to_owned()),
        };
        let filing = world.config.account(&raw.at.account).map(|account| account.filing).unwrap_or_default();
        let mut effects: Vec<Effect> = Vec::new();
        if lies_where_it_came_in && filing == FilingMode::Move && letter.is_some() {
            // The old record's daemon had not come to it.
            effects.extend(set.routing.file(&raw.at.account, &decision));
        }
        let stored = Box::new(StoredDecision::of(&decision, withheld));
        Ok((EntryOutcome::Decided { decision: stored, case, effects }, Some(decision)))
    }

    /// Which case it opens or belongs to: as the acknowledgement told its sender, else as would be decided.
    fn case_part(
        &self,
        raw: &RawMessage,
        message: &Message,
        decision: &Decision,
        belonging: Belonging,
        letter: Option<&OurLetter>,
    ) -> Result<CasePart, RebuildError> {
        let (world, set) = (self.world, self.set);
        let told = letter.and_then(|letter| Some((letter, letter.reference.clone()?)));
        let joined = match &told {
            Some((letter, reference)) if !letter.is_about_the_opening() => {
                world.records.case_of(reference.as_str())?
            }
            _ => None,
        };
        if let Some(case) = joined {
            return Ok(match belonging {
                Belonging::Joins(joined) if matches!(joined.part, CasePart::Joins { case: same, .. } if same == case) => {
                    joined.part
                }
                _ if decision.chaser != Chaser::None => {
                    let after = |days| set.policy.calendar.due(raw.received_at, days).due_on;
                    let fact = Fact::Chased {
                        escalated_due_on: after(Step::TeamLead.working_days()),
                        reopened_due_on: after(set.policy.team.answer_within_working_days),
                    };
                    CasePart::Joins { case, role: Role::Chaser, facts: vec![fact] }
                }
                _ => CasePart::Joins { case, role: Role::Addition, facts: vec![Fact::Added] },
            });
        }
        let opens = match (belonging, &told) {
            (Belonging::Opens(opens), _) => opens,
            (Belonging::Joins(joined), None) => return Ok(joined.part),
            (Belonging::Nothing, None) => return Ok(CasePart::None),
            // Its sender was told of a case of its own.
            (Belonging::Joins(_) | Belonging::Nothing, Some(_)) => joining::Opens::default(),
        };
        let reference = match told {
            Some((_, reference)) if world.records.case_of(reference.as_str())?.is_none() => reference,
            _ => intake::free_reference(&message.fingerprint, world)?,
        };
        let counted = match &decision.due {
            Some(due) => due.clone(),
            None => set.policy.calendar.due(raw.received_at, set.policy.team.answer_within_working_days),
        };
        let mut due = StoredDue::of(&counted, intake::first_response_on(decision, raw.received_at, set));
        due.due_on = letter.and_then(|letter| letter.due_on).unwrap_or(due.due_on);
        Ok(CasePart::Opens(Box::new(Opening {
            reference,
            matter: if decision.is_call_back() { Matter::CallBack } else { Matter::Question },
            due,
            step: opens.step,
            step_due_on: opens.step_due_on,
            links: opens.links,
        })))
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

    /// The folder in which a message lies is what staff see, and may have chosen: its case is that team's, and as urgent as that.
    fn follow_the_folder(
        &self,
        message: i64,
        place: &Destination,
        received_at: DateTime<Utc>,
    ) -> Result<(), RebuildError> {
        let (world, set) = (self.world, self.set);
        let Some(recalled) = world.records.recall_message(message)? else { return Ok(()) };
        let labels = recalled.labels();
        let Some(change) = set.routing.meaning(place, &labels.kind, &labels.queue) else { return Ok(()) };
        if change.clone().of(&labels).is_empty() {
            return Ok(());
        }
        let new = NewCorrection {
            message,
            change,
            by: BY.to_owned(),
            why: WHY.to_owned(),
            moved_to: Some(place.clone()),
            first_response_on: Some(intake::first_response_by(received_at, &set.policy.calendar)),
        };
        world.records.correct(&new, received_at)?;
        let Some(recalled) = world.records.recall_message(message)? else { return Ok(()) };
        let labels = recalled.labels();
        if labels.kind == "person" && labels.queue != "none" {
            moves::open_late(&recalled, &labels, set, world)?;
        }
        let Some(case) = world.records.case_opened_by(message)? else { return Ok(()) };
        if labels.kind != "person" && case.state.is_waiting() {
            let fact = fact_of(case.case, "folder", received_at, Fact::Closed);
            world.records.tell(&[NewFact { why: WHY.to_owned(), ..fact }], received_at)?;
        }
        Ok(())
    }

    /// A case of which only the acknowledgement is left: its reference and its day are known, its words are not.
    fn enter_lost(&mut self, letter: &OurLetter) -> Result<(), RebuildError> {
        let Some(reference) = letter.reference.clone() else { return Ok(()) };
        if self.world.records.case_of(reference.as_str())?.is_some() {
            return Ok(());
        }
        let sent_at = letter.letter.sent_at;
        let at = {
            let account = self.world.config.account(&letter.letter.account);
            let folder = account.and_then(|of| of.watch.iter().find(|folder| !of.is_sent(folder)).cloned());
            let home = self.anywhere();
            match folder {
                Some(folder) => self.next_in(letter.letter.account.clone(), folder),
                None => self.next_in(home.account, home.folder),
            }
        };
        let entry = lost_entry(letter, reference, at, &self.set.policy.calendar, self.answer_within());
        let Some((message, _)) = self.enter(Entry { received_at: sent_at, ..entry })? else { return Ok(()) };
        self.world.records.remember_acknowledgement(message, &letter.letter)?;
        self.rebuilt.without_message += 1;
        self.rebuilt.acknowledged += 1;
        Ok(())
    }

    fn answer_within(&self) -> u32 {
        self.set.policy.team.answer_within_working_days
    }

    /// A later acknowledgement in a case names the day that held then: later than what is known, staff have put it off.
    fn dates_that_were_told(&self) -> Result<(), RebuildError> {
        let records = self.world.records;
        for letter in self.gathered.evidence.acknowledgements() {
            let (Some(reference), Some(due_on)) = (&letter.reference, letter.due_on) else { continue };
            let Some(case) = records.case_of(reference.as_str())? else { continue };
            let Some(standing) = records.standing_of(case)? else { continue };
            if !letter.is_about_the_opening() && standing.due_on.is_some_and(|due| due_on > due) {
                let sent_at = letter.letter.sent_at;
                let fact = fact_of(case, "told", sent_at, Fact::HeldOver { until: due_on });
                let why = "rebuilt: so the sender was told".to_owned();
                records.tell(&[NewFact { why, ..fact }], sent_at)?;
            }
        }
        Ok(())
    }
}

fn fact_of(case: i64, key: &str, at: DateTime<Utc>, fact: Fact) -> NewFact {
    let key = Some(format!("rebuilt/{key}/{}", at.timestamp()));
    NewFact { case, key, at, by: BY.to_owned(), message: None, fact, why: String::new() }
}

fn lost_entry(
    letter: &OurLetter,
    reference: Reference,
    at: MessageRef,
    calendar: &WorkingCalendar,
    answer_within: u32,
) -> Entry {
    let sent_at = letter.letter.sent_at;
    let mut due = StoredDue::of(&calendar.due(sent_at, answer_within), None);
    due.due_on = letter.due_on.unwrap_or(due.due_on);
    let why =
        "the email lies in none of our folders any more; its acknowledgement names the case and the day";
    let trace = [Finding::plain("rebuilt", "communication-policy, email a", Outcome::Noted, why)];
    let decision = StoredDecision {
        kind: "person".to_owned(),
        urgency: "standard".to_owned(),
        queue: "general".to_owned(),
        area: "unknown".to_owned(),
        chaser: "none".to_owned(),
        grounds: vec!["other".to_owned()],
        unsure: true,
        rules_version: "none".to_owned(),
        trace: serde_json::to_value(trace).unwrap_or_default(),
        ..StoredDecision::default()
    };
    let opening = Opening {
        reference,
        matter: Matter::Question,
        due,
        step: Step::Coordinator,
        step_due_on: None,
        links: Vec::new(),
    };
    let sender = Some(letter.letter.recipient.to_lowercase()).filter(|sender| sender.contains('@'));
    Entry {
        at,
        received_at: sent_at,
        size_bytes: 0,
        fingerprint: None,
        message_id: letter.answers.clone(),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        sender_domain: sender.as_deref().and_then(|sender| Some(sender.rsplit_once('@')?.1.to_owned())),
        participants: sender
            .iter()
            .map(|address| crate::record::Participant {
                role: crate::record::ParticipantRole::From,
                address: address.clone(),
            })
            .collect(),
        sender,
        subject: String::new(),
        words: None,
        outcome: EntryOutcome::Decided {
            decision: Box::new(decision),
            case: CasePart::Opens(Box::new(opening)),
            effects: Vec::new(),
        },
    }
}
