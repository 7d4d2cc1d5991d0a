//! A line of a message, with what its markup or its place says of it.

use std::borrow::Cow;

/// One line. Quotation marks (`> `) stand in the text, also for lines that HTML quoted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line<'a> {
    pub text: Cow<'a, str>,
    /// Part of an older message, by its markup.
    pub older: bool,
    /// From here on everything is an older message, by its markup.
    pub rest_is_older: bool,
    /// Inside the part of the document that holds the older message, perhaps with answers in it.
    pub region: bool,
    /// Part of a signature, by its markup.
    pub signature: bool,
    /// "On ..., X wrote:", by its markup.
    pub attribution: bool,
    /// Wholly in bold or in colour.
    pub apart: bool,
    /// Wholly in small print.
    pub small: bool,
}

impl<'a> Line<'a> {
    /// A line of which nothing is known but its text.
    pub(crate) fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Line { text: text.into(), ..Line::default() }
    }

    /// The same, holding its text itself.
    pub(crate) fn into_owned(self) -> Line<'static> {
        Line { text: Cow::Owned(self.text.into_owned()), ..self }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) fn is_quoted(&self) -> bool {
        let text = self.text.trim_start();
        text.starts_with('>') && !text.starts_with(">From ")
    }

    /// The text without its first level of quotation.
    pub(super) fn unquoted(&self) -> &str {
        let text = self.text.trim_start();
        let inside = text.strip_prefix('>').unwrap_or(text);
        inside.strip_prefix(' ').unwrap_or(inside)
    }
}

/// The lines of a plain text, normalised already.
pub(crate) fn of_text(text: &str) -> Vec<Line<'_>> {
    text.split('\n').map(Line::plain).collect()
}

/// The text of lines, one blank line at most between two.
pub(crate) fn join<'a>(lines: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let length = lines.clone().into_iter().map(|line| line.len() + 1).sum();
    let mut out = String::with_capacity(length);
    let mut blank = false;
    for line in lines {
        let line = line.trim_end();
        if line.is_empty() {
            blank = true;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank { "\n\n" } else { "\n" });
        }
        blank = false;
        out.push_str(line);
    }
    out
}
