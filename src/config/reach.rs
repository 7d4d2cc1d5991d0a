//! What can never happen as it is configured, though each value for itself is right: a folder that means two things, cases that
//! do not exist, a switch that moves nothing. Most of it is refused; what may be meant so is warned of.

use super::check::{Problem, Problems, QUEUES};
use super::{Account, AreaName, Config, FilingMode, Place, QueueName};

/// What is refused.
pub(super) fn check(config: &Config, out: &mut Problems) {
    check_folders(config, out);
    check_sent(config, out);
    check_readers(config, out);
    check_views(config, out);
    let limits = &config.acknowledgements;
    let each = [
        ("per_sender_a_day", limits.per_sender_a_day),
        ("per_domain_an_hour", limits.per_domain_an_hour),
        ("in_all_an_hour", limits.in_all_an_hour),
    ];
    for (key, _) in each.iter().filter(|(_, limit)| *limit == 0 && limits.send) {
        out.add(
            format!("acknowledgements/{key}"),
            format!("with `{key}: 0` nobody is ever acknowledged, though `send` is true"),
            "Write `send: false` if that is meant; otherwise a limit of 1 or more.",
        );
    }
    if config.passed_on.tell_sender && config.passed_on.teams.is_empty() {
        out.add(
            "passed_on/tell_sender",
            "`tell_sender` is true, but no team is named, so no sender is ever told",
            "Name the teams: `teams: {transport@council.example: the school transport team}`, or remove `tell_sender`.",
        );
    }
}

/// Gmail shows every message once more in folders of its own: there, what was filed and what we sent would be new mail.
fn check_views(config: &Config, out: &mut Problems) {
    for (at, account) in config.accounts.iter().enumerate() {
        for (number, folder) in account.watch.iter().enumerate() {
            let lower = folder.to_ascii_lowercase();
            if ["[gmail]", "[google mail]"].iter().any(|views| lower.starts_with(views)) {
                out.add(
                    format!("accounts/{at}/watch/{number}"),
                    format!(
                        "`{folder}` is a view of Gmail's, which shows again what is filed and sent already"
                    ),
                    "Watch INBOX, or a label that only new mail gets.",
                );
            }
        }
    }
}

/// What does nothing, and may be meant so.
pub(super) fn idle(config: &Config) -> Vec<Problem> {
    let mut out = Problems::default();
    if config.health.canary.is_some() && config.health.to.is_empty() {
        out.add(
            "health/canary",
            "nobody is told by mail when the message to ourselves does not come back: `health.to` is empty",
            "Name whoever looks after the program in `to`, unless something asks `send-triage health` or `/healthz` regularly.",
        );
    }
    if config.alerts.out_of_hours && config.alerts.to.is_empty() {
        out.add(
            "alerts/out_of_hours",
            "`out_of_hours` is true, but nobody is told of urgent mail: `alerts.to` is empty",
            "Name duty staff in `to`.",
        );
    }
    out.into_list()
}

/// Whether messages of one account can come to both places.
fn meet(one: &Place, other: &Place) -> bool {
    match (&one.account, &other.account) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim_matches('/').eq_ignore_ascii_case(other.trim_matches('/'))
}

