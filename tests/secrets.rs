//! Secrets are shown by nothing and stay nowhere: from every source that they may come from, a whole run's logs, every command and
//! every file are searched for them, in each spelling; and the running daemon's memory, as somebody with a core file would.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::support::few_rules::{self, QUESTION};
use crate::support::program::Program;
use crate::support::servers::{MailServers, PASSWORD, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::token_endpoint::{SECRET, Say, TokenEndpoint};
use crate::support::{PATIENCE, wait_at_most, wait_until};

/// How often these bytes stand in what the process may write to (proc(5): maps, mem). Its environment stands in the stack's
/// region: that is the system's copy, which no program can be rid of.
fn found(program: &Program, bytes: &[u8]) -> usize {
    let maps = fs::read_to_string(format!("/proc/{}/maps", program.id())).unwrap();
    let mut memory = File::open(format!("/proc/{}/mem", program.id())).unwrap();
    let mut count = 0;
    for line in
        maps.lines().filter(|line| line.contains(" rw") && !line.contains("[v") && !line.contains("[stack]"))
    {
        let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut region = Vec::new();
        memory.seek(SeekFrom::Start(from)).unwrap();
        // A page that is gone by now is none of theirs.
        let _ = memory.by_ref().take(to - from).read_to_end(&mut region);
        count += region.windows(bytes.len()).filter(|window| *window == bytes).count();
    }
    count
}

#[test]
fn no_password_stays_in_the_memory_of_a_daemon_that_has_logged_in() {
    let servers = MailServers::start(Setup::default());
    let more = "rules: rules\n".to_owned();
    let team = Team::new(
        &servers,
        &Plan { imap_security: "plain", smtp_plain: true, accounts: 1, more, ..Plan::default() },
    );
    few_rules::write(&team.dir().join("rules"));
    let program = team.start_and_take_into_use(1);
    let general = "send.general@hertfordshire.example";
    let from = "Anna <parent.a@inbox.example>";
    servers.deliver("send.general", &letter(from, general, "A marked subject", "a@inbox.example", QUESTION));
    servers.wait_for("parent.a", "INBOX", 1);
    wait_until("an empty inbox", || servers.mailbox("send.general", "INBOX").is_empty().then_some(()));
    assert!(found(&program, b"send.general") > 0, "what is there can be found");
    let proof = "AHNlbmQuZ2VuZXJhbABibHVlIHRyYWN0b3IgNw"; // The same in base64, as AUTHENTICATE PLAIN sends it.
    let (plain, sent) = (found(&program, PASSWORD.as_bytes()), found(&program, proof.as_bytes()));
    assert_eq!((plain, sent), (0, 0), "the password, and the proof of it");
}

/// Base64 (RFC 4648), by hand: what is looked for must not come from what is looked through.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0u32, |number, at| number << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        text.extend((0..=group.len()).map(|at| char::from(LETTERS[(number >> (18 - 6 * at) & 63) as usize])));
    }
    text
}

/// How a secret may be written: as it is, in a URL, and in base64, whatever stands before it.
fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned(), secret.replace(' ', "%20"), secret.replace(' ', "+")];
    spellings.extend((0..3).map(|before| {
        let text = base64(&[&b"\0\0\0"[..before], secret.as_bytes()].concat());
        // The letters at both ends depend on what stands there.
        let from = if before == 0 { 0 } else { before + 1 };
        text[from..text.len() - 2].to_owned()
    }));
    spellings.extend(spellings.clone().into_iter().map(|text| text.replace('&', "%26")));
    spellings
}

