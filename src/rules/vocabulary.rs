//! The lists that a phrase may name, the words of contexts, and the places: `vocabulary.yaml`, `context.yaml`, `areas:`.

use crate::yaml::{Node, Value};

use super::context::{KINDS, Kind, Role, Settings};
use super::phrase::{AREAS, Phrase};
use super::spellings::Refusal;
use super::workshop::{Workshop, Written, key_name};

/// Keys of one kind in `context.yaml`.
pub const CONTEXT_KEYS: [&str; 12] = [
    "before",
    "after",
    "before in clause",
    "after in clause",
    "next sentence",
    "pseudo",
    "ends at",
    "ends at comma",
    "reach",
    "sentences",
    "only in questions",
    "note",
];

/// Names that a list may not have.
pub const SLOTS: [&str; 5] = ["number", "date", "duration", "place", "year"];

/// Reads `vocabulary.yaml`: one list a key.
pub fn read_lists(shop: &mut Workshop<'_>, file: usize, root: &Node) {
    for (key, value) in shop.map(file, root, "vocabulary.yaml") {
        let name = key_name(key);
        if SLOTS.contains(&name) {
            shop.error(
                file,
                key.range.clone(),
                format!("`{name}` is a slot of the language and cannot be the name of a list"),
                "Choose another name.",
            );
            continue;
        }
        let mut all = Vec::new();
        for (text, node) in shop.texts(file, value, "an entry") {
            all.extend(shop.parse(file, node, text));
        }
        if matches!(&value.value, Value::List(items) if items.is_empty()) || value.value == Value::Null {
            shop.error(
                file,
                value.range.clone(),
                format!("the list `{name}` is empty"),
                "Give it an entry, or remove it.",
            );
        }
        let number = shop.list_names.len();
        shop.list_names.push(name.to_owned());
        shop.lists.insert(name.to_owned(), (number, Phrase::Either(all)));
    }
}

/// Reads `spellings:`: what is meant, and what people type for it.
pub fn read_spellings(shop: &mut Workshop<'_>, file: usize, node: &Node) {
    let entries = shop.map(file, node, "`spellings`");
    for (key, value) in entries {
        let meant = key_name(key);
        for (typed, node) in shop.texts(file, value, "a spelling") {
            let (problem, remedy) = match shop.spellings.add(typed, meant) {
                Ok(()) => continue,
                Err(Refusal::Empty) => {
                    ("there is no word here".to_owned(), "Write `what is meant: [what people type]`.")
                }
                Err(Refusal::TooLong) => {
                    (format!("`{typed}` is too long for a spelling"), "Make it a phrase of a rule instead.")
                }
                Err(Refusal::Negation(word)) => (
                    format!("`{typed}` holds `{word}`, a word of negation"),
                    "Words of negation must stand as they are, or a rule would read the opposite. Remove this spelling.",
                ),
                Err(Refusal::Double(known)) => (
                    format!("`{typed}` is already read as `{known}`"),
                    "Remove one of the two: a spelling has one meaning.",
                ),
            };
            shop.error(file, node.range.clone(), problem, remedy);
        }
    }
}

/// Compiles each list by itself, so that circles and unknown names are told where they stand.
pub fn check_lists(shop: &mut Workshop<'_>, file: usize, root: &Node) {
    let Value::Map(entries) = &root.value else { return };
    for (_, value) in entries {
        for (text, node) in shop.texts(file, value, "an entry") {
            let Ok(parsed) = super::phrase::parse(text) else { continue };
            if mentions_list(&parsed) && shop.compile(file, node, text, &parsed, None).is_none() {
                return;
            }
        }
    }
}

/// Warns of lists that no phrase names: most often a name that was changed in one place only.
pub fn warn_of_unused(shop: &mut Workshop<'_>, file: usize, root: &Node) {
    let Value::Map(entries) = &root.value else { return };
    for (key, _) in entries.iter().filter(|(key, _)| !SLOTS.contains(&key_name(key))) {
        let name = key_name(key);
        if !shop.named.contains(name) {
            let problem = format!("no phrase names the list `{name}`");
            shop.warn(
                file,
                key.range.clone(),
                problem,
                format!("Remove it, or write {{{name}}} where it is meant."),
            );
        }
    }
}

fn mentions_list(phrase: &Phrase) -> bool {
    match phrase {
        Phrase::List(..) => true,
        Phrase::Row(parts) | Phrase::Either(parts) => parts.iter().any(mentions_list),
        Phrase::Maybe(inner) => mentions_list(inner),
        _ => false,
    }
}

