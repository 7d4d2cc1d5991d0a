//! Conditions as staff write them in YAML, made into [`Condition`]s.

use regex::{Regex, RegexBuilder};

use crate::yaml::{Node, Value};

use super::condition::{Condition, Part};
use super::context::Kinds;
use super::diagnostic::nearest;
use super::schema;
use super::together::Stretch;
use super::vocabulary::count;
use super::workshop::{Workshop, key_name};
use super::{Addressed, asked};

/// Keys of conditions.
pub const KEYS: [&str; 24] = [
    "any",
    "all",
    "sentence",
    "near",
    "paragraph",
    "at least",
    "not",
    "subject",
    "body",
    "start",
    "phrase",
    "despite",
    "regex",
    "role",
    "sender",
    "name",
    "header",
    "part",
    "attachment",
    "addressed",
    "rule",
    "learned",
    "words",
    "mailbox",
];

/// How deep conditions may nest.
const MAX_NESTING: usize = 12;

/// What a message's sender may be.
pub const ROLES: [&str; 6] =
    ["parent", "young-person", "school", "professional", "authority", "representative"];

/// Reads one condition.
pub fn read(shop: &mut Workshop<'_>, file: usize, node: &Node, depth: usize) -> Option<Condition> {
    if depth > MAX_NESTING {
        shop.error(
            file,
            node.range.clone(),
            format!("conditions are nested more than {MAX_NESTING} deep"),
            "Divide the rule, or give a part of it a rule of its own and name it with `rule:`.",
        );
        return None;
    }
    match &node.value {
        Value::Scalar(text, _) => {
            let id = shop.phrase(file, node, text)?;
            Some(Condition::Phrase { id, written: text.clone(), despite: Kinds::default() })
        }
        Value::Map(entries) => map(shop, file, node, entries, depth),
        Value::List(_) => {
            shop.error(
                file,
                node.range.clone(),
                "a condition must be a phrase or a map, but this is a list",
                "If it is a phrase that begins with [, put it in quotes; if it is a list of conditions, write `any:` or `all:` before it.",
            );
            None
        }
        Value::Null if shop.was_blanked(file, node) => None,
        Value::Null => {
            shop.error(
                file,
                node.range.clone(),
                "a condition is missing here",
                "Write a phrase, or remove the dash.",
            );
            None
        }
    }
}

/// A list of conditions; a single one will do.
pub fn read_all(shop: &mut Workshop<'_>, file: usize, node: &Node, depth: usize) -> Vec<Condition> {
    match &node.value {
        Value::List(items) => {
            if items.is_empty() {
                shop.error(
                    file,
                    node.range.clone(),
                    "this list of conditions is empty",
                    "Give it at least one.",
                );
            }
            items.iter().filter_map(|item| read(shop, file, item, depth + 1)).collect()
        }
        _ => read(shop, file, node, depth + 1).into_iter().collect(),
    }
}

