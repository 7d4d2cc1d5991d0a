//! What we decide about a message, and why. Pure: no clock, file, network or database.
//!
//! The questions, in the policy's order: kind, urgency and grounds, topics, area, queue, chaser, signposts, leadership
//! referral, acknowledgement, due date. labelling.md settles what a correct answer is.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::calendar::{Due, WorkingCalendar, london};
use crate::message::Message;
use crate::rules::{Addressed, Circumstances, Group, Reading, Ruleset};

pub mod acknowledge;
pub mod area;
pub mod call_back;
pub mod chaser;
pub mod compare;
pub mod courtesy;
pub mod kind;
pub mod leadership;
pub mod queue;
pub mod score;
pub mod signpost;
pub mod trace;
pub mod unsure;
pub mod urgency;

pub use acknowledge::{Acknowledgement, Why};
pub use call_back::CallBackDesk;
pub use courtesy::{Asks, Said};
pub use trace::{Finding, Outcome, Place};

/// What is in force: rules, calendar and team, swapped as a whole.
#[derive(Debug)]
pub struct Policy {
    /// What staff wrote.
    pub rules: Ruleset,
    /// Working days.
    pub calendar: WorkingCalendar,
    /// Whose mail this is.
    pub team: Team,
}

/// Whose mail this is: the council and its watched mailboxes, and the limits that they set.
#[derive(Debug, Clone, Default)]
pub struct Team {
    /// The council's own domain, such as `hertfordshire.example`; its subdomains are the council's as well.
    pub domain: String,
    /// The watched mailboxes.
    pub mailboxes: Vec<TeamMailbox>,
    /// Working days to an answer (policy, email d: 10).
    pub answer_within_working_days: u32,
    /// Limits on acknowledgements (RFC 3834 section 2).
    pub limits: Limits,
    /// The mail server that is believed when it says that a sender is forged ([`crate::message::authentication`]).
    pub trusted_authserv_id: Option<String>,
    /// Who asks for call-backs (policy, telephone).
    pub call_backs: CallBackDesk,
}

/// One watched mailbox.
#[derive(Debug, Clone, Default)]
pub struct TeamMailbox {
    /// Its name in the configuration: `general`, `annual-review-east`, ...
    pub name: String,
    /// Every address by which it is written to, lower case, main address first.
    pub addresses: Vec<String>,
}

/// Above these an acknowledgement is withheld and people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To one sender in 24 hours.
    pub per_sender_a_day: u32,
    /// To one domain in an hour.
    pub per_domain_an_hour: u32,
    /// In all in an hour.
    pub in_all_an_hour: u32,
    /// A message older than this many hours when it is first seen is not acknowledged; `None`: any age is.
    pub oldest_hours: Option<u32>,
    /// None is sent to anybody.
    pub switched_off: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_sender_a_day: 10,
            per_domain_an_hour: 100,
            in_all_an_hour: 1000,
            oldest_hours: Some(72),
            switched_off: false,
        }
    }
}

/// What the record knows that bears on this message, and when it is looked at.
#[derive(Debug, Clone)]
pub struct History {
    /// Now, for the age of the message.
    pub now: DateTime<Utc>,
    /// The name of the mailbox that it arrived in.
    pub mailbox: String,
    /// When that mailbox was first taken into use; nothing received before is acknowledged. `None`: not known, no limit.
    pub taken_into_use_at: Option<DateTime<Utc>>,
    /// Acknowledgements to this sender in the last 24 hours.
    pub to_sender_in_a_day: u32,
    /// Acknowledgements to this sender's domain in the last hour.
    pub to_domain_in_an_hour: u32,
    /// Acknowledgements in all in the last hour.
    pub in_all_in_an_hour: u32,
}

impl History {
    /// Nothing is known: what `explain` and `evaluate` assume.
    pub fn none(mailbox: &str, received_at: DateTime<Utc>) -> Self {
        Self {
            now: received_at,
            mailbox: mailbox.to_owned(),
            taken_into_use_at: None,
            to_sender_in_a_day: 0,
            to_domain_in_an_hour: 0,
            in_all_in_an_hour: 0,
        }
    }
}

/// labelling.md, `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Written by a human to the team.
    Person,
    /// Out-of-office and other automatic replies.
    AutoReply,
    /// Delivery status notifications, read receipts.
    Bounce,
    /// Newsletters, lists, bulk mail, system notifications.
    List,
    /// Staff to staff.
    Internal,
    /// An invitation, acceptance or cancellation with no message of its own.
    Calendar,
}

impl Kind {
    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::AutoReply => "auto-reply",
            Self::Bounce => "bounce",
            Self::List => "list",
            Self::Internal => "internal",
            Self::Calendar => "calendar",
        }
    }
}

/// labelling.md, `urgency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// At least one ground U1 to U10 holds.
    Urgent,
    /// None does.
    Standard,
}

