//! The last good rules, kept beside the database: a restart while the rules folder is broken goes on with them instead of
//! leaving the mail unattended.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::Config;

use super::in_force::{self, RuleFiles, Set};

fn folder(config: &Config) -> PathBuf {
    config.database.with_file_name("rules-in-force")
}

/// Keeps what has just been put in force. Built-in rules need no keeping.
pub fn keep(files: &RuleFiles, config: &Config) {
    if config.rules.is_none() && config.working_days.is_none() {
        return;
    }
    if let Err(error) = write(files, config) {
        tracing::warn!(
            "{}: the rules in force cannot be kept there ({error}); a restart would need the rules folder to be good.",
            folder(config).display()
        );
    }
}

/// The whole copy is written beside the old one and then put in its place.
fn write(files: &RuleFiles, config: &Config) -> std::io::Result<()> {
    let (kept, part) = (folder(config), folder(config).with_extension("part"));
    let _ = fs::remove_dir_all(&part);
    let put = |path: PathBuf, bytes: &[u8]| {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::write(path, bytes)
    };
    for file in &files.rules {
        put(part.join("rules").join(&file.name), &file.bytes)?;
    }
    for (name, text) in &files.wording {
        put(part.join("rules/wording").join(name), text.as_bytes())?;
    }
    if let Some(days) = &config.working_days {
        put(part.join("working-days.yaml"), &fs::read(days)?)?;
    }
    let old = kept.with_extension("old");
    let _ = fs::remove_dir_all(&old);
    if kept.exists() {
        fs::rename(&kept, &old)?;
    }
    fs::rename(&part, &kept)?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// The last good set, if one was kept and is still good.
pub fn load(config: &Config) -> Option<Set> {
    let kept =
        [folder(config), folder(config).with_extension("old")].into_iter().find(|path| path.is_dir())?;
    let mut own = config.clone();
    own.rules = Some(kept.join("rules")).filter(|rules| config.rules.is_some() && rules.is_dir());
    own.working_days = Some(kept.join("working-days.yaml")).filter(|days| days.is_file());
    let mut set = in_force::load(&own).ok()?;
    // Everything else, and the places to be watched, are those of the configuration.
    set.config = std::rc::Rc::new(config.clone());
    Some(set)
}
