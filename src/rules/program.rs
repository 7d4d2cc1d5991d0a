//! Phrases as parts of a graph that all of them share, and the words without which each cannot be found.
//!
//! What is written twice, a vocabulary list or a group of alternatives above all, is one part, so that the matcher can
//! remember what it found out about it. Alternatives that are single words become one set of terms.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::lexicon::{self, Block, Builder, OneOf, Sets, Term};
use super::page::{Page, Stretches};
use super::phrase::{Phrase, Slot};

/// How many words, slots and choices one phrase may have, with its lists written out.
const MAX_SIZE: usize = 4_000;
/// How many sets of needed terms are kept, and how large the second and further ones may be.
const MOST_NEEDS: usize = 7;
const LARGEST_NEED: usize = 40;

/// A part's number.
pub type PartId = u32;

/// One part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// A word that satisfies one of these terms.
    Word(OneOf),
    /// Words with a fitting value, by the slot's number.
    Slot(usize),
    /// One after the other.
    Row(Box<[PartId]>),
    /// One of them, the first that leads to an end; and the number of this choice.
    Either(Box<[PartId]>, usize),
    /// With it, failing that without.
    Maybe(PartId),
    /// Up to so many words of the same sentence, as few as possible.
    Gap(usize),
    /// A vocabulary list, by its number, and what stands in it.
    List(usize, PartId),
}

/// A phrase, compiled.
#[derive(Debug)]
pub struct Program {
    /// Where it begins.
    pub root: PartId,
    /// Of each of these sets one term stands in every match; the rarest first. Never empty.
    pub needs: Vec<OneOf>,
}

/// All parts of all phrases.
#[derive(Debug, Default)]
pub struct Parts {
    all: Vec<Part>,
    /// The slots that they name.
    pub slots: Vec<Slot>,
    /// How many choices there are.
    pub choices: usize,
    known: HashMap<Part, PartId>,
    known_choices: HashMap<Box<[PartId]>, usize>,
    lists: HashMap<usize, PartId>,
    /// For each part its size written out, and the sets that it needs.
    sizes: Vec<usize>,
    needs: Vec<Vec<OneOf>>,
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
    /// Too large.
    TooLarge,
}

impl Parts {
    /// A part by its number.
    pub fn get(&self, part: PartId) -> Option<&Part> {
        self.all.get(part as usize)
    }

    /// Of each choice, by its number, which of its alternatives are worth a look where.
    pub fn choices(&self, sets: &Sets, weight: impl Fn(&OneOf) -> u32) -> Vec<Choice> {
        let mut all: Vec<Choice> = Vec::new();
        all.resize_with(self.choices, Choice::default);
        for (parts, choice) in &self.known_choices {
            if let Some(place) = all.get_mut(*choice) {
                let needs = |part: &PartId| {
                    let mut needs = self.needs_of(*part).to_vec();
                    needs.sort_by_key(&weight);
                    needs
                };
                *place = Choice::new(parts.iter().map(needs), sets);
            }
        }
        all
    }

    /// Forgets what is needed only as long as phrases are added: as much memory as all else.
    pub fn closed(mut self) -> Self {
        self.known = HashMap::new();
        self.known_choices = HashMap::new();
        self.lists = HashMap::new();
        self.sizes = Vec::new();
        self.needs = Vec::new();
        self.all.shrink_to_fit();
        self
    }

    /// Compiles a phrase.
    pub fn compile(&mut self, phrase: &Phrase, lists: &Lists, terms: &mut Builder) -> Result<Program, Unfit> {
        let root = Lowering { parts: self, lists, terms, open: Vec::new() }.lower(phrase)?;
        let mut needs = self.needs_of(root).to_vec();
        order(&mut needs, terms);
        let mut rank = 0;
        needs.retain(|set| {
            rank += 1;
            rank == 1 || terms.terms(*set).len() <= LARGEST_NEED
        });
        needs.truncate(MOST_NEEDS);
        Ok(Program { root, needs })
    }

    fn size(&self, part: PartId) -> usize {
        self.sizes.get(part as usize).copied().unwrap_or(0)
    }

