//! The YAML as staff write it: files, groups, rules and their keys.

use std::ops::Range;

use crate::yaml::{self, Node, Value};

use super::clause::{self, ROLES};
use super::condition::Condition;
use super::context::{KINDS, Kind, Kinds};
use super::diagnostic::{Diagnostic, Severity};
use super::example::{self, Example};
use super::learned::{self, Learned};
use super::vocabulary;
use super::workshop::{File, Workshop, key_name};
use super::{Group, Rule, SourceFile, Zone};

/// How large one file may be.
const MAX_BYTES: usize = 4 << 20;

/// Top-level keys of rule files, in the order of [`Group`].
pub const GROUPS: [(&str, Group); 10] = [
    ("grounds", Group::Grounds),
    ("claims", Group::Claims),
    ("topics", Group::Topics),
    ("queues", Group::Queues),
    ("chasers", Group::Chasers),
    ("signposts", Group::Signposts),
    ("leadership", Group::Leadership),
    ("kinds", Group::Kinds),
    ("roles", Group::Roles),
    ("residence", Group::Residence),
];

/// Keys of every rule.
const KEYS: [&str; 9] = ["id", "title", "policy", "when", "unless", "despite", "respect", "examples", "note"];

impl Group {
    /// The key that says what follows from a rule, and what it may say; `None` where the id says all.
    fn then(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Group::Queues => Some(("queue", &["resolution", "assessment", "annual-review"])),
            Group::Kinds => Some(("kind", &["auto-reply", "bounce", "list", "internal", "calendar"])),
            Group::Roles => Some(("role", &ROLES)),
            Group::Residence => Some(("says", &["home", "new-home", "old-home", "school"])),
            _ => None,
        }
    }

    /// The contexts that set aside what its rules find, unless a rule says otherwise. What a message *is* does not
    /// depend on context: an out-of-office reply that says "if" is one all the same.
    pub(super) fn contexts(self) -> Kinds {
        match self {
            Group::Kinds | Group::Roles | Group::Residence | Group::Claims => Kinds::default(),
            _ => Kinds::ALL,
        }
    }

    /// The zones in which its phrases are looked for.
    pub(super) fn zones(self) -> &'static [Zone] {
        match self {
            // The foot of a newsletter looks like a signature.
            Group::Roles | Group::Kinds => &[Zone::Subject, Zone::New, Zone::Adopted, Zone::Signature],
            _ => &[Zone::Subject, Zone::New, Zone::Adopted],
        }
    }
}

/// A rule, compiled but for the matcher.
#[derive(Debug)]
pub struct Draft {
    /// What is told of it.
    pub rule: Rule,
    /// When it holds.
    pub when: Vec<Condition>,
    /// When it does not.
    pub unless: Vec<Condition>,
    /// Contexts that set aside what it finds.
    pub kinds: Kinds,
    /// Indexes of rules that must be settled before it.
    pub needs: Vec<usize>,
    /// Its tests.
    pub examples: Vec<Example>,
    /// The file's number and where the id stands in it.
    id_at: (usize, Range<usize>),
}

/// Turns bytes into texts; files that are no text or too large become complaints.
pub fn decode(files: &[SourceFile]) -> (Vec<File>, Vec<Diagnostic>) {
    let (mut texts, mut complaints) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| !is_learned(file)) {
        let whole = |problem: String, remedy: &str| Diagnostic {
            severity: Severity::Error,
            file: file.name.clone(),
            range: 0..0,
            source: String::new(),
            problem,
            remedy: Some(remedy.to_owned()),
        };
        if file.bytes.len() > MAX_BYTES {
            let problem = format!("the file is larger than {} MB", MAX_BYTES >> 20);
            complaints.push(whole(problem, "Divide it, or check that it is the right file."));
            continue;
        }
        let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => texts.push(File { name: file.name.clone(), text: text.to_owned() }),
            Err(error) => {
                // What can be read is shown; the bad byte becomes U+FFFD.
                let at = error.valid_up_to();
                let source = String::from_utf8_lossy(bytes).into_owned();
                complaints.push(Diagnostic {
                    range: at..at + '\u{fffd}'.len_utf8(),
                    source,
                    ..whole(
                        "the file is not UTF-8: this character cannot be read".to_owned(),
                        "Save the file as UTF-8 (in Notepad: Save as, Encoding: UTF-8) and write the character anew, often a pound sign or a curly quote.",
                    )
                });
            }
        }
    }
    (texts, complaints)
}

/// Whether this is the file of what was learned, which is no YAML.
fn is_learned(file: &SourceFile) -> bool {
    file.name.rsplit('/').next() == Some(learned::FILE)
}

