//! Whether what is printed has colours: as asked, else as the terminal and `NO_COLOR` say (no-color.org).

use std::ffi::OsStr;
use std::io::IsTerminal;

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless the variable NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// Whether standard output gets colours.
    pub fn wanted(self) -> bool {
        let variable = |name| std::env::var_os(name).unwrap_or_default();
        self.decided(std::io::stdout().is_terminal(), &variable("NO_COLOR"), &variable("TERM"))
    }

    fn decided(self, is_terminal: bool, no_color: &OsStr, term: &OsStr) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && no_color.is_empty() && term != "dumb",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_wins_over_what_the_surroundings_say() {
        let decided = |colour: Colour, terminal, no_color: &str, term: &str| {
            colour.decided(terminal, OsStr::new(no_color), OsStr::new(term))
        };
        assert!(decided(Colour::Auto, true, "", "xterm"));
        assert!(!decided(Colour::Auto, false, "", "xterm"), "a pipe");
        assert!(!decided(Colour::Auto, true, "1", "xterm"), "NO_COLOR");
        assert!(!decided(Colour::Auto, true, "", "dumb"));
        assert!(decided(Colour::Always, false, "1", "dumb"));
        assert!(!decided(Colour::Never, true, "", "xterm"));
    }
}
