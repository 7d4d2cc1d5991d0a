//! An SMTP server on loopback that behaves, but for the steps at which a test tells it not to.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// What to do at a step instead of the ordinary answer.
#[derive(Debug, Clone)]
pub enum Act {
    /// This, with its line end.
    Say(&'static str),
    /// Nothing, and wait.
    Silence,
    /// Close the connection.
    HangUp,
}

/// A step: `greeting`, a command's name (`EHLO`, `MAIL`, ...), `login` (a line of an AUTH dialogue), `end` (after the dot).
pub type Odd = (&'static str, Act);

/// The server; it stops with the test's runtime.
pub struct FakeSmtp {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl FakeSmtp {
    /// Each connection has its own oddities; those of the last are for all later ones as well.
    pub async fn start(connections: Vec<Vec<Odd>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let odd = connections.get(number).or(connections.last()).cloned().unwrap_or_default();
                log.lock().unwrap().push("(connected)".to_owned());
                tokio::spawn(converse(stream, odd, Arc::clone(&log)));
            }
        });
        Self { port, heard }
    }

    /// What clients said, line by line; a letter is one entry.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.heard().iter().filter(|line| *line == "(connected)").count()
    }

    /// The letters that came with their end.
    pub fn letters(&self) -> Vec<String> {
        self.heard().into_iter().filter(|line| line.ends_with("\r\n.\r\n")).collect()
    }
}

async fn converse(stream: tokio::net::TcpStream, odd: Vec<Odd>, log: Arc<Mutex<Vec<String>>>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut step = "greeting".to_owned();
    loop {
        let ordinary = match step.as_str() {
            "greeting" => "220 fake.example ESMTP",
            "EHLO" => {
                "250-fake.example\r\n250-SIZE 1000000\r\n250-DSN\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 8BITMIME"
            }
            "AUTH" | "login" => "235 2.7.0 Welcome",
            "DATA" => "354 Go on",
            "QUIT" => "221 Bye",
            _ => "250 2.0.0 Fine",
        };
        let act = odd.iter().find(|(at, _)| *at == step).map_or(Act::Say(ordinary), |(_, act)| act.clone());
        let said = match act {
            Act::Say(words) => words,
            Act::Silence => std::future::pending().await,
            Act::HangUp => return,
        };
        if write.write_all(format!("{said}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let asks_for_a_line = said.starts_with("334");
        let mut heard = String::new();
        if step == "DATA" && said.starts_with("354") {
            while !heard.ends_with("\r\n.\r\n") {
                if !matches!(read.read_line(&mut heard).await, Ok(1..)) {
                    log.lock().unwrap().push(format!("(cut off) {heard}"));
                    return;
                }
            }
            step = "end".to_owned();
        } else {
            let mut bytes = Vec::new();
            if !matches!(read.read_until(b'\n', &mut bytes).await, Ok(1..)) {
                return;
            }
            heard = String::from_utf8_lossy(&bytes).into_owned();
            let command = heard.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            step = if asks_for_a_line { "login".to_owned() } else { command };
        }
        log.lock().unwrap().push(heard);
    }
}
