//! Words with one slip of the pen that no rule knows as they are, and nobody wrote into `spellings.yaml`.
//!
//! Eight letters or more: a letter missing or one too many, the first three and the last right; or two neighbours swapped.
//! Five to seven letters, the first right: two neighbours swapped, or a double letter single and the other way round; and
//! what comes of it must be no ordinary word ([`super::ordinary`]). Shorter words, and words of negation, are never guessed at.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use super::lexicon::{Quick, Term, Words};
use super::ordinary;
use super::spellings::NEGATIONS;

/// The shortest word that is mended in any way.
const SHORTEST: usize = 5;
/// The shortest word that may lack a letter, or have one too many.
const LONG: usize = 8;
/// Letters at the beginning of a long word that must be right.
const HEAD: usize = 3;

/// Words that look like a slip of another and are none.
const REAL: &[&str] = &["compliant", "compliants", "contracted", "contracting", "contractions", "previsions"];

/// What words become by one slip.
#[derive(Debug, Default)]
pub struct Spelling {
    whole: Words<Vec<Term>>,
    /// The word without one of its letters.
    shortened: Words<Vec<Term>>,
    /// The first letters of all these, to be quick with words that are like none.
    heads: HashSet<[u8; HEAD], BuildHasherDefault<Quick>>,
    /// Slips of short words, and the word each is a slip of; those of two words are of none.
    slips: Words<Slip>,
}

#[derive(Debug)]
struct Slip {
    of: String,
    terms: Vec<Term>,
    ambiguous: bool,
}

impl Spelling {
    /// Learns a word of the rules.
    pub fn learn(&mut self, form: &str, term: Term) {
        if form.len() < SHORTEST
            || !form.bytes().all(|byte| byte.is_ascii_lowercase())
            || NEGATIONS.contains(&form)
        {
            return;
        }
        if form.len() < LONG {
            slips(form).into_iter().for_each(|slip| self.learn_slip(slip, form, term));
            return;
        }
        // The beginning of a long word must be right, but for two neighbours swapped.
        for index in 1..HEAD {
            self.learn_slip(swapped(form, index), form, term);
        }
        self.heads.extend(head(form));
        note(&mut self.whole, form.to_owned(), term);
        for index in HEAD..form.len() - 1 {
            note(&mut self.shortened, without(form, index), term);
        }
    }

    fn learn_slip(&mut self, slip: String, form: &str, term: Term) {
        if slip == form {
            return;
        }
        let new = || Slip { of: form.to_owned(), terms: Vec::new(), ambiguous: false };
        let known = self.slips.entry(slip).or_insert_with(new);
        known.ambiguous |= known.of != form;
        if !known.terms.contains(&term) {
            known.terms.push(term);
        }
    }

    /// Adds the terms of the words of which this may be a slip.
    pub fn look_up(&self, form: &str, terms: &mut Vec<Term>) {
        if form.len() < SHORTEST || !form.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        if let Some(slip) = self.slips.get(form)
            && !slip.ambiguous
            && !ordinary::is_ordinary(form)
        {
            terms.extend(slip.terms.iter().filter(|term| !terms.contains(term)).copied().collect::<Vec<_>>());
        }
        let fits = form.len() + 1 >= LONG && head(form).is_some_and(|head| self.heads.contains(&head));
        if !fits || REAL.contains(&form) {
            return;
        }
        let mut add = |found: Option<&Vec<Term>>| {
            for term in found.into_iter().flatten() {
                if !terms.contains(term) {
                    terms.push(*term);
                }
            }
        };
        if form.len() >= LONG {
            add(self.shortened.get(form));
        }
        // Letter by letter in one piece of memory: first without the letter, then, with it, the two neighbours swapped.
        let mut letters = String::with_capacity(form.len());
        let part = |range: std::ops::Range<usize>| form.get(range).unwrap_or_default();
        for index in HEAD..form.len() - 1 {
            let (before, letter, next, after) = (
                part(0..index),
                part(index..index + 1),
                part(index + 1..index + 2),
                part(index + 2..form.len()),
            );
            letters.clear();
            [before, next, after].into_iter().for_each(|part| letters.push_str(part));
            add(self.whole.get(&letters));
            if index + 2 < form.len() {
                letters.clear();
                [before, next, letter, after].into_iter().for_each(|part| letters.push_str(part));
                add(self.whole.get(&letters));
            }
        }
    }
}

/// What a short word becomes when two neighbours are swapped, a double letter is written once, or a letter twice.
fn slips(form: &str) -> Vec<String> {
    let letters = form.as_bytes();
    let mut all: Vec<Vec<u8>> = Vec::new();
    for (index, pair) in letters.windows(2).enumerate() {
        let [one, other] = pair else { continue };
        if one == other {
            let mut single = letters.to_vec();
            single.remove(index);
            all.push(single);
        } else if index > 0 {
            all.push(swapped(form, index).into_bytes());
        }
    }
    for (index, letter) in letters.iter().enumerate().skip(1) {
        let mut double = letters.to_vec();
        double.insert(index, *letter);
        all.push(double);
    }
    let fits = |slip: &String| slip.len() >= SHORTEST && slip != form;
    all.into_iter().filter_map(|slip| String::from_utf8(slip).ok()).filter(fits).collect()
}

