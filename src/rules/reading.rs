//! One message read by all rules: its zones searched, each rule settled, the evidence told.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use crate::calendar::mention;
use crate::message::Message;
use crate::message::new_text::CutReason;

use super::condition::{Condition, Found, LEARNED, Look, Scope};
use super::context::Kinds;
use super::found::Findings;
use super::learned::{Learned, Opinion, Weighing};
use super::matcher::{Caught, Hit, SlotKind};
use super::phrase::AREAS;
use super::whole;
use super::zone::{Value, ZoneText};
use super::{
    Body, Capture, Circumstances, Evidence, Group, PlaceMention, Reading, Ruleset, SetAside, Verdict, Zone,
};

/// How much of quoted history is searched, for the trace.
const MAX_QUOTED: usize = 16_000;
/// How much of the new text is read; what a person writes ends long before.
const MAX_NEW: usize = 400_000;
/// How many pieces of evidence a verdict keeps.
const MAX_EVIDENCE: usize = 24;
/// All parts of a message that have words.
const ALL_ZONES: [Zone; 5] = [Zone::Subject, Zone::New, Zone::Adopted, Zone::Signature, Zone::Quoted];
/// A context this many words off, or more, is one that a person might read otherwise.
const FAR: usize = 4;

/// See the module. `with_quoted`: what stands only in quoted words is told as well; it never counts.
pub fn read<'r>(
    rules: &'r Ruleset,
    message: &Message,
    circumstances: &Circumstances<'_>,
    with_quoted: bool,
) -> Reading<'r> {
    let quoted = if with_quoted { quoted(message) } else { String::new() };
    let texts = [
        (Zone::Subject, subject(&message.subject)),
        (Zone::New, head(&message.new_text.new, MAX_NEW)),
        (Zone::Adopted, head(&message.new_text.adopted, MAX_NEW)),
        (Zone::Signature, head(&message.new_text.signature, MAX_QUOTED)),
        (Zone::Quoted, head(&quoted, MAX_QUOTED)),
    ];
    let mut weighing = rules.learned.as_ref().map(Learned::weighing);
    let zones: Vec<ZoneText<'_>> = texts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(zone, text)| {
            let mentions = mention::mentions(text, circumstances.received_on, &rules.terms);
            let mut weighing = weighing.as_mut().filter(|_| matches!(zone, Zone::New | Zone::Adopted));
            if let Some(weighing) = &mut weighing {
                weighing.begin();
            }
            ZoneText::read(zone, text, &rules.lexicon, &rules.places, mentions, |word, known| {
                if let Some(weighing) = &mut weighing {
                    weighing.word(word, known);
                }
            })
        })
        .collect();
    let opinion = weighing.map(Weighing::opinion).unwrap_or_default();
    let mut findings = Findings::new(rules, &zones, circumstances.received_on);
    let awake = Awake::new(rules, findings.awake());
    let findings = RefCell::new(findings);
    let holds = vec![Cell::new(None); rules.rules.len()];
    let mut verdicts: Vec<(usize, Verdict<'r>)> = Vec::new();
    let look = |alone| Look {
        rules,
        message,
        circumstances,
        zones: &zones,
        findings: &findings,
        holds: &holds,
        alone,
        opinion: &opinion,
    };
    let is_ground = |index: &usize| rules.rules.get(*index).is_some_and(|rule| rule.group == Group::Grounds);
    let grounds_end = rules.order.iter().rposition(is_ground).map_or(0, |last| last + 1);
    let (first, then) = rules.order.split_at(grounds_end);
    let mut settle_one = |index: usize, alone: bool| {
        let verdict = settle(&look(alone), index, rules, &awake);
        if let Some(place) = holds.get(index) {
            place.set(Some(verdict.as_ref().is_some_and(|verdict| verdict.holds)));
        }
        verdicts.retain(|(other, _)| !alone || *other != index);
        verdicts.extend(verdict.map(|verdict| (index, verdict)));
    };
    first.iter().filter(|index| awake.rule(**index)).for_each(|index| settle_one(*index, false));
    // No ground: the likeliest of them may be content with less.
    let one_holds = holds
        .iter()
        .zip(&rules.rules)
        .any(|(holds, rule)| rule.group == Group::Grounds && holds.get() == Some(true));
    if !one_holds && let Some(index) = likeliest(rules, &opinion) {
        settle_one(index, true);
    }
    then.iter().filter(|index| awake.rule(**index)).for_each(|index| settle_one(*index, false));
    verdicts.sort_by_key(|(index, _)| *index);
    let (steps, exhausted) = findings.borrow().steps();
    findings.borrow_mut().close();
    Reading {
        verdicts: verdicts.into_iter().map(|(_, verdict)| verdict).collect(),
        places: places(&zones),
        dates: dates(&zones),
        steps,
        incomplete: exhausted
            || message.new_text.new.len() > MAX_NEW
            || message.new_text.adopted.len() > MAX_NEW,
        sure: rules
            .learned
            .iter()
            .flat_map(|learned| learned.labels().enumerate())
            .map(|(label, name)| (name, opinion.sure(label)))
            .collect(),
    }
}

