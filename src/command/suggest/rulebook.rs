//! Where each rule stands in its file, and its own examples, read from the files themselves: the compiled rules keep neither.

use std::collections::BTreeMap;

use crate::daemon::in_force::RuleFiles;
use crate::yaml::{self, Node, Value};

/// Where each rule stands, and its own examples.
pub(super) struct Rulebook {
    pub rules: BTreeMap<String, Entry>,
}

/// One rule.
#[derive(Default)]
pub(super) struct Entry {
    /// `urgent.yaml`.
    pub file: String,
    /// The line on which it begins.
    pub line: usize,
    /// Its `yes` examples.
    pub yes: Vec<String>,
}

impl Rulebook {
    /// From files that have compiled.
    pub(super) fn new(files: &RuleFiles) -> Self {
        let mut rules = BTreeMap::new();
        for file in &files.rules {
            let text = String::from_utf8_lossy(&file.bytes);
            let Ok(Node { value: Value::Map(groups), .. }) = yaml::parse(&text) else { continue };
            for (_, group) in &groups {
                let Value::List(list) = &group.value else { continue };
                for rule in list {
                    let Some(Value::Scalar(id, _)) = key(rule, "id") else { continue };
                    let yes = key(rule, "examples").map(|_| examples(rule)).unwrap_or_default();
                    let line = yaml::line_of(&text, rule.range.start);
                    rules.insert(id.clone(), Entry { file: file.name.clone(), line, yes });
                }
            }
        }
        Self { rules }
    }
}

fn key<'n>(node: &'n Node, name: &str) -> Option<&'n Value> {
    let Value::Map(entries) = &node.value else { return None };
    let is_it = |key: &Node| matches!(&key.value, Value::Scalar(text, _) if text == name);
    entries.iter().find(|(key, _)| is_it(key)).map(|(_, node)| &node.value)
}

/// The texts of a rule's `yes` examples.
fn examples(rule: &Node) -> Vec<String> {
    let Value::Map(entries) = &rule.value else { return Vec::new() };
    let of_examples = entries.iter().map(|(_, node)| node).find_map(|node| key(node, "yes"));
    let Some(Value::List(list)) = of_examples else { return Vec::new() };
    let text = |node: &Node| match (&node.value, key(node, "text")) {
        (Value::Scalar(text, _), _) | (_, Some(Value::Scalar(text, _))) => Some(text.clone()),
        _ => None,
    };
    list.iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::SourceFile;

    #[test]
    fn rules_are_known_with_their_place_and_examples() {
        let file = "grounds:\n  - id: U4\n    title: T\n    examples:\n      yes: ['Half days', {text: 'Mornings', received: 2026-09-16}]\n      no: [Full days]\n  - id: U5\n    title: V\n";
        let source = SourceFile { name: "urgent.yaml".into(), bytes: file.into() };
        let book = Rulebook::new(&RuleFiles { rules: vec![source], ..RuleFiles::default() });
        let entry = &book.rules["U4"];
        assert_eq!(
            (entry.file.as_str(), entry.line, entry.yes.join("|").as_str()),
            ("urgent.yaml", 2, "Half days|Mornings")
        );
        assert!(book.rules["U5"].yes.is_empty());
    }
}
