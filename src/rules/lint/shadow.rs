//! What adds nothing: a phrase that stands twice, or that holds another of the same list; a rule that asks what an earlier
//! one asks; a rule that stops itself.
//!
//! Sound rather than complete: where a word more could make a difference, nothing is said. A difference is above all a word
//! of a context ("no school place" beside "school place"): words that a phrase asks for never set it aside.

use std::collections::HashSet;

use super::super::condition::Condition;
use super::super::inflect;
use super::super::matcher::PhraseId;
use super::super::phrase::{self, Phrase, WordPattern};
use super::super::schema::Draft;
use super::super::workshop::Workshop;

/// Complains of whatever adds nothing.
pub fn check(shop: &mut Workshop<'_>, drafts: &[Draft]) {
    let words = trigger_words(shop);
    for draft in drafts {
        for list in [&draft.when, &draft.unless] {
            let mut alternatives = Vec::new();
            list.iter().for_each(|one| flatten(one, &mut alternatives));
            among(shop, &alternatives, &words);
        }
        stops_itself(shop, draft);
    }
    same_rules(shop, drafts);
}

/// The phrases of which any one suffices.
pub fn flatten(condition: &Condition, into: &mut Vec<PhraseId>) {
    match condition {
        Condition::Phrase { id, despite, .. } if *despite == Default::default() => into.push(*id),
        Condition::Any(all) => all.iter().for_each(|one| flatten(one, into)),
        _ => {}
    }
}

/// Every word that stands in some trigger of a context.
fn trigger_words(shop: &Workshop<'_>) -> HashSet<String> {
    let mut words = HashSet::new();
    for (written, trigger) in shop.written.iter().zip(&shop.triggers) {
        if trigger.is_some()
            && let Ok(parsed) = phrase::parse(&written.text)
        {
            gather(&parsed, &mut words);
        }
    }
    words
}

fn gather(phrase: &Phrase, words: &mut HashSet<String>) {
    match phrase {
        Phrase::Word(WordPattern::Forms(word)) => words.extend(inflect::forms(word)),
        Phrase::Word(WordPattern::Exact(word) | WordPattern::Prefix(word)) => {
            words.insert(word.clone());
        }
        Phrase::Row(parts) | Phrase::Either(parts) => parts.iter().for_each(|part| gather(part, words)),
        Phrase::Maybe(inner) => gather(inner, words),
        Phrase::Gap(_) | Phrase::Slot(_) | Phrase::List(..) => {}
    }
}

/// One list of alternatives.
fn among(shop: &mut Workshop<'_>, alternatives: &[PhraseId], triggers: &HashSet<String>) {
    let all: Vec<(PhraseId, Vec<Phrase>)> = alternatives
        .iter()
        .filter_map(|id| Some((*id, row(phrase::parse(&shop.written.get(*id)?.text).ok()?))))
        .collect();
    for (at, (id, long)) in all.iter().enumerate() {
        let shadow = all.iter().enumerate().find(|(other_at, (other, short))| {
            if other == id || short.len() > long.len() {
                return false;
            }
            let same = short == long;
            // Of two that are the same, the second is the one too many.
            (same && *other_at < at) || (!same && holds(long, short, triggers))
        });
        let Some((_, (other, short))) = shadow else { continue };
        let (Some(one), Some(two)) = (shop.written.get(*id).cloned(), shop.written.get(*other).cloned())
        else {
            continue;
        };
        let line = shop.line_of(&two);
        let problem = if short == long {
            format!("this phrase stands in the list already, in line {line}")
        } else {
            format!(
                "this phrase adds nothing: `{}` in line {line} finds all that it finds",
                super::wide::shortened(&two.text)
            )
        };
        shop.warn(one.file, one.range, problem, "Remove one of the two.");
    }
}

fn row(phrase: Phrase) -> Vec<Phrase> {
    match phrase {
        Phrase::Row(parts) => parts,
        other => vec![other],
    }
}

/// Whether every match of `long` has a match of `short` in it, and nothing in the rest could be a context's word.
fn holds(long: &[Phrase], short: &[Phrase], triggers: &HashSet<String>) -> bool {
    let widest = long.len() - short.len();
    (0..=widest).any(|start| {
        let window = long.get(start..start + short.len()).unwrap_or_default();
        let (before, after) =
            (long.get(..start).unwrap_or_default(), long.get(start + short.len()..).unwrap_or_default());
        window.iter().zip(short).all(|(long, short)| covers(short, long))
            && before.iter().chain(after).all(|extra| harmless(extra, triggers))
    })
}

