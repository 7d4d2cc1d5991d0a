//! What an access token says of itself, for `doctor`: for whom it is, what it may do, until when. The token is neither shown
//! nor trusted: only the server judges it. RFC 7519; the names of Microsoft's permissions.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::super::base64::{self, URL};

/// For whom a token of Exchange Online must be.
const EXCHANGE: [&str; 2] = ["https://outlook.office365.com", "https://outlook.office.com"];

/// What a token says in words, or what is wrong with it and what to do. One that cannot be read is no failure: a server may
/// use tokens of any kind.
pub(super) fn told(token: &SecretString, now: DateTime<Utc>) -> Result<String, (String, String)> {
    let token = token.expose_secret();
    if token.trim().is_empty() {
        return Err(("it is empty".into(), "See what writes it, and why it has stopped.".into()));
    }
    let Some(claims) = claims(token) else {
        return Ok("there; what it says cannot be read from outside".into());
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut said = Vec::new();
    if let Some(ends) =
        claims.get("exp").and_then(Value::as_i64).and_then(|at| DateTime::from_timestamp(at, 0))
    {
        let minutes = (ends - now).num_minutes();
        if ends <= now {
            return Err((
                format!("it ended {} minutes ago", -minutes),
                "See what keeps it fresh, and whether this machine's clock is right.".into(),
            ));
        }
        said.push(format!("good for {minutes} minutes"));
    }
    let audience = text("aud").trim_end_matches('/');
    if !audience.is_empty() {
        said.push(format!("for {audience}"));
    }
    let roles: Vec<&str> = claims
        .get("roles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_microsofts =
        text("iss").contains("sts.windows.net") || text("iss").contains("login.microsoftonline");
    if is_microsofts && !EXCHANGE.contains(&audience) {
        return Err((
            format!("it is for {audience}, not for Exchange Online"),
            "Ask for it with the scope https://outlook.office365.com/.default.".into(),
        ));
    }
    if is_microsofts && text("scp").is_empty() && !roles.contains(&"IMAP.AccessAsApp") {
        let has = if roles.is_empty() { "none".to_owned() } else { roles.join(", ") };
        return Err((
            format!("it lacks the permission IMAP.AccessAsApp (it has: {has})"),
            "In Entra, App registrations, API permissions: add the application permission IMAP.AccessAsApp of \
             Office 365 Exchange Online, then grant admin consent."
                .into(),
        ));
    }
    if !roles.is_empty() {
        said.push(roles.join(", "));
    }
    Ok(if said.is_empty() { "there".into() } else { said.join("; ") })
}

fn claims(token: &str) -> Option<Value> {
    let payload = token.trim().split('.').nth(1)?.trim_end_matches('=');
    let value: Value = serde_json::from_slice(&base64::decode(payload, URL)?).ok()?;
    value.is_object().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(claims: &str) -> Result<String, String> {
        let payload = base64::encode(claims.as_bytes(), URL, false);
        let token = SecretString::from(format!("e30.{payload}.c2ln"));
        told(&token, "2026-11-18T10:00:00Z".parse().unwrap()).map_err(|(problem, _)| problem)
    }

    #[test]
    fn a_token_says_how_long_it_is_good_for_and_what_it_may_do() {
        let good = r#"{"iss":"https://sts.windows.net/x/","aud":"https://outlook.office365.com","exp":1795000800,
            "roles":["IMAP.AccessAsApp","SMTP.SendAsApp"]}"#;
        let said = say(good).unwrap();
        assert!(
            said.contains("minutes; for https://outlook.office365.com; IMAP.AccessAsApp, SMTP.SendAsApp"),
            "{said}"
        );
    }

    #[test]
    fn a_token_that_cannot_work_is_told_before_the_login() {
        let microsofts = r#""iss":"https://sts.windows.net/x/""#;
        for (claims, word) in [
            (r#"{"exp":1700000000}"#.to_owned(), "ended"),
            (format!(r#"{{{microsofts},"aud":"https://graph.microsoft.com"}}"#), "graph.microsoft.com"),
            (
                format!(r#"{{{microsofts},"aud":"https://outlook.office365.com","roles":["Mail.Read"]}}"#),
                "Mail.Read",
            ),
            (format!(r#"{{{microsofts},"aud":"https://outlook.office365.com"}}"#), "none"),
        ] {
            let said = say(&claims).unwrap_err();
            assert!(said.contains(word), "{said}");
        }
        assert!(told(&SecretString::from(" "), DateTime::UNIX_EPOCH).is_err());
    }

    #[test]
    fn a_token_of_another_kind_is_left_to_the_server() {
        for other in ["ya29.opaque-token", "one", "a.b.c", "a.bm8.c"] {
            assert!(told(&SecretString::from(other), DateTime::UNIX_EPOCH).is_ok(), "{other}");
        }
    }
}
