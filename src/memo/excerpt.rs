//! The sentences of a message on which a finding rests, with its words marked; long ones are shortened where nothing is marked.

use std::ops::Range;

use super::marks::{self, Mark, Marked, Piece};
use super::printable;
use crate::message::Message;
use crate::rules::{self, Zone};

/// How many sentences a finding shows.
const MOST: usize = 6;
/// Unmarked words on either side of marked ones, in characters, before they are shortened.
const AROUND: usize = 140;

/// A sentence of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Where it stands, unless it is in the sender's new words.
    pub place: &'static str,
    /// Its words, on one line.
    pub pieces: Vec<Piece>,
}

/// The texts of a message's zones.
pub struct Texts([(Zone, String); 5]);

impl Texts {
    pub fn of(message: &Message) -> Self {
        let zones = [Zone::New, Zone::Adopted, Zone::Subject, Zone::Signature, Zone::Quoted];
        Self(zones.map(|zone| (zone, rules::text_of(message, zone).into_owned())))
    }

    pub fn get(&self, zone: Zone) -> &str {
        self.0.iter().find(|(known, _)| *known == zone).map_or("", |(_, text)| text)
    }

    /// Where these words stand as whole words, in the most telling zone that has them.
    pub fn locate(&self, words: &str) -> Option<(Zone, Range<usize>)> {
        let here = |(zone, text): &(Zone, String)| Some((*zone, occurrences(text, words).next()?));
        self.0.iter().filter(|(zone, _)| *zone != Zone::Quoted).find_map(here)
    }

    /// The words that set these aside, as their reason quotes them (`negated by "not"`): the nearest in the same zone.
    pub fn cause(&self, aside: &Marked, reason: &str) -> Option<Range<usize>> {
        let (_, quoted) = reason.split_once('"')?;
        let (quoted, _) = quoted.rsplit_once('"')?;
        let text = self.get(aside.zone);
        let distance = |range: &Range<usize>| {
            (range.start.abs_diff(aside.range.end)).min(range.end.abs_diff(aside.range.start))
        };
        occurrences(text, quoted).min_by_key(distance)
    }
}

/// Where words stand whole; ASCII case and kinds of white space do not matter.
fn occurrences<'a>(text: &'a str, words: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let first = words.chars().next();
    text.char_indices().filter_map(move |(at, c)| {
        let same = first.is_some_and(|first| first.eq_ignore_ascii_case(&c));
        let starts = !text.get(..at)?.ends_with(char::is_alphanumeric);
        if !same || !starts {
            return None;
        }
        let end = at + matched(text.get(at..)?, words)?;
        (!text.get(end..)?.starts_with(char::is_alphanumeric)).then_some(at..end)
    })
}

/// How many bytes of `text` say `words`.
fn matched(text: &str, words: &str) -> Option<usize> {
    let mut rest = text.chars();
    for wanted in words.chars() {
        let found = rest.next()?;
        let blank = found.is_whitespace() && wanted.is_whitespace();
        if !blank && !found.eq_ignore_ascii_case(&wanted) {
            return None;
        }
    }
    Some(text.len() - rest.as_str().len())
}

/// The sentences in which these words stand, in the order of the message.
pub fn excerpts(texts: &Texts, marked: &[Marked]) -> Vec<Excerpt> {
    let mut found: Vec<(Zone, Range<usize>)> = Vec::new();
    for one in marked.iter().filter(|one| one.zone != Zone::Header) {
        let text = texts.get(one.zone);
        if text.get(one.range.clone()).is_none() {
            continue;
        }
        // What set words aside two pages further on is named in the reason; it needs no sentence of its own.
        let sentence = rules::sentence_at(text, &one.range);
        match found.iter_mut().find(|(zone, known)| {
            *zone == one.zone && known.start < sentence.end && sentence.start < known.end
        }) {
            Some((_, known)) => *known = known.start.min(sentence.start)..known.end.max(sentence.end),
            None => found.push((one.zone, sentence)),
        }
    }
    found.sort_by_key(|(zone, sentence)| (*zone, sentence.start));
    let more = found.len().saturating_sub(MOST);
    let mut all: Vec<Excerpt> = found
        .into_iter()
        .take(MOST)
        .map(|(zone, sentence)| {
            let pieces = marks::divide(texts.get(zone), sentence, zone, marked);
            Excerpt { place: place(zone), pieces: shortened(pieces) }
        })
        .collect();
    if more > 0 {
        all.push(Excerpt { place: "", pieces: vec![Piece::plain(format!("and in {more} more sentences"))] });
    }
    // Facts about the message (its sender, its length) are told where no words are.
    let facts = marked.iter().filter(|one| one.zone == Zone::Header && !one.text.is_empty());
    for one in facts.take(if all.is_empty() { MOST } else { 0 }) {
        let piece = Piece { text: printable(&one.text), mark: one.mark, labels: Vec::new() };
        all.push(Excerpt { place: place(Zone::Header), pieces: vec![piece] });
    }
    all
}

