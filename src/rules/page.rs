//! The words of a message as pages: for each term a bit at every place where a word satisfies it.
//!
//! A page holds some stretches (runs of words that no match leaves: sentences, mostly), each followed by one empty place.
//! It has 256 places, which is most messages whole, or as many as its one long sentence needs. What a set of terms finds is
//! worked out when a phrase first asks for it. Nothing here knows phrases.

use std::ops::Range;

use super::Zone;
use super::bits;
use super::lexicon::{self, Block, OneOf, Sets, Term};
use super::text::Break;
use super::zone::{Value, ZoneText};

/// A set of the stretches of one page, a bit each.
pub type Stretches = u64;

/// How many times 64 places a page has, unless its one sentence is longer.
pub const ORDINARY: usize = 4;
/// How many stretches a page has at most: one less than there are bits, which leaves one to say that a set is known.
const MOST_STRETCHES: usize = 63;

/// Says of a set of stretches that it has been worked out.
const KNOWN: Stretches = 1 << MOST_STRETCHES;

/// A run of words that no match can leave.
#[derive(Debug)]
pub struct Stretch {
    /// The zone, by its index.
    pub zone: usize,
    /// The words in it.
    pub tokens: Range<usize>,
    /// The place of the first of them on the page.
    pub first: usize,
    /// Its first and last sentence.
    pub sentences: (usize, usize),
}

/// Words with a value.
#[derive(Debug)]
pub struct PageSpan {
    /// Their places.
    pub places: Range<usize>,
    /// The zone, and the span in it.
    pub zone: usize,
    /// See `zone`.
    pub index: usize,
}

/// Where a word stands, for all places of a page; 64 places a word.
#[derive(Debug, Default)]
pub struct Ground {
    /// All words, and the place after the last of each stretch.
    pub all: Vec<u64>,
    /// The words.
    pub words: Vec<u64>,
    /// Those that may be stepped over.
    pub skippable: Vec<u64>,
    /// Those that do not begin a sentence, and so go on from the word before; at a soft end they still do.
    pub goes_on: Vec<u64>,
    /// Those that go on from the word before without any doubt.
    pub glued: Vec<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Page {
    /// Its stretches, in order.
    pub stretches: Vec<Stretch>,
    /// How many times 64 places there are.
    pub width: usize,
    /// Where words stand.
    pub ground: Ground,
    /// For each place up to the last word the stretch in which it is.
    stretch_of: Vec<u8>,
    /// Words with a value, in order of their beginning.
    pub spans: Vec<PageSpan>,
    /// The terms that some word here satisfies.
    pub present: Vec<Term>,
    /// The same as bits, 64 terms a word.
    there: Vec<u64>,
    /// For each term the row in which its places are; the row 0 is empty.
    term_rows: Vec<u32>,
    /// For each set of terms where one of them stands, with [`KNOWN`]; 0: not asked for yet.
    set_reach: Vec<Stretches>,
    /// For each set of terms its row, plus one; 0: not asked for yet.
    set_rows: Vec<u32>,
    /// The sets that were asked for.
    asked: Vec<OneOf>,
    /// Rows of places, of `width` words each.
    places: Vec<u64>,
    /// For each row the stretches that have a place in it.
    reach: Vec<Stretches>,
    /// For each kind of zone its stretches.
    by_zone: [Stretches; 6],
    /// Room for [`super::waking`] to work in; all nothing between its calls.
    pub(super) waking: Vec<Stretches>,
    /// The same; empty between its calls.
    pub(super) entered: Vec<u32>,
    /// The same.
    pub(super) met: Vec<(usize, Stretches)>,
}

/// Divides the zones into pages; `spare`: one that is no longer needed, of the same rules.
pub fn pages(
    zones: &[ZoneText<'_>],
    terms: usize,
    sets: usize,
    mut spare: impl FnMut() -> Option<Page>,
) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    let mut free = 0;
    for (zone, words) in zones.iter().enumerate() {
        let mut spans = 0;
        for tokens in stretches(words) {
            let needed = tokens.len() + 1;
            let full = pages.last().is_none_or(|page| page.stretches.len() >= MOST_STRETCHES);
            if needed > free || full {
                let width = needed.div_ceil(64).max(ORDINARY);
                pages.push(spare().map_or_else(|| Page::new(width, terms, sets), |page| page.wiped(width)));
                free = width * 64;
            }
            let Some(page) = pages.last_mut() else { continue };
            let first = page.width * 64 - free;
            // A long sentence keeps its page to itself, so that most pages stay narrow and cheap.
            free = if page.width > ORDINARY { 0 } else { free - needed };
            page.add(zone, words, tokens, first, &mut spans);
        }
    }
    pages
}

/// The runs of words that no match can leave: from one end of a sentence to the next, unless a value spans it.
fn stretches<'z>(zone: &'z ZoneText<'_>) -> impl Iterator<Item = Range<usize>> + 'z {
    let (mut at, mut spans, mut spanned) = (0, zone.spans.iter().peekable(), 0);
    std::iter::from_fn(move || {
        let start = at;
        while let Some(token) = zone.tokens.get(at) {
            if at > start && token.boundary == Break::Hard && spanned <= at {
                break;
            }
            while let Some(span) = spans.next_if(|span| span.tokens.start <= at) {
                spanned = spanned.max(span.tokens.end);
            }
            at += 1;
        }
        (at > start).then_some(start..at)
    })
}

impl Page {
    fn new(width: usize, terms: usize, sets: usize) -> Self {
        let none = || vec![0; width];
        Self {
            stretches: Vec::new(),
            width,
            ground: Ground { all: none(), words: none(), skippable: none(), goes_on: none(), glued: none() },
            stretch_of: Vec::new(),
            spans: Vec::new(),
            present: Vec::new(),
            there: vec![0; terms.div_ceil(64)],
            term_rows: vec![0; terms],
            set_reach: vec![0; sets],
            set_rows: vec![0; sets],
            asked: Vec::new(),
            places: none(),
            reach: vec![0],
            by_zone: [0; 6],
            waking: Vec::new(),
            entered: Vec::new(),
            met: Vec::new(),
        }
    }

