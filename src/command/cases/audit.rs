//! What happened to a case, in plain words: one line for each event of the audit, with what followed from it. What follows is
//! `case/life.rs`'s to say, here from the audit alone.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use crate::case::{Fact, Happening, Standing, State, Step};
use crate::memo::printable;
use crate::record::EventRow;

use super::moment;

/// An event as people read it.
pub(in super::super) struct Told {
    /// When it happened, which may be before it was written down.
    pub(in super::super) at: DateTime<Utc>,
    /// Who did it: a person, or `send-triage`.
    pub(in super::super) who: String,
    /// What.
    pub(in super::super) what: String,
}

/// Later than this, a fact counts as learnt late, and that is said.
const LATE: TimeDelta = TimeDelta::minutes(15);

/// The events in the order in which they happened.
pub(in super::super) fn told(events: &[EventRow]) -> Vec<Told> {
    let mut told = in_order_kept(events);
    told.sort_by_key(|told| told.at);
    told
}

/// The events in the order in which they were written down.
pub(in super::super) fn in_order_kept(events: &[EventRow]) -> Vec<Told> {
    let happenings: Vec<Happening> = (0..).zip(events).filter_map(|(n, event)| happening(n, event)).collect();
    let told = |(n, event): (usize, &EventRow)| {
        let mut told = one(event);
        told.what.push_str(&consequence(&happenings, n).unwrap_or_default());
        told.what.push_str(&learnt(event, told.at));
        told
    };
    (0..).zip(events).map(told).collect()
}

/// When it happened, which may be before it was written down.
fn occurred_at(event: &EventRow) -> DateTime<Utc> {
    let occurred = event.detail.get("occurred_at").and_then(Value::as_str);
    occurred.and_then(|at| at.parse().ok()).unwrap_or(event.happened_at)
}

/// The fact that an event tells of, if it tells of one.
fn happening(n: usize, event: &EventRow) -> Option<Happening> {
    let mut detail = event.detail.as_object()?.clone();
    detail.insert("what".to_owned(), event.what.clone().into());
    let fact: Fact = serde_json::from_value(Value::Object(detail)).ok()?;
    Some(Happening { at: occurred_at(event), key: format!("{n:06}"), fact })
}

/// What followed from this event where its own words do not say it: another step, another day.
fn consequence(happenings: &[Happening], n: usize) -> Option<String> {
    let key = format!("{n:06}");
    let this = happenings.iter().find(|one| one.key == key)?;
    let earlier = |one: &&Happening| (one.at, &one.key) < (this.at, &this.key);
    let mut known: Vec<Happening> = happenings.iter().filter(earlier).cloned().collect();
    let before = Standing::of(&known)?;
    known.push(this.clone());
    let after = Standing::of(&known)?;
    let mut said = String::new();
    if let (State::Answered, State::Open, Some(due), Fact::Chased { .. }) =
        (before.state, after.state, after.due_on, &this.fact)
    {
        said.push_str(&format!("; open again, the answer is due by {}", due.format("%A %-d %B %Y")));
    }
    if let (true, Some(due), false) =
        (after.step > before.step, after.step_due_on, matches!(this.fact, Fact::Escalated { .. }))
    {
        let (number, who) = (after.step.number(), after.step.who());
        said.push_str(&format!("; step {number} begins: {who} answers by {}", due.format("%A %-d %B %Y")));
    }
    if let (Fact::Chased { .. }, true) = (&this.fact, said.is_empty() && after.state.is_waiting()) {
        said.push_str("; the day for the answer stays");
    }
    Some(said)
}

/// Whether it was learnt late, and when.
fn learnt(event: &EventRow, at: DateTime<Utc>) -> String {
    if event.happened_at - at > LATE {
        format!(" (learnt of on {})", moment(event.happened_at))
    } else {
        String::new()
    }
}

fn one(event: &EventRow) -> Told {
    let why = event.detail.get("why").and_then(Value::as_str).unwrap_or_default();
    let mut what = words(event);
    if !why.is_empty() {
        what.push_str(&format!(", because: {}", printable(why)));
    }
    Told { at: occurred_at(event), who: printable(&event.actor), what }
}

