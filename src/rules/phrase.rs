//! The phrase language of `rules/README.md`: from text to a tree. It knows nothing of messages.

use std::collections::HashSet;
use std::ops::Range;

use super::text;

/// How long a phrase may be, in bytes.
const MAX_LENGTH: usize = 1_000;
/// How deep brackets may nest.
const MAX_NESTING: usize = 8;
/// The widest gap.
const MAX_GAP: usize = 20;
/// What `...` alone allows.
const USUAL_GAP: usize = 5;

/// A phrase as a tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Phrase {
    /// One word.
    Word(WordPattern),
    /// One after the other.
    Row(Vec<Phrase>),
    /// One of them.
    Either(Vec<Phrase>),
    /// With it or without.
    Maybe(Box<Phrase>),
    /// Up to so many other words.
    Gap(usize),
    /// `{number ...}`, `{date ...}`, `{duration ...}`, `{place ...}`.
    Slot(Slot),
    /// `{name}` of the vocabulary, and where the name stands in the phrase.
    List(String, Range<usize>),
}

/// A word of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WordPattern {
    /// In all its ordinary forms.
    Forms(String),
    /// `=word`: this very form.
    Exact(String),
    /// `word*`: all words that begin so.
    Prefix(String),
}

/// A slot that catches something with a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slot {
    /// A number within these bounds, inclusive.
    Number(f64, f64),
    /// A length of time within these bounds in days, inclusive.
    Duration(f64, f64),
    /// A date.
    Date(When),
    /// A place; in this area, if one is named.
    Place(Option<usize>),
    /// A calendar year before the school year of receipt.
    YearPast,
}

impl Phrase {
    /// Adds the names of the lists that it names.
    pub fn lists(&self, into: &mut HashSet<String>) {
        match self {
            Phrase::List(name, _) => {
                into.insert(name.clone());
            }
            Phrase::Row(parts) | Phrase::Either(parts) => parts.iter().for_each(|part| part.lists(into)),
            Phrase::Maybe(inner) => inner.lists(into),
            _ => {}
        }
    }
}

/// Which dates a slot takes, in calendar days from the day of receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Any.
    Any,
    /// Ahead, by at least and at most so many days.
    Ahead(i64, i64),
    /// Past, by at least and at most so many days.
    Past(i64, i64),
}

/// Why a phrase cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhraseError {
    /// Where in the phrase, in bytes.
    pub range: Range<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

/// The areas that `{place east}` may name, in the order of [`Slot::Place`].
pub const AREAS: [&str; 3] = ["east", "west", "outside"];

/// Reads a phrase.
pub fn parse(source: &str) -> Result<Phrase, PhraseError> {
    if source.len() > MAX_LENGTH {
        return Err(error(
            MAX_LENGTH..source.len(),
            format!("the phrase is longer than {MAX_LENGTH} characters"),
            "Divide it into several phrases, or move lists of words to vocabulary.yaml.",
        ));
    }
    let mut reader = Reader { source, at: 0, depth: 0 };
    let phrase = reader.alternatives(None)?;
    if !finds_a_word(&phrase) {
        return Err(error(
            0..source.len(),
            if source.trim().is_empty() {
                "the phrase is empty".to_owned()
            } else {
                "the phrase would match nothing at all, that is, everywhere".to_owned()
            },
            "Give it at least one word that must be there, outside of [ ].",
        ));
    }
    Ok(phrase)
}

/// Whether at least one word or slot must be there.
fn finds_a_word(phrase: &Phrase) -> bool {
    match phrase {
        Phrase::Word(_) | Phrase::Slot(_) | Phrase::List(..) => true,
        Phrase::Row(parts) => parts.iter().any(finds_a_word),
        Phrase::Either(parts) => !parts.is_empty() && parts.iter().all(finds_a_word),
        Phrase::Maybe(_) | Phrase::Gap(_) => false,
    }
}

