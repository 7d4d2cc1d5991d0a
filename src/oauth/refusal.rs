//! Why a provider gives no token, in words for whoever looks after the program: what is wrong, and what to do about it. The
//! codes are those of RFC 6749 section 5.2 and of Microsoft's own list (AADSTS...), which tells more; it may change, so whatever
//! it does not know falls back to the former.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Grant, Proof, Provider, TokenError};

/// A refusal as the provider said it.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// `invalid_client`, ...
    pub(super) error: String,
    /// In words.
    pub(super) description: String,
    /// Microsoft's numbers.
    pub(super) codes: Vec<u64>,
    /// By how much our clock is ahead of the provider's, if it told the time.
    pub(super) skew: Option<TimeDelta>,
    /// Its wish to be left in peace.
    pub(super) retry_after: Option<Duration>,
}

/// A clock that is wrong by more than this is worth a word.
const SKEW: TimeDelta = TimeDelta::minutes(2);

/// The problem's beginning: whom we asked.
pub(super) fn place(provider: &Provider) -> String {
    format!("no access token from `{}` ({})", provider.name, provider.host())
}

/// The endpoint answered with 200, and not with a token that could be used.
pub(super) fn no_token(provider: &Provider, what: &str) -> TokenError {
    TokenError::Transient { problem: format!("{}: it gave {what}", place(provider)), retry_after: None }
}

/// An answer that is none of OAuth's.
pub(super) fn strange(provider: &Provider, status: u16, retry_after: Option<Duration>) -> TokenError {
    let place = place(provider);
    let person = |problem: &str, remedy: &str| TokenError::NeedsAPerson {
        problem: format!("{place}: {problem} (HTTP {status})"),
        remedy: remedy.to_owned(),
    };
    let passing = |problem: &str| TokenError::Transient {
        problem: format!("{place}: {problem} (HTTP {status})"),
        retry_after,
    };
    match status {
        407 => person(
            "the proxy on the way there wants a login",
            "Have this machine let through to the token endpoint without one, or put the login into HTTPS_PROXY",
        ),
        429 => passing("it asks us to come back later"),
        500.. => passing("it is out of order"),
        300..400 => person(
            "it sends us to another address, where no secret is sent",
            "Write the address of the token endpoint itself as `token_endpoint`; a network that wants a sign-in first answers like this too",
        ),
        404 | 405 | 410 => person(
            "there is no token endpoint at that address",
            "Check `token_endpoint`, or `microsoft_tenant`",
        ),
        200 => passing(
            "it answered with something else than a token; is there a proxy on the way that answers itself?",
        ),
        _ => person(
            "it refused without a reason that we know",
            "Check `token_endpoint` (or `microsoft_tenant`), and whether a proxy on the way refuses",
        ),
    }
}

/// What a refusal means.
pub(super) fn refused(provider: &Provider, refusal: &Refusal) -> TokenError {
    let place = place(provider);
    let code = refusal.codes.first().copied().or_else(|| microsoft_code(&refusal.description));
    let meaning =
        code.and_then(|code| microsoft(provider, code)).unwrap_or_else(|| standard(provider, refusal));
    let said = said(refusal, code);
    match meaning {
        Meaning::Passing(problem) => TokenError::Transient {
            problem: format!("{place}: {problem} ({said})"),
            retry_after: refusal.retry_after,
        },
        Meaning::Person(problem, remedy) => {
            let clock = refusal.skew.filter(|skew| skew.abs() > SKEW).map(|skew| {
                let (minutes, way) =
                    (skew.abs().num_minutes(), if skew > TimeDelta::zero() { "ahead of" } else { "behind" });
                format!(
                    ". This machine's clock is {minutes} minutes {way} the provider's: set it right first"
                )
            });
            TokenError::NeedsAPerson {
                problem: format!("{place}: {problem} ({said})"),
                remedy: remedy + &clock.unwrap_or_default(),
            }
        }
    }
}

