//! The inside of a letter's HTML, and the page around it. Conservative: tables, and styles in each element, for Outlook, Gmail
//! and Apple Mail; nothing is fetched from anywhere.

use std::fmt::Write as _;

use super::{Block, Shown, Span};

/// The inside of the HTML body. Styles stand in each element, because Outlook and Gmail drop or ignore style sheets.
pub fn to_html(blocks: &[Block]) -> String {
    let mut out = String::new();
    let mut after_rule = false;
    for block in blocks {
        match block {
            Block::Heading(1, words) => {
                let _ = writeln!(out, r#"<h1 style="{H1}">{}</h1>"#, html(words));
            }
            Block::Heading(3, words) => {
                let _ = writeln!(out, r#"<h3 style="{H3}">{}</h3>"#, html(words));
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
            Block::Figures(figures) => out.push_str(&side_by_side(figures)),
            Block::Table(table) => out.push_str(&table.html()),
            Block::Picture(picture) => out.push_str(&shown(picture)),
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
const H3: &str = "margin:22px 0 8px 0;font-size:17px;line-height:1.3;font-weight:bold";
const P: &str = "margin:0 0 16px 0";
const SMALL: &str = "margin:0 0 8px 0;font-size:15px;color:#505a5f";
const UL: &str = "margin:0 0 16px 0;padding:0 0 0 22px";
const LI: &str = "margin:0 0 8px 0";
const TABLE: &str = "margin:0 0 20px 0";
const FACTS: &str = "padding:16px 18px;background-color:#eaf2f8;border-left:5px solid #1d4f7c;color:#0b0c0c";
const FIGURE: &str = "padding:12px 14px;background-color:#eaf2f8;border-left:5px solid #1d4f7c;color:#0b0c0c;font-size:15px;line-height:1.35";
const NUMBER: &str = "font-size:28px;line-height:1.2";
const IMG: &str = "display:block;width:100%;height:auto;border:1px solid #b1b4b6;background-color:#fcfcfa;color:#0b0c0c;font-size:15px;line-height:1.4";
const VALUE: &str = "font-size:22px;line-height:1.3";
const HR: &str = "margin:28px 0 16px 0;border:0;border-top:1px solid #b1b4b6";
const VERBATIM: &str =
    "margin:0 0 16px 0;padding:0 0 0 14px;border-left:3px solid #b1b4b6;white-space:pre-wrap";
const A: &str = "color:#1a5a96;text-decoration:underline";

/// Two in a row on every screen: a table, for Outlook knows nothing else that stands side by side.
fn side_by_side(figures: &[(String, String)]) -> String {
    let mut out = format!(
        "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"{TABLE}\">\n"
    );
    for pair in figures.chunks(2) {
        out.push_str("<tr>");
        for (number, (label, value)) in pair.iter().enumerate() {
            let gap = if number == 0 { r#"<td width="2%" style="font-size:1px">&nbsp;</td>"# } else { "" };
            let _ = write!(
                out,
                r#"<td class="facts" width="49%" valign="top" style="{FIGURE}"><strong style="{NUMBER}">{}</strong><br>{}</td>{gap}"#,
                escape(value),
                escape(label)
            );
        }
        if pair.len() == 1 {
            out.push_str(r#"<td width="49%">&nbsp;</td>"#);
        }
        out.push_str("</tr>\n<tr><td height=\"8\" style=\"font-size:1px;line-height:8px\" colspan=\"3\">&nbsp;</td></tr>\n");
    }
    out + "</table>\n"
}

fn shown(picture: &Shown) -> String {
    let alt = escape(&picture.alt);
    match picture.size {
        _ if picture.alt.is_empty() => String::new(),
        (0, _) | (_, 0) => format!("<p style=\"{P}\">{alt}</p>\n"),
        (width, height) => {
            // Displayed a fifth larger than drawn where there is room; narrower on a telephone.
            let (width, height) = (width * 6 / 5, height * 6 / 5);
            format!(
                r#"<p style="{P}"><img class="picture" src="cid:{}" width="{width}" height="{height}" alt="{alt}" style="{IMG};max-width:{width}px"></p>
"#,
                picture.name
            )
        }
    }
}

pub(super) fn html(spans: &[Span]) -> String {
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
    page_of(include_str!("../page.html"), title, body)
}

/// The same, in a page of another look.
pub fn page_of(page: &str, title: &str, body: &str) -> String {
    page.replace("{{title}}", &escape(title)).replace("{{body}}", body)
}

/// Words that cannot be taken for HTML.
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
