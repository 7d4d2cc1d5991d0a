//! The simple markup of the wording files, and the two texts made from it: plain and HTML. One source for both, so that
//! they cannot say different things.
//!
//! A block is set off by blank lines. `# `, `## ` and `### ` are headings, `- ` items of a list, `> Label: value` key facts,
//! `= Label: value` key figures side by side, `| a | b |` rows of a table, `[picture: name]` a picture, `---` a rule. Within a
//! line: `**strong**` and `[words](https://...)`. Anything else is itself: there is no way to write HTML.

mod html;
pub mod literal;
mod plain;
mod table;

pub use html::{escape, page, page_of, to_html};
pub use plain::to_text;
pub use table::Table;

use crate::digest::charts::NAMES as PICTURES;

/// One block of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// `# ` (1), `## ` (2) or `### ` (3).
    Heading(u8, Vec<Span>),
    /// Lines of a paragraph; a line end in the source is one in the letter.
    Paragraph(Vec<Vec<Span>>),
    /// Items.
    List(Vec<Vec<Span>>),
    /// Label and value.
    Facts(Vec<(String, String)>),
    /// Label and value of figures that stand side by side.
    Figures(Vec<(String, String)>),
    /// Rows below a head.
    Table(Table),
    /// A picture, by its name. What it shows is filled in by the letter that has it; one without is not shown.
    Picture(Shown),
    /// `---`.
    Rule,
    /// Somebody's own words, shown as they are; no markup makes it, for they are never read as markup.
    Verbatim(String),
}

/// A run of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// As it is.
    Text(String),
    /// `**strong**`.
    Strong(Vec<Span>),
    /// Words and where they lead.
    Link(String, String),
}

/// A picture of a letter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// By which the markup names it, and its part of the letter.
    pub name: String,
    /// What it shows, in words; empty: the letter has no such picture.
    pub alt: String,
    /// The same in letters, for the plain text.
    pub text: String,
    /// Width and height as drawn; 0: it could not be drawn, and its words stand instead.
    pub size: (u32, u32),
}

/// What a line breaks of the markup's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// The line, as rendered.
    pub line: String,
    /// What is wrong.
    pub problem: String,
    /// What to write.
    pub remedy: String,
}

/// Reads the markup. What cannot be read stands as itself and is listed.
pub fn parse(source: &str) -> (Vec<Block>, Vec<Slip>) {
    let (mut blocks, mut slips) = (Vec::new(), Vec::new());
    let mut previous_was_blank = true;
    for line in source.lines().map(str::trim) {
        let fresh = std::mem::replace(&mut previous_was_blank, line.is_empty());
        if line.is_empty() {
            continue;
        }
        if line == "---" {
            blocks.push(Block::Rule);
        } else if let Some(words) = line.strip_prefix("### ") {
            blocks.push(Block::Heading(3, spans(words, &mut slips)));
        } else if let Some(words) = line.strip_prefix("## ") {
            blocks.push(Block::Heading(2, spans(words, &mut slips)));
        } else if let Some(words) = line.strip_prefix("# ") {
            blocks.push(Block::Heading(1, spans(words, &mut slips)));
        } else if let Some(item) = line.strip_prefix("- ") {
            let item = spans(item, &mut slips);
            match blocks.last_mut() {
                Some(Block::List(items)) if !fresh => items.push(item),
                _ => blocks.push(Block::List(vec![item])),
            }
        } else if let Some(fact) = line.strip_prefix('>') {
            let Some(fact) = label_and_value('>', fact, line, &mut slips) else { continue };
            match blocks.last_mut() {
                Some(Block::Facts(facts)) => facts.push(fact),
                _ => blocks.push(Block::Facts(vec![fact])),
            }
        } else if let Some(figure) = line.strip_prefix("= ") {
            let Some(figure) = label_and_value('=', figure, line, &mut slips) else { continue };
            match blocks.last_mut() {
                Some(Block::Figures(figures)) => figures.push(figure),
                _ => blocks.push(Block::Figures(vec![figure])),
            }
        } else if line.starts_with('|') {
            match blocks.last_mut() {
                Some(Block::Table(table)) if !fresh => table.add(line, &mut slips),
                _ => blocks.push(Block::Table(Table::begun(line, &mut slips))),
            }
        } else if let Some(name) = line.strip_prefix("[picture:").and_then(|rest| rest.strip_suffix(']')) {
            let name = name.trim();
            if !PICTURES.contains(&name) {
                slips.push(Slip {
                    line: line.to_owned(),
                    problem: format!("there is no picture \"{name}\""),
                    remedy: format!("the pictures are: {}", PICTURES.join(", ")),
                });
            }
            blocks.push(Block::Picture(Shown { name: name.to_owned(), ..Shown::default() }));
        } else {
            if line.starts_with('#') || line.starts_with("* ") {
                slips.push(Slip {
                    line: line.to_owned(),
                    problem: "the line begins with a sign that is not understood".to_owned(),
                    remedy: "write # or ## and a space for a heading, - and a space for an item of a list"
                        .to_owned(),
                });
            }
            let words = spans(line, &mut slips);
            match blocks.last_mut() {
                Some(Block::Paragraph(lines)) if !fresh => lines.push(words),
                _ => blocks.push(Block::Paragraph(vec![words])),
            }
        }
    }
    (blocks, slips)
}

