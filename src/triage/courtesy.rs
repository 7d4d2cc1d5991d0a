//! What a message says in a thread: nothing but thanks, something asked for, another matter; and which steps of the
//! escalation its sender says to have taken.
//!
//! The words are staff's, in `rules/follow-ups.yaml`. Whether any of it counts depends on the thread, which is not known here;
//! where in doubt, something is asked. Policy, email a and d; contact-process, steps 1 to 4.

use super::Finding;
use crate::message::Message;
use crate::rules::{Group, Reading};

/// What a message says that matters where it stands in a known thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// Nothing but thanks.
    pub thanks: bool,
    /// What it asks for.
    pub asks: Asks,
    /// The furthest step of the escalation that the sender says to have taken, 2 to 4.
    pub step_taken: Option<u8>,
    /// It is written over the protocol's head, to a head of service, a director, a councillor or an MP.
    pub over_heads: bool,
}

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asks {
    /// Nothing: it tells something.
    #[default]
    Nothing,
    /// Something, perhaps what was asked before.
    Something,
    /// Something besides what the thread is about, in so many words.
    AnotherMatter,
}

/// Reads it off the rules' verdicts.
pub fn said(message: &Message, reading: &Reading<'_>, trace: &mut Vec<Finding>) -> Said {
    let mut said = Said::default();
    // A question mark asks, whatever the words; one in an address of the web does not.
    let new = &message.new_text;
    if [&new.new, &new.adopted].iter().any(|text| has_question(text)) {
        said.asks = Asks::Something;
    }
    for verdict in reading.group(Group::FollowUps).filter(|verdict| verdict.holds) {
        match verdict.rule.then.as_str() {
            "thanks" => {
                said.thanks = true;
                trace.push(Finding::noted(verdict, verdict.rule.title.clone()));
            }
            "request" if said.asks == Asks::Nothing => said.asks = Asks::Something,
            "another-matter" => {
                said.asks = Asks::AnotherMatter;
                trace.push(Finding::noted(verdict, verdict.rule.title.clone()));
            }
            _ => {}
        }
    }
    for verdict in reading.group(Group::Steps).filter(|verdict| verdict.holds) {
        let step = match verdict.rule.then.as_str() {
            "team-lead" => 2,
            "senior-manager" => 3,
            _ => 4,
        };
        said.step_taken = said.step_taken.max(Some(step));
        trace.push(Finding::noted(verdict, verdict.rule.title.clone()));
    }
    said
}

/// A question mark that ends something, not one inside an address of the web.
fn has_question(text: &str) -> bool {
    text.match_indices('?').any(|(at, _)| {
        let word = text.get(..at).unwrap_or_default().rsplit(char::is_whitespace).next().unwrap_or_default();
        !word.contains("://") && !word.starts_with("www.")
    })
}
