//! Memos as one HTML file that needs nothing else: no script, nothing fetched, the style in the file.
//!
//! Everything from the message is escaped; a Content-Security-Policy in the page forbids what slips through all the same. For
//! reading on any width, in the dark, aloud by a screen reader, and on A4.

use std::fmt::Write;

use super::marks::{Mark, Piece};
use super::{Entry, Memo, Passage, Section, Source, printable};

/// The page for these memos.
pub fn page(memos: &[Memo]) -> String {
    let (before, rest) = include_str!("page.html").split_once("{{title}}").unwrap_or_default();
    let (between, after) = rest.split_once("{{body}}").unwrap_or_default();
    let title = match memos {
        [memo] => {
            let subject: String = subject(memo).iter().map(|piece| piece.text.as_str()).collect();
            format!("{}: {subject}", memo.verdict)
        }
        _ => format!("{} messages explained", memos.len()),
    };
    let mut out = format!("{before}{}{between}", escaped(&title));
    if memos.len() > 1 {
        contents(&mut out, &title, memos);
    }
    for (number, memo) in memos.iter().enumerate() {
        article(&mut out, memo, number + 1, memos.len());
    }
    out.push_str(after);
    out
}

fn subject(memo: &Memo) -> &[Piece] {
    let pieces = memo.facts.iter().find(|(name, _)| *name == "Subject").map(|(_, pieces)| pieces.as_slice());
    pieces.unwrap_or_default()
}

/// Which messages there are, where there are several.
fn contents(out: &mut String, title: &str, memos: &[Memo]) {
    let _ = writeln!(out, "<nav class=\"contents\">\n<h1>{}</h1>\n<ol>", escaped(title));
    for (number, memo) in memos.iter().enumerate() {
        let unsure = if memo.unsure.is_some() { ", unsure" } else { "" };
        let subject: String = subject(memo).iter().map(|piece| escaped(&piece.text)).collect();
        let _ = writeln!(
            out,
            "<li><a href=\"#m{}\"><bdi>{subject}</bdi></a> ({}{unsure})</li>",
            number + 1,
            escaped(&memo.verdict)
        );
    }
    out.push_str("</ol>\n</nav>\n");
}

