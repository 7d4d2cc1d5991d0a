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
    let sections = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let page = clap_mangen::Man::new(command.clone().after_help(""))
        .title(name)
        .source(source)
        .manual("A council's SEND mailboxes");
    let mut text = Vec::new();
    page.render(&mut text)?;
    text.extend(in_roff(&sections).into_bytes());
    Ok(text)
}

/// What stands behind a command's help, as sections of its page: a line that ends in a colon is a heading, the rest is shown as
/// it is.
fn in_roff(sections: &str) -> String {
    let mut text = String::new();
    for line in sections.lines() {
        match line.strip_suffix(':').filter(|heading| !heading.starts_with(' ')) {
            Some(heading) => {
                let end = if text.is_empty() { "" } else { ".fi\n" };
                text.push_str(&format!("{end}.SH {}\n.nf\n", heading.to_uppercase()));
            }
            // `\\&` keeps a line that begins with a stop or a quote from being taken for a request.
            None => text.push_str(&format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-"))),
        }
    }
    if text.is_empty() { text } else { text + ".fi\n" }
}

/// Prints them.
pub fn completions(arguments: &Completions) -> Result<(), CommandError> {
    let mut text = Vec::new();
    // clap_complete 4.6 tells commands from their subcommands by `__` in bash, and makes `__` of the hyphen too: for bash the
    // program has a name without one, but where the name is what is typed.
    let bash = arguments.shell == Shell::Bash;
    let name = if bash { "sendtriage" } else { "send-triage" };
    let mut command = without_hidden(name, &examples::command());
    clap_complete::generate(arguments.shell, &mut command, name, &mut text as &mut dyn Write);
    if bash {
        text = String::from_utf8_lossy(&text).replace(" sendtriage\n", " send-triage\n").into_bytes();
    }
    out::bytes(&text);
    Ok(())
}

/// A shell offers what the help shows.
fn without_hidden(name: &'static str, command: &clap::Command) -> clap::Command {
    let shown = command.get_subcommands().filter(|inner| !inner.is_hide_set()).cloned();
    let arguments = command.get_arguments().cloned();
    clap::Command::new(name).version(env!("CARGO_PKG_VERSION")).args(arguments).subcommands(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_the_help_becomes_sections() {
        let text = in_roff("Exit codes:\n  0  done\n\nExamples:\n  x --y \\\n      .z");
        assert_eq!(
            text,
            ".SH EXIT CODES\n.nf\n\\&  0  done\n\\&\n.fi\n.SH EXAMPLES\n.nf\n\\&  x \\-\\-y \\e\n\\&      .z\n.fi\n"
        );
        assert_eq!(in_roff(""), "");
    }
}