fn label_and_value(sign: char, rest: &str, line: &str, slips: &mut Vec<Slip>) -> Option<(String, String)> {
    let Some((label, value)) = rest.split_once(':') else {
        slips.push(Slip {
            line: line.to_owned(),
            problem: format!("a line that begins with {sign} has no colon"),
            remedy: format!("write it as {sign} Label: value"),
        });
        return None;
    };
    Some((literal::read(label.trim()), literal::read(value.trim())))
}

/// A target that a letter may link to.
fn may_link(target: &str) -> bool {
    ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| {
        target
            .strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
    })
}

fn spans(line: &str, slips: &mut Vec<Slip>) -> Vec<Span> {
    let mut out = Vec::new();
    let mut rest = line;
    let mut slip = |problem: &str, remedy: &str| {
        slips.push(Slip { line: line.to_owned(), problem: problem.to_owned(), remedy: remedy.to_owned() });
    };
    while !rest.is_empty() {
        let strong = rest.find("**");
        let link = rest.find("](").and_then(|close| rest.get(..close)?.rfind('[').map(|open| (open, close)));
        match (strong, link) {
            (Some(at), link) if link.is_none_or(|(open, _)| at < open) => {
                let (before, after) = rest.split_at(at);
                let inner = after.get(2..).unwrap_or_default();
                let Some(end) = inner.find("**") else {
                    slip("** is opened and not closed", "write ** on both sides: **strong words**");
                    text(&mut out, rest);
                    break;
                };
                text(&mut out, before);
                let mut ignored = Vec::new();
                out.push(Span::Strong(spans(inner.get(..end).unwrap_or_default(), &mut ignored)));
                rest = inner.get(end + 2..).unwrap_or_default();
            }
            (_, Some((open, close))) => {
                let words = rest.get(open + 1..close).unwrap_or_default();
                let after = rest.get(close + 2..).unwrap_or_default();
                let Some(end) = after.find(')') else {
                    slip("a link has no closing bracket", "write [words](https://...)");
                    text(&mut out, rest);
                    break;
                };
                let target = after.get(..end).unwrap_or_default();
                text(&mut out, rest.get(..open).unwrap_or_default());
                if may_link(target) {
                    out.push(Span::Link(literal::read(words), target.to_owned()));
                } else {
                    slip(
                        &format!(
                            "the link leads to \"{target}\", which is no web page, email address or telephone number"
                        ),
                        "begin it with https://, mailto: or tel:",
                    );
                    text(&mut out, words);
                }
                rest = after.get(end + 1..).unwrap_or_default();
            }
            _ => {
                text(&mut out, rest);
                break;
            }
        }
    }
    out
}