/// What to make of a refusal.
enum Meaning {
    /// It passes.
    Passing(&'static str),
    /// What is wrong, and what a person must do.
    Person(&'static str, String),
}

/// Microsoft's own codes, as far as an application can meet them that signs nobody in.
fn microsoft(provider: &Provider, code: u64) -> Option<Meaning> {
    let name = &provider.name;
    let at = |key: &str| format!("`oauth.{name}.{key}`");
    const CENTRE: &str = "Microsoft Entra admin centre, App registrations";
    let (problem, remedy) = match code {
        7_000_215 | 70_002 => (
            "the client secret is wrong",
            format!(
                "Put the secret's Value, not its Secret ID, where {} points. It is shown only when the secret is made: if nobody kept \
                 it, make a new one ({CENTRE}, Certificates & secrets)",
                at("client_secret")
            ),
        ),
        7_000_222 => (
            "the client secret has expired",
            format!(
                "Make a new one ({CENTRE}, Certificates & secrets), put its Value where {} points, and its last day into `expires_on`",
                at("client_secret")
            ),
        ),
        700_016 | 700_011 => (
            "the tenant knows no application with this `client_id`",
            format!(
                "Compare {} with the Application (client) ID, and {} with the Directory (tenant) ID, both on the application's \
                 Overview page; an application of another tenant needs an administrator's consent in this one first",
                at("client_id"),
                at("microsoft_tenant")
            ),
        ),
        90_002 | 900_023 | 50_059 | 90_019 | 50_128 | 9_001_023 | 50_194 => (
            "there is no such tenant",
            format!("Write the Directory (tenant) ID from the application's Overview page as {}", at("microsoft_tenant")),
        ),
        700_027 | 50_012 | 7_000_214 | 50_006 | 700_030 => (
            "the certificate is not one of this application's",
            format!(
                "Upload the certificate that {} names ({CENTRE}, Certificates & secrets, Certificates), and check that \
                 `certificate.key` is the key it was made with",
                at("certificate.file")
            ),
        ),
        700_024 | 500_133 | 50_027 => (
            "the assertion's times do not fit the provider's clock",
            "Set this machine's clock: it must be kept by NTP or chrony".to_owned(),
        ),
        7_000_112 | 70_001 => (
            "the application has been switched off",
            "Have it switched on: Microsoft Entra admin centre, Enterprise applications, Properties, Enabled for users to sign in"
                .to_owned(),
        ),
        7_000_218 | 7_000_216 | 900_144 => (
            "the application wants a proof of who asks",
            format!("Add `client_secret` or `certificate` to `oauth.{name}`"),
        ),
        700_025 => (
            "the application is a public one and takes no secret",
            format!("Remove `client_secret` or `certificate` from `oauth.{name}`, or set the application's type to Web"),
        ),
        70_011 | 1_002_012 | 28_002 | 28_003 | 500_011 | 650_057 | 50_001 => (
            "it does not know what the token is to be good for",
            format!("Remove {} for the usual one, https://outlook.office365.com/.default", at("scope")),
        ),
        65_001 | 650_056 | 65_005 => (
            "nobody has agreed to the application's permissions",
            format!(
                "Have a tenant administrator add IMAP.AccessAsApp and SMTP.SendAsApp of Office 365 Exchange Online and grant admin \
                 consent ({CENTRE}, API permissions); see deploy/MICROSOFT-365.md"
            ),
        ),
        53_000..=53_003 | 530_000..=530_039 | 50_131 | 50_002 | 500_021 | 500_022 => (
            "a policy of the tenant forbids it",
            "Ask the tenant's administrator which Conditional Access policy, or tenant restriction at the proxy, applies to this \
             application and this machine's address"
                .to_owned(),
        ),
        700_082 | 70_008 | 70_000 | 50_173 | 700_084 | 70_043 => return Some(refresh_ended(provider)),
        90_055 | 50_196 => return Some(Meaning::Passing("it is asked too often, and wants to be left in peace")),
        90_006 | 90_012 | 90_024 | 90_033 | 50_033 => {
            return Some(Meaning::Passing("it is out of order for the moment"));
        }
        _ => return None,
    };
    Some(Meaning::Person(problem, remedy))
}

fn refresh_ended(provider: &Provider) -> Meaning {
    let remedy = format!(
        "Let the mailbox's owner agree once more, and put the new refresh token where `oauth.{}.refresh_token` points. They end when \
         they are not used for long, when a password is changed, and when they are withdrawn",
        provider.name
    );
    Meaning::Person("the refresh token is not taken any more", remedy)
}

/// The codes of RFC 6749 section 5.2, and of section 4.1.2.1 where servers use them here too.
fn standard(provider: &Provider, refusal: &Refusal) -> Meaning {
    let name = &provider.name;
    let person = |problem, remedy: String| Meaning::Person(problem, remedy);
    match refusal.error.as_str() {
        _ if refusal.status == 429 => Meaning::Passing("it asks us to come back later"),
        "temporarily_unavailable" | "server_error" | "slow_down" => {
            Meaning::Passing("it is out of order for the moment")
        }
        _ if refusal.status >= 500 => Meaning::Passing("it is out of order for the moment"),
        "invalid_client" => {
            let proof = match provider.proof {
                Proof::None => "whether the application needs a `client_secret`",
                Proof::Secret(_) => "the secret that `client_secret` points to (has it expired?)",
                Proof::Certificate { .. } => "that the provider knows the certificate of `certificate.file`",
            };
            person(
                "it does not believe that we are the application",
                format!("Check `client_id` of `oauth.{name}`, and {proof}"),
            )
        }
        "invalid_grant" if matches!(provider.grant, Grant::RefreshToken(_)) => refresh_ended(provider),
        "unauthorized_client" | "unsupported_grant_type" => person(
            "the application may not ask for tokens in this way",
            format!(
                "Have the client credentials grant switched on for the application at the provider, or give `oauth.{name}` a \
                 `refresh_token`"
            ),
        ),
        "invalid_scope" | "invalid_target" => person(
            "it does not know what the token is to be good for",
            format!(
                "Check `oauth.{name}.scope` against what the provider's documentation asks for IMAP and SMTP"
            ),
        ),
        "access_denied" | "consent_required" => person(
            "nobody has agreed to the application's permissions",
            "Have an administrator grant them at the provider".to_owned(),
        ),
        _ => person(
            "it refused the request",
            format!("Compare `oauth.{name}` with what the provider's documentation asks for"),
        ),
    }
}

/// The number in `AADSTS7000215: Invalid client secret provided.`
fn microsoft_code(description: &str) -> Option<u64> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What the provider said, short enough for a log and without what may be about people: the code, and the first sentence.
fn said(refusal: &Refusal, code: Option<u64>) -> String {
    let short = |text: &str, most: usize| {
        let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let words = words.map(|word| if word.contains('@') { "<address>" } else { word });
        words.collect::<Vec<_>>().join(" ").chars().take(most).collect::<String>()
    };
    let error = short(&refusal.error, 40);
    match code {
        Some(code) => format!("{error}, AADSTS{code}"),
        None if refusal.description.is_empty() => error,
        None => {
            let first = refusal.description.lines().next().unwrap_or_default();
            format!("{error}: {}", short(first, 120).trim_end_matches('.'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::provider;
    use super::*;

    fn told(error: &str, description: &str, status: u16) -> TokenError {
        let refusal = Refusal {
            status,
            error: error.to_owned(),
            description: description.to_owned(),
            ..Refusal::default()
        };
        refused(&provider("https://login.microsoftonline.com/x/oauth2/v2.0/token"), &refusal)
    }

    #[test]
    fn microsofts_code_is_found_in_the_words_and_tells_more_than_the_standards() {
        let wrong = told("invalid_client", "AADSTS7000215: Invalid client secret provided. Trace ID: 1", 401)
            .to_string();
        assert!(wrong.contains("the client secret is wrong (invalid_client, AADSTS7000215)"), "{wrong}");
        assert!(wrong.contains("not its Secret ID"), "{wrong}");
        let unknown = told("invalid_client", "AADSTS999999999: Something new", 401).to_string();
        assert!(unknown.contains("AADSTS999999999") && unknown.contains("has it expired?"), "{unknown}");
    }

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for (error, status, passes) in [
            ("temporarily_unavailable", 503, true),
            ("server_error", 400, true),
            ("anything", 429, true),
            ("anything", 500, true),
            ("invalid_client", 401, false),
            ("invalid_scope", 400, false),
            ("anything", 400, false),
        ] {
            let error = told(error, "", status);
            assert_eq!(matches!(error, TokenError::Transient { .. }), passes, "{error}");
        }
        for (status, passes) in
            [(200, true), (302, false), (404, false), (407, false), (429, true), (502, true)]
        {
            let error = strange(&provider("https://login.example/token"), status, None);
            assert_eq!(matches!(error, TokenError::Transient { .. }), passes, "{error}");
        }
    }

    #[test]
    fn a_wrong_clock_is_told_with_whatever_was_refused() {
        let refusal = |minutes| Refusal {
            status: 401,
            error: "invalid_client".to_owned(),
            skew: Some(TimeDelta::minutes(minutes)),
            ..Refusal::default()
        };
        let text = |minutes| refused(&provider("https://login.example/token"), &refusal(minutes)).to_string();
        assert!(text(-14).contains("clock is 14 minutes behind"), "{}", text(-14));
        assert!(text(90).contains("clock is 90 minutes ahead of the") && !text(1).contains("clock"));
    }

    #[test]
    fn no_address_and_no_page_gets_into_the_words() {
        let text = told("invalid_grant", "the user jane.doe@council.example\r\nTrace ID: 5", 400).to_string();
        assert!(!text.contains("jane") && !text.contains("Trace"), "{text}");
        assert!(told(&"x".repeat(9000), &"y".repeat(9000), 400).to_string().len() < 600);
    }
}
