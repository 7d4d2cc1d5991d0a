//! What is wrong in a file that staff wrote: the place, the reason, the remedy; printed as a good compiler does.

use std::fmt;
use std::ops::Range;

/// Whether the file may be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// No.
    Error,
    /// Yes.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Complaints one below the other, with an empty line between.
pub fn listed(all: &[Diagnostic]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file, as a path that the reader can open.
    pub file: String,
    /// Where, as bytes of the file; empty at 0 when the whole file is meant.
    pub range: Range<usize>,
    /// The file's text, for the excerpt.
    pub source: String,
    /// What is wrong, in plain English.
    pub problem: String,
    /// What to write instead.
    pub remedy: Option<String>,
}

impl Diagnostic {
    /// An error about a file as a whole.
    pub fn whole_file(file: String, problem: &str, remedy: &str) -> Self {
        Self {
            severity: Severity::Error,
            file,
            range: 0..0,
            source: String::new(),
            problem: problem.to_owned(),
            remedy: (!remedy.is_empty()).then(|| remedy.to_owned()),
        }
    }

    /// Line and column, both from 1, counted in characters.
    pub fn position(&self) -> (usize, usize) {
        self.position_of(self.range.start)
    }

    /// Line and column behind the last character meant.
    pub fn end_position(&self) -> (usize, usize) {
        self.position_of(self.range.end.max(self.range.start))
    }

    /// One line, as compilers print it for editors: `file:line:column: severity: problem`.
    pub fn short(&self) -> String {
        let (line, column) = self.position();
        format!("{}:{line}:{column}: {}: {}", self.file, self.severity.name(), self.problem)
    }

    fn position_of(&self, at: usize) -> (usize, usize) {
        let at = self.source.floor_char_boundary(at.min(self.source.len()));
        let before = self.source.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.severity.name(), self.problem)?;
        let (number, column) = self.position();
        let whole_file = self.range.is_empty() && self.range.start == 0;
        if whole_file {
            writeln!(f, "  --> {}", self.file)?;
        } else {
            writeln!(f, "  --> {}:{number}:{column}", self.file)?;
            let line = self.source.lines().nth(number - 1).unwrap_or_default();
            let margin = number.to_string().len();
            let length = self
                .source
                .get(self.range.clone())
                .map_or(1, |text| text.lines().next().unwrap_or_default().chars().count());
            // A tab is shown as one space, so that the underline stands where it should.
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let (line, indent, length) = window(&line, column - 1, length.max(1));
            writeln!(f, "{:margin$} |", "")?;
            writeln!(f, "{number} | {line}")?;
            writeln!(f, "{:margin$} | {:indent$}{}", "", "", "^".repeat(length))?;
        }
        if let Some(remedy) = &self.remedy {
            writeln!(f, "  = help: {remedy}")?;
        }
        Ok(())
    }
}

/// So much of a line is shown; terminals and mail programs wrap what is longer, and the underline would stand anywhere.
const WIDEST: usize = 110;

/// The part of a long line in which the place stands, and where in it: line, indent and length of the underline.
fn window(line: &str, indent: usize, length: usize) -> (String, usize, usize) {
    let all: Vec<char> = line.chars().collect();
    if all.len() <= WIDEST {
        return (line.to_owned(), indent, length);
    }
    let length = length.min(WIDEST - 30);
    // The place with what stands around it; the rest is told by dots.
    let start = if indent + length <= WIDEST - 4 { 0 } else { indent.saturating_sub(20) };
    let end = (start + WIDEST).min(all.len());
    let mut shown = String::new();
    let dots = if start > 0 { "... " } else { "" };
    shown.push_str(dots);
    shown.extend(all.iter().skip(start).take(end - start));
    if end < all.len() {
        shown.push_str(" ...");
    }
    (shown, indent - start + dots.len(), length.min(end.saturating_sub(indent)).max(1))
}

/// The known name most like this one, for "did you mean".
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (written.chars().count() / 3).max(1) + 1;
    known
        .into_iter()
        .map(|name| (distance(&written.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be changed, added, removed or swapped with a neighbour.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    let mut last = None;
    for (i, a) in one.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&row, j) + usize::from(a != *b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if j > 0 && last == Some(*b) && two.get(j - 1) == Some(&a) {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(a);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_points_at_the_place() {
        let source = "grounds:\n  - id: U4\n    wen: x\n".to_owned();
        let shown = Diagnostic {
            severity: Severity::Error,
            file: "urgent.yaml".into(),
            range: 24..27,
            source,
            problem: "unknown key `wen`".into(),
            remedy: Some("Did you mean `when`?".into()),
        }
        .to_string();
        assert_eq!(
            shown,
            "error: unknown key `wen`\n  --> urgent.yaml:3:5\n  |\n3 |     wen: x\n  |     ^^^\n  = help: Did you mean `when`?\n"
        );
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["when", "unless", "despite"];
        assert_eq!(nearest("wen", known), Some("when"));
        assert_eq!(nearest("unles", known), Some("unless"));
        assert_eq!(nearest("colour", known), None);
    }
}
