//! Which rule to look at: the one that fired and should not have, or the one that should have and how near it came. It finds
//! places; what to change there is the officer's to judge.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::calendar::london;
use crate::case::Labels;
use crate::daemon::in_force::Set;
use crate::mailbox::PastMessage;
use crate::message::{self, Message};
use crate::record::{CorrectionRow, Recalled};
use crate::rules::{Circumstances, Evidence, Group, Reading, Verdict, Zone};
use crate::triage::compare::{Answers, Said};
use crate::triage::{self, History};

use super::likeness::{Weights, one_line, sentences, words};
use super::rulebook::Rulebook;

/// What is shown about one corrected message. Serialises as `--format json` prints it.
#[derive(Clone, Serialize)]
pub(super) struct Suggestion {
    pub message: i64,
    pub reference: Option<String>,
    pub subject: String,
    pub received: chrono::DateTime<chrono::Utc>,
    pub mailbox: String,
    /// As it was decided at the time.
    pub decided: Labels,
    /// As staff say it is.
    pub right: Labels,
    pub corrections: Vec<CorrectionRow>,
    /// Whether the message could be read again.
    pub found: bool,
    /// The rules decide it as staff say.
    pub settled: bool,
    pub hints: Vec<Hint>,
    /// What may be added to the rules' own examples, ready to paste.
    pub examples: Vec<Example>,
    /// The decision's trace: of now where the message was found, else of then.
    pub trace: Vec<Said>,
    /// All answers of the rules now, for the labels that staff did not speak of.
    #[serde(skip)]
    pub now: Option<Answers>,
    /// What it is about as a standard matter.
    #[serde(skip)]
    pub topics: Vec<String>,
}

/// A rule to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Hint {
    pub rule: String,
    pub title: String,
    /// `urgent.yaml`, and the line on which the rule begins.
    pub file: String,
    pub line: usize,
    pub role: Role,
    /// The words of the message.
    pub words: String,
    /// The phrase of the rule that found them.
    pub phrase: String,
    /// Why they did not count; or the example that they are like.
    pub reason: String,
}

/// What the rule did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    /// It holds, and should not.
    Fired,
    /// It found words and set them aside.
    Near,
    /// It found nothing; these words are the most like its examples.
    Silent,
}

/// An example for a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Example {
    pub rule: String,
    pub file: String,
    /// Whether the rule should hold for it.
    pub yes: bool,
    pub text: String,
}

/// What to look at for one corrected message.
pub(super) fn suggestion(
    recalled: &Recalled,
    raw: Option<&PastMessage>,
    set: &Set,
    book: &Rulebook,
) -> Suggestion {
    let right = recalled.labels();
    let mut suggestion = Suggestion {
        message: recalled.message,
        reference: recalled.reference.clone(),
        subject: recalled.subject.clone(),
        received: recalled.received_at,
        mailbox: recalled.account.clone(),
        decided: recalled.decided(),
        right: right.clone(),
        corrections: recalled.corrections.clone(),
        found: raw.is_some(),
        settled: false,
        hints: Vec::new(),
        examples: Vec::new(),
        trace: Said::all(recalled.decision.trace.clone()),
        now: None,
        topics: Vec::new(),
    };
    let Some(raw) = raw else { return suggestion };
    let message = message::parse(&raw.bytes, raw.size_bytes);
    let history = History::none(&recalled.account, recalled.received_at);
    let decision = triage::triage(&message, recalled.received_at, &history, &set.policy);
    let circumstances = Circumstances {
        received_on: london::date(recalled.received_at),
        mailbox: &recalled.account,
        addressed: triage::addressed(&message, &set.policy.team),
    };
    let reading = set.policy.rules.read(&message, &circumstances);
    let now = Answers::of(&decision);
    let desk = Desk { message: &message, reading: &reading, set, book };
    suggestion.trace.clone_from(&now.findings);
    desk.grounds(&right, &now, &mut suggestion);
    desk.kind(&right, &now, &mut suggestion);
    desk.queue(&right, &now, &mut suggestion);
    desk.area(&right, &now, &mut suggestion);
    suggestion.settled = suggestion.hints.is_empty() && is_as(&right, &now, recalled);
    suggestion.now = Some(now);
    let topics = reading.group(Group::Topics).filter(|verdict| verdict.holds);
    suggestion.topics = topics.map(|verdict| verdict.rule.id.clone()).collect();
    suggestion
}

