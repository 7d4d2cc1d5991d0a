//! A phrase as a small program for the matcher, and the words by which it is looked for.
//!
//! Alternatives that are single words become one term, so that long lists cost no more than a word.

use std::collections::HashMap;
use std::ops::Range;

use super::lexicon::{self, Builder, Term};
use super::phrase::{Phrase, Slot, WordPattern};

/// How many steps one phrase may have, lists and all.
const MAX_STEPS: usize = 4_000;

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A word that satisfies the term.
    Word(Term),
    /// Words with a fitting value.
    Slot(Slot),
    /// Any word of the same sentence.
    Any,
    /// Go on at the first; failing that, at the second.
    Either(usize, usize),
    /// Go on there.
    Jump(usize),
    /// A vocabulary list begins.
    Open(usize),
    /// It ends.
    Close(usize),
    /// Found.
    Done,
}

/// A word by which a phrase is looked for, and how many words may stand before it in the phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The term.
    pub term: Term,
    /// At least so many words stand before it.
    pub least: usize,
    /// At most so many.
    pub most: usize,
}

/// A phrase, compiled.
#[derive(Debug)]
pub struct Program {
    /// Its steps.
    pub steps: Vec<Step>,
    /// One of these stands in every match.
    pub anchors: Vec<Anchor>,
    /// Of each of these sets, too, one term stands in every match; the rarest set first.
    pub needs: Vec<Vec<Term>>,
    /// Every match begins with one of these, in order; `None`: not known.
    pub firsts: Option<Vec<Term>>,
}

/// The vocabulary: each list's name and its phrases.
pub type Lists = HashMap<String, (usize, Phrase)>;

/// Why a phrase cannot be compiled.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It names a list that does not exist, there in the phrase.
    UnknownList(String, Range<usize>),
    /// A list that names itself, through others or not.
    Circle(String),
    /// Too many steps.
    TooLarge,
}

/// Compiles a phrase.
pub fn compile(phrase: &Phrase, lists: &Lists, terms: &mut Builder) -> Result<Program, Unfit> {
    let part = Lowering { lists, terms, open: Vec::new(), parts: 0 }.lower(phrase)?;
    let mut steps = Vec::new();
    emit(&part, &mut steps);
    steps.push(Step::Done);
    if steps.len() > MAX_STEPS {
        return Err(Unfit::TooLarge);
    }
    let anchors = anchors(&part, terms).map(|found| found.anchors).unwrap_or_default();
    let mut firsts = Vec::new();
    let certain = begins_with(&part, &mut firsts) == Beginning::Certain;
    firsts.sort_unstable();
    firsts.dedup();
    Ok(Program { steps, needs: needs(&part, terms, &anchors), anchors, firsts: certain.then_some(firsts) })
}

/// A phrase with its lists put in and its words made terms.
enum Part {
    Word(Term),
    Slot(Slot),
    Row(Vec<Part>),
    Either(Vec<Part>),
    Maybe(Box<Part>),
    Gap(usize),
    List(usize, Box<Part>),
}

struct Lowering<'a> {
    lists: &'a Lists,
    terms: &'a mut Builder,
    open: Vec<&'a str>,
    parts: usize,
}

