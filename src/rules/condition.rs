//! The kinds of condition, one variant each, and whether they hold in a message.

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use regex::Regex;

use crate::message::Message;

use super::context::{Kinds, Reason};
use super::found::Findings;
use super::learned::Opinion;
use super::matcher::{Hit, PhraseId};
use super::together::Stretch;
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
    /// All within one paragraph.
    Paragraph(Vec<Condition>),
    /// At least so many of them, each resting on words of its own, within a stretch.
    AtLeast {
        count: usize,
        of: Vec<Condition>,
        within: Stretch,
    },
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
    /// How sure what was learned from examples must be of this label, in percent; `alone`: how sure, where no other rule
    /// of the group holds and it is surer of none; `certain`: how sure, that no `unless` of the rule counts.
    Learned {
        label: usize,
        least: Option<usize>,
        alone: Option<usize>,
        certain: Option<usize>,
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

/// Everything a condition may look at.
pub struct Look<'a, 't> {
    /// The rules.
    pub rules: &'a Ruleset,
    /// The message.
    pub message: &'a Message,
    /// Its circumstances.
    pub circumstances: &'a Circumstances<'a>,
    /// Its zones.
    pub zones: &'a [ZoneText<'t>],
    /// What phrases find in them.
    pub findings: &'a RefCell<Findings<'a>>,
    /// Which rules hold, as far as known.
    pub holds: &'a [Cell<Option<bool>>],
    /// Nothing else of the rule's group holds, and what was learned is surer of nothing else in it.
    pub alone: bool,
    /// What was learned from examples, weighed in this message.
    pub opinion: &'a Opinion,
}

/// Where to look, and how strictly.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    /// Which zones.
    pub zones: &'s [Zone],
    /// One zone (by index) and its sentences from, to (exclusive).
    pub sentences: Option<(usize, usize, usize)>,
    /// The contexts that matter; none: words count in any.
    pub kinds: Kinds,
    /// Words found by the same group of conditions.
    pub(super) cover: Option<&'s Cover<'s>>,
}

impl<'s> Scope<'s> {
    /// These zones, with these contexts.
    pub fn new(zones: &'s [Zone], kinds: Kinds) -> Self {
        Self { zones, sentences: None, kinds, cover: None }
    }
}

/// The words that a group of conditions asked for, gathered when first a context reaches one of them.
pub struct Cover<'s> {
    all: &'s [Condition],
    zones: &'s [Zone],
    sentences: Option<(usize, usize, usize)>,
    words: OnceCell<Vec<Range<usize>>>,
}

impl<'s> Cover<'s> {
    /// Of these conditions in this scope; nothing is gathered yet.
    pub fn new(all: &'s [Condition], scope: Scope<'s>) -> Self {
        Self { all, zones: scope.zones, sentences: scope.sentences, words: OnceCell::new() }
    }
}

