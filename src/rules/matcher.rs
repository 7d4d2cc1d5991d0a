//! All phrases of all rules, searched at once in one zone.
//!
//! Each phrase is looked for only where one of its rarest words stands, so the cost of a message hardly grows with the
//! number of rules. From there a program runs with every choice remembered, so that no phrase can take exponential time.

use std::ops::Range;

use super::lexicon::{self, Term, TermSet};
use super::phrase::{Slot, When};
use super::program::{Anchor, Program, Step};
use super::text::Break;
use super::zone::{Span, Token, Value, ZoneText};

use chrono::{Datelike, NaiveDate};

/// A phrase's number.
pub type PhraseId = usize;

/// How often one phrase is reported in one zone.
const MAX_HITS: usize = 64;

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
#[derive(Debug, Default)]
pub struct Matcher {
    programs: Vec<Program>,
    /// For each term, the phrases that are looked for by it.
    index: Vec<Vec<(PhraseId, Anchor)>>,
}

impl Matcher {
    /// Brings the phrases together; the number of each is its place.
    pub fn new(programs: Vec<Program>, terms: usize) -> Self {
        let mut index = vec![Vec::new(); terms];
        for (phrase, program) in programs.iter().enumerate() {
            for anchor in &program.anchors {
                if let Some(list) = index.get_mut(anchor.term as usize) {
                    list.push((phrase, *anchor));
                }
            }
        }
        Self { programs, index }
    }

    /// Whether some phrase is looked for by this term.
    pub fn seeks(&self, term: Term) -> bool {
        self.index.get(term as usize).is_some_and(|list| !list.is_empty())
    }

    /// All phrases found, by phrase and place.
    pub fn find(&self, zone: &ZoneText<'_>, received_on: NaiveDate) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        let mut counts = vec![0_usize; self.programs.len()];
        let present = TermSet::new(self.index.len());
        let mut run =
            Run { zone, received_on, present, jobs: Vec::new(), caught: Vec::new(), seen: Vec::new() };
        let mut candidates = Vec::new();
        let mut spans = zone.spans.as_slice();
        for stretch in stretches(zone) {
            let inside = spans.partition_point(|span| span.tokens.start < stretch.end);
            let (here, later) = spans.split_at_checked(inside).unwrap_or((spans, &[]));
            spans = later;
            let tokens = zone.tokens.get(stretch.clone()).unwrap_or_default();
            let words = tokens.iter().flat_map(|token| zone.terms(token)).copied();
            let terms = words.chain(here.iter().map(|span| value_term(&span.value)));
            terms.clone().for_each(|term| _ = run.present.add(term));
            self.candidates(zone, &stretch, here, &run.present, &mut candidates);
            candidates.sort_unstable_by_key(|(phrase, starts)| (*phrase, starts.start, starts.end));
            let (mut current, mut next) = (usize::MAX, 0);
            for (phrase, starts) in candidates.drain(..) {
                let (Some(program), Some(count)) = (self.programs.get(phrase), counts.get_mut(phrase)) else {
                    continue;
                };
                if phrase != current {
                    (current, next) = (phrase, 0);
                }
                let mut start = starts.start.max(next);
                while start < starts.end && *count < MAX_HITS {
                    next = start + 1;
                    if run.may_begin(program, start)
                        && let Some(end) = run.match_at(program, start)
                    {
                        let caught = run.caught.clone();
                        hits.push(Hit { phrase, tokens: start..end, caught });
                        next = end.max(start + 1);
                        *count += 1;
                    }
                    start = next;
                }
            }
            terms.for_each(|term| run.present.clear(term));
        }
        hits.sort_by_key(|hit| (hit.phrase, hit.tokens.start));
        hits
    }

