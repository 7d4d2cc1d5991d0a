//! How much came to each team in the week, with a mark where a usual week stands, where that is known.

use super::Picture;
use crate::digest::figures::Count;
use crate::digest::names;
use super::canvas::{Anchor, Canvas, Fill, GREY, INK, PLAIN, Type, fitted, length};
use super::text_bars::{self, Line};

/// What came to one team.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// The team's queue.
    pub queue: String,
    /// Cases received in the week.
    pub received: u64,
    /// A usual week: the weeks before, in tenths of a case; `None`: not known.
    pub usual_tenths: Option<u64>,
}

impl Volume {
    /// From what was counted, which does not say what is usual for one team.
    pub(super) fn of(count: &Count) -> Self {
        Self { queue: names::team(&count.name), received: count.count, usual_tenths: None }
    }
}

const WIDTH: f32 = 400.0;
const LEFT: f32 = 12.0;
const LONGEST: f32 = 316.0;
const TOP: f32 = 60.0;
const ROW: f32 = 46.0;

/// The picture of these teams, in the order given.
pub fn picture(volumes: &[Volume]) -> Picture {
    Picture::new("by-queue", drawing(volumes), alt(volumes), text(volumes))
}

fn drawing(volumes: &[Volume]) -> (f32, f32, String) {
    let rows = f32::from(u16::try_from(volumes.len()).unwrap_or(u16::MAX));
    let height = TOP + rows * ROW + 16.0;
    let mut canvas = Canvas::new(WIDTH, height);
    canvas.words(LEFT, 26.0, Type { bold: true, size: 16.0, ..PLAIN }, "Received this week, by team");
    let small = Type { size: 13.0, colour: GREY, ..PLAIN };
    if volumes.iter().any(|volume| volume.usual_tenths.is_some()) {
        canvas.line((LEFT + 1.5, 36.0), (LEFT + 1.5, 50.0), INK, 3.0, false);
        canvas.words(LEFT + 10.0, 47.0, small, "is a usual week");
    }
    // In tenths, as the means are.
    let of = |volume: &Volume| (volume.received * 10).max(volume.usual_tenths.unwrap_or_default());
    let highest = volumes.iter().map(of).max().unwrap_or_default();
    for (number, volume) in volumes.iter().enumerate() {
        let top = TOP + f32::from(u16::try_from(number).unwrap_or(u16::MAX)) * ROW;
        canvas.words(LEFT, top + 14.0, PLAIN, &fitted(&volume.queue, PLAIN, WIDTH - 2.0 * LEFT));
        let long = length(volume.received * 10, highest, LONGEST);
        canvas.bar(LEFT, top + 20.0, long.max(1.0), 17.0, Fill::Solid);
        let mut end = long;
        if let Some(usual) = volume.usual_tenths {
            let at = LEFT + length(usual, highest, LONGEST);
            // White on the bar's ink and ink on the paper: seen on both.
            canvas.line((at, top + 17.0), (at, top + 40.0), "#ffffff", 6.0, false);
            canvas.line((at, top + 17.0), (at, top + 40.0), INK, 3.0, false);
            end = end.max(at - LEFT);
        }
        let look = Type { bold: true, anchor: Anchor::Start, ..PLAIN };
        canvas.words(LEFT + end + 10.0, top + 34.0, look, &volume.received.to_string());
    }
    (WIDTH, height, canvas.finish())
}

/// `12.4`, and `12` where it is even.
pub fn tenths(value: u64) -> String {
    match value % 10 {
        0 => (value / 10).to_string(),
        tenth => format!("{}.{tenth}", value / 10),
    }
}

fn alt(volumes: &[Volume]) -> String {
    let said = |volume: &Volume| {
        let usual = volume.usual_tenths.map(|usual| format!(" (usually {})", tenths(usual)));
        format!("{} {}{}", volume.queue, volume.received, usual.unwrap_or_default())
    };
    match volumes.iter().map(said).collect::<Vec<_>>() {
        said if said.is_empty() => "Bar chart of cases received, by team. There are none.".to_owned(),
        said => format!("Bar chart of cases received in the week, by team: {}.", said.join(", ")),
    }
}

fn text(volumes: &[Volume]) -> String {
    let lines: Vec<Line> = volumes
        .iter()
        .map(|volume| Line {
            label: volume.queue.clone(),
            said: match volume.usual_tenths {
                Some(usual) => format!("{} (usually {})", volume.received, tenths(usual)),
                None => volume.received.to_string(),
            },
            value: volume.received,
        })
        .collect();
    let highest = volumes.iter().map(|volume| volume.received).max().unwrap_or_default();
    text_bars::drawn(&lines, highest, '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_team_has_its_bar_its_number_and_what_is_usual() {
        let volume = |queue: &str, received, usual_tenths| Volume { queue: queue.into(), received, usual_tenths };
        let picture = picture(&[volume("assessment", 40, Some(385)), volume("general", 0, None)]);
        assert_eq!(
            picture.alt,
            "Bar chart of cases received in the week, by team: assessment 40 (usually 38.5), general 0."
        );
        assert_eq!(picture.text, "assessment  40 (usually 38.5)  ####################\ngeneral                     0\n");
        assert!(super::picture(&[]).alt.ends_with("There are none."));
    }
}
