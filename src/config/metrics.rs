//! Where the daemon's metrics may be read, as configured: on this very machine only. Only values; `daemon/metrics` serves them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Config;
use super::check::Problems;

/// Metrics for Prometheus, and `/healthz`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsRules {
    /// `127.0.0.1:9184`, or the path of a Unix socket such as `/run/send-triage/metrics.sock`; without it, none are served. A change
    /// needs a restart.
    pub listen: Option<String>,
}

/// Where metrics are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A port of this very machine.
    Address(SocketAddr),
    /// A Unix socket.
    Socket(PathBuf),
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl MetricsRules {
    /// Where they are read; `None`: nowhere.
    pub fn place(&self) -> Option<Listen> {
        let text = self.listen.as_deref()?.trim();
        let text = text.strip_prefix("unix:").unwrap_or(text);
        if text.starts_with('/') {
            return Some(Listen::Socket(PathBuf::from(text)));
        }
        let local = |port: &str| Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.parse().ok()?));
        let address = text.parse().ok().or_else(|| local(text.strip_prefix("localhost:")?));
        address.map(Listen::Address)
    }
}

/// What is wrong with it though every key and type is right.
pub(super) fn check(config: &Config, out: &mut Problems) {
    let Some(text) = &config.metrics.listen else { return };
    let usual =
        "Write `127.0.0.1:9184`, or the path of a Unix socket such as `/run/send-triage/metrics.sock`.";
    match config.metrics.place() {
        None => out.add("metrics/listen", format!("`{text}` is no address with a port, and no path"), usual),
        Some(Listen::Address(address)) if !address.ip().is_loopback() => out.add(
            "metrics/listen",
            format!("`{text}` could be reached from other machines, and there is no password on metrics"),
            format!(
                "{usual} For a Prometheus on another machine, put a proxy in front that asks who is there."
            ),
        ),
        Some(Listen::Address(address)) if address.port() == 0 => {
            out.add("metrics/listen", format!("`{text}` names no port: nobody would find it"), usual);
        }
        // sockaddr_un has 108 bytes with the one that ends the path (unix(7)).
        Some(Listen::Socket(path)) if path.as_os_str().len() > 107 => {
            out.add(
                "metrics/listen",
                "the path of this socket is longer than 107 bytes",
                "Choose a shorter one.",
            );
        }
        Some(Listen::Socket(path)) if path == Path::new("/") || text.ends_with('/') => {
            out.add("metrics/listen", format!("`{text}` is a folder"), usual);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Listen>, String> {
        let text = format!("{}\nmetrics: {line}\n", super::super::EXAMPLE);
        Config::parse(&text, "c.yaml", Path::new("/srv"))
            .map(|config| config.metrics.place())
            .map_err(|e| e.0)
    }

    #[test]
    fn only_this_very_machine_can_be_told() {
        let at = |text: &str| Ok(Some(Listen::Address(text.parse().unwrap())));
        assert_eq!(read("{}"), Ok(None));
        assert_eq!(read("{listen: 127.0.0.1:9184}"), at("127.0.0.1:9184"));
        assert_eq!(read("{listen: localhost:9184}"), at("127.0.0.1:9184"));
        assert_eq!(read("{listen: \"[::1]:9184\"}"), at("[::1]:9184"));
        let socket = Ok(Some(Listen::Socket("/run/st/m.sock".into())));
        assert_eq!(read("{listen: /run/st/m.sock}"), socket);
        assert_eq!(read("{listen: \"unix:/run/st/m.sock\"}"), socket);
        for (line, said) in [
            ("{listen: \"0.0.0.0:9184\"}", "could be reached from other machines"),
            ("{listen: \"[::]:9184\"}", "could be reached from other machines"),
            ("{listen: \"10.1.2.3:9184\"}", "could be reached from other machines"),
            ("{listen: 9184}", "no address with a port"),
            ("{listen: \"127.0.0.1\"}", "no address with a port"),
            ("{listen: \"127.0.0.1:0\"}", "names no port"),
            ("{listen: metrics.sock}", "no address with a port"),
            ("{listen: /run/send-triage/}", "is a folder"),
            ("{lisen: 127.0.0.1:9184}", "Did you mean `listen`?"),
        ] {
            let told = read(line).unwrap_err();
            assert!(told.contains(said), "{line}\n{told}");
        }
    }
}
