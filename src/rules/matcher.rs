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

use super::bits::{Bits, Long};
use super::eval::{Eval, Ground};
use super::lexicon::Sets;
use super::page::{Page, Stretches, pages};
use super::program::{PartId, Parts, Program};
use super::waking::Waking;
use super::zone::ZoneText;

/// A phrase's number.
pub type PhraseId = usize;

/// How often one phrase is told on one page.
pub(super) const MAX_HITS: usize = 64;
/// How much is done for one message, in steps: a thousand times what a long letter takes, and well under a second.
const MOST_STEPS: u64 = 20_000_000;
/// Stands where no way through a phrase is known.
pub(super) const NO_WAY: u32 = u32::MAX;

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
    pub(super) alternatives: Waking<u64>,
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
    /// Brings the phrases together; the number of each is its place.
    pub fn new(programs: Vec<Program>, parts: Parts, sets: Sets, terms: usize) -> Self {
        let alternatives = Waking::new(parts.alternatives(&sets), terms, &sets);
        Self { programs, parts, sets, terms, alternatives, spare: Mutex::default() }
    }

    /// The sets of words without which a phrase cannot be found; the rarest first.
    pub fn needs(&self, phrase: PhraseId) -> &[super::lexicon::OneOf] {
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
    /// Parts worked out so far, times the machine words that each took; and whatever else was counted.
    steps: u64,
}

/// What was found out about a page.
#[derive(Debug)]
pub(super) struct Memo {
    /// The alternatives that are worth a look, in order; gathered when first asked for.
    pub(super) awake: Option<Vec<u64>>,
    pub(super) tables: Tables,
    pub(super) ways: Vec<Rc<[PartId]>>,
    pub(super) hits: Vec<Rc<[Placed]>>,
}

/// The part of it that has a place for everything in the rules.
#[derive(Debug)]
pub(super) struct Tables {
    /// For each choice where its ways are in `ways`, plus one; 0: not looked at yet; or [`NO_WAY`].
    pub(super) choices: Vec<u32>,
    /// For each phrase where its beginnings are, plus one, in units of the page's width; 0: not searched yet.
    pub(super) searched: Vec<u32>,
    pub(super) starts: Vec<u64>,
    /// For each phrase where its hits are in `hits`, plus one; 0: not walked yet.
    pub(super) walked: Vec<u32>,
    /// For each phrase the stretches that have all its words, and [`KNOWN`]; 0: not asked for yet.
    pub(super) may: Vec<Stretches>,
}

/// No page has so many stretches that this would be one of them: each takes two of 64 places.
const KNOWN: Stretches = 1 << 63;

impl Tables {
    fn new(matcher: &Matcher) -> Self {
        let phrases = matcher.programs.len();
        Self {
            choices: vec![0; matcher.parts.choices],
            searched: vec![0; phrases],
            starts: Vec::new(),
            walked: vec![0; phrases],
            may: vec![0; phrases],
        }
    }

