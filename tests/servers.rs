//! The harness itself: what the other tests take for granted of the mail servers, the proxy and the program.

use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::program::Program;
use crate::support::proxy::{Fault, Proxy};
use crate::support::servers::{Certificate, MailServers, PASSWORD, Setup};
use crate::support::wire::{self, Imap};
use crate::support::{wait_at_most, wait_until};

const LETTER: &[u8] = b"From: Anna <parent.a@inbox.example>\r\nTo: send.general@hertfordshire.example\r\n\
    Subject: Who is our coordinator?\r\nMessage-ID: <1@inbox.example>\r\n\r\nHello,\r\n.dots stay\r\nAnna\r\n";

type Tls = StreamOwned<ClientConnection, std::net::TcpStream>;

/// TLS as a careful client makes it: only this CA, the host's name compared.
fn tls(servers: &MailServers, stream: std::net::TcpStream) -> Result<Tls, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(servers.ca_file()).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream);
    stream.conn.complete_io(&mut stream.sock).map_err(|e| e.to_string())?;
    Ok(stream)
}

#[test]
fn a_message_sent_by_smtp_lies_in_the_inbox_unread_and_whole() {
    let servers = MailServers::start(Setup::default());
    servers.send("parent.a@inbox.example", &["send.general@hertfordshire.example"], LETTER);
    let found = servers.wait_for("send.general", "INBOX", 1);
    assert!(found[0].text().ends_with("\n\nHello,\n.dots stay\nAnna\n"), "{}", found[0].text());
    assert_eq!(found[0].header("return-path").unwrap(), "<parent.a@inbox.example>");
    assert!(!found[0].flags.contains(&"\\Seen".to_owned()));
    assert!(chrono::Utc::now().signed_duration_since(found[0].internal_date).num_seconds() < 60);

    // Any domain reaches the user of that name; nobody's mail is the sink's; a null return path stays one.
    servers.send("", &["parent.a@anywhere.example", "nobody@anywhere.example"], LETTER);
    assert_eq!(servers.wait_for("parent.a", "INBOX", 1)[0].header("return-path").unwrap(), "<>");
    assert_eq!(
        servers.wait_for("sink", "INBOX", 1)[0].header("x-original-to").unwrap(),
        "nobody@anywhere.example"
    );
    servers.wait_for_empty_queue();
}

#[test]
fn refusals_are_those_of_real_servers() {
    let servers = MailServers::start(Setup::default());
    assert!(servers.try_send("a@b.example", &["x@defer.example"], LETTER).unwrap_err().starts_with("451"));
    assert!(servers.try_send("a@b.example", &["x@reject.example"], LETTER).unwrap_err().starts_with("550"));
    let refused = Imap::login(servers.imap_port(), "send.general", "wrong").err().unwrap();
    assert!(refused.contains("AUTHENTICATIONFAILED"), "{refused}");
    let mut submission = BufReader::new(wire::connect(servers.submission_port()).unwrap());
    wire::smtp_reply(&mut submission).unwrap();
    wire::smtp_say(&mut submission, "EHLO client.example").unwrap();
    let refused = wire::smtp_say(&mut submission, "MAIL FROM:<a@b.example>").unwrap_err();
    assert!(refused.contains("STARTTLS"), "{refused}");
}

#[test]
fn starttls_and_tls_work_with_our_ca() {
    let servers = MailServers::start(Setup::default());
    let mut plain = Imap::greet(wire::connect(servers.imap_port()).unwrap()).unwrap();
    plain.command("STARTTLS").unwrap();
    let mut secure = Imap::silent(tls(&servers, plain.into_inner()).unwrap());
    secure.command(&format!("LOGIN send.general {}", wire::quoted(PASSWORD))).unwrap();

    let stream = tls(&servers, wire::connect(servers.imaps_port()).unwrap()).unwrap();
    Imap::greet(stream).unwrap().command("CAPABILITY").unwrap();

    // AUTH PLAIN of NUL user NUL password, through Postfix to Dovecot's passwords.
    let mut smtps = BufReader::new(tls(&servers, wire::connect(servers.smtps_port()).unwrap()).unwrap());
    wire::smtp_reply(&mut smtps).unwrap();
    wire::smtp_say(&mut smtps, "EHLO client.example").unwrap();
    let right = "AUTH PLAIN AHNlbmQuZ2VuZXJhbABibHVlIHRyYWN0b3IgNw==";
    let wrong = "AUTH PLAIN AHNlbmQuZ2VuZXJhbAB3cm9uZw==";
    assert!(wire::smtp_say(&mut smtps, wrong).unwrap_err().starts_with("535"));
    assert!(wire::smtp_say(&mut smtps, right).unwrap().starts_with("235"));
}

