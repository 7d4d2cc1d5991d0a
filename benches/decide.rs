//! How long a message takes: from bytes to words, and from words to a decision. `cargo bench`.
//!
//! The corpus is the demo's inbox and the labelled emails, where they are there, so that figures stay comparable only
//! as long as these do: the line with count and size that is printed first belongs to every figure.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    let corpus = corpus();
    println!("{} messages, {} bytes", corpus.len(), bytes(&corpus));
    divan::main();
}

/// MIME, charsets, HTML to text, and the cut between new words and quotes.
#[divan::bench]
fn parse(bencher: Bencher) {
    let corpus = corpus();
    bencher.counter(ItemsCount::new(corpus.len())).counter(BytesCount::new(bytes(&corpus))).bench_local(
        || {
            for raw in &corpus {
                black_box(send_triage::message::parse(black_box(raw), raw.len()));
            }
        },
    );
}

// `decide` and `parse_and_decide` belong here: `send_triage::triage::triage` with the rules that are built in.

fn corpus() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders = vec![root.join("inbox"), root.join("labelled")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path
                    .extension()
                    .is_some_and(|extension| extension == "eml" || extension == "council") =>
                {
                    files.push(path);
                }
                _ => {}
            }
        }
    }
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn bytes(corpus: &[Vec<u8>]) -> usize {
    corpus.iter().map(Vec::len).sum()
}
