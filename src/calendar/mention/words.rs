//! A text as words, numbers and marks, each with its place, and the words of the calendar among them.

use std::ops::Range;

use chrono::Weekday;

use super::lead;

/// A word, a run of digits, or a single mark.
#[derive(Debug, Clone)]
struct Word<'t> {
    range: Range<usize>,
    /// Lower case and without `'s` or `'`; every dash is `-`.
    text: &'t str,
    capital: bool,
    glued: bool,
    /// A mention may begin here.
    begins: bool,
}

/// All words of a text. Asking beyond either end gives the empty word, so that patterns need no bounds.
#[derive(Debug)]
pub struct Words<'t> {
    words: Vec<Word<'t>>,
}

impl<'t> Words<'t> {
    /// Cuts a text; `lower` is the same text in ASCII lower case.
    pub fn cut(text: &str, lower: &'t str) -> Self {
        let mut words = Vec::with_capacity(text.len() / 4);
        let (bytes, written) = (lower.as_bytes(), text.as_bytes());
        let character = |at: usize| lower.get(at..).and_then(|rest| rest.chars().next());
        let (mut at, mut end_before) = (0, 0);
        while let Some(byte) = bytes.get(at) {
            // Nearly everything is ASCII, and told by one byte.
            let Some(first) = (if byte.is_ascii() { Some(char::from(*byte)) } else { character(at) }) else {
                break;
            };
            let start = at;
            at += first.len_utf8();
            if first.is_whitespace() {
                continue;
            }
            let mut stem_end = at;
            if first.is_ascii_digit() {
                while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                    at += 1;
                }
                stem_end = at;
            } else if first.is_alphabetic() {
                while bytes.get(at).is_some_and(u8::is_ascii_lowercase) {
                    at += 1;
                }
                stem_end = at;
                let mut in_stem = true;
                while let Some(byte) = bytes.get(at) {
                    let c = if byte.is_ascii() { char::from(*byte) } else { character(at).unwrap_or(' ') };
                    if !c.is_alphabetic() && !is_apostrophe(c) {
                        break;
                    }
                    in_stem &= !is_apostrophe(c);
                    at += c.len_utf8();
                    if in_stem {
                        stem_end = at;
                    }
                }
            }
            let capital = match written.get(start) {
                Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
                _ => text.get(start..).is_some_and(|rest| rest.starts_with(char::is_uppercase)),
            };
            let stem = lower.get(start..stem_end).unwrap_or_default();
            words.push(Word {
                range: start..at,
                text: if is_dash(first) { "-" } else { stem },
                capital,
                glued: start == end_before && start > 0,
                begins: false,
            });
            end_before = at;
        }
        Self { words }
    }

    /// Marks the words with which a mention may begin: those from which other such words lead to the heart of one.
    pub fn mark(&mut self) {
        let mut leads = false;
        for word in self.words.iter_mut().rev() {
            let part = lead::part(word.text);
            leads = part & lead::HEART != 0 || leads && part & lead::LEADS != 0;
            word.begins = leads && part & lead::BEGINS != 0;
        }
    }

    /// Whether a mention may begin with this word.
    pub fn may_begin(&self, i: usize) -> bool {
        self.words.get(i).is_some_and(|word| word.begins)
    }

    /// Any word may.
    #[cfg(test)]
    pub fn mark_all(&mut self) {
        self.words.iter_mut().for_each(|word| word.begins = true);
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The word at this place; empty beyond the end.
    pub fn at(&self, i: usize) -> &'t str {
        self.words.get(i).map_or("", |word| word.text)
    }

    /// The word so many places before this one.
    pub fn before(&self, i: usize, back: usize) -> &'t str {
        i.checked_sub(back).map_or("", |place| self.at(place))
    }

    /// Whether the word begins with a capital letter.
    pub fn is_capital(&self, i: usize) -> bool {
        self.words.get(i).is_some_and(|word| word.capital)
    }

    /// Whether nothing stands between this word and the one before.
    pub fn is_glued(&self, i: usize) -> bool {
        self.words.get(i).is_some_and(|word| word.glued)
    }

    /// The number at this place, if it has at most four digits.
    pub fn number(&self, i: usize) -> Option<u32> {
        let text = self.at(i);
        if text.len() > 4 || !text.starts_with(|c: char| c.is_ascii_digit()) {
            None
        } else {
            text.parse().ok()
        }
    }

    /// How many digits the number at this place has; 0 if it is none.
    pub fn digits(&self, i: usize) -> usize {
        let text = self.at(i);
        if text.starts_with(|c: char| c.is_ascii_digit()) { text.len() } else { 0 }
    }

    /// The place after these words, if they stand here.
    pub fn follow(&self, i: usize, wanted: &[&str]) -> Option<usize> {
        wanted.iter().enumerate().all(|(k, word)| self.at(i + k) == *word).then(|| i + wanted.len())
    }

    /// This place, or the next if an optional word of these stands here.
    pub fn skip(&self, i: usize, optional: &[&str]) -> usize {
        if optional.contains(&self.at(i)) { i + 1 } else { i }
    }

    /// Bytes of the text from the first of these words to the one before `end`.
    pub fn range(&self, first: usize, end: usize) -> Range<usize> {
        let start = self.words.get(first).map_or(0, |word| word.range.start);
        let end =
            end.checked_sub(1).and_then(|last| self.words.get(last)).map_or(start, |word| word.range.end);
        start..end.max(start)
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{2bc}' | '`' | '\u{b4}')
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Whether the word is one of these, which stand with spaces between.
pub fn is_among(word: &str, list: &str) -> bool {
    let (word, mut rest) = (word.as_bytes(), list.as_bytes());
    while !word.is_empty() && rest.len() >= word.len() {
        if rest.starts_with(word) && rest.get(word.len()).is_none_or(|next| *next == b' ') {
            return true;
        }
        let space = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        rest = rest.get(space + 1..).unwrap_or_default();
    }
    false
}

/// "tomorrow", as it is spelt.
pub fn is_tomorrow(word: &str) -> bool {
    matches!(
        word,
        "tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tomorro" | "tmrw" | "tmw" | "tomo" | "tomoz"
    )
}

/// A day of the week written out.
pub fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" => Weekday::Mon,
        "tuesday" | "teusday" | "tueday" => Weekday::Tue,
        "wednesday" | "wensday" | "wednesay" | "wendesday" | "wedensday" => Weekday::Wed,
        "thursday" | "thrusday" | "thurday" => Weekday::Thu,
        "friday" | "firday" => Weekday::Fri,
        "saturday" | "saterday" => Weekday::Sat,
        "sunday" => Weekday::Sun,
        _ => return None,
    })
}

/// A day of the week cut short; some of these are other words too.
pub fn short_weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "mon" => Weekday::Mon,
        "tue" | "tues" => Weekday::Tue,
        "wed" | "weds" => Weekday::Wed,
        "thu" | "thur" | "thurs" => Weekday::Thu,
        "fri" => Weekday::Fri,
        "sat" => Weekday::Sat,
        "sun" => Weekday::Sun,
        _ => return None,
    })
}

/// A month, written out, cut short, or as it is often misspelt.
pub fn month(word: &str) -> Option<u32> {
    Some(match word {
        "january" | "jan" | "janurary" | "januray" | "janaury" | "janury" | "jannuary" => 1,
        "february" | "febuary" | "feburary" | "feburay" | "februrary" | "febrary" | "feb" => 2,
        "march" | "mar" => 3,
        "april" | "apr" | "apirl" | "aprill" => 4,
        "may" => 5,
        "june" | "jun" => 6,
        "july" | "jul" => 7,
        "august" | "aug" | "augst" | "agust" | "auguest" => 8,
        "september" | "septmber" | "setember" | "septemeber" | "septembr" | "spetember" | "septermber"
        | "sept" | "sep" => 9,
        "october" | "ocotber" | "ocotober" | "octobre" | "octber" | "otober" | "oct" => 10,
        "november" | "novemeber" | "novmber" | "novembr" | "novemer" | "novemebr" | "novermber" | "nov" => 11,
        "december" | "decemeber" | "decmber" | "desember" | "decembr" | "decemebr" | "decemer"
        | "decembre" | "dec" => 12,
        _ => return None,
    })
}

/// A number in words, `one` to `ninety`.
pub fn number_word(word: &str) -> Option<u32> {
    Some(match word {
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        "thirty" => 30,
        "forty" | "fourty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        _ => return None,
    })
}

/// A place in order in words, `first` to `twentieth`, and `thirtieth`.
pub fn ordinal_word(word: &str) -> Option<u32> {
    Some(match word {
        "first" => 1,
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "tenth" => 10,
        "eleventh" => 11,
        "twelfth" => 12,
        "thirteenth" => 13,
        "fourteenth" => 14,
        "fifteenth" => 15,
        "sixteenth" => 16,
        "seventeenth" => 17,
        "eighteenth" => 18,
        "nineteenth" => 19,
        "twentieth" => 20,
        "thirtieth" => 30,
        _ => return None,
    })
}
