//! The JSON Schemas and the loaders agree: what an editor underlines is what the program refuses.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use send_triage::config::{Config, working_days};
use send_triage::rules::{self, SourceFile, World, json_schema};
use send_triage::yaml::{self, Node, Value as Yaml};
use serde_json::{Map, Value, json};

use crate::support::program::Program;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(root(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    all.sort();
    all
}

/// A YAML tree as editors see it (YAML 1.2, core schema).
fn json_of(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Scalar(text, true) => json!(text),
        Yaml::Scalar(text, false) => match text.as_str() {
            "true" | "True" | "TRUE" => json!(true),
            "false" | "False" | "FALSE" => json!(false),
            _ => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(number), _) => json!(number),
                (_, Ok(number)) if number.is_finite() && text.starts_with(|c: char| c.is_ascii_digit()) => {
                    json!(number)
                }
                _ => json!(text),
            },
        },
        Yaml::List(items) => items.iter().map(json_of).collect(),
        Yaml::Map(entries) => {
            let entry = |(key, value): &(Node, Node)| {
                let name = match &key.value {
                    Yaml::Scalar(text, _) => text.clone(),
                    _ => String::new(),
                };
                (name, json_of(value))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
    }
}

fn read(path: &Path) -> Option<Value> {
    let text = String::from_utf8(fs::read(path).unwrap()).ok()?;
    yaml::parse(&text).ok().as_ref().map(json_of)
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft7::new(schema).expect("a schema")
}

fn rule_schema(path: &Path) -> Value {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if name.starts_with("vocabulary") { json_schema::vocabulary() } else { json_schema::rules() }
}

#[test]
fn the_committed_schemas_are_those_that_the_program_prints() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("schemas").display().to_string();
    let done = Program::run(folder.path(), &["schema", &into]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let mut names = Vec::new();
    for entry in fs::read_dir(&into).unwrap().map(Result::unwrap) {
        let (name, now) = (entry.file_name(), fs::read_to_string(entry.path()).unwrap());
        let committed = root("schemas").join(&name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(root("schemas")).unwrap();
            fs::write(&committed, &now).unwrap();
        }
        let before = fs::read_to_string(&committed).unwrap_or_default();
        assert_eq!(before, now, "{name:?} has changed: `send-triage schema schemas` writes it anew");
        names.push(name);
    }
    assert_eq!(names.len(), 4);
    let printed: Value = serde_json::from_str(&Program::run(folder.path(), &["schema"]).stdout).unwrap();
    assert_eq!(printed.as_object().map(Map::len), Some(4));
}

#[test]
fn every_shipped_file_names_its_schema_and_fits_it() {
    for path in yaml_files("rules").into_iter().chain(yaml_files("config")) {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let named = first
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap_or_else(|| panic!("{path:?}: {first}"));
        let schema = fs::read_to_string(path.parent().unwrap().join(named)).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let value = read(&path).unwrap();
        let errors: Vec<String> =
            validator(&schema).iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{path:?}: {}", errors.join("\n"));
    }
}

/// What the loader says of keys and kinds of values, and a schema can see as well.
const STRUCTURE: &[&str] = &[
    "is not known",
    "must be a map",
    "must be text",
    "must be a list",
    "must be a phrase or a map",
    "must be to, cc or none",
    "must be yes or no",
    "this rule has no",
    "cannot be `",
    "cannot be an id",
    "cannot be the name of a list",
    "no team has the queue",
    "here a rule must begin",
    "there is no context",
    "there is no role",
    "there is no place of the mailbox",
    "a condition has one key",
    "a condition is missing",
    "list of conditions is empty",
    "stands alone here",
    "is missing",
    "is no whole number",
    "is empty",
    "needs a colon",
    "this is no date",
];

fn structural(complaints: &[rules::Diagnostic]) -> Vec<String> {
    let is = |problem: &str| STRUCTURE.iter().any(|words| problem.contains(words));
    complaints.iter().map(|one| one.problem.clone()).filter(|problem| is(problem)).collect()
}

fn refused_for_its_structure(name: &str, text: String) -> Vec<String> {
    let files = [SourceFile { name: name.to_owned(), bytes: text.into_bytes() }];
    rules::compile(&files, &World::default())
        .err()
        .map(|complaints| structural(&complaints))
        .unwrap_or_default()
}

#[test]
fn files_that_are_broken_by_structure_fail_their_schema() {
    let mut failed = 0;
    for path in yaml_files("fixtures/rules") {
        // What is no YAML at all is the YAML parser's to refuse.
        let Some(value) = read(&path) else { continue };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = format!("{}.yaml", name.split('.').next().unwrap());
        let said = refused_for_its_structure(&name, fs::read_to_string(&path).unwrap());
        let fits = validator(&rule_schema(&path)).is_valid(&value);
        assert_eq!(fits, said.is_empty(), "{path:?}: the loader says {said:?}");
        failed += usize::from(!fits);
    }
    assert!(failed >= 12, "{failed} of them");
    for path in yaml_files("fixtures/config") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(value) = read(&path).filter(|_| name.contains("mistakes")) else { continue };
        let schema = if name.starts_with("days") { working_days::schema() } else { Config::schema() };
        assert!(!validator(&schema).is_valid(&value), "{name}");
    }
}

