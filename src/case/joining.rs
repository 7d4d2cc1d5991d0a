//! Which case a message from outside belongs to: one that is there, or one of its own, linked to those it may concern.
//!
//! A message joins a case only if it refers to a message of it (RFC 5322 section 3.6.4) **and** its writer takes part in
//! it. [`Common`] is the proof of the second, [`Thread`] its only source, and [`Joins`] cannot be made without it:
//! putting one family's mail into another's case is a data breach. Subjects, case numbers and quoted ids prove nothing.
//! In doubt a message opens a case of its own, which is linked. Policy, email b and d; contact-process, steps 1 to 4.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::life::{Standing, State};
use super::{Labels, Reference};
use crate::triage::{Asks, Chaser};

/// A case to which a message refers, as it stands.
#[derive(Clone)]
pub struct Thread {
    /// Its number.
    pub case: i64,
    /// Its name.
    pub reference: Reference,
    /// When its first message was received.
    pub received_at: DateTime<Utc>,
    /// Its team, area and urgency; and the grounds of everything that the sender's side wrote.
    pub labels: Labels,
    /// How it stands.
    pub standing: Standing,
    /// Who takes part in it.
    pub people: People,
}

/// Who takes part in a case: who has written in it, and whom staff have written to. Somebody whom the sender copied in is
/// not among them: a separated parent, a colleague at school.
#[derive(Clone, Default)]
pub struct People {
    wrote: BTreeSet<String>,
    addressed: BTreeSet<String>,
}

impl People {
    /// Somebody on the sender's side has written: From or Reply-To.
    pub fn wrote(&mut self, address: &str) {
        self.wrote.insert(address.to_lowercase());
    }

    /// Staff have written to somebody: To.
    pub fn staff_addressed(&mut self, address: &str) {
        self.addressed.insert(address.to_lowercase());
    }

    /// All of them, each once.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.wrote.union(&self.addressed).map(String::as_str)
    }
}

/// The proof that a writer takes part in a case: from [`Thread::common`] alone.
#[derive(Clone, Copy)]
pub struct Common<'t> {
    thread: &'t Thread,
}

impl Thread {
    /// The proof that a writer takes part in it, by all the addresses that the message gives for its writer (From and
    /// Reply-To: behind one From there may be many people, each with a Reply-To of their own). `None`: no such thing.
    pub fn common(&self, writer: &[&str]) -> Option<Common<'_>> {
        self.common_of(writer, true)
    }

    /// The same, of those alone who have written in it.
    pub fn common_writer(&self, writer: &[&str]) -> Option<Common<'_>> {
        self.common_of(writer, false)
    }

    fn common_of(&self, writer: &[&str], addressed_too: bool) -> Option<Common<'_>> {
        let takes_part = |address: &&str| {
            let address = address.to_lowercase();
            !address.is_empty()
                && (self.people.wrote.contains(&address)
                    || (addressed_too && self.people.addressed.contains(&address)))
        };
        (!writer.is_empty() && writer.iter().all(takes_part)).then_some(Common { thread: self })
    }
}

/// A message that belongs to a case that is there.
#[derive(Clone, Copy)]
pub struct Joins<'t> {
    common: Common<'t>,
    /// As what.
    pub part: Part,
}

impl<'t> Joins<'t> {
    /// The case: that of the proof.
    pub fn thread(&self) -> &'t Thread {
        self.common.thread
    }
}

/// As what a message joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It asks again.
    Chaser,
    /// It tells something more.
    Addition,
    /// It only says thank you.
    Thanks,
    /// It is an earlier message sent again, word for word (policy, email b).
    SentAgain,
}

/// What a message is to the cases that are there.
pub enum Judgement<'t> {
    /// It belongs to one.
    Joins(Joins<'t>),
    /// It opens one, linked to these, each with the reason in words for staff.
    Opens(Vec<(&'t Thread, String)>),
    /// It opens none and joins none: a thank-you for something that we do not know.
    Nothing,
}

/// What is asked about a message.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// Who wrote it: From, and Reply-To where it has one. Empty: an address that many share, and that takes no replies.
    pub writer: &'a [&'a str],
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// It answers something: it has In-Reply-To or References.
    pub is_reply: bool,
    /// It chases.
    pub chaser: Chaser,
    /// It only says thank you.
    pub thanks: bool,
    /// What it asks for.
    pub asks: Asks,
    /// The grounds that hold.
    pub grounds: &'a [String],
    /// It goes to the SEND Resolution Team.
    pub resolution: bool,
}

/// A message of the same sender with the same subject and the same new words, and its case.
#[derive(Clone, Copy)]
pub struct SameWords<'t> {
    /// Its case.
    pub thread: &'t Thread,
    /// When it was received.
    pub received_at: DateTime<Utc>,
}

