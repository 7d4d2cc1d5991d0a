//! Every word that some rule asks for, so that one look-up a word tells which rules it concerns.
//!
//! A *term* is what a phrase asks of one word: a set of forms and prefixes. Terms that ask the same are one.

use std::collections::HashMap;

use super::inflect;
use super::phrase::WordPattern;
use super::spelling::Spelling;

/// A term's number.
pub type Term = u32;

/// The terms of slots: a phrase that begins with a date is looked for where a date stands.
pub const DATE: Term = 0;
/// See [`DATE`].
pub const NUMBER: Term = 1;
/// See [`DATE`].
pub const DURATION: Term = 2;
/// See [`DATE`].
pub const PLACE: Term = 3;

/// Words so common in this mail that a phrase is better looked for by another of its words.
const COMMON: &[&str] = &[
    "school", "plan", "child", "son", "daughter", "please", "need", "support", "time", "year", "week", "day",
    "get", "go", "say", "know", "tell", "send", "email", "ask", "make", "take", "give", "come", "see",
    "want", "help", "review", "meeting", "place", "team", "thank", "today", "back", "new", "work", "letter",
    "ehcp", "call", "hear",
];

/// Terms while rules are being compiled.
#[derive(Debug)]
pub struct Builder {
    known: HashMap<Vec<WordPattern>, Term>,
    terms: Vec<Vec<WordPattern>>,
}

impl Builder {
    /// Only the slots' terms.
    pub fn new() -> Self {
        Self { known: HashMap::new(), terms: vec![Vec::new(); 4] }
    }

    /// The term that asks for one of these.
    pub fn term(&mut self, mut patterns: Vec<WordPattern>) -> Term {
        patterns.sort();
        patterns.dedup();
        if let Some(term) = self.known.get(&patterns) {
            return *term;
        }
        let term = Term::try_from(self.terms.len()).unwrap_or(Term::MAX);
        self.known.insert(patterns.clone(), term);
        self.terms.push(patterns);
        term
    }

    /// How badly a term serves to look for a phrase: small is rare, and so good.
    pub fn weight(&self, term: Term) -> u32 {
        if matches!(term, DATE | NUMBER | DURATION | PLACE) {
            return 12;
        }
        self.terms.get(term as usize).into_iter().flatten().map(pattern_weight).sum()
    }

    /// Everything in its final form.
    pub fn finish(self) -> Lexicon {
        let mut forms: HashMap<String, Entry> = HashMap::new();
        let mut prefixes: HashMap<String, Vec<(String, Term)>> = HashMap::new();
        let mut spelling = Spelling::default();
        for (word, value) in NUMBERS {
            forms.entry((*word).to_owned()).or_default().number = Some(*value);
        }
        for (index, patterns) in self.terms.iter().enumerate() {
            let term = Term::try_from(index).unwrap_or(Term::MAX);
            for pattern in patterns {
                let all = match pattern {
                    WordPattern::Exact(word) => vec![word.clone()],
                    WordPattern::Forms(word) => with_contractions(word),
                    WordPattern::Prefix(stem) => {
                        prefixes
                            .entry(stem.chars().take(3).collect())
                            .or_default()
                            .push((stem.clone(), term));
                        continue;
                    }
                };
                let tolerant = matches!(pattern, WordPattern::Forms(_));
                for form in all {
                    if tolerant {
                        spelling.learn(&form, term);
                    }
                    let terms = &mut forms.entry(form).or_default().terms;
                    if terms.last() != Some(&term) {
                        terms.push(term);
                    }
                }
            }
        }
        Lexicon { forms, prefixes, spelling, terms: self.terms.len() }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

fn pattern_weight(pattern: &WordPattern) -> u32 {
    match pattern {
        WordPattern::Prefix(_) => 3,
        WordPattern::Forms(word) | WordPattern::Exact(word) => {
            if inflect::is_small(word) || word.starts_with('\'') {
                60
            } else if COMMON.contains(&word.as_str()) {
                12
            } else if word.len() <= 4 {
                3
            } else {
                1
            }
        }
    }
}

/// The forms of a word, with the contractions that may stand for it: `he's` may be "he is" or "he has".
fn with_contractions(word: &str) -> Vec<String> {
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match word {
        "is" => list(&["is", "'s"]),
        "has" => list(&["has", "'s"]),
        "'s" => list(&["'s", "is", "has"]),
        "had" => list(&["had", "'d"]),
        "would" => list(&["would", "'d"]),
        "'d" => list(&["'d", "had", "would"]),
        "it" => list(&["it", "its"]),
        _ => inflect::forms(word),
    }
}

/// What is known of a word.
#[derive(Debug, Default)]
pub struct Entry {
    /// The terms that it satisfies.
    pub terms: Vec<Term>,
    /// Its value, if it is a number in letters.
    pub number: Option<f64>,
}

/// All terms, ready for look-ups.
#[derive(Debug, Default)]
pub struct Lexicon {
    forms: HashMap<String, Entry>,
    prefixes: HashMap<String, Vec<(String, Term)>>,
    spelling: Spelling,
    terms: usize,
}

impl Lexicon {
    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.terms
    }

    /// What is known of this form; its terms by prefix are added to `terms`.
    pub fn look_up(&self, form: &str, terms: &mut Vec<Term>) -> Option<f64> {
        let entry = self.forms.get(form);
        if let Some(entry) = entry {
            terms.extend_from_slice(&entry.terms);
        } else {
            self.spelling.look_up(form, terms);
        }
        if !self.prefixes.is_empty()
            && let Some((end, _)) = form.char_indices().nth(2)
        {
            let end = end + form.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            if let Some(prefixes) = form.get(..end).and_then(|stem| self.prefixes.get(stem)) {
                for (prefix, term) in prefixes {
                    if form.starts_with(prefix.as_str()) && !terms.contains(term) {
                        terms.push(*term);
                    }
                }
            }
        }
        entry.and_then(|entry| entry.number)
    }
}

const NUMBERS: &[(&str, f64)] = &[
    ("zero", 0.0),
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("hundred", 100.0),
];
