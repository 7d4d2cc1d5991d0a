//! What follows from everything that happened to a case: its state, its dates, the step of the escalation it is at. It
//! knows no database and no mail: facts go in, in whatever order they were learnt, and the standing comes out.
//!
//! communication-policy, email d (10 working days, or a date that staff name), escalations (steps 1 to 4); design
//! section 4. A deadline moves only by a fact that says so, and telling a fact twice tells it once.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::london;

/// Which kind of matter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matter {
    /// An email that is owed an answer (policy, email d).
    #[default]
    Question,
    /// A call-back that the Customer Service Centre took a message for (policy, telephone: 5 working days).
    CallBack,
}

/// How a case stands. `docs/cases.md` draws which follows which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// An answer is owed.
    Open,
    /// Staff have said that they need longer, and until when.
    Extended,
    /// Staff have answered.
    Answered,
    /// Nothing is owed: staff said so.
    Closed,
}

impl State {
    /// Whether the sender still waits for something.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Open | Self::Extended)
    }

    /// The word for it in JSON, in lists and in the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Extended => "extended",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    /// The state of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Extended, Self::Answered, Self::Closed]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A step of the escalation (contact-process, "What if I don't hear back?").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// 1: the case owner, within 10 working days.
    #[default]
    Coordinator,
    /// 2: the team lead, within 4 working days.
    TeamLead,
    /// 3: a more senior manager, within 2 working days.
    SeniorManager,
    /// 4: the SEND Resolution Team, a first response within 48 hours.
    ResolutionTeam,
}

impl Step {
    /// 1 to 4.
    pub fn number(self) -> u8 {
        match self {
            Self::Coordinator => 1,
            Self::TeamLead => 2,
            Self::SeniorManager => 3,
            Self::ResolutionTeam => 4,
        }
    }

    /// The step of this number.
    pub fn of_number(number: i64) -> Option<Self> {
        let steps = [Self::Coordinator, Self::TeamLead, Self::SeniorManager, Self::ResolutionTeam];
        steps.into_iter().find(|step| i64::from(step.number()) == number)
    }

    /// The step after this one; the last has none.
    pub fn next(self) -> Option<Self> {
        Self::of_number(i64::from(self.number()) + 1)
    }

    /// In how many working days there is to be a response at this step; the policy's "3 or 4" counts as 4.
    pub fn working_days(self) -> u32 {
        match self {
            Self::Coordinator => 10,
            Self::TeamLead => 4,
            Self::SeniorManager | Self::ResolutionTeam => 2,
        }
    }

    /// Who answers at this step, in the policy's words.
    pub fn who(self) -> &'static str {
        match self {
            Self::Coordinator => "the EHC Coordinator",
            Self::TeamLead => "the team lead",
            Self::SeniorManager => "a more senior manager",
            Self::ResolutionTeam => "the SEND Resolution Team",
        }
    }
}

/// Something that happened to a case. Each kind carries the dates that follow from it, counted when it was learnt, so that
/// the standing needs neither calendar nor clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Fact {
    /// The message that opened it came in.
    Opened {
        /// What kind of matter.
        #[serde(default)]
        matter: Matter,
        /// The last day for the answer.
        due_on: NaiveDate,
        /// Target for a first response; `None`: there is none.
        first_response_on: Option<NaiveDate>,
        /// The step at which it came in, from what the sender says and what the record knows.
        #[serde(default)]
        step: Step,
        /// The target of that step; `None` at step 1, where it is `due_on`.
        step_due_on: Option<NaiveDate>,
    },
    /// The sender's side asked again. Within the time it changes no date (policy, email d); after it, step 2 begins.
    Chased {
        /// Step 2's target, should the time be over: 4 working days from this message.
        escalated_due_on: NaiveDate,
        /// Should staff have answered before, the matter is open again and this is the last day for the answer.
        reopened_due_on: NaiveDate,
    },
    /// The sender's side wrote something more that asks nothing new.
    Added,
    /// The sender's side said thank you.
    Thanked,
    /// Staff answered.
    Answered,
    /// Staff said that they need longer (policy, email d).
    HeldOver {
        /// Until when; the last day for the answer.
        until: NaiveDate,
    },
    /// Staff passed it on inside the council (policy, email e). It goes on.
    PassedOn {
        /// To whom.
        to: Vec<String>,
    },
    /// It was raised to a further step.
    Escalated {
        /// Which.
        step: Step,
        /// That step's target.
        due_on: NaiveDate,
    },
    /// Staff said that it is open again.
    Reopened {
        /// The last day for the answer now.
        due_on: NaiveDate,
    },
    /// Staff said that nothing is owed.
    Closed,
    /// Staff moved it to another team, area or urgency; the labels themselves are kept as corrections.
    Relabelled {
        /// Target for a first response, where the matter has one now.
        first_response_on: Option<NaiveDate>,
    },
    /// Its message was found neither where it was filed nor in any other of our folders.
    Missing,
    /// It was found again.
    Found,
}

