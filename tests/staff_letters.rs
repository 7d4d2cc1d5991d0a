//! Letters to staff about cases as they are read, byte for byte: `fixtures/letters/staff-*.eml`. `UPDATE_GOLDEN=1 cargo test
//! staff_letters` writes them anew; `SHOW_LETTERS=<folder>` also writes text and HTML, to be looked at.

use std::path::PathBuf;

use chrono::NaiveDate;
use mail_parser::MessageParser;
use send_triage::letter::{
    BriefingFacts, CaseLine, Council, GatheredFacts, Letter, Listed, MessageLine, Notice, ReferralFacts,
    ReminderFacts, Sender, Wording, briefing, gathered, referral, reminder,
};

fn on(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

struct Desk {
    from: Sender,
    council: Council,
    wording: Wording,
}

impl Desk {
    fn new() -> Self {
        let from = Sender {
            address: "send.general@hertfordshire.example".to_owned(),
            name: "SEND team".to_owned(),
            envelope_from: None,
        };
        Self { from, council: Council::default(), wording: Wording::built_in() }
    }

    fn notice<'a>(&'a self, topic: &'a str, reference: &'a str) -> Notice<'a> {
        let sent_at = "2026-11-23T08:30:00Z".parse().unwrap();
        Notice { from: &self.from, to: "lead@hertfordshire.example", topic, reference, sent_at }
    }

    fn referral(&self, text: Option<&str>) -> Letter {
        let reasons = [("Threats and intimidation".to_owned(), "communication-policy, email h".to_owned())];
        let facts = ReferralFacts {
            notice: self.notice("referral/abc", "SEND-7K4M-2Q9X"),
            reference: "SEND-7K4M-2Q9X",
            reasons: &reasons,
            mailbox: "general",
            folder: "Triage/General",
            received_at: "2026-11-21T23:14:05Z".parse().unwrap(),
            due_on: Some(on("2026-12-04")),
            text,
            council: &self.council,
        };
        referral(&facts, &self.wording).unwrap()
    }
}

fn case(reference: &str, due_on: &str) -> CaseLine {
    CaseLine {
        reference: reference.to_owned(),
        received_on: on("2026-11-02"),
        due_on: Some(on(due_on)),
        queue: "general".to_owned(),
        area: "unknown".to_owned(),
        mailbox: "general".to_owned(),
        folder: "Triage/General".to_owned(),
        step: 1,
        ..CaseLine::default()
    }
}

fn golden(name: &str, letter: &Letter) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("fixtures/letters").join(format!("staff-{name}.eml"));
    if let Ok(folder) = std::env::var("SHOW_LETTERS") {
        let parsed = MessageParser::new().parse(&letter.raw).unwrap();
        std::fs::write(format!("{folder}/{name}.txt"), parsed.body_text(0).unwrap().as_bytes()).unwrap();
        std::fs::write(format!("{folder}/{name}.html"), parsed.body_html(0).unwrap().as_bytes()).unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &letter.raw).unwrap();
    }
    assert!(
        std::fs::read(&path).unwrap_or_default() == letter.raw,
        "{} differs from what is written now; UPDATE_GOLDEN=1 writes it anew:\n{}",
        path.display(),
        String::from_utf8_lossy(&letter.raw)
    );
}

fn text_of(letter: &Letter) -> String {
    MessageParser::new().parse(&letter.raw).unwrap().body_text(0).unwrap().into_owned()
}

