//! A report as one HTML file.

use std::fmt::Write;

use super::markup::{escaped, page, paragraphs};
use super::{Cell, Report, Section, Table};

/// The page.
pub fn html(report: &Report) -> String {
    let mut body =
        format!("<header>\n<h1>{}</h1>\n{}</header>\n", escaped(&report.title), paragraphs(&report.about));
    body.push_str("<dl class=\"headline\">\n");
    for (name, figure, meaning) in &report.headline {
        let (name, figure, meaning) = (escaped(name), escaped(figure), escaped(meaning));
        let _ = writeln!(
            body,
            "<div><dt>{name}</dt><dd><strong>{figure}</strong> <span>{meaning}</span></dd></div>"
        );
    }
    body.push_str("</dl>\n");
    report.sections.iter().for_each(|section| self::section(&mut body, section));
    body.push_str(
        "<footer>References and dates only. How each figure is counted: docs/reports.md.</footer>\n",
    );
    page(&report.title, &body)
}

fn section(out: &mut String, section: &Section) {
    let _ = writeln!(out, "<section>\n<h2>{}</h2>\n{}", escaped(&section.title), paragraphs(&section.notes));
    section.tables.iter().for_each(|table| self::table(out, table));
    out.push_str("</section>\n");
}

fn table(out: &mut String, table: &Table) {
    let _ = writeln!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">\n<table>\n<caption>{0}</caption>",
        escaped(&table.caption)
    );
    out.push_str("<thead><tr>");
    // A heading stands as its figures do.
    for (place, heading) in table.columns.iter().enumerate() {
        let figures =
            table.rows.iter().any(|row| matches!(row.get(place), Some(Cell::Figure(_) | Cell::Bar(..))));
        let class = if figures { " class=\"figure\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(heading));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            match cell {
                Cell::Words(words) if place == 0 => {
                    let _ = write!(out, "<th scope=\"row\">{}</th>", escaped(words));
                }
                Cell::Words(words) => {
                    let _ = write!(out, "<td>{}</td>", escaped(words));
                }
                Cell::Figure(figure) => {
                    let _ = write!(out, "<td class=\"figure\">{}</td>", escaped(figure));
                }
                Cell::Bar(figure, share) => {
                    let _ = write!(
                        out,
                        "<td class=\"figure bar\"><span>{}</span><i aria-hidden=\"true\"><b style=\"width:{:.1}%\"></b></i></td>",
                        escaped(figure),
                        (share * 100.0).clamp(0.0, 100.0)
                    );
                }
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}
