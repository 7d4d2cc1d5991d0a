//! The page of all keys of the configuration, made from the JSON Schema and so from the types and their comments. It explains no
//! key at length: `config/send-triage.yaml` and `docs/configuration.md` do.

use std::fmt::Write;

use serde_json::{Map, Value as Json};

use super::shape::{allowed, kind};

/// Above the keys.
const HEAD: &str = "# Every key of the configuration

Made by `send-triage schema --reference` from the program's own types; a test holds it to them. Where to begin, and why:
[configuration.md](../configuration.md); a whole file with every key: [send-triage.yaml](../../config/send-triage.yaml).

`[]` stands for each entry of a list, `*` for each name in a map. A key that is not required may be left out; \"unless given\" is what
holds then.
";

/// The page.
pub(super) fn page(schema: &Json) -> String {
    let mut page = Page { schema, text: HEAD.to_owned() };
    let required = required(schema);
    for (name, property) in properties(schema).into_iter().flatten() {
        let about = description(property, page.resolve(property));
        let _ = write!(
            page.text,
            "\n## `{name}`\n\n{about}\n\n| key | type | unless given | meaning |\n| --- | --- | --- | --- |\n"
        );
        page.key(name, property, required.contains(&name.as_str()), 0);
    }
    page.text
}

struct Page<'s> {
    schema: &'s Json,
    text: String,
}

impl<'s> Page<'s> {
    /// Follows references and picks the alternative that is not null.
    fn resolve(&self, schema: &'s Json) -> &'s Json {
        let mut schema = schema;
        for _ in 0..8 {
            let list = |key: &str| schema.get(key).and_then(Json::as_array);
            let inner = match schema.get("$ref").and_then(Json::as_str) {
                Some(target) => self.schema.pointer(target.trim_start_matches('#')),
                None => list("allOf").and_then(|all| all.first()).or_else(|| {
                    list("anyOf")?.iter().find(|one| one.get("type").is_none_or(|kind| kind != "null"))
                }),
            };
            match inner {
                Some(inner) => schema = inner,
                None => break,
            }
        }
        schema
    }

    /// One key, and those below it.
    fn key(&mut self, path: &str, property: &'s Json, required: bool, depth: usize) {
        let schema = self.resolve(property);
        if let Some(keys) = properties(schema) {
            if depth > 0 {
                self.row(path, "keys below", property, required);
            }
            return self.keys_of(path, schema, keys, depth);
        }
        if kind(schema) == "array"
            && let Some(entry) = schema.get("items").map(|items| self.resolve(items))
            && let Some(keys) = properties(entry)
        {
            self.row(path, "list of entries with the keys below", property, required);
            return self.keys_of(&format!("{path}[]"), entry, keys, depth);
        }
        if let Some(value) = schema.get("additionalProperties").filter(|value| value.is_object())
            && let Some(keys) = properties(self.resolve(value))
        {
            self.row(path, "map of names to the keys below", property, required);
            return self.keys_of(&format!("{path}.*"), self.resolve(value), keys, depth);
        }
        let word = self.word(schema);
        self.row(path, &word, property, required);
    }

    fn keys_of(&mut self, path: &str, schema: &'s Json, keys: &'s Map<String, Json>, depth: usize) {
        let required = required(schema);
        for (name, property) in keys {
            self.key(&format!("{path}.{name}"), property, required.contains(&name.as_str()), depth + 1);
        }
    }

    fn row(&mut self, path: &str, word: &str, property: &'s Json, required: bool) {
        let schema = self.resolve(property);
        let nothing = !required && may_be_null(property) && word != "keys below";
        let must = if required { ", required" } else { "" };
        let word = format!("{word}{}{must}", if nothing { " or nothing" } else { "" });
        let default = match property.get("default") {
            // What is below has its own.
            Some(Json::Object(_)) if word.ends_with("below") => String::new(),
            Some(value) => shown(value),
            None => String::new(),
        };
        let mut meaning = description(property, schema);
        for (value, about) in values(schema) {
            let _ = write!(meaning, " `{value}`: {}", about.trim_end_matches('.'));
            meaning.push('.');
        }
        let _ = writeln!(self.text, "| `{path}` | {word} | {default} | {} |", meaning.replace('|', "\\|"));
    }

    /// What is written there.
    fn word(&self, schema: &'s Json) -> String {
        if let Some(values) = allowed(schema) {
            return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        }
        let pattern = schema.get("pattern").and_then(Json::as_str);
        match kind(schema) {
            "string" if pattern.is_some_and(|pattern| pattern.contains(':')) => "time of day".to_owned(),
            "string" if pattern.is_some() => "date".to_owned(),
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            "boolean" => "true or false".to_owned(),
            "array" => {
                let entry = schema.get("items").map(|items| self.word(self.resolve(items)));
                format!("list of {}", entry.unwrap_or_default().replace("text", "texts"))
            }
            "object" => {
                let value = schema.get("additionalProperties").map(|value| self.word(self.resolve(value)));
                format!(
                    "map of names to {}",
                    value.filter(|word| !word.is_empty()).unwrap_or("text".to_owned())
                )
            }
            _ => String::new(),
        }
    }
}

fn properties(schema: &Json) -> Option<&Map<String, Json>> {
    schema.get("properties").and_then(Json::as_object).filter(|keys| {
        // A map whose names are known (`filing.kinds`) is a map all the same.
        let first = keys.values().next();
        first.is_none_or(|first| first.get("description").is_some() || first.get("$ref").is_some())
    })
}

fn required(schema: &Json) -> Vec<&str> {
    schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

fn may_be_null(schema: &Json) -> bool {
    let null = |schema: &Json| match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(|kind| kind == "null"),
        Some(kind) => kind == "null",
        None => false,
    };
    null(schema) || schema.get("anyOf").and_then(Json::as_array).is_some_and(|any| any.iter().any(null))
}

/// The meaning: that of the key, or else that of its type.
fn description(property: &Json, schema: &Json) -> String {
    let of = |schema: &Json| schema.get("description").and_then(Json::as_str).map(str::to_owned);
    let text = of(property).or_else(|| of(schema)).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The values that are explained, each with its meaning.
fn values(schema: &Json) -> Vec<(&str, &str)> {
    let all = schema.get("oneOf").and_then(Json::as_array).into_iter().flatten();
    all.filter_map(|one| Some((one.get("const")?.as_str()?, one.get("description")?.as_str()?))).collect()
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::Array(items) if items.is_empty() => "none".to_owned(),
        Json::Object(fields) if fields.is_empty() => "none".to_owned(),
        Json::String(text) => format!("`{text}`"),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        _ => format!("`{value}`"),
    }
}
