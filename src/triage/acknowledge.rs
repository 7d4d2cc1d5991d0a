//! Whether the sender gets the automatic acknowledgement.
//!
//! Policy, email a, promises one to every email; RFC 3834 asks that machines get none. Each question can only withhold,
//! and says why; the first that does wins. Nothing here counts: what was sent already is read from `History`.

use chrono::{DateTime, Duration, Utc};

use super::kind::{from_own_domain, takes_no_replies};
use super::{History, Kind, Team};
use crate::message::{Message, ReturnPath, authentication};

/// Whether the sender is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Yes, to this address.
    Send {
        /// Where it goes: From's address.
        to: String,
    },
    /// No, and why.
    Withhold(Why),
}

impl Acknowledgement {
    /// Whether one is sent.
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Send { .. })
    }

    /// Why, in words that staff understand.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Send { .. } => "a person wrote to the team",
            Self::Withhold(why) => why.words(),
        }
    }
}

/// Why an acknowledgement is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Not written by a person; the kind says what it is.
    NotAPerson,
    /// The team stands only in Cc or Bcc (policy, email b and c).
    OnlyCopied,
    /// The sender's address says that it takes no replies.
    NoReplyAddress,
    /// There is no address to answer.
    NoAddress,
    /// The envelope sender is null (RFC 3834 section 2).
    NullSender,
    /// Auto-Submitted says that it is automatic (RFC 3834 section 2).
    AutoSubmitted,
    /// A list or bulk header (RFC 5230 section 4.6).
    ListOrBulk,
    /// X-Auto-Response-Suppress asks for none.
    SuppressionAsked,
    /// Our own mailbox, or the council's own domain.
    OwnDomain,
    /// The council's mail server says that the sender is forged (RFC 8601): an acknowledgement would go to a third party.
    ForgedSender,
    /// Received before this mailbox was taken into use.
    BeforeGoLive,
    /// Older than the configured age when it was first seen.
    TooOld,
    /// The operator has switched acknowledgements off.
    SwitchedOff,
    /// This sender has had as many as a day allows.
    SenderLimit,
    /// This sender's domain has had as many as an hour allows.
    DomainLimit,
    /// We have sent as many as an hour allows.
    OverallLimit,
    /// It only says thank you.
    OnlyThanks,
    /// It is an earlier message sent again, which was acknowledged (policy, email b).
    SentAgain,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::NotAPerson,
        Self::OnlyCopied,
        Self::NoReplyAddress,
        Self::NoAddress,
        Self::NullSender,
        Self::AutoSubmitted,
        Self::ListOrBulk,
        Self::SuppressionAsked,
        Self::OwnDomain,
        Self::ForgedSender,
        Self::BeforeGoLive,
        Self::TooOld,
        Self::SwitchedOff,
        Self::SenderLimit,
        Self::DomainLimit,
        Self::OverallLimit,
        Self::OnlyThanks,
        Self::SentAgain,
    ];

    /// One word for it, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAPerson => "not-a-person",
            Self::OnlyCopied => "only-copied",
            Self::NoReplyAddress => "no-reply-address",
            Self::NoAddress => "no-address",
            Self::NullSender => "null-sender",
            Self::AutoSubmitted => "auto-submitted",
            Self::ListOrBulk => "list-or-bulk",
            Self::SuppressionAsked => "suppression-asked",
            Self::OwnDomain => "own-domain",
            Self::ForgedSender => "forged-sender",
            Self::BeforeGoLive => "before-go-live",
            Self::TooOld => "too-old",
            Self::SwitchedOff => "switched-off",
            Self::SenderLimit => "sender-limit",
            Self::DomainLimit => "domain-limit",
            Self::OverallLimit => "overall-limit",
            Self::OnlyThanks => "only-thanks",
            Self::SentAgain => "sent-again",
        }
    }

    /// The reason, in words that staff understand.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotAPerson => "not written by a person",
            Self::OnlyCopied => "the team is only copied in (policy, email b and c)",
            Self::NoReplyAddress => "the sender's address takes no replies",
            Self::NoAddress => "there is no address to answer",
            Self::NullSender => "the envelope sender is empty (RFC 3834)",
            Self::AutoSubmitted => "its headers say that it is automatic (RFC 3834)",
            Self::ListOrBulk => "its headers say that it is list or bulk mail (RFC 5230)",
            Self::SuppressionAsked => "its headers ask for no automatic answer",
            Self::OwnDomain => "it comes from the council itself",
            Self::ForgedSender => {
                "the council's mail server says that its sender is forged; the answer would go to somebody else"
            }
            Self::BeforeGoLive => "it was received before this mailbox was taken into use",
            Self::TooOld => "it was too old when it was first seen",
            Self::SwitchedOff => "acknowledgements are switched off",
            Self::SenderLimit => "this sender has had as many acknowledgements as a day allows",
            Self::DomainLimit => "this sender's domain has had as many acknowledgements as an hour allows",
            Self::OnlyThanks => "it only says thank you: no answer is owed",
            Self::SentAgain => {
                "the same words were sent before and belong to the same case (policy, email b)"
            }
            Self::OverallLimit => "as many acknowledgements as an hour allows have been sent",
        }
    }

    /// Whether people should be told that a person's message went without one.
    pub fn is_a_limit(self) -> bool {
        matches!(self, Self::SenderLimit | Self::DomainLimit | Self::OverallLimit)
    }
}

