//! Whether the courtesies of `follow-ups.yaml` are all that a message says: nothing else stands in its new text but a
//! salutation, a sign-off and names. It errs on one side: what it does not know is something said.
//!
//! Policy, email a and d: a thank-you is owed no answer; anything else is.

use super::condition::{self, Look, Scope};
use super::context::Kinds;
use super::text::Break;
use super::zone::{Token, ZoneText};
use super::{Group, Zone};

/// A thank-you has fewer words; what is longer says something besides.
const MOST_WORDS: usize = 90;
/// So many words of names may close it: "Anna and Ben Parent, Tom's mum and dad".
const MOST_CLOSING: usize = 8;
/// So many words of names may follow the greeting, or the thanks.
const MOST_NAMES: usize = 2;

const GREETINGS: [&str; 8] = ["dear", "hi", "hello", "hiya", "hey", "morning", "afternoon", "evening"];
/// Whom one greets, besides names.
const GREETED: [&str; 16] = [
    "all",
    "both",
    "there",
    "team",
    "again",
    "everyone",
    "and",
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "sir",
    "madam",
    "folks",
    "colleagues",
];
/// What stands in a close, besides names.
const CLOSING: [&str; 14] =
    ["mum", "mummy", "dad", "daddy", "and", "of", "x", "xx", "xxx", "parent", "carer", "s", "family", "mrs"];

/// See the module.
pub(super) fn is_all(look: &Look<'_, '_>) -> bool {
    // What is adopted or attached is something said, and a question mark asks.
    if look.zones.iter().any(|words| words.zone == Zone::Adopted)
        || look.message.parts.iter().any(|part| part.attachment)
    {
        return false;
    }
    let Some((index, words)) = look.zones.iter().enumerate().find(|(_, words)| words.zone == Zone::New)
    else {
        return false;
    };
    if words.tokens.len() > MOST_WORDS || words.text.contains('?') {
        return false;
    }
    let mut covered = vec![false; words.tokens.len()];
    let mut phrases = Vec::new();
    for (rule, body) in look.rules.rules.iter().zip(&look.rules.bodies) {
        if rule.group == Group::FollowUps && matches!(rule.then.as_str(), "thanks" | "courtesy") {
            body.when.iter().for_each(|one| condition::phrases(one, &mut phrases));
        }
    }
    let scope = Scope::new(&[Zone::New], Kinds::default());
    for (_, hit) in phrases.into_iter().flat_map(|id| look.raw(id, scope)).filter(|(zone, _)| *zone == index)
    {
        for place in covered.get_mut(hit.tokens.clone()).into_iter().flatten() {
            *place = true;
        }
    }
    let names: Vec<String> = look
        .message
        .from
        .iter()
        .flat_map(|from| from.name.split(|c: char| !c.is_alphanumeric()))
        .filter(|name| !name.is_empty())
        .map(str::to_lowercase)
        .collect();
    let page = Page { words, names };
    page.greeting(&mut covered);
    page.close(&mut covered);
    page.names_after(&mut covered);
    covered.iter().zip(&words.tokens).all(|(covered, token)| *covered || token.skippable)
}

/// The new text, and how the sender is called.
struct Page<'p, 't> {
    words: &'p ZoneText<'t>,
    names: Vec<String>,
}

impl Page<'_, '_> {
    fn word(&self, token: &Token<'_>) -> String {
        self.words.text.get(token.range.clone()).unwrap_or_default().to_lowercase()
    }

    fn is_name(&self, token: &Token<'_>) -> bool {
        let written = self.words.text.get(token.range.clone()).unwrap_or_default();
        // Who writes in capitals throughout shows no names by them.
        let capital = token.capital && written.chars().any(char::is_lowercase);
        (capital && self.words.is_unknown(token)) || self.names.contains(&self.word(token))
    }

    /// Whether the sender pauses before this word.
    fn pauses(&self, place: usize) -> bool {
        let (Some(before), Some(token)) = (place.checked_sub(1), self.words.tokens.get(place)) else {
            return true;
        };
        let from = self.words.tokens.get(before).map_or(0, |token| token.range.end);
        let gap = self.words.text.get(from..token.range.start).unwrap_or_default();
        token.boundary != Break::None || gap.contains([',', '!', '\n', '-', ':', '.', '\u{2013}'])
    }

    /// "Dear Ms Patel", "Hi both", "Good morning Sarah".
    fn greeting(&self, covered: &mut [bool]) {
        let tokens = &self.words.tokens;
        let mut at = 0;
        if tokens.first().is_some_and(|token| self.word(token) == "good") {
            at = 1;
        }
        if !tokens.get(at).is_some_and(|token| GREETINGS.contains(&self.word(token).as_str())) {
            return;
        }
        covered.iter_mut().take(at + 1).for_each(|place| *place = true);
        for (offset, token) in tokens.iter().enumerate().skip(at + 1).take(MOST_NAMES + 1) {
            if (offset > at + 1 && self.pauses(offset))
                || !(self.is_name(token) || GREETED.contains(&self.word(token).as_str()))
            {
                break;
            }
            if let Some(place) = covered.get_mut(offset) {
                *place = true;
            }
        }
    }

    /// The names under it, after the last courtesy.
    fn close(&self, covered: &mut [bool]) {
        let Some(last) = covered.iter().rposition(|covered| *covered) else { return };
        let from = last + 1;
        let closing = self.words.tokens.get(from..).unwrap_or_default();
        let fits = |token: &Token<'_>| self.is_name(token) || CLOSING.contains(&self.word(token).as_str());
        if !closing.is_empty()
            && closing.len() <= MOST_CLOSING
            && self.pauses(from)
            && closing.iter().all(|token| token.skippable || fits(token))
        {
            covered.iter_mut().skip(from).for_each(|place| *place = true);
        }
    }

    /// "Thanks Sarah.": names up to the next pause.
    fn names_after(&self, covered: &mut [bool]) {
        let mut place = 1;
        while place < covered.len() {
            let after = covered.get(place - 1).copied().unwrap_or_default();
            let open = !covered.get(place).copied().unwrap_or(true);
            if after && open {
                let rest = self.words.tokens.get(place..).unwrap_or_default();
                let fits = |token: &&Token<'_>| {
                    self.is_name(token)
                        || matches!(self.word(token).as_str(), "mr" | "mrs" | "ms" | "miss" | "dr")
                };
                let names = rest.iter().take_while(fits).count();
                let next = place + names;
                let ends = covered.get(next).copied().unwrap_or(true) || self.pauses(next);
                let signs = rest.iter().take(names).all(|token| self.names.contains(&self.word(token)));
                let stands_after = signs || !self.starts_sentence(place);
                if names > 0 && names <= MOST_NAMES && ends && stands_after {
                    covered.iter_mut().skip(place).take(names).for_each(|place| *place = true);
                }
            }
            place += 1;
        }
    }

    fn starts_sentence(&self, place: usize) -> bool {
        self.words.tokens.get(place).is_some_and(|token| token.boundary == Break::Hard)
    }
}
