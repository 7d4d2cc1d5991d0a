//! Reading on behind a syntax error, so that all mistakes of a file are told at once and not the first alone.
//!
//! The entry in which the reading stopped is blanked out, every byte of the others stays where it was, and the text is read
//! again. What is read so is for complaints only: a file with a syntax error is never taken into use.

use super::{Node, SyntaxError, Value, read, refuse};

/// After so many stops the rest is left: something else than a slip is wrong.
const MOST_STOPS: usize = 12;

/// What can be read, and all that is wrong. Where there is an error, entries are missing from what was read.
pub fn parse_leniently(text: &str) -> (Node, Vec<SyntaxError>) {
    let mut errors: Vec<SyntaxError> = Vec::new();
    let mut rest = text.to_owned();
    let mut conflicts_told = false;
    for _ in 0..MOST_STOPS {
        let read = read(&rest);
        // Marks of a version control system explain everything that is odd about them.
        if read.stopped_at.is_some() && !conflicts_told {
            conflicts_told = true;
            let conflicts = conflicts(&mut rest);
            if !conflicts.is_empty() {
                errors.extend(conflicts);
                continue;
            }
        }
        errors.extend(read.slips);
        let Some(stop) = read.stopped_at else {
            errors.sort_by_key(|error| error.range.start);
            errors.dedup();
            return (read.root, errors);
        };
        let at = stop.range.start;
        errors.push(stop);
        if !blank_entry(&mut rest, at) {
            break;
        }
    }
    errors.sort_by_key(|error| error.range.start);
    errors.dedup();
    (Node { range: 0..0, value: Value::Null }, errors)
}

/// Takes the marks of versions that were not brought together out of the text, and complains of each place once.
fn conflicts(text: &mut String) -> Vec<SyntaxError> {
    if !text.lines().any(|line| line.starts_with("<<<<<<<")) {
        return Vec::new();
    }
    let (mut errors, mut out, mut start) = (Vec::new(), String::with_capacity(text.len()), 0);
    for line in text.split_inclusive('\n') {
        let mark = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().find(|mark| line.starts_with(**mark));
        let words = line.trim_end_matches(['\r', '\n']);
        match mark {
            Some(mark) => {
                if *mark == "<<<<<<<" {
                    errors.push(refuse(
                        start..start + words.len(),
                        "two versions of these lines were never brought together",
                        "Keep one of the two between <<<<<<< and >>>>>>>, and remove the lines with the marks.",
                    ));
                }
                out.push_str(&" ".repeat(words.len()));
                out.push_str(line.get(words.len()..).unwrap_or_default());
            }
            None => out.push_str(line),
        }
        start += line.len();
    }
    *text = out;
    errors
}

/// Blanks out the entry of a list, or the top-level key, in which this byte stands; false where there is nothing left.
fn blank_entry(text: &mut String, at: usize) -> bool {
    let mut lines: Vec<(usize, &str)> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        lines.push((start, line));
        start += line.len();
    }
    let is_blank = |line: &str| line.trim().is_empty();
    let here = lines.iter().rposition(|(start, line)| *start <= at && !is_blank(line));
    let Some(here) = here else { return false };
    // The nearest line above that begins an entry of the outermost list, or a top-level key.
    let begins = |line: &str| indent(line) == 0 || (indent(line) <= 2 && line.trim_start().starts_with("- "));
    let Some(first) = lines.get(..=here).and_then(|all| {
        all.iter()
            .rposition(|(_, line)| !is_blank(line) && !line.trim_start().starts_with('#') && begins(line))
    }) else {
        return false;
    };
    let depth = lines.get(first).map_or(0, |(_, line)| indent(line));
    let after = |(_, line): &&(usize, &str)| {
        !is_blank(line) && (indent(line) < depth || (indent(line) == depth && begins(line)))
    };
    let count = lines.iter().skip(first + 1).take_while(|line| !after(line)).count() + 1;
    let from = lines.get(first).map_or(0, |(start, _)| *start);
    let to = lines.get(first + count).map_or(text.len(), |(start, _)| *start);
    // A space for every byte, so that all places stay what they were.
    let blank: String = text
        .get(from..to)
        .unwrap_or_default()
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    text.replace_range(from..to, &blank);
    true
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_several_rules_are_all_found_and_the_other_rules_are_read() {
        let text = "grounds:\n  - id: A\n    when: [x\n  - id: B\n    when: y\n  - id: C\n    when: 'z\n\nclaims:\n  - id: D\n";
        let (root, errors) = parse_leniently(text);
        let Value::Map(entries) = &root.value else { panic!("{root:?} {errors:?}") };
        assert_eq!(entries.len(), 2, "{entries:?}");
        assert!(errors.len() >= 2, "{errors:?}");
        let Value::List(rules) = &entries[0].1.value else { panic!("{entries:?}") };
        assert_eq!(&text[rules[0].range.clone()], "id: B\n    when: y");
    }

    proptest::proptest! {
        #[test]
        fn it_always_ends_and_points_into_the_text(text in "([ \\n\\-:\\[\\]{}'\"a*&!|#]|- |: |\\n  - ){0,80}") {
            let (_, errors) = parse_leniently(&text);
            assert_eq!(errors.is_empty(), super::super::parse(&text).is_ok());
            for error in errors {
                assert!(error.range.start <= text.len());
            }
        }
    }
}
