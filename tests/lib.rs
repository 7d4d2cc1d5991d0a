//! All tests, in reading order.

mod record;
