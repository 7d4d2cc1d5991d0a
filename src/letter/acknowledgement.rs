//! The automatic acknowledgement (policy, email a): we have it, your reference, when you will have an answer, what to do
//! if it cannot wait, and where answers may be found already. Whether one is sent is decided elsewhere.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::Value;

use super::wording::{Wording, WordingError};
use super::{AutoSubmitted, Council, Draft, Letter, Purpose, Sender, markup};
use crate::calendar::london;
use crate::case::{Reference, Step};
use crate::message::Fingerprint;
use crate::triage::{Chaser, Signpost};

/// What an acknowledgement says. None of it was written by the sender but the address and the Message-IDs.
#[derive(Debug, Clone)]
pub struct AcknowledgementFacts<'a> {
    /// The case's reference.
    pub reference: &'a Reference,
    /// The message that is answered; our Message-ID is made from it.
    pub answers: &'a Fingerprint,
    /// The mailbox that was written to.
    pub from: &'a Sender,
    /// The address that is answered.
    pub to: &'a str,
    /// The Message-ID that is answered.
    pub in_reply_to: Option<&'a str>,
    /// The References of the message that is answered, oldest first.
    pub references: &'a [String],
    /// The day of receipt in London.
    pub received_on: NaiveDate,
    /// Where the message joined a case: the day on which that case's first message was received.
    pub joined: Option<NaiveDate>,
    /// From when the working days of a case that it joined run.
    pub counted: Counted,
    /// The step of the escalation that it has gone up to, and the target of that step.
    pub step: Option<(Step, NaiveDate)>,
    /// Written over the protocol's head: the day of the first response, which the policy's standard response promises.
    pub over_heads: Option<NaiveDate>,
    /// The last day for the answer.
    pub due_on: NaiveDate,
    /// How many working days that is.
    pub working_days: u32,
    /// Where else to point.
    pub signposts: &'a [Signpost],
    /// Written from a school or setting: the Grid and the DSPL lead are named, not the SENCO.
    pub from_a_school: bool,
    /// Whether it chases an earlier message.
    pub chaser: Chaser,
    /// Moves what to do if it cannot wait to the top. It is never said that a message is urgent or is not: the rules
    /// may be wrong, and a person has not looked yet.
    pub urgent: bool,
    /// Names, numbers and pages.
    pub council: &'a Council,
    /// When it is written.
    pub sent_at: DateTime<Utc>,
}

/// From when the working days of a case run, for an email that joined it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    /// From its first email.
    #[default]
    FromTheFirst,
    /// Staff have named a later date (policy, email d).
    Extended,
    /// From this email: staff had answered before.
    Anew,
}

/// Writes the acknowledgement. The same facts give the same bytes.
pub fn acknowledgement(facts: &AcknowledgementFacts<'_>, wording: &Wording) -> Result<Letter, WordingError> {
    let (subject, body) = words(facts, wording)?;
    let (blocks, _) = markup::parse(&body);
    let html = markup::page(&subject, &markup::to_html(&blocks));
    Draft {
        purpose: Purpose::Acknowledgement,
        about: facts.answers,
        from: facts.from,
        // RFC 3834 section 3.3: the null path, so that no bounce and no other machine's answer comes back.
        envelope_from: facts.from.envelope_from.clone(),
        to: facts.to,
        sent_at: facts.sent_at,
        auto_submitted: AutoSubmitted::Replied,
        in_reply_to: facts.in_reply_to,
        references: facts.references,
        reference: facts.reference.as_str(),
        due_on: Some(facts.due_on),
        subject: &subject,
        text: markup::to_text(&blocks),
        html,
        pictures: &[],
    }
    .finish()
}

/// Subject and body, in the markup of the wording files.
pub(super) fn words(
    facts: &AcknowledgementFacts<'_>,
    wording: &Wording,
) -> Result<(String, String), WordingError> {
    let mut fields = fields(facts);
    if facts.over_heads.is_some() {
        let whole = wording.render("resolution.txt", &fields)?;
        return Ok(wording.subject_and_body("resolution.txt", &whole)?);
    }
    let mut signposts = Vec::new();
    for signpost in facts.signposts {
        signposts.push(wording.render(signpost_file(*signpost), &fields)?);
    }
    let cannot_wait = wording.render("cannot-wait.txt", &fields)?;
    fields.insert("signposts", Value::from(signposts.join("\n\n")));
    fields.insert("cannot_wait", Value::from(cannot_wait));
    let whole = wording.render("acknowledgement.txt", &fields)?;
    Ok(wording.subject_and_body("acknowledgement.txt", &whole)?)
}

