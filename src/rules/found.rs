//! What the phrases of all rules find in one message, searched only as far as somebody asks.
//!
//! Between conditions and matcher: it knows in which stretches a condition may hold at all, by the words that its phrases
//! need, and so spares most of the search. It does not judge; a condition that may hold often does not.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::rc::Rc;

use chrono::NaiveDate;
use regex::Regex;

use super::Ruleset;
use super::condition::{Condition, Scope};
use super::context::Trigger;
use super::lexicon::{OneOf, Quick};
use super::matcher::{Hit, Matcher, PhraseId, Placed, Search};
use super::page::Stretches;
use super::together::Stretch;
use super::zone::ZoneText;

/// How often one phrase is told in one zone.
const MAX_HITS: usize = 64;

/// Phrases that may be on a page, each with the stretches in which it may be.
type Woken = Vec<(PhraseId, Stretches)>;

/// Page and stretch, and the triggers in it.
type Known = ((usize, usize), Rc<[Trigger]>);

/// Bytes that a regular expression found, each with the sentence in which they begin.
type Texts = Rc<[(Range<usize>, usize)]>;

/// How often one regular expression is told in one zone.
const MAX_TEXTS: usize = 16;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// Whether all needed words are there.
    Words,
    /// Whether the phrases are.
    Phrases,
}

/// See the module.
pub struct Findings<'a> {
    rules: &'a Ruleset,
    zones: &'a [ZoneText<'a>],
    search: Search<'a>,
    /// For each page the triggers of contexts that may be there, and where; gathered when first asked for.
    triggers: Vec<Option<Woken>>,
    /// The triggers of a stretch, by page and stretch.
    known: Vec<Known>,
    /// What each regular expression finds in each zone, by its address and the zone.
    texts: HashMap<(usize, usize), Texts, BuildHasherDefault<Quick>>,
    /// How many sentences before and after a hit they matter to it.
    furthest: (usize, usize),
}

impl<'a> Findings<'a> {
    /// Of these zones; nothing is searched yet.
    pub fn new(rules: &'a Ruleset, zones: &'a [ZoneText<'a>], received_on: NaiveDate) -> Self {
        let search = Search::new(&rules.matcher, zones, received_on);
        let triggers = vec![None; search.pages().len()];
        Self {
            rules,
            zones,
            search,
            triggers,
            known: Vec::new(),
            texts: HashMap::default(),
            furthest: rules.contexts.furthest(),
        }
    }

    /// Leaves its tables to the next message; nothing is found any more.
    pub fn close(&mut self) {
        self.search.close();
    }

    /// What a regular expression finds in a zone; searched once, however many sentences ask for it.
    pub fn texts(&mut self, regex: &'a Regex, zone: usize) -> Texts {
        let Some(words) = self.zones.get(zone) else { return Rc::from([]) };
        let find = || {
            let all = regex.find_iter(words.text).take(MAX_TEXTS).map(|hit| {
                let token = words.tokens.partition_point(|token| token.range.end <= hit.start());
                (hit.range(), words.sentence(token))
            });
            all.collect()
        };
        self.texts.entry((std::ptr::from_ref(regex).addr(), zone)).or_insert_with(find).clone()
    }

    /// Counts what was done for the message elsewhere; false when it is enough.
    pub fn count(&mut self, steps: u64) -> bool {
        self.search.count(steps)
    }

    /// How many steps were taken, and whether that was too many and something may have been missed.
    pub fn steps(&self) -> (u64, bool) {
        self.search.steps()
    }

    /// The conditions that are worth a look, by rule and by place in the rule.
    pub fn awake(&mut self) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for page in 0..self.search.pages().len() {
            self.search.wake(&self.rules.waking, page, |what, _| all.push(what));
        }
        all.sort_unstable();
        all.dedup();
        all.into_iter().filter_map(|what| self.rules.asked.get(what).copied()).collect()
    }

    /// Whether the phrases that a condition needs are there, whatever their context. Of most they are not, and it ends here.
    pub fn may_hold(&mut self, condition: &Condition, scope: Scope<'_>) -> bool {
        // Whether the words are there is cheaper to tell than whether the phrases are.
        self.search.count(1)
            && self.is_there(condition, scope, Ask::Words)
            && self.is_there(condition, scope, Ask::Phrases)
    }

