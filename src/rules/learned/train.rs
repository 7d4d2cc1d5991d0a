//! Learning the weights of [`Learned`] from labelled texts: a linear classifier for each label.
//!
//! The same examples always give the same weights: no chance, no clock. How sure the result may be is measured on
//! examples that were left out (five parts, each left out once), not on those that it was made from.
//!
//! The solver is dual coordinate descent for the squared hinge loss (Hsieh and others, ICML 2008); scores become shares
//! of certainty by Platt's logistic curve (1999), with his smoothed targets.

use std::collections::HashMap;

use super::{Label, Learned, words};

/// A word or pair must stand in so many texts.
const LEAST_TEXTS: usize = 2;
/// How much a mistake on an example weighs against keeping the weights small.
const COST: f64 = 1.0;
/// Rounds over all examples, at most.
const MOST_ROUNDS: usize = 300;
/// No round moved any example by more: done.
const STILL: f64 = 0.001;
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
    let (names, rarity, vectors) = vectors(examples);
    let (mut columns, mut known, mut measured) = (Vec::new(), Vec::new(), Vec::new());
    for label in labels {
        let (mut rows, mut is): (Vec<&Vector>, Vec<bool>) = (Vec::new(), Vec::new());
        for (example, vector) in examples.iter().zip(&vectors) {
            if let Some(holds) = example.says(label) {
                rows.push(vector);
                is.push(holds);
            }
        }
        let positive = is.iter().filter(|is| **is).count();
        if positive < LEAST_EXAMPLES || is.len() - positive < LEAST_EXAMPLES {
            continue;
        }
        let scores = left_out(&rows, &is, names.len());
        let (slope, shift) = platt(&scores, &is);
        let (mut weights, start) = solve(&rows, &is, names.len());
        let largest = weights.iter().fold(0.0_f64, |most, weight| most.max(weight.abs()));
        weights
            .iter_mut()
            .filter(|weight| weight.abs() < NEGLIGIBLE * largest)
            .for_each(|weight| *weight = 0.0);
        measured.push(measure(label, &scores, &is, slope, shift));
        known.push(Label {
            name: label.clone(),
            start: start as f32,
            slope: slope as f32,
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

/// A text's words: row and value, of length 1 together.
type Vector = Vec<(usize, f64)>;

/// The words that are kept, their rarity, and every text as a vector of them.
fn vectors(examples: &[Example]) -> (Vec<Box<str>>, Vec<f32>, Vec<Vector>) {
    let counted: Vec<HashMap<String, f64>> = examples
        .iter()
        .map(|example| {
            let mut counts = HashMap::new();
            words::features(&example.text, |feature, _| {
                *counts.entry(feature.to_owned()).or_insert(0.0) += 1.0;
            });
            counts
        })
        .collect();
    let mut texts: HashMap<&str, usize> = HashMap::new();
    for feature in counted.iter().flat_map(HashMap::keys) {
        *texts.entry(feature).or_default() += 1;
    }
    let mut kept: Vec<(&str, usize)> = texts.into_iter().filter(|(_, count)| *count >= LEAST_TEXTS).collect();
    kept.sort_unstable();
    let all = examples.len() as f64;
    let rarity: Vec<f64> =
        kept.iter().map(|(_, count)| ((1.0 + all) / (1.0 + *count as f64)).ln() + 1.0).collect();
    let row_of: HashMap<&str, usize> = kept.iter().enumerate().map(|(row, (name, _))| (*name, row)).collect();
    let vectors = counted
        .iter()
        .map(|counts| {
            let mut vector: Vector = counts
                .iter()
                .filter_map(|(feature, count)| {
                    let row = *row_of.get(feature.as_str())?;
                    Some((row, (1.0 + count.ln()) * rarity.get(row)?))
                })
                .collect();
            vector.sort_unstable_by_key(|(row, _)| *row);
            let length = vector.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
            if length > 0.0 {
                vector.iter_mut().for_each(|(_, value)| *value /= length);
            }
            vector
        })
        .collect();
    let names = kept.iter().map(|(name, _)| Box::from(*name)).collect();
    (names, rarity.iter().map(|value| *value as f32).collect(), vectors)
}

/// Weights and start value that tell the examples apart.
fn solve(rows: &[&Vector], is: &[bool], width: usize) -> (Vec<f64>, f64) {
    let positive = is.iter().filter(|is| **is).count().max(1) as f64;
    let all = rows.len() as f64;
    // Rare labels weigh as much as common ones.
    let cost = |is: bool| COST * all / (2.0 * if is { positive } else { (all - positive).max(1.0) });
    let (mut weights, mut start) = (vec![0.0; width], 0.0);
    let mut alphas = vec![0.0_f64; rows.len()];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut state = 1_u64;
    for _ in 0..MOST_ROUNDS {
        shuffle(&mut order, &mut state);
        let mut moved = 0.0_f64;
        for index in &order {
            let (Some(row), Some(is), Some(alpha)) =
                (rows.get(*index), is.get(*index), alphas.get_mut(*index))
            else {
                continue;
            };
            let sign = if *is { 1.0 } else { -1.0 };
            let slack = 0.5 / cost(*is);
            let gradient = sign * (dot(&weights, row) + start) - 1.0 + *alpha * slack;
            let squares: f64 = row.iter().map(|(_, value)| value * value).sum();
            let next = (*alpha - gradient / (squares + 1.0 + slack)).max(0.0);
            let step = (next - *alpha) * sign;
            moved = moved.max(step.abs());
            *alpha = next;
            start += step;
            for (column, value) in row.iter() {
                if let Some(weight) = weights.get_mut(*column) {
                    *weight += step * value;
                }
            }
        }
        if moved < STILL {
            break;
        }
    }
    (weights, start)
}

fn dot(weights: &[f64], row: &Vector) -> f64 {
    row.iter().map(|(column, value)| weights.get(*column).copied().unwrap_or_default() * value).sum()
}

/// The same order in every run.
fn shuffle(order: &mut [usize], state: &mut u64) {
    for last in (1..order.len()).rev() {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (*state >> 33) as usize % (last + 1));
    }
}

/// The score of each example by weights that were learned without it.
fn left_out(rows: &[&Vector], is: &[bool], width: usize) -> Vec<f64> {
    let mut counts = [0_usize; 2];
    let parts: Vec<usize> = is
        .iter()
        .map(|is| {
            let count = if *is { &mut counts[0] } else { &mut counts[1] };
            *count += 1;
            *count % PARTS
        })
        .collect();
    let mut scores = vec![0.0; rows.len()];
    for part in 0..PARTS {
        let (mut seen, mut labels) = (Vec::new(), Vec::new());
        for ((row, is), of) in rows.iter().zip(is).zip(&parts) {
            if *of != part {
                seen.push(*row);
                labels.push(*is);
            }
        }
        let (weights, start) = solve(&seen, &labels, width);
        for ((row, score), of) in rows.iter().zip(&mut scores).zip(&parts) {
            if *of == part {
                *score = dot(&weights, row) + start;
            }
        }
    }
    scores
}

/// Slope and shift of the curve that turns these scores into shares of certainty, by Newton's method.
fn platt(scores: &[f64], is: &[bool]) -> (f64, f64) {
    let positive = is.iter().filter(|is| **is).count() as f64;
    let negative = is.len() as f64 - positive;
    let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
    let (mut slope, mut shift) = (1.0_f64, ((positive + 1.0) / (negative + 1.0)).ln());
    for _ in 0..100 {
        let (mut g, mut h) = ([0.0_f64; 2], [1e-9_f64, 0.0, 1e-9]);
        for (score, is) in scores.iter().zip(is) {
            let p = 1.0 / (1.0 + (-(slope * score + shift)).exp());
            let (miss, curve) = (p - if *is { high } else { low }, p * (1.0 - p));
            g[0] += miss * score;
            g[1] += miss;
            h[0] += curve * score * score;
            h[1] += curve * score;
            h[2] += curve;
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        if determinant.abs() < 1e-12 {
            break;
        }
        let step = [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
        // Half steps where a whole one would throw it far off.
        let damp = 1.0 / step.iter().fold(1.0_f64, |most, one| most.max(one.abs() / 2.0));
        slope -= damp * step[0];
        shift -= damp * step[1];
        if step.iter().all(|one| one.abs() < 1e-9) {
            break;
        }
    }
    (slope, shift)
}

fn measure(label: &str, scores: &[f64], is: &[bool], slope: f64, shift: f64) -> Measured {
    let (mut hits, mut false_alarms, mut missed, mut others) = (0_usize, 0_usize, 0_usize, 0_usize);
    for (score, is) in scores.iter().zip(is) {
        match (slope * score + shift >= 0.0, is) {
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
