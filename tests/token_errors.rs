//! What is said when a token endpoint gives no token, byte for byte as the operator reads it (`fixtures/oauth/refusals.txt`;
//! `UPDATE_GOLDEN=1 cargo test token_errors::` writes it anew). The endpoint is real, the refusals are worded like Microsoft's.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use send_triage::oauth::{Grant, Proof, Provider, SecretSource, TokenError};

use crate::support::servers::Certificate;
use crate::support::token_endpoint::{SECRET, Say, TokenEndpoint};

fn provider(endpoint: &str) -> Provider {
    Provider {
        name: "tenant".to_owned(),
        endpoint: endpoint.to_owned(),
        client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
        proof: Proof::Secret(SecretSource(Rc::new(|| Ok(SecretString::from(SECRET))))),
        grant: Grant::ClientCredentials,
        scope: Some("https://outlook.office365.com/.default".to_owned()),
        ca_file: None,
    }
}

/// Who acts next, and the words. The port is nobody's business.
fn words(error: &TokenError, endpoint: &TokenEndpoint) -> String {
    let who = match error {
        TokenError::Transient { .. } => "tries again",
        TokenError::NeedsAPerson { .. } => "tells a person",
    };
    let port = endpoint.url().rsplit(':').next().unwrap().trim_end_matches("/token").to_owned();
    format!("[{who}] {error}\n").replace(&format!(":{port}"), "")
}

#[tokio::test]
async fn each_refusal_says_what_is_wrong_and_what_to_do() {
    let endpoint = TokenEndpoint::start();
    let refresh = || Grant::RefreshToken(SecretSource(Rc::new(|| Ok(SecretString::from("kept")))));
    let microsoft =
        |status, error, code, words| (format!("AADSTS{code}"), Say::microsoft(status, error, code, words));
    let standard = |status: u16, error: &str| {
        (format!("{status} {error}"), Say::Answer(status, "", format!("{{\"error\":\"{error}\"}}")))
    };
    let plain =
        |status: u16, body: &str| (format!("{status} {body}"), Say::Answer(status, "", body.to_owned()));
    let cases = [
        microsoft(401, "invalid_client", 7_000_215, "Invalid client secret provided."),
        microsoft(401, "invalid_client", 7_000_222, "The provided client secret keys for app are expired."),
        microsoft(400, "unauthorized_client", 700_016, "Application was not found in the directory."),
        microsoft(400, "invalid_request", 90_002, "Tenant not found."),
        microsoft(401, "invalid_client", 700_027, "The certificate is not registered on application."),
        microsoft(401, "invalid_client", 700_024, "Client assertion is not within its valid time range."),
        microsoft(401, "unauthorized_client", 7_000_112, "Application is disabled."),
        microsoft(400, "invalid_scope", 1_002_012, "The provided value for scope is not valid."),
        microsoft(400, "invalid_resource", 500_011, "The resource principal was not found in the tenant."),
        microsoft(400, "invalid_grant", 65_001, "The user or administrator has not consented."),
        microsoft(400, "invalid_grant", 53_003, "Access has been blocked by Conditional Access policies."),
        microsoft(400, "invalid_grant", 700_082, "The refresh token has expired due to inactivity."),
        microsoft(429, "temporarily_unavailable", 90_055, "There are too many incoming requests."),
        microsoft(400, "invalid_client", 123_456_789, "A code of next year."),
        standard(401, "invalid_client"),
        standard(400, "unauthorized_client"),
        standard(400, "invalid_scope"),
        standard(400, "access_denied"),
        standard(400, "something_new"),
        standard(503, "temporarily_unavailable"),
        plain(200, "<html>Guest network: please accept the conditions</html>"),
        plain(302, ""),
        plain(404, ""),
        plain(407, ""),
        plain(429, ""),
        plain(502, "Bad gateway"),
        ("hangs up".to_owned(), Say::HangUp),
    ];
    let mut said = String::new();
    for (name, say) in cases {
        endpoint.then(say);
        let error = provider(&endpoint.url()).fetch(Utc::now()).await.unwrap_err();
        said += &format!("{name}\n{}\n", words(&error, &endpoint));
    }
    endpoint.then(Say::Answer(400, "", "{\"error\":\"invalid_grant\"}".to_owned()));
    let error =
        Provider { grant: refresh(), ..provider(&endpoint.url()) }.fetch(Utc::now()).await.unwrap_err();
    said += &format!("400 invalid_grant, of a refresh token\n{}\n", words(&error, &endpoint));
    // The machine's clock is a quarter of an hour slow.
    endpoint.then(Say::Answer(401, "", "{\"error\":\"invalid_client\"}".to_owned()));
    let slow = Utc::now() - chrono::TimeDelta::minutes(15) - chrono::TimeDelta::seconds(20);
    let error = provider(&endpoint.url()).fetch(slow).await.unwrap_err();
    said += &format!("401 invalid_client, and the clock is wrong\n{}", words(&error, &endpoint));
    golden("refusals.txt", &said);
    assert!(!said.contains(SECRET) && !said.contains("Trace ID"));
}

