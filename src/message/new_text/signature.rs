//! Where a signature begins.
//!
//! labelling.md: a signature is weak evidence of area and nothing else. The line drawn here: the greeting and the name
//! under it, with whatever stands in the same breath ("Regards / Emeka Achebe / 07700 900118"), are the sender's words;
//! a second block, which repeats the name or gives role and place of work, is the signature.

use std::borrow::Cow;

use super::card::{PLACES_OF_WORK, ROLES, has_postcode, is_office_contact, is_prose, words};
use super::lines::Line;
use super::notices;
use crate::message::text::{head, lowered};

/// A signature begins in the last this many lines, or there is none to be found by its looks.
const LOOKED_AT: usize = 60;

/// The position in `lines` (those of the sender's own) where the signature begins.
pub(super) fn start(lines: &[&Line], sender: &str) -> Option<usize> {
    let by_delimiter = lines.iter().position(|line| matches!(line.text.trim_end(), "--" | "-- " | "—"));
    // Thirty lines under a "--" are a letter, not a signature.
    let by_delimiter = by_delimiter.filter(|at| lines.len() - at <= 30);
    let limit = by_delimiter.unwrap_or(lines.len());
    let own = lines.get(..limit).unwrap_or_default();
    by_looks(own, sender).or(by_delimiter)
}

fn by_looks(lines: &[&Line], sender: &str) -> Option<usize> {
    let from = lines.len().saturating_sub(LOOKED_AT);
    let mut closing: Option<Closing> = None;
    let mut at = from;
    while let Some(line) = lines.get(at) {
        if line.is_blank() {
            at += 1;
            continue;
        }
        let starts_paragraph = at == 0 || lines.get(at - 1).is_some_and(|before| before.is_blank());
        let signed = closing.as_ref().is_some_and(|found| !found.name.is_empty());
        let shouted = !line.text.chars().any(char::is_lowercase);
        let wanted = if signed && !shouted { -1 } else { 1 };
        if set_apart(lines, at) && points(lines, at, sender, closing.as_ref()) >= wanted {
            return Some(at);
        }
        if let Some(found) = &closing {
            let own_block = starts_paragraph && !found.name.is_empty();
            let repeated = !starts_paragraph && found.repeats(&line.text);
            // Without a farewell the message may well go on; then these lines were part of it.
            let over = (found.greeted || !goes_on(lines, at)) && !signed_later(lines, at, sender);
            if (own_block || repeated) && over && points(lines, at, sender, closing.as_ref()) >= 2 {
                return Some(at);
            }
        }
        if closing.as_ref().is_some_and(|found| !found.greeted || found.name.is_empty())
            && is_prose(&line.text)
        {
            // A few words on their own were no name, or thanks no farewell: the message goes on.
            closing = None;
        }
        if let Some(found) = Closing::at(lines, at, sender, closing.as_ref()) {
            if let Some(contact) = found.contacts(lines) {
                return Some(contact);
            }
            closing = Some(found);
        }
        at += 1;
    }
    None
}

/// Where the message is signed: a greeting, a name, or both.
#[derive(Debug, Clone)]
struct Closing {
    /// The line with the greeting or name.
    line: usize,
    /// The name given, lower case; empty while only the greeting was seen.
    name: String,
    /// There was a greeting, so that what comes next can hardly be the message.
    greeted: bool,
}

impl Closing {
    fn at(lines: &[&Line], at: usize, sender: &str, before: Option<&Closing>) -> Option<Closing> {
        let text = lines.get(at)?.text.trim();
        if let Some(rest) = farewell(text) {
            return Some(Closing { line: at, name: rest.to_lowercase(), greeted: true });
        }
        let after_farewell = before.is_some_and(|closing| closing.name.is_empty() && at - closing.line <= 3);
        let own_paragraph = at == 0 || lines.get(at - 1).is_some_and(|line| line.is_blank());
        let own = (after_farewell || own_paragraph)
            && is_name(text)
            && (after_farewell || shares_name(text, sender) || is_last_word(lines, at));
        own.then(|| Closing { line: at, name: text.to_lowercase(), greeted: after_farewell })
    }

    /// Whether `text` says the name again: "Tom / Tom Ridley | SENCO".
    fn repeats(&self, text: &str) -> bool {
        let text = head(text, 200).to_lowercase();
        let titles = ["mr", "mrs", "ms", "miss", "dr", "rev", "cllr", "prof"];
        let first = words(&self.name).find(|word| word.len() > 1 && !titles.contains(word));
        first.is_some_and(|first| words(&text).take(4).any(|word| word == first))
    }