/// labelling.md, `queue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// The SEND Resolution Team.
    Resolution,
    /// A first assessment and its 20 weeks.
    Assessment,
    /// Reviews in the east.
    AnnualReviewEast,
    /// Reviews in the west.
    AnnualReviewWest,
    /// Everything else.
    General,
    /// No team: not a person's mail, or only copied.
    None,
}

/// labelling.md, `area`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// North Herts and Stevenage, East Herts, Broxbourne, Welwyn Hatfield.
    East,
    /// St Albans and Dacorum, Watford, Three Rivers, Hertsmere.
    West,
    /// Not said, contradictory, or out of county.
    Unknown,
}

/// labelling.md, `chaser`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chaser {
    /// Chases an earlier contact whose 10 working days have not run out.
    Within,
    /// They have.
    Overdue,
    /// Chases, no time given.
    Unclear,
    /// Does not chase.
    None,
}

/// labelling.md, `signposts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Signpost {
    Appointment,
    Report,
    SchoolSupport,
    Disagreement,
    ComplaintService,
    ComplaintSectionF,
    ComplaintSchool,
    ComplaintNhs,
}

/// What was decided about one message.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What sort of message it is.
    pub kind: Kind,
    /// Whether the sender is acknowledged, or why not.
    pub acknowledgement: Acknowledgement,
    /// The team stands only in Cc or Bcc (policy, email c).
    pub copied: bool,
    /// Urgent or standard.
    pub urgency: Urgency,
    /// `U1` to `U10`; where none holds, `S1` to `S7` or `other`.
    pub grounds: Vec<String>,
    /// Called urgent by the sender, with no ground (policy, email g).
    pub claimed_urgent: bool,
    /// The team that gets it.
    pub queue: Queue,
    /// East or west.
    pub area: Area,
    /// Whether it chases an earlier contact.
    pub chaser: Chaser,
    /// What the acknowledgement also points to.
    pub signposts: Vec<Signpost>,
    /// Policy, email h.
    pub refer_leadership: bool,
    /// A person should look at the decision; the trace says why.
    pub unsure: bool,
    /// What it says that matters where it stands in a known thread.
    pub said: Said,
    /// When the answer is due; `None` where no answer is owed.
    pub due: Option<Due>,
    /// Who seems to write (`roles:` in `senders.yaml`): `parent`, `school`, ...; `None`: nothing tells, or not a person.
    pub role: Option<String>,
    /// The ids of all rules that hold for it, whatever group they stand in: for telling which rules never speak.
    pub spoke: Vec<String>,
    /// Every finding that led here.
    pub trace: Vec<Finding>,
    /// The version of the rules that decided.
    pub rules_version: String,
}

impl Decision {
    /// The due date, if an answer is owed.
    pub fn due_on(&self) -> Option<NaiveDate> {
        self.due.as_ref().map(|due| due.due_on)
    }

    /// Whether it is the Customer Service Centre's message that a caller is to be called back: the only mail of staff's own
    /// that an answer is owed to.
    pub fn is_call_back(&self) -> bool {
        self.kind == Kind::Internal && self.due.is_some()
    }
}

/// Decides about one message received at this instant (the server's INTERNALDATE).
pub fn triage(message: &Message, received_at: DateTime<Utc>, history: &History, policy: &Policy) -> Decision {
    ahead(message, received_at, &history.mailbox, policy).with_history(received_at, history, &policy.team)
}

/// The decision before what the record knows is brought to bear on it ([`Decision::with_history`]); the two together are
/// [`triage`]. This part is all of the work, and can be done ahead.
pub fn ahead(message: &Message, received_at: DateTime<Utc>, mailbox: &str, policy: &Policy) -> Decision {
    decide(message, received_at, mailbox, policy, Ruleset::read_what_counts)
}

/// The same decision, its trace with what was found in quoted words alone: for a person who asks why.
pub fn explained(
    message: &Message,
    received_at: DateTime<Utc>,
    history: &History,
    policy: &Policy,
) -> Decision {
    decide(message, received_at, &history.mailbox, policy, Ruleset::read).with_history(
        received_at,
        history,
        &policy.team,
    )
}

