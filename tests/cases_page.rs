//! `docs/cases.md` says exactly what the code does: its drawing, its list and its tables are compared with every transition that
//! `Standing` makes and every command that it allows.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use send_triage::calendar::london;
use send_triage::case::life::Act;
use send_triage::case::{Fact, Happening, Matter, Standing, State, Step};

const PAGE: &str = include_str!("../docs/cases.md");
const STATES: [State; 4] = [State::Open, State::Extended, State::Answered, State::Closed];

fn day(n: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 2).unwrap() + TimeDelta::days(n)
}

fn at(n: i64) -> DateTime<Utc> {
    london::instant(day(n), "10:00:00".parse().unwrap())
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

/// How a case stands after the fact that opened it and these, a day apart.
fn after(facts: &[Fact]) -> Standing {
    let all = std::iter::once(opened()).chain(facts.iter().cloned());
    let happenings: Vec<_> =
        (0..).zip(all).map(|(n, fact)| Happening { at: at(n), key: n.to_string(), fact }).collect();
    Standing::of(&happenings).unwrap()
}

/// The facts that bring a new case to this state.
fn way_to(state: State) -> Vec<Fact> {
    let way = match state {
        State::Open => vec![],
        State::Extended => vec![Fact::HeldOver { until: day(40) }],
        State::Answered => vec![Fact::Answered],
        State::Closed => vec![Fact::Closed],
    };
    assert_eq!(after(&way).state, state);
    way
}

/// One fact of each kind but the first. A new kind does not compile until it stands here, and so on the page.
fn facts() -> Vec<Fact> {
    let next = |fact: &Fact| match fact {
        Fact::Opened { .. } => Some(Fact::Chased { escalated_due_on: day(30), reopened_due_on: day(40) }),
        Fact::Chased { .. } => Some(Fact::Added),
        Fact::Added => Some(Fact::Thanked),
        Fact::Thanked => Some(Fact::Answered),
        Fact::Answered => Some(Fact::HeldOver { until: day(60) }),
        Fact::HeldOver { .. } => Some(Fact::PassedOn { to: vec!["transport@council.example".into()] }),
        Fact::PassedOn { .. } => Some(Fact::Escalated { step: Step::TeamLead, due_on: day(30) }),
        Fact::Escalated { .. } => Some(Fact::Reopened { due_on: day(40) }),
        Fact::Reopened { .. } => Some(Fact::Closed),
        Fact::Closed => Some(Fact::Relabelled { first_response_on: None }),
        Fact::Relabelled { .. } => Some(Fact::Missing),
        Fact::Missing => Some(Fact::Found),
        Fact::Found => None,
    };
    std::iter::successors(next(&opened()), next).collect()
}

fn name(fact: &Fact) -> String {
    serde_json::to_value(fact).unwrap()["what"].as_str().unwrap().to_owned()
}

/// What a person must ask for; other facts come from mail as well.
fn act(fact: &Fact) -> Option<Act> {
    match fact {
        Fact::Reopened { .. } => Some(Act::Reopen),
        Fact::Closed => Some(Act::Close),
        _ => None,
    }
}

/// What becomes of a case in this state; `None`: it is refused.
fn becomes(state: State, fact: &Fact) -> Option<State> {
    let mut way = way_to(state);
    if act(fact).is_some_and(|act| after(&way).allows(act).is_err()) {
        return None;
    }
    way.push(fact.clone());
    Some(after(&way).state)
}

/// Every change of state: from, by, to.
fn transitions() -> BTreeSet<(String, String, String)> {
    let mut found = BTreeSet::from([("new".to_owned(), "opened".to_owned(), after(&[]).state.to_string())]);
    for state in STATES {
        for fact in facts() {
            if let Some(to) = becomes(state, &fact).filter(|to| *to != state) {
                found.insert((state.to_string(), name(&fact), to.to_string()));
            }
        }
    }
    found
}

/// The block of the page after this line.
fn block(begins: &str) -> impl Iterator<Item = &'static str> {
    let (_, rest) = PAGE.split_once(begins).unwrap();
    rest.lines().skip(1).take_while(|line| !line.starts_with("```"))
}

/// The table of the page with this heading, a row a line.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = PAGE.split_once(heading).unwrap();
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_drawing_has_exactly_the_transitions_that_the_code_makes() {
    let drawn: BTreeSet<_> = block("```mermaid")
        .filter_map(|line| {
            let (from, rest) = line.trim().split_once(" --> ")?;
            let (to, by) = rest.split_once(" : ")?;
            let from = if from == "[*]" { "new" } else { from };
            Some((from.to_owned(), by.to_owned(), to.to_owned()))
        })
        .collect();
    assert_eq!(drawn, transitions());
}

#[test]
fn the_list_has_them_too() {
    let listed: BTreeSet<_> = block("```text")
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let [from, "--", by, "-->", to] = words[..] else { panic!("{line}") };
            (from.trim_matches(['(', ')']).to_owned(), by.to_owned(), to.to_owned())
        })
        .collect();
    assert_eq!(listed, transitions());
}

#[test]
fn the_table_of_facts_says_what_each_state_becomes() {
    let written = table("| fact | open | extended | answered | closed |");
    let done: Vec<Vec<String>> = facts()
        .iter()
        .map(|fact| {
            let states =
                STATES.map(|state| becomes(state, fact).map_or("refused".into(), |to| to.to_string()));
            std::iter::once(name(fact)).chain(states).collect()
        })
        .collect();
    assert_eq!(written, done);
    let explained = table("| fact | comes from | what it changes |");
    let explained: Vec<&str> = explained.iter().flat_map(|row| row[0].split(", ")).collect();
    let all: Vec<String> = std::iter::once(opened()).chain(facts()).map(|fact| name(&fact)).collect();
    assert_eq!(explained, all, "each is explained, in the same order");
}

#[test]
fn the_table_of_commands_says_what_is_refused() {
    let written = table("| command | open | extended | answered | closed |");
    let acts = [
        ("answer", Act::Answer),
        ("extend", Act::Extend { until: day(90) }),
        ("reopen", Act::Reopen),
        ("close", Act::Close),
    ];
    let done: Vec<Vec<&str>> = acts
        .iter()
        .map(|(name, act)| {
            let states = STATES
                .map(|state| if after(&way_to(state)).allows(*act).is_ok() { "done" } else { "refused" });
            std::iter::once(*name).chain(states).collect()
        })
        .collect();
    assert_eq!(written, done);
}

#[test]
fn the_table_of_steps_has_their_times() {
    for (row, number) in table("| step | who answers | within |").iter().zip(1..) {
        let step = Step::of_number(number).unwrap();
        assert_eq!((row[0], row[1]), (number.to_string().as_str(), step.who()));
        assert!(row[2].contains(&format!("{} working days", step.working_days())), "{row:?}");
    }
}