    /// Where, in the closing's own paragraph, a business card begins: two lines or more of telephone, web, mail.
    fn contacts(&self, lines: &[&Line]) -> Option<usize> {
        if self.name.is_empty() {
            return None;
        }
        let card = lines.get(self.line + 1..)?.iter().take_while(|line| !line.is_blank());
        let (mut length, mut contacts) = (0, 0);
        for line in card.take(15) {
            if is_prose(&line.text) && !notices::is_notice(&line.text) {
                return None;
            }
            length += 1;
            contacts += usize::from(is_office_contact(&line.text));
        }
        (contacts >= 2 && length >= 2).then_some(self.line + 1)
    }
}

/// Whether somebody speaks in the lines from `at` on.
fn goes_on(lines: &[&Line], at: usize) -> bool {
    lines.iter().skip(at).any(|line| is_prose(&line.text) && !notices::is_notice(&line.text) && !line.small)
}

/// Whether the sender signs after the paragraph at `at`: then the one who signed before was somebody else, in a letter
/// that the sender copied in.
fn signed_later(lines: &[&Line], at: usize, sender: &str) -> bool {
    let rest = lines.iter().skip(at).skip_while(|line| !line.is_blank());
    rest.clone().zip(rest.skip(1)).any(|(before, line)| {
        let text = line.text.trim();
        before.is_blank()
            && is_name(text)
            && shares_name(text, sender)
            && text.split_whitespace().count() <= 3
            || farewell(text).is_some() && text.split_whitespace().count() <= 4
    })
}

/// A line that looks unlike all before it, down to the end: how Word and webmail set a signature.
fn set_apart(lines: &[&Line], at: usize) -> bool {
    let apart = |line: &&&Line| line.apart || line.small;
    let Some(line) = lines.get(at) else { return false };
    if !line.apart {
        return false;
    }
    let before = lines.get(..at).unwrap_or_default().iter().rev().find(|line| !line.is_blank());
    let rest = lines.get(at..).unwrap_or_default();
    before.is_some_and(|before| !before.apart)
        && rest
            .iter()
            .filter(|line| !line.is_blank())
            .all(|line| apart(&line) || notices::is_notice(&line.text))
        && !is_prose(&line.text)
}

/// How much the lines from `at` on look like a signature.
fn points(lines: &[&Line], at: usize, sender: &str, closing: Option<&Closing>) -> i32 {
    let block: Vec<&str> = lines
        .iter()
        .skip(at)
        .take_while(|line| !line.is_blank())
        .take(4)
        .map(|line| line.text.trim())
        .collect();
    let Some(first) = block.first().copied() else { return 0 };
    let lowered = first.to_lowercase();
    if [
        "to:", "from:", "subject:", "sent:", "date:", "ps", "p.s", "pps", "nb", "n.b", "re:", "child",
        "pupil", "student", "name of", "dob", "d.o.b", "school:",
    ]
    .iter()
    .any(|start| lowered.starts_with(start) && !lowered.starts_with("psych"))
        || is_prose(first)
        || farewell(first).is_some()
    {
        return 0;
    }
    let named = closing.is_some_and(|closing| closing.repeats(first)) || is_full_name(first, sender);
    let role = block.iter().take(2).any(|line| {
        let line = head(line, 300).to_lowercase();
        words(&line).any(|word| ROLES.contains(&word))
    });
    let labelled = first.split_once(':').is_some_and(|(label, _)| label.split_whitespace().count() <= 2);
    if labelled && !named && !is_office_contact(first) {
        // "SENCO: Mrs Jones" is told, not signed.
        return 0;
    }
    // A place and a postcode alone may be the child's: without name or role more is asked for.
    let mut points = if named || role { 2 } else { -1 };
    for line in &block {
        let lowered = head(line, 300).to_lowercase();
        points += i32::from(words(&lowered).any(|word| PLACES_OF_WORK.contains(&word)));
        points += i32::from(line.contains(" | ") || line.contains(" • ") || line.contains(" · "));
        points += i32::from(is_office_contact(line)) + i32::from(has_postcode(line));
        points += i32::from(
            ["pronouns", "working days", "working hours", "work pattern", "i work "]
                .iter()
                .any(|w| lowered.contains(w)),
        );
        if ["child:", "pupil:", "dob", "d.o.b", "year group", "nhs no"].iter().any(|w| lowered.contains(w)) {
            points -= 3;
        }
    }
    points
}

/// If the line is or ends with a greeting, what follows it there: "Kind regards" gives "", "Thanks, Lyn" gives "Lyn".
fn farewell(line: &str) -> Option<&str> {
    let line = line.trim();
    // In running text only the last sentence is looked at: "... All maintain. Thanks, Lyn".
    let tail = match line.rfind(['.', '!', '?']) {
        Some(stop) if stop + 1 < line.len() => line.get(stop + 1..).unwrap_or(line).trim(),
        _ => line,
    };
    for candidate in [line, tail] {
        // "Thanks for coming. He is home." is a beginning, not an end.
        let sentences = candidate.contains(". ") || candidate.contains("! ");
        if sentences || candidate.len() > 80 || candidate.split_whitespace().count() > 9 {
            continue;
        }
        let Some(start) = opening(FAREWELLS, candidate, lowered) else { continue };
        if candidate.ends_with('?') {
            continue;
        }
        // The name after a comma or dash; a farewell goes on without them ("Thanks for all your help").
        let rest = candidate.get(start.len()..).unwrap_or_default();
        let name = rest
            .rsplit_once([',', '-', '\u{2013}'])
            .map_or("", |(_, name)| name)
            .trim_matches([' ', '.', ',', '!']);
        return Some(if is_name(name) { name } else { "" });
    }
    None
}

