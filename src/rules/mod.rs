//! What staff wrote: rules in YAML, compiled once, searched for all at once in each message.
//!
//! The language is explained for its writers in `rules/README.md`. Nothing here decides: a rule *holds* or not, with the
//! words that it rests on; [`crate::triage`] asks its questions of that.

use std::ops::Range;

use chrono::NaiveDate;

use crate::calendar::mention::{Mention, Term};
use crate::message::Message;

mod asked;
mod bits;
mod clause;
mod compile;
mod condition;
mod context;
pub mod diagnostic;
mod eval;
mod example;
mod found;
mod inflect;
pub mod json_schema;
pub mod learned;
mod lexicon;
mod lint;
mod matcher;
mod ordinary;
mod page;
mod phrase;
mod places;
mod program;
mod reading;
mod schema;
mod sentence;
mod slot;
pub mod source;
mod spelling;
mod spellings;
mod text;
mod together;
mod vocabulary;
mod waking;
mod whole;
mod wordlist;
mod workshop;
mod zone;

pub use compile::{compile, compile_known, compile_tested, everyday, examples};
pub use diagnostic::{Diagnostic, Severity};
pub use reading::text_of;
pub use sentence::sentence_at;

/// A rule file as read from disk (or from the built-in rules). `name` is its path relative to the rules folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// `urgent.yaml`, ...
    pub name: String,
    /// Its bytes; not yet known to be UTF-8.
    pub bytes: Vec<u8>,
}

/// Which question a rule helps to answer: the top-level key under which it stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// `grounds:` U1 to U10, in `urgent.yaml`.
    Grounds,
    /// `claims:` the sender calls it urgent, in `urgent.yaml`.
    Claims,
    /// `topics:` S1 to S7, in `topics.yaml`.
    Topics,
    /// `queues:` each with `queue:`, in `topics.yaml`.
    Queues,
    /// `chasers:` the sender chases an earlier contact, in `chasers.yaml`.
    Chasers,
    /// `signposts:` in `signposts.yaml`.
    Signposts,
    /// `leadership:` abuse and threats, in `leadership.yaml`.
    Leadership,
    /// `callbacks:` the Customer Service Centre asks for a call back, in `callbacks.yaml`.
    CallBacks,
    /// `kinds:` each with `kind:`, in `senders.yaml`.
    Kinds,
    /// `roles:` each with `role:`, in `senders.yaml`.
    Roles,
    /// `residence:` each with `says:`, in `areas.yaml`; its phrases use `{place}`.
    Residence,
    /// `answers:` each with `means:`, in `answers.yaml`: what staff write that is no answer yet.
    Answers,
    /// `follow-ups:` each with `tells:`, in `follow-ups.yaml`: what a message in a known thread is about.
    FollowUps,
    /// `steps:` each with `step:`, in `follow-ups.yaml`: steps of the escalation that the sender says to have taken.
    Steps,
}

/// One rule as it stands in force.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id, unique among all rules.
    pub id: String,
    /// Where it stands.
    pub group: Group,
    /// Its title, in the policy's words.
    pub title: String,
    /// The policy's clause.
    pub policy: String,
    /// The value of `queue:`, `kind:`, `role:`, `says:`, `means:`, `tells:` or `step:`; empty in the other groups.
    pub then: String,
}

/// Which part of a message a piece of evidence stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Zone {
    /// The subject line, less `Re:`, `Fwd:` and the like.
    Subject,
    /// The sender's new words.
    New,
    /// Forwarded words that the sender adopts.
    Adopted,
    /// The signature: evidence of area and role only.
    Signature,
    /// Quoted, forwarded, disclaimer: never counts; told in the trace.
    Quoted,
    /// A header field or an address: no text range.
    Header,
}

/// The words on which a rule's verdict rests.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Which part of the message.
    pub zone: Zone,
    /// Where in that zone's text, in bytes.
    pub range: Range<usize>,
    /// The words as written.
    pub text: String,
    /// The phrase of the rule that matched, as written in the file.
    pub phrase: String,
    /// The number of the sentence within its zone, from 0.
    pub sentence: usize,
    /// What `{date}`, `{place}`, `{number}` and vocabulary slots caught, in order.
    pub captures: Vec<Capture>,
}

/// What a slot of a phrase caught.
#[derive(Debug, Clone)]
pub enum Capture {
    /// `{date ...}`.
    Date(Mention),
    /// `{number ...}`.
    Number(f64),
    /// `{duration ...}`, in days.
    Duration(f64),
    /// `{place}`: the place as written, and the area in which it lies (`east`, `west`, `outside`).
    Place {
        /// As written.
        text: String,
        /// `east`, `west` or `outside`.
        area: String,
    },
    /// `{name}` of the vocabulary: the name, and the words.
    Word {
        /// The vocabulary list.
        list: String,
        /// As written.
        text: String,
    },
}

/// Words that were found but do not count, and why.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// The words.
    pub evidence: Evidence,
    /// Why, for staff: `negated by "not"`, `in quoted text`, `hypothetical: "if"`, `unless: "after his operation"`.
    pub reason: String,
    /// True where a person might see it otherwise: a near miss that makes the decision unsure.
    pub near_miss: bool,
}

/// One rule's verdict on one message.
#[derive(Debug, Clone)]
pub struct Verdict<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Whether it holds.
    pub holds: bool,
    /// On what it rests.
    pub evidence: Vec<Evidence>,
    /// What was found but set aside.
    pub set_aside: Vec<SetAside>,
}