fn golden(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/oauth").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        said == expected,
        "{name} differs; UPDATE_GOLDEN=1 cargo test token_errors:: writes it anew:\n{said}"
    );
}

#[tokio::test]
async fn a_secret_goes_only_where_the_certificate_is_trusted_and_nowhere_else_by_redirection() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = TokenEndpoint::start_tls(folder.path(), Certificate::Good);
    let ca_file = Some(folder.path().join("tls/ca.pem"));
    let trusting = |url: &str, ca_file: Option<PathBuf>| Provider { ca_file, ..provider(url) };
    let token = trusting(&endpoint.url(), ca_file.clone()).fetch(Utc::now()).await.unwrap();
    assert!(token.secret.expose_secret().starts_with("eyJ") && token.good_for.as_secs() == 3600);

    let told = |error: TokenError| {
        assert!(matches!(error, TokenError::NeedsAPerson { .. }), "{error}");
        error.to_string()
    };
    let unknown = told(trusting(&endpoint.url(), None).fetch(Utc::now()).await.unwrap_err());
    assert!(unknown.contains("does not know") && unknown.contains("`oauth.tenant.ca_file`"), "{unknown}");
    let elsewhere = TokenEndpoint::start_tls(&folder.path().join("other"), Certificate::OtherHost);
    let other_ca = Some(folder.path().join("other/tls/ca.pem"));
    let wrong = told(trusting(&elsewhere.url(), other_ca).fetch(Utc::now()).await.unwrap_err());
    assert!(wrong.contains("not for localhost"), "{wrong}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let no_tls = format!("https://localhost:{}/token", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 4096]);
    });
    let wrong = told(trusting(&no_tls, ca_file.clone()).fetch(Utc::now()).await.unwrap_err());
    assert!(wrong.contains("does not speak TLS"), "{wrong}");
    let none = told(
        trusting(&endpoint.url(), Some(folder.path().join("none.pem"))).fetch(Utc::now()).await.unwrap_err(),
    );
    assert!(none.contains("cannot be read"), "{none}");
    assert_eq!((endpoint.asked().len(), elsewhere.asked().len()), (1, 0), "no secret was sent");

    let clear = TokenEndpoint::start();
    // A redirection is not followed, whatever kind it is.
    for status in [301, 302, 303, 307, 308] {
        let to: &'static str = Box::leak(format!("Location: {}\r\n", clear.url()).into_boxed_str());
        endpoint.then(Say::Answer(status, to, String::new()));
        let moved = told(trusting(&endpoint.url(), ca_file.clone()).fetch(Utc::now()).await.unwrap_err());
        assert!(moved.contains("sends us to another address"), "{moved}");
    }
    assert_eq!(clear.asked().len(), 0, "the secret followed");
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_tried_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = provider(&format!("http://127.0.0.1:{port}/token")).fetch(Utc::now()).await.unwrap_err();
    assert!(matches!(&error, TokenError::Transient { .. }), "{error}");
    assert!(error.to_string().contains("connection refused"), "{error}");
    let nowhere = provider("https://login.nowhere.invalid/token").fetch(Utc::now()).await.unwrap_err();
    assert!(matches!(&nowhere, TokenError::Transient { .. }), "{nowhere}");
}
