//! All tests, in reading order.
<<<<<<< HEAD
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

<<<<<<< HEAD
mod journey;
mod letters;
=======
mod message;
>>>>>>> refs/heads/message
mod new_text;
mod outbox;
mod record;
mod rules;
mod servers;
mod support;
mod tidy;
=======

mod mailbox;
mod support;
>>>>>>> refs/heads/mailbox