    /// The sets of which a match of this part needs one term each, the rarest first.
    pub fn needs_of(&self, part: PartId) -> &[OneOf] {
        self.needs.get(part as usize).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, part: Part, terms: &mut Builder) -> Result<PartId, Unfit> {
        if let Some(known) = self.known.get(&part) {
            return Ok(*known);
        }
        let sum = |parts: &[PartId]| parts.iter().map(|part| self.size(*part)).fold(0, usize::saturating_add);
        let size = match &part {
            Part::Word(_) | Part::Slot(_) => 1,
            Part::Row(parts) => sum(parts),
            Part::Either(parts, _) => sum(parts).saturating_add(2 * parts.len()),
            Part::Maybe(inner) => self.size(*inner).saturating_add(1),
            Part::Gap(words) => 2 * words,
            Part::List(_, inner) => self.size(*inner).saturating_add(2),
        };
        if size > MAX_SIZE {
            return Err(Unfit::TooLarge);
        }
        let needs = self.needs(&part, terms);
        let id = PartId::try_from(self.all.len()).map_err(|_| Unfit::TooLarge)?;
        self.known.insert(part.clone(), id);
        self.all.push(part);
        self.sizes.push(size);
        self.needs.push(needs);
        Ok(id)
    }

    /// The sets of which a match of this part needs one term each.
    fn needs(&self, part: &Part, terms: &mut Builder) -> Vec<OneOf> {
        match part {
            Part::Word(set) => vec![*set],
            Part::Slot(slot) => {
                self.slots.get(*slot).map(|slot| terms.one_of(vec![slot_term(slot)])).into_iter().collect()
            }
            Part::Row(parts) => {
                let mut all: Vec<OneOf> =
                    parts.iter().flat_map(|part| self.needs_of(*part)).copied().collect();
                order(&mut all, terms);
                all
            }
            Part::List(_, inner) => self.needs_of(*inner).to_vec(),
            Part::Maybe(_) | Part::Gap(_) => Vec::new(),
            Part::Either(parts, _) => {
                let rarest = |part: &PartId| self.needs_of(*part).first().copied();
                let Some(each) = parts.iter().map(rarest).collect::<Option<Vec<OneOf>>>() else {
                    return Vec::new();
                };
                let all = each.iter().flat_map(|set| terms.terms(*set)).copied().collect();
                vec![terms.one_of(all)]
            }
        }
    }
}

/// Which alternatives of a choice are worth a look: those whose words are there.
#[derive(Debug, Default)]
pub struct Choice {
    /// The alternatives that need no word.
    always: Box<[u32]>,
    /// The others, by the term that they need before all else.
    ways: Box<[Way]>,
    /// These terms as bits, and where the first of each block stands in `ways`.
    blocks: Box<[(Block, u32)]>,
}

/// An alternative of a choice, and what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    term: Term,
    way: u32,
    /// Sets of which a term must stand in the same stretch; [`NOTHING`]: no further one.
    besides: [OneOf; 2],
}

/// No set.
const NOTHING: OneOf = OneOf::MAX;

impl Choice {
    fn new(needs: impl Iterator<Item = Vec<OneOf>>, sets: &Sets) -> Self {
        let small = |set: &OneOf| sets.get(*set as usize).is_some_and(|set| set.len() <= LARGEST_NEED);
        let (mut always, mut ways) = (Vec::new(), Vec::new());
        for (way, needs) in (0..).zip(needs) {
            let Some(first) = needs.first().and_then(|first| sets.get(*first as usize)) else {
                always.push(way);
                continue;
            };
            let mut further = needs.iter().skip(1).filter(|set| small(set)).copied();
            let besides = [(); 2].map(|()| further.next().unwrap_or(NOTHING));
            ways.extend(first.iter().map(|term| Way { term: *term, way, besides }));
        }
        ways.sort_unstable();
        let blocks = lexicon::blocks(ways.iter().map(|way| way.term));
        let place = |(block, _): &Block| ways.partition_point(|way| way.term < block * 64);
        let from = |block: &Block| u32::try_from(place(block)).unwrap_or(u32::MAX);
        let blocks = blocks.iter().map(|block| (*block, from(block))).collect();
        Self { always: always.into(), ways: ways.into(), blocks }
    }

    /// The alternatives of which all needed words stand in one stretch of a page, in their order.
    pub fn awake(&self, page: &mut Page, sets: &Sets, into: &mut Vec<u32>) {
        into.extend_from_slice(&self.always);
        for (block, from) in &self.blocks {
            let mut there = page.there(*block);
            let mut ways = self.ways.get(*from as usize..).unwrap_or_default();
            while there != 0 {
                let term = block.0 * 64 + there.trailing_zeros();
                there &= there - 1;
                let here = page.reach_of_term(term);
                while let [way, rest @ ..] = ways
                    && way.term <= term
                {
                    ways = rest;
                    if way.term == term && way.holds(here, page, sets) {
                        into.push(way.way);
                    }
                }
            }
        }
        into.sort_unstable();
        into.dedup();
    }
}

