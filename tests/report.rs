//! `send-triage report` as people use it: what they read, byte for byte (`fixtures/digest/report*`, `slip*`; `UPDATE_GOLDEN=1 cargo test report::`
//! writes them anew), and what they are told when it cannot be done.

use std::path::Path;

use serde_json::Value;

use crate::support::desk::{Desk, TODAY};

const TIMETABLE: i64 = 3;
const REVIEW: i64 = 4;

#[track_caller]
fn golden(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/digest").join(name);
    // The versions of the shipped rules and how many they are change with the rules.
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(said == expected, "{name} differs; UPDATE_GOLDEN=1 cargo test report:: writes it anew:\n{said}");
}

/// Lines that tell of the shipped rules are left out: they change with the rules.
fn without_rules(text: &str) -> String {
    let about_rules = |line: &&str| line.contains("rules said nothing") || line.starts_with("rules,");
    text.lines().filter(|line| !about_rules(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_report_reads_as_managers_are_to_read_it() {
    let desk = Desk::autumn();
    let november = ["--from", "2026-11-01", "--to", "2026-11-30", "--as-of", TODAY];
    let printed = |format: &str| desk.report(&[&november[..], &["--format", format]].concat());
    let html = printed("html");
    golden("report.html", &without_rules(&html));
    golden("report.csv", &without_rules(&printed("csv").replace("\r\n", "\n")));
    for secret in ["anna.parent", "home.example", "<script", "://", "src="] {
        assert!(!html.to_lowercase().contains(secret), "{secret}");
    }
    let json: Value = serde_json::from_str(&printed("json")).unwrap();
    let whole = &json["service"]["whole"];
    let sum: u64 = json["service"]["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| span["figures"]["received"].as_u64().unwrap())
        .sum();
    assert_eq!(whole["received"].as_u64(), Some(sum), "the weeks add up to the month");
    assert!(sum >= 5, "{whole}");
}

#[test]
fn a_report_of_one_team_is_about_that_team() {
    let desk = Desk::autumn();
    let of = |arguments: &[&str]| -> Value {
        let whole = ["--from", "2026-11-01", "--to", TODAY, "--format", "json", "--as-of", TODAY];
        serde_json::from_str(&desk.report(&[&whole[..], arguments].concat())).unwrap()
    };
    let received = |json: &Value| json["service"]["whole"]["received"].as_u64().unwrap();
    let all = received(&of(&[]));
    let areas = ["east", "west", "unknown"].map(|area| received(&of(&["--area", area])));
    assert_eq!(areas.iter().sum::<u64>(), all);
    assert_eq!(received(&of(&["--area", "east,west,unknown"])), all);
    let assessment = of(&["--queue", "assessment"]);
    assert!(received(&assessment) > 0 && received(&assessment) < all);
    assert_eq!(assessment["sources"]["queues"].as_array().unwrap().len(), 1);
}

#[test]
fn a_decision_slip_says_what_was_decided_and_how_the_days_were_counted() {
    let desk = Desk::autumn();
    let slip = |case: i64, more: &[&str]| {
        let reference = desk.reference(case);
        desk.report(&[&["--case", &reference, "--as-of", TODAY][..], more].concat())
    };
    golden("slip.txt", &slip(TIMETABLE, &[]));
    golden("slip.html", &slip(REVIEW, &["--format", "html"]));
    let json: Value = serde_json::from_str(&slip(REVIEW, &["--format", "json"])).unwrap();
    let counting = &json["countings"][0];
    let last = counting["days"].as_array().unwrap().last().unwrap();
    assert_eq!((last["number"].as_u64(), &last["on"]), (Some(10), &counting["due_on"]));
    assert!(!slip(TIMETABLE, &[]).contains("@home.example"), "no name unless it is asked for");
    assert!(slip(TIMETABLE, &["--names"]).contains("@home.example"));
}

#[test]
fn what_cannot_be_reported_is_said() {
    let desk = Desk::autumn();
    for (arguments, said) in [
        (&["--from", "2026-11-30", "--to", "2026-11-01"][..], "before it begins"),
        (&["--from", "1926-11-30", "--to", "2026-11-01"], "is the year right"),
        (&["--from", "2026-11-01", "--queue", "assesment"], "There is no team `assesment`"),
        (&["--from", "soon"], "is not a day"),
        (&["--from", "2026-11-01", "--format", "text"], "html, csv or json"),
        (&["--case", "SEND-0000-0000"], "There is no case"),
    ] {
        let finished = desk.report_finished(arguments);
        assert_eq!(finished.code, Some(1), "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(said), "{arguments:?}: {}", finished.stderr);
    }
    assert_eq!(desk.report_finished(&[]).code, Some(2));
}