impl<'a> Lowering<'a> {
    fn lower(&mut self, phrase: &Phrase) -> Result<Part, Unfit> {
        self.parts += 1;
        if self.parts > MAX_STEPS {
            return Err(Unfit::TooLarge);
        }
        Ok(match phrase {
            Phrase::Word(pattern) => Part::Word(self.terms.term(vec![pattern.clone()])),
            Phrase::Slot(slot) => Part::Slot(*slot),
            Phrase::Row(parts) => {
                Part::Row(parts.iter().map(|part| self.lower(part)).collect::<Result<_, _>>()?)
            }
            Phrase::Maybe(inner) => Part::Maybe(Box::new(self.lower(inner)?)),
            Phrase::Gap(words) => Part::Gap(*words),
            Phrase::Either(parts) => {
                let mut words: Vec<WordPattern> = Vec::new();
                let mut all = Vec::new();
                for part in parts {
                    match part {
                        Phrase::Word(pattern) => words.push(pattern.clone()),
                        // A nested group of words, or a list of nothing but words, joins in.
                        other => all.push(self.lower(other)?),
                    }
                }
                if !words.is_empty() {
                    all.push(Part::Word(self.terms.term(words)));
                }
                Part::Either(all)
            }
            Phrase::List(name, range) => {
                let Some((key, (index, inner))) = self.lists.get_key_value(name) else {
                    return Err(Unfit::UnknownList(name.clone(), range.clone()));
                };
                if self.open.contains(&key.as_str()) {
                    return Err(Unfit::Circle(name.clone()));
                }
                self.open.push(key);
                let part = self.lower(inner).map_err(|unfit| match unfit {
                    Unfit::UnknownList(inner, _) => Unfit::UnknownList(inner, range.clone()),
                    other => other,
                })?;
                self.open.pop();
                Part::List(*index, Box::new(part))
            }
        })
    }
}

fn emit(part: &Part, steps: &mut Vec<Step>) {
    match part {
        Part::Word(term) => steps.push(Step::Word(*term)),
        Part::Slot(slot) => steps.push(Step::Slot(*slot)),
        Part::Row(parts) => parts.iter().for_each(|part| emit(part, steps)),
        Part::Maybe(inner) => {
            let fork = steps.len();
            steps.push(Step::Done);
            emit(inner, steps);
            let end = steps.len();
            set(steps, fork, Step::Either(fork + 1, end));
        }
        Part::Gap(words) => {
            // As few words as possible: each fork tries to go on before it takes another.
            let forks: Vec<usize> = (0..*words)
                .map(|_| {
                    steps.push(Step::Done);
                    steps.push(Step::Any);
                    steps.len() - 2
                })
                .collect();
            let end = steps.len();
            for fork in forks {
                set(steps, fork, Step::Either(end, fork + 1));
            }
        }
        Part::Either(parts) => {
            let mut jumps = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let last = index + 1 == parts.len();
                let fork = steps.len();
                if !last {
                    steps.push(Step::Done);
                }
                emit(part, steps);
                if !last {
                    jumps.push(steps.len());
                    steps.push(Step::Done);
                    let next = steps.len();
                    set(steps, fork, Step::Either(fork + 1, next));
                }
            }
            let end = steps.len();
            for jump in jumps {
                set(steps, jump, Step::Jump(end));
            }
        }
        Part::List(index, inner) => {
            steps.push(Step::Open(*index));
            emit(inner, steps);
            steps.push(Step::Close(*index));
        }
    }
}

fn set(steps: &mut [Step], at: usize, step: Step) {
    if let Some(place) = steps.get_mut(at) {
        *place = step;
    }
}

/// The fewest and most words that a part spans.
fn length(part: &Part) -> (usize, usize) {
    match part {
        Part::Word(_) => (1, 1),
        Part::Slot(_) => (1, 12),
        Part::Row(parts) => {
            parts.iter().map(length).fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1))
        }
        Part::Either(parts) => {
            let all = parts.iter().map(length);
            all.reduce(|one, two| (one.0.min(two.0), one.1.max(two.1))).unwrap_or((0, 0))
        }
        Part::Maybe(inner) => (0, length(inner).1),
        Part::Gap(words) => (0, *words),
        Part::List(_, inner) => length(inner),
    }
}

struct Anchors {
    weight: u32,
    anchors: Vec<Anchor>,
}

/// The cheapest set of terms of which one must be there.
fn anchors(part: &Part, terms: &Builder) -> Option<Anchors> {
    let single = |term| {
        Some(Anchors { weight: terms.weight(term), anchors: vec![Anchor { term, least: 0, most: 0 }] })
    };
    match part {
        Part::Word(term) => single(*term),
        Part::Slot(slot) => single(slot_term(slot)),
        Part::Row(parts) => {
            let (mut least, mut most) = (0, 0);
            let mut best: Option<Anchors> = None;
            for part in parts {
                if let Some(mut found) = anchors(part, terms)
                    && best.as_ref().is_none_or(|best| found.weight < best.weight)
                {
                    for anchor in &mut found.anchors {
                        anchor.least += least;
                        anchor.most += most;
                    }
                    best = Some(found);
                }
                let (fewest, longest) = length(part);
                least += fewest;
                most += longest;
            }
            best
        }
        Part::Either(parts) => {
            let mut sum = Anchors { weight: 0, anchors: Vec::new() };
            for part in parts {
                let found = anchors(part, terms)?;
                sum.weight = sum.weight.saturating_add(found.weight);
                sum.anchors.extend(found.anchors);
            }
            Some(sum)
        }
        Part::Maybe(_) | Part::Gap(_) => None,
        Part::List(_, inner) => anchors(inner, terms),
    }
}

