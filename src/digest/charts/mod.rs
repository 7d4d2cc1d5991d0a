//! The digest's charts: each a picture, the same in words for whoever does not see it, and the same in letters for the plain
//! text. Pure: the same numbers give the same bytes.
//!
//! WCAG 2.2, 1.1.1 (text alternatives), 1.4.1 (not by colour alone), 1.4.11 (contrast of what is drawn).

pub mod ages;
pub mod canvas;
pub mod on_time;
mod png;
pub mod queues;
mod text_bars;

/// The names of the charts, in the order of the digest.
pub const NAMES: [&str; 3] = ["on-time", "open-by-age", "by-queue"];

/// A chart.
#[derive(Clone, PartialEq)]
pub struct Picture {
    /// Its name: of the file, and in the wording.
    pub name: &'static str,
    /// What it shows, in a sentence or two with the figures.
    pub alt: String,
    /// The same as bars of letters.
    pub text: String,
    /// How wide it is drawn, in points; it is displayed wider or narrower.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// The drawing.
    pub svg: String,
}

impl Picture {
    fn new(name: &'static str, drawing: (f32, f32, String), alt: String, text: String) -> Self {
        let (width, height, svg) = drawing;
        // Sizes of drawings are a few hundred, and whole.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = |length: f32| length as u32;
        Self { name, alt, text, width: whole(width), height: whole(height), svg }
    }

    /// As PNG, three pixels to the point. Takes some hundredths of a second.
    pub fn png(&self) -> Vec<u8> {
        png::png(&self.svg)
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}: {})", self.name, self.alt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SHOW_LETTERS=<folder>` writes the pictures, to be looked at.
    #[test]
    fn every_picture_is_a_small_png_of_the_same_bytes_each_time() {
        let first: chrono::NaiveDate = "2026-08-31".parse().unwrap();
        let rates = [(31, 29), (44, 38), (40, 36), (38, 30), (52, 49), (47, 40), (0, 0), (39, 33), (45, 41), (50, 47), (41, 35), (48, 44)];
        let weeks: Vec<_> = (0..).map(|n| first + chrono::Days::new(7 * n)).zip(rates).map(|(monday, (answered, in_time))| {
            on_time::Week { monday, answered, in_time }
        }).collect();
        let ages = [(0, 9), (1, 7), (2, 11), (3, 6), (4, 8), (5, 5), (6, 4), (7, 6), (8, 3), (9, 2), (10, 3)];
        let mut ages: Vec<_> = ages.iter().map(|(age, cases)| ages::Age { label: format!("{age}"), cases: *cases, late: false }).collect();
        for (label, cases) in [("11-15", 4), ("16-20", 2), ("21+", 1)] {
            ages.push(ages::Age { label: label.to_owned(), cases, late: true });
        }
        let volume = |queue: &str, received, usual| queues::Volume { queue: queue.to_owned(), received, usual_tenths: Some(usual) };
        let volumes = [volume("Assessment", 21, 186), volume("Annual reviews, East", 12, 140), volume("Annual reviews, West", 9, 83), volume("General", 6, 71), volume("Resolution", 2, 14)];
        for picture in [on_time::picture(&weeks, 10), ages::picture(&ages, 10), queues::picture(&volumes)] {
            let png = picture.png();
            assert!(png.starts_with(b"\x89PNG") && png.len() < 60_000, "{picture:?}: {} bytes", png.len());
            assert_eq!(png, picture.png());
            if let Ok(folder) = std::env::var("SHOW_LETTERS") {
                std::fs::write(format!("{folder}/{}.png", picture.name), png).unwrap();
            }
        }
    }
}
