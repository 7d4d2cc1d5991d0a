//! A decision explained as a short memo to a colleague: what was decided, on which words of the message, by which rule and
//! clause, and what was found but set aside.
//!
//! It decides nothing and knows no rule: it puts the findings of [`crate::triage`] beside the message. [`text`] prints it for
//! a terminal or a pipe, [`page`] as one HTML file. What people wrote is cleaned here or escaped there, never trusted.

use chrono::{DateTime, Utc};

use crate::calendar::london;
use crate::message::Message;
use crate::rules::{Group, Rule, Zone};
use crate::triage::{Decision, Finding, Kind, Outcome, Policy, Urgency};

mod body;
mod excerpt;
mod marks;
pub mod page;
mod say;
pub mod text;

pub use body::{Passage, Source};
pub use excerpt::Excerpt;
pub use marks::{Mark, Piece};

use excerpt::Texts;
use marks::Marked;

/// A decision, explained.
#[derive(Clone)]
pub struct Memo {
    /// Where the message came from: its file's name.
    pub file: String,
    /// `Urgent`, `Standard`, or what it is if no person wrote it.
    pub verdict: String,
    /// At least one ground of the urgent list holds.
    pub urgent: bool,
    /// Sender, subject, time of receipt.
    pub facts: Vec<(&'static str, Vec<Piece>)>,
    /// Team, area and due date, in a word each; empty if no person wrote it.
    pub glance: Vec<(&'static str, String)>,
    /// The decision in sentences.
    pub decision: Vec<String>,
    /// Why a person should look at it, if one should.
    pub unsure: Option<String>,
    /// What it rests on, and what it does not.
    pub sections: Vec<Section>,
    /// The message itself in its order, with the words marked.
    pub body: Vec<Passage>,
    /// The version of the rules that decided.
    pub rules_version: String,
}

/// Findings that answer one question.
#[derive(Clone)]
pub struct Section {
    /// The question.
    pub heading: &'static str,
    /// The findings.
    pub entries: Vec<Entry>,
}

/// One finding.
#[derive(Clone)]
pub struct Entry {
    /// A short name, by which its words are labelled in the message: `U4`, `area`, ...
    pub label: String,
    /// The rule's title; with [`Entry::numbered`], below its number in the policy's lists.
    pub title: String,
    /// The label is the number of a ground or topic in the policy's lists: `U4`.
    pub numbered: bool,
    /// The rule's id.
    pub rule: String,
    /// The policy's clause.
    pub clause: String,
    /// What came of it, or why it was set aside.
    pub note: Option<String>,
    /// It was found, but does not count.
    pub set_aside: bool,
    /// The sentences of the message, with the words marked.
    pub excerpts: Vec<Excerpt>,
}

/// What is explained.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The message.
    pub message: &'a Message,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// The name of the mailbox that it arrived in.
    pub mailbox: &'a str,
    /// What was decided.
    pub decision: &'a Decision,
}

/// Explains a decision that was made under this policy.
pub fn memo(subject: Subject<'_>, policy: &Policy) -> Memo {
    let Subject { message, decision, .. } = subject;
    let texts = Texts::of(message);
    let mut sections = [
        Section { heading: why(decision), entries: Vec::new() },
        Section { heading: "Why this team and area", entries: Vec::new() },
        Section { heading: "Also noticed", entries: Vec::new() },
        Section { heading: "Found, but set aside", entries: Vec::new() },
    ];
    let mut marked = Vec::new();
    for finding in &decision.trace {
        let rule = policy.rules.rules().iter().find(|rule| rule.id == finding.rule);
        let Some((question, label, title)) = question(finding, rule) else { continue };
        let own = marks_of(finding, &label, question, &texts);
        if let Some(section) = sections.get_mut(question as usize) {
            let mut excerpts = excerpt::excerpts(&texts, &own);
            excerpts.iter_mut().filter(|e| finding.reason.contains(e.place)).for_each(|e| e.place = "");
            section.entries.push(Entry {
                excerpts,
                numbered: rule.is_some_and(|rule| matches!(rule.group, Group::Grounds | Group::Topics)),
                note: note(finding, rule),
                set_aside: question == Question::Aside,
                rule: finding.rule.clone(),
                clause: finding.policy.clone(),
                label,
                title,
            });
        }
        marked.extend(own);
    }
    Memo {
        file: subject.file.to_owned(),
        verdict: say::verdict(decision).to_owned(),
        urgent: decision.urgency == Urgency::Urgent,
        facts: facts(subject, &texts, &marked),
        glance: glance(decision),
        decision: say::decision(decision, policy),
        unsure: decision.unsure.then(|| say::unsure(decision)),
        sections: sections.into_iter().filter(|section| !section.entries.is_empty()).collect(),
        body: body::passages(message, &marked),
        rules_version: decision.rules_version.clone(),
    }
}

/// Text from strangers, without control characters or what turns the direction of writing, on one line.
pub fn printable(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

/// The sections, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Why,
    Team,
    Also,
    Aside,
}

fn why(decision: &Decision) -> &'static str {
    match (decision.kind, decision.urgency) {
        (Kind::Person, Urgency::Urgent) => "Why it is urgent",
        (Kind::Person, Urgency::Standard) => "What it is about",
        _ => "Why it is no person's message",
    }
}

