//! How alike two sentences are: by the words that they share, the rare ones counting most. It helps a reader to find the place;
//! no decision rests on it.

use std::collections::{BTreeMap, BTreeSet};

use super::rulebook::Rulebook;

/// How rare each word is among all examples: rare words make sentences alike.
pub(super) struct Weights {
    seen_in: BTreeMap<String, u32>,
    examples: u32,
}

impl Weights {
    /// From every example of every rule.
    pub(super) fn of(book: &Rulebook) -> Self {
        let mut weights = Self { seen_in: BTreeMap::new(), examples: 0 };
        for example in book.rules.values().flat_map(|entry| &entry.yes) {
            weights.examples += 1;
            for word in words(example) {
                *weights.seen_in.entry(word).or_default() += 1;
            }
        }
        weights
    }

    fn weight(&self, word: &str) -> f64 {
        let seen = self.seen_in.get(word).copied().unwrap_or(0);
        (f64::from(self.examples + 1) / f64::from(seen + 1)).ln()
    }

    /// 1 for the same words, 0 for none in common.
    pub(super) fn likeness(&self, one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
        let sum = |words: &mut dyn Iterator<Item = &String>| words.map(|word| self.weight(word)).sum::<f64>();
        let common = sum(&mut one.intersection(other));
        let all = sum(&mut one.union(other));
        if all > 0.0 { common / all } else { 0.0 }
    }
}

/// The words of a text, each once.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    words.filter(|word| word.chars().count() > 1).map(str::to_lowercase).collect()
}

/// A text in sentences, each on one line. Short ones tell nothing.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for paragraph in text.split("\n\n") {
        let paragraph = one_line(paragraph);
        let mut rest = paragraph.as_str();
        while !rest.is_empty() {
            let ends = rest.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len());
            let end = ends
                .into_iter()
                .find(|end| rest.get(*end..).is_none_or(|next| next.is_empty() || next.starts_with(' ')));
            let (sentence, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
            if sentence.split(' ').count() >= 3 {
                sentences.push(sentence.trim().to_owned());
            }
            rest = after.trim_start();
        }
    }
    sentences
}

/// A text without line ends.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::rulebook::Entry;
    use super::*;

    #[test]
    fn sentences_are_taken_from_lines_that_were_broken_anywhere() {
        let text = "Hi\n\nHe only goes in until 11.30\nnow. Is that legal? Yours\n";
        assert_eq!(sentences(text), ["He only goes in until 11.30 now.", "Is that legal?"]);
    }

    #[test]
    fn rare_words_make_sentences_alike() {
        let book = Rulebook {
            rules: BTreeMap::from([(
                "U4".to_owned(),
                Entry {
                    yes: vec![
                        "he is only in for mornings".into(),
                        "he is only ill".into(),
                        "she is on half days".into(),
                    ],
                    ..Entry::default()
                },
            )]),
        };
        let weights = Weights::of(&book);
        let like = |one: &str, other: &str| weights.likeness(&words(one), &words(other));
        let (rare, common) = (
            like("in for mornings now", "he is only in for mornings"),
            like("he is only tired", "he is only ill"),
        );
        assert!(rare > 2.0 * common, "{rare} {common}");
        assert!((like("half days", "half days") - 1.0).abs() < 1e-9);
    }
}
