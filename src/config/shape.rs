//! Whether a file has the keys and types of its JSON Schema: every complaint with its place, not the first alone.
//!
//! The schema is generated from the very types that the file is read into, so what passes here can be read, and what an editor
//! underlines is what the program refuses. Only the keywords that `schemars` writes for these types are known.

use std::ops::Range;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value as Json;

use crate::rules::diagnostic::{Diagnostic, Severity, nearest};
use crate::yaml::{self, Node, Value};

use super::renamed::{Renamed, renamed};

/// The schema of a type. Draft 7 is what every editor's YAML support understands.
pub fn schema_of<T: JsonSchema>(title: &str) -> Json {
    let schema = SchemaGenerator::new(SchemaSettings::draft07()).into_root_schema_for::<T>();
    let mut schema = Json::from(schema);
    let plain_values = &mut |fields: &mut serde_json::Map<String, Json>| {
        // The loader takes `7` for the text "7".
        let any = ["enum", "const", "pattern"].iter().any(|key| fields.contains_key(*key));
        let text = match fields.get("type") {
            Some(Json::String(kind)) if kind == "string" => {
                Some(serde_json::json!(["string", "number", "boolean"]))
            }
            Some(Json::Array(kinds)) if kinds.iter().any(|kind| kind == "string") => {
                Some(serde_json::json!(["string", "number", "boolean", "null"]))
            }
            _ => None,
        };
        if let Some(text) = text.filter(|_| !any) {
            fields.insert("type".to_owned(), text);
        }
    };
    each_schema(&mut schema, plain_values);
    let mut whole = serde_json::Map::new();
    whole.insert("$schema".to_owned(), Json::from("http://json-schema.org/draft-07/schema#"));
    whole.insert("title".to_owned(), Json::from(title));
    if let Json::Object(fields) = schema {
        whole.extend(fields.into_iter().filter(|(key, _)| key != "title" && key != "$schema"));
    }
    Json::Object(whole)
}

/// Every object within a schema.
fn each_schema(value: &mut Json, change: &mut impl FnMut(&mut serde_json::Map<String, Json>)) {
    match value {
        Json::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|inner| each_schema(inner, change));
        }
        Json::Array(items) => items.iter_mut().for_each(|inner| each_schema(inner, change)),
        _ => {}
    }
}

/// A date as `2026-12-31`.
pub struct Day;

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "A date, such as 2026-12-31."
        })
    }
}

/// A time of day as `17:30` or `17:30:00`.
pub struct Time;

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
            "description": "A time of day in London, in quotes, such as \"17:30\"."
        })
    }
}

/// Something wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Where, as bytes of the file.
    pub range: Range<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl Complaint {
    /// For printing.
    pub fn diagnostic(self, file: &str, source: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            file: file.to_owned(),
            range: self.range,
            source: source.to_owned(),
            problem: self.problem,
            remedy: (!self.remedy.is_empty()).then_some(self.remedy),
        }
    }
}

/// Reads a file into a tree and holds it against its schema; all complaints, those of syntax among them. `example` is where
/// every key is explained.
/// What is only to be warned of comes with the tree.
pub fn read(
    text: &str,
    schema: &Json,
    example: &'static str,
) -> Result<(Node, Vec<Complaint>), Vec<Complaint>> {
    let (root, slips) = yaml::parse_leniently(text);
    let broken = !slips.is_empty();
    let mut complaints: Vec<Complaint> = slips
        .into_iter()
        .map(|slip| Complaint {
            range: slip.range,
            problem: slip.problem,
            remedy: slip.remedy.unwrap_or_default(),
        })
        .collect();
    let mut walker = Walker { schema, example, broken, complaints: Vec::new(), warnings: Vec::new() };
    // A file that is empty behind a syntax error has lost its keys by that alone.
    if !broken || root.value != Value::Null {
        walker.node(&root, schema, "this file");
    }
    let missing = |complaint: &Complaint| complaint.problem.ends_with("is missing here");
    complaints.extend(
        std::mem::take(&mut walker.complaints)
            .into_iter()
            .filter(|complaint| !(broken && missing(complaint))),
    );
    complaints.sort_by_key(|complaint| complaint.range.start);
    if complaints.is_empty() { Ok((root, walker.warnings)) } else { Err(complaints) }
}

