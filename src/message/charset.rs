//! Bytes to characters, and the transfer encodings of RFC 2045 section 6, all of them forgiving.
//!
//! What a label says is believed only as far as the bytes bear it out. Labels: the WHATWG Encoding standard, plus the
//! names that mail clients use and it does not know.

use std::borrow::Cow;

use encoding_rs::Encoding;

use super::text::run;

/// Text, and the charset problem to be reported, if there was one.
pub(super) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub defect: Option<String>,
}

/// Decodes `bytes` as `label` says, or, where that is missing, unknown or plainly wrong, as UTF-8 with
/// Windows-1252 for each byte that is not.
pub(super) fn decode<'a>(bytes: Cow<'a, [u8]>, label: Option<&str>) -> Decoded<'a> {
    let label = label.unwrap_or_default().trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    if matches!(
        label.as_str(),
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "utf-8" | "utf8" | "unicode-1-1-utf-8"
    ) {
        return guess(bytes, &label);
    }
    let known = match label.as_str() {
        "cp932" | "ms932" | "windows-932" => Some(encoding_rs::SHIFT_JIS),
        "cp949" | "ms949" | "uhc" | "windows-949" => Some(encoding_rs::EUC_KR),
        "cp936" | "ms936" => Some(encoding_rs::GBK),
        "cp950" => Some(encoding_rs::BIG5),
        "latin-1" | "iso8859_1" | "iso-8859-1-windows-1252" | "cp819" => Some(encoding_rs::WINDOWS_1252),
        other => Encoding::for_label_no_replacement(other.as_bytes())
            .or_else(|| Encoding::for_label_no_replacement(other.replace('_', "-").as_bytes()))
            .or_else(|| {
                other
                    .strip_prefix("cp")
                    .and_then(|n| Encoding::for_label_no_replacement(format!("windows-{n}").as_bytes()))
            }),
    };
    let Some(encoding) = known else {
        return Decoded { text: lenient(&bytes).into(), defect: Some(format!("unknown charset {label}")) };
    };
    let (text, _, wrong) = encoding.decode(&bytes);
    // UTF-8 labelled as a single-byte charset is common (web forms); it hardly ever comes about by chance.
    if encoding.is_single_byte() && !bytes.is_ascii() && looks_like_utf8(&bytes) {
        return Decoded { text: lenient(&bytes).into(), defect: Some(format!("{label} is UTF-8")) };
    }
    let defect = wrong.then(|| format!("not valid {label}"));
    Decoded { text: text.into_owned().into(), defect }
}

fn guess<'a>(bytes: Cow<'a, [u8]>, label: &str) -> Decoded<'a> {
    let read = match bytes {
        Cow::Borrowed(bytes) => {
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Cow::Borrowed(bytes))
        }
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|error| Cow::Owned(error.into_bytes()))
        }
    };
    match read {
        Ok(text) => {
            let odd = !label.starts_with("utf") && !label.is_empty();
            let text = match text.strip_prefix('\u{FEFF}') {
                Some(unmarked) => Cow::Owned(unmarked.to_owned()),
                None => text,
            };
            let odd = odd && !text.is_ascii();
            Decoded { text, defect: odd.then(|| format!("{label} is UTF-8")) }
        }
        Err(bytes) => {
            let label = if label.is_empty() { "no charset" } else { label };
            let defect = Some(format!("{label} is not UTF-8; read as windows-1252"));
            Decoded { text: lenient(&bytes).into(), defect }
        }
    }
}

/// UTF-8 where it is, Windows-1252 for the bytes that are not.
pub(super) fn lenient(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
        }
    }
    text
}

/// Valid UTF-8 with several multi-byte characters: no single-byte text looks like that.
fn looks_like_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().filter(|c| !c.is_ascii()).count() >= 2)
}

/// What a byte stands for in base64; 64 and above is nothing.
const BASE64: [u8; 256] = {
    let mut table = [0xFF; 256];
    let mut byte = 0u8;
    while let Some((slot, _)) = table.split_at_mut(byte as usize).1.split_first_mut() {
        *slot = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => 0xFF,
        };
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    table
};

