//! Says who we are: LOGIN, AUTHENTICATE PLAIN, or XOAUTH2 with an access token, and tells a wrong password from a busy server.
//! RFC 9051 sections 6.2.2 and 6.2.3, RFC 4616, RFC 4959. Where tokens come from is not known here.

use async_imap::imap_proto::Response;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::MailboxError;
use super::account::{Credentials, Handed, ImapAccount, Mechanism, NoToken};
use super::base64::{self, STANDARD};
use super::names::quoted;
use super::session::{Fault, Pace, Refusal, Session, outcome_of};

/// Logs in and learns what the server can do from now on. A token that is refused though it has not run out may have been
/// withdrawn: the server is shown the next one, once.
pub(super) async fn login(session: &mut Session, account: &ImapAccount) -> Result<(), MailboxError> {
    let mut handed = secret(account).await?;
    let way = way(session, account)?;
    // Capabilities may change with the login (RFC 9051 section 6.1.1).
    let at_once = session.can("SASL-IR");
    session.capabilities.clear();
    let mut outcome = present(session, account, way, &handed.secret, at_once).await;
    if let (Err(Fault::Refused(refusal)), Credentials::AccessToken(source)) = (&outcome, &account.credentials)
        && !passes(refusal)
        && source.refused(&handed.secret)
    {
        tracing::info!(
            account = account.account,
            "The server refused an access token that had not run out; it is shown another one."
        );
        handed = secret(account).await?;
        outcome = present(session, account, way, &handed.secret, at_once).await;
    }
    let step = format!("login to {}", account.place());
    match outcome {
        Ok(()) => {}
        Err(Fault::Refused(refusal)) => return Err(refused(account, step, way, &refusal)),
        Err(lost) => return Err(lost.at(&account.account, step)),
    }
    session.term = handed.term;
    if session.capabilities.is_empty() {
        session.order("CAPABILITY").await.map_err(|fault| fault.at(&account.account, "CAPABILITY"))?;
    }
    Ok(())
}

/// Shows the secret.
async fn present(
    session: &mut Session,
    account: &ImapAccount,
    way: Mechanism,
    secret: &SecretString,
    at_once: bool,
) -> Result<(), Fault> {
    match way {
        Mechanism::Login => log_in(session, &account.user, secret).await,
        Mechanism::XOAuth2 => {
            let proof = xoauth2(&account.user, secret);
            authenticate(session, "XOAUTH2", proof.as_bytes(), at_once).await
        }
        Mechanism::Plain | Mechanism::Auto => {
            let proof = Zeroizing::new(format!("\0{}\0{}", account.user, secret.expose_secret()));
            authenticate(session, "PLAIN", proof.as_bytes(), at_once).await
        }
    }
}

/// What XOAUTH2 sends, before it is put into base 64.
fn xoauth2(user: &str, token: &SecretString) -> Zeroizing<String> {
    Zeroizing::new(format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose_secret()))
}

/// The secret for the login, with its term.
pub(super) async fn secret(account: &ImapAccount) -> Result<Handed, MailboxError> {
    let (source, what) = match &account.credentials {
        Credentials::Password(password) => {
            return Ok(Handed { secret: password.clone(), term: None });
        }
        Credentials::PasswordFrom(source) => (source, "the password"),
        Credentials::AccessToken(source) => (source, "an access token"),
    };
    let none = match timeout(account.timeouts.connect, source.token()).await {
        Ok(Ok(handed)) => return Ok(handed),
        Ok(Err(none)) => none,
        Err(_) => NoToken {
            problem: format!("no answer within {} s", account.timeouts.connect.as_secs()),
            remedy: None,
        },
    };
    let (account, step, problem) = (account.account.clone(), format!("fetching {what}"), none.problem);
    Err(match none.remedy {
        Some(remedy) => MailboxError::NeedsAPerson { account, step, problem, remedy },
        None => MailboxError::Transient { account, step, problem },
    })
}

/// The way of logging in.
fn way(session: &Session, account: &ImapAccount) -> Result<Mechanism, MailboxError> {
    let way = match account.mechanism {
        Mechanism::Auto if matches!(account.credentials, Credentials::AccessToken(_)) => Mechanism::XOAuth2,
        Mechanism::Auto if session.can("AUTH=PLAIN") => Mechanism::Plain,
        Mechanism::Auto => Mechanism::Login,
        chosen => chosen,
    };
    if way == Mechanism::Login && session.can("LOGINDISABLED") {
        return Err(MailboxError::NeedsAPerson {
            account: account.account.clone(),
            step: format!("login to {}", account.place()),
            problem: "the server does not take passwords on this connection (LOGINDISABLED)".into(),
            remedy: "Set `security` to `tls` or `starttls`; Microsoft 365 takes access tokens only".into(),
        });
    }
    Ok(way)
}

