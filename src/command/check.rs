//! `send-triage check`: is everything that people wrote in order? Runs the rules' own examples.

use std::path::{Path, PathBuf};

use crate::clock::{Clock, SystemClock};

use crate::calendar::london;
use crate::daemon::in_force;

use super::{CommandError, out};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Rules other than those of the configuration
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let mut config = super::config(config)?;
    if let Some(rules) = &arguments.rules {
        config.rules = Some(rules.clone());
    }
    let set = in_force::load(&config)?;
    for warning in &set.warnings {
        out::line(format_args!("{warning}\n"));
    }
    if let Some(warning) = set.policy.calendar.horizon_warning(london::date(SystemClock.now())) {
        out::line(format_args!("warning: {warning}\n"));
    }
    let rules = &set.policy.rules;
    out::line(format_args!(
        "All is well: {} rules, {} phrases, {} examples passed; rules version {}.",
        rules.rules().len(),
        rules.phrases(),
        rules.examples(),
        rules.version()
    ));
    Ok(())
}