    fn is_there(&mut self, condition: &Condition, scope: Scope<'_>, ask: Ask) -> bool {
        match condition {
            Condition::Phrase { .. } | Condition::Sentence(_) => {
                let pages = self.pages(scope.sentences);
                pages.into_iter().any(|page| {
                    let within = self.within(page, scope);
                    within != 0 && self.ask(page, condition, within, ask) != 0
                })
            }
            Condition::Any(all) => all.iter().any(|one| self.is_there(one, scope, ask)),
            Condition::All(all) => all.iter().all(|one| self.is_there(one, scope, ask)),
            Condition::Near(all) => {
                // Neighbouring sentences may lie on two pages.
                let anywhere = Scope::new(scope.zones, scope.kinds);
                self.pages(None).into_iter().any(|page| {
                    let within = self.within(page, anywhere);
                    within != 0 && self.all_near(page, all, within, ask) != 0
                })
            }
            Condition::Paragraph(all) => {
                let anywhere = Scope::new(scope.zones, scope.kinds);
                all.iter().all(|one| self.is_there(one, anywhere, ask))
            }
            Condition::AtLeast { count, of, .. } => {
                let anywhere = Scope::new(scope.zones, scope.kinds);
                of.iter().filter(|one| self.is_there(one, anywhere, ask)).count() >= *count
            }
            Condition::In(_, inner) => self.is_there(inner, scope, ask),
            _ => true,
        }
    }

    fn ask(&mut self, page: usize, condition: &Condition, within: Stretches, ask: Ask) -> Stretches {
        match ask {
            Ask::Words => self.possible_in(page, condition, within),
            Ask::Phrases => self.found_in(page, condition, within),
        }
    }

    /// Those of these stretches that are no further than their neighbours from where each of the conditions may hold.
    fn all_near(&mut self, page: usize, all: &[Condition], mut within: Stretches, ask: Ask) -> Stretches {
        // What stands on the pages before and after is near the first and the last, as far as can be told here.
        let pages = self.search.pages();
        let last = pages.get(page).map_or(0, |page| page.stretches.len().saturating_sub(1));
        let edges = u64::from(page > 0) | u64::from(page + 1 < pages.len()) << (last % 64);
        for one in all {
            if within == 0 {
                return 0;
            }
            let here = self.near(page, one, within, ask);
            within &= here | here << 1 | here >> 1 | edges;
        }
        within
    }

    /// Those of these stretches in which a condition may find something, together with others beside it.
    fn near(&mut self, page: usize, condition: &Condition, within: Stretches, ask: Ask) -> Stretches {
        match condition {
            Condition::Phrase { .. } | Condition::Sentence(_) => self.ask(page, condition, within, ask),
            Condition::Any(all) => all.iter().fold(0, |found, one| {
                if found == within { found } else { found | self.near(page, one, within & !found, ask) }
            }),
            Condition::All(all) => self.all_near(page, all, within, ask),
            Condition::In(_, inner) => self.near(page, inner, within, ask),
            _ => within,
        }
    }

    /// The pages that these sentences of this zone touch; all, where none are named.
    fn pages(&self, sentences: Option<(usize, usize, usize)>) -> std::ops::Range<usize> {
        let pages = self.search.pages();
        let Some((zone, from, to)) = sentences else { return 0..pages.len() };
        let first = pages.partition_point(|page| {
            page.stretches.last().is_none_or(|last| (last.zone, last.sentences.1) < (zone, from))
        });
        let past = pages.partition_point(|page| {
            page.stretches.first().is_none_or(|first| (first.zone, first.sentences.0) < (zone, to))
        });
        first..past.max(first)
    }

    /// The stretches of a page that lie in a scope.
    fn within(&self, page: usize, scope: Scope<'_>) -> Stretches {
        let Some(page) = self.search.pages().get(page) else { return 0 };
        let zones = page.in_zones(scope.zones);
        scope.sentences.map_or(zones, |(zone, from, to)| zones & page.in_sentences(zone, from, to))
    }

    /// The stretches that have the words for a condition to hold by itself; all, if that cannot be told.
    fn possible(&mut self, page: usize, condition: &Condition) -> Stretches {
        match condition {
            Condition::Phrase { id, .. } => self.search.may_find(page, *id),
            Condition::Any(all) => all
                .iter()
                .fold(0, |reach, one| if reach == !0 { reach } else { reach | self.possible(page, one) }),
            Condition::All(all) | Condition::Sentence(all) => all
                .iter()
                .fold(!0, |reach, one| if reach == 0 { 0 } else { reach & self.possible(page, one) }),
            Condition::In(_, inner) => self.possible(page, inner),
            _ => !0,
        }
    }

    /// Those of these stretches in which the phrases for a condition to hold by itself are found, whatever their
    /// context; all of them, if that cannot be told.
    fn found_in(&mut self, page: usize, condition: &Condition, within: Stretches) -> Stretches {
        match condition {
            Condition::Phrase { id, .. } if within & self.search.may_find(page, *id) != 0 => {
                within & self.search.found_in(page, *id)
            }
            Condition::Phrase { .. } => 0,
            Condition::Any(all) => all.iter().fold(0, |found, one| {
                if found == within { found } else { found | self.found_in(page, one, within & !found) }
            }),
            Condition::All(all) | Condition::Sentence(all) => self.all_found_in(page, all, within),
            Condition::In(_, inner) => self.found_in(page, inner, within),
            _ => within,
        }
    }

