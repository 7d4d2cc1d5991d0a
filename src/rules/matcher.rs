//! Phrases searched in the pages of one message, each only when a condition asks for it.
//!
//! A phrase is searched backwards and everywhere on a page at once: from the set of places at which what follows a part
//! may begin, the set at which the part itself may begin is worked out with a few operations on bits ([`super::eval`]).
//! What remains at the phrase's beginning are the places where it is found, and nothing was tried in vain: no phrase
//! and no text can make it take more than so many operations a part and 64 words. Where it was found, the way of the
//! first alternatives and shortest gaps is walked forwards, again by looking only at sets.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Mutex;

use chrono::NaiveDate;

use super::bits::{Bits, Long, Short};
use super::eval::{Eval, Ground};
use super::lexicon::{OneOf, Sets, Term};
use super::page::{ORDINARY, Page, Stretches, pages};
use super::program::{Choice, PartId, Parts, Program};
use super::waking::Waking;
use super::zone::ZoneText;

/// A phrase's number.
pub type PhraseId = usize;

/// How often one phrase is told on one page: as often as it may be in each of four zones.
pub(super) const MAX_HITS: usize = 256;
/// How much is done for one message, in steps: a thousand times what a long letter takes, and well under a second.
const MOST_STEPS: u64 = 20_000_000;

/// A phrase, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which phrase.
    pub phrase: PhraseId,
    /// The words.
    pub tokens: Range<usize>,
    /// What its slots and lists caught, in order; and the words of its gaps.
    pub caught: Vec<Caught>,
}

impl Hit {
    /// Whether this word stands in one of its gaps: the rule did not ask for it.
    pub fn in_gap(&self, token: usize) -> bool {
        self.caught.iter().any(|caught| matches!(caught, Caught::Gap(at) if *at == token))
    }

    /// The words that the rule asked for, as ranges without the gaps.
    pub fn asked(&self) -> Vec<Range<usize>> {
        let mut all: Vec<Range<usize>> = Vec::new();
        for token in self.tokens.clone().filter(|token| !self.in_gap(*token)) {
            match all.last_mut() {
                Some(last) if last.end == token => last.end += 1,
                _ => all.push(token..token + 1),
            }
        }
        all
    }
}

/// What a slot or list caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caught {
    /// These words, which begin a span of this kind.
    Slot(SlotKind, Range<usize>),
    /// Words of the list of this number.
    List(usize, Range<usize>),
    /// A word that `...` passed over.
    Gap(usize),
}

/// What kind of slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// `{date}`.
    Date,
    /// `{number}`.
    Number,
    /// `{duration}`.
    Duration,
    /// `{place}`.
    Place,
}

/// All phrases.
#[derive(Debug)]
pub struct Matcher {
    pub(super) programs: Vec<Program>,
    pub(super) parts: Parts,
    pub(super) sets: Sets,
    pub(super) terms: usize,
    /// Tells which alternatives are worth a look.
    pub(super) choices: Vec<Choice>,
    /// For each set how often one of its words stands in ordinary mail.
    weights: Vec<u32>,
    /// What the message before left behind.
    spare: Mutex<Spare>,
}

/// Pages and tables that are no longer needed, for the next message: to make them anew costs more than to wipe them.
#[derive(Debug, Default)]
struct Spare {
    pages: Vec<Page>,
    tables: Vec<Tables>,
}

/// How many are kept; more than nearly every letter has.
const MOST_SPARE: usize = 32;

impl Matcher {
    /// Brings the phrases together; the number of each is its place. `often`: how often each term was met in some mail, by
    /// which it is chosen what is looked for first; where nothing is known, a short set before a long one.
    pub fn new(mut programs: Vec<Program>, parts: Parts, sets: Sets, terms: usize, often: &[u32]) -> Self {
        let met = |term: &Term| often.get(*term as usize).copied().unwrap_or(0);
        let weight = |set: &[Term]| set.iter().map(met).fold(set.len() as u32 / 8, u32::saturating_add);
        let weights: Vec<u32> = (0..sets.len()).map(|set| sets.get(set).map_or(0, weight)).collect();
        let weight = |set: &OneOf| weights.get(*set as usize).copied().unwrap_or(0);
        programs.iter_mut().for_each(|program| program.needs.sort_by_key(weight));
        let choices = parts.choices(&sets, weight);
        let parts = parts.closed();
        Self { programs, parts, sets, terms, choices, weights, spare: Mutex::default() }
    }

    /// How often one of these words stands in ordinary mail, more or less.
    pub fn weight(&self, set: OneOf) -> u32 {
        self.weights.get(set as usize).copied().unwrap_or(0)
    }

    /// The sets of words without which a phrase cannot be found; the rarest first.
    pub fn needs(&self, phrase: PhraseId) -> &[OneOf] {
        self.programs.get(phrase).map_or(&[], |program| &program.needs)
    }

    fn keep(&self, more: Spare) {
        if let Ok(mut spare) = self.spare.try_lock() {
            spare.pages.extend(more.pages);
            spare.pages.truncate(MOST_SPARE);
            spare.tables.extend(more.tables);
            spare.tables.truncate(MOST_SPARE);
        }
    }

