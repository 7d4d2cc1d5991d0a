//! Every command on the pages is typed, as it stands, on a machine with the package installed and mailboxes on real servers
//! (`support/standin.rs`). What cannot be typed here is listed below, with the reason; a new command that is neither fails.

use crate::pages::{name, pages};
use crate::support::few_rules::{QUESTION, URGENT};
use crate::support::servers::{MailServers, Setup};
use crate::support::standin::Machine;
use crate::support::wait_until;

/// Programs whose commands are typed; of some of them a stand-in checks what it is asked for (`support/standin.rs`).
const TYPED: [&str; 13] = [
    "send-triage",
    "systemctl",
    "journalctl",
    "systemd-analyze",
    "systemd-ask-password",
    "apt",
    "cargo",
    "cd",
    "cp",
    "chmod",
    "install",
    "openssl",
    "/usr/share/send-triage/restore-drill",
];

/// What is not typed, by its beginning, and why.
const NOT_TYPED: [(&str, &str); 11] = [
    ("Connect-ExchangeOnline ", "the tenant's administrator's, in PowerShell"),
    ("litestream ", "in no Debian; deploy/litestream/README.md says what was tried by hand"),
    (
        "send-triage doctor --config /etc/send-triage/send-triage.yaml --send-test",
        "waits a minute for the server's own copy; `doctor::with_send_test_...` does it",
    ),
    ("promtool test rules send-triage.rules.test.yml", "`metrics::every_alert_...` runs these very words"),
    ("curl --unix-socket", "half a command; `metrics::a_unix_socket_...` asks the socket"),
    ("tests/run", "this is it"),
    ("deploy/build-package", "a release build, of minutes; tried by hand before a release"),
    ("deploy/try-package PACKAGE.deb", "needs debootstrap and the network; tried by hand before a release"),
    ("deploy/try-container PACKAGE.deb", "needs podman and images; tried by hand before a release"),
    (
        "deploy/try-units PACKAGE.deb",
        "needs debootstrap and systemd-container; tried by hand before a release",
    ),
    ("systemctl edit", "opens an editor"),
];

/// Exchange's own commands on the page: their names and parameters as Microsoft's reference has them.
const CMDLETS: [(&str, &[&str]); 14] = [
    ("Connect-ExchangeOnline", &["Organization"]),
    ("New-ServicePrincipal", &["AppId", "ObjectId", "DisplayName"]),
    ("Get-ServicePrincipal", &[]),
    ("Remove-ServicePrincipal", &[]),
    ("Add-MailboxPermission", &["Identity", "User", "AccessRights"]),
    ("Add-RecipientPermission", &["Identity", "Trustee", "AccessRights"]),
    ("Set-Mailbox", &["CustomAttribute1"]),
    ("New-ManagementScope", &["Name", "RecipientRestrictionFilter"]),
    ("New-ManagementRoleAssignment", &["App", "Role", "CustomResourceScope"]),
    ("Test-ServicePrincipalAuthorization", &["Identity", "Resource"]),
    (
        "Set-CASMailbox",
        &[
            "ImapEnabled",
            "SmtpClientAuthenticationDisabled",
            "ImapUseProtocolDefaults",
            "ImapSuppressReadReceipt",
            "ImapForceICalForCalendarRetrievalOption",
            "ImapEnableExactRFC822Size",
        ],
    ),
    ("Get-CASMailbox", &[]),
    ("Get-TransportConfig", &[]),
    ("Get-LimitsEnforcementStatus", &[]),
];

/// Words that stand for something, and what is typed for them; the longest first.
const PLACEHOLDERS: [(&str, &str); 16] = [
    ("--config FILE", "--config /etc/send-triage/send-triage.yaml"),
    ("--config ...", "--config /etc/send-triage/send-triage.yaml"),
    ("explain FILE.eml", "explain message.eml"),
    ("explain --rules rules-new FILE.eml", "explain --rules rules-new message.eml"),
    ("explain FILE", "explain message.eml"),
    ("schema DIR", "schema schemas-made"),
    ("--write FOLDER", "--write corrected"),
    ("evaluate FOLDER", "evaluate labelled"),
    ("--rules rules FOLDER...", "--rules rules labelled"),
    ("help COMMAND", "help doctor"),
    ("YOUR.NAME", "jo.bloggs"),
    ("_NEW_", "_0.2.0-1_"),
    ("make FILE", "make figures.sqlite"),
    ("cargo test --test all NAME", "cargo test --test all pages"),
    ("cargo test --lib NAME", "cargo test --lib urgency"),
    ("MAIL=FOLDER", "MAIL=mail"),
];

