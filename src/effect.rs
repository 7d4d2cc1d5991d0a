//! What follows from a decision, written down before it is done. Each effect is idempotent and retried.
//!
//! Planning is pure: from a message, its decision and what is configured, to a list. Nothing here sends or files.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::case::Correction;
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
    /// Tell somebody something else: reminders, a referral, a history for the Resolution Team, where an email was passed on.
    Notice {
        /// The account that sends it.
        account: String,
        /// The finished letter.
        letter: Letter,
        /// What it tells of, such as `reminder/2026-11-23`: told once to each recipient.
        topic: String,
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
        if decision.kind != Kind::Person && !decision.is_call_back() {
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

    /// What a message's lying in this folder says of it: the other way round of [`Routing::destination`]. `None`: nothing
    /// (the folder is no team's and no kind's). `queue` is the message's queue and `kind` its kind so far: where several
    /// share the folder, these are not contradicted.
    pub fn meaning(&self, place: &Destination, kind: &str, queue: &str) -> Option<Correction> {
        // A call-back is staff's own mail and has a queue all the same: its folder does not say that it is anything else.
        let of_queue = if kind == "internal" && queue != "none" { kind } else { "person" };
        let person = || Some(of_queue.to_owned());
        let mut of_queues = Vec::new();
        for (name, (account, folder)) in &self.queues {
            if account.as_ref().is_some_and(|account| *account != place.account) {
                continue;
            }
            let below = place.folder.strip_prefix(folder.as_str());
            match below.map(|rest| rest.strip_prefix('/').ok_or(rest)) {
                Some(Ok(below)) if below == self.urgent_subfolder => of_queues.push((*name, "urgent")),
                Some(Ok(below)) if self.unsure_subfolder.as_deref() == Some(below) => {
                    of_queues.push((*name, "standard"));
                }
                Some(Err("")) => of_queues.push((*name, "standard")),
                _ => {}
            }
        }
        if let Some((first, urgency)) = of_queues.first() {
            let one = of_queues.iter().map(|(name, _)| *name).find(|name| *name == queue);
            let queue = one.or((of_queues.len() == 1).then_some(*first)).map(str::to_owned);
            return Some(Correction {
                kind: person(),
                urgency: Some((*urgency).to_owned()),
                queue,
                ..Correction::default()
            });
        }
        let mut of_kinds =
            self.kinds.iter().filter(|(_, folder)| **folder == place.folder).map(|(name, _)| *name);
        let first = of_kinds.clone().next()?;
        let kind = of_kinds.find(|name| *name == kind).unwrap_or(first);
        Some(Correction { kind: Some(kind.to_owned()), ..Correction::default() })
    }

    /// Every folder that messages which came to this account, or are passed on to it, are filed into.
    pub fn folders_of(&self, account: &str) -> Vec<String> {
        let mut folders = Vec::new();
        for (at, folder) in self.queues.values() {
            if at.as_ref().is_none_or(|at| at == account) {
                folders.push(folder.clone());
                let below = std::iter::once(&self.urgent_subfolder).chain(&self.unsure_subfolder);
                folders.extend(below.map(|below| format!("{folder}/{below}")));
            }
        }
        let others = self.kinds.values().chain(&self.copied).chain(&self.duplicates).chain([&self.set_aside]);
        folders.extend(others.cloned());
        folders.sort();
        folders.dedup();
        folders
    }

    /// Filing for a decided message.
    pub fn file(&self, arrived_in: &str, decision: &Decision) -> Option<Effect> {
        let to = self.destination(arrived_in, decision)?;
        let flagged =
            decision.queue != Queue::None && decision.urgency == Urgency::Urgent && !decision.copied;
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
            said: crate::triage::Said::default(),
            due: None,
            role: None,
            spoke: Vec::new(),
            trace: Vec::new(),
            rules_version: String::new(),
        }
    }

    fn routing() -> Routing {
        Routing {
            queues: BTreeMap::from([
                ("general", (None, "Triage/General".to_owned())),
                ("assessment", (Some("assessment".to_owned()), "Triage/Assessment".to_owned())),
                ("annual-review-east", (None, "Triage/Reviews".to_owned())),
                ("annual-review-west", (None, "Triage/Reviews".to_owned())),
            ]),
            urgent_subfolder: "Urgent".to_owned(),
            unsure_subfolder: Some("Unsure".to_owned()),
            kinds: BTreeMap::from([
                ("auto-reply", "Triage/Automatic".to_owned()),
                ("bounce", "Triage/Automatic".to_owned()),
            ]),
            ..Routing::default()
        }
    }

    fn meaning(account: &str, folder: &str, kind: &str, queue: &str) -> Option<[Option<String>; 3]> {
        let place = Destination { account: account.to_owned(), folder: folder.to_owned() };
        routing().meaning(&place, kind, queue).map(|it| [it.kind, it.urgency, it.queue])
    }

    #[test]
    fn a_folder_says_what_the_message_in_it_is() {
        let person = |urgency: &str, queue: Option<&str>| {
            Some([Some("person".to_owned()), Some(urgency.to_owned()), queue.map(str::to_owned)])
        };
        let general = |folder: &str| meaning("general", folder, "person", "x");
        assert_eq!(general("Triage/General"), person("standard", Some("general")));
        assert_eq!(general("Triage/General/Unsure"), person("standard", Some("general")));
        assert_eq!(
            meaning("assessment", "Triage/Assessment/Urgent", "person", "x"),
            person("urgent", Some("assessment"))
        );
        assert_eq!(general("Triage/Assessment"), None, "another account's folder");
        assert_eq!(general("Triage/General/Done"), None);
        assert_eq!(general("Triage/GeneralUrgent"), None);
        let machine = |kind: &str| Some([Some(kind.to_owned()), None, None]);
        assert_eq!(meaning("general", "Triage/Automatic", "bounce", "none"), machine("bounce"));
        assert_eq!(meaning("general", "Triage/Automatic", "person", "general"), machine("auto-reply"));
    }

    #[test]
    fn where_teams_share_a_folder_none_is_guessed() {
        let reviews =
            |queue| meaning("general", "Triage/Reviews/Urgent", "person", queue).unwrap()[2].clone();
        assert_eq!(reviews("annual-review-west").as_deref(), Some("annual-review-west"));
        assert_eq!(reviews("general"), None);
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
