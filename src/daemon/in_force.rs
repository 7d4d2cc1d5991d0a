//! What is in force: rules, calendar, wording and routing, loaded together and swapped as a whole.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use include_dir::{Dir, include_dir};

use crate::calendar::WorkingCalendar;
use crate::config::{Config, working_days};
use crate::effect::{Routing, kind_name, queue_name};
use crate::letter::wording::Wording;
use crate::rules::{self, Diagnostic, SourceFile, World as RuleWorld};
use crate::triage::{Limits, Policy, Team, TeamMailbox};

static BUILT_IN_RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// The largest file that is taken for a rule file or a wording.
const LARGEST_FILE: u64 = 8 << 20;

/// One consistent set.
#[derive(Debug)]
pub struct Set {
    /// Rules, calendar and team.
    pub policy: Policy,
    /// The texts of our letters.
    pub wording: Wording,
    /// Which message goes where.
    pub routing: Routing,
    /// What `check` warns about, ready to print.
    pub warnings: Vec<String>,
}

/// Holds the set in force. Taking it is cheap; whoever holds one keeps it, whatever is swapped meanwhile.
#[derive(Debug)]
pub struct InForce(RefCell<Rc<Set>>);

impl InForce {
    /// This set.
    pub fn new(set: Set) -> Self {
        Self(RefCell::new(Rc::new(set)))
    }

    /// The set in force now.
    pub fn now(&self) -> Rc<Set> {
        self.0.borrow().clone()
    }

    /// Puts another set in force.
    pub fn swap(&self, set: Set) {
        *self.0.borrow_mut() = Rc::new(set);
    }
}

/// Why a set was refused: complaints ready to print, all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n\n"))]
pub struct Refused(pub Vec<String>);

/// The files of a rules folder: YAML rules at its top, wording below `wording/`.
#[derive(Debug, Default)]
pub struct RuleFiles {
    /// `urgent.yaml`, ...
    pub rules: Vec<SourceFile>,
    /// `acknowledgement.txt`, ... relative to `wording/`.
    pub wording: Vec<(String, String)>,
}

/// Loads everything that this configuration names, or the built-in rules where it names none.
pub fn load(config: &Config) -> Result<Set, Refused> {
    let files = match &config.rules {
        Some(folder) => read_folder(folder).map_err(|problem| Refused(vec![problem]))?,
        None => built_in(),
    };
    compile(config, &files)
}

/// Compiles a set from these files.
pub fn compile(config: &Config, files: &RuleFiles) -> Result<Set, Refused> {
    let days =
        working_days::load(config.working_days.as_deref()).map_err(|problem| Refused(vec![problem]))?;
    let world = RuleWorld { terms: days.terms, domain: config.council.domain.clone() };
    let mut complaints = Vec::new();
    let ruleset = match rules::compile(&files.rules, &world) {
        Ok(ruleset) => Some(ruleset),
        Err(diagnostics) => {
            complaints.extend(diagnostics.iter().map(Diagnostic::to_string));
            None
        }
    };
    let wording = match Wording::load(&files.wording) {
        Ok(wording) => Some(wording),
        Err(problems) => {
            complaints.extend(problems.iter().map(ToString::to_string));
            None
        }
    };
    let (Some(rules), Some(wording)) = (ruleset, wording) else {
        return Err(Refused(complaints));
    };
    let warnings = rules.warnings.iter().map(Diagnostic::to_string).collect();
    let policy = Policy { rules, calendar: days.calendar, team: team(config) };
    Ok(Set { policy, wording, routing: routing(config), warnings })
}

/// The rules that are built into the program.
pub fn built_in() -> RuleFiles {
    let mut files = RuleFiles::default();
    collect_built_in(&BUILT_IN_RULES, &mut files);
    files
}

fn collect_built_in(dir: &Dir<'_>, files: &mut RuleFiles) {
    for file in dir.files() {
        add(files, &file.path().to_string_lossy().replace('\\', "/"), file.contents().to_vec());
    }
    for inner in dir.dirs() {
        collect_built_in(inner, files);
    }
}

