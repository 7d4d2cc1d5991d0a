//! The worst rules and texts that the limits allow: what they cost is counted in steps, not in time.
//!
//! A step is one part of a phrase worked out for 64 words, one look at a condition, or one trigger weighed.

use chrono::NaiveDate;

use super::*;
use crate::message::NewText;

/// Steps for this text by rules with these conditions, and whether it was read whole.
fn cost(when: &str, text: &str) -> (u64, bool) {
    let rules = format!("grounds:\n  - id: U1\n    title: t\n    policy: p\n    when:\n{when}");
    let context = "negated:\n  before: [not, never, no, (a | not) not]\n  reach: sentence\n";
    let file = |name: &str, text: &str| SourceFile { name: name.into(), bytes: text.as_bytes().to_vec() };
    let files = [file("urgent.yaml", &rules), file("context.yaml", context)];
    let ruleset = compile(&files, &World::default()).unwrap_or_else(|all| {
        panic!("{}", all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    });
    let message =
        Message { new_text: NewText { new: text.into(), ..NewText::default() }, ..Message::default() };
    let received_on = NaiveDate::from_ymd_opt(2026, 9, 16).unwrap_or_default();
    let reading =
        ruleset.read(&message, &Circumstances { received_on, mailbox: "general", addressed: Addressed::To });
    (reading.steps, !reading.incomplete)
}

fn phrase(phrase: &str) -> String {
    format!("      - '{phrase}'\n")
}

/// At most so many steps for each of so many words.
fn check(what: &str, when: &str, text: &str, words: usize, steps_a_word: u64) {
    let (steps, whole) = cost(when, text);
    assert!(whole, "{what}: not read whole, {steps} steps");
    assert!(steps <= words as u64 * steps_a_word, "{what}: {steps} steps for {words} words");
}

#[test]
fn gaps_within_gaps_cost_the_same_for_every_word() {
    let gaps = vec!["a"; 21].join(" ...20 ");
    for words in [1_000, 10_000, 100_000] {
        // 20 gaps of 20 words could be divided among the words in more ways than there are atoms.
        check("gaps", &phrase(&format!("{gaps} b")), &"a ".repeat(words), words, 60);
    }
}

#[test]
fn nested_choices_cost_the_same_for_every_word() {
    let mut nested = "a".to_owned();
    for _ in 0..4 {
        nested = format!("({nested} | a a | [a] {nested})");
    }
    for words in [1_000, 20_000] {
        check("choices", &phrase(&format!("{nested} [a] {nested} b")), &"a b ".repeat(words), words, 400);
    }
}

#[test]
fn ten_thousand_dates_are_read() {
    let text = "on 3 May 2026, ".repeat(10_000);
    check("dates", &phrase("{date} ... {date ahead} ... {date past}"), &text, 40_000, 50);
}

#[test]
fn a_sentence_of_a_hundred_thousand_words_is_cut() {
    let text = "not a not ".repeat(33_333);
    let when = "      - sentence: [a, not, a ...20 not]\n      - near: [a, not, not: never]\n";
    let (steps, _) = cost(when, &text);
    assert!(steps < 21_000_000, "{steps} steps");
}

#[test]
fn what_is_too_much_is_given_up_and_said() {
    // 2,000 phrases that all begin everywhere, on all that is read of a message.
    let when: String =
        (0..1_000).map(|number| phrase(&format!("a ...20 a ...{} a", number % 20 + 1))).collect();
    let (steps, whole) = cost(&when, &"a ".repeat(200_000));
    assert!(!whole && steps < 21_000_000, "{steps} steps");
}