fn place(zone: Zone) -> &'static str {
    match zone {
        Zone::New => "",
        Zone::Subject => "in the subject",
        Zone::Adopted => "in the forwarded message that the sender adopts",
        Zone::Signature => "in the signature",
        Zone::Quoted => "in quoted text",
        Zone::Header => "outside the text",
    }
}

/// On one line, and with `...` for what is long and unmarked.
fn shortened(pieces: Vec<Piece>) -> Vec<Piece> {
    let last = pieces.len().saturating_sub(1);
    let mut all: Vec<Piece> = Vec::new();
    for (at, piece) in pieces.into_iter().enumerate() {
        let mut text = one_line(&piece.text);
        // A blank between two pieces is kept by one of them.
        if text.starts_with(' ') && (at == 0 || all.last().is_some_and(|last| last.text.ends_with(' '))) {
            text.remove(0);
        }
        if piece.mark == Mark::Plain {
            text = match (at == 0, at == last) {
                (true, true) => text,
                (true, false) => format!("{}{}", if long(&text, 1) { "... " } else { "" }, tail(&text)),
                (false, true) => format!("{}{}", head(&text), if long(&text, 1) { " ..." } else { "" }),
                (false, false) if long(&text, 2) => format!("{} ... {}", head(&text), tail(&text)),
                (false, false) => text,
            };
        }
        all.push(Piece { text, ..piece });
    }
    all.retain(|piece| !piece.text.is_empty());
    all
}

fn long(text: &str, sides: usize) -> bool {
    text.chars().count() > sides * AROUND + 10
}

/// The first words, if they are many.
fn head(text: &str) -> &str {
    if !long(text, 1) {
        return text;
    }
    let end = text.char_indices().nth(AROUND).map_or(text.len(), |(at, _)| at);
    let kept = text.get(..end).unwrap_or(text);
    kept.rfind(' ').and_then(|blank| kept.get(..blank)).unwrap_or(kept)
}

/// The last words, if they are many.
fn tail(text: &str) -> &str {
    if !long(text, 1) {
        return text;
    }
    let start = text.char_indices().rev().nth(AROUND).map_or(0, |(at, _)| at);
    let kept = text.get(start..).unwrap_or(text);
    kept.find(' ').and_then(|blank| kept.get(blank + 1..)).unwrap_or(kept)
}

/// Any white space as one blank; nothing that a terminal would act on.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c.is_whitespace() {
            true if out.ends_with(' ') => {}
            true => out.push(' '),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(new: &str) -> Texts {
        Texts(
            [(Zone::New, new.to_owned())]
                .into_iter()
                .chain(
                    [Zone::Adopted, Zone::Subject, Zone::Signature, Zone::Quoted].map(|z| (z, String::new())),
                )
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
        )
    }

    fn at(text: &str, words: &str, mark: Mark) -> Marked {
        let start = text.find(words).unwrap();
        Marked {
            zone: Zone::New,
            range: start..start + words.len(),
            text: words.to_owned(),
            mark,
            label: "U3".to_owned(),
        }
    }

    fn shown(excerpts: &[Excerpt]) -> Vec<String> {
        let piece = |p: &Piece| if p.mark == Mark::Plain { p.text.clone() } else { format!("<{}>", p.text) };
        excerpts.iter().map(|e| e.pieces.iter().map(piece).collect()).collect()
    }

    #[test]
    fn a_sentence_is_shown_once_whole_and_on_one_line() {
        let text = "Hello. They want him\nout by Friday, he says. Bye.";
        let marks = [at(text, "want him\nout", Mark::Counts), at(text, "Friday", Mark::Counts)];
        let found = excerpts(&texts(text), &marks);
        assert_eq!(shown(&found), ["They <want him out> by <Friday>, he says."]);
    }

    #[test]
    fn long_sentences_are_shortened_where_nothing_is_marked() {
        let text = format!(
            "{} at risk {} twice {}",
            "before ".repeat(60),
            "between ".repeat(60),
            "after ".repeat(60)
        );
        let marks = [at(&text, "at risk", Mark::Counts), at(&text, "twice", Mark::Counts)];
        let found = shown(&excerpts(&texts(&text), &marks));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("... before") && found[0].ends_with("after ..."), "{}", found[0]);
        assert!(found[0].contains("between ... between") && found[0].len() < 700, "{}", found[0]);
    }

    #[test]
    fn the_words_that_set_aside_are_found_again() {
        let text = "I am not sure. He is NOT at risk of exclusion. Not now.";
        let aside = at(text, "at risk of exclusion", Mark::SetAside);
        let texts = texts(text);
        let range = texts.cause(&aside, "negated by \"not\"").unwrap();
        assert_eq!((range.start, &text[range.clone()]), (21, "NOT"));
        assert_eq!(texts.cause(&aside, "in quoted text"), None);
        assert_eq!(texts.locate("risk of exclusion").map(|(zone, _)| zone), Some(Zone::New));
        assert_eq!(texts.locate("excl"), None, "only whole words");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        let text = "He is \u{1b}[2Jout\u{202e} of school.";
        let found = shown(&excerpts(&texts(text), &[at(text, "school", Mark::Counts)]));
        assert_eq!(found, ["He is [2Jout of <school>."]);
    }
}
