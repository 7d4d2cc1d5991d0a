//! Whether it chases an earlier contact, and whether that contact's working days have run out.
//!
//! Policy, email d; labelling.md, chaser: counted from the first contact that was not answered, to the day of receipt.

use chrono::NaiveDate;

use super::{Chaser, Finding, Outcome};
use crate::calendar::WorkingCalendar;
use crate::calendar::mention::Mention;
use crate::message::Message;
use crate::rules::{Capture, Group, Reading, Zone};

const POLICY: &str = "communication-policy, email d";

/// What the dates are measured against.
#[derive(Debug, Clone, Copy)]
pub struct Measure<'a> {
    /// The day of receipt in London.
    pub received_on: NaiveDate,
    /// Working days.
    pub calendar: &'a WorkingCalendar,
    /// How many of them the team has.
    pub working_days: u32,
}

/// Whether it chases, and since when.
pub fn chaser(
    message: &Message,
    reading: &Reading<'_>,
    measure: Measure<'_>,
    trace: &mut Vec<Finding>,
) -> Chaser {
    let mut sentences: Vec<(Zone, usize)> = Vec::new();
    // Where the steps of the ladder are told with their dates, each of these is a contact.
    let mut steps: Vec<(Zone, usize)> = Vec::new();
    // And a date that a rule's own phrase asked for, beside other words: "you promised on {date past}".
    let mut asked_for: Vec<(Zone, std::ops::Range<usize>)> = Vec::new();
    let mut stated = None;
    for verdict in reading.group(Group::Chasers).filter(|verdict| verdict.holds) {
        trace.push(Finding::holds(verdict, verdict.rule.title.clone()));
        let found = verdict.evidence.iter().map(|evidence| (evidence.zone, evidence.sentence));
        if verdict.rule.id.starts_with("chaser-steps") {
            steps.extend(found.clone());
        }
        sentences.extend(found);
        for evidence in &verdict.evidence {
            asked_for.extend(evidence.captures.iter().filter_map(|capture| match capture {
                Capture::Date(mention) if mention.range.len() < evidence.range.len() => {
                    Some((evidence.zone, mention.range.clone()))
                }
                _ => None,
            }));
        }
        stated = stated.or(match verdict.rule.id.as_str() {
            id if id.starts_with("chaser-overdue") => Some(Chaser::Overdue),
            id if id.starts_with("chaser-within") => Some(Chaser::Within),
            _ => None,
        });
    }
    if sentences.is_empty() {
        return Chaser::None;
    }
    // What the sender says of the time outright counts before any sum over dates, which may be of something else.
    if let Some(stated) = stated {
        return stated;
    }
    let contacts = reading
        .dates
        .iter()
        .filter(|(zone, sentence, _)| near(&sentences, *zone, *sentence))
        .filter(|(zone, sentence, mention)| {
            steps.contains(&(*zone, *sentence))
                || asked_for.contains(&(*zone, mention.range.clone()))
                || is_of_a_contact(message, *zone, mention)
        })
        .filter_map(|(_, _, mention)| mention.past.map(|(first, _)| (first, mention)))
        .filter(|(first, _)| *first <= measure.received_on);
    let Some((earliest, _)) = contacts.min_by_key(|(first, _)| *first) else {
        return Chaser::Unclear;
    };
    let gone = measure.calendar.working_days_between(earliest, measure.received_on);
    let (chaser, word) = if gone > measure.working_days {
        (Chaser::Overdue, "run out")
    } else {
        (Chaser::Within, "not run out")
    };
    let reason = format!(
        "first contact on {}, {gone} working days ago: its {} working days have {word}",
        earliest.format("%-d %B %Y"),
        measure.working_days
    );
    trace.push(Finding::plain("chaser", POLICY, Outcome::Holds, reason));
    chaser
}

/// In a sentence on which the verdict rests, or in the one beside it; anywhere when the subject line is what chases.
fn near(sentences: &[(Zone, usize)], zone: Zone, sentence: usize) -> bool {
    sentences
        .iter()
        .any(|(at, number)| *at == Zone::Subject || (*at == zone && number.abs_diff(sentence) <= 1))
}

