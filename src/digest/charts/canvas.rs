//! A small drawing vocabulary: boxes, lines, words, a hatching. It writes SVG, and knows nothing of what is drawn.
//!
//! Made to be told apart without colour: what is in order is solid, what is late is hatched, what is past is pale with an
//! outline. The ink on the paper has a contrast above 7 to 1 (WCAG 2.2, AAA).

use std::fmt::Write as _;

/// The paper: nearly white, so that a picture is legible where the mail around it is dark.
pub const PAPER: &str = "#fcfcfa";
/// Words and outlines.
pub const INK: &str = "#0b0c0c";
/// Words that matter less.
pub const GREY: &str = "#44494d";
/// Grid lines.
pub const HAIR: &str = "#c9cdd0";
/// What is in order.
pub const BLUE: &str = "#1d4f7c";
/// The same, of former weeks.
pub const PALE: &str = "#9fbdd6";
/// What is late: darker than `BLUE` is not, but it is hatched.
pub const RUST: &str = "#a3420c";

/// How a box is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// In order: solid.
    Solid,
    /// Of former weeks: pale, with an outline.
    Past,
    /// Late: hatched, with an outline.
    Late,
}

/// Which side of the place the words stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// They begin there.
    Start,
    /// They are centred on it.
    Middle,
    /// They end there.
    End,
}

/// The look of words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Type {
    /// Height of the letters' body.
    pub size: f32,
    /// Bold.
    pub bold: bool,
    /// Colour.
    pub colour: &'static str,
    /// Where the words stand.
    pub anchor: Anchor,
}

/// The usual look, from which others are made.
pub const PLAIN: Type = Type { size: 15.0, bold: false, colour: INK, anchor: Anchor::Start };

/// The family in which the embedded fonts are filed.
pub const FAMILY: &str = "Triage Sans";

/// A drawing that is being made.
#[derive(Debug)]
pub struct Canvas {
    width: f32,
    height: f32,
    body: String,
}

impl Canvas {
    /// An empty sheet.
    pub fn new(width: f32, height: f32) -> Self {
        Self { width, height, body: String::new() }
    }

    /// A box; one that has no height is not drawn.
    pub fn bar(&mut self, x: f32, y: f32, width: f32, height: f32, fill: Fill) {
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        let (inside, outline) = match fill {
            Fill::Solid => (BLUE, BLUE),
            Fill::Past => (PALE, BLUE),
            Fill::Late => ("url(#hatch)", RUST),
        };
        let _ = writeln!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{inside}" stroke="{outline}" stroke-width="1.2"/>"#
        );
    }

    /// A straight line; broken into dashes if it is a limit and not a grid line.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), colour: &str, width: f32, dashed: bool) {
        let dashes = if dashed { r#" stroke-dasharray="6 4""# } else { "" };
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="{width}"{dashes}/>"#
        );
    }

    /// Words, with their base line at `y`.
    pub fn words(&mut self, x: f32, y: f32, look: Type, words: &str) {
        let anchor = match look.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if look.bold { "bold" } else { "normal" };
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{}" font-weight="{weight}" fill="{}" text-anchor="{anchor}">{}</text>"#,
            look.size,
            look.colour,
            escape(words)
        );
    }

    /// Words on a patch of paper, so that what lies beneath does not run through them.
    pub fn label(&mut self, x: f32, y: f32, look: Type, words: &str) {
        let width = width_of(words, look);
        let left = match look.anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        let (top, height) = (y - look.size * 0.85, look.size * 1.1);
        let _ = writeln!(
            self.body,
            r#"<rect x="{:.1}" y="{top:.1}" width="{:.1}" height="{height:.1}" fill="{PAPER}"/>"#,
            left - 3.0,
            width + 6.0
        );
        self.words(x, y, look, words);
    }

    /// The finished drawing.
    pub fn finish(self) -> String {
        let Self { width, height, body } = self;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{FAMILY}">
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fbe3d3"/><rect width="2.6" height="6" fill="{RUST}"/></pattern></defs>
<rect width="{width}" height="{height}" fill="{PAPER}"/>
{body}</svg>
"##
        )
    }
}

/// About how wide these words are; the fonts' mean width, a little on the wide side.
pub fn width_of(words: &str, look: Type) -> f32 {
    let mean = if look.bold { 0.68 } else { 0.6 };
    let letters = u16::try_from(words.chars().count()).unwrap_or(u16::MAX);
    f32::from(letters) * look.size * mean
}

/// Words that are cut to a width, with a sign that they were.
pub fn fitted(words: &str, look: Type, width: f32) -> String {
    if width_of(words, look) <= width {
        return words.to_owned();
    }
    let mut cut = words.to_owned();
    while !cut.is_empty() && width_of(&cut, look) + look.size > width {
        cut.pop();
    }
    format!("{}\u{2026}", cut.trim_end())
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A round number of the axis that is not below the highest value: 1, 2, 5, 10, 20, 50 ...
pub fn round_above(highest: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for step in [1u64, 2, 4, 5, 6, 8] {
            let round = step.saturating_mul(power);
            if round >= highest.max(1) {
                return round;
            }
        }
        power = power.saturating_mul(10);
        if power >= u64::MAX / 10 {
            return highest.max(1);
        }
    }
}

/// What part of the whole this is, as a length.
pub fn length(value: u64, whole: u64, longest: f32) -> f32 {
    // Counts of cases are far below what a float holds exactly; what is not is drawn a hair too short.
    #[allow(clippy::cast_precision_loss)]
    let share = value as f32 / whole.max(1) as f32;
    share.clamp(0.0, 1.0) * longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_that_holds_the_highest() {
        for (highest, round) in [(0, 1), (1, 1), (3, 4), (7, 8), (11, 20), (41, 50), (99, 100), (101, 200)] {
            assert_eq!(round_above(highest), round, "{highest}");
        }
        assert_eq!(round_above(u64::MAX), u64::MAX);
    }

    #[test]
    fn words_of_staff_cannot_break_a_drawing_or_run_out_of_it() {
        let mut canvas = Canvas::new(100.0, 20.0);
        canvas.words(0.0, 10.0, PLAIN, "<a> & \"b\"");
        assert!(canvas.finish().contains("&lt;a&gt; &amp; &quot;b&quot;"));
        let cut = fitted("A team with a very long name indeed", PLAIN, 120.0);
        assert!(cut.ends_with('\u{2026}') && width_of(&cut, PLAIN) <= 130.0, "{cut}");
        assert_eq!(fitted("Short", PLAIN, 120.0), "Short");
    }
}
