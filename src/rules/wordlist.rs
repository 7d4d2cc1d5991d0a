//! Words, each once and by its number, in little room: their letters one after the other, and a table of numbers. For lists of
//! a hundred thousand words, where a map with a string and a list for each would take as much memory as all else.

use std::hash::Hasher;

use super::lexicon::Quick;

/// See the module.
#[derive(Debug, Default)]
pub struct Wordlist {
    letters: String,
    /// Where each word ends, and the next begins.
    ends: Vec<u32>,
    /// The words' numbers, plus one, each at the place that its hash says or soon after it; 0: none. Never more than two thirds full,
    /// and as many as a power of two.
    places: Vec<u32>,
}

impl Wordlist {
    /// A word's number, counted from nought in the order in which words were first noted.
    pub fn note(&mut self, word: &str) -> usize {
        if (self.ends.len() + 1) * 3 > self.places.len() * 2 {
            self.grow();
        }
        let place = self.place(word);
        if let Some(number @ 1..) = self.places.get(place) {
            return *number as usize - 1;
        }
        self.letters.push_str(word);
        self.ends.push(u32::try_from(self.letters.len()).unwrap_or(u32::MAX));
        if let Some(free) = self.places.get_mut(place) {
            *free = u32::try_from(self.ends.len()).unwrap_or(0);
        }
        self.ends.len() - 1
    }

    /// The number of a word that was noted.
    pub fn find(&self, word: &str) -> Option<usize> {
        (*self.places.get(self.place(word))? as usize).checked_sub(1)
    }

    /// Where a word's number stands, or would stand.
    fn place(&self, word: &str) -> usize {
        let most = self.places.len().saturating_sub(1);
        let mut place = hash(word) as usize & most;
        while let Some(number @ 1..) = self.places.get(place) {
            if self.word(*number as usize - 1) == word {
                break;
            }
            place = (place + 1) & most;
        }
        place
    }

    fn word(&self, number: usize) -> &str {
        let end = |number: usize| self.ends.get(number).map_or(0, |end| *end as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.letters.get(start..end(number)).unwrap_or_default()
    }

    fn grow(&mut self) {
        self.places = vec![0; (self.places.len() * 2).max(16)];
        let most = self.places.len() - 1;
        for number in 0..self.ends.len() {
            let mut place = hash(self.word(number)) as usize & most;
            while self.places.get(place).is_some_and(|taken| *taken != 0) {
                place = (place + 1) & most;
            }
            if let Some(free) = self.places.get_mut(place) {
                *free = u32::try_from(number + 1).unwrap_or(0);
            }
        }
    }
}

fn hash(word: &str) -> u64 {
    let mut hash = Quick::default();
    hash.write(word.as_bytes());
    // Its high bits are as good as the low ones.
    hash.finish() ^ hash.finish() >> 32
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_found_in_an_empty_list() {
        assert_eq!(Wordlist::default().find("word"), None);
    }

    proptest! {
        #[test]
        fn every_word_has_one_number_and_others_have_none(
            words in proptest::collection::vec("[a-c]{0,6}", 0..300), others in proptest::collection::vec("[a-d]{0,6}", 0..50),
        ) {
            let mut list = Wordlist::default();
            let mut known: HashMap<&str, usize> = HashMap::new();
            for word in &words {
                let next = known.len();
                let number = *known.entry(word).or_insert(next);
                prop_assert_eq!(list.note(word), number);
            }
            for word in words.iter().chain(&others) {
                prop_assert_eq!(list.find(word), known.get(word.as_str()).copied());
            }
        }
    }
}
