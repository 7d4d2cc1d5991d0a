//! When found words do not count: negated, supposed, long past, about someone else, only asked about, taken back.
//!
//! After NegEx (Chapman 2001) and ConText (Harkema 2009): triggers before or after, pseudo-triggers, terminators, a reach.
//! The scope is the sentence. labelling.md, `urgency`, names the six cases. The words themselves stand in `context.yaml`.

use std::ops::Range;
use std::rc::Rc;

use super::matcher::Hit;
use super::zone::ZoneText;

/// Why words may not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Negated,
    Hypothetical,
    Historical,
    Other,
    Question,
    Withdrawn,
}

/// All kinds, with their names in the files and in reasons.
pub const KINDS: [(Kind, &str, &str); 6] = [
    (Kind::Negated, "negated", "negated by"),
    (Kind::Hypothetical, "hypothetical", "hypothetical:"),
    (Kind::Historical, "historical", "in the past:"),
    (Kind::Other, "other", "about someone else:"),
    (Kind::Question, "question", "only asked about:"),
    (Kind::Withdrawn, "withdrawn", "withdrawn:"),
];

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds(u8);

impl Kinds {
    /// All six.
    pub const ALL: Self = Self(0b11_1111);

    /// With this one too.
    #[must_use]
    pub fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// With all of those too.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Without those.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether it is one of them.
    pub fn contains(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

/// What a trigger phrase does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What follows is affected.
    Before,
    /// What precedes is affected.
    After,
    /// What follows is affected, as far as the clause goes.
    BeforeInClause,
    /// What precedes is affected, as far back as the clause goes.
    AfterInClause,
    /// What precedes is affected, in this sentence and the one before; it begins its sentence.
    NextSentence,
    /// It looks like a trigger and is none.
    Pseudo,
    /// The reach ends here.
    EndsAt,
}

/// One kind's settings.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many words a trigger reaches; `None`: to the end of the sentence.
    pub reach: Option<usize>,
    /// How many further sentences a trigger reaches.
    pub sentences: usize,
    /// Only sentences that end with a question mark have it.
    pub only_in_questions: bool,
    /// A comma, a dash or a bracket ends every reach.
    pub ends_at_comma: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { reach: Some(6), sentences: 0, only_in_questions: false, ends_at_comma: false }
    }
}

/// The words of `context.yaml`, compiled.
#[derive(Debug, Default)]
pub struct Contexts {
    /// For each phrase, what it triggers.
    pub triggers: Vec<Option<(Kind, Role)>>,
    /// In the order of [`KINDS`].
    pub settings: [Settings; 6],
}

/// A trigger found.
#[derive(Debug, Clone)]
pub struct Trigger {
    kind: Kind,
    role: Role,
    tokens: Range<usize>,
}

/// Why words do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which kind.
    pub kind: Kind,
    /// For staff: `negated by "not"`.
    pub said: String,
    /// How many words stand between trigger and found words.
    pub distance: usize,
}

impl Contexts {
    /// How many sentences before and after the words that it reaches a trigger may stand, at most.
    pub fn furthest(&self) -> (usize, usize) {
        let far = self.settings.iter().map(|settings| settings.sentences).max().unwrap_or(0);
        let next = self.triggers.iter().flatten().any(|(_, role)| *role == Role::NextSentence);
        (far, far.max(usize::from(next)))
    }

    /// The triggers of one stretch of words, in order; those inside a pseudo-trigger of their kind are none.
    pub fn triggers(&self, hits: &[Rc<Hit>]) -> Vec<Trigger> {
        let mut all: Vec<Trigger> = hits
            .iter()
            .filter_map(|hit| {
                let (kind, role) = (*self.triggers.get(hit.phrase)?)?;
                Some(Trigger { kind, role, tokens: hit.tokens.clone() })
            })
            .collect();
        all.sort_by_key(|trigger| trigger.tokens.start);
        let pseudo: Vec<Trigger> =
            all.iter().filter(|trigger| trigger.role == Role::Pseudo).cloned().collect();
        all.retain(|trigger| {
            trigger.role != Role::Pseudo
                && !(trigger.role != Role::EndsAt
                    && pseudo.iter().any(|p| p.kind == trigger.kind && overlaps(&p.tokens, &trigger.tokens)))
        });
        all
    }

    /// Why a hit does not count; `None`: it does. `cover` are words that the same rule asked for: no trigger counts in them.
    /// A trigger in a gap of the phrase does count: "the placement is not at risk of breaking down".
    pub fn reason(
        &self,
        zone: &ZoneText<'_>,
        triggers: &[Trigger],
        hit: &Hit,
        cover: &[Range<usize>],
        kinds: Kinds,
    ) -> Option<Reason> {
        if triggers.is_empty() {
            return None;
        }
        KINDS.iter().zip(&self.settings).filter(|((kind, ..), _)| kinds.contains(*kind)).find_map(
            |((kind, _, words), settings)| {
                if settings.only_in_questions && !zone.is_question(zone.sentence(hit.tokens.start)) {
                    return None;
                }
                let mut reaching: Vec<(&Trigger, usize)> = triggers
                    .iter()
                    .filter(|trigger| trigger.kind == *kind)
                    .filter(|trigger| !cover.iter().any(|range| within(&trigger.tokens, range)))
                    .filter_map(|trigger| Some((trigger, distance(zone, triggers, trigger, hit, settings)?)))
                    .collect();
                if *kind == Kind::Negated && undone(zone, &reaching) {
                    return None;
                }
                reaching.sort_by_key(|(_, distance)| *distance);
                let (trigger, distance) = reaching.first()?;
                let said = format!("{words} \"{}\"", zone.words(&trigger.tokens));
                Some(Reason { kind: *kind, said, distance: *distance })
            },
        )
    }
}

