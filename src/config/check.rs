//! What is wrong with a configuration though every key and type in it is right.

use std::collections::BTreeSet;

use super::{Account, Config, FilingMode, Place, QueueName, Secret, Security};

/// Every problem, in plain English, with its remedy.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let mut out = Vec::new();
    if config.accounts.is_empty() {
        out.push("`accounts` is empty: name at least one mailbox to be watched.".to_owned());
    }
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for account in &config.accounts {
        if !names.insert(account.name.as_str()) {
            out.push(format!("Two accounts are called `{}`; give each its own name.", account.name));
        }
        for address in account.addresses() {
            if !addresses.insert(address.clone()) {
                out.push(format!("The address {address} belongs to two accounts; it can belong to one."));
            }
            if !address.contains('@') {
                out.push(format!(
                    "account `{}`: `{address}` is not an address (local@domain).",
                    account.name
                ));
            }
        }
        check_account(account, &mut out);
    }
    for queue in [
        QueueName::Resolution,
        QueueName::Assessment,
        QueueName::AnnualReviewEast,
        QueueName::AnnualReviewWest,
        QueueName::General,
    ] {
        match config.queues.get(&queue) {
            None => out.push(format!("`queues` has no place for {queue:?}; every queue needs a folder.")),
            Some(place) => check_place(config, queue, place, &mut out),
        }
    }
    check_watched_twice(config, &mut out);
    check_subfolders(config, &mut out);
    if !config.council.domain.contains('.') || config.council.domain.starts_with(['.', '@']) {
        out.push(format!(
            "`council.domain`: `{}` is not a domain, such as council.example.",
            config.council.domain
        ));
    }
    check_alerts(config, &addresses, &mut out);
    if config.deadlines.answer_within_working_days == 0 {
        out.push("`deadlines.answer_within_working_days` is 0; the policy says 10.".to_owned());
    }
    if config.deadlines.work_starts >= config.deadlines.work_ends.min(config.deadlines.work_ends_friday) {
        out.push("`deadlines`: work ends before it starts.".to_owned());
    }
    out
}

fn check_account(account: &Account, out: &mut Vec<String>) {
    let name = &account.name;
    match (&account.imap, &account.folder) {
        (Some(_), Some(_)) => {
            out.push(format!("account `{name}` has both `imap` and `folder`; keep one of them."))
        }
        (None, None) => {
            out.push(format!("account `{name}` has neither `imap` nor `folder`; say where its mail is."))
        }
        _ => {}
    }
    match (&account.smtp, &account.outbox) {
        (Some(_), Some(_)) => {
            out.push(format!("account `{name}` has both `smtp` and `outbox`; keep one of them."))
        }
        (None, None) => {
            out.push(format!(
                "account `{name}` has neither `smtp` nor `outbox`; say how its acknowledgements leave."
            ));
        }
        _ => {}
    }
    if account.watch.is_empty() {
        out.push(format!("account `{name}` watches no folder; write `watch: [INBOX]`."));
    }
    if let Some(imap) = &account.imap {
        check_security(name, "imap", &imap.host, imap.security, out);
        check_secret(name, "imap", &imap.password, out);
        if imap.poll_seconds == 0 || imap.poll_seconds > 3600 {
            out.push(format!("account `{name}`: `poll_seconds` must be 1 to 3600."));
        }
        if imap.read_bytes < 65_536 {
            out.push(format!("account `{name}`: `read_bytes` must be at least 65536."));
        }
    }
    if let Some(smtp) = &account.smtp {
        check_security(name, "smtp", &smtp.host, smtp.security, out);
        match (&smtp.user, &smtp.password) {
            (Some(_), None) => out.push(format!("account `{name}`: `smtp` has a `user` but no `password`.")),
            (None, Some(_)) => out.push(format!("account `{name}`: `smtp` has a `password` but no `user`.")),
            (_, Some(secret)) => check_secret(name, "smtp", secret, out),
            (None, None) => {}
        }
    }
}

/// The same folder under two names: each message would be found twice, and taken for its own duplicate.
fn check_watched_twice(config: &Config, out: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for account in &config.accounts {
        let server = match (&account.imap, &account.folder) {
            (Some(imap), _) => {
                let user = imap.user.as_deref().unwrap_or(&account.address);
                format!("{}:{} {}", imap.host, imap.port(), user).to_ascii_lowercase()
            }
            (None, Some(folder)) => folder.path.display().to_string(),
            (None, None) => continue,
        };
        for folder in &account.watch {
            let same = if folder.eq_ignore_ascii_case("INBOX") { "INBOX" } else { folder };
            if !seen.insert((server.clone(), same.to_owned())) {
                out.push(format!(
                    "account `{}`: the folder `{folder}` is watched twice over, here or by another account on the same mailbox; every message in it would be taken for its own duplicate.",
                    account.name
                ));
            }
        }
    }
}