/// Reads what was learned from examples; a file that cannot be used becomes a complaint.
pub fn learned(files: &[SourceFile], complaints: &mut Vec<Diagnostic>) -> Option<Learned> {
    let file = files.iter().find(|file| is_learned(file))?;
    let text = String::from_utf8_lossy(&file.bytes);
    match Learned::parse(&text) {
        Ok(learned) => Some(learned),
        Err(error) => {
            let before: usize = text.split_inclusive('\n').take(error.line - 1).map(str::len).sum();
            let line = text.get(before..).and_then(|rest| rest.lines().next()).unwrap_or_default();
            complaints.push(Diagnostic {
                severity: Severity::Error,
                file: file.name.clone(),
                range: before..before + line.len().min(60),
                source: text.clone().into_owned(),
                problem: error.problem,
                remedy: Some(
                    "This file is written by `send-triage learn`: let it write the file anew, or put the last good one back.".to_owned(),
                ),
            });
            None
        }
    }
}

/// Where a rule stands before it is read.
struct Place<'n> {
    file: usize,
    group: Group,
    node: &'n Node,
}

/// Reads all files into the workshop; the rules come back in the order of their groups and files.
pub fn read(shop: &mut Workshop<'_>) -> Vec<Draft> {
    let files = shop.files;
    let mut roots: Vec<(usize, Node)> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        match yaml::parse(&file.text) {
            Ok(root) => roots.push((index, root)),
            Err(error) => shop.error(index, error.range, error.problem, error.remedy.unwrap_or_default()),
        }
    }
    let named = |index: usize, wanted: &str| {
        files.get(index).is_some_and(|file| file.name.rsplit('/').next() == Some(wanted))
    };
    for (index, root) in roots.iter().filter(|(index, _)| named(*index, "vocabulary.yaml")) {
        vocabulary::read_lists(shop, *index, root);
    }
    for (index, root) in roots.iter().filter(|(index, _)| named(*index, "vocabulary.yaml")) {
        vocabulary::check_lists(shop, *index, root);
    }
    let mut places: Vec<Place<'_>> = Vec::new();
    for (index, root) in roots.iter().filter(|(index, _)| !named(*index, "vocabulary.yaml")) {
        sections(shop, *index, root, &mut places);
    }
    places.sort_by_key(|place| GROUPS.iter().position(|(_, group)| *group == place.group));
    learn_ids(shop, &places);
    let drafts = places.iter().enumerate().filter_map(|(index, place)| rule(shop, index, place)).collect();
    for (index, root) in roots.iter().filter(|(index, _)| named(*index, "vocabulary.yaml")) {
        vocabulary::warn_of_unused(shop, *index, root);
    }
    drafts
}

/// The top-level keys of a file.
fn sections<'n>(shop: &mut Workshop<'_>, file: usize, root: &'n Node, places: &mut Vec<Place<'n>>) {
    if root.value == Value::Null {
        return;
    }
    let entries = shop.map(file, root, "the file");
    let mut capital_only = Vec::new();
    if let Some((_, node)) = entries.iter().find(|(key, _)| key_name(key) == "capital only") {
        capital_only =
            shop.texts(file, node, "a place").into_iter().map(|(text, _)| text.to_owned()).collect();
    }
    for (key, value) in entries {
        let name = key_name(key);
        if let Some((_, group)) = GROUPS.iter().find(|(known, _)| *known == name) {
            let rules = shop.list(file, value, &format!("`{name}`"));
            places.extend(rules.iter().map(|node| Place { file, group: *group, node }));
        } else if let Some((kind, ..)) = KINDS.iter().find(|(_, known, _)| *known == name) {
            vocabulary::read_context(shop, file, *kind, value);
        } else if name == "areas" {
            vocabulary::read_areas(shop, file, value, &capital_only);
        } else if name != "capital only" {
            let mut known: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
            known.extend(KINDS.iter().map(|(_, name, _): &(Kind, _, _)| *name));
            known.extend(["areas", "capital only"]);
            shop.unknown_key(file, key, &known);
        }
    }
}

/// Notes all ids, so that a rule may name a later one; complains of those that are missing or double.
fn learn_ids(shop: &mut Workshop<'_>, places: &[Place<'_>]) {
    let mut seen: Vec<(String, usize, Range<usize>)> = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let mut id = String::new();
        if let Value::Map(entries) = &place.node.value
            && let Some((_, node)) = entries.iter().find(|(key, _)| key_name(key) == "id")
            && let Some(text) = shop.text(place.file, node, "`id`")
        {
            text.clone_into(&mut id);
            if let Some((_, file, range)) = seen.iter().find(|(known, ..)| known == text) {
                let first = shop.files.get(*file);
                let line = first.map_or(0, |file| yaml::line_of(&file.text, range.start));
                let name = first.map(|file| file.name.clone()).unwrap_or_default();
                shop.error(
                    place.file,
                    node.range.clone(),
                    format!("the id `{text}` is used twice; first in {name}, line {line}"),
                    "Give this rule another id, or join the two.",
                );
            } else {
                seen.push((id.clone(), place.file, node.range.clone()));
            }
        }
        shop.ids.push(id);
        if place.group == Group::Roles {
            shop.role_rules.push(index);
        }
    }
}

