//! How well decisions agree with labels: for each label precision, recall, F1 or accuracy, and every mistake.
//!
//! Pure arithmetic over pairs; the `evaluate` command reads the files and prints. The labels are labelling.md's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Decision, Finding, Kind};

/// One line of `labels.jsonl`: what a correct triage of a message is.
#[derive(Debug, Clone, Deserialize)]
pub struct Label {
    /// The message's file.
    pub file: String,
    /// When it was received, as RFC 3339.
    pub received: String,
    /// The mailbox it arrived in.
    pub mailbox: String,
    /// As in [`Decision`].
    pub kind: String,
    /// Whether it is acknowledged.
    pub acknowledge: bool,
    /// The team stands only in Cc or Bcc.
    #[serde(default)]
    pub copied: bool,
    /// `urgent` or `standard`.
    pub urgency: String,
    /// `U1` ... `other`.
    #[serde(default)]
    pub grounds: Vec<String>,
    /// Called urgent with no ground.
    #[serde(default)]
    pub claimed_urgent: bool,
    /// The team.
    pub queue: String,
    /// `east`, `west` or `unknown`.
    pub area: String,
    /// `within`, `overdue`, `unclear` or `none`.
    pub chaser: String,
    /// Signposts.
    #[serde(default)]
    pub signposts: Vec<String>,
    /// Policy, email h.
    #[serde(default)]
    pub refer_leadership: bool,
    /// The labeller's reasoning.
    #[serde(default)]
    pub why: String,
    /// What the sender newly wrote.
    #[serde(default)]
    pub new_text: String,
}

/// How often a yes-or-no question was answered rightly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Counts {
    /// Yes, and rightly.
    pub hits: usize,
    /// Yes, and wrongly.
    pub false_alarms: usize,
    /// No, and wrongly.
    pub missed: usize,
    /// Hits among what was called yes; 1 where nothing was.
    pub precision: f64,
    /// Hits among what is yes; 1 where nothing is.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

impl Counts {
    /// Nothing asked yet.
    fn none() -> Self {
        Self { precision: 1.0, recall: 1.0, f1: 1.0, ..Self::default() }
    }

    fn add(&mut self, wanted: bool, got: bool) {
        match (wanted, got) {
            (true, true) => self.hits += 1,
            (false, true) => self.false_alarms += 1,
            (true, false) => self.missed += 1,
            (false, false) => {}
        }
        self.precision = share(self.hits, self.hits + self.false_alarms);
        self.recall = share(self.hits, self.hits + self.missed);
        let sum = 2 * self.hits + self.false_alarms + self.missed;
        self.f1 = share(2 * self.hits, sum);
    }
}

/// How often one of several answers was the right one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Choice {
    /// Right answers.
    pub right: usize,
    /// All answers.
    pub of: usize,
    /// Their share.
    pub accuracy: f64,
    /// For each right answer, what was given and how often: the confusion table.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Choice {
    fn add(&mut self, wanted: &str, got: &str) {
        self.of += 1;
        self.right += usize::from(wanted == got);
        self.accuracy = share(self.right, self.of);
        *self.confusion.entry(wanted.to_owned()).or_default().entry(got.to_owned()).or_default() += 1;
    }
}

/// One answer that differs from its label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// The message's file.
    pub file: String,
    /// Which label.
    pub label: String,
    /// What it should be.
    pub wanted: String,
    /// What it was.
    pub got: String,
    /// The decision was marked for a human look.
    pub unsure: bool,
    /// The labeller's reasoning.
    pub why: String,
    /// Every finding that led to the decision.
    pub trace: Vec<Finding>,
}

/// How much of what was decided wrongly was marked for a human look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Caught {
    /// Messages decided wrongly.
    pub wrong: usize,
    /// Those among them that were marked.
    pub marked: usize,
    /// Their share; 1 where nothing was wrong.
    pub share: f64,
}

