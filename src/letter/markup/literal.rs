//! Words that somebody else wrote, within a text that is read as markup: they mean nothing in it. No strong words, no table
//! cells, no links, not even of an address that stands there plainly.
//!
//! Each sign of ASCII that is no letter is moved to the private use area of Unicode while the markup is read, and back after.

/// Where the signs are moved to. What a stranger wrote there already is dropped, so that nothing can be smuggled through.
const AWAY: u32 = 0xE000;

/// Makes one line of somebody's words into such that the markup leaves alone.
pub fn literal(words: &str) -> String {
    let moved = |c: char| match c {
        '\u{E000}'..='\u{E07F}' => None,
        c if c.is_control() || c.is_whitespace() => Some(' '),
        c if c.is_ascii() && !c.is_ascii_alphabetic() => char::from_u32(AWAY + u32::from(c)),
        c => Some(c),
    };
    words.chars().filter_map(moved).collect()
}

/// The words as they were.
pub fn read(words: &str) -> String {
    let back = |c: char| match u32::from(c).checked_sub(AWAY) {
        Some(sign @ 0..=0x7F) => char::from_u32(sign).unwrap_or(c),
        _ => c,
    };
    words.chars().map(back).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Block, Span, parse, to_html, to_text};
    use super::*;

    #[test]
    fn a_strangers_subject_is_no_markup_in_a_line_or_a_table() {
        let subject =
            "**Win** | [here](https://evil.example) https://evil.example 01632 960 330 me@evil.example";
        for source in [literal(subject), format!("| Case |\n| {} |", literal(subject))] {
            let (blocks, slips) = parse(&source);
            assert!(slips.is_empty(), "{slips:?}");
            let html = to_html(&blocks);
            assert!(!html.contains("href") && !html.contains("<strong>"), "{html}");
            assert!(to_text(&blocks).contains(subject), "{}", to_text(&blocks));
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written_is_one_paragraph_of_text_and_comes_back(words in "[ -~\u{a3}\u{e000}-\u{e080}]{0,60}") {
            let (blocks, slips) = parse(&format!("x{}", literal(&words)));
            assert!(slips.is_empty());
            let Some(Block::Paragraph(lines)) = blocks.first() else { panic!("{blocks:?}") };
            let [Span::Text(text)] = lines[0].as_slice() else { panic!("{lines:?}") };
            let kept: String = words.chars().filter(|c| !('\u{E000}'..='\u{E07F}').contains(c)).collect();
            assert_eq!(text.trim_end(), format!("x{}", kept).trim_end());
        }
    }
}
