//! Tables of the markup: the first row is the head, the first cell of each row names it. A line that begins with `|+` is small
//! print below the row before it, so that a table stays narrow enough for a telephone.

use std::fmt::Write as _;

use super::html::html;
use super::plain::plain;
use super::{Slip, Span, spans};

/// A row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// As many as the head has.
    pub cells: Vec<Vec<Span>>,
    /// Small print below.
    pub notes: Vec<Vec<Span>>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// What the columns are.
    pub head: Vec<Vec<Span>>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A plain text that is wider is not aligned: on a telephone it would be broken anywhere.
const WIDEST: usize = 72;

/// A cell of so many letters is never broken.
const SHORT: usize = 14;

impl Table {
    /// From its first line.
    pub(super) fn begun(line: &str, slips: &mut Vec<Slip>) -> Self {
        Self { head: cells(line, slips), rows: Vec::new() }
    }

    /// A further line.
    pub(super) fn add(&mut self, line: &str, slips: &mut Vec<Slip>) {
        if let Some(note) = line.strip_prefix("|+") {
            let note = spans(note.trim(), slips);
            return match self.rows.last_mut() {
                Some(row) => row.notes.push(note),
                None => slips.push(Slip {
                    line: line.to_owned(),
                    problem: "small print stands above the first row".to_owned(),
                    remedy: "put the line that begins with |+ below a row".to_owned(),
                }),
            };
        }
        let mut cells = cells(line, slips);
        let columns = self.head.len();
        if cells.len() != columns {
            slips.push(Slip {
                line: line.to_owned(),
                problem: format!("the table has {columns} columns, and this row has {}", cells.len()),
                remedy: "write one | between any two cells, and one at each end".to_owned(),
            });
            cells.resize(columns, Vec::new());
        }
        self.rows.push(Row { cells, notes: Vec::new() });
    }

    /// Aligned where that is narrow enough, else each row in a line.
    pub(super) fn text(&self) -> String {
        let lines: Vec<Vec<String>> = std::iter::once(&self.head)
            .chain(self.rows.iter().map(|row| &row.cells))
            .map(|cells| cells.iter().map(|cell| plain(cell)).collect())
            .collect();
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                lines
                    .iter()
                    .filter_map(|cells| cells.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let aligned = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) <= WIDEST;
        let mut out = String::new();
        let notes = std::iter::once(&[][..]).chain(self.rows.iter().map(|row| row.notes.as_slice()));
        for (number, (cells, notes)) in lines.iter().zip(notes).enumerate() {
            let line = match (aligned, number) {
                (true, _) => in_columns(cells, &widths),
                (false, 0) => continue,
                (false, _) => self.in_a_line(cells),
            };
            let _ = writeln!(out, "{}", line.trim_end());
            if number == 0 {
                let _ = writeln!(
                    out,
                    "{}",
                    in_columns(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>(), &widths)
                );
            }
            for note in notes {
                let _ = writeln!(out, "    {}", plain(note));
            }
        }
        out
    }

    fn in_a_line(&self, cells: &[String]) -> String {
        let (first, others) =
            cells.split_first().map_or(("", cells), |(first, others)| (first.as_str(), others));
        let named = self
            .head
            .iter()
            .skip(1)
            .zip(others)
            .map(|(head, cell)| format!("{} {cell}", plain(head).to_lowercase()));
        format!("* {first}: {}", named.collect::<Vec<_>>().join(", "))
    }

    pub(super) fn html(&self) -> String {
        let mut out = format!(
            "<table class=\"grid\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"{TABLE}\">\n<thead><tr>"
        );
        for (number, head) in self.head.iter().enumerate() {
            let _ = write!(
                out,
                r#"<th class="quiet" scope="col" align="{}" style="{HEAD}{}">{}</th>"#,
                side(number),
                gap(number),
                html(head)
            );
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            // The small print has the whole width, below the row that it belongs to.
            let line = if row.notes.is_empty() { LINE } else { "padding-bottom:0" };
            out.push_str("<tr>");
            for (number, cell) in row.cells.iter().enumerate() {
                let (tag, scope) = if number == 0 { ("th", r#" scope="row""#) } else { ("td", "") };
                // A date or a figure that is broken over two lines is hard to read.
                let short = number > 0 && plain(cell).chars().count() <= SHORT;
                let keep = if short { ";white-space:nowrap" } else { "" };
                let _ = write!(
                    out,
                    r#"<{tag}{scope} valign="top" align="{}" style="{CELL}{}{keep};{line}">{}</{tag}>"#,
                    side(number),
                    gap(number),
                    html(cell)
                );
            }
            out.push_str("</tr>\n");
            if !row.notes.is_empty() {
                let notes: Vec<String> = row.notes.iter().map(|note| html(note)).collect();
                let columns = self.head.len();
                let _ = writeln!(
                    out,
                    r#"<tr><td class="quiet" colspan="{columns}" style="{NOTE};{LINE}">{}</td></tr>"#,
                    notes.join("<br>")
                );
            }
        }
        out + "</tbody></table>\n"
    }
}

const TABLE: &str = "margin:0 0 20px 0;border-collapse:collapse";
const HEAD: &str = "padding:4px 0 6px 0;font-size:14px;line-height:1.3;font-weight:normal;color:#505a5f;border-bottom:2px solid #505a5f";
const CELL: &str = "padding:8px 0;font-size:16px;line-height:1.4;font-weight:normal";
const NOTE: &str = "padding:0 0 8px 0;font-size:14px;line-height:1.4;color:#505a5f";
const LINE: &str = "border-bottom:1px solid #b1b4b6";

/// The first column names the row; what follows are figures and dates, and these end below one another.
fn side(column: usize) -> &'static str {
    if column == 0 { "left" } else { "right" }
}

fn gap(column: usize) -> &'static str {
    if column == 0 { ";text-align:left" } else { ";text-align:right;padding-left:12px" }
}

fn in_columns(cells: &[String], widths: &[usize]) -> String {
    let mut out = String::new();
    for (number, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let _ = match number {
            0 => write!(out, "{cell:<width$}"),
            _ => write!(out, "  {cell:>width$}"),
        };
    }
    out
}

/// The cells of a line: what stands between `|` and `|`.
fn cells(line: &str, slips: &mut Vec<Slip>) -> Vec<Vec<Span>> {
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.trim_end().strip_suffix('|').unwrap_or(inner);
    inner.split('|').map(|cell| spans(cell.trim(), slips)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{parse, to_html, to_text};

    const SOURCE: &str = "| Case | Due |\n| **A-1** | 3 days late |\n|+ Team general\n| A-22 | Monday |";

    #[test]
    fn a_table_is_aligned_in_plain_text_and_has_its_small_print_below() {
        assert_eq!(
            to_text(&parse(SOURCE).0),
            "Case          Due\n----  -----------\nA-1   3 days late\n    Team general\nA-22       Monday\n"
        );
        let wide = format!("| Case | Due | By |\n| {} | Monday | Anna |", "x".repeat(70));
        assert_eq!(to_text(&parse(&wide).0), format!("* {}: due Monday, by Anna\n", "x".repeat(70)));
    }

    #[test]
    fn a_screen_reader_is_told_which_cells_name_rows_and_columns() {
        let html = to_html(&parse(SOURCE).0);
        assert_eq!(html.matches("scope=\"col\"").count(), 2, "{html}");
        assert_eq!(html.matches("scope=\"row\"").count(), 2, "{html}");
    }
}
