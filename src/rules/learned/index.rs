//! The words of `learned.csv` by number, so that a message's words are looked up once each and their pairs by number.
//!
//! It finds what [`super::words::features`] names, and nothing else; it knows no weights.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::words::{self, KINDS, common, kind};
use crate::rules::lexicon::{Quick, Words};

/// A word's number.
pub type WordId = u32;

/// See the module.
#[derive(Debug, Default, Clone)]
pub struct Index {
    /// All words in their common form, those that stand in pairs alone among them.
    words: Words<WordId>,
    /// The words that stand for their kind, and its number; and whether only with a capital.
    kinds: Words<(WordId, bool)>,
    number: WordId,
    /// For each word its row.
    pub rows: Vec<Option<usize>>,
    /// For each word the rows of its families.
    pub families: Vec<Vec<usize>>,
    /// For each pair its row.
    pub pairs: HashMap<(WordId, WordId), usize, BuildHasherDefault<Quick>>,
}

impl Index {
    /// Of these words and pairs, by row.
    pub fn new(names: &[Box<str>]) -> Self {
        let mut index = Self::default();
        for (row, name) in names.iter().enumerate() {
            match name.split_once(' ') {
                Some((one, other)) => {
                    let pair = (index.add(one), index.add(other));
                    index.pairs.insert(pair, row);
                }
                None => {
                    let id = index.add(name) as usize;
                    if let Some(place) = index.rows.get_mut(id) {
                        *place = Some(row);
                    }
                }
            }
        }
        let rows: HashMap<&str, usize> =
            names.iter().enumerate().map(|(row, name)| (name.as_ref(), row)).collect();
        for word in words::with_families() {
            let known: Vec<usize> = words::families(word)
                .iter()
                .filter_map(|family| rows.get(family.as_ref()).copied())
                .collect();
            if !known.is_empty() {
                let id = index.add(word) as usize;
                if let Some(place) = index.families.get_mut(id) {
                    *place = known;
                }
            }
        }
        index.number = index.add(common("1", false));
        for (_, words) in &KINDS {
            for word in *words {
                let always = kind(word, false);
                if let Some(kind) = always.or_else(|| kind(word, true)) {
                    let id = index.add(kind);
                    index.kinds.insert((*word).to_owned(), (id, always.is_none()));
                }
            }
        }
        index
    }

    fn add(&mut self, word: &str) -> WordId {
        if let Some(known) = self.words.get(word) {
            return *known;
        }
        let id = WordId::try_from(self.rows.len()).unwrap_or(WordId::MAX);
        self.words.insert(word.to_owned(), id);
        self.rows.push(None);
        self.families.push(Vec::new());
        id
    }

    /// The number of a word as it is written, if anything is known of its common form.
    pub fn word(&self, form: &str, capital: bool) -> Option<WordId> {
        if form.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(self.number);
        }
        match self.kinds.get(form) {
            Some((kind, only_capital)) if capital || !only_capital => Some(*kind),
            _ => self.words.get(words::stem(form)).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::features;
    use super::*;
    use crate::rules::learned::Learned;

    #[test]
    fn it_finds_what_the_features_are() {
        let text = "She isn't excluded. On 3 May it may be in 2 weeks, says my son on the sofa; MAY we meet two of them in march? He's in.";
        let mut names: Vec<Box<str>> = Vec::new();
        let mut expected: Vec<usize> = Vec::new();
        features(text, |feature, _, _| {
            let known = names.iter().position(|name| **name == *feature);
            expected.push(known.unwrap_or_else(|| {
                names.push(feature.into());
                names.len() - 1
            }));
        });
        let learned = Learned { index: Index::new(&names), ..Learned::default() };
        let mut weighing = learned.weighing();
        weighing.begin();
        crate::rules::text::words(text, |word| weighing.word(&word, None));
        let found: Vec<usize> = weighing.found.iter().map(|place| place.row).collect();
        assert_eq!(found, expected);
    }
}
