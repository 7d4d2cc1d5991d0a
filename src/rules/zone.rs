//! One zone of one message, read: its words with the terms that they satisfy, and the dates, numbers, lengths of time and
//! places that stand in it.

use std::ops::Range;

use crate::calendar::mention::Mention;

use super::Zone;
use super::learned::Heard;
use super::lexicon::{Entry, Lexicon, Term};
use super::places::Places;
use super::slot::unit_days;
use super::text::{Break, Word};

/// The longest sentence, in words: what runs on without an end is cut there, so that nothing in it can take too long.
const MAX_SENTENCE: usize = 1_000;

/// One word.
#[derive(Debug, Clone)]
pub struct Token<'t> {
    /// Where it stands in the zone's text.
    pub range: Range<usize>,
    /// The number of its sentence.
    pub sentence: usize,
    /// What the rules know of it.
    entry: Option<&'t Entry>,
    /// Where its terms stand in [`ZoneText::guessed`], if it has no entry.
    guessed: Range<usize>,
    /// What stands before it.
    pub boundary: Break,
    /// A phrase may step over it.
    pub skippable: bool,
    /// It begins with a capital.
    pub capital: bool,
    /// The second half of a contraction.
    second_half: bool,
    /// Its value, if it is a number.
    pub number: Option<f64>,
}

/// What a slot may catch.
#[derive(Debug, Clone)]
pub enum Value {
    /// A date.
    Date(Mention),
    /// A number.
    Number(f64),
    /// A length of time, in days.
    Duration(f64),
    /// A place, by the index of its area; and whether it is a postcode.
    Place {
        /// Index into [`super::phrase::AREAS`].
        area: usize,
        /// A postcode rather than a name.
        postcode: bool,
        /// Part of the name of a school.
        in_school_name: bool,
    },
}

/// Words with a value.
#[derive(Debug, Clone)]
pub struct Span {
    /// The words.
    pub tokens: Range<usize>,
    /// The value.
    pub value: Value,
}

/// One zone, read.
#[derive(Debug)]
pub struct ZoneText<'t> {
    /// Which.
    pub zone: Zone,
    /// Its text.
    pub text: &'t str,
    /// Its words.
    pub tokens: Vec<Token<'t>>,
    /// The terms of words found by their beginning or as a slip of the pen, one word after the other.
    guessed: Vec<Term>,
    /// Words with a value, in order of their beginning.
    pub spans: Vec<Span>,
    /// Which sentences are questions.
    questions: Vec<bool>,
}

impl<'t> ZoneText<'t> {
    /// Reads a zone. `heard` gets every word as it was typed, and what was learned of it if that is known.
    pub fn read(
        zone: Zone,
        text: &'t str,
        lexicon: &'t Lexicon,
        places: &Places,
        mentions: Vec<Mention>,
        heard: impl FnMut(&Word<'_>, Option<&Heard>),
    ) -> Self {
        let mut tokens: Vec<Token<'_>> = Vec::with_capacity(text.len() / 5);
        let (mut guessed, mut own) = (Vec::new(), Vec::new());
        let (mut questions, mut in_sentence) = (vec![false], 0);
        lexicon.words(text, heard, |word, entry| {
            if word.after_question
                && let Some(last) = questions.last_mut()
            {
                *last = true;
            }
            let mut boundary = word.boundary;
            in_sentence = if boundary == Break::None { in_sentence + 1 } else { 0 };
            if in_sentence >= MAX_SENTENCE {
                (boundary, in_sentence) = (Break::Hard, 0);
            }
            if boundary != Break::None {
                questions.push(false);
            }
            let from = guessed.len();
            if entry.is_none() {
                lexicon.guess(word.form, &mut own);
                own.sort_unstable();
                guessed.append(&mut own);
            }
            let number = entry.and_then(|entry| entry.number).or_else(|| {
                let digit = word.form.as_bytes().first().is_some_and(u8::is_ascii_digit);
                // "21st" is 21 as well.
                let bare = word.form.trim_end_matches(|c: char| c.is_ascii_lowercase());
                let ordinal = matches!(word.form.get(bare.len()..), Some("" | "st" | "nd" | "rd" | "th"));
                if digit && ordinal { bare.parse().ok() } else { None }
            });
            tokens.push(Token {
                range: word.start..word.end,
                sentence: questions.len() - 1,
                entry,
                guessed: from..guessed.len(),
                boundary,
                skippable: word.traits.skippable,
                capital: word.traits.capital,
                second_half: word.traits.second_half,
                number,
            });
        });
        if let (Some(last), Some(token)) = (questions.last_mut(), tokens.last()) {
            *last |= text.get(token.range.end..).is_some_and(|rest| rest.contains('?'));
        }
        let mut zone = Self { zone, text, tokens, guessed, spans: Vec::new(), questions };
        zone.numbers();
        zone.dates(mentions);
        let found = places.find(&zone);
        zone.spans.extend(found);
        zone.spans.sort_by_key(|span| span.tokens.start);
        zone
    }

    /// The terms that a word satisfies, in order.
    pub fn terms(&self, token: &Token<'t>) -> &[Term] {
        match token.entry {
            Some(entry) => &entry.terms,
            None => self.guessed.get(token.guessed.clone()).unwrap_or_default(),
        }
    }

    /// Whether a word satisfies this term.
    pub fn satisfies(&self, token: &Token<'t>, term: Term) -> bool {
        self.terms(token).binary_search(&term).is_ok()
    }

    /// Whether the rules know nothing of a word: a name, most often.
    pub fn is_unknown(&self, token: &Token<'t>) -> bool {
        token.number.is_none() && self.terms(token).is_empty()
    }

    /// The words with a value that begin at this word.
    pub fn spans_at(&self, token: usize) -> impl Iterator<Item = &Span> {
        let from = self.spans.partition_point(|span| span.tokens.start < token);
        self.spans.get(from..).unwrap_or_default().iter().take_while(move |span| span.tokens.start == token)
    }

    /// The bytes that these words cover.
    pub fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        // A found "not" is shown as the "isn't" that it stands in.
        let whole = self.tokens.get(tokens.start).is_some_and(|token| token.second_half && !token.skippable);
        let first = if whole { tokens.start.saturating_sub(1) } else { tokens.start };
        let start = self.tokens.get(first).map_or(0, |token| token.range.start);
        let end = self.tokens.get(tokens.end.saturating_sub(1)).map_or(start, |token| token.range.end);
        start..end.max(start)
    }

