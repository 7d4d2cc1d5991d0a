//! Which parts of a message are its sender's words, and the choice between their text and their HTML version.
//!
//! RFC 2046: of multipart/alternative one version, of multipart/report only the part for humans; attachments and
//! attached messages are never read.

use std::borrow::Cow;

use super::new_text::lines::{self, Line};
use super::new_text::{self, CutReason, NewText};
use super::{Defect, html, text};

/// A readable part in one or both of its versions.
#[derive(Default, Debug)]
pub(super) struct Piece<'a> {
    pub plain: Option<Cow<'a, str>>,
    pub html: Option<Cow<'a, str>>,
}

/// What was read.
pub(super) struct Body {
    pub text: String,
    pub new_text: NewText,
}

/// Reads the pieces; what was odd is added to `defects`.
pub(super) fn read(pieces: &[Piece<'_>], sender: &str, subject: &str, defects: &mut Vec<Defect>) -> Body {
    let forward = new_text::is_forward(subject);
    if let [only] = pieces {
        let plain = plain_of(only, defects);
        let (lines, divided) = choose(only, plain.as_deref(), sender, forward, defects);
        let divided = divided.unwrap_or_else(|| new_text::divide_lines(&lines, sender, forward));
        return Body { text: whole(&lines), new_text: divided };
    }
    let mut all: Vec<Line> = Vec::new();
    for piece in pieces {
        if !all.is_empty() {
            all.push(Line::default());
        }
        let plain = plain_of(piece, defects);
        let (lines, _) = choose(piece, plain.as_deref(), sender, forward, defects);
        all.extend(lines.into_iter().map(Line::into_owned));
    }
    Body { text: whole(&all), new_text: new_text::divide_lines(&all, sender, forward) }
}

/// The plain version, where it is more than a notice that there is another.
fn plain_of(piece: &Piece<'_>, defects: &mut Vec<Defect>) -> Option<String> {
    let plain = piece.plain.as_deref().map(|plain| capped(plain, defects)).map(text::normalise);
    plain.filter(|plain| piece.html.is_none() || !is_stub(plain))
}

fn whole(lines: &[Line<'_>]) -> String {
    lines::join(lines.iter().map(|line| &*line.text))
}

/// The version that divides more surely: the plain one, unless only the HTML tells old from new.
fn choose<'a>(
    piece: &Piece<'_>,
    plain: Option<&'a str>,
    sender: &str,
    forward: bool,
    defects: &mut Vec<Defect>,
) -> (Vec<Line<'a>>, Option<NewText>) {
    let Some(html) = piece.html.as_deref() else {
        return (lines::of_text(plain.unwrap_or_default()), None);
    };
    let read = html::read(capped(html, defects));
    if read.simplified {
        defects.push(Defect::HtmlSimplified);
    }
    let rich = read.lines;
    let Some(plain) = plain else { return (rich, None) };
    let plain = lines::of_text(plain);
    let by_plain = new_text::divide_lines(&plain, sender, forward);
    let marked = rich.iter().any(|line| {
        line.older
            || line.rest_is_older
            || line.signature
            || line.attribution
            || line.region
            || line.apart
            || line.small
            || line.text.starts_with('>')
    });
    // Surer is who finds all that the other found, and more.
    let found = |divided: &NewText| {
        let quote = has(divided, CutReason::Quote) || has(divided, CutReason::Forward);
        [quote, has(divided, CutReason::Signature), has(divided, CutReason::Disclaimer)]
    };
    let in_plain = found(&by_plain);
    if marked && in_plain != [true; 3] {
        let by_html = new_text::divide_lines(&rich, sender, forward);
        let in_html = found(&by_html);
        let surer = in_html != in_plain && in_html.iter().zip(in_plain).all(|(html, plain)| *html || !plain);
        if surer && !by_html.new.is_empty() && is_within(&by_html.new, &by_plain.new) {
            return (rich, Some(by_html));
        }
    }
    if rich.len() > 3 && by_plain.new.len() < 200 && whole(&plain).len() * 4 < whole(&rich).len() {
        // The plain version is a short notice in place of the message.
        return (rich, None);
    }
    (plain, Some(by_plain))
}

fn has(divided: &NewText, reason: CutReason) -> bool {
    divided.cuts.iter().any(|cut| cut.reason == reason)
}

/// Whether most words of `small` are in `large` too: the two versions of one message, not two messages.
fn is_within(small: &str, large: &str) -> bool {
    let known: std::collections::HashSet<&str> = large.split_whitespace().collect();
    let words: Vec<&str> = small.split_whitespace().collect();
    words.iter().filter(|word| known.contains(*word)).count() * 5 >= words.len() * 4
}

fn capped<'a>(text: &'a str, defects: &mut Vec<Defect>) -> &'a str {
    let kept = text::bounded(text);
    if kept.len() < text.len() {
        defects.push(Defect::Truncated(kept.len()));
    }
    kept
}

/// A plain version that only says that there is an HTML one.
fn is_stub(plain: &str) -> bool {
    if plain.chars().all(|c| !c.is_alphanumeric()) {
        return true;
    }
    // Collapsed and in lower case it is hardly ever shorter; who writes 2,000 characters says something.
    if plain.len() >= 2_000
        && plain.split_whitespace().map(|word| word.len() + 1).take(400).sum::<usize>() >= 2_000
    {
        return false;
    }
    let plain = text::collapse(plain).to_lowercase();
    plain.len() < 400
        && [
            "view this email in html",
            "does not support html",
            "doesn't support html",
            "not display html",
            "html email",
            "html-capable",
            "html format",
            "html version",
            "view it in html",
            "html message",
            "enable html",
            "view this message in",
            "view this email in your browser",
            "view in browser",
            "html-compatible",
            "html compatible",
            "please view in html",
            "mime-encapsulated",
            "multi-part message in mime",
        ]
        .iter()
        .any(|mark| plain.contains(mark))
}
