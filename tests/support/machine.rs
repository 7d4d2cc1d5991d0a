//! What the private servers need of this machine: packages, root, ports, certificates, and somebody to end them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Panics with the remedy when the servers cannot be started here. Nothing is ever skipped.
pub fn require_root_and_packages() {
    let missing: Vec<_> = [
        ("/usr/lib/dovecot/imap", "dovecot-imapd"),
        ("/usr/lib/dovecot/lmtp", "dovecot-lmtpd"),
        ("/usr/sbin/postfix", "postfix"),
        ("/usr/bin/openssl", "openssl"),
    ]
    .iter()
    .filter(|(file, _)| !Path::new(file).exists())
    .map(|(_, package)| *package)
    .collect();
    assert!(
        missing.is_empty(),
        "These tests use real mail servers. Please run `tests/run`, or: apt-get install {}",
        missing.join(" ")
    );
    assert!(
        fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0),
        "Dovecot and Postfix start as root only. Please run `tests/run` (it uses sudo), or work in a container."
    );
}

/// One port for each service.
#[derive(Clone, Copy)]
pub struct Ports {
    pub imap: u16,
    pub imaps: u16,
    pub lmtp: u16,
    pub sasl: u16,
    pub smtp: u16,
    pub submission: u16,
    pub smtps: u16,
}

impl Ports {
    /// Ports on which nobody listens, below those that the kernel hands out to clients.
    pub fn free() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = || loop {
            let offset =
                std::process::id().wrapping_mul(709).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = 11_000 + u16::try_from(offset % 20_000).unwrap();
            if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return port;
            }
        };
        Self {
            imap: next(),
            imaps: next(),
            lmtp: next(),
            sasl: next(),
            smtp: next(),
            submission: next(),
            smtps: next(),
        }
    }
}

/// Whom the servers' certificate names.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificate {
    /// `localhost` and 127.0.0.1.
    #[default]
    Good,
    /// Some other host: a careful client refuses it.
    OtherHost,
}

/// A CA, and a certificate signed by it: rustls takes no CA for a server (CaUsedAsEndEntity). Made once a process.
pub fn write_certificates(dir: &Path, certificate: Certificate) {
    static MADE: OnceLock<[String; 5]> = OnceLock::new();
    let [ca, good, good_key, other, other_key] = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let script = r#"set -e; cd "$1"
            key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
            openssl req -x509 $key -days 90 -subj "/CN=Test CA" -keyout ca.key -out ca.pem
            for host in localhost other.example; do
                openssl req $key -subj "/CN=$host" -keyout "$host.key" -out "$host.csr"
                [ $host = localhost ] && ip=,IP:127.0.0.1 || ip=
                printf 'subjectAltName=DNS:%s\nbasicConstraints=CA:FALSE\n' "$host$ip" > "$host.ext"
                openssl x509 -req -in "$host.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 \
                    -extfile "$host.ext" -out "$host.pem"
            done"#;
        run("sh", &["-c", script, "certificates", dir.path().to_str().unwrap()]);
        ["ca.pem", "localhost.pem", "localhost.key", "other.example.pem", "other.example.key"]
            .map(|name| fs::read_to_string(dir.path().join(name)).unwrap())
    });
    let (cert, key) = if certificate == Certificate::Good { (good, good_key) } else { (other, other_key) };
    for (name, pem) in [("ca.pem", ca), ("cert.pem", cert), ("key.pem", key)] {
        fs::write(dir.join("tls").join(name), pem).unwrap();
    }
}

/// A shell that waits until our end of its input is closed, by us or by our death, and then ends both servers.
pub fn guard(dir: &str) -> Child {
    let script = r#"read -r _
        pids=$(cat "$1/run/master.pid" "$1/queue/pid/master.pid" 2>/dev/null)
        for pid in $pids; do kill -TERM "$pid" 2>/dev/null; done
        for pid in $pids; do
            for _ in 1 2 3 4 5 6 7 8 9 10; do [ -d "/proc/$pid" ] && sleep 0.2; done
            kill -KILL "$pid" 2>/dev/null
        done
        rm -rf "$1""#;
    // A process group of its own: Ctrl-C must not end the guard before the servers.
    let mut command = Command::new("sh");
    command.args(["-c", script, "guard", dir]).process_group(0).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs a program to its end and returns what it wrote; panics with its complaint when it fails.
#[track_caller]
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
