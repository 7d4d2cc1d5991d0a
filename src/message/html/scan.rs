//! HTML cut into tags and text, in one pass over any bytes whatever.
//!
//! Not a validating parser: it follows the tokenizer of the HTML standard (section 13.2.5) only as far as mail needs.
//! Comments, declarations and the insides of script, style and title never come out as text.

use crate::message::text::run;

/// One piece of the source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text, entities and all.
    Text(&'a str),
    /// `<name attributes>`.
    Open { name: &'a str, attributes: &'a str, alone: bool },
    /// `</name>`.
    Close { name: &'a str },
    /// The inside of a `<style>`.
    Style(&'a str),
}

/// Yields the tokens of a source.
pub(super) struct Scanner<'a> {
    rest: &'a str,
    /// Elements whose inside is not markup; the name that ends the present one.
    raw: Option<&'a str>,
    /// A quote was opened and never closed: from then on quotes in tags mean nothing. Keeps the scan linear.
    quotes_broken: bool,
    /// No `-->` lies ahead.
    no_comment_end: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Scanner { rest: source, raw: None, quotes_broken: false, no_comment_end: false }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// The length of a tag that starts at the present `<`, its `>` included.
    fn tag_length(&mut self) -> Option<usize> {
        if !self.quotes_broken {
            let bytes = self.rest.as_bytes();
            let mut at = 0;
            loop {
                let rest = bytes.get(at..).unwrap_or_default();
                at += run(rest, |b| !matches!(b, b'>' | b'"' | b'\''));
                let Some(found) = bytes.get(at).copied() else { break };
                if found == b'>' {
                    return Some(at + 1);
                }
                // A quote is one only as the beginning of a value.
                let before = bytes.get(..at).unwrap_or_default().trim_ascii_end().last();
                at += 1;
                if before == Some(&b'=') {
                    let inside = bytes.get(at..).unwrap_or_default();
                    let length = run(inside, |b| b != found);
                    if length == inside.len() {
                        break;
                    }
                    at += length + 1;
                }
            }
            self.quotes_broken = true;
        }
        self.rest.find('>').map(|at| at + 1)
    }

    fn skip_comment(&mut self) {
        if !self.no_comment_end {
            if let Some(end) = self.rest.find("-->") {
                self.take(end + 3);
                return;
            }
            self.no_comment_end = true;
        }
        let end = self.rest.find('>').map_or(self.rest.len(), |at| at + 1);
        self.take(end);
    }

    /// The inside of a raw element, up to its closing tag or the end.
    fn raw_text(&mut self, name: &str) -> &'a str {
        let mut end = 0;
        while let Some(found) = self.rest.get(end..).and_then(|rest| rest.find("</")) {
            end += found;
            let named = self.rest.as_bytes().get(end + 2..end + 2 + name.len());
            if named.is_some_and(|named| named.eq_ignore_ascii_case(name.as_bytes())) {
                return self.take(end);
            }
            end += 2;
        }
        let end = self.rest.len();
        self.take(end)
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if let Some(name) = self.raw.take() {
                let inside = self.raw_text(name);
                if name.eq_ignore_ascii_case("style") {
                    return Some(Token::Style(inside));
                }
                continue;
            }
            if self.rest.is_empty() {
                return None;
            }
            let text = self.rest.find('<').unwrap_or(self.rest.len());
            if text > 0 {
                return Some(Token::Text(self.take(text)));
            }
            if self.rest.starts_with("<!--") {
                self.skip_comment();
                continue;
            }
            let second = self.rest.as_bytes().get(1).copied().unwrap_or(b' ');
            if second == b'!' || second == b'?' {
                let end = self.rest.find('>').map_or(self.rest.len(), |at| at + 1);
                self.take(end);
                continue;
            }
            if !second.is_ascii_alphabetic() && second != b'/' {
                return Some(Token::Text(self.take(1)));
            }
            let Some(length) = self.tag_length() else {
                // A tag that never ends: the message was cut there.
                self.rest = "";
                return None;
            };
            let tag = self.take(length);
            let inside = tag.get(1..tag.len().saturating_sub(1)).unwrap_or_default();
            if let Some(name) = inside.strip_prefix('/') {
                return Some(Token::Close { name: name.trim() });
            }
            let name_end =
                inside.bytes().position(|b| b.is_ascii_whitespace() || b == b'/').unwrap_or(inside.len());
            let (name, attributes) = inside.split_at_checked(name_end).unwrap_or((inside, ""));
            let alone = attributes.ends_with('/');
            if !alone
                && ["script", "style", "title", "xmp", "noembed"].iter().any(|n| name.eq_ignore_ascii_case(n))
            {
                self.raw = Some(name);
            }
            return Some(Token::Open { name, attributes, alone });
        }
    }
}

/// The attributes of a tag: names as written, values without their quotes, entities left alone.
pub(super) fn attributes(source: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = source;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let name_end =
            rest.bytes().position(|b| b.is_ascii_whitespace() || b == b'=').filter(|at| *at > 0).unwrap_or(
                // A name that starts with `=` is one character long, so that the loop always moves on.
                if rest.starts_with('=') { 1 } else { rest.len() },
            );
        let (name, after) = rest.split_at_checked(name_end)?;
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            rest = after;
            return Some((name, ""));
        };
        let value = value.trim_start();
        let quoted = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, after) = match quoted {
            Some(quote) => {
                let inside = value.get(1..).unwrap_or_default();
                inside.split_once(quote).unwrap_or((inside, ""))
            }
            None => {
                let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
                value.split_at_checked(end).unwrap_or((value, ""))
            }
        };
        rest = after;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> String {
        Scanner::new(source).filter_map(|t| if let Token::Text(t) = t { Some(t) } else { None }).collect()
    }

    #[test]
    fn what_is_not_text_does_not_come_out() {
        assert_eq!(
            texts("a<!-- b > --><script>c < d</script><style>e</style>f<!DOCTYPE x><?xml y?>g"),
            "afg"
        );
        assert_eq!(texts("<![if !mso]>a<![endif]><!--[if mso]>b<![endif]-->c"), "ac");
        assert_eq!(texts("3 < 4 and <b title='x > y'>bold</b>"), "3 < 4 and bold");
        assert_eq!(texts("cut off <a href="), "cut off ");
    }

    #[test]
    fn attributes_however_written() {
        let found: Vec<_> = attributes(r#" id=x CLASS = "a b" hidden style='c:d' ="#).collect();
        assert_eq!(found, [("id", "x"), ("CLASS", "a b"), ("hidden", ""), ("style", "c:d"), ("=", "")]);
    }

    #[test]
    fn broken_quotes_and_comments_cost_no_more_than_a_pass() {
        for source in ["<a b=\"", "<!-- ", "</", "<style>", "<"] {
            let many = source.repeat(200_000);
            let started = std::time::Instant::now();
            let _ = Scanner::new(&many).count();
            assert!(started.elapsed().as_secs() < 2, "{source} took {:?}", started.elapsed());
        }
    }
}
