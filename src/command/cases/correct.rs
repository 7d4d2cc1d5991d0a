//! `send-triage cases correct`: what a person says is right about a case, kept with who, when and why. It moves no message and
//! changes no rule; `suggest` shows which rule to look at.

use clap::ValueEnum;

use crate::case::Correction;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::{in_force, intake};
use crate::record::{NewCorrection, Records};

use super::super::{CommandError, out};
use super::{deed, known_case};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true)
    .args(["urgent", "standard", "ground", "queue", "area", "kind"]))]
pub(super) struct Correct {
    /// The case, such as SEND-7K4M-2Q9X
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// It is urgent
    #[arg(long)]
    urgent: bool,
    /// It is not urgent
    #[arg(long, conflicts_with = "urgent")]
    standard: bool,
    /// A ground that holds, such as U4 (which makes it urgent) or S2; may be given several times, and then says all of them
    #[arg(long, value_name = "ID")]
    ground: Vec<String>,
    /// The team that should have got it
    #[arg(long, value_enum, value_name = "QUEUE")]
    queue: Option<Queue>,
    /// Where the child lives
    #[arg(long, value_enum)]
    area: Option<Area>,
    /// What sort of message it is
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Who says so; without it, the name that you are logged in with
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why, for those who keep the rules; no names of families
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Queue {
    Resolution,
    Assessment,
    AnnualReviewEast,
    AnnualReviewWest,
    General,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Area {
    East,
    West,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Person,
    AutoReply,
    Bounce,
    List,
    Internal,
    Calendar,
}

/// An option's value as it is written.
pub(super) fn written(value: impl ValueEnum) -> Option<String> {
    value.to_possible_value().map(|value| value.get_name().to_owned())
}

pub(super) fn correct(options: &Correct, records: &Records, config: &Config) -> Result<(), CommandError> {
    let case = known_case(&options.reference, records)?;
    let change = change(options)?;
    let login = std::env::var("USER").ok().or_else(|| std::env::var("LOGNAME").ok());
    let by = deed::who(options.by.as_deref(), login)?;
    let Some(opening) = case.messages.iter().find(|message| message.role == "opened") else {
        return Err(CommandError::Input(format!("{} has no message any more.", case.case.reference)));
    };
    let calendar = in_force::calendar(config)?;
    let new = NewCorrection {
        message: opening.message,
        change,
        by,
        why: options.why.trim().to_owned(),
        moved_to: None,
        first_response_on: Some(intake::first_response_by(case.case.received_at, &calendar)),
    };
    let changed = Records::open_to_change(&config.database)?.correct(&new, SystemClock.now())?;
    let reference = &case.case.reference;
    if changed.is_empty() {
        out::line(format_args!("{reference} is so already; nothing was written down."));
        return Ok(());
    }
    out::line(format_args!(
        "{reference} is corrected. Its message stays where it lies; move it by hand if it is to move."
    ));
    out::line(format_args!("`send-triage suggest {reference}` says which rule to look at."));
    Ok(())
}

fn change(options: &Correct) -> Result<Correction, CommandError> {
    let mut grounds = Vec::new();
    for ground in &options.ground {
        let id = ground.trim().to_uppercase();
        let number = id.get(1..).and_then(|number| number.parse::<u8>().ok());
        let known = match (id.get(..1), number) {
            (Some("U"), Some(1..=10)) | (Some("S"), Some(1..=7)) => true,
            _ => id == "OTHER",
        };
        if !known {
            return Err(CommandError::Input(format!(
                "`{ground}` is not a ground. Write U1 to U10, S1 to S7, or other."
            )));
        }
        grounds.push(if id == "OTHER" { "other".to_owned() } else { id });
    }
    let urgent_ground = grounds.iter().any(|ground| ground.starts_with('U'));
    if options.standard && urgent_ground {
        return Err(CommandError::Input(
            "A message with a ground U1 to U10 is urgent: leave out --standard.".into(),
        ));
    }
    if options.urgent && !grounds.is_empty() && !urgent_ground {
        return Err(CommandError::Input(
            "An urgent message has a ground U1 to U10: name it with --ground.".into(),
        ));
    }
    let urgency = match (options.urgent || urgent_ground, options.standard || !grounds.is_empty()) {
        (true, _) => Some("urgent"),
        (false, true) => Some("standard"),
        (false, false) => None,
    };
    Ok(Correction {
        kind: options.kind.and_then(written),
        urgency: urgency.map(str::to_owned),
        grounds: (!grounds.is_empty()).then_some(grounds),
        queue: options.queue.and_then(written),
        area: options.area.and_then(written),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        correct: Correct,
    }

    fn read(arguments: &[&str]) -> Result<Correction, String> {
        let words = ["correct", "SEND-7K4M-2Q9X"].iter().chain(arguments);
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        change(&line.correct).map_err(|error| error.to_string())
    }

    #[test]
    fn a_ground_says_whether_it_is_urgent() {
        let urgent = read(&["--ground", "u4", "--ground", "U10"]).unwrap();
        assert_eq!(urgent.urgency.as_deref(), Some("urgent"));
        assert_eq!(urgent.grounds.unwrap(), ["U4", "U10"]);
        assert_eq!(read(&["--ground", "S2"]).unwrap().urgency.as_deref(), Some("standard"));
        assert_eq!(read(&["--queue", "assessment"]).unwrap().urgency, None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(read(&["--ground", "U11"]).unwrap_err().contains("U1 to U10"));
        assert!(read(&["--standard", "--ground", "U4"]).unwrap_err().contains("leave out --standard"));
        assert!(read(&["--urgent", "--ground", "S4"]).unwrap_err().contains("--ground"));
        assert!(read(&["--queue", "nobody"]).unwrap_err().contains("annual-review-east"));
        assert!(read(&[]).is_err() && read(&["--urgent", "--standard"]).is_err());
    }
}
