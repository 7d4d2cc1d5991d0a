//! Whether it chases an earlier contact, and whether that contact's working days have run out.
//!
//! Policy, email d; labelling.md, chaser: counted from the first contact that was not answered, to the day of receipt.

use chrono::NaiveDate;

use super::{Chaser, Finding, Outcome};
use crate::calendar::WorkingCalendar;
use crate::calendar::mention::Mention;
use crate::message::Message;
use crate::rules::{Group, Reading, Zone};

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
    let mut stated = None;
    for verdict in reading.group(Group::Chasers).filter(|verdict| verdict.holds) {
        trace.push(Finding::holds(verdict, verdict.rule.title.clone()));
        sentences.extend(verdict.evidence.iter().map(|evidence| (evidence.zone, evidence.sentence)));
        stated = stated.or(match verdict.rule.id.as_str() {
            id if id.starts_with("chaser-overdue") => Some(Chaser::Overdue),
            id if id.starts_with("chaser-within") => Some(Chaser::Within),
            _ => None,
        });
    }
    if sentences.is_empty() {
        return Chaser::None;
    }
    let contacts = reading
        .dates
        .iter()
        .filter(|(zone, sentence, _)| near(&sentences, *zone, *sentence))
        .filter(|(zone, _, mention)| is_of_a_contact(message, *zone, mention))
        .filter_map(|(_, _, mention)| mention.past.map(|(first, _)| (first, mention)))
        .filter(|(first, _)| *first <= measure.received_on);
    let Some((earliest, _)) = contacts.min_by_key(|(first, _)| *first) else {
        return stated.unwrap_or(Chaser::Unclear);
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

/// Whether the words about a date speak of writing or calling, and not of a review or a deadline.
fn is_of_a_contact(message: &Message, zone: Zone, mention: &Mention) -> bool {
    let text = match zone {
        Zone::New => &message.new_text.new,
        Zone::Adopted => &message.new_text.adopted,
        Zone::Subject => return true,
        _ => return false,
    };
    let before = words_before(text, mention.range.start, 9);
    let after = words_after(text, mention.range.end, 7);
    const CONTACT: [&str; 30] = [
        "wrote", "writ", "email", "e-mail", "mail", "rang", "rung", "ring", "call", "phon", "left", "letter",
        "messag", "sent", "send", "contact", "ask", "report", "rais", "step", "request", "chas", "spoke",
        "mine", "enquir", "question", "put", "query", "matter", "these",
    ];
    const EVENT: [&str; 13] = [
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
        "dated",
        "started",
    ];
    if after.first().is_some_and(|word| matches!(word.as_str(), "post" | "break" | "holidays" | "holiday")) {
        return false;
    }
    let nearest =
        |words: &[String], marks: &[&str]| words.iter().position(|w| marks.iter().any(|m| w.starts_with(m)));
    let back: Vec<String> = before.iter().rev().cloned().collect();
    let contact = nearest(&back, &CONTACT).or_else(|| nearest(&after, &CONTACT));
    let event = nearest(&back, &EVENT);
    match (contact, event) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(contact), Some(event)) => contact <= event,
    }
}

fn words_before(text: &str, at: usize, many: usize) -> Vec<String> {
    let head = text.get(..at).unwrap_or_default();
    let mut words: Vec<String> = head
        .rsplit(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'')
        .filter(|word| !word.is_empty())
        .take(many)
        .map(str::to_lowercase)
        .collect();
    words.reverse();
    words
}

fn words_after(text: &str, at: usize, many: usize) -> Vec<String> {
    let tail = text.get(at..).unwrap_or_default();
    tail.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'')
        .filter(|word| !word.is_empty())
        .take(many)
        .map(str::to_lowercase)
        .collect()
}
