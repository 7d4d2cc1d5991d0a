//! The few lines of HTTP/1.1 (RFC 9112) that a scrape needs: GET and HEAD, two pages, one answer for each connection.
//!
//! Whoever connects is on this machine, and may still be clumsy or hostile: the request has a length and a time, so has the
//! answer, and there are only so many connections at once. Nothing of a request but its first line and `Accept` is read.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

use crate::clock::Clock;
use crate::config::Listen;

use super::super::World;
use super::super::health::Verdict;
use super::gather::Gatherer;

/// A request's first lines are no longer.
const HEAD_AT_MOST: usize = 8 * 1024;
/// They have come by then, ...
const HEAD_WITHIN: Duration = Duration::from_secs(2);
/// ... and the answer has been taken by then.
const DONE_WITHIN: Duration = Duration::from_secs(8);
/// More wait for their turn.
const CONNECTIONS: usize = 32;
/// A port that is taken may be free later; mail does not wait for it.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// Answers until it is time to stop.
pub async fn serve<C: Clock>(world: &World<'_, C>) {
    let Some(listen) = world.config.metrics.place() else { return };
    let gatherer = Gatherer::new(world);
    while !world.stopping() {
        match Listener::bind(&listen).await {
            Ok(listener) => {
                tracing::info!("Metrics: http://{listen}/metrics and /healthz.");
                return listener.answer_all(world, &gatherer).await;
            }
            Err(error) => {
                tracing::error!(
                    "Metrics cannot be served on {listen}: {error}. Trying again; mail is looked after all the same."
                );
                world.pause(TRY_AGAIN).await;
            }
        }
    }
}

enum Listener {
    Tcp(TcpListener),
    /// The second goes when the listener does.
    Unix {
        listener: UnixListener,
        _file: Socket,
    },
}

/// The file of a Unix socket: it goes with the listener.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

type Answering<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl Listener {
    async fn bind(listen: &Listen) -> std::io::Result<Self> {
        match listen {
            Listen::Address(address) => Ok(Self::Tcp(TcpListener::bind(address).await?)),
            Listen::Socket(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                Ok(Self::Unix { listener, _file: Socket(path.clone()) })
            }
        }
    }

    async fn accept<'a, C: Clock>(&self, gatherer: &'a Gatherer<'a, C>) -> std::io::Result<Answering<'a>> {
        Ok(match self {
            Self::Tcp(listener) => Box::pin(answer(listener.accept().await?.0, gatherer)),
            Self::Unix { listener, .. } => Box::pin(answer(listener.accept().await?.0, gatherer)),
        })
    }

    async fn answer_all<'a, C: Clock>(&self, world: &World<'_, C>, gatherer: &'a Gatherer<'a, C>) {
        let mut open: FuturesUnordered<Answering<'a>> = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                () = world.stopped() => return,
                Some(()) = open.next(), if !open.is_empty() => {}
                accepted = self.accept(gatherer), if open.len() < CONNECTIONS => match accepted {
                    Ok(answering) => open.push(answering),
                    // Too many open files, say: it passes.
                    Err(error) => {
                        tracing::warn!("Metrics: a connection could not be taken: {error}");
                        world.pause(Duration::from_secs(1)).await;
                    }
                }
            }
        }
    }
}

/// What a killed process left behind is removed; a socket that somebody answers is not.
async fn remove_stale(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = match path.symlink_metadata() {
        Ok(metadata) => metadata.file_type().is_socket(),
        Err(_) => return Ok(()),
    };
    let in_use = || std::io::Error::from(std::io::ErrorKind::AddrInUse);
    if !is_socket || tokio::net::UnixStream::connect(path).await.is_ok() {
        return Err(in_use());
    }
    std::fs::remove_file(path)
}

/// Reads one request and answers it. Whatever goes wrong on the way is the other side's.
async fn answer<S: AsyncRead + AsyncWrite + Unpin, C: Clock>(mut stream: S, gatherer: &Gatherer<'_, C>) {
    let exchange = async {
        let response = match tokio::time::timeout(HEAD_WITHIN, head(&mut stream)).await {
            Ok(Ok(head)) => respond(&head, gatherer),
            Ok(Err(TooLong)) => Response::plain(431, "The request is too long.\n"),
            Err(_) => Response::plain(408, "The request did not come in time.\n"),
        };
        let _ = stream.write_all(&response.bytes()).await;
        let _ = stream.shutdown().await;
    };
    let _ = tokio::time::timeout(DONE_WITHIN, exchange).await;
}

struct TooLong;

/// The request up to its empty line, or to its end.
async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, TooLong> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    loop {
        let read = stream.read(&mut part).await.unwrap_or_default();
        head.extend_from_slice(part.get(..read).unwrap_or_default());
        let ended =
            head.windows(4).any(|four| four == b"\r\n\r\n") || head.windows(2).any(|two| two == b"\n\n");
        if read == 0 || ended {
            return Ok(head);
        }
        if head.len() > HEAD_AT_MOST {
            return Err(TooLong);
        }
    }
}

/// An answer.
struct Response {
    status: u16,
    kind: &'static str,
    body: String,
    /// Only what stands above the body is sent.
    head_only: bool,
}

impl Response {
    fn plain(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.into(), head_only: false }
    }

    fn bytes(&self) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            431 => "Request Header Fields Too Large",
            _ => "Service Unavailable",
        };
        let allow = if self.status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            self.status,
            self.kind,
            self.body.len()
        );
        let body = if self.head_only { "" } else { &self.body };
        [head.as_bytes(), body.as_bytes()].concat()
    }
}

fn respond<C: Clock>(head: &[u8], gatherer: &Gatherer<'_, C>) -> Response {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let &[method, target, version] = first.as_slice() else {
        return Response::plain(400, "This is no HTTP request.\n");
    };
    if !version.starts_with("HTTP/1.") {
        return Response::plain(400, "HTTP/1.1 is spoken here.\n");
    }
    if !["GET", "HEAD"].contains(&method) {
        return Response::plain(405, "Only GET and HEAD are answered here; nothing can be changed.\n");
    }
    let accept = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("accept").then(|| value.to_ascii_lowercase())
    });
    let wants_json = accept.is_some_and(|accept| accept.contains("application/json"));
    let response = match target.split('?').next().unwrap_or_default() {
        "/metrics" => Response {
            kind: "text/plain; version=0.0.4; charset=utf-8",
            ..Response::plain(200, gatherer.page())
        },
        "/healthz" => health(&gatherer.verdict(), wants_json),
        "/" => Response::plain(200, "send-triage: /metrics for Prometheus, /healthz for how it is.\n"),
        _ => Response::plain(404, "There are /metrics and /healthz here.\n"),
    };
    Response { head_only: method == "HEAD", ..response }
}

/// 200 or 503, and why.
fn health(verdict: &Verdict, wants_json: bool) -> Response {
    let status = if verdict.ok { 200 } else { 503 };
    if wants_json {
        let body = json!({"ok": verdict.ok, "stalls": verdict.stalls, "waiting": verdict.waiting});
        return Response { kind: "application/json", ..Response::plain(status, format!("{body}\n")) };
    }
    let lines = if verdict.ok { vec!["Mail is looked after.".to_owned()] } else { verdict.stalls.clone() };
    Response::plain(status, lines.join("\n") + "\n")
}
