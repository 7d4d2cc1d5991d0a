//! Where a secret is kept: a file, an environment variable, or a systemd credential; never the configuration itself.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use schemars::JsonSchema;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

use super::ConfigError;
use super::shape::Day;

/// Where a secret is kept. Exactly one of the three is given. Its value is read when it is needed, and never shown.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secret {
    /// A file whose first line it is.
    pub file: Option<PathBuf>,
    /// An environment variable.
    pub env: Option<String>,
    /// A credential that systemd passes (`LoadCredential=`); by hand, the file of that name in `secrets` beside the configuration.
    pub credential: Option<String>,
    /// The last day on which it serves, such as 2027-03-01: warned of 60, 30 and 7 days ahead.
    #[schemars(with = "Option<Day>")]
    pub expires_on: Option<NaiveDate>,
    /// Where credentials lie for a command by hand: the folder that the unit passes to the service.
    #[serde(skip)]
    #[schemars(skip)]
    by_hand: Option<PathBuf>,
}

impl Secret {
    /// Reads the secret now: a changed password needs no restart. It is the first line of what is there.
    pub fn read(&self) -> Result<SecretString, ConfigError> {
        let (text, place) = self.text()?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(ConfigError(format!(
                "{place} is empty; write the password into it, on its first line."
            )));
        }
        Ok(SecretString::from(line))
    }

    /// The same for a secret of many lines: a key in PEM.
    pub fn read_whole(&self) -> Result<SecretString, ConfigError> {
        let (text, place) = self.text()?;
        if text.trim().is_empty() {
            return Err(ConfigError(format!("{place} is empty; write the key into it.")));
        }
        Ok(SecretString::from(text.as_str()))
    }

    /// What is there, and where that is.
    fn text(&self) -> Result<(Zeroizing<String>, String), ConfigError> {
        let (text, place) = match (&self.file, &self.env, &self.credential) {
            (Some(path), None, None) => (read_file(path)?, path.display().to_string()),
            (None, Some(name), None) => (
                std::env::var(name).map(Zeroizing::new).map_err(|_| {
                    ConfigError(format!(
                        "The environment variable {name} is not set, though a password is to be read from it."
                    ))
                })?,
                format!("the environment variable {name}"),
            ),
            (None, None, Some(name)) => {
                // An administrator's `doctor` or `rebuild` signs in as the service does. The folder is root's alone.
                let passed = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
                let folder = passed.or_else(|| self.by_hand.clone().filter(|folder| folder.is_dir()));
                let folder = folder.ok_or_else(|| {
                    ConfigError(format!(
                        "The credential `{name}` cannot be read: systemd passed none, and there is no folder `secrets` beside the configuration that this user may look into. The unit needs LoadCredential=secrets:/etc/send-triage/secrets; by hand, run this as root, or say CREDENTIALS_DIRECTORY=FOLDER."
                    ))
                })?;
                let path = credential_in(&folder, name);
                (read_file(&path)?, path.display().to_string())
            }
            _ => {
                return Err(ConfigError(
                    "A password needs exactly one of `file`, `env` or `credential`.".to_owned(),
                ));
            }
        };
        Ok((text, place))
    }

    /// Whether exactly one place is given.
    pub(super) fn is_well_formed(&self) -> bool {
        [self.file.is_some(), self.env.is_some(), self.credential.is_some()].iter().filter(|x| **x).count()
            == 1
    }

    pub(super) fn make_absolute(&mut self, folder: &Path) {
        if let Some(path) = &mut self.file
            && path.is_relative()
        {
            *path = folder.join(&*path);
        }
        self.by_hand = Some(folder.join("secrets"));
    }
}

/// systemd passes the file `general` of a folder that is loaded as `secrets` under the name `secrets_general`
/// (systemd.exec(5), LoadCredential=); a command by hand looks into the folder itself. The configuration says `general` for both.
fn credential_in(folder: &Path, name: &str) -> PathBuf {
    let of_a_folder = folder.join(format!("secrets_{name}"));
    if of_a_folder.exists() { of_a_folder } else { folder.join(name) }
}

/// What is read besides the first line is wiped as well.
fn read_file(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| ConfigError(format!("{}: the password cannot be read: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn by_hand_a_credential_is_the_file_in_secrets_beside_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let mut secret = Secret { credential: Some("general".into()), ..Secret::default() };
        secret.make_absolute(dir.path());
        let said = secret.read().unwrap_err().to_string();
        assert!(said.contains("no folder `secrets`") && said.contains("CREDENTIALS_DIRECTORY"), "{said}");
        std::fs::create_dir(dir.path().join("secrets")).unwrap();
        let said = secret.read().unwrap_err().to_string();
        assert!(said.contains("secrets/general: the password cannot be read"), "{said}");
        std::fs::write(dir.path().join("secrets/general"), "blue tractor 7\n").unwrap();
        assert_eq!(secret.read().unwrap().expose_secret(), "blue tractor 7");
    }
}
