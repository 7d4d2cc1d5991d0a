//! What is wrong with rules that can be read: phrases that can never match, match everything, or add nothing.
//!
//! Only complaints; nothing here changes what a rule means. The words of the complaints are for the officer who edits the
//! rules (design, section 3).

pub mod near;
pub mod never;
pub mod shadow;
pub mod wide;