/// The place of a value by its path (`accounts/0/imap/port`), or of the nearest that is there: then the key above it.
pub fn place(root: &Node, path: &str) -> Range<usize> {
    let mut node = root;
    let mut best = first_key(root);
    for step in path.split('/').filter(|step| !step.is_empty()) {
        let next = match &node.value {
            Value::Map(entries) => entries
                .iter()
                .find(|(key, _)| name_of(key) == step)
                .map(|(key, value)| (key.range.clone(), value)),
            Value::List(items) => {
                step.parse::<usize>().ok().and_then(|at| items.get(at)).map(|item| (first_key(item), item))
            }
            Value::Null | Value::Scalar(..) => None,
        };
        let Some((key, value)) = next else { return best };
        best = match &value.value {
            Value::Scalar(..) => value.range.clone(),
            _ => key,
        };
        node = value;
    }
    best
}

/// A map is pointed at by its first key; anything else by itself.
fn first_key(node: &Node) -> Range<usize> {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.range.clone(), |(key, _)| key.range.clone()),
        _ => node.range.clone(),
    }
}

fn name_of(key: &Node) -> &str {
    match &key.value {
        Value::Scalar(name, _) => name,
        _ => "",
    }
}

struct Walker<'s> {
    schema: &'s Json,
    example: &'static str,
    /// There are syntax errors: what is empty may have been passed over.
    broken: bool,
    complaints: Vec<Complaint>,
    warnings: Vec<Complaint>,
}

impl<'s> Walker<'s> {
    fn complain(&mut self, range: Range<usize>, problem: String, remedy: impl Into<String>) {
        self.complaints.push(Complaint { range, problem, remedy: remedy.into() });
    }

    /// Follows references, and picks the alternative that is not null.
    fn resolve(&self, schema: &'s Json) -> &'s Json {
        let mut schema = schema;
        for _ in 0..8 {
            let inner = if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
                self.schema.pointer(target.trim_start_matches('#'))
            } else if let Some(all) = schema.get("allOf").and_then(Json::as_array) {
                all.first()
            } else if let Some(any) = schema.get("anyOf").and_then(Json::as_array) {
                any.iter().find(|one| one.get("type").and_then(Json::as_str) != Some("null"))
            } else {
                None
            };
            match inner {
                Some(inner) => schema = inner,
                None => break,
            }
        }
        schema
    }

    fn may_be_null(schema: &Json) -> bool {
        let null = |schema: &Json| match schema.get("type") {
            Some(Json::Array(types)) => types.iter().any(|one| one == "null"),
            Some(one) => one == "null",
            None => false,
        };
        null(schema) || schema.get("anyOf").and_then(Json::as_array).is_some_and(|any| any.iter().any(null))
    }

    fn node(&mut self, node: &Node, schema: &'s Json, what: &str) {
        if node.value == Value::Null && (self.broken || Self::may_be_null(schema)) {
            return;
        }
        let schema = self.resolve(schema);
        if let Some(values) = allowed(schema) {
            return self.one_of(node, &values, what);
        }
        match kind(schema) {
            "object" => self.map(node, schema, what),
            "array" => self.list(node, schema, what),
            "string" => self.text(node, schema, what),
            "integer" => self.whole_number(node, schema, what),
            "boolean" => self.yes_or_no(node, what),
            _ => {}
        }
    }

