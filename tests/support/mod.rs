//! What several tests need.

pub mod fake_imap;
