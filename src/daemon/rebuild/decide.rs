//! What becomes of one message: decided about as when it came in, but where its acknowledgement says which case and which day.

use std::sync::Arc;

use super::evidence::OurLetter;
use super::{NOT_FOUND, RebuildError, Rebuilding};
use crate::case::{Fact, Matter, Step};
use crate::clock::Clock;
use crate::config::FilingMode;
use crate::daemon::joining::Belonging;
use crate::daemon::{answers, intake, joining, reading};
use crate::effect::Effect;
use crate::mailbox::RawMessage;
use crate::message::{Defect, Message};
use crate::record::{CasePart, EntryOutcome, Opening, Role, StoredDecision, StoredDue};
use crate::triage::{Chaser, Decision, History};

impl<C: Clock> Rebuilding<'_, C> {
    /// What becomes of it; for mail to the team with the decision.
    pub(super) fn outcome(
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
        let message_at_hand = Arc::new(message.clone());
        let decided = reading::decided(&raw.at, &message_at_hand, raw.received_at, history, &set.policy);
        let mut decision = match decided {
            Ok((decision, _)) => decision,
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
        // Since its first letter the old record's daemon emptied the inbox; what lies there still, it had not come to. That nobody
        // was told of it does not change where staff look for it. What came before is left where it was left then.
        let in_use = || {
            let first = self.gathered.evidence.first_of(&raw.at.account);
            letter.is_some() || first.is_some_and(|first| raw.received_at >= first)
        };
        if lies_where_it_came_in && filing == FilingMode::Move && in_use() {
            effects.extend(set.routing.file(&raw.at.account, &decision));
        }
        let stored = Box::new(StoredDecision::of(&decision, withheld));
        Ok((EntryOutcome::Decided { decision: stored, case, effects }, Some(decision)))
    }

    /// Which case it opens or belongs to: as the acknowledgement told its sender, else as would be decided.
    pub(super) fn case_part(
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
}