/// What the message itself says of it: asks every question in turn.
pub fn of_itself(message: &Message, kind: Kind, copied: bool, team: &Team) -> Acknowledgement {
    let to = message.from.as_ref().map(|from| from.address.clone()).unwrap_or_default();
    match not_for_machines(message, kind, copied, team) {
        Some(why) => Acknowledgement::Withhold(why),
        None => Acknowledgement::Send { to },
    }
}

/// What becomes of it by what time and the record tell.
pub fn now(
    acknowledgement: Acknowledgement,
    received_at: DateTime<Utc>,
    history: &History,
    team: &Team,
) -> Acknowledgement {
    match acknowledgement {
        Acknowledgement::Send { to } => match not_now(received_at, history, team) {
            Some(why) => Acknowledgement::Withhold(why),
            None => Acknowledgement::Send { to },
        },
        withheld => withheld,
    }
}

/// What the message itself tells.
fn not_for_machines(message: &Message, kind: Kind, copied: bool, team: &Team) -> Option<Why> {
    if kind != Kind::Person {
        return Some(Why::NotAPerson);
    }
    if copied {
        return Some(Why::OnlyCopied);
    }
    let Some(from) = message.from.as_ref().filter(|from| is_an_address(&from.address)) else {
        return Some(Why::NoAddress);
    };
    let answers_elsewhere = message.sender.as_ref().is_some_and(|sender| takes_no_replies(&sender.address));
    if takes_no_replies(&from.address) || answers_elsewhere || is_a_robot(&from.address) {
        return Some(Why::NoReplyAddress);
    }
    match &message.return_path {
        ReturnPath::Null => return Some(Why::NullSender),
        ReturnPath::Address(path) if takes_no_replies(&path.address) || is_a_robot(&path.address) => {
            return Some(Why::NoReplyAddress);
        }
        _ => {}
    }
    if message
        .headers("Auto-Submitted")
        .any(|value| !first_word(value).is_empty() && first_word(value) != "no")
    {
        return Some(Why::AutoSubmitted);
    }
    if ["X-Autoreply", "X-Autorespond"].iter().any(|name| message.header(name).is_some()) {
        return Some(Why::AutoSubmitted);
    }
    let is_list = message.headers.iter().any(|header| header.name.to_ascii_lowercase().starts_with("list-"));
    let is_bulk = message.headers("Precedence").any(|value| {
        matches!(first_word(value).as_str(), "bulk" | "list" | "junk")
            || first_word(value).starts_with("auto")
    });
    if is_list || is_bulk {
        return Some(Why::ListOrBulk);
    }
    // Exchange: DR, NDR, RN, NRN are about receipts and OOF about out-of-office replies; only these two mean us.
    let asked = message.headers("X-Auto-Response-Suppress").any(|value| {
        value
            .split([',', ';'])
            .any(|word| matches!(word.trim().to_ascii_lowercase().as_str(), "all" | "autoreply"))
    });
    if asked {
        return Some(Why::SuppressionAsked);
    }
    let ours = team
        .mailboxes
        .iter()
        .any(|mailbox| mailbox.addresses.iter().any(|own| own.eq_ignore_ascii_case(&from.address)));
    if ours || from_own_domain(message, team) {
        return Some(Why::OwnDomain);
    }
    let trusted = team.trusted_authserv_id.as_deref();
    trusted.and_then(|trusted| authentication::forged(message, trusted)).map(|_| Why::ForgedSender)
}

