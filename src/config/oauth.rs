//! Where access tokens come from (OAuth 2.0, RFC 6749), for servers that take no passwords, as configured: only values; nobody
//! is asked here.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Problems;
use super::{Account, Config, Login, Secret};

/// What Microsoft 365 wants a token for mail to be good for.
const MICROSOFT_SCOPE: &str = "https://outlook.office365.com/.default";

/// A provider of access tokens, and who we are to it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthProvider {
    /// Microsoft 365: the Directory (tenant) ID, or a domain of the tenant's ...
    #[serde(default)]
    pub microsoft_tenant: Option<String>,
    /// ... or any other provider: the address of its token endpoint.
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// The application's ID at the provider.
    pub client_id: String,
    /// We are known by a secret ...
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// ... or by a certificate.
    #[serde(default)]
    pub certificate: Option<ClientCertificate>,
    /// What the token is to be good for; with `microsoft_tenant` `https://outlook.office365.com/.default` unless given.
    #[serde(default)]
    pub scope: Option<String>,
    /// A refresh token of somebody who has agreed; without it the application asks in its own name.
    #[serde(default)]
    pub refresh_token: Option<Secret>,
    /// A file of certificate authorities, PEM, that are trusted at the token endpoint instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// A certificate by which a provider knows the application.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// Its file, PEM: the one that was uploaded to the provider.
    pub file: PathBuf,
    /// Where its private key is, PEM.
    pub key: Secret,
}

impl OauthProvider {
    /// The address of the token endpoint.
    pub fn endpoint(&self) -> String {
        match (&self.microsoft_tenant, &self.token_endpoint) {
            (Some(tenant), None) => {
                format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", tenant.trim())
            }
            (_, endpoint) => endpoint.clone().unwrap_or_default(),
        }
    }

    /// What the token is to be good for.
    pub fn scope(&self) -> Option<String> {
        let usual = || self.microsoft_tenant.as_ref().map(|_| MICROSOFT_SCOPE.to_owned());
        self.scope.clone().or_else(usual)
    }

    pub(super) fn make_absolute(&mut self, folder: &Path) {
        let secrets = [&mut self.client_secret, &mut self.refresh_token];
        secrets.into_iter().flatten().for_each(|secret| secret.make_absolute(folder));
        let mut files: Vec<&mut PathBuf> = self.ca_file.iter_mut().collect();
        if let Some(certificate) = &mut self.certificate {
            certificate.key.make_absolute(folder);
            files.push(&mut certificate.file);
        }
        for file in files {
            if file.is_relative() {
                *file = folder.join(&*file);
            }
        }
    }
}

impl Config {
    /// The providers as text, but for the days on which their secrets end: to see whether they have changed. Never shown.
    pub fn oauth_without_dates(&self) -> String {
        let mut oauth = self.oauth.clone();
        for provider in oauth.values_mut() {
            let key = provider.certificate.as_mut().map(|certificate| &mut certificate.key);
            let secrets = [provider.client_secret.as_mut(), provider.refresh_token.as_mut(), key];
            secrets.into_iter().flatten().for_each(|secret| secret.expires_on = None);
        }
        format!("{oauth:?}")
    }
}

/// What is wrong with the providers though every key and type is right.
pub(super) fn check(config: &Config, out: &mut Problems) {
    for (name, provider) in &config.oauth {
        check_provider(&format!("oauth/{name}"), name, provider, out);
        let used = |account: &Account| {
            let imap = account.imap.as_ref().and_then(|imap| imap.oauth.as_ref());
            let smtp = account.smtp.as_ref().and_then(|smtp| smtp.oauth.as_ref());
            imap == Some(name) || smtp == Some(name)
        };
        if !config.accounts.iter().any(used) {
            out.add(
                format!("oauth/{name}"),
                format!("no account uses the provider `{name}`"),
                format!("Write `oauth: {name}` in the `imap` and `smtp` of the accounts that are to, or remove it here."),
            );
        }
    }
    for (at, account) in config.accounts.iter().enumerate() {
        if let Some(imap) = &account.imap {
            let path = format!("accounts/{at}/imap");
            check_use(config, &path, imap.oauth.as_deref(), imap.password.is_some(), out);
            match (&imap.oauth, &imap.password) {
                (None, None) => out.add(
                    &path,
                    "`imap` has neither `password` nor `oauth`",
                    "Add `password: {file: ...}`, or `oauth:` with the name of a provider (Microsoft 365).",
                ),
                (Some(_), _) if matches!(imap.login, Login::Login | Login::Plain) => out.add(
                    format!("{path}/login"),
                    "with `oauth` the login is by XOAUTH2, and not by `login` or `plain`",
                    "Remove `login:`.",
                ),
                _ => {}
            }
        }
        if let Some(smtp) = &account.smtp {
            check_use(
                config,
                &format!("accounts/{at}/smtp"),
                smtp.oauth.as_deref(),
                smtp.password.is_some(),
                out,
            );
        }
    }
}

