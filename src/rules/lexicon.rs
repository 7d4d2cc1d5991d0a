//! Every word that some rule asks for, so that one look-up a word tells which rules it concerns.
//!
//! A *term* is one word as a phrase asks for it: in its forms, exactly, or by its beginning. What a phrase asks of one word
//! is *one of* a set of terms. Words know their terms, a handful each; the sets, of which common words are in hundreds,
//! are only looked at where a phrase asks for them ([`super::page`]).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::inflect;
use super::learned::{Heard, Learned};
use super::phrase::WordPattern;
use super::spelling::Spelling;
use super::spellings::Spellings;
use super::text::Word;

/// A term's number.
pub type Term = u32;
/// The number of a set of terms.
pub type OneOf = u32;

/// The terms of slots: a phrase that begins with a date is looked for where a date stands.
pub const DATE: Term = 0;
/// See [`DATE`].
pub const NUMBER: Term = 1;
/// See [`DATE`].
pub const DURATION: Term = 2;
/// See [`DATE`].
pub const PLACE: Term = 3;
/// How many of these there are.
const SLOTS: Term = 4;

/// Words so common in this mail that a phrase is better looked for by another of its words.
const COMMON: &[&str] = &[
    "school", "plan", "child", "son", "daughter", "please", "need", "support", "time", "year", "week", "day",
    "get", "go", "say", "know", "tell", "send", "email", "ask", "make", "take", "give", "come", "see",
    "want", "help", "review", "meeting", "place", "team", "thank", "today", "back", "new", "work", "letter",
    "ehcp", "call", "hear",
];

/// Terms and sets of them while rules are being compiled.
#[derive(Debug, Default)]
pub struct Builder {
    known: HashMap<WordPattern, Term>,
    patterns: Vec<WordPattern>,
    known_sets: HashMap<Vec<Term>, OneOf>,
    sets: Sets,
    /// For each set how badly it serves to look for a phrase.
    weights: Vec<u32>,
}

/// All sets, by number.
#[derive(Debug, Default)]
pub struct Sets {
    /// For each its terms, in order.
    all: Vec<Box<[Term]>>,
    /// For each the same as bits: 64 neighbouring terms a block, only those blocks that have any. What was written
    /// together, a vocabulary list above all, lies together, so that a large set is a few of them.
    blocks: Vec<Block>,
    /// For each where its blocks begin and end.
    of_set: Vec<(u32, u32)>,
}

/// Which 64 terms, and which of them.
pub type Block = (u32, u64);

impl Sets {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The terms of a set.
    pub fn get(&self, set: usize) -> Option<&[Term]> {
        self.all.get(set).map(|terms| &**terms)
    }

    /// The terms of a set as bits.
    pub fn blocks(&self, set: OneOf) -> &[Block] {
        let (from, to) = self.of_set.get(set as usize).copied().unwrap_or_default();
        self.blocks.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Adds a set; its terms must be in order.
    fn push(&mut self, terms: Box<[Term]>) {
        let at = |blocks: &Vec<Block>| u32::try_from(blocks.len()).unwrap_or(u32::MAX);
        let from = at(&self.blocks);
        self.blocks.extend(blocks(terms.iter().copied()));
        self.of_set.push((from, at(&self.blocks)));
        self.all.push(terms);
    }
}

/// Terms in order as bits.
pub fn blocks(terms: impl Iterator<Item = Term>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for term in terms {
        let (block, bit) = (term / 64, 1 << (term % 64));
        match blocks.last_mut() {
            Some((last, bits)) if *last == block => *bits |= bit,
            _ => blocks.push((block, bit)),
        }
    }
    blocks
}

impl Builder {
    /// Only the slots' terms.
    pub fn new() -> Self {
        Self::default()
    }

    /// The term of this word.
    pub fn term(&mut self, pattern: WordPattern) -> Term {
        if let Some(term) = self.known.get(&pattern) {
            return *term;
        }
        let term = Term::try_from(self.patterns.len()).unwrap_or(Term::MAX).saturating_add(SLOTS);
        self.known.insert(pattern.clone(), term);
        self.patterns.push(pattern);
        term
    }

    /// The set of these terms.
    pub fn one_of(&mut self, mut terms: Vec<Term>) -> OneOf {
        terms.sort_unstable();
        terms.dedup();
        if let Some(set) = self.known_sets.get(&terms) {
            return *set;
        }
        let set = OneOf::try_from(self.sets.len()).unwrap_or(OneOf::MAX);
        let weight = terms.iter().map(|term| self.term_weight(*term)).fold(0, u32::saturating_add);
        self.weights.push(weight);
        self.sets.push(terms.clone().into_boxed_slice());
        self.known_sets.insert(terms, set);
        set
    }

    /// The terms of a set.
    pub fn terms(&self, set: OneOf) -> &[Term] {
        self.sets.get(set as usize).unwrap_or_default()
    }

    /// How badly a set serves to look for a phrase: small is rare, and so good.
    pub fn weight(&self, set: OneOf) -> u32 {
        self.weights.get(set as usize).copied().unwrap_or(0)
    }

    fn term_weight(&self, term: Term) -> u32 {
        let pattern = term.checked_sub(SLOTS).and_then(|index| self.patterns.get(index as usize));
        pattern.map_or(12, pattern_weight)
    }

