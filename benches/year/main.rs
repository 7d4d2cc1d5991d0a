//! A year of mail through parse, decide and record, without a mail server: how long, how large, and whether the last message
//! costs what the first did.
//!
//! `cargo bench --bench year [-- [--messages N] [--instances N] [--sample N] [--out DIR]]`: all of England's mail, 2,000,000
//! messages, as 150 instances of which some are made (`--sample`), and in one. Without `--messages`, a tenth of that in the one
//! instance, because the whole takes half an hour. Letters are written, and marked as sent together; handing them over is measured
//! by `journey`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

#[allow(dead_code)] // Only its words are taken.
#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../plot/mod.rs"]
mod plot;
mod queries;
mod simulated;

use simulated::{Grown, Instance};

/// How many messages England's 150 authorities get in a year, taken together.
const ENGLAND: usize = 2_000_000;

struct Asked {
    messages: usize,
    instances: usize,
    sample: usize,
    out: PathBuf,
}

impl Asked {
    fn read() -> Self {
        let out = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/performance");
        let mut asked = Self { messages: ENGLAND / 10, instances: 150, sample: 2, out };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|n| n.parse().ok()).expect("a number after the option");
            match word.as_str() {
                "--bench" => {} // Cargo says so.
                "--messages" => asked.messages = number(),
                "--instances" => asked.instances = number(),
                "--sample" => asked.sample = number(),
                "--out" => asked.out = words.next().expect("a folder after --out").into(),
                other => panic!("{other}: not an option of this benchmark"),
            }
        }
        asked
    }
}

fn main() {
    let asked = Asked::read();
    std::fs::create_dir_all(&asked.out).unwrap();
    let each = ENGLAND / asked.instances;
    let mut all = Vec::new();
    for number in 0..asked.sample {
        all.push(run(&format!("instance {} of {}", number + 1, asked.instances), each, number as u64 + 1));
    }
    all.push(run("one instance", asked.messages, 99));
    let page = page(&asked, &all);
    println!("\n{page}");
    std::fs::write(asked.out.join("year.md"), &page).unwrap();
    std::fs::write(asked.out.join("year.json"), serde_json::to_string_pretty(&all).unwrap()).unwrap();
    draw(&asked, &all);
}

/// One instance's year, and what is asked of it at the end.
fn run(name: &str, messages: usize, seed: u64) -> Value {
    println!("{name}: {messages} messages");
    let mut instance = Instance::new(seed);
    let begun = Instant::now();
    let grown = instance.live_through(messages);
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = instance.database_bytes();
    let queries = queries::all(&instance);
    let points = |of: fn(&Grown) -> f64| grown.iter().map(|g| json!([g.messages, of(g)])).collect::<Vec<_>>();
    json!({
        "name": name, "messages": messages, "seconds": seconds, "messages_a_second": messages as f64 / seconds,
        "database_bytes": bytes, "bytes_a_message": bytes as f64 / messages as f64,
        "memory_highest_kb": memory("VmHWM:"),
        "milliseconds_a_message": points(|g| g.milliseconds), "megabytes": points(|g| g.megabytes),
        "queries": queries,
    })
}

fn page(asked: &Asked, all: &[Value]) -> String {
    let mut page = format!(
        "Measured by `cargo bench --bench year -- --messages {} --sample {}`.\n\n| | messages | time | a second | database | a message | slowest question |\n| --- | --- | --- | --- | --- | --- | --- |\n",
        asked.messages, asked.sample
    );
    for one in all {
        let number = |name: &str| one[name].as_f64().unwrap_or(f64::NAN);
        let slowest = one["queries"].as_array().and_then(|all| {
            all.iter()
                .max_by(|a, b| a["seconds"].as_f64().unwrap().total_cmp(&b["seconds"].as_f64().unwrap()))
        });
        let slowest = slowest.map_or(String::new(), |q| {
            format!(
                "{}: {:.2} s",
                q["name"].as_str().unwrap_or_default(),
                q["seconds"].as_f64().unwrap_or_default()
            )
        });
        page += &format!(
            "| {} | {} | {:.0} s | {:.0} | {:.0} MB | {:.1} kB | {slowest} |\n",
            one["name"].as_str().unwrap_or_default(),
            one["messages"],
            number("seconds"),
            number("messages_a_second"),
            number("database_bytes") / 1e6,
            number("bytes_a_message") / 1e3
        );
    }
    page += "\n| question | ";
    page += &all
        .iter()
        .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
        .collect::<Vec<_>>()
        .join(" | ");
    page += &format!(" |\n| --- |{}\n", " --- |".repeat(all.len()));
    for (at, query) in all[0]["queries"].as_array().unwrap().iter().enumerate() {
        let of = |one: &Value| format!("{:.1} ms", one["queries"][at]["seconds"].as_f64().unwrap() * 1000.0);
        page += &format!(
            "| {} | {} |\n",
            query["name"].as_str().unwrap_or_default(),
            all.iter().map(of).collect::<Vec<_>>().join(" | ")
        );
    }
    page
}

fn draw(asked: &Asked, all: &[Value]) {
    let last = &all[all.len() - 1];
    let points = |name: &str| -> Vec<(f64, f64)> {
        let pairs = last[name].as_array().unwrap().iter();
        pairs.map(|pair| (pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap())).collect()
    };
    for (file, name, up, title) in [
        (
            "year-time.svg",
            "milliseconds_a_message",
            "ms a message",
            "Parse, decide and record: time a message as the record grows",
        ),
        ("year-size.svg", "megabytes", "MB", "The record's size"),
    ] {
        let line = plot::Line { name: "one instance", points: points(name) };
        let svg = plot::svg(title, "messages recorded", up, &[line]);
        std::fs::write(asked.out.join(file), svg).unwrap();
    }
}

/// A line of proc(5)'s status, in kB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
