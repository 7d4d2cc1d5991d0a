//! The sender's new words, cut from quoted messages, forwarded history, signature and disclaimer.
//!
//! labelling.md, opening: only what the sender says now counts; forwarded text counts when the sender adopts it
//! ("see below"); a signature is weak evidence of area. How each is found: `quotes`, `notices`, `signature`,
//! `adopt`. Nothing is invented: every line of the result is a line of the text.

mod adopt;
mod card;
mod header;
pub(crate) mod lines;
mod notices;
mod quotes;
mod signature;

use std::ops::Range;

use adopt::Older;
use header::Divider;
use lines::Line;
use notices::Paragraph;
use quotes::Class;

/// A text divided into what is new and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewText {
    /// What the sender newly wrote.
    pub new: String,
    /// Forwarded or quoted text that the sender adopts as their own ("see below, please act on it"); else empty.
    pub adopted: String,
    /// The sender's signature block; evidence of area and role only.
    pub signature: String,
    /// Everything that was cut, in order, with the reason.
    pub cuts: Vec<Cut>,
}

/// One piece that was cut away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Why.
    pub reason: CutReason,
    /// The text.
    pub text: String,
}

/// Why a piece does not count as the sender's new words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutReason {
    /// A reply's quotation of an older message.
    Quote,
    /// A forwarded message.
    Forward,
    /// A signature.
    Signature,
    /// A confidentiality notice, "Sent from my iPhone", an external-sender banner.
    Disclaimer,
}

/// Forwards inside forwards are followed this far.
const DEEPEST_ADOPTION: usize = 3;

/// Divides a plain text. `sender` is the display name of who wrote it, `subject` tells forwards; both may be empty.
pub fn divide(text: &str, sender: &str, subject: &str) -> NewText {
    divide_lines(
        &lines::of_text(&super::text::normalise(super::text::bounded(text))),
        sender,
        is_forward(subject),
    )
}

/// Whether a subject says that the message is a forward.
pub(super) fn is_forward(subject: &str) -> bool {
    let start = subject.trim_start().get(..4).unwrap_or_default().to_ascii_lowercase();
    ["fw:", "fwd:", "wg:", "tr:", "rv:", "i:", "vs:", "pd:"].iter().any(|tag| start.starts_with(tag))
}

/// Divides lines that may know more of themselves than their text says.
pub(super) fn divide_lines(lines: &[Line], sender: &str, forward: bool) -> NewText {
    divide_at(lines, sender, forward, 0)
}

fn divide_at(lines: &[Line], sender: &str, forward: bool, depth: usize) -> NewText {
    let classes = quotes::classify(lines, forward);
    let mut fate: Vec<Option<CutReason>> = classes
        .iter()
        .map(|class| match class {
            Class::New => None,
            Class::Quoted | Class::Carried(Divider::Original) => Some(CutReason::Quote),
            Class::Carried(Divider::Forwarded) => Some(CutReason::Forward),
        })
        .collect();
    set_notices_aside(lines, &mut fate);
    set_signature_aside(lines, &mut fate, sender);
    let mut divided = assemble(lines, &fate);
    let older = fate.iter().flatten().find_map(|reason| match reason {
        CutReason::Forward => Some(Older::Forwarded),
        CutReason::Quote => Some(Older::Quoted),
        _ => None,
    });
    let carried = classes.iter().any(|class| matches!(class, Class::Carried(_)));
    if let Some(older) = older
        && depth < DEEPEST_ADOPTION
    {
        // With nothing above it, what is carried is all that was sent; it may even have the answer at its end.
        let alone = divided.new.is_empty() && carried;
        if alone || adopt::adopts(&divided.new, older) {
            divided.adopted = adopted(lines, &classes, depth);
        }
    }
    divided
}

