//! See labelling.md, `queue`.