/// A folder says what the messages in it are; it can say one thing.
fn check_folders(config: &Config, out: &mut Problems) {
    let queues: Vec<(&str, &Place)> =
        QUEUES.iter().filter_map(|(queue, name)| Some((*name, config.queues.get(queue)?))).collect();
    let below = [Some(&config.filing.urgent_subfolder), config.filing.unsure_subfolder.as_ref()];
    for (name, place) in &queues {
        for (other, other_place) in queues.iter().filter(|(other, _)| other != name) {
            if !meet(place, other_place) {
                continue;
            }
            // Two queues with the very same place are told of elsewhere.
            if same(&place.folder, &other_place.folder) && place != other_place && name > other {
                out.add(
                    format!("queues/{name}/folder"),
                    format!("the queues `{name}` and `{other}` come to the same folder in one account"),
                    "Give each its own; staff could not tell them apart.",
                );
            }
            for sub in below.iter().flatten() {
                if same(&place.folder, &format!("{}/{sub}", other_place.folder)) {
                    out.add(
                        format!("queues/{name}/folder"),
                        format!("the queue `{name}` is filed into `{}`, which is the subfolder `{sub}` of the queue `{other}`", place.folder),
                        "Choose another folder: a message in it would belong to both.",
                    );
                }
            }
        }
    }
    for (path, folder) in filing(config) {
        let key = path.replace('/', ".");
        for (name, place) in &queues {
            if same(&folder, &place.folder) {
                out.add(
                    format!("filing/{path}"),
                    format!("`{folder}`, of `filing.{key}`, is the folder of the queue `{name}` as well"),
                    "Choose another: staff could not tell what is theirs to answer.",
                );
            }
        }
        let watching = config
            .accounts
            .iter()
            .filter(|account| account.filing != FilingMode::None)
            .find(|account| account.watch.iter().any(|watched| same(watched, &folder)));
        if let Some(Account { name, .. }) = watching {
            out.add(
                format!("filing/{path}"),
                format!(
                    "messages are filed into `{folder}` by `filing.{key}`, and `{name}` watches it as well"
                ),
                "Choose another folder: a filed message would be found again.",
            );
        }
    }
}

/// The folders of `filing`, each with the path of its key.
fn filing(config: &Config) -> Vec<(String, String)> {
    let filing = &config.filing;
    let kinds = filing.kinds.iter().map(|(kind, folder)| (format!("kinds/{}", kind.word()), folder.clone()));
    let named = [
        ("copied", filing.copied.as_ref()),
        ("duplicates", filing.duplicates.as_ref()),
        ("set_aside", Some(&filing.set_aside)),
        ("passed_on", Some(&filing.passed_on)),
    ];
    let named = named.into_iter().filter_map(|(key, folder)| Some((key.to_owned(), folder?.clone())));
    kinds.chain(named).collect()
}

/// What was sent is looked at and never moved; nothing that came may be filed there.
fn check_sent(config: &Config, out: &mut Problems) {
    for (at, account) in config.accounts.iter().enumerate() {
        let Some(own) = &account.own_sent_folder else { continue };
        let comes_here = |place: &&Place| place.account.as_ref().is_none_or(|name| *name == account.name);
        let of_queues = config.queues.values().filter(comes_here).map(|place| place.folder.clone());
        let mut filed = of_queues.chain(filing(config).into_iter().map(|(_, folder)| folder));
        if same(own, "INBOX") || filed.any(|folder| same(own, &folder)) {
            out.add(
                format!("accounts/{at}/own_sent_folder"),
                format!("`{own}` is no folder of sent mail: messages that come in lie there"),
                "Name the folder in which the account's own sent mail is kept, or remove the line.",
            );
        }
    }
}

/// Somebody who is told of cases that do not exist.
fn check_readers(config: &Config, out: &mut Problems) {
    let reminded = config.reminders.to.iter().map(|to| (&to.address, &to.queues, &to.areas));
    let digests = config.digest.to.iter().map(|to| (&to.address, &to.queues, &to.areas));
    let reminded = reminded.enumerate().map(|(at, to)| (format!("reminders/to/{at}/areas"), to));
    let digests = digests.enumerate().map(|(at, to)| (format!("digest/to/{at}/areas"), to));
    for (path, (address, queues, areas)) in reminded.chain(digests) {
        let never = |queue: &QueueName| match queue {
            QueueName::AnnualReviewEast => !areas.contains(&AreaName::East),
            QueueName::AnnualReviewWest => !areas.contains(&AreaName::West),
            _ => false,
        };
        if !areas.is_empty() && !queues.is_empty() && queues.iter().all(never) {
            out.add(
                path,
                format!("{address} is never told of a case: none is in these queues and in these areas"),
                "Annual reviews of the East team are in the area east, those of the West team in west.",
            );
        }
    }
}
