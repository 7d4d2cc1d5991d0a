//! Words with one slip of the pen that no rule knows as they are, and nobody wrote into `spellings.yaml`.
//!
//! Eight letters or more: a letter missing or one too many, the first three and the last right; or two neighbours swapped.
//! Five to seven letters, the first right: two neighbours swapped, or a double letter single and the other way round; and
//! what comes of it must be no ordinary word ([`super::ordinary`]). Shorter words, and words of negation, are never guessed at.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use super::lexicon::{Quick, Term};
use super::ordinary;
use super::spellings::NEGATIONS;
use super::wordlist::Wordlist;

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
    /// The words of the rules.
    forms: Wordlist,
    /// What each of them satisfies.
    terms: Vec<Vec<Term>>,
    /// Long words without one of their letters, and of which words each may be; chained, because mostly it is one.
    shortened: Wordlist,
    first_of: Vec<u32>,
    all_of: Vec<(Form, Option<u32>)>,
    /// Slips of short words, and the word that each is a slip of; those of two words are of none.
    slips: Wordlist,
    slip_of: Vec<Option<Form>>,
    /// The first letters of the long words, to be quick with words that are like none.
    heads: HashSet<[u8; HEAD], BuildHasherDefault<Quick>>,
}

/// A word's number in [`Spelling::forms`].
type Form = u32;

impl Spelling {
    /// Learns a word of the rules.
    pub fn learn(&mut self, form: &str, term: Term) {
        if form.len() < SHORTEST
            || !form.bytes().all(|byte| byte.is_ascii_lowercase())
            || NEGATIONS.contains(&form)
        {
            return;
        }
        let number = self.forms.note(form);
        if let Some(terms) = self.terms.get_mut(number) {
            if !terms.contains(&term) {
                terms.push(term);
            }
            return;
        }
        self.terms.push(vec![term]);
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        if form.len() < LONG {
            slips(form).iter().for_each(|slip| self.learn_slip(slip, form, number));
            return;
        }
        // The beginning of a long word must be right, but for two neighbours swapped.
        for index in 1..HEAD {
            self.learn_slip(&swapped(form, index), form, number);
        }
        self.heads.extend(head(form));
        for index in HEAD..form.len() - 1 {
            self.learn_shortened(&without(form, index), number);
        }
    }

    fn learn_slip(&mut self, slip: &str, form: &str, number: Form) {
        if slip == form {
            return;
        }
        let place = self.slips.note(slip);
        match self.slip_of.get_mut(place) {
            Some(of) if *of != Some(number) => *of = None,
            Some(_) => {}
            None => self.slip_of.push(Some(number)),
        }
    }

    fn learn_shortened(&mut self, word: &str, number: Form) {
        let place = self.shortened.note(word);
        let before = self.first_of.get(place).copied();
        if before.and_then(|at| self.all_of.get(at as usize)).is_some_and(|(last, _)| *last == number) {
            return;
        }
        let at = u32::try_from(self.all_of.len()).unwrap_or(u32::MAX);
        self.all_of.push((number, before));
        match self.first_of.get_mut(place) {
            Some(first) => *first = at,
            None => self.first_of.push(at),
        }
    }

    fn terms_of(&self, form: Form) -> &[Term] {
        self.terms.get(form as usize).map_or(&[], Vec::as_slice)
    }

    /// Adds the terms of the words of which this may be a slip.
    pub fn look_up(&self, form: &str, terms: &mut Vec<Term>) {
        if form.len() < SHORTEST || !form.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        let mut add = |more: &[Term]| {
            for term in more {
                if !terms.contains(term) {
                    terms.push(*term);
                }
            }
        };
        let slip = self.slips.find(form).and_then(|slip| *self.slip_of.get(slip)?);
        if let Some(of) = slip.filter(|_| !ordinary::is_ordinary(form)) {
            add(self.terms_of(of));
        }
        let fits = form.len() + 1 >= LONG && head(form).is_some_and(|head| self.heads.contains(&head));
        if !fits || REAL.contains(&form) {
            return;
        }
        if form.len() >= LONG {
            let mut next = self.shortened.find(form).and_then(|place| self.first_of.get(place)).copied();
            while let Some((of, further)) = next.and_then(|at| self.all_of.get(at as usize)) {
                add(self.terms_of(*of));
                next = *further;
            }
        }
        let whole = |letters: &str| -> &[Term] {
            let form = self.forms.find(letters).filter(|_| letters.len() >= LONG);
            form.and_then(|form| self.terms.get(form)).map_or(&[], Vec::as_slice)
        };
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
            add(whole(&letters));
            if index + 2 < form.len() {
                letters.clear();
                [before, next, letter, after].into_iter().for_each(|part| letters.push_str(part));
                add(whole(&letters));
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