impl Caught {
    fn add(&mut self, wrong: bool, marked: bool) {
        self.wrong += usize::from(wrong);
        self.marked += usize::from(wrong && marked);
        self.share = share(self.marked, self.wrong);
    }
}

/// The mark for a human look, measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Unsure {
    /// Messages that were marked.
    pub marked: usize,
    /// Their share of all.
    pub share: f64,
    /// Wrong in urgency.
    pub urgency: Caught,
    /// Wrong in any label.
    pub any_label: Caught,
    /// Marked though nothing was wrong.
    pub marked_in_vain: usize,
}

/// All figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Score {
    /// How many messages.
    pub messages: usize,
    /// Person mail, auto-replies, ...
    pub kind: Choice,
    /// Acknowledged or not.
    pub acknowledge: Choice,
    /// Automatic messages that were acknowledged: must be 0.
    pub automatic_acknowledged: usize,
    /// Only copied in.
    pub copied: Choice,
    /// Urgent: the most important two figures.
    pub urgent: Counts,
    /// The same, with its confusion table.
    pub urgency: Choice,
    /// U1 to U10 together.
    pub grounds: Counts,
    /// S1 to S7 together.
    pub topics: Counts,
    /// Each of U1 to U10, S1 to S7 and `other`.
    pub each_ground: BTreeMap<String, Counts>,
    /// Called urgent with no ground.
    pub claimed_urgent: Counts,
    /// The team.
    pub queue: Choice,
    /// East or west.
    pub area: Choice,
    /// Chaser or not.
    pub chaser: Counts,
    /// Within, overdue, unclear, none.
    pub chaser_timing: Choice,
    /// Signposts together.
    pub signposts: Counts,
    /// Each signpost.
    pub each_signpost: BTreeMap<String, Counts>,
    /// Leadership referral.
    pub refer_leadership: Counts,
    /// Share of all messages marked for a human look.
    pub unsure_share: f64,
    /// Of the messages with a mistake in urgency or queue, the share so marked.
    pub unsure_among_wrong: f64,
    /// The mark for a human look, in full.
    pub unsure: Unsure,
    /// Every answer that differs.
    pub mistakes: Vec<Mistake>,
}

/// The policy's two lists, in their order; a list of figures names each, whether or not it occurred.
pub const GROUNDS: [&str; 18] = [
    "U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8", "U9", "U10", "S1", "S2", "S3", "S4", "S5", "S6", "S7",
    "other",
];

/// The signposts, in the policy's order.
pub const SIGNPOSTS: [&str; 8] = [
    "appointment",
    "report",
    "school-support",
    "disagreement",
    "complaint-service",
    "complaint-section-f",
    "complaint-school",
    "complaint-nhs",
];

/// The figures for these pairs.
pub fn score(pairs: &[(Label, Decision)]) -> Score {
    let seed = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), Counts::none())).collect();
    let none = Counts::none();
    let mut score = Score {
        messages: pairs.len(),
        urgent: none,
        grounds: none,
        topics: none,
        claimed_urgent: none,
        chaser: none,
        signposts: none,
        refer_leadership: none,
        each_ground: seed(&GROUNDS),
        each_signpost: seed(&SIGNPOSTS),
        ..Score::default()
    };
    let (mut wrong, mut unsure) = (Caught::default(), Unsure::default());
    for (label, decision) in pairs {
        let known = score.mistakes.len();
        add(&mut score, label, decision);
        let marked = decision.unsure;
        let urgency = label.urgency != name(&decision.urgency);
        let any = score.mistakes.len() > known;
        wrong.add(urgency || label.queue != name(&decision.queue), marked);
        unsure.marked += usize::from(marked);
        unsure.urgency.add(urgency, marked);
        unsure.any_label.add(any, marked);
        unsure.marked_in_vain += usize::from(marked && !any);
    }
    unsure.share = if pairs.is_empty() { 0.0 } else { share(unsure.marked, pairs.len()) };
    score.unsure_share = unsure.share;
    score.unsure_among_wrong = share(wrong.marked, wrong.wrong);
    score.unsure = unsure;
    score
}