/// Commands that end otherwise than with 0 here, by their beginning: the code, and why.
const ENDS_WITH: [(&str, i32, &str); 1] =
    [("send-triage purge --address parent@example.org", 1, "their case waits for an answer, and is left")];

/// One command of a page, or lines of one block that belong together.
struct Typed {
    page: String,
    lines: Vec<String>,
}

/// The first word that is a program's, after `NAME=value`.
fn program(command: &str) -> &str {
    let mut words = command.split_whitespace();
    words.find(|word| !word.contains('=') || word.starts_with('-')).unwrap_or_default()
}

fn is_cmdlet(command: &str) -> bool {
    program(command).split_once('-').is_some_and(|(verb, noun)| {
        ["Get", "Set", "New", "Add", "Remove", "Test", "Connect"].contains(&verb)
            && noun.starts_with(|c: char| c.is_ascii_uppercase())
    })
}

fn is_command(code: &str) -> bool {
    TYPED.contains(&program(code)) && code.split_whitespace().count() > 1
        || is_cmdlet(code)
        || NOT_TYPED.iter().any(|(beginning, _)| code.starts_with(beginning))
}

/// Without the comment at the end of a line.
fn without_comment(line: &str) -> String {
    line.trim().split("  #").next().unwrap_or_default().trim().to_owned()
}

/// The commands of a page, in order: blocks that are indented, and what stands between backticks. Fenced blocks are the
/// officer's guide's, which `guide` carries out, or no commands.
fn commands(page: &str, text: &str, complaints: &mut Vec<String>) -> Vec<Typed> {
    let mut found: Vec<Typed> = Vec::new();
    let (mut fenced, mut after_blank) = (false, true);
    let (mut block, mut prose) = (Vec::<String>::new(), String::new());
    let inline = |prose: &mut String, found: &mut Vec<Typed>| {
        for code in prose.split('`').skip(1).step_by(2) {
            let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
            if is_command(&code) {
                found.push(Typed { page: page.to_owned(), lines: vec![code] });
            }
        }
        prose.clear();
    };
    for line in text.lines().chain([""]) {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            if !fenced && info.starts_with("console") && page != "docs/officers-guide.md" {
                complaints.push(format!("{page}: nobody types its block `{info}`"));
            }
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        // What goes on from the line above is the text of a list.
        let is_code = line.starts_with("    ") && (!block.is_empty() || after_blank);
        after_blank = line.trim().is_empty();
        if is_code {
            block.push(without_comment(line));
            continue;
        }
        prose.push_str(line);
        prose.push('\n');
        if block.is_empty() {
            continue;
        }
        inline(&mut prose, &mut found);
        let lines = std::mem::take(&mut block);
        if is_command(&lines[0]) {
            found.push(Typed { page: page.to_owned(), lines });
        } else if !is_shown(&lines[0]) {
            complaints.push(format!("{page}: is this a command? {:?}", lines[0]));
        }
    }
    inline(&mut prose, &mut found);
    found
}

/// A block that shows a file: YAML, or what `docs/configuration.md` lists.
fn is_shown(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    first.ends_with(':') || line.starts_with("# yaml-language-server") || first == "send-triage.yaml"
}

/// What is wrong with a command of Exchange's administrator.
fn misfit(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let Some((_, known)) = CMDLETS.iter().find(|(name, _)| *name == words[0]) else {
        return Some(format!("{}: no such command is known", words[0]));
    };
    let parameters = command.split('|').next().unwrap_or_default();
    let quoted: String = parameters.split('"').step_by(2).collect();
    let unknown = quoted.split_whitespace().filter_map(|word| word.strip_prefix('-'));
    unknown
        .filter(|word| !known.contains(word))
        .map(|word| format!("{}: -{word} is not known", words[0]))
        .next()
}

