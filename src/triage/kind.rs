//! What sort of message it is: a person's, or a machine's of some kind.
//!
//! First what headers and parts prove (RFC 3834, RFC 3464, RFC 8098, RFC 5546, RFC 2919), then the council's own domain,
//! then the words, by `senders.yaml`. Whether it is acknowledged is another question: see [`super::acknowledge`].
//! A person's own words sent through a no-reply system stay a person's (labelling.md, settled cases).

use super::{Finding, Kind, Outcome, Team};
use crate::message::{Message, ReturnPath};
use crate::rules::{Group, Reading};

const POLICY: &str = "labelling.md, kind";

/// The kind of a message, and why.
pub fn kind(message: &Message, team: &Team, reading: &Reading<'_>, trace: &mut Vec<Finding>) -> Kind {
    let by_words = reading.group(Group::Kinds).filter(|verdict| verdict.holds).find_map(|verdict| {
        let kind = named(&verdict.rule.then)?;
        Some((kind, verdict))
    });
    if let Some((kind, reason)) = by_headers(message, by_words.as_ref().map(|(kind, _)| *kind)) {
        trace.push(Finding::plain("kind", POLICY, Outcome::Holds, reason));
        return kind;
    }
    if is_form(message) {
        trace.push(Finding::plain(
            "kind",
            POLICY,
            Outcome::Noted,
            "a web form that carries a person's own words",
        ));
        return Kind::Person;
    }
    let own = from_own_domain(message, team);
    match by_words {
        Some((kind, verdict)) if !own || kind != Kind::List => {
            trace.push(Finding::holds(verdict, verdict.rule.title.clone()));
            kind
        }
        _ if own => {
            trace.push(Finding::plain("kind", POLICY, Outcome::Holds, "sent from the council's own domain"));
            Kind::Internal
        }
        _ => Kind::Person,
    }
}

/// Whether the sender's address lies in the council's own domain or below it.
pub(super) fn from_own_domain(message: &Message, team: &Team) -> bool {
    let domain = message.from.as_ref().map(|from| from.domain()).unwrap_or_default();
    let own = team.domain.to_ascii_lowercase();
    !own.is_empty() && (domain == own || domain.strip_suffix(&own).is_some_and(|rest| rest.ends_with('.')))
}

/// Whether an address says of itself that it takes no replies.
pub(super) fn takes_no_replies(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_ascii_lowercase();
    let plain: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    ["noreply", "donotreply", "dontreply", "notreply", "unmonitored", "nicht-antworten", "nepasrepondre"]
        .iter()
        .any(|mark| plain.contains(mark))
}

fn named(name: &str) -> Option<Kind> {
    Some(match name {
        "person" => Kind::Person,
        "auto-reply" => Kind::AutoReply,
        "bounce" => Kind::Bounce,
        "list" => Kind::List,
        "internal" => Kind::Internal,
        "calendar" => Kind::Calendar,
        _ => return None,
    })
}

/// What headers and parts prove by themselves.
fn by_headers(message: &Message, by_words: Option<Kind>) -> Option<(Kind, &'static str)> {
    if let Some(reason) = report(message) {
        return Some((Kind::Bounce, reason));
    }
    if let Some(found) = calendar(message) {
        return Some(found);
    }
    let person_in_form = is_form(message);
    let automatic =
        message.headers("Auto-Submitted").map(first_word).find(|value| value != "no" && !value.is_empty());
    if let Some(value) = automatic {
        if value == "auto-replied" || by_words == Some(Kind::AutoReply) {
            return Some((Kind::AutoReply, "Auto-Submitted says that it is an automatic reply (RFC 3834)"));
        }
        if by_words == Some(Kind::Bounce) {
            return Some((Kind::Bounce, "Auto-Submitted, and the words of a delivery report"));
        }
        if !person_in_form {
            let answers =
                message.header("Precedence").is_some_and(|value| first_word(value).starts_with("auto"))
                    || (!message.in_reply_to.is_empty() && !has_list_headers(message));
            return Some(if answers {
                (Kind::AutoReply, "Auto-Submitted, in answer to a message (RFC 3834)")
            } else {
                (Kind::List, "Auto-Submitted says that a system wrote it (RFC 3834)")
            });
        }
    }
    let answers_by_itself =
        ["X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoresponder", "X-AutoReply-From"]
            .iter()
            .any(|name| message.header(name).is_some_and(|value| first_word(value) != "no"))
            || message.header("Precedence").is_some_and(|value| first_word(value).starts_with("auto"));
    if answers_by_itself {
        return Some((Kind::AutoReply, "its headers say that it is an automatic reply"));
    }
    if person_in_form {
        return None;
    }
    if has_list_headers(message) {
        return Some((
            Kind::List,
            "it carries the headers of a mailing list or bulk mail (RFC 2369, RFC 2919)",
        ));
    }
    if message.return_path == ReturnPath::Null {
        return Some(match by_words {
            Some(Kind::Bounce) => (Kind::Bounce, "an empty return path, and the words of a delivery report"),
            Some(Kind::List) => (Kind::List, "an empty return path (RFC 5321), and the words of bulk mail"),
            _ => (Kind::AutoReply, "an empty return path: an automatic message (RFC 5321 section 4.5.5)"),
        });
    }
    None
}

