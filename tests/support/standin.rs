//! A machine on which the pages' commands can be typed as they stand: /etc, /usr and /var of this one, in namespaces of its
//! own, so that what is written there is seen by nobody else and gone afterwards; the package's files in their places, and mailboxes on
//! the private servers. What belongs to another machine or to systemd has a stand-in that checks what it is asked for. This is no
//! sandbox: only what the pages say is run.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::servers::{MailServers, PASSWORD};
use super::team::letter;
use super::{few_rules, quick_dir, wait_at_most, wait_until};

/// Folders that are overlaid: what is written below them stays here.
const OVERLAID: [&str; 4] = ["/etc", "/usr", "/var", "/opt"];
/// Where the package puts the configuration.
pub const CONFIG: &str = "/etc/send-triage/send-triage.yaml";

/// What a command left behind.
pub struct Done {
    pub code: Option<i32>,
    /// Standard output and standard error.
    pub said: String,
}

/// The machine. Dropping it ends every process on it.
pub struct Machine {
    dir: tempfile::TempDir,
    holder: Child,
    inside: u32,
    pub servers: MailServers,
    words: usize,
}

impl Machine {
    /// With the package installed and configured, and the daemon at work.
    pub fn new(servers: MailServers) -> Self {
        let dir = quick_dir();
        let mounts: String = OVERLAID
            .iter()
            .map(|folder| {
                let over = dir.path().join(folder.trim_start_matches('/'));
                fs::create_dir_all(over.join("upper")).unwrap();
                fs::create_dir_all(over.join("work")).unwrap();
                let over = over.display();
                format!(
                    "mount -t overlay none -o lowerdir={folder},upperdir={over}/upper,workdir={over}/work {folder}; "
                )
            })
            .collect();
        let script = format!("{mounts} echo ready; exec cat");
        let mut holder = Command::new("setpriv");
        holder.args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "--pid",
            "--fork",
        ]);
        holder.args(["--kill-child=KILL", "--mount-proc", "sh", "-ec", &script]);
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(
            ready, "ready\n",
            "this needs the right to mount, which root has outside of a locked-down container"
        );
        let children = format!("/proc/{0}/task/{0}/children", holder.id());
        let inside = fs::read_to_string(children).unwrap().trim().parse().unwrap();
        let machine = Self { dir, holder, inside, servers, words: 0 };
        machine.install();
        machine
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// What the package brings (`assets` of Cargo.toml), and the stand-ins.
    fn install(&self) {
        let bin = self.at("bin");
        fs::create_dir(&bin).unwrap();
        symlink(env!("CARGO_BIN_EXE_send-triage"), bin.join("send-triage")).unwrap();
        for (name, script) in
            [("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL), ("apt", APT), ("cargo", CARGO)]
        {
            self.write_script(name, script);
        }
        self.write_script("systemd-ask-password", &format!("[ $# -eq 1 ] && echo '{PASSWORD}'"));
        self.write_script("systemd-analyze", "[ \"$1\" = security ] && [ -e \"$3\" ]");
        let root = env!("CARGO_MANIFEST_DIR");
        let installed = self.run(
            Path::new(root),
            "install -d -m 0755 /etc/send-triage /usr/share/send-triage /usr/lib/systemd/system /var/lib/send-triage
             install -d -m 0700 /etc/send-triage/secrets
             install -m 0644 deploy/send-triage*.service deploy/send-triage*.timer /usr/lib/systemd/system/
             install -m 0755 deploy/restore-drill /usr/share/send-triage/
             mkdir -p /var/backups/send-triage /var/tmp/drill",
            "",
        );
        assert_eq!(installed.code, Some(0), "{}", installed.said);
        few_rules::write(&self.at("rules"));
        let copied = self.run(Path::new(root), "cp -r \"$MACHINE/rules\" /usr/share/send-triage/rules", "");
        assert_eq!(copied.code, Some(0), "{}", copied.said);
    }

    fn write_script(&self, name: &str, script: &str) {
        let file = self.at("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The configuration as its administrator wrote it, whatever a page put in its place.
    pub fn configure(&self) {
        let ca = self.servers.ca_file().display().to_string();
        let domain = self.servers.domain();
        let server = |port| {
            format!(
                "{{host: localhost, port: {port}, security: starttls, user: send.general, password: {{credential: general}}, ca_file: {ca}"
            )
        };
        let queues: String =
            ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"]
                .map(|queue| format!("  {queue}: {{folder: Triage/{queue}}}\n"))
                .concat();
        let config = format!(
            "council: {{domain: {domain}}}\ndatabase: /var/lib/send-triage/send-triage.sqlite\nrules: /usr/share/send-triage/rules\n\
             acknowledgements: {{oldest_hours: 0}}\naccounts:\n  - name: general\n    address: send.general@{domain}\n\
             \x20   imap: {}}}\n    smtp: {}}}\nqueues:\n{queues}digest: {{to: [{{address: duty@{domain}, all: true}}]}}\n",
            server(self.servers.imap_port()),
            server(self.servers.submission_port()),
        );
        let command = format!("echo '{PASSWORD}' > /etc/send-triage/secrets/general; cat > {CONFIG}");
        let written = self.run(Path::new("/"), &command, &config);
        assert_eq!(written.code, Some(0), "{}", written.said);
    }

    /// A folder to type commands in: what they read lies there.
    pub fn desk(&mut self) -> PathBuf {
        self.words += 1;
        let desk = self.at(&format!("desk-{}", self.words));
        fs::create_dir(&desk).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in
            ["fixtures", "config", "deploy", "schemas", "fuzz", "Cargo.toml", "src", "benches", "tests"]
        {
            symlink(root.join(name), desk.join(name)).unwrap();
        }
        for name in ["rules", "rules-new", "my-rules"] {
            few_rules::write(&desk.join(name));
        }
        let mail = letter(
            "Anna <anna@inbox.example>",
            "send.general@hertfordshire.example",
            "Who?",
            "a@inbox.example",
            few_rules::QUESTION,
        );
        fs::create_dir(desk.join("mail")).unwrap();
        for name in ["message.eml", "mail/one.eml"] {
            fs::write(desk.join(name), &mail).unwrap();
        }
        fs::create_dir(desk.join("labelled")).unwrap();
        // Enough to learn something from.
        let labels = fs::read_to_string(root.join("fixtures/labelled/labels.jsonl")).unwrap();
        let few: Vec<&str> = labels.lines().take(60).collect();
        for line in &few {
            let label: serde_json::Value = serde_json::from_str(line).unwrap();
            let name = label["file"].as_str().unwrap();
            fs::copy(root.join("fixtures/labelled").join(name), desk.join("labelled").join(name)).unwrap();
        }
        fs::write(desk.join("labelled/labels.jsonl"), few.join("\n") + "\n").unwrap();
        desk
    }

    /// Types this into a shell in this folder, with this on standard input.
    pub fn run(&self, folder: &Path, command: &str, input: &str) -> Done {
        let path = format!("{}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.at("bin").display());
        let mut shell = Command::new("nsenter");
        shell.args(["--target", &self.inside.to_string(), "--mount", "--pid", "sh", "-ec"]);
        shell.arg(format!("cd '{}'\n{command}", folder.display()));
        shell
            .env("PATH", path)
            .env("MACHINE", self.dir.path())
            .env("TESTS", std::env::current_exe().unwrap());
        shell
            .env("PROGRAM", env!("CARGO_BIN_EXE_send-triage"))
            .env("LC_ALL", "C.UTF-8")
            .env_remove("CREDENTIALS_DIRECTORY");
        let out = self.at(&format!("said.{}", self.words));
        let said = fs::File::create(&out).unwrap();
        shell.stdin(Stdio::piped()).stdout(said.try_clone().unwrap()).stderr(said);
        let mut child = shell.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // It may not be interested.
        let ended = wait_at_most(Duration::from_secs(240), || child.try_wait().unwrap());
        if ended.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let said = String::from_utf8_lossy(&fs::read(&out).unwrap()).into_owned();
        Done { code: ended.and_then(|status| status.code()), said }
    }

    /// Has this to say, by a command that must succeed.
    #[track_caller]
    pub fn must(&mut self, command: &str) -> String {
        let desk = self.desk();
        let done = self.run(&desk, command, "");
        assert_eq!(done.code, Some(0), "{command}\n{}\n{}", done.said, self.log());
        done.said
    }

    /// What the daemon wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.at("daemon.log")).unwrap_or_default()
    }

    /// Somebody writes, and their case is there: its reference.
    #[track_caller]
    pub fn case_of(&mut self, address: &str, words: &str) -> String {
        let to = format!("send.general@{}", self.servers.domain());
        let mail = letter(address, &to, "A question", &format!("case.{address}"), words);
        self.servers.deliver("send.general", &mail);
        wait_until("the case", || {
            let list = self.must("send-triage cases list --format json");
            let case = list.lines().find(|line| line.contains(address))?.to_owned();
            let case: serde_json::Value = serde_json::from_str(&case).ok()?;
            Some(case["reference"].as_str()?.to_owned())
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.holder.kill(); // And with it, by --kill-child, whatever runs inside.
        let _ = self.holder.wait();
    }
}

/// Units must be the package's, or made on the page; the service really starts and stops.
const SYSTEMCTL: &str = r#"
verb=; units=
for word; do case "$word" in -*) ;; *) if [ -z "$verb" ]; then verb=$word; else units="$units $word"; fi ;; esac; done
case "$verb" in ''|start|stop|restart|reload|status|enable|disable|edit|daemon-reload) ;; *) echo "systemctl: $verb?" >&2; exit 2 ;; esac
halt() {
    [ -e "$MACHINE/daemon.pid" ] || return 0
    pid=$(cat "$MACHINE/daemon.pid")
    kill -TERM "$pid" 2>/dev/null
    # Nobody here buries the dead.
    for _ in $(seq 600); do [ -e "/proc/$pid/stat" ] && ! grep -q ') Z ' "/proc/$pid/stat" || break; sleep 0.1; done
    rm -f "$MACHINE/daemon.pid"
}
begin() {
    [ ! -e "$MACHINE/daemon.pid" ] || return 0
    CREDENTIALS_DIRECTORY=/etc/send-triage/secrets send-triage run >"$MACHINE/daemon.log" 2>&1 </dev/null &
    echo $! >"$MACHINE/daemon.pid"
    for _ in $(seq 600); do ! grep -q ' Started' "$MACHINE/daemon.log" || return 0; sleep 0.1; done
    cat "$MACHINE/daemon.log" >&2; exit 1
}
for unit in $units; do
    case "$unit" in *.service|*.timer) ;; *) unit=$unit.service ;; esac
    case "$unit" in
        send-triage@*.service) ;;
        *) [ -e "/usr/lib/systemd/system/$unit" ] || { echo "Unit $unit not found." >&2; exit 5; } ;;
    esac
    [ "$unit" = send-triage.service ] || continue
    case "$verb" in
        start) begin ;;
        enable) case " $* " in *" --now "*) begin ;; esac ;;
        stop) halt ;;
        restart) halt; begin ;;
        reload) kill -HUP "$(cat "$MACHINE/daemon.pid")" ;;
    esac
