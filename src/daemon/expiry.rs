//! What will run out: the secrets whose last day stands in the configuration, our own certificates, and those that the mail
//! servers showed. People are told 60, 30 and 7 days ahead, and once it has happened. What to do when one has run out is the
//! business of whoever meets the refusal; nobody connects here.
//!
//! A certificate that a machine renews every few weeks is always near its end. So a stage counts only within the last quarter of
//! a certificate's life: one of 90 days is warned of 7 days ahead, when it should long have been renewed.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::calendar::london;
use crate::certificate::ServerCertificate;
use crate::clock::Clock;
use crate::config::{Config, OauthProvider, Secret, Security};
use crate::digest::figures::Expiry;
use crate::effect::Effect;
use crate::letter::{self, ExpiryFacts};
use crate::oauth;
use crate::record::RecordError;

use super::health::Health;
use super::{World, letters};

/// Something that serves up to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What, in words for staff, as part of a sentence.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
    /// The last day on which it serves, in London.
    pub on: NaiveDate,
    /// How long it serves in all, if that is known.
    pub life: Option<TimeDelta>,
}

/// How near an end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// In 60 days or sooner.
    Sixty,
    /// In 30 days or sooner.
    Thirty,
    /// In 7 days or sooner.
    Seven,
    /// It has come.
    Past,
}

impl Stage {
    /// As it stands in topics and logs: the days.
    fn word(self) -> &'static str {
        match self {
            Self::Sixty => "60",
            Self::Thirty => "30",
            Self::Seven => "7",
            Self::Past => "0",
        }
    }
}

impl Ending {
    /// How many days it serves from this day on; less than 0: it has ended.
    pub fn days_left(&self, today: NaiveDate) -> i64 {
        (self.on - today).num_days()
    }

    /// The stage that is reached; `None`: nobody need be told.
    pub fn stage(&self, today: NaiveDate) -> Option<Stage> {
        let left = self.days_left(today);
        if left < 0 {
            return Some(Stage::Past);
        }
        let counts = |days: i64| left <= days && self.life.is_none_or(|life| days <= life.num_days() / 4);
        [(7, Stage::Seven), (30, Stage::Thirty), (60, Stage::Sixty)]
            .into_iter()
            .find_map(|(days, stage)| counts(days).then_some(stage))
    }

    /// Whether a machine renews it every few weeks, so that its end is always near and no news.
    fn is_renewed_by_itself(&self) -> bool {
        self.life.is_some_and(|life| life.num_days() / 4 < 60)
    }
}

/// Everything of which it is known when it will end, the first to end first. `servers` are the certificates as they were seen; of
/// those that are configured no more, nothing is said.
pub fn known(config: &Config, servers: &[ServerCertificate]) -> Vec<Ending> {
    let mut found: BTreeMap<String, Ending> = BTreeMap::new();
    let mut add = |ending: Ending| {
        found.insert(ending.what.clone(), ending);
    };
    for (name, provider) in &config.oauth {
        of_provider(name, provider).into_iter().for_each(&mut add);
    }
    for account in &config.accounts {
        let imap =
            account.imap.iter().map(|imap| (imap.password.as_ref(), &imap.host, imap.port(), imap.security));
        let smtp =
            account.smtp.iter().map(|smtp| (smtp.password.as_ref(), &smtp.host, smtp.port(), smtp.security));
        for (password, host, port, security) in imap.chain(smtp) {
            if let Some(on) = password.and_then(|password| password.expires_on) {
                add(Ending {
                    what: format!("the password of {} at {host}", account.name),
                    remedy: format!(
                        "Set a new one at the server, put it where the `password` of the account {} points, and its last day into \
                         `expires_on`.",
                        account.name
                    ),
                    on,
                    life: None,
                });
            }
            let seen = servers.iter().find(|seen| seen.host.eq_ignore_ascii_case(host) && seen.port == port);
            if let Some(seen) = seen.filter(|_| security != Security::Plain) {
                add(Ending {
                    what: format!("the certificate of the mail server {host} (port {port})"),
                    remedy: "Those who run that server renew it; nothing is to be done here.".to_owned(),
                    on: london::date(seen.validity.until),
                    life: Some(seen.validity.life()),
                });
            }
        }
    }
    let mut all: Vec<Ending> = found.into_values().collect();
    all.sort_by(|a, b| (a.on, &a.what).cmp(&(b.on, &b.what)));
    all
}

