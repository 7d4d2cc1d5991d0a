//! The arithmetic of learning: weights that tell examples apart, and the curve that turns scores into shares of certainty.
//!
//! It knows no words and no labels. The weights are found by dual coordinate descent for the squared hinge loss (Hsieh
//! and others, ICML 2008); the curve is Platt's logistic one (1999), with his smoothed targets, of two scores.

/// How much a mistake on an example weighs against keeping the weights small.
const COST: f64 = 1.0;
/// Rounds over all examples, at most.
const MOST_ROUNDS: usize = 300;
/// No round moved any example by more: done.
const STILL: f64 = 0.001;

/// Row and value.
pub type Vector = Vec<(usize, f64)>;

/// Weights and start value that tell the examples apart, each of which has its own cost.
pub fn solve(rows: &[&Vector], is: &[bool], costs: &[f64], width: usize) -> (Vec<f64>, f64) {
    let (mut weights, mut start) = (vec![0.0; width], 0.0);
    let mut alphas = vec![0.0_f64; rows.len()];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut state = 1_u64;
    for _ in 0..MOST_ROUNDS {
        shuffle(&mut order, &mut state);
        let mut moved = 0.0_f64;
        for index in &order {
            let (Some(row), Some(is), Some(cost), Some(alpha)) =
                (rows.get(*index), is.get(*index), costs.get(*index), alphas.get_mut(*index))
            else {
                continue;
            };
            let sign = if *is { 1.0 } else { -1.0 };
            let slack = 0.5 / (COST * cost);
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

/// The score of an example, without the start value.
pub fn dot(weights: &[f64], row: &Vector) -> f64 {
    row.iter().map(|(column, value)| weights.get(*column).copied().unwrap_or_default() * value).sum()
}

/// The same order in every run.
fn shuffle(order: &mut [usize], state: &mut u64) {
    for last in (1..order.len()).rev() {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (*state >> 33) as usize % (last + 1));
    }
}

/// How much each of two scores counts, and the shift, of the curve that turns them into shares of certainty; by Newton's
/// method.
pub fn curve(scores: &[[f64; 2]], is: &[bool]) -> [f64; 3] {
    let positive = is.iter().filter(|is| **is).count() as f64;
    let negative = is.len() as f64 - positive;
    let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
    let mut found = [0.5_f64, 0.5, ((positive + 1.0) / (negative + 1.0)).ln()];
    for _ in 0..200 {
        let mut gradient = [0.0_f64; 3];
        let mut curvature = [[1e-9_f64, 0.0, 0.0], [0.0, 1e-9, 0.0], [0.0, 0.0, 1e-9]];
        for ([whole, near], is) in scores.iter().zip(is) {
            let point = [*whole, *near, 1.0];
            let height: f64 = point.iter().zip(&found).map(|(one, other)| one * other).sum();
            let p = 1.0 / (1.0 + (-height).exp());
            let (miss, curve) = (p - if *is { high } else { low }, p * (1.0 - p));
            for ((total, row), one) in gradient.iter_mut().zip(&mut curvature).zip(point) {
                *total += miss * one;
                row.iter_mut().zip(point).for_each(|(cell, other)| *cell += curve * one * other);
            }
        }
        let Some(step) = solved(curvature, gradient) else { break };
        // Half steps where a whole one would throw it far off.
        let damp = 1.0 / step.iter().fold(1.0_f64, |most, one| most.max(one.abs() / 2.0));
        found.iter_mut().zip(step).for_each(|(value, step)| *value -= damp * step);
        if step.iter().all(|one| one.abs() < 1e-9) {
            break;
        }
    }
    found
}

/// Three equations by Cramer's rule; `None` where they have no one solution.
fn solved(matrix: [[f64; 3]; 3], right: [f64; 3]) -> Option<[f64; 3]> {
    let determinant = |[[a, b, c], [d, e, f], [g, h, i]]: [[f64; 3]; 3]| {
        a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    };
    let all = determinant(matrix);
    let with = |column: usize| {
        let mut changed = matrix;
        for (row, right) in changed.iter_mut().zip(right) {
            if let Some(cell) = row.get_mut(column) {
                *cell = right;
            }
        }
        determinant(changed) / all
    };
    (all.abs() > 1e-12).then(|| [with(0), with(1), with(2)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let [x, y, z] =
            solved([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 4.0]], [4.0, 9.0, 13.0]).unwrap();
        assert!((x - 1.0).abs() < 1e-9 && (y - 2.0).abs() < 1e-9 && (z - 3.0).abs() < 1e-9, "{x} {y} {z}");
        assert!(solved([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [1.0, 2.0, 3.0]).is_none());
    }

    #[test]
    fn the_score_that_tells_is_the_one_that_counts() {
        let (mut scores, mut is) = (Vec::new(), Vec::new());
        for index in 0..40 {
            let holds = index % 2 == 0;
            // The first says nothing; the second nearly always tells.
            let tells = if holds != (index % 10 == 0) { 1.0 } else { -1.0 };
            scores.push([f64::from(index % 3) - 1.0, tells]);
            is.push(holds);
        }
        let [whole, near, _] = curve(&scores, &is);
        assert!(near > 1.0 && whole.abs() < near / 2.0, "{whole} {near}");
    }
}
