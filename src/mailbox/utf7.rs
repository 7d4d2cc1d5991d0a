//! Folder names in modified UTF-7 (RFC 3501 section 5.1.3; RFC 9051 section A.1). Raw UTF-8 names are refused by Dovecot and
//! Cyrus; UTF8=ACCEPT is not used.

use super::base64::{self, FOLDER_NAMES};

/// A Unicode name as IMAP4rev1 servers want it.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut foreign: Vec<u8> = Vec::new();
    for character in name.chars() {
        if (' '..='~').contains(&character) {
            flush(&mut foreign, &mut out);
            out.push(character);
            if character == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0u16; 2];
            for unit in character.encode_utf16(&mut units) {
                foreign.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    flush(&mut foreign, &mut out);
    out
}

fn flush(foreign: &mut Vec<u8>, out: &mut String) {
    if !foreign.is_empty() {
        out.push('&');
        out.push_str(&base64::encode(foreign, FOLDER_NAMES, false));
        out.push('-');
        foreign.clear();
    }
}

/// A server's name in Unicode. What is not modified UTF-7 is kept as it stands: some servers send raw UTF-8.
pub(super) fn decode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((shifted, beyond)) = after.split_once('-') else {
            out.push('&');
            rest = after;
            continue;
        };
        match shifted {
            "" => out.push('&'),
            _ => match utf16(shifted) {
                Some(text) => out.push_str(&text),
                None => {
                    out.push('&');
                    rest = after;
                    continue;
                }
            },
        }
        rest = beyond;
    }
    out.push_str(rest);
    out
}

fn utf16(shifted: &str) -> Option<String> {
    let bytes = base64::decode(shifted, FOLDER_NAMES)?;
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |unit, byte| (unit << 8) | u16::from(*byte)))
        .collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_written_as_the_rfc_shows() {
        for (unicode, wire) in [
            ("INBOX", "INBOX"),
            ("Ask & answer", "Ask &- answer"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode(unicode), wire);
            assert_eq!(decode(wire), unicode);
        }
    }

    #[test]
    fn what_is_not_modified_utf_7_is_kept() {
        for name in ["a&b", "a&b-", "&*-", "Entwürfe", "&", "&AP-"] {
            assert!(!decode(name).is_empty());
        }
        assert_eq!(decode("a&b"), "a&b");
        assert_eq!(decode("Entwürfe"), "Entwürfe");
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in ".*") {
            let wire = encode(&name);
            prop_assert!(wire.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            prop_assert_eq!(decode(&wire), name);
        }

        #[test]
        fn nothing_a_server_sends_makes_us_panic(name in "[&a-zA-Z0-9+,-]*") {
            let _ = decode(&name);
        }
    }
}
