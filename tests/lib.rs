//! All tests, in reading order.

mod new_text;
