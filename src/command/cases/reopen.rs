//! `send-triage cases reopen`: an answer is owed again in a case that was answered or closed.

use crate::calendar::london;
use crate::case::Fact;
use crate::case::life::Act;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::in_force;
use crate::record::Records;

use super::super::CommandError;
use super::deed::{self, By};
use super::written_date;

#[derive(Debug, clap::Args)]
pub(super) struct Reopen {
    #[command(flatten)]
    by: By,
    /// The last day for the answer now: 2027-01-14, "14 January"; without it, counted anew from today
    #[arg(long, value_name = "DATE")]
    due: Option<String>,
    /// Why; no names of families
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why: String,
}

pub(super) fn reopen(options: &Reopen, records: &Records, config: &Config) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let calendar = in_force::calendar(config)?;
    let due_on = match &options.due {
        Some(text) => written_date::promised(text, london::date(now), &calendar)?,
        None => calendar.due(now, config.deadlines.answer_within_working_days).due_on,
    };
    deed::perform(&options.by, &options.why, Act::Reopen, Fact::Reopened { due_on }, None, records, config)
}
