//! What commands print. A reader that has seen enough (`| head`) closes the pipe: that is no fault.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Prints a line to standard output.
pub fn line(text: impl Display) {
    print(format_args!("{text}\n"));
}

/// Prints to standard output. When nobody reads any more, the program ends as if all had been read.
pub fn print(text: impl Display) {
    let mut out = std::io::stdout().lock();
    ended(write!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints bytes that were text before.
pub fn bytes(text: &[u8]) {
    let mut out = std::io::stdout().lock();
    ended(out.write_all(text).and_then(|()| out.flush()));
}

fn ended(written: std::io::Result<()>) {
    if let Err(error) = written {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("error: standard output cannot be written to: {error}");
        std::process::exit(3);
    }
}
