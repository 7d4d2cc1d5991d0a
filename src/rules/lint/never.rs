//! One phrase by itself: what in it can never be found, and what hides a slip of its writer.
//!
//! Messages and phrases are cut into words by the same [`text::words`], so what that never produces can never match.

use std::ops::Range;

use super::super::diagnostic::Severity;
use super::super::phrase::{Phrase, Slot, When, WordPattern};
use super::super::text::{self, Break};

/// Hardly a sentence in an email is longer; a phrase must fit into one.
const LONGEST_SENTENCE: usize = 60;

/// Something wrong in a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Where in the phrase, in bytes.
    pub range: Range<usize>,
    /// Whether the phrase may be used all the same.
    pub severity: Severity,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

/// All that is wrong with a phrase that can be read.
pub fn slips(source: &str, phrase: &Phrase) -> Vec<Slip> {
    let mut found = Vec::new();
    damaged(source, &mut found);
    sentence_end(source, &mut found);
    fragments(source, &mut found);
    stars(source, &mut found);
    habits(source, &mut found);
    gaps(source, phrase, &mut found);
    bounds(source, phrase, &mut found);
    let least = fewest_words(phrase);
    if least > LONGEST_SENTENCE {
        found.push(Slip {
            range: 0..source.len(),
            severity: Severity::Error,
            problem: format!(
                "this phrase can never match: it asks for {least} words in one sentence, and hardly a sentence has {LONGEST_SENTENCE}"
            ),
            remedy: "Keep the few words that carry the meaning, with ... between them.".to_owned(),
        });
    }
    found
}

fn slip(range: Range<usize>, severity: Severity, problem: &str, remedy: &str) -> Slip {
    Slip { range, severity, problem: problem.to_owned(), remedy: remedy.to_owned() }
}

/// Text that was saved in one encoding and read in another; quotes that were opened and never closed.
fn damaged(source: &str, found: &mut Vec<Slip>) {
    for mark in ["\u{e2}\u{20ac}", "\u{c2}\u{a3}", "\u{c3}\u{a9}", "\u{fffd}"] {
        if let Some(at) = source.find(mark) {
            found.push(slip(
                at..at + mark.len(),
                Severity::Error,
                "these characters come from a file that was saved in the wrong encoding; no message has them",
                "Save the file as UTF-8 and write the character anew, often a curly quote or a pound sign.",
            ));
            return;
        }
    }
    let (opened, closed) = (source.matches('\u{201c}').count(), source.matches('\u{201d}').count());
    let single =
        source.starts_with('\u{2018}') && !source.get(3..).is_some_and(|rest| rest.contains('\u{2019}'));
    if opened != closed || single {
        found.push(slip(
            0..source.len(),
            Severity::Error,
            "a typographic quote in this phrase has no partner; YAML does not know these quotes and may have cut the phrase at a comma",
            "Use straight quotes: ' or \".",
        ));
    }
}

/// A phrase is found within one sentence: where the reader would end a sentence, the phrase can never go on.
fn sentence_end(source: &str, found: &mut Vec<Slip>) {
    let whole = without_marks(source);
    let mut start = 0;
    // Two alternatives do not stand one after the other.
    for plain in whole.split('|') {
        let (mut last_end, mut said) = (0, false);
        text::words(plain, |word| {
            if word.boundary == Break::Hard && !said {
                let gap = plain.get(last_end..word.start).unwrap_or_default();
                let at = gap.find(['.', '?', '!', ';', '\n']).map_or(last_end, |at| last_end + at);
                let mark = plain.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
                found.push(slip(
                    start + at..start + at + mark,
                    Severity::Error,
                    "this phrase can never match as it is written: a sentence ends here, and a phrase is looked for within one sentence",
                    "Remove the mark, or write `near:` with one phrase for each sentence.",
                ));
                said = true;
            }
            last_end = word.end;
        });
        start += plain.len() + 1;
    }
}