    /// Which phrases may begin where in a stretch: those of which a word stands in it by which they are looked for, and
    /// all other words that they need.
    fn candidates(
        &self,
        zone: &ZoneText<'_>,
        stretch: &Range<usize>,
        spans: &[Span],
        present: &TermSet,
        found: &mut Vec<(PhraseId, Range<usize>)>,
    ) {
        let tokens = zone.tokens.get(stretch.clone()).unwrap_or_default();
        let mut note = |term: Term, at: usize| {
            for (phrase, anchor) in self.index.get(term as usize).into_iter().flatten() {
                let needs = self.programs.get(*phrase).map(|program| program.needs.as_slice());
                let all_there = needs
                    .unwrap_or_default()
                    .iter()
                    .all(|set| set.iter().any(|term| present.contains(*term)));
                if all_there && at >= anchor.least {
                    // Possessives may stand between the words, at most one after each.
                    let first = at.saturating_sub(anchor.most * 2).max(stretch.start);
                    let last = at.saturating_sub(anchor.least);
                    found.push((*phrase, first..last + 1));
                }
            }
        };
        for (at, token) in tokens.iter().enumerate() {
            for term in zone.sought(token) {
                note(*term, stretch.start + at);
            }
        }
        for span in spans {
            note(value_term(&span.value), span.tokens.start);
        }
    }
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

fn value_term(value: &Value) -> Term {
    match value {
        Value::Date(_) => lexicon::DATE,
        Value::Number(_) => lexicon::NUMBER,
        Value::Duration(_) => lexicon::DURATION,
        Value::Place { .. } => lexicon::PLACE,
    }
}

/// What is still to be tried.
enum Job {
    /// Go on with this step at this word.
    Try(usize, usize),
    /// What was caught after this many is void.
    Forget(usize),
}

struct Run<'z> {
    zone: &'z ZoneText<'z>,
    received_on: NaiveDate,
    /// The terms of all words and values of the stretch: what is not here need not be asked of a word.
    present: TermSet,
    jobs: Vec<Job>,
    caught: Vec<Caught>,
    /// Choices already tried in vain, as (step, word).
    seen: Vec<(usize, usize)>,
}

impl<'z> Run<'z> {
    /// Whether a phrase may begin at this word.
    fn may_begin(&self, program: &Program, at: usize) -> bool {
        let (Some(firsts), Some(token)) = (&program.firsts, self.zone.tokens.get(at)) else { return true };
        firsts.iter().any(|term| self.satisfies(token, *term))
    }

    fn satisfies(&self, token: &Token<'z>, term: Term) -> bool {
        self.present.contains(term) && self.zone.satisfies(token, term)
    }

    /// The end of the match that begins at this word.
    fn match_at(&mut self, program: &Program, start: usize) -> Option<usize> {
        self.jobs.clear();
        self.caught.clear();
        self.seen.clear();
        self.jobs.push(Job::Try(0, start));
        while let Some(job) = self.jobs.pop() {
            match job {
                Job::Forget(length) => self.caught.truncate(length),
                Job::Try(step, at) => {
                    if let Some(end) = self.follow(program, step, at, start) {
                        return Some(end);
                    }
                }
            }
        }
        None
    }