/// Passwords from a file, the environment and a systemd credential; a file with a wrong one; an OAuth secret and a refresh token.
struct Vault {
    servers: MailServers,
    team: Team,
    _endpoint: TokenEndpoint,
    environment: Vec<(&'static str, String)>,
}

const WRONG: &str = "crimson kettle 4711";
const REFRESH: &str = "kept for long";
const OFFICE: [(&str, &str); 5] = [
    ("general", "send.general"),
    ("assessment", "send.assessment"),
    ("annual-review-east", "send.annualreview.east"),
    ("annual-review-west", "send.annualreview.west"),
    ("resolution", "send.resolution"),
];

fn vault(letters_with_login: bool) -> Vault {
    let servers = MailServers::start(Setup { oauth: true, ..Setup::default() });
    let endpoint = TokenEndpoint::start();
    endpoint.always(Say::Token(600));
    let team = Team::new(&servers, &Plan::default());
    let dir = team.dir();
    few_rules::write(&dir.join("rules"));
    let secrets = [("password", PASSWORD), ("wrong", WRONG), ("secret", SECRET), ("refresh", REFRESH)];
    for (name, secret) in secrets.into_iter().chain([("credentials/secrets_east", PASSWORD)]) {
        fs::create_dir_all(dir.join("kept/credentials")).unwrap();
        fs::write(dir.join("kept").join(name), format!("{secret}\n")).unwrap();
    }
    fs::remove_file(dir.join("password")).unwrap();
    fs::remove_file(dir.join("wrong")).unwrap();
    let ca = servers.ca_file().display().to_string();
    let mut text = format!(
        "council: {{domain: {}}}\ndatabase: record.sqlite\nrules: rules\noauth: {{desk: {{token_endpoint: \"{}\", client_id: \
         send.resolution, client_secret: {{file: kept/secret}}, refresh_token: {{file: kept/refresh}}}}}}\naccounts:\n",
        servers.domain(),
        endpoint.url()
    );
    for (name, user) in OFFICE {
        let proof = match name {
            "general" => "password: {file: kept/password}",
            "assessment" => "password: {env: SEND_TRIAGE_TEST_PASSWORD}",
            "annual-review-east" => "password: {credential: east}",
            "annual-review-west" => "password: {file: kept/wrong}",
            _ => "oauth: desk",
        };
        let smtp = match letters_with_login {
            true => format!(
                "security: starttls, port: {}, user: {user}, {proof}, ca_file: {ca}",
                servers.submission_port()
            ),
            false => format!("security: plain, port: {}", servers.smtp_port()),
        };
        text += &format!(
            "  - name: {name}\n    address: {user}@{}\n    existing: record\n    imap: {{host: localhost, port: {}, security: starttls, user: {user}, {proof}, poll_seconds: 300, ca_file: {ca}}}\n    smtp: {{host: localhost, {smtp}}}\n",
            servers.domain(),
            servers.imap_port()
        );
    }
    // Logged in once and for all: at the moment of a login its password is in memory, and must be.
    text += "moves: {look_every_seconds: 0}\nqueues:\n";
    for (queue, _) in OFFICE {
        text += &format!("  {queue}: {{folder: Triage/{queue}, account: general}}\n");
    }
    fs::write(team.config(), text).unwrap();
    let credentials = dir.join("kept/credentials").display().to_string();
    let environment =
        vec![("SEND_TRIAGE_TEST_PASSWORD", PASSWORD.to_owned()), ("CREDENTIALS_DIRECTORY", credentials)];
    Vault { servers, team, _endpoint: endpoint, environment }
}

impl Vault {
    fn start(&self, arguments: &[&str]) -> Program {
        let arguments = [arguments, &["--config", "send-triage.yaml"]].concat();
        let environment: Vec<_> =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Program::start_with(self.team.dir(), &arguments, &environment)
    }

    /// Its exit code, and all that it said.
    fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let done = self.start(arguments).finish_within(PATIENCE * 10);
        (done.code, done.stdout + &done.stderr)
    }

    /// The daemon, which has logged in wherever it can, been refused where it cannot, and answered a letter.
    fn at_work(&self) -> Program {
        let program = self.start(&["run", "--log-level", "debug"]);
        wait_until("four mailboxes in use, and one refused", || {
            let log = program.stderr();
            (log.matches("Taken into use").count() >= 4 && log.contains("login")).then_some(())
        });
        let general = "send.general@hertfordshire.example";
        let from = "Anna <parent.a@inbox.example>";
        self.servers.deliver("send.general", &letter(from, general, "Hello", "a@inbox.example", QUESTION));
        self.servers.wait_for("parent.a", "INBOX", 1);
        wait_until("an empty inbox", || {
            self.servers.mailbox("send.general", "INBOX").is_empty().then_some(())
        });
        program
    }
}

/// Every spelling of every secret, with which one it is.
fn all_secrets() -> Vec<(&'static str, String)> {
    let all = [
        ("the password", PASSWORD),
        ("a wrong password", WRONG),
        ("the client's secret", SECRET),
        ("the refresh token", REFRESH),
    ];
    let mut spelled: Vec<_> = all
        .into_iter()
        .flat_map(|(what, secret)| spellings(secret).into_iter().map(move |text| (what, text)))
        .collect();
    spelled.push(("an access token", "eyJ".to_owned()));
    spelled
}

