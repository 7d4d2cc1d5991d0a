//! TCP, TLS from the first byte, STARTTLS, or plain to this very machine, each with a time limit. Who we are is said in
//! [`super::login`]. RFC 8314, RFC 9051 sections 6.2.1 and 11.

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
    let step = || format!("connecting to {}", account.place());
    let limit = account.timeouts.connect;
    let pipe: Pipe = match &account.dialler {
        Some(dial) => dial().map_err(|error| transient(account, step(), error.to_string()))?,
        None => Box::new(match timeout(limit, tcp(account)).await {
            Ok(connected) => connected?,
            Err(_) => {
                return Err(transient(account, step(), format!("no answer within {} s", limit.as_secs())));
            }
        }),
    };
    let (pipe, certificate) = match account.security {
        Security::Tls => protect(account, pipe).await?,
        Security::StartTls | Security::Plain => (pipe, None),
    };
    let mut session = Session::new(pipe, account.timeouts);
    session.certificate = certificate;
    let known_already =
        session.greeting().await.map_err(|fault| not_greeted(account, fault).at(&account.account, step()))?;
    if account.security == Security::StartTls {
        if known_already {
            // RFC 9051 section 11.1: PREAUTH makes STARTTLS impossible, which is what a meddler would want.
            return Err(MailboxError::NeedsAPerson {
                account: account.account.clone(),
                step: "STARTTLS".into(),
                problem: format!("{} greets without asking who we are, so STARTTLS cannot be used", account.place()),
                remedy: "Use `tls` on port 993, and ask the server's keeper whether the connection is tampered with".into(),
            });
        }
        session = start_tls(account, session).await?;
    }
    if session.capabilities.is_empty() {
        session.order("CAPABILITY").await.map_err(|fault| fault.at(&account.account, "CAPABILITY"))?;
    }
    Ok(session)
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
    let unreachable = |error: std::io::Error| {
        let problem = match error.kind() {
            std::io::ErrorKind::ConnectionRefused => {
                "nothing listens there (connection refused); is the port right?".to_owned()
            }
            _ => error.to_string(),
        };
        transient(account, step(), problem)
    };
    let mut addresses: Vec<_> =
        lookup_host((account.host.as_str(), account.port)).await.map_err(unreachable)?.collect();
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
    let (pipe, certificate) = protect(account, session.into_pipe()).await?;
    let mut session = Session::new(pipe, account.timeouts);
    session.certificate = certificate;
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
