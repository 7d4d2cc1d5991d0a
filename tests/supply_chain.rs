//! What we build on: no crate with a known flaw, no licence that a council could not live with, nothing from outside crates.io,
//! and no crate twice over without a reason. All of it offline: the advisories are a copy of RustSec's database
//! (`fixtures/advisories/README.md` says how it is renewed).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use semver::{Version, VersionReq};
use serde_json::Value;

/// Crates that stand in the tree in more than one version, and who needs the older one. A new pair is a reason to look.
const TWICE: &[(&str, &str)] = &[
    ("async-channel", "async-imap, by stop-token"),
    ("bit-set", "jsonschema in tests"),
    ("bit-vec", "bit-set"),
    ("cpufeatures", "sha2"),
    ("event-listener", "async-channel"),
    ("getrandom", "0.2 by ring, 0.3 by jsonschema's ahash in tests"),
    ("miniz_oxide", "flate2 and png, for the charts"),
    ("r-efi", "getrandom"),
    ("syn", "derive macros that are not on 3 yet"),
    ("thiserror", "async-imap"),
    ("thiserror-impl", "thiserror"),
    ("windows-sys", "only on Windows"),
];

/// Licences that let a council use, change and pass on the program without publishing anything.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OFL-1.1",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every crate of Cargo.lock that comes from elsewhere, with its versions.
fn locked() -> BTreeMap<String, Vec<Version>> {
    let lock = std::fs::read_to_string(root("Cargo.lock")).unwrap();
    let mut crates: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
            line.map(|rest| rest.trim_end_matches('"').to_owned())
        };
        let Some(source) = field("source") else { continue };
        let name = field("name").unwrap();
        assert!(
            source.contains("github.com/rust-lang/crates.io-index"),
            "{name} is not from crates.io: {source}"
        );
        crates.entry(name).or_default().push(field("version").unwrap().parse().unwrap());
    }
    crates
}

#[test]
fn no_crate_has_a_known_flaw() {
    let crates = locked();
    assert!(crates.len() > 100 && crates.contains_key("mail-parser"), "Cargo.lock was not understood");
    let text = std::fs::read_to_string(root("fixtures/advisories/advisories.jsonl")).unwrap();
    let mut flaws = Vec::new();
    let mut looked_at = 0;
    for line in text.lines() {
        let advisory: Value = serde_json::from_str(line).unwrap();
        let Some(versions) = crates.get(advisory["package"].as_str().unwrap()) else { continue };
        looked_at += 1;
        let safe: Vec<VersionReq> = ["patched", "unaffected"]
            .iter()
            .flat_map(|list| advisory[list].as_array().unwrap())
            .map(|requirement| requirement.as_str().unwrap().parse().unwrap())
            .collect();
        for version in versions.iter().filter(|version| !safe.iter().any(|safe| safe.matches(version))) {
            flaws
                .push(format!("{} {version}: {} {}", advisory["package"], advisory["id"], advisory["title"]));
        }
    }
    assert!(looked_at > 40, "only {looked_at} advisories name a crate of ours: is the copy whole?");
    assert!(
        flaws.is_empty(),
        "update these (`cargo update -p CRATE`), or replace them:\n{}",
        flaws.join("\n")
    );
}

#[test]
fn no_crate_stands_in_the_tree_twice_without_a_reason() {
    let twice: BTreeSet<String> =
        locked().into_iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name).collect();
    let known: BTreeSet<String> = TWICE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let new: Vec<_> = twice.difference(&known).collect();
    assert!(new.is_empty(), "two versions of {new:?}: take one, or say here who needs the other");
    let gone: Vec<_> = known.difference(&twice).collect();
    assert!(gone.is_empty(), "{gone:?} stand there once now: remove them from the list");
}

#[test]
fn every_licence_is_one_that_a_council_can_live_with() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--offline",
        "--filter-platform",
        "x86_64-unknown-linux-gnu",
    ];
    let asked = Command::new(cargo).args(arguments).current_dir(root(".")).output().unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let tree: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let mut unfit = Vec::new();
    for package in tree["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_fit(licence) {
            unfit.push(format!("{}: {licence:?}", package["name"]));
        }
    }
    assert!(unfit.is_empty(), "not on the list of licences: {unfit:?}");
}

/// Whether an SPDX expression leaves a choice that is on the list. `/` is the old way of writing `OR`.
fn is_fit(expression: &str) -> bool {
    let either = expression.replace('/', " OR ");
    let all_of = |text: &str| {
        text.split(" AND ").all(|part| {
            let part = part.trim().trim_start_matches('(').trim_end_matches(')');
            part.split(" OR ").any(|one| LICENCES.contains(&one.trim()))
        })
    };
    if either.contains('(') { all_of(&either) } else { either.split(" OR ").any(all_of) }
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    for fit in [
        "MIT",
        "MIT/Apache-2.0",
        "Apache-2.0 OR GPL-2.0-only",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 AND ISC",
    ] {
        assert!(is_fit(fit), "{fit}");
    }
    for unfit in ["", "GPL-3.0-only", "MIT AND AGPL-3.0-only", "(MIT OR ISC) AND LGPL-2.1-only"] {
        assert!(!is_fit(unfit), "{unfit}");
    }
}
