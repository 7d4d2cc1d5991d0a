//! What is wrong in a file that staff wrote: the place, the reason, the remedy; printed as a good compiler does.

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
