//! A team whose mailboxes are folders on this machine, with the demo's messages taken in and filed.

use std::fs;
use std::path::{Path, PathBuf};

use super::program::{Finished, Program};

/// The folder that holds it all.
pub struct Filed {
    dir: tempfile::TempDir,
}

const ACCOUNTS: [(&str, &str, &str); 5] = [
    ("general", "send.general", "eml"),
    ("assessment", "send.assessment", "eml"),
    ("annual-review-east", "send.annualreview.east", "maildir"),
    ("annual-review-west", "send.annualreview.west", "eml"),
    ("resolution", "send.resolution", "eml"),
];

impl Filed {
    /// Runs the demo, and writes a configuration for what it left behind.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let done = Program::run(dir.path(), &["demo"]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let accounts: String = ACCOUNTS
            .map(|(name, address, kind)| {
                format!(
                    "  - {{name: {name}, address: {address}@hertfordshire.example, outbox: demo-out/letters, \
                     folder: {{path: demo-out/mailboxes/{name}, kind: {kind}}}}}\n"
                )
            })
            .concat();
        let config = format!(
            "council: {{domain: hertfordshire.example}}\ndatabase: demo-out/record.sqlite\naccounts:\n{accounts}queues:\n\
             \x20 resolution: {{account: resolution, folder: Triage/Resolution}}\n\
             \x20 assessment: {{account: assessment, folder: Triage/Assessment}}\n\
             \x20 annual-review-east: {{account: annual-review-east, folder: Triage/Annual reviews East}}\n\
             \x20 annual-review-west: {{account: annual-review-west, folder: Triage/Annual reviews West}}\n\
             \x20 general: {{account: general, folder: Triage/General}}\n"
        );
        fs::write(dir.path().join("c.yaml"), config).unwrap();
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A place below the mailboxes.
    pub fn mailbox(&self, path: &str) -> PathBuf {
        self.path().join("demo-out/mailboxes").join(path)
    }

    /// Moves a filed message, as staff do.
    pub fn drag(&self, from: &str, to: &str) {
        fs::create_dir_all(self.mailbox(to).parent().unwrap()).unwrap();
        fs::rename(self.mailbox(from), self.mailbox(to)).unwrap();
    }

    /// Runs a command with the configuration.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Program::run(self.path(), &[arguments, &["--config", "c.yaml"]].concat())
    }

    /// The lines of a command's JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}\n{}", done.stderr);
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The reference of the case whose subject begins so.
    #[track_caller]
    pub fn reference(&self, subject: &str) -> String {
        let cases = self.json(&["cases", "list", "--format", "json"]);
        let it = cases.iter().find(|case| case["subject"].as_str().unwrap().starts_with(subject));
        it.unwrap_or_else(|| panic!("no case {subject:?}"))["reference"].as_str().unwrap().to_owned()
    }
}

/// Copies the shipped rules to a folder, changed: in rule `rule` of `file`, `lines` come first below `when:`.
pub fn rules_with(dir: &Path, file: &str, rule: &str, line: &str) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), dir);
    let path = dir.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let at = text.find(&format!("- id: {rule}\n")).unwrap();
    let at = at + text[at..].find("    when:\n").unwrap() + "    when:\n".len();
    fs::write(path, format!("{}{line}{}", &text[..at], &text[at..])).unwrap();
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
