//! The letters as the reader gets them, byte for byte: `fixtures/letters/`. `UPDATE_GOLDEN=1 cargo test letters` writes
//! them anew; the difference is what is reviewed. Written for RFC 3834, and policy, email a to d.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A test that cannot go on has failed.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use mail_parser::{HeaderValue, MessageParser, MimeHeaders};
use send_triage::case::{Reference, Step};
use send_triage::letter::{
    AcknowledgementFacts, AlertFacts, Council, Counted, Letter, Sender, Wording, acknowledgement, alert,
};
use send_triage::message::Fingerprint;
use send_triage::triage::{Chaser, Signpost};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// What stays put while one thing is changed.
struct Desk {
    reference: Reference,
    fingerprint: Fingerprint,
    from: Sender,
    council: Council,
    references: Vec<String>,
    wording: Wording,
}

impl Desk {
    fn new() -> Self {
        let fingerprint = Fingerprint(std::array::from_fn(|n| u8::try_from(n * 7 % 256).unwrap()));
        Self {
            reference: Reference::of(&fingerprint, 0),
            fingerprint,
            from: Sender {
                address: "send.general@hertfordshire.example".to_owned(),
                name: "SEND team".to_owned(),
                envelope_from: None,
            },
            council: Council::default(),
            references: vec!["first@home.example".to_owned()],
            wording: Wording::built_in(),
        }
    }

    fn facts(&self) -> AcknowledgementFacts<'_> {
        AcknowledgementFacts {
            counted: Counted::FromTheFirst,
            step: None,
            over_heads: None,
            reference: &self.reference,
            answers: &self.fingerprint,
            from: &self.from,
            to: "parent@home.example",
            in_reply_to: Some("second@home.example"),
            references: &self.references,
            received_on: date("2026-12-17"),
            joined: None,
            due_on: date("2027-01-05"),
            working_days: 10,
            signposts: &[],
            from_a_school: false,
            chaser: Chaser::None,
            urgent: false,
            council: &self.council,
            sent_at: time("2026-12-17T21:14:05Z"),
        }
    }

    fn write(&self, facts: &AcknowledgementFacts<'_>) -> Letter {
        acknowledgement(facts, &self.wording).unwrap()
    }

    fn alert(&self) -> Letter {
        let facts = AlertFacts {
            reference: &self.reference,
            about: &self.fingerprint,
            from: &self.from,
            to: "duty@hertfordshire.example",
            grounds: &["Out of education".to_owned(), "Risk of permanent exclusion".to_owned()],
            mailbox: "general",
            folder: "General/Urgent",
            queue: "General enquiries",
            received_at: time("2026-07-17T21:14:05Z"),
            due_on: Some(date("2026-07-31")),
            council: &self.council,
            sent_at: time("2026-07-20T07:30:00Z"),
        };
        alert(&facts, &self.wording).unwrap()
    }
}

/// Compares with the file, or writes it. `SHOW_LETTERS=<folder>` also writes text and HTML there, to be looked at.
fn golden(name: &str, letter: &Letter) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/letters").join(format!("{name}.eml"));
    if let Ok(folder) = std::env::var("SHOW_LETTERS") {
        let parsed = MessageParser::new().parse(&letter.raw).unwrap();
        std::fs::write(format!("{folder}/{name}.txt"), parsed.body_text(0).unwrap().as_bytes()).unwrap();
        std::fs::write(format!("{folder}/{name}.html"), parsed.body_html(0).unwrap().as_bytes()).unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &letter.raw).unwrap();
    }
    let expected = std::fs::read(&path).unwrap_or_default();
    assert!(
        expected == letter.raw,
        "{} differs from what is written now; UPDATE_GOLDEN=1 writes it anew:\n{}",
        path.display(),
        String::from_utf8_lossy(&letter.raw)
    );
}

fn text_of(letter: &Letter) -> String {
    MessageParser::new().parse(&letter.raw).unwrap().body_text(0).unwrap().into_owned()
}

