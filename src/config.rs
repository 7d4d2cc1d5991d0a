//! The configuration as the council's systems person writes it, read into types; secrets are read from where it points.
//!
//! It holds no rule and no wording: those are the officer's, in the rules folder. `config/send-triage.yaml` explains
//! every key and is what a new installation starts from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::diagnostic::{self, Diagnostic, Severity};
use crate::triage::{Kind, Queue};

mod account;
mod check;
mod digest;
mod health;
mod life;
mod metrics;
mod oauth;
mod parts;
mod reach;
mod reference;
mod renamed;
mod secret;
mod shape;
mod shown;
mod staff;
pub mod working_days;

pub use account::{
    Account, EnvelopeFrom, Existing, FilingMode, FolderInbox, FolderKind, Imap, Login, Security, Smtp,
};
pub use digest::{DigestDay, DigestRules, DigestTo};
pub use health::{CanaryRules, HealthRules};
pub use life::{Answers, Moves, PassedOnRules, Retention};
pub use metrics::{Listen, MetricsRules};
pub use oauth::{ClientCertificate, OauthProvider};
pub use secret::Secret;
pub use staff::{AreaName, CallBacks, Referrals, ReminderTo, Reminders, Resolution};

use parts::Parts;
use shape::{Complaint, Time};

/// The configuration that `demo`, and every command without `--config`, starts from.
pub const EXAMPLE: &str = include_str!("../config/send-triage.yaml");

/// What is wrong with a configuration: file, place, problem, remedy, ready to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Everything that the operator sets.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who we are, in the acknowledgement's words.
    pub council: Council,
    /// The SQLite file.
    pub database: PathBuf,
    /// The folder of rules and wording; without it the built-in ones are in force.
    #[serde(default)]
    pub rules: Option<PathBuf>,
    /// Bank holidays, council closures, school terms; without it the built-in ones.
    #[serde(default)]
    pub working_days: Option<PathBuf>,
    /// Where access tokens come from, for servers that take no passwords; each has a name that accounts refer to.
    #[serde(default)]
    pub oauth: BTreeMap<String, OauthProvider>,
    /// The accounts whose folders are watched.
    pub accounts: Vec<Account>,
    /// Where each queue's messages are filed.
    pub queues: BTreeMap<QueueName, Place>,
    /// Where everything else is filed.
    #[serde(default)]
    pub filing: FilingRules,
    /// Days and hours.
    #[serde(default)]
    pub deadlines: Deadlines,
    /// Limits on acknowledgements.
    #[serde(default)]
    pub acknowledgements: Acknowledgements,
    /// Who is told about urgent mail.
    #[serde(default)]
    pub alerts: Alerts,
    /// How answers by staff are noticed.
    #[serde(default)]
    pub answers: Answers,
    /// What happens when staff pass an email on.
    #[serde(default)]
    pub passed_on: PassedOnRules,
    /// How messages that staff move are noticed.
    #[serde(default)]
    pub moves: Moves,
    /// How long people stay in the record.
    #[serde(default)]
    pub retention: Retention,
    /// The daily letter to staff.
    #[serde(default)]
    pub reminders: Reminders,
    /// Who in SEND leadership is told of abusive mail.
    #[serde(default)]
    pub referrals: Referrals,
    /// What the Resolution Team is told.
    #[serde(default)]
    pub resolution: Resolution,
    /// Call-backs that the Customer Service Centre asks for.
    #[serde(default)]
    pub call_backs: CallBacks,
    /// The weekly digest for managers.
    #[serde(default)]
    pub digest: DigestRules,
    /// How somebody outside learns that the program stands still.
    #[serde(default)]
    pub health: HealthRules,
    /// Where the program may be looked at from outside.
    #[serde(default)]
    pub metrics: MetricsRules,
    /// What is to be warned of in the file, such as old names.
    #[serde(skip)]
    pub warnings: Vec<Diagnostic>,
}

/// Who we are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Council {
    /// The council's own domain: mail from it, or from below it, is internal.
    pub domain: String,
    /// The host whose Authentication-Results header (RFC 8601) is believed when it says that a sender is forged; `microsoft-365` for
    /// Exchange Online, which writes no name. Without it, none is believed.
    #[serde(default)]
    pub trusted_authserv_id: Option<String>,
    /// Names, telephone numbers and pages that the letters point to.
    #[serde(default)]
    pub contacts: crate::letter::Council,
}