fn error(range: Range<usize>, problem: impl Into<String>, remedy: impl Into<String>) -> PhraseError {
    PhraseError { range, problem: problem.into(), remedy: remedy.into() }
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
    depth: usize,
}

impl<'s> Reader<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// `a | b c | d`, up to the closing bracket, which is not consumed.
    fn alternatives(&mut self, close: Option<char>) -> Result<Phrase, PhraseError> {
        let start = self.at;
        let mut all = vec![self.row()?];
        loop {
            match self.peek() {
                Some('|') if close.is_some() => {
                    self.at += 1;
                    all.push(self.row()?);
                }
                Some('|') => {
                    return Err(error(
                        self.at..self.at + 1,
                        "| stands outside of ( )",
                        "Put the alternatives in round brackets: (school | college).",
                    ));
                }
                Some(c @ (')' | ']' | '}')) if close != Some(c) => {
                    let problem = match close {
                        Some(open) => format!("{c} closes a bracket that was to be closed by {open}"),
                        None => format!("{c} closes a bracket that was never opened"),
                    };
                    return Err(error(
                        self.at..self.at + 1,
                        problem,
                        "Check that every ( [ { has its partner.",
                    ));
                }
                _ => break,
            }
        }
        if all.len() > 1 && all.iter().any(|part| matches!(part, Phrase::Row(parts) if parts.is_empty())) {
            return Err(error(
                start..self.at,
                "one of the alternatives is empty",
                "Remove the | that is too many; write [word] for a word that may be missing.",
            ));
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Phrase::Either(all) })
    }

    fn row(&mut self) -> Result<Phrase, PhraseError> {
        let mut parts = Vec::new();
        // The end of the last word or bracket, to see what stands directly against it.
        let mut last_end = None;
        while let Some(c) = self.peek() {
            let start = self.at;
            let touching = last_end == Some(start);
            match c {
                c if c.is_whitespace() => {
                    self.at += c.len_utf8();
                    continue;
                }
                '|' | ')' | ']' | '}' => break,
                '[' if touching && self.rest().starts_with("[-]") => {
                    self.at += 3;
                    self.join(&mut parts, start)?;
                }
                '(' | '[' | '{' => {
                    self.apart(touching, start)?;
                    let part = if c == '{' { self.braces()? } else { self.bracket(c)? };
                    parts.push(part);
                }
                '.' if self.rest().starts_with("...") => parts.push(self.gap()?),
                '\u{2026}' => parts.push(self.gap()?),
                _ => {
                    let after_bracket = touching
                        && self.source.get(..start).is_some_and(|before| before.ends_with([')', ']', '}']))
                        && !self.source.get(..start).is_some_and(|before| before.ends_with("[-]"));
                    self.apart(after_bracket && c.is_alphanumeric(), start)?;
                    parts.extend(self.chunk()?);
                }
            }
            last_end = Some(self.at);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Phrase::Row(parts) })
    }

    fn apart(&self, touching: bool, start: usize) -> Result<(), PhraseError> {
        if !touching {
            return Ok(());
        }
        Err(error(
            start..start + 1,
            "a bracket stands directly against a word",
            "Put a space between them. Ordinary endings (-s, -ed, -ing) are found anyway; `exclu*` finds every ending.",
        ))
    }

    fn bracket(&mut self, open: char) -> Result<Phrase, PhraseError> {
        let start = self.at;
        let close = if open == '(' { ')' } else { ']' };
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(error(
                start..start + 1,
                format!("brackets are nested more than {MAX_NESTING} deep"),
                "Divide it into several phrases.",
            ));
        }
        self.at += 1;
        let inner = self.alternatives(Some(close))?;
        if self.peek() != Some(close) {
            return Err(error(
                start..start + 1,
                format!("this {open} is never closed"),
                format!("Add a {close} where the group ends."),
            ));
        }
        self.at += 1;
        self.depth -= 1;
        let nothing = matches!(&inner, Phrase::Row(parts) if parts.is_empty());
        let written = self.source.get(start + 1..self.at - 1).unwrap_or_default();
        // Punctuation never matters, so `[,]` is a harmless way to say so; `[ ]` is a slip.
        if nothing && written.trim().is_empty() {
            return Err(error(
                start..self.at,
                "there is nothing between the brackets",
                "Write a word, or remove them.",
            ));
        }
        Ok(if open == '(' || nothing { inner } else { Phrase::Maybe(Box::new(inner)) })
    }

    fn gap(&mut self) -> Result<Phrase, PhraseError> {
        let start = self.at;
        while matches!(self.peek(), Some('.' | '\u{2026}')) {
            self.at += self.peek().map_or(1, char::len_utf8);
        }
        let digits: String = self.rest().chars().take_while(char::is_ascii_digit).collect();
        self.at += digits.len();
        let words = if digits.is_empty() { USUAL_GAP } else { digits.parse().unwrap_or(usize::MAX) };
        if words == 0 || words > MAX_GAP {
            return Err(error(
                start..self.at,
                format!("a gap may be 1 to {MAX_GAP} words wide"),
                "Use `near:` or `sentence:` for words that stand further apart.",
            ));
        }
        Ok(Phrase::Gap(words))
    }

    fn braces(&mut self) -> Result<Phrase, PhraseError> {
        let start = self.at;
        let Some(length) = self.rest().find('}') else {
            return Err(error(start..start + 1, "this { is never closed", "Add a } after the name."));
        };
        let inner = self.rest().get(1..length).unwrap_or_default();
        self.at += length + 1;
        let range = start..self.at;
        // `{number}th`: a number's ordinal is found anyway.
        let ending = ["st", "nd", "rd", "th"].iter().find(|ending| self.rest().starts_with(**ending));
        if inner.trim_start().starts_with("number") && ending.is_some() {
            self.at += 2;
        }
        super::slot::parse(inner).map_or_else(
            || {
                let name = inner.trim();
                let plain = !name.is_empty()
                    && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
                if plain {
                    Ok(Phrase::List(name.to_owned(), range.clone()))
                } else {
                    Err(error(
                        range.clone(),
                        "this is no name of a list",
                        "Write {name} with a name from vocabulary.yaml.",
                    ))
                }
            },
            |slot| slot.map(Phrase::Slot).map_err(|(problem, remedy)| error(range.clone(), problem, remedy)),
        )
    }

    /// Plain words up to the next space or bracket.
    fn chunk(&mut self) -> Result<Vec<Phrase>, PhraseError> {
        let start = self.at;
        let rest = self.rest();
        let length = rest
            .char_indices()
            .find(|(i, c)| {
                c.is_whitespace()
                    || "()[]{}|\u{2026}".contains(*c)
                    || rest.get(*i..).is_some_and(|r| r.starts_with("..."))
            })
            .map_or(rest.len(), |(i, _)| i);
        self.at += length;
        let chunk = rest.get(..length).unwrap_or_default();
        let exact = chunk.starts_with('=');
        let prefix = chunk.ends_with('*') && !chunk.contains("**");
        let censored = chunk.contains("**");
        if chunk.trim_end_matches('*').contains('*') && !censored {
            return Err(error(
                start..self.at,
                "a star may only end a word",
                "Write the beginning of the word, then *: exclu*.",
            ));
        }
        let mut found: Vec<(String, bool)> = Vec::new();
        text::words(chunk, |word| {
            if !word.traits.skippable {
                found.push((word.form.to_owned(), word.traits.joined));
            }
        });
        if prefix {
            let Some((stem, _)) = found.last().filter(|(stem, _)| stem.chars().count() >= 3) else {
                return Err(error(
                    start..self.at,
                    "at least three letters must stand before *",
                    "Write more of the word.",
                ));
            };
            let stem = stem.clone();
            found.pop();
            let mut parts = plain(found, exact);
            parts.push(Phrase::Word(WordPattern::Prefix(stem)));
            return Ok(parts);
        }
        Ok(plain(found, exact))
    }

    /// `part[-]time`: as if `part-time` had been written.
    fn join(&mut self, parts: &mut Vec<Phrase>, start: usize) -> Result<(), PhraseError> {
        let mut next = self.chunk()?;
        let (Some(Phrase::Word(WordPattern::Forms(left))), Some(Phrase::Word(WordPattern::Forms(right)))) =
            (parts.last().cloned(), next.first().cloned())
        else {
            return Err(error(
                start..start + 3,
                "[-] must stand between two words",
                "Write it as part[-]time.",
            ));
        };
        parts.pop();
        parts.push(hyphenated(&[left, right]));
        parts.extend(next.drain(1..));
        Ok(())
    }
}

