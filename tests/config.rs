//! The configuration as operators write it: in several files, with secrets elsewhere, from the example after five edits; and its
//! reference page.

use std::fs;
use std::path::{Path, PathBuf};

use send_triage::config::Config;
use send_triage::rules::diagnostic;

use crate::support::program::Program;
use crate::support::servers::{MailServers, PASSWORD, Setup};
use crate::support::team::{acknowledgements, letter};
use crate::support::wait_until;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder with a configuration in several files.
struct Place(tempfile::TempDir);

const COUNCIL: &str = "council: {domain: council.example}\ndatabase: record.sqlite\n";
const QUEUES: &str = "queues:\n  resolution: {folder: Triage/R}\n  assessment: {folder: Triage/A}\n  annual-review-east: {folder: Triage/E}\n  annual-review-west: {folder: Triage/W}\n  general: {folder: Triage/G}\n";

fn account(name: &str) -> String {
    format!(
        "accounts:\n  - name: {name}\n    address: send.{name}@council.example\n    imap: {{host: imap.council.example, password: {{file: {name}.password}}, poll_seconds: 60}}\n    smtp: {{host: smtp.council.example}}\n"
    )
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("send-triage.d")).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        Self(dir)
    }

    fn load(&self) -> Result<Config, String> {
        let folder = format!("{}/", self.0.path().display());
        Config::load_or_tell(&self.0.path().join("send-triage.yaml"))
            .map_err(|complaints| diagnostic::listed(&complaints).replace(&folder, ""))
    }

    fn refused(&self) -> String {
        self.load().map(|_| ()).unwrap_err()
    }
}

#[test]
fn a_file_for_each_mailbox_makes_one_configuration() {
    let place = Place::new(&[
        ("send-triage.yaml", &format!("# The council's.\n{COUNCIL}{QUEUES}{}", account("general"))),
        ("send-triage.d/20-assessment.yaml", &account("assessment")),
        ("send-triage.d/10-resolution.yaml", &format!("\u{feff}{}", account("resolution"))),
        (
            "send-triage.d/30-people.yaml",
            "# who is told\nreminders: {at: \"08:15\", nearing_working_days: 2}\nalerts: {to: [duty@council.example]}\nacknowledgements: {send: false}\n",
        ),
        ("send-triage.d/40-nothing.yaml", "# digest: {at: \"08:00\"}\n"),
        ("send-triage.d/10-resolution.yaml~", "not: [yaml"),
        ("send-triage.d/.hidden.yaml", "not: [yaml"),
    ]);
    let config = place.load().unwrap();
    let names: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["general", "resolution", "assessment"], "the file itself, then by name");
    assert_eq!(config.accounts[2].imap.as_ref().unwrap().poll_seconds, 60);
    assert_eq!((config.acknowledgements.send, config.reminders.nearing_working_days), (false, 2));
    assert_eq!(config.reminders.at.to_string(), "08:15:00");
    // Paths are relative to the folder of the file itself, wherever they stand.
    assert_eq!(config.database, place.0.path().join("record.sqlite"));
    let password = config.accounts[1].imap.as_ref().unwrap().password.clone().unwrap().file.unwrap();
    assert_eq!(password, place.0.path().join("resolution.password"));
}

#[test]
fn one_file_or_several_are_the_same_configuration() {
    let whole = fs::read_to_string(root("config/send-triage.yaml")).unwrap();
    // One top-level key a file, but the first two.
    let starts: Vec<usize> = whole
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .filter(|at| whole[*at..].starts_with(|c: char| c.is_ascii_lowercase()))
        .collect();
    let place = Place::new(&[]);
    let (mut from, mut number) = (0, 0);
    for to in starts.iter().skip(2).copied().chain([whole.len()]) {
        let name = match number {
            0 => "send-triage.yaml".to_owned(),
            _ => format!("send-triage.d/{number:02}.yaml"),
        };
        fs::write(place.0.path().join(name), &whole[from..to]).unwrap();
        (from, number) = (to, number + 1);
    }
    assert!(number > 12, "{number}");
    let one = Config::parse(&whole, "c.yaml", place.0.path()).unwrap();
    assert_eq!(format!("{:?}", place.load().unwrap()), format!("{one:?}"));
}

