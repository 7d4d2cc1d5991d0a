//! Joining, and above all what it must never do.

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;

use super::super::life::{Fact, Happening, Matter, Step};
use super::*;
use crate::calendar::london;
use crate::message::Fingerprint;

fn day(n: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 2).unwrap() + TimeDelta::days(n)
}

fn at(n: i64) -> DateTime<Utc> {
    london::instant(day(n), chrono::NaiveTime::from_hms_opt(10, 0, 0).unwrap())
}

/// A case of these people, opened on day 0 and due on day 14, with what happened to it besides.
fn thread(case: i64, wrote: &[&str], happened: &[(i64, Fact)]) -> Thread {
    let opened = Fact::Opened {
        matter: Matter::Question,
        due_on: day(14),
        first_response_on: None,
        step: Step::Coordinator,
        step_due_on: None,
    };
    let mut happenings = vec![Happening { at: at(0), key: "opened".into(), fact: opened }];
    happenings.extend(happened.iter().enumerate().map(|(n, (on, fact))| Happening {
        at: at(*on),
        key: n.to_string(),
        fact: fact.clone(),
    }));
    let mut people = People::default();
    wrote.iter().for_each(|address| people.wrote(address));
    Thread {
        case,
        reference: Reference::of(&Fingerprint([u8::try_from(case).unwrap(); 32]), 0),
        received_at: at(0),
        labels: Labels {
            kind: "person".into(),
            urgency: "standard".into(),
            grounds: vec!["S4".into()],
            queue: "general".into(),
            area: "east".into(),
        },
        standing: Standing::of(&happenings).unwrap(),
        people,
    }
}

