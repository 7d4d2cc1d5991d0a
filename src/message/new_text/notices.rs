//! Words that machines add: confidentiality notices, external-sender banners, "Sent from my iPhone".
//!
//! Policy words such as "urgent" or "excluded" stand in many of them, so they must not count. What a person writes
//! about confidentiality ("please keep this confidential") is no notice.

use std::cell::OnceCell;
use std::sync::LazyLock;

use regex::Regex;

use crate::message::text::{collapse, head, unadorned};

fn lower(text: &str) -> String {
    let mut text = collapse(&unadorned(head(text.trim(), 2_000)));
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return text;
    }
    text.to_lowercase()
}

/// All of some marks as one search: most paragraphs have none of them, and then that is all that needs to be known.
fn any_of(marks: &[&str]) -> Option<Regex> {
    // The marks are fixed and a test compiles them; without the search, each is looked for.
    Regex::new(&marks.iter().map(|mark| regex::escape(mark)).collect::<Vec<_>>().join("|")).ok()
}

static ANY_NOTICE: LazyLock<Option<Regex>> = LazyLock::new(|| any_of(NOTICES));
static ANY_BANNER: LazyLock<Option<Regex>> = LazyLock::new(|| any_of(BANNERS));

/// A line that a telephone or a mail program adds under every message.
pub(super) fn is_mobile_footer(line: &str) -> bool {
    let trimmed = line.trim();
    if trimmed.len() > 160 || trimmed.len() < 9 || !may_start_footer(trimmed) {
        return false;
    }
    let words = lower(trimmed);
    let words = words.trim_matches(|c: char| "-_*<>[](). ".contains(c));
    const STARTS: &[&str] = &[
        "sent from my ",
        "sent from outlook",
        "sent from mail for windows",
        "sent from yahoo mail",
        "sent from aol",
        "sent from the all new aol",
        "sent from gmail mobile",
        "sent from samsung",
        "sent from proton",
        "sent with proton",
        "sent from bt mail",
        "sent from sky",
        "sent from talktalk",
        "sent from a mobile",
        "sent from mobile",
        "sent from an iphone",
        "sent from workspace",
        "sent from windows mail",
        "sent from mailbird",
        "sent from ipad",
        "sent from iphone",
        "sent from surface",
        "sent from blackberry",
        "sent from type app",
        "sent from nine",
        "sent from postbox",
        "sent from icloud",
        "sent from virgin media",
        "sent using ",
        "sent via ",
        "get outlook for",
        "yahoo mail: search, organi",
        "yahoo mail - be a better friend",
        "envoyé de mon ",
        "envoyé depuis ",
        "von meinem ",
        "gesendet von ",
        "enviado desde ",
        "enviado do meu",
        "inviato da ",
        "wysłane z ",
        "wysłano z ",
        "verzonden vanaf",
        "trimis de pe",
        "download the new hotmail",
        "this email has been sent from my mobile",
    ];
    if !STARTS.iter().any(|start| words.starts_with(start)) {
        return false;
    }
    // "Sent from my mum's account because she is in hospital" is not the telephone speaking.
    let device = [
        "iphone",
        "ipad",
        "ipod",
        "phone",
        "galaxy",
        "samsung",
        "android",
        "mobile",
        "tablet",
        "huawei",
        "pixel",
        "outlook",
        "windows",
        "mail",
        "aol",
        "nine",
        "app",
        "device",
        "xiaomi",
        "oneplus",
        "blackberry",
        "proton",
        "sky",
        "icloud",
        "surface",
        "typeapp",
        "hotmail",
        "oppo",
        "honor",
        "virgin media",
    ];
    device.iter().any(|name| words.contains(name)) && words.split(' ').count() <= 14
}

/// What the first letters of a line already rule out.
fn may_start_footer(line: &str) -> bool {
    let words = line.trim_start_matches(|c: char| {
        "-_*<>[](). ".contains(c) || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2026}')
    });
    words.as_bytes().first_chunk::<3>().is_some_and(|letters| {
        matches!(
            &letters.map(|letter| letter.to_ascii_lowercase()),
            b"sen"
                | b"get"
                | b"yah"
                | b"env"
                | b"von"
                | b"ges"
                | b"inv"
                | b"wys"
                | b"ver"
                | b"tri"
                | b"dow"
                | b"thi"
        )
    })
}