fn article(out: &mut String, memo: &Memo, number: usize, of: usize) {
    let class = match (memo.urgent, memo.glance.is_empty()) {
        (true, _) => "urgent",
        (false, false) => "standard",
        // No person wrote it: nothing was decided about its urgency.
        (false, true) => "neutral",
    };
    let unsure = if memo.unsure.is_some() { r#" <span class="verdict unsure">Unsure</span>"# } else { "" };
    let level = if of == 1 { 1 } else { 2 };
    let _ = writeln!(
        out,
        "<article id=\"m{number}\">\n<header>\n<p class=\"kicker\">Triage of a message</p>\n<h{level}><bdi>{}</bdi></h{level}>\n\
         <p><span class=\"verdict {class}\">{}</span>{unsure}</p>\n</header>\n<dl class=\"facts\">",
        pieces(subject(memo), None),
        escaped(&memo.verdict)
    );
    for (name, value) in memo.facts.iter().filter(|(name, _)| *name != "Subject") {
        let value: String = value.iter().map(|piece| escaped(&piece.text)).collect();
        let _ = writeln!(out, "<div><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div>");
    }
    for (name, value) in &memo.glance {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd><strong>{}</strong></dd></div>", escaped(value));
    }
    out.push_str("</dl>\n");
    out.push_str("<div class=\"decision\">\n");
    for sentence in &memo.decision {
        let _ = writeln!(out, "<p>{}</p>", escaped(sentence));
    }
    out.push_str("</div>\n");
    if let Some(unsure) = &memo.unsure {
        let _ =
            writeln!(out, "<p class=\"note\" role=\"note\"><strong>Unsure.</strong> {}</p>", escaped(unsure));
    }
    let level = level + 1;
    let mut named: Vec<&str> = Vec::new();
    for section in &memo.sections {
        self::section(out, section, (number, level), &mut named);
    }
    body(out, memo, (number, level));
    let _ = writeln!(
        out,
        "<footer>{}, decided by the rules of version {}. This page holds what the sender wrote: treat it as you would the message itself.</footer>\n</article>",
        escaped(&memo.file),
        escaped(&memo.rules_version)
    );
}

fn section<'m>(
    out: &mut String,
    section: &'m Section,
    (number, level): (usize, usize),
    named: &mut Vec<&'m str>,
) {
    let _ = writeln!(out, "<section>\n<h{level}>{}</h{level}>", escaped(section.heading));
    for entry in &section.entries {
        // The first finding of a label is where the marks in the message lead to.
        let id = if named.contains(&entry.label.as_str()) {
            String::new()
        } else {
            format!(" id=\"{}\"", anchor(number, &entry.label))
        };
        named.push(&entry.label);
        let class = if entry.set_aside { "finding aside" } else { "finding" };
        let _ = writeln!(out, "<div class=\"{class}\"{id}>\n<h{0}>{1}</h{0}>", level + 1, heading(entry));
        if let Some(note) = &entry.note {
            let lead = if entry.set_aside { "<strong>Does not count:</strong> " } else { "" };
            let _ = writeln!(out, "<p>{lead}{}</p>", escaped(note));
        }
        for excerpt in &entry.excerpts {
            let place = if excerpt.place.is_empty() {
                String::new()
            } else {
                format!(" <span class=\"place\">({})</span>", excerpt.place)
            };
            let _ = writeln!(
                out,
                "<blockquote><p dir=\"auto\">{}{place}</p></blockquote>",
                pieces(&excerpt.pieces, None)
            );
        }
        if !entry.clause.is_empty() {
            let _ = writeln!(
                out,
                "<p class=\"clause\">Policy: {}. Rule: {}.</p>",
                escaped(&entry.clause),
                escaped(&entry.rule)
            );
        }
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
}

fn heading(entry: &Entry) -> String {
    if entry.numbered {
        format!("<span class=\"label\">{}</span> {}", escaped(&entry.label), escaped(&entry.title))
    } else {
        escaped(&entry.title)
    }
}

/// What the marks in the message mean.
const LEGEND: &str = concat!(
    "<p class=\"legend\"><mark class=\"counts\">what the decision rests on</mark> ",
    "<mark class=\"noted\">team, area, chaser, signposts</mark> ",
    "<mark class=\"set-aside\">found, but set aside</mark> ",
    "<mark class=\"cause\">what set it aside</mark></p>\n"
);

fn body(out: &mut String, memo: &Memo, (number, level): (usize, usize)) {
    let _ = writeln!(out, "<section>\n<h{level}>The message</h{level}>");
    let marked = |passage: &Passage| passage.lines.iter().flatten().any(|piece| piece.mark != Mark::Plain);
    if memo.body.iter().any(marked) {
        out.push_str(LEGEND);
    }
    if memo.body.is_empty() {
        out.push_str("<p>It has no text that could be read.</p>\n");
    }
    for passage in &memo.body {
        out.push_str(&self::passage(passage, number));
    }
    out.push_str("</section>\n");
}

fn passage(passage: &Passage, number: usize) -> String {
    let class = match passage.source {
        Source::New => "passage new",
        Source::Adopted => "passage adopted",
        Source::Signature => "passage grey signature",
        Source::Quote | Source::Forward | Source::Disclaimer => "passage grey",
    };
    let mut out = format!("<div class=\"{class}\">\n<p class=\"source\">{}</p>\n", passage.source.words());
    for paragraph in passage.lines.split(Vec::is_empty).filter(|lines| !lines.is_empty()) {
        let lines: Vec<String> = paragraph.iter().map(|line| pieces(line, Some(number))).collect();
        let _ = writeln!(out, "<p dir=\"auto\">{}</p>", lines.join("<br>\n"));
    }
    out.push_str("</div>\n");
    out
}

/// Marked words; with a memo's number, each followed by the label of its finding.
fn pieces(pieces: &[Piece], number: Option<usize>) -> String {
    let mut out = String::new();
    for piece in pieces {
        let words = escaped(&piece.text);
        let class = match piece.mark {
            Mark::Plain => "",
            Mark::Noted => "noted",
            Mark::SetAside => "set-aside",
            Mark::Cause => "cause",
            Mark::Counts => "counts",
        };
        let _ = if class.is_empty() {
            write!(out, "{words}")
        } else {
            write!(out, "<mark class=\"{class}\">{words}</mark>")
        };
        let Some(number) = number else { continue };
        for label in &piece.labels {
            let _ = write!(out, "<sup><a href=\"#{}\">{}</a></sup>", anchor(number, label), escaped(label));
        }
    }
    out
}

/// An id of letters, digits and hyphens, whatever the rule is called.
fn anchor(number: usize, label: &str) -> String {
    let label: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("m{number}-{label}")
}

/// Text as HTML shows it: nothing in it is markup, for elements and for quoted attributes alike.
fn escaped(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_that_anybody_wrote_becomes_markup(text in "(?s)[<>&\"'a-z /=!\\-\u{0}\u{202e}]{0,80}") {
            let shown = pieces(&[Piece::plain(text.clone())], Some(1));
            assert!(!shown.contains(['<', '>', '"', '\'', '\u{0}', '\u{202e}']), "{shown}");
            let anchored = anchor(1, &text);
            assert!(anchored.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        }
    }
}
