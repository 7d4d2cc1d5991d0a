//! A TCP stream on which each side speaks in turn. Before TLS, a server (or someone between) could add answers to its
//! answer to STARTTLS; read after the handshake, they would pass for the real server's (RFC 3207 section 5, and the
//! "response injection" of 2021). Here, speaking while unread bytes are waiting is an error.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What is read ahead at most. One line of SMTP is no longer than 1000 octets.
const AHEAD: usize = 1024;

/// The first byte of a TLS handshake; no SMTP command begins with it (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 0x16;

/// The stream. It hands out one line at a time until our TLS handshake begins, then all as it comes.
#[derive(Debug)]
pub(super) struct InTurns {
    stream: TcpStream,
    ahead: Vec<u8>,
    encrypted: bool,
}

impl InTurns {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, ahead: Vec::new(), encrypted: false }
    }

    fn out_of_turn() -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, "the server spoke before it was asked")
    }
}

impl AsyncRead for InTurns {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.encrypted {
            return Pin::new(&mut this.stream).poll_read(cx, out);
        }
        if this.ahead.is_empty() {
            let mut bytes = [0u8; AHEAD];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) => this.ahead.extend_from_slice(buffer.filled()),
                other => return other,
            }
        }
        let line = this.ahead.iter().position(|b| *b == b'\n').map_or(this.ahead.len(), |at| at + 1);
        let given: Vec<u8> = this.ahead.drain(..line.min(out.remaining())).collect();
        out.put_slice(&given);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for InTurns {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.ahead.is_empty() {
            return Poll::Ready(Err(Self::out_of_turn()));
        }
        this.encrypted |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for InTurns {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
