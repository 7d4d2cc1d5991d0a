//! What a delivery report says was not delivered: the Message-IDs of what came back, and the status code. Not whether the message
//! is a report: `triage/kind.rs` decides that.
//!
//! RFC 3464 (delivery status notifications), RFC 6522 (multipart/report), RFC 3463 (status codes). Read line by line rather than
//! part by part: older servers and gateways write their reports without any of these.

use serde::Serialize;

use super::thread;

/// A report is small; of one that carries the whole message back, the beginning tells.
const MOST_BYTES: usize = 256 * 1024;
/// One letter of ours has one recipient, so that a report names few.
const MOST_IDS: usize = 20;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Returned {
    /// Message-IDs that the report names, without angle brackets.
    pub message_ids: Vec<String>,
    /// The status code, such as `5.1.1`; `None`: none that could be read.
    pub status: Option<String>,
}

/// Reads a report. `None`: it returns nothing, because it is about a delay or a success, is a receipt, or names no message.
pub fn returned(raw: &[u8]) -> Option<Returned> {
    let text = String::from_utf8_lossy(raw.get(..raw.len().min(MOST_BYTES)).unwrap_or_default());
    let (mut ids, mut status, mut actions) = (Vec::new(), None, Vec::new());
    for (name, value) in fields(&text) {
        match (name.as_str(), value.as_str()) {
            ("disposition", _) => return None,
            ("action", action) => actions.push(action.trim().to_ascii_lowercase()),
            ("status", code) => status = status.or_else(|| permanent(code)),
            // The report's own name is no message that came back; fields of the same name further below are.
            ("message-id", ids_in) => ids.extend(thread::ids(ids_in)),
            (
                "in-reply-to" | "references" | "original-message-id" | "x-ms-exchange-original-message-id",
                of,
            ) => {
                ids.extend(thread::ids(of));
            }
            _ => {}
        }
    }
    if !actions.is_empty() && !actions.iter().any(|action| action.starts_with("failed")) {
        return None;
    }
    let mut once: Vec<String> = Vec::new();
    for id in ids {
        if once.len() < MOST_IDS && !once.contains(&id) {
            once.push(id);
        }
    }
    (!once.is_empty()).then_some(Returned { message_ids: once, status })
}

/// `5.1.1 (bad address)`: a code that says "for good" (RFC 3463 section 2).
fn permanent(value: &str) -> Option<String> {
    let code = value.split_whitespace().next()?;
    let mut numbers = code.split('.');
    let fits = code.starts_with("5.") && numbers.clone().count() == 3;
    let numeric = numbers
        .all(|number| (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()));
    (fits && numeric).then(|| code.to_owned())
}

/// All that looks like a header field in the whole message, unfolded, names in lower case; without the Message-ID of the
/// message itself.
fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    let mut in_head = true;
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            if line.is_empty() {
                in_head = false;
                continue;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let is_name =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_name {
                continue;
            }
            let mut value = value.to_owned();
            while let Some(more) = lines.next_if(|next| next.starts_with([' ', '\t'])) {
                value.push_str(more);
            }
            let name = name.to_ascii_lowercase();
            if in_head && name == "message-id" {
                continue;
            }
            return Some((name, value));
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(raw: &str, wanted: Option<(&[&str], Option<&str>)>) {
        let found = returned(raw.replace('\n', "\r\n").as_bytes());
        let wanted = wanted.map(|(ids, status)| Returned {
            message_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            status: status.map(str::to_owned),
        });
        assert_eq!(found, wanted, "{raw}");
    }

    #[test]
    fn postfix_returns_the_headers_of_our_letter() {
        let raw = include_str!("../../fixtures/inbox/general/08-bounce-postfix.eml").replace("\r\n", "\n");
        check(&raw, Some((&["60f2b1@hertfordshire.example"], Some("5.1.1"))));
        check(&raw.replace("Action: failed", "Action: delayed"), None);
        check(
            &raw.replace("Status: 5.1.1", "Status: mystery"),
            Some((&["60f2b1@hertfordshire.example"], None)),
        );
    }

    #[test]
    fn exchange_names_it_in_the_head_and_folds_its_fields() {
        check(
            "Message-ID: <report@mail.example>\nIn-Reply-To: <ack-1@council.example>\nSubject: Undeliverable\n\n\
             Original Message Headers\nMessage-ID:\n <ack-1@council.example>\n\
             Action: failed\nStatus: 5.7.1\n",
            Some((&["ack-1@council.example"], Some("5.7.1"))),
        );
    }

    #[test]
    fn a_receipt_and_a_report_without_a_name_return_nothing() {
        check(
            "Message-ID: <r@x.example>\n\nDisposition: manual-action/MDN-sent-manually; displayed\n\
             Original-Message-ID: <ack-1@council.example>\n",
            None,
        );
        check("Message-ID: <r@x.example>\n\nYour mail could not be delivered.\nStatus: 5.0.0\n", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_stops_it(raw in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = returned(&raw);
        }

        #[test]
        fn nor_what_looks_like_fields(raw in "(?s)(Message-ID|Action|Status|References|Disposition)?:? ?[<>@a-z0-9. \r\n\t-]{0,80}") {
            let _ = returned(raw.as_bytes());
        }
    }
}
