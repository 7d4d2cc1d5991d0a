//! What the program learned from labelled examples: for each rule id, how much every word and pair of words speaks for it.
//!
//! A rule asks for it with `learned: {at least: 50}`. It is a linear weighing that a person can read word by word in
//! `learned.csv`, made by `send-triage learn` and by nothing else: the program never changes it by itself. The same weights
//! are read twice: over the whole message, and over each two neighbouring sentences, of which the one that speaks most
//! counts, since a matter is mostly told in a sentence or two of a long message. It knows no negation beyond a pair of
//! words and no dates; it is there for the many ways of telling that no list of phrases foresees, and for doubt about
//! what the phrases find.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use super::lexicon::Quick;
use super::text::{self, Break, Word};

mod index;
mod opinion;
mod solver;
pub mod train;
mod words;

use index::{Index, WordId};
pub use opinion::Opinion;
use opinion::Place;

/// The file's name in the rules folder.
pub const FILE: &str = "learned.csv";

/// The keys are the file's own, so nobody outside can choose them to collide, and a plain hash will do.
type Rows = HashMap<Box<str>, usize, BuildHasherDefault<Quick>>;

/// The weights, as read from the file.
#[derive(Debug, Default, Clone)]
pub struct Learned {
    labels: Vec<Label>,
    names: Vec<Box<str>>,
    rows: Rows,
    index: Index,
    /// How rare each word is, by row: the logarithm of texts over texts with it, plus one.
    rarity: Vec<f32>,
    /// By row, then by label.
    weights: Vec<f32>,
}

/// What one column is about.
#[derive(Debug, Clone, Default, PartialEq)]
struct Label {
    /// A rule's id, or the name that a rule asks for by `of:`.
    name: String,
    /// The weight of a text without words.
    start: f32,
    /// How weights become a share of certainty, by a logistic curve: how much the whole message counts,
    slope: f32,
    /// how much the two sentences that speak most of it,
    near: f32,
    /// and where the curve stands.
    shift: f32,
}

/// The lines of the file that hold no words.
const START: &str = "(start)";
const SLOPE: &str = "(slope)";
const NEAR: &str = "(slope of two sentences)";
const SHIFT: &str = "(shift)";

/// Why a file cannot be used: the line, from 1, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