    /// The sets of words by number.
    pub fn sets(&self) -> &Sets {
        &self.sets
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.terms
    }
}

/// A hit, and in which stretch of its page it is.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The stretch.
    pub stretch: usize,
    /// The hit.
    pub hit: Rc<Hit>,
}

/// One message, being searched.
#[derive(Debug)]
pub struct Search<'s> {
    matcher: &'s Matcher,
    zones: &'s [ZoneText<'s>],
    received_on: NaiveDate,
    pages: Vec<Page>,
    memos: Vec<Memo>,
    /// The hits of a phrase that is nowhere: most are.
    none: Rc<[Placed]>,
    /// Parts worked out so far, times the machine words that each took; and whatever else was counted.
    steps: u64,
}

/// What was found out about a page.
#[derive(Debug)]
pub(super) struct Memo {
    pub(super) tables: Tables,
    /// The alternatives worth a look, of one choice after the other.
    pub(super) ways: Vec<PartId>,
    /// Room to gather alternatives in; empty between.
    pub(super) awake: Vec<u32>,
    /// What is known of the phrases that were asked for.
    known: Vec<Known>,
    /// For each of these that was searched the places at which it begins, as many words as the page is wide.
    starts: Vec<u64>,
}

/// What is known of a phrase on a page.
#[derive(Debug)]
struct Known {
    phrase: PhraseId,
    /// The stretches that have all its words.
    may: Stretches,
    /// Where its beginnings are, in units of the page's width, and the stretches in which they are; once it was searched.
    found: Option<(usize, Stretches)>,
    /// Its hits, once they were walked.
    hits: Option<Rc<[Placed]>>,
}

/// The part of it that has a place for everything in the rules.
#[derive(Debug)]
pub(super) struct Tables {
    /// For each choice where its ways are in `ways`, plus one, and how many; 0: not looked at yet.
    pub(super) choices: Vec<(u32, u32)>,
    /// The choices that were looked at.
    pub(super) chosen: Vec<usize>,
    /// For each phrase where it is in `known`, plus one; 0: not asked for yet.
    phrases: Vec<u32>,
}

impl Tables {
    fn new(matcher: &Matcher) -> Self {
        Self {
            choices: vec![(0, 0); matcher.parts.choices],
            chosen: Vec::new(),
            phrases: vec![0; matcher.programs.len()],
        }
    }
}

impl Memo {
    /// The tables, with nothing in them, for another message.
    fn wiped(self) -> Tables {
        let mut tables = self.tables;
        for choice in tables.chosen.drain(..) {
            if let Some(place) = tables.choices.get_mut(choice) {
                *place = (0, 0);
            }
        }
        for known in &self.known {
            if let Some(place) = tables.phrases.get_mut(known.phrase) {
                *place = 0;
            }
        }
        tables
    }
}

