//! What a message by staff says of the case that it answers: an answer, word that more time is needed, or that somebody else
//! has it now. It knows no record: whose case it is, and who its sender's side are, is told to [`Reply::about`].
//!
//! communication-policy, email d and e. The words stand in `answers.yaml`. Calling a holding reply an answer is the worse
//! mistake: such a case is forgotten, while one that stays open is seen and closed by hand.

use std::ops::Range;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::Fact;
use crate::calendar::WorkingCalendar;
use crate::message::{CutReason, Message};
use crate::rules::{Group, Reading, Zone};
use crate::triage::Kind;

/// A date further ahead than this is taken for a slip of the pen, or for another matter's.
const FURTHEST: Days = Days::new(92);

/// What a reply says, whoever it is to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// An answer: nothing says that it is none.
    Answer,
    /// That more time is needed; until when, if it says so.
    Holding(Option<NaiveDate>),
    /// That somebody else has it now; until when they answer, if it says so.
    Handed(Option<NaiveDate>),
}

/// A message by staff, read once. `Debug` is not derived: it names people.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What it says.
    pub says: Says,
    /// Everybody in To and Cc, lower case.
    pub to: Vec<String>,
    /// Those of them, in To or Cc, who are the council's own and did not write it.
    pub inside: Vec<String>,
    /// It is a forward.
    pub forward: bool,
    /// Why, in words for staff.
    pub why: String,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({:?}, to {})", self.says, self.to.len())
    }
}

/// What it is to one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// Staff have answered.
    Answered,
    /// Staff need longer. Without a date of theirs the date that holds already: a first response, and no answer.
    HeldOver {
        /// Until when.
        until: NaiveDate,
    },
    /// Somebody else has it now.
    PassedOn {
        /// Who.
        to: Vec<String>,
        /// Until when they answer, if that was said.
        until: Option<NaiveDate>,
        /// The sender's side was told in the same message.
        told: bool,
    },
    /// Nothing, and why.
    Nothing(&'static str),
}

impl Judged {
    /// What it tells of the case. `due_on` is the date that holds.
    pub fn facts(&self, due_on: NaiveDate) -> Vec<Fact> {
        match self {
            Self::Answered => vec![Fact::Answered],
            Self::HeldOver { until } => vec![Fact::HeldOver { until: *until }],
            // Told that somebody else has it, the sender has had a first response.
            Self::PassedOn { to, until, told: true } => {
                vec![Fact::PassedOn { to: to.clone() }, Fact::HeldOver { until: until.unwrap_or(due_on) }]
            }
            Self::PassedOn { to, .. } => vec![Fact::PassedOn { to: to.clone() }],
            Self::Nothing(_) => Vec::new(),
        }
    }
}

impl Reply {
    /// What it is to a case whose sender's side has these addresses (lower case) and whose answer is due on this day.
    pub fn about(&self, side: &[String], due_on: NaiveDate) -> Judged {
        if self.to.iter().any(|to| side.contains(to)) {
            return match self.says {
                Says::Answer => Judged::Answered,
                Says::Handed(until) if !self.inside.is_empty() => {
                    Judged::PassedOn { to: self.inside.clone(), until, told: true }
                }
                Says::Holding(until) | Says::Handed(until) => {
                    Judged::HeldOver { until: until.unwrap_or(due_on) }
                }
            };
        }
        let outside = self.to.iter().any(|to| !self.inside.contains(to));
        match (self.forward, self.inside.is_empty()) {
            (true, false) => Judged::PassedOn { to: self.inside.clone(), until: None, told: false },
            (true, true) => Judged::Nothing("a forward to somebody outside the council"),
            (false, _) if outside => Judged::Nothing("written to somebody other than the sender's side"),
            (false, _) => Judged::Nothing("staff among themselves"),
        }
    }
}

/// What a reply is read with.
pub struct Circumstances<'a> {
    /// The council's own domain, lower case.
    pub domain: &'a str,
    /// What sort of message it is.
    pub kind: Kind,
    /// What the rules found in it.
    pub reading: &'a Reading<'a>,
    /// The day it was sent, in London.
    pub sent_on: NaiveDate,
    /// Working days.
    pub calendar: &'a WorkingCalendar,
}