fn writes<'a>(writer: &'a [&'a str]) -> Incoming<'a> {
    Incoming {
        writer,
        received_at: at(6),
        is_reply: true,
        chaser: Chaser::None,
        thanks: false,
        asks: Asks::Nothing,
        grounds: &[],
        resolution: false,
    }
}

/// What became of it, in a word; with the cases it is linked to.
fn said(judgement: &Judgement<'_>) -> String {
    match judgement {
        Judgement::Joins(joins) => format!("joins {} as {:?}", joins.thread().case, joins.part),
        Judgement::Opens(links) => {
            let links: Vec<_> = links.iter().map(|(thread, _)| thread.case.to_string()).collect();
            format!("opens [{}]", links.join(" "))
        }
        Judgement::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn a_reply_to_all_adds_to_what_its_writer_said_before_and_to_nothing_else() {
    let (theirs, own) = (thread(1, &["anna@home.example"], &[]), thread(2, &["ben@school.example"], &[]));
    let theirs = std::slice::from_ref(&theirs);
    let new_ground = ["U1".to_owned()];
    let ben = writes(&["ben@school.example"]);
    let said_of = |incoming, own| said(&judge(incoming, theirs, own, None, &[]));
    assert_eq!(said_of(ben, Some(&own)), "joins 2 as Addition");
    assert_eq!(said_of(ben, None), "opens [1]", "the first that he says");
    assert_eq!(said_of(writes(&["cleo@home.example"]), Some(&own)), "opens [1]", "never somebody else's");
    assert_eq!(said_of(writes(&["ben@school.example", "cleo@home.example"]), Some(&own)), "opens [1]");
    assert_eq!(said_of(writes(&[]), Some(&own)), "opens [1]");
    let on_the_same_day = Incoming { asks: Asks::Something, received_at: at(0) + TimeDelta::hours(3), ..ben };
    assert_eq!(said_of(on_the_same_day, Some(&own)), "joins 2 as Addition");
    assert_eq!(said_of(Incoming { asks: Asks::Something, ..ben }, Some(&own)), "opens [1]", "days later");
    assert_eq!(said_of(Incoming { asks: Asks::AnotherMatter, ..ben }, Some(&own)), "opens [1]");
    assert_eq!(said_of(Incoming { grounds: &new_ground, ..ben }, Some(&own)), "opens [1]");
    assert_eq!(said_of(Incoming { chaser: Chaser::Unclear, ..ben }, Some(&own)), "opens [1]", "in doubt");
    let mut told_by_staff = thread(3, &["dora@home.example"], &[]);
    told_by_staff.people.staff_addressed("ben@school.example");
    assert_eq!(said_of(ben, Some(&told_by_staff)), "opens [1]", "only what he wrote himself");
}

#[track_caller]
fn check(incoming: Incoming<'_>, threads: &[Thread], expected: &str) {
    assert_eq!(said(&judge(incoming, threads, None, None, &[])), expected);
}

const ANNA: &str = "anna@home.example";
const BEN: &str = "ben@home.example";

#[test]
fn in_a_thread_of_ones_own() {
    let waiting = [thread(1, &[ANNA], &[])];
    let answered = [thread(1, &[ANNA], &[(3, Fact::Answered)])];
    let closed = [thread(1, &[ANNA], &[(3, Fact::Closed)])];
    let anna = writes(&[ANNA]);
    let chases = Incoming { chaser: Chaser::Within, asks: Asks::Something, ..anna };
    check(chases, &waiting, "joins 1 as Chaser");
    check(chases, &answered, "joins 1 as Chaser");
    check(chases, &closed, "opens [1]");
    check(Incoming { asks: Asks::AnotherMatter, ..chases }, &waiting, "opens [1]");
    check(anna, &waiting, "joins 1 as Addition");
    check(anna, &answered, "opens [1]");
    check(Incoming { asks: Asks::Something, ..anna }, &waiting, "opens [1]");
    check(Incoming { thanks: true, ..anna }, &waiting, "joins 1 as Thanks");
    check(Incoming { thanks: true, ..anna }, &answered, "joins 1 as Thanks");
    check(Incoming { resolution: true, ..anna }, &waiting, "opens [1]");
    check(Incoming { resolution: true, ..chases }, &waiting, "joins 1 as Chaser");
}

#[test]
fn an_urgent_ground_that_is_new_opens_a_case_whatever_else_is_said() {
    let threads = [thread(1, &[ANNA], &[])];
    let grounds = ["U3".to_owned()];
    let urgent = Incoming { grounds: &grounds, chaser: Chaser::Within, ..writes(&[ANNA]) };
    check(urgent, &threads, "opens [1]");
    check(Incoming { thanks: true, ..urgent }, &threads, "opens [1]");
    let mut known = thread(1, &[ANNA], &[]);
    known.labels.grounds.push("U3".into());
    check(urgent, &[known], "joins 1 as Chaser");
}

#[test]
fn a_stranger_in_a_thread_opens_a_case_that_is_linked() {
    // Separated parents: Ben was copied in by Anna, or has her message from elsewhere. Staff have never written to him.
    let threads = [thread(1, &[ANNA], &[])];
    let chases = Incoming { chaser: Chaser::Within, ..writes(&[BEN]) };
    check(chases, &threads, "opens [1]");
    check(Incoming { thanks: true, ..writes(&[BEN]) }, &threads, "nothing");
    let mut answered = thread(1, &[ANNA], &[]);
    answered.people.staff_addressed("Ben@Home.example");
    check(chases, &[answered], "joins 1 as Chaser");
}

#[test]
fn behind_one_address_there_may_be_many_people() {
    let portal = "portal@school.example";
    let threads = [thread(1, &[portal, ANNA], &[])];
    fn chases<'a>(writer: &'a [&'a str]) -> Incoming<'a> {
        Incoming { chaser: Chaser::Within, ..writes(writer) }
    }
    check(chases(&[portal, ANNA]), &threads, "joins 1 as Chaser");
    check(chases(&[portal, BEN]), &threads, "opens [1]");
    check(chases(&[]), &threads, "opens [1]");
    // A colleague of the same school has no part in it either.
    check(chases(&["head@school.example"]), &threads, "opens [1]");
}

#[test]
fn a_second_thread_of_somebody_else_nearer_than_ones_own_is_doubt() {
    let threads = [thread(2, &[BEN], &[]), thread(1, &[ANNA], &[])];
    check(Incoming { chaser: Chaser::Within, ..writes(&[ANNA]) }, &threads, "opens [2 1]");
}

#[test]
fn a_chaser_that_refers_to_nothing_is_linked_to_what_its_sender_waits_for() {
    let waiting = [thread(1, &[ANNA], &[]), thread(2, &[ANNA], &[])];
    let chases = Incoming { chaser: Chaser::Overdue, is_reply: false, ..writes(&[ANNA]) };
    assert_eq!(said(&judge(chases, &[], None, None, &waiting)), "opens [1 2]");
    assert_eq!(
        said(&judge(Incoming { chaser: Chaser::None, ..chases }, &[], None, None, &waiting)),
        "opens []"
    );
    let thanks = Incoming { thanks: true, is_reply: false, ..writes(&[ANNA]) };
    assert_eq!(
        said(&judge(thanks, &[], None, None, &[])),
        "opens []",
        "a letter of thanks that answers nothing"
    );
}

#[test]
fn sent_again_word_for_word_in_its_time_is_a_copy() {
    let first = thread(1, &[ANNA], &[]);
    let same = |on| Some(SameWords { thread: &first, received_at: at(on) });
    let again = Incoming { is_reply: false, asks: Asks::Something, ..writes(&[ANNA]) };
    assert_eq!(said(&judge(again, &[], None, same(0), &[])), "joins 1 as SentAgain");
    let late = Incoming { received_at: at(20), ..again };
    assert_eq!(said(&judge(late, &[], None, same(0), &[])), "opens []", "its time is over");
    let chaser = Incoming { chaser: Chaser::Within, ..again };
    assert_eq!(said(&judge(chaser, &[], None, same(3), &[])), "opens []", "the same chaser, days later");
    assert_eq!(said(&judge(chaser, &[], None, same(6), &[])), "joins 1 as SentAgain", "twice in a minute");
    let answered = thread(1, &[ANNA], &[(2, Fact::Answered)]);
    let same = Some(SameWords { thread: &answered, received_at: at(0) });
    assert_eq!(said(&judge(again, &[], None, same, &[])), "opens []");
}

fn any_chaser() -> impl Strategy<Value = Chaser> {
    prop_oneof![Just(Chaser::None), Just(Chaser::Within), Just(Chaser::Unclear), Just(Chaser::Overdue)]
}

fn any_asks() -> impl Strategy<Value = Asks> {
    prop_oneof![Just(Asks::Nothing), Just(Asks::Something), Just(Asks::AnotherMatter)]
}

/// Everybody of family `n`: two parents, and a grandmother whom staff once wrote to.
fn family(n: usize) -> [String; 3] {
    [
        format!("mother@family{n}.example"),
        format!("father@family{n}.example"),
        format!("gran@family{n}.example"),
    ]
}

proptest! {
    /// Whatever is referred to, in whatever order, and whatever it says: a family's message joins its own cases only.
    #[test]
    fn no_familys_message_joins_anothers_case(
        owners in prop::collection::vec((0usize..4, 0usize..3, any::<bool>(), 0u8..4), 1..8),
        forged in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        (writer, who) in (0usize..5, 0usize..3),
        (chaser, asks, thanks, resolution, is_reply) in
            (any_chaser(), any_asks(), any::<bool>(), any::<bool>(), any::<bool>()),
        same in prop::option::of(any::<prop::sample::Index>()),
        own in prop::option::of(any::<prop::sample::Index>()),
        shout in any::<bool>(),
    ) {
        let cases: Vec<Thread> = owners.iter().zip(1i64..).map(|((family_of, by, staff_wrote, fate), case)| {
            let members = family(*family_of);
            let happened = match fate {
                0 => vec![],
                1 => vec![(3, Fact::Answered)],
                2 => vec![(3, Fact::Closed)],
                _ => vec![(3, Fact::HeldOver { until: day(40) })],
            };
            let mut thread = thread(case, &[&members[*by]], &happened);
            if *staff_wrote {
                thread.people.staff_addressed(&members[2]);
            }
            thread
        }).collect();
        let threads: Vec<Thread> = forged.iter().map(|index| index.get(&cases).clone()).collect();
        let address = family(writer)[who].clone();
        let address = if shout { address.to_uppercase() } else { address };
        let same = same.map(|index| SameWords { thread: index.get(&cases), received_at: at(6) });
        let own = own.map(|index| index.get(&cases));
        let writer_is = [address.as_str()];
        let incoming = Incoming { chaser, asks, thanks, resolution, is_reply, ..writes(&writer_is) };
        if let Judgement::Joins(joins) = judge(incoming, &threads, own, same, &cases) {
            let suffix = format!("@family{writer}.example");
            prop_assert!(joins.thread().people.all().all(|person| person.ends_with(&suffix)));
            let takes_part = joins.thread().people.all().any(|person| person == address.to_lowercase());
            prop_assert!(takes_part, "and the writer is one of them");
        }
    }
}