/// Reads one rule.
fn rule(shop: &mut Workshop<'_>, index: usize, place: &Place<'_>) -> Option<Draft> {
    let Place { file, group, node } = *place;
    let entries = shop.map(file, node, "a rule");
    let then_key = group.then();
    let mut draft = Draft {
        rule: Rule {
            id: shop.ids.get(index).cloned().unwrap_or_default(),
            group,
            title: String::new(),
            policy: String::new(),
            then: String::new(),
        },
        when: Vec::new(),
        unless: Vec::new(),
        kinds: group.contexts(),
        needs: Vec::new(),
        examples: Vec::new(),
        id_at: (file, node.range.start..node.range.start),
    };
    shop.needs.clear();
    draft.rule.id.clone_into(&mut shop.id);
    for (key, value) in entries {
        match key_name(key) {
            "id" => draft.id_at.1 = value.range.clone(),
            "title" => draft.rule.title = shop.text(file, value, "`title`")?.to_owned(),
            "policy" => draft.rule.policy = shop.text(file, value, "`policy`")?.to_owned(),
            "note" => {}
            "when" => draft.when = clause::read_all(shop, file, value, 0),
            "unless" => draft.unless = clause::read_all(shop, file, value, 0),
            "despite" => draft.kinds = draft.kinds.without(shop.kinds(file, value)),
            "respect" => draft.kinds = draft.kinds.and(shop.kinds(file, value)),
            "examples" => draft.examples = example::read(shop, file, value),
            name => match then_key {
                Some((known, values)) if known == name => {
                    let text = shop.text(file, value, name)?;
                    if !values.contains(&text) {
                        let problem = format!("`{name}` cannot be `{text}`");
                        shop.error(
                            file,
                            value.range.clone(),
                            problem,
                            format!("It may be: {}.", values.join(", ")),
                        );
                    }
                    text.clone_into(&mut draft.rule.then);
                }
                _ => {
                    let mut known = KEYS.to_vec();
                    known.extend(then_key.map(|(name, _)| name));
                    shop.unknown_key(file, key, &known);
                }
            },
        }
    }
    draft.needs = std::mem::take(&mut shop.needs);
    let mut wanted = vec!["id", "title", "policy", "when"];
    wanted.extend(then_key.map(|(name, _)| name));
    let missing: Vec<String> = wanted
        .into_iter()
        .filter(|name| !entries.iter().any(|(key, _)| key_name(key) == *name))
        .map(|name| format!("`{name}:`"))
        .collect();
    if !missing.is_empty() && !entries.is_empty() {
        let first = entries.first().map_or(node.range.clone(), |(key, _)| key.range.clone());
        let problem = format!("this rule has no {}", missing.join(", no "));
        shop.error(
            file,
            first,
            problem,
            "Every rule needs an id, a title, the policy's clause, and a list of conditions under `when:`.",
        );
    }
    Some(draft)
}

/// An order in which every rule comes after those that it needs; complains of circles.
pub fn order(shop: &mut Workshop<'_>, drafts: &[Draft]) -> Vec<usize> {
    let mut order = Vec::with_capacity(drafts.len());
    let mut placed = vec![false; drafts.len()];
    loop {
        let before = order.len();
        for (index, draft) in drafts.iter().enumerate() {
            let ready = draft.needs.iter().all(|need| placed.get(*need).copied().unwrap_or(true));
            if let Some(place) = placed.get_mut(index)
                && !*place
                && ready
            {
                *place = true;
                order.push(index);
            }
        }
        if order.len() == before {
            break;
        }
    }
    let stuck: Vec<&Draft> =
        drafts.iter().zip(&placed).filter(|(_, placed)| !**placed).map(|(draft, _)| draft).collect();
    if let Some((file, range)) = stuck.first().map(|draft| draft.id_at.clone()) {
        let ids: Vec<&str> = stuck.iter().map(|draft| draft.rule.id.as_str()).collect();
        let problem = format!("these rules wait for each other in a circle: {}", ids.join(", "));
        shop.error(file, range, problem, "Remove a `rule:` or `role:` condition from one of them.");
    }
    order
}
