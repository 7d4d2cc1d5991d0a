//! Opening an SMTP connection: TCP, TLS, EHLO, login. Each step has its own limit of time; nothing is sent unprotected to
//! another machine, whatever the server offers (RFC 8314 section 5).

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Auth, Ehlo};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::failure::{Failure, Stage, sorted};
use super::turns::InTurns;
use super::{Connection, Security, SmtpCourier, SmtpLogin, Stop, TokenKeeper, say};
use crate::mailbox::{Handed, NoToken, Outcome, ProbeStep, Provider, Term, certificate_step};
use crate::outbox::DeliveryError;

/// What the server offers, of what we use.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Offers {
    /// SIZE (RFC 1870); 0 is no limit.
    pub(super) size: Option<usize>,
    /// DSN (RFC 3461).
    pub(super) dsn: bool,
    /// SMTPUTF8 (RFC 6531).
    pub(super) smtp_utf8: bool,
    /// 8BITMIME (RFC 6152).
    pub(super) eight_bit: bool,
    /// AUTH mechanisms, upper case (RFC 4954).
    pub(super) logins: Vec<String>,
}

impl Offers {
    fn has(&self, login: &str) -> bool {
        self.logins.iter().any(|offered| offered == login)
    }

    /// lettre keeps only some, and knows them in capitals only.
    fn of(response: &Response) -> Self {
        let mut offers = Self::default();
        for line in response.message().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("SIZE") => offers.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0)),
                Some("DSN") => offers.dsn = true,
                Some("SMTPUTF8") => offers.smtp_utf8 = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("AUTH") => offers.logins = words.map(str::to_owned).collect(),
                _ => {}
            }
        }
        offers
    }

    fn words(&self) -> String {
        let mut words = Vec::new();
        match self.size {
            Some(0) => words.push("any size".to_owned()),
            Some(size) if size >= 1 << 20 => words.push(format!("letters of up to {} MiB", size >> 20)),
            Some(size) => words.push(format!("letters of up to {size} bytes")),
            None => {}
        }
        for (offered, name) in [(self.dsn, "DSN"), (self.smtp_utf8, "SMTPUTF8"), (self.eight_bit, "8BITMIME")]
        {
            if offered {
                words.push(name.to_owned());
            }
        }
        if !self.logins.is_empty() {
            words.push(format!("login by {}", self.logins.join(", ")));
        }
        if words.is_empty() { "nothing beyond the ordinary".to_owned() } else { words.join("; ") }
    }
}

impl SmtpCourier {
    /// Opens a connection that is ready for a letter; `steps` tells what has worked.
    pub(super) async fn open(&mut self, steps: &mut Vec<ProbeStep>) -> Result<Connection, DeliveryError> {
        let server = self.config.server();
        self.tried_at = Instant::now();
        match self.try_open(steps).await {
            Ok(connection) => Ok(connection),
            Err(Refusal::Ours(error)) => Err(error),
            Err(Refusal::Theirs(stage, failure)) => {
                // A new CA file, or a renewed store, shall be looked at the next time.
                self.tls = None;
                Err(sorted(stage, &failure, &server, self.config.logs_in()))
            }
        }
    }

    async fn try_open(&mut self, steps: &mut Vec<ProbeStep>) -> Result<Connection, Refusal> {
        let times = self.config.timeouts;
        let hello = self.config.hello_name.clone().map_or_else(ClientId::default, ClientId::Domain);
        let server = self.config.server();
        let mut smtp = match self.config.security {
            Security::Tls => {
                let tls = self.tls()?;
                let address = (self.config.host.as_str(), self.config.port);
                let opening = AsyncSmtpConnection::connect_tokio1(
                    address,
                    Some(times.connect),
                    &hello,
                    Some(tls),
                    None,
                );
                let smtp = within(Stage::Connect, times.connect + times.greeting, opening).await?;
                self.note_certificate(&smtp);
                steps.push(protected("TLS from the start", &smtp));
                smtp
            }
            Security::StartTls | Security::Plain => {
                let stream = self.connect_tcp().await?;
                let stream = Box::new(InTurns::new(stream));
                let opening = AsyncSmtpConnection::connect_with_transport(stream, &hello);
                let smtp = within(Stage::Connect, times.greeting, opening).await?;
                steps.push(good("greeting", format!("{} greets", smtp.server_info().name())));
                smtp
            }
        };
        if self.config.security == Security::StartTls {
            if !smtp.can_starttls() {
                return Err(Refusal::Ours(DeliveryError::NeedsAPerson {
                    problem: format!("{server} does not offer STARTTLS, and nothing is sent without protection"),
                    remedy: "use the server's TLS port with `security: tls` (465 as a rule), or ask those who run it; \
                             if it did so before, someone may be interfering with the connection"
                        .to_owned(),
                }));
            }
            let tls = self.tls()?;
            within(Stage::StartTls, times.connect + times.greeting, smtp.starttls(tls, &hello)).await?;
            self.note_certificate(&smtp);
            steps.push(protected("STARTTLS", &smtp));
        }
        let response = say(&mut smtp, Stage::Hello, times.greeting, Ehlo::new(hello), &[250]).await?;
        let offers = Offers::of(&response);
        self.met = Provider::of_host(smtp.server_info().name());
        steps.push(good("abilities", offers.words()));
        let term = self.log_in(&mut smtp, &offers, steps).await?;
        Ok(Connection { smtp, offers, letters: 0, used_at: Instant::now(), term })
    }

