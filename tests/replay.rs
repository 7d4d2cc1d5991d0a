//! `replay`: what other rules would decide, against files, an mbox, and what was recorded; and what it never touches.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::filed::{Filed, copy, rules_with};
use crate::support::program::Program;

/// Finds the chaser of the demo, which is standard, and one of the labelled messages.
const EDIT: &str = "      - did not hear anything\n      - (who | which one) is our coordinator\n";

fn labelled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled")
}

/// Nine of the labelled messages, in the folder `past`.
fn nine(dir: &Path) {
    fs::create_dir(dir.join("past")).unwrap();
    for number in 1..=9 {
        let name = format!("d-00{number}.eml");
        fs::copy(labelled().join(&name), dir.join("past").join(name)).unwrap();
    }
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn counts_come_first_then_each_difference_with_the_words_responsible() {
    let dir = tempfile::tempdir().unwrap();
    rules_with(&dir.path().join("new"), "urgent.yaml", "U4", EDIT);
    nine(dir.path());
    let done = Program::run(dir.path(), &["replay", "--rules", "new", "--against", "past"]);
    assert_eq!(done.code, Some(0), "differences are no fault\n{}", done.stderr);
    assert!(done.stdout.starts_with("9 messages read, 1 would be decided differently."), "{}", done.stdout);
    for words in [
        "1 standard -> urgent",
        "1 gained U4, 1 lost S4",
        "d-002.eml",
        "now:    U4 holds \"Who is our coordinator\"",
    ] {
        assert!(done.stdout.contains(words), "no {words:?} in\n{}", done.stdout);
    }
    // The other way round, with --old: what was gained is lost.
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").display().to_string();
    let back = ["replay", "--format", "json", "--rules", &rules, "--old", "new", "past"];
    let back = lines(&Program::run(dir.path(), &back).stdout);
    assert_eq!(back[0]["changes"]["urgency"]["urgent -> standard"], 1);
    assert_eq!(back[0]["changes"]["grounds"]["lost U4"], 1);
    assert_eq!((back.len(), &back[1]["lost"][0]["rule"]), (2, &serde_json::json!("U4")));
}

#[test]
fn an_mbox_is_read_like_the_files_in_it() {
    let dir = tempfile::tempdir().unwrap();
    rules_with(&dir.path().join("new"), "urgent.yaml", "U4", EDIT);
    let mut mbox = Vec::new();
    for number in 1..=9 {
        let raw = fs::read(labelled().join(format!("d-00{number}.eml"))).unwrap();
        mbox.extend(b"From MAILER-DAEMON Thu Sep  3 08:12:00 2026\n");
        for line in raw.split_inclusive(|byte| *byte == b'\n') {
            if line.strip_prefix(b">").unwrap_or(line).starts_with(b"From ") {
                mbox.push(b'>');
            }
            mbox.extend(line);
        }
        mbox.extend(b"\n\n");
    }
    fs::write(dir.path().join("past.mbox"), mbox).unwrap();
    let done = Program::run(dir.path(), &["replay", "--format", "json", "--rules", "new", "past.mbox"]);
    let found = lines(&done.stdout);
    assert_eq!((&found[0]["read"], &found[0]["different"]), (&9.into(), &1.into()), "{}", done.stderr);
    assert_eq!(found[1]["message"], "past.mbox, message 2");
}

#[test]
fn what_was_recorded_is_decided_again_where_it_lies_and_nothing_is_touched() {
    let team = Filed::new();
    rules_with(
        &team.path().join("new"),
        "urgent.yaml",
        "U7",
        "      - (who | which one) is our EHC coordinator\n",
    );
    let before = tempfile::tempdir().unwrap();
    copy(&team.mailbox(""), before.path());
    let found = team.json(&["replay", "--format", "json", "--rules", "new"]);
    assert_eq!((&found[0]["read"], &found[0]["different"]), (&20.into(), &2.into()), "{found:#?}");
    assert_eq!(found[1]["changes"]["urgency"]["after"], "urgent");
    assert_eq!(found[1]["reference"], team.reference("Who is our EHC"));
    assert_eq!(found[1]["gained"][0]["rule"], "U7");
    let same = std::process::Command::new("diff").arg("-r").args([before.path(), &team.mailbox("")]).output();
    assert_eq!(String::from_utf8(same.unwrap().stdout).unwrap(), "");

    // One that is gone is told, not forgotten.
    fs::remove_file(team.mailbox("general/Triage/General/11-broken-bytes.eml")).unwrap();
    let done = team.run(&["replay", "--rules", "new", "--against", "recorded"]);
    assert!(done.stdout.starts_with("19 messages read, 2 would"), "{}", done.stdout);
    assert!(done.stdout.contains("1 of the 20 messages on record were not met again"), "{}", done.stdout);
}

#[test]
fn rules_that_are_wrong_and_sources_that_are_not_there_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    rules_with(&dir.path().join("new"), "urgent.yaml", "U4", "      - half (days\n");
    let refused = |arguments: &[&str], words: &str| {
        let done = Program::run(dir.path(), arguments);
        assert_eq!(done.code, Some(1), "{arguments:?}\n{}", done.stderr);
        assert!(done.stderr.contains(words), "{arguments:?}: no {words:?} in\n{}", done.stderr);
    };
    refused(&["replay", "--rules", "new", "new"], "urgent.yaml:");
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").display().to_string();
    refused(&["replay", "--rules", &rules, "nowhere"], "nowhere: there is no such file");
    refused(&["replay", "--rules", &rules], "--config");
    fs::create_dir(dir.path().join("empty")).unwrap();
    let done = Program::run(dir.path(), &["replay", "--rules", &rules, "empty"]);
    assert!(done.stdout.contains("No messages there"), "{}", done.stdout);
}
