//! Cases of which only our own letters are left, and days that only they name.
//!
//! communication-policy, email d: the day that the sender was told is the day that holds.

use super::evidence::OurLetter;
use super::{RebuildError, Rebuilding, fact_of};
use crate::calendar::WorkingCalendar;
use crate::case::{Fact, Matter, Reference, Step};
use crate::clock::Clock;
use crate::message::MessageRef;
use crate::record::{
    CasePart, Entry, EntryOutcome, NewFact, Opening, Participant, ParticipantRole, StoredDecision, StoredDue,
};
use crate::triage::{Finding, Outcome};

impl<C: Clock> Rebuilding<'_, C> {
    /// A case of which only the acknowledgement is left: its reference and its day are known, its words are not.
    pub(super) fn enter_lost(&mut self, letter: &OurLetter) -> Result<(), RebuildError> {
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

    pub(super) fn answer_within(&self) -> u32 {
        self.set.policy.team.answer_within_working_days
    }

    /// A later acknowledgement in a case names the day that held then: later than what is known, staff have put it off.
    pub(super) fn dates_that_were_told(&self) -> Result<(), RebuildError> {
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
            .map(|address| Participant { role: ParticipantRole::From, address: address.clone() })
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