fn check_use(config: &Config, path: &str, oauth: Option<&str>, has_password: bool, out: &mut Problems) {
    let Some(name) = oauth else { return };
    if has_password {
        out.add(
            format!("{path}/password"),
            "there is both a `password` and `oauth`",
            "Keep one of them: the server is shown a password or a token.",
        );
    }
    if !config.oauth.contains_key(name) {
        let names: Vec<&str> = config.oauth.keys().map(String::as_str).collect();
        let remedy = if names.is_empty() {
            format!(
                "Add it at the top level: `oauth: {{{name}: {{microsoft_tenant: ..., client_id: ..., client_secret: ...}}}}`."
            )
        } else {
            format!("The providers under `oauth:` are: {}.", names.join(", "))
        };
        out.add(format!("{path}/oauth"), format!("there is no provider `{name}`"), remedy);
    }
}

fn check_provider(path: &str, name: &str, provider: &OauthProvider, out: &mut Problems) {
    match (&provider.microsoft_tenant, &provider.token_endpoint) {
        (Some(tenant), None) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            let guessed = ["common", "organizations", "consumers"].contains(&tenant.trim());
            if tenant.trim().is_empty() || !tenant.trim().chars().all(plain) || guessed {
                out.add(
                    format!("{path}/microsoft_tenant"),
                    format!("`{tenant}` is no tenant"),
                    "Write the Directory (tenant) ID, as on the application's Overview page in the Entra admin centre.",
                );
            }
        }
        (None, Some(endpoint)) => {
            let host =
                endpoint.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or(rest));
            let here = host.is_some_and(|host| ["127.0.0.1", "localhost"].contains(&host));
            if !endpoint.starts_with("https://") && !here {
                out.add(
                    format!("{path}/token_endpoint"),
                    format!("`{endpoint}` is no address that a secret may be sent to"),
                    "It begins with `https://`, and ends in `/token` as a rule: see the provider's documentation.",
                );
            }
        }
        _ => out.add(
            path,
            format!("the provider `{name}` needs `microsoft_tenant` or `token_endpoint`, and not both"),
            "For Microsoft 365 write `microsoft_tenant:` with the Directory (tenant) ID.",
        ),
    }
    if provider.client_id.trim().is_empty() {
        let remedy = "Write the application's ID: at Microsoft, the Application (client) ID.";
        out.add(format!("{path}/client_id"), "`client_id` is empty", remedy);
    }
    match (&provider.client_secret, &provider.certificate, &provider.refresh_token) {
        (Some(_), Some(_), _) => out.add(
            format!("{path}/client_secret"),
            format!("the provider `{name}` has both a `client_secret` and a `certificate`"),
            "Keep one of them; Microsoft recommends the certificate.",
        ),
        (None, None, None) => out.add(
            path,
            format!("the provider `{name}` has neither `client_secret` nor `certificate`"),
            "Add `client_secret: {file: ...}`, or `certificate: {file: ..., key: {file: ...}}`.",
        ),
        _ => {}
    }
    let secrets = [
        ("client_secret", provider.client_secret.as_ref()),
        ("refresh_token", provider.refresh_token.as_ref()),
        ("certificate/key", provider.certificate.as_ref().map(|certificate| &certificate.key)),
    ];
    for (key, secret) in secrets {
        if secret.is_some_and(|secret| !secret.is_well_formed()) {
            let last = key.rsplit('/').next().unwrap_or(key);
            out.add(
                format!("{path}/{key}"),
                format!("`{last}` needs exactly one of `file`, `env` or `credential`"),
                format!(
                    "Write `{last}: {{credential: {last}}}`, and the secret into /etc/send-triage/secrets/{last}: it never stands here."
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration that comes with the program, its first account with tokens of this provider.
    fn read(provider: &str) -> Result<Config, String> {
        let text = super::super::EXAMPLE
            .replacen("      password: {credential: general}", "      oauth: tenant", 1)
            .replacen("\naccounts:", &format!("\noauth: {{tenant: {{{provider}}}}}\n\naccounts:"), 1);
        Config::parse(&text, "c.yaml", Path::new("/srv")).map_err(|error| error.0)
    }

    const TENANT: &str = "microsoft_tenant: 00000000-1111-2222-3333-444444444444, client_id: x";

    #[test]
    fn a_tenant_is_all_that_microsoft_needs() {
        let config =
            read(&format!("{TENANT}, client_secret: {{file: secret, expires_on: 2027-03-01}}")).unwrap();
        let provider = &config.oauth["tenant"];
        assert_eq!(
            provider.endpoint(),
            "https://login.microsoftonline.com/00000000-1111-2222-3333-444444444444/oauth2/v2.0/token"
        );
        assert_eq!(provider.scope().as_deref(), Some(MICROSOFT_SCOPE));
        let secret = provider.client_secret.as_ref().unwrap();
        assert_eq!(secret.file.as_deref(), Some(Path::new("/srv/secret")));
        assert_eq!(secret.expires_on.unwrap().to_string(), "2027-03-01");
        let later =
            read(&format!("{TENANT}, client_secret: {{file: secret, expires_on: 2028-03-01}}")).unwrap();
        assert_eq!(config.oauth_without_dates(), later.oauth_without_dates());
        let moved = read(&format!("{TENANT}, client_secret: {{file: other}}")).unwrap();
        assert_ne!(config.oauth_without_dates(), moved.oauth_without_dates());
        let other = "token_endpoint: https://login.example/token, client_id: x, refresh_token: {env: R}";
        assert_eq!(read(other).unwrap().oauth["tenant"].scope(), None);
    }

    #[test]
    fn a_provider_that_could_never_give_a_token_is_refused() {
        let secret = "client_secret: {file: s}";
        for (provider, said) in [
            (format!("client_id: x, {secret}"), "needs `microsoft_tenant` or `token_endpoint`"),
            (format!("{TENANT}, token_endpoint: https://a.example/t, {secret}"), "and not both"),
            (format!("microsoft_tenant: common, client_id: x, {secret}"), "is no tenant"),
            (format!("microsoft_tenant: a/b, client_id: x, {secret}"), "is no tenant"),
            (
                format!("token_endpoint: http://a.example/t, client_id: x, {secret}"),
                "a secret may be sent to",
            ),
            (TENANT.to_owned(), "neither `client_secret` nor `certificate`"),
            (format!("{TENANT}, {secret}, certificate: {{file: c, key: {{file: k}}}}"), "has both"),
            (format!("{TENANT}, client_secret: {{}}"), "exactly one of"),
            (format!("{TENANT}, client_secret: {{file: s, expires_on: soon}}"), "expires_on"),
            (format!("{TENANT}, client_secret: plain-text-secret"), "never stands here"),
            (format!("microsoft_tenant: x.example, client_id: '', {secret}"), "`client_id` is empty"),
        ] {
            let told = read(&provider).map(|_| ()).unwrap_err();
            assert!(told.contains(said), "{provider}\n{told}");
            assert!(!told.contains("plain-text-secret"), "{told}");
        }
    }

    #[test]
    fn accounts_and_providers_must_find_each_other() {
        let secret = format!("{TENANT}, client_secret: {{file: s}}");
        let text = super::super::EXAMPLE;
        let parse =
            |text: String| Config::parse(&text, "c.yaml", Path::new("/srv")).map(|_| ()).unwrap_err().0;
        let told = parse(text.replacen(
            "\naccounts:",
            &format!("\noauth: {{tenant: {{{secret}}}}}\n\naccounts:"),
            1,
        ));
        assert!(told.contains("no account uses the provider `tenant`"), "{told}");
        let password = "      password: {credential: general}";
        let told = parse(text.replacen(password, "      oauth: tenat", 1));
        assert!(told.contains("there is no provider `tenat`"), "{told}");
        let told = parse(text.replacen(password, &format!("{password}\n      oauth: tenant"), 1));
        assert!(told.contains("both a `password` and `oauth`"), "{told}");
        let told = parse(text.replacen(password, "", 1));
        assert!(told.contains("neither `password` nor `oauth`"), "{told}");
    }
}
