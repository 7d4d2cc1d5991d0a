//! The second reader: weights of words, learnt from labelled emails, that say how urgent a message sounds as a whole.
//!
//! It decides nothing. Where it strongly disagrees with the rules, [`crate::triage::unsure`] asks a person to look: it
//! hears what the rules have no phrase for, and doubts what rests on one phrase in a calm email. Its words and weights
//! stand in `second-reader.yaml`, which `tests/second_reader.rs` writes; nothing is learnt while the program runs.

use std::collections::HashMap;

use crate::yaml::{Node, Value};

use super::lexicon::Lexicon;
use super::text::Break;
use super::workshop::{Workshop, key_name};

/// Endings that are taken off a word, longest first within each kind, where four letters or more remain.
const ENDINGS: [&str; 6] = ["ing", "ed", "es", "s", "ion", "ly"];

/// See the module. Without weights it has no opinion.
#[derive(Debug, Default)]
pub struct SecondReader {
    /// What a message without a known word is.
    bias: f64,
    /// Words, or two in a row, and the place of each one's weight.
    words: HashMap<String, usize>,
    weights: Vec<f64>,
    /// A message that sounds as urgent as this, or more, is suspected of being so.
    suspects: f64,
    /// One that sounds as urgent as this, or less, is doubted if it was called so.
    doubts: f64,
}

/// What the second reader makes of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion {
    /// How urgent it sounds: 0 is even, above is more likely urgent than not.
    pub score: f64,
    /// From here on it is wrong to call it standard without a look.
    pub suspects_above: f64,
    /// From here down it is wrong to call it urgent without a look.
    pub doubts_below: f64,
}

impl Opinion {
    /// Whether it sounds so urgent that it is wrong to call it standard without a look; `less`: how much less will do.
    pub fn suspects(&self, less: f64) -> bool {
        self.score >= self.suspects_above - less
    }

    /// Whether it sounds so calm that it is wrong to call it urgent without a look; `less`: how much less will do.
    pub fn doubts(&self, less: f64) -> bool {
        self.score <= self.doubts_below + less
    }
}

impl SecondReader {
    /// How urgent a text sounds; `None` where nothing was learnt.
    pub fn opinion(&self, texts: &[&str], lexicon: &Lexicon) -> Option<Opinion> {
        if self.weights.is_empty() {
            return None;
        }
        let mut known: Vec<usize> = Vec::new();
        each_feature(texts, lexicon, |word| known.extend(self.words.get(word)));
        known.sort_unstable();
        known.dedup();
        let sum: f64 = known.iter().filter_map(|index| self.weights.get(*index)).sum();
        // A long email is no more urgent for its length.
        #[allow(clippy::cast_precision_loss)]
        let length = (known.len().max(1) as f64).sqrt();
        let score = self.bias + sum / length;
        Some(Opinion { score, suspects_above: self.suspects, doubts_below: self.doubts })
    }
}

/// What the second reader goes by: each word less its ending, and each two in a row; every one once, in order.
pub fn features(texts: &[&str], lexicon: &Lexicon) -> Vec<String> {
    let mut all = Vec::new();
    each_feature(texts, lexicon, |feature| all.push(feature.to_owned()));
    all.sort_unstable();
    all.dedup();
    all
}

/// Hands over each feature as often as it comes. On the way of every message, so without a string for each.
fn each_feature(texts: &[&str], lexicon: &Lexicon, mut tell: impl FnMut(&str)) {
    let (mut feature, mut pair) = (String::new(), String::new());
    for text in texts {
        // The word before, with a space, and this one after it.
        pair.clear();
        lexicon.words(text, |word| {
            let number = word.form.starts_with(|c: char| c.is_ascii_digit());
            let form = if number { "9" } else { word.form };
            feature.clear();
            match stem(form) {
                Some(stem) => {
                    feature.push_str(stem);
                    feature.push('~');
                }
                None => feature.push_str(form),
            }
            tell(&feature);
            if word.boundary == Break::None && !pair.is_empty() {
                pair.push_str(form);
                tell(&pair);
            }
            pair.clear();
            pair.push_str(form);
            pair.push(' ');
        });
    }
}

/// A word less its ending, if it has one and is long enough.
fn stem(form: &str) -> Option<&str> {
    let mut stems = ENDINGS.iter().filter_map(|ending| form.strip_suffix(ending));
    stems.find(|stem| stem.chars().count() >= 4)
}

/// Reads `second reader:`.
pub fn read(shop: &mut Workshop<'_>, file: usize, node: &Node) {
    let mut reader = SecondReader::default();
    for (key, value) in shop.map(file, node, "`second reader`") {
        match key_name(key) {
            "note" => {}
            "bias" => reader.bias = number(shop, file, value),
            "suspects above" => reader.suspects = number(shop, file, value),
            "doubts below" => reader.doubts = number(shop, file, value),
            "words" => {
                for (word, weight) in shop.map(file, value, "`words`") {
                    let weight = number(shop, file, weight);
                    reader.words.insert(key_name(word).to_owned(), reader.weights.len());
                    reader.weights.push(weight);
                }
            }
            _ => shop.unknown_key(file, key, &["bias", "suspects above", "doubts below", "words", "note"]),
        }
    }
    shop.second = reader;
}

fn number(shop: &mut Workshop<'_>, file: usize, node: &Node) -> f64 {
    let number = match &node.value {
        Value::Scalar(text, _) => text.parse::<f64>().ok().filter(|number| number.is_finite()),
        _ => None,
    };
    number.unwrap_or_else(|| {
        shop.error(
            file,
            node.range.clone(),
            "this must be a number",
            "The file is written by a test; take its last good state rather than mending it by hand.",
        );
        0.0
    })
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::Builder;
    use super::super::spellings::Spellings;
    use super::*;

    #[test]
    fn words_are_heard_once_and_pairs_within_a_sentence() {
        let lexicon = Builder::new().finish(Spellings::default()).0;
        let all = features(&["He isn't excluded. Excluded 12 times", "Not"], &lexicon);
        let expected = [
            "9",
            "9 times",
            "excluded 9",
            "exclud~",
            "he",
            "he is",
            "is",
            "is not",
            "not",
            "not excluded",
            "time~",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn the_score_is_the_sum_over_the_root_of_the_number() {
        let lexicon = Builder::new().finish(Spellings::default()).0;
        let reader = SecondReader {
            bias: -0.5,
            words: [("exclud~", 0), ("thank you", 1), ("you", 2), ("not", 3)]
                .into_iter()
                .map(|(word, index)| (word.to_owned(), index))
                .collect(),
            weights: vec![3.0, -2.0, 0.0, 1.0],
            suspects: 1.2,
            doubts: -1.2,
        };
        let score = |text| reader.opinion(&[text], &lexicon).expect("an opinion").score;
        assert!((score("Nothing known") + 0.5).abs() < 1e-9);
        assert!((score("excluded, excluding, excluded") - 2.5).abs() < 1e-9);
        assert!((score("excluded, thank you") - (-0.5 + 1.0 / 3_f64.sqrt())).abs() < 1e-9);
        assert!(SecondReader::default().opinion(&["excluded"], &lexicon).is_none());
    }
}