/// Which question a finding answers, its label, its title; `None` for what the sentences say already.
fn question(finding: &Finding, rule: Option<&Rule>) -> Option<(Question, String, String)> {
    let Some(rule) = rule else {
        let (question, label, title) = match finding.rule.as_str() {
            "acknowledge" | "unsure" => return None,
            "kind" => (Question::Why, "kind", "What sort of message it is"),
            "area" => (Question::Team, "area", "Area"),
            name if name.starts_with("queue") => (Question::Team, "team", "Team"),
            "chaser" => (Question::Also, "chaser", "Chaser: how long ago"),
            other => (Question::Also, other, other),
        };
        return Some((question, label.to_owned(), title.to_owned()));
    };
    let (question, label, about) = match rule.group {
        Group::Grounds | Group::Topics => (Question::Why, rule.id.as_str(), ""),
        Group::Kinds => (Question::Why, "kind", ""),
        Group::Queues => (Question::Team, "team", "Team"),
        Group::Residence => (Question::Team, "area", "Area"),
        Group::Claims => (Question::Also, "claim", "Claim"),
        Group::Chasers => (Question::Also, "chaser", "Chaser"),
        Group::Signposts => (Question::Also, "signpost", "Signpost"),
        Group::Leadership => (Question::Also, "leadership", "Leadership"),
        Group::Roles => (Question::Also, "sender", "Sender"),
        Group::Answers => (Question::Also, "reply", "Reply"),
        Group::FollowUps => (Question::Also, "follow-up", "Follow-up"),
        Group::Steps => (Question::Also, "step", "Escalation"),
    };
    let question = if finding.outcome == Outcome::SetAside { Question::Aside } else { question };
    let title = if about.is_empty() { rule.title.clone() } else { format!("{about}: {}", rule.title) };
    Some((question, label.to_owned(), title))
}

fn glance(decision: &Decision) -> Vec<(&'static str, String)> {
    if decision.kind != Kind::Person {
        return Vec::new();
    }
    let due = decision
        .due_on()
        .map_or_else(|| "No answer is owed".to_owned(), |due| due.format("%A %-d %B %Y").to_string());
    vec![
        ("Answer due", due),
        ("Team", say::queue(decision.queue).to_owned()),
        ("Area", say::area(decision.area).to_owned()),
    ]
}

/// What came of it, where the rule's title does not say it already.
fn note(finding: &Finding, rule: Option<&Rule>) -> Option<String> {
    if finding.outcome != Outcome::SetAside {
        let said = rule.is_some_and(|rule| finding.reason.contains(&rule.title));
        return (!said).then(|| capital(&printable(&finding.reason)));
    }
    Some(match finding.reason.strip_prefix("unless: ") {
        Some(words) => format!("an exception of the rule applies: {}", printable(words)),
        None => printable(&finding.reason),
    })
}

/// With a capital, as a line of its own begins.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The words of a finding, and those that set them aside.
fn marks_of(finding: &Finding, label: &str, question: Question, texts: &Texts) -> Vec<Marked> {
    let mark = match question {
        Question::Aside => Mark::SetAside,
        Question::Why => Mark::Counts,
        Question::Team | Question::Also => Mark::Noted,
    };
    let marked = |zone, range, text: String| Marked { zone, range, text, mark, label: label.to_owned() };
    let mut all: Vec<Marked> =
        finding.places.iter().map(|p| marked(p.zone, p.range.clone(), p.text.clone())).collect();
    if all.is_empty() {
        // Places are told by their names alone.
        let named = finding.text.split(", ").filter(|name| !name.is_empty());
        all.extend(named.filter_map(|name| {
            let (zone, range) = texts.locate(name)?;
            Some(marked(zone, range, name.to_owned()))
        }));
    }
    if question == Question::Aside
        && let Some(first) = all.first()
        && let Some(range) = texts.cause(first, &finding.reason)
    {
        let text = texts.get(first.zone).get(range.clone()).unwrap_or_default().to_owned();
        all.push(Marked { zone: first.zone, range, text, mark: Mark::Cause, label: String::new() });
    }
    all
}

fn facts(subject: Subject<'_>, texts: &Texts, marked: &[Marked]) -> Vec<(&'static str, Vec<Piece>)> {
    let plain = |text: String| vec![Piece::plain(printable(&text))];
    let sender = subject.message.from.as_ref().map_or_else(
        || "not said".to_owned(),
        |from| {
            if from.name.is_empty() {
                from.address.clone()
            } else {
                format!("{} <{}>", from.name, from.address)
            }
        },
    );
    let at = subject.received_at;
    let received = format!(
        "{} at {} (London), in the mailbox {}",
        london::date(at).format("%A %-d %B %Y"),
        london::time(at).format("%H:%M"),
        subject.mailbox
    );
    let words = texts.get(Zone::Subject);
    let kept = subject.message.subject.trim_end().len().saturating_sub(words.len());
    let mut line = plain(subject.message.subject.get(..kept).unwrap_or_default().to_owned());
    line.extend(marks::divide(words, 0..words.len(), Zone::Subject, marked));
    line.retain(|piece| !piece.text.is_empty());
    if line.is_empty() {
        line = plain("none".to_owned());
    }
    vec![("From", plain(sender)), ("Subject", line), ("Received", plain(received))]
}
