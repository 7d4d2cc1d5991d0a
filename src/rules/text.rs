//! One zone of a message as words: lower case, one kind of quote and dash, contractions taken apart, sentences numbered.
//!
//! Rules and messages go through the same [`words`], so both always agree on what a word is. Nothing here knows phrases.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What is said of one word besides its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    /// A possessive or contracted 's: a phrase may step over it.
    pub skippable: bool,
    /// It begins with a capital, as written.
    pub capital: bool,
    /// It is joined to the word before by a hyphen or dash without spaces.
    pub joined: bool,
    /// It is the second half of a contraction: the "not" of "isn't".
    pub second_half: bool,
}

/// How the text before a word separates it from the word before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Break {
    /// Same sentence.
    #[default]
    None,
    /// Probably a new sentence: a line break, then a capital. Words in a row may still cross it.
    Soft,
    /// A new sentence.
    Hard,
}

/// One word, handed out by [`words`].
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// Its letters, normalised.
    pub form: &'a str,
    /// First byte in the source.
    pub start: usize,
    /// Byte after the last in the source.
    pub end: usize,
    /// Traits.
    pub traits: Traits,
    /// What stands before it.
    pub boundary: Break,
    /// The sentence before this word ended with a question mark.
    pub after_question: bool,
}

/// Contractions without their apostrophe that mean nothing else, or whose other meaning hardly occurs; sorted.
const BARE_CONTRACTIONS: &[(&str, &str, &str)] = &[
    ("aint", "'s", "not"),
    ("arent", "are", "not"),
    ("cannot", "can", "not"),
    ("cant", "can", "not"),
    ("couldnt", "could", "not"),
    ("didnt", "did", "not"),
    ("doesnt", "does", "not"),
    ("dont", "do", "not"),
    ("hadnt", "had", "not"),
    ("hasnt", "has", "not"),
    ("havent", "have", "not"),
    ("hes", "he", "'s"),
    ("im", "i", "am"),
    ("isnt", "is", "not"),
    ("its", "its", "'s"),
    ("ive", "i", "have"),
    ("shes", "she", "'s"),
    ("shouldnt", "should", "not"),
    ("thats", "that", "'s"),
    ("theres", "there", "'s"),
    ("theyll", "they", "will"),
    ("theyre", "they", "are"),
    ("theyve", "they", "have"),
    ("wasnt", "was", "not"),
    ("werent", "were", "not"),
    ("weve", "we", "have"),
    ("whats", "what", "'s"),
    ("wheres", "where", "'s"),
    ("wont", "will", "not"),
    ("wouldnt", "would", "not"),
    ("youll", "you", "will"),
    ("youre", "you", "are"),
    ("youve", "you", "have"),
];

/// Words before `'s` after which it is never a possessive.
const PRONOUNS: &[&str] =
    &["he", "she", "it", "that", "there", "what", "where", "who", "how", "here", "when", "why", "this"];

/// Abbreviations whose full stop never ends a sentence.
const TITLES: &[&str] = &["mr", "mrs", "ms", "dr", "prof", "rev", "cllr", "fr", "sr", "st", "messrs", "vs"];
/// Abbreviations whose full stop ends a sentence only before a capital.
const ABBREVIATIONS: &[&str] = &[
    "etc", "approx", "no", "nos", "yr", "yrs", "eg", "ie", "tel", "ext", "ref", "dept", "incl", "dob", "re",
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "hrs", "hr", "wk",
    "wks", "min", "mins", "p", "pp", "para",
];

