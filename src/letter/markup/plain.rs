//! The plain text of a letter, to be read by itself.

use std::fmt::Write as _;

use super::{Block, Span};

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
                let sign = match level {
                    1 => "=",
                    2 => "-",
                    _ => "",
                };
                let _ = writeln!(out, "{words}");
                let line = sign.repeat(words.chars().count().min(72));
                if !line.is_empty() {
                    let _ = writeln!(out, "{line}");
                }
            }
            Block::Paragraph(lines) => lines.iter().for_each(|line| {
                let _ = writeln!(out, "{}", plain(line));
            }),
            Block::List(items) => items.iter().for_each(|item| {
                let _ = writeln!(out, "* {}", plain(item));
            }),
            Block::Facts(facts) | Block::Figures(facts) => facts.iter().for_each(|(label, value)| {
                let _ = writeln!(out, "    {label}: {value}");
            }),
            Block::Table(table) => out.push_str(&table.text()),
            Block::Picture(picture) if picture.alt.is_empty() => {
                out.truncate(out.trim_end_matches('\n').len() + 1)
            }
            Block::Picture(picture) => {
                let _ = writeln!(out, "{}\n\n{}", picture.alt, picture.text.trim_end());
            }
            // "-- " alone on a line would make the rest a signature, which some programs hide.
            Block::Rule => out.push_str("________\n"),
            Block::Verbatim(words) => words.lines().for_each(|line| {
                let _ = writeln!(out, "{}", format!("> {line}").trim_end());
            }),
        }
    }
    out
}

/// The words alone, with the page that a link leads to.
pub(super) fn plain(spans: &[Span]) -> String {
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