#[track_caller]
fn search(place: &str, text: &[u8]) {
    for (what, spelling) in all_secrets() {
        let found = text.windows(spelling.len()).any(|window| window == spelling.as_bytes());
        assert!(!found, "{place} has {what} in it:\n{}", String::from_utf8_lossy(text));
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn whatever_a_secret_comes_from_no_log_no_command_and_no_file_shows_it() {
    // What is searched for would be found, in each of its spellings.
    for before in ["", "a", "ab", "\0send.general\0"] {
        let sent = base64(format!("{before}{PASSWORD}").as_bytes());
        assert!(spellings(PASSWORD).iter().any(|spelling| sent.contains(spelling)), "{sent}");
    }
    let vault = vault(true);
    let program = vault.at_work();
    let listed = vault.command(&["cases", "list", "--format", "json"]).1;
    let reference = listed.split("SEND-").nth(1).map(|rest| format!("SEND-{}", &rest[..9])).unwrap();
    let mail = vault.team.dir().join("one.eml");
    fs::write(&mail, letter("Anna <anna@home.example>", "send@hertfordshire.example", "Hello", "", QUESTION))
        .unwrap();
    let commands: &[&[&str]] = &[
        &["check"],
        &["check", "--log-level", "debug"],
        &["doctor", "--log-level", "debug"],
        &["doctor", "--format", "json"],
        &["doctor", "--send-test", "--account", "general"],
        &["health"],
        &["health", "--format", "json"],
        &["explain", "one.eml", "--format", "json"],
        &["due", "2026-11-02T09:00:00Z"],
        &["cases", "list"],
        &["cases", "show", &reference],
        &["cases", "show", &reference, "--format", "json"],
        &["cases", "answer", &reference, "--by", "h.officer", "--log-level", "debug"],
        &["report", "--from", "2026-01-01"],
        &["report", "--case", &reference],
        &["digest", "--preview", "preview"],
        &["suggest"],
        &["export", "--address", "parent.a@inbox.example"],
        &["schema", "--reference"],
        &["backup", "copy.sqlite", "--log-level", "debug"],
        &["purge", "--address", "parent.a@inbox.example", "--dry-run"],
        &["rebuild"], // Refused, beside a daemon.
    ];
    for arguments in commands {
        let (code, said) = vault.command(arguments);
        assert!(code.is_some_and(|code| code != 2), "{arguments:?} was not understood: {said}");
        search(&arguments.join(" "), said.as_bytes());
    }
    program.signal("TERM");
    let ended = program.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("DEBUG") && ended.stderr.contains("recorded"), "this was no talkative run");
    let (code, said) = vault.command(&["rebuild", "--dry-run", "--log-level", "debug"]);
    assert_ne!(code, Some(2), "{said}");
    // What was said above, the record with its log, the state of health, the previews, the backup.
    let kept = vault.team.dir().join("kept");
    let written: Vec<_> =
        files(vault.team.dir()).into_iter().filter(|file| !file.starts_with(&kept)).collect();
    assert!(written.len() > 30, "{written:?}");
    for file in written {
        search(&file.display().to_string(), &fs::read(&file).unwrap());
    }
}

#[test]
fn a_password_that_somebody_writes_into_the_configuration_is_refused_and_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = [
        format!("password: {WRONG}"),
        format!("password: {{value: {WRONG}}}"),
        format!("password: {{file: [{WRONG}]}}"),
        format!("pasword: {WRONG}"),
        format!("password: \"{WRONG}"),
    ];
    for line in wrong {
        let text = format!(
            "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n  - name: general\n    address: \
             send@council.example\n    imap:\n      host: imap.council.example\n      user: send\n      {line}\n"
        );
        fs::write(dir.path().join("c.yaml"), text).unwrap();
        for command in ["check", "run", "doctor"] {
            let done = Program::run(dir.path(), &[command, "--config", "c.yaml", "--log-level", "debug"]);
            assert_eq!(done.code, Some(1), "{command}, {line}: {}", done.stderr);
            search(&format!("{command} about `{line}`"), (done.stdout + &done.stderr).as_bytes());
        }
    }
}

#[test]
fn no_password_of_any_source_stays_in_the_memory_of_a_daemon_that_has_logged_in() {
    let vault = vault(false);
    let program = vault.at_work();
    assert!(found(&program, b"send.assessment") > 0, "what is there can be found");
    let stays = |secret: &str| {
        // A connection may be beginning just now.
        wait_at_most(PATIENCE, || (found(&program, secret.as_bytes()) == 0).then_some(())).is_none()
    };
    for (account, user) in OFFICE.into_iter().take(4) {
        let password = if account == "annual-review-west" { WRONG } else { PASSWORD };
        assert!(!stays(&base64(format!("\0{user}\0{password}").as_bytes())), "what {account} logs in with");
        assert!(!stays(password), "the password of {account}");
    }
    for (what, secret) in [("the client's secret", SECRET), ("the refresh token", REFRESH)] {
        assert!(!stays(secret), "{what}");
    }
}