    /// The same page with nothing on it, for another message and the same rules: its tables are large, and most of
    /// them were hardly written in.
    fn wiped(mut self, width: usize) -> Self {
        for term in self.present.drain(..) {
            if let Some(row) = self.term_rows.get_mut(term as usize) {
                *row = 0;
            }
            if let Some(word) = self.there.get_mut(term as usize / 64) {
                *word = 0;
            }
        }
        for set in self.asked.drain(..) {
            if let Some(reach) = self.set_reach.get_mut(set as usize) {
                *reach = 0;
            }
            if let Some(row) = self.set_rows.get_mut(set as usize) {
                *row = 0;
            }
        }
        let ground = &mut self.ground;
        for words in [
            &mut ground.all,
            &mut ground.words,
            &mut ground.skippable,
            &mut ground.goes_on,
            &mut ground.glued,
            &mut self.places,
        ] {
            words.clear();
            words.resize(width, 0);
        }
        self.width = width;
        self.stretches.clear();
        self.stretch_of.clear();
        self.spans.clear();
        self.reach.clear();
        self.reach.push(0);
        self.by_zone = [0; 6];
        self
    }

    /// Puts a stretch on the page; `spans` is the first of the zone's spans that may lie in it.
    fn add(
        &mut self,
        zone: usize,
        words: &ZoneText<'_>,
        tokens: Range<usize>,
        first: usize,
        spans: &mut usize,
    ) {
        let stretch = 1 << (self.stretches.len() % 64);
        if let Some(reach) = self.by_zone.get_mut(words.zone as usize) {
            *reach |= stretch;
        }
        let place_of = |token: usize| first + token - tokens.start;
        for (place, token) in (first..).zip(words.tokens.get(tokens.clone()).unwrap_or_default()) {
            put(&mut self.ground.all, place);
            put(&mut self.ground.words, place);
            if token.skippable {
                put(&mut self.ground.skippable, place);
            }
            if token.boundary != Break::Hard {
                put(&mut self.ground.goes_on, place);
            }
            if token.boundary == Break::None {
                put(&mut self.ground.glued, place);
            }
            for term in words.terms(token) {
                self.put(*term, place, stretch);
            }
        }
        put(&mut self.ground.all, place_of(tokens.end));
        let number = u8::try_from(self.stretches.len()).unwrap_or(u8::MAX);
        self.stretch_of.resize(place_of(tokens.end) + 1, number);
        while let Some(span) = words.spans.get(*spans).filter(|span| span.tokens.start < tokens.end) {
            let term = match span.value {
                Value::Date(_) => lexicon::DATE,
                Value::Number(_) => lexicon::NUMBER,
                Value::Duration(_) => lexicon::DURATION,
                Value::Place { .. } => lexicon::PLACE,
            };
            self.put(term, place_of(span.tokens.start), stretch);
            let places = place_of(span.tokens.start)..place_of(span.tokens.end);
            self.spans.push(PageSpan { places, zone, index: *spans });
            *spans += 1;
        }
        let sentences = (words.sentence(tokens.start), words.sentence(tokens.end.saturating_sub(1)));
        self.stretches.push(Stretch { zone, tokens, first, sentences });
    }

