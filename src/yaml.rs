//! YAML with the place of every value, so that diagnostics can point. The only file that names the YAML package.
//!
//! It knows nothing of rules or configuration, and refuses what staff never need and attackers like: anchors, aliases,
//! tags, several documents, deep nesting. YAML 1.2 (yaml.org/spec/1.2.2); scalars stay text, so `no` is a word.

use std::ops::Range;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span};

mod recover;
mod slips;

pub use recover::parse_leniently;

/// Reads one YAML document into a type. For configuration, where one complaint at a time will do.
pub fn typed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, SyntaxError> {
    // The same limits, and the same better explanation of plain slips, as for rules.
    parse(text)?;
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        let range =
            error.location().map_or(0..0, |at| word_at(text, at.line() as usize, at.column() as usize));
        // The package repeats the place at the end of its sentence; the excerpt shows it.
        let said = error.to_string();
        let problem = said.split(" at line ").next().unwrap_or(&said).to_owned();
        SyntaxError { range, problem, remedy: None }
    })
}

/// The word that begins at this line and column (both from 1, in characters), as bytes.
fn word_at(text: &str, line: usize, column: usize) -> Range<usize> {
    let begin: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(begin..).unwrap_or_default();
    let start = begin + rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    let word = text
        .get(start..)
        .unwrap_or_default()
        .split([' ', ':', ',', '}', ']', '\n'])
        .next()
        .unwrap_or_default();
    start..start + word.len()
}

/// How deep lists and maps may nest.
const MAX_DEPTH: usize = 32;
/// How many values one file may hold.
const MAX_VALUES: usize = 200_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where, as bytes of the file.
    pub range: Range<usize>,
    /// What.
    pub value: Value,
}

/// What a YAML value is. Scalars stay text: `no` is not a boolean here until a schema asks for one.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `~`, `null`, or nothing.
    Null,
    /// Any other scalar, as text; true when it stood in quotes or a block.
    Scalar(String, bool),
    /// A list.
    List(Vec<Node>),
    /// A map, keys in order, each with its place.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, for a complaint: `a list`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Scalar(..) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map of keys",
        }
    }
}

/// A syntax error and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where, as bytes of the file.
    pub range: Range<usize>,
    /// What is wrong, in plain English.
    pub problem: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// Reads one YAML document. An empty file is [`Value::Null`].
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let read = read(text);
    match read.slips.into_iter().chain(read.stopped_at).min_by_key(|error| error.range.start) {
        Some(error) => Err(error),
        None => Ok(read.root),
    }
}

/// What one reading brought.
struct Read {
    /// What could be read; nothing where the text is no YAML.
    root: Node,
    /// What is refused though the reading can go on behind it.
    slips: Vec<SyntaxError>,
    /// Where the reading had to stop.
    stopped_at: Option<SyntaxError>,
}

fn read(text: &str) -> Read {
    let mut builder = Builder { text, open: Vec::new(), root: None, values: 0, slips: Vec::new() };
    let mut stopped_at = None;
    for event in Parser::new_from_str(text) {
        let taken = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0);
                Err(slips::explain(text, at, &error.info()))
            }
        };
        if let Err(error) = taken {
            stopped_at = Some(error);
            break;
        }
    }
    let root = builder.root.filter(|_| stopped_at.is_none());
    Read { root: root.unwrap_or(Node { range: 0..0, value: Value::Null }), slips: builder.slips, stopped_at }
}

/// A list or map that is not yet closed.
enum Open {
    List(usize, Vec<Node>),
    Map(usize, Vec<(Node, Node)>, Option<Node>),
}

struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    root: Option<Node>,
    values: usize,
    slips: Vec<SyntaxError>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.slips.push(refuse(
                    range.clone(),
                    "an alias (*name) is not allowed in these files",
                    "If the star belongs to a phrase, put the whole phrase in quotes.",
                ));
                self.add(Node { range, value: Value::Null })
            }
            Event::DocumentStart(..) if self.root.is_some() => Err(refuse(
                range,
                "a second document begins here",
                "Remove the line with ---; one file holds one document.",
            )),
            Event::Scalar(value, style, anchor, tag) => {
                self.plain(anchor, tag.is_some(), &range);
                let quoted = style != ScalarStyle::Plain;
                let null = !quoted && matches!(&*value, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Scalar(value.into_owned(), quoted) };
                self.add(Node { range: self.trimmed(range), value })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.plain(anchor, tag.is_some(), &range);
                self.push(Open::List(range.start, Vec::new()), range)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.plain(anchor, tag.is_some(), &range);
                self.push(Open::Map(range.start, Vec::new(), None), range)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(start, items)) => {
                    let range = self.trimmed(start..range.end);
                    self.add(Node { range, value: Value::List(items) })
                }
                Some(Open::Map(start, entries, _)) => {
                    let start = entries.first().map_or(start, |(key, _)| key.range.start);
                    let range = self.trimmed(start..range.end);
                    self.add(Node { range, value: Value::Map(entries) })
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn plain(&mut self, anchor: usize, tagged: bool, range: &Range<usize>) {
        if anchor == 0 && !tagged {
            return;
        }
        let what = if tagged { "a tag (!name)" } else { "an anchor (&name)" };
        self.slips.push(refuse(
            range.clone(),
            &format!("{what} is not allowed in these files"),
            "If it belongs to a phrase, put the whole phrase in quotes.",
        ));
    }

    fn push(&mut self, open: Open, range: Range<usize>) -> Result<(), SyntaxError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(refuse(
                range.start..range.start,
                &format!("lists and maps are nested more than {MAX_DEPTH} deep"),
                "Check the indentation; no rule needs this depth.",
            ));
        }
        self.open.push(open);
        Ok(())
    }

    fn add(&mut self, node: Node) -> Result<(), SyntaxError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(refuse(
                node.range,
                &format!("the file holds more than {MAX_VALUES} values"),
                "Divide it into several files.",
            ));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, key)) => match key.take() {
                None => {
                    if let Value::Scalar(name, _) = &node.value
                        && let Some((first, _)) =
                            entries.iter().find(|(k, _)| matches!(&k.value, Value::Scalar(n, _) if n == name))
                    {
                        let line = line_of(self.text, first.range.start);
                        self.slips.push(refuse(
                            node.range.clone(),
                            &format!("the key `{name}` stands twice in the same map; first in line {line}"),
                            "Remove one, or join the two lists under one key.",
                        ));
                    }
                    *key = Some(node);
                }
                Some(name) => entries.push((name, node)),
            },
        }
        Ok(())
    }

    /// The range without white space and comments that the parser may have swallowed at the end.
    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let end =
            self.text.get(range.clone()).map_or(range.end, |slice| range.start + slice.trim_end().len());
        range.start..end.max(range.start)
    }
}

fn refuse(range: Range<usize>, problem: &str, remedy: &str) -> SyntaxError {
    SyntaxError { range, problem: problem.to_owned(), remedy: Some(remedy.to_owned()) }
}

/// The number of the line, from 1, in which a byte stands.
pub fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parse(text).expect_err("an error").problem
    }

    #[test]
    fn every_value_knows_its_place() {
        let text = "grounds:\n  - id: U4\n    when: ['no place', \"off £ roll\"]\n";
        let root = parse(text).expect("good YAML");
        let Value::Map(entries) = &root.value else { panic!("a map") };
        assert_eq!(&text[entries[0].0.range.clone()], "grounds");
        let Value::List(rules) = &entries[0].1.value else { panic!("a list") };
        let Value::Map(rule) = &rules[0].value else { panic!("a map") };
        assert_eq!(&text[rule[0].1.range.clone()], "U4");
        let Value::List(when) = &rule[1].1.value else { panic!("a list") };
        assert_eq!(&text[when[0].range.clone()], "'no place'");
        assert_eq!(when[1].value, Value::Scalar("off £ roll".into(), true));
        assert_eq!(&text[when[1].range.clone()], "\"off £ roll\"");
    }

    #[test]
    fn no_is_a_word_and_nothing_is_nothing() {
        let root = parse("a: no\nb:\nc: ~\nd: '~'\n").expect("good YAML");
        let Value::Map(entries) = root.value else { panic!("a map") };
        assert_eq!(entries[0].1.value, Value::Scalar("no".into(), false));
        assert_eq!(entries[1].1.value, Value::Null);
        assert_eq!(entries[2].1.value, Value::Null);
        assert_eq!(entries[3].1.value, Value::Scalar("~".into(), true));
    }

    #[test]
    fn usual_mistakes_are_named() {
        assert!(problem("when:\n  - [very] ill\n").contains("begins with ["));
        assert!(problem("when:\n  - {school} place\n").contains("begins with {"));
        assert!(problem("a:\n\t- b\n").contains("tab"), "{}", problem("a:\n\t- b\n"));
        assert!(problem("a: *b\n").contains("quotes") || problem("a: *b\n").contains("alias"));
        assert!(problem("a: &x b\n").contains("anchor"));
        assert!(problem("a: 1\na: 2\n").contains("twice"));
        assert!(problem("a: 1\n---\nb: 2\n").contains("second document"));
    }

    #[test]
    fn deep_nesting_is_refused_and_usual_nesting_is_not() {
        let nested = |levels: usize| format!("a: {}x{}\n", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(MAX_DEPTH - 2)).is_ok());
        assert!(problem(&nested(MAX_DEPTH + 1)).contains("nested more than"));
        let maps: String = (0..=MAX_DEPTH).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(problem(&maps).contains("nested more than"), "{}", problem(&maps));
        // Nor does it cost anything, however deep.
        assert!(!problem(&nested(100_000)).is_empty());
    }

    #[test]
    fn billion_laughs_are_refused() {
        assert!(problem("a: &a [x, x]\nb: &b [*a, *a]\n").contains("anchor"));
    }
}
