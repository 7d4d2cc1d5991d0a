//! SMTP, LMTP and IMAP in a few lines each: to put messages in place and to look, by other code than what is tested.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use chrono::{DateTime, FixedOffset};

use super::PATIENCE;

/// A message as it lies on the server.
#[derive(Clone)]
pub struct StoredMail {
    pub uid: u32,
    pub flags: Vec<String>,
    pub internal_date: DateTime<FixedOffset>,
    pub raw: Vec<u8>,
}

impl StoredMail {
    /// The bytes as text, whatever they are, line ends as `\n`.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).replace("\r\n", "\n")
    }

    /// The first header field of this name, unfolded, not decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text.split("\n\n").next()?.replace("\n ", " ").replace("\n\t", " ");
        head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// One line or one answer of a server.
type Answer<T> = Result<T, String>;

/// A plain connection to loopback on which nothing waits for ever.
pub fn connect(port: u16) -> Answer<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|e| format!("port {port}: {e}"))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|e| e.to_string())?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    Ok(stream)
}

/// Hands one message to an SMTP server (`EHLO`) or an LMTP server (`LHLO`). `Err` is what the server said.
pub fn hand_over(port: u16, hello: &str, from: &str, to: &[&str], raw: &[u8]) -> Answer<()> {
    let mut stream = BufReader::new(connect(port)?);
    smtp_reply(&mut stream)?;
    smtp_say(&mut stream, &format!("{hello} client.example"))?;
    smtp_say(&mut stream, &format!("MAIL FROM:<{from}> BODY=8BITMIME"))?;
    for recipient in to {
        smtp_say(&mut stream, &format!("RCPT TO:<{recipient}>"))?;
    }
    smtp_say(&mut stream, "DATA")?;
    stream.get_mut().write_all(&dotted(raw)).map_err(|e| e.to_string())?;
    // LMTP answers once for each recipient (RFC 2033 section 4.2).
    for _ in 0..if hello == "LHLO" { to.len() } else { 1 } {
        smtp_reply(&mut stream)?;
    }
    smtp_say(&mut stream, "QUIT").map(drop)
}

/// CRLF line ends, leading dots doubled, and the end (RFC 5321 section 4.5.2).
fn dotted(raw: &[u8]) -> Vec<u8> {
    let body = raw.strip_suffix(b"\n").unwrap_or(raw);
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 40 + 8);
    for line in body.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// Says one line of SMTP and returns the answer.
pub fn smtp_say<S: Read + Write>(stream: &mut BufReader<S>, line: &str) -> Answer<String> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).map_err(|e| e.to_string())?;
    smtp_reply(stream)
}

/// Reads one answer of SMTP, all its lines; `Err` when it is not 2xx or 3xx.
pub fn smtp_reply<S: Read>(stream: &mut BufReader<S>) -> Answer<String> {
    let mut whole = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).map_err(|e| e.to_string())? == 0 {
            return Err(format!("connection closed after {whole:?}"));
        }
        whole.push_str(&line);
        if line.as_bytes().get(3) != Some(&b'-') {
            return if line.starts_with(['2', '3']) { Ok(whole) } else { Err(whole) };
        }
    }
}

/// An IMAP session (RFC 9051), plain or within TLS.
pub struct Imap<S: Read + Write> {
    stream: BufReader<S>,
    count: u32,
}

impl Imap<TcpStream> {
    /// Connects in plain text and logs in.
    pub fn login(port: u16, user: &str, password: &str) -> Answer<Self> {
        let mut imap = Self::greet(connect(port)?)?;
        imap.command(&format!("LOGIN {} {}", quoted(user), quoted(password)))?;
        Ok(imap)
    }
}

impl<S: Read + Write> Imap<S> {
    /// Takes a connected stream and reads the server's greeting.
    pub fn greet(stream: S) -> Answer<Self> {
        let mut imap = Self::silent(stream);
        let line = imap.line()?;
        if line.starts_with(b"* OK") { Ok(imap) } else { Err(String::from_utf8_lossy(&line).into_owned()) }
    }

    /// Takes a stream on which no greeting comes: the one after STARTTLS.
    pub fn silent(stream: S) -> Self {
        Self { stream: BufReader::new(stream), count: 0 }
    }

    /// The stream itself, for STARTTLS.
    pub fn into_inner(self) -> S {
        self.stream.into_inner()
    }

    /// Says one command and returns its untagged responses, literals included; `Err` is a NO, BAD or BYE.
    pub fn command(&mut self, command: &str) -> Answer<Vec<Vec<u8>>> {
        self.count += 1;
        let tag = format!("t{}", self.count);
        self.write(format!("{tag} {command}\r\n").as_bytes())?;
        self.finish(&tag)
    }

