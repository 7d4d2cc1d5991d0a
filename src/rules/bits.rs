//! Sets of places among the words of a page, a bit each, on which the matcher works.
//!
//! Nearly every page has 256 places and is four machine words; only a sentence that is longer than that needs more.

use super::page::ORDINARY;

/// A set of places.
pub trait Bits: Clone {
    /// None of so many times 64.
    fn none(width: usize) -> Self;
    /// From 64 places a word.
    fn read(words: &[u64]) -> Self;
    /// Adds these, 64 places a word.
    fn write(&self, into: &mut Vec<u64>);
    /// Those in both.
    fn and(&self, other: &Self) -> Self;
    /// Those in either.
    fn or(&self, other: &Self) -> Self;
    /// Those not in the other.
    fn without(&self, other: &Self) -> Self;
    /// The places just before these.
    fn before(&self) -> Self;
    /// Whether there are none.
    fn is_empty(&self) -> bool;
    /// Whether this place is one of them.
    fn has(&self, place: usize) -> bool;
    /// Puts this place in.
    fn put(&mut self, place: usize);
}

/// The places of an ordinary page.
#[derive(Debug, Clone, Copy)]
pub struct Short([u64; ORDINARY]);

impl Bits for Short {
    #[inline]
    fn none(_: usize) -> Self {
        Self([0; ORDINARY])
    }

    #[inline]
    fn read(words: &[u64]) -> Self {
        Self(words.first_chunk().copied().unwrap_or_default())
    }

    #[inline]
    fn write(&self, into: &mut Vec<u64>) {
        into.extend_from_slice(&self.0);
    }

    #[inline]
    fn and(&self, other: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }

    #[inline]
    fn or(&self, other: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    #[inline]
    fn without(&self, other: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & !e, b & !f, c & !g, d & !h])
    }

    #[inline]
    fn before(&self) -> Self {
        let [a, b, c, d] = self.0;
        Self([a >> 1 | b << 63, b >> 1 | c << 63, c >> 1 | d << 63, d >> 1])
    }

    #[inline]
    fn is_empty(&self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }

    #[inline]
    fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 != 0)
    }

    #[inline]
    fn put(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }
}

/// More places than that.
#[derive(Debug, Clone)]
pub struct Long(Box<[u64]>);

impl Long {
    fn with(&self, other: &Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, two)| each(*one, *two)).collect())
    }
}

impl Bits for Long {
    fn none(width: usize) -> Self {
        Self(vec![0; width].into_boxed_slice())
    }

    fn read(words: &[u64]) -> Self {
        Self(words.into())
    }

    fn write(&self, into: &mut Vec<u64>) {
        into.extend_from_slice(&self.0);
    }

    fn and(&self, other: &Self) -> Self {
        self.with(other, |one, two| one & two)
    }

    fn or(&self, other: &Self) -> Self {
        self.with(other, |one, two| one | two)
    }

    fn without(&self, other: &Self) -> Self {
        self.with(other, |one, two| one & !two)
    }

    fn before(&self) -> Self {
        let next = self.0.iter().skip(1).copied().chain(std::iter::once(0));
        Self(self.0.iter().zip(next).map(|(word, next)| word >> 1 | next << 63).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 != 0)
    }

    fn put(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }
}

/// The places of a set, in order.
pub fn places(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(index, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            let place = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (place < 64).then_some(index * 64 + place as usize)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn few_words_and_many_are_alike(one: [u64; ORDINARY], two: [u64; ORDINARY]) {
            let (a, b) = (Long::read(&one), Long::read(&two));
            let (one, two) = (Short::read(&one), Short::read(&two));
            let same = |short: Short, long: Long| {
                let (mut words, mut others) = (Vec::new(), Vec::new());
                long.write(&mut words);
                short.write(&mut others);
                words == others
            };
            proptest::prop_assert!(same(one.and(&two), a.and(&b)));
            proptest::prop_assert!(same(one.or(&two), a.or(&b)));
            proptest::prop_assert!(same(one.without(&two), a.without(&b)));
            proptest::prop_assert!(same(one.before(), a.before()));
            proptest::prop_assert!(places(&one.0).all(|place| one.has(place) && a.has(place)));
            proptest::prop_assert_eq!(places(&one.0).count(), one.0.iter().map(|word| word.count_ones()).sum::<u32>() as usize);
        }
    }

    #[test]
    fn the_place_before_the_65th_is_the_64th() {
        let mut long = Long::none(2);
        long.put(64);
        assert!(long.before().has(63) && !long.before().has(64));
    }
}
