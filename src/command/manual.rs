//! `send-triage man` and `send-triage completions`: what packages install beside the program, made from the definitions of the
//! commands. Hidden from the help: nobody who uses the program needs them. The committed copies stand in `deploy/`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap_complete::Shell;

use super::{CommandError, examples, out};

#[derive(Debug, clap::Args)]
pub struct Man {
    /// The folder that the pages are written into
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Writes `send-triage.1` and a page for each command: `send-triage-cases-list.1`, ...
pub fn man(arguments: &Man) -> Result<(), CommandError> {
    let folder = &arguments.folder;
    let cannot = |path: &Path, error: std::io::Error| {
        CommandError::Outside(format!("{}: the man pages cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    let mut whole = examples::command().disable_help_subcommand(true);
    whole.build();
    let mut pages = Vec::new();
    pages_of(&whole, "send-triage", &mut pages);
    for (name, command) in &pages {
        let path = folder.join(format!("{name}.1"));
        let text = page(name, command).map_err(|error| cannot(&path, error))?;
        std::fs::write(&path, text).map_err(|error| cannot(&path, error))?;
    }
    out::line(format_args!("{} pages written to {}.", pages.len(), folder.display()));
    Ok(())
}

/// A page for each command that is not hidden, by the page's name.
fn pages_of(command: &clap::Command, name: &str, pages: &mut Vec<(String, clap::Command)>) {
    pages.push((name.to_owned(), command.clone()));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        pages_of(inner, &format!("{name}-{}", inner.get_name()), pages);
    }
}

fn page(name: &str, command: &clap::Command) -> std::io::Result<Vec<u8>> {
    // Without a date: it would change with every build, and the version says more.
    let source = format!("send-triage {}", env!("CARGO_PKG_VERSION"));
    let page = clap_mangen::Man::new(command.clone())
        .title(name)
        .source(source)
        .manual("A council's SEND mailboxes");
    let mut text = Vec::new();
    page.render(&mut text)?;
    Ok(text)
}

/// Prints them.
pub fn completions(arguments: &Completions) -> Result<(), CommandError> {
    let mut text = Vec::new();
    let mut command = examples::command();
    clap_complete::generate(arguments.shell, &mut command, "send-triage", &mut text as &mut dyn Write);
    out::bytes(&text);
    Ok(())
}
