//! Stands between the network and the IMAP codec: counts what arrives, and stops literals and lines that are too long to be
//! true. The codec believes a literal's size before any data has come.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a connection is made of: TCP, TLS over TCP, or whatever a [`super::account::Dialler`] gives.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection's two directions.
pub type Pipe = Box<dyn Stream>;

/// The longest line: a SEARCH answer with a million UIDs fits.
const LONGEST_LINE_BYTES: usize = 8 << 20;

/// The stream that the codec reads and writes.
pub(super) struct Guard {
    inner: Pipe,
    received_bytes: u64,
    largest_literal_bytes: u64,
    place: Place,
}

/// Where in the server's stream we are.
enum Place {
    /// In a line: its length so far, and its last bytes, where a literal announces itself.
    Line { length: usize, literal: Announcement },
    /// In a literal, with so many bytes to come.
    Literal { left: u64 },
}

/// How much of `{number}` or `{number+}` has been read at the end of a line.
#[derive(Clone, Copy)]
enum Announcement {
    None,
    Open(u64),
    Closed(u64),
    Return(u64),
}

impl Guard {
    pub fn new(inner: Pipe) -> Self {
        Self {
            inner,
            received_bytes: 0,
            largest_literal_bytes: 64 << 10,
            place: Place::Line { length: 0, literal: Announcement::None },
        }
    }

    /// How many bytes have come so far: a slow server is not a silent one.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// The largest literal that may come from now on.
    pub fn allow_literals_up_to(&mut self, bytes: u64) {
        self.largest_literal_bytes = bytes;
    }

    /// The stream beneath, for STARTTLS. Nothing is buffered here.
    pub fn into_inner(self) -> Pipe {
        self.inner
    }

    fn watch(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while let Some((&byte, beyond)) = rest.split_first() {
            match &mut self.place {
                Place::Literal { left } => {
                    let take = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= take as u64;
                    let done = *left == 0;
                    rest = rest.get(take..).unwrap_or_default();
                    if done {
                        self.place = Place::Line { length: 0, literal: Announcement::None };
                    }
                    continue;
                }
                Place::Line { length, literal } => {
                    *length += 1;
                    if *length > LONGEST_LINE_BYTES {
                        return Err(nonsense("the server sent a line of more than 8 MiB"));
                    }
                    let (next, size) = literal.after(byte);
                    *literal = next;
                    if byte == b'\n' {
                        *length = 0;
                    }
                    if let Some(size) = size {
                        if size > self.largest_literal_bytes {
                            return Err(nonsense("the server announced more data than was asked for"));
                        }
                        if size > 0 {
                            self.place = Place::Literal { left: size };
                        }
                    }
                }
            }
            rest = beyond;
        }
        Ok(())
    }
}

impl Announcement {
    /// What is known after one more byte; the size when a literal begins with the next.
    fn after(self, byte: u8) -> (Self, Option<u64>) {
        match (self, byte) {
            (_, b'{') => (Self::Open(0), None),
            (Self::Open(n), b'0'..=b'9') => {
                (Self::Open(n.saturating_mul(10).saturating_add(u64::from(byte - b'0'))), None)
            }
            (Self::Open(n), b'+') => (Self::Open(n), None),
            (Self::Open(n), b'}') => (Self::Closed(n), None),
            (Self::Closed(n), b'\r') => (Self::Return(n), None),
            (Self::Return(n), b'\n') => (Self::None, Some(n)),
            _ => (Self::None, None),
        }
    }
}

fn nonsense(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl AsyncRead for Guard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let fresh = buf.filled().get(before..).unwrap_or_default();
                this.received_bytes += fresh.len() as u64;
                Poll::Ready(this.watch(fresh))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Guard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({} bytes received)", self.received_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(limit: u64) -> Guard {
        let (near, _far) = tokio::io::duplex(64);
        let mut guard = Guard::new(Box::new(near));
        guard.allow_literals_up_to(limit);
        guard
    }

    #[test]
    fn a_literal_larger_than_asked_for_is_stopped_before_its_data() {
        let mut stopped = guard(1000);
        assert!(stopped.watch(b"* 1 FETCH (UID 1 BODY[] {500000000}\r").is_ok());
        assert!(stopped.watch(b"\nabc").is_err());
    }

    #[test]
    fn what_looks_like_a_literal_inside_a_literal_is_only_text() {
        let mut open = guard(1000);
        assert!(open.watch(b"* 1 FETCH (BODY[] {13}\r\n{999999}\r\nabc)\r\n* OK {77} x\r\n").is_ok());
        assert!(open.watch(b"* 2 FETCH (BODY[] {1001}\r\n").is_err());
    }

    #[test]
    fn an_endless_line_is_stopped() {
        let mut open = guard(1000);
        let mut failed = false;
        for _ in 0..200 {
            failed |= open.watch(&[b'x'; 1 << 16]).is_err();
        }
        assert!(failed);
    }
}