    fn wrong_kind(&mut self, node: &Node, what: &str, wanted: &str, remedy: &str) {
        let range = match &node.value {
            Value::Map(_) => first_key(node),
            _ => node.range.clone(),
        };
        self.complain(range, format!("{what} must be {wanted}, but this is {}", node.value.kind()), remedy);
    }

    fn map(&mut self, node: &Node, schema: &'s Json, what: &str) {
        let Value::Map(entries) = &node.value else {
            let remedy = match what {
                "`password`" => {
                    "Say where it is: `password: {credential: general}` is the file /etc/send-triage/secrets/general. The password itself never stands here."
                }
                "`client_secret`" | "`refresh_token`" | "`key`" => {
                    "Say where it is: `{file: PATH}`, `{env: NAME}` or `{credential: NAME}`. The secret itself never stands here."
                }
                _ => "Write `key: value` lines below it, indented alike.",
            };
            return self.wrong_kind(node, what, "a map of keys", remedy);
        };
        let properties = schema.get("properties").and_then(Json::as_object);
        let others = schema.get("additionalProperties");
        for (key, value) in entries {
            let name = name_of(key);
            match properties
                .and_then(|properties| properties.get(name))
                .or(others.filter(|others| others.is_object()))
            {
                Some(schema) => self.node(value, schema, &format!("`{name}`")),
                None if self.old_name(key, entries, properties) => {
                    let of = renamed(name).and_then(|renamed| properties?.get(renamed.new));
                    of.into_iter().for_each(|schema| self.node(value, schema, &format!("`{name}`")));
                }
                None if others == Some(&Json::Bool(false)) => {
                    let known: Vec<&str> =
                        properties.map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default();
                    let near = nearest(name, known.iter().copied())
                        .map(|near| format!("Did you mean `{near}`? "))
                        .unwrap_or_default();
                    let remedy = format!("{near}The keys known here are: {}.", known.join(", "));
                    self.complain(
                        key.range.clone(),
                        format!("`{name}` is no key that is known here"),
                        remedy,
                    );
                }
                None => {}
            }
        }
        for wanted in
            schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
        {
            // A key that was misspelt is missing as well; one complaint about it is enough.
            let is_unknown = |name: &str| properties.is_none_or(|known| !known.contains_key(name));
            let fits = |name: &str| name == wanted || (is_unknown(name) && nearest(name, [wanted]).is_some());
            if !entries.iter().any(|(key, _)| fits(name_of(key))) {
                let remedy = format!("Add it; {} shows `{wanted}` explained.", self.example);
                self.complain(first_key(node), format!("the key `{wanted}` is missing here"), remedy);
            }
        }
    }

    /// Whether this is the old name of a key that belongs here; says so.
    fn old_name(
        &mut self,
        key: &Node,
        entries: &[(Node, Node)],
        properties: Option<&serde_json::Map<String, Json>>,
    ) -> bool {
        let Some(Renamed { old, new, why }) = renamed(name_of(key)) else { return false };
        if !properties.is_some_and(|properties| properties.contains_key(*new)) {
            return false;
        }
        if entries.iter().any(|(key, _)| name_of(key) == *new) {
            let problem = format!("`{old}` and `{new}` are both given, and they are the same key");
            self.complain(key.range.clone(), problem, format!("Remove `{old}`."));
        } else {
            let problem = format!("`{old}` is called `{new}` now: {why}");
            let remedy =
                format!("Write `{new}`. The old name is still read, and will not be in a later version.");
            self.warnings.push(Complaint { range: key.range.clone(), problem, remedy });
        }
        true
    }

    fn list(&mut self, node: &Node, schema: &'s Json, what: &str) {
        let Value::List(items) = &node.value else {
            return self.wrong_kind(
                node,
                what,
                "a list",
                "Begin each entry with a dash, or write [one, two].",
            );
        };
        let number = |key: &str| schema.get(key).and_then(Json::as_u64);
        let (least, most) = (number("minItems").unwrap_or(0), number("maxItems").unwrap_or(u64::MAX));
        if !(least..=most).contains(&(items.len() as u64)) {
            let problem = format!("{what} must have {least} entries, but this has {}", items.len());
            self.complain(node.range.clone(), problem, "Correct the list.");
        }
        if let Some(inner) = schema.get("items") {
            items.iter().for_each(|item| self.node(item, inner, &format!("an entry of {what}")));
        }
    }

