//! What the HTML of reports and decision slips shares: the page around it, and text that is never markup.
//!
//! One file that needs nothing else: no script, nothing fetched; a Content-Security-Policy forbids what slips through. For any width, in the
//! dark, read aloud, and on A4.

use crate::memo::printable;

/// A whole page.
pub fn page(title: &str, body: &str) -> String {
    let (before, rest) = include_str!("page.html").split_once("{{title}}").unwrap_or_default();
    let (between, after) = rest.split_once("{{body}}").unwrap_or_default();
    format!("{before}{}{between}{body}{after}", escaped(title))
}

/// Text as HTML shows it, for elements and for quoted attributes alike.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Paragraphs.
pub fn paragraphs(texts: &[String]) -> String {
    texts.iter().map(|text| format!("<p>{}</p>\n", escaped(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_that_anybody_wrote_becomes_markup(text in "(?s)[<>&\"'a-z /=!\\-\u{0}\u{202e}]{0,80}") {
            let shown = escaped(&text);
            assert!(!shown.contains(['<', '>', '"', '\'', '\u{0}', '\u{202e}']), "{shown}");
        }
    }
}
