//! What the help and the man page of each command show: examples that can be typed, the exit codes, the files.
//!
//! One table instead of a line at each command, so that a test can see that none was forgotten and that each is understood.

use clap::CommandFactory;

use super::Arguments;

/// For each command that does something: what can be typed, and what comes of it.
pub(super) const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "run",
        &[
            ("send-triage run", "looks after the mailboxes of /etc/send-triage/send-triage.yaml"),
            ("send-triage run --standby", "waits until the one at work has ended, then takes over"),
        ],
    ),
    (
        "demo",
        &[("send-triage demo --out demo-out", "shows on built-in messages what it does; needs no server")],
    ),
    (
        "check",
        &[
            (
                "send-triage check --config /etc/send-triage/send-triage.yaml",
                "says what is wrong, where, and what to write",
            ),
            (
                "send-triage check --rules new-rules --format short",
                "one line for each mistake, for an editor",
            ),
        ],
    ),
    ("doctor", &[("send-triage doctor", "tries every account, and says how to mend what fails")]),
    (
        "health",
        &[(
            "send-triage health || systemctl restart send-triage",
            "ends with 3 where mail is not looked after",
        )],
    ),
    (
        "explain",
        &[
            ("send-triage explain letter.eml", "which rule held, by which words, and when the answer is due"),
            ("send-triage explain --format html letter.eml > why.html", "a page to show to a colleague"),
        ],
    ),
    (
        "evaluate",
        &[(
            "send-triage evaluate --rules new-rules labelled",
            "how often these rules are right, and where not",
        )],
    ),
    (
        "replay",
        &[(
            "send-triage replay --rules new-rules --against recorded --since 2026-09-01",
            "what this term's mail would get",
        )],
    ),
    (
        "suggest",
        &[("send-triage suggest --since 2026-11-01", "what staff corrected, and the rule to look at")],
    ),
    ("learn", &[("send-triage learn --rules rules labelled", "writes rules/learned.csv anew")]),
    ("due", &[("send-triage due \"2026-12-17 16:30\"", "the day, and which days were not counted")]),
    (
        "cases list",
        &[
            ("send-triage cases list --overdue", "what should have been answered"),
            ("send-triage cases list --queue assessment --due-within 2 --format csv", "for a spreadsheet"),
        ],
    ),
    (
        "cases show",
        &[("send-triage cases show SEND-7K4M-2Q9X", "its messages, its days, and why it was decided so")],
    ),
    (
        "cases answer",
        &[("send-triage cases answer SEND-7K4M-2Q9X --why \"by telephone\"", "it is answered as of now")],
    ),
    (
        "cases extend",
        &[(
            "send-triage cases extend SEND-7K4M-2Q9X --until \"14 January\" --why \"waiting for the report\"",
            "the answer may take until then",
        )],
    ),
    (
        "cases reopen",
        &[("send-triage cases reopen SEND-7K4M-2Q9X --why \"half was answered\"", "an answer is owed again")],
    ),
    (
        "cases close",
        &[("send-triage cases close SEND-7K4M-2Q9X --why \"sent by mistake\"", "nothing is owed any more")],
    ),
    (
        "cases reassign",
        &[(
            "send-triage cases reassign SEND-7K4M-2Q9X --queue resolution",
            "another team has it; its day stays",
        )],
    ),
    (
        "cases history",
        &[
            ("send-triage cases history parent@inbox.example", "everything that this person asked"),
            ("send-triage cases history SEND-7K4M-2Q9X", "what happened in this case, step by step"),
        ],
    ),
    (
        "cases withheld",
        &[("send-triage cases withheld --since 2026-11-16", "who got no acknowledgement, and why")],
    ),
    (
        "cases correct",
        &[(
            "send-triage cases correct SEND-7K4M-2Q9X --urgent --ground U4",
            "the case is urgent; `suggest` tells whoever keeps the rules",
        )],
    ),
    (
        "digest",
        &[
            ("send-triage digest --preview preview", "last week's digest as files; nothing is sent"),
            ("send-triage digest --send", "sends it to those who have not had it"),
        ],
    ),
    (
        "report",
        &[
            ("send-triage report --from 2026-09-01 --to 2026-12-18 > term.html", "the figures of a term"),
            ("send-triage report --case SEND-7K4M-2Q9X", "the decision slip of one case"),
        ],
    ),
    (
        "backup",
        &[(
            "send-triage backup /var/backups/send-triage.sqlite",
            "a copy that was checked; the daemon goes on",
        )],
    ),
    ("rebuild", &[("send-triage rebuild --dry-run", "what the mailboxes would give; changes nothing")]),
    (
        "purge",
        &[
            ("send-triage purge --dry-run", "who would be taken out of the record"),
            (
                "send-triage purge --address parent@inbox.example",
                "asks, then erases what is kept about this person",
            ),
        ],
    ),
    (
        "export",
        &[(
            "send-triage export --address parent@inbox.example --output answer.json",
            "for a request to see it",
        )],
    ),
    (
        "schema",
        &[
            ("send-triage schema schemas", "writes the four schemas into this folder"),
            ("send-triage schema --reference", "prints every key of the configuration"),
        ],
    ),
    ("man", &[("send-triage man deploy/man", "a page for the program and one for each command")]),
    ("completions", &[("send-triage completions bash > send-triage.bash", "for the shell")]),
];

