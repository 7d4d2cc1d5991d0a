//! How long the open cases wait, against the day by which the policy promises an answer: solid before the line, hatched behind.
//! Pale are those for which staff have named a later day; they are not late by themselves.

use super::Picture;
use super::canvas::{Anchor, Canvas, Fill, GREY, HAIR, INK, PLAIN, RUST, Type, length, round_above};
use super::text_bars::{self, Line};
use crate::digest::figures::Age;

/// Open cases of some ages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The age in words of the axis: `3`, `11-15`.
    pub label: String,
    /// How many wait, by the promised day.
    pub open: u64,
    /// How many wait, by a later day that staff have named.
    pub extended: u64,
    /// Older than the policy promises.
    pub late: bool,
}

impl Group {
    fn cases(&self) -> u64 {
        self.open + self.extended
    }
}

/// The ages as they are drawn: one by one up to the promise, by fives behind it, and all that are older.
pub fn groups(ages: &[Age], working_days: u32) -> Vec<Group> {
    let last = ages.last().map_or(0, |age| age.working_days);
    let mut groups: Vec<Group> = Vec::new();
    for age in ages {
        let (day, late) = (age.working_days, age.working_days > working_days);
        let begins = !late || age.or_more || (day - working_days - 1).is_multiple_of(5);
        if begins {
            // The last group is of all that are older: the one before it ends below.
            let end = day.saturating_add(4).min(last.saturating_sub(1));
            let label = match () {
                () if age.or_more => format!("{day}+"),
                () if late && end > day => format!("{day}-{end}"),
                () => day.to_string(),
            };
            groups.push(Group { label, open: 0, extended: 0, late });
        }
        if let Some(group) = groups.last_mut() {
            group.open += age.open;
            group.extended += age.extended;
        }
    }
    groups
}

const WIDTH: f32 = 400.0;
const HEIGHT: f32 = 250.0;
const LEFT: f32 = 40.0;
const RIGHT: f32 = 390.0;
const TOP: f32 = 78.0;
const FLOOR: f32 = 196.0;

/// The picture of these ages, the youngest first.
pub fn picture(ages: &[Group], working_days: u32) -> Picture {
    Picture::new("open-by-age", drawing(ages, working_days), alt(ages, working_days), text(ages))
}

fn drawing(ages: &[Group], working_days: u32) -> (f32, f32, String) {
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    canvas.words(12.0, 26.0, Type { bold: true, size: 16.0, ..PLAIN }, "Open cases, by age");
    let highest = round_above(ages.iter().map(Group::cases).max().unwrap_or_default());
    let axis = Type { size: 13.0, colour: GREY, anchor: Anchor::End, ..PLAIN };
    for value in [0, highest] {
        let y = FLOOR - length(value, highest, FLOOR - TOP);
        canvas.line((LEFT, y), (RIGHT, y), if value == 0 { INK } else { HAIR }, 1.0, false);
        canvas.words(LEFT - 6.0, y + 4.5, axis, &value.to_string());
    }
    // Groups of several days have longer labels, and so more room.
    let room = |age: &Group| if age.late { 2.2 } else { 1.0 };
    let unit = (RIGHT - LEFT) / ages.iter().map(room).sum::<f32>().max(1.0);
    let bar = unit * 0.72;
    let (mut left, mut line_at) = (LEFT, None);
    for (number, age) in ages.iter().enumerate() {
        if age.late && line_at.is_none() {
            line_at = Some(left);
        }
        let middle = left + room(age) * unit / 2.0;
        left += room(age) * unit;
        let height = length(age.cases(), highest, FLOOR - TOP);
        let open = length(age.open, highest, FLOOR - TOP);
        let fill = if age.late { Fill::Late } else { Fill::Solid };
        canvas.bar(middle - bar / 2.0, FLOOR - open, bar, open, fill);
        canvas.bar(middle - bar / 2.0, FLOOR - height, bar, height - open, Fill::Past);
        if age.cases() > 0 {
            let look = Type { size: 13.0, bold: age.late, anchor: Anchor::Middle, ..PLAIN };
            canvas.label(middle, FLOOR - height - 5.0, look, &age.cases().to_string());
        }
        // Every second age is named, and those behind the line, which are wider.
        if age.late || number.is_multiple_of(2) {
            let look = Type { size: 13.0, anchor: Anchor::Middle, colour: GREY, ..PLAIN };
            canvas.words(middle, FLOOR + 18.0, look, &age.label);
        }
    }
    if let Some(x) = line_at {
        canvas.line((x, 56.0), (x, FLOOR + 6.0), RUST, 2.0, true);
        let look = Type { size: 13.0, bold: true, ..PLAIN };
        canvas.label(x - 6.0, 64.0, Type { anchor: Anchor::End, ..look }, "in time");
        canvas.label(x + 6.0, 64.0, Type { colour: RUST, ..look }, "late");
    }
    let said = format!("working days since receipt; the promise is {working_days}");
    canvas.words(WIDTH / 2.0, HEIGHT - 16.0, Type { anchor: Anchor::Middle, ..axis }, &said);
    if ages.iter().any(|age| age.extended > 0) {
        canvas.bar(12.0, 36.0, 12.0, 12.0, Fill::Past);
        canvas.words(30.0, 47.0, Type { anchor: Anchor::Start, ..axis }, "a later day was agreed");
    }
    (WIDTH, HEIGHT, canvas.finish())
}

