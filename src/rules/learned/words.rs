//! What the learned part of the rules looks at: single words, pairs of neighbours, and families of words, brought to
//! common forms.
//!
//! Deliberately coarser than the matcher: endings are cut off, and days, months, numbers, "he" and "she", and words for a
//! child stand for their kind, so that few examples teach much. A word besides speaks for its families ("sofa" for
//! `{athome}`), so that a word no example holds is understood by its relatives. It knows no rule.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::rules::text::{self, Break};

/// Families of words: the name, a colon, and its words. One word may be of several.
const FAMILIES: &str = include_str!("families.txt");

/// Endings cut off a word, the longest first; at least four letters stay.
const ENDINGS: [&str; 16] = [
    "ations", "ation", "ingly", "edly", "ings", "ing", "ies", "ied", "ers", "est", "ed", "es", "ly", "er",
    "s", "e",
];

/// Kinds of words, and the form that stands for them. A capital is asked of those that are other words too.
pub const KINDS: [(&str, &[&str]); 6] = [
    ("(he)", &["he", "she", "they", "him", "her", "them", "his", "hers", "their"]),
    (
        "(child)",
        &[
            "son",
            "daughter",
            "boy",
            "girl",
            "grandson",
            "granddaughter",
            "child",
            "pupil",
            "student",
            "nephew",
            "niece",
        ],
    ),
    (
        "(month)",
        &[
            "january",
            "february",
            "march",
            "april",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
            "jan",
            "feb",
            "apr",
            "jun",
            "jul",
            "aug",
            "sep",
            "sept",
            "oct",
            "nov",
            "dec",
        ],
    ),
    (
        "(day)",
        &[
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "mon",
            "tue",
            "tues",
            "thu",
            "thur",
            "thurs",
            "fri",
        ],
    ),
    (
        "(number)",
        &[
            "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
            "twenty",
        ],
    ),
    ("(month)", &["may", "mar"]),
];

/// The kinds whose words count only with a capital.
const CAPITAL_ONLY: usize = 5;

/// Hands out every word, every pair of neighbours in a sentence, and the families of every word, with its bytes in the
/// text and the number of its sentence.
pub fn features(text: &str, mut each: impl FnMut(&str, std::ops::Range<usize>, u32)) {
    let (mut pair, mut last_start, mut sentence) = (String::new(), 0, 0);
    text::words(text, |word| {
        if word.boundary == Break::Hard {
            pair.clear();
            sentence += 1;
        }
        let common = common(word.form, word.traits.capital);
        if !pair.is_empty() {
            pair.push(' ');
            pair.push_str(common);
            each(&pair, last_start..word.end, sentence);
        }
        each(common, word.start..word.end, sentence);
        families(common).iter().for_each(|family| each(family, word.start..word.end, sentence));
        pair.clear();
        pair.push_str(common);
        last_start = word.start;
    });
}

/// The families of a word in its common form.
pub fn families(common: &str) -> &'static [Box<str>] {
    static BY_WORD: LazyLock<HashMap<&str, Vec<Box<str>>>> = LazyLock::new(|| {
        let mut by_word: HashMap<&str, Vec<Box<str>>> = HashMap::new();
        for (name, words) in FAMILIES.lines().filter_map(|line| line.split_once(':')) {
            for word in words.split_whitespace() {
                let families = by_word.entry(self::common(word, false)).or_default();
                let name = format!("{{{name}}}").into_boxed_str();
                if !families.contains(&name) {
                    families.push(name);
                }
            }
        }
        by_word
    });
    BY_WORD.get(common).map(Vec::as_slice).unwrap_or_default()
}

/// All words that have a family, in their common form.
pub fn with_families() -> impl Iterator<Item = &'static str> {
    FAMILIES
        .lines()
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(_, words)| words.split_whitespace())
        .map(|word| common(word, false))
}

/// The common form of a word.
pub fn common(form: &str, capital: bool) -> &str {
    if form.starts_with(|c: char| c.is_ascii_digit()) {
        return "(number)";
    }
    kind(form, capital).unwrap_or_else(|| stem(form))
}

/// The kind that a word stands for.
pub fn kind(form: &str, capital: bool) -> Option<&'static str> {
    let mut kinds = KINDS.iter().enumerate().filter(|(index, _)| *index < CAPITAL_ONLY || capital);
    kinds.find(|(_, (_, words))| words.contains(&form)).map(|(_, (kind, _))| *kind)
}

/// A word without its ending.
pub fn stem(form: &str) -> &str {
    if form.len() < 5 || !form.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return form;
    }
    ENDINGS.iter().filter_map(|ending| form.strip_suffix(ending)).find(|rest| rest.len() >= 4).unwrap_or(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        features(text, |feature, _, _| {
            // Families are told below.
            if !feature.starts_with('{') {
                found.push(feature.to_owned());
            }
        });
        found
    }

    #[test]
    fn words_and_pairs_within_a_sentence_in_common_forms() {
        assert_eq!(
            all("She isn't excluded. On 3 May it may"),
            [
                "(he)",
                "(he) is",
                "is",
                "is not",
                "not",
                "not exclud",
                "exclud",
                "on",
                "on (number)",
                "(number)",
                "(number) (month)",
                "(month)",
                "(month) it",
                "it",
                "it may",
                "may"
            ]
        );
    }

    #[test]
    fn the_bytes_are_those_of_the_words() {
        let text = "He's been sent home";
        features(text, |feature, range, _| {
            if feature == "sent home" {
                assert_eq!(text.get(range), Some("sent home"));
            }
        });
    }

    #[test]
    fn a_word_speaks_for_its_family() {
        let families_of = |text: &str| {
            let mut found = Vec::new();
            features(text, |feature, _, sentence| {
                if feature.starts_with('{') {
                    found.push((feature.to_owned(), sentence));
                }
            });
            found
        };
        assert_eq!(families_of("We blinked. The sofa"), [("{athome}".to_owned(), 1)]);
        assert!(families_of("the tree").is_empty());
    }
}