done
"#;

const JOURNALCTL: &str = r#"
while [ $# -gt 0 ]; do case "$1" in
    -u) [ -e "/usr/lib/systemd/system/$2.service" ] || { echo "no unit $2" >&2; exit 1; }; shift 2 ;;
    -n|-p|--since) [ -n "$2" ] || exit 1; shift 2 ;;
    -f|--no-pager) shift ;;
    *) echo "journalctl: $1?" >&2; exit 1 ;;
esac; done
cat "$MACHINE/daemon.log"
"#;

/// Installs nothing: `deploy/try-package` does, in a Debian of its own.
const APT: &str = r#"
case "$1 $2" in
    "install ./send-triage_"*_amd64.deb | "install gcc" | "remove " | "purge ") ;;
    *) echo "apt: $*?" >&2; exit 1 ;;
esac
"#;

/// Builds nothing: the program is the one that these tests were built with. What is named must exist.
const CARGO: &str = r#"
case "$1" in
    run) [ "$2 $3" = "--release --" ] || exit 1; shift 3; exec send-triage "$@" ;;
    build) [ "$2" = --release ] && mkdir -p target/release && cp -L "$PROGRAM" target/release/ ;;
    install) [ "$2" = cargo-fuzz ] ;;
    fuzz)
        for word; do case "$word" in -dict=*) [ -e "${word#-dict=}" ] || exit 1 ;; esac; done
        [ "$2" = build ] || grep -q "name = \"$5\"" fuzz/Cargo.toml ;;
    bench)
        [ $# -eq 1 ] || { [ "$2" = --bench ] && grep -q "name = \"$3\"" Cargo.toml && { [ $# -eq 3 ] || [ "$4" = -- ]; }; } ;;
    test)
        shift; which=source
        case "$1" in --lib) shift ;; --test) [ "$2" = all ] || exit 1; which=all; shift 2 ;; esac
        [ $# -gt 0 ] || exit 0
        if [ $which = all ]; then "$TESTS" --list "$1" | grep -q ': test$'; else grep -rqE "fn [a-z_]*$1|mod $1|$1\.rs" src/ tests/ || [ -e "src/triage/$1.rs" ]; fi ;;
    *) exit 1 ;;
esac || { echo "cargo: $*: there is no such thing" >&2; exit 1; }
"#;
