//! The figures themselves: what managers read, as numbers. How each is counted stands beside it, and is what the record does
//! and the tests count again by hand. What is not known is `None`, never 0.
//!
//! communication-policy, email d: an answer within 10 working days. Percentiles are by nearest rank: the median is the
//! smallest number of days within which at least half were answered.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::{Period, Scope};

/// All figures of one digest or report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Whose cases.
    pub scope: Scope,
    /// The days that the figures of a period are about.
    pub period: Period,
    /// When they were counted; how things stand is as of then.
    pub now: DateTime<Utc>,
    /// The London day of that.
    pub today: NaiveDate,
    /// In how many working days an answer is promised.
    pub target_working_days: u32,
    /// The day on which the first mailbox was taken into use: before it nothing is known. `None`: none is in use.
    pub known_since: Option<NaiveDate>,
    /// What needs somebody today.
    pub needs_you: NeedsYou,
    /// How we are doing.
    pub service: Service,
    /// Open cases by their age.
    pub open_by_age: OpenByAge,
    /// What is due next.
    pub forecast: Forecast,
    /// Where the work of the period came from.
    pub sources: Sources,
    /// Who asks again, and how far it has gone.
    pub chasers: Chasers,
    /// What senders were told, and who was not.
    pub acknowledgements: Acknowledgements,
    /// How the rules did.
    pub rules: Rules,
    /// Whether the program itself is well.
    pub health: Health,
}

impl Figures {
    /// Whether there is nothing to do and nothing happened: the short digest. What the program's health says is told all the same.
    pub fn is_quiet(&self) -> bool {
        let whole = &self.service.whole;
        self.needs_you.total() == 0
            && self.acknowledgements.bounced.total == 0
            && self.open_by_age.total() == 0
            && whole.received.unwrap_or(0) == 0
            && whole.answered.unwrap_or(0) == 0
    }
}

/// Cases of one kind: the worst first, as many as were asked for, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them.
    pub rows: Vec<T>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { total: 0, rows: Vec::new() }
    }
}

impl<T> Listed<T> {
    /// How many are not among the rows.
    pub fn unlisted(&self) -> u64 {
        self.total.saturating_sub(u64::try_from(self.rows.len()).unwrap_or(u64::MAX))
    }
}

/// What needs somebody today. Each case stands once, in the first list that it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NeedsYou {
    /// Waiting, and the day for the answer is over. Urgent first, then the longest overdue.
    pub overdue: Listed<NeedsRow>,
    /// Urgent, waiting, and nobody has responded yet. The first due first.
    pub urgent: Listed<NeedsRow>,
    /// Waiting, and due by the Sunday of this week. The first due first.
    pub due_this_week: Listed<NeedsRow>,
}

impl NeedsYou {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.overdue.total + self.urgent.total + self.due_this_week.total
    }
}

/// A case that needs somebody. `Debug` shows no person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct NeedsRow {
    /// `SEND-7K4M-2Q9X`.
    pub reference: String,
    /// `open` or `extended`.
    pub state: String,
    /// `question` or `call-back`.
    pub matter: String,
    /// Whether it is urgent.
    pub urgent: bool,
    /// The grounds decided on at intake.
    pub grounds: Vec<String>,
    /// The team.
    pub queue: String,
    /// `east`, `west`, `unknown`.
    pub area: String,
    /// When it was received.
    pub received_on: NaiveDate,
    /// Working days since then.
    pub age_working_days: u32,
    /// When the answer is due; `None`: no day is known.
    pub due_on: Option<NaiveDate>,
    /// Working days since it was due; 0: it is not overdue.
    pub overdue_working_days: u32,
    /// Target for a first response, where there is one and nobody has responded yet.
    pub first_response_on: Option<NaiveDate>,
    /// How often the sender's side asked again.
    pub chasers: u32,
    /// The step of the escalation, 1 to 4.
    pub step: u8,
    /// The account of the folder in which its message lies, as far as is known.
    pub mailbox: String,
    /// The folder.
    pub folder: String,
    /// Since when its message is found in none of our folders.
    pub missing_since: Option<NaiveDate>,
    /// The sender; only where the reader may see names.
    pub sender: Option<String>,
    /// The subject; likewise.
    pub subject: Option<String>,
}

impl fmt::Debug for NeedsRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NeedsRow({}, {}, due {:?})", self.reference, self.queue, self.due_on)
    }
}

/// How we are doing: the whole period, and each span that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Service {
    /// The period.
    pub whole: ServiceFigures,
    /// The spans, the oldest first; in a digest the twelve weeks before and this one, which is the last.
    pub spans: Vec<Span>,
}

/// Some days, and how we did in them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Span {
    /// The days.
    pub period: Period,
    /// How we did.
    pub figures: ServiceFigures,
}

