//! A table for the terminal: columns as wide as their longest cell, the last one wrapped to the page.

/// Lays out rows below a heading. Cells hold no line ends.
pub fn table(heading: &[&str], rows: &[Vec<String>], page_width: usize) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let others: usize = widths.iter().rev().skip(1).map(|w| w + 2).sum();
    if let Some(last) = widths.last_mut() {
        *last = (*last).min(page_width.saturating_sub(others).max(20));
    }
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut out = String::new();
    for row in [&heading, &rule].into_iter().chain(rows) {
        push_row(&mut out, row, &widths);
    }
    out
}

fn push_row(out: &mut String, row: &[String], widths: &[usize]) {
    let Some((last, others)) = row.split_last() else { return };
    let mut line = String::new();
    for (cell, width) in others.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat((width + 2).saturating_sub(cell.chars().count())));
    }
    let indent = widths.iter().take(others.len()).map(|w| w + 2).sum();
    let width = widths.last().copied().unwrap_or(20);
    for (number, part) in wrap(last, width).into_iter().enumerate() {
        if number == 0 {
            line.push_str(&part);
        } else {
            line = " ".repeat(indent) + &part;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// A text in lines of at most this many letters, broken at blanks.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_line_up_and_the_last_one_wraps() {
        let rows = vec![vec!["a".to_owned(), "one two three four five six seven".to_owned()]];
        let text = table(&["x", "words"], &rows, 24);
        assert_eq!(text, "x  words\n-  ---------------------\na  one two three four\n   five six seven\n");
    }
}
