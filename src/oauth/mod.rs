//! Access tokens for mailboxes whose servers take no passwords: asked for at a provider's token endpoint (OAuth 2.0, RFC 6749),
//! kept until shortly before they run out (`keeper`), never written down and never logged. What a token is shown to is
//! `mailbox`'s and `outbox`'s affair; who signs people in is none of ours: there is no browser here.
//!
//! A client proves itself by a secret, or by a certificate with which it signs an assertion (RFC 7523, `assertion`).

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

mod answer;
mod assertion;
mod http;
mod keeper;
mod plan;
mod refusal;

pub use assertion::certificate_validity;
pub use keeper::{Keeper, Tokens};

/// A provider of tokens, as configured.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// Its token endpoint: `https://...`, or `http://` to this very machine.
    pub endpoint: String,
    /// Who we are to it.
    pub client_id: String,
    /// How we prove it.
    pub proof: Proof,
    /// On whose behalf we ask.
    pub grant: Grant,
    /// What the token is to be good for.
    pub scope: Option<String>,
    /// The certificates (PEM) to be trusted at the endpoint, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// How a client proves who it is (RFC 6749 section 2.3, RFC 7521 section 4.2).
#[derive(Debug, Clone)]
pub enum Proof {
    /// Not at all: a public client with a refresh token.
    None,
    /// By a secret.
    Secret(SecretSource),
    /// By an assertion signed with the key of a certificate that the provider knows.
    Certificate {
        /// The certificate's file, PEM.
        file: PathBuf,
        /// Its private key, PEM.
        key: SecretSource,
    },
}

/// On whose behalf a token is asked for.
#[derive(Debug, Clone)]
pub enum Grant {
    /// Our own: the application has been given its rights (RFC 6749 section 4.4).
    ClientCredentials,
    /// Somebody's who has once agreed to it (RFC 6749 section 6).
    RefreshToken(SecretSource),
}

/// Where a secret is; read for each request, so that a changed one needs no restart.
#[derive(Clone)]
pub struct SecretSource(pub Rc<dyn Fn() -> Result<SecretString, String>>);

impl SecretSource {
    fn read(&self, what: &str) -> Result<SecretString, TokenError> {
        (self.0)().map_err(|problem| TokenError::NeedsAPerson {
            problem: problem.trim_end_matches('.').to_owned(),
            remedy: format!("Look at `oauth` in the configuration: {what}"),
        })
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretSource")
    }
}

/// A token as a provider gave it.
#[derive(Debug)]
pub struct Token {
    /// The token itself.
    pub secret: SecretString,
    /// How long it is good for, counted from when it was asked for.
    pub good_for: Duration,
    /// A refresh token that takes the place of the one that was shown.
    pub next_refresh: Option<SecretString>,
}

