//! What people write, and what it means on the day on which it arrives: text, as past, as ahead. Empty: no such reading;
//! both empty: no date at all.

use chrono::NaiveDate;

use super::*;

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

pub(super) fn terms() -> Vec<Term> {
    let term = |name: &str, first, last, from, to| Term {
        name: name.to_owned(),
        first: day(first),
        last: day(last),
        half_term: (day(from), day(to)),
    };
    vec![
        term("autumn", "2025-09-02", "2025-12-19", "2025-10-27", "2025-10-31"),
        term("spring", "2026-01-05", "2026-03-27", "2026-02-16", "2026-02-20"),
        term("summer", "2026-04-13", "2026-07-21", "2026-05-25", "2026-05-29"),
        term("autumn", "2026-09-03", "2026-12-18", "2026-10-26", "2026-10-30"),
        term("spring", "2027-01-04", "2027-03-25", "2027-02-15", "2027-02-19"),
        term("summer", "2027-04-12", "2027-07-21", "2027-05-31", "2027-06-04"),
    ]
}

fn shown(period: Option<(NaiveDate, NaiveDate)>) -> String {
    period.map_or_else(String::new, |(first, last)| {
        if first == last { first.to_string() } else { format!("{first}..{last}") }
    })
}

/// Every line, and all that are wrong at once.
fn check(received: &str, lines: &[(&str, &str, &str)]) {
    let mut wrong = String::new();
    for (text, past, ahead) in lines {
        let found = mentions(text, day(received), &terms());
        let readings: Vec<_> = found.iter().map(|m| (shown(m.past), shown(m.ahead))).collect();
        let wanted: Vec<_> = Some(((*past).to_owned(), (*ahead).to_owned()))
            .filter(|_| !(past.is_empty() && ahead.is_empty()))
            .into_iter()
            .collect();
        if readings != wanted {
            let words: Vec<_> = found.iter().map(|m| &text[m.range.clone()]).collect();
            wrong += &format!("{text:?}\n   wanted {wanted:?}\n   found  {readings:?} in {words:?}\n");
        }
    }
    assert!(wrong.is_empty(), "received {received}:\n{wrong}");
}

/// A Wednesday in term.
pub(super) const WEDNESDAY: &str = "2026-09-16";

#[test]
fn days_of_the_week() {
    check(
        WEDNESDAY,
        &[
            ("We are moving this Friday.", "", "2026-09-18"),
            ("The head wants to see me on Friday", "2026-09-11", "2026-09-18"),
            ("we move next Friday", "", "2026-09-18..2026-09-25"),
            ("next Monday he starts", "", "2026-09-21"),
            ("I emailed last Friday", "2026-09-11", ""),
            ("I emailed last Tuesday", "2026-09-08..2026-09-15", ""),
            ("this Monday we had a meeting", "2026-09-14", "2026-09-21"),
            ("this coming Friday", "", "2026-09-18"),
            ("a week on Friday", "", "2026-09-25"),
            ("Friday week", "", "2026-09-25"),
            ("a fortnight on Friday", "", "2026-10-02"),
            ("on Friday last", "2026-09-11", ""),
            ("Friday just gone", "2026-09-11", ""),
            ("He has been home since Monday", "2026-09-14", ""),
            ("off since last Thursday", "2026-09-10", ""),
            ("on Wednesday", "2026-09-09..2026-09-16", "2026-09-16..2026-09-23"),
            ("this Wednesday", "2026-09-16", "2026-09-16"),
            ("Monday's meeting", "2026-09-14", "2026-09-21"),
            ("by Fri please", "2026-09-11", "2026-09-18"),
            ("on Thurs", "2026-09-10", "2026-09-17"),
            ("Friday of next week", "", "2026-09-25"),
            ("on Friday next week", "", "2026-09-25"),
            ("Monday last week", "2026-09-07", ""),
            ("on Friday morning", "2026-09-11", "2026-09-18"),
            ("Friday before last", "2026-09-04", ""),
        ],
    );
}

