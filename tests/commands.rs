//! The contract of the commands: names, options, JSON keys, exit codes, and what bad input is told.

use std::path::Path;

use crate::support::program::{Finished, Program};

fn run(arguments: &[&str]) -> Finished {
    Program::run(tempfile::tempdir().unwrap().path(), arguments)
}

fn root(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn due_counts_working_days_and_names_what_it_passed_over() {
    let done =
        run(&["due", "--format", "json", "2026-12-17", "2026-12-17T23:30:00Z", "2026-07-01T23:30:00Z"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines: Vec<_> = done.stdout.lines().map(json).collect();
    assert_eq!(lines[0]["day_zero"], "2026-12-17");
    assert_eq!(lines[0]["due"], "2027-01-05");
    let skipped = lines[0]["skipped"].as_array().unwrap();
    assert!(skipped.iter().any(|s| s["date"] == "2026-12-25" && s["name"] == "Christmas Day"));
    assert!(skipped.iter().any(|s| s["date"] == "2027-01-01" && s["name"] == "New Year's Day"));
    let keys: Vec<_> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["received", "day_zero", "due", "skipped"]);
    // In July half past eleven in the evening UTC is the next day in London; in December it is not.
    assert_eq!(lines[1]["day_zero"], "2026-12-17");
    assert_eq!(lines[2]["day_zero"], "2026-07-02");
}

#[test]
fn explain_prints_the_contracts_keys_one_object_a_line() {
    let (one, two) = (root("fixtures/inbox/general/01-part-time-timetable-iphone.eml"), first_fixture());
    let done = run(&["explain", "--format", "json", "--text", "--mailbox", "general", &one, &two]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(done.stdout.lines().count(), 2);
    let object = json(done.stdout.lines().next().unwrap());
    let keys: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let contract = [
        "file",
        "kind",
        "acknowledge",
        "acknowledge_reason",
        "copied",
        "urgency",
        "grounds",
        "claimed_urgent",
        "queue",
        "area",
        "chaser",
        "signposts",
        "refer_leadership",
        "unsure",
        "due",
        "trace",
        "new_text",
    ];
    assert_eq!(keys, contract);
    let finding = object["trace"][0].as_object().unwrap();
    assert_eq!(finding.keys().collect::<Vec<_>>(), ["rule", "policy", "text", "outcome", "reason"]);
}

fn first_fixture() -> String {
    root("fixtures/labelled/d-004.eml")
}

#[test]
fn explain_takes_the_time_of_receipt_that_it_is_told() {
    let file = first_fixture();
    let due = |received: &str| {
        let done = run(&["explain", "--format", "json", "--received", received, &file]);
        json(&done.stdout)["due"].as_str().unwrap().to_owned()
    };
    assert_eq!(due("2026-12-17"), "2027-01-05");
    assert_eq!(due("2026-11-02T09:00:00Z"), "2026-11-16");
}

#[test]
fn the_rules_agree_with_the_labelled_messages_from_the_first_day() {
    let done = run(&["evaluate", "--format", "json", &root("fixtures/labelled")]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let score = json(&done.stdout);
    assert_eq!(score["automatic_acknowledged"], 0);
    assert!(score["urgent"]["recall"].as_f64().unwrap() >= 0.9);
    assert!(score["kind"]["accuracy"].as_f64().unwrap() >= 0.99);
}

#[test]
fn the_demo_is_a_real_run_that_leaves_letters_and_filed_messages() {
    let dir = tempfile::tempdir().unwrap();
    let done = Program::run(dir.path(), &["demo"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("URGENT") && done.stdout.contains("Where to look next"));
    for life in ["answered: asked again", "answered: the answer", "answered: thanks"] {
        assert!(done.stdout.contains(life), "the life of a case is told: {life}\n{}", done.stdout);
    }
    let letters = std::fs::read_dir(dir.path().join("demo-out/letters")).unwrap().count();
    assert!(letters >= 10, "{letters} letters");
    let digest =
        std::fs::read_dir(dir.path().join("demo-out/digest")).unwrap().next().unwrap().unwrap().path();
    assert!(digest.join("digest.html").exists() && digest.join("on-time.png").exists());
    let again = Program::run(dir.path(), &["demo"]);
    assert_eq!(again.stdout, done.stdout, "the same inbox gives the same table");
}

#[test]
fn the_demo_reads_the_folder_that_it_writes_into_and_not_what_it_wrote() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(first_fixture(), dir.path().join("one.eml")).unwrap();
    std::fs::create_dir_all(dir.path().join(".git/general")).unwrap();
    for time in ["first", "second"] {
        let done = Program::run(dir.path(), &["demo", "--inbox", "."]);
        assert_eq!(done.code, Some(0), "{time}: {}", done.stderr);
        assert!(done.stdout.contains("1 messages (0 of them met a second time)"), "{time}: {}", done.stdout);
    }
    let other = Program::run(dir.path(), &["demo", "--inbox", ".", "--out", "elsewhere"]);
    assert!(other.stdout.contains("1 messages"), "{}{}", other.stdout, other.stderr);
    let inside = Program::run(dir.path(), &["demo", "--inbox", "demo-out/mailboxes"]);
    assert_eq!(inside.code, Some(1));
    assert!(inside.stderr.contains("which the demo clears"), "{}", inside.stderr);
    assert!(dir.path().join("demo-out/record.sqlite").exists(), "nothing was cleared");
}

#[test]
fn the_demo_never_clears_a_folder_that_it_did_not_write() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("demo-out")).unwrap();
    std::fs::write(dir.path().join("demo-out/thesis.txt"), "years of work").unwrap();
    let done = Program::run(dir.path(), &["demo"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("is not empty"), "{}", done.stderr);
    assert!(dir.path().join("demo-out/thesis.txt").exists());
}

/// A command that is to fail: its exit code, and words that its message must have.
#[track_caller]
fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let done = run(arguments);
    assert_eq!(done.code, Some(code), "{arguments:?}\n{}", done.stderr);
    for word in words {
        assert!(done.stderr.contains(word), "{arguments:?}: no {word:?} in\n{}", done.stderr);
    }
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

#[test]
fn bad_input_is_told_what_is_wrong_where_and_what_to_do() {
    refused(&["due", "32nd of May"], 1, &["`32nd of May` is not a time", "2026-12-17"]);
    refused(&["due", "2026-02-30"], 1, &["is not a time"]);
    refused(&["explain", "no-such.eml"], 1, &["no-such.eml", "cannot be read"]);
    refused(
        &["explain", "--mailbox", "nowhere", &first_fixture()],
        1,
        &["no mailbox `nowhere`", "annual-review-east"],
    );
    refused(&["evaluate", "/"], 1, &["labels.jsonl"]);
    refused(&["check", "--config", "missing.yaml"], 1, &["missing.yaml", "--config"]);
    refused(&["check", "--rules", "/nowhere-at-all"], 1, &["/nowhere-at-all", "cannot be read"]);
    refused(&["run"], 1, &["--config", "config/send-triage.yaml"]);
    refused(&["dew", "2026-12-17"], 2, &["dew"]);
    refused(&["due"], 2, &["TIME"]);
}

#[test]
fn a_configuration_is_refused_with_every_problem_and_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let example = std::fs::read_to_string(root("config/send-triage.yaml")).unwrap();
    let check = |text: &str| {
        std::fs::write(dir.path().join("c.yaml"), text).unwrap();
        Program::run(dir.path(), &["check", "--config", "c.yaml"])
    };
    assert_eq!(check(&example).code, Some(0));
    assert_eq!(check(&example.replacen("unsure_subfolder: Unsure", "unsure_subfolder: ~", 1)).code, Some(0));
    for (from, to, words) in [
        ("database:", "databse:", vec!["c.yaml:", "databse", "database"]),
        ("security: tls ", "security: plain ", vec!["plain", "imap.hertfordshire.example", "starttls"]),
        ("filing: move ", "filing: shuffle ", vec!["c.yaml:", "shuffle", "move"]),
        ("unsure_subfolder: Unsure", "unsure_subfolder: urgent", vec!["unsure", "tell them apart"]),
        ("unsure_subfolder: Unsure", "unsure_subfolder: ''", vec!["`unsure_subfolder` is empty", "`~`"]),
        ("to: []", "to: [send.general@hertfordshire.example]", vec!["watched mailbox"]),
        ("to: []", "to: [someone@elsewhere.example]", vec!["own domain"]),
        ("queues:", "queues:\n\tgeneral:", vec!["c.yaml:", "tab"]),
        (
            "answer_within_working_days: 10",
            "answer_within_working_days: ten",
            vec!["c.yaml:", "answer_within_working_days"],
        ),
        ("account: assessment, folder: Triage/Assessment", "account: nobody, folder: X", vec!["nobody"]),
    ] {
        assert!(example.contains(from), "{from}");
        let done = check(&example.replacen(from, to, 1));
        assert_eq!(done.code, Some(1), "{to}\n{}", done.stdout);
        for word in words {
            assert!(done.stderr.contains(word), "{to}: no {word:?} in\n{}", done.stderr);
        }
    }
}

#[test]
fn an_unreachable_server_is_told_by_the_doctor_with_exit_code_3() {
    let dir = tempfile::tempdir().unwrap();
    let config = "council: {domain: hertfordshire.example}\ndatabase: r.sqlite\naccounts:\n  - name: general\n    address: send.general@hertfordshire.example\n    imap: {host: localhost, port: 1, security: plain, password: {env: NOT_SET_ANYWHERE}}\n    smtp: {host: localhost, port: 1, security: plain}\nqueues:\n  resolution: {folder: A}\n  assessment: {folder: B}\n  annual-review-east: {folder: C}\n  annual-review-west: {folder: D}\n  general: {folder: E}\n";
    std::fs::write(dir.path().join("c.yaml"), config).unwrap();
    let done = Program::run(dir.path(), &["doctor", "--config", "c.yaml"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stdout.contains("NOT_SET_ANYWHERE"), "{}", done.stdout);
    std::fs::write(dir.path().join("password"), "x\n").unwrap();
    std::fs::write(dir.path().join("c.yaml"), config.replace("{env: NOT_SET_ANYWHERE}", "{file: password}"))
        .unwrap();
    let done = Program::run(dir.path(), &["doctor", "--config", "c.yaml"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stdout.contains("localhost") && done.stdout.contains("FAILS"), "{}", done.stdout);
}

#[test]
fn cases_without_a_record_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let example = std::fs::read_to_string(root("config/send-triage.yaml")).unwrap();
    let config = example.replace("/var/lib/send-triage/send-triage.sqlite", "none.sqlite");
    std::fs::write(dir.path().join("c.yaml"), config).unwrap();
    let done = Program::run(dir.path(), &["cases", "list", "--config", "c.yaml"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stderr.contains("none.sqlite"), "{}", done.stderr);
}

#[test]
fn learning_from_too_little_says_so_and_leaves_what_was_learned_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (rules, passages) = (dir.path().join("rules"), dir.path().join("passages"));
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::create_dir_all(&passages).unwrap();
    std::fs::write(rules.join("urgent.yaml"), "grounds: []\n").unwrap();
    std::fs::write(rules.join("learned.csv"), "as it was").unwrap();
    std::fs::write(passages.join("U4.yes.txt"), "They send him home at noon\n").unwrap();
    let done = Program::run(dir.path(), &["learn", "--rules", "rules", "passages"]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("nothing was learned, and learned.csv stays as it is"), "{}", done.stderr);
    assert_eq!(std::fs::read_to_string(rules.join("learned.csv")).unwrap(), "as it was");
}