    /// Follows the steps until one fails; what else could be tried is left in `jobs`.
    fn follow(&mut self, program: &Program, mut step: usize, mut at: usize, start: usize) -> Option<usize> {
        loop {
            match program.steps.get(step)? {
                Step::Done => return (at > start).then_some(at),
                Step::Jump(to) => step = *to,
                // Most ways end at their first word. They are not gone, so nothing of them need be remembered.
                Step::Either(first, second) if self.is_dead(program, *first, at) => step = *second,
                Step::Either(first, second) => {
                    match self.seen.binary_search(&(step, at)) {
                        Ok(_) => return None,
                        Err(place) => self.seen.insert(place, (step, at)),
                    }
                    self.jobs.push(Job::Try(*second, at));
                    self.jobs.push(Job::Forget(self.caught.len()));
                    // The jobs are a stack: what was caught on the first way is forgotten before the second is tried.
                    step = *first;
                }
                Step::Open(list) => {
                    self.caught.push(Caught::List(*list, at..usize::MAX));
                    step += 1;
                }
                Step::Close(list) => {
                    let open = self
                        .caught
                        .iter_mut()
                        .rev()
                        .find(|caught| matches!(caught, Caught::List(l, _) if l == list));
                    if let Some(Caught::List(_, range)) = open {
                        range.end = at;
                    }
                    step += 1;
                }
                Step::Word(term) => {
                    self.enter(at, start, false)?;
                    let token = self.zone.tokens.get(at)?;
                    if !self.satisfies(token, *term) {
                        if !(token.skippable && at > start) {
                            return None;
                        }
                        at += 1;
                        continue;
                    }
                    at += 1;
                    step += 1;
                }
                Step::Any => {
                    self.enter(at, start, true)?;
                    while self.zone.tokens.get(at).is_some_and(|token| token.skippable) {
                        at += 1;
                    }
                    self.enter(at, start, true)?;
                    self.caught.push(Caught::Gap(at));
                    at += 1;
                    step += 1;
                }
                Step::Slot(slot) => {
                    self.enter(at, start, false)?;
                    let fitting = |span: &&Span| self.fits(slot, &span.value);
                    let Some(span) =
                        self.zone.spans_at(at).filter(fitting).max_by_key(|span| span.tokens.end)
                    else {
                        if self.zone.tokens.get(at).is_some_and(|token| token.skippable) && at > start {
                            at += 1;
                            continue;
                        }
                        return None;
                    };
                    let tokens = span.tokens.clone();
                    self.caught.push(Caught::Slot(kind(slot), tokens.clone()));
                    at = tokens.end;
                    step += 1;
                }
            }
        }
    }

    /// Whether this step asks for a word that is not this one.
    fn is_dead(&self, program: &Program, step: usize, at: usize) -> bool {
        let (Some(Step::Word(term)), Some(token)) = (program.steps.get(step), self.zone.tokens.get(at))
        else {
            return false;
        };
        !token.skippable && !self.satisfies(token, *term)
    }

    /// Whether a match may go on at this word: not into the next sentence.
    fn enter(&self, at: usize, start: usize, in_gap: bool) -> Option<()> {
        let token = self.zone.tokens.get(at)?;
        let stays = at == start
            || match token.boundary {
                Break::None => true,
                Break::Soft => !in_gap,
                Break::Hard => false,
            };
        stays.then_some(())
    }

    fn fits(&self, slot: &Slot, value: &Value) -> bool {
        match (slot, value) {
            (Slot::Number(least, most), Value::Number(n))
            | (Slot::Duration(least, most), Value::Duration(n)) => (*least..=*most).contains(n),
            (Slot::YearPast, Value::Number(n)) => {
                (1950.0..f64::from(school_year(self.received_on))).contains(n)
            }
            (Slot::Place(None), Value::Place { .. }) => true,
            (Slot::Place(Some(wanted)), Value::Place { area, .. }) => wanted == area,
            (Slot::Date(When::Any), Value::Date(_)) => true,
            (Slot::Date(When::Ahead(least, most)), Value::Date(mention)) => {
                mention.ahead.is_some_and(|(first, last)| self.within(first, last, 1, *least, *most))
            }
            (Slot::Date(When::Past(least, most)), Value::Date(mention)) => {
                mention.past.is_some_and(|(first, last)| self.within(first, last, -1, *least, *most))
            }
            _ => false,
        }
    }

    /// Whether the middle of the period lies so many days off, counted ahead (1) or back (-1). "Next week" has no one
    /// day; its middle is what people mean most.
    fn within(&self, first: NaiveDate, last: NaiveDate, direction: i64, least: i64, most: i64) -> bool {
        let days = |day: NaiveDate| (day - self.received_on).num_days() * direction;
        let twice = days(first) + days(last);
        (2 * least..=2 * most).contains(&twice)
    }
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