#[test]
fn habits_and_other_words_are_no_days() {
    check(
        WEDNESDAY,
        &[
            ("He goes every Monday", "", ""),
            ("I work Monday to Thursday", "", ""),
            ("Mon-Fri 9-5", "", ""),
            ("Mondays are hard", "", ""),
            ("She sat down on the floor", "", ""),
            ("the sat nav", "", ""),
            ("sitting in the sun", "", ""),
            ("he last sat an exam", "", ""),
            ("a second opinion", "", ""),
            ("the following Friday", "", ""),
            ("in Monday, Wednesday and Friday mornings", "", ""),
            ("she has a Saturday job", "", ""),
            ("Happy Friday!", "", ""),
            ("Merry Christmas", "", ""),
            ("he came out one Thursday and said", "", ""),
        ],
    );
}

#[test]
fn a_weekday_with_its_date() {
    check(
        WEDNESDAY,
        &[
            ("Friday 25 September", "", "2026-09-25"),
            ("Friday, 25th September 2026", "", "2026-09-25"),
            ("Fri 25 Sept", "", "2026-09-25"),
            ("Sat 26th Sept", "", "2026-09-26"),
            ("Friday the 25th", "", "2026-09-25"),
            ("Friday 4th", "2026-09-04", ""),
            ("on Friday 25/9", "", "2026-09-25"),
            ("the following Friday, 2nd October", "", "2026-10-02"),
            ("Saturday 26th rather than", "", "2026-09-26"),
            ("last Wednesday (the 9th)", "2026-09-09", ""),
            ("next Weds (23rd)", "", "2026-09-23"),
            ("we get the keys on Friday coming", "", "2026-09-18"),
            ("Thursday (10th September)", "2026-09-10", ""),
        ],
    );
}

#[test]
fn dates_in_figures() {
    check(
        WEDNESDAY,
        &[
            ("25/09/26", "", "2026-09-25"),
            ("25/9/2026", "", "2026-09-25"),
            ("25.9.2026", "", "2026-09-25"),
            ("25-09-2026", "", "2026-09-25"),
            ("2026-09-25", "", "2026-09-25"),
            ("12/01/27", "", "2027-01-12"),
            ("09/25/2026", "", "2026-09-25"),
            ("we move 25/9", "2025-09-25", "2026-09-25"),
            ("on 1/10", "2025-10-01", "2026-10-01"),
            ("(dob 14/3/17)", "2017-03-14", ""),
            ("DOB: 14/03/2017.", "2017-03-14", ""),
            ("since 1/9 he has", "2026-09-01", ""),
        ],
    );
}

#[test]
fn figures_that_are_no_dates() {
    check(
        WEDNESDAY,
        &[
            ("1/2 term", "", ""),
            ("about 1/2 hour a day", "", ""),
            ("he needs 24/7 care", "", ""),
            ("1/1 support", "", ""),
            ("9/10 times", "", ""),
            ("at 9.30", "", ""),
            ("at 9.30am and 15:45", "", ""),
            ("call 01992 555 123", "", ""),
            ("0300 123 4043", "", ""),
            ("ref 12/3/26/45", "", ""),
            ("EHC-12/3", "", ""),
            ("SG1 2AB", "", ""),
            ("Year 7", "", ""),
            ("Key Stage 2", "", ""),
            ("she is 7 now", "", ""),
            ("the 2025/26 year", "", ""),
            ("2-3 hours", "", ""),
            ("version 1.2.3", "", ""),
            ("550 5.1.10 no such user", "", ""),
            ("SEND-7K4M-2Q9X", "", ""),
            ("31/2/2026", "", ""),
            ("costs of 25.50", "", ""),
        ],
    );
}

