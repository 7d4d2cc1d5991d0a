//! A client's proof by its certificate: a JWT about itself, signed with the certificate's key (RFC 7523 section 3, RFC 7519,
//! RFC 7515). Microsoft's servers ask for PS256, others for RS256; the certificate is named by its SHA-256 thumbprint.

use std::path::Path;

use chrono::{DateTime, Utc};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{self, KeyPair, RsaKeyPair};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Provider, TokenError};
use crate::certificate::{self, Validity};
use crate::mailbox::base64;

/// An assertion is good for so many seconds; it is used once, at once.
const SECONDS: i64 = 300;

/// A little in the past: the provider's clock may be behind ours.
const BACK: i64 = 30;

/// The assertion for this provider, to be sent once.
pub(super) fn sign(
    provider: &Provider,
    file: &Path,
    key: &SecretString,
    now: DateTime<Utc>,
) -> Result<Zeroizing<String>, TokenError> {
    let unusable = |problem: String, remedy: &str| TokenError::NeedsAPerson {
        problem: format!("no access token from `{}`: {problem}", provider.name),
        remedy: remedy.to_owned(),
    };
    let certificate = read(file).map_err(|problem| unusable(problem, PEM))?;
    if let Some(validity) = certificate::validity(&certificate)
        && validity.until < now
    {
        let problem =
            format!("the certificate {} ended on {}", file.display(), validity.until.format("%-d %B %Y"));
        return Err(unusable(
            problem,
            "Make a new one, and upload it to the provider (see deploy/MICROSOFT-365.md)",
        ));
    }
    let pair = pair(key).map_err(|problem| unusable(format!("the certificate's key: {problem}"), KEY))?;
    if certificate::public_key(&certificate).is_none_or(|public| public != pair.public_key().as_ref()) {
        let problem = format!("the key does not belong to the certificate {}", file.display());
        return Err(unusable(problem, "Name the certificate and the key that were made together"));
    }
    let algorithm = if provider.is_microsoft() { "PS256" } else { "RS256" };
    let padding: &dyn signature::RsaEncoding =
        if provider.is_microsoft() { &signature::RSA_PSS_SHA256 } else { &signature::RSA_PKCS1_SHA256 };
    let random = SystemRandom::new();
    let mut id = [0u8; 16];
    let broken = |_: ring::error::Unspecified| {
        unusable("signing failed".to_owned(), "Have a new key and certificate made")
    };
    random.fill(&mut id).map_err(broken)?;
    let head = json!({ "alg": algorithm, "typ": "JWT", "x5t#S256": url(&Sha256::digest(&certificate)) });
    let claims = json!({
        "aud": provider.endpoint,
        "iss": provider.client_id,
        "sub": provider.client_id,
        "jti": url(&id),
        "iat": now.timestamp(),
        "nbf": now.timestamp() - BACK,
        "exp": now.timestamp() + SECONDS,
    });
    let body = format!("{}.{}", url(head.to_string().as_bytes()), url(claims.to_string().as_bytes()));
    let mut signed = vec![0; pair.public().modulus_len()];
    pair.sign(padding, &random, body.as_bytes(), &mut signed).map_err(broken)?;
    Ok(Zeroizing::new(format!("{body}.{}", url(&signed))))
}

/// From when until when the certificate in this file serves; `Err`: why that cannot be told.
pub fn certificate_validity(file: &Path) -> Result<Validity, String> {
    certificate::validity(&read(file)?)
        .ok_or_else(|| format!("{}: the certificate in it cannot be read", file.display()))
}

const PEM: &str =
    "`certificate.file` must be a text file with a BEGIN CERTIFICATE block that this user can read";
const KEY: &str = "`certificate.key` must point to a text file with a BEGIN PRIVATE KEY block: an RSA key of 2048 bits or more";

/// The first certificate in a file.
fn read(file: &Path) -> Result<Vec<u8>, String> {
    match CertificateDer::from_pem_file(file) {
        Ok(certificate) => Ok(certificate.as_ref().to_vec()),
        Err(error) => Err(format!("the certificate {} cannot be read: {error}", file.display())),
    }
}

/// An RSA key from its PEM text.
fn pair(pem: &SecretString) -> Result<RsaKeyPair, String> {
    let pem = pem.expose_secret();
    if pem.contains("ENCRYPTED") {
        return Err("it is protected by a passphrase; `openssl pkey -in KEY -out OPEN` writes one without, which must be \
                    readable by this user alone"
            .to_owned());
    }
    let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        Ok(_) => return Err("it is no RSA key".to_owned()),
        Err(_) => return Err("there is no private key in it".to_owned()),
    };
    pair.map_err(|error| format!("it is no RSA key that can be used ({error})"))
}