/// Behind the help of the program itself, and in its man page.
const WHOLE: &str = "\
Exit codes:
  0  done
  1  the input or the configuration is at fault; the message says what to write
  2  the command was not understood
  3  something outside failed (a server, a disk), or `health` found that mail is not looked after

Files:
  /etc/send-triage/send-triage.yaml    the configuration
  /etc/send-triage/send-triage.d/      further parts of it (*.yaml)

Examples:
  send-triage demo
      shows on built-in messages what it does
  send-triage check --config send-triage.yaml
      says what is wrong, where, and what to write
  send-triage run
      looks after the mailboxes";

/// The commands with their examples.
pub(super) fn command() -> clap::Command {
    let whole = Arguments::command().after_help(WHOLE);
    EXAMPLES.iter().fold(whole, |command, (path, examples)| {
        let path: Vec<&str> = path.split(' ').collect();
        with(command, &path, &shown(examples))
    })
}

fn shown(examples: &[(&str, &str)]) -> String {
    let title = if examples.len() == 1 { "Example:" } else { "Examples:" };
    let lines = examples.iter().map(|(typed, comes)| format!("  {typed}\n      {comes}"));
    std::iter::once(title.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

fn with(command: clap::Command, path: &[&str], text: &str) -> clap::Command {
    match path {
        [] => command.after_help(text.to_owned()),
        [first, rest @ ..] => command.mut_subcommand(*first, |inner| with(inner, rest, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of all commands that do something, as they are typed.
    fn leaves(command: &clap::Command, path: &str, into: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            let path = format!("{path} {}", inner.get_name()).trim().to_owned();
            if inner.has_subcommands() { leaves(inner, &path, into) } else { into.push(path) }
        }
    }

    /// As a shell divides it: words in quotes stay together, and what stands behind a `>` or `||` is the shell's.
    fn words(typed: &str) -> Vec<String> {
        let typed = typed.split([">", "||"].map(|c| c.chars().next().unwrap())).next().unwrap();
        let parts = typed.split('"').enumerate();
        let words = parts.flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
            _ => vec![part.to_owned()],
        });
        words.collect()
    }

    #[test]
    fn every_command_has_an_example_and_every_example_is_understood() {
        let mut all = Vec::new();
        leaves(&Arguments::command(), "", &mut all);
        let known: Vec<&str> = EXAMPLES.iter().map(|(path, _)| *path).collect();
        let missing: Vec<_> = all.iter().filter(|path| !known.contains(&path.as_str())).collect();
        assert!(missing.is_empty(), "no example in command/examples.rs for {missing:?}");
        assert_eq!(all.len(), known.len(), "an example for a command that is not there");
        for (path, examples) in EXAMPLES {
            for (typed, comes) in *examples {
                let words = words(typed);
                assert_eq!(words[1..].join(" ").find(path), Some(0), "{typed} is not about {path}");
                if let Err(error) = command().try_get_matches_from(&words) {
                    panic!("{typed}\n{error}");
                }
                assert!(!comes.is_empty() && typed.len() < 110, "{typed}");
            }
        }
    }

    #[test]
    fn the_commands_are_well_formed_and_their_help_has_the_examples() {
        command().debug_assert();
        let mut whole = command();
        let due = whole.find_subcommand_mut("due").unwrap().render_help().to_string();
        assert!(due.contains("Example:\n  send-triage due \"2026-12-17 16:30\"\n      the day"), "{due}");
        assert!(whole.render_help().to_string().contains("Exit codes:"));
    }

    /// Every command and option says what it is, beginning with a capital and without a stop at its end.
    #[test]
    fn every_command_and_option_is_explained_in_the_same_manner() {
        fn look(command: &clap::Command, path: &str, wrong: &mut Vec<String>) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let bad = |text: &str| {
                text.is_empty() || text.ends_with('.') || !text.starts_with(|c: char| !c.is_lowercase())
            };
            if !path.is_empty() && bad(&about) {
                wrong.push(format!("{path}: {about:?}"));
            }
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                // `html, csv or json` begins with a value of the option.
                let by_value = argument.get_possible_values().iter().any(|v| help.starts_with(v.get_name()));
                if bad(&help) && !by_value {
                    wrong.push(format!("{path} {}: {help:?}", argument.get_id()));
                }
            }
            for inner in command.get_subcommands() {
                look(inner, &format!("{path} {}", inner.get_name()), wrong);
            }
        }
        let mut wrong = Vec::new();
        look(&Arguments::command(), "", &mut wrong);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
