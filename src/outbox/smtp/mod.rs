//! A courier over SMTP submission (RFC 6409, RFC 5321): one letter, one recipient, one transaction; a connection is kept
//! for the next letter. It never repeats a letter by itself: it says at which point a delivery failed, and the record decides.

use std::cell::Cell;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter, RcptParameter};
use lettre::transport::smtp::response::Response;
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use super::{Courier, DeliveryError, Pace};
use crate::certificate::Seen;
use crate::letter::{Letter, usable_address};
use crate::mailbox::{Provider, Term, TokenSource};

mod failure;
mod open;
mod probe;
mod turns;

pub use failure::Stage;
use failure::{Failure, sorted};
use open::Offers;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// TLS from the first byte (RFC 8314): port 465.
    Tls,
    /// TLS after STARTTLS (RFC 3207): port 587. Never without.
    #[default]
    StartTls,
    /// None: to this machine only.
    Plain,
}

/// How the account logs in.
#[derive(Debug, Clone, Default)]
pub enum SmtpLogin {
    /// It does not.
    #[default]
    None,
    /// PLAIN, or LOGIN where the server knows no better.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// XOAUTH2.
    Token {
        /// The mailbox's address.
        user: String,
        /// The access token, without `Bearer`.
        token: SecretString,
    },
    /// One of the above, asked for anew at each connection: passwords are changed.
    Fresh(LoginSource),
    /// XOAUTH2, with a token that somebody keeps.
    Kept {
        /// The mailbox's address.
        user: String,
        /// Whoever keeps it.
        tokens: TokenKeeper,
    },
}

/// Whoever keeps an account's access token.
#[derive(Clone)]
pub struct TokenKeeper(pub Rc<dyn TokenSource>);

impl fmt::Debug for TokenKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeeper")
    }
}

/// Where a login comes from; why there is none, in words for the operator.
#[derive(Clone)]
pub struct LoginSource(pub Rc<dyn Fn() -> Result<SmtpLogin, String>>);

impl fmt::Debug for LoginSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginSource")
    }
}

/// How long each step may take. The defaults are those of RFC 5321 section 4.5.3.2, shorter before the first letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmtpTimeouts {
    /// Name and TCP connection; also a TLS handshake.
    pub connect: Duration,
    /// The greeting and EHLO, together.
    pub greeting: Duration,
    /// AUTH, each answer of it; RSET, QUIT.
    pub login: Duration,
    /// MAIL.
    pub mail: Duration,
    /// RCPT.
    pub recipient: Duration,
    /// DATA, until the server is ready for the letter.
    pub data: Duration,
    /// The letter's bytes.
    pub body: Duration,
    /// The answer to the letter (section 4.5.3.2.6). Too short a time here makes doubles.
    pub answer: Duration,
}

impl Default for SmtpTimeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(2),
            login: minutes(1),
            mail: minutes(5),
            recipient: minutes(5),
            data: minutes(2),
            body: minutes(3),
            answer: minutes(10),
        }
    }
}

/// Where and how letters are handed over.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// The server's name, as in its certificate.
    pub host: String,
    /// 587 for STARTTLS, 465 for TLS from the start.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// How the account logs in.
    pub login: SmtpLogin,
    /// A file of further certificate authorities (PEM), beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The name given in EHLO; this machine's if none.
    pub hello_name: Option<String>,
    /// How long each step may take.
    pub timeouts: SmtpTimeouts,
    /// How long a connection is kept for the next letter.
    pub keep_idle: Duration,
    /// How many letters a connection takes at most.
    pub letters_per_connection: u32,
    /// How many letters may leave in any minute; `None`: as many as there are.
    pub letters_a_minute: Option<u32>,
    /// Where the server's certificate is noted whenever it is shown.
    pub certificates: Seen,
}

impl SmtpConfig {
    /// STARTTLS, no login, defaults in all else.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            security: Security::default(),
            login: SmtpLogin::default(),
            ca_file: None,
            hello_name: None,
            timeouts: SmtpTimeouts::default(),
            keep_idle: Duration::from_secs(20),
            letters_per_connection: 50,
            letters_a_minute: None,
            certificates: Seen::default(),
        }
    }

    fn logs_in(&self) -> bool {
        !matches!(self.login, SmtpLogin::None)
    }

    fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The courier.
pub struct SmtpCourier {
    config: SmtpConfig,
    /// Made once: reading the system's certificates takes a while.
    tls: Option<TlsParameters>,
    kept: Option<Connection>,
    /// When a connection was last tried, or the courier was made.
    tried_at: Instant,
    pace: Pace,
    /// Whose server it was that we last met.
    met: Provider,
}

