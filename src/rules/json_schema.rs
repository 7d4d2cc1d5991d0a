//! The JSON Schemas of the rule files, so that editors complete and check while an officer types.
//!
//! Made from the same tables of keys by which the loader reads (`schema`, `clause`, ...), so that the two
//! cannot differ in them. A schema sees keys and kinds of values; phrases, names and examples are seen by `check` alone.

use serde_json::{Map, Value, json};

use super::clause::{self, ROLES};
use super::context::KINDS;
use super::phrase::AREAS;
use super::schema::{GROUPS, KEYS};
use super::vocabulary::{CONTEXT_KEYS, SLOTS};
use super::{Group, example};

/// What editors of every age understand.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of every rule file but the vocabulary: any of them may hold any group.
pub fn rules() -> Value {
    let mut keys = Map::new();
    for (name, group) in GROUPS {
        keys.insert(name.to_owned(), described(list(reference(name)), group_says(group)));
    }
    for (_, name, says) in KINDS {
        keys.insert(
            name.to_owned(),
            described(reference("context"), &format!("Words that set aside what a rule found ({says} ...).")),
        );
    }
    let places = one_or_more(text());
    let areas = AREAS
        .iter()
        .map(|area| {
            let headed = json!({"type": "object", "additionalProperties": places});
            ((*area).to_owned(), json!({"anyOf": [places, headed]}))
        })
        .collect();
    keys.insert(
        "areas".to_owned(),
        described(object(areas, &[]), "Places and postcodes by area; headings are free."),
    );
    keys.insert(
        "capital only".to_owned(),
        described(places, "Places whose names are ordinary words too: they count with a capital alone."),
    );
    let typed = json!({"type": "object", "additionalProperties": one_or_more(text())});
    keys.insert("spellings".to_owned(), described(typed, "What is meant, and what people type for it."));
    let mut definitions = Map::new();
    for (name, group) in GROUPS {
        definitions.insert(name.to_owned(), rule(group));
    }
    definitions.insert("condition".to_owned(), condition());
    definitions.insert("conditions".to_owned(), conditions());
    definitions.insert("context".to_owned(), context());
    definitions.insert("examples".to_owned(), examples());
    definitions.insert("example".to_owned(), one_example());
    let mut schema = object(keys, &[]);
    if let Some(fields) = schema.as_object_mut() {
        // An empty file is one without rules.
        fields.insert("type".to_owned(), json!(["object", "null"]));
        fields.insert("definitions".to_owned(), Value::Object(definitions));
    }
    titled(schema, "Rules of send-triage", "rules/README.md explains them.")
}

/// The schema of `vocabulary.yaml`.
pub fn vocabulary() -> Value {
    let taken: Vec<Value> = SLOTS.iter().map(|name| json!(name)).collect();
    let schema = json!({
        "type": "object",
        "propertyNames": {"not": {"enum": taken}},
        "additionalProperties": described(one_or_more_phrases(), "A list that a phrase may name in braces; each entry is a phrase."),
    });
    titled(schema, "The vocabulary of send-triage", "Lists that a phrase may name: {school}.")
}

fn titled(schema: Value, title: &str, says: &str) -> Value {
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), json!(DRAFT));
    whole.insert("title".to_owned(), json!(title));
    whole.insert("description".to_owned(), json!(says));
    if let Value::Object(fields) = schema {
        whole.extend(fields);
    }
    Value::Object(whole)
}

fn group_says(group: Group) -> &'static str {
    match group {
        Group::Grounds => "Is it urgent? The grounds U1 to U10.",
        Group::Claims => "Does the sender only call it urgent?",
        Group::Topics => "What is it about? S1 to S7.",
        Group::Queues => "Which team gets it? Each rule has `queue:`; the first that holds wins.",
        Group::Chasers => "Does the sender chase an earlier contact?",
        Group::Signposts => "Where else should the acknowledgement point?",
        Group::Leadership => "Is it abusive or threatening?",
        Group::CallBacks => "Does the Customer Service Centre ask for a call back?",
        Group::Kinds => "What sort of message is it? Each rule has `kind:`; the first that holds wins.",
        Group::Roles => "From whom is it? Each rule has `role:`.",
        Group::Residence => "Whose place is named? Each rule has `says:`.",
        Group::Answers => "Is a reply by staff no answer yet? Each rule has `means:`.",
        Group::FollowUps => "What does it say in a thread that we know? Each rule has `tells:`.",
        Group::Steps => {
            "Which steps of the escalation does the sender say to have taken? Each rule has `step:`."
        }
    }
}

fn rule(group: Group) -> Value {
    let mut keys = Map::new();
    for key in KEYS {
        keys.insert(key.to_owned(), rule_key(key));
    }
    let mut required = vec!["id", "title", "policy", "when"];
    if let Some((key, values)) = group.then() {
        keys.insert(key.to_owned(), json!({"enum": values}));
        required.push(key);
    }
    object(keys, &required)
}

