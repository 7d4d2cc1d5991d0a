//! Dates and spells of time in any text, at any day of receipt: each is a stretch of the text, in order, on its side of today.
#![no_main]

use chrono::NaiveDate;
use libfuzzer_sys::fuzz_target;
use send_triage::calendar::mention::mentions;

fuzz_target!(|input: (u16, &str)| {
    let (days, text) = input;
    let Some(today) = NaiveDate::from_num_days_from_ce_opt(730_000 + i32::from(days)) else { return };
    let mut end = 0;
    for mention in mentions(text, today, &[]) {
        assert!(mention.range.start >= end && text.get(mention.range.clone()).is_some(), "{:?}", mention.range);
        end = mention.range.end;
        assert!(mention.past.is_none_or(|(first, last)| first <= last && last <= today));
        assert!(mention.ahead.is_none_or(|(first, last)| today <= first && first <= last));
    }
});
