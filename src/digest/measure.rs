//! Percentiles of whole numbers that come counted: a value, and how often. No averages: one case that lay for a year says nothing
//! about the others.

use std::collections::BTreeMap;

/// How often each value occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<u64, u64>);

impl Tally {
    /// Adds a value that occurs so often.
    pub fn add(&mut self, value: u64, times: u64) {
        if times > 0 {
            *self.0.entry(value).or_default() += times;
        }
    }

    /// How many values there are.
    pub fn len(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The percentile by nearest rank: the smallest value such that at least this many of a hundred are no greater.
    pub fn percentile(&self, of_a_hundred: u64) -> Option<u64> {
        let rank = (self.len() * of_a_hundred).div_ceil(100).max(1);
        let mut below = 0;
        self.0.iter().find_map(|(value, times)| {
            below += times;
            (below >= rank).then_some(*value)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Tally {
        let mut tally = Tally::default();
        values.iter().for_each(|value| tally.add(*value, 1));
        tally
    }

    #[test]
    fn half_were_answered_within_the_median() {
        assert_eq!(of(&[]).percentile(50), None);
        assert_eq!(of(&[7]).percentile(50), Some(7));
        assert_eq!(of(&[1, 2]).percentile(50), Some(1));
        assert_eq!(of(&[3, 1, 2]).percentile(50), Some(2));
        assert_eq!(of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).percentile(90), Some(9));
        assert_eq!(of(&[0, 0, 0, 400]).percentile(95), Some(400));
    }

    proptest! {
        #[test]
        fn a_percentile_is_what_sorting_gives(mut values in prop::collection::vec(0..40_u64, 1..60), p in 1..=100_u64) {
            let found = of(&values).percentile(p).unwrap();
            values.sort_unstable();
            let rank = (p as f64 / 100.0 * values.len() as f64 - 1e-9).ceil().max(1.0) as usize;
            prop_assert_eq!(found, values[rank - 1]);
        }
    }
}
