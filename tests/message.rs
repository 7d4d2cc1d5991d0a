//! What a message is read as, whatever its bytes: RFC 5322, RFC 2045 to 2049, and those who never read them.

use proptest::prelude::*;
use send_triage::message::{self, CutReason, Defect, Message, ReturnPath};

fn read(raw: &str) -> Message {
    let raw = raw.replace('\n', "\r\n");
    message::parse(raw.as_bytes(), raw.len())
}

const WHO: &str =
    "From: Amy <amy@post.example>\nMessage-ID: <1@post.example>\nDate: Tue, 3 Nov 2026 10:14:00 +0000\n";

#[test]
fn the_header_in_every_spelling() {
    let message = read(
        "Return-Path: <>\nReceived: from a by b; Thu, 08 Oct 2026 14:47:00 +0100\nReceived: from c by a; Thu, 08 Oct 2026 13:00:00 +0100\n\
         From: =?utf-8?Q?Zo=C3=AB_Hill?= <Zoe@POST.Example>\nTo: Team: send@h.example, \"Hill, Amy\" <amy@post.example>;, b@c.example\n\
         Cc: Bob <bob@post.example>\nBcc: dan@post.example\nReply-To: <zoe2@post.example>\nSubject: =?utf-8?B?UmU6IFpv?=\n =?utf-8?B?w6s=?=\n\
         Message-ID: <a@post.example>\nIn-Reply-To: <b@h.example>\nReferences: <c@h.example>\n <b@h.example>\n\
         Date: Thu, 8 Oct 2026 14:46:58 +0100\nAuto-Submitted: auto-replied\n\nHello",
    );
    assert_eq!(message.from.as_ref().unwrap().name, "Zoë Hill");
    assert_eq!(message.from.as_ref().unwrap().address, "Zoe@post.example");
    assert_eq!(message.return_path, ReturnPath::Null);
    let to: Vec<_> = message.to.iter().map(|to| to.address.as_str()).collect();
    assert_eq!(to, ["send@h.example", "amy@post.example", "b@c.example"]);
    assert_eq!(message.to[1].name, "Hill, Amy");
    assert_eq!((message.cc.len(), message.bcc.len(), message.reply_to.len()), (1, 1, 1));
    assert_eq!(message.subject, "Re: Zoë");
    assert_eq!(message.message_id.as_deref(), Some("a@post.example"));
    assert_eq!(message.in_reply_to, ["b@h.example"]);
    assert_eq!(message.references, ["c@h.example", "b@h.example"]);
    assert_eq!(message.received_at().unwrap().to_rfc3339(), "2026-10-08T13:47:00+00:00");
    assert_eq!(message.date.unwrap().to_rfc3339(), "2026-10-08T14:46:58+01:00");
    assert_eq!(message.header("auto-submitted"), Some("auto-replied"));
    assert_eq!(message.text, "Hello");
    assert!(message.defects.is_empty(), "{:?}", message.defects);
}

#[test]
fn eight_bit_headers_and_wrong_charsets() {
    let raw = b"From: Zo\xEB Hill <zoe@post.example>\r\nSubject: Zo\xEB \x96 \xA35\r\nMessage-ID: <1@p>\r\n\
        Date: Tue, 3 Nov 2026 10:14:00 +0000\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nit\x92s Zo\xEB";
    let message = message::parse(raw, raw.len());
    assert_eq!(message.subject, "Zoë – £5");
    assert_eq!(message.from.as_ref().unwrap().name, "Zoë Hill");
    assert_eq!(message.text, "it’s Zoë");
    assert!(matches!(message.defects.as_slice(), [Defect::Charset(_)]));

    for (charset, bytes, wanted) in [
        ("cp932", &b"\x83e\x83X\x83g"[..], "テスト"),
        ("cp949", b"\xB0\xA1", "가"),
        ("x-unknown", b"Zo\xEB", "Zoë"),
        ("utf-8", "Zoë".as_bytes(), "Zoë"),
        ("", "Zoë".as_bytes(), "Zoë"),
    ] {
        let mut raw = format!("{WHO}Content-Type: text/plain; charset=\"{charset}\"\n\n").into_bytes();
        raw.extend_from_slice(bytes);
        assert_eq!(message::parse(&raw, raw.len()).text, wanted, "{charset}");
    }
}

#[test]
fn transfer_encodings_and_flowed_text() {
    let body = |head: &str, body: &str| read(&format!("{WHO}{head}\n\n{body}")).text;
    assert_eq!(body("Content-Transfer-Encoding: base64", "SGVsbG8g\nWm8="), "Hello Zo");
    assert_eq!(
        body(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable",
            "Zo=C3=AB is =\nhome"
        ),
        "Zoë is home"
    );
    assert_eq!(
        body("Content-Type: text/plain; format=flowed", "He has been \nat home\n"),
        "He has been at home"
    );
    assert_eq!(body("Content-Type: text/plain; format=flowed; delsp=yes", "ex \ncluded"), "excluded");
}

