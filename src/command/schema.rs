//! `send-triage schema`: the JSON Schemas of all files that people edit, for editors and CI; and the page of all keys of the
//! configuration, for people.

use std::path::PathBuf;

use serde_json::Value;

use crate::config::{Config, working_days};
use crate::rules::json_schema;

use super::{CommandError, out};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Writes them into this folder; without it, they are printed as one object, by file name
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print instead every key of the configuration with its type, what holds without it, and its meaning (Markdown)
    #[arg(long, conflicts_with = "folder")]
    reference: bool,
}

/// Every schema by the name of its file.
fn all() -> [(&'static str, Value); 4] {
    [
        ("rules.schema.json", json_schema::rules()),
        ("vocabulary.schema.json", json_schema::vocabulary()),
        ("send-triage.schema.json", Config::schema()),
        ("working-days.schema.json", working_days::schema()),
    ]
}

pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    if arguments.reference {
        out::print(Config::reference());
        return Ok(());
    }
    let Some(folder) = &arguments.folder else {
        let all: serde_json::Map<String, Value> =
            all().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
        out::line(pretty(&Value::Object(all)));
        return Ok(());
    };
    let cannot = |error: std::io::Error| {
        CommandError::Outside(format!("{}: the schemas cannot be written: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(cannot)?;
    for (name, schema) in all() {
        std::fs::write(folder.join(name), pretty(&schema) + "\n").map_err(cannot)?;
    }
    out::line(format_args!("{} schemas written to {}.", all().len(), folder.display()));
    Ok(())
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
