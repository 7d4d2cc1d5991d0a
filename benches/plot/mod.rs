//! A plot as SVG, drawn by hand: points, a line, two axes with a few numbers. Nothing is computed here.
#![allow(dead_code)] // Not every benchmark draws.

use std::fmt::Write as _;

/// One line of a plot.
pub struct Line<'a> {
    pub name: &'a str,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 50.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 20.0;
const COLOURS: [&str; 4] = ["#1f4e79", "#b5541c", "#3b7d3b", "#777777"];

/// Both axes begin at zero: growth is what is to be seen.
pub fn svg(title: &str, across: &str, up: &str, lines: &[Line<'_>]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points);
    let (wide, high) = (top(all().map(|point| point.0)), top(all().map(|point| point.1)));
    let x = |value: f64| LEFT + value / wide * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / high * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{title}</text>\n"
    );
    for step in 0..=4 {
        let (value_x, value_y) = (wide * f64::from(step) / 4.0, high * f64::from(step) / 4.0);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#dddddd\"/><text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{4}</text>",
            WIDTH - RIGHT,
            y(value_y),
            LEFT - 6.0,
            y(value_y) + 4.0,
            short(value_y)
        );
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x(value_x),
            HEIGHT - BOTTOM + 18.0,
            short(value_x)
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{across}</text>\n<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{up}</text>",
        (LEFT + WIDTH) / 2.0,
        HEIGHT - 10.0,
        HEIGHT / 2.0
    );
    for (number, line) in lines.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let path: Vec<String> =
            line.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for point in &line.points {
            let (x, y) = (x(point.0), y(point.1));
            let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\"/>");
        }
        let (at, name) = (WIDTH - RIGHT - 4.0, line.name);
        let down = TOP + 6.0 + 16.0 * number as f64;
        let _ = writeln!(
            out,
            "<text x=\"{at}\" y=\"{down}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>"
        );
    }
    out + "</svg>\n"
}

/// The next round number above all of them.
fn top(values: impl Iterator<Item = f64>) -> f64 {
    let highest = values.fold(0.0, f64::max).max(1e-9) * 1.1;
    let unit = 10f64.powf(highest.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
        .into_iter()
        .map(|n| n * unit)
        .find(|round| *round >= highest)
        .unwrap_or(highest)
}

fn short(value: f64) -> String {
    let round = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match value {
        v if v >= 1e6 => format!("{} M", round(v / 1e6)),
        v if v >= 1e3 => format!("{} k", round(v / 1e3)),
        v => round(v),
    }
}
