//! `send-triage health`: how the daemon is, read from the file that it writes; for a person, a container's health check, and
//! whatever watches the machine. It asks no server and opens no database, so that it answers whatever else stands still.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::calendar::london;
use crate::daemon::health::{Health, Verdict};

use super::{CommandError, Format, out, own_config};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), CommandError> {
    let config = own_config(config)?;
    let now = Utc::now();
    let health = Health::read(&config.health_file()).map_err(CommandError::Outside)?;
    let after = TimeDelta::minutes(i64::from(config.health.stalled_after_minutes));
    let Verdict { ok, stalls, waiting } = Verdict::of(&health, now, after);
    match arguments.format {
        Format::Json => {
            out::line(json!({"ok": ok, "stalls": stalls, "waiting": waiting, "health": health}));
        }
        Format::Text => {
            for one in &stalls {
                out::line(format!("STALLED  {one}"));
            }
            for one in &waiting {
                out::line(format!("waiting  {one}"));
            }
            for folder in &health.folders {
                let seen = folder.last_seen_at.map_or_else(
                    || "not reached yet".to_owned(),
                    |at| format!("last reached {}", london::time(at).format("%H:%M:%S")),
                );
                out::line(format!("         {} / {}: {seen}", folder.account, folder.folder));
            }
            if ok {
                out::line(format!(
                    "ok       {} looked after, rules {}, {} things to be done.",
                    match health.folders.len() {
                        1 => "1 folder is".to_owned(),
                        more => format!("{more} folders are"),
                    },
                    health.rules,
                    health.pending
                ));
            }
        }
    }
    match stalls.len() {
        0 => Ok(()),
        1 => Err(CommandError::Outside("something stands still; see above.".to_owned())),
        more => Err(CommandError::Outside(format!("{more} things stand still; see above."))),
    }
}
