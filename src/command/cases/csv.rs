//! Lists as comma-separated values (RFC 4180), such that a spreadsheet computes nothing of what strangers wrote.

/// A record: its cells quoted where they must be, and the end of its line.
pub(in super::super) fn record<C: AsRef<str>>(cells: impl IntoIterator<Item = C>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell that begins like a formula gets an apostrophe in front, also behind blanks and in the wide letters of other scripts:
/// spreadsheets differ in what they strip before they compute.
fn cell(text: &str) -> String {
    let begins =
        text.trim_start().starts_with(['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
            || text.starts_with(['\t', '\r', '\n']);
    let safe = if begins { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\n', '\r']) || safe.starts_with(' ') || safe.ends_with(' ') {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_neither_breaks_the_lines_nor_runs_in_a_spreadsheet() {
        assert_eq!(cell("=cmd()"), "'=cmd()");
        assert_eq!(cell("a, \"b\""), "\"a, \"\"b\"\"\"");
        for formula in ["+44 20", "-1", "@SUM(A1)", "\t=1", " =1", "\u{FF1D}1"] {
            let written = cell(formula);
            assert!(written.trim_start_matches('"').starts_with('\''), "{formula:?}: {written}");
        }
        assert_eq!(record(["one", "two\nlines"]), "one,\"two\nlines\"\r\n");
        assert_eq!(cell("an ordinary - subject"), "an ordinary - subject");
    }
}
