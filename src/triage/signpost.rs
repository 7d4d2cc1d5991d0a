//! See labelling.md, `signpost`.
