//! See labelling.md, `urgency`.
