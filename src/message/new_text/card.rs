//! What a line of a business card looks like, as against a sentence.

use std::borrow::Cow;

use crate::message::text::{head, unadorned};

/// Words that name what somebody does.
pub(super) const ROLES: &[&str] = &[
    "senco",
    "sendco",
    "headteacher",
    "head",
    "deputy",
    "assistant",
    "teacher",
    "principal",
    "officer",
    "coordinator",
    "co-ordinator",
    "manager",
    "director",
    "consultant",
    "paediatrician",
    "psychologist",
    "therapist",
    "nurse",
    "doctor",
    "gp",
    "registrar",
    "secretary",
    "administrator",
    "admin",
    "receptionist",
    "bursar",
    "lead",
    "leader",
    "advisor",
    "adviser",
    "advocate",
    "solicitor",
    "partner",
    "barrister",
    "paralegal",
    "caseworker",
    "worker",
    "practitioner",
    "specialist",
    "councillor",
    "cllr",
    "mp",
    "governor",
    "chair",
    "trustee",
    "ceo",
    "executive",
    "clerk",
    "tutor",
    "lecturer",
    "keyworker",
    "inclusion",
    "safeguarding",
    "dsl",
    "matron",
    "clinical",
    "mrcslt",
    "hcpc",
    "npqh",
    "ba",
    "bsc",
    "ma",
    "pgce",
    "qts",
    "msc",
    "phd",
    "med",
    "physiotherapist",
    "occupational",
    "sendias",
    "portage",
    "supervisor",
    "proprietor",
];

/// Words that name where somebody works.
pub(super) const PLACES_OF_WORK: &[&str] = &[
    "school",
    "academy",
    "college",
    "university",
    "primary",
    "secondary",
    "infants",
    "infant",
    "junior",
    "juniors",
    "nursery",
    "preschool",
    "pre-school",
    "trust",
    "nhs",
    "council",
    "team",
    "office",
    "service",
    "services",
    "department",
    "dept",
    "clinic",
    "hospital",
    "surgery",
    "solicitors",
    "llp",
    "ltd",
    "limited",
    "law",
    "legal",
    "federation",
    "centre",
    "charity",
    "foundation",
    "practice",
    "unit",
    "division",
    "directorate",
    "chambers",
    "society",
    "association",
];

/// The words of a text, hyphens and apostrophes kept.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\'')).filter(|word| !word.is_empty())
}

/// Words that people speak with.
const SPOKEN: &[&str] = &[
    "i", "i'm", "i've", "i'd", "i'll", "we", "we're", "we've", "you", "your", "please", "my", "he", "she",
    "his", "her", "they", "has", "have", "was", "is", "are", "can", "could", "will", "would",
];

/// How many different words of [`SPOKEN`] a line has.
fn spoken(line: &str) -> u32 {
    let plain = unadorned(line);
    let plain = head(&plain, 600);
    let lowered = if plain.is_ascii() { Cow::Borrowed(plain) } else { Cow::Owned(plain.to_lowercase()) };
    let found = lowered.split(' ').filter(|word| word.len() <= 6).filter_map(|word| {
        SPOKEN.iter().position(|spoken| spoken.len() == word.len() && spoken.eq_ignore_ascii_case(word))
    });
    found.fold(0u32, |seen, at| seen | 1 << at).count_ones()
}

/// A sentence, as against a line of a business card.
pub(super) fn is_prose(line: &str) -> bool {
    let line = line.trim();
    if line.contains('|') || line.contains("(I work") || line.starts_with(['"', '\u{201C}']) {
        return false;
    }
    if line.ends_with('?') {
        return true;
    }
    let count = line.split_whitespace().take(6).count();
    // With fewer words it is not asked what they are.
    count >= 4 && {
        let wanted = if count >= 6 || line.ends_with(['.', '!']) { 1 } else { 2 };
        spoken(line) >= wanted
    }
}

/// Telephone with a label, web or mail address: what an office prints. A bare mobile number is what parents write.
pub(super) fn is_office_contact(line: &str) -> bool {
    let lowered = head(line, 300).to_lowercase();
    let labelled = [
        "tel",
        "t:",
        "t ",
        "m:",
        "m ",
        "e:",
        "w:",
        "phone",
        "direct",
        "switchboard",
        "fax",
        "mob",
        "ext",
        "dd:",
        "office:",
        "email:",
        "web",
    ]
    .iter()
    .any(|label| lowered.starts_with(label));
    let digits = lowered.bytes().filter(u8::is_ascii_digit).count();
    labelled && digits >= 6
        || lowered.contains("www.")
        || lowered.contains("http")
        || lowered.contains('@') && !lowered.contains(' ')
        || lowered.starts_with("email") && lowered.contains('@')
        || lowered.contains('|') && digits >= 9
}

/// A British postcode or the first half of one, at the end of a line: "... Stevenage SG2".
pub(super) fn has_postcode(line: &str) -> bool {
    let upper = |word: &str| word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    line.split(|c: char| !c.is_ascii_alphanumeric()).rev().take(3).any(|word| {
        (2..=4).contains(&word.len())
            && upper(word)
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().any(|b| b.is_ascii_digit())
            && word.len() - word.bytes().filter(u8::is_ascii_digit).count() <= 3
    })
}