impl Way {
    /// Whether in one of these stretches, where its first word stands, the others do.
    fn holds(&self, mut stretches: Stretches, page: &mut Page, sets: &Sets) -> bool {
        for set in self.besides.iter().take_while(|set| **set != NOTHING) {
            stretches &= page.reach(*set, sets);
            if stretches == 0 {
                return false;
            }
        }
        stretches != 0
    }
}

/// The rarest first, each once.
fn order(needs: &mut Vec<OneOf>, terms: &Builder) {
    needs.sort_unstable();
    needs.dedup();
    needs.sort_by_cached_key(|set| (terms.weight(*set), *set));
}

struct Lowering<'a> {
    parts: &'a mut Parts,
    lists: &'a Lists,
    terms: &'a mut Builder,
    open: Vec<&'a str>,
}

impl Lowering<'_> {
    fn lower(&mut self, phrase: &Phrase) -> Result<PartId, Unfit> {
        let part = match phrase {
            Phrase::Word(pattern) => {
                let term = self.terms.term(pattern.clone());
                Part::Word(self.terms.one_of(vec![term]))
            }
            Phrase::Slot(slot) => Part::Slot(self.slot(slot)),
            Phrase::Row(parts) => {
                Part::Row(parts.iter().map(|part| self.lower(part)).collect::<Result<_, _>>()?)
            }
            Phrase::Maybe(inner) => Part::Maybe(self.lower(inner)?),
            Phrase::Gap(words) => Part::Gap(*words),
            Phrase::Either(parts) => self.either(parts)?,
            Phrase::List(name, range) => self.list(name, range)?,
        };
        self.parts.add(part, self.terms)
    }

    fn either(&mut self, parts: &[Phrase]) -> Result<Part, Unfit> {
        let mut words: Vec<Term> = Vec::new();
        let mut all = Vec::new();
        for part in parts {
            match part {
                Phrase::Word(pattern) => words.push(self.terms.term(pattern.clone())),
                other => all.push(self.lower(other)?),
            }
        }
        if !words.is_empty() {
            let set = self.terms.one_of(words);
            if all.is_empty() {
                return Ok(Part::Word(set));
            }
            all.push(self.parts.add(Part::Word(set), self.terms)?);
        }
        let mut seen = HashSet::new();
        all.retain(|part| seen.insert(*part));
        let all = all.into_boxed_slice();
        let count = self.parts.known_choices.len();
        let choice = *self.parts.known_choices.entry(all.clone()).or_insert(count);
        self.parts.choices = self.parts.known_choices.len();
        Ok(Part::Either(all, choice))
    }

    fn list(&mut self, name: &str, range: &Range<usize>) -> Result<Part, Unfit> {
        let lists = self.lists;
        let Some((key, (index, inner))) = lists.get_key_value(name) else {
            return Err(Unfit::UnknownList(name.to_owned(), range.clone()));
        };
        if let Some(known) = self.parts.lists.get(index) {
            return Ok(Part::List(*index, *known));
        }
        if self.open.contains(&key.as_str()) {
            return Err(Unfit::Circle(name.to_owned()));
        }
        self.open.push(key);
        let part = self.lower(inner).map_err(|unfit| match unfit {
            Unfit::UnknownList(inner, _) => Unfit::UnknownList(inner, range.clone()),
            other => other,
        })?;
        self.open.pop();
        self.parts.lists.insert(*index, part);
        Ok(Part::List(*index, part))
    }

    fn slot(&mut self, slot: &Slot) -> usize {
        let slots = &mut self.parts.slots;
        slots.iter().position(|known| known == slot).unwrap_or_else(|| {
            slots.push(*slot);
            slots.len() - 1
        })
    }
}

fn slot_term(slot: &Slot) -> Term {
    match slot {
        Slot::Date(_) => lexicon::DATE,
        Slot::Number(..) | Slot::YearPast => lexicon::NUMBER,
        Slot::Duration(..) => lexicon::DURATION,
        Slot::Place(_) => lexicon::PLACE,
    }
}
