//! What reading a message costs beside the MIME parser alone, on small messages and on a mailbox like a real one; and a
//! dump of everything that was read, so that a faster reader can be shown to be the same one.
//!
//! `cargo bench --bench parse` measures. `cargo bench --bench parse -- dump before.txt [folder ...]`, the change, the same into
//! `after.txt`, `cmp`. `-- times small` or `-- times realistic` tells the ratio message by message; `-- once ...` is for callgrind.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use send_triage::message::Message;

mod corpus;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["dump", into, folders @ ..] => dump(into, folders),
        ["times", of] => times(of),
        ["once", of, who] => once(of, who),
        _ => {
            for of in OF {
                describe(of, &messages(of));
            }
            divan::main();
        }
    }
}

const OF: [&str; 2] = ["small", "realistic"];

#[divan::bench(args = OF)]
fn ours(bencher: Bencher, of: &str) {
    let corpus = messages(of);
    bencher
        .counter(ItemsCount::new(corpus.len()))
        .counter(BytesCount::new(bytes(&corpus)))
        .bench_local(|| corpus.iter().for_each(|raw| drop(black_box(read(raw)))));
}

#[divan::bench(args = OF)]
fn mime_alone(bencher: Bencher, of: &str) {
    let corpus = messages(of);
    bencher
        .counter(ItemsCount::new(corpus.len()))
        .counter(BytesCount::new(bytes(&corpus)))
        .bench_local(|| corpus.iter().for_each(|raw| drop(black_box(mime(raw)))));
}

#[inline(never)]
fn read(raw: &[u8]) -> Message {
    send_triage::message::parse(black_box(raw), raw.len())
}

#[inline(never)]
fn mime(raw: &[u8]) -> Option<mail_parser::Message<'_>> {
    mail_parser::MessageParser::default().parse(black_box(raw))
}

