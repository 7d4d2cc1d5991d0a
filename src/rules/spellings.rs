//! What people type and what they mean by it, as staff wrote it in `spellings.yaml`, applied when words are cut.
//!
//! One word for one word is left to the lexicon, where it costs nothing; here words are put in the place of others where
//! their number changes ("dunno", "perm ex", "w/o"). Slips that nobody wrote down are [`super::spelling`]'s.

use super::inflect;
use super::lexicon::Words;
use super::phrase::{Phrase, WordPattern};
use super::text::{self, Break, Traits, Word};

/// Words of negation, which no spelling and no tolerance may touch: "not" must never become anything else.
pub const NEGATIONS: &[&str] = &[
    "cannot", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "nowhere", "unable",
    "unless", "unlike", "until", "without",
];

/// The most words that people type for one meaning.
const MOST_TYPED: usize = 6;

/// See the module.
#[derive(Debug, Default)]
pub struct Spellings {
    /// One word for one word: typed, meant.
    single: Vec<(String, String)>,
    /// By their first word: the other words typed, and what is meant. Longest first.
    rows: Words<Vec<Row>>,
    /// Tells of most words that no row begins with them.
    heads: Heads,
}

/// What words are like: a bit for each first and last letter and length, several on each bit.
#[derive(Debug, Default)]
struct Heads([u64; 16]);

impl Heads {
    fn place(form: &str) -> (usize, u64) {
        let letter = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or(0) & 31);
        let letters = form.as_bytes();
        let all = letter(letters.first()) * 64 + letter(letters.last()) * 16 + form.len();
        (all / 64 % 16, 1 << (all % 64))
    }

    fn put(&mut self, form: &str) {
        let (at, bit) = Self::place(form);
        if let Some(word) = self.0.get_mut(at) {
            *word |= bit;
        }
    }

    fn has(&self, form: &str) -> bool {
        let (at, bit) = Self::place(form);
        self.0.get(at).is_some_and(|word| word & bit != 0)
    }
}

/// Typed words after the first, and what is meant by all of them.
#[derive(Debug)]
struct Row {
    rest: Vec<String>,
    meant: Vec<String>,
}

/// Why a spelling is not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no word in it.
    Empty,
    /// It is longer than [`MOST_TYPED`].
    TooLong,
    /// It holds this word of negation.
    Negation(String),
    /// It has been given another meaning before.
    Double(String),
}

impl Spellings {
    /// Learns that people type this and mean that.
    pub fn add(&mut self, typed: &str, meant: &str) -> Result<(), Refusal> {
        let (typed, meant) = (forms(typed), forms(meant));
        let (false, Some(last)) = (typed.is_empty(), meant.last()) else {
            return Err(Refusal::Empty);
        };
        if typed.len() > MOST_TYPED {
            return Err(Refusal::TooLong);
        }
        if let Some(word) = typed.iter().find(|word| NEGATIONS.contains(&word.as_str())) {
            return Err(Refusal::Negation(word.clone()));
        }
        if let Some(known) = self.known(&typed) {
            return if known == meant { Ok(()) } else { Err(Refusal::Double(known.join(" "))) };
        }
        self.put(typed.clone(), meant.clone());
        // "EPs", "appts": the plural comes by itself.
        let last_typed = typed.last().map_or("", String::as_str);
        let plural = |word: &str| format!("{word}s");
        let takes_s = last_typed.len() > 1
            && ![last_typed, last].iter().any(|word| word.ends_with(['s', 'x', '\'']))
            && last_typed.bytes().all(|byte| byte.is_ascii_lowercase())
            && !inflect::is_small(&plural(last_typed));
        if takes_s {
            let with_s = |words: &[String]| -> Vec<String> {
                let mut words = words.to_vec();
                if let Some(last) = words.last_mut() {
                    last.push('s');
                }
                words
            };
            if self.known(&with_s(&typed)).is_none() {
                self.put(with_s(&typed), with_s(&meant));
            }
        }
        Ok(())
    }

    /// What these typed words mean.
    fn known(&self, typed: &[String]) -> Option<Vec<String>> {
        let (first, rest) = typed.split_first()?;
        let single = self.single.iter().find(|(one, _)| rest.is_empty() && one == first);
        let row = || self.rows.get(first)?.iter().find(|row| row.rest == rest);
        single.map(|(_, meant)| vec![meant.clone()]).or_else(|| row().map(|row| row.meant.clone()))
    }

    fn put(&mut self, mut typed: Vec<String>, meant: Vec<String>) {
        if let ([one], [other]) = (typed.as_slice(), meant.as_slice()) {
            self.single.push((one.clone(), other.clone()));
            return;
        }
        let rest = typed.split_off(1);
        self.heads.put(&typed.concat());
        let rows = self.rows.entry(typed.concat()).or_default();
        rows.push(Row { rest, meant });
        rows.sort_by_key(|row| std::cmp::Reverse(row.rest.len()));
    }