fn map(
    shop: &mut Workshop<'_>,
    file: usize,
    node: &Node,
    entries: &[(Node, Node)],
    depth: usize,
) -> Option<Condition> {
    if let Some((_, phrase)) = entries.iter().find(|(key, _)| key_name(key) == "phrase") {
        return phrase_with_despite(shop, file, entries, phrase);
    }
    let (key, value) = match entries {
        [one] => (&one.0, &one.1),
        _ => {
            let names: Vec<&str> = entries.iter().map(|(key, _)| key_name(key)).collect();
            for (key, _) in entries.iter().filter(|(key, _)| !KEYS.contains(&key_name(key))) {
                unknown_key(shop, file, key);
            }
            shop.error(
                file,
                node.range.clone(),
                format!("a condition has one key, but this has {}: {}", names.len(), names.join(", ")),
                "Put a dash before each, under `all:` or `any:`. If it is a phrase with a colon or braces, put it in quotes.",
            );
            return None;
        }
    };
    let all = |shop: &mut Workshop<'_>| {
        let all = read_all(shop, file, value, depth);
        (!all.is_empty()).then_some(all)
    };
    let one = |shop: &mut Workshop<'_>| match &value.value {
        Value::List(_) => all(shop).map(|all| Box::new(Condition::Any(all))),
        _ => read(shop, file, value, depth + 1).map(Box::new),
    };
    Some(match key_name(key) {
        "any" => Condition::Any(all(shop)?),
        "all" => Condition::All(all(shop)?),
        "sentence" => Condition::Sentence(all(shop)?),
        "near" => Condition::Near(all(shop)?),
        "paragraph" => Condition::Paragraph(all(shop)?),
        "at least" => at_least(shop, file, value, depth)?,
        "not" => Condition::Not(one(shop)?),
        "subject" => Condition::In(Part::Subject, one(shop)?),
        "body" => Condition::In(Part::Body, one(shop)?),
        "start" => Condition::In(Part::Start, one(shop)?),
        "despite" => {
            shop.error(file, key.range.clone(), "`despite` stands alone here", "Write it beside `phrase:`.");
            return None;
        }
        "regex" => Condition::Regex(regex(shop, file, value)?),
        "role" => Condition::Role(names(shop, file, value, "role", &ROLES)).needing_roles(shop),
        "sender" => match shop.text(file, value, "`sender`")? {
            "council" => Condition::SenderCouncil,
            _ => Condition::Sender(regex(shop, file, value)?),
        },
        "name" => Condition::Name(regex(shop, file, value)?),
        "header" => header(shop, file, value)?,
        "part" => mime_part(shop, file, value)?,
        "attachment" => Condition::Attachment(regex(shop, file, value)?),
        "addressed" => Condition::Addressed(
            names(shop, file, value, "place of the mailbox", &["to", "cc", "none"])
                .iter()
                .map(|name| match name.as_str() {
                    "to" => Addressed::To,
                    "cc" => Addressed::Cc,
                    _ => Addressed::Nowhere,
                })
                .collect(),
        ),
        "rule" => rule(shop, file, value)?,
        "learned" => asked::read(shop, file, value)?,
        "words" => words(shop, file, value)?,
        "mailbox" => Condition::Mailbox(mailboxes(shop, file, value)),
        _ => {
            unknown_key(shop, file, key);
            return None;
        }
    })
}

/// A key that no condition has; most often a phrase with a colon, or a key of the rule that stands too far right.
fn unknown_key(shop: &mut Workshop<'_>, file: usize, key: &Node) {
    let written = key_name(key);
    let problem = format!("the key `{written}` is not known in a condition");
    if schema::KEYS.contains(&written) {
        let remedy = format!("`{written}:` is a key of the rule: begin it in the column of `when:`.");
        return shop.error(file, key.range.clone(), problem, remedy);
    }
    let remedy = match nearest(written, KEYS) {
        _ if written.starts_with(['\u{2018}', '\u{201c}']) => {
            "YAML does not know typographic quotes: use straight ones, ' or \".".to_owned()
        }
        Some(name) => {
            format!("Did you mean `{name}`? If this is a phrase with a colon in it, put it in quotes.")
        }
        None => format!(
            "If this is a phrase with a colon in it, put it in quotes. Conditions are: {}.",
            KEYS.join(", ")
        ),
    };
    shop.error(file, key.range.clone(), problem, remedy);
}

