//! The parser's complaints in plain words: what people usually get wrong in YAML, recognised by the look of the line.

use super::{SyntaxError, refuse};

/// Where in its line a slip stands (byte and length), what is wrong, what to do.
type Cause = (usize, usize, &'static str, &'static str);

/// Puts the parser's complaint in plain words, with the usual cause if the line, or the one above it, shows one.
pub(super) fn explain(text: &str, at: usize, said: &str) -> SyntaxError {
    let at = text.floor_char_boundary(at.min(text.len()));
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let mut candidates = vec![(start, line_at(text, start))];
    candidates.extend(line_above(text, start));
    for (start, line) in &candidates {
        if let Some((offset, length, problem, remedy)) = usual_cause(line) {
            return refuse(start + offset..start + offset + length, problem, remedy);
        }
    }
    if let [(start, line), above] = candidates.as_slice()
        && let Some(error) = wrong_step(*start, line, above.1)
    {
        return error;
    }
    let said = said.lines().next().unwrap_or_default();
    let end = start + line_at(text, start).trim_end().len();
    let from = (start + indent(line_at(text, start))).min(end);
    SyntaxError {
        range: if at < end && at > from { at..end } else { from..end },
        problem: format!("this is not correct YAML: {}", plainly(said)),
        remedy: Some(
            "Check the indentation of this line and the one above, and close every quote and bracket."
                .to_owned(),
        ),
    }
}

/// The parser's words where they speak of its own business.
fn plainly(said: &str) -> &str {
    match said {
        _ if said.contains("did not find expected ',' or ']'") || said.contains("flow sequence") => {
            "a [ is not closed, or a comma is missing"
        }
        _ if said.contains("flow mapping") => "a { is not closed, or a comma is missing",
        _ if said.contains("quoted scalar") => "a quote is never closed",
        _ if said.contains("block end") || said.contains("block mapping") || said.contains("indentation") => {
            "this line does not fit below the one above"
        }
        _ if said.contains("simple key") => {
            "a colon is missing, or this line does not fit below the one above"
        }
        other => other,
    }
}

fn line_at(text: &str, start: usize) -> &str {
    text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
}