/// Beginnings of words that say that somebody wrote or called; whose doing it was is asked besides.
const CONTACT_VERBS: &[&str] = &[
    "wrote",
    "written",
    "rote",
    "penned",
    "typed",
    "emailed",
    "e-mailed",
    "emaild",
    "email",
    "mailed",
    "rang",
    "rung",
    "ringing",
    "called",
    "calling",
    "phon",
    "fone",
    "telephon",
    "left",
    "messag",
    "msg",
    "msgd",
    "text",
    "txt",
    "sent",
    "send",
    "contacted",
    "asked",
    "askd",
    "enquired",
    "inquired",
    "requested",
    "report",
    "rais",
    "flagged",
    "chas",
    "nudged",
    "dropped",
    "popped",
    "posted",
    "handed",
    "submitted",
    "returned",
    "filed",
    "tried",
    "spoke",
    "faxed",
];
/// Things that the sender wrote: only where they are the sender's own.
const CONTACT_NOUNS: &[&str] = &[
    "email",
    "e-mail",
    "letter",
    "message",
    "voicemail",
    "call",
    "note",
    "enquiry",
    "inquiry",
    "query",
    "request",
    "chaser",
    "attempt",
    "form",
    "correspondence",
    "text",
    "txt",
    "msg",
    "reminder",
    "line",
    "question",
];
const MINE: [&str; 10] =
    ["my", "our", "mine", "ours", "these", "first", "second", "last", "previous", "earlier"];
const FIRST_PERSON: [&str; 21] = [
    "i",
    "we",
    "ive",
    "i've",
    "i’ve",
    "we've",
    "we’ve",
    "weve",
    "i'd",
    "my",
    "our",
    "me",
    "us",
    "mum",
    "dad",
    "wife",
    "husband",
    "mother",
    "father",
    "solicitor",
    "client",
];
const OTHERS: [&str; 25] = [
    "you",
    "your",
    "he",
    "she",
    "they",
    "it",
    "who",
    "which",
    "school",
    "college",
    "council",
    "authority",
    "coordinator",
    "somebody",
    "someone",
    "nobody",
    "panel",
    "officer",
    "head",
    "senco",
    "teacher",
    "was",
    "were",
    "be",
    "u",
];
const EVENTS: [&str; 17] = [
    "review",
    "meeting",
    "panel",
    "due",
    "born",
    "dob",
    "appointment",
    "visit",
    "assessment",
    "held",
    "deadline",
    "decision",
    "start",
    "begin",
    "received",
    "expired",
    "placement",
];

/// Whether the words about a date speak of the sender's own writing or calling, and not of a review or a deadline.
fn is_of_a_contact(message: &Message, zone: Zone, mention: &Mention) -> bool {
    let text = match zone {
        Zone::New => &message.new_text.new,
        Zone::Adopted => &message.new_text.adopted,
        Zone::Subject => return true,
        _ => return false,
    };
    let (head, tail) = (text.get(..mention.range.start), text.get(mention.range.end..));
    let (head, tail) = (head.unwrap_or_default(), tail.unwrap_or_default());
    let paragraph =
        (head.rsplit("\n\n").next().unwrap_or_default(), tail.split("\n\n").next().unwrap_or_default());
    let before = words(paragraph.0.rsplit(ends_sentence).next().unwrap_or_default());
    let after = words(paragraph.1.split(ends_sentence).next().unwrap_or_default());
    if after.first().is_some_and(|word| matches!(word.as_str(), "post" | "break" | "holidays" | "holiday")) {
        return false;
    }
    let at = before.len();
    let all: Vec<String> = before.into_iter().chain(after.into_iter().take(8)).collect();
    let distance = |position: usize| if position < at { at - position } else { position - at + 1 };
    let contact = (0..all.len()).filter(|position| is_contact(&all, *position)).map(distance).min();
    let starts = |word: &String| EVENTS.iter().any(|event| word.starts_with(event));
    let event = all.iter().take(at).rposition(starts).map(distance);
    match (contact, event) {
        // "That was on 3 May." speaks of what the sentence before said.
        (None, None) => {
            at <= 5
                && all
                    .first()
                    .is_some_and(|word| matches!(word.as_str(), "that" | "first" | "once" | "twice" | "the"))
        }
        (None, Some(_)) => false,
        (Some(contact), None) => contact <= 12,
        (Some(contact), Some(event)) => contact <= event,
    }
}

/// Whether this word is a contact, and the sender's own.
fn is_contact(all: &[String], position: usize) -> bool {
    let Some(word) = all.get(position) else { return false };
    let back: Vec<&str> = all.iter().take(position).rev().take(6).map(String::as_str).collect();
    let own = back.iter().position(|word| FIRST_PERSON.contains(word));
    let other = back.iter().position(|word| OTHERS.contains(word));
    let noun = CONTACT_NOUNS.iter().any(|noun| word.starts_with(noun));
    let mine = back.iter().take(3).any(|word| MINE.contains(word))
        || all.iter().skip(position + 1).take(1).any(|word| matches!(word.as_str(), "i" | "we"));
    if matches!(word.as_str(), "mine" | "ours" | "step") || (noun && mine) {
        return true;
    }
    CONTACT_VERBS.iter().any(|verb| word.starts_with(verb))
        && match (own, other) {
            (Some(own), Some(other)) => own < other,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => word != "written",
        }
}

fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | ';')
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '\'' | '’'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