/// A delivery status notification or a receipt (RFC 3464, RFC 8098).
fn report(message: &Message) -> Option<&'static str> {
    if let Some(part) = message.parts.iter().find(|part| part.content_type == "multipart/report") {
        let report_type = part.parameters.iter().find(|(name, _)| name == "report-type");
        let receipt =
            report_type.is_some_and(|(_, value)| value.eq_ignore_ascii_case("disposition-notification"));
        return Some(if receipt { "a read receipt (RFC 8098)" } else { "a delivery report (RFC 3464)" });
    }
    if message.parts.iter().any(|part| part.content_type == "message/delivery-status") {
        return Some("a delivery report (RFC 3464)");
    }
    if message.parts.iter().any(|part| part.content_type == "message/disposition-notification") {
        return Some("a read receipt (RFC 8098)");
    }
    if message.header("X-MS-Exchange-Message-Is-Ndr").is_some()
        || message.header("X-Failed-Recipients").is_some()
    {
        return Some("its headers say that it is a delivery report");
    }
    None
}

/// A meeting invitation, answer or cancellation (RFC 5546) with no message of its own.
fn calendar(message: &Message) -> Option<(Kind, &'static str)> {
    let part = message
        .parts
        .iter()
        .find(|part| part.content_type == "text/calendar" || part.content_type == "application/ics");
    if part.is_none() && !is_meeting_of_exchange(message) {
        return None;
    }
    let method = part
        .and_then(|part| part.parameters.iter().find(|(name, _)| name == "method"))
        .map(|(_, value)| value.to_ascii_lowercase());
    // Some programs name the method only within the calendar's text; PUBLISH is a timetable that somebody hands out.
    if method.is_some_and(|method| method == "publish") {
        return None;
    }
    if own_words(&message.new_text.new, &message.subject) >= 5 {
        return None;
    }
    Some((
        Kind::Calendar,
        "a meeting invitation, answer or cancellation with no message of its own (RFC 5546)",
    ))
}

/// Exchange hands meetings out over IMAP as a link to Outlook on the web, without their calendar part, unless it is told otherwise.
fn is_meeting_of_exchange(message: &Message) -> bool {
    let class = message.header("Content-Class").unwrap_or_default().to_ascii_lowercase();
    class.contains("calendarmessage") || message.new_text.new.contains("exvsurl=1&path=/calendar/item")
}

