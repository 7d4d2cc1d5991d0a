//! Which words a mention can begin with, which lead on to its heart, and which are the heart: the words that no mention is
//! without.
//!
//! It spares the patterns nearly all words of a text, "the school" and "in a while" among them; it says where one of them
//! may fit, never that it does.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::words::{is_tomorrow, month, number_word, ordinal_word, short_weekday, weekday};

/// What a word may be to a mention, as bits.
pub type Part = u8;
/// It may begin one.
pub const BEGINS: Part = 1;
/// It may stand before the heart.
pub const LEADS: Part = 2;
/// No mention is without one of these.
pub const HEART: Part = 4;

/// The words that may begin one, besides those that name a day, a month or a number.
const BEGIN: &str = "\
    the a an this these next last coming past previous my our in within over during for across throughout at w wk wc week \
    every each alternate following same black one any another couple few several number good half just only well now about \
    around approximately approx roughly circa almost nearly more longer less fewer under end beginning start middle early \
    mid late earlier later very first second third fourth final other day christmas xmas easter boxing new bank whitsun \
    halfterm school spring summer autumn winter tonight today yesterday yday yest";
/// The words and marks that may stand before the heart, besides those and numbers.
const LEAD: &str = "\
    working business calendar whole full long academic current present of on or than least so to and & . - , ( / : ' \" ~";
/// The hearts, besides days, months and numbers.
const HEARTS: &str = "\
    day days week weeks wk wks fortnight fortnights month months mth mths year years yr yrs term terms weekend wkend w wc \
    halfterm holiday holidays hols break vacation vacations christmas xmas easter boxing whitsun spring summer autumn winter \
    tonight today yesterday yday yest morning afternoon evening night mondays tuesdays teusdays tuedays wednesdays wensdays \
    wednesays wendesdays wedensdays thursdays thrusdays thurdays fridays firdays saturdays saterdays sundays";
/// Days, months and numbers, as they are written and misspelt.
const NAMES: &str = "\
    tomorrow tomorow tommorow tommorrow tomorro tmrw tmw tomo tomoz monday tuesday teusday tueday wednesday wensday wednesay \
    wendesday wedensday thursday thrusday thurday friday firday saturday saterday sunday mon tue tues wed weds thu thur thurs \
    fri sat sun january jan janurary januray janaury janury jannuary february febuary feburary feburay februrary febrary feb \
    march mar april apr apirl aprill may june jun july jul august aug augst agust auguest september septmber setember \
    septemeber septembr spetember septermber sept sep october ocotber ocotober octobre octber otober oct november novemeber \
    novmber novembr novemer novemebr novermber nov december decemeber decmber desember decembr decemebr decemer decembre dec \
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen \
    nineteen twenty thirty forty fourty fifty sixty seventy eighty ninety first second third fourth fifth sixth seventh eighth \
    ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth";

/// All of these words.
struct Parts {
    words: HashMap<&'static str, Part, BuildHasherDefault<Quick>>,
    /// By first letter a bit for each length that such a word has: of most words it tells that they are none.
    lengths: [u16; 32],
}

static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let mut parts: HashMap<&'static str, Part, BuildHasherDefault<Quick>> = HashMap::default();
    let mut add = |words: &'static str, part: Part| {
        words.split_ascii_whitespace().for_each(|word| *parts.entry(word).or_default() |= part);
    };
    add(BEGIN, BEGINS | LEADS);
    add(LEAD, LEADS);
    add(HEARTS, HEART);
    for name in NAMES.split_ascii_whitespace() {
        let counts = number_word(name).is_some();
        let names = month(name).is_some()
            || weekday(name).is_some()
            || short_weekday(name).is_some()
            || is_tomorrow(name)
            || ordinal_word(name).is_some();
        add(name, BEGINS | (LEADS * u8::from(counts)) | (HEART * u8::from(names)));
    }
    let mut lengths = [0; 32];
    for word in parts.keys() {
        let first = word.as_bytes().first().map_or(0, |first| usize::from(first & 31));
        lengths.get_mut(first).into_iter().for_each(|all| *all |= 1 << word.len());
    }
    Parts { words: parts, lengths }
});

/// What a word, in lower case, may be.
pub fn part(word: &str) -> Part {
    match word.as_bytes() {
        [first, ..] if first.is_ascii_digit() => BEGINS | LEADS | HEART,
        // The longest of them has ten letters.
        [first, ..] if word.len() <= 11 => {
            let parts = &*PARTS;
            let like =
                parts.lengths.get(usize::from(first & 31)).is_some_and(|all| all >> word.len() & 1 != 0);
            match if like { parts.words.get(word) } else { None } {
                Some(part) => *part,
                // "half terms'" and other forms of it.
                None if word.starts_with("term") => HEART,
                None => 0,
            }
        }
        _ => 0,
    }
}

/// A hash for words that nobody outside chooses.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_to_the_patterns() {
        for name in NAMES.split_ascii_whitespace() {
            assert!(part(name) & (HEART | LEADS) != 0, "{name}");
        }
        for name in
            ["monday", "octber", "twenty", "twentieth", "7", "today", "halfterm", "terminal", "fridays"]
        {
            assert!(part(name) & (HEART | LEADS) != 0, "{name}");
        }
        assert_eq!(part("school") & HEART, 0);
        assert_eq!(part("says") | part("wondering") | part(""), 0);
    }
}
