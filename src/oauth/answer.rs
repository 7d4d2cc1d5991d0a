//! What a token endpoint answers (RFC 6749 sections 5.1 and 5.2), read into a token or a reason; the words for a reason are
//! `refusal`'s. Whatever else comes (a proxy's page, half an answer) is said to be what it is.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

use super::http::Answer;
use super::refusal::{self, Refusal};
use super::{Provider, Token, TokenError};

/// How long a token is taken to be good for if nothing is said of it.
const UNSAID: Duration = Duration::from_secs(30 * 60);
/// No token is kept for longer, whatever is said of it.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The fields that are known.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Fields {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    error_codes: Vec<u64>,
}

/// A number, or a number in quotes as some servers write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

impl Seconds {
    fn duration(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(seconds) => *seconds,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        Duration::try_from_secs_f64(seconds).ok().filter(|good_for| *good_for >= Duration::from_secs(1))
    }
}

/// Reads an answer.
pub(super) fn read(provider: &Provider, answer: &Answer, now: DateTime<Utc>) -> Result<Token, TokenError> {
    let fields: Option<Fields> = serde_json::from_str(&answer.body).ok();
    let retry_after = answer.retry_after.as_deref().and_then(|wish| wait(wish, now));
    match (answer.status, fields) {
        (200, Some(Fields { access_token: Some(token), token_type, expires_in, refresh_token, .. })) => {
            let token = Zeroizing::new(token);
            let next_refresh = refresh_token.map(Zeroizing::new);
            let good_for = match expires_in {
                None => UNSAID,
                Some(seconds) => match seconds.duration() {
                    Some(good_for) => good_for.min(LONGEST),
                    None => return Err(refusal::no_token(provider, "a token that has run out already")),
                },
            };
            // It goes into one line of SASL: anything but visible ASCII there would be an order to the server.
            if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(refusal::no_token(provider, "a token with letters that no token has"));
            }
            if token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
                return Err(refusal::no_token(provider, "a token of another kind than Bearer"));
            }
            let secret = SecretString::from(token.as_str());
            let next_refresh = next_refresh.map(|next| SecretString::from(next.as_str()));
            Ok(Token { secret, good_for, next_refresh })
        }
        (status, Some(fields)) if fields.error.is_some() => {
            let refusal = Refusal {
                status,
                error: fields.error.unwrap_or_default(),
                description: fields.error_description.unwrap_or_default(),
                codes: fields.error_codes,
                skew: answer.date.as_deref().and_then(|theirs| skew(theirs, now)),
                retry_after,
            };
            Err(refusal::refused(provider, &refusal))
        }
        (status, _) => Err(refusal::strange(provider, status, retry_after)),
    }
}

/// How long `Retry-After` asks to wait: seconds or a date (RFC 9110 section 10.2.3).
fn wait(wish: &str, now: DateTime<Utc>) -> Option<Duration> {
    let wish = wish.trim();
    if let Ok(seconds) = wish.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(wish).ok()?.with_timezone(&Utc);
    Some((until - now).to_std().unwrap_or_default())
}

/// By how much our clock is ahead of the server's.
fn skew(theirs: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    Some(now - DateTime::parse_from_rfc2822(theirs.trim()).ok()?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::super::tests::provider;
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn said(status: u16, body: &str) -> Result<Token, TokenError> {
        let answer = Answer { status, retry_after: None, date: None, body: Zeroizing::new(body.to_owned()) };
        read(&provider("https://login.example/token"), &answer, now())
    }

    #[test]
    fn a_token_is_read_however_its_life_is_written() {
        for (life, seconds) in [
            (",\"expires_in\":3599", 3599),
            (",\"expires_in\":\"3599\"", 3599),
            ("", 1800),
            (",\"expires_in\":9e9", 86_400),
        ] {
            let token =
                said(200, &format!("{{\"token_type\":\"Bearer\",\"access_token\":\"eyJ.a-b_c\"{life}}}"))
                    .unwrap();
            assert_eq!((token.secret.expose_secret(), token.good_for.as_secs()), ("eyJ.a-b_c", seconds));
        }
        assert!(
            said(200, "{\"access_token\":\"x\",\"refresh_token\":\"y\"}").unwrap().next_refresh.is_some()
        );
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_one() {
        for body in [
            "",
            "<html>Please sign in to the guest network</html>",
            "{\"access_token\":\"",
            "[]",
            "{\"access_token\":\"a b\"}",
            "{\"access_token\":\"a\\u0001b\"}",
            "{\"access_token\":\"\"}",
            "{\"access_token\":\"x\",\"expires_in\":0}",
            "{\"access_token\":\"x\",\"expires_in\":-5}",
            "{\"access_token\":\"x\",\"expires_in\":\"soon\"}",
            "{\"access_token\":\"x\",\"token_type\":\"mac\"}",
        ] {
            let error = said(200, body).unwrap_err();
            assert!(matches!(error, TokenError::Transient { .. }), "{body}: {error}");
        }
    }

    #[test]
    fn a_wish_to_wait_is_understood_in_both_forms() {
        assert_eq!(wait("120", now()), Some(Duration::from_secs(120)));
        assert_eq!(wait("Mon, 23 Nov 2026 08:01:00 GMT", now()), Some(Duration::from_secs(60)));
        assert_eq!(wait("Mon, 23 Nov 2026 07:00:00 GMT", now()), Some(Duration::ZERO));
        assert_eq!(wait("soon", now()), None);
    }

    proptest! {
        #[test]
        fn no_answer_is_a_fault_of_ours(status in 100u16..600, body in ".{0,80}", wish in ".{0,20}", date in ".{0,30}") {
            let answer = Answer { status, retry_after: Some(wish), date: Some(date), body: Zeroizing::new(body) };
            let _ = read(&provider("https://login.example/token"), &answer, now());
        }
    }
}