/// Reads one kind of `context.yaml`.
pub fn read_context(shop: &mut Workshop<'_>, file: usize, kind: Kind, node: &Node) {
    let mut settings = Settings::default();
    for (key, value) in shop.map(file, node, "a context") {
        let role = match key_name(key) {
            "before" => Role::Before,
            "after" => Role::After,
            "before in clause" => Role::BeforeInClause,
            "after in clause" => Role::AfterInClause,
            "next sentence" => Role::NextSentence,
            "pseudo" => Role::Pseudo,
            "ends at" => Role::EndsAt,
            "reach" => {
                if let Some(text) = shop.text(file, value, "`reach`") {
                    settings.reach =
                        if text == "sentence" { None } else { count(shop, file, value, text, 100) };
                }
                continue;
            }
            "sentences" => {
                if let Some(text) = shop.text(file, value, "`sentences`") {
                    settings.sentences = count(shop, file, value, text, 5).unwrap_or(0);
                }
                continue;
            }
            "only in questions" => {
                settings.only_in_questions = yes_or_no(shop, file, value, "only in questions");
                continue;
            }
            "ends at comma" => {
                settings.ends_at_comma = yes_or_no(shop, file, value, "ends at comma");
                continue;
            }
            "note" => continue,
            _ => {
                shop.unknown_key(file, key, &CONTEXT_KEYS);
                continue;
            }
        };
        for (text, node) in shop.texts(file, value, "a trigger") {
            if let Some(parsed) = shop.parse(file, node, text) {
                shop.compile(file, node, text, &parsed, Some((kind, role)));
            }
        }
    }
    if let Some((_, place)) = KINDS.iter().zip(&mut shop.settings).find(|((known, ..), _)| *known == kind) {
        *place = settings;
    }
}

/// Yes or no, or a complaint.
fn yes_or_no(shop: &mut Workshop<'_>, file: usize, node: &Node, key: &str) -> bool {
    // However an editor or another YAML writes it.
    let Some(text) = shop.text(file, node, &format!("`{key}`")).map(str::to_ascii_lowercase) else {
        return false;
    };
    if !matches!(text.as_str(), "yes" | "true" | "no" | "false") {
        shop.error(file, node.range.clone(), "this must be yes or no", format!("Write `{key}: yes`."));
    }
    matches!(text.as_str(), "yes" | "true")
}

/// A small whole number, or a complaint.
pub fn count(shop: &mut Workshop<'_>, file: usize, node: &Node, text: &str, most: usize) -> Option<usize> {
    match text.parse::<usize>() {
        Ok(number) if number <= most => Some(number),
        _ => {
            shop.error(
                file,
                node.range.clone(),
                format!("`{text}` is no whole number from 0 to {most}"),
                "Write it in digits.",
            );
            None
        }
    }
}

/// Reads `areas:`, with the names that count only with a capital.
pub fn read_areas(shop: &mut Workshop<'_>, file: usize, node: &Node, capital_only: &[String]) {
    let mut seen: Vec<(String, usize, Written)> = Vec::new();
    for (key, value) in shop.map(file, node, "`areas`") {
        let Some(area) = AREAS.iter().position(|name| *name == key_name(key)) else {
            shop.unknown_key(file, key, &AREAS);
            continue;
        };
        // Either one list, or several under headings of staff's own choice (`Stevenage: [...]`).
        let mut lists = vec![value];
        if let Value::Map(entries) = &value.value {
            lists = entries.iter().map(|(_, list)| list).collect();
        }
        for list in lists {
            for (text, item) in shop.texts(file, list, "a place") {
                let capital = capital_only.iter().any(|name| name == text);
                let mut places = std::mem::take(&mut shop.places);
                let fits = places.add(text, area, capital, &mut shop.terms);
                shop.places = places;
                let first = seen.iter().find(|(name, other, _)| name == text && *other != area);
                let first = first.map(|(_, other, at)| (*other, at.clone()));
                if !fits {
                    let problem = match first {
                        Some((other, at)) => format!(
                            "`{text}` stands in two areas: in {} in line {}, in {} here",
                            AREAS.get(other).copied().unwrap_or_default(),
                            shop.line_of(&at),
                            AREAS.get(area).copied().unwrap_or_default(),
                        ),
                        None => format!("`{text}` stands in two areas"),
                    };
                    shop.error(file, item.range.clone(), problem, "Remove it from one of them.");
                }
                seen.push((
                    text.to_owned(),
                    area,
                    Written { file, range: item.range.clone(), text: text.to_owned() },
                ));
            }
        }
    }
}
