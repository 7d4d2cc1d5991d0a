//! The files that the configuration stands in: the one that is named, and every `*.yaml` of the folder beside it whose name
//! ends in `.d` (`send-triage.yaml` and `send-triage.d/`). Each key of the top level stands in one file; only `accounts` may go
//! on in others, so that each mailbox can have its own. Every complaint keeps its file, line and column.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::rules::diagnostic::Diagnostic;
use crate::rules::source;
use crate::yaml::{self, Node, Value};

use super::shape::{self, Complaint};
use super::shown::without_secrets;

/// Where every key is explained.
const EXAMPLE: &str = "config/send-triage.yaml";

/// One file.
struct Part {
    name: String,
    text: String,
    /// As it may be shown.
    shown: String,
    /// Where its bytes begin, as if all files were one behind the other: places in all of them are told apart by that.
    begins: usize,
}

/// All files.
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// One file whose text is at hand.
    pub(super) fn single(name: &str, text: &str) -> Self {
        let mut parts = Self(Vec::new());
        parts.add(name.to_owned(), text);
        parts
    }

    /// Reads the files; complaints are about those that cannot be read at all.
    pub(super) fn gather(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let mut parts = Self(Vec::new());
        let mut complaints = Vec::new();
        let further = further(path).unwrap_or_else(|complaint| {
            complaints.push(complaint);
            Vec::new()
        });
        for (number, path) in std::iter::once(path.to_path_buf()).chain(further).enumerate() {
            let name = path.display().to_string();
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    let problem = format!("the configuration cannot be read: {error}");
                    let remedy = match number {
                        0 => "Give its path with --config, or copy config/send-triage.yaml there.",
                        _ => "Give the user that runs send-triage the right to read it, or remove it.",
                    };
                    complaints.push(Diagnostic::whole_file(name, &problem, remedy));
                    continue;
                }
            };
            match source::text(&bytes) {
                Ok(text) => parts.add(name, &text),
                Err(bad) => complaints.push(bad.diagnostic(&name)),
            }
        }
        if complaints.is_empty() { Ok(parts) } else { Err(complaints) }
    }

    fn add(&mut self, name: String, text: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let begins = self.0.last().map_or(0, |last| last.begins + last.text.len() + 1);
        self.0.push(Part { name, shown: without_secrets(&text), text, begins });
    }

    /// The file in which this place is.
    fn part_at(&self, at: usize) -> Option<&Part> {
        self.0.iter().rev().find(|part| part.begins <= at).or(self.0.first())
    }

    /// For printing, with its file.
    pub(super) fn diagnostic(&self, complaint: Complaint) -> Diagnostic {
        let Some(part) = self.part_at(complaint.range.start) else { return complaint.diagnostic("", "") };
        let range = moved(&complaint.range, |at| at.saturating_sub(part.begins));
        Complaint { range, ..complaint }.diagnostic(&part.name, &part.shown)
    }

    /// Every file held against the schema, and all of them put together. Old names are to be warned of.
    pub(super) fn read(&self, schema: &Json) -> Result<(Node, Vec<Complaint>), Vec<Complaint>> {
        let (first, further) = match self.0.as_slice() {
            [only] => return shape::read(&only.text, schema, EXAMPLE),
            [first, further @ ..] => (first, further),
            [] => return Ok((Node { range: 0..0, value: Value::Null }, Vec::new())),
        };
        // No file need have every key by itself.
        let mut of_one = schema.clone();
        let required = of_one.as_object_mut().and_then(|fields| fields.remove("required"));
        let mut whole = Whole::default();
        for part in std::iter::once(first).chain(further) {
            let is_empty = yaml::parse(&part.text).is_ok_and(|root| root.value == Value::Null);
            if is_empty && part.begins > 0 {
                continue; // All of it is commented out.
            }
            match shape::read(&part.text, &of_one, EXAMPLE) {
                Ok((root, warnings)) => {
                    whole.warnings.extend(warnings.into_iter().map(|one| one.further_on(part.begins)));
                    self.put_in(further_on(root, part.begins), &mut whole);
                }
                Err(complaints) => {
                    whole.complaints.extend(complaints.into_iter().map(|one| one.further_on(part.begins)));
                }
            }
        }
        if !whole.complaints.is_empty() {
            return Err(whole.complaints);
        }
        let has = |wanted: &str| whole.entries.iter().any(|(key, _)| name_of(key) == wanted);
        let required = required.iter().filter_map(Json::as_array).flatten().filter_map(Json::as_str);
        let missing: Vec<Complaint> = required
            .filter(|wanted| !has(wanted))
            .map(|wanted| Complaint {
                range: whole.entries.first().map_or(0..0, |(key, _)| key.range.clone()),
                problem: format!(
                    "the key `{wanted}` is missing here, and in the files of the folder beside it"
                ),
                remedy: format!("Add it to one of them; {EXAMPLE} shows `{wanted}` explained."),
            })
            .collect();
        let root = Node { range: 0..0, value: Value::Map(whole.entries) };
        if missing.is_empty() { Ok((root, whole.warnings)) } else { Err(missing) }
    }

    fn put_in(&self, root: Node, whole: &mut Whole) {
        let Value::Map(entries) = root.value else { return };
        for (key, value) in entries {
            let name = name_of(&key).to_owned();
            let there = whole.entries.iter_mut().find(|(known, _)| name_of(known) == name);
            match there {
                None => whole.entries.push((key, value)),
                Some((_, Node { value: Value::List(all), .. })) if name == "accounts" => {
                    if let Value::List(more) = value.value {
                        all.extend(more);
                    }
                }
                Some((known, _)) => {
                    let first = self.part_at(known.range.start);
                    let place = first.map_or_else(String::new, |part| {
                        let line = part.text.get(..known.range.start - part.begins).unwrap_or_default();
                        format!("{}, line {}", part.name, line.matches('\n').count() + 1)
                    });
                    whole.complaints.push(Complaint {
                        range: key.range,
                        problem: format!("`{name}` stands in two files: here, and in {place}"),
                        remedy: "Keep it in one of them: which of the two is meant cannot be told. Only `accounts` may go on in another file."
                            .to_owned(),
                    });
                }
            }
        }
    }

    /// Reads what was put together into a type.
    pub(super) fn typed<T: serde::de::DeserializeOwned>(&self, tree: &Node) -> Result<T, Complaint> {
        let complaint = |error: yaml::SyntaxError, range| Complaint {
            range,
            problem: error.problem,
            remedy: error.remedy.unwrap_or_default(),
        };
        if let [only] = self.0.as_slice() {
            return yaml::typed(&only.text).map_err(|error| {
                let range = error.range.clone();
                complaint(error, range)
            });
        }
        let mut written = Written::default();
        written.node(tree);
        yaml::typed(&written.text).map_err(|error| {
            let range = written.came_from(error.range.start);
            complaint(error, range)
        })
    }

    /// The value of a key of the top level, whatever else is wrong.
    pub(super) fn named(&self, wanted: &str) -> Option<String> {
        self.0.iter().find_map(|part| {
            let (root, _) = yaml::parse_leniently(&part.text);
            let Value::Map(entries) = root.value else { return None };
            let (_, value) = entries.into_iter().find(|(key, _)| name_of(key) == wanted)?;
            match value.value {
                Value::Scalar(text, _) => Some(text),
                _ => None,
            }
        })
    }
}

