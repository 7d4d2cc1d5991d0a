//! What the weights say of one message: over all of it, and over the two neighbouring sentences that speak most.
//!
//! It adds up what [`super::Weighing`] found; it looks at no text.

use std::ops::Range;

use super::Learned;

/// A word or pair that was found, and where.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its row in the file.
    pub row: usize,
    /// The text it stands in.
    pub text: usize,
    /// The sentence of the message.
    pub sentence: u32,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

/// What was weighed in one message.
#[derive(Debug, Clone, Default)]
pub struct Opinion {
    sure: Vec<f32>,
    /// For each label the sentence that speaks most of it with the one after it.
    nearest: Vec<Window>,
    places: Vec<Place>,
    /// The length of the whole message as a vector of words.
    length: f32,
}

/// Two neighbouring sentences, the second of which may be missing.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    sentence: u32,
    length: f32,
}

/// The words of a sentence together.
#[derive(Debug)]
struct Sum {
    sentence: u32,
    squares: f32,
    /// By label.
    weights: Vec<f32>,
}

impl Opinion {
    /// The opinion on the places found in one message.
    pub fn of(learned: &Learned, mut places: Vec<Place>) -> Self {
        // In a fixed order, so that the sums are always the same.
        // They come sentence by sentence.
        for sentence in places.chunk_by_mut(|one, other| one.sentence == other.sentence) {
            sentence.sort_by_key(|place| place.row);
        }
        let mut sums: Vec<Sum> = Vec::new();
        for sentence in places.chunk_by(|one, other| one.sentence == other.sentence) {
            let number = sentence.first().map(|place| place.sentence).unwrap_or_default();
            sums.push(sum(learned, number, sentence.iter().map(|place| place.row)));
        }
        let mut rows: Vec<usize> = places.iter().map(|place| place.row).collect();
        rows.sort_unstable();
        let whole = sum(learned, 0, rows.into_iter());
        // Of each label the two sentences that speak most of it, the first of equals.
        let mut best: Vec<(f32, Window)> = Vec::new();
        for (first, second, length) in windows(&sums) {
            let window = Window { sentence: first.sentence, length };
            let none = [];
            let second = second.map_or(&none[..], |second| &second.weights);
            let second = second.iter().copied().chain(std::iter::repeat(0.0));
            let both = first.weights.iter().zip(second).map(|(one, other)| (one + other) / length);
            if best.is_empty() {
                best.extend(both.map(|weight| (weight, window)));
                continue;
            }
            for (best, weight) in best.iter_mut().zip(both) {
                if weight > best.0 {
                    *best = (weight, window);
                }
            }
        }
        best.resize(learned.labels.len(), (0.0, Window::default()));
        let length = whole.squares.sqrt();
        let mut sure = Vec::with_capacity(learned.labels.len());
        for ((label, all), (near, _)) in learned.labels.iter().zip(&whole.weights).zip(&best) {
            let all = over(*all, length);
            let height = label.slope * (all + label.start) + label.near * (near + label.start) + label.shift;
            sure.push(logistic(height));
        }
        let nearest = best.into_iter().map(|(_, window)| window).collect();
        Self { sure, nearest, places, length }
    }

    /// How sure it is of this rule, from 0 to 1.
    pub fn sure(&self, label: usize) -> f32 {
        self.sure.get(label).copied().unwrap_or_default()
    }
}