fn messages(of: &str) -> Vec<Vec<u8>> {
    if of == "realistic" {
        return corpus::realistic(400, 20_261_103);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = ["inbox", "labelled"].map(|folder| files(&root.join(folder))).concat();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn bytes(corpus: &[Vec<u8>]) -> usize {
    corpus.iter().map(Vec::len).sum()
}

fn describe(of: &str, corpus: &[Vec<u8>]) {
    let mut sizes: Vec<usize> = corpus.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    let at = |share: usize| sizes[(sizes.len() - 1) * share / 100];
    println!(
        "{of}: {} messages, {} bytes; median {}, 95 in 100 below {}, largest {}",
        corpus.len(),
        bytes(corpus),
        at(50),
        at(95),
        at(100)
    );
}

/// Ours and the parser alone, turn by turn, the best of many: by message and in sum.
fn times(of: &str) {
    let corpus = messages(of);
    describe(of, &corpus);
    let rounds = if of == "small" { 60 } else { 15 };
    let best = |work: &dyn Fn()| {
        let started = Instant::now();
        work();
        started.elapsed().as_nanos() as f64
    };
    let mut found: Vec<(f64, f64)> = vec![(f64::MAX, f64::MAX); corpus.len()];
    for _ in 0..rounds {
        for (raw, (ours, alone)) in corpus.iter().zip(&mut found) {
            *ours = ours.min(best(&|| drop(black_box(read(raw)))));
            *alone = alone.min(best(&|| drop(black_box(mime(raw)))));
        }
    }
    let (ours, alone) = found.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let mut ratios: Vec<f64> = found.iter().map(|(ours, alone)| ours / alone).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: usize| ratios[(ratios.len() - 1) * share / 100];
    let each = 1000.0 * corpus.len() as f64;
    println!(
        "{of}: ours {:.1} us a message, the parser alone {:.1}; in sum {:.2} times; by message: median {:.2}, 5 in 100 below {:.2}, 95 below {:.2}",
        ours / each,
        alone / each,
        ours / alone,
        at(50),
        at(5),
        at(95)
    );
}

/// Once warm, once measured: `valgrind --tool=callgrind --toggle-collect=parse::read`, or `parse::mime`.
fn once(of: &str, who: &str) {
    let corpus = messages(of);
    for raw in &corpus {
        drop(black_box(send_triage::message::parse(raw, raw.len())));
    }
    for raw in &corpus {
        match who {
            "ours" => drop(black_box(read(raw))),
            _ => drop(black_box(mime(raw))),
        }
    }
}

/// Every field of every message: the fixtures, the realistic mailbox, and whatever lies in the named folders.
fn dump(into: &str, folders: &[&str]) {
    let mut out = String::new();
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")) {
        let raw = fs::read(&path).unwrap();
        tell(&path.display().to_string(), &raw, &mut out);
        if path.extension().is_some_and(|extension| extension == "eml") {
            // Damaged in a few ways, always the same: cut short, a byte changed, only one version readable.
            for share in [3, 5, 8] {
                tell("cut", &raw[..raw.len() * share / 10], &mut out);
            }
            let mut changed = raw.clone();
            for at in (7..changed.len()).step_by(97) {
                changed[at] = changed[at].wrapping_mul(31).wrapping_add(at as u8);
            }
            tell("changed", &changed, &mut out);
            let text = String::from_utf8_lossy(&raw);
            tell("html alone", text.replace("text/plain", "application/x-gone").as_bytes(), &mut out);
            tell("text alone", text.replace("text/html", "application/x-gone").as_bytes(), &mut out);
            tell("html as text", text.replace("text/html", "text/plain").as_bytes(), &mut out);
        }
    }
    for (number, raw) in corpus::realistic(400, 7).iter().enumerate() {
        tell(&format!("realistic {number}"), raw, &mut out);
    }
    for path in folders.iter().flat_map(|folder| files(Path::new(folder))) {
        let raw = fs::read(&path).unwrap();
        tell(&path.display().to_string(), &raw, &mut out);
        // As the body of a message, both ways: scripts and pages are odd enough to find something.
        for kind in ["html", "plain", "plain; format=flowed"] {
            let mut inside =
                format!("From: Amy Hill <a@b.example>\nContent-Type: text/{kind}\n\n").into_bytes();
            inside.extend_from_slice(&raw);
            tell(kind, &inside, &mut out);
        }
    }
    fs::write(into, out).unwrap();
    println!("parse: written to {into}");
}

fn tell(name: &str, raw: &[u8], out: &mut String) {
    let m = send_triage::message::parse(raw, raw.len());
    writeln!(out, "==== {name}\n{} {:?} {:?} {:?}", m.fingerprint, m.message_id, m.in_reply_to, m.references)
        .unwrap();
    let one = |a: &send_triage::message::Address| format!("{:?} <{:?}>", a.name, a.address);
    for (what, list) in [("reply", &m.reply_to), ("to", &m.to), ("cc", &m.cc), ("bcc", &m.bcc)] {
        writeln!(out, "{what} {:?}", list.iter().map(one).collect::<Vec<_>>()).unwrap();
    }
    writeln!(out, "from {:?} sender {:?}", m.from.as_ref().map(one), m.sender.as_ref().map(one)).unwrap();
    if let send_triage::message::ReturnPath::Address(back) = &m.return_path {
        writeln!(out, "back {}", one(back)).unwrap();
    }
    writeln!(out, "{:?} {:?} {:?} {:?} {}", m.return_path, m.subject, m.date, m.top_received, m.size_bytes)
        .unwrap();
    for header in &m.headers {
        writeln!(out, "{:?}: {:?}", header.name, header.value).unwrap();
    }
    writeln!(out, "{:#?}\n{:?}\n{:?}\n{:#?}", m.parts, m.defects, m.text, m.new_text).unwrap();
}

/// All files below a folder that can be mail, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    const ENDS: [&str; 10] =
        [".eml", ".council", ".cases", ".txt", ".html", ".htm", ".py", ".msg", ".mbox", ".example"];
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if ENDS.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            all.push(path);
        }
    }
    all.sort();
    all
}
