//! All tests, in reading order.
