//! What is wrong with a configuration though every key and type in it is right; each with the path of the value at fault.

use std::collections::BTreeSet;

use super::{Account, Config, FilingMode, Place, QueueName, Secret, Security};

/// Something wrong: the path of the value (`accounts/0/imap/port`), what it is, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) path: String,
    pub(super) problem: String,
    pub(super) remedy: String,
}

/// Collects them.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(
        &mut self,
        path: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Problem { path: path.into(), problem: problem.into(), remedy: remedy.into() });
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0
    }
}

/// All queues, as the file names them.
pub(super) const QUEUES: [(QueueName, &str); 5] = [
    (QueueName::Resolution, "resolution"),
    (QueueName::Assessment, "assessment"),
    (QueueName::AnnualReviewEast, "annual-review-east"),
    (QueueName::AnnualReviewWest, "annual-review-west"),
    (QueueName::General, "general"),
];

/// Every problem, in plain English, with its remedy.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut out = Problems::default();
    if config.accounts.is_empty() {
        out.add("accounts", "`accounts` is empty", "Name at least one mailbox to be watched.");
    }
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for (at, account) in config.accounts.iter().enumerate() {
        let path = format!("accounts/{at}");
        if !names.insert(account.name.as_str()) {
            let problem = format!("two accounts are called `{}`", account.name);
            out.add(format!("{path}/name"), problem, "Give each its own name.");
        }
        for (number, address) in account.addresses().into_iter().enumerate() {
            let path = match number.checked_sub(1) {
                None => format!("{path}/address"),
                Some(alias) => format!("{path}/aliases/{alias}"),
            };
            if !addresses.insert(address.clone()) {
                let problem = format!("the address {address} belongs to two accounts");
                out.add(&path, problem, "It can belong to one: remove it from the other.");
            }
            if !address.contains('@') {
                out.add(&path, format!("`{address}` is not an address"), "Write it as local@domain.");
            }
        }
        check_account(&path, account, &mut out);
    }
    for (queue, name) in QUEUES {
        match config.queues.get(&queue) {
            None => out.add(
                "queues",
                format!("no team has the queue `{name}`: it has no folder here"),
                format!(
                    "Add `{name}: {{folder: Triage/...}}` under `queues:`; the rules send messages there."
                ),
            ),
            Some(place) => check_place(config, queue, name, place, &mut out),
        }
    }
    check_watched_twice(config, &mut out);
    check_subfolders(config, &mut out);
    let domain = &config.council.domain;
    if !domain.contains('.') || domain.starts_with(['.', '@']) {
        out.add("council/domain", format!("`{domain}` is not a domain"), "Write it like council.example.");
    }
    check_staff(config, &addresses, &mut out);
    super::digest::check(config, &addresses, &mut out);
    check_answers(config, &mut out);
    super::health::check(config, &addresses, &mut out);
    super::oauth::check(config, &mut out);
    super::metrics::check(config, &mut out);
    super::reach::check(config, &mut out);
    if config.deadlines.answer_within_working_days == 0 {
        let remedy = "The policy says 10.";
        out.add(
            "deadlines/answer_within_working_days",
            "an answer cannot be due within 0 working days",
            remedy,
        );
    }
    if config.deadlines.work_starts >= config.deadlines.work_ends.min(config.deadlines.work_ends_friday) {
        out.add(
            "deadlines/work_starts",
            "work ends before it starts",
            "Correct `work_starts` or `work_ends`.",
        );
    }
    out.0
}