const NOTICES: &[&str] = &[
    "intended recipient",
    "intended solely for",
    "solely for the use of",
    "intended only for",
    "only for the person",
    "received this email in error",
    "received this e-mail in error",
    "received it in error",
    "received this message in error",
    "received this in error",
    "received the message in error",
    "received this communication in error",
    "not the intended",
    "not the addressee",
    "for the addressee",
    "named addressee",
    "may contain confidential",
    "may contain information which is confidential",
    "legally privileged",
    "contents of this email are privileged",
    "any files transmitted with it",
    "and any attachments are confidential",
    "and any attachment is confidential",
    "accepts no liability",
    "accept no liability",
    "accepts no responsibility",
    "cannot accept liability",
    "cannot accept any liability",
    "does not accept liability",
    "do not accept liability",
    "scanned for viruses",
    "virus free",
    "virus-free",
    "checked for viruses",
    "computer viruses",
    "consider the environment",
    "think before you print",
    "printing this email",
    "printing this e-mail",
    "authorised and regulated by",
    "registered in england",
    "company limited by guarantee",
    "registered charity number",
    "registered charity no",
    "company registration number",
    "registered office",
    "views expressed",
    "opinions expressed",
    "views or opinions",
    "service by email",
    "monitored for",
    "may be monitored",
    "may be recorded or monitored",
    "unauthorised use",
    "disclosure, copying",
    "copying or distribution",
    "freedom of information act",
    "privacy notice",
    "email disclaimer",
    "disclaimer:",
    "this email is confidential",
    "this e-mail is confidential",
    "this message is confidential",
    "email and any attachments",
    "e-mail and any attachments",
    "mimecast",
    "information in this email is",
    "data protection act",
    "communication is confidential",
    "email is intended for",
];

/// A paragraph as it is compared: once, whatever is then asked of it.
pub(super) struct Paragraph {
    /// Lower case, one space between words, plain punctuation.
    words: String,
    length: usize,
    many_words: bool,
    points: OnceCell<usize>,
}

impl Paragraph {
    pub(super) fn new(text: &str) -> Self {
        Paragraph {
            words: lower(text),
            length: text.len(),
            many_words: text.split_whitespace().nth(4).is_some(),
            points: OnceCell::new(),
        }
    }

    /// How strongly it reads as a confidentiality notice or the like; 1 and above is one.
    fn points(&self) -> usize {
        *self.points.get_or_init(|| {
            let any = ANY_NOTICE.as_ref().is_none_or(|any| any.is_match(&self.words));
            if any { NOTICES.iter().filter(|mark| self.words.contains(*mark)).count() } else { 0 }
        })
    }

    /// A paragraph that a mail server or an office adds at the end.
    pub(super) fn is_notice(&self) -> bool {
        if !self.many_words || self.points() == 0 {
            return false;
        }
        let text = format!(" {} ", self.words);
        let first_person = [" my son", " my daughter", " my child", " i ", " i'm ", " i've "]
            .iter()
            .any(|own| text.contains(own));
        self.points() >= if first_person { 3 } else { 1 }
    }

    /// What a school's message system or a portal puts below what it relays. A person who asks not to be answered at an
    /// address says why instead of how the message came.
    pub(super) fn is_relay_foot(&self) -> bool {
        let words = self.words.trim_start_matches(|c: char| "-_*=~. ".contains(c));
        let Some(rest) = ["this message ", "this email ", "this e-mail ", "this notification "]
            .iter()
            .find_map(|start| words.strip_prefix(start))
        else {
            return false;
        };
        let came = [
            "was sent through ",
            "was sent via ",
            "was sent using ",
            "was sent by ",
            "was sent to you by ",
            "was sent from a ",
            "has been sent via ",
            "has been sent through ",
            "has been sent by ",
            "is automated",
            "was generated ",
            "was automatically ",
        ];
        let asks = [
            "do not reply",
            "not monitored",
            "unmonitored",
            "cannot be replied",
            "unsubscribe",
            "notification settings",
            "preferences",
            "replies to this",
        ];
        self.length < 500
            && came.iter().any(|way| rest.starts_with(way))
            && asks.iter().any(|ask| rest.contains(ask))
    }

