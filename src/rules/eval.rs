//! One phrase worked out on one page: backwards where it may begin, forwards along the way that is taken.
//!
//! Nothing is tried in vain: every step is a few operations on sets of places, so no phrase and no text can take more than
//! so many operations a part and 64 words. What was found out about a page is remembered in its [`Memo`].

use std::ops::Range;
use std::rc::Rc;

use chrono::{Datelike, NaiveDate};

use super::bits::{self, Bits};
use super::matcher::{Caught, Hit, MAX_HITS, Matcher, Memo, PhraseId, Placed, SlotKind};
use super::page::{Page, Stretch};
use super::phrase::{Slot, When};
use super::program::{Part, PartId};
use super::zone::{Value, ZoneText};

/// A page's ground; see [`super::page::Ground`].
pub(super) struct Ground<B> {
    pub(super) all: B,
    pub(super) words: B,
    pub(super) skippable: B,
    pub(super) goes_on: B,
    pub(super) glued: B,
    /// Whether any may be stepped over; on most pages none may.
    pub(super) steps_over: bool,
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
pub(super) struct Eval<'e, 's, B> {
    pub(super) matcher: &'s Matcher,
    pub(super) zones: &'s [ZoneText<'s>],
    pub(super) received_on: NaiveDate,
    pub(super) page: &'e mut Page,
    pub(super) memo: &'e mut Memo,
    pub(super) ground: Ground<B>,
    pub(super) steps: &'e mut u64,
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
    pub(super) fn starts(&mut self, phrase: PhraseId) -> B {
        match self.matcher.programs.get(phrase) {
            Some(program) => self.back(program.root, &self.done()).fresh,
            None => B::none(self.page.width),
        }
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
                let mut all = self.nowhere();
                for at in self.ways(parts, *choice) {
                    if let Some(part) = self.way(at) {
                        all = all.or(&self.back(part, rest));
                    }
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
        if !ground.steps_over {
            return Rest { fresh, on };
        }
        let stepped = ground.skippable.without(here).and(&ground.goes_on).and(&on.before());
        Rest { fresh, on: on.or(&stepped) }
    }

    /// Any word, but not into the next sentence.
    fn back_any(&self, rest: &Rest<B>) -> Rest<B> {
        let ground = &self.ground;
        let next = rest.on.before();
        if !ground.steps_over {
            let any = next.and(&ground.words);
            return Rest { on: any.and(&ground.glued), fresh: any };
        }
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

    /// Those alternatives whose words are on the page, by their places in [`Memo::ways`].
    fn ways(&mut self, parts: &[PartId], choice: usize) -> Range<usize> {
        if let Some(&(from @ 1.., count)) = self.memo.tables.choices.get(choice) {
            let from = from as usize - 1;
            return from..from + count as usize;
        }
        let from = self.memo.ways.len();
        if let Some(choice) = self.matcher.choices.get(choice) {
            choice.awake(self.page, &self.matcher.sets, &mut self.memo.awake);
        }
        let ways = self.memo.awake.drain(..).filter_map(|way| parts.get(way as usize).copied());
        self.memo.ways.extend(ways);
        let count = self.memo.ways.len() - from;
        if let Some(place) = self.memo.tables.choices.get_mut(choice) {
            *place = (u32::try_from(from + 1).unwrap_or(0), u32::try_from(count).unwrap_or(0));
            self.memo.tables.chosen.push(choice);
        }
        from..from + count
    }

    fn way(&self, at: usize) -> Option<PartId> {
        self.memo.ways.get(at).copied()
    }

    /// The hits of a phrase that begins at these places.
    pub(super) fn hits(&mut self, phrase: PhraseId, words: &[u64]) -> Vec<Placed> {
        let Some(program) = self.matcher.programs.get(phrase) else { return Vec::new() };
        let done = self.done();
        let (mut found, mut next, mut stretch) = (Vec::new(), 0, 0);
        for start in bits::places(words) {
            if start < next {
                continue;
            }
            if found.len() >= MAX_HITS {
                break;
            }
            let mut walk = Walk { start, at: start, caught: Vec::new() };
            self.walk(program.root, &done, &mut walk);
            next = walk.at.max(start + 1);
            let holds = |place: usize, stretch: &Stretch| place < stretch.first + stretch.tokens.len();
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
                for at in self.ways(parts, *choice) {
                    let Some(part) = self.way(at) else { return };
                    if self.back(part, rest).has(walk.at, walk.start) {
                        return self.walk(part, rest, walk);
                    }
                }
            }
            Some(Part::Maybe(inner)) if !self.back(*inner, rest).has(walk.at, walk.start) => {}
            Some(Part::Maybe(inner)) => self.walk(*inner, rest, walk),
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