fn check_account(path: &str, account: &Account, out: &mut Problems) {
    let name = &account.name;
    match (&account.imap, &account.folder) {
        (Some(_), Some(_)) => out.add(
            format!("{path}/folder"),
            format!("account `{name}` has both `imap` and `folder`"),
            "Keep one of them.",
        ),
        (None, None) => out.add(
            path,
            format!("account `{name}` has neither `imap` nor `folder`"),
            "Say where its mail is: `imap: {host: ..., password: ...}`.",
        ),
        _ => {}
    }
    match (&account.smtp, &account.outbox) {
        (Some(_), Some(_)) => out.add(
            format!("{path}/outbox"),
            format!("account `{name}` has both `smtp` and `outbox`"),
            "Keep one of them.",
        ),
        (None, None) => out.add(
            path,
            format!("account `{name}` has neither `smtp` nor `outbox`"),
            "Say how its acknowledgements leave: `smtp: {host: ...}`.",
        ),
        _ => {}
    }
    if account.watch.is_empty() {
        out.add(
            format!("{path}/watch"),
            format!("account `{name}` watches no folder"),
            "Write `watch: [INBOX]`.",
        );
    }
    if let Some(imap) = &account.imap {
        let path = format!("{path}/imap");
        check_security(&path, &imap.host, imap.security, out);
        if let Some(secret) = &imap.password {
            check_secret(&path, secret, out);
        }
        if imap.poll_seconds == 0 || imap.poll_seconds > 3600 {
            let remedy = "Write a number from 1 to 3600; 300 is usual.";
            out.add(format!("{path}/poll_seconds"), "`poll_seconds` must be 1 to 3600", remedy);
        }
        if imap.read_bytes < 65_536 {
            let remedy = "Remove the line: 1048576 is usual.";
            out.add(format!("{path}/read_bytes"), "`read_bytes` must be at least 65536", remedy);
        }
    }
    if let Some(smtp) = &account.smtp {
        let path = format!("{path}/smtp");
        check_security(&path, &smtp.host, smtp.security, out);
        match (&smtp.user, &smtp.password) {
            (Some(_), None) if smtp.oauth.is_none() => out.add(
                format!("{path}/user"),
                "`smtp` has a `user` but no `password`",
                "Add `password: {file: ...}`, or `oauth:` with the name of a provider.",
            ),
            (None, Some(_)) if smtp.oauth.is_none() => out.add(
                format!("{path}/password"),
                "`smtp` has a `password` but no `user`",
                "Add `user:`, the login name.",
            ),
            (_, Some(secret)) => check_secret(&path, secret, out),
            (_, None) => {}
        }
    }
}

/// The same folder under two names: each message would be found twice, and taken for its own duplicate.
fn check_watched_twice(config: &Config, out: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (at, account) in config.accounts.iter().enumerate() {
        let server = match (&account.imap, &account.folder) {
            (Some(imap), _) => {
                let user = imap.user.as_deref().unwrap_or(&account.address);
                format!("{}:{} {}", imap.host, imap.port(), user).to_ascii_lowercase()
            }
            (None, Some(folder)) => folder.path.display().to_string(),
            (None, None) => continue,
        };
        for (number, folder) in account.watch.iter().enumerate() {
            let same = if folder.eq_ignore_ascii_case("INBOX") { "INBOX" } else { folder };
            if !seen.insert((server.clone(), same.to_owned())) {
                out.add(
                    format!("accounts/{at}/watch/{number}"),
                    format!("the folder `{folder}` is watched twice over, here or by another account on the same mailbox"),
                    "Watch it once: every message in it would be taken for its own duplicate.",
                );
            }
        }
    }
}

/// Subfolders that have no name, or one name for two things.
fn check_subfolders(config: &Config, out: &mut Problems) {
    let (urgent, unsure) = (&config.filing.urgent_subfolder, config.filing.unsure_subfolder.as_ref());
    for (key, name) in [("urgent_subfolder", Some(urgent)), ("unsure_subfolder", unsure)] {
        if name.is_some_and(|name| name.trim_matches(['/', ' ']).is_empty()) {
            let instead = if key == "unsure_subfolder" { ", or `~` for no such folder" } else { "" };
            out.add(
                format!("filing/{key}"),
                format!("`{key}` is empty"),
                format!("Name the folder{instead}."),
            );
        }
    }
    if unsure.is_some_and(|unsure| unsure.eq_ignore_ascii_case(urgent)) {
        out.add(
            "filing/unsure_subfolder",
            format!("`{urgent}` is the subfolder for urgent and for unsure messages"),
            "Give each its own, so that staff can tell them apart.",
        );
    }
}

