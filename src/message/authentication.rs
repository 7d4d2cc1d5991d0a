//! What the council's own mail server says of a message's sender: Authentication-Results, of a host that is trusted. Nothing is
//! checked here, no DNS is asked; what follows from it, others decide.
//!
//! RFC 8601 (the header), RFC 7489 (DMARC), RFC 7208 (SPF), RFC 6376 (DKIM).

use super::Message;

/// The value of `council.trusted_authserv_id` for Exchange Online, which writes its results without a name, above all others.
pub const MICROSOFT_365: &str = "microsoft-365";

/// Results beyond this are not read.
const MOST_RESULTS: usize = 50;

/// What one server found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Results {
    dmarc: Option<String>,
    spf: Option<String>,
    /// For each signature its result and the domain that signed.
    dkim: Vec<(String, String)>,
}

/// Why the sender in From is taken to be forged; `None`: there is no proof of it. A message of which nothing was found out, or
/// nothing certain, is not forged: many families' mail is badly set up.
///
/// Where there is a verdict of DMARC it is that; it weighs the others. Without, SPF must have failed for good and a signature
/// as well, and none may hold that belongs to the domain in From (a forwarded message fails SPF and keeps its signature).
pub fn forged(message: &Message, trusted: &str) -> Option<&'static str> {
    let results = results(message, trusted)?;
    match results.dmarc.as_deref() {
        Some("fail") => return Some("the council's server says that its sender is forged (dmarc=fail)"),
        Some("pass" | "bestguesspass") => return None,
        _ => {}
    }
    let from = message.from.as_ref().map(super::Address::domain).unwrap_or_default();
    let holds = |(result, domain): &(String, String)| result == "pass" && are_aligned(domain, &from);
    let failed = results.dkim.iter().any(|(result, _)| result == "fail");
    (results.spf.as_deref() == Some("fail") && failed && !results.dkim.iter().any(holds))
        .then_some("the council's server says that its sender is forged (spf=fail and dkim=fail)")
}

/// The same for a message that claims to be from the council itself, of whose mail it is known that SPF must hold: without a
/// word about DMARC, SPF alone tells.
pub fn forged_colleague(message: &Message, trusted: &str) -> Option<&'static str> {
    if let Some(said) = forged(message, trusted) {
        return Some(said);
    }
    let results = results(message, trusted)?;
    let passed = matches!(results.dmarc.as_deref(), Some("pass" | "bestguesspass"));
    (!passed && results.spf.as_deref() == Some("fail"))
        .then_some("the council's server says that its sender is forged (spf=fail)")
}

/// The topmost results of that host: what stands below may have been sent along.
fn results(message: &Message, trusted: &str) -> Option<Results> {
    let nameless = trusted.eq_ignore_ascii_case(MICROSOFT_365);
    let mut headers = message.headers("Authentication-Results");
    let text = if nameless {
        headers.next().map(without_comments).filter(|text| name_of(text).contains('='))?
    } else {
        headers.map(without_comments).find(|text| {
            name_of(text).split_whitespace().next().is_some_and(|id| id.eq_ignore_ascii_case(trusted))
        })?
    };
    let mut results = Results::default();
    for part in text.split(';').skip(usize::from(!nameless)).take(MOST_RESULTS) {
        let mut words = part.split_whitespace();
        let Some((method, result)) = words.next().and_then(|word| word.split_once('=')) else { continue };
        // `dkim/1=pass`: the version of the method.
        let method = method.split('/').next().unwrap_or(method);
        let result = result.to_owned();
        match method {
            "dmarc" => results.dmarc = results.dmarc.or(Some(result)),
            "spf" => results.spf = results.spf.or(Some(result)),
            "dkim" => {
                let signer = words.find_map(|word| {
                    word.strip_prefix("header.d=").or_else(|| word.strip_prefix("header.i="))
                });
                let domain = signer.map(|signer| signer.rsplit('@').next().unwrap_or(signer));
                results.dkim.push((result, domain.unwrap_or_default().trim_matches('"').to_owned()));
            }
            _ => {}
        }
    }
    Some(results)
}

fn name_of(text: &str) -> &str {
    text.split(';').next().unwrap_or_default()
}

/// Lower case, comments taken out (they nest, and may hold anything, a `;` too), blanks around `=` as well.
fn without_comments(value: &str) -> String {
    let (mut out, mut depth, mut escaped) = (String::with_capacity(value.len()), 0u32, false);
    for c in value.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.extend(c.to_lowercase()),
            _ => {}
        }
    }
    let mut out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for blank in [" =", "= "] {
        out = out.replace(blank, "=");
    }
    out
}

