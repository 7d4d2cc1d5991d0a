//! `send-triage cases close`: nothing is owed in this case, and why.

use crate::case::Fact;
use crate::case::life::Act;
use crate::config::Config;
use crate::record::Records;

use super::super::CommandError;
use super::deed::{self, By};

#[derive(Debug, clap::Args)]
pub(super) struct Close {
    #[command(flatten)]
    by: By,
    /// Why nothing is owed; no names of families
    #[arg(long, value_name = "TEXT", required = true)]
    why: String,
}

pub(super) fn close(options: &Close, records: &Records, config: &Config) -> Result<(), CommandError> {
    if options.why.trim().is_empty() {
        return Err(CommandError::Input(
            "Why is nothing owed? A case that is closed without an answer says so with --why TEXT."
                .to_owned(),
        ));
    }
    deed::perform(&options.by, &options.why, Act::Close, Fact::Closed, None, records, config)
}