/// How we did in some days. All of it is `None` for days that were over before the program was taken into use.
///
/// An answer is owed when a case opens, and once more each time it is opened again after an answer; each counts by itself, and stays
/// counted in its week whatever comes later. One that was closed as owing nothing counts as received and no further.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ServiceFigures {
    /// Cases received in these days.
    pub received: Option<u64>,
    /// Cases opened again in these days.
    pub reopened: Option<u64>,
    /// Answers given in these days.
    pub answered: Option<u64>,
    /// Of those, the ones within the promised time (10 working days; call-backs 5), whatever date staff named later.
    pub within_target: Option<u64>,
    /// Of those, the ones by the day that held in the end: the promised one, or the later one that staff named.
    pub by_due_date: Option<u64>,
    /// Answers whose promised time ended in these days and is over, given or not.
    pub fell_due: Option<u64>,
    /// Of those, the ones that were given in that time.
    pub fell_due_kept: Option<u64>,
    /// Working days from question to answer of the answers given in these days: the median. `None`: no answer.
    pub median_working_days: Option<u32>,
    /// The 90th percentile likewise.
    pub p90_working_days: Option<u32>,
}

impl ServiceFigures {
    /// Of the answers given, the share within the promised time, 0 to 1. `None`: no answer was given.
    pub fn share_within_target(&self) -> Option<f64> {
        share(self.within_target, self.answered)
    }

    /// The on-time rate: of the answers whose time ended in these days, the share that was given in it. It cannot be
    /// bettered by leaving old cases lie, and clearing old cases does not worsen it. `None`: none fell due.
    pub fn on_time_rate(&self) -> Option<f64> {
        share(self.fell_due_kept, self.fell_due)
    }
}

/// A part of a whole; `None` where there is no whole.
fn share(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    let whole = whole.filter(|whole| *whole > 0)?;
    Some(part? as f64 / whole as f64)
}

/// Cases that wait for an answer, by working days since they were received (or opened again).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpenByAge {
    /// One for each number of working days from 0 on, without a gap; the last takes in all that are older.
    pub ages: Vec<Age>,
}

impl OpenByAge {
    /// All that wait.
    pub fn total(&self) -> u64 {
        self.ages.iter().map(|age| age.open + age.extended).sum()
    }
}

/// Cases of one age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Age {
    /// So many working days.
    pub working_days: u32,
    /// Or more: the last of the list.
    pub or_more: bool,
    /// Waiting, by the promised day.
    pub open: u64,
    /// Waiting, by a later day that staff named.
    pub extended: u64,
}

/// What is due next, by team.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// The last of the next 5 working days; today is the first, if it is one.
    pub five_end_on: NaiveDate,
    /// The last of the next 10.
    pub ten_end_on: NaiveDate,
    /// Teams that have something due, the one with most first.
    pub queues: Vec<QueueForecast>,
}

/// What one team has to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueForecast {
    /// The team.
    pub queue: String,
    /// Overdue already.
    pub overdue: u64,
    /// Due from today in the next 5 working days.
    pub in_five: u64,
    /// Due from today in the next 10, those of the next 5 included.
    pub in_ten: u64,
}

/// A word and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The word, as the record has it: `general`, `east`, `U4`, `parent`.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// Where the work came from: cases received in the period. Each list begins with the most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// By the team that they are with.
    pub queues: Vec<Count>,
    /// By area.
    pub areas: Vec<Count>,
    /// By ground as decided; a case with two grounds is in both.
    pub grounds: Vec<Count>,
    /// By who seems to have written: a role of `senders.yaml`, such as `parent`, or `unknown`.
    pub roles: Vec<Count>,
    /// How many were urgent, as they stand now.
    pub urgent: u64,
}

/// Who asks again, and how far it has gone.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chasers {
    /// Messages of the period that asked again.
    pub received: u64,
    /// Waiting cases of which somebody has asked again, the most often first.
    pub waiting: Listed<NeedsRow>,
    /// Of those, the ones asked about more than once.
    pub repeated: u64,
    /// Waiting cases at each step of the escalation, 2 to 4, with how many; every step is there.
    pub steps: Vec<StepCount>,
}

/// Cases at one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StepCount {
    /// 2 to 4.
    pub step: u8,
    /// How many wait at it.
    pub waiting: u64,
    /// Of those, the ones whose target at this step is over.
    pub overdue: u64,
}

/// What senders were told, and who was not.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Acknowledgements {
    /// Sent in the period.
    pub sent: u64,
    /// Of those, seconds from receipt to sending: the median. `None`: none was sent.
    pub median_seconds: Option<u64>,
    /// The 95th percentile likewise.
    pub p95_seconds: Option<u64>,
    /// Not sent, and why, of messages decided in the period: the most frequent reason first.
    pub withheld: Vec<Withheld>,
    /// Still waiting to be sent.
    pub waiting: u64,
    /// Cannot be sent without a person: `cases list` says why.
    pub stuck: u64,
    /// Came back in the period, or was refused when it was to be sent: this sender never got it. The latest first.
    pub bounced: Listed<Bounced>,
}