/// Relaxed alignment, without a list of public suffixes: the one is the other or lies below it.
fn are_aligned(one: &str, other: &str) -> bool {
    let below = |inner: &str, outer: &str| {
        inner.strip_suffix(outer).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let known = one.contains('.') && other.contains('.');
    known && (below(one, other) || below(other, one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse;

    const OURS: &str = "mx.council.example";

    fn message(results: &[&str]) -> Message {
        let header: String = results.iter().map(|one| format!("Authentication-Results: {one}\r\n")).collect();
        let raw = format!("{header}From: jo@home.example\r\n\r\nHello\r\n");
        parse(raw.as_bytes(), raw.len())
    }

    fn said(results: &[&str]) -> bool {
        forged(&message(results), OURS).is_some()
    }

    #[test]
    fn a_verdict_of_dmarc_is_the_one() {
        assert!(said(&[
            "mx.council.example; spf=pass smtp.mailfrom=x.example; dmarc=fail header.from=home.example"
        ]));
        assert!(said(&[
            "MX.council.example 1; dmarc/1 = fail (p=reject; dis=none (really)) header.from=home.example"
        ]));
        assert!(!said(&["mx.council.example; spf=fail; dkim=fail header.d=home.example; dmarc=pass"]));
        assert!(
            !said(&["mx.council.example (dmarc=fail; spf=fail); dmarc=pass"]),
            "a comment proves nothing"
        );
    }

    #[test]
    fn without_dmarc_spf_and_dkim_must_both_have_failed() {
        let of = |rest: &str| said(&[&format!("mx.council.example; {rest}")]);
        assert!(of("spf=fail smtp.mailfrom=jo@home.example; dkim=fail header.d=home.example; dmarc=none"));
        assert!(of("spf=fail; dkim=fail header.d=home.example; dkim=pass header.d=elsewhere.example"));
        for badly_set_up in [
            "spf=fail; dkim=none",
            "spf=softfail; dkim=fail header.d=home.example",
            "spf=fail; dkim=pass header.d=mail.home.example; dkim=fail header.d=list.example",
            "spf=none; dkim=none; dmarc=none",
            "spf=temperror; dkim=permerror; dmarc=temperror",
            "none",
            "",
        ] {
            assert!(!of(badly_set_up), "{badly_set_up}");
        }
        assert!(!of("spf=fail; dkim=fail header.d=evilhome.example; dkim=pass header.i=@home.example"));
    }

    #[test]
    fn only_the_topmost_word_of_the_councils_own_server_is_believed() {
        assert!(!said(&["mx.elsewhere.example; dmarc=fail"]), "anybody can write that");
        assert!(!said(&["mx.council.example.evil.example; dmarc=fail"]));
        assert!(said(&["mx.council.example; dmarc=fail", "mx.council.example; dmarc=pass"]));
        assert!(!said(&["mx.council.example; dmarc=pass", "mx.council.example; dmarc=fail"]));
        assert!(!said(&[]));
    }

    #[test]
    fn exchange_online_gives_no_name() {
        let theirs = "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=home.example; dkim=none (message not signed) \
                      header.d=none;dmarc=fail action=oreject header.from=home.example;compauth=fail reason=000";
        assert!(forged(&message(&[theirs]), MICROSOFT_365).is_some());
        assert!(forged(&message(&[theirs]), OURS).is_none());
        assert!(forged(&message(&["mx.elsewhere.example; dmarc=fail", theirs]), MICROSOFT_365).is_none());
        assert!(forged(&message(&["spf=pass; dmarc=bestguesspass action=none"]), MICROSOFT_365).is_none());
    }

    #[test]
    fn of_a_colleague_spf_alone_tells() {
        let of = |rest: &str| {
            forged_colleague(&message(&[&format!("mx.council.example 1; {rest}")]), OURS).is_some()
        };
        assert!(of("spf=fail smtp.mailfrom=x.example"));
        assert!(of("dmarc=fail"));
        assert!(!of("spf=fail smtp.mailfrom=x.example; dmarc=pass"), "DKIM may have passed");
        assert!(!of("spf=softfail; dkim=fail"));
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_read(value in "\\PC*") {
            let _ = forged(&message(&[&value]), OURS);
            let _ = forged_colleague(&message(&[&value]), MICROSOFT_365);
        }
    }
}