/// Mailboxes by name; whether there are such is known to the configuration.
fn mailboxes(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Vec<String> {
    let mut names = Vec::new();
    for (text, item) in shop.texts(file, node, "a mailbox") {
        shop.names_mailbox(file, item, text);
        names.push(text.to_owned());
    }
    names
}

impl Condition {
    /// A condition on the sender's role waits for the rules that tell it.
    fn needing_roles(self, shop: &mut Workshop<'_>) -> Self {
        shop.needs.extend(shop.role_rules.iter().copied());
        self
    }
}

fn phrase_with_despite(
    shop: &mut Workshop<'_>,
    file: usize,
    entries: &[(Node, Node)],
    phrase: &Node,
) -> Option<Condition> {
    let mut despite = Kinds::default();
    for (key, value) in entries {
        match key_name(key) {
            "phrase" => {}
            "despite" => despite = shop.kinds(file, value),
            _ => shop.unknown_key(file, key, &["phrase", "despite"]),
        }
    }
    let text = shop.text(file, phrase, "`phrase`")?;
    let id = shop.phrase(file, phrase, text)?;
    Some(Condition::Phrase { id, written: text.to_owned(), despite })
}

/// `{count: 2, of: [...], within: sentence}`.
fn at_least(shop: &mut Workshop<'_>, file: usize, node: &Node, depth: usize) -> Option<Condition> {
    let (mut wanted, mut of, mut within) = (None, Vec::new(), Stretch::Message);
    for (key, value) in shop.map(file, node, "`at least`") {
        match key_name(key) {
            "count" => {
                let text = shop.text(file, value, "`count`")?;
                wanted = count(shop, file, value, text, 100);
            }
            "of" => of = read_all(shop, file, value, depth + 1),
            "within" => {
                within = match shop.text(file, value, "`within`")? {
                    "sentence" => Stretch::Sentence,
                    "near" => Stretch::Near,
                    "paragraph" => Stretch::Paragraph,
                    "message" => Stretch::Message,
                    other => {
                        let problem = format!("`within` cannot be `{other}`");
                        let remedy = "It may be: sentence, near, paragraph, message.";
                        shop.error(file, value.range.clone(), problem, remedy);
                        return None;
                    }
                }
            }
            _ => shop.unknown_key(file, key, &["count", "of", "within"]),
        }
    }
    let Some(count) = wanted.filter(|count| (1..=of.len()).contains(count)) else {
        shop.error(
            file,
            node.range.clone(),
            format!(
                "`at least` needs a `count` from 1 to the number of its conditions, which is {}",
                of.len()
            ),
            "Write `at least: {count: 2, of: [one, two, three], within: sentence}`.",
        );
        return None;
    };
    Some(Condition::AtLeast { count, of, within })
}

/// A regular expression: without case, of limited size, in linear time.
fn regex(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Option<Regex> {
    let text = shop.text(file, node, "a regular expression")?;
    let is_quote = |c: &char| matches!(c, '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}');
    if let Some(quote) = text.chars().next().filter(is_quote) {
        shop.error(
            file,
            node.range.clone(),
            format!("a typographic quote ({quote}) begins this regular expression, and would be looked for"),
            "Put the expression in straight quotes: '...'. If the quote itself is meant, write \\u{2019}.",
        );
        return None;
    }
    match RegexBuilder::new(text).case_insensitive(true).size_limit(1 << 20).dfa_size_limit(1 << 20).build() {
        Ok(regex) => Some(regex),
        Err(error) => {
            let said = error.to_string();
            let said = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let remedy = if said.starts_with("look-around") {
                "Write what must not be there as a condition of its own: `not: {sender: '...'}` beside it under `all:`."
            } else {
                "Check its brackets; or write a plain phrase, which needs no regular expression."
            };
            shop.error(
                file,
                node.range.clone(),
                format!("this regular expression cannot be used: {said}"),
                remedy,
            );
            None
        }
    }
}

/// Names out of a fixed set.
fn names(shop: &mut Workshop<'_>, file: usize, node: &Node, what: &str, known: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    let texts = match &node.value {
        // `to / cc` as well as a list.
        Value::Scalar(text, _) => text.split('/').map(|name| (name.trim().to_owned(), node)).collect(),
        _ => shop
            .texts(file, node, what)
            .into_iter()
            .map(|(text, node)| (text.to_owned(), node))
            .collect::<Vec<_>>(),
    };
    for (text, item) in texts {
        if known.contains(&text.as_str()) {
            all.push(text);
        } else {
            let remedy = nearest(&text, known.iter().copied()).map_or_else(
                || format!("Known: {}.", known.join(", ")),
                |name| format!("Did you mean `{name}`?"),
            );
            shop.error(file, item.range.clone(), format!("there is no {what} `{text}`"), remedy);
        }
    }
    all
}

fn header(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Option<Condition> {
    if let Value::Scalar(name, _) = &node.value {
        return Some(Condition::Header { name: name.clone(), matches: None });
    }
    let (mut name, mut matches) = (None, None);
    for (key, value) in shop.map(file, node, "`header`") {
        match key_name(key) {
            "name" => name = shop.text(file, value, "a header's name").map(str::to_owned),
            "matches" => matches = Some(regex(shop, file, value)?),
            _ => shop.unknown_key(file, key, &["name", "matches"]),
        }
    }
    if name.is_none() {
        shop.error(
            file,
            node.range.clone(),
            "the header's name is missing",
            "Write {name: Precedence, matches: '^bulk$'}.",
        );
    }
    Some(Condition::Header { name: name?, matches })
}

fn mime_part(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Option<Condition> {
    if let Value::Scalar(kind, _) = &node.value {
        return Some(Condition::MimePart { kind: kind.clone(), parameter: None, matches: None });
    }
    let (mut kind, mut parameter, mut matches) = (None, None, None);
    for (key, value) in shop.map(file, node, "`part`") {
        match key_name(key) {
            "type" => kind = shop.text(file, value, "a MIME type").map(str::to_owned),
            "parameter" => parameter = shop.text(file, value, "a parameter's name").map(str::to_owned),
            "matches" => matches = Some(regex(shop, file, value)?),
            _ => shop.unknown_key(file, key, &["type", "parameter", "matches"]),
        }
    }
    if kind.is_none() {
        shop.error(file, node.range.clone(), "the part's type is missing", "Write {type: 'text/calendar'}.");
    }
    if matches.is_some() && parameter.is_none() {
        shop.error(
            file,
            node.range.clone(),
            "`matches` needs a `parameter` to look at",
            "Add `parameter: method`.",
        );
    }
    Some(Condition::MimePart { kind: kind?, parameter, matches })
}

fn rule(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Option<Condition> {
    let mut all = Vec::new();
    for (text, item) in shop.texts(file, node, "a rule's id") {
        if let Some(index) = shop.ids.iter().position(|id| id == text) {
            shop.needs.push(index);
            all.push(Condition::Rule(index));
        } else if !shop.broken.is_empty() {
            // The rule may stand in what could not be read.
        } else {
            let remedy = nearest(text, shop.ids.iter().map(String::as_str))
                .map_or_else(|| "Check the id.".to_owned(), |near| format!("Did you mean `{near}`?"));
            shop.error(file, item.range.clone(), format!("there is no rule `{text}`"), remedy);
        }
    }
    if all.len() > 1 { Some(Condition::Any(all)) } else { all.pop() }
}

fn words(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Option<Condition> {
    let (mut more, mut fewer) = (None, None);
    for (key, value) in shop.map(file, node, "`words`") {
        let bound = match key_name(key) {
            "more than" => &mut more,
            "fewer than" => &mut fewer,
            _ => {
                shop.unknown_key(file, key, &["more than", "fewer than"]);
                continue;
            }
        };
        let text = shop.text(file, value, "a number of words")?;
        *bound = count(shop, file, value, text, 1_000_000);
    }
    if let (Some(more), Some(fewer)) = (more, fewer)
        && fewer <= more + 1
    {
        shop.error(
            file,
            node.range.clone(),
            format!("this can never hold: no text has more than {more} and fewer than {fewer} words"),
            "Change one of the two numbers.",
        );
    }
    Some(Condition::Words { more, fewer })
}