/// A fact with when it happened and what makes it the same when it is told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When it happened: a message's receipt, a command's time. Not when we learnt of it.
    pub at: DateTime<Utc>,
    /// The same key is the same happening: `message/17`, `command/4`.
    pub key: String,
    /// What.
    pub fact: Fact,
}

/// How a case stands after everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// What kind of matter.
    pub matter: Matter,
    /// Its state.
    pub state: State,
    /// The last day for the answer; `None`: none is owed.
    pub due_on: Option<NaiveDate>,
    /// What `due_on` was before staff named a later date; `None`: they did not.
    pub extended_from: Option<NaiveDate>,
    /// Target for a first response.
    pub first_response_on: Option<NaiveDate>,
    /// When staff first responded: an answer, or word that they need longer.
    pub first_response_at: Option<DateTime<Utc>>,
    /// When staff first answered, since it was last opened.
    pub answered_at: Option<DateTime<Utc>>,
    /// When they last did.
    pub last_answered_at: Option<DateTime<Utc>>,
    /// Whether the first answer (since it was last opened) came by the day it was due; `None`: there is none yet.
    pub in_time: Option<bool>,
    /// The step of the escalation.
    pub step: Step,
    /// That step's target; `None` at step 1.
    pub step_due_on: Option<NaiveDate>,
    /// How often the sender's side asked again.
    pub chasers: u32,
    /// Since when its message is found nowhere; `None`: it lies where it should, as far as is known.
    pub missing_since: Option<DateTime<Utc>>,
}

/// The sender asked again at least this often: a repeated chaser.
pub const REPEATED_CHASERS: u32 = 2;

impl Standing {
    /// Whether the sender has asked again more than once.
    pub fn is_chased_repeatedly(&self) -> bool {
        self.chasers >= REPEATED_CHASERS
    }

