//! The same bars in letters, for the plain text: read in a mail program of old, or on a watch.

/// So many signs is the longest bar.
const LONGEST: usize = 20;

/// One line of a bar chart in letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is of.
    pub label: String,
    /// The number as it is said.
    pub said: String,
    /// The number.
    pub value: u64,
}

/// The lines, one below the other, aligned for letters of one width and legible without.
pub fn drawn(lines: &[Line], highest: u64, sign: char) -> String {
    let wide = |of: fn(&Line) -> &str| lines.iter().map(|l| of(l).chars().count()).max().unwrap_or_default();
    let (label_width, said_width) = (wide(|line| &line.label), wide(|line| &line.said));
    let mut out = String::new();
    for line in lines {
        let bar = bar(line.value, highest, sign);
        let text = format!("{:<label_width$}  {:>said_width$}  {bar}", line.label, line.said);
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn bar(value: u64, highest: u64, sign: char) -> String {
    let longest = LONGEST as u64;
    let signs = value.saturating_mul(longest).div_ceil(highest.max(1)).min(longest);
    std::iter::repeat_n(sign, usize::try_from(signs).unwrap_or(LONGEST)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_below_one_another_and_the_least_is_still_seen() {
        let line = |label: &str, said: &str, value| Line { label: label.into(), said: said.into(), value };
        let drawn =
            drawn(&[line("East", "120", 120), line("General", "1", 1), line("West", "0", 0)], 120, '#');
        assert_eq!(drawn, "East     120  ####################\nGeneral    1  #\nWest       0\n");
    }
}