    fn put(&mut self, term: Term, place: usize, stretch: Stretches) {
        let Some(row) = self.term_rows.get_mut(term as usize) else { return };
        if *row == 0 {
            *row = u32::try_from(self.reach.len()).unwrap_or(0);
            self.present.push(term);
            put(&mut self.there, term as usize);
            self.reach.push(0);
            self.places.resize(self.places.len() + self.width, 0);
        }
        let row = *row as usize;
        if let Some(reach) = self.reach.get_mut(row) {
            *reach |= stretch;
        }
        if let Some(word) = self.places.get_mut(row * self.width + place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// The stretches in which a term stands.
    #[inline]
    pub fn reach_of_term(&self, term: Term) -> Stretches {
        let row = self.term_rows.get(term as usize).copied().unwrap_or(0);
        self.reach.get(row as usize).copied().unwrap_or(0)
    }

    /// The stretches in which one of these terms stands.
    #[inline]
    pub fn reach(&mut self, set: OneOf, sets: &Sets) -> Stretches {
        match self.set_reach.get(set as usize) {
            Some(known @ 1..) => known & !KNOWN,
            _ => self.new_reach(set, sets),
        }
    }

    fn new_reach(&mut self, set: OneOf, sets: &Sets) -> Stretches {
        let mut all = 0;
        for (block, terms) in sets.blocks(set) {
            let mut both = self.there.get(*block as usize).copied().unwrap_or(0) & terms;
            while both != 0 {
                all |= self.reach_of_term(block * 64 + both.trailing_zeros());
                both &= both - 1;
            }
        }
        if let Some(place) = self.set_reach.get_mut(set as usize) {
            *place = all | KNOWN;
            self.asked.push(set);
        }
        all
    }

    /// The places at which one of these terms stands.
    pub fn places(&mut self, set: OneOf, sets: &Sets) -> &[u64] {
        let row = self.row(set, sets);
        self.places.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }

    fn row(&mut self, set: OneOf, sets: &Sets) -> usize {
        match self.set_rows.get(set as usize) {
            Some(0) | None => {}
            Some(row) => return *row as usize - 1,
        }
        // Where none of them stands at all, that is known from where it was first asked.
        let row = if self.reach(set, sets) == 0 { 0 } else { self.new_row(sets.blocks(set)) };
        if let Some(place) = self.set_rows.get_mut(set as usize) {
            *place = u32::try_from(row + 1).unwrap_or(0);
        }
        row
    }

    /// One row for all of these: a known one, if at most one of them is there at all.
    fn new_row(&mut self, blocks: &[Block]) -> usize {
        let (mut known, mut new) = (0, 0);
        for (block, terms) in blocks {
            let mut both = self.there.get(*block as usize).copied().unwrap_or(0) & terms;
            while both != 0 {
                let term = block * 64 + both.trailing_zeros();
                both &= both - 1;
                let row = self.term_rows.get(term as usize).copied().unwrap_or(0) as usize;
                if known == 0 {
                    known = row;
                    continue;
                }
                if new == 0 {
                    new = self.reach.len();
                    self.reach.push(0);
                    self.places.resize(self.places.len() + self.width, 0);
                    self.add_row(known, new);
                }
                self.add_row(row, new);
            }
        }
        if new == 0 { known } else { new }
    }

    fn add_row(&mut self, row: usize, into: usize) {
        let more = self.reach.get(row).copied().unwrap_or(0);
        if let Some(reach) = self.reach.get_mut(into) {
            *reach |= more;
        }
        let cut = (into * self.width).min(self.places.len());
        let (before, after) = self.places.split_at_mut(cut);
        let from = before.get(row * self.width..(row + 1) * self.width).unwrap_or_default();
        after.iter_mut().zip(from).for_each(|(into, from)| *into |= from);
    }

    /// Which of these 64 terms stand here.
    pub fn there(&self, block: Block) -> u64 {
        self.there.get(block.0 as usize).copied().unwrap_or(0) & block.1
    }

    /// The stretches in which these places are.
    pub fn stretches_of(&self, places: &[u64]) -> Stretches {
        // Of most phrases there are none.
        if places.iter().all(|word| *word == 0) {
            return 0;
        }
        let stretch = |place: usize| self.stretch_of.get(place).map_or(0, |stretch| 1 << (stretch % 64));
        bits::places(places).fold(0, |all, place| all | stretch(place))
    }

    /// The stretches that lie in one of these zones.
    pub fn in_zones(&self, wanted: &[Zone]) -> Stretches {
        wanted.iter().fold(0, |all, zone| all | self.by_zone.get(*zone as usize).copied().unwrap_or(0))
    }

    /// The stretches that hold one of these sentences (from, to, exclusive) of this zone.
    pub fn in_sentences(&self, zone: usize, from: usize, to: usize) -> Stretches {
        let first =
            self.stretches.partition_point(|stretch| (stretch.zone, stretch.sentences.1) < (zone, from));
        let past = self.stretches.partition_point(|stretch| (stretch.zone, stretch.sentences.0) < (zone, to));
        let below = |count: usize| 1_u64.unbounded_shl(count as u32).wrapping_sub(1);
        below(past) & !below(first)
    }
}

fn put(words: &mut [u64], place: usize) {
    if let Some(word) = words.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}