    /// Whether an answer is owed and its day is over.
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.state.is_waiting() && self.due_on.is_some_and(|due| today > due)
    }

    /// How it stands after these happenings. `None`: none of them opened it.
    pub fn of(happenings: &[Happening]) -> Option<Self> {
        Self::told(happenings, |_, _, _| ())
    }

    /// The same, telling on the way how it stood before each happening and after it.
    pub(super) fn told(
        happenings: &[Happening],
        mut tell: impl FnMut(&Self, &Happening, &Self),
    ) -> Option<Self> {
        let mut in_order: Vec<&Happening> = happenings.iter().collect();
        // At one and the same second a question comes before what answers it; the key settles the rest.
        in_order.sort_by(|a, b| (a.at, rank(&a.fact), &a.key).cmp(&(b.at, rank(&b.fact), &b.key)));
        in_order.dedup_by(|a, b| a.key == b.key);
        let opened = in_order.iter().find_map(|happening| match &happening.fact {
            Fact::Opened { matter, due_on, first_response_on, step, step_due_on } => Some(Self {
                matter: *matter,
                state: State::Open,
                due_on: Some(*due_on),
                extended_from: None,
                first_response_on: *first_response_on,
                first_response_at: None,
                answered_at: None,
                last_answered_at: None,
                in_time: None,
                step: *step,
                step_due_on: *step_due_on,
                chasers: 0,
                missing_since: None,
            }),
            _ => None,
        });
        let mut standing = opened?;
        for happening in in_order {
            let before = standing.clone();
            standing.after(happening.at, &happening.fact);
            tell(&before, happening, &standing);
        }
        Some(standing)
    }

    fn after(&mut self, at: DateTime<Utc>, fact: &Fact) {
        match fact {
            Fact::Opened { .. } | Fact::Added | Fact::Thanked | Fact::PassedOn { .. } => {}
            Fact::Chased { escalated_due_on, reopened_due_on } => {
                self.chasers += 1;
                match self.state {
                    State::Open | State::Extended => {
                        if self.is_overdue(london::date(at)) {
                            self.raise(Step::TeamLead, *escalated_due_on);
                        }
                    }
                    State::Answered => self.reopen(*reopened_due_on),
                    State::Closed => {}
                }
            }
            Fact::Answered => self.answer(at),
            Fact::HeldOver { until } => {
                if self.state.is_waiting() {
                    self.first_response_at = self.first_response_at.or(Some(at));
                    // A date before the one that holds already shortens nothing that the policy promises.
                    if self.due_on.is_none_or(|due| *until > due) {
                        self.extended_from = self.extended_from.or(self.due_on);
                        self.due_on = Some(*until);
                        self.state = State::Extended;
                    }
                }
            }
            Fact::Escalated { step, due_on } => self.raise(*step, *due_on),
            Fact::Reopened { due_on } => self.reopen(*due_on),
            Fact::Closed => {
                if self.state.is_waiting() {
                    self.due_on = None;
                }
                self.state = State::Closed;
            }
            Fact::Relabelled { first_response_on } => self.first_response_on = *first_response_on,
            Fact::Missing => self.missing_since = self.missing_since.or(Some(at)),
            Fact::Found => self.missing_since = None,
        }
    }

    fn answer(&mut self, at: DateTime<Utc>) {
        self.last_answered_at = Some(at);
        self.first_response_at = self.first_response_at.or(Some(at));
        if self.state.is_waiting() {
            self.answered_at = Some(at);
            self.in_time = self.due_on.map(|due| london::date(at) <= due);
            self.state = State::Answered;
        }
    }

    fn reopen(&mut self, due_on: NaiveDate) {
        (self.state, self.due_on, self.extended_from) = (State::Open, Some(due_on), None);
        (self.answered_at, self.in_time) = (None, None);
    }

    /// Never back down: a target that runs already is not put off by asking again.
    fn raise(&mut self, step: Step, due_on: NaiveDate) {
        if step > self.step {
            (self.step, self.step_due_on) = (step, Some(due_on));
        }
    }
}

/// What comes first where two things happened in the same second.
fn rank(fact: &Fact) -> u8 {
    match fact {
        Fact::Opened { .. } => 0,
        Fact::Chased { .. } | Fact::Added | Fact::Thanked => 1,
        Fact::PassedOn { .. } | Fact::HeldOver { .. } => 2,
        Fact::Answered => 3,
        _ => 4,
    }
}

/// What a person asks to be done to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It was answered, by telephone or otherwise.
    Answer,
    /// It takes until this day.
    Extend {
        /// The last day for the answer.
        until: NaiveDate,
    },
    /// It is open again.
    Reopen,
    /// Nothing is owed.
    Close,
}

/// Why something cannot be done to a case as it stands, in words for the one who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// It is answered already.
    #[error("It was answered on {0} already; `cases reopen` opens it again.")]
    AnsweredAlready(NaiveDate),
    /// It is closed.
    #[error("It is closed: nothing is owed. `cases reopen` opens it again.")]
    IsClosed,
    /// It is open.
    #[error("It is {0} already: an answer is owed by {1}.")]
    IsWaiting(State, NaiveDate),
    /// The date does not put it off.
    #[error("The answer is due on {due}; {until} is not later. Name a later day (policy, email d).")]
    NotLater {
        /// The day it is due.
        due: NaiveDate,
        /// The day that was named.
        until: NaiveDate,
    },
}

impl Standing {
    /// Whether this can be done to it as it stands.
    pub fn allows(&self, act: Act) -> Result<(), NotNow> {
        let waiting = self.due_on.filter(|_| self.state.is_waiting());
        match (act, self.state) {
            (Act::Answer | Act::Extend { .. } | Act::Close, State::Answered) => {
                let on = self.answered_at.map(london::date).unwrap_or_default();
                Err(NotNow::AnsweredAlready(on))
            }
            (Act::Answer | Act::Extend { .. } | Act::Close, State::Closed) => Err(NotNow::IsClosed),
            (Act::Extend { until }, _) => match waiting.filter(|due| until <= *due) {
                Some(due) => Err(NotNow::NotLater { due, until }),
                None => Ok(()),
            },
            (Act::Reopen, state) => match waiting {
                Some(due) => Err(NotNow::IsWaiting(state, due)),
                None => Ok(()),
            },
            (Act::Answer | Act::Close, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