/// A queue, as written in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum QueueName {
    Resolution,
    Assessment,
    AnnualReviewEast,
    AnnualReviewWest,
    General,
}

impl From<QueueName> for Queue {
    fn from(name: QueueName) -> Self {
        match name {
            QueueName::Resolution => Self::Resolution,
            QueueName::Assessment => Self::Assessment,
            QueueName::AnnualReviewEast => Self::AnnualReviewEast,
            QueueName::AnnualReviewWest => Self::AnnualReviewWest,
            QueueName::General => Self::General,
        }
    }
}

/// A folder, of the account that the message came to or of a named one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The account; without it, the one that the message came to.
    #[serde(default)]
    pub account: Option<String>,
    /// The folder, levels divided by `/`.
    pub folder: String,
}

/// Where messages go that no queue gets.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FilingRules {
    /// The subfolder of a queue's folder that urgent messages go to.
    pub urgent_subfolder: String,
    /// The subfolder for standard messages whose decision a person should look at; without it, they lie with the others.
    pub unsure_subfolder: Option<String>,
    /// The folder for each kind that is not a person's mail; a kind that is not named stays in the inbox.
    pub kinds: BTreeMap<KindName, String>,
    /// Person's mail in which the team only stands in Cc; without it, it stays in the inbox.
    pub copied: Option<String>,
    /// A second copy of a message that is filed already; without it, it stays in the inbox.
    pub duplicates: Option<String>,
    /// What could not be read or decided: a person must look.
    pub set_aside: String,
    /// Where the original goes when a message was passed to another account.
    pub passed_on: String,
}

impl Default for FilingRules {
    fn default() -> Self {
        Self {
            urgent_subfolder: "Urgent".to_owned(),
            unsure_subfolder: Some("Unsure".to_owned()),
            kinds: BTreeMap::from([
                (KindName::AutoReply, "Triage/Automatic".to_owned()),
                (KindName::Bounce, "Triage/Automatic".to_owned()),
                (KindName::List, "Triage/Newsletters".to_owned()),
            ]),
            copied: Some("Triage/Copied to us".to_owned()),
            duplicates: Some("Triage/Duplicates".to_owned()),
            set_aside: "Triage/Needs a person".to_owned(),
            passed_on: "Triage/Passed on".to_owned(),
        }
    }
}

/// A kind that is not a person's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum KindName {
    AutoReply,
    Bounce,
    List,
    Internal,
    Calendar,
}

impl KindName {
    /// As the file writes it.
    fn word(self) -> &'static str {
        Kind::from(self).name()
    }
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::AutoReply => Self::AutoReply,
            KindName::Bounce => Self::Bounce,
            KindName::List => Self::List,
            KindName::Internal => Self::Internal,
            KindName::Calendar => Self::Calendar,
        }
    }
}

/// Days and hours.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// Within so many working days an answer is due (policy, email d).
    pub answer_within_working_days: u32,
    /// When work starts, Europe/London.
    #[schemars(with = "Time")]
    pub work_starts: NaiveTime,
    /// When it ends, Monday to Thursday.
    #[schemars(with = "Time")]
    pub work_ends: NaiveTime,
    /// When it ends on Friday.
    #[schemars(with = "Time")]
    pub work_ends_friday: NaiveTime,
}

impl Default for Deadlines {
    fn default() -> Self {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
        Self {
            answer_within_working_days: 10,
            work_starts: at(9, 0),
            work_ends: at(17, 30),
            work_ends_friday: at(16, 30),
        }
    }
}

/// Limits on acknowledgements.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Acknowledgements {
    /// The kill switch: false withholds every acknowledgement.
    pub send: bool,
    /// At most so many to one sender in 24 hours.
    pub per_sender_a_day: u32,
    /// At most so many to one domain in an hour.
    pub per_domain_an_hour: u32,
    /// At most so many in all in an hour.
    pub in_all_an_hour: u32,
    /// A message older than this when it is first seen is not acknowledged; 0: any age is.
    pub oldest_hours: u32,
}

