//! What the commands that change a case have in common: who does it and why, doing it, and saying what came of it. Whether it can
//! be done to the case as it stands is `case/life.rs`'s to say.

use chrono::{DateTime, Utc};

use crate::calendar::london;
use crate::case::Fact;
use crate::case::life::Act;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::in_force;
use crate::record::{Acted, Deed, Records};

use super::super::{CommandError, Format, out};
use super::{CaseObject, json, known_case};

/// Which case, who says so, and why.
#[derive(Debug, clap::Args)]
pub(super) struct By {
    /// The case, such as SEND-7K4M-2Q9X
    #[arg(value_name = "REFERENCE")]
    pub(super) reference: String,
    /// Who says so; without it, the name that you are logged in with
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

impl By {
    /// The name that is written down.
    pub(super) fn name(&self) -> Result<String, CommandError> {
        let login = std::env::var("USER").ok().or_else(|| std::env::var("LOGNAME").ok());
        who(self.by.as_deref(), login)
    }
}

/// Does it, and says how the case stands now. `at` is when it happened; `None`: now.
pub(super) fn perform(
    by: &By,
    why: &str,
    act: Act,
    fact: Fact,
    at: Option<DateTime<Utc>>,
    records: &Records,
    config: &Config,
) -> Result<(), CommandError> {
    let now = SystemClock.now();
    // Looked up first: an unknown reference is told with its nearest, and nothing is opened for writing.
    let before = known_case(&by.reference, records)?;
    let deed = Deed { act, fact, by: by.name()?, why: why.trim().to_owned(), at: at.unwrap_or(now) };
    let reference = &before.case.reference;
    match Records::open_to_change(&config.database)?.perform(reference, &deed, now)? {
        Acted::Done(after) => {
            say(by, reference, records, config)?;
            // An answer of some days ago, told now, may not be the last word.
            if deed.act == Act::Answer && after.state.is_waiting() && by.format == Format::Text {
                out::line(
                    "The answer is written down; the sender has asked again since, so another one is owed.",
                );
            }
            Ok(())
        }
        Acted::NotNow(not_now) => Err(CommandError::Input(format!("{reference}: {not_now}"))),
        Acted::NoSuchCase => Err(CommandError::Input(format!("There is no case {reference} any more."))),
    }
}

/// How the case stands now.
pub(super) fn say(by: &By, reference: &str, records: &Records, config: &Config) -> Result<(), CommandError> {
    let after = known_case(reference, records)?;
    let today = london::date(SystemClock.now());
    match by.format {
        Format::Json => out::line(json(&CaseObject::of(&after.case, today))?),
        Format::Text => {
            let calendar = in_force::calendar(config)?;
            out::line(format_args!(
                "{reference}: {}.",
                after.case.standing().in_a_sentence(today, &calendar)
            ));
        }
    }
    Ok(())
}

/// Who is written down as having said so.
pub(super) fn who(by: Option<&str>, login: Option<String>) -> Result<String, CommandError> {
    let name = by.map(str::to_owned).or(login).unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(80).collect();
    // The audit must not take a person for the program.
    if name.is_empty() || name.eq_ignore_ascii_case("send-triage") {
        return Err(CommandError::Input("Who says so? Give your name with --by NAME.".to_owned()));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::who;

    #[test]
    fn the_audit_names_a_person() {
        assert!(who(None, None).is_err() && who(None, Some("send-triage".into())).is_err());
        assert!(who(Some("  "), Some("root".into())).is_err());
        assert_eq!(who(Some(" j.doe "), Some("root".into())).unwrap(), "j.doe");
        assert_eq!(who(None, Some("j.doe".into())).unwrap(), "j.doe");
    }
}
