//! `send-triage digest`: the weekly digest, looked at (`--preview`) or sent now (`--send`). What it says is the wording's, when it
//! goes out by itself the daemon's.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use tokio::sync::watch;

use crate::calendar::london;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, DigestTo};
use crate::daemon::digests::{self, About};
use crate::daemon::in_force::{self, Set};
use crate::daemon::{Bells, InForce, World, kept, letters, parts, post, refusal};
use crate::digest::{Figures, Period, sample};
use crate::effect::Effect;
use crate::letter::WeeklyDigest;
use crate::record::{RecordError, Records, Unsent};

use super::{CommandError, out, own_config, when};

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("deed").required(true).args(["preview", "send"])))]
pub struct Arguments {
    /// The week that this day is in, such as 2026-11-16; without it, the last whole week
    #[arg(long, value_name = "DATE")]
    week: Option<String>,
    /// Writes each recipient's digest below this folder: the email, its text, its web page, its charts. Nothing is sent
    #[arg(long, value_name = "DIR")]
    preview: Option<PathBuf>,
    /// Sends it now to everybody who is configured and has not had it
    #[arg(long)]
    send: bool,
    /// Sends it also to those who have had it
    #[arg(long, requires = "send")]
    again: bool,
    /// To this recipient alone
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Shows invented figures instead of the record's: for trying out the wording
    #[arg(long, conflicts_with_all = ["send", "week"])]
    sample: bool,
}

pub fn run(arguments: &Arguments, path: Option<&Path>) -> Result<(), CommandError> {
    // Invented figures need no record, and so no configuration of one's own.
    let config = if arguments.sample { super::config(path)? } else { own_config(path)? };
    // Whole seconds, as the record keeps them: what is to be sent now is due now, and not at the next second.
    let now = SystemClock.now().trunc_subsecs(0);
    let set = match in_force::load(&config) {
        Ok(set) => set,
        // For a look at the wording, its mistakes are what is wanted; otherwise the daemon's last good rules hold.
        Err(refused) if arguments.sample => return Err(refused.into()),
        Err(refused) => kept::load(&config).ok_or(refused)?,
    };
    if let Some(refused) = refusal::standing(&config) {
        out::line(format_args!("{refused}\n"));
    }
    let week = week(arguments.week.as_deref(), london::date(now))?;
    let to = recipients(arguments.to.as_deref(), &config)?;
    match &arguments.preview {
        Some(folder) if arguments.sample => {
            let made = |_: &DigestTo| Ok([("busy", sample::figures()), ("quiet", sample::quiet())].into());
            preview(folder, &to, &set, now, made)
        }
        Some(folder) => {
            let records = Records::open_read_only(&config.database)?;
            preview_of_week(folder, &to, week, &records, &set, now)
        }
        None => send(&to, week, arguments.again, &config, set, now),
    }
}

/// The week of this day, or the last whole one.
fn week(written: Option<&str>, today: NaiveDate) -> Result<Period, CommandError> {
    let Some(written) = written else { return Ok(Period::week_before(today)) };
    let day = london::date(when::read(written).map_err(CommandError::Input)?);
    if day > today {
        return Err(CommandError::Input(format!(
            "{} lies ahead: there is nothing to tell of that week yet.",
            day.format("%A %-d %B %Y")
        )));
    }
    Ok(Period::week_of(day))
}

/// Those who are configured, or the one among them who is named.
fn recipients(named: Option<&str>, config: &Config) -> Result<Vec<DigestTo>, CommandError> {
    let all = &config.digest.to;
    let Some(named) = named else { return Ok(all.clone()) };
    match all.iter().find(|to| to.address.eq_ignore_ascii_case(named)) {
        Some(to) => Ok(vec![to.clone()]),
        None => Err(CommandError::Input(format!(
            "{named} is not among those who get the digest. They are listed in the configuration under `digest: to:`."
        ))),
    }
}

