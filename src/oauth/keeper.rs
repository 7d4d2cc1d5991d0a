//! Keeps one token for all who want it: asked for once even if many want it at the same time, handed out until shortly before
//! its end, asked for anew ahead of that, and once when a server refuses it. A provider that fails is left in peace for a while,
//! and what was said is told to everybody meanwhile. When is what is `plan`'s to say; a token is neither logged nor written down.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Grant, Provider, Token, TokenError, plan};
use crate::clock::Clock;
use crate::mailbox::{Handed, NoToken, Term, TokenSource};

/// All providers' keepers, by their names in the configuration. Clones are the same.
#[derive(Clone, Default)]
pub struct Tokens(BTreeMap<String, Rc<Keeper>>);

impl Tokens {
    /// A keeper for each provider.
    pub fn new(providers: Vec<Provider>, clock: Rc<dyn Clock>) -> Self {
        let keeper =
            |provider: Provider| (provider.name.clone(), Rc::new(Keeper::new(provider, clock.clone())));
        Self(providers.into_iter().map(keeper).collect())
    }

    /// The keeper of this provider's token.
    pub fn of(&self, name: &str) -> Option<Rc<Keeper>> {
        self.0.get(name).cloned()
    }
}

/// How a token is asked for; `refresh` stands in for the refresh token that is configured.
type Ask = Box<dyn Fn(Option<SecretString>) -> Pin<Box<dyn Future<Output = Result<Token, TokenError>>>>>;

/// Keeps a provider's token.
pub struct Keeper {
    name: String,
    ask: Ask,
    /// The refresh token that is configured: a new one in its place takes the place of what the provider gave us meanwhile.
    configured: Box<dyn Fn() -> Option<SecretString>>,
    state: RefCell<State>,
    /// Held by the one who asks.
    asking: Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failed: Option<Failed>,
    /// When a token was last thrown away because a server refused it.
    refused_at: Option<Instant>,
    /// What the provider gave in place of a refresh token, with the one that it takes the place of.
    next_refresh: Option<(SecretString, SecretString)>,
}

struct Held {
    secret: SecretString,
    term: Term,
}

struct Failed {
    error: TokenError,
    times: u32,
    until: Instant,
}

impl Keeper {
    /// Nothing is asked before a token is wanted.
    pub fn new(provider: Provider, clock: Rc<dyn Clock>) -> Self {
        let name = provider.name.clone();
        let configured = match provider.grant.clone() {
            Grant::ClientCredentials => None,
            Grant::RefreshToken(source) => Some(source),
        };
        let provider = Rc::new(provider);
        let ask = move |refresh: Option<SecretString>| {
            let (provider, now) = (provider.clone(), clock.now());
            Box::pin(async move { provider.fetch_with(now, refresh.as_ref()).await })
                as Pin<Box<dyn Future<Output = _>>>
        };
        Self::asking(name, Box::new(ask), Box::new(move || (configured.as_ref()?.0)().ok()))
    }

    fn asking(name: String, ask: Ask, configured: Box<dyn Fn() -> Option<SecretString>>) -> Self {
        Self { name, ask, configured, state: RefCell::default(), asking: Mutex::new(()) }
    }

