//! The sender's new words, cut from quoted messages, forwarded history, signature and disclaimer.
//!
//! labelling.md, opening: only what the sender says now counts; forwarded text counts when the sender adopts it
//! ("see below"); a signature is weak evidence of area.

/// A text divided into what is new and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewText {
    /// What the sender newly wrote.
    pub new: String,
    /// Forwarded or quoted text that the sender adopts as their own ("see below, please act on it"); else empty.
    pub adopted: String,
    /// The sender's signature block; evidence of area and role only.
    pub signature: String,
    /// Everything that was cut, in order, with the reason.
    pub cuts: Vec<Cut>,
}

/// One piece that was cut away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Why.
    pub reason: CutReason,
    /// The text.
    pub text: String,
}

/// Why a piece does not count as the sender's new words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutReason {
    /// A reply's quotation of an older message.
    Quote,
    /// A forwarded message.
    Forward,
    /// A signature.
    Signature,
    /// A confidentiality notice, "Sent from my iPhone", an external-sender banner.
    Disclaimer,
}
