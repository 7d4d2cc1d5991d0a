//! Invented figures: for the preview of the digest's templates, and for trying out what draws and says them. No figure here was
//! counted, and no case here exists.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::figures::{
    Acknowledgements, Age, Bounced, Chasers, Corrections, Count, Expiry, Figures, Forecast, Health, Ledger,
    Listed, MailboxHealth, NeedsRow, NeedsYou, OpenByAge, QueueForecast, Rules, Service, ServiceFigures,
    SilentRule, Sources, Span, StepCount, Withheld,
};
use super::{Period, Scope};
use crate::calendar::WorkingCalendar;

/// Monday 23 November 2026, 8:00, about the week before: a busy one.
pub fn figures() -> Figures {
    let week = Period::week_of(on(11, 16));
    Figures {
        scope: Scope::all(),
        period: week,
        now: now(),
        today: on(11, 23),
        target_working_days: 10,
        known_since: Some(on(9, 7)),
        needs_you: needs_you(),
        service: service(week),
        open_by_age: open_by_age(),
        forecast: Forecast {
            five_end_on: on(11, 27),
            ten_end_on: on(12, 4),
            queues: vec![
                forecast("general", 4, 61, 128),
                forecast("annual-review-east", 1, 24, 52),
                forecast("annual-review-west", 0, 19, 47),
                forecast("assessment", 1, 12, 30),
                forecast("resolution", 0, 2, 3),
            ],
        },
        sources: Sources {
            queues: counts(&[
                ("general", 142),
                ("annual-review-east", 58),
                ("annual-review-west", 51),
                ("assessment", 33),
                ("resolution", 4),
            ]),
            areas: counts(&[("east", 119), ("west", 104), ("unknown", 65)]),
            grounds: counts(&[
                ("S2", 74),
                ("S1", 58),
                ("other", 52),
                ("S4", 41),
                ("U5", 17),
                ("U4", 9),
                ("U1", 3),
                ("U7", 2),
            ]),
            roles: counts(&[("parent", 171), ("unknown", 62), ("school", 41), ("professional", 14)]),
            urgent: 31,
        },
        chasers: chasers(),
        acknowledgements: Acknowledgements {
            sent: 281,
            median_seconds: Some(14),
            p95_seconds: Some(52),
            withheld: vec![
                withheld("not written by a person", 0, 96),
                withheld("the team is only copied in (policy, email b and c)", 23, 0),
                withheld("it only says thank you: no answer is owed", 12, 0),
                withheld("this sender has had as many acknowledgements as a day allows", 1, 0),
            ],
            waiting: 0,
            stuck: 1,
            bounced: Listed {
                total: 2,
                rows: vec![
                    bounced("SEND-5JQ2-90XC", on(11, 17), Some("5.1.1")),
                    bounced("SEND-8R3W-KD4M", on(11, 20), Some("5.2.2")),
                ],
            },
        },
        rules: rules(),
        health: health(),
    }
}

/// The same Monday after a week in which nothing came and nothing waits.
pub fn quiet() -> Figures {
    let busy = figures();
    let none = ServiceFigures {
        received: Some(0),
        reopened: Some(0),
        answered: Some(0),
        within_target: Some(0),
        by_due_date: Some(0),
        fell_due: Some(0),
        fell_due_kept: Some(0),
        ..ServiceFigures::default()
    };
    let mut service = busy.service;
    if let Some(last) = service.spans.last_mut() {
        last.figures = none.clone();
    }
    let ages = busy.open_by_age.ages.into_iter().map(|age| Age { open: 0, extended: 0, ..age }).collect();
    let steps = (2..=4).map(|step| StepCount { step, waiting: 0, overdue: 0 }).collect();
    let seen = busy.health.mailboxes.into_iter();
    let mailboxes = seen.map(|mailbox| MailboxHealth { last_seen_at: now(), ..mailbox }).collect();
    Figures {
        needs_you: NeedsYou::default(),
        service: Service { whole: none, ..service },
        open_by_age: OpenByAge { ages },
        forecast: Forecast { queues: Vec::new(), ..busy.forecast },
        sources: Sources::default(),
        chasers: Chasers { steps, ..Chasers::default() },
        acknowledgements: Acknowledgements::default(),
        rules: Rules {
            decided: 3,
            unsure: 0,
            corrections: Corrections::default(),
            refused_edit: None,
            ..busy.rules
        },
        health: Health {
            ledger: Ledger { met: 3, decided: 3, ..Ledger::default() },
            set_aside_waiting: 0,
            set_aside_due_on: None,
            stuck: 0,
            expiries: Some(Vec::new()),
            mailboxes,
            calendar_known_until: busy.health.calendar_known_until,
        },
        ..busy
    }
}

fn now() -> DateTime<Utc> {
    on(11, 23).and_hms_opt(8, 0, 0).unwrap_or_default().and_utc()
}

fn on(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap_or_default()
}

fn count(name: &str, count: u64) -> Count {
    Count { name: name.to_owned(), count }
}

fn counts(all: &[(&str, u64)]) -> Vec<Count> {
    all.iter().map(|(name, times)| count(name, *times)).collect()
}

