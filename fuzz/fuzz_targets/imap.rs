//! Any bytes as what an IMAP server says. See `targets.rs`.
#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code)]
mod targets;

/// The codec panics at some words, which costs the connection and nothing else. libFuzzer's own hook would end the process at
/// any panic, even one that is caught; at this one the hook is silent, and one that is not caught still ends the process.
fn forgive_the_codec() {
    let strict = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("imap-proto")) {
            strict(panic);
        }
    }));
}

libfuzzer_sys::fuzz_target!(init: forgive_the_codec(), |bytes: &[u8]| targets::imap(bytes));
