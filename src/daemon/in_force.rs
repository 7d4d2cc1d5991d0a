//! What is in force: rules, calendar, wording and routing, loaded together and swapped as a whole.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use crate::calendar::WorkingCalendar;
use crate::config::{Config, working_days};
use crate::effect::{Routing, kind_name, queue_name};
use crate::letter::wording::Wording;
use crate::rules::{self, Diagnostic, Ruleset, Severity, SourceFile, World as RuleWorld, diagnostic};
use crate::triage::{CallBackDesk, Limits, Policy, Team, TeamMailbox};

use super::refusal::Refusal;

static BUILT_IN_RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// The largest file that is taken for a rule file or a wording.
const LARGEST_FILE: u64 = 8 << 20;

/// One consistent set.
#[derive(Debug)]
pub struct Set {
    /// Rules, calendar and team; shared with the thread that decides (`contained.rs`).
    pub policy: Arc<Policy>,
    /// The texts of our letters.
    pub wording: Wording,
    /// Which message goes where.
    pub routing: Routing,
    /// What the operator set, as far as it can change while the program runs.
    pub config: Rc<Config>,
    /// The rule files from which it was made.
    pub sources: Vec<SourceFile>,
    /// What `check` warns about.
    pub warnings: Vec<Diagnostic>,
}

/// Holds the set in force. Taking it is cheap; whoever holds one keeps it, whatever is swapped meanwhile.
#[derive(Debug)]
pub struct InForce {
    set: RefCell<Rc<Set>>,
    /// The last change that was refused and is not mended.
    refusal: RefCell<Option<Refusal>>,
    /// The file that the configuration was read from.
    configuration: Option<PathBuf>,
}

impl InForce {
    /// This set.
    pub fn new(set: Set) -> Self {
        Self { set: RefCell::new(Rc::new(set)), refusal: RefCell::new(None), configuration: None }
    }

    /// The same, with the file that SIGHUP reads anew.
    #[must_use]
    pub fn configured_by(self, path: &Path) -> Self {
        Self { configuration: Some(path.to_path_buf()), ..self }
    }

    /// The set in force now.
    pub fn now(&self) -> Rc<Set> {
        self.set.borrow().clone()
    }

    /// Puts another set in force; what was refused before is mended by it.
    pub fn swap(&self, set: Set) {
        *self.set.borrow_mut() = Rc::new(set);
        *self.refusal.borrow_mut() = None;
    }

    /// The file that the configuration was read from.
    pub fn configuration(&self) -> Option<&Path> {
        self.configuration.as_deref()
    }

    /// Notes that a change was refused.
    pub fn refuse(&self, refusal: Refusal) {
        *self.refusal.borrow_mut() = Some(refusal);
    }

    /// The change that was refused and is not mended.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal.borrow().clone()
    }

    /// A notice about it has been sent; the refusal's fingerprint once all have.
    pub fn notice_sent(&self, message_id: &str) -> Option<String> {
        self.refusal.borrow_mut().as_mut().and_then(|refusal| refusal.sent(message_id))
    }
}

/// Why a set was refused: all complaints, not the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", diagnostic::listed(.0).trim_end())]
pub struct Refused(pub Vec<Diagnostic>);

/// The files of a rules folder: YAML rules at its top, wording below `wording/`.
#[derive(Debug, Default)]
pub struct RuleFiles {
    /// `urgent.yaml`, ...
    pub rules: Vec<SourceFile>,
    /// `acknowledgement.txt`, ... relative to `wording/`.
    pub wording: Vec<(String, String)>,
    /// The folder, as complaints name it.
    pub folder: String,
    /// Texts of letters that are no text, as complaints.
    pub unreadable: Vec<Diagnostic>,
}

/// Loads everything that this configuration names, or the built-in rules where it names none.
pub fn load(config: &Config) -> Result<Set, Refused> {
    load_with_files(config).map(|(set, _)| set)
}