/// Whether `wide` finds whatever `narrow` finds.
fn covers(wide: &Phrase, narrow: &Phrase) -> bool {
    if wide == narrow {
        return true;
    }
    match (wide, narrow) {
        (_, Phrase::Either(parts)) if !parts.is_empty() => parts.iter().all(|part| covers(wide, part)),
        (Phrase::Either(parts), _) => parts.iter().any(|part| covers(part, narrow)),
        (Phrase::Word(WordPattern::Forms(base)), Phrase::Word(WordPattern::Exact(form))) => {
            inflect::forms(base).contains(form)
        }
        (Phrase::Word(WordPattern::Prefix(stem)), Phrase::Word(WordPattern::Exact(word))) => {
            word.starts_with(stem.as_str())
        }
        (Phrase::Word(WordPattern::Prefix(stem)), Phrase::Word(WordPattern::Prefix(longer))) => {
            longer.starts_with(stem.as_str())
        }
        (Phrase::Gap(wide), Phrase::Gap(narrow)) => wide >= narrow,
        _ => false,
    }
}

/// Words that neither set anything aside nor could keep something from being set aside.
fn harmless(extra: &Phrase, triggers: &HashSet<String>) -> bool {
    match extra {
        Phrase::Word(WordPattern::Forms(word)) => {
            inflect::forms(word).iter().all(|form| !triggers.contains(form))
        }
        Phrase::Word(WordPattern::Exact(word)) => !triggers.contains(word),
        Phrase::Word(WordPattern::Prefix(stem)) => {
            !triggers.iter().any(|word| word.starts_with(stem.as_str()))
        }
        Phrase::Row(parts) | Phrase::Either(parts) => parts.iter().all(|part| harmless(part, triggers)),
        Phrase::Maybe(inner) => harmless(inner, triggers),
        // A gap takes in any word, a list may hold any.
        Phrase::Gap(_) | Phrase::List(..) | Phrase::Slot(_) => false,
    }
}

/// The same phrase under `when:` and `unless:`.
fn stops_itself(shop: &mut Workshop<'_>, draft: &Draft) {
    let (mut when, mut unless) = (Vec::new(), Vec::new());
    draft.when.iter().for_each(|one| flatten(one, &mut when));
    draft.unless.iter().for_each(|one| flatten(one, &mut unless));
    let text =
        |shop: &Workshop<'_>, id: PhraseId| shop.written.get(id).map(|written| written.text.to_lowercase());
    for id in when {
        let stop = unless.iter().find(|other| text(shop, **other) == text(shop, id));
        let (Some(one), Some(two)) =
            (shop.written.get(id).cloned(), stop.and_then(|id| shop.written.get(*id)).cloned())
        else {
            continue;
        };
        let line = shop.line_of(&two);
        shop.error(
            one.file,
            one.range,
            format!("this phrase can never count: it stands under `unless:` as well, in line {line}, which stops the rule wherever it is found"),
            "Remove it from one of the two lists.",
        );
    }
}

/// Rules of one group that ask the very same.
fn same_rules(shop: &mut Workshop<'_>, drafts: &[Draft]) {
    for (at, draft) in drafts.iter().enumerate() {
        if draft.asks.is_empty() {
            continue;
        }
        let twin = drafts
            .iter()
            .take(at)
            .find(|other| other.rule.group == draft.rule.group && other.asks == draft.asks);
        if let Some(other) = twin {
            let (file, range) = draft.id_at.clone();
            let consequence = if other.rule.then == draft.rule.then {
                "It adds nothing."
            } else {
                "Where the first that holds wins, this one never does."
            };
            shop.warn(
                file,
                range,
                format!(
                    "rule {} asks exactly what rule {} asks. {consequence}",
                    draft.rule.id, other.rule.id
                ),
                "Remove one of them, or change its `when:`.",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(long: &str, short: &str) -> bool {
        let parsed = |text: &str| row(phrase::parse(text).expect("a phrase"));
        let triggers = ["no", "not", "if"].map(str::to_owned).into();
        let (long, short) = (parsed(long), parsed(short));
        short.len() <= long.len() && holds(&long, &short, &triggers)
    }

    #[test]
    fn a_phrase_within_another_is_known() {
        assert!(check("half days only", "half days"));
        assert!(check("only (mornings | afternoons)", "(mornings | afternoons | evenings)"));
        assert!(check("was =excluded yesterday", "exclude"));
        assert!(check("a ...3 b", "a ...5 b"));
    }

    #[test]
    fn where_a_word_more_may_matter_nothing_is_said() {
        assert!(!check("no school place", "school place"), "\"no\" would set the shorter one aside");
        assert!(!check("half ... days", "half days"));
        assert!(!check("half days", "half day only"));
        assert!(!check("{school} place", "place"), "the list may hold anything");
        assert!(!check("exclude", "=exclude"));
    }
}