/// The ground of which what was learned is surest, of those that say when they are content with less (`alone:`).
fn likeliest(rules: &Ruleset, opinion: &Opinion) -> Option<usize> {
    let grounds = (0..).zip(&rules.rules).filter(|(_, rule)| rule.group == Group::Grounds);
    let asking = grounds.filter_map(|(index, _)| {
        rules.bodies.get::<usize>(index)?.when.iter().find_map(|one| match one {
            Condition::Learned { label, alone: Some(alone), .. } => {
                Some((index, opinion.sure(*label), *alone as f32 / 100.0))
            }
            _ => None,
        })
    });
    let likeliest = asking.max_by(|one, other| one.1.total_cmp(&other.1));
    likeliest.filter(|(_, sure, enough)| sure >= enough).map(|(index, ..)| index)
}

/// The conditions that are worth a look: those that need no words, and those whose words are there.
struct Awake {
    /// By rule, and by place under `when`, in order.
    all: Vec<(usize, usize)>,
    /// For each rule where its own begin, and the end of the last.
    from: Vec<usize>,
}

impl Awake {
    fn new(rules: &Ruleset, mut all: Vec<(usize, usize)>) -> Self {
        all.extend_from_slice(&rules.always);
        all.sort_unstable();
        all.dedup();
        let mut from = Vec::with_capacity(rules.rules.len() + 1);
        let mut at = 0;
        for rule in 0..=rules.rules.len() {
            while all.get(at).is_some_and(|(other, _)| *other < rule) {
                at += 1;
            }
            from.push(at);
        }
        Self { all, from }
    }

    /// Those of a rule, by their places under `when`, in order.
    fn of(&self, rule: usize) -> impl Iterator<Item = usize> {
        let own = match self.from.get(rule..) {
            Some([from, to, ..]) => self.all.get(*from..*to).unwrap_or_default(),
            _ => &[],
        };
        own.iter().map(|(_, place)| *place)
    }

    fn rule(&self, rule: usize) -> bool {
        self.of(rule).next().is_some()
    }
}

