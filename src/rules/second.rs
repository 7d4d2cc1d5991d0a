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
    /// By word, or two in a row.
    weights: HashMap<String, f64>,
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
        let features = features(texts, lexicon);
        let known: Vec<f64> = features.iter().filter_map(|word| self.weights.get(word)).copied().collect();
        // A long email is no more urgent for its length.
        #[allow(clippy::cast_precision_loss)]
        let length = (known.len().max(1) as f64).sqrt();
        let score = self.bias + known.iter().sum::<f64>() / length;
        Some(Opinion { score, suspects_above: self.suspects, doubts_below: self.doubts })
    }
}

/// What the second reader goes by: each word less its ending, and each two in a row; every one once, in order.
pub fn features(texts: &[&str], lexicon: &Lexicon) -> Vec<String> {
    let mut all = Vec::new();
    for text in texts {
        let mut last = String::new();
        lexicon.words(text, |word| {
            if word.boundary != Break::None {
                last.clear();
            }
            let number = word.form.starts_with(|c: char| c.is_ascii_digit());
            let form = if number { "9" } else { word.form };
            all.push(stem(form));
            if !last.is_empty() {
                all.push(format!("{last} {form}"));
            }
            form.clone_into(&mut last);
        });
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn stem(form: &str) -> String {
    let stems = ENDINGS.iter().filter_map(|ending| form.strip_suffix(ending));
    let stem = stems.into_iter().find(|stem| stem.chars().count() >= 4);
    stem.map_or_else(|| form.to_owned(), |stem| format!("{stem}~"))
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
                    reader.weights.insert(key_name(word).to_owned(), weight);
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