    fn text(&mut self, node: &Node, schema: &'s Json, what: &str) {
        let Value::Scalar(text, _) = &node.value else {
            return self.wrong_kind(
                node,
                what,
                "text",
                "Write the text after the colon, or remove the line.",
            );
        };
        match schema.get("pattern").and_then(Json::as_str) {
            Some(pattern)
                if pattern.contains(':')
                    && ["%H:%M", "%H:%M:%S"]
                        .iter()
                        .all(|form| chrono::NaiveTime::parse_from_str(text, form).is_err()) =>
            {
                self.complain(
                    node.range.clone(),
                    format!("{what} is no time of day"),
                    "Write it as \"17:30\".",
                );
            }
            Some(pattern) if !pattern.contains(':') && text.parse::<chrono::NaiveDate>().is_err() => {
                self.complain(
                    node.range.clone(),
                    format!("{what} is no date of the calendar"),
                    "Write year, month, day: 2026-12-31.",
                );
            }
            _ => {}
        }
    }

    fn whole_number(&mut self, node: &Node, schema: &'s Json, what: &str) {
        let most = match schema.get("format").and_then(Json::as_str) {
            Some("uint16") => u64::from(u16::MAX),
            _ => u64::from(u32::MAX),
        };
        let number = match &node.value {
            Value::Scalar(text, false) => text.parse::<u64>().ok(),
            _ => None,
        };
        if number.is_none_or(|number| number > most) {
            let problem = format!("a whole number belongs here: {what}");
            self.complain(
                first_key(node),
                problem,
                format!("Write digits alone, from 0 to {most}, without quotes."),
            );
        }
    }

    fn yes_or_no(&mut self, node: &Node, what: &str) {
        let good =
            matches!(&node.value, Value::Scalar(text, false) if matches!(text.as_str(), "true" | "false"));
        if !good {
            self.complain(
                first_key(node),
                format!("{what} must be true or false"),
                "Write true or false, without quotes.",
            );
        }
    }

    fn one_of(&mut self, node: &Node, values: &[&str], what: &str) {
        let Value::Scalar(text, _) = &node.value else {
            return self.wrong_kind(
                node,
                what,
                "a single word",
                &format!("Write one of: {}.", values.join(", ")),
            );
        };
        if !values.contains(&text.as_str()) {
            let near = nearest(text, values.iter().copied())
                .map(|near| format!("Did you mean `{near}`? "))
                .unwrap_or_default();
            self.complain(
                node.range.clone(),
                format!("`{text}` is not one of the values for this key ({what})"),
                format!("{near}Write one of: {}.", values.join(", ")),
            );
        }
    }
}

/// The values of an enumeration: `enum`, or `oneOf` with constants.
pub(super) fn allowed(schema: &Json) -> Option<Vec<&str>> {
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return Some(values.iter().filter_map(Json::as_str).collect());
    }
    let all = schema.get("oneOf").and_then(Json::as_array)?;
    let mut values = Vec::new();
    for one in all {
        match (one.get("const").and_then(Json::as_str), allowed(one)) {
            (Some(value), _) => values.push(value),
            (None, Some(more)) => values.extend(more),
            (None, None) => return None,
        }
    }
    Some(values)
}

pub(super) fn kind(schema: &Json) -> &str {
    match schema.get("type") {
        Some(Json::String(kind)) => kind,
        Some(Json::Array(kinds)) => {
            kinds.iter().filter_map(Json::as_str).find(|kind| *kind != "null").unwrap_or("")
        }
        _ => "",
    }
}
