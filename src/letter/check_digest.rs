//! Whether the wording of the digest can be used: it is written from invented figures, busy and quiet, known and not known.

use std::collections::BTreeMap;

use super::check::{Complaints, Sample};
use super::digest::{self, DigestFacts, Late};
use super::notice::Notice;
use super::wording::{Wording, WordingProblem};
use crate::digest::figures::{Figures, Gap, Health, Rules, Service};
use crate::digest::sample;

/// All that is wrong with these texts.
pub(super) fn problems(wording: &Wording) -> Vec<WordingProblem> {
    let (mut complaints, sample) = (Complaints::default(), Sample::new());
    let notice = Notice {
        from: &sample.from,
        to: "manager@council.example",
        topic: "sample",
        reference: "digest",
        sent_at: sample.sent_at,
    };
    let titles = BTreeMap::new();
    for (figures, late) in variants() {
        let facts =
            DigestFacts { notice, figures: &figures, titles: &titles, late, council: &sample.council };
        let worst = figures.needs_you.overdue.rows.first().map(|row| row.reference.as_str());
        let must: Vec<(&str, &str)> = worst.map(|worst| ("overdue", worst)).into_iter().collect();
        complaints.look_at(wording, "digest.txt", digest::words(&facts, wording), &must);
    }
    complaints.list
}

/// Figures in all their variety: what is there and what is not, one after the other.
fn variants() -> Vec<(Figures, Option<Late>)> {
    let (busy, quiet) = (sample::figures(), sample::quiet());
    let late = Late { was_due_on: Some(busy.today), weeks_missed: 2 };
    let named = |mut figures: Figures| {
        for row in &mut figures.needs_you.overdue.rows {
            row.sender = Some("Anna <anna@home.example>".to_owned());
            row.subject = Some("Re: [picture: x] **my** | question".to_owned());
            row.missing_since = Some(row.received_on);
            row.matter = "call-back".to_owned();
            row.state = "extended".to_owned();
        }
        for row in &mut figures.needs_you.due_this_week.rows {
            (row.due_on, row.first_response_on) = (None, None);
        }
        for bounced in &mut figures.acknowledgements.bounced.rows {
            (bounced.reference, bounced.status) = (None, None);
            bounced.recipient = Some("anna@home.example".to_owned());
        }
        figures
    };
    // As on the first Monday: nothing is known of any week, of the rules, or of when a secret runs out.
    let unknown = |figures: &Figures| Figures {
        service: Service::default(),
        rules: Rules::default(),
        known_since: None,
        health: Health { expiries: None, mailboxes: Vec::new(), ..figures.health.clone() },
        ..figures.clone()
    };
    let gap = Gap { account: "general".to_owned(), folder: "INBOX".to_owned(), first_uid: 7, last_uid: 7 };
    let mut broken = busy.clone();
    broken.health.ledger.gaps = vec![gap.clone(), Gap { last_uid: 12, ..gap }];
    broken.health.calendar_known_until = broken.today;
    broken.scope.queues = vec!["general".to_owned()];
    vec![
        (busy.clone(), None),
        (quiet.clone(), None),
        (named(busy.clone()), Some(late)),
        (quiet.clone(), Some(late)),
        (unknown(&busy), None),
        (unknown(&quiet), None),
        (broken, None),
    ]
}
