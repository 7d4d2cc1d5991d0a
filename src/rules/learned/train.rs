//! Learning the weights of [`Learned`] from labelled texts: a linear classifier for each label.
//!
//! The same examples always give the same weights: no chance, no clock. How sure the result may be is measured on
//! examples that were left out (five parts, each left out once), not on those that it was made from.
//!
//! The weights are read over whole messages and over two neighbouring sentences (see [`super`]), so they are made from
//! both. Which two sentences of a message tell the matter, nobody has marked: first the whole messages teach weights,
//! and by these the two that speak most are taken (multiple-instance learning; Andrews and others, NIPS 2002). Where a
//! label does not hold, it is told by no sentence.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::solver::{Vector, curve, dot, solve};
use super::{Label, Learned, words};

/// A word or pair must stand in so many texts.
const LEAST_TEXTS: usize = 2;
/// Into so many parts the examples are divided for the measurement.
const PARTS: usize = 5;
/// With fewer examples that are it, nothing is learned for a label.
pub const LEAST_EXAMPLES: usize = 10;
/// Weights below this share of a label's largest are dropped.
const NEGLIGIBLE: f64 = 0.005;

/// A text and what it is an example of.
#[derive(Debug, Clone)]
pub struct Example {
    /// The sender's own words.
    pub text: String,
    /// The labels that hold.
    pub has: Vec<String>,
    /// The labels of which it speaks at all, those that hold among them; `None`: all, and those not named do not hold.
    pub speaks_of: Option<Vec<String>>,
}

impl Example {
    /// Whether it says anything of this label, and whether that holds.
    fn says(&self, label: &str) -> Option<bool> {
        let asked = self.speaks_of.as_ref().is_none_or(|asked| asked.iter().any(|one| one == label));
        asked.then(|| self.has.iter().any(|one| one == label))
    }
}

/// How well a label can be told from the words alone, on examples left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The label.
    pub label: String,
    /// Examples that are it, and that are not.
    pub examples: (usize, usize),
    /// Precision and recall where it is at least 50 % sure.
    pub precision: f64,
    /// See `precision`.
    pub recall: f64,
}

/// Learns these labels; those with too few examples are left out of both results.
pub fn train(examples: &[Example], labels: &[String]) -> (Learned, Vec<Measured>) {
    let (names, rarity, texts) = texts(examples);
    let width = names.len();
    let (mut columns, mut known, mut measured) = (Vec::new(), Vec::new(), Vec::new());
    for label in labels {
        let (mut about, mut is): (Vec<&Text>, Vec<bool>) = (Vec::new(), Vec::new());
        for (example, text) in examples.iter().zip(&texts) {
            if let Some(holds) = example.says(label) {
                about.push(text);
                is.push(holds);
            }
        }
        let positive = is.iter().filter(|is| **is).count();
        if positive < LEAST_EXAMPLES || is.len() - positive < LEAST_EXAMPLES {
            continue;
        }
        let scores = left_out(&about, &is, width);
        let [slope, near, shift] = curve(&scores, &is);
        let (mut weights, start) = learn(&about, &is, width);
        let largest = weights.iter().fold(0.0_f64, |most, weight| most.max(weight.abs()));
        weights
            .iter_mut()
            .filter(|weight| weight.abs() < NEGLIGIBLE * largest)
            .for_each(|weight| *weight = 0.0);
        let sure: Vec<bool> =
            scores.iter().map(|[whole, most]| slope * whole + near * most + shift >= 0.0).collect();
        measured.push(measure(label, &sure, &is));
        known.push(Label {
            name: label.clone(),
            start: start as f32,
            slope: slope as f32,
            near: near as f32,
            shift: shift as f32,
        });
        columns.push(weights);
    }
    let weights = (0..names.len())
        .flat_map(|row| columns.iter().map(move |column| column.get(row).copied().unwrap_or_default() as f32))
        .collect();
    let rows = names.iter().enumerate().map(|(row, name)| (name.clone(), row)).collect();
    let index = super::index::Index::new(&names);
    (Learned { labels: known, names, rows, index, rarity, weights }, measured)
}

/// A text as vectors of its words, each of length 1.
struct Text {
    whole: Vector,
    /// Each two neighbouring sentences.
    windows: Vec<Vector>,
}

