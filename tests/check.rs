//! `send-triage check` as people, editors and CI see it.

use std::fs;
use std::path::Path;

use crate::support::program::{Finished, Program};

const RULES: &str = "grounds:\n  - id: U4\n    title: Part-time timetable\n    policy: item 4\n    when:\n      - reduced timetable\n      - ... half days\n    examples:\n      yes: [She is on a reduced timetable]\n";

/// A folder with a configuration that names its rules.
struct Place(tempfile::TempDir);

impl Place {
    fn new(rules: &str, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("rules/wording")).unwrap();
        fs::write(dir.path().join("rules/urgent.yaml"), rules).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/send-triage.yaml");
        let config =
            fs::read_to_string(example).unwrap().replace("# rules: /etc/send-triage/rules ", "rules: rules ");
        fs::write(dir.path().join("send-triage.yaml"), config + more).unwrap();
        Self(dir)
    }

    fn check(&self, format: &str) -> Finished {
        Program::run(self.0.path(), &["check", "--config", "send-triage.yaml", "--format", format])
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn good_rules_are_summed_up_file_by_file_with_their_warnings() {
    let place = Place::new(RULES, "");
    let done = place.check("text");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("warning: ... at the beginning"), "{}", done.stdout);
    let row = done.stdout.lines().find(|line| line.starts_with("urgent.yaml")).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        ["urgent.yaml", "1", "2", "1", "1"],
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.contains("It can be used, with 1 warning: 1 rules, 2 phrases, 1 examples passed"),
        "{}",
        done.stdout
    );
}

#[test]
fn mistakes_of_configuration_rules_and_wording_are_all_told_at_once() {
    let place = Place::new(&RULES.replace("when:", "whem:"), "alrts: {}\n");
    fs::write(
        place.0.path().join("rules/wording/acknowledgement.txt"),
        "Subject: Yours\n\n> {{ refrence }}\n",
    )
    .unwrap();
    fs::write(place.0.path().join("rules/wording/alert.txt"), b"Subject: \xa3 5\n").unwrap();
    let done = place.check("text");
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    for words in [
        "`alrts` is no key that is known here\n  --> send-triage.yaml:",
        "Did you mean `alerts`?",
        "the key `whem` is not known here\n  --> rules/urgent.yaml:5:5",
        "there is no field \"refrence\"\n  --> rules/wording/acknowledgement.txt:3:6",
        "> {{ refrence }}\n  |      ^^^^^^^^",
        "Did you mean reference?",
        "the file is not UTF-8",
        "4 errors in 4 files. Nothing of this can be taken into use",
    ] {
        assert!(done.stderr.contains(words), "{words}\n{}", done.stderr);
    }
}

#[test]
fn editors_get_one_line_for_each_and_programs_an_object() {
    let place = Place::new(&RULES.replace("reduced timetable\n", "(reduced timetable\n"), "");
    let short = place.check("short");
    assert_eq!(short.code, Some(1));
    assert_eq!(short.stderr, "");
    let lines: Vec<&str> = short.stdout.lines().collect();
    assert_eq!(lines.len(), 1, "{}", short.stdout);
    assert!(lines[0].starts_with("rules/urgent.yaml:6:9: error: this ( is never closed"), "{}", lines[0]);
    let done = place.check("json");
    assert_eq!((done.code, done.stderr.as_str()), (Some(1), ""));
    let object = json(&done.stdout);
    assert_eq!(
        (&object["ok"], &object["errors"], &object["version"]),
        (&false.into(), &1.into(), &serde_json::Value::Null)
    );
    let keys: Vec<_> = object["diagnostics"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["file", "line", "column", "end_line", "end_column", "severity", "message", "help"]);
    let good = json(&Place::new(RULES, "").check("json").stdout);
    assert_eq!(
        (&good["ok"], &good["warnings"], &good["rules"], &good["examples"]),
        (&true.into(), &1.into(), &1.into(), &1.into())
    );
    let keys: Vec<_> = good.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["ok", "errors", "warnings", "diagnostics", "rules", "phrases", "examples", "version", "files"]
    );
}

#[test]
fn a_rule_for_a_mailbox_that_nobody_has_is_told() {
    let rules = RULES.split("    examples:").next().unwrap();
    let rules = rules.replace("- reduced timetable", "- all: [reduced timetable, {mailbox: assesment}]");
    let place = Place::new(&rules, "");
    let done = place.check("text");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("warning: no mailbox is called `assesment`"), "{}", done.stdout);
    assert!(done.stdout.contains("Did you mean `assessment`?"), "{}", done.stdout);
}

#[test]
fn a_password_that_was_written_into_the_configuration_is_not_shown() {
    let place = Place::new(RULES, "");
    let file = place.0.path().join("send-triage.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replacen("password: {credential: general}", "password: correct-horse", 1);
    fs::write(&file, text).unwrap();
    for format in ["text", "json", "short"] {
        let done = place.check(format);
        assert_eq!(done.code, Some(1));
        assert!(!(done.stdout + &done.stderr).contains("correct-horse"), "{format}");
    }
    assert!(place.check("text").stderr.contains("The password itself never stands here"));
}
