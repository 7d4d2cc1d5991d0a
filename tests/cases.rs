//! `send-triage cases` as staff use it: what they read, byte for byte (`fixtures/cases/`; `UPDATE_GOLDEN=1 cargo test cases::`
//! writes it anew), what they change, and what they are told when it cannot be done.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::desk::{Desk, Mail, TODAY};

#[track_caller]
fn golden(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(said == expected, "{name} differs; UPDATE_GOLDEN=1 cargo test cases:: writes it anew:\n{said}");
}

const TIMETABLE: i64 = 3;
const REVIEW: i64 = 4;

#[test]
fn lists_pages_and_histories_read_as_staff_are_to_read_them() {
    let desk = Desk::autumn();
    let printed = |arguments: &[&str]| desk.printed(&[arguments, &["--as-of", TODAY]].concat());
    golden("list.txt", &printed(&["list"]));
    golden("list.csv", &printed(&["list", "--format", "csv"]));
    golden("show-overdue.txt", &printed(&["show", &desk.reference(TIMETABLE)]));
    golden("show-extended.txt", &printed(&["show", &desk.reference(REVIEW)]));
    golden("show-answered.txt", &printed(&["show", &desk.reference(1)]));
    golden("history-sender.txt", &printed(&["history", "Anna.Parent@home.example"]));
    golden("history-sender.csv", &printed(&["history", "anna.parent@home.example", "--format", "csv"]));
    golden("history-case.txt", &printed(&["history", &desk.reference(TIMETABLE)]));
    golden("withheld.txt", &desk.printed(&["withheld", "--since", "2026-12-01"]));
    let list = printed(&["list"]);
    let wide = list.lines().filter(|line| line.chars().count() > 100);
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new(), "the table fits a terminal of 100 columns");
}

#[test]
fn lists_are_narrowed_by_what_a_team_leader_asks_for() {
    let desk = Desk::autumn();
    let count = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let json = ["list", "--format", "json", "--as-of", TODAY];
        desk.printed(&[&json, arguments.as_slice()].concat()).lines().count()
    };
    for (arguments, cases) in [
        ("", 8),
        ("--state waiting", 5),
        ("--state open", 4),
        ("--state extended", 1),
        ("--state answered", 2),
        ("--state closed", 1),
        ("--overdue", 1),
        ("--due-within 4", 1),
        ("--due-within 10", 3),
        ("--due-by 2026-12-08", 4),
        ("--due-before 2026-12-08", 3),
        ("--queue assessment", 1),
        ("--area west", 2),
        ("--urgency urgent", 1),
        ("--sender ANNA.parent@home.example", 2),
        ("--step 2", 1),
        ("--chased", 1),
        ("--chased=3", 0),
        ("--missing", 1),
        ("--matter call-back", 1),
        ("--unsure", 1),
        ("--received-since 2026-12-01", 3),
        ("--received-until 2026-11-05", 2),
        ("--received-since 2026-11-05 --received-until 2026-11-16 --state answered", 1),
    ] {
        assert_eq!(count(arguments), cases, "{arguments}");
    }
    let later = desk.printed(&["list", "--overdue", "--as-of", "2026-12-09"]);
    assert!(later.contains("2 cases, 2 overdue"), "{later}");
    let wrong = desk.cases(&["list", "--queue", "asessment"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("'assessment'"), "{}", wrong.stderr);
}

#[test]
fn colours_only_add_to_what_capitals_say() {
    let desk = Desk::autumn();
    let plain = desk.printed(&["list", "--as-of", TODAY]);
    assert!(plain.lines().any(|line| line.contains("OVERDUE 3 days") && line.contains("URGENT")), "{plain}");
    let coloured = desk.printed(&["list", "--as-of", TODAY, "--color", "always"]);
    assert!(coloured.contains("\u{1b}[1;31mSEND-"), "{coloured}");
    let stripped: String =
        coloured.replace("\u{1b}[1;31m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
    assert_eq!(stripped, plain);
}

#[test]
fn json_has_everything_and_stable_names() {
    let desk = Desk::autumn();
    let reference = desk.reference(TIMETABLE);
    let shown = desk.printed(&["show", &reference, "--format", "json", "--as-of", TODAY]);
    let case: Value = serde_json::from_str(&shown).unwrap();
    for key in [
        "reference",
        "state",
        "urgency",
        "grounds",
        "queue",
        "area",
        "due_on",
        "links",
        "messages",
        "effects",
        "events",
    ] {
        assert!(case.get(key).is_some(), "{key}");
    }
    assert_eq!((&case["overdue"], &case["step"], &case["chasers"]), (&true.into(), &2.into(), &2.into()));
    assert!(case["in_words"].as_str().unwrap().starts_with("Open, overdue by 3 working days"));
    assert_eq!(case["messages"].as_array().unwrap().len(), 3);
    let history =
        desk.printed(&["history", "anna.parent@home.example", "--format", "json", "--as-of", TODAY]);
    let second: Value = serde_json::from_str(history.lines().nth(1).unwrap()).unwrap();
    assert_eq!(second["linked"][0]["reference"], reference.as_str());
    let audit = desk.printed(&["history", &reference, "--format", "json"]);
    assert!(audit.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["actor"].is_string()));
}

