//! A token endpoint on loopback that signs real JWTs (RS256), which Dovecot verifies by itself: for each client a token for the
//! user of that name. It does as it is told: gives tokens of seconds, throttles, refuses, is slow, talks nonsense; and it
//! believes a client's certificate only after verifying the assertion.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

use super::machine::{Certificate, write_certificates};

/// The client secret that it knows.
pub const SECRET: &str = "open & sesame";

/// What it says to one request.
#[derive(Clone, Debug)]
pub enum Say {
    /// A token that is good for so many seconds, as every client with the right secret gets unless it is told otherwise.
    Token(u64),
    /// A token that looks like one, and that no server believes.
    Forged,
    /// This status, these header lines, this body.
    Answer(u16, &'static str, String),
    /// Nothing for so long, and then a token.
    Late(Duration),
    /// Nothing at all: the connection is closed.
    HangUp,
}

impl Say {
    /// A refusal as Microsoft words one.
    pub fn microsoft(status: u16, error: &str, code: u64, words: &str) -> Self {
        let description = format!(
            "AADSTS{code}: {words} Trace ID: 00000000-0000-0000-0000-000000000001 Correlation ID: 00000000-0000-0000-0000-000000000002 Timestamp: 2026-11-23 08:00:00Z"
        );
        let body = json!({ "error": error, "error_description": description, "error_codes": [code] });
        Self::Answer(status, "", body.to_string())
    }
}

/// One request: its form, and when it came.
pub type Asked = BTreeMap<String, String>;

#[derive(Default)]
struct State {
    script: VecDeque<Say>,
    usual: Option<Say>,
    asked: Vec<Asked>,
    /// The certificate (DER public key) by which a client is known.
    client_key: Option<Vec<u8>>,
}

/// The endpoint. It ends with the test.
pub struct TokenEndpoint {
    address: String,
    port: u16,
    state: Arc<Mutex<State>>,
    gone: Arc<AtomicBool>,
}

impl TokenEndpoint {
    /// Starts it; tokens are good for an hour unless it is told otherwise.
    pub fn start() -> Self {
        Self::start_on("http://127.0.0.1", None)
    }

    /// The same over TLS, with this certificate; its CA is `ca.pem` in this folder, and in no trust store.
    pub fn start_tls(folder: &Path, certificate: Certificate) -> Self {
        std::fs::create_dir_all(folder.join("tls")).unwrap();
        write_certificates(folder, certificate);
        let file = |name: &str| folder.join("tls").join(name);
        let chain = CertificateDer::pem_file_iter(file("cert.pem")).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::start_on("https://localhost", Some(Arc::new(config)))
    }

    fn start_on(address: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, gone) = (Arc::new(Mutex::new(State::default())), Arc::new(AtomicBool::new(false)));
        let (shared, ended) = (state.clone(), gone.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (state, Ok(stream)) = (shared.clone(), stream) else { continue };
                let tls = tls.clone();
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
                    match tls {
                        None => serve(stream, &state, port),
                        Some(config) => {
                            let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
                            serve(StreamOwned::new(connection, stream), &state, port)
                        }
                    }
                });
            }
        });
        Self { address: format!("{address}:{port}"), port, state, gone }
    }

    /// Its address, as `token_endpoint`.
    pub fn url(&self) -> String {
        format!("{}/token", self.address)
    }

    /// What it says from now on, but for what [`Self::then`] puts before.
    pub fn always(&self, say: Say) {
        self.state.lock().unwrap().usual = Some(say);
    }

    /// What it says to the next request that has no answer yet.
    pub fn then(&self, say: Say) {
        self.state.lock().unwrap().script.push_back(say);
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Clients prove themselves by the key of this certificate's public half from now on.
    pub fn knows_certificate(&self, public_key: &[u8]) {
        self.state.lock().unwrap().client_key = Some(public_key.to_vec());
    }

    /// Puts the key by which tokens are verified where Dovecot looks for it.
    pub fn publish(folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("default"), &keys().1).unwrap();
    }
}

impl Drop for TokenEndpoint {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port))); // Wakes it.
    }
}