/// Writes the digests of a week below a folder. Where nobody is configured, that of service leadership, about all cases.
pub(super) fn preview_of_week(
    folder: &Path,
    to: &[DigestTo],
    week: Period,
    records: &Records,
    set: &Set,
    now: DateTime<Utc>,
) -> Result<(), CommandError> {
    let counted =
        |to: &DigestTo| Ok(vec![("", digests::figures(records, set, week, &About::from(to), now)?)]);
    preview(folder, to, set, now, counted)
}

fn preview(
    folder: &Path,
    to: &[DigestTo],
    set: &Set,
    now: DateTime<Utc>,
    counted: impl Fn(&DigestTo) -> Result<Vec<(&'static str, Figures)>, RecordError>,
) -> Result<(), CommandError> {
    let leadership = [DigestTo {
        address: format!("service.leadership@{}", set.config.council.domain),
        all: true,
        ..DigestTo::default()
    }];
    let to = if to.is_empty() { &leadership[..] } else { to };
    for to in to {
        for (which, figures) in counted(to)? {
            let topic = digests::topic(figures.period);
            let digest = digests::write(&to.address, &topic, &figures, None, set, now)
                .map_err(|error| CommandError::Input(error.to_string()))?;
            let folder = folder.join(folder_name(&to.address)).join(which);
            write_files(&folder, &digest)?;
            out::line(format_args!("{}: {}", folder.join("digest.html").display(), subject(&digest)));
        }
    }
    Ok(())
}

/// The address as the name of a folder.
fn folder_name(address: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_@.".contains(c) { c } else { '_' };
    address.chars().map(plain).collect::<String>().trim_start_matches('.').to_owned()
}

/// The email as it would be sent, and its parts for those who have no mail program at hand.
fn write_files(folder: &Path, digest: &WeeklyDigest) -> Result<(), CommandError> {
    let outside = |path: &Path, error: std::io::Error| {
        CommandError::Outside(format!("{}: cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| outside(folder, error))?;
    let html = digest.pictures.iter().fold(digest.html.clone(), |html, picture| {
        html.replace(&format!("cid:{}\"", picture.name), &format!("{}.png\"", picture.name))
    });
    let charts =
        digest.pictures.iter().map(|picture| (format!("{}.png", picture.name), picture.png.as_slice()));
    let texts = [
        ("digest.eml".to_owned(), digest.letter.raw.as_slice()),
        ("digest.html".to_owned(), html.as_bytes()),
        ("digest.txt".to_owned(), digest.text.as_bytes()),
    ];
    for (name, bytes) in texts.into_iter().chain(charts) {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| outside(&path, error))?;
    }
    Ok(())
}

/// Its subject, as the reader's list of emails shows it.
fn subject(digest: &WeeklyDigest) -> String {
    crate::message::parse(&digest.letter.raw, digest.letter.raw.len()).subject.clone()
}

/// Writes the digests down, and sends them if the daemon is not there to do it.
fn send(
    to: &[DigestTo],
    week: Period,
    again: bool,
    config: &Config,
    set: Set,
    now: DateTime<Utc>,
) -> Result<(), CommandError> {
    if to.is_empty() {
        return Err(CommandError::Input(
            "Nobody is to get the digest. Name them in the configuration: `digest: {to: [{address: ..., all: true}]}`.".to_owned(),
        ));
    }
    if !digests::is_over(week, london::date(now)) {
        return Err(CommandError::Input(format!(
            "That week ends on {}; its digest can be sent after it. `--preview DIR` shows how it stands so far.",
            week.to.format("%A %-d %B")
        )));
    }
    let records = Records::open_to_change(&config.database)?;
    let mut topic = digests::topic(week);
    if again {
        topic = format!("{topic}/again-{}", now.timestamp());
    }
    let mut planned = 0;
    for to in to {
        let figures = digests::figures(&records, &set, week, &About::from(to), now)?;
        let digest = digests::write(&to.address, &topic, &figures, None, &set, now)
            .map_err(|error| CommandError::Input(error.to_string()))?;
        let effect = digests::effect(digest, &topic, config, now);
        match records.notify(None, effect.as_slice(), now)? {
            0 => out::line(format_args!(
                "{} has had the digest of this week; --again sends it once more.",
                to.address
            )),
            _ => {
                out::line(format_args!("{}: written down.", to.address));
                planned += 1;
            }
        }
    }
    if planned == 0 {
        return Ok(());
    }
    let only_one = match records.lock_for_daemon() {
        Ok(lock) => lock,
        Err(RecordError::AlreadyRunning { .. }) => {
            out::line("The program is running; it sends them within a minute.");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    post_now(&records, config, set, &topic)?;
    drop(only_one);
    let unsent = records.not_handed_over(&topic)?;
    if !unsent.is_empty() {
        return Err(CommandError::Outside(not_sent(&unsent)));
    }
    out::line("Sent.");
    Ok(())
}

/// To whom a digest was not handed over, why, and what becomes of it.
fn not_sent(letters: &[Unsent]) -> String {
    let lines = letters.iter().map(|letter| {
        let next = if letter.waits_for_a_person {
            "It is not sent again by itself: when that is mended, `digest --send --again` writes a new one"
        } else {
            "It is sent as soon as `send-triage run` is started"
        };
        let problem = letter.problem.as_deref().unwrap_or("it could not be handed over now");
        format!("{}: not sent: {}. {next}.", letter.recipient, problem.trim_end_matches('.'))
    });
    let lines: Vec<String> = lines.chain(["`send-triage doctor` tries the servers.".to_owned()]).collect();
    lines.join("\n")
}

/// Hands over the letters about this and no others. What became of them stands in the record.
fn post_now(records: &Records, config: &Config, set: Set, topic: &str) -> Result<(), CommandError> {
    let Some(account) = letters::alerting_account(config) else { return Ok(()) };
    let mut couriers = parts::couriers(config, &parts::Shared::new(config))?;
    let Some(courier) = couriers.get_mut(account) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        CommandError::Outside(format!("The program cannot start its event loop: {error}"))
    })?;
    let (_keep, stop) = watch::channel(false);
    let in_force = InForce::new(set);
    let world = World {
        config,
        records,
        clock: &SystemClock,
        in_force: &in_force,
        bells: Bells::new(config.accounts.iter().map(|account| account.name.as_str())),
        stop,
    };
    let ours = |effect: &Effect| matches!(effect, Effect::Notice { topic: of, .. } if of == topic);
    runtime
        .block_on(post::send_those(account, courier, &world, ours))
        .map_err(|trouble| CommandError::Outside(trouble.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_named_by_any_day_in_it_and_not_by_one_ahead() {
        let today = "2026-11-25".parse().unwrap();
        let monday = |written: Option<&str>| week(written, today).map(|week| week.from.to_string());
        assert_eq!(monday(None).unwrap(), "2026-11-16");
        assert_eq!(monday(Some("2026-11-22")).unwrap(), "2026-11-16");
        assert_eq!(monday(Some("2026-11-25")).unwrap(), "2026-11-23");
        assert!(monday(Some("2026-11-26")).is_err() && monday(Some("last week")).is_err());
    }

    #[test]
    fn what_was_not_sent_is_told_with_what_becomes_of_it() {
        let unsent = |waits_for_a_person, problem: Option<&str>| Unsent {
            recipient: "lead@council.example".to_owned(),
            waits_for_a_person,
            problem: problem.map(str::to_owned),
        };
        let told = not_sent(&[unsent(true, Some("550 no such user.")), unsent(false, None)]);
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].contains("not sent: 550 no such user. It is not sent again by itself"), "{told}");
        assert!(lines[1].contains("as soon as `send-triage run` is started"), "{told}");
    }

    #[test]
    fn an_address_is_a_folder_that_stays_below_the_one_named() {
        assert_eq!(folder_name("lead.east@council.example"), "lead.east@council.example");
        assert_eq!(folder_name("../../x/y@council.example"), "_.._x_y@council.example");
    }
}