/// How many sets of needed terms are kept, and how large one may be.
const MOST_NEEDS: usize = 6;
const LARGEST_NEED: usize = 40;

/// The sets of which a match needs one term each, but for the one by which it is looked for anyway.
fn needs(part: &Part, terms: &Builder, anchors: &[Anchor]) -> Vec<Vec<Term>> {
    let mut all = Vec::new();
    needed(part, terms, &mut all);
    let known: Vec<Term> = anchors.iter().map(|anchor| anchor.term).collect();
    all.retain(|set| set.len() <= LARGEST_NEED && *set != known);
    all.sort_by_cached_key(|set| (weight(set, terms), set.clone()));
    all.dedup();
    all.truncate(MOST_NEEDS);
    all
}

fn needed(part: &Part, terms: &Builder, all: &mut Vec<Vec<Term>>) {
    match part {
        Part::Word(term) => all.push(vec![*term]),
        Part::Slot(slot) => all.push(vec![slot_term(slot)]),
        Part::Row(parts) => parts.iter().for_each(|part| needed(part, terms, all)),
        Part::List(_, inner) => needed(inner, terms, all),
        Part::Maybe(_) | Part::Gap(_) => {}
        Part::Either(parts) => {
            let mut one_of = Vec::new();
            for part in parts {
                let mut inner = Vec::new();
                needed(part, terms, &mut inner);
                let Some(rarest) = inner.into_iter().min_by_key(|set| weight(set, terms)) else { return };
                one_of.extend(rarest);
            }
            if !one_of.is_empty() {
                all.push(one_of);
            }
        }
    }
}

fn weight(set: &[Term], terms: &Builder) -> u32 {
    set.iter().map(|term| terms.weight(*term)).fold(0, u32::saturating_add)
}

fn slot_term(slot: &Slot) -> Term {
    match slot {
        Slot::Date(_) => lexicon::DATE,
        Slot::Number(..) | Slot::YearPast => lexicon::NUMBER,
        Slot::Duration(..) => lexicon::DURATION,
        Slot::Place(_) => lexicon::PLACE,
    }
}

/// What is known of a part's first word.
#[derive(PartialEq, Eq)]
enum Beginning {
    /// It is one of those collected.
    Certain,
    /// The part may be nothing: then what follows it begins.
    MayBeNothing,
    /// It may be any word, or a value.
    Unknown,
}

fn begins_with(part: &Part, firsts: &mut Vec<Term>) -> Beginning {
    match part {
        Part::Word(term) => {
            firsts.push(*term);
            Beginning::Certain
        }
        Part::Slot(_) | Part::Gap(_) => Beginning::Unknown,
        Part::List(_, inner) => begins_with(inner, firsts),
        Part::Maybe(inner) => match begins_with(inner, firsts) {
            Beginning::Unknown => Beginning::Unknown,
            _ => Beginning::MayBeNothing,
        },
        Part::Row(parts) => parts
            .iter()
            .map(|part| begins_with(part, firsts))
            .find(|beginning| *beginning != Beginning::MayBeNothing)
            .unwrap_or(Beginning::MayBeNothing),
        Part::Either(parts) => {
            let mut all = Beginning::Certain;
            for part in parts {
                match begins_with(part, firsts) {
                    Beginning::Certain => {}
                    Beginning::MayBeNothing => all = Beginning::MayBeNothing,
                    Beginning::Unknown => return Beginning::Unknown,
                }
            }
            all
        }
    }
}