fn rule_key(key: &str) -> Value {
    match key {
        "id" => described(
            json!({"type": ["string", "number", "boolean"], "pattern": "^[^\\s\"'“”‘’,:;/\\\\|()\\[\\]{}!?*&#@%+=<>$^~`]+$"}),
            "Unique among all files: letters, digits, hyphens.",
        ),
        "title" => described(text(), "In the policy's words; shown to people."),
        "policy" => described(text(), "The policy's clause."),
        "when" => described(reference("conditions"), "One of these suffices."),
        "unless" => described(
            reference("conditions"),
            "One of these, anywhere in the message, and the rule does not hold.",
        ),
        "despite" => described(kinds(), "Contexts that do not set aside what this rule finds."),
        "respect" => described(kinds(), "Contexts that do, although this group minds none."),
        "examples" => described(reference("examples"), "The rule's own tests."),
        _ => described(json!({}), "Free text for colleagues."),
    }
}

fn conditions() -> Value {
    json!({"anyOf": [reference("condition"), {"type": "array", "minItems": 1, "items": reference("condition")}]})
}

fn condition() -> Value {
    let mut all = vec![described(phrase(), "A phrase, found within one sentence.")];
    all.push(object(
        [("phrase".to_owned(), phrase()), ("despite".to_owned(), kinds())].into_iter().collect(),
        &["phrase"],
    ));
    for key in clause::KEYS.into_iter().filter(|key| !matches!(*key, "phrase" | "despite")) {
        let keys = [(key.to_owned(), condition_key(key))].into_iter().collect();
        all.push(object(keys, &[key]));
    }
    json!({"anyOf": all})
}

/// What stands behind a condition's key.
fn condition_key(key: &str) -> Value {
    let named = |known: &[&str]| {
        // `to / cc` as well as a list.
        let words = known.join("|");
        let text = json!({"type": "string", "pattern": format!("^ *({words})( */ *({words}))* *$")});
        json!({"anyOf": [text, {"type": "array", "items": {"enum": known}}]})
    };
    match key {
        "any" => described(reference("conditions"), "One of them holds."),
        "all" => described(reference("conditions"), "All of them hold, anywhere in the message."),
        "sentence" => described(reference("conditions"), "All of them hold in one and the same sentence."),
        "near" => described(reference("conditions"), "All of them hold within two neighbouring sentences."),
        "paragraph" => described(reference("conditions"), "All of them hold in one and the same paragraph."),
        "at least" => {
            let count = json!({"type": ["integer", "string"], "minimum": 1, "pattern": "^[0-9]+$"});
            let keys = [("count", count), ("of", reference("conditions")), ("within", text())];
            let keys = keys.into_iter().map(|(key, of)| (key.to_owned(), of)).collect();
            described(
                object(keys, &["count", "of"]),
                "So many of them hold, within a sentence, near, or the message.",
            )
        }
        "not" => described(reference("conditions"), "It does not hold."),
        "subject" => described(reference("conditions"), "It holds in the subject."),
        "body" => described(reference("conditions"), "It holds in the text."),
        "start" => {
            described(reference("conditions"), "It holds in the first three sentences of the new text.")
        }
        "regex" => described(text(), "A regular expression on the text, without case."),
        "role" => described(named(&ROLES), "The sender has one of these roles."),
        "sender" => described(text(), "A regular expression on the sender's address, or `council`."),
        "name" => described(text(), "A regular expression on the sender's display name."),
        "header" => described(
            json!({"anyOf": [text(), object(fields(&["name", "matches"]), &["name"])]}),
            "A header: its name, or {name: Precedence, matches: '^bulk'}.",
        ),
        "part" => described(
            json!({"anyOf": [text(), object(fields(&["type", "parameter", "matches"]), &["type"])]}),
            "A MIME part: its type, or {type: ..., parameter: ..., matches: ...}.",
        ),
        "attachment" => described(text(), "A regular expression on an attachment's name."),
        "addressed" => described(named(&["to", "cc", "none"]), "Where the team's mailbox stands."),
        "rule" => described(one_or_more(text()), "Another rule holds."),
        "learned" => {
            let share = json!({"type": ["integer", "string"], "minimum": 0, "maximum": 100, "pattern": "^[0-9]+ *%?$"});
            let keys = [
                ("at least", share.clone()),
                ("alone", share.clone()),
                ("certain", share.clone()),
                ("less than", share),
                ("of", text()),
            ];
            let keys = keys.into_iter().map(|(key, of)| (key.to_owned(), of)).collect();
            described(
                object(keys, &[]),
                "How sure what was learned from examples is, in percent; `alone:` where no other rule of the group holds; `certain:` that no `unless` counts; `of:` another rule.",
            )
        }
        "words" => {
            let count = json!({"type": ["integer", "string"], "minimum": 0, "maximum": 1_000_000, "pattern": "^[0-9]+$"});
            let keys = ["more than", "fewer than"].map(|key| (key.to_owned(), count.clone()));
            described(object(keys.into_iter().collect(), &[]), "The length of the new text.")
        }
        "mailbox" => described(one_or_more(text()), "The mailbox that it arrived in."),
        _ => json!({}),
    }
}

