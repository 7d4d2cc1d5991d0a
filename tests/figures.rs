//! The figures of digests and reports, held against a count by hand over generated mailboxes: `figures/naive.rs` reads every row and
//! knows no index, no query and none of the program's own counting.

mod generated;
mod naive;
mod rows;

use chrono::{DateTime, NaiveDate, Utc};
use send_triage::calendar::WorkingCalendar;
use send_triage::digest::figures::{Expiry, Figures};
use send_triage::digest::{Ask, Period, RuleName, Scope};

use generated::Town;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// England's bank holidays by rule, and a closure of the council's own between Christmas and New Year.
fn calendar() -> WorkingCalendar {
    let closed = (day("2026-12-29"), day("2026-12-31"), "the council is closed".to_owned());
    let holidays = (2026..=2028).flat_map(send_triage::calendar::bank_holidays::by_rule);
    let holidays = holidays.map(|(on, name)| (on, name.to_owned())).collect();
    WorkingCalendar::new(holidays, vec![closed]).unwrap()
}

fn rules() -> Vec<RuleName> {
    let rule = |id: &str| RuleName { id: id.into(), title: format!("The rule {id}") };
    ["U1", "U4", "U7", "U10", "S2", "role-parent", "role-school", "silent-for-ever"].map(rule).to_vec()
}

#[track_caller]
fn check(town: &Town, ask: &Ask<'_>) {
    let found = town.records.figures(ask).unwrap();
    let wanted = naive::figures(&town.records.path().to_owned(), town, ask);
    let of = |figures: &Figures| serde_json::to_value(figures).unwrap();
    let (found, wanted) = (of(&found), of(&wanted));
    // Part by part, so that what differs can be read.
    for (part, value) in wanted.as_object().unwrap() {
        assert_eq!(
            found[part], *value,
            "{part}, seed {}, {:?} {:?} as of {}",
            town.seed, ask.scope, ask.period, ask.now
        );
    }
    assert_eq!(found, wanted);
}

fn scopes() -> Vec<Scope> {
    let scope = |queues: &[&str], areas: &[&str]| Scope {
        queues: queues.iter().map(|word| (*word).to_owned()).collect(),
        areas: areas.iter().map(|word| (*word).to_owned()).collect(),
    };
    vec![
        Scope::all(),
        scope(&["general"], &[]),
        scope(&[], &["east", "unknown"]),
        scope(&["annual-review-east", "assessment"], &["east"]),
        scope(&["resolution"], &["west"]),
        scope(&["nobody"], &[]),
    ]
}

/// Six towns over half a year each, 4,200 messages and about 3,000 cases in all.
#[test]
fn figures_are_what_counting_by_hand_gives() {
    let calendar = calendar();
    for seed in 1..=6 {
        let town = Town::new(seed, 700, &calendar);
        let today = town.now.date_naive();
        let periods = [
            Period::week_before(today),
            Period::week_of(day("2026-10-25")), // The clocks go back on its Sunday.
            Period::week_of(day("2026-12-28")), // A week without a working day.
            Period::week_of(day("2027-03-29")), // Easter Monday, the day after the clocks went forward.
            Period::new(day("2026-12-01"), day("2027-02-28")),
            Period::new(day("2027-01-12"), day("2027-01-12")),
            Period::week_of(day("2026-08-20")), // Before anything was known.
        ];
        for (n, scope) in scopes().into_iter().enumerate() {
            for (m, period) in periods.iter().enumerate() {
                // All of them with all of them would take long and show no more.
                if (n + m + seed as usize).is_multiple_of(3) || n == 0 {
                    let spans = if m == 0 { period.with_weeks_before() } else { period.weeks() };
                    let ask = Ask {
                        scope: scope.clone(),
                        spans,
                        rules: (m != 2).then(rules),
                        refused_edit: (m == 0).then(|| "Refused on Friday".to_owned()),
                        expiries: (m == 0).then(|| vec![Expiry { what: "a secret".into(), on: today }]),
                        rows: [50, 3, 0, 1000][m % 4],
                        names: m == 1,
                        ..Ask::new(*period, town.now, &calendar)
                    };
                    check(&town, &ask);
                }
            }
        }
    }
}

/// The same on other days than the last: what is overdue moves, what happened does not.
#[test]
fn figures_hold_on_any_day_that_is_looked_from() {
    let calendar = calendar();
    let town = Town::new(77, 500, &calendar);
    for now in [
        "2026-12-24T23:30:00Z",
        "2026-12-27T08:00:00Z",
        "2027-01-04T08:00:00Z",
        "2027-03-27T23:59:59Z",
        "2027-03-28T23:30:00Z", // Summer time since the night: already Monday, Easter Monday.
        "2027-06-30T22:59:59Z",
        "2027-06-30T23:00:00Z",
    ] {
        let now: DateTime<Utc> = now.parse().unwrap();
        for scope in scopes().into_iter().take(3) {
            let period = Period::week_before(now.date_naive());
            check(&town, &Ask { scope, rules: Some(rules()), ..Ask::new(period, now, &calendar) });
        }
    }
}

#[test]
fn a_record_that_has_just_begun_knows_nothing_and_says_so() {
    let calendar = calendar();
    let folder = tempfile::tempdir().unwrap();
    let records = send_triage::record::Records::open(&folder.path().join("record.db")).unwrap();
    let now = "2026-11-23T08:00:00Z".parse().unwrap();
    let ask =
        Ask { rules: Some(rules()), ..Ask::new(Period::week_before(day("2026-11-23")), now, &calendar) };
    let figures = records.figures(&ask).unwrap();
    assert_eq!((figures.known_since, figures.service.whole.received), (None, None));
    assert_eq!((figures.rules.silent_in_period, figures.acknowledgements.median_seconds), (None, None));
    assert!(
        figures.is_quiet() && figures.health.mailboxes.is_empty() && figures.health.ledger.gaps.is_empty()
    );
}
