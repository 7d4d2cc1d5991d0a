//! Access tokens over real servers: Dovecot verifies each token by itself (its own OAuth 2.0 support), Postfix asks Dovecot, and
//! a token endpoint of ours signs, expires, throttles, refuses and fails. The program goes on over any number of tokens: nothing
//! is lost, nothing done twice; and each refusal says what to do.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::token_endpoint::{SECRET, Say, TokenEndpoint};
use crate::support::{PATIENCE, wait_at_most, wait_until};

const GENERAL: &str = "send.general";

/// A team of one mailbox that is reached by tokens alone.
struct Office {
    servers: MailServers,
    endpoint: TokenEndpoint,
    team: Team,
}

/// `proof` stands for `client_secret: ...` of the provider.
fn office(proof: &str) -> Office {
    let servers = MailServers::start(Setup { oauth: true, ..Setup::default() });
    let endpoint = TokenEndpoint::start();
    let team = Team::new(&servers, &Plan::default());
    std::fs::write(team.dir().join("secret"), format!("{SECRET}\n")).unwrap();
    let office = Office { servers, endpoint, team };
    office.configure(proof);
    office
}

impl Office {
    fn configure(&self, proof: &str) {
        let (servers, ca) = (&self.servers, self.servers.ca_file());
        let text = format!(
            "council: {{domain: {domain}}}\ndatabase: record.sqlite\n\
             oauth: {{desk: {{token_endpoint: \"{url}\", client_id: {GENERAL}, {proof}}}}}\n\
             accounts:\n  - name: general\n    address: {GENERAL}@{domain}\n    sent_folders: []\n    \
             imap: {{host: localhost, port: {imap}, security: starttls, user: {GENERAL}, oauth: desk, poll_seconds: 2, ca_file: {ca}}}\n    \
             smtp: {{host: localhost, port: {smtp}, security: starttls, user: {GENERAL}, oauth: desk, ca_file: {ca}}}\n\
             queues:\n  resolution: {{folder: Triage/Resolution}}\n  assessment: {{folder: Triage/Assessment}}\n  \
             annual-review-east: {{folder: Triage/East}}\n  annual-review-west: {{folder: Triage/West}}\n  general: {{folder: Triage/General}}\n\
             acknowledgements: {{per_domain_an_hour: 100000, in_all_an_hour: 100000}}\nmoves: {{look_every_seconds: 0}}\n",
            domain = servers.domain(),
            url = self.endpoint.url(),
            imap = servers.imap_port(),
            smtp = servers.submission_port(),
            ca = ca.display(),
        );
        std::fs::write(self.team.config(), text).unwrap();
    }

    fn arrives(&self, number: usize) {
        let (from, to) =
            (format!("Anna <anna.{number}@home.example>"), format!("{GENERAL}@hertfordshire.example"));
        let body = format!("Hello,\n\nwhen will we hear about the EHC plan? My number is {number}.\n\nAnna");
        let id = format!("letter.{number}@home.example");
        self.servers.deliver(GENERAL, &letter(&from, &to, &format!("Letter {number}"), &id, &body));
    }

    /// Every Message-ID in the mailbox, whatever folder it lies in now.
    fn message_ids(&self) -> Vec<String> {
        let folders = self.servers.folders(GENERAL);
        let of = |folder: &String| self.servers.mailbox(GENERAL, folder);
        let found = folders.iter().filter(|folder| *folder != "Sent").flat_map(of);
        found.filter_map(|mail| mail.header("message-id")).collect()
    }

