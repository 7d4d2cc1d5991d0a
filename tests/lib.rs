//! All tests, in reading order.

mod mailbox;
mod support;