fn words(event: &EventRow) -> String {
    let part = |key: &str| event.detail.get(key);
    let text = |key: &str| part(key).and_then(Value::as_str).unwrap_or_default();
    let day = |key: &str| {
        let on: Option<NaiveDate> = text(key).parse().ok();
        on.map_or_else(|| "a day that is not known".to_owned(), |on| on.format("%A %-d %B %Y").to_string())
    };
    let problem = || {
        let problem = printable(text("problem"));
        if problem.is_empty() { String::new() } else { format!(": {problem}") }
    };
    match event.what.as_str() {
        "opened" => {
            let mut said = format!("opened; the answer is due by {}", day("due_on"));
            if !text("first_response_on").is_empty() {
                said.push_str(&format!(", a first response by {}", day("first_response_on")));
            }
            if let Some(step) = step(part("step")).filter(|step| *step > Step::Coordinator) {
                said.push_str(&format!("; it came in at step {}, {}", step.number(), step.who()));
            }
            said
        }
        "chased" => "the sender asked again".to_owned(),
        "added" => "the sender wrote more".to_owned(),
        "thanked" => "the sender said thank you".to_owned(),
        "answered" => "answered by staff".to_owned(),
        "held-over" => format!("staff need longer: until {}", day("until")),
        "passed-on" => {
            let to: Vec<String> = part("to")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(printable)
                .collect();
            if to.is_empty() {
                "passed on by staff".to_owned()
            } else {
                format!("passed on by staff to {}", to.join(", "))
            }
        }
        "escalated" => {
            let whose = step(part("step"))
                .map_or_else(String::new, |step| format!(" to step {}, {}", step.number(), step.who()));
            format!("raised{whose}, who answers by {}", day("due_on"))
        }
        "reopened" => format!("opened again; the answer is due by {}", day("due_on")),
        "closed" => "closed: nothing is owed".to_owned(),
        "missing" => "its message was found in none of our folders".to_owned(),
        "found" => "its message was found again".to_owned(),
        "corrected" => format!("corrected: {}", corrected(event)),
        "acknowledged" => "acknowledgement sent".to_owned(),
        "acknowledgement-uncertain" => {
            format!("it is not known whether the acknowledgement was sent; it is looked for{}", problem())
        }
        "acknowledgement-stuck" => format!("the acknowledgement cannot be sent{}", problem()),
        "returned" => {
            let status = text("status");
            let status = if status.is_empty() { String::new() } else { format!(" ({})", printable(status)) };
            format!("our letter came back{status}: the sender never got it")
        }
        "alerted" => "duty staff alerted".to_owned(),
        "alert-uncertain" => {
            format!("it is not known whether the alert was sent; it is looked for{}", problem())
        }
        "alert-withdrawn" => "an alert that waited was dropped".to_owned(),
        "not-counted" => "a message by staff is not counted as an answer".to_owned(),
        "alert-stuck" => format!("the alert cannot be sent{}", problem()),
        "notice-sent" => "told by mail".to_owned(),
        "notice-uncertain" => {
            format!("it is not known whether the mail to staff was sent; it is looked for{}", problem())
        }
        "notice-stuck" => format!("the mail to staff cannot be sent{}", problem()),
        "copy-kept" => "copy of a letter kept in Sent".to_owned(),
        "copy-stuck" => format!("no copy of a letter could be kept in Sent{}", problem()),
        "filed" => "message filed".to_owned(),
        "gone-before-filing" => "message gone before it could be filed".to_owned(),
        "filing-stuck" => format!("the message cannot be filed{}", problem()),
        other => other.replace('-', " "),
    }
}

fn step(value: Option<&Value>) -> Option<Step> {
    serde_json::from_value(value?.clone()).ok()
}

/// `urgency urgent, grounds U4`.
fn corrected(event: &EventRow) -> String {
    let to = event.detail.get("to").and_then(Value::as_object);
    let mut said: Vec<String> = to
        .into_iter()
        .flatten()
        .map(|(label, value)| match value {
            Value::String(text) => format!("{label} {text}"),
            Value::Array(list) => {
                let ids: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                format!("{label} {}", ids.join(" "))
            }
            other => format!("{label} {other}"),
        })
        .collect();
    if let Some(place) = event.detail.get("moved_to").filter(|place| place.is_object()) {
        let part = |key: &str| place.get(key).and_then(Value::as_str).unwrap_or_default();
        said.push(format!("moved to {}, folder {}", part("account"), part("folder")));
    }
    printable(&said.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(what: &str, detail: Value) -> EventRow {
        let happened_at = "2026-11-24T10:00:00Z".parse().unwrap();
        EventRow { happened_at, actor: "j.doe".into(), what: what.into(), detail }
    }

    #[test]
    fn every_kind_of_event_reads_as_a_sentence() {
        let said = |what: &str, detail| one(&event(what, detail)).what;
        assert_eq!(
            said("held-over", json!({"until": "2027-01-14", "why": "the report is late"})),
            "staff need longer: until Thursday 14 January 2027, because: the report is late"
        );
        assert_eq!(
            said("escalated", json!({"step": "team-lead", "due_on": "2026-12-08"})),
            "raised to step 2, the team lead, who answers by Tuesday 8 December 2026"
        );
        assert_eq!(
            said("passed-on", json!({"to": ["transport@council.example"]})),
            "passed on by staff to transport@council.example"
        );
        assert_eq!(said("something-new", json!({})), "something new");
        assert_eq!(
            said(
                "corrected",
                json!({"to": {"queue": "assessment"}, "moved_to": {"account": "a", "folder": "B"}})
            ),
            "corrected: queue assessment, moved to a, folder B"
        );
    }

    #[test]
    fn what_was_learnt_late_stands_where_it_happened() {
        let events = [
            event("opened", json!({"due_on": "2026-12-08"})),
            event("answered", json!({"occurred_at": "2026-11-20T10:00:00Z"})),
        ];
        let order: Vec<_> = told(&events).into_iter().map(|told| told.what).collect();
        assert_eq!(order[0], "answered by staff (learnt of on Tue 24 Nov 2026 10:00)");
        assert!(order[1].starts_with("opened; the answer is due by"));
    }

    #[test]
    fn what_followed_from_a_chaser_is_told_with_it() {
        let opened =
            json!({"due_on": "2026-11-30", "occurred_at": "2026-11-16T09:00:00Z", "first_response_on": null});
        let chased = |at: &str| json!({"occurred_at": at, "escalated_due_on": "2026-12-08", "reopened_due_on": "2026-12-16"});
        let events = [
            event("opened", opened),
            event("chased", chased("2026-11-20T09:00:00Z")),
            event("chased", chased("2026-12-02T09:00:00Z")),
            event("answered", json!({"occurred_at": "2026-12-03T09:00:00Z"})),
            event("chased", chased("2026-12-04T09:00:00Z")),
        ];
        let told: Vec<_> = told(&events).into_iter().map(|told| told.what).collect();
        assert!(told[1].contains("the sender asked again; the day for the answer stays"), "{told:?}");
        assert!(
            told[2].contains("step 2 begins: the team lead answers by Tuesday 8 December 2026"),
            "{told:?}"
        );
        assert!(told[4].contains("open again, the answer is due by Wednesday 16 December 2026"), "{told:?}");
    }
}
