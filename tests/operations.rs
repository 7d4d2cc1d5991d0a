//! `docs/operations.md` keeps its word: everything that `health` can say and every exit code is explained. (The alerts: `metrics`.)

use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use send_triage::daemon::health::{Canary, Health, Verdict, WatchedFolder};

fn section(heading: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")).skip(1);
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Whether what is said is what the row tells of: its words in order, with anything for `...`.
fn tells_of(row: &str, said: &str) -> bool {
    let mut rest = said;
    row.trim_start_matches("waiting: ").split("...").all(|words| match rest.find(words.trim()) {
        Some(at) => {
            rest = &rest[at + words.trim().len()..];
            true
        }
        None => false,
    })
}

#[test]
fn everything_that_health_can_say_is_explained() {
    let at = |text: &str| format!("2026-11-18T{text}:00Z").parse::<DateTime<Utc>>().unwrap();
    let folder = |folder: &str, seen: Option<&str>| WatchedFolder {
        account: "general".into(),
        folder: folder.into(),
        last_seen_at: seen.map(at),
    };
    let ill = Health {
        written_at: at("10:00"),
        started_at: at("08:00"),
        stopped_at: None,
        process: 1,
        program: "0.1.0".into(),
        rules: "abc".into(),
        rules_refused: true,
        folders: vec![folder("INBOX", Some("09:00")), folder("Support", None)],
        canary: Some(Canary {
            account: "general".into(),
            written_at: at("08:00"),
            expected_by: at("08:30"),
            met_at: None,
        }),
        pending: 1,
        uncertain: 2,
        stuck: 3,
        set_aside: 4,
        certificates: Vec::new(),
        runs_out: vec![
            "The password of general at imap.council.example runs out on Friday 20 November 2026, in 2 days."
                .into(),
        ],
    };
    let quarter = TimeDelta::minutes(15);
    let of = |health: &Health, now: &str| {
        let verdict = Verdict::of(health, at(now), quarter);
        assert!(!verdict.ok);
        [verdict.stalls, verdict.waiting].concat()
    };
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("other.json"), "{}").unwrap();
    let file = |name: &str| Verdict::of_file(&dir.path().join(name), at("10:00"), quarter).stalls;
    let mut said = of(&ill, "10:00");
    assert_eq!(said.len(), 8, "{said:?}");
    said.extend(of(&ill, "11:00"));
    said.extend(of(&Health { stopped_at: Some(at("09:59")), ..ill.clone() }, "10:00"));
    said.extend(file("none.json"));
    said.extend(file("other.json"));
    let rows = section("What `health` says");
    for said in &said {
        let rows = rows.iter().filter(|row| tells_of(&row[0], said)).count();
        assert_eq!(rows, 1, "docs/operations.md has {rows} rows for: {said}");
    }
    for row in &rows {
        assert!(said.iter().any(|said| tells_of(&row[0], said)), "nothing says this any more: {}", row[0]);
        assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn every_exit_code_is_explained() {
    let codes: Vec<String> = section("Exit codes").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(codes, ["0", "1", "2", "3"]);
}
