//! `docs/failures.md` keeps its word: a row for each failure and rule, and behind each name a test that exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

struct Row {
    number: usize,
    why: String,
    tests: Vec<String>,
}

/// The rows of the table below a heading.
fn table(page: &str, heading: &str) -> Vec<Row> {
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, what, why, tests] = cells.as_slice() else { panic!("not four cells: {line}") };
        assert!(!what.is_empty() && !why.is_empty(), "{line}");
        let tests = tests.split_whitespace().map(|name| name.trim_matches('`').to_owned()).collect();
        Row { number: number.parse().unwrap(), why: (*why).to_owned(), tests }
    };
    section
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .map(row)
        .collect()
}

/// The names of all tests in the sources.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.join("src"), root.join("tests")];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                names.extend(tests_in(&fs::read_to_string(entry).unwrap()));
            }
        }
    }
    names
}

/// A function below `#[test]` or `#[tokio::test(...)]`, with other attributes between.
fn tests_in(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in code.lines().map(str::trim) {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if is_test && let Some((_, rest)) = line.split_once("fn ") {
            names.extend(rest.split('(').next().map(str::to_owned));
            is_test = false;
        }
    }
    names
}

#[test]
fn each_of_the_42_failures_and_30_rules_has_its_row_and_its_test() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/failures.md")).unwrap();
    let known = tests();
    for (heading, rows) in [("Failures", 42), ("Rules for whoever answers by itself", 30)] {
        let table = table(&page, heading);
        let numbers: Vec<usize> = table.iter().map(|row| row.number).collect();
        assert_eq!(numbers, (1..=rows).collect::<Vec<_>>(), "{heading}");
        for row in table {
            let missing: Vec<_> = row.tests.iter().filter(|test| !known.contains(*test)).collect();
            assert!(missing.is_empty(), "{heading} {}: no test is called {missing:?}", row.number);
            let reason = row.why.starts_with("Impossible: ");
            assert!(reason || !row.tests.is_empty(), "{heading} {}: no test, and not impossible", row.number);
        }
    }
}
