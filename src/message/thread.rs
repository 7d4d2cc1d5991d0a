//! Message-ID, In-Reply-To and References (RFC 5322 section 3.6.4).
//!
//! Reads ids; which case they belong to is decided elsewhere.

/// References of a long thread can be thousands; these are kept from the newest end.
const MOST_IDS: usize = 200;

/// The ids of a header value, in order, without angle brackets and white space. Values without brackets, which some
/// senders write, are taken word by word if they look like an id.
pub fn ids(value: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.find('<') {
        let after = rest.get(start + 1..).unwrap_or_default();
        let Some(end) = after.find('>') else { break };
        let id: String =
            after.get(..end).unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
        // `<<id>>` is written by a few gateways.
        let id = id.trim_start_matches('<').to_owned();
        if !id.is_empty() {
            found.push(id);
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    if found.is_empty() {
        found.extend(
            value
                .split([' ', ',', '\t'])
                .map(|word| word.trim_matches(['<', '>', '"', ';']))
                .filter(|word| word.len() > 2 && word.contains('@'))
                .map(str::to_owned),
        );
    }
    if found.len() > MOST_IDS {
        found.drain(..found.len() - MOST_IDS);
    }
    found
}

/// The one id of a Message-ID header: what stands in brackets, else the whole value if it is one word.
pub fn id(value: &str) -> Option<String> {
    if let Some(first) = ids(value).into_iter().next() {
        return Some(first);
    }
    let word = value.trim().trim_matches(['<', '>']);
    (!word.is_empty() && !word.contains(char::is_whitespace)).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_as_clients_write_them() {
        assert_eq!(ids("<a@x.example> <b@y.example>"), ["a@x.example", "b@y.example"]);
        assert_eq!(ids("<a@x.example><b@y\r\n .example>"), ["a@x.example", "b@y.example"]);
        assert_eq!(ids("Your message of Monday <a@x.example>"), ["a@x.example"]);
        assert_eq!(ids("a@x.example, b@y.example"), ["a@x.example", "b@y.example"]);
        assert!(ids("no id here <").is_empty());
        assert_eq!(id("20260101.ABC"), Some("20260101.ABC".to_owned()));
        assert_eq!(id(" "), None);
    }

    #[test]
    fn a_very_long_thread_keeps_its_newest_ids() {
        let value = (0..1000).map(|n| format!("<{n}@x.example> ")).collect::<String>();
        assert_eq!(ids(&value).len(), MOST_IDS);
        assert_eq!(ids(&value).last().unwrap(), "999@x.example");
    }
}
