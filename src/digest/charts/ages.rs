//! How long the open cases wait, against the day by which the policy promises an answer: solid before the line, hatched behind.

use super::Picture;
use super::canvas::{Anchor, Canvas, Fill, GREY, HAIR, INK, PLAIN, RUST, Type, length, round_above};
use super::text_bars::{self, Line};

/// Open cases of some ages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    /// The age in words of the axis: `3`, `11-15`.
    pub label: String,
    /// How many.
    pub cases: u64,
    /// Older than the policy promises.
    pub late: bool,
}

const WIDTH: f32 = 400.0;
const HEIGHT: f32 = 250.0;
const LEFT: f32 = 40.0;
const RIGHT: f32 = 390.0;
const TOP: f32 = 78.0;
const FLOOR: f32 = 196.0;

/// The picture of these ages, the youngest first.
pub fn picture(ages: &[Age], working_days: u32) -> Picture {
    Picture::new("open-by-age", drawing(ages, working_days), alt(ages, working_days), text(ages))
}

fn drawing(ages: &[Age], working_days: u32) -> (f32, f32, String) {
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    canvas.words(12.0, 26.0, Type { bold: true, size: 16.0, ..PLAIN }, "Open cases, by age");
    let highest = round_above(ages.iter().map(|age| age.cases).max().unwrap_or_default());
    let axis = Type { size: 13.0, colour: GREY, anchor: Anchor::End, ..PLAIN };
    for value in [0, highest] {
        let y = FLOOR - length(value, highest, FLOOR - TOP);
        canvas.line((LEFT, y), (RIGHT, y), if value == 0 { INK } else { HAIR }, 1.0, false);
        canvas.words(LEFT - 6.0, y + 4.5, axis, &value.to_string());
    }
    let slots = ages.len().max(1);
    let pitch = (RIGHT - LEFT) / f32::from(u16::try_from(slots).unwrap_or(u16::MAX));
    let place = |number: usize| LEFT + f32::from(u16::try_from(number).unwrap_or(u16::MAX)) * pitch;
    let bar = pitch * 0.72;
    for (number, age) in ages.iter().enumerate() {
        let middle = place(number) + pitch / 2.0;
        let height = length(age.cases, highest, FLOOR - TOP);
        let fill = if age.late { Fill::Late } else { Fill::Solid };
        canvas.bar(middle - bar / 2.0, FLOOR - height, bar, height, fill);
        if age.cases > 0 {
            let look = Type { size: 13.0, bold: age.late, anchor: Anchor::Middle, ..PLAIN };
            canvas.label(middle, FLOOR - height - 5.0, look, &age.cases.to_string());
        }
        // Every second age is named, and those behind the line, which are wider.
        if age.late || number.is_multiple_of(2) {
            let look = Type { size: 13.0, anchor: Anchor::Middle, colour: GREY, ..PLAIN };
            canvas.words(middle, FLOOR + 18.0, look, &age.label);
        }
    }
    if let Some(first_late) = ages.iter().position(|age| age.late) {
        let x = place(first_late);
        canvas.line((x, 56.0), (x, FLOOR + 6.0), RUST, 2.0, true);
        let look = Type { size: 13.0, bold: true, ..PLAIN };
        canvas.label(x - 6.0, 64.0, Type { anchor: Anchor::End, ..look }, "in time");
        canvas.label(x + 6.0, 64.0, Type { colour: RUST, ..look }, "late");
    }
    let said = format!("working days since receipt; the promise is {working_days}");
    canvas.words(WIDTH / 2.0, HEIGHT - 12.0, Type { anchor: Anchor::Middle, ..axis }, &said);
    (WIDTH, HEIGHT, canvas.finish())
}

fn alt(ages: &[Age], working_days: u32) -> String {
    let count = |late: bool| ages.iter().filter(|age| age.late == late).map(|age| age.cases).sum::<u64>();
    let (young, late) = (count(false), count(true));
    if young + late == 0 {
        return "Bar chart of open cases by age. No case is open.".to_owned();
    }
    let oldest = ages.iter().rev().find(|age| age.cases > 0);
    let oldest = oldest.map_or(String::new(), |age| {
        let days = if age.label == "1" { "day" } else { "days" };
        format!(" The oldest: {} working {days}.", age.label)
    });
    format!(
        "Bar chart of the {} open cases by age in working days: {young} up to {working_days} days old, {late} older.{oldest}",
        young + late
    )
}

fn text(ages: &[Age]) -> String {
    let highest = ages.iter().map(|age| age.cases).max().unwrap_or_default();
    let late = ages.iter().position(|age| age.late).unwrap_or(ages.len());
    let line = |age: &Age| Line {
        label: format!("{} working days", age.label),
        said: age.cases.to_string(),
        value: age.cases,
    };
    // One alignment for both parts, with the line between them.
    let all = text_bars::drawn(&ages.iter().map(line).collect::<Vec<_>>(), highest, '#');
    let mut out = String::new();
    for (number, line) in all.lines().enumerate() {
        if number == late {
            out.push_str("---- late ----\n");
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_stands_between_what_is_in_time_and_what_is_late() {
        let age = |label: &str, cases, late| Age { label: label.into(), cases, late };
        let picture = picture(&[age("0", 4, false), age("10", 2, false), age("11-15", 1, true)], 10);
        assert_eq!(
            picture.alt,
            "Bar chart of the 7 open cases by age in working days: 6 up to 10 days old, 1 older. The oldest: 11-15 working days."
        );
        assert_eq!(
            picture.text,
            "0 working days      4  ####################\n10 working days     2  ##########\n---- late ----\n\
             11-15 working days  1  #####\n"
        );
        assert!(picture.svg.contains("url(#hatch)"));
        assert!(super::picture(&[], 10).alt.ends_with("No case is open."));
    }
}