fn add(score: &mut Score, label: &Label, decision: &Decision) {
    let person = label.kind == "person";
    let sent = decision.acknowledgement.is_sent();
    score.automatic_acknowledged += usize::from(!person && sent);
    let signposts: Vec<String> = decision.signposts.iter().map(name).collect();

    score.kind.add(&label.kind, &name(&decision.kind));
    score.acknowledge.add(yes_no(label.acknowledge), yes_no(sent));
    score.copied.add(yes_no(label.copied), yes_no(decision.copied));
    score.urgent.add(label.urgency == "urgent", name(&decision.urgency) == "urgent");
    score.urgency.add(&label.urgency, &name(&decision.urgency));
    score.queue.add(&label.queue, &name(&decision.queue));
    score.area.add(&label.area, &name(&decision.area));
    score.chaser.add(label.chaser != "none", name(&decision.chaser) != "none");
    score.chaser_timing.add(&label.chaser, &name(&decision.chaser));
    score.claimed_urgent.add(label.claimed_urgent, decision.claimed_urgent);
    score.refer_leadership.add(label.refer_leadership, decision.refer_leadership);
    let (wanted, got) = (set(&label.grounds), set(&decision.grounds));
    for id in wanted.union(&got) {
        let (wanted, got) = (wanted.contains(id), got.contains(id));
        score.each_ground.entry((*id).to_owned()).or_default().add(wanted, got);
        if id.starts_with('U') {
            score.grounds.add(wanted, got);
        } else if id.starts_with('S') {
            score.topics.add(wanted, got);
        }
    }
    let (wanted, got) = (set(&label.signposts), set(&signposts));
    for id in wanted.union(&got) {
        let (wanted, got) = (wanted.contains(id), got.contains(id));
        score.each_signpost.entry((*id).to_owned()).or_default().add(wanted, got);
        score.signposts.add(wanted, got);
    }

    let mut differ = |what: &str, wanted: String, got: String| {
        if wanted != got {
            score.mistakes.push(Mistake {
                file: label.file.clone(),
                label: what.to_owned(),
                wanted,
                got,
                unsure: decision.unsure,
                why: label.why.clone(),
                trace: decision.trace.clone(),
            });
        }
    };
    differ("kind", label.kind.clone(), name(&decision.kind));
    differ("acknowledge", yes_no(label.acknowledge).to_owned(), yes_no(sent).to_owned());
    differ("copied", yes_no(label.copied).to_owned(), yes_no(decision.copied).to_owned());
    differ("urgency", label.urgency.clone(), name(&decision.urgency));
    if decision.kind == Kind::Person || person {
        differ("grounds", list(&label.grounds), list(&decision.grounds));
    }
    differ(
        "claimed_urgent",
        yes_no(label.claimed_urgent).to_owned(),
        yes_no(decision.claimed_urgent).to_owned(),
    );
    differ("queue", label.queue.clone(), name(&decision.queue));
    differ("area", label.area.clone(), name(&decision.area));
    differ("chaser", label.chaser.clone(), name(&decision.chaser));
    differ("signposts", list(&label.signposts), list(&signposts));
    differ(
        "refer_leadership",
        yes_no(label.refer_leadership).to_owned(),
        yes_no(decision.refer_leadership).to_owned(),
    );
}

fn set(ids: &[String]) -> BTreeSet<&str> {
    ids.iter().map(String::as_str).collect()
}

fn list(ids: &[String]) -> String {
    set(ids).into_iter().collect::<Vec<_>>().join(" ")
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// The contract's name of a value: what it is in JSON.
fn name<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

#[allow(clippy::cast_precision_loss)]
fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { part as f64 / of as f64 }
}
