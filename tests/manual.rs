//! The man pages and completions that packages install are those of the program, and read as such.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::Program;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let all = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let named = all.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap())
    });
    named.collect()
}

/// The committed files of a folder are these; `UPDATE_GOLDEN=1` makes them so.
fn committed(folder: &str, now: &BTreeMap<String, String>, how: &str) {
    let path = root(folder);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        now.iter().for_each(|(name, text)| fs::write(path.join(name), text).unwrap());
    }
    let before = files(&path);
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(now), "{folder}: `{how}` writes it anew");
    for (name, text) in now {
        assert!(before[name] == *text, "{folder}/{name} has changed: `{how}` writes it anew");
    }
}

#[test]
fn the_committed_man_pages_are_those_of_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let done = Program::run(folder.path(), &["man", "man"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let now = files(&folder.path().join("man"));
    committed("deploy/man", &now, "send-triage man deploy/man");
    assert!(now.len() > 25, "{}", now.len());
    let whole = &now["send-triage.1"];
    assert!(whole.contains(".SH EXIT CODES") && whole.contains("send\\-triage\\-cases(1)"), "{whole}");
    assert!(!now.keys().any(|name| name.contains("-man") || name.contains("completions")), "hidden ones");
    let list = &now["send-triage-cases-list.1"];
    assert!(list.contains("\\-\\-overdue") && list.contains(".SH EXAMPLES"), "{list}");
}

#[test]
fn man_reads_every_page_without_a_warning() {
    if Command::new("man").arg("--version").output().is_err() {
        return eprintln!("skipped: `man` is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Program::run(folder.path(), &["man", "man"]).code, Some(0));
    let pages = folder.path().join("man");
    for name in files(&pages).keys() {
        let mut man = Command::new("man");
        man.args(["--warnings", "-l", name]).current_dir(&pages).env("MANWIDTH", "100");
        let done = man.env("LC_ALL", "C.UTF-8").output().unwrap();
        let (shown, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success() && said.trim().is_empty(), "{name}: {said}");
        assert!(shown.contains("SYNOPSIS"), "{name}: {shown}");
    }
}

#[test]
fn the_committed_completions_are_those_of_the_commands_and_shells_can_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let printed = |shell: &str| {
        let done = Program::run(folder.path(), &["completions", shell]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.stdout
    };
    let now = BTreeMap::from([
        ("_send-triage".to_owned(), printed("zsh")),
        ("send-triage.bash".to_owned(), printed("bash")),
        ("send-triage.fish".to_owned(), printed("fish")),
    ]);
    committed("deploy/completions", &now, "UPDATE_GOLDEN=1 cargo test manual::");
    // What bash offers behind `send-triage cases li` and `send-triage cases list --o`.
    let offered = |words: &[&str]| {
        let list = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let script = format!(
            "source deploy/completions/send-triage.bash && COMP_WORDS=({list}) && COMP_CWORD={} && \
             _sendtriage send-triage '{}' '{}' && printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let done = Command::new("bash").args(["-c", &script]).current_dir(root("")).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    assert_eq!(offered(&["send-triage", "cases", "li"]), "list\n");
    assert!(offered(&["send-triage", "cases", "list", "--o"]).contains("--overdue"));
    assert!(!offered(&["send-triage", ""]).contains("completions"), "hidden ones");
}
