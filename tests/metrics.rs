//! Metrics and `/healthz`: what a scrape says after a journey over real servers, who may ask, what clumsy and hostile clients
//! get, and that alerts, dashboard and documentation name nothing that is not there.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use send_triage::config::Config;
use send_triage::daemon::metrics::catalogue;
use send_triage::daemon::metrics::gather::Gatherer;
use send_triage::daemon::metrics::text::Kind;
use send_triage::daemon::{Bells, InForce, World, in_force};
use send_triage::record::{Disk, Moment, RecordError, Records};
use send_triage::yaml::{self, Node, Value};
use tokio::sync::watch;

use crate::support::fakes::ToldClock;
use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::{wait_at_most, wait_until};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An answer: status, headers, body.
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

fn ask(stream: &mut (impl Read + Write), request: &str) -> Option<Answer> {
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, headers: head.to_ascii_lowercase(), body: body.to_owned() })
}

fn try_get(port: u16, path: &str, headers: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    ask(&mut stream, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"))
}

#[track_caller]
fn get(port: u16, path: &str) -> Answer {
    wait_at_most(Duration::from_secs(30), || try_get(port, path, "")).expect("an answer")
}

/// The values of a page by metric and labels; the page is well-formed, or this panics. Written from Prometheus' description of
/// its format, not from the code that writes it.
fn values(page: &str) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    assert!(page.ends_with('\n'), "the last line has its end");
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.split_once(' ').is_some_and(|(_, help)| !help.is_empty()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(kinds.insert(name, kind).is_none(), "{name} stands in two places");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let name = series.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix).filter(|base| kinds.contains_key(base)))
                .unwrap_or(name);
            assert!(kinds.contains_key(family), "{name} has no TYPE above it");
            let labels = series.strip_prefix(name).unwrap();
            assert!(labels.is_empty() || (labels.starts_with('{') && labels.ends_with("\"}")), "{line}");
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(values.insert(series.to_owned(), value).is_none(), "{series} twice");
        }
    }
    values
}

/// The sum of the series of a metric that have all these labels.
fn sum(values: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let of = |series: &&String| {
        series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
    };
    values.iter().filter(|(series, _)| of(series)).map(|(_, value)| value).sum()
}