impl Default for Acknowledgements {
    fn default() -> Self {
        Self {
            send: true,
            per_sender_a_day: 10,
            per_domain_an_hour: 100,
            in_all_an_hour: 1000,
            oldest_hours: 72,
        }
    }
}

/// Who is told about urgent mail, and about refused rules.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Who is told of urgent mail: addresses on the council's own domain that are not watched mailboxes.
    pub to: Vec<String>,
    /// The account that sends them; the first one unless given.
    pub from_account: Option<String>,
    /// Alerts wait for working hours (policy, email f) unless this is true.
    pub out_of_hours: bool,
    /// Who is told when changed rules were refused: whoever keeps the rules. Addresses like those of `to`.
    pub rules_to: Vec<String>,
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

impl Config {
    /// Reads a configuration file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_or_tell(path)
            .map_err(|complaints| ConfigError(diagnostic::listed(&complaints).trim_end().to_owned()))
    }

    /// Reads a configuration file and those beside it; all complaints, each with its place.
    pub fn load_or_tell(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::put_together(&Parts::gather(path)?, folder)
    }

    /// Reads a configuration from text; `name` is for messages.
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self, ConfigError> {
        Self::read(text, name, folder)
            .map_err(|complaints| ConfigError(diagnostic::listed(&complaints).trim_end().to_owned()))
    }

    /// Reads a configuration from text; all complaints, each with its place.
    pub fn read(text: &str, name: &str, folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        Self::put_together(&Parts::single(name, text), folder)
    }

    fn put_together(parts: &Parts, folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        let show = |complaints: Vec<Complaint>| {
            complaints.into_iter().map(|complaint| parts.diagnostic(complaint)).collect::<Vec<_>>()
        };
        let (tree, old) = parts.read(&Self::schema()).map_err(show)?;
        let mut config: Self = parts.typed(&tree).map_err(|complaint| show(vec![complaint]))?;
        config.make_absolute(folder);
        let place = |found: check::Problem| Complaint {
            range: shape::place(&tree, &found.path),
            problem: found.problem,
            remedy: found.remedy,
        };
        let complaints: Vec<Complaint> = check::problems(&config).into_iter().map(place).collect();
        let warning = |one: Diagnostic| Diagnostic { severity: Severity::Warning, ..one };
        let idle = reach::idle(&config).into_iter().map(place);
        config.warnings = show(old.into_iter().chain(idle).collect()).into_iter().map(warning).collect();
        if complaints.is_empty() { Ok(config) } else { Err(show(complaints)) }
    }

    /// The rules folder that a configuration names, whatever else is wrong with it.
    pub fn rules_named_in(path: &Path) -> Option<PathBuf> {
        let rules = Parts::gather(path).ok()?.named("rules")?;
        Some(path.parent().unwrap_or(Path::new(".")).join(rules))
    }

    /// The JSON Schema of the file, made from these types.
    pub fn schema() -> serde_json::Value {
        shape::schema_of::<Self>("The configuration of send-triage")
    }

    /// The page of every key, made from these types.
    pub fn reference() -> String {
        reference::page(&Self::schema())
    }

    fn make_absolute(&mut self, folder: &Path) {
        let absolute = |path: &mut PathBuf| {
            if path.is_relative() {
                *path = folder.join(&*path);
            }
        };
        absolute(&mut self.database);
        self.rules.iter_mut().for_each(absolute);
        self.working_days.iter_mut().for_each(absolute);
        self.health.file.iter_mut().for_each(absolute);
        self.oauth.values_mut().for_each(|provider| provider.make_absolute(folder));
        for account in &mut self.accounts {
            account.outbox.iter_mut().for_each(absolute);
            account.folder.iter_mut().for_each(|f| absolute(&mut f.path));
            if let Some(imap) = &mut account.imap {
                imap.ca_file.iter_mut().for_each(absolute);
                imap.password.iter_mut().for_each(|p| p.make_absolute(folder));
            }
            if let Some(smtp) = &mut account.smtp {
                smtp.ca_file.iter_mut().for_each(absolute);
                smtp.password.iter_mut().for_each(|p| p.make_absolute(folder));
            }
        }
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }
}
