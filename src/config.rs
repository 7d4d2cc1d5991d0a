//! The configuration as types; secrets read from files.
