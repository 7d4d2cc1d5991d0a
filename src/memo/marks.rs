//! A text divided into pieces, each with the most telling of the marks that lie on it. Knows nothing of where they come from.

use std::ops::Range;

use crate::rules::Zone;

/// What a piece of a message is to the decision; the later ones win where two lie on the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing.
    Plain,
    /// Team, area, chaser and the like rest on it.
    Noted,
    /// It was found, but does not count.
    SetAside,
    /// It is why something else does not count.
    Cause,
    /// The ground or topic rests on it.
    Counts,
}

/// A piece of text with its mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// What they are.
    pub mark: Mark,
    /// Whose words end here: `U4`, `area`, ...
    pub labels: Vec<String>,
}

impl Piece {
    /// Words that are nothing to the decision.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), mark: Mark::Plain, labels: Vec::new() }
    }
}

/// Words that a finding marks.
#[derive(Debug, Clone)]
pub struct Marked {
    pub zone: Zone,
    pub range: Range<usize>,
    pub text: String,
    pub mark: Mark,
    pub label: String,
}

/// The pieces of a part of a zone's text. Ranges that do not fit the text are left out.
pub fn divide(text: &str, part: Range<usize>, zone: Zone, marked: &[Marked]) -> Vec<Piece> {
    let inside: Vec<(Range<usize>, &Marked)> = marked
        .iter()
        .filter(|marked| marked.zone == zone && text.get(marked.range.clone()).is_some())
        .map(|marked| (marked.range.start.max(part.start)..marked.range.end.min(part.end), marked))
        .filter(|(range, _)| range.start < range.end)
        .collect();
    let mut cuts: Vec<usize> = inside.iter().flat_map(|(range, _)| [range.start, range.end]).collect();
    cuts.extend([part.start, part.end]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut pieces: Vec<Piece> = Vec::new();
    for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
        let Some(words) = text.get(*from..*to) else { continue };
        let over = || inside.iter().filter(|(range, _)| range.start <= *from && *to <= range.end);
        let mark = over().map(|(_, marked)| marked.mark).max().unwrap_or(Mark::Plain);
        let mut labels: Vec<String> = over()
            .filter(|(range, marked)| range.end == *to && !marked.label.is_empty())
            // Where further words of the same finding go on, the label waits for their end.
            .filter(|(_, marked)| !goes_on(&inside, &marked.label, *to))
            .map(|(_, marked)| marked.label.clone())
            .collect();
        labels.dedup();
        match pieces.last_mut() {
            Some(last) if last.mark == mark && last.labels.is_empty() => {
                last.text.push_str(words);
                last.labels = labels;
            }
            _ => pieces.push(Piece { text: words.to_owned(), mark, labels }),
        }
    }
    pieces
}

fn goes_on(inside: &[(Range<usize>, &Marked)], label: &str, at: usize) -> bool {
    inside.iter().any(|(range, marked)| marked.label == label && range.start <= at && at < range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(range: Range<usize>, mark: Mark, label: &str) -> Marked {
        Marked { zone: Zone::New, range, text: String::new(), mark, label: label.to_owned() }
    }

    fn shown(pieces: &[Piece]) -> String {
        let piece = |p: &Piece| match p.mark {
            Mark::Plain => p.text.clone(),
            mark => format!("[{mark:?} {}|{}]", p.text, p.labels.join(" ")),
        };
        pieces.iter().map(piece).collect()
    }

    #[test]
    fn overlapping_words_keep_the_most_telling_mark_and_each_label_once() {
        let all = [
            marked(4..11, Mark::Counts, "U4"),
            marked(8..14, Mark::Counts, "U4"),
            marked(4..7, Mark::Noted, "area"),
            marked(12..20, Mark::SetAside, "U3"),
        ];
        let pieces = divide("abc defghijklm nopqrs tuv", 0..25, Zone::New, &all);
        assert_eq!(shown(&pieces), "abc [Counts def|area][Counts ghijklm|U4][SetAside  nopqr|U3]s tuv");
    }

    proptest::proptest! {
        #[test]
        fn no_word_is_lost_or_added(text in "(?s).{0,60}", ranges in proptest::collection::vec((0usize..80, 0usize..80), 0..6)) {
            let all: Vec<Marked> = ranges.iter().map(|(a, b)| marked(*a..*b, Mark::Counts, "U1")).collect();
            let pieces = divide(&text, 0..text.len(), Zone::New, &all);
            assert_eq!(pieces.iter().map(|p| p.text.as_str()).collect::<String>(), text);
        }
    }
}
