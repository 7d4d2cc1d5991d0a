//! See labelling.md, `chaser`.
