//! Whether the sender gets the automatic acknowledgement.
//!
//! Policy, email a, promises one to every email; RFC 3834 asks that machines get none. Each question can only withhold,
//! and says why; the first that does wins.

/// Whether the sender is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Yes, to this address.
    Send {
        /// Where it goes: From's address.
        to: String,
    },
    /// No, and why.
    Withhold(Why),
}

/// Why an acknowledgement is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Not written by a person; the kind says what it is.
    NotAPerson,
    /// The team stands only in Cc or Bcc (policy, email b and c).
    OnlyCopied,
    /// The sender's address says that it takes no replies.
    NoReplyAddress,
    /// There is no address to answer.
    NoAddress,
    /// The envelope sender is null (RFC 3834 section 2).
    NullSender,
    /// Auto-Submitted says that it is automatic (RFC 3834 section 2).
    AutoSubmitted,
    /// A list or bulk header (RFC 5230 section 4.6).
    ListOrBulk,
    /// X-Auto-Response-Suppress asks for none.
    SuppressionAsked,
    /// Our own mailbox, or the council's own domain.
    OwnDomain,
    /// Received before this mailbox was taken into use.
    BeforeGoLive,
    /// Older than the configured age when it was first seen.
    TooOld,
    /// This sender has had as many as a day allows.
    SenderLimit,
    /// This sender's domain has had as many as an hour allows.
    DomainLimit,
    /// We have sent as many as an hour allows.
    OverallLimit,
}
