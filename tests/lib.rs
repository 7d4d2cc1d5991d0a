//! All tests, in reading order.

mod grounds;
mod labelled;
mod message;
mod new_text;
mod rules;
