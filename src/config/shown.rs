//! The configuration as a message about it may show it: what stands where a secret might be, written there by mistake, is starred out.
//! Byte for byte, so that places stay what they are. It reads lines, not YAML: what is shown may be no YAML at all. Not: which
//! keys there are (`shape.rs`).

use crate::rules::diagnostic::nearest;

/// Keys below which it is said where a secret is.
const SECRETS: [&str; 3] = ["password", "client_secret", "refresh_token"];
/// What people write for them.
const OTHER_WORDS: [&str; 8] =
    ["key", "pass", "passwd", "passphrase", "pwd", "secret", "token", "credentials"];
/// What may stand there and is no secret.
const PLACES: [&str; 4] = ["file", "env", "credential", "expires_on"];

/// The text as it may be shown.
pub(super) fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut beneath = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if beneath.is_some_and(|column| line.trim().is_empty() || indent > column) {
            pairs(line, &mut out);
            continue;
        }
        beneath = None;
        let Some((column, end)) = secret_key(line) else {
            out.push_str(line);
            continue;
        };
        // A map or a text may go on in the lines below, further in.
        beneath = Some(column);
        let (before, value) = line.split_at_checked(end).unwrap_or((line, ""));
        out.push_str(before);
        match value.trim_start().starts_with('{') {
            true => map(value, &mut out),
            false => starred(value, &mut out),
        }
    }
    out
}

/// The first key of a line behind which a secret may stand: where it begins, and where its value does.
fn secret_key(line: &str) -> Option<(usize, usize)> {
    line.match_indices(':').find_map(|(colon, _)| {
        let before = line.get(..colon)?;
        let before = before.trim_end_matches(['"', '\'']);
        let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next()?;
        let name = word.to_lowercase().replace('-', "_");
        let is_secret = SECRETS.contains(&name.as_str())
            || OTHER_WORDS.contains(&name.as_str())
            || nearest(&name, SECRETS).is_some();
        is_secret.then(|| (before.len() - word.len(), colon + 1))
    })
}

/// `{file: x, ...}` and what follows it in the line.
fn map(value: &str, out: &mut String) {
    let inner = value.trim_start().get(1..).unwrap_or_default();
    out.push_str(value.get(..value.len() - inner.len()).unwrap_or_default());
    let end = inner.find(['{', '[', '}', '"', '\'']).unwrap_or(inner.len());
    let (map, rest) = inner.split_at_checked(end).unwrap_or((inner, ""));
    pairs(map, out);
    // Anything but the map's end is not what belongs here.
    match rest.starts_with('}') {
        true => out.push_str(rest),
        false => starred(rest, out),
    }
}

/// Keys, with their values only where these say where a secret is.
fn pairs(text: &str, out: &mut String) {
    for piece in text.split_inclusive(',') {
        let Some((key, value)) = piece.split_once(':') else {
            starred(piece, out);
            continue;
        };
        out.push_str(key);
        out.push(':');
        let plain = |c: char| c.is_alphanumeric() || "._-/~@".contains(c);
        let is_place = PLACES.contains(&key.trim_matches(|c: char| c == '{' || c.is_whitespace()));
        match is_place && value.trim_matches(|c: char| c == ',' || c.is_whitespace()).chars().all(plain) {
            true => out.push_str(value),
            false => starred(value, out),
        }
    }
}

fn starred(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_whitespace() || c == ',' {
            out.push(c);
        } else {
            out.push_str(&"*".repeat(c.len_utf8()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_starred_out_and_nothing_else() {
        for (written, shown) in [
            ("  password: blue tractor 7\n  user: a\n", "  password: **** ******* *\n  user: a\n"),
            ("  pasword: blue\n", "  pasword: ****\n"),
            ("  \"password\": blue\n", "  \"password\": ****\n"),
            ("  Pass: blue\n", "  Pass: ****\n"),
            ("  - {user: a, password: blue}\n", "  - {user: a, password: *****\n"),
            ("password: {file: /etc/a.password}, port: 9\n", "password: {file: /etc/a.password}, port: 9\n"),
            ("password: {value: blue}\n", "password: {value: ****}\n"),
            ("password: {file: x, file: blue tractor}\n", "password: {file: x, file: **** *******}\n"),
            ("password: {file: [blue]}\n", "password: {file: *******\n"),
            ("password: {blue}\n", "password: {****}\n"),
            ("password: {}\n", "password: {}\n"),
            ("password: {value: 'bl}ue'}\n", "password: {value: ********\n"),
            (
                "password:\n  value: blue\n  file: x\nuser: a\n",
                "password:\n  value: ****\n  file: x\nuser: a\n",
            ),
            ("password: |\n  blue\n\nuser: a\n", "password: *\n  ****\n\nuser: a\n"),
            ("password: päss\n", "password: *****\n"),
            (
                "passed_on: Triage/Passed on\ntoken_endpoint: https://a.example\nuser: me\n",
                "passed_on: Triage/Passed on\ntoken_endpoint: https://a.example\nuser: me\n",
            ),
            ("keys: one\nhost: imap.example\n", "keys: one\nhost: imap.example\n"),
        ] {
            let got = without_secrets(written);
            assert_eq!(got, shown);
            assert_eq!(got.len(), written.len(), "places stay what they are");
        }
    }

    #[test]
    fn the_example_is_shown_as_it_is() {
        let text = super::super::EXAMPLE;
        let changed: Vec<_> = text
            .lines()
            .zip(without_secrets(text).lines().map(str::to_owned))
            .filter(|(a, b)| a != b)
            .collect();
        assert!(changed.iter().all(|(line, _)| line.trim_start().starts_with('#')), "{changed:?}");
    }
}