/// One rule's verdict; `None` where there is nothing to tell.
fn settle<'a, 'r: 'a>(
    look: &Look<'a, '_>,
    index: usize,
    rules: &'r Ruleset,
    awake: &Awake,
) -> Option<Verdict<'r>> {
    let (rule, body) = (rules.rules.get(index)?, rules.bodies.get(index)?);
    let scope = Scope::new(rule.group.zones(), body.kinds);
    let blind = Scope::new(rule.group.zones(), Kinds::default());
    let (mut found, mut set_aside) = (Vec::new(), Vec::new());
    let mut holds = false;
    // A phrase that stands by itself under `when:` is what somebody meant; signs that only count together are weaker.
    let mut said_outright = false;
    let mut when: Vec<(&Condition, bool)> = awake
        .of(index)
        .filter_map(|place| body.when.get(place).zip(body.outright.get(place).copied()))
        .collect();
    // Of most the phrases are nowhere, whatever their context, and nothing more need be asked.
    let anywhere = Scope::new(&ALL_ZONES, Kinds::default());
    when.retain(|(condition, _)| look.findings.borrow_mut().may_hold(condition, anywhere));
    for (condition, outright) in when.iter().copied() {
        if let Some(more) = look.look(condition, scope) {
            holds = true;
            said_outright |= outright;
            found.extend(more);
        } else if body.kinds != Kinds::default()
            && let Some(more) = look.look(condition, blind)
        {
            aside_by_context(look, &more, scope, rule.group, &mut set_aside);
        }
    }
    // What was learned knows nothing of "not" and "if": where the rule's own words were found and set aside, they prevail.
    let only_learned = found.iter().any(|one| matches!(one, Found::Opinion(..)))
        && found.iter().all(|one| match one {
            Found::Opinion(..) => true,
            Found::Text(_, _, written) => *written == LEARNED,
            _ => false,
        });
    if only_learned && !set_aside.is_empty() {
        holds = false;
        set_aside.iter_mut().for_each(|aside| aside.near_miss = true);
        found.clear();
    }
    if holds && rule.group == Group::Grounds && is_inherited(look, &found) {
        holds = false;
        let reason = "in the subject of an earlier message";
        let aside = |evidence| SetAside { evidence, reason: reason.to_owned(), near_miss: true };
        set_aside.extend(tell_all(look, &found).into_iter().map(aside));
        found.clear();
    }
    // Thanks are thanks where they are all that is said.
    if holds && rule.group == Group::FollowUps && rule.then == "thanks" && !whole::is_all(look) {
        (holds, said_outright) = (false, false);
        found.clear();
    }
    let mut evidence = tell_all(look, &found);
    let certain = is_certain(look, body);
    let stop = holds.then(|| {
        let mut stops = body.unless.iter().filter_map(|condition| look.look(condition, scope));
        stops.find(|stop| !(said_outright && is_opinion(stop)))
    });
    if let Some(stop) = stop.flatten() {
        if certain {
            let reason = "would have stopped this, but what was learned is too sure";
            let aside = |evidence| SetAside { evidence, reason: reason.to_owned(), near_miss: false };
            set_aside.extend(tell_all(look, &stop).into_iter().map(aside));
            set_aside.truncate(MAX_EVIDENCE);
            return Some(Verdict { rule, holds, evidence, set_aside });
        }
        holds = false;
        // Words against what was learned: a person should look.
        let doubt = is_opinion(&stop);
        let (stop, words) = first_words(look, &stop);
        for evidence in evidence.drain(..) {
            let near = stop.as_ref().is_none_or(|(zone, sentence)| {
                *zone == evidence.zone && evidence.sentence.abs_diff(*sentence) <= 1
            });
            set_aside.push(SetAside {
                reason: format!("unless: \"{words}\""),
                near_miss: !near || doubt,
                evidence,
            });
        }
    }
    if !holds && set_aside.is_empty() && body.kinds != Kinds::default() {
        quoted_only(look, &when, body.kinds, &mut set_aside);
    }
    if !holds && evidence.is_empty() && set_aside.is_empty() {
        return None;
    }
    set_aside.truncate(MAX_EVIDENCE);
    Some(Verdict { rule, holds, evidence, set_aside })
}

/// Whether what was learned is so sure of the rule that no `unless` stops it (`certain:`).
fn is_certain(look: &Look<'_, '_>, body: &Body) -> bool {
    body.when.iter().any(|one| match *one {
        Condition::Learned { label, certain: Some(certain), .. } => {
            look.opinion.sure(label) * 100.0 >= certain as f32
        }
        _ => false,
    })
}