    fn all_found_in(&mut self, page: usize, all: &[Condition], mut within: Stretches) -> Stretches {
        for ask in [Ask::Words, Ask::Phrases] {
            for one in all {
                if within == 0 {
                    return 0;
                }
                within &= self.ask(page, one, within, ask);
            }
        }
        within
    }

    fn possible_in(&mut self, page: usize, condition: &Condition, within: Stretches) -> Stretches {
        within & self.possible(page, condition)
    }

    /// All hits of a phrase within the scope, in order.
    pub fn hits(&mut self, id: PhraseId, scope: Scope<'_>) -> Vec<(usize, Rc<Hit>)> {
        let mut all: Vec<(usize, Rc<Hit>)> = Vec::new();
        let (mut zone, mut count) = (usize::MAX, 0);
        for page in self.pages(scope.sentences) {
            let within = self.within(page, scope);
            if within == 0 || within & self.search.may_find(page, id) == 0 {
                continue;
            }
            for placed in self.search.hits(page, id).iter() {
                let Some(at) =
                    self.zone_of(page, placed).filter(|_| within >> (placed.stretch % 64) & 1 != 0)
                else {
                    continue;
                };
                let sentence = self.zones.get(at).map_or(0, |words| words.sentence(placed.hit.tokens.start));
                if scope.sentences.is_some_and(|(_, from, to)| !(from..to).contains(&sentence)) {
                    continue;
                }
                if at != zone {
                    (zone, count) = (at, 0);
                }
                count += 1;
                if count <= MAX_HITS {
                    all.push((at, placed.hit.clone()));
                }
            }
        }
        all
    }

    fn zone_of(&self, page: usize, placed: &Placed) -> Option<usize> {
        Some(self.search.pages().get(page)?.stretches.get(placed.stretch)?.zone)
    }