/// Reads a message by staff. The error says why it is no reply of theirs. That it is not one of our own letters is the
/// caller's to know.
pub fn read(message: &Message, with: &Circumstances<'_>) -> Result<Reply, &'static str> {
    match with.kind {
        Kind::AutoReply => return Err("an automatic reply"),
        Kind::Bounce => return Err("a delivery report or a receipt"),
        Kind::List => return Err("written by a system, or to a list"),
        Kind::Calendar => return Err("an invitation, or an answer to one"),
        Kind::Person | Kind::Internal => {}
    }
    let writer = message.from.as_ref().map(|from| from.address.to_ascii_lowercase()).unwrap_or_default();
    let mut to: Vec<String> = Vec::new();
    for address in message.to.iter().chain(&message.cc) {
        let address = address.address.to_ascii_lowercase();
        if !address.is_empty() && !to.contains(&address) {
            to.push(address);
        }
    }
    if to.is_empty() {
        return Err("written to nobody");
    }
    let inside =
        to.iter().filter(|to| is_inside(to, with.domain) && **to != writer).cloned().collect::<Vec<_>>();
    let forward = is_forward(message);
    let attached = message.parts.iter().any(|part| part.attachment);
    if message.new_text.new.trim().is_empty() && !attached && !forward {
        return Err("it says nothing");
    }
    let (says, why) = says(message, with);
    Ok(Reply { says, to, inside, forward, why })
}

/// Whether an address lies in the council's own domain or below it.
pub fn is_inside(address: &str, domain: &str) -> bool {
    let of = address.rsplit_once('@').map(|(_, of)| of.to_ascii_lowercase()).unwrap_or_default();
    let domain = domain.to_ascii_lowercase();
    !domain.is_empty() && (of == domain || of.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.')))
}

/// Whether it is a forward: by its subject, or by what mail programs attach or note. What a reply quotes makes it none.
fn is_forward(message: &Message) -> bool {
    const TAGS: [&str; 9] = ["fw:", "fwd:", "[fwd:", "wg:", "tr:", "rv:", "i:", "vs:", "pd:"];
    let subject = message.subject.trim_start().to_lowercase();
    TAGS.iter().any(|tag| subject.starts_with(tag))
        || message.header("X-Forwarded-Message-Id").is_some()
        || message.parts.iter().any(|part| part.content_type == "message/rfc822")
        || message.new_text.cuts.iter().any(|cut| cut.reason == CutReason::Forward)
}

/// What it says, by `answers.yaml`, and why.
fn says(message: &Message, with: &Circumstances<'_>) -> (Says, String) {
    let found: Vec<_> = with.reading.group(Group::Answers).filter(|verdict| verdict.holds).collect();
    let Some(first) = found.first() else {
        let reason = if with.reading.incomplete {
            "too long to be read whole; nothing in what was read says that it is no answer"
        } else {
            "nothing in it says that more time is needed"
        };
        return (Says::Answer, reason.to_owned());
    };
    let handed = found.iter().any(|verdict| verdict.rule.then == "passed-on");
    let evidence: Vec<(usize, Range<usize>)> = found
        .iter()
        .flat_map(|verdict| &verdict.evidence)
        .filter(|evidence| evidence.zone == Zone::New)
        .map(|evidence| (evidence.sentence, evidence.range.clone()))
        .collect();
    let until = until(message, &evidence, with);
    let words = first.evidence.first().map(|evidence| evidence.text.clone()).unwrap_or_default();
    let mut why =
        format!("{}: \"{}\"", first.rule.title, words.split_whitespace().collect::<Vec<_>>().join(" "));
    if let Some(until) = until {
        why.push_str(&format!(", until {}", until.format("%-d %B %Y")));
    }
    (if handed { Says::Handed(until) } else { Says::Holding(until) }, why)
}

/// The date that the words give: in their own sentence, else in a neighbouring one.
fn until(
    message: &Message,
    evidence: &[(usize, Range<usize>)],
    with: &Circumstances<'_>,
) -> Option<NaiveDate> {
    let text = &message.new_text.new;
    let latest = with.sent_on.checked_add_days(FURTHEST)?;
    let mut best: Option<((bool, usize, usize), NaiveDate)> = None;
    for (zone, sentence, mention) in &with.reading.dates {
        let Some((first, last)) = mention.ahead.filter(|_| *zone == Zone::New) else { continue };
        let on = last_working_day(text.get(mention.range.clone()), (first, last), with);
        if on > latest || on < with.sent_on {
            continue;
        }
        let named = says_until(text.get(..mention.range.start).unwrap_or_default())
            || says_until(text.get(mention.range.clone()).unwrap_or_default());
        for (at, words) in evidence {
            let apart = at.abs_diff(*sentence);
            // In a neighbouring sentence only a date that is said to be the limit counts.
            if apart > 1 || (apart == 1 && !named) {
                continue;
            }
            let gap = if mention.range.start >= words.end {
                mention.range.start - words.end
            } else {
                words.start.saturating_sub(mention.range.end)
            };
            let rank = (!named, apart, gap);
            if best.as_ref().is_none_or(|(other, _)| rank < *other) {
                best = Some((rank, on));
            }
        }
    }
    best.map(|(_, on)| on)
}

/// The last day of a period on which staff work; a single day stays what it is. "5 working days" are counted as such.
fn last_working_day(
    written: Option<&str>,
    (first, last): (NaiveDate, NaiveDate),
    with: &Circumstances<'_>,
) -> NaiveDate {
    let lower = written.unwrap_or_default().to_ascii_lowercase();
    if lower.contains("working day") {
        let number = lower.split(|c: char| !c.is_ascii_alphanumeric()).find_map(number);
        if let Some(days) = number {
            return with.calendar.working_day_after(with.sent_on, days);
        }
    }
    let mut on = last;
    while on > first && !with.calendar.is_working_day(on) {
        let Some(before) = on.pred_opt() else { break };
        on = before;
    }
    on
}

fn number(word: &str) -> Option<u32> {
    const WORDS: [&str; 16] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve", "thirteen", "fourteen", "fifteen",
    ];
    if word == "twenty" {
        return Some(20);
    }
    let spelt = || WORDS.iter().position(|spelt| *spelt == word).and_then(|at| u32::try_from(at).ok());
    word.parse().ok().or_else(spelt).filter(|days| (1..=60).contains(days))
}

/// Whether the words that end here name a limit: "by", "until", "no later than", with "the end of" after it.
fn says_until(before: &str) -> bool {
    let lower = before.to_lowercase();
    let mut words =
        lower.split_whitespace().rev().take(5).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let limits = ["by", "until", "till", "til", "before", "within", "latest", "than"];
    words.any(|word| limits.contains(&word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(to: &[&str], inside: &[&str], forward: bool, says: Says) -> Reply {
        let all = |some: &[&str]| some.iter().map(|one| (*one).to_owned()).collect();
        Reply { says, to: all(to), inside: all(inside), forward, why: String::new() }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_forward_inside_the_council_passes_on_and_one_to_the_sender_answers() {
        let side = ["anna@home.example".to_owned()];
        let due = day("2026-12-04");
        let about = |reply: Reply| reply.about(&side, due);
        let transport = "transport@council.example";
        assert_eq!(
            about(reply(&[transport], &[transport], true, Says::Answer)),
            Judged::PassedOn { to: vec![transport.to_owned()], until: None, told: false }
        );
        assert!(matches!(about(reply(&[transport], &[transport], false, Says::Answer)), Judged::Nothing(_)));
        assert!(matches!(about(reply(&["gp@clinic.example"], &[], true, Says::Answer)), Judged::Nothing(_)));
        assert_eq!(about(reply(&["anna@home.example"], &[], true, Says::Answer)), Judged::Answered);
        let told = about(reply(&["anna@home.example", transport], &[transport], false, Says::Handed(None)));
        let facts = told.facts(due);
        assert_eq!(facts.len(), 2, "passed on, and a first response: {facts:?}");
        assert_eq!(
            about(reply(&["anna@home.example"], &[], false, Says::Handed(None))),
            Judged::HeldOver { until: due },
            "whoever has it, no answer has been given"
        );
    }

    #[test]
    fn the_councils_domain_and_what_lies_below_it_is_inside() {
        assert!(is_inside("Jo@Council.example", "council.example"));
        assert!(is_inside("jo@send.council.example", "Council.example"));
        assert!(!is_inside("jo@notcouncil.example", "council.example"));
        assert!(!is_inside("jo@council.example.evil.example", "council.example"));
        assert!(!is_inside("nobody", "council.example") && !is_inside("a@b.example", ""));
    }

    proptest! {
        #[test]
        fn nothing_counts_for_a_sender_whom_it_was_not_written_to(
            to in proptest::collection::vec("[a-d]@(home|council)\\.example", 0..4),
            side in proptest::collection::vec("[a-d]@home\\.example", 0..3),
            forward: bool,
            says in prop_oneof![
                Just(Says::Answer), Just(Says::Holding(None)), Just(Says::Handed(None)),
                Just(Says::Holding(NaiveDate::from_ymd_opt(2027, 1, 14)))
            ],
        ) {
            let inside: Vec<String> = to.iter().filter(|one| is_inside(one, "council.example")).cloned().collect();
            let due = day("2026-12-04");
            let is_answer = says == Says::Answer;
            let judged = Reply { says, to: to.clone(), inside, forward, why: String::new() }.about(&side, due);
            let written_to = to.iter().any(|one| side.contains(one));
            match &judged {
                Judged::Answered => prop_assert!(written_to && is_answer),
                Judged::HeldOver { .. } => prop_assert!(written_to && !is_answer),
                Judged::PassedOn { told, .. } => prop_assert!(written_to == *told && (*told || forward)),
                Judged::Nothing(_) => prop_assert!(!written_to),
            }
            // Nothing that staff write ever brings a date forward.
            for fact in judged.facts(due) {
                if let Fact::HeldOver { until } = fact {
                    prop_assert!(until >= due);
                }
            }
        }
    }
}