/// Subfolders that have no name, or one name for two things.
fn check_subfolders(config: &Config, out: &mut Vec<String>) {
    let (urgent, unsure) = (&config.filing.urgent_subfolder, config.filing.unsure_subfolder.as_ref());
    for (key, name) in [("urgent_subfolder", Some(urgent)), ("unsure_subfolder", unsure)] {
        if name.is_some_and(|name| name.trim_matches(['/', ' ']).is_empty()) {
            let instead = if key == "unsure_subfolder" { ", or `~` for no such folder" } else { "" };
            out.push(format!("`filing.{key}` is empty: name the folder{instead}."));
        }
    }
    if unsure.is_some_and(|unsure| unsure.eq_ignore_ascii_case(urgent)) {
        out.push(format!(
            "`filing`: `{urgent}` is the subfolder for urgent and for unsure messages; give each its own, so that staff can tell them apart."
        ));
    }
}

fn check_security(name: &str, which: &str, host: &str, security: Security, out: &mut Vec<String>) {
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if security == Security::Plain && !loopback {
        out.push(format!(
            "account `{name}`: `{which}.security: plain` is allowed to this very machine only, and {host} is not it. Use `tls` or `starttls`."
        ));
    }
}

fn check_secret(name: &str, which: &str, secret: &Secret, out: &mut Vec<String>) {
    if !secret.is_well_formed() {
        out.push(format!(
            "account `{name}`: `{which}.password` needs exactly one of `file`, `env` or `credential`, such as `password: {{file: /etc/send-triage/general.password}}`."
        ));
    }
}

fn check_place(config: &Config, queue: QueueName, place: &Place, out: &mut Vec<String>) {
    if let Some(account) = &place.account
        && config.account(account).is_none()
    {
        out.push(format!(
            "`queues`: {queue:?} goes to the account `{account}`, and there is none of that name."
        ));
    }
    let target = place.account.as_deref().and_then(|name| config.account(name));
    for account in &config.accounts {
        let Some(target) = target.filter(|target| target.name != account.name) else { break };
        if account.filing == FilingMode::None {
            continue; // It files nothing at all, which is its operator's choice.
        }
        if target.filing == FilingMode::None {
            out.push(format!(
                "`queues`: {queue:?} goes to the account `{}`, whose `filing: none` forbids writing to it; its messages would stay where they came in.",
                target.name
            ));
            break;
        }
        if account.imap.is_some() != target.imap.is_some() {
            out.push(format!(
                "`queues`: {queue:?} goes to the account `{}`, and `{}` cannot pass messages there: one of them is on an IMAP server and the other is a folder.",
                target.name, account.name
            ));
            break;
        }
    }
    if place.folder.trim().is_empty() {
        out.push(format!("`queues`: {queue:?} has an empty folder name."));
    }
    let watched = config.accounts.iter().any(|a| {
        place.account.as_ref().is_none_or(|name| *name == a.name)
            && a.watch.iter().any(|folder| folder.eq_ignore_ascii_case(&place.folder))
    });
    if watched {
        out.push(format!(
            "`queues`: {queue:?} is filed into `{}`, which is watched as well; a filed message would be found again. Choose another folder.",
            place.folder
        ));
    }
    for (other, other_place) in config.queues.range(..queue) {
        if other_place == place {
            out.push(format!(
                "`queues`: {other:?} and {queue:?} go to the same folder; staff could not tell them apart."
            ));
        }
    }
}

fn check_alerts(config: &Config, watched: &BTreeSet<String>, out: &mut Vec<String>) {
    let domain = config.council.domain.to_ascii_lowercase();
    for address in &config.alerts.to {
        let address = address.to_ascii_lowercase();
        let its_domain = address.rsplit_once('@').map(|(_, d)| d.to_owned()).unwrap_or_default();
        if its_domain != domain && !its_domain.ends_with(&format!(".{domain}")) {
            out.push(format!(
                "`alerts.to`: {address} is not on the council's own domain {domain}; alerts stay inside."
            ));
        }
        if watched.contains(&address) {
            out.push(format!("`alerts.to`: {address} is a watched mailbox; it would answer its own alerts. Name a person's address."));
        }
    }
    if let Some(name) = &config.alerts.from_account
        && config.account(name).is_none()
    {
        out.push(format!("`alerts.from_account`: there is no account `{name}`."));
    }
}