/// After so long without a connection, one is opened to see that all is well.
const STRANGE: Duration = Duration::from_secs(24 * 60 * 60);

impl fmt::Debug for SmtpCourier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpCourier({}, connected: {})", self.config.server(), self.kept.is_some())
    }
}

/// A connection that is ready for a letter.
struct Connection {
    smtp: AsyncSmtpConnection,
    offers: Offers,
    letters: u32,
    used_at: Instant,
    /// How long it may rest on the token that it was opened with.
    term: Option<Term>,
}

/// Why a transaction stopped.
enum Stop {
    Failed(Stage, Failure),
    /// The server does not take such a letter, which is known without asking.
    Unfit(String),
    NotCommitted,
}

impl SmtpCourier {
    /// A courier that connects when the first letter comes.
    pub fn new(config: SmtpConfig) -> Self {
        let pace = Pace::new(config.letters_a_minute);
        Self { config, tls: None, kept: None, tried_at: Instant::now(), pace, met: Provider::Other }
    }

    /// Takes another login, such as a fresh token, from the next connection on.
    pub fn set_login(&mut self, login: SmtpLogin) {
        self.config.login = login;
    }

    /// Takes leave of the server, if a connection is open.
    pub async fn close(&mut self) {
        if let Some(mut connection) = self.kept.take() {
            let _ = timeout(Duration::from_secs(5), connection.smtp.command(Quit)).await;
        }
    }

    /// Takes leave when the connection has not been used for as long as one is kept. To be called now and then.
    pub async fn close_if_idle(&mut self) {
        if self.kept.as_ref().is_some_and(|kept| kept.used_at.elapsed() > self.config.keep_idle) {
            self.close().await;
        }
    }

    /// See [`Courier::keep_acquainted`].
    async fn look_in(&mut self) {
        if self.tried_at.elapsed() < STRANGE {
            return;
        }
        match self.open(&mut Vec::new()).await {
            Ok(connection) => {
                self.kept = Some(connection);
                self.close().await;
            }
            Err(error) => tracing::warn!("The daily look at the submission server failed: {error}"),
        }
    }

    /// The kept connection, if it is fresh and still answers; else a new one. A server may have closed it meanwhile, and
    /// that is only noticed by speaking (RSET, so that nothing of an earlier letter is left either).
    async fn connection(&mut self) -> Result<Connection, DeliveryError> {
        self.close_if_idle().await;
        let worn = |kept: &Connection| {
            kept.letters >= self.config.letters_per_connection
                || kept.term.is_some_and(|term| Instant::now() >= term.renew_at)
        };
        if self.kept.as_ref().is_some_and(worn) {
            self.close().await;
        }
        if let Some(mut kept) = self.kept.take() {
            let time = self.config.timeouts.login.min(Duration::from_secs(10));
            if say(&mut kept.smtp, Stage::Reuse, time, Rset, &[250]).await.is_ok() {
                return Ok(kept);
            }
        }
        self.open(&mut Vec::new()).await
    }

    async fn transaction(
        &self,
        connection: &mut Connection,
        letter: &Letter,
        commit: &mut dyn FnMut() -> bool,
    ) -> Result<(), Stop> {
        let (mail, recipient) = commands(letter, &connection.offers)?;
        let times = &self.config.timeouts;
        let smtp = &mut connection.smtp;
        say(smtp, Stage::Mail, times.mail, mail, &[250]).await?;
        say(smtp, Stage::Recipient, times.recipient, recipient, &[250, 251]).await?;
        say(smtp, Stage::Data, times.data, Data, &[354]).await?;
        if !commit() {
            // Without its end, the server throws away what it has been told (RFC 5321 section 4.1.1.4).
            return Err(Stop::NotCommitted);
        }
        // lettre writes the line end before the final dot itself.
        let body = letter.raw.strip_suffix(b"\r\n").unwrap_or(&letter.raw);
        // It asks for a further part just before it writes the dot: from then on the outcome is open.
        let ended = Cell::new(false);
        let mut rest = Some(body);
        let parts = std::iter::from_fn(|| {
            ended.set(rest.is_none());
            rest.take()
        });
        let time = times.body + times.answer;
        let outcome = timeout(time, smtp.message_iter(parts)).await;
        let stage = if ended.get() { Stage::Answer } else { Stage::Body };
        match outcome {
            Err(_) => Err(Stop::Failed(stage, Failure::Silence(time))),
            Ok(Err(error)) => Err(Stop::Failed(stage, Failure::Smtp(error))),
            // Any other code would be the answer to something else.
            Ok(Ok(response)) if !response.has_code(250) => {
                Err(Stop::Failed(stage, Failure::Unexpected(response)))
            }
            Ok(Ok(_)) => Ok(()),
        }
    }
}

