//! Conditions that must hold close together: in one sentence, in two, in one paragraph; all of them, or so many.
//!
//! What each of them asks is [`super::condition`]'s; here is only where it may stand.

use std::ops::Range;

use super::condition::{Condition, Cover, Found, Look, Scope, phrases};
use super::zone::ZoneText;

/// How far conditions may stand apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// In one and the same sentence.
    Sentence,
    /// In two neighbouring sentences.
    Near,
    /// Between two empty lines.
    Paragraph,
    /// Anywhere.
    Message,
}

impl<'a> Look<'a, '_> {
    /// All within the same stretch.
    pub(super) fn together(
        &self,
        all: &'a [Condition],
        scope: Scope<'_>,
        stretch: Stretch,
    ) -> Option<Vec<Found<'a>>> {
        let mut found: Vec<Found<'a>> = Vec::new();
        let mut holds = false;
        for window in self.windows(all, all.len(), scope, stretch) {
            let inner = Scope { sentences: Some(window), ..scope };
            if let Some(more) = self.all(all, Scope { cover: Some(&Cover::new(all, inner)), ..inner }) {
                holds = true;
                found.extend(more);
            }
        }
        holds.then_some(found)
    }

    /// At least so many, each resting on words of its own, within the same stretch.
    pub(super) fn at_least(
        &self,
        count: usize,
        of: &'a [Condition],
        scope: Scope<'_>,
        stretch: Stretch,
    ) -> Option<Vec<Found<'a>>> {
        if stretch == Stretch::Message {
            return self.quorum(count, of, scope);
        }
        let mut found: Vec<Found<'a>> = Vec::new();
        for window in self.windows(of, count, scope, stretch) {
            let inner = Scope { sentences: Some(window), ..scope };
            let inner = Scope { cover: Some(&Cover::new(of, inner)), ..inner };
            found.extend(self.quorum(count, of, inner).into_iter().flatten());
        }
        (!found.is_empty()).then_some(found)
    }

    fn quorum(&self, count: usize, of: &'a [Condition], scope: Scope<'_>) -> Option<Vec<Found<'a>>> {
        let (mut found, mut held): (Vec<Found<'a>>, usize) = (Vec::new(), 0);
        for one in of {
            let Some(more) = self.look(one, scope) else { continue };
            // Two phrases that found the same words are one sign.
            let own = more.is_empty() || more.iter().any(|new| !found.iter().any(|old| same_words(old, new)));
            held += usize::from(own);
            found.extend(more);
        }
        (held >= count).then_some(found)
    }

    /// Zone, first sentence and the one after the last of every stretch in which one of these conditions' phrases stands,
    /// and in which so many of the conditions may hold.
    fn windows(
        &self,
        all: &'a [Condition],
        at_least: usize,
        scope: Scope<'_>,
        stretch: Stretch,
    ) -> Vec<(usize, usize, usize)> {
        let mut leaves = Vec::new();
        all.iter().for_each(|one| phrases(one, &mut leaves));
        let mut windows: Vec<(usize, usize, usize)> = Vec::new();
        let mut add = |zone: usize, sentence: usize| match stretch {
            Stretch::Sentence => windows.push((zone, sentence, sentence + 1)),
            Stretch::Near => {
                windows.extend((sentence.saturating_sub(1)..=sentence).map(|start| (zone, start, start + 2)));
            }
            Stretch::Paragraph | Stretch::Message => {
                // Sentences come in order: mostly the paragraph is the one before.
                if windows
                    .last()
                    .is_some_and(|(last, from, to)| *last == zone && (*from..*to).contains(&sentence))
                {
                    return;
                }
                let Some(words) = self.zones.get(zone) else { return };
                if self.findings.borrow_mut().count(words.tokens.len() as u64) {
                    let range = paragraph(words, sentence);
                    windows.push((zone, range.start, range.end));
                }
            }
        };
        if leaves.is_empty() {
            // Nothing but regular expressions: every sentence is tried.
            for (index, words) in self.places(scope) {
                let last = words.tokens.last().map_or(0, |token| token.sentence);
                (0..=last).for_each(|sentence| add(index, sentence));
            }
        } else {
            let found = self.findings.borrow_mut().sentences(all, at_least, stretch, &leaves, scope);
            found.into_iter().for_each(|(zone, sentence)| add(zone, sentence));
        }
        windows.sort_unstable();
        windows.dedup();
        for (_, from, to) in &mut windows {
            if let Some((_, first, last)) = scope.sentences {
                (*from, *to) = ((*from).max(first), (*to).min(last));
            }
        }
        windows
    }
}

fn same_words(one: &Found<'_>, other: &Found<'_>) -> bool {
    match (one, other) {
        (Found::Phrase(zone, hit, _), Found::Phrase(other_zone, other_hit, _)) => {
            let (one, other) = (&hit.tokens, &other_hit.tokens);
            zone == other_zone && one.start < other.end && other.start < one.end
        }
        (Found::Text(zone, range, _), Found::Text(other_zone, other, _)) => {
            zone == other_zone && range.start < other.end && other.start < range.end
        }
        _ => false,
    }
}

/// The sentences of the paragraph in which this one stands: what no empty line divides.
fn paragraph(words: &ZoneText<'_>, sentence: usize) -> Range<usize> {
    let (mut start, mut end) = (0, usize::MAX);
    for pair in words.tokens.windows(2) {
        let [before, token] = pair else { continue };
        if token.sentence == before.sentence {
            continue;
        }
        let gap = words.text.get(before.range.end..token.range.start).unwrap_or_default();
        if gap.bytes().filter(|byte| *byte == b'\n').count() < 2 {
            continue;
        }
        if token.sentence <= sentence {
            start = token.sentence;
        } else {
            end = token.sentence;
            break;
        }
    }
    start..end
}