fn of_provider(name: &str, provider: &OauthProvider) -> Vec<Ending> {
    let endpoint = provider.endpoint();
    let host = endpoint.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(&endpoint);
    let renewed = |kind: &str, key: &str| {
        format!(
            "Make a new {kind} at the provider while the old one still serves, put it where `oauth.{name}.{key}` points, and its last day \
             into `expires_on`."
        )
    };
    let secret = |secret: Option<&Secret>, kind: &str, key: &str| {
        Some(Ending {
            what: format!("the {kind} by which the program signs in at {host} (`oauth.{name}`)"),
            remedy: renewed(kind, key),
            on: secret?.expires_on?,
            life: None,
        })
    };
    let certificate = provider.certificate.as_ref().and_then(|certificate| {
        // One that cannot be read is told of by whoever asks for a token.
        let validity = oauth::certificate_validity(&certificate.file).ok()?;
        Some(Ending {
            what: format!("the certificate by which the program signs in at {host} (`oauth.{name}`)"),
            remedy: format!(
                "Make a new certificate with its key, upload it to the provider while the old one still serves, and name both in \
                 `oauth.{name}.certificate`."
            ),
            on: london::date(validity.until),
            life: Some(validity.life()),
        })
    });
    [
        secret(provider.client_secret.as_ref(), "client secret", "client_secret"),
        secret(provider.refresh_token.as_ref(), "refresh token", "refresh_token"),
        certificate,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same as the digest and the reports want it: from the configuration, and the servers' certificates as the daemon last saw
/// them. `None`: that is not known.
pub fn for_figures(config: &Config, today: NaiveDate) -> Option<Vec<Expiry>> {
    let encrypted = config.accounts.iter().any(|account| {
        let imap = account.imap.as_ref().map(|imap| imap.security);
        let smtp = account.smtp.as_ref().map(|smtp| smtp.security);
        [imap, smtp].into_iter().flatten().any(|security| security != Security::Plain)
    });
    let seen = Health::read(&config.health_file()).map(|health| health.certificates);
    if encrypted && seen.is_err() {
        return None;
    }
    let news = |ending: &Ending| !ending.is_renewed_by_itself() || ending.stage(today).is_some();
    let all = known(config, &seen.unwrap_or_default()).into_iter().filter(news);
    Some(all.map(|ending| Expiry { what: ending.what, on: ending.on }).collect())
}

/// Tells of each that has come to a stage: once in the log, and once to whoever looks after the program.
pub(super) fn tell<C: Clock>(world: &World<'_, C>, endings: &[Ending]) -> Result<(), RecordError> {
    let set = world.in_force.now();
    let (config, now) = (&set.config, world.now());
    let today = london::date(now);
    let mut effects = Vec::new();
    let account = letters::alerting_account(config);
    for ending in endings {
        let Some(stage) = ending.stage(today) else { continue };
        let topic = format!("expiry/{}/{}/{}", ending.what, ending.on, stage.word());
        if !world.bells.is_news(&topic) {
            continue;
        }
        tracing::warn!(days = ending.days_left(today), "{} {}", sentence(ending, today), ending.remedy);
        let Some(account) = account else { continue };
        let not_before = letters::in_working_hours(&set, config, now);
        for to in &config.health.to {
            match notice(ending, to, &topic, account, config, today, not_before) {
                Ok(letter) => effects.push(Effect::Notice {
                    account: account.to_owned(),
                    letter,
                    topic: topic.clone(),
                    not_before,
                }),
                Err(error) => tracing::error!("A notice of what runs out could not be written: {error}"),
            }
        }
    }
    if let Some(account) = account
        && world.records.notify(None, &effects, now)? > 0
    {
        world.bells.ring_post(account);
    }
    Ok(())
}

fn notice(
    ending: &Ending,
    to: &str,
    topic: &str,
    account: &str,
    config: &Config,
    today: NaiveDate,
    sent_at: DateTime<Utc>,
) -> Result<letter::Letter, letter::WordingError> {
    letter::expiry(&ExpiryFacts {
        from: &letters::sender(config.account(account), account),
        to,
        topic,
        what: &ending.what,
        remedy: &ending.remedy,
        on: ending.on,
        days: ending.days_left(today),
        sent_at,
    })
}

/// `The client secret ... runs out on Monday 1 March 2027, in 30 days.`
pub fn sentence(ending: &Ending, today: NaiveDate) -> String {
    let (what, day) = (crate::letter::health::capital(&ending.what), ending.on.format("%A %-d %B %Y"));
    match ending.days_left(today) {
        ..0 => format!("{what} ran out on {day}."),
        0 => format!("{what} runs out today, {day}."),
        1 => format!("{what} runs out tomorrow, {day}."),
        days => format!("{what} runs out on {day}, in {days} days."),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::certificate::Validity;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn ending(on: &str, life_days: Option<i64>) -> Ending {
        let life = life_days.map(TimeDelta::days);
        Ending { what: "the secret".to_owned(), remedy: "Renew it.".to_owned(), on: day(on), life }
    }

    #[test]
    fn people_are_told_sixty_thirty_and_seven_days_ahead_and_when_it_has_come() {
        let secret = ending("2027-03-01", None);
        for (today, stage) in [
            ("2026-12-30", None),
            ("2026-12-31", Some(Stage::Sixty)),
            ("2027-01-30", Some(Stage::Thirty)),
            ("2027-02-22", Some(Stage::Seven)),
            ("2027-03-01", Some(Stage::Seven)),
            ("2027-03-02", Some(Stage::Past)),
        ] {
            assert_eq!(secret.stage(day(today)), stage, "{today}");
        }
    }

    #[test]
    fn a_certificate_that_renews_itself_is_no_news_until_it_is_late() {
        let stage = |life, today: &str| ending("2027-03-01", Some(life)).stage(day(today));
        assert_eq!(stage(398, "2026-12-31"), Some(Stage::Sixty));
        assert_eq!(stage(90, "2027-01-15"), None, "it is half through its life");
        assert_eq!(stage(90, "2027-02-22"), Some(Stage::Seven));
        assert_eq!(stage(6, "2027-02-28"), None);
        assert_eq!(stage(6, "2027-03-02"), Some(Stage::Past));
    }

    #[test]
    fn it_is_said_as_people_would() {
        let said = |today: &str| sentence(&ending("2027-03-01", None), day(today));
        assert_eq!(said("2027-01-30"), "The secret runs out on Monday 1 March 2027, in 30 days.");
        assert_eq!(said("2027-02-28"), "The secret runs out tomorrow, Monday 1 March 2027.");
        assert_eq!(said("2027-03-01"), "The secret runs out today, Monday 1 March 2027.");
        assert_eq!(said("2027-03-09"), "The secret ran out on Monday 1 March 2027.");
    }

    #[test]
    fn secrets_certificates_and_servers_are_all_known_and_each_once() {
        let text = crate::config::EXAMPLE
            .replacen(
                "      password: {credential: general}",
                "      password: {credential: general, expires_on: 2027-02-01}",
                1,
            )
            .replacen("{host: imap.hertfordshire.example, password: {credential: resolution}}", "{host: imap.hertfordshire.example, oauth: tenant}", 1)
            .replacen(
                "\naccounts:",
                "\noauth: {tenant: {microsoft_tenant: x.example, client_id: y, client_secret: {file: z, expires_on: 2027-01-01}}}\n\naccounts:",
                1,
            );
        let config = Config::parse(&text, "c.yaml", std::path::Path::new("/srv")).unwrap();
        let server = |host: &str, port| ServerCertificate {
            host: host.to_owned(),
            port,
            validity: Validity {
                from: "2026-01-01T00:00:00Z".parse().unwrap(),
                until: "2027-01-15T23:30:00Z".parse().unwrap(),
            },
        };
        let seen = [server("imap.hertfordshire.example", 993), server("imap.gone.example", 993)];
        let said: Vec<String> =
            known(&config, &seen).iter().map(|one| format!("{} {}", one.on, one.what)).collect();
        assert_eq!(
            said,
            [
                "2027-01-01 the client secret by which the program signs in at login.microsoftonline.com (`oauth.tenant`)",
                "2027-01-15 the certificate of the mail server imap.hertfordshire.example (port 993)",
                "2027-02-01 the password of general at imap.hertfordshire.example",
            ]
        );
    }

    proptest! {
        #[test]
        fn an_end_only_comes_nearer(life in prop::option::of(1i64..900), from in 0i64..900) {
            let one = ending("2027-03-01", life);
            let today = one.on - TimeDelta::days(from);
            prop_assert!(one.stage(today) <= one.stage(today + TimeDelta::days(1)));
        }
    }
}
