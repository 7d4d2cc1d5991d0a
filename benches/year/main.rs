//! A year.
fn main() {}