    /// A token that is good for a while, with the time at which it is to be replaced.
    ///
    /// # Errors
    /// There is none, and the one that was kept has ended.
    pub async fn hand_out(&self) -> Result<Handed, TokenError> {
        if let Some(answer) = self.ready() {
            return answer;
        }
        let asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            // Somebody is asking: whoever has a token that still serves need not wait for the new one.
            Err(_) => match self.serving() {
                Some(handed) => return Ok(handed),
                None => self.asking.lock().await,
            },
        };
        if let Some(answer) = self.ready() {
            return answer; // That somebody got it meanwhile, or learnt why not.
        }
        let asked_at = Instant::now();
        let refresh = self.refresh();
        let outcome = (self.ask)(refresh.as_ref().map(|(_, next)| next.clone())).await;
        let answer = self.learn(outcome, asked_at);
        drop(asking);
        answer
    }

    /// What can be said without asking.
    fn ready(&self) -> Option<Result<Handed, TokenError>> {
        let now = Instant::now();
        let state = self.state.borrow();
        let held = state.held.as_ref();
        if let Some(held) = held.filter(|held| now < held.term.renew_at) {
            return Some(Ok(held.handed()));
        }
        let failed = state.failed.as_ref().filter(|failed| now < failed.until)?;
        Some(match held.filter(|held| now < held.term.ends_at) {
            Some(held) => Ok(held.handed()),
            None => Err(failed.error.clone()),
        })
    }

    /// The token that is kept, if it still serves.
    fn serving(&self) -> Option<Handed> {
        let state = self.state.borrow();
        state.held.as_ref().filter(|held| Instant::now() < held.term.ends_at).map(Held::handed)
    }

    /// The refresh token that the provider gave in place of the configured one, which comes first.
    fn refresh(&self) -> Option<(SecretString, SecretString)> {
        let state = self.state.borrow();
        let (old, next) = state.next_refresh.as_ref()?;
        let configured = (self.configured)()?;
        (configured.expose_secret() == old.expose_secret()).then(|| (old.clone(), next.clone()))
    }

    fn learn(&self, outcome: Result<Token, TokenError>, asked_at: Instant) -> Result<Handed, TokenError> {
        let (name, chance) = (&self.name, chance());
        let mut state = self.state.borrow_mut();
        match outcome {
            Ok(token) => {
                let times = plan::times(token.good_for, chance);
                let term =
                    Term { renew_at: asked_at + times.renew_after, ends_at: asked_at + times.ends_after };
                tracing::debug!(
                    provider = name.as_str(),
                    "A new access token from `{name}`, good for {} s.",
                    token.good_for.as_secs()
                );
                if let (Some(next), Some(old)) = (token.next_refresh, (self.configured)()) {
                    if next.expose_secret() != old.expose_secret() && state.next_refresh.is_none() {
                        tracing::warn!(
                            provider = name.as_str(),
                            "`{name}` gives a new refresh token in place of the one that is configured. It is used as long as the \
                             program runs; whether the configured one serves after a restart is the provider's to say."
                        );
                    }
                    state.next_refresh = Some((old, next));
                }
                state.failed = None;
                let held = Held { secret: token.secret, term };
                let handed = held.handed();
                state.held = Some(held);
                Ok(handed)
            }
            Err(error) => {
                let times = state.failed.as_ref().map_or(0, |failed| failed.times).saturating_add(1);
                let pause = plan::pause(times, &error, chance);
                let until = Instant::now() + pause;
                state.failed = Some(Failed { error: error.clone(), times, until });
                match state.held.as_ref().filter(|held| Instant::now() < held.term.ends_at) {
                    Some(held) => {
                        let left = held.term.ends_at.saturating_duration_since(Instant::now()).as_secs();
                        let seconds = pause.as_secs();
                        tracing::warn!(
                            provider = name.as_str(),
                            "{error}; the one that is kept serves for {left} s more, and a new one is asked for in {seconds} s."
                        );
                        Ok(held.handed())
                    }
                    None => Err(error),
                }
            }
        }
    }

    /// A server refused this token. Whether it makes sense to come with another one at once.
    fn throw_away(&self, refused: &SecretString) -> bool {
        let mut state = self.state.borrow_mut();
        let is_kept =
            state.held.as_ref().is_some_and(|held| held.secret.expose_secret() == refused.expose_secret());
        if !is_kept {
            return state.held.is_some(); // There is a newer one by now.
        }
        let now = Instant::now();
        if state.refused_at.is_some_and(|before| now.duration_since(before) < plan::REFUSED_AGAIN) {
            return false; // A new one was refused as well: it is not the token.
        }
        state.refused_at = Some(now);
        state.held = None;
        true
    }
}

impl Held {
    fn handed(&self) -> Handed {
        Handed { secret: self.secret.clone(), term: Some(self.term) }
    }
}

/// A number from 0 to 1, drawn anew.
fn chance() -> f64 {
    let mut bytes = [0u8; 2];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX),
        Err(_) => 0.5,
    }
}

