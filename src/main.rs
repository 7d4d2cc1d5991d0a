//! The `send-triage` program: one command, one error, one exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    send_triage::command::main()
}