fn header<'a>(letter: &'a Letter, name: &str) -> Option<&'a str> {
    let raw = std::str::from_utf8(&letter.raw).unwrap();
    let head = raw.split("\r\n\r\n").next().unwrap();
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn the_letters_are_as_they_were_reviewed() {
    let desk = Desk::new();
    let plain = desk.facts();
    golden("plain", &desk.write(&plain));
    golden("school", &desk.write(&AcknowledgementFacts { from_a_school: true, ..plain.clone() }));
    golden("urgent", &desk.write(&AcknowledgementFacts { urgent: true, ..plain.clone() }));
    golden(
        "chaser-within",
        &desk.write(&AcknowledgementFacts {
            chaser: Chaser::Within,
            joined: Some(date("2026-12-15")),
            due_on: date("2026-12-31"),
            ..plain.clone()
        }),
    );
    golden("chaser-overdue", &desk.write(&AcknowledgementFacts { chaser: Chaser::Overdue, ..plain.clone() }));
    golden(
        "chaser-of-an-overdue-case",
        &desk.write(&AcknowledgementFacts {
            chaser: Chaser::Overdue,
            joined: Some(date("2026-11-24")),
            due_on: date("2026-12-08"),
            step: Some((Step::TeamLead, date("2026-12-23"))),
            ..plain.clone()
        }),
    );
    for (name, counted) in [("chaser-of-an-extended-case", Counted::Extended), ("reopened", Counted::Anew)] {
        golden(
            name,
            &desk.write(&AcknowledgementFacts {
                chaser: Chaser::Within,
                joined: Some(date("2026-11-24")),
                counted,
                ..plain.clone()
            }),
        );
    }
    golden(
        "over-the-heads",
        &desk.write(&AcknowledgementFacts { over_heads: Some(date("2026-12-21")), ..plain.clone() }),
    );
    for (name, signpost) in [
        ("appointment", Signpost::Appointment),
        ("report", Signpost::Report),
        ("school-support", Signpost::SchoolSupport),
        ("disagreement", Signpost::Disagreement),
        ("complaint-service", Signpost::ComplaintService),
        ("complaint-section-f", Signpost::ComplaintSectionF),
        ("complaint-school", Signpost::ComplaintSchool),
        ("complaint-nhs", Signpost::ComplaintNhs),
    ] {
        let signposts = [signpost];
        golden(
            &format!("signpost-{name}"),
            &desk.write(&AcknowledgementFacts { signposts: &signposts, ..plain.clone() }),
        );
    }
    golden("alert", &desk.alert());
}

#[test]
fn email_a_says_reference_date_and_where_to_look() {
    let desk = Desk::new();
    let text = text_of(&desk.write(&desk.facts()));
    for words in [
        desk.reference.as_str(),
        "Tuesday 5 January 2027",
        "10 working days",
        "a phone call or an email",
        "01632 960 330",
        "Local Offer (https://",
        "SENDIASS",
        "SENCO",
        "DSPL lead",
        "Please do not send",
    ] {
        assert!(text.contains(words), "{words} is missing in:\n{text}");
    }
    let school = text_of(&desk.write(&AcknowledgementFacts { from_a_school: true, ..desk.facts() }));
    assert!(school.contains("The Grid (https://"), "{school}");
}

#[test]
fn the_date_of_a_case_whose_time_is_over_is_not_promised_again() {
    let desk = Desk::new();
    let letter = desk.write(&AcknowledgementFacts {
        joined: Some(date("2026-11-24")),
        due_on: date("2026-12-08"),
        ..desk.facts()
    });
    let text = text_of(&letter);
    assert!(text.contains("We are sorry") && !text.contains("You will have our answer by"), "{text}");
    assert!(!text.contains("Please do not send"), "{text}");
}

#[test]
fn an_urgent_message_is_not_told_so() {
    let desk = Desk::new();
    let standard =
        desk.write(&AcknowledgementFacts { signposts: &[Signpost::SchoolSupport], ..desk.facts() });
    let letter = desk.write(&AcknowledgementFacts {
        urgent: true,
        signposts: &[Signpost::SchoolSupport],
        ..desk.facts()
    });
    let words = |letter: &Letter| {
        let text = text_of(letter);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines.retain(|line| !line.is_empty());
        lines
    };
    assert_eq!(words(&letter), words(&standard), "the same words");
    assert!(text_of(&letter) != text_of(&standard), "in another order");
}