impl TokenSource for Keeper {
    fn token<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<Handed, NoToken>> + 'a>> {
        Box::pin(async {
            self.hand_out().await.map_err(|error| match error {
                TokenError::Transient { problem, .. } => NoToken { problem, remedy: None },
                TokenError::NeedsAPerson { problem, remedy } => NoToken { problem, remedy: Some(remedy) },
            })
        })
    }

    fn refused(&self, secret: &SecretString) -> bool {
        self.throw_away(secret)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    /// A provider that gives tokens of ten minutes, numbered; each takes a second. `fails` many times first.
    struct Scripted {
        keeper: Keeper,
        asked: Rc<Cell<u32>>,
        failing: Rc<RefCell<Option<TokenError>>>,
    }

    fn scripted() -> Scripted {
        let (asked, failing) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
        let (count, fail) = (asked.clone(), failing.clone());
        let ask = move |_| {
            let (count, fail): (Rc<Cell<u32>>, Rc<RefCell<Option<TokenError>>>) =
                (count.clone(), fail.clone());
            Box::pin(async move {
                count.set(count.get() + 1);
                sleep(Duration::from_secs(1)).await;
                if let Some(error) = fail.borrow().clone() {
                    return Err(error);
                }
                let secret = SecretString::from(format!("token {}", count.get()));
                Ok(Token { secret, good_for: Duration::from_secs(600), next_refresh: None })
            }) as Pin<Box<dyn Future<Output = _>>>
        };
        let keeper = Keeper::asking("tenant".to_owned(), Box::new(ask), Box::new(|| None));
        Scripted { keeper, asked, failing }
    }

    impl Scripted {
        async fn wanted(&self) -> Result<String, TokenError> {
            self.keeper.hand_out().await.map(|handed| handed.secret.expose_secret().to_owned())
        }

        fn fails(&self, error: Option<TokenError>) {
            *self.failing.borrow_mut() = error;
        }
    }

    fn away() -> TokenError {
        TokenError::Transient { problem: "away".to_owned(), retry_after: None }
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_want_it_at_once_ask_once() {
        let one = scripted();
        let all = join_all((0..20).map(|_| one.wanted())).await;
        assert!(all.iter().all(|token| token.as_deref() == Ok("token 1")));
        assert_eq!(one.asked.get(), 1);
        advance(Duration::from_secs(400)).await;
        assert_eq!(one.wanted().await.unwrap(), "token 1");
        assert_eq!(one.asked.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_renewed_ahead_and_nobody_waits_for_that_who_has_one_that_serves() {
        let one = scripted();
        one.wanted().await.unwrap();
        advance(Duration::from_secs(540)).await; // Ten minutes less a quarter, and its jitter.
        let (first, second) = tokio::join!(one.wanted(), one.wanted());
        assert_eq!((first.unwrap(), second.unwrap()), ("token 2".to_owned(), "token 1".to_owned()));
        assert_eq!(one.asked.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_is_away_costs_nothing_as_long_as_the_token_serves() {
        let one = scripted();
        one.wanted().await.unwrap();
        one.fails(Some(away()));
        advance(Duration::from_secs(540)).await;
        for _ in 0..50 {
            assert_eq!(one.wanted().await.unwrap(), "token 1");
        }
        assert_eq!(one.asked.get(), 2, "it is left in peace meanwhile");
        advance(Duration::from_secs(60)).await;
        assert_eq!(one.wanted().await.unwrap_err(), away());
        one.fails(None);
        advance(Duration::from_secs(400)).await;
        assert!(one.wanted().await.unwrap().starts_with("token "));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_provider_is_asked_less_and_less() {
        let one = scripted();
        one.fails(Some(away()));
        for _ in 0..3600 {
            let _ = one.wanted().await;
            advance(Duration::from_secs(1)).await;
        }
        assert!((14..28).contains(&one.asked.get()), "{}", one.asked.get());
        one.fails(Some(TokenError::Transient {
            problem: "busy".to_owned(),
            retry_after: Some(Duration::from_secs(1800)),
        }));
        advance(Duration::from_secs(400)).await;
        let _ = one.wanted().await;
        let before = one.asked.get();
        advance(Duration::from_secs(1700)).await;
        assert!(one.wanted().await.unwrap_err().to_string().contains("busy"));
        assert_eq!(one.asked.get(), before, "its wish is honoured");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_asked_anew_once() {
        let one = scripted();
        let first = one.keeper.hand_out().await.unwrap().secret;
        assert!(one.keeper.throw_away(&first));
        assert_eq!(one.wanted().await.unwrap(), "token 2");
        assert!(one.keeper.throw_away(&first), "another session meets the refusal of the old one later");
        let second = one.keeper.hand_out().await.unwrap().secret;
        assert!(!one.keeper.throw_away(&second), "it is not the token");
        assert_eq!((one.wanted().await.unwrap().as_str(), one.asked.get()), ("token 2", 2));
        advance(plan::REFUSED_AGAIN).await;
        let third = one.keeper.hand_out().await.unwrap().secret;
        assert!(one.keeper.throw_away(&third));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_keeps_nobody_else_from_asking() {
        let one = scripted();
        tokio::select! {
            biased;
            _ = one.wanted() => panic!("it takes a second"),
            () = sleep(Duration::from_millis(10)) => {}
        }
        assert_eq!(one.wanted().await.unwrap(), "token 2");
    }
}