/// With this letter and the next in the other order; only for ASCII.
fn swapped(form: &str, index: usize) -> String {
    let mut letters = form.as_bytes().to_vec();
    if index + 1 < letters.len() {
        letters.swap(index, index + 1);
    }
    String::from_utf8(letters).unwrap_or_default()
}

fn head(form: &str) -> Option<[u8; HEAD]> {
    form.as_bytes().first_chunk::<HEAD>().copied()
}

fn without(form: &str, index: usize) -> String {
    form.char_indices().filter(|(at, _)| *at != index).map(|(_, c)| c).collect()
}

fn note(map: &mut Words<Vec<Term>>, word: String, term: Term) {
    let terms = map.entry(word).or_default();
    if !terms.contains(&term) {
        terms.push(term);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::inflect;
    use super::*;

    const WORDS: [&str; 9] = [
        "assessment",
        "complaint",
        "tribunal",
        "contacted",
        "timetable",
        "school",
        "refuse",
        "weeks",
        "trial",
    ];

    fn found(words: &[&str], typed: &str) -> Vec<Term> {
        let mut spelling = Spelling::default();
        for (term, word) in words.iter().enumerate() {
            spelling.learn(word, term as Term);
        }
        let mut terms = Vec::new();
        spelling.look_up(typed, &mut terms);
        terms
    }

    #[test]
    fn one_slip_is_mended_and_other_words_are_left() {
        let check = |word: &str, expected: &[Term]| assert_eq!(found(&WORDS, word), expected, "{word}");
        check("assesment", &[0]);
        check("assessmment", &[0]);
        check("assessemnt", &[0]);
        check("complant", &[1]);
        check("compliant", &[]);
        check("tribunl", &[]);
        check("contracted", &[]);
        check("timetables", &[]);
        check("asessessment", &[]);
        check("tirbunal", &[2]);
        check("rtibunal", &[]);
        check("a\u{e9}\u{e9}\u{e9}\u{e9}", &[]);
    }

    #[test]
    fn short_words_are_mended_where_no_other_word_is_meant() {
        let check = |word: &str, expected: &[Term]| assert_eq!(found(&WORDS, word), expected, "{word}");
        check("schol", &[5]);
        check("shcool", &[5]);
        check("schoool", &[5]);
        check("shool", &[]);
        check("refsue", &[6]);
        check("wekes", &[7]);
        check("trail", &[]);
        check("weks", &[]);
        // Of two words it could be either.
        assert_eq!(found(&["refuse", "reefus"], "reefuse"), vec![0]);
        assert_eq!(found(&["cabel", "cable"], "cabbel"), vec![0]);
        assert_eq!(found(&["marte", "matre"], "matre").len() + found(&["marte", "mater"], "matre").len(), 1);
    }

    #[test]
    fn ordinary_words_are_no_slips() {
        for (word, typed) in [
            ("trial", "trail"),
            ("quiet", "quite"),
            ("diary", "dairy"),
            ("united", "untied"),
            ("lose", "loose"),
            ("later", "latter"),
            ("planned", "planed"),
            ("hopped", "hoped"),
            ("perfect", "prefect"),
            ("split", "spilt"),
        ] {
            assert!(found(&[word], typed).is_empty(), "{typed} is no {word}");
        }
    }

    proptest! {
        /// Whatever the rules ask for, a word of negation stays what it is, and nothing becomes one.
        #[test]
        fn negation_is_never_guessed_at(word in "[a-z]{3,9}", index in 0..NEGATIONS.len()) {
            let negation = NEGATIONS[index];
            prop_assert!(found(&[&word], negation).is_empty(), "{negation} became {word}");
            prop_assert!(found(&[negation], &word).is_empty(), "{word} became {negation}");
            for slip in slips(negation) {
                prop_assert!(found(&[negation], &slip).is_empty(), "{slip} became {negation}");
            }
        }

        /// A slip differs from the word by little, and never in its first letter.
        #[test]
        fn a_slip_is_small(word in "[a-z]{5,7}") {
            for slip in slips(&word) {
                prop_assert_eq!(slip.as_bytes().first(), word.as_bytes().first());
                prop_assert!(slip.len().abs_diff(word.len()) <= 1);
            }
        }
    }

    #[test]
    fn forms_of_words_are_no_slips_of_others() {
        // "hop" and "hope": what is a form of one is never read as a slip of the other.
        let words = ["plane", "plan", "hope", "stare", "star", "later", "scare", "scar", "tape", "tap"];
        for word in words.iter().flat_map(|word| inflect::forms(word)).filter(|word| word.len() >= SHORTEST) {
            let all: Vec<&str> = words.to_vec();
            let ordinary = ordinary::is_ordinary(&word) || found(&all, &word).is_empty();
            assert!(ordinary, "{word}");
        }
    }
}