    fn doctor(&self) -> String {
        let done = Program::run(self.team.dir(), &["doctor", "--config", "send-triage.yaml"]);
        // Long sentences are broken into lines for people.
        (done.stdout + &done.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn health(&self) -> String {
        std::fs::read_to_string(self.team.dir().join("health.json")).unwrap_or_default()
    }
}

const BY_SECRET: &str = "client_secret: {file: secret}";

#[test]
fn the_program_goes_on_over_many_tokens_and_nothing_is_lost_or_done_twice() {
    let office = office(BY_SECRET);
    office.endpoint.always(Say::Token(6));
    let program = office.team.start_and_take_into_use(1);
    let begun = Instant::now();
    let mut sent = 0;
    while begun.elapsed() < Duration::from_secs(25) || office.endpoint.asked().len() < 4 {
        office.arrives(sent);
        sent += 1;
        std::thread::sleep(Duration::from_millis(700));
        assert!(begun.elapsed() < PATIENCE * 4, "{}", program.stderr());
    }
    let answered = wait_until("every letter acknowledged", || {
        let mail = office.servers.mailbox("sink", "INBOX");
        (acknowledgements(&mail).len() >= sent).then(|| acknowledgements(&mail).len())
    });
    assert_eq!(answered, sent, "one for each");
    wait_until("an empty inbox", || office.servers.mailbox(GENERAL, "INBOX").is_empty().then_some(()));
    let ids = office.message_ids();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (sent, sent));
    // The sessions were begun anew in time, and so nobody met the end of a token.
    let log = program.stderr();
    assert!(log.contains("The session's token is about to end"), "{log}");
    assert!(!log.contains("trying again in") && !log.contains("refused"), "{log}");
    assert!(office.endpoint.asked().len() >= 4);
    for asked in office.endpoint.asked() {
        assert_eq!(
            (asked["grant_type"].as_str(), asked["client_secret"].as_str()),
            ("client_credentials", SECRET)
        );
    }
    program.signal("TERM");
    let done = program.finish();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for kept in [
        done.stderr,
        office.health(),
        String::from_utf8_lossy(&std::fs::read(office.team.database()).unwrap()).into_owned(),
    ] {
        assert!(!kept.contains("eyJ") && !kept.contains(SECRET), "a token or a secret was written down");
    }
}

#[test]
fn an_endpoint_that_throttles_fails_hangs_up_and_talks_nonsense_costs_time_and_nothing_else() {
    let office = office(BY_SECRET);
    for say in [
        Say::Answer(429, "Retry-After: 1\r\n", "{\"error\":\"temporarily_unavailable\"}".to_owned()),
        Say::HangUp,
        Say::Answer(200, "", "<html>Please accept the conditions of use</html>".to_owned()),
    ] {
        office.endpoint.then(say);
    }
    let program = office.team.start();
    let taken = wait_at_most(PATIENCE * 4, || program.stderr().contains("Taken into use").then_some(()));
    let log = program.stderr();
    assert!(taken.is_some(), "{log}");
    for words in ["it asks us to come back later", "the connection was closed", "something else than a token"]
    {
        assert!(log.contains(words), "{words}\n{log}");
    }
    assert_eq!(office.endpoint.asked().len(), 4, "three failures, and no haste");
    office.arrives(0);
    wait_until("an acknowledgement", || {
        (acknowledgements(&office.servers.mailbox("sink", "INBOX")).len() == 1).then_some(())
    });
}

#[test]
fn a_forged_token_is_refused_and_asked_anew_once_and_a_right_one_then_serves() {
    let office = office(BY_SECRET);
    office.endpoint.then(Say::Forged);
    let program = office.team.start_and_take_into_use(1);
    assert!(program.stderr().contains("it is shown another one"), "{}", program.stderr());
    assert_eq!(office.endpoint.asked().len(), 2);
    office.arrives(1);
    wait_until("an acknowledgement", || {
        (acknowledgements(&office.servers.mailbox("sink", "INBOX")).len() == 1).then_some(())
    });
    assert_eq!(office.endpoint.asked().len(), 2, "IMAP and SMTP share one token");
    drop(program);

    // If the next one is refused as well, it is not the token: nobody is asked again and again.
    office.endpoint.always(Say::Forged);
    let program = office.team.start();
    program.wait_for_log("The access token was not accepted");
    assert!(program.stderr().contains("trying again in"), "{}", program.stderr());
    assert_eq!(office.endpoint.asked().len(), 4);
}

#[test]
fn a_client_is_known_by_its_certificate_and_the_endpoint_verifies_that() {
    let office = office("certificate: {file: client.pem, key: {file: client.key}}");
    let dir = office.team.dir();
    let der = made_certificate(dir, "client");
    office.endpoint.knows_certificate(send_triage::certificate::public_key(&der).unwrap());
    let program = office.team.start_and_take_into_use(1);
    office.arrives(1);
    wait_until("an acknowledgement", || {
        (acknowledgements(&office.servers.mailbox("sink", "INBOX")).len() == 1).then_some(())
    });
    let asked = office.endpoint.asked();
    assert!(asked.iter().all(|form| !form.contains_key("client_secret")));
    assert!(asked[0]["client_assertion"].starts_with("eyJ"));
    drop(program);

    // Another certificate than the one that was uploaded.
    made_certificate(dir, "client");
    let said = office.doctor();
    assert!(said.contains("it does not believe that we are the application"), "{said}");
}

/// A certificate of 40 days and its key.
fn made_certificate(dir: &Path, name: &str) -> Vec<u8> {
    let script = format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 40 -subj /CN={name} -keyout {name}.key -out {name}.pem && \
         openssl x509 -in {name}.pem -outform DER -out {name}.der"
    );
    let done = Command::new("sh").args(["-c", &script]).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(dir.join(format!("{name}.der"))).unwrap()
}

