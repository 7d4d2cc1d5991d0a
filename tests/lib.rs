//! All tests, in reading order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answered;
mod cases;
mod cases_page;
mod check;
mod commands;
mod explained;
mod faults;
mod folder;
mod follow_ups;
mod grounds;
mod guide;
mod imap;
mod joining;
mod journey;
mod labelled;
mod letters;
mod life;
mod mailbox;
mod message;
mod moves;
mod new_text;
mod outbox;
mod record;
mod reload;
mod replay;
mod replies;
mod rules;
mod schema;
mod servers;
mod suggest;
mod support;
mod tidy;
