//! The kinds of condition, one variant each, and whether they hold in a message.

use regex::Regex;

use crate::message::Message;

use super::context::Trigger;
use super::context::{Kinds, Reason};
use super::learned::Opinion;
use super::matcher::{Hit, PhraseId};
use super::zone::ZoneText;
use super::{Addressed, Circumstances, Group, Ruleset, Zone};

/// When a rule holds.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Condition {
    /// A phrase, as written, and the contexts that do not matter to it.
    Phrase {
        id: PhraseId,
        written: String,
        despite: Kinds,
    },
    Any(Vec<Condition>),
    All(Vec<Condition>),
    /// All in one and the same sentence.
    Sentence(Vec<Condition>),
    /// All within two neighbouring sentences.
    Near(Vec<Condition>),
    Not(Box<Condition>),
    /// In that part alone.
    In(Part, Box<Condition>),
    Regex(Regex),
    Role(Vec<String>),
    Sender(Regex),
    SenderCouncil,
    Name(Regex),
    Header {
        name: String,
        matches: Option<Regex>,
    },
    MimePart {
        kind: String,
        parameter: Option<String>,
        matches: Option<Regex>,
    },
    Attachment(Regex),
    Addressed(Vec<Addressed>),
    /// Another rule, by its index.
    Rule(usize),
    /// More and fewer words than these.
    Words {
        more: Option<usize>,
        fewer: Option<usize>,
    },
    Mailbox(Vec<String>),
    /// How sure what was learned from examples must be of this label, in percent.
    Learned {
        label: usize,
        least: Option<usize>,
        below: Option<usize>,
    },
}

/// A part of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Part {
    Subject,
    Body,
    /// The first three sentences of the new text.
    Start,
}

/// What stands as the phrase of words that what was learned went by.
pub const LEARNED: &str = "learned";
/// So many words are told of what was learned.
const REASONS: usize = 5;

/// Sentences that make up the start.
const START: usize = 3;

/// One zone with what was found in it.
pub struct Searched<'t> {
    /// Its words.
    pub words: ZoneText<'t>,
    /// The phrases found, by phrase.
    pub hits: Vec<Hit>,
    /// The context triggers.
    pub triggers: Vec<Trigger>,
}

impl Searched<'_> {
    fn hits_of(&self, phrase: PhraseId) -> &[Hit] {
        let from = self.hits.partition_point(|hit| hit.phrase < phrase);
        let rest = self.hits.get(from..).unwrap_or_default();
        let count = rest.partition_point(|hit| hit.phrase == phrase);
        rest.get(..count).unwrap_or_default()
    }
}

/// Everything a condition may look at.
pub struct Look<'a, 't> {
    /// The rules.
    pub rules: &'a Ruleset,
    /// The message.
    pub message: &'a Message,
    /// Its circumstances.
    pub circumstances: &'a Circumstances<'a>,
    /// Its zones.
    pub zones: &'a [Searched<'t>],
    /// Which rules hold, as far as known.
    pub holds: &'a [Option<bool>],
    /// Which phrases were found anywhere.
    pub hit: &'a [bool],
    /// What was learned from examples, weighed in this message.
    pub opinion: &'a Opinion,
}

/// Where to look, and how strictly.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    /// Which zones.
    pub zones: &'s [Zone],
    /// One zone (by index) and its sentences from, to (exclusive).
    sentences: Option<(usize, usize, usize)>,
    /// The contexts that matter; none: words count in any.
    pub kinds: Kinds,
    /// Words found by the same group of conditions.
    cover: &'s [std::ops::Range<usize>],
}

impl<'s> Scope<'s> {
    /// These zones, with these contexts.
    pub fn new(zones: &'s [Zone], kinds: Kinds) -> Self {
        Self { zones, sentences: None, kinds, cover: &[] }
    }
}

/// What a condition rests on.
#[derive(Debug, Clone)]
pub enum Found<'a> {
    /// A phrase: the zone's index, the hit, the phrase as written.
    Phrase(usize, &'a Hit, &'a str),
    /// Bytes of a zone, by a regular expression.
    Text(usize, std::ops::Range<usize>, &'a str),
    /// A header or another fact: what it is, and what the rule asked.
    Fact(String, String),
    /// What was learned from examples: how sure it is, and what the rule asked.
    Opinion(String, String),
}

