//! East, west or unknown.
//!
//! labelling.md, area and settled cases: where the child lives decides, then where the school is, then the signature; after a
//! move that has happened the new address, before it the old one. The rules say what a place is to the child; nothing
//! here knows a town.

use std::ops::Range;

use super::{Area, Finding, Outcome};
use crate::message::Message;
use crate::rules::{Capture, Evidence, Group, PlaceMention, Reading, Zone};

const POLICY: &str = "labelling.md, area";
const ONLY_NAMED: &str = "the only place that is named";

/// The area, and whether the message contradicts itself about it.
pub fn area(message: &Message, reading: &Reading<'_>, trace: &mut Vec<Finding>) -> (Area, bool) {
    let said = Said::gather(reading);
    let loose = |zones: &[Zone], school: bool| {
        reading
            .places
            .iter()
            .filter(|place| zones.contains(&place.zone) && place.in_school_name == school)
            .filter(|place| !said.claims(place.zone, &place.range) && !is_no_address(message, place))
            .map(Spot::of)
            .collect::<Vec<_>>()
    };
    const WORDS: [Zone; 3] = [Zone::New, Zone::Adopted, Zone::Subject];
    let mut schools = said.school.clone();
    schools.extend(loose(&WORDS, true));
    let steps: [(Vec<Spot>, &str); 6] = [
        (said.new_home.clone(), "the new address"),
        (said.home.clone(), "where the child lives"),
        (said.old_home.clone(), "where the child lives until the move"),
        (schools, "where the school is"),
        (loose(&WORDS, false), ONLY_NAMED),
        (
            [loose(&[Zone::Signature], true), loose(&[Zone::Signature], false)].concat(),
            "the address in the signature",
        ),
    ];
    for (spots, what) in steps {
        match verdict(&spots) {
            Say::Nothing => {}
            Say::Area(area, words) => {
                trace.push(finding(words, format!("{}: {what}", name(area))));
                return (area, false);
            }
            // A name that is also a person's, or somewhere that is only mentioned, says nothing by itself.
            Say::Outside(_) if what == ONLY_NAMED => {}
            Say::Outside(words) => {
                trace.push(finding(words, format!("outside the county: {what}")));
                return (Area::Unknown, false);
            }
            Say::Both(words) => {
                trace.push(finding(words, format!("both east and west are named as {what}: unknown")));
                return (Area::Unknown, true);
            }
        }
    }
    (Area::Unknown, false)
}

fn name(area: Area) -> &'static str {
    match area {
        Area::East => "east",
        Area::West => "west",
        Area::Unknown => "unknown",
    }
}

fn finding(text: String, reason: String) -> Finding {
    Finding { text, ..Finding::plain("area", POLICY, Outcome::Holds, reason) }
}

/// A place as written, and the area in which it lies.
#[derive(Debug, Clone)]
struct Spot {
    text: String,
    area: String,
}

impl Spot {
    fn of(place: &PlaceMention) -> Self {
        Self { text: place.text.clone(), area: place.area.clone() }
    }
}

/// What the residence rules found.
#[derive(Debug, Default)]
struct Said {
    new_home: Vec<Spot>,
    home: Vec<Spot>,
    old_home: Vec<Spot>,
    school: Vec<Spot>,
    /// Where all of these, and new homes still ahead, stand.
    claimed: Vec<(Zone, Range<usize>)>,
}

impl Said {
    fn gather(reading: &Reading<'_>) -> Self {
        let mut said = Self::default();
        let mut ahead: Vec<(Zone, Range<usize>)> = Vec::new();
        let mut former: Vec<(Zone, Range<usize>)> = Vec::new();
        let rules = || reading.group(Group::Residence).filter(|verdict| verdict.holds);
        for verdict in rules() {
            for evidence in &verdict.evidence {
                let at = (evidence.zone, evidence.range.clone());
                if verdict.rule.id.ends_with("-ahead") {
                    ahead.push(at);
                } else if verdict.rule.then == "old-home" {
                    former.push(at);
                }
            }
        }
        // "Leaving Ware for Leeds": one stretch of words may speak of two places; the more telling rule has it.
        for verdict in rules() {
            for evidence in &verdict.evidence {
                let places = places(evidence);
                if places.is_empty() || evidence.zone == Zone::Signature || evidence.zone == Zone::Quoted {
                    continue;
                }
                let end = (evidence.zone, evidence.range.end);
                let ends_like = |others: &[(Zone, Range<usize>)]| {
                    others.iter().any(|(zone, range)| (*zone, range.end) == end)
                };
                said.claimed.push((evidence.zone, evidence.range.clone()));
                let into = match verdict.rule.then.as_str() {
                    "new-home" if verdict.rule.id.ends_with("-ahead") || ends_like(&ahead) => continue,
                    "new-home" => &mut said.new_home,
                    "home" if ends_like(&ahead) || ends_like(&former) => continue,
                    "home" => &mut said.home,
                    "old-home" => &mut said.old_home,
                    "school" => &mut said.school,
                    _ => continue,
                };
                into.extend(places);
            }
        }
        said
    }

    fn claims(&self, zone: Zone, range: &Range<usize>) -> bool {
        self.claimed
            .iter()
            .any(|(at, claimed)| *at == zone && claimed.start <= range.start && range.end <= claimed.end)
    }
}

fn places(evidence: &Evidence) -> Vec<Spot> {
    evidence
        .captures
        .iter()
        .filter_map(|capture| match capture {
            Capture::Place { text, area } => Some(Spot { text: text.clone(), area: area.clone() }),
            _ => None,
        })
        .collect()
}

enum Say {
    Nothing,
    Area(Area, String),
    Outside(String),
    Both(String),
}

/// What one kind of evidence says; a place outside counts only where none inside is named.
fn verdict(spots: &[Spot]) -> Say {
    let of = |area: &str| {
        spots.iter().filter(|spot| spot.area == area).map(|spot| spot.text.clone()).collect::<Vec<_>>()
    };
    let (east, west, outside) = (of("east"), of("west"), of("outside"));
    match (east.is_empty(), west.is_empty(), outside.is_empty()) {
        (true, true, true) => Say::Nothing,
        (false, true, _) => Say::Area(Area::East, east.join(", ")),
        (true, false, _) => Say::Area(Area::West, west.join(", ")),
        (false, false, _) => Say::Both([east, west].concat().join(", ")),
        (true, true, false) => Say::Outside(outside.join(", ")),
    }
}

/// "Watford General", "Hertford Road": a town's name in another name says nothing about where anybody lives.
fn is_no_address(message: &Message, place: &PlaceMention) -> bool {
    let text = match place.zone {
        Zone::New => &message.new_text.new,
        Zone::Adopted => &message.new_text.adopted,
        Zone::Signature => &message.new_text.signature,
        _ => return false,
    };
    let rest = text.get(place.range.end..).unwrap_or_default();
    let next = rest
        .trim_start_matches([' ', '\'', '’'])
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    const OTHER_NAMES: [&str; 22] = [
        "general",
        "hospital",
        "fc",
        "observer",
        "road",
        "rd",
        "street",
        "lane",
        "avenue",
        "way",
        "drive",
        "hill",
        "council",
        "borough",
        "magistrates",
        "junction",
        "station",
        "s",
        "university",
        "clinic",
        "museum",
        "library",
    ];
    rest.starts_with([' ', '\'', '’']) && OTHER_NAMES.contains(&next.to_ascii_lowercase().as_str())
}