    /// Notes the certificate that the server has shown.
    fn note_certificate(&self, smtp: &AsyncSmtpConnection) {
        if let Ok(der) = smtp.peer_certificate() {
            self.config.certificates.note(&self.config.host, self.config.port, &der);
        }
    }

    /// TCP, to whichever of the server's addresses answers.
    async fn connect_tcp(&self) -> Result<TcpStream, Refusal> {
        let (config, time) = (&self.config, self.config.timeouts.connect);
        let server = config.server();
        let transient = |said: String| {
            Refusal::Ours(DeliveryError::Transient { server_said: format!("{server}, connecting: {said}") })
        };
        let lookup = timeout(time, lookup_host((config.host.as_str(), config.port))).await;
        let addresses: Vec<SocketAddr> = match lookup {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(transient(format!("its name could not be looked up ({error})"))),
            Err(_) => return Err(transient("the look-up of its name took too long".to_owned())),
        };
        if config.security == Security::Plain && !addresses.iter().all(|address| address.ip().is_loopback()) {
            return Err(Refusal::Ours(DeliveryError::NeedsAPerson {
                problem: format!(
                    "{server} is another machine, and `security: plain` is for this machine only"
                ),
                remedy: "set `security: starttls` or `security: tls`".to_owned(),
            }));
        }
        let mut said = "its name has no address".to_owned();
        for address in addresses {
            match timeout(time, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // A conversation of short lines gains; it is no failure where it cannot be set.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => said = error.to_string(),
                Err(_) => said = format!("no answer within {} seconds", time.as_secs()),
            }
        }
        Err(transient(said))
    }