fn forecast(queue: &str, overdue: u64, in_five: u64, in_ten: u64) -> QueueForecast {
    QueueForecast { queue: queue.to_owned(), overdue, in_five, in_ten }
}

fn withheld(reason: &str, people: u64, others: u64) -> Withheld {
    Withheld { reason: reason.to_owned(), people, others }
}

fn bounced(reference: &str, bounced_on: NaiveDate, status: Option<&str>) -> Bounced {
    let (reference, status) = (Some(reference.to_owned()), status.map(str::to_owned));
    Bounced { reference, bounced_on, refused: false, status, recipient: None }
}

/// A case by its reference, team, area and day of receipt; its day for the answer is counted as it would be.
fn case(reference: &str, queue: &str, area: &str, ground: &str, received_on: NaiveDate) -> NeedsRow {
    let calendar = WorkingCalendar::default();
    let due_on = calendar.working_day_after(received_on, 10);
    let urgent = ground.starts_with('U');
    let today = on(11, 23);
    let team = match queue {
        "annual-review-east" => "Triage/Annual reviews east",
        "annual-review-west" => "Triage/Annual reviews west",
        "assessment" => "Triage/Assessment",
        "resolution" => "Triage/Resolution",
        _ => "Triage/General",
    };
    NeedsRow {
        reference: reference.to_owned(),
        state: "open".to_owned(),
        matter: "question".to_owned(),
        urgent,
        grounds: vec![ground.to_owned()],
        queue: queue.to_owned(),
        area: area.to_owned(),
        received_on,
        age_working_days: calendar.working_days_between(received_on, today),
        due_on: Some(due_on),
        overdue_working_days: calendar.working_days_between(due_on, today),
        first_response_on: urgent.then(|| calendar.working_day_after(received_on, 2)),
        chasers: 0,
        step: 1,
        mailbox: "general".to_owned(),
        folder: if urgent { format!("{team}/Urgent") } else { team.to_owned() },
        missing_since: None,
        sender: None,
        subject: None,
    }
}

fn needs_you() -> NeedsYou {
    let overdue = vec![
        NeedsRow { chasers: 2, step: 2, ..case("SEND-7K4M-2Q9X", "general", "east", "U5", on(11, 4)) },
        NeedsRow { chasers: 1, ..case("SEND-3PD8-VW61", "annual-review-east", "east", "S2", on(11, 3)) },
        case("SEND-9TCB-40HN", "general", "unknown", "other", on(11, 5)),
        case("SEND-J2X7-6RZE", "assessment", "west", "S1", on(11, 6)),
    ];
    let urgent = vec![
        case("SEND-QM51-8BKD", "annual-review-west", "west", "U4", on(11, 19)),
        case("SEND-X0V9-H7TS", "general", "east", "U1", on(11, 20)),
    ];
    let due = vec![
        case("SEND-1GW4-PZ5C", "general", "west", "S4", on(11, 9)),
        NeedsRow {
            state: "extended".to_owned(),
            due_on: Some(on(11, 24)),
            overdue_working_days: 0,
            ..case("SEND-6NEA-R3K2", "assessment", "east", "S1", on(10, 28))
        },
        case("SEND-V8HS-05JB", "general", "unknown", "other", on(11, 11)),
        NeedsRow { chasers: 1, ..case("SEND-D47T-QX9M", "annual-review-east", "east", "S2", on(11, 12)) },
    ];
    NeedsYou {
        overdue: Listed { total: 6, rows: overdue },
        urgent: Listed { total: 2, rows: urgent },
        due_this_week: Listed { total: 118, rows: due },
    }
}

fn chasers() -> Chasers {
    let waiting = vec![
        NeedsRow { chasers: 3, step: 3, ..case("SEND-M5C0-T8WD", "resolution", "west", "U7", on(11, 10)) },
        NeedsRow { chasers: 2, step: 2, ..case("SEND-7K4M-2Q9X", "general", "east", "U5", on(11, 4)) },
        NeedsRow { chasers: 1, ..case("SEND-3PD8-VW61", "annual-review-east", "east", "S2", on(11, 3)) },
        NeedsRow { chasers: 1, ..case("SEND-D47T-QX9M", "annual-review-east", "east", "S2", on(11, 12)) },
    ];
    Chasers {
        received: 19,
        waiting: Listed { total: 11, rows: waiting },
        repeated: 2,
        steps: vec![
            StepCount { step: 2, waiting: 5, overdue: 1 },
            StepCount { step: 3, waiting: 1, overdue: 0 },
            StepCount { step: 4, waiting: 2, overdue: 0 },
        ],
    }
}

