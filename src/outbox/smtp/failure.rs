//! From what an SMTP server said, and when, to who acts next. RFC 5321 section 4.2.1 gives codes their meaning; what the
//! large providers mean by theirs is told in the remedies.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;
use tokio_rustls::rustls;

use crate::outbox::DeliveryError;

/// A step of a delivery, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Name looked up, TCP connected; with TLS from the start, its handshake; greeting, EHLO.
    Connect,
    /// STARTTLS, its handshake, EHLO.
    StartTls,
    /// EHLO said again, to learn of SIZE and DSN.
    Hello,
    /// AUTH.
    Login,
    /// RSET on a connection that was kept.
    Reuse,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The letter itself, before its end was sent.
    Body,
    /// After the end of the letter was sent.
    Answer,
}

impl Stage {
    /// As it is named to people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::StartTls => "STARTTLS",
            Self::Hello => "EHLO",
            Self::Login => "the login",
            Self::Reuse => "RSET",
            Self::Mail => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Body => "sending the letter",
            Self::Answer => "the answer to the letter",
        }
    }
}

/// What went wrong at a stage.
#[derive(Debug)]
pub(super) enum Failure {
    /// lettre's account: a refusal, or a broken connection.
    Smtp(Error),
    /// The server was silent for so long.
    Silence(Duration),
    /// An answer of a code that has no place here.
    Unexpected(Response),
}

/// Sorts a failure by who acts next. `server` is `host:port`; `logged_in` says whether the account is to log in at all.
pub(super) fn sorted(stage: Stage, failure: &Failure, server: &str, logged_in: bool) -> DeliveryError {
    let place = format!("{server}, {}", stage.words());
    if let Failure::Smtp(error) = failure
        && let Some((problem, remedy)) = tls_fault(error, server)
    {
        return DeliveryError::NeedsAPerson { problem: format!("{place}: {problem}"), remedy };
    }
    let what = format!("{place}: {}", told(failure));
    if stage == Stage::Answer {
        return after_the_end(failure, what);
    }
    match failure {
        Failure::Smtp(error) => refused(stage, error, what, logged_in),
        Failure::Silence(_) if stage == Stage::Connect => DeliveryError::Transient {
            server_said: format!(
                "{what} (if this port speaks TLS from the start, as 465 does, set `security: tls`)"
            ),
        },
        _ => DeliveryError::Transient { server_said: what },
    }
}

/// Once the end of the letter is on its way, only a clear refusal is one. Anything else leaves the outcome open.
fn after_the_end(failure: &Failure, what: String) -> DeliveryError {
    match failure {
        Failure::Smtp(error) if error.is_transient() => DeliveryError::Transient { server_said: what },
        Failure::Smtp(error) if error.is_permanent() => match remedy(Stage::Answer, error) {
            Some(remedy) => DeliveryError::NeedsAPerson { problem: what, remedy },
            None => DeliveryError::Permanent { server_said: what },
        },
        _ => DeliveryError::Uncertain { detail: what },
    }
}

fn refused(stage: Stage, error: &Error, what: String, logged_in: bool) -> DeliveryError {
    if !error.is_permanent() {
        return DeliveryError::Transient { server_said: what };
    }
    if let Some(remedy) = remedy(stage, error) {
        return DeliveryError::NeedsAPerson { problem: what, remedy };
    }
    // "Not allowed" to a stranger is about the stranger, not about the recipient (RFC 3463 section 3.8).
    if stage == Stage::Recipient && !logged_in && error.to_string().contains("5.7.1") {
        return DeliveryError::NeedsAPerson { problem: what, remedy: LOG_IN.to_owned() };
    }
    // Up to and with MAIL a letter has played no part in it but by its size, so every letter would fare the same.
    let about_us = stage <= Stage::Mail && code(error) != Some(552);
    if about_us {
        let remedy = match stage {
            Stage::StartTls => {
                "the server offers STARTTLS and then refuses it: ask those who run it".to_owned()
            }
            Stage::Mail => {
                "if the server refuses the empty sender <>, set `envelope_from: address` for this account; \
                            otherwise ask those who run the server why this sender is refused"
                    .to_owned()
            }
            _ => "ask those who run the server why it refuses this machine".to_owned(),
        };
        return DeliveryError::NeedsAPerson { problem: what, remedy };
    }
    DeliveryError::Permanent { server_said: what }
}

const LOG_IN: &str =
    "the server wants a login before it takes letters: set `user` and a password or token, and `security`";