/// Cuts the text into words and hands each to `sink`, in order.
pub fn words(text: &str, mut sink: impl FnMut(Word<'_>)) {
    let mut cutter = Cutter::default();
    let bytes = text.as_bytes();
    let character = |at: usize| text.get(at..).and_then(|rest| rest.chars().next());
    let (mut at, mut gap_start) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        // Nearly everything is ASCII, and told by one byte.
        if !byte.is_ascii_alphanumeric() {
            let Some(c) = (if byte.is_ascii() { Some(' ') } else { character(at) }) else { break };
            if !c.is_alphanumeric() {
                at += c.len_utf8();
                continue;
            }
        }
        let start = at;
        cutter.form.clear();
        cutter.apostrophe = false;
        at +=
            bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        cutter.form.push_str(text.get(start..at).unwrap_or_default());
        cutter.form.make_ascii_lowercase();
        let (mut end, mut digits_only) = (at, at == start);
        let mut last_apostrophe = false;
        while let Some(byte) = bytes.get(at) {
            let Some(c) = (if byte.is_ascii() { Some(char::from(*byte)) } else { character(at) }) else {
                break;
            };
            if c.is_ascii_alphanumeric() {
                // "2hrs" is two words, "3rd" and "7B" are one.
                if digits_only
                    && c.is_ascii_alphabetic()
                    && at > start
                    && splits_after_digits(text.get(at..).unwrap_or_default())
                {
                    break;
                }
                digits_only &= c.is_ascii_digit();
                cutter.form.push(c.to_ascii_lowercase());
                last_apostrophe = false;
                end = at + 1;
            } else if is_apostrophe(c) && !last_apostrophe && !digits_only {
                // Kept for now; a trailing one is taken off below.
                cutter.form.push('\'');
                (last_apostrophe, cutter.apostrophe) = (true, true);
            } else if digits_only
                && matches!(c, '.' | ',')
                && number_goes_on(text.get(at..).unwrap_or_default())
            {
                if c == '.' {
                    cutter.form.push('.');
                }
                end = at + 1;
            } else if c.is_alphanumeric() {
                digits_only = false;
                cutter.form.extend(
                    std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase),
                );
                // Taken apart, a letter may bring an apostrophe of its own.
                cutter.apostrophe = true;
                last_apostrophe = false;
                end = at + c.len_utf8();
            } else if is_invisible(c) || is_combining_mark(c) {
                // Soft hyphens, zero-width spaces and loose accents belong to the word but are no letters of it.
            } else {
                break;
            }
            at += c.len_utf8();
        }
        let boundary = cutter.boundary(text, gap_start, start);
        let capital = match bytes.get(start) {
            Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
            _ => character(start).is_some_and(char::is_uppercase),
        };
        let joined = gap_start > 0 && text.get(gap_start..start).is_some_and(is_hyphen);
        cutter.hand_over(
            text,
            start,
            end,
            Traits { skippable: false, capital, joined, second_half: false },
            boundary,
            &mut sink,
        );
        gap_start = end;
    }
}

/// The state between two words.
#[derive(Default)]
struct Cutter {
    form: String,
    /// There may be an apostrophe in it.
    apostrophe: bool,
    /// The word before, for abbreviations and initials.
    last: String,
    started: bool,
    question: bool,
}

