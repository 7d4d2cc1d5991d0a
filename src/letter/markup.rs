//! The simple markup of the wording files, and the two texts made from it: plain and HTML. One source for both, so that
//! they cannot say different things.
//!
//! A block is set off by blank lines. `# ` and `## ` are headings, `- ` items of a list, `> Label: value` key facts,
//! `---` a rule. Within a line: `**strong**` and `[words](https://...)`. Anything else is itself: there is no way to write HTML.

use std::fmt::Write as _;

/// One block of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// `# ` (1) or `## ` (2).
    Heading(u8, Vec<Span>),
    /// Lines of a paragraph; a line end in the source is one in the letter.
    Paragraph(Vec<Vec<Span>>),
    /// Items.
    List(Vec<Vec<Span>>),
    /// Label and value.
    Facts(Vec<(String, String)>),
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
            let Some((label, value)) = fact.split_once(':') else {
                slips.push(Slip {
                    line: line.to_owned(),
                    problem: "a line that begins with > has no colon".to_owned(),
                    remedy: "write it as > Label: value".to_owned(),
                });
                continue;
            };
            let fact = (label.trim().to_owned(), value.trim().to_owned());
            match blocks.last_mut() {
                Some(Block::Facts(facts)) => facts.push(fact),
                _ => blocks.push(Block::Facts(vec![fact])),
            }
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
                    out.push(Span::Link(words.to_owned(), target.to_owned()));
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
            out.push(Span::Text(before.to_owned()));
        }
        out.push(Span::Link(rest.get(start..end).unwrap_or_default().to_owned(), target));
        rest = rest.get(end..).unwrap_or_default();
    }
    if !rest.is_empty() {
        out.push(Span::Text(rest.to_owned()));
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

/// The plain text. Paragraphs are not wrapped: the reader's own screen does that better.
pub fn to_text(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Heading(level, words) => {
                let words = plain(words);
                let line = if *level == 1 { "=" } else { "-" }.repeat(words.chars().count().min(72));
                let _ = writeln!(out, "{words}\n{line}");
            }
            Block::Paragraph(lines) => lines.iter().for_each(|line| {
                let _ = writeln!(out, "{}", plain(line));
            }),
            Block::List(items) => items.iter().for_each(|item| {
                let _ = writeln!(out, "* {}", plain(item));
            }),
            Block::Facts(facts) => facts.iter().for_each(|(label, value)| {
                let _ = writeln!(out, "    {label}: {value}");
            }),
            // "-- " alone on a line would make the rest a signature, which some programs hide.
            Block::Rule => out.push_str("________\n"),
            Block::Verbatim(words) => words.lines().for_each(|line| {
                let _ = writeln!(out, "{}", format!("> {line}").trim_end());
            }),
        }
    }
    out
}

fn plain(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| match span {
            Span::Text(words) => words.clone(),
            Span::Strong(inner) => plain(inner),
            Span::Link(words, target) if target.starts_with("http") && words != target => {
                format!("{words} ({target})")
            }
            Span::Link(words, _) => words.clone(),
        })
        .collect()
}

/// The inside of the HTML body. Styles stand in each element, because Outlook and Gmail drop or ignore style sheets.
pub fn to_html(blocks: &[Block]) -> String {
    let mut out = String::new();
    let mut after_rule = false;
    for block in blocks {
        match block {
            Block::Heading(1, words) => {
                let _ = writeln!(out, r#"<h1 style="{H1}">{}</h1>"#, html(words));
            }
            Block::Heading(_, words) => {
                let _ = writeln!(out, r#"<h2 style="{H2}">{}</h2>"#, html(words));
            }
            Block::Paragraph(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| html(line)).collect();
                let (class, style) = if after_rule { (r#" class="quiet""#, SMALL) } else { ("", P) };
                let _ = writeln!(out, r#"<p{class} style="{style}">{}</p>"#, lines.join("<br>\n"));
            }
            Block::List(items) => {
                let _ = writeln!(out, r#"<ul style="{UL}">"#);
                for item in items {
                    let _ = writeln!(out, r#"<li style="{LI}">{}</li>"#, html(item));
                }
                out.push_str("</ul>\n");
            }
            Block::Facts(facts) => {
                let _ = writeln!(
                    out,
                    r#"<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="{TABLE}"><tr><td class="facts" style="{FACTS}">"#
                );
                let last = facts.len().saturating_sub(1);
                for (number, (label, value)) in facts.iter().enumerate() {
                    let gap = if number == last { "0" } else { "14px" };
                    let _ = writeln!(
                        out,
                        r#"<p style="margin:0 0 {gap} 0;font-size:16px;line-height:1.4">{}:<br><strong style="{VALUE}">{}</strong></p>"#,
                        escape(label),
                        escape(value)
                    );
                }
                out.push_str("</td></tr></table>\n");
            }
            Block::Rule => {
                after_rule = true;
                let _ = writeln!(out, r#"<hr style="{HR}">"#);
            }
            Block::Verbatim(words) => {
                let _ = writeln!(out, r#"<div class="quiet" style="{VERBATIM}">{}</div>"#, escape(words));
            }
        }
    }
    out
}

const H1: &str = "margin:0 0 16px 0;font-size:28px;line-height:1.25;font-weight:bold";
const H2: &str = "margin:32px 0 10px 0;font-size:20px;line-height:1.3;font-weight:bold";
const P: &str = "margin:0 0 16px 0";
const SMALL: &str = "margin:0 0 8px 0;font-size:15px;color:#505a5f";
const UL: &str = "margin:0 0 16px 0;padding:0 0 0 22px";
const LI: &str = "margin:0 0 8px 0";
const TABLE: &str = "margin:0 0 20px 0";
const FACTS: &str = "padding:16px 18px;background-color:#eaf2f8;border-left:5px solid #1d4f7c;color:#0b0c0c";
const VALUE: &str = "font-size:22px;line-height:1.3";
const HR: &str = "margin:28px 0 16px 0;border:0;border-top:1px solid #b1b4b6";
const VERBATIM: &str =
    "margin:0 0 16px 0;padding:0 0 0 14px;border-left:3px solid #b1b4b6;white-space:pre-wrap";
const A: &str = "color:#1a5a96;text-decoration:underline";

fn html(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| match span {
            Span::Text(words) => escape(words),
            Span::Strong(inner) => format!("<strong>{}</strong>", html(inner)),
            Span::Link(words, target) => {
                // A telephone number or date broken over two lines is hard to read.
                let keep = if target.starts_with("tel:") { ";white-space:nowrap" } else { "" };
                format!(r#"<a href="{}" style="{A}{keep}">{}</a>"#, escape(target), escape(words))
            }
        })
        .collect()
}

/// A whole HTML page around the body. Nothing in it is fetched from anywhere.
pub fn page(title: &str, body: &str) -> String {
    include_str!("page.html").replace("{{title}}", &escape(title)).replace("{{body}}", body)
}

pub fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
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
            ("#Heading", "heading"),
        ] {
            let slips = parse(source).1;
            assert_eq!(slips.len(), 1, "{source}: {slips:?}");
            assert!(slips.iter().any(|s| format!("{} {}", s.problem, s.remedy).contains(said)), "{slips:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_source_can_be_read(source in "[-#>*\\[\\]()a0@.: \n]{0,80}") {
            let blocks = parse(&source).0;
            let _ = (to_text(&blocks), to_html(&blocks));
        }
    }
}
