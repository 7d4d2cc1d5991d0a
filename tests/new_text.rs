//! How well the sender's new words are told from everything else, measured on the labelled emails.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use send_triage::message::{self, text};
use serde_json::Value;

/// Exact matches of the last recorded run, out of 170. Raise it with the code, never lower it.
const EXACT_AT_LEAST: usize = 160;

fn bag(text: &str) -> HashMap<&str, i64> {
    let mut bag = HashMap::new();
    for word in text.split_whitespace() {
        *bag.entry(word).or_default() += 1;
    }
    bag
}

/// Words found that are right, words found, words wanted.
fn overlap(found: &str, wanted: &str) -> (i64, i64, i64) {
    let (found, wanted) = (bag(found), bag(wanted));
    let both = found.iter().map(|(word, count)| (*count).min(wanted.get(word).copied().unwrap_or(0))).sum();
    (both, found.values().sum(), wanted.values().sum())
}

#[test]
fn labelled_emails_give_their_new_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled");
    let labels = fs::read_to_string(folder.join("labels.jsonl")).unwrap();
    let (mut exact, mut total, mut sums) = (0, 0, (0, 0, 0));
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let file = label["file"].as_str().unwrap();
        let raw = fs::read(folder.join(file)).unwrap();
        let message = message::parse(&raw, raw.len());
        let found = text::collapse(&message.new_text.new);
        let wanted = text::collapse(label["new_text"].as_str().unwrap());
        let (both, f, w) = overlap(&found, &wanted);
        sums = (sums.0 + both, sums.1 + f, sums.2 + w);
        total += 1;
        if found == wanted {
            exact += 1;
        } else {
            let at = found.bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b).count();
            let tail = |s: &str| String::from_utf8_lossy(s.as_bytes().get(at.saturating_sub(30)..).unwrap_or_default()).chars().take(160).collect::<String>();
            println!("{file}\n  found  ...{}\n  wanted ...{}", tail(&found), tail(&wanted));
        }
        assert!(message.defects.iter().all(|d| matches!(d, message::Defect::Charset(_))), "{file}: {:?}", message.defects);
    }
    let f1 = 2.0 * sums.0 as f64 / (sums.1 + sums.2) as f64;
    println!("new text: {exact} of {total} exact, word F1 {f1:.4}");
    assert!(exact >= EXACT_AT_LEAST, "{exact} exact, {EXACT_AT_LEAST} recorded");
    assert!(f1 > 0.99, "word F1 {f1:.4}");
}
