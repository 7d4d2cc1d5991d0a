//! From a drawing to pixels: the only file that names `resvg`. The fonts are embedded, for a container has none.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

const REGULAR: &[u8] = include_bytes!("font/Regular.ttf");
const BOLD: &[u8] = include_bytes!("font/Bold.ttf");

/// How many pixels each unit of a drawing gets: sharp on a telephone, which has three to the point.
const PIXELS: f32 = 3.0;

/// The picture as PNG; empty if it cannot be drawn, which only a fault of ours can bring about: the letter then says in words
/// what the picture would have shown.
pub fn png(svg: &str) -> Vec<u8> {
    try_png(svg).unwrap_or_default()
}

fn try_png(svg: &str) -> Option<Vec<u8>> {
    let options =
        Options { font_family: super::canvas::FAMILY.to_owned(), fontdb: fonts(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).ok()?;
    let size = tree.size().to_int_size().scale_by(PIXELS)?;
    let mut pixels = Pixmap::new(size.width(), size.height())?;
    resvg::render(&tree, Transform::from_scale(PIXELS, PIXELS), &mut pixels.as_mut());
    pixels.encode_png().ok()
}

/// Loaded once: it takes longer than a drawing.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(BOLD.to_vec());
        Arc::new(fonts)
    };
    FONTS.get_or_init(load).clone()
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{Canvas, Fill, PLAIN};
    use super::*;

    /// How many pixels are not paper.
    fn inked(svg: &str) -> usize {
        let pixels = Pixmap::decode_png(&png(svg)).unwrap();
        let paper = pixels.pixel(0, 0).unwrap();
        pixels.pixels().iter().filter(|pixel| **pixel != paper).count()
    }

    #[test]
    fn words_and_hatching_are_drawn_with_the_fonts_that_are_embedded() {
        let mut canvas = Canvas::new(100.0, 40.0);
        canvas.words(5.0, 20.0, PLAIN, "Within 10 days");
        let words = inked(&canvas.finish());
        assert!(words > 1_000, "{words}");
        let mut canvas = Canvas::new(100.0, 40.0);
        canvas.bar(10.0, 10.0, 50.0, 20.0, Fill::Late);
        assert!(inked(&canvas.finish()) > 5_000);
    }

    #[test]
    fn a_drawing_that_cannot_be_read_is_no_picture_and_no_panic() {
        assert_eq!(png("<svg"), b"");
    }
}
