//! The digest as it is written from invented figures.

use super::*;
use crate::digest::sample;
use crate::letter::{Council, Sender};
use mail_parser::{MessageParser, MimeHeaders};

struct Desk {
    from: Sender,
    council: Council,
    titles: BTreeMap<String, String>,
}

impl Desk {
    fn new() -> Self {
        let titles =
            [("U5", "Annual review overdue"), ("U4", "Part-time timetable"), ("U1", "Out of education")];
        Self {
            from: Sender {
                address: "send@council.example".to_owned(),
                name: "SEND team".to_owned(),
                envelope_from: None,
            },
            council: Council::default(),
            titles: titles.map(|(id, title)| (id.to_owned(), title.to_owned())).into(),
        }
    }

    fn facts<'a>(&'a self, figures: &'a Figures) -> DigestFacts<'a> {
        let notice = Notice {
            from: &self.from,
            to: "manager@council.example",
            topic: "digest/2026-11-16",
            reference: "digest",
            sent_at: figures.now,
        };
        DigestFacts { notice, figures, titles: &self.titles, late: None, council: &self.council }
    }

    fn digest(&self, figures: &Figures) -> Digest {
        digest(&self.facts(figures), &Wording::built_in()).unwrap()
    }
}

#[test]
fn the_letter_has_both_texts_and_every_picture_that_they_name() {
    let digest = Desk::new().digest(&sample::figures());
    let message = MessageParser::new().parse(&digest.letter.raw).unwrap();
    let types: Vec<String> = message
        .parts
        .iter()
        .map(|part| {
            let kind = part.content_type().unwrap();
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
        })
        .collect();
    let wanted = [
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "image/png",
        "image/png",
    ];
    assert_eq!(types, wanted);
    for part in message.parts.iter().filter(|part| part.content_type().unwrap().ctype() == "image") {
        let id = part.content_id().unwrap();
        assert!(digest.html.contains(&format!("src=\"cid:{id}\"")), "{id}");
        assert!(part.contents().starts_with(b"\x89PNG"));
    }
    assert_eq!(message.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
    assert_eq!(
        message.subject().unwrap(),
        "SEND digest: mailbox assessment not seen since Fri 20 Nov, 6 overdue, 2 urgent unanswered, 118 due this week"
    );
}

#[test]
fn nothing_is_fetched_and_the_words_weigh_little() {
    for figures in [sample::figures(), sample::quiet()] {
        let digest = Desk::new().digest(&figures);
        assert!(digest.html.len() < 100_000, "{} bytes", digest.html.len());
        for remote in ["src=\"http", "url(", "<link", "<script", "@import", "<form"] {
            assert!(!digest.html.contains(remote), "{remote}");
        }
        assert!(digest.html.contains("lang=\"en-GB\"") && digest.html.contains("<h1"));
        assert!(digest.html.matches("<img ").count() == digest.html.matches(" alt=\"Bar chart").count());
    }
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    let (desk, figures) = (Desk::new(), sample::figures());
    assert_eq!(desk.digest(&figures).letter, desk.digest(&figures).letter);
}

#[test]
fn a_quiet_week_is_short_and_says_that_silence_would_be_a_fault() {
    let digest = Desk::new().digest(&sample::quiet());
    assert!(digest.text.contains("quiet week") && digest.text.contains("If none comes"), "{}", digest.text);
    assert!(digest.pictures.is_empty());
    assert!(digest.text.lines().count() < 40, "{}", digest.text);
}

#[test]
fn names_stand_in_it_only_where_they_were_given_and_are_no_markup() {
    let desk = Desk::new();
    let mut figures = sample::figures();
    assert!(!desk.digest(&figures).text.contains("home.example"));
    let row = &mut figures.needs_you.overdue.rows[0];
    row.sender = Some("anna@home.example".to_owned());
    row.subject = Some("<b>Help</b> | [x](https://evil.example) **now** https://evil.example".to_owned());
    let digest = desk.digest(&figures);
    assert!(
        digest.text.contains(
            "anna@home.example: <b>Help</b> | [x](https://evil.example) **now** https://evil.example"
        )
    );
    assert!(!digest.html.contains("href=\"https://evil") && !digest.html.contains("<b>"));
}

#[test]
fn what_is_not_known_is_not_told_as_nought() {
    let mut figures = sample::figures();
    figures.service = Default::default();
    let text = Desk::new().digest(&figures).text;
    assert!(text.contains("not known") && !text.contains("usual week is"), "{text}");
}

#[test]
fn a_late_digest_says_so() {
    let (desk, figures) = (Desk::new(), sample::quiet());
    let was_due_on = Some(figures.today);
    let late = |weeks_missed| {
        let facts = DigestFacts { late: Some(Late { was_due_on, weeks_missed }), ..desk.facts(&figures) };
        digest(&facts, &Wording::built_in()).unwrap().text
    };
    assert!(late(0).contains("due on Monday 23 November 2026") && !late(0).contains("There was no digest"));
    assert!(late(1).contains("no digest for the week before") && late(3).contains("the 3 weeks before"));
}