/// A sentence between counts as so many words: a person might read otherwise what is told so far off.
const SENTENCE_OFF: usize = 8;

/// How many words stand between a trigger and the found words; `None` where it does not reach them.
fn distance(
    zone: &ZoneText<'_>,
    triggers: &[Trigger],
    trigger: &Trigger,
    hit: &Hit,
    settings: &Settings,
) -> Option<usize> {
    let found = &hit.tokens;
    let between = match trigger.role {
        Role::Before | Role::BeforeInClause if within(&trigger.tokens, found) => {
            let in_gap = trigger.tokens.clone().any(|token| hit.in_gap(token));
            let next =
                hit.asked().into_iter().map(|asked| asked.start).find(|start| *start >= trigger.tokens.end);
            trigger.tokens.end..next.filter(|_| in_gap)?
        }
        Role::Before | Role::BeforeInClause => trigger.tokens.end..found.start,
        Role::After | Role::AfterInClause | Role::NextSentence => found.end..trigger.tokens.start,
        Role::Pseudo | Role::EndsAt => return None,
    };
    if between.start > between.end {
        return None;
    }
    // Of neighbours one at most may be stepped over: what is much too far off need not be counted.
    let far = |reach: usize| between.len() / 2 > reach;
    if matches!(trigger.role, Role::Before | Role::After)
        && settings.sentences == 0
        && settings.reach.is_some_and(far)
    {
        return None;
    }
    let words =
        between.clone().filter(|at| zone.tokens.get(*at).is_some_and(|token| !token.skippable)).count();
    let sentences = zone.sentence(trigger.tokens.start).abs_diff(zone.sentence(found.start));
    if trigger.role == Role::NextSentence {
        let reaches = sentences == 0 || sentences == 1 && begins_sentence(zone, trigger.tokens.start);
        return reaches.then_some(words + sentences * SENTENCE_OFF);
    }
    let in_clause = matches!(trigger.role, Role::BeforeInClause | Role::AfterInClause);
    if sentences > if in_clause { 0 } else { settings.sentences } {
        return None;
    }
    if sentences == 0 && !in_clause && settings.reach.is_some_and(|reach| words > reach) {
        return None;
    }
    if (in_clause || settings.ends_at_comma) && clause_ends(zone, &between) {
        return None;
    }
    let stopped = triggers.iter().any(|stop| {
        stop.role == Role::EndsAt
            && stop.kind == trigger.kind
            && stop.tokens.start >= between.start
            && stop.tokens.end <= between.end
    });
    (!stopped).then_some(words)
}

/// Whether a comma, a dash, a colon or a bracket stands anywhere before, between or after these words.
fn clause_ends(zone: &ZoneText<'_>, between: &Range<usize>) -> bool {
    (between.start..=between.end).any(|at| {
        let (Some(before), Some(token)) =
            (at.checked_sub(1).and_then(|at| zone.tokens.get(at)), zone.tokens.get(at))
        else {
            return false;
        };
        let gap = zone.text.get(before.range.end..token.range.start).unwrap_or_default();
        gap.contains([',', '(', ')', ':', '\u{2013}', '\u{2014}']) || gap.contains(" -")
    })
}

/// Whether this word is the first of its sentence, or stands after no more than one other: "But that is all over now".
fn begins_sentence(zone: &ZoneText<'_>, at: usize) -> bool {
    let sentence = zone.sentence(at);
    at.checked_sub(2).is_none_or(|before| zone.sentence(before) != sentence)
}

/// Two negations, one within the other, undo each other: "it is not true that he is not ...". A list of them does not.
fn undone(zone: &ZoneText<'_>, reaching: &[(&Trigger, usize)]) -> bool {
    let [(one, _), (two, _)] = reaching else { return false };
    let (first, second) = if one.tokens.start <= two.tokens.start { (one, two) } else { (two, one) };
    let between = first.tokens.end..second.tokens.start;
    if between.is_empty() {
        return first.tokens.end == second.tokens.start;
    }
    let text = zone.words(&between).to_lowercase();
    let gap = zone.bytes(&(first.tokens.start..second.tokens.end));
    let listed = text.split_whitespace().any(|word| matches!(word, "and" | "or" | "nor"))
        || zone.text.get(gap).is_some_and(|text| text.contains(','));
    between.len() <= 5 && !listed
}

fn within(one: &Range<usize>, other: &Range<usize>) -> bool {
    other.start <= one.start && one.end <= other.end
}

fn overlaps(one: &Range<usize>, two: &Range<usize>) -> bool {
    one.start < two.end && two.start < one.end
}
