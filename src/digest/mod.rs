//! The weekly digest: what it shows. What is counted is `figures.rs`'s to say, how it is told `letter/digest.rs`'s.

pub mod charts;
