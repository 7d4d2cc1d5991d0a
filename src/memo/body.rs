//! A message in its own order, each passage with what it is (new, quoted, signature, ...) and with its words marked.
//!
//! The division itself is [`crate::message::new_text`]'s; here its pieces are laid back into the whole text. Where that does not
//! come out even, the new words stand first and what was cut away below, so that nothing is lost or shown as what it is not.

use std::collections::HashSet;

use super::marks::{self, Marked, Piece};
use crate::message::{CutReason, Message};
use crate::rules::Zone;

/// More lines than this are not laid back into their order.
const MOST_LINES: usize = 4000;

/// What a passage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The sender's new words: they count.
    New,
    /// An older message that the sender adopts: it counts.
    Adopted,
    /// A signature: evidence of area and sender only.
    Signature,
    /// An older message, quoted.
    Quote,
    /// An older message, forwarded.
    Forward,
    /// A notice that a program added.
    Disclaimer,
}

impl Source {
    /// What it is, and what that means for the decision.
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "New text",
            Self::Adopted => "An older message that the sender adopts: it counts",
            Self::Signature => "Signature: evidence of area and sender only",
            Self::Quote => "Quoted older message: does not count",
            Self::Forward => "Forwarded message: does not count",
            Self::Disclaimer => "Added by a program: does not count",
        }
    }

    /// Whether its words can be a ground.
    pub fn counts(self) -> bool {
        matches!(self, Self::New | Self::Adopted)
    }
}

/// Lines of the message that belong together.
#[derive(Debug, Clone)]
pub struct Passage {
    /// What they are.
    pub source: Source,
    /// The lines; an empty one parts paragraphs.
    pub lines: Vec<Vec<Piece>>,
}

/// A line that is not blank, with where it stands in the zones that it is part of.
#[derive(Debug, Clone)]
struct Line<'m> {
    source: Source,
    text: &'m str,
    /// The zone, the line's first byte there, and how many bytes of the line (a mark of quotation) stand before it.
    at: Vec<(Zone, usize, usize)>,
}

/// The message, as it was read.
pub fn passages(message: &Message, marked: &[Marked]) -> Vec<Passage> {
    let own = lines(&message.new_text.new, Source::New, Zone::New, 0);
    let mut cut = cut_lines(message);
    let adopted = adopt(&mut cut, &message.new_text.adopted);
    place_signature(&mut cut, &message.new_text.signature);
    let whole: Vec<&str> = message.text.split('\n').collect();
    let mut passages = match interleave(&whole, &own, &cut) {
        Some(order) => in_order(&whole, order, marked),
        None => in_turn(message, &own, &cut, marked),
    };
    if !adopted {
        let lines = lines(&message.new_text.adopted, Source::Adopted, Zone::Adopted, 0);
        passages.extend(passage(&message.new_text.adopted, lines, marked));
    }
    passages
}

fn lines(text: &str, source: Source, zone: Zone, base: usize) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut all = Vec::new();
    for line in text.split('\n') {
        if !line.trim().is_empty() {
            all.push(Line { source, text: line, at: vec![(zone, base + start, 0)] });
        }
        start += line.len() + 1;
    }
    all
}

/// What was cut away, in order. Its place among the quoted words is counted as [`crate::rules::text_of`] puts them together.
fn cut_lines(message: &Message) -> Vec<Line<'_>> {
    let mut all = Vec::new();
    let mut base = 0;
    for cut in &message.new_text.cuts {
        let source = match cut.reason {
            CutReason::Quote => Source::Quote,
            CutReason::Forward => Source::Forward,
            CutReason::Signature => Source::Signature,
            CutReason::Disclaimer => Source::Disclaimer,
        };
        let quoted = cut.reason != CutReason::Signature && cut.text != message.new_text.adopted;
        let mut found = lines(&cut.text, source, Zone::Quoted, base);
        if quoted {
            base += cut.text.len() + 2;
        } else {
            found.iter_mut().for_each(|line| line.at.clear());
        }
        all.extend(found);
    }
    all
}