#[test]
fn the_right_part_is_read() {
    let parts = |kind: &str, parts: &[&str]| {
        let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
        read(&format!("{WHO}Content-Type: multipart/{kind}; boundary=b\n\n{parts}--b--\n"))
    };
    let plain = "Content-Type: text/plain\n\nplain words here";
    let html = "Content-Type: text/html\n\n<p>rich <b>words</b> here</p>";
    let stub = "Content-Type: text/plain\n\nPlease view this email in HTML.";
    assert_eq!(parts("alternative", &[plain, html]).text, "plain words here");
    assert_eq!(parts("alternative", &[stub, html]).text, "rich words here");
    assert_eq!(parts("alternative", &["Content-Type: text/plain\n\n ", html]).text, "rich words here");
    assert_eq!(
        parts("mixed", &[plain, "Content-Type: text/plain\n\nand more"]).text,
        "plain words here\n\nand more"
    );

    let attached =
        "Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=a.txt\n\nurgent";
    let message = parts("mixed", &[plain, attached]);
    assert_eq!(message.text, "plain words here");
    assert!(message.parts[2].attachment);
    assert_eq!(message.parts[2].file_name.as_deref(), Some("a.txt"));

    let forwarded = "Content-Type: message/rfc822\n\nFrom: x@y.example\nSubject: urgent\n\nHe is excluded";
    let message = parts("mixed", &[plain, forwarded]);
    assert_eq!(message.text, "plain words here");
    assert_eq!(message.parts.last().unwrap().content_type, "message/rfc822");

    let report = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x";
    let message = parts(
        "report; report-type=delivery-status",
        &[plain, report, "Content-Type: text/rfc822-headers\n\nSubject: x"],
    );
    assert_eq!(message.text, "plain words here");
    assert_eq!(message.parts[0].content_type, "multipart/report");
    assert!(message.parts[0].parameters.contains(&("report-type".to_owned(), "delivery-status".to_owned())));

    let tnef =
        "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+";
    assert_eq!(parts("mixed", &[plain, tnef]).parts[2].content_type, "application/ms-tnef");
    let calendar = "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR";
    let message = parts("alternative", &[plain, calendar]);
    assert_eq!(message.text, "plain words here");
    assert!(message.parts[2].parameters.contains(&("method".to_owned(), "REQUEST".to_owned())));
}

#[test]
fn the_version_that_tells_old_from_new_is_taken() {
    let raw = format!(
        "{WHO}Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nHe is home.\nIs he excluded?\n\
         --b\nContent-Type: text/html\n\n<div>He is home.</div><blockquote type=cite>Is he excluded?</blockquote>\n--b--\n"
    );
    let message = read(&raw);
    assert_eq!(message.new_text.new, "He is home.");
    assert_eq!(message.new_text.cuts[0].reason, CutReason::Quote);
}

#[test]
fn what_is_no_message_is_kept_as_text() {
    let message = message::parse(b"\xFF\x00garbage, but my son has no school", 40);
    assert!(message.defects.contains(&Defect::NotAMessage));
    assert!(message.text.contains("my son has no school"));
    assert!(message.new_text.new.contains("my son has no school"));
    let nothing = message::parse(b"", 0);
    assert!(nothing.defects.contains(&Defect::NotAMessage));
    let bare = read("Subject: hello\n\nWho is our coordinator?");
    assert_eq!(bare.text, "Who is our coordinator?");
    for defect in [Defect::NoMessageId, Defect::NoSender, Defect::NoDate] {
        assert!(bare.defects.contains(&defect), "{defect:?}");
    }
}

#[test]
fn the_first_part_of_a_large_message_is_read() {
    let raw = format!(
        "{WHO}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHe has no school.\n--b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0x"
    );
    let message = message::parse(raw.as_bytes(), 26_000_000);
    assert_eq!(message.text, "He has no school.");
    assert_eq!(message.defects, [Defect::Truncated(raw.len())]);
    assert_eq!(message.size_bytes, 26_000_000);
}