#[test]
fn the_letters_to_staff_are_as_they_were_reviewed() {
    let desk = Desk::new();
    let overdue = vec![
        CaseLine {
            late: 5,
            chasers: 2,
            step: 2,
            step_due_on: Some(on("2026-11-24")),
            grounds: vec!["Annual review without significant change".to_owned()],
            area: "east".to_owned(),
            queue: "annual-review-east".to_owned(),
            mailbox: "annual-review-east".to_owned(),
            folder: "Triage/Annual reviews East".to_owned(),
            ..case("SEND-7K4M-2Q9X", "2026-11-16")
        },
        CaseLine { late: 1, missing_on: Some(on("2026-11-19")), ..case("SEND-1B2C-3D4E", "2026-11-20") },
    ];
    let urgent = CaseLine {
        urgent: true,
        unsure: true,
        first_response_on: Some(on("2026-11-24")),
        grounds: vec!["Out of education".to_owned(), "Risk of permanent exclusion".to_owned()],
        folder: "Triage/General/Urgent".to_owned(),
        ..case("SEND-5F6G-7H8J", "2026-12-04")
    };
    let call_back = CaseLine { call_back: true, extended: true, ..case("SEND-9A0B-1C2D", "2026-11-25") };
    let day = on("2026-11-23");
    let message = |reference: &str, reason: &str, queue: &str| MessageLine {
        reference: reference.to_owned(),
        received_on: on("2026-11-20"),
        reason: reason.to_owned(),
        queue: queue.to_owned(),
        mailbox: "general".to_owned(),
        folder: "Triage/Needs a person".to_owned(),
    };
    let facts = ReminderFacts {
        notice: desk.notice("reminder/2026-11-23", "reminder"),
        day,
        overdue: Listed { told: overdue, more: 12 },
        urgent: Listed::of(vec![urgent.clone()]),
        nearing: Listed::of(vec![call_back]),
        nearing_working_days: 3,
        first_responses: Listed::default(),
        chased: Listed::default(),
        escalated: Listed::default(),
        missing: Listed::default(),
        unsure: Listed::of(vec![CaseLine { unsure: true, ..case("SEND-2E3F-4G5H", "2026-12-04") }]),
        withheld: Listed::of(vec![message("SEND-6J7K-8M9N", "there is no address to answer", "general")]),
        automatic: 14,
        set_aside: Listed::of(vec![message("", "It could not be read as an email.", "")]),
        council: &desk.council,
    };
    golden("reminder", &reminder(&facts, &desk.wording).unwrap());

    let night = [urgent, CaseLine { urgent: true, ..case("SEND-3P4Q-5R6S", "2026-12-04") }];
    let facts = GatheredFacts {
        notice: desk.notice("urgent/2026-11-23", "urgent"),
        cases: &night,
        council: &desk.council,
    };
    golden("alerts-gathered", &gathered(&facts, &desk.wording).unwrap());

    golden("referral", &desk.referral(None));
    golden("referral-with-text", &desk.referral(Some("You will regret this.\n\n> **All** of you.")));

    let history = [
        "SEND-4T5V-6W7X, received Monday 19 October: due Monday 2 November; not answered, overdue by 14 working days; asked again once; at step 2 (the team lead).".to_owned(),
        "SEND-8Y9Z-0A1B, received Monday 7 September: due Monday 21 September; answered Friday 18 September, in time.".to_owned(),
    ];
    let grounds = ["Out of education".to_owned()];
    let facts = BriefingFacts {
        notice: desk.notice("briefing/SEND-7K4M-2Q9X", "SEND-7K4M-2Q9X"),
        received_on: on("2026-11-20"),
        due_on: Some(on("2026-12-04")),
        first_response_on: Some(on("2026-11-24")),
        urgent: true,
        grounds: &grounds,
        area: "west",
        mailbox: "resolution",
        folder: "Triage/Resolution/Urgent",
        protocol: "No, as far as is known. The sender does not speak of an earlier contact.",
        next_step: "step 3: a more senior manager, within 2 working days.",
        history: &history,
        history_more: 3,
        council: &desk.council,
    };
    golden("briefing", &briefing(&facts, &desk.wording).unwrap());
}

#[test]
fn what_a_sender_wrote_is_never_read_as_markup_and_never_carried_unasked() {
    let desk = Desk::new();
    let wicked = "# Heading\n[click](https://evil.example)\n\u{202e}<script>alert(1)</script>\u{7}";
    let letter = desk.referral(Some(wicked));
    let parsed = MessageParser::new().parse(&letter.raw).unwrap();
    let (text, html) = (text_of(&letter).replace("\r\n", "\n"), parsed.body_html(0).unwrap());
    assert!(text.contains("> # Heading\n> [click](https://evil.example)"), "{text}");
    assert!(!html.contains("href=\"https://evil") && !html.contains("<script") && !html.contains('\u{202e}'));
    assert!(!text_of(&desk.referral(None)).contains("evil.example"));
    let long = "x".repeat(100_000);
    assert!(desk.referral(Some(&long)).raw.len() < 80_000);
}

#[test]
fn each_recipient_and_topic_has_its_own_message_id() {
    let desk = Desk::new();
    let id = |topic: &str, to: &str| {
        let notice = Notice { to, ..desk.notice(topic, "urgent") };
        let facts =
            GatheredFacts { notice, cases: &[case("SEND-7K4M-2Q9X", "2026-12-04")], council: &desk.council };
        gathered(&facts, &desk.wording).unwrap().message_id
    };
    assert_eq!(id("urgent/1", "a@council.example"), id("urgent/1", "a@council.example"));
    assert_ne!(id("urgent/1", "a@council.example"), id("urgent/1", "b@council.example"));
    assert_ne!(id("urgent/1", "a@council.example"), id("urgent/2", "a@council.example"));
}