    /// Puts a message into a folder just as it is, with a time of receipt of one's own (`17-Sep-2026 09:00:00 +0100`).
    pub fn append(&mut self, folder: &str, date: &str, raw: &[u8]) -> Answer<()> {
        self.count += 1;
        let tag = format!("t{}", self.count);
        let folder = quoted(&utf7(folder));
        self.write(format!("{tag} APPEND {folder} \"{date}\" {{{}}}\r\n", raw.len()).as_bytes())?;
        let answer = self.line()?;
        if !answer.starts_with(b"+") {
            return Err(String::from_utf8_lossy(&answer).into_owned());
        }
        self.write(raw)?;
        self.write(b"\r\n")?;
        self.finish(&tag).map(drop)
    }

    /// All messages of a folder, lowest UID first, without a mark on them; none where there is no such folder.
    pub fn messages(&mut self, folder: &str) -> Answer<Vec<StoredMail>> {
        match self.command(&format!("EXAMINE {}", quoted(&utf7(folder)))) {
            // As Dovecot, Cyrus and Courier say it.
            Err(no)
                if ["doesn't exist", "NONEXISTENT", "does not exist"].iter().any(|why| no.contains(why)) =>
            {
                return Ok(Vec::new());
            }
            other => other?,
        };
        self.opened()
    }

    /// All messages of the folder that is open.
    pub fn opened(&mut self) -> Answer<Vec<StoredMail>> {
        let found = self.command("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])")?;
        let mut mails: Vec<_> = found.iter().filter_map(|response| stored(response)).collect();
        mails.sort_by_key(|mail| mail.uid);
        Ok(mails)
    }

    fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).map_err(|e| e.to_string())
    }

    fn finish(&mut self, tag: &str) -> Answer<Vec<Vec<u8>>> {
        let mut untagged = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix(format!("{tag} ").as_bytes()) {
                Some(end) if end.starts_with(b"OK") => return Ok(untagged),
                Some(end) => return Err(String::from_utf8_lossy(end).trim_end().to_owned()),
                None => untagged.push(line),
            }
        }
    }

    /// One response: a line, and where it ends in `{n}` the n bytes after it and the line that goes on.
    fn line(&mut self) -> Answer<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            let from = whole.len();
            if self.stream.read_until(b'\n', &mut whole).map_err(|e| e.to_string())? == 0 {
                return Err("the server closed the connection".into());
            }
            let Some(size) = literal_size(&whole[from..]) else { return Ok(whole) };
            let start = whole.len();
            whole.resize(start + size, 0);
            self.stream.read_exact(&mut whole[start..]).map_err(|e| e.to_string())?;
        }
    }
}

fn literal_size(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}\r\n")?;
    let open = inner.iter().rposition(|&byte| byte == b'{')?;
    std::str::from_utf8(&inner[open + 1..]).ok()?.parse().ok()
}

/// `* 1 FETCH (UID 7 FLAGS (\Seen) INTERNALDATE "..." BODY[] {123}` CRLF and 123 bytes.
fn stored(response: &[u8]) -> Option<StoredMail> {
    let end = response.windows(3).position(|three| three == b"}\r\n")? + 3;
    let size = literal_size(&response[..end])?;
    let head = std::str::from_utf8(&response[..end]).ok()?;
    let between = |from: &str, to: &str| head.split_once(from)?.1.split_once(to).map(|(value, _)| value);
    Some(StoredMail {
        uid: between("UID ", " ")?.parse().ok()?,
        flags: between("FLAGS (", ")")?.split_whitespace().map(str::to_owned).collect(),
        internal_date: DateTime::parse_from_str(
            between("INTERNALDATE \"", "\"")?.trim(),
            "%e-%b-%Y %H:%M:%S %z",
        )
        .ok()?,
        raw: response.get(end..end + size)?.to_vec(),
    })
}

/// A quoted string.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A folder's name as IMAP writes it (RFC 3501 section 5.1.3).
pub fn utf7(name: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let mut out = String::new();
    let mut rest = name.chars().peekable();
    while let Some(&c) = rest.peek() {
        if (' '..='~').contains(&c) {
            out.push_str(if c == '&' { "&-" } else { "" });
            if c != '&' {
                out.push(c);
            }
            rest.next();
            continue;
        }
        let mut bits = 0u32;
        let mut filled = 0;
        out.push('&');
        while let Some(other) = rest.next_if(|c| !(' '..='~').contains(c)) {
            for unit in other.encode_utf16(&mut [0; 2]) {
                bits = (bits << 16) | u32::from(*unit);
                filled += 16;
                while filled >= 6 {
                    filled -= 6;
                    out.push(char::from(DIGITS[(bits >> filled) as usize & 63]));
                }
                bits &= (1 << filled) - 1;
            }
        }
        if filled > 0 {
            out.push(char::from(DIGITS[(bits << (6 - filled)) as usize & 63]));
        }
        out.push('-');
    }
    out
}

#[test]
fn folder_names_as_imap_writes_them() {
    assert_eq!(utf7("INBOX/Årsprøve & Co"), "INBOX/&AMU-rspr&APg-ve &- Co");
    assert_eq!(utf7("台北"), "&U,BTFw-");
}
