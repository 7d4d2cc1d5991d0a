//! How a folder is called on the wire: the server's level delimiter, its personal prefix, quoting (RFC 9051 sections 5.1 and 9).
//! Our own names divide levels by `/` whatever the server does.

use super::utf7;

/// How a server divides and prefixes the names of a person's folders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Naming {
    /// The level delimiter; `None` when the server has no levels.
    pub delimiter: Option<char>,
    /// What stands before every folder but INBOX: empty, or `INBOX.` (Courier, Cyrus).
    pub prefix: String,
}

impl Naming {
    /// Our name of a folder as the server calls it, in modified UTF-7 and not yet quoted.
    pub fn wire(&self, folder: &str) -> String {
        let levels: Vec<&str> = folder.split('/').map(str::trim).filter(|level| !level.is_empty()).collect();
        let own_prefix = levels.first().is_some_and(|first| first.eq_ignore_ascii_case("INBOX"));
        let levels: Vec<String> = levels
            .iter()
            .enumerate()
            .map(|(depth, level)| if depth == 0 && own_prefix { "INBOX".into() } else { self.level(level) })
            .collect();
        let joined = levels.join(&self.delimiter.unwrap_or('-').to_string());
        if own_prefix { joined } else { format!("{}{joined}", utf7::encode(&self.prefix)) }
    }

    /// The names of all levels above a folder, outermost first, and then its own.
    pub fn levels(&self, folder: &str) -> Vec<String> {
        let parts: Vec<&str> = folder.split('/').collect();
        match self.delimiter {
            None => vec![self.wire(folder)],
            Some(_) => (1..=parts.len())
                .filter_map(|depth| parts.get(..depth).map(|upper| self.wire(&upper.join("/"))))
                .filter(|name| !name.eq_ignore_ascii_case("INBOX"))
                .collect(),
        }
    }

    /// A server's name as we call it.
    pub fn ours(&self, wire: &str) -> String {
        let unicode = utf7::decode(wire);
        let bare = unicode.strip_prefix(self.prefix.as_str()).unwrap_or(&unicode);
        match self.delimiter {
            Some(delimiter) => bare.replace(delimiter, "/"),
            None => bare.to_owned(),
        }
    }

    /// One level: the server's delimiter cannot stand inside a name.
    fn level(&self, level: &str) -> String {
        let safe: String =
            level
                .chars()
                .map(|c| {
                    if Some(c) == self.delimiter || c.is_control() || matches!(c, '*' | '%') {
                        '_'
                    } else {
                        c
                    }
                })
                .collect();
        utf7::encode(&safe)
    }
}

/// A quoted string (RFC 9051 section 4.3). Line ends and other bytes that cannot be quoted are left out.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()) {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

/// UIDs in ascending order as a sequence set: `1:3,7`.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => runs.push((*uid, *uid)),
        }
    }
    let runs: Vec<String> = runs
        .into_iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}:{last}") })
        .collect();
    runs.join(",")
}

/// The longest part of a Message-ID that can be searched for as a quoted string.
pub(super) fn searchable(message_id: &str) -> Option<&str> {
    message_id
        .split(|c: char| !c.is_ascii_graphic() || matches!(c, '"' | '\\'))
        .max_by_key(|part| part.len())
        .filter(|part| part.len() >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn courier() -> Naming {
        Naming { delimiter: Some('.'), prefix: "INBOX.".into() }
    }

    fn dovecot() -> Naming {
        Naming { delimiter: Some('/'), prefix: String::new() }
    }

    #[test]
    fn folders_are_named_as_the_server_divides_them() {
        assert_eq!(dovecot().wire("Triage/General"), "Triage/General");
        assert_eq!(courier().wire("Triage/General"), "INBOX.Triage.General");
        assert_eq!(courier().wire("inbox"), "INBOX");
        assert_eq!(courier().wire("INBOX/Triage"), "INBOX.Triage");
        assert_eq!(courier().wire("St. Mary/Größe"), "INBOX.St_ Mary.Gr&APYA3w-e");
        assert_eq!(Naming::default().wire("Triage/General"), "Triage-General");
        assert_eq!(dovecot().wire("/Triage//General/"), "Triage/General");
    }

    #[test]
    fn the_levels_above_come_first() {
        assert_eq!(
            courier().levels("Triage/East/Urgent"),
            ["INBOX.Triage", "INBOX.Triage.East", "INBOX.Triage.East.Urgent"]
        );
        assert_eq!(dovecot().levels("INBOX/Triage"), ["INBOX/Triage"]);
    }

    #[test]
    fn a_servers_name_is_read_back() {
        assert_eq!(courier().ours("INBOX.Triage.Gr&APYA3w-e"), "Triage/Größe");
        assert_eq!(dovecot().ours("Sent"), "Sent");
    }

    #[test]
    fn quoting_leaves_no_way_to_smuggle_a_command() {
        assert_eq!(quoted("a\"b\\c\r\nA1 LOGOUT"), "\"a\\\"b\\\\cA1 LOGOUT\"");
    }

    #[test]
    fn neighbouring_uids_are_one_range() {
        assert_eq!(uid_set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set(&[u32::MAX]), "4294967295");
    }

    #[test]
    fn a_message_id_is_searched_by_what_can_be_quoted() {
        assert_eq!(searchable("a1b2@mail.example"), Some("a1b2@mail.example"));
        assert_eq!(searchable("é@x\"12345@mail.example"), Some("12345@mail.example"));
        assert_eq!(searchable("é"), None);
    }
}
