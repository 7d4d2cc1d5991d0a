//! The house is in order: layers, guests, lengths, module headers, and nothing of the machine that it was written on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The only files that name a package (style: guests), as the beginning of their path below `src/`.
const GUESTS: &[(&str, &[&str])] = &[
    ("mail_parser", &["message/parse"]),
    ("html2text", &["message/"]),
    ("encoding_rs", &["message/"]),
    ("serde_yaml", &["yaml"]),
    ("regex", &["rules/", "message/new_text"]),
    ("chrono_tz", &["calendar/london"]),
    ("minijinja", &["letter/"]),
    ("schemars", &["config", "letter/council"]),
    ("resvg", &["digest/charts/png"]),
    ("lettre", &["letter/mod", "outbox/smtp"]),
    ("async_imap", &["mailbox/"]),
    ("tokio_rustls", &["mailbox/", "outbox/smtp", "oauth/"]),
    ("ureq", &["oauth/http"]),
    ("ring", &["mailbox/tls", "oauth/"]),
    ("rusqlite", &["record/"]),
    ("clap_mangen", &["command/manual"]),
    ("clap_complete", &["command/manual"]),
    ("tokio", &["mailbox/", "record/", "outbox/", "oauth/", "config", "daemon/", "command/"]),
];

/// What the first three rows of the house do not know: clock, file, network.
const OUTSIDE: &[&str] =
    &["std::fs", "std::net", "std::process", "Utc::now", "Local::now", "SystemTime", "Instant::now"];

/// No file is longer; one that comes near it has two subjects.
const LINES_AT_MOST: usize = 600;

#[test]
fn a_module_imports_only_from_rows_above_and_from_its_left() {
    let order = order();
    let mut complaints = Vec::new();
    for (name, code) in sources() {
        let Some(at) = order.get(module(&name)) else { continue }; // lib.rs and main.rs stand above the rows.
        let wrong = |used: &String| order.get(used).is_none_or(|used_at| used_at > at);
        let used = crate_paths(&code).into_iter().filter(wrong);
        complaints.extend(used.map(|used| format!("{name} imports crate::{used}")));
    }
    report("src/lib.rs, Layers, has the order of the modules", complaints);
}

#[test]
fn packages_are_named_only_where_they_are_guests() {
    let complaints = sources().into_iter().flat_map(|(name, code)| {
        let is_guest = |allowed: &[&str]| allowed.iter().any(|start| name.starts_with(start));
        let wrong = GUESTS.iter().filter(|(package, allowed)| !is_guest(allowed) && names(&code, package));
        wrong.map(|(package, _)| format!("{name} names {package}")).collect::<Vec<_>>()
    });
    report("tests/tidy.rs, GUESTS, has who may name what", complaints.collect());
}

#[test]
fn the_core_knows_no_clock_file_or_network() {
    let order = order();
    let first_outside = order["clock"];
    let core = sources()
        .into_iter()
        .filter(|(name, _)| order.get(module(name)).is_some_and(|at| *at < first_outside));
    let complaints = core.flat_map(|(name, code)| {
        let known = OUTSIDE.iter().filter(|word| code.contains(**word));
        known.map(|word| format!("{name} names {word}")).collect::<Vec<_>>()
    });
    report("the first three rows of src/lib.rs are pure", complaints.collect());
}

#[test]
fn every_file_is_short_and_says_what_it_is() {
    let mut complaints = Vec::new();
    for file in files("").iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let text = fs::read_to_string(file).unwrap();
        if !text.starts_with("//!") {
            complaints.push(format!("{} does not begin with a //! sentence", file.display()));
        }
        if text.lines().count() > LINES_AT_MOST {
            complaints.push(format!("{} has more than {LINES_AT_MOST} lines", file.display()));
        }
    }
    report("style: one file, one subject, said in its first line", complaints);
}

#[test]
fn nothing_names_the_machine_that_it_was_written_on() {
    // Put together here, so that this file does not name them.
    let homes = ["work", "home", "root", "Users"].map(|name| format!("/{name}/"));
    let mut complaints = Vec::new();
    for file in files("") {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let starts_path =
            |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || "+/.-_}".contains(c));
        for home in &homes {
            if text.match_indices(home.as_str()).any(|(at, _)| starts_path(at)) {
                complaints.push(format!("{} names a path below {home}", file.display()));
            }
        }
        let source = |line: &&str| {
            line.starts_with("source = ") && !line.contains("github.com/rust-lang/crates.io-index")
        };
        if file.ends_with("Cargo.lock") && text.lines().any(|line| source(&line)) {
            complaints.push("Cargo.lock names another registry than crates.io".into());
        }
    }
    report("what is committed holds on any machine", complaints);
}

#[track_caller]
fn report(rule: &str, complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}

/// The modules' place in the house, from the table in `src/lib.rs`.
fn order() -> BTreeMap<String, usize> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows = lib.lines().filter(|line| line.starts_with("//! | ") && line.contains('`'));
    let names = rows.flat_map(|row| row.split('`').skip(1).step_by(2).map(str::to_owned));
    let order: BTreeMap<_, _> = names.enumerate().map(|(at, name)| (name, at)).collect();
    assert!(order.len() > 10, "the table of layers in src/lib.rs has changed its form");
    order
}

/// Every file of `src/`, its path below it without `.rs`, and its code: no comments, no unit tests.
fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let code = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    };
    let name =
        |file: &Path| file.strip_prefix(&src).unwrap().with_extension("").to_string_lossy().into_owned();
    let all =
        files("src").into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    all.filter(|file| !file.ends_with("tests.rs")).map(|file| (name(&file), code(&file))).collect()
}

/// `message/parse` is in `message`.
fn module(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// The first names after `crate::`, those of `crate::{a::B, c}` included.
fn crate_paths(code: &str) -> Vec<String> {
    let ident =
        |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, key) in code.match_indices("crate::") {
        let rest = &code[at + key.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(ident(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (at, c) in group.char_indices() {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if depth < 0 || (depth == 0 && c == ',') {
                found.push(ident(&group[start..at]));
                start = at + 1;
            }
            if depth < 0 {
                break;
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// Whether `package::` or `use package` stands there as a path of its own.
fn names(code: &str, package: &str) -> bool {
    code.match_indices(&format!("{package}::"))
        .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
        || code.contains(&format!("use {package};"))
}

/// Every file of the repository below a folder, but what is built and what git keeps.
fn files(below: &str) -> Vec<PathBuf> {
    let skipped = [".git", "target", "demo-out"];
    let mut folders = vec![root().join(below)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if skipped.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path())
            } else {
                found.push(entry.path())
            }
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn imports_are_read_in_every_form() {
    let code = "use crate::message::Message;\nuse crate::{rules::{Ruleset, phrase}, triage};\nlet x = crate::yaml::read();";
    assert_eq!(crate_paths(code), ["message", "rules", "triage", "yaml"]);
    assert!(names("use regex::Regex;", "regex") && names("-> regex::Regex", "regex"));
    assert!(!names("my_regex::x", "regex") && !names("crate::tokio::x", "tokio"));
}