    fn wiped(mut self) -> Self {
        self.choices.fill(0);
        self.searched.fill(0);
        self.starts.clear();
        self.walked.fill(0);
        self.may.fill(0);
        self
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
            let tables = spare.tables.pop().map_or_else(|| Tables::new(matcher), Tables::wiped);
            Memo { awake: None, tables, ways: Vec::new(), hits: Vec::new() }
        };
        let memos = pages.iter().map(memo).collect();
        matcher.keep(spare);
        Self { matcher, zones, received_on, pages, memos, steps: 0 }
    }

    /// Leaves its tables to the next message; nothing can be searched any more.
    pub fn close(&mut self) {
        let (pages, memos) = (std::mem::take(&mut self.pages), std::mem::take(&mut self.memos));
        let narrow = pages.into_iter().filter(|page| page.width == 1).take(MOST_SPARE).collect();
        let tables = memos.into_iter().map(|memo| memo.tables).take(MOST_SPARE).collect();
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
        let (Some(memo), Some(page), Some(program)) =
            (self.memos.get_mut(page), self.pages.get_mut(page), self.matcher.programs.get(phrase))
        else {
            return 0;
        };
        let place = memo.tables.may.get_mut(phrase);
        if let Some(known) = place.as_deref().filter(|known| **known != 0) {
            return known & !KNOWN;
        }
        let mut all = !0;
        for need in &program.needs {
            all &= page.reach(*need, &self.matcher.sets);
            if all == 0 {
                break;
            }
        }
        if let Some(place) = place.filter(|_| all & KNOWN == 0) {
            *place = all | KNOWN;
        }
        all
    }

    /// Whether a phrase begins somewhere in a stretch.
    pub fn finds(&mut self, page: usize, phrase: PhraseId, stretch: usize) -> bool {
        let row = self.starts(page, phrase);
        let (Some(page), Some(memo)) = (self.pages.get(page), self.memos.get(page)) else { return false };
        let words = memo.tables.starts.get(row * page.width..(row + 1) * page.width).unwrap_or_default();
        let Some(stretch) = page.stretches.get(stretch) else { return false };
        match words {
            [word] => {
                let inside =
                    (1_u64.unbounded_shl(stretch.tokens.len() as u32)).wrapping_sub(1) << stretch.first;
                word & inside != 0
            }
            // A wide page has one stretch only.
            words => words.iter().any(|word| *word != 0),
        }
    }

    /// Everywhere on a page that a phrase is found, in order.
    pub fn hits(&mut self, page: usize, phrase: PhraseId) -> Rc<[Placed]> {
        let Some(memo) = self.memos.get(page) else { return Rc::from([]) };
        if let Some(row @ 1..) = memo.tables.walked.get(phrase) {
            return memo.hits.get(*row as usize - 1).cloned().unwrap_or_else(|| Rc::from([]));
        }
        let row = self.starts(page, phrase);
        let width = self.pages.get(page).map_or(1, |page| page.width);
        let hits: Rc<[Placed]> = if width == 1 {
            self.eval::<u64, _>(page, |eval| eval.hits(phrase, row)).unwrap_or_default().into()
        } else {
            self.eval::<Long, _>(page, |eval| eval.hits(phrase, row)).unwrap_or_default().into()
        };
        if let Some(memo) = self.memos.get_mut(page) {
            memo.hits.push(hits.clone());
            if let Some(place) = memo.tables.walked.get_mut(phrase) {
                *place = u32::try_from(memo.hits.len()).unwrap_or(0);
            }
        }
        hits
    }

    /// The row of the memo with the places at which a phrase begins.
    fn starts(&mut self, page: usize, phrase: PhraseId) -> usize {
        let Some(memo) = self.memos.get(page) else { return 0 };
        if let Some(row @ 1..) = memo.tables.searched.get(phrase) {
            return *row as usize - 1;
        }
        let width = self.pages.get(page).map_or(1, |page| page.width);
        let row = memo.tables.starts.len() / width;
        let found = if self.may_find(page, phrase) == 0 || !self.count(1) {
            None
        } else if width == 1 {
            self.eval::<u64, _>(page, |eval| eval.starts(phrase))
        } else {
            self.eval::<Long, _>(page, |eval| eval.starts(phrase))
        };
        if let Some(memo) = self.memos.get_mut(page) {
            memo.tables.starts.extend(found.unwrap_or_default());
            memo.tables.starts.resize((row + 1) * width, 0);
            if let Some(place) = memo.tables.searched.get_mut(phrase) {
                *place = u32::try_from(row + 1).unwrap_or(0);
            }
        }
        row
    }

    fn eval<B: Bits, T>(&mut self, page: usize, ask: impl FnOnce(&mut Eval<'_, 's, B>) -> T) -> Option<T> {
        let (page, memo) = (self.pages.get_mut(page)?, self.memos.get_mut(page)?);
        let ground = Ground {
            all: B::read(&page.ground.all),
            words: B::read(&page.ground.words),
            skippable: B::read(&page.ground.skippable),
            goes_on: B::read(&page.ground.goes_on),
            glued: B::read(&page.ground.glued),
        };
        let (matcher, zones) = (self.matcher, self.zones);
        let received_on = self.received_on;
        Some(ask(&mut Eval { matcher, zones, received_on, page, memo, ground, steps: &mut self.steps }))
    }
}
