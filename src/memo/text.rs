//! A memo as text, for a terminal with colours or for a pipe without them.
//!
//! Without colours, marked words stand between `>>` and `<<`, so that they survive in a file or a mail.

use super::marks::{Mark, Piece};
use super::{Entry, Memo, Passage, printable, say};
use crate::triage::Finding;

/// How many columns a line has.
const WIDTH: usize = 100;

/// How marked words are set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// By the terminal's colours (ECMA-48, SGR).
    Colours,
    /// By `>>` and `<<`.
    Signs,
}

/// What a stretch of the memo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Urgent,
    Standard,
    Unsure,
    Heading,
    Quiet,
    Marked(Mark),
}

/// The memo; with `body`, the sender's new words too.
pub fn text(memo: &Memo, paint: Paint, body: bool) -> String {
    let mut out = String::new();
    let verdict = if memo.urgent { Style::Urgent } else { Style::Standard };
    let name = if memo.urgent { memo.verdict.to_uppercase() } else { memo.verdict.clone() };
    let mut title = paint.styled(&name, verdict);
    if memo.unsure.is_some() {
        title.push_str(&format!(" {}", paint.styled("(unsure)", Style::Unsure)));
    }
    out.push_str(&format!("{title}  {}\n\n", paint.styled(&printable(&memo.file), Style::Quiet)));
    for (name, value) in &memo.facts {
        out.push_str(&format!("  {}", paint.styled(&format!("{name:<10}"), Style::Quiet)));
        out.push_str(paint.wrapped(value, 12).trim_start());
    }
    out.push('\n');
    for sentence in &memo.decision {
        out.push_str(&paint.wrapped(&[Piece::plain(sentence.clone())], 2));
    }
    if let Some(unsure) = &memo.unsure {
        out.push_str(&format!("\n  {}\n", paint.styled("Unsure", Style::Unsure)));
        out.push_str(&paint.wrapped(&[Piece::plain(unsure.clone())], 2));
    }
    for section in &memo.sections {
        out.push_str(&format!("\n{}\n", paint.styled(section.heading, Style::Heading)));
        let entries: Vec<String> = section.entries.iter().map(|entry| paint.entry(entry)).collect();
        out.push_str(&entries.join("\n"));
    }
    if body {
        out.push_str(&format!("\n{}\n", paint.styled("New text", Style::Heading)));
        let passages = memo.body.iter().filter(|passage| passage.source.counts());
        let passages: Vec<String> = passages.map(|passage| paint.passage(passage)).collect();
        out.push_str(&passages.join("  |\n"));
    }
    out
}

/// Findings in short, a line or two each: `+` holds, `-` set aside.
pub fn findings(trace: &[Finding]) -> String {
    trace.iter().map(say::finding).collect()
}

impl Paint {
    fn entry(self, entry: &Entry) -> String {
        let name =
            if entry.numbered { format!("{}  {}", entry.label, entry.title) } else { entry.title.clone() };
        let mut out = format!("  {}", self.styled(&printable(&name), Style::Heading));
        if !entry.clause.is_empty() {
            let fits = name.chars().count() + entry.clause.chars().count() + 6 <= WIDTH;
            out.push_str(if fits { "  " } else { "\n      " });
            out.push_str(&self.styled(&format!("[{}]", printable(&entry.clause)), Style::Quiet));
        }
        out.push('\n');
        if let Some(note) = &entry.note {
            let note = if entry.set_aside { format!("does not count: {note}") } else { note.clone() };
            out.push_str(&self.wrapped(&[Piece::plain(note)], 6));
        }
        for excerpt in &entry.excerpts {
            let mut pieces = vec![Piece::plain("\"")];
            pieces.extend(excerpt.pieces.iter().cloned());
            let place =
                if excerpt.place.is_empty() { String::new() } else { format!(" ({})", excerpt.place) };
            pieces.push(Piece::plain(format!("\"{place}")));
            out.push_str(&self.wrapped(&pieces, 6));
        }
        out
    }

    fn passage(self, passage: &Passage) -> String {
        let mut out = String::new();
        for line in &passage.lines {
            let pieces: Vec<Piece> =
                line.iter().map(|piece| Piece { text: printable(&piece.text), ..piece.clone() }).collect();
            let text = self.wrapped(&pieces, 4);
            for line in text.lines() {
                out.push_str(format!("  | {}", line.get(4..).unwrap_or_default()).trim_end());
                out.push('\n');
            }
            if pieces.is_empty() {
                out.push_str("  |\n");
            }
        }
        out
    }