impl Courier for SmtpCourier {
    async fn keep_acquainted(&mut self) {
        self.look_in().await;
    }

    fn ready_in(&self) -> Duration {
        self.pace.ready_in(Instant::now())
    }

    async fn deliver(
        &mut self,
        letter: &Letter,
        commit: &mut dyn FnMut() -> bool,
    ) -> Result<(), DeliveryError> {
        if has_bare_line_end(&letter.raw) {
            return Err(DeliveryError::Permanent {
                server_said: "not sent: the letter has a line end that is not CR LF".to_owned(),
            });
        }
        // Out of `self` while in use: if this future is dropped half-way, so is the connection, with what is unread in it.
        let mut connection = self.connection().await?;
        self.pace.leaves(Instant::now());
        let outcome = self.transaction(&mut connection, letter, commit).await;
        connection.letters += 1;
        connection.used_at = Instant::now();
        match outcome {
            Ok(()) => {
                self.kept = Some(connection);
                Ok(())
            }
            Err(Stop::Failed(stage, failure)) => {
                // A plain refusal leaves the conversation in order. 421 announces its end.
                if let Failure::Smtp(error) = &failure
                    && error.status().is_some_and(|code| u16::from(code) != 421)
                {
                    self.kept = Some(connection);
                }
                Err(sorted(stage, &failure, &self.config.server(), self.config.logs_in()))
            }
            Err(Stop::Unfit(server_said)) => {
                self.kept = Some(connection);
                Err(DeliveryError::Permanent { server_said })
            }
            Err(Stop::NotCommitted) => Err(DeliveryError::NotCommitted),
        }
    }
}

/// Says one command and waits for one of these codes.
async fn say<C: Display>(
    smtp: &mut AsyncSmtpConnection,
    stage: Stage,
    time: Duration,
    command: C,
    codes: &[u16],
) -> Result<Response, Stop> {
    match timeout(time, smtp.command(command)).await {
        Err(_) => Err(Stop::Failed(stage, Failure::Silence(time))),
        Ok(Err(error)) => Err(Stop::Failed(stage, Failure::Smtp(error))),
        Ok(Ok(response)) if !codes.iter().any(|code| response.has_code(*code)) => {
            Err(Stop::Failed(stage, Failure::Unexpected(response)))
        }
        Ok(Ok(response)) => Ok(response),
    }
}

/// MAIL and RCPT for this letter, with what the server offers.
fn commands(letter: &Letter, offers: &Offers) -> Result<(Mail, Rcpt), Stop> {
    let path = |address: &str| {
        usable_address(address)
            .map(|(local, domain)| lettre::Address::new_dangerous(local, domain))
            .ok_or_else(|| Stop::Unfit("not sent: an address in the envelope is not valid".to_owned()))
    };
    let from = letter.envelope_from.as_deref().map(path).transpose()?;
    let to = path(&letter.envelope_to)?;
    let mut mail = Vec::new();
    if let Some(most) = offers.size {
        if most > 0 && letter.raw.len() > most {
            let size = letter.raw.len();
            return Err(Stop::Unfit(format!("not sent: {size} bytes, and the server takes {most} at most")));
        }
        mail.push(MailParameter::Size(letter.raw.len()));
    }
    if !letter.envelope_to.is_ascii() || letter.envelope_from.as_ref().is_some_and(|from| !from.is_ascii()) {
        // RFC 6531 section 3.4.
        if !offers.smtp_utf8 {
            return Err(Stop::Unfit(
                "not sent: the address has letters that this server does not take".to_owned(),
            ));
        }
        mail.push(MailParameter::SmtpUtfEight);
    }
    if !letter.raw.is_ascii() {
        if !offers.eight_bit {
            return Err(Stop::Unfit("not sent: the server takes no 8-bit text".to_owned()));
        }
        mail.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    // RFC 5230 section 5.1: an automatic answer asks for no report. An alert (which has a sender) does want one.
    let never = offers.dsn && from.is_none();
    let notify =
        never.then(|| RcptParameter::Other { keyword: "NOTIFY".to_owned(), value: Some("NEVER".to_owned()) });
    Ok((Mail::new(from, mail), Rcpt::new(to, notify.into_iter().collect())))
}

/// CR without LF or LF without CR, which servers read in different ways ("SMTP smuggling").
fn has_bare_line_end(raw: &[u8]) -> bool {
    let mut previous = 0;
    let bare = raw.iter().any(|byte| {
        let bare = (*byte == b'\n') != (previous == b'\r');
        previous = *byte;
        bare
    });
    bare || previous == b'\r'
}
