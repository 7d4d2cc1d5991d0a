//! Long words with one slip of the pen: a letter missing, one too many, or two neighbours swapped.
//!
//! Only words of eight letters or more, with the first three and the last right, that no rule knows as they are: short
//! words are too easily other words, and "not", "no" and "never" are never guessed at.

use std::collections::{HashMap, HashSet};

use super::lexicon::Term;

/// The shortest word that is mended.
const SHORTEST: usize = 8;
/// Letters at the beginning that must be right.
const HEAD: usize = 3;

/// Words that look like a slip of another and are none.
const REAL: &[&str] = &["compliant", "compliants", "contracted", "contracting", "contractions", "previsions"];

/// Long words and what becomes of them with one letter less.
#[derive(Debug, Default)]
pub struct Spelling {
    whole: HashMap<String, Vec<Term>>,
    /// The word without one of its letters.
    shortened: HashMap<String, Vec<Term>>,
    /// The first letters of all these, to be quick with words that are like none.
    heads: HashSet<[u8; HEAD]>,
}

impl Spelling {
    /// Learns a word of the rules.
    pub fn learn(&mut self, form: &str, term: Term) {
        if form.len() < SHORTEST || !form.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        self.heads.extend(head(form));
        note(&mut self.whole, form.to_owned(), term);
        for index in HEAD..form.len() - 1 {
            note(&mut self.shortened, without(form, index), term);
        }
    }

    /// Adds the terms of the words of which this may be a slip.
    pub fn look_up(&self, form: &str, terms: &mut Vec<Term>) {
        let fits = form.len() + 1 >= SHORTEST && head(form).is_some_and(|head| self.heads.contains(&head));
        if !fits || !form.bytes().all(|byte| byte.is_ascii_lowercase()) || REAL.contains(&form) {
            return;
        }
        let mut add = |found: Option<&Vec<Term>>| {
            for term in found.into_iter().flatten() {
                if !terms.contains(term) {
                    terms.push(*term);
                }
            }
        };
        if form.len() >= SHORTEST {
            add(self.shortened.get(form));
        }
        for index in HEAD..form.len() - 1 {
            add(self.whole.get(&without(form, index)));
            if index + 2 < form.len() {
                let mut letters = form.as_bytes().to_vec();
                letters.swap(index, index + 1);
                add(std::str::from_utf8(&letters).ok().and_then(|swapped| self.whole.get(swapped)));
            }
        }
    }
}

fn head(form: &str) -> Option<[u8; HEAD]> {
    form.as_bytes().first_chunk::<HEAD>().copied()
}

fn without(form: &str, index: usize) -> String {
    form.char_indices().filter(|(at, _)| *at != index).map(|(_, c)| c).collect()
}

fn note(map: &mut HashMap<String, Vec<Term>>, word: String, term: Term) {
    let terms = map.entry(word).or_default();
    if !terms.contains(&term) {
        terms.push(term);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_mended_and_other_words_are_left() {
        let mut spelling = Spelling::default();
        for (term, word) in
            ["assessment", "complaint", "tribunal", "contacted", "timetable", "school"].iter().enumerate()
        {
            spelling.learn(word, term as Term);
        }
        let check = |word: &str, expected: &[Term]| {
            let mut terms = Vec::new();
            spelling.look_up(word, &mut terms);
            assert_eq!(terms, expected, "{word}");
        };
        check("assesment", &[0]);
        check("assessmment", &[0]);
        check("assessemnt", &[0]);
        check("complant", &[1]);
        check("compliant", &[]);
        check("tribunl", &[]);
        check("contracted", &[]);
        check("timetables", &[]);
        check("schol", &[]);
        check("a\u{e9}\u{e9}\u{e9}\u{e9}", &[]);
    }
}
