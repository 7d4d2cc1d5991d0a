//! Where rules are made: the files, the complaints about them, and the parts that are ready.
//!
//! The readers of each kind of file ([`super::schema`], [`super::clause`], [`super::vocabulary`]) work here. It never
//! stops at the first fault: what is wrong is noted and the reading goes on.

use std::collections::HashSet;
use std::ops::Range;

use crate::yaml::{Node, Value};

use super::context::{Kind, Kinds, Role, Settings};
use super::diagnostic::{Diagnostic, Severity, nearest};
use super::learned::Learned;
use super::lexicon::Builder;
use super::lint::never;
use super::matcher::PhraseId;
use super::phrase::{self, Phrase};
use super::places::Places;
use super::program::{Lists, Parts, Program, Unfit};
use super::spellings::Spellings;

/// How many phrases all files may hold.
const MAX_PHRASES: usize = 50_000;

/// A file that could be read as text.
#[derive(Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// See the module.
#[derive(Debug)]
pub struct Workshop<'f> {
    /// The files.
    pub files: &'f [File],
    /// What was found wrong.
    pub complaints: Vec<Diagnostic>,
    /// The vocabulary.
    pub lists: Lists,
    /// Names of the lists, by number.
    pub list_names: Vec<String>,
    /// Words asked for.
    pub terms: Builder,
    /// What people type and mean.
    pub spellings: Spellings,
    /// Parts of phrases.
    pub parts: Parts,
    /// Phrases, compiled.
    pub programs: Vec<Program>,
    /// For each phrase, where it is written.
    pub written: Vec<Written>,
    /// For each phrase, what it triggers.
    pub triggers: Vec<Option<(Kind, Role)>>,
    /// Settings of contexts.
    pub settings: [Settings; 6],
    /// Places.
    pub places: Places,
    /// What was learned from examples.
    pub learned: Option<Learned>,
    /// It was complained that there is none, or that it cannot be used.
    pub learned_missed: bool,
    /// Id of the rule that is being read.
    pub id: String,
    /// Ids of all rules, by index.
    pub ids: Vec<String>,
    /// Indexes of the rules for roles.
    pub role_rules: Vec<usize>,
    /// Lists that some phrase names.
    pub named: HashSet<String>,
    /// Rules on which the rule being read depends.
    pub needs: Vec<usize>,
    /// Files with syntax errors: what they would have defined is not known.
    pub broken: HashSet<usize>,
    /// Mailboxes that a rule or an example names, and where.
    pub mailboxes: Vec<(String, Written)>,
}

/// A phrase, or another text, as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub file: usize,
    /// Where in it.
    pub range: Range<usize>,
    /// The text.
    pub text: String,
}

impl<'f> Workshop<'f> {
    /// An empty one.
    pub fn new(files: &'f [File]) -> Self {
        Self {
            files,
            complaints: Vec::new(),
            lists: Lists::new(),
            list_names: Vec::new(),
            terms: Builder::new(),
            spellings: Spellings::default(),
            parts: Parts::default(),
            programs: Vec::new(),
            written: Vec::new(),
            triggers: Vec::new(),
            settings: [Settings::default(); 6],
            places: Places::default(),
            learned: None,
            learned_missed: false,
            id: String::new(),
            ids: Vec::new(),
            role_rules: Vec::new(),
            named: HashSet::new(),
            needs: Vec::new(),
            broken: HashSet::new(),
            mailboxes: Vec::new(),
        }
    }

    /// Notes an error.
    pub fn error(
        &mut self,
        file: usize,
        range: Range<usize>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.note(Severity::Error, file, range, problem.into(), remedy.into());
    }

    /// Notes something that does not stop the rules from being used.
    pub fn warn(
        &mut self,
        file: usize,
        range: Range<usize>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.note(Severity::Warning, file, range, problem.into(), remedy.into());
    }

    fn note(
        &mut self,
        severity: Severity,
        file: usize,
        range: Range<usize>,
        problem: String,
        remedy: String,
    ) {
        let (name, source) =
            self.files.get(file).map(|file| (file.name.clone(), file.text.clone())).unwrap_or_default();
        let remedy = (!remedy.is_empty()).then_some(remedy);
        self.complaints.push(Diagnostic { severity, file: name, range, source, problem, remedy });
    }

    /// Notes a key that is not known here.
    pub fn unknown_key(&mut self, file: usize, key: &Node, known: &[&str]) {
        let written = key_name(key);
        let remedy = match nearest(written, known.iter().copied()) {
            Some(name) => format!("Did you mean `{name}`?"),
            None => format!("Known here: {}.", known.join(", ")),
        };
        self.error(file, key.range.clone(), format!("the key `{written}` is not known here"), remedy);
    }