    /// One word for one word: typed, meant.
    pub fn single(&self) -> &[(String, String)] {
        &self.single
    }

    /// Cuts a text into words, with what is meant in the place of what was typed. `typed` is asked of each word as it was
    /// typed, `meant` of words that are put in; what they answer is handed on with the word.
    pub fn words<K: Copy>(
        &self,
        text: &str,
        mut typed: impl FnMut(&Word<'_>) -> K,
        meant: impl Fn(&str) -> K,
        mut sink: impl FnMut(Word<'_>, K),
    ) {
        let mut held: Vec<Held<K>> = Vec::new();
        text::words(text, |word| {
            let known = typed(&word);
            if held.is_empty() && !(self.heads.has(word.form) && self.rows.contains_key(word.form)) {
                sink(word, known);
            } else {
                held.push(Held::from(&word, known));
                self.settle(&mut held, false, &meant, &mut sink);
            }
        });
        self.settle(&mut held, true, &meant, &mut sink);
    }

    /// Hands on what is certain of the words held back; `all`: no more will come.
    fn settle<K: Copy>(
        &self,
        held: &mut Vec<Held<K>>,
        all: bool,
        meant: &impl Fn(&str) -> K,
        sink: &mut impl FnMut(Word<'_>, K),
    ) {
        while let Some(first) = held.first() {
            let rows = self.rows.get(&first.form).map(Vec::as_slice).unwrap_or_default();
            // A longer one may still come whole.
            if !all && rows.iter().any(|row| row.rest.len() >= held.len() && row.fits(held)) {
                return;
            }
            let Some(row) = rows.iter().find(|row| row.rest.len() < held.len() && row.fits(held)) else {
                let held = held.remove(0);
                sink(held.word(), held.known);
                continue;
            };
            let typed: Vec<Held<K>> = held.drain(..=row.rest.len()).collect();
            let (Some(first), Some(last)) = (typed.first(), typed.last()) else { return };
            for (index, form) in row.meant.iter().enumerate() {
                let (start, end) = (first.start, last.end);
                // All of them stand where all that was typed stands, so that what is shown is what was typed.
                let word = if index == 0 {
                    Word { form, start, end, ..first.word() }
                } else {
                    let skippable = form == "'s";
                    let traits = Traits { skippable, ..Traits::default() };
                    Word { form, start, end, traits, boundary: Break::None, after_question: false }
                };
                sink(word, meant(form));
            }
        }
    }

    /// A phrase as it must be for messages in which what is meant stands for what was typed.
    pub fn mend(&self, phrase: Phrase) -> Phrase {
        if self.rows.is_empty() {
            return phrase;
        }
        match phrase {
            Phrase::Word(_) => self.mend_row(vec![phrase]),
            Phrase::Row(parts) => self.mend_row(parts),
            Phrase::Either(parts) => Phrase::Either(parts.into_iter().map(|part| self.mend(part)).collect()),
            Phrase::Maybe(inner) => Phrase::Maybe(Box::new(self.mend(*inner))),
            other => other,
        }
    }

    fn mend_row(&self, parts: Vec<Phrase>) -> Phrase {
        let mut mended = Vec::with_capacity(parts.len());
        let mut parts = parts.into_iter().peekable();
        let mut words: Vec<WordPattern> = Vec::new();
        loop {
            let next = parts.next();
            if let Some(Phrase::Word(pattern @ (WordPattern::Forms(_) | WordPattern::Exact(_)))) = next {
                words.push(pattern);
                continue;
            }
            self.mend_words(&mut words, &mut mended);
            match next {
                Some(other @ (Phrase::Row(_) | Phrase::Either(_) | Phrase::Maybe(_))) => {
                    mended.push(self.mend(other));
                }
                Some(other) => mended.push(other),
                None => break,
            }
        }
        if mended.len() == 1 { mended.remove(0) } else { Phrase::Row(mended) }
    }

    fn mend_words(&self, words: &mut Vec<WordPattern>, mended: &mut Vec<Phrase>) {
        let mut words = std::mem::take(words).into_iter().collect::<std::collections::VecDeque<_>>();
        let form = |pattern: &WordPattern| match pattern {
            WordPattern::Forms(form) | WordPattern::Exact(form) | WordPattern::Prefix(form) => form.clone(),
        };
        while let Some(first) = words.pop_front() {
            let rows = self.rows.get(&form(&first)).map(Vec::as_slice).unwrap_or_default();
            let fits = |row: &&Row| {
                row.rest.len() <= words.len()
                    && row.rest.iter().zip(&words).all(|(one, word)| *one == form(word))
            };
            let Some(row) = rows.iter().find(fits) else {
                mended.push(Phrase::Word(first));
                continue;
            };
            words.drain(..row.rest.len());
            let exact = matches!(first, WordPattern::Exact(_));
            mended.extend(row.meant.iter().map(|form| {
                let form = form.clone();
                Phrase::Word(if exact { WordPattern::Exact(form) } else { WordPattern::Forms(form) })
            }));
        }
    }
}

impl Row {
    /// Whether the words held, as far as both go, are these.
    fn fits<K>(&self, held: &[Held<K>]) -> bool {
        let after_first = held.iter().skip(1);
        self.rest.iter().zip(after_first).all(|(one, word)| *one == word.form && word.boundary == Break::None)
    }
}

/// A word that is held back until it is known what it is part of.
#[derive(Debug)]
struct Held<K> {
    form: String,
    start: usize,
    end: usize,
    traits: Traits,
    boundary: Break,
    after_question: bool,
    known: K,
}

impl<K> Held<K> {
    fn from(word: &Word<'_>, known: K) -> Self {
        let Word { form, start, end, traits, boundary, after_question } = *word;
        Self { form: form.to_owned(), start, end, traits, boundary, after_question, known }
    }

    fn word(&self) -> Word<'_> {
        let Self { ref form, start, end, traits, boundary, after_question, .. } = *self;
        Word { form, start, end, traits, boundary, after_question }
    }
}

/// The words of an entry, as they are cut from messages.
fn forms(written: &str) -> Vec<String> {
    let mut forms = Vec::new();
    text::words(written, |word| forms.push(word.form.to_owned()));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spellings() -> Spellings {
        let mut all = Spellings::default();
        for (typed, meant) in [
            ("skool", "school"),
            ("dunno", "do not know"),
            ("w/o", "without"),
            ("perm ex", "permanent exclusion"),
            ("perm ex'd", "permanently excluded"),
            ("EP", "educational psychologist"),
            ("co ord", "coordinator"),
        ] {
            all.add(typed, meant).unwrap();
        }
        all
    }

    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        spellings().words(
            text,
            |_| (),
            |_| (),
            |word, ()| {
                assert!(text.get(word.start..word.end).is_some(), "{text}: {word:?}");
                if word.boundary != Break::None {
                    out.push("|".to_owned());
                }
                out.push(word.form.to_owned());
            },
        );
        assert_eq!(out.join(" "), expected, "{text}");
    }

    #[test]
    fn what_is_meant_stands_for_what_was_typed() {
        check("I dunno. EPs say", "i do not know | educational psychologists say");
        check("She is perm ex'd w/o notice", "she is permanently excluded without notice");
        check("a perm. ex was", "a perm | ex was");
        check("the perm ex", "the permanent exclusion");
        check("perm", "perm");
        check("no perm ex no co-ord", "no permanent exclusion no coordinator");
        // Left to the lexicon.
        check("skool", "skool");
    }

    #[test]
    fn phrases_are_mended_alike() {
        let mend = |phrase| spellings().mend(super::super::phrase::parse(phrase).unwrap());
        let plain = |phrase| super::super::phrase::parse(phrase).unwrap();
        assert_eq!(mend("(EP | OT) report"), plain("(educational psychologist | OT) report"));
        assert_eq!(mend("perm ex"), plain("permanent exclusion"));
        assert_eq!(mend("[no] school ... place"), plain("[no] school ... place"));
    }

    #[test]
    fn negation_is_never_touched() {
        for word in ["not", "no", "never", "isn't", "cannot", "not sure", "nothing", "w/o none"] {
            assert!(matches!(Spellings::default().add(word, "x"), Err(Refusal::Negation(_))), "{word}");
        }
        assert_eq!(spellings().add("dunno", "know"), Err(Refusal::Double("do not know".to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn every_other_word_comes_through_as_it_was(text in "([a-z]{1,5}|perm|ex|co|ord|w/o|EP|not|no|never|[.?!\n])( ([a-z]{1,5}|perm|ex|EP|not|no|n't|[.?!])){0,12}") {
            let count = |forms: &[String], word: &str| forms.iter().filter(|form| *form == word).count();
            let (mut plain, mut mended) = (Vec::new(), Vec::new());
            text::words(&text, |word| plain.push(word.form.to_owned()));
            spellings().words(&text, |_| (), |_| (), |word, ()| mended.push(word.form.to_owned()));
            for word in ["not", "no", "never", "none", "nothing"] {
                let added = if word == "not" { count(&plain, "dunno") } else { 0 };
                proptest::prop_assert_eq!(count(&mended, word), count(&plain, word) + added, "{}", text);
            }
        }
    }
}
