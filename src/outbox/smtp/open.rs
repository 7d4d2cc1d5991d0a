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
use secrecy::ExposeSecret;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::failure::{Failure, Stage, sorted};
use super::turns::InTurns;
use super::{Connection, Security, SmtpCourier, SmtpLogin, Stop, say};
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
    pub(super) async fn open(&mut self, steps: &mut Vec<String>) -> Result<Connection, DeliveryError> {
        let server = self.config.server();
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

    async fn try_open(&mut self, steps: &mut Vec<String>) -> Result<Connection, Refusal> {
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
                steps.push(format!("connected to {server}, TLS from the start, certificate trusted"));
                smtp
            }
            Security::StartTls | Security::Plain => {
                let stream = self.connect_tcp().await?;
                let stream = Box::new(InTurns::new(stream));
                let opening = AsyncSmtpConnection::connect_with_transport(stream, &hello);
                let smtp = within(Stage::Connect, times.greeting, opening).await?;
                steps.push(format!("connected to {server}"));
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
            steps.push("encrypted by STARTTLS, certificate trusted".to_owned());
        }
        let response = say(&mut smtp, Stage::Hello, times.greeting, Ehlo::new(hello), &[250]).await?;
        let offers = Offers::of(&response);
        steps.push(format!("the server offers: {}", offers.words()));
        self.log_in(&mut smtp, &offers, steps).await?;
        Ok(Connection { smtp, offers, letters: 0, used_at: Instant::now() })
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

    async fn log_in(
        &self,
        smtp: &mut AsyncSmtpConnection,
        offers: &Offers,
        steps: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let offered = |name: &str| offers.logins.iter().any(|login| login == name);
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
            SmtpLogin::None | SmtpLogin::Fresh(_) => {
                steps.push("not logged in: no login is configured".to_owned());
                return Ok(());
            }
            SmtpLogin::Token { user, token } => {
                (user, token, offered("XOAUTH2").then_some(Mechanism::Xoauth2))
            }
            SmtpLogin::Password { user, password } => {
                let mechanism = if offered("PLAIN") {
                    Some(Mechanism::Plain)
                } else {
                    offered("LOGIN").then_some(Mechanism::Login)
                };
                (user, password, mechanism)
            }
        };
        let Some(mechanism) = mechanism else {
            let offers = if offers.logins.is_empty() { "none".to_owned() } else { offers.logins.join(", ") };
            return Err(Refusal::Ours(DeliveryError::NeedsAPerson {
                problem: format!("{} offers no login that fits (it offers: {offers})", self.config.server()),
                remedy: "check `port` (submission is 587 or 465, not 25) and whether a password or a token is wanted"
                    .to_owned(),
            }));
        };
        let credentials = Credentials::new(user.clone(), secret.expose_secret().to_owned());
        let time = self.config.timeouts.login;
        let broken = |error: Error| Refusal::Theirs(Stage::Login, Failure::Smtp(error));
        let first = Auth::new(mechanism, credentials.clone(), None).map_err(broken)?;
        let mut response = say(smtp, Stage::Login, time, first, &[235, 334]).await?;
        // LOGIN asks twice. XOAUTH2 asks only to refuse: an empty line brings the refusal itself.
        for _ in 0..3 {
            if response.has_code(235) {
                steps.push(format!("logged in by {mechanism}"));
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