/// Base64 that skips whatever is not of its alphabet and stops at nothing.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    let value = |byte: u8| BASE64.get(usize::from(byte)).copied().unwrap_or(0xFF);
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut held, mut bits) = (0u32, 0u32);
    let mut rest = bytes;
    loop {
        while bits == 0
            && let Some((four, after)) = rest.split_first_chunk::<4>()
        {
            let [a, b, c, d] = four.map(value);
            if (a | b | c | d) >= 64 {
                break;
            }
            let three = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
            let [_, first, second, third] = three.to_be_bytes();
            out.extend_from_slice(&[first, second, third]);
            rest = after;
        }
        let Some((byte, after)) = rest.split_first() else { return out };
        rest = after;
        let value = value(*byte);
        if *byte == b'=' {
            // Padding inside means that two encoded pieces were put together.
            (held, bits) = (0, 0);
        } else if value < 64 {
            held = (held << 6) | u32::from(value);
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                out.push((held >> bits) as u8);
                held &= (1 << bits) - 1;
            }
        }
    }
}

/// Quoted-printable; in a header (`word`), `_` is a space (RFC 2047 section 4.2). A broken escape stays as it is.
pub(super) fn quoted_printable(bytes: &[u8], word: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let plain = run(rest, |b| b != b'=' && (b != b'_' || !word));
        let (before, from) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let Some((&byte, after)) = from.split_first() else { return out };
        rest = after;
        if byte == b'_' {
            out.push(b' ');
            continue;
        }
        let high = rest.first().copied().and_then(hex);
        let low = rest.get(1).copied().and_then(hex);
        if let (Some(high), Some(low)) = (high, low) {
            out.push(high << 4 | low);
            rest = rest.get(2..).unwrap_or_default();
            continue;
        }
        // A soft line break, perhaps with white space after it.
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        match rest.get(blanks) {
            Some(b'\n') => rest = rest.get(blanks + 1..).unwrap_or_default(),
            None => rest = &[],
            Some(_) => out.push(b'='),
        }
    }
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], label: &str) -> String {
        decode(bytes.into(), (!label.is_empty()).then_some(label)).text.into_owned()
    }

    #[test]
    fn labels_that_are_missing_wrong_or_unknown() {
        assert_eq!(text("£5 – Zoë".as_bytes(), ""), "£5 – Zoë");
        assert_eq!(text(b"\xA35 \x96 Zo\xEB", ""), "£5 – Zoë");
        assert_eq!(text("Zoë".as_bytes(), "us-ascii"), "Zoë");
        assert_eq!(text(b"Zo\xEB", "us-ascii"), "Zoë");
        assert_eq!(text(b"it\x92s", "iso-8859-1"), "it’s");
        assert_eq!(text(b"it\x92s", "utf-8"), "it’s");
        assert_eq!(text("Zoë’s".as_bytes(), "windows-1252"), "Zoë’s");
        assert_eq!(text(b"Zo\xEB", "x-nonsense"), "Zoë");
        assert!(decode(b"a".into(), Some("x-nonsense")).defect.is_some());
        assert!(decode(b"plain".into(), Some("us-ascii")).defect.is_none());
    }

    #[test]
    fn names_that_only_mail_clients_use() {
        assert_eq!(text(b"\x83e\x83X\x83g", "cp932"), "テスト");
        assert_eq!(text(b"\xB0\xA1", "cp949"), "가");
        assert_eq!(text(b"\xDB", "macintosh"), "€");
        assert_eq!(text(b"\xEF\xF0", "cp1251"), "пр");
    }

    #[test]
    fn transfer_encodings_forgive() {
        assert_eq!(base64(b"SGVs\r\nbG8*="), b"Hello");
        assert_eq!(base64(b"SGVsbG8"), b"Hello");
        assert_eq!(quoted_printable(b"a=3Db=\r\nc=ZZ d=", false), b"a=bc=ZZ d");
        assert_eq!(quoted_printable(b"a_b=20c", true), b"a b c");
    }
}