/// Why there is no token, sorted by who acts next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The network or the provider; the same may work later.
    #[error("{problem}")]
    Transient {
        /// What happened.
        problem: String,
        /// The provider's own wish: not before so long.
        retry_after: Option<Duration>,
    },
    /// A person must act: a secret, a certificate, a permission.
    #[error("{problem}. {remedy}")]
    NeedsAPerson {
        /// What happened or what the provider said.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Provider {
    /// The endpoint's host, for messages.
    pub fn host(&self) -> &str {
        let rest = self.endpoint.split_once("://").map_or(self.endpoint.as_str(), |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or(rest)
    }

    /// Whether it is Microsoft's, of any cloud.
    fn is_microsoft(&self) -> bool {
        self.host().contains("microsoftonline")
    }

    /// Asks for a token now, whatever is kept: for `doctor`, and for the [`Keeper`].
    pub async fn fetch(&self, now: DateTime<Utc>) -> Result<Token, TokenError> {
        self.fetch_with(now, None).await
    }

    /// The same; `refresh` stands in for the refresh token that is configured.
    async fn fetch_with(
        &self,
        now: DateTime<Utc>,
        refresh: Option<&SecretString>,
    ) -> Result<Token, TokenError> {
        let form = self.form(now, refresh)?;
        let answer = http::post(self, form).await?;
        answer::read(self, &answer, now)
    }

    /// The request's body.
    fn form(
        &self,
        now: DateTime<Utc>,
        refresh: Option<&SecretString>,
    ) -> Result<Zeroizing<String>, TokenError> {
        let mut form = Form::default();
        match &self.grant {
            Grant::ClientCredentials => form.add("grant_type", "client_credentials"),
            Grant::RefreshToken(source) => {
                form.add("grant_type", "refresh_token");
                match refresh {
                    Some(refresh) => form.add("refresh_token", refresh.expose_secret()),
                    None => form.add("refresh_token", source.read("`refresh_token`")?.expose_secret()),
                }
            }
        }
        form.add("client_id", &self.client_id);
        if let Some(scope) = &self.scope {
            form.add("scope", scope);
        }
        match &self.proof {
            Proof::None => {}
            Proof::Secret(source) => {
                form.add("client_secret", source.read("`client_secret`")?.expose_secret());
            }
            Proof::Certificate { file, key } => {
                let key = key.read("`certificate.key`")?;
                let assertion = assertion::sign(self, file, &key, now)?;
                // RFC 7523 section 2.2.
                form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                form.add("client_assertion", &assertion);
            }
        }
        Ok(form.0)
    }
}

/// `application/x-www-form-urlencoded`, in memory that is wiped.
struct Form(Zeroizing<String>);

impl Default for Form {
    fn default() -> Self {
        // Room enough that it is not copied while it grows: what is left behind would not be wiped.
        Self(Zeroizing::new(String::with_capacity(32 << 10)))
    }
}

impl Form {
    fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                self.0.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    self.0.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A provider that proves itself by the secret `s&cret`.
    pub(crate) fn provider(endpoint: &str) -> Provider {
        Provider {
            name: "tenant".to_owned(),
            endpoint: endpoint.to_owned(),
            client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            proof: Proof::Secret(SecretSource(Rc::new(|| Ok(SecretString::from("s&cret"))))),
            grant: Grant::ClientCredentials,
            scope: Some("https://outlook.office365.com/.default".to_owned()),
            ca_file: None,
        }
    }

    #[test]
    fn the_request_is_the_one_that_the_standard_shows() {
        let provider = provider("https://login.example/token");
        let form = provider.form(Utc::now(), None).unwrap();
        assert_eq!(
            form.as_str(),
            "grant_type=client_credentials&client_id=11111111-2222-3333-4444-555555555555\
             &scope=https%3A%2F%2Foutlook.office365.com%2F.default&client_secret=s%26cret"
        );
        let grant = Grant::RefreshToken(SecretSource(Rc::new(|| Ok(SecretString::from("1//kept")))));
        let other = Provider { grant, proof: Proof::None, scope: None, ..provider };
        let form = |refresh: Option<&str>| {
            let refresh = refresh.map(SecretString::from);
            other.form(Utc::now(), refresh.as_ref()).unwrap().to_string()
        };
        let id = "client_id=11111111-2222-3333-4444-555555555555";
        assert_eq!(form(None), format!("grant_type=refresh_token&refresh_token=1%2F%2Fkept&{id}"));
        assert_eq!(form(Some("next")), format!("grant_type=refresh_token&refresh_token=next&{id}"));
    }

    #[test]
    fn a_secret_that_cannot_be_read_says_which_one() {
        let proof = Proof::Secret(SecretSource(Rc::new(|| Err("/etc/x: no such file.".to_owned()))));
        let provider = Provider { proof, ..provider("https://login.example/token") };
        let error = provider.form(Utc::now(), None).unwrap_err().to_string();
        assert_eq!(error, "/etc/x: no such file. Look at `oauth` in the configuration: `client_secret`");
    }

    #[test]
    fn what_is_shown_of_a_provider_holds_no_secret() {
        let provider = provider("https://login.example:8443/t/token?x=1");
        assert!(!format!("{provider:?}").contains("cret\""), "{provider:?}");
        assert_eq!(provider.host(), "login.example:8443");
    }
}
