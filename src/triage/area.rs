//! See labelling.md, `area`.