/// What Prometheus's own tool says of it: installed (Debian: prometheus), or where `tests/unpack-promtool` puts it.
fn promtool(arguments: &[&str], input: &str) -> String {
    let path = format!("{}:{}", std::env::var("PATH").unwrap(), root("target/promtool").display());
    let mut command = Command::new("sh");
    command.args(["-c", "exec promtool \"$@\"", "sh"]).args(arguments).env("PATH", path);
    command.current_dir(root("deploy/prometheus"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert_ne!(
        done.status.code(),
        Some(127),
        "promtool is missing. Please run `tests/run`, or: tests/unpack-promtool"
    );
    assert!(done.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[test]
fn after_a_journey_a_scrape_says_what_happened() {
    let servers = MailServers::start(Setup::default());
    let port = free_port();
    let more = format!("metrics: {{listen: \"127.0.0.1:{port}\"}}\n");
    let team = Team::new(&servers, &Plan { more, poll_seconds: 5, ..Plan::default() });
    let program = team.start_and_take_into_use(2);
    let before = values(&get(port, "/metrics").body);
    let received = |labels: &str| format!("send_triage_messages_received_total{{{labels}}}");
    let general = received("mailbox=\"general\",folder=\"INBOX\",outcome=\"decided\"");
    assert_eq!(before.get(&general), Some(&0.0), "a 0 is there from the start");

    let to = "send.general@hertfordshire.example";
    let question = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?\n\nAnna";
    let urgent = "Hello,\n\nMy son is on a part-time timetable. School only lets him in for two hours each morning.\n\nAnna";
    for (id, body) in [("q1@inbox.example", question), ("u1@inbox.example", urgent)] {
        servers.send(
            "parent.a@inbox.example",
            &[to],
            &letter("Anna Parent <parent.a@inbox.example>", to, "About Sam", id, body),
        );
    }
    let robot = String::from_utf8(letter(
        "Robot <robot@shop.example>",
        to,
        "Out of office",
        "r1@shop.example",
        "I am away.",
    ))
    .unwrap()
    .replace("MIME-Version", "Auto-Submitted: auto-replied\r\nMIME-Version");
    servers.send("robot@shop.example", &[to], robot.as_bytes());
    wait_until("two acknowledgements", || {
        (acknowledgements(&servers.mailbox("parent.a", "INBOX")).len() == 2).then_some(())
    });
    let now = wait_until("a page that has all of it", || {
        let now = values(&try_get(port, "/metrics", "")?.body);
        let filed = sum(&now, "send_triage_effect_attempts_total", &["kind=\"file\"", "outcome=\"done\""]);
        (now.get(&general) == Some(&3.0) && filed >= 3.0).then_some(now)
    });

    // The same numbers as the record's own commands tell.
    let cases = team.cases();
    assert_eq!(cases.len(), 2);
    let count = |name: &str, labels: &[&str]| sum(&now, name, labels);
    assert_eq!(count("send_triage_cases_waiting", &[]), 2.0);
    assert_eq!(count("send_triage_cases_waiting", &["urgency=\"urgent\""]), 1.0);
    assert_eq!(count("send_triage_cases_overdue", &[]), 0.0);
    assert_eq!(count("send_triage_messages_decided_total", &["kind=\"person\""]), 2.0);
    assert_eq!(count("send_triage_messages_decided_total", &["kind=\"person\"", "urgency=\"urgent\""]), 1.0);
    assert_eq!(count("send_triage_messages_decided_total", &["kind=\"auto-reply\""]), 1.0);
    assert_eq!(count("send_triage_acknowledgements_withheld_total", &[]), 1.0);
    assert_eq!(count("send_triage_acknowledgements_withheld_total", &["reason=\"not-a-person\""]), 1.0);
    assert_eq!(
        count("send_triage_effect_attempts_total", &["kind=\"acknowledge\"", "outcome=\"done\""]),
        2.0
    );
    assert_eq!(count("send_triage_acknowledgement_seconds_count", &["mailbox=\"general\""]), 2.0);
    assert!(count("send_triage_acknowledgement_seconds_bucket", &["le=\"300\""]) == 2.0);
    assert_eq!(count("send_triage_message_recorded_seconds_count", &["mailbox=\"general\""]), 3.0);
    assert_eq!(count("send_triage_decide_seconds_count", &[]), 3.0);
    assert!(count("send_triage_decide_seconds_sum", &[]) < 30.0);
    assert_eq!(count("send_triage_effects", &["kind=\"acknowledge\""]), 0.0);
    assert_eq!(count("send_triage_ledger_gaps", &[]), 0.0);
    assert_eq!(count("send_triage_errors_total", &[]), 0.0);
    assert_eq!((count("send_triage_healthy", &[]), count("send_triage_record_up", &[])), (1.0, 1.0));
    let clock = chrono::Utc::now().timestamp() as f64;
    for series in [
        "send_triage_mailbox_last_seen_timestamp_seconds{mailbox=\"general\",folder=\"INBOX\"}",
        "process_start_time_seconds",
    ] {
        assert!((clock - now[series]).abs() < 600.0, "{series}: {}", now[series]);
    }
    assert!(now["send_triage_calendar_known_until_timestamp_seconds"] > clock);
    assert!(count("send_triage_record_size_bytes", &[]) > 100_000.0);
    let rules = now.keys().find(|series| series.starts_with("send_triage_rules_info")).unwrap();
    assert!(program.stderr().contains(rules.split('"').nth(1).unwrap()), "the version of the log: {rules}");

    // Nothing of a person on the page; and it is as promtool wants it.
    let page = get(port, "/metrics");
    for person in ["parent", "Anna", "Sam", "inbox.example", "robot", "@", "SEND-"] {
        assert!(!page.body.contains(person), "{person} on the page");
    }
    assert!(page.headers.contains("text/plain; version=0.0.4"), "{}", page.headers);
    assert_eq!(promtool(&["check", "metrics"], &page.body).trim(), "", "promtool's advice");

    // Every metric of the list is on the page, and every one of the page in the list.
    let on_page: BTreeSet<&str> =
        page.body.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let listed: BTreeSet<&str> = catalogue::ALL.iter().map(|metric| metric.name).collect();
    let canary = BTreeSet::from([catalogue::CANARY.name]); // None is sent here.
    assert_eq!(listed.difference(&on_page).copied().collect::<BTreeSet<_>>(), canary);
    assert!(on_page.is_subset(&listed));

    // The server goes away: that is counted, and it is no reason to stop answering.
    servers.stop_imap();
    wait_until("the trouble on the page", || {
        let now = values(&try_get(port, "/metrics", "")?.body);
        (sum(&now, "send_triage_errors_total", &["with=\"mailbox\"", "kind=\"transient\""]) > 0.0)
            .then_some(())
    });
    program.signal("TERM");
    assert_eq!(program.finish().code, Some(0));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// A daemon over folders, which needs no server.
fn over_folders(dir: &Path, metrics: &str) -> Program {
    fs::create_dir_all(dir.join("inbox")).unwrap();
    let queue = |name: &str| format!("  {name}: {{folder: Triage/{name}}}\n");
    let queues =
        ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"].map(queue);
    let config = format!(
        "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n  - name: general\n    \
         address: send.general@council.example\n    folder: {{path: inbox, kind: eml}}\n    outbox: out\n\
         queues:\n{}metrics: {{listen: \"{metrics}\"}}\n",
        queues.concat()
    );
    fs::write(dir.join("c.yaml"), config).unwrap();
    Program::start(dir, &["run", "--config", "c.yaml"])
}

#[test]
fn healthz_says_what_the_command_says() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let program = over_folders(dir.path(), &format!("127.0.0.1:{port}"));
    let well = get(port, "/healthz");
    assert_eq!((well.status, well.body.as_str()), (200, "Mail is looked after.\n"));
    let json = |answer: &Answer| serde_json::from_str::<serde_json::Value>(&answer.body).unwrap();
    let told = try_get(port, "/healthz", "Accept: application/json\r\n").unwrap();
    assert!(told.headers.contains("content-type: application/json"));
    assert_eq!(json(&told)["ok"], true);

    // What it wrote of itself is a day old: as if it had hung since.
    let file = dir.path().join("health.json");
    let health: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let mut old = health.clone();
    old["written_at"] = "2026-01-05T09:00:00Z".into();
    fs::write(&file, old.to_string()).unwrap();
    let ill = get(port, "/healthz");
    assert_eq!(ill.status, 503, "{}", ill.body);
    let command = Program::run(dir.path(), &["health", "--config", "c.yaml"]);
    assert_eq!(command.code, Some(3));
    assert!(command.stdout.contains(ill.body.trim()), "{}\n{}", command.stdout, ill.body);
    let told = try_get(port, "/healthz", "ACCEPT: text/html, application/json;q=0.9\r\n").unwrap();
    assert_eq!((told.status, json(&told)["stalls"][0].as_str()), (503, Some(ill.body.trim())));
    drop(program);
}

#[test]
fn clumsy_and_hostile_clients_get_a_short_answer_and_hold_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut program = over_folders(dir.path(), &format!("127.0.0.1:{port}"));
    get(port, "/");
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    };
    for (request, status) in [
        ("GET /nothing HTTP/1.1\r\n\r\n", 404),
        ("GET /../../etc/passwd HTTP/1.1\r\n\r\n", 404),
        ("GET /healthz?x=1 HTTP/1.0\r\n\r\n", 200),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405),
        ("DELETE /healthz HTTP/1.1\r\n\r\n", 405),
        ("GET /metrics\r\n\r\n", 400),
        ("GET /metrics HTTP/2\r\n\r\n", 400),
        ("\r\n\r\n", 400),
        ("\u{0}\u{1}\u{2}é\r\n\r\n", 400),
    ] {
        let answer = ask(&mut connect(), request).unwrap_or_else(|| panic!("no answer to {request:?}"));
        assert_eq!(answer.status, status, "{request:?}");
        assert!(answer.headers.contains("connection: close"), "{}", answer.headers);
    }
    let head = ask(&mut connect(), "HEAD /healthz HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.headers.contains("content-length: 22"), "{}", head.headers);

    // A head that never ends; one that never comes; connections that are opened and left.
    let mut endless = connect();
    let junk = [b'x'; 64 * 1024];
    let _ = endless.write_all(b"GET /metrics HTTP/1.1\r\nX: ");
    while endless.write_all(&junk).is_ok() {}
    let began = Instant::now();
    let mut slow = connect();
    slow.write_all(b"GET /met").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let _idle: Vec<TcpStream> = (0..100).map(|_| connect()).collect();
    let began = Instant::now();
    assert_eq!(get(port, "/healthz").status, 200);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // Many at once, each of which goes away without waiting.
    for _ in 0..200 {
        let _ = connect().write_all(b"GET /metrics HTTP/1.1\r\n\r\n");
    }
    assert_eq!(get(port, "/metrics").status, 200);
    assert!(program.is_running() && !program.stderr().contains("fault"), "{}", program.stderr());
}

#[test]
fn a_unix_socket_is_taken_over_from_the_dead_and_from_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("m.sock");
    let listen = socket.display().to_string();
    let ask_it = || ask(&mut UnixStream::connect(&socket).ok()?, "GET /healthz HTTP/1.1\r\n\r\n");
    let up = |what: &str| wait_until(what, || ask_it().filter(|answer| answer.status == 200));
    let first = over_folders(dir.path(), &listen);
    up("an answer on the socket");
    first.kill();
    assert!(socket.exists(), "a killed process leaves it behind");
    let second = over_folders(dir.path(), &listen);
    up("an answer of the next one");
    second.signal("TERM");
    assert_eq!(second.finish().code, Some(0));
    assert!(!socket.exists(), "one that ends takes it away");
    fs::write(&socket, "somebody's file").unwrap();
    let third = over_folders(dir.path(), &listen);
    third.wait_for_log("Metrics cannot be served on unix:");
    assert_eq!(fs::read_to_string(&socket).unwrap(), "somebody's file");
}

#[test]
fn a_port_that_is_taken_keeps_no_mail_from_being_looked_after() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut program = over_folders(dir.path(), &taken.local_addr().unwrap().to_string());
    program.wait_for_log("Metrics cannot be served on 127.0.0.1:");
    wait_until("a sign of life", || dir.path().join("health.json").exists().then_some(()));
    assert!(program.is_running());
}