    /// The line that stands over a notice and says that it is one.
    pub(super) fn is_notice_heading(&self) -> bool {
        let words = self.words.trim_matches(|c: char| "-_*=~:. ".contains(c));
        matches!(
            words,
            "disclaimer"
                | "email disclaimer"
                | "e-mail disclaimer"
                | "confidentiality notice"
                | "confidentiality"
                | "legal disclaimer"
                | "legal notice"
                | "important notice"
                | "confidentiality and disclaimer"
        )
    }

    /// A paragraph so much like a notice that it is one wherever it stands.
    pub(super) fn is_plain_notice(&self) -> bool {
        self.length > 80 && self.points() >= 3
    }

    /// A banner that the receiving server puts on top: "CAUTION: This email originated from outside ...".
    pub(super) fn is_banner(&self) -> bool {
        if self.length > 900 {
            return false;
        }
        let tag = self.words.trim_matches(|c: char| "[]*<>() !:-_".contains(c));
        TAGS.contains(&tag)
            || ANY_BANNER.as_ref().is_none_or(|any| any.is_match(&self.words))
                && BANNERS.iter().any(|mark| self.words.contains(mark))
    }
}

/// See [`Paragraph::is_notice`].
pub(super) fn is_notice(paragraph: &str) -> bool {
    // Five words with a mark among them are longer.
    paragraph.len() >= 12 && Paragraph::new(paragraph).is_notice()
}

/// See [`Paragraph::is_banner`].
pub(super) fn is_banner(paragraph: &str) -> bool {
    paragraph.len() <= 900 && Paragraph::new(paragraph).is_banner()
}

/// What a banner may wholly consist of.
const TAGS: &[&str] = &[
    "external",
    "external email",
    "external sender",
    "caution external",
    "caution: external email",
    "external mail",
    "warning: external email",
    "this email is from an external source",
    "external message",
];

const BANNERS: &[&str] = &[
    "originated from outside",
    "originates from outside",
    "originated outside",
    "sent from outside",
    "from outside of the organi",
    "from outside the organi",
    "from outside your organi",
    "from outside the council",
    "from outside of the council",
    "do not click links",
    "do not click any links",
    "don't often get email from",
    "learn why this is important",
    "came from outside",
    "from an external source",
    "from an external sender",
    "unless you recognise the sender",
    "unless you recognize the sender",
    "power up your productivity with microsoft",
    "you have not previously corresponded",
    "message was sent securely",
    "email was sent securely",
    "message has been sent securely",
    "email has been sent securely",
    "message was encrypted",
    "email was encrypted",
    "email has been encrypted",
    "message is encrypted",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephones_speak() {
        for line in [
            "Sent from my iPhone",
            "Sent from my Samsung Galaxy smartphone.",
            "Get Outlook for iOS<https://aka.ms/o0ukef>",
            "Sent from Outlook for Android",
            "Sent from Yahoo Mail on Android",
            "Sent from Mail for Windows",
            "Sent via BT Email App",
            "Envoyé de mon iPhone",
            "Sent from my mobile - please excuse typos",
            "-------- Sent from my Galaxy",
        ] {
            assert!(is_mobile_footer(line), "{line}");
        }
        for line in [
            "Sent from my mum's account as mine is locked",
            "Sent home again today",
            "I sent from my iPhone the photos",
            "Sent from school with a letter",
        ] {
            assert!(!is_mobile_footer(line), "{line}");
        }
    }

    #[test]
    fn notices_and_what_people_say_about_confidence() {
        assert!(is_notice("This email is confidential and intended solely for the use of the individual."));
        assert!(is_notice("Please consider the environment before printing this email."));
        assert!(is_notice("Registered charity no. 000000. Registered office: 1 High Street."));
        assert!(!is_notice("Please keep this confidential, his dad must not know where we live."));
        assert!(!is_notice("I accept no liability is what the taxi firm told my son and I'm not having it"));
    }

    #[test]
    fn every_search_compiles() {
        assert!(ANY_NOTICE.is_some() && ANY_BANNER.is_some());
    }

    #[test]
    fn banners() {
        assert!(is_banner("[EXTERNAL]"));
        assert!(is_banner(
            "CAUTION: This email originated from outside of the organisation. Do not click links."
        ));
        assert!(!is_banner("He has been external to the school since June"));
    }
}
