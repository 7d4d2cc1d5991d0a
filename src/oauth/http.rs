//! One POST to a token endpoint, over TLS, within a time limit. It waits on a thread of its own, because the client that is used
//! blocks; what it sends and what comes back is wiped, and neither is logged.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::task;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, CertificateError};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};

use super::refusal::place;
use super::{Provider, TokenError};
use crate::mailbox::tls;

/// How long one request may take in all.
const LIMIT: Duration = Duration::from_secs(20);

/// An answer is no longer than this.
const LONGEST: u64 = 64 << 10;

/// What an endpoint answered.
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// `Retry-After`.
    pub(super) retry_after: Option<String>,
    /// `Date`.
    pub(super) date: Option<String>,
    /// The body.
    pub(super) body: Zeroizing<String>,
}

/// Posts a form.
pub(super) async fn post(provider: &Provider, form: Zeroizing<String>) -> Result<Answer, TokenError> {
    let roots = provider.ca_file.as_deref().map(authorities).transpose().map_err(|problem| {
        TokenError::NeedsAPerson {
            problem: format!("{}: {problem}", place(provider)),
            remedy: "`ca_file` must be a text file with one or more BEGIN CERTIFICATE blocks that this user can read"
                .to_owned(),
        }
    })?;
    let url = provider.endpoint.clone();
    match task::spawn_blocking(move || blocking(&url, &form, roots)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(unreached(provider, &error)),
        Err(_) => Err(TokenError::Transient {
            problem: format!("{}: the request broke off", place(provider)),
            retry_after: None,
        }),
    }
}

fn blocking(url: &str, form: &str, roots: Option<Vec<Certificate<'static>>>) -> Result<Answer, Error> {
    let roots = roots.map_or(RootCerts::PlatformVerifier, |roots| RootCerts::new_with_certs(&roots));
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(roots)
        .build();
    let mut config = Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(LIMIT))
        .http_status_as_error(false)
        // A secret is sent to the address that was configured, and to no other.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .user_agent(concat!("send-triage/", env!("CARGO_PKG_VERSION")));
    if is_here(url) {
        // No proxy stands between.
        config = config.proxy(None);
    }
    let mut response = Agent::new_with_config(config.build())
        .post(url)
        .header("Accept", "application/json")
        .content_type("application/x-www-form-urlencoded")
        .send(form.as_bytes())?;
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.chars().take(64).collect())
    };
    let (retry_after, date) = (header("retry-after"), header("date"));
    let status = response.status().as_u16();
    let body = Zeroizing::new(response.body_mut().with_config().limit(LONGEST).read_to_vec()?);
    let body = Zeroizing::new(String::from_utf8_lossy(&body).into_owned());
    Ok(Answer { status, retry_after, date, body })
}

/// Whether it is this very machine.
fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or(rest);
    ["localhost", "127.0.0.1"].contains(&host)
}

fn authorities(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let cannot = |why: String| format!("the certificates in {} cannot be read: {why}", file.display());
    let pem = std::fs::read(file).map_err(|error| cannot(error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| cannot(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(cannot("there is no certificate in it".to_owned())) } else { Ok(found) }
}

/// What kept us from an answer.
fn unreached(provider: &Provider, error: &Error) -> TokenError {
    let place = place(provider);
    let passing =
        |what: String| TokenError::Transient { problem: format!("{place}: {what}"), retry_after: None };
    let person = |problem: String, remedy: String| TokenError::NeedsAPerson {
        problem: format!("{place}: {problem}"),
        remedy,
    };
    if let Some(why) = tls_cause(error) {
        return match why {
            rustls::Error::InvalidCertificate(why) => {
                let (problem, remedy) = certificate(provider, why);
                person(problem, remedy)
            }
            rustls::Error::InvalidMessage(_) => person(
                "what answers there does not speak TLS".to_owned(),
                "Check `token_endpoint`, and whether a proxy stands between (HTTPS_PROXY)".to_owned(),
            ),
            other => passing(format!("TLS failed: {other}")),
        };
    }
    match error {
        Error::Timeout(_) => passing(format!("no answer within {} s", LIMIT.as_secs())),
        Error::HostNotFound => passing("its name could not be looked up".to_owned()),
        Error::Io(error) => passing(match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                "nothing listens there (connection refused); does this machine need a proxy (HTTPS_PROXY)?"
                    .to_owned()
            }
            io::ErrorKind::UnexpectedEof => "the connection was closed before an answer came".to_owned(),
            io::ErrorKind::TimedOut => format!("no answer within {} s", LIMIT.as_secs()),
            _ => error.to_string(),
        }),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => person(
            "the proxy of HTTPS_PROXY does not let us through".to_owned(),
            "Have this machine let through to the token endpoint, or name the host in NO_PROXY".to_owned(),
        ),
        Error::BadUri(_) | Error::Http(_) => person(
            "that is no address of a token endpoint".to_owned(),
            "Write `token_endpoint` like https://login.example/token".to_owned(),
        ),
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) | Error::Protocol(_) => {
            passing("what came back is no answer of a token endpoint".to_owned())
        }
        other => passing(format!("no answer: {other}")),
    }
}

fn certificate(provider: &Provider, why: &CertificateError) -> (String, String) {
    let host = provider.host();
    let (problem, remedy) = tls::certificate(host.split(':').next().unwrap_or(host), why);
    match why {
        // The mail servers' remedy, with the key that stands here.
        CertificateError::UnknownIssuer => (
            problem,
            format!(
                "If a proxy of the council's opens TLS on the way, put its authority's certificate into this machine's trust store, or \
                 (PEM) into a file that `oauth.{}.ca_file` names",
                provider.name
            ),
        ),
        _ => (problem, remedy),
    }
}

fn tls_cause(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    }
}
