//! SMTP on both ends: a server of our own that takes letters and notes when, and a client that only sends.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::support::wire::{connect, smtp_reply, smtp_say};

/// A letter that was taken.
#[derive(Clone)]
pub struct Letter {
    pub to: String,
    pub raw: Vec<u8>,
    pub taken_at: Instant,
}

/// Takes whatever comes, in memory. It lives as long as the process.
#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    taken: Arc<(Mutex<Vec<Letter>>, Condvar)>,
}

impl Sink {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let sink = Self { port: listener.local_addr().unwrap().port(), taken: Arc::default() };
        let ours = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sink = ours.clone();
                // A client that goes away in the middle is nobody's trouble.
                std::thread::spawn(move || sink.serve(stream).unwrap_or_default());
            }
        });
        sink
    }

    /// What has been taken so far.
    pub fn taken(&self) -> Vec<Letter> {
        self.taken.0.lock().unwrap().clone()
    }

    /// Waits for so many letters in all; `None` when they do not come.
    pub fn wait_for(&self, letters: usize, limit: Duration) -> Option<Vec<Letter>> {
        let (taken, told) = &*self.taken;
        let (taken, _) =
            told.wait_timeout_while(taken.lock().unwrap(), limit, |taken| taken.len() < letters).unwrap();
        (taken.len() >= letters).then(|| taken.clone())
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream);
        let mut to = String::new();
        out.write_all(b"220 sink.example ESMTP\r\n")?;
        loop {
            let mut line = Vec::new();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_ascii_uppercase();
            let answer: &[u8] = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => b"250-sink.example\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n",
                "RCPT" => {
                    to = line;
                    b"250 2.1.5 Ok\r\n"
                }
                "DATA" => {
                    out.write_all(b"354 Go on\r\n")?;
                    let raw = letter(&mut lines)?;
                    out.write_all(b"250 2.0.0 Taken\r\n")?;
                    let (taken, told) = &*self.taken;
                    taken.lock().unwrap().push(Letter { to: to.clone(), raw, taken_at: Instant::now() });
                    told.notify_all();
                    continue;
                }
                "QUIT" => {
                    out.write_all(b"221 2.0.0 Bye\r\n")?;
                    return Ok(());
                }
                _ => b"250 2.0.0 Ok\r\n",
            };
            out.write_all(answer)?;
        }
    }
}

fn letter(lines: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let from = raw.len();
        if lines.read_until(b'\n', &mut raw)? == 0 || &raw[from..] == b".\r\n" {
            raw.truncate(from);
            return Ok(raw);
        }
    }
}

/// Sends these letters over one connection, one after the other, and nothing else; returns how long that took.
pub fn only_send(port: u16, letters: &[Letter]) -> Duration {
    let begun = Instant::now();
    let mut stream = BufReader::new(connect(port).unwrap());
    smtp_reply(&mut stream).unwrap();
    smtp_say(&mut stream, "EHLO bare.example").unwrap();
    for letter in letters {
        smtp_say(&mut stream, "MAIL FROM:<> BODY=8BITMIME").unwrap();
        smtp_say(&mut stream, &letter.to).unwrap();
        smtp_say(&mut stream, "DATA").unwrap();
        let mut raw = letter.raw.clone();
        raw.extend_from_slice(b".\r\n");
        stream.get_mut().write_all(&raw).unwrap();
        smtp_reply(&mut stream).unwrap();
    }
    let sent = begun.elapsed();
    smtp_say(&mut stream, "QUIT").unwrap();
    sent
}
