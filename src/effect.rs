//! What follows from a decision, written down before it is done. Each effect is idempotent and retried.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::letter::Letter;

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