fn alt(ages: &[Group], working_days: u32) -> String {
    let count = |late: bool| ages.iter().filter(|age| age.late == late).map(Group::cases).sum::<u64>();
    let (young, late) = (count(false), count(true));
    if young + late == 0 {
        return "Bar chart of open cases by age. No case is open.".to_owned();
    }
    let agreed = match ages.iter().filter(|age| age.late).map(|age| age.extended).sum::<u64>() {
        0 => String::new(),
        agreed => format!(" For {agreed} of the older ones a later day was agreed."),
    };
    let oldest = ages.iter().rev().find(|age| age.cases() > 0);
    let oldest = oldest.map_or(String::new(), |age| {
        let days = if age.label == "1" { "day" } else { "days" };
        format!(" The oldest: {} working {days}.", age.label)
    });
    format!(
        "Bar chart of the {} open cases by age in working days: {young} up to {working_days} days old, {late} older.{agreed}{oldest}",
        young + late
    )
}

fn text(ages: &[Group]) -> String {
    let highest = ages.iter().map(Group::cases).max().unwrap_or_default();
    let late = ages.iter().position(|age| age.late).unwrap_or(ages.len());
    let line = |age: &Group| Line {
        label: format!("{} working days", age.label),
        said: age.cases().to_string(),
        value: age.cases(),
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

    fn group(label: &str, open: u64, extended: u64, late: bool) -> Group {
        Group { label: label.into(), open, extended, late }
    }

    #[test]
    fn the_line_stands_between_what_is_in_time_and_what_is_late() {
        let picture =
            picture(&[group("0", 4, 0, false), group("10", 2, 0, false), group("11-15", 1, 1, true)], 10);
        assert_eq!(
            picture.alt,
            "Bar chart of the 8 open cases by age in working days: 6 up to 10 days old, 2 older. For 1 of the older ones a \
             later day was agreed. The oldest: 11-15 working days."
        );
        assert_eq!(
            picture.text,
            "0 working days      4  ####################\n10 working days     2  ##########\n---- late ----\n\
             11-15 working days  2  ##########\n"
        );
        assert!(picture.svg.contains("url(#hatch)"));
        assert!(super::picture(&[], 10).alt.ends_with("No case is open."));
    }

    #[test]
    fn ages_behind_the_promise_are_drawn_by_fives_and_none_is_lost() {
        for (last, target, labels) in [
            (21, 10, vec!["11-15", "16-20", "21+"]),
            (25, 10, vec!["11-15", "16-20", "21-24", "25+"]),
            (11, 10, vec!["11+"]),
            (12, 10, vec!["11", "12+"]),
            (10, 10, vec![]),
            (3, 5, vec![]),
        ] {
            let age =
                |day| Age { working_days: day, or_more: day == last, open: 1, extended: u64::from(day % 2) };
            let ages: Vec<Age> = (0..=last).map(age).collect();
            let groups = groups(&ages, target);
            let late: Vec<&str> =
                groups.iter().filter(|one| one.late).map(|one| one.label.as_str()).collect();
            assert_eq!(late, labels, "{last} {target}");
            let all: u64 = ages.iter().map(|age| age.open + age.extended).sum();
            assert_eq!(groups.iter().map(Group::cases).sum::<u64>(), all);
        }
    }
}