/// The words that are kept, their rarity, and every text as vectors of them.
fn texts(examples: &[Example]) -> (Vec<Box<str>>, Vec<f32>, Vec<Text>) {
    // By text, then by sentence, how often each word stands in it.
    let counted: Vec<BTreeMap<u32, HashMap<String, f64>>> = examples
        .iter()
        .map(|example| {
            let mut counts: BTreeMap<u32, HashMap<String, f64>> = BTreeMap::new();
            words::features(&example.text, |feature, _, sentence| {
                *counts.entry(sentence).or_default().entry(feature.to_owned()).or_insert(0.0) += 1.0;
            });
            counts
        })
        .collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for sentences in &counted {
        let all: BTreeSet<&str> = sentences.values().flat_map(HashMap::keys).map(String::as_str).collect();
        all.into_iter().for_each(|feature| *seen.entry(feature).or_default() += 1);
    }
    let mut kept: Vec<(&str, usize)> = seen.into_iter().filter(|(_, count)| *count >= LEAST_TEXTS).collect();
    kept.sort_unstable();
    let all = examples.len() as f64;
    let rarity: Vec<f64> =
        kept.iter().map(|(_, count)| ((1.0 + all) / (1.0 + *count as f64)).ln() + 1.0).collect();
    let row_of: HashMap<&str, usize> = kept.iter().enumerate().map(|(row, (name, _))| (*name, row)).collect();
    let weighed = |counts: &BTreeMap<usize, f64>| -> Vector {
        counts
            .iter()
            .filter_map(|(row, count)| Some((*row, (1.0 + count.ln()) * rarity.get(*row)?)))
            .collect()
    };
    let texts = counted
        .iter()
        .map(|sentences| {
            let mut whole: BTreeMap<usize, f64> = BTreeMap::new();
            let mut each: Vec<(u32, Vector)> = Vec::new();
            for (number, counts) in sentences {
                let of_sentence: BTreeMap<usize, f64> = counts
                    .iter()
                    .filter_map(|(feature, count)| Some((*row_of.get(feature.as_str())?, *count)))
                    .collect();
                of_sentence.iter().for_each(|(row, count)| *whole.entry(*row).or_default() += count);
                if !of_sentence.is_empty() {
                    each.push((*number, weighed(&of_sentence)));
                }
            }
            let length = length(&weighed(&whole));
            Text { whole: divided(weighed(&whole), length), windows: windows(&each) }
        })
        .collect();
    let names = kept.iter().map(|(name, _)| Box::from(*name)).collect();
    (names, rarity.iter().map(|value| *value as f32).collect(), texts)
}

/// Each two neighbouring sentences, as [`super::opinion`] takes them.
fn windows(sentences: &[(u32, Vector)]) -> Vec<Vector> {
    let mut windows = Vec::with_capacity(sentences.len());
    let follows = |one: &(u32, Vector), other: &(u32, Vector)| one.0 + 1 == other.0;
    for (index, first) in sentences.iter().enumerate() {
        let second = sentences.get(index + 1).filter(|second| follows(first, second));
        let before = index.checked_sub(1).and_then(|before| sentences.get(before));
        if second.is_none() && before.is_some_and(|before| follows(before, first)) {
            continue;
        }
        let mut sum: BTreeMap<usize, f64> = BTreeMap::new();
        let mut squares = 0.0;
        for (_, vector) in [Some(first), second].into_iter().flatten() {
            squares += length(vector).powi(2);
            vector.iter().for_each(|(row, value)| *sum.entry(*row).or_default() += value);
        }
        windows.push(divided(sum.into_iter().collect(), squares.sqrt()));
    }
    windows
}

fn length(vector: &Vector) -> f64 {
    vector.iter().map(|(_, value)| value * value).sum::<f64>().sqrt()
}

fn divided(mut vector: Vector, length: f64) -> Vector {
    if length > 0.0 {
        vector.iter_mut().for_each(|(_, value)| *value /= length);
    }
    vector
}

/// Weights and start value that tell these texts, and their sentences, apart.
fn learn(texts: &[&Text], is: &[bool], width: usize) -> (Vec<f64>, f64) {
    let mut rows: Vec<&Vector> = texts.iter().map(|text| &text.whole).collect();
    let mut holds = is.to_vec();
    let mut costs = costs(is, is.len());
    let (weights, _) = solve(&rows, &holds, &costs, width);
    let mut of_windows = Vec::new();
    for (text, is) in texts.iter().zip(is) {
        let best = text.windows.iter().max_by(|one, two| dot(&weights, one).total_cmp(&dot(&weights, two)));
        let windows: Vec<&Vector> =
            if *is { best.into_iter().collect() } else { text.windows.iter().collect() };
        of_windows.extend(std::iter::repeat_n(*is, windows.len()));
        rows.extend(windows);
    }
    // All sentences together weigh as much as all messages.
    costs.extend(self::costs(&of_windows, is.len()));
    holds.extend(of_windows);
    solve(&rows, &holds, &costs, width)
}

/// What a mistake costs: those that are it, and those that are not, half of this weight each.
fn costs(is: &[bool], weight: usize) -> Vec<f64> {
    let positive = is.iter().filter(|is| **is).count();
    let share = |count: usize| weight as f64 / (2.0 * count.max(1) as f64);
    let (yes, no) = (share(positive), share(is.len() - positive));
    is.iter().map(|is| if *is { yes } else { no }).collect()
}