    /// Everything in its final form, and the sets.
    pub fn finish(self, spellings: Spellings) -> (Lexicon, Sets) {
        let mut forms: Words<Entry> = Words::default();
        let mut prefixes: Words<Vec<(String, Term)>> = Words::default();
        let mut spelling = Spelling::default();
        for (word, value) in NUMBERS {
            forms.entry((*word).to_owned()).or_default().number = Some(*value);
        }
        for (pattern, term) in self.patterns.iter().zip(SLOTS..) {
            let all = match pattern {
                WordPattern::Exact(word) => vec![word.clone()],
                WordPattern::Forms(word) => with_contractions(word),
                WordPattern::Prefix(stem) => {
                    let head = stem.chars().take(3).collect();
                    prefixes.entry(head).or_default().push((stem.clone(), term));
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
        // What is typed for a word is that word too, and what else it may be.
        for (typed, meant) in spellings.single() {
            let (mut terms, number) =
                forms.get(meant).map_or((Vec::new(), None), |entry| (entry.terms.clone(), entry.number));
            add_prefixed(&prefixes, meant, &mut terms);
            if terms.is_empty() && number.is_none() {
                continue;
            }
            let entry = forms.entry(typed.clone()).or_default();
            entry.terms.extend(terms);
            entry.terms.sort_unstable();
            entry.terms.dedup();
            entry.number = entry.number.or(number);
        }
        // A word that some rule knows gets its prefixes here, once, instead of at every look-up.
        for (form, entry) in &mut forms {
            add_prefixed(&prefixes, form, &mut entry.terms);
            entry.terms.sort_unstable();
        }
        let terms = self.patterns.len() + SLOTS as usize;
        (Lexicon { forms, prefixes, spelling, spellings, terms }, self.sets)
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
    /// The terms that it satisfies, in order.
    pub terms: Vec<Term>,
    /// Its value, if it is a number in letters.
    pub number: Option<f64>,
    /// What was learned of it, if anything was learned at all.
    heard: Option<Heard>,
}

/// All terms, ready for look-ups.
#[derive(Debug, Default)]
pub struct Lexicon {
    forms: Words<Entry>,
    prefixes: Words<Vec<(String, Term)>>,
    spelling: Spelling,
    spellings: Spellings,
    terms: usize,
}

impl Lexicon {
    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.terms
    }

    /// Notes of every word that some rule names what was learned of it.
    pub fn hear(&mut self, learned: &Learned) {
        for (form, entry) in &mut self.forms {
            entry.heard = Some(learned.heard(form));
        }
    }

    /// Cuts a text into words, with what is meant in the place of what was typed, and what is known of each. `heard` gets
    /// them as they were typed, and what was learned of them if that is known.
    pub fn words<'l>(
        &'l self,
        text: &str,
        mut heard: impl FnMut(&Word<'_>, Option<&Heard>),
        sink: impl FnMut(Word<'_>, Option<&'l Entry>),
    ) {
        let known = |word: &Word<'_>| {
            let entry = self.entry(word.form);
            heard(word, entry.and_then(|entry| entry.heard.as_ref()));
            entry
        };
        self.spellings.words(text, known, |form| self.entry(form), sink);
    }

    /// How often each term is met in these texts; a date or a number is taken to be in every second of them.
    pub fn met<'x>(&self, texts: impl Iterator<Item = &'x str>) -> Vec<u32> {
        let (mut often, mut count) = (vec![0_u32; self.terms], 0);
        for text in texts {
            count += 1;
            let met = |_: Word<'_>, entry: Option<&Entry>| {
                for term in entry.into_iter().flat_map(|entry| &entry.terms) {
                    if let Some(often) = often.get_mut(*term as usize) {
                        *often = often.saturating_add(1);
                    }
                }
            };
            self.words(text, |_, _| {}, met);
        }
        often.iter_mut().take(SLOTS as usize).for_each(|often| *often = count / 2);
        often
    }

    /// What is known of this form, if some rule names it.
    fn entry(&self, form: &str) -> Option<&Entry> {
        self.forms.get(form)
    }

    /// Adds the terms of a form that no rule names: by its beginning, or as a slip of the pen.
    pub fn guess(&self, form: &str, terms: &mut Vec<Term>) {
        self.spelling.look_up(form, terms);
        add_prefixed(&self.prefixes, form, terms);
    }
}

/// Adds the terms that ask for a beginning of this form.
fn add_prefixed(prefixes: &Words<Vec<(String, Term)>>, form: &str, terms: &mut Vec<Term>) {
    if prefixes.is_empty() {
        return;
    }
    let Some((last, letter)) = form.char_indices().nth(2) else { return };
    let head = form.get(..last + letter.len_utf8()).unwrap_or_default();
    for (prefix, term) in prefixes.get(head).into_iter().flatten() {
        if form.starts_with(prefix.as_str()) && !terms.contains(term) {
            terms.push(*term);
        }
    }
}

/// A map by words. Its keys are the rules' own, so nobody outside can choose them to collide, and a plain hash will do.
pub type Words<T> = HashMap<String, T, BuildHasherDefault<Quick>>;

/// A hash that takes eight letters at a time.
#[derive(Debug)]
pub struct Quick(u64);

impl Default for Quick {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Quick {
    fn add(&mut self, more: u64) {
        let product = u128::from(self.0 ^ more) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        eights.iter().for_each(|eight| self.add(u64::from_le_bytes(*eight)));
        // What is left, with its length, which tells "a" from "a\0".
        let mut last = rest.len() as u64;
        for byte in rest {
            last = last << 8 | u64::from(*byte);
        }
        self.add(last);
    }

    fn write_u8(&mut self, _: u8) {
        // The end of a text; its length has been told.
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
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
