//! What follows from a decision, written down before it is done. Each effect is idempotent and retried.
//!
//! Planning is pure: from a message, its decision and what is configured, to a list. Nothing here sends or files.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::letter::Letter;
use crate::triage::{Decision, Kind, Queue, Urgency};

/// A folder of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// The account's name in the configuration.
    pub account: String,
    /// The folder's name in Unicode, levels divided by `/` whatever the server's delimiter is.
    pub folder: String,
}

/// One thing to be done. The record keeps it until it is done, or a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Send the acknowledgement by SMTP, from the account that was written to.
    Acknowledge {
        /// The account that sends it.
        account: String,
        /// The finished letter.
        letter: Letter,
    },
    /// Put a copy of a letter that was sent into the account's Sent folder, unless the server has done so.
    KeepCopy {
        /// The account.
        account: String,
        /// The letter.
        letter: Letter,
    },
    /// File the message from where it was found.
    File {
        /// Where to.
        to: Destination,
        /// Whether to set \Flagged, where the server allows it.
        flagged: bool,
    },
    /// Tell duty staff about urgent mail.
    Alert {
        /// The account that sends it.
        account: String,
        /// The finished letter.
        letter: Letter,
        /// Not before this instant (policy, email f).
        not_before: DateTime<Utc>,
    },
}

/// Which message goes to which folder.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// Each queue's folder, and the account if it is always the same one.
    pub queues: BTreeMap<&'static str, (Option<String>, String)>,
    /// The subfolder of a queue's folder that urgent messages go to.
    pub urgent_subfolder: String,
    /// The subfolder of a queue's folder that standard messages go to when a person should look at the decision.
    pub unsure_subfolder: Option<String>,
    /// The folder of each kind that is not a person's mail; the others stay in the inbox.
    pub kinds: BTreeMap<&'static str, String>,
    /// Person's mail in which the team only stands in Cc.
    pub copied: Option<String>,
    /// A further copy of a message that is filed already.
    pub duplicates: Option<String>,
    /// What could not be read or decided.
    pub set_aside: String,
}

/// A queue's name in configuration, JSON and the record.
pub fn queue_name(queue: Queue) -> &'static str {
    match queue {
        Queue::Resolution => "resolution",
        Queue::Assessment => "assessment",
        Queue::AnnualReviewEast => "annual-review-east",
        Queue::AnnualReviewWest => "annual-review-west",
        Queue::General => "general",
        Queue::None => "none",
    }
}

/// A kind's name in configuration, JSON and the record.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "person",
        Kind::AutoReply => "auto-reply",
        Kind::Bounce => "bounce",
        Kind::List => "list",
        Kind::Internal => "internal",
        Kind::Calendar => "calendar",
    }
}

impl Routing {
    /// Where a message that arrived in this account goes; `None`: it stays where it is.
    pub fn destination(&self, arrived_in: &str, decision: &Decision) -> Option<Destination> {
        let here = |folder: &String| Destination { account: arrived_in.to_owned(), folder: folder.clone() };
        if decision.kind != Kind::Person {
            return self.kinds.get(kind_name(decision.kind)).map(here);
        }
        if decision.copied || decision.queue == Queue::None {
            return self.copied.as_ref().map(here);
        }
        let (account, folder) = self.queues.get(queue_name(decision.queue))?;
        // Urgent messages are looked at one by one in any case: a second folder would only hide some of them.
        let below = match decision.urgency {
            Urgency::Urgent => Some(&self.urgent_subfolder),
            Urgency::Standard => self.unsure_subfolder.as_ref().filter(|_| decision.unsure),
        };
        let folder = below.map_or_else(|| folder.clone(), |below| format!("{folder}/{below}"));
        Some(Destination { account: account.clone().unwrap_or_else(|| arrived_in.to_owned()), folder })
    }

    /// Filing for a decided message.
    pub fn file(&self, arrived_in: &str, decision: &Decision) -> Option<Effect> {
        let to = self.destination(arrived_in, decision)?;
        let flagged =
            decision.kind == Kind::Person && decision.urgency == Urgency::Urgent && !decision.copied;
        Some(Effect::File { to, flagged })
    }

    /// Filing for a further copy of a message that is known.
    pub fn file_duplicate(&self, arrived_in: &str) -> Option<Effect> {
        let folder = self.duplicates.clone()?;
        Some(Effect::File { to: Destination { account: arrived_in.to_owned(), folder }, flagged: false })
    }

    /// Filing for a message that a person must look at.
    pub fn file_set_aside(&self, arrived_in: &str) -> Effect {
        Effect::File {
            to: Destination { account: arrived_in.to_owned(), folder: self.set_aside.clone() },
            flagged: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::{Acknowledgement, Area, Chaser, Why};

    fn decision(urgency: Urgency, unsure: bool) -> Decision {
        Decision {
            kind: Kind::Person,
            acknowledgement: Acknowledgement::Withhold(Why::SwitchedOff),
            copied: false,
            urgency,
            grounds: Vec::new(),
            claimed_urgent: false,
            queue: Queue::General,
            area: Area::Unknown,
            chaser: Chaser::None,
            signposts: Vec::new(),
            refer_leadership: false,
            unsure,
            due: None,
            trace: Vec::new(),
            rules_version: String::new(),
        }
    }

    #[test]
    fn what_a_person_should_look_at_lies_in_a_folder_that_staff_see() {
        let mut routing = Routing {
            queues: BTreeMap::from([("general", (None, "Triage/General".to_owned()))]),
            urgent_subfolder: "Urgent".to_owned(),
            unsure_subfolder: Some("Unsure".to_owned()),
            ..Routing::default()
        };
        let folder = |routing: &Routing, urgency, unsure| {
            routing.destination("general", &decision(urgency, unsure)).unwrap().folder
        };
        assert_eq!(folder(&routing, Urgency::Standard, false), "Triage/General");
        assert_eq!(folder(&routing, Urgency::Standard, true), "Triage/General/Unsure");
        assert_eq!(folder(&routing, Urgency::Urgent, true), "Triage/General/Urgent", "never out of sight");
        routing.unsure_subfolder = None;
        assert_eq!(folder(&routing, Urgency::Standard, true), "Triage/General");
    }
}