/// Banners on top, notices at the end, and what telephones add.
fn set_notices_aside(lines: &[Line], fate: &mut [Option<CutReason>]) {
    let is_own = |at: usize| fate.get(at).is_some_and(Option::is_none);
    let paragraphs = paragraphs(lines, fate);
    let mut aside = Vec::new();
    for paragraph in paragraphs.iter().take(4) {
        if joined(lines, paragraph).is_banner() {
            aside.extend(paragraph.clone());
        } else {
            // A banner is often glued to the first line of the message.
            let banner = paragraph
                .clone()
                .take_while(|at| lines.get(*at).is_some_and(|l| notices::is_banner(&l.text)));
            aside.extend(banner);
            break;
        }
    }
    let footers = lines.iter().enumerate().filter(|(_, line)| notices::is_mobile_footer(&line.text));
    aside.extend(footers.map(|(at, _)| at).filter(|at| is_own(*at)));
    let any_large = lines.iter().enumerate().any(|(at, line)| is_own(at) && !line.small && !line.is_blank());
    let mut at_end = true;
    let mut below_is_notice = false;
    for paragraph in paragraphs.iter().rev().take(40) {
        let text = joined(lines, paragraph);
        let as_notice = at_end && text.is_notice();
        if (as_notice || text.is_plain_notice()) && opens_with_notice(lines, paragraph)
            || at_end && text.is_relay_foot()
            || below_is_notice && text.is_notice_heading()
        {
            aside.extend(paragraph.clone());
            below_is_notice = true;
            continue;
        }
        below_is_notice = false;
        let is_small_print = |line: &Line| {
            // A line that is the whole paragraph has been looked at.
            any_large && line.small
                || paragraph.len() > 1 && line.text.len() >= 30 && notices::is_notice(&line.text)
        };
        // In HTML from Word the notice is the last line of the paragraph that the name stands in.
        let mut from = paragraph.end;
        while at_end && from > paragraph.start && lines.get(from - 1).is_some_and(is_small_print) {
            from -= 1;
        }
        // Its heading, too, may be glued to it.
        let heading = |line: &Line| Paragraph::new(&line.text).is_notice_heading();
        if (paragraph.start + 1..paragraph.end).contains(&from) && lines.get(from - 1).is_some_and(heading) {
            from -= 1;
        }
        aside.extend(from..paragraph.end);
        at_end &=
            paragraph.clone().all(|at| lines.get(at).is_some_and(|l| notices::is_mobile_footer(&l.text)));
    }
    for at in aside {
        if let Some(slot) = fate.get_mut(at) {
            *slot = Some(CutReason::Disclaimer);
        }
    }
}

/// A notice begins as one, or fills its lines as wrapped text does. A name or greeting on top is the sender's, and so
/// is a line longer than any program wraps at.
fn opens_with_notice(lines: &[Line], paragraph: &Range<usize>) -> bool {
    let paragraph = lines.get(paragraph.clone()).unwrap_or_default();
    let Some((first, rest)) = paragraph.split_first() else { return false };
    let full = |line: &Line| (45..=100).contains(&line.text.len());
    rest.is_empty() || notices::is_notice(&first.text) || full(first) && rest.iter().rev().skip(1).all(full)
}

fn set_signature_aside(lines: &[Line], fate: &mut [Option<CutReason>], sender: &str) {
    let is_own = |fate: &[Option<CutReason>], at: usize| fate.get(at).is_some_and(Option::is_none);
    let marked: Vec<usize> = (0..lines.len())
        .filter(|at| is_own(fate, *at) && lines.get(*at).is_some_and(|line| line.signature))
        .collect();
    let elsewhere = (0..lines.len())
        .any(|at| is_own(fate, at) && lines.get(at).is_some_and(|l| !l.signature && !l.is_blank()));
    // Some people type their message into the signature; then it is no signature.
    if elsewhere {
        for at in marked {
            if let Some(slot) = fate.get_mut(at) {
                *slot = Some(CutReason::Signature);
            }
        }
    }
    let own: Vec<usize> = (0..lines.len()).filter(|at| is_own(fate, *at)).collect();
    let own_lines: Vec<&Line> = own.iter().filter_map(|at| lines.get(*at)).collect();
    let Some(start) = signature::start(&own_lines, sender) else { return };
    let mut in_postscript = false;
    for at in own.get(start..).unwrap_or_default() {
        let Some(line) = lines.get(*at) else { continue };
        let lowered = line.text.trim_start().get(..3).unwrap_or_default().to_ascii_lowercase();
        in_postscript |= matches!(lowered.as_str(), "ps " | "ps:" | "ps." | "ps," | "p.s" | "pps");
        if let Some(slot) = fate.get_mut(*at)
            && !in_postscript
        {
            *slot = Some(CutReason::Signature);
        }
    }
}