/// The program was taken into use eleven weeks ago; the two weeks before that are not known.
fn service(week: Period) -> Service {
    const WEEKS: [(u64, u64, u64, u64); 11] = [
        (262, 88, 79, 1),
        (248, 201, 170, 104),
        (271, 230, 190, 236),
        (255, 241, 203, 243),
        (290, 236, 205, 251),
        (244, 262, 232, 247),
        (131, 180, 163, 229), // Half-term.
        (318, 251, 221, 192),
        (296, 274, 247, 256),
        (279, 283, 263, 281),
        (288, 276, 262, 272),
    ];
    let spans: Vec<Span> = week
        .with_weeks_before()
        .into_iter()
        .enumerate()
        .map(|(place, period)| {
            let known = place.checked_sub(2).and_then(|known| WEEKS.get(known));
            let figures = known.map(|(received, answered, within, fell_due)| ServiceFigures {
                received: Some(*received),
                reopened: Some(received / 60),
                answered: Some(*answered),
                within_target: Some(*within),
                by_due_date: Some(answered.saturating_sub(answered / 40).max(*within)),
                fell_due: Some(*fell_due),
                fell_due_kept: Some(fell_due * (76 + 2 * u64::try_from(place).unwrap_or(0).min(9)) / 100),
                median_working_days: Some(if place < 6 { 7 } else { 6 }),
                p90_working_days: Some(if place < 6 { 12 } else { 10 }),
            });
            Span { period, figures: figures.unwrap_or_default() }
        })
        .collect();
    Service { whole: spans.last().map(|span| span.figures.clone()).unwrap_or_default(), spans }
}

fn open_by_age() -> OpenByAge {
    const OPEN: [(u64, u64); 22] = [
        (6, 0),
        (52, 0),
        (49, 0),
        (41, 0),
        (38, 0),
        (33, 0),
        (24, 1),
        (21, 0),
        (17, 2),
        (13, 1),
        (9, 2),
        (1, 3),
        (1, 2),
        (2, 2),
        (0, 1),
        (0, 0),
        (1, 1),
        (0, 0),
        (0, 2),
        (0, 0),
        (0, 0),
        (1, 1),
    ];
    let ages = OPEN.iter().zip(0..).map(|((open, extended), working_days)| Age {
        working_days,
        or_more: working_days == 21,
        open: *open,
        extended: *extended,
    });
    OpenByAge { ages: ages.collect() }
}

fn rules() -> Rules {
    let silent = |id: &str, title: &str, last_on| SilentRule { id: id.into(), title: title.into(), last_on };
    Rules {
        decided: 420,
        unsure: 18,
        corrections: Corrections {
            total: 14,
            to_urgent: 2,
            to_standard: 3,
            false_alarms: counts(&[("U5", 2), ("U9", 1)]),
            to_another_team: 8,
            to_another_area: 1,
            to_person: 0,
            to_no_person: 1,
        },
        in_force: Some(214),
        counted_since: Some(on(8, 24)),
        silent_in_period: Some(61),
        silent_in_twelve_weeks: Some(vec![
            silent("U10", "Moving into or out of the county", Some(on(8, 26))),
            silent("complaint-nhs", "A complaint about the NHS", None),
        ]),
        refused_edit: Some(
            "Refused on Friday 20 November 2026 at 16:12 (London): 1 mistake in 1 file. The last good rules stay in force"
                .to_owned(),
        ),
    }
}

fn health() -> Health {
    let mailbox = |account: &str, minutes| MailboxHealth {
        account: account.to_owned(),
        folder: "INBOX".to_owned(),
        last_seen_at: now() - chrono::TimeDelta::minutes(minutes),
    };
    Health {
        mailboxes: vec![
            mailbox("annual-review-east", 2),
            mailbox("annual-review-west", 1),
            mailbox("assessment", 3 * 24 * 60 + 95),
            mailbox("general", 1),
        ],
        ledger: Ledger {
            met: 1204,
            decided: 420,
            copies: 371,
            own_letters: 281,
            set_aside: 2,
            left_alone: 130,
            gaps: Vec::new(),
        },
        set_aside_waiting: 2,
        set_aside_due_on: Some(on(11, 27)),
        stuck: 1,
        calendar_known_until: NaiveDate::from_ymd_opt(2028, 12, 31).unwrap_or_default(),
        expiries: Some(vec![Expiry {
            what: "the secret by which general signs in to Microsoft 365".to_owned(),
            on: on(11, 23).checked_add_days(Days::new(26)).unwrap_or_default(),
        }]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_busy_the_quiet_one_is_quiet_and_neither_contradicts_itself() {
        let busy = figures();
        assert!(!busy.is_quiet() && quiet().is_quiet());
        for figures in [busy, quiet()] {
            let ledger = &figures.health.ledger;
            let sum =
                ledger.decided + ledger.copies + ledger.own_letters + ledger.set_aside + ledger.left_alone;
            assert_eq!(ledger.met, sum);
            assert_eq!(figures.service.spans.len(), 13);
            for span in &figures.service.spans {
                let known = &span.figures;
                assert!(known.within_target <= known.by_due_date && known.by_due_date <= known.answered);
                assert!(known.fell_due_kept <= known.fell_due);
            }
            for list in [&figures.needs_you.overdue, &figures.needs_you.urgent] {
                assert!(list.total >= list.rows.len() as u64);
            }
        }
        let overdue = figures().needs_you.overdue.rows;
        assert!(overdue.iter().all(|row| row.overdue_working_days > 0), "{overdue:?}");
        assert!(figures().needs_you.urgent.rows.iter().all(|row| row.overdue_working_days == 0));
    }
}
