//! See labelling.md, `leadership`.