async fn log_in(session: &mut Session, user: &str, password: &SecretString) -> Result<(), Fault> {
    let password = password.expose_secret();
    let plain = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if plain(user) && plain(password) {
        let password = Zeroizing::new(quoted(password));
        let command = Zeroizing::new(format!("LOGIN {} {}", quoted(user), *password));
        return session.order(&command).await;
    }
    // What cannot be quoted goes as literals.
    let deadline = session.deadline(Pace::Prompt);
    let tag = session.start(&format!("LOGIN {{{}}}", user.len())).await?;
    session.continuation(&tag).await?;
    session.write(format!("{user} {{{}}}\r\n", password.len()).as_bytes()).await?;
    session.continuation(&tag).await?;
    session.write(Zeroizing::new(format!("{password}\r\n")).as_bytes()).await?;
    session.finish(&tag, deadline, &mut |_| ()).await
}

async fn authenticate(
    session: &mut Session,
    mechanism: &str,
    proof: &[u8],
    at_once: bool,
) -> Result<(), Fault> {
    let deadline = session.deadline(Pace::Prompt);
    let proof = Zeroizing::new(base64::encode(proof, STANDARD, true));
    let tag = if at_once {
        session.start(&Zeroizing::new(format!("AUTHENTICATE {mechanism} {}", *proof))).await?
    } else {
        let tag = session.start(&format!("AUTHENTICATE {mechanism}")).await?;
        session.continuation(&tag).await?;
        session.write(Zeroizing::new(format!("{}\r\n", *proof)).as_bytes()).await?;
        tag
    };
    // A refused XOAUTH2 token is explained in a second challenge, which wants an empty line before the NO comes.
    let mut challenges = 0;
    loop {
        let step = session
            .next(deadline, |response| match response {
                Response::Continue(_) => Some(None),
                other => outcome_of(&tag, other, &mut |_| ()).map(Some),
            })
            .await?;
        match step {
            Some(None) if challenges == 3 => return Err(Fault::Lost("the server asks and asks".into())),
            Some(None) => {
                challenges += 1;
                session.write(b"\r\n").await?;
            }
            Some(Some(end)) => {
                session.answered();
                return end.map_err(Fault::Refused);
            }
            None => {}
        }
    }
}

/// Servers say in words only why they refuse (RFC 5530 codes arrive as text).
fn refused(account: &ImapAccount, step: String, way: Mechanism, refusal: &Refusal) -> MailboxError {
    let account_name = account.account.clone();
    let problem = format!("the server refused: {}", refusal.text);
    if passes(refusal) {
        return MailboxError::Transient { account: account_name, step, problem };
    }
    let remedy = if refusal.bad {
        "The server does not know this way of logging in; set `login` to another one"
    } else {
        match way {
            Mechanism::XOAuth2 => {
                "The access token was not accepted. Check, in this order: that `user` (or the account's address) is the mailbox's own \
                 address; that the application has the permission IMAP.AccessAsApp with admin consent; that New-ServicePrincipal was \
                 given the Object ID from Enterprise applications, not from App registrations; that it has FullAccess to this mailbox; \
                 that IMAP is switched on for the mailbox (deploy/MICROSOFT-365.md)"
            }
            _ => "Check the user name and the password file; Microsoft 365 takes access tokens only",
        }
    };
    MailboxError::NeedsAPerson { account: account_name, step, problem, remedy: remedy.into() }
}

/// Whether a refusal is about the moment, and not about who we are.
fn passes(refusal: &Refusal) -> bool {
    let capitals = refusal.text.to_ascii_uppercase();
    let passing = [
        "UNAVAILABLE",
        "TRY AGAIN",
        "TOO MANY",
        "THROTTL",
        "TEMPORAR",
        "INUSE",
        "SERVERBUG",
        "LIMIT",
        "BUSY",
    ];
    passing.iter().any(|word| capitals.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xoauth2_is_what_microsoft_shows() {
        let proof = xoauth2(
            "test@contoso.onmicrosoft.com",
            &SecretString::from("EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"),
        );
        assert_eq!(
            base64::encode(proof.as_bytes(), STANDARD, true),
            "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ=="
        );
    }
}
