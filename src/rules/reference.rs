//! The matcher against a naive one that tries everything: on random phrases and texts both must find the same.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::Zone;
use super::lexicon::Builder;
use super::matcher::Matcher;
use super::phrase::{Phrase, WordPattern};
use super::places::Places;
use super::program::{self, Lists};
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
    fn the_matcher_finds_what_a_naive_one_finds(phrase in phrase(), text in texts()) {
        prop_assume!(must_hold_a_word(&phrase));
        let mut words = Vec::new();
        text::words(&text, |word| words.push((word.form.to_owned(), word.boundary)));
        let expected: Vec<BTreeSet<usize>> = (0..words.len())
            .map(|at| ends(&phrase, at, at, &words).into_iter().filter(|end| *end > at).collect())
            .collect();

        let mut terms = Builder::new();
        let program = program::compile(&phrase, &Lists::new(), &mut terms).expect("a small phrase");
        let lexicon = terms.finish(Spellings::default());
        let zone = ZoneText::read(Zone::New, &text, &lexicon, &Places::default(), Vec::new());
        let matcher = Matcher::new(vec![program], lexicon.len());
        let hits = matcher.find(&zone, NaiveDate::default());

        let mut free = 0;
        for hit in &hits {
            prop_assert!(hit.tokens.start >= free, "overlapping {hit:?}");
            prop_assert!(expected[hit.tokens.start].contains(&hit.tokens.end), "{phrase:?}\n{text}\n{hit:?}");
            prop_assert!((free..hit.tokens.start).all(|at| expected[at].is_empty()), "missed one before {hit:?}: {phrase:?}\n{text}");
            free = hit.tokens.end;
        }
        prop_assert!((free..words.len()).all(|at| expected[at].is_empty()), "missed one at the end: {phrase:?}\n{text}");
    }
}