    /// The sentences, by zone, in which one of these phrases is found: those alone, as far as can be told, in which or near
    /// which so many of the conditions hold.
    pub fn sentences(
        &mut self,
        all: &[Condition],
        at_least: usize,
        stretch: Stretch,
        leaves: &[PhraseId],
        scope: Scope<'_>,
    ) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for page in self.pages(scope.sentences) {
            let mut within = self.within(page, scope);
            if stretch == Stretch::Sentence {
                within = self.so_many(page, within, all, at_least);
            } else if stretch == Stretch::Near && at_least == all.len() && within != 0 {
                within = self.all_near(page, all, within, Ask::Words);
                within = self.all_near(page, all, within, Ask::Phrases);
            }
            while within != 0 {
                let index = within.trailing_zeros() as usize;
                within &= within - 1;
                self.sentences_of(page, index, leaves, scope, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Those of these stretches in which so many of the conditions find something, whatever its context.
    fn so_many(&mut self, page: usize, within: Stretches, all: &[Condition], least: usize) -> Stretches {
        if within == 0 || least >= all.len() {
            return if least > all.len() { 0 } else { self.all_found_in(page, all, within) };
        }
        // For each number the stretches in which so many were found.
        let mut reached = vec![0; least + 1];
        reached.iter_mut().take(1).for_each(|none| *none = within);
        for one in all {
            let found = self.found_in(page, one, within);
            for number in (0..least).rev() {
                let more = reached.get(number).copied().unwrap_or(0) & found;
                if let Some(next) = reached.get_mut(number + 1) {
                    *next |= more;
                }
            }
        }
        reached.last().copied().unwrap_or(0)
    }

    /// Adds the sentences of a stretch in which one of these phrases begins.
    fn sentences_of(
        &mut self,
        page: usize,
        index: usize,
        leaves: &[PhraseId],
        scope: Scope<'_>,
        found: &mut Vec<(usize, usize)>,
    ) {
        let Some(stretch) = self.search.pages().get(page).and_then(|page| page.stretches.get(index)) else {
            return;
        };
        let (zone, (first, last)) = (stretch.zone, stretch.sentences);
        let wanted =
            |sentence: usize| scope.sentences.is_none_or(|(_, from, to)| (from..to).contains(&sentence));
        for id in leaves {
            if !self.search.finds(page, *id, index) {
                continue;
            }
            if first == last {
                found.extend(wanted(first).then_some((zone, first)));
                return;
            }
            for placed in self.search.hits(page, *id).iter().filter(|placed| placed.stretch == index) {
                let sentence =
                    self.zones.get(zone).map_or(0, |words| words.sentence(placed.hit.tokens.start));
                found.extend(wanted(sentence).then_some((zone, sentence)));
            }
        }
    }

    /// The triggers that may reach a hit, in order.
    pub fn triggers(&mut self, zone: usize, hit: &Hit) -> Rc<[Trigger]> {
        let Some(words) = self.zones.get(zone) else { return Rc::from([]) };
        let sentence = words.sentence(hit.tokens.start);
        let scope = (zone, sentence.saturating_sub(self.furthest.0), sentence + self.furthest.1 + 1);
        let mut all: Vec<Rc<[Trigger]>> = Vec::new();
        for page in self.pages(Some(scope)) {
            let mut within = match self.search.pages().get(page) {
                Some(page) => page.in_sentences(scope.0, scope.1, scope.2),
                None => 0,
            };
            while within != 0 {
                let stretch = within.trailing_zeros() as usize;
                within &= within - 1;
                all.push(self.triggers_of(page, stretch));
            }
        }
        let all: Rc<[Trigger]> = match all.as_slice() {
            [one] => one.clone(),
            many => many.iter().flat_map(|triggers| triggers.iter().cloned()).collect(),
        };
        self.search.count(all.len() as u64);
        all
    }

    fn triggers_of(&mut self, page: usize, stretch: usize) -> Rc<[Trigger]> {
        if let Some((_, known)) = self.known.iter().find(|(at, _)| *at == (page, stretch)) {
            return known.clone();
        }
        if let Some(may @ None) = self.triggers.get_mut(page) {
            let mut all = Vec::new();
            self.search.wake(&self.rules.trigger_waking, page, |phrase, reach| all.push((phrase, reach)));
            all.sort_unstable();
            *may = Some(all);
        }
        let may: Vec<PhraseId> = self
            .triggers
            .get(page)
            .and_then(Option::as_ref)
            .into_iter()
            .flatten()
            .filter(|(_, reach)| reach >> (stretch % 64) & 1 != 0)
            .map(|(phrase, _)| *phrase)
            .collect();
        let mut hits: Vec<Rc<Hit>> = Vec::new();
        for phrase in may {
            if self.search.finds(page, phrase, stretch) {
                let placed = self.search.hits(page, phrase);
                hits.extend(placed.iter().filter(|placed| placed.stretch == stretch).map(|p| p.hit.clone()));
            }
        }
        let triggers: Rc<[Trigger]> = self.rules.contexts.triggers(&hits).into();
        self.known.push(((page, stretch), triggers.clone()));
        triggers
    }
}

/// For each way in which a condition may come to hold, the sets of words that one stretch must have for it; `None`: it
/// may hold without any.
pub fn needs(rules: &Matcher, condition: &Condition) -> Option<Vec<Vec<OneOf>>> {
    match condition {
        Condition::Phrase { id, .. } => Some(vec![rules.needs(*id).to_vec()]),
        Condition::Any(all) => {
            let each: Option<Vec<_>> = all.iter().map(|one| needs(rules, one)).collect();
            each.map(|each| each.into_iter().flatten().collect())
        }
        // Of these one suffices to wake the condition: the rarest.
        Condition::All(all) | Condition::Near(all) | Condition::Paragraph(all) => {
            all.iter().filter_map(|one| needs(rules, one)).min_by_key(|ways| often(rules, ways))
        }
        Condition::Sentence(all) => {
            let mut ways: Vec<Vec<Vec<OneOf>>> = all.iter().filter_map(|one| needs(rules, one)).collect();
            ways.sort_by_cached_key(|ways| often(rules, ways));
            let (fewest, others) = ways.split_first()?;
            // What is needed besides, where that is the same whichever way is taken.
            let besides: Vec<OneOf> =
                others.iter().filter(|ways| ways.len() == 1).flatten().flatten().copied().collect();
            let with = |way: &Vec<OneOf>| {
                let mut way = way.clone();
                way.extend_from_slice(&besides);
                let mut seen = std::collections::HashSet::new();
                way.retain(|need| seen.insert(*need));
                way
            };
            Some(fewest.iter().map(with).collect())
        }
        Condition::AtLeast { count, of, .. } => {
            // Where three of five must hold, one of any three does.
            let mut each: Vec<_> = of.iter().filter_map(|one| needs(rules, one)).collect();
            let enough = (of.len() + 1).saturating_sub(*count);
            each.sort_by_cached_key(|ways| often(rules, ways));
            (each.len() >= enough).then(|| each.into_iter().take(enough).flatten().collect())
        }
        Condition::In(_, inner) => needs(rules, inner),
        _ => None,
    }
}

/// How often one of these ways is looked at, more or less.
fn often(rules: &Matcher, ways: &[Vec<OneOf>]) -> u32 {
    let rarest = |way: &Vec<OneOf>| way.first().map_or(u32::MAX, |need| rules.weight(*need));
    ways.iter().map(rarest).fold(ways.len() as u32, u32::saturating_add)
}