#[test]
fn days_of_a_month() {
    check(
        WEDNESDAY,
        &[
            ("25th Sept", "2025-09-25", "2026-09-25"),
            ("Sept 25th", "2025-09-25", "2026-09-25"),
            ("September 25, 2026", "", "2026-09-25"),
            ("the 25th of September", "2025-09-25", "2026-09-25"),
            ("on 3 October 2026", "", "2026-10-03"),
            ("3rd Oct 26", "", "2026-10-03"),
            ("25-Sep-2026", "", "2026-09-25"),
            ("since 14 September", "2026-09-14", ""),
            ("14 September last year", "2025-09-14", ""),
            ("7 to 11 October", "2025-10-07..2025-10-11", "2026-10-07..2026-10-11"),
            ("7th - 11th October 2026", "", "2026-10-07..2026-10-11"),
            ("on 5/6 October", "2025-10-05..2025-10-06", "2026-10-05..2026-10-06"),
            ("25 Sept '26", "", "2026-09-25"),
            ("5 May", "2026-05-05", "2027-05-05"),
            ("on 7 March", "2026-03-07", "2027-03-07"),
            ("May 25th", "2026-05-25", "2027-05-25"),
            ("the 16th of September", "2026-09-16", "2026-09-16"),
            ("29 February", "2024-02-29", "2028-02-29"),
        ],
    );
}

#[test]
fn days_alone() {
    check(
        WEDNESDAY,
        &[
            ("the meeting is on the 25th.", "2026-08-25", "2026-09-25"),
            ("by the 7th", "2026-09-07", "2026-10-07"),
            ("the 11th of this month", "2026-09-11", ""),
            ("the 2nd of next month", "", "2026-10-02"),
            ("until the 20th please", "2026-08-20", "2026-09-20"),
            ("on the 31st", "2026-08-31", "2026-10-31"),
            ("the 7th time I have asked", "", ""),
            ("the 3rd school to refuse", "", ""),
            ("the 2nd draft", "", ""),
            ("her 7th birthday", "", ""),
        ],
    );
}

#[test]
fn weeks_named_by_a_day() {
    check(
        WEDNESDAY,
        &[
            ("w/c 21st", "", "2026-09-21..2026-09-27"),
            ("w/c 21", "", "2026-09-21..2026-09-27"),
            ("W/C 7th September", "2026-09-07..2026-09-13", ""),
            ("week commencing 4 Jan", "", "2027-01-04..2027-01-10"),
            ("week beginning Monday 28th September", "", "2026-09-28..2026-10-04"),
            ("w/c 28/09/26", "", "2026-09-28..2026-10-04"),
            ("w/e 25/9", "", "2026-09-21..2026-09-25"),
            ("week ending Friday 2nd October", "", "2026-09-28..2026-10-02"),
        ],
    );
}

#[test]
fn today_and_around() {
    check(
        WEDNESDAY,
        &[
            ("today", "2026-09-16", "2026-09-16"),
            ("tonight", "2026-09-16", "2026-09-16"),
            ("this morning", "2026-09-16", "2026-09-16"),
            ("tomorrow", "", "2026-09-17"),
            ("tmrw", "", "2026-09-17"),
            ("TOMORROW MORNING", "", "2026-09-17"),
            ("yesterday", "2026-09-15", ""),
            ("yesterday afternoon", "2026-09-15", ""),
            ("last night", "2026-09-15", ""),
            ("the day after tomorrow", "", "2026-09-18"),
            ("the day before yesterday", "2026-09-14", ""),
            ("the other day", "2026-09-09..2026-09-15", ""),
            ("a week today", "", "2026-09-23"),
            ("it has been a week today", "2026-09-09", ""),
            ("a week tomorrow", "", "2026-09-24"),
            ("nowadays", "", ""),
        ],
    );
}