#[test]
fn every_mistake_is_told_with_its_own_file_line_and_column() {
    let golden = root("fixtures/config/split.txt");
    let place = Place::new(&[
        ("send-triage.yaml", &format!("{COUNCIL}{QUEUES}{}digest: {{day: monday}}\n", account("general"))),
        (
            "send-triage.d/accounts.yaml",
            "accounts:\n  - name: assessment\n    adress: send.assessment@council.example\n    imap: {host: imap.council.example, password: hunter2}\n    smtp: {host: smtp.council.example}\n",
        ),
        ("send-triage.d/digest.yaml", "# when\n\ndigest: {day: friday}\n"),
        ("send-triage.d/syntax.yaml", "alerts:\n  to: [duty@council.example\n"),
    ]);
    let mut said = place.refused();
    assert!(!said.contains("hunter2"), "{said}");
    // What each value may be is asked when the keys are right.
    let place = Place::new(&[
        ("send-triage.yaml", &format!("{COUNCIL}{QUEUES}{}", account("general"))),
        ("send-triage.d/a.yaml", &account("general").replace("60", "0")),
        ("send-triage.d/b.yaml", "\nhealth: {stalled_after_minutes: 3}\nmetrics:\n  listen: 10.0.0.1:9184\n"),
    ]);
    said += &format!("=====\n{}", place.refused());
    let place = Place::new(&[("send-triage.yaml", COUNCIL), ("send-triage.d/a.yaml", &account("general"))]);
    said += &format!("=====\n{}", place.refused());
    let place = Place::new(&[
        ("send-triage.yaml", COUNCIL),
        ("send-triage.d/a.yml", QUEUES),
        ("send-triage.d/b.yaml", "x: \u{1}"),
    ]);
    said += &format!("=====\n{}", place.refused());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &said).unwrap();
    }
    assert_eq!(fs::read_to_string(&golden).unwrap_or_default(), said, "UPDATE_GOLDEN=1 rewrites it");
}

#[test]
fn what_does_nothing_is_warned_of() {
    let text = format!(
        "{COUNCIL}{QUEUES}{}alerts: {{out_of_hours: true}}\nhealth:\n  canary: {{account: general}}\n",
        account("general")
    );
    let config = Config::read(&text, "send-triage.yaml", Path::new("/etc/send-triage")).unwrap();
    let said = diagnostic::listed(&config.warnings);
    let golden = root("fixtures/config/idle.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &said).unwrap();
    }
    assert_eq!(fs::read_to_string(&golden).unwrap_or_default(), said, "UPDATE_GOLDEN=1 rewrites it");
    let told = text
        .replace("canary", "to: [systems@council.example]\n  canary")
        .replace("{out", "{to: [duty@council.example], out");
    assert!(Config::read(&told, "c.yaml", Path::new("/")).unwrap().warnings.is_empty());
}

/// Nothing in the file is filled in from the environment: what looks so is taken as it stands. Only a secret may say that it is
/// kept there.
#[test]
fn the_environment_holds_secrets_and_nothing_else() {
    let text = format!("{COUNCIL}{QUEUES}{}", account("general"))
        .replace("imap.council.example", "\"${SEND_TRIAGE_TEST_HOST}\"")
        .replace("{file: general.password}", "{env: SEND_TRIAGE_TEST_SECRET}");
    let place = Place::new(&[("send-triage.yaml", &text)]);
    let ask = |variables: &[(&str, &str)]| {
        let arguments = ["doctor", "--config", "send-triage.yaml"];
        Program::start_with(place.0.path(), &arguments, variables).finish()
    };
    let without = ask(&[("SEND_TRIAGE_TEST_HOST", "localhost")]);
    let said = without.stdout + &without.stderr;
    assert!(said.contains("The environment variable SEND_TRIAGE_TEST_SECRET is not set"), "{said}");
    let with = ask(&[("SEND_TRIAGE_TEST_HOST", "localhost"), ("SEND_TRIAGE_TEST_SECRET", "hunter2")]);
    let said = with.stdout + &with.stderr;
    assert!(said.contains("${SEND_TRIAGE_TEST_HOST}") && !said.contains("localhost"), "{said}");
    assert!(!said.contains("is not set") && !said.contains("hunter2"), "{said}");
}