fn decide(
    message: &Message,
    received_at: DateTime<Utc>,
    mailbox: &str,
    policy: &Policy,
    read: for<'r> fn(&'r Ruleset, &Message, &Circumstances<'_>) -> Reading<'r>,
) -> Decision {
    let received_on = london::date(received_at);
    let team = &policy.team;
    let addressed = addressed(message, team);
    let circumstances = Circumstances { received_on, mailbox, addressed };
    let reading = read(&policy.rules, message, &circumstances);
    let mut trace = Vec::new();

    let mut kind = kind::kind(message, team, &reading, &mut trace);
    let call_back = addressed == Addressed::To && call_back::asked(message, kind, team, &reading, &mut trace);
    if call_back {
        kind = Kind::Internal;
    }
    let copied = kind == Kind::Person && addressed != Addressed::To;
    let acknowledgement = acknowledge::of_itself(message, kind, copied, team);
    let reason = acknowledgement.reason();
    trace.push(Finding::plain(ACKNOWLEDGE, "communication-policy, email a to c", Outcome::Noted, reason));
    let rules_version = policy.rules.version().to_owned();
    let spoke =
        reading.verdicts.iter().filter(|verdict| verdict.holds).map(|verdict| verdict.rule.id.clone());
    let spoke: Vec<String> = spoke.collect();
    if kind != Kind::Person && !call_back {
        return Decision { spoke, ..Decision::not_a_person(kind, acknowledgement, trace, rules_version) };
    }

    let found = urgency::urgency(&reading, &mut trace);
    let (area, contradictory) = area::area(message, &reading, &mut trace);
    let measure = chaser::Measure {
        received_on,
        calendar: &policy.calendar,
        working_days: team.answer_within_working_days,
    };
    // A caller's chasing, tone and signposts were the Centre's to deal with; there is nobody to be told by email.
    let chaser =
        if call_back { Chaser::None } else { chaser::chaser(message, &reading, measure, &mut trace) };
    let known = queue::Known { urgency: found.urgency, chaser, area };
    let queue = if copied {
        let reason = "only copied in: recorded, nobody's to answer (policy, email c)";
        trace.push(Finding::plain("queue", "communication-policy, email c", Outcome::Noted, reason));
        Queue::None
    } else {
        queue::queue(message, team, &reading, known, &mut trace)
    };
    let mut said = courtesy::said(message, &reading, &mut trace);
    said.over_heads = queue == Queue::Resolution && queue::is_over_heads(message, &reading);
    let signposts = if call_back { Vec::new() } else { signpost::signposts(&reading, &mut trace) };
    let refer_leadership = !call_back && leadership::leadership(&reading, &mut trace);
    let unsure = unsure::unsure(&reading, &found, contradictory, &mut trace);
    trace::roles(&reading, &mut trace);
    trace::set_aside(&reading, &mut trace);
    let role = reading.group(Group::Roles).find(|verdict| verdict.holds);
    let role = role.map(|verdict| verdict.rule.then.clone()).filter(|role| !role.is_empty());
    let working_days =
        if call_back { team.call_backs.within_working_days } else { team.answer_within_working_days };
    let due = (!copied).then(|| policy.calendar.due(received_at, working_days));
    Decision {
        kind,
        acknowledgement,
        copied,
        urgency: found.urgency,
        grounds: found.grounds,
        claimed_urgent: found.claimed,
        queue,
        area,
        chaser,
        signposts,
        refer_leadership,
        unsure,
        said,
        due,
        role,
        spoke,
        trace,
        rules_version,
    }
}

/// How the finding is called that says whether there is an acknowledgement.
const ACKNOWLEDGE: &str = "acknowledge";

impl Decision {
    /// The same, with what time and the record tell: they bear on the acknowledgement, and on nothing else.
    pub fn with_history(mut self, received_at: DateTime<Utc>, history: &History, team: &Team) -> Self {
        let now = acknowledge::now(self.acknowledgement.clone(), received_at, history, team);
        if now != self.acknowledgement {
            if let Some(finding) = self.trace.iter_mut().find(|finding| finding.rule == ACKNOWLEDGE) {
                finding.reason = now.reason().to_owned();
            }
            self.acknowledgement = now;
        }
        self
    }

    /// What is not a person's is standard, nobody's to answer, and not acknowledged (labelling.md, kind).
    fn not_a_person(
        kind: Kind,
        acknowledgement: Acknowledgement,
        trace: Vec<Finding>,
        rules_version: String,
    ) -> Self {
        Self {
            kind,
            acknowledgement,
            copied: false,
            urgency: Urgency::Standard,
            grounds: Vec::new(),
            claimed_urgent: false,
            queue: Queue::None,
            area: Area::Unknown,
            chaser: Chaser::None,
            signposts: Vec::new(),
            refer_leadership: false,
            unsure: false,
            said: Said::default(),
            due: None,
            role: None,
            spoke: Vec::new(),
            trace,
            rules_version,
        }
    }
}

/// Where the team's own addresses stand in a message.
pub fn addressed(message: &Message, team: &Team) -> Addressed {
    let ours = |address: &crate::message::Address| {
        team.mailboxes
            .iter()
            .any(|mailbox| mailbox.addresses.iter().any(|own| own.eq_ignore_ascii_case(&address.address)))
    };
    if message.to.iter().any(ours) {
        Addressed::To
    } else if message.cc.iter().any(ours) {
        Addressed::Cc
    } else {
        Addressed::Nowhere
    }
}
