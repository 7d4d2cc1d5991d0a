//! `send-triage cases reassign`: another team, another area, urgent or standard. It is kept as a correction, from which `suggest`
//! learns which rule to look at; it moves no message.

use crate::case::Correction;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::{in_force, intake};
use crate::record::{NewCorrection, Records};

use super::super::{CommandError, Format, out};
use super::correct::{Area, Queue, written};
use super::deed::{self, By};
use super::known_case;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("to").required(true).multiple(true)
    .args(["queue", "area", "urgent", "standard"]))]
pub(super) struct Reassign {
    #[command(flatten)]
    by: By,
    /// The team that has it now
    #[arg(long, value_enum, value_name = "QUEUE")]
    queue: Option<Queue>,
    /// Where the child lives
    #[arg(long, value_enum)]
    area: Option<Area>,
    /// It is urgent
    #[arg(long)]
    urgent: bool,
    /// It is not urgent
    #[arg(long, conflicts_with = "urgent")]
    standard: bool,
    /// Why; no names of families
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why: String,
}

pub(super) fn reassign(options: &Reassign, records: &Records, config: &Config) -> Result<(), CommandError> {
    let case = known_case(&options.by.reference, records)?;
    let reference = &case.case.reference;
    let Some(opening) = case.messages.iter().find(|message| message.role == "opened") else {
        return Err(CommandError::Input(format!("{reference} has no message any more.")));
    };
    let urgency = match (options.urgent, options.standard) {
        (true, _) => Some("urgent"),
        (_, true) => Some("standard"),
        _ => None,
    };
    let change = Correction {
        urgency: urgency.map(str::to_owned),
        queue: options.queue.and_then(written),
        area: options.area.and_then(written),
        ..Correction::default()
    };
    let calendar = in_force::calendar(config)?;
    let new = NewCorrection {
        message: opening.message,
        change,
        by: options.by.name()?,
        why: options.why.trim().to_owned(),
        moved_to: None,
        first_response_on: Some(intake::first_response_by(case.case.received_at, &calendar)),
    };
    let changed = Records::open_to_change(&config.database)?.correct(&new, SystemClock.now())?;
    if options.by.format == Format::Json {
        return deed::say(&options.by, reference, records, config);
    }
    if changed.is_empty() {
        out::line(format_args!("{reference} is so already; nothing was written down."));
        return Ok(());
    }
    let after = known_case(reference, records)?.case;
    out::line(format_args!(
        "{reference} is {} now, with {}, area {}.",
        after.urgency, after.queue, after.area
    ));
    let places = records.recall_message(opening.message)?.map(|recalled| recalled.places).unwrap_or_default();
    match places.as_slice() {
        [] => out::line("Where its message lies is not known."),
        places => {
            let places: Vec<String> =
                places.iter().map(|place| format!("{}, folder {}", place.account, place.folder)).collect();
            out::line(format_args!(
                "Its message still lies in {}; move it by hand if it is to move.",
                places.join(" and ")
            ));
        }
    }
    Ok(())
}
