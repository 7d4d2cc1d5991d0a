//! Whether the words before a date say that it is past: "it was due on 3 March". What is said to be ahead may be past all the
//! same, in the words of a letter that did not keep them ("you will hear by 4 December").
//!
//! Only the words directly before it, and only where they leave no doubt; a date without a clear tense keeps both readings.

use super::Reader;
use super::period::{Period, Readings};
use super::words::is_among;

/// How far back a tense is looked for.
const REACH: usize = 9;
/// Readings closer to today than this may be meant in either tense: "it was due on Friday" may be this Friday.
const NEAR: i64 = 31;

/// What a person has done on a day, and nothing that is still to come.
const DONE: &str = "emailed mailed wrote rang called phoned messaged texted sent asked requested applied submitted posted handed \
                    met moved arrived started began finished ended stopped completed visited attended happened died left went \
                    came heard spoke chased replied";
/// What may stand between such a word and its date.
const BETWEEN: &str = "you them him her us me it back in out over off up here there again first both last the a to on by at from \
                       office team council school home hospital late early round about around";
/// Of these the date may be the subject, not the time: "I rang about the meeting on Friday".
const WAS: &str = "was were been had";
/// A tense of its own, or none that is clear: the search ends.
const UNCLEAR: &str = "is are am be being get gets getting has have to would could should might may can must need needs want \
                       wants move moves moving start starts leave leaves go goes come comes exchange exchanges complete \
                       completes until till unless if told said says";

impl Reader<'_> {
    /// The readings of a mention that begins here, less those that its sentence rules out.
    pub(super) fn in_tense(&self, i: usize, readings: Readings) -> Readings {
        let (Some(past), Some(ahead)) = (readings.past, readings.ahead) else { return readings };
        let (back, on) = (self.days_off(past), self.days_off(ahead));
        if back == 0 || on == 0 {
            return readings;
        }
        let words = &self.words;
        if is_among(words.before(i, 1), "until till from between to") {
            return readings;
        }
        let mut certain = true;
        for distance in 1..=REACH {
            let word = words.before(i, distance);
            let before = words.before(i, distance + 1);
            if is_among(word, DONE) {
                let passive = is_among(before, "be being get getting is are to");
                return if certain && !passive { readings.only_past() } else { readings };
            }
            match word {
                // Often somebody else's words: "you said that it will be issued by 4 December".
                "will" | "shall" | "due" | "scheduled" if before != "was" && before != "were" => {
                    return readings;
                }
                // "It should have come by 3 March".
                "have" if before == "should" && on > NEAR => return readings.only_past(),
                // A date that was to be may lie ahead still, if it is near.
                word if is_among(word, WAS) => {
                    return if on > NEAR { readings.only_past() } else { readings };
                }
                word if word.is_empty() || is_among(word, UNCLEAR) => {
                    // "was meant to be", "was due to be": one step further.
                    let meant = matches!(word, "to" | "be");
                    if !meant {
                        return readings;
                    }
                }
                word if !word.starts_with(char::is_alphanumeric) && word != "-" => return readings,
                _ => {}
            }
            certain &= is_among(word, BETWEEN);
        }
        readings
    }

    fn days_off(&self, period: Period) -> i64 {
        if period.first > self.today {
            (period.first - self.today).num_days()
        } else {
            (self.today - period.last).num_days().max(0)
        }
    }
}
