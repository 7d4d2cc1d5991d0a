//! Sessions and the terms of their tokens, in told time against a scripted server that ends a session after an hour, as Exchange
//! does: it is begun anew ahead of that, never in the midst of work; and as long as there is no newer token it simply goes on.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use send_triage::mailbox::{
    Accounts, Credentials, Handed, ImapAccount, ImapMailbox, Mailbox, MailboxError, Mechanism, NoToken, Term,
    TokenSource,
};
use tokio::time::Instant;

use crate::support::fake_imap::Server;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Tokens of an hour, renewed seven minutes ahead, from an endpoint that may be away.
#[derive(Default)]
struct Endpoint {
    held: RefCell<Option<Term>>,
    is_away: Cell<bool>,
    given: Cell<u32>,
    wanted: Cell<u32>,
}

impl TokenSource for Endpoint {
    fn token<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<Handed, NoToken>> + 'a>> {
        self.wanted.set(self.wanted.get() + 1);
        let now = Instant::now();
        let mut held = self.held.borrow_mut();
        if held.is_none_or(|term| now >= term.renew_at) && !self.is_away.get() {
            self.given.set(self.given.get() + 1);
            *held = Some(Term { renew_at: now + 53 * MINUTE, ends_at: now + HOUR - MINUTE / 2 });
        }
        let answer = match held.filter(|term| now < term.ends_at) {
            Some(term) => Ok(Handed {
                secret: SecretString::from(format!("token {}", self.given.get())),
                term: Some(term),
            }),
            None => Err(NoToken { problem: "the endpoint is away".to_owned(), remedy: None }),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn watched(server: &Server, endpoint: &Rc<Endpoint>) -> ImapMailbox {
    server.change(|fake| fake.session_seconds = Some(3600));
    let account = ImapAccount {
        credentials: Credentials::AccessToken(endpoint.clone()),
        // The scripted server knows no XOAUTH2: the token goes as a password.
        mechanism: Mechanism::Login,
        ..server.account()
    };
    ImapMailbox::new(account, "INBOX".into(), Rc::new(Accounts::default()))
}

/// One round as the daemon makes it.
async fn round(mailbox: &mut ImapMailbox) -> Result<(), MailboxError> {
    let status = mailbox.status().await?;
    mailbox.fetch(status.uid_next.saturating_sub(1), 50).await?;
    mailbox.wait(5 * MINUTE).await
}

#[tokio::test(start_paused = true)]
async fn a_session_is_begun_anew_ahead_of_its_tokens_end_and_nobody_meets_that_end() {
    let (server, endpoint) = (Server::with(&[1, 2, 3]), Rc::new(Endpoint::default()));
    let mut mailbox = watched(&server, &endpoint);
    let begun = Instant::now();
    while begun.elapsed() < 24 * HOUR {
        round(&mut mailbox).await.unwrap();
    }
    let sessions = server.connections();
    assert!((24..=30).contains(&sessions), "{sessions}");
    assert_eq!(server.heard("LOGOUT").len(), sessions - 1, "each was ended by us, and in good order");
    assert_eq!(server.heard("LOGIN").len(), sessions);
    assert_eq!(endpoint.given.get() as usize, sessions);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_under_way_is_not_interrupted_by_the_term() {
    let (server, endpoint) = (Server::with(&[1, 2, 3]), Rc::new(Endpoint::default()));
    let mut mailbox = watched(&server, &endpoint);
    mailbox.status().await.unwrap();
    // A batch that takes until after the time of renewal, and not to the end.
    for _ in 0..57 {
        mailbox.fetch(0, 50).await.unwrap();
        tokio::time::sleep(MINUTE).await;
    }
    assert_eq!(server.connections(), 1);
    mailbox.status().await.unwrap();
    assert_eq!(server.connections(), 2, "the next round begins with a new session");
    // One that takes longer than the token goes on with another one.
    for _ in 0..100 {
        mailbox.fetch(0, 50).await.unwrap();
        tokio::time::sleep(MINUTE).await;
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_newer_token_the_session_goes_on_and_the_server_is_not_hammered() {
    let (server, endpoint) = (Server::with(&[1]), Rc::new(Endpoint::default()));
    let mut mailbox = watched(&server, &endpoint);
    round(&mut mailbox).await.unwrap();
    endpoint.is_away.set(true);
    let begun = Instant::now();
    let before = server.commands();
    while begun.elapsed() < 54 * MINUTE {
        round(&mut mailbox).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    assert!(server.commands() - before < 150, "{}", server.commands() - before);
    assert!(endpoint.wanted.get() < 20, "{}", endpoint.wanted.get());
    // At the end of the token there is nothing to log in with; that is said, and passes when the endpoint is back.
    let error = loop {
        if let Err(error) = round(&mut mailbox).await {
            break error;
        }
        assert!(begun.elapsed() < 2 * HOUR);
    };
    assert!(
        matches!(&error, MailboxError::Transient { problem, .. } if problem.contains("the endpoint is away")),
        "{error}"
    );
    endpoint.is_away.set(false);
    round(&mut mailbox).await.unwrap();
}