/// A place named in the message, whether or not any rule speaks of it.
#[derive(Debug, Clone)]
pub struct PlaceMention {
    /// Which part of the message.
    pub zone: Zone,
    /// Where in that zone's text, in bytes.
    pub range: Range<usize>,
    /// As written.
    pub text: String,
    /// `east`, `west` or `outside`.
    pub area: String,
    /// The words say that it is the name of a school or college ("Hitchin Girls' School", "St Albans High").
    pub in_school_name: bool,
    /// A postcode rather than a name.
    pub postcode: bool,
}

/// All verdicts on one message. Rules with neither evidence nor anything set aside are not listed.
#[derive(Debug, Clone, Default)]
pub struct Reading<'r> {
    /// In the order of the files and of the rules in them.
    pub verdicts: Vec<Verdict<'r>>,
    /// Every place that is named.
    pub places: Vec<PlaceMention>,
    /// Every date that is mentioned in subject, new and adopted text, with its zone and sentence.
    pub dates: Vec<(Zone, usize, Mention)>,
    /// How much work it was, in steps of the matcher.
    pub steps: u64,
    /// The message is so long, or so odd, that not all of it was read: something may have been missed.
    pub incomplete: bool,
    /// How sure what was learned from examples is of each rule that it knows, from 0 to 1.
    pub sure: Vec<(&'r str, f32)>,
}

impl Verdict<'_> {
    /// Whether it rests on nothing but what was learned from examples.
    pub fn by_learned_alone(&self) -> bool {
        self.holds && self.evidence.iter().all(|one| one.phrase.starts_with(condition::LEARNED))
    }
}

impl<'r> Reading<'r> {
    /// How sure what was learned from examples is of a rule, from 0 to 1; `None` where it knows nothing of it.
    pub fn sure(&self, id: &str) -> Option<f32> {
        self.sure.iter().find(|(name, _)| *name == id).map(|(_, sure)| *sure)
    }

    /// The verdicts of one group, in order.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &Verdict<'r>> {
        self.verdicts.iter().filter(move |verdict| verdict.rule.group == group)
    }

    /// Whether the rule of this id holds.
    pub fn holds(&self, id: &str) -> bool {
        self.verdicts.iter().any(|verdict| verdict.rule.id == id && verdict.holds)
    }
}

/// All rules in force.
#[derive(Debug)]
pub struct Ruleset {
    rules: Vec<Rule>,
    /// What each rule asks, by the same index.
    bodies: Vec<Body>,
    /// The order in which they are settled: each after those that it names.
    order: Vec<usize>,
    lexicon: lexicon::Lexicon,
    matcher: matcher::Matcher,
    /// Tells which conditions are worth a look, by their place in `asked`.
    waking: waking::Waking<usize>,
    /// Rule and place under its `when` of each condition that words must wake.
    asked: Vec<(usize, usize)>,
    /// The conditions that may hold without any words: on headers, senders, other rules.
    always: Vec<(usize, usize)>,
    /// Tells which triggers of contexts are worth a look.
    trigger_waking: waking::Waking<usize>,
    contexts: context::Contexts,
    places: places::Places,
    /// What was learned from examples, where the file is there.
    learned: Option<learned::Learned>,
    /// Names of the vocabulary's lists, by number.
    list_names: Vec<String>,
    terms: Vec<Term>,
    domain: String,
    version: String,
    phrases: usize,
    examples: usize,
    /// What each file holds, in their order.
    pub files: Vec<FileCounts>,
    /// Mailboxes that rules name: the complaint to be made if there is no such mailbox.
    pub mailboxes: Vec<(String, Diagnostic)>,
    /// What `check` warns about.
    pub warnings: Vec<Diagnostic>,
}

/// What one file holds, for those who like to see that it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCounts {
    /// Its name.
    pub name: String,
    /// Rules in it.
    pub rules: usize,
    /// Phrases in it; lists of the vocabulary that name others are counted too.
    pub phrases: usize,
    /// Examples in it, all passed.
    pub examples: usize,
}

/// What a rule asks.
#[derive(Debug)]
struct Body {
    when: Vec<condition::Condition>,
    /// Which of these hold whatever was learned.
    outright: Vec<bool>,
    unless: Vec<condition::Condition>,
    /// Contexts that set aside what it finds.
    kinds: context::Kinds,
}

impl Ruleset {
    /// The rules' version: the first 12 hex digits of a hash over all files.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many phrases there are, those of the vocabulary among them.
    pub fn phrases(&self) -> usize {
        self.phrases
    }

    /// How many examples were run when the rules were compiled.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Reads one message, quoted words as well: they never count, but a person may ask what became of them.
    pub fn read<'r>(&'r self, message: &Message, circumstances: &Circumstances<'_>) -> Reading<'r> {
        reading::read(self, message, circumstances, true)
    }

    /// The same without quoted words, which are most of many messages: enough to decide.
    pub fn read_what_counts<'r>(
        &'r self,
        message: &Message,
        circumstances: &Circumstances<'_>,
    ) -> Reading<'r> {
        reading::read(self, message, circumstances, false)
    }
}

/// What a rule may ask about a message besides its words.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The day of receipt in London, to which dates in the text are relative.
    pub received_on: NaiveDate,
    /// The name of the mailbox that it arrived in.
    pub mailbox: &'a str,
    /// Where the team's mailbox stands.
    pub addressed: Addressed,
}

/// Where the team's mailbox stands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressed {
    /// In To.
    To,
    /// In Cc alone.
    Cc,
    /// Nowhere: Bcc, or an alias that is not known.
    Nowhere,
}

/// What the rules need to know of the world to be compiled.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// School terms, for "after half term".
    pub terms: Vec<Term>,
    /// The council's own domain, for `sender: council`.
    pub domain: String,
}

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