fn check_security(path: &str, host: &str, security: Security, out: &mut Problems) {
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if security == Security::Plain && !loopback {
        out.add(
            format!("{path}/security"),
            format!("`security: plain` is allowed to this very machine only, and {host} is not it"),
            "Use `tls` or `starttls`.",
        );
    }
}

fn check_secret(path: &str, secret: &Secret, out: &mut Problems) {
    if !secret.is_well_formed() {
        out.add(
            format!("{path}/password"),
            "`password` needs exactly one of `file`, `env` or `credential`",
            "Write `password: {credential: general}`, and the password into /etc/send-triage/secrets/general: it never stands here.",
        );
    }
}

fn check_place(config: &Config, queue: QueueName, name: &str, place: &Place, out: &mut Problems) {
    let path = format!("queues/{name}");
    if let Some(account) = &place.account
        && config.account(account).is_none()
    {
        let names: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
        out.add(
            format!("{path}/account"),
            format!("the queue `{name}` goes to the account `{account}`, and there is none of that name"),
            format!("The accounts are: {}.", names.join(", ")),
        );
    }
    let target = place.account.as_deref().and_then(|name| config.account(name));
    for account in &config.accounts {
        let Some(target) = target.filter(|target| target.name != account.name) else { break };
        if account.filing == FilingMode::None {
            continue; // It files nothing at all, which is its operator's choice.
        }
        if target.filing == FilingMode::None {
            out.add(
                format!("{path}/account"),
                format!(
                    "the queue `{name}` goes to the account `{}`, whose `filing: none` forbids writing to it",
                    target.name
                ),
                "Choose another account, or another `filing`: its messages would stay where they came in.",
            );
            break;
        }
        if account.imap.is_some() != target.imap.is_some() {
            out.add(
                format!("{path}/account"),
                format!(
                    "the queue `{name}` goes to the account `{}`, and `{}` cannot pass messages there",
                    target.name, account.name
                ),
                "One of them is on an IMAP server and the other is a folder: use accounts of one sort.",
            );
            break;
        }
    }
    if place.folder.trim().is_empty() {
        out.add(
            format!("{path}/folder"),
            format!("the queue `{name}` has an empty folder name"),
            "Name a folder.",
        );
    }
    let watched = config.accounts.iter().any(|a| {
        place.account.as_ref().is_none_or(|name| *name == a.name)
            && a.watch.iter().any(|folder| folder.eq_ignore_ascii_case(&place.folder))
    });
    if watched {
        out.add(
            format!("{path}/folder"),
            format!("the queue `{name}` is filed into `{}`, which is watched as well", place.folder),
            "Choose another folder: a filed message would be found again.",
        );
    }
    for (other, other_place) in config.queues.range(..queue) {
        if other_place == place {
            let other = QUEUES.iter().find(|(known, _)| known == other).map_or("", |(_, name)| name);
            out.add(
                format!("{path}/folder"),
                format!("the queues `{other}` and `{name}` go to the same folder"),
                "Give each its own; staff could not tell them apart.",
            );
        }
    }
}

/// Where answers are looked for, and whom a sender may be told of.
fn check_answers(config: &Config, out: &mut Problems) {
    for (at, account) in config.accounts.iter().enumerate() {
        let filed_into = |folder: &str| super::filing_folders(config).any(|filed| filed == folder);
        for (number, folder) in account.sent_folders.iter().enumerate() {
            let path = format!("accounts/{at}/sent_folders/{number}");
            if folder.trim().is_empty() || folder.eq_ignore_ascii_case("INBOX") || filed_into(folder) {
                let problem = format!("`{folder}` is no folder of sent mail");
                out.add(
                    path,
                    problem,
                    "Name the folders in which staff's mail programs keep what they sent.",
                );
            }
        }
    }
    for (address, team) in &config.passed_on.teams {
        let path = format!("passed_on/teams/{address}");
        if !address.contains('@') {
            out.add(&path, format!("`{address}` is not an address"), "Write it as local@domain.");
        }
        if team.trim().is_empty() || team.contains(['@', '\n']) {
            let remedy = "Write its name as a parent would read it: the school transport team.";
            out.add(&path, format!("`{team}` is no name of a team"), remedy);
        }
    }
}