/// How many words of a meeting's text are its sender's own, and not the meeting's particulars: its subject again, its time, and
/// what calendar programs write around them.
fn own_words(text: &str, subject: &str) -> usize {
    const PARTICULARS: [&str; 60] = [
        "conference id",
        "find a local number",
        "reset dial-in pin",
        "for organi",
        "join with",
        "join from",
        "one tap mobile",
        "need help?",
        "system reference",
        "download teams",
        "join in the browser",
        "or call in",
        "tenant key",
        "video id",
        "more phone numbers",
        "calendar event",
        "when:",
        "where:",
        "location:",
        "time:",
        "date:",
        "organiser:",
        "organizer:",
        "subject:",
        "what:",
        "who:",
        "microsoft teams",
        "join on",
        "join the meeting",
        "join:",
        "click here to join",
        "meeting id",
        "passcode",
        "meeting options",
        "learn more",
        "dial",
        "phone conference",
        "http",
        "____",
        "----",
        "~*~",
        "zoom",
        "google meet",
        "accepted:",
        "has accepted",
        "invitation",
        "this event has been",
        "this event was",
        "changed:",
        "joining info",
        "guests",
        "reply for ",
        "view all guest",
        "view on google",
        "view event",
        "more details",
        "you are receiving this",
        "you're receiving this",
        "to stop receiving",
        "forwarding this",
    ];
    let subject = subject.to_lowercase();
    text.lines()
        .map(|line| line.trim().to_lowercase())
        .filter(|line| {
            !(subject.contains(line.as_str())
                || is_meeting_time(line)
                || PARTICULARS
                    .iter()
                    .any(|mark| line.starts_with(mark) || (line.len() < 60 && line.contains(mark))))
        })
        .map(|line| line.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count())
        .sum()
}

/// A line that is nothing but a meeting's time, as `thursday 6 may 2027, 10am - 11am, united kingdom time`.
fn is_meeting_time(line: &str) -> bool {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    line.len() < 90
        && DAYS.iter().any(|day| line.starts_with(day))
        && digits >= 4
        && (line.contains(" - ") || line.contains('\u{2013}') || line.contains(" to "))
        && line.split_whitespace().count() <= 14
}

/// A web form that passes on a person's own words: a sender that is a system, and a text of labelled answers.
pub(super) fn is_form(message: &Message) -> bool {
    let Some(from) = &message.from else { return false };
    let local =
        from.address.rsplit_once('@').map_or(from.address.as_str(), |(local, _)| local).to_ascii_lowercase();
    let system = takes_no_replies(&from.address)
        || [
            "form",
            "website",
            "webmaster",
            "online",
            "enquir",
            "contactus",
            "contact-us",
            "portal",
            "eservices",
        ]
        .iter()
        .any(|mark| local.contains(mark));
    if !system {
        return false;
    }
    let text = message.new_text.new.to_lowercase();
    let label = |line: &&str| {
        line.split_once(':').is_some_and(|(name, value)| {
            let words = name.split_whitespace().count();
            (1..=6).contains(&words)
                && (FORM_LABELS.iter().any(|mark| name.contains(mark)))
                && value.len() < 4000
        })
    };
    let labels = text.lines().map(str::trim).filter(label).count();
    let says_so =
        FORM_WORDS.iter().any(|mark| text.contains(mark) || message.subject.to_lowercase().contains(mark));
    let own_voice = OWN_VOICE.iter().any(|mark| text.contains(mark));
    own_voice && (labels >= 2 || (says_so && (labels >= 1 || text.split_whitespace().count() > 25)))
}

const FORM_LABELS: [&str; 16] = [
    "name",
    "message",
    "email",
    "e-mail",
    "phone",
    "telephone",
    "enquiry",
    "query",
    "comment",
    "child",
    "relationship",
    "question",
    "details",
    "postcode",
    "date of birth",
    "how can we help",
];
const FORM_WORDS: [&str; 10] = [
    "web form",
    "webform",
    "contact form",
    "online form",
    "enquiry form",
    "form submission",
    "submitted",
    "via the website",
    "through the website",
    "from the website",
];
const OWN_VOICE: [&str; 14] = [
    " my ",
    "my son",
    "my daughter",
    " i ",
    "i am",
    "i'm",
    "i’m",
    "i have",
    " we ",
    "we are",
    " our ",
    " he ",
    " she ",
    " us ",
];

fn has_list_headers(message: &Message) -> bool {
    const LIST: [&str; 8] = [
        "List-Id",
        "List-Unsubscribe",
        "List-Help",
        "List-Subscribe",
        "List-Post",
        "List-Owner",
        "List-Archive",
        "Feedback-ID",
    ];
    LIST.iter().any(|name| message.header(name).is_some())
        || message
            .header("Precedence")
            .is_some_and(|value| matches!(first_word(value).as_str(), "bulk" | "list" | "junk"))
}