#[test]
fn a_case_is_extended_answered_and_opened_again_each_with_its_name() {
    let desk = Desk::empty();
    let case = desk.enter(&Mail::new("2024-11-19 12:00", "office@oakwood.example", "Paperwork"));
    let reference = desk.reference(case);
    let by = |command: &str, more: &[&str]| {
        let done = desk.cases(&[&[command, &reference, "--by", "J. Doe"], more].concat());
        (done.code, format!("{}{}", done.stdout, done.stderr))
    };
    let refused = |command: &str, more: &[&str], because: &str| {
        let (code, said) = by(command, more);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(because), "{said}");
    };
    refused("extend", &["--until", "2024-11-20"], "is over");
    refused(
        "extend",
        &["--until", "2030-01-05"],
        "is no working day. Name Friday 4 January 2030 or Monday 7 January 2030.",
    );
    refused("extend", &["--until", "soon"], "is not a day. Write 2027-01-14");
    let (code, said) = by("extend", &["--until", "14 January 2030", "--why", "the report is late"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("{reference}: Extended from Tuesday 3 December 2024, due in")), "{said}");
    refused("extend", &["--until", "2030-01-14"], "2030-01-14 is not later. Name a later day");
    refused("reopen", &[], "It is extended already: an answer is owed by 2030-01-14.");

    let (code, said) = by("answer", &["--format", "json", "--why", "by telephone"]);
    assert_eq!(code, Some(0), "{said}");
    let object: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&object["reference"], &object["state"]), (&reference.as_str().into(), &"answered".into()));
    assert_eq!((&object["in_time"], &object["extended_from"]), (&true.into(), &"2024-12-03".into()));
    refused("answer", &[], "already; `cases reopen` opens it again.");
    refused("close", &["--why", "no"], "already; `cases reopen` opens it again.");
    assert_eq!(by("close", &[]).0, Some(2), "a case is not closed without a reason");

    assert_eq!(by("reopen", &["--due", "2030-02-01", "--why", "the answer missed the point"]).0, Some(0));
    assert_eq!(by("close", &["--why", "withdrawn by the school"]).0, Some(0));
    refused("answer", &[], "It is closed: nothing is owed.");
    refused("answer", &["--at", "2024-11-18"], "cannot have been answered on");

    let audit = desk.printed(&["history", &reference]).split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "J. Doe staff need longer: until Monday 14 January 2030, because: the report is late",
        "J. Doe answered by staff, because: by telephone",
        "J. Doe opened again; the answer is due by Friday 1 February 2030, because: the answer missed the point",
        "J. Doe closed: nothing is owed, because: withdrawn by the school",
    ] {
        assert!(audit.contains(line), "{line}\n{audit}");
    }
}

#[test]
fn a_case_goes_to_another_team_and_says_where_its_message_lies() {
    let desk = Desk::autumn();
    let reference = desk.reference(REVIEW);
    let said = desk.printed(&["reassign", &reference, "--queue", "assessment", "--urgent", "--by", "J. Doe"]);
    assert!(said.contains(&format!("{reference} is urgent now, with assessment, area west.")), "{said}");
    assert!(said.contains("still lies in general, folder Triage/annual-review-west"), "{said}");
    let again = desk.printed(&["reassign", &reference, "--queue", "assessment", "--by", "J. Doe"]);
    assert!(again.contains("is so already"), "{again}");
    let case: Value = serde_json::from_str(&desk.printed(&["show", &reference, "--format", "json"])).unwrap();
    assert_eq!(
        (&case["urgency"], &case["due_on"]),
        (&"urgent".into(), &"2027-01-14".into()),
        "the day stays"
    );
    assert_eq!(case["events"].as_array().unwrap().last().unwrap()["actor"], "J. Doe");
    let none = desk.cases(&["reassign", &reference, "--by", "J. Doe"]);
    assert_eq!(none.code, Some(2), "{}", none.stderr);
}

#[test]
fn an_unknown_reference_is_answered_with_the_nearest() {
    let desk = Desk::autumn();
    let reference = desk.reference(TIMETABLE);
    let (head, tail) = reference.split_at(reference.len() - 1);
    let slip = format!("{head}{}", if tail == "Z" { "Y" } else { "Z" });
    for command in [&["show", slip.as_str()][..], &["history", &slip], &["answer", &slip, "--by", "J. Doe"]] {
        let done = desk.cases(command);
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
        assert!(done.stderr.contains(&format!("Did you mean {reference}?")), "{}", done.stderr);
    }
    let far = desk.cases(&["show", "SEND-0000-0000"]).stderr;
    assert!(far.contains("References look like SEND-7K4M-2Q9X"), "{far}");
}

#[test]
fn a_change_waits_until_another_program_has_written() {
    let desk = Desk::autumn();
    let reference = desk.reference(TIMETABLE);
    let busy = rusqlite::Connection::open(desk.path()).unwrap();
    busy.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| desk.cases(&["answer", &reference, "--by", "J. Doe"]));
        std::thread::sleep(Duration::from_millis(1500));
        busy.execute_batch("COMMIT").unwrap();
        let done = answer.join().unwrap();
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    });
}
