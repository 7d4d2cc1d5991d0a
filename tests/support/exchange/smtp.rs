//! The submission side of the server that talks like Exchange Online: what it takes goes to the mailbox it is addressed to, or
//! outside, and a copy comes into the sender's Sent a moment later.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::Utc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::imap::unpacked;
use super::{Mail, TOKEN, Tenant};

const NAME: &str = "LO4P123CA0001.outlook.office365.com";
/// From one mailbox at the same time.
const MOST_CONNECTIONS: usize = 3;

pub(super) async fn serve(tenant: Arc<Mutex<Tenant>>, stream: TcpStream) {
    let connections = {
        let mut tenant = tenant.lock().unwrap();
        tenant.smtp_connections += 1;
        tenant.most_smtp_connections = tenant.most_smtp_connections.max(tenant.smtp_connections);
        tenant.smtp_connections
    };
    let _ = converse(&tenant, stream, connections).await;
    tenant.lock().unwrap().smtp_connections -= 1;
}

async fn converse(tenant: &Arc<Mutex<Tenant>>, stream: TcpStream, connections: usize) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut user: Option<String> = None;
    let mut to = String::new();
    let mut step = "greeting".to_owned();
    let mut argument = String::new();
    let mut letter = Vec::new();
    loop {
        let usual = match step.as_str() {
            "greeting" => {
                format!(
                    "220 {NAME} Microsoft ESMTP MAIL Service ready at {}",
                    Utc::now().format("%a, %e %b %Y %T +0000")
                )
            }
            "EHLO" => format!(
                "250-{NAME} Hello [127.0.0.1]\r\n250-SIZE 157286400\r\n250-PIPELINING\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n\
                 250-AUTH LOGIN XOAUTH2\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250 SMTPUTF8"
            ),
            "AUTH" => {
                let proof = argument.strip_prefix("XOAUTH2 ").and_then(unpacked).unwrap_or_default();
                let who = proof.strip_prefix("user=").and_then(|rest| rest.split_once('\x01'));
                match who.filter(|(_, rest)| rest.contains(&format!("auth=Bearer {TOKEN}\x01"))) {
                    Some(_) if connections > MOST_CONNECTIONS => {
                        format!(
                            "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname={NAME}]"
                        )
                    }
                    Some((name, _)) => {
                        user = Some(name.to_owned());
                        "235 2.7.0 Authentication successful".to_owned()
                    }
                    None => format!("535 5.7.3 Authentication unsuccessful [{NAME}]"),
                }
            }
            "MAIL" if user.is_none() => {
                format!("530 5.7.57 Client not authenticated to send mail. [{NAME}]")
            }
            "MAIL" => "250 2.1.0 Sender OK".to_owned(),
            "RCPT" => {
                to = argument.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                "250 2.1.5 Recipient OK".to_owned()
            }
            "DATA" => "354 Start mail input; end with <CRLF>.<CRLF>".to_owned(),
            "end" => format!("250 2.0.0 OK <0123@{NAME}> [Hostname={NAME}]"),
            "RSET" => "250 2.0.0 Resetting".to_owned(),
            "QUIT" => "221 2.0.0 Service closing transmission channel".to_owned(),
            _ => "500 5.3.3 Unrecognized command".to_owned(),
        };
        let said = tenant.lock().unwrap().odd(&format!("smtp {step}")).map_or(usual, str::to_owned);
        if step == "end" && said.starts_with("250") {
            accept(tenant, user.as_deref().unwrap_or_default(), &to, &letter);
        }
        write.write_all(format!("{said}\r\n").as_bytes()).await?;
        if step == "QUIT" {
            return Ok(());
        }
        if step == "DATA" && said.starts_with("354") {
            letter.clear();
            while !letter.ends_with(b"\r\n.\r\n") {
                if read.read_until(b'\n', &mut letter).await? == 0 {
                    return Ok(());
                }
            }
            letter.truncate(letter.len() - 3);
            "end".clone_into(&mut step);
            continue;
        }
        let mut line = String::new();
        if read.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        tenant.lock().unwrap().log.push(format!("smtp {line}"));
        let (verb, rest) = line.split_once([' ', ':']).unwrap_or((line, ""));
        step = verb.to_ascii_uppercase();
        rest.clone_into(&mut argument);
    }
}

/// The letter is taken: it is delivered, and its copy comes into Sent a moment later.
fn accept(tenant: &Arc<Mutex<Tenant>>, user: &str, to: &str, letter: &[u8]) {
    let mut now = tenant.lock().unwrap();
    if now.mailboxes.contains_key(to) {
        now.put(to, "INBOX", letter, &[]);
    } else {
        let mail = Mail { uid: 0, bytes: letter.to_vec(), flags: Vec::new(), received: Utc::now() };
        now.outside.push((to.to_owned(), mail, Instant::now()));
    }
    let (later, user, letter) = (tenant.clone(), user.to_owned(), letter.to_vec());
    let after = now.copy_after;
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        let mut tenant = later.lock().unwrap();
        let sent = tenant.sent.clone();
        tenant.put(&user, &sent, &letter, &["\\Seen"]);
    });
}
