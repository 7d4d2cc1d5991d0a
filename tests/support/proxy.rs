//! A TCP proxy that breaks the network when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the proxy does to connections. A change holds for those that are open, too, from the next byte on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing: all bytes pass.
    #[default]
    None,
    /// New connections are closed before a byte is said; open ones are cut.
    Refuse,
    /// Connections stay open, and not a byte passes either way.
    Stall,
    /// Cut when the server has said so many bytes on one connection.
    CutAfterServerBytes(usize),
    /// Cut when the client has said so many bytes on one connection.
    CutAfterClientBytes(usize),
    /// When the client has said this (without TLS), it is passed on, and what the server answers never arrives. With
    /// `\r\n.\r\n`, that is a message taken by the next server, which the client cannot know (RFC 1047).
    CutAfterClientSays(Vec<u8>),
}

/// A proxy on a free port. Dropping it cuts everything.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    fault: Mutex<Fault>,
    open: Mutex<Vec<TcpStream>>,
    accepted: AtomicUsize,
    cut: AtomicUsize,
    ended: AtomicBool,
}

impl Proxy {
    /// Listens, and passes everything on to this port of loopback.
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if ours.ended.load(Ordering::SeqCst) {
                    return;
                }
                ours.accepted.fetch_add(1, Ordering::SeqCst);
                if ours.fault() != Fault::Refuse {
                    ours.join(client, target);
                }
            }
        });
        Self { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Breaks the network so from now on.
    pub fn set(&self, fault: Fault) {
        if fault == Fault::Refuse {
            self.cut_all();
        }
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// Cuts every open connection; new ones are as before.
    pub fn cut_all(&self) {
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many connections have come so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many a fault has cut.
    pub fn cut(&self) -> usize {
        self.shared.cut.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.cut_all();
        let _ = TcpStream::connect(("127.0.0.1", self.port)); // Wakes the listener.
    }
}

impl Shared {
    fn fault(&self) -> Fault {
        self.fault.lock().unwrap().clone()
    }

    fn join(self: &Arc<Self>, client: TcpStream, target: u16) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { return };
        let mut open = self.open.lock().unwrap();
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
            open.push(stream.try_clone().unwrap());
        }
        let (from_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (upward, downward) = (Arc::clone(self), Arc::clone(self));
        std::thread::spawn(move || upward.pass(from_client, server, true));
        std::thread::spawn(move || downward.pass(from_server, client, false));
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, client_speaks: bool) {
        let mut said = 0;
        let mut tail: Vec<u8> = Vec::new();
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            while self.fault() == Fault::Stall && !self.ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let (mut pass, mut cut) = (count, false);
            match (self.fault(), client_speaks) {
                (Fault::CutAfterServerBytes(limit), false) | (Fault::CutAfterClientBytes(limit), true) => {
                    cut = said + count >= limit;
                    pass = if cut { limit.saturating_sub(said) } else { count };
                }
                (Fault::CutAfterClientSays(words), true) => {
                    tail.extend_from_slice(&buffer[..count]);
                    cut = tail.windows(words.len()).any(|seen| seen == words);
                    tail.drain(..tail.len().saturating_sub(words.len()));
                }
                _ => {}
            }
            said += count;
            if cut && matches!(self.fault(), Fault::CutAfterClientSays(_)) {
                // First the client's side, so that no answer gets through, then the words.
                let _ = from.shutdown(Shutdown::Both);
            }
            if to.write_all(&buffer[..pass.min(count)]).is_err() {
                break;
            }
            if cut {
                self.cut.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Write);
    }
}
