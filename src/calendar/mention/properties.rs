//! What holds for every text on every day.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::tests::{WEDNESDAY, day, terms};
use super::*;

proptest! {
    #[test]
    fn any_text_on_any_day(text in "\\PC*", at in -95_000_000_i32..95_000_000) {
        if let Some(on) = NaiveDate::from_num_days_from_ce_opt(at) {
            hold(&text, on);
        }
    }

    #[test]
    fn words_that_are_passed_over_begin_no_mention(words in proptest::collection::vec(proptest::sample::select(literals()), 1..10)) {
        let text = words.join(" ");
        let lower = text.to_ascii_lowercase();
        let mut words = Words::cut(&text, &lower);
        words.mark_all();
        let all = read(Reader { words, today: day(WEDNESDAY), terms: &terms() });
        prop_assert_eq!(mentions(&text, day(WEDNESDAY), &terms()), all, "{}", text);
    }

    #[test]
    fn calendar_words_in_any_order(words in proptest::collection::vec(prop_oneof![
        Just("Friday"), Just("week"), Just("the"), Just("7th"), Just("of"), Just("May"), Just("next"), Just("last"), Just("half"),
        Just("term"), Just("in"), Just("3"), Just("weeks"), Just("ago"), Just("/"), Just("25/9"), Just("2026"), Just("end"), Just("-"),
        Just("w/c"), Just("on"), Just("since"), Just("Easter"), Just("a"), Just("31"), Just("Sept"), Just("99/99/9999"), Just("9999"),
        Just("months"), Just("years"), Just("before"), Just("after"), Just("\u{2019}"), Just("é"), Just("Month"), Just("this"),
    ], 0..12), joined in any::<bool>(), ends in 0..4) {
        let text = words.join(if joined { "" } else { " " });
        let on = [day(WEDNESDAY), day("2024-02-29"), NaiveDate::MIN, NaiveDate::MAX][ends as usize];
        hold(&text, on);
    }
}

#[test]
fn the_first_day_that_there_is_has_no_last_friday() {
    hold("last Friday", NaiveDate::MIN);
    hold("next Friday", NaiveDate::MAX);
}

/// All words and marks that the patterns name, and some that they do not.
fn literals() -> Vec<String> {
    let sources = [
        include_str!("counted.rs"),
        include_str!("dated.rs"),
        include_str!("duration.rs"),
        include_str!("mod.rs"),
        include_str!("relative.rs"),
        include_str!("school.rs"),
        include_str!("tense.rs"),
        include_str!("weekday.rs"),
        include_str!("words.rs"),
    ];
    let mut all: Vec<String> = sources
        .iter()
        .flat_map(|source| source.split("mod tests {").next().unwrap_or_default().lines())
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .flat_map(str::split_ascii_whitespace)
        .map(str::to_owned)
        .collect();
    all.extend(
        ["7", "2027", "25", "3", "school", "says", "he", "Friday", "Fridays", "May"].map(str::to_owned),
    );
    all.sort();
    all.dedup();
    all
}

/// What holds for every text: in order, apart, on character bounds, not empty, each reading on its side of today.
fn hold(text: &str, on: NaiveDate) {
    let mut end = 0;
    for mention in mentions(text, on, &terms()) {
        assert!(mention.range.start >= end && mention.range.end > mention.range.start);
        assert!(text.get(mention.range.clone()).is_some());
        assert!(mention.past.is_some() || mention.ahead.is_some());
        assert!(mention.past.is_none_or(|(first, last)| first <= last && last <= on));
        assert!(mention.ahead.is_none_or(|(first, last)| on <= first && first <= last));
        end = mention.range.end;
    }
    let _ = (durations(text), week_numbers(text));
}
