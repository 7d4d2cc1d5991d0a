//! Says who we are: LOGIN, AUTHENTICATE PLAIN, or XOAUTH2 with an access token, and tells a wrong password from a busy server.
//! RFC 9051 sections 6.2.2 and 6.2.3, RFC 4616, RFC 4959. Where tokens come from is not known here.

use async_imap::imap_proto::Response;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::MailboxError;
use super::account::{Credentials, ImapAccount, Mechanism};
use super::base64::{self, STANDARD};
use super::names::quoted;
use super::session::{Fault, Pace, Refusal, Session, outcome_of};

/// Logs in and learns what the server can do from now on.
pub(super) async fn login(session: &mut Session, account: &ImapAccount) -> Result<(), MailboxError> {
    let (way, secret) = way(session, account).await?;
    // Capabilities may change with the login (RFC 9051 section 6.1.1).
    let at_once = session.can("SASL-IR");
    session.capabilities.clear();
    let outcome = match way {
        Mechanism::Login => log_in(session, &account.user, &secret).await,
        Mechanism::XOAuth2 => {
            let proof = Zeroizing::new(format!(
                "user={}\x01auth=Bearer {}\x01\x01",
                account.user,
                secret.expose_secret()
            ));
            authenticate(session, "XOAUTH2", proof.as_bytes(), at_once).await
        }
        Mechanism::Plain | Mechanism::Auto => {
            let proof = Zeroizing::new(format!("\0{}\0{}", account.user, secret.expose_secret()));
            authenticate(session, "PLAIN", proof.as_bytes(), at_once).await
        }
    };
    let step = format!("login to {}", account.place());
    match outcome {
        Ok(()) => {}
        Err(Fault::Refused(refusal)) => return Err(refused(account, step, way, &refusal)),
        Err(lost) => return Err(lost.at(&account.account, step)),
    }
    if session.capabilities.is_empty() {
        session.order("CAPABILITY").await.map_err(|fault| fault.at(&account.account, "CAPABILITY"))?;
    }
    Ok(())
}

/// The way of logging in, and the secret for it.
async fn way(session: &Session, account: &ImapAccount) -> Result<(Mechanism, SecretString), MailboxError> {
    let (source, is_token) = match &account.credentials {
        Credentials::Password(password) => (Err(password.clone()), false),
        Credentials::PasswordFrom(source) => (Ok(source), false),
        Credentials::AccessToken(source) => (Ok(source), true),
    };
    let secret = match source {
        Err(fixed) => fixed,
        Ok(source) => match timeout(account.timeouts.connect, source.token()).await {
            Ok(Ok(secret)) => secret,
            failed => {
                let problem = match failed {
                    Ok(Err(problem)) => problem,
                    _ => format!("no answer within {} s", account.timeouts.connect.as_secs()),
                };
                let what = if is_token { "an access token" } else { "the password" };
                let step = format!("fetching {what}");
                return Err(MailboxError::Transient { account: account.account.clone(), step, problem });
            }
        },
    };
    let way = match account.mechanism {
        Mechanism::Auto if is_token => Mechanism::XOAuth2,
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
    Ok((way, secret))
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
    let capitals = refusal.text.to_ascii_uppercase();
    let account_name = account.account.clone();
    let problem = format!("the server refused: {}", refusal.text);
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
    if passing.iter().any(|word| capitals.contains(word)) {
        return MailboxError::Transient { account: account_name, step, problem };
    }
    let remedy = if refusal.bad {
        "The server does not know this way of logging in; set `login` to another one"
    } else {
        match way {
            Mechanism::XOAuth2 => {
                "The access token was not accepted: check the tenant, the application's IMAP.AccessAsApp permission, and \
                 that it has full access to this mailbox"
            }
            _ => "Check the user name and the password file; Microsoft 365 takes access tokens only",
        }
    };
    MailboxError::NeedsAPerson { account: account_name, step, problem, remedy: remedy.into() }
}
