//! How cases stand after what happened to them, in the order of the policy; and that order and repetition do not matter.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn day(n: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 2).unwrap() + TimeDelta::days(n)
}

fn at(n: i64) -> DateTime<Utc> {
    london::instant(day(n), chrono::NaiveTime::from_hms_opt(10, 0, 0).unwrap())
}

fn opened() -> Fact {
    Fact::Opened {
        matter: Matter::Question,
        due_on: day(14),
        first_response_on: None,
        step: Step::Coordinator,
        step_due_on: None,
    }
}

fn told(happened: &[(i64, Fact)]) -> Standing {
    let happenings: Vec<_> = happened
        .iter()
        .enumerate()
        .map(|(n, (on, fact))| Happening { at: at(*on), key: n.to_string(), fact: fact.clone() })
        .collect();
    Standing::of(&happenings).unwrap()
}

fn chased(on: i64) -> (i64, Fact) {
    (on, Fact::Chased { escalated_due_on: day(on + 6), reopened_due_on: day(on + 14) })
}

#[test]
fn answered_on_the_last_day_is_in_time_and_a_day_later_is_not() {
    let standing = told(&[(0, opened()), (14, Fact::Answered), (20, Fact::Answered)]);
    assert_eq!((standing.state, standing.in_time), (State::Answered, Some(true)));
    assert_eq!((standing.answered_at, standing.last_answered_at), (Some(at(14)), Some(at(20))));
    assert_eq!(told(&[(0, opened()), (15, Fact::Answered)]).in_time, Some(false));
}

#[test]
fn asking_again_in_time_changes_no_date_and_after_it_begins_step_2() {
    let early = told(&[(0, opened()), chased(6)]);
    assert_eq!((early.due_on, early.step, early.chasers), (Some(day(14)), Step::Coordinator, 1));
    let late = told(&[(0, opened()), chased(6), chased(16), chased(18)]);
    assert_eq!((late.due_on, late.step, late.chasers), (Some(day(14)), Step::TeamLead, 3));
    assert_eq!(late.step_due_on, Some(day(22)), "the first of them set the target");
    assert!(late.is_chased_repeatedly() && !early.is_chased_repeatedly());
}

#[test]
fn a_reply_that_is_learnt_of_late_still_counts_from_when_it_was_sent() {
    let standing = told(&[(0, opened()), chased(16), (10, Fact::Answered)]);
    assert_eq!(
        (standing.state, standing.due_on),
        (State::Open, Some(day(30))),
        "asked again after the answer"
    );
    assert_eq!(standing.step, Step::Coordinator, "it was answered in time; this is a new round");
    assert_eq!(standing.last_answered_at, Some(at(10)));
}

#[test]
fn a_holding_reply_puts_the_date_off_visibly_and_never_forward() {
    let held = told(&[(0, opened()), (5, Fact::HeldOver { until: day(40) })]);
    assert_eq!(
        (held.state, held.due_on, held.extended_from),
        (State::Extended, Some(day(40)), Some(day(14)))
    );
    assert_eq!(held.first_response_at, Some(at(5)));
    assert!(!held.is_overdue(day(40)) && held.is_overdue(day(41)));
    let sooner = told(&[(0, opened()), (5, Fact::HeldOver { until: day(7) })]);
    assert_eq!((sooner.state, sooner.due_on, sooner.extended_from), (State::Open, Some(day(14)), None));
    let twice = told(&[
        (0, opened()),
        (5, Fact::HeldOver { until: day(40) }),
        (30, Fact::HeldOver { until: day(60) }),
    ]);
    assert_eq!((twice.due_on, twice.extended_from), (Some(day(60)), Some(day(14))));
}

#[test]
fn what_cannot_be_done_says_why() {
    let open = told(&[(0, opened())]);
    let answered = told(&[(0, opened()), (3, Fact::Answered)]);
    let closed = told(&[(0, opened()), (3, Fact::Closed)]);
    let why = |standing: &Standing, act| standing.allows(act).unwrap_err().to_string();
    assert!(open.allows(Act::Answer).is_ok() && closed.allows(Act::Reopen).is_ok());
    assert_eq!(
        why(&answered, Act::Answer),
        "It was answered on 2026-11-05 already; `cases reopen` opens it again."
    );
    assert_eq!(why(&open, Act::Reopen), "It is open already: an answer is owed by 2026-11-16.");
    assert!(why(&open, Act::Extend { until: day(14) }).contains("is not later"));
    assert!(why(&closed, Act::Close).contains("nothing is owed"));
}

fn any_fact() -> impl Strategy<Value = (i64, Fact)> {
    (0i64..60, 0u8..10, 1i64..40).prop_map(|(on, which, more)| {
        let due = day(on + more);
        let fact = match which {
            0 => Fact::Chased { escalated_due_on: due, reopened_due_on: day(on + more + 8) },
            1 => Fact::Answered,
            2 => Fact::HeldOver { until: due },
            3 => Fact::Thanked,
            4 => Fact::PassedOn { to: vec!["transport".into()] },
            5 => Fact::Escalated { step: Step::ResolutionTeam, due_on: due },
            6 => Fact::Reopened { due_on: due },
            7 => Fact::Closed,
            8 => Fact::Missing,
            _ => Fact::Added,
        };
        (on, fact)
    })
}

/// Whether a fact can move the deadline: every change of `due_on` has one of these before it.
fn may_move(fact: &Fact) -> bool {
    matches!(fact, Fact::Chased { .. } | Fact::HeldOver { .. } | Fact::Reopened { .. } | Fact::Closed)
}

proptest! {
    /// In whatever order and however often it is told, the standing is the same; and the case is never lost.
    #[test]
    fn order_and_repetition_do_not_matter(
        facts in prop::collection::vec(any_fact(), 0..12),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        shuffle in any::<u64>(),
    ) {
        let mut all = vec![Happening { at: at(0), key: "opened".into(), fact: opened() }];
        all.extend(facts.iter().enumerate().map(|(n, (on, fact))| Happening {
            at: at(*on), key: format!("{n}"), fact: fact.clone(),
        }));
        let once = Standing::of(&all).unwrap();
        let mut many = all.clone();
        many.extend(again.iter().map(|index| index.get(&all).clone()));
        many.sort_by_key(|happening| {
            happening.key.bytes().fold(shuffle, |n, b| (n ^ u64::from(b)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        });
        prop_assert_eq!(&once, &Standing::of(&many).unwrap());
        prop_assert!(once.state.is_waiting() == (once.due_on.is_some() && once.answered_at.is_none())
            || once.state == State::Closed);
    }

    /// No date moves without a fact that may move it.
    #[test]
    fn a_deadline_moves_only_by_what_says_so(facts in prop::collection::vec(any_fact(), 0..12)) {
        let mut all = vec![Happening { at: at(0), key: "opened".into(), fact: opened() }];
        all.extend(facts.iter().enumerate().filter(|(_, (_, fact))| !may_move(fact)).map(|(n, (on, fact))| {
            Happening { at: at(*on), key: format!("{n}"), fact: fact.clone() }
        }));
        prop_assert_eq!(Standing::of(&all).unwrap().due_on, Some(day(14)));
    }
}