/// Runs of the sender's own lines that no blank line, and no line of somebody else, parts.
fn paragraphs(lines: &[Line], fate: &[Option<CutReason>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, (line, fate)) in lines.iter().zip(fate).enumerate() {
        if fate.is_some() || line.is_blank() {
            continue;
        }
        match found.last_mut().filter(|last| last.end == at) {
            Some(paragraph) => paragraph.end += 1,
            None => found.push(at..at + 1),
        }
    }
    found
}

fn joined(lines: &[Line], paragraph: &Range<usize>) -> Paragraph {
    let lines = lines.get(paragraph.clone()).unwrap_or_default();
    let lines = lines.get(..60).unwrap_or(lines);
    let mut text = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
    for line in lines {
        text.push_str(&line.text);
        text.push(' ');
    }
    Paragraph::new(&text)
}

fn assemble(lines: &[Line], fate: &[Option<CutReason>]) -> NewText {
    let with = |wanted: Option<CutReason>| {
        lines::join(
            lines
                .iter()
                .zip(fate)
                .filter(|(line, reason)| **reason == wanted || line.is_blank())
                .map(|(line, _)| &*line.text),
        )
    };
    let mut cuts: Vec<(CutReason, Vec<&str>)> = Vec::new();
    for (line, reason) in lines.iter().zip(fate) {
        match (cuts.last_mut(), reason) {
            (Some((last, texts)), Some(reason)) if last == reason => texts.push(&line.text),
            (Some((_, texts)), None) if line.is_blank() => texts.push(""),
            (_, Some(reason)) => cuts.push((*reason, vec![&line.text])),
            (_, None) => {}
        }
    }
    let cuts = cuts
        .into_iter()
        .map(|(reason, texts)| Cut { reason, text: lines::join(texts) })
        .filter(|cut| !cut.text.is_empty())
        .collect();
    let signature = with(Some(CutReason::Signature));
    let signature = signature.strip_prefix("--").unwrap_or(&signature).trim_start().to_owned();
    NewText { new: with(None), adopted: String::new(), signature, cuts }
}

/// The words of the older message, without its header, its own signature, and what it quotes in turn.
fn adopted(lines: &[Line], classes: &[Class], depth: usize) -> String {
    let older: Vec<&Line> =
        lines.iter().zip(classes).filter(|(_, class)| **class != Class::New).map(|(line, _)| line).collect();
    let all_quoted = older.iter().filter(|line| !line.is_blank()).skip(4).all(|line| line.is_quoted())
        && older.iter().any(|line| line.is_quoted());
    let stripped: Vec<Line> = older
        .into_iter()
        .map(|line| {
            let text = if all_quoted && line.is_quoted() { line.unquoted() } else { &*line.text };
            Line { apart: line.apart, small: line.small, ..Line::plain(text) }
        })
        .collect();
    let mut from = 0;
    let mut name = String::new();
    // Divider, rule, header block or attribution, in whatever order this client puts them.
    for _ in 0..4 {
        while stripped.get(from).is_some_and(|line| line.is_blank() || header::is_rule(&line.text)) {
            from += 1;
        }
        let Some(line) = stripped.get(from) else { break };
        let next = if header::divider(&line.text).is_some() {
            from + 1
        } else if let Some(end) = header::header_block(&stripped, from, true) {
            name = line
                .text
                .split_once(':')
                .map_or("", |(_, who)| who)
                .split('<')
                .next()
                .unwrap_or("")
                .trim()
                .to_owned();
            end
        } else if let Some(found) = header::attribution(&stripped, from) {
            from + found.lines
        } else {
            break;
        };
        from = next;
    }
    let inside = divide_at(stripped.get(from..).unwrap_or_default(), &name, false, depth + 1);
    if inside.adopted.is_empty() {
        return inside.new;
    }
    lines::join([inside.new.as_str(), "", inside.adopted.as_str()].iter().flat_map(|text| text.split('\n')))
}
