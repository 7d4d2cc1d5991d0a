//! `send-triage cases extend`: staff need longer, and have said until when (policy, email d).

use crate::calendar::london;
use crate::case::Fact;
use crate::case::life::Act;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::in_force;
use crate::record::Records;

use super::super::{CommandError, Format, out};
use super::deed::{self, By};
use super::written_date;

#[derive(Debug, clap::Args)]
pub(super) struct Extend {
    #[command(flatten)]
    by: By,
    /// The last day for the answer: 2027-01-14, "14 January", "next Friday"; a working day
    #[arg(long, value_name = "DATE")]
    until: String,
    /// Why; no names of families
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why: String,
}

pub(super) fn extend(options: &Extend, records: &Records, config: &Config) -> Result<(), CommandError> {
    let calendar = in_force::calendar(config)?;
    let until = written_date::promised(&options.until, london::date(SystemClock.now()), &calendar)?;
    let fact = Fact::HeldOver { until };
    deed::perform(&options.by, &options.why, Act::Extend { until }, fact, None, records, config)?;
    if options.by.format == Format::Text {
        out::line("The sender is not told by this: write to them, if nobody has (policy, email d).");
    }
    Ok(())
}
