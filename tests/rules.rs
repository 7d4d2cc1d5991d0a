//! The shipped rules hold their own examples; every broken file gives its complaint.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use send_triage::config::{Config, working_days};
use send_triage::letter::Wording;
use send_triage::rules::{self, Diagnostic, SourceFile, World};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn source(path: &Path, name: &str) -> SourceFile {
    SourceFile { name: name.to_owned(), bytes: fs::read(path).expect("a readable file") }
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    all.sort();
    all
}

fn shown(all: &[Diagnostic]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_rules_pass_their_examples() {
    let files: Vec<SourceFile> = yaml_files(&root().join("rules"))
        .iter()
        .chain([&root().join("rules/learned.csv")])
        .map(|path| source(path, &path.file_name().expect("a name").to_string_lossy()))
        .collect();
    let world = World { terms: Vec::new(), domain: "hertfordshire.example".to_owned() };
    if let Err(complaints) = rules::compile(&files, &world) {
        panic!("{} complaints\n{}", complaints.len(), shown(&complaints));
    }
}

/// Each file of `fixtures/rules` is wrong in its way; the text beside it is what staff are told. The file's name up to the
/// first dot says under which name it is compiled: `vocabulary.circle.yaml` is a `vocabulary.yaml`. A folder is a rules folder.
#[test]
fn every_broken_file_gives_its_complaint() {
    let folder = root().join("fixtures/rules");
    let mut wrong = Vec::new();
    for path in yaml_files(&folder) {
        let full = path.file_name().expect("a name").to_string_lossy().into_owned();
        let name = format!("{}.yaml", full.split('.').next().unwrap_or_default());
        compare(&[source(&path, &name)], &full, &path.with_extension("txt"), &mut wrong);
    }
    for entry in
        fs::read_dir(&folder).expect("a readable folder").map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            let files: Vec<SourceFile> = yaml_files(&entry)
                .iter()
                .map(|path| source(path, &path.file_name().expect("a name").to_string_lossy()))
                .collect();
            compare(&files, &entry.display().to_string(), &entry.with_extension("txt"), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 rewrites these:\n{}", wrong.join("\n"));
}

fn compare(files: &[SourceFile], full: &str, golden: &Path, wrong: &mut Vec<String>) {
    let said = match rules::compile(files, &World::default()) {
        Ok(ruleset) => format!("accepted\n{}", shown(&ruleset.warnings)),
        Err(complaints) => shown(&complaints),
    };
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden, &said).expect("a writable golden");
    } else if fs::read_to_string(golden).unwrap_or_default() != said {
        wrong.push(format!("{full} now says:\n{said}"));
    }
    assert!(!said.starts_with("accepted\n") || full.contains("warning"), "{full} is not refused");
}

/// The configuration and the working days likewise: `fixtures/config/NAME.yaml`, those of the calendar begin with `days-`.
#[test]
fn every_broken_configuration_gives_its_complaints() {
    let mut wrong = Vec::new();
    for path in yaml_files(&root().join("fixtures/config")) {
        let full = path.file_name().expect("a name").to_string_lossy().into_owned();
        let complaints = if full.starts_with("days-") {
            working_days::load(Some(&path)).expect_err("a complaint")
        } else {
            Config::load_or_tell(&path).expect_err("a complaint")
        };
        let named = |complaint: Diagnostic| Diagnostic { file: full.clone(), ..complaint };
        let said = shown(&complaints.into_iter().map(named).collect::<Vec<_>>());
        let golden = path.with_extension("txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &said).expect("a writable golden");
        } else if fs::read_to_string(&golden).unwrap_or_default() != said {
            wrong.push(format!("{full} now says:\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 rewrites these:\n{}", wrong.join("\n"));
}

/// And the texts of letters: `fixtures/wording/TEXT.what-is-wrong.txt`, with what is said in a `.said` file.
#[test]
fn every_broken_wording_gives_its_complaints() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let folder = root().join("fixtures/wording");
    for path in fs::read_dir(&folder).expect("a readable folder").map(|entry| entry.expect("an entry").path())
    {
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        seen += 1;
        let full = path.file_name().expect("a name").to_string_lossy().into_owned();
        let name = format!("{}.txt", full.split('.').next().unwrap_or_default());
        let text = fs::read_to_string(&path).expect("a readable text");
        let problems = Wording::load(&[(name, text.clone())]).expect_err("a complaint");
        let said = shown(&problems.iter().map(|problem| problem.diagnostic(&text)).collect::<Vec<_>>());
        let golden = path.with_extension("said");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &said).expect("a writable golden");
        } else if fs::read_to_string(&golden).unwrap_or_default() != said {
            wrong.push(format!("{full} now says:\n{said}"));
        }
    }
    assert!(seen > 3 && wrong.is_empty(), "UPDATE_GOLDEN=1 rewrites these:\n{}", wrong.join("\n"));
}