/// Whether an `unless` holds by what was learned, and not by words.
fn is_opinion(stop: &[Found<'_>]) -> bool {
    matches!(stop.first(), Some(Found::Opinion(..)))
}

/// What would have held but for its context.
fn aside_by_context(
    look: &Look<'_, '_>,
    found: &[Found<'_>],
    scope: Scope<'_>,
    group: Group,
    set_aside: &mut Vec<SetAside>,
) {
    for found in found {
        let Found::Phrase(zone, hit, _) = found else { continue };
        let Some(reason) = look.reason(*zone, hit, scope) else { continue };
        let Some(evidence) = tell(look, found) else { continue };
        let near_miss = reason.distance >= FAR && matches!(group, Group::Grounds | Group::Leadership);
        set_aside.push(SetAside { evidence, reason: reason.said, near_miss });
    }
}

/// What stands only in words that do not count.
fn quoted_only<'a>(
    look: &Look<'a, '_>,
    when: &[(&'a Condition, bool)],
    kinds: Kinds,
    set_aside: &mut Vec<SetAside>,
) {
    if !look.zones.iter().any(|words| words.zone == Zone::Quoted) {
        return;
    }
    let scope = Scope::new(&[Zone::Quoted], kinds);
    for found in when.iter().filter_map(|(condition, _)| look.look(condition, scope)).flatten() {
        if let Found::Phrase(..) = found
            && let Some(evidence) = tell(look, &found)
        {
            set_aside.push(SetAside { evidence, reason: "in quoted text".to_owned(), near_miss: false });
        }
    }
}

/// Zone and sentence of the first words found, and the words.
fn first_words(look: &Look<'_, '_>, found: &[Found<'_>]) -> (Option<(Zone, usize)>, String) {
    match found.iter().find_map(|found| tell(look, found)) {
        Some(evidence) if evidence.zone == Zone::Header => (None, evidence.text),
        Some(evidence) => (Some((evidence.zone, evidence.sentence)), evidence.text),
        None => (None, "its condition".to_owned()),
    }
}

fn tell_all(look: &Look<'_, '_>, found: &[Found<'_>]) -> Vec<Evidence> {
    let mut all: Vec<Evidence> = Vec::new();
    for evidence in found.iter().filter_map(|found| tell(look, found)) {
        let known = all.iter().any(|one| {
            one.zone == evidence.zone && one.range == evidence.range && one.phrase == evidence.phrase
        });
        if !known && all.len() < MAX_EVIDENCE {
            all.push(evidence);
        }
    }
    all
}

fn tell(look: &Look<'_, '_>, found: &Found<'_>) -> Option<Evidence> {
    match found {
        Found::Phrase(zone, hit, written) => {
            let words = look.zones.get(*zone)?;
            Some(Evidence {
                zone: words.zone,
                range: words.bytes(&hit.tokens),
                text: words.words(&hit.tokens).to_owned(),
                phrase: (*written).to_owned(),
                sentence: words.sentence(hit.tokens.start),
                captures: captures(look.rules, words, hit),
            })
        }
        Found::Text(zone, range, written) => {
            let words = look.zones.get(*zone)?;
            let token = words.tokens.partition_point(|token| token.range.end <= range.start);
            Some(Evidence {
                zone: words.zone,
                range: range.clone(),
                text: words.text.get(range.clone()).unwrap_or_default().to_owned(),
                phrase: (*written).to_owned(),
                sentence: words.sentence(token),
                captures: Vec::new(),
            })
        }
        Found::Fact(is, asked) | Found::Opinion(is, asked) => Some(Evidence {
            zone: Zone::Header,
            range: 0..0,
            text: is.clone(),
            phrase: asked.clone(),
            sentence: 0,
            captures: Vec::new(),
        }),
    }
}

fn captures(rules: &Ruleset, words: &ZoneText<'_>, hit: &Hit) -> Vec<Capture> {
    let span = |kind: SlotKind, tokens: &Range<usize>| {
        words.spans_at(tokens.start).find(|span| {
            span.tokens == *tokens
                && matches!(
                    (kind, &span.value),
                    (SlotKind::Date, Value::Date(_))
                        | (SlotKind::Number, Value::Number(_))
                        | (SlotKind::Duration, Value::Duration(_))
                        | (SlotKind::Place, Value::Place { .. })
                )
        })
    };
    hit.caught
        .iter()
        .filter_map(|caught| match caught {
            Caught::Gap(_) => None,
            Caught::List(list, tokens) => Some(Capture::Word {
                list: rules.list_names.get(*list)?.clone(),
                text: words.words(tokens).to_owned(),
            }),
            Caught::Slot(kind, tokens) => Some(match &span(*kind, tokens)?.value {
                Value::Date(mention) => Capture::Date(mention.clone()),
                Value::Number(number) => Capture::Number(*number),
                Value::Duration(days) => Capture::Duration(*days),
                Value::Place { area, .. } => Capture::Place {
                    text: words.words(tokens).to_owned(),
                    area: (*AREAS.get(*area)?).to_owned(),
                },
            }),
        })
        .collect()
}

fn places(zones: &[ZoneText<'_>]) -> Vec<PlaceMention> {
    let mut all = Vec::new();
    for words in zones {
        for span in &words.spans {
            if let Value::Place { area, postcode, in_school_name } = span.value {
                all.push(PlaceMention {
                    zone: words.zone,
                    range: words.bytes(&span.tokens),
                    text: words.words(&span.tokens).to_owned(),
                    area: AREAS.get(area).copied().unwrap_or_default().to_owned(),
                    in_school_name,
                    postcode,
                });
            }
        }
    }
    all
}

fn dates(zones: &[ZoneText<'_>]) -> Vec<(Zone, usize, mention::Mention)> {
    let mut all = Vec::new();
    for words in zones {
        if matches!(words.zone, Zone::Signature | Zone::Quoted) {
            continue;
        }
        for span in &words.spans {
            if let Value::Date(mention) = &span.value {
                all.push((words.zone, words.sentence(span.tokens.start), mention.clone()));
            }
        }
    }
    all
}

/// Whether all of it stands in the subject of a reply, which is what somebody wrote about once; the sender's own words stand
/// below. What is passed on has a subject that its sender wants to be read.
fn is_inherited(look: &Look<'_, '_>, found: &[Found<'_>]) -> bool {
    /// So many words below are the sender's say.
    const SOME: usize = 12;
    let zone = |place: &usize| look.zones.get(*place).map(|words| words.zone);
    let in_subject = |one: &Found<'_>| match one {
        Found::Phrase(place, ..) | Found::Text(place, ..) => zone(place) == Some(Zone::Subject),
        Found::Fact(..) | Found::Opinion(..) => false,
    };
    is_reply(&look.message.subject)
        && look.zones.iter().any(|words| words.zone == Zone::New && words.tokens.len() > SOME)
        && !found.is_empty()
        && found.iter().all(in_subject)
}

fn is_reply(subject: &str) -> bool {
    let mark = subject.trim().split_once(':').map(|(mark, _)| mark.trim().to_ascii_lowercase());
    mark.is_some_and(|mark| ["re", "aw"].contains(&mark.split('[').next().unwrap_or_default()))
}

/// The subject without `Re:`, `Fwd:` and the like.
fn subject(subject: &str) -> &str {
    const MARKS: [&str; 6] = ["re", "fw", "fwd", "aw", "wg", "tr"];
    let mut rest = subject.trim();
    while let Some((mark, after)) = rest.split_once(':') {
        let mark = mark.trim().to_ascii_lowercase();
        let mark = mark.split('[').next().unwrap_or_default();
        if !MARKS.contains(&mark) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// Everything that was cut away but the signature, which has its own zone.
fn quoted(message: &Message) -> String {
    let mut all = String::new();
    for cut in message.new_text.cuts.iter().filter(|cut| cut.reason != CutReason::Signature) {
        if all.len() > MAX_QUOTED {
            break;
        }
        if cut.text != message.new_text.adopted {
            all.push_str(&cut.text);
            all.push_str("\n\n");
        }
    }
    all
}

/// The beginning of a text, cut between characters.
fn head(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most.min(text.len()))).unwrap_or_default()
}

/// The text in which a zone's evidence has its ranges; empty for headers.
pub fn text_of(message: &Message, zone: Zone) -> std::borrow::Cow<'_, str> {
    match zone {
        Zone::Subject => subject(&message.subject).into(),
        Zone::New => message.new_text.new.as_str().into(),
        Zone::Adopted => message.new_text.adopted.as_str().into(),
        Zone::Signature => message.new_text.signature.as_str().into(),
        Zone::Quoted => quoted(message).into(),
        Zone::Header => "".into(),
    }
}
