//! What happened since the start that the record does not keep: troubles with servers, and how long decisions took. Tasks write
//! it down as they go; nothing is decided by it.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::mailbox::MailboxError;
use crate::outbox::DeliveryError;
use crate::record::RecordError;

use super::super::Trouble;
use super::text::Histogram;

/// With what there was trouble, and of which sort.
pub(super) const TROUBLES: &[(&str, &str)] = &[
    ("mailbox", "transient"),
    ("mailbox", "needs-a-person"),
    ("mailbox", "uid-validity-changed"),
    ("mailbox", "another-at-work"),
    ("post", "transient"),
    ("post", "permanent"),
    ("post", "needs-a-person"),
    ("post", "uncertain"),
    ("record", "transient"),
    ("record", "needs-a-person"),
];

/// A decision takes milliseconds; a long message with a thousand rules perhaps a tenth of a second.
const DECIDING: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];

/// Account, with what, of which sort.
type Key = (String, &'static str, &'static str);

/// What happened since the start.
#[derive(Debug)]
pub struct Tally {
    troubles: RefCell<BTreeMap<Key, u64>>,
    deciding: RefCell<Histogram>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { troubles: RefCell::default(), deciding: RefCell::new(Histogram::new(DECIDING)) }
    }
}

impl Tally {
    /// A task of this account could not go on for now.
    pub fn trouble(&self, account: &str, trouble: &Trouble) {
        match trouble {
            Trouble::Mailbox(error) => self.mailbox(account, error),
            Trouble::Record(error) => self.record(account, error),
            Trouble::Another(_) => self.note(account, "mailbox", "another-at-work"),
        }
    }

    /// Something failed in this account's mailbox.
    pub fn mailbox(&self, account: &str, error: &MailboxError) {
        let kind = match error {
            MailboxError::NeedsAPerson { .. } => "needs-a-person",
            MailboxError::UidValidityChanged { .. } => "uid-validity-changed",
            MailboxError::Transient { .. } => "transient",
        };
        self.note(account, "mailbox", kind);
    }

    /// A letter of this account could not be handed over.
    pub fn delivery(&self, account: &str, error: &DeliveryError) {
        match error {
            DeliveryError::Transient { .. } => self.note(account, "post", "transient"),
            DeliveryError::Permanent { .. } => self.note(account, "post", "permanent"),
            DeliveryError::NeedsAPerson { .. } => self.note(account, "post", "needs-a-person"),
            DeliveryError::Uncertain { .. } => self.note(account, "post", "uncertain"),
            DeliveryError::NotCommitted => self.note(account, "record", "transient"),
        }
    }

    /// The record could not be read or written.
    pub fn record(&self, account: &str, error: &RecordError) {
        let kind = if error.needs_a_person() { "needs-a-person" } else { "transient" };
        self.note(account, "record", kind);
    }

    /// A message was decided, and it took so long.
    pub fn decided(&self, took: Duration) {
        self.deciding.borrow_mut().observe(took.as_secs_f64());
    }

    fn note(&self, account: &str, with: &'static str, kind: &'static str) {
        *self.troubles.borrow_mut().entry((account.to_owned(), with, kind)).or_default() += 1;
    }

    /// How often there was this trouble.
    pub(super) fn times(&self, account: &str, with: &'static str, kind: &'static str) -> u64 {
        self.troubles.borrow().get(&(account.to_owned(), with, kind)).copied().unwrap_or_default()
    }

    pub(super) fn deciding(&self) -> Ref<'_, Histogram> {
        self.deciding.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_that_is_noted_stands_on_the_page() {
        let tally = Tally::default();
        let said = String::new;
        for error in [
            DeliveryError::Transient { server_said: said() },
            DeliveryError::Permanent { server_said: said() },
            DeliveryError::NeedsAPerson { problem: said(), remedy: said() },
            DeliveryError::Uncertain { detail: said() },
            DeliveryError::NotCommitted,
        ] {
            tally.delivery("general", &error);
        }
        let path = std::path::PathBuf::new;
        tally.record("general", &RecordError::Busy { path: path() });
        tally.record("general", &RecordError::Full { path: path() });
        let noted = tally.troubles.borrow();
        assert!(noted.keys().all(|(_, with, kind)| TROUBLES.contains(&(*with, *kind))), "{noted:?}");
        assert_eq!(noted.values().sum::<u64>(), 7);
        assert_eq!(tally.times("general", "record", "transient"), 2);
    }
}