/// What the files make together.
#[derive(Default)]
struct Whole {
    entries: Vec<(Node, Node)>,
    complaints: Vec<Complaint>,
    warnings: Vec<Complaint>,
}

/// The further files, by name; none where there is no such folder.
fn further(path: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let folder = path.with_extension("d");
    let cannot = |error: &std::io::Error| {
        let problem = format!("the folder of further configuration cannot be read: {error}");
        let remedy = "Give the user that runs send-triage the right to read it, or remove it.";
        Diagnostic::whole_file(folder.display().to_string(), &problem, remedy)
    };
    if folder == path || !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| cannot(&error))? {
        let path = entry.map_err(|error| cannot(&error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || path.is_dir() {
            continue;
        }
        if name.ends_with(".yml") {
            let problem = "this file would not be read: its name ends in .yml";
            let remedy = format!("Call it {}aml, or move it elsewhere.", name.trim_end_matches("ml"));
            return Err(Diagnostic::whole_file(path.display().to_string(), problem, &remedy));
        }
        // What editors and packages leave behind (`~`, `.bak`, `.dpkg-old`) is nobody's configuration.
        if name.ends_with(".yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn moved(range: &Range<usize>, by: impl Fn(usize) -> usize) -> Range<usize> {
    by(range.start)..by(range.end)
}

/// The same tree, its places behind all earlier files.
fn further_on(node: Node, begins: usize) -> Node {
    let value = match node.value {
        Value::List(items) => Value::List(items.into_iter().map(|item| further_on(item, begins)).collect()),
        Value::Map(entries) => {
            let both = |(key, value)| (further_on(key, begins), further_on(value, begins));
            Value::Map(entries.into_iter().map(both).collect())
        }
        other => other,
    };
    Node { range: moved(&node.range, |at| at + begins), value }
}

impl Complaint {
    fn further_on(self, begins: usize) -> Self {
        Self { range: moved(&self.range, |at| at + begins), ..self }
    }
}

fn name_of(key: &Node) -> &str {
    match &key.value {
        Value::Scalar(name, _) => name,
        _ => "",
    }
}

/// A tree written down as one text, with the place that each value came from.
#[derive(Default)]
struct Written {
    text: String,
    places: Vec<(usize, Range<usize>)>,
}

impl Written {
    fn node(&mut self, node: &Node) {
        self.places.push((self.text.len(), node.range.clone()));
        match &node.value {
            Value::Null => self.text.push_str("null"),
            // Numbers, true and false are told from words by having no quotes.
            Value::Scalar(text, false)
                if text.parse::<f64>().is_ok() || text == "true" || text == "false" =>
            {
                self.text.push_str(text);
            }
            Value::Scalar(text, _) => self.quoted(text),
            Value::List(items) => {
                self.text.push('[');
                for item in items {
                    self.node(item);
                    self.text.push_str(",\n");
                }
                self.text.push(']');
            }
            Value::Map(entries) => {
                self.text.push('{');
                for (key, value) in entries {
                    self.quoted(name_of(key));
                    self.text.push_str(": ");
                    self.node(value);
                    self.text.push_str(",\n");
                }
                self.text.push('}');
            }
        }
    }

    fn quoted(&mut self, text: &str) {
        self.text.push_str(&Json::from(text).to_string());
    }

    /// Where that stands which was written there.
    fn came_from(&self, at: usize) -> Range<usize> {
        self.places.iter().rev().find(|(written, _)| *written <= at).map_or(0..0, |(_, range)| range.clone())
    }
}
