//! The matcher against a naive one that tries everything: on random phrases and texts both must find the same.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::Zone;
use super::lexicon::Builder;
use super::matcher::{Hit, Matcher, Search};
use super::phrase::{Phrase, WordPattern};
use super::places::Places;
use super::program::{Lists, Parts};
use super::spellings::Spellings;
use super::text::{self, Break};
use super::zone::ZoneText;

const WORDS: [&str; 4] = ["ant", "bee", "cat", "not"];

fn phrase() -> impl Strategy<Value = Phrase> {
    let word = (0..WORDS.len()).prop_map(|i| Phrase::Word(WordPattern::Exact(WORDS[i].to_owned())));
    word.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Phrase::Row),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Phrase::Either),
            inner.clone().prop_map(|inner| Phrase::Maybe(Box::new(inner))),
            (inner.clone(), 1..3_usize, inner).prop_map(|(a, gap, b)| Phrase::Row(vec![
                a,
                Phrase::Gap(gap),
                b
            ])),
        ]
    })
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => (0..WORDS.len()).prop_map(|i| WORDS[i]), 1 => Just("dog"), 1 => Just("!")];
    prop::collection::vec(piece, 0..14).prop_map(|words| words.join(" "))
}

/// All ends of matches that begin here. `start` is where the whole match began.
fn ends(phrase: &Phrase, at: usize, start: usize, words: &[(String, Break)]) -> BTreeSet<usize> {
    let step = |at: usize| words.get(at).filter(|(_, boundary)| at == start || *boundary == Break::None);
    match phrase {
        Phrase::Word(WordPattern::Exact(word)) => {
            step(at).filter(|(form, _)| form == word).map(|_| at + 1).into_iter().collect()
        }
        Phrase::Row(parts) => parts.iter().fold(BTreeSet::from([at]), |from, part| {
            from.into_iter().flat_map(|at| ends(part, at, start, words)).collect()
        }),
        Phrase::Either(parts) => parts.iter().flat_map(|part| ends(part, at, start, words)).collect(),
        Phrase::Maybe(inner) => ends(inner, at, start, words).into_iter().chain([at]).collect(),
        Phrase::Gap(most) => {
            let mut all = BTreeSet::from([at]);
            let mut end = at;
            for _ in 0..*most {
                if step(end).is_none() {
                    break;
                }
                end += 1;
                all.insert(end);
            }
            all
        }
        _ => BTreeSet::new(),
    }
}

/// The end of the match that is taken of all: the first alternative (words after groups), with rather than without, the
/// shortest gap; then what follows.
fn taken(
    phrase: &Phrase,
    at: usize,
    start: usize,
    words: &[(String, Break)],
    then: &dyn Fn(usize) -> Option<usize>,
) -> Option<usize> {
    match phrase {
        Phrase::Word(_) => ends(phrase, at, start, words).first().and_then(|end| then(*end)),
        Phrase::Row(parts) => match parts.split_first() {
            Some((first, rest)) => taken(first, at, start, words, &|at| {
                taken(&Phrase::Row(rest.to_vec()), at, start, words, then)
            }),
            None => then(at),
        },
        Phrase::Either(parts) => {
            let (single, groups): (Vec<&Phrase>, Vec<&Phrase>) =
                parts.iter().partition(|part| matches!(part, Phrase::Word(_)));
            groups.into_iter().chain(single).find_map(|part| taken(part, at, start, words, then))
        }
        Phrase::Maybe(inner) => taken(inner, at, start, words, then).or_else(|| then(at)),
        Phrase::Gap(_) => ends(phrase, at, start, words).into_iter().find_map(then),
        _ => None,
    }
}

fn must_hold_a_word(phrase: &Phrase) -> bool {
    match phrase {
        Phrase::Word(_) => true,
        Phrase::Row(parts) => parts.iter().any(must_hold_a_word),
        Phrase::Either(parts) => parts.iter().all(must_hold_a_word),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_finds_what_a_naive_one_finds(phrase in phrase(), text in texts(), long: bool) {
        prop_assume!(must_hold_a_word(&phrase));
        // A sentence of more than 64 words goes another way.
        let text = if long { format!("{} {text}", "dog ".repeat(60)) } else { text };
        let mut words = Vec::new();
        text::words(&text, |word| words.push((word.form.to_owned(), word.boundary)));
        let expected: Vec<BTreeSet<usize>> = (0..words.len())
            .map(|at| ends(&phrase, at, at, &words).into_iter().filter(|end| *end > at).collect())
            .collect();

        let (mut terms, mut parts) = (Builder::new(), Parts::default());
        let program = parts.compile(&phrase, &Lists::new(), &mut terms).expect("a small phrase");
        let (lexicon, sets) = terms.finish(Spellings::default());
        let zones = [ZoneText::read(Zone::New, &text, &lexicon, &Places::default(), Vec::new(), |_, _| {})];
        let matcher = Matcher::new(vec![program], parts, sets, lexicon.len(), &[]);
        let mut search = Search::new(&matcher, &zones, NaiveDate::default());
        let pages = 0..search.pages().len();
        let hits: Vec<Hit> = pages
            .flat_map(|page| search.hits(page, 0).iter().map(|placed| (*placed.hit).clone()).collect::<Vec<_>>())
            .collect();

        let mut free = 0;
        for hit in &hits {
            prop_assert!(hit.tokens.start >= free, "overlapping {hit:?}");
            prop_assert!(expected[hit.tokens.start].contains(&hit.tokens.end), "{phrase:?}\n{text}\n{hit:?}");
            let first = taken(&phrase, hit.tokens.start, hit.tokens.start, &words, &|end| {
                (end > hit.tokens.start).then_some(end)
            });
            prop_assert_eq!(first, Some(hit.tokens.end), "another way: {:?}\n{}", phrase, text);
            prop_assert!((free..hit.tokens.start).all(|at| expected[at].is_empty()), "missed one before {hit:?}: {phrase:?}\n{text}");
            free = hit.tokens.end;
        }
        prop_assert!((free..words.len()).all(|at| expected[at].is_empty()), "missed one at the end: {phrase:?}\n{text}");
    }
}
