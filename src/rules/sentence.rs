//! The sentence in which found words stand, for people to read; matching has its own count of them.

use std::ops::Range;

use super::text::{self, Break};

/// The bytes of the sentence, or sentences, that these bytes touch, without the white space around them.
pub fn sentence_at(text: &str, range: &Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (0, text.len());
    text::words(text, |word| {
        if word.boundary == Break::None {
            return;
        }
        // An opening quotation mark or bracket belongs to what follows it.
        let before = text.get(..word.start).unwrap_or_default();
        let at = before.trim_end_matches(['"', '\'', '(', '[', '\u{2018}', '\u{201c}']).len();
        if word.start <= range.start {
            start = at;
        } else if word.start >= range.end {
            end = end.min(at);
        }
    });
    let sentence = text.get(start..end).unwrap_or_default();
    let start = start + sentence.len() - sentence.trim_start().len();
    start..start + sentence.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &str, expected: &str) {
        let at = text.find(words).unwrap();
        let sentence = sentence_at(text, &(at..at + words.len()));
        assert_eq!(&text[sentence], expected, "{text:?}");
    }

    #[test]
    fn the_sentence_around_words_is_whole() {
        let text = "Hello. She is on mornings only! (They said so.) Thanks.\nJo";
        check(text, "mornings", "She is on mornings only!");
        check(text, "They said", "(They said so.)");
        check(text, "Hello", "Hello.");
        check(text, "Thanks", "Thanks.");
        check("no end", "no", "no end");
        check("One two.\n\nThree four.", "two.\n\nThree", "One two.\n\nThree four.");
    }

    proptest::proptest! {
        #[test]
        fn any_word_of_any_text_lies_in_its_sentence(text in "(?s)([a-zA-Z]{0,4}[ .?!\"(\n]{0,2}|.){0,30}") {
            let mut words = Vec::new();
            text::words(&text, |word| words.push(word.start..word.end));
            for word in words {
                let sentence = sentence_at(&text, &word);
                assert!(text.get(sentence.clone()).is_some());
                assert!(sentence.start <= word.start && word.end <= sentence.end, "{text:?} {word:?} {sentence:?}");
            }
        }
    }
}