impl Cutter {
    /// Takes contractions and possessives apart and hands over one or two words.
    fn hand_over(
        &mut self,
        text: &str,
        start: usize,
        end: usize,
        traits: Traits,
        boundary: Break,
        sink: &mut impl FnMut(Word<'_>),
    ) {
        let after_question = std::mem::take(&mut self.question);
        while self.form.ends_with('\'') {
            self.form.pop();
        }
        let form = self.form.as_str();
        let first = |form, end| Word { form, start, end, traits, boundary, after_question };
        let second = |form, start, skippable| Word {
            form,
            start,
            end,
            traits: Traits { skippable, capital: false, joined: false, second_half: true },
            boundary: Break::None,
            after_question: false,
        };
        let apostrophe = self.apostrophe && form.contains('\'');
        let bare = form.len() <= 8 && !apostrophe && ends_like_a_contraction(form) && form.is_ascii();
        let known =
            if bare { BARE_CONTRACTIONS.binary_search_by(|(whole, ..)| whole.cmp(&form)) } else { Err(0) };
        let contraction = known.ok().and_then(|index| BARE_CONTRACTIONS.get(index));
        if let Some((_, one, two)) = contraction {
            // The second half's bytes are the last of the word: enough to underline the whole.
            let cut = text.floor_char_boundary(end.saturating_sub(1)).max(start);
            sink(first(one, cut));
            sink(second(two, cut, *one == "its"));
        } else if let Some((one, tail)) = apostrophe.then(|| form.rsplit_once('\'')).flatten() {
            let cut = text.floor_char_boundary(end.saturating_sub(tail.len() + 1)).max(start);
            let (one, two, cut) = match tail {
                "t" if one.ends_with('n') => {
                    let stem = match one {
                        "can" => "can",
                        "won" => "will",
                        "shan" => "shall",
                        // "He ain't got": is or has.
                        "ain" => "'s",
                        other => other.get(..other.len() - 1).unwrap_or(other),
                    };
                    (stem, "not", text.floor_char_boundary(end.saturating_sub(3)).max(start))
                }
                "m" => (one, "am", cut),
                "re" => (one, "are", cut),
                "ve" => (one, "have", cut),
                "ll" => (one, "will", cut),
                "d" => (one, "'d", cut),
                "s" => (one, "'s", cut),
                _ => ("", "", cut),
            };
            if two.is_empty() {
                // O'Brien, o'clock: one word, without the apostrophe.
                let whole = form.replace('\'', "");
                sink(first(&whole, end));
            } else if one.is_empty() {
                // "n't" and "'s" alone, as a rule may write them.
                sink(first(two, end));
            } else {
                let possessive = two == "'s" && !PRONOUNS.contains(&one);
                let one = one.replace('\'', "");
                sink(first(&one, cut));
                sink(second(two, cut, possessive));
            }
        } else {
            sink(first(form, end));
        }
        self.started = true;
        self.last.clear();
        self.last.push_str(&self.form);
    }

    /// Whether a sentence ends between the last word and this one.
    fn boundary(&mut self, text: &str, from: usize, to: usize) -> Break {
        if !self.started {
            return Break::None;
        }
        let gap = text.get(from..to).unwrap_or_default();
        if gap == " " || gap.is_empty() {
            return Break::None;
        }
        if gap.contains('?') {
            self.question = true;
            return Break::Hard;
        }
        if gap.contains(['!', ';']) {
            return Break::Hard;
        }
        let newlines = gap.bytes().filter(|byte| *byte == b'\n').count();
        if newlines > 1 {
            return Break::Hard;
        }
        let next = text.get(to..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
        let capital = next.is_uppercase() || next.is_numeric();
        if let Some(stop) = gap.find(['.', '\u{2026}'])
            && self.full_stop(gap, stop, next)
        {
            return Break::Hard;
        }
        if newlines == 1 {
            let after = gap.rsplit('\n').next().unwrap_or_default().trim_start();
            if after.starts_with(['-', '*', '\u{2022}', '\u{00b7}', '\u{2013}']) {
                return Break::Hard;
            }
            if capital && !wrapped(text, from) {
                return Break::Soft;
            }
        }
        Break::None
    }

    /// Whether this full stop ends a sentence; `next` is what follows.
    fn full_stop(&self, gap: &str, stop: usize, next: char) -> bool {
        let (digit, capital) = (next.is_numeric(), next.is_uppercase() || next.is_numeric());
        let rest = gap.get(stop..).unwrap_or_default();
        if rest.starts_with("..") || rest.starts_with('\u{2026}') {
            return capital;
        }
        if rest == "." {
            // "school.He said" ends a sentence; "post.example" and "p.m" do not.
            return capital && self.last.chars().count() > 2;
        }
        let last = self.last.as_str();
        let initial = last.chars().count() == 1 && last.chars().all(char::is_alphabetic) && last != "i";
        if initial || TITLES.contains(&last) {
            return false;
        }
        if !ABBREVIATIONS.contains(&last) {
            return true;
        }
        // "approx. 5" goes on, "etc. He" does not; "no. he" is more often an answer than a number.
        !digit && (capital || last == "no")
    }
}

/// Whether the line that ends here looks like one that a mail program wrapped rather than one that a person ended.
fn wrapped(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| at + newline);
    (55..=80).contains(&text.get(start..end).map_or(0, |line| line.trim_end().chars().count()))
}

/// Whether a word may be one of [`BARE_CONTRACTIONS`]; of most the last two letters tell that it is none.
fn ends_like_a_contraction(form: &str) -> bool {
    let last = form.as_bytes().last_chunk::<2>();
    last.is_some_and(|last| [b"nt", b"ot", b"es", b"ts", b"ve", b"re", b"ll", b"im"].contains(&last))
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{02bc}' | '`' | '\u{00b4}')
}

fn is_hyphen(gap: &str) -> bool {
    matches!(gap, "-" | "\u{2010}" | "\u{2011}" | "\u{2012}" | "\u{2013}")
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// `rest` begins with the letter after digits: whether these letters are a word of their own.
fn splits_after_digits(rest: &str) -> bool {
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let word = rest.get(..letters).unwrap_or_default().to_ascii_lowercase();
    letters >= 2 && !matches!(word.as_str(), "st" | "nd" | "rd" | "th")
}

/// `rest` begins with a point or comma after digits: whether the number goes on behind it.
fn number_goes_on(rest: &str) -> bool {
    let digits = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    if rest.starts_with(',') { digits == 3 } else { digits > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words, with `|` for a hard and `/` for a soft break.
    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        words(text, |word| {
            match word.boundary {
                Break::None => {}
                Break::Soft => out.push("/".to_owned()),
                Break::Hard => out.push("|".to_owned()),
            }
            assert!(text.get(word.start..word.end).is_some(), "{text}: {word:?}");
            out.push(word.form.to_owned());
        });
        assert_eq!(out.join(" "), expected, "{text}");
    }

    #[test]
    fn contractions_are_taken_apart() {
        assert!(BARE_CONTRACTIONS.is_sorted());
        assert!(BARE_CONTRACTIONS.iter().all(|(whole, ..)| ends_like_a_contraction(whole)));
        check("He isn’t at school", "he is not at school");
        check("he hasnt got a school, cant go", "he has not got a school can not go");
        check("I can't, won't, shan't; I'd say", "i can not will not shall not | i 'd say");
        check("The school's head. Parents' view", "the school 's head | parents view");
        check("hes here, O'Brien", "he 's here obrien");
        check("n't yet", "not yet");
    }

    #[test]
    fn typography_does_not_matter() {
        check(
            "part\u{2011}time e\u{fb03}cient r\u{e9}sum\u{e9} zero\u{ad}hour",
            "part time efficient resume zerohour",
        );
        check("1,200 and 2.5 at 9.30 on 12/01/27, 2hrs, 3rd", "1200 and 2.5 at 9.30 on 12 01 27 2 hrs 3rd");
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        check("Mr. Smith rang. he said no", "mr smith rang | he said no");
        check("e.g. a taxi. OK?", "e g a taxi | ok");
        check("He is out\nPlease ring", "he is out / please ring");
        check("soft wrapped\nline", "soft wrapped line");
        check("One\n\ntwo", "one | two");
        check("Points:\n- one\n- two", "points | one | two");
        check("we wait... and wait", "we wait and wait");
        check("see post.example now", "see post example now");
        check("approx. 5 weeks, etc. He said no. he left", "approx 5 weeks etc | he said no | he left");
    }

    proptest::proptest! {
        #[test]
        fn ranges_stay_inside_and_in_order(text in "(?s).{0,200}") {
            let mut last = 0;
            words(&text, |word| {
                assert!(word.start >= last.min(word.start) && word.end >= word.start);
                assert!(text.get(word.start..word.end).is_some(), "{text:?} {word:?}");
                last = word.start;
            });
        }
    }
}
