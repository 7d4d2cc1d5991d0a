//! The cutting of new text from quotes, signature and disclaimer, of any text: what is called new was there, in that order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use send_triage::message::new_text;

fuzz_target!(|text: &str| {
    let divided = new_text::divide(text, "anna@home.example", "School");
    let mut rest = text;
    for word in divided.new.split_whitespace() {
        let at = rest.find(word).expect("a word of the new text that the message does not hold");
        rest = &rest[at + word.len()..];
    }
});
