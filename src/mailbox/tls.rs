//! TLS by rustls: the system's certificates and the council's own authority are trusted, and a refusal says what to mend.
//! RFC 8446, RFC 9525 (names in certificates).

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig};

use super::MailboxError;
use super::account::{ImapAccount, Security};
use super::connect::transient;
use super::guard::Pipe;

/// The protected stream, and the server's certificate for `doctor`.
pub(super) async fn protect(
    account: &ImapAccount,
    pipe: Pipe,
) -> Result<(Pipe, Option<Vec<u8>>), MailboxError> {
    let step = || format!("TLS with {}", account.place());
    let config = config(account)?;
    let name = ServerName::try_from(account.host.clone()).map_err(|_| MailboxError::NeedsAPerson {
        account: account.account.clone(),
        step: step(),
        problem: format!("`{}` cannot be the name of a server", account.host),
        remedy: "Write the server's full name in `host`".into(),
    })?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, pipe)
        .await
        .map_err(|error| refused(account, step(), &error))?;
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first())
        .map(|leaf| leaf.as_ref().to_vec());
    if let Some(leaf) = &certificate {
        account.certificates.note(&account.host, account.port, leaf);
    }
    Ok((Box::new(stream), certificate))
}

fn config(account: &ImapAccount) -> Result<ClientConfig, MailboxError> {
    let provider = Arc::new(ring::default_provider());
    let extra = match &account.ca_file {
        Some(file) => authorities(file).map_err(|problem| MailboxError::NeedsAPerson {
            account: account.account.clone(),
            step: format!("reading the certificates in {}", file.display()),
            problem,
            remedy: "`ca_file` must be a text file with one or more BEGIN CERTIFICATE blocks that this user can read".into(),
        })?,
        None => Vec::new(),
    };
    let trouble = |error: rustls::Error| MailboxError::NeedsAPerson {
        account: account.account.clone(),
        step: "preparing TLS".into(),
        problem: error.to_string(),
        remedy:
            "Install the system's certificates (package ca-certificates), or name an authority in `ca_file`"
                .into(),
    };
    let verifier = Verifier::new_with_extra_roots(extra, provider.clone()).map_err(trouble)?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(trouble)?
        .dangerous() // Only by name: this verifier does check, with the system's certificates.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = |error: rustls::pki_types::pem::Error| error.to_string();
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(read)?.collect::<Result<_, _>>().map_err(read)?;
    if certificates.is_empty() { Err("there is no certificate in it".into()) } else { Ok(certificates) }
}

/// Sorts a failed handshake: what a person must mend, in words, or what may pass.
fn refused(account: &ImapAccount, step: String, error: &io::Error) -> MailboxError {
    let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        let problem = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection during the handshake".into(),
            _ => error.to_string(),
        };
        return transient(account, step, problem);
    };
    let host = &account.host;
    let (problem, remedy) = match cause {
        rustls::Error::InvalidCertificate(why) => certificate(host, why),
        // Courier takes STARTTLS and only then finds that it has no usable certificate: it goes on in plain IMAP.
        rustls::Error::InvalidMessage(_) if account.security == Security::StartTls => (
            "the server took STARTTLS, but what follows is not TLS".to_owned(),
            "Have the server's certificate and key looked at: its own log says why it could not begin; or set `security` to \
             `tls`, usually on port 993"
                .to_owned(),
        ),
        rustls::Error::InvalidMessage(_) => (
            "the server does not speak TLS on this port".to_owned(),
            "If the port is 143, set `security` to `starttls`; TLS from the start is usually on port 993"
                .to_owned(),
        ),
        other => return transient(account, step, other.to_string()),
    };
    MailboxError::NeedsAPerson { account: account.account.clone(), step, problem, remedy }
}

/// What is wrong with a server's certificate, and what to do about it.
pub(crate) fn certificate(host: &str, why: &CertificateError) -> (String, String) {
    let (problem, remedy) = match why {
        CertificateError::UnknownIssuer => (
            "the server's certificate was issued by an authority that this machine does not know".to_owned(),
            "If it is the council's own authority, put its certificate (PEM) into a file and name it in `ca_file`".to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the server's certificate has expired".to_owned(),
            "Have it renewed at the server; and check this machine's clock".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "the server's certificate is not valid yet".to_owned(),
            "Check this machine's clock, then the certificate at the server".to_owned(),
        ),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            "the server's certificate names no server at all (it has no subjectAltName)".to_owned(),
            format!("Have it issued anew with the subjectAltName `DNS:{host}`"),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = match why {
                CertificateError::NotValidForNameContext { presented, .. } => {
                    let bare = |name: &String| name.trim_start_matches("DnsName(").trim_matches(['"', '(', ')']).to_owned();
                    presented.iter().map(bare).collect::<Vec<_>>().join(", ")
                }
                _ => "other names".into(),
            };
            (
                format!("the server's certificate is for {names}, not for {host}"),
                "Write one of these names in `host`, or have the certificate issued for this name".to_owned(),
            )
        }
        CertificateError::Revoked => (
            "the server's certificate has been revoked".to_owned(),
            "Have it replaced at the server; until then do not connect".to_owned(),
        ),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            "the server shows an authority's certificate as its own (self-signed with CA:TRUE)".to_owned(),
            "Have a server certificate issued with CA:FALSE and a subjectAltName, and name its authority in `ca_file`"
                .to_owned(),
        ),
        other => (
            format!("the server's certificate was refused: {other}"),
            "Have the certificate checked at the server".to_owned(),
        ),
    };
    (problem, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refused_certificate_has_its_own_remedy() {
        let name = ServerName::try_from("imap.example".to_owned()).unwrap();
        let nameless = CertificateError::NotValidForNameContext { expected: name.clone(), presented: vec![] };
        let other = CertificateError::NotValidForNameContext {
            expected: name,
            presented: vec!["mail.example".into()],
        };
        let texts: Vec<String> = [
            CertificateError::UnknownIssuer,
            CertificateError::Expired,
            CertificateError::NotValidYet,
            nameless,
            other,
        ]
        .iter()
        .map(|why| certificate("imap.example", why).1)
        .collect();
        let distinct: std::collections::HashSet<&String> = texts.iter().collect();
        assert_eq!(distinct.len(), texts.len());
        assert!(texts[0].contains("ca_file") && texts[3].contains("DNS:imap.example"));
    }
}
