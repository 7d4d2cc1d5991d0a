//! One kind of line end and space for every text, and small helpers for those who compare texts.
//!
//! Not the place where HTML becomes text (that is `super::html`) nor where bytes become characters
//! (`super::charset`). Unicode general categories Zs and Cf; nothing a reader would see is changed.

use std::borrow::Cow;

/// Line ends become `\n`, every space becomes a plain one, and what cannot be seen (zero-width characters, soft
/// hyphens, direction marks, controls) is dropped. Lines lose trailing space; blank lines are kept.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let (run, after) = rest.split_at_checked(printable(rest.as_bytes())).unwrap_or((rest, ""));
        out.push_str(run);
        let mut chars = after.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        let c = match c {
            '\r' => {
                if rest.starts_with('\n') {
                    continue;
                }
                '\n'
            }
            '\n' | '\u{2028}' | '\u{2029}' | '\u{0B}' | '\u{0C}' | '\u{85}' => '\n',
            c if is_space(c) => ' ',
            // A joiner between two letters is a trick or an accident; between emoji it is part of the picture.
            '\u{200D}' if out.ends_with(|last: char| !last.is_alphanumeric() && !last.is_whitespace()) => c,
            c if is_invisible(c) || c.is_control() => continue,
            c => c,
        };
        if c == '\n' {
            let kept = out.trim_end_matches(' ').len();
            out.truncate(kept);
        }
        out.push(c);
    }
    let kept = out.trim_end_matches([' ', '\n']).len();
    out.truncate(kept);
    let blank = out.len() - out.trim_start_matches('\n').len();
    out.drain(..blank);
    out
}

/// All white space collapsed to single spaces, none at the ends: for comparing texts and for fingerprints.
pub fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    let mut rest = text;
    loop {
        let (run, after) = rest.split_at_checked(printable(rest.as_bytes())).unwrap_or((rest, ""));
        let words = run.trim_start_matches(' ');
        space |= words.len() < run.len();
        if !words.is_empty() {
            if space && !out.is_empty() {
                out.push(' ');
            }
            let body = words.trim_end_matches(' ');
            if body.contains("  ") {
                let mut between = "";
                for word in body.split(' ').filter(|word| !word.is_empty()) {
                    out.push_str(between);
                    out.push_str(word);
                    between = " ";
                }
            } else {
                out.push_str(body);
            }
            space = body.len() < words.len();
        }
        let mut chars = after.chars();
        let Some(c) = chars.next() else { return out };
        rest = chars.as_str();
        if c.is_whitespace() {
            space = true;
        } else {
            if space && !out.is_empty() {
                out.push(' ');
            }
            space = false;
            out.push(c);
        }
    }
}

/// Typographic quotes, dashes and ellipses as their ASCII cousins: for comparing words, never for showing.
pub fn plain_punctuation(text: &str) -> String {
    unadorned(text).into_owned()
}

/// The same without a copy where there is nothing to replace.
pub(crate) fn unadorned(text: &str) -> Cow<'_, str> {
    let usual = |b: u8| b < 0x80 && b != b'`';
    let first = run(text.as_bytes(), usual);
    if first == text.len() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut length = first;
    loop {
        let (plain, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = after.chars();
        let Some(c) = chars.next() else { return Cow::Owned(out) };
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2032}' | '\u{02BC}' | '\u{00B4}'
            | '`' => {
                out.push('\'');
            }
            '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{00AB}' | '\u{00BB}' | '\u{2033}' => {
                out.push('"');
            }
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{2026}' => out.push_str("..."),
            c => out.push(c),
        }
        rest = chars.as_str();
        length = run(rest.as_bytes(), usual);
    }
}

/// Lower case and plain punctuation: how words are compared.
pub(crate) fn lowered(text: &str) -> String {
    unadorned(text).to_lowercase()
}

/// How many bytes at the start are as wanted; looked at sixteen at a time, which is what makes it worth having.
#[inline(always)]
pub(crate) fn run(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    let mut rest = bytes;
    while let Some((sixteen, after)) = rest.split_first_chunk::<16>() {
        if !sixteen.iter().fold(true, |all, b| all & wanted(*b)) {
            break;
        }
        rest = after;
    }
    bytes.len() - rest.len() + rest.iter().take_while(|b| wanted(**b)).count()
}

/// How many bytes at the start are printable ASCII, which no rule about spaces and unseen characters concerns.
pub(crate) fn printable(bytes: &[u8]) -> usize {
    run(bytes, |b| (0x20..0x7F).contains(&b))
}

/// True for every kind of space that is not a line end.
pub(crate) fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// True for characters that take no room on the page.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
    )
}

/// The first `at_most` bytes, cut at a character's boundary.
pub(crate) fn head(text: &str, at_most: usize) -> &str {
    if text.len() <= at_most {
        return text;
    }
    let mut end = at_most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Text beyond this is not read: no person wrote it.
const LONGEST: usize = 1024 * 1024;
/// The same in lines.
const MOST_LINES: usize = 100_000;

/// The part of a text that is read.
pub(crate) fn bounded(text: &str) -> &str {
    let kept = head(text, LONGEST);
    match kept.match_indices('\n').nth(MOST_LINES) {
        Some((at, _)) => kept.get(..at).unwrap_or(kept),
        None => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_of_line_end_and_space() {
        assert_eq!(normalise("a\r\nb\rc\u{2028}d\u{A0}e \t\nf"), "a\nb\nc\nd e\nf");
    }

    #[test]
    fn what_cannot_be_seen_is_dropped() {
        assert_eq!(normalise("ex\u{AD}clu\u{200B}ded\u{FEFF} to\u{200D}day"), "excluded today");
        assert_eq!(normalise("👨\u{200D}👩"), "👨\u{200D}👩");
    }

    #[test]
    fn comparing_helpers() {
        assert_eq!(collapse("  a\n\n b\tc "), "a b c");
        assert_eq!(
            plain_punctuation("isn\u{2019}t \u{201C}so\u{201D} \u{2013} \u{2026}"),
            "isn't \"so\" - ..."
        );
        assert_eq!(head("aé", 2), "a");
    }
}