    /// Pieces broken into lines, each indented by so much.
    fn wrapped(self, pieces: &[Piece], indent: usize) -> String {
        let mut letters: Vec<(char, Mark)> = Vec::new();
        let mut open = false;
        for piece in pieces {
            let marked = !matches!(piece.mark, Mark::Plain | Mark::Cause);
            if self == Self::Signs && marked != open {
                let sign = if marked { ">>" } else { "<<" };
                letters.extend(sign.chars().map(|c| (c, Mark::Plain)));
            }
            open = marked;
            letters.extend(piece.text.chars().map(|c| (c, piece.mark)));
        }
        if self == Self::Signs && open {
            letters.extend("<<".chars().map(|c| (c, Mark::Plain)));
        }
        let mut out = String::new();
        for line in broken(&letters, WIDTH.saturating_sub(indent)) {
            out.push_str(&" ".repeat(indent));
            for run in line.chunk_by(|(_, one), (_, two)| one == two) {
                let mark = run.first().map_or(Mark::Plain, |(_, mark)| *mark);
                let words: String = run.iter().map(|(c, _)| c).collect();
                out.push_str(&self.styled(&words, Style::Marked(mark)));
            }
            out.push('\n');
        }
        out
    }

    fn styled(self, words: &str, style: Style) -> String {
        let code = match style {
            Style::Urgent => "1;31",
            Style::Standard => "1;32",
            Style::Unsure => "1;35",
            Style::Heading => "1",
            Style::Quiet => "2",
            // A highlighter's black on yellow can be read on a dark and on a light terminal.
            Style::Marked(Mark::Counts) => "30;43",
            Style::Marked(Mark::Noted) => "4",
            Style::Marked(Mark::SetAside) => "4;35",
            Style::Marked(Mark::Cause) => "1;35",
            Style::Marked(Mark::Plain) => "",
        };
        if self == Self::Signs || code.is_empty() || words.is_empty() {
            return words.to_owned();
        }
        format!("\u{1b}[{code}m{words}\u{1b}[0m")
    }
}

/// Lines of at most so many letters, broken at blanks where there are any.
fn broken(letters: &[(char, Mark)], width: usize) -> Vec<&[(char, Mark)]> {
    let mut lines = Vec::new();
    let mut rest = letters;
    while rest.len() > width {
        let fits = rest.get(..=width).unwrap_or(rest);
        let blank = fits.iter().rposition(|(c, _)| *c == ' ').filter(|at| *at > 0);
        let (line, next) = match blank {
            Some(at) => (rest.get(..at), rest.get(at + 1..)),
            None => (rest.get(..width), rest.get(width..)),
        };
        lines.push(line.unwrap_or_default());
        rest = next.unwrap_or_default();
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, mark: Mark) -> Piece {
        Piece { text: text.to_owned(), mark, labels: Vec::new() }
    }

    #[test]
    fn marked_words_stand_between_signs_or_in_colour() {
        let pieces = [
            piece("He is ", Mark::Plain),
            piece("not", Mark::Cause),
            piece(" at ", Mark::Plain),
            piece("risk", Mark::SetAside),
        ];
        assert_eq!(Paint::Signs.wrapped(&pieces, 2), "  He is not at >>risk<<\n");
        assert_eq!(
            Paint::Colours.wrapped(&pieces, 0),
            "He is \u{1b}[1;35mnot\u{1b}[0m at \u{1b}[4;35mrisk\u{1b}[0m\n"
        );
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_somewhere() {
        let long = "x".repeat(150);
        let text =
            Paint::Signs.wrapped(&[piece(&format!("{} {long}", "word ".repeat(30).trim()), Mark::Plain)], 4);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH && line.starts_with("    ")), "{text}");
        assert_eq!(text.chars().filter(|c| *c == 'x').count(), 150);
        let lines: Vec<_> = Paint::Colours
            .wrapped(&[piece(&"a b ".repeat(60), Mark::Counts)], 0)
            .lines()
            .map(str::to_owned)
            .collect();
        assert!(lines.iter().all(|line| line.ends_with("\u{1b}[0m")), "each line closes what it opens");
    }
}