/// Base 64 for URLs, without padding (RFC 7515 section 2).
fn url(bytes: &[u8]) -> String {
    base64::encode(bytes, base64::URL, false)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::rc::Rc;

    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::super::tests::provider;
    use super::super::{Proof, SecretSource};
    use super::*;

    /// A key and its certificate, made anew: none is kept in the repository.
    fn made(folder: &Path, name: &str) -> (std::path::PathBuf, String) {
        let (file, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        let done = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=test",
                "-keyout",
            ])
            .arg(&key)
            .arg("-out")
            .arg(&file)
            .output();
        assert!(done.expect("openssl, of Debian's package openssl").status.success());
        (file, std::fs::read_to_string(key).unwrap())
    }

    fn parts(jwt: &str) -> (serde_json::Value, serde_json::Value, Vec<u8>) {
        let parts: Vec<Vec<u8>> =
            jwt.split('.').map(|part| base64::decode(part, base64::URL).unwrap()).collect();
        (
            serde_json::from_slice(&parts[0]).unwrap(),
            serde_json::from_slice(&parts[1]).unwrap(),
            parts[2].clone(),
        )
    }

    #[test]
    fn the_assertion_is_what_each_provider_can_verify_with_the_certificate_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = made(folder.path(), "client");
        let der = read(&file).unwrap();
        let now = Utc::now();
        for (endpoint, algorithm) in [
            ("https://login.microsoftonline.com/t/oauth2/v2.0/token", "PS256"),
            ("https://login.example/token", "RS256"),
        ] {
            let provider = provider(endpoint);
            let jwt = sign(&provider, &file, &SecretString::from(key.as_str()), now).unwrap();
            let (head, claims, signature) = parts(&jwt);
            assert_eq!((head["alg"].as_str(), head["typ"].as_str()), (Some(algorithm), Some("JWT")));
            assert_eq!(head["x5t#S256"].as_str().unwrap(), url(&Sha256::digest(&der)));
            assert_eq!(claims["aud"].as_str(), Some(endpoint));
            assert_eq!((&claims["iss"], &claims["sub"]), (&claims["sub"], &json!(provider.client_id)));
            assert!(claims["exp"].as_i64().unwrap() - now.timestamp() <= 600);
            let verify: &dyn signature::VerificationAlgorithm =
                if algorithm == "PS256" { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
            let public = UnparsedPublicKey::new(verify, certificate::public_key(&der).unwrap());
            let (body, _) = jwt.rsplit_once('.').unwrap();
            public.verify(body.as_bytes(), &signature).unwrap();
            let again = sign(&provider, &file, &SecretString::from(key.as_str()), now).unwrap();
            assert_ne!(claims["jti"], parts(&again).1["jti"], "each is used once");
        }
    }

    #[test]
    fn what_cannot_be_signed_with_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = made(folder.path(), "client");
        let (_, other) = made(folder.path(), "other");
        let now = Utc::now();
        let told = |file: &Path, key: &str, now| {
            sign(&provider("https://login.example/token"), file, &SecretString::from(key), now)
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        let later = now + chrono::TimeDelta::days(31);
        for (said, words) in [
            (told(&folder.path().join("none.pem"), &key, now), "cannot be read"),
            (told(&file, "", now), "there is no private key in it"),
            (told(&file, &other, now), "does not belong to the certificate"),
            (told(&file, "-----BEGIN ENCRYPTED PRIVATE KEY-----", now), "passphrase"),
            (told(&file, &key, later), "ended on"),
        ] {
            assert!(said.contains(words), "{said}");
            assert!(!said.contains("BEGIN ENCRYPTED") && said.contains("`tenant`"), "{said}");
        }
        assert!(certificate_validity(&file).unwrap().until > now);
    }

    #[test]
    fn a_key_in_the_older_form_is_taken_too() {
        let folder = tempfile::tempdir().unwrap();
        let (_, key) = made(folder.path(), "client");
        let newer = folder.path().join("newer");
        std::fs::write(&newer, key).unwrap();
        let older =
            Command::new("openssl").args(["rsa", "-traditional", "-in"]).arg(&newer).output().unwrap();
        let older = String::from_utf8(older.stdout).unwrap();
        assert!(older.contains("BEGIN RSA PRIVATE KEY"));
        assert!(pair(&SecretString::from(older)).is_ok());
    }

    #[test]
    fn the_form_carries_the_assertion_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = made(folder.path(), "client");
        let key = SecretSource(Rc::new(move || Ok(SecretString::from(key.as_str()))));
        let provider =
            Provider { proof: Proof::Certificate { file, key }, ..provider("https://login.example/token") };
        let form = provider.form(Utc::now(), None).unwrap();
        assert!(form.contains("&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=eyJ"));
        assert!(!form.contains("client_secret"));
    }
}