#[test]
fn rfc_3834_no_machine_answers_it() {
    let desk = Desk::new();
    let letter = desk.write(&desk.facts());
    assert_eq!(letter.envelope_from, None);
    assert_eq!(header(&letter, "Auto-Submitted"), Some("auto-replied"));
    assert_eq!(header(&letter, "X-Auto-Response-Suppress"), Some("All"));
    assert_eq!(header(&letter, "In-Reply-To"), Some("<second@home.example>"));
    assert_eq!(header(&desk.alert(), "Auto-Submitted"), Some("auto-generated"));
    let parsed = MessageParser::new().parse(&letter.raw).unwrap();
    let HeaderValue::TextList(references) = parsed.references() else { panic!("{:?}", parsed.references()) };
    assert_eq!(references, &["first@home.example", "second@home.example"]);
}

#[test]
fn a_case_can_be_rebuilt_from_the_letter_in_sent() {
    let desk = Desk::new();
    let letter = desk.write(&desk.facts());
    assert_eq!(header(&letter, "X-Send-Triage-Reference"), Some(desk.reference.as_str()));
    assert_eq!(header(&letter, "X-Send-Triage-Due"), Some("2027-01-05"));
    assert_eq!(desk.write(&desk.facts()), letter, "the same facts give the same bytes");
}

#[test]
fn a_provider_that_refuses_the_null_path_gets_the_configured_address() {
    let mut desk = Desk::new();
    desk.from.envelope_from = Some("bounces@hertfordshire.example".to_owned());
    let letter = desk.write(&desk.facts());
    assert_eq!(letter.envelope_from.as_deref(), Some("bounces@hertfordshire.example"));
}

#[test]
fn nothing_can_be_written_into_the_headers() {
    let desk = Desk::new();
    let wicked = vec!["a\r\nBcc: victim@x.example".to_owned(), "b>\n<c@x.example".to_owned()];
    let letter = desk.write(&AcknowledgementFacts {
        in_reply_to: Some("x@y.example>\r\nBcc: victim@x.example"),
        references: &wicked,
        ..desk.facts()
    });
    assert!(!String::from_utf8_lossy(&letter.raw).contains("victim"));
    assert_eq!(header(&letter, "In-Reply-To"), None);
    for to in ["a@b.example\r\nBcc: victim@x.example", "a@b.example, victim@x.example", "<a@b.example>", ""] {
        let facts = AcknowledgementFacts { to, ..desk.facts() };
        assert!(acknowledgement(&facts, &desk.wording).is_err(), "{to:?}");
    }
}

#[test]
fn addresses_that_only_real_providers_know_are_answered() {
    let desk = Desk::new();
    for to in ["a..b@phone.example", "a.@phone.example", "o'hara@home.example"] {
        let letter = desk.write(&AcknowledgementFacts { to, ..desk.facts() });
        assert_eq!(letter.envelope_to, to);
        assert_eq!(header(&letter, "To"), Some(to), "{to}");
    }
}

#[test]
fn every_line_passes_through_every_server() {
    let desk = Desk::new();
    let all = [Signpost::Disagreement, Signpost::ComplaintNhs];
    let long_ids: Vec<String> = (0..40).map(|n| format!("{n}{}@mail.example", "x".repeat(80))).collect();
    let letter = desk.write(&AcknowledgementFacts { signposts: &all, references: &long_ids, ..desk.facts() });
    assert!(letter.raw.is_ascii());
    let raw = String::from_utf8(letter.raw).unwrap();
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
    assert!(raw.split("\r\n").all(|line| line.len() <= 250), "a line is too long");
}

#[test]
fn the_html_is_in_english_and_fetches_nothing() {
    let desk = Desk::new();
    let letter = desk.write(&desk.facts());
    let parsed = MessageParser::new().parse(&letter.raw).unwrap();
    let html = parsed.body_html(0).unwrap();
    assert!(html.contains("<html lang=\"en-GB\">") && html.contains("<title>") && html.contains("<h1 "));
    for fetched in ["<img", "<link", "<script", "src=", "url(", "@import", "@font-face"] {
        assert!(!html.contains(fetched), "{fetched}");
    }
    assert_eq!(parsed.parts.iter().filter(|part| part.is_text_html()).count(), 1);
    assert!(parsed.parts.iter().all(|part| part.content_disposition().is_none()));
}
