//! See labelling.md, `kind`.
