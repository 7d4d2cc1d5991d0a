//! The mail that is measured: the fixtures as they stand, and mail as it comes, of sizes and makes like a mailbox's.
//!
//! The second is made from the first by a seed, always the same: new words of ordinary length above quoted history, HTML
//! beside text, attachments. It is no test of right or wrong; nothing is decided by it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// How many messages of mail as it comes; enough for the few large ones to weigh what they do in a mailbox.
const MESSAGES: usize = 200;
/// Half of the messages are smaller, in bytes.
const MEDIAN: f64 = 15_000.0;
/// So many of a hundred are smaller than [`LARGE`].
const LARGE: f64 = 300_000.0;
/// No message is larger.
const LARGEST: f64 = 5_000_000.0;

/// The demo's inbox and the labelled emails, in order: short, and each with something to decide.
pub fn fixtures() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders = vec![root.join("inbox"), root.join("labelled")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|end| end == "eml" || end == "council") => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Mail as it comes: half of it below 15 kB, one in twenty above 300 kB, none above 5 MB.
pub fn ordinary() -> Vec<Vec<u8>> {
    let texts: Vec<(String, String)> = fixtures()
        .iter()
        .map(|raw| send_triage::message::parse(raw, raw.len()))
        .filter(|message| message.new_text.new.len() > 60)
        .map(|message| (message.subject, message.new_text.new))
        .collect();
    let mut dice = Dice(0x5eed_0f0a_11a4_b0a7);
    (0..MESSAGES).map(|number| letter(number, &texts, &mut dice)).collect()
}

/// How many bytes all of these have.
pub fn bytes(corpus: &[Vec<u8>]) -> usize {
    corpus.iter().map(Vec::len).sum()
}

/// One message of a size that the dice choose.
fn letter(number: usize, texts: &[(String, String)], dice: &mut Dice) -> Vec<u8> {
    let sigma = (LARGE / MEDIAN).ln() / 1.645;
    let size = (MEDIAN.ln() + sigma * dice.normal()).exp().clamp(1_500.0, LARGEST) as usize;
    let (subject, new) = &texts[dice.below(texts.len())];
    let mut text = new.clone();
    // What was said before hangs below, longer in longer conversations, and seldom makes up a large message.
    let history = (size / 4).min(2_000 + dice.below(20_000));
    for depth in 1.. {
        if text.len() >= history {
            break;
        }
        let (_, said) = &texts[dice.below(texts.len())];
        let _ = write!(text, "\n\nOn Mon, {depth} Sept 2026 at 09:1{}, Ann Other wrote:\n", depth % 10);
        let mark = "> ".repeat(depth.min(6));
        said.lines().for_each(|line| {
            let _ = write!(text, "\n{mark}{line}");
        });
    }
    let mut out = format!(
        "Return-Path: <sam.parent{number}@mail.example>\r\n\
         Received: from mx.mail.example (mx.mail.example [192.0.2.25])\r\n\tby mail.hertfordshire.example with ESMTPS id {number:08x};\r\n\
         \tMon, 07 Sep 2026 12:51:00 +0100\r\n\
         From: Sam Parent <sam.parent{number}@mail.example>\r\nTo: send.general@hertfordshire.example\r\n\
         Subject: {}\r\nDate: Mon, 07 Sep 2026 12:49:45 +0100\r\nMessage-ID: <{number}.made@mail.example>\r\nMIME-Version: 1.0\r\n",
        subject.replace(|c: char| !c.is_ascii() || c.is_control(), " ")
    );
    let html = dice.below(10) < 7;
    let attached = size.saturating_sub(if html { text.len() * 3 } else { text.len() });
    let _ = write!(out, "Content-Type: multipart/mixed; boundary=\"mixed\"\r\n\r\n--mixed\r\n");
    if html {
        let _ = write!(out, "Content-Type: multipart/alternative; boundary=\"either\"\r\n\r\n--either\r\n");
    }
    let _ = write!(
        out,
        "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        text.replace('\n', "\r\n")
    );
    if html {
        let _ = write!(
            out,
            "--either\r\nContent-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n--either--\r\n",
            html_of(&text)
        );
    }
    if attached > 1_000 {
        let _ = write!(
            out,
            "--mixed\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\nContent-Disposition: attachment; filename=\"report.pdf\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n"
        );
        for _ in 0..attached / 78 {
            (0..76).for_each(|_| out.push(char::from(BASE64[dice.below(64)])));
            out.push_str("\r\n");
        }
    }
    out.push_str("--mixed--\r\n");
    out.into_bytes()
}

/// A text as a mail program's HTML: a head with styles, a `div` for each line, what is quoted in `blockquote`.
fn html_of(text: &str) -> String {
    let mut out = String::from(
        "<html><head><style>p.MsoNormal { margin: 0cm; font-family: \"Calibri\",sans-serif; }</style></head><body lang=\"EN-GB\">\r\n",
    );
    let (mut depth, mut cited) = (0_usize, false);
    for line in text.lines() {
        let level = line.matches("> ").count();
        while depth < level {
            out.push_str("<blockquote type=\"cite\" style=\"margin-left:.8ex;border-left:1px solid #ccc\">");
            (depth, cited) = (depth + 1, true);
        }
        while depth > level && !cited {
            out.push_str("</blockquote>");
            depth -= 1;
        }
        cited = false;
        let line = line.trim_start_matches("> ").replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(out, "<p class=\"MsoNormal\"><span style=\"font-size:11.0pt\">{line}</span></p>\r\n");
    }
    (0..depth).for_each(|_| out.push_str("</blockquote>"));
    out.push_str("</body></html>");
    out
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Numbers that look like chance and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// From the bell curve, after Box and Muller.
    fn normal(&mut self) -> f64 {
        let mut share = || (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let (one, two) = (share().max(1e-12), share());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
    }
}