impl Learned {
    /// The words that spoke most for this rule, the weightiest first; each with the text it stands in and its bytes.
    pub fn reasons(&self, opinion: &Opinion, label: usize, most: usize) -> Vec<(usize, Range<usize>)> {
        let Some(known) = self.labels.get(label) else { return Vec::new() };
        let window = opinion.nearest.get(label).copied().unwrap_or_default();
        let (far, near) = (over(known.slope, opinion.length), over(known.near, window.length));
        let mut all: Vec<(f32, &Place)> = Vec::new();
        for place in &opinion.places {
            let (Some(weight), Some(rarity)) = (self.row(place.row).get(label), self.rarity.get(place.row))
            else {
                continue;
            };
            let weight = weight * rarity;
            // A word in the two sentences that speak most of it counts there and in the whole.
            let inside = (window.sentence..=window.sentence + 1).contains(&place.sentence);
            let weight = weight * (far + if inside { near } else { 0.0 });
            if weight > 0.0 {
                all.push((weight, place));
            }
        }
        let mut kept: Vec<(usize, Range<usize>)> = Vec::new();
        // Few are wanted of many: each time the weightiest that is left, and of equals the first.
        while kept.len() < most
            && let Some((_, best)) =
                all.iter().copied().reduce(|best, next| if next.0 > best.0 { next } else { best })
        {
            kept.push((best.text, best.range.clone()));
            // Each word once, at its best place, and each place once.
            all.retain(|(_, place)| {
                let covered = place.text == best.text
                    && place.range.start < best.range.end
                    && best.range.start < place.range.end;
                !covered && place.row != best.row
            });
        }
        kept
    }
}

/// Every two neighbouring sentences, and a sentence alone that has no neighbour; with their length as a vector of words.
fn windows(sums: &[Sum]) -> impl Iterator<Item = (&Sum, Option<&Sum>, f32)> {
    sums.iter().enumerate().filter_map(|(index, first)| {
        let is_next = |one: &Sum, other: &Sum| one.sentence + 1 == other.sentence;
        let second = sums.get(index + 1).filter(|second| is_next(first, second));
        let before = index.checked_sub(1).and_then(|before| sums.get(before));
        if second.is_none() && before.is_some_and(|before| is_next(before, first)) {
            return None;
        }
        let squares = first.squares + second.map(|second| second.squares).unwrap_or_default();
        (squares > 0.0).then(|| (first, second, squares.sqrt()))
    })
}

/// Adds up rows that lie in order: a word that is told often counts more, but not as often.
fn sum(learned: &Learned, sentence: u32, rows: impl Iterator<Item = usize>) -> Sum {
    let mut sum = Sum { sentence, squares: 0.0, weights: vec![0.0; learned.labels.len()] };
    let mut rows = rows.peekable();
    while let Some(row) = rows.next() {
        let mut times = 1.0_f32;
        while rows.next_if_eq(&row).is_some() {
            times += 1.0;
        }
        // Most are told once, and the logarithm of one is nothing.
        let often = if times > 1.0 { 1.0 + times.ln() } else { 1.0 };
        let value = often * learned.rarity.get(row).copied().unwrap_or_default();
        sum.squares += value * value;
        for (sum, weight) in sum.weights.iter_mut().zip(learned.row(row)) {
            *sum += value * weight;
        }
    }
    sum
}

fn over(sum: f32, length: f32) -> f32 {
    if length > 0.0 { sum / length } else { 0.0 }
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use crate::rules::learned::Learned;

    /// What is known of two words that speak for U4 and of two that say nothing.
    fn learned(near: u8) -> Learned {
        let text = format!(
            "word,rarity,U4\n(start),,-1\n(slope),,2\n(slope of two sentences),,{near}\n(shift),,0\n\
             garden,2,0\nnoon,2,1\nsent,2,1\nsunny,2,0\n"
        );
        Learned::parse(&text).unwrap()
    }

    #[test]
    fn a_matter_told_in_two_sentences_is_not_lost_in_a_long_letter() {
        let long =
            ["It was sunny. Our garden is nice. He is sent home. It happens at noon. The garden is sunny."];
        let (whole, near) = (learned(0).weigh(&long).sure(0), learned(4).weigh(&long).sure(0));
        assert!(near > whole + 0.1, "{whole} {near}");
    }

    #[test]
    fn the_last_sentence_of_one_text_is_no_neighbour_of_the_next_text() {
        let learned = learned(4);
        let together = learned.weigh(&["He is sent home. It happens at noon."]).sure(0);
        let apart = learned.weigh(&["He is sent home.", "It happens at noon."]).sure(0);
        assert!(together > apart, "{together} {apart}");
    }
}