/// Everybody among staff who is written to, and the Customer Service Centre, whose addresses are believed.
fn check_staff(config: &Config, watched: &BTreeSet<String>, out: &mut Problems) {
    let own = config.resolution_mailbox().map(str::to_ascii_lowercase);
    let lists = [
        ("alerts/to", &config.alerts.to),
        ("alerts/rules_to", &config.alerts.rules_to),
        ("referrals/to", &config.referrals.to),
    ];
    for (list, addresses) in lists {
        for (at, address) in addresses.iter().enumerate() {
            check_recipient(config, &format!("{list}/{at}"), address, watched, out);
        }
    }
    for (at, to) in config.reminders.to.iter().enumerate() {
        let path = format!("reminders/to/{at}/address");
        check_recipient(config, &path, &to.address, watched, out);
        let twice = |other: &super::ReminderTo| other.address.eq_ignore_ascii_case(&to.address);
        if config.reminders.to.iter().take(at).any(twice) {
            let problem = format!("{} stands here twice", to.address);
            out.add(&path, problem, "One letter a day goes to each: put its queues and areas together.");
        }
    }
    for (at, address) in config.resolution.to.iter().flatten().enumerate() {
        // Its own mailbox knows our letters by their Message-IDs, and it is there that the team reads.
        if own.as_deref() != Some(address.to_ascii_lowercase().as_str()) {
            check_recipient(config, &format!("resolution/to/{at}"), address, watched, out);
        }
    }
    for (at, address) in config.call_backs.from.iter().enumerate() {
        let (path, address) = (format!("call_backs/from/{at}"), address.to_ascii_lowercase());
        if !is_own(config, &address) {
            out.add(
                &path,
                format!("{address} is not on the council's own domain {}", config.council.domain),
                "Call-backs are taken from the council's Customer Service Centre alone.",
            );
        }
        if watched.contains(&address) {
            let problem = format!("{address} is a watched mailbox: the team would ask itself for call-backs");
            out.add(&path, problem, "Name the address from which the Customer Service Centre writes.");
        }
    }
    let days = &config.deadlines;
    if config.reminders.at >= days.work_ends.min(days.work_ends_friday) {
        out.add(
            "reminders/at",
            "the daily letter would come after work has ended, and so never",
            "Choose a time in the morning; \"08:30\" is usual.",
        );
    }
    if config.call_backs.within_working_days == 0 {
        let problem = "a call-back cannot be due within 0 working days";
        out.add("call_backs/within_working_days", problem, "The policy says 5.");
    }
    if let Some(name) = &config.alerts.from_account
        && config.account(name).is_none()
    {
        out.add(
            "alerts/from_account",
            format!("there is no account `{name}`"),
            "Write the `name` of an account.",
        );
    }
}

fn is_own(config: &Config, address: &str) -> bool {
    let domain = config.council.domain.to_ascii_lowercase();
    let its_domain = address.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
    its_domain == domain || its_domain.ends_with(&format!(".{domain}"))
}

/// An address that our letters to staff go to.
pub(super) fn check_recipient(
    config: &Config,
    path: &str,
    address: &str,
    watched: &BTreeSet<String>,
    out: &mut Problems,
) {
    let address = address.to_ascii_lowercase();
    if !is_own(config, &address) {
        let domain = &config.council.domain;
        out.add(
            path,
            format!("{address} is not on the council's own domain {domain}"),
            "Letters to staff stay inside: name an address of the council.",
        );
    }
    if watched.contains(&address) {
        let what = if path.starts_with("alerts") { "its own alerts" } else { "our own letters" };
        out.add(
            path,
            format!("{address} is a watched mailbox; it would answer {what}"),
            "Name a person's address, or a shared one that is not watched.",
        );
    }
}
