//! All tests, in reading order.
<<<<<<< HEAD
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

<<<<<<< HEAD
<<<<<<< HEAD
mod journey;
mod letters;
=======
=======
>>>>>>> refs/heads/triage
mod message;
>>>>>>> refs/heads/message
mod new_text;
<<<<<<< HEAD
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
=======
mod rules;
>>>>>>> refs/heads/triage
