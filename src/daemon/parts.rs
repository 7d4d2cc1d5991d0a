//! Mailboxes and couriers as the configuration describes them. Nothing connects here.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::certificate::Seen;
use crate::clock::SystemClock;
use crate::config::{self, Account, Config, ConfigError, FilingMode, Login, OauthProvider, Secret};
use crate::mailbox::{
    Accounts, AnyMailbox, Credentials, Filing, FolderAccount, FolderKind, FolderMailbox, Handed, ImapAccount,
    ImapMailbox, Mechanism, NoToken, Security, TokenSource,
};
use crate::oauth::{Grant, Proof, Provider, SecretSource, Tokens};
use crate::outbox::smtp::{self, LoginSource, SmtpLogin, TokenKeeper};
use crate::outbox::{AnyCourier, FileCourier, SmtpConfig, SmtpCourier};

/// What the connections of one run of the program share: access tokens, and the servers' certificates as they were seen. Clones
/// are the same.
#[derive(Clone, Default)]
pub struct Shared {
    /// The keepers of tokens, by provider.
    pub tokens: Tokens,
    /// The servers' certificates.
    pub certificates: Seen,
}

impl Shared {
    /// Keepers for the providers that are configured. Nobody is asked for a token before one is wanted.
    pub fn new(config: &Config) -> Self {
        let providers = config.oauth.iter().map(|(name, oauth)| provider(name, oauth)).collect();
        Self { tokens: Tokens::new(providers, Rc::new(SystemClock)), certificates: Seen::default() }
    }

    /// The keeper of this provider's token.
    fn keeper(&self, name: &str) -> Result<Rc<dyn TokenSource>, ConfigError> {
        match self.tokens.of(name) {
            Some(keeper) => Ok(keeper),
            None => Err(ConfigError(format!("there is no provider `{name}` under `oauth`."))),
        }
    }
}

/// A provider of access tokens, as the module that asks for them wants it.
pub fn provider(name: &str, oauth: &OauthProvider) -> Provider {
    let line = |secret: &Secret| {
        let secret = secret.clone();
        SecretSource(Rc::new(move || secret.read().map_err(|error| error.0)))
    };
    let proof = match (&oauth.client_secret, &oauth.certificate) {
        (Some(secret), _) => Proof::Secret(line(secret)),
        (None, Some(certificate)) => {
            let key = certificate.key.clone();
            Proof::Certificate {
                file: certificate.file.clone(),
                key: SecretSource(Rc::new(move || key.read_whole().map_err(|error| error.0))),
            }
        }
        (None, None) => Proof::None,
    };
    Provider {
        name: name.to_owned(),
        endpoint: oauth.endpoint(),
        client_id: oauth.client_id.trim().to_owned(),
        proof,
        grant: oauth
            .refresh_token
            .as_ref()
            .map_or(Grant::ClientCredentials, |token| Grant::RefreshToken(line(token))),
        scope: oauth.scope(),
        ca_file: oauth.ca_file.clone(),
    }
}

/// Every watched folder, in the order of the configuration; after those of an account, its Sent folders.
pub fn mailboxes(config: &Config, shared: &Shared) -> Result<Vec<AnyMailbox>, ConfigError> {
    Ok(mailboxes_of(config, accounts(config, shared)?))
}

/// The same, with the inbox sides given: they may be reached in another way than the configuration says.
pub fn mailboxes_of(config: &Config, accounts: Accounts) -> Vec<AnyMailbox> {
    let accounts = Rc::new(accounts);
    let mut mailboxes = Vec::new();
    for account in &config.accounts {
        for (folder, polled) in account
            .watch
            .iter()
            .map(|folder| (folder, false))
            .chain(account.polled().map(|sent| (sent, true)))
        {
            let imap = accounts.imap.iter().find(|a| a.account == account.name);
            let on_disk = accounts.folders.iter().find(|a| a.account == account.name);
            let mailbox = match (imap, on_disk) {
                (Some(imap), _) => {
                    let mut imap = imap.clone();
                    if polled {
                        imap.filing = Filing::None; // EXAMINE: the server itself lets nothing be changed.
                    }
                    let mailbox = ImapMailbox::new(imap, folder.clone(), accounts.clone());
                    AnyMailbox::Imap(Box::new(mailbox))
                }
                (None, Some(place)) => {
                    AnyMailbox::Folder(FolderMailbox::new(place.clone(), folder.clone(), accounts.clone()))
                }
                (None, None) => continue,
            };
            mailboxes.push(mailbox);
        }
    }
    mailboxes
}

/// Every account's courier, by the account's name.
pub fn couriers(config: &Config, shared: &Shared) -> Result<BTreeMap<String, AnyCourier>, ConfigError> {
    let mut couriers = BTreeMap::new();
    for account in &config.accounts {
        let courier = match (&account.smtp, &account.outbox) {
            (Some(_), _) => AnyCourier::Smtp(Box::new(SmtpCourier::new(smtp(account, shared)?))),
            (None, Some(folder)) => AnyCourier::File(FileCourier::new(folder)),
            (None, None) => continue,
        };
        couriers.insert(account.name.clone(), courier);
    }
    Ok(couriers)
}