#[test]
fn weeks_months_and_years() {
    check(
        WEDNESDAY,
        &[
            ("next week", "", "2026-09-21..2026-09-27"),
            ("last week", "2026-09-07..2026-09-13", ""),
            ("this week", "2026-09-14..2026-09-16", "2026-09-16..2026-09-20"),
            ("earlier this week", "2026-09-14..2026-09-16", ""),
            ("later this week", "", "2026-09-16..2026-09-20"),
            ("early next week", "", "2026-09-21..2026-09-23"),
            ("later in the week", "", "2026-09-16..2026-09-20"),
            ("earlier in the year", "2026-01-01..2026-09-16", ""),
            ("the start of the school year", "2026-09-01..2026-09-07", "2027-09-01..2027-09-07"),
            ("the end of next week", "", "2026-09-25..2026-09-27"),
            ("by the end of the week", "2026-09-11..2026-09-13", "2026-09-18..2026-09-20"),
            ("the week after next", "", "2026-09-28..2026-10-04"),
            ("the week before last", "2026-08-31..2026-09-06", ""),
            ("this weekend", "", "2026-09-19..2026-09-20"),
            ("over the weekend", "2026-09-12..2026-09-13", "2026-09-19..2026-09-20"),
            ("last weekend", "2026-09-12..2026-09-13", ""),
            ("next weekend", "", "2026-09-19..2026-09-27"),
            ("next month", "", "2026-10-01..2026-10-31"),
            ("last month", "2026-08-01..2026-08-31", ""),
            ("end of the month", "2026-08-25..2026-08-31", "2026-09-24..2026-09-30"),
            ("at the end of this month", "", "2026-09-24..2026-09-30"),
            ("the beginning of next month", "", "2026-10-01..2026-10-07"),
            ("next year", "", "2027-01-01..2027-12-31"),
            ("last year", "2025-01-01..2025-12-31", ""),
            ("the next academic year", "", "2027-09-01..2028-07-31"),
            ("the next year 7 intake", "", ""),
        ],
    );
    check(
        "2026-09-14",
        &[("this weekend he had a seizure", "2026-09-12..2026-09-13", "2026-09-19..2026-09-20")],
    );
}

#[test]
fn counted_ahead() {
    check(
        WEDNESDAY,
        &[
            ("in 3 weeks", "", "2026-10-07"),
            ("in three weeks' time", "", "2026-10-07"),
            ("in three weeks\u{2019} time", "", "2026-10-07"),
            ("in a week's time", "", "2026-09-23"),
            ("we move in a fortnight", "", "2026-09-30"),
            ("in 10 days", "", "2026-09-26"),
            ("within the next 10 days", "", "2026-09-16..2026-09-26"),
            ("within 10 days", "", "2026-09-16..2026-09-26"),
            ("in the next couple of weeks", "", "2026-09-16..2026-09-30"),
            ("over the next week", "", "2026-09-16..2026-09-23"),
            ("in the coming weeks", "", "2026-09-16..2026-10-14"),
            ("within the week", "", "2026-09-16..2026-09-23"),
            ("in a few days", "", "2026-09-18..2026-09-21"),
            ("in two to three weeks", "", "2026-09-30..2026-10-07"),
            ("in a week or two", "", "2026-09-23..2026-09-30"),
            ("two weeks from now", "", "2026-09-30"),
            ("in less than a week", "", "2026-09-16..2026-09-22"),
            ("within 4 weeks of the review", "", ""),
            ("in 20 minutes", "", ""),
            ("three times in a day", "", ""),
        ],
    );
}

#[test]
fn counted_back() {
    check(
        WEDNESDAY,
        &[
            ("three weeks ago", "2026-08-26", ""),
            ("three weeks ago today", "2026-08-26", ""),
            ("two weeks ago on Monday", "2026-08-31", ""),
            ("we are past twenty-seven weeks", "", ""),
            ("a fortnight ago", "2026-09-02", ""),
            ("2 weeks back", "2026-09-02", ""),
            ("a couple of weeks ago", "2026-09-02", ""),
            ("ten days ago", "2026-09-06", ""),
            ("over two weeks ago", "2026-08-19..2026-09-01", ""),
            ("more than 2 weeks ago", "2026-08-19..2026-09-01", ""),
            ("a few days ago", "2026-09-11..2026-09-14", ""),
            ("two and a half weeks ago", "2026-08-29..2026-08-30", ""),
            ("12 weeks since the review", "2026-06-24", ""),
            ("5 working days ago", "2026-09-07..2026-09-09", ""),
            ("in the last 10 days", "2026-09-06..2026-09-16", ""),
            ("over the past two weeks", "2026-09-02..2026-09-16", ""),
            ("for the past 3 weeks", "", ""),
            ("for 3 weeks", "", ""),
            ("twenty-one days ago", "2026-08-26", ""),
            ("a month ago", "2026-08-14..2026-08-19", ""),
        ],
    );
}

