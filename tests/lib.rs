//! All tests, in reading order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod commands;
mod explained;
mod faults;
mod folder;
mod grounds;
mod imap;
mod journey;
mod labelled;
mod letters;
mod mailbox;
mod message;
mod new_text;
mod outbox;
mod record;
mod rules;
mod servers;
mod support;
mod tidy;