/// The five edits that the head of the example asks for, as an operator makes them, and nothing else but the ports of this
/// machine's private servers.
#[test]
fn the_example_runs_after_five_edits() {
    let servers = MailServers::start(Setup::default());
    let dir = tempfile::tempdir().unwrap();
    let mut text = fs::read_to_string(root("config/send-triage.yaml")).unwrap();
    let head = text.lines().take_while(|line| line.starts_with('#')).collect::<Vec<_>>().join(" ");
    for edit in ["1. council", "2. accounts: addresses", "3. imap.host", "4. smtp.host", "5. the passwords"] {
        assert!(head.contains(edit), "the head of the example no longer asks for {edit:?}");
    }
    // The database is where the package makes a folder for it; here it is in the test's.
    text = text.replace("/var/lib/send-triage/", "");
    let ca = servers.ca_file().display().to_string();
    // 1. Who we are, and 2. the addresses: on the servers' domain.
    assert_eq!(servers.domain(), "hertfordshire.example", "the example's own");
    text = text.replace("Hertfordshire County Council", "Hartshire County Council");
    let logins: [(&str, &str); 5] = [
        ("send.general", "send.general"),
        ("send.assessment", "send.assessment"),
        ("send.annualreview.east", "send.annualreview.east"),
        ("send.annualreview.west", "send.annualreview.west"),
        ("send.resolution", "send.resolution"),
    ];
    // 3. and 4. The servers: name, and what a council's own servers need besides.
    for (_, user) in logins {
        text = text.replace(&format!("user: {user}@hertfordshire.example"), &format!("user: {user}"));
    }
    let imap = format!("host: localhost, port: {}, security: starttls, ca_file: {ca}", servers.imap_port());
    let smtp = format!("host: localhost, port: {}, ca_file: {ca}", servers.submission_port());
    text = text.replace("{host: imap.hertfordshire.example", &format!("{{{imap}"));
    text = text.replace("{host: smtp.hertfordshire.example", &format!("{{{smtp}"));
    let lines = |flow: &str| flow.replace(", ", "\n      ");
    text = text
        .replace("host: imap.hertfordshire.example\n      security: tls  ", &format!("{}  ", lines(&imap)));
    text = text.replace("host: smtp.hertfordshire.example", &lines(&smtp));
    for (_, user) in logins {
        // Dovecot's logins here are names, not addresses.
        let address = format!("address: {user}@hertfordshire.example\n");
        let at = text.find(&address).unwrap();
        let imap = at + text[at..].find("port:").unwrap();
        let flow = !text[imap..].split("\n    smtp:").next().unwrap().contains("\n      ");
        let key = if flow { format!("user: {user}, ") } else { format!("user: {user}\n      ") };
        text.insert_str(imap, &key);
    }
    // 5. The passwords.
    fs::create_dir(dir.path().join("secrets")).unwrap();
    for name in ["general", "assessment", "annual-review-east", "annual-review-west", "resolution"] {
        fs::write(dir.path().join("secrets").join(name), format!("{PASSWORD}\n")).unwrap();
    }
    fs::write(dir.path().join("send-triage.yaml"), &text).unwrap();

    let check = Program::run(dir.path(), &["check", "--config", "send-triage.yaml"]);
    assert_eq!(check.code, Some(0), "{}\n{text}", check.stderr);
    let program = Program::start(dir.path(), &["run", "--config", "send-triage.yaml"]);
    wait_until("every mailbox taken into use", || {
        (program.stderr().matches("Taken into use").count() == 5).then_some(())
    });
    let to = "send.assessment@hertfordshire.example";
    let body = "Hello,\n\nI would like to request an EHC needs assessment for my daughter.\n\nAnna";
    let mail = letter("Anna Parent <parent.a@inbox.example>", to, "A request", "q1@inbox.example", body);
    servers.send("parent.a@inbox.example", &[to], &mail);
    servers.wait_for("send.assessment", "Triage/Assessment", 1);
    let answer = wait_until("the acknowledgement", || {
        let mail = servers.mailbox("parent.a", "INBOX");
        acknowledgements(&mail).first().map(|mail| String::from_utf8_lossy(&mail.raw).into_owned())
    });
    assert!(answer.contains("SEND assessment team"), "{answer}");
    program.signal("TERM");
    assert_eq!(program.finish().code, Some(0));
}

#[test]
fn the_reference_is_that_of_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let done = Program::run(dir.path(), &["schema", "--reference"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let file = root("docs/reference/configuration.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &done.stdout).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == done.stdout,
        "`send-triage schema --reference > docs/reference/configuration.md` writes it anew"
    );
    // Every key that the schema knows is in it, with its meaning.
    for key in [
        "| `council.domain` | text, required |",
        "| `accounts[].imap.poll_seconds` | whole number | 300 |",
        "| `filing.unsure_subfolder` | text or nothing | `Unsure` |",
        "| `deadlines.work_starts` | time of day | `09:00:00` |",
        "| `accounts[].filing` | `move`, `copy`, `none` | `move` |",
        "| `queues.annual-review-east.folder` | text, required |",
        "| `metrics.listen` |",
    ] {
        assert!(done.stdout.contains(key), "{key}\n{}", done.stdout);
    }
    let empty = done.stdout.lines().find(|line| line.starts_with("| `") && line.trim_end().ends_with("|  |"));
    assert_eq!(empty, None, "a key without a meaning: a doc comment is missing in src/config");
}