/// The same, with the files from which the set was made.
pub fn load_with_files(config: &Config) -> Result<(Set, RuleFiles), Refused> {
    let (files, compile_rules): (_, CompileRules) = match &config.rules {
        Some(folder) => (read_folder(folder)?, rules::compile),
        None => (built_in(), rules::compile_tested),
    };
    Ok((put_together(config, &files, compile_rules)?, files))
}

/// The same for somebody who asks whether all is well: the rules that are built in show their examples too.
pub fn load_and_try(config: &Config) -> Result<Set, Refused> {
    match &config.rules {
        Some(_) => load(config),
        None => compile(config, &built_in()),
    }
}

/// Compiles a set from these files.
pub fn compile(config: &Config, files: &RuleFiles) -> Result<Set, Refused> {
    let compile_rules: CompileRules = match config.rules {
        Some(_) => rules::compile,
        None => rules::compile_known,
    };
    put_together(config, files, compile_rules)
}

/// How rules are compiled: with all that they can be tried on, or as rules that were tried before.
type CompileRules = fn(&[SourceFile], &RuleWorld) -> Result<Ruleset, Vec<Diagnostic>>;

fn put_together(config: &Config, files: &RuleFiles, compile_rules: CompileRules) -> Result<Set, Refused> {
    let mut complaints = files.unreadable.clone();
    let days = working_days::load(config.working_days.as_deref());
    let terms = days.as_ref().map(|days| days.terms.clone()).unwrap_or_default();
    let world = RuleWorld { terms, domain: config.council.domain.clone() };
    let ruleset = compile_rules(&files.rules, &world);
    if let Err(diagnostics) = &ruleset {
        complaints.extend(diagnostics.iter().cloned());
    }
    let wording = Wording::load(&files.wording);
    let text_of =
        |file: &str| files.wording.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str());
    if let Err(problems) = &wording {
        complaints.extend(problems.iter().map(|problem| Diagnostic {
            file: format!("wording/{}", problem.file.trim_start_matches("wording/")),
            ..problem.diagnostic(text_of(&problem.file).unwrap_or_default())
        }));
    }
    // Named so that an editor can open them from where the command was called.
    let in_folder = |complaint: Diagnostic| match files.folder.as_str() {
        "" => complaint,
        folder => Diagnostic { file: format!("{folder}/{}", complaint.file), ..complaint },
    };
    let mut complaints: Vec<Diagnostic> = complaints.into_iter().map(in_folder).collect();
    let (rules, wording, days) = match (ruleset, wording, days) {
        (Ok(rules), Ok(wording), Ok(days)) if complaints.is_empty() => (rules, wording, days),
        (.., Err(more)) => {
            complaints.extend(more);
            return Err(Refused(complaints));
        }
        _ => return Err(Refused(complaints)),
    };
    // A council may have fewer mailboxes than the rules that come with the program know.
    let mailboxes = unknown_mailboxes(config, &rules);
    let warnings = rules.warnings.iter().cloned().chain(mailboxes).map(in_folder);
    let warnings = warnings.chain(unreminded(config)).chain(config.warnings.iter().cloned()).collect();
    let policy = Arc::new(Policy { rules, calendar: days.calendar, team: team(config) });
    Ok(Set {
        policy,
        wording,
        routing: routing(config),
        config: Rc::new(config.clone()),
        sources: files.rules.iter().filter(|file| file.name != rules::learned::FILE).cloned().collect(),
        warnings,
    })
}

/// Rules that speak of a mailbox which the configuration does not have.
fn unknown_mailboxes(config: &Config, rules: &Ruleset) -> Vec<Diagnostic> {
    if config.rules.is_none() {
        return Vec::new(); // Nobody can change the built-in ones.
    }
    let names = || config.accounts.iter().map(|account| account.name.as_str());
    let unknown = rules.mailboxes.iter().filter(|(name, _)| config.account(name).is_none());
    let complaint = |(name, complaint): &(String, Diagnostic)| {
        let known = names().collect::<Vec<_>>().join(", ");
        let remedy = match diagnostic::nearest(name, names()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("The accounts are: {known}."),
        };
        Diagnostic { remedy: Some(remedy), ..complaint.clone() }
    };
    unknown.map(complaint).collect()
}

