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
    /// Line and column, both from 1, counted in characters.
    pub fn position(&self) -> (usize, usize) {
        let at = self.source.floor_char_boundary(self.range.start.min(self.source.len()));
        let before = self.source.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}: {}", self.problem)?;
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
            writeln!(f, "{:margin$} |", "")?;
            writeln!(f, "{number} | {line}")?;
            writeln!(f, "{:margin$} | {:indent$}{}", "", "", "^".repeat(length.max(1)), indent = column - 1)?;
        }
        if let Some(remedy) = &self.remedy {
            writeln!(f, "  = help: {remedy}")?;
        }
        Ok(())
    }
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