/// As it is typed.
fn typed(command: &str, reference: &str) -> String {
    let mut command = command.replace("SEND-7K4M-2Q9X", reference);
    for (stands, means) in PLACEHOLDERS {
        command = command.replace(stands, means);
    }
    command
}

#[test]
fn every_command_on_the_pages_does_what_it_says() {
    let mut complaints = Vec::new();
    let all: Vec<Typed> =
        pages().iter().flat_map(|(page, text)| commands(&name(page), text, &mut complaints)).collect();
    assert!(all.len() > 100, "only {} commands were found on the pages", all.len());

    let mut machine = Machine::new(MailServers::start(Setup::default()));
    machine.configure();
    machine.must("systemctl start send-triage");
    wait_until("the mailbox in use", || machine.log().contains("Taken into use").then_some(()));
    let reference = machine.case_of("parent.a@inbox.example", QUESTION);
    machine.case_of("parent@example.org", URGENT);
    // As last night's timer did.
    machine.must("send-triage backup /var/backups/send-triage/Sun.sqlite");
    // As Litestream would have restored it.
    machine.must("cp /var/backups/send-triage/Sun.sqlite /var/tmp/drill/restored.sqlite");

    let mut done = std::collections::BTreeSet::new();
    for Typed { page, lines } in &all {
        let desk = machine.desk();
        let mut before = String::new();
        for line in lines {
            let command = typed(line, &reference);
            if is_cmdlet(line) {
                complaints.extend(misfit(line).map(|wrong| format!("{page}: {wrong}")));
                continue;
            }
            if NOT_TYPED.iter().any(|(beginning, _)| line.starts_with(beginning)) {
                continue;
            }
            if !TYPED.contains(&program(line)) {
                complaints.push(format!("{page}: is this a command? {line}"));
                continue;
            }
            if program(line) == "cd" {
                before += &format!("{command}\n");
                continue;
            }
            // The same again would show nothing new, unless something came before it.
            if before.is_empty() && !done.insert(command.clone()) {
                continue;
            }
            machine.configure();
            if let Some(wrong) = trouble(&machine, &desk, &before, &command) {
                complaints.push(format!("{page}: {command}\n{wrong}\n"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Types it; what is wrong with how it ended.
fn trouble(machine: &Machine, desk: &std::path::Path, before: &str, command: &str) -> Option<String> {
    let begun = std::time::Instant::now();
    let of_program = command.strip_prefix("send-triage ").unwrap_or_default();
    let whole = if of_program.starts_with("run") {
        // It goes on until it is told to stop; `--standby` waits behind the one that is at work.
        let sign = if of_program.contains("--standby") { "Standing by" } else { "Started" };
        let stop = if of_program.contains("--standby") { "" } else { "systemctl stop send-triage" };
        format!(
            "{stop}\n{command} >log 2>&1 & program=$!\n\
             for _ in $(seq 600); do ! grep -q '{sign}' log || break; sleep 0.1; done\n\
             grep -q '{sign}' log || cat log\nkill -TERM $program; wait $program; systemctl start send-triage"
        )
    } else if of_program.starts_with("rebuild") {
        // As the pages say before they name it.
        format!("systemctl stop send-triage\n{command}\nsystemctl start send-triage")
    } else {
        command.to_owned()
    };
    let mut ended = machine.run(desk, &format!("{before}{whole}"), "yes\n");
    if ended.code == Some(2) && of_program.split(' ').count() <= 2 {
        // Only named on the page, without what it needs.
        ended = machine.run(desk, &format!("{command} --help"), "");
    }
    let expected =
        ENDS_WITH.iter().find(|(beginning, _, _)| command.starts_with(beginning)).map_or(0, |row| row.1);
    if std::env::var_os("SEND_TRIAGE_SHOW").is_some() {
        eprintln!("{:>6.1} s, {:?}: {command}", begun.elapsed().as_secs_f32(), ended.code);
    }
    (ended.code != Some(expected))
        .then(|| format!("ended with {:?}, not {expected}:\n{}", ended.code, ended.said))
}