    /// Whether this is empty only because an entry with a syntax error was passed over.
    pub fn was_blanked(&self, file: usize, node: &Node) -> bool {
        node.value == Value::Null && self.broken.contains(&file)
    }

    /// A map's entries, or a complaint.
    pub fn map<'n>(&mut self, file: usize, node: &'n Node, what: &str) -> &'n [(Node, Node)] {
        if let Value::Map(entries) = &node.value {
            return entries;
        }
        if !self.was_blanked(file, node) {
            self.error(
                file,
                node.range.clone(),
                format!("{what} must be a map of keys, but this is {}", node.value.kind()),
                "Write `key: value` lines, indented alike.",
            );
        }
        &[]
    }

    /// A list's items, or a complaint.
    pub fn list<'n>(&mut self, file: usize, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::List(items) => items,
            _ if self.was_blanked(file, node) => &[],
            _ => {
                self.error(
                    file,
                    node.range.clone(),
                    format!("{what} must be a list, but this is {}", node.value.kind()),
                    "Begin each entry with a dash, or write [one, two].",
                );
                &[]
            }
        }
    }

    /// A text, or a complaint.
    pub fn text<'n>(&mut self, file: usize, node: &'n Node, what: &str) -> Option<&'n str> {
        if let Value::Scalar(text, _) = &node.value {
            return Some(text);
        }
        if self.was_blanked(file, node) {
            return None;
        }
        let remedy = match &node.value {
            Value::List(_) | Value::Map(_) if what.starts_with('`') => {
                "Write the words alone, without brackets or braces."
            }
            Value::List(_) => "A phrase that begins with [ must stand in quotes: '[very] ill'.",
            Value::Map(_) => "A phrase that begins with { or holds a colon must stand in quotes.",
            _ => "Write the text after the colon, or remove the line.",
        };
        self.error(
            file,
            node.range.clone(),
            format!("{what} must be text, but this is {}", node.value.kind()),
            remedy,
        );
        None
    }

    /// One text or a list of texts.
    pub fn texts<'n>(&mut self, file: usize, node: &'n Node, what: &str) -> Vec<(&'n str, &'n Node)> {
        match &node.value {
            Value::List(items) => {
                items.iter().filter_map(|item| self.text(file, item, what).map(|text| (text, item))).collect()
            }
            _ => self.text(file, node, what).map(|text| (text, node)).into_iter().collect(),
        }
    }

    /// The six contexts by name, for `despite` and `respect`.
    pub fn kinds(&mut self, file: usize, node: &Node) -> Kinds {
        let names: Vec<&str> = super::context::KINDS.iter().map(|(_, name, _)| *name).collect();
        let mut kinds = Kinds::default();
        for (text, item) in self.texts(file, node, "a context") {
            if text == "all" {
                kinds = Kinds::ALL;
            } else if let Some((kind, ..)) = super::context::KINDS.iter().find(|(_, name, _)| *name == text) {
                kinds = kinds.with(*kind);
            } else {
                let remedy = nearest(text, names.iter().copied()).map_or_else(
                    || format!("Known: {}, all.", names.join(", ")),
                    |name| format!("Did you mean `{name}`?"),
                );
                self.error(file, item.range.clone(), format!("there is no context `{text}`"), remedy);
            }
        }
        kinds
    }

    /// Reads a phrase into a tree.
    pub fn parse(&mut self, file: usize, node: &Node, text: &str) -> Option<Phrase> {
        match phrase::parse(text) {
            Ok(phrase) => {
                for slip in never::slips(text, &phrase) {
                    let range = self.inside(file, node, text, &slip.range);
                    self.note(slip.severity, file, range, slip.problem, slip.remedy);
                }
                self.second_line(file, node);
                Some(self.spellings.mend(phrase))
            }
            Err(error) => {
                let range = self.inside(file, node, text, &error.range);
                self.error(file, range, error.problem, error.remedy);
                None
            }
        }
    }

    /// Reads and compiles a phrase.
    pub fn phrase(&mut self, file: usize, node: &Node, text: &str) -> Option<PhraseId> {
        let parsed = self.parse(file, node, text)?;
        self.compile(file, node, text, &parsed, None)
    }

    /// Compiles a phrase; `trigger`: it triggers a context.
    pub fn compile(
        &mut self,
        file: usize,
        node: &Node,
        text: &str,
        parsed: &Phrase,
        trigger: Option<(Kind, Role)>,
    ) -> Option<PhraseId> {
        if self.programs.len() >= MAX_PHRASES {
            if self.programs.len() == MAX_PHRASES {
                self.error(
                    file,
                    node.range.clone(),
                    format!("there are more than {MAX_PHRASES} phrases"),
                    "Remove some.",
                );
            }
            return None;
        }
        parsed.lists(&mut self.named);
        match self.parts.compile(parsed, &self.lists, &mut self.terms) {
            Ok(program) => {
                self.programs.push(program);
                self.written.push(Written { file, range: node.range.clone(), text: text.to_owned() });
                self.triggers.push(trigger);
                Some(self.programs.len() - 1)
            }
            Err(Unfit::UnknownList(name, range)) => {
                let range = self.inside(file, node, text, &range);
                let known = self
                    .list_names
                    .iter()
                    .map(String::as_str)
                    .chain(["number", "date", "duration", "place", "year"]);
                if self.is_broken("vocabulary.yaml") {
                    return None; // The list may stand in what could not be read.
                }
                let remedy = nearest(&name, known).map_or_else(
                    || format!("Add a list `{name}:` to vocabulary.yaml, or check the name."),
                    |near| format!("Did you mean {{{near}}}?"),
                );
                self.error(file, range, format!("the vocabulary has no list `{name}`"), remedy);
                None
            }
            Err(Unfit::Circle(name)) => {
                self.error(
                    file,
                    node.range.clone(),
                    format!("the vocabulary list `{name}` names itself, directly or through another"),
                    "Break the circle in vocabulary.yaml.",
                );
                None
            }
            Err(Unfit::TooLarge) => {
                self.error(
                    file,
                    node.range.clone(),
                    "the phrase becomes too large when its lists are put in",
                    "Use shorter lists, or divide the phrase.",
                );
                None
            }
        }
    }

    /// A phrase without quotes that goes on in the next line: most often a dash that was forgotten.
    fn second_line(&mut self, file: usize, node: &Node) {
        let Some(source) = self.files.get(file).and_then(|file| file.text.get(node.range.clone())) else {
            return;
        };
        let quoted = matches!(&node.value, Value::Scalar(_, true));
        let Some((first, rest)) = source.split_once('\n').filter(|_| !quoted) else { return };
        let at = node.range.start + first.len() + 1 + (rest.len() - rest.trim_start().len());
        let end = at + rest.trim_start().lines().next().unwrap_or_default().trim_end().len();
        self.error(
            file,
            at..end,
            "this line belongs to the phrase above, for it begins with no dash: both together are one long phrase",
            "Begin it with a dash and a space, below the dash above. If it is one long phrase, write it in one line.",
        );
    }

    /// Notes that a mailbox is named here.
    pub fn names_mailbox(&mut self, file: usize, node: &Node, name: &str) {
        self.mailboxes
            .push((name.to_owned(), Written { file, range: node.range.clone(), text: name.to_owned() }));
    }

    /// Whether a file of this name could not be read to its end.
    fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|file| self.files.get(*file).is_some_and(|file| file.name.ends_with(name)))
    }

    /// The number of the line in which something is written.
    pub fn line_of(&self, written: &Written) -> usize {
        self.files.get(written.file).map_or(0, |file| crate::yaml::line_of(&file.text, written.range.start))
    }

    /// A complaint about something written, for those who complain later than the workshop.
    pub fn diagnostic(
        &self,
        written: &Written,
        severity: Severity,
        problem: String,
        remedy: &str,
    ) -> Diagnostic {
        let (name, source) = self
            .files
            .get(written.file)
            .map(|file| (file.name.clone(), file.text.clone()))
            .unwrap_or_default();
        let range = written.range.clone();
        Diagnostic { severity, file: name, range, source, problem, remedy: Some(remedy.to_owned()) }
    }

    /// Bytes of the file for bytes of a text, where the text stands in the file as it is.
    fn inside(&self, file: usize, node: &Node, text: &str, range: &Range<usize>) -> Range<usize> {
        let written =
            self.files.get(file).and_then(|file| file.text.get(node.range.clone())).unwrap_or_default();
        match written.find(text) {
            Some(offset) if !text.is_empty() => {
                let start = node.range.start + offset;
                start + range.start..start + range.end.max(range.start)
            }
            _ => node.range.clone(),
        }
    }
}

/// A value as text, the same for values that mean the same.
pub fn canonical(node: &Node) -> String {
    match &node.value {
        Value::Null => "~".to_owned(),
        Value::Scalar(text, _) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let all: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", canonical(key), canonical(value)))
                .collect();
            format!("{{{}}}", all.join(", "))
        }
    }
}

/// The name of a key; keys that are no text have an empty one.
pub fn key_name(key: &Node) -> &str {
    match &key.value {
        Value::Scalar(name, _) => name,
        _ => "",
    }
}