fn serve(mut stream: impl Read + Write, state: &Mutex<State>, port: u16) -> std::io::Result<()> {
    let mut reader = BufReader::new(&mut stream);
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let form = form(&String::from_utf8(body).unwrap());
    let say = {
        let mut state = state.lock().unwrap();
        state.asked.push(form.clone());
        let say = state.script.pop_front().or_else(|| state.usual.clone()).unwrap_or(Say::Token(3600));
        let refusal = refused(&form, state.client_key.as_deref(), port);
        match (&say, refusal) {
            (Say::Token(_) | Say::Late(_), Some(error)) => Say::Answer(
                401,
                "",
                json!({ "error": "invalid_client", "error_description": error }).to_string(),
            ),
            _ => say,
        }
    };
    let client = form.get("client_id").cloned().unwrap_or_default();
    let token = |seconds: u64, key: &RsaKeyPair| {
        json!({ "token_type": "Bearer", "expires_in": seconds, "access_token": jwt(&client, seconds + 1, key) })
            .to_string()
    };
    let (status, headers, body) = match say {
        Say::Token(seconds) => (200, "", token(seconds, &keys().0)),
        Say::Forged => (200, "", token(3600, &other_key())),
        Say::Answer(status, headers, body) => (status, headers, body),
        Say::Late(wait) => {
            std::thread::sleep(wait);
            (200, "", token(3600, &keys().0))
        }
        Say::HangUp => return Ok(()),
    };
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\nDate: {date}\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}

/// Why the client is not believed; `None`: it is.
fn refused(form: &Asked, client_key: Option<&[u8]>, port: u16) -> Option<String> {
    let field = |name: &str| form.get(name).map(String::as_str);
    if field("grant_type") == Some("refresh_token") {
        return (field("refresh_token") != Some("kept for long")).then(|| "refresh token".to_owned());
    }
    match client_key {
        None => (field("client_secret") != Some(SECRET)).then(|| "client secret".to_owned()),
        Some(key) => verify(form, key, port).err(),
    }
}

/// RFC 7523 section 3, as a provider would.
fn verify(form: &Asked, key: &[u8], port: u16) -> Result<(), String> {
    if form.get("client_assertion_type").map(String::as_str)
        != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    {
        return Err("no assertion".to_owned());
    }
    let jwt = &form["client_assertion"];
    let (signed, signature) = jwt.rsplit_once('.').ok_or("no JWT")?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(signed.as_bytes(), &decode(signature))
        .map_err(|_| "the signature is wrong".to_owned())?;
    let (head, claims) = signed.split_once('.').ok_or("no JWT")?;
    let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).map_err(|error| error.to_string());
    let (head, claims) = (json(head)?, json(claims)?);
    let now = i64::try_from(seconds()).unwrap();
    let good = head["alg"] == "RS256"
        && head["x5t#S256"].as_str().is_some_and(|print| decode(print).len() == 32)
        && claims["aud"] == format!("http://127.0.0.1:{port}/token")
        && claims["iss"] == form["client_id"].as_str()
        && claims["sub"] == form["client_id"].as_str()
        && claims["exp"].as_i64().is_some_and(|exp| exp > now && exp < now + 600)
        && claims["nbf"].as_i64().is_some_and(|nbf| nbf <= now);
    if good { Ok(()) } else { Err(format!("{head} {claims}")) }
}

fn form(body: &str) -> Asked {
    let plain = |text: &str| {
        let (mut out, mut bytes) = (Vec::new(), text.bytes());
        while let Some(byte) = bytes.next() {
            out.push(match byte {
                b'%' => {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                b'+' => b' ',
                other => other,
            });
        }
        String::from_utf8(out).unwrap()
    };
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

fn jwt(user: &str, good_for: u64, key: &RsaKeyPair) -> String {
    let now = seconds();
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let claims = json!({ "sub": user, "iat": now, "nbf": now - 1, "exp": now + good_for, "iss": "https://login.example" });
    let body = format!("{}.{}", encode(head.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body.as_bytes(), &mut signature).unwrap();
    format!("{body}.{}", encode(&signature))
}

/// The key that signs, and the one that verifies, PEM. Made once a process.
fn keys() -> &'static (RsaKeyPair, String) {
    static KEYS: OnceLock<(RsaKeyPair, String)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let private = openssl(
            &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"],
            &[],
        );
        let public = openssl(&["pkey", "-inform", "DER", "-pubout"], &private);
        (pair(&private), String::from_utf8(public).unwrap())
    })
}

fn other_key() -> RsaKeyPair {
    let private = openssl(
        &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"],
        &[],
    );
    pair(&private)
}

/// OpenSSL writes one form or the other, by its version.
fn pair(der: &[u8]) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).unwrap()
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::process::Stdio;
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("openssl, of Debian's package openssl");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0u32, |group, at| (group << 8) | u32::from(*chunk.get(at).unwrap_or(&0)));
        for place in 0..=chunk.len() {
            out.push(char::from(LETTERS[(group >> (18 - 6 * place)) as usize & 63]));
        }
    }
    out
}

fn decode(text: &str) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in text.bytes() {
        let value = LETTERS.iter().position(|letter| *letter == byte).expect("a letter of base64url");
        bits = (bits << 6) | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    out
}
