//! The pages for people are true: every command in them is one that the program has, every link leads somewhere, every file and
//! folder that they name is there. That its commands do what they should is `pages_run`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::program::Program;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, by its path.
pub fn pages() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("docs"), root().join("deploy")];
    let mut pages =
        ["README.md", "CONTRIBUTING.md", "rules/README.md"].map(|page| root().join(page)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "md") {
                pages.push(entry);
            }
        }
    }
    pages.into_iter().map(|page| (page.clone(), fs::read_to_string(page).unwrap())).collect()
}

pub fn name(page: &Path) -> String {
    page.strip_prefix(root()).unwrap().display().to_string()
}

/// The commands on a page: words after `send-triage`, in a block or between backticks.
fn commands(text: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let in_backticks = text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
    let in_blocks = text.lines().filter(|line| line.starts_with("    ")).flat_map(|line| line.split("&&"));
    for code in in_backticks.chain(in_blocks) {
        let words: Vec<&str> = code.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "send-triage") else { continue };
        // `systemctl restart send-triage`, `journalctl -u send-triage`: the service, not the program.
        let is_program = words[..at].iter().all(|word| word.contains('='));
        if is_program && words.len() > at + 1 {
            found.insert(words[at + 1..].iter().map(ToString::to_string).collect());
        }
    }
    found
}

#[test]
fn every_command_on_a_page_is_one_that_the_program_has() {
    let dir = tempfile::tempdir().unwrap();
    let mut helps = std::collections::BTreeMap::new();
    let mut help = |of: &[String]| {
        let run = || {
            let arguments: Vec<&str> = of.iter().map(String::as_str).chain(["--help"]).collect();
            let done = Program::run(dir.path(), &arguments);
            (done.code == Some(0)).then_some(done.stdout)
        };
        helps.entry(of.to_vec()).or_insert_with(run).clone()
    };
    let mut complaints = Vec::new();
    let mut checked = 0;
    for (page, text) in pages() {
        for command in commands(&text) {
            let is_name = |word: &&String| {
                word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
            };
            let mut names: Vec<String> = command.iter().take_while(is_name).take(2).cloned().collect();
            // `cases list` has two names, `backup before-upgrade` one and a file's.
            if names.len() == 2 && help(&names[..1]).is_some_and(|text| !text.contains("Commands:")) {
                names.pop();
            }
            if names.is_empty() || names[0] == "help" {
                continue;
            }
            checked += 1;
            let Some(help) = help(&names) else {
                complaints.push(format!(
                    "{}: send-triage {}: no such command",
                    name(&page),
                    command.join(" ")
                ));
                continue;
            };
            let flags = command.iter().filter(|word| word.starts_with("--"));
            let unknown = flags.filter(|flag| {
                let flag = flag.split(['=', ',', ']', ';', '.', ')']).next().unwrap();
                !help.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|known| known == flag)
            });
            complaints.extend(unknown.map(|flag| {
                format!("{}: send-triage {}: no such flag as {flag}", name(&page), names.join(" "))
            }));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(checked > 40, "only {checked} commands were found on the pages");
}

#[test]
fn every_link_leads_somewhere() {
    let mut complaints = Vec::new();
    for (page, text) in pages() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.starts_with("http") || link.contains(char::is_whitespace) {
                continue;
            }
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            if !target.exists() {
                complaints.push(format!("{}: {link}: there is no such file", name(&page)));
                continue;
            }
            let headings = || fs::read_to_string(&target).unwrap();
            if !anchor.is_empty()
                && !headings().lines().any(|line| line.starts_with('#') && anchor_of(line) == anchor)
            {
                complaints.push(format!("{}: {link}: there is no such heading", name(&page)));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A heading as links name it.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn duty_staff_find_every_folder_on_their_page() {
    let page = fs::read_to_string(root().join("docs/duty-staff.md")).unwrap();
    let config = fs::read_to_string(root().join("config/send-triage.yaml")).unwrap();
    let filing = config.split("\nfiling:").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut names: Vec<String> = Vec::new();
    for line in filing.lines().map(|line| line.split('#').next().unwrap()) {
        let folders = line.split("Triage/").skip(1).map(|rest| rest.split([',', '}']).next().unwrap().trim());
        names.extend(folders.map(str::to_owned));
        names.extend(line.split_once("_subfolder: ").map(|(_, name)| name.trim().to_owned()));
    }
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        assert!(page.contains(&name), "docs/duty-staff.md does not say what {name:?} is");
    }
}

/// Whoever reads the pages where the package puts them can follow their links, but to what is for developers.
#[test]
fn in_the_package_too_every_link_leads_somewhere() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let assets = manifest.split("\nassets = [").nth(1).unwrap().split("\n]").next().unwrap();
    // From `["docs/*.md", "usr/share/doc/send-triage/docs/", ...`: the page's folder here, and there.
    let mut places = BTreeMap::new();
    for line in assets.lines().filter(|line| line.contains("share/doc/send-triage")) {
        let words: Vec<&str> = line.split('"').collect();
        places.insert(words[1], words[3].trim_start_matches("usr/share/doc/send-triage").trim_matches('/'));
    }
    let is_packed = |path: &Path| {
        let here = path.strip_prefix(root()).unwrap();
        let extension = here.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let of = |name: &str| here.parent().unwrap().join(name).display().to_string();
        let patterns = [of("*"), of(&format!("*.{extension}")), here.display().to_string()];
        let place = patterns.iter().find_map(|pattern| places.get(pattern.as_str()));
        place.is_some_and(|place| Path::new(place) == here.parent().unwrap())
            || path.is_dir() && places.values().any(|place| Path::new(place).starts_with(here))
    };
    let for_developers = ["src/", "tests/", "benches/", "fuzz/", "fixtures/", "rules", "schemas/"];
    let mut complaints = Vec::new();
    for (page, text) in pages().into_iter().filter(|(page, _)| is_packed(page)) {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.starts_with("http") || file.contains(char::is_whitespace) {
                continue;
            }
            let Ok(target) = page.parent().unwrap().join(file).canonicalize() else { continue };
            let here = target.strip_prefix(root()).unwrap().display().to_string();
            if !is_packed(&target) && !for_developers.iter().any(|folder| here.starts_with(folder)) {
                complaints.push(format!("{}: {link} is not in the package", name(&page)));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The units, the package and its scripts name files; those are there, and all of the units are stopped and started.
#[test]
fn the_package_holds_what_it_names() {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let manifest = read("Cargo.toml");
    let assets = manifest.split("\nassets = [").nth(1).unwrap().split("\n]").next().unwrap();
    for line in assets.lines().filter(|line| line.contains('"')) {
        let source = line.split('"').nth(1).unwrap();
        let folder = source.split('*').next().unwrap();
        let is_there = root().join(folder).exists()
            || fs::read_dir(root().join(folder).parent().unwrap()).is_ok_and(|mut found| {
                found.any(|entry| entry.unwrap().path().display().to_string().contains(folder))
            });
        assert!(is_there || source.starts_with("target/"), "Cargo.toml names {source}, which is not there");
    }
    for unit in fs::read_dir(root().join("deploy")).unwrap().map(|entry| entry.unwrap().path()) {
        let Some(name) = unit.file_name().and_then(|name| name.to_str()) else { continue };
        let is_enabled = name.ends_with(".timer") || name == "send-triage.service";
        for script in ["postinst", "prerm", "postrm"].iter().filter(|_| is_enabled) {
            assert!(
                read(&format!("deploy/debian/{script}")).contains(name),
                "{script} knows nothing of {name}"
            );
        }
    }
}