impl Learned {
    /// Reads the file.
    ///
    /// # Errors
    /// The first line that is not as `send-triage learn` writes it.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut learned = Self::default();
        let mut heads: Vec<&str> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let fault = |problem: &str| Unreadable { line: index + 1, problem: problem.to_owned() };
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let mut cells = line.split(',').map(str::trim);
            let word = cells.next().unwrap_or_default();
            let rarity = cells.next().unwrap_or_default();
            if learned.labels.is_empty() {
                learned.labels =
                    cells.map(|name| Label { name: name.to_owned(), ..Label::default() }).collect();
                if word != "word" || rarity != "rarity" || learned.labels.is_empty() {
                    return Err(fault("the first line must be: word,rarity, and the ids of the rules"));
                }
                continue;
            }
            let mut numbers = Vec::with_capacity(learned.labels.len());
            for cell in cells {
                numbers.push(if cell.is_empty() {
                    0.0
                } else {
                    finite(cell).ok_or_else(|| fault(&format!("`{cell}` is not a number")))?
                });
            }
            if numbers.len() != learned.labels.len() {
                let (is, wanted) = (numbers.len(), learned.labels.len());
                return Err(fault(&format!("this line has {is} numbers, but there are {wanted} rules")));
            }
            match word {
                START | SLOPE | NEAR | SHIFT => {
                    heads.push(word);
                    for (label, number) in learned.labels.iter_mut().zip(numbers) {
                        match word {
                            START => label.start = number,
                            SLOPE => label.slope = number,
                            NEAR => label.near = number,
                            _ => label.shift = number,
                        }
                    }
                }
                _ => {
                    let rarity =
                        finite(rarity).ok_or_else(|| fault(&format!("`{rarity}` is not a number")))?;
                    if learned.rows.insert(word.into(), learned.names.len()).is_some() {
                        return Err(fault(&format!("the word `{word}` stands twice")));
                    }
                    learned.names.push(word.into());
                    learned.rarity.push(rarity);
                    learned.weights.append(&mut numbers);
                }
            }
        }
        heads.sort_unstable();
        if heads != [SHIFT, NEAR, SLOPE, START] {
            let line = text.lines().count().max(1);
            let problem = format!("the lines {START}, {SLOPE}, {NEAR} and {SHIFT} must each be there once");
            return Err(Unreadable { line, problem });
        }
        learned.index = Index::new(&learned.names);
        Ok(learned)
    }

    /// The file's text.
    pub fn write(&self) -> String {
        let mut out = String::from(
            "# How much each word, and each pair of words, speaks for a rule. Written by `send-triage learn` from labelled examples;\n\
             # rules ask for it with `learned: {at least: 50}`. Open it in a spreadsheet to look; to change it, change the examples.\n\
             word,rarity",
        );
        self.labels.iter().for_each(|label| {
            let _ = write!(out, ",{}", label.name);
        });
        let mut line = |name: &str, rarity: Option<f32>, numbers: &[f32]| {
            let _ = write!(out, "\n{name},");
            if let Some(rarity) = rarity {
                let _ = write!(out, "{rarity:.3}");
            }
            for number in numbers {
                // Most weights are nothing; their cell stays empty.
                if number.abs() < 0.0005 {
                    out.push(',');
                } else {
                    let _ = write!(out, ",{number:.3}");
                }
            }
        };
        let each = |of: fn(&Label) -> f32| self.labels.iter().map(of).collect::<Vec<_>>();
        line(START, None, &each(|label| label.start));
        line(SLOPE, None, &each(|label| label.slope));
        line(NEAR, None, &each(|label| label.near));
        line(SHIFT, None, &each(|label| label.shift));
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_by(|one, two| self.names.get(*one).cmp(&self.names.get(*two)));
        for row in order {
            let (Some(name), Some(rarity)) = (self.names.get(row), self.rarity.get(row)) else { continue };
            line(name, Some(*rarity), self.row(row));
        }
        out.push('\n');
        out
    }

    /// The rules of which it knows something.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|label| label.name.as_str())
    }

    /// How many words and pairs it knows.
    pub fn words(&self) -> usize {
        self.names.len()
    }

    fn row(&self, row: usize) -> &[f32] {
        let width = self.labels.len();
        self.weights.get(row * width..(row + 1) * width).unwrap_or_default()
    }

    /// Weighs the words of these texts together.
    pub fn weigh(&self, texts: &[&str]) -> Opinion {
        let mut weighing = self.weighing();
        for text in texts {
            weighing.begin();
            text::words(text, |word| weighing.word(&word, None));
        }
        weighing.opinion()
    }

    /// What is known of a word, to be asked once for many messages.
    pub fn heard(&self, form: &str) -> Heard {
        Heard([false, true].map(|capital| self.index.word(form, capital)))
    }

    /// Begins to weigh words that are handed over one by one.
    pub fn weighing(&self) -> Weighing<'_> {
        Weighing { learned: self, found: Vec::new(), texts: 0, sentence: 0, last: None }
    }
}

/// A word's number, without a capital and with one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard([Option<WordId>; 2]);

impl Heard {
    fn number(&self, capital: bool) -> Option<WordId> {
        self.0.get(usize::from(capital)).copied().flatten()
    }
}

/// The words of one message, being weighed.
#[derive(Debug)]
pub struct Weighing<'l> {
    learned: &'l Learned,
    found: Vec<Place>,
    /// How many texts were begun.
    texts: usize,
    /// The sentence of the message; between two texts one number is left out, so that they are no neighbours.
    sentence: u32,
    /// The word before in the same sentence, if it is known, and where it begins.
    last: Option<(WordId, usize)>,
}

impl Weighing<'_> {
    /// Another text begins.
    pub fn begin(&mut self) {
        self.texts += 1;
        self.sentence += 2;
        self.last = None;
    }

    /// The next word of the text; `known`: what [`Learned::heard`] tells of it, where that was asked before.
    pub fn word(&mut self, word: &Word<'_>, known: Option<&Heard>) {
        let index = &self.learned.index;
        let id = match known {
            Some(known) => known.number(word.traits.capital),
            None => index.word(word.form, word.traits.capital),
        };
        if word.boundary == Break::Hard {
            self.last = None;
            self.sentence += 1;
        }
        if let Some(id) = id {
            let (text, sentence) = (self.texts.saturating_sub(1), self.sentence);
            let mut add = |row: usize, range: Range<usize>| {
                self.found.push(Place { row, text, sentence, range });
            };
            if let Some((last, start)) = self.last
                && let Some(row) = index.pairs.get(&(last, id))
            {
                add(*row, start..word.end);
            }
            if let Some(row) = index.rows.get(id as usize).copied().flatten() {
                add(row, word.start..word.end);
            }
            for row in index.families.get(id as usize).map(Vec::as_slice).unwrap_or_default() {
                add(*row, word.start..word.end);
            }
        }
        self.last = id.map(|id| (id, word.start));
    }

    /// What they say together.
    pub fn opinion(self) -> Opinion {
        Opinion::of(self.learned, self.found)
    }
}

fn finite(text: &str) -> Option<f32> {
    text.parse::<f32>().ok().filter(|number| number.is_finite())
}
