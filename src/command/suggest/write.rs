//! Corrected messages as a folder that `evaluate` reads: each as `.eml`, and a line of labels. Only where the officer asks, because
//! what is written are people's emails: the folder and its files are for their owner alone.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::calendar::london;
use crate::mailbox::PastMessage;
use crate::record::Recalled;

use super::super::CommandError;
use super::hints::Suggestion;

/// The folder.
pub(super) struct Examples {
    folder: PathBuf,
    labels: File,
    /// The files that have their labels already.
    there: BTreeSet<String>,
    written: usize,
}

impl Examples {
    /// Opens or makes the folder. What an earlier call wrote stays, and is not written twice.
    pub(super) fn open(folder: &Path) -> Result<Self, CommandError> {
        let failed = |error: io::Error| failed(folder, &error);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let path = folder.join("labels.jsonl");
        let there = match std::fs::read_to_string(&path) {
            Ok(text) => text
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter_map(|label| label.get("file").and_then(Value::as_str).map(str::to_owned))
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => return Err(failed(error)),
        };
        let labels = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), labels, there, written: 0 })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// Writes one message and its labels.
    pub(super) fn add(
        &mut self,
        recalled: &Recalled,
        raw: &PastMessage,
        suggestion: &Suggestion,
    ) -> Result<(), CommandError> {
        let name = recalled.reference.clone().unwrap_or_else(|| format!("message-{}", recalled.message));
        let file = format!("{name}.eml");
        if !self.there.insert(file.clone()) {
            return Ok(());
        }
        let path = self.folder.join(&file);
        let mut line = label(&file, recalled, suggestion).to_string();
        line.push('\n');
        // The message first: labels without it would stop `evaluate`.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let eml = options.open(&path).and_then(|mut eml| eml.write_all(&raw.bytes));
        eml.and_then(|()| self.labels.write_all(line.as_bytes())).map_err(|error| failed(&path, &error))?;
        self.written += 1;
        Ok(())
    }
}

fn failed(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Outside(format!(
        "{}: cannot be written: {error}. Name another folder with --write.",
        path.display()
    ))
}

/// What staff said, and for the rest what the rules say now: the officer reads it before it is relied on.
fn label(file: &str, recalled: &Recalled, suggestion: &Suggestion) -> Value {
    let right = &suggestion.right;
    let now = suggestion.now.clone().unwrap_or_default();
    let person = right.kind == "person";
    let acknowledge = match now.acknowledge {
        _ if !person => false,
        Some(sent) if now.kind == right.kind => sent,
        _ => !now.copied,
    };
    // A standard matter is about what the rules find it to be about, once no urgent ground stands before it.
    let grounds = if right.grounds == ["other"] && !suggestion.topics.is_empty() {
        suggestion.topics.clone()
    } else {
        right.grounds.clone()
    };
    let history: Vec<String> = suggestion
        .corrections
        .iter()
        .map(|correction| {
            let how = match &correction.moved_to {
                Some(place) => format!("staff moved it to {}/{}", place.account, place.folder),
                None => format!("{} said so by hand", correction.by),
            };
            if correction.why.is_empty() { how } else { format!("{how}: {}", correction.why) }
        })
        .collect();
    let unnamed = if right.urgency == "urgent" && grounds.is_empty() {
        " Nobody said on what ground: fill in `grounds`."
    } else {
        ""
    };
    json!({
        "file": file,
        "received": london::rfc3339(recalled.received_at),
        "mailbox": recalled.account,
        "kind": right.kind,
        "acknowledge": acknowledge,
        "copied": person && now.copied,
        "urgency": right.urgency,
        "grounds": grounds,
        "claimed_urgent": person && right.urgency == "standard" && now.claimed_urgent,
        "queue": right.queue,
        "area": right.area,
        "chaser": if person { now.chaser.as_str() } else { "none" },
        "signposts": if person { now.signposts.clone() } else { Vec::new() },
        "refer_leadership": person && now.refer_leadership,
        "why": format!("Corrected: {}.{unnamed}", history.join("; ")),
        "new_text": "",
    })
}
