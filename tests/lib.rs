//! All tests, in reading order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod folder;
mod imap;
mod mailbox;
mod servers;
mod support;
mod tidy;