/// Refusals whose cause lies in an account's set-up, at whatever stage a server speaks of it.
fn remedy(stage: Stage, error: &Error) -> Option<String> {
    let said = error.to_string().to_ascii_lowercase();
    let code = code(error);
    let remedy = if said.contains("5.7.30") || said.contains("basic authentication is not supported") {
        "this provider no longer takes passwords: use XOAUTH2 (for Microsoft 365 see deploy/MICROSOFT-365.md)"
    } else if said.contains("5.7.139") || said.contains("smtpclientauthentication is disabled") {
        "switch on authenticated SMTP for this mailbox or the tenant (SmtpClientAuthenticationDisabled: false)"
    } else if said.contains("sendasdenied") || said.contains("5.7.60") || said.contains("5.2.252") {
        "give the login the right to send as this mailbox (Send As), or set `envelope_from` to its own address"
    } else if let Some(remedy) = used_up(&said) {
        remedy
    } else if stage == Stage::Login || code == Some(535) {
        "check `user`, and the password or token; then the account itself (locked, expired, no SMTP allowed); for Microsoft 365 \
         also SMTP.SendAsApp and the right to send as this mailbox (deploy/MICROSOFT-365.md)"
    } else if code == Some(530) || said.contains("relay") {
        LOG_IN
    } else {
        return None;
    };
    Some(remedy.to_owned())
}

/// What Exchange Online says when the mailbox that sends, or its tenant, has used up something: every letter would fare the same,
/// and be taken when there is room again. ("Mailbox full" without STOREDRV is a recipient's.)
fn used_up(said: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&["submissionquota"]) {
        Some(
            "this mailbox has written to as many people as its provider allows in a day (Exchange Online: 10,000); \
              letters wait, and go on when the day is over",
        )
    } else if says(&["storedrv.submission"]) && says(&["5.2.2 ", "quotaexceeded"]) || says(&["5.2.251"]) {
        Some(
            "the mailbox that sends is full: make room in it, and let its administrator set a retention policy on Sent; \
              letters wait until then",
        )
    } else if says(&["5.2.253"]) {
        Some(
            "the mailbox that sends has no licence, or an expired one: its administrator assigns one; letters wait until then",
        )
    } else if says(&["5.7.232", "5.7.233", "5.7.705", "5.1.90"]) {
        Some(
            "the tenant has written to as many people outside as its provider allows in a day; its administrator sees how many by \
              Get-LimitsEnforcementStatus. Letters wait, and go on when the day is over",
        )
    } else {
        None
    }
}

/// Whether TLS failed for a reason that trying again does not mend.
fn tls_fault(error: &Error, server: &str) -> Option<(String, String)> {
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = cause
            .downcast_ref::<rustls::Error>()
            .or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        if let Some(tls) = tls {
            return match tls {
                rustls::Error::InvalidCertificate(why) => {
                    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
                    Some(crate::mailbox::tls::certificate(host, why))
                }
                rustls::Error::InvalidMessage(_) => Some((
                    "the server does not speak TLS on this port".to_owned(),
                    "set `security: starttls` (port 587 as a rule), or use the TLS port (465 as a rule)"
                        .to_owned(),
                )),
                rustls::Error::PeerIncompatible(why) => Some((
                    format!("no version of TLS in common: {why:?}"),
                    "the server must speak TLS 1.2 or newer: tell those who run it".to_owned(),
                )),
                _ => None,
            };
        }
        source = cause.source();
    }
    None
}

fn code(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// A failure in words, without addresses: server texts like to repeat them, and these words end in logs.
fn told(failure: &Failure) -> String {
    match failure {
        Failure::Smtp(error) => {
            let code = code(error).map(|code| format!("{code} ")).unwrap_or_default();
            let said = match error.source() {
                Some(source) if error.status().is_some() => source.to_string(),
                _ if error.to_string().contains("incomplete response") => {
                    "the server closed the connection".to_owned()
                }
                _ => error.to_string(),
            };
            format!("{code}{}", without_addresses(&said))
        }
        Failure::Silence(time) => format!("no answer within {} seconds", time.as_secs()),
        Failure::Unexpected(response) => {
            let said: Vec<&str> = response.message().collect();
            format!("{} {}, which is no answer to this", response.code(), without_addresses(&said.join(" ")))
        }
    }
}

/// At most 300 characters, on one line, every word with an `@` replaced.
fn without_addresses(said: &str) -> String {
    let words = said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.map(|word| if word.contains('@') { "<address>" } else { word }).collect();
    words.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_gets_into_a_log() {
        let said = "5.1.1 <parent@home.example>:\r\n Recipient\u{7} rejected";
        assert_eq!(without_addresses(said), "5.1.1 <address> Recipient rejected");
        assert_eq!(without_addresses(&"x ".repeat(900)).len(), 300);
    }
}