/// Whether the rules decide now as staff say, in what staff spoke of.
fn is_as(right: &Labels, now: &Answers, recalled: &Recalled) -> bool {
    let decided = recalled.decided();
    let same = |right: &str, decided: &str, now: &str| right == decided || right == now;
    same(&right.kind, &decided.kind, &now.kind)
        && same(&right.urgency, &decided.urgency, &now.urgency)
        && same(&right.queue, &decided.queue, &now.queue)
        && same(&right.area, &decided.area, &now.area)
}

/// One message with everything at hand to think about it.
struct Desk<'a> {
    message: &'a Message,
    reading: &'a Reading<'a>,
    set: &'a Set,
    book: &'a Rulebook,
}

impl Desk<'_> {
    fn hint(&self, verdict: &Verdict<'_>, role: Role, words: &str, phrase: &str, reason: &str) -> Hint {
        self.hint_for(&verdict.rule.id, &verdict.rule.title, role, [words, phrase, reason])
    }

    fn hint_for(&self, id: &str, title: &str, role: Role, [words, phrase, reason]: [&str; 3]) -> Hint {
        let entry = self.book.rules.get(id);
        Hint {
            rule: id.to_owned(),
            title: title.to_owned(),
            file: entry.map(|entry| entry.file.clone()).unwrap_or_default(),
            line: entry.map_or(0, |entry| entry.line),
            role,
            words: one_line(words),
            phrase: phrase.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn grounds(&self, right: &Labels, now: &Answers, to: &mut Suggestion) {
        if right.kind != "person" || now.kind != "person" {
            return;
        }
        // A message stays urgent on any ground; only where staff named the grounds does each of them matter.
        let named = to.corrections.iter().any(|correction| correction.to.grounds.is_some());
        let held: Vec<&Verdict<'_>> = self.reading.group(Group::Grounds).filter(|v| v.holds).collect();
        let wrong = |id: &str| {
            (right.urgency == "standard" && now.urgency == "urgent")
                || (named && !right.grounds.iter().any(|g| g == id))
        };
        for verdict in held.iter().filter(|verdict| wrong(&verdict.rule.id)) {
            self.fired(verdict, to);
        }
        let missing: Vec<&str> = match named {
            true => right.grounds.iter().map(String::as_str).filter(|id| id.starts_with('U')).collect(),
            false if right.urgency == "urgent" && now.urgency == "standard" => {
                self.ids(|rule| rule.group == Group::Grounds)
            }
            false => return,
        };
        let missing: Vec<&str> =
            missing.into_iter().filter(|id| !held.iter().any(|v| v.rule.id == *id)).collect();
        self.missed(&missing, to);
    }

    fn kind(&self, right: &Labels, now: &Answers, to: &mut Suggestion) {
        if right.kind == now.kind {
            return;
        }
        for verdict in self.reading.group(Group::Kinds).filter(|v| v.holds && v.rule.then == now.kind) {
            self.fired(verdict, to);
        }
        if right.kind != "person" {
            self.missed(&self.ids(|rule| rule.group == Group::Kinds && rule.then == right.kind), to);
        }
    }

    fn queue(&self, right: &Labels, now: &Answers, to: &mut Suggestion) {
        if right.queue == now.queue || right.kind != "person" || now.kind != "person" {
            return;
        }
        let team =
            |queue: &str| if queue.starts_with("annual-review") { "annual-review" } else { queue }.to_owned();
        let (wanted, given) = (team(&right.queue), team(&now.queue));
        if wanted == given {
            return; // East or west: that is the area's to say.
        }
        for verdict in self.reading.group(Group::Queues).filter(|v| v.holds && v.rule.then == given) {
            self.fired(verdict, to);
        }
        self.missed(&self.ids(|rule| rule.group == Group::Queues && rule.then == wanted), to);
    }

    fn area(&self, right: &Labels, now: &Answers, to: &mut Suggestion) {
        let by_queue = match right.queue.as_str() {
            "annual-review-east" => "east",
            "annual-review-west" => "west",
            _ => right.area.as_str(),
        };
        let spoken = right.area != to.decided.area || right.queue != to.decided.queue;
        if by_queue == now.area || !spoken {
            return;
        }
        let places: BTreeSet<String> = self
            .reading
            .places
            .iter()
            .map(|place| format!("{} ({})", one_line(&place.text), place.area))
            .collect();
        let places: Vec<String> = places.into_iter().collect();
        let reason = if places.is_empty() {
            format!("no place of it is known; it should be {by_queue}")
        } else {
            format!("it should be {by_queue}; the places that are known in it: {}", places.join(", "))
        };
        let mut hint = self.hint_for("areas", "East or west", Role::Silent, ["", "", &reason]);
        hint.file = "areas.yaml".to_owned();
        to.hints.push(hint);
    }

    fn ids(&self, wanted: impl Fn(&crate::rules::Rule) -> bool) -> Vec<&str> {
        self.set
            .policy
            .rules
            .rules()
            .iter()
            .filter(|rule| wanted(rule))
            .map(|rule| rule.id.as_str())
            .collect()
    }

    /// A rule that holds and should not.
    fn fired(&self, verdict: &Verdict<'_>, to: &mut Suggestion) {
        let mut told = BTreeSet::new();
        for evidence in verdict.evidence.iter().filter(|evidence| !evidence.text.trim().is_empty()) {
            if told.insert((&evidence.phrase, evidence.text.to_lowercase())) {
                to.hints.push(self.hint(verdict, Role::Fired, &evidence.text, &evidence.phrase, ""));
            }
        }
        if told.is_empty() {
            to.hints.push(self.hint(
                verdict,
                Role::Fired,
                "",
                "",
                "it rests on no words: look at its headers",
            ));
        }
        if let Some(text) = verdict.evidence.iter().find_map(|evidence| self.sentence(evidence)) {
            self.example(&verdict.rule.id, false, text, to);
        }
    }

    /// Rules of which at least one should have held: those that found something, else the one whose examples are most like it.
    fn missed(&self, ids: &[&str], to: &mut Suggestion) {
        let mut near = false;
        for verdict in self.reading.verdicts.iter().filter(|v| ids.contains(&v.rule.id.as_str()) && !v.holds)
        {
            for aside in &verdict.set_aside {
                let evidence = &aside.evidence;
                let hint = self.hint(verdict, Role::Near, &evidence.text, &evidence.phrase, &aside.reason);
                if !to.hints.contains(&hint) {
                    to.hints.push(hint);
                    // What others wrote earlier is no near miss of what the sender says now.
                    near |= evidence.zone != Zone::Quoted;
                }
            }
            if let Some(text) = verdict.set_aside.iter().find_map(|aside| self.sentence(&aside.evidence)) {
                self.example(&verdict.rule.id, true, text, to);
            }
        }
        if near {
            return;
        }
        if let Some((id, sentence, example)) = self.most_alike(ids) {
            let reason = format!("most like its example \"{example}\"");
            let words = [sentence.as_str(), "", reason.as_str()];
            to.hints.push(self.hint_for(id, self.title(id), Role::Silent, words));
            self.example(id, true, sentence, to);
        } else if let [only] = ids {
            let reason = "nothing in the message is like its examples";
            to.hints.push(self.hint_for(only, self.title(only), Role::Silent, ["", "", reason]));
        }
    }

    fn title(&self, id: &str) -> &str {
        let rules = self.set.policy.rules.rules();
        rules.iter().find(|rule| rule.id == id).map(|rule| rule.title.as_str()).unwrap_or_default()
    }

    fn example(&self, id: &str, yes: bool, text: String, to: &mut Suggestion) {
        let file = self.book.rules.get(id).map(|entry| entry.file.clone()).unwrap_or_default();
        let example = Example { rule: id.to_owned(), file, yes, text };
        // A word or two, out of a footer as a rule, are no example of anything.
        if example.text.split(' ').count() >= 3 && !to.examples.contains(&example) {
            to.examples.push(example);
        }
    }

    /// The sentence around a finding.
    fn sentence(&self, evidence: &Evidence) -> Option<String> {
        let text = match evidence.zone {
            Zone::New => &self.message.new_text.new,
            Zone::Adopted => &self.message.new_text.adopted,
            Zone::Subject => return Some(one_line(&self.message.subject)),
            Zone::Signature | Zone::Quoted | Zone::Header => return None,
        };
        let words = one_line(&evidence.text);
        sentences(text)
            .into_iter()
            .find(|sentence| sentence.contains(&words))
            .or((!words.is_empty()).then_some(words))
    }

    /// The rule, the sentence of the message and the rule's example that are most like each other.
    fn most_alike(&self, ids: &[&str]) -> Option<(&str, String, String)> {
        let weights = Weights::of(self.book);
        let text = format!("{}\n\n{}", self.message.new_text.new, self.message.new_text.adopted);
        let mut best: Option<(f64, &str, String, String)> = None;
        for sentence in sentences(&text).into_iter().take(200) {
            let said = words(&sentence);
            for (id, entry) in self.book.rules.iter().filter(|(id, _)| ids.contains(&id.as_str())) {
                for example in &entry.yes {
                    let likeness = weights.likeness(&said, &words(example));
                    if likeness > 0.2 && best.as_ref().is_none_or(|(most, ..)| likeness > *most) {
                        best = Some((likeness, id, sentence.clone(), one_line(example)));
                    }
                }
            }
        }
        best.map(|(_, id, sentence, example)| (id, sentence, example))
    }
}
