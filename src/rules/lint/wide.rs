//! Rules so wide that ordinary office mail wakes them.
//!
//! `everyday.txt` holds sentences that everybody writes and that are no matter of the policy. A rule on urgency, topic, team
//! and the like that holds for several of them would hold for half of the post; one that holds for a single one is told as a
//! warning, for it may be meant.

use chrono::NaiveDate;

use crate::message::{Message, NewText};

use super::super::diagnostic::{Diagnostic, Severity};
use super::super::example::Trial;
use super::super::inflect;
use super::super::phrase::{self, Phrase, WordPattern};
use super::super::workshop::{Workshop, Written};
use super::super::{Addressed, Circumstances, Group, Rule, Ruleset};
use super::shadow;

/// The sentences, one a line; `#` begins a remark.
const EVERYDAY: &str = include_str!("everyday.txt");

/// From so many sentences on a rule is refused.
const TOO_MANY: usize = 3;

/// The groups that ordinary mail must not wake. What a message *is*, and who sends it, is asked of every message.
fn minds(group: Group) -> bool {
    matches!(
        group,
        Group::Grounds
            | Group::Claims
            | Group::Topics
            | Group::Queues
            | Group::Chasers
            | Group::Signposts
            | Group::Leadership
    )
}

/// The sentences.
pub fn sentences() -> impl Iterator<Item = &'static str> {
    EVERYDAY.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Every rule that everyday sentences wake.
pub fn check(rules: &Ruleset, trials: &[Trial], shop: &Workshop<'_>) -> Vec<Diagnostic> {
    let mut complaints = Vec::new();
    for (index, phrase, sentences) in woken(rules) {
        let (Some(rule), Some(trial)) = (rules.rules.get(index), trials.get(index)) else { continue };
        let mut alone = Vec::new();
        if let Some(body) = rules.bodies.get(index) {
            body.when.iter().for_each(|condition| shadow::flatten(condition, &mut alone));
        }
        let suffices =
            alone.iter().any(|id| shop.written.get(*id).is_some_and(|written| written.text == phrase));
        complaints.push(complaint(rule, trial, (&phrase, suffices), &sentences, shop));
    }
    complaints
}

/// Rule, phrase, and the everyday sentences for which the rule holds by it.
type Woken = (usize, String, Vec<&'static str>);

fn woken(rules: &Ruleset) -> Vec<Woken> {
    let received_on = NaiveDate::from_ymd_opt(2026, 9, 16).unwrap_or_default();
    let circumstances = Circumstances { received_on, mailbox: "general", addressed: Addressed::To };
    let mut woken: Vec<Woken> = Vec::new();
    for sentence in sentences() {
        let new_text = NewText { new: sentence.to_owned(), ..NewText::default() };
        let message = Message { new_text, ..Message::default() };
        for verdict in rules.read(&message, &circumstances).verdicts {
            let Some(words) = verdict.evidence.first().filter(|_| verdict.holds && minds(verdict.rule.group))
            else {
                continue;
            };
            let Some(rule) = rules.rules().iter().position(|rule| rule.id == verdict.rule.id) else {
                continue;
            };
            match woken.iter_mut().find(|(known, by, _)| *known == rule && *by == words.phrase) {
                Some((.., sentences)) => sentences.push(sentence),
                None => woken.push((rule, words.phrase.clone(), vec![sentence])),
            }
        }
    }
    woken
}

fn complaint(
    rule: &Rule,
    trial: &Trial,
    (phrase, suffices): (&str, bool),
    sentences: &[&str],
    shop: &Workshop<'_>,
) -> Diagnostic {
    let own = shop.written.get(trial.phrases.clone()).unwrap_or_default();
    let (file, range) = trial.id_at.clone();
    let at = own.iter().find(|written| written.text == phrase).cloned();
    let at = at.unwrap_or(Written { file, range, text: phrase.to_owned() });
    let phrase = match suffices {
        true => format!("`{}`", shortened(phrase)),
        false => format!("the condition with `{}`", shortened(phrase)),
    };
    let (id, example, count) = (&rule.id, sentences.first().copied().unwrap_or_default(), sentences.len());
    let (severity, problem) = if suffices && only_little_words(&at) {
        let problem = format!(
            "{phrase} has nothing but little words, which stand in every email: rule {id} would hold for ordinary mail, such as \"{example}\""
        );
        (Severity::Error, problem)
    } else if count >= TOO_MANY {
        let problem = format!(
            "{phrase} is so wide that rule {id} would hold for ordinary mail: {count} of {} everyday sentences match, such as \"{example}\"",
            self::sentences().count()
        );
        (Severity::Error, problem)
    } else {
        (
            Severity::Warning,
            format!("{phrase} may be too wide: rule {id} holds for an everyday sentence: \"{example}\""),
        )
    };
    shop.diagnostic(
        &at,
        severity,
        problem,
        "Add a word that only the matter itself has, or put it under `sentence:` with another phrase.",
    )
}

/// The beginning of a long phrase: the excerpt below the complaint shows it whole.
pub fn shortened(phrase: &str) -> String {
    match phrase.char_indices().nth(60) {
        Some((at, _)) => format!("{} ...", phrase.get(..at).unwrap_or_default().trim_end()),
        None => phrase.to_owned(),
    }
}

/// Whether a phrase asks for nothing but little words ("he is", "in the").
pub fn only_little_words(written: &Written) -> bool {
    phrase::parse(&written.text).is_ok_and(|phrase| little(&phrase))
}

fn little(phrase: &Phrase) -> bool {
    match phrase {
        Phrase::Word(WordPattern::Forms(word) | WordPattern::Exact(word)) => {
            inflect::is_small(word) || word.starts_with('\'')
        }
        Phrase::Row(parts) => parts.iter().all(little),
        // One alternative of little words is enough to match everywhere.
        Phrase::Either(parts) => parts.iter().any(little),
        Phrase::Maybe(_) | Phrase::Gap(_) => true,
        Phrase::Word(WordPattern::Prefix(_)) | Phrase::Slot(_) | Phrase::List(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_are_many_and_each_stands_once() {
        let all: Vec<_> = sentences().collect();
        assert!(all.len() >= 150, "{}", all.len());
        let once: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(once.len(), all.len());
    }

    #[test]
    fn little_words_alone_are_known() {
        let check = |text: &str| only_little_words(&Written { file: 0, range: 0..0, text: text.to_owned() });
        for wide in ["he is", "is not in", "(he | she) has ... no", "it [really] is", "(school | it)"] {
            assert!(check(wide), "{wide}");
        }
        for good in ["no place", "he is {place}", "exclu*", "{school}", "out of school"] {
            assert!(!check(good), "{good}");
        }
    }
}