/// However often it is asked for, the record is asked every ten seconds; and where that cannot be read, the page says so and has
/// the rest.
#[tokio::test(start_paused = true)]
async fn a_page_is_good_for_ten_seconds_and_a_broken_disk_is_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let queue = |name: &str| format!("  {name}: {{folder: Triage/{name}}}\n");
    let queues =
        ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"].map(queue);
    let text = format!(
        "council: {{domain: council.example}}\ndatabase: record.sqlite\naccounts:\n  - name: general\n    \
         address: send.general@council.example\n    folder: {{path: inbox, kind: eml}}\n    outbox: out\nqueues:\n{}",
        queues.concat()
    );
    let config = Config::parse(&text, "c.yaml", dir.path()).unwrap();
    let (reads, broken) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
    let disk: Disk = {
        let (reads, broken, path) = (reads.clone(), broken.clone(), dir.path().to_owned());
        Rc::new(move |moment, _| {
            reads.set(reads.get() + u32::from(moment == Moment::Read));
            let io = || RecordError::Io { path: path.clone(), detail: "disk I/O error".to_owned() };
            if broken.get() { Err(io()) } else { Ok(()) }
        })
    };
    let records = Records::open(&config.database).unwrap().on(disk);
    let clock = ToldClock::starting("2026-11-18T10:00:00Z");
    let in_force = InForce::new(in_force::load(&config).unwrap());
    let (_keep, stop) = watch::channel(false);
    let bells = Bells::new(["general"].into_iter());
    let world = World { config: &config, records: &records, clock: &clock, in_force: &in_force, bells, stop };
    let gatherer = Gatherer::new(&world);
    let first = gatherer.page();
    let asked = reads.get();
    assert!(asked > 1);
    for _ in 0..50 {
        assert_eq!(gatherer.page(), first);
    }
    assert_eq!(reads.get(), asked, "fifty scrapes within a moment ask the record nothing");
    world.bells.tally.decided(Duration::from_millis(3));
    broken.set(true);
    tokio::time::sleep(Duration::from_secs(11)).await;
    let now = values(&gatherer.page());
    assert_eq!(sum(&now, "send_triage_record_up", &[]), 0.0);
    assert_eq!(sum(&now, "send_triage_decide_seconds_count", &[]), 1.0, "what is not read from it is there");
    assert!(
        !now.keys().any(|series| series.starts_with("send_triage_effects")),
        "and no 0 that would be a lie"
    );
    broken.set(false);
    tokio::time::sleep(Duration::from_secs(11)).await;
    let now = values(&gatherer.page());
    assert_eq!(sum(&now, "send_triage_record_up", &[]), 1.0);
    assert!(now.keys().any(|series| series.starts_with("send_triage_effects")));
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| text(key) == name).map(|(_, value)| value)
}