impl<'a, 't> Look<'a, 't> {
    /// What the condition rests on; `None`: it does not hold.
    pub fn look(&self, condition: &'a Condition, scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        if !self.may_hold(condition) {
            return None;
        }
        match condition {
            Condition::Phrase { id, written, despite } => self.phrase(*id, written, *despite, scope),
            Condition::Any(all) => {
                let found: Vec<_> = all.iter().filter_map(|one| self.look(one, scope)).collect();
                if found.is_empty() { None } else { Some(found.into_iter().flatten().collect()) }
            }
            Condition::All(all) => {
                // Within a sentence the words of the other conditions are no triggers; in the whole message they may
                // stand anywhere, and each stands for itself.
                if scope.sentences.is_none() {
                    return self.all(all, scope);
                }
                let cover = self.cover(all, scope);
                self.all(all, Scope { cover: &cover, ..scope })
            }
            Condition::Sentence(all) => self.together(all, scope, 1),
            Condition::Near(all) => self.together(all, scope, 2),
            Condition::Not(inner) => {
                if self.look(inner, scope).is_some() {
                    None
                } else {
                    Some(Vec::new())
                }
            }
            Condition::In(part, inner) => self.part(*part, inner, scope),
            Condition::Regex(regex) => self.regex(regex, scope),
            Condition::Rule(index) => {
                self.holds.get(*index).copied().flatten().unwrap_or(false).then(Vec::new)
            }
            Condition::Learned { label, least, below } => self.learned(*label, *least, *below),
            other => self.fact(other).map(|(is, asked)| vec![Found::Fact(is, asked)]),
        }
    }

    /// Whether the phrases that it needs were found anywhere. Of most conditions they were not, and they end here.
    fn may_hold(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Phrase { id, .. } => self.is_hit(*id),
            Condition::Any(all) => all.iter().any(|one| self.may_hold(one)),
            Condition::All(all) | Condition::Sentence(all) | Condition::Near(all) => {
                all.iter().all(|one| self.may_hold(one))
            }
            Condition::In(_, inner) => self.may_hold(inner),
            _ => true,
        }
    }

    /// The reason for which a hit does not count, whatever `despite` says of it.
    pub fn reason(&self, zone: usize, hit: &Hit, scope: Scope<'_>) -> Option<Reason> {
        let searched = self.zones.get(zone)?;
        self.rules.contexts.reason(&searched.words, &searched.triggers, hit, scope.cover, scope.kinds)
    }

    fn places<'s>(&'s self, scope: Scope<'s>) -> impl Iterator<Item = (usize, &'a Searched<'t>)> + 's {
        let fits = move |index: usize, searched: &Searched<'_>| {
            scope.zones.contains(&searched.words.zone)
                && scope.sentences.is_none_or(|(zone, ..)| zone == index)
        };
        self.zones.iter().enumerate().filter(move |(index, searched)| fits(*index, searched))
    }

    /// All hits of a phrase within the scope, whether they count or not.
    fn raw(&self, id: PhraseId, scope: Scope<'_>) -> Vec<(usize, &'a Hit)> {
        let mut all = Vec::new();
        if !self.is_hit(id) {
            return all;
        }
        for (index, searched) in self.places(scope) {
            for hit in searched.hits_of(id) {
                let sentence = searched.words.sentence(hit.tokens.start);
                if scope.sentences.is_none_or(|(_, from, to)| (from..to).contains(&sentence)) {
                    all.push((index, hit));
                }
            }
        }
        all
    }

    /// Whether a phrase was found anywhere. Most are not, and so cost nothing more.
    fn is_hit(&self, id: PhraseId) -> bool {
        self.hit.get(id).copied().unwrap_or(false)
    }

    fn phrase(
        &self,
        id: PhraseId,
        written: &'a str,
        despite: Kinds,
        scope: Scope<'_>,
    ) -> Option<Vec<Found<'a>>> {
        if !self.is_hit(id) {
            return None;
        }
        let scope = Scope { kinds: scope.kinds.without(despite), ..scope };
        let found: Vec<_> = self
            .raw(id, scope)
            .into_iter()
            .filter(|(zone, hit)| self.reason(*zone, hit, scope).is_none())
            .map(|(zone, hit)| Found::Phrase(zone, hit, written))
            .collect();
        if found.is_empty() { None } else { Some(found) }
    }

    fn all(&self, all: &'a [Condition], scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        let mut found = Vec::new();
        // The cheap ones first would change the order of the evidence; a phrase that is not there is cheap enough.
        for one in all {
            found.extend(self.look(one, scope)?);
        }
        Some(found)
    }

    /// All within the same sentence, or the same few.
    fn together(&self, all: &'a [Condition], scope: Scope<'_>, width: usize) -> Option<Vec<Found<'a>>> {
        let mut leaves = Vec::new();
        all.iter().for_each(|one| phrases(one, &mut leaves));
        let mut starts: Vec<(usize, usize)> = Vec::new();
        for (zone, hit) in leaves.iter().flat_map(|id| self.raw(*id, scope)) {
            let sentence =
                self.zones.get(zone).map_or(0, |searched| searched.words.sentence(hit.tokens.start));
            starts.extend((sentence.saturating_sub(width - 1)..=sentence).map(|start| (zone, start)));
        }
        if leaves.is_empty() {
            // Nothing but regular expressions: every sentence is tried.
            for (index, searched) in self.places(scope) {
                let last = searched.words.tokens.last().map_or(0, |token| token.sentence);
                starts.extend((0..=last).map(|start| (index, start)));
            }
        }
        starts.sort_unstable();
        starts.dedup();
        let mut found: Vec<Found<'a>> = Vec::new();
        let mut holds = false;
        for (zone, start) in starts {
            let (from, to) = (start, start + width);
            let (from, to) = scope.sentences.map_or((from, to), |(_, f, t)| (from.max(f), to.min(t)));
            let inner = Scope { sentences: Some((zone, from, to)), ..scope };
            let cover = self.cover(all, inner);
            if let Some(more) = self.all(all, Scope { cover: &cover, ..inner }) {
                holds = true;
                found.extend(more);
            }
        }
        holds.then_some(found)
    }

    /// The words found by these conditions together; no trigger counts in them.
    fn cover(&self, all: &'a [Condition], scope: Scope<'_>) -> Vec<std::ops::Range<usize>> {
        let mut leaves = Vec::new();
        all.iter().for_each(|one| phrases(one, &mut leaves));
        leaves.into_iter().flat_map(|id| self.raw(id, scope)).flat_map(|(_, hit)| hit.asked()).collect()
    }

    fn part(&self, part: Part, inner: &'a Condition, scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        let only = |zones: &[Zone]| -> Vec<Zone> {
            scope.zones.iter().copied().filter(|z| zones.contains(z)).collect()
        };
        match part {
            Part::Subject => self.look(inner, Scope { zones: &only(&[Zone::Subject]), ..scope }),
            Part::Body => {
                let body = only(&[Zone::New, Zone::Adopted, Zone::Signature, Zone::Quoted]);
                self.look(inner, Scope { zones: &body, ..scope })
            }
            Part::Start => {
                let zone = self.zones.iter().position(|searched| searched.words.zone == Zone::New)?;
                self.look(
                    inner,
                    Scope { zones: &only(&[Zone::New]), sentences: Some((zone, 0, START)), ..scope },
                )
            }
        }
    }

    fn regex(&self, regex: &'a Regex, scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        let mut found = Vec::new();
        for (index, searched) in self.places(scope) {
            let text = searched.words.text;
            for hit in regex.find_iter(text).take(16) {
                let token = searched.words.tokens.partition_point(|token| token.range.end <= hit.start());
                let sentence = searched.words.sentence(token);
                if scope.sentences.is_none_or(|(_, from, to)| (from..to).contains(&sentence)) {
                    found.push(Found::Text(index, hit.range(), regex.as_str()));
                }
            }
        }
        if found.is_empty() { None } else { Some(found) }
    }

    /// How sure what was learned is, and the words that spoke most for it.
    fn learned(&self, label: usize, least: Option<usize>, below: Option<usize>) -> Option<Vec<Found<'a>>> {
        let sure = self.opinion.sure(label) * 100.0;
        if least.is_some_and(|least| sure < least as f32) || below.is_some_and(|below| sure >= below as f32) {
            return None;
        }
        let asked = match (least, below) {
            (Some(least), _) => format!("learned: at least {least} %"),
            (None, below) => format!("learned: less than {} %", below.unwrap_or_default()),
        };
        let mut found = vec![Found::Opinion(format!("{sure:.0} % sure by what was learned from examples"), asked)];
        if least.is_some()
            && let Some(learned) = &self.rules.learned
        {
            let new = self.zones.iter().position(|searched| searched.words.zone == Zone::New);
            let adopted = self.zones.iter().position(|searched| searched.words.zone == Zone::Adopted);
            let zones: Vec<usize> = new.into_iter().chain(adopted).collect();
            for (text, range) in learned.reasons(self.opinion, label, REASONS) {
                if let Some(zone) = zones.get(text) {
                    found.push(Found::Text(*zone, range, LEARNED));
                }
            }
        }
        Some(found)
    }

    /// Conditions on anything but words: what is so, and what was asked.
    fn fact(&self, condition: &Condition) -> Option<(String, String)> {
        let message = self.message;
        match condition {
            Condition::Role(roles) => {
                let rules = self.rules.rules.iter().zip(self.holds);
                let mut held =
                    rules.filter(|(rule, holds)| rule.group == Group::Roles && **holds == Some(true));
                let (rule, _) = held.find(|(rule, _)| roles.contains(&rule.then))?;
                Some((
                    format!("sender is {} ({})", rule.then, rule.id),
                    format!("role: {}", roles.join(", ")),
                ))
            }
            Condition::Sender(regex) => {
                let address = &message.from.as_ref()?.address;
                regex.is_match(address).then(|| (address.clone(), format!("sender: {regex}")))
            }
            Condition::SenderCouncil => {
                let from = message.from.as_ref()?;
                let (domain, own) = (from.domain(), self.rules.domain.as_str());
                let is_own = !own.is_empty()
                    && (domain == own || domain.strip_suffix(own).is_some_and(|sub| sub.ends_with('.')));
                is_own.then(|| (from.address.clone(), "sender: council".to_owned()))
            }
            Condition::Name(regex) => {
                let name = &message.from.as_ref()?.name;
                regex.is_match(name).then(|| (name.clone(), format!("name: {regex}")))
            }
            Condition::Header { name, matches } => {
                let value = message
                    .headers(name)
                    .find(|value| matches.as_ref().is_none_or(|regex| regex.is_match(value)))?;
                Some((format!("{name}: {value}"), format!("header: {name}")))
            }
            Condition::MimePart { kind, parameter, matches } => {
                let part = message.parts.iter().find(|part| {
                    part.content_type.eq_ignore_ascii_case(kind)
                        && parameter.as_ref().is_none_or(|wanted| {
                            part.parameters.iter().any(|(name, value)| {
                                name.eq_ignore_ascii_case(wanted)
                                    && matches.as_ref().is_none_or(|regex| regex.is_match(value))
                            })
                        })
                })?;
                Some((part.content_type.clone(), format!("part: {kind}")))
            }
            Condition::Attachment(regex) => {
                let mut names = message.parts.iter().filter_map(|part| part.file_name.as_ref());
                let name = names.find(|name| regex.is_match(name))?;
                Some((name.clone(), format!("attachment: {regex}")))
            }
            Condition::Addressed(wanted) => {
                let is = self.circumstances.addressed;
                wanted.contains(&is).then(|| (format!("{is:?}").to_lowercase(), "addressed".to_owned()))
            }
            Condition::Words { more, fewer } => {
                let new = self.zones.iter().filter(|searched| searched.words.zone == Zone::New);
                let count: usize = new.map(|searched| searched.words.tokens.len()).sum();
                let fits = more.is_none_or(|n| count > n) && fewer.is_none_or(|n| count < n);
                fits.then(|| (format!("{count} words"), "words".to_owned()))
            }
            Condition::Mailbox(names) => {
                let name = self.circumstances.mailbox;
                names.iter().any(|wanted| wanted == name).then(|| (name.to_owned(), "mailbox".to_owned()))
            }
            _ => None,
        }
    }
}

/// Phrases of which one must be found for the condition to hold, whatever its context; `None`: it may hold without.
pub fn waking(condition: &Condition) -> Option<Vec<PhraseId>> {
    match condition {
        Condition::Phrase { id, .. } => Some(vec![*id]),
        Condition::Any(all) => {
            let each: Option<Vec<_>> = all.iter().map(waking).collect();
            each.map(|each| each.into_iter().flatten().collect())
        }
        Condition::All(all) | Condition::Sentence(all) | Condition::Near(all) => {
            all.iter().filter_map(waking).min_by_key(Vec::len)
        }
        Condition::In(_, inner) => waking(inner),
        _ => None,
    }
}

/// The phrases that must be there in some way: not those under `not`.
fn phrases(condition: &Condition, into: &mut Vec<PhraseId>) {
    match condition {
        Condition::Phrase { id, .. } => into.push(*id),
        Condition::Any(all) | Condition::All(all) | Condition::Sentence(all) | Condition::Near(all) => {
            all.iter().for_each(|one| phrases(one, into));
        }
        Condition::In(_, inner) => phrases(inner, into),
        _ => {}
    }
}