/// Every account's inbox side, as the mailbox module wants it.
pub fn accounts(config: &Config, shared: &Shared) -> Result<Accounts, ConfigError> {
    let mut accounts = Accounts::default();
    for account in &config.accounts {
        if account.imap.is_some() {
            accounts.imap.push(imap(account, shared)?);
        }
        if let Some(folder) = &account.folder {
            accounts.folders.push(FolderAccount {
                account: account.name.clone(),
                root: folder.path.clone(),
                kind: match folder.kind {
                    config::FolderKind::Maildir => FolderKind::Maildir,
                    config::FolderKind::Eml => FolderKind::Eml,
                },
                filing: filing(account),
            });
        }
    }
    Ok(accounts)
}

fn filing(account: &Account) -> Filing {
    match account.filing {
        FilingMode::Move => Filing::Move,
        FilingMode::Copy => Filing::Copy,
        FilingMode::None => Filing::None,
    }
}

/// An account's IMAP server.
pub fn imap(account: &Account, shared: &Shared) -> Result<ImapAccount, ConfigError> {
    let Some(imap) = &account.imap else {
        return Err(ConfigError(format!("account `{}` has no `imap`.", account.name)));
    };
    let user = imap.user.as_deref().unwrap_or(&account.address);
    let credentials = match (&imap.oauth, &imap.password, imap.login) {
        (Some(name), _, _) => Credentials::AccessToken(shared.keeper(name)?),
        (None, Some(token), Login::Xoauth2) => Credentials::AccessToken(Rc::new(SecretNow(token.clone()))),
        (None, Some(password), _) => Credentials::PasswordFrom(Rc::new(SecretNow(password.clone()))),
        (None, None, _) => {
            return Err(ConfigError(format!(
                "account `{}` has neither `password` nor `oauth`.",
                account.name
            )));
        }
    };
    Ok(ImapAccount {
        port: imap.port(),
        security: match imap.security {
            config::Security::Tls => Security::Tls,
            config::Security::Starttls => Security::StartTls,
            config::Security::Plain => Security::Plain,
        },
        mechanism: match imap.login {
            Login::Auto => Mechanism::Auto,
            Login::Login => Mechanism::Login,
            Login::Plain => Mechanism::Plain,
            Login::Xoauth2 => Mechanism::XOAuth2,
        },
        ca_file: imap.ca_file.clone(),
        sent_folder: account.own_sent_folder.clone(),
        filing: filing(account),
        whole_message_limit_bytes: imap.read_bytes,
        certificates: shared.certificates.clone(),
        ..ImapAccount::new(&account.name, &imap.host, user, credentials)
    })
}

/// A password, or an access token that something else keeps fresh in a file; read anew for every connection, so that a
/// changed one needs no restart.
struct SecretNow(Secret);

impl TokenSource for SecretNow {
    fn token<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<Handed, NoToken>> + 'a>> {
        let read = self.0.read();
        Box::pin(std::future::ready(match read {
            Ok(secret) => Ok(Handed { secret, term: None }),
            Err(error) => Err(NoToken { problem: error.to_string(), remedy: None }),
        }))
    }
}

/// An account's submission server.
pub fn smtp(account: &Account, shared: &Shared) -> Result<SmtpConfig, ConfigError> {
    let Some(smtp) = &account.smtp else {
        return Err(ConfigError(format!("account `{}` has no `smtp`.", account.name)));
    };
    let login = match (smtp.user.clone(), smtp.password.clone(), &smtp.oauth) {
        (user, _, Some(name)) => SmtpLogin::Kept {
            user: user.unwrap_or_else(|| account.address.clone()),
            tokens: TokenKeeper(shared.keeper(name)?),
        },
        (Some(user), Some(password), None) => {
            let xoauth2 = smtp.xoauth2;
            SmtpLogin::Fresh(LoginSource(Rc::new(move || {
                let (user, secret) = (user.clone(), password.read().map_err(|error| error.to_string())?);
                Ok(match xoauth2 {
                    true => SmtpLogin::Token { user, token: secret },
                    false => SmtpLogin::Password { user, password: secret },
                })
            })))
        }
        _ => SmtpLogin::None,
    };
    Ok(SmtpConfig {
        security: match smtp.security {
            config::Security::Tls => smtp::Security::Tls,
            config::Security::Starttls => smtp::Security::StartTls,
            config::Security::Plain => smtp::Security::Plain,
        },
        login,
        ca_file: smtp.ca_file.clone(),
        certificates: shared.certificates.clone(),
        letters_a_minute: smtp.letters_a_minute(),
        ..SmtpConfig::new(&smtp.host, smtp.port())
    })
}
