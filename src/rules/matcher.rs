//! Phrases searched in the pages of one message, each only when a condition asks for it.
//!
//! A phrase is searched backwards and everywhere on a page at once: from the set of places at which what follows a part
//! may begin, the set at which the part itself may begin is worked out with a few operations on bits ([`Eval::back`]).
//! What remains at the phrase's beginning are the places where it is found, and nothing was tried in vain: no phrase
//! and no text can make it take more than so many operations a part and 64 words. Where it was found, the way of the
//! first alternatives and shortest gaps is walked forwards, again by looking only at sets ([`Eval::walk`]).

use std::ops::Range;
use std::rc::Rc;

use chrono::{Datelike, NaiveDate};

use super::bits::{self, Bits, Long};
use super::lexicon::Sets;
use super::page::{Page, Stretches, pages};
use super::phrase::{Slot, When};
use super::program::{Part, PartId, Parts, Program, alternative};
use super::waking::Waking;
use super::zone::{Value, ZoneText};

/// A phrase's number.
pub type PhraseId = usize;

/// How often one phrase is told on one page.
const MAX_HITS: usize = 64;
/// How much is done for one message, in steps: hundreds of times what the longest letter takes, and under a second.
const MOST_STEPS: u64 = 50_000_000;

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
    programs: Vec<Program>,
    parts: Parts,
    sets: Sets,
    terms: usize,
    /// Tells which alternatives are worth a look.
    alternatives: Waking<u64>,
}

impl Matcher {
    /// Brings the phrases together; the number of each is its place.
    pub fn new(programs: Vec<Program>, parts: Parts, sets: Sets, terms: usize) -> Self {
        let alternatives = Waking::new(parts.alternatives(&sets), terms, &sets);
        Self { programs, parts, sets, terms, alternatives }
    }

    /// The sets of words without which a phrase cannot be found; the rarest first.
    pub fn needs(&self, phrase: PhraseId) -> &[super::lexicon::OneOf] {
        self.programs.get(phrase).map_or(&[], |program| &program.needs)
    }