#[test]
fn months() {
    check(
        WEDNESDAY,
        &[
            ("in March", "2026-03-01..2026-03-31", "2027-03-01..2027-03-31"),
            ("March 2027", "", "2027-03-01..2027-03-31"),
            ("in July", "2026-07-01..2026-07-31", "2027-07-01..2027-07-31"),
            ("since JUNE", "2026-06-01..2026-06-30", ""),
            ("he starts in september", "2026-09-01..2026-09-16", "2026-09-16..2026-09-30"),
            ("he starts in septemeber", "2026-09-01..2026-09-16", "2026-09-16..2026-09-30"),
            ("back in May", "2026-05-01..2026-05-31", ""),
            ("since may", "2026-05-01..2026-05-31", ""),
            ("mid-October", "2025-10-11..2025-10-21", "2026-10-11..2026-10-21"),
            ("beginning of March", "2026-03-01..2026-03-07", "2027-03-01..2027-03-07"),
            ("early November", "2025-11-01..2025-11-10", "2026-11-01..2026-11-10"),
            ("late January", "2026-01-22..2026-01-31", "2027-01-22..2027-01-31"),
            ("next January", "", "2027-01-01..2027-01-31"),
            ("last September", "2025-09-01..2025-09-30", ""),
            ("next September", "", "2027-09-01..2027-09-30"),
            ("the last week of November", "2025-11-24..2025-11-30", "2026-11-24..2026-11-30"),
            ("the third week of November", "2025-11-15..2025-11-21", "2026-11-15..2026-11-21"),
            ("1st week in October", "2025-10-01..2025-10-07", "2026-10-01..2026-10-07"),
            ("we want him back in November", "2025-11-01..2025-11-30", "2026-11-01..2026-11-30"),
            ("was it November. 2 things", "2025-11-01..2025-11-30", ""),
            ("in March last year", "2025-03-01..2025-03-31", ""),
            ("in 2025", "2025-01-01..2025-12-31", ""),
            ("it may be that he", "", ""),
            ("May I ask", "", ""),
            ("this may not work", "", ""),
            ("under section 19 may be", "", ""),
            ("they march him out", "", ""),
            ("Kind regards, June", "", ""),
            ("Dear April", "", ""),
            ("Jan Smith", "", ""),
            ("Year 5 pupils", "", ""),
        ],
    );
}