/// The phrase with its brackets, gaps and braces blanked out, byte for byte.
fn without_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let (mut in_braces, mut rest) = (false, source);
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        let blank = match c {
            '{' => {
                in_braces = true;
                true
            }
            '}' => {
                in_braces = false;
                true
            }
            _ if in_braces => true,
            '(' | ')' | '[' | ']' | '*' | '=' => true,
            '\u{2026}' => true,
            // A habit of regular expressions, which has a complaint of its own.
            '?' | '+' => {
                source.get(..source.len() - rest.len()).is_some_and(|before| before.ends_with([')', ']']))
            }
            '.' if rest.starts_with("...") => {
                let dots = rest.len() - rest.trim_start_matches('.').len();
                let after = rest.get(dots..).unwrap_or_default();
                length = dots + after.bytes().take_while(u8::is_ascii_digit).count();
                true
            }
            _ => false,
        };
        if blank {
            out.push_str(&" ".repeat(length));
        } else {
            out.push(c);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// `the school 's place`, `do n't`: halves of a contraction that stand alone.
fn fragments(source: &str, found: &mut Vec<Slip>) {
    let (mut start, mut depth) = (0, 0_usize);
    for chunk in source.split(|c: char| c.is_whitespace() || "()[]|".contains(c)) {
        let half = chunk.strip_prefix(['\'', '\u{2019}']).is_some_and(|rest| {
            matches!(rest.to_ascii_lowercase().as_str(), "s" | "t" | "d" | "m" | "ll" | "re" | "ve")
        });
        if half {
            let at = start..start + chunk.len();
            // One of several alternatives: the others are found all the same.
            found.push(if depth > 0 {
                slip(
                    at,
                    Severity::Warning,
                    "this is never found: half a contraction is no word of its own",
                    "Leave it out: `is` and `has` find 's, `have` finds 've, `are` finds 're, `will` finds 'll, `would` finds 'd.",
                )
            } else {
                slip(
                    at,
                    Severity::Error,
                    "this phrase can never match: no message has half a contraction as a word of its own",
                    "Write it with its word: `he's`, `the school's place`. Or leave it out: a possessive 's is stepped over anyway.",
                )
            });
        }
        start += chunk.len();
        match source.get(start..).and_then(|rest| rest.chars().next()) {
            Some('(' | '[') => depth += 1,
            Some(')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        start += source.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
}

/// `didn't*`: the reader makes two words of it, and the star would stand behind "not".
fn stars(source: &str, found: &mut Vec<Slip>) {
    let mut start = 0;
    for chunk in source.split(|c: char| c.is_whitespace() || "()[]|".contains(c)) {
        if let Some(stem) = chunk.strip_suffix('*').filter(|stem| !stem.contains('*')) {
            let mut words = 0;
            let mut contraction = false;
            text::words(stem, |word| {
                words += usize::from(!word.traits.joined);
                contraction |= word.traits.second_half;
            });
            // "didn" begins no word that the reader knows: "didn't" is "did not" to it.
            let cut = [
                "didn", "doesn", "hasn", "hadn", "isn", "wasn", "weren", "aren", "couldn", "wouldn",
                "shouldn", "haven",
            ];
            if contraction || cut.contains(&stem.to_lowercase().as_str()) {
                found.push(slip(
                    start..start + chunk.len(),
                    Severity::Error,
                    "this can never match: a contraction is read as two words (didn't: did not), so no word begins like this",
                    "Write the words: `did not`. It finds didn't and didnt as well.",
                ));
            }
        }
        start += chunk.len();
        start += source.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
}

/// What means something in a regular expression and nothing in a phrase.
fn habits(source: &str, found: &mut Vec<Slip>) {
    for (mark, remedy) in [
        (")?", "Write [word] or [(one | other)] for what may be missing."),
        ("]?", "Write [word] for what may be missing."),
        (")+", "Write the phrase once; it is found as often as it stands there."),
        ("\\", "Write plain words, or put the expression under `regex:`."),
        ("^", "Write plain words; `start:` looks in the first three sentences."),
        ("$", "Write plain words."),
    ] {
        if let Some(at) = source.find(mark) {
            let last = mark.len() - 1;
            found.push(Slip {
                range: at + last..at + mark.len(),
                severity: Severity::Warning,
                problem: format!(
                    "`{}` means nothing in a phrase: this is no regular expression",
                    &mark.get(last..).unwrap_or(mark)
                ),
                remedy: remedy.to_owned(),
            });
            return;
        }
    }
}

/// A gap with nothing before or behind it.
fn gaps(source: &str, phrase: &Phrase, found: &mut Vec<Slip>) {
    let Phrase::Row(parts) = phrase else { return };
    let first = matches!(parts.first(), Some(Phrase::Gap(_)));
    let last = matches!(parts.last(), Some(Phrase::Gap(_)));
    let trimmed = source.trim();
    let begin = source.len() - source.trim_start().len();
    let mut add = |range: Range<usize>, which: &str| {
        found.push(Slip {
            range,
            severity: Severity::Warning,
            problem: format!("... at the {which} of a phrase does nothing: words may stand there anyway"),
            remedy: "Remove it.".to_owned(),
        });
    };
    if first {
        let length = trimmed.len()
            - trimmed.trim_start_matches(|c: char| c == '.' || c == '\u{2026}' || c.is_ascii_digit()).len();
        add(begin..begin + length, "beginning");
    }
    if last {
        let length = trimmed.len()
            - trimmed.trim_end_matches(|c: char| c == '.' || c == '\u{2026}' || c.is_ascii_digit()).len();
        add(begin + trimmed.len() - length..begin + trimmed.len(), "end");
    }
}

/// Slots that no number, length or date fits.
fn bounds(source: &str, phrase: &Phrase, found: &mut Vec<Slip>) {
    let mut slots = Vec::new();
    collect(phrase, &mut slots);
    let braces = |word: &str| -> Range<usize> {
        let mut at = 0;
        while let Some(open) = source.get(at..).and_then(|rest| rest.find('{')).map(|open| at + open) {
            let close =
                source.get(open..).and_then(|rest| rest.find('}')).map_or(source.len(), |end| open + end + 1);
            if source.get(open + 1..close).is_some_and(|inner| inner.trim_start().starts_with(word)) {
                return open..close;
            }
            at = close;
        }
        0..source.len()
    };
    for slot in slots {
        match slot {
            Slot::Number(_, most) if most < 0.0 => found.push(slip(
                braces("number"),
                Severity::Error,
                "this can never match: no number in a text is below zero",
                "Write {number fewer than 5} with a number above 0.",
            )),
            Slot::Duration(_, most) if most <= 0.0 => found.push(slip(
                braces("duration"),
                Severity::Error,
                "this can never match: no length of time is below nothing",
                "Write {duration less than 3 days} with a number above 0.",
            )),
            Slot::Date(When::Ahead(least, most) | When::Past(least, most)) if least > most => {
                found.push(slip(
                    braces("date"),
                    Severity::Error,
                    "this can never match: no date lies within these bounds",
                    "Write {date within 10 days} or {date more than 10 days ago}.",
                ))
            }
            Slot::Date(When::Ahead(0, 0) | When::Past(0, 0)) if !source.contains("today") => {
                found.push(slip(
                    braces("date"),
                    Severity::Warning,
                    "within 0 days is the day of receipt alone: \"tomorrow\" and \"yesterday\" do not fit",
                    "If that is meant, write {date today}; else a number above 0.",
                ))
            }
            _ => {}
        }
    }
}

fn collect(phrase: &Phrase, slots: &mut Vec<Slot>) {
    match phrase {
        Phrase::Slot(slot) => slots.push(*slot),
        Phrase::Row(parts) | Phrase::Either(parts) => parts.iter().for_each(|part| collect(part, slots)),
        Phrase::Maybe(inner) => collect(inner, slots),
        _ => {}
    }
}

/// How many words must be there at least; a list counts as one.
fn fewest_words(phrase: &Phrase) -> usize {
    match phrase {
        Phrase::Word(WordPattern::Forms(_) | WordPattern::Exact(_) | WordPattern::Prefix(_)) => 1,
        Phrase::Slot(_) | Phrase::List(..) => 1,
        Phrase::Row(parts) => parts.iter().map(fewest_words).sum(),
        Phrase::Either(parts) => parts.iter().map(fewest_words).min().unwrap_or(0),
        Phrase::Maybe(_) | Phrase::Gap(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::phrase;
    use super::*;

    /// The first complaint, and the words that it points at.
    fn check(source: &str) -> Option<(String, String)> {
        let found = slips(source, &phrase::parse(source).expect("a phrase"));
        found.first().map(|slip| (slip.problem.clone(), source[slip.range.clone()].to_owned()))
    }

    #[test]
    fn what_can_never_match_is_pointed_at() {
        for (source, said, at) in [
            ("no place. Still waiting", "a sentence ends here", "."),
            ("no place? still waiting", "a sentence ends here", "?"),
            ("the school 's place", "half a contraction", "'s"),
            ("she didn't* go", "two words", "didn't*"),
            ("she didn* go", "two words", "didn*"),
            ("under {number fewer than 0} hours", "below zero", "{number fewer than 0}"),
            ("for {duration up to 0 days}", "below nothing", "{duration up to 0 days}"),
            ("by {date within 0 days}", "day of receipt alone", "{date within 0 days}"),
            ("\u{201c}no place", "no partner", "\u{201c}no place"),
            ("pay \u{c2}\u{a3} 5", "wrong encoding", "\u{c2}\u{a3}"),
            ("... no place", "at the beginning", "..."),
            ("no place ...10", "at the end", "...10"),
        ] {
            let (problem, pointed) = check(source).unwrap_or_default();
            assert!(problem.contains(said), "{source}: {problem}");
            assert_eq!(pointed, at, "{source}");
        }
        assert!(check(&"word ".repeat(61)).is_some_and(|(problem, _)| problem.contains("61 words")));
    }

    #[test]
    fn what_the_reader_mends_is_left_alone() {
        for good in [
            "is n't at school",
            "e.g. a taxi",
            "Mr. Smith",
            "part[-]time ...10 timetable",
            "only (doing | allowed in) ... {number} hours",
            "the school's place",
            "exclu* from",
            "\u{201c}off roll\u{201d}",
            "why has no one answered?",
            "{date today}",
            "9.30 on {date}",
        ] {
            assert_eq!(check(good), None, "{good}");
        }
    }
}