    /// How many phrases there are.
    pub fn len(&self) -> usize {
        self.programs.len()
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
struct Memo {
    /// The alternatives that are worth a look, in order; gathered when first asked for.
    awake: Option<Vec<u64>>,
    /// For each choice where its ways are in `ways`, plus one; 0: not looked at yet.
    choices: Vec<u32>,
    ways: Vec<Rc<[PartId]>>,
    /// For each phrase where its beginnings are, plus one, in units of the page's width; 0: not searched yet.
    searched: Vec<u32>,
    starts: Vec<u64>,
    /// For each phrase where its hits are in `hits`, plus one; 0: not walked yet.
    walked: Vec<u32>,
    hits: Vec<Rc<[Placed]>>,
}

impl<'s> Search<'s> {
    /// Lays out the pages; nothing is searched yet.
    pub fn new(matcher: &'s Matcher, zones: &'s [ZoneText<'s>], received_on: NaiveDate) -> Self {
        let pages = pages(zones, matcher.terms, matcher.sets.len());
        let memo = |_: &Page| Memo {
            awake: None,
            choices: vec![0; matcher.parts.choices],
            ways: Vec::new(),
            searched: vec![0; matcher.programs.len()],
            starts: Vec::new(),
            walked: vec![0; matcher.programs.len()],
            hits: Vec::new(),
        };
        let memos = pages.iter().map(memo).collect();
        Self { matcher, zones, received_on, pages, memos, steps: 0 }
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
        let (Some(page), Some(program)) = (self.pages.get_mut(page), self.matcher.programs.get(phrase))
        else {
            return 0;
        };
        let mut all = !0;
        for need in &program.needs {
            all &= page.reach(*need, &self.matcher.sets);
            if all == 0 {
                break;
            }
        }
        all
    }

    /// Whether a phrase begins somewhere in a stretch.
    pub fn finds(&mut self, page: usize, phrase: PhraseId, stretch: usize) -> bool {
        let row = self.starts(page, phrase);
        let (Some(page), Some(memo)) = (self.pages.get(page), self.memos.get(page)) else { return false };
        let words = memo.starts.get(row * page.width..(row + 1) * page.width).unwrap_or_default();
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
        if let Some(row @ 1..) = memo.walked.get(phrase) {
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
            if let Some(place) = memo.walked.get_mut(phrase) {
                *place = u32::try_from(memo.hits.len()).unwrap_or(0);
            }
        }
        hits
    }

    /// The row of the memo with the places at which a phrase begins.
    fn starts(&mut self, page: usize, phrase: PhraseId) -> usize {
        let Some(memo) = self.memos.get(page) else { return 0 };
        if let Some(row @ 1..) = memo.searched.get(phrase) {
            return *row as usize - 1;
        }
        let width = self.pages.get(page).map_or(1, |page| page.width);
        let row = memo.starts.len() / width;
        let found = if self.may_find(page, phrase) == 0 || !self.count(1) {
            None
        } else if width == 1 {
            self.eval::<u64, _>(page, |eval| eval.starts(phrase))
        } else {
            self.eval::<Long, _>(page, |eval| eval.starts(phrase))
        };
        if let Some(memo) = self.memos.get_mut(page) {
            memo.starts.extend(found.unwrap_or_default());
            memo.starts.resize((row + 1) * width, 0);
            if let Some(place) = memo.searched.get_mut(phrase) {
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

/// A page's ground; see [`super::page::Ground`].
struct Ground<B> {
    all: B,
    words: B,
    skippable: B,
    goes_on: B,
    glued: B,
}

/// Where the rest of a phrase may go on.
#[derive(Clone)]
struct Rest<B> {
    /// If these are the phrase's very first words: they may begin a sentence.
    fresh: B,
    /// If words of it stand before: not into the next sentence, and possessives are stepped over.
    on: B,
}

impl<B: Bits> Rest<B> {
    fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.on.is_empty()
    }

    fn or(&self, other: &Self) -> Self {
        Self { fresh: self.fresh.or(&other.fresh), on: self.on.or(&other.on) }
    }

    fn has(&self, place: usize, start: usize) -> bool {
        if place == start { self.fresh.has(place) } else { self.on.has(place) }
    }
}

/// The working out of one phrase on one page.
struct Eval<'e, 's, B> {
    matcher: &'s Matcher,
    zones: &'s [ZoneText<'s>],
    received_on: NaiveDate,
    page: &'e mut Page,
    memo: &'e mut Memo,
    ground: Ground<B>,
    steps: &'e mut u64,
}

impl<'s, B: Bits> Eval<'_, 's, B> {
    /// Where a phrase is done: anywhere, but not before it began.
    fn done(&self) -> Rest<B> {
        Rest { fresh: B::none(self.page.width), on: self.ground.all.clone() }
    }

    fn nowhere(&self) -> Rest<B> {
        Rest { fresh: B::none(self.page.width), on: B::none(self.page.width) }
    }

    /// The places at which a phrase begins.
    fn starts(&mut self, phrase: PhraseId) -> Vec<u64> {
        let mut words = Vec::with_capacity(self.page.width);
        if let Some(program) = self.matcher.programs.get(phrase) {
            let done = self.done();
            self.back(program.root, &done).fresh.write(&mut words);
        }
        words
    }

    /// Where a part may begin so that what is left may go on where `rest` says.
    fn back(&mut self, part: PartId, rest: &Rest<B>) -> Rest<B> {
        *self.steps += self.page.width as u64;
        match self.matcher.parts.get(part) {
            None => self.nowhere(),
            Some(Part::Word(set)) => {
                let here = B::read(self.page.places(*set, &self.matcher.sets));
                self.taken(&here, &rest.on.before())
            }
            Some(Part::Slot(slot)) => self.back_slot(*slot, rest),
            Some(Part::Row(parts)) => {
                let mut rest = rest.clone();
                for part in parts.iter().rev() {
                    rest = self.back(*part, &rest);
                    if rest.is_empty() {
                        break;
                    }
                }
                rest
            }
            Some(Part::Either(parts, choice)) => {
                let ways = self.ways(parts, *choice);
                let mut all = self.nowhere();
                for part in ways.iter() {
                    all = all.or(&self.back(*part, rest));
                }
                all
            }
            Some(Part::Maybe(inner)) => self.back(*inner, rest).or(rest),
            Some(Part::List(_, inner)) => self.back(*inner, rest),
            Some(Part::Gap(words)) => {
                let (mut all, mut next) = (rest.clone(), rest.clone());
                for _ in 0..*words {
                    *self.steps += self.page.width as u64;
                    next = self.back_any(&next);
                    if next.is_empty() {
                        break;
                    }
                    all = all.or(&next);
                }
                all
            }
        }
    }

    /// Where words begin that stand `here` and after which it goes on; `next`: the places before those where it does.
    fn taken(&self, here: &B, next: &B) -> Rest<B> {
        let ground = &self.ground;
        let fresh = here.and(next);
        let on = fresh.and(&ground.goes_on);
        let stepped = ground.skippable.without(here).and(&ground.goes_on).and(&on.before());
        Rest { fresh, on: on.or(&stepped) }
    }

    /// Any word, but not into the next sentence.
    fn back_any(&self, rest: &Rest<B>) -> Rest<B> {
        let ground = &self.ground;
        let next = rest.on.before();
        // After a possessive it is the word behind it that is taken.
        let stepped = ground.glued.and(&next).before().and(&ground.skippable);
        let any = next.without(&ground.skippable).or(&stepped).and(&ground.words);
        Rest { on: any.and(&ground.glued), fresh: any }
    }

    fn back_slot(&self, slot: usize, rest: &Rest<B>) -> Rest<B> {
        let (mut here, mut next) = (B::none(self.page.width), B::none(self.page.width));
        let mut spans = self.page.spans.iter().peekable();
        while let Some(span) = spans.peek() {
            let start = span.places.start;
            let mut longest = None;
            while let Some(span) = spans.next_if(|span| span.places.start == start) {
                if self.fits(slot, span.zone, span.index) {
                    longest = longest.max(Some(span.places.end));
                }
            }
            if let Some(end) = longest {
                here.put(start);
                if rest.on.has(end) {
                    next.put(start);
                }
            }
        }
        self.taken(&here, &next)
    }

    /// Those alternatives that are found on the page at all, whatever follows.
    fn ways(&mut self, parts: &[PartId], choice: usize) -> Rc<[PartId]> {
        if let Some(row @ 1..) = self.memo.choices.get(choice) {
            return self.memo.ways.get(*row as usize - 1).cloned().unwrap_or_default();
        }
        let awake = self.memo.awake.get_or_insert_with(|| {
            let mut awake = Vec::new();
            self.matcher.alternatives.wake(self.page, &self.matcher.sets, |what, _| awake.push(what));
            awake.sort_unstable();
            awake.dedup();
            awake
        });
        let from = awake.partition_point(|other| *other < alternative(choice, 0));
        let mut own = awake.get(from..).unwrap_or_default().iter().peekable();
        // Those that need no word are always worth a look.
        let is_awake = |(way, part): (usize, &PartId)| {
            let woken = own.next_if(|awake| **awake == alternative(choice, way)).is_some();
            (woken || self.matcher.parts.needs_of(*part).is_empty()).then_some(*part)
        };
        let awake: Vec<PartId> = parts.iter().enumerate().filter_map(is_awake).collect();
        let mut ways = Vec::new();
        if !awake.is_empty() {
            let mut done = self.done();
            done.fresh = self.ground.all.clone();
            for part in awake {
                if !self.back(part, &done).is_empty() {
                    ways.push(part);
                }
            }
        }
        let ways: Rc<[PartId]> = ways.into();
        self.memo.ways.push(ways.clone());
        if let Some(place) = self.memo.choices.get_mut(choice) {
            *place = u32::try_from(self.memo.ways.len()).unwrap_or(0);
        }
        ways
    }

    /// The hits of a phrase that begins at the places of this row.
    fn hits(&mut self, phrase: PhraseId, row: usize) -> Vec<Placed> {
        let width = self.page.width;
        let words = self.memo.starts.get(row * width..(row + 1) * width).unwrap_or_default().to_vec();
        let Some(program) = self.matcher.programs.get(phrase) else { return Vec::new() };
        let done = self.done();
        let (mut found, mut next, mut stretch) = (Vec::new(), 0, 0);
        for start in bits::places(&words) {
            if start < next {
                continue;
            }
            if found.len() >= MAX_HITS {
                break;
            }
            let mut walk = Walk { start, at: start, caught: Vec::new() };
            self.walk(program.root, &done, &mut walk);
            next = walk.at.max(start + 1);
            let holds =
                |place: usize, stretch: &super::page::Stretch| place < stretch.first + stretch.tokens.len();
            while self.page.stretches.get(stretch).is_some_and(|known| !holds(start, known)) {
                stretch += 1;
            }
            let Some(known) = self.page.stretches.get(stretch) else { break };
            let token = |place: usize| (place + known.tokens.start).saturating_sub(known.first);
            let range = |places: Range<usize>| token(places.start)..token(places.end);
            let caught = walk.caught.into_iter().map(|caught| match caught {
                Caught::Gap(place) => Caught::Gap(token(place)),
                Caught::List(list, places) => Caught::List(list, range(places)),
                Caught::Slot(kind, places) => Caught::Slot(kind, range(places)),
            });
            let hit = Hit { phrase, tokens: range(start..walk.at), caught: caught.collect() };
            found.push(Placed { stretch, hit: Rc::new(hit) });
        }
        found
    }

    /// Walks a part that is known to lead to where `rest` goes on: the first alternative that does, the shortest gap.
    fn walk(&mut self, part: PartId, rest: &Rest<B>, walk: &mut Walk) {
        match self.matcher.parts.get(part) {
            None => {}
            Some(Part::Word(set)) => {
                let here = B::read(self.page.places(*set, &self.matcher.sets));
                walk.at += if here.has(walk.at) { 1 } else { 2 };
            }
            Some(Part::Slot(slot)) => {
                let found = self.longest(*slot, walk.at).or_else(|| self.longest(*slot, walk.at + 1));
                let Some((places, kind)) = found else { return };
                walk.at = places.end;
                walk.caught.push(Caught::Slot(kind, places));
            }
            Some(Part::Row(parts)) => {
                let mut rests = vec![rest.clone()];
                for part in parts.iter().skip(1).rev() {
                    let next = rests.last().map(|rest| self.back(*part, rest));
                    rests.extend(next);
                }
                for part in parts {
                    let Some(rest) = rests.pop() else { return };
                    self.walk(*part, &rest, walk);
                }
            }
            Some(Part::Either(parts, choice)) => {
                for part in self.ways(parts, *choice).iter() {
                    if self.back(*part, rest).has(walk.at, walk.start) {
                        return self.walk(*part, rest, walk);
                    }
                }
            }
            Some(Part::Maybe(inner)) => {
                if self.back(*inner, rest).has(walk.at, walk.start) {
                    self.walk(*inner, rest, walk);
                }
            }
            Some(Part::List(list, inner)) => {
                let (opened, from) = (walk.caught.len(), walk.at);
                walk.caught.push(Caught::List(*list, from..from));
                self.walk(*inner, rest, walk);
                if let Some(Caught::List(_, places)) = walk.caught.get_mut(opened) {
                    places.end = walk.at;
                }
            }
            Some(Part::Gap(words)) => {
                for _ in 0..*words {
                    if rest.has(walk.at, walk.start) {
                        return;
                    }
                    walk.at += usize::from(self.ground.skippable.has(walk.at));
                    walk.caught.push(Caught::Gap(walk.at));
                    walk.at += 1;
                }
            }
        }
    }

    /// The longest words with a fitting value that begin at this place.
    fn longest(&self, slot: usize, place: usize) -> Option<(Range<usize>, SlotKind)> {
        let from = self.page.spans.partition_point(|span| span.places.start < place);
        let here = self.page.spans.get(from..)?.iter().take_while(|span| span.places.start == place);
        let fitting = here.filter(|span| self.fits(slot, span.zone, span.index));
        let places = fitting.max_by_key(|span| span.places.end)?.places.clone();
        Some((places, kind(self.matcher.parts.slots.get(slot)?)))
    }

    fn fits(&self, slot: usize, zone: usize, span: usize) -> bool {
        let value = self.zones.get(zone).and_then(|zone| zone.spans.get(span)).map(|span| &span.value);
        match (self.matcher.parts.slots.get(slot), value) {
            (Some(slot), Some(value)) => fits(slot, value, self.received_on),
            _ => false,
        }
    }
}

/// How far a phrase was walked.
struct Walk {
    start: usize,
    at: usize,
    caught: Vec<Caught>,
}

fn fits(slot: &Slot, value: &Value, received_on: NaiveDate) -> bool {
    match (slot, value) {
        (Slot::Number(least, most), Value::Number(n)) | (Slot::Duration(least, most), Value::Duration(n)) => {
            (*least..=*most).contains(n)
        }
        (Slot::YearPast, Value::Number(n)) => (1950.0..f64::from(school_year(received_on))).contains(n),
        (Slot::Place(None), Value::Place { .. }) => true,
        (Slot::Place(Some(wanted)), Value::Place { area, .. }) => wanted == area,
        (Slot::Date(When::Any), Value::Date(_)) => true,
        (Slot::Date(When::Ahead(least, most)), Value::Date(mention)) => {
            mention.ahead.is_some_and(|period| within(received_on, period, 1, *least, *most))
        }
        (Slot::Date(When::Past(least, most)), Value::Date(mention)) => {
            mention.past.is_some_and(|period| within(received_on, period, -1, *least, *most))
        }
        _ => false,
    }
}

/// Whether the middle of the period lies so many days off, counted ahead (1) or back (-1). "Next week" has no one
/// day; its middle is what people mean most.
fn within(
    received_on: NaiveDate,
    period: (NaiveDate, NaiveDate),
    direction: i64,
    least: i64,
    most: i64,
) -> bool {
    let days = |day: NaiveDate| (day - received_on).num_days() * direction;
    let twice = days(period.0) + days(period.1);
    (2 * least..=2 * most).contains(&twice)
}

/// The calendar year in which the school year of this day began.
fn school_year(on: NaiveDate) -> i32 {
    if on.month() >= 9 { on.year() } else { on.year().saturating_sub(1) }
}

fn kind(slot: &Slot) -> SlotKind {
    match slot {
        Slot::Number(..) | Slot::YearPast => SlotKind::Number,
        Slot::Duration(..) => SlotKind::Duration,
        Slot::Date(_) => SlotKind::Date,
        Slot::Place(_) => SlotKind::Place,
    }
}