impl<'s> Search<'s> {
    /// Lays out the pages; nothing is searched yet.
    pub fn new(matcher: &'s Matcher, zones: &'s [ZoneText<'s>], received_on: NaiveDate) -> Self {
        // Another message may be using them just now; it is not waited for.
        let mut spare =
            matcher.spare.try_lock().map(|mut spare| std::mem::take(&mut *spare)).unwrap_or_default();
        let pages = pages(zones, matcher.terms, matcher.sets.len(), || spare.pages.pop());
        let memo = |_: &Page| {
            let tables = spare.tables.pop().unwrap_or_else(|| Tables::new(matcher));
            Memo { tables, ways: Vec::new(), awake: Vec::new(), known: Vec::new(), starts: Vec::new() }
        };
        let memos = pages.iter().map(memo).collect();
        matcher.keep(spare);
        Self { matcher, zones, received_on, pages, memos, none: Rc::from([]), steps: 0 }
    }

    /// Leaves its tables to the next message; nothing can be searched any more.
    pub fn close(&mut self) {
        let (pages, memos) = (std::mem::take(&mut self.pages), std::mem::take(&mut self.memos));
        let narrow = pages.into_iter().filter(|page| page.width == ORDINARY).take(MOST_SPARE).collect();
        let tables = memos.into_iter().take(MOST_SPARE).map(Memo::wiped).collect();
        self.matcher.keep(Spare { pages: narrow, tables });
    }

    /// Counts what was done elsewhere for this message; false when that is enough, and no more will be found.
    pub fn count(&mut self, steps: u64) -> bool {
        self.steps = self.steps.saturating_add(steps);
        self.steps < MOST_STEPS
    }

    /// How many steps were taken, and whether that was too many.
    pub fn steps(&self) -> (u64, bool) {
        (self.steps, self.steps >= MOST_STEPS)
    }

    /// The pages.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Tells what this tree wakes on a page.
    pub fn wake(&mut self, waking: &Waking<usize>, page: usize, woken: impl FnMut(usize, Stretches)) {
        if let Some(page) = self.pages.get_mut(page) {
            waking.wake(page, &self.matcher.sets, woken);
        }
    }

    /// The stretches of a page that have all words that a phrase needs.
    pub fn may_find(&mut self, page: usize, phrase: PhraseId) -> Stretches {
        self.known(page, phrase).map_or(0, |known| known.may)
    }

    /// The stretches of a page in which a phrase begins.
    pub fn found_in(&mut self, page: usize, phrase: PhraseId) -> Stretches {
        self.starts(page, phrase).1
    }

    /// Whether a phrase begins somewhere in a stretch.
    pub fn finds(&mut self, page: usize, phrase: PhraseId, stretch: usize) -> bool {
        let here = |stretches: Stretches| stretches >> (stretch % 64) & 1 != 0;
        here(self.may_find(page, phrase)) && here(self.found_in(page, phrase))
    }

    /// Everywhere on a page that a phrase is found, in order.
    pub fn hits(&mut self, page: usize, phrase: PhraseId) -> Rc<[Placed]> {
        match self.known(page, phrase) {
            Some(Known { may: 0, .. }) | None => return self.none.clone(),
            Some(Known { hits: Some(hits), .. }) => return hits.clone(),
            Some(_) => {}
        }
        let (row, found) = self.starts(page, phrase);
        let hits: Rc<[Placed]> = if found == 0 {
            self.none.clone()
        } else {
            let Some(width) = self.pages.get(page).map(|page| page.width) else { return self.none.clone() };
            let starts =
                self.memos.get(page).and_then(|memo| memo.starts.get(row * width..(row + 1) * width));
            let starts = starts.unwrap_or_default().to_vec();
            if width == ORDINARY {
                self.eval::<Short, _>(page, |eval| eval.hits(phrase, &starts)).unwrap_or_default().into()
            } else {
                self.eval::<Long, _>(page, |eval| eval.hits(phrase, &starts)).unwrap_or_default().into()
            }
        };
        if let Some(known) = self.known(page, phrase) {
            known.hits = Some(hits.clone());
        }
        hits
    }

    /// What is known of a phrase on a page: at least which stretches have its words.
    fn known(&mut self, page: usize, phrase: PhraseId) -> Option<&mut Known> {
        let (memo, page) = (self.memos.get_mut(page)?, self.pages.get_mut(page)?);
        let place = memo.tables.phrases.get_mut(phrase)?;
        if *place == 0 {
            let mut may = !0;
            for need in &self.matcher.programs.get(phrase)?.needs {
                may &= page.reach(*need, &self.matcher.sets);
                if may == 0 {
                    break;
                }
            }
            memo.known.push(Known { phrase, may, found: None, hits: None });
            *place = u32::try_from(memo.known.len()).unwrap_or(0);
        }
        let at = *place as usize;
        memo.known.get_mut(at.checked_sub(1)?)
    }

    /// Where the places at which a phrase begins are kept, and the stretches in which they are.
    fn starts(&mut self, page: usize, phrase: PhraseId) -> (usize, Stretches) {
        match self.known(page, phrase) {
            Some(Known { may: 0, .. }) | None => return (0, 0),
            Some(Known { found: Some(found), .. }) => return *found,
            Some(_) => {}
        }
        if !self.count(1) {
            return (0, 0);
        }
        let Some(width) = self.pages.get(page).map(|page| page.width) else { return (0, 0) };
        let mut starts =
            self.memos.get_mut(page).map(|memo| std::mem::take(&mut memo.starts)).unwrap_or_default();
        let row = starts.len() / width;
        if width == ORDINARY {
            if let Some(found) = self.eval::<Short, _>(page, |eval| eval.starts(phrase)) {
                found.write(&mut starts);
            }
        } else if let Some(found) = self.eval::<Long, _>(page, |eval| eval.starts(phrase)) {
            found.write(&mut starts);
        }
        starts.resize((row + 1) * width, 0);
        let words = starts.get(row * width..).unwrap_or_default();
        let found = (row, self.pages.get(page).map_or(0, |page| page.stretches_of(words)));
        if let Some(memo) = self.memos.get_mut(page) {
            memo.starts = starts;
        }
        if let Some(known) = self.known(page, phrase) {
            known.found = Some(found);
        }
        found
    }

    fn eval<B: Bits, T>(&mut self, page: usize, ask: impl FnOnce(&mut Eval<'_, 's, B>) -> T) -> Option<T> {
        let (page, memo) = (self.pages.get_mut(page)?, self.memos.get_mut(page)?);
        let ground = Ground {
            all: B::read(&page.ground.all),
            words: B::read(&page.ground.words),
            skippable: B::read(&page.ground.skippable),
            goes_on: B::read(&page.ground.goes_on),
            glued: B::read(&page.ground.glued),
            steps_over: page.ground.skippable.iter().any(|word| *word != 0),
        };
        let (matcher, zones) = (self.matcher, self.zones);
        let received_on = self.received_on;
        Some(ask(&mut Eval { matcher, zones, received_on, page, memo, ground, steps: &mut self.steps }))
    }
}