#[test]
fn bombs_are_bounded() {
    let started = std::time::Instant::now();
    let nested = format!("{WHO}{}hello", "Content-Type: message/rfc822\n\n".repeat(50_000));
    assert!(message::parse(nested.as_bytes(), nested.len()).defects.contains(&Defect::TooManyParts));

    let digests = format!(
        "{WHO}Content-Type: multipart/digest; boundary=b\n\n{}",
        "--b\n\nContent-Type: multipart/digest; boundary=b\n\n".repeat(20_000)
    );
    assert!(message::parse(digests.as_bytes(), digests.len()).defects.contains(&Defect::TooManyParts));

    let deep: String =
        (0..5_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    let deep = format!("{WHO}{deep}\nhello");
    assert!(message::parse(deep.as_bytes(), deep.len()).defects.contains(&Defect::TooManyParts));

    let many = format!(
        "{WHO}Content-Type: multipart/mixed; boundary=b\n\n{}--b--",
        "--b\nContent-Type: text/plain\n\na\n".repeat(10_000)
    );
    let message = message::parse(many.as_bytes(), many.len());
    assert!(message.defects.contains(&Defect::TooManyParts));
    assert!(message.parts.len() <= 1_000);

    let fields = format!("{WHO}{}\n\nhello", "X-A: =?utf-8?Q?a?= =?\n".repeat(50_000));
    assert!(message::parse(fields.as_bytes(), fields.len()).headers.len() <= 1_000);
    let long = format!("{WHO}Subject: {}\n\nhello", "=?utf-8?Q?a".repeat(200_000));
    assert_eq!(message::parse(long.as_bytes(), long.len()).text, "hello");
    let to = format!("{WHO}To: {}\n\nhello", "a@b.example, ".repeat(100_000));
    assert!(message::parse(to.as_bytes(), to.len()).to.len() <= 2_000);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn a_copy_in_another_mailbox_is_the_same_message() {
    let one = read(&format!(
        "Received: a; x\nReturn-Path: <a@b>\n{WHO}Subject: Sam\nContent-Type: text/plain\n\nHe is  home.\n"
    ));
    let two = read(&format!(
        "Received: b; y\n{WHO}Subject: Sam\nContent-Transfer-Encoding: base64\n\nSGUgaXMgaG9tZS4="
    ));
    let other = read(&format!("{WHO}Subject: Sam\n\nHe is not home."));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_ne!(one.fingerprint, other.fingerprint);
}

#[test]
fn no_log_line_shows_what_a_family_wrote() {
    let shown = format!("{:?}", read(&format!("{WHO}Subject: Sam\n\nHe has no school.")));
    assert!(!shown.contains("Sam") && !shown.contains("school") && !shown.contains("amy"), "{shown}");
}

/// Attachments as the MIME parser alone sees them: type and size of every part.
fn parts_of(raw: &[u8]) -> Vec<usize> {
    let parsed = mail_parser::MessageParser::default().parse(raw).unwrap();
    let size = |part: &mail_parser::MessagePart<'_>| match &part.body {
        mail_parser::PartType::Text(text) | mail_parser::PartType::Html(text) => text.len(),
        mail_parser::PartType::Binary(bytes) | mail_parser::PartType::InlineBinary(bytes) => bytes.len(),
        mail_parser::PartType::Message(inside) => inside.raw_message.len(),
        mail_parser::PartType::Multipart(_) => 0,
    };
    parsed.parts.iter().map(size).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// The middle of an attachment is not parsed; nobody can tell, whatever happened to the message on its way.
    #[test]
    fn a_large_attachment_has_its_size_however_damaged(
        width in 8..30usize,
        lines in 100..400usize,
        ends in prop::sample::select(vec!["\n", "\r\n"]),
        kind in prop::sample::select(vec!["application/pdf", "image/png; name=a.png", "text/csv", "message/rfc822", "audio/x"]),
        last in prop::sample::select(vec!["", "QQ==", "QUI=", "QUJD", "Q", "QQ", "-", "--", "=", "Q Q"]),
        changes in prop::collection::vec((0.0..1.0f64, prop::sample::select(b"A/+=-\r\n \t!_\xFF".to_vec())), 0..4),
        cut in 0.6..1.4f64,
    ) {
        let line = format!("{}{ends}", "aB3/".repeat(width));
        let attached = format!(
            "Content-Type: {kind}{ends}Content-Transfer-Encoding: base64{ends}{ends}{}{last}{ends}",
            line.repeat(lines)
        );
        let head = format!(
            "From: a@b.example{ends}Subject: Sam{ends}Content-Type: multipart/mixed; boundary=\"x\"{ends}{ends}"
        );
        let body = format!(
            "--x{ends}Content-Type: text/plain{ends}{ends}He has no school.{ends}--x{ends}{attached}--x{ends}{attached}--x--{ends}"
        );
        let mut body = body.into_bytes();
        let length = body.len();
        for (at, byte) in changes {
            body[(at * length as f64) as usize] = byte;
        }
        body.truncate((cut * length as f64) as usize);
        let raw = [head.into_bytes(), body].concat();
        let message = message::parse(&raw, raw.len());
        let found: Vec<usize> = message.parts.iter().map(|part| part.size_bytes).collect();
        prop_assert_eq!(found, parts_of(&raw));
    }
}