/// Marks the older lines that the sender adopts; false where not all of them are found again.
fn adopt(cut: &mut [Line<'_>], adopted: &str) -> bool {
    let wanted = lines(adopted, Source::Adopted, Zone::Adopted, 0);
    let mut wanted = wanted.iter().peekable();
    let mut found = Vec::new();
    for (index, line) in cut.iter().enumerate() {
        let Some(next) = wanted.peek() else { break };
        if !matches!(line.source, Source::Quote | Source::Forward) {
            continue;
        }
        let unquoted = unquoted(line.text);
        if line.text == next.text || unquoted == next.text {
            let before = if line.text == next.text { 0 } else { line.text.len() - unquoted.len() };
            found.push((index, next.at.first().map_or(0, |(_, start, _)| *start), before));
            wanted.next();
        }
    }
    if wanted.peek().is_some() {
        return false;
    }
    for (index, start, before) in found {
        if let Some(line) = cut.get_mut(index) {
            line.source = Source::Adopted;
            line.at = vec![(Zone::Adopted, start, before)];
        }
    }
    true
}

fn unquoted(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c.is_whitespace())
}

fn place_signature(cut: &mut [Line<'_>], signature: &str) {
    let wanted = lines(signature, Source::Signature, Zone::Signature, 0);
    let mut wanted = wanted.iter().peekable();
    for line in cut.iter_mut().filter(|line| line.source == Source::Signature) {
        if let Some(next) = wanted.next_if(|next| line.text.trim() == next.text.trim()) {
            let before = line.text.len() - line.text.trim_start().len();
            let after = next.text.len() - next.text.trim_start().len();
            line.at = next.at.iter().map(|(zone, start, _)| (*zone, start + after, before)).collect();
        }
    }
}

/// Which line of the whole text is the next own line and which the next cut one. Where a line could be either, it goes on as
/// the one before, and if that does not come out even, the other way is tried. `None`: no way does.
fn interleave<'m>(whole: &[&str], own: &[Line<'m>], cut: &[Line<'m>]) -> Option<Vec<(usize, Line<'m>)>> {
    let written: Vec<(usize, &str)> = whole
        .iter()
        .map(|line| line.trim_end())
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    if written.len() != own.len() + cut.len() || written.len() > MOST_LINES {
        return None;
    }
    // Each step takes an own line (true) or a cut one; `left` are the other ways not yet tried.
    let (mut taken, mut left, mut tried): (Vec<bool>, Vec<usize>, HashSet<(usize, usize)>) =
        Default::default();
    let mut owned = 0;
    while taken.len() < written.len() {
        let at = taken.len();
        let line = written.get(at).map(|(_, line)| *line);
        let is_own = own.get(owned).map(|line| line.text) == line;
        let is_cut = cut.get(at - owned).map(|line| line.text) == line;
        let dead = !tried.insert((owned, at));
        let before = taken.last().copied().unwrap_or(true);
        let take = match (is_own, is_cut) {
            (true, true) if !dead => {
                left.push(at);
                before
            }
            (true, false) if !dead => true,
            (false, true) if !dead => false,
            _ => {
                let back = left.pop()?;
                owned -= taken.drain(back..).filter(|own| *own).count();
                !taken.last().copied().unwrap_or(true)
            }
        };
        owned += usize::from(take);
        taken.push(take);
    }
    let (mut own, mut cut) = (own.iter(), cut.iter());
    let line = |(at, _): &(usize, &str), take: &bool| {
        Some((*at, if *take { own.next() } else { cut.next() }?.clone()))
    };
    let mut line = line;
    written.iter().zip(&taken).map(|(written, take)| line(written, take)).collect()
}