fn fields(names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| ((*name).to_owned(), text())).collect()
}

fn context() -> Value {
    let key = |key: &str| match key {
        "before" => described(one_or_more(phrase()), "Words after which what follows does not count."),
        "after" => described(one_or_more(phrase()), "Words before which what precedes does not count."),
        "before in clause" => described(one_or_more(phrase()), "As `before`, to the end of the clause."),
        "after in clause" => {
            described(one_or_more(phrase()), "As `after`, back to the beginning of the clause.")
        }
        "next sentence" => {
            described(one_or_more(phrase()), "What begins a sentence and takes back the one before.")
        }
        "pseudo" => described(one_or_more(phrase()), "Words that look like one of those and are none."),
        "ends at" => described(one_or_more(phrase()), "Words at which the reach ends."),
        "reach" => described(
            json!({"type": ["integer", "string"], "minimum": 0, "maximum": 100, "pattern": "^([0-9]+|sentence)$"}),
            "At most so many words between; or: sentence.",
        ),
        "sentences" => described(
            json!({"type": ["integer", "string"], "minimum": 0, "maximum": 5, "pattern": "^[0-9]+$"}),
            "How many further sentences are reached.",
        ),
        "only in questions" => described(
            json!({"enum": [true, false, "yes", "no", "Yes", "No", "YES", "NO", "true", "false"]}),
            "Only sentences with a question mark.",
        ),
        "ends at comma" => described(
            json!({"enum": [true, false, "yes", "no", "Yes", "No", "YES", "NO", "true", "false"]}),
            "The reach ends at a comma.",
        ),
        _ => json!({}),
    };
    object(CONTEXT_KEYS.iter().map(|name| ((*name).to_owned(), key(name))).collect(), &[])
}

fn examples() -> Value {
    let each = json!({"anyOf": [reference("example"), {"type": "array", "items": reference("example")}]});
    let keys = [
        ("yes".to_owned(), described(each.clone(), "Texts for which the rule must hold.")),
        ("no".to_owned(), described(each, "Texts for which it must not.")),
    ];
    object(keys.into_iter().collect(), &[])
}

fn one_example() -> Value {
    let key = |key: &str| match key {
        "headers" => one_or_more(json!({"type": "string", "pattern": ":"})),
        "parts" => one_or_more(text()),
        "received" => json!({"type": "string", "pattern": "^[+-]?[0-9]+-[0-9]{1,2}-[0-9]{1,2}$"}),
        "addressed" => json!({"enum": ["to", "cc", "none"]}),
        "note" => json!({}),
        _ => text(),
    };
    let map = object(example::KEYS.iter().map(|name| ((*name).to_owned(), key(name))).collect(), &[]);
    json!({"anyOf": [text(), map]})
}

fn kinds() -> Value {
    let names: Vec<&str> = KINDS.iter().map(|(_, name, _)| *name).chain(["all"]).collect();
    json!({"anyOf": [{"enum": names}, {"type": "array", "items": {"enum": names}}]})
}

/// Any plain value: the loader takes `2` for the text "2".
fn text() -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

fn phrase() -> Value {
    json!({"type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 1000})
}

fn one_or_more(one: Value) -> Value {
    json!({"anyOf": [one.clone(), {"type": "array", "items": one}]})
}

fn one_or_more_phrases() -> Value {
    json!({"anyOf": [phrase(), {"type": "array", "minItems": 1, "items": phrase()}]})
}

fn list(of: Value) -> Value {
    json!({"type": "array", "items": of})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/definitions/{name}")})
}

fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty()
        && let Some(fields) = schema.as_object_mut()
    {
        fields.insert("required".to_owned(), json!(required));
    }
    schema
}

/// Draft 7 ignores what stands beside a `$ref`, so that one is wrapped.
fn described(schema: Value, says: &str) -> Value {
    let mut schema = if schema.get("$ref").is_some() { json!({"allOf": [schema]}) } else { schema };
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("description".to_owned(), json!(says));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_tables_has_its_say() {
        for key in clause::KEYS.into_iter().filter(|key| !matches!(*key, "phrase" | "despite")) {
            assert_ne!(condition_key(key), json!({}), "{key}");
        }
        assert_eq!(rules()["definitions"].as_object().map(Map::len), Some(GROUPS.len() + 5));
    }
}
