//! So many passes over the mail and nothing else, to be run below callgrind: instructions for each message are the figure
//! that does not waver with the machine.
//!
//! `valgrind --tool=callgrind --toggle-collect='*measured*' target/release/deps/passes-... decide fixtures 3`
//! counts only what is measured, not the reading of the rules.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::hint::black_box;
use std::path::Path;

use send_triage::config::{Config, EXAMPLE};
use send_triage::daemon::in_force::{self, Set};
use send_triage::message::{self, Message};
use send_triage::triage::{History, triage};

mod corpus;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [what, mail, passes] = wanted.as_slice() else {
        println!(
            "passes: give what to measure (mail-parser, parse, decide, both), on what (fixtures, ordinary), and how often"
        );
        return;
    };
    let corpus = if mail == "ordinary" { corpus::realistic(200, 1) } else { corpus::fixtures() };
    let config = Config::parse(EXAMPLE, "built in", Path::new(".")).unwrap();
    let set = in_force::load(&config).unwrap();
    let parsed: Vec<Message> = corpus.iter().map(|raw| message::parse(raw, raw.len())).collect();
    // Once unmeasured, so that what is made once for all messages is not counted.
    decided(&parsed, &set);
    for _ in 0..passes.parse::<usize>().unwrap() {
        match what.as_str() {
            "mail-parser" => measured(|| {
                let parser = mail_parser::MessageParser::default();
                corpus.iter().for_each(|raw| drop(black_box(parser.parse(raw))));
            }),
            "parse" => {
                measured(|| corpus.iter().for_each(|raw| drop(black_box(message::parse(raw, raw.len())))))
            }
            "decide" => measured(|| decided(&parsed, &set)),
            _ => measured(|| {
                corpus.iter().for_each(|raw| decided(&[message::parse(raw, raw.len())], &set));
            }),
        }
    }
    println!("{} messages, {} bytes", corpus.len(), corpus::bytes(&corpus));
}

#[inline(never)]
fn measured(work: impl FnOnce()) {
    work();
}

fn decided(messages: &[Message], set: &Set) {
    for message in messages {
        let received_at = message.received_at().unwrap_or_default();
        black_box(triage(message, received_at, &History::none("general", received_at), &set.policy));
    }
}
