//! Other programs that file mail by words, as Debian packages them: imapfilter and Sieve (`sieve-filter` of Pigeonhole). Each
//! gets 200 phrases taken from the corpus, in eight folders, and is left out where it is not installed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::corpus;
use crate::place::Place;
use crate::support::servers::PASSWORD;

/// How many phrases each of them is given.
const PHRASES: usize = 200;
const FOLDERS: usize = 8;

/// imapfilter as a programmer would write it.
pub const IMAPFILTER: &str = "imapfilter, 200 phrases, searched by itself";
/// imapfilter as its manual writes rules.
pub const IMAPFILTER_BY_SEARCH: &str = "imapfilter, 200 phrases, searched by the server";

/// One of them.
pub struct Tool {
    pub name: &'static str,
    /// So many messages are enough: they are slow.
    pub messages: usize,
    pub run: fn(&Place, &str) -> Duration,
}

/// Those that are installed here.
pub fn installed() -> Vec<Tool> {
    let all = [
        ("imapfilter", Tool { name: IMAPFILTER, messages: 200, run: imapfilter }),
        ("imapfilter", Tool { name: IMAPFILTER_BY_SEARCH, messages: 200, run: imapfilter_by_search }),
        ("sieve-filter", Tool { name: "Sieve, 200 phrases", messages: 400, run: sieve }),
    ];
    let here = |name: &str| {
        ["/usr/bin", "/bin", "/usr/local/bin"].iter().any(|dir| Path::new(dir).join(name).exists())
    };
    let (here, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| here(name));
    for (name, _) in missing {
        println!("{name} is not installed: left out");
    }
    here.into_iter().map(|(_, tool)| tool).collect()
}

/// Three words in a row of what people write, lower case, so that each stands in some of the mail.
fn phrases() -> Vec<String> {
    let mut phrases: Vec<String> = Vec::new();
    for paragraph in corpus::paragraphs() {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        for three in words.chunks(3).skip(2).step_by(7) {
            let phrase = three.join(" ").to_lowercase();
            let is_plain = phrase.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' ');
            if three.len() == 3 && is_plain && !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
        if phrases.len() >= PHRASES {
            break;
        }
    }
    phrases.truncate(PHRASES);
    assert_eq!(phrases.len(), PHRASES, "the corpus has too few phrases");
    phrases
}

/// In the way that costs it least: each message is fetched once, and its text searched for one phrase after the other.
fn imapfilter(place: &Place, user: &str) -> Duration {
    run_imapfilter(
        place,
        user,
        "all = box.INBOX:select_all()\nfound = {}\n\
        for _, message in ipairs(all) do\n  local place, uid = table.unpack(message)\n\
          local text = string.lower(place[uid]:fetch_message() or '')\n  local to = 'Triage/Other'\n\
          for _, phrase in ipairs(phrases) do\n    if string.find(text, phrase[1], 1, true) then to = phrase[2] break end\n  end\n\
          found[to] = found[to] or Set {}\n  table.insert(found[to], message)\nend\n\
        for to, messages in pairs(found) do messages:move_messages(box[to]) end\n",
    )
}

/// In the way of its manual: each phrase is a rule, and the server is asked which messages have it. What is decoded, it decodes too.
fn imapfilter_by_search(place: &Place, user: &str) -> Duration {
    run_imapfilter(
        place,
        user,
        "for _, phrase in ipairs(phrases) do\n\
          local found = box.INBOX:contain_body(phrase[1])\n  if #found > 0 then found:move_messages(box[phrase[2]]) end\nend\n\
        local rest = box.INBOX:select_all()\nif #rest > 0 then rest:move_messages(box['Triage/Other']) end\n",
    )
}

fn run_imapfilter(place: &Place, user: &str, rules: &str) -> Duration {
    let mut script = format!(
        "options.timeout = 120\noptions.create = true\noptions.starttls = false\noptions.certificates = false\noptions.info = false\n\
         box = IMAP {{ server = 'localhost', port = {}, username = '{user}', password = '{PASSWORD}' }}\nphrases = {{\n",
        place.servers.imap_port()
    );
    for (number, phrase) in phrases().iter().enumerate() {
        let _ = writeln!(script, "  {{ '{phrase}', 'Triage/{}' }},", number % FOLDERS);
    }
    script += "}\nfor _, folder in ipairs({ '0', '1', '2', '3', '4', '5', '6', '7', 'Other' }) do box:create_mailbox('Triage/' .. folder) end\n";
    script += rules;
    let home = place.dir.path().join(format!("imapfilter-{user}"));
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("config.lua"), script).unwrap();
    let mut command = Command::new("imapfilter");
    command.arg("-c").arg(home.join("config.lua")).env("HOME", &home);
    timed(command, place, user)
}

/// `sieve-filter`, which reads and files within Dovecot itself: no IMAP at all.
fn sieve(place: &Place, user: &str) -> Duration {
    let phrases = phrases();
    let mut script = String::from("require [\"body\", \"fileinto\", \"mailbox\"];\n");
    for folder in 0..FOLDERS {
        let mine: Vec<String> =
            phrases.iter().skip(folder).step_by(FOLDERS).map(|phrase| format!("\"{phrase}\"")).collect();
        let _ = writeln!(
            script,
            "{} body :text :contains [{}] {{ fileinto :create \"Triage/{folder}\"; }}",
            if folder == 0 { "if" } else { "elsif" },
            mine.join(", ")
        );
    }
    script += "else { fileinto :create \"Triage/Other\"; }\n";
    let file = place.dir.path().join(format!("{user}.sieve"));
    fs::write(&file, script).unwrap();
    // Its users may read it, and write what it compiles beside it.
    for (path, mode) in [(place.dir.path(), "1777"), (file.as_path(), "644")] {
        assert!(Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
    }
    let mut command = Command::new("sieve-filter");
    command
        .arg("-c")
        .arg(place.servers.dovecot_config())
        .args(["-u", user, "-e", "-W"])
        .arg(&file)
        .arg("INBOX");
    timed(command, place, user)
}

fn timed(mut command: Command, place: &Place, user: &str) -> Duration {
    let begun = Instant::now();
    let done = command.stdin(Stdio::null()).output().unwrap();
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && place.left(user) == 0, "{} left, {command:?}: {said}", place.left(user));
    took
}