/// What a condition rests on.
#[derive(Debug, Clone)]
pub enum Found<'a> {
    /// A phrase: the zone's index, the hit, the phrase as written.
    Phrase(usize, Rc<Hit>, &'a str),
    /// Bytes of a zone, by a regular expression.
    Text(usize, Range<usize>, &'a str),
    /// A header or another fact: what it is, and what the rule asked.
    Fact(String, String),
    /// What was learned from examples: how sure it is, and what the rule asked.
    Opinion(String, String),
}

impl<'a, 't> Look<'a, 't> {
    /// What the condition rests on; `None`: it does not hold.
    pub fn look(&self, condition: &'a Condition, scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        // Of what is made of others it is asked first whether they may hold at all.
        let is_made_of_others = matches!(
            condition,
            Condition::Any(_)
                | Condition::All(_)
                | Condition::Sentence(_)
                | Condition::Near(_)
                | Condition::Paragraph(_)
                | Condition::AtLeast { .. }
                | Condition::In(..)
        );
        let goes_on = {
            let mut findings = self.findings.borrow_mut();
            if is_made_of_others { findings.may_hold(condition, scope) } else { findings.count(1) }
        };
        if !goes_on {
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
                self.all(all, Scope { cover: Some(&Cover::new(all, scope)), ..scope })
            }
            Condition::Sentence(all) => self.together(all, scope, Stretch::Sentence),
            Condition::Near(all) => self.together(all, scope, Stretch::Near),
            Condition::Paragraph(all) => self.together(all, scope, Stretch::Paragraph),
            Condition::AtLeast { count, of, within } => self.at_least(*count, of, scope, *within),
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
                (self.holds.get(*index).and_then(Cell::get) == Some(true)).then(Vec::new)
            }
            Condition::Learned { label, least, alone, below, .. } => {
                let least = if self.alone { alone.or(*least) } else { *least };
                self.learned(*label, least, *below)
            }
            other => self.fact(other).map(|(is, asked)| vec![Found::Fact(is, asked)]),
        }
    }

    /// The reason for which a hit does not count, whatever `despite` says of it.
    pub fn reason(&self, zone: usize, hit: &Hit, scope: Scope<'_>) -> Option<Reason> {
        if scope.kinds == Kinds::default() {
            return None;
        }
        let words = self.zones.get(zone)?;
        let triggers = self.findings.borrow_mut().triggers(zone, hit);
        if triggers.is_empty() {
            return None;
        }
        let cover = scope.cover.map_or(&[][..], |cover| cover.words.get_or_init(|| self.covered(cover)));
        self.rules.contexts.reason(words, &triggers, hit, cover, scope.kinds)
    }

    /// The words found by these conditions together; no trigger counts in them.
    fn covered(&self, cover: &Cover<'_>) -> Vec<Range<usize>> {
        let scope = Scope { sentences: cover.sentences, ..Scope::new(cover.zones, Kinds::default()) };
        let mut leaves = Vec::new();
        cover.all.iter().for_each(|one| phrases(one, &mut leaves));
        leaves.into_iter().flat_map(|id| self.raw(id, scope)).flat_map(|(_, hit)| hit.asked()).collect()
    }

    pub(super) fn places<'s>(
        &'s self,
        scope: Scope<'s>,
    ) -> impl Iterator<Item = (usize, &'a ZoneText<'t>)> + 's {
        let fits = move |index: usize, words: &ZoneText<'_>| {
            scope.zones.contains(&words.zone) && scope.sentences.is_none_or(|(zone, ..)| zone == index)
        };
        self.zones.iter().enumerate().filter(move |(index, words)| fits(*index, words))
    }

    /// All hits of a phrase within the scope, whether they count or not.
    pub(super) fn raw(&self, id: PhraseId, scope: Scope<'_>) -> Vec<(usize, Rc<Hit>)> {
        self.findings.borrow_mut().hits(id, scope)
    }

    fn phrase(
        &self,
        id: PhraseId,
        written: &'a str,
        despite: Kinds,
        scope: Scope<'_>,
    ) -> Option<Vec<Found<'a>>> {
        let scope = Scope { kinds: scope.kinds.without(despite), ..scope };
        let found: Vec<_> = self
            .raw(id, scope)
            .into_iter()
            .filter(|(zone, hit)| self.reason(*zone, hit, scope).is_none())
            .map(|(zone, hit)| Found::Phrase(zone, hit, written))
            .collect();
        if found.is_empty() { None } else { Some(found) }
    }

    pub(super) fn all(&self, all: &'a [Condition], scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        let mut found = Vec::new();
        // The cheap ones first would change the order of the evidence; a phrase that is not there is cheap enough.
        for one in all {
            found.extend(self.look(one, scope)?);
        }
        Some(found)
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
                let zone = self.zones.iter().position(|words| words.zone == Zone::New)?;
                self.look(
                    inner,
                    Scope { zones: &only(&[Zone::New]), sentences: Some((zone, 0, START)), ..scope },
                )
            }
        }
    }

    fn regex(&self, regex: &'a Regex, scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        let mut found = Vec::new();
        for (index, _) in self.places(scope) {
            for (range, sentence) in self.findings.borrow_mut().texts(regex, index).iter() {
                if scope.sentences.is_none_or(|(_, from, to)| (from..to).contains(sentence)) {
                    found.push(Found::Text(index, range.clone(), regex.as_str()));
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
        let mut found =
            vec![Found::Opinion(format!("{sure:.0} % sure by what was learned from examples"), asked)];
        if least.is_some()
            && let Some(learned) = &self.rules.learned
        {
            let new = self.zones.iter().position(|words| words.zone == Zone::New);
            let adopted = self.zones.iter().position(|words| words.zone == Zone::Adopted);
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
                    rules.filter(|(rule, holds)| rule.group == Group::Roles && holds.get() == Some(true));
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
                let new = self.zones.iter().filter(|words| words.zone == Zone::New);
                let count: usize = new.map(|words| words.tokens.len()).sum();
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

/// The phrases that must be there in some way: not those under `not`.
pub fn phrases(condition: &Condition, into: &mut Vec<PhraseId>) {
    match condition {
        Condition::Phrase { id, .. } => into.push(*id),
        Condition::Any(all)
        | Condition::All(all)
        | Condition::Sentence(all)
        | Condition::Near(all)
        | Condition::Paragraph(all)
        | Condition::AtLeast { of: all, .. } => all.iter().for_each(|one| phrases(one, into)),
        Condition::In(_, inner) => phrases(inner, into),
        _ => {}
    }
}
