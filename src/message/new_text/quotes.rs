//! Which lines are an older message: quoted, forwarded, or carried below a reply.
//!
//! One pass with a bounded look ahead. Words between quoted lines stay the sender's (an interleaved reply).

use super::header::{self, Divider};
use super::lines::Line;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    New,
    /// An older message marked line by line.
    Quoted,
    /// An older message that runs to the end (or to the end of its part of the document).
    Carried(Divider),
}

/// The class of each line. `forward` says that the subject calls the message a forward.
pub(super) fn classify(lines: &[Line], forward: bool) -> Vec<Class> {
    let mut classes = Vec::with_capacity(lines.len());
    let ahead = next_with_text(lines);
    let mut carried: Option<(Divider, bool)> = None;
    while let Some(line) = lines.get(classes.len()) {
        let at = classes.len();
        if let Some((divider, region)) = carried {
            // What stands below Gmail's quotation is the sender's again.
            if !region || line.region || line.is_blank() {
                classes.push(Class::Carried(divider));
                continue;
            }
            carried = None;
        }
        if let Some(divider) = begins(lines, &ahead, at, forward) {
            carried = Some((divider, line.region));
            classes.push(Class::Carried(divider));
            continue;
        }
        if line.older {
            classes.push(Class::Carried(if forward { Divider::Forwarded } else { Divider::Original }));
            continue;
        }
        if let Some(found) = header::attribution(lines, at) {
            let next = ahead.get(at + found.lines).copied().unwrap_or(lines.len());
            let quoted_next = lines.get(next).is_some_and(Line::is_quoted);
            if quoted_next || line.attribution {
                classes.extend(std::iter::repeat_n(Class::Quoted, found.lines));
                continue;
            }
            if found.sure {
                carried = Some((Divider::Original, line.region));
                classes.extend(std::iter::repeat_n(Class::Carried(Divider::Original), found.lines));
                continue;
            }
        }
        let class = if line.is_quoted() || line.attribution && !line.is_blank() || is_wrapped_quote(lines, at)
        {
            Class::Quoted
        } else {
            Class::New
        };
        classes.push(class);
    }
    fill_blanks(lines, &mut classes);
    classes
}

/// Whether an older message that runs on begins at this line.
fn begins(lines: &[Line], ahead: &[usize], at: usize, forward: bool) -> Option<Divider> {
    let line = lines.get(at)?;
    let by_subject = if forward { Divider::Forwarded } else { Divider::Original };
    if line.rest_is_older {
        return Some(by_subject);
    }
    if line.is_quoted() {
        return None;
    }
    let next = ahead.get(at + 1).copied().unwrap_or(lines.len());
    if let Some(divider) = header::divider(&line.text) {
        // Outlook writes "Original Message" over forwards as well.
        return Some(if divider == Divider::Original { by_subject } else { divider });
    }
    if header::is_rule(&line.text) {
        // A rule on its own is anybody's; over a header block it is Outlook's.
        return header::header_block(lines, next, false).map(|_| by_subject);
    }
    header::header_block(lines, at, false).map(|_| by_subject)
}

/// The rest of a quoted line that some server broke: "> a long line that was\nbroken\n> and goes on".
fn is_wrapped_quote(lines: &[Line], at: usize) -> bool {
    let (Some(before), Some(line), Some(after)) =
        (at.checked_sub(1).and_then(|b| lines.get(b)), lines.get(at), lines.get(at + 1))
    else {
        return false;
    };
    before.is_quoted()
        && after.is_quoted()
        && (60..100).contains(&before.text.len())
        && line.text.len() < 40
        && line.text.split_whitespace().count() <= 3
        && line.text.starts_with(|c: char| c.is_lowercase())
        && !after.unquoted().trim().is_empty()
}

/// For each line, and one beyond the end, the first line with text at or after it.
fn next_with_text(lines: &[Line]) -> Vec<usize> {
    let mut ahead = vec![lines.len(); lines.len() + 1];
    let mut next = lines.len();
    for (at, line) in lines.iter().enumerate().rev() {
        if !line.is_blank() {
            next = at;
        }
        if let Some(slot) = ahead.get_mut(at) {
            *slot = next;
        }
    }
    ahead
}

/// A blank line between two lines of a quotation belongs to it.
fn fill_blanks(lines: &[Line], classes: &mut [Class]) {
    let mut before = Class::New;
    let mut run = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(class) = classes.get(at).copied() else { break };
        if line.is_blank() && class == Class::New {
            run.push(at);
            continue;
        }
        if class == before && before != Class::New {
            for blank in &run {
                if let Some(slot) = classes.get_mut(*blank) {
                    *slot = class;
                }
            }
        }
        run.clear();
        before = class;
    }
}
