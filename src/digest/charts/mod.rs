//! The digest's charts: each a picture, the same in words for whoever does not see it, and the same in letters for the plain
//! text. Pure: the same numbers give the same bytes.
//!
//! WCAG 2.2, 1.1.1 (text alternatives), 1.4.1 (not by colour alone), 1.4.11 (contrast of what is drawn).

use super::{Figures, WEEKS_BEFORE};

pub mod ages;
pub mod canvas;
pub mod on_time;
mod png;
pub mod queues;
mod text_bars;

/// The names of the charts, in the order of the digest.
pub const NAMES: [&str; 3] = ["on-time", "open-by-age", "by-queue"];

/// The charts of these figures.
pub fn pictures(figures: &Figures) -> Vec<Picture> {
    let target = figures.target_working_days;
    let known = figures.service.spans.iter().filter(|span| span.figures.received.is_some());
    let weeks: Vec<on_time::Week> = known
        .map(|span| on_time::Week {
            monday: span.period.from,
            fell_due: span.figures.fell_due.unwrap_or_default(),
            in_time: span.figures.fell_due_kept.unwrap_or_default(),
        })
        .collect();
    let newest = weeks.len().saturating_sub(WEEKS_BEFORE);
    let weeks = weeks.get(newest..).unwrap_or_default();
    vec![
        on_time::picture(weeks, target),
        ages::picture(&ages::groups(&figures.open_by_age.ages, target), target),
        queues::picture(&figures.sources.queues),
    ]
}

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
    use crate::digest::sample;

    /// `SHOW_LETTERS=<folder>` writes the pictures, to be looked at.
    #[test]
    fn every_picture_is_a_small_png_of_the_same_bytes_each_time() {
        for (figures, which) in [(sample::figures(), "busy"), (sample::quiet(), "quiet")] {
            let pictures = pictures(&figures);
            assert_eq!(pictures.iter().map(|picture| picture.name).collect::<Vec<_>>(), NAMES);
            for picture in pictures {
                let png = picture.png();
                assert!(
                    png.starts_with(b"\x89PNG") && png.len() < 60_000,
                    "{picture:?}: {} bytes",
                    png.len()
                );
                assert_eq!(png, picture.png());
                if let Ok(folder) = std::env::var("SHOW_LETTERS") {
                    std::fs::write(format!("{folder}/{which}-{}.png", picture.name), png).unwrap();
                }
            }
        }
    }
}
