//! The program itself, as a process that can be asked, signalled and killed.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::{wait_at_most, wait_until};

/// A running `send-triage`. Dropping it kills it; so does the end of the thread that started it.
pub struct Program {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// What a command that has ended left behind.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// Starts it in `dir`; what it says goes to `out.N` and `err.N` there, a new N for each start.
    pub fn start(dir: &Path, arguments: &[&str]) -> Self {
        Self::start_with(dir, arguments, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let run = (1..).find(|n| !dir.join(format!("out.{n}")).exists()).unwrap();
        let (stdout, stderr) = (dir.join(format!("out.{run}")), dir.join(format!("err.{run}")));
        // The kernel kills the child with us: a test that is killed leaves no daemon behind.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_send-triage")]).args(arguments);
        command.current_dir(dir).stdin(Stdio::null()).envs(environment.iter().copied());
        command.stdout(fs::File::create(&stdout).unwrap()).stderr(fs::File::create(&stderr).unwrap());
        Self { child: command.spawn().expect("setpriv, of Debian's util-linux"), stdout, stderr }
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(dir: &Path, arguments: &[&str]) -> Finished {
        // On a busy machine a command that reads two sets of rules takes its time.
        Self::start(dir, arguments).finish_within(super::PATIENCE * 10)
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Waits until standard error holds these words.
    #[track_caller]
    pub fn wait_for_log(&self, words: &str) {
        wait_until(&format!("{words:?} in the log:\n{}", self.stderr()), || {
            self.stderr().contains(words).then_some(())
        });
    }

    /// How much memory it holds now (VmRSS of proc(5)), in kB.
    pub fn resident_kilobytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Its number, by which the system knows it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by name: `TERM`, `HUP`, `KILL`, `STOP`.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> Finished {
        self.child.kill().unwrap();
        self.finish()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end; panics when it does not come.
    #[track_caller]
    pub fn finish(self) -> Finished {
        self.finish_within(super::PATIENCE * 2)
    }

    #[track_caller]
    pub fn finish_within(mut self, limit: std::time::Duration) -> Finished {
        let ended: Option<ExitStatus> = wait_at_most(limit, || self.child.try_wait().unwrap());
        let Some(status) = ended else {
            panic!("send-triage does not end.\n{}\n{}", self.stdout(), self.stderr());
        };
        Finished {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- send-triage wrote\n{}\n{}", self.stdout(), self.stderr());
        }
    }
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}
