//! The YAML as staff write it: files, groups, rules and their keys.

use std::ops::Range;

use crate::yaml::{self, Node, Value};

use super::asked::{self, Stands};
use super::clause::{self, ROLES};
use super::condition::Condition;
use super::context::{KINDS, Kind, Kinds};
use super::diagnostic::nearest;
use super::example::{self, Example};
use super::learned::{self, Learned};
use super::vocabulary;
use super::workshop::{Workshop, canonical, key_name};
use super::{Diagnostic, Group, Rule, Severity, SourceFile, Zone};

/// Top-level keys of rule files, in the order of [`Group`].
pub const GROUPS: [(&str, Group); 14] = [
    ("grounds", Group::Grounds),
    ("claims", Group::Claims),
    ("topics", Group::Topics),
    ("queues", Group::Queues),
    ("chasers", Group::Chasers),
    ("signposts", Group::Signposts),
    ("leadership", Group::Leadership),
    ("callbacks", Group::CallBacks),
    ("kinds", Group::Kinds),
    ("roles", Group::Roles),
    ("residence", Group::Residence),
    ("answers", Group::Answers),
    ("follow-ups", Group::FollowUps),
    ("steps", Group::Steps),
];

/// Keys of every rule.
pub const KEYS: [&str; 9] =
    ["id", "title", "policy", "when", "unless", "despite", "respect", "examples", "note"];

impl Group {
    /// The key that says what follows from a rule, and what it may say; `None` where the id says all.
    pub(super) fn then(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Group::Queues => Some(("queue", &["resolution", "assessment", "annual-review"])),
            Group::Kinds => Some(("kind", &["auto-reply", "bounce", "list", "internal", "calendar"])),
            Group::Roles => Some(("role", &ROLES)),
            Group::Residence => Some(("says", &["home", "new-home", "old-home", "school"])),
            Group::Answers => Some(("means", &["holding", "passed-on"])),
            Group::FollowUps => Some(("tells", &["thanks", "courtesy", "request", "another-matter"])),
            Group::Steps => Some(("step", &["team-lead", "senior-manager", "resolution-team"])),
            _ => None,
        }
    }

    /// The contexts that set aside what its rules find, unless a rule says otherwise. What a message *is* does not
    /// depend on context: an out-of-office reply that says "if" is one all the same.
    pub(super) fn contexts(self) -> Kinds {
        match self {
            Group::Kinds
            | Group::Roles
            | Group::Residence
            | Group::Claims
            | Group::Answers
            | Group::CallBacks
            | Group::FollowUps => Kinds::default(),
            _ => Kinds::ALL,
        }
    }

    /// The zones in which its phrases are looked for.
    pub(super) fn zones(self) -> &'static [Zone] {
        match self {
            // The foot of a newsletter looks like a signature.
            Group::Roles | Group::Kinds => &[Zone::Subject, Zone::New, Zone::Adopted, Zone::Signature],
            // What staff say now; the subject is the sender's.
            Group::Answers => &[Zone::New],
            // The subject of a reply is the old one.
            Group::FollowUps => &[Zone::New, Zone::Adopted],
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
    /// Which of these are phrases that stand by themselves; see [`spread`].
    pub outright: Vec<bool>,
    /// When it does not.
    pub unless: Vec<Condition>,
    /// Contexts that set aside what it finds.
    pub kinds: Kinds,
    /// Indexes of rules that must be settled before it.
    pub needs: Vec<usize>,
    /// Its tests.
    pub examples: Vec<Example>,
    /// Its phrases, by number.
    pub phrases: Range<usize>,
    /// What it asks, so that two that ask the same are known.
    pub asks: String,
    /// The file's number and where the id stands in it.
    pub id_at: (usize, Range<usize>),
}

/// The conditions under `when:`, those of an `any:` there each by itself, so that only those are looked at whose words are there;
/// and which of them are phrases that do not stand under an `any:`. Those hold whatever was learned.
fn spread(when: Vec<Condition>) -> (Vec<Condition>, Vec<bool>) {
    let each = when.into_iter().flat_map(|condition| match condition {
        Condition::Any(several) => several.into_iter().map(|one| (one, false)).collect(),
        Condition::Phrase { .. } => vec![(condition, true)],
        _ => vec![(condition, false)],
    });
    each.unzip()
}