/// The first of `starts`, all in lower case, that is the beginning of `text` and ends with a word; `lower` is how a text
/// beyond ASCII is put into lower case.
fn opening<'a>(starts: &[&'a str], text: &str, lower: fn(&str) -> String) -> Option<&'a str> {
    let text = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(lower(text)) };
    let initial = text.as_bytes().first().map(u8::to_ascii_lowercase);
    starts.iter().copied().filter(|start| start.as_bytes().first().copied() == initial).find(|start| {
        text.split_at_checked(start.len()).is_some_and(|(front, rest)| {
            front.eq_ignore_ascii_case(start) && !rest.starts_with(|c: char| c.is_alphanumeric())
        })
    })
}

const FAREWELLS: &[&str] = &[
    "kind regards",
    "kindest regards",
    "best regards",
    "warm regards",
    "warmest regards",
    "regards",
    "with regards",
    "with kind regards",
    "with best regards",
    "best wishes",
    "with best wishes",
    "all best wishes",
    "warm wishes",
    "many thanks",
    "thanks",
    "thank you",
    "thankyou",
    "thanking you",
    "with thanks",
    "with many thanks",
    "thx",
    "ta",
    "cheers",
    "best",
    "all the best",
    "yours",
    "yours sincerely",
    "yours faithfully",
    "yours truly",
    "sincerely",
    "faithfully",
    "respectfully",
    "with respect",
    "take care",
    "god bless",
    "in anticipation",
    "kr",
    "bw",
    "rgds",
    "with gratitude",
    "gratefully",
    "much appreciated",
    "with apologies",
    "cordialement",
    "pozdrawiam",
    "mit freundlichen",
    "saludos",
    "un saludo",
    "with every blessing",
    "love",
    "peace",
    "obrigada",
    "obrigado",
    "with hope",
    "in hope",
];

fn greets(line: &str) -> bool {
    opening(GREETINGS, head(line, 60), str::to_lowercase).is_some()
}

const GREETINGS: &[&str] = &[
    "dear",
    "your",
    "hi",
    "hello",
    "good morning",
    "good afternoon",
    "good evening",
    "good day",
    "morning",
    "afternoon",
    "evening",
    "hey",
    "to whom",
    "sir",
    "madam",
    "bonjour",
    "hola",
    "dzień",
    "greetings",
    "fao",
    "alright",
    "ladies",
];

/// A line that can be nothing but a name: a few words, no sentence.
fn is_name(line: &str) -> bool {
    let line = line.trim();
    if line.len() > 60 {
        return false;
    }
    let count = line.split_whitespace().count();
    (1..=6).contains(&count)
        && line.starts_with(|c: char| c.is_alphabetic())
        && !line.ends_with(['?', '!', ':', ';'])
        && !line.contains('@')
        && !greets(line)
        && !line.chars().any(|c| c.is_ascii_digit())
        && (count <= 2
            || line.split_whitespace().filter(|word| word.starts_with(char::is_uppercase)).count() * 2
                >= count)
}

/// Two words at most, alone in the last paragraphs: "Kelly" under a message from `kel88@...`.
fn is_last_word(lines: &[&Line], at: usize) -> bool {
    let Some(line) = lines.get(at) else { return false };
    let text = line.text.trim();
    text.split_whitespace().count() <= 3
        && text.starts_with(char::is_uppercase)
        && !text.ends_with(['.', ','])
        && lines.iter().skip(at).filter(|line| !line.is_blank()).count() <= 14
        && lines.get(at + 1).is_none_or(|next| next.is_blank() || next.text.starts_with(text))
}

fn shares_name(line: &str, sender: &str) -> bool {
    let line = line.to_lowercase();
    let sender = sender.to_lowercase();
    words(&line).take(6).any(|word| word.len() > 2 && words(&sender).any(|other| other == word))
}

/// Two of the sender's names or more, at the beginning of the line.
fn is_full_name(line: &str, sender: &str) -> bool {
    let line = head(line, 200).to_lowercase();
    let sender = sender.to_lowercase();
    let known: Vec<&str> = words(&sender).collect();
    known.len() >= 2 && words(&line).take(4).filter(|word| known.contains(word)).count() >= 2
}
