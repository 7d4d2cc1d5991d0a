//! All tests, in reading order.

mod message;
mod new_text;
mod rules;
