//! What staff are told of a decision: the memo of `explain` as text and as a page, `evaluate`'s figures, the unsure mark.
//! `fixtures/explained/` has the messages, a few rules of their own, and what is said; `UPDATE_GOLDEN=1 cargo test explained`
//! writes the latter anew, and the difference is what is reviewed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::program::{Finished, Program};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/explained")
}

/// A copy of the fixtures, so that file names are the same on any machine.
fn desk() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    for below in ["", "rules"] {
        for entry in std::fs::read_dir(fixtures().join(below)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), dir.path().join(below).join(entry.file_name())).unwrap();
            }
        }
    }
    dir
}

#[track_caller]
fn explain(arguments: &[&str]) -> String {
    let done = Program::run(desk().path(), &[&["explain", "--rules", "rules"], arguments].concat());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    done.stdout
}

const MESSAGES: [&str; 5] =
    ["automatic-reply", "hostile", "standard-question", "unsure", "urgent-and-set-aside"];

#[track_caller]
fn golden(name: &str, said: &str) {
    let path = fixtures().join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(said == expected, "{name} differs; UPDATE_GOLDEN=1 cargo test explained writes it anew:\n{said}");
}

#[test]
fn memos_are_as_reviewed_as_text_and_as_a_page() {
    for name in MESSAGES {
        let file = format!("{name}.eml");
        golden(&format!("{name}.txt"), &explain(&["--text", &file]));
        golden(&format!("{name}.html"), &explain(&["--format", "html", &file]));
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let file = "urgent-and-set-aside.eml";
    let plain = explain(&[file]);
    assert!(!plain.contains('\u{1b}') && plain.contains(">>two hours<<"), "{plain}");
    assert_eq!(explain(&["--color", "never", file]), plain);
    let coloured = explain(&["--colour", "always", file]);
    assert!(coloured.contains("\u{1b}[30;43mtwo hours\u{1b}[0m") && !coloured.contains(">>"), "{coloured}");
}

/// A message's own escape sequences and markup reach neither the terminal nor the browser.
#[test]
fn what_a_stranger_wrote_is_shown_and_never_obeyed() {
    let text = explain(&["--text", "hostile.eml"]);
    assert!(
        !text.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202A}'..='\u{202E}').contains(&c)),
        "{text}"
    );
    let page = explain(&["--format", "html", "hostile.eml"]);
    assert!(page.contains("&lt;script&gt;") && page.contains("{{body}}"), "shown as written: {page}");
    let known = [
        "a",
        "article",
        "bdi",
        "blockquote",
        "body",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "footer",
        "h1",
        "h2",
        "h3",
        "head",
        "header",
        "html",
        "main",
        "mark",
        "meta",
        "p",
        "section",
        "span",
        "strong",
        "style",
        "sup",
        "title",
    ];
    let tags: BTreeSet<String> = page
        .split('<')
        .skip(1)
        .map(|tag| {
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect::<String>()
        })
        .filter(|tag| !tag.is_empty()) // <!DOCTYPE html>
        .collect();
    assert!(tags.iter().all(|tag| known.contains(&tag.as_str())), "{tags:?}");
    for single in
        ["<title>", "</title>", "<body>", "</body>", "<style>", "</style>", "<article ", "</article>"]
    {
        assert_eq!(page.matches(single).count(), 1, "{single}");
    }
    let attributes: Vec<&str> =
        page.split('<').filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag).collect();
    for fetches in ["src=", "href=\"h", "url(", "@import", "onmouseover", "onerror", "javascript:"] {
        assert!(!attributes.iter().any(|tag| tag.contains(fetches)), "{fetches}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn several_messages_make_one_page() {
    let page = explain(&["--format", "html", "unsure.eml", "standard-question.eml"]);
    assert_eq!((page.matches("<!DOCTYPE").count(), page.matches("<article ").count()), (1, 2));
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "an id names one thing: {ids:?}");
    let links: Vec<&str> =
        page.split(" href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!links.is_empty() && links.iter().all(|link| ids.contains(link)), "{links:?} {ids:?}");
}

/// The demo's record, with a message that a person should look at among others.
fn demo() -> (tempfile::TempDir, impl Fn(&[&str]) -> Finished) {
    let dir = desk();
    std::fs::create_dir(dir.path().join("inbox")).unwrap();
    for name in MESSAGES {
        let file = format!("{name}.eml");
        std::fs::rename(dir.path().join(&file), dir.path().join("inbox").join(&file)).unwrap();
    }
    let done = Program::run(dir.path(), &["demo", "--inbox", "inbox", "--rules", "rules"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("standard (unsure)"), "{}", done.stdout);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/send-triage.yaml");
    let config = std::fs::read_to_string(example).unwrap();
    let config = config.replace("/var/lib/send-triage/send-triage.sqlite", "demo-out/record.sqlite");
    std::fs::write(dir.path().join("c.yaml"), config).unwrap();
    let path = dir.path().to_path_buf();
    (dir, move |arguments: &[&str]| {
        Program::run(&path, &[&["cases", "--config", "c.yaml"], arguments].concat())
    })
}

#[test]
fn an_unsure_decision_is_seen_in_folder_list_and_case() {
    let (dir, cases) = demo();
    let filed = dir.path().join("demo-out/mailboxes/general/Triage/General");
    let messages = |folder: PathBuf| {
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.is_file())
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect::<Vec<_>>()
    };
    let unsure = messages(filed.join("Unsure"));
    assert_eq!(unsure.len(), 1);
    assert!(unsure[0].contains("<unsure@home.example>"), "{}", unsure[0]);
    assert!(messages(filed).iter().all(|message| !message.contains("<unsure@home.example>")));

    let list = cases(&["list"]).stdout;
    assert!(list.contains("(unsure) ") && list.contains(" 1 unsure."), "{list}");
    let only = cases(&["list", "--unsure", "--format", "json"]).stdout;
    assert_eq!(only.lines().count(), 1, "{only}");
    let case: serde_json::Value = serde_json::from_str(&only).unwrap();
    assert_eq!((&case["unsure"], &case["urgency"]), (&true.into(), &"standard".into()));
    let csv = cases(&["list", "--format", "csv"]).stdout;
    assert!(csv.starts_with("reference,due,urgency,grounds,queue,state,acknowledgement,subject,unsure,"), "{csv}");
    assert_eq!(csv.lines().filter(|line| line.split(',').nth(8) == Some("yes")).count(), 1, "{csv}");
    let shown = cases(&["show", case["reference"].as_str().unwrap()]).stdout;
    assert!(
        shown.contains("unsure: a person should look") && shown.contains("east and west are both named"),
        "{shown}"
    );
}

/// Four messages with labels that the rules do not all reach: a missed ground that was marked unsure, one that was not.
fn labelled() -> tempfile::TempDir {
    let dir = desk();
    let label = |file: &str, rest: &str| {
        format!(r#"{{"file": "{file}", "received": "2026-12-17T16:20:00Z", "mailbox": "general", {rest}}}"#)
    };
    let labels = [
        (
            "urgent-and-set-aside",
            "d-001.eml",
            r#""kind": "person", "acknowledge": true, "urgency": "urgent", "grounds": ["U4"], "queue": "resolution", "area": "east", "chaser": "overdue", "signposts": ["school-support"]"#,
        ),
        (
            "unsure",
            "d-002.eml",
            r#""kind": "person", "acknowledge": true, "urgency": "urgent", "grounds": ["U3"], "queue": "general", "area": "unknown", "chaser": "none", "why": "The negation is another's.""#,
        ),
        (
            "standard-question",
            "d-003.eml",
            r#""kind": "person", "acknowledge": true, "urgency": "urgent", "grounds": ["U4"], "queue": "general", "area": "unknown", "chaser": "none""#,
        ),
        (
            "automatic-reply",
            "d-004.eml",
            r#""kind": "auto-reply", "acknowledge": false, "urgency": "standard", "queue": "none", "area": "unknown", "chaser": "none""#,
        ),
    ];
    let mut lines = String::new();
    for (name, file, rest) in labels {
        std::fs::rename(dir.path().join(format!("{name}.eml")), dir.path().join(file)).unwrap();
        lines.push_str(&format!("{}\n", label(file, rest)));
    }
    std::fs::write(dir.path().join("labels.jsonl"), lines).unwrap();
    dir
}

#[test]
fn evaluate_tells_the_figures_the_confusions_and_every_mistake_with_its_trace() {
    let dir = labelled();
    let evaluate = |arguments: &[&str]| {
        let done = Program::run(dir.path(), &[&["evaluate", "--rules", "rules", "."], arguments].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout
    };
    golden("evaluate.txt", &evaluate(&[]));

    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&evaluate(&[&["--format", "json"], arguments].concat())).unwrap()
    };
    let all = json(&[]);
    assert_eq!(all["urgency"]["confusion"]["urgent"], serde_json::json!({"standard": 2, "urgent": 1}));
    assert_eq!(all["each_ground"]["U4"]["missed"], 1);
    assert_eq!(all["each_ground"]["U10"]["hits"], 0, "each of the policy's grounds has its place");
    let caught = &all["unsure"]["urgency"];
    assert_eq!((&caught["wrong"], &caught["marked"]), (&2.into(), &1.into()), "{}", all["unsure"]);
    for mistake in all["mistakes"].as_array().unwrap() {
        assert!(mistake["trace"].as_array().is_some_and(|trace| !trace.is_empty()), "{mistake}");
    }
    assert_eq!(json(&["--only", "held-back"])["messages"], 1);
    assert_eq!(json(&["--only", "worked-on"])["messages"], 3);
}
