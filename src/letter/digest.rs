//! The weekly digest for managers: what needs somebody, how we are doing, whether the program is well. It is written every
//! week, a quiet one included: silence must mean breakdown.
//!
//! It counts nothing: the figures are `digest::Figures`, the words `rules/wording/digest*`, the pictures `digest::charts`.
//! Policy, email d and f. References and dates only, unless the recipient may see names; what strangers wrote is never markup.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minijinja::Value;

use super::markup::{self, Block};
use super::notice::Notice;
use super::wording::{Wording, WordingError};
use super::{Council, Inline, Letter, Purpose};
use crate::digest::Figures;
use crate::digest::charts::{self, Picture};

mod fields;
mod rows;
mod said;

pub(super) use fields::FIELDS;
pub(super) use rows::FIELDS as ROW_FIELDS;

/// What a digest is made of.
#[derive(Debug, Clone)]
pub struct DigestFacts<'a> {
    /// From whom, to whom.
    pub notice: Notice<'a>,
    /// What was counted.
    pub figures: &'a Figures,
    /// Titles of grounds by their ids, as staff wrote them.
    pub titles: &'a BTreeMap<String, String>,
    /// It comes later than it should, or those before it did not come: the program did not run.
    pub late: Option<Late>,
    /// Names, numbers and pages.
    pub council: &'a Council,
}

/// Why a digest does not come when it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// The day on which it should have come, if that is over.
    pub was_due_on: Option<NaiveDate>,
    /// How many weeks before it had no digest at all.
    pub weeks_missed: u32,
}

/// A digest, and the parts of it that a preview shows.
#[derive(Debug, Clone)]
pub struct Digest {
    /// What is sent.
    pub letter: Letter,
    /// Its plain text.
    pub text: String,
    /// Its HTML; pictures are named as `cid:NAME`.
    pub html: String,
    /// Its pictures as PNG, by name.
    pub pictures: Vec<Inline>,
}

/// The texts that stand within `digest.txt`: the field by which it names each, and the file.
pub(super) const PARTS: [(&str, &str); 8] = [
    ("part_needs_you", "digest/needs-you.txt"),
    ("part_service", "digest/service.txt"),
    ("part_forecast", "digest/forecast.txt"),
    ("part_sources", "digest/sources.txt"),
    ("part_chasers", "digest/chasers.txt"),
    ("part_acknowledgements", "digest/acknowledgements.txt"),
    ("part_rules", "digest/rules.txt"),
    ("part_health", "digest/health.txt"),
];

/// What `digest.txt` may name besides.
pub(super) const PART_FIELDS: &[(&str, &str)] = &[
    ("part_needs_you", "the text of digest/needs-you.txt"),
    ("part_service", "the text of digest/service.txt"),
    ("part_forecast", "the text of digest/forecast.txt"),
    ("part_sources", "the text of digest/sources.txt"),
    ("part_chasers", "the text of digest/chasers.txt"),
    ("part_acknowledgements", "the text of digest/acknowledgements.txt"),
    ("part_rules", "the text of digest/rules.txt"),
    ("part_health", "the text of digest/health.txt"),
];

/// Writes the digest. The same facts give the same bytes.
pub fn digest(facts: &DigestFacts<'_>, wording: &Wording) -> Result<Digest, WordingError> {
    let (subject, body) = words(facts, wording)?;
    let mut blocks = markup::parse(&body).0;
    let pictures = fill(&mut blocks, charts::pictures(facts.figures));
    let text = markup::to_text(&blocks);
    let html = markup::page_of(include_str!("digest.html"), &subject, &markup::to_html(&blocks));
    let letter = facts.notice.write_with(Purpose::Notice, &subject, text.clone(), html.clone(), &pictures)?;
    Ok(Digest { letter, text, html, pictures })
}

/// Subject and body, as markup.
pub(super) fn words(facts: &DigestFacts<'_>, wording: &Wording) -> Result<(String, String), WordingError> {
    let mut fields = fields::of(facts);
    fields.extend(rows::of(facts, wording)?);
    for (field, file) in PARTS {
        let part = wording.render(file, &fields)?;
        fields.insert(field, Value::from(part));
    }
    let whole = wording.render("digest.txt", &fields)?;
    let (subject, body) = wording.subject_and_body("digest.txt", &whole)?;
    // The body is markup and is read as such later; a subject is none.
    Ok((markup::literal::read(&subject), body))
}

/// Puts the pictures where the text names them; returns those that it does name.
fn fill(blocks: &mut [Block], pictures: Vec<Picture>) -> Vec<Inline> {
    let mut shown: Vec<Inline> = Vec::new();
    for block in blocks {
        let Block::Picture(place) = block else { continue };
        let Some(picture) = pictures.iter().find(|picture| picture.name == place.name) else { continue };
        let known = shown.iter().any(|inline| inline.name == place.name);
        let png = if known { Vec::new() } else { picture.png() };
        place.alt.clone_from(&picture.alt);
        place.text.clone_from(&picture.text);
        if known || !png.is_empty() {
            place.size = (picture.width, picture.height);
        }
        if !known && !png.is_empty() {
            shown.push(Inline { name: picture.name, png });
        }
    }
    shown
}

#[cfg(test)]
mod tests;
