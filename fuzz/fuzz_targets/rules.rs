//! Any bytes as a rule file: taken up, or refused with complaints that have a place in it. Nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use send_triage::rules::{SourceFile, World, compile_known, diagnostic};

fuzz_target!(|bytes: &[u8]| {
    let file = |name: &str, bytes: &[u8]| SourceFile { name: name.to_owned(), bytes: bytes.to_vec() };
    let vocabulary = b"vocabulary:\n  child: [my (son | daughter)]\n";
    let files = [file("urgent.yaml", bytes), file("vocabulary.yaml", vocabulary)];
    if let Err(complaints) = compile_known(&files, &World::default()) {
        assert!(!complaints.is_empty(), "refused without a word");
        let _ = diagnostic::listed(&complaints);
    }
});