/// Adds plain words, in which web pages, email addresses and British telephone numbers become links by themselves.
fn text(out: &mut Vec<Span>, words: &str) {
    let mut rest = words;
    while let Some((start, end, target)) = next_address(rest) {
        let before = rest.get(..start).unwrap_or_default();
        if !before.is_empty() {
            out.push(Span::Text(literal::read(before)));
        }
        out.push(Span::Link(rest.get(start..end).unwrap_or_default().to_owned(), target));
        rest = rest.get(end..).unwrap_or_default();
    }
    if !rest.is_empty() {
        out.push(Span::Text(literal::read(rest)));
    }
}

/// The first thing in the words that is an address of some kind: where it starts and ends, and its link.
fn next_address(words: &str) -> Option<(usize, usize, String)> {
    let mut at = 0;
    for word in words.split_inclusive([' ', '(', ')', ',']) {
        let bare = word.trim_end_matches([' ', '(', ')', ',', '.', ':', ';', '!', '?']);
        let end = at + bare.len();
        if bare.starts_with("https://") || bare.starts_with("http://") {
            return Some((at, end, bare.to_owned()));
        }
        if bare.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.')) {
            return Some((at, end, format!("mailto:{bare}")));
        }
        if bare.starts_with('0') {
            let number: String =
                words.get(at..)?.chars().take_while(|c| c.is_ascii_digit() || *c == ' ').collect();
            let number = number.trim_end();
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            if (10..=11).contains(&digits.len()) {
                return Some((at, at + number.len(), format!("tel:+44{}", digits.trim_start_matches('0'))));
            }
        }
        at += word.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(source: &str) -> String {
        to_text(&parse(source).0)
    }

    #[test]
    fn a_link_shows_its_page_in_the_plain_text() {
        assert_eq!(
            text_of("See [the Grid](https://grid.example/a)."),
            "See the Grid (https://grid.example/a).\n"
        );
    }

    #[test]
    fn numbers_and_addresses_become_links_by_themselves() {
        let html = to_html(&parse("Call 01632 960 330 (office hours), or write to team@council.example.").0);
        assert!(html.contains(r#"href="tel:+441632960330""#), "{html}");
        assert!(html.contains(r#"href="mailto:team@council.example""#), "{html}");
        assert!(html.contains("</a>."), "the full stop is no part of the address: {html}");
    }

    #[test]
    fn nothing_written_becomes_html() {
        let html = to_html(&parse("# <script>\n\n> A: <b>\n\n[x](https://a.example/\"onclick=)").0);
        assert!(!html.contains("<script>") && !html.contains("<b>") && !html.contains("\"onclick"), "{html}");
    }

    #[test]
    fn a_strangers_words_are_shown_as_they_are() {
        let words = Block::Verbatim("# <b>Hello</b>\n[x](https://evil.example)".to_owned());
        assert_eq!(to_text(std::slice::from_ref(&words)), "> # <b>Hello</b>\n> [x](https://evil.example)\n");
        let html = to_html(&[words]);
        assert!(html.contains("# &lt;b&gt;Hello") && !html.contains("href"), "{html}");
    }

    #[test]
    fn a_list_and_its_paragraph_need_no_blank_line() {
        assert_eq!(text_of("Bring:\n- a\n- b"), "Bring:\n\n* a\n* b\n");
    }

    #[test]
    fn slips_say_what_to_write() {
        for (source, said) in [
            ("**never closed", "not closed"),
            ("[x](www.a.example)", "https://"),
            ("[x](https://a.example", "closing"),
            ("> no colon", "colon"),
            ("= no colon", "colon"),
            ("| a | b |\n| c |", "2 columns"),
            ("[picture: on-tme]", "on-time"),
            ("#Heading", "heading"),
        ] {
            let slips = parse(source).1;
            assert_eq!(slips.len(), 1, "{source}: {slips:?}");
            assert!(slips.iter().any(|s| format!("{} {}", s.problem, s.remedy).contains(said)), "{slips:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_source_can_be_read(source in "[-#>=|+*\\[\\]()a0@.: \n]{0,80}") {
            let blocks = parse(&source).0;
            let _ = (to_text(&blocks), to_html(&blocks));
        }
    }
}