fn text(node: &Node) -> &str {
    match &node.value {
        Value::Scalar(text, _) => text,
        _ => "",
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => &[],
    }
}

/// The names of metrics in an expression.
fn metrics_in(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("send_triage_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

#[track_caller]
fn all_exist(expression: &str) {
    for name in metrics_in(expression) {
        let known = catalogue::ALL.iter().any(|metric| match metric.kind {
            Kind::Histogram => {
                ["_bucket", "_sum", "_count"].iter().any(|end| name == format!("{}{end}", metric.name))
            }
            _ => name == metric.name,
        });
        assert!(known, "{name} is no metric of daemon/metrics/catalogue.rs: {expression}");
    }
}

#[test]
fn every_alert_is_explained_tested_and_about_metrics_that_exist() {
    let rules = yaml::parse(&read("deploy/prometheus/send-triage.rules.yml")).unwrap();
    let tests = read("deploy/prometheus/send-triage.rules.test.yml");
    let page = read("docs/operations.md");
    let section = page.split("\n## ").find(|section| section.starts_with("Alerts\n")).expect("## Alerts");
    let mut names = BTreeSet::new();
    for group in items(field(&rules, "groups").unwrap()) {
        for rule in items(field(group, "rules").unwrap()) {
            let name = text(field(rule, "alert").unwrap()).to_owned();
            let expression = text(field(rule, "expr").unwrap());
            assert!(expression.starts_with("up{") || !metrics_in(expression).is_empty(), "{name}");
            all_exist(expression);
            let severity = text(field(field(rule, "labels").unwrap(), "severity").unwrap());
            assert!(["critical", "warning"].contains(&severity), "{name}: {severity}");
            assert!(
                !text(field(field(rule, "annotations").unwrap(), "summary").unwrap()).is_empty(),
                "{name}"
            );
            let fires = tests.split("alertname: ").any(|part| {
                part.strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.trim_start().starts_with("exp_alerts"))
            });
            assert!(fires, "{name} speaks in no test of send-triage.rules.test.yml");
            let silent = tests.contains(&format!("{{eval_time: 110m, alertname: {name}}}"));
            assert!(silent, "{name}: no test that it is silent when all is well");
            let row = section.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/operations.md, Alerts, has no row for {name}"));
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            assert!(cells.len() == 4 && cells.iter().all(|cell| cell.len() > 10), "{name}: {row}");
            names.insert(name);
        }
    }
    assert!(names.len() > 15, "{names:?}");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let told: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(told, names, "alerts that are explained and do not exist");
    promtool(&["check", "config", "scrape.yml"], "");
    promtool(&["check", "rules", "send-triage.rules.yml"], "");
    promtool(&["test", "rules", "send-triage.rules.test.yml"], "");
}

#[test]
fn the_dashboard_shows_metrics_that_exist_and_leaves_none_out() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/prometheus/dashboard.json")).unwrap();
    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "a panel's number twice");
        let targets = panel["targets"].as_array().into_iter().flatten();
        let expressions: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
        assert_eq!(panel["type"] == "row", expressions.is_empty(), "{}", panel["title"]);
        expressions.iter().for_each(|expression| all_exist(expression));
        shown.extend(expressions.iter().flat_map(|expression| metrics_in(expression)));
    }
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        all_exist(annotation["expr"].as_str().unwrap());
        shown.extend(metrics_in(annotation["expr"].as_str().unwrap()));
    }
    let base = |name: &String| name.strip_suffix("_bucket").unwrap_or(name).to_owned();
    let shown: BTreeSet<String> = shown.iter().map(base).collect();
    let left_out: Vec<_> = catalogue::ALL
        .iter()
        .filter(|metric| !shown.contains(metric.name))
        .map(|metric| metric.name)
        .collect();
    assert!(left_out.is_empty(), "on no panel: {left_out:?}");
}

#[test]
fn the_page_of_metrics_is_that_of_the_program() {
    let rows = catalogue::ALL
        .iter()
        .map(|metric| format!("| `{}` | {} | {} |\n", metric.name, metric.kind.word(), metric.help));
    let table: String = rows.collect();
    let page = read("docs/metrics.md");
    let head = "| metric | kind | what it says |\n| --- | --- | --- |\n";
    let (before, rest) = page.split_once(head).expect("the table");
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(root("docs/metrics.md"), format!("{before}{head}{table}{after}")).unwrap();
    }
    assert!(
        rest.starts_with(&format!("{table}\n")) || rest == table,
        "UPDATE_GOLDEN=1 writes docs/metrics.md anew"
    );
}
