//! How much came to each team in the week: one bar each, the longest first, with its number beside it.

use super::Picture;
use super::canvas::{Canvas, Fill, PLAIN, Type, fitted, length};
use super::text_bars::{self, Line};
use crate::digest::figures::Count;
use crate::digest::names;

const WIDTH: f32 = 400.0;
const LEFT: f32 = 12.0;
const LONGEST: f32 = 316.0;
const TOP: f32 = 40.0;
const ROW: f32 = 46.0;

/// The picture of these teams, in the order given.
pub fn picture(queues: &[Count]) -> Picture {
    let volumes: Vec<Line> = queues
        .iter()
        .map(|count| Line {
            label: names::team(&count.name),
            said: count.count.to_string(),
            value: count.count,
        })
        .collect();
    let highest = volumes.iter().map(|volume| volume.value).max().unwrap_or_default();
    Picture::new(
        "by-queue",
        drawing(&volumes, highest),
        alt(&volumes),
        text_bars::drawn(&volumes, highest, '#'),
    )
}

fn drawing(volumes: &[Line], highest: u64) -> (f32, f32, String) {
    let rows = f32::from(u16::try_from(volumes.len()).unwrap_or(u16::MAX));
    let height = TOP + rows * ROW + 10.0;
    let mut canvas = Canvas::new(WIDTH, height);
    canvas.words(LEFT, 26.0, Type { bold: true, size: 16.0, ..PLAIN }, "Received in the week, by team");
    for (number, volume) in volumes.iter().enumerate() {
        let top = TOP + f32::from(u16::try_from(number).unwrap_or(u16::MAX)) * ROW;
        canvas.words(LEFT, top + 14.0, PLAIN, &fitted(&volume.label, PLAIN, WIDTH - 2.0 * LEFT));
        let long = length(volume.value, highest, LONGEST);
        canvas.bar(LEFT, top + 20.0, long.max(1.0), 17.0, Fill::Solid);
        canvas.words(LEFT + long + 10.0, top + 34.0, Type { bold: true, ..PLAIN }, &volume.said);
    }
    (WIDTH, height, canvas.finish())
}

fn alt(volumes: &[Line]) -> String {
    let said: Vec<String> =
        volumes.iter().map(|volume| format!("{} {}", volume.label, volume.said)).collect();
    if said.is_empty() {
        return "Bar chart of cases received in the week, by team. There are none.".to_owned();
    }
    format!("Bar chart of cases received in the week, by team: {}.", said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_team_has_its_bar_and_its_number() {
        let count = |name: &str, count| Count { name: name.into(), count };
        let picture = picture(&[count("assessment", 40), count("general", 0)]);
        assert_eq!(
            picture.alt,
            "Bar chart of cases received in the week, by team: Assessment 40, General 0."
        );
        assert_eq!(picture.text, "Assessment  40  ####################\nGeneral      0\n");
        assert!(super::picture(&[]).alt.ends_with("There are none."));
    }
}