/// The last line above that is neither empty nor a remark.
fn line_above(text: &str, start: usize) -> Option<(usize, &str)> {
    let mut end = start.checked_sub(1)?;
    loop {
        let begin = text.get(..end)?.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(begin..end)?;
        if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            return Some((begin, line.trim_end_matches('\r')));
        }
        end = begin.checked_sub(1)?;
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// `key: ` and what stands before and behind it, in a line that has one.
fn key_of(line: &str) -> Option<&str> {
    let item = line.trim_start();
    let item = item.strip_prefix("- ").unwrap_or(item);
    let (key, _) = item.split_once(':')?;
    let plain =
        !key.is_empty() && key.len() <= 20 && key.chars().all(|c| c.is_ascii_alphabetic() || c == ' ');
    plain.then_some(key)
}

/// The line's own words are right, but not where they stand.
fn wrong_step(start: usize, line: &str, above: &str) -> Option<SyntaxError> {
    let range = start + indent(line)..start + line.trim_end().len();
    let (is_entry, above_is_entry) =
        (line.trim_start().starts_with("- "), above.trim_start().starts_with("- "));
    if above_is_entry && !is_entry && key_of(line).is_none() && key_of(above).is_none() {
        return Some(refuse(
            range,
            "a dash is missing: this line stands among the entries of a list",
            "Begin it with a dash and a space, below the dash above.",
        ));
    }
    if !is_entry && key_of(line).is_none() {
        return Some(refuse(
            range,
            "this line is neither an entry of a list nor a key with its colon",
            "Write `- ` before an entry, or `:` and a space after a key.",
        ));
    }
    let what = key_of(line).filter(|_| !is_entry);
    if indent(line) != indent(above) {
        let problem = match what {
            Some(key) => format!("`{key}:` does not stand where a key of this rule would stand"),
            None => "this entry does not stand below the others of its list".to_owned(),
        };
        return Some(SyntaxError {
            range,
            problem,
            remedy: Some(
                "Keys of the same rule begin in the same column, and so do the dashes of a list: move this line left or right."
                    .to_owned(),
            ),
        });
    }
    None
}

fn usual_cause(line: &str) -> Option<Cause> {
    let blank = line.len() - line.trim_start().len();
    if let Some(tab) = line.get(..blank).and_then(|blank| blank.find('\t')) {
        return Some((
            tab,
            1,
            "a tab stands in the indentation",
            "Indent with spaces only: two for each step.",
        ));
    }
    if let Some(space) = line.get(..blank).and_then(|blank| blank.find('\u{a0}')) {
        return Some((
            space,
            2,
            "a non-breaking space stands in the indentation, as text copied from a web page or from Word brings it",
            "Delete it and press the space bar.",
        ));
    }
    let item = line.trim_start().strip_prefix("- ").unwrap_or(line.trim_start());
    if let Some(cause) = missing_space(line, item) {
        return Some(cause);
    }
    let value = item.split_once(": ").map_or(item, |(_, value)| value).trim();
    let offset = line.trim_end().len() - value.len();
    let rest_after = |open: char, close: char| {
        value.starts_with(open) && value.rfind(close).is_none_or(|end| end + 1 < value.len())
    };
    let first = value.chars().next()?;
    let length = value.len();
    let more = |open: char, close: char| value.matches(open).count() > value.matches(close).count();
    match first {
        '{' if value.ends_with('}') && more('{', '}') => {
            Some((offset, length, "one { more is opened here than closed", "Add the } that is missing."))
        }
        '[' if value.ends_with(']') && more('[', ']') => {
            Some((offset, length, "one [ more is opened here than closed", "Add the ] that is missing."))
        }
        '[' if value.ends_with(']')
            && value.get(1..length - 1).is_some_and(|inner| inner.contains(['{', '['])) =>
        {
            Some((
                offset,
                length,
                "a phrase with { } or [ ] in it must stand in quotes inside of [..., ...]",
                "Write ['the {school} place', '[very] ill'], or one phrase a line, each after a dash.",
            ))
        }
        // A list in [ ] may hold quotes and go on in the next line; a phrase has a word behind its bracket.
        '[' if rest_after('[', ']') && value.contains(']') => Some((
            offset,
            length,
            "a phrase that begins with [ must stand in quotes",
            "Write it as '[very] ill'.",
        )),
        '[' if rest_after('[', ']') => {
            Some((offset, length, "this [ is never closed", "Add a ] where the list ends."))
        }
        '{' if rest_after('{', '}') && value.contains('}') => Some((
            offset,
            length,
            "a phrase that begins with { must stand in quotes",
            "Write it as '{school} place'.",
        )),
        '{' if rest_after('{', '}') => {
            Some((offset, length, "this { is never closed", "Add a } where it ends."))
        }
        '*' | '&' | '!' | '%' | '@' | '`' | '|' | '>' => Some((
            offset,
            length,
            "text that begins with this character must stand in quotes",
            "Put the whole text in single quotes: '...'.",
        )),
        '"' | '\'' if value.len() == 1 || !value.ends_with(first) => Some((
            offset,
            length,
            "the quotes do not stand round the whole text",
            "Open the quote at the beginning and close it at the end; inside '...' write '' for an apostrophe.",
        )),
        '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => Some((
            offset,
            length,
            "these are typographic quotes, which YAML does not know",
            "Use straight quotes: ' or \".",
        )),
        '\'' if value.len() > 2
            && value.get(1..length - 1).is_some_and(|inner| inner.replace("''", "").contains('\'')) =>
        {
            Some((
                offset,
                length,
                "an apostrophe within '...' ends the quote",
                "Write the apostrophe twice ('he''s at home'), or put the text in \"...\".",
            ))
        }
        _ if value.contains(": ") => Some((
            offset,
            length,
            "a colon followed by a space divides key and value, so this text must stand in quotes",
            "Put the whole text in single quotes: '...'.",
        )),
        _ => None,
    }
}

/// `title:Part-time timetable`, `-no place`.
fn missing_space(line: &str, item: &str) -> Option<Cause> {
    let start = line.len() - item.len();
    if item.starts_with('-') && !item.starts_with("- ") && item.len() > 1 && !item.starts_with("---") {
        return Some((
            start,
            item.trim_end().len(),
            "there must be a space after the dash",
            "Write `- ` and then the entry.",
        ));
    }
    let key = key_of(line)?;
    let behind = item.get(key.len() + 1..)?;
    if behind.is_empty() || behind.starts_with([' ', '\r']) || behind.starts_with("//") {
        return None;
    }
    Some((
        start + key.len(),
        1,
        "there must be a space after this colon",
        "Write the key, a colon, a space, and then the value.",
    ))
}
