//! Keys that had another name once: the old one is still read, and warned of. A line here, and `#[serde(alias)]` on the field;
//! a line goes no sooner than one version later. Not: keys that mean something else now, which must be refused.

/// A key that has a new name.
pub(super) struct Renamed {
    /// What it was called.
    pub(super) old: &'static str,
    /// What it is called.
    pub(super) new: &'static str,
    /// Why, for the one who is asked to change it.
    pub(super) why: &'static str,
}

/// All of them.
pub(super) const RENAMED: &[Renamed] = &[Renamed {
    old: "sent_folder",
    new: "own_sent_folder",
    why: "it was too easily taken for `sent_folders`",
}];

/// The key that is meant by an old name.
pub(super) fn renamed(name: &str) -> Option<&'static Renamed> {
    RENAMED.iter().find(|renamed| renamed.old == name)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(text: &str) -> Result<Config, Vec<crate::rules::Diagnostic>> {
        Config::read(text, "c.yaml", std::path::Path::new("."))
    }

    fn with(key: &str) -> String {
        let account = super::super::EXAMPLE.find("    aliases: []").unwrap();
        let (before, after) = super::super::EXAMPLE.split_at(account);
        format!("{before}{key}{after}")
    }

    #[test]
    fn an_old_name_is_read_and_warned_of_with_its_place_and_the_new_one() {
        for renamed in RENAMED {
            let config = read(&with(&format!("    {}: Posted\n", renamed.old))).unwrap();
            assert_eq!(config.warnings.len(), 1, "{}", renamed.old);
            let shown = crate::rules::diagnostic::listed(&config.warnings);
            assert!(
                shown.contains("warning") && shown.contains(renamed.new) && shown.contains(renamed.old),
                "{shown}"
            );
        }
        let config = read(&with("    sent_folder: Posted\n")).unwrap();
        assert_eq!(config.accounts[0].own_sent_folder.as_deref(), Some("Posted"));
        assert!(read(&with("    own_sent_folder: Posted\n")).unwrap().warnings.is_empty());
    }

    #[test]
    fn both_names_at_once_are_refused() {
        let complaints = read(&with("    sent_folder: A\n    own_sent_folder: B\n")).unwrap_err();
        let shown = crate::rules::diagnostic::listed(&complaints);
        assert!(shown.contains("both") && shown.contains("Remove `sent_folder`"), "{shown}");
    }

    #[test]
    fn an_old_name_stands_for_its_key_where_that_belongs_and_nowhere_else() {
        let complaints =
            read(&super::super::EXAMPLE.replace("filing:    ", "sent_folder: x\nfiling:    ")).unwrap_err();
        assert!(crate::rules::diagnostic::listed(&complaints).contains("no key that is known here"));
    }
}