/// Cases that no daily letter tells of, though there are daily letters.
fn unreminded(config: &Config) -> Option<Diagnostic> {
    let gaps = config.unreminded();
    let problem = format!("nobody's daily letter tells of the cases of: {}", gaps.join("; "));
    let remedy = "Name somebody for them under `reminders: to:`, or somebody without `queues` and `areas`.";
    let complaint = Diagnostic::whole_file("send-triage.yaml".to_owned(), &problem, remedy);
    (!gaps.is_empty()).then_some(Diagnostic { severity: Severity::Warning, ..complaint })
}

/// The rules that are built into the program.
pub fn built_in() -> RuleFiles {
    let mut files = RuleFiles { folder: "rules".to_owned(), ..RuleFiles::default() };
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
            // A character that cannot be read would stand in a letter to a parent.
            match rules::source::text(&bytes) {
                Ok(text) => files.wording.push((wording.to_owned(), text)),
                Err(bad) => files.unreadable.push(bad.diagnostic(name)),
            }
        }
    } else if name.ends_with(".yaml") || name.ends_with(".yml") || name == rules::learned::FILE {
        files.rules.push(SourceFile { name: name.to_owned(), bytes });
    }
}

/// Reads a rules folder. Hidden files and editors' back-up files are passed over.
pub fn read_folder(folder: &Path) -> Result<RuleFiles, Refused> {
    let shown = folder.display().to_string().trim_start_matches("./").to_owned();
    let mut files = RuleFiles { folder: shown.trim_end_matches('/').to_owned(), ..RuleFiles::default() };
    read_into(folder, "", &mut files).map_err(|complaint| Refused(vec![complaint]))?;
    if files.rules.is_empty() {
        return Err(Refused(vec![Diagnostic::whole_file(
            shown,
            "there are no rule files (*.yaml) here",
            "Copy the rules folder that comes with the program, or correct `rules:` in the configuration.",
        )]));
    }
    files.rules.sort_by(|a, b| a.name.cmp(&b.name));
    files.wording.sort();
    if files.wording.is_empty() && files.unreadable.is_empty() {
        files.wording = built_in().wording;
    }
    Ok(files)
}

fn read_into(folder: &Path, prefix: &str, files: &mut RuleFiles) -> Result<(), Diagnostic> {
    let cannot = |path: &Path, error: std::io::Error| {
        let problem = format!("this cannot be read: {error}");
        Diagnostic::whole_file(
            path.display().to_string(),
            &problem,
            "Check that it is there and that the program may read it.",
        )
    };
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
            let problem = format!("larger than {LARGEST_FILE} bytes: this is no rule file");
            return Err(Diagnostic::whole_file(path.display().to_string(), &problem, "Move it elsewhere."));
        } else {
            add(files, &format!("{prefix}{name}"), std::fs::read(&path).map_err(|e| cannot(&path, e))?);
        }
    }
    Ok(())
}

fn team(config: &Config) -> Team {
    let limits = &config.acknowledgements;
    Team {
        trusted_authserv_id: config.council.trusted_authserv_id.clone(),
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
        call_backs: CallBackDesk {
            from: config.call_backs.from.iter().map(|address| address.to_ascii_lowercase()).collect(),
            within_working_days: config.call_backs.within_working_days,
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
        unsure_subfolder: filing.unsure_subfolder.clone(),
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

/// The calendar alone, for commands that need no rules.
pub fn calendar(config: &Config) -> Result<WorkingCalendar, Refused> {
    Ok(working_days::load(config.working_days.as_deref()).map_err(Refused)?.calendar)
}