/// A small, repeatable source of choices.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }
}

/// The paths of all values of a tree.
fn paths(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                paths(inner, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                paths(inner, &format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
}

/// Changes one key or value, as a slip of the hand does.
fn mutate(value: &mut Value, dice: &mut Dice) -> String {
    let mut all = Vec::new();
    paths(value, "", &mut all);
    let path = all[dice.roll(all.len())].clone();
    let target = value.pointer_mut(&path).unwrap();
    if let (Value::Object(fields), choice @ 0..=2) = (&mut *target, dice.roll(4)) {
        let names: Vec<String> = fields.keys().cloned().collect();
        if let Some(name) = names.get(dice.roll(names.len())) {
            let inner = fields.remove(name);
            match choice {
                0 => return format!("{path}: without {name}"),
                1 => fields.insert(format!("{name}x"), inner.unwrap()),
                _ => {
                    fields.insert(name.clone(), inner.unwrap());
                    fields.insert("surplus".to_owned(), json!("x"))
                }
            };
            return format!("{path}: {name} renamed or joined by another");
        }
    }
    let kinds = [
        json!(null),
        json!([]),
        json!({}),
        json!(7),
        json!(true),
        json!("word"),
        json!(["word"]),
        json!({"a": "word"}),
    ];
    let kind = kinds[dice.roll(kinds.len())].clone();
    *target = kind.clone();
    format!("{path} = {kind}")
}

#[test]
fn loader_and_schema_give_the_same_verdict_on_rules_with_a_slip() {
    let mut dice = Dice(3);
    let (mut refused, mut tried) = (0, 0);
    for path in yaml_files("rules") {
        let validator = validator(&rule_schema(&path));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for small in pieces(&read(&path).unwrap(), &mut dice) {
            for _ in 0..6 {
                let mut changed = small.clone();
                let what = mutate(&mut changed, &mut dice);
                let said = refused_for_its_structure(&name, changed.to_string());
                let fits = validator.is_valid(&changed);
                assert_eq!(fits, said.is_empty(), "{name} {what}: the loader says {said:?}\n{changed:#}");
                tried += 1;
                refused += usize::from(!fits);
            }
        }
    }
    assert!(refused > tried / 3 && tried > 200, "{refused} of {tried}");
}

/// Files of one or two rules, as parts of a shipped one: quick to compile.
fn pieces(whole: &Value, dice: &mut Dice) -> Vec<Value> {
    let mut all = Vec::new();
    for (key, value) in whole.as_object().unwrap() {
        match value {
            Value::Array(items) => {
                for _ in 0..items.len().min(5) {
                    let item = &items[dice.roll(items.len())];
                    all.push(json!({key: [item]}));
                }
            }
            other => all.push(json!({key: other})),
        }
    }
    all.truncate(40);
    all
}

#[test]
fn loader_and_schema_give_the_same_verdict_on_a_configuration_with_a_slip() {
    let mut dice = Dice(5);
    let (validator, days) = (validator(&Config::schema()), validator(&working_days::schema()));
    let config = read(&root("config/send-triage.yaml")).unwrap();
    let calendar = read(&root("config/working-days.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut refused = 0;
    for _ in 0..400 {
        let mut changed = config.clone();
        let what = mutate(&mut changed, &mut dice);
        let said = Config::read(&changed.to_string(), "x.yaml", Path::new("/")).err().unwrap_or_default();
        let fits = validator.is_valid(&changed);
        // What the schema cannot see (an account that is named twice) the loader may refuse all the same.
        assert!(fits || !said.is_empty(), "{what}: the schema alone refuses it");
        let structure = said.iter().any(|one| {
            [
                "no key that is known",
                "must be ",
                "belongs here",
                "not one of the values",
                "is missing here",
                "is no ",
            ]
            .iter()
            .any(|words| one.problem.contains(words))
                && !one.problem.contains("must be 1 to 3600")
                && !one.problem.contains("must be at least")
        });
        assert!(
            !fits || !structure,
            "{what}: the loader alone says {:?}",
            said.first().map(|one| &one.problem)
        );
        refused += usize::from(!fits);
    }
    assert!(refused > 100, "{refused}");
    for _ in 0..40 {
        let mut changed = calendar.clone();
        let what = mutate(&mut changed, &mut dice);
        let file = folder.path().join("days.yaml");
        fs::write(&file, changed.to_string()).unwrap();
        let fits = days.is_valid(&changed);
        assert!(fits || working_days::load(Some(&file)).is_err(), "{what}: the schema alone refuses it");
    }
}
