//! Whether the wording of letters to staff about cases can be used: each is written with sample facts, full and bare.
//!
//! The same for letters to families is `check.rs`'s.

use chrono::NaiveDate;

use super::alert::{GatheredFacts, gathered_words};
use super::briefing::{self, BriefingFacts};
use super::check::{Complaints, Sample};
use super::notice::{CaseLine, Notice};
use super::referral::{self, ReferralFacts};
use super::reminder::{self, Listed, MessageLine, ReminderFacts};
use super::wording::{Wording, WordingProblem};
use crate::case::Reference;

/// All that is wrong with these texts.
pub(super) fn problems(wording: &Wording) -> Vec<WordingProblem> {
    let (mut complaints, sample) = (Complaints::default(), Sample::new());
    let notice = Notice {
        from: &sample.from,
        to: "lead@council.example",
        topic: "sample",
        reference: sample.reference.as_str(),
        sent_at: sample.sent_at,
    };
    let must = [("reference", sample.reference.as_str())];
    for full in [true, false] {
        let cases = [line(&sample, 0, full)];
        let facts = GatheredFacts { notice, cases: &cases, council: &sample.council };
        let words = gathered_words(&facts, wording);
        complaints.look_at(wording, "alerts-gathered.txt", words, &[("cases", sample.reference.as_str())]);

        for section in 0..SECTIONS.len() {
            reminders(&sample, notice, wording, (section, full), &mut complaints);
        }

        let reasons = [("Threats and intimidation".to_owned(), "communication-policy, email h".to_owned())];
        let facts = ReferralFacts {
            notice,
            reference: if full { sample.reference.as_str() } else { "" },
            reasons: &reasons,
            mailbox: "general",
            folder: "General",
            received_at: sample.sent_at,
            due_on: full.then_some(sample.due_on),
            text: full.then_some("Words."),
            council: &sample.council,
        };
        complaints.look_at(
            wording,
            "referral.txt",
            referral::words(&facts, wording),
            if full { &must } else { &[] },
        );

        let history = ["SEND-0000-0000, received Monday 2 November: not answered.".to_owned()];
        let grounds = ["Out of education".to_owned()];
        let facts = BriefingFacts {
            notice,
            received_on: sample.received_on,
            due_on: full.then_some(sample.due_on),
            first_response_on: full.then_some(sample.due_on),
            urgent: full,
            grounds: if full { &grounds } else { &[] },
            area: "unknown",
            mailbox: "resolution",
            folder: "Resolution",
            protocol: "It was followed.",
            next_step: "Step 4.",
            history: if full { &history } else { &[] },
            history_more: if full { 12 } else { 0 },
            council: &sample.council,
        };
        let words = briefing::words(&facts, wording);
        complaints.look_at(wording, "briefing.txt", words, &must);
    }
    complaints.list
}

/// The parts of the daily letter; each must be shown where it is not empty.
const SECTIONS: [&str; 10] = [
    "overdue",
    "urgent",
    "nearing",
    "first_responses",
    "chased",
    "escalated",
    "missing",
    "unsure",
    "withheld",
    "set_aside",
];

/// The daily letter with one part filled.
fn reminders(
    sample: &Sample,
    notice: Notice<'_>,
    wording: &Wording,
    (section, full): (usize, bool),
    complaints: &mut Complaints,
) {
    let more = if full { 12 } else { 0 };
    let cases = |own: usize| match own == section {
        true => Listed { told: vec![line(sample, 0, full)], more },
        false => Listed::default(),
    };
    let messages = |own: usize| match own == section {
        true => Listed {
            told: vec![MessageLine {
                reference: if full { sample.reference.to_string() } else { String::new() },
                received_on: sample.received_on,
                reason: "this is the reason".to_owned(),
                queue: if full { "general".to_owned() } else { String::new() },
                mailbox: "general".to_owned(),
                folder: "General".to_owned(),
            }],
            more,
        },
        false => Listed::default(),
    };
    let facts = ReminderFacts {
        notice,
        day: sample.due_on,
        overdue: cases(0),
        urgent: cases(1),
        nearing: cases(2),
        nearing_working_days: 3,
        first_responses: cases(3),
        chased: cases(4),
        escalated: cases(5),
        missing: cases(6),
        unsure: cases(7),
        withheld: messages(8),
        automatic: more,
        set_aside: messages(9),
        council: &sample.council,
    };
    let shown = if section < 8 { sample.reference.as_str() } else { "this is the reason" };
    let field = SECTIONS.get(section).copied().unwrap_or_default();
    let words = reminder::words(&facts, wording);
    complaints.look_at(wording, "reminder.txt", words, &[(field, shown)]);
}

fn line(sample: &Sample, salt: u8, full: bool) -> CaseLine {
    let on = |on: NaiveDate| full.then_some(on);
    CaseLine {
        reference: Reference::of(&sample.fingerprint, salt).to_string(),
        call_back: full,
        urgent: full,
        received_on: sample.received_on,
        due_on: on(sample.due_on),
        extended: full,
        late: if full { 3 } else { 0 },
        first_response_on: on(sample.due_on),
        grounds: if full { vec!["Out of education".to_owned()] } else { Vec::new() },
        queue: "general".to_owned(),
        area: "unknown".to_owned(),
        mailbox: "general".to_owned(),
        folder: "General".to_owned(),
        chasers: if full { 2 } else { 0 },
        step: if full { 2 } else { 1 },
        step_due_on: on(sample.due_on),
        missing_on: on(sample.due_on),
        unsure: full,
    }
}
