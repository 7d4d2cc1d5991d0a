//! Towns, villages and postcodes of `areas.yaml`, found in a zone: the longest name wins.

use std::collections::HashMap;

use super::lexicon::{Builder, Term};
use super::phrase::WordPattern;
use super::text::{self, Break};
use super::zone::{Span, Value, ZoneText};

/// Words that make a name the name of a school, when they begin with a capital.
const SCHOOL_WORDS: &[&str] = &[
    "school",
    "schools",
    "primary",
    "academy",
    "college",
    "jmi",
    "nursery",
    "infant",
    "infants",
    "junior",
    "juniors",
    "high",
    "grammar",
    "secondary",
    "lower",
    "middle",
    "preschool",
    "kindergarten",
    "federation",
];

/// All places.
#[derive(Debug, Default)]
pub struct Places {
    /// By the term of their first word; longest first.
    by_first: Vec<Vec<Name>>,
    /// Outward codes (`SG5`) and their areas of letters (`AL`), upper case.
    postcodes: HashMap<String, usize>,
}

#[derive(Debug)]
struct Name {
    rest: Vec<Term>,
    area: usize,
    capital_only: bool,
}

impl Places {
    /// Adds a place or postcode; false where the same one is known to lie in another area.
    pub fn add(&mut self, written: &str, area: usize, capital_only: bool, terms: &mut Builder) -> bool {
        if is_postcode(written) {
            return self.postcodes.insert(written.to_owned(), area).is_none_or(|before| before == area);
        }
        let mut all = Vec::new();
        text::words(written, |word| {
            if !word.traits.skippable {
                all.push(terms.term(WordPattern::Exact(word.form.to_owned())));
            }
        });
        let mut all = all.into_iter();
        let Some(first) = all.next() else { return true };
        let name = Name { rest: all.collect(), area, capital_only };
        let first = first as usize;
        if self.by_first.len() <= first {
            self.by_first.resize_with(first + 1, Vec::new);
        }
        let Some(names) = self.by_first.get_mut(first) else { return true };
        let clash = names.iter().any(|known| known.rest == name.rest && known.area != area);
        names.push(name);
        names.sort_by_key(|name| std::cmp::Reverse(name.rest.len()));
        !clash
    }

    /// All places in a zone, in order, not overlapping.
    pub fn find(&self, zone: &ZoneText<'_>) -> Vec<Span> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(token) = zone.tokens.get(at) {
            let name = zone
                .terms(token)
                .iter()
                .filter_map(|term| self.by_first.get(*term as usize))
                .flatten()
                .filter_map(|name| Some((self.name_end(zone, at, name)?, name.area, false)))
                .max_by_key(|(end, ..)| *end);
            let place = name.or_else(|| self.postcode(zone, at));
            if let Some((end, area, postcode)) = place {
                let in_school_name = !postcode && in_school_name(zone, at, end);
                found.push(Span { tokens: at..end, value: Value::Place { area, postcode, in_school_name } });
                at = end;
            } else {
                at += 1;
            }
        }
        found
    }

    fn name_end(&self, zone: &ZoneText<'_>, at: usize, name: &Name) -> Option<usize> {
        if name.capital_only && !zone.tokens.get(at)?.capital {
            return None;
        }
        let mut end = at + 1;
        for term in &name.rest {
            // "Bishop's Stortford": the possessive is stepped over.
            while zone.tokens.get(end)?.skippable {
                end += 1;
            }
            let token = zone.tokens.get(end)?;
            if token.boundary == Break::Hard || !zone.satisfies(token, *term) {
                return None;
            }
            end += 1;
        }
        Some(end)
    }

    fn postcode(&self, zone: &ZoneText<'_>, at: usize) -> Option<(usize, usize, bool)> {
        let token = zone.tokens.get(at)?;
        let written = zone.text.get(token.range.clone())?;
        let letters = written.bytes().take_while(u8::is_ascii_alphabetic).count();
        if !(1..=2).contains(&letters) || written.len() > 7 || self.postcodes.is_empty() {
            return None;
        }
        // "he", "to" and "my" are no outward codes, which have a digit after their letters.
        if !written.as_bytes().get(letters).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let upper = written.to_ascii_uppercase();
        let (outward, whole) = outward_code(&upper)?;
        let area = self.postcodes.get(outward).or_else(|| self.postcodes.get(outward.get(..letters)?))?;
        // "SG5 2AB": the second half belongs to it. The tokeniser makes "2" and "ab" of it.
        let rest = zone.text.get(token.range.end..).unwrap_or_default();
        let inward = rest.strip_prefix(' ').unwrap_or(rest).as_bytes();
        let inward = !whole
            && matches!(inward, [d, a, b, ..] if d.is_ascii_digit() && a.is_ascii_alphabetic() && b.is_ascii_alphabetic())
            && !inward.get(3).is_some_and(u8::is_ascii_alphanumeric);
        Some((at + if inward { 3 } else { 1 }, *area, true))
    }
}

/// Upper-case letters, or such letters with digits: `AL`, `SG5`, `EC1A`.
fn is_postcode(written: &str) -> bool {
    let letters = written.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = written.as_bytes().get(letters..).unwrap_or_default();
    (1..=2).contains(&letters)
        && (rest.is_empty() && letters == 2
            || rest.len() <= 3
                && rest.first().is_some_and(u8::is_ascii_digit)
                && rest.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()))
}

/// The outward code of `SG5` or `SG52AB`, and whether an inward code was attached.
fn outward_code(upper: &str) -> Option<(&str, bool)> {
    let fits = |code: &str| {
        let letters = code.bytes().take_while(u8::is_ascii_alphabetic).count();
        let rest = code.as_bytes().get(letters..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (1..=2).contains(&digits)
            && rest.len() <= digits + 1
            && rest.iter().skip(digits).all(u8::is_ascii_alphabetic)
    };
    if upper.len() <= 4 && fits(upper) {
        return Some((upper, false));
    }
    let (outward, inward) = upper.split_at_checked(upper.len().checked_sub(3)?)?;
    let inward_fits = matches!(inward.as_bytes(), [d, a, b] if d.is_ascii_digit() && a.is_ascii_alphabetic() && b.is_ascii_alphabetic());
    (inward_fits && fits(outward)).then_some((outward, true))
}

/// "Hitchin Girls' School", "St Albans High", "Broadhall Primary, Stevenage": a school word in capitals close by.
fn in_school_name(zone: &ZoneText<'_>, start: usize, end: usize) -> bool {
    let is_school_word = |index: usize| {
        zone.tokens.get(index).is_some_and(|token| {
            let written = zone.text.get(token.range.clone()).unwrap_or_default();
            token.capital && SCHOOL_WORDS.contains(&written.to_ascii_lowercase().as_str())
        })
    };
    for index in end..end + 4 {
        let Some(token) = zone.tokens.get(index) else { break };
        if token.boundary != Break::None {
            break;
        }
        if is_school_word(index) {
            return true;
        }
        if !token.capital && !token.skippable {
            break;
        }
    }
    (start.saturating_sub(2)..start)
        .rev()
        .take_while(|index| zone.tokens.get(index + 1).is_some_and(|t| t.boundary == Break::None))
        .any(is_school_word)
}
