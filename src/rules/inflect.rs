//! The ordinary forms of an English word: `exclude` is also excludes, excluded, excluding.
//!
//! It knows no parts of speech and so gives every form that the word could have as a verb or noun; forms that do not
//! exist are never met. Auxiliaries and other small words have no forms here: `is` must not find "was", which would lose
//! the tense that "holds now" (labelling.md, urgency) depends on.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Base, then its irregular forms; the regular ones are added as well.
const IRREGULAR: &str = "\
    arise arose arisen, become became, begin began begun, break broke broken, bring brought, build \
    built, buy bought, catch caught, choose chose chosen, come came, deal dealt, draw drew drawn, drive \
    drove driven, eat ate eaten, fall fell fallen, feel felt, fight fought, find found, fly flew flown, \
    forget forgot forgotten, get got gotten, give gave given, go goes went gone, grow grew grown, hear \
    heard, hold held, keep kept, know knew known, lay laid, lead led, learn learnt, leave left, lend \
    lent, lie lay lain lying, lose lost, make made, mean meant, meet met, mistake mistook mistaken, \
    overcome overcame, pay paid, ride rode ridden, ring rang rung, rise rose risen, run ran, say said, \
    see saw seen, seek sought, sell sold, send sent, shake shook shaken, show shown, sit sat, sleep \
    slept, speak spoke spoken, spend spent, stand stood, steal stole stolen, stick stuck, swear swore \
    sworn, take took taken, teach taught, tear tore torn, tell told, think thought, throw threw thrown, \
    understand understood, undergo undergoes underwent undergone, wake woke woken, wear wore worn, win \
    won, withdraw withdrew withdrawn, withhold withheld, write wrote written, misunderstand \
    misunderstood, child children, person people, man men, woman women, foot feet, half halves, life \
    lives, wife wives, self selves, crisis crises, diagnosis diagnoses, analysis analyses, basis bases, \
    spell spelt, burn burnt, dream dreamt, bite bit bitten, beat beaten, hide hid hidden, blow blew \
    blown, sink sank sunk, refer referred referring, occur occurred occurring, defer deferred deferring, \
    transfer transferred transferring, admit admitted admitting, permit permitted permitting, commit \
    committed committing, submit submitted submitting, enrol enrolled enrolling enroll enrolls, cancel \
    cancelled cancelling canceled canceling, fulfil fulfilled fulfilling fulfill, label labelled \
    labelling, travel travelled travelling traveled traveling, bully bullies bullied bullying, timetable \
    timetabled timetabling, worry worries worried, die dying, tie tying";

/// Words without forms: auxiliaries, pronouns, prepositions and the like.
const SMALL: &str = "\
    a about above after again against ago all also although always am an and any anyone anything \
    anywhere are as at away back be because been before being below between both but by can could \
    despite did do does doing done down due during each either elsewhere else even ever every everyone \
    few for from had has have having he hence her here hers herself him himself his how however i if in \
    into is it its itself just least less like many may me might mine more most much must my myself \
    neither never next no nobody none nor not nothing now nowhere of off often on once only or other our \
    ours out over own per rather same shall she should since so some someone something somewhere soon \
    still such than that the their theirs them then there these they this those though through to too \
    under unless until up upon us very was we were what when where whether which while who whom whose \
    why will with within without would yet you your yours";

/// British and other spellings of the same word.
const SPELLINGS: &str = "\
    behaviour behavior, programme program, centre center, practise practice, judgement judgment, \
    counsellor counselor, counselling counseling, paediatric pediatric, paediatrician pediatrician, \
    neighbour neighbor, favour favor, honour honor, colour color, enquiry inquiry, enquire inquire, \
    acknowledgement acknowledgment, ageing aging, anaemia anemia, licence license, defence defense, \
    fulfilment fulfillment, enrolment enrollment, tonne ton, ok okay, mum mom, alright allright, receive \
    recieve, definite definate, separate seperate";

/// Whether a word has no forms but its own, and is too common to search by.
pub fn is_small(word: &str) -> bool {
    static ALL: LazyLock<HashSet<&str>> = LazyLock::new(|| SMALL.split(' ').collect());
    ALL.contains(word)
}

/// All forms of a normalised word, itself first, without repetition.
pub fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    if word.chars().count() < 2 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) || is_small(word) {
        return forms;
    }
    for base in spellings(word) {
        inflect(&base, &mut forms);
    }
    let mut all: Vec<String> = Vec::with_capacity(forms.len() * 2);
    for form in forms {
        if let Some(other) = ize(&form) {
            all.push(other);
        }
        all.push(form);
    }
    let own = all.iter().position(|form| form == word).unwrap_or(0);
    all.swap(0, own);
    let mut seen = std::collections::HashSet::new();
    all.retain(|form| seen.insert(form.clone()));
    all
}

