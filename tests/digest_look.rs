//! The digest as it is read: `fixtures/digest`, and whether it can be. `UPDATE_GOLDEN=1 cargo test digest_look` writes the goldens
//! anew; `SHOW_LETTERS=<folder>` also writes web pages and charts, to be looked at. WCAG 2.2, 1.4.3 and 1.4.11.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mail_parser::MessageParser;
use send_triage::calendar::london;
use send_triage::digest::charts::{self, canvas};
use send_triage::digest::{Figures, sample};
use send_triage::letter::{Council, DigestFacts, Late, Notice, Sender, WeeklyDigest, Wording, digest};

fn written(figures: &Figures, late: Option<Late>) -> WeeklyDigest {
    let from = Sender {
        address: "send.general@hertfordshire.example".to_owned(),
        name: "SEND team".to_owned(),
        envelope_from: None,
    };
    let titles = [
        ("S1", "Assessment"),
        ("S2", "Annual review"),
        ("S4", "School place"),
        ("U1", "Out of education"),
        ("U4", "Part-time timetable"),
        ("U5", "Week 20 or later of an assessment"),
        ("U7", "Tribunal"),
    ];
    let titles: BTreeMap<String, String> = titles.map(|(id, title)| (id.to_owned(), title.to_owned())).into();
    let topic = format!("digest/{}", figures.period.from);
    let facts = DigestFacts {
        notice: Notice {
            from: &from,
            to: "head@hertfordshire.example",
            topic: &topic,
            reference: "digest",
            sent_at: figures.now,
        },
        figures,
        titles: &titles,
        late,
        council: &Council::default(),
    };
    digest(&facts, &Wording::built_in()).unwrap()
}

/// The week of the sample as its managers get it: busy, quiet, for one team and with names, late and broken.
fn all() -> Vec<(&'static str, WeeklyDigest)> {
    let (busy, quiet) = (sample::figures(), sample::quiet());
    let mut named = busy.clone();
    named.scope.queues = vec!["general".to_owned()];
    named.scope.areas = vec!["east".to_owned()];
    let senders = ["sam.okafor@inbox.example", "office@parkside.example"];
    for (row, sender) in named.needs_you.overdue.rows.iter_mut().zip(senders) {
        (row.sender, row.subject) = (Some(sender.to_owned()), Some("Where is the draft plan?".to_owned()));
    }
    let late = Late { was_due_on: Some(london::date(busy.now)), weeks_missed: 1 };
    vec![
        ("busy", written(&busy, None)),
        ("quiet", written(&quiet, None)),
        ("named", written(&named, Some(late))),
    ]
}

fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/digest").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} is not what is written now; UPDATE_GOLDEN=1 writes it anew", path.display());
}

#[test]
fn the_digest_reads_as_it_is_kept() {
    for (name, digest) in all() {
        let message = MessageParser::new().parse(&digest.letter.raw).unwrap();
        let subject = message.subject().unwrap();
        golden(&format!("{name}.txt"), &format!("Subject: {subject}\n\n{}", digest.text));
        golden(&format!("{name}.html"), &digest.html);
        if let Ok(folder) = std::env::var("SHOW_LETTERS") {
            let mut html = digest.html.clone();
            for picture in &digest.pictures {
                let file = format!("{name}-{}.png", picture.name);
                html = html.replace(&format!("cid:{}", picture.name), &file);
                std::fs::write(format!("{folder}/{file}"), &picture.png).unwrap();
            }
            std::fs::write(format!("{folder}/{name}.html"), html).unwrap();
            std::fs::write(format!("{folder}/{name}.txt"), &digest.text).unwrap();
        }
    }
    for picture in charts::pictures(&sample::figures()) {
        golden(&format!("{}.svg", picture.name), &picture.svg);
    }
}

/// The contrast of two colours (WCAG 2.2, contrast ratio).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let part = |at: usize| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        0.2126 * linear(part(1)) + 0.7152 * linear(part(3)) + 0.0722 * linear(part(5))
    };
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The values of a property in some CSS.
fn values<'a>(css: &'a str, property: &str) -> Vec<&'a str> {
    let named = |at: usize| !css[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
    css.match_indices(property)
        .filter(|(at, _)| named(*at))
        .filter_map(|(at, _)| css[at + property.len()..].trim_start_matches([':', ' ']).get(..7))
        .filter(|value| value.starts_with('#'))
        .collect()
}

#[test]
fn every_word_stands_out_from_what_is_behind_it_in_light_and_in_dark() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
    let html = written(&sample::figures(), None).html;
    let (head, body) = html.split_once("</style>").unwrap();
    let mut looked_at = 0;
    for style in body.split("style=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        // What has no background of its own stands on the sheet, or on a box, which is darker.
        let behind = values(style, "background-color");
        for ink in values(style, "color") {
            for paper in if behind.is_empty() { vec!["#ffffff"] } else { behind.clone() } {
                assert!(contrast(ink, paper) >= 4.5, "{ink} on {paper}: {style}");
                looked_at += 1;
            }
        }
    }
    let dark = head.split_once("prefers-color-scheme: dark").unwrap().1;
    for rule in dark.lines() {
        let behind = values(rule, "background-color").first().copied().unwrap_or("#1b1d1f");
        for ink in values(rule, "color") {
            assert!(contrast(ink, behind) >= 4.5, "{ink} on {behind}: {rule}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 50, "{looked_at}");
}

#[test]
fn what_is_drawn_stands_out_from_the_paper_and_is_told_apart_without_colour() {
    for ink in [canvas::INK, canvas::GREY] {
        assert!(contrast(ink, canvas::PAPER) >= 4.5, "{ink}");
    }
    for shape in [canvas::BLUE, canvas::RUST] {
        assert!(contrast(shape, canvas::PAPER) >= 3.0, "{shape}");
    }
    let drawn = charts::pictures(&sample::figures());
    let ages = drawn.iter().find(|picture| picture.name == "open-by-age").unwrap();
    assert!(
        ages.svg.contains("url(#hatch)") && ages.svg.contains(">late<") && ages.svg.contains(">in time<")
    );
}

#[test]
fn a_telephone_and_a_screen_reader_can_use_it() {
    for (name, digest) in all() {
        let html = &digest.html;
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en-GB\">"), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert!(html.contains("name=\"viewport\"") && html.contains("color-scheme\" content=\"light dark\""));
        assert!(html.len() < 100_000, "{name}: {} bytes", html.len());
        for table in html.split("<table").skip(1).filter_map(|rest| rest.split("</table>").next()) {
            let for_looks = table.split('>').next().unwrap_or_default().contains("presentation");
            assert!(for_looks || table.contains("scope=\"col\""), "{name}: a table without a head: {table}");
        }
        for picture in html.split("<img ").skip(1).filter_map(|rest| rest.split('>').next()) {
            assert!(picture.contains(" alt=\"Bar chart of ") && picture.contains("width:100%"), "{picture}");
        }
        // No line of a plain text is a bare rule of a signature, or so long that a mail program breaks a table.
        assert!(!digest.text.lines().any(|line| line == "-- "), "{name}");
    }
}