/// Words in a row; words joined by hyphens may also be written as one.
fn plain(found: Vec<(String, bool)>, exact: bool) -> Vec<Phrase> {
    let mut parts = Vec::new();
    let mut run: Vec<String> = Vec::new();
    let flush = |run: &mut Vec<String>, parts: &mut Vec<Phrase>| {
        if run.len() > 1 {
            parts.push(hyphenated(run));
        } else if let Some(word) = run.first() {
            parts.push(Phrase::Word(pattern(word, exact)));
        }
        run.clear();
    };
    for (form, joined) in found {
        if !joined {
            flush(&mut run, &mut parts);
        }
        run.push(form);
    }
    flush(&mut run, &mut parts);
    parts
}

/// The alternatives that a contracted word stands for.
fn pattern(form: &str, exact: bool) -> WordPattern {
    if exact { WordPattern::Exact(form.to_owned()) } else { WordPattern::Forms(form.to_owned()) }
}

fn hyphenated(words: &[String]) -> Phrase {
    let apart = words.iter().map(|word| Phrase::Word(WordPattern::Forms(word.clone()))).collect();
    Phrase::Either(vec![Phrase::Row(apart), Phrase::Word(WordPattern::Forms(words.concat()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(form: &str) -> Phrase {
        Phrase::Word(WordPattern::Forms(form.into()))
    }

    #[test]
    fn the_language_is_read() {
        assert_eq!(parse("no Place").unwrap(), Phrase::Row(vec![word("no"), word("place")]));
        assert_eq!(
            parse("(school | college) ...10 [very] ill").unwrap(),
            Phrase::Row(vec![
                Phrase::Either(vec![word("school"), word("college")]),
                Phrase::Gap(10),
                Phrase::Maybe(Box::new(word("very"))),
                word("ill"),
            ])
        );
        assert_eq!(parse("exclu*").unwrap(), Phrase::Word(WordPattern::Prefix("exclu".into())));
        assert_eq!(parse("=exclude").unwrap(), Phrase::Word(WordPattern::Exact("exclude".into())));
        assert_eq!(parse("part[-]time").unwrap(), parse("part-time").unwrap());
        assert_eq!(parse("isn't").unwrap(), parse("is not").unwrap());
        assert_eq!(parse("{school}").unwrap(), Phrase::List("school".into(), 0..8));
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (phrase, said, at) in [
            ("(school | college", "never closed", 0),
            ("school)", "never opened", 6),
            ("(a | b]", "was to be closed", 6),
            ("a | b", "outside", 2),
            ("[very]", "match nothing", 0),
            ("", "empty", 0),
            ("ex*lude", "end a word", 0),
            ("school[s]", "against a word", 6),
            ("( ) a", "nothing between", 0),
            ("(a | )", "empty", 1),
            ("a ...99 b", "1 to 20", 2),
            ("{number lots}", "number", 0),
        ] {
            let error = parse(phrase).expect_err(phrase);
            assert!(error.problem.contains(said), "{phrase}: {}", error.problem);
            assert_eq!(error.range.start, at, "{phrase}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in "[a-c|()\\[\\]{}.*= é'\u{2026}-]{0,40}|.{0,40}") {
            if let Err(error) = parse(&source) {
                assert!(error.range.start <= source.len());
            }
        }
    }
}
