//! The share of answers that were given in time, by the week in which they fell due, with the mean of them all as a line: is it getting
//! better?

use chrono::NaiveDate;

use super::Picture;
use super::canvas::{Anchor, Canvas, Fill, GREY, HAIR, INK, PLAIN, Type, length};
use super::text_bars::{self, Line};

/// One week, and what fell due in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    /// Its Monday.
    pub monday: NaiveDate,
    /// Answers whose promised time ended in it, given or not.
    pub fell_due: u64,
    /// Those of them that were given in that time.
    pub in_time: u64,
}

impl Week {
    /// Of a hundred; `None`: nothing fell due.
    fn percent(&self) -> Option<u64> {
        percent(self.in_time, self.fell_due)
    }
}

/// Rounded down: 99.6 of a hundred is not all of them.
pub fn percent(part: u64, whole: u64) -> Option<u64> {
    (part.min(whole) * 100).checked_div(whole)
}

const WIDTH: f32 = 400.0;
const HEIGHT: f32 = 250.0;
const LEFT: f32 = 50.0;
const RIGHT: f32 = 388.0;
const TOP: f32 = 66.0;
const FLOOR: f32 = 212.0;

/// The picture of these weeks, the oldest first; the last is the week that the digest is about.
pub fn picture(weeks: &[Week], working_days: u32) -> Picture {
    let fell_due: u64 = weeks.iter().map(|week| week.fell_due).sum();
    let in_time: u64 = weeks.iter().map(|week| week.in_time).sum();
    let mean = percent(in_time, fell_due);
    Picture::new("on-time", drawing(weeks, mean, working_days), alt(weeks, mean, working_days), text(weeks))
}

fn drawing(weeks: &[Week], mean: Option<u64>, working_days: u32) -> (f32, f32, String) {
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    canvas.words(12.0, 26.0, Type { bold: true, size: 16.0, ..PLAIN }, "Answered in time, by week due");
    let mean_said = mean.map(|mean| format!("; dashed: mean {mean}%")).unwrap_or_default();
    let scale = format!("% within {working_days} working days{mean_said}");
    canvas.words(12.0, 46.0, Type { size: 13.0, colour: GREY, ..PLAIN }, &scale);
    let axis = Type { size: 13.0, colour: GREY, anchor: Anchor::End, ..PLAIN };
    for percent in [0, 50, 100] {
        let y = FLOOR - length(percent, 100, FLOOR - TOP);
        canvas.line((LEFT, y), (RIGHT, y), if percent == 0 { INK } else { HAIR }, 1.0, false);
        canvas.words(LEFT - 6.0, y + 4.5, axis, &format!("{percent}%"));
    }
    let count = u16::try_from(weeks.len().max(1)).unwrap_or(u16::MAX);
    let pitch = (RIGHT - LEFT) / f32::from(count);
    let (bar, last) = (pitch * 0.7, weeks.len().saturating_sub(1));
    let mut newest = None;
    for (number, week) in weeks.iter().enumerate() {
        let left = LEFT + f32::from(u16::try_from(number).unwrap_or(u16::MAX)) * pitch + (pitch - bar) / 2.0;
        let middle = left + bar / 2.0;
        match week.percent() {
            Some(percent) => {
                let height = length(percent, 100, FLOOR - TOP).max(1.5);
                let fill = if number == last { Fill::Solid } else { Fill::Past };
                canvas.bar(left, FLOOR - height, bar, height, fill);
                newest = (number == last).then_some((middle, FLOOR - height, percent));
            }
            // None due is no rate: neither 0 nor 100.
            None => canvas.words(middle, FLOOR - 4.0, Type { anchor: Anchor::Middle, ..axis }, "\u{2013}"),
        }
        // Four dates fit: the last week's, and every fourth before it.
        if (last - number).is_multiple_of(4) {
            let date = week.monday.format("%-d %b").to_string();
            canvas.line((middle, FLOOR), (middle, FLOOR + 5.0), INK, 1.0, false);
            canvas.words(middle, FLOOR + 20.0, Type { anchor: Anchor::Middle, ..axis }, &date);
        }
    }
    if let Some(mean) = mean {
        let y = FLOOR - length(mean, 100, FLOOR - TOP);
        canvas.line((LEFT, y), (RIGHT, y), INK, 1.6, true);
    }
    if let Some((middle, top, percent)) = newest {
        let look = Type { bold: true, anchor: Anchor::End, ..PLAIN };
        canvas.label((middle + 20.0).min(RIGHT + 4.0), top - 6.0, look, &format!("{percent}%"));
    }
    canvas.words(LEFT - 6.0, FLOOR + 20.0, axis, "from");
    (WIDTH, HEIGHT, canvas.finish())
}

fn alt(weeks: &[Week], mean: Option<u64>, working_days: u32) -> String {
    let Some(mean) = mean else {
        return format!(
            "Bar chart of the share of answers given within {working_days} working days, by the week in which they fell due. No answer fell due in these {} weeks.",
            weeks.len()
        );
    };
    let this_week = match weeks.last().and_then(Week::percent) {
        Some(percent) => format!("{percent}% in the last week"),
        None => "none fell due in the last week".to_owned(),
    };
    let rated = || weeks.iter().filter_map(|week| Some((week.percent()?, week.monday)));
    let day = |monday: NaiveDate| monday.format("%-d %B").to_string();
    let span =
        match (rated().min_by_key(|(percent, _)| *percent), rated().max_by_key(|(percent, _)| *percent)) {
            (Some((low, worst)), Some((high, best))) if low != high => {
                format!(
                    " Lowest {low}% in the week of {}, highest {high}% in the week of {}.",
                    day(worst),
                    day(best)
                )
            }
            _ => String::new(),
        };
    format!(
        "Bar chart of the share of answers given within {working_days} working days, by the week in which they fell due: {this_week}, {mean}% over {} weeks.{span}",
        weeks.len()
    )
}

fn text(weeks: &[Week]) -> String {
    let lines: Vec<Line> = weeks
        .iter()
        .map(|week| Line {
            label: week.monday.format("%e %b").to_string(),
            said: week.percent().map_or_else(|| "none".to_owned(), |percent| format!("{percent}%")),
            value: week.percent().unwrap_or_default(),
        })
        .collect();
    text_bars::drawn(&lines, 100, '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(number: u64, fell_due: u64, in_time: u64) -> Week {
        let first: NaiveDate = "2026-08-31".parse().unwrap();
        Week { monday: first + chrono::Days::new(7 * number), fell_due, in_time }
    }

    #[test]
    fn the_words_say_what_the_bars_show() {
        let picture = picture(&[week(0, 10, 5), week(1, 0, 0), week(2, 30, 30)], 10);
        assert_eq!(
            picture.alt,
            "Bar chart of the share of answers given within 10 working days, by the week in which they fell due: 100% in the last week, 87% over 3 weeks. \
             Lowest 50% in the week of 31 August, highest 100% in the week of 14 September."
        );
        assert_eq!(
            picture.text,
            "31 Aug   50%  ##########\n 7 Sep  none\n14 Sep  100%  ####################\n"
        );
    }

    #[test]
    fn weeks_without_answers_have_no_rate() {
        let picture = picture(&[week(0, 0, 0), week(1, 0, 0)], 10);
        assert!(picture.alt.ends_with("No answer fell due in these 2 weeks."), "{}", picture.alt);
        assert!(picture.svg.matches('\u{2013}').count() == 2 && !picture.svg.contains("mean"));
        assert!(!super::picture(&[], 10).alt.is_empty());
    }
}
