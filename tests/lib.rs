//! All tests, in reading order.

mod rules;