fn in_order(whole: &[&str], order: Vec<(usize, Line<'_>)>, marked: &[Marked]) -> Vec<Passage> {
    let mut all: Vec<Passage> = Vec::new();
    let mut last = 0;
    for (at, line) in order {
        let blank =
            at > last && whole.get(last..at).is_some_and(|lines| lines.iter().any(|l| l.trim().is_empty()));
        let pieces = pieces(&line, marked);
        match all.last_mut() {
            Some(passage) if passage.source == line.source => {
                if blank {
                    passage.lines.push(Vec::new());
                }
                passage.lines.push(pieces);
            }
            _ => all.push(Passage { source: line.source, lines: vec![pieces] }),
        }
        last = at;
    }
    all
}

/// The new words, then everything that was cut away.
fn in_turn(message: &Message, own: &[Line<'_>], cut: &[Line<'_>], marked: &[Marked]) -> Vec<Passage> {
    let mut all: Vec<Passage> = passage(&message.new_text.new, own.to_vec(), marked).into_iter().collect();
    for line in cut {
        let pieces = pieces(line, marked);
        match all.last_mut() {
            Some(passage) if passage.source == line.source => passage.lines.push(pieces),
            _ => all.push(Passage { source: line.source, lines: vec![pieces] }),
        }
    }
    all
}

fn passage(text: &str, lines: Vec<Line<'_>>, marked: &[Marked]) -> Option<Passage> {
    let source = lines.first()?.source;
    let mut lines = lines.iter();
    let line = |text: &str| {
        let blank = text.trim().is_empty();
        if blank { Vec::new() } else { lines.next().map(|line| pieces(line, marked)).unwrap_or_default() }
    };
    Some(Passage { source, lines: text.split('\n').map(line).collect() })
}

/// A line with its marks, those of each zone that it is part of.
fn pieces(line: &Line<'_>, marked: &[Marked]) -> Vec<Piece> {
    let places = line.at.iter();
    let inside: Vec<Marked> = places
        .flat_map(|place| marked.iter().filter_map(move |marked| in_line(line.text.len(), place, marked)))
        .collect();
    marks::divide(line.text, 0..line.text.len(), Zone::New, &inside)
}

/// The part of marked words that stands in a line of so many bytes, by its place in it.
fn in_line(length: usize, (zone, start, before): &(Zone, usize, usize), marked: &Marked) -> Option<Marked> {
    let end = start + length - before;
    if marked.zone != *zone || marked.range.start >= end || marked.range.end <= *start {
        return None;
    }
    let range = marked.range.start.max(*start) - start + before..marked.range.end.min(end) - start + before;
    // Where the words go on in the next line, the label waits for their end.
    let label = if marked.range.end > end { String::new() } else { marked.label.clone() };
    Some(Marked { zone: Zone::New, range, label, ..marked.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memo::Mark;
    use crate::message;

    fn read(body: &str) -> Message {
        let raw = format!(
            "From: A Parent <parent@home.example>\r\nTo: send@council.example\r\nSubject: Hello\r\n\r\n{body}"
        );
        message::parse(raw.as_bytes(), raw.len())
    }

    fn mark(message: &Message, zone: Zone, words: &str) -> Marked {
        let text = crate::rules::text_of(message, zone);
        let start = text.find(words).unwrap();
        let range = start..start + words.len();
        Marked { zone, range, text: words.to_owned(), mark: Mark::Counts, label: "U1".to_owned() }
    }

    fn shown(passages: &[Passage]) -> String {
        let piece = |p: &Piece| if p.mark == Mark::Plain { p.text.clone() } else { format!("<{}>", p.text) };
        let line = |pieces: &Vec<Piece>| pieces.iter().map(piece).collect::<String>();
        passages
            .iter()
            .map(|p| format!("{:?}: {}\n", p.source, p.lines.iter().map(line).collect::<Vec<_>>().join("/")))
            .collect()
    }

    #[test]
    fn answers_between_quotes_keep_their_place() {
        let message =
            read("Hi\n\n> Where is he now?\nAt home, he has no school.\n> Since when?\nSince May.\n\nJo\n");
        let found = shown(&passages(&message, &[mark(&message, Zone::New, "no school")]));
        assert_eq!(
            found,
            "New: Hi\nQuote: > Where is he now?\nNew: At home, he has <no school>.\nQuote: > Since when?\nNew: Since May.//Jo\n"
        );
    }

    #[test]
    fn words_in_quoted_text_are_marked_where_they_stand() {
        let message = read("Thanks, Jo\n\nOn 1 May 2026, Team wrote:\n> One.\n> He has no school.\n");
        let found = shown(&passages(&message, &[mark(&message, Zone::Quoted, "no school")]));
        assert!(found.contains("> He has <no school>."), "{found}");
    }

    #[test]
    fn what_does_not_come_out_even_is_shown_in_turn() {
        let mut message = read("Hi\n\n> Where?\nHere.\n");
        message.text = "something else".to_owned();
        let found = shown(&passages(&message, &[]));
        assert!(
            found.contains("Hi") && found.contains("Here.") && found.contains("Quote: > Where?"),
            "{found}"
        );
    }

    proptest::proptest! {
        #[test]
        fn every_line_of_any_message_is_shown(body in "([> ]{0,2}(Hi|a b|On 1 May 2026, X wrote:|--|Sent from my phone|no school)?\n){0,14}") {
            let message = read(&body);
            let shown: Vec<String> = passages(&message, &[])
                .iter()
                .flat_map(|p| &p.lines)
                .map(|pieces| pieces.iter().map(|p| p.text.trim()).collect::<String>())
                .filter(|line| !line.is_empty())
                .collect();
            let written: Vec<&str> = message.text.split('\n').map(str::trim).filter(|l| !l.is_empty()).collect();
            assert!(written.iter().all(|line| shown.iter().any(|s| s == line)), "{written:?} {shown:?}");
        }
    }
}