fn spellings(word: &str) -> Vec<String> {
    let mut all = vec![word.to_owned()];
    for (one, other) in SPELLINGS.split(", ").filter_map(|pair| pair.split_once(' ')) {
        if one == word {
            all.push(other.to_owned());
        } else if other == word {
            all.push(one.to_owned());
        }
    }
    all
}

/// organise, organised, organising, organisation with z; and the other way round.
fn ize(form: &str) -> Option<String> {
    const PAIRS: &[(&str, &str)] = &[
        ("isations", "izations"),
        ("isation", "ization"),
        ("ising", "izing"),
        ("ised", "ized"),
        ("ises", "izes"),
        ("ise", "ize"),
        ("yse", "yze"),
        ("ysed", "yzed"),
        ("ysing", "yzing"),
    ];
    if form.len() < 7 {
        return None;
    }
    PAIRS.iter().find_map(|(s, z)| {
        let swap = |from: &str, to: &str| form.strip_suffix(from).map(|stem| format!("{stem}{to}"));
        swap(s, z).or_else(|| swap(z, s))
    })
}

fn inflect(base: &str, forms: &mut Vec<String>) {
    forms.push(base.to_owned());
    static BASES: LazyLock<HashMap<&str, &str>> =
        LazyLock::new(|| IRREGULAR.split(", ").filter_map(|line| line.split_once(' ')).collect());
    if let Some(others) = BASES.get(base) {
        forms.extend(others.split(' ').map(str::to_owned));
    }
    // A word that is already a form of another has no further ones worth the noise.
    let inflected = (base.ends_with("ing") && base.len() > 5)
        || (base.ends_with("ed") && base.len() > 4 && !base.ends_with("eed"));
    if inflected {
        forms.push(format!("{base}s"));
        return;
    }
    let mut letters = base.chars().rev();
    let (last, before, third) =
        (letters.next().unwrap_or(' '), letters.next().unwrap_or(' '), letters.next().unwrap_or(' '));
    let stem = base.get(..base.len() - 1).unwrap_or(base);
    let sibilant = matches!(last, 's' | 'x' | 'z') || base.ends_with("ch") || base.ends_with("sh");
    if last == 'y' && !is_vowel(before) {
        forms.extend([format!("{stem}ies"), format!("{stem}ied"), format!("{base}ing")]);
        return;
    }
    forms.push(if sibilant { format!("{base}es") } else { format!("{base}s") });
    if last == 'e' {
        forms.extend([format!("{base}d"), format!("{stem}ing")]);
        if before == 'e' {
            forms.push(format!("{base}ing"));
        }
        return;
    }
    if last == 's' && before != 's' {
        // Already a plural, most likely.
        return;
    }
    forms.extend([format!("{base}ed"), format!("{base}ing")]);
    if !is_vowel(last) && !matches!(last, 'w' | 'x' | 'y') && is_vowel(before) && !is_vowel(third) {
        forms.extend([format!("{base}{last}ed"), format!("{base}{last}ing")]);
    }
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, has: &[&str], has_not: &[&str]) {
        let forms = forms(word);
        assert_eq!(forms.first().map(String::as_str), Some(word));
        for form in has {
            assert!(forms.iter().any(|f| f == form), "{word} lacks {form}: {forms:?}");
        }
        for form in has_not {
            assert!(!forms.iter().any(|f| f == form), "{word} must not find {form}");
        }
    }

    #[test]
    fn verbs_and_nouns() {
        check("exclude", &["excludes", "excluded", "excluding"], &["exclus"]);
        check("stop", &["stopped", "stopping", "stops"], &[]);
        check("carry", &["carries", "carried", "carrying"], &["carryed"]);
        check("leave", &["left", "leaving", "leaves"], &[]);
        check("write", &["wrote", "written", "writing"], &[]);
        check("child", &["children"], &[]);
        check("agree", &["agreed", "agreeing"], &[]);
        check("refer", &["referred"], &[]);
        check("organise", &["organize", "organized", "organising"], &[]);
        check("behaviour", &["behavior", "behaviours"], &[]);
    }

    #[test]
    fn small_words_keep_their_tense() {
        check("is", &[], &["was", "are", "ised"]);
        check("has", &[], &["had", "have"]);
        check("no", &[], &["nos"]);
    }
}
