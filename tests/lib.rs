//! All tests, in reading order.
mod letters;
mod outbox;