    /// These words as written.
    pub fn words(&self, tokens: &Range<usize>) -> &'t str {
        self.text.get(self.bytes(tokens)).unwrap_or_default()
    }

    /// The number of the sentence in which a word stands.
    pub fn sentence(&self, token: usize) -> usize {
        self.tokens.get(token).map_or(0, |token| token.sentence)
    }

    /// Whether a sentence is a question.
    pub fn is_question(&self, sentence: usize) -> bool {
        self.questions.get(sentence).copied().unwrap_or(false)
    }

    fn word(&self, token: usize) -> &'t str {
        self.tokens.get(token).and_then(|token| self.text.get(token.range.clone())).unwrap_or_default()
    }

    /// Numbers and lengths of time.
    fn numbers(&mut self) {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            if let Some((value, end)) = self.number(at) {
                found.push(Span { tokens: at..end, value: Value::Number(value) });
                if let Some((days, end)) = self.unit(end, value) {
                    found.push(Span { tokens: at..end, value: Value::Duration(days) });
                }
                at = end;
            } else {
                if let Some((days, end)) = self.vague(at) {
                    found.push(Span { tokens: at..end, value: Value::Duration(days) });
                }
                at += 1;
            }
        }
        self.spans = found;
    }

    /// "12", "twenty-one", "two hundred".
    fn number(&self, at: usize) -> Option<(f64, usize)> {
        let value = self.tokens.get(at)?.number?;
        let next = self.tokens.get(at + 1).and_then(|token| token.number);
        let letters = !self.word(at).starts_with(|c: char| c.is_ascii_digit());
        match next {
            Some(unit) if letters && (20.0..100.0).contains(&value) && (1.0..10.0).contains(&unit) => {
                Some((value + unit, at + 2))
            }
            Some(100.0) if value < 100.0 && !self.word(at + 1).starts_with('1') => {
                Some((value * 100.0, at + 2))
            }
            _ => Some((value, at + 1)),
        }
    }

    /// The unit of time that follows a number, perhaps after one word ("12 school weeks", "6 whole weeks").
    fn unit(&self, at: usize, value: f64) -> Option<(f64, usize)> {
        (at..at + 2).find_map(|at| {
            if self.tokens.get(at)?.boundary != Break::None {
                return None;
            }
            let days = unit_days(&self.word(at).to_lowercase())?;
            Some((value * days, at + 1))
        })
    }

    /// "a week", "a fortnight", "half a term", "a couple of weeks", "several months".
    fn vague(&self, at: usize) -> Option<(f64, usize)> {
        // Of most words the first letter tells that they begin none of these.
        if !matches!(self.word(at).as_bytes().first()?.to_ascii_lowercase(), b'a' | b'c' | b'f' | b'h' | b's')
        {
            return None;
        }
        let is = |at: usize, word: &str| self.word(at).eq_ignore_ascii_case(word);
        let article = |at: usize| is(at, "a") || is(at, "an");
        let after_of = |at: usize| if is(at, "of") { at + 1 } else { at };
        let (value, next) = if article(at) {
            if is(at + 1, "couple") {
                (2.0, after_of(at + 2))
            } else if is(at + 1, "few") {
                (3.0, at + 2)
            } else {
                (1.0, at + 1)
            }
        } else if is(at, "half") && article(at + 1) {
            (0.5, at + 2)
        } else if is(at, "several") || is(at, "few") {
            (3.0, at + 1)
        } else if is(at, "couple") {
            (2.0, after_of(at + 1))
        } else if is(at, "fortnight") {
            (1.0, at)
        } else {
            return None;
        };
        let days = unit_days(&self.word(next).to_lowercase())?;
        Some((value * days, next + 1))
    }

    /// Gives each date the words that it covers.
    fn dates(&mut self, mentions: Vec<Mention>) {
        for mention in mentions {
            let start = self.tokens.partition_point(|token| token.range.end <= mention.range.start);
            let end = self.tokens.partition_point(|token| token.range.start < mention.range.end);
            if start < end {
                self.spans.push(Span { tokens: start..end, value: Value::Date(mention) });
            }
        }
    }
}