/// What the texts may name, beside the council's own fields. Order and explanations are those of the manual.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("reference", "the case's reference, such as SEND-7K4M-2Q9X"),
    ("answer_by", "the last day for the answer, such as Tuesday 5 January 2027"),
    ("answer_by_short", "the same without the year"),
    ("received", "the day on which the email arrived"),
    ("working_days", "how many working days there are for an answer"),
    ("joined", "yes or no: the email was put with an earlier one of the same case"),
    (
        "counted_from",
        "the day from which the working days run: that of the earlier email, where there is one",
    ),
    ("first_received", "the day on which the first email of the case arrived"),
    ("extended", "yes or no: it was put with an earlier one, and the team has told that it needs longer"),
    ("reopened", "yes or no: it was put with an earlier one that was answered before"),
    (
        "step_who",
        "who looks into it at the next step of the escalation, such as a team lead; empty at step 1",
    ),
    ("step_by", "the day by which these respond; empty at step 1"),
    ("first_response_by", "in `resolution.txt`: the day of the first response"),
    ("date_has_passed", "yes or no: the last day for the answer is over already"),
    ("chasing", "yes or no: the sender seems to chase an earlier email"),
    ("chasing_overdue", "yes or no: the sender seems to chase one whose time is over"),
    ("urgent", "yes or no: the rules found a ground of the urgent list"),
    ("from_a_school", "yes or no: the sender writes from a school or setting"),
];

/// What only `acknowledgement.txt` may name: the other files are rendered before it.
pub(super) const INNER_TEXTS: &[(&str, &str)] = &[
    ("signposts", "the paragraphs of signposts/ that apply; empty if none does"),
    ("cannot_wait", "the text of cannot-wait.txt"),
];

fn fields(facts: &AcknowledgementFacts<'_>) -> BTreeMap<&'static str, Value> {
    let first_received = facts.joined.unwrap_or(facts.received_on);
    let counted_from = if facts.counted == Counted::Anew { facts.received_on } else { first_received };
    let today = london::date(facts.sent_at).max(facts.received_on);
    // A target that is over already is not promised again.
    let step = facts.step.filter(|(step, by)| *step > Step::Coordinator && *by >= today);
    let is = |counted| facts.joined.is_some() && facts.counted == counted;
    let maybe = |text: Option<String>| text.map_or(Value::from(()), Value::from);
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    fields.extend([
        ("reference", Value::from(facts.reference.as_str())),
        ("answer_by", Value::from(long_date(facts.due_on))),
        ("answer_by_short", Value::from(facts.due_on.format("%A %-d %B").to_string())),
        ("received", Value::from(long_date(facts.received_on))),
        ("working_days", Value::from(facts.working_days)),
        ("joined", Value::from(facts.joined.is_some())),
        ("counted_from", Value::from(long_date(counted_from))),
        ("first_received", Value::from(long_date(first_received))),
        ("extended", Value::from(is(Counted::Extended))),
        ("reopened", Value::from(is(Counted::Anew))),
        ("step_who", maybe(step.map(|(step, _)| who(step).to_owned()))),
        ("step_by", maybe(step.map(|(_, by)| long_date(by)))),
        ("first_response_by", maybe(facts.over_heads.map(long_date))),
        ("date_has_passed", Value::from(facts.due_on < today)),
        ("chasing", Value::from(facts.chaser != Chaser::None)),
        ("chasing_overdue", Value::from(facts.chaser == Chaser::Overdue)),
        ("urgent", Value::from(facts.urgent)),
        ("from_a_school", Value::from(facts.from_a_school)),
    ]);
    fields
}

/// Who answers at a step, to somebody who has not met them.
fn who(step: Step) -> &'static str {
    match step {
        Step::TeamLead => "a team lead",
        _ => step.who(),
    }
}

/// `Tuesday 5 January 2027`.
pub(super) fn long_date(on: NaiveDate) -> String {
    on.format("%A %-d %B %Y").to_string()
}

pub(super) const SIGNPOSTS: [Signpost; 8] = [
    Signpost::Appointment,
    Signpost::Report,
    Signpost::SchoolSupport,
    Signpost::Disagreement,
    Signpost::ComplaintService,
    Signpost::ComplaintSectionF,
    Signpost::ComplaintSchool,
    Signpost::ComplaintNhs,
];

fn signpost_file(signpost: Signpost) -> &'static str {
    match signpost {
        Signpost::Appointment => "signposts/appointment.txt",
        Signpost::Report => "signposts/report.txt",
        Signpost::SchoolSupport => "signposts/school-support.txt",
        Signpost::Disagreement => "signposts/disagreement.txt",
        Signpost::ComplaintService => "signposts/complaint-service.txt",
        Signpost::ComplaintSectionF => "signposts/complaint-section-f.txt",
        Signpost::ComplaintSchool => "signposts/complaint-school.txt",
        Signpost::ComplaintNhs => "signposts/complaint-nhs.txt",
    }
}