#[test]
fn the_school_year() {
    check(
        WEDNESDAY,
        &[
            ("not to bring him back after half term", "2026-06-01..2026-06-07", "2026-11-02..2026-11-08"),
            ("once each half term", "", ""),
            ("the last day of term", "2026-07-21", "2026-12-18"),
            ("since the first day of term", "2026-09-03", ""),
            ("last winter", "2025-12-01..2026-02-28", ""),
            ("after half term", "2026-06-01..2026-06-07", "2026-11-02..2026-11-08"),
            ("over half term", "2026-05-23..2026-05-31", "2026-10-24..2026-11-01"),
            ("before half-term", "2026-05-16..2026-05-22", "2026-10-17..2026-10-23"),
            ("since half term", "2026-05-23..2026-05-31", ""),
            ("the October half term", "2025-10-25..2025-11-02", "2026-10-24..2026-11-01"),
            ("end of term", "2026-07-17..2026-07-21", "2026-12-14..2026-12-18"),
            ("at the start of term", "2026-09-03..2026-09-07", "2027-01-04..2027-01-08"),
            ("next term", "", "2027-01-04..2027-03-25"),
            ("last term", "2026-04-13..2026-07-21", ""),
            ("this term", "2026-09-03..2026-09-16", "2026-09-16..2026-12-18"),
            ("the spring term", "2026-01-05..2026-03-27", "2027-01-04..2027-03-25"),
            ("in the short term", "", ""),
            ("the Easter holidays", "2026-03-28..2026-04-12", "2027-03-26..2027-04-11"),
            ("over the summer holidays", "2026-07-22..2026-09-02", "2027-07-22..2027-09-02"),
            ("at Christmas", "2025-12-24..2025-12-26", "2026-12-24..2026-12-26"),
            ("by Christmas", "2025-12-17..2025-12-23", "2026-12-17..2026-12-23"),
            ("in the new year", "2026-01-01..2026-01-14", "2027-01-01..2027-01-14"),
            ("on Easter Monday", "2026-04-06", "2027-03-29"),
            ("Good Friday", "2026-04-03", "2027-03-26"),
            ("over the summer", "2026-06-01..2026-08-31", "2027-06-01..2027-08-31"),
            ("last summer", "2026-06-01..2026-08-31", ""),
            ("the August bank holiday", "2026-08-31", "2027-08-30"),
            ("a new year group", "", ""),
        ],
    );
}

#[test]
fn several_in_one_text_in_order() {
    let text = "I emailed on 1 September and again last Friday. We move on 25/09/26, a week on Friday.";
    let found = mentions(text, day(WEDNESDAY), &[]);
    let words: Vec<_> = found.iter().map(|m| &text[m.range.clone()]).collect();
    assert_eq!(words, ["1 September", "last Friday", "25/09/26", "a week on Friday"]);
}

#[test]
fn the_tense_of_a_sentence_tells_which_year() {
    check(
        "2026-12-15",
        &[
            ("it was due on 3 March", "2026-03-03", ""),
            ("it was meant to be with us by 3 March", "2026-03-03", ""),
            ("we should have had it by 3 March", "2026-03-03", ""),
            ("the deadline was 3 March", "2026-03-03", ""),
            ("the review was on 4 September", "2026-09-04", ""),
            ("I emailed you on 3 March", "2026-03-03", ""),
            ("we moved on the 14th", "2026-12-14", ""),
            ("I rang on Friday", "2026-12-11", ""),
            // Perhaps the words of an old letter.
            ("you will be told on 4 September", "2026-09-04", "2027-09-04"),
            ("it is due on 3 March", "2026-03-03", "2027-03-03"),
            // Near, and perhaps still to come; or what was said, not when.
            ("it was due on 4 January", "2026-01-04", "2027-01-04"),
            ("he was told to stay at home until 20 February", "2026-02-20", "2027-02-20"),
            ("I emailed about the meeting on Friday", "2026-12-11", "2026-12-18"),
            ("we were told they exchange on Friday", "2026-12-11", "2026-12-18"),
            ("it was late. On 3 March we move", "2026-03-03", "2027-03-03"),
            ("it has to be moved on Friday", "2026-12-11", "2026-12-18"),
        ],
    );
}

#[test]
fn further_ways_to_say_a_day() {
    check(
        "2026-12-15",
        &[
            ("2moro", "", "2026-12-16"),
            ("two Fridays ago", "2026-12-04", ""),
            ("a week away", "", "2026-12-22"),
            ("less than a fortnight away", "", "2026-12-16..2026-12-28"),
            ("the fourth of September", "2026-09-04", "2027-09-04"),
            ("the twenty-second of December", "2025-12-22", "2026-12-22"),
            ("the first of next month", "", "2027-01-01"),
            ("the second of three meetings", "", ""),
            ("for the first time", "", ""),
            ("this wkend", "2026-12-12..2026-12-13", "2026-12-19..2026-12-20"),
        ],
    );
}