#[test]
fn a_certificate_for_another_host_is_there_to_be_refused() {
    let servers = MailServers::start(Setup { certificate: Certificate::OtherHost, ..Setup::default() });
    let refused = tls(&servers, wire::connect(servers.imaps_port()).unwrap()).err().unwrap();
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[test]
fn capabilities_can_be_hidden() {
    let setup = Setup { imap_capability: Some("IMAP4rev1 UIDPLUS".into()), ..Setup::default() };
    let servers = MailServers::start(setup);
    let told = servers.imap("send.general").command("CAPABILITY").unwrap().concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(told.contains("UIDPLUS") && !told.contains("MOVE") && !told.contains("IDLE"), "{told}");
}

#[test]
fn stopped_servers_come_back_with_their_messages_and_uid_validity_changes_when_told() {
    let servers = MailServers::start(Setup::default());
    servers.append("send.general", "INBOX", "17-Sep-2026 09:00:00 +0100", LETTER);
    servers.stop_imap();
    assert!(Imap::login(servers.imap_port(), "send.general", PASSWORD).is_err());
    // Postfix keeps what it cannot deliver yet.
    servers.send("parent.a@inbox.example", &["send.general@hertfordshire.example"], LETTER);
    servers.start_imap();
    // It may pass over what it has only just put off.
    let both = || Some(servers.mailbox("send.general", "INBOX")).filter(|found| found.len() == 2);
    let found = wait_until("what was kept", || {
        wait_at_most(Duration::from_secs(2), both).or_else(|| {
            servers.flush_queue();
            None
        })
    });
    assert_eq!(found[0].raw, LETTER);
    assert_eq!(found[0].internal_date.to_utc().to_rfc3339(), "2026-09-17T08:00:00+00:00");

    let uid_validity = || {
        let opened = servers.imap("send.general").command("EXAMINE INBOX").unwrap().concat();
        String::from_utf8_lossy(&opened)
            .split_once("UIDVALIDITY ")
            .unwrap()
            .1
            .split(']')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_ne!(uid_validity(), "4711");
    servers.change_uid_validity("send.general", "INBOX", 4711);
    assert_eq!(uid_validity(), "4711");
    assert_eq!(servers.mailbox("send.general", "INBOX").len(), 2);

    servers.stop_smtp();
    assert!(servers.try_send("a@b.example", &["sink@b.example"], LETTER).is_err());
    servers.start_smtp();
    servers.send("a@b.example", &["sink@b.example"], LETTER);
    servers.wait_for("sink", "INBOX", 1);
}

#[test]
fn the_proxy_breaks_the_network_as_told() {
    let servers = MailServers::start(Setup::default());
    let proxy = Proxy::start(servers.smtp_port());
    let send = || wire::hand_over(proxy.port(), "EHLO", "a@b.example", &["sink@b.example"], LETTER);
    send().unwrap();

    // The message is taken, and the client cannot know.
    proxy.set(Fault::CutAfterClientSays(b"\r\n.\r\n".to_vec()));
    assert!(send().unwrap_err().contains("connection"));
    servers.wait_for("sink", "INBOX", 2);
    assert_eq!(proxy.cut(), 1);

    proxy.set(Fault::CutAfterServerBytes(10));
    assert!(send().is_err());
    proxy.set(Fault::Refuse);
    assert!(send().is_err());
    proxy.set(Fault::Stall);
    std::thread::scope(|scope| {
        let stalled = scope.spawn(send);
        assert!(wait_at_most(Duration::from_millis(200), || stalled.is_finished().then_some(())).is_none());
        proxy.set(Fault::None);
        stalled.join().unwrap().unwrap();
    });
    assert_eq!(proxy.accepted(), 5);
    servers.wait_for("sink", "INBOX", 3);
}

#[test]
fn the_servers_end_with_their_owner() {
    let servers = MailServers::start(Setup::default());
    let (imap, smtp) = (servers.imap_port(), servers.smtp_port());
    drop(servers);
    wait_until("silence on both ports", || {
        (wire::connect(imap).is_err() && wire::connect(smtp).is_err()).then_some(())
    });
}

#[test]
fn the_program_runs_and_its_end_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let finished = Program::run(dir.path(), &["--version"]);
    assert_eq!((finished.code, finished.signal), (Some(0), None), "{}", finished.stderr);
}
