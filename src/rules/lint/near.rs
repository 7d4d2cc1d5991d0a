//! Which phrase of a rule came nearest to an example that it should have found, and what was missing.

use super::super::inflect;
use super::super::phrase::{self, Phrase, WordPattern};
use super::super::program::Lists;
use super::super::text;
use super::super::workshop::Written;

/// How deep lists are followed into lists.
const DEEPEST: usize = 6;

/// The nearest phrase.
#[derive(Debug, PartialEq, Eq)]
pub struct Nearest<'w> {
    /// Which.
    pub written: &'w Written,
    /// Its words that the example lacks; none: all are there, but not like this.
    pub missing: Vec<String>,
}

/// The phrase that lacks the smallest part of its words; `None` where no phrase has a word in the example.
pub fn nearest<'w>(
    phrases: impl Iterator<Item = &'w Written>,
    example: &str,
    lists: &Lists,
) -> Option<Nearest<'w>> {
    let mut words = Vec::new();
    text::words(example, |word| words.push(word.form.to_owned()));
    let mut best: Option<(usize, usize, Nearest<'w>)> = None;
    for written in phrases {
        let Ok(parsed) = phrase::parse(&written.text) else { continue };
        let mut look = Look { words: &words, lists, present: 0, missing: Vec::new() };
        look.walk(&parsed, 0);
        // Little words are there by chance.
        if look.present == 0 {
            continue;
        }
        // Missing share first, then the longer phrase.
        let total = look.present + look.missing.len();
        let share = look.missing.len() * 1000 / total.max(1);
        let better =
            best.as_ref().is_none_or(|(known, length, _)| (share, usize::MAX - total) < (*known, *length));
        if better {
            best = Some((share, usize::MAX - total, Nearest { written, missing: look.missing }));
        }
    }
    best.map(|(.., nearest)| nearest)
}

struct Look<'a> {
    words: &'a [String],
    lists: &'a Lists,
    present: usize,
    missing: Vec<String>,
}

impl Look<'_> {
    fn walk(&mut self, phrase: &Phrase, depth: usize) {
        match phrase {
            Phrase::Word(pattern) => {
                let word = match pattern {
                    WordPattern::Forms(word) | WordPattern::Exact(word) | WordPattern::Prefix(word) => word,
                };
                if !self.has(pattern) {
                    self.missing.push(word.clone());
                } else if !inflect::is_small(word) {
                    self.present += 1;
                }
            }
            Phrase::Row(parts) => parts.iter().for_each(|part| self.walk(part, depth)),
            Phrase::Either(parts) => self.best_of(parts, depth, None),
            Phrase::List(name, _) => {
                let Some((_, Phrase::Either(parts))) = self.lists.get(name).filter(|_| depth < DEEPEST)
                else {
                    return;
                };
                self.best_of(parts, depth + 1, Some(name));
            }
            // Of values nobody can say whether they are there without reading them.
            Phrase::Maybe(_) | Phrase::Gap(_) | Phrase::Slot(_) => {}
        }
    }

    /// The alternative that lacks least.
    fn best_of(&mut self, parts: &[Phrase], depth: usize, list: Option<&String>) {
        let mut best: Option<(usize, Vec<String>)> = None;
        for part in parts {
            let mut inner = Look { words: self.words, lists: self.lists, present: 0, missing: Vec::new() };
            inner.walk(part, depth);
            let better = best.as_ref().is_none_or(|(present, missing)| {
                (inner.missing.len(), usize::MAX - inner.present) < (missing.len(), usize::MAX - present)
            });
            if better {
                best = Some((inner.present, inner.missing));
            }
        }
        let Some((present, missing)) = best else { return };
        self.present += present;
        match missing.is_empty() {
            true => {}
            false if parts.len() > 1 => {
                let some: Vec<String> = parts.iter().filter_map(plain_words).take(3).collect();
                self.missing.push(match list {
                    Some(list) => format!("{{{list}}}"),
                    None if some.is_empty() => missing.join(" "),
                    None => some.join("\" or \""),
                });
            }
            false => self.missing.extend(missing),
        }
    }

    fn has(&self, pattern: &WordPattern) -> bool {
        let any = |fits: &dyn Fn(&str) -> bool| self.words.iter().any(|word| fits(word));
        match pattern {
            WordPattern::Exact(word) => any(&|form| form == word),
            WordPattern::Prefix(stem) => any(&|form| form.starts_with(stem.as_str())),
            WordPattern::Forms(word) => {
                let forms = inflect::forms(word);
                any(&|form| {
                    forms.iter().any(|known| known == form)
                        || (form == "'s" && matches!(word.as_str(), "is" | "has"))
                })
            }
        }
    }
}

/// A phrase of nothing but words in a row, as it would be written.
fn plain_words(phrase: &Phrase) -> Option<String> {
    match phrase {
        Phrase::Word(WordPattern::Forms(word) | WordPattern::Exact(word)) => Some(word.clone()),
        Phrase::Word(WordPattern::Prefix(stem)) => Some(format!("{stem}*")),
        Phrase::Row(parts) => Some(parts.iter().map(plain_words).collect::<Option<Vec<_>>>()?.join(" "))
            .filter(|all| !all.is_empty()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrase_that_lacks_least_is_nearest() {
        let written = |text: &str| Written { file: 0, range: 0..0, text: text.to_owned() };
        let all = [
            written("part[-]time timetable"),
            written("only ... (mornings | afternoons)"),
            written("no roll"),
        ];
        let found = nearest(all.iter(), "He goes in the mornings", &Lists::new()).expect("one is near");
        assert_eq!(found.written.text, "only ... (mornings | afternoons)");
        assert_eq!(found.missing, ["only"]);
        assert_eq!(nearest(all.iter(), "Thank you", &Lists::new()), None);
        let turned = nearest(all.iter(), "The mornings only", &Lists::new()).expect("one is near");
        assert!(turned.missing.is_empty(), "all words are there, in another order");
    }
}
