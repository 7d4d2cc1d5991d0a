//! TCP, TLS from the first byte, STARTTLS, or plain to this very machine, each with a time limit. Who we are is said in
//! [`super::login`]. RFC 8314, RFC 9051 sections 6.2.1 and 11.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::MailboxError;
use super::account::{Credentials, ImapAccount, Security};
use super::guard::Pipe;
use super::login;
use super::session::{Fault, Session};
use super::tls;

/// Connects, protects and logs in.
pub(super) async fn connect(account: &ImapAccount) -> Result<Session, MailboxError> {
    // First the token, which may have to be fetched, or not be had: the server is not to wait for that. Its source keeps it.
    if matches!(account.credentials, Credentials::AccessToken(_)) {
        login::secret(account).await?;
    }
    let mut session = open(account).await?;
    login::login(&mut session, account).await?;
    Ok(session)
}

/// Connects and protects: the server has greeted, its capabilities are known. Nothing secret has been said.
pub(super) async fn open(account: &ImapAccount) -> Result<Session, MailboxError> {
    let pipe = dial(account).await?;
    let (pipe, certificate) = shielded(account, pipe).await?;
    let session = greeted(account, pipe, certificate).await?;
    let mut session = upgraded(account, session).await?;
    ask_abilities(account, &mut session).await?;
    Ok(session)
}

/// A stream to the server, not yet protected.
pub(super) async fn dial(account: &ImapAccount) -> Result<Pipe, MailboxError> {
    let step = || format!("connecting to {}", account.place());
    if let Some(dial) = &account.dialler {
        return dial().map_err(|error| transient(account, step(), error.to_string()));
    }
    let limit = account.timeouts.connect;
    match timeout(limit, tcp(account)).await {
        Ok(connected) => Ok(Box::new(connected?)),
        Err(_) => Err(transient(account, step(), format!("no answer within {} s", limit.as_secs()))),
    }
}

/// TLS where it is spoken from the first byte; with it the server's certificate.
pub(super) async fn shielded(
    account: &ImapAccount,
    pipe: Pipe,
) -> Result<(Pipe, Option<Vec<u8>>), MailboxError> {
    match account.security {
        Security::Tls => protect(account, pipe).await,
        Security::StartTls | Security::Plain => Ok((pipe, None)),
    }
}

/// The server has greeted.
pub(super) async fn greeted(
    account: &ImapAccount,
    pipe: Pipe,
    certificate: Option<Vec<u8>>,
) -> Result<Session, MailboxError> {
    let mut session = Session::new(pipe, account.timeouts);
    session.certificate = certificate;
    match session.greeting().await {
        Ok(()) => Ok(session),
        Err(fault) => {
            let step = format!("connecting to {}", account.place());
            Err(not_greeted(account, fault).at(&account.account, step))
        }
    }
}

/// STARTTLS, where that is the way.
pub(super) async fn upgraded(account: &ImapAccount, session: Session) -> Result<Session, MailboxError> {
    if account.security != Security::StartTls {
        return Ok(session);
    }
    if session.known_already {
        // RFC 9051 section 11.1: PREAUTH makes STARTTLS impossible, which is what a meddler would want.
        return Err(MailboxError::NeedsAPerson {
            account: account.account.clone(),
            step: "STARTTLS".into(),
            problem: format!(
                "{} greets without asking who we are, so STARTTLS cannot be used",
                account.place()
            ),
            remedy:
                "Use `tls` on port 993, and ask the server's keeper whether the connection is tampered with"
                    .into(),
        });
    }
    start_tls(account, session).await
}

/// What the server can do, unless it has said so already.
pub(super) async fn ask_abilities(account: &ImapAccount, session: &mut Session) -> Result<(), MailboxError> {
    if session.capabilities.is_empty() {
        session.order("CAPABILITY").await.map_err(|fault| fault.at(&account.account, "CAPABILITY"))?;
    }
    Ok(())
}

/// A port where TLS is spoken from the start waits for us to begin: silence is all that shows for it.
fn not_greeted(account: &ImapAccount, fault: Fault) -> Fault {
    match fault {
        Fault::Lost(why) if account.security != Security::Tls && why.starts_with("no answer") => {
            Fault::Lost(format!(
                "{why}; if this is port 993, or another one with TLS from the start, set `security` to `tls`"
            ))
        }
        other => other,
    }
}

async fn tcp(account: &ImapAccount) -> Result<TcpStream, MailboxError> {
    let step = || format!("connecting to {}", account.place());
    let unreachable = |error: io::Error| {
        let problem = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                "nothing listens there (connection refused); is the port right?".to_owned()
            }
            _ => error.to_string(),
        };
        transient(account, step(), problem)
    };
    let mut addresses: Vec<_> = lookup(&account.host, account.port).await.map_err(unreachable)?;
    if account.security == Security::Plain {
        addresses.retain(|address| address.ip().to_canonical().is_loopback());
        if addresses.is_empty() {
            return Err(MailboxError::NeedsAPerson {
                account: account.account.clone(),
                step: step(),
                problem: "the connection would not be encrypted, and the server is not on this machine"
                    .into(),
                remedy: "Set `security` to `tls` (port 993) or `starttls` (port 143)".into(),
            });
        }
    }
    let stream = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
    // Commands are written whole; waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// The addresses of a server's name.
pub(super) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host((host, port)).await?.collect())
}

async fn start_tls(account: &ImapAccount, mut session: Session) -> Result<Session, MailboxError> {
    match session.order("STARTTLS").await {
        Ok(()) => {}
        Err(Fault::Refused(refusal)) => {
            return Err(MailboxError::NeedsAPerson {
                account: account.account.clone(),
                step: "STARTTLS".into(),
                problem: format!("the server refused: {}", refusal.text),
                remedy: "Set `security` to `tls` with port 993, or have STARTTLS switched on at the server"
                    .into(),
            });
        }
        Err(lost) => return Err(lost.at(&account.account, "STARTTLS")),
    }
    // What was said in the clear, capabilities included, is forgotten. There is no second greeting.
    let greeting = std::mem::take(&mut session.greeting);
    let (pipe, certificate) = protect(account, session.into_pipe()).await?;
    let mut session = Session::new(pipe, account.timeouts);
    session.certificate = certificate;
    session.greeting = greeting;
    Ok(session)
}

async fn protect(account: &ImapAccount, pipe: Pipe) -> Result<(Pipe, Option<Vec<u8>>), MailboxError> {
    let limit = account.timeouts.connect;
    match timeout(limit, tls::protect(account, pipe)).await {
        Ok(result) => result,
        Err(_) => Err(transient(
            account,
            format!("TLS with {}", account.place()),
            format!("no answer within {} s", limit.as_secs()),
        )),
    }
}

pub(super) fn transient(account: &ImapAccount, step: String, problem: String) -> MailboxError {
    MailboxError::Transient { account: account.account.clone(), step, problem }
}
