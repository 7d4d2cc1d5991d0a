//! Where messages lie, and what that says: the folder in which one came in, the one into which it was filed, and what a team's
//! folder says of a case. Which message is which, and whose, is decided elsewhere.

use chrono::{DateTime, Utc};

use super::gather::Mail;
use super::{BY, RebuildError, Rebuilding, WHY, fact_of};
use crate::case::Fact;
use crate::clock::Clock;
use crate::daemon::{intake, moves};
use crate::effect::Destination;
use crate::message::MessageRef;
use crate::record::{NewCorrection, NewFact};
use crate::triage::Decision;

impl<C: Clock> Rebuilding<'_, C> {
    /// The place in the ledger that a message gets: that of the folder where it came in, as far as can be told.
    pub(super) fn place_for(&mut self, mail: &Mail) -> MessageRef {
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

    pub(super) fn anywhere(&self) -> Destination {
        let first = self.world.config.accounts.first();
        Destination {
            account: first.map(|account| account.name.clone()).unwrap_or_default(),
            folder: first.and_then(|account| account.watch.first().cloned()).unwrap_or_default(),
        }
    }

    pub(super) fn next_in(&mut self, account: String, folder: String) -> MessageRef {
        let uid = self.next_uid.entry((account.clone(), folder.clone())).or_insert(0);
        *uid += 1;
        MessageRef { account, folder, uid_validity: 0, uid: *uid }
    }

    pub(super) fn is_watched(&self, place: &Destination) -> bool {
        let account = self.world.config.account(&place.account);
        account
            .is_some_and(|account| account.watch.contains(&place.folder) && !account.is_sent(&place.folder))
    }

    /// The folder into which it was filed; where several copies are, the one that says what was decided.
    pub(super) fn filed_in(&self, mail: &Mail, decision: Option<&Decision>) -> Option<Destination> {
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

    /// A message that the record knows may have been filed, or moved by staff, since that was written.
    pub(super) fn where_it_lies_now(&self, message: i64, mail: &Mail) -> Result<(), RebuildError> {
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

    pub(super) fn give_back(&mut self, at: &MessageRef) {
        if let Some(uid) = self.next_uid.get_mut(&(at.account.clone(), at.folder.clone())) {
            *uid = uid.saturating_sub(1);
        }
    }

    /// The folder in which a message lies is what staff see, and may have chosen: its case is that team's, and as urgent as that.
    pub(super) fn follow_the_folder(
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
}
