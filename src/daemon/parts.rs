//! Mailboxes and couriers as the configuration describes them. Nothing connects here.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use secrecy::SecretString;

use crate::config::{self, Account, Config, ConfigError, FilingMode, Login, Secret};
use crate::mailbox::{
    Accounts, AnyMailbox, Credentials, Filing, FolderAccount, FolderKind, FolderMailbox, ImapAccount,
    ImapMailbox, Mechanism, Security, TokenSource,
};
use crate::outbox::smtp::{self, LoginSource, SmtpLogin};
use crate::outbox::{AnyCourier, FileCourier, SmtpConfig, SmtpCourier};

/// Every watched folder, in the order of the configuration; after those of an account, its Sent folders.
pub fn mailboxes(config: &Config) -> Result<Vec<AnyMailbox>, ConfigError> {
    Ok(mailboxes_of(config, accounts(config)?))
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
pub fn couriers(config: &Config) -> Result<BTreeMap<String, AnyCourier>, ConfigError> {
    let mut couriers = BTreeMap::new();
    for account in &config.accounts {
        let courier = match (&account.smtp, &account.outbox) {
            (Some(_), _) => AnyCourier::Smtp(Box::new(SmtpCourier::new(smtp(account)?))),
            (None, Some(folder)) => AnyCourier::File(FileCourier::new(folder)),
            (None, None) => continue,
        };
        couriers.insert(account.name.clone(), courier);
    }
    Ok(couriers)
}

/// Every account's inbox side, as the mailbox module wants it.
pub fn accounts(config: &Config) -> Result<Accounts, ConfigError> {
    let mut accounts = Accounts::default();
    for account in &config.accounts {
        if account.imap.is_some() {
            accounts.imap.push(imap(account)?);
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
pub fn imap(account: &Account) -> Result<ImapAccount, ConfigError> {
    let Some(imap) = &account.imap else {
        return Err(ConfigError(format!("account `{}` has no `imap`.", account.name)));
    };
    let user = imap.user.as_deref().unwrap_or(&account.address);
    let credentials = match imap.login {
        Login::Xoauth2 => Credentials::AccessToken(Rc::new(SecretNow(imap.password.clone()))),
        Login::Auto | Login::Login | Login::Plain => {
            Credentials::PasswordFrom(Rc::new(SecretNow(imap.password.clone())))
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
        ..ImapAccount::new(&account.name, &imap.host, user, credentials)
    })
}

/// A password, or an access token that something else keeps fresh in a file; read anew for every connection, so that a
/// changed one needs no restart.
struct SecretNow(Secret);

impl TokenSource for SecretNow {
    fn token<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<SecretString, String>> + 'a>> {
        Box::pin(std::future::ready(self.0.read().map_err(|error| error.to_string())))
    }
}

/// An account's submission server.
pub fn smtp(account: &Account) -> Result<SmtpConfig, ConfigError> {
    let Some(smtp) = &account.smtp else {
        return Err(ConfigError(format!("account `{}` has no `smtp`.", account.name)));
    };
    let login = match (smtp.user.clone(), smtp.password.clone()) {
        (Some(user), Some(password)) => {
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
        ..SmtpConfig::new(&smtp.host, smtp.port())
    })
}