#[test]
fn a_refresh_token_serves_where_an_application_has_no_rights_of_its_own() {
    let office = office("refresh_token: {file: refresh}");
    std::fs::write(office.team.dir().join("refresh"), "kept for long\n").unwrap();
    let program = office.team.start_and_take_into_use(1);
    let asked = office.endpoint.asked();
    assert_eq!(
        (asked[0]["grant_type"].as_str(), asked[0]["refresh_token"].as_str()),
        ("refresh_token", "kept for long")
    );
    drop(program);
    std::fs::write(office.team.dir().join("refresh"), "withdrawn\n").unwrap();
    office.endpoint.always(Say::Answer(400, "", "{\"error\":\"invalid_grant\"}".to_owned()));
    assert!(office.doctor().contains("the refresh token is not taken any more"));
}

#[test]
fn a_slow_endpoint_keeps_nothing_else_from_going_on() {
    let office = office(BY_SECRET);
    office.endpoint.always(Say::Late(Duration::from_secs(3)));
    let program = office.team.start_and_take_into_use(1);
    office.arrives(1);
    wait_until("an acknowledgement", || {
        (acknowledgements(&office.servers.mailbox("sink", "INBOX")).len() == 1).then_some(())
    });
    assert_eq!(office.endpoint.asked().len(), 1, "asked once, whoever waits");
    // A request under way is no reason not to stop.
    office.endpoint.always(Say::Late(Duration::from_secs(15)));
    program.signal("TERM");
    assert_eq!(program.finish().code, Some(0));
}

#[test]
fn the_end_of_a_secret_is_told_in_the_log_by_letter_and_in_the_digest() {
    let in_days =
        |days: i64| (chrono::Utc::now() + chrono::TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let office = office(&format!("client_secret: {{file: secret, expires_on: {}}}", in_days(20)));
    let mut text = std::fs::read_to_string(office.team.config()).unwrap();
    text += "health: {to: [systems@hertfordshire.example]}\nalerts: {out_of_hours: true}\n";
    std::fs::write(office.team.config(), text).unwrap();
    let told = || {
        let mail = office.servers.mailbox("sink", "INBOX");
        mail.iter().filter(|mail| mail.header("subject").is_some_and(|s| s.contains("runs out in"))).count()
    };
    for _ in 0..2 {
        let program = office.team.start_and_take_into_use(0);
        program.wait_for_log("The client secret by which the program signs in at 127.0.0.1");
        wait_until("the letter", || (told() >= 1).then_some(()));
        // It is known of the servers' certificates too, from the connections that are there anyway.
        wait_until("the certificates", || office.health().contains("\"host\": \"localhost\"").then_some(()));
        program.signal("TERM");
        program.finish();
    }
    assert_eq!(told(), 1, "once for each stage, whatever is restarted");
    let health = Program::run(office.team.dir(), &["health", "--config", "send-triage.yaml"]);
    assert!(office.health().contains("runs out on"), "{}", health.stdout);
    let arguments = ["digest", "--preview", "preview", "--config", "send-triage.yaml"];
    let done = Program::run(office.team.dir(), &arguments);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let preview = office.team.dir().join("preview/service.leadership@hertfordshire.example/digest.txt");
    let digest = std::fs::read_to_string(preview).unwrap();
    assert!(digest.contains("Runs out on") && digest.contains("the client secret"), "{digest}");
}