fn first_word(value: &str) -> String {
    value
        .split([';', ' ', '\t'])
        .map(str::trim)
        .find(|word| !word.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Address, Header, Part};

    fn message(from: &str, text: &str) -> Message {
        let mut message = Message {
            from: Some(Address { name: String::new(), address: from.to_owned() }),
            return_path: ReturnPath::Absent,
            ..Message::default()
        };
        text.clone_into(&mut message.new_text.new);
        message
    }

    fn part(content_type: &str, name: &str, value: &str) -> Part {
        Part {
            content_type: content_type.to_owned(),
            parameters: vec![(name.to_owned(), value.to_owned())],
            ..Part::default()
        }
    }

    fn of(message: &Message) -> Kind {
        let team = Team { domain: "hertfordshire.example".to_owned(), ..Team::default() };
        kind(message, &team, &Reading::default(), &mut Vec::new())
    }

    #[test]
    fn headers_and_parts_prove_machines() {
        let person = || message("jo@mail.example", "My son has no school.");
        assert_eq!(of(&person()), Kind::Person);
        let with = |name: &str, value: &str| {
            let mut message = person();
            message.headers.push(Header { name: name.to_owned(), value: value.to_owned() });
            of(&message)
        };
        assert_eq!(with("Auto-Submitted", "auto-replied"), Kind::AutoReply);
        assert_eq!(with("Auto-Submitted", "auto-generated"), Kind::List);
        assert_eq!(with("Auto-Submitted", "no"), Kind::Person);
        assert_eq!(with("List-Id", "<news.example>"), Kind::List);
        assert_eq!(with("Precedence", "bulk"), Kind::List);
        assert_eq!(with("X-Auto-Response-Suppress", "DR, RN"), Kind::Person);
        let bounce =
            Message { parts: vec![part("multipart/report", "report-type", "delivery-status")], ..person() };
        assert_eq!(of(&bounce), Kind::Bounce);
        let null = Message { return_path: ReturnPath::Null, ..person() };
        assert_eq!(of(&null), Kind::AutoReply);
    }

    #[test]
    fn a_meeting_answer_is_calendar_unless_it_says_something() {
        let answer = |text: &str| Message {
            parts: vec![part("text/calendar", "method", "REPLY")],
            ..message("jo@mail.example", text)
        };
        assert_eq!(of(&answer("When: Monday\nWhere: Microsoft Teams Meeting")), Kind::Calendar);
        let joining = "Microsoft Teams Need help?\nJoin the meeting now\nMeeting ID: 345 112 233 901\nPasscode: aB3dE6\n\
            Dial in by phone\n+44 20 7946 0000,,112233# United Kingdom, London\nFind a local number\nPhone conference ID: 112 233#\n\
            For organizers: Meeting options | Reset dial-in PIN";
        assert_eq!(of(&answer(joining)), Kind::Calendar);
        let changed = "This event has been updated\nChanged: time\n\nReview of the plan\nTuesday 4 May 2027, 2pm - 3pm, United Kingdom Time\n\
            Joining info: video call link meet.example/abc\nGuests: a@school.example - organiser, SEND team\n\
            Reply for send@council.example: Yes  Maybe  No";
        let moved = Message {
            subject: "Updated invitation: Review of the plan @ Tue 4 May 2027".to_owned(),
            ..answer(changed)
        };
        assert_eq!(of(&moved), Kind::Calendar);
        let with_words = format!("{changed}\n\nSorry, we had to move it because her teacher is ill.");
        assert_eq!(of(&Message { ..answer(&with_words) }), Kind::Person);
        let without_method =
            Message { parts: vec![part("text/calendar", "charset", "utf-8")], ..answer(joining) };
        assert_eq!(of(&without_method), Kind::Calendar);
        assert_eq!(
            of(&answer("Yes I can come, but please could it be held at the school instead?")),
            Kind::Person
        );
    }

    #[test]
    fn the_own_domain_is_internal_but_a_form_is_a_persons() {
        assert_eq!(of(&message("sam@childrens.hertfordshire.example", "Can you log this?")), Kind::Internal);
        assert_eq!(of(&message("sam@otherhertfordshire.example", "Can you log this?")), Kind::Person);
        let form = message(
            "no-reply@hertfordshire.example",
            "Name: Jo Bell\nEmail: jo@mail.example\nMessage: My son has no school.",
        );
        assert_eq!(of(&form), Kind::Person);
    }
}