/// Which case it belongs to. `threads` are the cases to which it refers, the nearest first; `own` is the waiting case of what
/// its writer wrote earlier in the same conversation; `waiting` are the writer's cases that wait for an answer.
pub fn judge<'t>(
    incoming: Incoming<'_>,
    threads: &'t [Thread],
    own: Option<&'t Thread>,
    same: Option<SameWords<'t>>,
    waiting: &'t [Thread],
) -> Judgement<'t> {
    if let Some(common) = same.and_then(|same| sent_again(incoming, same)) {
        return Judgement::Joins(Joins { common, part: Part::SentAgain });
    }
    let strangers = || threads.iter().filter(|thread| thread.common(incoming.writer).is_none());
    let Some(common) = threads.first().and_then(|nearest| nearest.common(incoming.writer)) else {
        if incoming.thanks && incoming.is_reply {
            return Judgement::Nothing;
        }
        if let Some(common) = own.and_then(|own| adds_to_its_own(incoming, own)) {
            return Judgement::Joins(Joins { common, part: Part::Addition });
        }
        let mut links: Vec<(&Thread, String)> = strangers()
            .map(|thread| {
                (thread, "It refers to a message of that case; its sender has no part in it.".to_owned())
            })
            .collect();
        let own = threads.iter().filter(|thread| thread.common(incoming.writer).is_some());
        links.extend(
            own.map(|thread| (thread, "It refers to a message of that case, and to other cases.".to_owned())),
        );
        if incoming.chaser != Chaser::None {
            links.extend(waiting.iter().map(|thread| {
                (thread, "It chases and does not say what; this sender waits for an answer here.".to_owned())
            }));
        }
        return Judgement::Opens(each_once(links));
    };
    let thread = common.thread;
    match part(incoming, thread) {
        Ok(part) => Judgement::Joins(Joins { common, part }),
        Err(why) => Judgement::Opens(vec![(thread, why)]),
    }
}

/// A reply to all answers whoever wrote last. What its writer said in the same conversation before is their own case, and the only
/// one that it can add to; on the same day also with what it asks, for people who are annoyed repeat themselves.
fn adds_to_its_own<'t>(incoming: Incoming<'_>, own: &'t Thread) -> Option<Common<'t>> {
    let since = incoming.received_at - own.received_at;
    let on_the_same_day = since >= chrono::TimeDelta::zero() && since.num_days() < 1;
    let asks = match incoming.asks {
        Asks::Something if on_the_same_day => Asks::Nothing,
        asks => asks,
    };
    let common = own.common_writer(incoming.writer)?;
    matches!(part(Incoming { asks, ..incoming }, own), Ok(Part::Addition)).then_some(common)
}

/// As what it joins the case that it refers to and whose writer takes part in it, or why it has one of its own.
fn part(incoming: Incoming<'_>, thread: &Thread) -> Result<Part, String> {
    let new: Vec<&str> = incoming
        .grounds
        .iter()
        .map(String::as_str)
        .filter(|ground| {
            ground.starts_with('U') && !thread.labels.grounds.iter().any(|known| known == ground)
        })
        .collect();
    if !new.is_empty() {
        return Err(format!("It follows that case, with an urgent ground that is new: {}.", new.join(", ")));
    }
    if incoming.thanks {
        return Ok(Part::Thanks);
    }
    if incoming.asks == Asks::AnotherMatter {
        return Err("It follows that case and asks about another matter.".to_owned());
    }
    let waits = thread.standing.state.is_waiting();
    match (incoming.chaser, incoming.asks, thread.standing.state) {
        (_, _, State::Closed) => Err("It follows that case, which was closed.".to_owned()),
        (Chaser::None, _, _) if incoming.resolution && thread.labels.queue != "resolution" => {
            Err("It follows that case and goes to the Resolution Team.".to_owned())
        }
        (Chaser::None, Asks::Nothing, _) if waits => Ok(Part::Addition),
        (Chaser::None, Asks::Nothing, _) => {
            Err("It follows that case, which was answered before.".to_owned())
        }
        (Chaser::None, _, _) => Err("It follows that case and asks something.".to_owned()),
        _ => Ok(Part::Chaser),
    }
}

/// Word for word the same within the time of the case: a copy. Days later the same chaser is a chaser again.
fn sent_again<'t>(incoming: Incoming<'_>, same: SameWords<'t>) -> Option<Common<'t>> {
    let again = incoming.received_at - same.received_at;
    let soon = again.num_days() < 1;
    let waits = same.thread.standing.state.is_waiting();
    let in_time = !same.thread.standing.is_overdue(crate::calendar::london::date(incoming.received_at));
    let is_copy =
        again >= chrono::TimeDelta::zero() && waits && in_time && (soon || incoming.chaser == Chaser::None);
    same.thread.common(incoming.writer).filter(|_| is_copy && !incoming.thanks)
}

fn each_once(links: Vec<(&Thread, String)>) -> Vec<(&Thread, String)> {
    let mut seen = BTreeSet::new();
    links.into_iter().filter(|(thread, _)| seen.insert(thread.case)).collect()
}

#[cfg(test)]
mod tests;