    fn tls(&mut self) -> Result<TlsParameters, Refusal> {
        if let Some(tls) = &self.tls {
            return Ok(tls.clone());
        }
        let mut builder = TlsParameters::builder(self.config.host.clone());
        if let Some(file) = &self.config.ca_file {
            let unusable = |why: String| {
                Refusal::Ours(DeliveryError::NeedsAPerson {
                    problem: format!(
                        "the certificate authority file {} cannot be used: {why}",
                        file.display()
                    ),
                    remedy: "name a PEM file with one or more CERTIFICATE blocks as `ca_file`".to_owned(),
                })
            };
            let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
            if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
                return Err(unusable("it holds no certificate".to_owned()));
            }
            let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
            builder = builder.add_root_certificate(certificate);
        }
        let tls = builder.build().map_err(|error| {
            Refusal::Ours(DeliveryError::NeedsAPerson {
                problem: format!("TLS to {} could not be prepared: {error}", self.config.host),
                remedy: "check that `host` is a name or an address, and that the system has its certificates"
                    .to_owned(),
            })
        })?;
        self.tls = Some(tls.clone());
        Ok(tls)
    }

    /// Logs in, if that is configured; how long the connection may rest on that login. A token that is refused though it has not
    /// run out may have been withdrawn: the server is shown the next one, once.
    async fn log_in(
        &self,
        smtp: &mut AsyncSmtpConnection,
        offers: &Offers,
        steps: &mut Vec<ProbeStep>,
    ) -> Result<Option<Term>, Refusal> {
        let SmtpLogin::Kept { user, tokens } = &self.config.login else {
            let login = match &self.config.login {
                SmtpLogin::Fresh(source) => (source.0)().map_err(|problem| {
                    Refusal::Ours(DeliveryError::NeedsAPerson {
                        problem: format!("{}, the login: {problem}", self.config.server()),
                        remedy: "look at `smtp.password` in the configuration".to_owned(),
                    })
                })?,
                fixed => fixed.clone(),
            };
            let (user, secret, mechanism) = match &login {
                SmtpLogin::None | SmtpLogin::Fresh(_) | SmtpLogin::Kept { .. } => {
                    steps.push(good("login", "none is configured".to_owned()));
                    return Ok(None);
                }
                SmtpLogin::Token { user, token } => (user, token, Mechanism::Xoauth2),
                SmtpLogin::Password { user, password } if offers.has("PLAIN") => {
                    (user, password, Mechanism::Plain)
                }
                SmtpLogin::Password { user, password } => (user, password, Mechanism::Login),
            };
            self.present(smtp, offers, mechanism, user, secret, steps).await?;
            return Ok(None);
        };
        let mut handed = self.token(tokens).await?;
        steps.push(good("token", "there".to_owned()));
        let mut outcome = self.present(smtp, offers, Mechanism::Xoauth2, user, &handed.secret, steps).await;
        if let Err(Refusal::Theirs(Stage::Login, failure)) = &outcome
            && is_refusal(failure)
            && tokens.0.refused(&handed.secret)
        {
            tracing::info!(
                "{} refused an access token that had not run out; it is shown another one.",
                self.config.server()
            );
            handed = self.token(tokens).await?;
            outcome = self.present(smtp, offers, Mechanism::Xoauth2, user, &handed.secret, steps).await;
        }
        outcome.map(|()| handed.term)
    }

    /// The token that is kept for this account.
    async fn token(&self, tokens: &TokenKeeper) -> Result<Handed, Refusal> {
        let time = self.config.timeouts.login;
        let none = match timeout(time, tokens.0.token()).await {
            Ok(Ok(handed)) => return Ok(handed),
            Ok(Err(none)) => none,
            Err(_) => NoToken {
                problem: format!("no access token within {} seconds", time.as_secs()),
                remedy: None,
            },
        };
        let problem = format!("{}, the login: {}", self.config.server(), none.problem);
        Err(Refusal::Ours(match none.remedy {
            Some(remedy) => DeliveryError::NeedsAPerson { problem, remedy },
            None => DeliveryError::Transient { server_said: problem },
        }))
    }

    /// Shows a secret by a mechanism.
    async fn present(
        &self,
        smtp: &mut AsyncSmtpConnection,
        offers: &Offers,
        mechanism: Mechanism,
        user: &str,
        secret: &SecretString,
        steps: &mut Vec<ProbeStep>,
    ) -> Result<(), Refusal> {
        if !offers.has(&mechanism.to_string()) {
            let offers = if offers.logins.is_empty() { "none".to_owned() } else { offers.logins.join(", ") };
            return Err(Refusal::Ours(DeliveryError::NeedsAPerson {
                problem: format!("{} offers no login that fits (it offers: {offers})", self.config.server()),
                remedy: "check `port` (submission is 587 or 465, not 25) and whether a password or a token is wanted"
                    .to_owned(),
            }));
        }
        let credentials = Credentials::new(user.to_owned(), secret.expose_secret().to_owned());
        let time = self.config.timeouts.login;
        let broken = |error: Error| Refusal::Theirs(Stage::Login, Failure::Smtp(error));
        let first = Auth::new(mechanism, credentials.clone(), None).map_err(broken)?;
        let mut response = say(smtp, Stage::Login, time, first, &[235, 334]).await?;
        // LOGIN asks twice. XOAUTH2 asks only to refuse: an empty line brings the refusal itself.
        for _ in 0..3 {
            if response.has_code(235) {
                steps.push(good("login", format!("as {user}, by {mechanism}")));
                return Ok(());
            }
            response = if mechanism == Mechanism::Login {
                let next =
                    Auth::new_from_response(mechanism, credentials.clone(), &response).map_err(broken)?;
                say(smtp, Stage::Login, time, next, &[235, 334]).await?
            } else {
                say(smtp, Stage::Login, time, "\r\n", &[235, 334]).await?
            };
        }
        Err(Refusal::Theirs(Stage::Login, Failure::Unexpected(response)))
    }
}

/// Whether the server refused for good; one that is busy would refuse any token.
fn is_refusal(failure: &Failure) -> bool {
    match failure {
        Failure::Smtp(error) => error.is_permanent(),
        Failure::Silence(_) | Failure::Unexpected(_) => false,
    }
}

fn good(name: &str, found: String) -> ProbeStep {
    ProbeStep { name: name.to_owned(), outcome: Outcome::Good(found) }
}

fn protected(way: &str, smtp: &AsyncSmtpConnection) -> ProbeStep {
    let outcome = certificate_step(way, smtp.peer_certificate().ok().as_deref());
    ProbeStep { name: "encryption".to_owned(), outcome }
}

/// Why there is no connection.
enum Refusal {
    /// Found by us.
    Ours(DeliveryError),
    /// Said by the server, or by its silence.
    Theirs(Stage, Failure),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(stage, failure) => Self::Theirs(stage, failure),
            Stop::Unfit(server_said) => Self::Ours(DeliveryError::Permanent { server_said }),
            Stop::NotCommitted => Self::Ours(DeliveryError::NotCommitted),
        }
    }
}

async fn within<T>(
    stage: Stage,
    time: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Refusal> {
    match timeout(time, work).await {
        Err(_) => Err(Refusal::Theirs(stage, Failure::Silence(time))),
        Ok(Err(error)) => Err(Refusal::Theirs(stage, Failure::Smtp(error))),
        Ok(Ok(value)) => Ok(value),
    }
}