/// A reason why no acknowledgement was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The reason, in words for staff.
    pub reason: String,
    /// How many people's messages.
    pub people: u64,
    /// How many others: machines, lists, colleagues.
    pub others: u64,
}

/// An acknowledgement that never reached its sender. `Debug` shows no person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Bounced {
    /// The case; `None`: the message had none.
    pub reference: Option<String>,
    /// When the report came in, or the server refused it.
    pub bounced_on: NaiveDate,
    /// The mail server refused it when it was to be sent, for good; else it was taken, and a report came back later.
    pub refused: bool,
    /// The status code that the report gives (RFC 3463), such as `5.1.1`; `None`: none that could be read.
    pub status: Option<String>,
    /// Whom it was to; only where the reader may see names.
    pub recipient: Option<String>,
}

impl fmt::Debug for Bounced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bounced({:?}, {}, {:?})", self.reference, self.bounced_on, self.status)
    }
}

/// How the rules did. Corrections and doubts are those of the scope; rules are the same for all.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rules {
    /// Messages decided in the period.
    pub decided: u64,
    /// Of those, the ones marked unsure.
    pub unsure: u64,
    /// What staff corrected in the period.
    pub corrections: Corrections,
    /// Rules in force; `None`: not known here.
    pub in_force: Option<u64>,
    /// Since when it is counted which rules speak; `None`: nothing has been counted yet.
    pub counted_since: Option<NaiveDate>,
    /// How many rules in force said nothing in the period; `None`: not known, or not counted for all of it.
    pub silent_in_period: Option<u64>,
    /// Rules in force that said nothing in the twelve weeks up to the end of the period; `None`: not known, or not counted
    /// for so long.
    pub silent_in_twelve_weeks: Option<Vec<SilentRule>>,
    /// A change that was refused and stands; `None`: none.
    pub refused_edit: Option<String>,
}

/// What staff said is right, in the period. A message that was corrected twice counts twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Corrections {
    /// Corrections in all.
    pub total: u64,
    /// To urgent: the rules had missed it.
    pub to_urgent: u64,
    /// To standard: a false alarm.
    pub to_standard: u64,
    /// Of those false alarms, by the grounds that had been decided on.
    pub false_alarms: Vec<Count>,
    /// To another team.
    pub to_another_team: u64,
    /// To another area.
    pub to_another_area: u64,
    /// It was a person's after all.
    pub to_person: u64,
    /// It was no person's after all.
    pub to_no_person: u64,
}

/// A rule that said nothing for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SilentRule {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it last spoke; `None`: never, since it is counted.
    pub last_on: Option<NaiveDate>,
}

/// Whether the program itself is well. The same for every reader.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Health {
    /// Every watched folder.
    pub mailboxes: Vec<MailboxHealth>,
    /// What became of the messages met in the period.
    pub ledger: Ledger,
    /// Messages that could not be read and wait for a person.
    pub set_aside_waiting: u64,
    /// The first day on which an answer to one of them is due; `None`: none waits, or no day is known.
    pub set_aside_due_on: Option<NaiveDate>,
    /// Letters and filings that a person must look at.
    pub stuck: u64,
    /// The last day for which bank holidays are on file.
    pub calendar_known_until: NaiveDate,
    /// Secrets and certificates, the first to run out first; `None`: not known.
    pub expiries: Option<Vec<Expiry>>,
}

/// A watched folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxHealth {
    /// The account.
    pub account: String,
    /// The folder.
    pub folder: String,
    /// When its server last answered.
    pub last_seen_at: DateTime<Utc>,
}

/// "Every one of 1,204 messages has an outcome."
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Messages met in the watched folders in the period: the sum of the next five.
    pub met: u64,
    /// Decided.
    pub decided: u64,
    /// Copies of known messages.
    pub copies: u64,
    /// Our own letters.
    pub own_letters: u64,
    /// Set aside for a person.
    pub set_aside: u64,
    /// Left alone, such as what was there before the mailbox was taken into use.
    pub left_alone: u64,
    /// UIDs without an outcome, of any time. There should be none.
    pub gaps: Vec<Gap>,
}

/// UIDs of a watched folder that have no outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The account.
    pub account: String,
    /// The folder.
    pub folder: String,
    /// The first of the run.
    pub first_uid: u32,
    /// The last.
    pub last_uid: u32,
}

/// Something that serves up to a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expiry {
    /// What, in words for staff.
    pub what: String,
    /// The last day on which it serves.
    pub on: NaiveDate,
}