/// Sorts a file of a rules folder by its path in it.
fn add(files: &mut RuleFiles, name: &str, bytes: Vec<u8>) {
    if let Some(wording) = name.strip_prefix("wording/") {
        if wording.ends_with(".txt") || wording.ends_with(".html") {
            files.wording.push((wording.to_owned(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    } else if name.ends_with(".yaml") || name.ends_with(".yml") || name == rules::learned::FILE {
        files.rules.push(SourceFile { name: name.to_owned(), bytes });
    }
}

/// Reads a rules folder. Hidden files and editors' back-up files are passed over.
pub fn read_folder(folder: &Path) -> Result<RuleFiles, String> {
    let mut files = RuleFiles::default();
    read_into(folder, "", &mut files)?;
    if files.rules.is_empty() {
        return Err(format!(
            "{}: no rule files (*.yaml) here. Copy the rules folder that comes with the program.",
            folder.display()
        ));
    }
    files.rules.sort_by(|a, b| a.name.cmp(&b.name));
    files.wording.sort();
    if files.wording.is_empty() {
        files.wording = built_in().wording;
    }
    Ok(files)
}

fn read_into(folder: &Path, prefix: &str, files: &mut RuleFiles) -> Result<(), String> {
    let cannot = |path: &Path, error: std::io::Error| format!("{}: cannot be read: {error}", path.display());
    for entry in std::fs::read_dir(folder).map_err(|e| cannot(folder, e))? {
        let entry = entry.map_err(|e| cannot(folder, e))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with(['.', '~', '#']) || name.ends_with('~') {
            continue;
        }
        let about = std::fs::metadata(&path).map_err(|e| cannot(&path, e))?;
        if about.is_dir() {
            if prefix.matches('/').count() < 3 {
                read_into(&path, &format!("{prefix}{name}/"), files)?;
            }
        } else if about.len() > LARGEST_FILE {
            return Err(format!(
                "{}: larger than {LARGEST_FILE} bytes; this is no rule file.",
                path.display()
            ));
        } else {
            add(files, &format!("{prefix}{name}"), std::fs::read(&path).map_err(|e| cannot(&path, e))?);
        }
    }
    Ok(())
}

fn team(config: &Config) -> Team {
    let limits = &config.acknowledgements;
    Team {
        domain: config.council.domain.to_ascii_lowercase(),
        mailboxes: config
            .accounts
            .iter()
            .map(|account| TeamMailbox { name: account.name.clone(), addresses: account.addresses() })
            .collect(),
        answer_within_working_days: config.deadlines.answer_within_working_days,
        limits: Limits {
            per_sender_a_day: limits.per_sender_a_day,
            per_domain_an_hour: limits.per_domain_an_hour,
            in_all_an_hour: limits.in_all_an_hour,
            oldest_hours: (limits.oldest_hours > 0).then_some(limits.oldest_hours),
            switched_off: !limits.send,
        },
    }
}

fn routing(config: &Config) -> Routing {
    let filing = &config.filing;
    Routing {
        queues: config
            .queues
            .iter()
            .map(|(name, place)| (queue_name((*name).into()), (place.account.clone(), place.folder.clone())))
            .collect(),
        urgent_subfolder: filing.urgent_subfolder.clone(),
        kinds: filing
            .kinds
            .iter()
            .map(|(kind, folder)| (kind_name((*kind).into()), folder.clone()))
            .collect::<BTreeMap<_, _>>(),
        copied: filing.copied.clone(),
        duplicates: filing.duplicates.clone(),
        set_aside: filing.set_aside.clone(),
    }
}

/// Every folder that messages are filed into.
pub fn filing_folders(config: &Config) -> impl Iterator<Item = &str> {
    let filing = &config.filing;
    config
        .queues
        .values()
        .map(|place| place.folder.as_str())
        .chain(filing.kinds.values().map(String::as_str))
        .chain(filing.copied.as_deref())
        .chain(filing.duplicates.as_deref())
        .chain([filing.set_aside.as_str(), filing.passed_on.as_str()])
}

/// The calendar alone, for commands that need no rules.
pub fn calendar(config: &Config) -> Result<WorkingCalendar, Refused> {
    Ok(working_days::load(config.working_days.as_deref()).map_err(|p| Refused(vec![p]))?.calendar)
}