/// The scores of each example by weights that were learned without it: of the whole, and of the two sentences that
/// speak most.
fn left_out(texts: &[&Text], is: &[bool], width: usize) -> Vec<[f64; 2]> {
    let mut counts = [0_usize; 2];
    let parts: Vec<usize> = is
        .iter()
        .map(|is| {
            let count = if *is { &mut counts[0] } else { &mut counts[1] };
            *count += 1;
            *count % PARTS
        })
        .collect();
    let mut scores = vec![[0.0; 2]; texts.len()];
    for part in 0..PARTS {
        let (mut seen, mut labels) = (Vec::new(), Vec::new());
        for ((text, is), of) in texts.iter().zip(is).zip(&parts) {
            if *of != part {
                seen.push(*text);
                labels.push(*is);
            }
        }
        let (weights, start) = learn(&seen, &labels, width);
        for ((text, score), of) in texts.iter().zip(&mut scores).zip(&parts) {
            if *of == part {
                let most = text.windows.iter().map(|window| dot(&weights, window)).max_by(f64::total_cmp);
                *score = [dot(&weights, &text.whole) + start, most.unwrap_or_default() + start];
            }
        }
    }
    scores
}

fn measure(label: &str, sure: &[bool], is: &[bool]) -> Measured {
    let (mut hits, mut false_alarms, mut missed, mut others) = (0_usize, 0_usize, 0_usize, 0_usize);
    for (sure, is) in sure.iter().zip(is) {
        match (sure, is) {
            (true, true) => hits += 1,
            (true, false) => false_alarms += 1,
            (false, true) => missed += 1,
            (false, false) => others += 1,
        }
    }
    Measured {
        label: label.to_owned(),
        examples: (hits + missed, false_alarms + others),
        precision: hits as f64 / (hits + false_alarms).max(1) as f64,
        recall: hits as f64 / (hits + missed).max(1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<Example> {
        let who = ["My son", "Our girl", "The pupil", "Tom", "She", "My grandson", "Ali", "Her client"];
        let mut all = Vec::new();
        for (index, who) in who.iter().cycle().take(40).enumerate() {
            let yes = index % 2 == 0;
            let text = if yes {
                format!("{who} is sent home at noon every day, number {index}")
            } else {
                format!("{who} enjoys the whole day, number {index}")
            };
            let has = if yes { vec!["U4".to_owned()] } else { Vec::new() };
            all.push(Example { text, has, speaks_of: None });
        }
        all
    }

    #[test]
    fn what_was_learned_is_told_apart_with_its_words() {
        let (learned, measured) = train(&examples(), &["U4".to_owned(), "U9".to_owned()]);
        assert_eq!(learned.labels().collect::<Vec<_>>(), ["U4"], "nothing is learned without examples");
        assert!(measured.iter().all(|m| m.precision > 0.9 && m.recall > 0.9), "{measured:?}");
        let text = "He has been sent home at noon again";
        let opinion = learned.weigh(&[text]);
        assert!(opinion.sure(0) > 0.5, "{}", opinion.sure(0));
        let reasons = learned.reasons(&opinion, 0, 3);
        let words: Vec<&str> = reasons.iter().filter_map(|(_, range)| text.get(range.clone())).collect();
        assert!(words.iter().any(|words| words.contains("home")), "{words:?}");
        assert!(learned.weigh(&["He enjoys the whole day"]).sure(0) < 0.5);
    }

    #[test]
    fn the_same_examples_give_the_same_file_and_the_file_gives_the_same_opinion() {
        let (one, _) = train(&examples(), &["U4".to_owned()]);
        let (two, _) = train(&examples(), &["U4".to_owned()]);
        assert_eq!(one.write(), two.write());
        let back = Learned::parse(&one.write()).unwrap();
        let text = ["sent home at noon, the whole day"];
        assert!((back.weigh(&text).sure(0) - one.weigh(&text).sure(0)).abs() < 0.02);
        assert_eq!(back.write(), one.write());
    }

    #[test]
    fn a_broken_file_is_told_with_its_line() {
        let (learned, _) = train(&examples(), &["U4".to_owned()]);
        let text = learned.write();
        let broken = text.replacen("(slope),,", "(slope),,x", 1);
        let line = broken.lines().position(|line| line.starts_with("(slope)")).unwrap() + 1;
        let error = Learned::parse(&broken).unwrap_err();
        assert_eq!(error.line, line);
        assert!(error.problem.contains("is not a number"), "{}", error.problem);
        assert!(Learned::parse("").is_err());
        assert!(Learned::parse(&text.replacen("(shift)", "shift", 1)).is_err());
    }
}
