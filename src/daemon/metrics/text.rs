//! The text in which Prometheus reads metrics: its exposition format, version 0.0.4. Written by hand, because the client library
//! writes OpenMetrics, which `promtool check metrics` does not take, and because most figures here are read from the record.

use std::fmt::Write;

/// What a metric is, and how it is called: `catalogue.rs` has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with its unit at the end; a counter's ends in `_total`.
    pub name: &'static str,
    /// How its value moves.
    pub kind: Kind,
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// How a metric's value moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Up only, from 0 at the start of the program.
    Counter,
    /// Up and down.
    Gauge,
    /// How many were at most so large.
    Histogram,
}

impl Kind {
    /// The word for it in the text.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A page of metrics in the making.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Begins a metric; its values are added to what is returned.
    pub fn metric(&mut self, metric: &Metric) -> Values<'_> {
        let Metric { name, kind, help } = metric;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a text in memory cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.word());
        Values { text: &mut self.0, name }
    }

    /// The whole page.
    pub fn finish(self) -> String {
        self.0
    }
}

/// The values of one metric.
pub struct Values<'p> {
    text: &'p mut String,
    name: &'static str,
}

impl Values<'_> {
    /// One value with its labels.
    pub fn add(&mut self, labels: &[(&str, &str)], value: impl Into<f64>) {
        self.line("", labels, None, value.into());
    }

    /// A count with its labels.
    pub fn count(&mut self, labels: &[(&str, &str)], value: u64) {
        // Exact up to 2^53, as every value is that Prometheus keeps.
        self.line("", labels, None, value as f64);
    }

    /// A histogram.
    pub fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        let mut so_far = 0;
        for (bound, count) in histogram.bounds.iter().zip(&histogram.counts) {
            so_far += count;
            self.line("_bucket", labels, Some(&bound.to_string()), so_far as f64);
        }
        self.line("_bucket", labels, Some("+Inf"), histogram.count as f64);
        self.line("_sum", labels, None, histogram.sum);
        self.line("_count", labels, None, histogram.count as f64);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], bound: Option<&str>, value: f64) {
        let labels = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let labels: Vec<String> =
            labels.map(|(name, text)| format!("{name}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", self.name);
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// How many were at most so large.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    /// An empty one with these upper bounds, lowest first.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len()], sum: 0.0, count: 0 }
    }

    /// One more.
    pub fn observe(&mut self, value: f64) {
        let fits = self.bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = fits.and_then(|at| self.counts.get_mut(at)) {
            *count += 1;
        }
        self.sum += value;
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Metric =
        Metric { name: "size_seconds", kind: Kind::Histogram, help: "How \\ long\nit took." };

    #[test]
    fn a_histogram_counts_each_value_in_every_bucket_above_it() {
        let mut sizes = Histogram::new(&[0.1, 1.0, 60.0]);
        [0.05, 0.1, 0.5, 3.0, 100.0].iter().for_each(|value| sizes.observe(*value));
        let mut page = Page::default();
        page.metric(&SIZE).histogram(&[("mailbox", "general")], &sizes);
        assert_eq!(
            page.finish(),
            "# HELP size_seconds How \\\\ long\\nit took.\n# TYPE size_seconds histogram\n\
             size_seconds_bucket{mailbox=\"general\",le=\"0.1\"} 2\n\
             size_seconds_bucket{mailbox=\"general\",le=\"1\"} 3\n\
             size_seconds_bucket{mailbox=\"general\",le=\"60\"} 4\n\
             size_seconds_bucket{mailbox=\"general\",le=\"+Inf\"} 5\n\
             size_seconds_sum{mailbox=\"general\"} 103.65\n\
             size_seconds_count{mailbox=\"general\"} 5\n"
        );
    }

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let metric = Metric { name: "n_total", kind: Kind::Counter, help: "N." };
        let mut page = Page::default();
        page.metric(&metric).count(&[("folder", "a\"} 1\nx\\")], 3);
        assert_eq!(page.finish().lines().nth(2), Some("n_total{folder=\"a\\\"} 1\\nx\\\\\"} 3"));
    }
}