/// Whether this is the file of what was learned, which is no YAML.
pub(super) fn is_learned(file: &SourceFile) -> bool {
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
        // Behind a slip the reading goes on, so that all are told at once.
        let (root, errors) = yaml::parse_leniently(&file.text);
        for error in errors {
            shop.broken.insert(index);
            shop.error(index, error.range, error.problem, error.remedy.unwrap_or_default());
        }
        roots.push((index, root));
    }
    let named = |index: usize, wanted: &str| {
        files.get(index).is_some_and(|file| file.name.rsplit('/').next() == Some(wanted))
    };
    // Before any phrase: they are mended by the spellings.
    for (index, root) in &roots {
        if let Value::Map(entries) = &root.value
            && let Some((_, node)) = entries.iter().find(|(key, _)| key_name(key) == "spellings")
        {
            vocabulary::read_spellings(shop, *index, node);
        }
    }
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
        } else if !matches!(name, "capital only" | "spellings") {
            let mut known: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
            known.extend(KINDS.iter().map(|(_, name, _): &(Kind, _, _)| *name));
            known.extend(["areas", "capital only", "spellings"]);
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
            check_id(shop, place.file, node, text);
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
    let entries = match &node.value {
        Value::Map(entries) => entries.as_slice(),
        _ if shop.was_blanked(file, node) => return None,
        other => {
            let problem = format!("here a rule must begin, with its keys, but this is {}", other.kind());
            shop.error(
                file,
                node.range.clone(),
                problem,
                "Begin a rule with `- id: ...`; a phrase stands under the `when:` of a rule.",
            );
            return None;
        }
    };
    let first_phrase = shop.programs.len();
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
        outright: Vec::new(),
        unless: Vec::new(),
        kinds: group.contexts(),
        needs: Vec::new(),
        examples: Vec::new(),
        phrases: first_phrase..first_phrase,
        asks: String::new(),
        id_at: (file, node.range.start..node.range.start),
    };
    shop.needs.clear();
    draft.rule.id.clone_into(&mut shop.id);
    for (key, value) in entries {
        if matches!(key_name(key), "when" | "unless" | "despite" | "respect") {
            draft.asks.push_str(&format!("{} {}\n", key_name(key), canonical(value)));
        }
        match key_name(key) {
            "id" => draft.id_at.1 = value.range.clone(),
            "title" => draft.rule.title = shop.text(file, value, "`title`").unwrap_or_default().to_owned(),
            "policy" => draft.rule.policy = shop.text(file, value, "`policy`").unwrap_or_default().to_owned(),
            "note" => {}
            "when" => {
                let stands = if group == Group::Grounds { Stands::UnderGround } else { Stands::UnderRule };
                asked::check(shop, file, value, stands);
                (draft.when, draft.outright) = spread(clause::read_all(shop, file, value, 0));
            }
            "unless" => {
                asked::check(shop, file, value, Stands::Within);
                draft.unless = clause::read_all(shop, file, value, 0);
            }
            "despite" => draft.kinds = draft.kinds.without(shop.kinds(file, value)),
            "respect" => draft.kinds = draft.kinds.and(shop.kinds(file, value)),
            "examples" => draft.examples = example::read(shop, file, value),
            name => match then_key {
                Some((known, values)) if known == name => {
                    let Some(text) = shop.text(file, value, &format!("`{name}`")) else { continue };
                    if !values.contains(&text) {
                        let problem = match group {
                            Group::Queues => format!("no team has the queue `{text}`"),
                            _ => format!("`{name}` cannot be `{text}`"),
                        };
                        let remedy = did_you_mean(text, values, "It may be");
                        shop.error(file, value.range.clone(), problem, remedy);
                    }
                    text.clone_into(&mut draft.rule.then);
                }
                _ => misplaced_key(shop, file, key, then_key.map(|(name, _)| name)),
            },
        }
    }
    draft.needs = std::mem::take(&mut shop.needs);
    draft.phrases.end = shop.programs.len();
    let mut wanted = vec!["id", "title", "policy", "when"];
    wanted.extend(then_key.map(|(name, _)| name));
    let missing: Vec<String> = wanted
        .into_iter()
        .filter(|name| !entries.iter().any(|(key, _)| key_name(key) == *name))
        .map(|name| format!("`{name}:`"))
        .collect();
    // A key that was misspelt is missing as well; one complaint about it is enough.
    let misspelt = entries.iter().any(|(key, _)| {
        let known = KEYS.contains(&key_name(key)) || then_key.is_some_and(|(name, _)| name == key_name(key));
        !known && nearest(key_name(key), missing.iter().map(|name| name.trim_matches(['`', ':']))).is_some()
    });
    if !missing.is_empty() && !misspelt {
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

/// An id stands in lists, in `rule:` and in the record: no blank, no quotes.
fn check_id(shop: &mut Workshop<'_>, file: usize, node: &Node, id: &str) {
    if id.is_empty() || id.chars().any(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        shop.error(
            file,
            node.range.clone(),
            format!("`{id}` cannot be an id: an id has letters, digits and hyphens, and no spaces"),
            "Write it like `U4` or `chaser-plain`; the words for people stand in `title:`.",
        );
    }
}

/// A key that rules of this group do not have: misspelt, of another group, or meant for another place in the rule.
fn misplaced_key(shop: &mut Workshop<'_>, file: usize, key: &Node, then_key: Option<&'static str>) {
    let written = key_name(key);
    let owner = GROUPS.iter().find(|(_, group)| group.then().is_some_and(|(name, _)| name == written));
    let problem = format!("the key `{written}` is not known here");
    if let Some((group, _)) = owner {
        let remedy =
            format!("`{written}:` belongs to rules under `{group}:`. Remove it, or move the rule there.");
        return shop.error(file, key.range.clone(), problem, remedy);
    }
    if clause::KEYS.contains(&written) {
        let remedy = format!(
            "`{written}:` is a condition: write it below `when:` (or `unless:`), as `- {written}: ...`."
        );
        return shop.error(file, key.range.clone(), problem, remedy);
    }
    let mut known = KEYS.to_vec();
    known.extend(then_key);
    shop.unknown_key(file, key, &known);
}

/// The known word that is nearest, or all of them.
fn did_you_mean(written: &str, known: &[&str], otherwise: &str) -> String {
    nearest(written, known.iter().copied()).map_or_else(
        || format!("{otherwise}: {}.", known.join(", ")),
        |name| format!("Did you mean `{name}`? {otherwise}: {}.", known.join(", ")),
    )
}

/// An order in which every rule comes after those that it needs, and the grounds before all that they do not need: whether
/// any holds is known before others ask. Complains of circles.
pub fn order(shop: &mut Workshop<'_>, drafts: &[Draft]) -> Vec<usize> {
    let mut order = Vec::with_capacity(drafts.len());
    let mut placed = vec![false; drafts.len()];
    for first in [for_grounds(drafts), vec![true; drafts.len()]] {
        loop {
            let before = order.len();
            for (index, draft) in drafts.iter().enumerate() {
                let ready = draft.needs.iter().all(|need| placed.get(*need).copied().unwrap_or(true));
                if let Some(place) = placed.get_mut(index)
                    && !*place
                    && ready
                    && first.get(index) == Some(&true)
                {
                    *place = true;
                    order.push(index);
                }
            }
            if order.len() == before {
                break;
            }
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

/// The grounds, and what they need.
fn for_grounds(drafts: &[Draft]) -> Vec<bool> {
    let mut wanted = vec![false; drafts.len()];
    let grounds = drafts.iter().enumerate().filter(|(_, draft)| draft.rule.group == Group::Grounds);
    let mut open: Vec<usize> = grounds.map(|(index, _)| index).collect();
    while let Some(index) = open.pop() {
        if let Some(place) = wanted.get_mut(index).filter(|place| !**place) {
            *place = true;
            open.extend(drafts.iter().skip(index).take(1).flat_map(|draft| &draft.needs));
        }
    }
    wanted
}