/// What time and the record tell.
fn not_now(received_at: DateTime<Utc>, history: &History, team: &Team) -> Option<Why> {
    let limits = team.limits;
    if history.taken_into_use_at.is_some_and(|since| received_at < since) {
        return Some(Why::BeforeGoLive);
    }
    let too_old =
        |hours: u32| history.now.signed_duration_since(received_at) > Duration::hours(i64::from(hours));
    if limits.oldest_hours.is_some_and(too_old) {
        return Some(Why::TooOld);
    }
    if limits.switched_off {
        return Some(Why::SwitchedOff);
    }
    if history.to_sender_in_a_day >= limits.per_sender_a_day {
        return Some(Why::SenderLimit);
    }
    if history.to_domain_in_an_hour >= limits.per_domain_an_hour {
        return Some(Why::DomainLimit);
    }
    (history.in_all_in_an_hour >= limits.in_all_an_hour).then_some(Why::OverallLimit)
}

fn is_an_address(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !address.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}

/// Names that RFC 5230 section 4.6 has every responder leave alone. `postmaster` may be a person.
fn is_a_robot(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_ascii_lowercase();
    matches!(
        local.as_str(),
        "mailer-daemon" | "mailer_daemon" | "listserv" | "majordomo" | "bounce" | "bounces"
    ) || local.starts_with("owner-")
        || local.ends_with("-request")
        || local.ends_with("-owner")
        || local.starts_with("bounce+")
        || local.starts_with("bounces+")
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
    use crate::message::{Address, Header};
    use crate::triage::{Limits, TeamMailbox};

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default()
    }

    fn team() -> Team {
        Team {
            trusted_authserv_id: Some("mx.council.example".to_owned()),
            call_backs: Default::default(),
            domain: "hertfordshire.example".to_owned(),
            mailboxes: vec![TeamMailbox {
                name: "general".to_owned(),
                addresses: vec!["send.general@hertfordshire.example".to_owned()],
            }],
            answer_within_working_days: 10,
            limits: Limits::default(),
        }
    }

    fn from(address: &str) -> Message {
        Message {
            from: Some(Address { name: String::new(), address: address.to_owned() }),
            ..Message::default()
        }
    }

    fn with(mut message: Message, name: &str, value: &str) -> Message {
        message.headers.push(Header { name: name.to_owned(), value: value.to_owned() });
        message
    }

    fn ask(message: &Message) -> Option<Why> {
        ask_at(message, &History::none("general", at()))
    }

    fn ask_at(message: &Message, history: &History) -> Option<Why> {
        match now(of_itself(message, Kind::Person, false, &team()), at(), history, &team()) {
            Acknowledgement::Send { .. } => None,
            Acknowledgement::Withhold(why) => Some(why),
        }
    }

    #[test]
    fn a_person_is_acknowledged_at_the_address_they_wrote_from() {
        let sent = of_itself(&from("jo@mail.example"), Kind::Person, false, &team());
        assert_eq!(sent, Acknowledgement::Send { to: "jo@mail.example".to_owned() });
    }

    #[test]
    fn machines_are_not() {
        let person = || from("jo@mail.example");
        for value in ["auto-replied", "auto-generated", "auto-notified", "Auto-Replied; owner=x"] {
            assert_eq!(ask(&with(person(), "Auto-Submitted", value)), Some(Why::AutoSubmitted), "{value}");
        }
        for value in ["no", "No", "no; comment"] {
            assert_eq!(ask(&with(person(), "auto-submitted", value)), None, "{value}");
        }
        for name in ["List-Id", "List-Unsubscribe", "list-post"] {
            assert_eq!(ask(&with(person(), name, "<x>")), Some(Why::ListOrBulk), "{name}");
        }
        for value in ["bulk", "Junk", "list", "auto_reply"] {
            assert_eq!(ask(&with(person(), "Precedence", value)), Some(Why::ListOrBulk), "{value}");
        }
        let null = Message { return_path: ReturnPath::Null, ..person() };
        assert_eq!(ask(&null), Some(Why::NullSender));
        for address in [
            "no-reply@x.example",
            "DoNotReply@x.example",
            "forms.noreply@x.example",
            "mailer-daemon@x.example",
        ] {
            assert_eq!(ask(&from(address)), Some(Why::NoReplyAddress), "{address}");
        }
        assert_eq!(ask(&from("not an address")), Some(Why::NoAddress));
        assert_eq!(ask(&Message::default()), Some(Why::NoAddress));
    }

    #[test]
    fn suppression_headers_ask_but_receipts_headers_do_not() {
        for (value, expected) in [
            ("All", Some(Why::SuppressionAsked)),
            ("DR, OOF, AutoReply", Some(Why::SuppressionAsked)),
            ("DR, RN, NRN", None),
            ("OOF", None),
        ] {
            assert_eq!(
                ask(&with(from("jo@mail.example"), "X-Auto-Response-Suppress", value)),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn whom_the_councils_own_server_calls_forged_gets_no_letter() {
        let told = |results: &str| ask(&with(from("jo@mail.example"), "Authentication-Results", results));
        assert_eq!(told("mx.council.example; dmarc=fail header.from=mail.example"), Some(Why::ForgedSender));
        assert_eq!(told("mx.council.example; spf=softfail; dkim=none; dmarc=none"), None, "badly set up");
        assert_eq!(told("mx.elsewhere.example; dmarc=fail"), None, "anybody may write that");
    }

    #[test]
    fn our_own_house_is_not_answered() {
        assert_eq!(ask(&from("send.general@hertfordshire.example")), Some(Why::OwnDomain));
        assert_eq!(ask(&from("someone@childrens.hertfordshire.example")), Some(Why::OwnDomain));
        assert_eq!(ask(&from("someone@nothertfordshire.example")), None);
    }

    #[test]
    fn time_and_limits_withhold() {
        let message = from("jo@mail.example");
        let none = History::none("general", at());
        let late = History { now: at() + Duration::hours(73), ..none.clone() };
        assert_eq!(ask_at(&message, &late), Some(Why::TooOld));
        let new = History { taken_into_use_at: Some(at() + Duration::seconds(1)), ..none.clone() };
        assert_eq!(ask_at(&message, &new), Some(Why::BeforeGoLive));
        let often = History { to_sender_in_a_day: 10, ..none.clone() };
        assert_eq!(ask_at(&message, &often), Some(Why::SenderLimit));
        let domain = History { to_domain_in_an_hour: 100, ..none.clone() };
        assert_eq!(ask_at(&message, &domain), Some(Why::DomainLimit));
        let all = History { in_all_in_an_hour: 1000, ..none };
        assert_eq!(ask_at(&message, &all), Some(Why::OverallLimit));
        assert!(Why::OverallLimit.is_a_limit() && !Why::TooOld.is_a_limit());
    }
}
